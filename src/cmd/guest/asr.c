/* SPDX-License-Identifier: Apache-2.0 */
/* `api-server-rest`, with upstream's flags (guest.md 4). */
#include <stdio.h>
#include <stdlib.h>

#include "api/asr_rest.h"
#include "cmd/cli.h"
#include "cmd/guest/guest.h"
#include "config/config.h"

#define DEFAULT_HUB   "unix:///run/confidential-containers/cdh.sock"
#define DEFAULT_AGENT "unix:///run/confidential-containers/attestation-agent/attestation-agent.sock"

enum { BODY_MAX = 64 * 1024, CONNECTIONS = 256 };

typedef struct options {
    const char *bind, *unix_path, *features, *hub, *agent, *log_level;
} options;

#define AT(member) .at = offsetof(options, member)

static const cli_option options_[] = {
    {.name = "bind",
     .letter = 'b',
     .value = "IP:PORT",
     AT(bind),
     .fallback = "127.0.0.1:8006",
     .help = "Address to serve on: loopback only; port 0 takes a free one"},
    {.name = "unix-socket",
     .value = "PATH",
     AT(unix_path),
     .help = "Serve on this socket as well, for every user who may open it"},
    {.name = "features",
     .letter = 'f',
     .value = "FEATURES",
     AT(features),
     .fallback = "resource",
     .help = "resource, attestation or all"},
    {.name = "cdh_addr",
     .letter = 'c',
     .value = "ADDRESS",
     AT(hub),
     .fallback = DEFAULT_HUB,
     .help = "The data hub"},
    {.name = "aa_addr",
     .letter = 'a',
     .value = "ADDRESS",
     AT(agent),
     .fallback = DEFAULT_AGENT,
     .help = "The attestation agent"},
    {.name = "log-level",
     .value = "LEVEL",
     .env = "RUST_LOG",
     AT(log_level),
     .help = "error, warn, info or debug"},
    {0}};

static const cli_command command = {.name = "api-server-rest",
                                    .summary = "Secrets and evidence for workloads in this guest",
                                    .more =
                                        "  curl http://127.0.0.1:8006/cdh/resource/default/key/1\n"
                                        "  curl http://127.0.0.1:8006/info",
                                    .options = options_,
                                    .version = "api-server-rest " VS_VERSION};

typedef struct program {
    guest_part part;
    options o;
    asr service;
    vs_http_server *http;
    char unix_address[sizeof "unix:" + 108];
} program;

static void tear_down(guest_part *part)
{
    program *p = (program *)part;
    vs_http_server_stop(&p->http, SERVER_DRAIN_MS);
    vs_ttrpc_client_free(&p->service.agent);
    vs_ttrpc_client_free(&p->service.hub);
}

static vs_code connect_to(const char *address, vs_ttrpc_client **out, vs_error *err)
{
    const vs_ttrpc_client_config cfg = {.address = address,
                                        .connections = GUEST_ASR_WAITING + VS_TASK_BRIEF};
    return vs_ttrpc_client_new(&cfg, out, err);
}

static vs_code connect_services(const options *o, program *p, vs_error *err)
{
    bool all = strcmp(o->features, "all") == 0;
    bool hub = all || strcmp(o->features, "resource") == 0;
    bool agent = all || strcmp(o->features, "attestation") == 0;
    if (!hub && !agent)
        return vs_fail(err, VS_E_INVALID, "--features is resource, attestation or all, not %.40s",
                       o->features);
    p->service.feature = o->features;
    if (hub)
        VS_TRY(connect_to(o->hub, &p->service.hub, err));
    if (agent)
        VS_TRY(connect_to(o->agent, &p->service.agent, err));
    return VS_OK;
}

static vs_code build(guest_part *part, vs_error *err)
{
    program *p = (program *)part;
    const options *o = &p->o;
    VS_TRY(connect_services(o, p, err));
    if (!config_socket_ok(o->bind) || !config_socket_is_loopback(o->bind))
        return vs_fail(err, VS_E_INVALID,
                       "--bind %.100s: whoever reaches this server gets secrets, so it serves "
                       "loopback only",
                       o->bind);
    const char *sockets[2] = {o->bind, p->unix_address};
    if (o->unix_path && (size_t)snprintf(p->unix_address, sizeof p->unix_address, "unix:%s",
                                         o->unix_path) >= sizeof p->unix_address)
        return vs_fail(err, VS_E_INVALID, "--unix-socket: the path is too long");
    const vs_http_config cfg = {.sockets = sockets,
                                .n_sockets = o->unix_path ? 2 : 1,
                                .threads = 1,
                                .workers = GUEST_WORKERS,
                                .waiting = GUEST_ASR_WAITING,
                                .limits = {.body_bytes = BODY_MAX, .connections = CONNECTIONS},
                                .handler = asr_rest_handle,
                                .user = &p->service};
    VS_TRY(vs_http_server_start(&cfg, &p->http, err));
    const char *colon = strrchr(o->bind, ':');
    printf("ready http://%.*s:%u\n", (int)(colon - o->bind), o->bind,
           vs_http_server_port(p->http, 0));
    (void)fflush(stdout);
    return VS_OK;
}

int guest_asr(int argc, char **argv)
{
    program p = {.part = {"REST server", build, tear_down}};
    int exit_code;
    if (!cli_parse(&command, argc, argv, &p.o, stdout, stderr, &exit_code))
        return exit_code;
    return guest_run(command.name, p.o.log_level, &(guest_part *){&p.part}, 1);
}

guest_part *guest_asr_part(const guest_setup *s)
{
    program *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->part = (guest_part){"REST server", build, tear_down};
    p->o = (options){.bind = s->bind,
                     .unix_path = s->unix_path,
                     .features = s->features,
                     .hub = DEFAULT_HUB,
                     .agent = DEFAULT_AGENT};
    return &p->part;
}
