/* SPDX-License-Identifier: Apache-2.0 */
/* The one listener of grpc-as, restful-as and rvps: its options and its start. */
#ifndef VS_CMD_LISTEN_H
#define VS_CMD_LISTEN_H

#include "cmd/server.h"

typedef struct listen_options {
    const char *socket;
    const char *certificate, *private_key, *client_ca;
    const char *log_level;
    bool log_json;
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
        {.name = "log-level",                                                                      \
         .value = "LEVEL",                                                                         \
         .env = "RUST_LOG",                                                                        \
         .at = (o) + offsetof(listen_options, log_level),                                          \
         .help = "error, warn, info or debug"},                                                    \
    {                                                                                              \
        .name = "log-json", .at = (o) + offsetof(listen_options, log_json),                        \
        .help = "Log JSON lines"                                                                   \
    }

VS_MUST vs_code listen_check(const listen_options *o, vs_error *err);
/* Fills in sockets and TLS, and starts. */
VS_MUST vs_code listen_start(const listen_options *o, vs_http_config *http, vs_http_server **out,
                             vs_error *err);
/* Prints "ready URL". `changes_trust`: who can call can change what is trusted, which is warned
 * about when strangers can. */
void listen_ready(const char *program, const listen_options *o, bool changes_trust,
                  const vs_http_server *server);

#endif
