/* SPDX-License-Identifier: Apache-2.0 */
#include "value/toml_text.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/enc.h"
#include "value/number.h"

/* ---- positions and errors -------------------------------------------------------------------- */

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_bare(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

size_t toml_line_of(const toml *t, size_t at)
{
    size_t line = 1;
    for (size_t i = 0; i < at && i < t->in.n; i++)
        line += t->in.p[i] == '\n';
    return line;
}

static size_t column_of(const toml *t, size_t at)
{
    size_t column = 1;
    for (size_t i = at; i > 0 && t->in.p[i - 1] != '\n'; i--)
        column += (t->in.p[i - 1] & 0xc0) != 0x80;
    return column;
}

vs_code toml_fail(const toml *t, size_t at, const char *fmt, ...)
{
    char what[512];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return vs_fail(t->err, VS_E_PARSE, "line %zu, column %zu: %s", toml_line_of(t, at),
                   column_of(t, at), what);
}

/* "found ..." for messages: a character as text, or what stands there instead. */
static const char *found(const toml *t, char out[16])
{
    uint8_t c = toml_peek(t, 0);
    if (toml_at_end(t))
        return "the end of the text";
    if (c == '\n' || c == '\r')
        return "the end of the line";
    if (c < 0x80)
        (void)snprintf(out, 16, "'%c'", c);
    else
        (void)snprintf(out, 16, "byte %02x", c);
    return out;
}

static vs_code check_utf8(const toml *t)
{
    if (vs_utf8_ok(t->in))
        return VS_OK;
    size_t at = 0;
    while (at < t->in.n) { /* the first character that breaks it */
        size_t n = t->in.p[at] < 0x80 ? 1 : t->in.p[at] < 0xe0 ? 2 : t->in.p[at] < 0xf0 ? 3 : 4;
        if (n > t->in.n - at || !vs_utf8_ok(vs_span_of(t->in.p + at, n)))
            break;
        at += n;
    }
    return toml_fail(t, at, "the text is not UTF-8");
}

vs_code toml_check_text(const toml *t)
{
    VS_TRY(check_utf8(t));
    for (size_t i = 0; i < t->in.n; i++) {
        uint8_t c = t->in.p[i];
        bool crlf = c == '\r' && i + 1 < t->in.n && t->in.p[i + 1] == '\n';
        if ((c < 0x20 && c != '\t' && c != '\n' && !crlf) || c == 0x7f)
            return toml_fail(t, i, "the control character U+%04X is not allowed", c);
    }
    return VS_OK;
}

void toml_blank(toml *t)
{
    while (toml_peek(t, 0) == ' ' || toml_peek(t, 0) == '\t')
        t->at++;
}

static void skip_comment(toml *t)
{
    if (toml_peek(t, 0) != '#')
        return;
    while (!toml_at_end(t) && toml_peek(t, 0) != '\n' && toml_peek(t, 0) != '\r')
        t->at++;
}

static bool skip_newline(toml *t)
{
    if (toml_peek(t, 0) == '\r') /* toml_check_text: always followed by LF */
        t->at++;
    if (toml_peek(t, 0) != '\n')
        return false;
    t->at++;
    return true;
}

vs_code toml_line_end(toml *t)
{
    char what[16];
    toml_blank(t);
    skip_comment(t);
    if (toml_at_end(t) || skip_newline(t))
        return VS_OK;
    return toml_fail(t, t->at, "expected the end of the line, found %s", found(t, what));
}

void toml_skip_lines(toml *t)
{
    do {
        toml_blank(t);
        skip_comment(t);
    } while (skip_newline(t));
}

/* ---- strings --------------------------------------------------------------------------------- */

static int hex_digit(uint8_t c)
{
    return is_digit(c)              ? c - '0'
           : (c >= 'a' && c <= 'f') ? c - 'a' + 10
           : (c >= 'A' && c <= 'F') ? c - 'A' + 10
                                    : -1;
}

static vs_code unicode_escape(toml *t, unsigned digits, vs_buf *out)
{
    size_t start = t->at;
    uint32_t cp = 0;
    for (unsigned i = 0; i < digits; i++, t->at++) {
        int d = hex_digit(toml_peek(t, 0));
        if (d < 0)
            return toml_fail(t, t->at, "a Unicode escape needs %u hexadecimal digits", digits);
        cp = cp << 4 | (uint32_t)d;
    }
    if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
        return toml_fail(t, start, "U+%X is not a Unicode character", cp);
    uint8_t text[4];
    vs_buf_put(out, vs_span_of(text, vs_utf8_put(text, cp)));
    return VS_OK;
}

/* A backslash at a line's end swallows all white space up to the next other character. */
static bool line_continuation(toml *t)
{
    size_t back = t->at;
    toml_blank(t);
    if (!skip_newline(t)) {
        t->at = back;
        return false;
    }
    do
        toml_blank(t);
    while (skip_newline(t));
    return true;
}

static vs_code escape(toml *t, bool multi, vs_buf *out)
{
    static const char plain[][2] = {{'b', '\b'}, {'t', '\t'}, {'n', '\n'}, {'f', '\f'},
                                    {'r', '\r'}, {'"', '"'},  {'\\', '\\'}};
    size_t start = t->at++; /* the backslash */
    if (multi && line_continuation(t))
        return VS_OK;
    uint8_t c = toml_peek(t, 0);
    for (size_t i = 0; i < VS_COUNT(plain); i++)
        if (c == (uint8_t)plain[i][0]) {
            vs_buf_putc(out, plain[i][1]);
            t->at++;
            return VS_OK;
        }
    if (c != 'u' && c != 'U')
        return toml_fail(t, start,
                         "unknown escape in a string (known: \\b \\t \\n \\f \\r \\\" "
                         "\\\\ \\uXXXX \\UXXXXXXXX)");
    t->at++;
    return unicode_escape(t, c == 'u' ? 4 : 8, out);
}

/* How many of `quote` stand at the cursor. */
static size_t quotes(const toml *t, uint8_t quote)
{
    size_t n = 0;
    while (toml_peek(t, n) == quote)
        n++;
    return n;
}

static vs_code single_line(toml *t, uint8_t quote, vs_buf *out)
{
    size_t start = t->at++;
    for (;;) {
        uint8_t c = toml_peek(t, 0);
        if (toml_at_end(t) || c == '\n' || c == '\r')
            return toml_fail(t, start, "the string is not closed on its line");
        if (c == quote) {
            t->at++;
            return VS_OK;
        }
        if (c == '\\' && quote == '"') {
            VS_TRY(escape(t, false, out));
            continue;
        }
        vs_buf_putc(out, (char)c);
        t->at++;
    }
}

static vs_code multi_line(toml *t, uint8_t quote, vs_buf *out)
{
    size_t start = t->at;
    t->at += 3;
    (void)skip_newline(t); /* one right behind the opening is not part of the string */
    while (!toml_at_end(t)) {
        size_t n = quotes(t, quote);
        if (n >= 6)
            return toml_fail(t, t->at, "too many quotes at the end of a string");
        if (n >= 3) { /* up to two more may belong to the text */
            for (size_t i = 3; i < n; i++)
                vs_buf_putc(out, (char)quote);
            t->at += n;
            return VS_OK;
        }
        if (quote == '"' && toml_peek(t, 0) == '\\') {
            VS_TRY(escape(t, true, out));
            continue;
        }
        vs_buf_putc(out, (char)toml_peek(t, 0));
        t->at++;
    }
    return toml_fail(t, start, "the string is not closed");
}

static vs_code string(toml *t, bool multi_allowed, vs_span *out)
{
    uint8_t quote = toml_peek(t, 0);
    bool multi = quotes(t, quote) >= 3;
    if (multi && !multi_allowed)
        return toml_fail(t, t->at, "a key cannot be a multi-line string");
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(t->in.n + 1);
    VS_TRY(multi ? multi_line(t, quote, &text) : single_line(t, quote, &text));
    VS_TRY(vs_buf_check(&text, t->err));
    *out = vs_dup(t->a, vs_buf_span(&text));
    return vs_arena_check(t->a, t->err);
}

vs_code toml_key_part(toml *t, vs_span *out)
{
    char what[16];
    if (toml_peek(t, 0) == '"' || toml_peek(t, 0) == '\'')
        return string(t, false, out);
    size_t start = t->at;
    while (is_bare(toml_peek(t, 0)))
        t->at++;
    if (t->at == start)
        return toml_fail(t, start, "expected a key, found %s", found(t, what));
    *out = vs_dup(t->a, vs_span_of(t->in.p + start, t->at - start));
    return vs_arena_check(t->a, t->err);
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* Takes digit (_? digit)* from the front of `s` and appends the digits to `out`. */
static bool digits(vs_span *s, vs_buf *out)
{
    size_t i = 0;
    while (i < s->n && (is_digit(s->p[i]) || (s->p[i] == '_' && i > 0 && s->p[i - 1] != '_'))) {
        if (s->p[i] != '_')
            vs_buf_putc(out, (char)s->p[i]);
        i++;
    }
    bool ok = i > 0 && s->p[i - 1] != '_';
    *s = vs_span_from(*s, i);
    return ok;
}

static bool take(vs_span *s, char c)
{
    if (s->n == 0 || s->p[0] != (uint8_t)c)
        return false;
    *s = vs_span_from(*s, 1);
    return true;
}

/* TOML's decimal grammar into JSON's: without underscores and plus sign. */
static bool decimal(vs_span s, vs_buf *json, bool *is_float)
{
    *is_float = false;
    if (take(&s, '-'))
        vs_buf_putc(json, '-');
    else
        (void)take(&s, '+');
    if (s.n > 1 && s.p[0] == '0' && (is_digit(s.p[1]) || s.p[1] == '_'))
        return false;
    if (!digits(&s, json))
        return false;
    if (take(&s, '.')) {
        *is_float = true;
        vs_buf_putc(json, '.');
        if (!digits(&s, json))
            return false;
    }
    if (take(&s, 'e') || take(&s, 'E')) {
        *is_float = true;
        vs_buf_putc(json, 'e');
        if (take(&s, '-'))
            vs_buf_putc(json, '-');
        else
            (void)take(&s, '+');
        if (!digits(&s, json))
            return false;
    }
    return s.n == 0;
}

static vs_code decimal_value(toml *t, size_t at, vs_span s, vs_val *out)
{
    VS_CLEANUP(vs_buf_free) vs_buf json = VS_BUF(s.n + 1);
    bool is_float;
    if (!decimal(s, &json, &is_float))
        return toml_fail(t, at, "\"%.*s\" is not a value (a string needs quotes)",
                         VS_FMT(vs_span_head(s, 80)));
    VS_TRY(vs_buf_check(&json, t->err));
    *out = vs_num_parse(t->a, vs_buf_span(&json), t->err);
    VS_TRY(vs_arena_check(t->a, t->err));
    if (!vs_defined(*out))
        return toml_fail(t, at, "the number %.*s is too large or too precise",
                         VS_FMT(vs_span_head(s, 80)));
    if (!is_float && !vs_is_int(*out))
        return toml_fail(t, at, "the integer %.*s does not fit 64 bits",
                         VS_FMT(vs_span_head(s, 80)));
    return VS_OK;
}

/* 0x, 0o, 0b: no sign, lower-case prefix, digits either case. */
static vs_code radix_value(toml *t, size_t at, vs_span s, unsigned bits, vs_val *out)
{
    uint64_t v = 0;
    bool after_digit = false, over = false;
    for (size_t i = 2; i < s.n; i++) {
        int d = hex_digit(s.p[i]);
        if (s.p[i] == '_' && after_digit && i + 1 < s.n) {
            after_digit = false;
            continue;
        }
        if (d < 0 || d >= 1 << bits)
            return toml_fail(t, at, "\"%.*s\" is not an integer in base %d",
                             VS_FMT(vs_span_head(s, 80)), 1 << bits);
        over |= v >> (63 - bits) != 0;
        v = v << bits | (uint64_t)d;
        after_digit = true;
    }
    if (!after_digit)
        return toml_fail(t, at, "\"%.*s\" has no digits", VS_FMT(vs_span_head(s, 80)));
    if (over)
        return toml_fail(t, at, "the integer %.*s does not fit 64 bits",
                         VS_FMT(vs_span_head(s, 80)));
    *out = vs_int((int64_t)v);
    return VS_OK;
}

/* ---- dates and times (RFC 3339) -------------------------------------------------------------- */

static bool two(vs_span *s, int *out, int low, int high)
{
    if (s->n < 2 || !is_digit(s->p[0]) || !is_digit(s->p[1]))
        return false;
    *out = (s->p[0] - '0') * 10 + s->p[1] - '0';
    *s = vs_span_from(*s, 2);
    return *out >= low && *out <= high;
}

static bool full_date(vs_span *s)
{
    int century, year, month, day;
    if (!two(s, &century, 0, 99) || !two(s, &year, 0, 99) || !take(s, '-') ||
        !two(s, &month, 1, 12) || !take(s, '-') || !two(s, &day, 1, 31))
        return false;
    int64_t y;
    int m, d; /* a day that the month does not have comes back as another */
    vs_date_of_days(vs_days_of_date(century * 100 + year, month, day), &y, &m, &d);
    return m == month && d == day;
}

static bool partial_time(vs_span *s)
{
    int x;
    if (!two(s, &x, 0, 23) || !take(s, ':') || !two(s, &x, 0, 59) || !take(s, ':') ||
        !two(s, &x, 0, 60))
        return false;
    if (!take(s, '.'))
        return true;
    size_t n = 0;
    while (n < s->n && is_digit(s->p[n]))
        n++;
    *s = vs_span_from(*s, n);
    return n > 0;
}

static bool offset(vs_span *s)
{
    int x;
    if (s->n == 0 || take(s, 'Z') || take(s, 'z'))
        return true; /* none: a local time */
    return (take(s, '+') || take(s, '-')) && two(s, &x, 0, 23) && take(s, ':') && two(s, &x, 0, 59);
}

static bool date_or_time(vs_span s)
{
    if (s.n > 2 && s.p[2] == ':')
        return partial_time(&s) && s.n == 0;
    if (!full_date(&s))
        return false;
    if (s.n == 0)
        return true;
    return (take(&s, 'T') || take(&s, 't') || take(&s, ' ')) && partial_time(&s) && offset(&s) &&
           s.n == 0;
}

/* ---- scalars --------------------------------------------------------------------------------- */

static bool looks_like_date(vs_span s)
{
    size_t n = 0;
    while (n < s.n && is_digit(s.p[n]))
        n++;
    return n < s.n && ((n == 4 && s.p[4] == '-') || (n == 2 && s.p[2] == ':'));
}

static void skip_word(toml *t)
{
    while (is_bare(toml_peek(t, 0)) || toml_peek(t, 0) == '+' || toml_peek(t, 0) == '.' ||
           toml_peek(t, 0) == ':')
        t->at++;
}

/* Everything up to what can follow a scalar. */
static vs_span word(toml *t)
{
    size_t start = t->at;
    skip_word(t);
    vs_span s = vs_span_of(t->in.p + start, t->at - start);
    /* "1979-05-27 07:32:00": a date may be parted from its time by one space */
    if (s.n == 10 && s.p[4] == '-' && toml_peek(t, 0) == ' ' && is_digit(toml_peek(t, 1))) {
        t->at++;
        skip_word(t);
    }
    return vs_span_of(t->in.p + start, t->at - start);
}

static vs_code word_value(toml *t, size_t at, vs_span s, vs_val *out)
{
    vs_span unsigned_part = s.n && (s.p[0] == '+' || s.p[0] == '-') ? vs_span_from(s, 1) : s;
    if (vs_span_is(s, "true") || vs_span_is(s, "false")) {
        *out = vs_bool(s.p[0] == 't');
        return VS_OK;
    }
    if (vs_span_is(unsigned_part, "inf") || vs_span_is(unsigned_part, "nan"))
        return toml_fail(t, at, "inf and nan are not supported: they have no JSON form");
    if (s.n > 1 && s.p[0] == '0' && s.p[1] == 'x')
        return radix_value(t, at, s, 4, out);
    if (s.n > 1 && s.p[0] == '0' && s.p[1] == 'o')
        return radix_value(t, at, s, 3, out);
    if (s.n > 1 && s.p[0] == '0' && s.p[1] == 'b')
        return radix_value(t, at, s, 1, out);
    if (!looks_like_date(s))
        return decimal_value(t, at, s, out);
    if (!date_or_time(s))
        return toml_fail(t, at, "\"%.*s\" is not a date or time", VS_FMT(vs_span_head(s, 80)));
    *out = vs_string_dup(t->a, s);
    return vs_arena_check(t->a, t->err);
}

vs_code toml_scalar(toml *t, vs_val *out)
{
    char what[16];
    if (toml_peek(t, 0) == '"' || toml_peek(t, 0) == '\'') {
        vs_span text;
        VS_TRY(string(t, true, &text));
        *out = vs_string(text);
        return VS_OK;
    }
    size_t start = t->at;
    vs_span s = word(t);
    if (s.n == 0)
        return toml_fail(t, start, "expected a value, found %s", found(t, what));
    return word_value(t, start, s, out);
}
