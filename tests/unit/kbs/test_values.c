/* SPDX-License-Identifier: Apache-2.0 */
/* Administration of reference values: lists, deletion, and what a recorded attestation proposes. */
#include "kbs/broker.h"

#include "as/policies.h"

static answer admin(broker *b, ask q)
{
    q.bearer = admin_token(b);
    return tell(b, q);
}

static vs_val body_of(broker *b, answer r)
{
    assert_granted(r);
    return json(&b->w, vs_sprintf(&b->w.a, "%.*s", VS_FMT(r.body)));
}

static vs_val query(broker *b, const char *text)
{
    return json1(&b->w, text);
}

/* ---- list, delete -----------------------------------------------------------------------------
 */

static void values_are_listed_page_by_page(void **state)
{
    broker *b = *state;
    assert_int_equal(vs_getc(body_of(b, admin(b, (ask){KBS_GET, "reference-value"})), "values").len,
                     0);
    endorse(&b->w, "{\"a.1\":[1],\"a.2\":[2],\"a.3\":[3],\"b\":\"x\"}");
    vs_val page = body_of(b, admin(b, (ask){KBS_GET, "reference-value",
                                            .query = query(b, "{'prefix':'a.','limit':'2'}")}));
    assert_int_equal(vs_getc(page, "values").len, 2);
    assert_span_is(vs_text(vs_getc(page, "next")), "a.2");
    vs_val one = vs_getc(page, "values").u.items[0];
    assert_span_is(vs_text(vs_getc(one, "name")), "a.1");
    assert_true(vs_is_true(vs_getc(one, "valid")));
    page = body_of(b, admin(b, (ask){KBS_GET, "reference-value",
                                     .query = query(b, "{'prefix':'a.','after':'a.2'}")}));
    assert_int_equal(vs_getc(page, "values").len, 1);
    assert_false(vs_defined(vs_getc(page, "next")));
    static const char *const bad[] = {"{'limit':'0'}", "{'limit':'1001'}", "{'limit':'x'}",
                                      "{'limit':'-1'}", "{'limit':'99999999999999999999'}"};
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_int_equal(
            admin(b, (ask){KBS_GET, "reference-value", .query = query(b, bad[i])}).error,
            KBS_INVALID_REQUEST);
}

static void a_value_is_deleted_once(void **state)
{
    broker *b = *state;
    endorse(&b->w, "{\"a/b\":[1]}");
    assert_granted(admin(b, (ask){KBS_DELETE, "reference-value/a/b"}));
    assert_int_equal(admin(b, (ask){KBS_DELETE, "reference-value/a/b"}).error, KBS_NOT_FOUND);
    assert_int_equal(admin(b, (ask){KBS_GET, "reference-value/a/b"}).error, KBS_RVPS_ERROR);
    assert_int_not_equal(admin(b, (ask){KBS_DELETE, "reference-value"}).error, KBS_OK);
}

/* ---- collect ----------------------------------------------------------------------------------
 */

static const char *attest_for_record(broker *b, const char *tee)
{
    challenge c = authenticate(b, tee);
    answer r = send_evidence(b, c.session, honest_body(b, tee, &c));
    assert_granted(r);
    return vs_sprintf(&b->w.a, "collect/%s", r.decision);
}

static vs_val line_of(vs_val proposal, const char *name)
{
    vs_val values = vs_getc(proposal, "values");
    for (VS_ARR_FOR (v, values))
        if (vs_span_is(vs_text(vs_getc(*v, "name")), name))
            return *v;
    return vs_undefined();
}

static answer approve(broker *b, const char *path, vs_val proposal, const char *names)
{
    vs_span digest = vs_text(vs_getc(proposal, "proposal"));
    return admin(b, (ask){KBS_POST, path,
                          .body = vs_str(vs_sprintf(&b->w.a, "{\"proposal\":\"%.*s\",\"names\":%s}",
                                                    VS_FMT(digest), names))});
}

#define RIM "cca.realm.cca-realm-initial-measurement"

static void an_attestation_proposes_what_its_policy_compared(void **state)
{
    broker *b = *state;
    const char *path = attest_for_record(b, "cca");
    vs_val p = body_of(b, admin(b, (ask){KBS_GET, path}));
    vs_val line = line_of(p, RIM);
    assert_span_is(vs_text(vs_getc(line, "comparison")), "in");
    assert_span_is(vs_text(vs_getc(line, "change")), "new");
    assert_int_equal(vs_getc(line, "proposed").len, 1);
    assert_granted(approve(b, path, p, "[\"" RIM "\"]"));
    vs_val stored = body_of(b, admin(b, (ask){KBS_GET, "reference-value/" RIM}));
    assert_true(vs_eq(stored, vs_getc(line, "proposed")));
    /* What passes now was approved by somebody, and who is on record. */
    vs_val page = body_of(b, admin(b, (ask){KBS_GET, "reference-value"}));
    vs_val by = vs_pointer(page, VS_LIT("/values/0/provenance/by"));
    assert_true(vs_span_starts(vs_text(by), VS_LIT("admin, collected from decision ")));
    path = attest_for_record(b, "cca");
    p = body_of(b, admin(b, (ask){KBS_GET, path}));
    assert_span_is(vs_text(vs_getc(line_of(p, RIM), "change")), "same");
}

static void several_comparisons_are_seen_one_after_another(void **state)
{
    broker *b = *state;
    /* Each hides the next while it fails; the sample evidence has svn "1" only. */
    const char *policy =
        "package policy\n"
        "trust_claims := {\"executables\": executables, \"hardware\": hardware, "
        "\"configuration\": 2}\n"
        "default executables := 33\ndefault hardware := 97\n"
        "executables := 3 if {\n\tinput.sample.svn in query_reference_value(\"one\")\n"
        "\tinput.sample.svn == query_reference_value(\"two\")\n"
        "\tis_number(query_reference_value(\"three\"))\n"
        "\tto_number(input.sample.svn) >= query_reference_value(\"three\")\n"
        "\tcount(query_reference_value(\"four\")) > 3\n}\n";
    assert_granted(admin(b, (ask){KBS_POST, "attestation-policy",
                                  .body = vs_str(policy_body(b, "default_cpu", vs_str(policy)))}));
    const char *path = attest_for_record(b, "sample");
    vs_val p = body_of(b, admin(b, (ask){KBS_GET, path}));
    assert_int_equal(vs_getc(p, "values").len, 3);
    assert_true(vs_eq(vs_getc(line_of(p, "one"), "proposed"), json1(&b->w, "['1']")));
    assert_true(vs_eq(vs_getc(line_of(p, "two"), "proposed"), vs_cstring("1")));
    assert_true(vs_eq(vs_getc(line_of(p, "three"), "proposed"), vs_int(1)));
    assert_true(vs_eq(vs_getc(p, "unknown"), json1(&b->w, "['four']")));
}

static void approved_values_stay_beside_a_new_one(void **state)
{
    broker *b = *state;
    endorse(&b->w, "{\"" RIM "\":[\"old\"]}");
    const char *path = attest_for_record(b, "cca");
    vs_val p = body_of(b, admin(b, (ask){KBS_GET, path}));
    vs_val line = line_of(p, RIM);
    assert_span_is(vs_text(vs_getc(line, "change")), "add");
    assert_int_equal(vs_getc(line, "proposed").len, 2);
    assert_true(vs_eq(vs_getc(line, "stored"), json1(&b->w, "['old']")));
    assert_true(vs_eq(vs_getc(line, "proposed").u.items[0], vs_cstring("old")));
}

/* hazard 42 */
static void an_approval_is_of_what_was_shown(void **state)
{
    broker *b = *state;
    const char *path = attest_for_record(b, "cca");
    vs_val p = body_of(b, admin(b, (ask){KBS_GET, path}));
    endorse(&b->w, "{\"" RIM "\":[\"somebody else's\"]}");
    assert_int_equal(approve(b, path, p, "[\"" RIM "\"]").error, KBS_PRECONDITION_FAILED);
    vs_val stored = body_of(b, admin(b, (ask){KBS_GET, "reference-value/" RIM}));
    assert_true(vs_eq(stored, json(&b->w, "[\"somebody else's\"]")));
    p = body_of(b, admin(b, (ask){KBS_GET, path}));
    static const struct {
        const char *names;
        kbs_error want;
    } bad[] = {{"[]", KBS_INVALID_REQUEST},
               {"[\"" RIM "\",\"other\"]", KBS_NOT_FOUND},
               {"[1]", KBS_NOT_FOUND},
               {"\"" RIM "\"", KBS_INVALID_REQUEST}};
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_int_equal(approve(b, path, p, bad[i].names).error, bad[i].want);
    assert_int_equal(admin(b, (ask){KBS_POST, path, .body = VS_LIT("{}")}).error,
                     KBS_INVALID_REQUEST);
    assert_true(vs_eq(body_of(b, admin(b, (ask){KBS_GET, "reference-value/" RIM})), stored));
}

static void only_verified_evidence_can_be_collected_from(void **state)
{
    broker *b = *state;
    challenge c = authenticate(b, "cca");
    answer failed = send_evidence(b, c.session, VS_LIT("{}"));
    const char *denied = vs_sprintf(&b->w.a, "collect/%s", failed.decision);
    assert_int_not_equal(admin(b, (ask){KBS_GET, denied}).error, KBS_OK);
    answer r =
        admin(b, (ask){KBS_PUT, "attestation-policy/x_cpu", .body = VS_LIT("package policy\n")});
    assert_granted(r);
    const char *act = vs_sprintf(&b->w.a, "collect/%s", r.decision);
    assert_int_equal(admin(b, (ask){KBS_GET, act}).error, KBS_INVALID_REQUEST);
    static const char *const bad[] = {"collect", "collect/x", "collect/../resource-policy",
                                      "collect/00000000-0000-7000-8000-000000000000"};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        kbs_error e = admin(b, (ask){KBS_GET, bad[i]}).error;
        assert_true(e == KBS_NOT_FOUND || e == KBS_ADMIN_AUTH_ACCESS);
    }
}

static void what_refuses_unsigned_values_refuses_an_approval(void **state)
{
    broker *b = *state;
    vs_error err = {0};
    rvps *strict = NULL;
    const rvps_options options = {.refuse_sample = true};
    assert_vs_ok(rvps_new(b->w.store, &options, &strict, &err), &err);
    kbs *all = b->k, *k = NULL;
    assert_vs_ok(kbs_new(&b->cfg, b->w.store, b->w.store, b->w.as, strict, &k, &err), &err);
    kbs_set_journal(k, b->journal);
    b->k = k;
    const char *path = attest_for_record(b, "cca");
    vs_val p = body_of(b, admin(b, (ask){KBS_GET, path}));
    assert_int_equal(approve(b, path, p, "[\"" RIM "\"]").error, KBS_INVALID_REQUEST);
    kbs_free(&k);
    rvps_free(&strict);
    b->k = all;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, broker_setup, broker_teardown)
        T(values_are_listed_page_by_page),
        T(a_value_is_deleted_once),
        T(an_attestation_proposes_what_its_policy_compared),
        T(several_comparisons_are_seen_one_after_another),
        T(approved_values_stay_beside_a_new_one),
        T(an_approval_is_of_what_was_shown),
        T(only_verified_evidence_can_be_collected_from),
        T(what_refuses_unsigned_values_refuses_an_approval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
