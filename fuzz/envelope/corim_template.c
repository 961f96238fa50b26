/* SPDX-License-Identifier: Apache-2.0 */
/* A template that becomes a CoRIM becomes the same template and the same CoRIM again. */
#include "envelope/corim_template.h"
#include "value/cbor.h"
#include "value/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static vs_code encode(vs_arena *a, vs_val template, vs_span *out)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(CORIM_SIZE_MAX);
    vs_error err = {0};
    VS_TRY(corim_put_manifest(&b, a, template, NULL, 0, &err));
    *out = vs_dup(a, vs_buf_span(&b));
    return vs_arena_check(a, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_arena a;
    vs_val template, again, third;
    vs_span cbor, same;
    corim c;
    vs_arena_init(&a, 0);
    if (vs_json_parse(&a, vs_span_of(data, size), NULL, &template, NULL) == VS_OK &&
        encode(&a, template, &cbor) == VS_OK && vs_cbor_check(cbor, NULL) == VS_OK &&
        corim_to_template(&a, cbor, &again, NULL) == VS_OK) {
        vs_code code = encode(&a, again, &same);
        if (code != VS_OK && code != VS_E_NOMEM)
            __builtin_trap();
        if (code == VS_OK && !vs_span_eq(cbor, same))
            __builtin_trap();
        code = code == VS_OK ? corim_to_template(&a, same, &third, NULL) : VS_E_NOMEM;
        if (code == VS_OK && !vs_eq(again, third))
            __builtin_trap();
        (void)!corim_decode(&a, cbor, &c, NULL);
    }
    vs_arena_free(&a);
    return 0;
}
