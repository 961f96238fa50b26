/* SPDX-License-Identifier: Apache-2.0 */
/* The table of builtins, sorted by name. */
#include "rego/builtin.h"

#include <stdarg.h>
#include <stdio.h>

#include "rego/builtins.h"

static const rego_builtin table[] = {
#define B(name, takes, gives, fn)        {name, takes, gives, 0, fn},
#define V0(name, takes, gives, fn)       {name, takes, gives, REGO_BF_V0_ONLY, fn},
#define RELATION(name, takes, gives, fn) {name, takes, gives, REGO_BF_RELATION, fn},
#define NONDET(name, takes, gives, fn)   {name, takes, gives, REGO_BF_NONDET, fn},
#define REFUSED(name, takes, gives)      {name, takes, gives, REGO_BF_REFUSED, NULL},
#include "rego/builtins.def"
#undef B
#undef V0
#undef RELATION
#undef NONDET
#undef REFUSED
};

const rego_builtin *rego_builtin_find(vs_span name)
{
    size_t lo = 0, hi = VS_COUNT(table);
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = vs_span_cmp(vs_str(table[mid].name), name);
        if (c == 0)
            return &table[mid];
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

const rego_builtin *rego_builtin_at(size_t i)
{
    return i < VS_COUNT(table) ? &table[i] : NULL;
}

static const char *type_of(vs_val v)
{
    return vs_kind_name((vs_kind)v.kind);
}

rego_bres rego_type_error(rego_bctx *b, unsigned n, const char *want, vs_val got)
{
    (void)snprintf(b->message, sizeof b->message, "operand %u must be %s but got %s", n, want,
                   type_of(got));
    return REGO_B_TYPE;
}

rego_bres rego_not_integer(rego_bctx *b, unsigned n)
{
    (void)rego_error(b, "operand %u must be integer number but got floating-point number", n);
    return REGO_B_TYPE;
}

rego_bres rego_error(rego_bctx *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(b->message, sizeof b->message, fmt, ap);
    va_end(ap);
    return REGO_B_ERROR;
}
