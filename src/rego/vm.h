/* SPDX-License-Identifier: Apache-2.0 */
/* The state of an evaluation, shared by vm.c, vm_docs.c, vm_calls.c, vm_build.c, explain.c. */
#ifndef VS_REGO_VM_H
#define VS_REGO_VM_H

#include "rego/program.h"

typedef enum status {
    ST_OK,
    ST_UNDEFINED,
    ST_ERROR, /* e->diag says what; ends the evaluation */
} status;

typedef enum memo_state { MEMO_NONE, MEMO_ACTIVE, MEMO_UNDEFINED, MEMO_VALUE } memo_state;
/* The result of a rule. It counts only in the epoch that made it: every evaluation and every `with`
 * starts a new one, so nothing has to be cleared. */
typedef struct memo {
    uint64_t epoch;
    memo_state state;
    vs_val value;
} memo;

typedef struct mock {
    const with_target *target;
    vs_val value; /* when it is not a function */
    bool active;  /* off inside its own replacement */
} mock;

/* What one `with` replaced. */
typedef struct with_frame {
    struct with_frame *outer;
    vs_val input, data;
    memo *memos; /* of the outer evaluation while the replacements are in force */
    uint64_t epoch;
    size_t n_overrides, n_mocks;
} with_frame;

typedef struct host_result {
    uint32_t id;
    vs_val args, value;
} host_result;

enum { OVERRIDES_MAX = 64, MOCKS_MAX = 64 };

struct rego_eval {
    rego_program *p;
    vs_arena a;
    vs_val *stack;
    size_t sp;
    unsigned depth;
    rego_inputs in;
    vs_val input, data;
    memo *memos;
    memo *own_memos; /* outside of any `with`; from malloc */
    uint64_t epoch, last_epoch;
    vs_val overrides[OVERRIDES_MAX]; /* paths in data that `with` replaced */
    size_t n_overrides;
    mock mocks[MOCKS_MAX];
    size_t n_mocks;
    with_frame *with, *spare_with;
    host_result *hosts;
    size_t n_hosts, room_hosts;
    uint64_t steps, steps_at_start;
    int64_t deadline, host_ns;
    uint32_t call_depth;
    rego_bctx bctx;
    rego_diag diag;
    vs_error host_error;
    struct explanation *why; /* NULL = nothing is recorded; see explain.h */
    /* of the query being run */
    void (*yield)(void *user, vs_val bindings, vs_val values);
    void *yield_user;
};

/* Runs code with its arguments in args[0..code->n_args). */
status run(rego_eval *e, const code *c, const group *g, const vs_val *args, vs_val *out);
/* Records the first error. Returns ST_ERROR. */
status fail_at(rego_eval *e, const code *c, size_t pc, rego_errcode code, const char *fmt, ...)
    VS_PRINTF(5, 6);

/* vm_docs.c: documents */
status eval_group(rego_eval *e, const group *g, vs_val *out);
status eval_document(rego_eval *e, const node *n, vs_val *out);
status eval_document_key(rego_eval *e, const node *n, vs_val key, vs_val *out);
/* The base document at a node, with replacements. */
vs_val eval_base(const rego_eval *e, const node *n);
vs_val lookup(vs_val doc, vs_val path);
vs_val lookup_base(rego_eval *e, vs_val path);
/* A part of a document; `keys` are an array. */
status eval_document_path(rego_eval *e, const node *n, vs_val key, vs_val keys, vs_val *out);
/* The members of a document at `keys` below each of its own keys, by that key. */
status eval_document_each(rego_eval *e, const node *n, vs_val keys, vs_val *out);
/* Work that is not constant: false when a budget is gone. */
bool charge_steps(rego_eval *e, uint64_t n);
vs_val base_index(rego_eval *e, vs_val doc, vs_val key);
vs_val put_path(vs_arena *a, vs_val doc, const vs_val *path, size_t n, vs_val value);
/* Starts the replacements of a `with`; their values are in regs. */
status with_start(rego_eval *e, const code *c, size_t pc, const insn *i, const vs_val *regs);
void with_end(rego_eval *e);

/* vm_calls.c: functions, builtins, host functions */
status call_function(rego_eval *e, const code *c, size_t pc, const group *g, const vs_val *args,
                     vs_val *out);
status call_builtin(rego_eval *e, const code *c, size_t pc, uint32_t id, const vs_val *args,
                    unsigned n, vs_val *out);
status call_host(rego_eval *e, const code *c, size_t pc, uint32_t id, const vs_val *args,
                 unsigned n, vs_val *out);
status arithmetic(rego_eval *e, const code *c, size_t pc, uint32_t id, vs_val x, vs_val y,
                  vs_val *out);
void print_values(rego_eval *e, const vs_val *args, unsigned n);
vs_val join_template(rego_eval *e, const vs_val *parts, unsigned n);

/* vm_build.c: collections under construction */
typedef struct builder builder;
vs_val builder_new(rego_eval *e);
void builder_add(vs_val b, vs_val v);
void builder_pair(vs_val b, vs_val k, vs_val v);
void builder_entry(rego_eval *e, vs_val v, const vs_val *keys, size_t n, vs_val value,
                   unsigned flags);
vs_val builder_array(vs_val b);
vs_val builder_set(vs_val b);
/* Undefined on a conflict. */
vs_val builder_object(vs_val b);
vs_val builder_partial(rego_eval *e, vs_val b, bool empty_is_set, const char **conflict);

/* coverage.c */
void coverage_mark(rego_coverage *c, const debug *d);

#endif
