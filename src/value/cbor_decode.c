/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "base/enc.h"
#include "value/cbor.h"

vs_code vs_cbor_fail(vs_cbor *c, vs_code code, const char *fmt, ...)
{
    if (c->code != VS_OK)
        return c->code;
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    c->code = vs_fail(c->err, code, "CBOR offset %zu: %s", c->at, text);
    return c->code;
}

/* One item head (RFC 8949 section 3): major type and argument, shortest form only. */
typedef struct head {
    vs_cbor_type type;
    uint64_t arg;
    size_t size;
} head;

static bool read_head(vs_cbor *c, head *h)
{
    if (c->code != VS_OK)
        return false;
    if (c->at >= c->in.n) {
        (void)vs_cbor_fail(c, VS_E_PARSE, "the data ends where an item is expected");
        return false;
    }
    const uint8_t *p = c->in.p + c->at;
    size_t left = c->in.n - c->at;
    unsigned info = p[0] & 31;
    *h = (head){.type = (vs_cbor_type)(p[0] >> 5), .arg = info, .size = 1};
    if (info < 24)
        return true;
    if (info > 27) {
        (void)vs_cbor_fail(c, VS_E_PARSE,
                           info == 31 ? "indefinite length is not accepted"
                                      : "reserved additional information %u",
                           info);
        return false;
    }
    size_t bytes = (size_t)1 << (info - 24);
    if (left < 1 + bytes) {
        (void)vs_cbor_fail(c, VS_E_PARSE, "an item head is cut short");
        return false;
    }
    h->arg = 0;
    for (size_t i = 1; i <= bytes; i++)
        h->arg = h->arg << 8 | p[i];
    h->size = 1 + bytes;
    static const uint64_t least[] = {24, 0x100, 0x10000, 0x100000000};
    bool is_float = h->type == VS_CBOR_SIMPLE && info > 24;
    if (!is_float && h->arg < (h->type == VS_CBOR_SIMPLE ? 32 : least[info - 24])) {
        (void)vs_cbor_fail(c, VS_E_PARSE, "a number is not in its shortest form");
        return false;
    }
    return true;
}

const char *vs_cbor_type_name(vs_cbor_type t)
{
    static const char *const name[] = {"an unsigned integer",
                                       "a negative integer",
                                       "a byte string",
                                       "a text string",
                                       "an array",
                                       "a map",
                                       "a tag",
                                       "a simple value"};
    return t < VS_COUNT(name) ? name[t] : "nothing";
}

/* A head of the wanted type, consumed. */
static bool take(vs_cbor *c, vs_cbor_type want, head *h)
{
    if (!read_head(c, h))
        return false;
    if (h->type != want) {
        (void)vs_cbor_fail(c, VS_E_INVALID, "expected %s, found %s", vs_cbor_type_name(want),
                           vs_cbor_type_name(h->type));
        return false;
    }
    c->at += h->size;
    return true;
}

vs_cbor_type vs_cbor_peek(vs_cbor *c)
{
    if (c->code != VS_OK || c->at >= c->in.n)
        return VS_CBOR_NONE;
    return (vs_cbor_type)(c->in.p[c->at] >> 5);
}

uint64_t vs_cbor_uint(vs_cbor *c)
{
    head h;
    return take(c, VS_CBOR_UINT, &h) ? h.arg : 0;
}

int64_t vs_cbor_int(vs_cbor *c)
{
    head h;
    bool neg = vs_cbor_peek(c) == VS_CBOR_NINT;
    if (!take(c, neg ? VS_CBOR_NINT : VS_CBOR_UINT, &h))
        return 0;
    if (h.arg > INT64_MAX) {
        c->at -= h.size;
        (void)vs_cbor_fail(c, VS_E_INVALID, "an integer does not fit 64 bits");
        return 0;
    }
    return neg ? -1 - (int64_t)h.arg : (int64_t)h.arg;
}

static vs_span take_string(vs_cbor *c, vs_cbor_type type)
{
    head h;
    if (!take(c, type, &h))
        return (vs_span){NULL, 0};
    if (h.arg > c->in.n - c->at) {
        c->at -= h.size;
        (void)vs_cbor_fail(c, VS_E_PARSE, "a string of %llu bytes is longer than the data",
                           (unsigned long long)h.arg);
        return (vs_span){NULL, 0};
    }
    vs_span s = vs_span_of(c->in.p + c->at, (size_t)h.arg);
    if (type == VS_CBOR_TEXT && !vs_utf8_ok(s)) {
        c->at -= h.size;
        (void)vs_cbor_fail(c, VS_E_PARSE, "a text string is not UTF-8");
        return (vs_span){NULL, 0};
    }
    c->at += s.n;
    return s;
}

vs_span vs_cbor_bytes(vs_cbor *c)
{
    return take_string(c, VS_CBOR_BYTES);
}

vs_span vs_cbor_text(vs_cbor *c)
{
    return take_string(c, VS_CBOR_TEXT);
}

enum { CBOR_FALSE = 20, CBOR_TRUE = 21, CBOR_NULL = 22 };

bool vs_cbor_bool(vs_cbor *c)
{
    head h;
    if (!take(c, VS_CBOR_SIMPLE, &h))
        return false;
    if (h.size != 1 || (h.arg != CBOR_FALSE && h.arg != CBOR_TRUE)) {
        c->at -= h.size;
        (void)vs_cbor_fail(c, VS_E_INVALID, "expected a boolean");
        return false;
    }
    return h.arg == CBOR_TRUE;
}

bool vs_cbor_null(vs_cbor *c)
{
    bool is_null = vs_cbor_peek(c) == VS_CBOR_SIMPLE && c->in.p[c->at] == (0xe0 | CBOR_NULL);
    c->at += is_null;
    return is_null;
}

uint64_t vs_cbor_tag(vs_cbor *c)
{
    head h;
    return take(c, VS_CBOR_TAG, &h) ? h.arg : 0;
}

/* Each member takes at least one byte, so a count beyond the rest is refused at once. */
static size_t take_count(vs_cbor *c, vs_cbor_type type, size_t each)
{
    head h;
    if (!take(c, type, &h))
        return 0;
    if (h.arg > (c->in.n - c->at) / each) {
        c->at -= h.size;
        (void)vs_cbor_fail(c, VS_E_PARSE, "%s of %llu members is longer than the data",
                           vs_cbor_type_name(type), (unsigned long long)h.arg);
        return 0;
    }
    return (size_t)h.arg;
}

size_t vs_cbor_array(vs_cbor *c)
{
    return take_count(c, VS_CBOR_ARRAY, 1);
}

size_t vs_cbor_map(vs_cbor *c)
{
    return take_count(c, VS_CBOR_MAP, 2);
}

/* ---- whole items ------------------------------------------------------------------------------
 */

static void walk(vs_cbor *c, unsigned depth, bool keys);

/* Keys of small maps are compared pairwise; larger maps must be sorted (RFC 8949 section 4.2.1), so
 * that a hostile map costs no more than its bytes. */
enum { PAIRWISE_KEYS = 64 };

static void walk_map(vs_cbor *c, unsigned depth, bool keys)
{
    size_t start = c->at, n = vs_cbor_map(c);
    vs_span seen[PAIRWISE_KEYS], last = {NULL, 0};
    for (size_t i = 0; i < n && c->code == VS_OK; i++) {
        size_t at = c->at;
        walk(c, depth, keys);
        if (c->code != VS_OK)
            return;
        vs_span key = vs_span_of(c->in.p + at, c->at - at);
        bool dup = false;
        for (size_t k = 0; keys && n <= PAIRWISE_KEYS && k < i; k++)
            dup |= vs_span_eq(seen[k], key);
        if (n <= PAIRWISE_KEYS)
            seen[i] = key;
        else if (keys && i > 0 && vs_span_cmp(last, key) >= 0)
            dup = true;
        last = key;
        if (dup) {
            c->at = at;
            (void)vs_cbor_fail(c, VS_E_PARSE,
                               n <= PAIRWISE_KEYS
                                   ? "duplicate key in the map at offset %zu"
                                   : "keys of the large map at offset %zu are not sorted",
                               start);
            return;
        }
        walk(c, depth, keys);
    }
}

static void walk(vs_cbor *c, unsigned depth, bool keys)
{
    head h;
    size_t n = 0;
    if (depth == 0) {
        (void)vs_cbor_fail(c, VS_E_LIMIT, "nested more than %d deep", VS_CBOR_DEPTH);
        return;
    }
    switch (vs_cbor_peek(c)) {
    case VS_CBOR_BYTES: (void)vs_cbor_bytes(c); return;
    case VS_CBOR_TEXT: (void)vs_cbor_text(c); return;
    case VS_CBOR_MAP: walk_map(c, depth - 1, keys); return;
    case VS_CBOR_ARRAY:
        n = vs_cbor_array(c);
        for (size_t i = 0; i < n && c->code == VS_OK; i++)
            walk(c, depth - 1, keys);
        return;
    case VS_CBOR_TAG:
        (void)vs_cbor_tag(c);
        walk(c, depth - 1, keys);
        return;
    default:
        if (read_head(c, &h))
            c->at += h.size;
    }
}

vs_span vs_cbor_skip(vs_cbor *c)
{
    size_t start = c->at;
    walk(c, VS_CBOR_DEPTH, false);
    return c->code == VS_OK ? vs_span_of(c->in.p + start, c->at - start) : (vs_span){NULL, 0};
}

vs_code vs_cbor_end(vs_cbor *c)
{
    if (c->code == VS_OK && c->at != c->in.n)
        (void)vs_cbor_fail(c, VS_E_PARSE, "%zu more bytes behind the item", c->in.n - c->at);
    return c->code;
}

vs_code vs_cbor_check(vs_span in, vs_error *err)
{
    vs_cbor c = vs_cbor_of(in, err);
    walk(&c, VS_CBOR_DEPTH, true);
    return vs_cbor_end(&c);
}
