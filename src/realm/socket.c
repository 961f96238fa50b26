/* SPDX-License-Identifier: Apache-2.0 */
/* The report device on a Unix socket (client/tsm_socket.h): one thread, one poll loop. */
#include "realm/device.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/tsm_socket.h"

enum {
    CONNECTIONS_MAX = 64,
    HEAD = 4,
    REPLY_MAX = 4 * HEAD + VS_TSM_PROVIDER_MAX + TSM_OUTBLOB_MAX
};

/* A connection is a report instance; `in` collects one request at a time. */
typedef struct connection {
    int fd;
    uint8_t in[HEAD + TSM_INBLOB_MAX];
    size_t n;
    tsm_report report;
} connection;

typedef struct server {
    realm_home *home;
    connection at[CONNECTIONS_MAX];
    size_t n;
} server;

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

/* ---- requests -------------------------------------------------------------------------------- */

static void put_u32(vs_buf *b, size_t v)
{
    const uint8_t be[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    vs_buf_put(b, vs_span_of(be, sizeof be));
}

static void put_blob(vs_buf *b, vs_span s)
{
    put_u32(b, s.n);
    vs_buf_put(b, s);
}

/* Length 0 only asks for the provider. */
static bool answer(const server *s, connection *c, vs_span inblob)
{
    vs_span out = {0};
    int e = 0;
    if (inblob.n) {
        e = tsm_report_write(&c->report, inblob);
        if (!e)
            e = tsm_report_read(&c->report, s->home, &out);
    }
    VS_CLEANUP(vs_buf_free) vs_buf reply = VS_BUF(REPLY_MAX);
    put_u32(&reply, (size_t)e);
    put_blob(&reply, VS_LIT(TSM_PROVIDER));
    put_u32(&reply, c->report.generation);
    put_blob(&reply, out);
    /* It fits a socket's buffer; a peer that does not read loses the connection. */
    return vs_buf_ok(&reply) &&
           send(c->fd, reply.p, reply.n, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)reply.n;
}

/* Reads what is there; false ends the connection. */
static bool serve(const server *s, connection *c)
{
    ssize_t got = recv(c->fd, c->in + c->n, sizeof c->in - c->n, MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    if (got == 0)
        return false;
    c->n += (size_t)got;
    while (c->n >= HEAD) {
        size_t want =
            (size_t)c->in[0] << 24 | (size_t)c->in[1] << 16 | (size_t)c->in[2] << 8 | c->in[3];
        if (want > TSM_INBLOB_MAX)
            return false;
        if (c->n < HEAD + want)
            return true;
        if (!answer(s, c, vs_span_of(c->in + HEAD, want)))
            return false;
        c->n -= HEAD + want;
        memmove(c->in, c->in + HEAD + want, c->n);
    }
    return true;
}

/* ---- connections ----------------------------------------------------------------------------- */

static void accept_one(server *s, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    if (s->n == CONNECTIONS_MAX) {
        (void)close(fd);
        return;
    }
    s->at[s->n++] = (connection){.fd = fd};
}

static void drop(server *s, size_t i)
{
    (void)close(s->at[i].fd);
    tsm_report_free(&s->at[i].report);
    s->at[i] = s->at[--s->n];
}

static vs_code loop(server *s, int listener, int stop_fd, vs_error *err)
{
    for (;;) {
        struct pollfd p[2 + CONNECTIONS_MAX] = {{.fd = stop_fd, .events = POLLIN},
                                                {.fd = listener, .events = POLLIN}};
        for (size_t i = 0; i < s->n; i++)
            p[2 + i] = (struct pollfd){.fd = s->at[i].fd, .events = POLLIN};
        if (poll(p, 2 + s->n, -1) < 0) {
            if (errno == EINTR)
                continue;
            return vs_fail_errno(err, VS_E_IO, errno, "waiting for connections");
        }
        if (p[0].revents)
            return VS_OK;
        for (size_t i = s->n; i-- > 0;) /* downwards: drop moves the last one */
            if (p[2 + i].revents && !serve(s, &s->at[i]))
                drop(s, i);
        if (p[1].revents)
            accept_one(s, listener);
    }
}

/* ---- listening ------------------------------------------------------------------------------- */

/* True when a socket is there that nobody listens on. */
static bool is_stale(const struct sockaddr_un *at)
{
    VS_CLEANUP(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct stat st;
    return fd >= 0 && lstat(at->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
           connect(fd, (const struct sockaddr *)at, sizeof *at) != 0 && errno == ECONNREFUSED;
}

static vs_code listen_at(const char *path, int *fd, vs_error *err)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof at.sun_path)
        return vs_fail(err, VS_E_INVALID, "the path of a Unix socket has 1 to %zu bytes: %s",
                       sizeof at.sun_path - 1, path);
    memcpy(at.sun_path, path, n + 1);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot make a socket");
    (void)fchmod(*fd, 0600); /* the socket's file gets the mode of its inode */
    int bound = bind(*fd, (struct sockaddr *)&at, sizeof at);
    if (bound != 0 && errno == EADDRINUSE && is_stale(&at)) {
        (void)unlink(path);
        bound = bind(*fd, (struct sockaddr *)&at, sizeof at);
    }
    if (bound != 0 || listen(*fd, CONNECTIONS_MAX) != 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot listen on %s", path);
    return VS_OK;
}

vs_code realm_serve_socket(realm_home *home, const char *path, int stop_fd,
                           void (*ready)(void *user), void *user, vs_error *err)
{
    VS_CLEANUP(close_fd) int listener = -1;
    VS_TRY(listen_at(path, &listener, err));
    ready(user);
    server s = {.home = home};
    vs_code code = loop(&s, listener, stop_fd, err);
    while (s.n)
        drop(&s, s.n - 1);
    (void)unlink(path);
    return code;
}
