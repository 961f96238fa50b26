/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server: one loop thread moves frames and keeps deadlines, a pool runs handlers. A call
 * belongs to the loop but while the pool has it; connections belong to the loop alone.
 */
#include "net/ttrpc.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "base/users.h"
#include "base/wait.h"
#include "net/task_pool.h"
#include "net/ttrpc_wire.h"
#include "net/unix_socket.h"

enum {
    BACKLOG = 64,
    WORKERS_MAX = 64,
    SCRATCH = 16 * 1024,
    ROUNDS = 32,                /* reads of one connection before the others have their turn */
    OUT_PAUSE = 1024 * 1024,    /* with so much to write a connection is not read */
    OUT_MAX = 16 * 1024 * 1024, /* a peer that does not take its answers is disconnected */
    KEEP_ARENA = 64 * 1024,
    TIMEOUT_MAX_S = 10 * 365 * 24 * 3600,
};

typedef struct conn conn;
typedef struct call call;

struct call {
    vs_task task;
    call *next, **link; /* in the server's list of outstanding calls */
    call *next_done;
    vs_ttrpc_server *server;
    conn *conn; /* NULL: closed meanwhile */
    uint32_t stream;
    bool own;
    vs_buf payload; /* what request points into */
    vs_ttrpc_request request;
    const vs_grpc_method *method;
    vs_arena arena;
    vs_grpc_reply reply;
    int64_t deadline; /* of the caller, vs_mono_ns; 0 = none */
    atomic_bool gone;
    bool answered; /* its deadline has passed, and the peer was told */
};

struct conn {
    conn *next, **link;
    vs_ttrpc_server *server;
    struct event event;
    short wanted;
    int fd;
    bool own; /* the peer is root or this process's user */
    uint8_t head[VS_TTRPC_HEAD];
    size_t head_n;
    vs_ttrpc_head frame;
    bool wanted_frame; /* it becomes a call */
    vs_buf body;
    size_t body_n;   /* of body that has arrived */
    uint64_t skip;   /* bytes of a payload to drop */
    uint32_t stream; /* the last one that was begun */
    vs_buf out;
    size_t sent;
    unsigned calls;
    int64_t read_by, write_by; /* deadlines of a begun frame, of a begun answer; 0 = none */
};

struct vs_ttrpc_server {
    vs_ttrpc_config cfg;
    vs_unix_listener file;
    int fd, stop_fd, done_fd;
    struct event_base *base;
    struct event *accept, *stop, *done, *tick;
    conn *conns;
    call *calls;
    unsigned n_conns, n_calls;
    size_t held;
    bool stopping;
    unsigned drain_ms;
    int64_t drain_until;
    vs_task_pool *pool;
    pthread_mutex_t lock; /* guards first_done */
    call *first_done;
    pthread_t thread;
    bool running;
    uint8_t scratch[SCRATCH];
};

static int64_t in_ms(unsigned n)
{
    return vs_mono_ns() + (int64_t)n * 1000000;
}

/* ---- calls ----------------------------------------------------------------------------------- */

static void free_call(call *c)
{
    vs_ttrpc_server *s = c->server;
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    s->n_calls--;
    s->held -= c->payload.n;
    vs_buf_free(&c->payload);
    vs_buf_free(&c->reply.body);
    vs_arena_free(&c->arena);
    free(c);
}

static void run(call *c)
{
    vs_grpc_call g = {.path = vs_str(c->method->path),
                      .request = c->request.payload,
                      .deadline = c->deadline,
                      .arena = &c->arena,
                      .own = c->own,
                      .known = c->own,
                      .gone = &c->gone};
    (void)vs_wait_set((vs_wait){.until = c->deadline, .gone = &c->gone});
    if (c->method->known_only && !g.known)
        vs_grpc_fail(&g, &c->reply, VS_GRPC_PERMISSION_DENIED,
                     "this method is for the server's own user");
    else
        c->method->handler(c->method->user, &g, &c->reply);
    if (c->reply.status == VS_GRPC_OK && !vs_buf_ok(&c->reply.body)) {
        vs_log(VS_LOG_ERROR, "ttrpc", "a reply is too large, or out of memory", "method",
               c->method->path, NULL);
        vs_grpc_fail(&g, &c->reply, VS_GRPC_RESOURCE_EXHAUSTED, "the reply is larger than allowed");
    }
    (void)vs_wait_set((vs_wait){0});
}

/* On a thread of the pool. */
static void on_pool(vs_task *t, bool may_run)
{
    call *c = (call *)((char *)t - offsetof(call, task));
    vs_ttrpc_server *s = c->server;
    if (may_run && !atomic_load(&c->gone))
        run(c);
    (void)pthread_mutex_lock(&s->lock);
    c->next_done = s->first_done;
    s->first_done = c;
    bool first = !c->next_done;
    (void)pthread_mutex_unlock(&s->lock);
    if (first)
        (void)eventfd_write(s->done_fd, 1);
}

/* ---- connections ------------------------------------------------------------------------------
 */

static void drop_frame(conn *c)
{
    c->server->held -= c->body.n;
    vs_buf_free(&c->body);
    c->body_n = 0;
    c->wanted_frame = false;
    c->skip = 0;
    c->head_n = 0;
    c->read_by = 0;
}

static void close_conn(conn *c)
{
    vs_ttrpc_server *s = c->server;
    for (call *k = s->calls; k; k = k->next)
        if (k->conn == c) {
            k->conn = NULL;
            atomic_store(&k->gone, true);
        }
    drop_frame(c);
    if (c->wanted)
        (void)event_del(&c->event);
    (void)close(c->fd);
    vs_buf_free(&c->out);
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    s->n_conns--;
    free(c);
}

/* False: the connection is broken. */
static bool flush(conn *c)
{
    if (!vs_buf_ok(&c->out))
        return false;
    while (c->sent < c->out.n) {
        ssize_t n = send(c->fd, c->out.p + c->sent, c->out.n - c->sent, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (!c->write_by)
                c->write_by = in_ms(c->server->cfg.frame_ms);
            return true;
        }
        if (n <= 0)
            return false;
        c->sent += (size_t)n;
        c->write_by = 0;
    }
    vs_buf_free(&c->out);
    c->out = (vs_buf)VS_BUF(OUT_MAX);
    c->sent = 0;
    c->write_by = 0;
    return true;
}

static void answer(conn *c, uint32_t stream, vs_grpc_status status, const char *message,
                   vs_span payload)
{
    vs_ttrpc_response r = {status, vs_str(message ? message : ""), payload};
    vs_ttrpc_response_write(&c->out, stream, &r);
}

static void refuse(conn *c, vs_grpc_status status, const char *message)
{
    answer(c, c->frame.stream, status, message, (vs_span){0});
}

/* Finds the method of a request; NULL, and the peer was told, when there is none to run. */
static const vs_grpc_method *find_method(conn *c, const vs_ttrpc_request *r, vs_arena *a)
{
    const vs_ttrpc_config *cfg = &c->server->cfg;
    bool service_known = false;
    for (size_t i = 0; i < cfg->n_methods; i++) {
        vs_span method, service = vs_span_cut(vs_str(cfg->methods[i].path + 1), '/', &method, NULL);
        bool same = vs_span_eq(service, r->service);
        service_known |= same;
        if (!same || !vs_span_eq(method, r->method))
            continue;
        if (cfg->methods[i].handler)
            return &cfg->methods[i];
        refuse(c, VS_GRPC_NOT_FOUND, vs_sprintf(a, "%s is not supported", cfg->methods[i].path));
        return NULL;
    }
    vs_span text = vs_span_head(service_known ? r->method : r->service, 256);
    if (service_known)
        refuse(c, VS_GRPC_UNIMPLEMENTED, vs_sprintf(a, "%.*s method", VS_FMT(text)));
    else
        refuse(c, VS_GRPC_INVALID_ARGUMENT,
               vs_sprintf(a, "%.*s service does not exist", VS_FMT(text)));
    return NULL;
}

static int64_t deadline_of(const vs_ttrpc_request *r)
{
    const int64_t most = (int64_t)TIMEOUT_MAX_S * 1000000000;
    return r->timeout_ns ? vs_mono_ns() + (r->timeout_ns < most ? r->timeout_ns : most) : 0;
}

/* The call takes the body over; false: the peer was told why not. */
static bool fill_call(call *k, conn *c)
{
    vs_error err = {0};
    char text[VS_ERROR_TEXT];
    if (vs_ttrpc_request_read(vs_buf_span(&k->payload), &k->request, &err) != VS_OK) {
        refuse(c, VS_GRPC_INVALID_ARGUMENT, vs_error_text(&err, text, sizeof text));
        return false;
    }
    k->method = find_method(c, &k->request, &k->arena);
    if (!k->method)
        return false;
    k->deadline = deadline_of(&k->request);
    if (vs_task_pool_add(c->server->pool, &k->task))
        return true;
    refuse(c, VS_GRPC_RESOURCE_EXHAUSTED, "too many calls wait here");
    return false;
}

static void start_call(conn *c)
{
    vs_ttrpc_server *s = c->server;
    call *k = calloc(1, sizeof *k);
    if (!k) {
        refuse(c, VS_GRPC_RESOURCE_EXHAUSTED, "out of memory");
        return;
    }
    *k = (call){.task = {.call = on_pool},
                .next = s->calls,
                .link = &s->calls,
                .server = s,
                .conn = c,
                .stream = c->frame.stream,
                .own = c->own,
                .payload = c->body,
                .reply = {.status = VS_GRPC_OK, .body = VS_BUF(VS_TTRPC_PAYLOAD_MAX)}};
    vs_arena_init(&k->arena, 0);
    atomic_init(&k->gone, false);
    if (s->calls)
        s->calls->link = &k->next;
    s->calls = k;
    s->n_calls++;
    c->body = (vs_buf)VS_BUF(0); /* what is held stays counted, with the call */
    if (fill_call(k, c))
        c->calls++;
    else
        free_call(k);
}

/* What is wrong with a request before its body is read; OK: nothing. */
static vs_grpc_status judge(conn *c, const char **why, char text[96])
{
    vs_ttrpc_server *s = c->server;
    const vs_ttrpc_head *f = &c->frame;
    *why = text;
    if (f->stream % 2 == 0) {
        *why = "stream id must be odd";
        return VS_GRPC_INVALID_ARGUMENT;
    }
    if (f->stream <= c->stream) {
        *why = "StreamID cannot be re-used and must increment";
        return VS_GRPC_INVALID_ARGUMENT;
    }
    c->stream = f->stream;
    if (f->length > VS_TTRPC_PAYLOAD_MAX) {
        (void)snprintf(text, 96, "message length %u exceed maximum message size of %d", f->length,
                       VS_TTRPC_PAYLOAD_MAX);
        return VS_GRPC_INVALID_ARGUMENT;
    }
    *why = "too many calls, or too much of them, wait here";
    return s->n_calls >= s->cfg.requests || f->length > s->cfg.held_bytes - s->held
               ? VS_GRPC_RESOURCE_EXHAUSTED
               : VS_GRPC_OK;
}

/* A header is complete. What is not to be a call is skipped, and answered already. */
static void begin_frame(conn *c)
{
    char text[96];
    const char *why;
    c->frame = vs_ttrpc_head_read(c->head);
    c->skip = c->frame.length;
    if (c->frame.type == VS_TTRPC_DATA) {
        refuse(c, VS_GRPC_INVALID_ARGUMENT, "Stream is no longer active");
        return;
    }
    if (c->frame.type != VS_TTRPC_REQUEST)
        return;
    vs_grpc_status bad = judge(c, &why, text);
    if (bad != VS_GRPC_OK) {
        refuse(c, bad, why);
        return;
    }
    c->body = (vs_buf)VS_BUF(VS_TTRPC_PAYLOAD_MAX);
    if (c->frame.length && !vs_buf_reserve(&c->body, c->frame.length)) {
        refuse(c, VS_GRPC_RESOURCE_EXHAUSTED, "out of memory");
        return;
    }
    c->server->held += c->body.n;
    c->wanted_frame = true;
    c->skip = 0;
}

static bool frame_complete(const conn *c)
{
    return c->head_n == VS_TTRPC_HEAD && c->skip == 0 && c->body_n == c->body.n;
}

static void end_frame(conn *c)
{
    if (c->wanted_frame)
        start_call(c);
    drop_frame(c);
}

/* Where the next bytes go, and how many may. */
static uint8_t *room(conn *c, size_t *n)
{
    if (c->head_n < VS_TTRPC_HEAD) {
        *n = VS_TTRPC_HEAD - c->head_n;
        return c->head + c->head_n;
    }
    if (c->skip) {
        *n = c->skip < SCRATCH ? (size_t)c->skip : SCRATCH;
        return c->server->scratch;
    }
    *n = c->body.n - c->body_n;
    return c->body.p + c->body_n;
}

static void took(conn *c, size_t n)
{
    if (c->head_n < VS_TTRPC_HEAD) {
        c->head_n += n;
        if (c->head_n == VS_TTRPC_HEAD)
            begin_frame(c);
    } else if (c->skip) {
        vs_wipe(c->server->scratch, n);
        c->skip -= n;
    } else {
        c->body_n += n;
    }
    if (frame_complete(c))
        end_frame(c);
    else if (!c->read_by)
        c->read_by = in_ms(c->server->cfg.frame_ms);
}

static bool may_read(const conn *c)
{
    return !c->server->stopping && c->out.n - c->sent < OUT_PAUSE;
}

/* False: the connection is at its end. */
static bool receive(conn *c)
{
    for (int i = 0; i < ROUNDS && may_read(c); i++) {
        size_t n;
        uint8_t *at = room(c, &n);
        ssize_t got = recv(c->fd, at, n, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (got <= 0)
            return false;
        took(c, (size_t)got);
        if (!vs_buf_ok(&c->out))
            return false;
    }
    return true;
}

static void on_ready(evutil_socket_t fd, short what, void *arg);

static void watch(conn *c)
{
    short want = (short)((may_read(c) ? EV_READ : 0) | (c->out.n ? EV_WRITE : 0));
    if (want == c->wanted)
        return;
    if (c->wanted)
        (void)event_del(&c->event);
    c->wanted = want;
    if (!want)
        return;
    (void)event_assign(&c->event, c->server->base, c->fd, (short)(want | EV_PERSIST), on_ready, c);
    (void)event_add(&c->event, NULL);
}

/* Writes what there is; the connection may be gone afterwards. */
static void settle(conn *c)
{
    bool over = c->server->stopping && c->calls == 0;
    if (!flush(c) || (over && c->out.n == 0))
        close_conn(c);
    else
        watch(c);
}

/* ---- time -------------------------------------------------------------------------------------
 */

static void earlier(int64_t *first, int64_t t)
{
    if (t && (!*first || t < *first))
        *first = t;
}

/* When something has to be done without anything arriving; 0 = never. */
static int64_t next_deadline(const vs_ttrpc_server *s)
{
    int64_t first = s->drain_until;
    for (const conn *c = s->conns; c; c = c->next) {
        earlier(&first, c->read_by);
        earlier(&first, c->write_by);
    }
    for (const call *k = s->calls; k; k = k->next)
        if (k->conn && !k->answered)
            earlier(&first, k->deadline);
    return first;
}

/* To be called at the end of whatever the loop calls. */
static void go_on(vs_ttrpc_server *s)
{
    bool drained = s->stopping && !s->conns && !s->calls;
    if (drained || (s->drain_until && vs_mono_ns() >= s->drain_until))
        (void)event_base_loopbreak(s->base);
    int64_t at = next_deadline(s);
    if (!at) {
        (void)event_del(s->tick);
        return;
    }
    int64_t us = (at - vs_mono_ns()) / 1000 + 1000;
    us = us < 1000 ? 1000 : us;
    struct timeval in = {.tv_sec = us / 1000000, .tv_usec = us % 1000000};
    (void)event_add(s->tick, &in);
}

/* Tells the peer, once, when the call's deadline has passed. */
static bool expire(call *k, int64_t now)
{
    if (!k->conn || k->answered || !k->deadline || now < k->deadline)
        return false;
    k->answered = true;
    atomic_store(&k->gone, true);
    answer(k->conn, k->stream, VS_GRPC_DEADLINE_EXCEEDED, "timeout", (vs_span){0});
    return true;
}

static void expire_calls(vs_ttrpc_server *s, int64_t now)
{
    for (call *k = s->calls, *next; k; k = next) {
        next = k->next;
        if (expire(k, now))
            settle(k->conn);
    }
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    vs_ttrpc_server *s = arg;
    int64_t now = vs_mono_ns();
    expire_calls(s, now);
    for (conn *c = s->conns, *next; c; c = next) {
        next = c->next;
        if ((c->read_by && now >= c->read_by) || (c->write_by && now >= c->write_by))
            close_conn(c);
    }
    go_on(s);
}

/* ---- what the loop calls -----------------------------------------------------------------------
 */

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    conn *c = arg;
    vs_ttrpc_server *s = c->server;
    if ((what & EV_READ) && !receive(c))
        close_conn(c);
    else
        settle(c);
    go_on(s);
}

static bool may_call(const vs_ttrpc_config *cfg, const vs_unix_peer *p)
{
    if (vs_unix_peer_is_own(p) || (cfg->has_gid && p->gid == cfg->gid))
        return true;
    for (size_t i = 0; i < cfg->n_uids; i++)
        if (cfg->uids[i] == p->uid)
            return true;
    return false;
}

static bool admit(vs_ttrpc_server *s, int fd, bool *own)
{
    vs_unix_peer peer = {0};
    if (s->n_conns >= s->cfg.connections) {
        vs_log(VS_LOG_WARN, "ttrpc", "a connection too many", NULL);
        return false;
    }
    if (vs_unix_peer_of(fd, &peer) && may_call(&s->cfg, &peer)) {
        *own = vs_unix_peer_is_own(&peer);
        return true;
    }
    char uid[48] = "not in this user namespace";
    if (peer.uid != VS_ID_NOBODY)
        (void)snprintf(uid, sizeof uid, "%u", peer.uid);
    vs_log(VS_LOG_WARN, "ttrpc", "this user may not call here", "uid", uid, NULL);
    return false;
}

static void on_accept(evutil_socket_t listener, short what, void *arg)
{
    (void)what;
    vs_ttrpc_server *s = arg;
    for (int i = 0; i < BACKLOG; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            break;
        bool own = false;
        conn *c = admit(s, fd, &own) ? calloc(1, sizeof *c) : NULL;
        if (!c) {
            (void)close(fd);
            continue;
        }
        c->server = s;
        c->fd = fd;
        c->own = own;
        c->out = (vs_buf)VS_BUF(OUT_MAX);
        c->next = s->conns;
        c->link = &s->conns;
        if (s->conns)
            s->conns->link = &c->next;
        s->conns = c;
        s->n_conns++;
        watch(c);
    }
    go_on(s);
}

static void finish(call *k)
{
    conn *c = k->conn;
    if (c) {
        c->calls--;
        if (!expire(k, vs_mono_ns()) && !k->answered)
            answer(c, k->stream, k->reply.status, k->reply.message, vs_buf_span(&k->reply.body));
    }
    free_call(k);
    if (c)
        settle(c);
}

static void collect(vs_ttrpc_server *s)
{
    (void)pthread_mutex_lock(&s->lock);
    call *k = s->first_done;
    s->first_done = NULL;
    (void)pthread_mutex_unlock(&s->lock);
    for (call *next; k; k = next) {
        next = k->next_done;
        finish(k);
    }
}

static void on_done(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    eventfd_t n;
    (void)eventfd_read(fd, &n);
    collect(arg);
    go_on(arg);
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    vs_ttrpc_server *s = arg;
    eventfd_t n;
    if (eventfd_read(fd, &n) != 0)
        return;
    (void)event_del(s->accept);
    s->stopping = true;
    s->drain_until = in_ms(s->drain_ms);
    for (conn *c = s->conns, *next; c; c = next) {
        next = c->next;
        drop_frame(c);
        settle(c);
    }
    go_on(s);
}

/* ---- the server --------------------------------------------------------------------------------
 */

static void *work(void *arg)
{
    vs_ttrpc_server *s = arg;
    (void)event_base_dispatch(s->base);
    return NULL;
}

static vs_code check(const vs_ttrpc_config *cfg, const char **path, vs_error *err)
{
    static const char prefix[] = "unix://";
    if (strncmp(cfg->address, prefix, strlen(prefix)) != 0)
        return vs_fail(err, VS_E_INVALID, "a ttrpc address is \"unix:///path\", not \"%.200s\"",
                       cfg->address);
    if (cfg->n_uids > VS_TTRPC_UIDS_MAX)
        return vs_fail(err, VS_E_LIMIT, "%zu users may call, at most %d", cfg->n_uids,
                       VS_TTRPC_UIDS_MAX);
    for (size_t i = 0; i < cfg->n_methods; i++)
        if (!cfg->methods[i].path || cfg->methods[i].path[0] != '/')
            return vs_fail(err, VS_E_INVALID, "method %zu has no path", i);
    *path = cfg->address + strlen(prefix);
    return VS_OK;
}

static void fill_defaults(vs_ttrpc_config *c)
{
    c->connections = c->connections ? c->connections : 64;
    c->requests = c->requests ? c->requests : 128;
    c->workers = c->workers ? c->workers : 4;
    c->workers = c->workers < WORKERS_MAX ? c->workers : WORKERS_MAX;
    c->frame_ms = c->frame_ms ? c->frame_ms : 30000;
    c->held_bytes = c->held_bytes ? c->held_bytes : (size_t)32 * 1024 * 1024;
}

static mode_t mode_of(const vs_ttrpc_config *cfg)
{
    return cfg->n_uids ? 0666 : cfg->has_gid ? 0660 : 0600;
}

static vs_code build(vs_ttrpc_server *s, vs_error *err)
{
    const char *path;
    VS_TRY(check(&s->cfg, &path, err));
    vs_unix_access access = {mode_of(&s->cfg), s->cfg.has_gid, s->cfg.gid};
    VS_TRY(vs_unix_listen(path, &access, BACKLOG, &s->file, &s->fd, err));
    VS_TRY(vs_task_pool_new(s->cfg.workers, s->cfg.waiting, s->cfg.requests, &s->pool, err));
    struct event_config *ec = event_config_new();
    if (ec) {
        (void)event_config_set_flag(ec, EVENT_BASE_FLAG_NOLOCK); /* one thread */
        s->base = event_base_new_with_config(ec);
        event_config_free(ec);
    }
    s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!s->base || s->stop_fd < 0 || s->done_fd < 0)
        return vs_fail(err, VS_E_NOMEM, "cannot make an event loop");
    s->accept = event_new(s->base, s->fd, EV_READ | EV_PERSIST, on_accept, s);
    s->stop = event_new(s->base, s->stop_fd, EV_READ, on_stop, s);
    s->done = event_new(s->base, s->done_fd, EV_READ | EV_PERSIST, on_done, s);
    s->tick = event_new(s->base, -1, 0, on_tick, s);
    if (!s->accept || !s->stop || !s->done || !s->tick || event_add(s->accept, NULL) != 0 ||
        event_add(s->stop, NULL) != 0 || event_add(s->done, NULL) != 0)
        return vs_fail(err, VS_E_NOMEM, "cannot make an event");
    int failed = vs_thread_start(&s->thread, work, s);
    s->running = failed == 0;
    return failed ? vs_fail_errno(err, VS_E_IO, failed, "cannot start a thread") : VS_OK;
}

vs_code vs_ttrpc_server_start(const vs_ttrpc_config *cfg, vs_ttrpc_server **out, vs_error *err)
{
    *out = NULL;
    vs_ttrpc_server *s = calloc(1, sizeof *s);
    if (!s)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    s->cfg = *cfg;
    s->fd = s->stop_fd = s->done_fd = -1;
    (void)pthread_mutex_init(&s->lock, NULL);
    fill_defaults(&s->cfg);
    vs_code code = build(s, err);
    if (code != VS_OK) {
        (void)vs_wrap(err, "ttrpc on %s", cfg->address);
        vs_ttrpc_server_stop(&s, 0);
    }
    *out = s;
    return code;
}

static void free_event(struct event *e)
{
    if (e)
        event_free(e);
}

void vs_ttrpc_server_stop(vs_ttrpc_server **server, unsigned drain_ms)
{
    vs_ttrpc_server *s = *server;
    *server = NULL;
    if (!s)
        return;
    if (s->running) {
        s->drain_ms = drain_ms ? drain_ms : 1;
        (void)eventfd_write(s->stop_fd, 1);
        (void)pthread_join(s->thread, NULL);
    }
    vs_unix_unlink(&s->file);
    for (call *k = s->calls; k; k = k->next)
        atomic_store(&k->gone, true); /* there is nobody to answer: long ones may give up */
    vs_task_pool_stop(&s->pool);      /* all calls are on first_done now */
    collect(s);
    while (s->conns)
        close_conn(s->conns);
    free_event(s->accept);
    free_event(s->stop);
    free_event(s->done);
    free_event(s->tick);
    if (s->base)
        event_base_free(s->base);
    int fds[] = {s->fd, s->stop_fd, s->done_fd};
    for (size_t i = 0; i < VS_COUNT(fds); i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}
