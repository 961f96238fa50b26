/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy may say, and what happens when it says something else (4.6). */
#include "as/as_fixture.h"

static const char runtime[] = "{\"nonce\":\"n\"}";

static vs_code appraise(world *w, const char *rules, as_result *res, vs_error *err)
{
    vs_span text = vs_str(vs_sprintf(&w->a, "package policy\nimport rego.v1\n%s\n", rules));
    assert_vs_ok(as_set_policy(w->as, VS_LIT("t_cpu"), text, err), err);
    as_request r = sample_request(w, "sample", runtime);
    return evaluate(w, &r, 1, "t", res, err);
}

static void status_is_the_worst_tier_of_the_claims_that_are_set(void **state)
{
    static const struct {
        const char *claims, *status;
    } cases[] = {
        {"{\"hardware\": 2}", "affirming"},
        {"{\"hardware\": 2, \"executables\": 0}", "affirming"},
        {"{\"hardware\": 0}", "none"},
        {"{\"hardware\": -1}", "none"},
        {"{\"hardware\": 1}", "none"},
        {"{\"hardware\": 2.0}", "affirming"},
        {"{\"hardware\": 31, \"file-system\": 32}", "warning"},
        {"{\"hardware\": -2}", "affirming"},
        {"{\"hardware\": -32}", "affirming"},
        {"{\"hardware\": -33}", "warning"},
        {"{\"hardware\": 95}", "warning"},
        {"{\"hardware\": 96, \"executables\": 2}", "contraindicated"},
        {"{\"hardware\": -97}", "contraindicated"},
        {"{\"hardware\": 127}", "contraindicated"},
        {"{\"hardware\": -128}", "contraindicated"},
    };
    world *w = *state;
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        vs_error err = {0};
        as_result res;
        assert_vs_ok(
            appraise(w, vs_sprintf(&w->a, "trust_claims := %s", cases[i].claims), &res, &err),
            &err);
        assert_string_equal(res.status, cases[i].status);
        vs_val vector = at(token_claims(w, res.token), "/submods/cpu0/ear.trustworthiness-vector");
        assert_true(vs_eq(vector, json(w, cases[i].claims)));
    }
}

static void what_is_not_a_trust_vector_is_an_error(void **state)
{
    static const char *const bad[] = {
        "trust_claims := {}",
        "trust_claims := []",
        "trust_claims := null",
        "trust_claims := \"x\"",
        "trust_claims := {\"hardware\": 2.5}",
        "trust_claims := {\"hardware\": \"2\"}",
        "trust_claims := {\"hardware\": null}",
        "trust_claims := {\"hardware\": true}",
        "trust_claims := {\"hardware\": 128}",
        "trust_claims := {\"hardware\": -129}",
        "trust_claims := {\"hardware\": 258}",
        "trust_claims := {\"hardware\": 1e30}",
        "trust_claims := {\"hardware\": 18446744073709551618}",
        "trust_claims := {\"hardwear\": 2}",
        "trust_claims := {\"Hardware\": 2}",
        "trust_claims := {\"hardware\": 2, \"more\": 2}",
        "trust_claims := {2: 2}",
        "trust_claims := {\"hardware\": 2} if input.nothing",
        "other := 1",
    };
    world *w = *state;
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        vs_error err = {0};
        as_result res;
        if (appraise(w, bad[i], &res, &err) != VS_E_INVALID)
            fail_msg("%s: %s", bad[i], vs_code_name(err.code));
        assert_int_equal(res.token.n, 0);
    }
}

static void a_policy_in_another_package_has_no_trust_claims(void **state)
{
    world *w = *state;
    vs_error err = {0};
    as_result res;
    assert_vs_ok(as_set_policy(w->as, VS_LIT("t_cpu"),
                               VS_LIT("package other\ntrust_claims := {\"hardware\": 2}"), &err),
                 &err);
    as_request r = sample_request(w, "sample", runtime);
    assert_vs_code(evaluate(w, &r, 1, "t", &res, &err), VS_E_INVALID);
}

static void rules_that_contradict_each_other_or_fail_are_errors(void **state)
{
    static const char *const bad[] = {
        "trust_claims := {\"hardware\": 2}\ntrust_claims := {\"hardware\": 3}",
        "trust_claims := {\"hardware\": to_number(\"x\")}",
        "trust_claims := {\"hardware\": query_reference_value(1)}",
        "trust_claims := {\"hardware\": 2}\nextensions := [1 / 0]",
    };
    world *w = *state;
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        vs_error err = {0};
        as_result res;
        if (appraise(w, bad[i], &res, &err) == VS_OK)
            fail_msg("accepted: %s", bad[i]);
    }
}

static void a_policy_that_never_ends_is_stopped(void **state)
{
    world *w = *state;
    vs_error err = {0};
    as_result res;
    assert_vs_code(
        appraise(w,
                 "trust_claims := {\"hardware\": count([1 | some i in numbers.range(1, 5000); "
                 "some j in numbers.range(1, 5000); i == j; i < 0])}",
                 &res, &err),
        VS_E_LIMIT);
}

static void an_absent_reference_value_is_null(void **state)
{
    world *w = *state;
    vs_error err = {0};
    as_result res;
    static const char rules[] = "default hardware := 97\n"
                                "hardware := 2 if query_reference_value(\"none/such\") == null\n"
                                "hardware := 3 if \"a\" in query_reference_value(\"none/such\")\n"
                                "trust_claims := {\"hardware\": hardware}";
    assert_vs_ok(appraise(w, rules, &res, &err), &err);
    assert_string_equal(res.status, "affirming");
    vs_val asked = at(res.explanation, "/0/reference_values");
    assert_json_eq(w, asked, "[{'id': 'none/such', 'found': false}]");
}

/* A CoRIM's minimum is {"min_svn": n}: where it is missing, a rule that compares with it fails,
 * while the comparison with a bare number would hold. */
static void a_missing_minimum_does_not_pass(void **state)
{
    world *w = *state;
    vs_error err = {0};
    as_result res;
    static const char rules[] =
        "default hardware := 97\n"
        "hardware := 2 if 7 >= query_reference_value(\"ACME/Box/fw/min_svn\").min_svn\n"
        "trust_claims := {\"hardware\": hardware}";
    assert_vs_ok(appraise(w, rules, &res, &err), &err);
    assert_string_equal(res.status, "contraindicated");
    endorse(w, "{\"ACME/Box/fw/min_svn\":{\"min_svn\":8}}");
    assert_vs_ok(appraise(w, rules, &res, &err), &err);
    assert_string_equal(res.status, "contraindicated");
    endorse(w, "{\"ACME/Box/fw/min_svn\":{\"min_svn\":7}}");
    assert_vs_ok(appraise(w, rules, &res, &err), &err);
    assert_string_equal(res.status, "affirming");
}

/* ---- extensions -------------------------------------------------------------------------------
 */

#define TRUST "trust_claims := {\"hardware\": 2}\n"

static void extensions_are_members_of_the_appraisal(void **state)
{
    world *w = *state;
    vs_error err = {0};
    as_result res;
    static const char rules[] =
        TRUST "extensions := [{\"name\": \"z.last\", \"key\": 1, \"value\": {1, 2}}, "
              "{\"name\": \"a.first\", \"key\": -18, \"value\": {\"b\": false}}, "
              "{\"name\": \"gone\", \"key\": 3, \"value\": null}]";
    assert_vs_ok(appraise(w, rules, &res, &err), &err);
    vs_val submod = at(token_claims(w, res.token), "/submods/cpu0");
    assert_json_eq(w, vs_getc(submod, "a.first"), "{'b': false}");
    assert_json_eq(w, vs_getc(submod, "z.last"), "[1, 2]");
    assert_false(vs_defined(vs_getc(submod, "gone")));
}

static void wrong_extensions_are_errors(void **state)
{
    static const char *const bad[] = {
        "extensions := {}",
        "extensions := [1]",
        "extensions := [{\"name\": \"a\", \"key\": 1}]",
        "extensions := [{\"name\": \"a\", \"value\": 1}]",
        "extensions := [{\"key\": 1, \"value\": 1}]",
        "extensions := [{\"name\": 1, \"key\": 1, \"value\": 1}]",
        "extensions := [{\"name\": \"a\", \"key\": 2147483648, \"value\": 1}]",
        "extensions := [{\"name\": \"a\", \"key\": 1.5, \"value\": 1}]",
        "extensions := [{\"name\": \"a\", \"key\": 1, \"value\": 1}, "
        "{\"name\": \"a\", \"key\": 2, \"value\": 1}]",
        "extensions := [{\"name\": \"a\", \"key\": 1, \"value\": 1}, "
        "{\"name\": \"b\", \"key\": 1, \"value\": 1}]",
        "extensions := [{\"name\": \"ear.status\", \"key\": 1, \"value\": \"affirming\"}]",
        "extensions := [] if input.nothing",
    };
    world *w = *state;
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        vs_error err = {0};
        as_result res;
        if (appraise(w, vs_sprintf(&w->a, TRUST "%s", bad[i]), &res, &err) == VS_OK)
            fail_msg("accepted: %s", bad[i]);
    }
}

/* ---- reasons ----------------------------------------------------------------------------------
 */

static const char *first_reason(as_result *res)
{
    vs_val r = at(res->explanation, "/0/reasons/0");
    return r.kind == VS_STRING ? r.u.s : "";
}

static void a_reason_names_the_values_that_did_not_match(void **state)
{
    world *w = *state;
    vs_error err = {0};
    as_result res;
    static const char rules[] =
        "default executables := 33\n"
        "executables := 3 if input.sample.launch_digest in query_reference_value(\"digests\")\n"
        "executables := 3 if input.snp.measurement in query_reference_value(\"digests\")\n"
        "trust_claims := {\"executables\": executables}";
    assert_vs_ok(appraise(w, rules, &res, &err), &err);
    assert_string_equal(
        first_reason(&res),
        "executables 33 (unrecognized_rt): launch digest \"abcde\" is not an approved value of "
        "digests (no such reference value)");
    endorse(w, "{\"digests\":[\"other\",\"another\"]}");
    assert_vs_ok(appraise(w, rules, &res, &err), &err);
    assert_string_equal(
        first_reason(&res),
        "executables 33 (unrecognized_rt): launch digest \"abcde\" is not an approved value of "
        "digests (2 approved)");
    endorse(w, "{\"digests\":[\"abcde\"]}");
    assert_vs_ok(appraise(w, rules, &res, &err), &err);
    assert_string_equal(res.status, "affirming");
    assert_int_equal(at(res.explanation, "/0/reasons").len, 0);
}

static void evidence_that_no_rule_is_for_gets_that_as_its_reason(void **state)
{
    world *w = *state;
    vs_error err = {0};
    as_result res;
    static const char rules[] = "default hardware := 97\n"
                                "hardware := 2 if input.snp.reported_tcb_snp == 1\n"
                                "trust_claims := {\"hardware\": hardware}";
    assert_vs_ok(appraise(w, rules, &res, &err), &err);
    assert_string_equal(
        first_reason(&res),
        "hardware 97 (unrecognized_hw): a rule of the policy gives it, or none is for "
        "this kind of evidence");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_is_the_worst_tier_of_the_claims_that_are_set),
        cmocka_unit_test(what_is_not_a_trust_vector_is_an_error),
        cmocka_unit_test(a_policy_in_another_package_has_no_trust_claims),
        cmocka_unit_test(rules_that_contradict_each_other_or_fail_are_errors),
        cmocka_unit_test(a_policy_that_never_ends_is_stopped),
        cmocka_unit_test(an_absent_reference_value_is_null),
        cmocka_unit_test(a_missing_minimum_does_not_pass),
        cmocka_unit_test(extensions_are_members_of_the_appraisal),
        cmocka_unit_test(wrong_extensions_are_errors),
        cmocka_unit_test(a_reason_names_the_values_that_did_not_match),
        cmocka_unit_test(evidence_that_no_rule_is_for_gets_that_as_its_reason),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
