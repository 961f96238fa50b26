/* SPDX-License-Identifier: Apache-2.0 */
/* Init data documents. */
#include "envelope/init_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_arena a;
    vs_init_data doc;
    vs_arena_init(&a, 0);
    if (vs_init_data_parse(&a, vs_span_of(data, size), &doc, NULL) == VS_OK &&
        (doc.digest.n != vs_hash_size(doc.algorithm) || doc.data.kind != VS_OBJECT))
        __builtin_trap();
    vs_arena_free(&a);
    return 0;
}
