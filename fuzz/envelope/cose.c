/* SPDX-License-Identifier: Apache-2.0 */
/* A COSE_Sign1 and, of the same bytes, a COSE_Key. */
#include "envelope/cose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool inside(vs_span part, const uint8_t *data, size_t size)
{
    return part.n == 0 || (part.p >= data && part.n <= size && part.p + part.n <= data + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static vs_key *k;
    VS_CLEANUP(vs_key_free) vs_key *read = NULL;
    vs_error err = {0};
    vs_cose_sign1 m;
    if (!k && vs_key_generate(VS_KEY_P256, &k, &err) != VS_OK)
        __builtin_trap();
    if (vs_key_from_cose(vs_span_of(data, size), &read, &err) == VS_OK && vs_key_is_private(read))
        __builtin_trap();
    if (vs_cose_parse(vs_span_of(data, size), &m, &err) != VS_OK)
        return 0;
    if (m.alg == VS_ALG_NONE || !inside(m.protected_bytes, data, size) ||
        !inside(m.payload, data, size) || !inside(m.signature, data, size))
        __builtin_trap();
    if (vs_cose_verify(&m, k, (vs_span){NULL, 0}, &err) == VS_OK)
        __builtin_trap(); /* the key was made just now */
    return 0;
}
