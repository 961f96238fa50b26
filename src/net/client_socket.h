/* SPDX-License-Identifier: Apache-2.0 */
/* A TCP or TLS connection of a client, with a deadline for each thing. */
#ifndef VS_NET_CLIENT_SOCKET_H
#define VS_NET_CLIENT_SOCKET_H

#include <openssl/ssl.h>

#include "base/buf.h"

typedef struct vs_client_socket {
    int fd; /* -1 = none */
    SSL *ssl;
    short wants;      /* POLLIN, POLLOUT: what the last transfer lacked */
    bool ended;       /* the peer said that it sends no more; false: it was cut off */
    char address[80]; /* "127.0.0.1:50004" of the peer */
} vs_client_socket;

typedef struct vs_peer { /* whom to connect to */
    const char *host;    /* a name or an address without brackets */
    const char *port;
    SSL_CTX *tls; /* NULL = plain text */
    bool http2;   /* over TLS the peer must say so (ALPN) */
} vs_peer;

/* The addresses of the host one after the other, until one takes the connection. */
VS_MUST vs_code vs_client_socket_open(const vs_peer *peer, int64_t until, vs_client_socket *s,
                                      vs_error *err);
/* The same over a socket that is connected (the way to a proxy, a Unix socket): starts TLS. */
VS_MUST vs_code vs_client_socket_start_tls(const vs_peer *peer, int64_t until, vs_client_socket *s,
                                           vs_error *err);
/* The path of a socket instead of a host and a port. */
VS_MUST vs_code vs_client_socket_open_unix(const char *path, vs_client_socket *s, vs_error *err);
/* What verifies servers for all clients: TLS 1.2 at least, suites with certificates, keys that are
 * not weak. Wins over what a file of OpenSSL's settings (OPENSSL_CONF) put into a new context. */
VS_MUST vs_code vs_client_tls_defaults(SSL_CTX *ctx, vs_error *err);
/* Of these only the suites, for the contexts of libcurl. */
VS_MUST bool vs_client_tls_ciphers(SSL_CTX *ctx);
void vs_client_socket_close(vs_client_socket *s);
/* VS_OK with *n == 0: nothing can be moved now. VS_E_IO: the connection is at its end. */
VS_MUST vs_code vs_client_socket_read(vs_client_socket *s, uint8_t *p, size_t cap, size_t *n,
                                      vs_error *err);
VS_MUST vs_code vs_client_socket_write(vs_client_socket *s, vs_span data, size_t *n, vs_error *err);
/* VS_E_TIMEOUT when nothing of `events` happens in time, or while this thread may wait
 * (base/wait.h). */
VS_MUST vs_code vs_client_socket_wait(const vs_client_socket *s, short events, int64_t until,
                                      vs_error *err);

#endif
