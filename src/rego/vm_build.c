/* SPDX-License-Identifier: Apache-2.0 */
/* Collections under construction: comprehensions and partial rules. */
#include "rego/vm.h"

#include <stdlib.h>

typedef struct entry {
    const vs_val *keys;
    size_t n;
    vs_val value;
    unsigned flags;
} entry;

struct builder {
    vs_vec vec;
    vs_obj obj;
    entry *entries;
    size_t n, room;
};

/* A register holds a builder as a pointer in an undefined value; only the compiler's instructions
 * ever see it. */
static builder *get(vs_val b)
{
    return (builder *)(uintptr_t)b.u.i;
}

vs_val builder_new(rego_eval *e)
{
    static _Thread_local builder nil; /* out of memory: the arena has failed, the evaluation ends */
    builder *b = VS_NEW(&e->a, builder);
    if (!b)
        b = memset(&nil, 0, sizeof nil);
    else
        *b = (builder){.vec = {.a = &e->a}, .obj = {.a = &e->a}};
    return (vs_val){.kind = VS_UNDEFINED, .u.i = (int64_t)(uintptr_t)b};
}

void builder_add(vs_val b, vs_val v)
{
    if (get(b)->vec.a)
        vs_vec_add(&get(b)->vec, v);
}

void builder_pair(vs_val b, vs_val k, vs_val v)
{
    if (get(b)->obj.a)
        vs_obj_add(&get(b)->obj, k, v);
}

vs_val builder_array(vs_val b)
{
    return vs_vec_end_array(&get(b)->vec);
}

vs_val builder_set(vs_val b)
{
    return vs_vec_end_set(&get(b)->vec);
}

vs_val builder_object(vs_val b)
{
    return vs_obj_end(&get(b)->obj, VS_DUP_SAME, NULL);
}

/* ---- partial rules: entries with paths into one tree
 * --------------------------------------------- */

void builder_entry(rego_eval *e, vs_val v, const vs_val *keys, size_t n, vs_val value,
                   unsigned flags)
{
    builder *b = get(v);
    if (b->n == b->room) {
        size_t room = b->room ? b->room * 2 : 8;
        entry *entries = vs_grow(&e->a, b->entries, b->n, room, sizeof *entries);
        if (!entries)
            return;
        b->entries = entries;
        b->room = room;
    }
    vs_val *copy = vs_alloc_array(&e->a, n ? n : 1, sizeof *copy);
    if (!copy)
        return;
    for (size_t i = 0; i < n; i++)
        copy[i] = keys[i];
    b->entries[b->n++] = (entry){copy, n, value, flags};
}

static int cmp_entries(const void *x, const void *y)
{
    const entry *a = x, *b = y;
    size_t n = a->n < b->n ? a->n : b->n;
    for (size_t i = 0; i < n; i++) {
        int c = vs_cmp(a->keys[i], b->keys[i]);
        if (c)
            return c;
    }
    return (a->n > b->n) - (a->n < b->n);
}

/* Entries whose keys are equal up to `depth`; sorted. */
static vs_val build(rego_eval *e, const entry *at, size_t n, size_t depth, const char **conflict);

static vs_val build_leaf(rego_eval *e, const entry *at, size_t n, const char **conflict)
{
    vs_vec members = {.a = &e->a};
    vs_val value = vs_undefined(), fallback = vs_undefined();
    size_t sets = 0;
    for (size_t i = 0; i < n; i++) {
        if (at[i].flags & PARTIAL_SET) {
            vs_vec_add(&members, at[i].value);
            sets++;
        } else if (at[i].flags & PARTIAL_DEFAULT) {
            fallback = at[i].value;
        } else if (vs_defined(value) && !vs_eq(value, at[i].value)) {
            *conflict = "object keys must be unique";
        } else {
            value = at[i].value;
        }
    }
    if (sets && vs_defined(value))
        *conflict = "object keys must be unique";
    if (sets)
        return vs_vec_end_set(&members);
    return vs_defined(value) ? value : fallback;
}

static vs_val build(rego_eval *e, const entry *at, size_t n, size_t depth, const char **conflict)
{
    size_t leaves = 0;
    while (leaves < n && at[leaves].n == depth)
        leaves++;
    if (leaves == n)
        return build_leaf(e, at, n, conflict);
    if (leaves > 0) {
        bool only_default = true;
        for (size_t i = 0; i < leaves; i++)
            only_default &= (at[i].flags & PARTIAL_DEFAULT) != 0;
        if (!only_default) {
            *conflict = "object keys must be unique";
            return vs_undefined();
        }
    }
    vs_obj b = {.a = &e->a};
    for (size_t i = leaves; i < n && !*conflict;) {
        size_t end = i + 1;
        while (end < n && vs_eq(at[end].keys[depth], at[i].keys[depth]))
            end++;
        vs_obj_add(&b, at[i].keys[depth], build(e, at + i, end - i, depth + 1, conflict));
        i = end;
    }
    return vs_obj_end(&b, VS_DUP_LAST, NULL);
}

vs_val builder_partial(rego_eval *e, vs_val v, bool empty_is_set, const char **conflict)
{
    builder *b = get(v);
    if (b->n == 0)
        return vs_empty(empty_is_set ? VS_SET : VS_OBJECT);
    qsort(b->entries, b->n, sizeof *b->entries, cmp_entries);
    return build(e, b->entries, b->n, 0, conflict);
}
