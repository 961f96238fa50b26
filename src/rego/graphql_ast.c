/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GraphQL nodes as values and back. A shape lists the members of one kind of node; what it leaves
 * out (positions, links between nodes) is not shown. As in OPA, empty lists and absent nodes are
 * left out, empty strings and false are not.
 */
#include "rego/graphql.h"

typedef enum member_kind {
    M_TEXT,
    M_BOOL,
    M_NEW_BOOL,
    M_INT,
    M_WORDS,
    M_NODE,
    M_NEEDED,
    M_LIST
} member_kind;

typedef struct shape shape;
typedef struct member {
    const char *name;
    size_t at;
    member_kind kind;
    const shape *of; /* M_NODE, M_NEEDED, M_LIST; for selections NULL: see shape_of */
} member;

struct shape {
    const member *members;
    size_t n, size;
};

#define SHAPE(id, type) static const shape id = {id##_members, VS_COUNT(id##_members), sizeof(type)}
#define AT(type, field) offsetof(type, field)

/* ---- executable documents ------------------------------------------------------------------- */

static const shape arg, value, type, inline_fragment, spread, field;

static const member type_members[] = {
    {"NamedType", AT(gql_type, named), M_TEXT, NULL},
    {"Elem", AT(gql_type, elem), M_NODE, &type},
    {"NonNull", AT(gql_type, non_null), M_BOOL, NULL},
};
SHAPE(type, gql_type);

static const member value_members[] = {
    {"Raw", AT(gql_value, raw), M_TEXT, NULL},
    {"Children", AT(gql_value, children), M_LIST, &arg},
    {"Kind", AT(gql_value, kind), M_INT, NULL},
    {"ExpectedTypeHasDefault", AT(gql_value, expected_default), M_NEW_BOOL, NULL},
};
SHAPE(value, gql_value);

static const member arg_members[] = {
    {"Name", AT(gql_arg, name), M_TEXT, NULL},
    {"Value", AT(gql_arg, value), M_NEEDED, &value},
};
SHAPE(arg, gql_arg);

static const member directive_members[] = {
    {"Name", AT(gql_directive, name), M_TEXT, NULL},
    {"Arguments", AT(gql_directive, args), M_LIST, &arg},
    {"Location", AT(gql_directive, location), M_TEXT, NULL},
};
SHAPE(directive, gql_directive);

static const member var_members[] = {
    {"Variable", AT(gql_var, name), M_TEXT, NULL},
    {"Type", AT(gql_var, type), M_NEEDED, &type},
    {"DefaultValue", AT(gql_var, value), M_NODE, &value},
    {"Directives", AT(gql_var, directives), M_LIST, &directive},
    {"Used", AT(gql_var, used), M_BOOL, NULL},
};
SHAPE(var, gql_var);

static const member field_members[] = {
    {"Alias", AT(gql_selection, alias), M_TEXT, NULL},
    {"Name", AT(gql_selection, name), M_TEXT, NULL},
    {"Arguments", AT(gql_selection, args), M_LIST, &arg},
    {"Directives", AT(gql_selection, directives), M_LIST, &directive},
    {"SelectionSet", AT(gql_selection, selections), M_LIST, NULL},
};
SHAPE(field, gql_selection);

static const member spread_members[] = {
    {"Name", AT(gql_selection, name), M_TEXT, NULL},
    {"Directives", AT(gql_selection, directives), M_LIST, &directive},
};
SHAPE(spread, gql_selection);

static const member inline_fragment_members[] = {
    {"TypeCondition", AT(gql_selection, condition), M_TEXT, NULL},
    {"Directives", AT(gql_selection, directives), M_LIST, &directive},
    {"SelectionSet", AT(gql_selection, selections), M_LIST, NULL},
};
SHAPE(inline_fragment, gql_selection);

static const member operation_members[] = {
    {"Operation", AT(gql_operation, operation), M_TEXT, NULL},
    {"Name", AT(gql_operation, name), M_TEXT, NULL},
    {"VariableDefinitions", AT(gql_operation, vars), M_LIST, &var},
    {"Directives", AT(gql_operation, directives), M_LIST, &directive},
    {"SelectionSet", AT(gql_operation, selections), M_LIST, NULL},
};
SHAPE(operation, gql_operation);

static const member fragment_members[] = {
    {"Name", AT(gql_fragment, name), M_TEXT, NULL},
    {"VariableDefinition", AT(gql_fragment, vars), M_LIST, &var},
    {"TypeCondition", AT(gql_fragment, condition), M_TEXT, NULL},
    {"Directives", AT(gql_fragment, directives), M_LIST, &directive},
    {"SelectionSet", AT(gql_fragment, selections), M_LIST, NULL},
};
SHAPE(fragment, gql_fragment);

static const member query_members[] = {
    {"Operations", AT(gql_query, operations), M_LIST, &operation},
    {"Fragments", AT(gql_query, fragments), M_LIST, &fragment},
};
SHAPE(query, gql_query);

/* ---- type system documents ------------------------------------------------------------------ */

static const member argument_def_members[] = {
    {"Description", AT(gql_field, description), M_TEXT, NULL},
    {"Name", AT(gql_field, name), M_TEXT, NULL},
    {"DefaultValue", AT(gql_field, value), M_NODE, &value},
    {"Type", AT(gql_field, type), M_NEEDED, &type},
    {"Directives", AT(gql_field, directives), M_LIST, &directive},
};
SHAPE(argument_def, gql_field);

static const member field_def_members[] = {
    {"Description", AT(gql_field, description), M_TEXT, NULL},
    {"Name", AT(gql_field, name), M_TEXT, NULL},
    {"Arguments", AT(gql_field, args), M_LIST, &argument_def},
    {"DefaultValue", AT(gql_field, value), M_NODE, &value},
    {"Type", AT(gql_field, type), M_NEEDED, &type},
    {"Directives", AT(gql_field, directives), M_LIST, &directive},
};
SHAPE(field_def, gql_field);

static const member enum_value_members[] = {
    {"Description", AT(gql_field, description), M_TEXT, NULL},
    {"Name", AT(gql_field, name), M_TEXT, NULL},
    {"Directives", AT(gql_field, directives), M_LIST, &directive},
};
SHAPE(enum_value, gql_field);

static const member def_members[] = {
    {"Kind", AT(gql_def, kind), M_TEXT, NULL},
    {"Description", AT(gql_def, description), M_TEXT, NULL},
    {"Name", AT(gql_def, name), M_TEXT, NULL},
    {"Directives", AT(gql_def, directives), M_LIST, &directive},
    {"Interfaces", AT(gql_def, interfaces), M_WORDS, NULL},
    {"Fields", AT(gql_def, fields), M_LIST, &field_def},
    {"Types", AT(gql_def, types), M_WORDS, NULL},
    {"EnumValues", AT(gql_def, values), M_LIST, &enum_value},
    {"BuiltIn", AT(gql_def, built_in), M_BOOL, NULL},
};
SHAPE(def, gql_def);

static const member directive_def_members[] = {
    {"Description", AT(gql_directive_def, description), M_TEXT, NULL},
    {"Name", AT(gql_directive_def, name), M_TEXT, NULL},
    {"Arguments", AT(gql_directive_def, args), M_LIST, &argument_def},
    {"Locations", AT(gql_directive_def, locations), M_WORDS, NULL},
    {"IsRepeatable", AT(gql_directive_def, repeatable), M_BOOL, NULL},
};
SHAPE(directive_def, gql_directive_def);

static const member root_members[] = {
    {"Operation", AT(gql_root, operation), M_TEXT, NULL},
    {"Type", AT(gql_root, type), M_TEXT, NULL},
};
SHAPE(root, gql_root);

static const member schema_def_members[] = {
    {"Description", AT(gql_schema_def, description), M_TEXT, NULL},
    {"Directives", AT(gql_schema_def, directives), M_LIST, &directive},
    {"OperationTypes", AT(gql_schema_def, roots), M_LIST, &root},
};
SHAPE(schema_def, gql_schema_def);

static const member document_members[] = {
    {"Schema", AT(gql_document, schema), M_LIST, &schema_def},
    {"SchemaExtension", AT(gql_document, schema_extensions), M_LIST, &schema_def},
    {"Directives", AT(gql_document, directives), M_LIST, &directive_def},
    {"Definitions", AT(gql_document, definitions), M_LIST, &def},
    {"Extensions", AT(gql_document, extensions), M_LIST, &def},
};
SHAPE(document, gql_document);

/* ---- nodes to values ------------------------------------------------------------------------ */

static vs_val value_of(gql_ctx *c, const shape *s, const void *node);

static const shape *shape_of(const shape *s, const gql_node *n)
{
    if (s)
        return s;
    gql_select what = ((const gql_selection *)(const void *)n)->what;
    return what == GQL_FIELD ? &field : what == GQL_SPREAD ? &spread : &inline_fragment;
}

/* A string; the text outlives the result, as arguments of builtins and their arena do. */
static vs_val text_value(vs_span s)
{
    return s.n ? vs_string(s) : vs_cstring("");
}

static vs_val list_value(gql_ctx *c, const member *m, const gql_list *l)
{
    if (l->n == 0)
        return vs_undefined();
    vs_vec v = {.a = c->b->a};
    for (const gql_node *n = l->first; n; n = n->next)
        vs_vec_add(&v, m->kind == M_WORDS ? text_value(((const gql_word *)(const void *)n)->text)
                                          : value_of(c, shape_of(m->of, n), n));
    return vs_vec_end_array(&v);
}

static vs_val member_value(gql_ctx *c, const member *m, const void *at)
{
    const void *node;
    switch (m->kind) {
    case M_TEXT: return text_value(*(const vs_span *)at);
    case M_NEW_BOOL: /* came after v0 */
        if (c->b->v0)
            return vs_undefined();
        __attribute__((fallthrough));
    case M_BOOL: return vs_bool(*(const bool *)at);
    case M_INT: return vs_int(*(const int64_t *)at);
    case M_WORDS:
    case M_LIST: return list_value(c, m, at);
    case M_NODE:
    case M_NEEDED: break;
    }
    memcpy(&node, at, sizeof node);
    return node ? value_of(c, m->of, node) : vs_undefined();
}

static vs_val value_of(gql_ctx *c, const shape *s, const void *node)
{
    vs_obj o = {.a = c->b->a};
    (void)rego_gql_charge(c, s->n);
    for (size_t i = 0; gql_ok(c) && i < s->n; i++)
        vs_obj_opt(&o, s->members[i].name,
                   member_value(c, &s->members[i], (const char *)node + s->members[i].at));
    vs_val v = gql_ok(c) ? vs_obj_end(&o, VS_DUP_LAST, NULL) : vs_undefined();
    if (!vs_defined(v) && !c->failed)
        c->limit = true;
    return v;
}

vs_val rego_gql_query_value(gql_ctx *c, const gql_query *q)
{
    return value_of(c, &query, q);
}

vs_val rego_gql_document_value(gql_ctx *c, const gql_document *d)
{
    return value_of(c, &document, d);
}

/* ---- values to nodes ------------------------------------------------------------------------ */

static void *node_of(gql_ctx *c, const shape *s, vs_val v);

static const gql_pos nowhere;

static bool want(gql_ctx *c, const char *name, vs_val v, vs_kind kind)
{
    if (v.kind != kind)
        rego_gql_fail(c, nowhere, "json: cannot unmarshal %s into member %s",
                      vs_kind_name((vs_kind)v.kind), name);
    return gql_ok(c);
}

/* A selection tells what it is by its members: only inline fragments have a TypeCondition, and only
 * spreads have neither an Alias nor anything selected or passed. */
static gql_select select_of(vs_val v)
{
    if (vs_defined(vs_getc(v, "TypeCondition")))
        return GQL_INLINE;
    bool field_like = vs_defined(vs_getc(v, "Alias")) || vs_defined(vs_getc(v, "Arguments")) ||
                      vs_defined(vs_getc(v, "SelectionSet"));
    return field_like ? GQL_FIELD : GQL_SPREAD;
}

static void *selection_of(gql_ctx *c, vs_val v)
{
    gql_selection as = {.what = select_of(v)};
    gql_selection *s = node_of(c, shape_of(NULL, &as.head), v);
    if (s)
        s->what = as.what;
    return s;
}

static void *word_of(gql_ctx *c, const char *name, vs_val v)
{
    gql_word *w = want(c, name, v, VS_STRING) ? rego_gql_new(c, sizeof *w) : NULL;
    if (w)
        w->text = vs_text(v);
    return w;
}

/* Sets stand for arrays, as in the JSON that OPA makes of them. */
static void read_list(gql_ctx *c, const member *m, vs_val v, gql_list *l)
{
    if (v.kind != VS_SET && !want(c, m->name, v, VS_ARRAY))
        return;
    for (VS_ARR_FOR (item, v)) {
        if (!gql_ok(c))
            return;
        rego_gql_add(l, m->kind == M_WORDS ? word_of(c, m->name, *item)
                        : m->of            ? node_of(c, m->of, *item)
                                           : selection_of(c, *item));
    }
}

static void read_member(gql_ctx *c, const member *m, vs_val v, void *at)
{
    void *node;
    switch (m->kind) {
    case M_TEXT:
        if (want(c, m->name, v, VS_STRING))
            *(vs_span *)at = vs_text(v);
        return;
    case M_NEW_BOOL:
    case M_BOOL:
        if (want(c, m->name, v, VS_BOOL))
            *(bool *)at = v.u.b;
        return;
    case M_INT:
        if (!vs_is_int(v) || v.u.i < GQL_VARIABLE || v.u.i > GQL_OBJECT)
            rego_gql_fail(c, nowhere, "member %s must be an integer from 0 to 9", m->name);
        else
            *(int64_t *)at = v.u.i;
        return;
    case M_WORDS:
    case M_LIST: read_list(c, m, v, at); return;
    case M_NODE:
    case M_NEEDED:
        node = node_of(c, m->of, v);
        memcpy(at, &node, sizeof node);
        return;
    }
}

static void *node_of(gql_ctx *c, const shape *s, vs_val v)
{
    if (!want(c, "of nodes", v, VS_OBJECT) || !rego_gql_enter(c, 2 * GQL_NESTING))
        return NULL;
    char *node = rego_gql_new(c, s->size);
    for (size_t i = 0; node && gql_ok(c) && i < s->n; i++) {
        const member *m = &s->members[i];
        vs_val got = vs_getc(v, m->name);
        if (vs_defined(got) && got.kind != VS_NULL)
            read_member(c, m, got, node + m->at);
        else if (m->kind == M_NEEDED)
            rego_gql_fail(c, nowhere, "member %s is missing", m->name);
    }
    c->depth--;
    return gql_ok(c) ? node : NULL;
}

gql_query *rego_gql_query_of(gql_ctx *c, vs_val v)
{
    return node_of(c, &query, v);
}

gql_document *rego_gql_document_of(gql_ctx *c, vs_val v)
{
    return node_of(c, &document, v);
}
