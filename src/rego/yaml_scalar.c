/* SPDX-License-Identifier: Apache-2.0 */
#include "rego/yaml_scalar.h"

#include <math.h>

#include "rego/time_layout.h"
#include "value/number.h"

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool one_of(vs_span s, const char *const *words)
{
    for (; *words; words++)
        if (vs_span_is(s, *words))
            return true;
    return false;
}

static const struct {
    const char *text;
    yaml_kind kind;
    const char *value; /* of what is not finite; "t" and "" are true and false */
} words[] = {
    {"", YAML_IS_NULL, ""},
    {"~", YAML_IS_NULL, ""},
    {"null", YAML_IS_NULL, ""},
    {"Null", YAML_IS_NULL, ""},
    {"NULL", YAML_IS_NULL, ""},
    {"true", YAML_IS_BOOL, "t"},
    {"True", YAML_IS_BOOL, "t"},
    {"TRUE", YAML_IS_BOOL, "t"},
    {"false", YAML_IS_BOOL, ""},
    {"False", YAML_IS_BOOL, ""},
    {"FALSE", YAML_IS_BOOL, ""},
    {".nan", YAML_IS_NOT_FINITE, ".nan"},
    {".NaN", YAML_IS_NOT_FINITE, ".nan"},
    {".NAN", YAML_IS_NOT_FINITE, ".nan"},
    {".inf", YAML_IS_NOT_FINITE, ".inf"},
    {".Inf", YAML_IS_NOT_FINITE, ".inf"},
    {".INF", YAML_IS_NOT_FINITE, ".inf"},
    {"+.inf", YAML_IS_NOT_FINITE, ".inf"},
    {"+.Inf", YAML_IS_NOT_FINITE, ".inf"},
    {"+.INF", YAML_IS_NOT_FINITE, ".inf"},
    {"-.inf", YAML_IS_NOT_FINITE, "-.inf"},
    {"-.Inf", YAML_IS_NOT_FINITE, "-.inf"},
    {"-.INF", YAML_IS_NOT_FINITE, "-.inf"},
    {"<<", YAML_IS_MERGE, ""},
};

const char *yaml_kind_name(yaml_kind kind)
{
    static const char *const names[] = {
        [YAML_IS_STRING] = "str", [YAML_IS_NULL] = "null",   [YAML_IS_BOOL] = "bool",
        [YAML_IS_INT] = "int",    [YAML_IS_FLOAT] = "float", [YAML_IS_NOT_FINITE] = "float",
        [YAML_IS_MERGE] = "merge"};
    return names[kind];
}

/* ---- numbers -----------------------------------------------------------------------------------
 */

/* Underscores may stand anywhere behind the first character, behind a point between digits only. */
static vs_span without_underscores(vs_arena *a, vs_span s)
{
    if (!memchr(s.p, '_', s.n))
        return s;
    for (size_t i = 1; s.p[0] == '.' && i < s.n; i++)
        if (s.p[i] == '_' && (!is_digit(s.p[i - 1]) || i + 1 == s.n || !is_digit(s.p[i + 1])))
            return s;
    uint8_t *to = vs_alloc(a, s.n);
    size_t n = 0;
    for (size_t i = 0; to && i < s.n; i++)
        if (s.p[i] != '_')
            to[n++] = s.p[i];
    return vs_span_of(to, n);
}

/* 12, 0x1f, 0b101, 0o17, 017; 64 bits, one more without a sign. Undefined when it is none. */
static vs_val integer(vs_arena *a, vs_span s)
{
    bool sign = s.n && (s.p[0] == '-' || s.p[0] == '+'), negative = sign && s.p[0] == '-';
    s = vs_span_from(s, sign);
    unsigned base = 10;
    if (s.n > 1 && s.p[0] == '0') {
        uint8_t c = s.p[1] | 0x20;
        base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
        s = vs_span_from(s, c == 'x' || c == 'b' || c == 'o' ? 2 : 1);
    }
    uint64_t u = 0;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i], low = c | 0x20;
        unsigned digit = is_digit(c)                ? c - (unsigned)'0'
                         : low >= 'a' && low <= 'f' ? low - 'a' + 10u
                                                    : 99;
        if (digit >= base || __builtin_mul_overflow(u, base, &u) ||
            __builtin_add_overflow(u, digit, &u))
            return vs_undefined();
    }
    if (s.n == 0 || (sign && u > (uint64_t)INT64_MAX + negative))
        return vs_undefined();
    vs_val v = vs_num_of_u64(a, u);
    return negative && vs_defined(v) ? vs_num_neg(a, v) : v;
}

/* [-+]? (digits [. digits*] | . digits) [exponent]; *digits and *exponent are its parts. */
static bool is_float(vs_span s, size_t *point, size_t *exponent)
{
    size_t at = s.n && (s.p[0] == '-' || s.p[0] == '+'), before = at, after;
    while (at < s.n && is_digit(s.p[at]))
        at++;
    before = at - before;
    *point = at;
    at += at < s.n && s.p[at] == '.';
    after = at;
    while (at < s.n && is_digit(s.p[at]))
        at++;
    after = at - after;
    if (before + after == 0)
        return false;
    *exponent = at;
    if (at == s.n)
        return true;
    if ((s.p[at] | 0x20) != 'e')
        return false;
    at++;
    at += at < s.n && (s.p[at] == '-' || s.p[at] == '+');
    size_t digits = at;
    while (at < s.n && is_digit(s.p[at]))
        at++;
    return at == s.n && at > digits;
}

/* A double's range bounds what is a number, not its precision. */
static vs_val floating(vs_arena *a, vs_span s)
{
    size_t point, exponent;
    if (!is_float(s, &point, &exponent))
        return vs_undefined();
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(s.n + 16);
    size_t from = s.p[0] == '-' || s.p[0] == '+';
    vs_buf_puts(&text, s.p[0] == '-' ? "-" : "");
    while (from + 1 < point && s.p[from] == '0')
        from++;
    vs_buf_puts(&text, from == point ? "0" : "");
    vs_buf_put(&text, vs_span_of(s.p + from, point - from));
    if (exponent > point + 1)
        vs_buf_put(&text, vs_span_of(s.p + point, exponent - point));
    vs_buf_put(&text, vs_span_from(s, exponent));
    if (!vs_buf_ok(&text)) {
        a->failed = true;
        return vs_undefined();
    }
    vs_error err = {0};
    vs_val v = vs_num_parse(a, vs_buf_span(&text), &err);
    if (!vs_defined(v) && (err.code != VS_E_LIMIT || text.n > VS_NUM_DIGITS))
        a->failed = true; /* memory, or more digits than a number has here */
    if (vs_defined(v))
        return isinf(vs_num_to_double(v)) ? vs_undefined() : v;
    bool tiny = exponent + 1 < s.n && s.p[exponent + 1] == '-';
    return tiny ? vs_int(0) : vs_undefined();
}

yaml_kind yaml_resolve(vs_arena *a, vs_span s, vs_val *value)
{
    for (size_t i = 0; i < VS_COUNT(words); i++)
        if (vs_span_is(s, words[i].text)) {
            yaml_kind kind = words[i].kind;
            *value = kind == YAML_IS_NULL   ? vs_null()
                     : kind == YAML_IS_BOOL ? vs_bool(words[i].value[0] == 't')
                                            : vs_cstring(words[i].value);
            return kind;
        }
    *value = vs_string(s);
    bool dot = s.p[0] == '.';
    if (!dot && !is_digit(s.p[0]) && s.p[0] != '-' && s.p[0] != '+')
        return YAML_IS_STRING;
    vs_span bare = without_underscores(a, s);
    vs_val number = dot ? vs_undefined() : integer(a, bare);
    if (vs_defined(number)) {
        *value = number;
        return YAML_IS_INT;
    }
    number = bare.n ? floating(a, bare) : vs_undefined();
    if (!vs_defined(number))
        return YAML_IS_STRING;
    *value = number;
    return YAML_IS_FLOAT;
}

/* ---- strings that look like something else -----------------------------------------------------
 */

bool yaml_is_time(vs_span s, int64_t *seconds, int *nanosecond)
{
    static const char *const layouts[] = {"2006-1-2T15:4:5.999999999Z07:00",
                                          "2006-1-2t15:4:5.999999999Z07:00",
                                          "2006-1-2 15:4:5.999999999", "2006-1-2"};
    if (s.n < 5 || s.p[4] != '-')
        return false;
    VS_CLEANUP(vs_buf_free) vs_buf why = VS_BUF(256); /* nobody asks for it */
    for (size_t i = 0; i < VS_COUNT(layouts); i++)
        if (layout_parse(vs_str(layouts[i]), s, seconds, nanosecond, &why))
            return true;
    return false;
}

/* 190:20:30.5 was a number once. */
static bool is_base_60(vs_span s)
{
    size_t at = s.n && (s.p[0] == '-' || s.p[0] == '+'), groups = 0;
    if (at == s.n || !is_digit(s.p[at]))
        return false;
    while (at < s.n && (is_digit(s.p[at]) || s.p[at] == '_'))
        at++;
    for (; at + 1 < s.n && s.p[at] == ':' && is_digit(s.p[at + 1]); groups++) {
        bool two = s.p[at + 1] <= '5' && at + 2 < s.n && is_digit(s.p[at + 2]);
        at += two ? 3 : 2;
    }
    if (at < s.n && s.p[at] == '.')
        for (at++; at < s.n && (is_digit(s.p[at]) || s.p[at] == '_');)
            at++;
    return groups > 0 && at == s.n;
}

bool yaml_is_ambiguous(vs_arena *a, vs_span s)
{
    static const char *const once_bools[] = {"y",  "Y",   "yes", "Yes", "YES", "on",
                                             "On", "ON",  "n",   "N",   "no",  "No",
                                             "NO", "off", "Off", "OFF", NULL};
    vs_val ignored;
    int64_t seconds;
    int ns;
    return yaml_resolve(a, s, &ignored) != YAML_IS_STRING || one_of(s, once_bools) ||
           is_base_60(s) || yaml_is_time(s, &seconds, &ns);
}

/* ---- writing numbers ---------------------------------------------------------------------------
 */

/* The digits without zeros in front or behind, and the exponent of the first. */
static size_t digits_of(vs_span text, char *digits, int64_t *exponent)
{
    size_t n = 0, point = 0;
    bool seen_point = false;
    *exponent = -1;
    for (size_t i = text.p[0] == '-'; i < text.n; i++) {
        if (text.p[i] == '.') {
            seen_point = true;
        } else if (text.p[i] == 'e') {
            int64_t e = 0;
            bool negative = text.p[i + 1] == '-';
            for (i += 2; i < text.n; i++)
                e = 10 * e + (text.p[i] - '0');
            *exponent += negative ? -e : e;
        } else {
            if (n > 0 || text.p[i] != '0')
                digits[n++] = (char)text.p[i];
            point += !seen_point && n > 0;
            *exponent -= seen_point && n == 0;
        }
    }
    *exponent += (int64_t)point;
    while (n > 0 && digits[n - 1] == '0')
        n--;
    return n;
}

void rego_put_number_g(vs_buf *out, vs_arena *a, vs_val n)
{
    int64_t exponent;
    vs_span text = vs_num_text(a, n);
    char *digits = vs_alloc(a, text.n + 1);
    if (!digits || text.n == 0) {
        out->failed = true;
        return;
    }
    size_t count = digits_of(text, digits, &exponent);
    if (count == 0 || (exponent >= -4 && exponent < 6)) {
        vs_buf_put(out, text);
        return;
    }
    vs_buf_printf(out, "%s%c", text.p[0] == '-' ? "-" : "", digits[0]);
    if (count > 1)
        vs_buf_printf(out, ".%.*s", (int)count - 1, digits + 1);
    vs_buf_printf(out, "e%c%02lld", exponent < 0 ? '-' : '+',
                  (long long)(exponent < 0 ? -exponent : exponent));
}

void rego_put_yaml_number(vs_buf *out, vs_arena *a, vs_val n)
{
    bool whole = vs_is_int(n);
    if (!whole && vs_num_is_integer(n) && vs_num_sign(n) > 0)
        whole = vs_num_cmp(n, vs_num_of_u64(a, UINT64_MAX)) <= 0;
    vs_span text = whole ? vs_num_text(a, n) : (vs_span){0};
    if (whole)
        vs_buf_put(out, text);
    else
        rego_put_number_g(out, a, n);
    out->failed |= whole && text.n == 0;
}
