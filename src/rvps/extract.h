/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extractors: from the payload of a message to records (attestation-service.md 8.2). A new one is a
 * function and a line in the table of extract.c.
 */
#ifndef VS_RVPS_EXTRACT_H
#define VS_RVPS_EXTRACT_H

#include "value/value.h"

typedef struct rvps_record {
    vs_span name;
    vs_val value;
} rvps_record;

typedef struct rvps_records {
    vs_arena *a; /* what the records point to lives here */
    rvps_record *items;
    size_t n, room;
} rvps_records;

/* On failure of the arena nothing is added; check it at the end. */
void rvps_add_record(rvps_records *r, vs_span name, vs_val value);

typedef struct rvps_extractor {
    const char *type;
    bool is_unsigned; /* nothing shows who made the message */
    vs_code (*extract)(vs_span payload, rvps_records *out, vs_error *err);
} rvps_extractor;

/* NULL when the type is not known. */
const rvps_extractor *rvps_extractor_of(vs_span type);

#endif
