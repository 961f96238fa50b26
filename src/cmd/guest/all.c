/* SPDX-License-Identifier: Apache-2.0 */
/* `vouchsafe-guest all`: agent, data hub and REST server in one process, for an initramfs or a
 * small guest. They speak to each other over their sockets, as they do apart, so others may use
 * them too. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/cli.h"
#include "cmd/guest/guest.h"

#define AT(member) .at = offsetof(guest_setup, member)

static const cli_option options[] = {
    {.name = "aa-config",
     .value = "FILE",
     AT(aa_config),
     .help = "The agent's configuration; without it AA_KBC_PARAMS, or agent.aa_kbc_params of the "
             "kernel's command line"},
    {.name = "cdh-config", .value = "FILE", AT(cdh_config), .help = "The data hub's, likewise"},
    {.name = "bind",
     .letter = 'b',
     .value = "IP:PORT",
     AT(bind),
     .fallback = "127.0.0.1:8006",
     .help = "Where the REST server serves: loopback only; port 0 takes a free one"},
    {.name = "unix-socket", .value = "PATH", AT(unix_path), .help = "Where it serves as well"},
    {.name = "features",
     .letter = 'f',
     .value = "FEATURES",
     AT(features),
     .fallback = "resource",
     .help = "resource, attestation or all"},
    {.name = "log-level",
     .value = "LEVEL",
     .env = "RUST_LOG",
     AT(log_level),
     .help = "error, warn, info or debug"},
    {0}};

static const cli_command command = {
    .name = "all",
    .summary = "Agent, data hub and REST server in one process",
    .more = "The sockets are the default ones of each program: leave \"socket\" and\n"
            "\"aa.aa_socket\" out of the data hub's file.",
    .options = options,
    .version = "vouchsafe-guest " VS_VERSION};

int guest_all(int argc, char **argv)
{
    guest_setup setup = {0};
    int exit_code;
    if (!cli_parse(&command, argc, argv, &setup, stdout, stderr, &exit_code))
        return exit_code;
    /* Each needs those before it. */
    guest_part *parts[] = {guest_aa_part(&setup), guest_cdh_part(&setup), guest_asr_part(&setup)};
    vs_error err = {0};
    if (parts[0] && parts[1] && parts[2]) {
        exit_code = guest_run(command.name, setup.log_level, parts, VS_COUNT(parts));
    } else {
        (void)vs_fail(&err, VS_E_NOMEM, "out of memory");
        exit_code = guest_failed(command.name, &err);
    }
    for (size_t i = 0; i < VS_COUNT(parts); i++)
        free(parts[i]);
    return exit_code;
}
