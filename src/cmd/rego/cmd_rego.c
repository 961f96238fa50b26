/* SPDX-License-Identifier: Apache-2.0 */
/* `vouchsafe rego`: its subcommands as tables. */
#include "cmd/commands.h"
#include "cmd/rego/rego_tool.h"

#define AT(member) .at = offsetof(rego_cli, member)

#define DATA                                                                                       \
    {                                                                                              \
        .name = "data", .letter = 'd', .value = "PATH", .repeat = true, AT(data),                  \
        .help = "Policy (.rego), base document (.json, .yaml), or a folder of them"                \
    }
#define INPUT                                                                                      \
    {                                                                                              \
        .name = "input", .letter = 'i', .value = "FILE", AT(input),                                \
        .help = "Input document (JSON, YAML); - is standard input"                                 \
    }
#define STDIN_INPUT                                                                                \
    {                                                                                              \
        .name = "stdin-input", .letter = 'I', AT(stdin_input),                                     \
        .help = "Read the input document from standard input"                                      \
    }
#define PACKAGE                                                                                    \
    {                                                                                              \
        .name = "package", .value = "PATH", AT(package),                                           \
        .help = "Package of the query, such as policy: its rules need no prefix"                   \
    }
#define IMPORT                                                                                     \
    {                                                                                              \
        .name = "import", .value = "PATH", .repeat = true, AT(imports),                            \
        .help = "Import of the query, such as \"data.policy as p\""                                \
    }
#define V0                                                                                         \
    {                                                                                              \
        .name = "v0-compatible", AT(v0), .help = "Policies are in Rego v0 syntax"                  \
    }
#define STRICT                                                                                     \
    {                                                                                              \
        .name = "strict", .letter = 'S', AT(strict),                                               \
        .help = "Comparisons that can never hold are errors, as in OPA"                            \
    }
#define LEGACY_NOT                                                                                 \
    {                                                                                              \
        .name = "legacy-not", AT(legacy_not),                                                      \
        .help = "`not f(input.x)` fails when input.x is undefined, as in released OPA"             \
    }
#define NONSTRICT                                                                                  \
    {                                                                                              \
        .name = "nonstrict", AT(nonstrict),                                                        \
        .help = "A failing builtin is undefined instead of an error"                               \
    }

static const cli_option eval_options[] = {
    DATA,
    INPUT,
    STDIN_INPUT,
    {.name = "format",
     .letter = 'f',
     .value = "FORM",
     .fallback = "json",
     AT(format),
     .help = "json (as opa eval), values, bindings, pretty or raw"},
    {.name = "fail", AT(fail), .help = "Exit with 1 when the query is undefined"},
    {.name = "fail-defined", AT(fail_defined), .help = "Exit with 1 when it is not"},
    PACKAGE,
    IMPORT,
    V0,
    STRICT,
    LEGACY_NOT,
    NONSTRICT,
    {.name = "strict-builtin-errors", AT(discarded)}, /* is so anyway */
    {.name = "explain",
     AT(explain),
     .help = "Also tell, on standard error, which expressions failed and why"},
    {0}};
static const cli_option explain_options[] = {DATA,
                                             INPUT,
                                             STDIN_INPUT,
                                             PACKAGE,
                                             IMPORT,
                                             {.name = "format",
                                              .letter = 'f',
                                              .value = "FORM",
                                              .fallback = "auto",
                                              AT(format),
                                              .help = "tree, json, or auto: tree on a terminal"},
                                             {.name = "values",
                                              .value = "BYTES",
                                              .fallback = "4096",
                                              AT(values),
                                              .help = "Cut longer values; 0: show no values"},
                                             V0,
                                             LEGACY_NOT,
                                             NONSTRICT,
                                             {0}};
static const cli_option check_options[] = {V0, STRICT, {0}};
static const cli_option test_options[] = {
    DATA,
    {.name = "run",
     .letter = 'r',
     .value = "REGEX",
     AT(run),
     .help = "Only tests whose path matches"},
    {.name = "coverage", .letter = 'c', AT(coverage), .help = "Tell which lines were evaluated"},
    {.name = "threshold",
     .value = "PERCENT",
     AT(threshold),
     .help = "Fail when fewer lines were evaluated"},
    {.name = "verbose", .letter = 'v', AT(verbose), .help = "Tell passing tests too"},
    {.name = "format",
     .letter = 'f',
     .value = "FORM",
     .fallback = "pretty",
     AT(format),
     .help = "pretty or json"},
    V0,
    LEGACY_NOT,
    NONSTRICT,
    {0}};
static const cli_option bench_options[] = {
    DATA,
    INPUT,
    {.name = "count",
     .letter = 'n',
     .value = "N",
     .fallback = "1000",
     AT(count),
     .help = "Number of evaluations"},
    {.name = "explain", AT(explain), .help = "With all that explain needs recorded"},
    V0,
    LEGACY_NOT,
    NONSTRICT,
    {0}};
static const cli_option fmt_options[] = {
    {.name = "write", .letter = 'w', AT(write), .help = "Overwrite the files"},
    {.name = "list", .letter = 'l', AT(list), .help = "Only name the files that would change"},
    {.name = "fail", AT(fail), .help = "Exit with 1 when a file would change"},
    V0,
    {0}};
static const cli_option build_options[] = {
    {.name = "dump", AT(dump), .help = "Print the bytecode"}, V0, STRICT, LEGACY_NOT, {0}};
static const cli_option repl_options[] = {DATA, INPUT, V0, {0}};

static const cli_argument query[] = {
    {.name = "QUERY",
     .help = "Such as data.policy.allow or \"x = data.policy.trust_claims\"",
     .required = true,
     AT(query)},
    {0}};
static const cli_argument files[] = {{.name = "PATH",
                                      .help = "Policies that belong together, files or folders",
                                      .required = true,
                                      .repeat = true,
                                      AT(files)},
                                     {0}};
static const cli_argument some_files[] = {
    {.name = "PATH", .help = "Policies and documents, files or folders", .repeat = true, AT(files)},
    {0}};

static const cli_command commands[] = {
    {.name = "eval",
     .summary = "Evaluate a query",
     .options = eval_options,
     .arguments = query,
     .run = rego_run_eval,
     .more = "  Exit code 0: evaluated, also to undefined; 1: --fail or --fail-defined says so; 2: "
             "an error.\n"},
    {.name = "check",
     .summary = "Parse and check policies",
     .options = check_options,
     .arguments = files,
     .run = rego_run_check},
    {.name = "explain",
     .summary = "Tell why a rule has the value it has",
     .options = explain_options,
     .arguments = query,
     .run = rego_run_explain},
    {.name = "test",
     .summary = "Run the rules named test_*",
     .options = test_options,
     .arguments = files,
     .run = rego_run_test,
     .more = "  Exit code 0: all pass, 2: some fail or --threshold is missed, 1: they could not be "
             "run.\n"},
    {.name = "bench",
     .summary = "Time a query",
     .options = bench_options,
     .arguments = query,
     .run = rego_run_bench},
    {.name = "fmt",
     .summary = "Print policies in the usual layout",
     .options = fmt_options,
     .arguments = some_files,
     .run = rego_run_fmt,
     .more = "  Without PATH standard input is formatted.\n"},
    {.name = "build",
     .summary = "Compile, and show the bytecode",
     .options = build_options,
     .arguments = files,
     .run = rego_run_build},
    {.name = "repl",
     .summary = "Try rules and queries",
     .options = repl_options,
     .arguments = some_files,
     .run = rego_run_repl},
    {0}};

static const cli_command top = {
    .name = "vouchsafe rego",
    .summary = "Evaluate, check and test Rego policies",
    .commands = commands,
    .more = "  vouchsafe rego eval -d policies/default_cpu.rego -i input.json "
            "data.policy.trust_claims\n"
            "  vouchsafe rego test --coverage policies/\n"
            "  vouchsafe rego explain -d policy.rego -i input.json data.policy.allow\n"};

int cmd_rego(int argc, char **argv)
{
    rego_cli o = {0};
    return cli_main(&top, argc, argv, &o);
}
