/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The syntax tree of a policy, on the arena of one compilation.
 *
 * The parser builds it; the resolver (resolve.c) replaces names by what they mean, in place: a
 * variable gets its number, a rule or import becomes a reference into `data`.
 */
#ifndef VS_REGO_AST_H
#define VS_REGO_AST_H

#include "rego/engine.h"

/* Where something stands in its module's text. */
typedef struct loc {
    uint32_t row, col;   /* 1-based */
    uint32_t start, end; /* byte offsets */
} loc;

typedef struct term term;
typedef struct literal literal;
typedef struct module module;

typedef struct body {
    literal **items;
    size_t n;
    struct scope *scope; /* set by the resolver */
} body;

typedef enum term_kind {
    T_SCALAR,       /* scalar: null, boolean, number, string */
    T_VAR,          /* name; after resolving: a local variable, var >= 0 */
    T_INPUT,        /* the input document (after resolving) */
    T_DATA,         /* the data document (after resolving) */
    T_REF,          /* items[0] indexed by items[1..] */
    T_CALL,         /* items[0] = function (T_VAR or T_REF), items[1..] = arguments */
    T_ARRAY,        /* items */
    T_SET,          /* items */
    T_OBJECT,       /* items = key, value, key, value, ... */
    T_ARRAY_COMPR,  /* [items[0] | body] */
    T_SET_COMPR,    /* {items[0] | body} */
    T_OBJECT_COMPR, /* {items[0]: items[1] | body} */
    T_TEMPLATE,     /* items: strings and expressions to be joined */
} term_kind;

typedef enum call_kind { CALL_UNRESOLVED, CALL_BUILTIN, CALL_FUNCTION, CALL_HOST } call_kind;

struct term {
    term_kind kind;
    loc at;
    const module *mod;
    vs_val scalar;
    vs_span name; /* T_VAR; T_CALL after resolving: dotted name */
    bool wildcard;
    bool raw;           /* T_TEMPLATE in back quotes */
    bool must_be_bound; /* T_VAR as an index where nothing may be enumerated */
    int var;            /* T_VAR: number in its code unit, -1 = unresolved */
    term **items;
    size_t n;
    unsigned depth; /* of the tree below */
    body *body;
    call_kind call;
    const struct rego_builtin *builtin;
    struct group *function;
    int host;
};

typedef enum literal_kind {
    L_EXPR,   /* a: a term that must not be false */
    L_UNIFY,  /* a = b */
    L_ASSIGN, /* a := b */
    L_SOME,   /* vars: declarations only */
    L_IN,     /* some [a,] b in c: key pattern (may be NULL), value pattern, collection */
    L_EVERY,  /* every [a,] b in c { body } */
    L_NOT,    /* not { body } */
} literal_kind;

typedef struct with_mod {
    term *target, *value;
    bool resolved; /* literals that were taken apart share their replacements */
} with_mod;

struct literal {
    literal_kind kind;
    bool block; /* L_NOT with braces: names of its own may be bound inside */
    loc at;
    term *a, *b, *c;
    term **vars;
    size_t n_vars;
    body *body;
    with_mod *with;
    size_t n_with;
};

/* One definition of a rule, or a branch of its else chain. */
typedef struct def {
    const module *mod;
    loc at;
    term **path; /* head reference: path[0] is a T_VAR, the rest constants or patterns */
    size_t n_path;
    bool is_default, contains, is_function;
    bool called;    /* written with parentheses */
    bool has_value; /* written in the source */
    bool assigned;  /* with := */
    term **args;
    size_t n_args;
    term *key;   /* `contains key` */
    term *value; /* never NULL for single-value rules: true when not written */
    body *body;  /* NULL = always true */
    struct def *else_def;
    /* Set by the resolver: */
    struct scope *scope;
    term **keys; /* the part of the path below its group */
    size_t n_keys;
} def;

typedef struct import {
    loc at;
    term **path; /* path[0] T_VAR input/data/future/rego */
    size_t n;
    vs_span alias;
    bool renamed; /* the alias was written */
} import;

typedef enum annotation_scope {
    SCOPE_RULE,
    SCOPE_DOCUMENT,
    SCOPE_PACKAGE,
    SCOPE_SUBPACKAGES
} annotation_scope;

typedef struct annotation {
    uint32_t row; /* of the statement it stands above */
    annotation_scope scope;
    vs_val value;
} annotation;

struct module {
    const char *name;
    vs_span text;
    bool v0;
    bool kw_if, kw_in, kw_every, kw_contains, kw_not; /* keywords in force */
    bool imported_rego, imported_future;
    bool rego_v1; /* v1 rules in force */
    vs_span *package;
    size_t n_package;
    import *imports;
    size_t n_imports, room_imports;
    import *language_imports; /* future.keywords, rego.v1 */
    size_t n_language_imports, room_language_imports;
    def **defs;
    size_t n_defs, room_defs;
    uint32_t package_row;
    annotation *annotations;
    size_t n_annotations, room_annotations;
};

/* No variables, references or comprehensions in it. */
bool is_ground(const term *t);

/* ---- errors: the first one stays ----------------------------------------------------------------
 */

typedef struct compilation {
    vs_arena *a;
    rego_diag diag;
    bool failed;
    bool legacy_not;
    bool tree_only; /* the tree as it is written, without what prepares it for compiling */
} compilation;

/* Records the first error. */
void comp_error(compilation *c, rego_errcode code, const module *m, const loc *at, const char *fmt,
                ...) VS_PRINTF(5, 6);

/* ---- parsing
 * --------------------------------------------------------------------------------------- */

/* Parses one module; check c->failed. The text must outlive the tree. */
module *parse_module(compilation *c, const char *name, vs_span text, bool v0);
/* Parses a query (a body) with the imports of a v1 module. */
body *parse_query(compilation *c, vs_span text, bool v0, module **mod);

#endif
