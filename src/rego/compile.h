/* SPDX-License-Identifier: Apache-2.0 */
/* What the phases of the compiler share: link.c, resolve.c, safety.c, gen_*.c. */
#ifndef VS_REGO_COMPILE_H
#define VS_REGO_COMPILE_H

#include "rego/ast.h"
#include "rego/parse.h"
#include "rego/program.h"

enum { VARS_MAX = 4096, REGS_MAX = 16384 };

/* Names declared in one body; inner bodies see outer ones. */
typedef struct scope {
    struct scope *parent;
    unsigned depth;
    bool arguments; /* of a function */
    struct scoped_name {
        vs_span name;
        int var;
        bool declared; /* by := or some; otherwise by use */
        size_t
            from; /* number of the literal that declares it; inner bodies before it do not see it */
        loc at;
        bool used;
        bool must_be_used; /* declared by `some` or `every` */
    } * names;
    size_t n, room;
    size_t current; /* number of the literal being resolved */
    bool hiding;    /* resolving the right side of :=, which does not see what the left declares */
} scope;

typedef struct var_info {
    vs_span name;
    unsigned depth; /* of its scope */
    loc at;
} var_info;

/* One definition (or query) being compiled: its variables are registers of one frame. */
typedef struct unit {
    var_info *vars;
    size_t n, room;
} unit;

typedef struct compiler {
    compilation *c;
    rego_program *p;
    const rego_options *opts;
    module **mods;
    size_t n_mods;
    size_t room_groups, room_consts, room_builtins, room_withs, room_nodes, room_indexes;
    id_table interned; /* constants by value */
} compiler;

/* link.c: definitions into groups and the document tree. */
void link_modules(compiler *k);
group *find_group(const compiler *k, term *const *path, size_t n);
/* True when data.<package of m>.<name> is a rule or the start of one. */
bool is_package_rule(const compiler *k, const module *m, vs_span name);
void check_recursion(compiler *k);

/* resolve.c: names into variables, references, calls. */
void resolve_def(compiler *k, def *d, unit *u);
void resolve_query(compiler *k, const module *m, body *b, unit *u);

/* types.c: calls and patterns that can never succeed. */
void check_def_types(compiler *k, const def *d, const unit *u);
void check_query_types(compiler *k, const module *m, const body *b, const unit *u);

/* ---- code generation --------------------------------------------------------------------------
 */

typedef struct gen {
    compiler *k;
    compilation *c;
    unit *unit;
    group *group; /* NULL for the query */
    const module *mod;
    const def *def; /* NULL in queries */
    uint16_t mod_id;
    insn *at;
    debug *dbg;
    size_t n, room;
    uint32_t *labels; /* pc of each label, UINT32_MAX = not placed */
    size_t n_labels, room_labels;
    uint32_t fail;     /* label: where an undefined or false expression goes */
    unsigned var_base; /* register of variable 0 */
    unsigned next_reg, max_reg;
    bool *bound;       /* by variable */
    unsigned depth;    /* of the scope of the body being generated */
    const term *l, *r; /* operands of the test being emitted */
    const loc *where;  /* expression being emitted */
} gen;

uint32_t new_label(gen *g);
void place(gen *g, uint32_t label);
/* A label that stands for a known instruction. */
void place_at(gen *g, uint32_t label, uint32_t pc);
/* Appends an instruction; `fail` is set to the current fail label. Returns its index. */
size_t emit(gen *g, opcode op, unsigned a, unsigned b, unsigned c, uint32_t k);
void emit_jump(gen *g, uint32_t label);
/* A jump that means: this expression does not hold. `inner`: because one inside of it does not. */
void emit_fail(gen *g, uint32_t label, bool inner);
unsigned new_reg(gen *g);
unsigned new_regs(gen *g, size_t n);
uint32_t add_const(compiler *k, vs_val v);
uint32_t add_builtin(compiler *k, const rego_builtin *b);
void note_call(gen *g, const group *callee);

/* gen_term.c */
/* The value of a term without variables, references or calls; undefined otherwise. */
vs_val constant_value(const gen *g, const term *t);
unsigned gen_term(gen *g, term *t);
void gen_into(gen *g, term *t, unsigned dst);
/* Matches a value against a pattern, binding its unbound variables. */
void gen_match(gen *g, term *pattern, unsigned reg);
void gen_statement(gen *g, term *t);

/* gen_body.c: schedules and emits the literals of a body; afterwards g->fail is where the next
 * solution is looked for. */
void gen_body(gen *g, body *b);

/* gen_rule.c */
/* In this order, each step for all groups before the next: names, code (which finds unsafe
 * variables), types. */
void resolve_group(compiler *k, group *grp);
void gen_group(compiler *k, group *grp);
void check_group_types(compiler *k, const group *grp);
void gen_query(compiler *k, const module *m, body *b, unit *u, code *out);

/* safety.c */
bool is_ready(const gen *g, const term *t);
/* The first variable that the term needs and that has no value yet; NULL if none. */
const term *first_missing(const gen *g, const term *t);
void report_unsafe(gen *g, const term *v);
bool is_pattern_ready(const gen *g, const term *t);
bool is_literal_ready(const gen *g, const literal *l);
/* The first variable that keeps the literal from being ready; NULL if none. */
const term *unsafe_var(const gen *g, const literal *l);
bool is_unbound_var(const gen *g, const term *t);
bool has_unbound(const gen *g, const term *t);

#endif
