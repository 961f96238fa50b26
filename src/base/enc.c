/* SPDX-License-Identifier: Apache-2.0 */
#include "base/enc.h"

#include <endian.h>

/* Constant-time character classes: each returns all ones when x is in [lo, hi], else zero. */
static uint32_t in_range(uint32_t x, uint32_t lo, uint32_t hi)
{
    return 0u - (((lo - 1 - x) & (x - hi - 1)) >> 31);
}

/* ---- base64 -----------------------------------------------------------------------------------
 *
 * Six bytes and eight characters at a time, in one register, without a table or a branch that would
 * tell what passes through. The first character is in the highest byte.
 */

enum { GROUP = 6, CHARS = 8 };
static const uint64_t each = 0x0101010101010101;

/* 48 bits to six in every byte, and back. */
static inline uint64_t b64_spread(uint64_t v)
{
    v = (v & 0xffffff000000) << 8 | (v & 0xffffff);
    v = (v & 0x00fff00000fff000) << 4 | (v & 0x00000fff00000fff);
    return (v & 0x0fc00fc00fc00fc0) << 2 | (v & 0x003f003f003f003f);
}

static inline uint64_t b64_gather(uint64_t v)
{
    v = (v >> 2 & 0x0fc00fc00fc00fc0) | (v & 0x003f003f003f003f);
    v = (v >> 4 & 0x00fff00000fff000) | (v & 0x00000fff00000fff);
    return (v >> 8 & 0xffffff000000) | (v & 0xffffff);
}

/* One in each byte of v, which are below 128, that is at least `least`, else zero. */
static inline uint64_t b64_from(uint64_t v, uint64_t least)
{
    return (v + (128 - least) * each) >> 7 & each;
}

/* Values to characters: the step from one run of the alphabet to the next is added to every byte
 * that lies beyond the run. */
static inline uint64_t b64_letters(uint64_t v, bool url)
{
    uint64_t c = v + 'A' * each;
    c += b64_from(v, 26) * ('a' - 26 - 'A');
    c -= b64_from(v, 52) * ('a' - 26 - ('0' - 52));
    c -= b64_from(v, 62) * (url ? '0' - 52 - ('-' - 62) : '0' - 52 - ('+' - 62));
    return c + b64_from(v, 63) * (url ? '_' - 63 - ('-' - 62) : '/' - 63 - ('+' - 62));
}

/* One in each byte that is in [lo, hi]. */
static inline uint64_t b64_run(uint64_t c, uint64_t lo, uint64_t hi)
{
    return b64_from(c, lo) & ~b64_from(c, hi + 1);
}

/* Characters to values; *bad gets bits for those outside the alphabet. */
static inline uint64_t b64_values(uint64_t c, bool url, uint64_t *bad)
{
    *bad |= c & each << 7;
    c &= ~(each << 7);
    uint64_t upper = b64_run(c, 'A', 'Z'), lower = b64_run(c, 'a', 'z'),
             digit = b64_run(c, '0', '9'), c62 = url ? b64_run(c, '-', '-') : b64_run(c, '+', '+'),
             c63 = url ? b64_run(c, '_', '_') : b64_run(c, '/', '/');
    *bad |= (upper | lower | digit | c62 | c63) ^ each;
    c -= upper * 'A' + lower * ('a' - 26) + c63 * (url ? '_' - 63 : 0);
    return c + digit * (52 - '0') + c62 * (url ? 62 - '-' : 62 - '+') + c63 * (url ? 0 : 63 - '/');
}

/* Of 48 bits; the characters in the order of memory. */
static inline uint64_t encode_group(uint64_t v, bool url)
{
    return htobe64(b64_letters(b64_spread(v), url));
}

static size_t letters_of(size_t bytes)
{
    return bytes / 3 * 4 + (bytes % 3 ? bytes % 3 + 1 : 0);
}

/* With the padding. */
static size_t chars_of(vs_b64_form form, size_t bytes)
{
    bool pad = form == VS_B64_STD || form == VS_B64_URL_PADDED || form == VS_B64_STD_ANYPAD;
    size_t letters = letters_of(bytes);
    return pad ? (letters + 3) / 4 * 4 : letters;
}

static void b64_encode_to(uint8_t *o, vs_b64_form form, vs_span in)
{
    bool url = form == VS_B64_URL || form == VS_B64_URL_PADDED || form == VS_B64_URL_ANYPAD;
    size_t padding = chars_of(form, in.n) - letters_of(in.n);
    for (; in.n >= CHARS; in = vs_span_from(in, GROUP), o += CHARS) {
        uint64_t v; /* in one load: two bytes more than are used */
        memcpy(&v, in.p, sizeof v);
        v = encode_group(be64toh(v) >> 16, url);
        memcpy(o, &v, CHARS);
    }
    while (in.n) {
        size_t n = in.n < GROUP ? in.n : GROUP, left = letters_of(n);
        uint64_t v = 0;
        for (size_t i = 0; i < n; i++)
            v |= (uint64_t)in.p[i] << (40 - 8 * i);
        v = encode_group(v, url);
        memcpy(o, &v, left);
        in = vs_span_from(in, n);
        o += left;
    }
    memset(o, '=', padding);
}

void vs_b64_encode(vs_buf *out, vs_b64_form form, vs_span in)
{
    uint8_t *o = vs_buf_reserve(out, chars_of(form, in.n));
    if (o)
        b64_encode_to(o, form, in);
}

vs_span vs_b64_encode_arena(vs_arena *a, vs_b64_form form, vs_span bytes)
{
    size_t n = chars_of(form, bytes.n);
    uint8_t *o = vs_alloc(a, n + 1);
    if (!o)
        return (vs_span){NULL, 0};
    b64_encode_to(o, form, bytes);
    o[n] = 0; /* as vs_dup has it */
    return vs_span_of(o, n);
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

static size_t b64_size(size_t chars)
{
    return chars / 4 * 3 + (chars % 4 ? chars % 4 - 1 : 0);
}

/* Of the first eight characters; the bytes in the order of memory, behind them zeros. */
static inline uint64_t decode_group(vs_span s, bool url, uint64_t *bad)
{
    uint64_t v;
    memcpy(&v, s.p, CHARS);
    return htobe64(b64_gather(b64_values(be64toh(v), url, bad)) << 16);
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
    uint64_t bad = 0;
    for (; s.n >= CHARS; s = vs_span_from(s, CHARS), o += GROUP) {
        uint64_t v = decode_group(s, url, &bad);
        memcpy(o, &v, GROUP);
    }
    if (s.n) {
        uint8_t last[CHARS] = "AAAAAAAA"; /* zeros */
        memcpy(last, s.p, s.n);
        uint64_t v = decode_group(vs_span_of(last, CHARS), url, &bad);
        size_t n = b64_size(s.n);
        memcpy(o, &v, n);
        bad |= be64toh(v) << 8 * n; /* what is left over must be zero */
    }
    if (bad)
        return vs_fail(err, VS_E_PARSE,
                       "not %s text: a character outside the alphabet, or unused bits set",
                       std ? "base64" : "base64url");
    return VS_OK;
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

/* ---- hexadecimal ------------------------------------------------------------------------------
 */

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

/* ---- UTF-8 ------------------------------------------------------------------------------------
 */

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

/* Eight bytes of ASCII. */
static bool is_ascii(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return !(v & each << 7);
}

bool vs_utf8_ok(vs_span s)
{
    for (size_t i = 0; i < s.n;) {
        bool eight = s.n - i >= 8 && is_ascii(s.p + i);
        unsigned len = eight ? 8 : s.p[i] < 0x80 ? 1 : utf8_len(s.p + i, s.n - i);
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
