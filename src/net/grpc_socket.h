/* SPDX-License-Identifier: Apache-2.0 */
/* A TCP or TLS connection of a client, with a deadline for each thing. */
#ifndef VS_NET_GRPC_SOCKET_H
#define VS_NET_GRPC_SOCKET_H

#include "net/grpc_conn.h"

typedef struct vs_grpc_socket {
    int fd; /* -1 = none */
    SSL *ssl;
    short wants;      /* POLLIN, POLLOUT: what the last transfer lacked */
    char address[80]; /* "127.0.0.1:50004" of the peer */
} vs_grpc_socket;

/* The addresses of the host one after the other, until one takes the connection. */
VS_MUST vs_code vs_grpc_socket_open(const vs_grpc_target *t, int64_t until, vs_grpc_socket *s,
                                    vs_error *err);
void vs_grpc_socket_close(vs_grpc_socket *s);
/* VS_OK with *n == 0: nothing can be moved now. VS_E_IO: the connection is at its end. */
VS_MUST vs_code vs_grpc_socket_read(vs_grpc_socket *s, uint8_t *p, size_t cap, size_t *n,
                                    vs_error *err);
VS_MUST vs_code vs_grpc_socket_write(vs_grpc_socket *s, vs_span data, size_t *n, vs_error *err);
/* VS_E_TIMEOUT when nothing of `events` happens in time. */
VS_MUST vs_code vs_grpc_socket_wait(const vs_grpc_socket *s, short events, int64_t until,
                                    vs_error *err);

#endif
