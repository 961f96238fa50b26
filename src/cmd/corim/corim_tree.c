/* SPDX-License-Identifier: Apache-2.0 */
/* A template as a tree: names of members, values behind them, bytes in hexadecimal. */
#include "base/enc.h"
#include "cmd/corim/corim_tool.h"
#include "value/json.h"

enum { LINE_MAX_BYTES = 1024 };

static vs_span hex_of_base64(vs_arena *a, vs_span text)
{
    vs_span bytes;
    if (vs_b64_decode_arena(a, VS_B64_ANY, text, &bytes, NULL) != VS_OK)
        return text;
    return vs_hex_encode_arena(a, bytes);
}

/* Kinds of value that are base64 in the template. */
static bool is_bytes(vs_span type)
{
    static const char *const kinds[] = {"bytes", "ueid", "psa.impl-id", "cose-key",
                                        "pkix-asn1der-cert"};
    for (size_t i = 0; i < VS_COUNT(kinds); i++)
        if (vs_span_is(type, kinds[i]))
            return true;
    return false;
}

static bool is_digest(vs_val v)
{
    return v.kind == VS_ARRAY && v.len == 2 && v.u.items[1].kind == VS_STRING &&
           (vs_is_int(v.u.items[0]) || v.u.items[0].kind == VS_STRING);
}

static const char *algorithm_name(vs_arena *a, vs_val alg)
{
    static const char *const names[] = {NULL, "sha-256", NULL,      NULL,     NULL,
                                        NULL, NULL,      "sha-384", "sha-512"};
    if (alg.kind == VS_STRING)
        return vs_sprintf(a, "%.*s", VS_FMT(vs_text(alg)));
    bool known = alg.u.i >= 0 && alg.u.i < (int64_t)VS_COUNT(names) && names[alg.u.i];
    return known ? names[alg.u.i] : vs_sprintf(a, "algorithm %lld", (long long)alg.u.i);
}

/* PEM has line feeds, which would be shown as \\x0a. */
static vs_span on_one_line(vs_arena *a, vs_span text)
{
    vs_span copy = vs_dup(a, text);
    uint8_t *p = (uint8_t *)(uintptr_t)copy.p;
    for (size_t i = 0; i < copy.n; i++)
        p[i] = p[i] == '\n' ? ' ' : p[i];
    return copy;
}

/* A value that needs one line; p == NULL: it needs more. */
static vs_span line_of(vs_arena *a, vs_val v)
{
    vs_val type = vs_getc(v, "type"), value = vs_getc(v, "value");
    if (v.kind == VS_STRING)
        return on_one_line(a, vs_text(v));
    if (is_digest(v))
        return vs_str(vs_sprintf(a, "%s %.*s", algorithm_name(a, v.u.items[0]),
                                 VS_FMT(hex_of_base64(a, vs_text(v.u.items[1])))));
    if (type.kind == VS_STRING && v.len == 2 && vs_defined(value)) {
        vs_span text = line_of(a, value);
        if (value.kind == VS_STRING && is_bytes(vs_text(type)))
            text = hex_of_base64(a, text);
        return text.p ? vs_str(vs_sprintf(a, "%.*s (%.*s)", VS_FMT(text), VS_FMT(vs_text(type))))
                      : text;
    }
    if (vs_is_collection(v))
        return (vs_span){NULL, 0};
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(LINE_MAX_BYTES);
    vs_json_print(&text, v);
    return vs_dup(a, vs_buf_span(&text));
}

/* Members that hold base64 without saying so. */
static bool holds_base64(const char *name)
{
    static const char *const names[] = {"raw-value-mask", "signer-id", "mask", "ueid"};
    for (size_t i = 0; i < VS_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static void put_item(view *v, vs_arena *a, unsigned indent, const char *name, vs_val item);

static void put_members(view *v, vs_arena *a, unsigned indent, vs_val object)
{
    for (VS_OBJ_FOR (m, object))
        put_item(v, a, indent, vs_sprintf(a, "%.*s", VS_FMT(vs_text(m->key))), m->val);
}

static void put_item(view *v, vs_arena *a, unsigned indent, const char *name, vs_val item)
{
    vs_span line = line_of(a, item);
    if (line.p) {
        view_row(v, indent, name, holds_base64(name) ? hex_of_base64(a, line) : line);
    } else if (item.kind == VS_ARRAY) {
        for (VS_ARR_FOR (one, item))
            put_item(v, a, indent, name, *one);
    } else {
        vs_buf_printf(&v->out, "%*s", (int)indent * 2, "");
        view_styled(v, VIEW_BOLD, "%s", name);
        vs_buf_putc(&v->out, '\n');
        put_members(v, a, indent + 1, item);
    }
}

/* What is said of the whole first. */
void corim_tree(view *v, vs_arena *a, vs_val template)
{
    vs_val comids = vs_getc(template, "comids");
    put_members(v, a, 1, vs_with(a, template, vs_cstring("comids"), vs_undefined()));
    if (vs_defined(comids))
        put_item(v, a, 1, "comids", comids);
}
