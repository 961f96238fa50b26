/* SPDX-License-Identifier: Apache-2.0 */
/* Code for rule groups and queries. */
#include "rego/index.h"

static uint16_t module_id(const compiler *k, const module *m)
{
    for (size_t i = 0; i < k->n_mods; i++)
        if (k->mods[i] == m)
            return (uint16_t)i;
    return (uint16_t)k->n_mods; /* the query's own text */
}

static void start_unit(gen *g, unit *u, const module *m, unsigned var_base)
{
    g->unit = u;
    g->mod = m;
    g->mod_id = module_id(g->k, m);
    g->var_base = var_base;
    g->next_reg = var_base;
    (void)new_regs(g, u->n);
    g->bound = vs_zalloc(g->c->a, u->n + 1);
    if (!g->bound)
        comp_error(g->c, REGO_EVAL_LIMIT, NULL, NULL, "out of memory");
}

/* Labels become instruction numbers. */
static void finish(gen *g, code *out)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->at[i].fail < g->n_labels)
            g->at[i].fail = g->labels[g->at[i].fail];
    insn *at = vs_alloc_array(&g->k->p->arena, g->n, sizeof *at);
    debug *dbg = vs_alloc_array(&g->k->p->arena, g->n, sizeof *dbg);
    if (!at || !dbg) {
        comp_error(g->c, REGO_EVAL_LIMIT, NULL, NULL, "out of memory");
        return;
    }
    if (g->n) {
        memcpy(at, g->at, g->n * sizeof *at);
        memcpy(dbg, g->dbg, g->n * sizeof *dbg);
    }
    *out = (code){.at = at, .dbg = dbg, .n = g->n, .n_regs = (uint16_t)(g->max_reg + 1)};
}

static bool is_constant(const term *t)
{
    return t && t->kind == T_SCALAR;
}

/* Every definition gives the same constant: the first success decides. */
static bool all_same(const group *grp)
{
    const term *first = NULL;
    for (size_t i = 0; i < grp->n_defs; i++) {
        for (const def *d = grp->defs[i]; d; d = d->else_def) {
            if (!is_constant(d->value) || (first && !vs_eq(first->scalar, d->value->scalar)))
                return false;
            first = d->value;
        }
    }
    return true;
}

typedef struct result {
    unsigned reg;   /* the group's value */
    unsigned found; /* set when the branch being tried had a solution */
    uint32_t done;  /* label: return the value */
    bool same;
} result;

static void gen_branch(gen *g, def *d, const result *r, bool in_chain, uint32_t chain_end)
{
    if (g->c->failed)
        return;
    uint32_t next = new_label(g);
    g->fail = next;
    g->where = &d->at;
    emit(g, OP_DEF, 0, 0, 0, 0);
    g->fail = next;
    for (size_t i = 0; i < d->n_args; i++)
        gen_match(g, d->args[i], (unsigned)i);
    if (d->body)
        gen_body(g, d->body);
    g->where = &d->value->at;
    unsigned value = gen_term(g, d->value);
    g->where = &d->at;
    emit(g, OP_ONCE, r->reg, value, 0, 0);
    if (r->same) {
        emit_jump(g, r->done);
    } else if (g->fail == next || is_constant(d->value)) {
        emit_jump(g, chain_end); /* no more solutions, or none that differs */
    } else {
        if (in_chain)
            emit(g, OP_LOADK, r->found, 0, 0, add_const(g->k, vs_bool(true)));
        emit_jump(g, g->fail);
    }
    place(g, next);
    g->fail = chain_end;
    if (in_chain)
        emit(g, OP_IF_UNDEF, r->found, 0, 0, 0);
}

static void gen_chain(gen *g, def *d, const result *r)
{
    if (g->c->failed)
        return;
    uint32_t end = new_label(g);
    bool in_chain = d->else_def != NULL;
    if (in_chain)
        emit(g, OP_UNDEF, r->found, 0, 0, 0);
    for (def *b = d; b && !g->c->failed; b = b->else_def) {
        /* The arguments are the same terms in every branch of a chain. */
        for (size_t i = 0; i < g->unit->n; i++)
            g->bound[i] = false;
        gen_branch(g, b, r, in_chain && b->else_def, end);
    }
    place(g, end);
}

static bool is_default_value(const term *t)
{
    switch (t->kind) {
    case T_SCALAR:
    case T_ARRAY_COMPR:
    case T_SET_COMPR:
    case T_OBJECT_COMPR: return true;
    case T_ARRAY:
    case T_SET:
    case T_OBJECT:
    case T_TEMPLATE:
        for (size_t i = 0; i < t->n; i++)
            if (!is_default_value(t->items[i]))
                return false;
        return true;
    default: return false;
    }
}

static void gen_default(gen *g, def *d, unsigned reg)
{
    unit u = {0};
    if (!is_default_value(d->value)) {
        comp_error(g->c, REGO_PARSE_ERROR, d->mod, &d->value->at,
                   "default rule value must be a constant or a comprehension");
        return;
    }
    resolve_def(g->k, d, &u);
    if (g->c->failed)
        return;
    start_unit(g, &u, d->mod, g->group->arity + 2);
    g->def = d;
    if (g->c->failed)
        return;
    g->where = &d->at;
    for (size_t i = 0; i < d->n_args; i++)
        gen_match(g, d->args[i], (unsigned)i);
    gen_into(g, d->value, reg);
}

/* ---- the definitions that an index leaves possible (index.c)
 * --------------------------------------- */

typedef struct pick_loop {
    rule_index *index; /* NULL: the definitions simply follow each other */
    uint32_t next;     /* label: on to the next candidate */
    unsigned first_reg;
} pick_loop;

static uint32_t add_index(gen *g, rule_index *x)
{
    rego_program *p = g->k->p;
    if (p->n_indexes == g->k->room_indexes) {
        size_t room = g->k->room_indexes ? g->k->room_indexes * 2 : 8;
        rule_index **indexes = vs_grow(&p->arena, p->indexes, p->n_indexes, room, sizeof *indexes);
        if (!indexes) {
            comp_error(g->c, REGO_EVAL_LIMIT, NULL, NULL, "out of memory");
            return 0;
        }
        p->indexes = indexes;
        g->k->room_indexes = room;
    }
    p->indexes[p->n_indexes] = x;
    return (uint32_t)p->n_indexes++;
}

static pick_loop start_picking(gen *g, group *grp, unsigned reg, uint32_t none)
{
    pick_loop l = {.index = index_rule(g, grp->defs, grp->n_defs), .first_reg = reg};
    if (!l.index)
        return l;
    uint32_t id = add_index(g, l.index);
    l.first_reg += 2;
    l.next = new_label(g);
    emit(g, OP_PICK, reg, 0, 0, id);
    place(g, l.next);
    g->fail = none;
    emit(g, OP_PICK_NEXT, reg, 0, 0, id);
    return l;
}

static void start_definition(gen *g, const pick_loop *l, size_t i)
{
    if (l->index)
        l->index->entry[i] = (uint32_t)g->n;
}

static void end_definition(gen *g, const pick_loop *l)
{
    if (l->index)
        emit_jump(g, l->next);
}

/* All definitions of a group with names resolved; NULL after an error. */
void resolve_group(compiler *k, group *grp)
{
    grp->units = vs_zalloc(k->c->a, (grp->n_defs + 1) * sizeof *grp->units);
    for (size_t i = 0; grp->units && i < grp->n_defs && !k->c->failed; i++)
        resolve_def(k, grp->defs[i], &grp->units[i]);
}

void check_group_types(compiler *k, const group *grp)
{
    for (size_t i = 0; grp->units && i < grp->n_defs && !k->c->failed; i++)
        check_def_types(k, grp->defs[i], &grp->units[i]);
}

static void gen_values(gen *g, group *grp)
{
    result r = {
        .reg = grp->arity, .found = grp->arity + 1, .done = new_label(g), .same = all_same(grp)};
    g->next_reg = g->max_reg = grp->arity + 2;
    g->fail = r.done;
    emit(g, OP_UNDEF, r.reg, 0, 0, 0);
    pick_loop loop = start_picking(g, grp, grp->arity + 2, r.done);
    for (size_t i = 0; i < grp->n_defs && !g->c->failed; i++) {
        start_unit(g, &grp->units[i], grp->defs[i]->mod, loop.first_reg);
        g->def = grp->defs[i];
        start_definition(g, &loop, i);
        gen_chain(g, grp->defs[i], &r);
        end_definition(g, &loop);
    }
    place(g, r.done);
    uint32_t end = new_label(g);
    g->fail = end;
    if (grp->default_def && !g->c->failed) {
        emit(g, OP_IF_UNDEF, r.reg, 0, 0, 0);
        gen_default(g, grp->default_def, r.reg);
    }
    place(g, end);
    emit(g, OP_RETURN, 0, r.reg, 0, 0);
}

/* One definition of a partial rule adds entries: keys and a value, or a member of a set. */
static void gen_entry(gen *g, def *d, unsigned builder)
{
    if (g->c->failed)
        return;
    uint32_t next = new_label(g);
    g->fail = next;
    g->where = &d->at;
    emit(g, OP_DEF, 0, 0, 0, 0);
    if (d->body)
        gen_body(g, d->body);
    unsigned regs[64];
    if (d->n_keys > VS_COUNT(regs)) {
        comp_error(g->c, REGO_COMPILE_ERROR, d->mod, &d->at, "a rule's reference is too long");
        return;
    }
    for (size_t i = 0; i < d->n_keys; i++) {
        if (has_unbound(g, d->keys[i]))
            comp_error(g->c, REGO_UNSAFE_VAR_ERROR, d->mod, &d->keys[i]->at, "var %.*s is unsafe",
                       VS_FMT(d->keys[i]->name));
        regs[i] = gen_term(g, d->keys[i]);
    }
    term *member = d->contains ? d->key : d->value;
    g->where = &member->at;
    unsigned value = gen_term(g, member);
    g->where = &d->at;
    unsigned first = new_regs(g, d->n_keys ? d->n_keys : 1);
    for (size_t i = 0; i < d->n_keys; i++)
        emit(g, OP_MOVE, first + (unsigned)i, regs[i], 0, 0);
    size_t i = emit(g, OP_PARTIAL, builder, first, value, (uint32_t)d->n_keys);
    if (i < g->n)
        g->at[i].n =
            (uint8_t)((d->contains ? PARTIAL_SET : 0) | (d->is_default ? PARTIAL_DEFAULT : 0));
    emit_jump(g, g->fail);
    place(g, next);
}

/* True when the group's empty value is a set: `p contains x` with nothing below p. */
static bool is_set_group(const group *grp)
{
    for (size_t i = 0; i < grp->n_defs; i++)
        if (!grp->defs[i]->contains || grp->defs[i]->n_keys)
            return false;
    return true;
}

static void gen_partial(gen *g, group *grp)
{
    unsigned builder = 0, dst = 1;
    g->next_reg = g->max_reg = 2;
    g->fail = new_label(g);
    emit(g, OP_NEW, builder, 0, 0, 0);
    uint32_t done = new_label(g);
    pick_loop loop = start_picking(g, grp, 2, done);
    for (size_t i = 0; i < grp->n_defs && !g->c->failed; i++) {
        start_unit(g, &grp->units[i], grp->defs[i]->mod, loop.first_reg);
        g->def = grp->defs[i];
        start_definition(g, &loop, i);
        gen_entry(g, grp->defs[i], builder);
        end_definition(g, &loop);
    }
    place(g, done);
    size_t i = emit(g, OP_END_PARTIAL, dst, builder, 0, 0);
    if (i < g->n)
        g->at[i].n = is_set_group(grp);
    emit(g, OP_RETURN, 0, dst, 0, 0);
    place(g, 0);
}

void gen_group(compiler *k, group *grp)
{
    if (!grp->units) /* out of memory */
        return;
    const def *first = grp->n_defs ? grp->defs[0] : grp->default_def;
    gen g = {.k = k,
             .c = k->c,
             .group = grp,
             .where = &first->at,
             .mod = first->mod,
             .mod_id = module_id(k, first->mod)};
    if (grp->kind == GROUP_PARTIAL)
        gen_partial(&g, grp);
    else
        gen_values(&g, grp);
    finish(&g, &grp->code);
    grp->code.n_args = (uint16_t)grp->arity;
}

/* ---- queries
 * ------------------------------------------------------------------------------------- */

/* A query reports its variables and the values of its expressions (rego.md 9). */
void gen_query(compiler *k, const module *m, body *b, unit *u, code *out)
{
    gen g = {.k = k, .c = k->c};
    start_unit(&g, u, m, 0);
    if (g.c->failed)
        return;
    uint32_t end = new_label(&g);
    g.fail = end;
    /* Statement values: an expression yields its value, everything else true. */
    bool single = b->n == 1 && b->items[0]->kind == L_EXPR && b->items[0]->n_with == 0;
    unsigned value = new_reg(&g);
    if (single) {
        if (is_literal_ready(&g, b->items[0])) {
            g.where = &b->items[0]->at;
            gen_into(&g, b->items[0]->a, value);
        } else {
            gen_body(&g, b);
        }
    } else {
        gen_body(&g, b);
        emit(&g, OP_LOADK, value, 0, 0, add_const(k, vs_bool(true)));
    }
    vs_vec names = {.a = k->c->a};
    for (size_t i = 0; i < b->scope->n; i++)
        if (b->scope->names[i].name.n && b->scope->names[i].name.p[0] != '$')
            vs_vec_add(&names, vs_string(b->scope->names[i].name));
    unsigned first = new_regs(&g, names.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < b->scope->n; i++) {
        struct scoped_name *s = &b->scope->names[i];
        if (s->name.n && s->name.p[0] != '$')
            emit(&g, OP_MOVE, first + (unsigned)n++, (unsigned)s->var, 0, 0);
    }
    emit(&g, OP_YIELD, value, first, 0, add_const(k, vs_vec_end_array(&names)));
    emit_jump(&g, g.fail);
    place(&g, end);
    emit(&g, OP_RETURN, 0, value, 0, 0);
    finish(&g, out);
}
