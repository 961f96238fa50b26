/* SPDX-License-Identifier: Apache-2.0 */
/* Key transport and key agreement: RSAES-OAEP, RSAES-PKCS1-v1_5 and ECDH. */
#include "crypto/internal.h"

#include "base/io.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

static bool oaep_setup(EVP_PKEY_CTX *ctx)
{
    const EVP_MD *md = vs_crypto_methods()->md[VS_SHA256];
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) == 1 && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1;
}

static bool pkcs1_setup(EVP_PKEY_CTX *ctx)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
}

/* `overhead`: bytes of the modulus that the padding takes at least. */
static vs_code rsa_encrypt(const vs_key *k, const char *what, bool (*setup)(EVP_PKEY_CTX *ctx),
                           size_t overhead, vs_span pt, vs_buf *out, vs_error *err)
{
    if (k->type != VS_KEY_RSA)
        return vs_fail(err, VS_E_INVALID, "%s needs an RSA key", what);
    size_t n = (size_t)EVP_PKEY_get_size(k->pkey);
    if (pt.n > n - overhead)
        return vs_fail(err, VS_E_INVALID, "%zu bytes are too many for %s with this key", pt.n,
                       what);
    uint8_t *at = vs_buf_reserve(out, n);
    if (!at)
        return vs_buf_check(out, err);
    size_t done = n;
    VS_CLEANUP(vs_free_pkey_ctx)
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
    if (!ctx || EVP_PKEY_encrypt_init(ctx) != 1 || !setup(ctx) ||
        EVP_PKEY_encrypt(ctx, at, &done, pt.n ? pt.p : (const uint8_t *)"", pt.n) != 1) {
        vs_buf_truncate(out, out->n - n);
        return vs_ossl_fail(err, VS_E_INTERNAL, what);
    }
    return VS_OK;
}

vs_code vs_oaep256_encrypt(const vs_key *k, vs_span pt, vs_buf *out, vs_error *err)
{
    return rsa_encrypt(k, "RSA-OAEP", oaep_setup, 2 * 32 + 2, pt, out, err);
}

vs_code vs_rsa15_encrypt(const vs_key *k, vs_span pt, vs_buf *out, vs_error *err)
{
    return rsa_encrypt(k, "RSA1_5", pkcs1_setup, 11, pt, out, err);
}

vs_code vs_oaep256_decrypt(const vs_key *k, vs_span ct, vs_buf *out, vs_error *err)
{
    if (k->type != VS_KEY_RSA || !k->is_private)
        return vs_fail(err, VS_E_INVALID, "RSA-OAEP needs a private RSA key");
    size_t n = (size_t)EVP_PKEY_get_size(k->pkey);
    VS_CLEANUP(vs_buf_free) vs_buf work = VS_BUF(n);
    uint8_t *at = vs_buf_reserve(&work, n);
    if (!at)
        return vs_buf_check(&work, err);
    VS_CLEANUP(vs_free_pkey_ctx)
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
    if (!ctx || EVP_PKEY_decrypt_init(ctx) != 1 || !oaep_setup(ctx))
        return vs_ossl_fail(err, VS_E_INTERNAL, "preparing RSA-OAEP");
    if (ct.n != n || EVP_PKEY_decrypt(ctx, at, &n, ct.p, ct.n) != 1) {
        ERR_clear_error(); /* why it failed is the padding oracle */
        return vs_fail(err, VS_E_CRYPTO, "decryption failed");
    }
    vs_buf_put(out, vs_span_of(at, n));
    return vs_buf_check(out, err);
}

/* ---- RSAES-PKCS1-v1_5, undone without telling whether it was right -----------------------------
 */

/* The compiler must not make a branch of it. */
static uint8_t hidden(uint8_t mask)
{
    __asm__("" : "+r"(mask));
    return mask;
}

/* 0xff for 0, else 0. */
static uint8_t is_zero(uint8_t x)
{
    return (uint8_t)(((uint32_t)x - 1) >> 8);
}

/* em = 00 02 PS 00 KEY, all of PS other than 0 (RFC 8017 7.2.2), and KEY of the length that is
 * expected: its place is known, so nothing is searched for. */
static void take_key(const uint8_t *em, size_t em_n, uint8_t *key, size_t n)
{
    size_t end = em_n - n - 1;
    uint8_t wrong = (uint8_t)(em[0] | (em[1] ^ 2) | em[end]);
    for (size_t i = 2; i < end; i++)
        wrong |= is_zero(em[i]);
    uint8_t right = hidden(is_zero(wrong));
    for (size_t i = 0; i < n; i++)
        key[i] = (uint8_t)((em[end + 1 + i] & right) | (key[i] & (uint8_t)~right));
}

vs_code vs_rsa15_decrypt_key(const vs_key *k, vs_span ct, uint8_t *out, size_t n, vs_error *err)
{
    uint8_t em[VS_RSA_MAX];
    if (k->type != VS_KEY_RSA || !k->is_private || n == 0 || n > VS_HASH_MAX)
        return vs_fail(err, VS_E_INVALID, "RSA1_5 needs a private RSA key");
    vs_random(out, n);
    size_t em_n = (size_t)EVP_PKEY_get_size(k->pkey), got = em_n;
    VS_CLEANUP(vs_free_pkey_ctx)
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
    if (em_n > sizeof em || !ctx || EVP_PKEY_decrypt_init(ctx) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) != 1)
        return vs_ossl_fail(err, VS_E_INTERNAL, "preparing RSA1_5");
    bool done = ct.n == em_n && EVP_PKEY_decrypt(ctx, em, &got, ct.p, ct.n) == 1 && got == em_n;
    if (done)
        take_key(em, em_n, out, n);
    vs_wipe(em, sizeof em);
    ERR_clear_error();
    return done ? VS_OK : vs_fail(err, VS_E_CRYPTO, "decryption failed");
}

vs_code vs_ecdh(const vs_key *own_private, const vs_key *peer, vs_buf *z, vs_error *err)
{
    if (!vs_type_is_ec(own_private->type) || own_private->type != peer->type ||
        !own_private->is_private)
        return vs_fail(err, VS_E_INVALID, "ECDH needs a private and a public key on one curve");
    size_t field = vs_key_info(own_private->type)->field, n = field;
    uint8_t *at = vs_buf_reserve(z, field);
    if (!at)
        return vs_buf_check(z, err);
    VS_CLEANUP(vs_free_pkey_ctx)
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own_private->pkey, NULL);
    /* No second validation of the peer: import has put it on the curve, and the cofactor is 1. */
    if (!ctx || EVP_PKEY_derive_init(ctx) != 1 ||
        EVP_PKEY_derive_set_peer_ex(ctx, peer->pkey, 0) != 1 || EVP_PKEY_derive(ctx, at, &n) != 1 ||
        n != field) {
        vs_buf_truncate(z, z->n - field);
        return vs_ossl_fail(err, VS_E_CRYPTO, "key agreement failed");
    }
    return VS_OK;
}
