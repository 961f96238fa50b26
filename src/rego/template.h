/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's text/template over plain data (strings.render_template, rego.md 10.4): text -> tokens
 * (template_lex.c) -> trees (template_parse.c) -> output (template_exec.c), with the functions of
 * template_funcs.c.
 *
 * All of the language but what plain data has no use for: complex numbers, channels, functions and
 * methods. Everything lives on the arena of the call. Work is charged to the budget of the
 * evaluation; nesting and output are bounded.
 */
#ifndef VS_REGO_TEMPLATE_H
#define VS_REGO_TEMPLATE_H

#include "rego/builtin.h"
#include "rego/gofmt.h"

enum {
    TPL_DEPTH_MAX = 100,     /* blocks and parentheses within each other, in the text */
    TPL_CALLS_MAX = 200,     /* templates that call each other */
    TPL_OUTPUT_MAX = 4 << 20 /* bytes */
};

/* ---- tokens --------------------------------------------------------------------------------- */

typedef enum tpl_token_kind {
    TPL_ERROR, /* text = the message */
    TPL_EOF,
    TPL_TEXT,
    TPL_LEFT,  /* {{ */
    TPL_RIGHT, /* }} */
    TPL_SPACE,
    TPL_ASSIGN,  /* = */
    TPL_DECLARE, /* := */
    TPL_PIPE,
    TPL_OPEN,
    TPL_CLOSE,
    TPL_CHAR, /* another one, such as ',' */
    TPL_BOOL,
    TPL_RUNE, /* 'c' */
    TPL_NUMBER,
    TPL_FIELD, /* .name */
    TPL_NAME,
    TPL_VARIABLE, /* $name */
    TPL_STRING,
    TPL_RAW,
    TPL_DOT, /* from here on: words */
    TPL_NIL,
    TPL_BLOCK,
    TPL_BREAK,
    TPL_CONTINUE,
    TPL_DEFINE,
    TPL_ELSE,
    TPL_END,
    TPL_IF,
    TPL_RANGE,
    TPL_TEMPLATE,
    TPL_WITH,
} tpl_token_kind;

typedef struct tpl_token {
    tpl_token_kind kind;
    uint32_t line, column; /* of its start, from 1; columns are bytes and from 0 */
    vs_span text;
} tpl_token;

/* All tokens of a text, the last of them TPL_EOF or TPL_ERROR; NULL when memory or the budget is
 * gone. */
const tpl_token *tpl_lex(rego_bctx *b, vs_span text);

/* ---- trees ---------------------------------------------------------------------------------- */

typedef enum tpl_operand_kind {
    TPL_OP_DOT,
    TPL_OP_NIL,
    TPL_OP_CONSTANT, /* value */
    TPL_OP_OVERFLOW, /* an integer that is none of Go's int; an error when it is evaluated */
    TPL_OP_FIELD,    /* .a.b */
    TPL_OP_VARIABLE, /* $name.a.b */
    TPL_OP_FUNCTION, /* name */
    TPL_OP_PIPE,     /* ( pipe ) */
    TPL_OP_CHAIN,    /* ( pipe ).a.b, name.a.b */
} tpl_operand_kind;

typedef struct tpl_pipe tpl_pipe;

typedef struct tpl_operand {
    tpl_operand_kind kind;
    uint32_t line, column;
    vs_span source;        /* as it is written, for messages */
    vs_span name;          /* of a variable or function */
    go_val value;          /* TPL_OP_CONSTANT */
    const vs_span *fields; /* behind it */
    size_t n_fields;
    const tpl_pipe *pipe;             /* TPL_OP_PIPE */
    const struct tpl_operand *inside; /* TPL_OP_CHAIN */
} tpl_operand;

typedef struct tpl_command {
    const tpl_operand *args; /* at least one: what is evaluated or called */
    size_t n;
    vs_span source;
    struct tpl_command *next;
} tpl_command;

struct tpl_pipe {
    vs_span names[2]; /* of $names := */
    size_t n_names;
    bool assign;                 /* =, not := */
    const tpl_command *commands; /* at least one */
};

typedef enum tpl_node_kind {
    TPL_N_TEXT,
    TPL_N_PIPE, /* its value is printed, unless it sets variables */
    TPL_N_IF,
    TPL_N_WITH,
    TPL_N_RANGE,
    TPL_N_CALL, /* {{template "name" pipe}} */
    TPL_N_BREAK,
    TPL_N_CONTINUE,
} tpl_node_kind;

typedef struct tpl_node {
    tpl_node_kind kind;
    uint32_t line, column;
    vs_span text; /* TPL_N_TEXT: the text; TPL_N_CALL: the name */
    const tpl_pipe *pipe;
    const struct tpl_node *body, *otherwise; /* lists */
    struct tpl_node *next;
} tpl_node;

typedef struct tpl_tree {
    vs_span name;
    const tpl_node *body;
    struct tpl_tree *next;
} tpl_tree;

/* The trees of a text: the one named "template" and those it defines. Errors of any part of the
 * text are errors, whether that part will be executed or not. */
rego_bres tpl_parse(rego_bctx *b, vs_span text, const tpl_tree **out);
const tpl_tree *tpl_find(const tpl_tree *trees, vs_span name);

/* ---- functions ------------------------------------------------------------------------------ */

typedef struct tpl_call {
    rego_bctx *b;
    const go_val *args; /* as evaluated: boxed when they come out of a collection */
    size_t n;
    const char *error; /* set when the function fails: its message, on the arena */
} tpl_call;

typedef struct tpl_function {
    const char *name;
    go_val (*call)(tpl_call *c); /* NULL: `and` and `or`, which evaluate what they need */
    uint8_t least;               /* number of arguments */
    bool more;                   /* or more of them */
    bool format;                 /* the first must be a string */
    bool any;                    /* takes interface {}: what is missing is nil */
} tpl_function;

const tpl_function *tpl_function_named(vs_span name);
/* The value in a box, or the value. */
static inline go_val tpl_unbox(go_val v)
{
    v.boxed = false;
    return v;
}
/* Go's truth: false, 0, "" and what is empty or nil are false; any json.Number is a string. */
bool tpl_truth(go_val v);
static inline bool tpl_missing(go_val v)
{
    return v.kind == GO_NIL && !v.boxed;
}

/* ---- execution ------------------------------------------------------------------------------ */

rego_bres tpl_execute(rego_bctx *b, const tpl_tree *trees, vs_val data, vs_buf *out);

#endif
