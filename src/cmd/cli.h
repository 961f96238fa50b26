/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines as tables: a program is a tree of commands with options and arguments, which are
 * written into a struct of the program's own. Help, usage errors and "did you mean" follow from the
 * tables.
 *
 *   struct opts { const char *url; bool json; const char *file; };
 *   static const cli_option options[] = {
 *       {.name = "url", .value = "URL", .at = offsetof(struct opts, url), .fallback = "http://...",
 *        .help = "Server to speak to"},
 *       {.name = "json", .letter = 'j', .at = offsetof(struct opts, json), .help = "Print JSON"},
 *       {0}};
 *
 * Forms: --name VALUE, --name=VALUE, -n VALUE, -nVALUE, -abc for flags, "--" ends the options.
 * Options belong to the command they stand behind: those of an outer command stand before the name
 * of the inner one. Given twice is an error unless `repeat`. -h/--help works everywhere, `help` and
 * -V/--version at the top.
 */
#ifndef VS_CMD_CLI_H
#define VS_CMD_CLI_H

#include <stdio.h>

#include "base/span.h"

enum { CLI_LIST_MAX = 64, CLI_OPTIONS_MAX = 64, CLI_DEPTH_MAX = 6 };
enum { CLI_EXIT_USAGE = 2 };

/* Where options and arguments that may be repeated are written. */
typedef struct cli_list {
    const char *items[CLI_LIST_MAX];
    size_t n;
} cli_list;

typedef struct cli_option {
    const char *name; /* without dashes; NULL ends a table */
    char letter;      /* 0 = none */
    const char
        *value; /* placeholder for the value: a `const char *` is written; NULL = a flag: bool */
    const char *help;      /* NULL = works but is not shown */
    size_t at;             /* offsetof in the program's struct */
    bool required, repeat; /* repeat: a cli_list is written */
    unsigned char group;   /* options of one group (not 0) exclude each other */
    const char *env;      /* environment variable used when the option is not given (values only) */
    const char *fallback; /* value when nothing is given */
} cli_option;

typedef struct cli_argument {
    const char *name; /* "INIT_DATA"; NULL ends a table */
    const char *help;
    size_t at;
    bool required, repeat; /* repeat: the last one only; a cli_list is written */
} cli_argument;

typedef struct cli_command {
    const char *name;  /* NULL ends a table */
    const char *alias; /* another name, not shown; NULL = none */
    const char *summary;
    const char *more; /* shown below the options by --help: examples, explanations; may be NULL */
    const cli_option *options;
    const cli_argument *arguments;
    const struct cli_command *commands; /* then one of them must be given */
    int (*run)(void *opts); /* for cli_main, of a command without commands: its exit code */
    const char *version;    /* of the top command: printed by --version as it is */
} cli_command;

/* Reads argv[1..] into `opts`. Returns the chosen command; or NULL with *exit_code set: 0 after
 * help or version went to `out`, 2 after a usage error went to `err`. Texts point into argv, the
 * environment or the tables. */
const cli_command *cli_parse(const cli_command *top, int argc, char **argv, void *opts, FILE *out,
                             FILE *err, int *exit_code);

/* cli_parse on stdout and stderr, then the command's run. */
int cli_main(const cli_command *top, int argc, char **argv, void *opts);

/* The word of the NULL-terminated list that `given` was most likely meant to be, or NULL. */
const char *cli_nearest(const char *given, const char *const *words);

#endif
