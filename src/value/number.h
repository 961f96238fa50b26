/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exact numbers of any size on GMP: coefficient * 10^exponent.
 *
 * All results are canonical (value.h). Limits: VS_NUM_DIGITS digits, |exponent| <= VS_NUM_EXP; a
 * result beyond them is undefined and *err says so with VS_E_LIMIT. No GMP global state is changed.
 */
#ifndef VS_VALUE_NUMBER_H
#define VS_VALUE_NUMBER_H

#include "value/value.h"

enum { VS_NUM_DIGITS = 4096, VS_NUM_EXP = 10000 };

/* Text in the JSON number grammar (RFC 8259 section 6), nothing before or after it. */
vs_val vs_num_parse(vs_arena *a, vs_span text, vs_error *err);
/* Integer in base 2..16 with optional sign, digits either case. */
vs_val vs_num_parse_base(vs_arena *a, vs_span text, int base, vs_error *err);
vs_val vs_num_of_u64(vs_arena *a, uint64_t u);
/* The shortest decimal that reads back as `d`; NaN and infinities: undefined. */
vs_val vs_num_of_double(vs_arena *a, double d);
/* Nearest double (may be infinite). */
double vs_num_to_double(vs_val n);
/* True when the number is an integer (of any size). */
bool vs_num_is_integer(vs_val n);
/* -1, 0, 1 */
int vs_num_sign(vs_val n);
/* Order of two numbers by exact value. */
int vs_num_cmp(vs_val x, vs_val y);

/* Exact. Division: exact when the quotient is a finite decimal of at most 34 significant digits or
 * an integer, else rounded half even to 34 significant digits; by zero: VS_E_INVALID "divide by
 * zero". Remainder: integers only, sign of the dividend: VS_E_INVALID otherwise. */
vs_val vs_num_add(vs_arena *a, vs_val x, vs_val y, vs_error *err);
vs_val vs_num_sub(vs_arena *a, vs_val x, vs_val y, vs_error *err);
vs_val vs_num_mul(vs_arena *a, vs_val x, vs_val y, vs_error *err);
vs_val vs_num_div(vs_arena *a, vs_val x, vs_val y, vs_error *err);
vs_val vs_num_rem(vs_arena *a, vs_val x, vs_val y, vs_error *err);
vs_val vs_num_neg(vs_arena *a, vs_val x);
vs_val vs_num_abs(vs_arena *a, vs_val x);

typedef enum vs_rounding {
    VS_ROUND_FLOOR,
    VS_ROUND_CEIL,
    VS_ROUND_HALF_AWAY,
    VS_ROUND_TRUNC
} vs_rounding;
vs_val vs_num_round(vs_arena *a, vs_val x, vs_rounding how, vs_error *err);

/* Two's complement bit operations on integers of any size; non-integers: VS_E_INVALID. */
typedef enum vs_bitop { VS_BIT_AND, VS_BIT_OR, VS_BIT_XOR } vs_bitop;
vs_val vs_num_bits(vs_arena *a, vs_bitop op, vs_val x, vs_val y, vs_error *err);
vs_val vs_num_not(vs_arena *a, vs_val x, vs_error *err);
/* Shift left by n (negative = arithmetic shift right). */
vs_val vs_num_shift(vs_arena *a, vs_val x, int64_t n, vs_error *err);

/* Decimal text: plain digits for integers up to 21 digits and for decimals with exponent down to
 * 1e-7, else d.ddde+XX; always reads back as the same number. */
/* A copy onto another arena. */
vs_val vs_num_copy(vs_arena *a, vs_val n);

vs_span vs_num_text(vs_arena *a, vs_val n);
/* Integer text in base 2, 8, 10 or 16, lower case, no prefix (non-integers are truncated). */
vs_span vs_num_text_base(vs_arena *a, vs_val n, int base);

#endif
