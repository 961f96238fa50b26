/* SPDX-License-Identifier: Apache-2.0 */
/* A JWK, public and private, strict and not, and as a recipient; else a PEM or DER key. */
#include "envelope/jose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void as_jwk(vs_arena *a, vs_val jwk, bool want_private, bool strict)
{
    VS_CLEANUP(vs_key_free) vs_key *k = NULL;
    VS_CLEANUP(vs_key_free) vs_key *again = NULL;
    vs_error err = {0};
    vs_alg alg;
    vs_val out;
    if (vs_key_from_jwk(jwk, want_private, strict, &k, &alg, &err) != VS_OK)
        return;
    if (vs_key_is_private(k) != want_private || (alg != VS_ALG_NONE && !vs_key_fits(k, alg)))
        __builtin_trap();
    if (vs_key_to_jwk(a, k, NULL, &out, &err) != VS_OK ||
        vs_key_from_jwk(out, false, true, &again, NULL, &err) != VS_OK ||
        !vs_key_public_eq(k, again))
        __builtin_trap();
}

static void as_pem(vs_span in, bool want_private)
{
    VS_CLEANUP(vs_key_free) vs_key *k = NULL;
    vs_error err = {0};
    if (vs_key_from_pem(in, want_private, &k, &err) == VS_OK &&
        vs_key_is_private(k) != want_private)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 8 << 20);
    vs_error err = {0};
    vs_val jwk;
    if (vs_json_parse(&a, vs_span_of(data, size), NULL, &jwk, &err) == VS_OK) {
        for (int i = 0; i < 4; i++)
            as_jwk(&a, jwk, i & 1, i & 2);
        (void)!vs_jwe_check_recipient(jwk, &err);
        return 0;
    }
    as_pem(vs_span_of(data, size), false);
    as_pem(vs_span_of(data, size), true);
    return 0;
}
