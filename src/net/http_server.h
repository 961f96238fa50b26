/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 and HTTP/2 server on libevent: one loop per thread, SO_REUSEPORT, optional TLS. HTTP/2
 * comes by prior knowledge on plain text and by ALPN on TLS; a handler does not see which it was.
 * gRPC services (net/grpc.h) share the port.
 *
 * Limits are enforced here, before a handler sees anything: header bytes, body bytes, a deadline
 * for the whole request (a slow drip is cut), connections in all, connections and requests of one
 * source, streams of a connection, idle keep-alive time. On stop, requests in flight are answered
 * first (drain).
 */
#ifndef VS_NET_HTTP_SERVER_H
#define VS_NET_HTTP_SERVER_H

#include "base/buf.h"
#include "net/sources.h"

typedef struct vs_http_server vs_http_server;

typedef enum vs_http_method {
    VS_HTTP_GET,
    VS_HTTP_POST,
    VS_HTTP_PUT,
    VS_HTTP_DELETE,
    VS_HTTP_HEAD,
    VS_HTTP_OPTIONS,
    VS_HTTP_OTHER
} vs_http_method;

/* A client certificate that was verified against vs_http_config.client_ca. */
typedef struct vs_tls_peer {
    vs_span subject;     /* RFC 2253: "CN=kbs,O=example" */
    const vs_span *sans; /* "DNS:kbs.example", "URI:spiffe://...", "IP:10.0.0.1", "email:..." */
    size_t n_sans;
} vs_tls_peer;

/* Of a connection over a Unix socket: who opened it (SO_PEERCRED). */
typedef struct vs_unix_peer {
    uint32_t uid, gid;
    int32_t pid;
} vs_unix_peer;

typedef struct vs_http_request {
    vs_http_method method;
    vs_span path;              /* raw, before '?', not decoded */
    vs_span query;             /* raw, after '?', may be empty */
    vs_span body;              /* may hold secrets: do not keep */
    vs_span peer;              /* "127.0.0.1:4711", "unix"; what a trusted proxy said, if one did */
    const vs_tls_peer *client; /* NULL without a verified client certificate */
    const vs_unix_peer *local; /* NULL: not over a Unix socket */
    vs_arena *arena;           /* lives until the response is written; reset afterwards */
    const void *impl;
} vs_http_request;
/* First header of that name (case-insensitive); empty span with p == NULL when absent. */
vs_span vs_http_header(const vs_http_request *r, const char *name);

typedef struct vs_http_response {
    int status;               /* 200 */
    const char *content_type; /* NULL = no header */
    vs_buf body;              /* wiped after it is written */
    struct {
        const char *name, *value; /* on the request's arena or static; no CR, LF */
    } headers[8];
    size_t n_headers;
} vs_http_response;
void vs_http_add_header(vs_http_response *r, const char *name, const char *value);
/* "Not Found"; empty for a status that nothing here gives. */
const char *vs_http_reason(int status);

/* workers == 0: runs on a loop thread and may block only as long as one store operation. Otherwise
 * on a worker thread, several at a time, and may block as it needs to. */
typedef void (*vs_http_handler)(void *user, const vs_http_request *req, vs_http_response *resp);

typedef struct vs_http_limits { /* 0 = default */
    size_t header_bytes;        /* 128 KiB */
    size_t body_bytes;          /* 2 MiB; over: 413 with a text body, or too_large's */
    size_t held_bytes;          /* 256 MiB of requests on all connections together; over: 503 for
                                   those that hold more than 16 KiB */
    unsigned connections;       /* 20000 in all; over: refused */
    unsigned request_ms; /* 30 s from the first byte to the last of a request; as long again for
                            the peer to take the response, and for a TLS handshake */
    unsigned idle_ms;    /* 75 s keep-alive */
    unsigned streams;    /* 100 concurrent requests of one HTTP/2 connection; over: refused */
} vs_http_limits;

typedef struct vs_http_config {
    /* "127.0.0.1:8080", "[::1]:0"; port 0 = free port. "unix:/path": made with mode 0666, since the
     * peer's credentials say who it is; a socket there that nobody listens on is replaced. */
    const char *const *sockets;
    size_t n_sockets;
    const int *fds; /* listening sockets that somebody else made (socket activation); taken over */
    size_t n_fds;
    unsigned threads; /* 0 = logical CPUs */
    vs_http_limits limits;
    vs_source_limits per_source; /* over: the connection is closed, 429, RESOURCE_EXHAUSTED. A new
                                    connection counts as a request */
    /* Whose word about where a request comes from is taken: Forwarded or X-Forwarded-For (both at
     * once is refused with 400, since one of them may be the client's own). */
    const vs_cidr *trusted_proxies;
    size_t n_trusted_proxies;
    bool proxy_protocol; /* every connection starts with a PROXY v2 header, before TLS; only trusted
                            proxies may connect, and the headers are not looked at */
    /* TLS when certificate is given (PEM files; chain file, leaf first). */
    const char *private_key, *certificate;
    const char *tls_min_version, *tls_max_version; /* "1.2", "1.3"; NULL = 1.2, none */
    const char *tls_ciphers, *tls_groups;
    const char *client_ca;     /* PEM: client certificates are asked for and verified against it */
    bool client_cert_required; /* no connection without one */
    unsigned workers;          /* threads that run handlers; 0 = the loops run them */
    unsigned
        waiting; /* handlers that may wait for others, beside the workers (net/task_pool.h). A
                    handler's waits then end (base/wait.h) when its client closes, or shuts down
                    its side of, the connection. 0 = they hold a worker, until they are done */
    unsigned worker_queue; /* requests waiting for a worker; 0 = 64 per worker. Over: 503 or
                              RESOURCE_EXHAUSTED */
    /* Rewrites the answer to a body over the limit, which no handler sees, for a path where text is
     * not what clients expect. On a loop thread; NULL = text everywhere. */
    void (*too_large)(vs_span path, vs_http_response *resp);
    vs_http_handler handler; /* NULL: only gRPC is served, everything else is 404 */
    void *user;
    const struct vs_grpc_services *grpc; /* NULL = none */
} vs_http_config;

/* Listens and starts the threads. Strings must outlive the server. */
VS_MUST vs_code vs_http_server_start(const vs_http_config *cfg, vs_http_server **out,
                                     vs_error *err);
/* The port actually bound for sockets[i], then those of fds. */
unsigned vs_http_server_port(const vs_http_server *s, size_t i);
/* Reads certificate, key and client CA again from the same paths, for connections from now on. On
 * any failure the old ones stay in use. Any thread. */
VS_MUST vs_code vs_http_server_reload_tls(vs_http_server *s, vs_error *err);
/* For requests and connections from now on. Any thread. */
void vs_http_server_limit_sources(vs_http_server *s, vs_source_limits limits);
/* Stops accepting, waits up to drain_ms for requests in flight, frees everything. */
void vs_http_server_stop(vs_http_server **s, unsigned drain_ms);

#endif
