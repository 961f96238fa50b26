/* SPDX-License-Identifier: Apache-2.0 */
/* Explanations: what held, what failed first, what was consulted, what of it does not exist; how
 * large they get and which values they show. */
#include "testing.h"

#include "rego/engine.h"
#include "value/json.h"

static const rego_host_decl hosts[] = {{"query_reference_value", 1}, {"broken", 0}};

static vs_code host(void *user, const char *name, const vs_val *args, unsigned n, vs_arena *a,
                    vs_val *out, vs_error *err)
{
    (void)user, (void)n, (void)a;
    if (strcmp(name, "broken") == 0)
        return vs_fail(err, VS_E_IO, "the host is broken");
    *out = vs_span_is(vs_text(args[0]), "rim") ? vs_cstring("q83v") : vs_null();
    return VS_OK;
}

typedef struct fixture {
    vs_arena a;
    rego_program *p;
    rego_eval *e;
    vs_error err;
    vs_buf text;
} fixture;

static void start(fixture *f, const char *policy, const char *input, const char *data)
{
    rego_module m = {.name = "p.rego", .text = vs_str(policy)};
    rego_options opts = {.hosts = hosts, .n_hosts = VS_COUNT(hosts)};
    rego_inputs in = {.host = host, .explain = true};
    *f = (fixture){.text = VS_BUF(8 << 20)};
    vs_arena_init(&f->a, 0);
    assert_vs_ok(rego_compile(&m, 1, &opts, &f->p, NULL, &f->err), &f->err);
    assert_vs_ok(vs_json_parse(&f->a, vs_str(input), NULL, &in.input, &f->err), &f->err);
    assert_vs_ok(vs_json_parse(&f->a, vs_str(data), NULL, &in.data, &f->err), &f->err);
    assert_vs_ok(rego_eval_new(f->p, &f->e, &f->err), &f->err);
    assert_vs_ok(rego_eval_begin(f->e, &in, &f->err), &f->err);
}

static vs_code evaluate(fixture *f, const char *path)
{
    rego_presence presence;
    vs_val v;
    return rego_eval_rule(f->e, path, &presence, &v, NULL, &f->err);
}

static void done(fixture *f)
{
    vs_buf_free(&f->text);
    rego_eval_free(&f->e);
    rego_program_unref(&f->p);
    vs_arena_free(&f->a);
}

static vs_span printed(fixture *f, vs_val v)
{
    vs_buf_clear(&f->text);
    vs_json_print(&f->text, v);
    assert_true(vs_buf_ok(&f->text));
    return vs_buf_span(&f->text);
}

static vs_val report(fixture *f, const char *rule, size_t value_max)
{
    vs_val r = rego_eval_report(f->e, rule, value_max, &f->a);
    assert_int_equal(r.kind, VS_OBJECT);
    return r;
}

static vs_val nth(vs_val list, uint32_t i)
{
    assert_true(i < list.len);
    return list.u.items[i];
}

/* The texts of the expressions that held, joined by " | ". */
static const char *held(fixture *f, vs_val definition)
{
    vs_val list = vs_getc(definition, "held");
    const char *all = "";
    for (VS_ARR_FOR (h, list))
        all = vs_sprintf(&f->a, "%s%s%.*s", all, *all ? " | " : "",
                         VS_FMT(vs_text(vs_getc(*h, "text"))));
    return all;
}

static vs_val path_of(vs_val r, const char *path)
{
    vs_val list = vs_getc(r, "consulted");
    for (VS_ARR_FOR (c, list))
        if (vs_span_is(vs_text(vs_getc(*c, "path")), path))
            return *c;
    return vs_undefined();
}

static const char *const rim = "input.cca.realm[\"cca-realm-initial-measurement\"]";

static void the_example_of_the_guide_is_explained(void **state)
{
    (void)state;
    fixture f;
    start(&f,
          "package policy\ndefault executables := 33\nexecutables := 3 if {\n  input.cca.realm\n"
          "  input.cca.realm[\"cca-realm-initial-measurement\"] in "
          "query_reference_value(\"cca.rim\")\n  input.never\n}\n",
          "{\"cca\":{\"realm\":{\"cca-realm-initial-measurement\":\"Nfpl\"}}}", "{}");
    assert_vs_ok(evaluate(&f, "data.policy.executables"), &f.err);
    vs_val r = report(&f, "data.policy.executables", 4096);
    vs_val d = nth(vs_getc(r, "definitions"), 0), failed = vs_getc(d, "failed");
    assert_int_equal(vs_getc(r, "definitions").len, 1);
    assert_string_equal(held(&f, d), "input.cca.realm");
    assert_span_is(vs_text(vs_getc(d, "file")), "p.rego");
    assert_int_equal(vs_getc(d, "row").u.i, 3);
    assert_false(vs_is_true(vs_getc(d, "succeeded")));
    assert_span_is(vs_text(vs_getc(failed, "result")), "false");
    vs_val operands = vs_getc(failed, "operands");
    assert_span_is(vs_text(vs_getc(nth(operands, 0), "path")), rim);
    assert_span_is(vs_text(vs_getc(nth(operands, 0), "value")), "Nfpl");
    assert_span_is(vs_text(vs_getc(nth(operands, 1), "path")),
                   "query_reference_value(\"cca.rim\")");
    assert_int_equal(vs_getc(nth(operands, 1), "value").kind, VS_NULL);
    assert_true(vs_is_true(vs_getc(path_of(r, rim), "exists")));
    vs_val asked = path_of(r, "query_reference_value(\"cca.rim\")");
    assert_int_equal(vs_getc(asked, "value").kind, VS_NULL);
    assert_false(vs_defined(path_of(r, "input.never"))); /* behind what failed */
    done(&f);
}

/* What held and what failed first, for each kind of expression. */
static void the_first_failing_expression_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *body, *held, *failed, *result, *operands;
    } t[] = {
        {"input.a == 1; input.b == 3; input.nope", "input.a == 1", "input.b == 3", "false",
         "[{\"path\":\"input.b\",\"value\":2},{\"path\":\"3\",\"value\":3}]"},
        {"input.a; not input.b", "input.a", "not input.b", "false", "[]"},
        {"not input.nope; input.b > 2", "not input.nope", "input.b > 2", "false",
         "[{\"path\":\"input.b\",\"value\":2},{\"path\":\"2\",\"value\":2}]"},
        {"every x in input.l { x < 3 }", "", "x < 3", "false",
         "[{\"path\":\"x\",\"value\":3},{\"path\":\"3\",\"value\":3}]"},
        {"every x in input.l { x < 4 }; input.f", "every x in input.l { x < 4 }", "input.f",
         "false", "[{\"path\":\"input.f\",\"value\":false}]"},
        {"some x in input.none; x", "", "some x in input.none", "undefined",
         "[{\"path\":\"input.none\",\"value\":[]}]"},
        {"some x in input.l; x > 2; x > 9", "some x in input.l | x > 2", "x > 9", "false",
         "[{\"path\":\"x\",\"value\":3},{\"path\":\"9\",\"value\":9}]"},
        {"1 == input.c.d", "", "1 == input.c.d", "undefined",
         "[{\"exists\":false,\"path\":\"input.c.d\"}]"},
        {"x := input.c.d", "", "x := input.c.d", "undefined",
         "[{\"exists\":false,\"path\":\"input.c.d\"}]"},
        {"x := input.a; x == 2", "x := input.a", "x == 2", "false",
         "[{\"path\":\"x\",\"value\":1},{\"path\":\"2\",\"value\":2}]"},
        {"count([x | some x in input.l; x > 5]) > 0", "",
         "count([x | some x in input.l; x > 5]) > 0", "false",
         "[{\"path\":\"count([x | some x in input.l; x > 5])\",\"value\":0},"
         "{\"path\":\"0\",\"value\":0}]"},
        {"startswith(input.s, \"b\")", "", "startswith(input.s, \"b\")", "false",
         "[{\"path\":\"startswith(input.s, \\\"b\\\")\",\"value\":false}]"},
        {"input.a == 1 with input.a as 2", "", "input.a == 1 with input.a as 2", "false",
         "[{\"path\":\"input.a\",\"value\":2},{\"path\":\"1\",\"value\":1}]"},
        {"f(input.a) == 3", "", "f(input.a) == 3", "false",
         "[{\"path\":\"f(input.a)\",\"value\":2},{\"path\":\"3\",\"value\":3}]"},
    };
    for (size_t i = 0; i < VS_COUNT(t); i++) {
        fixture f;
        char policy[512];
        (void)snprintf(policy, sizeof policy, "package p\nr if { %s }\nf(x) := x * 2\n", t[i].body);
        start(&f, policy, "{\"a\":1,\"b\":2,\"f\":false,\"l\":[1,2,3],\"none\":[],\"s\":\"abc\"}",
              "{}");
        assert_vs_ok(evaluate(&f, "data.p.r"), &f.err);
        vs_val d = nth(vs_getc(report(&f, "data.p.r", 4096), "definitions"), 0);
        vs_val failed = vs_getc(d, "failed");
        vs_span operands = printed(&f, vs_getc(failed, "operands"));
        if (strcmp(held(&f, d), t[i].held) != 0 ||
            !vs_span_is(vs_text(vs_getc(failed, "text")), t[i].failed) ||
            !vs_span_is(vs_text(vs_getc(failed, "result")), t[i].result) ||
            !vs_span_is(operands, t[i].operands))
            fail_msg("%s: held %s; %.*s is %.*s: %.*s", t[i].body, held(&f, d),
                     VS_FMT(vs_text(vs_getc(failed, "text"))),
                     VS_FMT(vs_text(vs_getc(failed, "result"))), VS_FMT(operands));
        done(&f);
    }
}

/* Which paths were read, and which of them lead nowhere. */
static void consulted_paths_are_named_and_missing_ones_marked(void **state)
{
    (void)state;
    static const struct {
        const char *body, *entry;
    } t[] = {
        {"input.a", "{\"exists\":true,\"path\":\"input.a\",\"value\":1}"},
        {"input.x", "{\"exists\":false,\"path\":\"input.x\"}"},
        {"input.x.y.z", "{\"exists\":false,\"missing_from\":\"input.x\",\"path\":\"input.x.y.z\"}"},
        {"input.o.y.z",
         "{\"exists\":false,\"missing_from\":\"input.o.y\",\"path\":\"input.o.y.z\"}"},
        {"input.a.b.c",
         "{\"exists\":false,\"missing_from\":\"input.a.b\",\"path\":\"input.a.b.c\"}"},
        {"input.o[\"k-1\"]", "{\"exists\":true,\"path\":\"input.o[\\\"k-1\\\"]\",\"value\":7}"},
        {"input.o[input.k]", "{\"exists\":true,\"path\":\"input.o[\\\"k-1\\\"]\",\"value\":7}"},
        {"x := input.o; x.nope", "{\"exists\":false,\"path\":\"input.o.nope\"}"},
        {"some e in input.l; e.id == 2",
         "{\"exists\":true,\"path\":\"input.l[1].id\",\"value\":2}"},
        {"some e in input.l; e.no == 2", "{\"exists\":false,\"path\":\"input.l[0].no\"}"},
        {"input.l[i].id == 2", "{\"exists\":true,\"path\":\"input.l[0].id\",\"value\":1}"},
        {"data.d.e", "{\"exists\":true,\"path\":\"data.d.e\",\"value\":5}"},
        {"data.d.f", "{\"exists\":false,\"path\":\"data.d.f\"}"},
        {"data.d[input.m]", "{\"exists\":true,\"path\":\"data.d[\\\"e\\\"]\",\"value\":5}"},
        {"query_reference_value(\"rim\") == 1",
         "{\"exists\":true,\"path\":\"query_reference_value(\\\"rim\\\")\",\"value\":\"q83v\"}"},
        {"query_reference_value(input.k) == 1",
         "{\"exists\":true,\"path\":\"query_reference_value(\\\"k-1\\\")\",\"value\":null}"},
        {"helper", "{\"exists\":false,\"path\":\"input.deep\"}"},
        {"not helper", "{\"exists\":false,\"path\":\"input.deep\"}"},
        {"fun(input.o) == 1", "{\"exists\":true,\"path\":\"input.k\",\"value\":\"k-1\"}"},
        {"input.a == 3 with input.a as 3",
         "{\"exists\":true,\"path\":\"input.a\",\"replaced\":true,\"value\":3}"},
        {"data.p.obj[input.m] == 1", "{\"exists\":true,\"path\":\"input.n\",\"value\":4}"},
    };
    for (size_t i = 0; i < VS_COUNT(t); i++) {
        fixture f;
        char policy[512];
        (void)snprintf(policy, sizeof policy,
                       "package p\nr if { %s }\nhelper if input.deep\nfun(x) := input.k\n"
                       "obj[\"e\"] := input.n\n",
                       t[i].body);
        start(&f, policy,
              "{\"a\":1,\"o\":{\"k-1\":7},\"k\":\"k-1\",\"m\":\"e\",\"n\":4,"
              "\"l\":[{\"id\":1},{\"id\":2}]}",
              "{\"d\":{\"e\":5}}");
        assert_vs_ok(evaluate(&f, "data.p.r"), &f.err);
        vs_val list = vs_getc(report(&f, "data.p.r", 4096), "consulted");
        bool found = false;
        for (VS_ARR_FOR (c, list))
            found |= vs_span_is(printed(&f, *c), t[i].entry);
        if (!found)
            fail_msg("%s: %.*s", t[i].body, VS_FMT(printed(&f, list)));
        done(&f);
    }
}

static void a_rule_is_explained_with_what_it_used_and_nothing_else(void **state)
{
    (void)state;
    fixture f;
    start(&f,
          "package p\nr if { shared; input.a }\nother if { shared; input.b }\n"
          "shared if { input.c }\nunrelated if input.d\n",
          "{\"c\":1}", "{}");
    static const char *const rules[] = {"data.p.unrelated", "data.p.other", "data.p.r"};
    for (size_t i = 0; i < VS_COUNT(rules); i++)
        assert_vs_ok(evaluate(&f, rules[i]), &f.err);
    vs_val r = report(&f, "data.p.r", 4096);
    assert_true(vs_defined(path_of(r, "input.a")));
    assert_true(vs_defined(path_of(r, "input.c"))); /* read by `shared` when `other` needed it */
    assert_false(vs_defined(path_of(r, "input.b")));
    assert_false(vs_defined(path_of(r, "input.d")));
    assert_int_equal(vs_getc(r, "definitions").len, 2);
    r = report(&f, "data.p.other", 4096);
    vs_val shared = nth(vs_getc(r, "definitions"), 1);
    assert_span_is(vs_text(vs_getc(shared, "rule")), "data.p.shared");
    assert_int_equal(vs_getc(shared, "depth").u.i, 1);
    assert_true(vs_is_true(vs_getc(shared, "succeeded")));
    assert_int_equal(vs_getc(report(&f, "data.p", 4096), "definitions").len, 4);
    assert_int_equal(vs_getc(report(&f, NULL, 4096), "definitions").len, 4);
    assert_int_equal(vs_getc(report(&f, "data.p.shar", 4096), "definitions").len, 0);
    done(&f);
}

static void an_evaluation_that_ends_with_an_error_is_explained(void **state)
{
    (void)state;
    fixture f;
    start(&f, "package p\nr if { input.a; helper }\nhelper if { input.b; broken() == 1 }\n",
          "{\"a\":1,\"b\":2}", "{}");
    assert_vs_code(evaluate(&f, "data.p.r"), VS_E_IO);
    vs_val r = report(&f, "data.p.r", 4096);
    assert_true(vs_is_true(vs_getc(nth(vs_getc(r, "definitions"), 0), "error")));
    assert_true(vs_is_true(vs_getc(nth(vs_getc(r, "definitions"), 1), "error")));
    assert_true(vs_defined(path_of(r, "input.b")));
    done(&f);
}

/* No value of input, data or the host may show when values are left out; the policy's text does. */
static void values_can_be_left_out(void **state)
{
    (void)state;
    fixture f;
    start(&f,
          "package p\nr if { data.tokens[input.token]; query_reference_value(input.token); "
          "some x in input.list; x.secret == input.token; query_reference_value(\"rim\") == 1 }\n"
          "r if { data.tokens[input.token].nope == 1 }\n"
          "r if { f(input.token) == \"x\" }\nf(x) := concat(\"\", [x, x])\n",
          "{\"token\":\"S3CRET\",\"list\":[{\"secret\":\"S3CRET2\"},{\"secret\":\"S3CRET\"}]}",
          "{\"tokens\":{\"S3CRET\":\"S3CRET3\"}}");
    assert_vs_ok(evaluate(&f, "data.p.r"), &f.err);
    vs_span text = printed(&f, report(&f, "data.p.r", 4096));
    assert_non_null(memmem(text.p, text.n, "S3CRET3", 7));
    text = printed(&f, report(&f, "data.p.r", 0));
    assert_null(memmem(text.p, text.n, "S3CRET", 6));
    assert_null(memmem(text.p, text.n, "q83v", 4));
    vs_val r = report(&f, "data.p.r", 0);
    assert_true(vs_defined(path_of(r, "data.tokens[_]")));
    assert_true(vs_defined(path_of(r, "query_reference_value(_)")));
    assert_true(vs_defined(path_of(r, "query_reference_value(\"rim\")")));
    done(&f);
}

static void long_values_are_cut_between_characters(void **state)
{
    (void)state;
    fixture f;
    start(&f, "package p\nr if input.s == input.l\n",
          "{\"s\":\"aaaaaa\\u00e9\\u00e9\\u00e9\",\"l\":[1,2,3,4,5,6,7,8,9]}", "{}");
    assert_vs_ok(evaluate(&f, "data.p.r"), &f.err);
    for (size_t max = 1; max < 16; max++) {
        vs_val r = report(&f, "data.p.r", max);
        vs_val s = vs_getc(path_of(r, "input.s"), "value");
        vs_val l = vs_getc(path_of(r, "input.l"), "value");
        assert_true(s.len <= max + 3);
        vs_val parsed;
        assert_vs_ok(vs_json_parse(&f.a, printed(&f, r), NULL, &parsed, &f.err), &f.err);
        assert_span_is(vs_text(l), "<array with 9 members>");
    }
    vs_val r = report(&f, "data.p.r", 8);
    assert_span_is(vs_text(vs_getc(path_of(r, "input.s"), "value")), "aaaaaa\xc3\xa9...");
    assert_int_equal(vs_getc(path_of(report(&f, "data.p.r", 19), "input.l"), "value").len, 9);
    done(&f);
}

/* However much is evaluated, a report stays small, and what matters is still in it. */
static void reports_are_bounded(void **state)
{
    (void)state;
    fixture f;
    VS_CLEANUP(vs_buf_free) vs_buf policy = VS_BUF(8 << 20);
    VS_CLEANUP(vs_buf_free) vs_buf input = VS_BUF(8 << 20);
    vs_buf_puts(&policy,
                "package p\nr if { input.first; every x in input.l { f(x) }; input.last }\n"
                "f(x) if { x.v > 0; x.w }\n");
    for (int i = 0; i < 2000; i++)
        vs_buf_printf(&policy, "many if input.m%d == %d\n", i, i);
    vs_buf_puts(&policy, "many if input.first\n");
    vs_buf_puts(&input, "{\"first\":1,\"l\":[");
    for (int i = 0; i < 5000; i++)
        vs_buf_printf(&input, "%s{\"v\":1,\"w\":\"%01000d\"}", i ? "," : "", i);
    vs_buf_puts(&input, "]}");
    vs_buf_putc(&policy, 0);
    vs_buf_putc(&input, 0);
    assert_true(vs_buf_ok(&policy) && vs_buf_ok(&input));
    start(&f, (const char *)policy.p, (const char *)input.p, "{}");
    assert_vs_ok(evaluate(&f, "data.p.many"), &f.err);
    assert_vs_ok(evaluate(&f, "data.p.r"), &f.err);
    vs_val r = report(&f, NULL, 1 << 20);
    assert_true(printed(&f, r).n < 2 << 20);
    assert_true(vs_getc(r, "omitted").u.i > 5000);
    assert_true(vs_getc(r, "definitions").len <= 320);
    assert_true(vs_getc(r, "consulted").len <= 256);
    vs_val d = nth(vs_getc(report(&f, "data.p.r", 64), "definitions"), 0);
    assert_span_is(vs_text(vs_getc(vs_getc(d, "failed"), "text")), "input.last");
    vs_val definitions = vs_getc(report(&f, "data.p.many", 64), "definitions");
    assert_true(vs_is_true(vs_getc(nth(definitions, definitions.len - 1), "succeeded")));
    done(&f);
}

static void nothing_is_recorded_unless_asked_for(void **state)
{
    (void)state;
    fixture f;
    start(&f, "package p\nr if input.a\n", "{}", "{}");
    rego_inputs in = {.input = vs_empty(VS_OBJECT)};
    assert_vs_ok(rego_eval_begin(f.e, &in, &f.err), &f.err);
    assert_vs_ok(evaluate(&f, "data.p.r"), &f.err);
    assert_false(vs_defined(rego_eval_report(f.e, NULL, 4096, &f.a)));
    assert_int_equal(rego_eval_explain(f.e, NULL, &f.a).len, 0);
    done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_guide_is_explained),
        cmocka_unit_test(the_first_failing_expression_is_found),
        cmocka_unit_test(consulted_paths_are_named_and_missing_ones_marked),
        cmocka_unit_test(a_rule_is_explained_with_what_it_used_and_nothing_else),
        cmocka_unit_test(an_evaluation_that_ends_with_an_error_is_explained),
        cmocka_unit_test(values_can_be_left_out),
        cmocka_unit_test(long_values_are_cut_between_characters),
        cmocka_unit_test(reports_are_bounded),
        cmocka_unit_test(nothing_is_recorded_unless_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
