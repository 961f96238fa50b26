/* SPDX-License-Identifier: Apache-2.0 */
#include "value/cbor.h"

static void put_head(vs_buf *out, vs_cbor_type type, uint64_t arg)
{
    unsigned bytes = arg < 24 ? 0 : arg <= 0xff ? 1 : arg <= 0xffff ? 2 : arg <= 0xffffffff ? 4 : 8;
    unsigned info = bytes == 0   ? (unsigned)arg
                    : bytes == 1 ? 24
                    : bytes == 2 ? 25
                    : bytes == 4 ? 26
                                 : 27;
    uint8_t *p = vs_buf_reserve(out, 1 + bytes);
    if (!p)
        return;
    *p++ = (uint8_t)((unsigned)type << 5 | info);
    for (unsigned i = bytes; i > 0; i--)
        *p++ = (uint8_t)(arg >> 8 * (i - 1));
}

void vs_cbor_put_uint(vs_buf *out, uint64_t v)
{
    put_head(out, VS_CBOR_UINT, v);
}

void vs_cbor_put_int(vs_buf *out, int64_t v)
{
    if (v < 0)
        put_head(out, VS_CBOR_NINT, (uint64_t)(-1 - v));
    else
        put_head(out, VS_CBOR_UINT, (uint64_t)v);
}

void vs_cbor_put_bytes(vs_buf *out, vs_span s)
{
    put_head(out, VS_CBOR_BYTES, s.n);
    vs_buf_put(out, s);
}

void vs_cbor_put_text_span(vs_buf *out, vs_span s)
{
    put_head(out, VS_CBOR_TEXT, s.n);
    vs_buf_put(out, s);
}

void vs_cbor_put_text(vs_buf *out, const char *s)
{
    vs_cbor_put_text_span(out, vs_str(s));
}

void vs_cbor_put_array(vs_buf *out, size_t n)
{
    put_head(out, VS_CBOR_ARRAY, n);
}

void vs_cbor_put_map(vs_buf *out, size_t n)
{
    put_head(out, VS_CBOR_MAP, n);
}

void vs_cbor_put_tag(vs_buf *out, uint64_t tag)
{
    put_head(out, VS_CBOR_TAG, tag);
}

void vs_cbor_put_bool(vs_buf *out, bool b)
{
    put_head(out, VS_CBOR_SIMPLE, b ? 21 : 20);
}

void vs_cbor_put_null(vs_buf *out)
{
    put_head(out, VS_CBOR_SIMPLE, 22);
}
