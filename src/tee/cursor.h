/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cursor over binary data of either byte order. It fails once and stays failed: afterwards every
 * getter gives zero or empty, so a structure may be read whole and `code` checked once.
 */
#ifndef VS_TEE_CURSOR_H
#define VS_TEE_CURSOR_H

#include "base/error.h"

typedef struct vs_cursor {
    vs_span in;
    size_t at;
    vs_error *err; /* where the first failure is described; may be NULL */
    vs_code code;  /* VS_OK until the first failure */
} vs_cursor;

static inline vs_cursor vs_cursor_of(vs_span in, vs_error *err)
{
    return (vs_cursor){.in = in, .err = err};
}

static inline size_t vs_cursor_left(const vs_cursor *c)
{
    return c->code == VS_OK ? c->in.n - c->at : 0;
}

/* The next n bytes, as a view. `n` may be any number that the data names. */
static inline vs_span vs_cursor_take(vs_cursor *c, uint64_t n)
{
    if (c->code != VS_OK)
        return (vs_span){NULL, 0};
    if (n > c->in.n - c->at) {
        c->code = vs_fail(c->err, VS_E_PARSE, "byte %zu: %llu more bytes announced, %zu there",
                          c->at, (unsigned long long)n, c->in.n - c->at);
        return (vs_span){NULL, 0};
    }
    vs_span s = vs_span_of(c->in.p + c->at, (size_t)n);
    c->at += (size_t)n;
    return s;
}

/* The next n bytes, all of which must be zero: reserved ones, and padding. */
static inline void vs_cursor_zeros(vs_cursor *c, uint64_t n, const char *what)
{
    size_t start = c->at;
    vs_span s = vs_cursor_take(c, n);
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] && c->code == VS_OK)
            c->code = vs_fail(c->err, VS_E_INVALID, "byte %zu: %s must be zero", start + i, what);
}

/* The code of the first failure; VS_E_PARSE when bytes are left. */
static inline VS_MUST vs_code vs_cursor_end(vs_cursor *c)
{
    if (c->code == VS_OK && c->at != c->in.n)
        c->code = vs_fail(c->err, VS_E_PARSE, "%zu bytes behind the end", c->in.n - c->at);
    return c->code;
}

static inline uint64_t le_uint(vs_cursor *c, unsigned bytes)
{
    vs_span s = vs_cursor_take(c, bytes);
    uint64_t v = 0;
    for (size_t i = s.n; i > 0; i--)
        v = v << 8 | s.p[i - 1];
    return v;
}

static inline uint64_t be_uint(vs_cursor *c, unsigned bytes)
{
    vs_span s = vs_cursor_take(c, bytes);
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++)
        v = v << 8 | s.p[i];
    return v;
}

static inline uint8_t le_u8(vs_cursor *c)
{
    return (uint8_t)le_uint(c, 1);
}
static inline uint16_t le_u16(vs_cursor *c)
{
    return (uint16_t)le_uint(c, 2);
}
static inline uint32_t le_u32(vs_cursor *c)
{
    return (uint32_t)le_uint(c, 4);
}
static inline uint64_t le_u64(vs_cursor *c)
{
    return le_uint(c, 8);
}
static inline uint8_t be_u8(vs_cursor *c)
{
    return (uint8_t)be_uint(c, 1);
}
static inline uint16_t be_u16(vs_cursor *c)
{
    return (uint16_t)be_uint(c, 2);
}
static inline uint32_t be_u32(vs_cursor *c)
{
    return (uint32_t)be_uint(c, 4);
}
static inline uint64_t be_u64(vs_cursor *c)
{
    return be_uint(c, 8);
}

#endif
