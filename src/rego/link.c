/* SPDX-License-Identifier: Apache-2.0 */
/* Puts definitions into groups and groups into the tree of documents (rego.md 5.1, 5.2). */
#include <stdlib.h>

#include "rego/compile.h"

static bool is_name(const term *t)
{
    return t->kind == T_SCALAR && t->scalar.kind == VS_STRING;
}

/* Where the child with that key is or would be. */
static size_t child_place(const node *n, vs_val key, bool *found)
{
    size_t lo = 0, hi = n->n;
    *found = false;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = vs_cmp(n->children[mid]->key, key);
        if (c == 0) {
            *found = true;
            return mid;
        }
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

node *node_child(const node *n, vs_val key)
{
    bool found;
    size_t i = child_place(n, key, &found);
    return found ? n->children[i] : NULL;
}

static node *child_or_new(compiler *k, node *n, vs_val key)
{
    vs_arena *a = &k->p->arena;
    bool found;
    size_t i = child_place(n, key, &found);
    if (found)
        return n->children[i];
    if (n->n == n->room) {
        size_t room = n->room ? n->room * 2 : 4;
        node **children = vs_grow(a, n->children, n->n, room, sizeof *children);
        n->children = children ? children : n->children;
        n->room = children ? room : n->room;
    }
    node *c = VS_NEW(a, node);
    if (c)
        c->key = vs_copy(a, key);
    if (n->n == n->room || !c || !vs_defined(c->key)) {
        comp_error(k->c, REGO_EVAL_LIMIT, NULL, NULL, "out of memory");
        return n;
    }
    memmove(n->children + i + 1, n->children + i, (n->n - i) * sizeof *n->children);
    n->children[i] = c;
    n->n++;
    return c;
}

static vs_val def_name(const def *d, size_t i)
{
    return i == 0 ? vs_string(d->path[0]->name) : d->path[i]->scalar;
}

static group *new_group(compiler *k)
{
    rego_program *p = k->p;
    group *g = VS_NEW(&p->arena, group);
    if (p->n_groups == k->room_groups) {
        size_t room = k->room_groups ? k->room_groups * 2 : 32;
        p->groups = vs_grow(&p->arena, p->groups, p->n_groups, room, sizeof *p->groups);
        k->room_groups = room;
    }
    if (!g || !p->groups) {
        comp_error(k->c, REGO_EVAL_LIMIT, NULL, NULL, "out of memory");
        return NULL;
    }
    g->id = (uint32_t)p->n_groups;
    p->groups[p->n_groups++] = g;
    return g;
}

static void add_def(compiler *k, group *g, def *d)
{
    list l = {(void **)g->defs, g->n_defs, g->room_defs};
    list_add(k->c, &l, d);
    g->defs = (def **)l.items;
    g->n_defs = l.n;
    g->room_defs = l.room;
}

/* The node of a definition's group: package, then the constant names of the head. */
static void insert_def(compiler *k, const module *m, def *d)
{
    node *n = k->p->root;
    for (size_t i = 0; i < m->n_package; i++) {
        n = child_or_new(k, n, vs_string(m->package[i]));
        n->is_package = true;
    }
    size_t fixed = 1;
    while (fixed < d->n_path && is_name(d->path[fixed]))
        fixed++;
    for (size_t i = 0; i < fixed; i++)
        n = child_or_new(k, n, def_name(d, i));
    d->keys = d->path + fixed;
    d->n_keys = d->n_path - fixed;
    if (!n->group)
        n->group = new_group(k);
    if (n->group)
        add_def(k, n->group, d);
}

static bool is_single(const def *d)
{
    return d->n_keys == 0 && !d->contains;
}

static void conflict(compiler *k, const def *d, const char *name)
{
    comp_error(k->c, REGO_TYPE_ERROR, d->mod, &d->at, "conflicting rules %s found", name);
}

/* Definitions below a group become entries of it: p.a := 1 beside p[k] := v. */
static void absorb(compiler *k, group *into, node *n, size_t depth)
{
    for (size_t i = 0; i < n->n; i++) {
        node *c = n->children[i];
        for (size_t j = 0; c->group && j < c->group->n_defs; j++) {
            def *d = c->group->defs[j];
            d->keys -= depth;
            d->n_keys += depth;
            add_def(k, into, d);
        }
        if (c->group)
            c->group->n_defs = 0;
        absorb(k, into, c, depth + 1);
    }
    n->n = 0;
}

/* p contains x beside p[k] := v, or p.k := v: a set and an object. */
static void check_mixture(compiler *k, const group *g)
{
    bool set = false, object = false;
    for (size_t i = 0; i < g->n_defs; i++) {
        set |= g->defs[i]->n_keys == 0 && g->defs[i]->contains;
        object |= g->defs[i]->n_keys > 0;
    }
    if (set && object)
        conflict(k, g->defs[0], g->name);
}

static void settle_kind(compiler *k, group *g)
{
    size_t functions = 0, singles = 0, partials = 0;
    for (size_t i = 0; i < g->n_defs; i++) {
        const def *d = g->defs[i];
        functions += d->is_function;
        singles += !d->is_function && is_single(d);
        partials += !d->is_function && !is_single(d);
    }
    if ((functions > 0) + (singles > 0) + (partials > 0) > 1) {
        conflict(k, g->defs[0], g->name);
        return;
    }
    check_mixture(k, g);
    g->kind = functions ? GROUP_FUNCTION : partials ? GROUP_PARTIAL : GROUP_COMPLETE;
    g->arity = functions ? (unsigned)g->defs[0]->n_args : 0;
    for (size_t i = 0; i < g->n_defs; i++)
        if (g->defs[i]->n_args != g->arity)
            conflict(k, g->defs[i], g->name);
}

/* Takes the default out of the list of definitions. */
static void take_default(compiler *k, group *g)
{
    size_t kept = 0;
    for (size_t i = 0; i < g->n_defs; i++) {
        def *d = g->defs[i];
        if (!d->is_default || g->kind == GROUP_PARTIAL) {
            g->defs[kept++] = d;
        } else if (g->default_def) {
            comp_error(k->c, REGO_TYPE_ERROR, d->mod, &d->at, "multiple default rules %s found",
                       g->name);
        } else {
            g->default_def = d;
        }
    }
    g->n_defs = kept;
}

/* A package may add to the object that a rule makes, q[x] := .. beside package p.q, and to nothing
 * else: the definition that is in its way, NULL if none. */
static const def *bars_package(const node *n)
{
    for (size_t i = 0; n->is_package && i < n->group->n_defs; i++)
        if (n->group->defs[i]->n_keys == 0)
            return n->group->defs[i];
    return NULL;
}

static void name_groups(compiler *k, node *n, vs_vec *path, const char *name)
{
    n->id = (uint32_t)k->p->n_nodes;
    if (k->p->n_nodes == k->room_nodes) {
        size_t room = k->room_nodes ? k->room_nodes * 2 : 32;
        k->p->nodes = vs_grow(&k->p->arena, k->p->nodes, k->p->n_nodes, room, sizeof *k->p->nodes);
        k->room_nodes = room;
    }
    if (!k->p->nodes) {
        comp_error(k->c, REGO_EVAL_LIMIT, NULL, NULL, "out of memory");
        return;
    }
    k->p->nodes[k->p->n_nodes++] = n;
    vs_vec copy = {.a = &k->p->arena};
    for (size_t i = 0; i < path->n; i++)
        vs_vec_add(&copy, path->items[i]);
    n->path = vs_vec_end_array(&copy);
    if (n->group) {
        n->group->name = name;
        n->group->path = n->path;
        const def *d = bars_package(n);
        if (d) {
            comp_error(k->c, REGO_TYPE_ERROR, d->mod, &d->at,
                       "package %s conflicts with a rule of that name", name);
            return;
        }
        if (!n->is_package)
            absorb(k, n->group, n, 1);
        settle_kind(k, n->group);
        take_default(k, n->group);
    }
    for (size_t i = 0; i < n->n; i++) {
        vs_span key = vs_text(n->children[i]->key);
        size_t before = path->n;
        vs_vec_add(path, n->children[i]->key);
        name_groups(k, n->children[i], path,
                    vs_sprintf(&k->p->arena, "%s.%.*s", name, VS_FMT(key)));
        path->n = before;
    }
}

void link_modules(compiler *k)
{
    k->p->root = VS_NEW(&k->p->arena, node);
    if (!k->p->root) {
        comp_error(k->c, REGO_EVAL_LIMIT, NULL, NULL, "out of memory");
        return;
    }
    for (size_t i = 0; i < k->n_mods && !k->c->failed; i++) {
        node *n = k->p->root;
        for (size_t j = 0; j < k->mods[i]->n_package; j++) {
            n = child_or_new(k, n, vs_string(k->mods[i]->package[j]));
            n->is_package = true;
        }
        for (size_t j = 0; j < k->mods[i]->n_defs; j++)
            insert_def(k, k->mods[i], k->mods[i]->defs[j]);
    }
    vs_vec path = {.a = k->c->a};
    if (!k->c->failed)
        name_groups(k, k->p->root, &path, "data");
}

group *find_group(const compiler *k, term *const *path, size_t n)
{
    const node *at = k->p->root;
    for (size_t i = 0; i < n && at; i++)
        at = is_name(path[i]) ? node_child(at, path[i]->scalar) : NULL;
    return at ? at->group : NULL;
}

bool is_package_rule(const compiler *k, const module *m, vs_span name)
{
    const node *at = k->p->root;
    for (size_t i = 0; i < m->n_package && at; i++)
        at = node_child(at, vs_string(m->package[i]));
    const node *child = at ? node_child(at, vs_string(name)) : NULL;
    /* A sub-package is not a rule: its name must be written with `data`. */
    return child && (child->group || !child->is_package);
}

/* ---- recursion (6.2) ----------------------------------------------------------------------------
 */

enum visit { UNSEEN, ACTIVE, DONE };
enum { CHAIN_MAX = 2000 };

static void visit(compiler *k, uint32_t id, uint8_t *state, unsigned depth)
{
    group *g = k->p->groups[id];
    if (state[id] == DONE || k->c->failed)
        return;
    const def *d = g->n_defs ? g->defs[0] : g->default_def;
    if (depth > CHAIN_MAX) {
        comp_error(k->c, REGO_COMPILE_ERROR, d ? d->mod : NULL, d ? &d->at : NULL,
                   "rules are nested too deeply: more than %d rules below each other", CHAIN_MAX);
        return;
    }
    if (state[id] == ACTIVE) {
        comp_error(k->c, REGO_RECURSION_ERROR, d ? d->mod : NULL, d ? &d->at : NULL,
                   "rule %s is recursive: %s -> %s", g->name, g->name, g->name);
        return;
    }
    state[id] = ACTIVE;
    for (size_t i = 0; i < g->n_calls; i++)
        visit(k, g->calls[i], state, depth + 1);
    state[id] = DONE;
}

void check_recursion(compiler *k)
{
    uint8_t *state = vs_zalloc(k->c->a, k->p->n_groups + 1);
    for (size_t i = 0; state && i < k->p->n_groups; i++)
        visit(k, (uint32_t)i, state, 0);
}
