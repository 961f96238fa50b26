/* SPDX-License-Identifier: Apache-2.0 */
/* A real server on a free loopback port, and sockets that say exactly what a test wants said. */
#ifndef TEST_NET_WIRE_H
#define TEST_NET_WIRE_H

#include "testing.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "net/http_server.h"

static const char *const any_port[] = {"127.0.0.1:0"};

static inline vs_http_server *serve(vs_http_handler handler, void *user, vs_http_limits limits)
{
    vs_http_config cfg = {.sockets = any_port,
                          .n_sockets = 1,
                          .threads = 1,
                          .limits = limits,
                          .handler = handler,
                          .user = user};
    vs_http_server *s = NULL;
    vs_error err = {0};
    assert_vs_ok(vs_http_server_start(&cfg, &s, &err), &err);
    return s;
}

static inline int dial_port(unsigned port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static inline int dial(const vs_http_server *s)
{
    return dial_port(vs_http_server_port(s, 0));
}

static inline void say(int fd, const char *text)
{
    size_t n = strlen(text);
    assert_int_equal(send(fd, text, n, MSG_NOSIGNAL), (ssize_t)n);
}

/* True when `text` starts with a response that has the body it announces. */
static inline bool whole(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n"), *length = strstr(text, "Content-Length: ");
    return end && length && length < end &&
           strlen(end + 4) >= (size_t)strtoul(length + 16, NULL, 10);
}

/* What comes until the peer closes, `ms` pass without a byte, or, with `one`, a response is whole.
 * *closed tells whether the peer closed. */
static inline const char *hear_until(int fd, int ms, bool one, bool *closed)
{
    static char text[1 << 16];
    size_t n = 0;
    *closed = false;
    text[0] = 0;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (n < sizeof text - 1 && !(one && whole(text)) && poll(&p, 1, ms) > 0) {
        ssize_t got = recv(fd, text + n, sizeof text - 1 - n, 0);
        if (got <= 0) {
            *closed = true;
            break;
        }
        n += (size_t)got;
        text[n] = 0;
    }
    return text;
}

static inline const char *hear(int fd, int ms, bool *closed)
{
    return hear_until(fd, ms, false, closed);
}

/* One request on a connection of its own; returns its response, or what came until close or one
 * second of silence. */
static inline const char *ask(const vs_http_server *s, const char *request)
{
    int fd = dial(s);
    bool closed;
    say(fd, request);
    const char *answer = hear_until(fd, 1000, true, &closed);
    (void)close(fd);
    return answer;
}

static inline int status_of(const char *answer)
{
    int status = 0;
    return sscanf(answer, "HTTP/1.1 %d ", &status) == 1 ? status : 0;
}

static inline const char *body_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");
    return end ? end + 4 : "";
}

static inline size_t count_of(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, what)) != NULL; p += strlen(what))
        n++;
    return n;
}

static inline int64_t clock_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#endif
