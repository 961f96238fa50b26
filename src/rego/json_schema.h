/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON Schema, drafts 4, 6 and 7, with the errors of the library behind OPA. "$schema" at the root
 * names the draft; without it the keywords of all three count. References lead to places in the
 * schema itself; nothing is ever loaded.
 */
#ifndef VS_REGO_JSON_SCHEMA_H
#define VS_REGO_JSON_SCHEMA_H

#include "rego/builtin.h"

typedef enum json_draft { DRAFT_ANY, DRAFT_4, DRAFT_6, DRAFT_7 } json_draft;

/* A place that references can name: its absolute URI, without an empty fragment. */
typedef struct json_schema_id {
    vs_span uri;
    vs_val schema;
} json_schema_id;

typedef struct json_schema {
    vs_val root; /* JSON, and every "$ref" absolute */
    json_draft draft;
    json_schema_id *ids; /* the root first, under "" */
    size_t n_ids, room;
    vs_span wrong; /* after REGO_B_ERROR: why the schema is none, in full */
} json_schema;

/* Reads and checks a schema, all that its references lead to included. Everything lives on b->a. */
rego_bres json_schema_read(rego_bctx *b, vs_val schema, json_schema *out);
/* Appends one object {"desc", "error", "field", "type"} per violation. */
rego_bres json_schema_validate(rego_bctx *b, json_schema *s, vs_val document, vs_vec *errors);

/* ---- between the parts -------------------------------------------------------------------------
 */

/* s->wrong, and REGO_B_ERROR; REGO_B_LIMIT when memory ran out. */
rego_bres json_schema_wrong(rego_bctx *b, json_schema *s, const char *fmt, ...) VS_PRINTF(3, 4);
/* Fills in s->root and s->ids. */
rego_bres json_schema_locate(rego_bctx *b, vs_val plain, json_schema *s);
/* What a "$ref" leads to; REGO_B_ERROR when that is nothing here. */
rego_bres json_schema_resolve(rego_bctx *b, json_schema *s, vs_span ref, vs_val *out);

#endif
