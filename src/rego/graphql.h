/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GraphQL documents (GraphQL specification, October 2021), for the builtins graphql.*.
 *
 * A text is parsed (graphql_lexer.c, graphql_parse*.c) or a value decoded (graphql_ast.c) into the
 * nodes below; their names and shapes are those of the AST that OPA shows to policies. A schema
 * document becomes a gql_schema (graphql_schema.c), and a query is checked against it
 * (graphql_validate.c and the files it names). All nodes live on the arena of the rego_bctx.
 *
 * Everything works on a gql_ctx. The first error is kept and stops all work; functions that return
 * a node return NULL then.
 */
#ifndef VS_REGO_GRAPHQL_H
#define VS_REGO_GRAPHQL_H

#include "rego/builtin.h"

enum {
    GQL_NESTING = 100, /* of selection sets, values and types in a document */
    GQL_FOLLOW = 400,  /* of selection sets when fragments are followed */
};

typedef struct gql_pos {
    int line, column; /* from 1; line 0 = unknown */
} gql_pos;

typedef struct gql_ctx {
    rego_bctx *b;
    bool limit;  /* the budget, the memory or a depth was exceeded */
    bool failed; /* the document is wrong: message and where */
    unsigned depth;
    gql_pos at;
    char message[200];
} gql_ctx;

static inline bool gql_ok(const gql_ctx *c)
{
    return !c->failed && !c->limit;
}
bool rego_gql_charge(gql_ctx *c, uint64_t n);
/* Zeroed memory for a node, charged for; NULL when the budget or the memory is gone. */
void *rego_gql_new(gql_ctx *c, size_t size);
/* Keeps the first error. */
void rego_gql_fail(gql_ctx *c, gql_pos at, const char *fmt, ...) VS_PRINTF(3, 4);
/* One level deeper, or the limit. A level that was entered is left with c->depth--. */
bool rego_gql_enter(gql_ctx *c, unsigned max);

/* ---- nodes ---------------------------------------------------------------------------------- */

/* The head of every node. */
typedef struct gql_node {
    struct gql_node *next;
    gql_pos at;
} gql_node;

typedef struct gql_list {
    gql_node *first, *last;
    uint32_t n;
} gql_list;

void rego_gql_add(gql_list *l, void *node);
/* `for (GQL_EACH(gql_field, f, list))` */
#define GQL_EACH(type, it, list)                                                                   \
    type *it = (type *)(void *)(list).first;                                                       \
    it;                                                                                            \
    it = (type *)(void *)it->head.next

typedef struct gql_word {
    gql_node head;
    vs_span text;
} gql_word;

typedef struct gql_type {
    gql_node head;
    vs_span named;         /* or, if empty, */
    struct gql_type *elem; /* a list of */
    bool non_null;
} gql_type;

typedef enum gql_kind {
    GQL_VARIABLE,
    GQL_INT,
    GQL_FLOAT,
    GQL_STRING,
    GQL_BLOCK,
    GQL_BOOLEAN,
    GQL_NULL,
    GQL_ENUM,
    GQL_LIST,
    GQL_OBJECT,
} gql_kind;

typedef struct gql_value {
    gql_node head;
    vs_span raw;
    gql_list children; /* gql_arg */
    int64_t kind;      /* gql_kind */
    bool expected_default;
    /* set by validation */
    const gql_type *expected;
    const struct gql_def *def;
    struct gql_var *var;
} gql_value;

/* An argument, a member of an object value, or (without a name) an element of a list value. */
typedef struct gql_arg {
    gql_node head;
    vs_span name;
    gql_value *value;
} gql_arg;

typedef struct gql_directive {
    gql_node head;
    vs_span name, location;
    gql_list args; /* gql_arg */
} gql_directive;

typedef struct gql_var {
    gql_node head;
    vs_span name;
    gql_type *type;
    gql_value *value;    /* default, or NULL */
    gql_list directives; /* gql_directive */
    bool used;
    const struct gql_def *def; /* set by validation */
} gql_var;

typedef enum gql_select { GQL_FIELD, GQL_SPREAD, GQL_INLINE } gql_select;

typedef struct gql_selection {
    gql_node head;
    gql_select what;
    vs_span alias, name, condition;
    gql_list args, directives, selections;
    /* set by validation */
    const struct gql_field *def;  /* of a field */
    const struct gql_def *parent; /* the type selected from */
    struct gql_fragment *fragment;
} gql_selection;

typedef struct gql_operation {
    gql_node head;
    vs_span operation, name;
    gql_list vars, directives, selections;
} gql_operation;

typedef struct gql_fragment {
    gql_node head;
    vs_span name, condition;
    gql_list vars, directives, selections;
    bool used;
    int state;                 /* of the search for cycles */
    struct gql_fragment *from; /* and the fragment whose spread led here */
    uint32_t seen;             /* the round of a walk that came here last */
} gql_fragment;

typedef struct gql_query {
    gql_node head;
    gql_list operations, fragments;
} gql_query;

/* A field, an input field, an argument, or (without a type) an enum value of a schema. */
typedef struct gql_field {
    gql_node head;
    vs_span description, name;
    gql_list args; /* gql_field */
    gql_value *value;
    gql_type *type;
    gql_list directives;
} gql_field;

typedef struct gql_def {
    gql_node head;
    vs_span kind, description, name;
    gql_list directives, interfaces, fields, types, values;
    bool built_in;
} gql_def;

typedef struct gql_directive_def {
    gql_node head;
    vs_span description, name;
    gql_list args, locations;
    bool repeatable;
} gql_directive_def;

typedef struct gql_root {
    gql_node head;
    vs_span operation, type;
} gql_root;

typedef struct gql_schema_def {
    gql_node head;
    vs_span description;
    gql_list directives, roots;
} gql_schema_def;

typedef struct gql_document {
    gql_node head;
    gql_list schema, schema_extensions, directives, definitions, extensions;
} gql_document;

/* ---- texts and values ----------------------------------------------------------------------- */

gql_query *rego_gql_parse_query(gql_ctx *c, vs_span text);
gql_document *rego_gql_parse_schema(gql_ctx *c, vs_span text, bool built_in);

gql_query *rego_gql_query_of(gql_ctx *c, vs_val v);
gql_document *rego_gql_document_of(gql_ctx *c, vs_val v);
vs_val rego_gql_query_value(gql_ctx *c, const gql_query *q);
vs_val rego_gql_document_value(gql_ctx *c, const gql_document *d);

/* ---- schemas -------------------------------------------------------------------------------- */

typedef struct gql_schema {
    gql_def **types; /* sorted by name */
    size_t n_types;
    gql_directive_def **directives; /* sorted by name */
    size_t n_directives;
    gql_def *query, *mutation, *subscription; /* the roots, or NULL */
    gql_field *type_name;                     /* __typename, a field of everything */
} gql_schema;

/* Joins the document with the built-in types and directives, and checks the whole. Extensions are
 * added to the definitions of `doc`. */
gql_schema *rego_gql_schema(gql_ctx *c, gql_document *doc);
/* graphql_types.c */
void rego_gql_check_types(gql_ctx *c, const gql_schema *s);

gql_def *rego_gql_type(gql_ctx *c, const gql_schema *s, vs_span name);
gql_directive_def *rego_gql_directive(gql_ctx *c, const gql_schema *s, vs_span name);
gql_field *rego_gql_field(gql_ctx *c, const gql_list *fields, vs_span name);
gql_arg *rego_gql_arg(gql_ctx *c, const gql_list *args, vs_span name);
bool rego_gql_has_word(gql_ctx *c, const gql_list *words, vs_span text);
/* True when an object of type `d` is an `abstract`: itself, a member of the union, or one that
 * implements the interface. */
bool rego_gql_is_possible(gql_ctx *c, const gql_def *abstract, const gql_def *d);
/* The name at the bottom of lists. */
vs_span rego_gql_type_name(const gql_type *t);
/* "[Int!]!" */
const char *rego_gql_type_text(gql_ctx *c, const gql_type *t);

bool rego_gql_is_kind(const gql_def *d, const char *kind);
bool rego_gql_is_input(const gql_def *d);
bool rego_gql_is_leaf(const gql_def *d);
bool rego_gql_is_composite(const gql_def *d);

/* ---- validation ----------------------------------------------------------------------------- */

typedef struct gql_walk {
    gql_ctx *c;
    const gql_schema *schema;
    gql_query *query;
    gql_operation *operation; /* NULL in a fragment definition */
    bool in_fragments;        /* all operations are done */
    uint32_t round;
} gql_walk;

/* Checks the query against the schema (section 5); c tells whether it is valid. */
void rego_gql_validate(gql_ctx *c, const gql_schema *s, gql_query *q);
gql_fragment *rego_gql_fragment(gql_walk *w, vs_span name);

/* graphql_values.c: values against types (5.6, 5.8.5). */
void rego_gql_check_value(gql_walk *w, gql_value *v);
/* graphql_merge.c: fields of one response name (5.3.2). Fragments must have no cycles. */
void rego_gql_check_merge(gql_walk *w, const gql_list *selections);
/* graphql_fragments.c: cycles (5.5.2.2) and what else follows spreads. */
void rego_gql_check_cycles(gql_walk *w);
void rego_gql_check_introspection(gql_walk *w, const gql_selection *field);
void rego_gql_check_subscription(gql_walk *w, const gql_operation *o);

/* ---- tokens (for the parser) ---------------------------------------------------------------- */

typedef enum gql_tok {
    GQL_T_INVALID,
    GQL_T_EOF,
    GQL_T_BANG,
    GQL_T_DOLLAR,
    GQL_T_AMP,
    GQL_T_PAREN_L,
    GQL_T_PAREN_R,
    GQL_T_SPREAD,
    GQL_T_COLON,
    GQL_T_EQUALS,
    GQL_T_AT,
    GQL_T_BRACKET_L,
    GQL_T_BRACKET_R,
    GQL_T_BRACE_L,
    GQL_T_BRACE_R,
    GQL_T_PIPE,
    GQL_T_NAME,
    GQL_T_INT,
    GQL_T_FLOAT,
    GQL_T_STRING,
    GQL_T_BLOCK,
} gql_tok;

typedef struct gql_token {
    gql_tok kind;
    vs_span text; /* of names, numbers and strings (unescaped) */
    gql_pos at;
} gql_token;

typedef struct gql_lexer {
    gql_ctx *c;
    vs_span in;
    size_t at;
    int line, column;
    char error[96]; /* of the last invalid token */
} gql_lexer;

gql_token rego_gql_lex(gql_lexer *l);
const char *rego_gql_tok_name(gql_tok t);

typedef struct gql_parser {
    gql_ctx *c;
    gql_lexer lexer;
    gql_token token, before;
    bool peeked;
} gql_parser;

/* graphql_parse.c, for graphql_parse_schema.c too. */
gql_token rego_gql_peek(gql_parser *p);
gql_token rego_gql_next(gql_parser *p);
bool rego_gql_skip(gql_parser *p, gql_tok kind);
gql_token rego_gql_expect(gql_parser *p, gql_tok kind);
void rego_gql_keyword(gql_parser *p, const char *word);
void rego_gql_unexpected(gql_parser *p, gql_token t);
/* `open` item* `close`, or nothing. `some` wants at least one item. */
typedef void *(*gql_item)(gql_parser *p);
gql_list rego_gql_many(gql_parser *p, gql_tok open, gql_tok close, gql_item item);
gql_list rego_gql_some(gql_parser *p, gql_tok open, gql_tok close, gql_item item);
vs_span rego_gql_name(gql_parser *p);
vs_span rego_gql_operation_type(gql_parser *p);
gql_value *rego_gql_value(gql_parser *p, bool constant);
gql_type *rego_gql_parse_type(gql_parser *p);
gql_list rego_gql_directives(gql_parser *p, bool constant);
/* A new node where the parser stands. */
void *rego_gql_at(gql_parser *p, size_t size);
#define GQL_AT(p, type) ((type *)rego_gql_at((p), sizeof(type)))

#endif
