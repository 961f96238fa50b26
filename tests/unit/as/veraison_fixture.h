/* SPDX-License-Identifier: Apache-2.0 */
/* An attestation service with Veraison's interface, a software realm that it trusts, and the
 * reference's own example. */
#ifndef TEST_VERAISON_FIXTURE_H
#define TEST_VERAISON_FIXTURE_H

#include "as/as_fixture.h"
#include "tee/soft_realm.h"

#include "as/veraison.h"
#include "base/clock.h"

#define GOOD_TOKEN "data/cca/tokens/veraison-cca-good-mixed-profile.cbor"
#define GOOD_NONCE                                                                                 \
    "byTWuWNaLIu_WOkIuU4Ewb-zroDN6-gyQkV4SZ_jF2Hn9eHYvOASGET1Sr36UobaiPU6ZXsVM1yTlrQyklS8XA=="

typedef struct verifier {
    world w;
    as_veraison *v;
    soft_realm soft;
    cca_trust *cca;
    int64_t now;
} verifier;

static inline void verifier_open_with(verifier *f, as_veraison_config how)
{
    vs_error err = {0};
    *f = (verifier){.now = NOW};
    world_open(&f->w, NULL);
    soft_start(&f->soft, VS_KEY_P256, VS_KEY_P256);
    soft_trust(&f->soft, &f->cca);
    f->w.trust.cca = f->cca;
    assert_vs_ok(as_veraison_new(f->w.as, &how, &f->v, &err), &err);
}

static inline void verifier_open(verifier *f, bool url_nonces)
{
    verifier_open_with(f, (as_veraison_config){.url_nonces = url_nonces});
}

static inline void verifier_close(verifier *f)
{
    as_veraison_free(&f->v);
    world_close(&f->w);
    cca_trust_free(&f->cca);
    soft_stop(&f->soft);
}

static inline int verifier_setup(void **state)
{
    verifier *f = calloc(1, sizeof *f);
    assert_non_null(f);
    verifier_open(f, false);
    *state = f;
    return 0;
}

static inline int verifier_teardown(void **state)
{
    verifier_close(*state);
    free(*state);
    return 0;
}

/* Trust in exactly the platform and the realm of a token. */
static inline void trust_token(verifier *f, const char *jwk_file, const cca_token *t)
{
    vs_error err = {0};
    vs_buf jwk = VS_BUF(1 << 16), ta = VS_BUF(1 << 17), rv = VS_BUF(1 << 17);
    read_shared(jwk_file, &jwk);
    vs_buf_puts(&ta, "[{\"pkey\":");
    vs_buf_put(&ta, vs_buf_span(&jwk));
    vs_buf_puts(&ta, ",\"implementation-id\":\"");
    vs_hex_encode(&ta, t->platform.implementation_id);
    vs_buf_puts(&ta, "\",\"instance-id\":\"");
    vs_hex_encode(&ta, t->platform.instance_id);
    vs_buf_puts(&ta, "\"}]");
    vs_buf_puts(&rv, "{\"platform\":[{\"implementation-id\":\"");
    vs_hex_encode(&rv, t->platform.implementation_id);
    vs_buf_puts(&rv, "\",\"platform-configuration\":\"");
    vs_hex_encode(&rv, t->platform.config);
    vs_buf_puts(&rv, "\",\"sw-components\":[");
    for (size_t i = 0; i < t->platform.n_components; i++) {
        vs_buf_puts(&rv, i ? ",{\"measurement-value\":\"" : "{\"measurement-value\":\"");
        vs_hex_encode(&rv, t->platform.components[i].value);
        vs_buf_puts(&rv, "\",\"signer-id\":\"");
        vs_hex_encode(&rv, t->platform.components[i].signer_id);
        vs_buf_puts(&rv, "\"}");
    }
    vs_buf_puts(&rv, "]}],\"realm\":[{\"initial-measurement\":\"");
    vs_hex_encode(&rv, t->realm.rim);
    vs_buf_puts(&rv, "\",\"personalization-value\":\"");
    vs_hex_encode(&rv, t->realm.rpv);
    vs_buf_puts(&rv, "\",\"rak-hash-algorithm\":\"sha-256\",\"extensible-measurements\":[");
    for (unsigned i = 0; i < CCA_REMS; i++) {
        vs_buf_puts(&rv, i ? ",\"" : "\"");
        vs_hex_encode(&rv, t->realm.rem[i]);
        vs_buf_putc(&rv, '"');
    }
    vs_buf_puts(&rv, "]}]}");
    cca_trust_free(&f->cca);
    assert_vs_ok(cca_trust_of_text(vs_buf_span(&ta), vs_buf_span(&rv), &f->cca, &err), &err);
    f->w.trust.cca = f->cca;
    vs_buf_free(&jwk);
    vs_buf_free(&ta);
    vs_buf_free(&rv);
}

/* The reference's example, trusted. */
static inline vs_span good_token(verifier *f)
{
    vs_error err = {0};
    vs_buf raw = VS_BUF(CCA_TOKEN_MAX);
    cca_token t;
    read_shared(GOOD_TOKEN, &raw);
    vs_span token = vs_dup(&f->w.a, vs_buf_span(&raw));
    vs_buf_free(&raw);
    assert_vs_ok(cca_token_decode(&f->w.a, token, &t, &err), &err);
    trust_token(f, "data/cca/trust/veraison-cpak-p256.jwk", &t);
    return token;
}

/* ---- calls -------------------------------------------------------------------------------------
 */

typedef struct told {
    as_veraison_status status;
    vs_val json; /* undefined: no body */
    vs_span location;
    const char *detail, *accept;
} told;

static inline told call_on(verifier *f, vs_arena *a, as_veraison_call c)
{
    as_veraison_reply r = {.body = VS_BUF(1 << 20)};
    c.now = f->now;
    c.arena = a;
    as_veraison_handle(f->v, &c, &r);
    told t = {.status = r.status, .location = r.location, .detail = r.detail, .accept = r.accept};
    if (r.body.n)
        assert_vs_code(vs_json_parse(a, vs_dup(a, vs_buf_span(&r.body)), NULL, &t.json, NULL),
                       VS_OK);
    vs_buf_free(&r.body);
    return t;
}

static inline told call(verifier *f, as_veraison_call c)
{
    return call_on(f, &f->w.a, c);
}

/* A new session's id. */
static inline vs_span session_for(verifier *f, const char *nonce)
{
    told t = call(f, (as_veraison_call){.verb = AS_VERAISON_NEW, .nonce = vs_str(nonce)});
    assert_int_equal(t.status, AS_VERAISON_CREATED);
    assert_true(vs_span_starts(t.location, VS_LIT("session/")));
    return vs_span_from(t.location, 8);
}

static inline vs_span session_for_bytes(verifier *f, vs_span nonce)
{
    vs_span text = vs_b64_encode_arena(&f->w.a, VS_B64_URL, nonce);
    return session_for(f, vs_sprintf(&f->w.a, "%.*s", VS_FMT(text)));
}

/* For the software realm's challenge. */
static inline vs_span soft_session(verifier *f)
{
    return session_for_bytes(f, vs_span_of(f->soft.challenge, CCA_CHALLENGE));
}

/* Another challenge: evidence that no session has had. */
static inline void next_challenge(verifier *f)
{
    for (size_t i = 0; i < CCA_CHALLENGE && ++f->soft.challenge[i] == 0; i++)
        continue;
}

static inline vs_span soft_evidence_bytes(verifier *f)
{
    vs_buf token = VS_BUF(CCA_TOKEN_MAX);
    soft_token(&f->soft, &token);
    vs_span out = vs_dup(&f->w.a, vs_buf_span(&token));
    vs_buf_free(&token);
    return out;
}

static inline told submit(verifier *f, vs_span session, const char *type, vs_span body)
{
    return call(f, (as_veraison_call){.verb = AS_VERAISON_SUBMIT,
                                      .session = session,
                                      .content_type = vs_str(type),
                                      .body = body});
}

/* The claims of a complete session's EAR, verified with the published key. */
static inline vs_val ear_of(verifier *f, told t)
{
    vs_error err = {0};
    vs_jws jws;
    vs_val claims;
    vs_key *key = NULL;
    assert_int_equal(t.status, AS_VERAISON_OK);
    assert_span_is(vs_text(at(t.json, "/status")), "complete");
    told d = call(f, (as_veraison_call){.verb = AS_VERAISON_DISCOVER});
    assert_vs_ok(
        vs_key_from_jwk(vs_getc(d.json, "ear-verification-key"), false, true, &key, NULL, &err),
        &err);
    assert_vs_ok(vs_jws_parse(&f->w.a, vs_text(at(t.json, "/result")), &jws, &err), &err);
    assert_vs_ok(vs_jws_verify(&jws, key, VS_ES256, &err), &err);
    vs_key_free(&key);
    assert_vs_ok(vs_json_parse(&f->w.a, jws.payload, NULL, &claims, &err), &err);
    return claims;
}

#endif
