/* SPDX-License-Identifier: Apache-2.0 */
/* Veraison's interface within the broker: what it finds is a decision, and what it signs opens
 * nothing here. */
#include "kbs/broker.h"

#include <signal.h>
#include <sys/resource.h>

#include "as/policies.h"
#include "as/veraison.h"
#include "base/clock.h"

typedef struct seen {
    as_veraison_status status;
    vs_val json;
    char decision[37];
    vs_span location;
} seen;

static seen veraison(broker *b, as_veraison_call c)
{
    as_veraison_reply r = {.body = VS_BUF(1 << 20)};
    seen s = {0};
    c.now = NOW;
    c.arena = &b->w.a;
    kbs_handle_veraison(b->k, &c, &r);
    s.status = r.status;
    s.location = r.location;
    memcpy(s.decision, r.decision, sizeof s.decision);
    if (r.body.n)
        assert_vs_code(
            vs_json_parse(&b->w.a, vs_dup(&b->w.a, vs_buf_span(&r.body)), NULL, &s.json, NULL),
            VS_OK);
    vs_buf_free(&r.body);
    return s;
}

static uint8_t challenge64[64] = {1, 2, 3};

/* Evidence of the broker's realm, in a session for its challenge; `twist` spoils a byte. */
static seen attest_again(broker *b, bool twist)
{
    vs_error err = {0};
    vs_buf token = VS_BUF(1 << 16);
    vs_span nonce = vs_b64_encode_arena(&b->w.a, VS_B64_URL, vs_span_of(challenge64, 64));
    seen s = veraison(b, (as_veraison_call){.verb = AS_VERAISON_NEW, .nonce = nonce});
    assert_int_equal(s.status, AS_VERAISON_CREATED);
    assert_string_equal(s.decision, ""); /* nothing was decided yet */
    assert_vs_ok(realm_token(&b->spec, &b->realm, vs_span_of(challenge64, 64), &token, &err), &err);
    if (twist)
        token.p[token.n - 1] ^= 1;
    seen out = veraison(b, (as_veraison_call){.verb = AS_VERAISON_SUBMIT,
                                              .session = vs_span_from(s.location, 8),
                                              .content_type = VS_LIT(AS_VERAISON_EVIDENCE),
                                              .body = vs_buf_span(&token)});
    vs_buf_free(&token);
    return out;
}

static seen attest_by_session(broker *b, bool twist)
{
    challenge64[0]++;
    return attest_again(b, twist);
}

static as_veraison *served;

static int setup(void **state)
{
    static const as_veraison_config how;
    (void)broker_setup(state);
    broker *b = *state;
    assert_vs_code(as_veraison_new(b->w.as, &how, &served, NULL), VS_OK);
    kbs_set_veraison(b->k, served);
    return 0;
}

static int teardown(void **state)
{
    broker *b = *state;
    kbs_set_veraison(b->k, NULL);
    as_veraison_free(&served);
    return broker_teardown(state);
}

static vs_val record(broker *b, const char *id)
{
    for (unsigned i = 0; i < 200; i++) { /* the journal has a thread of its own */
        answer r = tell(
            b, (ask){KBS_GET, vs_sprintf(&b->w.a, "decision/%s", id), .bearer = admin_token(b)});
        if (r.error == KBS_OK)
            return json(&b->w, vs_sprintf(&b->w.a, "%.*s", VS_FMT(r.body)));
        (void)usleep(10000);
    }
    fail_msg("no record of %s", id);
    return vs_undefined();
}

static void findings_are_decisions_with_an_id(void **state)
{
    broker *b = *state;
    seen s = attest_by_session(b, false);
    assert_int_equal(s.status, AS_VERAISON_OK);
    vs_val r = record(b, s.decision);
    assert_span_is(vs_text(at(r, "/what")), "attestation");
    assert_span_is(vs_text(at(r, "/verdict")), "allowed");
    assert_span_is(vs_text(at(r, "/action")), "veraison session");
    assert_span_is(vs_text(at(r, "/tee")), "cca");
    assert_span_is(vs_text(at(r, "/status")), "affirming");
    assert_int_equal(vs_text(at(r, "/evidence_sha256")).n, 64);
    assert_int_equal(vs_text(at(r, "/token_sha256")).n, 64);
    s = attest_by_session(b, true);
    assert_int_equal(s.status, AS_VERAISON_OK);
    r = record(b, s.decision);
    assert_span_is(vs_text(at(r, "/verdict")), "denied");
    assert_span_is(vs_text(at(r, "/status")), "contraindicated");
    assert_true(vs_span_starts(vs_text(at(r, "/reason")), VS_LIT("integrity validation failed")));
}

static void a_replay_is_recorded_as_denied(void **state)
{
    broker *b = *state;
    assert_int_equal(attest_by_session(b, false).status, AS_VERAISON_OK);
    seen s = attest_again(b, false);
    assert_int_equal(s.status, AS_VERAISON_USED);
    vs_val r = record(b, s.decision);
    assert_span_is(vs_text(at(r, "/verdict")), "denied");
    assert_true(vs_span_starts(vs_text(at(r, "/reason")),
                               VS_LIT("this evidence had its result in another session")));
    assert_false(vs_defined(at(r, "/token_sha256")));
}

static void what_the_audit_log_cannot_take_is_not_answered(void **state)
{
    broker *b = *state;
    vs_error err = {0};
    char dir[] = "/tmp/vs-veraison-XXXXXX";
    struct rlimit before, full;
    assert_non_null(mkdtemp(dir));
    const char *path = vs_sprintf(&b->w.a, "%s/audit.log", dir);
    kbs_journal_free(&b->journal);
    const kbs_journal_config cfg = {.store = b->w.store, .audit_path = path, .audit_each = true};
    assert_vs_ok(kbs_journal_new(&cfg, &b->journal, &err), &err);
    kbs_set_journal(b->k, b->journal);
    assert_int_equal(attest_by_session(b, false).status, AS_VERAISON_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    full = (struct rlimit){64, before.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0); /* nobody has noticed yet */
    seen s = attest_by_session(b, false);
    assert_int_equal(s.status, AS_VERAISON_FAILED);
    assert_false(vs_defined(s.json));
    /* Now it is known, and nothing is begun. */
    vs_span nonce = vs_b64_encode_arena(&b->w.a, VS_B64_URL, vs_span_of(challenge64, 64));
    s = veraison(b, (as_veraison_call){.verb = AS_VERAISON_NEW, .nonce = nonce});
    assert_int_equal(s.status, AS_VERAISON_FAILED);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    kbs_set_journal(b->k, NULL);
    kbs_journal_free(&b->journal);
    (void)unlink(path);
    (void)rmdir(dir);
}

static void a_sessions_ear_opens_nothing(void **state)
{
    broker *b = *state;
    put_resource(b, "resource/a/b/c", "s");
    set_resource_policy(b, vs_policy_text("kbs_allow_all"));
    seen s = attest_by_session(b, false);
    vs_span ear = vs_text(at(s.json, "/result"));
    assert_true(ear.n > 0);
    assert_refused(tell(b, (ask){KBS_GET, "resource/a/b/c", .bearer = ear}), "TokenVerifierError",
                   "Token Verifier error");
    assert_refused(tell(b, (ask){KBS_PUT, "resource/a/b/c", .bearer = ear}), "TokenVerifierError",
                   "Token Verifier error");
    assert_int_equal(tell(b, (ask){KBS_POST, "resource/a/b/c", .bearer = ear}).error,
                     KBS_ADMIN_AUTH_INITIALIZATION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(findings_are_decisions_with_an_id),
        T(a_replay_is_recorded_as_denied),
        T(what_the_audit_log_cannot_take_is_not_answered),
        T(a_sessions_ear_opens_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
