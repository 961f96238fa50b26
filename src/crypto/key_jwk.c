/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Web Keys: RFC 7517, RFC 7518 section 6, RFC 8037. */
#include "crypto/internal.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>

#include "base/enc.h"
#include "value/json.h"

/* The members of an RSA key by vs_rsa_part (RFC 7518 section 6.3). */
static const char *const rsa_member[VS_RSA_PARTS] = {"n", "e", "d", "p", "q", "dp", "dq", "qi"};

/* ---- reading -------------------------------------------------------------------------------- */

/* Decodes a base64url member of at most `max` bytes into `out` (which gets it appended). */
static vs_code get_bytes(vs_val jwk, const char *name, size_t max, vs_buf *out, vs_span *got,
                         vs_error *err)
{
    vs_val v;
    VS_TRY(vs_need(jwk, name, VS_STRING, &v, err));
    if (vs_text(v).n > (max + 2) / 3 * 4)
        return vs_fail(err, VS_E_INVALID, "JWK member \"%s\" is longer than %zu bytes", name, max);
    size_t start = out->n;
    VS_TRY_WRAP(vs_b64_decode(out, VS_B64_URL, vs_text(v), err), err, "JWK member \"%s\"", name);
    *got = vs_span_of(out->p + start, out->n - start);
    if (got->n == 0 || got->n > max)
        return vs_fail(err, VS_E_INVALID, "JWK member \"%s\" has %zu bytes", name, got->n);
    return VS_OK;
}

/* A coordinate: exactly the field's length; shorter ones were written by older Trustee versions,
 * which dropped leading zeros. */
static vs_code get_coordinate(vs_val jwk, const char *name, size_t field, bool strict, uint8_t *to,
                              vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf hold = VS_BUF(field + 3);
    vs_span got = {0};
    VS_TRY(get_bytes(jwk, name, field, &hold, &got, err));
    if (strict && got.n != field)
        return vs_fail(err, VS_E_INVALID, "JWK member \"%s\" has %zu bytes, the curve has %zu",
                       name, got.n, field);
    memset(to, 0, field - got.n);
    memcpy(to + field - got.n, got.p, got.n);
    return VS_OK;
}

static vs_code ec_from_jwk(vs_key_type type, vs_val jwk, bool want_private, bool strict,
                           vs_key **out, vs_error *err)
{
    size_t field = vs_key_info(type)->field;
    uint8_t point[VS_POINT_MAX] = {4};
    VS_TRY(get_coordinate(jwk, "x", field, strict, point + 1, err));
    VS_TRY(get_coordinate(jwk, "y", field, strict, point + 1 + field, err));
    VS_CLEANUP(vs_buf_free) vs_buf secret = VS_BUF(field + 3);
    vs_span d = {NULL, 0};
    if (want_private)
        VS_TRY(get_bytes(jwk, "d", field, &secret, &d, err));
    return vs_key_import_ec(type, vs_span_of(point, 1 + 2 * field), d, out, err);
}

static vs_code ed25519_from_jwk(vs_key_type type, vs_val jwk, bool want_private, bool strict,
                                vs_key **out, vs_error *err)
{
    (void)type;
    (void)strict;
    VS_CLEANUP(vs_buf_free) vs_buf pub = VS_BUF(35), secret = VS_BUF(35);
    vs_span x, d = {NULL, 0};
    VS_TRY(get_bytes(jwk, "x", 32, &pub, &x, err));
    if (want_private)
        VS_TRY(get_bytes(jwk, "d", 32, &secret, &d, err));
    return vs_key_import_ed25519(x, d, out, err);
}

static vs_code rsa_from_jwk(vs_key_type type, vs_val jwk, bool want_private, bool strict,
                            vs_key **out, vs_error *err)
{
    (void)type;
    (void)strict;
    if (want_private && vs_defined(vs_getc(jwk, "oth")))
        return vs_fail(err, VS_E_UNSUPPORTED, "RSA keys of more than two primes are not supported");
    VS_CLEANUP(vs_buf_free) vs_buf hold = VS_BUF(VS_RSA_PARTS * (VS_RSA_MAX + 3));
    if (!vs_buf_reserve(&hold, hold.cap)) /* so that spans into it stay where they are */
        return vs_buf_check(&hold, err);
    vs_buf_truncate(&hold, 0);
    vs_span part[VS_RSA_PARTS] = {0};
    for (size_t i = 0; i < (want_private ? VS_RSA_PARTS : VS_RSA_D); i++)
        VS_TRY(get_bytes(jwk, rsa_member[i], VS_RSA_MAX, &hold, &part[i], err));
    return vs_key_import_rsa(part, out, err);
}

/* The key type of kty and crv. */
static vs_code jwk_type(vs_val jwk, vs_key_type *type, vs_error *err)
{
    vs_val kty, crv = vs_undefined();
    VS_TRY(vs_need(jwk, "kty", VS_STRING, &kty, err));
    bool known_kty = false;
    for (int t = 0; t < VS_KEY_TYPES; t++) {
        const vs_type_info *info = vs_key_info((vs_key_type)t);
        if (!vs_span_is(vs_text(kty), info->kty))
            continue;
        known_kty = true;
        if (info->crv && !vs_defined(crv))
            VS_TRY(vs_need(jwk, "crv", VS_STRING, &crv, err));
        if (!info->crv || vs_span_is(vs_text(crv), info->crv)) {
            *type = (vs_key_type)t;
            return VS_OK;
        }
    }
    return vs_fail(err, VS_E_UNSUPPORTED, "JWK %s \"%.*s\" is not supported",
                   known_kty ? "curve" : "key type",
                   VS_FMT(vs_span_head(vs_text(known_kty ? crv : kty), 32)));
}

static vs_code jwk_alg(vs_val jwk, vs_key_type type, vs_alg *alg, vs_error *err)
{
    vs_val v;
    VS_TRY(vs_may(jwk, "alg", VS_STRING, &v, err));
    *alg = vs_alg_of_name(vs_text(v));
    const vs_alg_info *info = vs_alg_lookup(*alg);
    if (info && info->type != type)
        return vs_fail(err, VS_E_INVALID, "JWK member \"alg\" %s does not fit the key", info->name);
    return VS_OK;
}

vs_code vs_key_from_jwk(vs_val jwk, bool want_private, bool strict, vs_key **out, vs_alg *alg,
                        vs_error *err)
{
    typedef vs_code import_fn(vs_key_type, vs_val, bool, bool, vs_key **, vs_error *);
    static import_fn *const import[VS_KEY_TYPES] = {
        [VS_KEY_RSA] = rsa_from_jwk,         [VS_KEY_P256] = ec_from_jwk,
        [VS_KEY_P384] = ec_from_jwk,         [VS_KEY_P521] = ec_from_jwk,
        [VS_KEY_ED25519] = ed25519_from_jwk,
    };
    vs_key_type type = VS_KEY_RSA;
    vs_alg found = VS_ALG_NONE;
    if (jwk.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "a JWK must be an object");
    VS_TRY(jwk_type(jwk, &type, err));
    VS_TRY(jwk_alg(jwk, type, &found, err));
    VS_TRY(import[type](type, jwk, want_private, strict, out, err));
    if (alg)
        *alg = found;
    return VS_OK;
}

/* ---- writing -------------------------------------------------------------------------------- */

static vs_code get_int(const vs_key *k, const char *param, BIGNUM **b, vs_error *err)
{
    if (EVP_PKEY_get_bn_param(k->pkey, param, b) != 1)
        return vs_ossl_fail(err, VS_E_INTERNAL, "reading a key");
    return VS_OK;
}

/* Appends base64url of an integer in `width` bytes; 0 = as short as possible. */
static vs_code put_int(const vs_key *k, const char *param, size_t width, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_free_bn) BIGNUM *b = NULL;
    VS_TRY(get_int(k, param, &b, err));
    uint8_t raw[VS_RSA_MAX];
    size_t n = width ? width : (size_t)BN_num_bytes(b);
    if (n > sizeof raw || BN_bn2binpad(b, raw, (int)n) < 0)
        return vs_fail(err, VS_E_INTERNAL, "key member does not fit");
    vs_b64_encode(out, VS_B64_URL, vs_span_of(raw, n));
    vs_wipe(raw, n);
    return VS_OK;
}

static vs_val b64_val(vs_arena *a, const uint8_t *p, size_t n)
{
    return vs_string(vs_b64_encode_arena(a, VS_B64_URL, vs_span_of(p, n)));
}

static vs_code rsa_members(vs_arena *a, const vs_key *k, vs_obj *o, vs_error *err)
{
    for (size_t i = VS_RSA_N; i <= VS_RSA_E; i++) {
        VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(2 * VS_RSA_MAX);
        VS_TRY(put_int(k, vs_rsa_param[i], 0, &text, err));
        VS_TRY(vs_buf_check(&text, err));
        vs_obj_put(o, rsa_member[i], vs_string_dup(a, vs_buf_span(&text)));
    }
    return VS_OK;
}

vs_code vs_key_to_jwk(vs_arena *a, const vs_key *k, const char *alg, vs_val *out, vs_error *err)
{
    const vs_type_info *info = vs_key_info(k->type);
    vs_obj o = {.a = a};
    vs_obj_put(&o, "kty", vs_cstring(info->kty));
    if (alg)
        vs_obj_put(&o, "alg", vs_string_dup(a, vs_str(alg)));
    if (info->crv)
        vs_obj_put(&o, "crv", vs_cstring(info->crv));
    if (k->type == VS_KEY_RSA) {
        VS_TRY(rsa_members(a, k, &o, err));
    } else if (k->type == VS_KEY_ED25519) {
        vs_obj_put(&o, "x", b64_val(a, k->pub, k->pub_n));
    } else {
        vs_obj_put(&o, "x", b64_val(a, k->pub + 1, info->field));
        vs_obj_put(&o, "y", b64_val(a, k->pub + 1 + info->field, info->field));
    }
    *out = vs_obj_end(&o, VS_DUP_REFUSE, NULL);
    return vs_arena_check(a, err);
}

static void put_name(vs_buf *out, const char *name)
{
    vs_buf_printf(out, ",\"%s\":\"", name);
}

static void put_bytes(vs_buf *out, const char *name, const uint8_t *p, size_t n)
{
    put_name(out, name);
    vs_b64_encode(out, VS_B64_URL, vs_span_of(p, n));
    vs_buf_putc(out, '"');
}

static vs_code put_rsa(vs_buf *out, const vs_key *k, size_t parts, vs_error *err)
{
    for (size_t i = 0; i < parts; i++) {
        put_name(out, rsa_member[i]);
        VS_TRY(put_int(k, vs_rsa_param[i], 0, out, err));
        vs_buf_putc(out, '"');
    }
    return VS_OK;
}

static vs_code put_private_ec(vs_buf *out, const vs_key *k, vs_error *err)
{
    put_name(out, "d");
    VS_TRY(put_int(k, OSSL_PKEY_PARAM_PRIV_KEY, vs_key_info(k->type)->field, out, err));
    vs_buf_putc(out, '"');
    return VS_OK;
}

static vs_code put_private_ed25519(vs_buf *out, const vs_key *k, vs_error *err)
{
    uint8_t d[32];
    size_t n = sizeof d;
    if (EVP_PKEY_get_raw_private_key(k->pkey, d, &n) != 1)
        return vs_ossl_fail(err, VS_E_INTERNAL, "reading a key");
    put_bytes(out, "d", d, n);
    vs_wipe(d, sizeof d);
    return VS_OK;
}

static vs_code put_members(vs_buf *out, const vs_key *k, bool private_key, vs_error *err)
{
    if (k->type == VS_KEY_RSA)
        return put_rsa(out, k, private_key ? VS_RSA_PARTS : VS_RSA_D, err);
    if (k->type == VS_KEY_ED25519) {
        put_bytes(out, "x", k->pub, k->pub_n);
        return private_key ? put_private_ed25519(out, k, err) : VS_OK;
    }
    size_t field = vs_key_info(k->type)->field;
    put_bytes(out, "x", k->pub + 1, field);
    put_bytes(out, "y", k->pub + 1 + field, field);
    return private_key ? put_private_ec(out, k, err) : VS_OK;
}

static vs_code write_jwk(vs_buf *json, const vs_key *k, const char *alg, bool private_key,
                         vs_error *err)
{
    const vs_type_info *info = vs_key_info(k->type);
    vs_buf_printf(json, "{\"kty\":\"%s\"", info->kty);
    if (info->crv)
        vs_buf_printf(json, ",\"crv\":\"%s\"", info->crv);
    if (alg)
        vs_buf_printf(json, ",\"alg\":\"%s\"", alg);
    VS_TRY(put_members(json, k, private_key, err));
    vs_buf_putc(json, '}');
    return vs_buf_check(json, err);
}

vs_code vs_key_write_jwk(vs_buf *json, const vs_key *k, const char *alg, vs_error *err)
{
    return write_jwk(json, k, alg, false, err);
}

vs_code vs_key_to_private_jwk(vs_buf *json, const vs_key *k, vs_error *err)
{
    if (!k->is_private)
        return vs_fail(err, VS_E_INVALID, "the key has no private part");
    return write_jwk(json, k, NULL, true, err);
}
