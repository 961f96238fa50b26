/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule indexes: which definitions of a rule can succeed, known from one lookup.
 *
 * Many definitions of one rule often begin by comparing the same thing with different constants:
 *
 *     allow if { input.user == "alice"; ... }
 *     allow if { input.user == "bob"; ... }
 *
 * The index maps each constant to the definitions that ask for it. Definitions that do not test the
 * chosen subject are always candidates. Only tests that come before anything that could raise an
 * error count, so skipping a definition never hides one.
 */
#include "rego/index.h"

#include <stdlib.h>

enum { SUBJECTS_MAX = 16, TESTS_MAX = 8, MEMBERS_MAX = 256, WORTHWHILE = 2 };

/* ---- what cannot go wrong ----------------------------------------------------------------------
 */

static bool is_comparison(const term *t)
{
    static const char *const names[] = {
        "equal", "neq", "lt", "lte", "gt", "gte", "internal.member_2"};
    if (t->call != CALL_BUILTIN || t->n != 3)
        return false;
    for (size_t i = 0; i < VS_COUNT(names); i++)
        if (vs_span_is(t->name, names[i]))
            return true;
    return false;
}

/* data.a.b where no rule can be meant. */
static bool is_base_path(const compiler *k, const term *t)
{
    const node *n = k->p->root;
    for (size_t i = 1; i < t->n; i++) {
        if (t->items[i]->kind != T_SCALAR || t->items[i]->scalar.kind != VS_STRING)
            return false;
        if (n->group)
            return false;
        n = node_child(n, t->items[i]->scalar);
        if (!n)
            return true;
    }
    return false;
}

static bool is_harmless(const compiler *k, const term *t)
{
    if (!t)
        return true;
    switch (t->kind) {
    case T_SCALAR:
    case T_VAR:
    case T_INPUT: return true;
    case T_CALL:
        if (!is_comparison(t))
            return false;
        return is_harmless(k, t->items[1]) && is_harmless(k, t->items[2]);
    case T_REF:
        if (t->items[0]->kind == T_DATA)
            return is_base_path(k, t);
        break;
    case T_ARRAY:
    case T_SET: break;
    default: return false; /* objects can have conflicting keys, the others evaluate bodies */
    }
    for (size_t i = 0; i < t->n; i++)
        if (!is_harmless(k, t->items[i]))
            return false;
    return true;
}

static bool is_harmless_literal(const compiler *k, const literal *l)
{
    if (l->n_with || l->kind == L_EVERY || l->kind == L_NOT)
        return false;
    return is_harmless(k, l->a) && is_harmless(k, l->b) && is_harmless(k, l->c);
}

/* ---- subjects and tests ------------------------------------------------------------------------
 */

static bool same_subject(const subject *a, const subject *b)
{
    return a->kind == b->kind && a->argument == b->argument && vs_eq(a->path, b->path);
}

static bool path_of(gen *g, const term *t, subject *out)
{
    vs_vec path = {.a = g->c->a};
    for (size_t i = 1; i < t->n; i++) {
        if (t->items[i]->kind != T_SCALAR)
            return false;
        vs_vec_add(&path, t->items[i]->scalar);
    }
    out->path = vs_vec_end_array(&path);
    return vs_defined(out->path);
}

static bool subject_of(gen *g, const def *d, const term *t, subject *out)
{
    *out = (subject){.path = vs_empty(VS_ARRAY)};
    if (t->kind == T_VAR) {
        out->kind = SUBJECT_ARGUMENT;
        for (size_t i = 0; i < d->n_args; i++) {
            out->argument = (uint32_t)i;
            if (d->args[i]->kind == T_VAR && d->args[i]->var == t->var)
                return true;
        }
        return false;
    }
    if (t->kind != T_REF)
        return false;
    bool input = t->items[0]->kind == T_INPUT;
    out->kind = input ? SUBJECT_INPUT : SUBJECT_BASE;
    if (!input && !(t->items[0]->kind == T_DATA && is_base_path(g->k, t)))
        return false;
    return path_of(g, t, out);
}

typedef struct tests {
    index_test at[TESTS_MAX];
    size_t n;
} tests;

static void add_test(tests *all, subject s, vs_val wanted)
{
    if (all->n < TESTS_MAX && vs_defined(wanted))
        all->at[all->n++] = (index_test){s, wanted};
}

/* subject == constant, either way round. */
static void test_equality(gen *g, const def *d, const term *a, const term *b, tests *out)
{
    subject s;
    vs_vec one = {.a = g->c->a};
    vs_val v = constant_value(g, b);
    if (!vs_defined(v)) {
        const term *swap = a;
        a = b;
        b = swap;
        v = constant_value(g, b);
    }
    if (!vs_defined(v) || !subject_of(g, d, a, &s))
        return;
    vs_vec_add(&one, v);
    add_test(out, s, vs_vec_end_array(&one));
}

/* subject in constants */
static void test_membership(gen *g, const def *d, const term *a, const term *b, tests *out)
{
    subject s;
    vs_val v = constant_value(g, b);
    if ((v.kind == VS_ARRAY || v.kind == VS_SET) && v.len <= MEMBERS_MAX && subject_of(g, d, a, &s))
        add_test(out, s, v);
}

static void test_literal(gen *g, const def *d, const literal *l, tests *out)
{
    if (l->kind == L_UNIFY)
        test_equality(g, d, l->a, l->b, out);
    else if (l->kind == L_EXPR && l->a->kind == T_CALL && vs_span_is(l->a->name, "equal"))
        test_equality(g, d, l->a->items[1], l->a->items[2], out);
    else if (l->kind == L_EXPR && l->a->kind == T_CALL &&
             vs_span_is(l->a->name, "internal.member_2"))
        test_membership(g, d, l->a->items[1], l->a->items[2], out);
}

static void collect(gen *g, const def *d, tests *out)
{
    out->n = 0;
    if (d->else_def) /* when this branch fails, another may succeed */
        return;
    for (size_t i = 0; i < d->n_args; i++) {
        subject s = {.kind = SUBJECT_ARGUMENT, .argument = (uint32_t)i, .path = vs_empty(VS_ARRAY)};
        vs_vec one = {.a = g->c->a};
        vs_val v = constant_value(g, d->args[i]);
        if (vs_defined(v)) {
            vs_vec_add(&one, v);
            add_test(out, s, vs_vec_end_array(&one));
        }
    }
    for (size_t i = 0; d->body && i < d->body->n; i++) {
        if (!is_harmless_literal(g->k, d->body->items[i]))
            return;
        test_literal(g, d, d->body->items[i], out);
    }
}

static const index_test *find_test(const tests *t, const subject *s)
{
    for (size_t i = 0; i < t->n; i++)
        if (same_subject(&t->at[i].subject, s))
            return &t->at[i];
    return NULL;
}

/* The subject that most definitions test, among those of the first ones. */
static size_t choose(const tests *all, size_t n, subject *best)
{
    subject seen[SUBJECTS_MAX];
    size_t n_seen = 0, most = 0;
    for (size_t i = 0; i < n && n_seen < SUBJECTS_MAX; i++) {
        for (size_t j = 0; j < all[i].n && n_seen < SUBJECTS_MAX; j++) {
            bool known = false;
            for (size_t k = 0; k < n_seen; k++)
                known |= same_subject(&seen[k], &all[i].at[j].subject);
            if (!known)
                seen[n_seen++] = all[i].at[j].subject;
        }
    }
    for (size_t k = 0; k < n_seen; k++) {
        size_t count = 0;
        for (size_t i = 0; i < n; i++)
            count += find_test(&all[i], &seen[k]) != NULL;
        if (count > most) {
            most = count;
            *best = seen[k];
        }
    }
    return most;
}

/* ---- the table ---------------------------------------------------------------------------------
 */

typedef struct wish { /* a definition wants the subject to be this */
    vs_val key;
    uint32_t def;
} wish;

static int by_key(const void *x, const void *y)
{
    const wish *a = x, *b = y;
    int c = vs_cmp(a->key, b->key);
    return c ? c : (a->def > b->def) - (a->def < b->def);
}

/* Sorted wishes become keys, each with a range of definitions. */
static bool fill(rule_index *x, vs_arena *a, const wish *w, size_t n)
{
    x->keys = vs_alloc_array(a, n, sizeof *x->keys);
    x->first = vs_alloc_array(a, n + 1, sizeof *x->first);
    x->defs = vs_alloc_array(a, n, sizeof *x->defs);
    if (!x->keys || !x->first || !x->defs)
        return false;
    size_t keys = 0, defs = 0;
    for (size_t i = 0; i < n; i++) {
        bool fresh = i == 0 || !vs_eq(w[i].key, w[i - 1].key);
        if (fresh) {
            x->keys[keys] = vs_copy(a, w[i].key);
            x->first[keys++] = (uint32_t)defs;
        }
        if (fresh || w[i].def != w[i - 1].def)
            x->defs[defs++] = w[i].def;
    }
    x->first[keys] = (uint32_t)defs;
    if (!id_table_init(&x->table, a, keys))
        return false;
    for (size_t i = 0; i < keys; i++)
        if (!vs_defined(x->keys[i]) || !id_table_add(&x->table, a, x->keys, (uint32_t)i))
            return false;
    return true;
}

static bool build(gen *g, rule_index *x, const tests *all, size_t n)
{
    size_t wishes = 0;
    for (size_t i = 0; i < n; i++) {
        const index_test *t = find_test(&all[i], &x->subject);
        wishes += t ? t->wanted.len : 0;
    }
    wish *w = vs_alloc_array(g->c->a, wishes + 1, sizeof *w);
    x->others = vs_alloc_array(&g->k->p->arena, n, sizeof *x->others);
    x->entry = vs_alloc_array(&g->k->p->arena, n, sizeof *x->entry);
    if (!w || !x->others || !x->entry)
        return false;
    wishes = 0;
    for (size_t i = 0; i < n; i++) {
        const index_test *t = find_test(&all[i], &x->subject);
        if (!t)
            x->others[x->n_others++] = (uint32_t)i;
        for (uint32_t k = 0; t && k < t->wanted.len; k++)
            w[wishes++] = (wish){t->wanted.u.items[k], (uint32_t)i};
    }
    qsort(w, wishes, sizeof *w, by_key);
    x->n_defs = n;
    x->subject.path = vs_copy(&g->k->p->arena, x->subject.path);
    return fill(x, &g->k->p->arena, w, wishes);
}

rule_index *index_rule(gen *g, def *const *defs, size_t n)
{
    if (g->k->opts->no_index || n < WORTHWHILE || n > UINT16_MAX * 64u)
        return NULL;
    tests *all = vs_alloc_array(g->c->a, n, sizeof *all);
    rule_index *x = VS_NEW(&g->k->p->arena, rule_index);
    if (!all || !x)
        return NULL;
    for (size_t i = 0; i < n; i++)
        collect(g, defs[i], &all[i]);
    if (choose(all, n, &x->subject) < WORTHWHILE || !build(g, x, all, n))
        return NULL;
    return x;
}
