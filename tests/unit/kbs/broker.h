/* SPDX-License-Identifier: Apache-2.0 */
/* A whole key broker in memory, and a client that knows the protocol but not the broker's inside.
 */
#ifndef TEST_KBS_BROKER_H
#define TEST_KBS_BROKER_H

#include "as/as_fixture.h"

#include "kbs/journal.h"
#include "kbs/kbs.h"
#include "realm/realm.h"
#include "tee/cca/trust.h"

typedef struct broker {
    world w;
    kbs_config cfg;
    kbs *k;
    kbs_journal *journal;
    char key_file[64];
    vs_key *admin_key, *tee_key;
    kbs_identity_provider provider;
    kbs_acl acl;
    realm_keys realm;
    realm_spec spec;
    cca_trust *cca;
    int64_t now;
} broker;

/* ---- start ------------------------------------------------------------------------------------
 */

static inline void write_admin_key(broker *b)
{
    vs_error err = {0};
    vs_buf pem = VS_BUF(4096);
    assert_vs_ok(vs_key_generate(VS_KEY_ED25519, &b->admin_key, &err), &err);
    assert_vs_ok(vs_key_to_pem(&pem, b->admin_key, false, &err), &err);
    (void)snprintf(b->key_file, sizeof b->key_file, "/tmp/vs-broker-test-XXXXXX");
    int fd = mkstemp(b->key_file);
    assert_true(fd >= 0);
    assert_vs_ok(vs_write_fd(fd, vs_buf_span(&pem), &err), &err);
    (void)close(fd);
    vs_buf_free(&pem);
}

static inline void trust_realm(broker *b)
{
    vs_error err = {0};
    vs_buf ta = VS_BUF(1 << 16), rv = VS_BUF(1 << 16);
    assert_vs_ok(realm_keys_generate(&b->realm, &err), &err);
    assert_vs_ok(realm_spec_default(&b->w.a, &b->spec, &err), &err);
    assert_vs_ok(realm_ta_store(&b->spec, &b->realm, &ta, &err), &err);
    assert_vs_ok(realm_rv_store(&b->spec, &rv, &err), &err);
    assert_vs_ok(cca_trust_of_text(vs_buf_span(&ta), vs_buf_span(&rv), &b->cca, &err), &err);
    b->w.trust.cca = b->cca;
    vs_buf_free(&ta);
    vs_buf_free(&rv);
}

static inline void broker_open(broker *b)
{
    vs_error err = {0};
    *b = (broker){.now = NOW};
    world_open(&b->w, NULL);
    write_admin_key(b);
    trust_realm(b);
    assert_vs_ok(vs_key_generate(VS_KEY_P256, &b->tee_key, &err), &err);
    kbs_config_defaults(&b->cfg, NULL);
    b->provider = (kbs_identity_provider){.issuer = "tester", .public_key_uri = b->key_file};
    b->acl = (kbs_acl){"admin", "^/kbs/.+$"};
    b->cfg.admin = (kbs_admin_config){.mode = KBS_ADMIN_BEARER,
                                      .providers = &b->provider,
                                      .n_providers = 1,
                                      .acls = &b->acl,
                                      .n_acls = 1};
    b->cfg.has_resource_plugin = true;
    b->cfg.has_sample_plugin = true;
    assert_vs_ok(kbs_new(&b->cfg, b->w.store, b->w.store, b->w.as, b->w.rv, &b->k, &err), &err);
    const kbs_journal_config journal = {.store = b->w.store, .keep_days = 30};
    assert_vs_ok(kbs_journal_new(&journal, &b->journal, &err), &err);
    kbs_set_journal(b->k, b->journal);
}

static inline void broker_close(broker *b)
{
    kbs_free(&b->k);
    kbs_journal_free(&b->journal);
    world_close(&b->w);
    cca_trust_free(&b->cca);
    realm_keys_free(&b->realm);
    vs_key_free(&b->admin_key);
    vs_key_free(&b->tee_key);
    (void)unlink(b->key_file);
}

static inline int broker_setup(void **state)
{
    broker *b = calloc(1, sizeof *b);
    assert_non_null(b);
    broker_open(b);
    *state = b;
    return 0;
}

static inline int broker_teardown(void **state)
{
    broker_close(*state);
    free(*state);
    return 0;
}

/* ---- requests ---------------------------------------------------------------------------------
 */

typedef struct answer {
    kbs_error error;
    vs_span detail, body, session;
    int64_t session_expires;
    const char *content_type, *decision, *etag;
} answer;

enum { SEGMENTS_MAX = 16 };

typedef struct ask {
    kbs_method method;
    const char *path; /* below /kbs/v0/ */
    vs_span body, session, bearer;
    vs_val query;
    const char *if_match, *if_none_match;
} ask;

/* On `a`, so that threads can use their own. */
static inline answer tell_on(broker *b, vs_arena *a, ask q)
{
    vs_span segments[SEGMENTS_MAX], rest = vs_str(q.path);
    size_t n = 0;
    for (bool more = true; more && n < SEGMENTS_MAX;)
        segments[n++] = vs_span_cut(rest, '/', &rest, &more);
    const kbs_call call = {.method = q.method,
                           .segments = segments,
                           .n_segments = n,
                           .path = vs_str(vs_sprintf(a, "/kbs/v0/%s", q.path)),
                           .query = vs_defined(q.query) ? q.query : vs_empty(VS_OBJECT),
                           .session = q.session,
                           .bearer = q.bearer,
                           .if_match = vs_str(q.if_match),
                           .if_none_match = vs_str(q.if_none_match),
                           .body = q.body,
                           .now = b->now,
                           .arena = a};
    kbs_reply reply = {.body = VS_BUF(4 << 20)};
    kbs_handle(b->k, &call, &reply);
    answer r = {.error = reply.error,
                .detail = reply.detail,
                .session = reply.set_session,
                .session_expires = reply.set_session_expires,
                .content_type = reply.content_type,
                .etag = reply.etag,
                .decision = vs_sprintf(a, "%s", reply.decision),
                .body = vs_dup(a, vs_buf_span(&reply.body))};
    vs_buf_free(&reply.body);
    return r;
}

static inline answer tell(broker *b, ask q)
{
    return tell_on(b, &b->w.a, q);
}

#define assert_refused(answer_, name, text)                                                        \
    do {                                                                                           \
        answer a_ = (answer_);                                                                     \
        assert_string_equal(kbs_error_name(a_.error), (name));                                     \
        assert_span_is(a_.detail, (text));                                                         \
        assert_int_equal(a_.body.n, 0);                                                            \
    } while (0)

static inline void assert_granted(answer r)
{
    if (r.error != KBS_OK)
        fail_msg("%s: %.*s", kbs_error_name(r.error), VS_FMT(r.detail));
}

/* ---- administrator ----------------------------------------------------------------------------
 */

static inline vs_span sign_admin(broker *b, const char *claims)
{
    vs_error err = {0};
    vs_buf out = VS_BUF(1 << 16);
    assert_vs_ok(vs_jws_sign(&out, b->admin_key, VS_EDDSA,
                             VS_LIT("{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}"), vs_str(claims), &err),
                 &err);
    vs_span token = vs_dup(&b->w.a, vs_buf_span(&out));
    vs_buf_free(&out);
    return token;
}

static inline vs_span admin_token(broker *b)
{
    return sign_admin(b, "{\"iss\":\"tester\",\"role\":\"admin\",\"exp\":4000000000}");
}

static inline void put_resource(broker *b, const char *path, const char *secret)
{
    assert_granted(
        tell(b, (ask){KBS_POST, path, .body = vs_str(secret), .bearer = admin_token(b)}));
}

static inline const char *policy_body(broker *b, const char *id, vs_span text)
{
    vs_span b64 = vs_b64_encode_arena(&b->w.a, VS_B64_URL, text);
    return id ? vs_sprintf(&b->w.a, "{\"type\":\"rego\",\"policy_id\":\"%s\",\"policy\":\"%.*s\"}",
                           id, VS_FMT(b64))
              : vs_sprintf(&b->w.a, "{\"policy\":\"%.*s\"}", VS_FMT(b64));
}

static inline void set_resource_policy(broker *b, vs_span text)
{
    assert_granted(
        tell(b, (ask){KBS_POST, "resource-policy", .body = vs_str(policy_body(b, NULL, text)),
                      .bearer = admin_token(b)}));
}

/* ---- attester ---------------------------------------------------------------------------------
 */

typedef struct challenge {
    vs_span session, nonce;
    int64_t expires;
} challenge;

static inline vs_span request_body(broker *b, const char *tee)
{
    return vs_str(vs_sprintf(&b->w.a,
                             "{\"version\":\"0.4.0\",\"tee\":\"%s\",\"extra-params\":"
                             "{\"supported-hash-algorithms\":[\"sha384\"]}}",
                             tee));
}

static inline challenge authenticate(broker *b, const char *tee)
{
    answer r = tell(b, (ask){KBS_POST, "auth", .body = request_body(b, tee)});
    assert_granted(r);
    assert_true(r.session.n > 0 && r.session.n < 1024);
    vs_val v = json(&b->w, vs_sprintf(&b->w.a, "%.*s", VS_FMT(r.body)));
    return (challenge){r.session, vs_text(vs_getc(v, "nonce")), r.session_expires};
}

static inline vs_val tee_jwk(broker *b, const vs_key *key)
{
    vs_error err = {0};
    vs_val jwk;
    assert_vs_ok(vs_key_to_jwk(&b->w.a, key, "ECDH-ES+A256KW", &jwk, &err), &err);
    return jwk;
}

static inline vs_val runtime_data(broker *b, vs_span nonce, vs_val jwk, const char *additional)
{
    vs_obj o = {.a = &b->w.a};
    if (additional)
        vs_obj_put(&o, "additional-evidence", vs_cstring(additional));
    vs_obj_put(&o, "nonce", vs_string(nonce));
    vs_obj_put(&o, "tee-pubkey", jwk);
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static inline vs_span report_data(broker *b, vs_val runtime)
{
    vs_error err = {0};
    uint8_t md[VS_HASH_MAX];
    vs_buf text = VS_BUF(1 << 20);
    assert_vs_ok(vs_json_canonical(&text, runtime, &err), &err);
    assert_vs_ok(vs_digest(VS_SHA384, vs_buf_span(&text), VS_LIT(""), VS_LIT(""), md, &err), &err);
    vs_buf_free(&text);
    return vs_dup(&b->w.a, vs_span_of(md, 48));
}

/* Evidence of `tee` bound to 48 bytes, as JSON. */
static inline vs_val evidence_for(broker *b, const char *tee, vs_span bound)
{
    vs_error err = {0};
    if (strncmp(tee, "sample", 6) == 0) {
        vs_span b64 = vs_b64_encode_arena(&b->w.a, VS_B64_STD, bound);
        return json(&b->w,
                    vs_sprintf(&b->w.a, "{\"svn\":\"1\",\"report_data\":\"%.*s\"}", VS_FMT(b64)));
    }
    uint8_t challenge64[64];
    vs_buf token = VS_BUF(1 << 16);
    vs_tee_fit(bound, challenge64, sizeof challenge64);
    assert_vs_ok(realm_token(&b->spec, &b->realm, vs_span_of(challenge64, 64), &token, &err), &err);
    vs_vec bytes = {.a = &b->w.a};
    for (size_t i = 0; i < token.n; i++)
        vs_vec_add(&bytes, vs_int(token.p[i]));
    vs_buf_free(&token);
    vs_obj o = {.a = &b->w.a};
    vs_obj_put(&o, "token", vs_vec_end_array(&bytes));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static inline vs_span attestation_body(broker *b, vs_span nonce, vs_val jwk, vs_val evidence,
                                       const char *additional)
{
    vs_buf out = VS_BUF(1 << 20);
    vs_jw w = {.out = &out};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "init-data");
    vs_jw_val(&w, vs_null());
    vs_jw_key(&w, "runtime-data");
    vs_jw_val(&w, runtime_data(b, nonce, jwk, NULL));
    vs_jw_key(&w, "tee-evidence");
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "primary_evidence");
    vs_jw_val(&w, evidence);
    vs_jw_key(&w, "additional_evidence");
    vs_jw_str(&w, additional);
    vs_jw_close(&w, '}');
    vs_jw_close(&w, '}');
    vs_span body = vs_dup(&b->w.a, vs_buf_span(&out));
    vs_buf_free(&out);
    return body;
}

/* The body that an honest client sends. */
static inline vs_span honest_body(broker *b, const char *tee, const challenge *c)
{
    vs_val jwk = tee_jwk(b, b->tee_key);
    vs_val runtime = runtime_data(b, c->nonce, jwk, "");
    return attestation_body(b, c->nonce, jwk, evidence_for(b, tee, report_data(b, runtime)), "");
}

static inline answer send_evidence(broker *b, vs_span session, vs_span body)
{
    return tell(b, (ask){KBS_POST, "attest", .body = body, .session = session});
}

static inline vs_span token_in(broker *b, answer r)
{
    assert_granted(r);
    vs_val v = json(&b->w, vs_sprintf(&b->w.a, "%.*s", VS_FMT(r.body)));
    assert_int_equal(v.len, 1);
    return vs_text(vs_getc(v, "token"));
}

/* The whole handshake. */
static inline vs_span attest(broker *b, const char *tee, challenge *c)
{
    *c = authenticate(b, tee);
    return token_in(b, send_evidence(b, c->session, honest_body(b, tee, c)));
}

static inline void assert_secret(broker *b, answer r, const char *want)
{
    vs_error err = {0};
    vs_buf plain = VS_BUF(1 << 16);
    assert_granted(r);
    assert_string_equal(r.content_type, "application/json");
    assert_vs_ok(vs_jwe_decrypt(r.body, b->tee_key, &plain, &err), &err);
    assert_span_is(vs_buf_span(&plain), want);
    vs_buf_free(&plain);
}

#define DEMO             "resource/cca-trustee/demo-message/message.txt"
#define ATTEST_FAILED    "Attestation error: RCAR handshake Attest failed"
#define AUTH_FAILED(why) "Attestation error: RCAR handshake Auth failed: " why

#endif
