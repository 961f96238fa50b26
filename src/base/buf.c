/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void give_back(const vs_buf *b)
{
    if (!b->p || b->on)
        return;
    vs_wipe(b->p, b->room);
    free(b->p);
}

void vs_buf_free(vs_buf *b)
{
    give_back(b);
    *b = (vs_buf){.cap = b->cap, .on = b->on};
}

void vs_buf_clear(vs_buf *b)
{
    if (b->p)
        vs_wipe(b->p, b->n);
    b->n = 0;
    b->failed = false;
}

void vs_buf_truncate(vs_buf *b, size_t n)
{
    if (n >= b->n)
        return;
    vs_wipe(b->p + n, b->n - n);
    b->n = n;
}

/* Room for n more bytes and a NUL. No realloc: it may leave a copy of a secret behind. */
static bool make_room(vs_buf *b, size_t n)
{
    if (b->failed)
        return false;
    if (n > b->cap || b->n > b->cap - n) {
        b->failed = true;
        return false;
    }
    size_t need = b->n + n + 1;
    if (need <= b->room)
        return true;
    size_t room = b->room ? b->room : 128;
    while (room < need)
        room *= 2;
    uint8_t *p = b->on ? vs_alloc(b->on, room) : malloc(room);
    if (!p) {
        b->failed = true;
        return false;
    }
    if (b->p)
        memcpy(p, b->p, b->n);
    give_back(b);
    b->p = p;
    b->room = room;
    return true;
}

void vs_buf_expect(vs_buf *b, size_t n)
{
    if (n <= b->cap - b->n) /* what is too much fails when it comes */
        (void)make_room(b, n);
}

uint8_t *vs_buf_reserve(vs_buf *b, size_t n)
{
    if (!make_room(b, n))
        return NULL;
    uint8_t *at = b->p + b->n;
    b->n += n;
    b->p[b->n] = 0;
    return at;
}

void vs_buf_put(vs_buf *b, vs_span s)
{
    uint8_t *at = vs_buf_reserve(b, s.n);
    if (at && s.n)
        memcpy(at, s.p, s.n);
}

void vs_buf_puts(vs_buf *b, const char *s)
{
    vs_buf_put(b, vs_str(s));
}

void vs_buf_putc(vs_buf *b, char c)
{
    uint8_t *at = vs_buf_reserve(b, 1);
    if (at)
        *at = (uint8_t)c;
}

void vs_buf_put_int(vs_buf *b, int64_t i)
{
    char text[20], *at = text + sizeof text; /* of the last digit and on */
    uint64_t left = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (i < 0)
        *--at = '-';
    vs_buf_put(b, vs_span_of(at, (size_t)(text + sizeof text - at)));
}

void vs_buf_printf(vs_buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        b->failed = true;
    else if (make_room(b, (size_t)n)) {
        (void)vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

vs_code vs_buf_check(const vs_buf *b, vs_error *err)
{
    if (b->failed)
        return vs_fail(err, VS_E_NOMEM, "output is over its limit of %zu bytes, or out of memory",
                       b->cap);
    return VS_OK;
}
