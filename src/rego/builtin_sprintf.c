/* SPDX-License-Identifier: Apache-2.0 */
/* sprintf with the verbs of Go's fmt (rego.md 11). */
#include <stdio.h>

#include <math.h>

#include "base/enc.h"
#include "rego/builtins.h"
#include "value/number.h"

enum { TEXT_MAX = 16 << 20, WIDTH_MAX = 10000 };

typedef struct spec {
    bool plus, minus, sharp, zero, space;
    int width, precision; /* -1 = not given */
    uint8_t verb;
} spec;

static void put_padded(vs_buf *out, const spec *s, vs_span text, bool numeric)
{
    int64_t len = 0;
    for (size_t at = 0; at < text.n; len++)
        (void)vs_utf8_next(text, &at);
    int64_t pad = s->width > len ? s->width - len : 0;
    if (s->minus) {
        vs_buf_put(out, text);
        for (; pad > 0; pad--)
            vs_buf_putc(out, ' ');
        return;
    }
    bool zeros = s->zero && numeric;
    if (zeros && text.n && (text.p[0] == '-' || text.p[0] == '+')) {
        vs_buf_put(out, vs_span_head(text, 1));
        text = vs_span_from(text, 1);
    }
    for (; pad > 0; pad--)
        vs_buf_putc(out, zeros ? '0' : ' ');
    vs_buf_put(out, text);
}

static const char *go_type(vs_val v)
{
    switch ((vs_kind)v.kind) {
    case VS_STRING: return "string";
    case VS_BOOL: return "bool";
    case VS_NUMBER: return vs_num_is_integer(v) ? "int" : "float64";
    default: return "string"; /* composites are formatted as their text */
    }
}

/* Beyond the range of a double a number is printed as it may have been written: 2e308. */
static void put_huge(vs_buf *out, vs_val v)
{
    vs_arena a;
    vs_arena_init(&a, TEXT_MAX);
    vs_span text = vs_num_text(&a, v);
    size_t n = text.n;
    while (n > 0 && text.p[n - 1] == '0')
        n--;
    vs_buf_put(out, vs_span_head(text, n));
    if (n < text.n)
        vs_buf_printf(out, "e%zu", text.n - n);
    vs_arena_free(&a);
}

static void put_text(vs_buf *out, vs_val v)
{
    if (v.kind == VS_STRING)
        vs_buf_put(out, vs_text(v));
    else if (v.kind == VS_NUMBER && isinf(vs_num_to_double(v)))
        put_huge(out, v);
    else
        rego_print_value(out, v);
}

/* %!d(string=hi) */
static void put_mismatch(vs_buf *out, uint8_t verb, vs_val v)
{
    vs_buf_printf(out, "%%!%c(%s=", verb, go_type(v));
    put_text(out, v);
    vs_buf_putc(out, ')');
}

static void put_integer(rego_bctx *b, vs_buf *out, const spec *s, vs_val v)
{
    int base = s->verb == 'b'                     ? 2
               : s->verb == 'o' || s->verb == 'O' ? 8
               : s->verb == 'x' || s->verb == 'X' ? 16
                                                  : 10;
    vs_span digits = vs_num_text_base(b->a, v, base);
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    bool neg = digits.n && digits.p[0] == '-';
    vs_buf_puts(&text, neg ? "-" : s->plus ? "+" : s->space ? " " : "");
    if (s->verb == 'O')
        vs_buf_puts(&text, "0o");
    if (s->sharp)
        vs_buf_puts(&text, s->verb == 'x'   ? "0x"
                           : s->verb == 'X' ? "0X"
                           : s->verb == 'o' ? "0"
                           : s->verb == 'b' ? "0b"
                                            : "");
    digits = vs_span_from(digits, neg);
    for (int64_t i = (int64_t)digits.n; i < s->precision; i++)
        vs_buf_putc(&text, '0');
    for (size_t i = 0; i < digits.n; i++) {
        uint8_t c = digits.p[i];
        vs_buf_putc(&text, (char)(s->verb == 'X' && c >= 'a' ? c - 32 : c));
    }
    put_padded(out, s, vs_buf_span(&text), true);
}

static void put_float(vs_buf *out, const spec *s, vs_val v)
{
    char format[16], text[512];
    (void)snprintf(format, sizeof format, "%%%s%s.*%c",
                   s->plus    ? "+"
                   : s->space ? " "
                              : "",
                   s->sharp ? "#" : "", s->verb == 'F' ? 'f' : s->verb);
    double x = vs_num_to_double(v);
    int precision = s->precision;
    if (precision > 300)
        precision = 300;
    if (precision < 0 && (s->verb == 'g' || s->verb == 'G')) {
        for (precision = 1; precision < 17; precision++) { /* the shortest that reads back */
            (void)snprintf(text, sizeof text, "%.*g", precision, x);
            double back = 0;
            if (sscanf(text, "%lf", &back) == 1 && back == x)
                break;
        }
    } else if (precision < 0) {
        precision = 6;
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(text, sizeof text, format, precision, x);
#pragma GCC diagnostic pop
    put_padded(out, s, vs_str(text), true);
}

static void put_hex(vs_buf *out, const spec *s, vs_val v)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    vs_hex_encode(&text, vs_text(v));
    for (size_t i = 0; s->verb == 'X' && i < text.n; i++)
        if (text.p[i] >= 'a')
            text.p[i] = (uint8_t)(text.p[i] - 32);
    put_padded(out, s, vs_buf_span(&text), false);
}

static void put_string(vs_buf *out, const spec *s, vs_val v)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    if (s->verb == 'q' && v.kind == VS_STRING)
        rego_print_value(&text, v);
    else
        put_text(&text, v);
    vs_span t = vs_buf_span(&text);
    if (s->precision >= 0) {
        size_t at = 0;
        for (int i = 0; i < s->precision && at < t.n; i++)
            (void)vs_utf8_next(t, &at);
        t = vs_span_head(t, at);
    }
    put_padded(out, s, t, v.kind == VS_NUMBER);
}

static void put_argument(rego_bctx *b, vs_buf *out, const spec *s, vs_val v)
{
    bool number = v.kind == VS_NUMBER, integer = vs_num_is_integer(v);
    switch (s->verb) {
    case 'v':
        if (number && integer && (s->plus || s->space))
            put_integer(b, out, s, v);
        else
            put_string(out, s, v);
        return;
    case 's': put_string(out, s, v); return;
    case 'q': put_string(out, s, v); return;
    case 't':
        if (v.kind != VS_BOOL)
            break;
        put_string(out, s, v);
        return;
    case 'x':
    case 'X':
        if (v.kind == VS_STRING) {
            put_hex(out, s, v);
            return;
        }
        __attribute__((fallthrough));
    case 'd':
    case 'b':
    case 'o':
    case 'O':
        if (!number || !integer)
            break;
        put_integer(b, out, s, v);
        return;
    case 'c': {
        if (!number || !integer || v.big || v.u.i < 0 || v.u.i > 0x10ffff)
            break;
        uint8_t enc[4];
        put_padded(out, s, vs_span_of(enc, vs_utf8_put(enc, (uint32_t)v.u.i)), false);
        return;
    }
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
        if (!number || integer)
            break;
        put_float(out, s, v);
        return;
    default: break;
    }
    put_mismatch(out, s->verb, v);
}

static int read_number(vs_span f, size_t *at)
{
    int v = -1;
    while (*at < f.n && f.p[*at] >= '0' && f.p[*at] <= '9') {
        v = (v < 0 ? 0 : v) * 10 + (f.p[*at] - '0');
        if (v > WIDTH_MAX)
            v = WIDTH_MAX;
        ++*at;
    }
    return v;
}

/* Flags, width, precision, [n] behind '%'. */
static spec read_spec(vs_span f, size_t *at, uint32_t *next)
{
    spec s = {.width = -1, .precision = -1};
    for (; *at < f.n; ++*at) {
        uint8_t c = f.p[*at];
        if (c == '+')
            s.plus = true;
        else if (c == '-')
            s.minus = true;
        else if (c == '#')
            s.sharp = true;
        else if (c == '0')
            s.zero = true;
        else if (c == ' ')
            s.space = true;
        else
            break;
    }
    s.width = read_number(f, at);
    if (*at < f.n && f.p[*at] == '.') {
        ++*at;
        s.precision = read_number(f, at);
        if (s.precision < 0)
            s.precision = 0;
    }
    if (*at < f.n && f.p[*at] == '[') {
        size_t from = *at + 1;
        int index = read_number(f, &from);
        if (index > 0 && from < f.n && f.p[from] == ']') {
            *next = (uint32_t)index - 1;
            *at = from + 1;
        }
    }
    return s;
}

static void put_extra(vs_buf *out, vs_val args, uint32_t from)
{
    vs_buf_puts(out, "%!(EXTRA ");
    for (uint32_t i = from; i < args.len; i++) {
        vs_buf_printf(out, i > from ? ", %s=" : "%s=", go_type(args.u.items[i]));
        put_text(out, args.u.items[i]);
    }
    vs_buf_putc(out, ')');
}

rego_bres rego_bi_sprintf(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_STRING);
    REGO_WANT(1, VS_ARRAY);
    vs_span f = vs_text(args[0]);
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    uint32_t next = 0;
    bool indexed = false;
    for (size_t at = 0; at < f.n && vs_buf_ok(&text);) {
        if (f.p[at] != '%') {
            vs_buf_putc(&text, (char)f.p[at++]);
            continue;
        }
        at++;
        uint32_t before = next;
        spec s = read_spec(f, &at, &next);
        indexed |= before != next;
        if (at >= f.n) {
            vs_buf_puts(&text, "%!(NOVERB)");
            break;
        }
        s.verb = f.p[at++];
        if (s.verb == '%')
            vs_buf_putc(&text, '%');
        else if (next >= args[1].len)
            vs_buf_printf(&text, "%%!%c(MISSING)", s.verb);
        else
            put_argument(b, &text, &s, args[1].u.items[next++]);
    }
    if (next < args[1].len && !indexed)
        put_extra(&text, args[1], next);
    if (!vs_buf_ok(&text) || !rego_charge(b, text.n / 4))
        return REGO_B_LIMIT;
    *out = vs_string_dup(b->a, vs_buf_span(&text));
    return REGO_B_OK;
}
