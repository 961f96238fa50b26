/* SPDX-License-Identifier: Apache-2.0 */
/* Key transport and key agreement: RSAES-OAEP and ECDH. */
#include "crypto/internal.h"

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
