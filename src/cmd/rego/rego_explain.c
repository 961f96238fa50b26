/* SPDX-License-Identifier: Apache-2.0 */
/* explain: which expressions held, which failed and why, and what was consulted. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "as/policy.h"
#include "cmd/rego/rego_tool.h"
#include "value/json.h"

enum { TEXT_MAX = 64 << 20, SHOWN_MAX = 160, INDENT_MAX = 16 };

typedef struct printer {
    vs_buf *out;
    bool color;
} printer;

static void put_colored(const printer *p, const char *color, vs_span text)
{
    if (p->color)
        vs_buf_printf(p->out, "\033[%sm%.*s\033[0m", color, VS_FMT(text));
    else
        vs_buf_put(p->out, text);
}

/* Expressions may stand on several lines; here they are on one. */
static void put_line(const printer *p, vs_span text)
{
    bool space = false;
    size_t start = p->out->n;
    for (size_t i = 0; i < text.n && p->out->n - start < SHOWN_MAX; i++) {
        uint8_t c = text.p[i];
        if (c <= ' ') {
            space = true;
            continue;
        }
        if (space && p->out->n > start)
            vs_buf_putc(p->out, ' ');
        space = false;
        vs_buf_putc(p->out, (char)c);
    }
    if (p->out->n - start >= SHOWN_MAX)
        vs_buf_puts(p->out, "...");
}

static void indent(const printer *p, int64_t depth)
{
    for (int64_t i = 0; i < depth && i < INDENT_MAX; i++)
        vs_buf_puts(p->out, "  ");
}

/* "input.a = 1 is not 2", only when that says more than the expression itself. */
static void put_reason(const printer *p, vs_val failed, int64_t depth)
{
    if (vs_getc(failed, "operands").len == 0)
        return;
    indent(p, depth);
    vs_buf_puts(p->out, "         ");
    as_policy_explain(p->out, failed);
    vs_buf_putc(p->out, '\n');
}

static void put_definition(const printer *p, vs_val d)
{
    int64_t depth = vs_getc(d, "depth").u.i;
    vs_val held = vs_getc(d, "held"), failed = vs_getc(d, "failed");
    indent(p, depth);
    put_colored(p, "1", vs_text(vs_getc(d, "rule")));
    vs_buf_printf(p->out, "  %.*s:%lld  ", VS_FMT(vs_text(vs_getc(d, "file"))),
                  (long long)vs_getc(d, "row").u.i);
    if (vs_is_true(vs_getc(d, "error")))
        put_colored(p, "1;31", VS_LIT("an error ended the evaluation here"));
    else if (vs_is_true(vs_getc(d, "succeeded")))
        put_colored(p, "32", VS_LIT("holds"));
    else
        put_colored(p, "31", VS_LIT("does not hold"));
    vs_buf_putc(p->out, '\n');
    for (VS_ARR_FOR (h, held)) {
        indent(p, depth);
        vs_buf_puts(p->out, "  true   ");
        put_line(p, vs_text(vs_getc(*h, "text")));
        vs_buf_putc(p->out, '\n');
    }
    if (!vs_defined(failed))
        return;
    indent(p, depth);
    vs_buf_puts(p->out, "  ");
    put_colored(p, "31", VS_LIT("failed"));
    vs_buf_putc(p->out, ' ');
    put_line(p, vs_text(vs_getc(failed, "text")));
    vs_buf_putc(p->out, '\n');
    put_reason(p, failed, depth);
}

static void put_consulted(const printer *p, vs_val c)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    vs_span from = vs_text(vs_getc(c, "missing_from"));
    vs_val value = vs_getc(c, "value");
    vs_buf_puts(p->out, "  ");
    put_line(p, vs_text(vs_getc(c, "path")));
    if (vs_is_true(vs_getc(c, "replaced")))
        vs_buf_puts(p->out, " (inside `with`)");
    if (!vs_is_true(vs_getc(c, "exists"))) {
        vs_buf_puts(p->out, "  ");
        put_colored(p, "33", VS_LIT("does not exist"));
        if (from.n)
            vs_buf_printf(p->out, ": there is no %.*s", VS_FMT(from));
    } else if (vs_defined(value)) {
        vs_json_print(&text, value);
        vs_buf_puts(p->out, " = ");
        put_line(p, vs_buf_span(&text));
    }
    vs_buf_putc(p->out, '\n');
}

void rego_print_report(vs_buf *out, vs_val report, bool color)
{
    printer p = {out, color};
    vs_val definitions = vs_getc(report, "definitions"), consulted = vs_getc(report, "consulted");
    int64_t omitted = vs_getc(report, "omitted").u.i;
    for (VS_ARR_FOR (d, definitions))
        put_definition(&p, *d);
    if (consulted.len)
        vs_buf_puts(out, "consulted\n");
    for (VS_ARR_FOR (c, consulted))
        put_consulted(&p, *c);
    if (omitted)
        vs_buf_printf(out, "and %lld more that were not kept\n", (long long)omitted);
}

static bool size_of_values(const char *text, size_t *out)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (errno || *end || end == text || *text == '-' || n > 1 << 20) {
        fprintf(stderr, "vouchsafe rego: --values must be a number from 0 to 1048576\n");
        return false;
    }
    *out = n;
    return true;
}

static void print_answer(vs_buf *out, const rego_cli *o, vs_val results)
{
    vs_buf_puts(out, o->query);
    if (results.len == 0) {
        vs_buf_puts(out, " is undefined\n");
        return;
    }
    vs_buf_puts(out, " = ");
    rego_print_values(out, results, true);
}

/* A query that is the path of a rule is explained alone; of any other, all that it used. */
static const char *rule_of(const char *query)
{
    size_t n = strspn(query, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
    return strncmp(query, "data.", 5) == 0 && query[n] == 0 ? query : NULL;
}

int rego_run_explain(void *opts)
{
    const rego_cli *o = opts;
    static const char *const formats[] = {"auto", "tree", "json"};
    rego_session x;
    size_t value_max;
    if (!rego_is_format(o->format, formats, VS_COUNT(formats)) ||
        !size_of_values(o->values, &value_max))
        return CLI_EXIT_USAGE;
    bool ok = rego_session_run(&x, o, true), tty = isatty(STDOUT_FILENO);
    if (x.e) {
        VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(TEXT_MAX);
        vs_val report = rego_eval_report(x.e, rule_of(o->query), value_max, &x.s.a);
        bool tree = strcmp(o->format, "tree") == 0 || (strcmp(o->format, "auto") == 0 && tty);
        if (tree) {
            if (ok && value_max)
                print_answer(&out, o, x.results);
            rego_print_report(&out, report, rego_is_tty(STDOUT_FILENO));
        } else {
            vs_json_print_pretty(&out, report);
            vs_buf_putc(&out, '\n');
        }
        (void)fwrite(out.p ? out.p : (const uint8_t *)"", 1, out.n, stdout);
    }
    rego_session_free(&x);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
