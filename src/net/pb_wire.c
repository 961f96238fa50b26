/* SPDX-License-Identifier: Apache-2.0 */
#include "net/pb_wire.h"

#include "base/enc.h"

enum {
    VARINT = 0,
    FIXED64 = 1,
    BYTES = 2,
    FIXED32 = 5,
    VARINT_MAX = 10,
    NUMBER_MAX = (1 << 29) - 1
};

/* ---- reading --------------------------------------------------------------------------------- */

static bool take_varint(vs_span *in, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < VARINT_MAX && i < in->n; i++) {
        uint64_t byte = in->p[i];
        if (i == VARINT_MAX - 1 && byte > 1) /* beyond 64 bits */
            return false;
        v |= (byte & 0x7f) << 7 * i;
        if (byte < 0x80) {
            *in = vs_span_from(*in, i + 1);
            *out = v;
            return true;
        }
    }
    return false;
}

static bool take_fixed(vs_span *in, size_t n, uint64_t *out)
{
    if (in->n < n)
        return false;
    *out = 0;
    for (size_t i = 0; i < n; i++)
        *out |= (uint64_t)in->p[i] << 8 * i;
    *in = vs_span_from(*in, n);
    return true;
}

static bool take_bytes(vs_span *in, vs_span *out)
{
    uint64_t n;
    if (!take_varint(in, &n) || n > in->n)
        return false;
    *out = vs_span_head(*in, (size_t)n);
    *in = vs_span_from(*in, (size_t)n);
    return true;
}

static bool take_value(vs_span *in, unsigned kind, vs_pb_field *f)
{
    switch (kind) {
    case VARINT: return take_varint(in, &f->integer);
    case FIXED64: return take_fixed(in, 8, &f->integer);
    case FIXED32: return take_fixed(in, 4, &f->integer);
    case BYTES: f->is_bytes = true; return take_bytes(in, &f->bytes);
    default: return false;
    }
}

bool vs_pb_next(vs_span *in, vs_pb_field *f, bool *bad)
{
    uint64_t tag;
    *f = (vs_pb_field){0};
    if (*bad || in->n == 0)
        return false;
    *bad = !take_varint(in, &tag) || tag >> 3 == 0 || tag >> 3 > NUMBER_MAX;
    if (*bad)
        return false;
    f->number = (uint32_t)(tag >> 3);
    *bad = !take_value(in, tag & 7, f);
    return !*bad;
}

bool vs_pb_is_text(vs_span s)
{
    return vs_utf8_ok(s) && (s.n == 0 || !memchr(s.p, 0, s.n));
}

/* ---- writing --------------------------------------------------------------------------------- */

static size_t varint_size(uint64_t v)
{
    size_t n = 1;
    for (; v >= 0x80; v >>= 7)
        n++;
    return n;
}

static void put_varint(vs_buf *out, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        vs_buf_putc(out, (char)(v | 0x80));
    vs_buf_putc(out, (char)v);
}

static uint64_t tag_of(uint32_t number, unsigned kind)
{
    return (uint64_t)number << 3 | kind;
}

void vs_pb_put_head(vs_buf *out, uint32_t number, size_t n)
{
    put_varint(out, tag_of(number, BYTES));
    put_varint(out, n);
}

void vs_pb_put_bytes(vs_buf *out, uint32_t number, vs_span bytes)
{
    vs_pb_put_head(out, number, bytes.n);
    vs_buf_put(out, bytes);
}

void vs_pb_put_integer(vs_buf *out, uint32_t number, uint64_t value)
{
    put_varint(out, tag_of(number, VARINT));
    put_varint(out, value);
}

size_t vs_pb_size_bytes(uint32_t number, size_t n)
{
    return varint_size(tag_of(number, BYTES)) + varint_size(n) + n;
}

size_t vs_pb_size_integer(uint32_t number, uint64_t value)
{
    return varint_size(tag_of(number, VARINT)) + varint_size(value);
}
