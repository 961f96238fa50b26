/* SPDX-License-Identifier: Apache-2.0 */
/* Code for terms: the value ends up in a register; undefined goes to the fail label. */
#include "rego/metadata.h"

static unsigned var_reg(const gen *g, const term *t)
{
    return g->var_base + (unsigned)t->var;
}

/* ---- constants ---------------------------------------------------------------------------------
 */

static vs_val constant(const gen *g, const term *t)
{
    if (t->kind == T_SCALAR)
        return t->scalar;
    if (t->kind == T_ARRAY || t->kind == T_SET) {
        vs_vec v = {.a = g->c->a};
        for (size_t i = 0; i < t->n; i++)
            vs_vec_add(&v, constant(g, t->items[i]));
        return t->kind == T_ARRAY ? vs_vec_end_array(&v) : vs_vec_end_set(&v);
    }
    if (t->kind == T_OBJECT) {
        vs_obj o = {.a = g->c->a};
        for (size_t i = 0; i < t->n; i += 2)
            vs_obj_add(&o, constant(g, t->items[i]), constant(g, t->items[i + 1]));
        return vs_obj_end(&o, VS_DUP_LAST, NULL);
    }
    return vs_undefined();
}

static bool may_be_constant(const term *t)
{
    if (t->kind != T_SCALAR && t->kind != T_ARRAY && t->kind != T_SET && t->kind != T_OBJECT)
        return false;
    for (size_t i = 0; i < t->n; i++)
        if (!may_be_constant(t->items[i]))
            return false;
    return true;
}

vs_val constant_value(const gen *g, const term *t)
{
    return may_be_constant(t) ? constant(g, t) : vs_undefined();
}

static bool load_constant(gen *g, const term *t, unsigned dst)
{
    vs_val v = may_be_constant(t) && !g->k->opts->no_fold ? constant(g, t)
               : t->kind == T_SCALAR                      ? t->scalar
                                                          : vs_undefined();
    if (!vs_defined(v))
        return false;
    emit(g, OP_LOADK, dst, 0, 0, add_const(g->k, v));
    return true;
}

/* ---- references --------------------------------------------------------------------------------
 */

static bool is_const_key(const term *t)
{
    return t->kind == T_SCALAR;
}

/* The constant keys from `from` on, at most up to the first other operand. */
static uint32_t const_path(gen *g, const term *t, size_t from, size_t *next)
{
    vs_vec path = {.a = g->c->a};
    size_t i = from;
    for (; i < t->n && is_const_key(t->items[i]); i++)
        vs_vec_add(&path, t->items[i]->scalar);
    *next = i;
    return add_const(g->k, vs_vec_end_array(&path));
}

/* Enumerates reg; keys are matched against the pattern. Returns the register of the elements. */
static unsigned gen_enumerate(gen *g, term *pattern, unsigned reg)
{
    unsigned it = new_regs(g, 2), key = new_reg(g), val = new_reg(g);
    emit(g, OP_ITER, it, reg, 0, 0);
    uint32_t next = new_label(g);
    place(g, next);
    emit(g, OP_NEXT, it, key, val, 0);
    g->fail = next;
    gen_match(g, pattern, key);
    return val;
}

static unsigned gen_operand(gen *g, term *key, unsigned base, bool is_base)
{
    if (has_unbound(g, key))
        return gen_enumerate(g, key, base);
    unsigned dst;
    if (is_base) {
        unsigned k = gen_term(g, key);
        dst = new_reg(g);
        emit(g, OP_BASE_INDEX, dst, base, k, 0);
    } else if (is_const_key(key)) {
        dst = new_reg(g);
        emit(g, OP_INDEXK, dst, base, 0, add_const(g->k, key->scalar));
    } else {
        unsigned k = gen_term(g, key);
        dst = new_reg(g);
        emit(g, OP_INDEX, dst, base, k, 0);
    }
    return dst;
}

/* Everything below a document node may be evaluated. */
static void note_subtree(gen *g, const node *n)
{
    if (n->group && n->group->kind != GROUP_FUNCTION)
        note_call(g, n->group);
    for (size_t i = 0; i < n->n; i++)
        note_subtree(g, n->children[i]);
}

static unsigned gen_document(gen *g, const node *n)
{
    unsigned dst = new_reg(g);
    note_subtree(g, n);
    emit(g, OP_DOC, dst, 0, 0, n->id);
    return dst;
}

/* Rules that data...[items[i]].. may mean: constant keys say which. */
static void note_matching(gen *g, const node *n, const term *t, size_t i)
{
    if (i == t->n || n->group)
        note_subtree(g, n);
    for (size_t c = 0; i < t->n && !n->group && c < n->n; c++)
        if (!is_const_key(t->items[i]) || vs_eq(t->items[i]->scalar, n->children[c]->key))
            note_matching(g, n->children[c], t, i + 1);
}

/* The document at items[from] .. items[to - 1] below a node, where the first of them is not known
 * now: computed, or an unbound variable, which then takes all keys. */
static unsigned gen_part(gen *g, const node *n, const term *t, size_t from, size_t to)
{
    bool each = has_unbound(g, t->items[from]), path = to > from + 1;
    if (each)
        note_matching(g, n, t, from);
    else if (n->group)
        note_call(g, n->group);
    unsigned key = each ? 0 : gen_term(g, t->items[from]), keys = 0, dst;
    unsigned *regs = vs_alloc_array(g->c->a, to - from, sizeof *regs);
    for (size_t i = from + 1; regs && i < to; i++)
        regs[i - from] = gen_term(g, t->items[i]);
    if (path) {
        unsigned first = new_regs(g, to - from - 1);
        for (size_t i = 1; regs && i < to - from; i++)
            emit(g, OP_MOVE, first + (unsigned)i - 1, regs[i], 0, 0);
        keys = new_reg(g);
        emit(g, OP_ARRAY, keys, first, 0, (uint32_t)(to - from - 1));
    }
    dst = new_reg(g);
    size_t at = emit(g, each ? OP_DOC_EACH : OP_DOC_INDEX, dst, each ? keys : key, keys, n->id);
    if (at < g->n)
        g->at[at].n = path;
    return each ? gen_enumerate(g, t->items[from], dst) : dst;
}

/* data.a.b...: follows constant names through the documents as far as they are known now. */
static unsigned gen_data(gen *g, const term *t, size_t *next)
{
    const node *n = g->k->p->root;
    size_t i = 1;
    while (i < t->n && is_const_key(t->items[i]) && (!n->group || n->is_package)) {
        const node *child = node_child(n, t->items[i]->scalar);
        if (!child)
            break;
        n = child;
        i++;
    }
    unsigned dst;
    *next = i;
    if (n->group && !n->is_package) {
        dst = new_reg(g);
        if (n->group->kind != GROUP_FUNCTION) {
            note_call(g, n->group);
            emit(g, OP_RULE, dst, 0, 0, n->group->id);
        } else {
            emit_jump(g, g->fail);
        }
        return dst;
    }
    if (i == t->n)
        return gen_document(g, n);
    if (is_const_key(t->items[i]) && !n->group) {
        uint32_t path = const_path(g, t, 1, next);
        dst = new_reg(g);
        emit(g, OP_BASE, dst, 0, 0, path);
        return dst;
    }
    bool each = has_unbound(g, t->items[i]);
    *next = i + 1;
    while (*next < t->n && first_missing(g, t->items[*next]) == NULL &&
           !has_unbound(g, t->items[*next]))
        ++*next;
    if (each && (*next == i + 1 || n->group)) {
        *next = i;
        return gen_document(g, n);
    }
    return gen_part(g, n, t, i, *next);
}

static unsigned gen_ref(gen *g, term *t)
{
    size_t next = 1, at = g->n;
    unsigned reg;
    if (t->items[0]->kind == T_INPUT) {
        reg = new_reg(g);
        emit(g, OP_INPUT, reg, 0, 0, const_path(g, t, 1, &next));
    } else if (t->items[0]->kind == T_DATA) {
        reg = gen_data(g, t, &next);
    } else {
        reg = gen_term(g, t->items[0]);
    }
    bool is_base = at < g->n && g->at[at].op == OP_BASE;
    for (; next < t->n && !g->c->failed; next++)
        reg = gen_operand(g, t->items[next], reg, is_base);
    return reg;
}

/* ---- calls -------------------------------------------------------------------------------------
 */

static const struct {
    const char *name;
    opcode op;
} comparisons[] = {{"equal", OP_EQ},
                   {"neq", OP_NE},
                   {"lt", OP_LT},
                   {"lte", OP_LE},
                   {"gt", OP_GT},
                   {"gte", OP_GE},
                   {"internal.member_2", OP_IN}};

/* The test opcode of a comparison call, OP_COUNT for other calls. */
static opcode comparison(const term *t)
{
    if (t->kind != T_CALL || t->call != CALL_BUILTIN || t->n != 3)
        return OP_COUNT;
    for (size_t i = 0; i < VS_COUNT(comparisons); i++)
        if (vs_span_is(t->name, comparisons[i].name))
            return comparisons[i].op;
    return OP_COUNT;
}

static bool is_arithmetic(vs_span name)
{
    static const char *const names[] = {"plus", "minus", "mul", "div", "rem", "and", "or"};
    for (size_t i = 0; i < VS_COUNT(names); i++)
        if (vs_span_is(name, names[i]))
            return true;
    return false;
}

/* internal.member_3(k, v, coll): a loop-free test of coll[k] == v, except that sets are never. */
static unsigned gen_member3(gen *g, term *t)
{
    unsigned key = gen_term(g, t->items[1]), val = gen_term(g, t->items[2]),
             coll = gen_term(g, t->items[3]);
    unsigned dst = new_reg(g), item = new_reg(g);
    uint32_t saved = g->fail, no = new_label(g), end = new_label(g);
    g->fail = no;
    emit(g, OP_ITER, new_regs(g, 2), coll, 1, 0); /* c = 1: arrays and objects only */
    emit(g, OP_INDEX, item, coll, key, 0);
    emit(g, OP_EQ, 0, item, val, 0);
    g->fail = saved;
    emit(g, OP_LOADK, dst, 0, 0, add_const(g->k, vs_bool(true)));
    emit_jump(g, end);
    place(g, no);
    emit(g, OP_LOADK, dst, 0, 0, add_const(g->k, vs_bool(false)));
    place(g, end);
    return dst;
}

static unsigned gen_args(gen *g, const term *t, size_t n)
{
    unsigned regs[256];
    if (n > VS_COUNT(regs)) {
        comp_error(g->c, REGO_COMPILE_ERROR, g->mod, &t->at, "too many arguments");
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        regs[i] = gen_term(g, t->items[1 + i]);
    unsigned first = new_regs(g, n ? n : 1);
    for (size_t i = 0; i < n; i++)
        emit(g, OP_MOVE, first + (unsigned)i, regs[i], 0, 0);
    return first;
}

/* print(...): arguments may be undefined, so each is collected into an array of at most one. */
static unsigned gen_maybe(gen *g, term *t)
{
    unsigned builder = new_reg(g), dst = new_reg(g);
    uint32_t saved = g->fail, end = new_label(g);
    emit(g, OP_NEW, builder, 0, 0, 0);
    g->fail = end;
    emit(g, OP_ADD, builder, gen_term(g, t), 0, 0);
    place(g, end);
    g->fail = saved;
    emit(g, OP_END_ARRAY, dst, builder, 0, 0);
    return dst;
}

static unsigned gen_maybes(gen *g, term *const *items, size_t n)
{
    unsigned first = new_regs(g, n ? n : 1);
    for (size_t i = 0; i < n; i++)
        emit(g, OP_MOVE, first + (unsigned)i, gen_maybe(g, items[i]), 0, 0);
    return first;
}

static unsigned gen_print(gen *g, term *t)
{
    uint32_t saved = g->fail, end = new_label(g);
    g->fail = end;
    emit(g, OP_SKIP_PRINT, 0, 0, 0, 0);
    g->fail = saved;
    unsigned first = gen_maybes(g, t->items + 1, t->n - 1);
    size_t i = emit(g, OP_PRINT, 0, first, 0, 0);
    if (i < g->n)
        g->at[i].n = (uint8_t)(t->n - 1);
    place(g, end);
    unsigned dst = new_reg(g);
    emit(g, OP_LOADK, dst, 0, 0, add_const(g->k, vs_bool(true)));
    return dst;
}

static unsigned emit_call(gen *g, const term *t, unsigned first, size_t n)
{
    unsigned dst = new_reg(g);
    size_t i;
    if (t->call == CALL_FUNCTION) {
        note_call(g, t->function);
        i = emit(g, OP_CALL, dst, first, 0, t->function->id);
    } else if (t->call == CALL_HOST) {
        i = emit(g, OP_HOST, dst, first, 0, (uint32_t)t->host);
    } else {
        i = emit(g, OP_BUILTIN, dst, first, 0,
                 t->builtin ? add_builtin(g->k, t->builtin) : UINT32_MAX);
    }
    if (i < g->n)
        g->at[i].n = (uint8_t)n;
    return dst;
}

/* A relation enumerates its solutions: the result is an array of them. */
static unsigned gen_relation(gen *g, unsigned solutions)
{
    unsigned it = new_regs(g, 2), key = new_reg(g), val = new_reg(g);
    emit(g, OP_ITER, it, solutions, 0, 0);
    uint32_t next = new_label(g);
    place(g, next);
    emit(g, OP_NEXT, it, key, val, 0);
    g->fail = next;
    return val;
}

static size_t declared_arity(const gen *g, const term *t)
{
    if (t->call == CALL_FUNCTION)
        return t->function->arity;
    if (t->call == CALL_HOST)
        return g->k->p->hosts[t->host].arity;
    unsigned arity = t->builtin ? rego_builtin_arity(t->builtin) : REGO_VARIADIC;
    return arity != REGO_VARIADIC ? arity : t->n - 1;
}

/* Annotations are known when the policy is compiled. */
static unsigned gen_metadata(gen *g, const term *t)
{
    unsigned dst = new_reg(g);
    bool chain = vs_span_is(t->name, "rego.metadata.chain");
    if (!g->def) {
        comp_error(g->c, REGO_COMPILE_ERROR, g->mod, &t->at, "%.*s: there is no rule here",
                   VS_FMT(t->name));
        return dst;
    }
    vs_val v = chain ? metadata_chain(g->k, g->def) : metadata_rule(g->k, g->def);
    emit(g, OP_LOADK, dst, 0, 0, add_const(g->k, v));
    return dst;
}

static unsigned gen_call(gen *g, term *t)
{
    opcode test = comparison(t);
    unsigned dst;
    if (test != OP_COUNT) {
        unsigned l = gen_term(g, t->items[1]), r = gen_term(g, t->items[2]);
        dst = new_reg(g);
        size_t i = emit(g, OP_CMP, dst, l, r, 0);
        if (i < g->n)
            g->at[i].n = (uint8_t)test;
        return dst;
    }
    if (t->call == CALL_BUILTIN && vs_span_starts(t->name, VS_LIT("rego.metadata.")))
        return gen_metadata(g, t);
    if (vs_span_is(t->name, "internal.member_3") && t->call == CALL_BUILTIN)
        return gen_member3(g, t);
    if (t->call == CALL_BUILTIN && vs_span_is(t->name, "print"))
        return gen_print(g, t);
    if (t->call == CALL_BUILTIN && is_arithmetic(t->name) && t->n == 3) {
        unsigned l = gen_term(g, t->items[1]), r = gen_term(g, t->items[2]);
        dst = new_reg(g);
        emit(g, OP_ARITH, dst, l, r, add_builtin(g->k, t->builtin));
        return dst;
    }
    size_t arity = declared_arity(g, t), given = t->n - 1;
    unsigned first = gen_args(g, t, arity);
    dst = emit_call(g, t, first, arity);
    if (t->call == CALL_BUILTIN && t->builtin && (t->builtin->flags & REGO_BF_RELATION))
        dst = gen_relation(g, dst);
    if (given == arity + 1) { /* f(x, out) */
        gen_match(g, t->items[given], dst);
        unsigned yes = new_reg(g);
        emit(g, OP_LOADK, yes, 0, 0, add_const(g->k, vs_bool(true)));
        return yes;
    }
    return dst;
}

/* ---- collections -------------------------------------------------------------------------------
 */

static unsigned gen_collection(gen *g, term *t)
{
    unsigned dst = new_reg(g);
    if (load_constant(g, t, dst))
        return dst;
    unsigned *regs = vs_alloc_array(g->c->a, t->n ? t->n : 1, sizeof *regs);
    for (size_t i = 0; regs && i < t->n; i++)
        regs[i] = gen_term(g, t->items[i]);
    unsigned first = new_regs(g, t->n ? t->n : 1);
    for (size_t i = 0; regs && i < t->n; i++)
        emit(g, OP_MOVE, first + (unsigned)i, regs[i], 0, 0);
    opcode op = t->kind == T_ARRAY ? OP_ARRAY : t->kind == T_SET ? OP_SET : OP_OBJECT;
    emit(g, op, dst, first, 0, (uint32_t)(t->kind == T_OBJECT ? t->n / 2 : t->n));
    return dst;
}

static unsigned gen_comprehension(gen *g, term *t)
{
    unsigned builder = new_reg(g), dst = new_reg(g);
    uint32_t saved = g->fail, end = new_label(g);
    emit(g, OP_NEW, builder, 0, 0, 0);
    g->fail = end;
    gen_body(g, t->body);
    unsigned head = gen_term(g, t->items[0]);
    if (t->kind == T_OBJECT_COMPR)
        emit(g, OP_ADDPAIR, builder, head, gen_term(g, t->items[1]), 0);
    else
        emit(g, OP_ADD, builder, head, 0, 0);
    emit_jump(g, g->fail);
    place(g, end);
    g->fail = saved;
    opcode op = t->kind == T_ARRAY_COMPR ? OP_END_ARRAY
                : t->kind == T_SET_COMPR ? OP_END_SET
                                         : OP_END_OBJECT;
    emit(g, op, dst, builder, 0, 0);
    return dst;
}

static unsigned gen_template(gen *g, term *t)
{
    if (t->n > 255) {
        comp_error(g->c, REGO_COMPILE_ERROR, g->mod, &t->at,
                   "a template string has too many parts");
        return 0;
    }
    const term *open = first_missing(g, t);
    if (open) {
        report_unsafe(g, open);
        return 0;
    }
    unsigned first = gen_maybes(g, t->items, t->n), dst = new_reg(g);
    size_t i = emit(g, OP_TEMPLATE, dst, first, 0, 0);
    if (i < g->n)
        g->at[i].n = (uint8_t)t->n;
    return dst;
}

unsigned gen_term(gen *g, term *t)
{
    unsigned dst;
    if (g->c->failed)
        return 0;
    switch (t->kind) {
    case T_VAR:
        if (is_unbound_var(g, t))
            report_unsafe(g, t);
        return var_reg(g, t);
    case T_SCALAR:
        dst = new_reg(g);
        (void)load_constant(g, t, dst);
        return dst;
    case T_INPUT:
        dst = new_reg(g);
        emit(g, OP_INPUT, dst, 0, 0, add_const(g->k, vs_empty(VS_ARRAY)));
        return dst;
    case T_DATA: return gen_document(g, g->k->p->root);
    case T_REF: return gen_ref(g, t);
    case T_CALL: return gen_call(g, t);
    case T_ARRAY:
    case T_SET:
    case T_OBJECT: return gen_collection(g, t);
    case T_TEMPLATE: return gen_template(g, t);
    default: return gen_comprehension(g, t);
    }
}

void gen_into(gen *g, term *t, unsigned dst)
{
    emit(g, OP_MOVE, dst, gen_term(g, t), 0, 0);
}

/* ---- patterns ----------------------------------------------------------------------------------
 */

static void gen_match_items(gen *g, term *pattern, unsigned reg)
{
    bool object = pattern->kind == T_OBJECT;
    emit(g, object ? OP_OBJLEN : OP_LEN, 0, reg, 0,
         (uint32_t)(object ? pattern->n / 2 : pattern->n));
    for (size_t i = 0; i < pattern->n; i += object ? 2 : 1) {
        unsigned item = new_reg(g);
        if (object)
            emit(g, OP_INDEX, item, reg, gen_term(g, pattern->items[i]), 0);
        else
            emit(g, OP_INDEXK, item, reg, 0, add_const(g->k, vs_int((int64_t)i)));
        gen_match(g, pattern->items[object ? i + 1 : i], item);
    }
}

void gen_match(gen *g, term *pattern, unsigned reg)
{
    if (g->c->failed)
        return;
    if (is_unbound_var(g, pattern)) {
        emit(g, OP_MOVE, var_reg(g, pattern), reg, 0, 0);
        g->bound[pattern->var] = true;
    } else if ((pattern->kind == T_ARRAY || pattern->kind == T_OBJECT) && has_unbound(g, pattern)) {
        gen_match_items(g, pattern, reg);
    } else {
        emit(g, OP_EQ, 0, reg, gen_term(g, pattern), 0);
    }
}

/* ---- statements --------------------------------------------------------------------------------
 */

static bool never_false(const term *t)
{
    switch (t->kind) {
    case T_ARRAY:
    case T_SET:
    case T_OBJECT:
    case T_ARRAY_COMPR:
    case T_SET_COMPR:
    case T_OBJECT_COMPR:
    case T_TEMPLATE: return true;
    default: return false;
    }
}

void gen_statement(gen *g, term *t)
{
    opcode test = comparison(t);
    if (test != OP_COUNT) {
        g->l = t->items[1]; /* what is undefined, should it be */
        unsigned l = gen_term(g, t->items[1]);
        g->l = t->items[2];
        unsigned r = gen_term(g, t->items[2]);
        g->l = t->items[1];
        g->r = t->items[2];
        emit(g, test, 0, l, r, 0);
    } else {
        g->l = t;
        unsigned reg = gen_term(g, t);
        g->l = t;
        if (!never_false(t))
            emit(g, OP_TRUTHY, 0, reg, 0, 0);
    }
    g->l = g->r = NULL;
}
