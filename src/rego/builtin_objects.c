/* SPDX-License-Identifier: Apache-2.0 */
/* Objects (rego.md 10.3). */
#include "rego/builtins.h"
#include "value/number.h"

enum { DEPTH = 128 };

rego_bres rego_bi_object_get(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_OBJECT);
    vs_val v = args[0];
    if (args[1].kind == VS_ARRAY)
        for (VS_ARR_FOR (step, args[1]))
            v = vs_index(v, *step);
    else
        v = vs_index(v, args[1]);
    *out = vs_defined(v) ? v : args[2];
    return REGO_B_OK;
}

rego_bres rego_bi_object_keys(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_OBJECT);
    vs_vec v = {.a = b->a};
    for (VS_OBJ_FOR (p, args[0]))
        vs_vec_add(&v, p->key);
    *out = vs_vec_end_set(&v);
    return rego_charge(b, args[0].len) ? REGO_B_OK : REGO_B_LIMIT;
}

/* Deep: members of both that are objects are united; otherwise the right one wins. */
static vs_val unite(rego_bctx *b, vs_val l, vs_val r, unsigned depth)
{
    if (depth == 0 || !rego_charge(b, l.len + r.len))
        return vs_undefined();
    vs_obj o = {.a = b->a};
    for (VS_OBJ_FOR (p, l))
        if (!vs_defined(vs_index(r, p->key)))
            vs_obj_add(&o, p->key, p->val);
    for (VS_OBJ_FOR (p, r)) {
        vs_val left = vs_index(l, p->key);
        bool both = left.kind == VS_OBJECT && p->val.kind == VS_OBJECT;
        vs_obj_add(&o, p->key, both ? unite(b, left, p->val, depth - 1) : p->val);
    }
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

rego_bres rego_bi_object_union(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_OBJECT);
    REGO_WANT(1, VS_OBJECT);
    *out = unite(b, args[0], args[1], DEPTH);
    return vs_defined(*out) ? REGO_B_OK : REGO_B_LIMIT;
}

rego_bres rego_bi_object_union_n(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_ARRAY);
    vs_val all = vs_empty(VS_OBJECT);
    for (VS_ARR_FOR (o, args[0])) {
        if (o->kind != VS_OBJECT)
            return rego_type_error(b, 1, "array of objects", *o);
        all = unite(b, all, *o, DEPTH);
        if (!vs_defined(all))
            return REGO_B_LIMIT;
    }
    *out = all;
    return REGO_B_OK;
}

/* The keys named by an array, a set, or the keys of an object, as a set. */
static rego_bres keys_of(rego_bctx *b, vs_val v, vs_val *out)
{
    vs_vec keys = {.a = b->a};
    if (v.kind == VS_OBJECT) {
        for (VS_OBJ_FOR (p, v))
            vs_vec_add(&keys, p->key);
    } else if (v.kind == VS_ARRAY || v.kind == VS_SET) {
        for (VS_ARR_FOR (k, v))
            vs_vec_add(&keys, *k);
    } else {
        return rego_type_error(b, 2, "one of {array, object, set}", v);
    }
    *out = vs_vec_end_set(&keys);
    return rego_charge(b, v.len) ? REGO_B_OK : REGO_B_LIMIT;
}

static rego_bres select_keys(rego_bctx *b, const vs_val *args, bool keep, vs_val *out)
{
    vs_val keys;
    REGO_WANT(0, VS_OBJECT);
    rego_bres res = keys_of(b, args[1], &keys);
    if (res != REGO_B_OK)
        return res;
    vs_obj o = {.a = b->a};
    for (VS_OBJ_FOR (p, args[0]))
        if (vs_set_has(keys, p->key) == keep)
            vs_obj_add(&o, p->key, p->val);
    *out = vs_obj_end(&o, VS_DUP_LAST, NULL);
    return rego_charge(b, args[0].len) ? REGO_B_OK : REGO_B_LIMIT;
}

rego_bres rego_bi_object_filter(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return select_keys(b, args, true, out);
}

rego_bres rego_bi_object_remove(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return select_keys(b, args, false, out);
}

/* ---- subset
 * ------------------------------------------------------------------------------------------ */

static bool array_has(vs_val array, vs_val member)
{
    for (VS_ARR_FOR (v, array))
        if (vs_eq(*v, member))
            return true;
    return false;
}

static bool contiguous(vs_val super, vs_val sub)
{
    for (uint32_t at = 0; at + (uint64_t)sub.len <= super.len; at++) {
        uint32_t i = 0;
        while (i < sub.len && vs_eq(super.u.items[at + i], sub.u.items[i]))
            i++;
        if (i == sub.len)
            return true;
    }
    return sub.len == 0;
}

static bool is_subset(vs_val super, vs_val sub, unsigned depth)
{
    if (depth == 0)
        return false;
    if (super.kind == VS_OBJECT && sub.kind == VS_OBJECT) {
        for (VS_OBJ_FOR (p, sub)) {
            vs_val v = vs_index(super, p->key);
            if (!vs_defined(v) ||
                (!vs_eq(v, p->val) && !(v.kind == p->val.kind && is_subset(v, p->val, depth - 1))))
                return false;
        }
        return true;
    }
    if (super.kind == VS_ARRAY && sub.kind == VS_ARRAY)
        return contiguous(super, sub);
    if (sub.kind != VS_SET)
        return vs_eq(super, sub);
    if (super.kind == VS_ARRAY && super.len == 0) /* OPA finds nothing there, not even nothing */
        return false;
    for (VS_ARR_FOR (m, sub))
        if (super.kind == VS_SET ? !vs_set_has(super, *m) : !array_has(super, *m))
            return false;
    return true;
}

rego_bres rego_bi_object_subset(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    vs_kind super = (vs_kind)args[0].kind, sub = (vs_kind)args[1].kind;
    bool fits = (super == sub && (super == VS_OBJECT || super == VS_SET || super == VS_ARRAY)) ||
                (super == VS_ARRAY && sub == VS_SET);
    if (!fits) {
        (void)rego_error(b,
                         "both arguments object.subset must be of the same type or array and set");
        return REGO_B_TYPE;
    }
    if (!rego_charge(b, (uint64_t)args[0].len * (super == VS_ARRAY ? args[1].len + 1 : 1)))
        return REGO_B_LIMIT;
    *out = vs_bool(is_subset(args[0], args[1], DEPTH));
    return REGO_B_OK;
}

/* ---- walk
 * -------------------------------------------------------------------------------------------- */

static bool visit(rego_bctx *b, vs_vec *solutions, vs_val path, vs_val v, unsigned depth)
{
    vs_vec pair = {.a = b->a};
    vs_vec_add(&pair, path);
    vs_vec_add(&pair, v);
    vs_vec_add(solutions, vs_vec_end_array(&pair));
    if (v.kind < VS_ARRAY)
        return true;
    if (depth == 0 || !rego_charge(b, v.len + path.len))
        return false;
    for (uint32_t i = 0; i < v.len; i++) {
        vs_val key = v.kind == VS_OBJECT  ? v.u.pairs[i].key
                     : v.kind == VS_ARRAY ? vs_int(i)
                                          : v.u.items[i];
        vs_val child = v.kind == VS_OBJECT ? v.u.pairs[i].val : v.u.items[i];
        vs_vec below = {.a = b->a};
        for (VS_ARR_FOR (step, path))
            vs_vec_add(&below, *step);
        vs_vec_add(&below, key);
        if (!visit(b, solutions, vs_vec_end_array(&below), child, depth - 1))
            return false;
    }
    return true;
}

rego_bres rego_bi_walk(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    vs_vec solutions = {.a = b->a};
    if (!visit(b, &solutions, vs_empty(VS_ARRAY), args[0], DEPTH))
        return REGO_B_LIMIT;
    *out = vs_vec_end_array(&solutions);
    return REGO_B_OK;
}
