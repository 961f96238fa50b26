/* SPDX-License-Identifier: Apache-2.0 */
/* The functions behind builtins.def; each is described in rego.md 10. */
#ifndef VS_REGO_BUILTINS_H
#define VS_REGO_BUILTINS_H

#include "rego/builtin.h"

#define B(name, arity, fn)        rego_bres fn(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out);
#define V0(name, arity, fn)       B(name, arity, fn)
#define RELATION(name, arity, fn) B(name, arity, fn)
#define NONDET(name, arity, fn)   B(name, arity, fn)
#define REFUSED(name, arity)
#include "rego/builtins.def"
#undef B
#undef V0
#undef RELATION
#undef NONDET
#undef REFUSED

/* The first argument of another kind than wanted is a type error. */
#define REGO_WANT(i, k)                                                                            \
    do {                                                                                           \
        if (args[i].kind != (k))                                                                   \
            return rego_type_error(b, (i) + 1, vs_kind_name(k), args[i]);                          \
    } while (0)

#endif
