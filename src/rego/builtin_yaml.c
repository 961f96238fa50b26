/* SPDX-License-Identifier: Apache-2.0 */
/* yaml.*, json.marshal_with_options (rego.md 10.6). */
#include "rego/builtins.h"
#include "rego/yaml_text.h"
#include "value/json.h"

enum { TEXT_MAX = 16 << 20, INDENT_MAX = 64 };

static rego_bres take(rego_bctx *b, const vs_buf *text, vs_val *out)
{
    if (!vs_buf_ok(text) || !rego_charge(b, text->n / 16))
        return REGO_B_LIMIT;
    *out = vs_string_dup(b->a, vs_buf_span(text));
    return vs_defined(*out) ? REGO_B_OK : REGO_B_LIMIT;
}

rego_bres rego_bi_yaml_marshal(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    rego_bres res = rego_yaml_print(b, args[0], &text);
    return res == REGO_B_OK ? take(b, &text, out) : res;
}

rego_bres rego_bi_yaml_unmarshal(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_STRING);
    return rego_yaml_parse(b, vs_text(args[0]), out);
}

rego_bres rego_bi_yaml_is_valid(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    vs_val ignored;
    rego_bres res =
        args[0].kind == VS_STRING ? rego_yaml_parse(b, vs_text(args[0]), &ignored) : REGO_B_ERROR;
    *out = vs_bool(res == REGO_B_OK);
    return res == REGO_B_LIMIT ? res : REGO_B_OK;
}

/* ---- json.marshal_with_options ------------------------------------------------------------------
 */

typedef struct layout {
    bool pretty;
    vs_span indent, prefix;
} layout;

static void new_line(vs_buf *out, const layout *l, unsigned depth)
{
    if (!l->pretty)
        return;
    vs_buf_putc(out, '\n');
    vs_buf_put(out, l->prefix);
    for (unsigned i = 0; i < depth; i++)
        vs_buf_put(out, l->indent);
}

static void print(vs_buf *out, vs_val v)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    vs_json_print(&text, v);
    vs_json_escape_html(out, vs_buf_span(&text));
    out->failed |= !vs_buf_ok(&text);
}

/* As Go's json.Indent: empty collections stay on one line. */
static void put(vs_buf *out, vs_val v, const layout *l, unsigned depth)
{
    if (!vs_is_collection(v) || v.len == 0 || !l->pretty) {
        print(out, v);
        return;
    }
    bool object = v.kind == VS_OBJECT;
    vs_buf_putc(out, object ? '{' : '[');
    for (uint32_t i = 0; i < v.len && vs_buf_ok(out); i++) {
        if (i)
            vs_buf_putc(out, ',');
        new_line(out, l, depth + 1);
        if (object) {
            print(out, v.u.pairs[i].key);
            vs_buf_puts(out, ": ");
        }
        put(out, object ? v.u.pairs[i].val : v.u.items[i], l, depth + 1);
    }
    new_line(out, l, depth);
    vs_buf_putc(out, object ? '}' : ']');
}

/* What is wrong with the options is a fault of their type. */
static rego_bres as_type_error(rego_bres told)
{
    return told == REGO_B_ERROR ? REGO_B_TYPE : told;
}

rego_bres rego_bi_json_marshal_with_options(rego_bctx *b, const vs_val *args, unsigned n,
                                            vs_val *out)
{
    (void)n;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    layout l = {.indent = VS_LIT("\t"), .prefix = VS_LIT("")};
    REGO_WANT(1, VS_OBJECT);
    vs_val pretty = vs_getc(args[1], "pretty"), indent = vs_getc(args[1], "indent"),
           prefix = vs_getc(args[1], "prefix");
    for (VS_OBJ_FOR (p, args[1])) {
        vs_span key = vs_text(p->key);
        bool flag = vs_span_is(key, "pretty");
        if (!flag && !vs_span_is(key, "indent") && !vs_span_is(key, "prefix"))
            return as_type_error(rego_error(b, "operand 2 object contained unknown key \"%.*s\"",
                                            VS_FMT(vs_span_head(key, 80))));
        if (flag && p->val.kind != VS_BOOL)
            return as_type_error(rego_error(b, "operand 2 key \"pretty\" failed cast to bool"));
        if (!flag && p->val.kind != VS_STRING)
            return as_type_error(
                rego_error(b,
                           "operand 2 key \"%.*s\" failed cast to string: operand 0 "
                           "must be string but got %s",
                           VS_FMT(key), vs_kind_name((vs_kind)p->val.kind)));
    }
    if (vs_defined(indent))
        l.indent = vs_text(indent);
    if (vs_defined(prefix))
        l.prefix = vs_text(prefix);
    if (l.indent.n > INDENT_MAX || l.prefix.n > INDENT_MAX || !rego_charge(b, vs_weight(args[0])))
        return REGO_B_LIMIT;
    /* Saying how lines look means that there are lines. */
    l.pretty = vs_defined(pretty) ? vs_is_true(pretty) : vs_defined(indent) || vs_defined(prefix);
    if (l.pretty)
        vs_buf_put(&text, l.prefix);
    vs_val plain = vs_json_plain(b->a, args[0]);
    if (!vs_defined(plain))
        return REGO_B_LIMIT;
    put(&text, plain, &l, 0);
    return take(b, &text, out);
}
