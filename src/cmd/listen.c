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
    if (o->operations && !config_socket_ok(o->operations))
        return vs_fail(err, VS_E_INVALID, "--operations \"%.80s\" is not IP:port", o->operations);
    if (!o->certificate != !o->private_key)
        return vs_fail(err, VS_E_INVALID, "TLS needs both --https-pubkey-cert and --https-prikey");
    if (o->client_ca && !o->certificate)
        return vs_fail(err, VS_E_INVALID,
                       "--client-ca needs --https-pubkey-cert and --https-prikey");
    return VS_OK;
}

/* As http_server.rate_per_source and the others of the KBS. */
static vs_code read_limits(const listen_options *o, vs_source_limits *out, vs_error *err)
{
    enum { MOST = 1000000 };
    struct {
        const char *name, *text;
        uint64_t value;
    } limits[] = {{"rate", o->rate, 0}, {"burst", o->burst, 0}, {"connections", o->connections, 0}};
    for (size_t i = 0; i < VS_COUNT(limits); i++)
        if (limits[i].text && !vs_span_decimal(vs_str(limits[i].text), MOST, &limits[i].value))
            return vs_fail(err, VS_E_INVALID, "--%s-per-source %.40s: must be 0 to %d",
                           limits[i].name, limits[i].text, MOST);
    if (limits[1].value && !limits[0].value)
        return vs_fail(err, VS_E_INVALID, "--burst-per-source needs --rate-per-source");
    *out = (vs_source_limits){.rate = (unsigned)limits[0].value,
                              .burst = (unsigned)limits[1].value,
                              .connections = (unsigned)limits[2].value};
    return VS_OK;
}

vs_code listen_open(listener *l, const listen_options *o, vs_error *err)
{
    *l = (listener){.o = o};
    l->ops.checks = l->checks;
    server_log(o->log_level, o->log_json);
    server_prepare();
    supervisor_open(&l->manager);
    VS_TRY(supervised_sockets(&l->given, err));
    VS_TRY(check(o, err));
    return read_limits(o, &l->per_source, err);
}

/* ---- whether it works --------------------------------------------------------------------------
 */

void listen_metrics(listener *l, void (*metrics)(vs_buf *out))
{
    l->ops.metrics = metrics;
}

void listen_check_store(listener *l, const char *name, vs_store *store)
{
    size_t i = l->ops.n_checks++;
    l->checks[i] = readiness_of_store(&l->ready[i], name, store);
}

void listen_check_peer(listener *l, const char *name, vs_grpc_client *peer)
{
    size_t i = l->ops.n_checks++;
    l->checks[i] = readiness_of_peer(&l->ready[i], name, peer);
}

static vs_code tell_health(const listener *l, vs_grpc_serving said, vs_error *err)
{
    for (size_t i = 0; i < l->n_services; i++)
        VS_TRY(vs_grpc_health_set(l->health, l->services[i], said, err));
    return VS_OK;
}

vs_code listen_health(listener *l, const char *const *services, size_t n, vs_error *err)
{
    l->services = services;
    l->n_services = n;
    VS_TRY(vs_grpc_health_new(&l->health, err));
    return tell_health(l, VS_GRPC_SERVING, err);
}

static vs_code start_operations(listener *l, vs_error *err)
{
    const listen_options *o = l->o;
    if (!o->operations && l->given.n_operations == 0)
        return VS_OK;
    vs_http_config http = {.sockets = &o->operations,
                           .n_sockets = l->given.n_operations ? 0 : 1,
                           .fds = l->given.operations,
                           .n_fds = l->given.n_operations,
                           .threads = 1,
                           .workers = OPS_WORKERS,
                           .limits = {.body_bytes = 1024, .connections = 256},
                           .handler = ops_rest_handle,
                           .user = &l->ops};
    VS_TRY_WRAP(vs_http_server_start(&http, &l->ops_http, err), err, "--operations");
    return VS_OK;
}

/* ---- life --------------------------------------------------------------------------------------
 */

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
    http->per_source = l->per_source;
    VS_TRY(vs_http_server_start(http, &l->http, err));
    return start_operations(l, err);
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
    if (l->health)
        (void)!tell_health(l, ops_ready(&l->ops) ? VS_GRPC_SERVING : VS_GRPC_NOT_SERVING, NULL);
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
    if (l->ops_http && !l->given.n_operations)
        server_say("operations", "http", o->operations, l->ops_http, 0);
    vs_log(VS_LOG_INFO, "serve", "ready", "program", program, "version", VS_VERSION, NULL);
    server_wait(&l->manager, &events);
}

void listen_stop(listener *l)
{
    vs_http_server_stop(&l->http, SERVER_DRAIN_MS);
    vs_http_server_stop(&l->ops_http, 0);
    for (size_t i = 0; i < l->ops.n_checks; i++)
        readiness_stop(&l->ready[i]);
    vs_grpc_health_free(&l->health);
    supervisor_close(&l->manager);
}
