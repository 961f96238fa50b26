/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/helpers.h"

#include <pthread.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>

static const vs_alg all_algs[] = {VS_ES256, VS_ES384, VS_ES512, VS_RS256, VS_RS384,
                                  VS_RS512, VS_PS256, VS_PS384, VS_PS512, VS_EDDSA};
static const vs_span message = {(const uint8_t *)"sample", 6};

static vs_key *ring[VS_KEY_ED25519 + 1], *other[VS_KEY_ED25519 + 1];

static int make_keys(void **state)
{
    (void)state;
    for (int t = 0; t <= VS_KEY_ED25519; t++) {
        ring[t] = fresh_key((vs_key_type)t);
        other[t] = fresh_key((vs_key_type)t);
    }
    return 0;
}

static int free_keys(void **state)
{
    (void)state;
    for (int t = 0; t <= VS_KEY_ED25519; t++) {
        vs_key_free(&ring[t]);
        vs_key_free(&other[t]);
    }
    return 0;
}

static vs_span signature(const vs_key *k, vs_alg alg, vs_span msg)
{
    VS_CLEANUP(vs_buf_free) vs_buf sig = VS_BUF(1024);
    assert_vs_ok(vs_sign(k, alg, &msg, 1, &sig, &err), &err);
    return vs_dup(&arena, vs_buf_span(&sig));
}

/* RFC 6979 A.2.5 and A.2.6: message "sample". */
static const struct {
    vs_key_type type;
    vs_alg alg;
    const char *point, *rs;
} rfc6979[] = {
    {VS_KEY_P256, VS_ES256,
     "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
     "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
     "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
     "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"},
    {VS_KEY_P384, VS_ES384,
     "04ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a25451"
     "5480bc138015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe73"
     "44fd2533264720",
     "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80"
     "fabe4699ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82"
     "c71a38628ac8"},
};

static void signatures_of_rfc_6979_verify(void **state)
{
    (void)state;
    for (size_t i = 0; i < VS_COUNT(rfc6979); i++) {
        VS_CLEANUP(vs_key_free) vs_key *k = NULL;
        assert_vs_ok(vs_key_from_point(rfc6979[i].type, hex(rfc6979[i].point), &k, &err), &err);
        assert_vs_ok(vs_verify(k, rfc6979[i].alg, &message, 1, hex(rfc6979[i].rs), &err), &err);
        const vs_span wrong = VS_LIT("Sample");
        assert_vs_code(vs_verify(k, rfc6979[i].alg, &wrong, 1, hex(rfc6979[i].rs), &err),
                       VS_E_CRYPTO);
    }
}

static void what_is_signed_in_parts_verifies_whole_and_the_other_way_round(void **state)
{
    (void)state;
    const vs_span parts[] = {VS_LIT("sa"), nothing, VS_LIT("mple")};
    for (size_t i = 0; i < VS_COUNT(all_algs); i++)
        for (int t = 0; t <= VS_KEY_ED25519; t++) {
            if (!vs_key_fits(ring[t], all_algs[i]))
                continue;
            VS_CLEANUP(vs_buf_free) vs_buf sig = VS_BUF(1024);
            assert_vs_ok(vs_sign(ring[t], all_algs[i], parts, 3, &sig, &err), &err);
            assert_vs_ok(vs_verify(ring[t], all_algs[i], &message, 1, vs_buf_span(&sig), &err),
                         &err);
            assert_vs_ok(vs_verify(ring[t], all_algs[i], parts, 3,
                                   signature(ring[t], all_algs[i], message), &err),
                         &err);
            assert_vs_code(vs_verify(other[t], all_algs[i], &message, 1, vs_buf_span(&sig), &err),
                           VS_E_CRYPTO);
            assert_vs_code(vs_verify(ring[t], all_algs[i], parts, 2, vs_buf_span(&sig), &err),
                           VS_E_CRYPTO);
        }
}

static void an_empty_message_can_be_signed(void **state)
{
    (void)state;
    for (int t = 0; t <= VS_KEY_ED25519; t++) {
        vs_alg alg = vs_key_default_alg(ring[t]);
        vs_span sig = signature(ring[t], alg, nothing);
        assert_vs_ok(vs_verify(ring[t], alg, NULL, 0, sig, &err), &err);
        assert_vs_code(vs_verify(ring[t], alg, &message, 1, sig, &err), VS_E_CRYPTO);
    }
}

/* Algorithm confusion: of all pairs, only those of the algorithm's own key type work. */
static void an_algorithm_works_only_with_its_own_key_type(void **state)
{
    (void)state;
    static const vs_key_type own[] = {VS_KEY_P256, VS_KEY_P384,   VS_KEY_P521, VS_KEY_RSA,
                                      VS_KEY_RSA,  VS_KEY_RSA,    VS_KEY_RSA,  VS_KEY_RSA,
                                      VS_KEY_RSA,  VS_KEY_ED25519};
    const vs_span sigs[] = {hex(rfc6979[0].rs), hex(rfc6979[1].rs)};
    for (size_t i = 0; i < VS_COUNT(all_algs); i++)
        for (int t = 0; t <= VS_KEY_ED25519; t++) {
            assert_int_equal(vs_key_fits(ring[t], all_algs[i]), (int)own[i] == t);
            if ((int)own[i] == t)
                continue;
            VS_CLEANUP(vs_buf_free) vs_buf sig = VS_BUF(1024);
            assert_vs_code(vs_sign(ring[t], all_algs[i], &message, 1, &sig, &err), VS_E_INVALID);
            assert_int_equal(sig.n, 0);
            assert_vs_code(vs_verify(ring[t], all_algs[i], &message, 1, sigs[i % 2], &err),
                           VS_E_INVALID);
        }
    assert_false(vs_key_fits(ring[VS_KEY_P256], VS_ALG_NONE));
    assert_vs_code(vs_verify(ring[VS_KEY_P256], VS_ALG_NONE, &message, 1, sigs[0], &err),
                   VS_E_INVALID);
    assert_vs_code(vs_verify(ring[VS_KEY_P256], (vs_alg)77, &message, 1, sigs[0], &err),
                   VS_E_INVALID);
}

static void rsa_paddings_and_digests_are_not_interchangeable(void **state)
{
    (void)state;
    for (vs_alg made = VS_RS256; made <= VS_PS512; made++) {
        vs_span sig = signature(ring[VS_KEY_RSA], made, message);
        for (vs_alg asked = VS_RS256; asked <= VS_PS512; asked++)
            assert_vs_code(vs_verify(ring[VS_KEY_RSA], asked, &message, 1, sig, &err),
                           asked == made ? VS_OK : VS_E_CRYPTO);
    }
}

/* RFC 7518 3.5: the salt is as long as the digest. */
static void pss_with_a_salt_of_another_length_is_refused(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(8192);
    assert_vs_ok(vs_key_to_pem(&pem, ring[VS_KEY_RSA], true, &err), &err);
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    static const int salts[] = {0, 20, 31, 32, 33};
    for (size_t i = 0; i < VS_COUNT(salts); i++) {
        EVP_MD_CTX *md = EVP_MD_CTX_new();
        EVP_PKEY_CTX *ctx;
        uint8_t sig[384];
        size_t n = sizeof sig;
        assert_int_equal(EVP_DigestSignInit(md, &ctx, EVP_sha256(), NULL, pkey), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salts[i]), 1);
        assert_int_equal(EVP_DigestSign(md, sig, &n, message.p, message.n), 1);
        assert_vs_code(vs_verify(ring[VS_KEY_RSA], VS_PS256, &message, 1, vs_span_of(sig, n), &err),
                       salts[i] == 32 ? VS_OK : VS_E_CRYPTO);
        EVP_MD_CTX_free(md);
    }
    EVP_PKEY_free(pkey);
    BIO_free(bio);
}

static void every_flipped_bit_of_a_signature_is_seen(void **state)
{
    (void)state;
    static const vs_key_type types[] = {VS_KEY_P256, VS_KEY_ED25519, VS_KEY_RSA};
    for (size_t i = 0; i < VS_COUNT(types); i++) {
        const vs_key *k = ring[types[i]];
        vs_alg alg = vs_key_default_alg(k);
        vs_span sig = signature(k, alg, message);
        uint8_t *p = copy_of(sig);
        for (size_t bit = 0; bit < sig.n * 8; bit++) {
            flip(p, bit);
            assert_vs_code(vs_verify(k, alg, &message, 1, vs_span_of(p, sig.n), &err), VS_E_CRYPTO);
            flip(p, bit);
        }
        assert_vs_ok(vs_verify(k, alg, &message, 1, vs_span_of(p, sig.n), &err), &err);
    }
}

static void signatures_of_any_other_length_are_refused(void **state)
{
    (void)state;
    for (int t = 0; t <= VS_KEY_ED25519; t++) {
        vs_alg alg = vs_key_default_alg(ring[t]);
        vs_span sig = signature(ring[t], alg, message);
        VS_CLEANUP(vs_buf_free) vs_buf longer = VS_BUF(1026);
        vs_buf_put(&longer, sig);
        for (int more = 0; more < 2; more++) {
            vs_buf_putc(&longer, 0);
            assert_vs_code(vs_verify(ring[t], alg, &message, 1, vs_buf_span(&longer), &err),
                           VS_E_CRYPTO);
        }
        for (size_t n = 0; n < sig.n; n++)
            assert_vs_code(vs_verify(ring[t], alg, &message, 1, vs_span_head(sig, n), &err),
                           VS_E_CRYPTO);
    }
}

/* Orders of the groups (FIPS 186-4 D.1.2): r and s must be in 1..n-1. */
static void ecdsa_values_outside_the_range_are_refused(void **state)
{
    (void)state;
    static const struct {
        vs_key_type type;
        const char *order;
    } groups[] = {
        {VS_KEY_P256, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"},
        {VS_KEY_P384, "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
                      "581a0db248b0a77aecec196accc52973"},
        {VS_KEY_P521,
         "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f"
         "966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409"},
    };
    for (size_t i = 0; i < VS_COUNT(groups); i++) {
        const vs_key *k = ring[groups[i].type];
        vs_alg alg = vs_key_default_alg(k);
        vs_span good = signature(k, alg, message), n = hex(groups[i].order);
        size_t half = good.n / 2;
        uint8_t *zero = vs_zalloc(&arena, half), *ones = vs_alloc(&arena, half);
        memset(ones, 0xff, half);
        uint8_t *one = copy_of(vs_span_of(zero, half));
        one[half - 1] = 1;
        const uint8_t *bad[] = {zero, ones, one, n.p};
        for (size_t b = 0; b < VS_COUNT(bad); b++)
            for (int which = 0; which < 3; which++) { /* r, s, both */
                uint8_t *p = copy_of(good);
                if (which != 1)
                    memcpy(p, bad[b], half);
                if (which != 0)
                    memcpy(p + half, bad[b], half);
                assert_vs_code(vs_verify(k, alg, &message, 1, vs_span_of(p, good.n), &err),
                               VS_E_CRYPTO);
            }
        uint8_t *swapped = copy_of(good);
        memcpy(swapped, good.p + half, half);
        memcpy(swapped + half, good.p, half);
        assert_vs_code(vs_verify(k, alg, &message, 1, vs_span_of(swapped, good.n), &err),
                       VS_E_CRYPTO);
    }
}

static void a_der_signature_is_not_taken_for_raw(void **state)
{
    (void)state;
    /* 70 bytes: SEQUENCE of two 33-byte INTEGERs, as OpenSSL would write them */
    vs_span rs = hex(rfc6979[0].rs);
    VS_CLEANUP(vs_buf_free) vs_buf der = VS_BUF(80);
    vs_buf_put(&der, vs_span_of("\x30\x46\x02\x21\x00", 5));
    vs_buf_put(&der, vs_span_head(rs, 32));
    vs_buf_put(&der, vs_span_of("\x02\x21\x00", 3));
    vs_buf_put(&der, vs_span_from(rs, 32));
    VS_CLEANUP(vs_key_free) vs_key *k = NULL;
    assert_vs_ok(vs_key_from_point(VS_KEY_P256, hex(rfc6979[0].point), &k, &err), &err);
    assert_vs_code(vs_verify(k, VS_ES256, &message, 1, vs_buf_span(&der), &err), VS_E_CRYPTO);
}

/* Short r and s come up once in 128: leading zeros must survive both conversions. */
static void ecdsa_signatures_have_a_fixed_width_whatever_the_values(void **state)
{
    (void)state;
    bool short_half = false;
    for (int i = 0; i < 2000; i++) {
        vs_span sig = signature(ring[VS_KEY_P256], VS_ES256, message);
        assert_int_equal(sig.n, 64);
        short_half |= sig.p[0] == 0 || sig.p[32] == 0;
        if (sig.p[0] == 0 || sig.p[32] == 0 || i < 20)
            assert_vs_ok(vs_verify(ring[VS_KEY_P256], VS_ES256, &message, 1, sig, &err), &err);
        vs_arena_reset(&arena);
    }
    assert_true(short_half);
}

static void a_public_key_does_not_sign(void **state)
{
    (void)state;
    VS_CLEANUP(vs_key_free) vs_key *k = NULL;
    VS_CLEANUP(vs_buf_free) vs_buf sig = VS_BUF(1024);
    assert_vs_ok(vs_key_from_point(VS_KEY_P256, hex(rfc6979[0].point), &k, &err), &err);
    assert_vs_code(vs_sign(k, VS_ES256, &message, 1, &sig, &err), VS_E_INVALID);
}

static void a_signature_that_does_not_fit_the_buffer_leaves_it_as_it_was(void **state)
{
    (void)state;
    for (int t = 0; t <= VS_KEY_ED25519; t++) {
        VS_CLEANUP(vs_buf_free) vs_buf sig = VS_BUF(40);
        vs_buf_puts(&sig, "before");
        assert_vs_code(vs_sign(ring[t], vs_key_default_alg(ring[t]), &message, 1, &sig, &err),
                       VS_E_NOMEM);
        assert_span_is(vs_buf_span(&sig), "before");
    }
}

static void algorithm_names_and_numbers_are_the_registered_ones(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t cose;
    } rows[] = {{"ES256", -7},   {"ES384", -35}, {"ES512", -36}, {"RS256", -257}, {"RS384", -258},
                {"RS512", -259}, {"PS256", -37}, {"PS384", -38}, {"PS512", -39},  {"EdDSA", -8}};
    for (size_t i = 0; i < VS_COUNT(rows); i++) {
        vs_alg alg = vs_alg_of_name(vs_str(rows[i].name));
        assert_int_equal(alg, all_algs[i]);
        assert_string_equal(vs_alg_name(alg), rows[i].name);
        assert_int_equal(vs_alg_to_cose(alg), rows[i].cose);
        assert_int_equal(vs_alg_of_cose(rows[i].cose), alg);
    }
    static const char *const unknown[] = {"none",  "None",   "",       "HS256", "HS512",
                                          "es256", "ES256 ", "ES256K", "EDDSA"};
    for (size_t i = 0; i < VS_COUNT(unknown); i++)
        assert_int_equal(vs_alg_of_name(vs_str(unknown[i])), VS_ALG_NONE);
    assert_int_equal(vs_alg_of_cose(0), VS_ALG_NONE);
    assert_int_equal(vs_alg_of_cose(5), VS_ALG_NONE); /* HMAC 256/256 */
    assert_int_equal(vs_alg_to_cose(VS_ALG_NONE), 0);
}

static void *use_keys(void *arg)
{
    for (int i = 0; i < 200; i++)
        for (int t = VS_KEY_P256; t <= VS_KEY_ED25519; t += VS_KEY_ED25519 - VS_KEY_P256) {
            vs_buf sig = VS_BUF(1024);
            vs_alg alg = vs_key_default_alg(ring[t]);
            bool ok = vs_sign(ring[t], alg, &message, 1, &sig, NULL) == VS_OK &&
                      vs_verify(ring[t], alg, &message, 1, vs_buf_span(&sig), NULL) == VS_OK;
            vs_buf_free(&sig);
            if (!ok)
                return arg;
        }
    return NULL;
}

static void threads_share_keys(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (size_t i = 0; i < VS_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_keys, ring), 0);
    for (size_t i = 0; i < VS_COUNT(threads); i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_arena(signatures_of_rfc_6979_verify),
        in_arena(what_is_signed_in_parts_verifies_whole_and_the_other_way_round),
        in_arena(an_empty_message_can_be_signed),
        in_arena(an_algorithm_works_only_with_its_own_key_type),
        in_arena(rsa_paddings_and_digests_are_not_interchangeable),
        in_arena(pss_with_a_salt_of_another_length_is_refused),
        in_arena(every_flipped_bit_of_a_signature_is_seen),
        in_arena(signatures_of_any_other_length_are_refused),
        in_arena(ecdsa_values_outside_the_range_are_refused),
        in_arena(a_der_signature_is_not_taken_for_raw),
        in_arena(ecdsa_signatures_have_a_fixed_width_whatever_the_values),
        in_arena(a_public_key_does_not_sign),
        in_arena(a_signature_that_does_not_fit_the_buffer_leaves_it_as_it_was),
        in_arena(algorithm_names_and_numbers_are_the_registered_ones),
        in_arena(threads_share_keys),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
