/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.patch (RFC 6902), which also reaches into sets: there a step is the member itself. A patch
 * that cannot be applied gives no result.
 */
#include "rego/builtins.h"
#include "rego/json_path.h"

typedef struct change {
    vs_arena *a;
    enum { ADD, REPLACE, REMOVE } how;
    vs_val value; /* ADD, REPLACE */
} change;

/* The index a step names: a number, or digits without a leading zero. `last` for "-". */
static bool index_of(vs_val step, uint32_t last, uint32_t *out)
{
    if (vs_is_int(step)) {
        *out = (uint32_t)step.u.i;
        return step.u.i >= 0 && step.u.i <= last;
    }
    vs_span s = vs_text(step);
    *out = last;
    if (vs_span_is(s, "-"))
        return true;
    uint64_t n = 0;
    if (s.n == 0 || s.n > 9 || (s.n > 1 && s.p[0] == '0'))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        n = n * 10 + (s.p[i] - '0');
    }
    *out = (uint32_t)n;
    return n <= last;
}

static bool has_step(vs_val v, vs_val step, vs_val *below)
{
    uint32_t i;
    if (v.kind == VS_ARRAY)
        *below = v.len && index_of(step, v.len - 1, &i) && !vs_span_is(vs_text(step), "-")
                     ? v.u.items[i]
                     : vs_undefined();
    else
        *below = vs_index(v, step);
    return vs_defined(*below);
}

/* ---- one step ----------------------------------------------------------------------------------
 */

static vs_val change_array(const change *c, vs_val v, vs_val step)
{
    uint32_t at;
    bool add = c->how == ADD;
    if (!index_of(step, v.len, &at) || (!add && at >= v.len))
        return vs_undefined();
    vs_vec items = {.a = c->a};
    for (uint32_t i = 0; i <= v.len; i++) {
        if (i == at && c->how != REMOVE)
            vs_vec_add(&items, c->value);
        if (i < v.len && (i != at || add))
            vs_vec_add(&items, v.u.items[i]);
    }
    return vs_vec_end_array(&items);
}

/* A member is its own name: what is added must be what the step says. */
static vs_val change_set(const change *c, vs_val v, vs_val step)
{
    bool there = vs_set_has(v, step);
    if ((c->how != ADD && !there) || (c->how != REMOVE && !vs_eq(step, c->value)))
        return vs_undefined();
    vs_vec items = {.a = c->a};
    for (VS_ARR_FOR (m, v))
        if (!vs_eq(*m, step))
            vs_vec_add(&items, *m);
    if (c->how != REMOVE)
        vs_vec_add(&items, c->value);
    return vs_vec_end_set(&items);
}

static vs_val change_here(const change *c, vs_val v, vs_val step)
{
    vs_val below;
    if (v.kind == VS_ARRAY)
        return change_array(c, v, step);
    if (v.kind == VS_SET)
        return change_set(c, v, step);
    if (v.kind != VS_OBJECT || (c->how != ADD && !has_step(v, step, &below)))
        return vs_undefined();
    return vs_with(c->a, v, step, c->how == REMOVE ? vs_undefined() : c->value);
}

/* ---- the whole way down, rebuilding what it passes ---------------------------------------------
 */

static vs_val change_at(const change *c, vs_val v, const vs_val *path, uint32_t n)
{
    vs_val below;
    if (n == 0)
        return c->how == REMOVE ? vs_undefined() : c->value;
    if (n == 1)
        return change_here(c, v, path[0]);
    if (!has_step(v, path[0], &below) || (v.kind == VS_SET && c->how == REPLACE))
        return vs_undefined(); /* what is replaced in a member is not found under its new name */
    vs_val changed = change_at(c, below, path + 1, n - 1);
    if (!vs_defined(changed))
        return changed;
    if (v.kind == VS_SET) { /* the changed member has another name */
        change out = {.a = c->a, .how = REMOVE}, in = {.a = c->a, .how = ADD, .value = changed};
        return change_here(&in, change_here(&out, v, path[0]), changed);
    }
    change step = {.a = c->a, .how = REPLACE, .value = changed};
    return change_here(&step, v, path[0]);
}

static vs_val follow(vs_val v, vs_val path)
{
    for (uint32_t i = 0; i < path.len; i++)
        if (!has_step(v, path.u.items[i], &v))
            return vs_undefined();
    return v;
}

/* ---- operations --------------------------------------------------------------------------------
 */

static vs_val move(vs_arena *a, vs_val doc, vs_val from, vs_val to, bool keep)
{
    change remove = {.a = a, .how = REMOVE}, add = {.a = a, .how = ADD, .value = follow(doc, from)};
    if (!vs_defined(add.value))
        return vs_undefined();
    if (!keep)
        doc = change_at(&remove, doc, from.u.items, from.len);
    return vs_defined(doc) ? change_at(&add, doc, to.u.items, to.len) : doc;
}

static vs_val apply(vs_arena *a, vs_val doc, vs_val patch)
{
    vs_span op = vs_text(vs_getc(patch, "op"));
    vs_val path, from, value = vs_getc(patch, "value");
    change c = {.a = a, .value = value};
    if (!rego_json_path(a, vs_getc(patch, "path"), &path) || !vs_defined(path) ||
        path.len > REGO_PATH_MAX)
        return vs_undefined();
    if (vs_span_is(op, "remove")) {
        c.how = REMOVE;
        return change_at(&c, doc, path.u.items, path.len);
    }
    if (vs_span_is(op, "move") || vs_span_is(op, "copy")) {
        if (!rego_json_path(a, vs_getc(patch, "from"), &from) || !vs_defined(from) ||
            from.len > REGO_PATH_MAX)
            return vs_undefined();
        return move(a, doc, from, path, vs_span_is(op, "copy"));
    }
    if (!vs_defined(value))
        return value;
    if (vs_span_is(op, "test")) {
        vs_val there = follow(doc, path);
        return vs_defined(there) && vs_eq(there, value) ? doc : vs_undefined();
    }
    if (!vs_span_is(op, "add") && !vs_span_is(op, "replace"))
        return vs_undefined();
    c.how = vs_span_is(op, "add") ? ADD : REPLACE;
    return change_at(&c, doc, path.u.items, path.len);
}

rego_bres rego_bi_json_patch(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(1, VS_ARRAY);
    for (VS_ARR_FOR (p, args[1])) {
        if (p->kind == VS_OBJECT)
            continue;
        (void)rego_error(b, "operand 2 must be array of objects but got array containing %s",
                         vs_kind_name((vs_kind)p->kind));
        return REGO_B_TYPE;
    }
    vs_val doc = args[0];
    for (VS_ARR_FOR (p, args[1])) {
        /* every level on the way is copied */
        if (!rego_charge(b, 16 + vs_weight(doc) / 4))
            return REGO_B_LIMIT;
        doc = apply(b->a, doc, *p);
        if (!vs_defined(doc))
            return vs_arena_ok(b->a) ? REGO_B_UNDEFINED : REGO_B_LIMIT;
    }
    *out = doc;
    return REGO_B_OK;
}
