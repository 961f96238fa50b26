/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks on the broker by those who have something: a session, a role, evidence of their own. */
#include "kbs/broker.h"
#include "memory.h"

#include <signal.h>
#include <sys/resource.h>

#include "as/backend.h"
#include "as/policies.h"
#include "kbs/audit.h"
#include "kbs/internal.h"

static vs_val record_of(broker *b, const char *id)
{
    answer r =
        tell(b, (ask){KBS_GET, vs_sprintf(&b->w.a, "decision/%s", id), .bearer = admin_token(b)});
    assert_granted(r);
    return json(&b->w, vs_sprintf(&b->w.a, "%.*s", VS_FMT(r.body)));
}

/* ---- whoever has a session ----------------------------------------------------------------------
 */

/* Another guest's evidence, sent to an attested session of one's own, must not be recorded as
 * evidence that was allowed. */
static void evidence_that_was_not_verified_is_not_recorded_as_allowed(void **state)
{
    broker *b = *state;
    challenge own, other = authenticate(b, "sample");
    (void)attest(b, "sample", &own);
    vs_span foreign = honest_body(b, "cca", &other);
    answer r = send_evidence(b, own.session, foreign);
    assert_granted(r);
    vs_val rec = record_of(b, r.decision);
    assert_span_is(vs_text(vs_getc(rec, "verdict")), "allowed");
    assert_span_is(vs_text(vs_getc(rec, "reason")), "attested before: the same token again");
    assert_false(vs_defined(vs_getc(rec, "evidence_sha256")));
    assert_false(vs_defined(vs_getc(rec, "appraisal")));
    assert_true(vs_defined(vs_getc(rec, "token_sha256")));
}

/* A verifier that, while it looks at evidence of a session, gets other evidence of that session. */
typedef struct racing_as {
    as_service service;
    as_service *real;
    broker *b;
    vs_span session, other;
    answer first;
} racing_as;

static vs_code racing_evaluate(as_service *service, const as_request *reqs, size_t n,
                               vs_span policy_id, int64_t now, vs_arena *a, as_result *out,
                               vs_error *err)
{
    racing_as *r = (racing_as *)service;
    vs_span other = r->other;
    r->other = (vs_span){NULL, 0};
    if (other.n) /* would wait for ever for a lock that is held meanwhile */
        r->first = send_evidence(r->b, r->session, other);
    return as_evaluate(r->real, reqs, n, policy_id, now, a, out, err);
}

static vs_code racing_challenge(as_service *service, vs_span tee, vs_val params, vs_arena *a,
                                vs_span *out, vs_error *err)
{
    return as_challenge(((racing_as *)service)->real, tee, params, a, out, err);
}

static vs_code racing_set_policy(as_service *service, vs_span id, vs_span rego, vs_error *err)
{
    return as_set_policy(((racing_as *)service)->real, id, rego, err);
}

static void racing_close(as_service *service)
{
    (void)service;
}

static void of_two_at_once_one_is_recorded_and_nobody_waits(void **state)
{
    static const as_ops ops = {racing_evaluate, racing_challenge, racing_set_policy, racing_close};
    broker *b = *state;
    racing_as r = {.service = {&ops}, .real = b->w.as, .b = b};
    challenge c = authenticate(b, "sample");
    b->k->as = &r.service;
    r.session = c.session;
    r.other = honest_body(b, "sample", &c);
    vs_key *own = b->tee_key;
    vs_error err = {0};
    assert_vs_ok(vs_key_generate(VS_KEY_P256, &b->tee_key, &err), &err);
    vs_span later = honest_body(b, "sample", &c); /* another key: other evidence */
    vs_key_free(&b->tee_key);
    b->tee_key = own;
    answer second = send_evidence(b, c.session, later);
    assert_span_eq(token_in(b, second), token_in(b, r.first));
    assert_true(vs_defined(vs_getc(record_of(b, r.first.decision), "appraisal")));
    vs_val rec = record_of(b, second.decision);
    assert_false(vs_defined(vs_getc(rec, "appraisal")));
    assert_false(vs_defined(vs_getc(rec, "evidence_sha256")));
}

/* A token that is given out a second time is given out: no flood of others' hides it. */
static void a_token_given_out_again_is_audited_in_a_flood(void **state)
{
    broker *b = *state;
    vs_error err = {0};
    challenge own, noise = authenticate(b, "sample");
    (void)attest(b, "sample", &own);
    for (int i = 0; i < 100; i++)
        (void)send_evidence(b, noise.session, VS_LIT("{}"));
    answer r = send_evidence(b, own.session, honest_body(b, "sample", &own));
    assert_granted(r);
    kbs_set_journal(b->k, NULL);
    kbs_journal_free(&b->journal); /* writes what is to be stored */
    vs_buf stored = VS_BUF(1 << 16);
    assert_vs_ok(vs_store_get(b->w.store, "decision", vs_str(r.decision), 0, &stored, &err), &err);
    vs_buf_free(&stored);
}

/* ---- an administrator of one corner -------------------------------------------------------------
 */

static vs_span policy_of(broker *b, const char *ns, const char *key)
{
    vs_error err = {0};
    vs_buf text = VS_BUF(1 << 20);
    assert_vs_ok(vs_store_get(b->w.store, ns, vs_str(key), 0, &text, &err), &err);
    vs_span copy = vs_dup(&b->w.a, vs_buf_span(&text));
    vs_buf_free(&text);
    return copy;
}

/* Who may do all below "<anything>/team-a/" must not reach what is not below it. */
static void a_path_below_an_endpoint_is_not_the_endpoint(void **state)
{
    broker *b = *state;
    vs_error err = {0};
    kbs *all = b->k, *some = NULL;
    b->acl.allowed_endpoints = "^/kbs/v0/[a-z-]+/team-a/.+$";
    assert_vs_ok(kbs_new(&b->cfg, b->w.store, b->w.store, b->w.as, b->w.rv, &some, &err), &err);
    b->k = some;
    assert_granted(tell(b, (ask){KBS_POST, "resource/team-a/t/x", .bearer = admin_token(b)}));

    vs_span mine = vs_policy_text("kbs_allow_all"),
            before = policy_of(b, "kbs", "resource-policy.rego");
    answer r = tell(b, (ask){KBS_POST, "resource-policy/team-a/x",
                             .body = vs_str(policy_body(b, NULL, mine)), .bearer = admin_token(b)});
    assert_refused(r, "ParsePolicyError", "Failed to parse policy: there is nothing at this path");
    assert_span_eq(policy_of(b, "kbs", "resource-policy.rego"), before);

    before = policy_of(b, "attestation_service_policy", "default_cpu.rego");
    r = tell(b,
             (ask){KBS_POST, "attestation-policy/team-a/x",
                   .body = vs_str(policy_body(b, "default_cpu", mine)), .bearer = admin_token(b)});
    assert_int_equal(r.error, KBS_ATTESTATION_ERROR);
    assert_span_eq(policy_of(b, "attestation_service_policy", "default_cpu.rego"), before);

    static const char message[] = "{\"version\":\"0.1.0\",\"type\":\"sample\","
                                  "\"payload\":\"eyJhIjpbImIiXX0=\"}";
    r = tell(b, (ask){KBS_POST, "reference-value/team-a/x", .body = vs_str(message),
                      .bearer = admin_token(b)});
    assert_int_equal(r.error, KBS_RVPS_ERROR);
    vs_val v;
    assert_vs_ok(rvps_query(b->w.rv, VS_LIT("a"), b->now, &b->w.a, &v, &err), &err);
    assert_false(vs_defined(v));
    kbs_free(&some);
    b->k = all;
}

/* What cannot be audited is not told as done, whatever it is. */
static void changes_that_cannot_be_audited_are_not_confirmed(void **state)
{
    broker *b = *state;
    static const char message[] = "{\"version\":\"0.1.0\",\"type\":\"sample\","
                                  "\"payload\":\"eyJhIjpbImIiXX0=\"}";
    const ask asks[] = {
        {KBS_POST, "reference-value", .body = vs_str(message)},
        {KBS_POST, "attestation-policy",
         .body = vs_str(policy_body(b, "mine", vs_policy_text("default_cpu")))},
        {KBS_POST, "resource-policy",
         .body = vs_str(policy_body(b, NULL, vs_policy_text("kbs_allow_all")))},
        {KBS_POST, "resource/a/b/c", .body = VS_LIT("x")},
    };
    char dir[] = "/tmp/vs-attacks-XXXXXX";
    assert_non_null(mkdtemp(dir));
    const char *path = vs_sprintf(&b->w.a, "%s/audit.log", dir);
    for (size_t i = 0; i < VS_COUNT(asks); i++) {
        vs_error err = {0};
        kbs_journal_free(&b->journal);
        const kbs_journal_config cfg = {
            .store = b->w.store, .audit_path = path, .audit_each = true};
        assert_vs_ok(kbs_journal_new(&cfg, &b->journal, &err), &err);
        kbs_set_journal(b->k, b->journal);
        ask q = asks[i];
        q.bearer = admin_token(b);
        struct rlimit before, full;
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        full = (struct rlimit){64, before.rlim_max};
        (void)signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0); /* nobody has noticed yet */
        answer r = tell(b, q);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        if (r.error == KBS_OK)
            fail_msg("POST %s was confirmed", q.path);
    }
    kbs_set_journal(b->k, NULL);
    kbs_journal_free(&b->journal);
    (void)unlink(path);
    (void)rmdir(dir);
}

/* ---- whoever gets the memory --------------------------------------------------------------------
 */

/* Written, released, and the broker ended: nothing that was freed on the way has it. */
static void a_secret_is_not_left_in_freed_memory(void **state)
{
    broker *b = *state;
    challenge c;
    uint8_t secret[3000];
    set_resource_policy(b, vs_policy_text("kbs_allow_all"));
    for (size_t i = 0; i < sizeof secret; i++)
        secret[i] = secret_byte(i);
    assert_granted(tell(b, (ask){KBS_POST, DEMO, .body = vs_span_of(secret, sizeof secret),
                                 .bearer = admin_token(b)}));
    vs_wipe(secret, sizeof secret);
    (void)attest(b, "sample", &c);
    for (int i = 0; i < 3; i++)
        assert_granted(tell(b, (ask){KBS_GET, DEMO, .session = c.session}));
    assert_true(count_in_memory() > 0); /* the store is in memory */
    broker_close(b);
    assert_int_equal(count_in_memory(), 0);
    broker_open(b); /* for the teardown */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, broker_setup, broker_teardown)
        T(evidence_that_was_not_verified_is_not_recorded_as_allowed),
        T(of_two_at_once_one_is_recorded_and_nobody_waits),
        T(a_token_given_out_again_is_audited_in_a_flood),
        T(a_path_below_an_endpoint_is_not_the_endpoint),
        T(changes_that_cannot_be_audited_are_not_confirmed),
        T(a_secret_is_not_left_in_freed_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
