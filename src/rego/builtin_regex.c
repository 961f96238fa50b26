/* SPDX-License-Identifier: Apache-2.0 */
/* regex.* (rego.md 10.5). Compiled patterns are kept by the evaluation context, a bounded number.
 */
#include <stdlib.h>

#include "base/enc.h"
#include "rego/builtins.h"
#include "rego/regex_re2.h"
#include "rego/unicode.h"
#include "value/number.h"

enum { CACHE = 64, TEXT_MAX = 16 << 20 };

struct rego_regexes {
    struct {
        char *pattern;
        size_t n;
        rego_regex *re;
    } slot[CACHE];
    size_t used, next;
};

static void drop(rego_regexes *r, size_t i)
{
    rego_regex_delete(r->slot[i].re);
    free(r->slot[i].pattern);
}

void rego_regexes_free(rego_regexes **rp)
{
    for (size_t i = 0; *rp && i < (*rp)->used; i++)
        drop(*rp, i);
    free(*rp);
    *rp = NULL;
}

static const rego_regex *cached(const rego_regexes *r, vs_span pattern)
{
    for (size_t i = 0; r && i < r->used; i++)
        if (vs_span_eq(vs_span_of(r->slot[i].pattern, r->slot[i].n), pattern))
            return r->slot[i].re;
    return NULL;
}

/* Takes ownership of `re`; when the cache is full the oldest pattern goes. */
static bool keep(rego_bctx *b, vs_span pattern, rego_regex *re)
{
    if (!b->regexes)
        b->regexes = calloc(1, sizeof *b->regexes);
    char *copy = malloc(pattern.n + 1);
    if (!b->regexes || !copy) {
        free(copy);
        rego_regex_delete(re);
        return false;
    }
    rego_regexes *r = b->regexes;
    size_t i = r->used < CACHE ? r->used++ : r->next++ % CACHE;
    if (r->slot[i].re)
        drop(r, i);
    if (pattern.n)
        memcpy(copy, pattern.p, pattern.n);
    r->slot[i].pattern = copy;
    r->slot[i].n = pattern.n;
    r->slot[i].re = re;
    return true;
}

rego_bres rego_regex_get(rego_bctx *b, vs_span pattern, const rego_regex **out)
{
    char why[200] = "";
    *out = cached(b->regexes, pattern);
    if (*out)
        return REGO_B_OK;
    if (!rego_charge(b, 100 + pattern.n * 4))
        return REGO_B_LIMIT;
    uint64_t repetitions = rego_regex_repetitions(pattern);
    if (repetitions == UINT64_MAX)
        return rego_error(b, "error parsing regexp: invalid repeat count");
    if (repetitions > REGO_REPEAT_MAX)
        return REGO_B_LIMIT;
    rego_regex *re = rego_regex_new((const char *)pattern.p, pattern.n, why, sizeof why);
    if (!re && !why[0])
        return REGO_B_LIMIT; /* no memory is no fault of the pattern */
    if (!re)
        return rego_error(b, "error parsing regexp: %s", why);
    if (!keep(b, pattern, re))
        return REGO_B_LIMIT;
    *out = re;
    return REGO_B_OK;
}

/* The pattern in args[p], the text in args[t], both strings. */
static rego_bres prepare(rego_bctx *b, const vs_val *args, unsigned p, unsigned t,
                         const rego_regex **re)
{
    unsigned first = p < t ? p : t, second = p < t ? t : p;
    REGO_WANT(first, VS_STRING);
    REGO_WANT(second, VS_STRING);
    if (!rego_charge(b, args[t].len / 4))
        return REGO_B_LIMIT;
    return rego_regex_get(b, vs_text(args[p]), re);
}

/* The text to match. For Go a byte that is not UTF-8 is U+FFFD, which "." matches. */
static vs_span subject(rego_bctx *b, vs_val text)
{
    return vs_utf8_scrub(b->a, vs_text(text));
}

static bool match_at(const rego_regex *re, vs_span s, size_t from, rego_match *groups, int n)
{
    return from <= s.n && rego_regex_match(re, (const char *)s.p, s.n, from, groups, n);
}

/* The matches of a text from left to right. As in Go an empty match is none directly behind another
 * match, so that "a*" finds "aa" and not also the nothing behind it. */
typedef struct search {
    const rego_regex *re;
    vs_span text;
    size_t at;       /* where the search goes on; text.n + 1 = nowhere */
    size_t last_end; /* of the match before; SIZE_MAX = none */
} search;

static search search_in(const rego_regex *re, vs_span text)
{
    return (search){re, text, 0, SIZE_MAX};
}

static bool next_match(search *q, rego_match *m, int groups)
{
    while (match_at(q->re, q->text, q->at, m, groups)) {
        bool empty = m->end == m->start, repeated = empty && m->start == q->last_end;
        q->at = q->last_end = m->end;
        if (empty && q->at < q->text.n)
            (void)vs_utf8_next(q->text, &q->at);
        else if (empty)
            q->at = q->text.n + 1;
        if (!repeated)
            return true;
    }
    return false;
}

rego_bres rego_bi_regex_match(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    const rego_regex *re;
    rego_match m[1];
    rego_bres res = prepare(b, args, 0, 1, &re);
    if (res != REGO_B_OK)
        return res;
    vs_span s = subject(b, args[1]);
    if (!vs_arena_ok(b->a))
        return REGO_B_LIMIT;
    *out = vs_bool(match_at(re, s, 0, m, 1));
    return REGO_B_OK;
}

rego_bres rego_bi_regex_is_valid(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    const rego_regex *re;
    bool small =
        args[0].kind == VS_STRING && rego_regex_repetitions(vs_text(args[0])) <= REGO_REPEAT_MAX;
    rego_bres res = small ? rego_regex_get(b, vs_text(args[0]), &re) : REGO_B_ERROR;
    *out = vs_bool(res == REGO_B_OK);
    return res == REGO_B_LIMIT ? res : REGO_B_OK;
}

static vs_val part(vs_span s, size_t from, size_t to)
{
    return vs_string(vs_span_of(s.p + from, to - from));
}

rego_bres rego_bi_regex_split(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    const rego_regex *re;
    rego_bres res = prepare(b, args, 0, 1, &re);
    if (res != REGO_B_OK)
        return res;
    vs_span s = subject(b, args[1]);
    if (!vs_arena_ok(b->a))
        return REGO_B_LIMIT;
    vs_vec v = {.a = b->a};
    size_t from = 0;
    search q = search_in(re, s);
    if (s.n == 0 && args[0].len == 0) {
        *out = vs_empty(VS_ARRAY);
        return REGO_B_OK;
    }
    for (rego_match m[1]; next_match(&q, m, 1);) {
        if (m->end == 0 ||
            (m->end == m->start && m->start >= s.n)) /* as Go: no empty piece at the ends */
            continue;
        vs_vec_add(&v, part(s, from, m->start));
        from = m->end;
        if (!rego_charge(b, 1))
            return REGO_B_LIMIT;
    }
    vs_vec_add(&v, part(s, from, s.n));
    *out = vs_vec_end_array(&v);
    return REGO_B_OK;
}

static vs_val submatches(rego_bctx *b, vs_span s, const rego_match *m, int groups)
{
    vs_vec v = {.a = b->a};
    for (int i = 0; i < groups; i++)
        vs_vec_add(&v, part(s, m[i].start, m[i].end));
    return vs_vec_end_array(&v);
}

/* The first `args[2]` matches (-1 = all): whole texts, or arrays with the groups. */
static rego_bres find_all(rego_bctx *b, const vs_val *args, bool with_groups, vs_val *out)
{
    const rego_regex *re;
    REGO_WANT(0, VS_STRING);
    REGO_WANT(1, VS_STRING);
    REGO_WANT(2, VS_NUMBER);
    if (args[2].big)
        return rego_not_integer(b, 3);
    rego_bres res = prepare(b, args, 0, 1, &re);
    if (res != REGO_B_OK)
        return res;
    vs_span s = subject(b, args[1]);
    if (!vs_arena_ok(b->a))
        return REGO_B_LIMIT;
    rego_match m[REGO_GROUPS_MAX];
    int groups = with_groups ? rego_regex_groups(re) : 1;
    if (groups > REGO_GROUPS_MAX)
        return REGO_B_LIMIT;
    vs_vec v = {.a = b->a};
    int64_t left = args[2].u.i < 0 ? INT64_MAX : args[2].u.i;
    for (search q = search_in(re, s); left > 0 && next_match(&q, m, groups); left--) {
        vs_vec_add(&v, with_groups ? submatches(b, s, m, groups) : part(s, m[0].start, m[0].end));
        if (!rego_charge(b, (uint64_t)groups))
            return REGO_B_LIMIT;
    }
    *out = vs_vec_end_array(&v);
    return REGO_B_OK;
}

rego_bres rego_bi_regex_find_n(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return find_all(b, args, false, out);
}

rego_bres rego_bi_regex_find_all_string_submatch_n(rego_bctx *b, const vs_val *args, unsigned n,
                                                   vs_val *out)
{
    (void)n;
    return find_all(b, args, true, out);
}

/* Passes letters, digits and '_', of any script. */
static size_t word_end(vs_span t, size_t at)
{
    for (size_t next = at; at < t.n; at = next) {
        uint32_t cp = vs_utf8_next(t, &next);
        if (cp != '_' && !rego_is_letter(cp) && !rego_is_digit(cp))
            break;
    }
    return at;
}

/* The longest name behind '$', as Go's Expand: "$1x" is the group "1x", "${1}x" the group 1. */
static int template_group(const rego_regex *re, vs_span t, size_t *at)
{
    bool braced = *at < t.n && t.p[*at] == '{';
    size_t from = *at + braced, end = word_end(t, from);
    if (end == from || (braced && (end >= t.n || t.p[end] != '}')))
        return -2;
    *at = end + braced;
    int64_t number = 0;
    for (size_t i = from; i < end; i++) {
        if (t.p[i] < '0' || t.p[i] > '9' || number > REGO_GROUPS_MAX)
            return rego_regex_group_named(re, (const char *)t.p + from, end - from);
        number = number * 10 + (t.p[i] - '0');
    }
    return (int)number;
}

static void expand(vs_buf *out, const rego_regex *re, vs_span t, vs_span s, const rego_match *m,
                   int groups)
{
    for (size_t at = 0; at < t.n;) {
        if (t.p[at] != '$') {
            vs_buf_putc(out, (char)t.p[at++]);
            continue;
        }
        if (++at < t.n && t.p[at] == '$') {
            vs_buf_putc(out, '$');
            at++;
            continue;
        }
        int g = template_group(re, t, &at);
        if (g == -2)
            vs_buf_putc(out, '$');
        else if (g >= 0 && g < groups && m[g].set)
            vs_buf_put(out, vs_span_of(s.p + m[g].start, m[g].end - m[g].start));
    }
}

rego_bres rego_bi_regex_replace(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    const rego_regex *re;
    REGO_WANT(0, VS_STRING);
    REGO_WANT(1, VS_STRING);
    REGO_WANT(2, VS_STRING);
    rego_bres res = prepare(b, args, 1, 0, &re);
    if (res != REGO_B_OK)
        return res == REGO_B_ERROR ? REGO_B_UNDEFINED : res; /* a bad pattern is undefined here */
    vs_span s = subject(b, args[0]);
    if (!vs_arena_ok(b->a))
        return REGO_B_LIMIT;
    rego_match m[REGO_GROUPS_MAX];
    int groups = rego_regex_groups(re);
    if (groups > REGO_GROUPS_MAX)
        return REGO_B_LIMIT;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    size_t from = 0;
    for (search q = search_in(re, s); vs_buf_ok(&text) && next_match(&q, m, groups);) {
        vs_buf_put(&text, vs_span_of(s.p + from, m->start - from));
        expand(&text, re, vs_text(args[2]), s, m, groups);
        from = m->end;
        if (!rego_charge(b, 1 + args[2].len / 16))
            return REGO_B_LIMIT;
    }
    vs_buf_put(&text, vs_span_from(s, from));
    if (!vs_buf_ok(&text))
        return REGO_B_LIMIT;
    *out = vs_string_dup(b->a, vs_buf_span(&text));
    return REGO_B_OK;
}
