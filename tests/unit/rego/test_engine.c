/* SPDX-License-Identifier: Apache-2.0 */
/* The engine from outside: presence, errors with positions, limits, explanations, sharing. */
#include "testing.h"

#include <pthread.h>

#include "rego/builtin.h"
#include "rego/engine.h"
#include "value/json.h"

typedef struct fixture {
    bool no_type_check;
    vs_arena a;
    rego_program *p;
    rego_eval *e;
    rego_diag diag;
    vs_error err;
} fixture;

static const rego_host_decl hosts[] = {{"query_reference_value", 1}};

static vs_code compile(fixture *f, const char *policy)
{
    rego_module m = {.name = "p.rego", .text = vs_str(policy)};
    rego_options opts = {.hosts = hosts, .n_hosts = 1, .no_type_check = f->no_type_check};
    vs_arena_init(&f->a, 0);
    return rego_compile(&m, 1, &opts, &f->p, &f->diag, &f->err);
}

static vs_val json(fixture *f, const char *text)
{
    vs_val v;
    assert_vs_ok(vs_json_parse(&f->a, vs_str(text), NULL, &v, &f->err), &f->err);
    return v;
}

static void begin(fixture *f, const rego_inputs *in)
{
    if (!f->e)
        assert_vs_ok(rego_eval_new(f->p, &f->e, &f->err), &f->err);
    assert_vs_ok(rego_eval_begin(f->e, in, &f->err), &f->err);
}

static void done(fixture *f)
{
    rego_eval_free(&f->e);
    rego_program_unref(&f->p);
    vs_arena_free(&f->a);
}

static void expect(fixture *f, const char *path, const char *want)
{
    rego_presence presence;
    vs_val v;
    assert_vs_ok(rego_eval_rule(f->e, path, &presence, &v, &f->diag, &f->err), &f->err);
    if (!want) {
        assert_int_not_equal(presence, REGO_VALUE);
        return;
    }
    assert_int_equal(presence, REGO_VALUE);
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1 << 20);
    vs_json_print(&b, v);
    assert_span_is(vs_buf_span(&b), want);
}

static void absent_undefined_and_defined_are_told_apart(void **state)
{
    (void)state;
    fixture f = {0};
    assert_vs_ok(compile(&f, "package policy\nallow if input.x == 1\nf(x) := x\n"), &f.err);
    rego_inputs in = {.input = json(&f, "{\"x\":2}")};
    begin(&f, &in);
    rego_presence p;
    vs_val v;
    assert_vs_ok(rego_eval_rule(f.e, "data.policy.allow", &p, &v, NULL, &f.err), &f.err);
    assert_int_equal(p, REGO_UNDEFINED);
    assert_vs_ok(rego_eval_rule(f.e, "data.policy.nothing", &p, &v, NULL, &f.err), &f.err);
    assert_int_equal(p, REGO_ABSENT);
    assert_vs_ok(rego_eval_rule(f.e, "data.policy.f", &p, &v, NULL, &f.err), &f.err);
    assert_int_equal(p, REGO_ABSENT);
    assert_vs_code(rego_eval_rule(f.e, "policy.allow", &p, &v, NULL, NULL), VS_E_INVALID);
    in.input = json(&f, "{\"x\":1}");
    begin(&f, &in);
    expect(&f, "data.policy.allow", "true");
    done(&f);
}

static void errors_name_code_row_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *policy;
        rego_errcode code;
        unsigned row, col;
        const char *text;
    } t[] = {
        {"package p\nallow if {\n  input.x ==\n}\n", REGO_PARSE_ERROR, 4, 1, "expected a term"},
        {"package p\nallow { true }\n", REGO_PARSE_ERROR, 2, 7,
         "`if` keyword is required before rule body"},
        {"allow if true\n", REGO_PARSE_ERROR, 1, 1, "package expected"},
        {"package p\nallow if nosuch.x\n", REGO_UNSAFE_VAR_ERROR, 2, 10, "var nosuch is unsafe"},
        {"package p\nallow if not x > 1\n", REGO_UNSAFE_VAR_ERROR, 2, 14, "var x is unsafe"},
        {"package p\nallow if nosuch(1)\n", REGO_TYPE_ERROR, 2, 10, "undefined function nosuch"},
        {"package p\nallow if query_reference_value()\n", REGO_TYPE_ERROR, 2, 10,
         "has arity 1, got 0 arguments"},
        {"package p\na if b\nb if a\n", REGO_RECURSION_ERROR, 2, 1, "is recursive"},
        {"package p\na := 1\na contains 2\n", REGO_TYPE_ERROR, 2, 1, "conflicting rules"},
        {"package p\ndefault a := 1\ndefault a := 2\n", REGO_TYPE_ERROR, 3, 1,
         "multiple default rules"},
        {"package p\nf(x) := x\nf(x, y) := x + y\n", REGO_TYPE_ERROR, 3, 1, "conflicting rules"},
        {"package p\na := \"x\n", REGO_PARSE_ERROR, 2, 6, "non-terminated string"},
        {"package p\na := 01\n", REGO_PARSE_ERROR, 2, 6, "illegal number format"},
        {"package p\ninput := 1\n", REGO_COMPILE_ERROR, 2, 1, "must not shadow input"},
        {"package p\na if { x := 1; x := 2 }\n", REGO_COMPILE_ERROR, 2, 16, "var x assigned above"},
        {"package p\nimport foo.bar\n", REGO_PARSE_ERROR, 2, 1, "unexpected import path"},
    };
    for (size_t i = 0; i < VS_COUNT(t); i++) {
        fixture f = {0};
        assert_int_not_equal(compile(&f, t[i].policy), VS_OK);
        if (f.diag.code != t[i].code || f.diag.row != t[i].row || f.diag.col != t[i].col ||
            !strstr(f.diag.message, t[i].text))
            fail_msg("case %zu: %s:%u:%u: %s", i, rego_errcode_name(f.diag.code), f.diag.row,
                     f.diag.col, f.diag.message);
        done(&f);
    }
}

static void conflicts_are_errors_and_equal_values_are_not(void **state)
{
    (void)state;
    fixture f = {0};
    assert_vs_ok(compile(&f, "package p\na := 1 if input.x\na := 2 if input.y\nb := 1 if "
                             "input.x\nb := 1 if input.y\n"),
                 &f.err);
    rego_inputs in = {.input = json(&f, "{\"x\":true,\"y\":true}")};
    begin(&f, &in);
    rego_presence p;
    vs_val v;
    assert_vs_code(rego_eval_rule(f.e, "data.p.a", &p, &v, &f.diag, NULL), VS_E_CONFLICT);
    assert_int_equal(f.diag.code, REGO_EVAL_CONFLICT);
    expect(&f, "data.p.b", "1");
    done(&f);
}

static void null_and_numbers_compare_as_the_total_order_says(void **state)
{
    (void)state;
    fixture f = {0};
    assert_vs_ok(compile(&f, "package p\na if 1 >= null\nb if \"x\" in null\nc if 1 == null\nd if "
                             "not \"x\" in null\ne if input.missing > 1\n"),
                 &f.err);
    rego_inputs in = {.input = json(&f, "{}")};
    begin(&f, &in);
    expect(&f, "data.p.a", "true");
    expect(&f, "data.p.b", NULL);
    expect(&f, "data.p.c", NULL);
    expect(&f, "data.p.d", "true");
    expect(&f, "data.p.e", NULL);
    done(&f);
}

/* ---- host functions
 * ----------------------------------------------------------------------------------- */

static vs_code reference_value(void *user, const char *name, const vs_val *args, unsigned n,
                               vs_arena *a, vs_val *out, vs_error *err)
{
    (void)name, (void)n, (void)a;
    unsigned *calls = user;
    ++*calls;
    if (vs_span_is(vs_text(args[0]), "fails"))
        return vs_fail(err, VS_E_IO, "the store is gone");
    *out = vs_null();
    return VS_OK;
}

static void host_results_are_cached_and_failures_abort(void **state)
{
    (void)state;
    fixture f = {0};
    assert_vs_ok(
        compile(&f, "package p\nimport rego.v1\na if not \"x\" in query_reference_value(\"id\")\nb "
                    "if not \"y\" in query_reference_value(\"id\")\nc if not \"y\" in "
                    "query_reference_value(\"fails\")\n"),
        &f.err);
    unsigned calls = 0;
    rego_inputs in = {.host = reference_value, .host_user = &calls};
    begin(&f, &in);
    expect(&f, "data.p.a", "true");
    expect(&f, "data.p.b", "true");
    assert_int_equal(calls, 1);
    rego_presence p;
    vs_val v;
    assert_vs_code(rego_eval_rule(f.e, "data.p.c", &p, &v, &f.diag, &f.err), VS_E_IO);
    char text[VS_ERROR_TEXT];
    assert_non_null(strstr(vs_error_text(&f.err, text, sizeof text), "the store is gone"));
    done(&f);
}

/* ---- limits
 * -------------------------------------------------------------------------------------------- */

static void each_limit_is_an_error_and_never_undefined(void **state)
{
    (void)state;
    static const char policy[] =
        "package p\nloop if not some_pair\nsome_pair if { some x in numbers.range(1, 2000); some y "
        "in numbers.range(1, 2000); x * y == -1 }\n"
        "deep := f(0)\nf(x) := g(x + 1) if x < 1000\ng(x) := x\n";
    fixture f = {0};
    assert_vs_ok(compile(&f, policy), &f.err);
    rego_presence p;
    vs_val v;
    rego_inputs steps = {.limits = {.steps = 10000}};
    begin(&f, &steps);
    assert_vs_code(rego_eval_rule(f.e, "data.p.loop", &p, &v, &f.diag, NULL), VS_E_LIMIT);
    assert_int_equal(f.diag.code, REGO_EVAL_LIMIT);
    rego_inputs wall = {
        .limits = {.steps = 1000000000, .wall_ns = 1000000, .arena_bytes = (size_t)1 << 30}};
    begin(&f, &wall);
    assert_vs_code(rego_eval_rule(f.e, "data.p.loop", &p, &v, &f.diag, NULL), VS_E_LIMIT);
    rego_inputs memory = {.limits = {.arena_bytes = 32 * 1024}};
    begin(&f, &memory);
    assert_vs_code(rego_eval_rule(f.e, "data.p.loop", &p, &v, &f.diag, NULL), VS_E_LIMIT);
    rego_inputs depth = {.limits = {.call_depth = 2}};
    begin(&f, &depth);
    assert_vs_code(rego_eval_rule(f.e, "data.p.deep", &p, &v, &f.diag, NULL), VS_E_LIMIT);
    done(&f);
}

static void hostile_nesting_is_refused_quickly(void **state)
{
    (void)state;
    static const char *const open[] = {
        "[", "{", "(", "not ", "{x | x := ", "[x | x := ", "f(", "{1: ", "a["};
    for (size_t i = 0; i < VS_COUNT(open); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1 << 20);
        vs_buf_puts(&b, "package p\na := ");
        for (int k = 0; k < 20000; k++)
            vs_buf_puts(&b, open[i]);
        rego_diag d;
        assert_vs_code(rego_check_syntax(vs_buf_span(&b), false, &d, NULL), VS_E_PARSE);
        vs_buf_free(&b);
    }
}

static void every_truncation_of_a_policy_is_handled(void **state)
{
    (void)state;
    static const char policy[] =
        "package p\nimport rego.v1\ndefault a := {\"k\": [1, 2.5e1, null]}\na := {x: y | some x, y "
        "in input.xs; not x in {1, 2}} if {\n"
        "  every v in input.ys { v > 1 }\n  z := `raw` with input.q as 1\n} else := "
        "$\"t{input.x}\" if true\nf(x, [y, _]) := x + y\n"
        "s contains m if { m := input.ms[_].k }\nt[k].u := v if some k, v in input\n";
    for (size_t n = 0; n < sizeof policy; n++) {
        char *cut = malloc(n + 1);
        assert_non_null(cut);
        memcpy(cut, policy, n);
        rego_module m = {.name = "p", .text = vs_span_of(cut, n)};
        rego_program *p = NULL;
        vs_code code = rego_compile(&m, 1, NULL, &p, NULL, NULL);
        rego_program_unref(&p);
        free(cut);
        if (n == sizeof policy - 1)
            assert_int_equal(code, VS_OK);
    }
}

/* ---- explanations
 * ---------------------------------------------------------------------------------------- */

static void explanations_come_from_the_evaluation_itself(void **state)
{
    (void)state;
    fixture f = {0};
    assert_vs_ok(
        compile(
            &f,
            "package policy\ndefault executables := 33\nexecutables := 3 if {\n  input.cca.realm\n"
            "  input.cca.realm[\"rim\"] in query_reference_value(\"cca.rim\")\n}\n"),
        &f.err);
    unsigned calls = 0;
    rego_inputs in = {.input = json(&f, "{\"cca\":{\"realm\":{\"rim\":\"Nfpl\"}}}"),
                      .host = reference_value,
                      .host_user = &calls,
                      .explain = true};
    begin(&f, &in);
    expect(&f, "data.policy.executables", "33");
    vs_val why = rego_eval_explain(f.e, "data.policy.executables", &f.a);
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1 << 20);
    vs_json_print(&b, why);
    assert_span_is(vs_buf_span(&b),
                   "[{\"operands\":[{\"path\":\"input.cca.realm[\\\"rim\\\"]\",\"value\":\"Nfpl\"},"
                   "{\"path\":\"query_reference_value(\\\"cca.rim\\\")\",\"value\":null}],"
                   "\"result\":\"false\",\"row\":5,"
                   "\"rule\":\"data.policy.executables\",\"text\":\"input.cca.realm[\\\"rim\\\"] "
                   "in query_reference_value(\\\"cca.rim\\\")\"}]");
    done(&f);
}

static void a_missing_input_path_is_explained_as_undefined(void **state)
{
    (void)state;
    fixture f = {0};
    assert_vs_ok(compile(&f, "package policy\nallow if {\n  input.a.b\n  input.c == 1\n}\n"),
                 &f.err);
    rego_inputs in = {.input = json(&f, "{\"a\":{}}"), .explain = true};
    begin(&f, &in);
    expect(&f, "data.policy.allow", NULL);
    vs_val why = rego_eval_explain(f.e, NULL, &f.a);
    assert_int_equal(why.len, 1);
    assert_span_is(vs_text(vs_getc(why.u.items[0], "text")), "input.a.b");
    assert_span_is(vs_text(vs_getc(why.u.items[0], "result")), "undefined");
    done(&f);
}

/* ---- sharing
 * --------------------------------------------------------------------------------------------- */

static void *evaluate_often(void *arg)
{
    rego_program *p = arg;
    rego_eval *e = NULL;
    vs_arena a;
    vs_arena_init(&a, 0);
    size_t good = 0;
    if (rego_eval_new(p, &e, NULL) == VS_OK) {
        for (int i = 0; i < 500; i++) {
            vs_obj o = {.a = &a};
            vs_obj_put(&o, "x", vs_int(i % 3));
            rego_inputs in = {.input = vs_obj_end(&o, VS_DUP_LAST, NULL)};
            rego_presence pr;
            vs_val v;
            if (rego_eval_begin(e, &in, NULL) == VS_OK &&
                rego_eval_rule(e, "data.p.a", &pr, &v, NULL, NULL) == VS_OK &&
                vs_eq(v, vs_int(i % 3 == 1 ? 10 : 20)))
                good++;
        }
    }
    rego_eval_free(&e);
    vs_arena_free(&a);
    return (void *)good;
}

static void a_program_is_shared_by_threads(void **state)
{
    (void)state;
    fixture f = {0};
    assert_vs_ok(compile(&f, "package p\ndefault a := 20\na := 10 if input.x == 1\n"), &f.err);
    pthread_t t[4];
    for (size_t i = 0; i < VS_COUNT(t); i++)
        assert_int_equal(pthread_create(&t[i], NULL, evaluate_often, f.p), 0);
    for (size_t i = 0; i < VS_COUNT(t); i++) {
        void *good;
        assert_int_equal(pthread_join(t[i], &good), 0);
        assert_int_equal((size_t)good, 500);
    }
    done(&f);
}

static void warm_evaluations_take_no_memory(void **state)
{
    (void)state;
    fixture f = {0};
    assert_vs_ok(compile(&f, "package p\na := [x | some x in input.xs; x > 3]\n"), &f.err);
    rego_inputs in = {.input = json(&f, "{\"xs\":[1,2,3,4,5,6,7,8,9]}")};
    size_t held = 0;
    for (int i = 0; i < 10; i++) {
        begin(&f, &in);
        expect(&f, "data.p.a", "[4,5,6,7,8,9]");
        if (i == 0)
            held = rego_eval_stats(f.e).arena_held;
        assert_int_equal(rego_eval_stats(f.e).arena_held, held);
    }
    done(&f);
}

/* ---- builtins
 * ------------------------------------------------------------------------------------ */

static void every_builtin_of_the_table_is_found(void **state)
{
    (void)state;
    static const char *const names[] = {
#define B(name, takes, gives, fn)        name,
#define V0(name, takes, gives, fn)       name,
#define RELATION(name, takes, gives, fn) name,
#define NONDET(name, takes, gives, fn)   name,
#define REFUSED(name, takes, gives)      name,
#include "rego/builtins.def"
    };
    for (size_t i = 0; i < VS_COUNT(names); i++)
        if (!rego_builtin_find(vs_str(names[i])))
            fail_msg("%s is out of order in builtins.def", names[i]);
    assert_null(rego_builtin_find(VS_LIT("nosuch")));
}

static void builtins_of_attestation_policies_give_known_answers(void **state)
{
    (void)state;
    static const char *const t[][2] = {
        {"count(\"gr\u00fc\u00df\")", "4"},
        {"count({1, 2, 2})", "2"},
        {"sum([1, 2.5])", "3.5"},
        {"max([1, \"a\", null])", "\"a\""},
        {"sort({3, 1, 2})", "[1,2,3]"},
        {"array.concat([1], [2])", "[1,2]"},
        {"array.slice([1, 2, 3], 1, 99)", "[2,3]"},
        {"object.get({\"a\": {\"b\": 1}}, [\"a\", \"b\"], 0)", "1"},
        {"object.union({\"a\": {\"b\": 1}}, {\"a\": {\"c\": 2}})", "{\"a\":{\"b\":1,\"c\":2}}"},
        {"object.union_n([{\"a\": 1}, {\"a\": 2}, {\"b\": 3}])", "{\"a\":2,\"b\":3}"},
        {"object.keys({\"a\": 1})", "[\"a\"]"},
        {"object.subset({\"a\": {\"b\": 1, \"c\": 2}}, {\"a\": {\"b\": 1}})", "true"},
        {"union({{1}, {2}})", "[1,2]"},
        {"intersection({{1, 2}, {2, 3}})", "[2]"},
        {"split(\"a.b.c\", \".\")", "[\"a\",\"b\",\"c\"]"},
        {"concat(\"-\", [\"a\", \"b\"])", "\"a-b\""},
        {"replace(\"aXbX\", \"X\", \"y\")", "\"ayby\""},
        {"substring(\"gr\u00fc\u00df\", 2, 1)", "\"\xc3\xbc\""},
        {"trim_left(\"xxa\", \"x\")", "\"a\""},
        {"lower(\"AB\u00dc\")", "\"ab\xc3\xbc\""},
        {"sprintf(\"%v %d %s %05.2f %x\", [[1], 7, \"s\", 2.5, 255])", "\"[1] 7 s 02.50 ff\""},
        {"regex.match(\"^a+$\", \"aaa\")", "true"},
        {"regex.replace(\"a1b2\", \"[0-9]\", \"<$0>\")", "\"a<1>b<2>\""},
        {"semver.compare(\"1.0.0-rc.1\", \"1.0.0\")", "-1"},
        {"semver.is_valid(\"1.0\")", "false"},
        {"bits.and(12, 10)", "8"},
        {"bits.negate(0)", "-1"},
        {"to_number(\"1.5\")", "1.5"},
        {"base64.decode(\"aGk=\")", "\"hi\""},
        {"base64url.encode_no_pad(\"hi?\")", "\"aGk_\""},
        {"hex.encode(\"hi\")", "\"6869\""},
        {"json.unmarshal(\"[1]\")", "[1]"},
        {"is_null(null)", "true"},
        {"type_name(set())", "\"set\""},
        {"time.parse_rfc3339_ns(\"2026-01-01T00:00:00.5Z\")", "1767225600500000000"},
        {"{1, 2} - {2}", "[1]"},
        {"{1} | {2} & {2, 3}", "[1,2]"},
        {"7 % -3", "1"},
    };
    for (size_t i = 0; i < VS_COUNT(t); i++) {
        fixture f = {0};
        char policy[512];
        (void)snprintf(policy, sizeof policy, "package p\nx := %s\n", t[i][0]);
        assert_vs_ok(compile(&f, policy), &f.err);
        rego_inputs in = {0};
        begin(&f, &in);
        expect(&f, "data.p.x", t[i][1]);
        done(&f);
    }
}

static void failing_builtins_abort_with_their_code(void **state)
{
    (void)state;
    static const struct {
        const char *expr;
        rego_errcode code;
        const char *text;
    } t[] = {
        {"1 / 0", REGO_EVAL_BUILTIN, "divide by zero"},
        {"to_number(\"abc\")", REGO_EVAL_BUILTIN, "invalid syntax"},
        {"count(1)", REGO_EVAL_TYPE, "operand 1 must be one of"},
        {"1 + \"a\"", REGO_EVAL_TYPE, "operand 2 must be number but got string"},
        {"regex.match(\"(\", \"\")", REGO_EVAL_BUILTIN, "error parsing regexp"},
        {"regex.match(`\\C`, \"\")", REGO_EVAL_BUILTIN, "invalid escape"},
        {"numbers.range(1, 100000000000)", REGO_EVAL_LIMIT, "limit"},
        {"substring(\"a\", -1, 1)", REGO_EVAL_BUILTIN, "negative offset"},
        {"http.send({})", REGO_EVAL_TYPE, "missing required request parameters"},
        {"http.send({\"method\": \"get\", \"url\": \"x\"})", REGO_EVAL_BUILTIN, "not available"},
        {"bits.lsh(1, 99999999)", REGO_EVAL_LIMIT, "limit"},
        {"{1: y | some y in [2, 3]}", REGO_EVAL_CONFLICT, "keys must be unique"},
    };
    for (size_t i = 0; i < VS_COUNT(t); i++) {
        fixture f = {.no_type_check = true};
        char policy[512];
        (void)snprintf(policy, sizeof policy, "package p\nx := %s\n", t[i].expr);
        assert_vs_ok(compile(&f, policy), &f.err);
        rego_inputs in = {0};
        begin(&f, &in);
        rego_presence p;
        vs_val v;
        vs_code code = rego_eval_rule(f.e, "data.p.x", &p, &v, &f.diag, NULL);
        if (code == VS_OK || f.diag.code != t[i].code || !strstr(f.diag.message, t[i].text))
            fail_msg("%s: %s: %s", t[i].expr, rego_errcode_name(f.diag.code), f.diag.message);
        done(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_undefined_and_defined_are_told_apart),
        cmocka_unit_test(errors_name_code_row_and_column),
        cmocka_unit_test(conflicts_are_errors_and_equal_values_are_not),
        cmocka_unit_test(null_and_numbers_compare_as_the_total_order_says),
        cmocka_unit_test(host_results_are_cached_and_failures_abort),
        cmocka_unit_test(each_limit_is_an_error_and_never_undefined),
        cmocka_unit_test(hostile_nesting_is_refused_quickly),
        cmocka_unit_test(every_truncation_of_a_policy_is_handled),
        cmocka_unit_test(explanations_come_from_the_evaluation_itself),
        cmocka_unit_test(a_missing_input_path_is_explained_as_undefined),
        cmocka_unit_test(a_program_is_shared_by_threads),
        cmocka_unit_test(warm_evaluations_take_no_memory),
        cmocka_unit_test(every_builtin_of_the_table_is_found),
        cmocka_unit_test(builtins_of_attestation_policies_give_known_answers),
        cmocka_unit_test(failing_builtins_abort_with_their_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
