/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Administration of the policies of as/policy.h: reading, history, changes that are atomic across
 * replicas.
 *
 * Each change has a record in namespace "<namespace>_history", which is always in the same store as
 * the policies, under "<prefix><id>/<version, 8 digits>":
 *   {"action", "from", "note", "sha256", "time", "version", "who"}
 * and its text under its digest in AS_POLICY_TEXTS. Whoever creates the record of the next version
 * makes the change; everybody else finds it there and looks again. Versions count from 1 without
 * gaps. A text that has no record, because Trustee or somebody with access to the store wrote it,
 * is version 0; the next change first gives it a version of its own (action "found"), so that it
 * can be had back.
 */
#ifndef VS_AS_VERSIONS_H
#define VS_AS_VERSIONS_H

#include "as/policy.h"

typedef struct as_policy_state {
    bool exists;
    uint32_t version, last; /* in force (0 = has no record), newest */
    vs_span text;
    const char *sha256, *etag; /* `etag` with quotes: "3-9f86d081884c7d65" */
} as_policy_state;

/* Fills in `sha256` and `etag` of a state whose other members are there. */
VS_MUST vs_code as_policy_state_names(as_policy_state *s, vs_arena *a, vs_error *err);

/* All on `a`. VS_E_INVALID: not an id. That there is no such policy is no failure. */
VS_MUST vs_code as_policies_read(as_policies *p, vs_span id, vs_arena *a, as_policy_state *out,
                                 vs_error *err);
/* The text of one version. VS_E_NOT_FOUND. */
VS_MUST vs_code as_policies_read_version(as_policies *p, vs_span id, uint32_t version, vs_arena *a,
                                         vs_span *text, vs_error *err);
/* The records, oldest first, each with "active": bool. At most the newest AS_HISTORY_MAX. */
enum { AS_HISTORY_MAX = 1000 };
VS_MUST vs_code as_policies_history(as_policies *p, vs_span id, vs_arena *a, vs_val *out,
                                    vs_error *err);

typedef enum as_change_kind {
    AS_SET,       /* to `text` */
    AS_ACTIVATE,  /* the text of `version` again */
    AS_ROLL_BACK, /* the text that was in force before the one that is now */
    AS_DELETE,
} as_change_kind;

typedef struct as_change {
    as_change_kind kind;
    const char *action; /* what the record calls it; NULL = as its kind is called */
    vs_span id, text;
    uint32_t version;
    vs_span who, note;               /* UTF-8; note at most AS_NOTE_MAX bytes */
    vs_span if_match, if_none_match; /* as in RFC 9110 13.1; p == NULL: no condition */
    int64_t now;
} as_change;

enum { AS_NOTE_MAX = 1024 };

/* Checks the text as as_policies_set does. *out: as it is afterwards. VS_E_CONFLICT: a condition
 * does not hold, and nothing was changed; VS_E_NOT_FOUND: no such version or policy. Another
 * program's write at the same time, which knows nothing of versions, is not noticed. */
VS_MUST vs_code as_policies_change(as_policies *p, const as_change *c, vs_arena *a,
                                   as_policy_state *out, vs_error *err);

#endif
