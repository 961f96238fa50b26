/* SPDX-License-Identifier: Apache-2.0 */
/* What a plain scalar of YAML stands for, as Go's YAML library has it: YAML 1.1 without its words
 * for booleans (yes, on, ...) and without times, which are strings. */
#ifndef VS_REGO_YAML_SCALAR_H
#define VS_REGO_YAML_SCALAR_H

#include "rego/builtin.h"

typedef enum yaml_kind {
    YAML_IS_STRING,
    YAML_IS_NULL,
    YAML_IS_BOOL,
    YAML_IS_INT,
    YAML_IS_FLOAT,
    YAML_IS_NOT_FINITE, /* no JSON value; `value` is its canonical text */
    YAML_IS_MERGE,      /* "<<" */
} yaml_kind;

/* The value of `s`, on the arena; of strings, without a copy. */
yaml_kind yaml_resolve(vs_arena *a, vs_span s, vs_val *value);
/* "null", "int", ... as in the tags. */
const char *yaml_kind_name(yaml_kind kind);
/* Whether a string has to be quoted, or it would be read as another value here or elsewhere. */
bool yaml_is_ambiguous(vs_arena *a, vs_span s);
/* A time of YAML 1.1; *out in UTC nanoseconds when it has no offset of its own. */
bool yaml_is_time(vs_span s, int64_t *seconds, int *nanosecond);
/* A number as Go's "%g" without a precision has it: 123456, 1e+06, 1.5e-05. */
void rego_put_number_g(vs_buf *out, vs_arena *a, vs_val n);
/* The same, but integers of 64 bits with all their digits. */
void rego_put_yaml_number(vs_buf *out, vs_arena *a, vs_val n);

#endif
