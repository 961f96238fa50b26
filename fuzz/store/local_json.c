/* SPDX-License-Identifier: Apache-2.0 */
/* A LocalJson file of any text is an object of members that can be looked at, or a sentence. */
#include <stdlib.h>

#include "store/localjson.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_arena a;
    vs_arena_init(&a, 32 << 20);
    vs_error err = {0};
    vs_val v;
    if (localjson_parse(&a, vs_span_of(data, size), &v, &err) == VS_OK) {
        for (VS_OBJ_FOR (m, v)) {
            VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(64);
            vs_error why = {0};
            if (localjson_value(m->val, &out, &why) != VS_OK && (out.n || !vs_error_at(&why, 0)))
                abort();
        }
    } else if (!vs_error_at(&err, 0)) {
        abort();
    }
    vs_arena_free(&a);
    return 0;
}
