/* SPDX-License-Identifier: Apache-2.0 */
/* The RCAR handshake: Request, Challenge, Attestation, Response (kbs.md 1). */
#include "kbs/internal.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/io.h"
#include "base/log.h"
#include "kbs/metrics.h"
#include "value/json.h"

#define POLICY_ID VS_LIT("default")

enum { NONCE_TEXT = (KBS_NONCE + 2) / 3 * 4, COOKIE_MAX = 1024, REASON_MAX = 4096 };

/* ---- /auth ------------------------------------------------------------------------------------
 */

static void refuse_auth(kbs_ctx *c, const char *cause, const vs_error *err)
{
    kbs_count(&kbs_m_auth_errors);
    if (err)
        vs_log_error(VS_LOG_DEBUG, "kbs", "handshake request refused", err);
    kbs_refuse(c, KBS_ATTESTATION_ERROR, "Attestation error: RCAR handshake Auth failed: %s",
               cause);
}

/* "KBS Client Protocol Version Mismatch" is what clients look for. */
static bool version_fits(kbs_ctx *c, vs_span version, kbs_protocol *out)
{
    char served[KBS_PROTOCOL_LIST];
    kbs_protocol oldest = c->rules->cfg->as.oldest_protocol;
    switch (kbs_protocol_of(version, oldest, out)) {
    case VS_OK: return true;
    case VS_E_PARSE: refuse_auth(c, "failed to parse KBS version", NULL); return false;
    default: break;
    }
    refuse_auth(c,
                vs_sprintf(c->call.arena,
                           "KBS Client Protocol Version Mismatch: expect %s while the request is "
                           "%.*s",
                           kbs_protocol_list(oldest, served), VS_FMT(version)),
                NULL);
    return false;
}

static void nonce_text(const kbs_session *s, vs_buf *out)
{
    vs_b64_encode(out, VS_B64_STD, vs_span_of(s->nonce, sizeof s->nonce));
}

static vs_code give_cookie(kbs_ctx *c, const kbs_session *s, vs_error *err)
{
    vs_buf cookie = VS_BUF(COOKIE_MAX);
    vs_code code = kbs_session_seal(&c->k->seal, s, &cookie, err);
    c->reply->set_session = vs_dup(c->call.arena, vs_buf_span(&cookie));
    c->reply->set_session_expires = s->expires;
    vs_buf_free(&cookie);
    return code;
}

/* The verifier of IBM SE is bound to SHA-512 (kbs.md 1.4): a client that lists what it can do must
 * list that, and is then told so. */
static vs_code choose_hash(const kbs_request_msg *msg, kbs_session *s, bool *tell, vs_error *err)
{
    *tell = false;
    if (strcmp(s->tee, "se") != 0)
        return VS_OK;
    s->hash = VS_SHA512;
    vs_val list = vs_getc(msg->extra_params, "supported-hash-algorithms");
    if (list.kind != VS_ARRAY)
        return VS_OK;
    *tell = true;
    for (VS_ARR_FOR (name, list))
        if (vs_span_ieq(vs_text(*name), VS_LIT("sha512")))
            return VS_OK;
    return vs_fail(err, VS_E_UNSUPPORTED, "the client cannot do sha512, which TEE \"se\" needs");
}

/* The nonce is ours, or what the verifier of this TEE wants to see. */
static vs_code choose_nonce(kbs_ctx *c, const kbs_request_msg *msg, kbs_session *s, vs_span *nonce,
                            vs_error *err)
{
    VS_TRY(as_challenge(c->k->as, vs_str(s->tee), msg->extra_params, c->call.arena, nonce, err));
    if (nonce->n) {
        uint8_t md[VS_HASH_MAX];
        if (s->protocol < KBS_PROTOCOL_0_4_0) /* the nonce would not come back with the evidence */
            return vs_fail(err, VS_E_UNSUPPORTED, "TEE \"%s\" needs protocol 0.4.0", s->tee);
        VS_TRY(vs_digest(VS_SHA256, *nonce, VS_LIT(""), VS_LIT(""), md, err));
        memcpy(s->nonce, md, sizeof s->nonce);
        s->foreign = true;
        return VS_OK;
    }
    vs_random(s->nonce, sizeof s->nonce);
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(NONCE_TEXT);
    nonce_text(s, &text);
    *nonce = vs_dup(c->call.arena, vs_buf_span(&text));
    return vs_arena_check(c->call.arena, err);
}

static void write_challenge(kbs_ctx *c, vs_span nonce, bool tell_sha512)
{
    vs_jw w = {.out = &c->reply->body};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "nonce");
    vs_jw_span(&w, nonce);
    vs_jw_key(&w, "extra-params");
    if (tell_sha512) {
        vs_jw_open(&w, '{');
        vs_jw_key(&w, "selected-hash-algorithm");
        vs_jw_str(&w, "sha512");
        vs_jw_close(&w, '}');
    } else {
        vs_jw_str(&w, "");
    }
    vs_jw_close(&w, '}');
    c->reply->content_type = "application/json";
}

static vs_code challenge(kbs_ctx *c, const kbs_request_msg *msg, kbs_session *s, vs_error *err)
{
    vs_span nonce;
    bool tell_sha512;
    vs_random(s->id, sizeof s->id);
    VS_TRY(choose_hash(msg, s, &tell_sha512, err));
    VS_TRY(choose_nonce(c, msg, s, &nonce, err));
    write_challenge(c, nonce, tell_sha512);
    return give_cookie(c, s, err);
}

void kbs_auth(kbs_ctx *c)
{
    vs_error err = {0};
    kbs_request_msg msg = {0};
    kbs_count(&kbs_m_auth_requests);
    if (kbs_parse_request(c->call.body, c->call.arena, &msg, &err) != VS_OK) {
        refuse_auth(c, "deserialize Request", &err);
        return;
    }
    kbs_session s = {.issued = c->call.now,
                     .expires = c->call.now + c->rules->cfg->as.session_minutes * 60};
    if (!version_fits(c, msg.version, &s.protocol))
        return;
    size_t tee = strlen(msg.tee);
    if (tee > KBS_TEE_NAME) {
        refuse_auth(c, "Attestation Service generate challenge failed", NULL);
        return;
    }
    memcpy(s.tee, msg.tee, tee);
    if (challenge(c, &msg, &s, &err) != VS_OK)
        refuse_auth(c, "Attestation Service generate challenge failed", &err);
    else
        kbs_count(&kbs_m_auth_successes);
}

/* ---- /attest ----------------------------------------------------------------------------------
 */

/* What the evidence must be bound to (kbs.md 1.7): the primary attester vouches for the devices'
 * evidence as well, in the text that the client sent. */
static vs_val runtime_data(const kbs_attestation_msg *m, bool primary, vs_arena *a)
{
    vs_obj out = {.a = a};
    if (primary && m->composite)
        vs_obj_put(&out, "additional-evidence", vs_string(m->additional));
    vs_obj_put(&out, "nonce", vs_string(m->nonce));
    vs_obj_put(&out, "tee-pubkey", m->tee_pubkey);
    return vs_obj_end(&out, VS_DUP_REFUSE, NULL);
}

static size_t verification_requests(const kbs_session *s, const kbs_attestation_msg *m, vs_arena *a,
                                    as_request reqs[1 + KBS_DEVICES_MAX])
{
    size_t n = 0;
    reqs[n++] = (as_request){
        .tee = vs_str(s->tee),
        .evidence = m->primary,
        .runtime_kind = AS_DATA_STRUCTURED,
        .runtime_json = runtime_data(m, true, a),
        .runtime_hash = s->hash,
        .init_kind = m->init_data_toml.p ? AS_INIT_TOML : AS_INIT_NONE,
        .init = m->init_data_toml,
    };
    for (VS_OBJ_FOR (device, m->devices)) {
        reqs[n++] = (as_request){
            .tee = vs_text(device->key),
            .evidence = device->val,
            .runtime_kind = AS_DATA_STRUCTURED,
            .runtime_json = runtime_data(m, false, a),
        };
    }
    return n;
}

/* What a client of today sends is compared; an older one sends none, and its evidence must be bound
 * to the session's. */
static vs_code check_nonce(const kbs_session *s, const kbs_attestation_msg *m, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf want = VS_BUF(NONCE_TEXT);
    uint8_t md[VS_HASH_MAX];
    vs_span got = m->nonce;
    if (s->foreign) {
        VS_TRY(vs_digest(VS_SHA256, m->nonce, VS_LIT(""), VS_LIT(""), md, err));
        vs_buf_put(&want, vs_span_of(s->nonce, sizeof s->nonce));
        got = vs_span_of(md, vs_hash_size(VS_SHA256));
    } else {
        nonce_text(s, &want);
    }
    if (!vs_ct_eq(vs_buf_span(&want), got))
        return vs_fail(err, VS_E_MISMATCH, "the nonce is not the one of this session's challenge");
    return VS_OK;
}

static vs_code take_nonce(const kbs_session *s, kbs_attestation_msg *m, vs_arena *a, vs_error *err)
{
    if (m->nonce.p)
        return VS_OK;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(NONCE_TEXT);
    nonce_text(s, &text);
    m->nonce = vs_dup(a, vs_buf_span(&text));
    return vs_arena_check(a, err);
}

/* All reasons of all attesters in one line. */
static const char *all_reasons(kbs_ctx *c, vs_val explanation)
{
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(REASON_MAX);
    as_reasons(explanation, &out);
    return out.n ? vs_sprintf(c->call.arena, "%.*s", VS_FMT(vs_buf_span(&out))) : NULL;
}

/* The session's token was made for other evidence, so nothing of this one's is recorded with it. */
static void given_before(kbs_decision *d)
{
    d->reason = "attested before: the same token again";
    d->status = NULL;
    d->evidence = (vs_span){NULL, 0};
    d->appraisal = vs_undefined();
    d->proven = true;
}

/* Evidence to token, for a session that has none yet. Nobody waits for others here: of two at the
 * same time, in this process or another, one makes the session's token. */
static vs_code verify_evidence(kbs_ctx *c, const kbs_session *s, const kbs_attestation_msg *m,
                               kbs_decision *d, vs_span *token, vs_error *err)
{
    as_request reqs[1 + KBS_DEVICES_MAX];
    as_result result;
    VS_TRY(check_nonce(s, m, err));
    size_t n = verification_requests(s, m, c->call.arena, reqs);
    int64_t start = vs_mono_ns();
    vs_code code =
        as_evaluate(c->k->as, reqs, n, POLICY_ID, c->call.now, c->call.arena, &result, err);
    start = kbs_stage("evaluate", start);
    vs_metric_add(code == VS_OK ? &kbs_m_attestation_successes : &kbs_m_attestation_failures,
                  vs_str(s->tee), 1);
    VS_TRY(code);
    d->status = result.status;
    d->reason = all_reasons(c, result.explanation);
    d->appraisal = c->k->journal ? as_result_record(&result, c->call.arena) : vs_undefined();
    VS_TRY(vs_arena_check(c->call.arena, err)); /* no token without its record */
    d->proven = true;
    *token = result.token;
    code = kbs_session_attested(c->k, s, *token, result.expires, err);
    (void)kbs_stage("store session", start);
    if (code != VS_E_EXISTS)
        return code;
    given_before(d);
    return kbs_session_token(c->k, s, c->call.now, c->call.arena, token, err);
}

/* What is recorded of evidence is the digest of its JSON text. */
static vs_span evidence_text(kbs_ctx *c, vs_val evidence)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(KBS_TOKEN_MAX);
    if (!c->k->journal)
        return (vs_span){NULL, 0};
    vs_json_print(&text, evidence);
    return vs_dup(c->call.arena, vs_buf_span(&text));
}

/* The session's token: the stored one, whatever the new evidence says, or a new one. */
static vs_code attest(kbs_ctx *c, kbs_session *s, kbs_decision *d, vs_span *token, vs_error *err)
{
    kbs_attestation_msg m = {0};
    VS_TRY(kbs_session_unseal(&c->k->seal, c->call.session, c->call.now, s, err));
    d->tee = s->tee;
    VS_TRY_WRAP(kbs_parse_attestation(c->call.body, s->protocol, c->call.arena, &m, err), err,
                "Attestation (protocol %s)", kbs_protocol_name(s->protocol));
    VS_TRY(take_nonce(s, &m, c->call.arena, err));
    d->evidence = evidence_text(c, m.primary);
    vs_code code = kbs_session_token(c->k, s, c->call.now, c->call.arena, token, err);
    if (code == VS_OK)
        given_before(d);
    return code == VS_E_NOT_FOUND ? verify_evidence(c, s, &m, d, token, err) : code;
}

void kbs_attest(kbs_ctx *c)
{
    vs_error err = {0};
    kbs_session s = {0};
    vs_span token;
    kbs_decision d = {.what = "attestation"};
    kbs_count(&kbs_m_attestation_requests);
    d.allowed = attest(c, &s, &d, &token, &err) == VS_OK;
    d.error = d.allowed ? NULL : &err;
    if (d.allowed)
        d.token = token;
    bool recorded = kbs_decide(c, &d);
    if (!d.allowed || !recorded) {
        kbs_count(&kbs_m_attestation_errors);
        kbs_refuse(c, KBS_ATTESTATION_ERROR, "Attestation error: RCAR handshake Attest failed");
        return;
    }
    vs_jw w = {.out = &c->reply->body};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "token");
    vs_jw_span(&w, token);
    vs_jw_close(&w, '}');
    c->reply->content_type = "application/json";
    c->reply->set_session = c->call.session;
    c->reply->set_session_expires = s.expires;
}
