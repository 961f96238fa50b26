/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the index of a rule (index.c); program.h has its shape, vm.c uses it. */
#ifndef VS_REGO_INDEX_H
#define VS_REGO_INDEX_H

#include "rego/compile.h"

typedef struct index_test { /* subject is one of `wanted` */
    subject subject;
    vs_val wanted;
} index_test;

/* For resolved definitions; the entries are filled in when the code is generated. NULL when an
 * index would not help. */
rule_index *index_rule(gen *g, def *const *defs, size_t n);

#endif
