/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum { FIRST_FD = 3 };

/* ---- notices ----------------------------------------------------------------------------------
 */

/* A path, or '@' for the abstract namespace. -1 with errno. */
static int connect_to(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    if ((path[0] != '/' && path[0] != '@') || n < 2 || n >= sizeof to.sun_path) {
        errno = EINVAL;
        return -1;
    }
    memcpy(to.sun_path, path, n);
    if (path[0] == '@')
        to.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to,
                           (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) != 0) {
        int why = errno;
        (void)close(fd);
        errno = why;
        fd = -1;
    }
    return fd;
}

/* A number that is all of the variable; 0 without one. */
static int64_t number_of(const char *name)
{
    uint64_t n = 0;
    return vs_span_decimal(vs_str(getenv(name)), INT64_MAX / 1000, &n) ? (int64_t)n : 0;
}

/* The variables of a parent's may still be there: those with another process id are not ours. */
static bool meant_for_us(const char *pid_name)
{
    return !getenv(pid_name) || number_of(pid_name) == getpid();
}

void supervisor_open(supervisor *s)
{
    const char *path = getenv("NOTIFY_SOCKET");
    *s = (supervisor){.fd = -1};
    if (path && *path) {
        s->fd = connect_to(path);
        if (s->fd < 0)
            vs_log(VS_LOG_WARN, "serve", "the service manager's NOTIFY_SOCKET cannot be reached",
                   "socket", path, "error", strerror(errno), NULL);
    }
    if (meant_for_us("WATCHDOG_PID"))
        s->watchdog_ns = number_of("WATCHDOG_USEC") * 1000;
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
}

void supervisor_close(supervisor *s)
{
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
}

/* Nothing useful can be done when it does not arrive; the manager has its own timeouts. */
static void tell(const supervisor *s, const char *text)
{
    if (s->fd >= 0)
        (void)!send(s->fd, text, strlen(text), MSG_NOSIGNAL);
}

void supervisor_ready(const supervisor *s)
{
    tell(s, "READY=1\nSTATUS=serving");
}

void supervisor_reloading(const supervisor *s)
{
    char text[96];
    (void)snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld",
                   (long long)(vs_mono_ns() / 1000));
    tell(s, text);
}

void supervisor_stopping(const supervisor *s)
{
    tell(s, "STOPPING=1");
}

void supervisor_alive(const supervisor *s)
{
    if (s->watchdog_ns)
        tell(s, "WATCHDOG=1");
}

/* ---- sockets ----------------------------------------------------------------------------------
 */

static void forget_sockets(void)
{
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDNAMES");
}

vs_code supervised_sockets(supervised *out, vs_error *err)
{
    *out = (supervised){.n_api = 0};
    int64_t n = number_of("LISTEN_FDS");
    if (n == 0 || number_of("LISTEN_PID") != getpid())
        return VS_OK;
    if (n > SUPERVISED_MAX)
        return vs_fail(err, VS_E_LIMIT, "LISTEN_FDS: %lld sockets, at most %d", (long long)n,
                       SUPERVISED_MAX);
    vs_span names = vs_str(getenv("LISTEN_FDNAMES"));
    for (int fd = FIRST_FD; fd < FIRST_FD + (int)n; fd++) {
        vs_span name = vs_span_cut(names, ':', &names, NULL);
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
            return vs_fail_errno(err, VS_E_IO, errno, "LISTEN_FDS: descriptor %d", fd);
        if (vs_span_is(name, "operations"))
            out->operations[out->n_operations++] = fd;
        else
            out->api[out->n_api++] = fd;
    }
    forget_sockets();
    return VS_OK;
}
