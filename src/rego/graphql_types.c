/* SPDX-License-Identifier: Apache-2.0 */
/* The rules for types and directives of a schema (GraphQL specification 3.5 to 3.13, as far as
 * gqlparser applies them). */
#include "rego/graphql.h"

static void reserved(gql_ctx *c, gql_pos at, vs_span name)
{
    if (vs_span_starts(name, VS_LIT("__")))
        rego_gql_fail(c, at,
                      "Name \"%.*s\" must not begin with \"__\", which is reserved by GraphQL "
                      "introspection",
                      VS_FMT(name));
}

static gql_def *known_type(gql_ctx *c, const gql_schema *s, const gql_type *t)
{
    vs_span name = rego_gql_type_name(t);
    gql_def *d = rego_gql_type(c, s, name);
    if (!d)
        rego_gql_fail(c, t->head.at, "Undefined type %.*s", VS_FMT(name));
    return d;
}

/* `self` is the directive that is being defined, or NULL. */
static void check_directives(gql_ctx *c, const gql_schema *s, const gql_list *uses,
                             const char *location, const gql_directive_def *self)
{
    for (GQL_EACH(gql_directive, use, *uses)) {
        reserved(c, use->head.at, use->name);
        if (self && vs_span_eq(use->name, self->name))
            rego_gql_fail(c, use->head.at, "Directive %.*s cannot refer to itself",
                          VS_FMT(use->name));
        const gql_directive_def *d = rego_gql_directive(c, s, use->name);
        if (!d)
            rego_gql_fail(c, use->head.at, "Undefined directive %.*s", VS_FMT(use->name));
        else if (!rego_gql_has_word(c, &d->locations, vs_str(location)))
            rego_gql_fail(c, use->head.at, "Directive %.*s is not applicable on %s",
                          VS_FMT(use->name), location);
    }
}

static void check_args(gql_ctx *c, const gql_schema *s, const gql_list *args,
                       const gql_directive_def *self)
{
    for (GQL_EACH(gql_field, a, *args)) {
        reserved(c, a->head.at, a->name);
        const gql_def *d = known_type(c, s, a->type);
        if (d && !rego_gql_is_input(d))
            rego_gql_fail(c, a->head.at,
                          "cannot use %s as argument %.*s because %.*s is not a valid input type",
                          rego_gql_type_text(c, a->type), VS_FMT(a->name), VS_FMT(d->kind));
        check_directives(c, s, &a->directives, "ARGUMENT_DEFINITION", self);
    }
}

static void check_fields(gql_ctx *c, const gql_schema *s, const gql_def *d)
{
    bool input = rego_gql_is_kind(d, "INPUT_OBJECT");
    for (GQL_EACH(gql_field, f, d->fields)) {
        if (!rego_gql_charge(c, 1))
            return;
        reserved(c, f->head.at, f->name);
        (void)known_type(c, s, f->type);
        check_args(c, s, &f->args, NULL);
        check_directives(c, s, &f->directives,
                         input ? "INPUT_FIELD_DEFINITION" : "FIELD_DEFINITION", NULL);
    }
}

/* ---- interfaces (3.6.1 IsValidImplementation) ----------------------------------------------- */

/* True when a field of type `actual` may stand for one of type `required`. */
static bool covariant(gql_ctx *c, const gql_schema *s, const gql_type *required,
                      const gql_type *actual)
{
    for (; required && actual; required = required->elem, actual = actual->elem) {
        if (required->non_null && !actual->non_null)
            return false;
        if (required->named.n == 0)
            continue;
        if (vs_span_eq(required->named, actual->named))
            return true;
        const gql_def *r = rego_gql_type(c, s, required->named);
        const gql_def *a = rego_gql_type(c, s, actual->named);
        return r && a && rego_gql_is_possible(c, r, a);
    }
    return false;
}

/* Type equality, but an argument that may be null also fits one that may not. */
static bool compatible(const gql_type *t, const gql_type *other)
{
    for (; t && other; t = t->elem, other = other->elem) {
        if (!vs_span_eq(t->named, other->named) || (t->elem && !other->elem) ||
            (other->non_null && !t->non_null))
            return false;
        if (t->named.n || !t->elem)
            return true;
    }
    return false;
}

typedef struct pair {
    const gql_def *d, *interface;
} pair;

#define PAIR(p) VS_FMT((p)->d->name), VS_FMT((p)->interface->name)

static void check_same_args(gql_ctx *c, const pair *p, const gql_field *want, const gql_field *have)
{
    for (GQL_EACH(gql_field, w, want->args)) {
        const gql_field *h = rego_gql_field(c, &have->args, w->name);
        if (!h)
            rego_gql_fail(c, have->head.at,
                          "For %.*s to implement %.*s the field %.*s must have the same arguments "
                          "but it is missing %.*s",
                          PAIR(p), VS_FMT(want->name), VS_FMT(w->name));
        else if (!compatible(w->type, h->type))
            rego_gql_fail(c, h->head.at,
                          "For %.*s to implement %.*s the field %.*s must have the same arguments "
                          "but %.*s has the wrong type",
                          PAIR(p), VS_FMT(want->name), VS_FMT(w->name));
    }
    for (GQL_EACH(gql_field, h, have->args))
        if (!rego_gql_field(c, &want->args, h->name) && h->type->non_null && !h->value)
            rego_gql_fail(c, h->head.at,
                          "For %.*s to implement %.*s any additional arguments on %.*s must be "
                          "optional or have a default value but %.*s is required",
                          PAIR(p), VS_FMT(have->name), VS_FMT(h->name));
}

static void check_same_fields(gql_ctx *c, const gql_schema *s, const pair *p)
{
    for (GQL_EACH(gql_field, want, p->interface->fields)) {
        const gql_field *have = rego_gql_field(c, &p->d->fields, want->name);
        if (!gql_ok(c))
            return;
        if (!have) {
            rego_gql_fail(c, p->d->head.at,
                          "For %.*s to implement %.*s it must have a field called %.*s", PAIR(p),
                          VS_FMT(want->name));
            return;
        }
        if (!covariant(c, s, want->type, have->type))
            rego_gql_fail(c, have->head.at,
                          "For %.*s to implement %.*s the field %.*s must have type %s", PAIR(p),
                          VS_FMT(want->name), rego_gql_type_text(c, want->type));
        check_same_args(c, p, want, have);
    }
}

/* What an interface implements, its implementations must name too. */
static void check_ancestors(gql_ctx *c, const pair *p)
{
    for (GQL_EACH(gql_word, w, p->interface->interfaces)) {
        if (rego_gql_has_word(c, &p->d->interfaces, w->text))
            continue;
        if (vs_span_eq(w->text, p->d->name))
            rego_gql_fail(c, p->d->head.at,
                          "Type %.*s cannot implement %.*s because it would create a circular "
                          "reference",
                          PAIR(p));
        else
            rego_gql_fail(c, p->d->head.at,
                          "Type %.*s must implement %.*s because it is implemented by %.*s",
                          VS_FMT(p->d->name), VS_FMT(w->text), VS_FMT(p->interface->name));
    }
}

static void check_interfaces(gql_ctx *c, const gql_schema *s, const gql_def *d)
{
    for (GQL_EACH(gql_word, w, d->interfaces)) {
        pair p = {d, rego_gql_type(c, s, w->text)};
        if (!p.interface) {
            rego_gql_fail(c, d->head.at, "Undefined type \"%.*s\"", VS_FMT(w->text));
        } else if (!rego_gql_is_kind(p.interface, "INTERFACE")) {
            rego_gql_fail(c, d->head.at, "\"%.*s\" is a non interface type %.*s", VS_FMT(w->text),
                          VS_FMT(p.interface->kind));
        } else {
            check_same_fields(c, s, &p);
            check_ancestors(c, &p);
        }
        if (!gql_ok(c))
            return;
    }
}

/* ---- kinds ---------------------------------------------------------------------------------- */

static void check_members(gql_ctx *c, const gql_schema *s, const gql_def *d)
{
    for (GQL_EACH(gql_word, w, d->types)) {
        const gql_def *member = rego_gql_type(c, s, w->text);
        if (!member)
            rego_gql_fail(c, d->head.at, "Undefined type \"%.*s\"", VS_FMT(w->text));
        else if (!rego_gql_is_kind(member, "OBJECT"))
            rego_gql_fail(c, d->head.at, "%.*s type \"%.*s\" must be OBJECT", VS_FMT(d->kind),
                          VS_FMT(w->text));
    }
}

static void need(gql_ctx *c, const gql_def *d, const gql_list *l, const char *what)
{
    if (l->n == 0)
        rego_gql_fail(c, d->head.at, "%.*s %.*s: must define one or more %s", VS_FMT(d->kind),
                      VS_FMT(d->name), what);
}

static void check_output(gql_ctx *c, const gql_schema *s, const gql_def *d)
{
    need(c, d, &d->fields, "fields");
    for (GQL_EACH(gql_field, f, d->fields)) {
        const gql_def *t = rego_gql_type(c, s, rego_gql_type_name(f->type));
        if (t && !rego_gql_is_leaf(t) && !rego_gql_is_composite(t))
            rego_gql_fail(c, f->head.at,
                          "%.*s %.*s: field must be one of SCALAR, OBJECT, INTERFACE, UNION, ENUM",
                          VS_FMT(d->kind), VS_FMT(d->name));
    }
}

static void check_input(gql_ctx *c, const gql_schema *s, const gql_def *d)
{
    need(c, d, &d->fields, "input fields");
    for (GQL_EACH(gql_field, f, d->fields)) {
        const gql_def *t = rego_gql_type(c, s, rego_gql_type_name(f->type));
        if (t && !rego_gql_is_input(t))
            rego_gql_fail(c, f->head.at,
                          "%.*s %.*s: field must be one of SCALAR, ENUM, INPUT_OBJECT",
                          VS_FMT(t->kind), VS_FMT(f->name));
    }
}

static void check_enum(gql_ctx *c, const gql_def *d)
{
    need(c, d, &d->values, "unique enum values");
    for (GQL_EACH(gql_field, v, d->values))
        if (vs_span_is(v->name, "true") || vs_span_is(v->name, "false") ||
            vs_span_is(v->name, "null"))
            rego_gql_fail(c, d->head.at, "%.*s %.*s: non-enum value %.*s", VS_FMT(d->kind),
                          VS_FMT(d->name), VS_FMT(v->name));
}

static void check_unique(gql_ctx *c, const gql_def *d)
{
    for (GQL_EACH(gql_field, f, d->fields)) {
        const gql_field *first = rego_gql_field(c, &d->fields, f->name);
        if (!gql_ok(c))
            return;
        if (first != f)
            rego_gql_fail(c, f->head.at, "Field %.*s.%.*s can only be defined once",
                          VS_FMT(d->name), VS_FMT(f->name));
    }
}

static const char *location_of(const gql_def *d)
{
    static const char *const kinds[] = {"SCALAR", "OBJECT", "INTERFACE",
                                        "UNION",  "ENUM",   "INPUT_OBJECT"};
    for (size_t i = 0; i < VS_COUNT(kinds); i++)
        if (rego_gql_is_kind(d, kinds[i]))
            return kinds[i];
    return NULL;
}

static void check_type(gql_ctx *c, const gql_schema *s, const gql_def *d)
{
    const char *location = location_of(d);
    if (!location) /* only values that policies make can have another kind */
        rego_gql_fail(c, d->head.at, "Unknown kind %.*s", VS_FMT(d->kind));
    if (!gql_ok(c))
        return;
    check_fields(c, s, d);
    check_members(c, s, d);
    check_interfaces(c, s, d);
    if (rego_gql_is_kind(d, "OBJECT") || rego_gql_is_kind(d, "INTERFACE"))
        check_output(c, s, d);
    else if (rego_gql_is_kind(d, "ENUM"))
        check_enum(c, d);
    else if (rego_gql_is_kind(d, "INPUT_OBJECT"))
        check_input(c, s, d);
    check_unique(c, d);
    if (!d->built_in)
        reserved(c, d->head.at, d->name);
    check_directives(c, s, &d->directives, location, NULL);
}

void rego_gql_check_types(gql_ctx *c, const gql_schema *s)
{
    for (size_t i = 0; gql_ok(c) && i < s->n_types; i++)
        check_type(c, s, s->types[i]);
    for (size_t i = 0; gql_ok(c) && i < s->n_directives; i++) {
        const gql_directive_def *d = s->directives[i];
        reserved(c, d->head.at, d->name);
        check_args(c, s, &d->args, d);
    }
}
