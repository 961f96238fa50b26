/* SPDX-License-Identifier: Apache-2.0 */
/* `vouchsafe-guest`: all that runs inside a guest, by the name it is called as or its first word.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/cli.h"
#include "cmd/guest/guest.h"

static const struct {
    const char *name, *program, *summary;
    int (*run)(int argc, char **argv);
} programs[] = {
    {"aa", "attestation-agent", "evidence and tokens of this guest, over ttrpc", guest_aa},
    {"cdh", "confidential-data-hub", "secrets for this guest, over ttrpc", guest_cdh},
    {"asr", "api-server-rest", "both for workloads, over HTTP on loopback", guest_asr},
    {"all", "vouchsafe-guest-all", "these three in one process", guest_all},
    {"grpc-aa", "grpc-aa", "the agent over gRPC on loopback", guest_grpc_aa},
    {"grpc-cdh", "grpc-cdh", "the data hub over gRPC on loopback", guest_grpc_cdh},
    {"keyprovider", "coco-keyprovider", "keys of encrypted image layers (ocicrypt, \"cmd\")",
     guest_keyprovider},
    {"secure-mount", "secure-mount", "open an encrypted disk with a key of the hub's, and mount it",
     guest_secure_mount},
    {"luks2-header", "luks2-header", "check the header of an encrypted disk", guest_luks2_header},
};

static void help(FILE *out)
{
    fputs("What runs inside a confidential guest: attestation, secrets, measurements.\n\n"
          "usage: vouchsafe-guest COMMAND ...\n\n",
          out);
    for (size_t i = 0; i < VS_COUNT(programs); i++)
        fprintf(out, "  %-13s %s\n", programs[i].name, programs[i].summary);
    fputs(
        "\nCalled as `attestation-agent`, `confidential-data-hub` or `api-server-rest` it is that\n"
        "program of the Confidential Containers guest components, with its flags.\n",
        out);
}

int main(int argc, char **argv)
{
    /* Whoever starts a guest may write its environment, and OPENSSL_CONF can load code. */
    if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1) {
        fputs("vouchsafe-guest: OpenSSL does not start\n", stderr);
        return EXIT_FAILURE;
    }
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    const char *called = argc > 0 ? (slash ? slash + 1 : argv[0]) : "";
    for (size_t i = 0; i < VS_COUNT(programs); i++)
        if (strcmp(called, programs[i].program) == 0)
            return programs[i].run(argc, argv);
    const char *word = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < VS_COUNT(programs); i++)
        if (strcmp(word, programs[i].name) == 0)
            return programs[i].run(argc - 1, argv + 1);
    bool version = strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0;
    bool asked =
        strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
    if (version)
        puts("vouchsafe-guest " VS_VERSION);
    else
        help(asked ? stdout : stderr);
    return version || asked ? EXIT_SUCCESS : CLI_EXIT_USAGE;
}
