/* SPDX-License-Identifier: Apache-2.0 */
/* `vouchsafe rego`: evaluate and check policies from the command line. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/io.h"
#include "cmd/cli.h"
#include "cmd/commands.h"
#include "rego/engine.h"
#include "value/json.h"

enum { FILE_MAX = 64 << 20 };

typedef struct options {
    cli_list data, files;
    const char *input, *query, *format;
    bool v0, nonstrict, explain;
} options;

#define AT(member) .at = offsetof(options, member)

static int run_eval(void *opts);
static int run_check(void *opts);

static const cli_option eval_options[] = {
    {.name = "data",
     .letter = 'd',
     .value = "FILE",
     .repeat = true,
     AT(data),
     .help = "Policy (.rego) or base document (.json); may be repeated"},
    {.name = "input",
     .letter = 'i',
     .value = "FILE",
     AT(input),
     .help = "Input document (JSON); - is standard input"},
    {.name = "format",
     .letter = 'f',
     .value = "FORM",
     .fallback = "json",
     AT(format),
     .help = "json (as opa eval), pretty or raw (values only)"},
    {.name = "v0-compatible", AT(v0), .help = "Policies are in Rego v0 syntax"},
    {.name = "nonstrict",
     AT(nonstrict),
     .help = "A failing builtin is undefined instead of an error"},
    {.name = "explain",
     AT(explain),
     .help = "Also tell, on standard error, which expressions failed and why"},
    {0}};
static const cli_argument eval_arguments[] = {
    {.name = "QUERY",
     .help = "Such as data.policy.allow or \"x = data.policy.trust_claims\"",
     .required = true,
     AT(query)},
    {0}};
static const cli_option check_options[] = {
    {.name = "v0-compatible", AT(v0), .help = "Policies are in Rego v0 syntax"}, {0}};
static const cli_argument check_arguments[] = {{.name = "FILE",
                                                .help = "Policies that are compiled together",
                                                .required = true,
                                                .repeat = true,
                                                AT(files)},
                                               {0}};

static const cli_command commands[] = {{.name = "eval",
                                        .summary = "Evaluate a query",
                                        .options = eval_options,
                                        .arguments = eval_arguments,
                                        .run = run_eval},
                                       {.name = "check",
                                        .summary = "Parse and check policies",
                                        .options = check_options,
                                        .arguments = check_arguments,
                                        .run = run_check},
                                       {0}};
static const cli_command top = {.name = "vouchsafe rego",
                                .summary = "Evaluate and check Rego policies",
                                .commands = commands,
                                .more = "  vouchsafe rego eval -d policies/default_cpu.rego -i "
                                        "input.json data.policy.trust_claims\n"};

/* query_reference_value is declared so that attestation policies can be tried; it knows no values.
 */
static const rego_host_decl hosts[] = {{"query_reference_value", 1}};

static vs_code no_reference_values(void *user, const char *name, const vs_val *args, unsigned n,
                                   vs_arena *a, vs_val *out, vs_error *err)
{
    (void)user, (void)name, (void)args, (void)n, (void)a, (void)err;
    *out = vs_null();
    return VS_OK;
}

typedef struct sources {
    rego_module modules[CLI_LIST_MAX];
    size_t n;
    vs_val data;
} sources;

static vs_code read_text(vs_arena *a, const char *path, vs_span *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(FILE_MAX);
    VS_TRY(vs_read_file(path, &b, err));
    *out = vs_dup(a, vs_buf_span(&b));
    return vs_arena_check(a, err);
}

static vs_code read_json(vs_arena *a, const char *path, vs_val *out, vs_error *err)
{
    vs_span text;
    VS_TRY(read_text(a, path, &text, err));
    vs_json_opts opts = {.dup_last_wins = true};
    VS_TRY_WRAP(vs_json_parse(a, text, &opts, out, err), err, "%s", path);
    return VS_OK;
}

static vs_code read_sources(vs_arena *a, const cli_list *files, bool v0, sources *s, vs_error *err)
{
    vs_obj data = {.a = a};
    for (size_t i = 0; i < files->n; i++) {
        const char *path = files->items[i];
        if (vs_span_ends(vs_str(path), VS_LIT(".json"))) {
            vs_val doc;
            VS_TRY(read_json(a, path, &doc, err));
            if (doc.kind != VS_OBJECT)
                return vs_fail(err, VS_E_INVALID, "%s: a base document must be an object", path);
            for (VS_OBJ_FOR (p, doc))
                vs_obj_add(&data, p->key, p->val);
            continue;
        }
        rego_module *m = &s->modules[s->n++];
        *m = (rego_module){.name = path, .v0 = v0};
        VS_TRY(read_text(a, path, &m->text, err));
    }
    s->data = vs_obj_end(&data, VS_DUP_LAST, NULL);
    return vs_arena_check(a, err);
}

static int complain(const vs_error *err)
{
    char text[VS_ERROR_TEXT];
    fprintf(stderr, "vouchsafe rego: %s\n", vs_error_text(err, text, sizeof text));
    return EXIT_FAILURE;
}

/* Collects solutions in the shape of `opa eval`, or only their values. */
typedef struct collector {
    vs_arena *a;
    vs_vec results;
    const char *query;
    bool full;
} collector;

static void collect(void *user, vs_val bindings, vs_val values)
{
    collector *c = user;
    vs_val kept = vs_copy(c->a, values);
    if (!c->full) {
        for (VS_ARR_FOR (v, kept))
            vs_vec_add(&c->results, *v);
        return;
    }
    vs_vec expressions = {.a = c->a};
    for (VS_ARR_FOR (v, kept)) {
        vs_obj e = {.a = c->a};
        vs_obj_put(&e, "value", *v);
        vs_obj_put(&e, "text", vs_cstring(c->query));
        vs_vec_add(&expressions, vs_obj_end(&e, VS_DUP_LAST, NULL));
    }
    vs_obj solution = {.a = c->a};
    vs_obj_put(&solution, "expressions", vs_vec_end_array(&expressions));
    if (bindings.len)
        vs_obj_put(&solution, "bindings", vs_copy(c->a, bindings));
    vs_vec_add(&c->results, vs_obj_end(&solution, VS_DUP_LAST, NULL));
}

static void print_results(const options *o, collector *c)
{
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(FILE_MAX);
    vs_val results = vs_vec_end_array(&c->results);
    if (c->full) {
        vs_obj doc = {.a = c->a};
        if (results.len)
            vs_obj_put(&doc, "result", results);
        vs_json_print_pretty(&out, vs_obj_end(&doc, VS_DUP_LAST, NULL));
        vs_buf_putc(&out, '\n');
    } else {
        for (VS_ARR_FOR (v, results)) {
            if (strcmp(o->format, "raw") == 0 && v->kind == VS_STRING)
                vs_buf_put(&out, vs_text(*v));
            else
                vs_json_print_pretty(&out, *v);
            vs_buf_putc(&out, '\n');
        }
    }
    (void)fwrite(out.p ? out.p : (const uint8_t *)"", 1, out.n, stdout);
}

static void print_explanation(rego_eval *e, vs_arena *a)
{
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(FILE_MAX);
    vs_json_print_pretty(&out, rego_eval_explain(e, NULL, a));
    fprintf(stderr, "%.*s\n", VS_FMT(vs_buf_span(&out)));
}

static vs_code eval(const options *o, vs_arena *a, collector *c, vs_error *err)
{
    sources s = {0};
    VS_TRY(read_sources(a, &o->data, o->v0, &s, err));
    rego_inputs in = {
        .data = s.data, .now_ns = vs_now_ns(), .host = no_reference_values, .explain = o->explain};
    vs_random(&in.seed, sizeof in.seed);
    if (o->input)
        VS_TRY(read_json(a, o->input, &in.input, err));
    rego_options opts = {.hosts = hosts,
                         .n_hosts = VS_COUNT(hosts),
                         .query = vs_str(o->query),
                         .query_v0 = o->v0,
                         .nonstrict_builtin_errors = o->nonstrict};
    VS_CLEANUP(rego_program_unref) rego_program *program = NULL;
    VS_CLEANUP(rego_eval_free) rego_eval *e = NULL;
    VS_TRY(rego_compile(s.modules, s.n, &opts, &program, NULL, err));
    VS_TRY(rego_eval_new(program, &e, err));
    VS_TRY(rego_eval_begin(e, &in, err));
    vs_code code = rego_eval_query(e, collect, c, NULL, err);
    if (o->explain)
        print_explanation(e, a);
    return code;
}

static int run_eval(void *opts)
{
    const options *o = opts;
    static const char *const formats[] = {"json", "pretty", "raw"};
    bool known = false;
    for (size_t i = 0; i < VS_COUNT(formats); i++)
        known |= strcmp(o->format, formats[i]) == 0;
    if (!known) {
        fprintf(stderr, "vouchsafe rego: --format must be json, pretty or raw, not '%s'\n",
                o->format);
        return CLI_EXIT_USAGE;
    }
    vs_arena a;
    vs_arena_init(&a, (size_t)1 << 30);
    vs_error err = {0};
    collector c = {
        .a = &a, .results = {.a = &a}, .query = o->query, .full = strcmp(o->format, "json") == 0};
    int rc = EXIT_SUCCESS;
    if (eval(o, &a, &c, &err) != VS_OK)
        rc = complain(&err);
    else
        print_results(o, &c);
    vs_arena_free(&a);
    return rc;
}

static int run_check(void *opts)
{
    const options *o = opts;
    vs_arena a;
    vs_arena_init(&a, (size_t)1 << 30);
    vs_error err = {0};
    sources s = {0};
    rego_options ropts = {.hosts = hosts, .n_hosts = VS_COUNT(hosts)};
    VS_CLEANUP(rego_program_unref) rego_program *program = NULL;
    vs_code code = read_sources(&a, &o->files, o->v0, &s, &err);
    if (code == VS_OK)
        code = rego_compile(s.modules, s.n, &ropts, &program, NULL, &err);
    int rc = code == VS_OK ? EXIT_SUCCESS : complain(&err);
    vs_arena_free(&a);
    return rc;
}

int cmd_rego(int argc, char **argv)
{
    options o = {0};
    return cli_main(&top, argc, argv, &o);
}
