/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "base/arena.h"
#include "base/buf.h"

static void contents_survive_growth(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 0);
    uint32_t *p[2000];
    for (uint32_t i = 0; i < 2000; i++) {
        p[i] = vs_alloc(&a, 100);
        assert_non_null(p[i]);
        assert_int_equal((uintptr_t)p[i] % 16, 0);
        for (int k = 0; k < 25; k++)
            p[i][k] = i;
    }
    for (uint32_t i = 0; i < 2000; i++)
        for (int k = 0; k < 25; k++)
            assert_int_equal(p[i][k], i);
    vs_arena_free(&a);
}

static void cap_is_never_passed_and_failure_is_sticky(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 100000);
    size_t got = 0;
    while (vs_alloc(&a, 1000))
        got += 1000;
    assert_true(got >= 80000 && got <= 100000);
    assert_true(a.held <= 100000);
    assert_null(vs_alloc(&a, 1));
    assert_false(vs_arena_ok(&a));
    assert_vs_code(vs_arena_check(&a, NULL), VS_E_NOMEM);
    assert_string_equal(vs_sprintf(&a, "x%d", 1), "");
    vs_arena_reset(&a);
    assert_non_null(vs_alloc(&a, 1));
    vs_arena_free(&a);
}

static void sizes_that_overflow_fail(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, SIZE_MAX);
    assert_null(vs_alloc_array(&a, SIZE_MAX / 2, 16));
    vs_arena_reset(&a);
    assert_null(vs_alloc(&a, SIZE_MAX - 4));
    vs_arena_reset(&a);
    assert_null(vs_alloc(&a, SIZE_MAX / 2 + 1));
    vs_arena_free(&a);
}

static void warm_rounds_take_no_memory(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 0);
    size_t held = 0;
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 1000; i++)
            assert_non_null(vs_alloc(&a, 333));
        if (round == 0)
            held = a.held;
        assert_int_equal(a.held, held);
        vs_arena_reset(&a);
    }
    assert_true(a.peak >= 333000);
    vs_arena_free(&a);
}

static void a_buffer_on_an_arena_stays_there(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 64 * 1024);
    vs_buf b = VS_BUF_ON(&a, 1000);
    for (unsigned i = 0; i < 100; i++)
        vs_buf_puts(&b, "0123456789");
    vs_span text = vs_buf_span(&b);
    assert_true(vs_buf_ok(&b) && text.n == 1000 && text.p[1000] == 0);
    vs_buf_putc(&b, 'x');
    assert_false(vs_buf_ok(&b));
    vs_buf_free(&b);
    assert_true(!b.p && b.on == &a);
    assert_memory_equal(text.p + 990, "0123456789", 10);
    vs_buf large = VS_BUF_ON(&a, 1 << 20);
    assert_null(vs_buf_reserve(&large, 1 << 19)); /* more than the arena has */
    assert_false(vs_buf_ok(&large) || vs_arena_ok(&a));
    vs_arena_free(&a);
}

static void count(void *p)
{
    ++*(unsigned *)p;
}

static void what_is_kept_is_dropped_once(void **state)
{
    (void)state;
    unsigned one = 0, two = 0;
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_arena_keep(&a, count, &one);
    vs_arena_keep(&a, count, &two);
    assert_int_equal(one + two, 0);
    vs_arena_reset(&a);
    assert_true(one == 1 && two == 1);
    vs_arena_reset(&a);
    vs_arena_keep(&a, count, &one);
    vs_arena_free(&a);
    assert_true(one == 2 && two == 1);
    vs_arena_keep(&a, count, &two);
    vs_arena_wipe(&a);
    assert_true(one == 2 && two == 2);
    vs_arena_init(&a, 1); /* no room: at once */
    vs_arena_keep(&a, count, &one);
    assert_int_equal(one, 3);
    assert_false(vs_arena_ok(&a));
    vs_arena_free(&a);
    assert_int_equal(one, 3);
}

static void a_small_arena_takes_its_cap_and_no_more(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 1024);
    assert_non_null(vs_alloc(&a, 1));
    assert_int_equal(a.held, 1024);
    assert_null(vs_alloc(&a, 1024));
    vs_arena_free(&a);
}

static void buffer_cap_is_sticky(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(10);
    vs_buf_puts(&b, "12345");
    vs_buf_printf(&b, "%s", "67890");
    assert_span_is(vs_buf_span(&b), "1234567890");
    vs_buf_putc(&b, 'x');
    assert_false(vs_buf_ok(&b));
    vs_buf_clear(&b);
    vs_buf_puts(&b, "again");
    assert_span_is(vs_buf_span(&b), "again");
}

static void error_chain_reads_outermost_first(void **state)
{
    (void)state;
    vs_error err = {0};
    assert_int_equal(vs_fail(&err, VS_E_PARSE, "bad byte %d", 7), VS_E_PARSE);
    assert_int_equal(vs_wrap(&err, "reading %s", "x.json"), VS_E_PARSE);
    char text[100];
    assert_string_equal(vs_error_text(&err, text, sizeof text), "reading x.json: bad byte 7");
    assert_string_equal(vs_error_at(&err, 1), "bad byte 7");
    assert_null(vs_error_at(&err, 2));
    (void)vs_fail(&err, VS_E_IO, "line one\nforged \x1b[31mline");
    assert_string_equal(vs_error_text(&err, text, sizeof text), "line one?forged ?[31mline");
    for (int i = 0; i < 100; i++)
        (void)vs_wrap(&err, "%0300d", i);
    assert_string_equal(vs_error_at(&err, err.depth - 1u), "line one?forged ?[31mline");
}

static void spans_compare_and_cut(void **state)
{
    (void)state;
    vs_span rest;
    bool found;
    assert_span_is(vs_span_cut(VS_LIT("a.b.c"), '.', &rest, &found), "a");
    assert_true(found);
    assert_span_is(rest, "b.c");
    assert_span_is(vs_span_cut(VS_LIT("abc"), '.', &rest, &found), "abc");
    assert_false(found);
    assert_int_equal(rest.n, 0);
    assert_span_is(vs_span_trim(VS_LIT(" \t x y\r\n")), "x y");
}

static void a_decimal_is_digits_up_to_the_most(void **state)
{
    (void)state;
    static const char *const no[] = {
        "", "-1", "+1", " 1", "1 ", "1a", "/", ":", "\xff", "11", "99999999999999999999999"};
    uint64_t v = 7;
    for (size_t i = 0; i < VS_COUNT(no); i++)
        assert_false(vs_span_decimal(vs_str(no[i]), 10, &v));
    assert_false(vs_span_decimal(VS_LIT("18446744073709551616"), UINT64_MAX, &v));
    assert_false(vs_span_decimal(VS_LIT("1"), 0, &v));
    assert_int_equal(v, 7); /* as it was */
    assert_true(vs_span_decimal(VS_LIT("010"), 10, &v) && v == 10);
    assert_true(vs_span_decimal(VS_LIT("0"), 0, &v) && v == 0);
    assert_true(vs_span_decimal(VS_LIT("18446744073709551615"), UINT64_MAX, &v) && v == UINT64_MAX);
    assert_true(vs_span_cmp(VS_LIT("ab"), VS_LIT("abc")) < 0);
    assert_true(vs_span_cmp(VS_LIT("\xff"), VS_LIT("a")) > 0);
    assert_true(vs_ct_eq(VS_LIT("same"), VS_LIT("same")));
    assert_false(vs_ct_eq(VS_LIT("same"), VS_LIT("sama")));
    assert_false(vs_ct_eq(VS_LIT("same"), VS_LIT("sam")));
}

static void a_port_is_five_digits_at_most(void **state)
{
    (void)state;
    static const char *const no[] = {"", "65536", "99999", "000080", "80 ", "+80", "-1", "8o"};
    static const char *const yes[] = {"0", "80", "00080", "65535"};
    assert_false(vs_span_is_port(vs_str(NULL)));
    for (size_t i = 0; i < VS_COUNT(no); i++)
        assert_false(vs_span_is_port(vs_str(no[i])));
    for (size_t i = 0; i < VS_COUNT(yes); i++)
        assert_true(vs_span_is_port(vs_str(yes[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contents_survive_growth),
        cmocka_unit_test(cap_is_never_passed_and_failure_is_sticky),
        cmocka_unit_test(sizes_that_overflow_fail),
        cmocka_unit_test(warm_rounds_take_no_memory),
        cmocka_unit_test(a_buffer_on_an_arena_stays_there),
        cmocka_unit_test(what_is_kept_is_dropped_once),
        cmocka_unit_test(a_small_arena_takes_its_cap_and_no_more),
        cmocka_unit_test(buffer_cap_is_sticky),
        cmocka_unit_test(error_chain_reads_outermost_first),
        cmocka_unit_test(spans_compare_and_cut),
        cmocka_unit_test(a_decimal_is_digits_up_to_the_most),
        cmocka_unit_test(a_port_is_five_digits_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
