/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents: rule values (memoised), packages merged with base documents (rego.md 6.2), and what
 * `with` replaces (6.7).
 */
#include "rego/vm.h"
#include "value/number.h"

vs_val lookup(vs_val doc, vs_val path)
{
    for (uint32_t i = 0; i < path.len && vs_defined(doc); i++)
        doc = vs_index(doc, path.u.items[i]);
    return doc;
}

/* Base documents are JSON, whose keys are strings: there a number means its text (rego.md 1.2). */
static vs_val base_key(rego_eval *e, vs_val key)
{
    return key.kind == VS_NUMBER ? vs_string(vs_num_text(&e->a, key)) : key;
}

/* And where an array stands, the text of a number is the number. */
static vs_val array_key(vs_val key)
{
    enum { DIGITS_MAX = 10 };
    vs_span text = key.kind == VS_STRING ? vs_text(key) : (vs_span){NULL, 0};
    int64_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.n > DIGITS_MAX || text.p[i] < '0' || text.p[i] > '9')
            return key;
        n = n * 10 + (text.p[i] - '0');
    }
    return text.n ? vs_int(n) : key;
}

vs_val base_index(rego_eval *e, vs_val doc, vs_val key)
{
    vs_val v = vs_index(doc, doc.kind == VS_ARRAY ? array_key(key) : key);
    return vs_defined(v) || doc.kind != VS_OBJECT ? v : vs_index(doc, base_key(e, key));
}

vs_val lookup_base(rego_eval *e, vs_val path)
{
    vs_val doc = e->data;
    for (uint32_t i = 0; i < path.len && vs_defined(doc); i++)
        doc = base_index(e, doc, path.u.items[i]);
    return doc;
}

vs_val eval_base(const rego_eval *e, const node *n)
{
    return lookup(e->data, n->path);
}

static bool is_prefix(vs_val shorter, vs_val longer)
{
    if (shorter.len > longer.len)
        return false;
    for (uint32_t i = 0; i < shorter.len; i++)
        if (!vs_eq(shorter.u.items[i], longer.u.items[i]))
            return false;
    return true;
}

/* A replacement at or above `path` decides alone. */
static bool is_overridden(const rego_eval *e, vs_val path)
{
    for (size_t i = 0; i < e->n_overrides; i++)
        if (is_prefix(e->overrides[i], path))
            return true;
    return false;
}

vs_val put_path(vs_arena *a, vs_val doc, const vs_val *path, size_t n, vs_val value)
{
    if (n == 0)
        return value;
    vs_val below = doc.kind == VS_OBJECT ? vs_index(doc, path[0]) : vs_undefined();
    vs_val object = doc.kind == VS_OBJECT ? doc : vs_empty(VS_OBJECT);
    return vs_with(a, object, path[0], put_path(a, below, path + 1, n - 1, value));
}

/* Replacements below a rule's path are laid over its value. */
static vs_val overlay(rego_eval *e, vs_val path, vs_val value)
{
    for (size_t i = 0; i < e->n_overrides; i++) {
        vs_val o = e->overrides[i];
        if (o.len > path.len && is_prefix(path, o))
            value =
                put_path(&e->a, value, o.u.items + path.len, o.len - path.len, lookup(e->data, o));
    }
    return value;
}

/* The base document laid under the virtual one: members that rules do not define stay. */
static vs_val merge(rego_eval *e, vs_val base, vs_val over)
{
    if (base.kind != VS_OBJECT || over.kind != VS_OBJECT)
        return over;
    vs_obj b = {.a = &e->a};
    for (VS_OBJ_FOR (p, base))
        if (!vs_defined(vs_index(over, p->key)))
            vs_obj_add(&b, p->key, p->val);
    for (VS_OBJ_FOR (p, over)) {
        vs_val below = vs_index(base, p->key);
        vs_obj_add(&b, p->key, vs_defined(below) ? merge(e, below, p->val) : p->val);
    }
    return vs_obj_end(&b, VS_DUP_LAST, NULL);
}

status eval_group(rego_eval *e, const group *g, vs_val *out)
{
    memo *m = &e->memos[g->id];
    if (m->epoch != e->epoch)
        *m = (memo){.epoch = e->epoch};
    if (m->state == MEMO_VALUE) {
        *out = m->value;
        return ST_OK;
    }
    if (m->state == MEMO_UNDEFINED)
        return ST_UNDEFINED;
    if (m->state == MEMO_ACTIVE)
        return fail_at(e, &g->code, 0, REGO_RECURSION_ERROR, "rule %s is recursive: %s -> %s",
                       g->name, g->name, g->name);
    if (e->n_overrides && is_overridden(e, g->path)) {
        *out = lookup(e->data, g->path);
        return vs_defined(*out) ? ST_OK : ST_UNDEFINED;
    }
    m->state = MEMO_ACTIVE;
    status st = run(e, &g->code, g, NULL, out);
    if (st == ST_ERROR)
        return st;
    if (st == ST_OK && g->kind == GROUP_PARTIAL && e->data.len)
        *out = merge(e, lookup(e->data, g->path), *out);
    if (st == ST_OK && e->n_overrides)
        *out = overlay(e, g->path, *out);
    if (st == ST_OK)
        m->value = *out;
    m->state = e->p->no_memo ? MEMO_NONE : st == ST_OK ? MEMO_VALUE : MEMO_UNDEFINED;
    return st;
}

/* What a package's documents add to the object of the rule of that name; false = conflict. */
static bool unite(rego_eval *e, vs_val *all, vs_val more)
{
    for (VS_OBJ_FOR (p, more)) {
        vs_val v = vs_index(*all, p->key);
        if (!vs_defined(v))
            v = p->val;
        else if (v.kind == VS_OBJECT && p->val.kind == VS_OBJECT ? !unite(e, &v, p->val)
                                                                 : !vs_eq(v, p->val))
            return false;
        *all = vs_with(&e->a, *all, p->key, v);
    }
    return true;
}

static status conflict(rego_eval *e, const node *n)
{
    return fail_at(e, &n->group->code, 0, REGO_EVAL_CONFLICT, "object keys must be unique");
}

static status add_rule(rego_eval *e, const node *n, vs_val *doc)
{
    vs_val v = vs_undefined();
    status st = n->group ? eval_group(e, n->group, &v) : ST_UNDEFINED;
    if (st == ST_OK && !unite(e, doc, v))
        return conflict(e, n);
    return st == ST_ERROR ? st : ST_OK;
}

static status eval_child(rego_eval *e, const node *n, vs_val *out)
{
    if (!n->group || n->is_package)
        return eval_document(e, n, out);
    if (n->group->kind == GROUP_FUNCTION)
        return ST_UNDEFINED;
    return eval_group(e, n->group, out);
}

status eval_document(rego_eval *e, const node *n, vs_val *out)
{
    vs_val base = eval_base(e, n);
    if (n->path.len && is_overridden(e, n->path)) {
        *out = base;
        return vs_defined(base) ? ST_OK : ST_UNDEFINED;
    }
    vs_obj b = {.a = &e->a};
    for (size_t i = 0; i < n->n; i++) {
        vs_val v = vs_undefined();
        status st = eval_child(e, n->children[i], &v);
        if (st == ST_ERROR)
            return st;
        if (st == ST_OK)
            vs_obj_add(&b, n->children[i]->key, v);
    }
    vs_val virtual = vs_obj_end(&b, VS_DUP_LAST, NULL);
    if (add_rule(e, n, &virtual) != ST_OK)
        return ST_ERROR;
    *out = vs_defined(base) ? merge(e, base, virtual) : virtual;
    return vs_defined(*out) ? ST_OK : ST_UNDEFINED;
}

/* The member of the object that a rule makes where a package has a document too. */
static status eval_rule_member(rego_eval *e, const node *n, vs_val key, vs_val *out)
{
    vs_val rule = vs_undefined(), member, doc;
    status st = eval_group(e, n->group, &rule);
    if (st == ST_ERROR)
        return st;
    member = st == ST_OK ? vs_index(rule, key) : vs_undefined();
    doc = vs_defined(*out) ? vs_with(&e->a, vs_empty(VS_OBJECT), key, *out) : vs_empty(VS_OBJECT);
    if (!vs_defined(member))
        return ST_OK;
    if (!unite(e, &doc, vs_with(&e->a, vs_empty(VS_OBJECT), key, member)))
        return conflict(e, n);
    *out = vs_index(doc, key);
    return ST_OK;
}

status eval_document_key(rego_eval *e, const node *n, vs_val key, vs_val *out)
{
    bool overridden = is_overridden(e, n->path);
    const node *child = overridden ? NULL : node_child(n, base_key(e, key));
    *out = vs_undefined();
    if (child && eval_child(e, child, out) == ST_ERROR)
        return ST_ERROR;
    if (n->group && !overridden && eval_rule_member(e, n, key, out) == ST_ERROR)
        return ST_ERROR;
    if (!vs_defined(*out))
        *out = base_index(e, eval_base(e, n), key);
    return vs_defined(*out) ? ST_OK : ST_UNDEFINED;
}

/* ---- parts of documents: only the rules on the path are evaluated, not those beside it ----------
 */

static vs_val index_all(rego_eval *e, vs_val v, const vs_val *keys, size_t n, bool is_base)
{
    for (size_t i = 0; i < n && vs_defined(v); i++)
        v = is_base ? base_index(e, v, keys[i]) : vs_index(v, keys[i]);
    return v;
}

static status eval_below(rego_eval *e, const node *n, const vs_val *keys, size_t left, vs_val *out)
{
    status st = ST_UNDEFINED;
    *out = vs_undefined();
    for (;; keys++, left--) {
        bool overridden = n->path.len && is_overridden(e, n->path);
        const node *child = left && !overridden ? node_child(n, base_key(e, *keys)) : NULL;
        if (n->group && !n->is_package) {
            st = eval_child(e, n, out);
            *out = st == ST_OK ? index_all(e, *out, keys, left, false) : vs_undefined();
        } else if (left == 0) {
            return eval_document(e, n, out);
        } else if (n->group) {
            st = eval_document_key(e, n, *keys, out);
            *out = st == ST_OK ? index_all(e, *out, keys + 1, left - 1, false) : vs_undefined();
        } else if (child) {
            n = child;
            continue;
        }
        if (st != ST_ERROR && !vs_defined(*out))
            *out = index_all(e, eval_base(e, n), keys, left, true);
        return st == ST_ERROR ? st : vs_defined(*out) ? ST_OK : ST_UNDEFINED;
    }
}

status eval_document_path(rego_eval *e, const node *n, vs_val key, vs_val keys, vs_val *out)
{
    vs_val *path = vs_alloc_array(&e->a, keys.len + 1, sizeof *path);
    if (!path)
        return fail_at(e, NULL, 0, REGO_EVAL_LIMIT, "evaluation exceeded its memory limit");
    path[0] = key;
    for (uint32_t i = 0; i < keys.len; i++)
        path[i + 1] = keys.u.items[i];
    return eval_below(e, n, path, keys.len + 1, out);
}

status eval_document_each(rego_eval *e, const node *n, vs_val keys, vs_val *out)
{
    bool overridden = n->path.len && is_overridden(e, n->path);
    vs_obj all = {.a = &e->a};
    vs_val base = eval_base(e, n);
    if (!charge_steps(e, n->n + base.len))
        return ST_ERROR;
    for (size_t i = 0; i < n->n && !overridden; i++) {
        vs_val v;
        status st = eval_below(e, n->children[i], keys.u.items, keys.len, &v);
        if (st == ST_ERROR)
            return st;
        if (st == ST_OK)
            vs_obj_add(&all, n->children[i]->key, v);
    }
    for (VS_OBJ_FOR (p, base)) {
        bool seen = !overridden && node_child(n, p->key);
        vs_val v = seen ? vs_undefined() : index_all(e, p->val, keys.u.items, keys.len, true);
        if (vs_defined(v))
            vs_obj_add(&all, p->key, v);
    }
    *out = vs_obj_end(&all, VS_DUP_LAST, NULL);
    return ST_OK;
}

/* ---- with
 * ------------------------------------------------------------------------------------------ */

static status replace(rego_eval *e, const code *c, size_t pc, const with_target *t,
                      const vs_val *regs)
{
    vs_val value = t->is_function ? vs_undefined() : regs[t->value];
    switch (t->kind) {
    case TARGET_INPUT:
        e->input = put_path(&e->a, e->input, t->path.u.items, t->path.len, value);
        return ST_OK;
    case TARGET_DATA:
        if (e->n_overrides == OVERRIDES_MAX)
            return fail_at(e, c, pc, REGO_EVAL_LIMIT, "too many nested 'with' modifiers");
        e->data = put_path(&e->a, e->data, t->path.u.items, t->path.len, value);
        e->overrides[e->n_overrides++] = t->path;
        return ST_OK;
    default:
        if (e->n_mocks == MOCKS_MAX)
            return fail_at(e, c, pc, REGO_EVAL_LIMIT, "too many nested 'with' modifiers");
        e->mocks[e->n_mocks++] = (mock){.target = t, .value = value, .active = true};
        return ST_OK;
    }
}

/* Inside a `with` all results are computed anew, into memos of its own; the frames are kept for the
 * next one. */
static with_frame *new_with_frame(rego_eval *e)
{
    with_frame *f = VS_NEW(&e->a, with_frame);
    if (!f)
        return NULL;
    f->memos = vs_zalloc(&e->a, (e->p->n_groups + 1) * sizeof *f->memos);
    return f->memos ? f : NULL;
}

static void swap_memos(rego_eval *e, with_frame *f)
{
    memo *memos = e->memos;
    e->memos = f->memos;
    f->memos = memos;
}

status with_start(rego_eval *e, const code *c, size_t pc, const insn *i, const vs_val *regs)
{
    with_frame *f = e->spare_with;
    if (f)
        e->spare_with = f->outer;
    else
        f = new_with_frame(e);
    if (!f)
        return fail_at(e, c, pc, REGO_EVAL_LIMIT, "evaluation exceeded its memory limit");
    f->outer = e->with;
    f->input = e->input;
    f->data = e->data;
    f->epoch = e->epoch;
    f->n_overrides = e->n_overrides;
    f->n_mocks = e->n_mocks;
    swap_memos(e, f);
    e->epoch = ++e->last_epoch;
    e->with = f;
    for (uint8_t k = 0; k < i->n; k++)
        if (replace(e, c, pc, &e->p->withs[i->k + k], regs) != ST_OK)
            return ST_ERROR;
    return ST_OK;
}

void with_end(rego_eval *e)
{
    with_frame *f = e->with;
    e->input = f->input;
    e->data = f->data;
    swap_memos(e, f);
    e->epoch = f->epoch;
    e->n_overrides = f->n_overrides;
    e->n_mocks = f->n_mocks;
    e->with = f->outer;
    f->outer = e->spare_with;
    e->spare_with = f;
}
