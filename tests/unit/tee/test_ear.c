/* SPDX-License-Identifier: Apache-2.0 */
/* AR4SI claims, tiers and values (attestation-service.md 5.3). */
#include "testing.h"

#include "envelope/ear.h"
#include "value/json.h"

static void every_value_has_the_tier_of_its_range(void **state)
{
    (void)state;
    for (int v = INT8_MIN; v <= INT8_MAX; v++) {
        ear_tier want = v >= -1 && v <= 1                                ? EAR_NONE
                        : (v >= 2 && v <= 31) || (v >= -32 && v <= -2)   ? EAR_AFFIRMING
                        : (v >= 32 && v <= 95) || (v >= -96 && v <= -33) ? EAR_WARNING
                                                                         : EAR_CONTRAINDICATED;
        assert_int_equal(ear_tier_of((int8_t)v), want);
    }
}

static void names_of_claims_go_there_and_back(void **state)
{
    (void)state;
    for (unsigned i = 0; i < EAR_CLAIMS; i++) {
        ear_claim c;
        assert_true(ear_claim_of_name(vs_str(ear_claim_name((ear_claim)i)), &c));
        assert_int_equal(c, i);
        for (int v = INT8_MIN; v <= INT8_MAX; v++)
            assert_non_null(ear_value_text((ear_claim)i, (int8_t)v));
    }
    ear_claim c;
    assert_false(ear_claim_of_name(VS_LIT("instance_identity"), &c));
    assert_false(ear_claim_of_name(VS_LIT(""), &c));
}

static void values_have_the_names_of_the_draft(void **state)
{
    (void)state;
    assert_string_equal(ear_value_name(EAR_EXECUTABLES, 33), "unrecognized_rt");
    assert_string_equal(ear_value_name(EAR_HARDWARE, 97), "unrecognized_hw");
    assert_string_equal(ear_value_name(EAR_CONFIGURATION, 36), "unavailable_config");
    assert_string_equal(ear_value_name(EAR_SOURCED_DATA, 99), "crypto_failed");
    assert_string_equal(ear_value_name(EAR_FILE_SYSTEM, -1), "verifier_malfunction");
    assert_null(ear_value_name(EAR_EXECUTABLES, 4));
    assert_null(ear_value_name(EAR_HARDWARE, 33));
}

static void a_status_is_a_name_or_a_code(void **state)
{
    (void)state;
    ear_tier t;
    assert_true(ear_tier_of_status(vs_cstring("warning"), &t) && t == EAR_WARNING);
    assert_true(ear_tier_of_status(vs_int(96), &t) && t == EAR_CONTRAINDICATED);
    assert_true(ear_tier_of_status(vs_int(0), &t) && t == EAR_NONE);
    assert_false(ear_tier_of_status(vs_int(3), &t));
    assert_false(ear_tier_of_status(vs_cstring("Affirming"), &t));
    assert_false(ear_tier_of_status(vs_cstring(""), &t));
    assert_false(ear_tier_of_status(vs_undefined(), &t));
    assert_false(ear_tier_of_status(vs_null(), &t));
}

static vs_code parse(const char *json, ear_value_form form, ear_vector *v)
{
    vs_arena a;
    vs_val o;
    vs_arena_init(&a, 0);
    assert_vs_code(vs_json_parse(&a, vs_str(json), NULL, &o, NULL), VS_OK);
    vs_code code = ear_vector_read(o, form, v, NULL);
    vs_arena_free(&a);
    return code;
}

static void the_worst_claim_decides_the_status(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        ear_tier want;
    } cases[] = {
        {"{\"hardware\":2}", EAR_AFFIRMING},
        {"{\"hardware\":2,\"executables\":0}", EAR_AFFIRMING},
        {"{\"hardware\":0,\"executables\":1,\"configuration\":-1}", EAR_NONE},
        {"{\"hardware\":2,\"executables\":33}", EAR_WARNING},
        {"{\"hardware\":97,\"executables\":33}", EAR_CONTRAINDICATED},
        {"{\"sourced-data\":-97,\"executables\":2}", EAR_CONTRAINDICATED},
    };
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        ear_vector v;
        assert_vs_code(parse(cases[i].json, EAR_INTEGERS, &v), VS_OK);
        assert_int_equal(ear_vector_status(&v), cases[i].want);
    }
    assert_int_equal(ear_vector_status(&(ear_vector){0}), EAR_NONE);
}

static void claims_that_are_wrong_are_errors_and_never_wrap(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "[]",
        "{}",
        "null",
        "{\"hardware\":128}",
        "{\"hardware\":-129}",
        "{\"hardware\":258}",
        "{\"hardware\":2.5}",
        "{\"hardware\":\"2\"}",
        "{\"hardware\":null}",
        "{\"hardware\":true}",
        "{\"hardware\":18446744073709551618}",
        "{\"hardware\":1e400}",
        "{\"Hardware\":2}",
        "{\"hardware\":2,\"colour\":2}",
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        ear_vector v;
        assert_vs_code(parse(bad[i], EAR_INTEGERS, &v), VS_E_INVALID);
        for (unsigned c = 0; c < EAR_CLAIMS; c++)
            assert_false(v.set[c]);
    }
}

static void named_values_are_read_from_tokens_only(void **state)
{
    (void)state;
    ear_vector v;
    assert_vs_code(parse("{\"hardware\":\"genuine_hw\"}", EAR_INTEGERS_OR_NAMES, &v), VS_OK);
    assert_int_equal(v.value[EAR_HARDWARE], 2);
    assert_vs_code(parse("{\"hardware\":\"genuine_hw\"}", EAR_INTEGERS, &v), VS_E_INVALID);
    assert_vs_code(parse("{\"hardware\":\"approved_rt\"}", EAR_INTEGERS_OR_NAMES, &v),
                   VS_E_INVALID);
    assert_vs_code(parse("{\"hardware\":2.0}", EAR_INTEGERS, &v), VS_OK); /* 2.0 is 2 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_has_the_tier_of_its_range),
        cmocka_unit_test(names_of_claims_go_there_and_back),
        cmocka_unit_test(values_have_the_names_of_the_draft),
        cmocka_unit_test(a_status_is_a_name_or_a_code),
        cmocka_unit_test(the_worst_claim_decides_the_status),
        cmocka_unit_test(claims_that_are_wrong_are_errors_and_never_wrap),
        cmocka_unit_test(named_values_are_read_from_tokens_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
