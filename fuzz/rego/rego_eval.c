/* SPDX-License-Identifier: Apache-2.0 */
/* "policy NUL input JSON": compile, evaluate under small limits, explain, print. */
#include "rego/engine.h"
#include "value/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void evaluate(rego_program *p, vs_val input)
{
    rego_eval *e = NULL;
    if (rego_eval_new(p, &e, NULL) != VS_OK)
        return;
    rego_inputs in = {.input = input,
                      .explain = true,
                      .limits = {.steps = 20000, .arena_bytes = 4 << 20, .call_depth = 32}};
    vs_arena a;
    vs_arena_init(&a, 0);
    rego_presence presence;
    vs_val v;
    if (rego_eval_begin(e, &in, NULL) == VS_OK &&
        rego_eval_rule(e, "data", &presence, &v, NULL, NULL) == VS_OK) {
        vs_buf out = VS_BUF(1 << 20);
        vs_json_print(&out, v);
        vs_buf_free(&out);
    }
    (void)rego_eval_explain(e, NULL, &a);
    vs_arena_free(&a);
    rego_eval_free(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool found;
    vs_span json, policy = vs_span_cut(vs_span_of(data, size), 0, &json, &found);
    rego_module m = {.name = "fuzz", .text = policy};
    rego_program *p = NULL;
    vs_arena a;
    vs_arena_init(&a, 16 << 20);
    vs_val input = vs_undefined();
    if (found && vs_json_parse(&a, json, NULL, &input, NULL) != VS_OK)
        input = vs_undefined();
    if (rego_compile(&m, 1, NULL, &p, NULL, NULL) == VS_OK)
        evaluate(p, input);
    rego_program_unref(&p);
    vs_arena_free(&a);
    return 0;
}
