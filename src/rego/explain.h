/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an evaluation notes for its explanation: the definitions that were tried, and what they
 * read. explain.c records attempts, explain_read.c what was read, explain_report.c puts both into
 * words.
 *
 * Everything is bounded: what exceeds a bound is counted, not kept. Nothing is recorded, and
 * nothing costs more than a test of a pointer, unless rego_inputs.explain is set.
 */
#ifndef VS_REGO_EXPLAIN_H
#define VS_REGO_EXPLAIN_H

#include "rego/vm.h"

enum {
    ATTEMPTS_MAX = 256,     /* definitions kept */
    ATTEMPTS_PER_RULE = 64, /* so that one rule of a thousand definitions leaves room */
    ATTEMPTS_PER_FUNCTION = 16 /* and one function called in a loop */,
    ATTEMPTS_SPARE = 64, /* for definitions that succeeded when the others are used up */
    READS_MAX = 256,
    READS_PER_INSN = 8, /* an expression in a loop reads other members each time */
    READ_KEYS_MAX = 32,
    NO_ATTEMPT = UINT32_MAX,
};

/* One definition being tried; in the frame of its rule. */
typedef struct trail {
    bool open, succeeded;
    uint32_t attempt, outer; /* this one, and the one that was current before */
    uint32_t def_pc, pc;     /* pc: the expression that got furthest and failed, 0 = none */
    vs_val l, r;             /* its operands, undefined = none */
} trail;

typedef struct attempt {
    const group *g;
    const code *c;
    uint32_t outer; /* the attempt that needed this one */
    bool ended;     /* otherwise an error ended the evaluation in it */
    trail t;
} attempt;

typedef enum read_kind { READ_INPUT, READ_DATA, READ_HOST, READ_RULE } read_kind;

typedef struct read_note {
    read_kind kind;
    const group *by; /* NULL = the query */
    bool replaced;   /* inside a `with` */
    vs_val keys;     /* INPUT, DATA: the path; HOST: the arguments */
    uint32_t fixed;  /* bit i: key i stands in the policy's text, it is no value */
    uint32_t id;     /* HOST: the function, RULE: the group, DATA: the node + 1, if any */
    vs_val value;    /* undefined = there is none */
} read_note;

typedef struct explanation {
    attempt *attempts;
    size_t n, room;
    read_note *reads;
    size_t n_reads, room_reads;
    size_t lost; /* not kept */
    uint32_t current;
    uint16_t *per_group;
    struct seen {
        uintptr_t insn;
        unsigned n;
    } seen[64];
} explanation;

/* NULL when out of memory: the arena has failed then, and the evaluation with it. */
explanation *explain_new(rego_eval *e);
void trail_start(rego_eval *e, trail *t, const code *c, const group *g, uint32_t pc);
void trail_fail(trail *t, const code *c, uint32_t pc, const vs_val *regs);
void trail_end(rego_eval *e, trail *t, const code *c, const group *g);
/* The instruction at pc has read something; its result is in its register. */
void explain_read(rego_eval *e, const code *c, const group *g, const trail *t, uint32_t pc,
                  const vs_val *regs);

#endif
