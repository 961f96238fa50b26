/* SPDX-License-Identifier: Apache-2.0 */
#include "rego/jwt.h"

#include <strings.h>

#include "base/enc.h"
#include "value/json.h"

enum { TOKEN_MAX = 1 << 20, JSON_DEPTH = 64 };

/* ---- the token ---------------------------------------------------------------------------------
 */

static bool is_base64url(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' ||
           c == '_';
}

/* The last character may carry bits that no byte uses. Go lets them pass, so tokens have them. */
static vs_span without_stray_bits(vs_arena *a, vs_span text)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    vs_span copy = vs_dup(a, text);
    const char *at = copy.n ? strchr(alphabet, copy.p[copy.n - 1]) : NULL;
    unsigned mask = copy.n % 4 == 2 ? 0x30 : copy.n % 4 == 3 ? 0x3c : 0x3f;
    if (at)
        ((uint8_t *)(uintptr_t)copy.p)[copy.n - 1] =
            (uint8_t)alphabet[(unsigned)(at - alphabet) & mask];
    return copy;
}

static rego_bres decode_part(rego_bctx *b, const char *what, vs_span text, vs_span *out)
{
    size_t bad = 0;
    while (bad < text.n && is_base64url(text.p[bad]))
        bad++;
    if (bad == text.n && text.n % 4 != 1) {
        text = without_stray_bits(b->a, text);
        if (vs_b64_decode_arena(b->a, VS_B64_URL, text, out, NULL) == VS_OK)
            return REGO_B_OK;
    }
    return rego_error(b, "JWT %s had invalid encoding: illegal base64 data at input byte %zu", what,
                      bad);
}

bool rego_jwt_json(vs_arena *a, vs_span text, vs_val *out)
{
    vs_json_opts opts = {.dup_last_wins = true, .depth = JSON_DEPTH};
    return vs_json_parse(a, text, &opts, out, NULL) == VS_OK && out->kind == VS_OBJECT;
}

rego_bres rego_jwt_parse(rego_bctx *b, vs_span token, jwt *out)
{
    vs_span part[3], header, rest = token;
    unsigned parts = 0;
    if (token.n > TOKEN_MAX || !rego_charge(b, 50 + token.n / 4))
        return REGO_B_LIMIT;
    for (bool more = true; more;) {
        vs_span p = vs_span_cut(rest, '.', &rest, &more);
        if (parts < VS_COUNT(part))
            part[parts] = p;
        parts++;
    }
    if (parts == 1)
        return rego_error(b, "encoded JWT had no period separators");
    if (parts != VS_COUNT(part))
        return rego_error(b, "encoded JWT must have 3 sections, found %u", parts);
    rego_bres res = decode_part(b, "header", part[0], &header);
    if (res != REGO_B_OK)
        return res;
    if (!rego_jwt_json(b->a, header, &out->header))
        return rego_error(b, "JWT header is not a JSON object");
    if (vs_defined(vs_getc(out->header, "enc")))
        return rego_error(b, "JWT is a JWE object, which is not supported");
    res = decode_part(b, "payload", part[1], &out->payload);
    if (res == REGO_B_OK)
        res = decode_part(b, "signature", part[2], &out->signature);
    out->signing_input = vs_span_head(token, part[0].n + 1 + part[1].n);
    return res;
}

bool rego_jwt_nested(const jwt *t, bool any_case, vs_span *inner)
{
    vs_span cty = vs_text(vs_getc(t->header, "cty"));
    if (cty.n != 3 ||
        (any_case ? strncasecmp((const char *)cty.p, "JWT", 3) : memcmp(cty.p, "JWT", 3)) != 0)
        return false;
    *inner = t->payload;
    if (inner->n >= 2 && inner->p[0] == '"' && inner->p[inner->n - 1] == '"')
        *inner = vs_span_of(inner->p + 1, inner->n - 2);
    return true;
}

/* ---- keys --------------------------------------------------------------------------------------
 */

void rego_jwt_keys_free(jwt_keys *k)
{
    for (size_t i = 0; i < k->n; i++)
        vs_key_free(&k->at[i]);
    k->n = 0;
}

static bool add_jwk(jwt_keys *keys, vs_val jwk)
{
    if (keys->n == VS_COUNT(keys->at) || jwk.kind != VS_OBJECT ||
        vs_key_from_jwk(jwk, false, false, &keys->at[keys->n], NULL, NULL) != VS_OK)
        return false;
    keys->alg[keys->n] = vs_getc(jwk, "alg");
    keys->id[keys->n++] = vs_getc(jwk, "kid");
    return true;
}

static bool add_jwks(rego_bctx *b, jwt_keys *keys, vs_span text)
{
    vs_val doc;
    if (!rego_jwt_json(b->a, text, &doc))
        return false;
    vs_val list = vs_getc(doc, "keys");
    if (list.kind != VS_ARRAY)
        return add_jwk(keys, doc);
    for (VS_ARR_FOR (k, list))
        (void)add_jwk(keys,
                      *k); /* keys of types we do not know are no reason to refuse the others */
    return true;
}

/* The first PEM block of a text: its label, and all of it. False when there is none. */
static bool cut_pem(vs_span *s, vs_span *label, vs_span *block)
{
    static const char begin[] = "-----BEGIN ", end[] = "-----END ";
    const uint8_t *from = s->n ? memmem(s->p, s->n, begin, sizeof begin - 1) : NULL;
    if (!from)
        return false;
    vs_span rest = vs_span_from(*s, (size_t)(from - s->p)), tail;
    bool found;
    *label = vs_span_cut(vs_span_from(rest, sizeof begin - 1), '-', &tail, &found);
    const uint8_t *to = memmem(rest.p, rest.n, end, sizeof end - 1);
    if (!to)
        return false;
    vs_span last = vs_span_from(rest, (size_t)(to - rest.p));
    size_t length = sizeof end - 1 + label->n + 5;
    if (last.n < length ||
        !vs_span_eq(vs_span_head(vs_span_from(last, sizeof end - 1), label->n), *label))
        return false;
    *block = vs_span_head(rest, (size_t)(to - rest.p) + length);
    *s = vs_span_from(last, length);
    return true;
}

/* One certificate or public key; a private key is not one. */
static rego_bres add_pem(rego_bctx *b, jwt_keys *keys, vs_span text, vs_span label, vs_span block)
{
    vs_certs *certs = NULL;
    vs_code code = VS_E_INVALID;
    while (text.n &&
           (text.p[0] == ' ' || text.p[0] == '\n' || text.p[0] == '\r' || text.p[0] == '\t'))
        text = vs_span_from(text, 1);
    if (text.n)
        return rego_error(b, "extra data after a PEM certificate block");
    if (vs_span_is(label, "CERTIFICATE")) {
        code = vs_certs_from_pem(block, &certs, NULL);
        if (code == VS_OK)
            code = vs_certs_key(certs, 0, &keys->at[0], NULL);
        vs_certs_free(&certs);
    } else if (vs_span_is(label, "PUBLIC KEY") || vs_span_is(label, "RSA PUBLIC KEY")) {
        code = vs_key_from_pem(block, false, &keys->at[0], NULL);
    }
    if (code == VS_E_NOMEM)
        return REGO_B_LIMIT;
    keys->n = code == VS_OK;
    keys->id[0] = keys->alg[0] = vs_undefined();
    return code == VS_OK ? REGO_B_OK
                         : rego_error(b, "failed to extract a Key from the PEM certificate");
}

rego_bres rego_jwt_keys(rego_bctx *b, vs_span text, jwt_keys *out)
{
    vs_span rest = text, label, block;
    out->n = 0;
    if (!rego_charge(b, 500 + text.n / 4))
        return REGO_B_LIMIT;
    if (cut_pem(&rest, &label, &block))
        return add_pem(b, out, rest, label, block);
    return add_jwks(b, out, text) ? REGO_B_OK : rego_error(b, "failed to parse a JWK key (set)");
}

/* ---- signatures --------------------------------------------------------------------------------
 */

bool rego_jwt_verify(const jwt *t, vs_alg alg, const jwt_keys *keys, vs_val kid)
{
    for (size_t i = 0; i < keys->n; i++) {
        bool other = vs_defined(kid) && vs_defined(keys->id[i]) && !vs_eq(kid, keys->id[i]);
        if (vs_defined(keys->alg[i]))
            other |= vs_alg_of_name(vs_text(keys->alg[i])) != alg;
        if (!other && vs_key_fits(keys->at[i], alg) &&
            vs_verify(keys->at[i], alg, &t->signing_input, 1, t->signature, NULL) == VS_OK)
            return true;
    }
    return false;
}

vs_hash rego_jwt_hmac_of(vs_span alg)
{
    return vs_span_is(alg, "HS256")   ? VS_SHA256
           : vs_span_is(alg, "HS384") ? VS_SHA384
           : vs_span_is(alg, "HS512") ? VS_SHA512
                                      : VS_HASH_NONE;
}

bool rego_jwt_verify_hmac(const jwt *t, vs_hash h, vs_span secret)
{
    uint8_t mac[VS_HASH_MAX];
    return vs_hmac(h, secret, t->signing_input, mac, NULL) == VS_OK &&
           vs_ct_eq(vs_span_of(mac, vs_hash_size(h)), t->signature);
}
