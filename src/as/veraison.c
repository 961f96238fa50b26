/* SPDX-License-Identifier: Apache-2.0 */
#include "as/veraison.h"

#include <stdlib.h>

#include "as/cmw.h"
#include "as/ticket.h"
#include "as/veraison_discovery.h"
#include "as/veraison_ear.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/io.h"
#include "base/log.h"
#include "net/media_type.h"
#include "tee/cca/trust.h"
#include "value/json.h"

enum { FORMAT = 2, FIXED = 1 + AS_TICKET_ID + 8 + 1 + 1, ID_MAX = 512 };
enum { REMEMBER_S = 24 * 3600 };
enum { EVIDENCE_MAX = 128 * 1024 }; /* a token has at most half of that, wrapped or not */

static const char key_name[] = "veraison-session-1";
#define LABEL     VS_LIT("vouchsafe veraison session 1")
#define NAMESPACE "veraison_session"
#define USED      "veraison_evidence"

struct as_veraison {
    as_local *as;
    as_veraison_config cfg;
    as_ticket_key key;
};

/* The first is the one that is appraised; the others wrap it. */
static const char *const media_types[] = {
    AS_VERAISON_EVIDENCE,
    "application/cmw",
    "application/cmw+cbor",
    "application/cmw+json",
    "application/vnd.veraison.cmw",
    "application/vnd.veraison.cmw+cbor",
    "application/vnd.veraison.cmw+json",
};

/* ---- refusals -------------------------------------------------------------------------------- */

static void refuse(as_veraison_reply *r, as_veraison_status status, const char *detail)
{
    r->status = status;
    r->detail = detail;
    vs_buf_clear(&r->body);
}

static void refuse_because(const as_veraison_call *c, as_veraison_reply *r,
                           as_veraison_status status, const vs_error *why)
{
    char text[VS_ERROR_TEXT];
    refuse(r, status, vs_sprintf(c->arena, "%s", vs_error_text(why, text, sizeof text)));
}

/* The client learns no more than that. */
static void fail(as_veraison_reply *r, const char *what, const vs_error *err)
{
    vs_log_error(VS_LOG_ERROR, "veraison", what, err);
    refuse(r, AS_VERAISON_FAILED, "the verifier failed");
}

/* ---- sessions -------------------------------------------------------------------------------- */

typedef struct session {
    uint8_t id[AS_TICKET_ID];
    int64_t expires;
    bool chosen; /* the nonce is the client's */
    uint8_t nonce[AS_VERAISON_NONCE_MAX];
    uint8_t n; /* bytes of it */
} session;

static vs_span nonce_of(const session *s)
{
    return vs_span_of(s->nonce, s->n);
}

static vs_code seal(const as_veraison *v, const session *s, vs_buf *ticket, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf state = VS_BUF(AS_TICKET_STATE_MAX);
    vs_buf_putc(&state, FORMAT);
    vs_buf_put(&state, vs_span_of(s->id, sizeof s->id));
    for (unsigned shift = 64; shift > 0; shift -= 8)
        vs_buf_putc(&state, (char)(uint8_t)((uint64_t)s->expires >> (shift - 8)));
    vs_buf_putc(&state, (char)s->chosen);
    vs_buf_putc(&state, (char)s->n);
    vs_buf_put(&state, nonce_of(s));
    VS_TRY(vs_buf_check(&state, err));
    return as_ticket_seal(&v->key, LABEL, vs_buf_span(&state), ticket, err);
}

/* VS_E_NOT_FOUND: not one of ours, or expired. */
static vs_code unseal(const as_veraison *v, vs_span id, int64_t now, session *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf state = VS_BUF(AS_TICKET_STATE_MAX);
    *out = (session){0};
    if (as_ticket_open(&v->key, LABEL, id, &state, NULL) != VS_OK || state.n < FIXED ||
        state.p[0] != FORMAT || state.n != (size_t)FIXED + state.p[FIXED - 1] ||
        state.p[FIXED - 1] > AS_VERAISON_NONCE_MAX)
        return vs_fail(err, VS_E_NOT_FOUND, "there is no such session");
    uint64_t expires = 0;
    for (unsigned i = 0; i < 8; i++)
        expires = expires << 8 | state.p[1 + AS_TICKET_ID + i];
    memcpy(out->id, state.p + 1, sizeof out->id);
    out->chosen = state.p[FIXED - 2] != 0;
    out->n = state.p[FIXED - 1];
    memcpy(out->nonce, state.p + FIXED, out->n);
    out->expires = (int64_t)expires;
    if (now >= out->expires)
        return vs_fail(err, VS_E_NOT_FOUND, "the session has expired");
    return VS_OK;
}

static as_keep keep_of(const session *s)
{
    as_keep k = {.ns = NAMESPACE, .label = "vouchsafe veraison result 1"};
    memcpy(k.id, s->id, sizeof k.id);
    return k;
}

/* A session that was deleted keeps an empty text until it ends. */
static vs_code kept(const as_veraison *v, const session *s, int64_t now, vs_buf *json,
                    vs_error *err)
{
    const as_keep k = keep_of(s);
    size_t before = json->n;
    VS_TRY(as_keep_get(v->as->store, &k, now, json, err));
    return json->n > before ? VS_OK : vs_fail(err, VS_E_EXPIRED, "the session was deleted");
}

static void write_nonce(const as_veraison *v, vs_jw *w, const session *s)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(2 * AS_VERAISON_NONCE_MAX);
    vs_b64_encode(&text, v->cfg.url_nonces ? VS_B64_URL : VS_B64_STD, nonce_of(s));
    vs_jw_span(w, vs_buf_span(&text));
}

typedef struct submission {
    vs_span type, value; /* as it was sent */
    vs_span token;
} submission;

static void write_evidence(vs_jw *w, const submission *sub)
{
    VS_CLEANUP(vs_buf_free) vs_buf value = VS_BUF(AS_KEPT_MAX);
    vs_b64_encode(&value, VS_B64_STD, sub->value);
    vs_jw_key(w, "evidence");
    vs_jw_open(w, '{');
    vs_jw_key(w, "type");
    vs_jw_span(w, sub->type);
    vs_jw_key(w, "value");
    vs_jw_span(w, vs_buf_span(&value));
    vs_jw_close(w, '}');
    if (!vs_buf_ok(&value))
        w->out->failed = true;
}

/* `sub` NULL: it waits for evidence. */
static void write_session(const as_veraison *v, const session *s, const submission *sub,
                          vs_buf *out)
{
    char expiry[VS_TIME_TEXT];
    vs_jw w = {.out = out};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "status");
    vs_jw_str(&w, sub ? "complete" : "waiting");
    vs_jw_key(&w, "nonce");
    write_nonce(v, &w, s);
    vs_jw_key(&w, "expiry");
    vs_jw_str(&w, vs_time_rfc3339(s->expires, expiry));
    vs_jw_key(&w, "accept");
    vs_jw_open(&w, '[');
    for (size_t i = 0; i < VS_COUNT(media_types); i++)
        vs_jw_str(&w, media_types[i]);
    vs_jw_close(&w, ']');
    if (sub) {
        write_evidence(&w, sub);
        vs_jw_key(&w, "result");
        vs_jw_span(&w, sub->token);
    }
    vs_jw_close(&w, '}');
}

/* ---- a new session --------------------------------------------------------------------------- */

/* Without '+' and '/' it is the same text in both alphabets, so that clients of either read it: one
 * of about four random nonces of 32 bytes is such, and what is drawn again costs two bits. */
static bool same_in_both_alphabets(const session *s)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(2 * AS_VERAISON_NONCE_MAX);
    vs_b64_encode(&text, VS_B64_STD, nonce_of(s));
    return text.n && !memchr(text.p, '+', text.n) && !memchr(text.p, '/', text.n);
}

static void draw_nonce(session *s)
{
    for (unsigned tries = 0; tries < 64; tries++) {
        vs_random(s->nonce, s->n);
        if (same_in_both_alphabets(s))
            return;
    }
}

static vs_code choose_nonce(const as_veraison *v, const as_veraison_call *c, session *s,
                            vs_error *err)
{
    uint64_t size = AS_VERAISON_NONCE;
    s->chosen = c->nonce.p != NULL;
    if (s->chosen && v->cfg.client_nonces == AS_CLIENT_NONCES_REFUSED)
        return vs_fail(err, VS_E_INVALID, "this verifier draws nonces itself and takes none");
    if (c->nonce.p && c->nonce_size.p)
        return vs_fail(err, VS_E_INVALID, "nonce and nonceSize exclude each other");
    if (c->nonce.p) {
        VS_CLEANUP(vs_buf_free) vs_buf nonce = VS_BUF(3 * AS_VERAISON_NONCE_MAX);
        VS_TRY_WRAP(vs_b64_decode(&nonce, VS_B64_URL_ANYPAD, c->nonce, err), err, "nonce");
        size = nonce.n;
        if (size <= AS_VERAISON_NONCE_MAX && size > 0)
            memcpy(s->nonce, nonce.p, size);
    } else if (c->nonce_size.p && !vs_span_decimal(c->nonce_size, UINT16_MAX, &size)) {
        return vs_fail(err, VS_E_INVALID, "nonceSize must be a number");
    }
    if (size < AS_VERAISON_NONCE_MIN || size > AS_VERAISON_NONCE_MAX)
        return vs_fail(err, VS_E_INVALID, "the nonce must have %d to %d bytes, not %llu",
                       AS_VERAISON_NONCE_MIN, AS_VERAISON_NONCE_MAX, (unsigned long long)size);
    s->n = (uint8_t)size;
    if (!c->nonce.p)
        draw_nonce(s);
    return VS_OK;
}

static void new_session(const as_veraison *v, const as_veraison_call *c, as_veraison_reply *r)
{
    vs_error err = {0};
    session s = {.expires = c->now + AS_VERAISON_LIFE_S};
    VS_CLEANUP(vs_buf_free) vs_buf location = VS_BUF(ID_MAX);
    if (choose_nonce(v, c, &s, &err) != VS_OK) {
        refuse_because(c, r, AS_VERAISON_BAD_REQUEST, &err);
        return;
    }
    vs_random(s.id, sizeof s.id);
    vs_buf_puts(&location, "session/");
    if (seal(v, &s, &location, &err) != VS_OK) {
        fail(r, "a session was not made", &err);
        return;
    }
    r->status = AS_VERAISON_CREATED;
    r->location = vs_dup(c->arena, vs_buf_span(&location));
    write_session(v, &s, NULL, &r->body);
}

/* ---- evidence -------------------------------------------------------------------------------- */

/* The token within the body. VS_E_UNSUPPORTED: of a type that nobody appraises here. */
static vs_code unwrap(const as_veraison_call *c, submission *sub, vs_span *evidence, vs_error *err)
{
    as_cmw_form form;
    as_cmw cmw;
    if (!c->content_type.n)
        return vs_fail(err, VS_E_UNSUPPORTED, "the request has no Content-Type");
    VS_TRY(vs_media_type_normal(c->arena, c->content_type, &sub->type, err));
    if (!c->body.n)
        return vs_fail(err, VS_E_INVALID, "the request has no evidence");
    if (c->body.n > EVIDENCE_MAX)
        return vs_fail(err, VS_E_LIMIT, "evidence of %zu bytes, at most %d", c->body.n,
                       EVIDENCE_MAX);
    sub->value = *evidence = c->body;
    vs_span type = sub->type;
    if (as_cmw_form_of(type, &form)) {
        VS_TRY(as_cmw_open(c->arena, c->body, form, &cmw, err));
        *evidence = cmw.value;
        type = cmw.collection ? type : cmw.type;
        if (!cmw.collection && !type.n)
            return vs_fail(err, VS_E_UNSUPPORTED, "no verifier for evidence of content format %llu",
                           (unsigned long long)cmw.number);
    }
    if (!vs_span_is(type, AS_VERAISON_EVIDENCE))
        return vs_fail(err, VS_E_UNSUPPORTED, "no verifier for evidence of type \"%.*s\"",
                       VS_FMT(vs_span_head(type, 200)));
    return VS_OK;
}

/* The first session that proves evidence has it, and again when it comes back to it. VS_E_EXISTS:
 * another one has. A nonce that was drawn here is new by itself; its evidence is remembered since
 * somebody may bring it to a session for the same nonce, now his. */
static vs_code use(const as_veraison *v, const session *s, const as_veraison_finding *found,
                   int64_t now, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf key = VS_BUF(2 * VS_HASH_MAX);
    VS_CLEANUP(vs_buf_free) vs_buf user = VS_BUF(VS_HASH_MAX);
    uint8_t own[VS_HASH_MAX];
    if (v->cfg.client_nonces != AS_CLIENT_NONCES_ONCE)
        return VS_OK;
    vs_hex_encode(&key, vs_span_of(found->identity, vs_hash_size(VS_SHA256)));
    VS_TRY(vs_buf_check(&key, err));
    VS_TRY(vs_digest(VS_SHA256, vs_span_of(s->id, sizeof s->id), VS_LIT(""), VS_LIT(""), own, err));
    vs_span self = vs_span_of(own, vs_hash_size(VS_SHA256));
    vs_code code =
        vs_store_put(v->as->store, USED, vs_buf_span(&key), self, now + v->cfg.remember_s,
                     s->chosen ? VS_PUT_CREATE : VS_PUT_REPLACE, err);
    if (code != VS_E_EXISTS)
        return code;
    vs_error gone = {0};
    if (vs_store_get(v->as->store, USED, vs_buf_span(&key), 0, &user, &gone) == VS_OK &&
        vs_span_eq(vs_buf_span(&user), self))
        return VS_OK;
    return vs_fail(err, VS_E_EXISTS,
                   "this evidence had its result in another session: for a nonce that the client "
                   "chose it has one (ask for that session's, or attest anew)");
}

/* As a finding, for who wants to know: nothing is proven by it. */
static void refuse_used(const as_veraison_call *c, as_veraison_finding *found, as_veraison_reply *r,
                        const vs_error *why)
{
    refuse_because(c, r, AS_VERAISON_USED, why);
    found->proven = false;
    found->status = "contraindicated";
    found->reason = r->detail;
    found->token = (vs_span){NULL, 0};
    if (c->decide && !c->decide(c->user, found))
        refuse(r, AS_VERAISON_FAILED, "the verifier failed");
}

static void appraise(const as_veraison *v, const as_veraison_call *c, const session *s,
                     submission *sub, vs_span evidence, as_veraison_reply *r)
{
    vs_error err = {0};
    as_veraison_finding found;
    if (as_veraison_appraise(v->as, evidence, nonce_of(s), c->now, c->arena, &found, &err) !=
        VS_OK) {
        fail(r, "evidence was not appraised", &err);
        return;
    }
    vs_code code = found.proven ? use(v, s, &found, c->now, &err) : VS_OK;
    if (code != VS_OK) {
        if (code == VS_E_EXISTS)
            refuse_used(c, &found, r, &err);
        else
            fail(r, "evidence was not remembered", &err);
        return;
    }
    if (c->decide && !c->decide(c->user, &found)) {
        refuse(r, AS_VERAISON_FAILED, "the verifier failed");
        return;
    }
    sub->token = found.token;
    write_session(v, s, sub, &r->body);
    const as_keep k = keep_of(s);
    code = vs_buf_check(&r->body, &err);
    if (code == VS_OK && found.proven)
        code =
            as_keep_put(v->as->store, &k, vs_buf_span(&r->body), s->expires, VS_PUT_CREATE, &err);
    if (code == VS_E_EXISTS) { /* of two at the same time the first one counts */
        vs_buf_clear(&r->body);
        code = kept(v, s, c->now, &r->body, &err);
    }
    if (code != VS_OK)
        fail(r, "a result was not kept", &err);
}

/* Answers with what is kept; false when nothing is and the session is still good for evidence. */
static bool answer_kept(const as_veraison *v, const as_veraison_call *c, const session *s,
                        as_veraison_reply *r)
{
    vs_error err = {0};
    vs_code code = kept(v, s, c->now, &r->body, &err);
    if (code == VS_E_EXPIRED)
        refuse_because(c, r, AS_VERAISON_NOT_FOUND, &err);
    else if (code != VS_OK && code != VS_E_NOT_FOUND)
        fail(r, "a session was not read", &err);
    return code != VS_E_NOT_FOUND;
}

static void refuse_type(const as_veraison_call *c, as_veraison_reply *r, const vs_error *why)
{
    VS_CLEANUP(vs_buf_free) vs_buf list = VS_BUF(1024);
    for (size_t i = 0; i < VS_COUNT(media_types); i++)
        vs_buf_printf(&list, "%s%s", i ? ", " : "", media_types[i]);
    refuse_because(c, r, AS_VERAISON_UNSUPPORTED_TYPE, why);
    r->accept = vs_sprintf(c->arena, "%.*s", VS_FMT(vs_buf_span(&list)));
}

static void submit(const as_veraison *v, const as_veraison_call *c, const session *s,
                   as_veraison_reply *r)
{
    vs_error err = {0};
    submission sub = {0};
    vs_span evidence;
    if (s->chosen && v->cfg.client_nonces == AS_CLIENT_NONCES_REFUSED) { /* opened before */
        refuse(r, AS_VERAISON_NOT_FOUND, "there is no such session");
        return;
    }
    vs_code code = unwrap(c, &sub, &evidence, &err);
    if (code == VS_E_NOMEM)
        fail(r, "evidence was not read", &err);
    else if (code == VS_E_UNSUPPORTED)
        refuse_type(c, r, &err);
    else if (code != VS_OK)
        refuse_because(c, r, AS_VERAISON_BAD_REQUEST, &err);
    else if (!answer_kept(v, c, s, r))
        appraise(v, c, s, &sub, evidence, r);
}

/* ---- the rest -------------------------------------------------------------------------------- */

static void delete_session(const as_veraison *v, const as_veraison_call *c, const session *s,
                           as_veraison_reply *r)
{
    vs_error err = {0};
    VS_CLEANUP(vs_buf_free) vs_buf json = VS_BUF(AS_KEPT_MAX);
    const as_keep k = keep_of(s);
    vs_code code = kept(v, s, c->now, &json, &err);
    r->status = AS_VERAISON_NO_CONTENT;
    if (code == VS_OK)
        code = as_keep_put(v->as->store, &k, VS_LIT(""), s->expires, VS_PUT_REPLACE, &err);
    if (code == VS_E_EXPIRED)
        refuse_because(c, r, AS_VERAISON_NOT_FOUND, &err);
    else if (code != VS_OK && code != VS_E_NOT_FOUND)
        fail(r, "a session was not deleted", &err);
}

static void write_key(vs_jw *w, vs_val jwk)
{
    static const char *const members[] = {"kty", "crv", "x", "y", "alg"};
    vs_jw_open(w, '{');
    for (size_t i = 0; i < VS_COUNT(members); i++) {
        vs_jw_key(w, members[i]);
        vs_jw_val(w, vs_getc(jwk, members[i]));
    }
    vs_jw_close(w, '}');
}

static void discover(const as_veraison *v, as_veraison_reply *r)
{
    vs_jw w = {.out = &r->body};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "ear-verification-key");
    write_key(&w, v->as->signer.jwk);
    vs_jw_key(&w, "media-types");
    vs_jw_open(&w, '[');
    for (size_t i = 0; i < VS_COUNT(media_types); i++)
        vs_jw_str(&w, media_types[i]);
    vs_jw_close(&w, ']');
    as_veraison_put_service(&w, "newChallengeResponseSession", AS_VERAISON_NEW_SESSION);
    vs_jw_close(&w, '}');
}

static void with_session(const as_veraison *v, const as_veraison_call *c, as_veraison_reply *r)
{
    vs_error err = {0};
    session s;
    if (unseal(v, c->session, c->now, &s, &err) != VS_OK)
        refuse_because(c, r, AS_VERAISON_NOT_FOUND, &err);
    else if (c->verb == AS_VERAISON_SUBMIT)
        submit(v, c, &s, r);
    else if (c->verb == AS_VERAISON_DELETE)
        delete_session(v, c, &s, r);
    else if (!answer_kept(v, c, &s, r))
        write_session(v, &s, NULL, &r->body);
}

void as_veraison_handle(as_veraison *v, const as_veraison_call *c, as_veraison_reply *r)
{
    r->status = AS_VERAISON_OK;
    r->detail = r->accept = "";
    if (c->verb == AS_VERAISON_DISCOVER)
        discover(v, r);
    else if (c->verb == AS_VERAISON_NEW)
        new_session(v, c, r);
    else
        with_session(v, c, r);
    vs_error err = {0};
    vs_code code = vs_buf_check(&r->body, &err);
    if (code == VS_OK)
        code = vs_arena_check(c->arena, &err);
    if (code != VS_OK)
        fail(r, "a session was not answered", &err);
}

void as_veraison_tick(as_veraison *v, int64_t now)
{
    vs_error err = {0};
    if (vs_store_purge_all(v->as->store, now, &err) != VS_OK)
        vs_log_error(VS_LOG_WARN, "veraison", "expired sessions were not removed", &err);
}

vs_code as_veraison_new(as_service *as, const as_veraison_config *cfg, as_veraison **out,
                        vs_error *err)
{
    *out = NULL;
    if (!as_service_is_local(as))
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "Veraison's interface needs a built-in attestation service");
    if (cca_trust_is_remote(((as_local *)as)->trust->cca))
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "Veraison's interface verifies CCA tokens here, but the CCA verifier is "
                       "configured to be another service (\"type\": \"remote\")");
    VS_CLEANUP(as_veraison_free) as_veraison *v = calloc(1, sizeof *v);
    if (!v)
        return vs_fail(err, VS_E_NOMEM, "out of memory for Veraison's interface");
    v->as = (as_local *)as;
    v->cfg = *cfg;
    if (v->cfg.remember_s <= 0)
        v->cfg.remember_s = REMEMBER_S;
    VS_TRY(as_ticket_key_load(&v->key, v->as->store, key_name, err));
    *out = v;
    v = NULL; /* transferred */
    return VS_OK;
}

void as_veraison_free(as_veraison **v)
{
    if (!*v)
        return;
    vs_wipe(&(*v)->key, sizeof(*v)->key);
    free(*v);
    *v = NULL;
}
