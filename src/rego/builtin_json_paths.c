/* SPDX-License-Identifier: Apache-2.0 */
/* json.filter and json.remove: parts of a document, named by paths (rego.md 10.3). */
#include "rego/builtins.h"
#include "rego/json_path.h"

/*
 * The paths as one tree: each step maps to the tree below it, a path's end to null. A path above
 * others stands for all of them.
 */
static vs_val insert_path(vs_arena *a, vs_val tree, const vs_val *path, uint32_t n)
{
    if (n == 0 || tree.kind == VS_NULL)
        return vs_null();
    vs_val below = vs_index(tree, path[0]);
    vs_val grown = insert_path(a, vs_defined(below) ? below : vs_empty(VS_OBJECT), path + 1, n - 1);
    return vs_with(a, tree, path[0], grown);
}

static rego_bres read_paths(rego_bctx *b, vs_val paths, vs_val *tree)
{
    if (paths.kind != VS_ARRAY && paths.kind != VS_SET)
        return rego_type_error(b, 2, "one of {set, array}", paths);
    *tree = vs_empty(VS_OBJECT);
    for (VS_ARR_FOR (p, paths)) {
        vs_val path;
        if (!rego_json_path(b->a, *p, &path)) {
            (void)rego_error(b,
                             "operand 2 must be one of {set, array} containing string paths or "
                             "array of path segments but got %s",
                             vs_kind_name((vs_kind)p->kind));
            return REGO_B_TYPE;
        }
        if (path.len == 0) /* names no part */
            continue;
        if (!rego_charge(b, (path.len + 1) * (tree->len + 1)) || path.len > REGO_PATH_MAX)
            return REGO_B_LIMIT;
        *tree = insert_path(b->a, *tree, path.u.items, path.len);
        if (!vs_defined(*tree))
            return REGO_B_LIMIT;
    }
    return REGO_B_OK;
}

/* The step that leads to the i-th element is its index as text, also in paths that are arrays. */
static vs_val element_step(vs_arena *a, vs_val tree, uint32_t i)
{
    return vs_index(tree, vs_cstring(vs_sprintf(a, "%u", i)));
}

/* ---- filter ------------------------------------------------------------------------------------
 */

static vs_val filter(vs_arena *a, vs_val v, vs_val tree)
{
    if (tree.kind == VS_NULL || !vs_is_collection(v))
        return v;
    if (v.kind == VS_OBJECT) {
        vs_obj o = {.a = a};
        for (VS_OBJ_FOR (p, v)) {
            vs_val below = vs_index(tree, p->key);
            if (vs_defined(below))
                vs_obj_add(&o, p->key, filter(a, p->val, below));
        }
        return vs_obj_end(&o, VS_DUP_LAST, NULL);
    }
    vs_vec kept = {.a = a};
    for (uint32_t i = 0; i < v.len; i++) {
        vs_val item = v.u.items[i];
        vs_val below = v.kind == VS_ARRAY ? element_step(a, tree, i) : vs_index(tree, item);
        if (vs_defined(below))
            vs_vec_add(&kept, filter(a, item, below));
    }
    return v.kind == VS_ARRAY ? vs_vec_end_array(&kept) : vs_vec_end_set(&kept);
}

/* ---- remove ------------------------------------------------------------------------------------
 */

/* What is left of a value; undefined when it goes altogether. */
static vs_val without(vs_arena *a, vs_val v, vs_val tree)
{
    if (!vs_defined(tree))
        return v;
    if (tree.kind == VS_NULL)
        return vs_undefined();
    if (!vs_is_collection(v))
        return v;
    if (v.kind == VS_OBJECT) {
        vs_obj o = {.a = a};
        for (VS_OBJ_FOR (p, v)) {
            vs_val left = without(a, p->val, vs_index(tree, p->key));
            if (vs_defined(left))
                vs_obj_add(&o, p->key, left);
        }
        return vs_obj_end(&o, VS_DUP_LAST, NULL);
    }
    vs_vec kept = {.a = a};
    for (uint32_t i = 0; i < v.len; i++) {
        vs_val item = v.u.items[i];
        vs_val below = v.kind == VS_ARRAY ? element_step(a, tree, i) : vs_index(tree, item);
        vs_val left = without(a, item, below);
        if (vs_defined(left))
            vs_vec_add(&kept, left);
    }
    return v.kind == VS_ARRAY ? vs_vec_end_array(&kept) : vs_vec_end_set(&kept);
}

rego_bres rego_bi_json_filter(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    vs_val tree;
    REGO_WANT(0, VS_OBJECT);
    rego_bres res = read_paths(b, args[1], &tree);
    if (res != REGO_B_OK)
        return res;
    *out = tree.len ? filter(b->a, args[0], tree) : vs_empty(VS_OBJECT);
    return rego_charge(b, vs_weight(*out)) ? REGO_B_OK : REGO_B_LIMIT;
}

rego_bres rego_bi_json_remove(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    vs_val tree;
    REGO_WANT(0, VS_OBJECT);
    rego_bres res = read_paths(b, args[1], &tree);
    if (res != REGO_B_OK)
        return res;
    *out = without(b->a, args[0], tree);
    return rego_charge(b, vs_weight(args[0]) / 4) ? REGO_B_OK : REGO_B_LIMIT;
}
