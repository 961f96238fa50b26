/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused when a policy is compiled, with its place; the layout of fmt; rule indexes. */
#include "testing.h"

#include "rego/engine.h"
#include "value/json.h"

typedef struct refused {
    const char *body; /* below "package p" and a line feed */
    rego_errcode code;
    unsigned row, col;
    const char *text;
} refused;

static void check(const refused *t, size_t n, const rego_options *opts, bool v0)
{
    for (size_t i = 0; i < n; i++) {
        char text[2048];
        rego_diag d = {0};
        rego_program *p = NULL;
        (void)snprintf(text, sizeof text, "package p\n%s\n", t[i].body);
        rego_module m = {.name = "p.rego", .text = vs_str(text), .v0 = v0};
        vs_code code = rego_compile(&m, 1, opts, &p, &d, NULL);
        rego_program_unref(&p);
        if (code == VS_OK || d.code != t[i].code || d.row != t[i].row ||
            (t[i].col && d.col != t[i].col) || !strstr(d.message, t[i].text))
            fail_msg("%s\n%s at %u:%u: %s", t[i].body, rego_errcode_name(d.code), d.row, d.col,
                     d.message);
    }
}

static void wrong_types_are_refused(void **state)
{
    (void)state;
    static const refused t[] = {
        {"x := count(1)", REGO_TYPE_ERROR, 2, 12, "operand 1 must be one of {string, array"},
        {"x if { y := 1; startswith(y, \"a\") }", REGO_TYPE_ERROR, 2, 27, "must be string"},
        {"x if { [a] = {\"k\": 1} }", REGO_TYPE_ERROR, 2, 0, "match error"},
        {"x if { [a, b] = [1] }", REGO_TYPE_ERROR, 2, 0, "match error"},
        {"x if { {\"a\": y} = {\"b\": 1} }", REGO_TYPE_ERROR, 2, 0, "match error"},
        {"x if { some [a] in [[1, 2]] }", REGO_TYPE_ERROR, 2, 0, "match error"},
        {"x if { some y in 1 }", REGO_TYPE_ERROR, 2, 0, "needs an array, object or set"},
    };
    check(t, VS_COUNT(t), NULL, false);
    static const refused strict[] = {
        {"x if 1 == \"a\"", REGO_TYPE_ERROR, 2, 0, "match error"},
        {"x if { y := 1; y = \"a\" }", REGO_TYPE_ERROR, 2, 0, "match error"},
    };
    rego_options opts = {.strict_types = true};
    check(strict, VS_COUNT(strict), &opts, false);
}

static void wrong_declarations_are_refused(void **state)
{
    (void)state;
    static const refused t[] = {
        {"x if { y = 0; some y in [1] }", REGO_COMPILE_ERROR, 2, 0, "var y referenced above"},
        {"x if { input.a == y; y := 1 }", REGO_COMPILE_ERROR, 2, 0, "var y referenced above"},
        {"f(a) if { a := 1 }", REGO_COMPILE_ERROR, 2, 0, "arg a redeclared"},
        {"f([a, {\"k\": b}]) if { b := 1 }", REGO_COMPILE_ERROR, 2, 0, "arg b redeclared"},
        {"x if { 1 := y; y = 1 }", REGO_COMPILE_ERROR, 2, 0, "cannot assign"},
        {"x := abs(1, 2)", REGO_TYPE_ERROR, 2, 0, "arity 1, got 2"},
        {"import rego.v1\nimport rego.v1", REGO_PARSE_ERROR, 3, 0, "shadows previous import"},
        {"import future.keywords.in\nimport rego.v1", REGO_PARSE_ERROR, 3, 0, "shadows previous"},
        {"import rego.v3", REGO_PARSE_ERROR, 2, 0, "invalid import"},
        {"# METADATA\n# scope: world\nx := 1", REGO_PARSE_ERROR, 2, 0, "invalid metadata scope"},
        {"# METADATA\n# - a\nx := 1", REGO_PARSE_ERROR, 2, 0, "must be a YAML object"},
    };
    check(t, VS_COUNT(t), NULL, false);
}

static void what_opa_refuses_is_refused(void **state)
{
    (void)state;
    static const refused t[] = {
        {"import input.foo as data\nx := data", REGO_PARSE_ERROR, 2, 21, "reserved name"},
        {"import future.keywords.in as x", REGO_PARSE_ERROR, 2, 27, "cannot be aliased"},
        {"import rego.v1 as x", REGO_PARSE_ERROR, 2, 16, "cannot be aliased"},
        {"default f(x, x) := 3", REGO_PARSE_ERROR, 2, 1, "cannot be repeated x"},
        {"default f(1) := 3", REGO_PARSE_ERROR, 2, 1, "must be variables"},
        {"x := \"abc\"[0]", REGO_PARSE_ERROR, 2, 11, "head cannot be string"},
        {"x := 5[0]", REGO_PARSE_ERROR, 2, 7, "head cannot be number"},
        {"x if not every y in [1] { y }", REGO_PARSE_ERROR, 2, 10, "illegal negation of 'every'"},
        {"x if not some y in [1]", REGO_PARSE_ERROR, 2, 10, "illegal negation of 'some'"},
        {"x := 1; y := 2", REGO_PARSE_ERROR, 2, 7, "behind a rule"},
        {"x[k] := 1 if { k := 2 } else := 3", REGO_PARSE_ERROR, 2, 25, "with variables in head"},
        {"f(1 + 1) := 1", REGO_COMPILE_ERROR, 2, 3, "arguments cannot contain calls"},
        {"x := $\"\\}\"", REGO_PARSE_ERROR, 2, 6, "illegal escape"},
        {"x := $\"\\u12\"", REGO_PARSE_ERROR, 2, 6, "illegal escape"},
        {"x := $`\n{1}\n  {%}`", REGO_PARSE_ERROR, 4, 4, "expected a term"},
        {"x := $\"{input.a[_]}\"", REGO_COMPILE_ERROR, 2, 17, "var _ is undeclared"},
        {"x := $\"{input.a[i]}\"", REGO_COMPILE_ERROR, 2, 17, "var i is undeclared"},
        {"x if { print(y) }", REGO_COMPILE_ERROR, 2, 14, "var y is undeclared"},
        {"x if { y := y }", REGO_COMPILE_ERROR, 2, 13, "var y referenced above"},
        {"x if { some y in y }", REGO_COMPILE_ERROR, 2, 13, "var y referenced above"},
        {"x if { input with input as y; y := 1 }", REGO_COMPILE_ERROR, 2, 31, "referenced above"},
        {"x if { not input.a[i] == 1 }", REGO_UNSAFE_VAR_ERROR, 2, 20, "var i is unsafe"},
        {"f[k](x) := 1", REGO_UNSAFE_VAR_ERROR, 2, 3, "var k is unsafe"},
        {"x if { walk(1, y) with walk as 1 }", REGO_COMPILE_ERROR, 2, 24, "be a relation"},
        {"o := {}\nx if { o with data.p.o.k as 1 }", REGO_COMPILE_ERROR, 3, 15,
         "partially replace"},
        {"o[k] := 1 if k := 2\nx if { o with data.p.o.k as 1 }", REGO_COMPILE_ERROR, 3, 15,
         "partia"},
        {"f(y) := y\nx if { f(1) with f as concat }", REGO_TYPE_ERROR, 3, 18, "f: arity mismatch"},
        {"x if { 1 with rego.metadata.rule as 1 }", REGO_COMPILE_ERROR, 2, 15, "invalid"},
        {"x contains 1\nx.y := 1", REGO_TYPE_ERROR, 2, 1, "conflicting rules data.p.x"},
        {"x := count(1)\ny := z", REGO_UNSAFE_VAR_ERROR, 3, 6, "var z is unsafe"},
        {"x := count(1)\ny := y", REGO_RECURSION_ERROR, 3, 1, "data.p.y is recursive"},
    };
    check(t, VS_COUNT(t), NULL, false);
    static const refused strict[] = {
        {"x if { some y; true }", REGO_COMPILE_ERROR, 2, 8, "declared var y unused"},
        {"x if every y in [1] { true }", REGO_COMPILE_ERROR, 2, 12, "declared var y unused"},
        {"x if every k, y in [1] { y }", REGO_COMPILE_ERROR, 2, 12, "declared var k unused"},
        {"x := [1 | some _]", REGO_COMPILE_ERROR, 2, 11, "declared var _ unused"},
        {"x if { [1, y] := [1, 2]; y }", REGO_COMPILE_ERROR, 2, 9, "cannot assign to number"},
        {"x if { not y := 1 }", REGO_COMPILE_ERROR, 2, 8, "inside negated expression"},
        {"x := print(1)", REGO_TYPE_ERROR, 2, 6, "used as value"},
        {"x if { print(input[_]) }", REGO_COMPILE_ERROR, 2, 20, "var _ is undeclared"},
    };
    rego_options opts = {.strict_types = true};
    check(strict, VS_COUNT(strict), &opts, false);
    static const refused v0[] = {
        {"f(input) = 1", REGO_COMPILE_ERROR, 2, 3, "args must not shadow input"},
        {"default f(x, x) = 1", REGO_PARSE_ERROR, 2, 1, "cannot be repeated"},
    };
    check(v0, VS_COUNT(v0), NULL, true);
}

/* What looks like the above and is not. */
static void what_opa_accepts_is_accepted(void **state)
{
    (void)state;
    static const char *const t[] = {
        "x if { some y; y = 1 }",
        "x if every _, y in [1] { y }",
        "x := [y | some y; y = 1]",
        "x if every y in [1] { upper(y) == count(1) }",
        "x if { y := [1 | input.a]; print(y, count(y)) }",
        "x if { some y in 5; y }",
        "x if { not input.a[_] }",
        "x if { some i; not input.a[i] == 2; i = 1 }",
        "x if { y := 1; [z | y := y; z := y] }",
        "f(x) := $\"{input[x]}\"",
        "x[k] := 1 if k := 2\ny if { x with data.p.x as 1 }",
        "default x := {\"k\": $\"a\"}",
    };
    rego_options opts = {.strict_types = true};
    for (size_t i = 0; i < VS_COUNT(t); i++) {
        char text[512];
        rego_diag d = {0};
        rego_program *p = NULL;
        (void)snprintf(text, sizeof text, "package p\n%s\n", t[i]);
        rego_module m = {.name = "p.rego", .text = vs_str(text)};
        if (rego_compile(&m, 1, &opts, &p, &d, NULL) != VS_OK)
            fail_msg("%s\n%u:%u: %s", t[i], d.row, d.col, d.message);
        rego_program_unref(&p);
    }
}

/* Long chains make deep trees; nested templates and second readings could take for ever. */
static void monsters_are_refused_in_time(void **state)
{
    (void)state;
    static const struct {
        const char *start, *repeat, *text;
    } t[] = {
        {"x := 1", "+1", "too long or nested too deeply"},
        {"x := ", "$\"{", "nested too deeply"},
        {"x := ", "[a|", "nested too deeply"},
        {"x := ", "[1,[a|b,", ""},
        {"x if ", "{ 1:2 | ", ""},
        {"x := a", ".b(1)", ""},
        {"x if not ", "not ", ""},
    };
    for (size_t i = 0; i < VS_COUNT(t); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(1 << 22);
        rego_diag d = {0};
        rego_program *p = NULL;
        vs_buf_printf(&text, "package p\n%s", t[i].start);
        for (int k = 0; k < 20000; k++)
            vs_buf_puts(&text, t[i].repeat);
        rego_module m = {.name = "p.rego", .text = vs_buf_span(&text)};
        assert_int_not_equal(rego_compile(&m, 1, NULL, &p, &d, NULL), VS_OK);
        if (!strstr(d.message, t[i].text))
            fail_msg("%s: %s", t[i].repeat, d.message);
    }
}

static void a_caret_points_at_the_place(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1024);
    rego_diag d = {.row = 2, .col = 5};
    rego_diag_excerpt(&d, VS_LIT("package p\n\tx := y\n"), &b);
    assert_span_is(vs_buf_span(&b), "\tx := y\n\t   ^\n");
    vs_buf_clear(&b);
    d.row = 9;
    rego_diag_excerpt(&d, VS_LIT("package p\n"), &b);
    assert_int_equal(b.n, 0);
}

static void formatting_is_stable_and_keeps_the_tokens(void **state)
{
    (void)state;
    static const char *const t[][2] = {
        {"package p\nx:=1+2\n", "package p\n\nx := 1 + 2\n"},
        {"package p\n# c\nallow if {input.a==1;not input.b}\ny:=-1",
         "package p\n\n# c\nallow if {\n\tinput.a == 1\n\tnot input.b\n}\n\ny := -1\n"},
        {"package p\nx := {\"a\":1,\n\"b\": [1,2 ]}",
         "package p\n\nx := {\"a\": 1,\n\t\"b\": [1, 2],\n}\n"},
        {"package p\nx := [a,\n]\ny := [a, # c\n]\nz := [\na,b]",
         "package p\n\nx := [a]\ny := [a, # c\n]\nz := [\n\ta, b,\n]\n"},
        {"package p\nx if {every y in z {y};contains(a, b)}\nw if {a | b}\nv if {a} & b",
         "package p\n\nx if {\n\tevery y in z { y }\n\tcontains(a, b)\n}\n\nw if {a | b}\nv if {a} "
         "& b\n"},
        {"package p\nx if {y;-1 < z}", "package p\n\nx if {\n\ty;\n\t-1 < z\n}\n"},
        {"package p\n\n\n\nf(x):=x-1 # d", "package p\n\nf(x) := x - 1 # d\n"},
        {"package p\nx := [y|y=input.z[_];y>1]", "package p\nx := [y | y = input.z[_];y > 1]\n"},
    };
    for (size_t i = 0; i < VS_COUNT(t); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf once = VS_BUF(4096), twice = VS_BUF(4096);
        vs_error err = {0};
        assert_vs_ok(rego_format("p", vs_str(t[i][0]), false, &once, NULL, &err), &err);
        assert_vs_ok(rego_format("p", vs_buf_span(&once), false, &twice, NULL, &err), &err);
        if (i + 1 < VS_COUNT(t))
            assert_span_is(vs_buf_span(&once), t[i][1]);
        assert_true(vs_span_eq(vs_buf_span(&once), vs_buf_span(&twice)));
    }
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(4096);
    assert_vs_code(rego_format("p", VS_LIT("package p\nx := "), false, &out, NULL, NULL),
                   VS_E_PARSE);
}

/* Two values that look small and are huge trees. */
static void shared_values_cost_what_they_weigh(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(1 << 16);
    vs_buf_puts(&text, "package p\na0 := [1]\nb0 := [1]\n");
    for (int i = 1; i < 60; i++)
        vs_buf_printf(&text, "a%d := [a%d, a%d]\nb%d := [b%d, b%d]\n", i, i - 1, i - 1, i, i - 1,
                      i - 1);
    vs_buf_puts(&text, "same if a24 == b24\nhuge := a59\nsmall if a10 == b10\n"
                       "sorted := {a23, b23, [1]}\ntext := json.marshal(a24)\n");
    rego_module m = {.name = "p.rego", .text = vs_buf_span(&text)};
    rego_program *p;
    rego_eval *e;
    assert_vs_ok(rego_compile(&m, 1, NULL, &p, NULL, NULL), NULL);
    assert_vs_ok(rego_eval_new(p, &e, NULL), NULL);
    static const char *const rules[] = {"data.p.huge", "data.p.same", "data.p.sorted",
                                        "data.p.text"};
    rego_inputs in = {.limits = {.steps = 1000000}};
    rego_presence presence;
    vs_val v;
    for (size_t i = 0; i < VS_COUNT(rules); i++) {
        rego_diag d = {0};
        assert_vs_ok(rego_eval_begin(e, &in, NULL), NULL);
        vs_code code = rego_eval_rule(e, rules[i], &presence, &v, &d, NULL);
        if (i < 2 && code != VS_E_LIMIT)
            fail_msg("%s: %d", rules[i], code);
        assert_true(code == VS_OK || code == VS_E_LIMIT);
    }
    assert_vs_ok(rego_eval_begin(e, &in, NULL), NULL);
    assert_vs_ok(rego_eval_rule(e, "data.p.small", &presence, &v, NULL, NULL), NULL);
    assert_true(vs_is_true(v));
    rego_eval_free(&e);
    rego_program_unref(&p);
}

/* The steps of evaluating one of n definitions do not grow with n. */
static uint64_t steps_of(unsigned n, bool no_index, const char *user)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(1 << 20);
    vs_arena a;
    vs_obj input = {.a = &a};
    rego_program *p;
    rego_eval *e;
    rego_presence presence;
    vs_val v;
    vs_arena_init(&a, 0);
    vs_buf_puts(&text, "package p\n");
    for (unsigned i = 0; i < n; i++)
        vs_buf_printf(&text, "r := %u if { input.user == \"u%u\" }\n", i, i);
    vs_buf_puts(&text, "r := \"admin\" if input.admin\n");
    rego_module m = {.name = "p.rego", .text = vs_buf_span(&text)};
    rego_options opts = {.no_index = no_index};
    assert_vs_ok(rego_compile(&m, 1, &opts, &p, NULL, NULL), NULL);
    assert_vs_ok(rego_eval_new(p, &e, NULL), NULL);
    vs_obj_put(&input, "user", vs_cstring(user));
    rego_inputs in = {.input = vs_obj_end(&input, VS_DUP_LAST, NULL)};
    assert_vs_ok(rego_eval_begin(e, &in, NULL), NULL);
    assert_vs_ok(rego_eval_rule(e, "data.p.r", &presence, &v, NULL, NULL), NULL);
    if (strcmp(user, "u7") == 0)
        assert_int_equal(v.u.i, 7);
    else
        assert_int_equal(presence, REGO_UNDEFINED);
    uint64_t steps = rego_eval_stats(e).steps;
    rego_eval_free(&e);
    rego_program_unref(&p);
    vs_arena_free(&a);
    return steps;
}

static void an_index_leaves_only_the_definitions_that_can_hold(void **state)
{
    (void)state;
    assert_int_equal(steps_of(10, false, "u7"), steps_of(5000, false, "u7"));
    assert_int_equal(steps_of(10, false, "nobody"), steps_of(5000, false, "nobody"));
    assert_true(steps_of(5000, true, "u7") > 5000);
}

static void negation_of_undefined_arguments_follows_the_option(void **state)
{
    (void)state;
    static const char policy[] = "package p\nf(x) := x\na if not f(input.u)\n"
                                 "b if not input.u == 1\nc if not input.n > 3\n"
                                 "d if not input.x in {1}\n";
    for (int legacy = 0; legacy < 2; legacy++) {
        rego_options opts = {.legacy_not = legacy};
        rego_module m = {.name = "p.rego", .text = vs_str(policy)};
        rego_program *p;
        rego_eval *e;
        rego_inputs in = {.input = vs_empty(VS_OBJECT)};
        assert_vs_ok(rego_compile(&m, 1, &opts, &p, NULL, NULL), NULL);
        assert_vs_ok(rego_eval_new(p, &e, NULL), NULL);
        assert_vs_ok(rego_eval_begin(e, &in, NULL), NULL);
        static const char *const rules[] = {"data.p.a", "data.p.b", "data.p.c", "data.p.d"};
        for (size_t i = 0; i < VS_COUNT(rules); i++) {
            rego_presence presence;
            vs_val v;
            assert_vs_ok(rego_eval_rule(e, rules[i], &presence, &v, NULL, NULL), NULL);
            bool holds = presence == REGO_VALUE;
            assert_int_equal(holds, !legacy || i == 1);
        }
        rego_eval_free(&e);
        rego_program_unref(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_types_are_refused),
        cmocka_unit_test(wrong_declarations_are_refused),
        cmocka_unit_test(what_opa_refuses_is_refused),
        cmocka_unit_test(what_opa_accepts_is_accepted),
        cmocka_unit_test(monsters_are_refused_in_time),
        cmocka_unit_test(a_caret_points_at_the_place),
        cmocka_unit_test(formatting_is_stable_and_keeps_the_tokens),
        cmocka_unit_test(shared_values_cost_what_they_weigh),
        cmocka_unit_test(an_index_leaves_only_the_definitions_that_can_hold),
        cmocka_unit_test(negation_of_undefined_arguments_follows_the_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
