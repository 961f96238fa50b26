/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/helpers.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>

/* ---- AES-256-GCM: McGrew and Viega, test case 16 -------------------------------------------- */

static const char *const gcm_key =
    "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
static const char *const gcm_iv = "cafebabefacedbaddecaf888";
static const char *const gcm_aad = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
static const char *const gcm_pt = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                                  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
static const char *const gcm_ct = "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                                  "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                                  "76fc6ece0f4e1768cddf8853bb2d551b";

static void gcm_gives_the_published_ciphertext(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf ct = VS_BUF(100), pt = VS_BUF(100);
    vs_buf_puts(&ct, "x");
    assert_vs_ok(vs_gcm_seal(hex(gcm_key).p, hex(gcm_iv).p, hex(gcm_aad), hex(gcm_pt), &ct, &err),
                 &err);
    assert_span_eq(vs_span_from(vs_buf_span(&ct), 1), hex(gcm_ct));
    vs_buf_puts(&pt, "y");
    assert_vs_ok(vs_gcm_open(hex(gcm_key).p, hex(gcm_iv).p, hex(gcm_aad), hex(gcm_ct), &pt, &err),
                 &err);
    assert_span_eq(vs_span_from(vs_buf_span(&pt), 1), hex(gcm_pt));
}

static vs_code open_gcm(vs_span key, vs_span iv, vs_span aad, vs_span ct)
{
    VS_CLEANUP(vs_buf_free) vs_buf pt = VS_BUF(100);
    vs_buf_puts(&pt, "kept");
    vs_code code = vs_gcm_open(key.p, iv.p, aad, ct, &pt, &err);
    if (code != VS_OK)
        assert_span_is(vs_buf_span(&pt), "kept");
    return code;
}

static void every_flipped_bit_fails_gcm_and_gives_no_plaintext(void **state)
{
    (void)state;
    vs_span in[4] = {hex(gcm_key), hex(gcm_iv), hex(gcm_aad), hex(gcm_ct)};
    for (size_t i = 0; i < 4; i++) {
        uint8_t *p = copy_of(in[i]);
        vs_span kept = in[i];
        in[i].p = p;
        for (size_t bit = 0; bit < kept.n * 8; bit++) {
            flip(p, bit);
            assert_vs_code(open_gcm(in[0], in[1], in[2], in[3]), VS_E_CRYPTO);
            flip(p, bit);
        }
        in[i] = kept;
    }
    assert_vs_code(open_gcm(in[0], in[1], in[2], in[3]), VS_OK);
}

static void every_truncation_fails_gcm(void **state)
{
    (void)state;
    for (size_t n = 0; n < hex(gcm_ct).n; n++)
        assert_vs_code(
            open_gcm(hex(gcm_key), hex(gcm_iv), hex(gcm_aad), vs_span_head(hex(gcm_ct), n)),
            VS_E_CRYPTO);
    for (size_t n = 0; n < hex(gcm_aad).n; n++)
        assert_vs_code(
            open_gcm(hex(gcm_key), hex(gcm_iv), vs_span_head(hex(gcm_aad), n), hex(gcm_ct)),
            VS_E_CRYPTO);
}

static void gcm_takes_empty_plaintext_and_aad(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf ct = VS_BUF(16), pt = VS_BUF(0);
    const uint8_t zero[32] = {0};
    assert_vs_ok(vs_gcm_seal(zero, zero, nothing, nothing, &ct, &err), &err);
    assert_span_eq(vs_buf_span(&ct), hex("530f8afbc74536b9a963b4f1c4cb738b")); /* test case 13 */
    assert_vs_ok(vs_gcm_open(zero, zero, nothing, vs_buf_span(&ct), &pt, &err), &err);
    assert_int_equal(pt.n, 0);
}

static void gcm_output_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf small = VS_BUF(20), tiny = VS_BUF(3);
    assert_vs_code(vs_gcm_seal(hex(gcm_key).p, hex(gcm_iv).p, nothing, hex(gcm_pt), &small, &err),
                   VS_E_NOMEM);
    assert_vs_code(
        vs_gcm_open(hex(gcm_key).p, hex(gcm_iv).p, hex(gcm_aad), hex(gcm_ct), &tiny, &err),
        VS_E_NOMEM);
    assert_vs_code(vs_gcm_seal(hex(gcm_key).p, hex(gcm_iv).p, vs_span_of(gcm_iv, (size_t)INT32_MAX),
                               nothing, &tiny, &err),
                   VS_E_LIMIT);
}

/* ---- AES key wrap: RFC 3394 section 4 ------------------------------------------------------- */

static const char *const kek = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
static const struct {
    const char *key, *wrapped;
} kw[] = {
    {"00112233445566778899aabbccddeeff",
     "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"}, /* 4.3 */
    {"00112233445566778899aabbccddeeff0001020304050607",
     "a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1"}, /* 4.5 */
    {"00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
     "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"}, /* 4.6 */
};

static void key_wrap_gives_the_values_of_rfc_3394(void **state)
{
    (void)state;
    for (size_t i = 0; i < VS_COUNT(kw); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf wrapped = VS_BUF(40), key = VS_BUF(32);
        assert_vs_ok(vs_kw_wrap(hex(kek).p, hex(kw[i].key), &wrapped, &err), &err);
        assert_span_eq(vs_buf_span(&wrapped), hex(kw[i].wrapped));
        assert_vs_ok(vs_kw_unwrap(hex(kek).p, hex(kw[i].wrapped), &key, &err), &err);
        assert_span_eq(vs_buf_span(&key), hex(kw[i].key));
    }
}

static void every_flipped_bit_and_truncation_fails_unwrapping(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf key = VS_BUF(40);
    vs_span good = hex(kw[2].wrapped);
    uint8_t *p = copy_of(good);
    for (size_t bit = 0; bit < good.n * 8; bit++) {
        flip(p, bit);
        assert_vs_code(vs_kw_unwrap(hex(kek).p, vs_span_of(p, good.n), &key, &err), VS_E_CRYPTO);
        flip(p, bit);
    }
    for (size_t n = 0; n < good.n; n++)
        assert_vs_code(vs_kw_unwrap(hex(kek).p, vs_span_of(p, n), &key, &err), VS_E_CRYPTO);
    assert_int_equal(key.n, 0);
}

static void keys_that_cannot_be_wrapped_are_refused(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(8192);
    const uint8_t bytes[5000] = {0};
    static const size_t bad[] = {0, 8, 15, 17, 31, 33, 5000};
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_vs_code(vs_kw_wrap(bytes, vs_span_of(bytes, bad[i]), &out, &err), VS_E_INVALID);
    assert_int_equal(out.n, 0);
}

/* ---- RSA-OAEP ------------------------------------------------------------------------------- */

static vs_key *rsa, *other_rsa;

static int make_rsa(void **state)
{
    (void)state;
    rsa = fresh_key(VS_KEY_RSA);
    other_rsa = fresh_key(VS_KEY_RSA);
    return 0;
}

static int free_rsa(void **state)
{
    (void)state;
    vs_key_free(&rsa);
    vs_key_free(&other_rsa);
    return 0;
}

static void oaep_gives_back_what_was_encrypted(void **state)
{
    (void)state;
    const uint8_t bytes[400] = {1, 2, 3};
    static const size_t sizes[] = {0, 1, 32, 384 - 66};
    for (size_t i = 0; i < VS_COUNT(sizes); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf ct = VS_BUF(400), pt = VS_BUF(400);
        assert_vs_ok(vs_oaep256_encrypt(rsa, vs_span_of(bytes, sizes[i]), &ct, &err), &err);
        assert_int_equal(ct.n, 384);
        assert_vs_ok(vs_oaep256_decrypt(rsa, vs_buf_span(&ct), &pt, &err), &err);
        assert_span_eq(vs_buf_span(&pt), vs_span_of(bytes, sizes[i]));
    }
    VS_CLEANUP(vs_buf_free) vs_buf ct = VS_BUF(400);
    assert_vs_code(vs_oaep256_encrypt(rsa, vs_span_of(bytes, 384 - 65), &ct, &err), VS_E_INVALID);
}

static void oaep_failures_all_look_the_same(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf ct = VS_BUF(400), pt = VS_BUF(400);
    assert_vs_ok(vs_oaep256_encrypt(rsa, VS_LIT("secret"), &ct, &err), &err);
    char first[VS_ERROR_TEXT], text[VS_ERROR_TEXT];
    assert_vs_code(vs_oaep256_decrypt(other_rsa, vs_buf_span(&ct), &pt, &err), VS_E_CRYPTO);
    vs_error_text(&err, first, sizeof first);
    for (size_t byte = 0; byte < ct.n; byte += 7) {
        flip(ct.p, byte * 8);
        assert_vs_code(vs_oaep256_decrypt(rsa, vs_buf_span(&ct), &pt, &err), VS_E_CRYPTO);
        assert_string_equal(vs_error_text(&err, text, sizeof text), first);
        flip(ct.p, byte * 8);
    }
    assert_vs_code(vs_oaep256_decrypt(rsa, vs_span_head(vs_buf_span(&ct), 383), &pt, &err),
                   VS_E_CRYPTO);
    assert_string_equal(vs_error_text(&err, text, sizeof text), first);
    assert_int_equal(pt.n, 0);
}

static void oaep_needs_an_rsa_key(void **state)
{
    (void)state;
    VS_CLEANUP(vs_key_free) vs_key *ec = fresh_key(VS_KEY_P256);
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(400);
    assert_vs_code(vs_oaep256_encrypt(ec, VS_LIT("x"), &out, &err), VS_E_INVALID);
    assert_vs_code(vs_oaep256_decrypt(ec, VS_LIT("x"), &out, &err), VS_E_INVALID);
}

/* ---- RSAES-PKCS1-v1_5 of a content key --------------------------------------------------------
 */

/* The bare RSA operation, so that a test may choose every byte of the padding. */
static vs_span raw_rsa(const vs_key *k, const uint8_t em[384])
{
    VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(1 << 14);
    assert_vs_ok(vs_key_to_pem(&pem, k, false, &err), &err);
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
    uint8_t out[384];
    size_t n = sizeof out;
    assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING), 1);
    assert_int_equal(EVP_PKEY_encrypt(ctx, out, &n, em, 384), 1);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    BIO_free(bio);
    return vs_dup(&arena, vs_span_of(out, n));
}

static void rsa15_gives_the_key_that_was_encrypted(void **state)
{
    (void)state;
    uint8_t key[32], out[32];
    memset(key, 7, sizeof key);
    VS_CLEANUP(vs_buf_free) vs_buf ct = VS_BUF(400);
    assert_vs_ok(vs_rsa15_encrypt(rsa, vs_span_of(key, 32), &ct, &err), &err);
    assert_vs_ok(vs_rsa15_decrypt_key(rsa, vs_buf_span(&ct), out, 32, &err), &err);
    assert_memory_equal(out, key, 32);
    VS_CLEANUP(vs_key_free) vs_key *ec = fresh_key(VS_KEY_P256);
    assert_vs_code(vs_rsa15_decrypt_key(ec, vs_buf_span(&ct), out, 32, &err), VS_E_INVALID);
    assert_vs_code(vs_rsa15_decrypt_key(rsa, vs_buf_span(&ct), out, 0, &err), VS_E_INVALID);
    assert_vs_code(vs_rsa15_decrypt_key(rsa, vs_buf_span(&ct), out, 65, &err), VS_E_INVALID);
}

/* Bleichenbacher's question: is this padding right? The answer is always the same. */
static void rsa15_does_not_tell_a_wrong_padding_from_a_right_one(void **state)
{
    (void)state;
    enum { END = 384 - 32 - 1 };
    static const struct {
        size_t at;
        uint8_t value;
    } wrong[] = {{1, 1}, {1, 0}, {2, 0}, {10, 0}, {END - 1, 0}, {END, 9}, {END, 0xff}, {0, 1}};
    uint8_t em[384], out[32], again[32];
    for (size_t i = 0; i <= VS_COUNT(wrong); i++) {
        memset(em, 0x55, sizeof em);
        em[0] = 0;
        em[1] = 2;
        em[END] = 0;
        if (i < VS_COUNT(wrong))
            em[wrong[i].at] = wrong[i].value;
        vs_span ct = raw_rsa(rsa, em);
        assert_vs_ok(vs_rsa15_decrypt_key(rsa, ct, out, 32, &err), &err);
        assert_vs_ok(vs_rsa15_decrypt_key(rsa, ct, again, 32, &err), &err);
        bool right = i == VS_COUNT(wrong);
        assert_true((memcmp(out, em + END + 1, 32) == 0) == right);
        assert_true((memcmp(out, again, 32) == 0) == right); /* else random */
    }
    memset(em, 0xff, sizeof em); /* not below the modulus: everybody sees that */
    assert_vs_code(vs_rsa15_decrypt_key(rsa, vs_span_of(em, 384), out, 32, &err), VS_E_CRYPTO);
    assert_vs_code(vs_rsa15_decrypt_key(rsa, vs_span_of(em, 383), again, 32, &err), VS_E_CRYPTO);
    assert_memory_not_equal(out, again, 32);
}

/* ---- ECDH ----------------------------------------------------------------------------------- */

static void ecdh_agrees_on_z_of_full_length(void **state)
{
    (void)state;
    static const size_t field[] = {[VS_KEY_P256] = 32, [VS_KEY_P384] = 48, [VS_KEY_P521] = 66};
    for (vs_key_type t = VS_KEY_P256; t <= VS_KEY_P521; t++)
        for (int round = 0; round < (t == VS_KEY_P521 ? 30 : 5); round++) {
            VS_CLEANUP(vs_key_free) vs_key *a = fresh_key(t), *b = fresh_key(t);
            VS_CLEANUP(vs_buf_free) vs_buf z1 = VS_BUF(66), z2 = VS_BUF(66);
            assert_vs_ok(vs_ecdh(a, b, &z1, &err), &err);
            assert_vs_ok(vs_ecdh(b, a, &z2, &err), &err);
            assert_int_equal(z1.n, field[t]);
            assert_span_eq(vs_buf_span(&z1), vs_buf_span(&z2));
        }
}

static void ecdh_gives_z_of_rfc_7518_appendix_c(void **state)
{
    (void)state;
    VS_CLEANUP(vs_key_free)
    vs_key *alice = key_of(json("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
                                "\"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0\","
                                "\"y\":\"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps\","
                                "\"d\":\"0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo\"}"),
                           true);
    VS_CLEANUP(vs_key_free)
    vs_key *bob = key_of(json("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
                              "\"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ\","
                              "\"y\":\"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck\"}"),
                         false);
    VS_CLEANUP(vs_buf_free) vs_buf z = VS_BUF(66);
    assert_vs_ok(vs_ecdh(alice, bob, &z, &err), &err);
    assert_span_eq(vs_buf_span(&z),
                   hex("9e56d91d817135d372834283bf84269cfb316ea3da806a48f6daa7798cfe90c4"));
    assert_vs_code(vs_ecdh(bob, alice, &z, &err), VS_E_INVALID); /* bob is public here */
}

static void ecdh_needs_one_curve(void **state)
{
    (void)state;
    VS_CLEANUP(vs_key_free) vs_key *a = fresh_key(VS_KEY_P256), *b = fresh_key(VS_KEY_P384);
    VS_CLEANUP(vs_key_free) vs_key *ed = fresh_key(VS_KEY_ED25519);
    VS_CLEANUP(vs_buf_free) vs_buf z = VS_BUF(66);
    assert_vs_code(vs_ecdh(a, b, &z, &err), VS_E_INVALID);
    assert_vs_code(vs_ecdh(a, ed, &z, &err), VS_E_INVALID);
    assert_vs_code(vs_ecdh(ed, ed, &z, &err), VS_E_INVALID);
    assert_vs_code(vs_ecdh(rsa, rsa, &z, &err), VS_E_INVALID);
}

/* ---- AES-256-XTS: IEEE 1619-2007, vector 10 -------------------------------------------------- */

static void xts_gives_the_published_ciphertext(void **state)
{
    (void)state;
    vs_span key = hex("2718281828459045235360287471352662497757247093699959574966967627"
                      "3141592653589793238462643383279502884197169399375105820974944592");
    const uint8_t tweak[16] = {0xff};
    uint8_t unit[512];
    for (size_t i = 0; i < sizeof unit; i++)
        unit[i] = (uint8_t)i;
    assert_vs_ok(vs_xts_encrypt(key.p, tweak, unit, sizeof unit, &err), &err);
    assert_span_eq(vs_span_of(unit, 32),
                   hex("1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b"));
    assert_vs_ok(vs_xts_decrypt(key.p, tweak, unit, sizeof unit, &err), &err);
    for (size_t i = 0; i < sizeof unit; i++)
        assert_int_equal(unit[i], (uint8_t)i);
    assert_vs_code(vs_xts_decrypt(key.p, tweak, unit, 15, &err), VS_E_INTERNAL);
    assert_vs_code(vs_xts_encrypt(copy_of(hex("0000000000000000000000000000000000000000000000000000"
                                              "0000000000000000000000000000000000000000000000000000"
                                              "000000000000000000000000")),
                                  tweak, unit, sizeof unit, &err),
                   VS_E_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_arena(gcm_gives_the_published_ciphertext),
        in_arena(every_flipped_bit_fails_gcm_and_gives_no_plaintext),
        in_arena(every_truncation_fails_gcm),
        in_arena(gcm_takes_empty_plaintext_and_aad),
        in_arena(gcm_output_that_does_not_fit_is_refused),
        in_arena(key_wrap_gives_the_values_of_rfc_3394),
        in_arena(every_flipped_bit_and_truncation_fails_unwrapping),
        in_arena(keys_that_cannot_be_wrapped_are_refused),
        in_arena(oaep_gives_back_what_was_encrypted),
        in_arena(oaep_failures_all_look_the_same),
        in_arena(oaep_needs_an_rsa_key),
        in_arena(rsa15_gives_the_key_that_was_encrypted),
        in_arena(rsa15_does_not_tell_a_wrong_padding_from_a_right_one),
        in_arena(ecdh_agrees_on_z_of_full_length),
        in_arena(ecdh_gives_z_of_rfc_7518_appendix_c),
        in_arena(xts_gives_the_published_ciphertext),
        in_arena(ecdh_needs_one_curve),
    };
    return cmocka_run_group_tests(tests, make_rsa, free_rsa);
}
