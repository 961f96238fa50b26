/* SPDX-License-Identifier: Apache-2.0 */
/* Points, PEM, DER and COSE_Key. */
#include "crypto/helpers.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static const vs_key_type all_types[] = {VS_KEY_P256, VS_KEY_P384, VS_KEY_P521, VS_KEY_ED25519,
                                        VS_KEY_RSA};

/* ---- points --------------------------------------------------------------------------------- */

/* The point of P-256 with x = 0, and the same with x = p (the field's prime). */
#define Y_AT_0 "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4"
#define ZERO32 "0000000000000000000000000000000000000000000000000000000000000000"
#define PRIME  "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"

static vs_code from_point(vs_key_type t, vs_span p)
{
    VS_CLEANUP(vs_key_free) vs_key *k = NULL;
    return vs_key_from_point(t, p, &k, &err);
}

static void only_reduced_points_on_the_curve_are_taken(void **state)
{
    (void)state;
    assert_vs_code(from_point(VS_KEY_P256, hex("04" ZERO32 Y_AT_0)), VS_OK);
    static const char *const bad[] = {
        "04" PRIME Y_AT_0,  /* same point, x not reduced */
        "04" ZERO32 ZERO32, /* off the curve */
        "04" Y_AT_0 ZERO32, /* swapped */
        "00",
        "",
        "04",
        "0400", /* infinity and fragments */
        "02" ZERO32,
        "03" ZERO32,        /* compressed */
        "06" ZERO32 Y_AT_0, /* hybrid */
        "05" ZERO32 Y_AT_0,
        "04" ZERO32 Y_AT_0 "00",
        ZERO32 Y_AT_0, /* no leading byte */
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_vs_code(from_point(VS_KEY_P256, hex(bad[i])), VS_E_INVALID);
    assert_vs_code(from_point(VS_KEY_P384, hex("04" ZERO32 Y_AT_0)), VS_E_INVALID);
    assert_vs_code(from_point(VS_KEY_RSA, hex("04" ZERO32 Y_AT_0)), VS_E_INVALID);
    assert_vs_code(from_point(VS_KEY_ED25519, hex(ZERO32)), VS_E_INVALID);
}

static void every_flipped_bit_of_a_point_leaves_the_curve(void **state)
{
    (void)state;
    for (vs_key_type t = VS_KEY_P256; t <= VS_KEY_P521; t++) {
        VS_CLEANUP(vs_key_free) vs_key *k = fresh_key(t);
        uint8_t point[133];
        size_t n;
        assert_vs_ok(vs_key_point(k, point, &n, &err), &err);
        for (size_t bit = 0; bit < n * 8; bit++) {
            flip(point, bit);
            assert_vs_code(from_point(t, vs_span_of(point, n)), VS_E_INVALID);
            flip(point, bit);
        }
        assert_vs_code(from_point(t, vs_span_of(point, n)), VS_OK);
    }
}

static void only_ec_keys_have_a_point(void **state)
{
    (void)state;
    VS_CLEANUP(vs_key_free) vs_key *k = fresh_key(VS_KEY_ED25519);
    uint8_t point[133];
    size_t n;
    assert_vs_code(vs_key_point(k, point, &n, &err), VS_E_INVALID);
}

static void keys_are_equal_when_their_public_parts_are(void **state)
{
    (void)state;
    vs_key *k[2 * VS_COUNT(all_types)];
    for (size_t i = 0; i < VS_COUNT(k); i++)
        k[i] = fresh_key(all_types[i / 2]);
    for (size_t i = 0; i < VS_COUNT(k); i++)
        for (size_t j = 0; j < VS_COUNT(k); j++)
            assert_int_equal(vs_key_public_eq(k[i], k[j]), i == j);
    for (size_t i = 0; i < VS_COUNT(k); i++)
        vs_key_free(&k[i]);
    assert_null(k[0]);
    vs_key_free(&k[0]);
    vs_key_free(NULL);
}

/* ---- PEM and DER ---------------------------------------------------------------------------- */

static vs_code from_pem(vs_span pem, bool want_private)
{
    VS_CLEANUP(vs_key_free) vs_key *k = NULL;
    vs_code code = vs_key_from_pem(pem, want_private, &k, &err);
    assert_int_equal(code == VS_OK, k != NULL);
    return code;
}

static void a_key_survives_the_way_through_pem(void **state)
{
    (void)state;
    for (size_t i = 0; i < VS_COUNT(all_types); i++) {
        VS_CLEANUP(vs_key_free)
        vs_key *k = fresh_key(all_types[i]), *priv = NULL, *half = NULL, *pub = NULL;
        VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(8192), spki = VS_BUF(8192), small = VS_BUF(10);
        assert_vs_ok(vs_key_to_pem(&pem, k, true, &err), &err);
        assert_true(vs_span_starts(vs_buf_span(&pem), VS_LIT("-----BEGIN PRIVATE KEY-----\n")));
        assert_vs_ok(vs_key_from_pem(vs_buf_span(&pem), true, &priv, &err), &err);
        assert_true(vs_key_is_private(priv) && vs_key_public_eq(k, priv));
        assert_vs_ok(vs_key_from_pem(vs_buf_span(&pem), false, &half, &err), &err);
        assert_true(!vs_key_is_private(half) && vs_key_public_eq(k, half));
        assert_vs_ok(vs_key_to_pem(&spki, k, false, &err), &err);
        assert_true(vs_span_starts(vs_buf_span(&spki), VS_LIT("-----BEGIN PUBLIC KEY-----\n")));
        assert_vs_ok(vs_key_from_pem(vs_buf_span(&spki), false, &pub, &err), &err);
        assert_true(vs_key_public_eq(k, pub) && vs_key_kind(pub) == all_types[i]);
        assert_vs_code(from_pem(vs_buf_span(&spki), true), VS_E_INVALID);
        assert_vs_code(vs_key_to_pem(&spki, pub, true, &err), VS_E_INVALID);
        assert_vs_code(vs_key_to_pem(&small, k, true, &err), VS_E_NOMEM);
    }
}

/* Lets OpenSSL write a key in a form of its choice. */
typedef int write_fn(BIO *bio, EVP_PKEY *pkey);

static vs_span written(write_fn *write, EVP_PKEY *pkey)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(write(bio, pkey), 1);
    char *text;
    long n = BIO_get_mem_data(bio, &text);
    vs_span out = vs_dup(&arena, vs_span_of(text, (size_t)n));
    BIO_free(bio);
    return out;
}

static int traditional(BIO *bio, EVP_PKEY *p)
{
    return PEM_write_bio_PrivateKey_traditional(bio, p, NULL, NULL, 0, NULL, NULL);
}
static int traditional_encrypted(BIO *bio, EVP_PKEY *p)
{
    return PEM_write_bio_PrivateKey_traditional(bio, p, EVP_aes_128_cbc(),
                                                (const unsigned char *)"test", 4, NULL, NULL);
}
static int pkcs8_encrypted(BIO *bio, EVP_PKEY *p)
{
    return PEM_write_bio_PKCS8PrivateKey(bio, p, EVP_aes_128_cbc(), "test", 4, NULL, NULL);
}
static int pkcs8_der(BIO *bio, EVP_PKEY *p)
{
    return i2d_PKCS8PrivateKey_bio(bio, p, NULL, NULL, 0, NULL, NULL);
}
static int traditional_der(BIO *bio, EVP_PKEY *p)
{
    return i2d_PrivateKey_bio(bio, p);
}
static int spki_der(BIO *bio, EVP_PKEY *p)
{
    return i2d_PUBKEY_bio(bio, p);
}
static int spki_pem(BIO *bio, EVP_PKEY *p)
{
    return PEM_write_bio_PUBKEY(bio, p);
}
static int with_parameters(BIO *bio, EVP_PKEY *p)
{
    return PEM_write_bio_Parameters(bio, p) && traditional(bio, p);
}

static void every_usual_form_of_a_key_is_read(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {EVP_EC_gen("P-256"), EVP_EC_gen("P-521"), EVP_RSA_gen(2048)};
    write_fn *const private_forms[] = {traditional, pkcs8_der, traditional_der};
    for (size_t i = 0; i < VS_COUNT(keys); i++) {
        for (size_t f = 0; f < VS_COUNT(private_forms); f++) {
            vs_span text = written(private_forms[f], keys[i]);
            assert_vs_code(from_pem(text, true), VS_OK);
            assert_vs_code(from_pem(text, false), VS_OK);
        }
        assert_vs_code(from_pem(written(spki_der, keys[i]), false), VS_OK);
        assert_vs_code(from_pem(written(spki_pem, keys[i]), false), VS_OK);
        if (i < 2)
            assert_vs_code(from_pem(written(with_parameters, keys[i]), true), VS_OK);
        EVP_PKEY_free(keys[i]);
    }
}

static void encrypted_keys_are_refused_without_asking_for_a_password(void **state)
{
    (void)state;
    EVP_PKEY *p = EVP_EC_gen("P-256");
    assert_vs_code(from_pem(written(traditional_encrypted, p), true), VS_E_UNSUPPORTED);
    assert_vs_code(from_pem(written(pkcs8_encrypted, p), true), VS_E_UNSUPPORTED);
    EVP_PKEY_free(p);
}

/* A fresh P-256 key written with the given conversion ("point-format" or "encoding"). */
static EVP_PKEY *odd_ec(const char *param, const char *value)
{
    EVP_PKEY *p = EVP_EC_gen("P-256");
    assert_int_equal(EVP_PKEY_set_utf8_string_param(p, param, value), 1);
    return p;
}

static void keys_of_other_kinds_and_encodings_are_unsupported(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {
        EVP_EC_gen("secp256k1"),
        EVP_EC_gen("P-224"),
        EVP_EC_gen("brainpoolP256r1"),
        EVP_PKEY_Q_keygen(NULL, NULL, "X25519"),
        EVP_PKEY_Q_keygen(NULL, NULL, "ED448"),
        odd_ec(OSSL_PKEY_PARAM_EC_ENCODING, OSSL_PKEY_EC_ENCODING_EXPLICIT),
    };
    for (size_t i = 0; i < VS_COUNT(keys); i++) {
        assert_vs_code(from_pem(written(spki_pem, keys[i]), false), VS_E_UNSUPPORTED);
        assert_vs_code(from_pem(written(pkcs8_der, keys[i]), true), VS_E_UNSUPPORTED);
        EVP_PKEY_free(keys[i]);
    }
    EVP_PKEY *compressed = odd_ec(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed");
    assert_vs_code(from_pem(written(spki_der, compressed), false), VS_E_UNSUPPORTED);
    EVP_PKEY_free(compressed);
    EVP_PKEY *small = EVP_RSA_gen(1024);
    assert_vs_code(from_pem(written(spki_pem, small), false), VS_E_INVALID);
    assert_vs_code(from_pem(written(traditional, small), true), VS_E_INVALID);
    EVP_PKEY_free(small);
}

static void a_private_key_file_whose_parts_disagree_is_refused(void **state)
{
    (void)state;
    EVP_PKEY *p = EVP_EC_gen("P-256");
    vs_span der = written(traditional_der, p);
    uint8_t *bytes = copy_of(der);
    flip(bytes + 7, 0); /* SEQUENCE 2, INTEGER 3, OCTET STRING 2: the private scalar's first byte */
    assert_vs_code(from_pem(vs_span_of(bytes, der.n), true), VS_E_INVALID);
    EVP_PKEY_free(p);
}

static void cut_and_changed_key_files_never_give_the_same_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        VS_CLEANUP(vs_key_free) vs_key *k = fresh_key(all_types[i]);
        VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(8192);
        assert_vs_ok(vs_key_to_pem(&pem, k, false, &err), &err);
        for (size_t n = 0; n < pem.n - 1; n++) /* the last newline may be missing */
            assert_int_not_equal(
                from_pem(vs_dup(&arena, vs_span_head(vs_buf_span(&pem), n)), false), VS_OK);
        EVP_PKEY *ossl = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        vs_span der = written(spki_der, ossl);
        EVP_PKEY_free(ossl);
        uint8_t *bytes = copy_of(der);
        for (size_t n = 0; n < der.n; n++)
            assert_int_not_equal(from_pem(vs_dup(&arena, vs_span_head(der, n)), false), VS_OK);
        for (size_t bit = 0; bit < 12 * 8; bit++) { /* the head: everything before the key itself */
            flip(bytes, bit);
            assert_int_not_equal(from_pem(vs_span_of(bytes, der.n), false), VS_OK);
            flip(bytes, bit);
        }
    }
}

static void what_is_no_key_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "x",
        "-----BEGIN PUBLIC KEY-----",
        "{\"kty\":\"EC\"}",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
        "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
        "\x30",
        "\x30\x80\x00",
        "\x30\x84\xff\xff\xff\xff"};
    for (size_t i = 0; i < VS_COUNT(texts); i++) {
        assert_int_not_equal(from_pem(vs_str(texts[i]), false), VS_OK);
        assert_int_not_equal(from_pem(vs_str(texts[i]), true), VS_OK);
    }
    uint8_t *big = vs_zalloc(&arena, 70000);
    assert_vs_code(from_pem(vs_span_of(big, 70000), false), VS_E_LIMIT);
}

static void bytes_behind_a_der_key_are_refused(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {EVP_EC_gen("P-256"), EVP_RSA_gen(2048)};
    for (size_t i = 0; i < VS_COUNT(keys); i++) {
        write_fn *const forms[] = {spki_der, pkcs8_der};
        for (size_t f = 0; f < VS_COUNT(forms); f++) {
            vs_span der = written(forms[f], keys[i]);
            uint8_t *longer = vs_zalloc(&arena, der.n + 1);
            memcpy(longer, der.p, der.n);
            assert_int_not_equal(from_pem(vs_span_of(longer, der.n + 1), f == 1), VS_OK);
        }
        EVP_PKEY_free(keys[i]);
    }
}

static void the_tee_keys_of_the_shared_data_are_one_key_in_all_their_forms(void **state)
{
    (void)state;
    need_shared("data/kbs/README.md");
    static const char *const sets[][3] = {
        {"data/kbs/tee-p256.jwk.json", "data/kbs/tee-p256.pkcs8.pem", "data/kbs/tee-p256.sec1.pem"},
        {"data/kbs/tee-p521.jwk.json", "data/kbs/tee-p521.pkcs8.pem", "data/kbs/tee-p521.sec1.pem"},
        {"data/kbs/tee-rsa.jwk.json", "data/kbs/tee-rsa.pkcs8.pem", "data/kbs/tee-rsa.pkcs1.pem"},
    };
    for (size_t i = 0; i < VS_COUNT(sets); i++) {
        VS_CLEANUP(vs_key_free) vs_key *jwk = key_of(shared_json(sets[i][0]), false);
        for (size_t f = 1; f < 3; f++) {
            VS_CLEANUP(vs_key_free) vs_key *k = NULL;
            assert_vs_ok(vs_key_from_pem(shared_file(sets[i][f]), true, &k, &err), &err);
            assert_true(vs_key_public_eq(jwk, k));
        }
    }
}

/* ---- COSE_Key ------------------------------------------------------------------------------- */

/* RFC 9052 C.7.1, key "11". */
#define COSE_X "5820bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff"
#define COSE_Y "582020138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e"

static vs_code from_cose(vs_span in)
{
    VS_CLEANUP(vs_key_free) vs_key *k = NULL;
    vs_code code = vs_key_from_cose(in, &k, &err);
    assert_int_equal(code == VS_OK, k != NULL);
    return code;
}

static void a_key_survives_the_way_through_a_cose_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        VS_CLEANUP(vs_key_free) vs_key *k = fresh_key(all_types[i]), *read = NULL;
        VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(200), small = VS_BUF(20);
        assert_vs_ok(vs_key_to_cose(&out, k, &err), &err);
        assert_vs_ok(vs_key_from_cose(vs_buf_span(&out), &read, &err), &err);
        assert_true(vs_key_public_eq(k, read));
        assert_false(vs_key_is_private(read));
        for (size_t n = 0; n < out.n; n++)
            assert_int_not_equal(from_cose(vs_dup(&arena, vs_span_head(vs_buf_span(&out), n))),
                                 VS_OK);
        assert_vs_code(vs_key_to_cose(&small, k, &err), VS_E_NOMEM);
    }
    VS_CLEANUP(vs_key_free) vs_key *rsa = fresh_key(VS_KEY_RSA);
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(2000);
    assert_vs_code(vs_key_to_cose(&out, rsa, &err), VS_E_UNSUPPORTED);
}

static void a_cose_key_is_written_as_realms_write_it(void **state)
{
    (void)state;
    VS_CLEANUP(vs_key_free) vs_key *k = fresh_key(VS_KEY_P384);
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(200);
    assert_vs_ok(vs_key_to_cose(&out, k, &err), &err);
    assert_int_equal(out.n, 107); /* cca.md 1.8 */
    assert_span_eq(vs_span_head(vs_buf_span(&out), 8), hex("a401022002215830"));
}

static void cose_keys_may_have_more_members_in_any_order(void **state)
{
    (void)state;
    static const char *const good[] = {
        "a40102200121" COSE_X "22" COSE_Y,
        "a422" COSE_Y "21" COSE_X "20010102",
        "a60102200121" COSE_X "22" COSE_Y "032602423131", /* alg ES256, kid */
        "a50102200121" COSE_X "22" COSE_Y "048102",       /* key_ops */
        "a50102200121" COSE_X "22" COSE_Y "6161f6",       /* text label */
        "a50102200121" COSE_X "22" COSE_Y "033818",       /* ECDH-ES+HKDF-256: no signature */
    };
    for (size_t i = 0; i < VS_COUNT(good); i++)
        assert_vs_ok(from_cose(hex(good[i])), &err);
}

static void bad_cose_keys_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "f6",
        "80",
        "a0",
        "a10102",
        "a30102200121" COSE_X,             /* y missing */
        "a30102200122" COSE_Y,             /* x missing */
        "a3200121" COSE_X "22" COSE_Y,     /* kty missing */
        "a3010221" COSE_X "22" COSE_Y,     /* crv missing */
        "a40101200121" COSE_X "22" COSE_Y, /* kty OKP with P-256 */
        "a40103200121" COSE_X "22" COSE_Y, /* kty RSA */
        "a40102200221" COSE_X "22" COSE_Y, /* P-384 with short coordinates */
        "a40102200821" COSE_X "22" COSE_Y, /* secp256k1 */
        "a40102200021" COSE_X "22" COSE_Y, /* reserved curve */
        "a40102200121" COSE_X "22f5",      /* compressed */
        "a40102200121" COSE_X "22f4",
        "a40102200121" COSE_X "2200",
        "a40102200122" COSE_X "21" COSE_Y,             /* off the curve */
        "a50102200121" COSE_X "22" COSE_Y "033822",    /* alg ES384 on P-256 */
        "a50102200121" COSE_X "22" COSE_Y "0327",      /* alg EdDSA on P-256 */
        "a50102200121" COSE_X "22" COSE_Y "22" COSE_Y, /* duplicate label */
        "a40102200121" COSE_X "22" COSE_Y "00",        /* trailing byte */
        "bf0102200121" COSE_X "22" COSE_Y "ff",        /* indefinite length */
        "a4613102200121" COSE_X "22" COSE_Y,           /* label "1" */
        "a401624543200121" COSE_X "22" COSE_Y,         /* kty as text */
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_int_not_equal(from_cose(hex(bad[i])), VS_OK);
    assert_vs_code(from_cose(hex("a40102200121" COSE_X "22f5")), VS_E_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_arena(only_reduced_points_on_the_curve_are_taken),
        in_arena(every_flipped_bit_of_a_point_leaves_the_curve),
        in_arena(only_ec_keys_have_a_point),
        in_arena(keys_are_equal_when_their_public_parts_are),
        in_arena(a_key_survives_the_way_through_pem),
        in_arena(every_usual_form_of_a_key_is_read),
        in_arena(encrypted_keys_are_refused_without_asking_for_a_password),
        in_arena(keys_of_other_kinds_and_encodings_are_unsupported),
        in_arena(a_private_key_file_whose_parts_disagree_is_refused),
        in_arena(cut_and_changed_key_files_never_give_the_same_key),
        in_arena(what_is_no_key_is_refused),
        in_arena(bytes_behind_a_der_key_are_refused),
        in_arena(the_tee_keys_of_the_shared_data_are_one_key_in_all_their_forms),
        in_arena(a_key_survives_the_way_through_a_cose_key),
        in_arena(a_cose_key_is_written_as_realms_write_it),
        in_arena(cose_keys_may_have_more_members_in_any_order),
        in_arena(bad_cose_keys_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
