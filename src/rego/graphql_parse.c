/* SPDX-License-Identifier: Apache-2.0 */
/* Executable GraphQL documents: operations and fragments (GraphQL specification 2.2 to 2.12). */
#include "rego/graphql.h"

#include <stdio.h>

/* ---- tokens --------------------------------------------------------------------------------- */

/* After an error every further token is invalid, which ends all loops. */
gql_token rego_gql_peek(gql_parser *p)
{
    if (!gql_ok(p->c))
        return (gql_token){.kind = GQL_T_INVALID, .at = p->before.at};
    if (!p->peeked)
        p->token = rego_gql_lex(&p->lexer);
    p->peeked = true;
    return p->token;
}

gql_token rego_gql_next(gql_parser *p)
{
    gql_token t = rego_gql_peek(p);
    if (!gql_ok(p->c))
        return t;
    if (t.kind == GQL_T_INVALID)
        rego_gql_fail(p->c, t.at, "%s", p->lexer.error);
    p->peeked = false;
    p->before = t;
    return t;
}

bool rego_gql_skip(gql_parser *p, gql_tok kind)
{
    if (rego_gql_peek(p).kind != kind)
        return false;
    (void)rego_gql_next(p);
    return gql_ok(p->c);
}

gql_token rego_gql_expect(gql_parser *p, gql_tok kind)
{
    gql_token t = rego_gql_peek(p);
    if (t.kind == kind)
        return rego_gql_next(p);
    rego_gql_fail(p->c, t.at, "Expected %s, found %s", rego_gql_tok_name(kind),
                  rego_gql_tok_name(t.kind));
    return (gql_token){.at = t.at};
}

static const char *show(gql_token t, char *buf, size_t room)
{
    if (t.text.n == 0)
        return rego_gql_tok_name(t.kind);
    (void)snprintf(buf, room, "%s \"%.*s\"", rego_gql_tok_name(t.kind),
                   VS_FMT(vs_span_head(t.text, 80)));
    return buf;
}

void rego_gql_unexpected(gql_parser *p, gql_token t)
{
    char buf[100];
    rego_gql_fail(p->c, t.at, "Unexpected %s", show(t, buf, sizeof buf));
}

static bool is_word(gql_token t, const char *word)
{
    return t.kind == GQL_T_NAME && vs_span_is(t.text, word);
}

void rego_gql_keyword(gql_parser *p, const char *word)
{
    char buf[100];
    gql_token t = rego_gql_peek(p);
    if (is_word(t, word))
        (void)rego_gql_next(p);
    else
        rego_gql_fail(p->c, t.at, "Expected \"%s\", found %s", word, show(t, buf, sizeof buf));
}

gql_list rego_gql_many(gql_parser *p, gql_tok open, gql_tok close, gql_item item)
{
    gql_list l = {0};
    if (!rego_gql_skip(p, open))
        return l;
    while (gql_ok(p->c) && rego_gql_peek(p).kind != close)
        rego_gql_add(&l, item(p));
    (void)rego_gql_next(p);
    return l;
}

gql_list rego_gql_some(gql_parser *p, gql_tok open, gql_tok close, gql_item item)
{
    if (rego_gql_peek(p).kind != open)
        return (gql_list){0};
    gql_list l = rego_gql_many(p, open, close, item);
    if (l.n == 0)
        rego_gql_fail(p->c, p->before.at, "expected at least one definition, found %s",
                      rego_gql_tok_name(close));
    return l;
}

void *rego_gql_at(gql_parser *p, size_t size)
{
    gql_pos at = rego_gql_peek(p).at;
    gql_node *n = rego_gql_new(p->c, size);
    if (n)
        n->at = at;
    return n;
}

vs_span rego_gql_name(gql_parser *p)
{
    return rego_gql_expect(p, GQL_T_NAME).text;
}

/* ---- values, directives, types (2.6, 2.9, 2.11, 2.12) --------------------------------------- */

static gql_arg *argument(gql_parser *p, bool constant)
{
    gql_arg *a = GQL_AT(p, gql_arg);
    if (!a)
        return NULL;
    a->name = rego_gql_name(p);
    (void)rego_gql_expect(p, GQL_T_COLON);
    a->value = rego_gql_value(p, constant);
    return a;
}

static void *constant_argument(gql_parser *p)
{
    return argument(p, true);
}

static void *any_argument(gql_parser *p)
{
    return argument(p, false);
}

static void *element(gql_parser *p, bool constant)
{
    gql_arg *a = GQL_AT(p, gql_arg);
    if (a)
        a->value = rego_gql_value(p, constant);
    return a;
}

static void *constant_element(gql_parser *p)
{
    return element(p, true);
}

static void *any_element(gql_parser *p)
{
    return element(p, false);
}

static void composite(gql_parser *p, gql_value *v, bool constant)
{
    if (!rego_gql_enter(p->c, GQL_NESTING))
        return;
    if (v->kind == GQL_LIST)
        v->children = rego_gql_many(p, GQL_T_BRACKET_L, GQL_T_BRACKET_R,
                                    constant ? constant_element : any_element);
    else
        v->children = rego_gql_many(p, GQL_T_BRACE_L, GQL_T_BRACE_R,
                                    constant ? constant_argument : any_argument);
    p->c->depth--;
}

static gql_kind name_kind(vs_span name)
{
    if (vs_span_is(name, "true") || vs_span_is(name, "false"))
        return GQL_BOOLEAN;
    return vs_span_is(name, "null") ? GQL_NULL : GQL_ENUM;
}

gql_value *rego_gql_value(gql_parser *p, bool constant)
{
    static const struct {
        gql_tok token;
        gql_kind kind;
    } kinds[] = {{GQL_T_BRACKET_L, GQL_LIST},  {GQL_T_BRACE_L, GQL_OBJECT},
                 {GQL_T_INT, GQL_INT},         {GQL_T_FLOAT, GQL_FLOAT},
                 {GQL_T_STRING, GQL_STRING},   {GQL_T_BLOCK, GQL_BLOCK},
                 {GQL_T_DOLLAR, GQL_VARIABLE}, {GQL_T_NAME, GQL_ENUM}};
    gql_token t = rego_gql_peek(p);
    size_t i = 0;
    while (i < VS_COUNT(kinds) && kinds[i].token != t.kind)
        i++;
    if (i == VS_COUNT(kinds) || (t.kind == GQL_T_DOLLAR && constant)) {
        rego_gql_unexpected(p, t);
        return NULL;
    }
    gql_value *v = GQL_AT(p, gql_value);
    if (!v)
        return NULL;
    v->kind = t.kind == GQL_T_NAME ? name_kind(t.text) : kinds[i].kind;
    if (v->kind == GQL_LIST || v->kind == GQL_OBJECT) {
        composite(p, v, constant);
        return v;
    }
    (void)rego_gql_next(p);
    v->raw = v->kind == GQL_VARIABLE ? rego_gql_name(p) : t.text;
    return v;
}

static gql_list arguments(gql_parser *p, bool constant)
{
    return rego_gql_many(p, GQL_T_PAREN_L, GQL_T_PAREN_R,
                         constant ? constant_argument : any_argument);
}

gql_list rego_gql_directives(gql_parser *p, bool constant)
{
    gql_list l = {0};
    while (rego_gql_skip(p, GQL_T_AT)) {
        gql_directive *d = GQL_AT(p, gql_directive);
        if (!d)
            break;
        d->name = rego_gql_name(p);
        d->args = arguments(p, constant);
        rego_gql_add(&l, d);
    }
    return l;
}

gql_type *rego_gql_parse_type(gql_parser *p)
{
    if (!rego_gql_enter(p->c, GQL_NESTING))
        return NULL;
    bool list = rego_gql_skip(p, GQL_T_BRACKET_L);
    gql_type *t = GQL_AT(p, gql_type);
    if (t && list) {
        t->elem = rego_gql_parse_type(p);
        (void)rego_gql_expect(p, GQL_T_BRACKET_R);
    } else if (t) {
        t->named = rego_gql_name(p);
    }
    if (t && rego_gql_skip(p, GQL_T_BANG)) {
        t->head.at = rego_gql_peek(p).at;
        t->non_null = true;
    }
    p->c->depth--;
    return t;
}

/* ---- selections (2.4 to 2.8) ---------------------------------------------------------------- */

static void *selection(gql_parser *p);

static gql_list selection_set(gql_parser *p)
{
    gql_list l = {0};
    if (!rego_gql_enter(p->c, GQL_NESTING))
        return l;
    l = rego_gql_some(p, GQL_T_BRACE_L, GQL_T_BRACE_R, selection);
    p->c->depth--;
    return l;
}

static gql_list required_set(gql_parser *p)
{
    gql_token t = rego_gql_peek(p);
    if (t.kind != GQL_T_BRACE_L)
        rego_gql_fail(p->c, t.at, "Expected {, found %s", rego_gql_tok_name(t.kind));
    return selection_set(p);
}

static void *field(gql_parser *p)
{
    gql_selection *s = GQL_AT(p, gql_selection);
    if (!s)
        return NULL;
    s->alias = s->name = rego_gql_name(p);
    if (rego_gql_skip(p, GQL_T_COLON))
        s->name = rego_gql_name(p);
    s->args = arguments(p, false);
    s->directives = rego_gql_directives(p, false);
    s->selections = selection_set(p);
    return s;
}

static vs_span fragment_name(gql_parser *p)
{
    gql_token t = rego_gql_peek(p);
    if (is_word(t, "on"))
        rego_gql_unexpected(p, t);
    return rego_gql_name(p);
}

static void *selection(gql_parser *p)
{
    if (!rego_gql_skip(p, GQL_T_SPREAD))
        return field(p);
    gql_selection *s = GQL_AT(p, gql_selection);
    if (!s)
        return NULL;
    gql_token t = rego_gql_peek(p);
    bool on = is_word(t, "on");
    s->what = t.kind == GQL_T_NAME && !on ? GQL_SPREAD : GQL_INLINE;
    if (s->what == GQL_SPREAD) {
        s->name = fragment_name(p);
    } else if (on) {
        (void)rego_gql_next(p);
        s->condition = rego_gql_name(p);
    }
    s->directives = rego_gql_directives(p, false);
    if (s->what == GQL_INLINE)
        s->selections = required_set(p);
    return s;
}

/* ---- documents (2.2, 2.3, 2.10) ------------------------------------------------------------- */

static void *variable(gql_parser *p)
{
    gql_var *v = GQL_AT(p, gql_var);
    if (!v)
        return NULL;
    (void)rego_gql_expect(p, GQL_T_DOLLAR);
    v->name = rego_gql_name(p);
    (void)rego_gql_expect(p, GQL_T_COLON);
    v->type = rego_gql_parse_type(p);
    if (rego_gql_skip(p, GQL_T_EQUALS))
        v->value = rego_gql_value(p, true);
    v->directives = rego_gql_directives(p, false);
    return v;
}

vs_span rego_gql_operation_type(gql_parser *p)
{
    gql_token t = rego_gql_next(p);
    if (!is_word(t, "query") && !is_word(t, "mutation") && !is_word(t, "subscription"))
        rego_gql_unexpected(p, t);
    return t.text;
}

static gql_operation *operation(gql_parser *p)
{
    gql_operation *o = GQL_AT(p, gql_operation);
    if (!o)
        return NULL;
    o->operation = VS_LIT("query");
    if (rego_gql_peek(p).kind != GQL_T_BRACE_L) {
        o->operation = rego_gql_operation_type(p);
        if (rego_gql_peek(p).kind == GQL_T_NAME)
            o->name = rego_gql_name(p);
        o->vars = rego_gql_many(p, GQL_T_PAREN_L, GQL_T_PAREN_R, variable);
        o->directives = rego_gql_directives(p, false);
    }
    o->selections = required_set(p);
    return o;
}

static gql_fragment *fragment(gql_parser *p)
{
    gql_fragment *f = GQL_AT(p, gql_fragment);
    if (!f)
        return NULL;
    rego_gql_keyword(p, "fragment");
    f->name = fragment_name(p);
    f->vars = rego_gql_many(p, GQL_T_PAREN_L, GQL_T_PAREN_R, variable);
    rego_gql_keyword(p, "on");
    f->condition = rego_gql_name(p);
    f->directives = rego_gql_directives(p, false);
    f->selections = required_set(p);
    return f;
}

gql_query *rego_gql_parse_query(gql_ctx *c, vs_span text)
{
    gql_parser p = {.c = c, .lexer = {.c = c, .in = text, .line = 1, .column = 1}};
    gql_query *q = rego_gql_charge(c, text.n) ? rego_gql_new(c, sizeof *q) : NULL;
    while (gql_ok(c) && rego_gql_peek(&p).kind != GQL_T_EOF) {
        gql_token t = rego_gql_peek(&p);
        if (is_word(t, "fragment"))
            rego_gql_add(&q->fragments, fragment(&p));
        else if (t.kind == GQL_T_BRACE_L || is_word(t, "query") || is_word(t, "mutation") ||
                 is_word(t, "subscription"))
            rego_gql_add(&q->operations, operation(&p));
        else
            rego_gql_unexpected(&p, t);
    }
    return gql_ok(c) ? q : NULL;
}
