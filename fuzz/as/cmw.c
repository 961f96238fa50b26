/* SPDX-License-Identifier: Apache-2.0 */
/* A conceptual message wrapper; the first byte tells in which form. */
#include <stdlib.h>

#include "as/cmw.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_error err = {0};
    vs_arena a;
    as_cmw c;
    if (!size)
        return 0;
    vs_arena_init(&a, 4 << 20);
    vs_code code = as_cmw_open(&a, vs_span_of(data + 1, size - 1),
                               (as_cmw_form)(data[0] % (AS_CMW_EITHER + 1)), &c, &err);
    if (code != VS_OK && (c.type.n || c.value.n || c.collection || !vs_error_at(&err, 0)))
        abort();
    if (code == VS_OK && (c.value.n > size || (c.collection && c.value.n)))
        abort();
    vs_arena_free(&a);
    return 0;
}
