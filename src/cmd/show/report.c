/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/show/report.h"

#include <stdarg.h>
#include <stdio.h>

#include "value/json.h"

enum { LINE_MAX_TEXT = 512 };

static report_node *add(report *r, report_node *to, const char *name)
{
    report_node *n = VS_NEW(r->a, report_node);
    if (!n)
        return NULL;
    n->name = name;
    if (!to)
        to = &r->root;
    if (to->last)
        to->last->next = n;
    else
        to->first = n;
    to->last = n;
    return n;
}

/* A place to write to also without memory, so that callers need not look. */
static report_node *add_safely(report *r, report_node *to, const char *name)
{
    static report_node nowhere;
    report_node *n = add(r, to, name);
    return n ? n : &nowhere;
}

report_node *report_branch(report *r, report_node *to, const char *name)
{
    return add(r, to, name);
}

void report_text(report *r, report_node *to, const char *name, vs_span text)
{
    report_node *n = add(r, to, name);
    if (n)
        n->value.text = text;
}

void report_textf(report *r, report_node *to, const char *name, const char *fmt, ...)
{
    char text[LINE_MAX_TEXT];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    report_text(r, to, name, vs_dup(r->a, vs_str(text)));
}

void report_bytes(report *r, report_node *to, const char *name, vs_span bytes, const char *note)
{
    static const uint8_t none[1];
    report_node *n = add(r, to, name);
    if (!n)
        return;
    n->value.bytes = bytes.p ? bytes : vs_span_of(none, 0);
    n->note = note;
}

report_table *report_add_table(report *r, report_node *to, const char *name,
                               const char *const *columns, size_t n_columns, size_t n_rows)
{
    report_node *n = add(r, to, name);
    report_table *t = VS_NEW(r->a, report_table);
    if (!n || !t || n_columns > REPORT_COLUMNS_MAX)
        return NULL;
    t->cells = vs_zalloc(r->a, n_rows * n_columns * sizeof *t->cells);
    if (!t->cells)
        return NULL;
    for (size_t i = 0; i < n_columns; i++)
        t->columns[i] = columns[i];
    t->n_columns = n_columns;
    t->n_rows = n_rows;
    n->table = t;
    return t;
}

/* ---- values ---------------------------------------------------------------------------------- */

/* A member's name is a stranger's text: it is escaped where it is written, as all are. */
static const char *name_of(report *r, vs_val key)
{
    vs_span s = vs_dup(r->a, vs_text(key));
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == 0)
            return "(a name with a NUL)";
    return s.p ? (const char *)s.p : "";
}

static void scalar(report *r, report_node *n, vs_val v)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(1 << 20);
    if (v.kind == VS_STRING) {
        n->value.text = vs_text(v);
        return;
    }
    vs_json_print(&text, v);
    n->value.text = vs_dup(r->a, vs_buf_span(&text));
}

/* Recursion is bounded: a value has at most VS_DEPTH_MAX levels. */
void report_value(report *r, report_node *to, const char *name, vs_val v)
{
    report_node *n = add_safely(r, to, name);
    if (!vs_arena_ok(r->a))
        return;
    if (v.kind == VS_OBJECT && v.len) {
        for (VS_OBJ_FOR (pair, v))
            report_value(r, n, name_of(r, pair->key), pair->val);
    } else if (v.kind == VS_ARRAY && v.len) {
        size_t i = 0;
        for (VS_ARR_FOR (item, v))
            report_value(r, n, vs_sprintf(r->a, "%zu", i++), *item);
    } else {
        scalar(r, n, v);
    }
}

/* ---- checks and vectors ---------------------------------------------------------------------- */

const char *report_mark_name(report_mark m)
{
    static const char *const names[] = {
        [REPORT_PASSED] = "passed", [REPORT_FAILED] = "failed", [REPORT_OPEN] = "not checked"};
    return names[m];
}

void report_check_add(report *r, const char *name, report_mark mark, const char *why)
{
    if (r->n_checks < REPORT_CHECKS_MAX)
        r->checks[r->n_checks++] = (report_check){name, mark, why};
}

bool report_has_failure(const report *r)
{
    for (size_t i = 0; i < r->n_checks; i++)
        if (r->checks[i].mark == REPORT_FAILED)
            return true;
    return false;
}

void report_vector_add(report *r, vs_span name, ear_tier status, const ear_vector *vector,
                       const char *note)
{
    if (r->n_vectors == REPORT_VECTORS_MAX) {
        r->left_out++;
        return;
    }
    r->vectors[r->n_vectors++] =
        (report_vector){.name = name, .status = status, .vector = *vector, .note = note};
}
