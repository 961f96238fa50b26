/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's methods, the algorithm and key type tables, and its errors in our words. */
#include "crypto/internal.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>

static vs_methods methods;
static CRYPTO_ONCE methods_once = CRYPTO_ONCE_STATIC_INIT;

static EVP_PKEY *make_group(vs_key_type type)
{
    char name[16];
    EVP_PKEY *group = NULL;
    VS_CLEANUP(vs_free_pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    (void)snprintf(name, sizeof name, "%s", vs_key_info(type)->ossl_group);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0),
                           OSSL_PARAM_construct_end()};
    if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &group, EVP_PKEY_KEY_PARAMETERS, params) != 1)
        return NULL;
    return group;
}

static void fetch_methods(void)
{
    static const char *const names[VS_MD5 + 1] = {
        [VS_SHA256] = "SHA256", [VS_SHA384] = "SHA384", [VS_SHA512] = "SHA512",
        [VS_SM3] = "SM3",       [VS_SHA1] = "SHA1",     [VS_MD5] = "MD5",
    };
    for (size_t h = VS_SHA256; h < VS_COUNT(names); h++)
        methods.md[h] = EVP_MD_fetch(NULL, names[h], NULL);
    methods.gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    methods.ctr = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
    methods.wrap = EVP_CIPHER_fetch(NULL, "AES-256-WRAP", NULL);
    methods.xts = EVP_CIPHER_fetch(NULL, "AES-256-XTS", NULL);
    methods.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    for (int t = 0; t < VS_KEY_TYPES; t++)
        if (vs_type_is_ec((vs_key_type)t))
            methods.group[t] = make_group((vs_key_type)t);
    ERR_clear_error();
}

const vs_methods *vs_crypto_methods(void)
{
    (void)CRYPTO_THREAD_run_once(&methods_once, fetch_methods);
    return &methods;
}

vs_code vs_ossl_fail(vs_error *err, vs_code code, const char *what)
{
    unsigned long e = ERR_peek_error();
    const char *reason = e ? ERR_reason_error_string(e) : NULL;
    if (e && ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE)
        code = VS_E_NOMEM;
    ERR_clear_error();
    return vs_fail(err, code, "%s%s%s", what, reason ? ": " : "", reason ? reason : "");
}

/* RFC 7518 section 3.1, RFC 8037, RFC 9053 section 2, RFC 8812 section 2. */
static const vs_alg_info algs[] = {
    [VS_ES256] = {"ES256", -7, VS_FAM_ECDSA, VS_SHA256, VS_KEY_P256},
    [VS_ES384] = {"ES384", -35, VS_FAM_ECDSA, VS_SHA384, VS_KEY_P384},
    [VS_ES512] = {"ES512", -36, VS_FAM_ECDSA, VS_SHA512, VS_KEY_P521},
    [VS_RS256] = {"RS256", -257, VS_FAM_PKCS1, VS_SHA256, VS_KEY_RSA},
    [VS_RS384] = {"RS384", -258, VS_FAM_PKCS1, VS_SHA384, VS_KEY_RSA},
    [VS_RS512] = {"RS512", -259, VS_FAM_PKCS1, VS_SHA512, VS_KEY_RSA},
    [VS_PS256] = {"PS256", -37, VS_FAM_PSS, VS_SHA256, VS_KEY_RSA},
    [VS_PS384] = {"PS384", -38, VS_FAM_PSS, VS_SHA384, VS_KEY_RSA},
    [VS_PS512] = {"PS512", -39, VS_FAM_PSS, VS_SHA512, VS_KEY_RSA},
    [VS_EDDSA] = {"EdDSA", -8, VS_FAM_EDDSA, VS_HASH_NONE, VS_KEY_ED25519},
};

const vs_alg_info *vs_alg_lookup(vs_alg alg)
{
    return alg > VS_ALG_NONE && alg < VS_COUNT(algs) ? &algs[alg] : NULL;
}

vs_alg vs_alg_of_name(vs_span name)
{
    for (vs_alg a = VS_ES256; a < VS_COUNT(algs); a++)
        if (vs_span_is(name, algs[a].name))
            return a;
    return VS_ALG_NONE;
}

const char *vs_alg_name(vs_alg alg)
{
    const vs_alg_info *info = vs_alg_lookup(alg);
    return info ? info->name : "none";
}

vs_alg vs_alg_of_cose(int64_t id)
{
    for (vs_alg a = VS_ES256; a < VS_COUNT(algs); a++)
        if (algs[a].cose == id)
            return a;
    return VS_ALG_NONE;
}

int64_t vs_alg_to_cose(vs_alg alg)
{
    const vs_alg_info *info = vs_alg_lookup(alg);
    return info ? info->cose : 0;
}

const vs_type_info *vs_key_info(vs_key_type type)
{
    static const vs_type_info types[VS_KEY_TYPES] = {
        [VS_KEY_RSA] = {"RSA", NULL, "RSA", NULL, 0, 0, VS_RS256},
        [VS_KEY_P256] = {"EC", "P-256", "EC", "prime256v1", 1, 32, VS_ES256},
        [VS_KEY_P384] = {"EC", "P-384", "EC", "secp384r1", 2, 48, VS_ES384},
        [VS_KEY_P521] = {"EC", "P-521", "EC", "secp521r1", 3, 66, VS_ES512},
        [VS_KEY_ED25519] = {"OKP", "Ed25519", "ED25519", NULL, 6, 32, VS_EDDSA},
    };
    return &types[type];
}
