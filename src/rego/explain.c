/* SPDX-License-Identifier: Apache-2.0 */
/* Notes, while rules are evaluated, which definitions were tried and how far each came. */
#include "rego/explain.h"

explanation *explain_new(rego_eval *e)
{
    explanation *x = VS_NEW(&e->a, explanation);
    uint16_t *per_group = vs_zalloc(&e->a, (e->p->n_groups + 1) * sizeof *per_group);
    if (!x || !per_group)
        return NULL;
    x->per_group = per_group;
    x->current = NO_ATTEMPT;
    return x;
}

static uint32_t keep(rego_eval *e, const trail *t, const code *c, const group *g, size_t max)
{
    explanation *x = e->why;
    if (x->n >= max)
        return NO_ATTEMPT;
    if (x->n == x->room) {
        size_t room = x->room ? x->room * 2 : 16;
        attempt *attempts = vs_grow(&e->a, x->attempts, x->n, room, sizeof *attempts);
        if (!attempts)
            return NO_ATTEMPT;
        x->attempts = attempts;
        x->room = room;
    }
    x->attempts[x->n] = (attempt){.g = g, .c = c, .outer = t->outer, .t = *t};
    return (uint32_t)x->n++;
}

static bool is_welcome(explanation *x, const group *g)
{
    unsigned max = g && g->kind == GROUP_FUNCTION ? ATTEMPTS_PER_FUNCTION : ATTEMPTS_PER_RULE;
    if (!g)
        return true;
    if (x->per_group[g->id] == max)
        return false;
    x->per_group[g->id]++;
    return true;
}

/* The place is taken at the start, so that what a definition needs never crowds it out. */
void trail_start(rego_eval *e, trail *t, const code *c, const group *g, uint32_t pc)
{
    explanation *x = e->why;
    *t = (trail){.open = true, .attempt = NO_ATTEMPT, .outer = x->current, .def_pc = pc};
    if (is_welcome(x, g))
        t->attempt = keep(e, t, c, g, ATTEMPTS_MAX);
    if (t->attempt != NO_ATTEMPT)
        x->current = t->attempt;
}

static bool is_test(opcode op)
{
    return op >= OP_EQ && op <= OP_IN;
}

static bool same_place(const debug *a, const debug *b)
{
    return a->start == b->start && a->end == b->end;
}

static bool is_inside(const debug *inner, const debug *outer)
{
    return outer->start <= inner->start && inner->end <= outer->end;
}

void trail_fail(trail *t, const code *c, uint32_t pc, const vs_val *regs)
{
    const insn *i = &c->at[pc];
    if (pc < t->pc)
        return;
    /* "No next element" says less than what the elements failed at in the same expression. */
    if (i->op == OP_NEXT && t->pc && same_place(&c->dbg[pc], &c->dbg[t->pc]))
        return;
    /* `every` is false because of an expression in it. */
    if (i->op == OP_FAIL && i->n && t->pc && is_inside(&c->dbg[t->pc], &c->dbg[pc]))
        return;
    t->pc = pc;
    t->l = t->r = vs_undefined();
    if (is_test((opcode)i->op)) {
        t->l = regs[i->b];
        t->r = regs[i->c];
    } else if (i->op == OP_TRUTHY || i->op == OP_LEN || i->op == OP_OBJLEN ||
               (i->op == OP_ITER && i->n)) {
        t->l = regs[i->b];
    } else if (i->op == OP_NEXT && i->n) {
        t->l = regs[i->a];
    }
}

void trail_end(rego_eval *e, trail *t, const code *c, const group *g)
{
    explanation *x = e->why;
    if (!t->open)
        return;
    t->open = false;
    x->current = t->outer;
    if (t->attempt == NO_ATTEMPT && t->succeeded)
        t->attempt = keep(e, t, c, g, ATTEMPTS_MAX + ATTEMPTS_SPARE);
    if (t->attempt == NO_ATTEMPT) {
        x->lost++;
        return;
    }
    x->attempts[t->attempt].t = *t;
    x->attempts[t->attempt].ended = true;
}
