/* SPDX-License-Identifier: Apache-2.0 */
/* Media types in their normal form, and what an Accept header accepts. */
#include "testing.h"

#include "net/media_type.h"

#define CCA "application/eat-collection; profile=\"http://arm.com/CCA-SSD/1.0.0\""

static void types_have_one_normal_form(void **state)
{
    (void)state;
    static const char *const v[][2] = {
        {CCA, CCA},
        {"application/eat-collection;profile=\"http://arm.com/CCA-SSD/1.0.0\"", CCA},
        {" Application/EAT-Collection ;\tPROFILE=\"http://arm.com/CCA-SSD/1.0.0\" ", CCA},
        {"application/eat-collection; profile=\"http:\\/\\/arm.com/CCA-SSD/1.0.0\"", CCA},
        {"a/b", "a/b"},
        {"a/b;", "a/b"},
        {"a/b; ;", "a/b"},
        {"a/b;z=1;a=2", "a/b; a=2; z=1"},
        {"a/b;x=\"tok\"", "a/b; x=tok"},
        {"a/b;x=\"\"", "a/b; x=\"\""},
        {"a/b;x=\"q\\\"\\\\ \"", "a/b; x=\"q\\\"\\\\ \""},
        {"a/b;x=AbC", "a/b; x=AbC"}, /* values stay as they are */
        {"application/vnd.veraison.cmw+json", "application/vnd.veraison.cmw+json"},
    };
    vs_arena a;
    vs_arena_init(&a, 0);
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        vs_span out;
        vs_error err = {0};
        assert_vs_ok(vs_media_type_normal(&a, vs_str(v[i][0]), &out, &err), &err);
        assert_span_is(out, v[i][1]);
        assert_vs_ok(vs_media_type_normal(&a, out, &out, &err), &err);
        assert_span_is(out, v[i][1]);
    }
    vs_arena_free(&a);
}

static void what_is_no_media_type_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "a",
        "a/",
        "/b",
        "a /b",
        "a/ b",
        "a/b c",
        "a/b, c/d",
        "a/b;x",
        "a/b;x=",
        "a/b;=y",
        "a/b;x =y",
        "a/b;x=\"y",
        "a/b;x=\"y\\",
        "a/b;x=\"y\"z",
        "a/b;x=\"\x01\"",
        "a/b;x=\"\x80\"",
        "a/b;x=1;X=2",
        "application/eat-collection; profile=http://arm.com/CCA-SSD/1.0.0",
        "a/b;a=1;b=1;c=1;d=1;e=1;f=1;g=1;h=1;i=1",
        "\xff/\xff",
    };
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_span out;
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        if (vs_media_type_normal(&a, vs_str(bad[i]), &out, NULL) != VS_E_PARSE)
            fail_msg("%s", bad[i]);
    char big[VS_MEDIA_TYPE_MAX + 16];
    memset(big, 'a', sizeof big);
    big[1] = '/';
    assert_vs_code(vs_media_type_normal(&a, vs_span_of(big, sizeof big), &out, NULL), VS_E_PARSE);
    assert_vs_code(vs_media_type_normal(&a, vs_span_of(big, VS_MEDIA_TYPE_MAX), &out, NULL), VS_OK);
    assert_vs_code(vs_media_type_normal(&a, vs_span_of("a/b\0", 4), &out, NULL), VS_E_PARSE);
    vs_arena_free(&a);
}

static void an_accept_header_accepts_what_it_says(void **state)
{
    (void)state;
    static const char *const types[] = {"application/vnd.x+json", "application/json"};
    static const struct {
        const char *accept;
        bool yes;
    } v[] = {
        {"application/vnd.x+json", true},
        {"application/json", true},
        {"Application/JSON", true},
        {"application/*", true},
        {"*/*", true},
        {"text/html, */*;q=0.1", true},
        {"text/html,application/vnd.x+json;q=0.001", true},
        {" , ,application/json", true},
        {"text/html", false},
        {"", false},
        {"text/*", false},
        {"*/json", false},
        {"application/json;q=0", false},
        {"application/json;q=0.000, text/html", false},
        {"application/json;v=2", false},
        {"application/json;v=2;q=0.5", false},
        {"text/html text/plain, application/json", false}, /* cannot be read */
        {"text/html;q=", false},
        {"(", false},
    };
    for (size_t i = 0; i < VS_COUNT(v); i++)
        if (vs_media_accepts(vs_str(v[i].accept), types, VS_COUNT(types)) != v[i].yes)
            fail_msg("%s", v[i].accept);
    assert_true(vs_media_accepts((vs_span){NULL, 0}, types, VS_COUNT(types)));
    static const char *const with[] = {"a/b; p=x"};
    assert_true(vs_media_accepts(VS_LIT("a/b;p=\"x\""), with, 1));
    assert_true(vs_media_accepts(VS_LIT("a/b"), with, 1));
    assert_false(vs_media_accepts(VS_LIT("a/b;p=y"), with, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_have_one_normal_form),
        cmocka_unit_test(what_is_no_media_type_is_refused),
        cmocka_unit_test(an_accept_header_accepts_what_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
