/* SPDX-License-Identifier: Apache-2.0 */
/* The broker with a verifier that is not its own: what it is asked, and what comes back. */
#include "kbs/broker.h"

#include "as/backend.h"

#define CHALLENGE "{\"request\":\"AAAA\"}"
#define TOKEN     "eyJhbGciOiJFUzI1NiJ9.e30.AAAA"

/* A verifier that makes its own challenge for IBM SE, and notes what it is asked. */
typedef struct double_as {
    as_service service;
    bool fails;
    size_t calls;
    char tee[32], nonce[64];
    vs_hash hash;
    vs_span rego;
} double_as;

static vs_code double_evaluate(as_service *service, const as_request *reqs, size_t n,
                               vs_span policy_id, int64_t now, vs_arena *a, as_result *out,
                               vs_error *err)
{
    double_as *d = (double_as *)service;
    (void)a;
    d->calls++;
    assert_int_equal(n, 1);
    assert_span_is(policy_id, "default");
    (void)snprintf(d->tee, sizeof d->tee, "%.*s", VS_FMT(reqs[0].tee));
    vs_span nonce = vs_text(vs_getc(reqs[0].runtime_json, "nonce"));
    (void)snprintf(d->nonce, sizeof d->nonce, "%.*s", VS_FMT(nonce));
    d->hash = reqs[0].runtime_hash;
    if (d->fails)
        return vs_fail(err, VS_E_IO, "the verifier at 127.0.0.1:1 does not answer");
    out->token = VS_LIT(TOKEN);
    out->expires = now + 60;
    out->status = "affirming";
    return VS_OK;
}

static vs_code double_challenge(as_service *service, vs_span tee, vs_val params, vs_arena *a,
                                vs_span *out, vs_error *err)
{
    double_as *d = (double_as *)service;
    (void)params, (void)a;
    if (d->fails)
        return vs_fail(err, VS_E_TIMEOUT, "the verifier does not answer");
    *out = vs_span_is(tee, "se") ? VS_LIT(CHALLENGE) : (vs_span){NULL, 0};
    return VS_OK;
}

static vs_code double_set_policy(as_service *service, vs_span id, vs_span rego, vs_error *err)
{
    (void)service, (void)id, (void)rego;
    return vs_fail(err, VS_E_IO, "the verifier does not answer");
}

static void double_close(as_service *service)
{
    (void)service;
}

static const as_ops double_ops = {double_evaluate, double_challenge, double_set_policy,
                                  double_close};

static void use_double(broker *b, double_as *d)
{
    vs_error err = {0};
    *d = (double_as){.service = {&double_ops}};
    kbs_free(&b->k);
    b->cfg.insecure_header_jwk = true;
    assert_vs_ok(kbs_new(&b->cfg, b->w.store, b->w.store, &d->service, b->w.rv, &b->k, &err), &err);
}

static answer ask_auth(broker *b, const char *tee, const char *version, const char *params)
{
    return tell(b, (ask){KBS_POST, "auth",
                         .body = vs_str(vs_sprintf(&b->w.a,
                                                   "{\"version\":\"%s\",\"tee\":\"%s\","
                                                   "\"extra-params\":%s}",
                                                   version, tee, params))});
}

#define NO_CHALLENGE AUTH_FAILED("Attestation Service generate challenge failed")

static void a_remote_verifier_alone_is_nothing_to_trust(void **state)
{
    broker *b = *state;
    double_as d = {.service = {&double_ops}};
    kbs_free(&b->k);
    assert_vs_code(kbs_new(&b->cfg, b->w.store, b->w.store, &d.service, b->w.rv, &b->k, NULL),
                   VS_E_INVALID);
}

static void the_hash_is_negotiated(void **state)
{
    static const struct {
        const char *tee, *params, *told; /* NULL = refused */
    } cases[] = {
        {"se", "\"\"", "\"\""},
        {"se", "null", "\"\""},
        {"se", "{}", "\"\""},
        {"se", "{\"supported-hash-algorithms\":[\"sha256\",\"sha512\"]}",
         "{\"selected-hash-algorithm\":\"sha512\"}"},
        {"se", "{\"supported-hash-algorithms\":[\"SHA512\"]}",
         "{\"selected-hash-algorithm\":\"sha512\"}"},
        {"se", "{\"supported-hash-algorithms\":[]}", NULL},
        {"se", "{\"supported-hash-algorithms\":[\"sha384\", 512]}", NULL},
        {"snp", "{\"supported-hash-algorithms\":[]}", "\"\""},
        {"cca", "{\"supported-hash-algorithms\":[\"sha512\"]}", "\"\""},
    };
    broker *b = *state;
    double_as d;
    use_double(b, &d);
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        answer r = ask_auth(b, cases[i].tee, "0.4.0", cases[i].params);
        if (!cases[i].told) {
            assert_refused(r, "AttestationError", NO_CHALLENGE);
            continue;
        }
        assert_granted(r);
        const char *end = vs_sprintf(&b->w.a, ",\"extra-params\":%s}", cases[i].told);
        assert_true(vs_span_ends(r.body, vs_str(end)));
    }
}

static void the_verifiers_challenge_is_the_nonce(void **state)
{
    broker *b = *state;
    double_as d;
    use_double(b, &d);
    answer r = ask_auth(b, "se", "0.4.0", "\"\"");
    assert_granted(r);
    vs_val v = json(&b->w, vs_sprintf(&b->w.a, "%.*s", VS_FMT(r.body)));
    challenge c = {r.session, vs_text(vs_getc(v, "nonce")), r.session_expires};
    assert_span_is(c.nonce, CHALLENGE);

    vs_val jwk = tee_jwk(b, b->tee_key), evidence = vs_empty(VS_OBJECT);
    static const char *const wrong[] = {"", "x", "{\"request\":\"AAAB\"}", CHALLENGE " "};
    for (size_t i = 0; i < VS_COUNT(wrong); i++)
        assert_refused(
            send_evidence(b, c.session, attestation_body(b, vs_str(wrong[i]), jwk, evidence, "")),
            "AttestationError", ATTEST_FAILED);
    assert_int_equal(d.calls, 0);
    r = send_evidence(b, c.session, attestation_body(b, c.nonce, jwk, evidence, ""));
    assert_span_is(token_in(b, r), TOKEN);
    assert_string_equal(d.tee, "se");
    assert_string_equal(d.nonce, CHALLENGE);
    assert_int_equal(d.hash, VS_SHA512);
}

static void other_tees_get_our_nonce_and_the_default_hash(void **state)
{
    broker *b = *state;
    double_as d;
    use_double(b, &d);
    challenge c = authenticate(b, "snp");
    assert_int_equal(c.nonce.n, 44);
    vs_val jwk = tee_jwk(b, b->tee_key);
    vs_span body = attestation_body(b, c.nonce, jwk, vs_empty(VS_OBJECT), "");
    (void)token_in(b, send_evidence(b, c.session, body));
    assert_int_equal(d.hash, VS_HASH_NONE);
}

static void se_needs_a_protocol_that_sends_the_nonce_back(void **state)
{
    static const char *const old[] = {"0.1.1", "0.2.0", "0.3.0"};
    broker *b = *state;
    double_as d;
    use_double(b, &d);
    for (size_t i = 0; i < VS_COUNT(old); i++)
        assert_refused(ask_auth(b, "se", old[i], "\"\""), "AttestationError", NO_CHALLENGE);
}

static void a_verifier_that_does_not_answer_is_a_failed_attestation(void **state)
{
    broker *b = *state;
    double_as d;
    use_double(b, &d);
    challenge c = authenticate(b, "snp");
    d.fails = true;
    vs_span body = attestation_body(b, c.nonce, tee_jwk(b, b->tee_key), vs_empty(VS_OBJECT), "");
    assert_refused(send_evidence(b, c.session, body), "AttestationError", ATTEST_FAILED);
    assert_refused(ask_auth(b, "se", "0.4.0", "\"\""), "AttestationError", NO_CHALLENGE);
    d.fails = false; /* and nothing of it is kept */
    assert_span_is(token_in(b, send_evidence(b, c.session, body)), TOKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, broker_setup, broker_teardown)
        T(a_remote_verifier_alone_is_nothing_to_trust),
        T(the_hash_is_negotiated),
        T(the_verifiers_challenge_is_the_nonce),
        T(other_tees_get_our_nonce_and_the_default_hash),
        T(se_needs_a_protocol_that_sends_the_nonce_back),
        T(a_verifier_that_does_not_answer_is_a_failed_attestation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
