/* SPDX-License-Identifier: Apache-2.0 */
/* A flattened JWE, of today or of protocol 0.1.1, for the EC key of RFC 7515 A.3 (a published test
 * key). */
#include "envelope/jose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static vs_key *key(void)
{
    static vs_key *k;
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    vs_val jwk;
    if (!k && (vs_json_parse(&a,
                             VS_LIT("{\"kty\":\"EC\",\"crv\":\"P-256\","
                                    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                                    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\","
                                    "\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}"),
                             NULL, &jwk, NULL) != VS_OK ||
               vs_key_from_jwk(jwk, true, true, &k, NULL, NULL) != VS_OK))
        __builtin_trap();
    return k;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    VS_CLEANUP(vs_buf_free) vs_buf plain = VS_BUF(1 << 20);
    vs_error err = {0};
    if (vs_jwe_decrypt(vs_span_of(data, size), key(), &plain, &err) != VS_OK && plain.n != 0)
        __builtin_trap();
    vs_buf_clear(&plain);
    if (vs_jwe_decrypt_0_1(vs_span_of(data, size), key(), &plain, &err) != VS_OK && plain.n != 0)
        __builtin_trap();
    return 0;
}
