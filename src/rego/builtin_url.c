/* SPDX-License-Identifier: Apache-2.0 */
/* urlquery.* (form encoding) and uri.* (RFC 3986), as Go's net/url has them (rego.md 10.6, 10.10).
 */
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

/* Undoes %XX, and '+' when `form`. False at the first bad escape, which *bad then is. */
static bool unescape(vs_arena *a, vs_span s, bool form, vs_span *out, vs_span *bad)
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
    if (!unescape(b->a, vs_text(args[0]), true, &text, &bad))
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
    static const char *const wanted = "one of {string, set, array}";
    REGO_WANT(0, VS_OBJECT);
    for (VS_OBJ_FOR (p, args[0])) {
        vs_val name = key_text(b->a, p->key);
        if (p->val.kind == VS_STRING) {
            put_query(&text, name, p->val);
            continue;
        }
        if (p->val.kind != VS_ARRAY && p->val.kind != VS_SET)
            return rego_type_error(b, 1, wanted, p->val);
        for (VS_ARR_FOR (v, p->val)) {
            if (v->kind != VS_STRING)
                return rego_type_error(b, 1, "string", *v);
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
        if (!unescape(b->a, key, true, &key, &bad) || !unescape(b->a, value, true, &value, &bad))
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

/* ---- uri ---------------------------------------------------------------------------------------
 */

typedef struct uri {
    vs_span scheme, host, port, path, query, fragment;
} uri;

static bool has_control(vs_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    return false;
}

/* "scheme:" in front; none is fine, a ':' first is not. */
static bool cut_scheme(vs_span *s, vs_span *scheme)
{
    *scheme = vs_span_head(*s, 0);
    for (size_t i = 0; i < s->n; i++) {
        uint8_t c = s->p[i];
        if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
            continue;
        if (c == ':') {
            *scheme = vs_span_head(*s, i);
            *s = vs_span_from(*s, i + 1);
            return i > 0;
        }
        if (i == 0 || !(is_alnum(c) || c == '+' || c == '-' || c == '.'))
            return true;
    }
    return true;
}

/* [user@]host[:port], host may be an address in brackets. */
static bool cut_authority(vs_span s, uri *u)
{
    for (size_t i = s.n; i > 0; i--)
        if (s.p[i - 1] == '@') {
            s = vs_span_from(s, i);
            break;
        }
    size_t end = 0;
    if (s.n && s.p[0] == '[') {
        while (end < s.n && s.p[end] != ']')
            end++;
        if (end == s.n)
            return false;
        u->host = vs_span_of(s.p + 1, end - 1);
        s = vs_span_from(s, end + 1);
    } else {
        while (end < s.n && s.p[end] != ':')
            end++;
        u->host = vs_span_head(s, end);
        s = vs_span_from(s, end);
    }
    if (s.n && s.p[0] != ':')
        return false;
    u->port = vs_span_from(s, s.n > 0);
    for (size_t i = 0; i < u->port.n; i++)
        if (u->port.p[i] < '0' || u->port.p[i] > '9')
            return false;
    return u->host.n == 0 || !memchr(u->host.p, ' ', u->host.n);
}

static bool parse_uri(vs_span s, uri *u)
{
    bool found;
    *u = (uri){0};
    if (s.n == 0 || has_control(s))
        return false;
    s = vs_span_cut(s, '#', &u->fragment, &found);
    if (!cut_scheme(&s, &u->scheme))
        return false;
    s = vs_span_cut(s, '?', &u->query, &found);
    if (vs_span_starts(s, VS_LIT("//"))) {
        vs_span rest = vs_span_from(s, 2);
        size_t end = 0;
        while (end < rest.n && rest.p[end] != '/')
            end++;
        if (!cut_authority(vs_span_head(rest, end), u))
            return false;
        s = vs_span_from(rest, end);
    }
    u->path = s;
    return true;
}

static void put_part(vs_obj *o, const char *name, vs_span part)
{
    if (part.n)
        vs_obj_put(o, name, vs_string(part));
}

rego_bres rego_bi_uri_parse(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    uri u;
    vs_span path, fragment, host, bad;
    REGO_WANT(0, VS_STRING);
    if (!rego_charge(b, args[0].len / 4))
        return REGO_B_LIMIT;
    if (!parse_uri(vs_text(args[0]), &u))
        return rego_error(b, "invalid URI");
    if (!unescape(b->a, u.path, false, &path, &bad) ||
        !unescape(b->a, u.fragment, false, &fragment, &bad) ||
        !unescape(b->a, u.host, false, &host, &bad))
        return bad_escape(b, bad);
    vs_obj o = {.a = b->a};
    vs_val scheme = vs_string_dup(b->a, u.scheme);
    for (uint32_t i = 0; vs_defined(scheme) && i < scheme.len; i++)
        if (scheme.u.s[i] >= 'A' && scheme.u.s[i] <= 'Z')
            ((char *)(uintptr_t)scheme.u.s)[i] |= 0x20;
    put_part(&o, "scheme", vs_text(scheme));
    put_part(&o, "hostname", host);
    put_part(&o, "port", u.port);
    put_part(&o, "path", path);
    put_part(&o, "raw_path", u.path);
    put_part(&o, "raw_query", u.query);
    put_part(&o, "fragment", fragment);
    *out = vs_obj_end(&o, VS_DUP_LAST, NULL);
    return REGO_B_OK;
}

rego_bres rego_bi_uri_is_valid(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    vs_val ignored;
    rego_bres res =
        args[0].kind == VS_STRING ? rego_bi_uri_parse(b, args, n, &ignored) : REGO_B_ERROR;
    *out = vs_bool(res == REGO_B_OK);
    return res == REGO_B_LIMIT ? res : REGO_B_OK;
}
