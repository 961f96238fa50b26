/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glob.match, glob.quote_meta, regex.template_match (rego.md 10.5). Globs and templates become
 * regular expressions, so all matching is linear in the text.
 */
#include "base/enc.h"
#include "rego/builtins.h"
#include "rego/regex_re2.h"

enum { GLOB_MAX = 1024, BRACES_MAX = 32, REGEX_MAX = 64 * 1024 };

static bool is_special(uint8_t c)
{
    return c < 0x80 && c && strchr("\\.+*?()|[]{}^$-", c);
}

void rego_regex_quote(vs_buf *out, vs_span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (is_special(text.p[i]))
            vs_buf_putc(out, '\\');
        vs_buf_putc(out, (char)text.p[i]);
    }
}

/* ---- globs -------------------------------------------------------------------------------------
 */

typedef struct translator {
    vs_span glob;
    size_t at;
    vs_buf *out;
    const char *any; /* one character that is no delimiter */
    unsigned braces;
} translator;

static void put_member(translator *t, uint32_t cp)
{
    vs_buf_printf(t->out, "\\x{%x}", cp);
}

/* The range lo-hi, behind the '-': alone in its class. */
static bool put_range(translator *t, uint32_t lo)
{
    if (t->at >= t->glob.n)
        return false;
    uint32_t hi = vs_utf8_next(t->glob, &t->at);
    if (hi < lo || t->at >= t->glob.n || t->glob.p[t->at] != ']')
        return false;
    put_member(t, lo);
    vs_buf_putc(t->out, '-');
    put_member(t, hi);
    return true;
}

/* Members one by one up to the ']', a '-' among them. */
static bool put_members(translator *t)
{
    while (t->at < t->glob.n && t->glob.p[t->at] != ']') {
        t->at += t->glob.p[t->at] == '\\';
        if (t->at >= t->glob.n)
            return false;
        put_member(t, vs_utf8_next(t->glob, &t->at));
    }
    return t->at < t->glob.n;
}

/* [abc], [a-c], [!abc]: a list or one range. */
static bool put_class(translator *t)
{
    bool negated = t->at < t->glob.n && t->glob.p[t->at] == '!';
    t->at += negated;
    size_t behind = t->at;
    if (t->at >= t->glob.n || t->glob.p[t->at] == ']')
        return false;
    uint32_t first = vs_utf8_next(t->glob, &behind);
    bool range = behind < t->glob.n && t->glob.p[behind] == '-';
    vs_buf_puts(t->out, negated ? "[^" : "[");
    if (range)
        t->at = behind + 1;
    if (range ? !put_range(t, first) : !put_members(t))
        return false;
    vs_buf_putc(t->out, ']');
    t->at++;
    return true;
}

static bool put_char(translator *t, uint8_t c)
{
    switch (c) {
    case '*':
        if (t->at < t->glob.n && t->glob.p[t->at] == '*') {
            while (t->at < t->glob.n && t->glob.p[t->at] == '*')
                t->at++;
            vs_buf_puts(t->out, ".*");
        } else {
            vs_buf_printf(t->out, "%s*", t->any);
        }
        return true;
    case '?': vs_buf_puts(t->out, t->any); return true;
    case '[': return put_class(t);
    case '{': vs_buf_puts(t->out, "(?:"); return ++t->braces <= BRACES_MAX;
    case '}':
        vs_buf_puts(t->out, t->braces ? ")" : "\\}");
        t->braces -= t->braces > 0;
        return true;
    case ',': vs_buf_putc(t->out, t->braces ? '|' : ','); return true;
    case '\\':
        if (t->at == t->glob.n)
            return false;
        c = t->glob.p[t->at++];
        __attribute__((fallthrough));
    default: rego_regex_quote(t->out, vs_span_of(&c, 1)); return true;
    }
}

/* The glob as an anchored pattern; false when it is malformed. */
static bool translate(vs_span glob, const char *any, vs_buf *out)
{
    translator t = {.glob = glob, .out = out, .any = any};
    vs_buf_puts(out, "(?s)^");
    while (t.at < glob.n)
        if (!put_char(&t, glob.p[t.at++]))
            return false;
    vs_buf_putc(out, '$');
    return t.braces == 0;
}

/* The class of all characters but the delimiters; [] means ".", null means none. */
static rego_bres read_delimiters(rego_bctx *b, vs_val v, vs_buf *any)
{
    if (v.kind == VS_NULL) {
        vs_buf_putc(any, '.');
        return REGO_B_OK;
    }
    if (v.kind != VS_ARRAY)
        return rego_type_error(b, 2, "one of {array, null}", v);
    vs_buf_puts(any, v.len ? "[^" : "[^\\.");
    for (VS_ARR_FOR (d, v)) {
        size_t at = 0;
        if (d->kind != VS_STRING)
            return rego_type_error(b, 2, "array of strings", *d);
        if (d->len)
            (void)vs_utf8_next(vs_text(*d), &at);
        if (d->len == 0 || at != d->len) {
            (void)rego_error(b, "operand 2 must be array of single characters");
            return REGO_B_TYPE;
        }
        rego_regex_quote(any, vs_text(*d));
    }
    vs_buf_putc(any, ']');
    return REGO_B_OK;
}

static rego_bres match_whole(rego_bctx *b, const vs_buf *pattern, vs_span text, vs_val *out)
{
    const rego_regex *re;
    rego_match m;
    if (!vs_buf_ok(pattern) || !rego_charge(b, text.n / 4))
        return REGO_B_LIMIT;
    rego_bres res = rego_regex_get(b, vs_buf_span(pattern), &re);
    text = vs_utf8_scrub(b->a, text); /* a byte that is not UTF-8 is a character */
    if (!vs_arena_ok(b->a))
        return REGO_B_LIMIT;
    if (res == REGO_B_OK)
        *out = vs_bool(rego_regex_match(re, (const char *)text.p, text.n, 0, &m, 1));
    return res;
}

rego_bres rego_bi_glob_match(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    VS_CLEANUP(vs_buf_free) vs_buf any = VS_BUF(REGEX_MAX), pattern = VS_BUF(REGEX_MAX);
    REGO_WANT(0, VS_STRING);
    rego_bres res = read_delimiters(b, args[1], &any);
    if (res != REGO_B_OK)
        return res;
    vs_buf_putc(&any, 0);
    REGO_WANT(2, VS_STRING);
    if (args[0].len > GLOB_MAX || !vs_buf_ok(&any))
        return REGO_B_LIMIT;
    if (!translate(vs_text(args[0]), (const char *)any.p, &pattern))
        return rego_error(b, "could not parse glob pattern");
    return match_whole(b, &pattern, vs_text(args[2]), out);
}

rego_bres rego_bi_glob_quote_meta(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(1 << 20);
    REGO_WANT(0, VS_STRING);
    vs_span s = vs_text(args[0]);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] && s.p[i] < 0x80 && strchr("*?\\[]{}", s.p[i]))
            vs_buf_putc(&text, '\\');
        vs_buf_putc(&text, (char)s.p[i]);
    }
    if (!vs_buf_ok(&text) || !rego_charge(b, s.n / 8))
        return REGO_B_LIMIT;
    *out = vs_string_dup(b->a, vs_buf_span(&text));
    return REGO_B_OK;
}

/* ---- templates: "urn:foo:<.*>" ------------------------------------------------------------------
 */

/* The end of the part that starts behind an opening delimiter; they may nest. SIZE_MAX = none. */
static size_t closing(vs_span s, size_t at, uint8_t open, uint8_t close)
{
    for (unsigned level = 1; at < s.n; at++) {
        if (s.p[at] == close && --level == 0)
            return at;
        level += s.p[at] == open;
    }
    return SIZE_MAX;
}

rego_bres rego_bi_template_match(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    VS_CLEANUP(vs_buf_free) vs_buf pattern = VS_BUF(REGEX_MAX);
    static const char *const names[] = {"", "", "start", "end"};
    for (unsigned i = 0; i < n; i++)
        REGO_WANT(i, VS_STRING);
    for (unsigned i = 2; i < n; i++)
        if (args[i].len != 1)
            return rego_error(b, "%s delimiter has to be exactly one character long but is %u long",
                              names[i], args[i].len);
    vs_span s = vs_text(args[0]);
    uint8_t open = vs_text(args[2]).p[0], close = vs_text(args[3]).p[0];
    if (s.n > GLOB_MAX * 4)
        return REGO_B_LIMIT;
    vs_buf_putc(&pattern, '^');
    for (size_t at = 0; at < s.n;) {
        size_t end = s.p[at] == open ? closing(s, at + 1, open, close) : at;
        if (end == SIZE_MAX || (s.p[at] == close && s.p[at] != open))
            return rego_error(b, "unbalanced braces in \"%.*s\"", VS_FMT(vs_span_head(s, 80)));
        if (s.p[at] == open) {
            const rego_regex *part; /* each part must be a pattern on its own */
            vs_span inner = vs_span_of(s.p + at + 1, end - at - 1);
            rego_bres res = rego_regex_get(b, inner, &part);
            if (res != REGO_B_OK)
                return res;
            vs_buf_printf(&pattern, "(%.*s)", VS_FMT(inner));
        } else {
            rego_regex_quote(&pattern, vs_span_of(s.p + at, 1));
        }
        at = end + 1;
    }
    vs_buf_putc(&pattern, '$');
    return match_whole(b, &pattern, vs_text(args[1]), out);
}
