/* SPDX-License-Identifier: Apache-2.0 */
/* `vouchsafe`: finds the subcommand, or the program it was called as. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cli.h"
#include "cmd/commands.h"

/* The software realm is another executable, beside this one. */
static int run_realm(int argc, char **argv)
{
    (void)argc;
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - sizeof "-realm");
    if (n > 0) {
        (void)snprintf(path + n, sizeof path - (size_t)n, "-realm");
        (void)execv(path, argv);
    }
    fprintf(stderr, "vouchsafe: cannot run the software realm (vouchsafe-realm): %s\n",
            strerror(errno));
    return EXIT_FAILURE;
}

static const struct command {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"serve", "run KBS, attestation service and reference values in one process", cmd_serve},
    {"config", "show which settings are in effect, and where each comes from", cmd_config},
    {"doctor", "check configuration, keys, store and ports, and say what to do", cmd_doctor},
    {"decode", "show evidence, a CCA token, an EAR or any JWT", cmd_decode},
    {"verify", "check an EAR token and show its trust vector", cmd_verify},
    {"explain", "show why a request was allowed or denied", cmd_explain},
    {"replay", "evaluate a sealed record again, offline", cmd_replay},
    {"dry-run", "list what another policy would have changed", cmd_dry_run},
    {"audit", "check an audit log", cmd_audit},
    {"rego", "evaluate and check policies", cmd_rego},
    {"rim", "compute a realm's measurements without running it", cmd_rim},
    {"corim", "make, sign, check, show and send endorsements", cmd_corim},
    {"realm", "a software CCA realm, a test device for machines without CCA", run_realm},
};

/* Names of Trustee's that are links to this program. */
static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} links[] = {
    {"kbs", cmd_kbs},   {"grpc-as", cmd_grpc_as},     {"restful-as", cmd_restful_as},
    {"rvps", cmd_rvps}, {"rvps-tool", cmd_rvps_tool},
};

static void help(FILE *out)
{
    fputs("Remote attestation and key release for confidential computing.\n\n"
          "usage: vouchsafe COMMAND ...\n\n",
          out);
    for (size_t i = 0; i < VS_COUNT(commands); i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
    fputs("\nvouchsafe COMMAND --help explains a command. To see all of it work: make demo, or\n"
          "man vouchsafe. kbs-client is the client; this program called as `kbs`, `grpc-as`,\n"
          "`restful-as`, `rvps` or `rvps-tool` is that program of Trustee's, with its flags.\n",
          out);
}

static int unknown(const char *name)
{
    const char *names[VS_COUNT(commands) + 1] = {NULL};
    for (size_t i = 0; i < VS_COUNT(commands); i++)
        names[i] = commands[i].name;
    const char *near = cli_nearest(name, names);
    fprintf(stderr, "vouchsafe: unknown command '%s'", name);
    fprintf(stderr, near ? "; did you mean '%s'?\n" : "; see vouchsafe --help\n", near);
    return CLI_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    const char *called = argc > 0 ? (slash ? slash + 1 : argv[0]) : "";
    for (size_t i = 0; i < VS_COUNT(links); i++)
        if (strcmp(called, links[i].name) == 0)
            return links[i].run(argc, argv);
    if (argc < 2) {
        help(stderr);
        return CLI_EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        puts("vouchsafe " VS_VERSION);
        return EXIT_SUCCESS;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        help(stdout);
        return EXIT_SUCCESS;
    }
    for (size_t i = 0; i < VS_COUNT(commands); i++)
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    return unknown(name);
}
