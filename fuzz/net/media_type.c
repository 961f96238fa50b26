/* SPDX-License-Identifier: Apache-2.0 */
/* A Content-Type, whose normal form is its own, and an Accept header. */
#include <stdlib.h>

#include "net/media_type.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"application/json", "a/b; p=\"x y\""};
    vs_arena a;
    vs_arena_init(&a, 1 << 20);
    vs_span in = vs_span_of(data, size), once, twice;
    if (vs_media_type_normal(&a, in, &once, NULL) == VS_OK) {
        if (vs_media_type_normal(&a, once, &twice, NULL) != VS_OK || !vs_span_eq(once, twice))
            abort();
    }
    if (vs_media_accepts(in, types, VS_COUNT(types)) && !in.n && in.p)
        abort();
    vs_arena_free(&a);
    return 0;
}
