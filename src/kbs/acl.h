/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which role may use which path (kbs.md 4.2). Decides on the decoded path, whole, and only in one
 * canonical form: what the dispatcher could read in another way is not allowed to anybody.
 */
#ifndef VS_KBS_ACL_H
#define VS_KBS_ACL_H

#include "kbs/config.h"

typedef struct kbs_acl_set kbs_acl_set;

/* Refuses a pattern of which any alternative does not start with ^/kbs and end with $. The entries
 * must outlive the set. */
VS_MUST vs_code kbs_acl_new(const kbs_acl *entries, size_t n, kbs_acl_set **out, vs_error *err);
void kbs_acl_free(kbs_acl_set **s);
/* No empty segment, "." or "..": such a path could mean another one to somebody else. The one
 * exception is the id of a reference value that starts with "rvps:///". */
bool kbs_acl_path_ok(vs_span path);
/* False for a path that is not ok. */
bool kbs_acl_allows(const kbs_acl_set *s, vs_span role, vs_span path);

#endif
