/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions, labels, registers, constants. */
#include "rego/compile.h"

const char *opcode_name(opcode op)
{
    static const char *const name[OP_COUNT] = {
        "jump",   "fail",      "loadk",     "move",     "undef",      "input",   "base",
        "doc",    "doc_index", "doc_each",  "rule",     "index",      "indexk",  "base_index",
        "iter",   "next",      "truthy",    "eq",       "ne",         "lt",      "le",
        "gt",     "ge",        "in",        "cmp",      "arith",      "array",   "set",
        "object", "builtin",   "call",      "host",     "len",        "objlen",  "new",
        "add",    "addpair",   "end_array", "end_set",  "end_object", "partial", "end_partial",
        "once",   "if_undef",  "with",      "with_end", "skip_print", "print",   "template",
        "pick",   "pick_next", "def",       "yield",    "return"};
    return op < OP_COUNT ? name[op] : "?";
}

static void out_of_memory(compiler *k)
{
    comp_error(k->c, REGO_EVAL_LIMIT, NULL, NULL, "out of memory");
}

uint32_t new_label(gen *g)
{
    if (g->n_labels == g->room_labels) {
        size_t room = g->room_labels ? g->room_labels * 2 : 32;
        uint32_t *labels = vs_grow(g->c->a, g->labels, g->n_labels, room, sizeof *labels);
        if (!labels) {
            out_of_memory(g->k);
            return 0;
        }
        g->labels = labels;
        g->room_labels = room;
    }
    g->labels[g->n_labels] = UINT32_MAX;
    return (uint32_t)g->n_labels++;
}

void place(gen *g, uint32_t label)
{
    if (label < g->n_labels)
        g->labels[label] = (uint32_t)g->n;
}

void place_at(gen *g, uint32_t label, uint32_t pc)
{
    if (label < g->n_labels)
        g->labels[label] = pc;
}

static void grow_code(gen *g)
{
    size_t room = g->room ? g->room * 2 : 64;
    insn *at = vs_grow(g->c->a, g->at, g->n, room, sizeof *at);
    debug *dbg = vs_grow(g->c->a, g->dbg, g->n, room, sizeof *dbg);
    if (!at || !dbg) {
        out_of_memory(g->k);
        return;
    }
    g->at = at;
    g->dbg = dbg;
    g->room = room;
}

static debug debug_here(const gen *g)
{
    debug d = {.mod = g->mod_id};
    if (g->where) {
        d.row = g->where->row;
        d.col = g->where->col;
        d.start = g->where->start;
        d.end = g->where->end;
    }
    if (g->l) {
        d.l_start = g->l->at.start;
        d.l_end = g->l->at.end;
    }
    if (g->r) {
        d.r_start = g->r->at.start;
        d.r_end = g->r->at.end;
    }
    return d;
}

size_t emit(gen *g, opcode op, unsigned a, unsigned b, unsigned c, uint32_t k)
{
    if (g->n == g->room)
        grow_code(g);
    if (g->c->failed || g->n >= g->room)
        return 0;
    g->at[g->n] = (insn){.op = (uint8_t)op,
                         .a = (uint16_t)a,
                         .b = (uint16_t)b,
                         .c = (uint16_t)c,
                         .k = k,
                         .fail = g->fail};
    g->dbg[g->n] = debug_here(g);
    return g->n++;
}

void emit_jump(gen *g, uint32_t label)
{
    size_t i = emit(g, OP_JUMP, 0, 0, 0, 0);
    if (i < g->n)
        g->at[i].fail = label;
}

void emit_fail(gen *g, uint32_t label, bool inner)
{
    size_t i = emit(g, OP_FAIL, 0, 0, 0, 0);
    if (i >= g->n)
        return;
    g->at[i].fail = label;
    g->at[i].n = inner;
}

unsigned new_regs(gen *g, size_t n)
{
    unsigned r = g->next_reg;
    if (n > REGS_MAX || g->next_reg + n > REGS_MAX) {
        comp_error(g->c, REGO_COMPILE_ERROR, g->mod, g->where,
                   "a rule is too large: more than %d registers", REGS_MAX);
        return 0;
    }
    g->next_reg += (unsigned)n;
    if (g->next_reg > g->max_reg)
        g->max_reg = g->next_reg;
    return r;
}

unsigned new_reg(gen *g)
{
    return new_regs(g, 1);
}

uint32_t add_const(compiler *k, vs_val v)
{
    rego_program *p = k->p;
    uint32_t known = id_table_find(&k->interned, p->consts, v);
    if (known != UINT32_MAX)
        return known;
    if (p->n_consts == k->room_consts) {
        size_t room = k->room_consts ? k->room_consts * 2 : 64;
        vs_val *consts = vs_grow(&p->arena, p->consts, p->n_consts, room, sizeof *consts);
        if (!consts) {
            out_of_memory(k);
            return 0;
        }
        p->consts = consts;
        k->room_consts = room;
    }
    p->consts[p->n_consts] = vs_copy(&p->arena, v);
    if (!vs_defined(p->consts[p->n_consts]) ||
        !id_table_add(&k->interned, k->c->a, p->consts, (uint32_t)p->n_consts)) {
        out_of_memory(k);
        return 0;
    }
    return (uint32_t)p->n_consts++;
}

uint32_t add_builtin(compiler *k, const rego_builtin *b)
{
    rego_program *p = k->p;
    for (size_t i = 0; i < p->n_builtins; i++)
        if (p->builtins[i] == b)
            return (uint32_t)i;
    if (p->n_builtins == k->room_builtins) {
        size_t room = k->room_builtins ? k->room_builtins * 2 : 16;
        const rego_builtin **builtins =
            vs_grow(&p->arena, p->builtins, p->n_builtins, room, sizeof(void *));
        if (!builtins) {
            out_of_memory(k);
            return 0;
        }
        p->builtins = builtins;
        k->room_builtins = room;
    }
    p->builtins[p->n_builtins] = b;
    return (uint32_t)p->n_builtins++;
}

void note_call(gen *g, const group *callee)
{
    group *from = g->group;
    if (!from)
        return;
    if (from->n_calls && from->calls[from->n_calls - 1] == callee->id)
        return;
    if (from->n_calls == from->room_calls) {
        size_t room = from->room_calls ? from->room_calls * 2 : 8;
        from->calls = vs_grow(g->c->a, from->calls, from->n_calls, room, sizeof *from->calls);
        from->room_calls = room;
        if (!from->calls) {
            from->n_calls = from->room_calls = 0;
            out_of_memory(g->k);
            return;
        }
    }
    from->calls[from->n_calls++] = callee->id;
}
