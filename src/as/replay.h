/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An evaluation's record, and evaluating it again: offline, with nothing but what the record holds
 * (policy inputs, reference values as they were handed out, time, seeds, settings of the token),
 * and with the code that gave the verdict then. Equal inputs give the EAR payload bit for bit.
 *
 * A record is an object:
 *   {"version": 1, "time": n, "expires": n, "policy_id": "default", "status": "...",
 *    "token": {"issuer_name", "developer_name", "build_name", "profile_name"},
 *    "payload_sha256": "<hex>", "complete": bool,
 *    "submods": [{"submod", "class", "policy", "policy_sha256", "seed", "input",
 *                 "policy_only"?, "reference_values": [{"id", "found", "value"}],
 *                 "notes"?, "status", "trust_vector", "reasons"}]}
 * What the TEE's driver asked for, not the policy, is {"id", "found", "by": "verifier", "sha256"},
 * with the digest of the value's canonical JSON. "notes" are the driver's;
 * "policy_only" is a JSON pointer to the one member of the input that the token leaves out.
 * `complete` is false when the policy asked for more reference values than a record keeps.
 */
#ifndef VS_AS_REPLAY_H
#define VS_AS_REPLAY_H

#include "as/as.h"

/* The text of a policy: by digest as recorded, or another one to try. `id` e.g. "default_cpu". The
 * text is to be on `a` or outlive the call. VS_E_NOT_FOUND ends the replay. */
typedef vs_code (*as_replay_policy)(const void *user, vs_span id, vs_span sha256, vs_arena *a,
                                    vs_span *text, vs_error *err);

typedef struct as_replay_options {
    as_replay_policy policy;
    const void *user;
    /* Asked for reference values that the record does not hold, which another policy may want;
     * NULL: such a question is an error. */
    rvps *other_values;
} as_replay_options;

typedef struct as_replayed {
    vs_span payload; /* of the EAR, as it was or would have been signed */
    const char *status;
    vs_val explanation; /* as as_result.explanation */
    bool same;          /* the payload is the recorded one, bit for bit */
} as_replayed;

/* VS_E_INVALID: not such a record, or incomplete. */
VS_MUST vs_code as_replay(vs_val record, const as_replay_options *opts, vs_arena *a,
                          as_replayed *out, vs_error *err);

/* The text of a policy that this service once used, by its digest: what as_replay wants when it
 * replays records of the same store. */
VS_MUST vs_code as_policy_by_digest(vs_store *store, vs_span sha256, vs_arena *a, vs_span *text,
                                    vs_error *err);

#endif
