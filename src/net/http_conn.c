/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_conn.h"

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/http2.h"

enum {
    HELD_SMALL = 16 * 1024, /* a connection may always hold that much */
    KEEP_ROOM = 4096,       /* an idle connection keeps buffers up to this size */
    ROUNDS = 16,            /* reads of one connection before the others have their turn */
    TURN_MS = 5,            /* ... or so long, if what it sends is much work */
    LINGER_MS = 2000,
    CLIENT_MAX = 64 * 1024, /* what is kept of a client certificate */
};

typedef vs_http_outcome outcome;

static int64_t ms(unsigned n)
{
    return (int64_t)n * 1000000;
}

void vs_http_conn_give_time(vs_http_conn *c, unsigned n)
{
    c->deadline = vs_mono_ns() + ms(n);
}

static const vs_http_limits *limits_of(const vs_http_conn *c)
{
    return &c->loop->cfg->limits;
}

bool vs_http_conn_hold(vs_http_conn *c, size_t n)
{
    atomic_size_t *all = c->loop->held;
    if (!all)
        return true;
    if (n > c->held) {
        size_t more = n - c->held, now = atomic_fetch_add(all, more) + more;
        if (n > HELD_SMALL && now > limits_of(c)->held_bytes) {
            atomic_fetch_sub(all, more);
            return false;
        }
    } else {
        atomic_fetch_sub(all, c->held - n);
    }
    c->held = n;
    return true;
}

/* Holding less is always possible. */
static void hold_less(vs_http_conn *c)
{
    size_t n = c->two ? c->two->held : c->in.n;
    if (n < c->held)
        (void)!vs_http_conn_hold(c, n);
}

static void release(vs_http_conn *c)
{
    (void)!vs_http_conn_hold(c, 0); /* what workers read counts until they are done */
    vs_buf_free(&c->in);
    vs_arena_free(&c->client_arena);
    free(c);
}

/* Handlers of this connection may still run and read its input: then it stays, dead, until the
 * last of them is back. */
static void free_conn(vs_http_conn *c)
{
    if (c->wanted)
        (void)event_del(&c->event);
    vs_http2_free(&c->two);
    if (c->ssl)
        SSL_free(c->ssl);
    (void)close(c->fd);
    vs_buf_free(&c->out);
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    atomic_fetch_sub(c->loop->connections, 1);
    if (c->counted)
        vs_sources_leave(c->loop->sources, c->ip);
    c->dead = true;
    if (c->jobs == 0)
        release(c);
}

bool vs_http_conn_job_back(vs_http_conn *c)
{
    c->jobs--;
    if (c->dead && c->jobs == 0) {
        release(c);
        return false;
    }
    return !c->dead;
}

bool vs_http_conn_client(vs_http_conn *c, vs_http_request *req)
{
    req->local = c->is_local ? &c->local : NULL;
    if (!c->ssl || !c->loop->cfg->client_ca)
        return true;
    if (!c->client_known) {
        vs_arena_init(&c->client_arena, CLIENT_MAX);
        if (!vs_tls_client(c->ssl, &c->client_arena, &c->client))
            return false;
        c->client_known = true;
    }
    req->client = c->client.subject.p ? &c->client : NULL;
    return true;
}

/* ---- where it comes from ----------------------------------------------------------------------
 */

static bool is_proxy(const vs_http_conn *c)
{
    const vs_http_config *cfg = c->loop->cfg;
    return vs_cidr_holds(cfg->trusted_proxies, cfg->n_trusted_proxies, c->ip);
}

/* A connection counts as a request: a handshake is no cheaper. */
static bool enter(vs_http_conn *c)
{
    vs_sources *s = c->loop->sources;
    int64_t now = vs_mono_ns();
    if (!s)
        return true;
    c->counted = vs_sources_enter(s, c->ip, now);
    bool may = c->counted && vs_sources_request(s, c->ip, now);
    if (!may)
        vs_log(VS_LOG_DEBUG, "http", "a connection over its source's limits", "peer", c->peer,
               NULL);
    return may;
}

static size_t fields_of(const vs_http_head *h, const char *name, vs_span out[VS_HTTP_FIELDS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < h->n_fields; i++)
        if (vs_span_ieq(h->fields[i].name, vs_str(name)))
            out[n++] = h->fields[i].value;
    return n;
}

static vs_code forwarded_ip(const vs_http_conn *c, const vs_http_head *h, vs_ip *ip, vs_error *err)
{
    const vs_http_config *cfg = c->loop->cfg;
    vs_span standard[VS_HTTP_FIELDS_MAX], usual[VS_HTTP_FIELDS_MAX];
    vs_forwarded f = {.trusted = cfg->trusted_proxies, .n_trusted = cfg->n_trusted_proxies};
    size_t n_standard = fields_of(h, "forwarded", standard);
    size_t n_usual = fields_of(h, "x-forwarded-for", usual);
    if (n_standard && n_usual)
        return vs_fail(err, VS_E_INVALID, "Forwarded and X-Forwarded-For: one may be a forgery");
    f.fields = n_standard ? standard : usual;
    f.n = n_standard ? n_standard : n_usual;
    return n_standard ? vs_forwarded_client(&f, ip, err) : vs_x_forwarded_client(&f, ip, err);
}

int vs_http_conn_admit(vs_http_conn *c, vs_http_job *job)
{
    vs_ip ip = c->ip;
    job->req.peer = vs_str(c->peer);
    if (c->forwards) {
        vs_error err = {0};
        if (forwarded_ip(c, &job->head, &ip, &err) != VS_OK) {
            vs_log_error(VS_LOG_WARN, "http", "a proxy's header is refused", &err);
            return 400;
        }
        if (memcmp(ip.b, c->ip.b, sizeof ip.b) != 0)
            job->req.peer = vs_str(vs_ip_print(ip, 0, job->peer));
    }
    bool may = !c->loop->sources || vs_sources_request(c->loop->sources, ip, vs_mono_ns());
    return may ? 0 : 429;
}

/* ---- bytes in and out ----------------------------------------------------------------------- */

/* READY: *n bytes moved. MORE: would block, c->needed says on what. GONE: end or error. */
static outcome tls_outcome(vs_http_conn *c, int ok)
{
    if (ok > 0)
        return VS_READY;
    int e = SSL_get_error(c->ssl, ok);
    c->needed = e == SSL_ERROR_WANT_WRITE ? EV_WRITE : EV_READ;
    if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE)
        return VS_MORE;
    /* After a fatal error SSL_shutdown must not be called. */
    SSL_set_quiet_shutdown(c->ssl, 1);
    c->refused = e == SSL_ERROR_SSL && !SSL_is_init_finished(c->ssl);
    return VS_GONE;
}

static outcome plain_outcome(vs_http_conn *c, ssize_t moved, short direction, size_t *n)
{
    c->needed = direction;
    if (moved > 0) {
        *n = (size_t)moved;
        return VS_READY;
    }
    return moved < 0 && (errno == EAGAIN || errno == EINTR) ? VS_MORE : VS_GONE;
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

/* 0 = on nothing. */
static void wait_for(vs_http_conn *c, short direction)
{
    if (c->wanted == direction)
        return;
    if (c->wanted)
        (void)event_del(&c->event);
    c->wanted = direction;
    if (!direction)
        return;
    (void)event_assign(&c->event, c->loop->base, c->fd, (short)(direction | EV_PERSIST), on_ready,
                       c);
    (void)event_add(&c->event, NULL);
}

/* ---- the life of a connection ---------------------------------------------------------------- */

/* Closing with unread input would reset the connection and could destroy the response on its way
 * (RFC 9112 9.6): say the end, then read and drop for a while. */
static outcome start_linger(vs_http_conn *c)
{
    if (c->ssl)
        (void)SSL_shutdown(c->ssl);
    if (shutdown(c->fd, SHUT_WR) != 0)
        return VS_GONE;
    c->phase = VS_HTTP_LINGER;
    vs_buf_free(&c->in);
    hold_less(c);
    vs_http_conn_give_time(c, LINGER_MS);
    return VS_READY;
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
        return VS_GONE;
    while (c->sent < c->out.n) {
        size_t n = 0;
        outcome o = write_some(c, vs_span_from(vs_buf_span(&c->out), c->sent), &n);
        if (o != VS_READY)
            return o;
        c->sent += n;
    }
    keep_small(&c->out);
    c->sent = 0;
    hold_less(c);
    if (!c->answered)
        return VS_READY;
    c->answered = false;
    if (c->refused)
        return start_linger(c);
    if (c->close) {
        if (c->ssl)
            (void)SSL_shutdown(c->ssl);
        return VS_GONE;
    }
    c->in_request = false;
    if (c->in.n == 0) {
        keep_small(&c->in);
        vs_http_conn_give_time(c, limits_of(c)->idle_ms);
    }
    return VS_READY;
}

static outcome receive(vs_http_conn *c)
{
    size_t n = 0;
    uint8_t *scratch = c->loop->scratch;
    bool linger = c->phase == VS_HTTP_LINGER; /* TLS has said its end by then */
    size_t cap = VS_HTTP_READ_MAX;
    if (c->phase == VS_HTTP_PROXY) /* what follows the header may be TLS */
        cap = vs_proxy_size(vs_buf_span(&c->in)) - c->in.n;
    outcome o = linger ? plain_outcome(c, recv(c->fd, scratch, cap, 0), EV_READ, &n)
                       : read_some(c, scratch, cap, &n);
    if (!linger)
        vs_buf_put(&c->in, vs_span_of(scratch, n));
    vs_wipe(scratch, n);
    return vs_buf_ok(&c->in) ? o : VS_GONE;
}

static bool start_tls(vs_http_conn *c)
{
    if (!c->loop->tls)
        return true;
    c->ssl = vs_tls_box_new_ssl(c->loop->tls);
    if (!c->ssl || !SSL_set_fd(c->ssl, c->fd))
        return false;
    SSL_set_accept_state(c->ssl);
    return true;
}

/* Then the connection is as though the client had made it. */
static outcome proxy_step(vs_http_conn *c)
{
    vs_error err = {0};
    vs_proxy_head head;
    vs_span in = vs_buf_span(&c->in);
    size_t size = vs_proxy_size(in);
    if (size > in.n)
        return VS_MORE;
    if (vs_proxy_parse(in, &head, &err) != VS_OK) {
        vs_log_error(VS_LOG_WARN, "http", "a proxy's connection is refused", &err);
        return VS_GONE;
    }
    if (head.has_ip) {
        c->ip = head.ip;
        (void)vs_ip_print(head.ip, head.port, c->peer);
        if (!enter(c))
            return VS_GONE;
    }
    vs_buf_clear(&c->in);
    c->phase = VS_HTTP_READ_HEAD;
    return start_tls(c) ? VS_READY : VS_GONE;
}

static outcome step(vs_http_conn *c)
{
    switch (c->phase) {
    case VS_HTTP_PROXY: return proxy_step(c);
    case VS_HTTP_LINGER: return VS_MORE;
    case VS_HTTP_BUSY: return VS_WAIT;
    case VS_HTTP_TWO: return vs_http2_step(c);
    default: return vs_http1_step(c);
    }
}

/* Until something would block. */
static outcome pump(vs_http_conn *c)
{
    int64_t until = vs_mono_ns() + ms(TURN_MS);
    for (int round = 0;; round++) {
        for (;;) {
            if (c->out.n) {
                outcome o = flush(c);
                if (o != VS_READY)
                    return o;
            }
            outcome o = step(c);
            if (o == VS_GONE && c->phase == VS_HTTP_TWO && c->in_request)
                o = start_linger(c); /* so that a GOAWAY arrives */
            if (o == VS_GONE || o == VS_WAIT)
                return o;
            if (o == VS_MORE)
                break;
        }
        bool enough = round >= ROUNDS || (round > 0 && vs_mono_ns() > until);
        if (enough && !(c->ssl && SSL_has_pending(c->ssl))) {
            c->needed = EV_READ;
            return VS_MORE;
        }
        outcome o = receive(c);
        if (o == VS_GONE && c->refused && c->phase != VS_HTTP_LINGER)
            o = start_linger(c); /* so that the alert arrives */
        if (o != VS_READY)
            return o;
        bool one = c->phase == VS_HTTP_READ_HEAD || c->phase == VS_HTTP_READ_BODY;
        if (one && !vs_http_conn_hold(c, c->in.n))
            vs_http1_refuse(c, 503);
    }
}

void vs_http_conn_run(vs_http_conn *c)
{
    outcome o = pump(c);
    if (o == VS_GONE)
        free_conn(c);
    else
        wait_for(c, o == VS_WAIT ? 0 : c->needed);
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    vs_http_conn_run(arg);
}

/* False: it is not welcome. */
static bool begin(vs_http_conn *c)
{
    bool proxy = is_proxy(c);
    c->phase = c->loop->cfg->proxy_protocol ? VS_HTTP_PROXY : VS_HTTP_READ_HEAD;
    if (c->phase == VS_HTTP_PROXY) {
        if (!proxy)
            vs_log(VS_LOG_WARN, "http", "only trusted proxies may connect", "peer", c->peer, NULL);
        return proxy;
    }
    c->forwards = proxy;
    return (proxy || enter(c)) && start_tls(c);
}

void vs_http_conn_open(vs_http_loop *loop, int fd, vs_ip ip, const char *peer,
                       const vs_unix_peer *local)
{
    vs_http_conn *c = calloc(1, sizeof *c);
    if (!c) {
        (void)close(fd);
        return;
    }
    *c =
        (vs_http_conn){.loop = loop, .fd = fd, .next = loop->first, .link = &loop->first, .ip = ip};
    c->in.cap = loop->cfg->limits.header_bytes + loop->cfg->limits.body_bytes + VS_HTTP_READ_MAX;
    c->out.cap = VS_HTTP_RESPONSE_MAX + 64 * 1024;
    if (c->next)
        c->next->link = &c->next;
    loop->first = c;
    atomic_fetch_add(loop->connections, 1);
    (void)snprintf(c->peer, sizeof c->peer, "%s", peer);
    c->is_local = local != NULL;
    if (local)
        c->local = *local;
    vs_http_conn_give_time(c, loop->cfg->limits.request_ms);
    if (!begin(c))
        free_conn(c);
    else
        vs_http_conn_run(c); /* the request is often there already */
}

static void expire(vs_http_conn *c)
{
    bool reading = c->in_request && c->phase != VS_HTTP_LINGER && c->out.n == 0;
    if (!reading) {
        free_conn(c);
        return;
    }
    vs_http1_refuse(c, 408);
    vs_http_conn_run(c);
}

/* The socket is not read meanwhile, but it tells its end. */
static bool client_has_left(const vs_http_conn *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLRDHUP};
    return poll(&p, 1, 0) > 0;
}

static void tick(vs_http_conn *c, int64_t now)
{
    if (c->phase == VS_HTTP_BUSY) { /* the handler has its time, as long as somebody waits for it */
        if (c->loop->cfg->waiting && client_has_left(c)) {
            atomic_store(&c->job->cancelled, true);
            free_conn(c);
        }
        return;
    }
    if (c->phase != VS_HTTP_TWO) {
        if (now > c->deadline)
            expire(c);
    } else if (vs_http2_tick(c, now)) {
        vs_http_conn_run(c);
    } else {
        free_conn(c);
    }
}

void vs_http_conn_tick(vs_http_loop *loop, int64_t now)
{
    for (vs_http_conn *c = loop->first, *next; c; c = next) {
        next = c->next;
        tick(c, now);
    }
}

void vs_http_conn_drain(vs_http_loop *loop)
{
    for (vs_http_conn *c = loop->first, *next; c; c = next) {
        next = c->next;
        /* What has arrived by now is answered. */
        outcome o = pump(c);
        if (o != VS_GONE && c->phase == VS_HTTP_TWO) {
            vs_http2_drain(c);
            vs_http_conn_run(c);
        } else if (o == VS_GONE || !c->in_request || c->phase == VS_HTTP_LINGER) {
            free_conn(c);
        } else {
            wait_for(c, o == VS_WAIT ? 0 : c->needed);
        }
    }
}

void vs_http_conn_close_all(vs_http_loop *loop)
{
    while (loop->first)
        free_conn(loop->first);
}
