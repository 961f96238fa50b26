/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What grpc-as, restful-as and rvps have in common: the options of their one listener, and their
 * life between the service manager's first word and its last.
 */
#ifndef VS_CMD_LISTEN_H
#define VS_CMD_LISTEN_H

#include "cmd/doors.h"
#include "cmd/readiness.h"
#include "net/grpc.h"

typedef struct listen_options {
    const char *socket; /* "IP:port", "unix:/path" */
    const char *certificate, *private_key, *client_ca;
    const char *operations;
    const char *rate, *burst, *connections; /* per source */
    const char *log_level;
    bool log_json, no_sandbox;
} listen_options;

/* Lines of a table of options whose struct has listen_options at offset `o`; the socket's is the
 * program's own. */
#define LISTEN_OPTIONS(o)                                                                          \
    {.name = "https-pubkey-cert",                                                                  \
     .letter = 't',                                                                                \
     .value = "PEM",                                                                               \
     .at = (o) + offsetof(listen_options, certificate),                                            \
     .help = "Certificate chain: serve TLS; with --https-prikey"},                                 \
        {.name = "https-prikey",                                                                   \
         .letter = 'k',                                                                            \
         .value = "PEM",                                                                           \
         .at = (o) + offsetof(listen_options, private_key),                                        \
         .help = "Key of the certificate"},                                                        \
        {.name = "client-ca",                                                                      \
         .value = "PEM",                                                                           \
         .at = (o) + offsetof(listen_options, client_ca),                                          \
         .help = "Serve only clients with a certificate of this authority; needs TLS"},            \
        {.name = "operations",                                                                     \
         .value = "IP:PORT",                                                                       \
         .at = (o) + offsetof(listen_options, operations),                                         \
         .help = "Address for /livez, /readyz and /metrics; none without it"},                     \
        {.name = "rate-per-source",                                                                \
         .value = "N",                                                                             \
         .at = (o) + offsetof(listen_options, rate),                                               \
         .help = "Requests and new connections per second of one source; no limit without it"},    \
        {.name = "burst-per-source",                                                               \
         .value = "N",                                                                             \
         .at = (o) + offsetof(listen_options, burst),                                              \
         .help = "How many of them at once [default: twice the rate]"},                            \
        {.name = "connections-per-source",                                                         \
         .value = "N",                                                                             \
         .at = (o) + offsetof(listen_options, connections),                                        \
         .help = "Connections of one source at a time; no limit without it"},                      \
        {.name = "log-level",                                                                      \
         .value = "LEVEL",                                                                         \
         .env = "RUST_LOG",                                                                        \
         .at = (o) + offsetof(listen_options, log_level),                                          \
         .help = "error, warn, info or debug"},                                                    \
        {.name = "log-json",                                                                       \
         .at = (o) + offsetof(listen_options, log_json),                                           \
         .help = "Log JSON lines"},                                                                \
    {                                                                                              \
        .name = "no-sandbox", .at = (o) + offsetof(listen_options, no_sandbox),                    \
        .help = "Do without seccomp and Landlock"                                                  \
    }

enum { LISTEN_CHECKS_MAX = 4 };

typedef struct listener {
    const listen_options *o;
    supervisor manager;
    supervised given;
    vs_http_server *http, *ops_http;
    vs_source_limits per_source;
    readiness ready[LISTEN_CHECKS_MAX]; /* of the checks of `ops` */
    ops_check checks[LISTEN_CHECKS_MAX];
    ops ops;
    vs_grpc_health *health; /* of `services`, which follows the checks; NULL = none */
    const char *const *services;
    size_t n_services;
    void (*tick)(void *user); /* housekeeping, about once a minute; NULL = none */
    void *tick_user;
} listener;

/* First: sets up the log and the process, hears what the service manager says and checks the
 * options, which must outlive `l`. After a failure, too, it is to be closed. */
VS_MUST vs_code listen_open(listener *l, const listen_options *o, vs_error *err);
/* What must work for the program to; `metrics` prints what it counts. Before listen_start. */
void listen_metrics(listener *l, void (*metrics)(vs_buf *out));
void listen_check_store(listener *l, const char *name, vs_store *store);
void listen_check_peer(listener *l, const char *name, vs_grpc_client *peer);
/* Makes a health service for gRPC: what the checks said last, at most a minute ago. `services`
 * (names) must outlive `l`. */
VS_MUST vs_code listen_health(listener *l, const char *const *services, size_t n, vs_error *err);
/* Lets strangers administrate over gRPC, or tells them how not to be one. */
void listen_administration(const listener *l, bool insecure, vs_grpc_services *services);
/* Fills in sockets and TLS, adds what they need to `s`, shuts the doors behind it and starts. */
VS_MUST vs_code listen_start(listener *l, sandbox *s, vs_http_config *http, vs_error *err);
/* Prints "ready URL" and serves until a signal; SIGHUP takes renewed certificates. `changes_trust`:
 * who can call can change what is trusted, which is warned about when strangers can. */
void listen_run(const listener *l, const char *program, bool changes_trust);
/* Before the rest of the program goes: waits for the requests in flight. */
void listen_stop(listener *l);

#endif
