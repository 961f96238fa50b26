/* SPDX-License-Identifier: Apache-2.0 */
/* Any text parses or fails with a position; what parses is a tree of values that can be printed. */
#include <stdlib.h>

#include "value/json.h"
#include "value/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_arena a;
    vs_arena_init(&a, 32 << 20);
    vs_error err = {0};
    vs_val v;
    vs_code code = vs_toml_parse(&a, vs_span_of(data, size), &v, &err);
    if ((code == VS_OK) != vs_defined(v) || (code != VS_OK && !vs_error_at(&err, 0)))
        abort();
    vs_buf json = VS_BUF(64 << 20);
    vs_json_print(&json, v);
    vs_buf_free(&json);
    vs_arena_free(&a);
    return 0;
}
