/* SPDX-License-Identifier: Apache-2.0 */
/* json.match_schema and json.verify_schema (rego.md 10.3). */
#include "rego/builtins.h"
#include "rego/json_schema.h"
#include "value/json.h"

/* An array or object, or JSON text. */
static rego_bres read_document(rego_bctx *b, const vs_val *args, unsigned i, vs_val *out)
{
    *out = args[i];
    if (args[i].kind == VS_OBJECT || args[i].kind == VS_ARRAY)
        return REGO_B_OK;
    if (args[i].kind != VS_STRING)
        return rego_error(b, "wrong type, expected string or object");
    if (!rego_charge(b, args[i].len / 4))
        return REGO_B_LIMIT;
    vs_json_opts opts = {.dup_last_wins = true, .lossy = true};
    vs_code code = vs_json_parse(b->a, vs_text(args[i]), &opts, out, NULL);
    if (code == VS_OK)
        return REGO_B_OK;
    return code == VS_E_LIMIT || code == VS_E_NOMEM || !vs_arena_ok(b->a)
               ? REGO_B_LIMIT
               : rego_error(b, "invalid JSON string");
}

static rego_bres pair(rego_bctx *b, bool good, vs_val second, vs_val *out)
{
    vs_vec v = {.a = b->a};
    vs_vec_add(&v, vs_bool(good));
    vs_vec_add(&v, second);
    *out = vs_vec_end_array(&v);
    return vs_defined(*out) ? REGO_B_OK : REGO_B_LIMIT;
}

rego_bres rego_bi_json_match_schema(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    vs_val doc, text;
    json_schema schema;
    vs_vec errors = {.a = b->a};
    rego_bres res = read_document(b, args, 0, &doc);
    if (res == REGO_B_OK)
        res = read_document(b, args, 1, &text);
    if (res == REGO_B_OK)
        res = json_schema_read(b, text, &schema);
    if (res == REGO_B_OK)
        res = json_schema_validate(b, &schema, doc, &errors);
    return res == REGO_B_OK ? pair(b, errors.n == 0, vs_vec_end_array(&errors), out) : res;
}

rego_bres rego_bi_json_verify_schema(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    vs_val text;
    json_schema schema = {0};
    rego_bres res = read_document(b, args, 0, &text);
    if (res == REGO_B_OK)
        res = json_schema_read(b, text, &schema);
    if (res == REGO_B_OK)
        return pair(b, true, vs_null(), out);
    if (res != REGO_B_ERROR)
        return res;
    if (!schema.wrong.n)
        schema.wrong = vs_str(b->message);
    const char *why = vs_sprintf(b->a, "jsonschema: %.*s", VS_FMT(schema.wrong));
    return vs_arena_ok(b->a) ? pair(b, false, vs_cstring(why), out) : REGO_B_LIMIT;
}
