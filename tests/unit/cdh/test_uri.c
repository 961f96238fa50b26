/* SPDX-License-Identifier: Apache-2.0 */
/* Names of secrets: what they mean, and what is none. */
#include "testing.h"

#include "cdh/resource_uri.h"

static void names_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text, *plugin, *path, *query;
    } cases[] = {
        {"kbs:///default/key/1", "resource", "default/key/1", NULL},
        {"KBS://kbs.example:8080/a/b/c", "resource", "a/b/c", NULL},
        {"kbs:///a", "resource", "a", NULL},
        {"kbs:///a/b/c/d/e", "resource", "a/b/c/d/e", NULL},
        {"kbs+nebula-ca:///credential?name=x&ip=1", "nebula-ca", "credential", "name=x&ip=1"},
        {"kbs:///a/b/c?", "resource", "a/b/c", NULL},
        {"kbs:///a%20b/c%2Dd/e", "resource", "a b/c-d/e", NULL},
        {"kbs:///default/key/%C3%A4", "resource", "default/key/\xc3\xa4", NULL},
    };
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        VS_CLEANUP(vs_arena_free) vs_arena a;
        vs_arena_init(&a, 0);
        vs_error err = {0};
        cdh_uri u;
        assert_vs_ok(cdh_uri_parse(&a, vs_str(cases[i].text), &u, &err), &err);
        assert_string_equal(u.plugin, cases[i].plugin);
        assert_string_equal(u.path, cases[i].path);
        assert_int_equal(u.query == NULL, cases[i].query == NULL);
        if (u.query)
            assert_string_equal(u.query, cases[i].query);
        assert_true(cdh_is_uri(vs_str(cases[i].text)));
    }
}

static void what_could_mean_something_else_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "kbs",
        "kbs:/a/b/c",
        "http:///a/b/c",
        "kbsx:///a/b/c",
        "kbs+:///a/b/c",
        "kbs+a/b:///c",
        "kbs+..:///c",
        "kbs://",
        "kbs://host",
        "kbs:///",
        "kbs:////a",
        "kbs:///a//b",
        "kbs:///a/b/",
        "kbs:///a/../b",
        "kbs:///a/./b",
        "kbs:///a/%2e%2e/b",
        "kbs:///a%2fb/c",
        "kbs:///a%00/c",
        "kbs:///a%0d%0aX/c",
        "kbs:///a%5cb/c",
        "kbs:///a/%/c",
        "kbs:///a/%f",
        "kbs:///a/%ff/c",
        "kbs:///a b/c",
        "kbs:///a\r\nHost: x",
        "kbs:///a/b#c",
        "kbs:///a/b?c#d",
    };
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        VS_CLEANUP(vs_arena_free) vs_arena a;
        vs_arena_init(&a, 0);
        cdh_uri u;
        if (cdh_uri_parse(&a, vs_str(cases[i]), &u, NULL) == VS_OK)
            fail_msg("taken: %s", cases[i]);
    }
}

static void a_name_has_a_longest_length(void **state)
{
    (void)state;
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    char text[CDH_URI_MAX + 2] = "kbs:///";
    memset(text + 7, 'a', sizeof text - 8);
    cdh_uri u;
    assert_vs_code(cdh_uri_parse(&a, vs_span_of(text, CDH_URI_MAX + 1), &u, NULL), VS_E_INVALID);
    assert_vs_code(cdh_uri_parse(&a, vs_span_of(text, CDH_URI_MAX), &u, NULL), VS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_taken_apart),
        cmocka_unit_test(what_could_mean_something_else_is_refused),
        cmocka_unit_test(a_name_has_a_longest_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
