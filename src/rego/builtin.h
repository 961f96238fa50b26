/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builtin functions: one table (builtin.c), one file per group (builtin_strings.c, ...).
 *
 * A builtin is a pure function of its arguments and the rego_bctx. Arguments are always defined and
 * their number is already checked. Operators (plus, eq, and, ...) are builtins by name as well; the
 * compiler emits instructions for them, which call the same code.
 */
#ifndef VS_REGO_BUILTIN_H
#define VS_REGO_BUILTIN_H

#include "rego/engine.h"
#include "rego/zone.h"

typedef struct rego_regexes rego_regexes; /* compiled patterns, kept per rego_eval */

typedef struct rego_bctx {
    vs_arena *a;
    int64_t now_ns;
    uint64_t seed;
    uint64_t *steps;       /* budget left; builtins charge for work that is not O(1) */
    rego_regexes *regexes; /* NULL = no caching */
    rego_zones *zones;     /* kept like the regexes */
    bool v0;               /* called from a v0 module: some results had another shape then */
    char message[256];     /* set with REGO_B_TYPE and REGO_B_ERROR: text behind "<name>: " */
} rego_bctx;

typedef enum rego_bres {
    REGO_B_OK,
    REGO_B_UNDEFINED, /* no result, and no error */
    REGO_B_TYPE,      /* eval_type_error */
    REGO_B_ERROR,     /* eval_builtin_error */
    REGO_B_LIMIT,     /* budget, size or memory exceeded: aborts in every mode */
} rego_bres;

typedef rego_bres (*rego_builtin_fn)(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out);

enum {
    REGO_BF_V0_ONLY = 1,  /* deprecated: any, all, re_match, ... (section 4) */
    REGO_BF_NONDET = 2,   /* same result within one evaluation, not across */
    REGO_BF_RELATION = 4, /* result is an array of solutions to enumerate: walk */
    REGO_BF_REFUSED = 8,  /* known to OPA, not available: http.send, ...; fn is NULL */
};

/* The kinds a builtin takes and gives: 0 null, b boolean, n number, s string, a array, o object,
 * S set, x anything, [..] one of several; arguments are separated by commas. "*" = any number. */
typedef struct rego_builtin {
    const char *name;
    const char *args, *result;
    uint8_t flags;
    rego_builtin_fn fn;
} rego_builtin;

enum { REGO_VARIADIC = 255 };
/* The number of arguments, without an output argument. */
unsigned rego_builtin_arity(const rego_builtin *b);
/* By dotted name; NULL if unknown. */
const rego_builtin *rego_builtin_find(vs_span name);
/* The i-th of the table, in order of names; NULL behind the last. */
const rego_builtin *rego_builtin_at(size_t i);

/* Charges `n` steps; false when the budget is gone (return REGO_B_LIMIT then). */
static inline bool rego_charge(rego_bctx *b, uint64_t n)
{
    if (n > *b->steps) {
        *b->steps = 0;
        return false;
    }
    *b->steps -= n;
    return true;
}

/* b->message = "operand N must be <type> but got <type>" and REGO_B_TYPE. `want` e.g. "number",
 * "one of {array, object, set, string}". N is 1-based. */
rego_bres rego_type_error(rego_bctx *b, unsigned n, const char *want, vs_val got);
/* The same for a number that is no integer, or none of 64 bits where one is wanted. */
rego_bres rego_not_integer(rego_bctx *b, unsigned n);
rego_bres rego_error(rego_bctx *b, const char *fmt, ...) VS_PRINTF(2, 3);

/* Regular expressions on RE2 (regex_re2.cc): linear time, RE2 syntax without \C. */
void rego_regexes_free(rego_regexes **r);

/* Rego text of a value (section 11), e.g. {"k": [1, 2]}, {1, 2}, set(). A top-level string is
 * quoted. */
void rego_print_value(vs_buf *out, vs_val v);

/* The operators, used by instructions and by their builtin names alike. */
rego_bres rego_op_plus(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out);
rego_bres rego_op_minus(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out);
rego_bres rego_op_mul(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out);
rego_bres rego_op_div(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out);
rego_bres rego_op_rem(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out);
rego_bres rego_op_and(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out);
rego_bres rego_op_or(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out);

#endif
