/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a recorded evaluation, the reference values under which its evidence would have passed: what
 * the policy compared each reference value with.
 *
 * Nothing here knows a policy or a TEE. The policy itself is evaluated on the recorded input, at
 * first as if nobody had endorsed anything; the comparisons that fail say what evidence offered.
 * That is then handed out, and the next comparisons fail, until nothing new is learned.
 */
#ifndef VS_AS_COLLECT_H
#define VS_AS_COLLECT_H

#include "as/replay.h"

/* `record` is that of as/replay.h; of `opts` the policy is used. *out: array, sorted by nothing, of
 *   {"submod", "id", "comparison": "in", "==", ">=", ..., "observed": value}
 * one per submod and id; an id whose comparison could not be seen has no "comparison" and no
 * "observed". VS_E_INVALID: not such a record. */
VS_MUST vs_code as_collect(vs_val record, const as_replay_options *opts, vs_arena *a, vs_val *out,
                           vs_error *err);

#endif
