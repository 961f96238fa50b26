/* SPDX-License-Identifier: Apache-2.0 */
/* Strings (rego.md 10.4). Positions count code points. */
#include "base/enc.h"
#include "rego/builtins.h"
#include "rego/unicode.h"
#include "value/number.h"

enum { TEXT_MAX = 16 << 20 };

#define WANT_STRINGS(n)                                                                            \
    for (unsigned i_ = 0; i_ < (n); i_++)                                                          \
    REGO_WANT(i_, VS_STRING)

static rego_bres finish(rego_bctx *b, const vs_buf *text, vs_val *out)
{
    if (!vs_buf_ok(text) || !rego_charge(b, text->n / 16))
        return REGO_B_LIMIT;
    *out = vs_string_dup(b->a, vs_buf_span(text));
    return REGO_B_OK;
}

/* Byte offset of `needle` in s at or behind `from`; SIZE_MAX when it is not there. */
static size_t find(vs_span s, vs_span needle, size_t from)
{
    if (from > s.n || needle.n > s.n - from)
        return SIZE_MAX;
    if (needle.n == 0)
        return from;
    const uint8_t *at = memmem(s.p + from, s.n - from, needle.p, needle.n);
    return at ? (size_t)(at - s.p) : SIZE_MAX;
}

static int64_t code_points(vs_span s)
{
    int64_t n = 0;
    for (size_t at = 0; at < s.n; n++)
        (void)vs_utf8_next(s, &at);
    return n;
}

/* Byte offset of the n-th code point, or the end. */
static size_t offset_of(vs_span s, int64_t n)
{
    size_t at = 0;
    while (n-- > 0 && at < s.n)
        (void)vs_utf8_next(s, &at);
    return at;
}

#define TEST(name, expr)                                                                           \
    rego_bres rego_bi_##name(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)            \
    {                                                                                              \
        (void)n;                                                                                   \
        WANT_STRINGS(2);                                                                           \
        vs_span s = vs_text(args[0]), t = vs_text(args[1]);                                        \
        *out = vs_bool(expr);                                                                      \
        return rego_charge(b, s.n / 64) ? REGO_B_OK : REGO_B_LIMIT;                                \
    }
TEST(contains, find(s, t, 0) != SIZE_MAX)
TEST(startswith, vs_span_starts(s, t))
TEST(endswith, vs_span_ends(s, t))

rego_bres rego_bi_concat(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_STRING);
    if (args[1].kind != VS_ARRAY && args[1].kind != VS_SET)
        return rego_type_error(b, 2, "one of {array, set}", args[1]);
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    for (uint32_t i = 0; i < args[1].len; i++) {
        if (args[1].u.items[i].kind != VS_STRING)
            return rego_type_error(b, 2, "array or set of strings", args[1].u.items[i]);
        if (i)
            vs_buf_put(&text, vs_text(args[0]));
        vs_buf_put(&text, vs_text(args[1].u.items[i]));
    }
    return finish(b, &text, out);
}

rego_bres rego_bi_indexof(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    WANT_STRINGS(2);
    vs_span s = vs_text(args[0]);
    if (args[1].len == 0)
        return rego_error(b, "empty search character");
    size_t at = find(s, vs_text(args[1]), 0);
    *out = vs_int(at == SIZE_MAX ? -1 : code_points(vs_span_head(s, at)));
    return rego_charge(b, s.n / 16) ? REGO_B_OK : REGO_B_LIMIT;
}

rego_bres rego_bi_indexof_n(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    WANT_STRINGS(2);
    vs_span s = vs_text(args[0]), needle = vs_text(args[1]);
    if (needle.n == 0)
        return rego_error(b, "empty search character");
    vs_vec v = {.a = b->a};
    size_t from = 0, at;
    int64_t index = 0;
    while ((at = find(s, needle, from)) != SIZE_MAX) {
        index += code_points(vs_span_of(s.p + from, at - from));
        vs_vec_add(&v, vs_int(index));
        size_t next = at;
        (void)vs_utf8_next(s, &next);
        index++;
        from = next;
    }
    *out = vs_vec_end_array(&v);
    return rego_charge(b, s.n) ? REGO_B_OK : REGO_B_LIMIT;
}

rego_bres rego_bi_substring(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_STRING);
    REGO_WANT(1, VS_NUMBER);
    REGO_WANT(2, VS_NUMBER);
    vs_span s = vs_text(args[0]);
    if (args[1].big || args[2].big)
        return rego_not_integer(b, args[1].big ? 2 : 3);
    if (args[1].u.i < 0)
        return rego_error(b, "negative offset");
    if (!rego_charge(b, s.n / 16))
        return REGO_B_LIMIT;
    s = vs_span_from(s, offset_of(s, args[1].u.i));
    if (args[2].u.i >= 0)
        s = vs_span_head(s, offset_of(s, args[2].u.i));
    *out = vs_string(s);
    return REGO_B_OK;
}

rego_bres rego_bi_split(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    WANT_STRINGS(2);
    vs_span s = vs_text(args[0]), sep = vs_text(args[1]);
    if (!rego_charge(b, s.n / 4))
        return REGO_B_LIMIT;
    vs_vec v = {.a = b->a};
    size_t from = 0;
    if (sep.n == 0) {
        for (size_t at = 0; at < s.n; from = at) {
            (void)vs_utf8_next(s, &at);
            vs_vec_add(&v, vs_string(vs_span_of(s.p + from, at - from)));
        }
        *out = vs_vec_end_array(&v);
        return REGO_B_OK;
    }
    for (size_t at; (at = find(s, sep, from)) != SIZE_MAX; from = at + sep.n)
        vs_vec_add(&v, vs_string(vs_span_of(s.p + from, at - from)));
    vs_vec_add(&v, vs_string(vs_span_from(s, from)));
    *out = vs_vec_end_array(&v);
    return REGO_B_OK;
}

rego_bres rego_bi_replace(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    WANT_STRINGS(3);
    vs_span s = vs_text(args[0]), old = vs_text(args[1]), with = vs_text(args[2]);
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    size_t from = 0;
    if (old.n == 0) { /* between all code points, as Go does */
        for (size_t at = 0; at < s.n && vs_buf_ok(&text); from = at) {
            vs_buf_put(&text, with);
            (void)vs_utf8_next(s, &at);
            vs_buf_put(&text, vs_span_of(s.p + from, at - from));
        }
        vs_buf_put(&text, with);
        return finish(b, &text, out);
    }
    for (size_t at; (at = find(s, old, from)) != SIZE_MAX && vs_buf_ok(&text); from = at + old.n) {
        vs_buf_put(&text, vs_span_of(s.p + from, at - from));
        vs_buf_put(&text, with);
    }
    vs_buf_put(&text, vs_span_from(s, from));
    return finish(b, &text, out);
}

/* The first of the keys, in order, that stands at `at`. */
static const vs_pair *key_at(vs_val patterns, vs_span s, size_t at)
{
    for (VS_OBJ_FOR (p, patterns))
        if (p->key.len && vs_span_starts(vs_span_from(s, at), vs_text(p->key)))
            return p;
    return NULL;
}

rego_bres rego_bi_replace_n(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_OBJECT);
    REGO_WANT(1, VS_STRING);
    for (VS_OBJ_FOR (p, args[0])) {
        if (p->key.kind == VS_STRING && p->val.kind == VS_STRING)
            continue;
        (void)rego_error(b, "operand 1 non-string %s found in pattern object",
                         p->key.kind == VS_STRING ? "value" : "key");
        return REGO_B_TYPE;
    }
    vs_span s = vs_text(args[1]);
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    vs_val always = vs_getc(args[0], ""); /* an empty key stands between all code points */
    for (size_t at = 0; at < s.n && vs_buf_ok(&text);) {
        const vs_pair *p = key_at(args[0], s, at);
        size_t from = at;
        if (!rego_charge(b, 1 + args[0].len / 2))
            return REGO_B_LIMIT;
        if (p) {
            vs_buf_put(&text, vs_text(p->val));
            at += p->key.len;
            continue;
        }
        vs_buf_put(&text, vs_text(always));
        (void)vs_utf8_next(s, &at);
        vs_buf_put(&text, vs_span_of(s.p + from, at - from));
    }
    vs_buf_put(&text, vs_text(always));
    return finish(b, &text, out);
}

/* The first n parts, or the last -n; all when there are fewer. */
rego_bres rego_bi_split_n(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    WANT_STRINGS(2);
    REGO_WANT(2, VS_NUMBER);
    vs_val parts;
    if (!vs_num_is_integer(args[2]))
        return rego_not_integer(b, 3);
    rego_bres res = rego_bi_split(b, args, n - 1, &parts);
    if (res != REGO_B_OK)
        return res;
    int64_t want = !args[2].big ? args[2].u.i : vs_num_sign(args[2]) < 0 ? INT32_MIN : INT32_MAX;
    uint64_t many = want < 0 ? (uint64_t)-want : (uint64_t)want;
    size_t kept = many < parts.len ? (size_t)many : parts.len;
    *out = vs_items(VS_ARRAY, parts.u.items + (want < 0 ? parts.len - kept : 0), kept);
    return REGO_B_OK;
}

/* ---- case --------------------------------------------------------------------------------------
 */

static rego_bres change_case(rego_bctx *b, const vs_val *args, bool upper, vs_val *out)
{
    WANT_STRINGS(1);
    vs_span s = vs_text(args[0]);
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    for (size_t at = 0; at < s.n;) {
        uint8_t enc[4];
        uint32_t cp = vs_utf8_next(s, &at);
        unsigned k = vs_utf8_put(enc, upper ? rego_to_upper(cp) : rego_to_lower(cp));
        vs_buf_put(&text, vs_span_of(enc, k));
    }
    return finish(b, &text, out);
}

rego_bres rego_bi_lower(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return change_case(b, args, false, out);
}

rego_bres rego_bi_upper(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return change_case(b, args, true, out);
}

/* ---- trim
 * -------------------------------------------------------------------------------------------- */

static bool in_set(vs_span set, uint32_t cp)
{
    for (size_t at = 0; at < set.n;)
        if (vs_utf8_next(set, &at) == cp)
            return true;
    return false;
}

static vs_span trim_left(vs_span s, vs_span set)
{
    for (size_t at = 0; s.n; at = 0) {
        if (!in_set(set, vs_utf8_next(s, &at)))
            break;
        s = vs_span_from(s, at);
    }
    return s;
}

static vs_span trim_right(vs_span s, vs_span set)
{
    while (s.n) {
        size_t last = s.n - 1;
        while (last > 0 && (s.p[last] & 0xc0) == 0x80)
            last--;
        size_t at = last;
        if (!in_set(set, vs_utf8_next(s, &at)))
            break;
        s.n = last;
    }
    return s;
}

#define TRIM(name, expr)                                                                           \
    rego_bres rego_bi_##name(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)            \
    {                                                                                              \
        (void)n;                                                                                   \
        WANT_STRINGS(2);                                                                           \
        vs_span s = vs_text(args[0]), t = vs_text(args[1]);                                        \
        if (!rego_charge(b, (uint64_t)s.n * (t.n + 1) / 16))                                       \
            return REGO_B_LIMIT;                                                                   \
        *out = vs_string(expr);                                                                    \
        return REGO_B_OK;                                                                          \
    }
TRIM(trim, trim_right(trim_left(s, t), t))
TRIM(trim_left, trim_left(s, t))
TRIM(trim_right, trim_right(s, t))
TRIM(trim_prefix, vs_span_starts(s, t) ? vs_span_from(s, t.n) : s)
TRIM(trim_suffix, vs_span_ends(s, t) ? vs_span_head(s, s.n - t.n) : s)

rego_bres rego_bi_trim_space(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    WANT_STRINGS(1);
    /* Unicode white space, as Go's strings.TrimSpace. */
    static const char space[] =
        "\t\n\v\f\r "
        "\xc2\x85\xc2\xa0\xe1\x9a\x80\xe2\x80\x80\xe2\x80\x81\xe2\x80\x82\xe2\x80\x83\xe2\x80\x84"
        "\xe2\x80\x85\xe2\x80\x86\xe2\x80\x87\xe2\x80\x88\xe2\x80\x89\xe2\x80\x8a\xe2\x80\xa8\xe2"
        "\x80\xa9"
        "\xe2\x80\xaf\xe2\x81\x9f\xe3\x80\x80";
    vs_span set = vs_str(space);
    *out = vs_string(trim_right(trim_left(vs_text(args[0]), set), set));
    return rego_charge(b, args[0].len) ? REGO_B_OK : REGO_B_LIMIT;
}

/* ---- the strings package
 * ----------------------------------------------------------------------------- */

static rego_bres want_texts(rego_bctx *b, const vs_val *args, unsigned i)
{
    if (args[i].kind == VS_STRING)
        return REGO_B_OK;
    if (args[i].kind != VS_ARRAY && args[i].kind != VS_SET)
        return rego_type_error(b, i + 1, "one of {string, array, set}", args[i]);
    for (VS_ARR_FOR (v, args[i]))
        if (v->kind != VS_STRING)
            return rego_type_error(b, i + 1, "array or set of strings", *v);
    return REGO_B_OK;
}

static rego_bres any_match(rego_bctx *b, const vs_val *args, bool prefix, vs_val *out)
{
    for (unsigned i = 0; i < 2; i++) {
        rego_bres res = want_texts(b, args, i);
        if (res != REGO_B_OK)
            return res;
    }
    const vs_val *l = args[0].kind == VS_STRING ? &args[0] : args[0].u.items;
    const vs_val *r = args[1].kind == VS_STRING ? &args[1] : args[1].u.items;
    uint32_t nl = args[0].kind == VS_STRING ? 1 : args[0].len,
             nr = args[1].kind == VS_STRING ? 1 : args[1].len;
    if (!rego_charge(b, (uint64_t)nl * nr))
        return REGO_B_LIMIT;
    bool any = false;
    for (uint32_t i = 0; i < nl; i++)
        for (uint32_t k = 0; k < nr; k++)
            any |= prefix ? vs_span_starts(vs_text(l[i]), vs_text(r[k]))
                          : vs_span_ends(vs_text(l[i]), vs_text(r[k]));
    *out = vs_bool(any);
    return REGO_B_OK;
}

rego_bres rego_bi_any_prefix_match(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return any_match(b, args, true, out);
}

rego_bres rego_bi_any_suffix_match(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return any_match(b, args, false, out);
}

rego_bres rego_bi_strings_count(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    WANT_STRINGS(2);
    vs_span s = vs_text(args[0]), sub = vs_text(args[1]);
    int64_t count = sub.n ? 0 : code_points(s) + 1;
    for (size_t from = 0, at; sub.n && (at = find(s, sub, from)) != SIZE_MAX; from = at + sub.n)
        count++;
    *out = vs_int(count);
    return rego_charge(b, s.n / 16) ? REGO_B_OK : REGO_B_LIMIT;
}

rego_bres rego_bi_strings_reverse(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    WANT_STRINGS(1);
    vs_span s = vs_text(args[0]);
    uint8_t *p = vs_alloc(b->a, s.n);
    if (!p || !rego_charge(b, s.n / 16))
        return REGO_B_LIMIT;
    size_t end = s.n;
    for (size_t at = 0, from = 0; at < s.n; from = at) {
        (void)vs_utf8_next(s, &at);
        end -= at - from;
        memcpy(p + end, s.p + from, at - from);
    }
    *out = vs_string(vs_span_of(p, s.n));
    return REGO_B_OK;
}
