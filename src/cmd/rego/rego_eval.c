/* SPDX-License-Identifier: Apache-2.0 */
/* eval, check, explain, build. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/rego/rego_tool.h"
#include "value/json.h"

enum { TEXT_MAX = 256 << 20 };

static void put(const vs_buf *out)
{
    (void)fwrite(out->p ? out->p : (const uint8_t *)"", 1, out->n, stdout);
}

/* ---- eval --------------------------------------------------------------------------------------
 */

static void print_values(const rego_cli *o, vs_val results, vs_buf *out)
{
    bool raw = strcmp(o->format, "raw") == 0;
    for (VS_ARR_FOR (r, results)) {
        vs_val bindings = vs_getc(*r, "bindings");
        if (bindings.len) {
            vs_json_print_pretty(out, bindings);
            vs_buf_putc(out, '\n');
            continue;
        }
        vs_val expressions = vs_getc(*r, "expressions");
        for (VS_ARR_FOR (e, expressions)) {
            vs_val v = vs_getc(*e, "value");
            if (raw && v.kind == VS_STRING)
                vs_buf_put(out, vs_text(v));
            else if (raw)
                vs_json_print(out, v);
            else
                vs_json_print_pretty(out, v);
            vs_buf_putc(out, '\n');
        }
    }
}

static void print_results(const rego_cli *o, vs_arena *a, vs_val results)
{
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(TEXT_MAX);
    if (strcmp(o->format, "json") == 0) {
        vs_obj doc = {.a = a};
        if (results.len)
            vs_obj_put(&doc, "result", results);
        vs_json_print_pretty(&out, vs_obj_end(&doc, VS_DUP_LAST, NULL));
        vs_buf_putc(&out, '\n');
    } else {
        print_values(o, results, &out);
        if (out.n == 0 && strcmp(o->format, "pretty") == 0)
            vs_buf_puts(&out, "undefined\n");
    }
    put(&out);
}

/* One expression that failed, as a line of a tree. */
static void print_reason(vs_buf *out, vs_val r, bool color)
{
    vs_val operands = vs_getc(r, "operands");
    vs_buf_printf(out, "%s%.*s%s:%lld\n  %.*s   is %.*s\n", color ? "\033[1m" : "",
                  VS_FMT(vs_text(vs_getc(r, "rule"))), color ? "\033[0m" : "",
                  (long long)vs_getc(r, "row").u.i, VS_FMT(vs_text(vs_getc(r, "text"))),
                  VS_FMT(vs_text(vs_getc(r, "result"))));
    for (VS_ARR_FOR (o, operands)) {
        vs_val v = vs_getc(*o, "value");
        vs_buf_printf(out, "    %.*s = ", VS_FMT(vs_text(vs_getc(*o, "path"))));
        if (vs_defined(v))
            vs_json_print(out, v);
        else
            vs_buf_puts(out, color ? "\033[33mundefined\033[0m" : "undefined");
        vs_buf_putc(out, '\n');
    }
}

static void print_reasons(vs_buf *out, vs_val reasons, bool tree, bool color)
{
    if (!tree) {
        vs_json_print_pretty(out, reasons);
        vs_buf_putc(out, '\n');
        return;
    }
    if (reasons.len == 0)
        vs_buf_puts(out, "no expression failed\n");
    for (VS_ARR_FOR (r, reasons))
        print_reason(out, *r, color);
}

typedef struct session {
    rego_sources s;
    rego_program *p;
    rego_eval *e;
    rego_answers answers;
    vs_error err;
    rego_diag diag;
} session;

static void session_free(session *x)
{
    rego_eval_free(&x->e);
    rego_program_unref(&x->p);
    rego_sources_free(&x->s);
}

/* Reads, compiles and evaluates; false when the reason has been told. */
static bool run(session *x, const rego_cli *o, const char *query, bool explain)
{
    vs_val input = vs_undefined();
    *x = (session){0};
    rego_sources_init(&x->s);
    vs_code code = rego_sources_add_all(&x->s, &o->data, o->v0, &x->err);
    if (code == VS_OK && o->input)
        code = rego_read_document(&x->s.a, o->input, &input, &x->err);
    if (code != VS_OK)
        return rego_complain(NULL, NULL, &x->err), false;
    x->p = rego_tool_compile(o, &x->s, query);
    if (!x->p)
        return false;
    rego_inputs in = rego_tool_inputs(&x->s, input);
    in.explain = explain;
    x->answers = (rego_answers){.a = &x->s.a, .results = {.a = &x->s.a}, .query = query};
    code = rego_eval_new(x->p, &x->e, &x->err);
    if (code == VS_OK)
        code = rego_eval_begin(x->e, &in, &x->err);
    if (code == VS_OK)
        code = rego_eval_query(x->e, rego_collect, &x->answers, &x->diag, &x->err);
    if (code != VS_OK)
        (void)rego_complain(&x->s, &x->diag, &x->err);
    return code == VS_OK;
}

static bool is_format(const char *format, const char *const *known, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(format, known[i]) == 0)
            return true;
    fprintf(stderr, "vouchsafe rego: unknown --format '%s'\n", format);
    return false;
}

int rego_run_eval(void *opts)
{
    const rego_cli *o = opts;
    static const char *const formats[] = {"json", "pretty", "raw"};
    session x;
    if (!is_format(o->format, formats, VS_COUNT(formats)))
        return CLI_EXIT_USAGE;
    bool ok = run(&x, o, o->query, o->explain);
    if (ok)
        print_results(o, &x.s.a, vs_vec_end_array(&x.answers.results));
    if (o->explain && x.e) {
        VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(TEXT_MAX);
        bool tty = rego_is_tty(STDERR_FILENO);
        print_reasons(&out, rego_eval_explain(x.e, NULL, &x.s.a), tty, tty);
        fprintf(stderr, "%.*s", VS_FMT(vs_buf_span(&out)));
    }
    session_free(&x);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- explain -----------------------------------------------------------------------------------
 */

int rego_run_explain(void *opts)
{
    const rego_cli *o = opts;
    static const char *const formats[] = {"auto", "tree", "json"};
    session x;
    if (!is_format(o->format, formats, VS_COUNT(formats)))
        return CLI_EXIT_USAGE;
    bool tty = rego_is_tty(STDOUT_FILENO), ok = run(&x, o, o->query, true);
    if (x.e) {
        VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(TEXT_MAX);
        bool tree = strcmp(o->format, "tree") == 0 || (strcmp(o->format, "auto") == 0 && tty);
        vs_val results = vs_vec_end_array(&x.answers.results);
        if (tree) {
            vs_buf_printf(&out, "%s", o->query);
            if (results.len == 0)
                vs_buf_puts(&out, " is undefined\n");
            else {
                rego_cli raw = *o;
                raw.format = "raw";
                vs_buf_puts(&out, " = ");
                print_values(&raw, results, &out);
            }
        }
        print_reasons(&out, rego_eval_explain(x.e, NULL, &x.s.a), tree, tty);
        put(&out);
    }
    session_free(&x);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- check and build ---------------------------------------------------------------------------
 */

static int compile_files(const rego_cli *o, bool dump)
{
    rego_sources s;
    vs_error err = {0};
    int rc = EXIT_SUCCESS;
    rego_sources_init(&s);
    if (rego_sources_add_all(&s, &o->files, o->v0, &err) != VS_OK) {
        rc = rego_complain(NULL, NULL, &err);
    } else {
        rego_program *p = rego_tool_compile(o, &s, NULL);
        rc = p ? EXIT_SUCCESS : EXIT_FAILURE;
        if (p && dump) {
            VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(TEXT_MAX);
            rego_program_dump(p, &s.a, &out);
            put(&out);
        }
        rego_program_unref(&p);
    }
    rego_sources_free(&s);
    return rc;
}

int rego_run_check(void *opts)
{
    return compile_files(opts, false);
}

int rego_run_build(void *opts)
{
    const rego_cli *o = opts;
    return compile_files(o, o->dump);
}
