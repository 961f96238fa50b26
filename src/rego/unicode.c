/* SPDX-License-Identifier: Apache-2.0 */
#include "rego/unicode.h"

#include "base/enc.h"

typedef struct range {
    uint32_t first, last;
} range;

/* first, first + step, ... last are mapped by adding delta. */
typedef struct case_run {
    uint32_t first, last, step;
    int32_t delta;
} case_run;

#include "rego/unicode_tables.h"

static uint32_t map_case(const case_run *t, size_t n, uint32_t cp)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (cp > t[mid].last)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == n || cp < t[lo].first || (cp - t[lo].first) % t[lo].step != 0)
        return cp;
    return (uint32_t)((int32_t)cp + t[lo].delta);
}

uint32_t rego_to_upper(uint32_t cp)
{
    if (cp < 0x80)
        return cp >= 'a' && cp <= 'z' ? cp - 32 : cp;
    return map_case(to_upper, VS_COUNT(to_upper), cp);
}

uint32_t rego_to_lower(uint32_t cp)
{
    if (cp < 0x80)
        return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
    return map_case(to_lower, VS_COUNT(to_lower), cp);
}

static bool is_in(const range *t, size_t n, uint32_t cp)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (cp > t[mid].last)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < n && cp >= t[lo].first;
}

bool rego_is_letter(uint32_t cp)
{
    return is_in(letters, VS_COUNT(letters), cp);
}

bool rego_is_digit(uint32_t cp)
{
    return is_in(digits, VS_COUNT(digits), cp);
}

bool rego_is_printable(uint32_t cp)
{
    return is_in(printable, VS_COUNT(printable), cp);
}

uint32_t rego_next_rune(vs_span s, size_t *at, bool *valid)
{
    size_t from = *at;
    uint32_t cp = vs_utf8_next(s, at);
    *valid = cp != 0xfffd || *at - from == 3;
    return cp;
}

/* ---- quoting -------------------------------------------------------------------------------- */

/* \a \b \t \n \v \f \r: the letters of 07..0d. */
static const char control_letters[] = "abtnvfr";

static void put_escaped(vs_buf *out, uint32_t cp)
{
    if (cp >= 7 && cp <= 13)
        vs_buf_printf(out, "\\%c", control_letters[cp - 7]);
    else if (cp < 0x80)
        vs_buf_printf(out, "\\x%02x", cp);
    else
        vs_buf_printf(out, cp < 0x10000 ? "\\u%04x" : "\\U%08x", cp);
}

void rego_go_quote(vs_buf *out, vs_span s, char quote, bool ascii)
{
    vs_buf_putc(out, quote);
    for (size_t at = 0; at < s.n;) {
        size_t from = at;
        bool valid;
        uint32_t cp = rego_next_rune(s, &at, &valid);
        if (!valid)
            vs_buf_printf(out, "\\x%02x", s.p[from]);
        else if (cp == '\\' || cp == (uint8_t)quote)
            vs_buf_printf(out, "\\%c", (char)cp);
        else if (rego_is_printable(cp) && !(ascii && cp >= 0x80))
            vs_buf_put(out, vs_span_of(s.p + from, at - from));
        else
            put_escaped(out, cp);
    }
    vs_buf_putc(out, quote);
}

static void put_rune(vs_buf *out, uint32_t cp)
{
    uint8_t enc[4];
    vs_buf_put(out, vs_span_of(enc, vs_utf8_put(enc, cp)));
}

/* `n` digits of a base; false when there are others. */
static bool read_digits(vs_span s, size_t *at, unsigned n, uint32_t base, uint32_t *out)
{
    *out = 0;
    for (; n > 0; n--, ++*at) {
        uint8_t c = *at < s.n ? s.p[*at] : 0, l = c | 0x20;
        uint32_t d = c >= '0' && c <= '9'   ? c - (uint32_t)'0'
                     : l >= 'a' && l <= 'f' ? l - (uint32_t)'a' + 10
                                            : 99;
        if (d >= base)
            return false;
        *out = *out * base + d;
    }
    return true;
}

/* What stands behind a backslash. Bytes of \x and octal escapes are no code points in a string. */
static bool read_escape(vs_buf *out, vs_span s, size_t *at, uint8_t quote, uint32_t *rune)
{
    uint8_t c = *at < s.n ? s.p[(*at)++] : 0;
    const char *control = c ? strchr(control_letters, c) : NULL;
    bool byte = true;
    if (control) {
        *rune = 7 + (uint32_t)(control - control_letters);
    } else if (c == '\\' || (c == quote && c)) {
        *rune = c;
    } else if (c == 'x' || c == 'u' || c == 'U') {
        byte = c == 'x';
        if (!read_digits(s, at, byte ? 2 : c == 'u' ? 4 : 8, 16, rune))
            return false;
        if (!byte && (*rune > 0x10ffff || (*rune >= 0xd800 && *rune < 0xe000)))
            return false;
    } else {
        --*at;
        if (!read_digits(s, at, 3, 8, rune) || *rune > 255)
            return false;
    }
    if (byte && quote == '"')
        vs_buf_putc(out, (char)*rune);
    else
        put_rune(out, *rune);
    return true;
}

bool rego_go_unquote(vs_buf *out, vs_span text, size_t *runes, uint32_t *rune)
{
    uint8_t quote = text.n ? text.p[0] : 0;
    *runes = 0;
    *rune = 0;
    if (text.n < 2 || text.p[text.n - 1] != quote)
        return false;
    vs_span s = vs_span_of(text.p + 1, text.n - 2);
    for (size_t at = 0; at < s.n; ++*runes) {
        size_t from = at;
        if (quote == '`') {
            if (s.p[at++] != '\r')
                vs_buf_putc(out, (char)s.p[at - 1]);
        } else if (s.p[at] == '\\') {
            at++;
            if (!read_escape(out, s, &at, quote, rune))
                return false;
        } else if (s.p[at] == quote || s.p[at] == '\n') {
            return false;
        } else {
            *rune = vs_utf8_next(s, &at);
            vs_buf_put(out, vs_span_of(s.p + from, at - from));
        }
    }
    return true;
}
