/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection of the HTTP server, and the loop (thread) it lives on. Nothing here is shared
 * between threads but the count of connections.
 */
#ifndef VS_NET_HTTP_CONN_H
#define VS_NET_HTTP_CONN_H

#include <event2/event.h>
#include <openssl/ssl.h>
#include <stdatomic.h>

#include "net/http_parse.h"

enum { VS_HTTP_READ_MAX = 32 * 1024 };

typedef struct vs_http_conn vs_http_conn;

typedef struct vs_http_loop {
    struct event_base *base;
    const vs_http_config *cfg;   /* limits filled in */
    SSL_CTX *tls;                /* NULL = plain HTTP */
    atomic_uint *connections;    /* of all loops */
    const atomic_bool *stopping; /* responses from now on are the last of their connection */
    vs_http_conn *first;
    /* Handlers run one at a time on a loop, so one arena and one head serve all its connections. */
    vs_arena arena;
    vs_http_head head;
    uint8_t scratch[VS_HTTP_READ_MAX];
} vs_http_loop;

/* Takes the descriptor over (also on failure, when it is closed). `peer` is copied. */
void vs_http_conn_open(vs_http_loop *loop, int fd, const char *peer);
/* Ends connections whose deadline has passed; `now` = vs_mono_ns. */
void vs_http_conn_tick(vs_http_loop *loop, int64_t now);
/* Once stopping: idle connections end at once, the others after their response. */
void vs_http_conn_drain(vs_http_loop *loop);
void vs_http_conn_close_all(vs_http_loop *loop);

#endif
