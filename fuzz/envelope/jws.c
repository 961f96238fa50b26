/* SPDX-License-Identifier: Apache-2.0 */
/* A compact JWS from anybody, verified with the key of RFC 7515 A.3; its times when it verifies. */
#include "envelope/jose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static vs_key *key(vs_arena *a)
{
    static vs_key *k;
    vs_val jwk;
    if (!k && (vs_json_parse(a,
                             VS_LIT("{\"kty\":\"EC\",\"crv\":\"P-256\","
                                    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                                    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"),
                             NULL, &jwk, NULL) != VS_OK ||
               vs_key_from_jwk(jwk, false, true, &k, NULL, NULL) != VS_OK))
        __builtin_trap();
    return k;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 8 << 20);
    vs_error err = {0};
    vs_jws jws;
    vs_val claims;
    vs_key *k = key(&a);
    if (vs_jws_parse(&a, vs_span_of(data, size), &jws, &err) != VS_OK)
        return 0;
    if (jws.alg == VS_ALG_NONE || jws.signing_input.n + 1 > size)
        __builtin_trap();
    (void)!vs_jws_verify(&jws, k, VS_ALG_NONE, &err);
    if (vs_json_parse(&a, jws.payload, NULL, &claims, &err) == VS_OK)
        (void)!vs_jwt_check_times(
            claims,
            &(vs_jwt_times){.now = 1800000000, .leeway = 60, .check_nbf = true, .check_iat = true},
            &err);
    return 0;
}
