/* SPDX-License-Identifier: Apache-2.0 */
/* AES-256-GCM (NIST SP 800-38D), AES-256-CTR (SP 800-38A), AES-256-XTS (SP 800-38E) and AES-256 key
 * wrap (RFC 3394). */
#include "crypto/internal.h"

#include <openssl/err.h>

enum { TAG = 16, SEMIBLOCK = 8, WRAP_MAX = 4096 };

static void free_cipher(EVP_CIPHER_CTX **c)
{
    EVP_CIPHER_CTX_free(*c); /* wipes the key schedule */
}

/* EVP counts in int. */
static vs_code check_len(vs_span a, vs_span b, vs_error *err)
{
    if (a.n > INT32_MAX - TAG || b.n > INT32_MAX - TAG)
        return vs_fail(err, VS_E_LIMIT, "more than 2 GiB in one encryption");
    return VS_OK;
}

/* NULL input with length 0 would be taken as "final". */
static const uint8_t *bytes(vs_span s)
{
    return s.n ? s.p : (const uint8_t *)"";
}

vs_code vs_gcm_seal(const uint8_t key[32], const uint8_t iv[12], vs_span aad, vs_span pt,
                    vs_buf *ct_tag, vs_error *err)
{
    VS_TRY(check_len(aad, pt, err));
    uint8_t *out = vs_buf_reserve(ct_tag, pt.n + TAG);
    if (!out)
        return vs_buf_check(ct_tag, err);
    VS_CLEANUP(free_cipher) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0;
    if (!ctx || !EVP_EncryptInit_ex2(ctx, vs_crypto_methods()->gcm, key, iv, NULL) ||
        !EVP_EncryptUpdate(ctx, NULL, &n, bytes(aad), (int)aad.n) ||
        !EVP_EncryptUpdate(ctx, out, &n, bytes(pt), (int)pt.n) ||
        !EVP_EncryptFinal_ex(ctx, out + pt.n, &n) ||
        !EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, out + pt.n)) {
        vs_buf_truncate(ct_tag, ct_tag->n - pt.n - TAG);
        return vs_ossl_fail(err, VS_E_INTERNAL, "encrypting");
    }
    return VS_OK;
}

vs_code vs_gcm_open(const uint8_t key[32], const uint8_t iv[12], vs_span aad, vs_span ct_tag,
                    vs_buf *pt, vs_error *err)
{
    VS_TRY(check_len(aad, ct_tag, err));
    if (ct_tag.n < TAG)
        return vs_fail(err, VS_E_CRYPTO, "decryption failed");
    vs_span ct = vs_span_head(ct_tag, ct_tag.n - TAG);
    uint8_t tag[TAG]; /* OpenSSL's parameter is not const */
    memcpy(tag, ct_tag.p + ct.n, TAG);
    uint8_t *out = vs_buf_reserve(pt, ct.n);
    if (!out)
        return vs_buf_check(pt, err);
    VS_CLEANUP(free_cipher) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0;
    if (!ctx || !EVP_DecryptInit_ex2(ctx, vs_crypto_methods()->gcm, key, iv, NULL) ||
        !EVP_DecryptUpdate(ctx, NULL, &n, bytes(aad), (int)aad.n) ||
        !EVP_DecryptUpdate(ctx, out, &n, bytes(ct), (int)ct.n) ||
        !EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, tag) ||
        !EVP_DecryptFinal_ex(ctx, out + ct.n, &n)) {
        vs_buf_truncate(pt, pt->n - ct.n);
        ERR_clear_error();
        return vs_fail(err, VS_E_CRYPTO, "decryption failed");
    }
    return VS_OK;
}

vs_code vs_ctr_crypt(const uint8_t key[32], const uint8_t counter[16], vs_span in, vs_buf *out,
                     vs_error *err)
{
    VS_TRY(check_len(in, in, err));
    uint8_t *at = vs_buf_reserve(out, in.n);
    if (!at)
        return vs_buf_check(out, err);
    VS_CLEANUP(free_cipher) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0;
    if (!ctx || !EVP_EncryptInit_ex2(ctx, vs_crypto_methods()->ctr, key, counter, NULL) ||
        !EVP_EncryptUpdate(ctx, at, &n, bytes(in), (int)in.n)) {
        vs_buf_truncate(out, out->n - in.n);
        return vs_ossl_fail(err, VS_E_INTERNAL, "AES-CTR");
    }
    return VS_OK;
}

static vs_code xts(const uint8_t key[64], const uint8_t tweak[16], uint8_t *unit, size_t n,
                   int encrypt, vs_error *err)
{
    VS_CLEANUP(free_cipher) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int done = 0;
    VS_TRY(check_len(vs_span_of(unit, n), (vs_span){0}, err));
    if (!ctx || !EVP_CipherInit_ex2(ctx, vs_crypto_methods()->xts, key, tweak, encrypt, NULL) ||
        !EVP_CipherUpdate(ctx, unit, &done, unit, (int)n) || (size_t)done != n)
        return vs_ossl_fail(err, VS_E_INTERNAL, "AES-XTS");
    return VS_OK;
}

vs_code vs_xts_encrypt(const uint8_t key[64], const uint8_t tweak[16], uint8_t *unit, size_t n,
                       vs_error *err)
{
    return xts(key, tweak, unit, n, 1, err);
}

vs_code vs_xts_decrypt(const uint8_t key[64], const uint8_t tweak[16], uint8_t *unit, size_t n,
                       vs_error *err)
{
    return xts(key, tweak, unit, n, 0, err);
}

static bool wrap_init(EVP_CIPHER_CTX *ctx, const uint8_t kek[32], int encrypt)
{
    if (!ctx)
        return false;
    EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    return EVP_CipherInit_ex2(ctx, vs_crypto_methods()->wrap, kek, NULL, encrypt, NULL) == 1;
}

vs_code vs_kw_wrap(const uint8_t kek[32], vs_span key, vs_buf *out, vs_error *err)
{
    if (key.n < 2 * SEMIBLOCK || key.n % SEMIBLOCK || key.n > WRAP_MAX)
        return vs_fail(err, VS_E_INVALID, "a key of %zu bytes cannot be wrapped", key.n);
    size_t n = key.n + SEMIBLOCK;
    uint8_t *at = vs_buf_reserve(out, n);
    if (!at)
        return vs_buf_check(out, err);
    VS_CLEANUP(free_cipher) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int done = 0;
    if (!wrap_init(ctx, kek, 1) || EVP_CipherUpdate(ctx, at, &done, key.p, (int)key.n) != 1 ||
        (size_t)done != n) {
        vs_buf_truncate(out, out->n - n);
        return vs_ossl_fail(err, VS_E_INTERNAL, "wrapping a key");
    }
    return VS_OK;
}

vs_code vs_kw_unwrap(const uint8_t kek[32], vs_span wrapped, vs_buf *key, vs_error *err)
{
    if (wrapped.n < 3 * SEMIBLOCK || wrapped.n % SEMIBLOCK || wrapped.n > WRAP_MAX)
        return vs_fail(err, VS_E_CRYPTO, "key unwrap failed");
    /* OpenSSL writes no more than the input's length while it works. */
    VS_CLEANUP(vs_buf_free) vs_buf work = VS_BUF(WRAP_MAX);
    uint8_t *at = vs_buf_reserve(&work, wrapped.n);
    if (!at)
        return vs_buf_check(&work, err);
    VS_CLEANUP(free_cipher) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int done = 0;
    if (!wrap_init(ctx, kek, 0) ||
        EVP_CipherUpdate(ctx, at, &done, wrapped.p, (int)wrapped.n) != 1 ||
        (size_t)done != wrapped.n - SEMIBLOCK) {
        ERR_clear_error();
        return vs_fail(err, VS_E_CRYPTO, "key unwrap failed");
    }
    vs_buf_put(key, vs_span_of(at, (size_t)done));
    return vs_buf_check(key, err);
}
