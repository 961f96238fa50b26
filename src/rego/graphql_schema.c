/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas: a document joined with the built-in types, its extensions and its roots (GraphQL
 * specification 3.3 and 3.4.3). The rules for types are in graphql_types.c. */
#include "rego/graphql.h"

#include <stdlib.h>

/* The built-in scalars (3.5), directives (3.13) and the types of introspection (4.2). */
static const char built_in[] =
    "scalar Int scalar Float scalar String scalar Boolean scalar ID "
    "directive @include(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT "
    "directive @skip(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT "
    "directive @deprecated(reason: String = \"No longer supported\") on FIELD_DEFINITION | "
    "ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE "
    "directive @specifiedBy(url: String!) on SCALAR "
    "directive @defer(if: Boolean = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT "
    "directive @oneOf on INPUT_OBJECT "
    "type __Schema { description: String types: [__Type!]! queryType: __Type! "
    "mutationType: __Type subscriptionType: __Type directives: [__Directive!]! } "
    "type __Type { kind: __TypeKind! name: String description: String "
    "fields(includeDeprecated: Boolean = false): [__Field!] interfaces: [__Type!] "
    "possibleTypes: [__Type!] enumValues(includeDeprecated: Boolean = false): [__EnumValue!] "
    "inputFields: [__InputValue!] ofType: __Type specifiedByURL: String isOneOf: Boolean } "
    "type __Field { name: String! description: String args: [__InputValue!]! type: __Type! "
    "isDeprecated: Boolean! deprecationReason: String } "
    "type __InputValue { name: String! description: String type: __Type! defaultValue: String } "
    "type __EnumValue { name: String! description: String isDeprecated: Boolean! "
    "deprecationReason: String } "
    "enum __TypeKind { SCALAR OBJECT INTERFACE UNION ENUM INPUT_OBJECT LIST NON_NULL } "
    "type __Directive { name: String! description: String locations: [__DirectiveLocation!]! "
    "args: [__InputValue!]! isRepeatable: Boolean! } "
    "enum __DirectiveLocation { QUERY MUTATION SUBSCRIPTION FIELD FRAGMENT_DEFINITION "
    "FRAGMENT_SPREAD INLINE_FRAGMENT VARIABLE_DEFINITION SCHEMA SCALAR OBJECT FIELD_DEFINITION "
    "ARGUMENT_DEFINITION INTERFACE UNION ENUM ENUM_VALUE INPUT_OBJECT INPUT_FIELD_DEFINITION }";

static const char root_fields[] = "type Root { __schema: __Schema! __type(name: String!): __Type } "
                                  "type Any { __typename: String }";

/* ---- look-up -------------------------------------------------------------------------------- */

gql_def *rego_gql_type(gql_ctx *c, const gql_schema *s, vs_span name)
{
    (void)rego_gql_charge(c, 1);
    size_t lo = 0, hi = s->n_types;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = vs_span_cmp(s->types[mid]->name, name);
        if (order == 0)
            return s->types[mid];
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

gql_directive_def *rego_gql_directive(gql_ctx *c, const gql_schema *s, vs_span name)
{
    (void)rego_gql_charge(c, 1);
    size_t lo = 0, hi = s->n_directives;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = vs_span_cmp(s->directives[mid]->name, name);
        if (order == 0)
            return s->directives[mid];
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

gql_field *rego_gql_field(gql_ctx *c, const gql_list *fields, vs_span name)
{
    (void)rego_gql_charge(c, fields->n / 4);
    for (GQL_EACH(gql_field, f, *fields))
        if (vs_span_eq(f->name, name))
            return f;
    return NULL;
}

gql_arg *rego_gql_arg(gql_ctx *c, const gql_list *args, vs_span name)
{
    (void)rego_gql_charge(c, args->n / 4);
    for (GQL_EACH(gql_arg, a, *args))
        if (vs_span_eq(a->name, name))
            return a;
    return NULL;
}

bool rego_gql_has_word(gql_ctx *c, const gql_list *words, vs_span text)
{
    (void)rego_gql_charge(c, words->n / 4);
    for (GQL_EACH(gql_word, w, *words))
        if (vs_span_eq(w->text, text))
            return true;
    return false;
}

bool rego_gql_is_kind(const gql_def *d, const char *kind)
{
    return vs_span_is(d->kind, kind);
}

bool rego_gql_is_leaf(const gql_def *d)
{
    return rego_gql_is_kind(d, "SCALAR") || rego_gql_is_kind(d, "ENUM");
}

bool rego_gql_is_input(const gql_def *d)
{
    return rego_gql_is_leaf(d) || rego_gql_is_kind(d, "INPUT_OBJECT");
}

bool rego_gql_is_composite(const gql_def *d)
{
    return rego_gql_is_kind(d, "OBJECT") || rego_gql_is_kind(d, "INTERFACE") ||
           rego_gql_is_kind(d, "UNION");
}

bool rego_gql_is_possible(gql_ctx *c, const gql_def *abstract, const gql_def *d)
{
    (void)rego_gql_charge(c, 1);
    if (rego_gql_is_kind(abstract, "UNION"))
        return rego_gql_has_word(c, &abstract->types, d->name);
    if (rego_gql_is_kind(abstract, "INTERFACE"))
        return rego_gql_has_word(c, &d->interfaces, abstract->name);
    return abstract == d;
}

vs_span rego_gql_type_name(const gql_type *t)
{
    while (t->elem && t->named.n == 0)
        t = t->elem;
    return t->named;
}

const char *rego_gql_type_text(gql_ctx *c, const gql_type *t)
{
    const char *bang = t->non_null ? "!" : "";
    if (t->named.n || !t->elem)
        return vs_sprintf(c->b->a, "%.*s%s", VS_FMT(t->named), bang);
    if (!rego_gql_enter(c, GQL_FOLLOW))
        return "";
    const char *elem = rego_gql_type_text(c, t->elem);
    c->depth--;
    return vs_sprintf(c->b->a, "[%s]%s", elem, bang);
}

/* ---- joining -------------------------------------------------------------------------------- */

static void append(gql_list *to, const gql_list *more)
{
    if (!more->n)
        return;
    if (to->last)
        to->last->next = more->first;
    else
        to->first = more->first;
    to->last = more->last;
    to->n += more->n;
}

/* By name; of one name in document order, so that the first one is the one that counts. */
static int cmp_at(const gql_node *x, const gql_node *y)
{
    int c = (x->at.line > y->at.line) - (x->at.line < y->at.line);
    return c ? c : (x->at.column > y->at.column) - (x->at.column < y->at.column);
}

static int cmp_def(const void *x, const void *y)
{
    const gql_def *p = *(gql_def *const *)x, *q = *(gql_def *const *)y;
    int c = vs_span_cmp(p->name, q->name);
    if (c == 0)
        c = (int)q->built_in - (int)p->built_in;
    return c ? c : cmp_at(&p->head, &q->head);
}

static void add_defs(gql_schema *s, const gql_list *defs)
{
    for (GQL_EACH(gql_def, d, *defs))
        s->types[s->n_types++] = d;
}

static void sort_types(gql_ctx *c, gql_schema *s)
{
    if (!rego_gql_charge(c, s->n_types * 4))
        return;
    qsort(s->types, s->n_types, sizeof *s->types, cmp_def);
    for (size_t i = 1; i < s->n_types; i++)
        if (vs_span_eq(s->types[i - 1]->name, s->types[i]->name))
            rego_gql_fail(c, s->types[i]->head.at, "Cannot redeclare type %.*s",
                          VS_FMT(s->types[i]->name));
}

/* Every type that is only ever extended is made: an empty definition of the extension's kind. */
static void add_extended(gql_ctx *c, gql_schema *s, const gql_list *extensions)
{
    gql_schema known = *s;
    size_t n = s->n_types;
    for (GQL_EACH(gql_def, e, *extensions)) {
        if (rego_gql_type(c, &known, e->name))
            continue;
        gql_def *d = rego_gql_new(c, sizeof *d);
        if (!d)
            return;
        d->head.at = e->head.at;
        d->kind = e->kind;
        d->name = e->name;
        s->types[n++] = d;
    }
    s->n_types = n;
    if (!rego_gql_charge(c, n * 4))
        return;
    qsort(s->types, n, sizeof *s->types, cmp_def);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || !vs_span_eq(s->types[kept - 1]->name, s->types[i]->name))
            s->types[kept++] = s->types[i];
    s->n_types = kept;
}

static void extend(gql_ctx *c, gql_schema *s, const gql_list *extensions)
{
    for (GQL_EACH(gql_def, e, *extensions)) {
        gql_def *d = rego_gql_type(c, s, e->name);
        if (!d || !gql_ok(c))
            return;
        if (!vs_span_eq(d->kind, e->kind))
            rego_gql_fail(c, e->head.at,
                          "Cannot extend type %.*s because the base type is a %.*s, not %.*s",
                          VS_FMT(e->name), VS_FMT(d->kind), VS_FMT(e->kind));
        append(&d->directives, &e->directives);
        append(&d->interfaces, &e->interfaces);
        append(&d->fields, &e->fields);
        append(&d->types, &e->types);
        append(&d->values, &e->values);
    }
}

static int cmp_directive(const void *x, const void *y)
{
    const gql_directive_def *p = *(gql_directive_def *const *)x;
    const gql_directive_def *q = *(gql_directive_def *const *)y;
    int c = vs_span_cmp(p->name, q->name);
    return c ? c : cmp_at(&p->head, &q->head);
}

static bool is_ours(const gql_document *ours, vs_span name)
{
    for (GQL_EACH(gql_directive_def, d, ours->directives))
        if (vs_span_eq(d->name, name))
            return true;
    return false;
}

/* Built-in directives may be declared again (3.13); the document's declaration counts. */
static void join_directives(gql_ctx *c, gql_schema *s, const gql_document *ours,
                            const gql_document *doc)
{
    size_t n = 0;
    for (GQL_EACH(gql_directive_def, d, doc->directives))
        s->directives[n++] = d;
    qsort(s->directives, n, sizeof *s->directives, cmp_directive);
    for (size_t i = 1; i < n; i++)
        if (vs_span_eq(s->directives[i - 1]->name, s->directives[i]->name) &&
            !is_ours(ours, s->directives[i]->name))
            rego_gql_fail(c, s->directives[i]->head.at, "Cannot redeclare directive %.*s",
                          VS_FMT(s->directives[i]->name));
    s->n_directives = n;
    gql_schema theirs = *s;
    for (GQL_EACH(gql_directive_def, d, ours->directives))
        if (!rego_gql_directive(c, &theirs, d->name))
            s->directives[s->n_directives++] = d;
    qsort(s->directives, s->n_directives, sizeof *s->directives, cmp_directive);
}

/* ---- roots (3.3.1) -------------------------------------------------------------------------- */

static gql_def **root_of(gql_schema *s, vs_span operation)
{
    if (vs_span_is(operation, "query"))
        return &s->query;
    if (vs_span_is(operation, "mutation"))
        return &s->mutation;
    return vs_span_is(operation, "subscription") ? &s->subscription : NULL;
}

static void set_roots(gql_ctx *c, gql_schema *s, const gql_list *defs)
{
    for (GQL_EACH(gql_schema_def, d, *defs))
        for (GQL_EACH(gql_root, r, d->roots)) {
            gql_def **root = root_of(s, r->operation);
            gql_def *type = rego_gql_type(c, s, r->type);
            if (!type)
                rego_gql_fail(c, r->head.at,
                              "Schema root %.*s refers to a type %.*s that does not exist",
                              VS_FMT(r->operation), VS_FMT(r->type));
            if (root)
                *root = type;
        }
}

static void find_roots(gql_ctx *c, gql_schema *s, const gql_document *doc)
{
    if (doc->schema.n > 1)
        rego_gql_fail(c, doc->schema.first->next->at,
                      "Cannot have multiple schema entry points, consider schema extensions "
                      "instead");
    set_roots(c, s, &doc->schema);
    set_roots(c, s, &doc->schema_extensions);
}

/* Without a schema definition the roots are the types of the usual names. */
static void default_roots(gql_ctx *c, gql_schema *s)
{
    if (!s->query)
        s->query = rego_gql_type(c, s, VS_LIT("Query"));
    if (!s->mutation)
        s->mutation = rego_gql_type(c, s, VS_LIT("Mutation"));
    if (!s->subscription)
        s->subscription = rego_gql_type(c, s, VS_LIT("Subscription"));
}

/* __schema and __type of the query root, __typename of all (4.1, 4.2). */
static void add_root_fields(gql_ctx *c, gql_schema *s)
{
    gql_document *doc = rego_gql_parse_schema(c, vs_str(root_fields), true);
    if (!doc)
        return;
    gql_def *root = (gql_def *)(void *)doc->definitions.first;
    gql_def *any = (gql_def *)(void *)root->head.next;
    s->type_name = (gql_field *)(void *)any->fields.first;
    if (s->query)
        append(&s->query->fields, &root->fields);
}

gql_schema *rego_gql_schema(gql_ctx *c, gql_document *doc)
{
    gql_document *ours = rego_gql_parse_schema(c, vs_str(built_in), true);
    gql_schema *s = rego_gql_new(c, sizeof *s);
    if (!ours || !s)
        return NULL;
    size_t types = (size_t)ours->definitions.n + doc->definitions.n + doc->extensions.n;
    size_t directives = (size_t)ours->directives.n + doc->directives.n;
    s->types = rego_gql_new(c, types * sizeof(gql_def *));
    s->directives = rego_gql_new(c, directives * sizeof(gql_directive_def *));
    if (!s->types || !s->directives)
        return NULL;
    add_defs(s, &ours->definitions);
    add_defs(s, &doc->definitions);
    sort_types(c, s);
    add_extended(c, s, &doc->extensions);
    extend(c, s, &doc->extensions);
    join_directives(c, s, ours, doc);
    find_roots(c, s, doc);
    rego_gql_check_types(c, s);
    if (doc->schema.n == 0)
        default_roots(c, s);
    add_root_fields(c, s);
    return gql_ok(c) ? s : NULL;
}
