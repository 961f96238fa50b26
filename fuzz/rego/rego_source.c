/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary text: compiled in both versions of the language, formatted, and turned into the JSON of
 * its syntax tree. */
#include "rego/builtins.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was formatted once stays as it is. */
static void format(vs_span text, bool v0)
{
    VS_CLEANUP(vs_buf_free) vs_buf once = VS_BUF(4 << 20);
    VS_CLEANUP(vs_buf_free) vs_buf twice = VS_BUF(4 << 20);
    if (rego_format("fuzz", text, v0, &once, NULL, NULL) != VS_OK)
        return;
    if (rego_format("fuzz", vs_buf_span(&once), v0, &twice, NULL, NULL) != VS_OK ||
        !vs_span_eq(vs_buf_span(&once), vs_buf_span(&twice)))
        __builtin_trap();
}

static void parse(vs_span text)
{
    vs_arena a;
    uint64_t steps = 1000000;
    rego_bctx b = {.a = &a, .steps = &steps};
    vs_val args[] = {vs_cstring("fuzz"), vs_string(text)}, tree;
    vs_arena_init(&a, 64 << 20);
    (void)rego_bi_parse_module(&b, args, 2, &tree);
    vs_arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_span text = vs_span_of(data, size);
    for (int v0 = 0; v0 < 2; v0++) {
        rego_module m = {.name = "fuzz", .text = text, .v0 = v0 != 0};
        rego_program *p = NULL;
        (void)!rego_compile(&m, 1, NULL, &p, NULL, NULL);
        rego_program_unref(&p);
        format(text, v0 != 0);
    }
    parse(text);
    return 0;
}
