/* SPDX-License-Identifier: Apache-2.0 */
/* A SWID tag: XML to records. */
#include "base/enc.h"
#include "rvps/extract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_arena a;
    vs_error err = {0};
    vs_arena_init(&a, 0);
    rvps_context x = {0};
    rvps_records out = {.a = &a};
    vs_code code = rvps_extract_swid(&x, vs_span_of(data, size), &out, &err);
    if (code != VS_OK && (err.code != code || !vs_error_at(&err, 0)))
        __builtin_trap(); /* a refusal must say why */
    if (code == VS_OK && out.signature.trusted)
        __builtin_trap();
    for (size_t i = 0; code == VS_OK && i < out.n; i++) {
        const rvps_record *r = &out.items[i];
        if (r->name.n == 0 || r->value.kind != VS_ARRAY || r->value.len == 0)
            __builtin_trap();
        if (i && vs_span_cmp(out.items[i - 1].name, r->name) >= 0)
            __builtin_trap(); /* names are distinct */
    }
    vs_arena_free(&a);
    return 0;
}
