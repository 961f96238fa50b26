/* SPDX-License-Identifier: Apache-2.0 */
/* Operators, arithmetic, comparison, bits, number conversion (rego.md 6.10, 10.1). */
#include <strings.h>

#include "rego/builtins.h"
#include "value/number.h"

/* A number result, or the error that number.c gave. */
static rego_bres finish(rego_bctx *b, vs_val v, const vs_error *err, vs_val *out)
{
    *out = v;
    if (vs_defined(v))
        return REGO_B_OK;
    if (err->code == VS_E_INVALID)
        return rego_error(b, "%s", vs_error_at(err, 0));
    return REGO_B_LIMIT;
}

typedef vs_val (*number_op)(vs_arena *a, vs_val x, vs_val y, vs_error *err);

static rego_bres number_op2(rego_bctx *b, const vs_val *args, number_op op, vs_val *out)
{
    REGO_WANT(0, VS_NUMBER);
    REGO_WANT(1, VS_NUMBER);
    vs_error err = {0};
    return finish(b, op(b->a, args[0], args[1], &err), &err, out);
}

rego_bres rego_op_plus(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return number_op2(b, args, vs_num_add, out);
}

static vs_val set_difference(rego_bctx *b, vs_val x, vs_val y)
{
    vs_vec v = {.a = b->a};
    for (VS_ARR_FOR (m, x))
        if (!vs_set_has(y, *m))
            vs_vec_add(&v, *m);
    return vs_vec_end_set(&v);
}

rego_bres rego_op_minus(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    if (args[0].kind == VS_SET && args[1].kind == VS_SET) {
        if (!rego_charge(b, args[0].len))
            return REGO_B_LIMIT;
        *out = set_difference(b, args[0], args[1]);
        return REGO_B_OK;
    }
    if (args[0].kind != VS_NUMBER && args[0].kind != VS_SET)
        return rego_type_error(b, 1, "one of {number, set}", args[0]);
    if (args[1].kind != args[0].kind)
        return rego_type_error(b, 2, vs_kind_name((vs_kind)args[0].kind), args[1]);
    return number_op2(b, args, vs_num_sub, out);
}

rego_bres rego_op_mul(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return number_op2(b, args, vs_num_mul, out);
}

rego_bres rego_op_div(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return number_op2(b, args, vs_num_div, out);
}

rego_bres rego_op_rem(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return number_op2(b, args, vs_num_rem, out);
}

rego_bres rego_op_and(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_SET);
    REGO_WANT(1, VS_SET);
    vs_vec v = {.a = b->a};
    for (VS_ARR_FOR (m, args[0]))
        if (vs_set_has(args[1], *m))
            vs_vec_add(&v, *m);
    *out = vs_vec_end_set(&v);
    return rego_charge(b, args[0].len) ? REGO_B_OK : REGO_B_LIMIT;
}

rego_bres rego_op_or(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_SET);
    REGO_WANT(1, VS_SET);
    vs_vec v = {.a = b->a};
    for (unsigned i = 0; i < 2; i++)
        for (VS_ARR_FOR (m, args[i]))
            vs_vec_add(&v, *m);
    *out = vs_vec_end_set(&v);
    return rego_charge(b, args[0].len + args[1].len) ? REGO_B_OK : REGO_B_LIMIT;
}

#define COMPARISON(name, expr)                                                                     \
    rego_bres rego_bi_##name(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)            \
    {                                                                                              \
        (void)b, (void)n;                                                                          \
        int c = vs_cmp(args[0], args[1]);                                                          \
        *out = vs_bool(expr);                                                                      \
        return REGO_B_OK;                                                                          \
    }
COMPARISON(equal, c == 0)
COMPARISON(neq, c != 0)
COMPARISON(lt, c < 0)
COMPARISON(lte, c <= 0)
COMPARISON(gt, c > 0)
COMPARISON(gte, c >= 0)

static rego_bres rounded(rego_bctx *b, const vs_val *args, vs_rounding how, vs_val *out)
{
    REGO_WANT(0, VS_NUMBER);
    vs_error err = {0};
    return finish(b, vs_num_round(b->a, args[0], how, &err), &err, out);
}

rego_bres rego_bi_abs(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_NUMBER);
    vs_error err = {0};
    return finish(b, vs_num_abs(b->a, args[0]), &err, out);
}

rego_bres rego_bi_ceil(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return rounded(b, args, VS_ROUND_CEIL, out);
}

rego_bres rego_bi_floor(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return rounded(b, args, VS_ROUND_FLOOR, out);
}

rego_bres rego_bi_round(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return rounded(b, args, VS_ROUND_HALF_AWAY, out);
}

/* ---- bits
 * -------------------------------------------------------------------------------------------- */

static rego_bres want_integers(rego_bctx *b, const vs_val *args, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (args[i].kind != VS_NUMBER)
            return rego_type_error(b, i + 1, "integer", args[i]);
        if (!vs_num_is_integer(args[i]))
            return rego_not_integer(b, i + 1);
    }
    return REGO_B_OK;
}

static rego_bres bits(rego_bctx *b, const vs_val *args, vs_bitop op, vs_val *out)
{
    rego_bres res = want_integers(b, args, 2);
    vs_error err = {0};
    return res == REGO_B_OK ? finish(b, vs_num_bits(b->a, op, args[0], args[1], &err), &err, out)
                            : res;
}

rego_bres rego_bi_bits_and(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return bits(b, args, VS_BIT_AND, out);
}

rego_bres rego_bi_bits_or(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return bits(b, args, VS_BIT_OR, out);
}

rego_bres rego_bi_bits_xor(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return bits(b, args, VS_BIT_XOR, out);
}

rego_bres rego_bi_bits_negate(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    rego_bres res = want_integers(b, args, 1);
    vs_error err = {0};
    return res == REGO_B_OK ? finish(b, vs_num_not(b->a, args[0], &err), &err, out) : res;
}

static rego_bres shift(rego_bctx *b, const vs_val *args, int direction, vs_val *out)
{
    rego_bres res = want_integers(b, args, 2);
    if (res != REGO_B_OK)
        return res;
    if (vs_num_sign(args[1]) < 0) {
        (void)rego_error(b,
                         "operand 2 must be an unsigned integer number but got a negative integer");
        return REGO_B_TYPE;
    }
    if (args[1].big)
        return REGO_B_LIMIT;
    vs_error err = {0};
    return finish(b, vs_num_shift(b->a, args[0], direction * args[1].u.i, &err), &err, out);
}

rego_bres rego_bi_bits_lsh(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return shift(b, args, 1, out);
}

rego_bres rego_bi_bits_rsh(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return shift(b, args, -1, out);
}

/* ---- ranges and conversion
 * ----------------------------------------------------------------------------- */

enum { RANGE_MAX = 1000000 };

static rego_bres range(rego_bctx *b, vs_val from, vs_val to, int64_t step, vs_val *out)
{
    if (from.big || to.big)
        return REGO_B_LIMIT;
    bool up = from.u.i <= to.u.i;
    uint64_t distance =
        up ? (uint64_t)to.u.i - (uint64_t)from.u.i : (uint64_t)from.u.i - (uint64_t)to.u.i;
    uint64_t count = distance / (uint64_t)step + 1;
    if (count > RANGE_MAX || !rego_charge(b, count))
        return REGO_B_LIMIT;
    vs_vec v = {.a = b->a};
    for (uint64_t i = 0; i < count; i++) {
        uint64_t offset = i * (uint64_t)step;
        vs_vec_add(
            &v, vs_int((int64_t)(up ? (uint64_t)from.u.i + offset : (uint64_t)from.u.i - offset)));
    }
    *out = vs_vec_end_array(&v);
    return REGO_B_OK;
}

rego_bres rego_bi_numbers_range(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    rego_bres res = want_integers(b, args, 2);
    return res == REGO_B_OK ? range(b, args[0], args[1], 1, out) : res;
}

rego_bres rego_bi_numbers_range_step(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    rego_bres res = want_integers(b, args, 3);
    if (res != REGO_B_OK)
        return res;
    if (vs_num_sign(args[2]) <= 0)
        return rego_error(b, "step must be a positive integer");
    return range(b, args[0], args[1], args[2].big ? INT64_MAX : args[2].u.i, out);
}

rego_bres rego_bi_format_int(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_NUMBER);
    REGO_WANT(1, VS_NUMBER);
    int64_t base = vs_is_int(args[1]) ? args[1].u.i : 0;
    if (base != 2 && base != 8 && base != 10 && base != 16) {
        (void)rego_error(b, "operand 2 must be one of {2, 8, 10, 16}");
        return REGO_B_TYPE;
    }
    *out = vs_string(vs_num_text_base(b->a, args[0], (int)base));
    return REGO_B_OK;
}

/* "inf", "-Infinity", "NaN": texts of numbers elsewhere, not here. */
static bool is_not_finite(vs_span s)
{
    if (s.n && (s.p[0] == '+' || s.p[0] == '-'))
        s = vs_span_from(s, 1);
    static const char *const names[] = {"inf", "infinity", "nan"};
    for (size_t i = 0; i < VS_COUNT(names); i++)
        if (s.n == strlen(names[i]) && strncasecmp((const char *)s.p, names[i], s.n) == 0)
            return true;
    return false;
}

rego_bres rego_bi_to_number(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    vs_error err = {0};
    switch ((vs_kind)args[0].kind) {
    case VS_NULL: *out = vs_int(0); return REGO_B_OK;
    case VS_BOOL: *out = vs_int(args[0].u.b); return REGO_B_OK;
    case VS_NUMBER: *out = args[0]; return REGO_B_OK;
    case VS_STRING:
        if (is_not_finite(vs_text(args[0]))) {
            (void)rego_error(b, "operand 1 must be valid number string but got string");
            return REGO_B_TYPE;
        }
        *out = vs_num_parse(b->a, vs_text(args[0]), &err);
        if (vs_defined(*out))
            return REGO_B_OK;
        if (err.code != VS_E_PARSE)
            return REGO_B_LIMIT;
        return rego_error(b, "strconv.ParseFloat: parsing \"%.*s\": invalid syntax",
                          VS_FMT(vs_span_head(vs_text(args[0]), 100)));
    default: return rego_type_error(b, 1, "one of {null, boolean, number, string}", args[0]);
    }
}
