/* SPDX-License-Identifier: Apache-2.0 */
/* From evidence to secret, and every way in which it must not get there. */
#include "kbs/broker.h"

#include "as/policies.h"

#define RIM_ID "cca.realm.cca-realm-initial-measurement"

static void endorse_realm(broker *b)
{
    vs_span rim = vs_b64_encode_arena(&b->w.a, VS_B64_STD, b->spec.rim);
    endorse(&b->w, vs_sprintf(&b->w.a, "{\"" RIM_ID "\":[\"%.*s\"]}", VS_FMT(rim)));
}

/* ---- the reference scenario ---------------------------------------------------------------------
 */

static void a_realm_is_denied_until_its_measurement_is_endorsed(void **state)
{
    broker *b = *state;
    challenge c;
    put_resource(b, DEMO, "the secret");
    set_resource_policy(b, vs_policy_text("kbs_affirming"));

    vs_span token = attest(b, "cca", &c);
    vs_val submod = at(token_claims(&b->w, token), "/submods/cpu0");
    assert_span_is(vs_text(vs_getc(submod, "ear.status")), "warning");
    assert_json_eq(
        &b->w, vs_getc(submod, "ear.trustworthiness-vector"),
        "{'instance-identity': 2, 'configuration': 2, 'executables': 33, 'file-system': 0, "
        "'hardware': 2, 'runtime-opaque': 2, 'storage-opaque': 0, 'sourced-data': 0}");
    answer r = tell(b, (ask){KBS_GET, DEMO, .session = c.session});
    assert_refused(r, "PolicyDeny", "Access denied by policy");
    assert_int_equal(strlen(r.decision), 36);
    assert_refused(tell(b, (ask){KBS_GET, DEMO, .bearer = token}), "PolicyDeny",
                   "Access denied by policy");

    endorse_realm(b);
    token = attest(b, "cca", &c);
    assert_span_is(vs_text(at(token_claims(&b->w, token), "/submods/cpu0/ear.status")),
                   "affirming");
    assert_secret(b, tell(b, (ask){KBS_GET, DEMO, .session = c.session}), "the secret");
    assert_secret(b, tell(b, (ask){KBS_GET, DEMO, .bearer = token}), "the secret");
}

static void the_token_says_what_was_proved(void **state)
{
    broker *b = *state;
    challenge c;
    vs_val ev = at(token_claims(&b->w, attest(b, "cca", &c)),
                   "/submods/cpu0/ear.veraison.annotated-evidence");
    assert_true(vs_eq(at(ev, "/runtime_data_claims/tee-pubkey"), tee_jwk(b, b->tee_key)));
    assert_span_eq(vs_text(at(ev, "/runtime_data_claims/nonce")), c.nonce);
    assert_span_is(vs_text(at(ev, "/runtime_data_claims/additional-evidence")), "");
    assert_span_eq(vs_text(at(ev, "/cca/realm/cca-realm-initial-measurement")),
                   vs_b64_encode_arena(&b->w.a, VS_B64_STD, b->spec.rim));
}

static void the_default_policy_does_not_serve_the_sample_attester(void **state)
{
    broker *b = *state;
    challenge c;
    put_resource(b, DEMO, "s");
    (void)attest(b, "sample", &c);
    assert_refused(tell(b, (ask){KBS_GET, DEMO, .session = c.session}), "PolicyDeny",
                   "Access denied by policy");
    set_resource_policy(b, vs_policy_text("kbs_allow_all"));
    assert_secret(b, tell(b, (ask){KBS_GET, DEMO, .session = c.session}), "s");
    set_resource_policy(b, vs_policy_text("kbs_deny_all"));
    assert_refused(tell(b, (ask){KBS_GET, DEMO, .session = c.session}), "PolicyDeny",
                   "Access denied by policy");
}

static void devices_are_verified_with_the_primary_attester(void **state)
{
    broker *b = *state;
    challenge c = authenticate(b, "sample");
    vs_val jwk = tee_jwk(b, b->tee_key);
    vs_val device =
        evidence_for(b, "sampledevice", report_data(b, runtime_data(b, c.nonce, jwk, NULL)));
    vs_buf text = VS_BUF(1 << 16);
    vs_buf_puts(&text, "{\"sampledevice\": ");
    vs_json_print(&text, device);
    vs_buf_puts(&text, "}");
    const char *additional = vs_sprintf(&b->w.a, "%.*s", VS_FMT(vs_buf_span(&text)));
    vs_buf_free(&text);
    vs_val primary =
        evidence_for(b, "sample", report_data(b, runtime_data(b, c.nonce, jwk, additional)));
    vs_span body = attestation_body(b, c.nonce, jwk, primary, additional);
    vs_val submods =
        vs_getc(token_claims(&b->w, token_in(b, send_evidence(b, c.session, body))), "submods");
    assert_int_equal(submods.len, 2);
    assert_true(vs_defined(vs_getc(submods, "gpu0")));

    /* The primary vouches for the very text of the devices' evidence. */
    c = authenticate(b, "sample");
    primary = evidence_for(b, "sample", report_data(b, runtime_data(b, c.nonce, jwk, additional)));
    body = attestation_body(b, c.nonce, jwk, primary, "");
    assert_refused(send_evidence(b, c.session, body), "AttestationError", ATTEST_FAILED);
}

/* ---- evidence that must not count ---------------------------------------------------------------
 */

static void evidence_of_another_session_is_refused(void **state)
{
    static const char *const tees[] = {"sample", "cca"};
    broker *b = *state;
    for (size_t i = 0; i < VS_COUNT(tees); i++) {
        challenge first = authenticate(b, tees[i]), second = authenticate(b, tees[i]);
        assert_false(vs_span_eq(first.nonce, second.nonce));
        vs_span body = honest_body(b, tees[i], &first);
        assert_refused(send_evidence(b, second.session, body), "AttestationError", ATTEST_FAILED);
        (void)token_in(b, send_evidence(b, first.session, body));
    }
}

static void replayed_evidence_with_the_right_nonce_is_refused(void **state)
{
    broker *b = *state;
    challenge first = authenticate(b, "cca"), second = authenticate(b, "cca");
    vs_val jwk = tee_jwk(b, b->tee_key);
    vs_val old = evidence_for(b, "cca", report_data(b, runtime_data(b, first.nonce, jwk, "")));
    assert_refused(
        send_evidence(b, second.session, attestation_body(b, second.nonce, jwk, old, "")),
        "AttestationError", ATTEST_FAILED);
}

static void a_wrong_nonce_is_refused(void **state)
{
    broker *b = *state;
    challenge c = authenticate(b, "sample");
    const vs_span wrong[] = {VS_LIT(""), VS_LIT("x"), vs_span_head(c.nonce, c.nonce.n - 1),
                             VS_LIT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")};
    for (size_t i = 0; i < VS_COUNT(wrong); i++) {
        challenge lie = {c.session, wrong[i], 0};
        assert_refused(send_evidence(b, c.session, honest_body(b, "sample", &lie)),
                       "AttestationError", ATTEST_FAILED);
    }
}

static void a_key_that_the_evidence_does_not_hold_is_refused(void **state)
{
    static const char *const tees[] = {"sample", "cca"};
    broker *b = *state;
    vs_error err = {0};
    vs_key *thief = NULL;
    assert_vs_ok(vs_key_generate(VS_KEY_P256, &thief, &err), &err);
    for (size_t i = 0; i < VS_COUNT(tees); i++) {
        challenge c = authenticate(b, tees[i]);
        vs_val honest = runtime_data(b, c.nonce, tee_jwk(b, b->tee_key), "");
        vs_val ev = evidence_for(b, tees[i], report_data(b, honest));
        vs_span body = attestation_body(b, c.nonce, tee_jwk(b, thief), ev, "");
        assert_refused(send_evidence(b, c.session, body), "AttestationError", ATTEST_FAILED);
    }
    vs_key_free(&thief);
}

static void evidence_of_a_tee_other_than_the_announced_one_is_refused(void **state)
{
    broker *b = *state;
    challenge c = authenticate(b, "cca");
    assert_refused(send_evidence(b, c.session, honest_body(b, "sample", &c)), "AttestationError",
                   ATTEST_FAILED);
    c = authenticate(b, "sample");
    assert_refused(send_evidence(b, c.session, honest_body(b, "cca", &c)), "AttestationError",
                   ATTEST_FAILED);
    c = authenticate(b, "tdx"); /* a known name without a verifier */
    assert_refused(send_evidence(b, c.session, honest_body(b, "sample", &c)), "AttestationError",
                   ATTEST_FAILED);
}

static void a_realm_of_an_unknown_platform_is_refused(void **state)
{
    broker *b = *state;
    vs_error err = {0};
    realm_keys known = b->realm, unknown = {0};
    assert_vs_ok(realm_keys_generate(&unknown, &err), &err);
    challenge c = authenticate(b, "cca");
    b->realm = unknown;
    vs_span body = honest_body(b, "cca", &c);
    b->realm = known;
    assert_refused(send_evidence(b, c.session, body), "AttestationError", ATTEST_FAILED);
    realm_keys_free(&unknown);
}

static void every_bit_of_a_realm_token_counts(void **state)
{
    broker *b = *state;
    challenge c = authenticate(b, "cca");
    vs_val jwk = tee_jwk(b, b->tee_key);
    vs_val good = evidence_for(b, "cca", report_data(b, runtime_data(b, c.nonce, jwk, "")));
    vs_val bytes = vs_getc(good, "token");
    for (uint32_t i = 0; i < bytes.len;
         i += 61) { /* a sample; the TEE's own tests flip every bit */
        vs_vec changed = {.a = &b->w.a};
        for (uint32_t k = 0; k < bytes.len; k++)
            vs_vec_add(&changed, vs_int(bytes.u.items[k].u.i ^ (k == i)));
        vs_obj o = {.a = &b->w.a};
        vs_obj_put(&o, "token", vs_vec_end_array(&changed));
        vs_span body = attestation_body(b, c.nonce, jwk, vs_obj_end(&o, VS_DUP_REFUSE, NULL), "");
        answer r = send_evidence(b, c.session, body);
        if (r.error == KBS_OK)
            fail_msg("byte %u does not count", i);
    }
    (void)token_in(b, send_evidence(b, c.session, attestation_body(b, c.nonce, jwk, good, "")));
}

/* ---- sessions
 * ------------------------------------------------------------------------------------ */

static void sessions_end_on_time_and_are_not_extended(void **state)
{
    broker *b = *state;
    put_resource(b, DEMO, "s");
    set_resource_policy(b, vs_policy_text("kbs_allow_all"));
    challenge c = authenticate(b, "sample");
    assert_int_equal(c.expires, NOW + 300);
    vs_span body = honest_body(b, "sample", &c);
    b->now = NOW + 299;
    answer r = send_evidence(b, c.session, body);
    assert_granted(r);
    assert_int_equal(r.session_expires, NOW + 300);
    assert_granted(tell(b, (ask){KBS_GET, DEMO, .session = c.session}));
    b->now = NOW + 300;
    assert_refused(send_evidence(b, c.session, body), "AttestationError", ATTEST_FAILED);
    assert_refused(tell(b, (ask){KBS_GET, DEMO, .session = c.session}), "TokenNotFound",
                   "Attestation Token not found");
}

static void repeated_evidence_gets_the_same_token_and_cookie(void **state)
{
    broker *b = *state;
    challenge c = authenticate(b, "sample");
    vs_span body = honest_body(b, "sample", &c);
    answer first = send_evidence(b, c.session, body), second = send_evidence(b, c.session, body);
    assert_span_eq(token_in(b, first), token_in(b, second));
    assert_span_eq(first.session, c.session);
    assert_span_eq(second.session, c.session);
    /* Nothing is verified again, but the body must still be an Attestation (kbs.md 1.5). */
    vs_val jwk = tee_jwk(b, b->tee_key);
    vs_span other = attestation_body(b, VS_LIT("n"), jwk, vs_empty(VS_OBJECT), "");
    assert_span_eq(token_in(b, send_evidence(b, c.session, other)), token_in(b, first));
    assert_refused(send_evidence(b, c.session, VS_LIT("{}")), "AttestationError", ATTEST_FAILED);
}

static void any_replica_can_answer_any_step(void **state)
{
    broker *b = *state;
    vs_error err = {0};
    kbs *first = b->k, *second = NULL;
    assert_vs_ok(kbs_new(&b->cfg, b->w.store, b->w.store, b->w.as, b->w.rv, &second, &err), &err);
    put_resource(b, DEMO, "s");
    set_resource_policy(b, vs_policy_text("kbs_allow_all"));
    challenge c = authenticate(b, "sample");
    b->k = second;
    (void)token_in(b, send_evidence(b, c.session, honest_body(b, "sample", &c)));
    b->k = first;
    assert_secret(b, tell(b, (ask){KBS_GET, DEMO, .session = c.session}), "s");
    kbs_free(&second);
}

static vs_code count_key(void *user, vs_span key)
{
    (void)key;
    ++*(size_t *)user;
    return VS_OK;
}

static size_t stored_sessions(broker *b)
{
    size_t n = 0;
    vs_error err = {0};
    assert_vs_ok(vs_store_list(b->w.store, "kbs_protocol_session", count_key, &n, &err), &err);
    return n;
}

static void nothing_is_kept_for_those_who_have_shown_no_evidence(void **state)
{
    broker *b = *state;
    size_t before = stored_sessions(b);
    for (int i = 0; i < 50; i++)
        (void)authenticate(b, "sample");
    challenge c = authenticate(b, "sample");
    (void)send_evidence(b, c.session, VS_LIT("{}"));
    assert_int_equal(stored_sessions(b), before);
    (void)token_in(b, send_evidence(b, c.session, honest_body(b, "sample", &c)));
    assert_int_equal(stored_sessions(b), before + 1);
    kbs_tick(b->k, NOW + 100000);
    assert_int_equal(stored_sessions(b), 0);
}

typedef struct search {
    vs_arena *a;
    vs_span keys[8];
    size_t n;
} search;

static vs_code collect(void *user, vs_span key)
{
    search *s = user;
    assert_true(s->n < VS_COUNT(s->keys));
    s->keys[s->n++] = vs_dup(s->a, key);
    return VS_OK;
}

static void a_copy_of_the_store_holds_no_token_that_could_be_used(void **state)
{
    broker *b = *state;
    challenge c;
    vs_error err = {0};
    vs_span token = attest(b, "sample", &c);
    search s = {.a = &b->w.a};
    assert_vs_ok(vs_store_list(b->w.store, "kbs_protocol_session", collect, &s, &err), &err);
    assert_int_equal(s.n, 1);
    vs_buf record = VS_BUF(1 << 20);
    assert_vs_ok(vs_store_get(b->w.store, "kbs_protocol_session", s.keys[0], 0, &record, &err),
                 &err);
    assert_null(memmem(record.p, record.n, token.p, token.n / 2));
    assert_null(memmem(c.session.p, c.session.n, s.keys[0].p, 16));
    vs_buf_free(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, broker_setup, broker_teardown)
        T(a_realm_is_denied_until_its_measurement_is_endorsed),
        T(the_token_says_what_was_proved),
        T(the_default_policy_does_not_serve_the_sample_attester),
        T(devices_are_verified_with_the_primary_attester),
        T(evidence_of_another_session_is_refused),
        T(replayed_evidence_with_the_right_nonce_is_refused),
        T(a_wrong_nonce_is_refused),
        T(a_key_that_the_evidence_does_not_hold_is_refused),
        T(evidence_of_a_tee_other_than_the_announced_one_is_refused),
        T(a_realm_of_an_unknown_platform_is_refused),
        T(every_bit_of_a_realm_token_counts),
        T(sessions_end_on_time_and_are_not_extended),
        T(repeated_evidence_gets_the_same_token_and_cookie),
        T(any_replica_can_answer_any_step),
        T(nothing_is_kept_for_those_who_have_shown_no_evidence),
        T(a_copy_of_the_store_holds_no_token_that_could_be_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
