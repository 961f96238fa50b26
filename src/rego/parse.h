/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the parser share: parse_*.c. */
#ifndef VS_REGO_PARSE_H
#define VS_REGO_PARSE_H

#include "rego/lexer.h"

enum { PARSE_DEPTH = 128 };

typedef struct parser {
    compilation *c;
    lexer lex;
    token tok;         /* the one not yet consumed */
    uint32_t last_end; /* where the token before it ended */
    module *mod;
    unsigned depth;
    unsigned failed_op; /* the operator at which reading failed, 0 = something else */
    unsigned wildcards; /* numbers the generated names of `_` */
    unsigned retries;   /* second readings so far, see back_to */
} parser;

/* A growing list of pointers on the compilation's arena. */
typedef struct list {
    void **items;
    size_t n, room;
} list;
void list_add(compilation *c, list *l, void *item);

void advance(parser *p);
void parse_error(parser *p, const char *fmt, ...) VS_PRINTF(2, 3);
/* "unexpected 'x': expected ..." at the current token. */
void unexpected(parser *p, const char *wanted);
static inline bool at_op(const parser *p, unsigned op)
{
    return p->tok.kind == TOK_OP && p->tok.op == op;
}
static inline bool at_word(const parser *p, const char *word)
{
    return p->tok.kind == TOK_IDENT && vs_span_is(p->tok.text, word);
}
bool take_op(parser *p, unsigned op);
bool take_word(parser *p, const char *word);
void expect_op(parser *p, unsigned op, const char *what);
/* True when the token is a keyword in this module and not used as a name here. */
bool at_keyword(const parser *p);
/* The word is followed by '.' or '[': even a keyword is then a name. */
bool names_something(const parser *p);
/* `v in coll`, and its form with a key: `k, v in coll`. */
bool is_membership(const term *t);
term *with_key(parser *p, term *key, term *in);

/* A try that may be taken back: tokens and errors. Nested second readings would take exponential
 * time, so a module has RETRIES_MAX of them: back_to returns false when none is left, and the error
 * stays. */
enum { RETRIES_MAX = 256 };
typedef struct mark {
    parser saved;
    compilation state;
} mark;
mark mark_here(const parser *p);
bool back_to(parser *p, const mark *m);
/* The same without counting, where second readings cannot nest. */
bool read_again(parser *p, const mark *m);

term *new_term(parser *p, term_kind kind, loc at);
void set_items(parser *p, term *t, const list *l);
term *new_string(parser *p, vs_span text, loc at);
/* Any expression, `in` included (one operand before it). */
term *parse_expr(parser *p);
/* $"..{expr}..", which is the current token. */
term *parse_template(parser *p);
/* A term with its postfixes: what may stand left of '|' in a comprehension. */
term *parse_postfix(parser *p);
/* expr { "," expr } up to `close`, trailing comma allowed. Consumes `close`. */
void parse_list(parser *p, unsigned close, list *out);
/* Literals up to '}' or ']' or ')' or end of input (not consumed). */
body *parse_body_until(parser *p, unsigned close);
body *parse_single_literal(parser *p);
literal *new_literal(parser *p, literal_kind kind, loc at);
body *new_body(parser *p, list *items);
/* An expression with its `with` modifiers as the body `result = expr with ...`, for places where an
 * expression stands but only a literal can be modified. NULL when there is no `with` here. */
body *parse_modified(parser *p, term *expr, term *result);
term *new_wildcard(parser *p, loc at);
/* IDENT then ".word" and "[expr]" that touch it. */
void parse_head_ref(parser *p, list *path);

#endif
