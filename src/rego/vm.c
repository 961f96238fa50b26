/* SPDX-License-Identifier: Apache-2.0 */
/* The interpreter loop. */
#include "rego/explain.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

enum { STACK_REGS = 64 * 1024, CLOCK_EVERY = 1024, CALL_DEPTH = 256 };

status fail_at(rego_eval *e, const code *c, size_t pc, rego_errcode err, const char *fmt, ...)
{
    e->diag = (rego_diag){.code = err};
    if (c && pc < c->n) {
        e->diag.row = c->dbg[pc].row;
        e->diag.col = c->dbg[pc].col;
        const char *file = c->dbg[pc].mod < e->p->n_mods ? e->p->mod_names[c->dbg[pc].mod] : "";
        (void)snprintf(e->diag.file, sizeof e->diag.file, "%s", file);
    }
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(e->diag.message, sizeof e->diag.message, fmt, ap);
    va_end(ap);
    return ST_ERROR;
}

static bool holds(opcode op, vs_val l, vs_val r)
{
    switch (op) {
    case OP_EQ: return vs_eq(l, r);
    case OP_NE: return !vs_eq(l, r);
    case OP_LT: return vs_cmp(l, r) < 0;
    case OP_LE: return vs_cmp(l, r) <= 0;
    case OP_GT: return vs_cmp(l, r) > 0;
    case OP_GE: return vs_cmp(l, r) >= 0;
    default: break;
    }
    /* OP_IN: values of arrays and objects, members of sets; nothing is in anything else */
    if (r.kind == VS_SET)
        return vs_set_has(r, l);
    if (r.kind == VS_ARRAY)
        for (VS_ARR_FOR (v, r))
            if (vs_eq(*v, l))
                return true;
    if (r.kind == VS_OBJECT)
        for (VS_OBJ_FOR (p, r))
            if (vs_eq(p->val, l))
                return true;
    return false;
}

/* The cost of a test: a comparison may visit every node of the smaller side, a membership test
 * looks at every element. */
static uint64_t cost_of(opcode op, vs_val l, vs_val r)
{
    if (op == OP_IN && r.kind != VS_SET)
        return vs_is_collection(r) ? r.len / 8 + (vs_is_collection(l) ? vs_weight(r) / 8 : 0) : 0;
    uint64_t a = vs_weight(l), b = vs_weight(r);
    return (a < b ? a : b) / 8;
}

static bool next_element(vs_val *it, vs_val *key, vs_val *val)
{
    int64_t i = it[1].u.i;
    if (i >= (int64_t)it[0].len)
        return false;
    it[1].u.i = i + 1;
    if (it[0].kind == VS_OBJECT) {
        *key = it[0].u.pairs[i].key;
        *val = it[0].u.pairs[i].val;
    } else {
        *val = it[0].u.items[i];
        *key = it[0].kind == VS_ARRAY ? vs_int(i) : *val;
    }
    return true;
}

static vs_val make_object(rego_eval *e, const vs_val *kv, uint32_t pairs)
{
    vs_obj b = {.a = &e->a};
    for (uint32_t i = 0; i < pairs; i++)
        vs_obj_add(&b, kv[2 * i], kv[2 * i + 1]);
    return vs_obj_end(&b, VS_DUP_LAST, NULL);
}

static vs_val make_items(rego_eval *e, const vs_val *items, uint32_t n, vs_kind kind)
{
    vs_vec b = {.a = &e->a};
    for (uint32_t i = 0; i < n; i++)
        vs_vec_add(&b, items[i]);
    return kind == VS_ARRAY ? vs_vec_end_array(&b) : vs_vec_end_set(&b);
}

static const char *conflict_text(const group *g)
{
    return g && g->kind == GROUP_FUNCTION
               ? "functions must not produce multiple outputs for same inputs"
               : "complete rules must not produce multiple outputs";
}

static void yield_solution(rego_eval *e, const insn *i, const vs_val *r)
{
    vs_val names = e->p->consts[i->k];
    vs_obj b = {.a = &e->a};
    for (uint32_t k = 0; k < names.len; k++)
        if (vs_defined(r[i->b + k]))
            vs_obj_add(&b, names.u.items[k], r[i->b + k]);
    vs_vec values = {.a = &e->a};
    if (vs_defined(r[i->a]))
        vs_vec_add(&values, r[i->a]);
    e->yield(e->yield_user, vs_obj_end(&b, VS_DUP_LAST, NULL), vs_vec_end_array(&values));
}

static bool in_time(rego_eval *e, const code *c, size_t pc)
{
    if (vs_mono_ns() - e->host_ns <= e->deadline)
        return true;
    (void)fail_at(e, c, pc, REGO_EVAL_LIMIT, "evaluation exceeded its time limit");
    return false;
}

/* False when a budget is gone; e->diag says which. */
static bool charge(rego_eval *e, const code *c, size_t pc, uint64_t n)
{
    if (e->steps < n + 1) {
        (void)fail_at(e, c, pc, REGO_EVAL_LIMIT, "evaluation exceeded its limit of steps");
        return false;
    }
    uint64_t before = e->steps;
    e->steps -= n;
    if (before / CLOCK_EVERY != e->steps / CLOCK_EVERY && !in_time(e, c, pc))
        return false;
    if (!vs_arena_ok(&e->a)) {
        (void)fail_at(e, c, pc, REGO_EVAL_LIMIT,
                      "evaluation exceeded its memory limit, or made too large a value");
        return false;
    }
    return true;
}

bool charge_steps(rego_eval *e, uint64_t n)
{
    return charge(e, NULL, 0, n);
}

/* Values can be much heavier than the work that made them (value.h); what handles a heavy one looks
 * at the clock afterwards. */
enum { HEAVY = 64 * 1024 };

static bool handled(rego_eval *e, const code *c, size_t pc, vs_val v)
{
    return vs_weight(v) < HEAVY || in_time(e, c, pc);
}

/* ---- rule indexes (index.c): two lists of definitions in order, merged
 * ------------------------------- */

typedef struct pick_state { /* in two registers, as an undefined value each */
    uint32_t at, end;
} pick_state;

#define PICK_ALL 0x80000000u /* in `end` of the second list: it is all definitions */

static vs_val packed(pick_state s)
{
    return (vs_val){.u.i = (int64_t)((uint64_t)s.at << 32 | s.end)};
}

static pick_state unpacked(vs_val v)
{
    return (pick_state){(uint32_t)((uint64_t)v.u.i >> 32), (uint32_t)v.u.i};
}

static void pick(rego_eval *e, const rule_index *x, const vs_val *args, vs_val *state)
{
    const subject *s = &x->subject;
    vs_val v = s->kind == SUBJECT_ARGUMENT ? args[s->argument]
               : s->kind == SUBJECT_INPUT  ? lookup(e->input, s->path)
                                           : lookup_base(e, s->path);
    uint32_t id = vs_defined(v) ? id_table_find(&x->table, x->keys, v) : UINT32_MAX;
    pick_state found = {0}, others = {0, (uint32_t)x->n_others};
    if (e->why) /* every definition is tried, so that each can say why it failed */
        others.end = (uint32_t)x->n_defs | PICK_ALL;
    else if (id != UINT32_MAX)
        found = (pick_state){x->first[id], x->first[id + 1]};
    state[0] = packed(found);
    state[1] = packed(others);
}

/* Where the next candidate starts; UINT32_MAX when there is none. */
static uint32_t pick_next(const rule_index *x, vs_val *state)
{
    pick_state found = unpacked(state[0]), others = unpacked(state[1]);
    if (others.end & PICK_ALL) {
        uint32_t def = others.at++;
        state[1] = packed(others);
        return def < (others.end & ~PICK_ALL) ? x->entry[def] : UINT32_MAX;
    }
    bool f = found.at < found.end, o = others.at < others.end;
    if (!f && !o)
        return UINT32_MAX;
    if (f && (!o || x->defs[found.at] < x->others[others.at])) {
        uint32_t def = x->defs[found.at++];
        state[0] = packed(found);
        return x->entry[def];
    }
    uint32_t def = x->others[others.at++];
    state[1] = packed(others);
    return x->entry[def];
}

#define FAIL                                                                                       \
    do {                                                                                           \
        if (t.open)                                                                                \
            trail_fail(&t, c, pc, r);                                                              \
        pc = i->fail;                                                                              \
        goto next;                                                                                 \
    } while (0)
#define NEED(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond))                                                                               \
            FAIL;                                                                                  \
    } while (0)
/* Undefined fails, an error ends the evaluation. */
#define EVAL(expr)                                                                                 \
    do {                                                                                           \
        status st_ = (expr);                                                                       \
        if (st_ == ST_ERROR)                                                                       \
            return ST_ERROR;                                                                       \
        if (st_ == ST_UNDEFINED)                                                                   \
            FAIL;                                                                                  \
    } while (0)

/* What an instruction read, for the explanation. */
#define READ                                                                                       \
    do {                                                                                           \
        if (e->why)                                                                                \
            explain_read(e, c, g, &t, pc, r);                                                      \
    } while (0)

static status loop(rego_eval *e, const code *c, const group *g, vs_val *r, vs_val *out)
{
    const rego_program *p = e->p;
    uint32_t pc = 0;
    trail t = {0};
next:
    while (pc < c->n) {
        const insn *i = &c->at[pc];
        const char *conflict = NULL;
        if (!charge(e, c, pc, 1))
            return ST_ERROR;
        if (e->in.coverage)
            coverage_mark(e->in.coverage, &c->dbg[pc]);
        switch ((opcode)i->op) {
        case OP_JUMP: pc = i->fail; goto next;
        case OP_FAIL: FAIL;
        case OP_LOADK: r[i->a] = p->consts[i->k]; break;
        case OP_MOVE: r[i->a] = r[i->b]; break;
        case OP_UNDEF: r[i->a] = vs_undefined(); break;
        case OP_INPUT:
            r[i->a] = lookup(e->input, p->consts[i->k]);
            READ;
            NEED(vs_defined(r[i->a]));
            break;
        case OP_BASE:
            r[i->a] = lookup_base(e, p->consts[i->k]);
            READ;
            NEED(vs_defined(r[i->a]));
            break;
        case OP_DOC: {
            status st = eval_document(e, p->nodes[i->k], &r[i->a]);
            READ;
            EVAL(st);
            break;
        }
        case OP_DOC_INDEX: {
            status st = i->n ? eval_document_path(e, p->nodes[i->k], r[i->b], r[i->c], &r[i->a])
                             : eval_document_key(e, p->nodes[i->k], r[i->b], &r[i->a]);
            READ;
            EVAL(st);
            break;
        }
        case OP_DOC_EACH: {
            status st = eval_document_each(e, p->nodes[i->k], r[i->b], &r[i->a]);
            READ;
            EVAL(st);
            break;
        }
        case OP_RULE:
            READ;
            EVAL(eval_group(e, p->groups[i->k], &r[i->a]));
            break;
        case OP_INDEX:
            r[i->a] = vs_index(r[i->b], r[i->c]);
            READ;
            NEED(vs_defined(r[i->a]));
            break;
        case OP_INDEXK:
            r[i->a] = vs_index(r[i->b], p->consts[i->k]);
            READ;
            NEED(vs_defined(r[i->a]));
            break;
        case OP_BASE_INDEX:
            r[i->a] = base_index(e, r[i->b], r[i->c]);
            READ;
            NEED(vs_defined(r[i->a]));
            break;
        case OP_ITER:
            NEED(r[i->b].kind == VS_ARRAY || r[i->b].kind == VS_OBJECT ||
                 (r[i->b].kind == VS_SET && !i->c));
            r[i->a] = r[i->b];
            r[i->a + 1] = vs_int(0);
            break;
        case OP_NEXT: NEED(next_element(&r[i->a], &r[i->b], &r[i->c])); break;
        case OP_TRUTHY: NEED(!(r[i->b].kind == VS_BOOL && !r[i->b].u.b)); break;
        case OP_EQ:
        case OP_NE:
        case OP_LT:
        case OP_LE:
        case OP_GT:
        case OP_GE:
        case OP_IN:
            if (!charge(e, c, pc, cost_of((opcode)i->op, r[i->b], r[i->c])))
                return ST_ERROR;
            NEED(holds((opcode)i->op, r[i->b], r[i->c]));
            break;
        case OP_CMP:
            if (!charge(e, c, pc, cost_of((opcode)i->n, r[i->b], r[i->c])))
                return ST_ERROR;
            r[i->a] = vs_bool(holds((opcode)i->n, r[i->b], r[i->c]));
            break;
        case OP_ARITH: EVAL(arithmetic(e, c, pc, i->k, r[i->b], r[i->c], &r[i->a])); break;
        case OP_ARRAY: r[i->a] = make_items(e, &r[i->b], i->k, VS_ARRAY); break;
        case OP_SET:
            r[i->a] = make_items(e, &r[i->b], i->k, VS_SET);
            if (!handled(e, c, pc, r[i->a]))
                return ST_ERROR;
            break;
        case OP_OBJECT:
            r[i->a] = make_object(e, &r[i->b], i->k);
            if (!vs_defined(r[i->a]) && vs_arena_ok(&e->a))
                return fail_at(e, c, pc, REGO_EVAL_CONFLICT, "object keys must be unique");
            break;
        case OP_BUILTIN: {
            status st = call_builtin(e, c, pc, i->k, &r[i->b], i->n, &r[i->a]);
            for (unsigned k = 0; k < i->n; k++)
                if (!handled(e, c, pc, r[i->b + k]))
                    return ST_ERROR;
            EVAL(st);
            break;
        }
        case OP_CALL:
            READ;
            EVAL(call_function(e, c, pc, p->groups[i->k], &r[i->b], &r[i->a]));
            break;
        case OP_HOST: {
            status st = call_host(e, c, pc, i->k, &r[i->b], i->n, &r[i->a]);
            READ;
            EVAL(st);
            break;
        }
        case OP_LEN: NEED(r[i->b].kind == VS_ARRAY && r[i->b].len == i->k); break;
        case OP_OBJLEN: NEED(r[i->b].kind == VS_OBJECT && r[i->b].len == i->k); break;
        case OP_NEW: r[i->a] = builder_new(e); break;
        case OP_ADD: builder_add(r[i->a], r[i->b]); break;
        case OP_ADDPAIR: builder_pair(r[i->a], r[i->b], r[i->c]); break;
        case OP_END_ARRAY: r[i->a] = builder_array(r[i->b]); break;
        case OP_END_SET:
            r[i->a] = builder_set(r[i->b]);
            if (!handled(e, c, pc, r[i->a]))
                return ST_ERROR;
            break;
        case OP_END_OBJECT:
            r[i->a] = builder_object(r[i->b]);
            if (!vs_defined(r[i->a]) && vs_arena_ok(&e->a))
                return fail_at(e, c, pc, REGO_EVAL_CONFLICT, "object keys must be unique");
            break;
        case OP_PARTIAL:
            t.succeeded = true;
            builder_entry(e, r[i->a], &r[i->b], i->k, r[i->c], i->n);
            break;
        case OP_END_PARTIAL:
            r[i->a] = builder_partial(e, r[i->b], i->n, &conflict);
            if (conflict)
                return fail_at(e, c, pc, REGO_EVAL_CONFLICT, "%s", conflict);
            break;
        case OP_ONCE:
            t.succeeded = true;
            if (vs_defined(r[i->a]) && !vs_eq(r[i->a], r[i->b]))
                return fail_at(e, c, pc, REGO_EVAL_CONFLICT, "%s", conflict_text(g));
            r[i->a] = r[i->b];
            break;
        case OP_IF_UNDEF:
            if (vs_defined(r[i->a])) {
                pc = i->fail;
                goto next;
            }
            break;
        case OP_WITH:
            if (with_start(e, c, pc, i, r) != ST_OK)
                return ST_ERROR;
            break;
        case OP_WITH_END: with_end(e); break;
        case OP_SKIP_PRINT:
            if (!e->in.print) {
                pc = i->fail;
                goto next;
            }
            break;
        case OP_PRINT: print_values(e, &r[i->b], i->n); break;
        case OP_TEMPLATE: r[i->a] = join_template(e, &r[i->b], i->n); break;
        case OP_PICK: pick(e, p->indexes[i->k], r, &r[i->a]); break;
        case OP_PICK_NEXT: {
            uint32_t entry = pick_next(p->indexes[i->k], &r[i->a]);
            NEED(entry != UINT32_MAX);
            pc = entry;
            goto next;
        }
        case OP_DEF:
            if (e->why) {
                trail_end(e, &t, c, g);
                trail_start(e, &t, c, g, pc);
            }
            break;
        case OP_YIELD: yield_solution(e, i, r); break;
        case OP_RETURN:
            trail_end(e, &t, c, g);
            *out = r[i->b];
            return vs_defined(*out) ? ST_OK : ST_UNDEFINED;
        case OP_COUNT: break;
        }
        pc++;
    }
    trail_end(e, &t, c, g);
    return ST_UNDEFINED;
}

status run(rego_eval *e, const code *c, const group *g, const vs_val *args, vs_val *out)
{
    uint32_t limit = e->in.limits.call_depth ? e->in.limits.call_depth : CALL_DEPTH;
    if (e->call_depth >= limit || e->sp + c->n_regs > STACK_REGS)
        return fail_at(e, c, 0, REGO_EVAL_LIMIT, "evaluation is nested too deeply (limit %u)",
                       limit);
    vs_val *regs = e->stack + e->sp;
    memset(regs, 0, c->n_regs * sizeof *regs);
    for (size_t i = 0; i < c->n_args; i++)
        regs[i] = args[i];
    e->sp += c->n_regs;
    e->call_depth++;
    status st = loop(e, c, g, regs, out);
    e->call_depth--;
    e->sp -= c->n_regs;
    return st;
}

/* ---- the evaluation as a whole
 * -------------------------------------------------------------------- */

enum { STEPS = 10 * 1000 * 1000, ARENA = 64 << 20 };
enum { WALL_NS = 1000 * 1000 * 1000 };

vs_code rego_eval_new(rego_program *p, rego_eval **out, vs_error *err)
{
    *out = NULL;
    rego_eval *e = calloc(1, sizeof *e);
    vs_val *stack = malloc(STACK_REGS * sizeof *stack); /* touched only as deep as it is used */
    memo *memos = calloc(p->n_groups + 1, sizeof *memos);
    if (!e || !stack || !memos) {
        free(e);
        free(stack);
        free(memos);
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    }
    e->p = rego_program_ref(p);
    e->stack = stack;
    e->own_memos = memos;
    vs_arena_init(&e->a, ARENA);
    *out = e;
    return VS_OK;
}

void rego_eval_free(rego_eval **ep)
{
    rego_eval *e = *ep;
    if (!e)
        return;
    rego_regexes_free(&e->bctx.regexes);
    rego_zones_free(&e->bctx.zones);
    vs_arena_free(&e->a);
    free(e->stack);
    free(e->own_memos);
    rego_program_unref(&e->p);
    free(e);
    *ep = NULL;
}

/* Where rules define a value, or documents below, the data must not have a value (rego.md 6.2). */
static vs_code check_data(const node *n, vs_val base, vs_error *err)
{
    if (base.kind != VS_OBJECT)
        return vs_fail(err, VS_E_CONFLICT, "rules define paths below %s, but data has a %s there",
                       n->group ? n->group->name : "a package", vs_kind_name((vs_kind)base.kind));
    for (size_t i = 0; i < n->n; i++) {
        const node *c = n->children[i];
        vs_val below = vs_index(base, c->key);
        if (!vs_defined(below))
            continue;
        if (c->group && c->group->kind == GROUP_COMPLETE)
            return vs_fail(err, VS_E_CONFLICT, "rule %s defines a path that data provides too",
                           c->group->name);
        if (!c->group)
            VS_TRY(check_data(c, below, err));
    }
    return VS_OK;
}

vs_code rego_eval_begin(rego_eval *e, const rego_inputs *in, vs_error *err)
{
    vs_arena_reset(&e->a);
    e->a.cap = in->limits.arena_bytes ? in->limits.arena_bytes : ARENA;
    e->in = *in;
    e->input = in->input;
    e->data = vs_defined(in->data) ? in->data : vs_empty(VS_OBJECT);
    if (e->data.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "the data document must be an object");
    VS_TRY(check_data(e->p->root, e->data, err));
    e->sp = 0;
    e->call_depth = 0;
    e->n_overrides = e->n_mocks = e->n_hosts = e->room_hosts = 0;
    e->hosts = NULL;
    e->why = in->explain ? explain_new(e) : NULL;
    e->with = e->spare_with = NULL;
    e->epoch = ++e->last_epoch;
    e->memos = e->own_memos;
    e->host_ns = 0;
    e->steps = e->steps_at_start = in->limits.steps ? in->limits.steps : STEPS;
    e->deadline = vs_mono_ns() + (in->limits.wall_ns ? in->limits.wall_ns : WALL_NS);
    e->bctx = (rego_bctx){.a = &e->a,
                          .now_ns = in->now_ns,
                          .seed = in->seed,
                          .steps = &e->steps,
                          .regexes = e->bctx.regexes,
                          .zones = e->bctx.zones};
    return VS_OK;
}

static vs_code code_of(rego_errcode c)
{
    switch (c) {
    case REGO_EVAL_CONFLICT: return VS_E_CONFLICT;
    case REGO_EVAL_LIMIT: return VS_E_LIMIT;
    case REGO_EVAL_INTERNAL: return VS_E_INTERNAL;
    case REGO_EVAL_HOST: return VS_E_IO;
    default: return VS_E_INVALID;
    }
}

static vs_code report(rego_eval *e, rego_diag *diag, vs_error *err)
{
    if (!vs_arena_ok(&e->a) &&
        e->diag.code != REGO_EVAL_LIMIT) /* whatever was said follows from it */
        (void)fail_at(e, NULL, 0, REGO_EVAL_LIMIT, "evaluation exceeded its memory limit");
    if (diag)
        *diag = e->diag;
    if (e->diag.code == REGO_EVAL_HOST && err)
        *err = e->host_error;
    vs_code kind = code_of(e->diag.code);
    if (e->diag.code == REGO_EVAL_HOST && err)
        (void)vs_wrap(err, "%s:%u: %s", e->diag.file, e->diag.row, e->diag.message);
    else
        (void)vs_fail(err, kind, "%s:%u: %s: %s", e->diag.file, e->diag.row,
                      rego_errcode_name(e->diag.code), e->diag.message);
    return kind;
}

/* The node of "data.a.b", or as far as it goes; *rest = what is below it. */
static const node *find_node(const rego_program *p, vs_arena *a, const char *path, vs_val *rest)
{
    vs_span s = vs_str(path), word;
    bool more;
    const node *n = p->root;
    vs_vec below = {.a = a};
    word = vs_span_cut(s, '.', &s, &more);
    *rest = vs_undefined();
    if (!vs_span_is(word, "data"))
        return NULL;
    while (more) {
        word = vs_span_cut(s, '.', &s, &more);
        const node *child =
            below.n || (n->group && !n->is_package) ? NULL : node_child(n, vs_string(word));
        if (child)
            n = child;
        else
            vs_vec_add(&below, vs_string_dup(a, word));
    }
    *rest = vs_vec_end_array(&below);
    return n;
}

vs_code rego_eval_rule(rego_eval *e, const char *path, rego_presence *presence, vs_val *value,
                       rego_diag *diag, vs_error *err)
{
    vs_val rest;
    *presence = REGO_ABSENT;
    *value = vs_undefined();
    const node *n = find_node(e->p, &e->a, path, &rest);
    if (!n || !vs_defined(rest))
        return vs_fail(err, VS_E_INVALID, "\"%s\" is not a path below data", path);
    if (!n->group && rest.len) {
        *value = lookup(eval_base(e, n), rest);
        *presence = vs_defined(*value) ? REGO_VALUE : REGO_ABSENT;
        return VS_OK;
    }
    if (n->group && n->group->kind == GROUP_FUNCTION)
        return VS_OK;
    vs_val doc = vs_undefined();
    status st =
        n->group && !n->is_package ? eval_group(e, n->group, &doc) : eval_document(e, n, &doc);
    if (st != ST_ERROR && !vs_arena_ok(&e->a))
        st = fail_at(e, NULL, 0, REGO_EVAL_LIMIT, "evaluation exceeded its memory limit");
    if (st == ST_ERROR)
        return report(e, diag, err);
    *value = st == ST_OK ? lookup(doc, rest) : vs_undefined();
    *presence = vs_defined(*value) ? REGO_VALUE : REGO_UNDEFINED;
    return VS_OK;
}

vs_code rego_eval_query(rego_eval *e, void (*yield)(void *user, vs_val bindings, vs_val values),
                        void *user, rego_diag *diag, vs_error *err)
{
    if (!e->p->has_query)
        return vs_fail(err, VS_E_INVALID, "the program was compiled without a query");
    e->yield = yield;
    e->yield_user = user;
    vs_val ignored;
    if (run(e, &e->p->query, NULL, NULL, &ignored) == ST_ERROR)
        return report(e, diag, err);
    return VS_OK;
}

rego_stats rego_eval_stats(const rego_eval *e)
{
    return (rego_stats){.steps = e->steps_at_start - e->steps,
                        .arena_used = vs_arena_used(&e->a),
                        .arena_held = e->a.held};
}
