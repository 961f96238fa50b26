/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing YAML in the style of Go's library: two columns per level, sequences in mappings indented
 * as well, strings plain where that is safe, in double quotes where they would be something else,
 * texts of several lines as literal blocks.
 */
#include "base/enc.h"
#include "rego/yaml_scalar.h"
#include "rego/yaml_text.h"
#include "value/json.h"

enum { INDENT = 2, SIMPLE_KEY_MAX = 128, TEXT_MAX = 1 << 20 };

typedef struct writer {
    rego_bctx *b;
    vs_buf *out;
    rego_bres failed;
} writer;

static void indent(writer *w, unsigned column)
{
    for (unsigned i = 0; i < column; i++)
        vs_buf_putc(w->out, ' ');
}

/* ---- strings -----------------------------------------------------------------------------------
 */

typedef struct shape {
    bool many_lines; /* has a line break */
    bool no_plain, no_single, no_literal;
} shape;

static bool is_break(uint32_t c)
{
    return c == '\n' || c == '\r';
}

/* Characters that only double quotes can show. Others than those of the BMP count, too. */
static bool is_special(uint32_t c, bool many_lines)
{
    if (c == '\t')
        return !many_lines;
    bool shown = is_break(c) || (c >= 0x20 && c < 0x7f) || (c >= 0xa0 && c <= 0xfffd);
    return !shown || c == 0x2028 || c == 0x2029 || c == 0xfeff;
}

static bool starts_indicator(vs_span s)
{
    uint8_t c = s.p[0];
    bool alone = s.n == 1 || strchr(" \t\r\n", s.p[1]);
    if (vs_span_starts(s, VS_LIT("---")) || vs_span_starts(s, VS_LIT("...")))
        return true;
    return c && (strchr("#,[]{}&*!|>'\"%@`", c) || (strchr("?:-", c) && alone));
}

static shape analyse(vs_span s)
{
    shape f = {.many_lines = memchr(s.p, '\n', s.n) || memchr(s.p, '\r', s.n)};
    uint32_t before = 0;
    f.no_plain = f.many_lines || starts_indicator(s) || s.p[0] == ' ' || s.p[s.n - 1] == ' ';
    f.no_literal = s.p[s.n - 1] == ' ';
    for (size_t at = 0; at < s.n;) {
        uint32_t c = vs_utf8_next(s, &at);
        bool blank_next = at == s.n || strchr(" \t\r\n", s.p[at]);
        bool blank_before = before == ' ' || before == '\t' || is_break(before);
        if ((c == ':' && blank_next) || (c == '#' && blank_before))
            f.no_plain = true;
        if (is_special(c, f.many_lines) || (is_break(c) && before == ' '))
            f.no_plain = f.no_single = f.no_literal = true;
        if (c == ' ' && is_break(before))
            f.no_plain = f.no_single = true;
        before = c;
    }
    return f;
}

static void put_double(writer *w, vs_span s)
{
    static const struct {
        uint32_t c;
        char letter;
    } short_form[] = {{0, '0'},     {7, 'a'},    {8, 'b'},      {9, 't'},     {10, 'n'},
                      {11, 'v'},    {12, 'f'},   {13, 'r'},     {27, 'e'},    {'"', '"'},
                      {'\\', '\\'}, {0x85, 'N'}, {0x2028, 'L'}, {0x2029, 'P'}};
    vs_buf_putc(w->out, '"');
    for (size_t at = 0; at < s.n;) {
        size_t from = at, i = 0;
        uint32_t c = vs_utf8_next(s, &at);
        while (i < VS_COUNT(short_form) && short_form[i].c != c)
            i++;
        if (i < VS_COUNT(short_form))
            vs_buf_printf(w->out, "\\%c", short_form[i].letter);
        else if (!is_special(c, false))
            vs_buf_put(w->out, vs_span_of(s.p + from, at - from));
        else
            vs_buf_printf(w->out, "\\%c%0*X",
                          c < 0x100     ? 'x'
                          : c < 0x10000 ? 'u'
                                        : 'U',
                          c < 0x100     ? 2
                          : c < 0x10000 ? 4
                                        : 8,
                          (unsigned)c);
    }
    vs_buf_putc(w->out, '"');
}

static void put_single(writer *w, vs_span s)
{
    vs_buf_putc(w->out, '\'');
    for (size_t i = 0; i < s.n; i++) {
        vs_buf_putc(w->out, (char)s.p[i]);
        if (s.p[i] == '\'')
            vs_buf_putc(w->out, '\'');
    }
    vs_buf_putc(w->out, '\'');
}

/* Ends after the last line, without its line break, so that the caller's is it. */
static void put_literal(writer *w, vs_span s, unsigned column)
{
    size_t end = s.n - 1;
    bool keeps = is_break(s.p[end]) && (end == 0 || is_break(s.p[end - 1]));
    vs_buf_putc(w->out, '|');
    if (s.p[0] == ' ' || is_break(s.p[0]))
        vs_buf_printf(w->out, "%d", INDENT);
    vs_buf_puts(w->out, !is_break(s.p[end]) ? "-" : keeps ? "+" : "");
    if (is_break(s.p[end]))
        s = vs_span_head(s, end);
    vs_buf_putc(w->out, '\n');
    for (bool more = true; more;) {
        vs_span line = vs_span_cut(s, '\n', &s, &more);
        if (line.n) {
            indent(w, column);
            vs_buf_put(w->out, line);
        }
        if (more)
            vs_buf_putc(w->out, '\n');
    }
}

/* `column`: of the lines of a block. */
static void put_string(writer *w, vs_span s, unsigned column)
{
    if (!rego_charge(w->b, s.n / 4)) {
        w->failed = REGO_B_LIMIT;
        return;
    }
    if (s.n == 0 || yaml_is_ambiguous(w->b->a, s)) {
        put_double(w, s);
        return;
    }
    shape f = analyse(s);
    if (memchr(s.p, '\n', s.n) && !f.no_literal && !memchr(s.p, '\r', s.n)) {
        put_literal(w, s, column);
        return;
    }
    if (!f.no_plain)
        vs_buf_put(w->out, s);
    else if (!f.no_single && !f.many_lines)
        put_single(w, s);
    else
        put_double(w, s);
}

/* ---- values ------------------------------------------------------------------------------------
 */

static void put_value(writer *w, vs_val v, unsigned column);

/* The members of a sequence or mapping start where the cursor is, in `column`. */
static void put_sequence(writer *w, vs_val v, unsigned column)
{
    for (uint32_t i = 0; i < v.len; i++) {
        if (i)
            indent(w, column);
        vs_buf_puts(w->out, "- ");
        put_value(w, v.u.items[i], column + INDENT);
    }
}

/* A collection below its key, on lines of its own. */
static void put_below(writer *w, vs_val v, unsigned column)
{
    if (!vs_is_collection(v) || v.len == 0) {
        vs_buf_putc(w->out, ' ');
        put_value(w, v, column + INDENT);
        return;
    }
    vs_buf_putc(w->out, '\n');
    indent(w, column + INDENT);
    put_value(w, v, column + INDENT);
}

static void put_member(writer *w, vs_val key, vs_val val, unsigned column)
{
    vs_span s = vs_text(key);
    if (s.n <= SIMPLE_KEY_MAX && !(s.n && (memchr(s.p, '\n', s.n) || memchr(s.p, '\r', s.n)))) {
        put_string(w, s, column + INDENT);
        vs_buf_putc(w->out, ':');
        put_below(w, val, column);
        return;
    }
    vs_buf_puts(w->out, "? ");
    put_string(w, s, column + INDENT);
    vs_buf_putc(w->out, '\n');
    indent(w, column);
    vs_buf_puts(w->out, ": ");
    put_value(w, val, column + INDENT);
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
    return c >= 0x80 || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* Whether the digits before place i of s are not all zeros. */
static bool counts_before(vs_span s, size_t i)
{
    while (i > 0 && is_digit(s.p[i - 1]))
        if (s.p[--i] != '0')
            return true;
    return false;
}

static uint64_t number_at(vs_span s, size_t *at, uint64_t n)
{
    for (; *at < s.n && is_digit(s.p[*at]); ++*at)
        n = n * 10 + (s.p[*at] - '0');
    return n;
}

/* Natural order: numbers by value, letters behind everything else. */
static bool key_less(vs_span x, vs_span y)
{
    bool digits = false;
    for (size_t i = 0; i < x.n && i < y.n; i++) {
        uint8_t a = x.p[i], b = y.p[i];
        if (a == b) {
            digits = is_digit(a);
            continue;
        }
        bool letter_a = is_letter(a), letter_b = is_letter(b);
        if (letter_a && letter_b)
            return a < b;
        if (letter_a || letter_b)
            return digits ? letter_a : letter_b;
        uint64_t start = (a == '0' || b == '0') && counts_before(x, i);
        size_t end_a = i, end_b = i;
        uint64_t n = number_at(x, &end_a, start), m = number_at(y, &end_b, start);
        if (n != m)
            return n < m;
        return end_a != end_b ? end_a < end_b : a < b;
    }
    return x.n < y.n;
}

static vs_val text_of(writer *w, vs_val key)
{
    if (key.kind == VS_STRING) {
        vs_span s = vs_utf8_scrub(w->b->a, vs_text(key));
        return vs_string(s);
    }
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    vs_json_print(&text, key);
    if (!vs_buf_ok(&text))
        w->failed = REGO_B_LIMIT;
    return vs_string_dup(w->b->a, vs_buf_span(&text));
}

static void merge_sorted(vs_pair *to, const vs_pair *from, size_t n)
{
    size_t half = n / 2, i = 0, j = half;
    for (size_t k = 0; k < n; k++) {
        bool right = i == half || (j < n && key_less(vs_text(from[j].key), vs_text(from[i].key)));
        to[k] = right ? from[j++] : from[i++];
    }
}

static void sort_keys(vs_pair *p, vs_pair *space, size_t n)
{
    if (n < 2)
        return;
    sort_keys(p, space, n / 2);
    sort_keys(p + n / 2, space + n / 2, n - n / 2);
    memcpy(space, p, n * sizeof *p);
    merge_sorted(p, space, n);
}

static void put_mapping(writer *w, vs_val v, unsigned column)
{
    vs_pair *p = vs_alloc_array(w->b->a, v.len, 2 * sizeof *p);
    if (!p || !rego_charge(w->b, v.len)) {
        w->failed = REGO_B_LIMIT;
        return;
    }
    for (uint32_t i = 0; i < v.len; i++)
        p[i] = (vs_pair){text_of(w, v.u.pairs[i].key), v.u.pairs[i].val};
    sort_keys(p, p + v.len, v.len);
    for (uint32_t i = 0; i < v.len && w->failed == REGO_B_OK; i++) {
        if (i)
            indent(w, column);
        put_member(w, p[i].key, p[i].val, column);
    }
}

/* With the line break that ends it. */
static void put_value(writer *w, vs_val v, unsigned column)
{
    if (w->failed != REGO_B_OK || !vs_arena_ok(w->b->a) || !vs_buf_ok(w->out))
        return;
    if (vs_is_collection(v) && v.len) {
        if (v.kind == VS_OBJECT)
            put_mapping(w, v, column);
        else
            put_sequence(w, v, column);
        return;
    }
    if (vs_is_collection(v))
        vs_buf_puts(w->out, v.kind == VS_OBJECT ? "{}" : "[]");
    else if (v.kind == VS_STRING)
        put_string(w, vs_text(text_of(w, v)), column ? column : INDENT);
    else if (v.kind == VS_NUMBER)
        rego_put_yaml_number(w->out, w->b->a, v);
    else
        vs_json_print(w->out, v);
    vs_buf_putc(w->out, '\n');
}

/* Control characters that JSON leaves as they are cannot be in a YAML text. */
static bool has_control(vs_val v)
{
    vs_span s = vs_text(v);
    for (size_t at = 0; at < s.n;) {
        uint32_t c = vs_utf8_next(s, &at);
        if (c == 0x7f || (c >= 0x80 && c < 0xa0 && c != 0x85) || c == 0xfffe || c == 0xffff)
            return true;
    }
    if (v.kind == VS_ARRAY || v.kind == VS_SET)
        for (VS_ARR_FOR (x, v))
            if (has_control(*x))
                return true;
    if (v.kind == VS_OBJECT)
        for (VS_OBJ_FOR (p, v))
            if (has_control(p->key) || has_control(p->val))
                return true;
    return false;
}

rego_bres rego_yaml_print(rego_bctx *b, vs_val v, vs_buf *out)
{
    writer w = {.b = b, .out = out};
    if (!rego_charge(b, vs_weight(v)))
        return REGO_B_LIMIT;
    if (has_control(v))
        return rego_error(b, "yaml: control characters are not allowed");
    put_value(&w, v, 0);
    if (!vs_buf_ok(out) || !vs_arena_ok(b->a))
        return REGO_B_LIMIT;
    return w.failed;
}
