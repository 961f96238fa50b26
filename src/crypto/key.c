/* SPDX-License-Identifier: Apache-2.0 */
/* A key's life and identity, and its import from raw parts. */
#include "crypto/internal.h"

#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

/* ---- life ----------------------------------------------------------------------------------- */

void vs_key_free(vs_key **k)
{
    if (!k || !*k)
        return;
    if (atomic_fetch_sub(&(*k)->owners, 1) == 1) {
        EVP_PKEY_CTX_free((*k)->verify);
        EVP_PKEY_CTX_free((*k)->sign);
        EVP_PKEY_free((*k)->pkey); /* OpenSSL wipes private parts */
        free(*k);
    }
    *k = NULL;
}

vs_key *vs_key_share(vs_key *k)
{
    (void)atomic_fetch_add(&k->owners, 1);
    return k;
}

static vs_code check_rsa(const EVP_PKEY *pkey, vs_error *err)
{
    VS_CLEANUP(vs_free_bn) BIGNUM *n = NULL;
    VS_CLEANUP(vs_free_bn) BIGNUM *e = NULL;
    if (!EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) ||
        !EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e))
        return vs_ossl_fail(err, VS_E_INVALID, "reading an RSA key");
    int bits = BN_num_bits(n);
    if (bits < VS_RSA_MIN_BITS || bits > VS_RSA_MAX_BITS)
        return vs_fail(err, VS_E_INVALID, "RSA key has %d bits, allowed are %d to %d", bits,
                       VS_RSA_MIN_BITS, VS_RSA_MAX_BITS);
    /* Over 64 bits only an attacker wants: each verification would cost as much as a signature. */
    if (!BN_is_odd(n) || !BN_is_odd(e) || BN_is_one(e) || BN_num_bits(e) > 64)
        return vs_fail(err, VS_E_INVALID, "RSA key has an even modulus or a bad public exponent");
    return VS_OK;
}

/* The uncompressed point, whatever form the key was decoded from. */
static vs_code read_point(vs_key *k, vs_error *err)
{
    size_t field = vs_key_info(k->type)->field;
    VS_CLEANUP(vs_free_bn) BIGNUM *x = NULL;
    VS_CLEANUP(vs_free_bn) BIGNUM *y = NULL;
    if (!EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_EC_PUB_X, &x) ||
        !EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &y) ||
        BN_bn2binpad(x, k->pub + 1, (int)field) < 0 ||
        BN_bn2binpad(y, k->pub + 1 + field, (int)field) < 0)
        return vs_ossl_fail(err, VS_E_INVALID, "reading an EC key's public point");
    k->pub[0] = 4;
    k->pub_n = 1 + 2 * field;
    return VS_OK;
}

static vs_code read_public(vs_key *k, vs_span known, vs_error *err)
{
    if (k->type == VS_KEY_RSA)
        return check_rsa(k->pkey, err);
    if (known.n) {
        memcpy(k->pub, known.p, known.n);
        k->pub_n = known.n;
        return VS_OK;
    }
    if (vs_type_is_ec(k->type))
        return read_point(k, err);
    k->pub_n = vs_key_info(k->type)->field;
    if (EVP_PKEY_get_raw_public_key(k->pkey, k->pub, &k->pub_n) != 1)
        return vs_ossl_fail(err, VS_E_INVALID, "reading an Ed25519 key");
    return VS_OK;
}

static vs_code make_templates(vs_key *k, vs_error *err)
{
    if (k->type == VS_KEY_ED25519)
        return VS_OK;
    k->verify = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
    bool ok = k->verify && EVP_PKEY_verify_init(k->verify) == 1;
    if (ok && k->is_private) {
        k->sign = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
        ok = k->sign && EVP_PKEY_sign_init(k->sign) == 1;
    }
    return ok ? VS_OK : vs_ossl_fail(err, VS_E_INTERNAL, "preparing a key");
}

vs_code vs_key_adopt(EVP_PKEY *pkey, vs_key_type type, bool is_private, vs_span pub, vs_key **out,
                     vs_error *err)
{
    VS_CLEANUP(vs_key_free) vs_key *k = calloc(1, sizeof *k);
    if (!k) {
        EVP_PKEY_free(pkey);
        return vs_fail(err, VS_E_NOMEM, "out of memory for a key");
    }
    k->owners = 1;
    k->pkey = pkey; /* transferred */
    k->type = type;
    k->is_private = is_private;
    VS_TRY(read_public(k, pub, err));
    VS_TRY(make_templates(k, err));
    *out = k;
    k = NULL;
    return VS_OK;
}

vs_code vs_key_generate(vs_key_type type, vs_key **out, vs_error *err)
{
    const vs_type_info *info = vs_key_info(type);
    EVP_PKEY *pkey = type == VS_KEY_RSA    ? EVP_RSA_gen(3072)
                     : vs_type_is_ec(type) ? EVP_EC_gen(info->crv)
                                           : EVP_PKEY_Q_keygen(NULL, NULL, info->ossl_type);
    if (!pkey)
        return vs_ossl_fail(err, VS_E_INTERNAL, "generating a key");
    return vs_key_adopt(pkey, type, true, (vs_span){NULL, 0}, out, err);
}

/* ---- identity ------------------------------------------------------------------------------- */

vs_key_type vs_key_kind(const vs_key *k)
{
    return k->type;
}

bool vs_key_is_private(const vs_key *k)
{
    return k->is_private;
}

bool vs_key_public_eq(const vs_key *a, const vs_key *b)
{
    if (a->type != b->type)
        return false;
    if (a->type == VS_KEY_RSA)
        return EVP_PKEY_eq(a->pkey, b->pkey) == 1;
    return vs_span_eq(vs_span_of(a->pub, a->pub_n), vs_span_of(b->pub, b->pub_n));
}

vs_alg vs_key_default_alg(const vs_key *k)
{
    return vs_key_info(k->type)->alg;
}

bool vs_key_fits(const vs_key *k, vs_alg alg)
{
    const vs_alg_info *info = vs_alg_lookup(alg);
    return info && info->type == k->type;
}

vs_code vs_key_point(const vs_key *k, uint8_t out[133], size_t *n, vs_error *err)
{
    if (!vs_type_is_ec(k->type))
        return vs_fail(err, VS_E_INVALID, "an %s key has no point", vs_key_info(k->type)->kty);
    memcpy(out, k->pub, k->pub_n);
    *n = k->pub_n;
    return VS_OK;
}

vs_code vs_pkey_type(const EVP_PKEY *pkey, vs_key_type *type, vs_error *err)
{
    char group[32] = "";
    if (EVP_PKEY_is_a(pkey, "EC")) {
        int explicit_curve = 0;
        (void)EVP_PKEY_get_int_param(pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                                     &explicit_curve);
        if (explicit_curve || !EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL))
            return vs_ossl_fail(err, VS_E_UNSUPPORTED, "EC key without a named curve");
    }
    for (int t = 0; t < VS_KEY_TYPES; t++) {
        const vs_type_info *info = vs_key_info((vs_key_type)t);
        if (EVP_PKEY_is_a(pkey, info->ossl_type) &&
            (!info->ossl_group || vs_span_is(vs_str(info->ossl_group), group))) {
            *type = (vs_key_type)t;
            return VS_OK;
        }
    }
    return vs_fail(err, VS_E_UNSUPPORTED, "key type %s %s is not supported",
                   EVP_PKEY_get0_type_name(pkey) ? EVP_PKEY_get0_type_name(pkey) : "", group);
}

/* ---- import --------------------------------------------------------------------------------- */

const char *const vs_rsa_param[VS_RSA_PARTS] = {
    [VS_RSA_N] = OSSL_PKEY_PARAM_RSA_N,          [VS_RSA_E] = OSSL_PKEY_PARAM_RSA_E,
    [VS_RSA_D] = OSSL_PKEY_PARAM_RSA_D,          [VS_RSA_P] = OSSL_PKEY_PARAM_RSA_FACTOR1,
    [VS_RSA_Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,    [VS_RSA_DP] = OSSL_PKEY_PARAM_RSA_EXPONENT1,
    [VS_RSA_DQ] = OSSL_PKEY_PARAM_RSA_EXPONENT2, [VS_RSA_QI] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

/* Integers go to OpenSSL in the machine's byte order, so secrets are copied: into `room`, which the
 * caller wipes. */
typedef struct key_params {
    OSSL_PARAM p[VS_RSA_PARTS + 1];
    size_t n, used;
    uint8_t room[8 * VS_RSA_MAX];
} key_params;

static void wipe_params(key_params *kp)
{
    vs_wipe(kp->room, kp->used);
}

/* False when the part is too long for any key. */
static bool add_int(key_params *kp, const char *name, vs_span be)
{
    if (be.n == 0 || be.n > VS_RSA_MAX || kp->used + be.n > sizeof kp->room)
        return false;
    uint8_t *at = kp->room + kp->used;
    VS_CLEANUP(vs_free_bn) BIGNUM *b = BN_bin2bn(be.p, (int)be.n, NULL);
    if (!b || BN_bn2nativepad(b, at, (int)be.n) < 0)
        return false;
    kp->p[kp->n++] = OSSL_PARAM_construct_BN(name, at, be.n);
    kp->used += be.n;
    return true;
}

static EVP_PKEY *from_data(const char *type, key_params *kp, bool is_private)
{
    EVP_PKEY *pkey = NULL;
    VS_CLEANUP(vs_free_pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    kp->p[kp->n] = OSSL_PARAM_construct_end();
    if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, kp->p) !=
            1)
        return NULL;
    return pkey;
}

vs_code vs_pkey_check_pair(EVP_PKEY *pkey, vs_error *err)
{
    VS_CLEANUP(vs_free_pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (!ctx || EVP_PKEY_pairwise_check(ctx) != 1)
        return vs_ossl_fail(err, VS_E_INVALID, "private and public part of the key do not agree");
    return VS_OK;
}

/* Adopts a key made of parts, after checking that a private one is sound. */
static vs_code finish(EVP_PKEY *pkey, vs_key_type type, bool is_private, vs_span pub, vs_key **out,
                      vs_error *err)
{
    if (is_private) {
        vs_code code = vs_pkey_check_pair(pkey, err);
        if (code != VS_OK) {
            EVP_PKEY_free(pkey);
            return code;
        }
    }
    return vs_key_adopt(pkey, type, is_private, pub, out, err);
}

/* NULL when the point is no public key: OpenSSL refuses coordinates outside the field and points
 * off the curve, here as in from_data. */
static EVP_PKEY *ec_public(vs_key_type type, vs_span point)
{
    EVP_PKEY *group = vs_crypto_methods()->group[type], *pkey = group ? EVP_PKEY_dup(group) : NULL;
    if (pkey && EVP_PKEY_set1_encoded_public_key(pkey, point.p, point.n) == 1)
        return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

static EVP_PKEY *ec_private(vs_key_type type, vs_span point, vs_span d)
{
    const vs_type_info *info = vs_key_info(type);
    VS_CLEANUP(wipe_params) key_params kp;
    kp.n = kp.used = 0;
    char group[sizeof "P-521"];
    memcpy(group, info->crv, sizeof group);
    kp.p[kp.n++] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
    kp.p[kp.n++] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
                                                     (void *)(uintptr_t)point.p, point.n);
    return add_int(&kp, OSSL_PKEY_PARAM_PRIV_KEY, d) ? from_data(info->ossl_type, &kp, true) : NULL;
}

vs_code vs_key_import_ec(vs_key_type type, vs_span point, vs_span d, vs_key **out, vs_error *err)
{
    const vs_type_info *info = vs_key_info(type);
    if (point.n != 1 + 2 * info->field || point.p[0] != 4)
        return vs_fail(err, VS_E_INVALID, "not an uncompressed %s point of %zu bytes", info->crv,
                       1 + 2 * info->field);
    if (d.n > info->field)
        return vs_fail(err, VS_E_INVALID, "private %s key is longer than %zu bytes", info->crv,
                       info->field);
    EVP_PKEY *pkey = d.n ? ec_private(type, point, d) : ec_public(type, point);
    if (!pkey)
        return vs_ossl_fail(err, VS_E_INVALID, "EC key is not usable");
    return finish(pkey, type, d.n != 0, point, out, err);
}

vs_code vs_key_from_point(vs_key_type curve, vs_span point, vs_key **out, vs_error *err)
{
    if (!vs_type_is_ec(curve))
        return vs_fail(err, VS_E_INVALID, "not a curve with points");
    return vs_key_import_ec(curve, point, (vs_span){NULL, 0}, out, err);
}

vs_code vs_key_import_ed25519(vs_span pub, vs_span d, vs_key **out, vs_error *err)
{
    if (pub.n != 32 || (d.n != 0 && d.n != 32))
        return vs_fail(err, VS_E_INVALID, "Ed25519 keys have 32 bytes");
    EVP_PKEY *pkey = d.n ? EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, d.p, d.n)
                         : EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, pub.p, pub.n);
    if (!pkey)
        return vs_ossl_fail(err, VS_E_INVALID, "Ed25519 key is not usable");
    vs_key *k = NULL;
    /* The public key is computed from a private one, so a claimed one that differs shows. */
    VS_TRY(vs_key_adopt(pkey, VS_KEY_ED25519, d.n != 0, (vs_span){NULL, 0}, &k, err));
    if (!vs_span_eq(vs_span_of(k->pub, k->pub_n), pub)) {
        vs_key_free(&k);
        return vs_fail(err, VS_E_INVALID, "private and public part of the key do not agree");
    }
    *out = k;
    return VS_OK;
}

vs_code vs_key_import_rsa(const vs_span part[VS_RSA_PARTS], vs_key **out, vs_error *err)
{
    bool is_private = part[VS_RSA_D].n != 0;
    VS_CLEANUP(wipe_params) key_params kp;
    kp.n = kp.used = 0;
    for (size_t i = 0; i < (is_private ? VS_RSA_PARTS : VS_RSA_D); i++)
        if (!add_int(&kp, vs_rsa_param[i], part[i]))
            return vs_fail(err, VS_E_INVALID, "RSA member %s is empty or too long",
                           vs_rsa_param[i]);
    EVP_PKEY *pkey = from_data("RSA", &kp, is_private);
    if (!pkey)
        return vs_ossl_fail(err, VS_E_INVALID, "RSA key is not usable");
    vs_code code = check_rsa(pkey, err); /* before any costly arithmetic */
    if (code != VS_OK) {
        EVP_PKEY_free(pkey);
        return code;
    }
    return finish(pkey, VS_KEY_RSA, is_private, (vs_span){NULL, 0}, out, err);
}
