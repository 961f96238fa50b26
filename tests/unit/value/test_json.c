/* SPDX-License-Identifier: Apache-2.0 */
/* The public JSON parsing edge cases, limits, errors, and the printers. */
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

static vs_code parse(vs_span text, vs_val *v, vs_error *err)
{
    return vs_json_parse(&a, text, NULL, v, err);
}

#define T(s)                                                                                       \
    {                                                                                              \
        (const uint8_t *)(s), sizeof(s) - 1                                                        \
    }

static void what_the_grammar_allows_is_accepted(void **state)
{
    (void)state;
    static const vs_span good[] = {
        T("[[]   ]"),
        T("[\"\"]"),
        T("[]"),
        T("[\"a\"]"),
        T("[false]"),
        T("[null, 1, \"1\", {}]"),
        T("[null]"),
        T("[1\n]"),
        T(" [1]"),
        T("[1,null,null,null,2]"),
        T("[2] "),
        T("[123e65]"),
        T("[0e+1]"),
        T("[0e1]"),
        T("[ 4]"),
        T("[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]\n"),
        T("[20e1]"),
        T("[-0]"),
        T("[-123]"),
        T("[-1]"),
        T("[1E22]"),
        T("[1E-2]"),
        T("[1E+2]"),
        T("[123e45]"),
        T("[123.456e78]"),
        T("[1e-2]"),
        T("[1e+2]"),
        T("[123]"),
        T("[123.456789]"),
        T("{\"asd\":\"sdf\", \"dfg\":\"fgh\"}"),
        T("{\"asd\":\"sdf\"}"),
        T("{}"),
        T("{\"\":0}"),
        T("{\"foo\\u0000bar\": 42}"),
        T("{ \"min\": -1.0e+28, \"max\": 1.0e+28 }"),
        T("{\"a\":[]}"),
        T("{\n\"a\": \"b\"\n}"),
        T("[\"\\u0060\\u012a\\u12AB\"]"),
        T("[\"\\uD801\\udc37\"]"),
        T("[\"\\ud83d\\ude39\\ud83d\\udc8d\"]"),
        T("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
        T("[\"\\\\u0000\"]"),
        T("[\"\\\"\"]"),
        T("[\"a/*b*/c/*d//e\"]"),
        T("[\"\\\\a\"]"),
        T("[\"\\\\n\"]"),
        T("[\"\\u0012\"]"),
        T("[\"\\uFFFF\"]"),
        T("[ \"asd\"]"),
        T("[\"\\uDBFF\\uDFFF\"]"),
        T("[\"new\\u00A0line\"]"),
        T("[\"\xf4\x8f\xbf\xbf\"]"),
        T("[\"\xef\xbf\xbf\"]"),
        T("[\"\\u0000\"]"),
        T("[\"\\u002c\"]"),
        T("[\"\xcf\x80\"]"),
        T("[\"\xf0\x9b\xbf\xbf\"]"),
        T("[\"asd \"]"),
        T("\" \""),
        T("[\"\\uD834\\uDd1e\"]"),
        T("[\"\\u0821\"]"),
        T("[\"\\u0123\"]"),
        T("[\"\xe2\x80\xa8\"]"),
        T("[\"\xe2\x80\xa9\"]"),
        T("[\"\\u0061\\u30af\\u30EA\\u30b9\"]"),
        T("[\"new\\u000Aline\"]"),
        T("[\"\x7f\"]"),
        T("[\"\\uA66D\"]"),
        T("[\"\xe2\x8d\x82\xe3\x88\xb4\xe2\x8d\x82\"]"),
        T("[\"\\u005C\"]"),
        T("[\"\\u0022\"]"),
        T("[\"\\uD83F\\uDFFE\"]"),
        T("[\"\\uFDD0\"]"),
        T("false"),
        T("42"),
        T("-0.1"),
        T("null"),
        T("\"asd\""),
        T("true"),
        T("\"\""),
        T("[\"a\"]\n"),
        T("[true]"),
        T(" [] "),
        T("[1e400]"),
        T("[123123123123123123123123123123]"),
        T("[0.4e00669999999999999]"),
    };
    vs_error err = {0};
    for (size_t i = 0; i + 1 < VS_COUNT(good); i++) {
        vs_val v;
        if (parse(good[i], &v, &err) != VS_OK)
            fail_msg("refused: %.*s: %s", VS_FMT(good[i]), vs_error_at(&err, 0));
    }
    vs_val v; /* an exponent beyond every bound is a limit, quickly */
    assert_vs_code(parse(good[VS_COUNT(good) - 1], &v, NULL), VS_E_LIMIT);
}

static void what_the_grammar_forbids_is_refused(void **state)
{
    (void)state;
    static const vs_span bad[] = {
        T("[1 true]"),
        T("[a\xe5]"),
        T("[\"\": 1]"),
        T("[\"\"],"),
        T("[,1]"),
        T("[1,,2]"),
        T("[\"x\",,]"),
        T("[\"x\"]]"),
        T("[\"\",]"),
        T("[\"x\""),
        T("[x"),
        T("[3[4]]"),
        T("[\xff]"),
        T("[1:2]"),
        T("[,]"),
        T("[-]"),
        T("[   , \"\"]"),
        T("[\"a\",\n4\n,1,"),
        T("[1,]"),
        T("[1,,]"),
        T("[\"\va\"\\f]"),
        T("[*]"),
        T("[\"\""),
        T("[1,"),
        T("[1,\n1\n,1"),
        T("[{}"),
        T("[fals]"),
        T("[nul]"),
        T("[tru]"),
        T("123\0"),
        T("[++1234]"),
        T("[+1]"),
        T("[+Inf]"),
        T("[-01]"),
        T("[-1.0.]"),
        T("[-2.]"),
        T("[-NaN]"),
        T("[.-1]"),
        T("[.2e-3]"),
        T("[0.1.2]"),
        T("[0.3e+]"),
        T("[0.3e]"),
        T("[0.e1]"),
        T("[0E+]"),
        T("[0E]"),
        T("[0e+]"),
        T("[0e]"),
        T("[1.0e+]"),
        T("[1.0e-]"),
        T("[1.0e]"),
        T("[1 000.0]"),
        T("[1eE2]"),
        T("[2.e+3]"),
        T("[2.e-3]"),
        T("[2.e3]"),
        T("[9.e+]"),
        T("[Inf]"),
        T("[NaN]"),
        T("[\xef\xbc\x91]"),
        T("[1+2]"),
        T("[0x1]"),
        T("[0x42]"),
        T("[Infinity]"),
        T("[0e+-1]"),
        T("[-123.123foo]"),
        T("[123\xe5]"),
        T("[1e1\xe5]"),
        T("[0\xe5]"),
        T("[-Infinity]"),
        T("[-foo]"),
        T("[- 1]"),
        T("[-012]"),
        T("[-.123]"),
        T("[-1x]"),
        T("[1ea]"),
        T("[1e\xe5]"),
        T("[1.]"),
        T("[.123]"),
        T("[1.2a-3]"),
        T("[1.8011670033376514H-308]"),
        T("[012]"),
        T("[\"x\", truth]"),
        T("{[: \"x\"}\n"),
        T("{\"x\", null}"),
        T("{\"x\"::\"b\"}"),
        T("{\xf0\x9f\x87\xa8\xf0\x9f\x87\xad}"),
        T("{\"a\":\"a\" 123}"),
        T("{key: 'value'}"),
        T("{\"\xb9\":\"0\",}"),
        T("{\"a\" b}"),
        T("{:\"b\"}"),
        T("{\"a\" \"b\"}"),
        T("{\"a\":"),
        T("{\"a\""),
        T("{1:1}"),
        T("{9999E9999:1}"),
        T("{null:null,null:null}"),
        T("{\"id\":0,,,,,}"),
        T("{'a':0}"),
        T("{\"id\":0,}"),
        T("{\"a\":\"b\"}/**/"),
        T("{\"a\":\"b\"}/**//"),
        T("{\"a\":\"b\"}//"),
        T("{\"a\":\"b\"}/"),
        T("{\"a\":\"b\",,\"c\":\"d\"}"),
        T("{a: \"b\"}"),
        T("{\"a\":\"a"),
        T("{ \"foo\" : \"bar\", \"a\" }"),
        T("{\"a\":\"b\"}#"),
        T(" "),
        T("[\"\\uD800\\\"]"),
        T("[\"\\uD800\\u\"]"),
        T("[\"\\uD800\\u1\"]"),
        T("[\"\\uD800\\u1x\"]"),
        T("[\xc3\xa9]"),
        T("[\"\\\0\"]"),
        T("[\"\\x00\"]"),
        T("[\"\\\\\\\"]"),
        T("[\"\\\t\"]"),
        T("[\"\\\xf0\x9f\x8c\x80\"]"),
        T("[\"\\\"]"),
        T("[\"\\u00A\"]"),
        T("[\"\\uD834\\uDd\"]"),
        T("[\"\\uD800\\uD800\\x\"]"),
        T("[\"\\u\xe5\"]"),
        T("[\"\\a\"]"),
        T("[\"\\uqqqq\"]"),
        T("[\"\\\xe5\"]"),
        T("[\\u0020\"asd\"]"),
        T("[\\n]"),
        T("\""),
        T("['single quote']"),
        T("abc"),
        T("[\"\\"),
        T("[\"a\0a\"]"),
        T("[\"new\nline\"]"),
        T("[\"\t\"]"),
        T("\"\\UA66D\""),
        T("\"\"x"),
        T("[\xe2\x81\xa0]"),
        T("\xef\xbb\xbf"),
        T("<.>"),
        T("[<null>]"),
        T("[1]x"),
        T("[1]]"),
        T("[\"asd]"),
        T("a\xc3\xa5"),
        T("[True]"),
        T("1]"),
        T("{\"x\": true,"),
        T("[][]"),
        T("]"),
        T("\xef\xbb{}"),
        T("\xe5"),
        T("["),
        T(""),
        T("[\0]"),
        T("2@"),
        T("{}}"),
        T("{\"\":"),
        T("{\"a\":/*comment*/\"b\"}"),
        T("{\"a\": true} \"x\""),
        T("['"),
        T("[,"),
        T("[{"),
        T("[\"a"),
        T("[\"a\""),
        T("{"),
        T("{]"),
        T("{,"),
        T("{["),
        T("{\"a"),
        T("{'a'"),
        T("[\"\\{[\"\\{"),
        T("*"),
        T("{\"a\":\"b\"}#{}"),
        T("[\\u000A\"\"]"),
        T("[1"),
        T("[ false, nul"),
        T("[ true, fals"),
        T("[ false, tru"),
        T("{\"asd\":\"asd\""),
        T("\xc3\xa5"),
        T("[\x0c]"),
        T("[\"\\uDADA\"]"),
        T("[\"\\uD888\\u1234\"]"),
        T("[\"\\uDd1ea\"]"),
        T("[\"\xff\"]"),
        T("[\"\xc0\xaf\"]"),
        T("[\"\xed\xa0\x80\"]"),
        T("[\"\x81\"]"),
        T("\xef\xbb\xbf{}"),
        T("[\"\xe6\x97\xa5\xd1\x88\xfa\"]"),
        T("{\"a\":1,\"a\":2}"),
        T("{\"a\":1,\"\\u0061\":1}"),
        T("\xff\xfe[\0"),
        T("[\"\xfc\x83\xbf\xbf\xbf\xbf\"]"),
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        vs_val v;
        if (parse(bad[i], &v, NULL) == VS_OK)
            fail_msg("accepted: %.*s", VS_FMT(bad[i]));
        assert_false(vs_defined(v));
    }
    print_message("# %zu documents refused\n", VS_COUNT(bad));
}

static void depth_and_number_of_values_are_limited(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1 << 20);
    vs_val v;
    for (int depth = 1; depth <= 200; depth++) {
        vs_buf_clear(&b);
        for (int i = 0; i < depth; i++)
            vs_buf_putc(&b, '[');
        for (int i = 0; i < depth; i++)
            vs_buf_putc(&b, ']');
        assert_vs_code(parse(vs_buf_span(&b), &v, NULL), depth <= 128 ? VS_OK : VS_E_LIMIT);
    }
    vs_buf_clear(&b);
    for (int i = 0; i < 100000; i++)
        vs_buf_puts(&b, i % 2 ? "[" : "{\"\":");
    assert_vs_code(parse(vs_buf_span(&b), &v, NULL), VS_E_LIMIT);
    vs_json_opts few = {.nodes = 3};
    assert_vs_code(vs_json_parse(&a, VS_LIT("[1,2]"), &few, &v, NULL), VS_OK);
    assert_vs_code(vs_json_parse(&a, VS_LIT("[1,2,3]"), &few, &v, NULL), VS_E_LIMIT);
}

static void errors_name_line_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *text, *where;
    } t[] = {{"{\n  \"a\": tru\n}", "line 2 column 8"},
             {"[1,\n\n  2 3]", "line 3 column 5"},
             {"{\"a\":1,\"a\":2}", "duplicate member name \"a\""}};
    for (size_t i = 0; i < VS_COUNT(t); i++) {
        vs_error err = {0};
        vs_val v;
        assert_vs_code(parse(vs_str(t[i].text), &v, &err), VS_E_PARSE);
        if (!strstr(vs_error_at(&err, 0), t[i].where))
            fail_msg("%s", vs_error_at(&err, 0));
    }
}

static const char document[] = "{\"a\":[1,-2.5e-3,\"\\ud83d\\ude00\\u00e9\\n\",null,true,{\"\":{}}]"
                               ",\"b\":123456789012345678901234567890,"
                               "\"c\":\"\xc3\xbc\",\"d\":[[],[[false]]]}";

static void every_truncation_is_refused_and_every_bit_flip_handled(void **state)
{
    (void)state;
    vs_val v, again;
    for (size_t n = 0; n < sizeof document - 1; n++) {
        uint8_t *cut = malloc(n ? n : 1);
        assert_non_null(cut);
        memcpy(cut, document, n);
        assert_int_not_equal(parse(vs_span_of(cut, n), &v, NULL), VS_OK);
        free(cut);
    }
    char flipped[sizeof document];
    for (size_t bit = 0; bit < (sizeof document - 1) * 8; bit++) {
        memcpy(flipped, document, sizeof document);
        flipped[bit / 8] = (char)(flipped[bit / 8] ^ (1 << bit % 8));
        if (parse(vs_span_of(flipped, sizeof document - 1), &v, NULL) != VS_OK)
            continue;
        VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(10000);
        vs_json_print(&b, v);
        assert_vs_code(parse(vs_buf_span(&b), &again, NULL), VS_OK);
        assert_true(vs_eq(v, again));
        vs_buf_free(&b);
    }
}

static void memory_running_out_is_an_error_at_every_point(void **state)
{
    (void)state;
    size_t failures = 0;
    for (size_t cap = 16; cap < 8192; cap += 16) {
        vs_arena small;
        vs_val v;
        vs_arena_init(&small, cap);
        vs_code code =
            vs_json_parse(&small, vs_span_of(document, sizeof document - 1), NULL, &v, NULL);
        failures += code != VS_OK;
        assert_int_equal(code == VS_OK, vs_defined(v));
        vs_arena_free(&small);
    }
    assert_true(failures > 10);
}

static void duplicates_are_last_wins_only_on_request(void **state)
{
    (void)state;
    vs_json_opts opts = {.dup_last_wins = true};
    vs_val v;
    assert_vs_code(vs_json_parse(&a, VS_LIT("{\"a\":1,\"b\":2,\"a\":3}"), &opts, &v, NULL), VS_OK);
    assert_int_equal(v.len, 2);
    assert_int_equal(vs_getc(v, "a").u.i, 3);
}

/* ---- RFC 8785
 * -------------------------------------------------------------------------------------- */

static void canonical(const char *text, const char *want)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(10000);
    vs_error err = {0};
    vs_val v;
    assert_vs_ok(parse(vs_str(text), &v, &err), &err);
    assert_vs_ok(vs_json_canonical(&b, v, &err), &err);
    assert_span_is(vs_buf_span(&b), want);
}

static void canonical_form_of_the_rfc_examples(void **state)
{
    (void)state;
    canonical(
        "{\"numbers\": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],"
        "\"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\", \"literals\": "
        "[null, true, false]}",
        "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
        "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
    canonical(
        "{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\",\"\\ufb33\":\"Hebrew Letter Dalet "
        "With Dagesh\",\"1\":\"One\","
        "\"\\ud83d\\ude00\":\"Emoji: Grinning Face\",\"\\u0080\":\"Control\",\"\\u00f6\":\"Latin "
        "Small Letter O With Diaeresis\"}",
        "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\",\"\xc3\xb6\":\"Latin "
        "Small Letter O With Diaeresis\","
        "\"\xe2\x82\xac\":\"Euro Sign\",\"\xf0\x9f\x98\x80\":\"Emoji: Grinning "
        "Face\",\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}");
    canonical("{\"b\":1,\"a\":\"test\",\"c\":{\"d\":\"e\"}}",
              "{\"a\":\"test\",\"b\":1,\"c\":{\"d\":\"e\"}}");
}

/* Appendix B: IEEE 754 bits and the text. */
static void canonical_numbers_of_the_rfc_table(void **state)
{
    (void)state;
    static const struct {
        uint64_t bits;
        const char *text;
    } t[] = {
        {0x0000000000000000, "0"},
        {0x8000000000000000, "0"},
        {0x0000000000000001, "5e-324"},
        {0x8000000000000001, "-5e-324"},
        {0x7fefffffffffffff, "1.7976931348623157e+308"},
        {0xffefffffffffffff, "-1.7976931348623157e+308"},
        {0x4340000000000000, "9007199254740992"},
        {0xc340000000000000, "-9007199254740992"},
        {0x4430000000000000, "295147905179352830000"},
        {0x44b52d02c7e14af5, "9.999999999999997e+22"},
        {0x44b52d02c7e14af6, "1e+23"},
        {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
        {0x444b1ae4d6e2ef4e, "999999999999999700000"},
        {0x444b1ae4d6e2ef4f, "999999999999999900000"},
        {0x444b1ae4d6e2ef50, "1e+21"},
        {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
        {0x3eb0c6f7a0b5ed8d, "0.000001"},
        {0x41b3de4355555553, "333333333.3333332"},
        {0x41b3de4355555554, "333333333.33333325"},
        {0x41b3de4355555555, "333333333.3333333"},
        {0x41b3de4355555556, "333333333.3333334"},
        {0x41b3de4355555557, "333333333.33333343"},
        {0xbecbf647612f3696, "-0.0000033333333333333333"},
        {0x43143ff3c1cb0959, "1424953923781206.2"},
    };
    for (size_t i = 0; i < VS_COUNT(t); i++) {
        double d;
        memcpy(&d, &t[i].bits, sizeof d);
        VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(100);
        vs_error err = {0};
        assert_vs_ok(vs_json_canonical(&b, vs_num_of_double(&a, d), &err), &err);
        assert_span_is(vs_buf_span(&b), t[i].text);
        vs_buf_free(&b);
    }
    vs_val v;
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(100);
    assert_vs_code(parse(VS_LIT("1e400"), &v, NULL), VS_OK);
    assert_vs_code(vs_json_canonical(&b, v, NULL), VS_E_INVALID);
}

static void the_writer_places_commas_and_typed_access_explains(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1000);
    vs_jw w = {.out = &b};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "typ");
    vs_jw_str(&w, "JWT");
    vs_jw_key(&w, "l");
    vs_jw_open(&w, '[');
    vs_jw_int(&w, -1);
    vs_jw_bool(&w, true);
    vs_jw_close(&w, ']');
    vs_jw_key(&w, "e");
    vs_jw_open(&w, '{');
    vs_jw_close(&w, '}');
    vs_jw_close(&w, '}');
    assert_span_is(vs_buf_span(&b), "{\"typ\":\"JWT\",\"l\":[-1,true],\"e\":{}}");
    vs_val v, m;
    vs_error err = {0};
    assert_vs_code(parse(vs_buf_span(&b), &v, NULL), VS_OK);
    assert_vs_code(vs_need(v, "none", VS_STRING, &m, &err), VS_E_INVALID);
    assert_string_equal(vs_error_at(&err, 0), "member \"none\" is missing");
    assert_vs_code(vs_need(v, "l", VS_STRING, &m, &err), VS_E_INVALID);
    assert_string_equal(vs_error_at(&err, 0), "member \"l\" must be a string, not an array");
    assert_vs_code(vs_may(v, "none", VS_STRING, &m, &err), VS_OK);
    assert_false(vs_defined(m));
}

static void what_is_not_utf8_becomes_a_replacement(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
        const char *printed;
    } bad[] = {
        {"\x80", 1, "\"\\ufffd\""},
        {"a\xe2\x82", 3, "\"a\\ufffd\\ufffd\""},
        {"\xed\xa0\x80z", 4, "\"\\ufffd\\ufffd\\ufffdz\""},
        {"\xf4\x90\x80\x80", 4, "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
        {"\xc0\x80", 2, "\"\\ufffd\\ufffd\""},
        {"\xc3\xa9\xff\x01", 4, "\"\xc3\xa9\\ufffd\\u0001\""},
        {"\xf0\x9f\x98\x80", 4, "\"\xf0\x9f\x98\x80\""},
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1000);
        vs_json_quote(&b, vs_span_of(bad[i].text, bad[i].n));
        assert_span_is(vs_buf_span(&b), bad[i].printed);
    }
    static const struct {
        const char *text, *value; /* NULL: refused */
    } texts[] = {
        {"[\"\x80\"]", "[\"\xef\xbf\xbd\"]"},
        {"\"\\ud800\"", "\"\xef\xbf\xbd\""},
        {"\"\\ud800\\ud83d\\ude00\"", "\"\xef\xbf\xbd\xf0\x9f\x98\x80\""},
        {"\"\\udc00\\ud800x\"", "\"\xef\xbf\xbd\xef\xbf\xbdx\""},
        {"\"\\ud800\\u12\"", NULL},
        {"[1\x80]", NULL},
        {"\x80", NULL},
    };
    const vs_json_opts lossy = {.lossy = true};
    for (size_t i = 0; i < VS_COUNT(texts); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1000);
        vs_val v;
        assert_int_not_equal(parse(vs_str(texts[i].text), &v, NULL), VS_OK);
        vs_code code = vs_json_parse(&a, vs_str(texts[i].text), &lossy, &v, NULL);
        assert_int_equal(code == VS_OK, texts[i].value != NULL);
        vs_json_print(&b, v);
        assert_span_is(vs_buf_span(&b), texts[i].value ? texts[i].value : "null");
    }
}

/* Plain characters are looked at eight at a time: any other must be seen wherever it is. */
static void every_byte_is_seen_in_every_place_of_a_string(void **state)
{
    (void)state;
    vs_arena room;
    vs_arena_init(&room, 0);
    for (size_t i = 0; i < 256 * 18; i++) {
        size_t c = i / 18, at = i % 18;
        uint8_t raw[18], text[20];
        memset(raw, 'x', sizeof raw);
        raw[at] = (uint8_t)c;
        text[0] = text[19] = '"';
        memcpy(text + 1, raw, sizeof raw);
        bool plain = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
        vs_val back = vs_undefined();
        vs_code code = vs_json_parse(&room, vs_span_of(text, sizeof text), NULL, &back, NULL);
        assert_int_equal(code == VS_OK, plain);
        VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(64);
        vs_json_quote(&out, vs_span_of(raw, sizeof raw));
        assert_int_equal(vs_span_eq(vs_buf_span(&out), vs_span_of(text, sizeof text)), plain);
        assert_vs_code(vs_json_parse(&room, vs_buf_span(&out), NULL, &back, NULL), VS_OK);
        if (c < 0x80)
            assert_span_eq(vs_text(back), vs_span_of(raw, sizeof raw));
        vs_arena_reset(&room);
    }
    vs_arena_free(&room);
}

static void integers_print_in_decimal(void **state)
{
    (void)state;
    static const int64_t n[] = {
        0, 1, -1, 9, 10, -10, 99, 100, INT64_MAX, INT64_MIN, -1234567890123};
    for (size_t i = 0; i < VS_COUNT(n); i++) {
        char want[32];
        VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(64);
        (void)snprintf(want, sizeof want, "%lld", (long long)n[i]);
        vs_json_print(&out, vs_int(n[i]));
        assert_span_is(vs_buf_span(&out), want);
    }
}

static void html_is_escaped_only_on_request(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1000);
    vs_json_escape_html(&b, VS_LIT("{\"<\":\">&\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\xe2\x80\"}"));
    assert_span_is(vs_buf_span(&b),
                   "{\"\\u003c\":\"\\u003e\\u0026\\u2028\\u2029\xe2\x80\xaa\xe2\x80\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_grammar_allows_is_accepted),
        cmocka_unit_test(what_the_grammar_forbids_is_refused),
        cmocka_unit_test(depth_and_number_of_values_are_limited),
        cmocka_unit_test(errors_name_line_and_column),
        cmocka_unit_test(every_truncation_is_refused_and_every_bit_flip_handled),
        cmocka_unit_test(memory_running_out_is_an_error_at_every_point),
        cmocka_unit_test(duplicates_are_last_wins_only_on_request),
        cmocka_unit_test(canonical_form_of_the_rfc_examples),
        cmocka_unit_test(canonical_numbers_of_the_rfc_table),
        cmocka_unit_test(the_writer_places_commas_and_typed_access_explains),
        cmocka_unit_test(what_is_not_utf8_becomes_a_replacement),
        cmocka_unit_test(every_byte_is_seen_in_every_place_of_a_string),
        cmocka_unit_test(integers_print_in_decimal),
        cmocka_unit_test(html_is_escaped_only_on_request),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
