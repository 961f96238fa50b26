/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compiled policy: rule groups with bytecode, the tree of virtual documents, constants.
 *
 * All definitions of one rule form a group. A group's code computes its value once per evaluation
 * (memoised) or, for a function, per call. Code works on the registers of one frame; every
 * instruction that can be undefined or false has a `fail` target. A body is compiled to nested
 * loops: enumerating a collection makes "the next element" the fail target of what follows, so
 * backtracking is a jump.
 */
#ifndef VS_REGO_PROGRAM_H
#define VS_REGO_PROGRAM_H

#include <stdatomic.h>

#include "rego/builtin.h"
#include "rego/hash.h"

typedef enum opcode {
    OP_JUMP,       /* to fail */
    OP_FAIL,       /* the same, because `not` (n = 0) or `every` (n = 1) is false */
    OP_LOADK,      /* a = const k */
    OP_MOVE,       /* a = b */
    OP_UNDEF,      /* a = undefined */
    OP_INPUT,      /* a = input at path const k (array of keys); undefined fails */
    OP_BASE,       /* a = base document at path const k */
    OP_DOC,        /* a = document node k, virtual and base merged */
    OP_DOC_INDEX,  /* a = document node k indexed by b, and by the keys of array c when n is 1 */
    OP_DOC_EACH,   /* a = {key: member of document node k at that key and then the keys of b} */
    OP_RULE,       /* a = value of group k */
    OP_INDEX,      /* a = b[c] */
    OP_INDEXK,     /* a = b[const k] */
    OP_BASE_INDEX, /* a = b[c], where b is part of a base document */
    OP_ITER,       /* a, a+1 = iterator over b; not a collection: fail. n: b is the operand */
    OP_NEXT,       /* b = key, c = value of the next element of iterator a; at its end: fail */
    OP_TRUTHY,     /* b is false: fail */
    OP_EQ,         /* tests on b, c: fail unless they hold */
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_IN,        /* b in c */
    OP_CMP,       /* a = (b <op n> c): n is the opcode of a test above */
    OP_ARITH,     /* a = operator builtin k on b, c */
    OP_ARRAY,     /* a = [b, b+1, ...] (n items in k) */
    OP_SET,       /* a = {b, b+1, ...} */
    OP_OBJECT,    /* a = {b: b+1, ...} (k pairs) */
    OP_BUILTIN,   /* a = builtin k on n arguments from b */
    OP_CALL,      /* a = function group k on n arguments from b */
    OP_HOST,      /* a = host function k on n arguments from b */
    OP_LEN,       /* b is an array of k elements, else fail */
    OP_OBJLEN,    /* b is an object of k members, else fail */
    OP_NEW,       /* a = new builder */
    OP_ADD,       /* builder a gets b */
    OP_ADDPAIR,   /* builder a gets b: c */
    OP_END_ARRAY, /* a = builder b as array */
    OP_END_SET,
    OP_END_OBJECT,
    OP_PARTIAL, /* builder a gets the entry of k keys from b, value c; n: PARTIAL_* flags */
    OP_END_PARTIAL,
    OP_ONCE,     /* a = b, which must be equal when a has a value already (conflict) */
    OP_IF_UNDEF, /* a has a value: fail (jump) */
    OP_WITH,     /* starts replacements: k of them from table n.. see with_target */
    OP_WITH_END,
    OP_SKIP_PRINT, /* no print sink: fail (jump) */
    OP_PRINT,      /* prints n arguments from b (arrays of zero or one value) */
    OP_TEMPLATE,   /* a = joined n pieces from b (strings, or arrays of zero or one value) */
    OP_PICK,       /* a, a+1 = the definitions that index k leaves possible */
    OP_PICK_NEXT,  /* goes on with the next of them; none is left: fail */
    OP_DEF,        /* a definition starts (explanations) */
    OP_YIELD,      /* a solution of the query: k = names, values from b */
    OP_RETURN,     /* b; undefined when the register is */
    OP_COUNT,
} opcode;

enum { PARTIAL_SET = 1, PARTIAL_DEFAULT = 2 };

typedef struct insn {
    uint8_t op, n;
    uint16_t a, b, c;
    uint32_t k;
    uint32_t fail;
} insn;

/* Source of an instruction: its expression and, for tests, the operands. Offsets into a module. */
typedef struct debug {
    uint16_t mod;
    uint32_t row, col;
    uint32_t start, end;
    uint32_t l_start, l_end, r_start, r_end; /* 0, 0 = none */
} debug;

typedef struct code {
    insn *at;
    debug *dbg;
    size_t n;
    uint16_t n_regs, n_args;
} code;

/* What an index looks at. */
typedef enum subject_kind { SUBJECT_INPUT, SUBJECT_BASE, SUBJECT_ARGUMENT } subject_kind;
typedef struct subject {
    subject_kind kind;
    uint32_t argument;
    vs_val path; /* INPUT, BASE: array of keys */
} subject;

/* Definitions by the value of the subject: those of keys[i] are defs[first[i] .. first[i+1]), in
 * order; `others` are always candidates. */
typedef struct rule_index {
    subject subject;
    vs_val *keys;
    uint32_t *first, *defs;
    id_table table;
    uint32_t *others;
    size_t n_others;
    uint32_t *entry; /* where the code of each definition starts */
    size_t n_defs;
} rule_index;

typedef enum group_kind { GROUP_COMPLETE, GROUP_PARTIAL, GROUP_FUNCTION } group_kind;

typedef struct group {
    const char *name; /* "data.policy.allow" */
    vs_val path;      /* array of keys below data */
    group_kind kind;
    uint32_t id;
    unsigned arity;
    code code;
    struct def **defs;  /* compile time only, as are the units */
    struct unit *units; /* one per definition */
    size_t n_defs, room_defs;
    struct def *default_def;
    uint32_t *calls; /* groups this one may evaluate (static); compile time only */
    size_t n_calls, room_calls;
} group;

typedef struct node {
    vs_val key;
    struct node **children; /* sorted by key */
    size_t n, room;
    group *group;
    uint32_t id;
    vs_val path; /* keys from data */
    bool is_package;
} node;

/* One `with` replacement; the value register is given in the instruction that follows OP_WITH. */
typedef enum target_kind {
    TARGET_INPUT,
    TARGET_DATA,
    TARGET_FUNCTION,
    TARGET_BUILTIN,
    TARGET_HOST
} target_kind;
typedef struct with_target {
    target_kind kind;
    vs_val path;      /* INPUT, DATA: array of keys */
    uint32_t id;      /* FUNCTION: group, BUILTIN: index in builtins, HOST */
    uint16_t value;   /* register of the value, or: */
    bool is_function; /* replaced by a function: */
    uint8_t by_kind;  /* OP_CALL, OP_BUILTIN or OP_HOST */
    uint32_t by;
} with_target;

struct rego_program {
    atomic_uint refs;
    vs_arena arena;
    group **groups;
    size_t n_groups;
    node *root;
    node **nodes; /* by id */
    size_t n_nodes;
    vs_val *consts;
    size_t n_consts;
    const rego_builtin **builtins;
    size_t n_builtins;
    const rego_host_decl *hosts;
    size_t n_hosts;
    with_target *withs;
    size_t n_withs;
    rule_index **indexes;
    size_t n_indexes;
    const char **mod_names;
    bool *mod_v0;
    vs_span *mod_texts;
    size_t n_mods;
    code query;
    bool has_query;
    bool nonstrict;
    bool no_memo;
};

const char *opcode_name(opcode op);
/* The child of a document node with that key, or NULL. */
node *node_child(const node *n, vs_val key);

#endif
