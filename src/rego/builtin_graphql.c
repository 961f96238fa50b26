/* SPDX-License-Identifier: Apache-2.0 */
/* GraphQL: documents as values, and queries checked against schemas (rego.md 10). */
#include "rego/builtins.h"
#include "rego/graphql.h"

/* A document that is wrong is an error of the builtin; what exceeds a limit aborts. */
static rego_bres failure(const gql_ctx *c)
{
    if (c->limit || !c->failed)
        return REGO_B_LIMIT;
    if (c->at.line == 0)
        return rego_error(c->b, "%s", c->message);
    return rego_error(c->b, "%s in GraphQL string at location %d:%d", c->message, c->at.line,
                      c->at.column);
}

static bool is_document(vs_val v)
{
    return v.kind == VS_STRING || v.kind == VS_OBJECT;
}

static gql_query *read_query(gql_ctx *c, vs_val v)
{
    return v.kind == VS_STRING ? rego_gql_parse_query(c, vs_text(v)) : rego_gql_query_of(c, v);
}

static gql_document *read_schema(gql_ctx *c, vs_val v)
{
    return v.kind == VS_STRING ? rego_gql_parse_schema(c, vs_text(v), false)
                               : rego_gql_document_of(c, v);
}

static rego_bres parsed(const gql_ctx *c, vs_val v, vs_val *out)
{
    *out = v;
    return gql_ok(c) && vs_defined(v) ? REGO_B_OK : failure(c);
}

rego_bres rego_bi_graphql_parse_query(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_STRING);
    gql_ctx c = {.b = b};
    const gql_query *q = read_query(&c, args[0]);
    return parsed(&c, q ? rego_gql_query_value(&c, q) : vs_undefined(), out);
}

rego_bres rego_bi_graphql_parse_schema(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_STRING);
    gql_ctx c = {.b = b};
    const gql_document *d = read_schema(&c, args[0]);
    return parsed(&c, d ? rego_gql_document_value(&c, d) : vs_undefined(), out);
}

/* The query args[0] against the schema args[1]; with `ast`, both as values. They are made before
 * validation adds to the nodes. */
static bool verify(gql_ctx *c, const vs_val *args, vs_val *ast)
{
    gql_query *q = read_query(c, args[0]);
    gql_document *d = q ? read_schema(c, args[1]) : NULL;
    if (!d)
        return false;
    if (ast) {
        ast[0] = rego_gql_query_value(c, q);
        ast[1] = rego_gql_document_value(c, d);
    }
    gql_schema *s = gql_ok(c) ? rego_gql_schema(c, d) : NULL;
    if (s)
        rego_gql_validate(c, s, q);
    return gql_ok(c);
}

static rego_bres array_of(rego_bctx *b, const vs_val *items, size_t n, vs_val *out)
{
    vs_vec v = {.a = b->a};
    for (size_t i = 0; i < n; i++)
        vs_vec_add(&v, items[i]);
    *out = vs_vec_end_array(&v);
    return vs_defined(*out) ? REGO_B_OK : REGO_B_LIMIT;
}

rego_bres rego_bi_graphql_parse(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    for (unsigned i = 0; i < n; i++)
        if (!is_document(args[i]))
            return rego_type_error(b, i + 1, "one of {string, object}", args[i]);
    gql_ctx c = {.b = b};
    vs_val ast[2];
    return verify(&c, args, ast) ? array_of(b, ast, 2, out) : failure(&c);
}

rego_bres rego_bi_graphql_parse_and_verify(rego_bctx *b, const vs_val *args, unsigned n,
                                           vs_val *out)
{
    (void)n;
    gql_ctx c = {.b = b};
    vs_val result[3] = {vs_bool(true)};
    if (is_document(args[0]) && is_document(args[1]) && verify(&c, args, result + 1))
        return array_of(b, result, 3, out);
    if (c.limit)
        return REGO_B_LIMIT;
    const vs_val unverified[] = {vs_bool(false), vs_empty(VS_OBJECT), vs_empty(VS_OBJECT)};
    return array_of(b, unverified, 3, out);
}

rego_bres rego_bi_graphql_is_valid(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    gql_ctx c = {.b = b};
    *out = vs_bool(is_document(args[0]) && is_document(args[1]) && verify(&c, args, NULL));
    return c.limit ? REGO_B_LIMIT : REGO_B_OK;
}

rego_bres rego_bi_graphql_schema_is_valid(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    gql_ctx c = {.b = b};
    gql_document *d = is_document(args[0]) ? read_schema(&c, args[0]) : NULL;
    *out = vs_bool(d && rego_gql_schema(&c, d));
    return c.limit ? REGO_B_LIMIT : REGO_B_OK;
}
