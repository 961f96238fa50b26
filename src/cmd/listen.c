/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/listen.h"

#include <stdio.h>

#include "api/admin_grpc.h"
#include "base/log.h"
#include "config/config.h"

/* NULL: it is no Unix socket. */
static const char *unix_path(const listen_options *o)
{
    return strncmp(o->socket, "unix:/", 6) == 0 ? o->socket + 5 : NULL;
}

static vs_code check(const listen_options *o, vs_error *err)
{
    if (unix_path(o) && o->certificate)
        return vs_fail(err, VS_E_INVALID, "there is no TLS on a Unix socket: %.80s", o->socket);
    if (!unix_path(o) && !config_socket_ok(o->socket))
        return vs_fail(err, VS_E_INVALID, "\"%.80s\" is not IP:port", o->socket);
    if (!o->certificate != !o->private_key)
        return vs_fail(err, VS_E_INVALID, "TLS needs both --https-pubkey-cert and --https-prikey");
    if (o->client_ca && !o->certificate)
        return vs_fail(err, VS_E_INVALID,
                       "--client-ca needs --https-pubkey-cert and --https-prikey");
    return VS_OK;
}

vs_code listen_open(listener *l, const listen_options *o, vs_error *err)
{
    *l = (listener){.o = o};
    server_log(o->log_level, o->log_json);
    server_prepare();
    supervisor_open(&l->manager);
    VS_TRY(supervised_sockets(&l->given, err));
    if (l->given.n_operations)
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "LISTEN_FDS: this program has no socket \"operations\"");
    return check(o, err);
}

vs_code listen_start(listener *l, sandbox *s, vs_http_config *http, vs_error *err)
{
    const listen_options *o = l->o;
    doors_environment(s);
    sandbox_may_read(s, o->certificate);
    sandbox_may_read(s, o->private_key);
    sandbox_may_read(s, o->client_ca);
    sandbox_may_write_beside(s, unix_path(o));
    VS_TRY(doors_shut(s, o->no_sandbox, err));
    http->sockets = &o->socket;
    http->n_sockets = l->given.n_api ? 0 : 1;
    http->fds = l->given.api;
    http->n_fds = l->given.n_api;
    http->certificate = o->certificate;
    http->private_key = o->private_key;
    http->client_ca = o->client_ca;
    http->client_cert_required = o->client_ca != NULL;
    return vs_http_server_start(http, &l->http, err);
}

void listen_administration(const listener *l, bool insecure, vs_grpc_services *services)
{
    services->to_strangers = ADMIN_TO_STRANGERS;
    services->strangers_may = insecure;
    if (insecure && !l->o->client_ca)
        vs_log(VS_LOG_WARN, "serve",
               "insecure_administration: whoever reaches this address may list, read and delete "
               "reference values and change policies",
               "address", l->o->socket, NULL);
}

static void tick(void *user)
{
    const listener *l = user;
    if (l->tick)
        l->tick(l->tick_user);
}

static void reload(void *user)
{
    const listener *l = user;
    vs_error err = {0};
    if (!l->o->certificate)
        vs_log(VS_LOG_INFO, "serve", "nothing to reload: there is no certificate", NULL);
    else if (vs_http_server_reload_tls(l->http, &err) == VS_OK)
        vs_log(VS_LOG_INFO, "serve", "certificate reloaded", NULL);
    else
        vs_log_error(VS_LOG_ERROR, "serve", "certificate not reloaded, the old one stays", &err);
}

void listen_run(const listener *l, const char *program, bool changes_trust)
{
    const listen_options *o = l->o;
    const server_events events = {.reload = reload, .tick = tick, .user = (void *)(uintptr_t)l};
    if (changes_trust && !o->client_ca && !unix_path(o))
        server_warn_open(program, o->socket);
    if (l->given.n_api) {
        puts("ready");
        (void)fflush(stdout);
    } else if (unix_path(o)) {
        printf("ready %s\n", o->socket);
        (void)fflush(stdout);
    } else {
        server_say("ready", o->certificate ? "https" : "http", o->socket, l->http, 0);
    }
    vs_log(VS_LOG_INFO, "serve", "ready", "program", program, "version", VS_VERSION, NULL);
    server_wait(&l->manager, &events);
}

void listen_stop(listener *l)
{
    vs_http_server_stop(&l->http, SERVER_DRAIN_MS);
    supervisor_close(&l->manager);
}
