/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regex.globs_match: is there a text that both patterns match? The patterns are the small language
 * of characters, '.', sets "[a-z]" and the repetitions '*' and '+' (rego.md 10.5); the answer comes
 * from a search through the pairs of their positions.
 */
#include "base/enc.h"
#include "rego/builtins.h"

enum { TOKENS_MAX = 512, RANGES_MAX = 64, CODE_POINT_MAX = 0x10ffff };

typedef struct token {
    struct {
        uint32_t lo, hi;
    } range[RANGES_MAX];
    unsigned n;
    bool star; /* any number of times; x+ is x and x* */
} token;

typedef struct glob {
    token *at;
    size_t n;
} glob;

static bool add_range(token *t, uint32_t lo, uint32_t hi)
{
    if (t->n == RANGES_MAX || lo > hi)
        return false;
    t->range[t->n].lo = lo;
    t->range[t->n++].hi = hi;
    return true;
}

static bool next_char(vs_span s, size_t *at, uint32_t *c)
{
    if (*at < s.n && s.p[*at] == '\\')
        ++*at;
    if (*at >= s.n)
        return false;
    *c = vs_utf8_next(s, at);
    return true;
}

/* Behind '[': up to the ']'. */
static bool read_set(vs_span s, size_t *at, token *t)
{
    while (*at < s.n && s.p[*at] != ']') {
        uint32_t lo, hi;
        if (!next_char(s, at, &lo))
            return false;
        hi = lo;
        if (*at + 1 < s.n && s.p[*at] == '-' && s.p[*at + 1] != ']') {
            ++*at;
            if (!next_char(s, at, &hi))
                return false;
        }
        if (!add_range(t, lo, hi))
            return false;
    }
    return *at < s.n && s.p[(*at)++] == ']' && t->n > 0;
}

static bool read_token(vs_span s, size_t *at, token *t)
{
    uint32_t c;
    *t = (token){0};
    switch (s.p[*at]) {
    case '*':
    case '+':
    case ']': return false;
    case '.': ++*at; return add_range(t, 0, CODE_POINT_MAX);
    case '[': ++*at; return read_set(s, at, t);
    default: return next_char(s, at, &c) && add_range(t, c, c);
    }
}

static rego_bres read_glob(rego_bctx *b, vs_span s, glob *g)
{
    size_t most = 2 * s.n + 2 < TOKENS_MAX ? 2 * s.n + 2 : TOKENS_MAX; /* x+ is two */
    *g = (glob){.at = vs_alloc_array(b->a, most, sizeof *g->at)};
    if (!g->at || !rego_charge(b, s.n))
        return REGO_B_LIMIT;
    for (size_t at = 0; at < s.n;) {
        if (g->n + 2 > TOKENS_MAX)
            return REGO_B_LIMIT;
        if (!read_token(s, &at, &g->at[g->n]))
            return rego_error(b, "input:%.*s, pos:%zu: the input provided is invalid",
                              VS_FMT(vs_span_head(s, 80)), at);
        token *t = &g->at[g->n++];
        if (at < s.n && s.p[at] == '+')
            g->at[g->n++] = *t++;
        if (at < s.n && (s.p[at] == '+' || s.p[at] == '*')) {
            t->star = true;
            at++;
        }
    }
    return REGO_B_OK;
}

static bool overlap(const token *x, const token *y)
{
    for (unsigned i = 0; i < x->n; i++)
        for (unsigned j = 0; j < y->n; j++)
            if (x->range[i].lo <= y->range[j].hi && y->range[j].lo <= x->range[i].hi)
                return true;
    return false;
}

/* Positions (i, j) that some common text leads to. */
typedef struct search {
    const glob *x, *y;
    uint8_t *seen;
    uint32_t *stack;
    size_t n;
} search;

static void reach(search *s, size_t i, size_t j)
{
    size_t id = i * (s->y->n + 1) + j;
    if (s->seen[id])
        return;
    s->seen[id] = 1;
    s->stack[s->n++] = (uint32_t)id;
}

static bool step(rego_bctx *b, search *s, size_t i, size_t j)
{
    const token *x = i < s->x->n ? &s->x->at[i] : NULL, *y = j < s->y->n ? &s->y->at[j] : NULL;
    if (!rego_charge(b, 1 + (x && y ? (uint64_t)x->n * y->n / 8 : 0)))
        return false;
    if (x && x->star)
        reach(s, i + 1, j);
    if (y && y->star)
        reach(s, i, j + 1);
    if (x && y && overlap(x, y))
        reach(s, i + !x->star, j + !y->star);
    return true;
}

static rego_bres intersect(rego_bctx *b, const glob *x, const glob *y, bool *out)
{
    size_t pairs = (x->n + 1) * (y->n + 1);
    search s = {.x = x, .y = y, .seen = vs_zalloc(b->a, pairs)};
    s.stack = vs_alloc_array(b->a, pairs, sizeof *s.stack);
    if (!s.seen || !s.stack || !rego_charge(b, pairs / 16))
        return REGO_B_LIMIT;
    reach(&s, 0, 0);
    while (s.n && !s.seen[pairs - 1]) {
        uint32_t id = s.stack[--s.n];
        if (!step(b, &s, id / (y->n + 1), id % (y->n + 1)))
            return REGO_B_LIMIT;
    }
    *out = s.seen[pairs - 1];
    return REGO_B_OK;
}

rego_bres rego_bi_globs_match(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    glob x, y;
    bool common = false;
    REGO_WANT(0, VS_STRING);
    REGO_WANT(1, VS_STRING);
    rego_bres res = read_glob(b, vs_text(args[0]), &x);
    if (res == REGO_B_OK)
        res = read_glob(b, vs_text(args[1]), &y);
    if (res == REGO_B_OK)
        res = intersect(b, &x, &y, &common);
    *out = vs_bool(common);
    return res;
}
