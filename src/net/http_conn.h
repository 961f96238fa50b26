/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection of the HTTP server, and the loop (thread) it lives on. Nothing here is shared
 * between threads but the count of connections, the TLS context and the list of finished jobs.
 *
 * A connection moves bytes and keeps deadlines (http_conn.c); what they mean is http1.c's or
 * http2.c's business.
 */
#ifndef VS_NET_HTTP_CONN_H
#define VS_NET_HTTP_CONN_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "net/http_job.h"
#include "net/tls.h"

enum { VS_HTTP_READ_MAX = 32 * 1024, VS_HTTP_PEER_TEXT = 64 };

typedef struct vs_http_conn vs_http_conn;
typedef struct vs_http2 vs_http2;

struct vs_http_loop {
    struct event_base *base;
    const vs_http_config *cfg;   /* limits filled in */
    vs_tls_box *tls;             /* NULL = plain HTTP */
    vs_sources *sources;         /* NULL = no limits per source */
    vs_task_pool *pool;          /* NULL = handlers run on the loop */
    atomic_uint *connections;    /* of all loops */
    atomic_size_t *held;         /* bytes of requests, of all loops; NULL = not counted */
    const atomic_bool *stopping; /* responses from now on are the last of their connection */
    vs_http_conn *first;
    vs_http_head head; /* heads are read one at a time on a loop */
    vs_http_job *free_jobs;
    unsigned n_free_jobs;
    pthread_mutex_t done_lock; /* guards done */
    vs_http_job *done;
    int done_fd; /* eventfd: `done` was empty and is no longer */
    uint8_t scratch[VS_HTTP_READ_MAX];
};

typedef enum vs_http_phase {
    VS_HTTP_PROXY, /* a PROXY header comes first */
    VS_HTTP_READ_HEAD,
    VS_HTTP_READ_BODY,
    VS_HTTP_BUSY, /* a worker has the request; the socket is not watched */
    VS_HTTP_TWO,  /* HTTP/2 */
    VS_HTTP_LINGER,
} vs_http_phase;

struct vs_http_conn {
    vs_http_loop *loop;
    vs_http_conn *next, **link;
    struct event event;
    SSL *ssl;
    int fd;
    short wanted; /* EV_READ or EV_WRITE: what the event waits for; 0 = nothing */
    short needed; /* what the last transfer said it waits for */
    vs_http_phase phase;
    bool dead;         /* closed; waits for its jobs only */
    bool in_request;   /* bytes of a request have arrived, its response is not written yet */
    bool skipped_crlf; /* the one empty line allowed before a request line (RFC 9112 2.2) */
    bool answered;     /* `out` holds a final response */
    bool close;        /* end the connection after it */
    bool refused;      /* the request, or the handshake, was not read to its end: linger */
    bool used;         /* a request was read: no HTTP/2 preface any more */
    bool counted;      /* with loop->sources, under `ip` */
    bool forwards;     /* a trusted proxy: its headers say where a request comes from */
    bool chunked, http10, expects;
    unsigned jobs;    /* with workers */
    vs_http_job *job; /* in phase VS_HTTP_BUSY */
    vs_buf in, out;
    size_t sent;         /* of out */
    size_t held;         /* counted in loop->held */
    size_t scan, head_n; /* in in */
    size_t body_end;     /* in in; for chunked: decoded so far */
    vs_http_chunks chunks;
    vs_http2 *two;    /* in phase VS_HTTP_TWO */
    int64_t deadline; /* vs_mono_ns */
    vs_ip ip;
    char peer[VS_HTTP_PEER_TEXT];
    bool client_known;  /* the next two were looked up */
    vs_tls_peer client; /* on client_arena */
    bool is_local;
    vs_unix_peer local;
    vs_arena client_arena;
};

/* What a step left behind: bytes or room are missing; something was done, go on; the connection is
 * at its end; a worker has it. */
typedef enum vs_http_outcome { VS_MORE, VS_READY, VS_GONE, VS_WAIT } vs_http_outcome;

/* Takes the descriptor over (also on failure, when it is closed). `peer` is copied, as is `local`
 * (NULL: not over a Unix socket). */
void vs_http_conn_open(vs_http_loop *loop, int fd, vs_ip ip, const char *peer,
                       const vs_unix_peer *local);
/* Ends connections whose deadline has passed; `now` = vs_mono_ns. */
void vs_http_conn_tick(vs_http_loop *loop, int64_t now);
/* Once stopping: idle connections end at once, the others after their response. */
void vs_http_conn_drain(vs_http_loop *loop);
/* Connections with a job stay in memory until it is collected. */
void vs_http_conn_close_all(vs_http_loop *loop);

/* ---- for http1.c and http2.c ----------------------------------------------------------------- */

/* Writes, answers and reads until something would block; ends the connection when it must. */
void vs_http_conn_run(vs_http_conn *c);
void vs_http_conn_give_time(vs_http_conn *c, unsigned ms);
/* A job of this connection has come back. False: the connection was closed meanwhile, and is gone
 * now if this was its last job. */
bool vs_http_conn_job_back(vs_http_conn *c);
/* Fills req->client and req->local; false when the certificate cannot be read: the connection must
 * end. */
VS_MUST bool vs_http_conn_client(vs_http_conn *c, vs_http_request *req);
/* The connection now holds `n` bytes of requests. False, and nothing has changed: all connections
 * together would hold too much, and this is not a small one. */
VS_MUST bool vs_http_conn_hold(vs_http_conn *c, size_t n);
/* Where the request of `job`, whose head is filled, comes from: fills req.peer, and counts it. 0,
 * or the status to refuse with: 400, 429. */
VS_MUST int vs_http_conn_admit(vs_http_conn *c, vs_http_job *job);
/* How a request that no handler sees is refused. The caller frees the body. */
vs_http_response vs_http_refusal(const vs_http_config *cfg, int status, vs_span path);

/* MORE: bytes are missing. READY: something is in `out`. */
vs_http_outcome vs_http1_step(vs_http_conn *c);
/* Refuses what is not a request that a handler could see, as plain text, and ends the connection:
 * where the next request would start is not known. */
void vs_http1_refuse(vs_http_conn *c, int status);

/* Turns the connection to HTTP/2; what is in `in` belongs to it. */
VS_MUST bool vs_http2_start(vs_http_conn *c);
/* Takes `in`, fills `out`. GONE: nothing more is to be read or written. */
vs_http_outcome vs_http2_step(vs_http_conn *c);
/* Deadlines of streams; false when the connection must end now. */
VS_MUST bool vs_http2_tick(vs_http_conn *c, int64_t now);
/* GOAWAY; streams that were received are still answered. */
void vs_http2_drain(vs_http_conn *c);
/* Streams with a job outlive this. */
void vs_http2_free(vs_http2 **two);

#endif
