/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cursor over little-endian binary data. It fails once and stays failed: afterwards every getter
 * gives zero or empty, so a structure may be read whole and `code` checked once.
 */
#ifndef VS_TEE_EVENTLOG_CURSOR_H
#define VS_TEE_EVENTLOG_CURSOR_H

#include "base/error.h"

typedef struct le_cursor {
    vs_span in;
    size_t at;
    vs_error *err; /* where the first failure is described; may be NULL */
    vs_code code;  /* VS_OK until the first failure */
} le_cursor;

static inline le_cursor le_of(vs_span in, vs_error *err)
{
    return (le_cursor){.in = in, .err = err};
}

static inline size_t le_left(const le_cursor *c)
{
    return c->code == VS_OK ? c->in.n - c->at : 0;
}

/* The next n bytes, as a view. `n` may be any number that the data names. */
static inline vs_span le_take(le_cursor *c, uint64_t n)
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

static inline uint64_t le_uint(le_cursor *c, unsigned bytes)
{
    vs_span s = le_take(c, bytes);
    uint64_t v = 0;
    for (size_t i = s.n; i > 0; i--)
        v = v << 8 | s.p[i - 1];
    return v;
}

static inline uint8_t le_u8(le_cursor *c)
{
    return (uint8_t)le_uint(c, 1);
}
static inline uint16_t le_u16(le_cursor *c)
{
    return (uint16_t)le_uint(c, 2);
}
static inline uint32_t le_u32(le_cursor *c)
{
    return (uint32_t)le_uint(c, 4);
}
static inline uint64_t le_u64(le_cursor *c)
{
    return le_uint(c, 8);
}

#endif
