/* SPDX-License-Identifier: Apache-2.0 */
/* Literals and bodies (rego.md 3, 6). */
#include "rego/parse.h"

/* ---- literals
 * ------------------------------------------------------------------------------------ */

literal *new_literal(parser *p, literal_kind kind, loc at)
{
    static _Thread_local literal nil;
    literal *l = VS_NEW(p->c->a, literal);
    if (!l) {
        comp_error(p->c, REGO_EVAL_LIMIT, p->mod, &at, "out of memory");
        memset(&nil, 0, sizeof nil);
        return &nil;
    }
    l->kind = kind;
    l->at = at;
    return l;
}

body *new_body(parser *p, list *items)
{
    static _Thread_local body nil;
    body *b = VS_NEW(p->c->a, body);
    if (!b) {
        comp_error(p->c, REGO_EVAL_LIMIT, p->mod, NULL, "out of memory");
        memset(&nil, 0, sizeof nil);
        return &nil;
    }
    b->items = (literal **)items->items;
    b->n = items->n;
    return b;
}

/* An expression, or `k, v in coll` without parentheses. */
static term *parse_keyed_expr(parser *p)
{
    term *t = parse_expr(p);
    if (!p->mod->kw_in || !take_op(p, ','))
        return t;
    term *in = parse_expr(p);
    if (is_membership(in))
        return with_key(p, t, in);
    p->tok = (token){.kind = TOK_OP, .op = ',', .at = p->tok.at};
    parse_error(p, "unexpected ',' in an expression");
    return t;
}

static literal *parse_expr_literal(parser *p)
{
    loc at = p->tok.at;
    term *l = parse_keyed_expr(p);
    literal_kind kind = at_op(p, '=') ? L_UNIFY : at_op(p, OP2(':', '=')) ? L_ASSIGN : L_EXPR;
    literal *lit = new_literal(p, kind, at);
    lit->a = l;
    if (kind != L_EXPR) {
        advance(p);
        lit->b = parse_keyed_expr(p);
    }
    lit->at.end = p->last_end;
    return lit;
}

/* some x, y  |  some [k,] v in coll */
static literal *parse_some(parser *p)
{
    loc at = p->tok.at;
    advance(p);
    list terms = {0};
    term *t = parse_expr(p);
    literal *lit;
    bool in = is_membership(t);
    if (!in) {
        list_add(p->c, &terms, t);
        while (take_op(p, ',')) {
            t = parse_expr(p);
            in = is_membership(t);
            if (!in)
                list_add(p->c, &terms, t);
        }
    }
    if (in) {
        lit = new_literal(p, L_IN, at);
        if (terms.n > 1)
            parse_error(p, "'some' takes at most two patterns before 'in'");
        lit->a = terms.n ? terms.items[0] : NULL;
        lit->b = t->items[1];
        lit->c = t->items[2];
    } else {
        lit = new_literal(p, L_SOME, at);
        lit->vars = (term **)terms.items;
        lit->n_vars = terms.n;
        for (size_t i = 0; i < terms.n; i++)
            if (lit->vars[i]->kind != T_VAR)
                parse_error(p, "'some' declares variables only");
    }
    lit->at.end = p->last_end;
    return lit;
}

/* every [k,] v in coll { body } */
static literal *parse_every(parser *p)
{
    loc at = p->tok.at;
    advance(p);
    literal *lit = new_literal(p, L_EVERY, at);
    lit->b = parse_postfix(p);
    if (take_op(p, ',')) {
        lit->a = lit->b;
        lit->b = parse_postfix(p);
    }
    if ((lit->a && lit->a->kind != T_VAR) || lit->b->kind != T_VAR)
        parse_error(p, "'every' binds variables only");
    if (!take_word(p, "in"))
        parse_error(p, "expected 'in' after the variables of 'every'");
    lit->c = parse_expr(p);
    expect_op(p, '{', "'{' and the body of 'every'");
    lit->body = parse_body_until(p, '}');
    expect_op(p, '}', "'}'");
    lit->at.end = p->last_end;
    return lit;
}

static literal *parse_plain(parser *p)
{
    if (at_word(p, "some") && at_keyword(p))
        return parse_some(p);
    if (at_word(p, "every") && p->mod->kw_every && at_keyword(p))
        return parse_every(p);
    return parse_expr_literal(p);
}

static void parse_withs(parser *p, literal *lit)
{
    list mods = {0};
    while (!p->c->failed && at_word(p, "with") && at_keyword(p)) {
        advance(p);
        with_mod *w = VS_NEW(p->c->a, with_mod);
        if (!w)
            return;
        w->target = parse_postfix(p);
        if (!take_word(p, "as"))
            parse_error(p, "expected 'as' after the target of 'with'");
        w->value = parse_expr(p);
        list_add(p->c, &mods, w);
    }
    if (!mods.n)
        return;
    lit->with = vs_alloc_array(p->c->a, mods.n, sizeof *lit->with);
    for (size_t i = 0; lit->with && i < mods.n; i++)
        lit->with[i] = *(with_mod *)mods.items[i];
    lit->n_with = lit->with ? mods.n : 0;
    lit->at.end = p->last_end;
}

body *parse_modified(parser *p, term *expr, term *result)
{
    if (!at_word(p, "with") || !at_keyword(p))
        return NULL;
    literal *lit = new_literal(p, L_UNIFY, expr->at);
    lit->a = result;
    lit->b = expr;
    parse_withs(p, lit);
    list items = {0};
    list_add(p->c, &items, lit);
    return new_body(p, &items);
}

/* What stands behind `not`: one literal, or with the keyword in force a whole { body }. */
static body *parse_negated(parser *p)
{
    if (p->mod->kw_not && take_op(p, '{')) {
        body *b = parse_body_until(p, '}');
        expect_op(p, '}', "'}' at the end of a negated body");
        return b;
    }
    static const char *const unnegatable[] = {"some", "every", "not"};
    for (size_t i = 0; i < VS_COUNT(unnegatable); i++)
        if (at_word(p, unnegatable[i]) && at_keyword(p))
            parse_error(p, "unexpected %s keyword: illegal negation of '%s'", unnegatable[i],
                        unnegatable[i]);
    list inner = {0};
    list_add(p->c, &inner, parse_plain(p));
    return new_body(p, &inner);
}

/* ---- `not` as OPA has it without future.keywords.not (rego.md 6.6): the arguments of calls inside
 * are evaluated before, so when one is undefined the negation fails too ---- */

static void hoist(parser *p, term **arg, const literal *lit, list *out)
{
    literal *before = new_literal(p, L_UNIFY, (*arg)->at);
    before->a = new_wildcard(p, (*arg)->at);
    before->b = *arg;
    before->with = lit->with;
    before->n_with = lit->n_with;
    *arg = before->a;
    list_add(p->c, out, before);
}

/* Equality keeps its references inside; other calls keep none. */
static void hoist_operands(parser *p, term *call, const literal *lit, list *out)
{
    bool equality = call->items[0]->kind == T_VAR && vs_span_is(call->items[0]->name, "equal");
    for (size_t i = 1; i < call->n; i++)
        if (call->items[i]->kind == T_CALL || (call->items[i]->kind == T_REF && !equality))
            hoist(p, &call->items[i], lit, out);
}

/* Replacements are computed once, not again for everything that was hoisted. */
static void hoist_replacements(parser *p, literal *lit, list *out)
{
    static const literal plain;
    for (size_t i = 0; i < lit->n_with; i++) {
        term **value = &lit->with[i].value;
        if ((*value)->kind != T_SCALAR && (*value)->kind != T_VAR && (*value)->kind != T_REF)
            hoist(p, value, &plain, out);
    }
}

static void hoist_negated(parser *p, literal *lit, list *out)
{
    literal *inner = lit->body->items[0];
    if (lit->body->n != 1 || p->mod->kw_not)
        return;
    hoist_replacements(p, lit, out);
    if (inner->kind == L_UNIFY) {
        if (inner->a->kind == T_CALL)
            hoist(p, &inner->a, lit, out);
        if (inner->b->kind == T_CALL)
            hoist(p, &inner->b, lit, out);
    } else if (inner->kind == L_EXPR && inner->a->kind == T_CALL) {
        hoist_operands(p, inner->a, lit, out);
    } else if (inner->kind == L_EXPR && inner->a->kind == T_REF) {
        for (size_t i = 1; i < inner->a->n; i++)
            if (inner->a->items[i]->kind == T_CALL || inner->a->items[i]->kind == T_REF)
                hoist(p, &inner->a->items[i], lit, out);
    }
}

static void parse_literal(parser *p, list *out)
{
    if (++p->depth > PARSE_DEPTH)
        parse_error(p, "nested too deeply");
    literal *lit;
    loc at = p->tok.at;
    if (at_word(p, "not") && at_keyword(p)) {
        advance(p);
        lit = new_literal(p, L_NOT, at);
        lit->block = p->mod->kw_not && at_op(p, '{');
        lit->body = parse_negated(p);
        lit->at.end = p->last_end;
    } else {
        lit = parse_plain(p);
    }
    parse_withs(p, lit);
    if (p->c->legacy_not && lit->kind == L_NOT && !p->c->failed)
        hoist_negated(p, lit, out);
    list_add(p->c, out, lit);
    p->depth--;
}

body *parse_single_literal(parser *p)
{
    list items = {0};
    parse_literal(p, &items);
    return new_body(p, &items);
}

body *parse_body_until(parser *p, unsigned close)
{
    list items = {0};
    while (!p->c->failed && !at_op(p, close) && !(close == 0 && p->tok.kind == TOK_EOF)) {
        parse_literal(p, &items);
        bool semicolon = take_op(p, ';');
        if (!semicolon && !at_op(p, close) && p->tok.kind != TOK_EOF && !p->tok.newline)
            parse_error(p, "unexpected text behind an expression: expected a new line, ';' or the "
                           "closing bracket");
        if (p->tok.kind == TOK_EOF)
            break;
    }
    if (items.n == 0)
        parse_error(p, "a body must not be empty");
    return new_body(p, &items);
}
