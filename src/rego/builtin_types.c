/* SPDX-License-Identifier: Apache-2.0 */
/* Types, print and trace (rego.md 10.8, 10.11). */
#include "rego/builtins.h"

#define IS(name, k)                                                                                \
    rego_bres rego_bi_is_##name(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)         \
    {                                                                                              \
        (void)b, (void)n;                                                                          \
        *out = vs_bool(args[0].kind == (k));                                                       \
        return REGO_B_OK;                                                                          \
    }
IS(array, VS_ARRAY)
IS(boolean, VS_BOOL)
IS(null, VS_NULL)
IS(number, VS_NUMBER)
IS(object, VS_OBJECT)
IS(set, VS_SET)
IS(string, VS_STRING)

rego_bres rego_bi_type_name(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)b, (void)n;
    *out = vs_cstring(vs_kind_name((vs_kind)args[0].kind));
    return REGO_B_OK;
}

/* The compiler prints; as values, print and trace are true. */
rego_bres rego_bi_true(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)b, (void)args, (void)n;
    *out = vs_bool(true);
    return REGO_B_OK;
}

rego_bres rego_bi_now_ns(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)args, (void)n;
    *out = vs_int(b->now_ns);
    return REGO_B_OK;
}
