/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of GraphQL texts (GraphQL specification section 2.1). */
#include "rego/graphql.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- the context of all GraphQL code -------------------------------------------------------- */

bool rego_gql_charge(gql_ctx *c, uint64_t n)
{
    if (gql_ok(c) && !rego_charge(c->b, n))
        c->limit = true;
    return gql_ok(c);
}

void *rego_gql_new(gql_ctx *c, size_t size)
{
    if (!rego_gql_charge(c, 1 + size / 16))
        return NULL;
    void *p = vs_zalloc(c->b->a, size);
    c->limit = !p;
    return p;
}

void rego_gql_fail(gql_ctx *c, gql_pos at, const char *fmt, ...)
{
    if (!gql_ok(c))
        return;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(c->message, sizeof c->message, fmt, ap);
    va_end(ap);
    c->at = at;
    c->failed = true;
}

bool rego_gql_enter(gql_ctx *c, unsigned max)
{
    if (!rego_gql_charge(c, 1))
        return false;
    c->limit = c->depth >= max;
    if (c->limit)
        return false;
    c->depth++;
    return true;
}

void rego_gql_add(gql_list *l, void *node)
{
    gql_node *n = node;
    if (!n)
        return;
    if (l->last)
        l->last->next = n;
    else
        l->first = n;
    l->last = n;
    l->n++;
}

/* ---- characters ----------------------------------------------------------------------------- */

static int peek(const gql_lexer *l, size_t ahead)
{
    return l->at + ahead < l->in.n ? l->in.p[l->at + ahead] : -1;
}

/* `n` bytes that are one character each. */
static void take(gql_lexer *l, size_t n)
{
    l->at += n;
    l->column += (int)n;
}

/* One character of UTF-8, of which the first byte was looked at; other bytes count singly. */
static void take_char(gql_lexer *l)
{
    l->at++;
    l->column++;
    while (peek(l, 0) >= 0x80 && peek(l, 0) < 0xc0)
        l->at++;
}

static void newline(gql_lexer *l)
{
    l->line++;
    l->column = 1;
}

static bool is_digit(int ch)
{
    return ch >= '0' && ch <= '9';
}

static bool is_name(int ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_' || is_digit(ch);
}

static bool starts(const gql_lexer *l, const char *text)
{
    return vs_span_starts(vs_span_from(l->in, l->at), vs_str(text));
}

/* White space, commas and byte order marks; comments (2.1.2 to 2.1.5). */
static void skip_ignored(gql_lexer *l)
{
    for (;;) {
        int ch = peek(l, 0);
        if (ch == '\t' || ch == ' ' || ch == ',') {
            take(l, 1);
        } else if (ch == '\n') {
            take(l, 1);
            newline(l);
        } else if (ch == '\r') {
            l->at += peek(l, 1) == '\n' ? 2 : 1;
            newline(l);
        } else if (starts(l, "\xef\xbb\xbf")) {
            take_char(l);
        } else if (ch == '#') {
            while (peek(l, 0) > 0x1f || peek(l, 0) == '\t')
                take_char(l);
        } else {
            return;
        }
    }
}

/* ---- tokens --------------------------------------------------------------------------------- */

static gql_pos here(const gql_lexer *l)
{
    return (gql_pos){l->line, l->column};
}

static gql_token invalid(gql_lexer *l, const char *fmt, ...) VS_PRINTF(2, 3);
static gql_token invalid(gql_lexer *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(l->error, sizeof l->error, fmt, ap);
    va_end(ap);
    return (gql_token){.kind = GQL_T_INVALID, .at = here(l)};
}

static size_t take_digits(gql_lexer *l)
{
    size_t from = l->at;
    while (is_digit(peek(l, 0)))
        take(l, 1);
    return l->at - from;
}

static gql_token bad_number(gql_lexer *l, const char *what)
{
    int ch = peek(l, 0);
    if (ch < 0)
        return invalid(l, "Invalid number, %s: <EOF>", what);
    return invalid(l, "Invalid number, %s: \"%c\"", what, ch);
}

/* IntValue and FloatValue (2.9.1, 2.9.2). */
static gql_token number(gql_lexer *l)
{
    static const char digit[] = "expected digit but got";
    size_t from = l->at;
    gql_token t = {.kind = GQL_T_INT, .at = here(l)};
    if (peek(l, 0) == '-')
        take(l, 1);
    if (peek(l, 0) == '0') {
        take(l, 1);
        if (is_digit(peek(l, 0)))
            return bad_number(l, "unexpected digit after 0");
    } else if (take_digits(l) == 0) {
        return bad_number(l, digit);
    }
    if (peek(l, 0) == '.') {
        t.kind = GQL_T_FLOAT;
        take(l, 1);
        if (take_digits(l) == 0)
            return bad_number(l, digit);
    }
    if (peek(l, 0) == 'e' || peek(l, 0) == 'E') {
        t.kind = GQL_T_FLOAT;
        take(l, peek(l, 1) == '-' || peek(l, 1) == '+' ? 2 : 1);
        if (take_digits(l) == 0)
            return bad_number(l, digit);
    }
    t.text = vs_span_of(l->in.p + from, l->at - from);
    return t;
}

static gql_token name(gql_lexer *l)
{
    size_t from = l->at;
    gql_pos at = here(l);
    while (is_name(peek(l, 0)))
        take(l, 1);
    return (gql_token){GQL_T_NAME, vs_span_of(l->in.p + from, l->at - from), at};
}

/* ---- strings (2.9.4) ------------------------------------------------------------------------ */

typedef struct text {
    uint8_t *p;
    size_t n;
} text;

/* Room for what the rest of the token can become: never longer than its source. */
static bool open_text(gql_lexer *l, text *t, size_t room)
{
    if (!rego_gql_charge(l->c, room / 16))
        return false;
    *t = (text){.p = vs_alloc(l->c->b->a, room + 4)};
    l->c->limit = !t->p;
    return t->p;
}

/* A code point below 0x10000; surrogates become U+FFFD as they do in Go. */
static void put_unit(text *t, uint32_t u)
{
    if (u >= 0xd800 && u < 0xe000)
        u = 0xfffd;
    if (u < 0x80) {
        t->p[t->n++] = (uint8_t)u;
    } else if (u < 0x800) {
        t->p[t->n++] = (uint8_t)(0xc0 | u >> 6);
        t->p[t->n++] = (uint8_t)(0x80 | (u & 0x3f));
    } else {
        t->p[t->n++] = (uint8_t)(0xe0 | u >> 12);
        t->p[t->n++] = (uint8_t)(0x80 | (u >> 6 & 0x3f));
        t->p[t->n++] = (uint8_t)(0x80 | (u & 0x3f));
    }
}

static int hex(int ch)
{
    if (is_digit(ch))
        return ch - '0';
    ch |= 0x20;
    return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

/* Behind a backslash; false when it is no escape sequence. */
static bool escape(gql_lexer *l, text *t)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    int ch = peek(l, 1);
    if (ch == 'u') {
        uint32_t u = 0;
        for (size_t i = 2; i < 6; i++) {
            int h = hex(peek(l, i));
            if (h < 0)
                return false;
            u = u << 4 | (uint32_t)h;
        }
        put_unit(t, u);
        take(l, 6);
        return true;
    }
    const char *at = ch > 0 ? strchr(from, ch) : NULL;
    if (!at)
        return false;
    t->p[t->n++] = (uint8_t)to[at - from];
    take(l, 2);
    return true;
}

/* The length up to the closing quote or what ends the search for it. */
static size_t string_length(const gql_lexer *l)
{
    size_t n = 0;
    for (int ch = peek(l, n); ch >= 0 && ch != '"' && ch != '\n' && ch != '\r'; ch = peek(l, n))
        n += ch == '\\' && peek(l, n + 1) >= 0 ? 2 : 1;
    return n;
}

static gql_token string(gql_lexer *l)
{
    take(l, 1);
    gql_token t = {.kind = GQL_T_STRING, .at = here(l)};
    text out;
    if (!open_text(l, &out, string_length(l)))
        return invalid(l, "Out of memory");
    for (int ch = peek(l, 0); ch >= 0 && ch != '\n' && ch != '\r'; ch = peek(l, 0)) {
        if (ch == '"') {
            take(l, 1);
            t.text = vs_span_of(out.p, out.n);
            return t;
        }
        if (ch < 0x20 && ch != '\t')
            return invalid(l, "Invalid character within String: \"\\u%04d\"", ch);
        if (ch == '\\') {
            if (!escape(l, &out))
                return invalid(l, "Invalid character escape sequence");
            continue;
        }
        size_t from = l->at;
        take_char(l);
        memcpy(out.p + out.n, l->in.p + from, l->at - from);
        out.n += l->at - from;
    }
    return invalid(l, "Unterminated string");
}

static size_t blank_prefix(vs_span line)
{
    size_t n = 0;
    while (n < line.n && (line.p[n] == ' ' || line.p[n] == '\t'))
        n++;
    return n;
}

static vs_span next_line(vs_span *rest, bool *more)
{
    return vs_span_cut(*rest, '\n', rest, more);
}

/* The least indentation of the lines that are not blank. The specification leaves the first line
 * out; gqlparser, and so OPA, does not. */
static size_t common_indent(vs_span raw)
{
    size_t common = SIZE_MAX;
    bool more = true;
    while (more) {
        vs_span line = next_line(&raw, &more);
        size_t n = blank_prefix(line);
        if (n < line.n && n < common)
            common = n;
    }
    return common;
}

/* BlockStringValue (2.9.4): removes the common indentation and blank lines at both ends. The
 * result takes no more room than `raw` and is made in its place. */
static vs_span block_value(uint8_t *raw, size_t n)
{
    vs_span rest = {raw, n};
    size_t common = common_indent(rest), used = 0, keep = 0;
    bool more = true, any = false;
    for (bool first = true; more; first = false) {
        vs_span line = next_line(&rest, &more);
        bool blank = blank_prefix(line) == line.n;
        if (!first)
            line = vs_span_from(line, common);
        if (blank && !any)
            continue;
        if (any)
            raw[used++] = '\n';
        if (line.n)
            memmove(raw + used, line.p, line.n);
        used += line.n;
        any = true;
        if (!blank)
            keep = used;
    }
    return vs_span_of(raw, keep);
}

/* The length up to the closing quotes, or to the end. */
static size_t block_length(const gql_lexer *l)
{
    vs_span rest = vs_span_from(l->in, l->at);
    size_t n = 0;
    while (n < rest.n && !vs_span_starts(vs_span_from(rest, n), VS_LIT("\"\"\"")))
        n += vs_span_starts(vs_span_from(rest, n), VS_LIT("\\\"\"\"")) ? 4 : 1;
    return n;
}

static gql_token block_string(gql_lexer *l)
{
    take(l, 3);
    int column = l->column, line = l->line;
    text out;
    if (!open_text(l, &out, block_length(l)))
        return invalid(l, "Out of memory");
    for (int ch = peek(l, 0); ch >= 0; ch = peek(l, 0)) {
        if (starts(l, "\"\"\"")) {
            take(l, 3);
            return (gql_token){GQL_T_BLOCK, block_value(out.p, out.n), {line, column}};
        }
        if (ch < 0x20 && ch != '\t' && ch != '\n' && ch != '\r')
            return invalid(l, "Invalid character within String: \"\\u%04d\"", ch);
        if (starts(l, "\\\"\"\"")) {
            memcpy(out.p + out.n, "\"\"\"", 3);
            out.n += 3;
            take(l, 4);
        } else if (ch == '\n' || ch == '\r') {
            l->at += ch == '\r' && peek(l, 1) == '\n' ? 2 : 1;
            newline(l);
            out.p[out.n++] = '\n';
        } else {
            size_t from = l->at;
            take_char(l);
            memcpy(out.p + out.n, l->in.p + from, l->at - from);
            out.n += l->at - from;
        }
    }
    return invalid(l, "Unterminated string");
}

/* ---- the lexer ------------------------------------------------------------------------------ */

static const char *const tok_names[] = {
    [GQL_T_INVALID] = "<Invalid>",
    [GQL_T_EOF] = "<EOF>",
    [GQL_T_BANG] = "!",
    [GQL_T_DOLLAR] = "$",
    [GQL_T_AMP] = "&",
    [GQL_T_PAREN_L] = "(",
    [GQL_T_PAREN_R] = ")",
    [GQL_T_SPREAD] = "...",
    [GQL_T_COLON] = ":",
    [GQL_T_EQUALS] = "=",
    [GQL_T_AT] = "@",
    [GQL_T_BRACKET_L] = "[",
    [GQL_T_BRACKET_R] = "]",
    [GQL_T_BRACE_L] = "{",
    [GQL_T_BRACE_R] = "}",
    [GQL_T_PIPE] = "|",
    [GQL_T_NAME] = "Name",
    [GQL_T_INT] = "Int",
    [GQL_T_FLOAT] = "Float",
    [GQL_T_STRING] = "String",
    [GQL_T_BLOCK] = "BlockString",
};

const char *rego_gql_tok_name(gql_tok t)
{
    return tok_names[t];
}

static gql_token bad_char(gql_lexer *l, int ch)
{
    if (ch < 0x20)
        return invalid(l, "Cannot contain the invalid character \"\\u%04d\"", ch);
    if (ch == '\'')
        return invalid(l, "Unexpected single quote character ('), did you mean to use a double "
                          "quote (\")?");
    return invalid(l, "Cannot parse the unexpected character \"%c\"", ch < 0x80 ? ch : '?');
}

gql_token rego_gql_lex(gql_lexer *l)
{
    skip_ignored(l);
    int ch = peek(l, 0);
    if (ch < 0)
        return (gql_token){.kind = GQL_T_EOF, .at = here(l)};
    if (starts(l, "\"\"\""))
        return block_string(l);
    if (ch == '"')
        return string(l);
    if (ch == '-' || is_digit(ch))
        return number(l);
    if (is_name(ch))
        return name(l);
    for (gql_tok k = GQL_T_BANG; k <= GQL_T_PIPE; k++) {
        if (starts(l, tok_names[k])) {
            gql_token t = {.kind = k, .at = here(l)};
            take(l, strlen(tok_names[k]));
            return t;
        }
    }
    return bad_char(l, ch);
}
