/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client: callers share a connection and take turns at reading it. Whoever waits and finds
 * nobody reading reads, for all, until its own answer is there. A client of several connections is
 * one client for each, of which the first knows the others.
 */
#include "net/ttrpc.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "base/wait.h"
#include "net/grpc_wire.h"
#include "net/ttrpc_wire.h"

enum {
    SCRATCH = 4096,
    RETRY_MS = 20,
    CALL_MS = 50000,
    WRITE_MS = 10000,
    KEEP = 4,
};

typedef struct waiter { /* a call, on its caller's stack */
    struct waiter *next;
    uint32_t stream;
    vs_buf *reply;
    bool done;
    vs_grpc_status status;
    char message[512]; /* of a failure */
} waiter;

struct vs_ttrpc_client {
    char address[sizeof(((struct sockaddr_un *)0)->sun_path) + 8];
    struct sockaddr_un addr;
    socklen_t addr_n;
    unsigned call_ms;
    pthread_mutex_t writing; /* held for a whole frame; taken before `lock` */
    pthread_mutex_t lock;    /* guards what follows */
    pthread_cond_t changed;
    int fd;       /* -1 = not connected */
    bool broken;  /* of no further use; closed when nobody reads or writes it */
    bool reading; /* somebody reads, without the lock */
    bool left;    /* a call was given up that the peer still works on */
    bool keep;    /* stays open when nobody uses it */
    uint32_t next_stream;
    waiter *waiters;
    /* Of whoever reads: */
    uint8_t head[VS_TTRPC_HEAD];
    size_t head_n, body_n;
    uint64_t skip;
    vs_buf body;
    pthread_mutex_t choosing; /* guards `users` of all; taken alone */
    unsigned users;
    vs_ttrpc_client **more; /* of the first one */
    unsigned n_more;
};

static void forget_frame(vs_ttrpc_client *c)
{
    vs_buf_free(&c->body);
    c->body = (vs_buf)VS_BUF(VS_TTRPC_PAYLOAD_MAX);
    c->head_n = c->body_n = 0;
    c->skip = 0;
}

/* ---- connecting -------------------------------------------------------------------------------
 */

static vs_code configure(const vs_ttrpc_client_config *cfg, vs_ttrpc_client *c, vs_error *err)
{
    static const char prefix[] = "unix://";
    const char *path = cfg->address + strlen(prefix);
    size_t n = strncmp(cfg->address, prefix, strlen(prefix)) == 0 ? strlen(path) : 0;
    if (n < 2 || (path[0] != '/' && path[0] != '@') || n >= sizeof c->addr.sun_path)
        return vs_fail(err, VS_E_INVALID,
                       "a ttrpc address is \"unix:///path\" or \"unix://@name\", not \"%.200s\"",
                       cfg->address);
    c->addr.sun_family = AF_UNIX;
    memcpy(c->addr.sun_path, path, n + 1);
    c->addr_n = sizeof c->addr;
    if (path[0] == '@') { /* an abstract name has no end but its length */
        c->addr.sun_path[0] = '\0';
        c->addr_n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    }
    (void)snprintf(c->address, sizeof c->address, "%s", cfg->address);
    c->call_ms = cfg->call_ms ? cfg->call_ms : CALL_MS;
    return VS_OK;
}

static vs_code new_one(const vs_ttrpc_client_config *cfg, vs_ttrpc_client **out, vs_error *err)
{
    vs_ttrpc_client *c = calloc(1, sizeof *c);
    *out = NULL;
    if (!c)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    vs_cond_init(&c->changed);
    (void)pthread_mutex_init(&c->writing, NULL);
    (void)pthread_mutex_init(&c->lock, NULL);
    (void)pthread_mutex_init(&c->choosing, NULL);
    c->fd = -1;
    forget_frame(c);
    vs_code code = configure(cfg, c, err);
    if (code != VS_OK)
        vs_ttrpc_client_free(&c);
    *out = c;
    return code;
}

static void disconnect(vs_ttrpc_client *c)
{
    if (c->fd >= 0)
        (void)close(c->fd);
    c->fd = -1;
    c->broken = c->left = false;
    forget_frame(c);
}

void vs_ttrpc_client_free(vs_ttrpc_client **client)
{
    vs_ttrpc_client *c = *client;
    *client = NULL;
    if (!c)
        return;
    for (unsigned i = 0; i < c->n_more; i++)
        vs_ttrpc_client_free(&c->more[i]);
    free(c->more);
    disconnect(c);
    (void)pthread_mutex_destroy(&c->choosing);
    (void)pthread_cond_destroy(&c->changed);
    (void)pthread_mutex_destroy(&c->lock);
    (void)pthread_mutex_destroy(&c->writing);
    free(c);
}

vs_code vs_ttrpc_client_new(const vs_ttrpc_client_config *cfg, vs_ttrpc_client **out, vs_error *err)
{
    vs_code code = new_one(cfg, out, err);
    vs_ttrpc_client *c = *out;
    VS_TRY(code);
    c->keep = true;
    unsigned more = cfg->connections ? cfg->connections - 1 : 0;
    c->more = more ? calloc(more, sizeof(*c->more)) : NULL;
    if (more && !c->more)
        code = vs_fail(err, VS_E_NOMEM, "out of memory");
    while (code == VS_OK && c->n_more < more) {
        code = new_one(cfg, &c->more[c->n_more], err);
        if (code == VS_OK) {
            c->n_more++;
            c->more[c->n_more - 1]->keep = c->n_more < KEEP;
        }
    }
    if (code != VS_OK)
        vs_ttrpc_client_free(out);
    return code;
}

/* A backlog that is full is waited for. */
static vs_code open_socket(vs_ttrpc_client *c, int64_t until, vs_error *err)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return vs_fail_errno(err, VS_E_IO, errno, "socket");
    while (connect(fd, (const struct sockaddr *)&c->addr, c->addr_n) != 0) {
        int why = errno;
        if (why == EINTR ||
            (why == EAGAIN && vs_wait_ms(until) > RETRY_MS && vs_wait_pause(RETRY_MS)))
            continue;
        (void)close(fd);
        return vs_fail_errno(err, VS_E_IO, why, "%s", c->address);
    }
    c->fd = fd;
    c->next_stream = 1;
    return VS_OK;
}

/* Nothing has been asked on it, so nothing may come: not even its end. */
static bool stale(const vs_ttrpc_client *c)
{
    uint8_t byte;
    ssize_t n = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static bool idle(const vs_ttrpc_client *c)
{
    return !c->waiters && !c->reading;
}

static bool at_end(const vs_ttrpc_client *c)
{
    return c->broken || c->next_stream > UINT32_MAX - 2;
}

static void wait_turn(vs_ttrpc_client *c, int64_t until)
{
    (void)vs_cond_wait(&c->changed, &c->lock, until);
}

/* With `writing` and `lock`. A connection that is at its end goes when nobody uses it any more. */
static vs_code ensure_connected(vs_ttrpc_client *c, int64_t until, vs_error *err)
{
    while (c->fd >= 0 && at_end(c) && !idle(c)) {
        if (vs_mono_ns() >= until || vs_wait_is_over())
            return vs_fail(err, VS_E_TIMEOUT, "%s: the connection is at its end", c->address);
        wait_turn(c, vs_wait_step(until));
    }
    if (c->fd >= 0 && idle(c) && (at_end(c) || stale(c)))
        disconnect(c);
    return c->fd < 0 ? open_socket(c, until, err) : VS_OK;
}

/* ---- answers ----------------------------------------------------------------------------------
 */

static void complete(waiter *w, const vs_ttrpc_response *r)
{
    w->status = r->status;
    (void)snprintf(w->message, sizeof w->message, "%.*s", VS_FMT(r->message));
    if (r->status == VS_GRPC_OK)
        vs_buf_put(w->reply, r->payload);
    w->done = true;
}

static void fail_all(vs_ttrpc_client *c, vs_grpc_status status, const char *why)
{
    c->broken = true;
    (void)shutdown(c->fd, SHUT_RDWR); /* wakes whoever reads */
    for (waiter *w = c->waiters; w; w = w->next)
        if (!w->done)
            complete(w, &(vs_ttrpc_response){.status = status, .message = vs_str(why)});
}

/* With `lock`: a whole frame is there. */
static void deliver(vs_ttrpc_client *c)
{
    vs_ttrpc_head head = vs_ttrpc_head_read(c->head);
    vs_ttrpc_response r;
    waiter *w = c->waiters;
    while (w && (w->done || w->stream != head.stream))
        w = w->next;
    if (!w || head.type != VS_TTRPC_RESPONSE) /* nobody waits for it any more */
        return;
    vs_error err = {0};
    if (vs_ttrpc_response_read(vs_buf_span(&c->body), &r, &err) != VS_OK)
        r = (vs_ttrpc_response){.status = VS_GRPC_INTERNAL, .message = vs_str(err.text)};
    complete(w, &r);
}

/* False: the peer breaks the protocol. */
static bool begin_body(vs_ttrpc_client *c)
{
    vs_ttrpc_head head = vs_ttrpc_head_read(c->head);
    if (head.type != VS_TTRPC_RESPONSE) {
        c->skip = head.length;
        return true;
    }
    return head.length <= VS_TTRPC_PAYLOAD_MAX &&
           (head.length == 0 || vs_buf_reserve(&c->body, head.length));
}

/* One piece of a frame; without `lock`, as the one who reads. VS_E_TIMEOUT: nothing came in time.
 */
static vs_code read_piece(vs_ttrpc_client *c, int64_t until, bool *whole)
{
    uint8_t scratch[SCRATCH], *at = scratch;
    size_t room = c->skip < SCRATCH ? (size_t)c->skip : SCRATCH;
    bool in_head = c->head_n < VS_TTRPC_HEAD;
    if (in_head) {
        at = c->head + c->head_n;
        room = VS_TTRPC_HEAD - c->head_n;
    } else if (!c->skip) {
        at = c->body.p + c->body_n;
        room = c->body.n - c->body_n;
    }
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    int ready = poll(&p, 1, vs_wait_ms(until));
    if (ready == 0)
        return VS_E_TIMEOUT;
    ssize_t n = ready < 0 ? -1 : recv(c->fd, at, room, MSG_DONTWAIT);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return VS_OK;
    if (n <= 0)
        return VS_E_IO;
    if (in_head)
        c->head_n += (size_t)n;
    else if (c->skip)
        c->skip -= (size_t)n;
    else
        c->body_n += (size_t)n;
    if (in_head && c->head_n == VS_TTRPC_HEAD && !begin_body(c))
        return VS_E_PARSE;
    *whole = c->head_n == VS_TTRPC_HEAD && c->skip == 0 && c->body_n == c->body.n;
    return VS_OK;
}

/* With `lock`, which is given up meanwhile. */
static void read_for_all(vs_ttrpc_client *c, int64_t until)
{
    bool whole = false;
    c->reading = true;
    (void)pthread_mutex_unlock(&c->lock);
    vs_code code = read_piece(c, until, &whole);
    (void)pthread_mutex_lock(&c->lock);
    c->reading = false;
    if (code == VS_E_IO)
        fail_all(c, VS_GRPC_UNAVAILABLE, "the connection was closed");
    else if (code == VS_E_PARSE)
        fail_all(c, VS_GRPC_INTERNAL, "an answer is larger than ttrpc allows");
    if (whole) {
        deliver(c);
        forget_frame(c);
    }
    (void)pthread_cond_broadcast(&c->changed);
}

/* With `lock`. */
static void await(vs_ttrpc_client *c, waiter *w, int64_t until)
{
    while (!w->done && vs_mono_ns() < until && !vs_wait_is_over()) {
        if (c->reading)
            wait_turn(c, vs_wait_step(until));
        else
            read_for_all(c, vs_wait_step(until));
    }
    c->left |= !w->done;
    if (!w->done)
        complete(w, &(vs_ttrpc_response){.status = VS_GRPC_DEADLINE_EXCEEDED,
                                         .message = VS_LIT("no answer in time")});
}

/* ---- requests ---------------------------------------------------------------------------------
 */

/* To its end, however short the caller's patience, since others use the connection. VS_E_TIMEOUT,
 * VS_E_IO: how much was written is not told, so the connection cannot be used on. */
static vs_code write_all(int fd, vs_span s)
{
    int64_t until = vs_mono_ns() + (int64_t)WRITE_MS * 1000000;
    while (s.n) {
        ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            s = vs_span_from(s, (size_t)n);
            continue;
        }
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            return VS_E_IO;
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        if (poll(&p, 1, vs_wait_ms(until)) == 0)
            return VS_E_TIMEOUT;
    }
    return VS_OK;
}

static void enter(vs_ttrpc_client *c, waiter *w)
{
    w->stream = c->next_stream;
    c->next_stream += 2;
    w->next = c->waiters;
    c->waiters = w;
}

static void leave(vs_ttrpc_client *c, waiter *w)
{
    waiter **link = &c->waiters;
    while (*link != w)
        link = &(*link)->next;
    *link = w->next;
    if (!idle(c))
        return;
    if (c->left || !c->keep) /* the peer need not go on */
        disconnect(c);
    (void)pthread_cond_broadcast(&c->changed);
}

/* With `writing`. On VS_OK `w` is among the waiters, whatever became of the connection. */
static vs_code send_request(vs_ttrpc_client *c, const vs_ttrpc_request *r, int64_t until, waiter *w,
                            vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf frame = VS_BUF(VS_TTRPC_FRAME_MAX);
    (void)pthread_mutex_lock(&c->lock);
    vs_code code = ensure_connected(c, until, err);
    int fd = c->fd;
    if (code == VS_OK)
        enter(c, w);
    (void)pthread_mutex_unlock(&c->lock);
    VS_TRY(code);
    vs_ttrpc_request_write(&frame, w->stream, r);
    code = vs_buf_ok(&frame) ? write_all(fd, vs_buf_span(&frame)) : VS_E_NOMEM;
    if (code == VS_OK)
        return VS_OK;
    (void)pthread_mutex_lock(&c->lock);
    fail_all(c, code == VS_E_TIMEOUT ? VS_GRPC_DEADLINE_EXCEEDED : VS_GRPC_UNAVAILABLE,
             "the request could not be written");
    (void)pthread_cond_broadcast(&c->changed);
    (void)pthread_mutex_unlock(&c->lock);
    return VS_OK;
}

static bool lock_writing(vs_ttrpc_client *c, int64_t until)
{
    while (vs_mono_ns() < until && !vs_wait_is_over()) {
        int64_t step = vs_wait_step(until);
        struct timespec t = {.tv_sec = step / 1000000000, .tv_nsec = step % 1000000000};
        if (pthread_mutex_clocklock(&c->writing, CLOCK_MONOTONIC, &t) == 0)
            return true;
    }
    return false;
}

static vs_code call(vs_ttrpc_client *c, const vs_ttrpc_request *r, int64_t until, waiter *w,
                    vs_error *err)
{
    if (!lock_writing(c, until))
        return vs_fail(err, VS_E_TIMEOUT, "%s: there was no time to write the request", c->address);
    vs_code code = send_request(c, r, until, w, err);
    (void)pthread_mutex_unlock(&c->writing);
    VS_TRY(code);
    (void)pthread_mutex_lock(&c->lock);
    await(c, w, until);
    leave(c, w);
    (void)pthread_mutex_unlock(&c->lock);
    return VS_OK;
}

/* That with the fewest calls. */
static vs_ttrpc_client *choose(vs_ttrpc_client *first)
{
    (void)pthread_mutex_lock(&first->choosing);
    vs_ttrpc_client *c = first;
    for (unsigned i = 0; i < first->n_more && c->users; i++)
        if (first->more[i]->users < c->users)
            c = first->more[i];
    c->users++;
    (void)pthread_mutex_unlock(&first->choosing);
    return c;
}

static void give_back(vs_ttrpc_client *first, vs_ttrpc_client *c)
{
    (void)pthread_mutex_lock(&first->choosing);
    c->users--;
    (void)pthread_mutex_unlock(&first->choosing);
}

vs_code vs_ttrpc_call(vs_ttrpc_client *first, const char *path, vs_span request, vs_buf *reply,
                      vs_grpc_status *status, vs_error *err)
{
    vs_ttrpc_client *c = choose(first);
    int64_t now = vs_mono_ns(), until = vs_wait_end(now + (int64_t)c->call_ms * 1000000);
    vs_ttrpc_request r = {.payload = request, .timeout_ns = until > now ? until - now : 1};
    r.service = vs_span_cut(vs_str(path + 1), '/', &r.method, NULL);
    waiter w = {.reply = reply, .status = VS_GRPC_UNAVAILABLE};
    vs_code code;
    if (!vs_ttrpc_fits(&r)) {
        w.status = VS_GRPC_RESOURCE_EXHAUSTED;
        code = vs_fail(err, VS_E_LIMIT, "%s: a request of %zu bytes is larger than ttrpc allows",
                       c->address, request.n);
    } else {
        code = call(c, &r, until, &w, err);
    }
    give_back(first, c);
    if (status)
        *status = w.status;
    VS_TRY(code);
    if (w.status == VS_GRPC_OK)
        return vs_buf_check(reply, err);
    return vs_fail(err, vs_grpc_code(w.status), "%s: %s: %s", c->address,
                   vs_grpc_status_name(w.status), w.message);
}
