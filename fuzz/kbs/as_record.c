/* SPDX-License-Identifier: Apache-2.0 */
/* Records of evaluations as replay and collect read them. */
#include "as/collect.h"
#include "value/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static vs_code policy(const void *user, vs_span id, vs_span sha256, vs_arena *a, vs_span *text,
                      vs_error *err)
{
    (void)user, (void)id, (void)sha256, (void)a, (void)err;
    *text = VS_LIT("package policy\ntrust_claims := {\"executables\": 3} if "
                   "input.sample.svn in query_reference_value(\"svn\")\n"
                   "else := {\"executables\": 33}\n");
    return VS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_arena a;
    vs_val record;
    vs_arena_init(&a, 16 << 20);
    const as_replay_options opts = {.policy = policy};
    as_replayed out;
    vs_val found;
    vs_error err = {0};
    if (vs_json_parse(&a, vs_span_of(data, size), NULL, &record, NULL) == VS_OK &&
        as_replay(record, &opts, &a, &out, NULL) == VS_OK && out.payload.n == 0)
        __builtin_trap();
    if (vs_json_parse(&a, vs_span_of(data, size), NULL, &record, NULL) == VS_OK &&
        as_collect(record, &opts, &a, &found, &err) == VS_OK && found.kind != VS_ARRAY)
        __builtin_trap();
    vs_arena_free(&a);
    return 0;
}
