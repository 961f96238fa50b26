/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes what expressions read: paths of input and data, answers of the host, other rules.
 *
 * Code reads `input.a[x].b` in steps; the whole path is found by going back from a step to the
 * instruction that wrote its register. Registers of a definition are never reused for another
 * purpose (gen_core.c), so the last instruction before it that writes the register is the one.
 */
#include "rego/explain.h"

/* A path being put together, from its end to its start. */
typedef struct path {
    const rego_program *p;
    const code *c;
    const vs_val *regs;
    uint32_t from; /* where the definition starts */
    read_kind kind;
    vs_val keys[READ_KEYS_MAX];
    uint32_t fixed, node;
    vs_val below; /* of OP_DOC_EACH: the keys behind the one that is enumerated */
    size_t n;
} path;

static bool writes(const insn *i, unsigned reg)
{
    switch ((opcode)i->op) {
    case OP_JUMP:
    case OP_FAIL:
    case OP_TRUTHY:
    case OP_EQ:
    case OP_NE:
    case OP_LT:
    case OP_LE:
    case OP_GT:
    case OP_GE:
    case OP_IN:
    case OP_LEN:
    case OP_OBJLEN:
    case OP_ADD:
    case OP_ADDPAIR:
    case OP_PARTIAL:
    case OP_IF_UNDEF:
    case OP_WITH:
    case OP_WITH_END:
    case OP_SKIP_PRINT:
    case OP_PRINT:
    case OP_DEF:
    case OP_YIELD:
    case OP_RETURN: return false;
    case OP_NEXT: return i->b == reg || i->c == reg;
    default: return i->a == reg;
    }
}

/* The instruction before `pc` that wrote the register; NULL when it is an argument. */
static const insn *writer(const path *x, uint32_t pc, unsigned reg, uint32_t *at)
{
    while (pc > x->from) {
        const insn *i = &x->c->at[--pc];
        if (writes(i, reg)) {
            *at = pc;
            return i;
        }
    }
    return NULL;
}

static bool put_key(path *x, vs_val key, bool fixed)
{
    if (x->n == READ_KEYS_MAX || !vs_defined(key))
        return false;
    x->fixed |= (uint32_t)fixed << x->n;
    x->keys[x->n++] = key;
    return true;
}

static bool put_keys(path *x, read_kind kind, vs_val keys)
{
    x->kind = kind;
    for (uint32_t i = 0; i < keys.len; i++)
        if (!put_key(x, keys.u.items[i], true))
            return false;
    return true;
}

/* The keys of an array that was computed. */
static bool put_values(path *x, vs_val keys)
{
    for (uint32_t i = 0; keys.kind == VS_ARRAY && i < keys.len; i++)
        if (!put_key(x, keys.u.items[i], false))
            return false;
    return true;
}

static bool is_fixed(const path *x, uint32_t pc, unsigned reg)
{
    uint32_t at = pc;
    const insn *i = writer(x, pc, reg, &at);
    for (unsigned depth = 0; i && i->op == OP_MOVE && depth < READ_KEYS_MAX; depth++)
        i = writer(x, at, i->b, &at);
    return i && i->op == OP_LOADK;
}

/* Appends the path that the instruction at `pc` reads; false when it does not start at a document.
 */
static bool find_path(path *x, uint32_t pc, unsigned depth)
{
    const insn *i = &x->c->at[pc], *base;
    uint32_t at = pc;
    if (depth == READ_KEYS_MAX)
        return false;
    switch ((opcode)i->op) {
    case OP_INPUT: return put_keys(x, READ_INPUT, x->p->consts[i->k]);
    case OP_BASE: return put_keys(x, READ_DATA, x->p->consts[i->k]);
    case OP_DOC_EACH: x->below = x->regs[i->b]; __attribute__((fallthrough));
    case OP_DOC:
    case OP_DOC_INDEX:
        x->node = i->k + 1;
        if (!put_keys(x, READ_DATA, x->p->nodes[i->k]->path))
            return false;
        if (i->op != OP_DOC_INDEX)
            return true;
        return put_key(x, x->regs[i->b], is_fixed(x, pc, i->b)) &&
               (!i->n || put_values(x, x->regs[i->c]));
    case OP_BASE_INDEX:
    case OP_INDEX:
    case OP_INDEXK:
    case OP_MOVE:
    case OP_ITER: base = writer(x, pc, i->b, &at); break;
    case OP_NEXT: base = writer(x, pc, i->a, &at); break;
    default: return false;
    }
    if (!base || !find_path(x, at, depth + 1))
        return false;
    switch ((opcode)i->op) {
    case OP_BASE_INDEX:
    case OP_INDEX: return put_key(x, x->regs[i->c], is_fixed(x, pc, i->c));
    case OP_INDEXK: return put_key(x, x->p->consts[i->k], true);
    case OP_NEXT:
        if (!put_key(x, x->regs[i->b], false) || !put_values(x, x->below))
            return false;
        x->below = vs_undefined();
        return true;
    default: return true;
    }
}

/* An instruction of a loop is noted a few times, any other once. */
static bool is_new(explanation *x, const insn *i, bool replaced)
{
    uintptr_t id = (uintptr_t)i | replaced;
    struct seen *s = &x->seen[(id / sizeof *i) % VS_COUNT(x->seen)];
    bool varies = i->op == OP_INDEX || i->op == OP_INDEXK || i->op == OP_BASE_INDEX ||
                  i->op == OP_DOC_INDEX || i->op == OP_HOST;
    if (s->insn != id)
        *s = (struct seen){.insn = id};
    return s->n++ < (varies ? READS_PER_INSN : 1);
}

static bool is_known(const explanation *x, const read_note *note)
{
    for (size_t i = x->n_reads; i > 0; i--) {
        const read_note *r = &x->reads[i - 1];
        if (r->kind == note->kind && r->by == note->by && r->replaced == note->replaced &&
            r->id == note->id && vs_eq(r->keys, note->keys))
            return true;
    }
    return false;
}

static void keep(rego_eval *e, read_note note)
{
    explanation *x = e->why;
    if (x->n_reads == READS_MAX) {
        x->lost++;
        return;
    }
    if (is_known(x, &note))
        return;
    if (x->n_reads == x->room_reads) {
        size_t room = x->room_reads ? x->room_reads * 2 : 16;
        read_note *reads = vs_grow(&e->a, x->reads, x->n_reads, room, sizeof *reads);
        if (!reads)
            return;
        x->reads = reads;
        x->room_reads = room;
    }
    x->reads[x->n_reads++] = note;
}

static vs_val array_of(rego_eval *e, const vs_val *items, size_t n)
{
    vs_vec v = {.a = &e->a};
    for (size_t i = 0; i < n; i++)
        vs_vec_add(&v, items[i]);
    return vs_vec_end_array(&v);
}

void explain_read(rego_eval *e, const code *c, const group *g, const trail *t, uint32_t pc,
                  const vs_val *regs)
{
    const insn *i = &c->at[pc];
    read_note note = {.by = g, .replaced = e->with != NULL, .value = regs[i->a]};
    path x = {.p = e->p, .c = c, .regs = regs, .from = t->def_pc};
    if (!is_new(e->why, i, note.replaced))
        return;
    if (i->op == OP_RULE || i->op == OP_CALL) {
        note.kind = READ_RULE;
        note.id = i->k;
        note.value = vs_undefined();
        note.keys = vs_empty(VS_ARRAY);
    } else if (i->op == OP_HOST) {
        note.kind = READ_HOST;
        note.id = i->k;
        note.keys = array_of(e, &regs[i->b], i->n);
        for (unsigned k = 0; k < i->n && k < 32; k++)
            note.fixed |= (uint32_t)is_fixed(&x, pc, i->b + k) << k;
    } else {
        if (!find_path(&x, pc, 0))
            return;
        note.kind = x.kind;
        note.id = x.node;
        note.fixed = x.fixed;
        note.keys = array_of(e, x.keys, x.n);
    }
    keep(e, note);
}
