/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that runs out anywhere: every allocation of compiling and evaluating fails once, alone and
 * with all that follow. The result is a clean error or the right answer, never another one; leaks
 * are the sanitizer's business. The linker leads malloc and its kin here (--wrap).
 */
#include "testing.h"

#include <dirent.h>
#include <stdlib.h>

#include "base/io.h"
#include "rego/engine.h"
#include "value/json.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static long countdown = -1; /* < 0: nothing fails */
static bool and_all_after, happened;

static bool fails(void)
{
    if (countdown < 0)
        return false;
    if (countdown > 0) {
        countdown--;
        return false;
    }
    happened = true;
    if (!and_all_after)
        countdown = -1;
    return true;
}

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

/* Arenas take large blocks, so each of their allocations is a point of its own. */
void *__real_vs_alloc(vs_arena *a, size_t n);
void *__real_vs_zalloc(vs_arena *a, size_t n);
void *__real_vs_alloc_array(vs_arena *a, size_t count, size_t size);
void *__real_vs_grow(vs_arena *a, void *old, size_t old_n, size_t new_n, size_t size);
void *__wrap_vs_alloc(vs_arena *a, size_t n);
void *__wrap_vs_zalloc(vs_arena *a, size_t n);
void *__wrap_vs_alloc_array(vs_arena *a, size_t count, size_t size);
void *__wrap_vs_grow(vs_arena *a, void *old, size_t old_n, size_t new_n, size_t size);

static bool arena_fails(vs_arena *a)
{
    bool now = fails();
    a->failed |= now;
    return now;
}

void *__wrap_vs_alloc(vs_arena *a, size_t n)
{
    return arena_fails(a) ? NULL : __real_vs_alloc(a, n);
}

void *__wrap_vs_zalloc(vs_arena *a, size_t n)
{
    return arena_fails(a) ? NULL : __real_vs_zalloc(a, n);
}

void *__wrap_vs_alloc_array(vs_arena *a, size_t count, size_t size)
{
    return arena_fails(a) ? NULL : __real_vs_alloc_array(a, count, size);
}

void *__wrap_vs_grow(vs_arena *a, void *old, size_t old_n, size_t new_n, size_t size)
{
    return arena_fails(a) ? NULL : __real_vs_grow(a, old, old_n, new_n, size);
}

/* The value of data.p as JSON, or the code of the failure. */
static rego_diag diag; /* of the last run */

static vs_code run(const rego_module *mods, size_t n, vs_val input, vs_val data, vs_buf *out)
{
    rego_program *p = NULL;
    rego_eval *e = NULL;
    rego_presence presence;
    vs_val v = vs_undefined();
    rego_inputs in = {.input = input, .data = data, .now_ns = 1, .explain = true};
    diag = (rego_diag){0};
    vs_code code = rego_compile(mods, n, NULL, &p, &diag, NULL);
    if (code == VS_OK)
        code = rego_eval_new(p, &e, NULL);
    if (code == VS_OK)
        code = rego_eval_begin(e, &in, NULL);
    if (code == VS_OK)
        code = rego_eval_rule(e, "data", &presence, &v, &diag, NULL);
    countdown = -1; /* printing is not what is tried here */
    if (code == VS_OK && vs_defined(v))
        vs_json_print(out, v);
    rego_eval_free(&e);
    rego_program_unref(&p);
    return code;
}

static void fail_everywhere(const rego_module *mods, size_t n, vs_val input, vs_val data)
{
    vs_buf want = VS_BUF(1 << 20);
    vs_code wanted = run(mods, n, input, data, &want);
    for (int all = 0; all < 2; all++) {
        for (long i = 0;; i++) {
            vs_buf got = VS_BUF(1 << 20);
            countdown = i;
            and_all_after = all;
            happened = false;
            vs_code code = run(mods, n, input, data, &got);
            countdown = -1;
            bool same = code == wanted &&
                        (!vs_buf_ok(&got) || vs_span_eq(vs_buf_span(&got), vs_buf_span(&want)));
            if (code == VS_OK && !same)
                fail_msg("allocation %ld%s: %.*s\ninstead of %.*s", i, all ? " and all after" : "",
                         VS_FMT(vs_buf_span(&got)), VS_FMT(vs_buf_span(&want)));
            vs_buf_free(&got);
            if (!happened) {
                if (i < 50)
                    fail_msg("only %ld allocations failed", i);
                break;
            }
        }
    }
    vs_buf_free(&want);
}

static void run_file(const char *path)
{
    vs_arena a;
    vs_val doc;
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1 << 24);
    vs_arena_init(&a, 0);
    assert_vs_ok(vs_read_file(path, &b, NULL), NULL);
    assert_vs_ok(vs_json_parse(&a, vs_buf_span(&b), NULL, &doc, NULL), NULL);
    vs_val cases = vs_getc(doc, "cases");
    for (VS_ARR_FOR (c, cases)) {
        rego_module mods[8];
        size_t n = 0;
        vs_val list = vs_getc(*c, "modules");
        for (VS_ARR_FOR (t, list))
            if (n < VS_COUNT(mods))
                mods[n++] = (rego_module){.name = "case.rego", .text = vs_text(*t)};
        fail_everywhere(mods, n, vs_getc(*c, "input"), vs_getc(*c, "data"));
    }
    vs_arena_free(&a);
}

static void every_allocation_of_a_conformance_topic_may_fail(void **state)
{
    (void)state;
    need_shared("data/rego/opa/v1/comprehensions");
    char folder[512];
    (void)snprintf(folder, sizeof folder, "%s/data/rego/opa/v1/comprehensions", VS_SHARED_DIR);
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *f; (f = readdir(d)) != NULL;) {
        char path[1024];
        (void)snprintf(path, sizeof path, "%s/%s", folder, f->d_name);
        if (f->d_name[0] != '.')
            run_file(path);
    }
    (void)closedir(d);
}

/* Text that builtins put together: a cut text would be another answer. */
static void every_allocation_of_texts_may_fail(void **state)
{
    (void)state;
    static const char text[] =
        "package t\n"
        "tpl := `{{define \"a\"}}<{{.}}>{{end}}{{$x := 0}}{{range $i, $e := .l}}{{$x = $i}}"
        "{{template \"a\" $e}}{{if eq $e \"b\"}}{{printf \"%5d|%q|%v\" $i $e $.o}}{{else}}"
        "{{html $e | printf \"%s%s\" (js \"<\" | urlquery)}}{{end}}{{end}}{{$x}}{{.none}}"
        "{{slice .l 1}}{{println (index .l 0) 1.5 'c'}}`\n"
        "long := concat(\"\", [sprintf(\"%d,\", [i]) | some i in numbers.range(1, 100)])\n"
        "p[0] := strings.render_template(tpl, {\"l\": [\"a\", \"b\", long], \"o\": {\"k\": "
        "[1.5]}})\n"
        "p[1] := sprintf(\"%v %q %x %08.3f %d %O %s %U\", "
        "[{\"k\": {1, 2}}, long, long, 1.5, 123456789012345678901234567890, 8, [long], 97])\n"
        "p[2] := [upper(long), replace(long, \"1\", \"one\"), strings.reverse(long)]\n"
        "p[3] := regex.replace(long, \"([0-9]+)\", \"<$1>\")\n"
        "p[4] := [base64.decode(base64.encode(long)), hex.decode(hex.encode(long))]\n"
        "p[5] := [urlquery.encode(long), urlquery.encode_object({\"a\": [long]})]\n"
        "p[6] := [glob.match(\"*{1,[0-9]}*\", [], long), glob.quote_meta(long)]\n"
        "p[7] := [json.marshal([long]), strings.replace_n({\"1\": \"\", \"2\": \"22\"}, long)]\n"
        "p[8] := [base64.is_valid(base64.encode(long)), regex.is_valid(\"a+\")]\n";
    rego_module m = {.name = "text.rego", .text = vs_str(text)};
    fail_everywhere(&m, 1, vs_undefined(), vs_undefined());
}

/* Builtins that build texts and documents, where a cut one would be another answer. */
static void every_allocation_of_schemas_and_documents_may_fail(void **state)
{
    (void)state;
    static const char policy[] =
        "package p\n"
        "schema := {\"$id\": \"http://x/a/b\", \"definitions\": {\"n\": {\"$id\": \"n\", \"type\": "
        "\"integer\", \"enum\": [1, {2}], \"multipleOf\": 7}}, \"properties\": {\"a\": {\"$ref\": "
        "\"n\"}, \"b\": {\"pattern\": \"^x\", \"format\": \"email\", \"minLength\": 3}, \"c\": "
        "{\"uniqueItems\": true, \"contains\": {\"const\": \"<\"}}}, \"anyOf\": [{\"required\": "
        "[\"z\"]}, {\"maximum\": 3}], \"if\": true, \"then\": {\"dependencies\": {\"a\": "
        "[\"q\"]}}}\n"
        "match := json.match_schema({\"a\": 5, \"b\": \"y\", \"c\": {1, 2}, 3: 4}, schema)\n"
        "text := json.match_schema(`{\"c\": [1, 1]}`, schema)\n"
        "verify := [json.verify_schema(schema), json.verify_schema({\"$ref\": \"#/a~0b\"})]\n"
        "read := yaml.unmarshal(\"a: &x {b: !!binary aGk=, 1.5: 0x1f}\\nc: {<<: *x, d: [1_0, "
        "2.5e3]}\")\n"
        "valid := [yaml.is_valid(\"[\"), yaml.is_valid(\"{a: *b}\"), yaml.is_valid(\"- 1\")]\n"
        "write := yaml.marshal({\"a\": [1, {\"b\": \"x\\ny\"}], \"yes\": 1.5, [1]: {2}, \"q\": \" "
        "'\"})\n"
        "json_ := [json.marshal({[\"<\"]: {1.5, \"&\"}}), json.marshal(base64.decode(\"gA==\"))]\n"
        "pretty := json.marshal_with_options({1: [2, {}]}, {\"indent\": \" \", \"prefix\": "
        "\"#\"})\n"
        "parsed := [json.unmarshal(`{\"a\": [\"\\ud800\", 1e30]}`), json.is_valid(`[\"x\"]`), "
        "json.is_valid(\"[1.5]\")]\n"
        "paths := [json.filter({\"a\": {\"b\": 1, \"c\": 2}}, [\"a/b\"]), json.remove({\"a\": [1, "
        "2]}, [\"a/0\"]), json.patch({\"a\": [1]}, [{\"op\": \"add\", \"path\": \"/a/-\", "
        "\"value\": 2}])]\n"
        "patterns := [regex.find_n(\".\", base64.decode(\"gA==\"), -1), glob.match(\"*\", [], "
        "\"a\")]\n";
    const rego_module mod = {.name = "documents.rego", .text = vs_str(policy)};
    fail_everywhere(&mod, 1, vs_undefined(), vs_empty(VS_OBJECT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_of_texts_may_fail),
        cmocka_unit_test(every_allocation_of_a_conformance_topic_may_fail),
        cmocka_unit_test(every_allocation_of_schemas_and_documents_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
