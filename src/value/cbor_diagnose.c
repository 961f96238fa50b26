/* SPDX-License-Identifier: Apache-2.0 */
/* Diagnostic notation (RFC 8949 section 8), one member a line. */
#include "base/enc.h"
#include "value/cbor.h"
#include "value/json.h"

static void show(vs_buf *out, vs_cbor *c, unsigned depth);

static void new_line(vs_buf *out, unsigned depth)
{
    vs_buf_putc(out, '\n');
    for (unsigned i = 0; i < depth; i++)
        vs_buf_puts(out, "  ");
}

static void show_members(vs_buf *out, vs_cbor *c, size_t n, bool pairs, unsigned depth)
{
    vs_buf_putc(out, pairs ? '{' : '[');
    for (size_t i = 0; i < n && c->code == VS_OK; i++) {
        vs_buf_puts(out, i ? "," : "");
        new_line(out, depth + 1);
        show(out, c, depth + 1);
        if (pairs) {
            vs_buf_puts(out, ": ");
            show(out, c, depth + 1);
        }
    }
    if (n)
        new_line(out, depth);
    vs_buf_putc(out, pairs ? '}' : ']');
}

static void show_simple(vs_buf *out, vs_cbor *c)
{
    static const char *const name[] = {"false", "true", "null", "undefined"};
    vs_span item = vs_cbor_skip(c);
    if (item.n == 1 && item.p[0] >= 0xf4 && item.p[0] <= 0xf7)
        vs_buf_puts(out, name[item.p[0] - 0xf4]);
    else if (item.n <= 2)
        vs_buf_printf(out, "simple(%u)", item.n == 2 ? item.p[1] : item.n ? item.p[0] & 31u : 0);
    else {
        vs_buf_puts(out, "float'");
        vs_hex_encode(out, vs_span_from(item, 1));
        vs_buf_putc(out, '\'');
    }
}

/* -1 - n for n up to 2^64 - 1: more than an int64 holds. */
static void show_negative(vs_buf *out, vs_cbor *c)
{
    vs_span item = vs_cbor_skip(c);
    uint64_t n = item.n == 1 ? item.p[0] & 31u : 0;
    for (size_t i = 1; i < item.n; i++)
        n = n << 8 | item.p[i];
    if (n == UINT64_MAX)
        vs_buf_puts(out, "-18446744073709551616");
    else
        vs_buf_printf(out, "-%llu", (unsigned long long)n + 1);
}

static void show(vs_buf *out, vs_cbor *c, unsigned depth)
{
    switch (vs_cbor_peek(c)) {
    case VS_CBOR_UINT: vs_buf_printf(out, "%llu", (unsigned long long)vs_cbor_uint(c)); break;
    case VS_CBOR_NINT: show_negative(out, c); break;
    case VS_CBOR_BYTES:
        vs_buf_puts(out, "h'");
        vs_hex_encode(out, vs_cbor_bytes(c));
        vs_buf_putc(out, '\'');
        break;
    case VS_CBOR_TEXT: vs_json_quote(out, vs_cbor_text(c)); break;
    case VS_CBOR_ARRAY: show_members(out, c, vs_cbor_array(c), false, depth); break;
    case VS_CBOR_MAP: show_members(out, c, vs_cbor_map(c), true, depth); break;
    case VS_CBOR_TAG:
        vs_buf_printf(out, "%llu(", (unsigned long long)vs_cbor_tag(c));
        show(out, c, depth);
        vs_buf_putc(out, ')');
        break;
    default: show_simple(out, c);
    }
}

vs_code vs_cbor_diagnose(vs_buf *out, vs_span item, vs_error *err)
{
    VS_TRY(vs_cbor_check(item, err)); /* bounds the depth of what follows */
    vs_cbor c = vs_cbor_of(item, err);
    show(out, &c, 0);
    VS_TRY(vs_cbor_end(&c));
    return vs_buf_check(out, err);
}
