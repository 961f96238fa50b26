/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "value/json.h"
#include "value/toml.h"

typedef struct good {
    const char *toml, *json; /* members sorted, as values are */
} good;

static const good valid[] = {
    {"", "{}"},
    {"# only a comment", "{}"},
    {"\n\r\n \t# x\r\n", "{}"},
    {"\xef\xbb\xbf"
     "a=1",
     "{\"a\":1}"},
    /* keys */
    {"key = \"v\"", "{\"key\":\"v\"}"},
    {"bare_key-1 = 1\n1234 = 2\n- = 3", "{\"-\":3,\"1234\":2,\"bare_key-1\":1}"},
    {"\"127.0.0.1\" = 1\n'quoted \"x\"' = 2\n\"\" = 3",
     "{\"\":3,\"127.0.0.1\":1,\"quoted \\\"x\\\"\":2}"},
    {"\"\\u00e9\\t\" = 1", "{\"\xc3\xa9\\t\":1}"},
    {"a.b.c = 1\na.b.d = 2\na . \"e\".'f' = 3",
     "{\"a\":{\"b\":{\"c\":1,\"d\":2},\"e\":{\"f\":3}}}"},
    {"3.14 = 1", "{\"3\":{\"14\":1}}"},
    {"apple.type = 1\norange.type = 2\napple.skin = 3",
     "{\"apple\":{\"skin\":3,\"type\":1},\"orange\":{\"type\":2}}"},
    {"true = 1\ninf.nan = 2", "{\"inf\":{\"nan\":2},\"true\":1}"},
    /* strings */
    {"a = \"\"", "{\"a\":\"\"}"},
    {"a = \"\\b\\t\\n\\f\\r\\\"\\\\\"", "{\"a\":\"\\b\\t\\n\\f\\r\\\"\\\\\"}"},
    {"a = \"\\u00E9\\U0001F600\"", "{\"a\":\"\xc3\xa9\xf0\x9f\x98\x80\"}"},
    {"a = \"tab\there # no comment\" # comment", "{\"a\":\"tab\\there # no comment\"}"},
    {"a = '\\no\\escape\"'", "{\"a\":\"\\\\no\\\\escape\\\"\"}"},
    {"a = ''", "{\"a\":\"\"}"},
    {"a = \"\"\"\nfirst\nsecond\"\"\"", "{\"a\":\"first\\nsecond\"}"},
    {"a = \"\"\"\r\nx\"\"\"", "{\"a\":\"x\"}"},
    {"a = \"\"\"\"\"\"", "{\"a\":\"\"}"},
    {"a = \"\"\"one \\\n   \n\t two\"\"\"", "{\"a\":\"one two\"}"},
    {"a = \"\"\"one \\  \n two\"\"\"", "{\"a\":\"one two\"}"},
    {"a = \"\"\"\\\n  \"\"\"", "{\"a\":\"\"}"},
    {"a = \"\"\"two \"\" quotes\"\"\"", "{\"a\":\"two \\\"\\\" quotes\"}"},
    {"a = \"\"\"end with two\"\"\"\"\"", "{\"a\":\"end with two\\\"\\\"\"}"},
    {"a = \"\"\"\"one\"\"\"\"", "{\"a\":\"\\\"one\\\"\"}"},
    {"a = \"\"\"x\\\"\"\"y\"\"\"", "{\"a\":\"x\\\"\\\"\\\"y\"}"},
    {"a = '''\nraw \\ ' '' text\n'''", "{\"a\":\"raw \\\\ ' '' text\\n\"}"},
    {"a = '''''two'''''", "{\"a\":\"''two''\"}"},
    {"a = ''''''", "{\"a\":\"\"}"},
    /* integers */
    {"a = 0\nb = +99\nc = -17\nd = -0\ne = +0", "{\"a\":0,\"b\":99,\"c\":-17,\"d\":0,\"e\":0}"},
    {"a = 1_000\nb = 5_349_221\nc = 1_2_3", "{\"a\":1000,\"b\":5349221,\"c\":123}"},
    {"a = 9223372036854775807\nb = -9223372036854775808",
     "{\"a\":9223372036854775807,\"b\":-9223372036854775808}"},
    {"a = 0xDEAD_beef\nb = 0o755\nc = 0b1101_0110\nd = 0x00",
     "{\"a\":3735928559,\"b\":493,\"c\":214,"
     "\"d\":0}"},
    {"a = 0x7fffffffffffffff\nb = 0o777777777777777777777", "{\"a\":9223372036854775807,"
                                                            "\"b\":9223372036854775807}"},
    /* floats: exact decimals */
    {"a = 3.1415\nb = -0.01\nc = +1.5", "{\"a\":3.1415,\"b\":-0.01,\"c\":1.5}"},
    {"a = 5e+2\nb = 1e06\nc = -2E-2", "{\"a\":500,\"b\":1000000,\"c\":-0.02}"},
    {"a = 6.5e1\nb = 224_617.445_991\nc = 1_0.0_1e0_1",
     "{\"a\":65,\"b\":224617.445991,\"c\":100.1}"},
    {"a = 0.0\nb = -0.0\nc = 0e0", "{\"a\":0,\"b\":0,\"c\":0}"},
    {"a = 9007199254740993.0", "{\"a\":9007199254740993}"},
    /* booleans */
    {"a = true\nb = false", "{\"a\":true,\"b\":false}"},
    /* dates and times stay as written */
    {"a = 1979-05-27T07:32:00Z", "{\"a\":\"1979-05-27T07:32:00Z\"}"},
    {"a = 1979-05-27t00:32:00.999999-07:00", "{\"a\":\"1979-05-27t00:32:00.999999-07:00\"}"},
    {"a = 1979-05-27 07:32:00+01:30 # c", "{\"a\":\"1979-05-27 07:32:00+01:30\"}"},
    {"a = 1979-05-27T07:32:00", "{\"a\":\"1979-05-27T07:32:00\"}"},
    {"a = 2000-02-29\nb = 2024-02-29 # leap", "{\"a\":\"2000-02-29\",\"b\":\"2024-02-29\"}"},
    {"a = 07:32:00\nb = 23:59:60.5", "{\"a\":\"07:32:00\",\"b\":\"23:59:60.5\"}"},
    {"a = [1979-05-27 ,07:32:00]", "{\"a\":[\"1979-05-27\",\"07:32:00\"]}"},
    /* arrays */
    {"a = []\nb = [ ]\nc = [[],[[]]]", "{\"a\":[],\"b\":[],\"c\":[[],[[]]]}"},
    {"a = [1, 2,]", "{\"a\":[1,2]}"},
    {"a = [ 1, \"x\", { y = 1 }, [true] ]", "{\"a\":[1,\"x\",{\"y\":1},[true]]}"},
    {"a = [ # c\n 1, # one\r\n\n 2 # two\n , ]", "{\"a\":[1,2]}"},
    /* tables */
    {"[table]\nk = 1\n[t2] # c\nk = 2", "{\"t2\":{\"k\":2},\"table\":{\"k\":1}}"},
    {"[a.b.c]\n[ d . e ]\n[\"x.y\".'z']",
     "{\"a\":{\"b\":{\"c\":{}}},\"d\":{\"e\":{}},\"x.y\":{\"z\":{}}}"},
    {"[x.y.z.w]\n[x]\nk = 1", "{\"x\":{\"k\":1,\"y\":{\"z\":{\"w\":{}}}}}"},
    {"[fruit.apple]\n[animal]\n[fruit.orange]", "{\"animal\":{},\"fruit\":{\"apple\":{},"
                                                "\"orange\":{}}}"},
    {"[fruit]\napple.color = 1\napple.taste.sweet = true\n[fruit.apple.texture]\nsmooth = true",
     "{\"fruit\":{\"apple\":{\"color\":1,\"taste\":{\"sweet\":true},\"texture\":{\"smooth\":true}}"
     "}}"},
    {"a.b = 1\n[a.c]\nd = 2", "{\"a\":{\"b\":1,\"c\":{\"d\":2}}}"},
    /* inline tables */
    {"a = {}\nb = { }\nc = { x = 1, y = 2 }", "{\"a\":{},\"b\":{},\"c\":{\"x\":1,\"y\":2}}"},
    {"a = { type.name = \"pug\", type.id = 1 }", "{\"a\":{\"type\":{\"id\":1,\"name\":\"pug\"}}}"},
    {"a = {b=[\n1,\n2\n],c={}}", "{\"a\":{\"b\":[1,2],\"c\":{}}}"},
    {"a.b = {c.d = 1}", "{\"a\":{\"b\":{\"c\":{\"d\":1}}}}"},
    /* arrays of tables */
    {"[[p]]\nn = 1\n[[p]]\n[[p]]\nn = 3", "{\"p\":[{\"n\":1},{},{\"n\":3}]}"},
    {"[[f]]\nn=1\n[f.p]\nc=2\n[[f.v]]\nn=3\n[[f.v]]\nn=4\n[[f]]\nn=5\n[[f.v]]\nn=6",
     "{\"f\":[{\"n\":1,\"p\":{\"c\":2},\"v\":[{\"n\":3},{\"n\":4}]},{\"n\":5,\"v\":[{\"n\":6}]}]}"},
    {"[[a.b]]\nx=1\n[a]\ny=2", "{\"a\":{\"b\":[{\"x\":1}],\"y\":2}}"},
    {"[[ a ]]\n[ a . b ]\n[[a]]\n[a.b]", "{\"a\":[{\"b\":{}},{\"b\":{}}]}"},
};

typedef struct bad {
    const char *toml;
    unsigned line, column;
    const char *says; /* NULL: whatever */
} bad;

static const bad invalid[] = {
    /* keys */
    {"key", 1, 4, "expected '='"},
    {"key =", 1, 6, "expected a value, found the end of the text"},
    {"key = # c", 1, 7, "expected a value"},
    {"= 1", 1, 1, "expected a key"},
    {"a b = 1", 1, 3, NULL},
    {"a. = 1", 1, 4, NULL},
    {".a = 1", 1, 1, NULL},
    {"a..b = 1", 1, 3, NULL},
    {"caf\xc3\xa9 = 1", 1, 4, NULL},
    {"\"\"\"a\"\"\" = 1", 1, 1, "multi-line"},
    {"\"a\nb\" = 1", 1, 1, "not closed"},
    {"a = 1 b = 2", 1, 7, "expected the end of the line, found 'b'"},
    {"a = 1\n\nx = 1\na = 2", 4, 1, "\"a\" is already a value (line 1)"},
    {"\"a\" = 1\n'a' = 2", 2, 1, "already"},
    {"a = 1\na.b = 2", 2, 1, "\"a\" is already a value"},
    {"a.b = 1\na = 2", 2, 1, "already a table"},
    {"a.b.c = 1\na.b = 2", 2, 1, "\"a.b\" is already a table"},
    /* strings */
    {"a = \"x", 1, 5, "not closed on its line"},
    {"a = \"x\ny\"", 1, 5, "not closed on its line"},
    {"a = 'x\ny'", 1, 5, "not closed on its line"},
    {"a = \"\"\"x\"\"", 1, 5, "the string is not closed"},
    {"a = '''x", 1, 5, "the string is not closed"},
    {"a = \"\\a\"", 1, 6, "unknown escape"},
    {"a = \"\\u12g4\"", 1, 10, "4 hexadecimal digits"},
    {"a = \"\\U0000004\"", 1, 15, "8 hexadecimal digits"},
    {"a = \"\\uD800\"", 1, 8, "not a Unicode character"},
    {"a = \"\\U00110000\"", 1, 8, "not a Unicode character"},
    {"a = \"\"\"\\ x\"\"\"", 1, 8, "unknown escape"},
    {"a = \"\"\"\"\"\"\"\"\"", 1, 8, "too many quotes"},
    {"a = 'x'y", 1, 8, "expected the end of the line"},
    {"a = \"x\x01\"", 1, 7, "control character U+0001"},
    {"a = \"x\x7f\"", 1, 7, "U+007F"},
    {"# c\x1f", 1, 4, "control character"},
    {"a = 1\rb = 2", 1, 6, "control character U+000D"},
    {"a = 'x\r'", 1, 7, "control character"},
    {"a = \"\xff\"", 1, 6, "not UTF-8"},
    {"b = \"\xc3\xa9\"\n#\xed\xa0\x80", 2, 2, "not UTF-8"},
    {"a = '\xc0\xaf'", 1, 6, "not UTF-8"},
    {"a = hello", 1, 5, "a string needs quotes"},
    /* numbers */
    {"a = 01", 1, 5, NULL},
    {"a = -01", 1, 5, NULL},
    {"a = 0_0", 1, 5, NULL},
    {"a = 1__0", 1, 5, NULL},
    {"a = _1", 1, 5, NULL},
    {"a = 1_", 1, 5, NULL},
    {"a = +", 1, 5, NULL},
    {"a = ++1", 1, 5, NULL},
    {"a = 9223372036854775808", 1, 5, "does not fit 64 bits"},
    {"a = -9223372036854775809", 1, 5, "does not fit 64 bits"},
    {"a = 0x8000000000000000", 1, 5, "does not fit 64 bits"},
    {"a = 0x10000000000000000", 1, 5, "does not fit 64 bits"},
    {"a = 0x", 1, 5, "no digits"},
    {"a = 0x_1", 1, 5, NULL},
    {"a = 0x1_", 1, 5, NULL},
    {"a = 0x1__2", 1, 5, NULL},
    {"a = 0o8", 1, 5, "base 8"},
    {"a = 0b2", 1, 5, "base 2"},
    {"a = 0X1", 1, 5, NULL},
    {"a = -0x1", 1, 5, NULL},
    {"a = 1.", 1, 5, NULL},
    {"a = .1", 1, 5, NULL},
    {"a = 1.e1", 1, 5, NULL},
    {"a = 1e", 1, 5, NULL},
    {"a = 1e1.5", 1, 5, NULL},
    {"a = 1._1", 1, 5, NULL},
    {"a = 03.14", 1, 5, NULL},
    {"a = 1e_1", 1, 5, NULL},
    {"a = inf", 1, 5, "inf and nan"},
    {"a = -nan", 1, 5, "inf and nan"},
    {"a = 1e99999999", 1, 5, "too large"},
    /* booleans */
    {"a = True", 1, 5, NULL},
    {"a = truer", 1, 5, NULL},
    {"a = fals", 1, 5, NULL},
    /* dates */
    {"a = 2021-02-29", 1, 5, "not a date"},
    {"a = 1900-02-29", 1, 5, "not a date"},
    {"a = 2021-13-01", 1, 5, NULL},
    {"a = 2021-00-01", 1, 5, NULL},
    {"a = 2021-01-32", 1, 5, NULL},
    {"a = 2021-1-01", 1, 5, NULL},
    {"a = 2021-01-01T24:00:00Z", 1, 5, NULL},
    {"a = 2021-01-01T00:60:00Z", 1, 5, NULL},
    {"a = 2021-01-01T00:00:61Z", 1, 5, NULL},
    {"a = 2021-01-01T00:00Z", 1, 5, NULL},
    {"a = 2021-01-01T00:00:00+24:00", 1, 5, NULL},
    {"a = 2021-01-01T00:00:00.Z", 1, 5, NULL},
    {"a = 2021-01-01T", 1, 5, NULL},
    {"a = 7:32:00", 1, 5, NULL},
    {"a = 12:34:56.7 12:34:56.7", 1, 16, NULL},
    {"a = 2021-01-01 12:34:56 1", 1, 25, NULL},
    /* arrays */
    {"a = [1", 1, 7, "array that starts in line 1"},
    {"a = [1 2]", 1, 8, "expected ',' or ']'"},
    {"a = [,1]", 1, 6, NULL},
    {"a = [1,,2]", 1, 8, NULL},
    {"a = []]", 1, 7, NULL},
    {"a = [\n\n", 3, 1, NULL},
    {"a = [1}", 1, 7, NULL},
    /* tables */
    {"[a]\n[a]", 2, 2, "\"a\" is already a table (line 1)"},
    {"[a]\n[b]\n[a]", 3, 2, "already"},
    {"[a.b]\n[a]\n[a]", 3, 2, "already a table (line 2)"},
    {"a = 1\n[a]", 2, 2, "already a value"},
    {"a = 1\n[a.b]", 2, 2, "already a value"},
    {"[a]\nb = 1\n[a.b]", 3, 2, "\"a.b\" is already a value"},
    {"[]", 1, 2, "expected a key"},
    {"[a", 1, 3, "not closed with ]"},
    {"[a]]", 1, 4, NULL},
    {"[a] b = 1", 1, 5, NULL},
    {"[a\n]", 1, 3, NULL},
    {"[a.]", 1, 4, NULL},
    {"[[a]", 1, 4, "not closed with ]]"},
    {"[ [a]]", 1, 3, NULL},
    {"[[a] ]", 1, 4, NULL},
    {"[fruit]\napple.color = 1\n[fruit.apple]", 3, 2, "already a table"},
    {"[fruit]\napple.taste.sweet = 1\n[fruit.apple.taste]", 3, 2, "already a table"},
    {"[a.b.c]\nz = 9\n[a]\nb.c.t = 1", 4, 1, "already a table"},
    {"[a.b.c.d]\nz = 9\n[a]\nb.c.d.k.t = 1", 4, 1, "already a table"},
    /* inline tables */
    {"a = { x = 1, }", 1, 14, "no comma"},
    {"a = { x = 1\n}", 1, 12, "expected ',' or '}'"},
    {"a = {\n}", 1, 6, NULL},
    {"a = { x = 1 y = 2 }", 1, 13, NULL},
    {"a = { , }", 1, 7, NULL},
    {"a = { x = 1, x = 2 }", 1, 14, "already a value"},
    {"a = { x.y = 1, x = 2 }", 1, 16, "already a table"},
    {"a = { b = {c = 1}, b.d = 2 }", 1, 20, "already a value"},
    {"a = {}\n[a.b]", 2, 2, "already a value"},
    {"a = {}\na.b = 1", 2, 1, "already a value"},
    {"[t]\na = {b = 1}\n[[t.a]]", 3, 3, "already a value"},
    {"a = { x", 1, 8, NULL},
    /* arrays of tables */
    {"[a]\n[[a]]", 2, 3, "already a table"},
    {"[[a]]\n[a]", 2, 2, "already an array of tables"},
    {"a = []\n[[a]]", 2, 3, "already a value"},
    {"a = [{}]\n[a.b]", 2, 2, "already a value"},
    {"[[a.b]]\n[a]\nb.y = 2", 3, 1, "already an array of tables"},
    {"[f.p]\n[[f]]", 2, 3, "already a table"},
    {"[[f]]\n[[f.v]]\n[f.v]", 3, 2, "already an array of tables"},
};

static void valid_documents_give_their_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < VS_COUNT(valid); i++) {
        vs_arena a;
        vs_arena_init(&a, 0);
        vs_error err = {0};
        vs_val v;
        vs_code code = vs_toml_parse(&a, vs_str(valid[i].toml), &v, &err);
        if (code != VS_OK)
            fail_msg("%s\n-> %s", valid[i].toml, vs_error_at(&err, 0));
        vs_buf json = VS_BUF(1 << 16);
        vs_json_print(&json, v);
        if (!vs_span_is(vs_buf_span(&json), valid[i].json))
            fail_msg("%s\n-> %s\nwant %s", valid[i].toml, (char *)json.p, valid[i].json);
        vs_buf_free(&json);
        vs_arena_free(&a);
    }
    print_message("%zu valid documents\n", VS_COUNT(valid));
}

static void invalid_documents_are_refused_at_the_right_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < VS_COUNT(invalid); i++) {
        vs_arena a;
        vs_arena_init(&a, 0);
        vs_error err = {0};
        vs_val v;
        if (vs_toml_parse(&a, vs_str(invalid[i].toml), &v, &err) != VS_E_PARSE)
            fail_msg("accepted or wrong code: %s", invalid[i].toml);
        assert_false(vs_defined(v));
        char want[64];
        (void)snprintf(want, sizeof want, "line %u, column %u: ", invalid[i].line,
                       invalid[i].column);
        const char *text = vs_error_at(&err, 0);
        if (strncmp(text, want, strlen(want)) != 0 ||
            (invalid[i].says && !strstr(text, invalid[i].says)))
            fail_msg("%s\n-> %s\nwant %s... %s", invalid[i].toml, text, want,
                     invalid[i].says ? invalid[i].says : "");
        vs_arena_free(&a);
    }
    print_message("%zu invalid documents\n", VS_COUNT(invalid));
}

static vs_code parse(vs_span text)
{
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_val v;
    vs_code code = vs_toml_parse(&a, text, &v, NULL);
    vs_arena_free(&a);
    return code;
}

static void a_nul_is_refused_wherever_it_stands(void **state)
{
    (void)state;
    assert_vs_code(parse(VS_LIT("a = 1\0")), VS_E_PARSE);
    assert_vs_code(parse(VS_LIT("a = 'x\0y'")), VS_E_PARSE);
    assert_vs_code(parse(VS_LIT("\0")), VS_E_PARSE);
    assert_vs_code(parse(VS_LIT("# \0")), VS_E_PARSE);
}

static void repeat(vs_buf *b, const char *s, unsigned n)
{
    while (n--)
        vs_buf_puts(b, s);
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *before, *open, *middle, *close;
    } shapes[] = {{"a = ", "[", "", "]"},  {"a = ", "{a=", "1", "}"}, {"[a", ".a", "]", ""},
                  {"a", ".a", " = 1", ""}, {"[[a", ".a", "]]", ""},   {"a = ", "[{b=", "1", "}]"}};
    for (size_t i = 0; i < VS_COUNT(shapes); i++)
        for (unsigned n = 10; n <= 100000; n *= 10) {
            vs_buf b = VS_BUF(1 << 20);
            vs_buf_puts(&b, shapes[i].before);
            repeat(&b, shapes[i].open, n);
            vs_buf_puts(&b, shapes[i].middle);
            repeat(&b, shapes[i].close, n);
            assert_true(vs_buf_ok(&b));
            assert_vs_code(parse(vs_buf_span(&b)), n == 10 ? VS_OK : VS_E_PARSE);
            vs_buf_free(&b);
        }
}

static void too_large_a_text_is_refused(void **state)
{
    (void)state;
    vs_buf b = VS_BUF(VS_TOML_MAX + 1);
    uint8_t *p = vs_buf_reserve(&b, VS_TOML_MAX + 1);
    assert_non_null(p);
    memset(p, '\n', VS_TOML_MAX + 1);
    assert_vs_code(parse(vs_span_head(vs_buf_span(&b), VS_TOML_MAX)), VS_OK);
    assert_vs_code(parse(vs_buf_span(&b)), VS_E_LIMIT);
    vs_buf_free(&b);
}

static void many_keys_in_one_table_do_not_take_quadratic_time(void **state)
{
    (void)state;
    vs_buf b = VS_BUF(VS_TOML_MAX);
    for (unsigned i = 0; i < 100000; i++)
        vs_buf_printf(&b, "k%u = %u\n", i, i);
    assert_vs_code(parse(vs_buf_span(&b)), VS_OK);
    vs_buf_puts(&b, "k500 = 1\n");
    assert_vs_code(parse(vs_buf_span(&b)), VS_E_PARSE);
    vs_buf_free(&b);
}

static void memory_that_runs_out_is_an_error(void **state)
{
    (void)state;
    unsigned refused = 0;
    vs_buf b = VS_BUF(1 << 20);
    repeat(&b, "[[x]]\na = \"0123456789\"\nb.c = [1.5, {d = 2}]\n", 200);
    for (size_t cap = 1024; cap < 200000; cap += 4096) {
        vs_arena a;
        vs_arena_init(&a, cap);
        vs_val v;
        vs_code code = vs_toml_parse(&a, vs_buf_span(&b), &v, NULL);
        refused += code != VS_OK;
        assert_true(code == VS_E_NOMEM || (code == VS_OK && vs_defined(v)));
        vs_arena_free(&a);
    }
    assert_true(refused > 0);
    vs_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_documents_give_their_values),
        cmocka_unit_test(invalid_documents_are_refused_at_the_right_place),
        cmocka_unit_test(a_nul_is_refused_wherever_it_stands),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(too_large_a_text_is_refused),
        cmocka_unit_test(many_keys_in_one_table_do_not_take_quadratic_time),
        cmocka_unit_test(memory_that_runs_out_is_an_error),
    };
    return cmocka_run_group_tests_name("value: toml", tests, NULL, NULL);
}
