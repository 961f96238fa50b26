/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/helpers.h"

#include "envelope/jose.h"

enum { NOW = 1800000000 };

static vs_code times(const char *claims)
{
    vs_jwt_times t = {
        .now = NOW, .leeway = 60, .need_exp = true, .check_nbf = true, .check_iat = true};
    return vs_jwt_check_times(json(claims), &t, &err);
}

static void a_token_is_good_from_nbf_to_exp_with_leeway(void **state)
{
    (void)state;
    static const struct {
        const char *claims;
        vs_code code;
    } rows[] = {
        {"{\"exp\":1800000001}", VS_OK},
        {"{\"exp\":1800000000}", VS_OK},
        {"{\"exp\":1799999941}", VS_OK},
        {"{\"exp\":1799999940}", VS_E_EXPIRED}, /* on the second itself it is over */
        {"{\"exp\":0}", VS_E_EXPIRED},
        {"{\"exp\":-5}", VS_E_EXPIRED},
        {"{\"exp\":1800000001,\"nbf\":1800000060}", VS_OK},
        {"{\"exp\":1800000001,\"nbf\":1800000061}", VS_E_EXPIRED},
        {"{\"exp\":1800000001,\"nbf\":-1}", VS_OK},
        {"{\"exp\":1800000001,\"iat\":1800000060}", VS_OK},
        {"{\"exp\":1800000001,\"iat\":1800000061}", VS_E_EXPIRED},
    };
    for (size_t i = 0; i < VS_COUNT(rows); i++)
        assert_vs_code(times(rows[i].claims), rows[i].code);
}

static void fractions_and_huge_numbers_are_times_too(void **state)
{
    (void)state;
    static const struct {
        const char *claims;
        vs_code code;
    } rows[] = {
        {"{\"exp\":1800000001.75}", VS_OK},
        {"{\"exp\":1799999940.5}", VS_E_EXPIRED},
        {"{\"exp\":1.8e9}", VS_OK},
        {"{\"exp\":1e400}", VS_OK},
        {"{\"exp\":-1e400}", VS_E_EXPIRED},
        {"{\"exp\":9223372036854775807}", VS_OK},
        {"{\"exp\":-9223372036854775808}", VS_E_EXPIRED},
        {"{\"exp\":18446744073709551616}", VS_OK},
        {"{\"exp\":1e400,\"nbf\":1e400}", VS_E_EXPIRED},
        {"{\"exp\":1e400,\"nbf\":-9223372036854775808}", VS_OK},
        {"{\"exp\":1e400,\"iat\":9223372036854775807}", VS_E_EXPIRED},
    };
    for (size_t i = 0; i < VS_COUNT(rows); i++)
        assert_vs_code(times(rows[i].claims), rows[i].code);
}

static void times_of_another_type_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"exp\":\"1900000000\"}",
        "{\"exp\":null}",
        "{\"exp\":true}",
        "{\"exp\":[1900000000]}",
        "{\"exp\":{}}",
        "{\"exp\":1900000000,\"nbf\":\"0\"}",
        "{\"exp\":1900000000,\"iat\":null}",
        "[]",
        "\"x\"",
        "null",
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_vs_code(times(bad[i]), VS_E_INVALID);
}

static void a_missing_exp_is_refused_only_where_it_is_needed(void **state)
{
    (void)state;
    assert_vs_code(times("{}"), VS_E_INVALID);
    vs_jwt_times t = {.now = NOW};
    assert_vs_ok(vs_jwt_check_times(json("{}"), &t, &err), &err);
    assert_vs_code(vs_jwt_check_times(json("{\"exp\":1799999999}"), &t, &err), VS_E_EXPIRED);
}

static void claims_that_are_not_asked_for_are_not_looked_at(void **state)
{
    (void)state;
    vs_jwt_times t = {.now = NOW, .need_exp = true};
    assert_vs_ok(
        vs_jwt_check_times(json("{\"exp\":1800000001,\"nbf\":1900000000,\"iat\":\"x\"}"), &t, &err),
        &err);
}

static void clocks_and_leeways_at_the_ends_do_not_overflow(void **state)
{
    (void)state;
    vs_jwt_times t = {.now = INT64_MAX, .leeway = INT64_MAX, .check_nbf = true, .check_iat = true};
    assert_vs_ok(vs_jwt_check_times(json("{\"exp\":1,\"nbf\":9223372036854775807}"), &t, &err),
                 &err);
    t.now = INT64_MIN;
    assert_vs_ok(vs_jwt_check_times(json("{\"exp\":1,\"nbf\":0}"), &t, &err), &err);
    t.leeway = 0;
    assert_vs_code(vs_jwt_check_times(json("{\"exp\":1,\"nbf\":0}"), &t, &err), VS_E_EXPIRED);
}

static void errors_say_by_how_much(void **state)
{
    (void)state;
    assert_vs_code(times("{\"exp\":1799999000}"), VS_E_EXPIRED);
    assert_string_equal(vs_error_at(&err, 0), "token expired 1000 s ago");
    assert_vs_code(times("{\"exp\":1900000000,\"nbf\":1800000100}"), VS_E_EXPIRED);
    assert_string_equal(vs_error_at(&err, 0), "claim \"nbf\" is 100 s in the future");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_arena(a_token_is_good_from_nbf_to_exp_with_leeway),
        in_arena(fractions_and_huge_numbers_are_times_too),
        in_arena(times_of_another_type_are_refused),
        in_arena(a_missing_exp_is_refused_only_where_it_is_needed),
        in_arena(claims_that_are_not_asked_for_are_not_looked_at),
        in_arena(clocks_and_leeways_at_the_ends_do_not_overflow),
        in_arena(errors_say_by_how_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
