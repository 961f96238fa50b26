/* SPDX-License-Identifier: Apache-2.0 */
#include "rego/gofmt_verbs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/enc.h"
#include "rego/unicode.h"
#include "value/number.h"

/* ---- padding -------------------------------------------------------------------------------- */

void go_pad_n(go_fmt *f, int64_t n)
{
    uint8_t *p = n > 0 ? vs_buf_reserve(f->out, (size_t)n) : NULL;
    if (p)
        memset(p, f->zero && !f->minus ? '0' : ' ', (size_t)n);
}

void go_pad(go_fmt *f, vs_span text)
{
    int64_t len = 0;
    for (size_t at = 0; at < text.n && f->has_width; len++)
        (void)vs_utf8_next(text, &at);
    int64_t n = f->has_width ? f->width - len : 0;
    if (!f->minus)
        go_pad_n(f, n);
    vs_buf_put(f->out, text);
    if (f->minus)
        go_pad_n(f, n);
}

/* ---- strings -------------------------------------------------------------------------------- */

static vs_span cut(const go_fmt *f, vs_span s)
{
    size_t at = 0;
    for (int32_t n = 0; f->has_prec && n < f->prec && at < s.n; n++)
        (void)vs_utf8_next(s, &at);
    return f->has_prec ? vs_span_head(s, at) : s;
}

void go_put_text(go_fmt *f, vs_span s)
{
    go_pad(f, cut(f, s));
}

/* Whether a raw string can hold it: one line of printable text, tabs too, and no back quote. */
static bool fits_back_quotes(vs_span s)
{
    for (size_t at = 0; at < s.n;) {
        bool valid;
        uint32_t cp = rego_next_rune(s, &at, &valid);
        if (!valid || cp == 0xfeff || (cp < ' ' && cp != '\t') || cp == '`' || cp == 0x7f)
            return false;
    }
    return true;
}

void go_put_quoted(go_fmt *f, vs_span s)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(f->out->cap);
    s = cut(f, s);
    if (f->sharp && fits_back_quotes(s)) {
        vs_buf_putc(&text, '`');
        vs_buf_put(&text, s);
        vs_buf_putc(&text, '`');
    } else {
        rego_go_quote(&text, s, '"', f->plus);
    }
    f->out->failed |= text.failed;
    go_pad(f, vs_buf_span(&text));
}

void go_put_hex(go_fmt *f, vs_span s, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    if (f->has_prec)
        s = vs_span_head(s, (size_t)f->prec);
    int64_t n = (int64_t)s.n, width = 2 * n;
    if (n > 0 && f->space)
        width = (f->sharp ? 2 : 1) * width + n - 1;
    else if (n > 0 && f->sharp)
        width += 2;
    int64_t pad = f->has_width ? f->width - width : 0;
    if (!f->minus)
        go_pad_n(f, pad);
    for (size_t i = 0; i < s.n; i++) {
        if (f->space && i > 0)
            vs_buf_putc(f->out, ' ');
        if (f->sharp && (f->space || i == 0))
            vs_buf_puts(f->out, upper ? "0X" : "0x");
        vs_buf_putc(f->out, digits[s.p[i] >> 4]);
        vs_buf_putc(f->out, digits[s.p[i] & 15]);
    }
    if (f->minus)
        go_pad_n(f, pad);
}

/* ---- integers ------------------------------------------------------------------------------- */

static const char *integer_prefix(const go_fmt *f, vs_span digits, int64_t zeros, unsigned base,
                                  uint32_t verb)
{
    bool leading = zeros > 0 || digits.n == 0 || digits.p[0] == '0';
    if (!f->sharp)
        return verb == 'O' ? "0o" : "";
    switch (base) {
    case 2: return "0b";
    case 8: return verb == 'O' ? (leading ? "0o" : "0o0") : leading ? "" : "0";
    case 16: return verb == 'X' ? "0X" : "0x";
    default: return "";
    }
}

void go_put_integer(go_fmt *f, bool negative, vs_span digits, unsigned base, uint32_t verb)
{
    bool zero = f->zero, nothing = f->has_prec && f->prec == 0 && vs_span_is(digits, "0");
    int64_t least = f->has_prec ? f->prec : 0;
    if (!f->has_prec && f->zero && !f->minus && f->has_width)
        least = f->width - (negative || f->plus || f->space);
    f->zero = false; /* %03d has its zeros from `least` */
    if (nothing) {
        go_pad_n(f, f->has_width ? f->width : 0);
    } else {
        VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(f->out->cap);
        int64_t zeros = least - (int64_t)digits.n;
        vs_buf_puts(&text, negative ? "-" : f->plus ? "+" : f->space ? " " : "");
        vs_buf_puts(&text, integer_prefix(f, digits, zeros, base, verb));
        uint8_t *p = zeros > 0 ? vs_buf_reserve(&text, (size_t)zeros) : NULL;
        if (p)
            memset(p, '0', (size_t)zeros);
        for (size_t i = 0; i < digits.n; i++)
            vs_buf_putc(&text,
                        (char)(verb == 'X' && digits.p[i] >= 'a' ? digits.p[i] - 32 : digits.p[i]));
        f->out->failed |= text.failed;
        go_pad(f, vs_buf_span(&text));
    }
    f->zero = zero;
}

/* big.Int formats itself, a little unlike int: no precision of zero digits, other zero padding. */
bool go_put_big(go_fmt *f, vs_val v, uint32_t verb)
{
    int base;
    switch (verb) {
    case 'b': base = 2; break;
    case 'o':
    case 'O': base = 8; break;
    case 'd':
    case 's':
    case 'v': base = 10; break;
    case 'x':
    case 'X': base = 16; break;
    default: return false;
    }
    vs_span digits = vs_num_text_base(f->a, v, base);
    bool negative = digits.n && digits.p[0] == '-', sharp = f->sharp;
    f->sharp = sharp && verb != 'O';
    go_put_integer(f, negative, vs_span_from(digits, negative), (unsigned)base, verb);
    f->sharp = sharp;
    return true;
}

/* ---- runes ---------------------------------------------------------------------------------- */

static vs_span rune_text(int64_t c, uint8_t enc[4])
{
    bool valid = c >= 0 && c <= 0x10ffff && !(c >= 0xd800 && c < 0xe000);
    return vs_span_of(enc, vs_utf8_put(enc, valid ? (uint32_t)c : 0xfffd));
}

void go_put_rune(go_fmt *f, int64_t c)
{
    uint8_t enc[4];
    go_pad(f, rune_text(c, enc));
}

void go_put_quoted_rune(go_fmt *f, int64_t c)
{
    uint8_t enc[4];
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(64);
    rego_go_quote(&text, rune_text(c, enc), '\'', f->plus);
    f->out->failed |= text.failed;
    go_pad(f, vs_buf_span(&text));
}

void go_put_unicode(go_fmt *f, int64_t c)
{
    uint8_t enc[4];
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(f->out->cap);
    bool zero = f->zero;
    int digits = f->has_prec && f->prec > 4 ? f->prec : 4;
    vs_buf_printf(&text, "U+%0*llX", digits, (unsigned long long)c);
    if (f->sharp && c >= 0 && c <= 0x10ffff && rego_is_printable((uint32_t)c)) {
        vs_buf_puts(&text, " '");
        vs_buf_put(&text, rune_text(c, enc));
        vs_buf_putc(&text, '\'');
    }
    f->zero = false;
    f->out->failed |= text.failed;
    go_pad(f, vs_buf_span(&text));
    f->zero = zero;
}

/* ---- floats --------------------------------------------------------------------------------- */

/* The shortest decimal digits that read back as x, in the form of %e. */
static void shortest(double x, char *text, size_t n, int *digits)
{
    for (int p = 0; p < 17; p++) {
        (void)snprintf(text, n, "%.*e", p, x);
        *digits = p + 1;
        if (strtod(text, NULL) == x)
            return;
    }
}

/* %g: %e for exponents < -4 or >= the precision (6 for the shortest), without trailing zeros. */
static void put_general(vs_buf *out, double x, char verb, int prec)
{
    char text[32];
    int digits;
    if (prec >= 0) {
        vs_buf_printf(out, verb == 'G' ? "%.*G" : "%.*g", prec, x);
        return;
    }
    shortest(x, text, sizeof text, &digits);
    const char *e = strchr(text, 'e');
    int exponent = e ? atoi(e + 1) : 0;
    if (exponent < -4 || exponent >= 6)
        vs_buf_printf(out, verb == 'G' ? "%.*E" : "%.*e", digits - 1, x);
    else
        vs_buf_printf(out, "%.*f", digits - 1 > exponent ? digits - 1 - exponent : 0, x);
}

/* 0x1.8p+00: as C's %a, but with two digits in the exponent, and normal also where C is not. */
static void put_hex_float(vs_buf *out, double x, char verb, int prec)
{
    char text[64];
    bool tiny = x != 0 && fabs(x) < 2.2250738585072014e-308;
    VS_CLEANUP(vs_buf_free) vs_buf full = VS_BUF(out->cap);
    if (tiny)
        x *= 18446744073709551616.0; /* 2^64, which is exact */
    if (prec < 0)
        vs_buf_printf(&full, "%a", x);
    else
        vs_buf_printf(&full, "%.*a", prec, x);
    out->failed |= full.failed;
    const char *p = full.p ? strchr((const char *)full.p, 'p') : NULL;
    if (!p)
        return;
    int exponent = atoi(p + 1) - (tiny ? 64 : 0);
    uint8_t *one = (uint8_t *)strchr((const char *)full.p, 'x') + 1;
    if (*one == '2') { /* rounded up, which C does not make normal again */
        *one = '1';
        exponent++;
    }
    vs_buf_put(out, vs_span_of(full.p, (size_t)(p - (const char *)full.p)));
    (void)snprintf(text, sizeof text, "p%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
    vs_buf_puts(out, text);
    for (size_t i = 0; verb == 'X' && i < out->n; i++)
        if (out->p[i] >= 'a' && out->p[i] <= 'z')
            out->p[i] = (uint8_t)(out->p[i] - 32);
}

/* 6755399441055744p-52 */
static void put_binary_float(vs_buf *out, double x)
{
    int exponent = 0;
    double m = frexp(x, &exponent);
    exponent = x == 0 || exponent < -1021 ? -1021 : exponent;
    m = x == 0 ? 0 : ldexp(x, -exponent);
    vs_buf_printf(out, "%.0fp%+d", ldexp(m, 53), exponent - 53);
}

static void put_number(vs_buf *out, double x, char verb, int prec)
{
    char text[32];
    int digits;
    if (isinf(x) || isnan(x)) {
        vs_buf_puts(out, isnan(x) ? "NaN" : x < 0 ? "-Inf" : "+Inf");
        return;
    }
    switch (verb) {
    case 'b': put_binary_float(out, x); return;
    case 'x':
    case 'X': put_hex_float(out, x, verb, prec); return;
    case 'g':
    case 'G': put_general(out, x, verb, prec); return;
    default: break;
    }
    if (prec < 0) {
        shortest(x, text, sizeof text, &digits);
        prec = digits - 1;
    }
    vs_buf_printf(out, verb == 'f' ? "%.*f" : verb == 'E' ? "%.*E" : "%.*e", prec, x);
}

/* "#": always a decimal point, and for %g the zeros that it leaves out. */
static void add_zeros(vs_buf *num, char verb, int prec)
{
    bool counts = strchr("gGx", verb) != NULL, seen = false, point = false;
    int left = !counts ? 0 : prec < 0 ? 6 : prec;
    size_t end = num->n;
    for (size_t i = num->p[0] == '-'; i < num->n; i++) {
        uint8_t c = num->p[i];
        bool exponent = (c | 0x20) == 'p' || ((c | 0x20) == 'e' && (verb | 0x20) != 'x');
        if (exponent) {
            end = i;
            break;
        }
        if (c == '.') {
            point = true;
            continue;
        }
        seen |= c != '0';
        left -= seen;
    }
    char tail[16];
    size_t tail_n = num->n - end < sizeof tail ? num->n - end : 0;
    memcpy(tail, num->p + end, tail_n);
    vs_buf_truncate(num, end);
    if (!point) {
        size_t sign = num->p[0] == '-';
        left -= num->n == sign + 1 && num->p[sign] == '0';
        vs_buf_putc(num, '.');
    }
    for (; left > 0; left--)
        vs_buf_putc(num, '0');
    vs_buf_put(num, vs_span_of(tail, tail_n));
}

void go_put_float(go_fmt *f, double x, char verb, int prec)
{
    VS_CLEANUP(vs_buf_free) vs_buf num = VS_BUF(f->out->cap);
    bool zero = f->zero;
    if (f->has_prec)
        prec = f->prec;
    put_number(&num, x, verb, prec);
    if (num.failed || num.n == 0) {
        f->out->failed = true;
        return;
    }
    if (isinf(x) || isnan(x))
        f->zero = false;
    else if (f->sharp && verb != 'b')
        add_zeros(&num, verb, prec);
    f->out->failed |= num.failed;
    vs_span digits = vs_buf_span(&num);
    bool negative = digits.p[0] == '-';
    digits = vs_span_from(digits, negative || digits.p[0] == '+');
    const char *sign = negative ? "-" : f->plus ? "+" : f->space ? " " : "";
    if (f->zero && !f->minus && f->has_width && f->width > (int64_t)(digits.n + strlen(sign))) {
        vs_buf_puts(f->out, sign);
        go_pad_n(f, f->width - (int64_t)(digits.n + strlen(sign)));
        vs_buf_put(f->out, digits);
    } else {
        VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(f->out->cap);
        vs_buf_puts(&text, sign);
        vs_buf_put(&text, digits);
        f->out->failed |= text.failed;
        go_pad(f, vs_buf_span(&text));
    }
    f->zero = zero;
}
