/* SPDX-License-Identifier: Apache-2.0 */
/* Type system documents (GraphQL specification section 3). */
#include "rego/graphql.h"

static bool is_word(gql_token t, const char *word)
{
    return t.kind == GQL_T_NAME && vs_span_is(t.text, word);
}

static vs_span description(gql_parser *p)
{
    gql_tok k = rego_gql_peek(p).kind;
    return k == GQL_T_STRING || k == GQL_T_BLOCK ? rego_gql_next(p).text : (vs_span){0};
}

/* ---- fields, arguments, input fields, enum values (3.6, 3.6.1, 3.10, 3.9) ------------------- */

static void *input_field(gql_parser *p)
{
    gql_field *f = GQL_AT(p, gql_field);
    if (!f)
        return NULL;
    f->description = description(p);
    f->name = rego_gql_name(p);
    (void)rego_gql_expect(p, GQL_T_COLON);
    f->type = rego_gql_parse_type(p);
    if (rego_gql_skip(p, GQL_T_EQUALS))
        f->value = rego_gql_value(p, true);
    f->directives = rego_gql_directives(p, true);
    return f;
}

static gql_list arguments(gql_parser *p)
{
    return rego_gql_some(p, GQL_T_PAREN_L, GQL_T_PAREN_R, input_field);
}

static void *field(gql_parser *p)
{
    gql_field *f = GQL_AT(p, gql_field);
    if (!f)
        return NULL;
    f->description = description(p);
    f->name = rego_gql_name(p);
    f->args = arguments(p);
    (void)rego_gql_expect(p, GQL_T_COLON);
    f->type = rego_gql_parse_type(p);
    f->directives = rego_gql_directives(p, true);
    return f;
}

static void *enum_value(gql_parser *p)
{
    gql_field *f = GQL_AT(p, gql_field);
    if (!f)
        return NULL;
    f->description = description(p);
    f->name = rego_gql_name(p);
    f->directives = rego_gql_directives(p, true);
    return f;
}

/* ---- types ---------------------------------------------------------------------------------- */

/* Names with a separator between them and perhaps before the first. */
static gql_list words(gql_parser *p, gql_tok separator)
{
    gql_list l = {0};
    (void)rego_gql_skip(p, separator);
    do {
        gql_word *w = GQL_AT(p, gql_word);
        if (w)
            w->text = rego_gql_name(p);
        rego_gql_add(&l, w);
    } while (rego_gql_skip(p, separator));
    return l;
}

static gql_list interfaces(gql_parser *p)
{
    if (!is_word(rego_gql_peek(p), "implements"))
        return (gql_list){0};
    (void)rego_gql_next(p);
    return words(p, GQL_T_AMP);
}

static void nothing(gql_parser *p, gql_def *d)
{
    (void)p;
    (void)d;
}

static void fields(gql_parser *p, gql_def *d)
{
    d->fields = rego_gql_some(p, GQL_T_BRACE_L, GQL_T_BRACE_R, field);
}

static void input_fields(gql_parser *p, gql_def *d)
{
    d->fields = rego_gql_some(p, GQL_T_BRACE_L, GQL_T_BRACE_R, input_field);
}

static void enum_values(gql_parser *p, gql_def *d)
{
    d->values = rego_gql_some(p, GQL_T_BRACE_L, GQL_T_BRACE_R, enum_value);
}

static void union_types(gql_parser *p, gql_def *d)
{
    if (rego_gql_skip(p, GQL_T_EQUALS))
        d->types = words(p, GQL_T_PIPE);
}

typedef struct type_syntax {
    const char *word, *kind;
    bool implements, extension_implements;
    void (*body)(gql_parser *p, gql_def *d);
} type_syntax;

static const type_syntax types[] = {
    {"scalar", "SCALAR", false, false, nothing},
    {"type", "OBJECT", true, true, fields},
    {"interface", "INTERFACE", true, false, fields},
    {"union", "UNION", false, false, union_types},
    {"enum", "ENUM", false, false, enum_values},
    {"input", "INPUT_OBJECT", false, false, input_fields},
};

static const type_syntax *type_of(gql_token t)
{
    for (size_t i = 0; i < VS_COUNT(types); i++)
        if (is_word(t, types[i].word))
            return &types[i];
    return NULL;
}

static gql_def *definition(gql_parser *p, const type_syntax *syntax, bool extension)
{
    rego_gql_keyword(p, syntax->word);
    gql_def *d = GQL_AT(p, gql_def);
    if (!d)
        return NULL;
    d->kind = vs_str(syntax->kind);
    d->name = rego_gql_name(p);
    if (extension ? syntax->extension_implements : syntax->implements)
        d->interfaces = interfaces(p);
    d->directives = rego_gql_directives(p, true);
    syntax->body(p, d);
    return d;
}

static gql_def *extension(gql_parser *p, const type_syntax *syntax)
{
    gql_def *d = definition(p, syntax, true);
    if (d && d->interfaces.n + d->directives.n + d->fields.n + d->types.n + d->values.n == 0)
        rego_gql_unexpected(p, rego_gql_peek(p));
    return d;
}

/* ---- schema and directive definitions (3.3, 3.13) ------------------------------------------- */

static void *root(gql_parser *p)
{
    gql_root *r = GQL_AT(p, gql_root);
    if (!r)
        return NULL;
    r->operation = rego_gql_operation_type(p);
    (void)rego_gql_expect(p, GQL_T_COLON);
    r->type = rego_gql_name(p);
    return r;
}

static gql_schema_def *schema(gql_parser *p)
{
    rego_gql_keyword(p, "schema");
    gql_schema_def *d = GQL_AT(p, gql_schema_def);
    if (!d)
        return NULL;
    d->directives = rego_gql_directives(p, true);
    d->roots = rego_gql_some(p, GQL_T_BRACE_L, GQL_T_BRACE_R, root);
    return d;
}

static void check_locations(gql_parser *p, const gql_list *locations)
{
    static const char *const known[] = {"QUERY",
                                        "MUTATION",
                                        "SUBSCRIPTION",
                                        "FIELD",
                                        "FRAGMENT_DEFINITION",
                                        "FRAGMENT_SPREAD",
                                        "INLINE_FRAGMENT",
                                        "VARIABLE_DEFINITION",
                                        "SCHEMA",
                                        "SCALAR",
                                        "OBJECT",
                                        "FIELD_DEFINITION",
                                        "ARGUMENT_DEFINITION",
                                        "INTERFACE",
                                        "UNION",
                                        "ENUM",
                                        "ENUM_VALUE",
                                        "INPUT_OBJECT",
                                        "INPUT_FIELD_DEFINITION"};
    for (GQL_EACH(gql_word, w, *locations)) {
        size_t i = 0;
        while (i < VS_COUNT(known) && !vs_span_is(w->text, known[i]))
            i++;
        if (i == VS_COUNT(known))
            rego_gql_unexpected(p, (gql_token){GQL_T_NAME, w->text, w->head.at});
    }
}

static gql_directive_def *directive(gql_parser *p)
{
    rego_gql_keyword(p, "directive");
    (void)rego_gql_expect(p, GQL_T_AT);
    gql_directive_def *d = GQL_AT(p, gql_directive_def);
    if (!d)
        return NULL;
    d->name = rego_gql_name(p);
    d->args = arguments(p);
    if (is_word(rego_gql_peek(p), "repeatable")) {
        (void)rego_gql_next(p);
        d->repeatable = true;
    }
    rego_gql_keyword(p, "on");
    d->locations = words(p, GQL_T_PIPE);
    check_locations(p, &d->locations);
    return d;
}

/* ---- documents ------------------------------------------------------------------------------ */

static void extend(gql_parser *p, gql_document *doc, bool built_in)
{
    rego_gql_keyword(p, "extend");
    gql_token t = rego_gql_peek(p);
    const type_syntax *syntax = type_of(t);
    if (syntax) {
        gql_def *d = extension(p, syntax);
        if (d)
            d->built_in = built_in;
        rego_gql_add(&doc->extensions, d);
    } else if (is_word(t, "schema")) {
        gql_schema_def *d = schema(p);
        if (d && d->directives.n + d->roots.n == 0)
            rego_gql_unexpected(p, rego_gql_peek(p));
        rego_gql_add(&doc->schema_extensions, d);
    } else {
        rego_gql_unexpected(p, t);
    }
}

static void statement(gql_parser *p, gql_document *doc, bool built_in)
{
    vs_span text = description(p);
    gql_token t = rego_gql_peek(p);
    const type_syntax *syntax = type_of(t);
    if (syntax) {
        gql_def *d = definition(p, syntax, false);
        if (d) {
            d->description = text;
            d->built_in = built_in;
        }
        rego_gql_add(&doc->definitions, d);
    } else if (is_word(t, "schema")) {
        gql_schema_def *d = schema(p);
        if (d)
            d->description = text;
        rego_gql_add(&doc->schema, d);
    } else if (is_word(t, "directive")) {
        gql_directive_def *d = directive(p);
        if (d)
            d->description = text;
        rego_gql_add(&doc->directives, d);
    } else if (is_word(t, "extend")) {
        if (text.n)
            rego_gql_unexpected(p, p->before);
        extend(p, doc, built_in);
    } else {
        rego_gql_unexpected(p, t);
    }
}

gql_document *rego_gql_parse_schema(gql_ctx *c, vs_span text, bool built_in)
{
    gql_parser p = {.c = c, .lexer = {.c = c, .in = text, .line = 1, .column = 1}};
    gql_document *doc = rego_gql_charge(c, text.n) ? rego_gql_new(c, sizeof *doc) : NULL;
    while (gql_ok(c) && rego_gql_peek(&p).kind != GQL_T_EOF)
        statement(&p, doc, built_in);
    return gql_ok(c) ? doc : NULL;
}
