/* SPDX-License-Identifier: Apache-2.0 */
/* Whole programs: what several modules and a base document give, compared with OPA's answers. */
#include "testing.h"

#include "rego/engine.h"
#include "value/json.h"

typedef struct program {
    const char *module, *other, *data; /* NULL = none */
    const char *rule, *want; /* JSON; "undefined"; "!code" = the evaluation ends with it */
} program;

static vs_val document(vs_arena *a, const char *json)
{
    vs_error err = {0};
    vs_val v = vs_undefined();
    vs_json_opts opts = {0};
    assert_vs_ok(vs_json_parse(a, vs_str(json), &opts, &v, &err), &err);
    return v;
}

static void check_program(const program *t, const rego_options *opts)
{
    VS_CLEANUP(vs_buf_free) vs_buf got = VS_BUF(1 << 16);
    rego_module m[] = {{.name = "p.rego", .text = vs_str(t->module)},
                       {.name = "q.rego", .text = t->other ? vs_str(t->other) : VS_LIT("")}};
    rego_program *p;
    rego_eval *e;
    rego_diag d = {0};
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_error err = {0};
    if (rego_compile(m, t->other ? 2 : 1, opts, &p, &d, &err) != VS_OK)
        fail_msg("%s\n%u:%u: %s", t->module, d.row, d.col, d.message);
    assert_vs_ok(rego_eval_new(p, &e, NULL), NULL);
    rego_inputs in = {.data = t->data ? document(&a, t->data) : vs_empty(VS_OBJECT)};
    assert_vs_ok(rego_eval_begin(e, &in, &err), &err);
    rego_presence presence;
    vs_val v;
    if (rego_eval_rule(e, t->rule, &presence, &v, &d, &err) != VS_OK)
        vs_buf_printf(&got, "!%s", rego_errcode_name(d.code));
    else if (vs_defined(v))
        vs_json_print(&got, v);
    else
        vs_buf_puts(&got, "undefined");
    if (!vs_span_is(vs_buf_span(&got), t->want))
        fail_msg("%s\n%s is %.*s", t->module, t->rule, VS_FMT(vs_buf_span(&got)));
    rego_eval_free(&e);
    rego_program_unref(&p);
    vs_arena_free(&a);
}

#define CHECK(opts, ...)                                                                           \
    do {                                                                                           \
        static const program t_[] = {__VA_ARGS__};                                                 \
        for (size_t i_ = 0; i_ < VS_COUNT(t_); i_++)                                               \
            check_program(&t_[i_], opts);                                                          \
    } while (0)

static const char two_packages[] = "package q.r\nok := 1\nbad := x if some x in [1, 2]\n";

/* data[x].ok asks for `ok` of every package, not for what else there is. */
static void rules_beside_a_reference_are_not_evaluated(void **state)
{
    (void)state;
    CHECK(NULL, {"package p\na := [k | data.q[k].ok]", two_packages, NULL, "data.p.a", "[\"r\"]"},
          {"package p\na := [v | some k in [\"r\"]; v := data.q[k].ok]", two_packages, NULL,
           "data.p.a", "[1]"},
          {"package p\na := [v | some k in [\"r\"]; some o in [\"ok\"]; v := data.q[k][o]]",
           two_packages, NULL, "data.p.a", "[1]"},
          {"package p\na := [k | data.q[k].bad]", two_packages, NULL, "data.p.a",
           "!eval_conflict_error"},
          {"package p\na := [k | data[k].b]\nb := 1", NULL, NULL, "data.p.a", "[\"p\"]"},
          {"package p\na := [[k, v] | v := data.q[k].o.v]", "package q.s\no.v := 3",
           "{\"q\":{\"u\":{\"o\":{\"v\":9}},\"s\":{\"z\":1}}}", "data.p.a",
           "[[\"s\",3],[\"u\",9]]"},
          {"package p\na := [[k, v] | v := data.q[k].ok with data.q as {\"m\": {\"ok\": 5}}]",
           two_packages, NULL, "data.p.a", "[[\"m\",5]]"},
          {"package p\na := [[k, v] | v := data.q[k].ok with data.q.r.ok as 5]", two_packages, NULL,
           "data.p.a", "[[\"r\",5]]"});
}

static void packages_add_to_the_object_of_a_rule(void **state)
{
    (void)state;
    static const char rule[] = "package p\nq[x] := 1 if x := \"z\"\n";
    static const char whole[] = "package p\nq[x] := 1 if x := \"z\"\na := q\nb := q.c\nc := q.z\n"
                                "d := [x | q[x]]\ne := count(q)\nf := q.f(7)\n"
                                "h := x if { x := q with data.p.q as {\"n\": 1} }\n";
    static const char package[] = "package p.q\nc := 2\nf(x) := x\n";
    CHECK(NULL, {rule, package, NULL, "data.p.q", "{\"c\":2,\"z\":1}"},
          {whole, package, NULL, "data.p.a", "{\"c\":2,\"z\":1}"},
          {whole, package, NULL, "data.p.b", "2"}, {whole, package, NULL, "data.p.c", "1"},
          {whole, package, NULL, "data.p.d", "[\"c\",\"z\"]"},
          {whole, package, NULL, "data.p.e", "2"}, {whole, package, NULL, "data.p.f", "7"},
          {whole, package, NULL, "data.p.h", "{\"n\":1}"},
          {rule, "package p.q\nz := 2", NULL, "data.p.q", "!eval_conflict_error"},
          {rule, "package p.q\nz := 1", NULL, "data.p.q", "{\"z\":1}"},
          {rule, "package p.q\nc := data.p.q.z", NULL, "data.p.q", "{\"c\":1,\"z\":1}"},
          {"package p\nq[x].y := 1 if x := \"z\"", "package p.q.z\nc := 2", NULL, "data.p.q",
           "{\"z\":{\"c\":2,\"y\":1}}"},
          {"package p\nb[x] := 1 if x := \"c\"\nd := data.p.b.z", NULL, "{\"p\":{\"b\":{\"z\":3}}}",
           "data.p.d", "3"});
}

static void base_documents_are_reached_by_text_and_number(void **state)
{
    (void)state;
    static const char data[] = "{\"x\":{\"0\":\"zero\",\"a\":{\"0\":\"deep\"},\"l\":[7,8]}}";
    CHECK(NULL, {"package p\na := data.x[i] if i := 0", NULL, data, "data.p.a", "\"zero\""},
          {"package p\na := [v | some i in [0, 1]; v := data.x.a[i]]", NULL, data, "data.p.a",
           "[\"deep\"]"},
          {"package p\na := [v | v := data.x[_][0]]", NULL, data, "data.p.a", "[\"deep\",7]"},
          {"package p\na := data.x.l[\"1\"]", NULL, data, "data.p.a", "8"},
          {"package p\na := data.x.l[\"-1\"]", NULL, data, "data.p.a", "undefined"},
          {"package p\na := data.x.l[\"\"]", NULL, data, "data.p.a", "undefined"},
          {"package p\na := x[0] if x := data.x", NULL, data, "data.p.a", "undefined"},
          {"package p\na := x if { x := data.y[1] with data.y as {1} }", NULL, data, "data.p.a",
           "1"});
}

static void names_and_literals(void **state)
{
    (void)state;
    CHECK(
        NULL, {"package p\na := {\"x\": 1, \"x\": 2}", NULL, NULL, "data.p.a", "{\"x\":2}"},
        {"package p\nk := \"x\"\na := {\"x\": 1, k: 2}", NULL, NULL, "data.p.a", "{\"x\":2}"},
        {"package p\na := y if { x := [5]; y := [x | x := x[0]] }", NULL, NULL, "data.p.a", "[5]"},
        {"package p\na := 1 b := 2", NULL, NULL, "data.p.b", "2"},
        {"package p\na := $\"\\u0041\\{{1}\\n\"", NULL, NULL, "data.p.a", "\"A{1\\n\""},
        {"package p\na := $`\\{x\\} \\n {1}`", NULL, NULL, "data.p.a", "\"{x\\\\} \\\\n 1\""},
        {"package p\na := $\"{x}\" if { x = y; y = 2 }", NULL, NULL, "data.p.a", "\"2\""},
        {"package p\nimport future.keywords.not\na if { not { x = 1; x > 3 } }", NULL, NULL,
         "data.p.a", "true"},
        {"package p\n# METADATA\n# title: t\n# entrypoint: true\na := rego.metadata.rule()", NULL,
         NULL, "data.p.a", "{}"});
}

/* What stands in for a function is not itself replaced, and sees the original. */
static void replacements_are_not_replaced(void **state)
{
    (void)state;
    static const char text[] = "package p\nf(x) := x\ng(x) := [x]\nk(x) := f(x)\n"
                               "a := z if { z := [f(1), count([1])] with f as 1 with count as f }\n"
                               "b := z if { z := [f(1), g(1)] with f as g with g as f }\n"
                               "c := z if { z := k(1) with f as g with g as count }\n"
                               "d := z if { z := k(1) with f as k }\n"
                               "e := z if { z := count([3]) with count as sum with sum as max }\n";
    CHECK(NULL, {text, NULL, NULL, "data.p.a", "[1,[1]]"},
          {text, NULL, NULL, "data.p.b", "[[1],1]"}, {text, NULL, NULL, "data.p.c", "[1]"},
          {text, NULL, NULL, "data.p.d", "1"}, {text, NULL, NULL, "data.p.e", "3"});
}

/* What is bound inside the modified literal ends with it, whether it got a value or not. */
static void modified_literals_hold_without_inner_values(void **state)
{
    (void)state;
    CHECK(NULL,
          {"package p\na if { every x in [] { x } with input.a as 1 }", NULL, NULL, "data.p.a",
           "true"},
          {"package p\na if { every x in [1, 2] { every y in [] { y }; x } with input.a as 1 }",
           NULL, NULL, "data.p.a", "true"},
          {"package p\na := z if { z := [y | some y in []] with input.a as 1 }", NULL, NULL,
           "data.p.a", "[]"},
          {"package p\na if { not [y | some y in []] == [1] with input.a as 1 }", NULL, NULL,
           "data.p.a", "true"},
          {"package p\na := [z, w] if { [z, w] = input.a with input.a as [1, 2] }", NULL, NULL,
           "data.p.a", "[1,2]"},
          {"package p\na := {\"k\": {1} | {2}, \"j\": 1}", NULL, NULL, "data.p.a",
           "{\"j\":1,\"k\":[1,2]}"});
}

/* What legacy_not takes out of a negation shares its `with`. */
static void replacements_of_a_negation_are_shared(void **state)
{
    (void)state;
    rego_options opts = {.legacy_not = true};
    CHECK(&opts,
          {"package p\nf(x) := x\na if not f(input.x) + f(1) == 2 with input as {\"x\": 1}", NULL,
           NULL, "data.p.a", "undefined"},
          {"package p\nf(x) := x\n"
           "a if not f(input.x) + 1 in [2] with input as {\"x\": [y | some y in [1]][0]}",
           NULL, NULL, "data.p.a", "undefined"},
          {"package p\nf(x) := x\na if not f(input.x) with input as {\"x\": false}", NULL, NULL,
           "data.p.a", "true"});
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_beside_a_reference_are_not_evaluated),
        cmocka_unit_test(packages_add_to_the_object_of_a_rule),
        cmocka_unit_test(base_documents_are_reached_by_text_and_number),
        cmocka_unit_test(names_and_literals),
        cmocka_unit_test(replacements_are_not_replaced),
        cmocka_unit_test(modified_literals_hold_without_inner_values),
        cmocka_unit_test(replacements_of_a_negation_are_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
