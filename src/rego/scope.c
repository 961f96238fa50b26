/* SPDX-License-Identifier: Apache-2.0 */
/* The names that bodies declare, and what is wrong with declarations (rego.md 6.3, 6.4). */
#include "rego/resolve.h"

scope *new_scope(resolver *r, scope *parent)
{
    static _Thread_local scope nil;
    scope *s = VS_NEW(r->c->a, scope);
    if (!s) {
        comp_error(r->c, REGO_EVAL_LIMIT, r->m, NULL, "out of memory");
        memset(&nil, 0, sizeof nil);
        return &nil;
    }
    s->parent = parent;
    s->depth = parent ? parent->depth + 1 : 0;
    s->current = SIZE_MAX;
    return s;
}

struct scoped_name *find_here(scope *s, vs_span name)
{
    for (size_t i = 0; i < s->n; i++)
        if (vs_span_eq(s->names[i].name, name))
            return &s->names[i];
    return NULL;
}

struct scoped_name *find_name(scope *s, vs_span name)
{
    for (scope *at = s; at; at = at->parent) {
        struct scoped_name *n = find_here(at, name);
        bool hidden = n && n->declared && n->from >= at->current && (at != s || s->hiding);
        if (n && !hidden)
            return n;
    }
    return NULL;
}

static int new_var(resolver *r, vs_span name, unsigned depth, loc at)
{
    unit *u = r->u;
    if (u->n >= VARS_MAX) {
        comp_error(r->c, REGO_COMPILE_ERROR, r->m, &at, "too many variables in one rule");
        return 0;
    }
    if (u->n == u->room) {
        size_t room = u->room ? u->room * 2 : 16;
        u->vars = vs_grow(r->c->a, u->vars, u->n, room, sizeof *u->vars);
        u->room = room;
        if (!u->vars) {
            u->n = u->room = 0;
            comp_error(r->c, REGO_EVAL_LIMIT, r->m, NULL, "out of memory");
            return 0;
        }
    }
    u->vars[u->n] = (var_info){name, depth, at};
    return (int)u->n++;
}

static void declare_at(resolver *r, scope *s, const term *t, bool declared, size_t from)
{
    if ((r->m->rego_v1 || s->arguments) && declared &&
        (vs_span_is(t->name, "input") || vs_span_is(t->name, "data"))) {
        comp_error(r->c, REGO_COMPILE_ERROR, r->m, &t->at,
                   "%s must not shadow %.*s (use a different variable name)",
                   s->arguments ? "args" : "variables", VS_FMT(t->name));
        return;
    }
    struct scoped_name *old = find_here(s, t->name);
    if (old) {
        if (declared && old->declared)
            comp_error(r->c, REGO_COMPILE_ERROR, r->m, &t->at, "var %.*s assigned above",
                       VS_FMT(t->name));
        old->declared |= declared;
        return;
    }
    if (s->n == s->room) {
        size_t room = s->room ? s->room * 2 : 8;
        s->names = vs_grow(r->c->a, s->names, s->n, room, sizeof *s->names);
        s->room = room;
        if (!s->names) {
            s->n = s->room = 0;
            comp_error(r->c, REGO_EVAL_LIMIT, r->m, NULL, "out of memory");
            return;
        }
    }
    s->names[s->n++] = (struct scoped_name){.name = t->name,
                                            .var = new_var(r, t->name, s->depth, t->at),
                                            .declared = declared,
                                            .from = from,
                                            .at = t->at};
}

void declare(resolver *r, scope *s, const term *t, bool declared)
{
    declare_at(r, s, t, declared, 0);
}

/* ---- names that were used before their declaration ---------------------------------------------
 */

typedef struct used_names {
    vs_span *at;
    size_t n, room;
} used_names;

static bool was_used(const used_names *u, vs_span name)
{
    for (size_t i = 0; i < u->n; i++)
        if (vs_span_eq(u->at[i], name))
            return true;
    return false;
}

static void note_used(resolver *r, used_names *u, const term *t)
{
    if (r->c->failed)
        return;
    if (u->n > VARS_MAX) {
        comp_error(r->c, REGO_COMPILE_ERROR, r->m, &t->at, "too many names in one body");
        return;
    }
    if (t->kind == T_VAR && !t->wildcard && t->var < 0 && !was_used(u, t->name)) {
        if (u->n == u->room) {
            size_t room = u->room ? u->room * 2 : 16;
            vs_span *at = vs_grow(r->c->a, u->at, u->n, room, sizeof *at);
            if (!at)
                return;
            u->at = at;
            u->room = room;
        }
        u->at[u->n++] = t->name;
    }
    /* comprehensions have a scope of their own; the name of a called function is no variable */
    if (t->body)
        return;
    for (size_t i = t->kind == T_CALL; i < t->n; i++)
        note_used(r, u, t->items[i]);
}

static void note_literal(resolver *r, used_names *u, const literal *l)
{
    bool assigns = l->kind == L_ASSIGN || l->kind == L_IN;
    if (l->a && !assigns)
        note_used(r, u, l->a);
    if (l->b && l->kind != L_IN && l->kind != L_EVERY)
        note_used(r, u, l->b);
    if (l->c)
        note_used(r, u, l->c);
    for (size_t i = 0; i < l->n_with; i++)
        note_used(r, u, l->with[i].value);
    for (size_t i = 0; l->kind == L_NOT && !l->block && i < l->body->n; i++)
        note_literal(r, u, l->body->items[i]);
}

static void check_pattern(resolver *r, const scope *s, const used_names *u, const term *t)
{
    if (t->kind == T_VAR && !t->wildcard) {
        if (was_used(u, t->name))
            comp_error(r->c, REGO_COMPILE_ERROR, r->m, &t->at, "var %.*s referenced above",
                       VS_FMT(t->name));
        else if (s->parent && s->parent->arguments && find_here(s->parent, t->name))
            comp_error(r->c, REGO_COMPILE_ERROR, r->m, &t->at, "arg %.*s redeclared",
                       VS_FMT(t->name));
    } else if (t->kind == T_ARRAY || t->kind == T_OBJECT) {
        bool object = t->kind == T_OBJECT;
        for (size_t i = object; i < t->n; i += object ? 2 : 1)
            check_pattern(r, s, u, t->items[i]);
    }
}

/* OPA refuses constants on the left of := that regorus compares. */
static void check_assigned(resolver *r, const term *t)
{
    bool object = t->kind == T_OBJECT;
    if (t->kind != T_VAR && t->kind != T_ARRAY && !object)
        comp_error(r->c, REGO_COMPILE_ERROR, r->m, &t->at, "cannot assign to %s",
                   t->kind == T_SCALAR ? vs_kind_name(t->scalar.kind)
                   : t->kind == T_REF  ? "ref"
                   : t->kind == T_CALL ? "call"
                                       : "this");
    for (size_t i = object; (object || t->kind == T_ARRAY) && i < t->n; i += object ? 2 : 1)
        check_assigned(r, t->items[i]);
}

static void check_negated(resolver *r, const literal *l)
{
    if (!l->block && l->body->n == 1 && l->body->items[0]->kind == L_ASSIGN)
        comp_error(r->c, REGO_COMPILE_ERROR, r->m, &l->at,
                   "cannot assign vars inside negated expression");
}

/* What a body declares must not have been used above in it, nor be an argument (6.3, 6.4). */
static void check_declarations(resolver *r, const scope *s, const body *b)
{
    used_names u = {0};
    for (size_t i = 0; i < b->n && !r->c->failed; i++) {
        const literal *l = b->items[i];
        if (l->kind == L_ASSIGN || l->kind == L_IN) {
            if (l->kind == L_ASSIGN && l->a->kind != T_VAR && l->a->kind != T_ARRAY &&
                l->a->kind != T_OBJECT)
                comp_error(r->c, REGO_COMPILE_ERROR, r->m, &l->a->at,
                           "cannot assign to this: the left side of := must be a variable or a "
                           "pattern of variables");
            if (l->kind == L_ASSIGN && r->k->opts->strict_types)
                check_assigned(r, l->a);
            if (l->kind == L_IN)
                note_used(r, &u, l->c);
            if (l->a)
                check_pattern(r, s, &u, l->a);
            if (l->kind == L_IN)
                check_pattern(r, s, &u, l->b);
        }
        if (l->kind == L_NOT && r->k->opts->strict_types)
            check_negated(r, l);
        for (size_t j = 0; j < l->n_vars; j++)
            check_pattern(r, s, &u, l->vars[j]);
        note_literal(r, &u, l);
    }
}

/* Variables of a pattern: not those in object keys or inside references and calls. */
static void declare_pattern(resolver *r, scope *s, const term *t, size_t from)
{
    if (t->kind == T_VAR) {
        declare_at(r, s, t, !t->wildcard, from);
    } else if (t->kind == T_ARRAY) {
        for (size_t i = 0; i < t->n; i++)
            declare_pattern(r, s, t->items[i], from);
    } else if (t->kind == T_OBJECT) {
        for (size_t i = 1; i < t->n; i += 2)
            declare_pattern(r, s, t->items[i], from);
    }
}

static void declare_some(resolver *r, scope *s, const literal *l, size_t from)
{
    for (size_t j = 0; j < l->n_vars && !r->c->failed; j++) {
        declare_at(r, s, l->vars[j], true, from);
        struct scoped_name *n = find_here(s, l->vars[j]->name);
        if (!n)
            return;
        n->must_be_used = true;
        n->at = l->at;
    }
}

void check_used(resolver *r, const scope *s)
{
    for (size_t i = 0; i < s->n && r->k->opts->strict_types; i++) {
        const struct scoped_name *n = &s->names[i];
        bool wildcard = n->name.n && n->name.p[0] == '$';
        if (n->must_be_used && !n->used)
            comp_error(r->c, REGO_COMPILE_ERROR, r->m, &n->at, "declared var %.*s unused",
                       VS_FMT(wildcard ? VS_LIT("_") : n->name));
    }
}

void declare_assigned(resolver *r, scope *s, const body *b)
{
    check_declarations(r, s, b);
    for (size_t i = 0; i < b->n && !r->c->failed; i++) {
        const literal *l = b->items[i];
        if (l->kind == L_ASSIGN)
            declare_pattern(r, s, l->a, i);
        else if (l->kind == L_SOME)
            declare_some(r, s, l, i);
        else if (l->kind == L_IN) {
            if (l->a)
                declare_pattern(r, s, l->a, i);
            declare_pattern(r, s, l->b, i);
        }
    }
}
