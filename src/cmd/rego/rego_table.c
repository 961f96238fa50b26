/* SPDX-License-Identifier: Apache-2.0 */
/* The bindings of solutions as a table of text. */
#include "base/enc.h"
#include "cmd/rego/rego_tool.h"
#include "value/json.h"

enum { COLUMNS_MAX = 64, CELL_MAX = 80 };

typedef struct table {
    vs_val names; /* keys of the first solution; the others have the same */
    size_t width[COLUMNS_MAX];
    size_t n;
} table;

static size_t characters(vs_span s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += (s.p[i] & 0xc0) != 0x80;
    return n;
}

/* A value's JSON, cut to what a cell holds. */
static void put_cell_text(vs_buf *out, vs_val v)
{
    VS_CLEANUP(vs_buf_free) vs_buf all = VS_BUF(64 << 20);
    vs_json_print(&all, v);
    vs_span text = vs_buf_span(&all);
    if (text.n > CELL_MAX) {
        text = vs_span_head(text, CELL_MAX - 3);
        while (text.n && !vs_utf8_ok(text))
            text.n--;
        vs_buf_put(out, text);
        vs_buf_puts(out, "...");
    } else {
        vs_buf_put(out, text);
    }
}

static size_t cell_width(vs_val v)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(CELL_MAX + 4);
    put_cell_text(&text, v);
    return characters(vs_buf_span(&text));
}

static void widen(table *t, size_t i, size_t width)
{
    if (width > t->width[i])
        t->width[i] = width;
}

static void put_spaces(vs_buf *out, size_t n)
{
    while (n-- > 0)
        vs_buf_putc(out, ' ');
}

static void put_rule(vs_buf *out, const table *t, const char *left, const char *cross,
                     const char *right)
{
    vs_buf_puts(out, left);
    for (size_t i = 0; i < t->n; i++) {
        vs_buf_puts(out, i ? cross : "");
        for (size_t k = 0; k < t->width[i] + 2; k++)
            vs_buf_puts(out, "─");
    }
    vs_buf_puts(out, right);
    vs_buf_putc(out, '\n');
}

static void put_cell(vs_buf *out, const table *t, size_t i, vs_span text)
{
    vs_buf_puts(out, "│ ");
    vs_buf_put(out, text);
    put_spaces(out, t->width[i] - characters(text) + 1);
}

static void put_row(vs_buf *out, const table *t, vs_val bindings)
{
    for (size_t i = 0; i < t->n; i++) {
        VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(CELL_MAX + 4);
        vs_val v = vs_index(bindings, t->names.u.pairs[i].key);
        if (vs_defined(v))
            put_cell_text(&text, v);
        put_cell(out, t, i, vs_buf_span(&text));
    }
    vs_buf_puts(out, "│\n");
}

void rego_print_table(vs_buf *out, vs_val results)
{
    table t = {.names = vs_getc(results.u.items[0], "bindings")};
    t.n = t.names.len < COLUMNS_MAX ? t.names.len : COLUMNS_MAX;
    for (size_t i = 0; i < t.n; i++)
        widen(&t, i, characters(vs_text(t.names.u.pairs[i].key)));
    for (VS_ARR_FOR (r, results)) {
        vs_val bindings = vs_getc(*r, "bindings");
        for (size_t i = 0; i < t.n; i++)
            widen(&t, i, cell_width(vs_index(bindings, t.names.u.pairs[i].key)));
    }
    put_rule(out, &t, "┌", "┬", "┐");
    for (size_t i = 0; i < t.n; i++)
        put_cell(out, &t, i, vs_text(t.names.u.pairs[i].key));
    vs_buf_puts(out, "│\n");
    put_rule(out, &t, "├", "┼", "┤");
    for (VS_ARR_FOR (r, results))
        put_row(out, &t, vs_getc(*r, "bindings"));
    put_rule(out, &t, "└", "┴", "┘");
}
