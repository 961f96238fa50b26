/* SPDX-License-Identifier: Apache-2.0 */
/* A client of HTTP/2 that sends exactly the frames a test wants sent. */
#ifndef TEST_NET_H2_H
#define TEST_NET_H2_H

#include "wire.h"

#include <nghttp2/nghttp2.h>

enum {
    H2_DATA,
    H2_HEADERS,
    H2_PRIORITY,
    H2_RST,
    H2_SETTINGS,
    H2_PUSH,
    H2_PING,
    H2_GOAWAY,
    H2_WINDOW,
    H2_CONTINUATION
};
enum { H2_END_STREAM = 1, H2_ACK = 1, H2_END_HEADERS = 4 };

typedef struct h2 {
    int fd;
    bool closed; /* by the server */
    nghttp2_hd_inflater *inflater;
    uint8_t type, flags;
    int32_t id;
    size_t n;
    uint8_t payload[1 << 14];
} h2;

/* What came for one stream. */
typedef struct h2_answer {
    int status;        /* -1 = none */
    int grpc;          /* grpc-status; -1 = none */
    char message[600]; /* grpc-message as it came */
    char body[600];
    size_t body_n;
    bool ended, reset;
    uint32_t reset_code;
} h2_answer;

static inline void h2_send(const h2 *c, const void *p, size_t n)
{
    const uint8_t *at = p;
    while (n) {
        ssize_t sent = send(c->fd, at, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* the test looks at what came back */
        at += sent;
        n -= (size_t)sent;
    }
}

static inline void h2_frame(const h2 *c, uint8_t type, uint8_t flags, int32_t id, const void *p,
                            size_t n)
{
    uint8_t head[9] = {
        (uint8_t)(n >> 16),  (uint8_t)(n >> 8),   (uint8_t)n,         type,       flags,
        (uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};
    h2_send(c, head, sizeof head);
    h2_send(c, p, n);
}

static inline void h2_put(vs_buf *b, const char *s)
{
    size_t n = strlen(s);
    if (n < 127) {
        vs_buf_putc(b, (char)n);
    } else {
        vs_buf_putc(b, 127);
        for (n -= 127; n >= 128; n /= 128)
            vs_buf_putc(b, (char)(n % 128 + 128));
        vs_buf_putc(b, (char)n);
    }
    vs_buf_puts(b, s);
}

/* Literals without indexing: pairs of texts, NULL at the end. */
static inline void h2_pack(vs_buf *b, va_list ap)
{
    for (const char *name; (name = va_arg(ap, const char *)) != NULL;) {
        vs_buf_putc(b, 0);
        h2_put(b, name);
        h2_put(b, va_arg(ap, const char *));
    }
}

__attribute__((sentinel)) static inline void h2_headers(const h2 *c, int32_t id, uint8_t flags, ...)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1 << 20);
    va_list ap;
    va_start(ap, flags);
    h2_pack(&b, ap);
    va_end(ap);
    h2_frame(c, H2_HEADERS, flags, id, b.p, b.n);
}

#define H2_POST(path) ":method", "POST", ":scheme", "http", ":path", path, ":authority", "h"
#define H2_GRPC(path) H2_POST(path), "content-type", "application/grpc", "te", "trailers"

static inline h2 h2_dial(const vs_http_server *s)
{
    h2 c = {.fd = dial(s)};
    assert_int_equal(nghttp2_hd_inflate_new(&c.inflater), 0);
    say(c.fd, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    h2_frame(&c, H2_SETTINGS, 0, 0, NULL, 0);
    return c;
}

static inline void h2_hang_up(h2 *c)
{
    nghttp2_hd_inflate_del(c->inflater);
    (void)close(c->fd);
}

static inline bool h2_read(h2 *c, uint8_t *p, size_t n, int ms)
{
    struct pollfd f = {.fd = c->fd, .events = POLLIN};
    while (n) {
        if (poll(&f, 1, ms) <= 0)
            return false;
        ssize_t got = recv(c->fd, p, n, 0);
        c->closed = got <= 0;
        if (c->closed)
            return false;
        p += got;
        n -= (size_t)got;
    }
    return true;
}

/* The next frame; false when none comes in `ms` or the connection ends. */
static inline bool h2_next(h2 *c, int ms)
{
    uint8_t h[9];
    if (!h2_read(c, h, sizeof h, ms))
        return false;
    c->n = (size_t)h[0] << 16 | (size_t)h[1] << 8 | h[2];
    c->type = h[3];
    c->flags = h[4];
    c->id = (int32_t)((uint32_t)h[5] << 24 | (uint32_t)h[6] << 16 | (uint32_t)h[7] << 8 | h[8]);
    assert_true(c->n <= sizeof c->payload);
    return h2_read(c, c->payload, c->n, ms);
}

/* The next frame of that type, whatever comes before it. */
static inline bool h2_wait(h2 *c, uint8_t type, int ms)
{
    while (h2_next(c, ms))
        if (c->type == type)
            return true;
    return false;
}

static inline uint32_t h2_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void h2_unpack(h2 *c, h2_answer *a)
{
    const uint8_t *p = c->payload;
    size_t n = c->n;
    for (int flags = 0; !(flags & NGHTTP2_HD_INFLATE_FINAL);) {
        nghttp2_nv nv;
        ssize_t used = nghttp2_hd_inflate_hd2(c->inflater, &nv, &flags, p, n, 1);
        assert_true(used >= 0);
        p += used;
        n -= (size_t)used;
        if (!(flags & NGHTTP2_HD_INFLATE_EMIT))
            continue;
        if (strcmp((char *)nv.name, ":status") == 0)
            a->status = atoi((char *)nv.value);
        else if (strcmp((char *)nv.name, "grpc-status") == 0)
            a->grpc = atoi((char *)nv.value);
        else if (strcmp((char *)nv.name, "grpc-message") == 0)
            (void)snprintf(a->message, sizeof a->message, "%s", (char *)nv.value);
    }
    (void)nghttp2_hd_inflate_end_headers(c->inflater);
}

/* Reads until stream `id` has ended, was reset, or `ms` pass without a frame. */
static inline h2_answer h2_hear(h2 *c, int32_t id, int ms)
{
    h2_answer a = {.status = -1, .grpc = -1};
    while (!a.ended && !a.reset && h2_next(c, ms)) {
        h2_answer other = {0};
        if (c->type == H2_HEADERS)
            h2_unpack(c, c->id == id ? &a : &other);
        if (c->id != id)
            continue;
        if (c->type == H2_DATA) {
            size_t fits = c->n < sizeof a.body - 1 - a.body_n ? c->n : sizeof a.body - 1 - a.body_n;
            memcpy(a.body + a.body_n, c->payload, fits);
            a.body_n += fits;
        }
        a.reset = c->type == H2_RST;
        if (a.reset)
            a.reset_code = h2_u32(c->payload);
        a.ended = (c->type == H2_DATA || c->type == H2_HEADERS) && (c->flags & H2_END_STREAM);
    }
    return a;
}

/* Reads until GOAWAY or the end; the error code, or -1 without one. */
static inline int64_t h2_goaway(h2 *c, int ms)
{
    return h2_wait(c, H2_GOAWAY, ms) ? (int64_t)h2_u32(c->payload + 4) : -1;
}

#endif
