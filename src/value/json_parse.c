/* SPDX-License-Identifier: Apache-2.0 */
#include "base/enc.h"
#include "value/json.h"
#include "value/json_plain.h"

enum { DEPTH = 128, NODES = 4 * 1000 * 1000, REPLACEMENT = 0xfffd };

typedef struct parser {
    vs_arena *a;
    vs_span in;
    size_t at;
    uint32_t depth;
    size_t nodes; /* left */
    vs_dup_rule dup;
    bool lossy;
    vs_error *err;
    /* Members of all open arrays and objects; a closed one is copied out in one piece. */
    vs_val *stack;
    size_t n, room;
} parser;

static vs_code fail_at(parser *p, size_t at, vs_code code, const char *what)
{
    size_t line = 1, start = 0;
    for (size_t i = 0; i < at && i < p->in.n; i++) {
        if (p->in.p[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    return vs_fail(p->err, code, "JSON line %zu column %zu: %s", line, at - start + 1, what);
}

static vs_code fail(parser *p, const char *what)
{
    return fail_at(p, p->at, VS_E_PARSE, what);
}

static int peek(parser *p)
{
    return p->at < p->in.n ? p->in.p[p->at] : -1;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static void skip_space(parser *p)
{
    while (p->at < p->in.n && is_space(p->in.p[p->at]))
        p->at++;
}

static vs_code make_room(parser *p)
{
    size_t room = p->room ? p->room * 2 : 64;
    vs_val *stack = vs_grow(p->a, p->stack, p->n, room, sizeof *stack);
    if (!stack)
        return vs_arena_check(p->a, p->err);
    p->stack = stack;
    p->room = room;
    return VS_OK;
}

static inline vs_code push(parser *p, vs_val v)
{
    if (p->n == p->room)
        VS_TRY(make_room(p));
    p->stack[p->n++] = v;
    return VS_OK;
}

/* ---- strings ------------------------------------------------------------------------------------
 */

static int hex4(const uint8_t *s)
{
    int v = 0;
    for (int i = 0; i < 4; i++) {
        int c = s[i], lower = c | 0x20;
        int d = c >= '0' && c <= '9'           ? c - '0'
                : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10
                                               : -1;
        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

/* \uXXXX at p->at (behind the 'u'), joined with a following low surrogate. */
static vs_code unicode_escape(parser *p, uint8_t **o)
{
    int hi = p->in.n - p->at >= 4 ? hex4(p->in.p + p->at) : -1;
    if (hi < 0)
        return fail(p, "\\u needs four hexadecimal digits");
    p->at += 4;
    uint32_t cp = (uint32_t)hi;
    bool low = cp >= 0xdc00 && cp <= 0xdfff;
    if (low && !p->lossy)
        return fail(p, "a low surrogate without a high one");
    cp = low ? REPLACEMENT : cp;
    if (cp >= 0xd800 && cp <= 0xdbff) {
        bool pair = p->in.n - p->at >= 6 && p->in.p[p->at] == '\\' && p->in.p[p->at + 1] == 'u';
        int lo = pair ? hex4(p->in.p + p->at + 2) : -1;
        pair = lo >= 0xdc00 && lo <= 0xdfff;
        if (!pair && !p->lossy)
            return fail(p, "a high surrogate without a low one");
        p->at += pair ? 6 : 0;
        cp = pair ? 0x10000 + ((cp - 0xd800) << 10) + ((uint32_t)lo - 0xdc00) : REPLACEMENT;
    }
    *o += vs_utf8_put(*o, cp);
    return VS_OK;
}

static vs_code escape(parser *p, uint8_t **o)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    int c = peek(p);
    p->at++;
    if (c == 'u')
        return unicode_escape(p, o);
    const char *k = c > 0 ? strchr(from, c) : NULL;
    if (!k) {
        p->at--;
        return fail(p, "unknown escape in a string");
    }
    *(*o)++ = (uint8_t)to[k - from];
    return VS_OK;
}

/* From the first backslash on: the rest is copied with escapes undone. */
static vs_code escaped_string(parser *p, size_t start, size_t end, vs_val *out)
{
    uint8_t *buf = vs_alloc(p->a, end - start + 1), *o = buf;
    if (!buf)
        return vs_arena_check(p->a, p->err);
    memcpy(o, p->in.p + start, p->at - start);
    o += p->at - start;
    while (p->in.p[p->at] != '"') {
        if (p->in.p[p->at] != '\\') {
            *o++ = p->in.p[p->at++];
            continue;
        }
        p->at++;
        VS_TRY(escape(p, &o));
    }
    p->at++;
    *out = vs_string(vs_span_of(buf, (size_t)(o - buf)));
    return VS_OK;
}

static vs_code parse_string(parser *p, vs_val *out)
{
    size_t start = ++p->at, at = start, first_escape = 0;
    bool high = false;
    for (;; at++) {
        at += json_plain(vs_span_from(p->in, at));
        if (at >= p->in.n)
            return fail_at(p, at, VS_E_PARSE, "a string does not end");
        uint8_t c = p->in.p[at];
        if (c == '"')
            break;
        if (c < 0x20)
            return fail_at(p, at, VS_E_PARSE, "a control character in a string");
        high |= c >= 0x80;
        if (c == '\\') {
            if (!first_escape)
                first_escape = at;
            at++;
        }
    }
    if (high && !vs_utf8_ok(vs_span_of(p->in.p + start, at - start)))
        return fail_at(p, start, VS_E_PARSE, "a string is not UTF-8");
    if (first_escape) {
        p->at = first_escape;
        return escaped_string(p, start, at, out);
    }
    p->at = at + 1;
    *out = vs_string(vs_span_of(p->in.p + start, at - start));
    return VS_OK;
}

/* ---- other values -------------------------------------------------------------------------------
 */

static vs_code parse_number(parser *p, vs_val *out)
{
    /* Most numbers are short integers. */
    size_t at = p->at;
    int64_t v = 0;
    while (at < p->in.n && at - p->at < 18 && p->in.p[at] >= '0' && p->in.p[at] <= '9')
        v = v * 10 + (p->in.p[at++] - '0');
    uint8_t next = at < p->in.n ? p->in.p[at] : 0;
    bool plain = at > p->at && (next == ',' || next == ']' || next == '}');
    if (plain && (p->in.p[p->at] != '0' || at == p->at + 1)) {
        p->at = at;
        *out = vs_int(v);
        return VS_OK;
    }
    at = p->at;
    while (at < p->in.n && p->in.p[at] && strchr("+-.0123456789Ee", p->in.p[at]))
        at++;
    vs_error err = {0};
    *out = vs_num_parse(p->a, vs_span_of(p->in.p + p->at, at - p->at), &err);
    if (!vs_defined(*out))
        return fail_at(p, p->at, err.code, vs_error_at(&err, 0));
    p->at = at;
    return VS_OK;
}

static vs_code parse_word(parser *p, const char *word, vs_val v, vs_val *out)
{
    if (!vs_span_starts(vs_span_from(p->in, p->at), vs_str(word)))
        return fail(p, "not a JSON value");
    p->at += strlen(word);
    *out = v;
    return VS_OK;
}

static vs_code parse_value(parser *p, vs_val *out);

/* Behind an opening bracket: true when it closes at once. */
static bool closes(parser *p, char close)
{
    p->at++;
    skip_space(p);
    if (peek(p) != close)
        return false;
    p->at++;
    return true;
}

/* Behind a member: VS_OK with *more = another follows. */
static vs_code next_member(parser *p, char close, bool *more)
{
    skip_space(p);
    int c = peek(p);
    if (c != ',' && c != close)
        return fail(p, close == ']' ? "expected ',' or ']'" : "expected ',' or '}'");
    p->at++;
    *more = c == ',';
    skip_space(p);
    return VS_OK;
}

/* The items from here on that are like "17,": evidence has bytes by the thousand. Whatever is not,
 * an error included, is left to parse_value. */
static vs_code short_integers(parser *p)
{
    enum { DIGITS = 9 };
    const uint8_t *at = p->in.p + p->at, *const end = p->in.p + p->in.n;
    while (p->nodes > 0) {
        const uint8_t *q = at;
        uint32_t v = 0;
        for (; q < end && (uint8_t)(*q - '0') < 10 && q < at + DIGITS; q++)
            v = v * 10 + (uint8_t)(*q - '0');
        if (q == at || q == end || *q != ',' || (*at == '0' && q > at + 1))
            break;
        p->nodes--;
        VS_TRY(push(p, vs_int(v)));
        at = q + 1;
        while (at < end && is_space(*at))
            at++;
    }
    p->at = (size_t)(at - p->in.p);
    return VS_OK;
}

static vs_code parse_array(parser *p, vs_val *out)
{
    *out = vs_empty(VS_ARRAY);
    if (closes(p, ']'))
        return VS_OK;
    size_t base = p->n;
    for (bool more = true; more;) {
        vs_val v;
        VS_TRY(short_integers(p));
        VS_TRY(parse_value(p, &v));
        VS_TRY(push(p, v));
        VS_TRY(next_member(p, ']', &more));
    }
    size_t n = p->n - base;
    vs_val *items = vs_alloc_array(p->a, n, sizeof *items);
    if (!items || n > UINT32_MAX)
        return vs_arena_check(p->a, p->err);
    memcpy(items, p->stack + base, n * sizeof *items);
    p->n = base;
    *out = vs_items(VS_ARRAY, items, n);
    return vs_defined(*out) ? VS_OK : fail(p, "array is too large");
}

static vs_code parse_member(parser *p)
{
    vs_val key, val;
    if (peek(p) != '"')
        return fail(p, "expected a member name in quotes");
    VS_TRY(parse_string(p, &key));
    skip_space(p);
    if (peek(p) != ':')
        return fail(p, "expected ':' behind a member name");
    p->at++;
    skip_space(p);
    VS_TRY(parse_value(p, &val));
    VS_TRY(push(p, key));
    return push(p, val);
}

static vs_code parse_object(parser *p, vs_val *out)
{
    size_t open = p->at, base = p->n;
    *out = vs_empty(VS_OBJECT);
    if (closes(p, '}'))
        return VS_OK;
    for (bool more = true; more;) {
        VS_TRY(parse_member(p));
        VS_TRY(next_member(p, '}', &more));
    }
    size_t n = (p->n - base) / 2;
    vs_pair *pairs = vs_alloc_array(p->a, n, sizeof *pairs);
    if (!pairs)
        return vs_arena_check(p->a, p->err);
    for (size_t i = 0; i < n; i++)
        pairs[i] = (vs_pair){p->stack[base + 2 * i], p->stack[base + 2 * i + 1]};
    p->n = base;
    vs_obj b = {.a = p->a, .pairs = pairs, .n = n, .room = n};
    vs_val dup = vs_undefined();
    *out = vs_obj_end(&b, p->dup, &dup);
    if (vs_defined(*out))
        return VS_OK;
    VS_TRY(vs_arena_check(p->a, p->err));
    return fail_at(
        p, open, VS_E_PARSE,
        vs_sprintf(p->a, "duplicate member name \"%.*s\"", VS_FMT(vs_span_head(vs_text(dup), 64))));
}

static vs_code parse_value(parser *p, vs_val *out)
{
    if (p->nodes-- == 0)
        return fail_at(p, p->at, VS_E_LIMIT, "too many values");
    int c = peek(p);
    if (c == '"')
        return parse_string(p, out);
    if (c == '-' || (c >= '0' && c <= '9'))
        return parse_number(p, out);
    if (c == '[' || c == '{') {
        if (p->depth == 0)
            return fail_at(p, p->at, VS_E_LIMIT, "nested too deeply");
        p->depth--;
        VS_TRY(c == '[' ? parse_array(p, out) : parse_object(p, out));
        p->depth++;
        return VS_OK;
    }
    if (c == 't')
        return parse_word(p, "true", vs_bool(true), out);
    if (c == 'f')
        return parse_word(p, "false", vs_bool(false), out);
    if (c == 'n')
        return parse_word(p, "null", vs_null(), out);
    return fail(p, c < 0 ? "the text ends where a value is expected" : "not a JSON value");
}

vs_code vs_json_parse(vs_arena *a, vs_span text, const vs_json_opts *opts, vs_val *out,
                      vs_error *err)
{
    parser p = {.a = a,
                .in = text,
                .depth = opts && opts->depth ? opts->depth : DEPTH,
                .nodes = opts && opts->nodes ? opts->nodes : NODES,
                .dup = opts && opts->dup_last_wins ? VS_DUP_LAST : VS_DUP_REFUSE,
                .lossy = opts && opts->lossy,
                .err = err};
    vs_val v;
    *out = vs_undefined();
    if (p.lossy)
        p.in = vs_utf8_scrub(a, text);
    VS_TRY(vs_arena_check(a, err));
    skip_space(&p);
    VS_TRY(parse_value(&p, &v));
    skip_space(&p);
    if (p.at != p.in.n)
        return fail(&p, "more text behind the value");
    *out = v;
    return VS_OK;
}
