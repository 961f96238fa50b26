/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may administrate: bearer JWT and role ACL, or the legacy personas (kbs.md 4, 12). Keys are
 * read once by kbs_admin_new. Thread safe afterwards.
 */
#ifndef VS_KBS_ADMIN_H
#define VS_KBS_ADMIN_H

#include "kbs/config.h"

typedef struct kbs_admin kbs_admin;

/* What `cfg` points to must outlive it. */
VS_MUST vs_code kbs_admin_new(const kbs_admin_config *cfg, kbs_admin **out, vs_error *err);
void kbs_admin_free(kbs_admin **a);

/* Decides one request. `bearer` = token text, empty when there was no header. `path` = decoded path
 * ("/kbs/v0/resource/a/b/c", no query); `raw_has_encoded_slash` refuses role ACLs. On VS_OK *who
 * (on the arena) names the role or persona for the audit. VS_E_DENIED: err's outermost sentence is
 * the wire's <cause> (kbs.md 7): "Admin access denied: <reason>" or "Failed to parse HTTP Auth
 * Bearer header"; deeper sentences are for the operator only. */
VS_MUST vs_code kbs_admin_check(kbs_admin *a, vs_span bearer, vs_span path,
                                bool raw_has_encoded_slash, int64_t now, vs_arena *arena,
                                vs_span *who, vs_error *err);

#endif
