/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that follow fragment spreads: cycles (GraphQL specification 5.5.2.2), single root fields of
 * subscriptions (5.2.3.1), and the depth of introspection. */
#include "rego/graphql.h"

#include <stdio.h>

/* ---- cycles --------------------------------------------------------------------------------- */

enum { NEW, ACTIVE, DONE };

static void visit(gql_walk *w, gql_fragment *f);

/* The names of the fragments between `f` and itself. */
static void report_cycle(gql_walk *w, const gql_selection *s, const gql_fragment *f,
                         const gql_fragment *last)
{
    char via[100] = "";
    for (; last && last != f; last = last->from) {
        char longer[sizeof via];
        (void)snprintf(longer, sizeof longer, "%s\"%.*s\"%s%.60s", last->from == f ? " via " : "",
                       VS_FMT(vs_span_head(last->name, 30)), *via ? ", " : "", via);
        memcpy(via, longer, sizeof via);
    }
    rego_gql_fail(w->c, s->head.at, "Cannot spread fragment \"%.*s\" within itself%s",
                  VS_FMT(f->name), via);
}

static void follow(gql_walk *w, gql_fragment *in, const gql_list *l)
{
    if (!rego_gql_enter(w->c, GQL_FOLLOW))
        return;
    for (GQL_EACH(gql_selection, s, *l)) {
        gql_fragment *f = s->what == GQL_SPREAD ? rego_gql_fragment(w, s->name) : NULL;
        if (!rego_gql_charge(w->c, 1))
            break;
        if (f && f->state == ACTIVE)
            report_cycle(w, s, f, in);
        if (f && f->state == NEW) {
            f->from = in;
            visit(w, f);
        }
        follow(w, in, &s->selections);
    }
    w->c->depth--;
}

static void visit(gql_walk *w, gql_fragment *f)
{
    f->state = ACTIVE;
    follow(w, f, &f->selections);
    f->state = DONE;
}

void rego_gql_check_cycles(gql_walk *w)
{
    for (GQL_EACH(gql_fragment, f, w->query->fragments))
        if (gql_ok(w->c) && f->state == NEW)
            visit(w, f);
}

/* ---- introspection -------------------------------------------------------------------------- */

enum { MAX_LISTS = 3 };

static bool is_list_field(vs_span name)
{
    return vs_span_is(name, "fields") || vs_span_is(name, "interfaces") ||
           vs_span_is(name, "possibleTypes") || vs_span_is(name, "inputFields");
}

/* True when lists are nested too deep: each level multiplies the size of the answer. */
static bool too_deep(gql_walk *w, const gql_list *l, unsigned lists)
{
    if (!rego_gql_enter(w->c, GQL_FOLLOW))
        return false;
    bool deep = false;
    for (GQL_EACH(gql_selection, s, *l)) {
        if (deep || !rego_gql_charge(w->c, 1))
            break;
        unsigned n = lists + (s->what == GQL_FIELD && is_list_field(s->name));
        const gql_fragment *f = s->what == GQL_SPREAD ? rego_gql_fragment(w, s->name) : NULL;
        deep = n >= MAX_LISTS || too_deep(w, f ? &f->selections : &s->selections, n);
    }
    w->c->depth--;
    return deep;
}

void rego_gql_check_introspection(gql_walk *w, const gql_selection *s)
{
    bool root = vs_span_is(s->name, "__schema") || vs_span_is(s->name, "__type");
    if (root && too_deep(w, &s->selections, 0))
        rego_gql_fail(w->c, s->head.at, "Maximum introspection depth exceeded");
}

/* ---- subscriptions -------------------------------------------------------------------------- */

typedef struct top {
    vs_span name; /* of the first field */
    bool many, introspection;
} top;

static void top_fields(gql_walk *w, const gql_list *l, top *t)
{
    if (!rego_gql_enter(w->c, GQL_FOLLOW))
        return;
    for (GQL_EACH(gql_selection, s, *l)) {
        if (!rego_gql_charge(w->c, 1))
            break;
        if (s->what == GQL_INLINE) {
            top_fields(w, &s->selections, t);
        } else if (s->what == GQL_SPREAD) {
            if (s->fragment && s->fragment->seen != w->round) {
                s->fragment->seen = w->round;
                top_fields(w, &s->fragment->selections, t);
            }
        } else {
            t->many = t->many || (t->name.n && !vs_span_eq(t->name, s->name));
            t->introspection = t->introspection || vs_span_starts(s->name, VS_LIT("__"));
            t->name = s->name;
        }
    }
    w->c->depth--;
}

void rego_gql_check_subscription(gql_walk *w, const gql_operation *o)
{
    if (!vs_span_is(o->operation, "subscription") || !gql_ok(w->c))
        return;
    top t = {0};
    char name[80] = "Anonymous Subscription";
    if (o->name.n)
        (void)snprintf(name, sizeof name, "Subscription \"%.*s\"", VS_FMT(o->name));
    w->round++;
    top_fields(w, &o->selections, &t);
    if (t.many)
        rego_gql_fail(w->c, o->head.at, "%s must select only one top level field", name);
    if (t.introspection)
        rego_gql_fail(w->c, o->head.at, "%s must not select an introspection top level field",
                      name);
}
