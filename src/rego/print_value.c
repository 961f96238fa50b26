/* SPDX-License-Identifier: Apache-2.0 */
/* Values as Rego text (rego.md 11). */
#include "rego/builtin.h"
#include "value/json.h"

static void put_items(vs_buf *out, vs_val v)
{
    for (uint32_t i = 0; i < v.len && vs_buf_ok(out); i++) {
        if (i)
            vs_buf_puts(out, ", ");
        rego_print_value(out, v.u.items[i]);
    }
}

static void put_pairs(vs_buf *out, vs_val v)
{
    for (uint32_t i = 0; i < v.len && vs_buf_ok(out); i++) {
        if (i)
            vs_buf_puts(out, ", ");
        rego_print_value(out, v.u.pairs[i].key);
        vs_buf_puts(out, ": ");
        rego_print_value(out, v.u.pairs[i].val);
    }
}

void rego_print_value(vs_buf *out, vs_val v)
{
    switch ((vs_kind)v.kind) {
    case VS_ARRAY:
        vs_buf_putc(out, '[');
        put_items(out, v);
        vs_buf_putc(out, ']');
        break;
    case VS_SET:
        if (v.len == 0) {
            vs_buf_puts(out, "set()");
            break;
        }
        vs_buf_putc(out, '{');
        put_items(out, v);
        vs_buf_putc(out, '}');
        break;
    case VS_OBJECT:
        vs_buf_putc(out, '{');
        put_pairs(out, v);
        vs_buf_putc(out, '}');
        break;
    case VS_UNDEFINED: vs_buf_puts(out, "<undefined>"); break;
    default: vs_json_print(out, v);
    }
}
