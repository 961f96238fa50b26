/* SPDX-License-Identifier: Apache-2.0 */
/* uri.*: RFC 3986 as Go's net/url reads it (rego.md 10.10). */
#include <arpa/inet.h>
#include <stdio.h>

#include "rego/builtins.h"

/* The first thing that is wrong: a text, and the part of the URI that it is about in quotes. */
typedef struct uri {
    vs_span scheme, user, host, port, path, query, fragment;
    bool opaque;      /* scheme:anything; has no host and no path */
    bool in_fragment; /* is what is wrong */
    const char *wrong, *wrong_end;
    vs_span about; /* p == NULL: nothing */
} uri;

static const vs_span nothing = {0};

static bool wrong(uri *u, const char *text, vs_span about, const char *end)
{
    u->wrong = text;
    u->about = about;
    u->wrong_end = end;
    return false;
}

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool has_control(vs_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    return false;
}

static bool find_last(vs_span s, uint8_t c, size_t *at)
{
    for (size_t i = s.n; i > 0; i--)
        if (s.p[i - 1] == c) {
            *at = i - 1;
            return true;
        }
    return false;
}

/* "scheme:" in front; none is fine, a ':' first is not. */
static bool cut_scheme(vs_span *s, uri *u)
{
    for (size_t i = 0; i < s->n; i++) {
        uint8_t c = s->p[i];
        if (c == ':' && i == 0)
            return wrong(u, "missing protocol scheme", nothing, "");
        if (c == ':') {
            u->scheme = vs_span_head(*s, i);
            *s = vs_span_from(*s, i + 1);
            return true;
        }
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!letter && (i == 0 || !(is_alnum(c) || c == '+' || c == '-' || c == '.')))
            return true;
    }
    return true;
}

static bool is_escape(vs_span s, size_t i)
{
    return i + 2 < s.n && is_hex(s.p[i + 1]) && is_hex(s.p[i + 2]);
}

static bool check_escapes(uri *u, vs_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '%' && !is_escape(s, i))
            return wrong(u, "invalid URL escape ", vs_span_head(vs_span_from(s, i), 3), "");
    return true;
}

static bool is_host_char(uint8_t c)
{
    return c >= 0x80 || is_alnum(c) || (c && strchr("-_.~!$&'()*+,;=:[]<>\"", c));
}

static uint8_t nibble(uint8_t c)
{
    return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* In a host only bytes that are not ASCII are escaped, and '%' itself; in its zone also spaces and
 * what may stand there anyway. */
static bool check_host_text(uri *u, vs_span s, bool zone)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '%') {
            if (!is_host_char(s.p[i]))
                return wrong(u, "invalid character ", vs_span_head(vs_span_from(s, i), 1),
                             " in host name");
            continue;
        }
        vs_span escape = vs_span_head(vs_span_from(s, i), 3);
        bool good = is_escape(s, i);
        if (good && !vs_span_is(escape, "%25")) {
            uint8_t c = (uint8_t)(nibble(s.p[i + 1]) << 4 | nibble(s.p[i + 2]));
            good = zone ? c == ' ' || is_host_char(c) : c >= 0x80;
        }
        if (!good)
            return wrong(u, "invalid URL escape ", escape, "");
        i += 2;
    }
    return true;
}

static bool check_port(uri *u, vs_span s)
{
    bool good = s.n == 0 || s.p[0] == ':';
    for (size_t i = 1; i < s.n; i++)
        good &= s.p[i] >= '0' && s.p[i] <= '9';
    return good || wrong(u, "invalid port ", s, " after host");
}

/* What stands in brackets: an IPv6 address, and maybe a zone behind "%25". */
static bool check_literal(uri *u, vs_span s)
{
    char text[INET6_ADDRSTRLEN];
    uint8_t address[16];
    size_t n = 0;
    while (n < s.n && !vs_span_starts(vs_span_from(s, n), VS_LIT("%25")))
        n++;
    if (!check_host_text(u, vs_span_head(s, n), false) ||
        !check_host_text(u, vs_span_from(s, n), true))
        return false;
    if (n >= sizeof text || s.n == n + 3)
        return wrong(u, "invalid host: not an IP address: ", s, "");
    (void)snprintf(text, sizeof text, "%.*s", (int)n, n ? (const char *)s.p : "");
    if (n == s.n && inet_pton(AF_INET, text, address) == 1)
        return wrong(u, "invalid IP-literal", nothing, "");
    return inet_pton(AF_INET6, text, address) == 1 ||
           wrong(u, "invalid host: not an IP address: ", s, "");
}

static bool is_strict(vs_span scheme)
{
    return (scheme.n == 4 || scheme.n == 5) &&
           strncasecmp((const char *)scheme.p, "https", scheme.n) == 0;
}

/* host[:port]; host may be an address in brackets. */
static bool cut_host(vs_span s, uri *u)
{
    size_t open, end = s.n;
    if (find_last(s, '[', &open)) {
        if (open > 0)
            return wrong(u, "invalid IP-literal", nothing, "");
        if (!find_last(s, ']', &end))
            return wrong(u, "missing ']' in host", nothing, "");
        u->host = vs_span_of(s.p + 1, end - 1);
        u->port = vs_span_from(s, end + 1);
        if (!check_port(u, u->port) || !check_literal(u, u->host))
            return false;
    } else {
        bool found;
        vs_span port;
        if (is_strict(u->scheme)) /* one colon at most */
            end = vs_span_cut(s, ':', &port, &found).n;
        else if (!find_last(s, ':', &end))
            end = s.n;
        u->host = vs_span_head(s, end);
        u->port = vs_span_from(s, end);
        if (!check_port(u, u->port) || !check_host_text(u, s, false))
            return false;
    }
    u->port = vs_span_from(u->port, u->port.n > 0);
    return true;
}

static bool cut_authority(vs_span s, uri *u)
{
    size_t at;
    if (!find_last(s, '@', &at))
        return cut_host(s, u);
    if (!cut_host(vs_span_from(s, at + 1), u))
        return false;
    u->user = vs_span_head(s, at);
    for (size_t i = 0; i < at; i++)
        if (!is_alnum(s.p[i]) && !(s.p[i] && strchr("-._:~!$&'()*+,;=%@", s.p[i])))
            return wrong(u, "net/url: invalid userinfo", nothing, "");
    bool found;
    vs_span password, name = vs_span_cut(u->user, ':', &password, &found);
    return check_escapes(u, name) && check_escapes(u, password);
}

static bool parse_hierarchy(vs_span s, uri *u)
{
    bool found;
    vs_span rest;
    if (!vs_span_starts(s, VS_LIT("/"))) {
        u->opaque = u->scheme.n > 0;
        if (u->opaque)
            return true;
        vs_span segment = vs_span_cut(s, '/', &rest, &found);
        if (segment.n && memchr(segment.p, ':', segment.n))
            return wrong(u, "first path segment in URL cannot contain colon", nothing, "");
    }
    if (vs_span_starts(s, VS_LIT("//")) && (u->scheme.n > 0 || !vs_span_starts(s, VS_LIT("///")))) {
        s = vs_span_from(s, 2);
        vs_span authority = vs_span_cut(s, '/', &rest, &found);
        s = vs_span_from(s, authority.n);
        if (!cut_authority(authority, u))
            return false;
    }
    u->path = s;
    return check_escapes(u, s);
}

static bool parse_uri(vs_span s, uri *u)
{
    bool found;
    *u = (uri){0};
    s = vs_span_cut(s, '#', &u->fragment, &found);
    if (has_control(s))
        return wrong(u, "net/url: invalid control character in URL", nothing, "");
    if (!cut_scheme(&s, u))
        return false;
    s = vs_span_cut(s, '?', &u->query, &found);
    if (!parse_hierarchy(s, u))
        return false;
    u->in_fragment = true;
    return check_escapes(u, u->fragment);
}

static rego_bres put_part(rego_bctx *b, vs_obj *o, const char *name, vs_span part)
{
    vs_span text, bad;
    if (part.n == 0)
        return REGO_B_OK;
    if (!rego_url_unescape(b->a, part, false, &text, &bad))
        return REGO_B_LIMIT;
    vs_obj_put(o, name, vs_string(text));
    return REGO_B_OK;
}

static void put_raw(vs_obj *o, const char *name, vs_span part)
{
    if (part.n)
        vs_obj_put(o, name, vs_string(part));
}

static bool is_path_char(uint8_t c)
{
    return is_alnum(c) || (c && strchr("-_.~$&+,/:;=@", c));
}

/* Whether a path is escaped just as Go would do it. */
static bool is_plainly_escaped(vs_span s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool escape = s.p[i] == '%';
        uint8_t c = escape ? (uint8_t)(nibble(s.p[i + 1]) << 4 | nibble(s.p[i + 2])) : s.p[i];
        bool plain = is_path_char(c);
        bool lower = escape && (s.p[i + 1] >= 'a' || s.p[i + 2] >= 'a');
        if (escape == plain || lower)
            return false;
        i += escape ? 2 : 0;
    }
    return true;
}

static rego_bres bad_uri(rego_bctx *b, vs_span text, const uri *u)
{
    VS_CLEANUP(vs_buf_free) vs_buf about = VS_BUF(1024), whole = about;
    bool found;
    vs_span fragment, front = vs_span_cut(text, '#', &fragment, &found);
    rego_print_value(&whole, vs_string(vs_span_head(u->in_fragment ? text : front, 80)));
    if (u->about.p)
        rego_print_value(&about, vs_string(vs_span_head(u->about, 80)));
    return rego_error(b, "parse %.*s: %s%.*s%s", VS_FMT(vs_buf_span(&whole)), u->wrong,
                      VS_FMT(vs_buf_span(&about)), u->wrong_end);
}

rego_bres rego_bi_uri_parse(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    uri u;
    REGO_WANT(0, VS_STRING);
    if (!rego_charge(b, args[0].len / 4))
        return REGO_B_LIMIT;
    if (!parse_uri(vs_text(args[0]), &u))
        return bad_uri(b, vs_text(args[0]), &u);
    vs_obj o = {.a = b->a};
    vs_val scheme = vs_string_dup(b->a, u.scheme);
    for (uint32_t i = 0; vs_defined(scheme) && i < scheme.len; i++)
        if (scheme.u.s[i] >= 'A' && scheme.u.s[i] <= 'Z')
            ((char *)(uintptr_t)scheme.u.s)[i] |= 0x20;
    put_raw(&o, "scheme", vs_text(scheme));
    put_raw(&o, "port", u.port);
    put_raw(&o, "raw_query", u.query);
    if (put_part(b, &o, "hostname", u.host) != REGO_B_OK ||
        put_part(b, &o, "path", u.path) != REGO_B_OK ||
        put_part(b, &o, "fragment", u.fragment) != REGO_B_OK)
        return REGO_B_LIMIT;
    if (!is_plainly_escaped(u.path))
        put_raw(&o, "raw_path", u.path);
    else if (put_part(b, &o, "raw_path", u.path) != REGO_B_OK)
        return REGO_B_LIMIT;
    *out = vs_obj_end(&o, VS_DUP_LAST, NULL);
    return REGO_B_OK;
}

rego_bres rego_uri_escaped_path(rego_bctx *b, vs_span text, vs_span *out)
{
    uri u;
    vs_span path, bad;
    if (!parse_uri(text, &u))
        return bad_uri(b, text, &u);
    *out = u.path;
    bool valid = true;
    for (size_t i = 0; i < u.path.n && valid; i++)
        valid = u.path.p[i] == '%' || is_alnum(u.path.p[i]) ||
                strchr("-_.~$&+,/:;=@!'()*[]", u.path.p[i]);
    if (valid)
        return REGO_B_OK;
    VS_CLEANUP(vs_buf_free) vs_buf escaped = VS_BUF(3 * u.path.n + 1);
    if (!rego_url_unescape(b->a, u.path, false, &path, &bad))
        return REGO_B_LIMIT;
    for (size_t i = 0; i < path.n; i++)
        if (is_path_char(path.p[i]))
            vs_buf_putc(&escaped, (char)path.p[i]);
        else
            vs_buf_printf(&escaped, "%%%02X", path.p[i]);
    *out = vs_dup(b->a, vs_buf_span(&escaped));
    return vs_buf_ok(&escaped) && vs_arena_ok(b->a) ? REGO_B_OK : REGO_B_LIMIT;
}

/* An empty text names nothing. */
rego_bres rego_bi_uri_is_valid(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    uri u;
    if (!rego_charge(b, args[0].kind == VS_STRING ? args[0].len / 4 : 0))
        return REGO_B_LIMIT;
    *out = vs_bool(args[0].kind == VS_STRING && args[0].len > 0 && parse_uri(vs_text(args[0]), &u));
    return REGO_B_OK;
}
