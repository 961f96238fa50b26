/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may administrate: bearer JWT, client certificate or Unix credentials, each giving a role, and
 * role ACL; or the legacy personas (kbs.md 4, 12). Nobody else. Thread safe.
 */
#ifndef VS_KBS_ADMIN_H
#define VS_KBS_ADMIN_H

#include "kbs/keys.h"
#include "kbs/peer.h"

typedef struct kbs_admin kbs_admin;

/* What `cfg` points to, and `sources`, to which the keys are added, must outlive it. */
VS_MUST vs_code kbs_admin_new(const kbs_admin_config *cfg, kbs_sources *sources, kbs_admin **out,
                              vs_error *err);
void kbs_admin_free(kbs_admin **a);

typedef struct kbs_attempt {
    vs_span bearer;     /* token text, empty when there was no header */
    kbs_peer peer;      /* looked at only without a token */
    vs_span path;       /* decoded, "/kbs/v0/resource/a/b/c", no query */
    bool encoded_slash; /* as in kbs_call: refused by role ACLs */
    int64_t now;
} kbs_attempt;

/* Decides one request. On VS_OK *who (on the arena) names the role or persona for the audit, and
 * behind it the peer when that decided: "admin (uid 1000)". VS_E_DENIED: err's outermost sentence
 * is the wire's <cause> (kbs.md 7): "Admin access denied: <reason>" or "Failed to parse HTTP Auth
 * Bearer header"; deeper sentences are for the operator only. */
VS_MUST vs_code kbs_admin_check(kbs_admin *a, const kbs_attempt *t, vs_arena *arena, vs_span *who,
                                vs_error *err);

#endif
