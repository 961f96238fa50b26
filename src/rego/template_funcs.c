/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of Go's templates. */
#include "base/enc.h"
#include "rego/template.h"
#include "rego/unicode.h"

bool tpl_truth(go_val v)
{
    switch ((go_kind)v.kind) {
    case GO_NIL: return false;
    case GO_BOOL: return v.u.b;
    case GO_INT:
    case GO_BYTE: return v.u.i != 0;
    case GO_FLOAT: return v.u.f != 0;
    case GO_STRING:
    case GO_NUMBER: return v.u.s.n > 0;
    case GO_BIG:
    case GO_SLICE:
    case GO_MAP: return v.u.val.len > 0;
    }
    return false;
}

static go_val nil(void)
{
    return (go_val){.kind = GO_NIL};
}

#define FAIL(c, ...) ((c)->error = vs_sprintf((c)->b->a, __VA_ARGS__), nil())

static const char *boxed_type(go_val v)
{
    return v.boxed ? "interface {}" : go_type(v);
}

/* ---- comparison ----------------------------------------------------------------------------- */

typedef enum basic { BASIC_NONE, BASIC_BOOL, BASIC_INT, BASIC_FLOAT, BASIC_TEXT } basic;

static basic basic_of(go_val v)
{
    switch ((go_kind)v.kind) {
    case GO_BOOL: return BASIC_BOOL;
    case GO_INT:
    case GO_BYTE: return BASIC_INT;
    case GO_FLOAT: return BASIC_FLOAT;
    case GO_STRING:
    case GO_NUMBER: return BASIC_TEXT;
    default: return BASIC_NONE;
    }
}

static bool same(basic k, go_val x, go_val y)
{
    switch (k) {
    case BASIC_BOOL: return x.u.b == y.u.b;
    case BASIC_INT: return x.u.i == y.u.i;
    case BASIC_FLOAT: return x.u.f == y.u.f;
    case BASIC_TEXT: return vs_span_eq(x.u.s, y.u.s);
    default: return false;
    }
}

static go_val not_comparable(tpl_call *c, go_val x, go_val y)
{
    if (x.kind == y.kind)
        return FAIL(c, "non-comparable type: %s", go_type(x));
    return FAIL(c, "non-comparable types: %s, %s", go_type(x), go_type(y));
}

/* The first argument equals one of the others. */
static go_val fn_eq(tpl_call *c)
{
    go_val x = tpl_unbox(c->args[0]);
    basic k = basic_of(x);
    if (c->n < 2)
        return FAIL(c, "missing argument for comparison");
    for (size_t i = 1; i < c->n; i++) {
        go_val y = tpl_unbox(c->args[i]);
        bool nils = x.kind == GO_NIL || y.kind == GO_NIL, equal = nils && x.kind == y.kind;
        if (!nils && k != basic_of(y))
            return FAIL(c, "incompatible types for comparison: %s and %s", go_type(x), go_type(y));
        if (!nils && k == BASIC_NONE) /* slices and maps */
            return not_comparable(c, x, y);
        if (equal || (!nils && same(k, x, y)))
            return go_bool(true);
    }
    return go_bool(false);
}

static go_val fn_ne(tpl_call *c)
{
    go_val equal = fn_eq(c);
    return c->error ? nil() : go_bool(!equal.u.b);
}

/* Whether x < y; numbers and strings only. */
static bool less(tpl_call *c, go_val x, go_val y)
{
    basic kx = basic_of(x), ky = basic_of(y);
    if (kx != BASIC_NONE && ky != BASIC_NONE && kx != ky) {
        (void)FAIL(c, "incompatible types for comparison: %s and %s", go_type(x), go_type(y));
        return false;
    }
    switch (kx == ky ? kx : BASIC_NONE) {
    case BASIC_INT: return x.u.i < y.u.i;
    case BASIC_FLOAT: return x.u.f < y.u.f;
    case BASIC_TEXT: return vs_span_cmp(x.u.s, y.u.s) < 0;
    default: (void)FAIL(c, "invalid type for comparison"); return false;
    }
}

static go_val fn_lt(tpl_call *c)
{
    return go_bool(less(c, tpl_unbox(c->args[0]), tpl_unbox(c->args[1])));
}

static go_val fn_le(tpl_call *c)
{
    go_val x = tpl_unbox(c->args[0]), y = tpl_unbox(c->args[1]);
    return go_bool(less(c, x, y) || (!c->error && same(basic_of(x), x, y)));
}

static go_val fn_gt(tpl_call *c)
{
    return go_bool(!fn_le(c).u.b);
}

static go_val fn_ge(tpl_call *c)
{
    return go_bool(!fn_lt(c).u.b);
}

static go_val fn_not(tpl_call *c)
{
    return go_bool(!tpl_truth(c->args[0]));
}

/* ---- collections ---------------------------------------------------------------------------- */

static go_val fn_len(tpl_call *c)
{
    go_val v = c->args[0];
    if (v.kind == GO_SLICE || v.kind == GO_MAP)
        return go_int(v.u.val.len);
    if (go_is_text(v))
        return go_int((int64_t)v.u.s.n);
    return v.kind == GO_NIL ? FAIL(c, "len of nil pointer") : FAIL(c, "len of type %s", go_type(v));
}

/* An index below `end`; slices take it at the end too. */
static bool position(tpl_call *c, go_val index, int64_t end, bool boxed_too, int64_t *out)
{
    if (index.kind == GO_NIL) {
        (void)FAIL(c, "cannot index slice/array with nil");
        return false;
    }
    if (index.kind != GO_INT && index.kind != GO_BYTE) {
        (void)FAIL(c, "cannot index slice/array with type %s",
                   boxed_too ? boxed_type(index) : go_type(index));
        return false;
    }
    *out = index.u.i;
    if (*out >= 0 && *out < end)
        return true;
    (void)FAIL(c, "index out of range: %lld", (long long)*out);
    return false;
}

static go_val index_one(tpl_call *c, go_val item, go_val index)
{
    int64_t at;
    if (item.kind == GO_NIL)
        return FAIL(c, "index of nil pointer");
    if (go_is_text(item)) {
        if (!position(c, index, (int64_t)item.u.s.n, false, &at))
            return nil();
        return (go_val){.kind = GO_BYTE, .u.i = item.u.s.p[at]};
    }
    if (item.kind == GO_SLICE) {
        if (!position(c, index, item.u.val.len, false, &at))
            return nil();
        return go_of_json(c->b->a, item.u.val.u.items[at]);
    }
    if (item.kind != GO_MAP)
        return FAIL(c, "can't index item of type %s", go_type(item));
    if (index.kind == GO_NIL)
        return FAIL(c, "value is nil; should be of type string");
    if (index.kind != GO_STRING)
        return FAIL(c, "value has type %s; should be string", go_type(index));
    return go_of_json(c->b->a, vs_get(item.u.val, index.u.s));
}

static go_val fn_index(tpl_call *c)
{
    go_val item = c->args[0];
    if (item.kind == GO_NIL)
        return FAIL(c, "index of untyped nil");
    for (size_t i = 1; i < c->n && !c->error; i++)
        item = index_one(c, item, tpl_unbox(c->args[i]));
    return item;
}

static go_val fn_slice(tpl_call *c)
{
    go_val item = tpl_unbox(c->args[0]);
    if (item.kind == GO_NIL)
        return FAIL(c, "slice of untyped nil");
    if (c->n > 4)
        return FAIL(c, "too many slice indexes: %zu", c->n - 1);
    if (!go_is_text(item) && item.kind != GO_SLICE)
        return FAIL(c, "can't slice item of type %s", go_type(item));
    if (go_is_text(item) && c->n == 4)
        return FAIL(c, "cannot 3-index slice a string");
    int64_t n = go_is_text(item) ? (int64_t)item.u.s.n : item.u.val.len, at[3] = {0, n, n};
    for (size_t i = 1; i < c->n; i++)
        if (!position(c, c->args[i], n + 1, true, &at[i - 1]))
            return nil();
    for (size_t i = 0; i < 2; i++)
        if (at[i] > at[i + 1])
            return FAIL(c, "invalid slice index: %lld > %lld", (long long)at[i],
                        (long long)at[i + 1]);
    if (go_is_text(item))
        item.u.s = vs_span_of(item.u.s.p + at[0], (size_t)(at[1] - at[0]));
    else
        item.u.val = vs_items(VS_ARRAY, item.u.val.u.items + at[0], (size_t)(at[1] - at[0]));
    return item;
}

static go_val fn_call(tpl_call *c)
{
    if (c->args[0].kind == GO_NIL)
        return FAIL(c, "call of nil");
    return FAIL(c, "non-function of type %s", go_type(c->args[0]));
}

/* ---- text ----------------------------------------------------------------------------------- */

/* What was printed, as a value; a text that memory or the limit cut is an error of the arena. */
static go_val printed(tpl_call *c, vs_buf *text)
{
    vs_val v = vs_string_dup(c->b->a, vs_buf_span(text));
    if (!vs_buf_ok(text) || !vs_defined(v)) {
        c->b->a->failed = true;
        v = vs_undefined();
    }
    return go_string(vs_text(v));
}

static go_val fn_print(tpl_call *c)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TPL_OUTPUT_MAX);
    go_print(&text, c->b->a, c->args, c->n);
    return printed(c, &text);
}

static go_val fn_println(tpl_call *c)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TPL_OUTPUT_MAX);
    go_println(&text, c->b->a, c->args, c->n);
    return printed(c, &text);
}

static go_val fn_printf(tpl_call *c)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TPL_OUTPUT_MAX);
    go_printf(&text, c->b->a, c->args[0].u.s, c->args + 1, c->n - 1);
    return printed(c, &text);
}

typedef void (*escape)(vs_buf *out, vs_span s);

/* The arguments as print has them, but for nil, then escaped. */
static go_val escaped(tpl_call *c, escape how)
{
    VS_CLEANUP(vs_buf_free) vs_buf plain = VS_BUF(TPL_OUTPUT_MAX), text = VS_BUF(TPL_OUTPUT_MAX);
    go_val *args = vs_alloc_array(c->b->a, c->n, sizeof *args);
    for (size_t i = 0; args && i < c->n; i++)
        args[i] = c->args[i].kind == GO_NIL ? go_string(VS_LIT("<no value>")) : c->args[i];
    if (args)
        go_print(&plain, c->b->a, args, c->n);
    how(&text, vs_buf_span(&plain));
    text.failed |= !args || !vs_buf_ok(&plain);
    return printed(c, &text);
}

static void escape_html(vs_buf *out, vs_span s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case 0: vs_buf_puts(out, "\xef\xbf\xbd"); break;
        case '"': vs_buf_puts(out, "&#34;"); break;
        case '\'': vs_buf_puts(out, "&#39;"); break;
        case '&': vs_buf_puts(out, "&amp;"); break;
        case '<': vs_buf_puts(out, "&lt;"); break;
        case '>': vs_buf_puts(out, "&gt;"); break;
        default: vs_buf_putc(out, (char)s.p[i]);
        }
    }
}

static void escape_js(vs_buf *out, vs_span s)
{
    for (size_t at = 0; at < s.n;) {
        size_t from = at;
        uint32_t cp = vs_utf8_next(s, &at);
        bool plain = cp < 0x80 ? cp >= ' ' && !strchr("<>&='\"\\", (int)cp) : rego_is_printable(cp);
        if (plain)
            vs_buf_put(out, vs_span_of(s.p + from, at - from));
        else if (cp == '\\' || cp == '\'' || cp == '"')
            vs_buf_printf(out, "\\%c", (char)cp);
        else
            vs_buf_printf(out, "\\u%04X", cp);
    }
}

static void escape_query(vs_buf *out, vs_span s)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i], l = c | 0x20;
        bool plain = (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                     c == '.' || c == '~';
        if (plain || c == ' ') {
            vs_buf_putc(out, plain ? (char)c : '+');
            continue;
        }
        vs_buf_putc(out, '%');
        vs_buf_putc(out, digits[c >> 4]);
        vs_buf_putc(out, digits[c & 15]);
    }
}

static go_val fn_html(tpl_call *c)
{
    return escaped(c, escape_html);
}

static go_val fn_js(tpl_call *c)
{
    return escaped(c, escape_js);
}

static go_val fn_urlquery(tpl_call *c)
{
    return escaped(c, escape_query);
}

static const tpl_function functions[] = {
    {"and", NULL, 1, .more = true},
    {"call", fn_call, 1, .more = true},
    {"eq", fn_eq, 1, .more = true},
    {"ge", fn_ge, 2},
    {"gt", fn_gt, 2},
    {"html", fn_html, 0, .more = true, .any = true},
    {"index", fn_index, 1, .more = true},
    {"js", fn_js, 0, .more = true, .any = true},
    {"le", fn_le, 2},
    {"len", fn_len, 1},
    {"lt", fn_lt, 2},
    {"ne", fn_ne, 2},
    {"not", fn_not, 1},
    {"or", NULL, 1, .more = true},
    {"print", fn_print, 0, .more = true, .any = true},
    {"printf", fn_printf, 1, .more = true, .format = true, .any = true},
    {"println", fn_println, 0, .more = true, .any = true},
    {"slice", fn_slice, 1, .more = true},
    {"urlquery", fn_urlquery, 0, .more = true, .any = true},
};

const tpl_function *tpl_function_named(vs_span name)
{
    for (size_t i = 0; i < VS_COUNT(functions); i++)
        if (vs_span_is(name, functions[i].name))
            return &functions[i];
    return NULL;
}
