/* SPDX-License-Identifier: Apache-2.0 */
/* Exact numbers, the order of values, building collections. */
#include "testing.h"

#include "value/json.h"

static vs_arena a;

static int start(void **state)
{
    (void)state;
    vs_arena_init(&a, 64 << 20);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    vs_arena_free(&a);
    return 0;
}

static vs_val num(const char *text)
{
    vs_error err = {0};
    vs_val v = vs_num_parse(&a, vs_str(text), &err);
    if (!vs_defined(v))
        fail_msg("%s: %s", text, vs_error_at(&err, 0));
    return v;
}

static void is(vs_val v, const char *want)
{
    if (!vs_defined(v))
        fail_msg("undefined, want %s", want);
    assert_span_is(vs_num_text(&a, v), want);
}

static void equal_numbers_have_one_representation(void **state)
{
    (void)state;
    static const char *const same[][3] = {
        {"2", "2.0", "20e-1"},
        {"3.5", "3.50", "35e-1"},
        {"0", "-0", "0.0e5"},
        {"1e19", "10000000000000000000", "1.0e+19"},
        {"9223372036854775807", "9223372036854775807.0", "92233720368547758070e-1"}};
    for (size_t i = 0; i < VS_COUNT(same); i++)
        for (int k = 1; k < 3; k++) {
            vs_val x = num(same[i][0]), y = num(same[i][k]);
            assert_true(vs_eq(x, y));
            assert_int_equal(x.big, y.big);
        }
}

static void order_is_exact(void **state)
{
    (void)state;
    static const char *const up[] = {"-1e400",
                                     "-9223372036854775809",
                                     "-9223372036854775808",
                                     "-1.5",
                                     "-1e-400",
                                     "0",
                                     "1e-400",
                                     "0.1234567890123456788",
                                     "0.1234567890123456789",
                                     "1",
                                     "9007199254740992",
                                     "9007199254740993",
                                     "9223372036854775807",
                                     "9223372036854775808",
                                     "1e399",
                                     "1e400"};
    for (size_t i = 0; i < VS_COUNT(up); i++)
        for (size_t k = 0; k < VS_COUNT(up); k++)
            assert_int_equal(vs_cmp(num(up[i]), num(up[k])), (i > k) - (i < k));
}

static void arithmetic_is_exact(void **state)
{
    (void)state;
    vs_error err = {0};
    is(vs_num_add(&a, num("9223372036854775807"), num("1"), &err), "9223372036854775808");
    is(vs_num_sub(&a, num("-9223372036854775808"), num("1"), &err), "-9223372036854775809");
    is(vs_num_mul(&a, num("4611686018427387904"), num("4"), &err), "18446744073709551616");
    is(vs_num_add(&a, num("0.1"), num("0.2"), &err), "0.3");
    is(vs_num_add(&a, num("1e30"), num("1"), &err), "1000000000000000000000000000001");
    is(vs_num_add(&a, num("10.00"), num("5"), &err), "15");
    is(vs_num_div(&a, num("1"), num("4"), &err), "0.25");
    is(vs_num_div(&a, num("6"), num("-3"), &err), "-2");
    is(vs_num_div(&a, num("1"), num("3"), &err), "0.3333333333333333333333333333333333");
    is(vs_num_div(&a, num("2"), num("3"), &err), "0.6666666666666666666666666666666667");
    is(vs_num_div(&a, num("-9223372036854775808"), num("-1"), &err), "9223372036854775808");
    is(vs_num_rem(&a, num("-7"), num("3"), &err), "-1");
    is(vs_num_rem(&a, num("7"), num("-3"), &err), "1");
    is(vs_num_rem(&a, num("-9223372036854775808"), num("-1"), &err), "0");
    is(vs_num_rem(&a, num("4.0"), num("3"), &err), "1");
    is(vs_num_neg(&a, num("-9223372036854775808")), "9223372036854775808");
    assert_false(vs_defined(vs_num_div(&a, num("1"), num("0.0"), &err)));
    assert_string_equal(vs_error_at(&err, 0), "divide by zero");
    assert_false(vs_defined(vs_num_rem(&a, num("1"), num("0"), &err)));
    assert_false(vs_defined(vs_num_rem(&a, num("1.5"), num("1"), &err)));
}

static void rounding_and_bits(void **state)
{
    (void)state;
    vs_error err = {0};
    static const struct {
        const char *x;
        const char *floor, *ceil, *round, *trunc;
    } t[] = {{"2.5", "2", "3", "3", "2"}, {"-2.5", "-3", "-2", "-3", "-2"},
             {"2.4", "2", "3", "2", "2"}, {"-0.5", "-1", "0", "-1", "0"},
             {"7", "7", "7", "7", "7"},   {"1e-400", "0", "1", "0", "0"}};
    for (size_t i = 0; i < VS_COUNT(t); i++) {
        is(vs_num_round(&a, num(t[i].x), VS_ROUND_FLOOR, &err), t[i].floor);
        is(vs_num_round(&a, num(t[i].x), VS_ROUND_CEIL, &err), t[i].ceil);
        is(vs_num_round(&a, num(t[i].x), VS_ROUND_HALF_AWAY, &err), t[i].round);
        is(vs_num_round(&a, num(t[i].x), VS_ROUND_TRUNC, &err), t[i].trunc);
    }
    is(vs_num_bits(&a, VS_BIT_AND, num("-1"), num("255"), &err), "255");
    is(vs_num_bits(&a, VS_BIT_XOR, num("18446744073709551615"), num("1"), &err),
       "18446744073709551614");
    is(vs_num_not(&a, num("0"), &err), "-1");
    is(vs_num_shift(&a, num("1"), 64, &err), "18446744073709551616");
    is(vs_num_shift(&a, num("-5"), -1, &err), "-3");
    assert_false(vs_defined(vs_num_bits(&a, VS_BIT_OR, num("1.5"), num("1"), &err)));
}

static void limits_are_found_quickly(void **state)
{
    (void)state;
    static const char *const big[] = {"1e999999999", "1e-999999999", "1e10001",
                                      "-1e99999999999999999999", "0.1e-10001"};
    for (size_t i = 0; i < VS_COUNT(big); i++) {
        vs_error err = {0};
        assert_false(vs_defined(vs_num_parse(&a, vs_str(big[i]), &err)));
        assert_int_equal(err.code, VS_E_LIMIT);
    }
    vs_error err = {0};
    vs_val x = num("1e9999"), y = num("1e-9999");
    assert_false(vs_defined(vs_num_add(&a, x, y, &err)));
    assert_int_equal(err.code, VS_E_LIMIT);
    for (int i = 0; i < 20 && vs_defined(x); i++)
        x = vs_num_mul(&a, x, x, &err);
    assert_false(vs_defined(x));
    assert_false(vs_defined(vs_num_shift(&a, num("1"), INT64_MAX, &err)));
    is(vs_num_shift(&a, num("1"), INT64_MIN, &err), "0");
}

static void doubles_round_trip(void **state)
{
    (void)state;
    uint64_t x = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        double d;
        memcpy(&d, &x, sizeof d);
        vs_val v = vs_num_of_double(&a, d);
        if (vs_defined(v)) {
            double back = vs_num_to_double(v);
            assert_true(back == d);
            assert_true(vs_eq(v, num((const char *)vs_num_text(&a, v).p)));
        }
        vs_arena_reset(&a);
    }
}

/* ---- values
 * ------------------------------------------------------------------------------------------ */

static vs_val json(const char *text)
{
    vs_val v;
    vs_error err = {0};
    assert_vs_ok(vs_json_parse(&a, vs_str(text), NULL, &v, &err), &err);
    return v;
}

static void kinds_and_collections_are_ordered(void **state)
{
    (void)state;
    vs_vec empty = {.a = &a};
    vs_val set = vs_vec_end_set(&empty);
    vs_val up[] = {vs_null(),
                   vs_bool(false),
                   vs_bool(true),
                   num("-1"),
                   num("0.5"),
                   vs_cstring(""),
                   vs_cstring("a"),
                   vs_cstring("ab"),
                   vs_cstring("\xc3\xbc"),
                   json("[]"),
                   json("[1]"),
                   json("[1,1]"),
                   json("[2]"),
                   json("{}"),
                   json("{\"a\":1}"),
                   json("{\"a\":1,\"b\":0}"),
                   json("{\"a\":2}"),
                   json("{\"b\":0}"),
                   set};
    for (size_t i = 0; i < VS_COUNT(up); i++)
        for (size_t k = 0; k < VS_COUNT(up); k++) {
            int c = vs_cmp(up[i], up[k]);
            assert_int_equal((c > 0) - (c < 0), (i > k) - (i < k));
            assert_int_equal(vs_eq(up[i], up[k]), i == k);
        }
}

static void objects_and_sets_sort_and_judge_duplicates(void **state)
{
    (void)state;
    for (int rule = VS_DUP_LAST; rule <= VS_DUP_REFUSE; rule++) {
        vs_obj o = {.a = &a};
        for (int i = 0; i < 1000; i++)
            vs_obj_add(&o, vs_int((i * 7919) % 500),
                       vs_int(i < 500               ? 1
                              : rule == VS_DUP_LAST ? 2
                                                    : 1));
        vs_val dup = vs_undefined(), v = vs_obj_end(&o, (vs_dup_rule)rule, &dup);
        if (rule == VS_DUP_REFUSE) {
            assert_false(vs_defined(v));
            assert_true(vs_defined(dup));
            continue;
        }
        assert_int_equal(v.len, 500);
        for (int64_t i = 0; i < 500; i++)
            assert_int_equal(vs_index(v, vs_int(i)).u.i, rule == VS_DUP_LAST ? 2 : 1);
    }
    vs_vec s = {.a = &a};
    for (int i = 0; i < 1000; i++)
        vs_vec_add(&s, vs_int((i * 7919) % 100));
    vs_val set = vs_vec_end_set(&s);
    assert_int_equal(set.len, 100);
    for (int i = 0; i < 120; i++)
        assert_int_equal(vs_set_has(set, vs_int(i)), i < 100);
    vs_vec poisoned = {.a = &a};
    vs_vec_add(&poisoned, vs_undefined());
    assert_false(vs_defined(vs_vec_end_array(&poisoned)));
}

static void json_pointers_of_rfc_6901(void **state)
{
    (void)state;
    vs_val v =
        json("{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/"
             "b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8}");
    static const struct {
        const char *p;
        int want;
    } t[] = {{"/", 0},     {"/a~1b", 1}, {"/c%d", 2}, {"/e^f", 3}, {"/g|h", 4},
             {"/i\\j", 5}, {"/k\"l", 6}, {"/ ", 7},   {"/m~0n", 8}};
    assert_true(vs_eq(vs_pointer(v, VS_LIT("")), v));
    assert_span_is(vs_text(vs_pointer(v, VS_LIT("/foo/0"))), "bar");
    for (size_t i = 0; i < VS_COUNT(t); i++)
        assert_int_equal(vs_pointer(v, vs_str(t[i].p)).u.i, t[i].want);
    static const char *const none[] = {"foo",    "/foo/2",   "/foo/00",
                                       "/foo/-", "/foo/0/x", "/nothing",
                                       "/m~2n",  "/m~",      "/foo/18446744073709551616"};
    for (size_t i = 0; i < VS_COUNT(none); i++)
        assert_false(vs_defined(vs_pointer(v, vs_str(none[i]))));
}

static void copies_outlive_their_arena(void **state)
{
    (void)state;
    vs_arena first;
    vs_arena_init(&first, 0);
    vs_val v, copy;
    vs_error err = {0};
    assert_vs_ok(
        vs_json_parse(&first,
                      VS_LIT("{\"a\":[1,2.5,\"x\\n\",{\"b\":123456789012345678901234567890}]}"),
                      NULL, &v, &err),
        &err);
    copy = vs_copy(&a, v);
    assert_true(vs_eq(v, copy));
    vs_arena_free(&first);
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1000);
    vs_json_print(&b, vs_with(&a, copy, vs_cstring("z"), vs_null()));
    assert_span_is(vs_buf_span(&b),
                   "{\"a\":[1,2.5,\"x\\n\",{\"b\":123456789012345678901234567890}],\"z\":null}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_numbers_have_one_representation),
        cmocka_unit_test(order_is_exact),
        cmocka_unit_test(arithmetic_is_exact),
        cmocka_unit_test(rounding_and_bits),
        cmocka_unit_test(limits_are_found_quickly),
        cmocka_unit_test(doubles_round_trip),
        cmocka_unit_test(kinds_and_collections_are_ordered),
        cmocka_unit_test(objects_and_sets_sort_and_judge_duplicates),
        cmocka_unit_test(json_pointers_of_rfc_6901),
        cmocka_unit_test(copies_outlive_their_arena),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
