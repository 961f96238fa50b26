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

/* A head whose argument stands in the bytes behind the first one. */
static bool read_argument(vs_cbor *c, head *h)
{
    static const uint64_t least[] = {24, 0x100, 0x10000, 0x100000000};
    const uint8_t *p = c->in.p + c->at;
    unsigned info = (unsigned)h->arg;
    if (info > 27) {
        (void)vs_cbor_fail(c, VS_E_PARSE,
                           info == 31 ? "indefinite length is not accepted"
                                      : "reserved additional information %u",
                           info);
        return false;
    }
    size_t bytes = (size_t)1 << (info - 24);
    if (c->in.n - c->at < 1 + bytes) {
        (void)vs_cbor_fail(c, VS_E_PARSE, "an item head is cut short");
        return false;
    }
    h->arg = 0;
    for (size_t i = 1; i <= bytes; i++)
        h->arg = h->arg << 8 | p[i];
    h->size = 1 + bytes;
    bool is_float = h->type == VS_CBOR_SIMPLE && info > 24;
    if (!is_float && h->arg < (h->type == VS_CBOR_SIMPLE ? 32 : least[info - 24])) {
        (void)vs_cbor_fail(c, VS_E_PARSE, "a number is not in its shortest form");
        return false;
    }
    return true;
}

static inline bool read_head(vs_cbor *c, head *h)
{
    if (c->code != VS_OK || c->at >= c->in.n) {
        (void)vs_cbor_fail(c, VS_E_PARSE, "the data ends where an item is expected");
        return false;
    }
    uint8_t first = c->in.p[c->at];
    *h = (head){.type = (vs_cbor_type)(first >> 5), .arg = first & 31, .size = 1};
    return h->arg < 24 || read_argument(c, h);
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

/* The content of a string whose head was consumed. */
static vs_span bytes_of(vs_cbor *c, const head *h)
{
    if (h->arg > c->in.n - c->at) {
        c->at -= h->size;
        (void)vs_cbor_fail(c, VS_E_PARSE, "a string of %llu bytes is longer than the data",
                           (unsigned long long)h->arg);
        return (vs_span){NULL, 0};
    }
    vs_span s = vs_span_of(c->in.p + c->at, (size_t)h->arg);
    c->at += s.n;
    return s;
}

static vs_span string_of(vs_cbor *c, const head *h)
{
    vs_span s = bytes_of(c, h);
    if (h->type != VS_CBOR_TEXT || vs_utf8_ok(s))
        return s;
    c->at -= s.n + h->size;
    (void)vs_cbor_fail(c, VS_E_PARSE, "a text string is not UTF-8");
    return (vs_span){NULL, 0};
}

static vs_span take_string(vs_cbor *c, vs_cbor_type type)
{
    head h;
    return take(c, type, &h) ? string_of(c, &h) : (vs_span){NULL, 0};
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

/* The members of an array or map whose head was consumed. Each takes at least one byte, so a count
 * beyond the rest is refused at once. */
static size_t count_of(vs_cbor *c, const head *h)
{
    size_t each = h->type == VS_CBOR_MAP ? 2 : 1;
    if (h->arg > (c->in.n - c->at) / each) {
        c->at -= h->size;
        (void)vs_cbor_fail(c, VS_E_PARSE, "%s of %llu members is longer than the data",
                           vs_cbor_type_name(h->type), (unsigned long long)h->arg);
        return 0;
    }
    return (size_t)h->arg;
}

static size_t take_count(vs_cbor *c, vs_cbor_type type)
{
    head h;
    return take(c, type, &h) ? count_of(c, &h) : 0;
}

size_t vs_cbor_array(vs_cbor *c)
{
    return take_count(c, VS_CBOR_ARRAY);
}

size_t vs_cbor_map(vs_cbor *c)
{
    return take_count(c, VS_CBOR_MAP);
}

/* ---- whole items ------------------------------------------------------------------------------
 */

static void walk(vs_cbor *c, unsigned depth);

/* Keys of small maps are compared pairwise; larger maps must be sorted (RFC 8949 section 4.2.1), so
 * that a hostile map costs no more than its bytes. */
enum { PAIRWISE_KEYS = 64 };

/* Keys are short and alike at their beginning: the last byte tells most of them apart. */
static bool same_key(vs_span a, vs_span b)
{
    return a.n == b.n && a.p[a.n - 1] == b.p[b.n - 1] && memcmp(a.p, b.p, a.n) == 0;
}

static void walk_map(vs_cbor *c, size_t start, size_t n, unsigned depth)
{
    vs_span seen[PAIRWISE_KEYS], last = {NULL, 0};
    for (size_t i = 0; i < n && c->code == VS_OK; i++) {
        size_t at = c->at;
        walk(c, depth);
        if (c->code != VS_OK)
            return;
        vs_span key = vs_span_of(c->in.p + at, c->at - at);
        bool dup = false;
        for (size_t k = 0; n <= PAIRWISE_KEYS && k < i; k++)
            dup |= same_key(seen[k], key);
        if (n <= PAIRWISE_KEYS)
            seen[i] = key;
        else if (i > 0 && vs_span_cmp(last, key) >= 0)
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
        walk(c, depth);
    }
}

static void walk(vs_cbor *c, unsigned depth)
{
    head h;
    size_t start = c->at, n = 0;
    if (depth == 0)
        (void)vs_cbor_fail(c, VS_E_LIMIT, "nested more than %d deep", VS_CBOR_DEPTH);
    if (!read_head(c, &h))
        return;
    c->at += h.size;
    switch (h.type) {
    case VS_CBOR_BYTES:
    case VS_CBOR_TEXT: (void)string_of(c, &h); return;
    case VS_CBOR_MAP: walk_map(c, start, count_of(c, &h), depth - 1); return;
    case VS_CBOR_ARRAY:
        n = count_of(c, &h);
        for (size_t i = 0; i < n && c->code == VS_OK; i++)
            walk(c, depth - 1);
        return;
    case VS_CBOR_TAG: walk(c, depth - 1); return;
    default: return;
    }
}

vs_span vs_cbor_skip(vs_cbor *c)
{
    size_t start = c->at;
    head h;
    for (uint64_t items = 1; items > 0 && read_head(c, &h); items--) {
        c->at += h.size;
        if (h.type == VS_CBOR_BYTES || h.type == VS_CBOR_TEXT)
            (void)bytes_of(c, &h);
        else if (h.type == VS_CBOR_ARRAY)
            items += count_of(c, &h);
        else if (h.type == VS_CBOR_MAP)
            items += 2 * count_of(c, &h);
        else if (h.type == VS_CBOR_TAG)
            items++;
    }
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
    walk(&c, VS_CBOR_DEPTH);
    return vs_cbor_end(&c);
}
