/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be evaluated now, given the variables bound so far (rego.md 7). The body generator picks
 * literals in this order.
 */
#include "rego/compile.h"

bool is_unbound_var(const gen *g, const term *t)
{
    return t->kind == T_VAR && t->var >= 0 && !g->bound[t->var];
}

/* Visits what a term needs. In index positions of references (and nowhere else) unbound variables
 * are outputs. Returns the first variable that is missing, or NULL. */
static const term *missing(const gen *g, const term *t, unsigned depth);

static const term *missing_in(const gen *g, term *const *items, size_t n, unsigned depth)
{
    for (size_t i = 0; i < n; i++) {
        const term *m = missing(g, items[i], depth);
        if (m)
            return m;
    }
    return NULL;
}

/* A pattern's own variables may be unbound; keys of objects and other terms may not. */
static const term *missing_pattern(const gen *g, const term *t, unsigned depth)
{
    if (t->kind == T_VAR)
        return t->must_be_bound && is_unbound_var(g, t) ? t : NULL;
    if (t->kind == T_ARRAY || t->kind == T_OBJECT) {
        bool object = t->kind == T_OBJECT;
        for (size_t i = 0; i < t->n; i++) {
            const term *m = object && i % 2 == 0 ? missing(g, t->items[i], depth)
                                                 : missing_pattern(g, t->items[i], depth);
            if (m)
                return m;
        }
        return NULL;
    }
    return missing(g, t, depth);
}

static const term *missing_body(const gen *g, const body *b, unsigned depth);

static const term *missing_literal(const gen *g, const literal *l, unsigned depth)
{
    const term *m = NULL;
    for (size_t i = 0; i < l->n_with && !m; i++)
        if (l->with[i].value->kind != T_CALL || l->with[i].value->n > 1)
            m = missing(g, l->with[i].value, depth);
    if (!m && l->a)
        m = missing(g, l->a, depth);
    if (!m && l->b)
        m = missing(g, l->b, depth);
    if (!m && l->c)
        m = missing(g, l->c, depth);
    if (!m && l->body)
        m = missing_body(g, l->body, depth);
    return m;
}

/* Inside a closure only the variables of outer bodies (scope depth < depth) can be missing. */
static const term *missing_body(const gen *g, const body *b, unsigned depth)
{
    for (size_t i = 0; i < b->n; i++) {
        const term *m = missing_literal(g, b->items[i], depth);
        if (m)
            return m;
    }
    return NULL;
}

static bool has_output(const term *t)
{
    if (t->call == CALL_FUNCTION)
        return t->n - 1 == t->function->arity + 1;
    if (t->call == CALL_BUILTIN && t->builtin)
        return t->n - 1 == rego_builtin_arity(t->builtin) + 1;
    return false;
}

static const term *missing(const gen *g, const term *t, unsigned depth)
{
    const term *m;
    switch (t->kind) {
    case T_VAR: return is_unbound_var(g, t) && g->unit->vars[t->var].depth < depth ? t : NULL;
    case T_REF:
        m = missing(g, t->items[0], depth);
        for (size_t i = 1; i < t->n && !m; i++)
            m = depth == UINT32_MAX ? missing_pattern(g, t->items[i], depth)
                                    : missing(g, t->items[i], depth);
        return m;
    case T_CALL:
        if (depth == UINT32_MAX && has_output(t)) {
            m = missing_in(g, t->items + 1, t->n - 2, depth);
            return m ? m : missing_pattern(g, t->items[t->n - 1], depth);
        }
        return missing_in(g, t->items + 1, t->n - 1, depth);
    case T_ARRAY:
    case T_SET:
    case T_OBJECT: return missing_in(g, t->items, t->n, depth);
    case T_TEMPLATE: /* its references enumerate nothing */
        return missing_in(g, t->items, t->n, depth == UINT32_MAX ? depth - 1 : depth);
    case T_ARRAY_COMPR:
    case T_SET_COMPR:
    case T_OBJECT_COMPR: {
        unsigned inner = t->body->scope->depth < depth ? t->body->scope->depth : depth;
        m = missing_in(g, t->items, t->n, inner);
        return m ? m : missing_body(g, t->body, inner);
    }
    default: return NULL;
    }
}

enum { HERE = UINT32_MAX };

const term *first_missing(const gen *g, const term *t)
{
    return missing(g, t, HERE);
}

bool is_ready(const gen *g, const term *t)
{
    return first_missing(g, t) == NULL;
}

void report_unsafe(gen *g, const term *v)
{
    vs_span name = v->wildcard ? VS_LIT("_") : v->name;
    comp_error(g->c, v->must_be_bound ? REGO_COMPILE_ERROR : REGO_UNSAFE_VAR_ERROR,
               v->mod ? v->mod : g->mod, &v->at, "var %.*s is %s", VS_FMT(name),
               v->must_be_bound ? "undeclared" : "unsafe");
}

bool is_pattern_ready(const gen *g, const term *t)
{
    return missing_pattern(g, t, HERE) == NULL;
}

bool has_unbound(const gen *g, const term *t)
{
    if (t->kind == T_VAR)
        return is_unbound_var(g, t);
    if (t->kind != T_ARRAY && t->kind != T_OBJECT)
        return false;
    for (size_t i = 0; i < t->n; i++)
        if (has_unbound(g, t->items[i]))
            return true;
    return false;
}

static const term *first(const term *a, const term *b)
{
    return a ? a : b;
}

const term *unsafe_var(const gen *g, const literal *l)
{
    const term *m = NULL;
    for (size_t i = 0; i < l->n_with && !m; i++)
        if (l->with[i].value->kind != T_CALL || l->with[i].value->n > 1)
            m = missing(g, l->with[i].value, HERE);
    if (m)
        return m;
    switch (l->kind) {
    case L_EXPR: return missing(g, l->a, HERE);
    case L_ASSIGN: return first(missing(g, l->b, HERE), missing_pattern(g, l->a, HERE));
    case L_UNIFY: {
        const term *ab = first(missing(g, l->a, HERE), missing_pattern(g, l->b, HERE));
        return ab ? (first(missing(g, l->b, HERE), missing_pattern(g, l->a, HERE)) ? ab : NULL)
                  : NULL;
    }
    case L_IN:
        m = missing(g, l->c, HERE);
        if (!m && l->a)
            m = missing_pattern(g, l->a, HERE);
        return m ? m : missing_pattern(g, l->b, HERE);
    case L_EVERY:
        m = missing(g, l->c, HERE);
        return m ? m : missing_body(g, l->body, l->body->scope->depth - 1);
    case L_NOT: return missing_body(g, l->body, l->body->scope->depth);
    case L_SOME: return NULL;
    }
    return NULL;
}

bool is_literal_ready(const gen *g, const literal *l)
{
    return unsafe_var(g, l) == NULL;
}
