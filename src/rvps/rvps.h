/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reference value provider (attestation-service.md 8): takes in, checks, keeps and hands out
 * reference values. Thread safe.
 */
#ifndef VS_RVPS_RVPS_H
#define VS_RVPS_RVPS_H

#include "store/store.h"
#include "value/value.h"

typedef struct rvps rvps;

typedef struct rvps_options {
    bool refuse_sample; /* true: messages of type "sample" (unsigned) are refused */
} rvps_options;

/* The store must outlive it. */
VS_MUST vs_code rvps_new(vs_store *store, const rvps_options *opts, rvps **out, vs_error *err);
void rvps_free(rvps **r);

/* One message envelope (8.1) as JSON text. All records of a message are checked before the first is
 * stored. Expiry is 12 calendar months after `now`. */
VS_MUST vs_code rvps_register(rvps *r, vs_span message, int64_t now, vs_error *err);
/* The value of a record; undefined (and VS_OK) when there is none or it has expired at `now`. */
VS_MUST vs_code rvps_query(rvps *r, vs_span id, int64_t now, vs_arena *a, vs_val *out,
                           vs_error *err);

#endif
