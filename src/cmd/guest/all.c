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
    static vs_code (*const open_part[])(const guest_setup *, guest_part **, vs_error *) = {
        guest_aa_open, guest_cdh_open, guest_asr_open};
    guest_part *parts[VS_COUNT(open_part)] = {NULL};
    guest_setup setup = {0};
    vs_error err = {0};
    supervisor manager;
    int exit_code;
    if (!cli_parse(&command, argc, argv, &setup, stdout, stderr, &exit_code))
        return exit_code;
    server_log(setup.log_level, false);
    server_prepare();
    supervisor_open(&manager);
    vs_code code = VS_OK;
    for (size_t i = 0; i < VS_COUNT(parts) && code == VS_OK; i++)
        code = open_part[i](&setup, &parts[i], &err);
    if (code == VS_OK)
        server_wait(&manager, &(server_events){0});
    for (size_t i = VS_COUNT(parts); i-- > 0;)
        guest_part_close(&parts[i]);
    supervisor_close(&manager);
    return code == VS_OK ? EXIT_SUCCESS : guest_failed(command.name, &err);
}
