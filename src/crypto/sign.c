/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ecdsa.h"
#include "crypto/internal.h"

#include <openssl/rsa.h>

/* ---- RSA (RFC 7518 sections 3.3 and 3.5) ---------------------------------------------------- */

static bool rsa_setup(EVP_PKEY_CTX *ctx, const vs_alg_info *alg)
{
    const EVP_MD *md = vs_crypto_methods()->md[alg->hash];
    bool pss = alg->family == VS_FAM_PSS;
    if (!ctx ||
        EVP_PKEY_CTX_set_rsa_padding(ctx, pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) != 1 ||
        EVP_PKEY_CTX_set_signature_md(ctx, md) != 1)
        return false;
    return !pss || (EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1 &&
                    EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1);
}

static vs_code rsa_verify(const vs_key *k, const vs_alg_info *alg, vs_span digest, vs_span sig,
                          vs_error *err)
{
    VS_CLEANUP(vs_free_pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_dup(k->verify);
    if (!rsa_setup(ctx, alg))
        return vs_ossl_fail(err, VS_E_INTERNAL, "preparing an RSA verification");
    if (EVP_PKEY_verify(ctx, sig.p, sig.n, digest.p, digest.n) != 1)
        return vs_ossl_fail(err, VS_E_CRYPTO, "signature does not verify");
    return VS_OK;
}

static vs_code rsa_sign(const vs_key *k, const vs_alg_info *alg, vs_span digest, vs_buf *sig,
                        vs_error *err)
{
    VS_CLEANUP(vs_free_pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_dup(k->sign);
    if (!rsa_setup(ctx, alg))
        return vs_ossl_fail(err, VS_E_INTERNAL, "preparing an RSA signature");
    size_t n = (size_t)EVP_PKEY_get_size(k->pkey);
    uint8_t *out = vs_buf_reserve(sig, n);
    if (!out)
        return vs_buf_check(sig, err);
    if (EVP_PKEY_sign(ctx, out, &n, digest.p, digest.n) != 1)
        return vs_ossl_fail(err, VS_E_INTERNAL, "signing");
    return VS_OK;
}

/* ---- Ed25519 (RFC 8032: the message is needed in one piece) --------------------------------- */

static vs_code join(const vs_span *parts, size_t n, vs_buf *hold, vs_span *out, vs_error *err)
{
    if (n == 1) {
        *out = parts[0];
        return VS_OK;
    }
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        if (__builtin_add_overflow(total, parts[i].n, &total))
            return vs_fail(err, VS_E_LIMIT, "message is too long");
    hold->cap = total;
    for (size_t i = 0; i < n; i++)
        vs_buf_put(hold, parts[i]);
    *out = vs_buf_span(hold);
    return vs_buf_check(hold, err);
}

static vs_code ed_verify(const vs_key *k, const vs_span *parts, size_t n, vs_span sig,
                         vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf hold = VS_BUF(0);
    vs_span msg = {0};
    VS_TRY(join(parts, n, &hold, &msg, err));
    VS_CLEANUP(vs_free_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx || EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, k->pkey, NULL) != 1)
        return vs_ossl_fail(err, VS_E_INTERNAL, "preparing an Ed25519 verification");
    if (EVP_DigestVerify(ctx, sig.p, sig.n, msg.p, msg.n) != 1)
        return vs_ossl_fail(err, VS_E_CRYPTO, "signature does not verify");
    return VS_OK;
}

static vs_code ed_sign(const vs_key *k, const vs_span *parts, size_t n, vs_buf *sig, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf hold = VS_BUF(0);
    vs_span msg = {0};
    VS_TRY(join(parts, n, &hold, &msg, err));
    VS_CLEANUP(vs_free_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t len = 64;
    uint8_t *out = vs_buf_reserve(sig, len);
    if (!out)
        return vs_buf_check(sig, err);
    if (!ctx || EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, k->pkey, NULL) != 1 ||
        EVP_DigestSign(ctx, out, &len, msg.p, msg.n) != 1)
        return vs_ossl_fail(err, VS_E_INTERNAL, "signing");
    return VS_OK;
}

/* ---- all of them ---------------------------------------------------------------------------- */

static vs_code check_fit(const vs_key *k, vs_alg alg, vs_error *err)
{
    if (vs_key_fits(k, alg))
        return VS_OK;
    const vs_type_info *t = vs_key_info(k->type);
    return vs_fail(err, VS_E_INVALID, "algorithm %s cannot be used with a key of type %s",
                   vs_alg_name(alg), t->crv ? t->crv : t->kty);
}

vs_code vs_verify(const vs_key *k, vs_alg alg, const vs_span *parts, size_t n_parts, vs_span sig,
                  vs_error *err)
{
    VS_TRY(check_fit(k, alg, err));
    const vs_alg_info *info = vs_alg_lookup(alg);
    if (info->family == VS_FAM_EDDSA)
        return ed_verify(k, parts, n_parts, sig, err);
    uint8_t digest[VS_HASH_MAX];
    VS_TRY(vs_digest_parts(info->hash, parts, n_parts, digest, err));
    vs_span d = vs_span_of(digest, vs_hash_size(info->hash));
    if (info->family == VS_FAM_ECDSA)
        return vs_ecdsa_verify(k, d, sig, err);
    return rsa_verify(k, info, d, sig, err);
}

static vs_code sign_any(const vs_key *k, const vs_alg_info *info, const vs_span *parts, size_t n,
                        vs_buf *sig, vs_error *err)
{
    if (info->family == VS_FAM_EDDSA)
        return ed_sign(k, parts, n, sig, err);
    uint8_t digest[VS_HASH_MAX];
    VS_TRY(vs_digest_parts(info->hash, parts, n, digest, err));
    vs_span d = vs_span_of(digest, vs_hash_size(info->hash));
    if (info->family == VS_FAM_ECDSA)
        return vs_ecdsa_sign(k, d, sig, err);
    return rsa_sign(k, info, d, sig, err);
}

vs_code vs_sign(const vs_key *k, vs_alg alg, const vs_span *parts, size_t n_parts, vs_buf *sig,
                vs_error *err)
{
    VS_TRY(check_fit(k, alg, err));
    if (!k->is_private)
        return vs_fail(err, VS_E_INVALID, "a public key cannot sign");
    size_t start = sig->n;
    vs_code code = sign_any(k, vs_alg_lookup(alg), parts, n_parts, sig, err);
    if (code != VS_OK)
        vs_buf_truncate(sig, start);
    return code;
}
