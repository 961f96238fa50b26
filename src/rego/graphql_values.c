/* SPDX-License-Identifier: Apache-2.0 */
/* Values against the types of their positions (GraphQL specification 5.6 and 5.8). */
#include "rego/graphql.h"

#include "value/number.h"
#include <math.h>

/* ---- values as text, for messages ----------------------------------------------------------- */

typedef struct text {
    char buf[80];
    size_t n;
} text;

static void put(text *t, const char *s, size_t n)
{
    for (size_t i = 0; i < n && t->n + 1 < sizeof t->buf; i++)
        t->buf[t->n++] = s[i];
    t->buf[t->n] = 0;
}

static void put_value(text *t, const gql_value *v)
{
    bool quoted = v->kind == GQL_STRING || v->kind == GQL_BLOCK;
    if (v->kind == GQL_LIST || v->kind == GQL_OBJECT) {
        bool list = v->kind == GQL_LIST;
        put(t, list ? "[" : "{", 1);
        for (GQL_EACH(gql_arg, a, v->children)) {
            if (t->n + 1 == sizeof t->buf)
                return;
            if (&a->head != v->children.first)
                put(t, ",", 1);
            put(t, (const char *)a->name.p, a->name.n);
            put(t, ":", !list);
            put_value(t, a->value);
        }
        put(t, list ? "]" : "}", 1);
        return;
    }
    put(t, v->kind == GQL_VARIABLE ? "$" : "\"", quoted || v->kind == GQL_VARIABLE);
    put(t, (const char *)v->raw.p, v->raw.n);
    put(t, "\"", quoted);
}

/* ---- types of values (5.6.1) ---------------------------------------------------------------- */

static bool is_any(vs_span name, const char *const *names)
{
    for (; *names; names++)
        if (vs_span_is(name, *names))
            return true;
    return false;
}

static const char *const built_in[] = {"Int", "Float", "String", "Boolean", "ID", NULL};

static void wrong_type(gql_walk *w, const gql_value *v)
{
    static const struct {
        const char *type, *text;
    } messages[] = {{"Int", "Int cannot represent non-integer value"},
                    {"String", "String cannot represent a non string value"},
                    {"Boolean", "Boolean cannot represent a non boolean value"},
                    {"Float", "Float cannot represent non numeric value"},
                    {"ID", "ID cannot represent a non-string and non-integer value"}};
    text t = {.n = 0};
    put_value(&t, v);
    for (size_t i = 0; i < VS_COUNT(messages); i++)
        if (vs_span_is(v->expected->named, messages[i].type))
            rego_gql_fail(w->c, v->head.at, "%s: %s", messages[i].text, t.buf);
    const char *type = rego_gql_type_text(w->c, v->expected);
    if (rego_gql_is_kind(v->def, "ENUM"))
        rego_gql_fail(w->c, v->head.at, "Enum \"%s\" cannot represent non-enum value: %s", type,
                      t.buf);
    rego_gql_fail(w->c, v->head.at, "Expected value of type \"%s\", found %s", type, t.buf);
}

/* Literals that no 64-bit integer or double holds are not accepted, as in gqlparser. */
static bool fits_number(gql_walk *w, const gql_value *v)
{
    if (!rego_gql_charge(w->c, v->raw.n))
        return true;
    vs_val n = vs_num_parse(w->c->b->a, v->raw, NULL);
    if (v->kind == GQL_INT)
        return vs_is_int(n);
    return vs_defined(n) && isfinite(vs_num_to_double(n));
}

static void check_enum(gql_walk *w, const gql_value *v)
{
    if (!rego_gql_is_kind(v->def, "ENUM"))
        wrong_type(w, v);
    else if (!rego_gql_field(w->c, &v->def->values, v->raw))
        rego_gql_fail(w->c, v->head.at, "Value \"%.*s\" does not exist in \"%s\" enum",
                      VS_FMT(v->raw), rego_gql_type_text(w->c, v->expected));
}

/* ---- objects (5.6.2 to 5.6.4) --------------------------------------------------------------- */

static void check_one_of(gql_walk *w, const gql_value *v)
{
    if (v->children.n != 1) {
        rego_gql_fail(w->c, v->head.at, "OneOf Input Object \"%.*s\" must specify exactly one key",
                      VS_FMT(v->def->name));
        return;
    }
    const gql_arg *a = (const gql_arg *)(const void *)v->children.first;
    if (a->value->kind == GQL_NULL)
        rego_gql_fail(w->c, v->head.at, "Field \"%.*s.%.*s\" must be non-null",
                      VS_FMT(v->def->name), VS_FMT(a->name));
    if (a->value->kind == GQL_VARIABLE && a->value->var && !a->value->var->type->non_null)
        rego_gql_fail(w->c, v->head.at,
                      "Variable \"%.*s\" must be non-nullable to be used for OneOf Input Object "
                      "\"%.*s\"",
                      VS_FMT(a->value->raw), VS_FMT(v->def->name));
}

static bool is_one_of(gql_walk *w, const gql_def *d)
{
    for (GQL_EACH(gql_directive, use, d->directives)) {
        if (!rego_gql_charge(w->c, 1))
            return false;
        if (vs_span_is(use->name, "oneOf"))
            return true;
    }
    return false;
}

static void check_object(gql_walk *w, const gql_value *v)
{
    if (!rego_gql_is_kind(v->def, "INPUT_OBJECT")) {
        wrong_type(w, v);
        return;
    }
    if (is_one_of(w, v->def))
        check_one_of(w, v);
    for (GQL_EACH(gql_field, f, v->def->fields))
        if (f->type->non_null && !f->value && !rego_gql_arg(w->c, &v->children, f->name))
            rego_gql_fail(w->c, v->head.at,
                          "Field \"%.*s.%.*s\" of required type \"%s\" was not provided",
                          VS_FMT(v->def->name), VS_FMT(f->name), rego_gql_type_text(w->c, f->type));
    for (GQL_EACH(gql_arg, a, v->children))
        if (!rego_gql_field(w->c, &v->def->fields, a->name))
            rego_gql_fail(w->c, a->head.at, "Field \"%.*s\" is not defined by type \"%.*s\"",
                          VS_FMT(a->name), VS_FMT(v->def->name));
}

static void check_type(gql_walk *w, const gql_value *v)
{
    static const char *const of_int[] = {"Int", "Float", "ID", NULL},
                             *const of_float[] = {"Float", NULL},
                             *const of_string[] = {"String", "ID", NULL},
                             *const of_bool[] = {"Boolean", NULL};
    static const char *const *const allowed[] = {
        [GQL_INT] = of_int,      [GQL_FLOAT] = of_float,  [GQL_STRING] = of_string,
        [GQL_BLOCK] = of_string, [GQL_BOOLEAN] = of_bool, [GQL_OBJECT] = NULL};
    if (!v->def || !v->expected)
        return;
    if (rego_gql_is_kind(v->def, "SCALAR") && !is_any(v->def->name, built_in))
        return; /* what a custom scalar takes is its own business */
    if ((v->kind == GQL_INT || v->kind == GQL_FLOAT) && !fits_number(w, v))
        wrong_type(w, v);
    switch ((gql_kind)v->kind) {
    case GQL_VARIABLE: return;
    case GQL_NULL:
        if (v->expected->non_null)
            wrong_type(w, v);
        return;
    case GQL_LIST:
        if (!v->expected->elem)
            wrong_type(w, v);
        return;
    case GQL_ENUM: check_enum(w, v); return;
    case GQL_OBJECT: check_object(w, v); return;
    default:
        if (!is_any(v->def->name, allowed[v->kind]))
            wrong_type(w, v);
    }
}

/* ---- variables (5.8.3, 5.8.5) --------------------------------------------------------------- */

/* Types equal, but one that is never null also fits where null may be. */
static bool fits_type(const gql_type *t, const gql_type *at, bool nullable)
{
    for (; t && at; t = t->elem, at = at->elem, nullable = false) {
        if (!vs_span_eq(t->named, at->named) || (at->non_null && !nullable && !t->non_null))
            return false;
        if (t->named.n)
            return true;
    }
    return !t && !at;
}

static void check_variable(gql_walk *w, gql_value *v)
{
    const gql_var *var = v->var;
    if (!var) {
        if (w->operation->name.n)
            rego_gql_fail(w->c, v->head.at,
                          "Variable \"$%.*s\" is not defined by operation \"%.*s\"", VS_FMT(v->raw),
                          VS_FMT(w->operation->name));
        rego_gql_fail(w->c, v->head.at, "Variable \"$%.*s\" is not defined", VS_FMT(v->raw));
        return;
    }
    bool nullable = v->expected_default || (var->value && var->value->kind != GQL_NULL);
    if (v->expected && !fits_type(var->type, v->expected, nullable))
        rego_gql_fail(w->c, v->head.at,
                      "Variable \"$%.*s\" of type \"%s\" used in position expecting type \"%s\"",
                      VS_FMT(v->raw), rego_gql_type_text(w->c, var->type),
                      rego_gql_type_text(w->c, v->expected));
}

static gql_var *find_var(gql_walk *w, vs_span name)
{
    (void)rego_gql_charge(w->c, w->operation->vars.n / 4);
    for (GQL_EACH(gql_var, v, w->operation->vars))
        if (vs_span_eq(v->name, name))
            return v;
    return NULL;
}

/* ---- the walk ------------------------------------------------------------------------------- */

static void walk_children(gql_walk *w, const gql_value *v)
{
    for (GQL_EACH(gql_arg, a, v->children)) {
        if (!gql_ok(w->c))
            return;
        if (v->kind == GQL_OBJECT && v->def) {
            const gql_field *f = rego_gql_field(w->c, &v->def->fields, a->name);
            if (f) {
                a->value->expected = f->type;
                a->value->expected_default = f->value && f->value->kind != GQL_NULL;
                a->value->def = rego_gql_type(w->c, w->schema, rego_gql_type_name(f->type));
            }
        } else if (v->kind == GQL_LIST && v->expected && v->expected->elem) {
            a->value->expected = v->expected->elem;
            a->value->def = v->def;
        }
        rego_gql_check_value(w, a->value);
    }
}

static void unique_fields(gql_walk *w, const gql_value *v)
{
    for (GQL_EACH(gql_arg, a, v->children))
        if (rego_gql_arg(w->c, &v->children, a->name) != a)
            rego_gql_fail(w->c, a->head.at, "There can be only one input field named \"%.*s\"",
                          VS_FMT(a->name));
}

void rego_gql_check_value(gql_walk *w, gql_value *v)
{
    if (!rego_gql_enter(w->c, GQL_FOLLOW))
        return;
    v->var = v->kind == GQL_VARIABLE && w->operation ? find_var(w, v->raw) : NULL;
    if (v->var)
        v->var->used = true;
    if (v->kind == GQL_LIST || v->kind == GQL_OBJECT)
        walk_children(w, v);
    if (v->kind == GQL_VARIABLE && w->operation)
        check_variable(w, v);
    if (v->kind == GQL_OBJECT)
        unique_fields(w, v);
    if (gql_ok(w->c))
        check_type(w, v);
    w->c->depth--;
}
