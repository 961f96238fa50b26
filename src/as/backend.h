/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an attestation service is made of: the one of this floor (as_new), or another process that
 * an adapter in api/ speaks for. Contracts are those of as.h.
 */
#ifndef VS_AS_BACKEND_H
#define VS_AS_BACKEND_H

#include "as/as.h"
#include "as/versions.h"

typedef struct as_ops {
    vs_code (*evaluate)(as_service *as, const as_request *reqs, size_t n, vs_span policy_id,
                        int64_t now, vs_arena *a, as_result *out, vs_error *err);
    vs_code (*challenge)(as_service *as, vs_span tee, vs_val params, vs_arena *a, vs_span *out,
                         vs_error *err);
    vs_code (*set_policy)(as_service *as, vs_span id, vs_span rego_text, vs_error *err);
    void (*close)(as_service *as);
    /* Administration; NULL: unsupported. */
    vs_code (*list_policies)(as_service *as, vs_arena *a, vs_val *out, vs_error *err);
    vs_code (*read_policy)(as_service *as, vs_span id, vs_arena *a, as_policy_state *out,
                           vs_error *err);
    vs_code (*read_policy_version)(as_service *as, vs_span id, uint32_t version, vs_arena *a,
                                   vs_span *text, vs_error *err);
    vs_code (*policy_history)(as_service *as, vs_span id, vs_arena *a, vs_val *out, vs_error *err);
    vs_code (*change_policy)(as_service *as, const as_change *c, vs_arena *a, as_policy_state *out,
                             vs_error *err);
    vs_code (*policy_text)(as_service *as, vs_span sha256, vs_arena *a, vs_span *text,
                           vs_error *err);
} as_ops;

/* The first member of each service's own struct. */
struct as_service {
    const as_ops *ops;
};

#endif
