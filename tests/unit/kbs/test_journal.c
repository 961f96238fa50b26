/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions: each has a record that says why, and none is granted that could not be recorded. */
#include "kbs/broker.h"

#include <signal.h>
#include <sys/resource.h>

#include "as/policies.h"
#include "as/replay.h"
#include "kbs/audit.h"

static vs_val record_of(broker *b, const char *id)
{
    answer r =
        tell(b, (ask){KBS_GET, vs_sprintf(&b->w.a, "decision/%s", id), .bearer = admin_token(b)});
    assert_granted(r);
    return json(&b->w, vs_sprintf(&b->w.a, "%.*s", VS_FMT(r.body)));
}

#define assert_member(v, name, want) assert_span_is(vs_text(vs_getc((v), (name))), (want))

static bool is_sha256(vs_val v)
{
    return v.kind == VS_STRING && vs_text(v).n == 64;
}

/* Audited to a file instead of the broker's own journal. */
static const char *use_audit_log(broker *b, bool each)
{
    vs_error err = {0};
    char *dir = strdup("/tmp/vs-journal-XXXXXX");
    assert_non_null(dir);
    assert_non_null(mkdtemp(dir));
    const char *path = vs_sprintf(&b->w.a, "%s/audit.log", dir);
    kbs_journal_free(&b->journal);
    const kbs_journal_config cfg = {
        .store = b->w.store, .audit_path = path, .audit_each = each, .keep_days = 30};
    assert_vs_ok(kbs_journal_new(&cfg, &b->journal, &err), &err);
    kbs_set_journal(b->k, b->journal);
    free(dir);
    return path;
}

/* Ends the journal, checks its file against the key in the store, and gives the text. */
static vs_span finish_audit_log(broker *b, const char *path, audit_report *r)
{
    vs_error err = {0};
    vs_val jwk;
    vs_key *key = NULL;
    vs_buf text = VS_BUF(16 << 20), key_text = VS_BUF(4096);
    assert_vs_ok(kbs_journal_key(b->journal, &key_text, &err), &err);
    jwk = json(&b->w, vs_sprintf(&b->w.a, "%.*s", VS_FMT(vs_buf_span(&key_text))));
    assert_vs_ok(vs_key_from_jwk(jwk, false, true, &key, NULL, &err), &err);
    kbs_set_journal(b->k, NULL);
    kbs_journal_free(&b->journal);
    assert_vs_ok(vs_read_file(path, &text, &err), &err);
    assert_vs_ok(audit_verify(vs_buf_span(&text), key, r, NULL, NULL, &err), &err);
    assert_int_equal(r->unsigned_lines, 0);
    vs_span copy = vs_dup(&b->w.a, vs_buf_span(&text));
    vs_buf_free(&text);
    vs_buf_free(&key_text);
    vs_key_free(&key);
    (void)unlink(path);
    char *dir = strdup(path);
    *strrchr(dir, '/') = 0;
    (void)rmdir(dir);
    free(dir);
    return copy;
}

/* ---- what a record says -------------------------------------------------------------------------
 */

static void an_attestation_is_recorded_with_all_that_led_to_it(void **state)
{
    broker *b = *state;
    challenge c = authenticate(b, "cca");
    answer r = send_evidence(b, c.session, honest_body(b, "cca", &c));
    assert_granted(r);
    vs_val rec = record_of(b, r.decision);
    assert_member(rec, "id", r.decision);
    assert_member(rec, "what", "attestation");
    assert_member(rec, "verdict", "allowed");
    assert_member(rec, "tee", "cca");
    assert_member(rec, "status", "warning");
    assert_true(is_sha256(vs_getc(rec, "evidence_sha256")));
    assert_true(is_sha256(vs_getc(rec, "token_sha256")));
    vs_val submod = at(rec, "/appraisal/submods/0");
    assert_member(submod, "policy", "default_cpu");
    assert_true(is_sha256(vs_getc(submod, "policy_sha256")));
    assert_true(vs_defined(at(submod, "/input/cca/realm/cca-realm-initial-measurement")));
    /* First the verifier asks for an endorsement of this realm, then the policy. */
    vs_val asked = at(submod, "/reference_values/0");
    assert_member(asked, "by", "verifier");
    assert_true(vs_span_starts(vs_text(vs_getc(asked, "id")), VS_LIT("cca.realm.")));
    assert_false(vs_is_true(vs_getc(asked, "found")));
    asked = at(submod, "/reference_values/1");
    assert_member(asked, "id", "cca.realm.cca-realm-initial-measurement");
    assert_false(vs_defined(vs_getc(asked, "by")));
    assert_false(vs_is_true(vs_getc(asked, "found")));
    assert_true(vs_getc(submod, "reasons").len > 0);
}

static void a_release_and_a_refusal_are_recorded(void **state)
{
    broker *b = *state;
    challenge c;
    put_resource(b, DEMO, "s3cret-canary");
    set_resource_policy(b, vs_policy_text("kbs_allow_all"));
    (void)attest(b, "sample", &c);
    answer r = tell(b, (ask){KBS_GET, DEMO, .session = c.session});
    assert_granted(r);
    vs_val rec = record_of(b, r.decision);
    assert_member(rec, "what", "release");
    assert_member(rec, "verdict", "allowed");
    assert_member(rec, "target", "/kbs/v0/" DEMO);
    assert_true(is_sha256(vs_getc(rec, "policy_sha256")));
    vs_val token = vs_getc(rec, "token_sha256");
    assert_true(is_sha256(token));

    set_resource_policy(b, vs_policy_text("kbs_affirming"));
    r = tell(b, (ask){KBS_GET, DEMO, .session = c.session});
    assert_refused(r, "PolicyDeny", "Access denied by policy");
    rec = record_of(b, r.decision);
    assert_member(rec, "verdict", "denied");
    assert_true(vs_eq(vs_getc(rec, "token_sha256"), token));
    assert_true(vs_text(vs_getc(rec, "reason")).n > 0);
}

/* Writes what waits, and goes on in a journal that remembers nothing. */
static void start_journal_anew(broker *b)
{
    vs_error err = {0};
    kbs_journal_free(&b->journal);
    const kbs_journal_config cfg = {.store = b->w.store, .keep_days = 30};
    assert_vs_ok(kbs_journal_new(&cfg, &b->journal, &err), &err);
    kbs_set_journal(b->k, b->journal);
}

static void a_release_tells_of_the_attestation_before_it(void **state)
{
    broker *b = *state;
    challenge c = authenticate(b, "cca"), other;
    answer attested = send_evidence(b, c.session, honest_body(b, "cca", &c));
    assert_granted(attested);
    put_resource(b, DEMO, "s3cret-canary");
    set_resource_policy(b, vs_policy_text("kbs_affirming"));
    answer r = tell(b, (ask){KBS_GET, DEMO, .session = c.session});
    assert_refused(r, "PolicyDeny", "Access denied by policy");
    for (int round = 0; round < 2; round++) { /* while it waits to be stored, and from the store */
        vs_val before = vs_getc(record_of(b, r.decision), "attestation");
        assert_member(before, "id", attested.decision);
        vs_val reason = at(before, "/appraisal/submods/0/reasons/0");
        assert_true(vs_span_starts(vs_text(reason), VS_LIT("executables 33")));
        assert_false(vs_defined(vs_getc(before, "attestation")));
        start_journal_anew(b);
    }
    (void)attest(b, "sample", &other);
    answer of_other = tell(b, (ask){KBS_GET, DEMO, .session = other.session});
    assert_member(vs_getc(record_of(b, of_other.decision), "attestation"), "tee", "sample");
    /* Without the attestation's record there is still the release's. */
    assert_vs_ok(vs_store_delete(b->w.store, "decision", vs_str(attested.decision), NULL), NULL);
    assert_false(vs_defined(vs_getc(record_of(b, r.decision), "attestation")));
}

static void an_unproven_attempt_is_in_memory_only(void **state)
{
    broker *b = *state;
    challenge c = authenticate(b, "sample");
    answer r = send_evidence(b, c.session, VS_LIT("{}"));
    assert_int_equal(r.error, KBS_ATTESTATION_ERROR);
    vs_val rec = record_of(b, r.decision);
    assert_member(rec, "verdict", "denied");
    assert_member(rec, "error", "Attestation (protocol 0.4.0): member \"runtime-data\" is missing");
    kbs_journal_free(&b->journal); /* writes what is to be stored */
    vs_buf stored = VS_BUF(1 << 16);
    assert_vs_code(vs_store_get(b->w.store, "decision", vs_str(r.decision), 0, &stored, NULL),
                   VS_E_NOT_FOUND);
    vs_buf_free(&stored);
    kbs_set_journal(b->k, NULL);
}

static void records_are_stored_for_their_time(void **state)
{
    broker *b = *state;
    challenge c = authenticate(b, "sample");
    answer r = send_evidence(b, c.session, honest_body(b, "sample", &c));
    assert_granted(r);
    kbs_journal_free(&b->journal);
    vs_buf stored = VS_BUF(1 << 20);
    vs_error err = {0};
    assert_vs_ok(vs_store_get(b->w.store, "decision", vs_str(r.decision), NOW, &stored, &err),
                 &err);
    vs_buf_clear(&stored);
    assert_vs_code(
        vs_store_get(b->w.store, "decision", vs_str(r.decision), NOW + 31 * 86400, &stored, NULL),
        VS_E_NOT_FOUND);
    vs_buf_free(&stored);
    kbs_set_journal(b->k, NULL);
}

static void strangers_ids_are_not_found(void **state)
{
    static const char *const ids[] = {"x", "00000000-0000-7000-8000-000000000000",
                                      "00000000-0000-7000-8000-00000000000."};
    broker *b = *state;
    for (size_t i = 0; i < VS_COUNT(ids); i++) {
        answer r = tell(b, (ask){KBS_GET, vs_sprintf(&b->w.a, "decision/%s", ids[i]),
                                 .bearer = admin_token(b)});
        assert_int_equal(r.error, KBS_PLUGIN_NOT_FOUND);
    }
}

/* ---- sealed records -----------------------------------------------------------------------------
 */

static vs_code text_in_record(const void *user, vs_span id, vs_span sha256, vs_arena *a,
                              vs_span *text, vs_error *err)
{
    (void)id, (void)a;
    vs_val found = vs_get(*(const vs_val *)user, sha256);
    if (found.kind != VS_STRING)
        return vs_fail(err, VS_E_NOT_FOUND, "not in the record");
    *text = vs_text(found);
    return VS_OK;
}

static void a_sealed_record_replays_to_the_same_payload(void **state)
{
    broker *b = *state;
    vs_error err = {0};
    challenge c = authenticate(b, "cca");
    answer r = send_evidence(b, c.session, honest_body(b, "cca", &c));
    vs_jws token, sealed;
    assert_vs_ok(vs_jws_parse(&b->w.a, token_in(b, r), &token, &err), &err);

    vs_obj query = {.a = &b->w.a};
    vs_obj_put(&query, "export", vs_cstring("1"));
    answer e =
        tell(b, (ask){KBS_GET, vs_sprintf(&b->w.a, "decision/%s", r.decision),
                      .bearer = admin_token(b), .query = vs_obj_end(&query, VS_DUP_REFUSE, NULL)});
    assert_granted(e);
    assert_vs_ok(vs_jws_parse(&b->w.a, e.body, &sealed, &err), &err);
    answer k = tell(b, (ask){KBS_GET, "decision/key", .bearer = admin_token(b)});
    assert_granted(k);
    vs_key *key = NULL;
    assert_vs_ok(vs_key_from_jwk(json(&b->w, vs_sprintf(&b->w.a, "%.*s", VS_FMT(k.body))), false,
                                 true, &key, NULL, &err),
                 &err);
    assert_vs_ok(vs_jws_verify(&sealed, key, VS_ES256, &err), &err);
    vs_key_free(&key);

    vs_val record = json(&b->w, vs_sprintf(&b->w.a, "%.*s", VS_FMT(sealed.payload)));
    vs_val policies = vs_getc(record, "policies");
    const as_replay_options opts = {.policy = text_in_record, .user = &policies};
    as_replayed out;
    assert_vs_ok(as_replay(vs_getc(record, "appraisal"), &opts, &b->w.a, &out, &err), &err);
    assert_span_eq(out.payload, token.payload);
    assert_true(out.same);
}

static void the_latest_ids_are_listed_in_order(void **state)
{
    broker *b = *state;
    const char *ids[3];
    for (size_t i = 0; i < VS_COUNT(ids); i++) {
        challenge c = authenticate(b, "sample");
        ids[i] = send_evidence(b, c.session, honest_body(b, "sample", &c)).decision;
        (void)usleep(2000); /* ids sort by the millisecond */
    }
    start_journal_anew(b);
    vs_error err = {0};
    vs_val got;
    assert_vs_ok(kbs_journal_latest(b->journal, 2, &b->w.a, &got, &err), &err);
    assert_int_equal(got.len, 2);
    assert_span_is(vs_text(got.u.items[0]), ids[1]);
    assert_span_is(vs_text(got.u.items[1]), ids[2]);
    static const char *const bad[] = {"x", "-1", "10001", "99999999999999999999"};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        vs_obj query = {.a = &b->w.a};
        vs_obj_put(&query, "last", vs_cstring(bad[i]));
        answer r = tell(b, (ask){KBS_GET, "decision", .bearer = admin_token(b),
                                 .query = vs_obj_end(&query, VS_DUP_REFUSE, NULL)});
        assert_int_equal(r.error, KBS_PLUGIN_INTERNAL_ERROR);
    }
}

/* ---- the audit log
 * --------------------------------------------------------------------------------
 */

static void every_proven_decision_is_audited_in_order(void **state)
{
    broker *b = *state;
    challenge c;
    audit_report r;
    const char *path = use_audit_log(b, false);
    put_resource(b, DEMO, "s3cret-canary");
    set_resource_policy(b, vs_policy_text("kbs_allow_all"));
    vs_span token = attest(b, "sample", &c);
    for (int i = 0; i < 5; i++)
        assert_granted(tell(b, (ask){KBS_GET, DEMO, .session = c.session}));
    vs_span text = finish_audit_log(b, path, &r);
    assert_int_equal(r.events, 8);
    assert_non_null(memmem(text.p, text.n, "\"what\":\"release\"", 16));
    /* Neither secrets nor what opens them. */
    assert_null(memmem(text.p, text.n, "s3cret-canary", 13));
    assert_true(token.n > 40 && token.p && c.session.n > 40 && c.session.p);
    if (token.p && c.session.p) {
        assert_null(memmem(text.p, text.n, token.p, 40));
        assert_null(memmem(text.p, text.n, c.session.p, 40));
    }
}

static void a_flood_without_proof_does_not_fill_the_log(void **state)
{
    broker *b = *state;
    audit_report r;
    const char *path = use_audit_log(b, false);
    challenge c = authenticate(b, "sample");
    for (int i = 0; i < 500; i++)
        (void)send_evidence(b, c.session, VS_LIT("{}"));
    b->now++;
    (void)send_evidence(b, c.session, VS_LIT("{}"));
    vs_span text = finish_audit_log(b, path, &r);
    assert_int_equal(r.events, 21);
    assert_non_null(memmem(text.p, text.n, "\"suppressed\":480", 16));
}

static void nothing_is_granted_that_cannot_be_audited(void **state)
{
    broker *b = *state;
    challenge c;
    audit_report r;
    put_resource(b, DEMO, "s");
    set_resource_policy(b, vs_policy_text("kbs_allow_all"));
    (void)attest(b, "sample", &c);
    const char *path = use_audit_log(b, true);
    assert_granted(tell(b, (ask){KBS_GET, DEMO, .session = c.session}));
    assert_vs_code(kbs_ready(b->k, NULL), VS_OK);

    struct rlimit before, full = {64, RLIM_INFINITY};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    full.rlim_max = before.rlim_max;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    assert_refused(tell(b, (ask){KBS_GET, DEMO, .session = c.session}), "PluginInternalError",
                   "Plugin internal error");
    assert_int_not_equal(kbs_ready(b->k, NULL), VS_OK);
    assert_refused(tell(b, (ask){KBS_POST, DEMO, .body = VS_LIT("x"), .bearer = admin_token(b)}),
                   "PluginInternalError", "Plugin internal error");
    challenge d = authenticate(b, "sample");
    assert_refused(send_evidence(b, d.session, honest_body(b, "sample", &d)), "AttestationError",
                   ATTEST_FAILED);

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0); /* there is room again */
    for (int i = 0; i < 100 && kbs_ready(b->k, NULL) != VS_OK; i++)
        (void)usleep(50000);
    assert_vs_code(kbs_ready(b->k, NULL), VS_OK);
    assert_granted(tell(b, (ask){KBS_GET, DEMO, .session = c.session}));
    (void)finish_audit_log(b, path, &r);
    assert_true(r.events >= 3); /* the refused attempt was accepted, and is not lost */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, broker_setup, broker_teardown)
        T(an_attestation_is_recorded_with_all_that_led_to_it),
        T(a_release_and_a_refusal_are_recorded),
        T(a_release_tells_of_the_attestation_before_it),
        T(an_unproven_attempt_is_in_memory_only),
        T(records_are_stored_for_their_time),
        T(strangers_ids_are_not_found),
        T(a_sealed_record_replays_to_the_same_payload),
        T(the_latest_ids_are_listed_in_order),
        T(every_proven_decision_is_audited_in_order),
        T(a_flood_without_proof_does_not_fill_the_log),
        T(nothing_is_granted_that_cannot_be_audited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
