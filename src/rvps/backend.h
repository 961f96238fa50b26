/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a reference value provider is made of: the one of this floor (rvps_new), another process
 * that an adapter in api/ speaks for, or the values of a record (as/replay.h). Contracts are those
 * of rvps.h.
 */
#ifndef VS_RVPS_BACKEND_H
#define VS_RVPS_BACKEND_H

#include "rvps/rvps.h"

typedef struct rvps_ops {
    vs_code (*take)(rvps *r, vs_span message, int64_t now, vs_error *err);
    /* NULL with query_as_of below. */
    vs_code (*query)(rvps *r, vs_span id, int64_t now, vs_arena *a, vs_val *out, vs_error *err);
    void (*close)(rvps *r);
    /* For administrators, see rvps.h; NULL: not offered (take_by: as take). */
    vs_code (*take_by)(rvps *r, vs_span message, vs_span by, int64_t now, vs_error *err);
    vs_code (*take_vouched)(rvps *r, vs_span message, vs_span by, int64_t now,
                            vs_error *err); /* NULL: as take_by */
    vs_code (*get)(rvps *r, vs_span id, int64_t now, vs_arena *a, rvps_entry *out, vs_error *err);
    vs_code (*list)(rvps *r, vs_span prefix, vs_span after, size_t limit, vs_arena *a,
                    rvps_page *out, vs_error *err);
    vs_code (*remove)(rvps *r, vs_span id, vs_span by, vs_error *err);
    /* For rvps_query_as_of, both or none. */
    uint64_t (*changes)(rvps *r);
    vs_code (*query_as_of)(rvps *r, uint64_t changes, vs_span id, int64_t now, vs_arena *a,
                           vs_val *out, vs_error *err);
} rvps_ops;

/* The first member of each provider's own struct. */
struct rvps {
    const rvps_ops *ops;
};

#endif
