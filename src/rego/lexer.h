/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of Rego source (rego.md 2). */
#ifndef VS_REGO_LEXER_H
#define VS_REGO_LEXER_H

#include "rego/ast.h"

typedef enum tok_kind {
    TOK_EOF,
    TOK_IDENT, /* names and keywords alike */
    TOK_NUMBER,
    TOK_STRING,   /* text = contents, escapes undone */
    TOK_TEMPLATE, /* text = raw source between the quotes; `raw` = back quotes */
    TOK_OP,       /* op = the characters, packed by OP() */
} tok_kind;

#define OP1(a)    ((unsigned)(a))
#define OP2(a, b) ((unsigned)(a) << 8 | (unsigned)(b))

typedef struct token {
    tok_kind kind;
    loc at;
    vs_span text;
    unsigned op;
    bool raw;
    bool newline; /* a line break stands before it */
    bool space;   /* white space stands before it */
} token;

enum { TEMPLATES_MAX = 16 };

typedef struct lexer {
    compilation *c;
    const module *mod;
    vs_span in;
    size_t at, line_start;
    uint32_t row;
    unsigned templates; /* inside of each other */
} lexer;

void lexer_init(lexer *l, compilation *c, const module *mod, vs_span text);
/* One escape at *at (behind the backslash), written to *o (at most 4 bytes); false = malformed. */
bool lexer_unescape(vs_span in, size_t *at, uint8_t **o);
/* The next token; TOK_EOF at the end and after an error. */
token lexer_next(lexer *l);

#endif
