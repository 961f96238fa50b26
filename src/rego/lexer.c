/* SPDX-License-Identifier: Apache-2.0 */
#include "rego/lexer.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/enc.h"

enum { LINES_MAX = 65536 };

void comp_error(compilation *c, rego_errcode code, const module *m, const loc *at, const char *fmt,
                ...)
{
    if (c->failed)
        return;
    c->failed = true;
    c->diag = (rego_diag){.code = code, .row = at ? at->row : 0, .col = at ? at->col : 0};
    (void)snprintf(c->diag.file, sizeof c->diag.file, "%s", m && m->name ? m->name : "");
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(c->diag.message, sizeof c->diag.message, fmt, ap);
    va_end(ap);
}

void lexer_init(lexer *l, compilation *c, const module *mod, vs_span text)
{
    *l = (lexer){.c = c, .mod = mod, .in = text, .row = 1};
}

static int peek(const lexer *l, size_t ahead)
{
    return l->at + ahead < l->in.n ? l->in.p[l->at + ahead] : -1;
}

static loc here(const lexer *l, size_t start)
{
    return (loc){.row = l->row,
                 .col = (uint32_t)(start - l->line_start + 1),
                 .start = (uint32_t)start,
                 .end = (uint32_t)l->at};
}

static token fail(lexer *l, size_t start, const char *what)
{
    loc at = here(l, start);
    comp_error(l->c, REGO_PARSE_ERROR, l->mod, &at, "%s", what);
    l->at = l->in.n;
    return (token){.kind = TOK_EOF, .at = at};
}

static void new_line(lexer *l)
{
    l->row++;
    l->line_start = l->at;
    if (l->row > LINES_MAX)
        (void)fail(l, l->at, "too many lines");
}

/* Skips white space and comments; tells what it skipped. */
static void skip_space(lexer *l, bool *newline, bool *space)
{
    for (;; *space = true) {
        int c = peek(l, 0);
        if (c == '#') {
            while (l->at < l->in.n && peek(l, 0) != '\n')
                l->at++;
        } else if (c == ' ' || c == '\t' || c == '\r') {
            l->at++;
        } else if (c == '\n') {
            l->at++;
            *newline = true;
            new_line(l);
        } else {
            return;
        }
    }
}

static bool is_word_start(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static token lex_word(lexer *l)
{
    size_t start = l->at;
    while (is_word_start(peek(l, 0)) || is_digit(peek(l, 0)))
        l->at++;
    return (token){.kind = TOK_IDENT,
                   .at = here(l, start),
                   .text = vs_span_of(l->in.p + start, l->at - start)};
}

static token lex_number(lexer *l)
{
    size_t start = l->at;
    while (is_digit(peek(l, 0)))
        l->at++;
    if (peek(l, 0) == '.' && is_digit(peek(l, 1))) {
        l->at++;
        while (is_digit(peek(l, 0)))
            l->at++;
    }
    if (peek(l, 0) == 'e' || peek(l, 0) == 'E') {
        size_t sign = peek(l, 1) == '+' || peek(l, 1) == '-';
        if (!is_digit(peek(l, 1 + sign)))
            return fail(l, l->at, "a number's exponent has no digits");
        l->at += 1 + sign;
        while (is_digit(peek(l, 0)))
            l->at++;
    }
    if (is_word_start(peek(l, 0)))
        return fail(l, l->at, "illegal number format");
    return (token){.kind = TOK_NUMBER,
                   .at = here(l, start),
                   .text = vs_span_of(l->in.p + start, l->at - start)};
}

/* Back-quoted text: no escapes, may span lines. */
static token lex_raw(lexer *l, size_t start, tok_kind kind)
{
    loc at = here(l, start);
    size_t from = ++l->at;
    while (l->at < l->in.n && peek(l, 0) != '`') {
        if (l->in.p[l->at++] == '\n')
            new_line(l);
    }
    if (l->at >= l->in.n)
        return fail(l, start, "non-terminated raw string");
    vs_span text = vs_span_of(l->in.p + from, l->at - from);
    l->at++;
    at.end = (uint32_t)l->at;
    if (!vs_utf8_ok(text))
        return fail(l, start, "a string is not UTF-8");
    return (token){.kind = kind, .at = at, .text = text, .raw = true};
}

static int hex4(vs_span in, size_t at)
{
    int v = 0;
    for (size_t i = 0; i < 4; i++) {
        int c = at + i < in.n ? in.p[at + i] : -1, low = c | 0x20;
        int d = is_digit(c) ? c - '0' : low >= 'a' && low <= 'f' && c > 0 ? low - 'a' + 10 : -1;
        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

bool lexer_unescape(vs_span in, size_t *at, uint8_t **o)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    int c = *at < in.n ? in.p[*at] : -1;
    ++*at;
    if (c != 'u') {
        const char *k = c > 0 ? strchr(from, c) : NULL;
        if (k)
            *(*o)++ = (uint8_t)to[k - from];
        return k != NULL;
    }
    int hi = hex4(in, *at);
    if (hi < 0)
        return false;
    *at += 4;
    uint32_t cp = (uint32_t)hi;
    if (hi >= 0xd800 && hi <= 0xdfff) {
        bool pair = *at + 1 < in.n && in.p[*at] == '\\' && in.p[*at + 1] == 'u';
        int lo = pair ? hex4(in, *at + 2) : -1;
        bool joined = hi <= 0xdbff && lo >= 0xdc00 && lo <= 0xdfff;
        cp = joined ? 0x10000 + (((uint32_t)hi - 0xd800) << 10) + ((uint32_t)lo - 0xdc00) : 0xfffd;
        *at += joined ? 6 : 0;
    }
    *o += vs_utf8_put(*o, cp);
    return true;
}

static token lex_string(lexer *l)
{
    size_t start = l->at++, end = l->at;
    while (end < l->in.n && l->in.p[end] != '"' && l->in.p[end] != '\n' && l->in.p[end] != 0)
        end += l->in.p[end] == '\\' ? 2 : 1;
    if (end >= l->in.n || l->in.p[end] != '"')
        return fail(l, start, "non-terminated string");
    uint8_t *buf = vs_alloc(l->c->a, end - l->at + 4), *o = buf;
    if (!buf)
        return fail(l, start, "out of memory");
    while (l->at < end) {
        if (peek(l, 0) != '\\') {
            *o++ = l->in.p[l->at++];
            continue;
        }
        l->at++;
        if (!lexer_unescape(l->in, &l->at, &o))
            return fail(l, l->at - 1, "illegal escape sequence in a string");
    }
    l->at = end + 1;
    vs_span text = vs_span_of(buf, (size_t)(o - buf));
    if (!vs_utf8_ok(text))
        return fail(l, start, "a string is not UTF-8");
    return (token){.kind = TOK_STRING, .at = here(l, start), .text = text};
}

/* $"...{expr}..." and $`...`: the raw source up to the closing quote; expressions may hold quotes.
 */
static token lex_template(lexer *l)
{
    size_t start = l->at++;
    int quote = peek(l, 0);
    loc at = here(l, start);
    size_t from = ++l->at;
    unsigned depth = 0;
    if (++l->templates > TEMPLATES_MAX)
        return fail(l, start, "template strings are nested too deeply");
    while (l->at < l->in.n && !(depth == 0 && peek(l, 0) == quote)) {
        int c = peek(l, 0);
        if (c == '\\' && depth == 0)
            l->at++;
        else if (c == '{')
            depth++;
        else if (c == '}' && depth)
            depth--;
        else if (depth &&
                 (c == '"' || c == '`' || (c == '$' && (peek(l, 1) == '"' || peek(l, 1) == '`')))) {
            (void)(c == '"'   ? lex_string(l)
                   : c == '`' ? lex_raw(l, l->at, TOK_STRING)
                              : lexer_next(l));
            continue;
        }
        l->at++;
        if (c == '\n')
            new_line(l);
    }
    if (l->at >= l->in.n)
        return fail(l, start, "non-terminated template string");
    vs_span text = vs_span_of(l->in.p + from, l->at - from);
    l->at++;
    l->templates--;
    at.end = (uint32_t)l->at;
    return (token){.kind = TOK_TEMPLATE, .at = at, .text = text, .raw = quote == '`'};
}

static token lex_op(lexer *l)
{
    static const char *const two[] = {":=", "==", "!=", "<=", ">="};
    static const char one[] = "=<>+-*/%&|.,;:()[]{}";
    size_t start = l->at;
    int c = peek(l, 0), d = peek(l, 1);
    for (size_t i = 0; i < VS_COUNT(two); i++) {
        if (c == two[i][0] && d == two[i][1]) {
            l->at += 2;
            return (token){.kind = TOK_OP, .at = here(l, start), .op = OP2(c, d)};
        }
    }
    if (c <= 0 || !strchr(one, c))
        return fail(l, start, "illegal character in the source");
    l->at++;
    return (token){.kind = TOK_OP, .at = here(l, start), .op = OP1(c)};
}

token lexer_next(lexer *l)
{
    bool newline = false, space = false;
    if (!l->c->failed)
        skip_space(l, &newline, &space);
    int c = l->c->failed ? -1 : peek(l, 0);
    token t;
    if (c < 0)
        t = (token){.kind = TOK_EOF, .at = here(l, l->at)};
    else if (is_word_start(c))
        t = lex_word(l);
    else if (is_digit(c))
        t = lex_number(l);
    else if (c == '"')
        t = lex_string(l);
    else if (c == '`')
        t = lex_raw(l, l->at, TOK_STRING);
    else if (c == '$' && (peek(l, 1) == '"' || peek(l, 1) == '`'))
        t = lex_template(l);
    else
        t = lex_op(l);
    t.newline = newline;
    t.space = space;
    return t;
}
