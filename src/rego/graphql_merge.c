/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Field selection merging (GraphQL specification 5.3.2): fields that answer under the same name
 * must be the same field with the same arguments, or be on types no object has at once; either way
 * their types must have the same shape.
 *
 * Every selection set of the document is looked at once, with all its spreads expanded; two fields
 * of one name are compared together with all that is selected below them.
 */
#include "rego/graphql.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct fields {
    const gql_selection **at; /* sorted by response name, then as they stand */
    size_t n, room;
} fields;

typedef struct conflict {
    bool found;
    gql_pos at;
    char name[64], reason[160];
} conflict;

static bool compare_sets(gql_walk *w, const gql_list *x, const gql_list *y, bool exclusive,
                         conflict *out);

static vs_span response_name(const gql_selection *s)
{
    return s->alias.n ? s->alias : s->name;
}

/* ---- collecting ----------------------------------------------------------------------------- */

static void add(gql_walk *w, fields *f, const gql_selection *s)
{
    if (f->n == f->room) {
        size_t room = f->room ? 2 * f->room : 8;
        const gql_selection **at = vs_grow(w->c->b->a, (void *)f->at, f->n, room, sizeof *f->at);
        if (!at) {
            w->c->limit = true;
            return;
        }
        f->at = at;
        f->room = room;
    }
    f->at[f->n++] = s;
}

static void expand(gql_walk *w, const gql_list *l, fields *f)
{
    if (!rego_gql_enter(w->c, GQL_FOLLOW))
        return;
    for (GQL_EACH(gql_selection, s, *l)) {
        if (!rego_gql_charge(w->c, 1))
            break;
        if (s->what == GQL_FIELD) {
            add(w, f, s);
        } else if (s->what == GQL_INLINE) {
            expand(w, &s->selections, f);
        } else if (s->fragment && s->fragment->seen != w->round) {
            s->fragment->seen = w->round;
            expand(w, &s->fragment->selections, f);
        }
    }
    w->c->depth--;
}

static int cmp_response(const void *x, const void *y)
{
    const gql_selection *p = *(const gql_selection *const *)x;
    const gql_selection *q = *(const gql_selection *const *)y;
    int c = vs_span_cmp(response_name(p), response_name(q));
    if (c == 0)
        c = (p->head.at.line > q->head.at.line) - (p->head.at.line < q->head.at.line);
    return c ? c
             : (p->head.at.column > q->head.at.column) - (p->head.at.column < q->head.at.column);
}

static fields collect(gql_walk *w, const gql_list *l)
{
    fields f = {0};
    w->round++;
    expand(w, l, &f);
    if (f.n > 1 && rego_gql_charge(w->c, f.n * 2))
        qsort((void *)f.at, f.n, sizeof *f.at, cmp_response);
    return f;
}

/* The end of the run of one response name that starts at `i`. */
static size_t run_end(const fields *f, size_t i)
{
    size_t end = i + 1;
    while (end < f->n && vs_span_eq(response_name(f->at[end]), response_name(f->at[i])))
        end++;
    return end;
}

/* ---- comparing two fields ------------------------------------------------------------------- */

static bool same_value(gql_walk *w, const gql_value *x, const gql_value *y)
{
    if (x->kind != y->kind || !vs_span_eq(x->raw, y->raw) || x->children.n != y->children.n ||
        !rego_gql_enter(w->c, GQL_FOLLOW))
        return false;
    const gql_arg *b = (const gql_arg *)(const void *)y->children.first;
    bool same = true;
    for (GQL_EACH(gql_arg, a, x->children)) {
        const gql_arg *other = x->kind == GQL_LIST ? b : rego_gql_arg(w->c, &y->children, a->name);
        same = same && other && same_value(w, a->value, other->value);
        b = (const gql_arg *)(const void *)b->head.next;
    }
    w->c->depth--;
    return same;
}

static bool same_args(gql_walk *w, const gql_list *x, const gql_list *y)
{
    if (x->n != y->n)
        return false;
    for (GQL_EACH(gql_arg, a, *x)) {
        const gql_arg *b = rego_gql_arg(w->c, y, a->name);
        if (!b || !same_value(w, a->value, b->value))
            return false;
    }
    return true;
}

/* SameResponseShape, for the type itself. */
static bool same_shape(gql_walk *w, const gql_type *x, const gql_type *y)
{
    for (; x && y; x = x->elem, y = y->elem) {
        if (x->non_null != y->non_null || !x->elem != !y->elem)
            return false;
        if (x->elem)
            continue;
        const gql_def *p = rego_gql_type(w->c, w->schema, x->named);
        const gql_def *q = rego_gql_type(w->c, w->schema, y->named);
        return !p || !q || p == q || (!rego_gql_is_leaf(p) && !rego_gql_is_leaf(q));
    }
    return false;
}

static bool found(conflict *out, const gql_selection *x, const gql_selection *y)
{
    (void)snprintf(out->name, sizeof out->name, "%.*s", VS_FMT(response_name(x)));
    out->at = y->head.at;
    out->found = true;
    return true;
}

static bool never_both(const gql_def *x, const gql_def *y)
{
    return x != y && rego_gql_is_kind(x, "OBJECT") && rego_gql_is_kind(y, "OBJECT");
}

/* True when the fields conflict. `exclusive`: no object has what both are selected from. */
static bool compare(gql_walk *w, const gql_selection *x, const gql_selection *y, bool exclusive,
                    conflict *out)
{
    if (x == y || !x->def || !y->def || !x->parent || !y->parent || !rego_gql_charge(w->c, 1))
        return false;
    exclusive = exclusive || never_both(x->parent, y->parent);
    if (!exclusive && !vs_span_eq(x->name, y->name)) {
        (void)snprintf(out->reason, sizeof out->reason, "%.*s and %.*s are different fields",
                       VS_FMT(x->name), VS_FMT(y->name));
        return found(out, x, y);
    }
    if (!exclusive && !same_args(w, &x->args, &y->args)) {
        (void)snprintf(out->reason, sizeof out->reason, "they have differing arguments");
        return found(out, x, y);
    }
    if (!same_shape(w, x->def->type, y->def->type)) {
        (void)snprintf(out->reason, sizeof out->reason, "they return conflicting types %s and %s",
                       rego_gql_type_text(w->c, x->def->type),
                       rego_gql_type_text(w->c, y->def->type));
        return found(out, x, y);
    }
    if (!x->selections.n || !y->selections.n ||
        !compare_sets(w, &x->selections, &y->selections, exclusive, out))
        return false;
    char inner[160];
    (void)snprintf(inner, sizeof inner, "subfields \"%s\" conflict because %.60s", out->name,
                   out->reason);
    memcpy(out->reason, inner, sizeof inner);
    return found(out, x, y);
}

static bool compare_sets(gql_walk *w, const gql_list *x, const gql_list *y, bool exclusive,
                         conflict *out)
{
    if (!rego_gql_enter(w->c, GQL_FOLLOW))
        return false;
    fields p = collect(w, x), q = collect(w, y);
    size_t i = 0, j = 0;
    while (gql_ok(w->c) && !out->found && i < p.n && j < q.n) {
        int c = vs_span_cmp(response_name(p.at[i]), response_name(q.at[j]));
        size_t i_end = run_end(&p, i), j_end = run_end(&q, j);
        for (size_t k = i; c == 0 && !out->found && k < i_end; k++)
            for (size_t l = j; gql_ok(w->c) && !out->found && l < j_end; l++)
                (void)compare(w, p.at[k], q.at[l], exclusive, out);
        i = c <= 0 ? i_end : i;
        j = c >= 0 ? j_end : j;
    }
    w->c->depth--;
    return out->found;
}

/* ---- selection sets ------------------------------------------------------------------------- */

static void compare_within(gql_walk *w, const gql_list *l)
{
    fields f = collect(w, l);
    conflict out = {0};
    for (size_t i = 0, end; i < f.n && !out.found; i = end) {
        end = run_end(&f, i);
        for (size_t j = i; j < end; j++)
            for (size_t k = j + 1; gql_ok(w->c) && !out.found && k < end; k++)
                (void)compare(w, f.at[j], f.at[k], false, &out);
    }
    if (out.found)
        rego_gql_fail(w->c, out.at,
                      "Fields \"%s\" conflict because %s. Use different aliases on the fields to "
                      "fetch both if this was intentional",
                      out.name, out.reason);
}

void rego_gql_check_merge(gql_walk *w, const gql_list *l)
{
    if (!gql_ok(w->c) || !rego_gql_enter(w->c, GQL_FOLLOW))
        return;
    compare_within(w, l);
    for (GQL_EACH(gql_selection, s, *l)) {
        if (!gql_ok(w->c))
            break;
        if (s->selections.n)
            rego_gql_check_merge(w, &s->selections);
    }
    w->c->depth--;
}
