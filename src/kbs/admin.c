/* SPDX-License-Identifier: Apache-2.0 */
#include "kbs/admin.h"

#include <stdlib.h>

#include "envelope/jose.h"
#include "kbs/acl.h"
#include "kbs/peer.h"

enum { LEEWAY_S = 60 }; /* kbs.md 4.1 */

/* Where keys come from that a token may be signed with. */
typedef struct signer {
    kbs_source *source;
    bool jwk_set; /* keys are chosen by kid */
    vs_alg alg;   /* of all its keys; VS_ALG_NONE: as the key says */
    size_t owner; /* index of the provider or persona */
} signer;

struct kbs_admin {
    kbs_admin_mode mode;
    kbs_admin_config cfg; /* what it points to belongs to the caller and outlives this */
    signer *signers;      /* in the order of their owners */
    size_t n;
    kbs_acl_set *acls;      /* NULL = everything is allowed (Simple without roles) */
    kbs_unix_ids *unix_ids; /* as many as cfg.unix_identities */
};

/* ---- start ------------------------------------------------------------------------------------
 */

static vs_code read_jwk_set(vs_span text, kbs_keys *out, vs_error *err)
{
    return kbs_read_jwk_set(text, true, out, err);
}

static vs_code read_persona(vs_span text, kbs_keys *out, vs_error *err)
{
    VS_TRY(kbs_read_pem(text, out, err));
    if (vs_key_kind(out->items[0].key) != VS_KEY_ED25519)
        return vs_fail(err, VS_E_INVALID, "the key of a persona must be Ed25519");
    return VS_OK;
}

static vs_code add_providers(kbs_admin *a, kbs_sources *sources, vs_error *err)
{
    for (size_t i = 0; i < a->cfg.n_providers; i++) {
        const kbs_identity_provider *p = &a->cfg.providers[i];
        if (!p->public_key_uri && !p->jwk_set_uri)
            return vs_fail(err, VS_E_INVALID, "identity provider %zu has no key", i + 1);
        if (p->jwk_set_uri) {
            signer *s = &a->signers[a->n++];
            *s = (signer){.jwk_set = true, .owner = i};
            VS_TRY(kbs_sources_add(sources, p->jwk_set_uri, read_jwk_set, true, &s->source, err));
        }
        if (p->public_key_uri) {
            signer *s = &a->signers[a->n++];
            *s = (signer){.owner = i};
            VS_TRY(
                kbs_sources_add(sources, p->public_key_uri, kbs_read_pem, false, &s->source, err));
        }
    }
    return VS_OK;
}

static vs_code add_personas(kbs_admin *a, kbs_sources *sources, vs_error *err)
{
    for (size_t i = 0; i < a->cfg.n_personas; i++) {
        signer *s = &a->signers[a->n++];
        *s = (signer){.owner = i, .alg = VS_EDDSA};
        VS_TRY(kbs_sources_add(sources, a->cfg.personas[i].public_key_path, read_persona, false,
                               &s->source, err));
    }
    return VS_OK;
}

static vs_code add_peers(kbs_admin *a, vs_error *err)
{
    a->unix_ids = calloc(a->cfg.n_unix_identities + 1, sizeof *a->unix_ids);
    if (!a->unix_ids)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    for (size_t i = 0; i < a->cfg.n_unix_identities; i++)
        VS_TRY(kbs_unix_ids_of(&a->cfg.unix_identities[i], &a->unix_ids[i], err));
    for (size_t i = 0; i < a->cfg.n_mtls_identities; i++)
        VS_TRY(kbs_mtls_identity_check(&a->cfg.mtls_identities[i], err));
    return VS_OK;
}

static vs_code fill(kbs_admin *a, kbs_sources *sources, vs_error *err)
{
    bool simple = a->mode == KBS_ADMIN_SIMPLE;
    if (!simple && a->mode != KBS_ADMIN_BEARER)
        return VS_OK;
    a->signers = calloc(2 * a->cfg.n_providers + a->cfg.n_personas + 1, sizeof *a->signers);
    if (!a->signers)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    VS_TRY(simple ? add_personas(a, sources, err) : add_providers(a, sources, err));
    VS_TRY(simple ? VS_OK : add_peers(a, err));
    if (simple && a->cfg.n_acls == 0)
        return VS_OK;
    return kbs_acl_new(a->cfg.acls, a->cfg.n_acls, &a->acls, err);
}

vs_code kbs_admin_new(const kbs_admin_config *cfg, kbs_sources *sources, kbs_admin **out,
                      vs_error *err)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    (*out)->mode = cfg->mode;
    (*out)->cfg = *cfg;
    vs_code code = fill(*out, sources, err);
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
    free((*a)->signers);
    free((*a)->unix_ids);
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
static bool signed_by_key(request *q, const signer *s, const kbs_named_key *k, vs_val kid)
{
    if (s->jwk_set && (kid.kind != VS_STRING || !vs_span_is(vs_text(kid), k->kid)))
        return false;
    return vs_jws_verify(&q->jws, k->key, s->alg ? s->alg : k->alg, &q->why) == VS_OK;
}

static bool signed_by(request *q, const signer *s)
{
    VS_CLEANUP(kbs_keys_unref) kbs_keys *keys = kbs_source_keys(s->source);
    vs_val kid = vs_getc(q->jws.header, "kid");
    bool known = !s->jwk_set || kid.kind != VS_STRING;
    for (size_t i = 0; i < keys->n; i++) {
        if (signed_by_key(q, s, &keys->items[i], kid))
            return true;
        known = known || vs_span_is(vs_text(kid), keys->items[i].kid);
    }
    if (!known)
        kbs_source_missed(s->source);
    return false;
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
        if (!provider_accepts(q, &q->a->cfg.providers[s->owner]))
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
        *role = vs_str(q->a->cfg.personas[s->owner].id);
        return VS_OK;
    }
    if (q->a->n == 0)
        (void)vs_fail(&q->why, VS_E_DENIED, "no admin persona is configured");
    else
        (void)vs_wrap(&q->why, "Admin Token could not be verified for any admin persona");
    return refuse(&q->why, no_issuer, err);
}

/* The identity that the connection itself shows. */
static vs_code check_peer(request *q, const kbs_peer *peer, vs_span *role, const char **as,
                          vs_error *err)
{
    const kbs_admin_config *cfg = &q->a->cfg;
    for (size_t i = 0; peer->local && i < cfg->n_unix_identities; i++) {
        if (!kbs_unix_ids_match(&q->a->unix_ids[i], peer))
            continue;
        *role = vs_str(cfg->unix_identities[i].role);
        *as = vs_sprintf(q->arena, "uid %u", (unsigned)peer->uid);
        return VS_OK;
    }
    for (size_t i = 0; peer->subject.p && i < cfg->n_mtls_identities; i++) {
        if (!kbs_mtls_identity_match(&cfg->mtls_identities[i], peer))
            continue;
        *role = vs_str(cfg->mtls_identities[i].role);
        *as = shown(q->arena, peer->subject);
        return VS_OK;
    }
    return refuse(&(vs_error){0}, "Failed to parse HTTP Auth Bearer header", err);
}

/* A token that was sent is what is looked at, and nothing else: one that does not count must not
 * be made up for by the connection that it came over. */
static vs_code decide(request *q, const kbs_attempt *t, vs_span *who, vs_error *err)
{
    vs_span role = {NULL, 0};
    const char *as = NULL;
    if (t->bearer.n == 0) {
        VS_TRY(check_peer(q, &t->peer, &role, &as, err));
    } else {
        if (open_token(q, t->bearer) != VS_OK)
            return refuse(&q->why, no_issuer, err);
        VS_TRY(q->a->mode == KBS_ADMIN_BEARER ? check_bearer(q, &role, err)
                                              : check_simple(q, &role, err));
    }
    if (q->a->acls && (t->encoded_slash || !kbs_acl_path_ok(t->path)))
        return refuse(&(vs_error){0},
                      vs_sprintf(q->arena,
                                 "Admin access denied: path %s has an encoded slash, an empty "
                                 "segment, \".\" or \"..\", which no role may use",
                                 shown(q->arena, t->path)),
                      err);
    if (q->a->acls && !kbs_acl_allows(q->a->acls, role, t->path))
        return refuse(&(vs_error){0},
                      vs_sprintf(q->arena, "Admin access denied: Role %s not allowed for path %s",
                                 shown(q->arena, role), shown(q->arena, t->path)),
                      err);
    *who =
        as ? vs_str(vs_sprintf(q->arena, "%.*s (%s)", VS_FMT(role), as)) : vs_dup(q->arena, role);
    return vs_arena_check(q->arena, err);
}

vs_code kbs_admin_check(kbs_admin *a, const kbs_attempt *t, vs_arena *arena, vs_span *who,
                        vs_error *err)
{
    *who = (vs_span){NULL, 0};
    request q = {.a = a, .arena = arena, .now = t->now};
    switch (a->mode) {
    case KBS_ADMIN_INSECURE_ALLOW_ALL: *who = VS_LIT("anonymous"); return VS_OK;
    case KBS_ADMIN_BEARER:
    case KBS_ADMIN_SIMPLE: return decide(&q, t, who, err);
    case KBS_ADMIN_DENY_ALL: break;
    }
    return refuse(
        &q.why, "Admin access denied: Admin access denied as DenyAll authorization_mode is enabled",
        err);
}
