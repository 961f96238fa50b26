/* SPDX-License-Identifier: Apache-2.0 */
/*
 * librego: Rego policies for C programs.
 *
 * Compile a policy once, evaluate it as often as you like:
 *
 *     rego_source source = {.name = "policy.rego", .text = text, .size = strlen(text)};
 *     rego_policy *policy;
 *     rego_failure why;
 *     if (rego_policy_new(&source, 1, NULL, &policy, &why) != REGO_DONE)
 *         die(why.message);
 *     rego_context *ctx = rego_context_new(policy);
 *     rego_set_input(ctx, json, strlen(json), &why);
 *     const rego_value *allowed;
 *     if (rego_evaluate(ctx, "data.policy.allow", &allowed, &why) == REGO_DONE &&
 *         rego_kind_of(allowed) == REGO_KIND_BOOLEAN && rego_boolean(allowed))
 *         ...
 *
 * Fail closed: treat every result except the one that allows as a denial. A rule without a value is
 * NULL, never "false".
 *
 * Threads: a rego_policy is immutable and may be shared by any number of threads; rego_policy_ref
 * and rego_policy_free are atomic. A rego_context belongs to one thread at a time. There is no
 * global state.
 *
 * Memory: what a function returns through `const rego_value **` or `const char **` belongs to the
 * context and is valid until its next rego_set_*, rego_reset, rego_evaluate_query or
 * rego_context_free. Texts given to a function are copied unless said otherwise.
 *
 * Evaluation is pure: the time, the seed of pseudo-random functions, input, data and functions of
 * the host are all there is. The same of them gives the same result.
 */
#ifndef REGO_REGO_H
#define REGO_REGO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define REGO_API   __attribute__((visibility("default")))
#define REGO_CHECK __attribute__((warn_unused_result))

/* "1.0.0"; the soname has the first number. */
REGO_API const char *rego_version(void);

typedef enum rego_result {
    REGO_DONE = 0,
    REGO_BAD_POLICY, /* the policy does not parse or compile */
    REGO_BAD_INPUT,  /* a document is not JSON, or an argument makes no sense */
    REGO_FAILED,     /* the evaluation ended with an error: conflict, builtin, host function */
    REGO_OVER_LIMIT, /* a budget was exceeded */
    REGO_OUT_OF_MEMORY,
} rego_result;

/* Why something failed. Texts are NUL terminated, and cut when they are too long. */
typedef struct rego_failure {
    char code[32];     /* "rego_parse_error", "eval_conflict_error", ...; OPA's names */
    char file[128];    /* the source it is about; "" = none */
    uint32_t row, col; /* from 1; 0 = unknown */
    char message[768]; /* one line */
    char excerpt[512]; /* the line of the source, and a caret below the place; "" = none */
} rego_failure;

/* ---- policies ----------------------------------------------------------------------------------
 */

typedef struct rego_policy rego_policy;
typedef struct rego_context rego_context;
typedef struct rego_value rego_value;

typedef struct rego_source {
    const char *name; /* for messages: a file name */
    const char *text; /* UTF-8, need not be NUL terminated */
    size_t size;
    bool v0; /* Rego v0 syntax; `import rego.v1` switches to v1 as usual */
} rego_source;

/* A function of the host. The arguments are defined values. Answer with rego_answer_json once, or
 * not at all for "undefined". Return false, after rego_answer_failure if you like, to end the
 * evaluation with an error. A result is kept for the rest of the evaluation. */
typedef struct rego_answer rego_answer;
typedef bool (*rego_function)(void *user, const rego_value *const *args, size_t n,
                              rego_answer *answer);
REGO_API REGO_CHECK bool rego_answer_json(rego_answer *a, const char *json, size_t size);
REGO_API void rego_answer_failure(rego_answer *a, const char *why);

typedef struct rego_host_function {
    const char *name; /* dotted; found after rules of the policy and before builtins */
    unsigned arity;
    rego_function call;
    void *user;
} rego_host_function;

/* All members may be 0. */
typedef struct rego_config {
    const rego_host_function *functions;
    size_t n_functions;
    /* A failing builtin makes its expression undefined, as in `opa eval`; otherwise it ends the
     * evaluation. */
    bool lenient_builtins;
    /* Also refuse what OPA refuses and regorus evaluates: comparisons that can never hold, 1 ==
     * "a", unused variables of `some` and `every`, and the like (docs/rego.md). */
    bool strict_types;
    /* `not f(input.x)` fails when input.x is undefined, as in OPA without `future.keywords.not`. */
    bool legacy_not;
    const char *query; /* a query for rego_evaluate_query; NULL = none */
} rego_config;

/* Parses, checks and compiles. On failure *out is NULL and *why (may be NULL) says where. */
REGO_API REGO_CHECK rego_result rego_policy_new(const rego_source *sources, size_t n,
                                                const rego_config *config, rego_policy **out,
                                                rego_failure *why);
REGO_API rego_policy *rego_policy_ref(rego_policy *p);
/* NULL-safe. */
REGO_API void rego_policy_free(rego_policy *p);

/* ---- evaluation --------------------------------------------------------------------------------
 */

/* Exceeding a limit ends the evaluation with REGO_OVER_LIMIT. 0 = the default. */
typedef struct rego_budget {
    uint64_t steps;   /* instructions, and units of work inside builtins; 10 million */
    size_t memory;    /* bytes; 64 MiB */
    uint32_t depth;   /* nested rules and functions; 256 */
    uint64_t wall_ms; /* without the time in host functions; 1000 */
} rego_budget;

/* NULL when out of memory. Holds a reference to the policy. */
REGO_API rego_context *rego_context_new(rego_policy *p);
REGO_API void rego_context_free(rego_context *c);

/* JSON documents. Data must be an object. Until set there is no input, and data is {}. */
REGO_API REGO_CHECK rego_result rego_set_input(rego_context *c, const char *json, size_t size,
                                               rego_failure *why);
REGO_API REGO_CHECK rego_result rego_set_data(rego_context *c, const char *json, size_t size,
                                              rego_failure *why);
/* time.now_ns(); until set: the time of the first evaluation after a set or reset. */
REGO_API void rego_set_time(rego_context *c, int64_t ns_since_1970);
/* rand.intn and uuid.rfc4122; until set: 0. */
REGO_API void rego_set_seed(rego_context *c, uint64_t seed);
REGO_API void rego_set_budget(rego_context *c, const rego_budget *b);
/* Where print() writes; NULL = nowhere, and print costs nothing. The line is not NUL terminated. */
REGO_API void rego_set_print(rego_context *c,
                             void (*print)(void *user, const char *line, size_t size), void *user);
/* Keep the reasons for rego_explain. Off by default. */
REGO_API void rego_set_explain(rego_context *c, bool on);
/* A value in an explanation longer than that many bytes of JSON is cut; 0 leaves out all values,
 * so that an explanation can be logged where input or data are secret. 4096 by default. */
REGO_API void rego_set_explain_values(rego_context *c, size_t max);
/* Forgets the results of rules, keeps input and data: the next evaluation starts anew. */
REGO_API void rego_reset(rego_context *c);

/* The value of a document such as "data.policy.allow"; *value is NULL when it has none. Several
 * evaluations without a set or reset between them share the results of rules. */
REGO_API REGO_CHECK rego_result rego_evaluate(rego_context *c, const char *path,
                                              const rego_value **value, rego_failure *why);
/* The policy's query. `solution` is called once per solution: an object of the bindings, an array
 * of the values of the expressions. Return false to stop. */
REGO_API REGO_CHECK rego_result rego_evaluate_query(rego_context *c,
                                                    bool (*solution)(void *user,
                                                                     const rego_value *bindings,
                                                                     const rego_value *values),
                                                    void *user, rego_failure *why);

/* Why a rule has the value it has: a JSON object, from the evaluation just made (also one that
 * failed), not from another one.
 *
 *   "definitions": the definitions of `rule`, and of the rules it used, in the order in which they
 *       were tried: {"rule", "file", "row", "depth", "succeeded": true or false,
 *       "held": [{"row", "text"}, ...]: the expressions that were true,
 *       "failed": {"row", "text", "result": "false" or "undefined",
 *                  "operands": [{"path": "input.a.b", "value": ...}, ...]}: the first that was not}
 *   "consulted": what they read of input, data and the functions of the host:
 *       {"path": "input.a.b", "exists": true, "value": ...}, or
 *       {"path": "input.c.d", "exists": false, "missing_from": "input.c"}
 *   "omitted": how much was too much to keep; the whole is at most about 1 MiB.
 *
 * NULL without rego_set_explain, or when out of memory. `rule` NULL = all rules. */
REGO_API const char *rego_explain(rego_context *c, const char *rule);

typedef struct rego_usage {
    uint64_t steps;
    size_t memory; /* bytes of the last evaluation */
} rego_usage;
REGO_API rego_usage rego_used(const rego_context *c);

/* ---- values ------------------------------------------------------------------------------------
 */

typedef enum rego_kind {
    REGO_KIND_UNDEFINED, /* of NULL */
    REGO_KIND_NULL,
    REGO_KIND_BOOLEAN,
    REGO_KIND_NUMBER,
    REGO_KIND_STRING,
    REGO_KIND_ARRAY,
    REGO_KIND_OBJECT,
    REGO_KIND_SET,
} rego_kind;

REGO_API rego_kind rego_kind_of(const rego_value *v);
/* true for the boolean true only. */
REGO_API bool rego_boolean(const rego_value *v);
/* False when it is not an integer of that size. */
REGO_API bool rego_integer(const rego_value *v, int64_t *out);
/* The nearest double; NaN when it is no number. */
REGO_API double rego_double(const rego_value *v);
/* Not NUL terminated; NULL when it is no string. */
REGO_API const char *rego_string(const rego_value *v, size_t *size);
/* Members of an array, object or set; 0 for other kinds. */
REGO_API size_t rego_count(const rego_value *v);
/* The i-th element of an array, member of a set, or value of an object; in order. NULL = none. */
REGO_API const rego_value *rego_at(const rego_value *v, size_t i);
/* The i-th key of an object. */
REGO_API const rego_value *rego_key_at(const rego_value *v, size_t i);
/* The member of an object with that text as its key. */
REGO_API const rego_value *rego_get(const rego_value *v, const char *key);
/* The value as JSON (sets as sorted arrays), NUL terminated; NULL when out of memory. */
REGO_API const char *rego_json(rego_context *c, const rego_value *v);

#ifdef __cplusplus
}
#endif

#endif
