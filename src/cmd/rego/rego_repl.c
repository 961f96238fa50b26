/* SPDX-License-Identifier: Apache-2.0 */
/* repl: reads rules and queries, evaluates them at once. Line editing by libedit. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef HAVE_LIBEDIT
#include <editline/readline.h>
#endif

#include "cmd/rego/rego_tool.h"
#include "rego/builtin.h"
#include "value/json.h"

enum { TEXT_MAX = 16 << 20 };

static const char help[] =
    "An expression is evaluated, a rule is added: x := 1, input.user, p if count(data.list) > 2\n"
    "Commands: :rules  :undo  :input FILE  :load FILE  :help  :quit\n";

typedef struct repl {
    const rego_cli *o;
    rego_sources s;
    vs_val input;
    vs_buf rules; /* typed in so far, behind "package repl" */
    size_t before_last;
    bool color;
} repl;

static char *read_line(bool tty)
{
#ifdef HAVE_LIBEDIT
    if (tty) {
        char *line = readline("> ");
        if (line && *line)
            (void)add_history(line);
        return line;
    }
#endif
    char *line = NULL;
    size_t room = 0;
    if (tty) {
        fputs("> ", stdout);
        (void)fflush(stdout);
    }
    ssize_t n = getline(&line, &room, stdin);
    if (n < 0) {
        free(line);
        return NULL;
    }
    while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
        line[--n] = 0;
    return line;
}

static void show(void *user, vs_val bindings, vs_val values)
{
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(TEXT_MAX);
    ++*(size_t *)user;
    vs_val value = vs_getc(bindings, "repl_value__");
    if (vs_defined(value)) {
        rego_print_value(&out, value);
        printf("%.*s\n", VS_FMT(vs_buf_span(&out)));
        return;
    }
    if (bindings.len) {
        rego_print_value(&out, bindings);
        printf("%.*s\n", VS_FMT(vs_buf_span(&out)));
        return;
    }
    for (VS_ARR_FOR (v, values)) {
        rego_print_value(&out, *v);
        vs_buf_putc(&out, '\n');
    }
    printf("%.*s", VS_FMT(vs_buf_span(&out)));
}

/* The files, and what was typed, as package repl. */
static vs_code compile(repl *r, vs_span rules, vs_span query, rego_program **out, rego_diag *d,
                       vs_error *err)
{
    rego_module *mods = vs_alloc_array(&r->s.a, r->s.n + 1, sizeof *mods);
    VS_TRY(vs_arena_check(&r->s.a, err));
    for (size_t i = 0; i < r->s.n; i++)
        mods[i] = r->s.modules[i];
    mods[r->s.n] = (rego_module){.name = "repl", .text = rules, .v0 = r->o->v0};
    rego_options opts = {.query = query, .query_v0 = r->o->v0, .nonstrict_builtin_errors = true};
    return rego_compile(mods, r->s.n + 1, &opts, out, d, err);
}

static void report(const vs_error *err)
{
    char text[VS_ERROR_TEXT];
    printf("%s\n", vs_error_text(err, text, sizeof text));
}

/* A query sees the typed rules by their bare names. */
static bool evaluate(repl *r, const char *line, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf rules = VS_BUF(TEXT_MAX);
    rego_program *p = NULL;
    rego_eval *e = NULL;
    rego_diag d = {0};
    size_t solutions = 0;
    vs_buf_put(&rules, vs_buf_span(&r->rules));
    rego_inputs in = rego_tool_inputs(&r->s, r->input);
    /* As the body of a rule the expression has the scope of the package. */
    vs_buf_printf(&rules, "repl_query__ contains v__ if { v__ := [r__ | r__ = (%s)] }\n", line);
    vs_code code = compile(r, vs_buf_span(&rules), VS_LIT("data.repl.repl_query__[[repl_value__]]"),
                           &p, &d, err);
    if (code != VS_OK) {
        *err = (vs_error){0};
        code = compile(r, vs_buf_span(&r->rules), vs_str(line), &p, &d, err);
    }
    if (code == VS_OK)
        code = rego_eval_new(p, &e, err);
    if (code == VS_OK)
        code = rego_eval_begin(e, &in, err);
    if (code == VS_OK)
        code = rego_eval_query(e, show, &solutions, &d, err);
    if (code == VS_OK && solutions == 0)
        puts("undefined");
    rego_eval_free(&e);
    rego_program_unref(&p);
    return code == VS_OK;
}

static bool add_rule(repl *r, const char *line, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf rules = VS_BUF(TEXT_MAX);
    rego_program *p = NULL;
    vs_buf_put(&rules, vs_buf_span(&r->rules));
    vs_buf_printf(&rules, "%s\n", line);
    if (compile(r, vs_buf_span(&rules), vs_span_of(NULL, 0), &p, NULL, err) != VS_OK)
        return false;
    rego_program_unref(&p);
    r->before_last = r->rules.n;
    vs_buf_printf(&r->rules, "%s\n", line);
    return true;
}

static void command(repl *r, const char *line)
{
    vs_error err = {0};
    if (strcmp(line, ":help") == 0) {
        fputs(help, stdout);
    } else if (strcmp(line, ":rules") == 0) {
        printf("%.*s", VS_FMT(vs_buf_span(&r->rules)));
    } else if (strcmp(line, ":undo") == 0) {
        if (r->before_last)
            vs_buf_truncate(&r->rules, r->before_last);
        r->before_last = 0;
    } else if (strncmp(line, ":input ", 7) == 0) {
        if (rego_read_document(&r->s.a, line + 7, &r->input, &err) != VS_OK)
            report(&err);
    } else if (strncmp(line, ":load ", 6) == 0) {
        if (rego_sources_add(&r->s, line + 6, r->o->v0, &err) != VS_OK)
            report(&err);
    } else {
        printf("unknown command; %s", help);
    }
}

static void take(repl *r, const char *line)
{
    vs_error as_rule = {0}, as_query = {0};
    if (line[0] == ':') {
        command(r, line);
        return;
    }
    if (line[strspn(line, " \t")] == 0)
        return;
    bool assigns = strstr(line, ":=") || strstr(line, " if ") || strstr(line, " contains ") ||
                   strncmp(line, "import ", 7) == 0 || strncmp(line, "default ", 8) == 0;
    if (assigns && add_rule(r, line, &as_rule))
        return;
    if (!evaluate(r, line, &as_query))
        report(assigns ? &as_rule : &as_query);
}

int rego_run_repl(void *opts)
{
    repl r = {.o = opts, .rules = VS_BUF(TEXT_MAX)};
    vs_error err = {0};
    bool tty = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    rego_sources_init(&r.s);
    int rc = EXIT_SUCCESS;
    if (rego_sources_add_all(&r.s, &r.o->files, r.o->v0, &err) != VS_OK ||
        rego_sources_add_all(&r.s, &r.o->data, r.o->v0, &err) != VS_OK ||
        (r.o->input && rego_read_document(&r.s.a, r.o->input, &r.input, &err) != VS_OK)) {
        rc = rego_complain(NULL, NULL, &err);
    } else {
        vs_buf_puts(&r.rules, "package repl\n");
        if (tty)
            fputs(help, stdout);
        for (char *line; (line = read_line(tty)) != NULL; free(line)) {
            if (strcmp(line, ":quit") == 0 || strcmp(line, "exit") == 0) {
                free(line);
                break;
            }
            take(&r, line);
        }
    }
    vs_buf_free(&r.rules);
    rego_sources_free(&r.s);
    return rc;
}
