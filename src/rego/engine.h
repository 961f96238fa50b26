/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rego policies: compile once, evaluate many times.
 *
 * A rego_program is immutable, reference counted and may be evaluated by many threads at once; each
 * thread uses its own rego_eval. Evaluation is pure: time, random seed, input, data and host
 * functions come from the caller; every evaluation runs under limits, and exceeding one is an error
 * that denies, never "undefined".
 *
 * Language: rego.md (OPA v1 by default, v0 on request), `not` as in regorus (section 6.6).
 */
#ifndef VS_REGO_ENGINE_H
#define VS_REGO_ENGINE_H

#include "base/buf.h"
#include "value/value.h"

/* Section 8; the text form is what OPA prints. */
typedef enum rego_errcode {
    REGO_OK = 0,
    REGO_PARSE_ERROR,
    REGO_COMPILE_ERROR,
    REGO_TYPE_ERROR,
    REGO_UNSAFE_VAR_ERROR,
    REGO_RECURSION_ERROR,
    REGO_EVAL_CONFLICT,
    REGO_EVAL_TYPE,
    REGO_EVAL_BUILTIN,
    REGO_EVAL_WITH_MERGE,
    REGO_EVAL_LIMIT, /* a budget was exceeded */
    REGO_EVAL_HOST,  /* a host function failed */
    REGO_EVAL_INTERNAL,
} rego_errcode;
const char *rego_errcode_name(rego_errcode c); /* "rego_parse_error", "eval_conflict_error", ... */

/* Where and what; `message` without position. row, col are 1-based, 0 = unknown. */
typedef struct rego_diag {
    rego_errcode code;
    uint32_t row, col;
    char file[128];
    char message[512];
} rego_diag;

typedef struct rego_limits { /* 0 = the default of rego.md 18.5 */
    uint64_t steps;          /* instructions and cost units inside builtins; 10 million */
    size_t arena_bytes;      /* 64 MiB */
    uint32_t call_depth;     /* 256 */
    int64_t wall_ns;         /* 1 s without host calls */
} rego_limits;

/* A function the host supplies, found after user functions and before builtins (16.4). */
typedef struct rego_host_decl {
    const char *name; /* dotted, must outlive the program */
    unsigned arity;
} rego_host_decl;

typedef struct rego_module {
    const char *name; /* file name for messages */
    vs_span text;
    bool v0;
} rego_module;

typedef struct rego_options {
    const rego_host_decl *hosts;
    size_t n_hosts;
    bool nonstrict_builtin_errors; /* default: a builtin error aborts, as in Trustee */
    bool legacy_not;               /* `not` as in OPA before future.keywords.not (6.6) */
    bool strict_types;             /* comparisons that can never hold are errors, as in OPA */
    bool no_type_check;            /* leave wrong types to the evaluation */
    bool late_unknown_functions;   /* an unknown function fails only when reached (16.2) */
    /* An optional ad-hoc query (section 9), compiled as one more entry point; `query_v0`, imports.
     */
    vs_span query;
    bool query_v0;
    const char *query_package;        /* "a.b": names of its rules mean them; NULL = none */
    const char *const *query_imports; /* "data.a.b as c" */
    size_t n_query_imports;
    bool no_fold, no_index, no_memo; /* switch optimisations off (differential tests) */
} rego_options;

typedef struct rego_program rego_program;

/* Compiles with every static check. On failure *out is NULL, `diag` (may be NULL) says where, err
 * has "file:row:col: code: message". The module texts need not outlive the call. */
VS_MUST vs_code rego_compile(const rego_module *modules, size_t n, const rego_options *opts,
                             rego_program **out, rego_diag *diag, vs_error *err);
/* Parses only: what Trustee checks when a policy is uploaded (16.2). */
VS_MUST vs_code rego_check_syntax(vs_span text, bool v0, rego_diag *diag, vs_error *err);
/* The line of the source a diagnosis is about, and a caret below the place; nothing when the place
 * is unknown or not in `text`. */
void rego_diag_excerpt(const rego_diag *d, vs_span text, vs_buf *out);
/* The policy in the usual layout, appended to `out`. A text that does not parse is an error, and
 * one whose layout cannot be changed without changing its tokens. */
VS_MUST vs_code rego_format(const char *name, vs_span text, bool v0, vs_buf *out, rego_diag *diag,
                            vs_error *err);
rego_program *rego_program_ref(rego_program *p);
void rego_program_unref(rego_program **p);
/* Calls `each` with the path ("data.policy.allow") of every rule that is no function, in order. */
void rego_program_rules(const rego_program *p, void (*each)(void *user, const char *path),
                        void *user);
/* Disassembly of the whole program, for people. */
void rego_program_dump(const rego_program *p, vs_arena *a, vs_buf *out);

/* ---- evaluation --------------------------------------------------------------------------------
 */

/* Called for a declared host function with evaluated arguments; the result lives on `a`. Any
 * failure aborts the evaluation. Results are cached per evaluation by name and arguments. */
typedef vs_code (*rego_host_fn)(void *user, const char *name, const vs_val *args, unsigned n,
                                vs_arena *a, vs_val *out, vs_error *err);

/* Rows that were evaluated, over any number of evaluations of one program; not thread safe. */
typedef struct rego_coverage rego_coverage;
typedef enum rego_row {
    REGO_ROW_NONE, /* nothing to evaluate */
    REGO_ROW_MISSED,
    REGO_ROW_COVERED,
} rego_row;
VS_MUST vs_code rego_coverage_new(rego_program *p, rego_coverage **out, vs_error *err);
void rego_coverage_free(rego_coverage **c);
rego_row rego_coverage_row(const rego_coverage *c, const char *module, uint32_t row);

typedef struct rego_inputs {
    vs_val input;   /* undefined = no input document */
    vs_val data;    /* base document: an object, or undefined for {} */
    int64_t now_ns; /* time.now_ns() */
    uint64_t seed;  /* rand.intn, uuid.rfc4122 */
    rego_host_fn host;
    void *host_user;
    void (*print)(void *user, vs_span line); /* NULL = print() costs nothing */
    void *print_user;
    bool explain;            /* record why rules failed, see rego_explain */
    rego_coverage *coverage; /* NULL = costs nothing */
    rego_limits limits;
} rego_inputs;

typedef struct rego_eval rego_eval;

/* A context for one thread, reusable; holds a reference to the program and an arena that is kept
 * warm between evaluations. */
VS_MUST vs_code rego_eval_new(rego_program *p, rego_eval **out, vs_error *err);
void rego_eval_free(rego_eval **e);
/* Starts a new evaluation: forgets all results of the one before. The values of `in` must outlive
 * it. */
VS_MUST vs_code rego_eval_begin(rego_eval *e, const rego_inputs *in, vs_error *err);

typedef enum rego_presence {
    REGO_ABSENT,    /* no rule or default of that path exists in the program */
    REGO_UNDEFINED, /* it exists, and has no value for these inputs */
    REGO_VALUE,
} rego_presence;
/* Evaluates a document such as "data.policy.allow". *value lives on the evaluation's arena until
 * the next begin. Rules share memoised results within one evaluation. A failure (conflict, strict
 * builtin error, limit) is an error code and fills diag. */
VS_MUST vs_code rego_eval_rule(rego_eval *e, const char *path, rego_presence *presence,
                               vs_val *value, rego_diag *diag, vs_error *err);
/* Runs the program's query: calls `yield` once per solution with an object of its bindings and an
 * array of the values of its expressions. */
VS_MUST vs_code rego_eval_query(rego_eval *e,
                                void (*yield)(void *user, vs_val bindings, vs_val values),
                                void *user, rego_diag *diag, vs_error *err);

/* What failed in the evaluation just made (explain must have been on): an array of
 *   {"rule": "data.policy.executables", "row": 12, "text": "<source of the expression>",
 *    "result": "false" | "undefined",
 *    "operands": [{"path": "input.cca.realm[\"...\"]", "value": ...}, {"path":
 *                 "query_reference_value(\"...\")", "value": null}]}
 * (an operand without a value has "exists": false instead) one entry per definition of the rule
 * that failed: its first failing expression. At most 64 entries, 4 KiB per value and 1 MiB in all.
 * `rule` NULL = all rules. */
vs_val rego_eval_explain(rego_eval *e, const char *rule, vs_arena *a);

/* The whole account of the evaluation just made, also when it ended with an error: an object
 *   {"rule": "data.policy.allow",
 *    "definitions": [{"rule", "file", "row", "depth", "succeeded": bool,
 *                     "held": [{"row", "text"}...],      expressions that were true, in order
 *                     "failed": {"row", "text", "result", "operands"}}...],
 *    "consulted": [{"path": "input.a.b", "exists": true, "value": ...},
 *                  {"path": "input.c.d", "exists": false, "missing_from": "input.c"},
 *                  {"path": "query_reference_value(\"x\")", "exists": true, "value": null}...],
 *    "omitted": 0}
 * of `rule` and all that it used; NULL = everything. Definitions stand in the order in which they
 * were started, `depth` says which needed which. "error": true marks those in which an error ended
 * the evaluation; "replaced": true what was read where `with` had put something else. A value
 * whose JSON is longer than `value_max` bytes is cut; 0 leaves out all values, and keys and
 * arguments that do not stand in the policy. 320 definitions, 256 paths and 1 MiB at most;
 * "omitted" counts what was not kept. Undefined without explain. */
vs_val rego_eval_report(rego_eval *e, const char *rule, size_t value_max, vs_arena *a);

typedef struct rego_stats {
    uint64_t steps;
    size_t arena_used, arena_held;
} rego_stats;
rego_stats rego_eval_stats(const rego_eval *e);

#endif
