/* SPDX-License-Identifier: Apache-2.0 */
/* The validator of JSON Schema, and how it tells what is wrong. */
#ifndef VS_REGO_JSON_SCHEMA_ERRORS_H
#define VS_REGO_JSON_SCHEMA_ERRORS_H

#include "rego/json_schema.h"

typedef struct validator {
    rego_bctx *b;
    json_schema *s;
    rego_bres stopped; /* REGO_B_OK = go on */
    unsigned depth;
    unsigned quiet; /* > 0: only whether there are violations counts */
} validator;

typedef struct result {
    vs_vec errors;
    bool failed;
    int64_t score;
} result;

/* Where in the document; the text is only made for a violation. */
typedef struct place {
    const struct place *up;
    vs_span name;   /* of a member */
    uint32_t index; /* of an item, when there is no name */
} place;

/* A violation of `type` ("required", ...) at a place, with its description. What cannot be told for
 * want of memory or budget stops the validator. */
void complain(validator *v, result *r, const place *at, const char *type, const char *fmt, ...)
    VS_PRINTF(5, 6);
/* The description has a name in it, which may be any string. */
void complain_name(validator *v, result *r, const place *at, const char *type, const char *before,
                   vs_val name, const char *after);
/* The description is the place, a text and some values as JSON: "a does not match: 1". */
void complain_json(validator *v, result *r, const place *at, const char *type, const char *text,
                   const vs_val *values, size_t n);
/* The description is a text and a number. */
void complain_limit(validator *v, result *r, const place *at, const char *type, const char *text,
                    vs_val n);

#endif
