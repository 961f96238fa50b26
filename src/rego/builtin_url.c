/* SPDX-License-Identifier: Apache-2.0 */
/* urlquery.*: form encoding, as Go's net/url has it (rego.md 10.6). */
#include "base/enc.h"
#include "rego/builtins.h"

enum { TEXT_MAX = 16 << 20 };

static bool is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static void escape(vs_buf *out, vs_span s)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        if (is_alnum(c) || c == '-' || c == '_' || c == '.' || c == '~') {
            vs_buf_putc(out, (char)c);
        } else if (c == ' ') {
            vs_buf_putc(out, '+');
        } else {
            vs_buf_putc(out, '%');
            vs_buf_putc(out, hex[c >> 4]);
            vs_buf_putc(out, hex[c & 15]);
        }
    }
}

static int nibble(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool rego_url_unescape(vs_arena *a, vs_span s, bool form, vs_span *out, vs_span *bad)
{
    uint8_t *to = vs_alloc(a, s.n);
    size_t n = 0;
    *bad = vs_span_head(s, 0);
    for (size_t i = 0; to && i < s.n; i++) {
        if (s.p[i] != '%') {
            to[n++] = form && s.p[i] == '+' ? ' ' : s.p[i];
            continue;
        }
        int hi = i + 2 < s.n ? nibble(s.p[i + 1]) : -1, lo = i + 2 < s.n ? nibble(s.p[i + 2]) : -1;
        if (hi < 0 || lo < 0) {
            *bad = vs_span_head(vs_span_from(s, i), 3);
            return false;
        }
        to[n++] = (uint8_t)(hi << 4 | lo);
        i += 2;
    }
    *out = vs_span_of(to, n);
    return to != NULL;
}

static rego_bres take(rego_bctx *b, vs_buf *text, vs_val *out)
{
    if (!vs_buf_ok(text) || b->a->failed || !rego_charge(b, text->n / 8))
        return REGO_B_LIMIT;
    *out = vs_string_dup(b->a, vs_buf_span(text));
    return REGO_B_OK;
}

static rego_bres bad_escape(rego_bctx *b, vs_span bad)
{
    return vs_arena_ok(b->a) ? rego_error(b, "invalid URL escape \"%.*s\"", VS_FMT(bad))
                             : REGO_B_LIMIT;
}

/* ---- urlquery ----------------------------------------------------------------------------------
 */

rego_bres rego_bi_urlquery_encode(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    REGO_WANT(0, VS_STRING);
    escape(&text, vs_text(args[0]));
    return take(b, &text, out);
}

rego_bres rego_bi_urlquery_decode(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    vs_span text, bad;
    REGO_WANT(0, VS_STRING);
    if (!rego_charge(b, args[0].len / 8))
        return REGO_B_LIMIT;
    if (!rego_url_unescape(b->a, vs_text(args[0]), true, &text, &bad))
        return bad_escape(b, bad);
    *out = vs_string(text);
    return REGO_B_OK;
}

static void put_query(vs_buf *out, vs_val key, vs_val value)
{
    if (out->n)
        vs_buf_putc(out, '&');
    escape(out, vs_text(key));
    vs_buf_putc(out, '=');
    escape(out, vs_text(value));
}

/* Keys that are no strings go as their Rego text. Undefined, the arena failed, without memory. */
static vs_val key_text(vs_arena *a, vs_val key)
{
    if (key.kind == VS_STRING)
        return key;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    rego_print_value(&text, key);
    a->failed |= !vs_buf_ok(&text);
    return vs_string_dup(a, vs_buf_span(&text));
}

rego_bres rego_bi_urlquery_encode_object(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    static const char wanted[] = "operand 1 values must be string, array[string], or set[string]";
    REGO_WANT(0, VS_OBJECT);
    for (VS_OBJ_FOR (p, args[0])) {
        vs_val name = key_text(b->a, p->key);
        if (p->val.kind == VS_STRING) {
            put_query(&text, name, p->val);
            continue;
        }
        if (p->val.kind != VS_ARRAY && p->val.kind != VS_SET)
            return (void)rego_error(b, "%s", wanted), REGO_B_TYPE;
        for (VS_ARR_FOR (v, p->val)) {
            if (v->kind != VS_STRING)
                return (void)rego_error(b, "%s", wanted), REGO_B_TYPE;
            put_query(&text, name, *v);
        }
    }
    return take(b, &text, out);
}

/* Values of a name in order, as an array. */
rego_bres rego_bi_urlquery_decode_object(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    vs_obj pairs = {.a = b->a};
    vs_vec names = {.a = b->a}, values = {.a = b->a};
    REGO_WANT(0, VS_STRING);
    if (!rego_charge(b, args[0].len))
        return REGO_B_LIMIT;
    vs_span rest = vs_text(args[0]), key, value, bad;
    for (bool more = rest.n > 0, found; more;) {
        vs_span pair = vs_span_cut(rest, '&', &rest, &more);
        if (pair.n && memchr(pair.p, ';', pair.n))
            return rego_error(b, "invalid semicolon separator in query");
        if (pair.n == 0)
            continue;
        key = vs_span_cut(pair, '=', &value, &found);
        if (!rego_url_unescape(b->a, key, true, &key, &bad) ||
            !rego_url_unescape(b->a, value, true, &value, &bad))
            return bad_escape(b, bad);
        vs_vec_add(&names, vs_string(key));
        vs_vec_add(&values, vs_string(value));
    }
    /* The object's sort is stable, so equal names stand together in order of appearance. */
    for (size_t i = 0; i < names.n; i++) {
        vs_vec one = {.a = b->a};
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++)
            seen = vs_eq(names.items[j], names.items[i]);
        for (size_t j = i; j < names.n && !seen; j++)
            if (vs_eq(names.items[j], names.items[i]))
                vs_vec_add(&one, values.items[j]);
        if (!rego_charge(b, names.n / 4))
            return REGO_B_LIMIT;
        if (!seen)
            vs_obj_add(&pairs, names.items[i], vs_vec_end_array(&one));
    }
    *out = vs_obj_end(&pairs, VS_DUP_LAST, NULL);
    return REGO_B_OK;
}
