/* SPDX-License-Identifier: Apache-2.0 */
#include "kbs/admin.h"

#include <stdlib.h>

#include "base/io.h"
#include "base/log.h"
#include "envelope/jose.h"
#include "kbs/acl.h"

enum {
    KEY_FILE_MAX = 1024 * 1024,
    LEEWAY_S = 60, /* kbs.md 4.1 */
};

/* A key that a token may be signed with. */
typedef struct signer {
    char *kid;  /* of a JWK; NULL for a key from PEM, which any token may try */
    vs_alg alg; /* the JWK fixes it; VS_ALG_NONE for PEM: any that fits the key */
    vs_key *key;
    size_t source; /* index of the provider or persona */
} signer;

struct kbs_admin {
    kbs_admin_mode mode;
    kbs_admin_config cfg; /* what it points to belongs to the caller and outlives this */
    signer *signers;      /* in the order of their sources */
    size_t n, room;
    kbs_acl_set *acls; /* NULL = everything is allowed (Simple without roles) */
};

/* ---- reading keys ---------------------------------------------------------------------------- */

static vs_code add_signer(kbs_admin *a, signer s, vs_span kid, vs_error *err)
{
    if (a->n == a->room) {
        size_t room = a->room ? a->room * 2 : 4;
        signer *more = realloc(a->signers, room * sizeof *more);
        if (more) {
            a->signers = more;
            a->room = room;
        }
    }
    if (kid.p)
        s.kid = strndup((const char *)kid.p, kid.n);
    if (a->n == a->room || (kid.p && !s.kid)) {
        free(s.kid);
        vs_key_free(&s.key);
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    }
    a->signers[a->n++] = s;
    return VS_OK;
}

static vs_code read_source(const char *uri, vs_buf *out, vs_error *err)
{
    return vs_read_file(strncmp(uri, "file://", 7) == 0 ? uri + 7 : uri, out, err);
}

static vs_code read_pem(const char *uri, vs_key **out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(KEY_FILE_MAX);
    VS_TRY(read_source(uri, &pem, err));
    VS_TRY_WRAP(vs_key_from_pem(vs_buf_span(&pem), false, out, err), err, "%s", uri);
    return VS_OK;
}

/* A JWK without "kid" or "alg" can never be chosen; one of a kind that we do not verify with is
 * somebody else's business. Both are left out and told. */
static vs_code add_jwk(kbs_admin *a, vs_val jwk, size_t source, vs_error *err)
{
    signer s = {.source = source};
    vs_val kid, use;
    VS_TRY(vs_may(jwk, "kid", VS_STRING, &kid, err));
    VS_TRY(vs_may(jwk, "use", VS_STRING, &use, err));
    vs_code code = vs_key_from_jwk(jwk, false, true, &s.key, &s.alg, err);
    bool skip = code == VS_E_UNSUPPORTED || !vs_defined(kid) || vs_text(kid).n == 0 ||
                memchr(kid.u.s, 0, kid.len) ||
                (vs_defined(use) && !vs_span_is(vs_text(use), "sig"));
    if (!skip) {
        VS_TRY(code);
        skip = s.alg == VS_ALG_NONE;
    }
    if (skip) {
        vs_key_free(&s.key);
        vs_log(VS_LOG_WARN, "admin",
               "key of a JWK set is not used: it needs kid and alg, and be "
               "for signatures",
               NULL);
        return VS_OK;
    }
    if (!vs_key_fits(s.key, s.alg)) {
        vs_key_free(&s.key);
        return vs_fail(err, VS_E_INVALID, "JWK \"%.*s\": its alg does not fit the key",
                       VS_FMT(vs_span_head(vs_text(kid), 80)));
    }
    return add_signer(a, s, vs_text(kid), err);
}

static vs_code parse_jwk_set(kbs_admin *a, vs_arena *arena, vs_span text, size_t source,
                             vs_error *err)
{
    vs_val set, keys;
    VS_TRY(vs_json_parse(arena, text, NULL, &set, err));
    VS_TRY(vs_need(set, "keys", VS_ARRAY, &keys, err));
    size_t before = a->n;
    for (VS_ARR_FOR (jwk, keys))
        VS_TRY(add_jwk(a, *jwk, source, err));
    if (a->n == before)
        return vs_fail(err, VS_E_INVALID, "the JWK set holds no key that can be used");
    return VS_OK;
}

static vs_code read_jwk_set(kbs_admin *a, const char *uri, size_t source, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(KEY_FILE_MAX);
    VS_TRY(read_source(uri, &text, err));
    vs_arena arena;
    vs_arena_init(&arena, 0);
    vs_code code = parse_jwk_set(a, &arena, vs_buf_span(&text), source, err);
    vs_arena_free(&arena);
    if (code != VS_OK)
        (void)vs_wrap(err, "%s", uri);
    return code;
}

static vs_code read_providers(kbs_admin *a, vs_error *err)
{
    for (size_t i = 0; i < a->cfg.n_providers; i++) {
        const kbs_identity_provider *p = &a->cfg.providers[i];
        if (!p->public_key_uri && !p->jwk_set_uri)
            return vs_fail(err, VS_E_INVALID, "identity provider %zu has no key", i + 1);
        if (p->jwk_set_uri)
            VS_TRY(read_jwk_set(a, p->jwk_set_uri, i, err));
        if (p->public_key_uri) {
            signer s = {.source = i};
            VS_TRY(read_pem(p->public_key_uri, &s.key, err));
            VS_TRY(add_signer(a, s, (vs_span){NULL, 0}, err));
        }
    }
    return VS_OK;
}

static vs_code read_personas(kbs_admin *a, vs_error *err)
{
    for (size_t i = 0; i < a->cfg.n_personas; i++) {
        const kbs_persona *p = &a->cfg.personas[i];
        signer s = {.source = i, .alg = VS_EDDSA};
        VS_TRY(read_pem(p->public_key_path, &s.key, err));
        if (vs_key_kind(s.key) != VS_KEY_ED25519) {
            vs_key_free(&s.key);
            return vs_fail(err, VS_E_INVALID, "%s: the key of a persona must be Ed25519",
                           p->public_key_path);
        }
        VS_TRY(add_signer(a, s, (vs_span){NULL, 0}, err));
    }
    return VS_OK;
}

static vs_code fill(kbs_admin *a, vs_error *err)
{
    bool simple = a->mode == KBS_ADMIN_SIMPLE;
    if (!simple && a->mode != KBS_ADMIN_BEARER)
        return VS_OK;
    VS_TRY(simple ? read_personas(a, err) : read_providers(a, err));
    if (simple && a->cfg.n_acls == 0)
        return VS_OK;
    return kbs_acl_new(a->cfg.acls, a->cfg.n_acls, &a->acls, err);
}

vs_code kbs_admin_new(const kbs_admin_config *cfg, kbs_admin **out, vs_error *err)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    (*out)->mode = cfg->mode;
    (*out)->cfg = *cfg;
    vs_code code = fill(*out, err);
    if (code != VS_OK) {
        kbs_admin_free(out);
        (void)vs_wrap(err, "admin");
    }
    return code;
}

void kbs_admin_free(kbs_admin **a)
{
    if (!*a)
        return;
    for (size_t i = 0; i < (*a)->n; i++) {
        free((*a)->signers[i].kid);
        vs_key_free(&(*a)->signers[i].key);
    }
    free((*a)->signers);
    kbs_acl_free(&(*a)->acls);
    free(*a);
    *a = NULL;
}

/* ---- tokens ---------------------------------------------------------------------------------- */

/* One request being decided. */
typedef struct request {
    const kbs_admin *a;
    vs_arena *arena;
    int64_t now;
    vs_jws jws;
    vs_val claims; /* strict JSON; believed only after a signature was verified */
    vs_error why;  /* the last reason, for the operator */
} request;

static vs_code open_token(request *q, vs_span bearer)
{
    VS_TRY_WRAP(vs_jws_parse(q->arena, bearer, &q->jws, &q->why), &q->why, "the admin token");
    VS_TRY_WRAP(vs_json_parse(q->arena, q->jws.payload, NULL, &q->claims, &q->why), &q->why,
                "the admin token's claims");
    if (q->claims.kind != VS_OBJECT)
        return vs_fail(&q->why, VS_E_INVALID, "the admin token's claims are not an object");
    return VS_OK;
}

/* A key from a JWK set is chosen by kid and its own alg; the header's "jwk", "jku", "x5c" never
 * count. */
static bool signed_by(request *q, const signer *s)
{
    if (s->kid) {
        vs_val kid = vs_getc(q->jws.header, "kid");
        if (kid.kind != VS_STRING || !vs_span_is(vs_text(kid), s->kid))
            return false;
    }
    return vs_jws_verify(&q->jws, s->key, s->alg, &q->why) == VS_OK;
}

static bool in_time(request *q, bool need_exp)
{
    vs_jwt_times t = {.now = q->now, .leeway = LEEWAY_S, .need_exp = need_exp, .check_nbf = true};
    return vs_jwt_check_times(q->claims, &t, &q->why) == VS_OK;
}

/* "aud" is a string or an array of strings (RFC 7519 4.1.3). */
static bool audience_has(vs_val claims, const char *want)
{
    vs_val aud = vs_getc(claims, "aud");
    if (aud.kind == VS_STRING)
        return vs_span_is(vs_text(aud), want);
    if (aud.kind != VS_ARRAY)
        return false;
    for (VS_ARR_FOR (one, aud))
        if (one->kind == VS_STRING && vs_span_is(vs_text(*one), want))
            return true;
    return false;
}

static bool provider_accepts(request *q, const kbs_identity_provider *p)
{
    vs_val iss = vs_getc(q->claims, "iss");
    if (p->issuer && (iss.kind != VS_STRING || !vs_span_is(vs_text(iss), p->issuer))) {
        (void)vs_fail(&q->why, VS_E_MISMATCH, "claim iss is not \"%.80s\"", p->issuer);
        return false;
    }
    if (p->audience && !audience_has(q->claims, p->audience)) {
        (void)vs_fail(&q->why, VS_E_MISMATCH, "claim aud does not hold \"%.80s\"", p->audience);
        return false;
    }
    return true;
}

/* ---- decisions ------------------------------------------------------------------------------- */

/* Text from a token or path for a message: bounded, printable ASCII. */
static const char *shown(vs_arena *arena, vs_span s)
{
    vs_span copy = vs_dup(arena, vs_span_head(s, 200));
    if (!copy.p)
        return "";
    char *text = (char *)(uintptr_t)copy.p;
    for (size_t i = 0; i < copy.n; i++)
        if (copy.p[i] < 0x20 || copy.p[i] > 0x7e)
            text[i] = '?';
    return text;
}

/* The wire's cause outermost, the operator's reason below it. */
static vs_code refuse(const vs_error *why, const char *cause, vs_error *err)
{
    char text[VS_ERROR_TEXT / 2];
    if (why->depth) {
        (void)vs_fail(err, VS_E_DENIED, "%s", vs_error_text(why, text, sizeof text));
        (void)vs_wrap(err, "%s", cause);
        return VS_E_DENIED;
    }
    return vs_fail(err, VS_E_DENIED, "%s", cause);
}

static const char *const no_issuer =
    "Admin access denied: Cannot verify token with any of the issuers";

/* kbs.md 4.1: the first provider whose key signed the token decides on the role; issuer and
 * audience may still send it on to the next. */
static vs_code check_bearer(request *q, vs_span *role, vs_error *err)
{
    for (size_t i = 0; i < q->a->n; i++) {
        const signer *s = &q->a->signers[i];
        if (!signed_by(q, s) || !in_time(q, true))
            continue;
        vs_val r = vs_getc(q->claims, "role");
        if (r.kind != VS_STRING)
            return refuse(&(vs_error){0},
                          vs_defined(r) ? "Admin access denied: Failed to parse claims from token: "
                                          "`role` is not a string"
                                        : "Admin access denied: Failed to parse claims from token: "
                                          "missing field `role`",
                          err);
        if (!provider_accepts(q, &q->a->cfg.providers[s->source]))
            continue;
        *role = vs_text(r);
        return VS_OK;
    }
    return refuse(&q->why, no_issuer, err);
}

/* kbs.md 12: whoever holds a persona's key is that persona; no claim is needed. */
static vs_code check_simple(request *q, vs_span *role, vs_error *err)
{
    for (size_t i = 0; i < q->a->n; i++) {
        const signer *s = &q->a->signers[i];
        if (!signed_by(q, s) || !in_time(q, false))
            continue;
        *role = vs_str(q->a->cfg.personas[s->source].id);
        return VS_OK;
    }
    if (q->a->n == 0)
        (void)vs_fail(&q->why, VS_E_DENIED, "no admin persona is configured");
    else
        (void)vs_wrap(&q->why, "Admin Token could not be verified for any admin persona");
    return refuse(&q->why, no_issuer, err);
}

static vs_code decide(request *q, vs_span bearer, vs_span path, bool encoded_slash, vs_span *who,
                      vs_error *err)
{
    if (bearer.n == 0)
        return refuse(&(vs_error){0}, "Failed to parse HTTP Auth Bearer header", err);
    if (open_token(q, bearer) != VS_OK)
        return refuse(&q->why, no_issuer, err);
    vs_span role = {NULL, 0};
    VS_TRY(q->a->mode == KBS_ADMIN_BEARER ? check_bearer(q, &role, err)
                                          : check_simple(q, &role, err));
    if (q->a->acls && !kbs_acl_allows(q->a->acls, role, path, encoded_slash))
        return refuse(&(vs_error){0},
                      vs_sprintf(q->arena, "Admin access denied: Role %s not allowed for path %s",
                                 shown(q->arena, role), shown(q->arena, path)),
                      err);
    *who = vs_dup(q->arena, role);
    return vs_arena_check(q->arena, err);
}

vs_code kbs_admin_check(kbs_admin *a, vs_span bearer, vs_span path, bool raw_has_encoded_slash,
                        int64_t now, vs_arena *arena, vs_span *who, vs_error *err)
{
    *who = (vs_span){NULL, 0};
    request q = {.a = a, .arena = arena, .now = now};
    switch (a->mode) {
    case KBS_ADMIN_INSECURE_ALLOW_ALL: *who = VS_LIT("anonymous"); return VS_OK;
    case KBS_ADMIN_BEARER:
    case KBS_ADMIN_SIMPLE: return decide(&q, bearer, path, raw_has_encoded_slash, who, err);
    case KBS_ADMIN_DENY_ALL: break;
    }
    return refuse(
        &q.why, "Admin access denied: Admin access denied as DenyAll authorization_mode is enabled",
        err);
}
