/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What hostile policies and inputs are refused: work that grows faster than a text is charged or
 * timed, what cannot be told is an error and never another answer, and trust is not given away.
 */
#include <stdio.h>
#include <time.h>

#include "expressions.h"

#include "base/thread.h"
#include "rego/builtin.h"
#include "value/json.h"
#include "value/number.h"

/* ---- work that is more than it looks ------------------------------------------------------------
 */

/* `n` copies of a text, between quotes or brackets. */
static void put_many(vs_buf *out, const char *open, const char *text, size_t n, const char *close)
{
    vs_buf_puts(out, open);
    for (size_t i = 0; i < n; i++)
        vs_buf_puts(out, text);
    vs_buf_puts(out, close);
}

static int64_t cpu_ms(void)
{
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t), 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void ignore(void *user, vs_val bindings, vs_val values)
{
    (void)user, (void)bindings, (void)values;
}

/* The limits are the defaults: a second of time, which sanitizers may stretch. */
static void must_be_refused(const char *expression, const vs_buf *input)
{
    enum { MOST_MS = 20000 };
    vs_arena a;
    rego_program *p;
    rego_eval *e;
    rego_diag diag = {0};
    vs_error err = {0};
    rego_inputs in = {0};
    rego_options opts = {.query = vs_str(expression)};
    vs_arena_init(&a, 0);
    assert_true(vs_buf_ok(input));
    assert_vs_ok(vs_json_parse(&a, vs_buf_span(input), NULL, &in.input, &err), &err);
    assert_vs_ok(rego_compile(NULL, 0, &opts, &p, &diag, &err), &err);
    assert_vs_ok(rego_eval_new(p, &e, &err), &err);
    assert_vs_ok(rego_eval_begin(e, &in, &err), &err);
    int64_t before = cpu_ms();
    assert_vs_code(rego_eval_query(e, ignore, NULL, &diag, NULL), VS_E_LIMIT);
    int64_t took = cpu_ms() - before;
    if (took > MOST_MS)
        fail_msg("%s took %lld ms", expression, (long long)took);
    rego_eval_free(&e);
    rego_program_unref(&p);
    vs_arena_free(&a);
}

static void arrays_within_objects_are_not_compared_for_free(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf in = VS_BUF(4 << 20);
    put_many(&in, "{\"a\": {\"x\": [", "1,", 100000, "1]}, ");
    put_many(&in, "\"b\": {\"x\": [", "1,", 50000, "2]}}");
    must_be_refused("object.subset(input.a, input.b)", &in);
}

static void overlapping_matches_are_charged(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf in = VS_BUF(4 << 20);
    put_many(&in, "[\"", "a", 600000, "\", ");
    put_many(&in, "\"", "a", 300000, "\"]");
    must_be_refused("indexof_n(input[0], input[1])", &in);
}

static void long_keys_of_replacements_are_charged(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf in = VS_BUF(4 << 20);
    put_many(&in, "[\"", "a", 500000, "\", {");
    for (int i = 0; i < 100; i++) {
        put_many(&in, i ? ", \"" : "\"", "a", 5000, "b");
        vs_buf_printf(&in, "%d\": \"\"", i);
    }
    vs_buf_puts(&in, "}]");
    must_be_refused("strings.replace_n(input[1], input[0])", &in);
}

static void long_affixes_are_charged(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf in = VS_BUF(16 << 20);
    for (int i = 0; i < 1000; i++) {
        put_many(&in, i ? ", \"" : "[\"", "a", 10000, "b");
        vs_buf_printf(&in, "%d\"", i);
    }
    vs_buf_puts(&in, "]");
    must_be_refused("strings.any_prefix_match(input, [concat(\"\", [x, \"c\"]) | some x in input])",
                    &in);
}

static void searches_that_look_at_all_of_the_rest_have_an_end(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf in = VS_BUF(4 << 20);
    put_many(&in, "\"", "x", 1000000, "\"");
    must_be_refused("regex.find_n(`x*y|x`, input, -1)", &in);
    must_be_refused("regex.split(`x*y|x`, input)", &in);
    must_be_refused("regex.replace(input, `x*y|x`, ``)", &in);
}

static void large_patterns_cost_what_they_are_large(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf in = VS_BUF(4 << 20);
    put_many(&in, "\"", "x", 500000, "\"");
    must_be_refused("regex.find_all_string_submatch_n(`(x?){900}(y)|((.*)x(.*)){2}z`, input, -1)",
                    &in);
    must_be_refused("regex.match(`(x?){900}(y)`, input)", &in);
}

/* Values that share long strings are small, and as large as they look to what reads them. */
static void long_strings_have_weight(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf in = VS_BUF(4 << 20);
    put_many(&in, "\"", "x", 1000000, "\"");
    must_be_refused("[x | some i in numbers.range(1, 20000); x := input] == "
                    "[x | some i in numbers.range(1, 20000); x := concat(\"\", [input, \"\"])]",
                    &in);
    vs_val s = vs_string(vs_span_head(vs_buf_span(&in), 32 * VS_WEIGHT_BYTES));
    assert_int_equal(vs_weight(s), 33);
    assert_int_equal(vs_weight(vs_items(VS_ARRAY, &s, 1)), 34);
    assert_int_equal(vs_weight(vs_cstring("short")), 1);
}

/* Each comparison wrote one number out to the places of the other: 20000 digits. */
static void far_numbers_are_compared_by_their_size(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_val low = vs_num_parse(&a, VS_LIT("1e-10000"), NULL);
    vs_val high = vs_num_parse(&a, VS_LIT("1e10000"), NULL);
    int64_t before = cpu_ms();
    for (int i = 0; i < 200000; i++)
        assert_true(vs_num_cmp(low, high) < 0);
    assert_true(cpu_ms() - before < 5000);
    static const char *const rising[] = {
        "-1e10000", "-9e9999", "-100.5", "-100",   "-99.9",  "-10",    "-9.99",
        "-1",       "-0.1",    "-0.099", "-1e-99", "0",      "1e-5",   "0.1",
        "0.10001",  "0.99999", "1",      "9.5",    "10",     "10.01",  "99",
        "100",      "101.5",   "1e20",   "1.1e20", "9e9999", "1e10000"};
    for (size_t i = 0; i < VS_COUNT(rising); i++)
        for (size_t j = 0; j < VS_COUNT(rising); j++) {
            vs_val x = vs_num_parse(&a, vs_str(rising[i]), NULL);
            vs_val y = vs_num_parse(&a, vs_str(rising[j]), NULL);
            assert_int_equal(vs_num_cmp(x, y), (i > j) - (i < j));
        }
    vs_arena_free(&a);
}

static void a_large_tree_is_not_printed_beyond_the_room_for_it(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_val v = vs_cstring("0123456789012345");
    for (int depth = 0; depth < 7; depth++) { /* ten million nodes, and 70 of them kept */
        vs_vec list = {.a = &a};
        for (int i = 0; i < 10; i++)
            vs_vec_add(&list, v);
        v = vs_vec_end_array(&list);
    }
    assert_true(vs_defined(v));
    int64_t before = cpu_ms();
    for (int i = 0; i < 100; i++) {
        VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(4096);
        vs_json_print(&text, v);
        assert_false(vs_buf_ok(&text));
        vs_buf_clear(&text);
        rego_print_value(&text, v);
        assert_false(vs_buf_ok(&text));
    }
    assert_true(cpu_ms() - before < 2000);
    vs_arena_free(&a);
}

/* The deepest evaluation that the limits let through: calls by way of documents, and at the bottom
 * a builtin that calls itself as often as it may. */
static void *evaluate_deeply(void *user)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(1 << 20);
    enum { RULES = 120 }; /* each is two calls: its package, and a function */
    vs_buf_puts(&text, "package p\n");
    for (int i = 0; i < RULES; i++)
        vs_buf_printf(&text, "q%d.a.b := f%d(input.k)\nf%d(k) := data.p.q%d[k]\n", i, i, i, i + 1);
    vs_buf_printf(&text,
                  "q%d.a.b := strings.render_template(`{{define \"a\"}}{{if 1}}{{with 1}}"
                  "{{template \"a\" .}}{{end}}{{end}}{{end}}{{template \"a\" 1}}`, {})\n",
                  RULES);
    rego_module m = {.name = "p", .text = vs_buf_span(&text)};
    rego_program *p = NULL;
    rego_eval *e = NULL;
    rego_diag diag = {0};
    rego_presence presence;
    vs_val v;
    vs_pair k = {vs_cstring("k"), vs_cstring("a")};
    rego_inputs in = {.input = {.kind = VS_OBJECT, .big = 1, .weight = 3, .len = 1, .u.pairs = &k}};
    bool good = rego_compile(&m, 1, NULL, &p, &diag, NULL) == VS_OK &&
                rego_eval_new(p, &e, NULL) == VS_OK && rego_eval_begin(e, &in, NULL) == VS_OK &&
                rego_eval_rule(e, "data.p.q0", &presence, &v, &diag, NULL) == VS_E_LIMIT &&
                strstr(diag.message, "strings.render_template") != NULL;
    rego_eval_free(&e);
    rego_program_unref(&p);
    *(bool *)user = good;
    return NULL;
}

static void the_deepest_evaluation_fits_a_thread(void **state)
{
    (void)state;
    pthread_t t;
    bool good = false;
    assert_int_equal(vs_thread_start(&t, evaluate_deeply, &good), 0);
    assert_int_equal(pthread_join(t, NULL), 0);
    assert_true(good);
}

/* ---- other answers ------------------------------------------------------------------------------
 */

static void a_number_out_of_range_is_an_error_and_not_zero(void **state)
{
    (void)state;
    CHECK_ANSWERS({"units.parse(\"1e10000M\")", "!eval_limit_error: units.parse"},
                  {"units.parse(\"1e9999M\")", "!eval_limit_error: units.parse"},
                  {"units.parse_bytes(\"1e10000Ei\")", "1.152921504606846976e+10018"},
                  {"units.parse(\"1e-10000m\")", "!eval_limit_error: units.parse"},
                  {"units.parse(\"1e9990k\") > 1e9992", "true"});
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_val none = vs_undefined(), one = vs_int(1);
    assert_false(vs_defined(vs_num_add(&a, none, one, NULL)));
    assert_false(vs_defined(vs_num_sub(&a, one, none, NULL)));
    assert_false(vs_defined(vs_num_mul(&a, none, one, NULL)));
    assert_false(vs_defined(vs_num_div(&a, none, one, NULL)));
    assert_false(vs_defined(vs_num_rem(&a, none, one, NULL)));
    vs_arena_free(&a);
}

static void texts_with_zero_bytes_are_not_cut(void **state)
{
    (void)state;
    CHECK_ANSWERS({"regex.template_match(\"<a\\u0000b>\", \"a\", \"<\", \">\")", "false"},
                  {"regex.template_match(\"<a\\u0000b>\", \"a\\u0000b\", \"<\", \">\")", "true"},
                  {"glob.match(\"*\", [\"\\u0000\"], \"a\")", "true"},
                  {"glob.match(\"*\", [\"\\u0000\"], \"a\\u0000b\")", "false"});
}

static void bytes_that_are_no_code_point_are_not_trimmed_with_one(void **state)
{
    (void)state;
    CHECK_ANSWERS({"trim_right(base64.decode(\"YYA=\"), \"a\") == base64.decode(\"YYA=\")", "true"},
                  {"trim_right(base64.decode(\"gICA\"), \"\\ufffd\")", "\"\""},
                  {"trim_right(\"a\\u00e4\\u00e4\", \"\\u00e4\")", "\"a\""},
                  {"trim_suffix(\"abc\", \"bc\")", "\"a\""});
}

/* Each of these was a null pointer in the compiler. */
static void only_what_has_a_name_is_replaced(void **state)
{
    (void)state;
    static const char *const targets[] = {"false", "null", "1",      "{}",     "[]",
                                          "set()", "[1]",  "abs(1)", "{1: 2}", "(input)"};
    for (size_t i = 0; i < VS_COUNT(targets); i++) {
        char text[80];
        rego_diag d;
        rego_program *p;
        (void)snprintf(text, sizeof text, "package p\nx if true with %s as 1\n", targets[i]);
        rego_module m = {.name = "p", .text = vs_str(text)};
        assert_vs_code(rego_compile(&m, 1, NULL, &p, &d, NULL), VS_E_PARSE);
        assert_int_equal(d.row, 2);
    }
}

/* ---- chains of certificates ---------------------------------------------------------------------
 */

/* A root, an intermediate, a leaf. */
#define CA_BETWEEN                                                                                 \
    "\""                                                                                           \
    "MIIBDTCBwKADAgECAhQwzwMCXcRf/LK1r8BzI1gnSJawXTAFBgMrZXAwDDEKMAgGA1UEAwwBcjAgFw0yNjEx"         \
    "MjUyMjI1MzBaGA8yMTI2MTEwMTIyMjUzMFowDDEKMAgGA1UEAwwBcjAqMAUGAytlcAMhAKrrJ/X7DGz2Wpiq"         \
    "DjzsDapnuFwK96pL8YbpuLVI6egUozIwMDAPBgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBQN1PBIWdJKFQzE"         \
    "Dao5huhHLpv3fjAFBgMrZXADQQC+emKSclwvE+KUkNBt+/PM6WhQ/c0Damg9H6OjwMh9eUIRpzWgemghGt9Q"         \
    "5cV/tD1gHNnHJ7dqjD9yqF7BgRADMIIBLjCB4aADAgECAhQLF/wkHxQniupdEp5byyNkGmTUYzAFBgMrZXAw"         \
    "DDEKMAgGA1UEAwwBcjAgFw0yNjExMjUyMjI1MzBaGA8yMTI2MTEwMTIyMjUzMFowDDEKMAgGA1UEAwwBbTAq"         \
    "MAUGAytlcAMhAOb2Tps6szkj4brQ3RbITDwj7bcJm9p7zcW0x206yM7do1MwUTAPBgNVHRMBAf8EBTADAQH/"         \
    "MB0GA1UdDgQWBBSMenb21hsp/36pFq0AaOA8A3NgqDAfBgNVHSMEGDAWgBQN1PBIWdJKFQzEDao5huhHLpv3"         \
    "fjAFBgMrZXADQQCrbosJpXtN/eF90eepfCvIVq1J4HYJqEV6f/O5tDIzVXLmVK58pQKWECNfLtHlGe8mLxR7"         \
    "DKdV84ZSsFe8T8wJMIIBKTCB3KADAgECAhQtCqcdWe0FXfUQIR+9OtTYNNHCrjAFBgMrZXAwDDEKMAgGA1UE"         \
    "AwwBbTAgFw0yNjExMjUyMjI1MzBaGA8yMTI2MTEwMTIyMjUzMFowDTELMAkGA1UEAwwCbG0wKjAFBgMrZXAD"         \
    "IQAHj9Whbo6ak7CLmS1sIPCxS8bQbbIChZHruYkS6NXEgaNNMEswCQYDVR0TBAIwADAdBgNVHQ4EFgQUfQs+"         \
    "TcDFWjnGYFtgBpcab58SFYkwHwYDVR0jBBgwFoAUjHp29tYbKf9+qRatAGjgPANzYKgwBQYDK2VwA0EA4bLW"         \
    "3np5OZYMVJ78Xs4myMijfVFG/NUkYr1ukNmdBXZhcB2dDmNbEsjEkfiwaDarFJdOTkGIm/QFN7gymtNjBA=="         \
    "\""
/* The same, but the intermediate has keyCertSign and no basicConstraints. */
#define NO_CA_BETWEEN                                                                              \
    "\""                                                                                           \
    "MIIBDTCBwKADAgECAhQwzwMCXcRf/LK1r8BzI1gnSJawXTAFBgMrZXAwDDEKMAgGA1UEAwwBcjAgFw0yNjEx"         \
    "MjUyMjI1MzBaGA8yMTI2MTEwMTIyMjUzMFowDDEKMAgGA1UEAwwBcjAqMAUGAytlcAMhAKrrJ/X7DGz2Wpiq"         \
    "DjzsDapnuFwK96pL8YbpuLVI6egUozIwMDAPBgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBQN1PBIWdJKFQzE"         \
    "Dao5huhHLpv3fjAFBgMrZXADQQC+emKSclwvE+KUkNBt+/PM6WhQ/c0Damg9H6OjwMh9eUIRpzWgemghGt9Q"         \
    "5cV/tD1gHNnHJ7dqjD9yqF7BgRADMIIBKjCB3aADAgECAhQLF/wkHxQniupdEp5byyNkGmTUZDAFBgMrZXAw"         \
    "DDEKMAgGA1UEAwwBcjAgFw0yNjExMjUyMjI1MzBaGA8yMTI2MTEwMTIyMjUzMFowDDEKMAgGA1UEAwwBbjAq"         \
    "MAUGAytlcAMhANCNDspgzl+ulwFqY1IeKC7LzF+W24dkJ8SfbJIzg+ISo08wTTALBgNVHQ8EBAMCAgQwHQYD"         \
    "VR0OBBYEFIujEv+I2wzjG4ta+Dwua359PcQ6MB8GA1UdIwQYMBaAFA3U8EhZ0koVDMQNqjmG6Ecum/d+MAUG"         \
    "AytlcANBAGzhy7cL6g3yveq4XhcfvpslfYx/Cj+4QW8HyZkYHUBQc9fGE3DHXkRqn/vni2FjD5Llro4svbVu"         \
    "vvwL12xBhgYwggEpMIHcoAMCAQICFApJE3WMzs/pyYz0COYJwvMl2pRnMAUGAytlcDAMMQowCAYDVQQDDAFu"         \
    "MCAXDTI2MTEyNTIyMjUzMFoYDzIxMjYxMTAxMjIyNTMwWjANMQswCQYDVQQDDAJsbjAqMAUGAytlcAMhAPNQ"         \
    "4Js8ZAyzqrHYwZg8wAhHhb7x/U1zcJ0paLAP/vtCo00wSzAJBgNVHRMEAjAAMB0GA1UdDgQWBBTW0QfhyYrW"         \
    "PVu4qAZo1wZS9MVxZTAfBgNVHSMEGDAWgBSLoxL/iNsM4xuLWvg8Lmt+fT3EOjAFBgMrZXADQQAsNVB27vm0"         \
    "Huqi5p1QN6qmz6klqplabFReQpZB4WaJq7UtzbSunMHSYf95Z8n1xbrYwUbphV46MHuyCuSesRcI"                 \
    "\""
/* A root, and a leaf signed with ECDSA and SHA-256. */
#define GOOD_DIGEST                                                                                \
    "\""                                                                                           \
    "MIIBTDCB9KADAgECAhROOAO3IHbA3dFahSNKrwdtQF3/LDAKBggqhkjOPQQDAjAMMQowCAYDVQQDDAFlMCAX"         \
    "DTI2MTEyNTIyMjUzMFoYDzIxMjYxMTAxMjIyNTMwWjAMMQowCAYDVQQDDAFlMFkwEwYHKoZIzj0CAQYIKoZI"         \
    "zj0DAQcDQgAEkjesIIszyu4wSWTpWypo0S9LiRJv/G3UtdonwPGekWyxskf4ol5zriNhFZYmUSpqHvGRmVLC"         \
    "z1/Faq5SaK1QI6MyMDAwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQUf2a4Y9pQymNBUos4LlghO2gRXtgw"         \
    "CgYIKoZIzj0EAwIDRwAwRAIgRlaQdLI0o1eX/Gbrpm6qU3t4jUEt/1cx1t/uXbhTlDkCIDFsIkvled5DApEB"         \
    "HJvxt67UhP7JNKWzK6k3YwOFkt21MIIBaDCCAQ+gAwIBAgIULCdfNyiUOTjUzPA8ERpS0fDJFNQwCgYIKoZI"         \
    "zj0EAwIwDDEKMAgGA1UEAwwBZTAgFw0yNjExMjUyMjI1MzBaGA8yMTI2MTEwMTIyMjUzMFowDDEKMAgGA1UE"         \
    "AwwBZzBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDxRhW9zgcH9/Kr/yTwspMR2IGMS6QEvYTme1wxBbH3/"         \
    "EGsk6UWOoP/53E1Nm+u0/z9JdyACW4zfSOvEXZ+Y7/qjTTBLMAkGA1UdEwQCMAAwHQYDVR0OBBYEFHCHXH5l"         \
    "brtNI7b4+x7ToKSFwvBQMB8GA1UdIwQYMBaAFH9muGPaUMpjQVKLOC5YITtoEV7YMAoGCCqGSM49BAMCA0cA"         \
    "MEQCICGGxQtvjoPhweUZfn1SkNIlDsGEjuWCwovdL0g/VT2OAiA+QKH0qioI2RaMwmS5a5zoCN+k6z509VCL"         \
    "Y2XyUT+uaQ=="                                                                                 \
    "\""
/* The same with SHA-1. */
#define SHA1_DIGEST                                                                                \
    "\""                                                                                           \
    "MIIBTDCB9KADAgECAhROOAO3IHbA3dFahSNKrwdtQF3/LDAKBggqhkjOPQQDAjAMMQowCAYDVQQDDAFlMCAX"         \
    "DTI2MTEyNTIyMjUzMFoYDzIxMjYxMTAxMjIyNTMwWjAMMQowCAYDVQQDDAFlMFkwEwYHKoZIzj0CAQYIKoZI"         \
    "zj0DAQcDQgAEkjesIIszyu4wSWTpWypo0S9LiRJv/G3UtdonwPGekWyxskf4ol5zriNhFZYmUSpqHvGRmVLC"         \
    "z1/Faq5SaK1QI6MyMDAwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQUf2a4Y9pQymNBUos4LlghO2gRXtgw"         \
    "CgYIKoZIzj0EAwIDRwAwRAIgRlaQdLI0o1eX/Gbrpm6qU3t4jUEt/1cx1t/uXbhTlDkCIDFsIkvled5DApEB"         \
    "HJvxt67UhP7JNKWzK6k3YwOFkt21MIIBZzCCAQ6gAwIBAgIULCdfNyiUOTjUzPA8ERpS0fDJFNMwCQYHKoZI"         \
    "zj0EATAMMQowCAYDVQQDDAFlMCAXDTI2MTEyNTIyMjUzMFoYDzIxMjYxMTAxMjIyNTMwWjAMMQowCAYDVQQD"         \
    "DAFmMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeLpwuDfrdbrzI+cRC3QCilTvlbuVy1TrAy7P1/vlabSP"         \
    "2QEn1h9iisx6bcpO3r//Zt5F9jBTmvZXBPRBCS6Lr6NNMEswCQYDVR0TBAIwADAdBgNVHQ4EFgQUIpdVI2qt"         \
    "xVpnanm2jRw9MhNG/CswHwYDVR0jBBgwFoAUf2a4Y9pQymNBUos4LlghO2gRXtgwCQYHKoZIzj0EAQNIADBF"         \
    "AiA+H/0Nuq1H+3ypQwjTjq8RAMY5SxyFSWDNX3nfQG3o3gIhAMGkc8hYhAKqcqUkaddWcsERZEgtV6bLqdQK"         \
    "ZWWzzxWc"                                                                                     \
    "\""
#define VERIFY(chain)                                                                              \
    "crypto.x509.parse_and_verify_certificates_with_options(" chain                                \
    ", {\"CurrentTime\": 4000000000000000000, \"KeyUsages\": [\"KeyUsageAny\"]})[0]"

static void only_a_ca_issues(void **state)
{
    (void)state;
    CHECK_ANSWERS({VERIFY(CA_BETWEEN), "true"}, {VERIFY(NO_CA_BETWEEN), "false"});
}

static void a_broken_digest_signs_nothing(void **state)
{
    (void)state;
    CHECK_ANSWERS({VERIFY(GOOD_DIGEST), "true"}, {VERIFY(SHA1_DIGEST), "false"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_within_objects_are_not_compared_for_free),
        cmocka_unit_test(overlapping_matches_are_charged),
        cmocka_unit_test(long_keys_of_replacements_are_charged),
        cmocka_unit_test(long_affixes_are_charged),
        cmocka_unit_test(searches_that_look_at_all_of_the_rest_have_an_end),
        cmocka_unit_test(large_patterns_cost_what_they_are_large),
        cmocka_unit_test(long_strings_have_weight),
        cmocka_unit_test(far_numbers_are_compared_by_their_size),
        cmocka_unit_test(a_large_tree_is_not_printed_beyond_the_room_for_it),
        cmocka_unit_test(the_deepest_evaluation_fits_a_thread),
        cmocka_unit_test(a_number_out_of_range_is_an_error_and_not_zero),
        cmocka_unit_test(texts_with_zero_bytes_are_not_cut),
        cmocka_unit_test(bytes_that_are_no_code_point_are_not_trimmed_with_one),
        cmocka_unit_test(only_what_has_a_name_is_replaced),
        cmocka_unit_test(only_a_ca_issues),
        cmocka_unit_test(a_broken_digest_signs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
