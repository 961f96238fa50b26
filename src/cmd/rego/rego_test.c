/* SPDX-License-Identifier: Apache-2.0 */
/* test: evaluates the rules named test_*; bench: times a query. */
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/rego/rego_tool.h"
#include "value/json.h"

enum { TEXT_MAX = 64 << 20 };

/* ---- test --------------------------------------------------------------------------------------
 */

typedef struct tester {
    const rego_cli *o;
    rego_sources s;
    rego_program *p;
    rego_eval *e;
    rego_coverage *coverage;
    regex_t filter;
    bool filtered, color, json;
    vs_vec results;
    unsigned passed, failed, errors, skipped;
    size_t rows, rows_covered;
    double threshold; /* percent */
} tester;

static const char *last_name(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? dot + 1 : path;
}

static void tell(tester *t, const char *path, const char *verdict, int64_t ns, const char *why)
{
    if (t->json) {
        vs_obj o = {.a = &t->s.a};
        vs_obj_put(&o, "name", vs_string_dup(&t->s.a, vs_str(path)));
        vs_obj_put(&o, "result", vs_cstring(verdict));
        vs_obj_put(&o, "duration_ns", vs_int(ns));
        if (why)
            vs_obj_put(&o, "error", vs_string_dup(&t->s.a, vs_str(why)));
        vs_vec_add(&t->results, vs_obj_end(&o, VS_DUP_LAST, NULL));
        return;
    }
    bool good = strcmp(verdict, "PASS") == 0;
    if (good && !t->o->verbose)
        return;
    printf("%s: %s%s%s (%.3f ms)\n", path, t->color ? (good ? "\033[32m" : "\033[1;31m") : "",
           verdict, t->color ? "\033[0m" : "", (double)ns / 1e6);
    if (why)
        printf("  %s\n", why);
}

static void run_test(void *user, const char *path)
{
    tester *t = user;
    rego_inputs in = rego_tool_inputs(&t->s, vs_undefined());
    rego_presence presence;
    rego_diag d = {0};
    vs_error err = {0};
    vs_val v = vs_undefined();
    char text[VS_ERROR_TEXT];
    const char *name = last_name(path);
    if (strncmp(name, "todo_test_", 10) == 0) {
        t->skipped++;
        tell(t, path, "SKIPPED", 0, NULL);
        return;
    }
    if (strncmp(name, "test_", 5) != 0 || (t->filtered && regexec(&t->filter, path, 0, NULL, 0)))
        return;
    in.coverage = t->coverage;
    int64_t begin = vs_mono_ns();
    vs_code code = rego_eval_begin(t->e, &in, &err);
    if (code == VS_OK)
        code = rego_eval_rule(t->e, path, &presence, &v, &d, &err);
    int64_t took = vs_mono_ns() - begin;
    if (code != VS_OK) {
        t->errors++;
        tell(t, path, "ERROR", took, vs_error_text(&err, text, sizeof text));
    } else if (vs_is_true(v)) {
        t->passed++;
        tell(t, path, "PASS", took, NULL);
    } else {
        t->failed++;
        tell(t, path, "FAIL", took, NULL);
    }
}

static size_t rows_of(vs_span text)
{
    size_t n = 1;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

/* Rows without evaluation, as "3, 7-9". */
static void missed_rows(const tester *t, const rego_module *m, vs_buf *out, size_t *covered,
                        size_t *all)
{
    uint32_t rows = (uint32_t)rows_of(m->text);
    *covered = *all = 0;
    for (uint32_t row = 1; row <= rows; row++) {
        rego_row r = rego_coverage_row(t->coverage, m->name, row);
        *all += r != REGO_ROW_NONE;
        *covered += r == REGO_ROW_COVERED;
        if (r != REGO_ROW_MISSED)
            continue;
        uint32_t last = row;
        while (last < rows && rego_coverage_row(t->coverage, m->name, last + 1) == REGO_ROW_MISSED)
            last++;
        *all += last - row;
        vs_buf_printf(out, last > row ? "%s%u-%u" : "%s%u", out->n ? ", " : "", row, last);
        row = last;
    }
}

static bool is_test_file(const char *name)
{
    return vs_span_ends(vs_str(name), VS_LIT("_test.rego"));
}

static void print_coverage(tester *t)
{
    vs_obj files = {.a = &t->s.a};
    for (size_t i = 0; i < t->s.n; i++) {
        VS_CLEANUP(vs_buf_free) vs_buf missed = VS_BUF(TEXT_MAX);
        size_t covered, all;
        if (is_test_file(t->s.modules[i].name))
            continue;
        missed_rows(t, &t->s.modules[i], &missed, &covered, &all);
        t->rows += all;
        t->rows_covered += covered;
        double percent = all ? 100.0 * (double)covered / (double)all : 100.0;
        if (t->json) {
            vs_obj o = {.a = &t->s.a};
            vs_obj_put(&o, "covered_lines", vs_int((int64_t)covered));
            vs_obj_put(&o, "lines", vs_int((int64_t)all));
            vs_obj_put(&o, "not_covered", vs_string_dup(&t->s.a, vs_buf_span(&missed)));
            vs_obj_add(&files, vs_cstring(t->s.modules[i].name), vs_obj_end(&o, VS_DUP_LAST, NULL));
        } else {
            printf("%-40s %5.1f %%%s%.*s\n", t->s.modules[i].name, percent,
                   missed.n ? "  not evaluated: " : "", VS_FMT(vs_buf_span(&missed)));
        }
    }
    if (t->json)
        vs_vec_add(&t->results, vs_obj_end(&files, VS_DUP_LAST, NULL));
}

static void summarise(tester *t)
{
    unsigned total = t->passed + t->failed + t->errors;
    if (t->coverage)
        print_coverage(t);
    if (t->json) {
        VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(TEXT_MAX);
        vs_json_print_pretty(&out, vs_vec_end_array(&t->results));
        printf("%.*s\n", VS_FMT(vs_buf_span(&out)));
        return;
    }
    printf("PASS: %u/%u\n", t->passed, total);
    if (t->failed)
        printf("FAIL: %u/%u\n", t->failed, total);
    if (t->errors)
        printf("ERROR: %u/%u\n", t->errors, total);
    if (t->skipped)
        printf("SKIPPED: %u\n", t->skipped);
}

static bool read_threshold(tester *t, vs_error *err)
{
    char *end = NULL;
    if (!t->o->threshold)
        return true;
    t->threshold = strtod(t->o->threshold, &end);
    if (end == t->o->threshold || *end || !(t->threshold >= 0 && t->threshold <= 100))
        return vs_fail(err, VS_E_INVALID, "--threshold is a number from 0 to 100"), false;
    return true;
}

/* Tells when too few rows were evaluated. */
static bool meets_threshold(const tester *t)
{
    double percent = t->rows ? 100.0 * (double)t->rows_covered / (double)t->rows : 100.0;
    if (!t->o->threshold || percent >= t->threshold)
        return true;
    fprintf(stderr, "vouchsafe rego: %.2f %% of the lines were evaluated, %.2f %% are wanted\n",
            percent, t->threshold);
    return false;
}

static bool prepare(tester *t, vs_error *err)
{
    if (!read_threshold(t, err))
        return false;
    if (t->o->run && regcomp(&t->filter, t->o->run, REG_EXTENDED | REG_NOSUB) != 0)
        return vs_fail(err, VS_E_INVALID, "--run is not a regular expression: %s", t->o->run),
               false;
    t->filtered = t->o->run != NULL;
    vs_code code = rego_sources_add_all(&t->s, &t->o->files, t->o->v0, err);
    if (code == VS_OK)
        code = rego_sources_add_all(&t->s, &t->o->data, t->o->v0, err);
    if (code != VS_OK)
        return false;
    t->p = rego_tool_compile(t->o, &t->s, NULL);
    if (!t->p)
        return false;
    if ((t->o->coverage || t->o->threshold) && rego_coverage_new(t->p, &t->coverage, err) != VS_OK)
        return false;
    return rego_eval_new(t->p, &t->e, err) == VS_OK;
}

int rego_run_test(void *opts)
{
    tester t = {.o = opts, .color = rego_is_tty(STDOUT_FILENO)};
    vs_error err = {0};
    rego_sources_init(&t.s);
    t.results.a = &t.s.a;
    t.json = t.o->format && strcmp(t.o->format, "json") == 0;
    bool ready = prepare(&t, &err);
    if (ready) {
        rego_program_rules(t.p, run_test, &t);
        summarise(&t);
    } else if (err.code) {
        (void)rego_complain(NULL, NULL, &err);
    }
    bool none = ready && t.passed + t.failed + t.errors == 0;
    if (none)
        fprintf(stderr, "vouchsafe rego: no rule test_* found\n");
    rego_eval_free(&t.e);
    rego_coverage_free(&t.coverage);
    rego_program_unref(&t.p);
    rego_sources_free(&t.s);
    if (t.filtered)
        regfree(&t.filter);
    if (!ready || none)
        return EXIT_FAILURE;
    bool good = t.failed + t.errors == 0 && meets_threshold(&t);
    return good ? EXIT_SUCCESS : CLI_EXIT_USAGE; /* 2, as opa test */
}

/* ---- bench -------------------------------------------------------------------------------------
 */

static int by_size(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

static void ignore(void *user, vs_val bindings, vs_val values)
{
    (void)bindings, (void)values;
    ++*(size_t *)user;
}

static int measure(const rego_cli *o, rego_sources *s, rego_program *p, size_t rounds)
{
    vs_val input = vs_undefined();
    vs_error err = {0};
    rego_diag d = {0};
    rego_eval *e = NULL;
    size_t solutions = 0;
    int64_t *t = vs_alloc_array(&s->a, rounds, sizeof *t);
    vs_code code = vs_arena_check(&s->a, &err);
    if (code == VS_OK && o->input)
        code = rego_read_document(&s->a, o->input, &input, &err);
    rego_inputs in = rego_tool_inputs(s, input);
    in.print = NULL;
    in.explain = o->explain;
    if (code == VS_OK)
        code = rego_eval_new(p, &e, &err);
    for (size_t i = 0; code == VS_OK && i < rounds; i++) {
        solutions = 0;
        int64_t begin = vs_mono_ns();
        code = rego_eval_begin(e, &in, &err);
        if (code == VS_OK)
            code = rego_eval_query(e, ignore, &solutions, &d, &err);
        t[i] = vs_mono_ns() - begin;
    }
    if (code != VS_OK) {
        rego_eval_free(&e);
        return rego_complain(s, &d, &err);
    }
    rego_stats stats = rego_eval_stats(e);
    qsort(t, rounds, sizeof *t, by_size);
    printf("%zu evaluations, %zu solutions each\n"
           "median %10.2f us\n90 %%   %10.2f us\n99 %%   %10.2f us\nfirst  %10.2f us (slowest)\n"
           "steps  %10llu\narena  %10zu bytes\n",
           rounds, solutions, (double)t[rounds / 2] / 1e3, (double)t[rounds * 9 / 10] / 1e3,
           (double)t[rounds * 99 / 100] / 1e3, (double)t[rounds - 1] / 1e3,
           (unsigned long long)stats.steps, stats.arena_used);
    rego_eval_free(&e);
    return EXIT_SUCCESS;
}

int rego_run_bench(void *opts)
{
    const rego_cli *o = opts;
    char *end;
    errno = 0;
    unsigned long rounds = strtoul(o->count, &end, 10);
    if (errno || *end || rounds == 0 || rounds > 10000000) {
        fprintf(stderr, "vouchsafe rego: --count must be a number from 1 to 10000000\n");
        return CLI_EXIT_USAGE;
    }
    rego_sources s;
    vs_error err = {0};
    int rc = EXIT_FAILURE;
    rego_sources_init(&s);
    if (rego_sources_add_all(&s, &o->data, o->v0, &err) != VS_OK) {
        rc = rego_complain(NULL, NULL, &err);
    } else {
        int64_t begin = vs_mono_ns();
        rego_program *p = rego_tool_compile(o, &s, o->query);
        if (p) {
            printf("compiled in %.3f ms\n", (double)(vs_mono_ns() - begin) / 1e6);
            rc = measure(o, &s, p, rounds);
        }
        rego_program_unref(&p);
    }
    rego_sources_free(&s);
    return rc;
}
