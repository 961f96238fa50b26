/* SPDX-License-Identifier: Apache-2.0 */
#include "base/enc.h"

/* Constant-time character classes: each returns all ones when x is in [lo, hi], else zero. */
static uint32_t in_range(uint32_t x, uint32_t lo, uint32_t hi)
{
    return 0u - (((lo - 1 - x) & (x - hi - 1)) >> 31);
}

/* One in each byte of v, which are below 64, that is above `last`, else zero. */
static inline uint32_t above(uint32_t v, uint32_t last)
{
    return (v + (127 - last) * 0x01010101) >> 7 & 0x01010101;
}

/* Three bytes to four characters, all at once: the step from one run of the alphabet to the next is
 * added to every byte that lies beyond the run. */
static inline void b64_group(uint8_t out[4], uint32_t in, bool url)
{
    uint32_t v = (in << 6 & 0x3f000000) | (in << 4 & 0x3f0000) | (in << 2 & 0x3f00) | (in & 0x3f);
    uint32_t c = v + 'A' * 0x01010101;
    c += above(v, 25) * ('a' - 26 - 'A');
    c -= above(v, 51) * ('a' - 26 - ('0' - 52));
    c -= above(v, 61) * (url ? '0' - 52 - ('-' - 62) : '0' - 52 - ('+' - 62));
    c += above(v, 62) * (url ? '_' - 63 - ('-' - 62) : '/' - 63 - ('+' - 62));
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t)(c >> (24 - 8 * i));
}

/* The 6-bit value of a character, or 0xff... for one outside the alphabet. */
static uint32_t b64_value(uint32_t c, bool std, bool url)
{
    uint32_t ok = 0, v = 0, m;
    m = in_range(c, 'A', 'Z');
    v |= m & (c - 'A');
    ok |= m;
    m = in_range(c, 'a', 'z');
    v |= m & (c - 'a' + 26);
    ok |= m;
    m = in_range(c, '0', '9');
    v |= m & (c - '0' + 52);
    ok |= m;
    if (std) {
        m = in_range(c, '+', '+');
        v |= m & 62;
        ok |= m;
        m = in_range(c, '/', '/');
        v |= m & 63;
        ok |= m;
    }
    if (url) {
        m = in_range(c, '-', '-');
        v |= m & 62;
        ok |= m;
        m = in_range(c, '_', '_');
        v |= m & 63;
        ok |= m;
    }
    return v | ~ok;
}

void vs_b64_encode(vs_buf *out, vs_b64_form form, vs_span in)
{
    bool url = form == VS_B64_URL || form == VS_B64_URL_PADDED || form == VS_B64_URL_ANYPAD;
    bool pad = form == VS_B64_STD || form == VS_B64_URL_PADDED || form == VS_B64_STD_ANYPAD;
    size_t whole = in.n / 3, rest = in.n % 3;
    size_t len = whole * 4 + (rest ? (pad ? 4 : rest + 1) : 0);
    uint8_t *o = vs_buf_reserve(out, len);
    if (!o)
        return;
    const uint8_t *p = in.p;
    for (size_t i = 0; i < whole; i++, p += 3, o += 4)
        b64_group(o, (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2], url);
    if (rest) {
        uint8_t last[4];
        b64_group(last, (uint32_t)p[0] << 16 | (rest == 2 ? (uint32_t)p[1] << 8 : 0), url);
        memset(last + rest + 1, '=', 3 - rest);
        memcpy(o, last, len - whole * 4);
    }
}

/* Strips and judges the padding. */
static vs_code b64_unpad(vs_b64_form form, vs_span *s, vs_error *err)
{
    size_t pad = 0;
    while (pad < 2 && pad < s->n && s->p[s->n - 1 - pad] == '=')
        pad++;
    bool required = form == VS_B64_STD || form == VS_B64_URL_PADDED;
    if (pad && form == VS_B64_URL)
        return vs_fail(err, VS_E_PARSE, "base64url text must not be padded with '='");
    if (pad && s->n % 4 != 0)
        return vs_fail(err, VS_E_PARSE, "base64 padding does not fill the last group of four");
    if (required && s->n % 4 != 0)
        return vs_fail(err, VS_E_PARSE, "base64 text is not padded to a multiple of four");
    s->n -= pad;
    if (s->n % 4 == 1)
        return vs_fail(err, VS_E_PARSE, "base64 text is cut short");
    return VS_OK;
}

static vs_code b64_decode_to(uint8_t *o, vs_b64_form form, vs_span s, vs_error *err)
{
    bool std = form == VS_B64_STD || form == VS_B64_STD_ANYPAD || form == VS_B64_ANY;
    bool url = form != VS_B64_STD && form != VS_B64_STD_ANYPAD;
    if (form == VS_B64_ANY) {
        bool has_std = s.n && (memchr(s.p, '+', s.n) || memchr(s.p, '/', s.n));
        std = has_std;
        url = !has_std;
    }
    uint32_t bad = 0, acc = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < s.n; i++) {
        uint32_t v = b64_value(s.p[i], std, url);
        bad |= v & ~(uint32_t)63;
        acc = acc << 6 | (v & 63);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            *o++ = (uint8_t)(acc >> bits);
        }
    }
    bad |= acc & ((1u << bits) - 1);
    if (bad)
        return vs_fail(err, VS_E_PARSE,
                       "not %s text: a character outside the alphabet, or unused bits set",
                       std ? "base64" : "base64url");
    return VS_OK;
}

static size_t b64_size(size_t chars)
{
    return chars / 4 * 3 + (chars % 4 ? chars % 4 - 1 : 0);
}

vs_code vs_b64_decode(vs_buf *out, vs_b64_form form, vs_span s, vs_error *err)
{
    VS_TRY(b64_unpad(form, &s, err));
    size_t before = out->n;
    uint8_t *o = vs_buf_reserve(out, b64_size(s.n));
    if (!o)
        return vs_buf_check(out, err);
    vs_code code = b64_decode_to(o, form, s, err);
    if (code != VS_OK)
        vs_buf_truncate(out, before);
    return code;
}

vs_code vs_b64_decode_arena(vs_arena *a, vs_b64_form form, vs_span s, vs_span *out, vs_error *err)
{
    *out = (vs_span){NULL, 0};
    VS_TRY(b64_unpad(form, &s, err));
    size_t n = b64_size(s.n);
    uint8_t *o = vs_alloc(a, n);
    if (!o)
        return vs_arena_check(a, err);
    VS_TRY(b64_decode_to(o, form, s, err));
    *out = vs_span_of(o, n);
    return VS_OK;
}

vs_span vs_b64_encode_arena(vs_arena *a, vs_b64_form form, vs_span bytes)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(SIZE_MAX / 4);
    vs_b64_encode(&b, form, bytes);
    if (!vs_buf_ok(&b)) {
        a->failed = true;
        return (vs_span){NULL, 0};
    }
    return vs_dup(a, vs_buf_span(&b));
}

static void hex_to(uint8_t *o, vs_span in)
{
    for (size_t i = 0; i < in.n; i++) {
        for (int shift = 4; shift >= 0; shift -= 4) {
            uint32_t d = in.p[i] >> shift & 15;
            *o++ = (uint8_t)(d + '0' + (in_range(d, 10, 15) & ('a' - 10 - '0')));
        }
    }
}

void vs_hex_encode(vs_buf *out, vs_span in)
{
    uint8_t *o = in.n <= SIZE_MAX / 2 ? vs_buf_reserve(out, in.n * 2) : NULL;
    if (o)
        hex_to(o, in);
}

vs_span vs_hex_encode_arena(vs_arena *a, vs_span in)
{
    uint8_t *o = vs_alloc_array(a, in.n, 2);
    if (!o)
        return (vs_span){NULL, 0};
    hex_to(o, in);
    return vs_span_of(o, in.n * 2);
}

vs_code vs_hex_decode_arena(vs_arena *a, vs_span s, vs_span *out, vs_error *err)
{
    *out = (vs_span){NULL, 0};
    if (s.n % 2)
        return vs_fail(err, VS_E_PARSE, "hexadecimal text has an odd number of digits");
    uint8_t *o = vs_alloc(a, s.n / 2);
    if (!o)
        return vs_arena_check(a, err);
    uint32_t ok = UINT32_MAX;
    for (size_t i = 0; i < s.n; i += 2) {
        uint32_t byte = 0;
        for (size_t k = 0; k < 2; k++) {
            uint32_t c = s.p[i + k];
            uint32_t digit = in_range(c, '0', '9'), low = in_range(c, 'a', 'f'),
                     high = in_range(c, 'A', 'F');
            ok &= digit | low | high;
            byte =
                byte << 4 | (digit & (c - '0')) | (low & (c - 'a' + 10)) | (high & (c - 'A' + 10));
        }
        o[i / 2] = (uint8_t)byte;
    }
    if (ok != UINT32_MAX)
        return vs_fail(err, VS_E_PARSE, "not hexadecimal text");
    *out = vs_span_of(o, s.n / 2);
    return VS_OK;
}

/* Length of the well-formed sequence at p, 0 if there is none (Unicode 15, table 3-7). */
static unsigned utf8_len(const uint8_t *p, size_t n)
{
    uint8_t c = p[0];
    if (c < 0x80)
        return 1;
    unsigned len = c >= 0xc2 && c <= 0xdf   ? 2
                   : c >= 0xe0 && c <= 0xef ? 3
                   : c >= 0xf0 && c <= 0xf4 ? 4
                                            : 0;
    if (len == 0 || n < len)
        return 0;
    uint8_t lo = 0x80, hi = 0xbf; /* limits of the second byte */
    if (c == 0xe0)
        lo = 0xa0;
    else if (c == 0xed)
        hi = 0x9f;
    else if (c == 0xf0)
        lo = 0x90;
    else if (c == 0xf4)
        hi = 0x8f;
    if (p[1] < lo || p[1] > hi)
        return 0;
    for (unsigned i = 2; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

bool vs_utf8_ok(vs_span s)
{
    for (size_t i = 0; i < s.n;) {
        unsigned len = utf8_len(s.p + i, s.n - i);
        if (len == 0)
            return false;
        i += len;
    }
    return true;
}

uint32_t vs_utf8_next(vs_span s, size_t *at)
{
    const uint8_t *p = s.p + *at;
    unsigned len = utf8_len(p, s.n - *at);
    if (len == 0) { /* callers promise validity; never loop on a broken promise */
        (*at)++;
        return 0xfffd;
    }
    *at += len;
    if (len == 1)
        return p[0];
    uint32_t cp = p[0] & (0x7fu >> len);
    for (unsigned i = 1; i < len; i++)
        cp = cp << 6 | (p[i] & 0x3fu);
    return cp;
}

bool vs_utf8_skip(vs_span s, size_t *at)
{
    unsigned len = utf8_len(s.p + *at, s.n - *at);
    *at += len ? len : 1;
    return len > 0;
}

vs_span vs_utf8_take(vs_span s, size_t *at)
{
    size_t from = *at;
    return vs_utf8_skip(s, at) ? vs_span_of(s.p + from, *at - from) : VS_LIT("\xef\xbf\xbd");
}

vs_span vs_utf8_scrub(vs_arena *a, vs_span s)
{
    if (vs_utf8_ok(s))
        return s;
    uint8_t *to = vs_alloc_array(a, s.n, 3);
    size_t n = 0;
    for (size_t at = 0; to && at < s.n;) {
        vs_span c = vs_utf8_take(s, &at);
        memcpy(to + n, c.p, c.n);
        n += c.n;
    }
    return vs_span_of(to, n);
}

unsigned vs_utf8_put(uint8_t out[4], uint32_t cp)
{
    if (cp < 0x80) {
        out[0] = (uint8_t)cp;
        return 1;
    }
    unsigned len = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    for (unsigned i = len - 1; i > 0; i--, cp >>= 6)
        out[i] = (uint8_t)(0x80 | (cp & 0x3f));
    out[0] = (uint8_t)((0xf00u >> len & 0xffu) | cp);
    return len;
}
