/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection of the gRPC client, blocking, used by one thread at a time. All times are
 * vs_mono_ns by which something must have happened.
 */
#ifndef VS_NET_GRPC_CONN_H
#define VS_NET_GRPC_CONN_H

#include <openssl/ssl.h>

#include "net/grpc_wire.h"

typedef struct vs_grpc_conn vs_grpc_conn;

typedef struct vs_grpc_target {
    char *host; /* without brackets */
    char *port;
    char *authority; /* as in the URL */
    char *user_agent;
    char *unix_socket; /* its path, instead of host and port; NULL = none */
    SSL_CTX *tls;      /* NULL = plain text */
    size_t message_bytes;
} vs_grpc_target;

typedef struct vs_grpc_result {
    vs_grpc_status status;
    bool unprocessed; /* the server surely did nothing with it */
} vs_grpc_result;

/* TCP, TLS, and the first SETTINGS of the server. The error names the address. `target` must
 * outlive it. */
VS_MUST vs_code vs_grpc_conn_open(const vs_grpc_target *target, int64_t until, vs_grpc_conn **out,
                                  vs_error *err);
void vs_grpc_conn_free(vs_grpc_conn **c);

/* Looks at what has come while it was idle, and pings when that was longer than `ping_ms`. */
VS_MUST bool vs_grpc_conn_alive(vs_grpc_conn *c, unsigned ping_ms, int64_t until);
/* One call; the message is appended to `reply`. `r` is filled in in any case. */
VS_MUST vs_code vs_grpc_conn_call(vs_grpc_conn *c, const char *path, vs_span request, vs_buf *reply,
                                  int64_t until, vs_grpc_result *r, vs_error *err);
/* After a call: may be used for another one. */
bool vs_grpc_conn_reusable(const vs_grpc_conn *c);

#endif
