/* SPDX-License-Identifier: Apache-2.0 */
/* io.jwt.encode_sign and io.jwt.encode_sign_raw (rego.md 10.9). */
#include <strings.h>

#include "base/enc.h"
#include "rego/jwt.h"
#include "value/json.h"

enum { TEXT_MAX = 1 << 20, SIGNATURE_COST = 100000 };

/* A JWK that signs: a private key, or the secret of "oct". */
static rego_bres sign(rego_bctx *b, vs_val jwk, vs_span alg, vs_span input, vs_buf *sig)
{
    vs_hash h = rego_jwt_hmac_of(alg);
    vs_alg id = vs_alg_of_name(alg);
    vs_error err = {0};
    if (h == VS_HASH_NONE && id == VS_ALG_NONE)
        return rego_error(b, "unknown JWS algorithm: %.*s", VS_FMT(vs_span_head(alg, 40)));
    if (!rego_charge(b, SIGNATURE_COST))
        return REGO_B_LIMIT;
    if (h != VS_HASH_NONE) {
        VS_CLEANUP(vs_buf_free) vs_buf secret = VS_BUF(TEXT_MAX);
        uint8_t mac[VS_HASH_MAX];
        if (!vs_span_is(vs_text(vs_getc(jwk, "kty")), "oct") || vs_text(vs_getc(jwk, "k")).n == 0 ||
            vs_b64_decode(&secret, VS_B64_URL, vs_text(vs_getc(jwk, "k")), NULL) != VS_OK ||
            vs_hmac(h, vs_buf_span(&secret), input, mac, NULL) != VS_OK)
            return rego_error(b, "the key does not fit the algorithm");
        vs_buf_put(sig, vs_span_of(mac, vs_hash_size(h)));
        return REGO_B_OK;
    }
    vs_key *key = NULL;
    vs_code code = vs_key_from_jwk(jwk, true, false, &key, NULL, &err);
    if (code == VS_OK)
        code = vs_sign(key, id, &input, 1, sig, &err);
    vs_key_free(&key);
    return code == VS_OK ? REGO_B_OK : rego_error(b, "failed to sign: %s", vs_error_at(&err, 0));
}

static void put_part(vs_buf *token, vs_span bytes)
{
    if (token->n)
        vs_buf_putc(token, '.');
    vs_b64_encode(token, VS_B64_URL, bytes);
}

/* Header and payload as they are to stand in the token. */
static rego_bres encode(rego_bctx *b, vs_span header, vs_span payload, vs_val jwk, vs_val *out)
{
    VS_CLEANUP(vs_buf_free) vs_buf token = VS_BUF(TEXT_MAX), sig = VS_BUF(4096);
    vs_val head, any;
    vs_json_opts opts = {.dup_last_wins = true};
    if (!rego_charge(b, (header.n + payload.n) / 4))
        return REGO_B_LIMIT;
    if (!rego_jwt_json(b->a, header, &head))
        return rego_error(b, "missing or invalid 'alg' header: cannot parse JSON");
    vs_val alg = vs_getc(head, "alg");
    vs_span typ = vs_text(vs_getc(head, "typ"));
    if (alg.kind != VS_STRING)
        return rego_error(b, "missing or invalid 'alg' header: jwsbb: header \"alg\" not found");
    bool is_jwt = typ.n == 0 || vs_span_is(typ, "JWT");
    if (is_jwt && vs_json_parse(b->a, payload, &opts, &any, NULL) != VS_OK)
        return rego_error(b, "type is JWT but payload is not JSON");
    put_part(&token, header);
    put_part(&token, payload);
    rego_bres res = sign(b, jwk, vs_text(alg), vs_buf_span(&token), &sig);
    if (res != REGO_B_OK)
        return res;
    put_part(&token, vs_buf_span(&sig));
    if (!vs_buf_ok(&token))
        return REGO_B_LIMIT;
    *out = vs_string_dup(b->a, vs_buf_span(&token));
    return REGO_B_OK;
}

/* As Go does it: without the characters that mean something in HTML. */
static void put_escaped(vs_buf *out, vs_val v)
{
    VS_CLEANUP(vs_buf_free) vs_buf json = VS_BUF(TEXT_MAX);
    vs_json_print(&json, v);
    for (size_t i = 0; i < json.n; i++)
        if (memchr("<>&", json.p[i], 3))
            vs_buf_printf(out, "\\u%04x", json.p[i]);
        else
            vs_buf_putc(out, (char)json.p[i]);
    out->failed |= !vs_buf_ok(&json);
}

/* Compact JSON; v0 of OPA had spaces behind ',' and ':', which the signature covers. */
static void put_json(const rego_bctx *b, vs_buf *out, vs_val v)
{
    if (b->v0)
        rego_print_value(out, v);
    else
        put_escaped(out, v);
}

rego_bres rego_bi_jwt_encode_sign(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    VS_CLEANUP(vs_buf_free) vs_buf header = VS_BUF(TEXT_MAX), payload = VS_BUF(TEXT_MAX);
    for (unsigned i = 0; i < 3; i++)
        REGO_WANT(i, VS_OBJECT);
    put_json(b, &header, args[0]);
    put_json(b, &payload, args[1]);
    if (!vs_buf_ok(&header) || !vs_buf_ok(&payload))
        return REGO_B_LIMIT;
    return encode(b, vs_buf_span(&header), vs_buf_span(&payload), args[2], out);
}

rego_bres rego_bi_jwt_encode_sign_raw(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    vs_val jwk;
    for (unsigned i = 0; i < 3; i++)
        REGO_WANT(i, VS_STRING);
    if (!rego_jwt_json(b->a, vs_text(args[2]), &jwk))
        return rego_error(b, "failed to parse JWK key: not a JSON object");
    return encode(b, vs_text(args[0]), vs_text(args[1]), jwk, out);
}
