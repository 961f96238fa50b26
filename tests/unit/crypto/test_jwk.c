/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/helpers.h"

static const vs_key_type all_types[] = {VS_KEY_RSA, VS_KEY_P256, VS_KEY_P384, VS_KEY_P521,
                                        VS_KEY_ED25519};

/* Public keys: RFC 7515 A.3.1, RFC 8037 A.2, RFC 7638 3.1. */
#define EC_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define EC_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define EC_D "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
#define ED_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define ED_D "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
#define RSA_N                                                                                      \
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJEC"  \
    "PebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2Qv"   \
    "zqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6W"   \
    "eZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"

static vs_code import(const char *text, bool want_private, bool strict, vs_alg *alg)
{
    VS_CLEANUP(vs_key_free) vs_key *k = NULL;
    vs_code code = vs_key_from_jwk(json(text), want_private, strict, &k, alg, &err);
    assert_int_equal(code == VS_OK, k != NULL);
    return code;
}

static void the_thumbprint_of_rfc_7638_comes_out(void **state)
{
    (void)state;
    VS_CLEANUP(vs_key_free)
    vs_key *k = key_of(json("{\"kty\":\"RSA\",\"n\":\"" RSA_N
                            "\",\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}"),
                       false);
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(2048);
    vs_val jwk;
    uint8_t digest[VS_HASH_MAX];
    assert_vs_ok(vs_key_to_jwk(&arena, k, NULL, &jwk, &err), &err);
    vs_json_print(&text, jwk);
    assert_vs_ok(vs_digest(VS_SHA256, vs_buf_span(&text), nothing, nothing, digest, &err), &err);
    assert_span_eq(vs_span_of(digest, 32), b64u("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
}

static void a_key_survives_the_way_through_a_jwk(void **state)
{
    (void)state;
    for (size_t i = 0; i < VS_COUNT(all_types); i++) {
        VS_CLEANUP(vs_key_free) vs_key *k = fresh_key(all_types[i]), *pub = NULL, *priv = NULL;
        VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(8192), sig = VS_BUF(1024);
        vs_val jwk;
        vs_alg alg = VS_ES512;
        assert_vs_ok(vs_key_to_jwk(&arena, k, vs_alg_name(vs_key_default_alg(k)), &jwk, &err),
                     &err);
        assert_vs_ok(vs_key_from_jwk(jwk, false, true, &pub, &alg, &err), &err);
        assert_int_equal(alg, vs_key_default_alg(k));
        assert_int_equal(vs_key_kind(pub), all_types[i]);
        assert_false(vs_key_is_private(pub));
        assert_true(vs_key_public_eq(k, pub));

        assert_vs_ok(vs_key_to_private_jwk(&text, k, &err), &err);
        vs_val private_jwk = json((const char *)text.p);
        assert_vs_ok(vs_key_from_jwk(private_jwk, true, true, &priv, &alg, &err), &err);
        assert_true(vs_key_is_private(priv));
        assert_true(vs_key_public_eq(k, priv));
        const vs_span msg = VS_LIT("m");
        assert_vs_ok(vs_sign(priv, vs_key_default_alg(k), &msg, 1, &sig, &err), &err);
        assert_vs_ok(vs_verify(pub, vs_key_default_alg(k), &msg, 1, vs_buf_span(&sig), &err), &err);
        /* without asking for it, the private part is left out */
        VS_CLEANUP(vs_key_free) vs_key *half = key_of(private_jwk, false);
        assert_false(vs_key_is_private(half));
        assert_vs_code(vs_key_to_private_jwk(&text, half, &err), VS_E_INVALID);
    }
}

static void a_written_jwk_has_the_wire_order(void **state)
{
    (void)state;
    static const struct {
        const char *text, *alg;
    } rows[] = {
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ECDH-ES+A256KW\",\"x\":\"" EC_X
         "\",\"y\":\"" EC_Y "\"}",
         "ECDH-ES+A256KW"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", NULL},
        {"{\"kty\":\"RSA\",\"alg\":\"RSA-OAEP-256\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\"}",
         "RSA-OAEP-256"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\"}", NULL},
    };
    for (size_t i = 0; i < VS_COUNT(rows); i++) {
        VS_CLEANUP(vs_key_free) vs_key *k = key_of(json(rows[i].text), false);
        VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(2048), small = VS_BUF(50);
        assert_vs_ok(vs_key_write_jwk(&text, k, rows[i].alg, &err), &err);
        assert_span_is(vs_buf_span(&text), rows[i].text);
        assert_vs_code(vs_key_write_jwk(&small, k, rows[i].alg, &err), VS_E_NOMEM);
    }
}

static void keys_of_other_kinds_are_unsupported(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-"
        "1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}",
        "{\"kty\":\"oct\",\"k\":\"AAAA\",\"alg\":\"HS256\"}",
        "{\"kty\":\"AKP\",\"alg\":\"ML-KEM-768+A192KW\",\"pub\":\"AAAA\"}",
        "{\"kty\":\"ec\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"Ed25519\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}",
        "{\"kty\":\"OKP\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}",
        "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" ED_X "\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"" ED_X "\"}",
        "{\"kty\":\"\"}",
    };
    for (size_t i = 0; i < VS_COUNT(texts); i++)
        assert_vs_code(import(texts[i], false, false, NULL), VS_E_UNSUPPORTED);
}

static void malformed_jwks_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[]",
        "\"EC\"",
        "null",
        "{}",
        "{\"kty\":1}",
        "{\"kty\":\"EC\"}",
        "{\"kty\":\"EC\",\"crv\":256}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"y\":\"" EC_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"\",\"y\":\"" EC_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":[1],\"y\":\"" EC_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":true}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "A\",\"y\":\"" EC_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA" EC_X "\",\"y\":\"" EC_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_Y "\",\"y\":\"" EC_X "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":7,\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}",
        "{\"kty\":\"RSA\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"\"}",
    };
    for (size_t i = 0; i < VS_COUNT(texts); i++)
        assert_vs_code(import(texts[i], false, false, NULL), VS_E_INVALID);
    static const char *const not_base64url[] = {
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "=\",\"y\":\"" EC_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEV\","
        "\"y\":\"" EC_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9u "
        "HvRVEU\",\"y\":\"" EC_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X
        "\",\"y\":\"x/FEzRu9m36HLN/tue659LNpXW6pCyStikYjKIWI5a0\"}",
    };
    for (size_t i = 0; i < VS_COUNT(not_base64url); i++)
        assert_vs_code(import(not_base64url[i], false, false, NULL), VS_E_PARSE);
}

/* RFC 7517 4.4 "alg" binds the key: one that cannot be right is refused, not ignored. */
static void the_alg_of_a_jwk_must_fit_the_key(void **state)
{
    (void)state;
    static const struct {
        const char *alg;
        vs_code code;
        vs_alg found;
    } rows[] = {
        {"ES256", VS_OK, VS_ES256},           {"RS256", VS_E_INVALID, VS_ALG_NONE},
        {"ES384", VS_E_INVALID, VS_ALG_NONE}, {"EdDSA", VS_E_INVALID, VS_ALG_NONE},
        {"PS512", VS_E_INVALID, VS_ALG_NONE}, {"ECDH-ES+A256KW", VS_OK, VS_ALG_NONE},
        {"HS256", VS_OK, VS_ALG_NONE},        {"none", VS_OK, VS_ALG_NONE},
    };
    for (size_t i = 0; i < VS_COUNT(rows); i++) {
        vs_alg alg = VS_ALG_NONE;
        const char *text =
            vs_sprintf(&arena,
                       "{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"%s\",\"x\":\"" EC_X
                       "\",\"y\":\"" EC_Y "\"}",
                       rows[i].alg);
        assert_vs_code(import(text, false, true, &alg), rows[i].code);
        assert_int_equal(alg, rows[i].found);
    }
}

static void short_coordinates_are_taken_unless_strict(void **state)
{
    (void)state;
    for (;;) { /* every second P-521 x starts with a zero byte */
        VS_CLEANUP(vs_key_free) vs_key *k = fresh_key(VS_KEY_P521);
        uint8_t point[133];
        size_t n;
        assert_vs_ok(vs_key_point(k, point, &n, &err), &err);
        if (point[1] != 0)
            continue;
        const char *text =
            vs_sprintf(&arena, "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"%.*s\",\"y\":\"%.*s\"}",
                       VS_FMT(vs_b64_encode_arena(&arena, VS_B64_URL, vs_span_of(point + 2, 65))),
                       VS_FMT(vs_b64_encode_arena(&arena, VS_B64_URL, vs_span_of(point + 67, 66))));
        VS_CLEANUP(vs_key_free) vs_key *read = key_of(json(text), false);
        assert_true(vs_key_public_eq(k, read));
        assert_vs_code(import(text, false, true, NULL), VS_E_INVALID);
        return;
    }
}

static void a_private_key_must_belong_to_its_public_key(void **state)
{
    (void)state;
#define EC_PRIVATE(d)                                                                              \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"" d "}"
#define ED_PRIVATE(d) "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\"" d "}"
    assert_vs_code(import(EC_PRIVATE(",\"d\":\"" EC_D "\""), true, true, NULL), VS_OK);
    assert_vs_code(import(ED_PRIVATE(",\"d\":\"" ED_D "\""), true, true, NULL), VS_OK);
    static const char *const bad[] = {
        EC_PRIVATE(""),
        EC_PRIVATE(",\"d\":\"\""),
        EC_PRIVATE(",\"d\":null"),
        EC_PRIVATE(",\"d\":\"" ED_D "\""),
        EC_PRIVATE(",\"d\":\"AQ\""),
        EC_PRIVATE(",\"d\":\"AA\""),
        EC_PRIVATE(",\"d\":\"AAAA" EC_D "\""),
        EC_PRIVATE(
            ",\"d\":\"_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE\""), /* the group's order */
        ED_PRIVATE(""),
        ED_PRIVATE(",\"d\":\"" EC_D "\""),
        ED_PRIVATE(",\"d\":\"AQ\""),
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_vs_code(import(bad[i], true, true, NULL), VS_E_INVALID);
}

static vs_val without(vs_val jwk, const char *member)
{
    return vs_with(&arena, jwk, vs_cstring(member), vs_undefined());
}

static void a_private_rsa_key_needs_all_its_members_and_they_must_agree(void **state)
{
    (void)state;
    VS_CLEANUP(vs_key_free) vs_key *rsa = fresh_key(VS_KEY_RSA), *k = NULL;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(8192);
    assert_vs_ok(vs_key_to_private_jwk(&text, rsa, &err), &err);
    vs_val jwk = json((const char *)text.p);
    static const char *const members[] = {"n", "e", "d", "p", "q", "dp", "dq", "qi"};
    for (size_t i = 0; i < VS_COUNT(members); i++)
        assert_vs_code(vs_key_from_jwk(without(jwk, members[i]), true, true, &k, NULL, &err),
                       VS_E_INVALID);
    vs_val swapped = vs_with(&arena, jwk, vs_cstring("d"), vs_getc(jwk, "n"));
    assert_vs_code(vs_key_from_jwk(swapped, true, true, &k, NULL, &err), VS_E_INVALID);
    vs_val other_n = vs_with(&arena, jwk, vs_cstring("n"), vs_cstring(RSA_N));
    assert_vs_code(vs_key_from_jwk(other_n, true, true, &k, NULL, &err), VS_E_INVALID);
    vs_val oth = vs_with(&arena, jwk, vs_cstring("oth"), vs_empty(VS_ARRAY));
    assert_vs_code(vs_key_from_jwk(oth, true, true, &k, NULL, &err), VS_E_UNSUPPORTED);
    assert_null(k);
}

/* A modulus of `bits` bits with both ends set, which is all a public key can be asked. */
static const char *rsa_jwk(size_t bits, bool odd, const char *e)
{
    size_t n = (bits + 7) / 8;
    uint8_t *p = vs_alloc(&arena, n);
    memset(p, 0xa5, n);
    p[0] = (uint8_t)(1u << (bits - 1) % 8);
    p[n - 1] = odd ? 1 : 2;
    return vs_sprintf(&arena, "{\"kty\":\"RSA\",\"n\":\"%.*s\",\"e\":\"%s\"}",
                      VS_FMT(vs_b64_encode_arena(&arena, VS_B64_URL, vs_span_of(p, n))), e);
}

static void rsa_keys_have_bounds(void **state)
{
    (void)state;
    static const struct {
        size_t bits;
        bool odd;
        const char *e;
        vs_code code;
    } rows[] = {
        {2048, true, "AQAB", VS_OK},         {3072, true, "Aw", VS_OK},
        {8192, true, "AQAB", VS_OK},         {2047, true, "AQAB", VS_E_INVALID},
        {1024, true, "AQAB", VS_E_INVALID},  {512, true, "AQAB", VS_E_INVALID},
        {8193, true, "AQAB", VS_E_INVALID},  {16384, true, "AQAB", VS_E_INVALID},
        {2048, false, "AQAB", VS_E_INVALID}, {2048, true, "AQ", VS_E_INVALID},
        {2048, true, "AA", VS_E_INVALID},    {2048, true, "AQAA", VS_E_INVALID},
        {2048, true, "gAAAAAAAAAE", VS_OK},  {2048, true, "AQAAAAAAAAAB", VS_E_INVALID},
    };
    for (size_t i = 0; i < VS_COUNT(rows); i++)
        assert_vs_code(import(rsa_jwk(rows[i].bits, rows[i].odd, rows[i].e), false, true, NULL),
                       rows[i].code);
}

static void a_full_arena_is_told(void **state)
{
    (void)state;
    VS_CLEANUP(vs_key_free) vs_key *k = fresh_key(VS_KEY_RSA);
    vs_arena small;
    vs_val jwk;
    vs_arena_init(&small, 64);
    assert_vs_code(vs_key_to_jwk(&small, k, "RS256", &jwk, &err), VS_E_NOMEM);
    vs_arena_free(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_arena(the_thumbprint_of_rfc_7638_comes_out),
        in_arena(a_key_survives_the_way_through_a_jwk),
        in_arena(a_written_jwk_has_the_wire_order),
        in_arena(keys_of_other_kinds_are_unsupported),
        in_arena(malformed_jwks_are_refused),
        in_arena(the_alg_of_a_jwk_must_fit_the_key),
        in_arena(short_coordinates_are_taken_unless_strict),
        in_arena(a_private_key_must_belong_to_its_public_key),
        in_arena(a_private_rsa_key_needs_all_its_members_and_they_must_agree),
        in_arena(rsa_keys_have_bounds),
        in_arena(a_full_arena_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
