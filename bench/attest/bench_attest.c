/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of an attestation is cryptography that must be done anyway?
 *
 * A CCA attestation through the server's code in one thread, in process: as_evaluate (evidence to
 * token) and kbs_handle (POST /attest: body to reply, session stored), divided by the same
 * cryptography alone: the ES384 verifications, the digests, one ES256 signature. Once with the
 * platform token verified anew each time, once with the cache of verified platform tokens.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "kbs/kbs.h"
#include "realm/realm.h"
#include "tee/cca/trust.h"
#include "value/json.h"

enum { TURNS = 40, TURN = 20 };
static const double target = 0.85;

static vs_error err;

static void must(vs_code code, const char *what)
{
    char text[VS_ERROR_TEXT];
    if (code == VS_OK)
        return;
    (void)fprintf(stderr, "bench_attest: %s: %s\n", what, vs_error_text(&err, text, sizeof text));
    exit(1);
}
#define MUST(call) must((call), #call)

typedef struct bench {
    vs_arena keep; /* for the whole run */
    vs_arena work; /* one request at a time */
    vs_store *store;
    rvps *rv;
    cca_trust *cca;
    vs_tee_trust trust;
    as_service *as;
    kbs_config cfg;
    kbs *k;
    realm_keys keys;
    realm_spec spec;
    vs_buf platform;
    vs_val jwk;
    int64_t now;
} bench;

/* ---- the server --------------------------------------------------------------------------------
 */

static void endorse(bench *b)
{
    vs_buf payload = VS_BUF(4096), message = VS_BUF(8192);
    vs_buf_puts(&payload, "{\"cca.realm.cca-realm-initial-measurement\":[\"");
    vs_b64_encode(&payload, VS_B64_STD, b->spec.rim);
    vs_buf_puts(&payload, "\"]}");
    vs_buf_puts(&message, "{\"version\":\"0.1.0\",\"type\":\"sample\",\"payload\":\"");
    vs_b64_encode(&message, VS_B64_STD, vs_buf_span(&payload));
    vs_buf_puts(&message, "\"}");
    MUST(rvps_register(b->rv, vs_buf_span(&message), b->now, &err));
    vs_buf_free(&payload);
    vs_buf_free(&message);
}

static void start(bench *b, bool cached)
{
    static const as_config as_cfg;
    static const rvps_options rv_opts;
    vs_buf ta = VS_BUF(1 << 16), rv = VS_BUF(1 << 16);
    vs_key *tee = NULL;
    vs_arena_init(&b->keep, 256 << 20);
    vs_arena_init(&b->work, 0);
    b->now = vs_now_s();
    MUST(realm_keys_generate(&b->keys, &err));
    MUST(realm_spec_default(&b->keep, &b->spec, &err));
    MUST(realm_ta_store(&b->spec, &b->keys, &ta, &err));
    MUST(realm_rv_store(&b->spec, &rv, &err));
    MUST(cca_trust_of_text(vs_buf_span(&ta), vs_buf_span(&rv), &b->cca, &err));
    cca_trust_use_cache(b->cca, cached);
    b->trust = (vs_tee_trust){.cca = b->cca};
    MUST(vs_store_open_memory(&b->store, &err));
    MUST(rvps_new(b->store, &rv_opts, &b->rv, &err));
    MUST(as_new(&as_cfg, b->store, b->rv, &b->trust, &b->as, &err));
    kbs_config_defaults(&b->cfg, NULL);
    MUST(kbs_new(&b->cfg, b->store, b->store, b->as, b->rv, &b->k, &err));
    endorse(b);
    b->platform = (vs_buf)VS_BUF(1 << 16);
    MUST(realm_platform_token(&b->spec, &b->keys, &b->platform, &err));
    MUST(vs_key_generate(VS_KEY_P256, &tee, &err));
    MUST(vs_key_to_jwk(&b->keep, tee, "ECDH-ES+A256KW", &b->jwk, &err));
    vs_key_free(&tee);
    vs_buf_free(&ta);
    vs_buf_free(&rv);
}

static void stop(bench *b)
{
    kbs_free(&b->k);
    as_free(&b->as);
    rvps_free(&b->rv);
    vs_store_close(&b->store);
    cca_trust_free(&b->cca);
    realm_keys_free(&b->keys);
    vs_buf_free(&b->platform);
    vs_arena_free(&b->keep);
    vs_arena_free(&b->work);
}

static void ask(bench *b, const char *what, vs_span body, vs_span session, kbs_reply *reply)
{
    const vs_span segment = vs_str(what);
    const kbs_call call = {.method = KBS_POST,
                           .segments = &segment,
                           .n_segments = 1,
                           .query = vs_empty(VS_OBJECT),
                           .session = session,
                           .body = body,
                           .now = b->now,
                           .arena = &b->work};
    kbs_handle(b->k, &call, reply);
    if (reply->error != KBS_OK) {
        (void)fprintf(stderr, "bench_attest: %s: %.*s\n", what, VS_FMT(reply->detail));
        exit(1);
    }
}

/* ---- the client --------------------------------------------------------------------------------
 */

typedef struct sample {
    vs_span session, body;
    vs_val runtime, evidence;
} sample;

static vs_val runtime_data(bench *b, vs_span nonce, bool primary)
{
    vs_obj o = {.a = &b->keep};
    if (primary)
        vs_obj_put(&o, "additional-evidence", vs_cstring(""));
    vs_obj_put(&o, "nonce", vs_string(nonce));
    vs_obj_put(&o, "tee-pubkey", b->jwk);
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static vs_val evidence(bench *b, vs_val runtime)
{
    uint8_t md[VS_HASH_MAX], challenge[64];
    vs_buf text = VS_BUF(1 << 16), realm = VS_BUF(1 << 16), token = VS_BUF(1 << 16);
    MUST(vs_json_canonical(&text, runtime, &err));
    MUST(vs_digest(VS_SHA384, vs_buf_span(&text), VS_LIT(""), VS_LIT(""), md, &err));
    vs_tee_fit(vs_span_of(md, 48), challenge, sizeof challenge);
    MUST(realm_realm_token(&b->spec, &b->keys, vs_span_of(challenge, sizeof challenge), &realm,
                           &err));
    MUST(realm_wrap(b->spec.tag, vs_buf_span(&b->platform), vs_buf_span(&realm), &token, &err));
    vs_vec bytes = {.a = &b->keep};
    for (size_t i = 0; i < token.n; i++)
        vs_vec_add(&bytes, vs_int(token.p[i]));
    vs_obj o = {.a = &b->keep};
    vs_obj_put(&o, "token", vs_vec_end_array(&bytes));
    vs_buf_free(&text);
    vs_buf_free(&realm);
    vs_buf_free(&token);
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static sample new_sample(bench *b)
{
    sample s;
    vs_val challenge;
    vs_buf out = VS_BUF(1 << 20);
    kbs_reply reply = {.body = VS_BUF(1 << 16)};
    ask(b, "auth", VS_LIT("{\"version\":\"0.4.0\",\"tee\":\"cca\",\"extra-params\":\"\"}"),
        VS_LIT(""), &reply);
    s.session = vs_dup(&b->keep, reply.set_session);
    MUST(vs_json_parse(&b->keep, vs_dup(&b->keep, vs_buf_span(&reply.body)), NULL, &challenge,
                       &err));
    vs_span nonce = vs_text(vs_getc(challenge, "nonce"));
    s.runtime = runtime_data(b, nonce, true);
    s.evidence = evidence(b, s.runtime);
    vs_buf_puts(&out, "{\"init-data\":null,\"runtime-data\":");
    vs_json_print(&out, runtime_data(b, nonce, false));
    vs_buf_puts(&out, ",\"tee-evidence\":{\"primary_evidence\":");
    vs_json_print(&out, s.evidence);
    vs_buf_puts(&out, ",\"additional_evidence\":\"\"}}");
    s.body = vs_dup(&b->keep, vs_buf_span(&out));
    MUST(vs_arena_check(&b->keep, &err));
    vs_buf_free(&out);
    vs_buf_free(&reply.body);
    vs_arena_reset(&b->work);
    return s;
}

/* ---- measurements ------------------------------------------------------------------------------
 */

/* The three are measured in turns of a few operations each, and the best turn counts: what the
 * machine can do while nothing else runs on it. */

static double per_second(int64_t started)
{
    return (double)TURN * 1e9 / (double)(vs_mono_ns() - started);
}

/* Messages as long as the halves of the token, keys imported beforehand. */
typedef struct crypto {
    vs_key *p384, *p256;
    uint8_t message[2048];
    vs_span part;
    vs_buf sig, out;
    unsigned verifications;
} crypto;

static void crypto_start(crypto *c, const bench *b, unsigned verifications)
{
    size_t len = b->platform.n < sizeof c->message ? b->platform.n : sizeof c->message;
    *c = (crypto){.verifications = verifications, .sig = VS_BUF(256), .out = VS_BUF(256)};
    c->part = vs_span_of(c->message, len);
    MUST(vs_key_generate(VS_KEY_P384, &c->p384, &err));
    MUST(vs_key_generate(VS_KEY_P256, &c->p256, &err));
    MUST(vs_sign(c->p384, VS_ES384, &c->part, 1, &c->sig, &err));
}

static void crypto_stop(crypto *c)
{
    vs_key_free(&c->p384);
    vs_key_free(&c->p256);
    vs_buf_free(&c->sig);
    vs_buf_free(&c->out);
}

static double crypto_alone(crypto *c)
{
    uint8_t md[VS_HASH_MAX];
    int64_t started = vs_mono_ns();
    for (unsigned i = 0; i < TURN; i++) {
        for (unsigned v = 0; v < c->verifications; v++)
            MUST(vs_verify(c->p384, VS_ES384, &c->part, 1, vs_buf_span(&c->sig), &err));
        MUST(vs_digest(VS_SHA256, vs_span_head(c->part, 97), VS_LIT(""), VS_LIT(""), md, &err));
        MUST(vs_digest(VS_SHA384, vs_span_head(c->part, 300), VS_LIT(""), VS_LIT(""), md, &err));
        vs_buf_clear(&c->out);
        MUST(vs_sign(c->p256, VS_ES256, &c->part, 1, &c->out, &err));
    }
    return per_second(started);
}

static double evaluations(bench *b, const sample *samples)
{
    int64_t started = vs_mono_ns();
    for (unsigned i = 0; i < TURN; i++) {
        const as_request req = {.tee = VS_LIT("cca"),
                                .evidence = samples[i].evidence,
                                .runtime_kind = AS_DATA_STRUCTURED,
                                .runtime_json = samples[i].runtime};
        as_result result;
        vs_arena_reset(&b->work);
        MUST(as_evaluate(b->as, &req, 1, VS_LIT("default"), b->now, &b->work, &result, &err));
        if (strcmp(result.status, "affirming") != 0)
            must(vs_fail(&err, VS_E_INTERNAL, "status is %s", result.status), "as_evaluate");
    }
    return per_second(started);
}

static double handshakes(bench *b, const sample *samples)
{
    kbs_reply reply = {.body = VS_BUF(1 << 20)};
    int64_t started = vs_mono_ns();
    for (unsigned i = 0; i < TURN; i++) {
        vs_arena_reset(&b->work);
        vs_buf_clear(&reply.body);
        ask(b, "attest", samples[i].body, samples[i].session, &reply);
    }
    double rate = per_second(started);
    vs_buf_free(&reply.body);
    return rate;
}

static double best(double old, double now)
{
    return now > old ? now : old;
}

static void measure(const char *name, bool cached)
{
    static sample samples[TURNS * TURN];
    static crypto alone;
    double crypto_rate = 0, evaluate = 0, attest = 0;
    bench b = {0};
    start(&b, cached);
    crypto_start(&alone, &b, cached ? 1 : 2);
    for (unsigned i = 0; i < TURNS * TURN; i++)
        samples[i] = new_sample(&b);
    (void)evaluations(&b, samples); /* warm: policy compiled, arenas grown, cache filled */
    for (unsigned turn = 0; turn < TURNS; turn++) {
        crypto_rate = best(crypto_rate, crypto_alone(&alone));
        evaluate = best(evaluate, evaluations(&b, samples + turn * TURN));
        attest = best(attest, handshakes(&b, samples + turn * TURN));
    }
    printf("%-24s %9.0f/s %9.0f/s %6.3f %9.0f/s %6.3f   %s\n", name, crypto_rate, evaluate,
           evaluate / crypto_rate, attest, attest / crypto_rate,
           evaluate / crypto_rate >= target ? "ok" : "below target");
    crypto_stop(&alone);
    stop(&b);
}

int main(void)
{
    vs_log_setup(VS_LOG_ERROR, false, 2);
    printf("%-24s %11s %11s %6s %11s %6s   target %.2f\n", "platform token", "crypto",
           "as_evaluate", "ratio", "POST attest", "ratio", target);
    measure("verified each time", false);
    measure("verified before (cache)", true);
    return 0;
}
