/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies: picks the literals in an order in which each finds its variables bound, and emits them.
 */
#include "rego/compile.h"

static void gen_literal(gen *g, literal *l);

/* ---- unification --------------------------------------------------------------------------------
 */

static bool same_keys(const term *a, const term *b)
{
    for (size_t i = 0; i < a->n; i += 2)
        if (a->items[i]->kind != T_SCALAR || b->items[i]->kind != T_SCALAR ||
            !vs_eq(a->items[i]->scalar, b->items[i]->scalar))
            return false;
    return true;
}

/* [a, b] = [c, d] is a = c and b = d, which lets each side bind the other (6.3). */
static bool splits(const literal *l)
{
    const term *a = l->a, *b = l->b;
    if (l->kind != L_UNIFY || l->n_with || a->kind != b->kind || a->n != b->n)
        return false;
    return a->kind == T_ARRAY || (a->kind == T_OBJECT && same_keys(a, b));
}

static void flatten(gen *g, list *out, literal *l, unsigned depth)
{
    if (depth == 0 || !splits(l)) {
        list_add(g->c, out, l);
        return;
    }
    size_t step = l->a->kind == T_OBJECT ? 2 : 1;
    for (size_t i = step - 1; i < l->a->n; i += step) {
        literal *part = VS_NEW(g->c->a, literal);
        if (!part) {
            comp_error(g->c, REGO_EVAL_LIMIT, NULL, NULL, "out of memory");
            return;
        }
        part->kind = L_UNIFY;
        part->at = l->at;
        part->a = l->a->items[i];
        part->b = l->b->items[i];
        flatten(g, out, part, depth - 1);
    }
}

/* One side is a value, the other a pattern for it. */
static void gen_unify(gen *g, term *a, term *b)
{
    bool left_is_pattern = has_unbound(g, a) || !is_ready(g, a);
    term *value = left_is_pattern ? b : a, *pattern = left_is_pattern ? a : b;
    g->l = value;
    unsigned reg = gen_term(g, value);
    g->l = value;
    g->r = pattern;
    gen_match(g, pattern, reg);
    g->l = g->r = NULL;
}

/* ---- literals -----------------------------------------------------------------------------------
 */

/* The collection is the operand; `input.list[_]` has the element as its operand. */
static void mark_operand(gen *g, size_t i)
{
    if (i < g->n)
        g->at[i].n = 1;
}

/* some k, v in coll */
static void gen_in(gen *g, literal *l)
{
    g->l = l->c;
    unsigned coll = gen_term(g, l->c);
    unsigned it = new_regs(g, 2), key = new_reg(g), val = new_reg(g);
    g->l = l->c;
    mark_operand(g, emit(g, OP_ITER, it, coll, 0, 0));
    uint32_t next = new_label(g);
    place(g, next);
    mark_operand(g, emit(g, OP_NEXT, it, key, val, 0));
    g->l = NULL;
    g->fail = next;
    if (l->a)
        gen_match(g, l->a, key);
    gen_match(g, l->b, val);
}

static void gen_not(gen *g, literal *l)
{
    uint32_t saved = g->fail, holds = new_label(g);
    g->fail = holds;
    gen_body(g, l->body);
    emit_fail(g, saved, false);
    place(g, holds);
    g->fail = saved;
}

static void gen_every(gen *g, literal *l)
{
    uint32_t next = new_label(g), done = new_label(g), bad = new_label(g);
    g->l = l->c;
    unsigned coll = gen_term(g, l->c);
    g->l = NULL;
    unsigned it = new_regs(g, 2), key = new_reg(g), val = new_reg(g);
    emit(g, OP_ITER, it, coll, 0, 0);
    uint32_t outer = g->fail;
    place(g, next);
    g->fail = done;
    emit(g, OP_NEXT, it, key, val, 0);
    g->fail = bad;
    if (l->a)
        gen_match(g, l->a, key);
    gen_match(g, l->b, val);
    gen_body(g, l->body);
    emit_jump(g, next);
    place(g, bad);
    emit_fail(g, outer, true);
    place(g, done);
    g->fail = outer;
}

static void gen_plain(gen *g, literal *l)
{
    switch (l->kind) {
    case L_EXPR: gen_statement(g, l->a); break;
    case L_UNIFY: gen_unify(g, l->a, l->b); break;
    case L_ASSIGN: {
        g->l = l->b;
        unsigned reg = gen_term(g, l->b);
        g->l = l->b;
        gen_match(g, l->a, reg);
        g->l = NULL;
        break;
    }
    case L_IN: gen_in(g, l); break;
    case L_NOT: gen_not(g, l); break;
    case L_EVERY: gen_every(g, l); break;
    case L_SOME: break;
    }
}

/* ---- with ---------------------------------------------------------------------------------------
 */

static vs_val keys_of(gen *g, const term *t)
{
    vs_vec path = {.a = g->c->a};
    for (size_t i = 1; t->kind == T_REF && i < t->n; i++) {
        if (t->items[i]->kind != T_SCALAR) {
            comp_error(g->c, REGO_COMPILE_ERROR, t->mod, &t->at,
                       "the target of 'with' must be a constant path");
            return vs_undefined();
        }
        vs_vec_add(&path, t->items[i]->scalar);
    }
    return vs_vec_end_array(&path);
}

static with_target *new_target(gen *g)
{
    rego_program *p = g->k->p;
    if (p->n_withs == g->k->room_withs) {
        size_t room = g->k->room_withs ? g->k->room_withs * 2 : 8;
        with_target *withs = vs_grow(&p->arena, p->withs, p->n_withs, room, sizeof *withs);
        if (!withs) {
            comp_error(g->c, REGO_EVAL_LIMIT, NULL, NULL, "out of memory");
            return NULL;
        }
        p->withs = withs;
        g->k->room_withs = room;
    }
    with_target *w = &p->withs[p->n_withs++];
    *w = (with_target){0};
    return w;
}

static void callee_id(gen *g, const term *t, opcode *op, uint32_t *id)
{
    if (t->call == CALL_FUNCTION) {
        *op = OP_CALL;
        *id = t->function->id;
        note_call(g, t->function);
    } else if (t->call == CALL_HOST) {
        *op = OP_HOST;
        *id = (uint32_t)t->host;
    } else {
        *op = OP_BUILTIN;
        *id = t->builtin ? add_builtin(g->k, t->builtin) : UINT32_MAX;
    }
}

static void gen_target(gen *g, const with_mod *m, unsigned value)
{
    with_target *w = new_target(g);
    if (!w)
        return;
    const term *t = m->target;
    if (t->kind == T_CALL) {
        opcode op, by;
        callee_id(g, t, &op, &w->id);
        w->kind = op == OP_CALL ? TARGET_FUNCTION : op == OP_HOST ? TARGET_HOST : TARGET_BUILTIN;
        if (m->value->kind == T_CALL && m->value->n == 1) {
            callee_id(g, m->value, &by, &w->by);
            w->by_kind = (uint8_t)by;
            w->is_function = true;
        }
    } else {
        const term *root = t->kind == T_REF ? t->items[0] : t;
        w->kind = root->kind == T_INPUT ? TARGET_INPUT : TARGET_DATA;
        w->path = vs_copy(&g->k->p->arena, keys_of(g, t));
    }
    w->value = (uint16_t)value;
}

/* Variables of this body and outer ones that the literal binds; those of bodies inside it end with
 * it. */
static void bound_by(gen *g, const bool *before, list *out)
{
    for (size_t i = 0; i < g->unit->n; i++)
        if (g->bound[i] && !before[i] && g->unit->vars[i].depth <= g->depth)
            list_add(g->c, out, &g->unit->vars[i]);
}

/*
 * All solutions of the literal are collected while the replacements are in force, as arrays of the
 * variables it binds; what follows then runs outside of them.
 */
static void gen_with(gen *g, literal *l)
{
    unsigned *values = vs_alloc_array(g->c->a, l->n_with, sizeof *values);
    bool *before = vs_alloc(g->c->a, g->unit->n + 1);
    if (!values || !before)
        return;
    for (size_t i = 0; i < l->n_with; i++) {
        bool function = l->with[i].value->kind == T_CALL && l->with[i].value->n == 1 &&
                        l->with[i].target->kind == T_CALL;
        values[i] = function ? 0 : gen_term(g, l->with[i].value);
    }
    uint32_t first = (uint32_t)g->k->p->n_withs;
    for (size_t i = 0; i < l->n_with; i++)
        gen_target(g, &l->with[i], values[i]);
    unsigned builder = new_reg(g), solutions = new_reg(g);
    emit(g, OP_NEW, builder, 0, 0, 0);
    size_t w = emit(g, OP_WITH, 0, 0, 0, first);
    if (w < g->n)
        g->at[w].n = (uint8_t)l->n_with;
    uint32_t saved = g->fail, end = new_label(g);
    g->fail = end;
    memcpy(before, g->bound, g->unit->n);
    gen_plain(g, l);
    list outs = {0};
    bound_by(g, before, &outs);
    unsigned from = new_regs(g, outs.n ? outs.n : 1), tuple = new_reg(g);
    for (size_t i = 0; i < outs.n; i++)
        emit(g, OP_MOVE, from + (unsigned)i,
             g->var_base + (unsigned)((var_info *)outs.items[i] - g->unit->vars), 0, 0);
    emit(g, OP_ARRAY, tuple, from, 0, (uint32_t)outs.n);
    emit(g, OP_ADD, builder, tuple, 0, 0);
    if (outs.n)
        emit_jump(g, g->fail); /* without outputs one solution says it all */
    place(g, end);
    g->fail = saved;
    emit(g, OP_WITH_END, 0, 0, 0, 0);
    emit(g, OP_END_ARRAY, solutions, builder, 0, 0);
    unsigned it = new_regs(g, 2), key = new_reg(g), val = new_reg(g);
    emit(g, OP_ITER, it, solutions, 0, 0);
    uint32_t next = new_label(g);
    place(g, next);
    emit(g, OP_NEXT, it, key, val, 0);
    g->fail = next;
    for (size_t i = 0; i < outs.n; i++)
        emit(g, OP_INDEXK, g->var_base + (unsigned)((var_info *)outs.items[i] - g->unit->vars), val,
             0, add_const(g->k, vs_int((int64_t)i)));
}

static void gen_literal(gen *g, literal *l)
{
    const loc *saved = g->where;
    const term *left = g->l, *right = g->r;
    g->where = &l->at;
    g->l = g->r = NULL;
    if (l->n_with)
        gen_with(g, l);
    else
        gen_plain(g, l);
    g->where = saved;
    g->l = left;
    g->r = right;
}

static void report_stuck(gen *g, const list *items)
{
    for (size_t i = 0; i < items->n; i++) {
        const literal *l = items->items[i];
        const term *v = l ? unsafe_var(g, l) : NULL;
        if (v) {
            report_unsafe(g, v);
            return;
        }
    }
}

void gen_body(gen *g, body *b)
{
    if (g->c->failed)
        return;
    list items = {0};
    unsigned outer = g->depth;
    g->depth = b->scope->depth;
    for (size_t i = 0; i < b->n; i++)
        flatten(g, &items, b->items[i], 64);
    for (size_t left = items.n; left > 0 && !g->c->failed; left--) {
        size_t pick = 0;
        while (pick < items.n && !(items.items[pick] && is_literal_ready(g, items.items[pick])))
            pick++;
        if (pick == items.n) {
            report_stuck(g, &items);
            return;
        }
        literal *l = items.items[pick];
        items.items[pick] = NULL;
        gen_literal(g, l);
    }
    g->depth = outer;
}
