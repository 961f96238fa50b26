/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions and terms (rego.md 3). */
#include <stdarg.h>
#include <stdio.h>

#include "rego/parse.h"
#include "value/number.h"

void list_add(compilation *c, list *l, void *item)
{
    if (l->n == l->room) {
        size_t room = l->room ? l->room * 2 : 4;
        void **items = vs_grow(c->a, l->items, l->n, room, sizeof *items);
        if (!items) {
            comp_error(c, REGO_EVAL_LIMIT, NULL, NULL, "out of memory");
            return;
        }
        l->items = items;
        l->room = room;
    }
    l->items[l->n++] = item;
}

void advance(parser *p)
{
    p->last_end = p->tok.at.end;
    p->tok = lexer_next(&p->lex);
}

void parse_error(parser *p, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (!p->c->failed)
        p->failed_op = p->tok.kind == TOK_OP ? p->tok.op : 0;
    comp_error(p->c, REGO_PARSE_ERROR, p->mod, &p->tok.at, "%s", text);
    p->tok = (token){.kind = TOK_EOF, .at = p->tok.at};
}

void unexpected(parser *p, const char *wanted)
{
    vs_span src = vs_span_from(p->lex.in, p->tok.at.start);
    src = vs_span_head(src, p->tok.at.end - p->tok.at.start);
    if (p->tok.kind == TOK_EOF)
        parse_error(p, "unexpected end of the source: expected %s", wanted);
    else
        parse_error(p, "unexpected '%.*s': expected %s", VS_FMT(vs_span_head(src, 40)), wanted);
}

bool take_op(parser *p, unsigned op)
{
    if (!at_op(p, op))
        return false;
    advance(p);
    return true;
}

bool take_word(parser *p, const char *word)
{
    if (!at_word(p, word))
        return false;
    advance(p);
    return true;
}

void expect_op(parser *p, unsigned op, const char *what)
{
    if (!take_op(p, op))
        unexpected(p, what);
}

mark mark_here(const parser *p)
{
    return (mark){*p, *p->c};
}

bool read_again(parser *p, const mark *m)
{
    unsigned wildcards = p->wildcards, retries = p->retries;
    if (!vs_arena_ok(p->c->a))
        return false;
    *p->c = m->state;
    *p = m->saved;
    p->wildcards = wildcards;
    p->retries = retries;
    return true;
}

bool back_to(parser *p, const mark *m)
{
    if (p->retries == RETRIES_MAX || !read_again(p, m))
        return false;
    p->retries++;
    return true;
}

static int next_char(const parser *p)
{
    return p->tok.at.end < p->lex.in.n ? p->lex.in.p[p->tok.at.end] : -1;
}

bool names_something(const parser *p)
{
    int next = next_char(p);
    return next == '.' || next == '[';
}

bool at_keyword(const parser *p)
{
    static const char *const always[] = {"as",   "default", "else", "false", "import", "not",
                                         "null", "package", "some", "true",  "with"};
    if (p->tok.kind != TOK_IDENT)
        return false;
    if (names_something(p))
        return false;
    for (size_t i = 0; i < VS_COUNT(always); i++)
        if (vs_span_is(p->tok.text, always[i]))
            return true;
    if (vs_span_is(p->tok.text, "contains"))
        return p->mod->kw_contains && next_char(p) != '(';
    return (p->mod->kw_if && vs_span_is(p->tok.text, "if")) ||
           (p->mod->kw_in && vs_span_is(p->tok.text, "in")) ||
           (p->mod->kw_every && vs_span_is(p->tok.text, "every"));
}

/* ---- construction ---------------------------------------------------------------------------- */

term *new_term(parser *p, term_kind kind, loc at)
{
    static _Thread_local term
        nil; /* out of memory: the error is recorded, nobody looks at the tree */
    term *t = VS_NEW(p->c->a, term);
    if (!t) {
        comp_error(p->c, REGO_EVAL_LIMIT, p->mod, &at, "out of memory");
        memset(&nil, 0, sizeof nil);
        return &nil;
    }
    t->kind = kind;
    t->at = at;
    t->mod = p->mod;
    t->var = -1;
    return t;
}

term *new_string(parser *p, vs_span text, loc at)
{
    term *t = new_term(p, T_SCALAR, at);
    t->scalar = vs_string(text);
    return t;
}

static void end_here(parser *p, term *t)
{
    t->at.end = p->last_end;
}

/* Chains such as 1 + 1 + 1 + ... make deep trees without nested brackets; the phases of the
 * compiler recurse over trees. */
enum { TREE_DEPTH = 1000 };

static void deepen(parser *p, term *t, unsigned below)
{
    if (below >= t->depth)
        t->depth = below + 1;
    if (t->depth > TREE_DEPTH && !p->c->failed)
        parse_error(p, "expression is too long or nested too deeply");
}

void set_items(parser *p, term *t, const list *l)
{
    t->items = (term **)l->items;
    t->n = l->n;
    for (size_t i = 0; i < l->n; i++)
        deepen(p, t, t->items[i]->depth);
}

static void deepen_by_body(parser *p, term *t, const body *b)
{
    for (size_t i = 0; i < b->n; i++) {
        const literal *l = b->items[i];
        const term *const parts[] = {l->a, l->b, l->c};
        for (size_t k = 0; k < VS_COUNT(parts); k++)
            if (parts[k])
                deepen(p, t, parts[k]->depth);
        for (size_t k = 0; k < l->n_with; k++)
            deepen(p, t, l->with[k].value->depth);
        if (l->body)
            deepen_by_body(p, t, l->body);
    }
}

static term *scalar(parser *p, vs_val v)
{
    term *t = new_term(p, T_SCALAR, p->tok.at);
    t->scalar = v;
    advance(p);
    return t;
}

static term *operator_call(parser *p, const char *name, term *l, term *r)
{
    list items = {0};
    term *t = new_term(p, T_CALL, l->at), *op = new_term(p, T_VAR, l->at);
    op->name = vs_str(name);
    list_add(p->c, &items, op);
    list_add(p->c, &items, l);
    list_add(p->c, &items, r);
    set_items(p, t, &items);
    end_here(p, t);
    return t;
}

/* ---- primaries ---------------------------------------------------------------------------------
 */

void parse_list(parser *p, unsigned close, list *out)
{
    while (!take_op(p, close)) {
        list_add(p->c, out, parse_expr(p));
        if (p->c->failed || take_op(p, close))
            return;
        expect_op(p, ',', "',' or the closing bracket");
    }
}

static term *comprehension(parser *p, term_kind kind, loc at, term *head, term *value,
                           unsigned close)
{
    list items = {0};
    list_add(p->c, &items, head);
    if (value)
        list_add(p->c, &items, value);
    term *t = new_term(p, kind, at);
    set_items(p, t, &items);
    t->body = parse_body_until(p, close);
    deepen_by_body(p, t, t->body);
    expect_op(p, close, "the closing bracket of a comprehension");
    end_here(p, t);
    return t;
}

/* An expression whose first operand was read already. */
static term *continue_expr(parser *p, term *first);

/*
 * A '|' behind the first term makes a comprehension, not a union (rego.md 3.2), unless what follows
 * cannot be a body because of a ',': [x | y, z] is an array. NULL when it is no comprehension.
 */
static term *try_comprehension(parser *p, term_kind kind, loc at, term *head, term *value,
                               unsigned close)
{
    mark m = mark_here(p);
    if (!take_op(p, '|'))
        return NULL;
    term *t = comprehension(p, kind, at, head, value, close);
    if (!p->c->failed || p->failed_op != ',' || !back_to(p, &m))
        return t;
    return NULL;
}

static term *parse_array(parser *p)
{
    loc at = p->tok.at;
    list items = {0};
    advance(p);
    if (!take_op(p, ']')) {
        term *head = parse_postfix(p);
        term *t = try_comprehension(p, T_ARRAY_COMPR, at, head, NULL, ']');
        if (t)
            return t;
        list_add(p->c, &items, continue_expr(p, head));
        if (!take_op(p, ']')) {
            expect_op(p, ',', "',' or ']'");
            parse_list(p, ']', &items);
        }
    }
    term *t = new_term(p, T_ARRAY, at);
    set_items(p, t, &items);
    end_here(p, t);
    return t;
}

/* Behind "{ key :" the rest of an object, or of an object comprehension. */
static term *parse_object(parser *p, loc at, term *key)
{
    list items = {0};
    term *value = parse_postfix(p);
    term *all = try_comprehension(p, T_OBJECT_COMPR, at, key, value, '}');
    if (all)
        return all;
    list_add(p->c, &items, key);
    list_add(p->c, &items, continue_expr(p, value));
    while (!p->c->failed && !take_op(p, '}')) {
        expect_op(p, ',', "',' or '}'");
        if (take_op(p, '}'))
            break;
        list_add(p->c, &items, parse_expr(p));
        expect_op(p, ':', "':'");
        list_add(p->c, &items, parse_expr(p));
    }
    term *t = new_term(p, T_OBJECT, at);
    set_items(p, t, &items);
    end_here(p, t);
    return t;
}

static term *parse_brace(parser *p)
{
    loc at = p->tok.at;
    advance(p);
    if (take_op(p, '}')) {
        term *t = new_term(p, T_OBJECT, at);
        end_here(p, t);
        return t;
    }
    term *first = parse_postfix(p);
    term *set = try_comprehension(p, T_SET_COMPR, at, first, NULL, '}');
    if (set)
        return set;
    first = continue_expr(p, first);
    if (take_op(p, ':'))
        return parse_object(p, at, first);
    list items = {0};
    list_add(p->c, &items, first);
    if (!take_op(p, '}')) {
        expect_op(p, ',', "',', ':' or '}'");
        parse_list(p, '}', &items);
    }
    term *t = new_term(p, T_SET, at);
    set_items(p, t, &items);
    end_here(p, t);
    return t;
}

bool is_ground(const term *t)
{
    bool composite = t->kind == T_ARRAY || t->kind == T_SET || t->kind == T_OBJECT;
    if (!composite && t->kind != T_CALL)
        return t->kind == T_SCALAR;
    for (size_t i = composite ? 0 : 1; i < t->n; i++)
        if (!is_ground(t->items[i]))
            return false;
    return true;
}

bool is_membership(const term *t)
{
    return t->kind == T_CALL && t->n == 3 && t->items[0]->kind == T_VAR &&
           vs_span_is(t->items[0]->name, "internal.member_2");
}

/* `k, v in a in b` is `(k, v in a) in b`: the key belongs to the innermost membership on the left
 * that has no parentheses of its own (those move its start). */
term *with_key(parser *p, term *key, term *in)
{
    list items = {0};
    term *whole = in;
    while (is_membership(in->items[1]) &&
           in->items[1]->at.start == in->items[1]->items[1]->at.start)
        in = in->items[1];
    in->items[0]->name = VS_LIT("internal.member_3");
    list_add(p->c, &items, in->items[0]);
    list_add(p->c, &items, key);
    list_add(p->c, &items, in->items[1]);
    list_add(p->c, &items, in->items[2]);
    set_items(p, in, &items);
    whole->at.start = in->at.start = key->at.start;
    return whole;
}

/* "( expr )", and "(k, v in coll)". */
static term *parse_paren(parser *p)
{
    loc at = p->tok.at;
    advance(p);
    term *t = parse_expr(p);
    if (take_op(p, ',')) {
        term *in = parse_expr(p);
        if (!is_membership(in)) {
            parse_error(p, "unexpected ',' inside parentheses");
            return t;
        }
        t = with_key(p, t, in);
    } else if (at_op(p, '=') || at_op(p, OP2(':', '='))) {
        parse_error(p, "an assignment is not an expression");
    }
    expect_op(p, ')', "')'");
    t->at.start = at.start;
    end_here(p, t);
    return t;
}

term *new_wildcard(parser *p, loc at)
{
    term *t = new_term(p, T_VAR, at);
    t->wildcard = true;
    t->name = vs_str(vs_sprintf(p->c->a, "$%u", p->wildcards++));
    return t;
}

static term *parse_var(parser *p)
{
    term *t;
    if (at_word(p, "_")) {
        t = new_wildcard(p, p->tok.at);
    } else {
        t = new_term(p, T_VAR, p->tok.at);
        t->name = p->tok.text;
    }
    advance(p);
    return t;
}

/* The number; undefined when it is none, or when there is no memory for it. */
static vs_val number_of(parser *p, vs_span text)
{
    vs_error err = {0};
    vs_val v = vs_num_parse(p->c->a, text, &err);
    if (!vs_defined(v) && err.code != VS_E_LIMIT && err.code != VS_E_PARSE)
        p->c->a->failed = true;
    return v;
}

/* -1 is a number, -x is 0 - x. */
static term *parse_negative(parser *p)
{
    loc at = p->tok.at;
    advance(p);
    if (p->tok.kind == TOK_IDENT && !at_keyword(p)) {
        term *zero = new_term(p, T_SCALAR, at);
        zero->scalar = vs_int(0);
        return operator_call(p, "minus", zero, parse_postfix(p));
    }
    if (p->tok.kind != TOK_NUMBER) {
        unexpected(p, "a number behind '-'");
        return new_term(p, T_SCALAR, at);
    }
    vs_span text = vs_str(vs_sprintf(p->c->a, "-%.*s", VS_FMT(p->tok.text)));
    term *t = scalar(p, number_of(p, text));
    t->at.start = at.start;
    if (!vs_defined(t->scalar))
        comp_error(p->c, REGO_PARSE_ERROR, p->mod, &at, "illegal number format");
    return t;
}

static term *parse_number(parser *p)
{
    vs_val v = number_of(p, p->tok.text);
    if (!vs_defined(v))
        parse_error(p, "illegal number format");
    return scalar(p, v);
}

/* "set()" is a token of its own; "set(" with arguments is a call. */
static bool at_empty_set(const parser *p)
{
    vs_span rest = vs_span_from(p->lex.in, p->tok.at.start);
    return at_word(p, "set") && vs_span_starts(rest, VS_LIT("set("));
}

static term *parse_word(parser *p)
{
    if (!names_something(p)) {
        if (at_word(p, "true") || at_word(p, "false"))
            return scalar(p, vs_bool(at_word(p, "true")));
        if (at_word(p, "null"))
            return scalar(p, vs_null());
    }
    if (at_keyword(p) && !at_word(p, "contains")) {
        unexpected(p, "a term");
        return new_term(p, T_SCALAR, p->tok.at);
    }
    if (at_empty_set(p)) {
        mark m = mark_here(p);
        loc at = p->tok.at;
        advance(p);
        advance(p);
        if (take_op(p, ')')) {
            term *t = new_term(p, T_SET, at);
            end_here(p, t);
            return t;
        }
        (void)back_to(p, &m);
    }
    return parse_var(p);
}

static term *parse_primary(parser *p)
{
    switch (p->tok.kind) {
    case TOK_NUMBER: return parse_number(p);
    case TOK_STRING: return scalar(p, vs_string(p->tok.text));
    case TOK_TEMPLATE: return parse_template(p);
    case TOK_IDENT: return parse_word(p);
    case TOK_OP:
        if (p->tok.op == '[')
            return parse_array(p);
        if (p->tok.op == '{')
            return parse_brace(p);
        if (p->tok.op == '(')
            return parse_paren(p);
        if (p->tok.op == '-')
            return parse_negative(p);
        break;
    default: break;
    }
    unexpected(p, "a term");
    return new_term(p, T_SCALAR, p->tok.at);
}

/* ---- postfixes ---------------------------------------------------------------------------------
 */

/* The operand behind '.' or inside '[ ]'. */
static term *parse_operand(parser *p)
{
    if (take_op(p, '.')) {
        if (p->tok.kind != TOK_IDENT || p->tok.newline) {
            unexpected(p, "a name behind '.'");
            return new_term(p, T_SCALAR, p->tok.at);
        }
        term *t = new_string(p, p->tok.text, p->tok.at);
        advance(p);
        return t;
    }
    advance(p); /* '[' */
    term *t = parse_expr(p);
    expect_op(p, ']', "']'");
    return t;
}

static bool touches(const parser *p, unsigned op)
{
    return at_op(p, op) && !p->tok.space && !p->tok.newline;
}

static term *parse_call(parser *p, term *function)
{
    list items = {0};
    list_add(p->c, &items, function);
    advance(p);
    parse_list(p, ')', &items);
    term *t = new_term(p, T_CALL, function->at);
    set_items(p, t, &items);
    end_here(p, t);
    return t;
}

static term *parse_ref(parser *p, term *base)
{
    list items = {0};
    if (base->kind == T_SCALAR || base->kind == T_TEMPLATE)
        parse_error(p, "illegal ref (head cannot be %s)",
                    base->kind == T_TEMPLATE ? "templatestring"
                                             : vs_kind_name((vs_kind)base->scalar.kind));
    list_add(p->c, &items, base);
    while (!p->c->failed && (touches(p, '.') || touches(p, '[')))
        list_add(p->c, &items, parse_operand(p));
    term *t = new_term(p, T_REF, base->at);
    set_items(p, t, &items);
    end_here(p, t);
    return t;
}

term *parse_postfix(parser *p)
{
    if (++p->depth > PARSE_DEPTH) {
        parse_error(p, "expression is nested too deeply");
        p->depth--;
        return new_term(p, T_SCALAR, p->tok.at);
    }
    bool plain = p->tok.kind == TOK_STRING || p->tok.kind == TOK_NUMBER;
    term *t = parse_primary(p);
    if (plain && (touches(p, '.') || touches(p, '[')))
        parse_error(p, "illegal ref (head cannot be %s)", vs_kind_name(t->scalar.kind));
    for (;;) {
        if (p->c->failed)
            break;
        bool callable = t->kind == T_VAR || t->kind == T_REF;
        if (touches(p, '.') || touches(p, '['))
            t = parse_ref(p, t);
        else if (callable && touches(p, '('))
            t = parse_call(p, t);
        else
            break;
    }
    p->depth--;
    return t;
}

/* ---- operators ---------------------------------------------------------------------------------
 */

static const struct binary {
    unsigned op;
    int level;
    const char *name;
} binaries[] = {
    {OP2('=', '='), 1, "equal"}, {OP2('!', '='), 1, "neq"}, {OP1('<'), 1, "lt"},
    {OP2('<', '='), 1, "lte"},   {OP1('>'), 1, "gt"},       {OP2('>', '='), 1, "gte"},
    {OP1('|'), 2, "or"},         {OP1('&'), 3, "and"},      {OP1('+'), 4, "plus"},
    {OP1('-'), 4, "minus"},      {OP1('*'), 5, "mul"},      {OP1('/'), 5, "div"},
    {OP1('%'), 5, "rem"},
};

static const struct binary *at_binary(const parser *p, int level)
{
    if (p->tok.kind != TOK_OP)
        return NULL;
    for (size_t i = 0; i < VS_COUNT(binaries); i++)
        if (binaries[i].op == p->tok.op && binaries[i].level >= level)
            return &binaries[i];
    return NULL;
}

/* Precedence climbing from an operand that was read already. */
static term *continue_binary(parser *p, term *l, int level)
{
    const struct binary *b;
    while (!p->c->failed && (b = at_binary(p, level)) != NULL) {
        advance(p);
        l = operator_call(p, b->name, l, continue_binary(p, parse_postfix(p), b->level + 1));
    }
    return l;
}

static term *continue_expr(parser *p, term *first)
{
    term *l = continue_binary(p, first, 1);
    while (!p->c->failed && p->mod->kw_in && at_word(p, "in") && at_keyword(p)) {
        advance(p);
        l = operator_call(p, "internal.member_2", l, continue_binary(p, parse_postfix(p), 1));
    }
    return l;
}

term *parse_expr(parser *p)
{
    if (++p->depth > PARSE_DEPTH) {
        parse_error(p, "expression is nested too deeply");
        p->depth--;
        return new_term(p, T_SCALAR, p->tok.at);
    }
    term *t = continue_expr(p, parse_postfix(p));
    p->depth--;
    return t;
}
