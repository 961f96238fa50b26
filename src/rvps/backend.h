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
    vs_code (*query)(rvps *r, vs_span id, int64_t now, vs_arena *a, vs_val *out, vs_error *err);
    void (*close)(rvps *r);
} rvps_ops;

/* The first member of each provider's own struct. */
struct rvps {
    const rvps_ops *ops;
};

#endif
