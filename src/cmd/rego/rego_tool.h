/* SPDX-License-Identifier: Apache-2.0 */
/* What the subcommands of `vouchsafe rego` share: options, files, messages. */
#ifndef VS_CMD_REGO_TOOL_H
#define VS_CMD_REGO_TOOL_H

#include "cmd/cli.h"
#include "rego/engine.h"

typedef struct rego_cli {
    cli_list data, files, imports;
    const char *input, *query, *format, *run, *count, *values, *package, *threshold;
    bool v0, nonstrict, legacy_not, strict, explain, dump, write, list, coverage, verbose;
    bool stdin_input, fail, fail_defined, discarded;
} rego_cli;

int rego_run_eval(void *opts);
int rego_run_check(void *opts);
int rego_run_explain(void *opts);
int rego_run_test(void *opts);
int rego_run_bench(void *opts);
int rego_run_fmt(void *opts);
int rego_run_build(void *opts);
int rego_run_repl(void *opts);

enum { REGO_FILES_MAX = 4096 };

/* Policies and base documents read from files and folders. */
typedef struct rego_sources {
    vs_arena a;
    rego_module *modules;
    size_t n, room;
    vs_val data;
} rego_sources;

void rego_sources_init(rego_sources *s);
void rego_sources_free(rego_sources *s);
/* A .rego file, a .json or .yaml base document, or a folder of them, read recursively; documents in
 * subfolders are placed below the folders' names. */
VS_MUST vs_code rego_sources_add(rego_sources *s, const char *path, bool v0, vs_error *err);
VS_MUST vs_code rego_sources_add_all(rego_sources *s, const cli_list *paths, bool v0,
                                     vs_error *err);
/* A JSON or YAML document; "-" is standard input. */
VS_MUST vs_code rego_read_document(vs_arena *a, const char *path, vs_val *out, vs_error *err);

/* Compiles with the options of the command line; a failure is reported with the line it is about.
 */
rego_program *rego_tool_compile(const rego_cli *o, const rego_sources *s, const char *query);
/* query_reference_value() is declared, so that attestation policies can be tried; it knows no
 * value. */
rego_inputs rego_tool_inputs(const rego_sources *s, vs_val input);
/* "vouchsafe rego: ..." on standard error, with the source line below it if there is a place.
 * Returns EXIT_FAILURE. */
int rego_complain(const rego_sources *s, const rego_diag *d, const vs_error *err);
/* Colours only on a terminal, and not with NO_COLOR. */
bool rego_is_tty(int fd);

/* Solutions in the shape of `opa eval`. */
typedef struct rego_answers {
    vs_arena *a;
    vs_vec results;
    const char *query;
} rego_answers;
void rego_collect(void *user, vs_val bindings, vs_val values);

/* One value per line; bindings as objects. `raw`: strings without quotes, others on one line. */
void rego_print_values(vs_buf *out, vs_val results, bool raw);
/* The bindings of all solutions, a line each. */
void rego_print_table(vs_buf *out, vs_val results);
/* False after telling that there is no such --format. */
bool rego_is_format(const char *format, const char *const *known, size_t n);

/* One evaluation of the query of the command line. */
typedef struct rego_session {
    rego_sources s;
    rego_program *p;
    rego_eval *e;
    vs_val results; /* an array of objects, see rego_collect */
    vs_error err;
    rego_diag diag;
} rego_session;
/* Reads, compiles and evaluates; false when the reason has been told. Free it in any case. */
bool rego_session_run(rego_session *x, const rego_cli *o, bool explain);
void rego_session_free(rego_session *x);

enum { REGO_SHOWN_MAX = 4096 }; /* bytes of a value in a report */
/* A report of rego_eval_report, as a tree for people. */
void rego_print_report(vs_buf *out, vs_val report, bool color);

#endif
