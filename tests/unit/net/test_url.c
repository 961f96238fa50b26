/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "net/url.h"

static void escapes_are_decoded_once(void **state)
{
    (void)state;
    static const char *const v[][2] = {
        {"", ""},         {"abc", "abc"}, {"a%2Fb", "a/b"},      {"%2e%2E", ".."},
        {"%252F", "%2F"}, {"a+b", "a+b"}, {"%C3%A4", "\xc3\xa4"}};
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_error err = {0};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        vs_span out;
        assert_vs_ok(vs_url_decode(&a, vs_str(v[i][0]), &out, &err), &err);
        assert_span_is(out, v[i][1]);
    }
    vs_span nul;
    assert_vs_ok(vs_url_decode(&a, VS_LIT("a%00b"), &nul, &err), &err);
    assert_int_equal(nul.n, 3); /* kept: the grammar behind refuses it, nothing is cut off */
    vs_arena_free(&a);
}

static void malformed_escapes_and_text_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"%",   "%2",     "%g0", "%0g",       "a%",   "a%2",   "%%41",
                                      "%-1", "%C0%AF", "%ff", "%ED%A0%80", "\xff", "%E2%82"};
    vs_arena a;
    vs_arena_init(&a, 0);
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        vs_span out;
        vs_url_param *params;
        size_t n;
        assert_vs_code(vs_url_decode(&a, vs_str(bad[i]), &out, NULL), VS_E_PARSE);
        assert_vs_code(vs_url_query(&a, vs_str(bad[i]), &params, &n, NULL), VS_E_PARSE);
    }
    vs_arena_free(&a);
}

static void paths_split_at_every_slash(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        size_t n;
        const char *last;
    } v[] = {{"", 1, ""},      {"a", 1, "a"}, {"a/b", 2, "b"},
             {"a//b", 3, "b"}, {"a/", 2, ""}, {"/", 2, ""}};
    vs_arena a;
    vs_arena_init(&a, 0);
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        vs_span *segments;
        size_t n;
        assert_vs_code(vs_url_split(&a, vs_str(v[i].path), &segments, &n, NULL), VS_OK);
        assert_int_equal(n, v[i].n);
        assert_span_is(segments[n - 1], v[i].last);
    }
    vs_arena_free(&a);
}

static void queries_are_forms(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_url_param *p;
    size_t n;
    assert_vs_code(vs_url_query(&a, VS_LIT("&a=1&&b&c=x+y%26&a=2=3&=v&"), &p, &n, NULL), VS_OK);
    static const char *const want[][2] = {
        {"a", "1"}, {"b", ""}, {"c", "x y&"}, {"a", "2=3"}, {"", "v"}};
    assert_int_equal(n, VS_COUNT(want));
    for (size_t i = 0; i < n; i++) {
        assert_span_is(p[i].name, want[i][0]);
        assert_span_is(p[i].value, want[i][1]);
    }
    assert_vs_code(vs_url_query(&a, VS_LIT(""), &p, &n, NULL), VS_OK);
    assert_int_equal(n, 0);
    vs_arena_free(&a);
}

static void an_arena_that_is_full_is_an_error(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 1);
    vs_span out, *segments;
    vs_url_param *p;
    size_t n;
    assert_vs_code(vs_url_decode(&a, VS_LIT("%41"), &out, NULL), VS_E_NOMEM);
    assert_vs_code(vs_url_split(&a, VS_LIT("a/b"), &segments, &n, NULL), VS_E_NOMEM);
    assert_vs_code(vs_url_query(&a, VS_LIT("a=b"), &p, &n, NULL), VS_E_NOMEM);
    vs_arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_are_decoded_once),
        cmocka_unit_test(malformed_escapes_and_text_are_refused),
        cmocka_unit_test(paths_split_at_every_slash),
        cmocka_unit_test(queries_are_forms),
        cmocka_unit_test(an_arena_that_is_full_is_an_error),
    };
    return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
