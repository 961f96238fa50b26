/* SPDX-License-Identifier: Apache-2.0 */
#include "rego/module_json.h"

#include "base/enc.h"
#include "rego/lexer.h"

typedef struct writer {
    vs_arena *a;
    unsigned wildcards;
    bool kw_not; /* future.keywords.not: negations have bodies */
} writer;

static vs_val body_json(writer *w, const body *b);
static vs_val term_json(writer *w, term *t);

/* ---- order of terms, by which OPA sorts sets and objects ---------------------------------------
 */

static int rank(vs_val type)
{
    static const char *const order[] = {"null",
                                        "boolean",
                                        "number",
                                        "string",
                                        "templatestring",
                                        "var",
                                        "ref",
                                        "array",
                                        "object",
                                        "set",
                                        "arraycomprehension",
                                        "objectcomprehension",
                                        "setcomprehension",
                                        "call"};
    for (size_t i = 0; i < VS_COUNT(order); i++)
        if (vs_span_is(vs_text(type), order[i]))
            return (int)i;
    return (int)VS_COUNT(order);
}

/* Both are terms, or arrays of terms (the members of an object). */
static int compare(vs_val x, vs_val y)
{
    if (x.kind == VS_ARRAY && y.kind == VS_ARRAY) {
        for (uint32_t i = 0; i < x.len && i < y.len; i++) {
            int c = compare(x.u.items[i], y.u.items[i]);
            if (c)
                return c;
        }
        return (x.len > y.len) - (x.len < y.len);
    }
    if (x.kind != VS_OBJECT || y.kind != VS_OBJECT)
        return vs_cmp(x, y);
    int a = rank(vs_getc(x, "type")), b = rank(vs_getc(y, "type"));
    vs_val v = vs_getc(x, "value"), u = vs_getc(y, "value");
    return a != b ? a - b : vs_defined(v) && vs_defined(u) ? compare(v, u) : vs_cmp(x, y);
}

/* A stable merge sort: members with equal keys keep their order. */
static void sort(vs_val *v, vs_val *spare, size_t n)
{
    if (n < 2)
        return;
    size_t half = n / 2, i = 0, k = half;
    sort(v, spare, half);
    sort(v + half, spare, n - half);
    for (size_t o = 0; o < n; o++)
        spare[o] = k == n || (i < half && compare(v[i], v[k]) <= 0) ? v[i++] : v[k++];
    memcpy(v, spare, n * sizeof *v);
}

static void sort_all(writer *w, vs_vec *v, bool distinct)
{
    vs_val *spare = vs_alloc_array(w->a, v->n + 1, sizeof *spare);
    if (!spare || v->poisoned)
        return;
    sort(v->items, spare, v->n);
    size_t n = 0;
    for (size_t i = 0; distinct && i < v->n; i++)
        if (!n || compare(v->items[n - 1], v->items[i]) != 0)
            v->items[n++] = v->items[i];
    if (distinct)
        v->n = n;
}

/* ---- terms -------------------------------------------------------------------------------------
 */

static vs_val typed(writer *w, const char *type, vs_val value)
{
    vs_obj o = {.a = w->a};
    vs_obj_put(&o, "type", vs_cstring(type));
    vs_obj_put(&o, "value", value);
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

static vs_val string_json(writer *w, vs_span text)
{
    return typed(w, "string", vs_string_dup(w->a, text));
}

static vs_val var_json(writer *w, vs_span name)
{
    return typed(w, "var", vs_string_dup(w->a, name));
}

/* Wildcards are numbered in the order in which they stand in the source. */
static vs_val name_json(writer *w, term *t)
{
    if (t->wildcard) {
        t->name = vs_str(vs_sprintf(w->a, "$%u", w->wildcards++));
        t->wildcard = false; /* it has its number, should it be met again */
    }
    return var_json(w, t->name);
}

static vs_val list_json(writer *w, term *const *items, size_t n)
{
    vs_vec v = {.a = w->a};
    for (size_t i = 0; i < n; i++)
        vs_vec_add(&v, term_json(w, items[i]));
    return vs_vec_end_array(&v);
}

/* The head of a reference is a variable even when it is called input or data. */
static vs_val ref_json(writer *w, term *const *items, size_t n)
{
    vs_vec v = {.a = w->a};
    for (size_t i = 0; i < n; i++)
        vs_vec_add(&v, i == 0 && items[0]->kind == T_VAR ? name_json(w, items[0])
                                                         : term_json(w, items[i]));
    return typed(w, "ref", vs_vec_end_array(&v));
}

/* "internal.member_2" stands for `in`; the parser gives operators such names. */
static vs_val function_json(writer *w, term *f)
{
    if (f->kind == T_REF)
        return ref_json(w, f->items, f->n);
    vs_vec v = {.a = w->a};
    vs_span name = f->name;
    bool more;
    if (f->kind != T_VAR)
        return term_json(w, f);
    vs_vec_add(&v, f->wildcard || !memchr(name.p, '.', name.n)
                       ? name_json(w, f)
                       : var_json(w, vs_span_cut(name, '.', &name, &more)));
    if (v.n && name.p != f->name.p)
        vs_vec_add(&v, string_json(w, name));
    return typed(w, "ref", vs_vec_end_array(&v));
}

static vs_val call_json(writer *w, term *const *items, size_t n)
{
    vs_vec v = {.a = w->a};
    vs_vec_add(&v, function_json(w, items[0]));
    for (size_t i = 1; i < n; i++)
        vs_vec_add(&v, term_json(w, items[i]));
    return vs_vec_end_array(&v);
}

static vs_val set_json(writer *w, const term *t)
{
    vs_vec v = {.a = w->a};
    for (size_t i = 0; i < t->n; i++)
        vs_vec_add(&v, term_json(w, t->items[i]));
    sort_all(w, &v, true);
    return typed(w, "set", vs_vec_end_array(&v));
}

static vs_val object_json(writer *w, const term *t)
{
    vs_vec v = {.a = w->a};
    for (size_t i = 0; i + 1 < t->n; i += 2)
        vs_vec_add(&v, list_json(w, &t->items[i], 2));
    sort_all(w, &v, false);
    return typed(w, "object", vs_vec_end_array(&v));
}

static vs_val comprehension_json(writer *w, const term *t)
{
    bool object = t->kind == T_OBJECT_COMPR;
    vs_obj o = {.a = w->a};
    vs_obj_put(&o, object ? "key" : "term", term_json(w, t->items[0]));
    if (object)
        vs_obj_put(&o, "value", term_json(w, t->items[1]));
    vs_obj_put(&o, "body", body_json(w, t->body));
    return typed(w,
                 object                     ? "objectcomprehension"
                 : t->kind == T_ARRAY_COMPR ? "arraycomprehension"
                                            : "setcomprehension",
                 vs_obj_end(&o, VS_DUP_LAST, NULL));
}

/* ---- expressions -------------------------------------------------------------------------------
 */

static vs_val operator_json(writer *w, const char *name, term *a, term *b)
{
    vs_vec v = {.a = w->a};
    vs_span s = vs_str(name);
    term f = {.kind = T_VAR, .name = s};
    vs_vec_add(&v, function_json(w, &f));
    vs_vec_add(&v, term_json(w, a));
    vs_vec_add(&v, term_json(w, b));
    return vs_vec_end_array(&v);
}

static vs_val expr_terms(writer *w, term *t)
{
    return t->kind == T_CALL ? call_json(w, t->items, t->n) : term_json(w, t);
}

static vs_val some_json(writer *w, const literal *l)
{
    vs_obj o = {.a = w->a};
    if (l->kind == L_SOME) {
        vs_obj_put(&o, "symbols", list_json(w, l->vars, l->n_vars));
        return vs_obj_end(&o, VS_DUP_LAST, NULL);
    }
    term f = {.kind = T_VAR, .name = vs_str(l->a ? "internal.member_3" : "internal.member_2")};
    term *with_key[] = {&f, l->a, l->b, l->c}, *without[] = {&f, l->b, l->c};
    vs_vec symbols = {.a = w->a};
    vs_vec_add(&symbols,
               typed(w, "call", l->a ? call_json(w, with_key, 4) : call_json(w, without, 3)));
    vs_obj_put(&o, "symbols", vs_vec_end_array(&symbols));
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

static vs_val every_json(writer *w, const literal *l)
{
    vs_obj o = {.a = w->a};
    vs_obj_put(&o, "key", l->a ? term_json(w, l->a) : vs_null());
    vs_obj_put(&o, "value", term_json(w, l->b));
    vs_obj_put(&o, "domain", term_json(w, l->c));
    vs_obj_put(&o, "body", body_json(w, l->body));
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

/* With future.keywords.not. */
static vs_val negated_body_json(writer *w, const literal *l)
{
    vs_obj o = {.a = w->a};
    vs_obj_put(&o, "type", vs_cstring("not"));
    vs_obj_put(&o, "explicit_body", vs_bool(l->block));
    vs_obj_put(&o, "body", body_json(w, l->body));
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

static vs_val terms_json(writer *w, const literal *l)
{
    switch (l->kind) {
    case L_UNIFY: return operator_json(w, "eq", l->a, l->b);
    case L_ASSIGN: return operator_json(w, "assign", l->a, l->b);
    case L_SOME:
    case L_IN: return some_json(w, l);
    case L_EVERY: return every_json(w, l);
    case L_NOT: return w->kw_not ? negated_body_json(w, l) : terms_json(w, l->body->items[0]);
    default: return expr_terms(w, l->a);
    }
}

static vs_val with_json(writer *w, const literal *l)
{
    vs_vec v = {.a = w->a};
    for (size_t i = 0; i < l->n_with; i++) {
        vs_obj o = {.a = w->a};
        vs_obj_put(&o, "target", term_json(w, l->with[i].target));
        vs_obj_put(&o, "value", term_json(w, l->with[i].value));
        vs_vec_add(&v, vs_obj_end(&o, VS_DUP_LAST, NULL));
    }
    return vs_vec_end_array(&v);
}

static vs_val expr_json(writer *w, size_t index, const literal *l)
{
    vs_obj o = {.a = w->a};
    vs_obj_put(&o, "index", vs_int((int64_t)index));
    vs_obj_put(&o, "terms", terms_json(w, l));
    if (l->kind == L_NOT && !w->kw_not)
        vs_obj_put(&o, "negated", vs_bool(true));
    if (l->n_with)
        vs_obj_put(&o, "with", with_json(w, l));
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

static vs_val body_json(writer *w, const body *b)
{
    vs_vec v = {.a = w->a};
    for (size_t i = 0; i < b->n; i++)
        vs_vec_add(&v, expr_json(w, i, b->items[i]));
    return vs_vec_end_array(&v);
}

/* Of a rule without a body. */
static vs_val generated_body(writer *w)
{
    vs_vec v = {.a = w->a};
    vs_obj o = {.a = w->a};
    vs_obj_put(&o, "generated", vs_bool(true));
    vs_obj_put(&o, "index", vs_int(0));
    vs_obj_put(&o, "terms", typed(w, "boolean", vs_bool(true)));
    vs_vec_add(&v, vs_obj_end(&o, VS_DUP_LAST, NULL));
    return vs_vec_end_array(&v);
}

/* ---- templates ---------------------------------------------------------------------------------
 */

/* The parser makes {expr with ...} the first value of a comprehension (parse_term.c). */
static const literal *modified_part(const term *t)
{
    const term *c = t->kind == T_REF ? t->items[0] : NULL;
    bool made = c && c->kind == T_ARRAY_COMPR && c->body->n == 1 &&
                c->body->items[0]->kind == L_UNIFY && c->body->items[0]->a == c->items[0];
    return made ? c->body->items[0] : NULL;
}

static vs_val part_json(writer *w, term *t)
{
    const literal *l = modified_part(t);
    literal plain = {.kind = L_EXPR, .a = l ? l->b : t};
    if (l) {
        plain.with = l->with;
        plain.n_with = l->n_with;
    }
    return expr_json(w, 0, &plain);
}

static vs_val template_json(writer *w, const term *t)
{
    vs_vec parts = {.a = w->a};
    vs_obj o = {.a = w->a};
    for (size_t i = 0; i < t->n; i++) {
        bool text = i % 2 == 0; /* texts and expressions take turns */
        if (!text)
            vs_vec_add(&parts, part_json(w, t->items[i]));
        else if (t->items[i]->scalar.len)
            vs_vec_add(&parts, term_json(w, t->items[i]));
    }
    vs_obj_put(&o, "multi_line", vs_bool(t->raw));
    vs_obj_put(&o, "parts", parts.n ? vs_vec_end_array(&parts) : vs_null());
    return typed(w, "templatestring", vs_obj_end(&o, VS_DUP_LAST, NULL));
}

static vs_val scalar_json(writer *w, vs_val v)
{
    if (v.kind == VS_NULL)
        return typed(w, "null", vs_empty(VS_OBJECT)); /* as OPA has it */
    return typed(w, vs_kind_name((vs_kind)v.kind), vs_copy(w->a, v));
}

static vs_val term_json(writer *w, term *t)
{
    switch (t->kind) {
    case T_SCALAR: return scalar_json(w, t->scalar);
    case T_VAR:
        if (vs_span_is(t->name, "input") || vs_span_is(t->name, "data"))
            return ref_json(w, &t, 1);
        return name_json(w, t);
    case T_REF: return ref_json(w, t->items, t->n);
    case T_CALL: return typed(w, "call", call_json(w, t->items, t->n));
    case T_ARRAY: return typed(w, "array", list_json(w, t->items, t->n));
    case T_SET: return set_json(w, t);
    case T_OBJECT: return object_json(w, t);
    case T_TEMPLATE: return template_json(w, t);
    default: return comprehension_json(w, t);
    }
}

/* ---- rules -------------------------------------------------------------------------------------
 */

/* `name` and `key` are from the time when heads were a name and one key; OPA still gives them where
 * a head can be read that way. The branches of an else chain have those of the first. */
static void put_old_names(writer *w, vs_obj *o, const def *first)
{
    bool pair = first->n_path == 2 && !first->contains && !first->is_default;
    bool valued = first->has_value && (first->body || first->n_args == 0);
    bool called = first->n_args && first->body;
    bool key = first->body ? !is_ground(first->path[first->n_path - 1]) : first->has_value;
    if (first->n_path == 1 || (pair && (valued || called)))
        vs_obj_put(o, "name", vs_string_dup(w->a, first->path[0]->name));
    if (pair && key && first->n_args == 0)
        vs_obj_put(o, "key", term_json(w, first->path[1]));
}

static vs_val head_json(writer *w, const def *d, const def *first)
{
    vs_obj o = {.a = w->a};
    vs_obj_put(&o, "ref", vs_getc(ref_json(w, d->path, d->n_path), "value"));
    put_old_names(w, &o, first);
    if (d->n_args)
        vs_obj_put(&o, "args", list_json(w, d->args, d->n_args));
    if (d->contains)
        vs_obj_put(&o, "key", term_json(w, d->key));
    if (d->value)
        vs_obj_put(&o, "value", term_json(w, d->value));
    if (d->assigned)
        vs_obj_put(&o, "assign", vs_bool(true));
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

static vs_obj rule_members(writer *w, const def *d, const def *first)
{
    vs_obj o = {.a = w->a};
    const body *b = d->body;
    vs_obj_put(&o, "head", head_json(w, d, first));
    vs_obj_put(&o, "body", b ? body_json(w, b) : generated_body(w));
    if (d->is_default)
        vs_obj_put(&o, "default", vs_bool(true));
    return o;
}

/* An else chain has any length: its members are made in order, and put into each other from the
 * last on. */
static vs_val rule_json(writer *w, const def *d)
{
    const def *first = d;
    size_t n = 0;
    for (const def *e = d; e; e = e->else_def)
        n++;
    vs_obj *chain = vs_alloc_array(w->a, n, sizeof *chain);
    if (!chain)
        return vs_undefined();
    for (size_t i = 0; i < n; i++, d = d->else_def)
        chain[i] = rule_members(w, d, first);
    while (--n > 0)
        vs_obj_put(&chain[n - 1], "else", vs_obj_end(&chain[n], VS_DUP_LAST, NULL));
    return vs_obj_end(&chain[0], VS_DUP_LAST, NULL);
}

/* ---- the module --------------------------------------------------------------------------------
 */

static vs_val package_json(writer *w, const module *m)
{
    vs_obj o = {.a = w->a};
    vs_vec path = {.a = w->a};
    vs_vec_add(&path, var_json(w, VS_LIT("data")));
    for (size_t i = 0; i < m->n_package; i++)
        vs_vec_add(&path, string_json(w, m->package[i]));
    vs_obj_put(&o, "path", vs_vec_end_array(&path));
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

static vs_val import_json(writer *w, const import *i)
{
    vs_obj o = {.a = w->a};
    vs_obj_put(&o, "path", ref_json(w, i->path, i->n));
    if (i->renamed)
        vs_obj_put(&o, "alias", vs_string_dup(w->a, i->alias));
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

/* Imports of both kinds in the order of the source. */
static vs_val imports_json(writer *w, const module *m)
{
    vs_vec v = {.a = w->a};
    size_t i = 0, k = 0;
    while (i < m->n_imports || k < m->n_language_imports) {
        bool language =
            i == m->n_imports ||
            (k < m->n_language_imports && m->language_imports[k].at.start < m->imports[i].at.start);
        vs_vec_add(&v, import_json(w, language ? &m->language_imports[k++] : &m->imports[i++]));
    }
    return vs_vec_end_array(&v);
}

typedef struct comments {
    writer *w;
    const module *m;
    vs_vec list;
    size_t line_start;
    uint32_t row;
} comments;

static void add_comment(comments *c, size_t start, size_t end)
{
    vs_obj place = {.a = c->w->a}, o = {.a = c->w->a};
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF((end - start) * 2 + 8);
    vs_b64_encode(&text, VS_B64_STD, vs_span_of(c->m->text.p + start + 1, end - start - 1));
    c->w->a->failed |= !vs_buf_ok(&text);
    vs_obj_put(&place, "file", vs_cstring(c->m->name));
    vs_obj_put(&place, "row", vs_int(c->row));
    vs_obj_put(&place, "col", vs_int((int64_t)(start - c->line_start + 1)));
    vs_obj_put(&o, "Location", vs_obj_end(&place, VS_DUP_LAST, NULL));
    vs_obj_put(&o, "Text", vs_string_dup(c->w->a, vs_buf_span(&text)));
    vs_vec_add(&c->list, vs_obj_end(&o, VS_DUP_LAST, NULL));
}

/* Between two tokens stands white space and comments; inside of one, only line breaks count. */
static void pass(comments *c, size_t from, size_t to, bool in_token)
{
    for (size_t at = from; at < to; at++) {
        uint8_t ch = c->m->text.p[at];
        if (ch == '#' && !in_token) {
            size_t end = at;
            while (end < to && c->m->text.p[end] != '\n')
                end++;
            bool cr = end > at + 1 && c->m->text.p[end - 1] == '\r';
            add_comment(c, at, end - cr);
            at = end - 1;
        } else if (ch == '\n') {
            c->row++;
            c->line_start = at + 1;
        }
    }
}

static vs_val comments_json(writer *w, compilation *k, const module *m)
{
    comments c = {.w = w, .m = m, .list = {.a = w->a}, .row = 1};
    lexer lex;
    size_t from = 0;
    token t;
    lexer_init(&lex, k, m, m->text);
    do {
        t = lexer_next(&lex);
        pass(&c, from, t.at.start, false);
        pass(&c, t.at.start, t.at.end, true);
        from = t.at.end;
    } while (t.kind != TOK_EOF);
    return vs_vec_end_array(&c.list);
}

static void put_list(vs_obj *o, const char *key, vs_val list)
{
    if (list.kind != VS_ARRAY || list.len)
        vs_obj_put(o, key, list);
}

vs_val module_json(compilation *c, const module *m)
{
    writer w = {.a = c->a, .kw_not = m->kw_not};
    vs_obj o = {.a = c->a};
    vs_vec rules = {.a = c->a};
    vs_obj_put(&o, "package", package_json(&w, m));
    for (size_t i = 0; i < m->n_defs && vs_arena_ok(c->a); i++)
        vs_vec_add(&rules, rule_json(&w, m->defs[i]));
    put_list(&o, "imports", imports_json(&w, m));
    put_list(&o, "rules", vs_vec_end_array(&rules));
    put_list(&o, "comments", comments_json(&w, c, m));
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}
