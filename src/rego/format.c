/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The usual layout of policies: tabs by nesting, one space around operators, bodies on lines of
 * their own, at most one empty line, a comma behind the last line of a collection. Works on tokens
 * and the comments between them, so nothing is ever lost; the result is checked to have the same
 * tokens and the same syntax tree.
 */
#include "rego/lexer.h"
#include "rego/module_json.h"
#include "rego/parse.h"

enum { OUT_MAX = 64 << 20, TREES_MAX = 256 << 20, NESTING_MAX = 512 };

typedef struct bracket {
    unsigned close;
    bool body;   /* statements, one per line */
    bool broken; /* the opening bracket ended its line */
    bool bar;    /* a comprehension */
    bool spaced; /* a body on one line: { x } */
} bracket;

typedef struct formatter {
    lexer lex;
    vs_span in;
    vs_buf *out;
    token prev;
    bracket stack[NESTING_MAX];
    size_t depth;
    bool line_start; /* nothing is on the current line yet */
    bool every;      /* `every` stands in the current statement: its brace is a body */
    bool v0;
    bool closed_body; /* the token before ended one */
    bool in_package;  /* an empty line follows */
    bool sign;        /* the '-' before belongs to a number */
} formatter;

static bool is_op(const token *t, unsigned op)
{
    return t->kind == TOK_OP && t->op == op;
}

static bool is_word(const token *t, const char *word)
{
    return t->kind == TOK_IDENT && vs_span_is(t->text, word);
}

static unsigned closing(const token *t)
{
    if (t->kind != TOK_OP)
        return 0;
    return t->op == '(' ? ')' : t->op == '[' ? ']' : t->op == '{' ? '}' : 0;
}

static bool is_closing(const token *t)
{
    return is_op(t, ')') || is_op(t, ']') || is_op(t, '}');
}

/* ---- lines -------------------------------------------------------------------------------------
 */

static void new_line(formatter *f)
{
    if (!f->line_start)
        vs_buf_putc(f->out, '\n');
    f->line_start = true;
}

static void indent(formatter *f)
{
    for (size_t i = 0; i < f->depth; i++)
        if (f->stack[i].broken)
            vs_buf_putc(f->out, '\t');
    f->line_start = false;
}

/* The comments between two tokens, and how many line breaks stand behind the last of them. */
static size_t put_comments(formatter *f, size_t from, size_t to, bool *had)
{
    size_t breaks = 0;
    bool first = true;
    *had = false;
    for (size_t at = from; at < to; at++) {
        if (f->in.p[at] == '\n') {
            breaks++;
            continue;
        }
        if (f->in.p[at] != '#')
            continue;
        size_t end = at;
        while (end < to && f->in.p[end] != '\n')
            end++;
        size_t text_end = end;
        while (text_end > at && (f->in.p[text_end - 1] == ' ' || f->in.p[text_end - 1] == '\t' ||
                                 f->in.p[text_end - 1] == '\r'))
            text_end--;
        if (breaks == 0 && first && !f->line_start) {
            vs_buf_putc(f->out, ' '); /* behind something */
        } else {
            new_line(f);
            if ((breaks > 1 || f->in_package) && f->out->n)
                vs_buf_putc(f->out, '\n');
            f->in_package = false;
            indent(f);
        }
        vs_buf_put(f->out, vs_span_of(f->in.p + at, text_end - at));
        f->line_start = false;
        first = false;
        *had = true;
        breaks = 0;
        at = end - 1;
    }
    return breaks;
}

/* ---- spaces ------------------------------------------------------------------------------------
 */

static bool is_binary(const token *t)
{
    static const unsigned ops[] = {
        OP2(':', '='), OP2('=', '='), OP2('!', '='), OP2('<', '='), OP2('>', '='), '=', '<',
        '>',           '+',           '*',           '/',           '%',           '&', '|'};
    for (size_t i = 0; i < VS_COUNT(ops); i++)
        if (is_op(t, ops[i]))
            return true;
    return false;
}

/* A token that an operand may end with. */
static bool ends_operand(const token *t)
{
    static const char *const keywords[] = {"as",     "else",    "if",    "in",       "not",
                                           "some",   "with",    "every", "contains", "default",
                                           "import", "package", NULL};
    if (is_closing(t))
        return true;
    if (t->kind == TOK_IDENT)
        for (const char *const *k = keywords; *k; k++)
            if (vs_span_is(t->text, *k))
                return false;
    return t->kind == TOK_IDENT || t->kind == TOK_NUMBER || t->kind == TOK_STRING ||
           t->kind == TOK_TEMPLATE;
}

static bool wants_space(const formatter *f, const token *t, bool unary_before)
{
    const token *p = &f->prev;
    if (is_op(t, ',') || is_op(t, ';') || is_op(t, ':') || is_op(t, '.') || is_op(p, '.'))
        return false;
    if (f->depth && f->stack[f->depth - 1].spaced && is_op(p, '{'))
        return true;
    if (closing(p) || is_closing(t) || unary_before)
        return false;
    if (is_word(p, "contains") && is_op(t, '(') && !t->space)
        return false;
    if (is_op(p, ',') || is_op(p, ';') || is_op(p, ':') || is_binary(p) || is_binary(t))
        return true;
    if (is_op(t, '-') || is_op(p, '-'))
        return true;
    if ((is_op(t, '[') || is_op(t, '(')) && ends_operand(p))
        return t->space && !(f->depth == 0 && is_op(t, '('));
    return true;
}

/* ---- structure ---------------------------------------------------------------------------------
 */

/* What stands between a brace and its end, and behind it. */
typedef struct inside {
    bool empty, lines, object, comprehension, continued;
} inside;

static bool continues_expression(const token *t)
{
    return (is_binary(t) && !is_op(t, OP2(':', '=')) && !is_op(t, '=')) || is_op(t, '.') ||
           is_op(t, '[') || is_word(t, "in");
}

static inside look_inside(const formatter *f)
{
    inside in = {.empty = true};
    lexer ahead = f->lex;
    size_t depth = 1, from = f->lex.at;
    bool plain = true; /* no operator yet: a '|' makes it a comprehension */
    token t = lexer_next(&ahead);
    for (; t.kind != TOK_EOF; t = lexer_next(&ahead)) {
        in.lines |= t.newline || is_op(&t, ';');
        depth -= is_closing(&t);
        if (depth == 0)
            break;
        if (depth == 1) {
            in.object |= is_op(&t, ':');
            in.comprehension |= plain && is_op(&t, '|');
            plain = plain && !is_binary(&t) && !is_op(&t, ';') && !is_op(&t, '-') &&
                    !is_word(&t, "in") && !is_word(&t, "some") && !is_word(&t, "every");
        }
        in.empty = false;
        depth += closing(&t) != 0;
    }
    in.lines |= memchr(f->in.p + from, '#', t.at.end - from) != NULL;
    t = lexer_next(&ahead);
    in.continued = continues_expression(&t) && !(t.newline && is_op(&t, '['));
    return in;
}

static bool starts_body(const formatter *f, const token *t, const inside *in)
{
    if (!is_op(t, '{'))
        return false;
    if (is_word(&f->prev, "if"))
        return !in->empty && !in->object && !in->comprehension && !in->continued;
    if (f->every && ends_operand(&f->prev))
        return true;
    return f->depth == 0 && (f->v0 || is_op(&f->prev, '}')) && ends_operand(&f->prev);
}

static void open_bracket(formatter *f, const token *t, bool broken)
{
    if (f->depth == NESTING_MAX)
        return;
    inside in = is_op(t, '{') ? look_inside(f) : (inside){0};
    bool is_body = starts_body(f, t, &in);
    bool spaced = is_body && f->every && !in.lines;
    f->stack[f->depth++] = (bracket){.close = closing(t),
                                     .body = is_body && !spaced,
                                     .broken = (is_body && !spaced) || broken,
                                     .spaced = spaced};
    if (is_body)
        f->every = false;
}

/* Whether a statement, element or rule ends its line here: at the top level and in bodies line
 * breaks count; in collections they are kept where the opening bracket ended its line. */
static bool breaks_line(const formatter *f, const token *t, bool comments)
{
    const bracket *b = f->depth ? &f->stack[f->depth - 1] : NULL;
    if (comments)
        return true;
    if (!b)
        return t->newline;
    if (is_closing(t))
        return b->broken;
    if (is_op(&f->prev, b->close == ')' ? '(' : b->close == ']' ? '[' : '{'))
        return b->broken;
    return b->body ? t->newline || is_op(&f->prev, ';') : t->newline;
}

/* Behind a line break, -1 would be read as the rest of the expression before it. */
static bool continues(const formatter *f)
{
    lexer ahead = f->lex;
    token next = lexer_next(&ahead);
    return is_op(&next, '-');
}

/* A comma before a closing bracket that stays on its line. */
static bool ends_list(const formatter *f)
{
    lexer ahead = f->lex;
    token next = lexer_next(&ahead);
    bool comment = memchr(f->in.p + f->lex.at, '#', next.at.start - f->lex.at) != NULL;
    bool broken = f->depth && f->stack[f->depth - 1].broken;
    return is_closing(&next) && !comment && !(next.newline && broken);
}

static void put_token(formatter *f, const token *t)
{
    bool comments, unary = is_op(&f->prev, '-') && f->sign;
    size_t from = f->prev.at.end;
    size_t breaks = put_comments(f, from, t->at.start, &comments);
    bool closes = is_closing(t) && f->depth && f->stack[f->depth - 1].close == t->op;
    bool line = (from > 0 || comments) && breaks_line(f, t, comments);
    if (closes && f->stack[f->depth - 1].broken && !f->stack[f->depth - 1].body &&
        !f->stack[f->depth - 1].bar && !is_op(&f->prev, ',') && !closing(&f->prev) && !comments)
        vs_buf_putc(f->out, ',');
    if (is_op(t, ';') && f->depth && f->stack[f->depth - 1].body && !continues(f)) {
        f->prev.at.end = t->at.end;
        f->prev.kind = TOK_OP;
        f->prev.op = ';';
        return; /* a line break says the same */
    }
    if (is_op(t, ',') && !comments && ends_list(f)) {
        f->prev.at.end = t->at.end;
        return;
    }
    if (line) {
        new_line(f);
        bool after_body = f->depth == 0 && f->closed_body && !comments;
        if ((breaks > 1 || after_body || f->in_package) && !closes && !closing(&f->prev) &&
            f->out->n)
            vs_buf_putc(f->out, '\n');
        if (f->depth == 0 || f->stack[f->depth - 1].body)
            f->every = false;
        f->in_package = false;
    }
    f->in_package |= from == 0 && is_word(t, "package");
    if (line && !closes && f->depth)
        f->stack[f->depth - 1].broken = true; /* from here on its lines are indented */
    f->closed_body = closes && f->stack[f->depth - 1].body;
    bool spaced = closes && f->stack[f->depth - 1].spaced;
    if (closes)
        f->depth--;
    if (f->line_start)
        indent(f);
    else if (from > 0 && (spaced || wants_space(f, t, unary)))
        vs_buf_putc(f->out, ' ');
    f->sign = is_op(t, '-') && !ends_operand(&f->prev);
    f->every |= is_word(t, "every");
    if (is_op(t, '|') && f->depth)
        f->stack[f->depth - 1].bar = true;
    vs_buf_put(f->out, vs_span_of(f->in.p + t->at.start, t->at.end - t->at.start));
    if (closing(t)) {
        size_t next = t->at.end;
        while (next < f->in.n &&
               (f->in.p[next] == ' ' || f->in.p[next] == '\t' || f->in.p[next] == '\r'))
            next++;
        bool ends_line = next < f->in.n && (f->in.p[next] == '\n' || f->in.p[next] == '#');
        open_bracket(f, t, ends_line);
    }
    f->prev = *t;
}

/* ---- the check: same tokens, but for separators -------------------------------------------------
 */

static token significant(lexer *l)
{
    token t = lexer_next(l);
    while (is_op(&t, ',') || is_op(&t, ';'))
        t = lexer_next(l);
    return t;
}

static bool same_tokens(compilation *c, const module *m, vs_span a, vs_span b)
{
    lexer x, y;
    lexer_init(&x, c, m, a);
    lexer_init(&y, c, m, b);
    for (;;) {
        token s = significant(&x), t = significant(&y);
        vs_span st = vs_span_of(a.p + s.at.start, s.at.end - s.at.start),
                tt = vs_span_of(b.p + t.at.start, t.at.end - t.at.start);
        if (s.kind != t.kind || !vs_span_eq(st, tt))
            return false;
        if (s.kind == TOK_EOF)
            return !c->failed;
    }
}

/* The trees of both, without comments, whose rows may differ. A tree too deep for a value is not
 * compared: then it has the same tokens at least. */
static bool same_tree(vs_span a, vs_span b, bool v0)
{
    vs_arena arena;
    vs_arena_init(&arena, TREES_MAX);
    compilation c = {.a = &arena, .tree_only = true};
    module *x = parse_module(&c, "", a, v0), *y = parse_module(&c, "", b, v0);
    vs_val s = c.failed ? vs_undefined() : module_json(&c, x),
           t = c.failed ? vs_undefined() : module_json(&c, y);
    bool same = !c.failed || !vs_arena_ok(&arena);
    static const char *const parts[] = {"package", "imports", "rules"};
    for (size_t i = 0; vs_arena_ok(&arena) && i < VS_COUNT(parts); i++)
        same = same && vs_eq(vs_getc(s, parts[i]), vs_getc(t, parts[i]));
    vs_arena_free(&arena);
    return same;
}

vs_code rego_format(const char *name, vs_span text, bool v0, vs_buf *out, rego_diag *diag,
                    vs_error *err)
{
    VS_TRY(rego_check_syntax(text, v0, diag, err));
    vs_arena a;
    vs_arena_init(&a, OUT_MAX);
    compilation c = {.a = &a};
    module m = {.name = name, .text = text, .v0 = v0};
    formatter f = {.in = text, .out = out, .line_start = true, .v0 = v0};
    bool comments;
    size_t start = out->n;
    lexer_init(&f.lex, &c, &m, text);
    for (token t = lexer_next(&f.lex); t.kind != TOK_EOF && !c.failed; t = lexer_next(&f.lex))
        put_token(&f, &t);
    (void)put_comments(&f, f.prev.at.end, text.n, &comments);
    new_line(&f);
    vs_span result = vs_span_from(vs_buf_span(out), start);
    vs_code code = VS_OK;
    if (!vs_buf_ok(out))
        code = vs_fail(err, VS_E_LIMIT, "%s: too large to format", name);
    else if (c.failed || !same_tokens(&c, &m, text, result) || !same_tree(text, result, v0))
        code = vs_fail(err, VS_E_INTERNAL, "%s: the layout of this policy cannot be changed safely",
                       name);
    vs_arena_free(&a);
    return code;
}
