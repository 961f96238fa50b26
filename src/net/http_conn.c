/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_conn.h"

#include <errno.h>
#include <event2/event_struct.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum {
    PEER_TEXT = 64,
    KEEP_ROOM = 4096,             /* an idle connection keeps buffers up to this size */
    KEEP_ARENA = 2 * 1024 * 1024, /* a loop keeps its arena up to this size */
    RESPONSE_MAX = 32 * 1024 * 1024,
    ROUNDS = 16, /* reads of one connection before the others have their turn */
    LINGER_MS = 2000,
};

typedef enum phase { READ_HEAD, READ_BODY, LINGER } phase;

struct vs_http_conn {
    vs_http_loop *loop;
    vs_http_conn *next, **link;
    struct event event;
    SSL *ssl;
    int fd;
    short wanted; /* EV_READ or EV_WRITE: what the event waits for */
    short needed; /* what the last transfer said it waits for */
    phase phase;
    bool in_request;   /* bytes of a request have arrived, its response is not written yet */
    bool skipped_crlf; /* the one empty line allowed before a request line (RFC 9112 2.2) */
    bool answered;     /* `out` holds a final response */
    bool close;        /* end the connection after it */
    bool refused;      /* the request was not read to its end: linger */
    bool chunked, http10, expects;
    vs_buf in, out;
    size_t sent;         /* of out */
    size_t scan, head_n; /* in in */
    size_t body_end;     /* in in; for chunked: decoded so far */
    vs_http_chunks chunks;
    int64_t deadline; /* vs_mono_ns */
    char peer[PEER_TEXT];
};

/* What a step left behind. */
typedef enum outcome { MORE, READY, GONE } outcome;

static int64_t ms(unsigned n)
{
    return (int64_t)n * 1000000;
}

static void give_time(vs_http_conn *c, unsigned n)
{
    c->deadline = vs_mono_ns() + ms(n);
}

static const vs_http_limits *limits_of(const vs_http_conn *c)
{
    return &c->loop->cfg->limits;
}

static void free_conn(vs_http_conn *c)
{
    (void)event_del(&c->event);
    if (c->ssl)
        SSL_free(c->ssl);
    (void)close(c->fd);
    vs_buf_free(&c->in);
    vs_buf_free(&c->out);
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    atomic_fetch_sub(c->loop->connections, 1);
    free(c);
}

/* ---- bytes in and out ----------------------------------------------------------------------- */

/* READY: *n bytes moved. MORE: would block, c->needed says on what. GONE: end or error. */
static outcome tls_outcome(vs_http_conn *c, int ok)
{
    if (ok > 0)
        return READY;
    int e = SSL_get_error(c->ssl, ok);
    c->needed = e == SSL_ERROR_WANT_WRITE ? EV_WRITE : EV_READ;
    if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE)
        return MORE;
    /* After a fatal error SSL_shutdown must not be called. */
    SSL_set_quiet_shutdown(c->ssl, 1);
    return GONE;
}

static outcome plain_outcome(vs_http_conn *c, ssize_t moved, short direction, size_t *n)
{
    c->needed = direction;
    if (moved > 0) {
        *n = (size_t)moved;
        return READY;
    }
    return moved < 0 && (errno == EAGAIN || errno == EINTR) ? MORE : GONE;
}

static outcome read_some(vs_http_conn *c, uint8_t *buf, size_t cap, size_t *n)
{
    if (!c->ssl)
        return plain_outcome(c, recv(c->fd, buf, cap, 0), EV_READ, n);
    ERR_clear_error();
    return tls_outcome(c, SSL_read_ex(c->ssl, buf, cap, n));
}

static outcome write_some(vs_http_conn *c, vs_span s, size_t *n)
{
    if (!c->ssl)
        return plain_outcome(c, send(c->fd, s.p, s.n, MSG_NOSIGNAL), EV_WRITE, n);
    ERR_clear_error();
    return tls_outcome(c, SSL_write_ex(c->ssl, s.p, s.n, n));
}

static void on_ready(evutil_socket_t fd, short what, void *arg);

static void wait_for(vs_http_conn *c, short direction)
{
    if (c->wanted == direction)
        return;
    (void)event_del(&c->event);
    (void)event_assign(&c->event, c->loop->base, c->fd, (short)(direction | EV_PERSIST), on_ready,
                       c);
    (void)event_add(&c->event, NULL);
    c->wanted = direction;
}

/* ---- responses ------------------------------------------------------------------------------ */

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } known[] = {
        {200, "OK"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {413, "Payload Too Large"},
        {417, "Expectation Failed"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < VS_COUNT(known); i++)
        if (known[i].status == status)
            return known[i].reason;
    return "Status";
}

void vs_http_add_header(vs_http_response *r, const char *name, const char *value)
{
    bool clean = strpbrk(name, "\r\n") == NULL && strpbrk(value, "\r\n") == NULL;
    if (!clean || r->n_headers == VS_COUNT(r->headers)) {
        vs_log(VS_LOG_ERROR, "http",
               clean ? "too many response headers" : "a line break in a response header", "name",
               name, NULL);
        return;
    }
    r->headers[r->n_headers].name = name;
    r->headers[r->n_headers++].value = value;
}

vs_span vs_http_header(const vs_http_request *r, const char *name)
{
    return vs_http_head_field(r->impl, name);
}

static void queue_response(vs_http_conn *c, const vs_http_response *r, bool with_body)
{
    char date[VS_TIME_TEXT];
    vs_buf *o = &c->out;
    vs_buf_printf(o, "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Length: %zu\r\n", r->status,
                  reason_of(r->status), vs_time_http(vs_now_s(), date), r->body.n);
    if (r->content_type)
        vs_buf_printf(o, "Content-Type: %s\r\n", r->content_type);
    for (size_t i = 0; i < r->n_headers; i++)
        vs_buf_printf(o, "%s: %s\r\n", r->headers[i].name, r->headers[i].value);
    c->close |= atomic_load(c->loop->stopping);
    if (c->close)
        vs_buf_puts(o, "Connection: close\r\n");
    else if (c->http10)
        vs_buf_puts(o, "Connection: keep-alive\r\n");
    vs_buf_puts(o, "\r\n");
    if (with_body)
        vs_buf_put(o, vs_buf_span(&r->body));
    c->answered = true;
    give_time(c, limits_of(c)->request_ms);
}

/* Refuses what is not a request that a handler could see, as plain text, and ends the connection:
 * where the next request would start is not known. */
static void refuse(vs_http_conn *c, int status)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(128);
    vs_buf_printf(&text, "%d %s\n", status, reason_of(status));
    vs_http_response r = {
        .status = status, .content_type = "text/plain; charset=utf-8", .body = text};
    c->close = c->refused = true;
    queue_response(c, &r, true);
}

/* ---- requests ------------------------------------------------------------------------------- */

static void call_handler(vs_http_conn *c, const vs_http_head *head)
{
    vs_http_loop *loop = c->loop;
    vs_http_request req = {.method = head->method,
                           .path = head->path,
                           .query = head->query,
                           .body = vs_span_of(c->in.p + c->head_n, c->body_end - c->head_n),
                           .peer = vs_str(c->peer),
                           .arena = &loop->arena,
                           .impl = head};
    vs_http_response resp = {.status = 200, .body = VS_BUF(RESPONSE_MAX)};
    loop->cfg->handler(loop->cfg->user, &req, &resp);
    if (!vs_buf_ok(&resp.body)) {
        vs_log(VS_LOG_ERROR, "http", "a response is too large, or out of memory", "peer", c->peer,
               NULL);
        vs_buf_free(&resp.body);
        resp = (vs_http_response){.status = 500, .body = VS_BUF(0)};
    }
    c->close |= head->close;
    queue_response(c, &resp, head->method != VS_HTTP_HEAD);
    vs_buf_free(&resp.body);
    vs_arena_reset(&loop->arena);
    if (loop->arena.held > KEEP_ARENA)
        vs_arena_free(&loop->arena);
}

/* Takes the request that was answered off the input; what follows it stays. */
static void consume(vs_http_conn *c)
{
    size_t rest = c->in.n - c->body_end;
    memmove(c->in.p, c->in.p + c->body_end, rest);
    vs_buf_truncate(&c->in, rest);
    c->phase = READ_HEAD;
    c->scan = 0;
    c->skipped_crlf = false;
}

static void skip_empty_line(vs_http_conn *c)
{
    if (c->skipped_crlf || c->in.n < 2 || memcmp(c->in.p, "\r\n", 2) != 0)
        return;
    memmove(c->in.p, c->in.p + 2, c->in.n - 2);
    vs_buf_truncate(&c->in, c->in.n - 2);
    c->skipped_crlf = true;
    c->scan = 0;
}

/* Returns 0 when the head was read and is in loop->head, -1 when bytes are missing, else a status.
 */
static int step_head(vs_http_conn *c)
{
    const vs_http_limits *limits = limits_of(c);
    vs_http_head *head = &c->loop->head;
    skip_empty_line(c);
    bool bad;
    c->head_n = vs_http_head_end(vs_buf_span(&c->in), &c->scan, &bad);
    if (bad)
        return 400;
    if (c->head_n > limits->header_bytes || (!c->head_n && c->in.n >= limits->header_bytes))
        return 431;
    if (!c->head_n)
        return -1;
    int status = vs_http_head_parse(vs_span_head(vs_buf_span(&c->in), c->head_n), head);
    if (status)
        return status;
    if (head->content_length > limits->body_bytes)
        return 413;
    c->phase = READ_BODY;
    c->http10 = head->http10;
    c->expects = head->expect_continue;
    c->chunked = head->chunked;
    c->chunks = (vs_http_chunks){0};
    c->body_end = c->head_n + (size_t)head->content_length;
    return 0;
}

/* As step_head. */
static int step_body(vs_http_conn *c)
{
    if (!c->chunked)
        return c->in.n < c->body_end ? -1 : 0;
    size_t n = c->in.n;
    int status = vs_http_chunks_feed(&c->chunks, c->in.p, &c->body_end, &n,
                                     c->head_n + limits_of(c)->body_bytes);
    vs_buf_truncate(&c->in, n);
    if (status)
        return status;
    return c->chunks.done ? 0 : -1;
}

/* MORE: bytes are missing. READY: something is in `out`. */
static outcome step_request(vs_http_conn *c)
{
    if (c->in.n == 0)
        return MORE;
    if (!c->in_request) {
        c->in_request = true;
        give_time(c, limits_of(c)->request_ms);
    }
    bool fresh = c->phase == READ_HEAD;
    int status = fresh ? step_head(c) : 0;
    if (status == 0)
        status = step_body(c);
    if (status > 0) {
        refuse(c, status);
        return READY;
    }
    if (status == 0) {
        /* The head was parsed before the buffer moved, or for another connection: again. */
        if (!fresh &&
            vs_http_head_parse(vs_span_head(vs_buf_span(&c->in), c->head_n), &c->loop->head) != 0)
            return GONE;
        call_handler(c, &c->loop->head);
        consume(c);
        return READY;
    }
    if (c->phase == READ_BODY && c->expects && c->in.n == c->head_n) {
        c->expects = false;
        vs_buf_puts(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
        return READY;
    }
    return MORE;
}

/* ---- the life of a connection ---------------------------------------------------------------- */

/* Closing with unread input would reset the connection and could destroy the response on its way
 * (RFC 9112 9.6): say the end, then read and drop for a while. */
static outcome start_linger(vs_http_conn *c)
{
    if (c->ssl)
        (void)SSL_shutdown(c->ssl);
    if (shutdown(c->fd, SHUT_WR) != 0)
        return GONE;
    c->phase = LINGER;
    vs_buf_free(&c->in);
    give_time(c, LINGER_MS);
    return READY;
}

static void keep_small(vs_buf *b)
{
    if (b->room > KEEP_ROOM)
        vs_buf_free(b);
    else
        vs_buf_clear(b);
}

/* READY: all is written and the connection goes on. */
static outcome flush(vs_http_conn *c)
{
    if (!vs_buf_ok(&c->out))
        return GONE;
    while (c->sent < c->out.n) {
        size_t n = 0;
        outcome o = write_some(c, vs_span_from(vs_buf_span(&c->out), c->sent), &n);
        if (o != READY)
            return o;
        c->sent += n;
    }
    keep_small(&c->out);
    c->sent = 0;
    if (!c->answered)
        return READY;
    c->answered = false;
    if (c->refused)
        return start_linger(c);
    if (c->close) {
        if (c->ssl)
            (void)SSL_shutdown(c->ssl);
        return GONE;
    }
    c->in_request = false;
    if (c->in.n == 0) {
        keep_small(&c->in);
        give_time(c, limits_of(c)->idle_ms);
    }
    return READY;
}

static outcome receive(vs_http_conn *c)
{
    size_t n = 0;
    uint8_t *scratch = c->loop->scratch;
    bool linger = c->phase == LINGER; /* TLS has said its end by then */
    outcome o = linger ? plain_outcome(c, recv(c->fd, scratch, VS_HTTP_READ_MAX, 0), EV_READ, &n)
                       : read_some(c, scratch, VS_HTTP_READ_MAX, &n);
    if (!linger)
        vs_buf_put(&c->in, vs_span_of(scratch, n));
    vs_wipe(scratch, n);
    return vs_buf_ok(&c->in) ? o : GONE;
}

/* Writes, answers and reads until something would block. */
static outcome pump(vs_http_conn *c)
{
    for (int round = 0;; round++) {
        for (;;) {
            if (c->out.n) {
                outcome o = flush(c);
                if (o != READY)
                    return o;
            }
            outcome o = c->phase == LINGER ? MORE : step_request(c);
            if (o == GONE)
                return o;
            if (o == MORE)
                break;
        }
        if (round >= ROUNDS && !(c->ssl && SSL_has_pending(c->ssl))) {
            c->needed = EV_READ;
            return MORE;
        }
        outcome o = receive(c);
        if (o != READY)
            return o;
    }
}

static void run(vs_http_conn *c)
{
    if (pump(c) == GONE)
        free_conn(c);
    else
        wait_for(c, c->needed);
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    run(arg);
}

static bool start_tls(vs_http_conn *c)
{
    if (!c->loop->tls)
        return true;
    c->ssl = SSL_new(c->loop->tls);
    if (!c->ssl || !SSL_set_fd(c->ssl, c->fd))
        return false;
    SSL_set_accept_state(c->ssl);
    return true;
}

void vs_http_conn_open(vs_http_loop *loop, int fd, const char *peer)
{
    vs_http_conn *c = calloc(1, sizeof *c);
    if (!c) {
        (void)close(fd);
        return;
    }
    *c = (vs_http_conn){
        .loop = loop, .fd = fd, .next = loop->first, .link = &loop->first, .wanted = EV_READ};
    c->in.cap = loop->cfg->limits.header_bytes + loop->cfg->limits.body_bytes + VS_HTTP_READ_MAX;
    c->out.cap = RESPONSE_MAX + 64 * 1024;
    if (c->next)
        c->next->link = &c->next;
    loop->first = c;
    atomic_fetch_add(loop->connections, 1);
    (void)snprintf(c->peer, sizeof c->peer, "%s", peer);
    (void)event_assign(&c->event, loop->base, fd, EV_READ | EV_PERSIST, on_ready, c);
    give_time(c, loop->cfg->limits.request_ms);
    if (!start_tls(c) || event_add(&c->event, NULL) != 0)
        free_conn(c);
    else if (!c->ssl)
        run(c); /* the request is often there already */
}

static void expire(vs_http_conn *c)
{
    bool reading = c->in_request && c->phase != LINGER && c->out.n == 0;
    if (!reading) {
        free_conn(c);
        return;
    }
    refuse(c, 408);
    run(c);
}

void vs_http_conn_tick(vs_http_loop *loop, int64_t now)
{
    for (vs_http_conn *c = loop->first, *next; c; c = next) {
        next = c->next;
        if (now > c->deadline)
            expire(c);
    }
}

void vs_http_conn_drain(vs_http_loop *loop)
{
    for (vs_http_conn *c = loop->first, *next; c; c = next) {
        next = c->next;
        /* What has arrived by now is answered. */
        if (pump(c) == GONE || !c->in_request || c->phase == LINGER)
            free_conn(c);
        else
            wait_for(c, c->needed);
    }
}

void vs_http_conn_close_all(vs_http_loop *loop)
{
    while (loop->first)
        free_conn(loop->first);
}
