/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "net/grpc_wire.h"
#include "net/http_conn.h"
#include "net/tls.h"
#include "net/unix_socket.h"

#define LOCAL "unix:"

enum {
    SOCKETS_MAX = 16,
    THREADS_MAX = 256,
    BACKLOG = 1024,
    ACCEPT_ROUND = 64,
    PEER_TEXT = VS_HTTP_PEER_TEXT,
    QUEUE_PER_WORKER = 64,
};

typedef struct listener {
    struct worker *worker;
    int fd; /* -1 = none */
    struct event *event;
    bool resting; /* out of descriptors: not watched until the next tick */
} listener;

typedef struct worker {
    vs_http_server *server;
    vs_http_loop *loop;
    listener listeners[SOCKETS_MAX];
    struct event *tick, *stop, *done;
    int stop_fd;         /* written once by vs_http_server_stop */
    int64_t drain_until; /* vs_mono_ns; 0 = not stopping */
    pthread_t thread;
    bool running;
} worker;

struct vs_http_server {
    vs_http_config cfg;
    vs_tls_box *tls;
    vs_sources *sources;
    vs_task_pool *pool; /* NULL without workers */
    size_t n_listeners; /* sockets, then fds */
    atomic_uint connections;
    atomic_size_t held;
    atomic_bool stopping;
    unsigned ports[SOCKETS_MAX];
    vs_unix_listener locals[SOCKETS_MAX];
    unsigned drain_ms; /* set before stop_fd is written */
    size_t n_workers;
    worker *workers;
};

/* ---- listening --------------------------------------------------------------------------------
 */

static vs_code resolve(const char *text, struct sockaddr_storage *out, socklen_t *n, vs_error *err)
{
    char host[INET6_ADDRSTRLEN + 1];
    const char *colon = strrchr(text, ':');
    vs_span h = vs_span_of(text, colon ? (size_t)(colon - text) : 0);
    if (h.n >= 2 && h.p[0] == '[' && h.p[h.n - 1] == ']')
        h = vs_span_of(h.p + 1, h.n - 2);
    if (h.n == 0 || h.n >= sizeof host || !vs_span_is_port(vs_str(colon + 1)))
        return vs_fail(err, VS_E_INVALID, "socket \"%s\" is not IP:port", text);
    (void)snprintf(host, sizeof host, "%.*s", VS_FMT(h));
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
        return vs_fail(err, VS_E_INVALID, "socket \"%s\" is not IP:port", text);
    memcpy(out, found->ai_addr, found->ai_addrlen);
    *n = found->ai_addrlen;
    freeaddrinfo(found);
    return VS_OK;
}

static unsigned port_of(const struct sockaddr_storage *addr)
{
    return ntohs(addr->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)addr)->sin6_port
                                             : ((const struct sockaddr_in *)addr)->sin_port);
}

static int bind_to(const struct sockaddr_storage *addr, socklen_t n, bool shared)
{
    int fd = socket(addr->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        (!shared || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) &&
        bind(fd, (const struct sockaddr *)addr, n) == 0)
        return fd;
    int why = errno;
    (void)close(fd);
    errno = why;
    return -1;
}

/* One socket per thread on the same address. SO_REUSEPORT would let a second server take the port
 * without a word, so a bind without it looks first whether anybody listens. */
static vs_code listen_on(vs_http_server *s, size_t i, vs_error *err)
{
    const char *text = s->cfg.sockets[i];
    if (strncmp(text, LOCAL, strlen(LOCAL)) == 0) /* one thread serves it: it is for few */
        return vs_unix_listen(text + strlen(LOCAL), &(vs_unix_access){.mode = 0666}, BACKLOG,
                              &s->locals[i], &s->workers[0].listeners[i].fd, err);
    struct sockaddr_storage addr = {0};
    socklen_t n = 0;
    VS_TRY(resolve(text, &addr, &n, err));
    int probe = bind_to(&addr, n, false);
    if (probe < 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot listen on %s", text);
    (void)close(probe);
    for (size_t w = 0; w < s->n_workers; w++) {
        int fd = bind_to(&addr, n, true);
        s->workers[w].listeners[i].fd = fd;
        /* getsockname: the other threads follow the first to its free port. */
        if (fd < 0 || listen(fd, BACKLOG) != 0 ||
            getsockname(fd, (struct sockaddr *)&addr, &n) != 0)
            return vs_fail_errno(err, VS_E_IO, errno, "cannot listen on %s", text);
    }
    s->ports[i] = port_of(&addr);
    return VS_OK;
}

/* A socket that was made for us. Threads share it; whoever is first accepts. */
static vs_code adopt(vs_http_server *s, size_t i, vs_error *err)
{
    int fd = s->cfg.fds[i - s->cfg.n_sockets], listens = 0;
    struct sockaddr_storage addr = {0};
    socklen_t n = sizeof addr, int_n = sizeof listens;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_n) != 0 || !listens ||
        getsockname(fd, (struct sockaddr *)&addr, &n) != 0 ||
        (addr.ss_family != AF_INET && addr.ss_family != AF_INET6))
        return vs_fail(err, VS_E_INVALID, "descriptor %d is not a listening TCP socket", fd);
    if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
        return vs_fail_errno(err, VS_E_IO, errno, "descriptor %d", fd);
    for (size_t w = 0; w < s->n_workers; w++) {
        int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        s->workers[w].listeners[i].fd = own;
        if (own < 0)
            return vs_fail_errno(err, VS_E_IO, errno, "descriptor %d", fd);
    }
    (void)close(fd);
    s->ports[i] = port_of(&addr);
    return VS_OK;
}

/* ---- accepting --------------------------------------------------------------------------------
 */

static void peer_text(const struct sockaddr_storage *addr, char out[PEER_TEXT])
{
    char host[INET6_ADDRSTRLEN] = "?";
    bool v6 = addr->ss_family == AF_INET6;
    const void *ip = v6 ? (const void *)&((const struct sockaddr_in6 *)addr)->sin6_addr
                        : (const void *)&((const struct sockaddr_in *)addr)->sin_addr;
    (void)inet_ntop(addr->ss_family, ip, host, sizeof host);
    (void)snprintf(out, PEER_TEXT, v6 ? "[%s]:%u" : "%s:%u", host, port_of(addr));
}

/* True when the next connection may still be accepted. */
static bool accept_failed(listener *l, int why)
{
    if (why == EMFILE || why == ENFILE || why == ENOMEM || why == ENOBUFS) {
        vs_log(VS_LOG_WARN, "http", "cannot accept: out of descriptors or memory", NULL);
        l->resting = event_del(l->event) == 0;
    }
    return why == EINTR || why == ECONNABORTED;
}

static void open_remote(listener *l, int fd, const struct sockaddr_storage *addr)
{
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    char peer[PEER_TEXT];
    peer_text(addr, peer);
    vs_http_conn_open(l->worker->loop, fd, vs_ip_of(addr), peer, NULL);
}

static void open_local(listener *l, int fd)
{
    vs_unix_peer local;
    if (vs_unix_peer_of(fd, &local))
        vs_http_conn_open(l->worker->loop, fd, (vs_ip){0}, "unix", &local);
    else
        (void)close(fd);
}

/* False when nothing more is to be accepted now. */
static bool accept_one(listener *l)
{
    vs_http_server *s = l->worker->server;
    struct sockaddr_storage addr = {0};
    socklen_t n = sizeof addr;
    int fd = accept4(l->fd, (struct sockaddr *)&addr, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return accept_failed(l, errno);
    if (atomic_load(&s->connections) >= s->cfg.limits.connections) {
        (void)close(fd);
        return true;
    }
    if (addr.ss_family == AF_UNIX)
        open_local(l, fd);
    else
        open_remote(l, fd, &addr);
    return true;
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    for (int i = 0; i < ACCEPT_ROUND && accept_one(arg); i++) {
    }
}

static void close_listener(listener *l)
{
    if (l->event)
        event_free(l->event);
    if (l->fd >= 0)
        (void)close(l->fd);
    *l = (listener){.worker = l->worker, .fd = -1};
}

/* ---- a worker's loop --------------------------------------------------------------------------
 */

static bool drained(const worker *w, int64_t now)
{
    return w->drain_until && (!w->loop->first || now > w->drain_until);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    worker *w = arg;
    int64_t now = vs_mono_ns();
    vs_http_conn_tick(w->loop, now);
    for (size_t i = 0; i < w->server->n_listeners; i++)
        if (w->listeners[i].resting)
            w->listeners[i].resting = event_add(w->listeners[i].event, NULL) != 0;
    if (drained(w, now))
        (void)event_base_loopbreak(w->loop->base);
}

/* Workers have finished requests. */
static void on_done(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    worker *w = arg;
    eventfd_t n;
    (void)eventfd_read(fd, &n);
    vs_http_jobs_collect(w->loop);
}

/* Connections the kernel has queued would be reset with the listener: they are taken first. */
static void on_stop(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    worker *w = arg;
    eventfd_t n;
    if (eventfd_read(fd, &n) != 0)
        return;
    for (size_t i = 0; i < w->server->n_listeners; i++) {
        while (w->listeners[i].fd >= 0 && accept_one(&w->listeners[i])) {
        }
        close_listener(&w->listeners[i]);
    }
    int64_t now = vs_mono_ns();
    w->drain_until = now + (int64_t)w->server->drain_ms * 1000000;
    vs_http_conn_drain(w->loop);
    if (drained(w, now))
        (void)event_base_loopbreak(w->loop->base);
    /* From now on the end of a connection matters at once. */
    (void)event_del(w->tick);
    struct timeval soon = {.tv_usec = 5000};
    (void)event_add(w->tick, &soon);
}

static void *work(void *arg)
{
    worker *w = arg;
    (void)event_base_dispatch(w->loop->base);
    return NULL;
}

/* Deadlines are met within a quarter of the shortest one, at most a quarter of a second late. */
static struct timeval tick_of(const vs_http_limits *l)
{
    unsigned least = l->request_ms < l->idle_ms ? l->request_ms : l->idle_ms;
    unsigned every = least / 4 > 250 ? 250 : least / 4 < 5 ? 5 : least / 4;
    return (struct timeval){.tv_usec = (suseconds_t)every * 1000};
}

static vs_code build_loop(vs_http_server *s, worker *w, vs_error *err)
{
    w->loop = calloc(1, sizeof *w->loop);
    w->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!w->loop || w->stop_fd < 0)
        return vs_fail(err, VS_E_NOMEM, "cannot make an event loop");
    w->loop->cfg = &s->cfg;
    w->loop->tls = s->tls;
    w->loop->sources = s->sources;
    w->loop->pool = s->pool;
    w->loop->connections = &s->connections;
    w->loop->held = &s->held;
    w->loop->stopping = &s->stopping;
    (void)pthread_mutex_init(&w->loop->done_lock, NULL);
    w->loop->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct event_config *ec = event_config_new();
    if (ec) {
        (void)event_config_set_flag(ec, EVENT_BASE_FLAG_NOLOCK); /* one thread per base */
        w->loop->base = event_base_new_with_config(ec);
        event_config_free(ec);
    }
    struct event_base *base = w->loop->base;
    if (!base)
        return vs_fail(err, VS_E_NOMEM, "cannot make an event loop");
    struct timeval every = tick_of(&s->cfg.limits);
    w->tick = event_new(base, -1, EV_PERSIST, on_tick, w);
    w->stop = event_new(base, w->stop_fd, EV_READ, on_stop, w);
    w->done = event_new(base, w->loop->done_fd, EV_READ | EV_PERSIST, on_done, w);
    bool ok = w->loop->done_fd >= 0 && w->tick && w->stop && w->done &&
              event_add(w->tick, &every) == 0 && event_add(w->stop, NULL) == 0 &&
              event_add(w->done, NULL) == 0;
    for (size_t i = 0; ok && i < s->n_listeners; i++) {
        listener *l = &w->listeners[i];
        if (l->fd < 0) /* a Unix socket, which another thread serves */
            continue;
        l->event = event_new(base, l->fd, EV_READ | EV_PERSIST, on_accept, l);
        ok = l->event && event_add(l->event, NULL) == 0;
    }
    return ok ? VS_OK : vs_fail(err, VS_E_NOMEM, "cannot make an event");
}

static vs_code start_thread(worker *w, vs_error *err)
{
    int failed = vs_thread_start(&w->thread, work, w);
    w->running = failed == 0;
    return failed ? vs_fail_errno(err, VS_E_IO, failed, "cannot start a thread") : VS_OK;
}

static void free_worker(worker *w)
{
    for (size_t i = 0; i < SOCKETS_MAX; i++)
        close_listener(&w->listeners[i]);
    if (w->loop) {
        vs_http_conn_close_all(w->loop);
        vs_http_jobs_collect(w->loop); /* of connections that are closed now */
        vs_http_jobs_free(w->loop);
        (void)pthread_mutex_destroy(&w->loop->done_lock);
        if (w->loop->done_fd >= 0)
            (void)close(w->loop->done_fd);
    }
    if (w->done)
        event_free(w->done);
    if (w->tick)
        event_free(w->tick);
    if (w->stop)
        event_free(w->stop);
    if (w->loop && w->loop->base)
        event_base_free(w->loop->base);
    if (w->stop_fd >= 0)
        (void)close(w->stop_fd);
    free(w->loop);
}

static void fill_defaults(vs_http_config *c)
{
    vs_http_limits *l = &c->limits;
    l->header_bytes = l->header_bytes ? l->header_bytes : 128 * 1024;
    l->body_bytes = l->body_bytes ? l->body_bytes : 2 * 1024 * 1024;
    l->held_bytes = l->held_bytes ? l->held_bytes : (size_t)256 * 1024 * 1024;
    l->connections = l->connections ? l->connections : 20000;
    l->request_ms = l->request_ms ? l->request_ms : 30000;
    l->idle_ms = l->idle_ms ? l->idle_ms : 75000;
    l->streams = l->streams ? l->streams : 100;
    if (c->workers > THREADS_MAX)
        c->workers = THREADS_MAX;
    c->worker_queue = c->worker_queue ? c->worker_queue : c->workers * QUEUE_PER_WORKER;
    if (!c->threads) {
        long cpus = sysconf(_SC_NPROCESSORS_ONLN);
        c->threads = cpus > 0 ? (unsigned)cpus : 1;
    }
    if (c->threads > THREADS_MAX)
        c->threads = THREADS_MAX;
}

static vs_code build(vs_http_server *s, vs_error *err)
{
    s->n_listeners = s->cfg.n_sockets + s->cfg.n_fds;
    if (s->n_listeners == 0 || s->n_listeners > SOCKETS_MAX)
        return vs_fail(err, VS_E_INVALID, "%zu sockets, must be 1 to %d", s->n_listeners,
                       SOCKETS_MAX);
    VS_TRY(vs_sources_new(s->cfg.limits.connections, &s->sources, err));
    vs_sources_limit(s->sources, s->cfg.per_source);
    if (s->cfg.certificate)
        VS_TRY(vs_tls_box_new(&s->cfg, &s->tls, err));
    if (s->cfg.grpc)
        VS_TRY(vs_grpc_check(s->cfg.grpc, err));
    if (s->cfg.workers)
        VS_TRY(
            vs_task_pool_new(s->cfg.workers, s->cfg.waiting, s->cfg.worker_queue, &s->pool, err));
    for (size_t i = 0; i < s->n_listeners; i++)
        VS_TRY(i < s->cfg.n_sockets ? listen_on(s, i, err) : adopt(s, i, err));
    for (size_t w = 0; w < s->n_workers; w++)
        VS_TRY(build_loop(s, &s->workers[w], err));
    for (size_t w = 0; w < s->n_workers; w++)
        VS_TRY(start_thread(&s->workers[w], err));
    return VS_OK;
}

vs_code vs_http_server_start(const vs_http_config *cfg, vs_http_server **out, vs_error *err)
{
    (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
    vs_http_server *s = calloc(1, sizeof *s);
    if (!s)
        return vs_fail(err, VS_E_NOMEM, "cannot make a server");
    s->cfg = *cfg;
    fill_defaults(&s->cfg);
    s->workers = calloc(s->cfg.threads, sizeof *s->workers);
    if (!s->workers) {
        free(s);
        return vs_fail(err, VS_E_NOMEM, "cannot make a server");
    }
    s->n_workers = s->cfg.threads;
    for (size_t w = 0; w < s->n_workers; w++) {
        s->workers[w] = (worker){.server = s, .stop_fd = -1};
        for (size_t i = 0; i < SOCKETS_MAX; i++)
            s->workers[w].listeners[i] = (listener){.worker = &s->workers[w], .fd = -1};
    }
    vs_code code = build(s, err);
    if (code != VS_OK)
        vs_http_server_stop(&s, 0);
    else
        *out = s;
    return code;
}

unsigned vs_http_server_port(const vs_http_server *s, size_t i)
{
    return i < s->n_listeners ? s->ports[i] : 0;
}

void vs_http_server_limit_sources(vs_http_server *s, vs_source_limits limits)
{
    vs_sources_limit(s->sources, limits);
}

vs_code vs_http_server_reload_tls(vs_http_server *s, vs_error *err)
{
    return s->tls ? vs_tls_box_reload(s->tls, &s->cfg, err)
                  : vs_fail(err, VS_E_INVALID, "this server has no TLS");
}

void vs_http_server_stop(vs_http_server **server, unsigned drain_ms)
{
    vs_http_server *s = *server;
    if (!s)
        return;
    *server = NULL;
    s->drain_ms = drain_ms;
    atomic_store(&s->stopping, true);
    for (size_t w = 0; w < s->n_workers; w++)
        if (s->workers[w].running)
            (void)eventfd_write(s->workers[w].stop_fd, 1);
    for (size_t w = 0; w < s->n_workers; w++)
        if (s->workers[w].running)
            (void)pthread_join(s->workers[w].thread, NULL);
    vs_task_pool_stop(&s->pool); /* what still runs reads connections: they are freed after it */
    for (size_t w = 0; w < s->n_workers; w++)
        free_worker(&s->workers[w]);
    for (size_t i = 0; i < SOCKETS_MAX; i++)
        vs_unix_unlink(&s->locals[i]);
    vs_tls_box_free(&s->tls);
    vs_sources_free(&s->sources);
    free(s->workers);
    free(s);
}
