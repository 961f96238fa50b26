/* SPDX-License-Identifier: Apache-2.0 */
/* Packages, imports and rules (rego.md 3, 4, 5). */
#include "rego/parse.h"

/* ---- rules
 * --------------------------------------------------------------------------------------- */

void parse_head_ref(parser *p, list *path)
{
    if (p->tok.kind != TOK_IDENT) {
        parse_error(p, "expected the name of a rule");
        return;
    }
    term *t = new_term(p, T_VAR, p->tok.at);
    t->name = p->tok.text;
    advance(p);
    list_add(p->c, path, t);
    while (!p->c->failed && !p->tok.space && !p->tok.newline && (at_op(p, '.') || at_op(p, '['))) {
        if (take_op(p, '.')) {
            if (p->tok.kind != TOK_IDENT)
                unexpected(p, "ident");
            list_add(p->c, path, new_string(p, p->tok.text, p->tok.at));
            advance(p);
        } else {
            advance(p);
            list_add(p->c, path, parse_expr(p));
            expect_op(p, ']', "']'");
        }
    }
}

static def *new_def(parser *p, loc at)
{
    static _Thread_local def nil;
    def *d = VS_NEW(p->c->a, def);
    if (!d) {
        comp_error(p->c, REGO_EVAL_LIMIT, p->mod, &at, "out of memory");
        memset(&nil, 0, sizeof nil);
        return &nil;
    }
    d->mod = p->mod;
    d->at = at;
    return d;
}

static void add_def(parser *p, def *d)
{
    list l = {(void **)p->mod->defs, p->mod->n_defs, p->mod->room_defs};
    list_add(p->c, &l, d);
    p->mod->defs = (def **)l.items;
    p->mod->n_defs = l.n;
    p->mod->room_defs = l.room;
}

static term *true_term(parser *p, loc at)
{
    term *t = new_term(p, T_SCALAR, at);
    t->scalar = vs_bool(true);
    return t;
}

static void parse_value(parser *p, def *d)
{
    d->assigned = take_op(p, OP2(':', '='));
    if (d->assigned || take_op(p, '=')) {
        d->value = parse_expr(p);
        d->has_value = true;
    }
}

static void parse_head(parser *p, def *d)
{
    list path = {0}, args = {0};
    parse_head_ref(p, &path);
    d->path = (term **)path.items;
    d->n_path = path.n;
    if (at_op(p, '(') && !p->tok.newline) {
        advance(p);
        parse_list(p, ')', &args);
        d->args = (term **)args.items;
        d->n_args = args.n;
        d->is_function = args.n > 0; /* f() is the rule f */
        d->called = true;
    }
    if (p->mod->kw_contains && at_word(p, "contains") && !p->tok.newline) {
        if (d->is_function)
            parse_error(p, "a function cannot be a partial set");
        advance(p);
        d->contains = true;
        d->key = parse_expr(p);
        return;
    }
    parse_value(p, d);
}

/* `if` behind a head. In v0 it needs no import: nothing else could stand there. */
static bool at_if(const parser *p)
{
    return at_word(p, "if") && (p->mod->kw_if || !p->tok.newline);
}

/* A set in braces and nothing behind it: what was meant is a body. */
static bool is_braced_set(const body *b, uint32_t start)
{
    const literal *l = b->n == 1 ? b->items[0] : NULL;
    return l && l->kind == L_EXPR && l->a->kind == T_SET && l->a->n && l->a->at.start == start;
}

/* `if { ... }` is a body unless the braces are a comprehension, an object or the start of a longer
 * expression: `if {x} & {y}`. Both readings are tried; rules do not nest, so that stays linear. */
static body *parse_if_body(parser *p)
{
    mark m = mark_here(p);
    if (!at_op(p, '{'))
        return parse_single_literal(p);
    body *b = parse_single_literal(p);
    if (!p->c->failed && !is_braced_set(b, m.saved.tok.at.start))
        return b;
    if (!read_again(p, &m))
        return b;
    advance(p);
    b = parse_body_until(p, '}');
    expect_op(p, '}', "'}' at the end of the body");
    return b;
}

/* The body behind a head; false = there is none. */
static bool parse_rule_body(parser *p, body **out)
{
    if (at_if(p)) {
        advance(p);
        *out = parse_if_body(p);
        return true;
    }
    if (!at_op(p, '{'))
        return false;
    if (p->mod->rego_v1) {
        parse_error(p, "`if` keyword is required before rule body");
        return false;
    }
    advance(p);
    *out = parse_body_until(p, '}');
    expect_op(p, '}', "'}' at the end of the body");
    return true;
}

static void parse_else(parser *p, def *d)
{
    while (!p->c->failed && at_word(p, "else") && at_keyword(p)) {
        for (size_t i = 1; i < d->n_path; i++)
            if (!is_ground(d->path[i]))
                parse_error(p, "else keyword cannot be used on rules with variables in head");
        def *e = new_def(p, p->tok.at);
        advance(p);
        e->path = d->path;
        e->n_path = d->n_path;
        e->is_function = d->is_function;
        e->args = d->args;
        e->n_args = d->n_args;
        parse_value(p, e);
        if (!e->value)
            e->value = true_term(p, e->at);
        if (!parse_rule_body(p, &e->body) && !e->has_value)
            parse_error(p, "'else' needs a value or a body");
        if (d->contains)
            parse_error(p, "'else' is not allowed on partial rules");
        d->else_def = e;
        d = e;
    }
}

/* What the head means where the syntax leaves it open (rego.md 4). */
static void settle_head(parser *p, def *d, bool has_body, bool used_if)
{
    bool bare = !d->has_value && !d->contains && !d->called;
    if (bare && !has_body) {
        if (p->mod->rego_v1)
            comp_error(p->c, REGO_PARSE_ERROR, p->mod, &d->at,
                       "rule must have a body or assignment, or `contains` for partial set rules");
        else if (d->n_path < 2)
            comp_error(p->c, REGO_PARSE_ERROR, p->mod, &d->at, "rule must have a value or a body");
    }
    bool v0_set = !p->mod->rego_v1 && bare && !used_if && d->n_path == 2;
    if (v0_set) {
        d->contains = true;
        d->key = d->path[1];
        d->n_path = 1;
    }
    if (!d->contains && !d->value)
        d->value = true_term(p, d->at);
}

static bool is_pattern(const term *t)
{
    if (t->kind == T_ARRAY || t->kind == T_OBJECT || t->kind == T_SET) {
        for (size_t i = 0; i < t->n; i++)
            if (!is_pattern(t->items[i]))
                return false;
        return true;
    }
    return t->kind == T_SCALAR || t->kind == T_VAR;
}

static void prepend(parser *p, body **b, literal *l)
{
    list items = {0};
    list_add(p->c, &items, l);
    for (size_t i = 0; *b && i < (*b)->n; i++)
        list_add(p->c, &items, (*b)->items[i]);
    *b = new_body(p, &items);
}

/* An argument that has to be computed, f($"{x}!"), is a variable that must equal it. */
static void settle_args(parser *p, def *d)
{
    for (size_t i = 0; i < d->n_args; i++) {
        term *computed = d->args[i];
        if (is_pattern(computed))
            continue;
        if (computed->kind == T_CALL) {
            comp_error(p->c, REGO_COMPILE_ERROR, p->mod, &computed->at,
                       "rule arguments cannot contain calls");
            return;
        }
        d->args[i] = new_wildcard(p, computed->at);
        for (def *b = d; b; b = b->else_def) {
            literal *l = new_literal(p, L_UNIFY, computed->at);
            l->a = d->args[i];
            l->b = computed;
            prepend(p, &b->body, l);
        }
    }
}

static void check_default_arguments(parser *p, const def *d)
{
    for (size_t i = 0; i < d->n_args && !p->c->failed; i++) {
        if (d->args[i]->kind != T_VAR && p->mod->rego_v1)
            comp_error(p->c, REGO_PARSE_ERROR, p->mod, &d->at,
                       "illegal default rule (arguments must be variables)");
        for (size_t j = 0; j < i; j++)
            if (d->args[i]->kind == T_VAR && vs_span_eq(d->args[i]->name, d->args[j]->name))
                comp_error(p->c, REGO_PARSE_ERROR, p->mod, &d->at,
                           "illegal default rule (arguments cannot be repeated %.*s)",
                           VS_FMT(d->args[i]->name));
    }
}

static void parse_default(parser *p)
{
    def *d = new_def(p, p->tok.at);
    advance(p);
    d->is_default = true;
    parse_head(p, d);
    if (!d->value)
        d->value = true_term(p, d->at);
    d->at.end = p->last_end;
    check_default_arguments(p, d);
    add_def(p, d);
}

static void parse_rule(parser *p)
{
    if (at_word(p, "default") && at_keyword(p)) {
        parse_default(p);
        return;
    }
    if (p->tok.kind != TOK_IDENT || at_keyword(p)) {
        parse_error(p, "expected a rule");
        return;
    }
    def *d = new_def(p, p->tok.at);
    parse_head(p, d);
    bool used_if = at_if(p);
    bool has_body = parse_rule_body(p, &d->body);
    d->at.end = p->last_end;
    settle_head(p, d, has_body, used_if);
    parse_else(p, d);
    if (!p->c->tree_only)
        settle_args(p, d);
    add_def(p, d);
    /* More bodies for the same head. */
    while (!p->c->failed && has_body && at_op(p, '{')) {
        def *more = new_def(p, d->at);
        *more = *d;
        more->else_def = NULL;
        more->body = NULL;
        advance(p);
        more->body = parse_body_until(p, '}');
        expect_op(p, '}', "'}' at the end of the body");
        add_def(p, more);
    }
    if (!p->c->failed && p->tok.kind != TOK_EOF && p->tok.kind != TOK_IDENT)
        parse_error(p, "unexpected text behind a rule: expected the next one");
}

/* ---- package and imports
 * ------------------------------------------------------------------------- */

/* package a.b["c"] */
static void parse_package(parser *p)
{
    p->mod->package_row = p->tok.at.row;
    if (!take_word(p, "package")) {
        parse_error(p, "package expected");
        return;
    }
    list path = {0}, names = {0};
    parse_head_ref(p, &path);
    for (size_t i = 0; i < path.n; i++) {
        term *t = path.items[i];
        vs_span *name = VS_NEW(p->c->a, vs_span);
        if (!name)
            return;
        *name = i == 0 ? t->name : vs_text(t->scalar);
        if (i > 0 && (t->kind != T_SCALAR || t->scalar.kind != VS_STRING))
            comp_error(p->c, REGO_PARSE_ERROR, p->mod, &t->at, "a package path has names only");
        list_add(p->c, &names, name);
    }
    p->mod->package = vs_alloc_array(p->c->a, names.n, sizeof *p->mod->package);
    for (size_t i = 0; p->mod->package && i < names.n; i++)
        p->mod->package[i] = *(vs_span *)names.items[i];
    p->mod->n_package = names.n;
}

static void all_keywords(module *m)
{
    m->kw_if = m->kw_in = m->kw_every = m->kw_contains = true;
}

/* `rego.v1` means all that `future.keywords` does: one of them, once. */
static void check_language_imports(parser *p, const loc *at, bool rego)
{
    module *m = p->mod;
    if (m->imported_rego || (rego && m->imported_future))
        comp_error(p->c, REGO_PARSE_ERROR, m, at, "this import shadows previous import of %s",
                   m->imported_rego ? "`rego.v1`" : "`future.keywords`");
    m->imported_rego |= rego;
    m->imported_future |= !rego;
}

static bool set_keyword(module *m, vs_span word)
{
    if (vs_span_is(word, "if"))
        m->kw_if = true;
    else if (vs_span_is(word, "in"))
        m->kw_in = true;
    else if (vs_span_is(word, "contains"))
        m->kw_contains = true;
    else if (vs_span_is(word, "every"))
        m->kw_every = m->kw_in = true;
    else if (vs_span_is(word, "not"))
        m->kw_not = true;
    else
        return false;
    return true;
}

/* future.keywords[.x], rego.v1 and rego.v2 change the syntax; true when `path` was one of them. */
static bool apply_language_import(parser *p, term **path, size_t n)
{
    vs_span root = path[0]->name;
    bool future = vs_span_is(root, "future"), rego = vs_span_is(root, "rego");
    if (!future && !rego)
        return false;
    vs_span second = n > 1 ? vs_text(path[1]->scalar) : VS_LIT(""),
            third = n > 2 ? vs_text(path[2]->scalar) : VS_LIT("");
    module *m = p->mod;
    check_language_imports(p, &path[0]->at, rego);
    if (rego && n == 2 && (vs_span_is(second, "v1") || vs_span_is(second, "v2"))) {
        all_keywords(m);
        m->rego_v1 = true;
        m->kw_not |= vs_span_is(second, "v2");
    } else if (future && n == 2 && vs_span_is(second, "keywords")) {
        all_keywords(m);
    } else if (!future || n != 3 || !vs_span_is(second, "keywords")) {
        comp_error(p->c, REGO_PARSE_ERROR, m, &path[0]->at,
                   "invalid import, must be `future.keywords` or `rego.v1`");
    } else if (!set_keyword(m, third)) {
        comp_error(p->c, REGO_PARSE_ERROR, m, &path[2]->at,
                   "unexpected keyword, must be one of [contains every if in not]");
    }
    return true;
}

static void add_import(parser *p, import **to, size_t *n, size_t *room, import i)
{
    if (*n == *room) {
        size_t more = *room ? *room * 2 : 4;
        import *grown = vs_grow(p->c->a, *to, *n, more, sizeof *grown);
        if (!grown) {
            comp_error(p->c, REGO_EVAL_LIMIT, p->mod, &i.at, "out of memory");
            return;
        }
        *to = grown;
        *room = more;
    }
    (*to)[(*n)++] = i;
}

static bool is_reserved(vs_span name)
{
    return vs_span_is(name, "input") || vs_span_is(name, "data");
}

static void add_document_import(parser *p, import i)
{
    if (!is_reserved(i.path[0]->name))
        comp_error(p->c, REGO_PARSE_ERROR, p->mod, &i.at,
                   "unexpected import path, must begin with one of: {data, future, input, rego}");
    for (size_t k = 1; k < i.n; k++)
        if (i.path[k]->kind != T_SCALAR || i.path[k]->scalar.kind != VS_STRING)
            comp_error(p->c, REGO_PARSE_ERROR, p->mod, &i.at, "an import path has names only");
    if (!i.renamed)
        i.alias = i.n > 1 ? vs_text(i.path[i.n - 1]->scalar) : i.path[0]->name;
    add_import(p, &p->mod->imports, &p->mod->n_imports, &p->mod->room_imports, i);
}

/* The name behind `as`; empty when there is none. */
static vs_span parse_alias(parser *p, const list *path)
{
    if (p->c->failed || !at_word(p, "as"))
        return (vs_span){NULL, 0};
    vs_span root = ((const term *)path->items[0])->name;
    if (vs_span_is(root, "future") || vs_span_is(root, "rego"))
        parse_error(p, "`%.*s` imports cannot be aliased", VS_FMT(root));
    advance(p);
    vs_span alias = p->tok.text;
    if (p->tok.kind != TOK_IDENT)
        parse_error(p, "expected a name behind 'as'");
    else if (is_reserved(alias))
        parse_error(p, "unexpected import alias, must not be a reserved name, got: %.*s",
                    VS_FMT(alias));
    advance(p);
    return alias;
}

static void parse_import(parser *p)
{
    loc at = p->tok.at;
    advance(p);
    list path = {0};
    parse_head_ref(p, &path);
    vs_span alias = parse_alias(p, &path);
import found = {.at = at, .path =(term **) path.items, .n = path.n, .alias = alias, .renamed = alias.p != NULL };
    module *m = p->mod;
    if (p->c->failed)
        return;
    if (apply_language_import(p, found.path, found.n))
        add_import(p, &m->language_imports, &m->n_language_imports, &m->room_language_imports,
                   found);
    else
        add_document_import(p, found);
}

static module *new_module(compilation *c, const char *name, vs_span text, bool v0)
{
    module *m = VS_NEW(c->a, module);
    if (!m) {
        comp_error(c, REGO_EVAL_LIMIT, NULL, NULL, "out of memory");
        return NULL;
    }
    m->name = name;
    m->text = text;
    m->v0 = v0;
    m->rego_v1 = !v0;
    if (!v0)
        all_keywords(m);
    return m;
}

enum { SOURCE_MAX = 4 << 20 };

module *parse_module(compilation *c, const char *name, vs_span text, bool v0)
{
    module *m = new_module(c, name, text, v0);
    if (!m)
        return NULL;
    if (text.n > SOURCE_MAX) {
        comp_error(c, REGO_PARSE_ERROR, m, NULL, "policy is larger than %d bytes", SOURCE_MAX);
        return m;
    }
    parser p = {.c = c, .mod = m};
    lexer_init(&p.lex, c, m, text);
    advance(&p);
    parse_package(&p);
    while (!c->failed && at_word(&p, "import") && at_keyword(&p))
        parse_import(&p);
    while (!c->failed && p.tok.kind != TOK_EOF) {
        if (at_word(&p, "import") && at_keyword(&p))
            parse_import(&p);
        else
            parse_rule(&p);
    }
    return m;
}

body *parse_query(compilation *c, vs_span text, bool v0, module **mod)
{
    module *m = new_module(c, "query", text, v0);
    *mod = m;
    if (!m)
        return NULL;
    all_keywords(m);
    parser p = {.c = c, .mod = m};
    lexer_init(&p.lex, c, m, text);
    advance(&p);
    body *b = parse_body_until(&p, 0);
    if (!c->failed && p.tok.kind != TOK_EOF)
        parse_error(&p, "unexpected text behind the query");
    return b;
}
