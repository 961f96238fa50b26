/* SPDX-License-Identifier: Apache-2.0 */
/* units.parse and units.parse_bytes: "500m", "2Mi", "1.5 GiB" without the space (rego.md 10.10). */
#include <strings.h>

#include "rego/builtins.h"
#include "value/number.h"

enum { TEXT_MAX = 4096 };

/* k = thousand or 1024 to this power. */
static const char prefixes[] = "kmgtpe";

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* How much of the text is the amount: digits, a point, an exponent that has digits. */
static size_t amount_length(vs_span s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i], next = i + 1 < s.n ? s.p[i + 1] : 0;
        if (is_digit(c) || c == '.' || c == '+' || c == '-')
            continue;
        if ((c != 'e' && c != 'E') || !(is_digit(next) || next == '+' || next == '-'))
            return i;
        i += !is_digit(next);
    }
    return s.n;
}

/* An amount as in ".5" or "5." or "+1" is fine in Go; JSON numbers are stricter. */
static vs_val parse_amount(vs_arena *a, vs_span s)
{
    const char *sign = s.n && s.p[0] == '-' ? "-" : "";
    if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
        s = vs_span_from(s, 1);
    while (s.n > 1 && s.p[0] == '0' && is_digit(s.p[1]))
        s = vs_span_from(s, 1);
    const uint8_t *point = s.n ? memchr(s.p, '.', s.n) : NULL;
    size_t before = point ? (size_t)(point - s.p) : s.n;
    bool bare = point && (before + 1 == s.n || !is_digit(point[1]));
    vs_span whole = vs_span_head(s, before), rest = vs_span_from(s, before + bare);
    const char *text = vs_sprintf(a, "%s%s%.*s%.*s", sign, point && before == 0 ? "0" : "",
                                  VS_FMT(whole), VS_FMT(rest));
    return bare && before == 0 ? vs_undefined() : vs_num_parse(a, vs_str(text), NULL);
}

/* 1000 or 1024 to the power of the prefix; false when there is no such unit. */
static bool read_unit(vs_span unit, bool bytes, int64_t *base, unsigned *power)
{
    *base = 1000;
    *power = 0;
    if (bytes && unit.n && (unit.p[unit.n - 1] | 0x20) == 'b')
        unit.n--;
    if (unit.n == 0)
        return true;
    const char *p = strchr(prefixes, unit.p[0] | 0x20);
    if (!p || *p == 0)
        return false;
    *power = (unsigned)(p - prefixes) + 1;
    if (unit.n == 2 && (unit.p[1] | 0x20) == 'i')
        *base = 1024;
    return unit.n == 1 || *base == 1024;
}

static rego_bres parse(rego_bctx *b, const vs_val *args, bool bytes, vs_val *out)
{
    const char *what = bytes ? "byte " : "";
    REGO_WANT(0, VS_STRING);
    if (args[0].len > TEXT_MAX || !rego_charge(b, args[0].len))
        return REGO_B_LIMIT;
    vs_span s = vs_text(args[0]);
    char *copy = vs_alloc(b->a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; copy && i < s.n; i++) { /* quotes around an amount are ignored */
        if (s.p[i] == ' ')
            return rego_error(b, "spaces not allowed in resource strings");
        if (s.p[i] != '"')
            copy[n++] = (char)s.p[i];
    }
    if (!copy)
        return REGO_B_LIMIT;
    s = vs_span_of(copy, n);
    size_t amount_n = amount_length(s);
    vs_span unit = vs_span_from(s, amount_n);
    if (amount_n == 0)
        return rego_error(b, "no %samount provided", what);
    vs_val amount = parse_amount(b->a, vs_span_head(s, amount_n));
    if (!vs_defined(amount))
        return rego_error(b, "could not parse %samount to a number", what);
    int64_t base;
    unsigned power;
    if (!bytes && vs_span_is(unit, "m")) { /* milli; M is mega */
        *out = vs_num_div(b->a, amount, vs_int(1000), NULL);
        return vs_defined(*out) ? REGO_B_OK : REGO_B_LIMIT;
    }
    if (!read_unit(unit, bytes, &base, &power))
        return REGO_B_UNDEFINED; /* as regorus, also where errors are strict */
    while (power-- > 0)
        amount = vs_num_mul(b->a, amount, vs_int(base), NULL);
    *out = bytes ? vs_num_round(b->a, amount, VS_ROUND_TRUNC, NULL) : amount;
    return vs_defined(*out) ? REGO_B_OK : REGO_B_LIMIT; /* a number beyond the limits of number.h */
}

rego_bres rego_bi_units_parse(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return parse(b, args, false, out);
}

rego_bres rego_bi_units_parse_bytes(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return parse(b, args, true, out);
}
