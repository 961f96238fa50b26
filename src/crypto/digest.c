/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/internal.h"

#include <stdio.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

static const struct {
    const char *iana;  /* named information hash algorithm registry, where it is there */
    const char *plain; /* the form without hyphen */
    size_t size;
    bool by_name; /* may be asked for by name */
} hashes[] = {
    [VS_HASH_NONE] = {"none", "none", 0, false},   [VS_SHA256] = {"sha-256", "sha256", 32, true},
    [VS_SHA384] = {"sha-384", "sha384", 48, true}, [VS_SHA512] = {"sha-512", "sha512", 64, true},
    [VS_SM3] = {"sm3", "sm3", 32, true},           [VS_SHA1] = {"sha-1", "sha1", 20, false},
    [VS_MD5] = {"md5", "md5", 16, false},
};

static bool known(vs_hash h)
{
    return h > VS_HASH_NONE && h < VS_COUNT(hashes);
}

size_t vs_hash_size(vs_hash h)
{
    return known(h) ? hashes[h].size : 0;
}

vs_hash vs_hash_of_name(vs_span name)
{
    for (vs_hash h = VS_SHA256; h < VS_COUNT(hashes); h++)
        if (hashes[h].by_name && (vs_span_ieq(name, vs_str(hashes[h].iana)) ||
                                  vs_span_ieq(name, vs_str(hashes[h].plain))))
            return h;
    return VS_HASH_NONE;
}

const char *vs_hash_name(vs_hash h)
{
    return hashes[known(h) ? h : VS_HASH_NONE].iana;
}

static const EVP_MD *method(vs_hash h, vs_error *err)
{
    const EVP_MD *md = known(h) ? vs_crypto_methods()->md[h] : NULL;
    if (!md)
        (void)vs_fail(err, VS_E_UNSUPPORTED, "digest %s is not available", vs_hash_name(h));
    return md;
}

/* ---- in pieces: a hasher is OpenSSL's context -------------------------------------------------
 */

static EVP_MD_CTX *context(vs_hasher *s)
{
    return (EVP_MD_CTX *)s;
}

void vs_hasher_free(vs_hasher **s)
{
    EVP_MD_CTX_free(context(*s));
    *s = NULL;
}

vs_code vs_hasher_new(vs_hash h, vs_hasher **out, vs_error *err)
{
    const EVP_MD *md = method(h, err);
    *out = NULL;
    if (!md)
        return VS_E_UNSUPPORTED;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx)
        return vs_fail(err, VS_E_NOMEM, "out of memory for a digest");
    *out = (vs_hasher *)ctx;
    if (EVP_DigestInit_ex2(ctx, md, NULL))
        return VS_OK;
    vs_hasher_free(out);
    return vs_ossl_fail(err, VS_E_INTERNAL, "computing a digest");
}

vs_code vs_hasher_add(vs_hasher *s, vs_span bytes, vs_error *err)
{
    if (bytes.n && !EVP_DigestUpdate(context(s), bytes.p, bytes.n))
        return vs_ossl_fail(err, VS_E_INTERNAL, "computing a digest");
    return VS_OK;
}

vs_code vs_hasher_end(vs_hasher *s, uint8_t out[VS_HASH_MAX], vs_error *err)
{
    if (!EVP_DigestFinal_ex(context(s), out, NULL))
        return vs_ossl_fail(err, VS_E_INTERNAL, "computing a digest");
    return VS_OK;
}

/* ---- at once ----------------------------------------------------------------------------------
 */

vs_code vs_digest(vs_hash h, vs_span a, vs_span b, vs_span c, uint8_t out[VS_HASH_MAX],
                  vs_error *err)
{
    return vs_digest_parts(h, (vs_span[]){a, b, c}, 3, out, err);
}

vs_code vs_digest_parts(vs_hash h, const vs_span *parts, size_t n, uint8_t out[VS_HASH_MAX],
                        vs_error *err)
{
    VS_CLEANUP(vs_hasher_free) vs_hasher *s = NULL;
    VS_TRY(vs_hasher_new(h, &s, err));
    for (size_t i = 0; i < n; i++)
        VS_TRY(vs_hasher_add(s, parts[i], err));
    return vs_hasher_end(s, out, err);
}

static void free_mac_ctx(EVP_MAC_CTX **c)
{
    EVP_MAC_CTX_free(*c);
}

vs_code vs_hmac(vs_hash h, vs_span key, vs_span data, uint8_t out[VS_HASH_MAX], vs_error *err)
{
    const EVP_MD *md = method(h, err);
    if (!md)
        return VS_E_UNSUPPORTED;
    VS_CLEANUP(free_mac_ctx) EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(vs_crypto_methods()->hmac);
    if (!ctx)
        return vs_ossl_fail(err, VS_E_NOMEM, "preparing an HMAC");
    char name[32]; /* the parameter wants a char * it does not write to */
    (void)snprintf(name, sizeof name, "%s", EVP_MD_get0_name(md));
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                           OSSL_PARAM_construct_end()};
    const uint8_t *key_p = key.n ? key.p : (const uint8_t *)""; /* NULL would mean "keep the key" */
    const uint8_t *data_p = data.n ? data.p : (const uint8_t *)"";
    if (!EVP_MAC_init(ctx, key_p, key.n, params) || !EVP_MAC_update(ctx, data_p, data.n) ||
        !EVP_MAC_final(ctx, out, NULL, VS_HASH_MAX))
        return vs_ossl_fail(err, VS_E_INTERNAL, "computing an HMAC");
    return VS_OK;
}

vs_code vs_pbkdf2(vs_hash h, vs_span password, vs_span salt, uint32_t iterations, uint8_t *out,
                  size_t n, vs_error *err)
{
    const EVP_MD *md = method(h, err);
    if (!md)
        return VS_E_UNSUPPORTED;
    if (password.n > INT32_MAX || salt.n > INT32_MAX || n > INT32_MAX || iterations > INT32_MAX)
        return vs_fail(err, VS_E_LIMIT, "PBKDF2 counts to 2^31");
    if (iterations == 0 || n == 0)
        return vs_fail(err, VS_E_INVALID, "PBKDF2 of no iterations, or of no bytes");
    const char *password_p = password.n ? (const char *)password.p : ""; /* NULL: unspecified */
    if (PKCS5_PBKDF2_HMAC(password_p, (int)password.n, salt.p, (int)salt.n, (int)iterations, md,
                          (int)n, out) != 1)
        return vs_ossl_fail(err, VS_E_INTERNAL, "PBKDF2");
    return VS_OK;
}
