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

void rego_print_values(vs_buf *out, vs_val results, bool raw)
{
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

/* The values or the bindings of each solution. */
static void print_each(vs_arena *a, vs_val results, bool values, vs_buf *out)
{
    for (VS_ARR_FOR (r, results)) {
        vs_val v = vs_getc(*r, "bindings"), expressions = vs_getc(*r, "expressions");
        vs_vec list = {.a = a};
        for (VS_ARR_FOR (e, expressions))
            vs_vec_add(&list, vs_getc(*e, "value"));
        if (values)
            v = vs_vec_end_array(&list);
        vs_json_print_pretty(out, vs_defined(v) ? v : vs_empty(VS_OBJECT));
        vs_buf_putc(out, '\n');
    }
}

static void print_json(vs_arena *a, vs_val results, vs_buf *out)
{
    vs_obj doc = {.a = a};
    if (results.len)
        vs_obj_put(&doc, "result", results);
    vs_json_print_pretty(out, vs_obj_end(&doc, VS_DUP_LAST, NULL));
    vs_buf_putc(out, '\n');
}

/* raw: one line per solution, its values separated by spaces. */
static void print_raw(vs_val results, vs_buf *out)
{
    for (VS_ARR_FOR (r, results)) {
        vs_val expressions = vs_getc(*r, "expressions");
        const char *before = "";
        for (VS_ARR_FOR (e, expressions)) {
            vs_val v = vs_getc(*e, "value");
            vs_buf_puts(out, before);
            if (v.kind == VS_STRING)
                vs_buf_put(out, vs_text(v));
            else
                vs_json_print(out, v);
            before = " ";
        }
        vs_buf_putc(out, '\n');
    }
}

static void print_results(const rego_cli *o, vs_arena *a, vs_val results)
{
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(TEXT_MAX);
    if (strcmp(o->format, "json") == 0)
        print_json(a, results, &out);
    else if (strcmp(o->format, "raw") == 0)
        print_raw(results, &out);
    else if (strcmp(o->format, "pretty") != 0)
        print_each(a, results, strcmp(o->format, "values") == 0, &out);
    else if (results.len == 0)
        vs_buf_puts(&out, "undefined\n");
    else if (vs_getc(results.u.items[0], "bindings").len)
        rego_print_table(&out, results);
    else
        rego_print_values(&out, results, false);
    put(&out);
}

/* 1 when --fail or --fail-defined says so. */
static int exit_code(const rego_cli *o, vs_val results)
{
    bool fails = (o->fail && results.len == 0) || (o->fail_defined && results.len);
    return fails ? EXIT_FAILURE : EXIT_SUCCESS;
}

int rego_run_eval(void *opts)
{
    const rego_cli *o = opts;
    static const char *const formats[] = {"json", "values", "bindings", "pretty", "raw"};
    rego_session x;
    if (!rego_is_format(o->format, formats, VS_COUNT(formats)))
        return CLI_EXIT_USAGE;
    bool ok = rego_session_run(&x, o, o->explain);
    if (ok)
        print_results(o, &x.s.a, x.results);
    if (o->explain && x.e) {
        VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(TEXT_MAX);
        bool tty = isatty(STDERR_FILENO);
        vs_val report = rego_eval_report(x.e, NULL, REGO_SHOWN_MAX, &x.s.a);
        if (tty)
            rego_print_report(&out, report, rego_is_tty(STDERR_FILENO));
        else
            vs_json_print_pretty(&out, report);
        fprintf(stderr, "%.*s%s", VS_FMT(vs_buf_span(&out)), tty ? "" : "\n");
    }
    int code = ok ? exit_code(o, x.results) : CLI_EXIT_USAGE; /* 2, as opa eval */
    rego_session_free(&x);
    return code;
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
