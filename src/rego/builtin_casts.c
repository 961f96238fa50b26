/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of v0 that later versions dropped: cast_*, set_diff (rego.md 4). */
#include "rego/builtins.h"

static rego_bres cast(rego_bctx *b, const vs_val *args, vs_kind k, vs_val *out)
{
    REGO_WANT(0, k);
    *out = args[0];
    return REGO_B_OK;
}

rego_bres rego_bi_cast_boolean(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return cast(b, args, VS_BOOL, out);
}

rego_bres rego_bi_cast_null(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return cast(b, args, VS_NULL, out);
}

rego_bres rego_bi_cast_object(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return cast(b, args, VS_OBJECT, out);
}

rego_bres rego_bi_cast_string(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return cast(b, args, VS_STRING, out);
}

/* An array of a set's members in order, and the set of an array's elements. */
static rego_bres convert(rego_bctx *b, const vs_val *args, vs_kind k, vs_val *out)
{
    if (args[0].kind != VS_ARRAY && args[0].kind != VS_SET)
        return rego_type_error(b, 1, "one of {array, set}", args[0]);
    vs_vec items = {.a = b->a};
    for (VS_ARR_FOR (v, args[0]))
        vs_vec_add(&items, *v);
    *out = k == VS_ARRAY ? vs_vec_end_array(&items) : vs_vec_end_set(&items);
    return rego_charge(b, (uint64_t)args[0].len * 4) ? REGO_B_OK : REGO_B_LIMIT;
}

rego_bres rego_bi_cast_array(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return convert(b, args, VS_ARRAY, out);
}

rego_bres rego_bi_cast_set(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return convert(b, args, VS_SET, out);
}

rego_bres rego_bi_set_diff(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    REGO_WANT(0, VS_SET);
    REGO_WANT(1, VS_SET);
    return rego_op_minus(b, args, n, out);
}
