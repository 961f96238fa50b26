/* SPDX-License-Identifier: Apache-2.0 */
/* What parses must print, parse again to an equal value, and have a canonical form or an error. */
#include <stdlib.h>

#include "value/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_arena a;
    vs_arena_init(&a, 16 << 20);
    vs_buf text = VS_BUF(4 << 20);
    vs_val v, again;
    if (vs_json_parse(&a, vs_span_of(data, size), NULL, &v, NULL) == VS_OK) {
        vs_json_print(&text, v);
        if (vs_buf_ok(&text) &&
            (vs_json_parse(&a, vs_buf_span(&text), NULL, &again, NULL) != VS_OK ||
             !vs_eq(v, again)) &&
            vs_arena_ok(&a))
            abort();
        vs_buf_clear(&text);
        (void)!vs_json_canonical(&text, v, NULL);
    }
    vs_buf_free(&text);
    vs_arena_free(&a);
    return 0;
}
