/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names into meanings (rego.md 5.1): a local variable, an import, a rule of the package, input,
 * data or a builtin. Works in place on the tree.
 */
#include "rego/resolve.h"

/* ---- what a name means ------------------------------------------------------------------------
 */

static const import *find_import(const module *m, vs_span name)
{
    for (size_t i = 0; i < m->n_imports; i++)
        if (vs_span_eq(m->imports[i].alias, name))
            return &m->imports[i];
    return NULL;
}

/* The import behind a name. Where a rule of the package has the name too, references mean the rule
 * and calls the import, as in regorus. */
static const import *imported(const resolver *r, vs_span name, bool called)
{
    const import *imp = find_import(r->m, name);
    return imp && (called || !is_package_rule(r->k, r->m, name)) ? imp : NULL;
}

static bool is_global(const resolver *r, vs_span name)
{
    return vs_span_is(name, "input") || vs_span_is(name, "data") || find_import(r->m, name) ||
           is_package_rule(r->k, r->m, name);
}

static term *fresh(resolver *r, term_kind kind, const term *like)
{
    static _Thread_local term nil;
    term *t = VS_NEW(r->c->a, term);
    if (!t) {
        comp_error(r->c, REGO_EVAL_LIMIT, r->m, NULL, "out of memory");
        memset(&nil, 0, sizeof nil);
        return &nil;
    }
    t->kind = kind;
    t->at = like->at;
    t->mod = like->mod;
    t->var = -1;
    return t;
}

static term *name_term(resolver *r, vs_span name, const term *like)
{
    term *t = fresh(r, T_SCALAR, like);
    t->scalar = vs_string(name);
    return t;
}

/* The path a global name stands for: [input, ...] or [data, ...]. */
static void expand_global(resolver *r, const term *t, bool called, list *out)
{
    const import *imp = imported(r, t->name, called);
    if (imp) {
        bool is_input = vs_span_is(imp->path[0]->name, "input");
        list_add(r->c, out, fresh(r, is_input ? T_INPUT : T_DATA, t));
        for (size_t i = 1; i < imp->n; i++)
            list_add(r->c, out, imp->path[i]);
    } else if (vs_span_is(t->name, "input")) {
        list_add(r->c, out, fresh(r, T_INPUT, t));
    } else {
        list_add(r->c, out, fresh(r, T_DATA, t));
        if (vs_span_is(t->name, "data"))
            return;
        for (size_t i = 0; i < r->m->n_package; i++)
            list_add(r->c, out, name_term(r, r->m->package[i], t));
        list_add(r->c, out, name_term(r, t->name, t));
    }
}

static void to_ref(term *t, const list *path)
{
    if (path->n == 0) /* out of memory */
        return;
    if (path->n == 1) {
        t->kind = ((term *)path->items[0])->kind;
        return;
    }
    t->kind = T_REF;
    t->items = (term **)path->items;
    t->n = path->n;
}

/* ---- implicit variables: names used at this level that mean nothing else --------------------- */

static void declare_used(resolver *r, scope *s, const term *t);

static void declare_used_list(resolver *r, scope *s, term *const *items, size_t n)
{
    for (size_t i = 0; i < n; i++)
        declare_used(r, s, items[i]);
}

static void declare_used(resolver *r, scope *s, const term *t)
{
    switch (t->kind) {
    case T_VAR:
        if (!find_name(s, t->name) && !is_global(r, t->name))
            declare(r, s, t, false);
        return;
    case T_CALL: declare_used_list(r, s, t->items + 1, t->n - 1); return;
    case T_REF:
    case T_ARRAY:
    case T_SET:
    case T_OBJECT:
    case T_TEMPLATE: declare_used_list(r, s, t->items, t->n); return;
    default: return; /* comprehensions have a scope of their own */
    }
}

static void declare_implicit(resolver *r, scope *s, const body *b)
{
    for (size_t i = 0; i < b->n && !r->c->failed; i++) {
        const literal *l = b->items[i];
        if (l->kind != L_EVERY && l->a)
            declare_used(r, s, l->a);
        if (l->kind != L_EVERY && l->b)
            declare_used(r, s, l->b);
        if (l->c)
            declare_used(r, s, l->c);
        for (size_t j = 0; j < l->n_with; j++)
            declare_used(r, s, l->with[j].value);
    }
}

/* ---- resolving ---------------------------------------------------------------------------------
 */

static void resolve_term(resolver *r, scope *s, term *t);
static void resolve_body(resolver *r, scope *s, body *b);

static void resolve_list(resolver *r, scope *s, term **items, size_t n)
{
    for (size_t i = 0; i < n; i++)
        resolve_term(r, s, items[i]);
}

static void resolve_var(resolver *r, scope *s, term *t)
{
    struct scoped_name *n = find_name(s, t->name);
    if (n) {
        t->var = n->var;
        n->used = true;
        return;
    }
    if (is_global(r, t->name)) {
        list path = {0};
        expand_global(r, t, false, &path);
        to_ref(t, &path);
        return;
    }
    if (s->hiding && find_here(s, t->name))
        comp_error(r->c, REGO_COMPILE_ERROR, r->m, &t->at, "var %.*s referenced above",
                   VS_FMT(t->name));
    else
        comp_error(r->c, REGO_UNSAFE_VAR_ERROR, r->m, &t->at, "var %.*s is unsafe",
                   VS_FMT(t->name));
}

static void resolve_ref(resolver *r, scope *s, term *t)
{
    term *base = t->items[0];
    bool global = base->kind == T_VAR && !find_name(s, base->name) && is_global(r, base->name);
    if (!global) {
        resolve_list(r, s, t->items, t->n);
        return;
    }
    list path = {0};
    expand_global(r, base, false, &path);
    for (size_t i = 1; i < t->n; i++) {
        resolve_term(r, s, t->items[i]);
        list_add(r->c, &path, t->items[i]);
    }
    to_ref(t, &path);
}

/* "a.b.c" of a call's function; empty when it is not a plain dotted name. */
static vs_span dotted(resolver *r, const term *f)
{
    if (f->kind == T_VAR)
        return f->name;
    if (f->kind != T_REF || f->items[0]->kind != T_VAR)
        return (vs_span){NULL, 0};
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1024);
    vs_buf_put(&b, f->items[0]->name);
    for (size_t i = 1; i < f->n; i++) {
        if (f->items[i]->kind != T_SCALAR || f->items[i]->scalar.kind != VS_STRING)
            return (vs_span){NULL, 0};
        vs_buf_putc(&b, '.');
        vs_buf_put(&b, vs_text(f->items[i]->scalar));
    }
    if (!vs_buf_ok(&b))
        r->c->a->failed = true;
    return vs_dup(r->c->a, vs_buf_span(&b));
}

static group *user_function(resolver *r, scope *s, const term *f)
{
    if (f->kind != T_VAR && f->kind != T_REF)
        return NULL;
    const term *base = f->kind == T_VAR ? f : f->items[0];
    if (base->kind != T_VAR || find_name(s, base->name) || !is_global(r, base->name))
        return NULL;
    list path = {0};
    expand_global(r, base, true, &path);
    for (size_t i = 1; f->kind == T_REF && i < f->n; i++)
        list_add(r->c, &path, f->items[i]);
    if (path.n == 0 || ((term *)path.items[0])->kind != T_DATA)
        return NULL;
    return find_group(r->k, (term **)path.items + 1, path.n - 1);
}

static int find_host(const compiler *k, vs_span name)
{
    for (size_t i = 0; i < k->p->n_hosts; i++)
        if (vs_span_is(name, k->p->hosts[i].name))
            return (int)i;
    return -1;
}

/* Fills in what is called; false when there is no such function. Order: 16.4. */
static bool resolve_callee(resolver *r, scope *s, term *call)
{
    term *f = call->items[0];
    group *g = user_function(r, s, f);
    call->name = dotted(r, f);
    if (g && g->kind == GROUP_FUNCTION) {
        call->call = CALL_FUNCTION;
        call->function = g;
        return true;
    }
    int host = find_host(r->k, call->name);
    if (host >= 0) {
        call->call = CALL_HOST;
        call->host = host;
        return true;
    }
    call->builtin = call->name.n ? rego_builtin_find(call->name) : NULL;
    if (call->builtin && (call->builtin->flags & REGO_BF_V0_ONLY) && r->m->rego_v1)
        call->builtin = NULL;
    call->call = CALL_BUILTIN;
    if (g && call->n == 1)
        return true; /* f() reads the rule f, see resolve_call */
    return call->builtin != NULL || vs_span_starts(call->name, VS_LIT("internal.member_"));
}

static unsigned call_arity(const resolver *r, const term *call)
{
    switch (call->call) {
    case CALL_FUNCTION: return call->function->arity;
    case CALL_HOST: return r->k->p->hosts[call->host].arity;
    default: return call->builtin ? rego_builtin_arity(call->builtin) : (unsigned)(call->n - 1);
    }
}

/* f() for a rule f is the rule's value. */
static bool given_rule(resolver *r, scope *s, term *call)
{
    const group *g = user_function(r, s, call->items[0]);
    if (!g || g->kind == GROUP_FUNCTION || call->n != 1)
        return false;
    term *f = call->items[0];
    resolve_term(r, s, f);
    loc at = call->at;
    *call = *f;
    call->at = at;
    return true;
}

/* A piece of a template has one value: what indexes its references has to be known before. */
static void forbid_enumeration(term *t)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->kind == T_REF && i > 0 && t->items[i]->kind == T_VAR)
            t->items[i]->must_be_bound = true;
        if (!t->items[i]->body)
            forbid_enumeration(t->items[i]);
    }
}

static void check_print(resolver *r, term *t, bool statement)
{
    for (size_t i = 1; i < t->n; i++)
        if (t->items[i]->kind == T_VAR)
            t->items[i]->must_be_bound = true;
    if (!r->k->opts->strict_types)
        return;
    forbid_enumeration(t);
    if (!statement)
        comp_error(r->c, REGO_TYPE_ERROR, r->m, &t->at, "print(..) used as value");
}

static void resolve_call(resolver *r, scope *s, term *t)
{
    bool statement = t == r->statement;
    resolve_list(r, s, t->items + 1, t->n - 1);
    if (r->c->failed)
        return;
    if (!resolve_callee(r, s, t)) {
        if (!r->k->opts->late_unknown_functions || !t->name.n)
            comp_error(r->c, REGO_TYPE_ERROR, r->m, &t->at, "undefined function %.*s",
                       VS_FMT(t->name));
        return;
    }
    if (t->call == CALL_BUILTIN && !t->builtin && given_rule(r, s, t))
        return;
    if (t->call == CALL_BUILTIN && vs_span_is(t->name, "print"))
        check_print(r, t, statement);
    unsigned arity = call_arity(r, t), given = (unsigned)(t->n - 1);
    if (arity == REGO_VARIADIC || given == arity || (given == arity + 1 && statement))
        return;
    comp_error(r->c, REGO_TYPE_ERROR, r->m, &t->at, "function %.*s has arity %u, got %u argument%s",
               VS_FMT(t->name), arity, given, given == 1 ? "" : "s");
}

static void resolve_comprehension(resolver *r, scope *s, term *t)
{
    t->body->scope = new_scope(r, s);
    declare_assigned(r, t->body->scope, t->body);
    for (size_t i = 0; i < t->n; i++)
        declare_used(r, t->body->scope, t->items[i]);
    resolve_body(r, t->body->scope, t->body);
    resolve_list(r, t->body->scope, t->items, t->n);
    check_used(r, t->body->scope);
}

static void resolve_term(resolver *r, scope *s, term *t)
{
    if (r->c->failed)
        return;
    switch (t->kind) {
    case T_VAR:
        if (t->var < 0)
            resolve_var(r, s, t);
        return;
    case T_REF: resolve_ref(r, s, t); return;
    case T_CALL: resolve_call(r, s, t); return;
    case T_ARRAY:
    case T_SET:
    case T_OBJECT: resolve_list(r, s, t->items, t->n); return;
    case T_TEMPLATE:
        forbid_enumeration(t);
        resolve_list(r, s, t->items, t->n);
        return;
    case T_ARRAY_COMPR:
    case T_SET_COMPR:
    case T_OBJECT_COMPR: resolve_comprehension(r, s, t); return;
    default: return;
    }
}

/* The function named as the replacement in `with f as g`; T_CALL terms keep what they found. */
static void resolve_with_function(resolver *r, scope *s, term *t, bool must)
{
    term *call = fresh(r, T_CALL, t), *name = fresh(r, T_VAR, t);
    *name = *t;
    list items = {0};
    list_add(r->c, &items, name);
    call->items = (term **)items.items;
    call->n = items.n;
    bool nameable = t->kind == T_VAR || t->kind == T_REF;
    if (nameable && r->c->failed == false && resolve_callee(r, s, call) &&
        (call->builtin || call->call != CALL_BUILTIN)) {
        *t = *call;
        return;
    }
    if (must)
        comp_error(r->c, REGO_TYPE_ERROR, r->m, &t->at,
                   "'with' must replace input, data, or a function");
    else
        resolve_term(r, s, t);
}

/* data.p.q.x where data.p.q is a rule: it is replaced as a whole or not at all. */
static void check_replaced_document(resolver *r, const term *target)
{
    for (size_t n = 1; target->kind == T_REF && n + 1 < target->n; n++) {
        const group *g = find_group(r->k, target->items + 1, n);
        if (g)
            comp_error(r->c, REGO_COMPILE_ERROR, r->m, &target->at,
                       "with keyword cannot partially replace virtual document(s)");
    }
}

static void check_replaced_function(resolver *r, const term *target)
{
    if (r->c->failed || target->call != CALL_BUILTIN)
        return;
    if (vs_span_starts(target->name, VS_LIT("rego.metadata.")))
        comp_error(r->c, REGO_COMPILE_ERROR, r->m, &target->at,
                   "with keyword replacing built-in function: replacement of \"%.*s\" invalid",
                   VS_FMT(target->name));
    if (target->builtin && (target->builtin->flags & REGO_BF_RELATION))
        comp_error(r->c, REGO_COMPILE_ERROR, r->m, &target->at,
                   "with keyword replacing built-in function: target must not be a relation");
}

static void check_replacement(resolver *r, const with_mod *w)
{
    if (r->c->failed || w->value->kind != T_CALL || w->value->n != 1)
        return; /* a value */
    unsigned from = call_arity(r, w->target), to = call_arity(r, w->value);
    if (from != to && from != REGO_VARIADIC && to != REGO_VARIADIC)
        comp_error(r->c, REGO_TYPE_ERROR, r->m, &w->target->at, "%.*s: arity mismatch",
                   VS_FMT(w->target->name));
}

static void resolve_with(resolver *r, scope *s, with_mod *w)
{
    if (w->resolved)
        return;
    w->resolved = true;
    const term *root = w->target->kind == T_REF ? w->target->items[0] : w->target;
    bool document =
        root->kind == T_VAR && (vs_span_is(root->name, "input") || vs_span_is(root->name, "data") ||
                                find_import(r->m, root->name));
    bool function = false;
    if (document || is_package_rule(r->k, r->m, root->name)) {
        group *g = user_function(r, s, w->target);
        function = g && g->kind == GROUP_FUNCTION;
    }
    if (document && !function) {
        resolve_term(r, s, w->target);
        if (w->target->kind == T_REF && w->target->items[0]->kind == T_DATA)
            check_replaced_document(r, w->target);
        resolve_term(r, s, w->value);
        return;
    }
    group *g = user_function(r, s, w->target);
    if (g && g->kind != GROUP_FUNCTION) { /* a rule of this package by its short name */
        resolve_term(r, s, w->target);
        resolve_term(r, s, w->value);
        return;
    }
    resolve_with_function(r, s, w->target, true);
    check_replaced_function(r, w->target);
    resolve_with_function(r, s, w->value, false);
    check_replacement(r, w);
}

static void declare_every(resolver *r, scope *s, term *t)
{
    declare(r, s, t, !t->wildcard);
    struct scoped_name *n = find_here(s, t->name);
    if (!n)
        return;
    n->must_be_used = !t->wildcard;
    t->var = n->var;
}

static void resolve_every(resolver *r, scope *s, literal *l)
{
    resolve_term(r, s, l->c);
    scope *inner = new_scope(r, s);
    if (l->a)
        declare_every(r, inner, l->a);
    declare_every(r, inner, l->b);
    l->body->scope = new_scope(r, inner);
    declare_assigned(r, l->body->scope, l->body);
    resolve_body(r, l->body->scope, l->body);
    check_used(r, l->body->scope);
    check_used(r, inner);
}

/* Without braces, a negation looks for no values: its names have them from elsewhere. */
static void check_negated_names(resolver *r, const scope *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (!s->names[i].declared && s->names[i].name.n && s->names[i].name.p[0] != '$')
            comp_error(r->c, REGO_UNSAFE_VAR_ERROR, r->m, &s->names[i].at, "var %.*s is unsafe",
                       VS_FMT(s->names[i].name));
}

/* A declaration is no use of the names. */
static void number_declared(scope *s, literal *l)
{
    for (size_t i = 0; i < l->n_vars; i++) {
        const struct scoped_name *n = find_here(s, l->vars[i]->name);
        if (n)
            l->vars[i]->var = n->var;
    }
}

static void resolve_literal(resolver *r, scope *s, literal *l)
{
    for (size_t i = 0; i < l->n_with; i++)
        resolve_with(r, s, &l->with[i]);
    switch (l->kind) {
    case L_EVERY: resolve_every(r, s, l); return;
    case L_NOT:
        l->body->scope = new_scope(r, s);
        declare_assigned(r, l->body->scope, l->body);
        resolve_body(r, l->body->scope, l->body);
        check_used(r, l->body->scope);
        if (!l->block)
            check_negated_names(r, l->body->scope);
        return;
    case L_SOME: number_declared(s, l); return;
    default:
        r->statement = l->kind == L_EXPR ? l->a : NULL;
        if (l->a)
            resolve_term(r, s, l->a);
        s->hiding = l->kind == L_ASSIGN;
        if (l->b)
            resolve_term(r, s, l->b);
        s->hiding = l->kind == L_IN;
        if (l->c)
            resolve_term(r, s, l->c);
        s->hiding = false;
    }
}

/* `s` is the body's own scope, with what is declared in it already there. */
static void resolve_body(resolver *r, scope *s, body *b)
{
    b->scope = s;
    declare_implicit(r, s, b);
    for (size_t i = 0; i < b->n && !r->c->failed; i++) {
        s->current = i;
        resolve_literal(r, s, b->items[i]);
    }
    s->current = SIZE_MAX;
}

static void resolve_branch(resolver *r, scope *args, def *d)
{
    scope *s = new_scope(r, args);
    d->scope = s;
    if (d->body) {
        declare_assigned(r, s, d->body);
        declare_implicit(r, s, d->body);
    }
    for (size_t i = 0; i < d->n_keys; i++)
        declare_used(r, s, d->keys[i]);
    if (d->key)
        declare_used(r, s, d->key);
    if (d->value)
        declare_used(r, s, d->value);
    if (d->body)
        resolve_body(r, s, d->body);
    resolve_list(r, s, d->keys, d->n_keys);
    if (d->key)
        resolve_term(r, s, d->key);
    if (d->value)
        resolve_term(r, s, d->value);
    check_used(r, s);
}

static void declare_argument(resolver *r, scope *s, const term *t)
{
    /* A name may stand several times in the arguments: the values must then be equal. */
    if (t->kind == T_VAR && !find_here(s, t->name))
        declare(r, s, t, !t->wildcard);
    bool object = t->kind == T_OBJECT;
    for (size_t i = object; (object || t->kind == T_ARRAY) && i < t->n; i += object ? 2 : 1)
        declare_argument(r, s, t->items[i]);
}

void resolve_def(compiler *k, def *d, unit *u)
{
    resolver r = {.k = k, .c = k->c, .m = d->mod, .u = u};
    if (d->mod->rego_v1 &&
        (vs_span_is(d->path[0]->name, "input") || vs_span_is(d->path[0]->name, "data")) &&
        d->n_path == 1)
        comp_error(k->c, REGO_COMPILE_ERROR, d->mod, &d->at,
                   "rules must not shadow %.*s (use a different rule name)",
                   VS_FMT(d->path[0]->name));
    scope *args = new_scope(&r, NULL);
    args->arguments = true;
    for (size_t i = 0; i < d->n_args; i++)
        declare_argument(&r, args, d->args[i]);
    for (size_t i = 1; d->is_function && i < d->n_path; i++)
        if (d->path[i]->kind == T_VAR)
            comp_error(k->c, REGO_UNSAFE_VAR_ERROR, d->mod, &d->path[i]->at, "var %.*s is unsafe",
                       VS_FMT(d->path[i]->name));
    resolve_list(&r, args, d->args, d->n_args);
    resolve_branch(&r, args, d);
    for (def *e = d->else_def; e && !k->c->failed; e = e->else_def)
        resolve_branch(&r, args, e);
}

void resolve_query(compiler *k, const module *m, body *b, unit *u)
{
    resolver r = {.k = k, .c = k->c, .m = m, .u = u};
    scope *s = new_scope(&r, NULL);
    declare_assigned(&r, s, b);
    resolve_body(&r, s, b);
    check_used(&r, s);
}
