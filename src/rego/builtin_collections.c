/* SPDX-License-Identifier: Apache-2.0 */
/* Aggregates, arrays, sets (rego.md 10.2, 10.3). */
#include <stdlib.h>

#include "base/enc.h"
#include "rego/builtins.h"
#include "value/number.h"

enum { MEMBERS_MAX = 1000000 };

static const char *const any_collection = "one of {array, object, set, string}";
static const char *const array_or_set = "one of {array, set}";

static bool is_list(vs_val v)
{
    return v.kind == VS_ARRAY || v.kind == VS_SET;
}

static size_t code_points(vs_span s)
{
    size_t n = 0;
    for (size_t at = 0; at < s.n; n++)
        (void)vs_utf8_next(s, &at);
    return n;
}

rego_bres rego_bi_count(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    if (args[0].kind == VS_STRING) {
        if (!rego_charge(b, args[0].len / 16))
            return REGO_B_LIMIT;
        *out = vs_int((int64_t)code_points(vs_text(args[0])));
    } else if (is_list(args[0]) || args[0].kind == VS_OBJECT) {
        *out = vs_int(args[0].len);
    } else {
        return rego_type_error(b, 1, any_collection, args[0]);
    }
    return REGO_B_OK;
}

static rego_bres fold(rego_bctx *b, vs_val list, vs_val start,
                      vs_val (*op)(vs_arena *, vs_val, vs_val, vs_error *), vs_val *out)
{
    if (!is_list(list))
        return rego_type_error(b, 1, array_or_set, list);
    if (!rego_charge(b, list.len))
        return REGO_B_LIMIT;
    for (VS_ARR_FOR (v, list)) {
        if (v->kind != VS_NUMBER)
            return rego_type_error(b, 1, "array or set of numbers", *v);
        start = op(b->a, start, *v, NULL);
        if (!vs_defined(start))
            return REGO_B_LIMIT;
    }
    *out = start;
    return REGO_B_OK;
}

rego_bres rego_bi_sum(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return fold(b, args[0], vs_int(0), vs_num_add, out);
}

rego_bres rego_bi_product(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return fold(b, args[0], vs_int(1), vs_num_mul, out);
}

static rego_bres extreme(rego_bctx *b, vs_val list, int sign, vs_val *out)
{
    if (!is_list(list))
        return rego_type_error(b, 1, array_or_set, list);
    if (list.len == 0)
        return REGO_B_UNDEFINED;
    if (!rego_charge(b, list.len))
        return REGO_B_LIMIT;
    vs_val best = list.u.items[0];
    for (VS_ARR_FOR (v, list))
        if (vs_cmp(*v, best) * sign > 0)
            best = *v;
    *out = best;
    return REGO_B_OK;
}

rego_bres rego_bi_max(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return extreme(b, args[0], 1, out);
}

rego_bres rego_bi_min(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return extreme(b, args[0], -1, out);
}

static int cmp_values(const void *x, const void *y)
{
    return vs_cmp(*(const vs_val *)x, *(const vs_val *)y);
}

rego_bres rego_bi_sort(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    if (!is_list(args[0]))
        return rego_type_error(b, 1, array_or_set, args[0]);
    vs_val *items = vs_alloc_array(b->a, args[0].len, sizeof *items);
    if (!items || !rego_charge(b, (uint64_t)args[0].len * 8))
        return REGO_B_LIMIT;
    if (args[0].len)
        memcpy(items, args[0].u.items, args[0].len * sizeof *items);
    if (args[0].kind == VS_ARRAY)
        qsort(items, args[0].len, sizeof *items, cmp_values);
    *out = vs_items(VS_ARRAY, items, args[0].len);
    return REGO_B_OK;
}

rego_bres rego_bi_all(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    if (!is_list(args[0]))
        return rego_type_error(b, 1, array_or_set, args[0]);
    bool all = true;
    for (VS_ARR_FOR (v, args[0]))
        all &= vs_is_true(*v);
    *out = vs_bool(all);
    return REGO_B_OK;
}

rego_bres rego_bi_any(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    if (!is_list(args[0]))
        return rego_type_error(b, 1, array_or_set, args[0]);
    bool any = false;
    for (VS_ARR_FOR (v, args[0]))
        any |= vs_is_true(*v);
    *out = vs_bool(any);
    return REGO_B_OK;
}

/* ---- arrays
 * ---------------------------------------------------------------------------------------- */

static rego_bres finish_array(rego_bctx *b, vs_vec *v, vs_val *out)
{
    if (!rego_charge(b, v->n))
        return REGO_B_LIMIT;
    *out = vs_vec_end_array(v);
    return REGO_B_OK;
}

rego_bres rego_bi_array_concat(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_ARRAY);
    REGO_WANT(1, VS_ARRAY);
    vs_vec v = {.a = b->a};
    for (unsigned i = 0; i < 2; i++)
        for (VS_ARR_FOR (item, args[i]))
            vs_vec_add(&v, *item);
    return finish_array(b, &v, out);
}

rego_bres rego_bi_array_flatten(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_ARRAY);
    vs_vec v = {.a = b->a};
    for (VS_ARR_FOR (item, args[0])) {
        if (item->kind != VS_ARRAY) {
            vs_vec_add(&v, *item);
            continue;
        }
        for (VS_ARR_FOR (inner, *item))
            vs_vec_add(&v, *inner);
    }
    return finish_array(b, &v, out);
}

rego_bres rego_bi_array_reverse(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_ARRAY);
    vs_vec v = {.a = b->a};
    for (uint32_t i = args[0].len; i > 0; i--)
        vs_vec_add(&v, args[0].u.items[i - 1]);
    return finish_array(b, &v, out);
}

static int64_t clamp(vs_val v, int64_t max)
{
    return v.u.i < 0 ? 0 : v.u.i > max ? max : v.u.i;
}

rego_bres rego_bi_array_slice(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_ARRAY);
    REGO_WANT(1, VS_NUMBER);
    REGO_WANT(2, VS_NUMBER);
    for (unsigned i = 1; i < 3; i++)
        if (args[i].big)
            return rego_not_integer(b, i + 1);
    int64_t from = clamp(args[1], args[0].len), to = clamp(args[2], args[0].len);
    *out = vs_empty(VS_ARRAY);
    if (from < to)
        *out = vs_items(VS_ARRAY, args[0].u.items + from, (size_t)(to - from));
    return rego_charge(b, from < to ? (uint64_t)(to - from) / 64 : 0) ? REGO_B_OK : REGO_B_LIMIT;
}

/* ---- sets
 * ------------------------------------------------------------------------------------------ */

static rego_bres want_set_of_sets(rego_bctx *b, vs_val v)
{
    if (v.kind != VS_SET)
        return rego_type_error(b, 1, "set", v);
    for (VS_ARR_FOR (m, v))
        if (m->kind != VS_SET)
            return rego_type_error(b, 1, "set of sets", *m);
    return REGO_B_OK;
}

rego_bres rego_bi_union(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    rego_bres res = want_set_of_sets(b, args[0]);
    if (res != REGO_B_OK)
        return res;
    vs_vec v = {.a = b->a};
    for (VS_ARR_FOR (s, args[0]))
        for (VS_ARR_FOR (m, *s))
            vs_vec_add(&v, *m);
    if (v.n > MEMBERS_MAX || !rego_charge(b, v.n * 4))
        return REGO_B_LIMIT;
    *out = vs_vec_end_set(&v);
    return REGO_B_OK;
}

rego_bres rego_bi_intersection(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    rego_bres res = want_set_of_sets(b, args[0]);
    if (res != REGO_B_OK)
        return res;
    *out = vs_empty(VS_SET);
    if (args[0].len == 0)
        return REGO_B_OK;
    vs_val first = args[0].u.items[0];
    if (!rego_charge(b, (uint64_t)first.len * args[0].len))
        return REGO_B_LIMIT;
    vs_vec v = {.a = b->a};
    for (VS_ARR_FOR (m, first)) {
        bool everywhere = true;
        for (VS_ARR_FOR (s, args[0]))
            everywhere &= vs_set_has(*s, *m);
        if (everywhere)
            vs_vec_add(&v, *m);
    }
    *out = vs_vec_end_set(&v);
    return REGO_B_OK;
}
