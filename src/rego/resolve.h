/* SPDX-License-Identifier: Apache-2.0 */
/* Names: resolve.c (what they mean) and scope.c (who declares them). */
#ifndef VS_REGO_RESOLVE_H
#define VS_REGO_RESOLVE_H

#include "rego/compile.h"

typedef struct resolver {
    compiler *k;
    compilation *c;
    const module *m;
    unit *u;
    const term *statement; /* a call that is a whole statement may have an output argument */
} resolver;

scope *new_scope(resolver *r, scope *parent);
/* The name in this scope; NULL when it is not there. */
struct scoped_name *find_here(scope *s, vs_span name);
/* The name in this scope or the nearest one around it that declares it before this place. */
struct scoped_name *find_name(scope *s, vs_span name);
void declare(resolver *r, scope *s, const term *t, bool declared);
/* What the literals of a body declare with := and `some`. */
void declare_assigned(resolver *r, scope *s, const body *b);
/* OPA's rule, with strict_types: what `some` and `every` declare has to be used. */
void check_used(resolver *r, const scope *s);

#endif
