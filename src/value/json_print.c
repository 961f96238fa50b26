/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "base/enc.h"
#include "value/json.h"
#include "value/json_plain.h"

/* A string that needs no escape. */
static void quote_plain(vs_buf *out, vs_span s)
{
    uint8_t *o = vs_buf_reserve(out, s.n + 2);
    if (!o)
        return;
    o[0] = o[s.n + 1] = '"';
    if (s.n)
        memcpy(o + 1, s.p, s.n);
}

void vs_json_quote(vs_buf *out, vs_span s)
{
    if (json_plain(s) == s.n) {
        quote_plain(out, s);
        return;
    }
    static const char short_form[] = "btn\0fr"; /* for 08, 09, 0a, -, 0c, 0d */
    vs_buf_putc(out, '"');
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        if (c >= 0x80) {
            size_t next = i;
            bool good = vs_utf8_skip(s, &next);
            if (!good) { /* JSON is UTF-8; as Go has it, each other byte is U+FFFD */
                vs_buf_put(out, vs_span_of(s.p + from, i - from));
                vs_buf_puts(out, "\\ufffd");
                from = next;
            }
            i = next - 1;
            continue;
        }
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        vs_buf_put(out, vs_span_of(s.p + from, i - from));
        from = i + 1;
        if (c == '"' || c == '\\')
            vs_buf_printf(out, "\\%c", c);
        else if (c >= 8 && c <= 13 && short_form[c - 8])
            vs_buf_printf(out, "\\%c", short_form[c - 8]);
        else
            vs_buf_printf(out, "\\u%04x", c);
    }
    vs_buf_put(out, vs_span_from(s, from));
    vs_buf_putc(out, '"');
}

static void put_number(vs_buf *out, vs_val v)
{
    if (!v.big) {
        vs_buf_put_int(out, v.u.i);
        return;
    }
    vs_arena a;
    vs_arena_init(&a, 64 * 1024);
    vs_span text = vs_num_text(&a, v);
    vs_buf_put(out, text);
    out->failed |= text.n == 0; /* out of memory */
    vs_arena_free(&a);
}

/* `indent` < 0: compact. */
static void print(vs_buf *out, vs_val v, int indent);

static void new_line(vs_buf *out, int indent)
{
    if (indent < 0)
        return;
    vs_buf_putc(out, '\n');
    for (int i = 0; i < indent; i++)
        vs_buf_puts(out, "  ");
}

static void print_items(vs_buf *out, vs_val v, int indent)
{
    int inner = indent < 0 ? -1 : indent + 1;
    vs_buf_putc(out, '[');
    for (uint32_t i = 0; i < v.len && vs_buf_ok(out); i++) { /* a small value may be a huge tree */
        if (i)
            vs_buf_putc(out, ',');
        new_line(out, inner);
        print(out, v.u.items[i], inner);
    }
    if (v.len)
        new_line(out, indent);
    vs_buf_putc(out, ']');
}

/* Only strings can name members in JSON; other keys are named by their own JSON text. */
static void print_key(vs_buf *out, vs_val key)
{
    if (key.kind == VS_STRING) {
        vs_json_quote(out, vs_text(key));
        return;
    }
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(out->cap);
    print(&text, key, -1);
    out->failed |= !vs_buf_ok(&text);
    vs_json_quote(out, vs_buf_span(&text));
}

static void print_pairs(vs_buf *out, vs_val v, int indent)
{
    int inner = indent < 0 ? -1 : indent + 1;
    vs_buf_putc(out, '{');
    for (uint32_t i = 0; i < v.len && vs_buf_ok(out); i++) {
        if (i)
            vs_buf_putc(out, ',');
        new_line(out, inner);
        print_key(out, v.u.pairs[i].key);
        vs_buf_putc(out, ':');
        if (indent >= 0)
            vs_buf_putc(out, ' ');
        print(out, v.u.pairs[i].val, inner);
    }
    if (v.len)
        new_line(out, indent);
    vs_buf_putc(out, '}');
}

static void print(vs_buf *out, vs_val v, int indent)
{
    switch ((vs_kind)v.kind) {
    case VS_UNDEFINED:
    case VS_NULL: vs_buf_puts(out, "null"); break;
    case VS_BOOL: vs_buf_puts(out, v.u.b ? "true" : "false"); break;
    case VS_NUMBER: put_number(out, v); break;
    case VS_STRING: vs_json_quote(out, vs_text(v)); break;
    case VS_ARRAY:
    case VS_SET: print_items(out, v, indent); break;
    case VS_OBJECT: print_pairs(out, v, indent); break;
    }
}

void vs_json_escape_html(vs_buf *out, vs_span json)
{
    size_t from = 0;
    for (size_t i = 0; i < json.n; i++) {
        uint8_t c = json.p[i];
        bool separator = c == 0xe2 && i + 2 < json.n && json.p[i + 1] == 0x80 &&
                         (json.p[i + 2] == 0xa8 || json.p[i + 2] == 0xa9);
        if (!separator && c != '<' && c != '>' && c != '&')
            continue;
        vs_buf_put(out, vs_span_of(json.p + from, i - from));
        vs_buf_printf(out, "\\u%04x", separator ? 0x2000u + json.p[i + 2] - 0x80 : c);
        i += separator ? 2 : 0;
        from = i + 1;
    }
    vs_buf_put(out, vs_span_from(json, from));
}

void vs_json_print(vs_buf *out, vs_val v)
{
    print(out, v, -1);
}

void vs_json_print_pretty(vs_buf *out, vs_val v)
{
    print(out, v, 0);
}

/* ---- plain JSON ------------------------------------------------------------------------------ */

enum { PLAIN_KEY_MAX = 1 << 20 };

static bool is_plain(vs_val v)
{
    if (v.kind == VS_SET)
        return false;
    if (v.kind == VS_ARRAY)
        for (VS_ARR_FOR (x, v))
            if (!is_plain(*x))
                return false;
    if (v.kind == VS_OBJECT)
        for (VS_OBJ_FOR (p, v))
            if (p->key.kind != VS_STRING || !is_plain(p->val))
                return false;
    return true;
}

static vs_val plain_key(vs_arena *a, vs_val key)
{
    if (key.kind == VS_STRING)
        return key;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(PLAIN_KEY_MAX), safe = VS_BUF(PLAIN_KEY_MAX);
    vs_json_print(&text, key);
    vs_json_escape_html(&safe, vs_buf_span(&text));
    if (!vs_buf_ok(&text) || !vs_buf_ok(&safe)) {
        a->failed = true;
        return vs_undefined();
    }
    return vs_string_dup(a, vs_buf_span(&safe));
}

vs_val vs_json_plain(vs_arena *a, vs_val v)
{
    if (is_plain(v))
        return v;
    if (v.kind == VS_OBJECT) {
        vs_obj o = {.a = a};
        for (VS_OBJ_FOR (p, v))
            vs_obj_add(&o, plain_key(a, p->key), vs_json_plain(a, p->val));
        return vs_obj_end(&o, VS_DUP_LAST, NULL);
    }
    vs_vec list = {.a = a};
    for (VS_ARR_FOR (x, v))
        vs_vec_add(&list, vs_json_plain(a, *x));
    return vs_vec_end_array(&list);
}
