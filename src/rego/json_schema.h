/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Schema, drafts 4, 6 and 7, with the errors of the library behind OPA. References lead to
 * places in the schema itself; others are refused. */
#ifndef VS_REGO_JSON_SCHEMA_H
#define VS_REGO_JSON_SCHEMA_H

#include "rego/builtin.h"

/* REGO_B_ERROR with the reason in b->message when the schema is wrong. */
rego_bres json_schema_check(rego_bctx *b, vs_val schema);
/* Appends one object {"desc", "error", "field", "type"} per violation. The schema must be good. */
rego_bres json_schema_validate(rego_bctx *b, vs_val schema, vs_val document, vs_vec *errors);

#endif
