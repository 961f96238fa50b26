/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Validation of queries (GraphQL specification section 5): one walk over operations and fragment
 * definitions. Spreads are followed, each fragment once per operation, because variables belong to
 * operations. The rules are those of gqlparser, mostly in its order; the first error ends all.
 */
#include "rego/graphql.h"

static void walk_selections(gql_walk *w, const gql_def *parent, const gql_list *l);

gql_fragment *rego_gql_fragment(gql_walk *w, vs_span name)
{
    (void)rego_gql_charge(w->c, w->query->fragments.n / 4);
    for (GQL_EACH(gql_fragment, f, w->query->fragments))
        if (vs_span_eq(f->name, name))
            return f;
    return NULL;
}

/* ---- arguments and directives (5.4, 5.7) ---------------------------------------------------- */

static void unique_args(gql_walk *w, const gql_list *args)
{
    for (GQL_EACH(gql_arg, a, *args))
        if (rego_gql_arg(w->c, args, a->name) != a)
            rego_gql_fail(w->c, a->head.at, "There can be only one argument named \"%.*s\"",
                          VS_FMT(a->name));
}

/* The first required argument that is not given, or NULL. */
static const gql_field *missing_arg(gql_walk *w, const gql_list *defs, const gql_list *args)
{
    for (GQL_EACH(gql_field, d, *defs))
        if (d->type->non_null && !d->value && !rego_gql_arg(w->c, args, d->name))
            return d;
    return NULL;
}

static const gql_arg *unknown_arg(gql_walk *w, const gql_list *defs, const gql_list *args)
{
    for (GQL_EACH(gql_arg, a, *args))
        if (!rego_gql_field(w->c, defs, a->name))
            return a;
    return NULL;
}

/* `defs` is NULL when what takes the arguments is not known. */
static void walk_args(gql_walk *w, const gql_list *defs, const gql_list *args)
{
    for (GQL_EACH(gql_arg, a, *args)) {
        const gql_field *d = defs ? rego_gql_field(w->c, defs, a->name) : NULL;
        if (!gql_ok(w->c))
            return;
        if (d) {
            a->value->expected = d->type;
            a->value->expected_default = d->value && d->value->kind != GQL_NULL;
            a->value->def = rego_gql_type(w->c, w->schema, rego_gql_type_name(d->type));
        }
        rego_gql_check_value(w, a->value);
    }
}

static void check_directive(gql_walk *w, const gql_directive *use, const char *location)
{
    const gql_directive_def *d = rego_gql_directive(w->c, w->schema, use->name);
    walk_args(w, d ? &d->args : NULL, &use->args);
    if (!d) {
        rego_gql_fail(w->c, use->head.at, "Unknown directive \"@%.*s\"", VS_FMT(use->name));
        return;
    }
    const gql_arg *unknown = unknown_arg(w, &d->args, &use->args);
    if (unknown)
        rego_gql_fail(w->c, use->head.at, "Unknown argument \"%.*s\" on directive \"@%.*s\"",
                      VS_FMT(unknown->name), VS_FMT(use->name));
    if (!rego_gql_has_word(w->c, &d->locations, vs_str(location)))
        rego_gql_fail(w->c, use->head.at, "Directive \"@%.*s\" may not be used on %s",
                      VS_FMT(use->name), location);
    const gql_field *missing = missing_arg(w, &d->args, &use->args);
    if (missing)
        rego_gql_fail(
            w->c, use->head.at,
            "Directive \"@%.*s\" argument \"%.*s\" of type \"%s\" is required, but it was "
            "not provided",
            VS_FMT(use->name), VS_FMT(missing->name), rego_gql_type_text(w->c, missing->type));
    unique_args(w, &use->args);
}

static bool used_before(gql_walk *w, const gql_list *uses, const gql_directive *use)
{
    for (GQL_EACH(gql_directive, u, *uses)) {
        if (u == use || !rego_gql_charge(w->c, 1))
            return false;
        if (vs_span_eq(u->name, use->name))
            return true;
    }
    return false;
}

static void walk_directives(gql_walk *w, const gql_list *uses, const char *location)
{
    for (GQL_EACH(gql_directive, use, *uses)) {
        if (!gql_ok(w->c))
            return;
        check_directive(w, use, location);
    }
    for (GQL_EACH(gql_directive, use, *uses)) {
        const gql_directive_def *d = rego_gql_directive(w->c, w->schema, use->name);
        if (!gql_ok(w->c))
            return;
        if (d && !d->repeatable && used_before(w, uses, use))
            rego_gql_fail(w->c, use->head.at,
                          "The directive \"@%.*s\" can only be used once at this location",
                          VS_FMT(use->name));
    }
}

/* ---- fields (5.3) --------------------------------------------------------------------------- */

static void check_args(gql_walk *w, const gql_selection *s)
{
    const gql_arg *unknown = s->parent ? unknown_arg(w, &s->def->args, &s->args) : NULL;
    if (unknown)
        rego_gql_fail(w->c, s->head.at, "Unknown argument \"%.*s\" on field \"%.*s.%.*s\"",
                      VS_FMT(unknown->name), VS_FMT(s->parent->name), VS_FMT(s->name));
    const gql_field *missing = missing_arg(w, &s->def->args, &s->args);
    if (missing)
        rego_gql_fail(w->c, s->head.at,
                      "Field \"%.*s\" argument \"%.*s\" of type \"%s\" is required, but it was not "
                      "provided",
                      VS_FMT(s->name), VS_FMT(missing->name),
                      rego_gql_type_text(w->c, missing->type));
    unique_args(w, &s->args);
}

static void check_leaf(gql_walk *w, const gql_selection *s, const gql_def *type)
{
    if (rego_gql_is_leaf(type) && s->selections.n)
        rego_gql_fail(
            w->c, s->head.at,
            "Field \"%.*s\" must not have a selection since type \"%.*s\" has no subfields",
            VS_FMT(s->name), VS_FMT(type->name));
    if (!rego_gql_is_leaf(type) && !s->selections.n)
        rego_gql_fail(w->c, s->head.at,
                      "Field \"%.*s\" of type \"%s\" must have a selection of subfields. Did you "
                      "mean \"%.*s { ... }\"?",
                      VS_FMT(s->name), rego_gql_type_text(w->c, s->def->type), VS_FMT(s->name));
}

static void walk_field(gql_walk *w, const gql_def *parent, gql_selection *s)
{
    s->parent = parent;
    s->def = NULL;
    if (vs_span_is(s->name, "__typename"))
        s->def = w->schema->type_name;
    else if (parent)
        s->def = rego_gql_field(w->c, &parent->fields, s->name);
    const gql_def *type =
        s->def ? rego_gql_type(w->c, w->schema, rego_gql_type_name(s->def->type)) : NULL;
    walk_args(w, s->def ? &s->def->args : NULL, &s->args);
    walk_directives(w, &s->directives, "FIELD");
    walk_selections(w, type, &s->selections);
    if (!gql_ok(w->c))
        return;
    if (parent && !s->def)
        rego_gql_fail(w->c, s->head.at, "Cannot query field \"%.*s\" on type \"%.*s\"",
                      VS_FMT(s->name), VS_FMT(parent->name));
    rego_gql_check_introspection(w, s);
    if (!s->def)
        return;
    check_args(w, s);
    if (type)
        check_leaf(w, s, type);
}

/* ---- fragments (5.5) ------------------------------------------------------------------------ */

/* Some object must be of both types (5.5.2.3). */
static bool can_be(gql_walk *w, const gql_def *parent, const gql_def *type)
{
    for (size_t i = 0; i < w->schema->n_types; i++) {
        const gql_def *d = w->schema->types[i];
        if (!gql_ok(w->c))
            return false;
        if (rego_gql_is_possible(w->c, type, d) && rego_gql_is_possible(w->c, parent, d))
            return true;
    }
    return false;
}

static bool fits(gql_walk *w, const gql_def *parent, const gql_def *type)
{
    return !parent || !type || parent == type || !rego_gql_is_composite(parent) ||
           !rego_gql_is_composite(type) || can_be(w, parent, type);
}

static void walk_inline(gql_walk *w, const gql_def *parent, gql_selection *s)
{
    s->parent = parent;
    const gql_def *type = s->condition.n ? rego_gql_type(w->c, w->schema, s->condition) : parent;
    walk_directives(w, &s->directives, "INLINE_FRAGMENT");
    walk_selections(w, type, &s->selections);
    if (!s->condition.n)
        return;
    if (type && !rego_gql_is_composite(type))
        rego_gql_fail(w->c, s->head.at, "Fragment cannot condition on non composite type \"%.*s\"",
                      VS_FMT(s->condition));
    if (!type)
        rego_gql_fail(w->c, s->head.at, "Unknown type \"%.*s\"", VS_FMT(s->condition));
    if (!fits(w, parent, type))
        rego_gql_fail(w->c, s->head.at,
                      "Fragment cannot be spread here as objects of type \"%.*s\" can never be of "
                      "type \"%.*s\"",
                      VS_FMT(parent->name), VS_FMT(s->condition));
}

static void walk_spread(gql_walk *w, const gql_def *parent, gql_selection *s)
{
    s->parent = parent;
    s->fragment = rego_gql_fragment(w, s->name);
    const gql_def *type =
        s->fragment ? rego_gql_type(w->c, w->schema, s->fragment->condition) : NULL;
    walk_directives(w, &s->directives, "FRAGMENT_SPREAD");
    if (!s->fragment) {
        rego_gql_fail(w->c, s->head.at, "Unknown fragment \"%.*s\"", VS_FMT(s->name));
        return;
    }
    if (s->fragment->seen != w->round) {
        s->fragment->seen = w->round;
        walk_selections(w, type, &s->fragment->selections);
    }
    if (!w->in_fragments)
        s->fragment->used = true;
    if (!fits(w, parent, type))
        rego_gql_fail(
            w->c, s->head.at,
            "Fragment \"%.*s\" cannot be spread here as objects of type \"%.*s\" can never "
            "be of type \"%.*s\"",
            VS_FMT(s->name), VS_FMT(parent->name), VS_FMT(s->fragment->condition));
}

static void walk_selections(gql_walk *w, const gql_def *parent, const gql_list *l)
{
    static void (*const walks[])(gql_walk *, const gql_def *, gql_selection *) = {
        [GQL_FIELD] = walk_field, [GQL_SPREAD] = walk_spread, [GQL_INLINE] = walk_inline};
    if (!rego_gql_enter(w->c, GQL_FOLLOW))
        return;
    for (GQL_EACH(gql_selection, s, *l)) {
        if (!rego_gql_charge(w->c, 4))
            break;
        walks[s->what](w, parent, s);
    }
    w->c->depth--;
}

static void walk_fragment(gql_walk *w, gql_fragment *f)
{
    const gql_def *type = rego_gql_type(w->c, w->schema, f->condition);
    walk_directives(w, &f->directives, "FRAGMENT_DEFINITION");
    walk_selections(w, type, &f->selections);
    if (type && !rego_gql_is_composite(type))
        rego_gql_fail(w->c, f->head.at,
                      "Fragment \"%.*s\" cannot condition on non composite type \"%.*s\"",
                      VS_FMT(f->name), VS_FMT(f->condition));
    if (!type)
        rego_gql_fail(w->c, f->head.at, "Unknown type \"%.*s\"", VS_FMT(f->condition));
    if (!f->used)
        rego_gql_fail(w->c, f->head.at, "Fragment \"%.*s\" is never used", VS_FMT(f->name));
    rego_gql_check_merge(w, &f->selections);
    if (rego_gql_fragment(w, f->name) != f)
        rego_gql_fail(w->c, f->head.at, "There can be only one fragment named \"%.*s\"",
                      VS_FMT(f->name));
}

/* ---- operations (5.2, 5.8) ------------------------------------------------------------------ */

static void walk_vars(gql_walk *w, const gql_operation *o)
{
    for (GQL_EACH(gql_var, v, o->vars)) {
        vs_span type = rego_gql_type_name(v->type);
        v->used = false;
        v->def = rego_gql_type(w->c, w->schema, type);
        if (!v->def)
            rego_gql_fail(w->c, v->head.at, "Unknown type \"%.*s\"", VS_FMT(type));
    }
    for (GQL_EACH(gql_var, v, o->vars)) {
        if (!gql_ok(w->c))
            return;
        if (v->value) {
            v->value->expected = v->type;
            v->value->def = v->def;
            rego_gql_check_value(w, v->value);
        }
        walk_directives(w, &v->directives, "VARIABLE_DEFINITION");
    }
}

static void check_unused(gql_walk *w, const gql_operation *o)
{
    for (GQL_EACH(gql_var, v, o->vars)) {
        if (!v->used && o->name.n)
            rego_gql_fail(w->c, v->head.at,
                          "Variable \"$%.*s\" is never used in operation \"%.*s\"", VS_FMT(v->name),
                          VS_FMT(o->name));
        else if (!v->used)
            rego_gql_fail(w->c, v->head.at, "Variable \"$%.*s\" is never used", VS_FMT(v->name));
    }
}

static void check_vars(gql_walk *w, const gql_operation *o)
{
    for (GQL_EACH(gql_var, v, o->vars)) {
        for (GQL_EACH(gql_var, before, o->vars)) {
            if (before == v || !rego_gql_charge(w->c, 1))
                break;
            if (vs_span_eq(before->name, v->name))
                rego_gql_fail(w->c, v->head.at, "There can be only one variable named \"$%.*s\"",
                              VS_FMT(v->name));
        }
        if (v->def && !rego_gql_is_input(v->def))
            rego_gql_fail(w->c, v->head.at, "Variable \"$%.*s\" cannot be non-input type \"%s\"",
                          VS_FMT(v->name), rego_gql_type_text(w->c, v->type));
    }
}

static void check_name(gql_walk *w, const gql_operation *o)
{
    for (GQL_EACH(gql_operation, before, w->query->operations)) {
        if (before == o || !rego_gql_charge(w->c, 1))
            return;
        if (vs_span_eq(before->name, o->name))
            rego_gql_fail(w->c, o->head.at, "There can be only one operation named \"%.*s\"",
                          VS_FMT(o->name));
    }
}

/* The type an operation selects from and the location of its directives. */
static const gql_def *root_of(const gql_walk *w, vs_span operation, const char **location)
{
    if (vs_span_is(operation, "mutation")) {
        *location = "MUTATION";
        return w->schema->mutation;
    }
    if (vs_span_is(operation, "subscription")) {
        *location = "SUBSCRIPTION";
        return w->schema->subscription;
    }
    *location = "QUERY";
    return operation.n == 0 || vs_span_is(operation, "query") ? w->schema->query : NULL;
}

static void walk_operation(gql_walk *w, gql_operation *o)
{
    const char *location;
    const gql_def *root = root_of(w, o->operation, &location);
    w->operation = o;
    walk_vars(w, o);
    walk_directives(w, &o->directives, location);
    walk_selections(w, root, &o->selections);
    if (!root)
        rego_gql_fail(w->c, o->head.at, "Schema does not support operation type \"%.*s\"",
                      VS_FMT(o->operation));
    if (o->name.n == 0 && w->query->operations.n > 1)
        rego_gql_fail(w->c, o->head.at,
                      "This anonymous operation must be the only defined operation");
    check_unused(w, o);
    rego_gql_check_merge(w, &o->selections);
    rego_gql_check_subscription(w, o);
    check_name(w, o);
    check_vars(w, o);
    w->operation = NULL;
}

void rego_gql_validate(gql_ctx *c, const gql_schema *s, gql_query *q)
{
    gql_walk w = {.c = c, .schema = s, .query = q};
    rego_gql_check_cycles(&w);
    for (GQL_EACH(gql_operation, o, q->operations)) {
        if (!gql_ok(c))
            return;
        w.round++;
        walk_operation(&w, o);
    }
    w.in_fragments = true;
    for (GQL_EACH(gql_fragment, f, q->fragments)) {
        if (!gql_ok(c))
            return;
        w.round++;
        walk_fragment(&w, f);
    }
}
