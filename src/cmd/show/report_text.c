/* SPDX-License-Identifier: Apache-2.0 */
/* A report as text. In a pipe: indented, whole, no colour. On a terminal: lines and colours. */
#include "base/enc.h"
#include "cmd/ear_doc.h"
#include "cmd/show/report.h"

enum { DEPTH_MAX = 300, NAME_WIDTH = 28, SHORT_BYTES = 12 };

typedef struct writer {
    view *v;
    bool full;
    bool more[DEPTH_MAX]; /* by depth: another node follows on that level */
} writer;

/* The width of one level. */
static size_t step(const writer *w)
{
    return w->v->terminal ? 3 : 2;
}

/* The lines to the left of a node; what stands below a node has no corner. */
static void lead(const writer *w, size_t depth, bool corner)
{
    if (!w->v->terminal) {
        vs_buf_printf(&w->v->out, "%*s", (int)(depth * step(w)), "");
        return;
    }
    for (size_t i = 0; i < depth; i++) {
        if (corner && i + 1 == depth)
            vs_buf_puts(&w->v->out,
                        w->more[i] ? "\xe2\x94\x9c\xe2\x94\x80 " : "\xe2\x94\x94\xe2\x94\x80 ");
        else
            vs_buf_puts(&w->v->out, w->more[i] ? "\xe2\x94\x82  " : "   ");
    }
}

static void pad(view *v, size_t written, size_t width)
{
    for (; written < width; written++)
        vs_buf_putc(&v->out, ' ');
}

/* Returns the width written. Shortened: both ends, and how many bytes there are. */
static size_t put_bytes(const writer *w, vs_span b)
{
    size_t before = w->v->out.n;
    if (w->full || !w->v->terminal || b.n <= SHORT_BYTES) {
        vs_hex_encode(&w->v->out, b);
        return w->v->out.n - before;
    }
    vs_hex_encode(&w->v->out, vs_span_head(b, SHORT_BYTES / 2));
    vs_buf_puts(&w->v->out, "..");
    vs_hex_encode(&w->v->out, vs_span_from(b, b.n - SHORT_BYTES / 3));
    vs_buf_printf(&w->v->out, " (%zu bytes)", b.n);
    return w->v->out.n - before;
}

static size_t put_cell(const writer *w, const report_cell *c)
{
    if (c->bytes.p)
        return put_bytes(w, c->bytes);
    size_t before = w->v->out.n;
    view_text(w->v, c->text);
    return w->v->out.n - before;
}

/* ---- tables ---------------------------------------------------------------------------------- */

/* Columns as wide as their widest cell, measured by writing and taking back. */
static void measure(const writer *w, const report_table *t, size_t width[])
{
    for (size_t c = 0; c < t->n_columns; c++) {
        width[c] = strlen(t->columns[c]);
        for (size_t i = 0; i < t->n_rows; i++) {
            size_t mark = w->v->out.n;
            size_t n = put_cell(w, &t->cells[i * t->n_columns + c]);
            if (vs_buf_ok(&w->v->out))
                vs_buf_truncate(&w->v->out, mark);
            width[c] = n > width[c] ? n : width[c];
        }
    }
}

static void put_row(const writer *w, const report_table *t, size_t row, size_t depth,
                    const size_t width[])
{
    lead(w, depth, false);
    for (size_t c = 0; c < t->n_columns; c++) {
        pad(w->v, put_cell(w, &t->cells[row * t->n_columns + c]),
            c + 1 < t->n_columns ? width[c] + 2 : 0);
    }
    vs_buf_putc(&w->v->out, '\n');
}

static void put_table(const writer *w, const report_table *t, size_t depth)
{
    size_t width[REPORT_COLUMNS_MAX];
    measure(w, t, width);
    lead(w, depth, false);
    for (size_t c = 0; c < t->n_columns; c++) {
        view_styled(w->v, VIEW_BOLD, "%s", t->columns[c]);
        pad(w->v, strlen(t->columns[c]), c + 1 < t->n_columns ? width[c] + 2 : 0);
    }
    vs_buf_putc(&w->v->out, '\n');
    for (size_t i = 0; i < t->n_rows; i++)
        put_row(w, t, i, depth, width);
}

/* ---- the tree -------------------------------------------------------------------------------- */

static void put_node(writer *w, const report_node *n, size_t depth)
{
    view *v = w->v;
    bool leaf = n->value.bytes.p || n->value.text.p;
    lead(w, depth, true);
    view_styled(v, leaf ? VIEW_PLAIN : VIEW_BOLD, "%s", n->name);
    if (leaf) {
        size_t used = step(w) * depth + strlen(n->name);
        pad(v, used, used < NAME_WIDTH ? NAME_WIDTH : used + 1);
        (void)put_cell(w, &n->value);
    }
    if (n->note) {
        vs_buf_puts(&v->out, "  ");
        view_styled(v, VIEW_PLAIN, "(%s)", n->note);
    }
    vs_buf_putc(&v->out, '\n');
    if (n->table)
        put_table(w, n->table, depth + 1);
}

static void put_nodes(writer *w, const report_node *first, size_t depth)
{
    if (depth == DEPTH_MAX)
        return;
    for (const report_node *n = first; n; n = n->next) {
        if (depth)
            w->more[depth - 1] = n->next != NULL;
        put_node(w, n, depth);
        if (n->first)
            put_nodes(w, n->first, depth + 1);
    }
}

/* ---- checks ---------------------------------------------------------------------------------- */

static void put_check(view *v, const report_check *c)
{
    static const view_style styles[] = {
        [REPORT_PASSED] = VIEW_GREEN, [REPORT_FAILED] = VIEW_RED, [REPORT_OPEN] = VIEW_YELLOW};
    const char *mark = report_mark_name(c->mark);
    vs_buf_puts(&v->out, "  ");
    view_styled(v, styles[c->mark], "%s", mark);
    pad(v, strlen(mark), 13);
    vs_buf_puts(&v->out, c->name);
    pad(v, strlen(c->name), 22);
    view_text(v, vs_str(c->why));
    vs_buf_putc(&v->out, '\n');
}

static void put_checks(view *v, const report *r)
{
    if (!r->n_checks)
        return;
    vs_buf_putc(&v->out, '\n');
    view_styled(v, VIEW_BOLD, "Checks");
    vs_buf_putc(&v->out, '\n');
    for (size_t i = 0; i < r->n_checks; i++)
        put_check(v, &r->checks[i]);
}

/* One whose appraisal did not take place has nothing to draw here. */
static void put_vectors(view *v, const report *r)
{
    for (size_t i = 0; i < r->n_vectors; i++) {
        const report_vector *x = &r->vectors[i];
        if (!ear_vector_is_empty(&x->vector))
            ear_vector_show(v, x->name, x->status, (vs_span){0}, &x->vector);
    }
    if (r->left_out)
        vs_buf_printf(&v->out, "\n%zu more submods are not shown\n", r->left_out);
}

void report_show(view *v, const report *r, bool full)
{
    writer w = {.v = v, .full = full};
    view_styled(v, VIEW_BOLD, "%s", r->title);
    vs_buf_puts(&v->out, "  ");
    view_text(v, vs_str(r->summary));
    vs_buf_putc(&v->out, '\n');
    put_checks(v, r);
    put_vectors(v, r);
    vs_buf_putc(&v->out, '\n');
    put_nodes(&w, r->root.first, 0);
}
