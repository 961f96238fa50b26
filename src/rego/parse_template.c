/* SPDX-License-Identifier: Apache-2.0 */
/* Template strings (rego.md 6.9): string pieces and expressions. */
#include "rego/parse.h"

/* {expr}, or {expr with input.x as y}: then a comprehension, whose first value is meant. */
static term *template_part(parser *p)
{
    loc at = p->tok.at;
    term *expr = parse_expr(p), *result = new_wildcard(p, at);
    body *b = parse_modified(p, expr, result);
    if (!b)
        return expr;
    list items = {0};
    list_add(p->c, &items, result);
    term *t = new_term(p, T_ARRAY_COMPR, at), *ref = new_term(p, T_REF, at),
         *zero = new_term(p, T_SCALAR, at);
    set_items(p, t, &items);
    t->body = b;
    zero->scalar = vs_int(0);
    items = (list){0};
    list_add(p->c, &items, t);
    list_add(p->c, &items, zero);
    set_items(p, ref, &items);
    return ref;
}

/* What a template is split into. */
typedef struct splitter {
    parser *p;
    token whole;
    size_t at, end; /* in the source */
    uint32_t row;
    size_t line_start;
    vs_buf piece;
    list items;
} splitter;

static void end_piece(splitter *s)
{
    parser *p = s->p;
    p->c->a->failed |= !vs_buf_ok(&s->piece);
    vs_span text = vs_dup(p->c->a, vs_buf_span(&s->piece));
    list_add(p->c, &s->items, new_string(p, text, s->whole.at));
    vs_buf_clear(&s->piece);
}

static void split_expression(splitter *s)
{
    parser *p = s->p, inner = *p;
    end_piece(s);
    inner.lex.at = s->at + 1;
    inner.lex.row = s->row;
    inner.lex.line_start = s->line_start;
    advance(&inner);
    list_add(p->c, &s->items, template_part(&inner));
    if (!p->c->failed && !at_op(&inner, '}'))
        parse_error(&inner, "expected '}' at the end of a template expression");
    p->wildcards = inner.wildcards;
    p->retries = inner.retries;
    s->at = inner.tok.at.end;
    s->row = inner.lex.row;
    s->line_start = inner.lex.line_start;
}

/* `\{` is a brace; raw templates have no other escapes. */
static void split_escape(splitter *s)
{
    uint8_t utf8[4], *o = utf8;
    vs_span in = s->p->lex.in;
    s->at++;
    if (s->at < s->end && in.p[s->at] == '{') {
        vs_buf_putc(&s->piece, '{');
        s->at++;
    } else if (s->whole.raw) {
        vs_buf_putc(&s->piece, '\\');
    } else if (lexer_unescape(vs_span_head(in, s->end), &s->at, &o)) {
        vs_buf_put(&s->piece, vs_span_of(utf8, (size_t)(o - utf8)));
    } else {
        parse_error(s->p, "illegal escape sequence in a template string");
    }
}

term *parse_template(parser *p)
{
    token whole = p->tok;
    term *t = new_term(p, T_TEMPLATE, whole.at);
    t->raw = whole.raw;
    size_t base = (size_t)(whole.text.p - p->lex.in.p);
    splitter s = {.p = p,
                  .whole = whole,
                  .at = base,
                  .end = base + whole.text.n,
                  .row = whole.at.row,
                  .line_start = whole.at.start + 1 - whole.at.col,
                  .piece = VS_BUF(1 << 20)};
    while (s.at < s.end && !p->c->failed) {
        uint8_t c = p->lex.in.p[s.at];
        if (c == '{') {
            split_expression(&s);
        } else if (c == '\\') {
            split_escape(&s);
        } else {
            vs_buf_putc(&s.piece, (char)c);
            s.at++;
            if (c == '\n') {
                s.row++;
                s.line_start = s.at;
            }
        }
    }
    if (!vs_buf_ok(&s.piece)) {
        p->c->a->failed = true;
        parse_error(p, "template string is too long");
    }
    end_piece(&s);
    vs_buf_free(&s.piece);
    set_items(p, t, &s.items);
    advance(p);
    return t;
}
