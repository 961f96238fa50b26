/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the public Rego suites (their README says how) and prints passed/total per topic.
 *
 *   rego-conformance [-v] [--variants] [--floor PERCENT] DIR...
 *
 * DIR is a folder of cases such as .../opa/v1, .../opa/v0 or .../regorus. -v prints why each
 * failing case failed; cases of exceptions.h are counted apart. --variants runs each case again
 * without constant folding, without rule indexes, without memos and with explanations on: each must
 * give what the first run gave. With
 * --floor the exit code is 1 when fewer cases pass. Without any folder: 77 (skip).
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "exceptions.h"
#include "rego/engine.h"
#include "value/json.h"

enum { FILE_MAX = 64 << 20, TOPICS_MAX = 1024, MODULES_MAX = 64, RESULTS_MAX = 4096 };

typedef struct topic {
    char name[128];
    unsigned passed, excepted, total;
} topic;

/* How a case is compiled and run. */
typedef struct variant {
    const char *name;
    bool no_fold, no_index, no_memo, explain;
} variant;

static const variant variants[] = {
    {.name = "as always"},
    {.name = "without folding", .no_fold = true},
    {.name = "without indexes", .no_index = true},
    {.name = "without memos", .no_memo = true},
    {.name = "with explanations", .explain = true},
};

static struct {
    bool verbose, all_variants;
    topic topics[TOPICS_MAX];
    size_t n_topics;
    unsigned passed, total, excepted, differences;
} run;

static vs_val get(vs_val o, const char *key)
{
    return vs_getc(o, key);
}

/* ---- results ----------------------------------------------------------------------------------
 */

typedef struct results {
    vs_arena *a;
    vs_vec bindings, values;
} results;

static void collect(void *user, vs_val bindings, vs_val values)
{
    results *r = user;
    if (r->bindings.n >= RESULTS_MAX)
        return;
    vs_vec_add(&r->bindings, vs_copy(r->a, bindings));
    vs_vec_add(&r->values, vs_copy(r->a, values));
}

/* Both sides as plain JSON values: sets become sorted arrays, keys text. */
static vs_val as_json(vs_arena *a, vs_val v)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(FILE_MAX);
    vs_json_print(&b, v);
    vs_val out = vs_undefined();
    vs_json_opts opts = {.dup_last_wins = true, .depth = 256};
    vs_span text = vs_dup(a, vs_buf_span(&b));
    if (vs_json_parse(a, text, &opts, &out, NULL) != VS_OK)
        return vs_undefined();
    return out;
}

/* {"set!": [...]} and friends of the regorus cases into values. */
static vs_val decode_regorus(vs_arena *a, vs_val v)
{
    if (v.kind == VS_STRING && vs_span_is(vs_text(v), "#undefined"))
        return vs_cstring("<undefined>");
    if (v.kind == VS_ARRAY) {
        vs_vec b = {.a = a};
        for (VS_ARR_FOR (i, v))
            vs_vec_add(&b, decode_regorus(a, *i));
        return vs_vec_end_array(&b);
    }
    if (v.kind != VS_OBJECT)
        return v;
    if (v.len == 1 && get(v, "set!").kind == VS_ARRAY) {
        vs_vec b = {.a = a};
        vs_val set = get(v, "set!");
        for (VS_ARR_FOR (i, set))
            vs_vec_add(&b, decode_regorus(a, *i));
        return vs_vec_end_set(&b);
    }
    vs_obj o = {.a = a};
    if (v.len == 1 && get(v, "object!").kind == VS_ARRAY) {
        vs_val pairs = get(v, "object!");
        for (VS_ARR_FOR (i, pairs))
            vs_obj_add(&o, decode_regorus(a, get(*i, "key")), decode_regorus(a, get(*i, "value")));
    } else {
        for (VS_OBJ_FOR (p, v))
            vs_obj_add(&o, p->key, decode_regorus(a, p->val));
    }
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

static vs_val sorted(vs_arena *a, vs_val v)
{
    if (v.kind != VS_ARRAY)
        return v;
    /* A multiset: pair each element with its position among equals by sorting a copy. */
    vs_val *items = vs_alloc_array(a, v.len + 1, sizeof *items);
    if (!items)
        return v;
    if (v.len)
        memcpy(items, v.u.items, v.len * sizeof *items);
    for (uint32_t i = 1; i < v.len; i++)
        for (uint32_t j = i; j > 0 && vs_cmp(items[j - 1], items[j]) > 0; j--) {
            vs_val swap = items[j];
            items[j] = items[j - 1];
            items[j - 1] = swap;
        }
    v.u.items = items;
    return v;
}

static vs_val sort_members(vs_arena *a, vs_val binding)
{
    vs_obj o = {.a = a};
    for (VS_OBJ_FOR (p, binding))
        vs_obj_add(&o, p->key, sorted(a, p->val));
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

static vs_val without_generated(vs_arena *a, vs_val binding)
{
    vs_obj o = {.a = a};
    for (VS_OBJ_FOR (p, binding))
        if (!vs_span_starts(vs_text(p->key), VS_LIT("__local")))
            vs_obj_add(&o, p->key, p->val);
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

/* ---- one case
 * ------------------------------------------------------------------------------------ */

typedef struct attempt {
    vs_arena *a;
    vs_val c; /* the case */
    bool v0, regorus;
    const variant *variant;
    char why[600];
} attempt;

static bool because(attempt *t, const char *what, const char *detail)
{
    (void)snprintf(t->why, sizeof t->why, "%s: %s", what, detail ? detail : "");
    return false;
}

static bool differ(attempt *t, vs_val want, vs_val got)
{
    VS_CLEANUP(vs_buf_free) vs_buf w = VS_BUF(FILE_MAX), g = VS_BUF(FILE_MAX);
    vs_json_print(&w, want);
    vs_json_print(&g, got);
    (void)snprintf(t->why, sizeof t->why, "want %.250s, got %.250s", w.p ? (char *)w.p : "",
                   g.p ? (char *)g.p : "");
    vs_buf_free(&w);
    vs_buf_free(&g);
    return false;
}

/* Sets anywhere make order meaningless, so compare as multisets of JSON values. */
static bool same_results(attempt *t, vs_val want, vs_val got)
{
    bool sort = vs_is_true(get(t->c, "sort_bindings"));
    vs_vec w = {.a = t->a}, g = {.a = t->a};
    for (VS_ARR_FOR (i, want)) {
        vs_val b = without_generated(t->a, as_json(t->a, *i));
        vs_vec_add(&w, sort ? sort_members(t->a, b) : b);
    }
    for (VS_ARR_FOR (i, got)) {
        vs_val b = without_generated(t->a, as_json(t->a, *i));
        vs_vec_add(&g, sort ? sort_members(t->a, b) : b);
    }
    vs_val wa = sorted(t->a, vs_vec_end_array(&w)), ga = sorted(t->a, vs_vec_end_array(&g));
    return vs_eq(wa, ga) || differ(t, wa, ga);
}

static bool check_error(attempt *t, vs_code code, const rego_diag *d, const vs_error *err)
{
    vs_val want_code = get(t->c, "want_error_code");
    char text[VS_ERROR_TEXT];
    if (code == VS_OK)
        return because(t, "no error, want", "one");
    if (want_code.kind == VS_STRING && !vs_span_is(vs_text(want_code), rego_errcode_name(d->code)))
        return because(t, "other error", vs_error_text(err, text, sizeof text));
    return true;
}

static bool wants_error(const attempt *t)
{
    return vs_defined(get(t->c, "want_error")) || vs_defined(get(t->c, "want_error_code")) ||
           vs_defined(get(t->c, "want_error_contains"));
}

/* The input given as a Rego term is evaluated by a program of its own. */
static bool term_input(attempt *t, vs_val term, vs_val *out)
{
    vs_error err = {0};
    results r = {.a = t->a, .bindings = {.a = t->a}, .values = {.a = t->a}};
    rego_options opts = {.query = vs_text(term)};
    rego_program *p = NULL;
    rego_eval *e = NULL;
    rego_inputs in = {0};
    char text[VS_ERROR_TEXT];
    vs_code code = rego_compile(NULL, 0, &opts, &p, NULL, &err);
    if (code == VS_OK)
        code = rego_eval_new(p, &e, &err);
    if (code == VS_OK)
        code = rego_eval_begin(e, &in, &err);
    if (code == VS_OK)
        code = rego_eval_query(e, collect, &r, NULL, &err);
    if (code == VS_OK && r.values.n && r.values.items[0].len)
        *out = r.values.items[0].u.items[0];
    rego_eval_free(&e);
    rego_program_unref(&p);
    return code == VS_OK || because(t, "input_term", vs_error_text(&err, text, sizeof text));
}

static size_t modules_of(attempt *t, rego_module *mods)
{
    vs_val list = get(t->c, "modules");
    size_t n = 0;
    if (list.kind != VS_ARRAY)
        return 0;
    for (VS_ARR_FOR (m, list))
        if (m->kind == VS_STRING && n < MODULES_MAX) {
            mods[n] = (rego_module){
                .name = vs_sprintf(t->a, "test-%zu.rego", n), .text = vs_text(*m), .v0 = t->v0};
            n++;
        }
    return n;
}

static bool judge(attempt *t, const results *r, vs_code code, const rego_diag *d,
                  const vs_error *err, vs_val want)
{
    char text[VS_ERROR_TEXT];
    if (wants_error(t))
        return check_error(t, code, d, err);
    if (code != VS_OK)
        return because(t, "error", vs_error_text(err, text, sizeof text));
    vs_vec copy = r->bindings;
    if (!t->regorus)
        return same_results(t, want.kind == VS_ARRAY ? want : vs_empty(VS_ARRAY),
                            vs_vec_end_array(&copy));
    /* regorus: binding objects, or the values of the expressions */
    vs_vec flat = {.a = t->a};
    for (size_t i = 0; i < r->values.n; i++) {
        vs_val b = r->bindings.items[i], v = r->values.items[i];
        if (b.len)
            vs_vec_add(&flat, b);
        else
            for (VS_ARR_FOR (x, v))
                vs_vec_add(&flat, *x);
    }
    vs_val got = vs_vec_end_array(&flat);
    vs_val w = decode_regorus(t->a, want);
    if (got.len == 0 && w.len == 1 && w.kind == VS_ARRAY &&
        vs_eq(w.u.items[0], vs_cstring("<undefined>")))
        return true;
    vs_val wa = sorted(t->a, as_json(t->a, w)), ga = sorted(t->a, as_json(t->a, got));
    return vs_eq(wa, ga) || differ(t, wa, ga);
}

static bool evaluate(attempt *t, rego_program *p, vs_val input, vs_val want)
{
    vs_error err = {0};
    rego_diag d = {0};
    results r = {.a = t->a, .bindings = {.a = t->a}, .values = {.a = t->a}};
    vs_val data = get(t->c, "data");
    rego_inputs in = {.input = input,
                      .data = t->regorus ? decode_regorus(t->a, data) : data,
                      .now_ns = 1767225600000000000,
                      .seed = 1,
                      .explain = t->variant->explain};
    rego_eval *e = NULL;
    vs_code code = rego_eval_new(p, &e, &err);
    if (code == VS_OK)
        code = rego_eval_begin(e, &in, &err);
    if (code == VS_OK)
        code = rego_eval_query(e, collect, &r, &d, &err);
    rego_eval_free(&e);
    return judge(t, &r, code, &d, &err, want);
}

static bool attempt_case(attempt *t)
{
    rego_module mods[MODULES_MAX];
    size_t n = modules_of(t, mods);
    vs_val term = get(t->c, "input_term"), input = get(t->c, "input"),
           version = get(t->c, "rego_version");
    if (version.kind == VS_STRING) {
        t->v0 = vs_span_is(vs_text(version), "v0");
        for (size_t i = 0; i < n; i++)
            mods[i].v0 = t->v0;
    }
    if (term.kind == VS_STRING && !term_input(t, term, &input))
        return false;
    bool strict = vs_is_true(get(t->c, t->regorus ? "strict_builtin_errors" : "strict_error"));
    rego_options opts = {.query = vs_text(get(t->c, "query")),
                         .nonstrict_builtin_errors = !strict,
                         .strict_types = !t->regorus,
                         .no_fold = t->variant->no_fold,
                         .no_index = t->variant->no_index,
                         .no_memo = t->variant->no_memo};
    if (t->regorus && get(t->c, "strict_builtin_errors").kind == VS_UNDEFINED)
        opts.nonstrict_builtin_errors = false;
    if (opts.query.n == 0)
        return because(t, "no query", "");
    vs_error err = {0};
    rego_diag d = {0};
    rego_program *p = NULL;
    vs_code code = rego_compile(mods, n, &opts, &p, &d, &err);
    results none = {.a = t->a, .bindings = {.a = t->a}, .values = {.a = t->a}};
    if (code != VS_OK)
        return judge(t, &none, code, &d, &err, vs_undefined());
    vs_val want = get(t->c, t->regorus ? "want" : "want_result"), inputs = get(t->c, "inputs");
    bool ok = true;
    if (inputs.kind == VS_ARRAY && want.kind == VS_ARRAY && want.len == inputs.len) {
        for (uint32_t i = 0; i < inputs.len && ok; i++) {
            vs_vec one = {.a = t->a};
            vs_vec_add(&one, want.u.items[i]);
            ok = evaluate(t, p, decode_regorus(t->a, inputs.u.items[i]), vs_vec_end_array(&one));
        }
    } else {
        if (t->regorus && input.kind != VS_UNDEFINED)
            input = decode_regorus(t->a, input);
        if (want.kind != VS_ARRAY && t->regorus && vs_defined(want)) {
            vs_vec one = {.a = t->a};
            vs_vec_add(&one, want);
            want = vs_vec_end_array(&one);
        }
        ok = evaluate(t, p, input, want);
    }
    rego_program_unref(&p);
    return ok;
}

/* ---- folders
 * ------------------------------------------------------------------------------------- */

static topic *topic_of(const char *name)
{
    for (size_t i = 0; i < run.n_topics; i++)
        if (strcmp(run.topics[i].name, name) == 0)
            return &run.topics[i];
    if (run.n_topics == TOPICS_MAX)
        return &run.topics[TOPICS_MAX - 1];
    topic *t = &run.topics[run.n_topics++];
    (void)snprintf(t->name, sizeof t->name, "%s", name);
    return t;
}

static bool is_exception(vs_val c)
{
    vs_val mods = get(c, "modules");
    vs_span text = mods.kind == VS_ARRAY && mods.len ? vs_text(mods.u.items[0]) : VS_LIT("");
    for (size_t i = 0; i < VS_COUNT(exceptions); i++)
        if (vs_span_is(vs_text(get(c, "note")), exceptions[i].note) &&
            (!exceptions[i].text ||
             memmem(text.p, text.n, exceptions[i].text, strlen(exceptions[i].text))))
            return true;
    return false;
}

static void run_file(const char *path, const char *topic_name, bool v0, bool regorus)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(FILE_MAX);
    vs_arena a;
    vs_arena_init(&a, (size_t)1 << 30);
    vs_val doc;
    vs_json_opts opts = {.dup_last_wins = true, .depth = 256};
    vs_error err = {0};
    char text[VS_ERROR_TEXT];
    if (vs_read_file(path, &b, &err) != VS_OK ||
        vs_json_parse(&a, vs_buf_span(&b), &opts, &doc, &err) != VS_OK) {
        printf("%s: %s\n", path, vs_error_text(&err, text, sizeof text));
        vs_arena_free(&a);
        return;
    }
    vs_val cases = get(doc, "cases");
    topic *tp = topic_of(topic_name);
    for (uint32_t i = 0; cases.kind == VS_ARRAY && i < cases.len; i++) {
        attempt t = {
            .a = &a, .c = cases.u.items[i], .v0 = v0, .regorus = regorus, .variant = variants};
        bool ok = attempt_case(&t);
        for (size_t k = 1; run.all_variants && k < VS_COUNT(variants); k++) {
            attempt again = t;
            again.variant = &variants[k];
            bool same = attempt_case(&again) == ok && (ok || strcmp(t.why, again.why) == 0);
            if (!same) {
                (void)snprintf(t.why, sizeof t.why, "%s the result differs", variants[k].name);
                ok = false;
                run.differences++;
            }
        }
        bool excepted = regorus && is_exception(t.c);
        if (excepted && ok) {
            (void)snprintf(t.why, sizeof t.why, "passes, but is listed in exceptions.h");
            ok = excepted = false;
        }
        tp->passed += ok;
        tp->excepted += excepted;
        tp->total++;
        if (!ok && !excepted && run.verbose) {
            vs_span note = vs_text(get(t.c, "note"));
            printf("FAIL %s [%.*s] %s\n", topic_name, VS_FMT(note), t.why);
        }
    }
    vs_arena_free(&a);
}

static int by_name(const struct dirent **x, const struct dirent **y)
{
    return strcmp((*x)->d_name, (*y)->d_name);
}

static void walk(const char *dir, const char *topic_name, bool v0, bool regorus, unsigned depth)
{
    struct dirent **names;
    int n = depth < 8 ? scandir(dir, &names, NULL, by_name) : -1;
    for (int i = 0; i < n; i++) {
        char path[4096];
        struct stat st;
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name);
        size_t len = strlen(path);
        if (names[i]->d_name[0] != '.' && stat(path, &st) == 0) {
            if (S_ISDIR(st.st_mode))
                walk(path, topic_name ? topic_name : names[i]->d_name, v0, regorus, depth + 1);
            else if (len > 5 && strcmp(path + len - 5, ".json") == 0)
                run_file(path, topic_name ? topic_name : "top", v0, regorus);
        }
        free(names[i]);
    }
    if (n >= 0)
        free(names);
}

/* Returns the percentage that passed, or -1 when the folder is not there. */
static double run_set(const char *dir)
{
    struct stat st;
    if (stat(dir, &st) != 0)
        return -1;
    run.n_topics = 0;
    memset(run.topics, 0, sizeof run.topics);
    bool regorus = strstr(dir, "regorus") != NULL;
    walk(dir, NULL, strstr(dir, "/v0") != NULL, regorus, 0);
    unsigned passed = 0, excepted = 0, total = 0;
    printf("== %s\n", dir);
    for (size_t i = 0; i < run.n_topics; i++) {
        const topic *t = &run.topics[i];
        printf("%-34s %4u/%-4u%s\n", t->name, t->passed, t->total,
               t->passed + t->excepted == t->total ? "" : "  *");
        passed += t->passed;
        excepted += t->excepted;
        total += t->total;
    }
    unsigned wanted = total - excepted;
    double percent = wanted ? 100.0 * passed / wanted : 0;
    printf("%-34s %4u/%-4u  %.1f %% of the %u wanted, %u excepted\n", "all", passed, total, percent,
           wanted, excepted);
    run.passed += passed;
    run.excepted += excepted;
    run.total += total;
    return percent;
}

int main(int argc, char **argv)
{
    double floor = 0;
    bool below = false, any = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-v") == 0) {
            run.verbose = true;
        } else if (strcmp(argv[i], "--variants") == 0) {
            run.all_variants = true;
        } else if (strcmp(argv[i], "--floor") == 0 && i + 1 < argc) {
            floor = strtod(argv[++i], NULL);
        } else {
            double percent = run_set(argv[i]);
            any |= percent >= 0;
            below |= percent >= 0 && percent < floor;
        }
    }
    if (!any) {
        puts("no suite found: skipped");
        return 77;
    }
    printf("conformance: %u of %u cases pass, %u are excepted\n", run.passed, run.total,
           run.excepted);
    if (run.all_variants)
        printf("variants: %u differences\n", run.differences);
    return below || run.differences ? 1 : 0;
}
