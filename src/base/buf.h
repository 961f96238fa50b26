/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer with a hard cap, for output and for secrets.
 *
 * Sticky failure: after an append fails (cap or malloc) all later ones do nothing; check
 * `vs_buf_ok` once at the end. Every buffer is wiped before its memory is given back, so it may
 * hold secrets. `VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(cap);`
 */
#ifndef VS_BASE_BUF_H
#define VS_BASE_BUF_H

#include "base/arena.h"

typedef struct vs_buf {
    uint8_t *p; /* NULL until the first append; otherwise a NUL stands behind the last byte */
    size_t n;
    size_t room;
    size_t cap; /* n never exceeds this */
    bool failed;
    vs_arena *on; /* NULL: malloc's, and wiped. An arena: see VS_BUF_ON */
} vs_buf;

#define VS_BUF(limit)                                                                              \
    {                                                                                              \
        .cap = (limit)                                                                             \
    }

/* For output without secrets that is to stay on the arena: nothing is wiped or given back, and
 * vs_buf_span stands when the buffer is gone. */
#define VS_BUF_ON(arena, limit)                                                                    \
    {                                                                                              \
        .cap = (limit), .on = (arena)                                                              \
    }

void vs_buf_free(vs_buf *b);
/* Empties and wipes, keeps memory and clears the failure. */
void vs_buf_clear(vs_buf *b);
void vs_buf_put(vs_buf *b, vs_span s);
void vs_buf_puts(vs_buf *b, const char *s);
void vs_buf_putc(vs_buf *b, char c);
/* In decimal. */
void vs_buf_put_int(vs_buf *b, int64_t i);
void vs_buf_printf(vs_buf *b, const char *fmt, ...) VS_PRINTF(2, 3);
/* Takes memory for n more bytes at once: appending them will not move what is there. */
void vs_buf_expect(vs_buf *b, size_t n);
/* n more bytes to be written by the caller, counted at once; NULL on failure. */
uint8_t *vs_buf_reserve(vs_buf *b, size_t n);
/* Cuts back to n bytes (n <= b->n), wiping what is cut. */
void vs_buf_truncate(vs_buf *b, size_t n);

static inline bool vs_buf_ok(const vs_buf *b)
{
    return !b->failed;
}

static inline vs_span vs_buf_span(const vs_buf *b)
{
    return (vs_span){b->p, b->n};
}

VS_MUST vs_code vs_buf_check(const vs_buf *b, vs_error *err);

#endif
