/* SPDX-License-Identifier: Apache-2.0 */
/* io.jwt.decode, io.jwt.verify_*, io.jwt.decode_verify (rego.md 10.9). */
#include "base/enc.h"
#include "rego/jwt.h"
#include "value/number.h"

enum { NESTED_MAX = 8, SIGNATURE_COST = 20000 }; /* about 200 us of public-key work */

rego_bres rego_bi_jwt_decode(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    jwt t;
    REGO_WANT(0, VS_STRING);
    vs_span token = vs_text(args[0]);
    for (unsigned depth = 0; depth < NESTED_MAX; depth++) {
        rego_bres res = rego_jwt_parse(b, token, &t);
        if (res != REGO_B_OK)
            return res;
        if (rego_jwt_nested(&t, false, &token))
            continue;
        vs_val claims;
        if (!rego_jwt_json(b->a, t.payload, &claims))
            return rego_error(b, "JWT payload is not a JSON object");
        vs_vec all = {.a = b->a};
        vs_vec_add(&all, t.header);
        vs_vec_add(&all, claims);
        vs_vec_add(&all, vs_string(vs_hex_encode_arena(b->a, t.signature)));
        *out = vs_vec_end_array(&all);
        return REGO_B_OK;
    }
    return rego_error(b, "nested more than %d times", NESTED_MAX);
}

/* ---- verify_* ----------------------------------------------------------------------------------
 */

static rego_bres verify(rego_bctx *b, const vs_val *args, vs_alg alg, vs_val *out)
{
    jwt t;
    jwt_keys keys;
    REGO_WANT(0, VS_STRING);
    REGO_WANT(1, VS_STRING);
    rego_bres res = rego_jwt_parse(b, vs_text(args[0]), &t);
    if (res == REGO_B_OK)
        res = rego_jwt_keys(b, vs_text(args[1]), &keys);
    if (res != REGO_B_OK)
        return res;
    if (rego_charge(b, SIGNATURE_COST * keys.n))
        *out = vs_bool(rego_jwt_verify(&t, alg, &keys, vs_getc(t.header, "kid")));
    else
        res = REGO_B_LIMIT;
    rego_jwt_keys_free(&keys);
    return res;
}

static rego_bres verify_hmac(rego_bctx *b, const vs_val *args, vs_hash h, vs_val *out)
{
    jwt t;
    REGO_WANT(0, VS_STRING);
    REGO_WANT(1, VS_STRING);
    rego_bres res = rego_jwt_parse(b, vs_text(args[0]), &t);
    if (res == REGO_B_OK)
        *out = vs_bool(rego_jwt_verify_hmac(&t, h, vs_text(args[1])));
    return res;
}

#define VERIFY(name, how, alg)                                                                     \
    rego_bres rego_bi_jwt_verify_##name(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out) \
    {                                                                                              \
        (void)n;                                                                                   \
        return how(b, args, alg, out);                                                             \
    }
VERIFY(rs256, verify, VS_RS256)
VERIFY(rs384, verify, VS_RS384)
VERIFY(rs512, verify, VS_RS512)
VERIFY(ps256, verify, VS_PS256)
VERIFY(ps384, verify, VS_PS384)
VERIFY(ps512, verify, VS_PS512)
VERIFY(es256, verify, VS_ES256)
VERIFY(es384, verify, VS_ES384)
VERIFY(es512, verify, VS_ES512)
VERIFY(eddsa, verify, VS_EDDSA)
VERIFY(hs256, verify_hmac, VS_SHA256)
VERIFY(hs384, verify_hmac, VS_SHA384)
VERIFY(hs512, verify_hmac, VS_SHA512)

/* ---- decode_verify ------------------------------------------------------------------------------
 */

typedef struct constraints {
    vs_val cert, secret, alg, iss, aud, time;
} constraints;

static rego_bres read_constraints(rego_bctx *b, vs_val o, constraints *c)
{
    const struct {
        const char *name;
        vs_kind kind;
        vs_val *to;
    } known[] = {{"cert", VS_STRING, &c->cert}, {"secret", VS_STRING, &c->secret},
                 {"alg", VS_STRING, &c->alg},   {"iss", VS_STRING, &c->iss},
                 {"aud", VS_STRING, &c->aud},   {"time", VS_NUMBER, &c->time}};
    *c = (constraints){0};
    for (VS_OBJ_FOR (p, o)) {
        size_t i = 0;
        while (i < VS_COUNT(known) && !vs_span_is(vs_text(p->key), known[i].name))
            i++;
        if (i == VS_COUNT(known))
            return rego_error(b, "unknown token validation constraint: %.*s",
                              VS_FMT(vs_span_head(vs_text(p->key), 80)));
        if (p->val.kind != known[i].kind)
            return rego_error(b, "%s constraint: must be a %s", known[i].name,
                              vs_kind_name(known[i].kind));
        if (known[i].kind == VS_STRING && p->val.len == 0)
            continue; /* as if it were not there */
        *known[i].to = p->val;
    }
    if (vs_defined(c->time) && vs_num_cmp(c->time, vs_int(0)) < 0)
        return rego_error(b, "token time constraint: must not be negative");
    if (!vs_defined(c->cert) && !vs_defined(c->secret))
        return rego_error(b, "no key constraint");
    if (vs_defined(c->cert) && vs_defined(c->secret))
        return rego_error(b, "duplicate key constraints");
    return REGO_B_OK;
}

/* Members that have a type must be of it. */
static rego_bres check_header(rego_bctx *b, vs_val header)
{
    static const char *const strings[] = {"alg", "cty", "kid", "typ"};
    for (size_t i = 0; i < VS_COUNT(strings); i++) {
        vs_val v = vs_getc(header, strings[i]);
        if (vs_defined(v) && v.kind != VS_STRING)
            return rego_error(b, "%s: must be a string", strings[i]);
    }
    vs_val crit = vs_getc(header, "crit");
    if (vs_defined(crit) && crit.kind != VS_ARRAY)
        return rego_error(b, "crit: must be a list");
    if (vs_defined(crit) && crit.len == 0)
        return rego_error(b, "crit: must be a nonempty list");
    return REGO_B_OK;
}

/* RFC 7515 section 4.1.11: extensions that must be understood are not. */
static bool header_is_acceptable(const constraints *c, vs_val header)
{
    vs_val alg = vs_getc(header, "alg");
    return alg.kind == VS_STRING && !vs_defined(vs_getc(header, "crit")) &&
           (!vs_defined(c->alg) || vs_eq(alg, c->alg));
}

static rego_bres check_signature(rego_bctx *b, const constraints *c, const jwt_keys *keys,
                                 const jwt *t, bool *good)
{
    vs_span alg = vs_text(vs_getc(t->header, "alg"));
    vs_hash h = rego_jwt_hmac_of(alg);
    *good = false;
    rego_bres res = check_header(b, t->header);
    if (res != REGO_B_OK || !header_is_acceptable(c, t->header))
        return res;
    if (h != VS_HASH_NONE) {
        *good = vs_defined(c->secret) && rego_jwt_verify_hmac(t, h, vs_text(c->secret));
        return REGO_B_OK;
    }
    if (!rego_charge(b, SIGNATURE_COST * keys->n))
        return REGO_B_LIMIT;
    vs_alg id = vs_alg_of_name(alg);
    *good = id != VS_ALG_NONE && rego_jwt_verify(t, id, keys, vs_getc(t->header, "kid"));
    return REGO_B_OK;
}

static bool is_in(vs_val wanted, vs_val have)
{
    if (have.kind == VS_ARRAY)
        for (VS_ARR_FOR (v, have))
            if (vs_eq(*v, wanted))
                return true;
    return vs_eq(wanted, have);
}

/* Compares now with seconds of a claim, exactly; undefined claims make *order `absent`. */
static rego_bres compare_with(rego_bctx *b, vs_val now, vs_val claims, const char *name, int absent,
                              int *order)
{
    vs_val seconds = vs_getc(claims, name);
    *order = absent;
    if (!vs_defined(seconds))
        return REGO_B_OK;
    if (seconds.kind != VS_NUMBER)
        return rego_error(b, "%s value must be a number", name);
    vs_val ns = vs_num_mul(b->a, seconds, vs_int(1000000000), NULL);
    if (!vs_defined(ns))
        return REGO_B_LIMIT;
    *order = vs_num_cmp(now, ns);
    return REGO_B_OK;
}

static rego_bres claims_hold(rego_bctx *b, const constraints *c, vs_val claims, bool *good)
{
    vs_val aud = vs_getc(claims, "aud"), now = vs_defined(c->time) ? c->time : vs_int(b->now_ns);
    int expiry, start;
    *good = !vs_defined(c->iss) || vs_eq(c->iss, vs_getc(claims, "iss"));
    /* A token for an audience must not be taken by one that does not say who it is. */
    *good = *good && (vs_defined(c->aud) ? is_in(c->aud, aud)
                                         : !vs_defined(aud) || vs_eq(aud, vs_cstring("")));
    if (!*good)
        return REGO_B_OK;
    rego_bres res = compare_with(b, now, claims, "exp", -1, &expiry);
    if (res != REGO_B_OK)
        return res;
    if (expiry >= 0) {
        *good = false;
        return REGO_B_OK;
    }
    res = compare_with(b, now, claims, "nbf", 1, &start);
    *good = start >= 0;
    return res;
}

static vs_val verdict(rego_bctx *b, bool good, vs_val header, vs_val claims)
{
    vs_vec v = {.a = b->a};
    vs_vec_add(&v, vs_bool(good));
    vs_vec_add(&v, good ? header : vs_empty(VS_OBJECT));
    vs_vec_add(&v, good ? claims : vs_empty(VS_OBJECT));
    return vs_vec_end_array(&v);
}

static rego_bres decode_verify(rego_bctx *b, vs_span token, const constraints *c,
                               const jwt_keys *keys, vs_val *out)
{
    jwt t;
    bool good = true;
    for (unsigned depth = 0; good && depth < NESTED_MAX; depth++) {
        rego_bres res = rego_jwt_parse(b, token, &t);
        if (res == REGO_B_OK)
            res = check_signature(b, c, keys, &t, &good);
        if (res != REGO_B_OK)
            return res;
        if (good && rego_jwt_nested(&t, true, &token))
            continue;
        vs_val claims = vs_undefined();
        if (good && !rego_jwt_json(b->a, t.payload, &claims))
            return rego_error(b, "JWT payload is not a JSON object");
        if (good)
            res = claims_hold(b, c, claims, &good);
        if (res != REGO_B_OK)
            return res;
        *out = verdict(b, good, t.header, claims);
        return REGO_B_OK;
    }
    return rego_error(b, "nested more than %d times", NESTED_MAX);
}

rego_bres rego_bi_jwt_decode_verify(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    constraints c;
    jwt_keys keys = {.n = 0};
    REGO_WANT(0, VS_STRING);
    REGO_WANT(1, VS_OBJECT);
    rego_bres res = read_constraints(b, args[1], &c);
    if (res == REGO_B_OK && vs_defined(c.cert))
        res = rego_jwt_keys(b, vs_text(c.cert), &keys);
    if (res == REGO_B_OK)
        res = decode_verify(b, vs_text(args[0]), &c, &keys, out);
    rego_jwt_keys_free(&keys);
    return res;
}
