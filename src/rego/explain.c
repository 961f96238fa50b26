/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why rules failed, noted while they are evaluated: for each definition that gave nothing, the
 * expression that got furthest and the values it looked at.
 */
#include "rego/vm.h"
#include "value/json.h"

enum { REASONS_MAX = 64, VALUE_MAX = 4096 };

struct reason {
    const group *g;
    debug at;
    vs_val l, r;
    bool has_l, has_r;
};

void trail_start(rego_eval *e, trail *t, const code *c, const group *g, uint32_t pc)
{
    (void)e, (void)c, (void)g;
    *t = (trail){.open = true, .def_pc = pc};
}

static bool is_test(opcode op)
{
    return op >= OP_EQ && op <= OP_IN;
}

void trail_fail(trail *t, const code *c, uint32_t pc, const vs_val *regs)
{
    if (pc < t->pc)
        return;
    const insn *i = &c->at[pc];
    t->pc = pc;
    t->has_l = t->has_r = false;
    if (is_test((opcode)i->op)) {
        t->l = regs[i->b];
        t->r = regs[i->c];
        t->has_l = t->has_r = true;
    } else if (i->op == OP_TRUTHY) {
        t->l = regs[i->b];
        t->has_l = true;
    }
}

void trail_end(rego_eval *e, trail *t, const code *c, const group *g)
{
    if (!t->open || t->succeeded || t->pc == 0 || e->n_reasons >= REASONS_MAX)
        return;
    if (!e->reasons)
        e->reasons = vs_alloc_array(&e->a, REASONS_MAX, sizeof *e->reasons);
    if (!e->reasons)
        return;
    t->open = false;
    e->reasons[e->n_reasons++] = (struct reason){g, c->dbg[t->pc], t->l, t->r, t->has_l, t->has_r};
}

static vs_val source(const rego_eval *e, vs_arena *a, uint16_t mod, uint32_t start, uint32_t end)
{
    if (mod >= e->p->n_mods || end <= start)
        return vs_cstring("");
    vs_span text = vs_span_head(vs_span_from(e->p->mod_texts[mod], start), end - start);
    return vs_string_dup(a, vs_span_head(text, VALUE_MAX));
}

/* Values are bounded: a large one is told by its kind and size. */
static vs_val bounded(vs_arena *a, vs_val v)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(VALUE_MAX);
    vs_json_print(&text, v);
    if (vs_buf_ok(&text))
        return vs_copy(a, v);
    return vs_cstring(vs_sprintf(a, "<%s with %u members>", vs_kind_name((vs_kind)v.kind), v.len));
}

static void add_operand(const rego_eval *e, vs_arena *a, vs_vec *operands, vs_val path, bool has,
                        vs_val v)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, "path", path);
    if (has && vs_defined(v))
        vs_obj_put(&o, "value", bounded(a, v));
    (void)e;
    vs_vec_add(operands, vs_obj_end(&o, VS_DUP_LAST, NULL));
}

static vs_val describe(const rego_eval *e, vs_arena *a, const struct reason *r)
{
    const debug *d = &r->at;
    vs_obj o = {.a = a};
    vs_vec operands = {.a = a};
    if (d->l_end)
        add_operand(e, a, &operands, source(e, a, d->mod, d->l_start, d->l_end), r->has_l, r->l);
    if (d->r_end)
        add_operand(e, a, &operands, source(e, a, d->mod, d->r_start, d->r_end), r->has_r, r->r);
    vs_obj_put(&o, "rule", vs_cstring(r->g ? r->g->name : "query"));
    vs_obj_put(&o, "row", vs_int(d->row));
    vs_obj_put(&o, "text", source(e, a, d->mod, d->start, d->end));
    vs_obj_put(&o, "result", vs_cstring(r->has_l ? "false" : "undefined"));
    vs_obj_put(&o, "operands", vs_vec_end_array(&operands));
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

vs_val rego_eval_explain(rego_eval *e, const char *rule, vs_arena *a)
{
    vs_vec all = {.a = a};
    for (size_t i = 0; i < e->n_reasons; i++) {
        const group *g = e->reasons[i].g;
        if (!rule || (g && strcmp(g->name, rule) == 0))
            vs_vec_add(&all, describe(e, a, &e->reasons[i]));
    }
    return vs_vec_end_array(&all);
}
