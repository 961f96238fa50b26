/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the two halves of the TOML reader: toml.c knows tables and their rules, toml_text.c the
 * text of keys and scalar values.
 */
#ifndef VS_VALUE_TOML_TEXT_H
#define VS_VALUE_TOML_TEXT_H

#include "value/toml.h"

typedef struct toml {
    vs_arena *a;
    vs_span in;
    size_t at; /* the cursor */
    vs_error *err;
    uint64_t dice; /* for the balance of key trees */
} toml;

/* The byte at the cursor plus `ahead`; 0 at the end (a NUL in the text is refused at the start). */
static inline uint8_t toml_peek(const toml *t, size_t ahead)
{
    return ahead < t->in.n - t->at ? t->in.p[t->at + ahead] : 0;
}

static inline bool toml_at_end(const toml *t)
{
    return t->at == t->in.n;
}

/* VS_E_PARSE naming line and column (in characters, from 1) of offset `at`. */
VS_MUST vs_code toml_fail(const toml *t, size_t at, const char *fmt, ...) VS_PRINTF(3, 4);
size_t toml_line_of(const toml *t, size_t at);

/* Refuses what is not UTF-8, control characters that TOML allows nowhere, and lone CRs. */
VS_MUST vs_code toml_check_text(const toml *t);
/* Skips spaces and tabs. */
void toml_blank(toml *t);
/* Skips a comment if there is one, then wants a line's end or the end of the text. */
VS_MUST vs_code toml_line_end(toml *t);
/* Skips blanks, comments and line ends, as inside arrays. */
void toml_skip_lines(toml *t);

/* One part of a key: bare, "basic" or 'literal'. */
VS_MUST vs_code toml_key_part(toml *t, vs_span *out);
/* A string, boolean, number or date at the cursor. */
VS_MUST vs_code toml_scalar(toml *t, vs_val *out);

#endif
