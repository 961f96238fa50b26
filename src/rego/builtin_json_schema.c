/* SPDX-License-Identifier: Apache-2.0 */
/* json.match_schema and json.verify_schema (rego.md 10.3). */
#include <stdio.h>

#include "rego/builtins.h"
#include "rego/json_schema.h"
#include "value/json.h"

/* An object, or one as JSON text. */
static rego_bres read_document(rego_bctx *b, const vs_val *args, unsigned i, vs_val *out)
{
    vs_error err = {0};
    *out = args[i];
    if (args[i].kind == VS_OBJECT)
        return REGO_B_OK;
    if (args[i].kind != VS_STRING)
        return rego_type_error(b, i + 1, "one of {string, object}", args[i]);
    if (!rego_charge(b, args[i].len / 4))
        return REGO_B_LIMIT;
    vs_json_opts opts = {.dup_last_wins = true};
    if (vs_json_parse(b->a, vs_text(args[i]), &opts, out, &err) != VS_OK)
        return rego_error(b, "invalid JSON: %s", vs_error_at(&err, 0));
    return REGO_B_OK;
}

static vs_val pair(rego_bctx *b, bool good, vs_val second)
{
    vs_vec v = {.a = b->a};
    vs_vec_add(&v, vs_bool(good));
    vs_vec_add(&v, second);
    return vs_vec_end_array(&v);
}

rego_bres rego_bi_json_match_schema(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    vs_val doc, schema;
    vs_vec errors = {.a = b->a};
    rego_bres res = read_document(b, args, 0, &doc);
    if (res == REGO_B_OK)
        res = read_document(b, args, 1, &schema);
    if (res == REGO_B_OK)
        res = json_schema_check(b, schema);
    if (res == REGO_B_OK)
        res = json_schema_validate(b, schema, doc, &errors);
    if (res == REGO_B_OK)
        *out = pair(b, errors.n == 0, vs_vec_end_array(&errors));
    return res;
}

rego_bres rego_bi_json_verify_schema(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    vs_val schema;
    rego_bres res = read_document(b, args, 0, &schema);
    if (res == REGO_B_OK)
        res = json_schema_check(b, schema);
    if (res == REGO_B_LIMIT || res == REGO_B_TYPE)
        return res;
    *out = res == REGO_B_OK
               ? pair(b, true, vs_null())
               : pair(b, false, vs_cstring(vs_sprintf(b->a, "jsonschema: %s", b->message)));
    return REGO_B_OK;
}
