/* SPDX-License-Identifier: Apache-2.0 */
/* Templates as tokens. */
#include "base/enc.h"
#include "rego/template.h"
#include "rego/unicode.h"

typedef struct lexer {
    rego_bctx *b;
    vs_span text;
    size_t at, line_start;
    uint32_t line;
    unsigned parens;
    tpl_token *tokens;
    size_t n, room;
    bool done; /* by TPL_EOF or TPL_ERROR */
} lexer;

static const struct {
    const char *word;
    tpl_token_kind kind;
} words[] = {
    {"nil", TPL_NIL},           {"block", TPL_BLOCK}, {"break", TPL_BREAK},
    {"define", TPL_DEFINE},     {"else", TPL_ELSE},   {"continue", TPL_CONTINUE},
    {"end", TPL_END},           {"if", TPL_IF},       {"range", TPL_RANGE},
    {"with", TPL_WITH},         {"true", TPL_BOOL},   {"false", TPL_BOOL},
    {"template", TPL_TEMPLATE},
};

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static uint8_t at(const lexer *l, size_t i)
{
    return l->at + i < l->text.n ? l->text.p[l->at + i] : 0;
}

static bool starts(const lexer *l, const char *s)
{
    return vs_span_starts(vs_span_from(l->text, l->at), vs_str(s));
}

static void count_lines(lexer *l, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (l->text.p[i] != '\n')
            continue;
        l->line++;
        l->line_start = i + 1;
    }
}

/* A token that began at `from` and ends here. */
static void add(lexer *l, tpl_token_kind kind, size_t from, vs_span text)
{
    if (l->n == l->room) {
        size_t room = l->room ? l->room * 2 : 64;
        l->tokens = vs_grow(l->b->a, l->tokens, l->room, room, sizeof *l->tokens);
        l->room = l->tokens ? room : 0;
    }
    l->done |= kind == TPL_ERROR || kind == TPL_EOF;
    if (!l->tokens) {
        l->done = true;
        l->n = 0;
        return;
    }
    l->tokens[l->n++] = (tpl_token){
        .kind = kind, .line = l->line, .column = (uint32_t)(from - l->line_start), .text = text};
    count_lines(l, from, l->at);
}

/* What stands from `from` up to here. */
static void emit(lexer *l, tpl_token_kind kind, size_t from)
{
    add(l, kind, from, vs_span_of(l->text.p + from, l->at - from));
}

static void fail(lexer *l, const char *message)
{
    add(l, TPL_ERROR, l->at, vs_str(message));
}

/* ---- text and delimiters -------------------------------------------------------------------- */

/* "-" and white space behind "{{". */
static bool trims_left(const lexer *l)
{
    return at(l, 2) == '-' && is_space(at(l, 3));
}

/* The length of "}}" or " -}}" here, else 0. */
static size_t right_length(const lexer *l)
{
    if (starts(l, "}}"))
        return 2;
    bool trims = is_space(at(l, 0)) && at(l, 1) == '-' && at(l, 2) == '}' && at(l, 3) == '}';
    return trims ? 4 : 0;
}

static void skip_space(lexer *l)
{
    size_t from = l->at;
    while (l->at < l->text.n && is_space(l->text.p[l->at]))
        l->at++;
    count_lines(l, from, l->at);
}

static void right(lexer *l)
{
    size_t n = right_length(l), from = l->at;
    l->at += n;
    add(l, TPL_RIGHT, from, vs_span_of(l->text.p + l->at - 2, 2));
    if (n == 4)
        skip_space(l);
}

/* A comment, behind its "{{": nothing is left of it. */
static void comment(lexer *l)
{
    size_t from = l->at;
    while (l->at < l->text.n && !starts(l, "*/"))
        l->at++;
    if (l->at >= l->text.n) {
        fail(l, "unclosed comment");
        return;
    }
    l->at += 2;
    size_t n = right_length(l);
    if (n == 0) {
        fail(l, "comment ends before closing delimiter");
        return;
    }
    count_lines(l, from, l->at);
    l->at += n;
    if (n == 4)
        skip_space(l);
}

/* Text up to "{{", and that; true when an action follows. */
static bool text(lexer *l)
{
    size_t from = l->at;
    const uint8_t *open =
        l->at < l->text.n ? memmem(l->text.p + from, l->text.n - from, "{{", 2) : NULL;
    l->at = open ? (size_t)(open - l->text.p) : l->text.n;
    size_t end = l->at;
    bool trims = open && trims_left(l);
    while (trims && end > from && is_space(l->text.p[end - 1]))
        end--;
    if (end > from)
        add(l, TPL_TEXT, from, vs_span_of(l->text.p + from, end - from));
    else
        count_lines(l, from, l->at);
    if (!open) {
        emit(l, TPL_EOF, l->at);
        return false;
    }
    size_t marker = trims ? 4 : 2; /* {{ and "- ", whose space belongs to the marker */
    if (vs_span_starts(vs_span_from(l->text, l->at + marker), VS_LIT("/*"))) {
        l->at += marker;
        comment(l);
        return false;
    }
    l->at += 2;
    emit(l, TPL_LEFT, l->at - 2);
    l->at += marker - 2;
    count_lines(l, l->at - (marker - 2), l->at);
    l->parens = 0;
    return true;
}

/* ---- what stands in actions ----------------------------------------------------------------- */

static bool is_word(uint32_t cp)
{
    if (cp < 0x80)
        return cp == '_' || (cp >= '0' && cp <= '9') || ((cp | 0x20) >= 'a' && (cp | 0x20) <= 'z');
    return rego_is_letter(cp) || rego_is_digit(cp);
}

static bool next_is_word(const lexer *l)
{
    size_t i = l->at;
    return i < l->text.n && is_word(vs_utf8_next(l->text, &i));
}

static void pass_word(lexer *l)
{
    while (next_is_word(l))
        (void)vs_utf8_next(l->text, &l->at);
}

/* "name 'c'", as Go's %#U says. */
static void fail_at_rune(lexer *l, const char *what)
{
    size_t end = l->at;
    uint32_t cp = vs_utf8_next(l->text, &end);
    vs_span c = vs_span_of(l->text.p + l->at, end - l->at);
    fail(l, rego_is_printable(cp) ? vs_sprintf(l->b->a, "%s U+%04X '%.*s'", what, cp, VS_FMT(c))
                                  : vs_sprintf(l->b->a, "%s U+%04X", what, cp));
}

/* Whether a word may end here. */
static bool at_terminator(lexer *l)
{
    uint8_t c = at(l, 0);
    if (l->at >= l->text.n || is_space(c) || memchr(".,|:)(", c, 6) || starts(l, "}}"))
        return true;
    fail_at_rune(l, "bad character");
    return false;
}

static void name(lexer *l)
{
    size_t from = l->at;
    pass_word(l);
    vs_span word = vs_span_of(l->text.p + from, l->at - from);
    tpl_token_kind kind = TPL_NAME;
    for (size_t i = 0; i < VS_COUNT(words); i++)
        if (vs_span_is(word, words[i].word))
            kind = words[i].kind;
    if (at_terminator(l))
        emit(l, kind, from);
}

/* .name or $name; the mark alone is the dot or the variable $. */
static void field_or_variable(lexer *l, tpl_token_kind named, tpl_token_kind bare)
{
    size_t from = l->at++;
    pass_word(l);
    if (at_terminator(l))
        emit(l, l->at == from + 1 ? bare : named, from);
}

static void accept_run(lexer *l, const char *set)
{
    while (l->at < l->text.n && strchr(set, l->text.p[l->at]) && l->text.p[l->at])
        l->at++;
}

static bool accept(lexer *l, const char *set)
{
    bool yes = l->at < l->text.n && l->text.p[l->at] && strchr(set, l->text.p[l->at]);
    l->at += yes;
    return yes;
}

static void number(lexer *l)
{
    size_t from = l->at;
    const char *digits = "0123456789_";
    bool hex = false, other = false;
    (void)accept(l, "+-");
    if (accept(l, "0")) {
        hex = accept(l, "xX");
        other = hex || accept(l, "oObB");
        if (hex)
            digits = "0123456789abcdefABCDEF_";
        else if (other)
            digits = (l->text.p[l->at - 1] | 0x20) == 'o' ? "01234567_" : "01_";
    }
    accept_run(l, digits);
    if (accept(l, "."))
        accept_run(l, digits);
    if (hex ? accept(l, "pP") : !other && accept(l, "eE")) {
        (void)accept(l, "+-");
        accept_run(l, "0123456789_");
    }
    bool bad = next_is_word(l) || at(l, 0) == '+' || at(l, 0) == '-';
    if (bad) {
        l->at++;
        pass_word(l);
        vs_span s = vs_span_of(l->text.p + from, l->at - from);
        fail(l, vs_sprintf(l->b->a, "bad number syntax: \"%.*s\"", VS_FMT(s)));
        return;
    }
    emit(l, TPL_NUMBER, from);
}

/* A string or rune up to its quote. */
static void quoted(lexer *l, uint8_t quote, tpl_token_kind kind, const char *unterminated)
{
    size_t from = l->at++;
    for (;; l->at++) {
        uint8_t c = at(l, 0);
        if (l->at >= l->text.n || (c == '\n' && quote != '`')) {
            fail(l, unterminated);
            return;
        }
        if (c == quote)
            break;
        if (c == '\\' && quote != '`' && l->at + 1 < l->text.n && at(l, 1) != '\n')
            l->at++;
    }
    l->at++;
    emit(l, kind, from);
}

static void paren(lexer *l, bool open)
{
    if (!open && l->parens == 0) {
        fail(l, "unexpected right paren");
        return;
    }
    l->parens += open ? 1u : -1u;
    l->at++;
    emit(l, open ? TPL_OPEN : TPL_CLOSE, l->at - 1);
}

static void space(lexer *l)
{
    size_t from = l->at;
    while (is_space(at(l, 0)) && !right_length(l))
        l->at++;
    emit(l, TPL_SPACE, from);
}

static void one(lexer *l, tpl_token_kind kind, size_t n)
{
    l->at += n;
    emit(l, kind, l->at - n);
}

/* One token of an action; false behind its end. */
static bool inside(lexer *l)
{
    uint8_t c = at(l, 0), next = at(l, 1);
    bool digit_next = next >= '0' && next <= '9';
    if (right_length(l)) {
        if (l->parens)
            fail(l, "unclosed left paren");
        else
            right(l);
        return false;
    }
    if (l->at >= l->text.n)
        fail(l, "unclosed action");
    else if (is_space(c))
        space(l);
    else if (c == '=')
        one(l, TPL_ASSIGN, 1);
    else if (c == ':' && next == '=')
        one(l, TPL_DECLARE, 2);
    else if (c == ':')
        fail(l, "expected :=");
    else if (c == '|')
        one(l, TPL_PIPE, 1);
    else if (c == '"')
        quoted(l, '"', TPL_STRING, "unterminated quoted string");
    else if (c == '`')
        quoted(l, '`', TPL_RAW, "unterminated raw quoted string");
    else if (c == '\'')
        quoted(l, '\'', TPL_RUNE, "unterminated character constant");
    else if (c == '$')
        field_or_variable(l, TPL_VARIABLE, TPL_VARIABLE);
    else if (c == '.' && !digit_next)
        field_or_variable(l, TPL_FIELD, TPL_DOT);
    else if (c == '.' || c == '+' || c == '-' || (c >= '0' && c <= '9'))
        number(l);
    else if (next_is_word(l))
        name(l);
    else if (c == '(' || c == ')')
        paren(l, c == '(');
    else if (c > ' ' && c < 0x7f)
        one(l, TPL_CHAR, 1);
    else
        fail_at_rune(l, "unrecognized character in action:");
    return true;
}

const tpl_token *tpl_lex(rego_bctx *b, vs_span source)
{
    lexer l = {.b = b, .text = source, .line = 1};
    if (source.n > UINT32_MAX || !rego_charge(b, source.n / 2 + 1))
        return NULL;
    while (!l.done) {
        bool action = text(&l);
        while (action && !l.done)
            action = inside(&l);
    }
    return l.n ? l.tokens : NULL;
}
