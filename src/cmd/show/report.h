/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `vouchsafe decode` shows of evidence and tokens, built once and written as text (a tree on a
 * terminal), or as a self-contained HTML page: a tree of names and values, checks, and trust
 * vectors.
 *
 * Names and notes are ours; texts may be a stranger's. The writers escape everything alike. A
 * report lives on an arena, and what it shows must outlive it.
 */
#ifndef VS_CMD_SHOW_REPORT_H
#define VS_CMD_SHOW_REPORT_H

#include "cmd/view.h"

typedef struct report_cell {
    vs_span text;
    vs_span bytes; /* shown in hexadecimal when p is not NULL */
} report_cell;

enum { REPORT_COLUMNS_MAX = 8 };
typedef struct report_table {
    const char *columns[REPORT_COLUMNS_MAX];
    size_t n_columns, n_rows;
    report_cell *cells; /* row by row */
} report_table;

typedef struct report_node {
    const char *name;
    report_cell value;
    const char *note;          /* what the value means; NULL = nothing to say */
    const report_table *table; /* NULL = none */
    struct report_node *first, *last, *next;
} report_node;

typedef enum report_mark { REPORT_PASSED, REPORT_FAILED, REPORT_OPEN } report_mark;

typedef struct report_check {
    const char *name;
    report_mark mark;
    const char *why;
} report_check;

/* The vector of one submod; when nothing is set, note says why. */
typedef struct report_vector {
    vs_span name;
    ear_tier status;
    ear_vector vector;
    const char *note; /* may be NULL */
} report_vector;

enum { REPORT_CHECKS_MAX = 16, REPORT_VECTORS_MAX = 64 };
typedef struct report {
    vs_arena *a;
    const char *title;
    const char *summary; /* one line below the title */
    report_node root;
    report_check checks[REPORT_CHECKS_MAX];
    size_t n_checks;
    report_vector vectors[REPORT_VECTORS_MAX];
    size_t n_vectors; /* more are left out, and the summary of the writers says so */
    size_t left_out;
} report;

/* ---- building -------------------------------------------------------------------------------- */

/* All of them are lost when the arena fails: check it at the end. `to` NULL = the top. */
report_node *report_branch(report *r, report_node *to, const char *name);
void report_text(report *r, report_node *to, const char *name, vs_span text);
void report_textf(report *r, report_node *to, const char *name, const char *fmt, ...)
    VS_PRINTF(4, 5);
void report_bytes(report *r, report_node *to, const char *name, vs_span bytes, const char *note);
/* Any value as a branch, or as a leaf when it is a scalar. */
void report_value(report *r, report_node *to, const char *name, vs_val v);
/* An empty table to be filled; NULL when memory runs out. */
report_table *report_add_table(report *r, report_node *to, const char *name,
                               const char *const *columns, size_t n_columns, size_t n_rows);
void report_check_add(report *r, const char *name, report_mark mark, const char *why);
void report_vector_add(report *r, vs_span name, ear_tier status, const ear_vector *vector,
                       const char *note);
/* "passed", "failed", "not checked" */
const char *report_mark_name(report_mark m);
bool report_has_failure(const report *r);

/* ---- writing --------------------------------------------------------------------------------- */

/* On a terminal with lines, colours and shortened byte strings (unless `full`); plain and whole
 * otherwise. */
void report_show(view *v, const report *r, bool full);
void report_html(vs_buf *out, const report *r);

#endif
