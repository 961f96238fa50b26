/* SPDX-License-Identifier: Apache-2.0 */
/* net.cidr_*: networks and addresses of both families (rego.md 10.10). */
#include <arpa/inet.h>
#include <stdlib.h>

#include "rego/builtins.h"

enum { EXPAND_BITS_MAX = 17 };

/* A range of addresses: first and last, both inclusive. IPv4 uses the first 4 bytes. */
typedef struct net {
    bool v6;
    unsigned bits; /* of the prefix */
    uint8_t first[16], last[16];
} net;

static unsigned width(const net *n)
{
    return n->v6 ? 16 : 4;
}

static void set_range(net *n)
{
    for (unsigned i = 0; i < width(n); i++) {
        unsigned kept = n->bits >= 8 * (i + 1) ? 8 : n->bits > 8 * i ? n->bits - 8 * i : 0;
        uint8_t mask = (uint8_t)(0xff00u >> kept);
        n->first[i] &= mask;
        n->last[i] = (uint8_t)(n->first[i] | (uint8_t)~mask);
    }
}

/* Go takes "::ffff:1.2.3.4" for the IPv4 address it is. */
static void unmap(net *n)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (!n->v6 || memcmp(n->first, mapped, sizeof mapped) != 0)
        return;
    memmove(n->first, n->first + 12, 4);
    n->v6 = false;
}

/* Go refuses leading zeros in IPv4, and so does inet_pton; zones are refused by both. */
static bool parse_address(vs_span s, net *n)
{
    char text[INET6_ADDRSTRLEN + 1];
    *n = (net){0};
    if (s.n == 0 || s.n >= sizeof text || memchr(s.p, 0, s.n))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    n->v6 = memchr(s.p, ':', s.n) != NULL;
    if (inet_pton(n->v6 ? AF_INET6 : AF_INET, text, n->first) != 1)
        return false;
    return true;
}

static bool parse_cidr(vs_span s, net *n)
{
    vs_span bits;
    bool found;
    unsigned value = 0;
    vs_span address = vs_span_cut(s, '/', &bits, &found);
    if (!found || !parse_address(address, n) || bits.n == 0 || bits.n > 3 ||
        (bits.n > 1 && bits.p[0] == '0'))
        return false;
    for (size_t i = 0; i < bits.n; i++) {
        if (bits.p[i] < '0' || bits.p[i] > '9')
            return false;
        value = value * 10 + (unsigned)(bits.p[i] - '0');
    }
    if (value > 8 * width(n))
        return false;
    n->bits = value;
    set_range(n);
    return true;
}

/* An address is a network of one. */
static bool parse_either(vs_span s, net *n)
{
    if (parse_cidr(s, n))
        return true;
    if (!parse_address(s, n))
        return false;
    unmap(n);
    n->bits = 8 * width(n);
    set_range(n);
    return true;
}

static bool contains(const net *outer, const net *inner)
{
    unsigned w = width(outer);
    return outer->v6 == inner->v6 && memcmp(outer->first, inner->first, w) <= 0 &&
           memcmp(outer->last, inner->last, w) >= 0;
}

static bool intersects(const net *a, const net *b)
{
    unsigned w = width(a);
    return a->v6 == b->v6 && memcmp(a->first, b->last, w) <= 0 && memcmp(b->first, a->last, w) <= 0;
}

static vs_val address_text(vs_arena *a, bool v6, const uint8_t *bytes, int bits)
{
    char text[INET6_ADDRSTRLEN] = "";
    (void)inet_ntop(v6 ? AF_INET6 : AF_INET, bytes, text, sizeof text);
    return vs_cstring(bits < 0 ? vs_sprintf(a, "%s", text) : vs_sprintf(a, "%s/%d", text, bits));
}

static rego_bres want_cidr(rego_bctx *b, const vs_val *args, unsigned i, net *n)
{
    REGO_WANT(i, VS_STRING);
    if (parse_cidr(vs_text(args[i]), n))
        return REGO_B_OK;
    return rego_error(b, "invalid CIDR address: %.*s", VS_FMT(vs_span_head(vs_text(args[i]), 80)));
}

static rego_bres want_either(rego_bctx *b, vs_val v, unsigned i, net *n)
{
    if (v.kind != VS_STRING)
        return rego_type_error(b, i + 1, "string", v);
    if (parse_either(vs_text(v), n))
        return REGO_B_OK;
    return rego_error(b, "not a valid textual representation of an IP address or CIDR: %.*s",
                      VS_FMT(vs_span_head(vs_text(v), 80)));
}

/* ---- two networks ------------------------------------------------------------------------------
 */

rego_bres rego_bi_cidr_contains(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    net outer, inner;
    rego_bres res = want_cidr(b, args, 0, &outer);
    if (res == REGO_B_OK)
        res = want_either(b, args[1], 1, &inner);
    if (res == REGO_B_OK)
        *out = vs_bool(contains(&outer, &inner));
    return res;
}

rego_bres rego_bi_cidr_intersects(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    net x, y;
    rego_bres res = want_cidr(b, args, 0, &x);
    if (res == REGO_B_OK)
        res = want_cidr(b, args, 1, &y);
    if (res == REGO_B_OK)
        *out = vs_bool(intersects(&x, &y));
    return res;
}

rego_bres rego_bi_cidr_is_valid(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n, (void)b;
    net x;
    *out = vs_bool(args[0].kind == VS_STRING && parse_cidr(vs_text(args[0]), &x));
    return REGO_B_OK;
}

/* ---- net.cidr_contains_matches: which of these contain which of those ---------------------------
 */

/* The address itself, or the first element of an array. */
static vs_val address_of(vs_val v)
{
    return v.kind == VS_ARRAY && v.len ? v.u.items[0] : v;
}

static rego_bres match_all(rego_bctx *b, const net *outer, vs_val key, vs_val inner, vs_vec *found)
{
    bool many = vs_is_collection(inner);
    for (uint32_t i = 0; i < (many ? inner.len : 1); i++) {
        vs_val k = !many                     ? inner
                   : inner.kind == VS_OBJECT ? inner.u.pairs[i].key
                   : inner.kind == VS_ARRAY  ? vs_int(i)
                                             : inner.u.items[i];
        vs_val v = !many                     ? inner
                   : inner.kind == VS_OBJECT ? inner.u.pairs[i].val
                                             : inner.u.items[i];
        net n;
        v = address_of(v);
        if (v.kind != VS_STRING)
            return rego_error(b, "operand 2: element must be string or non-empty array");
        rego_bres res = want_either(b, v, 1, &n);
        if (res != REGO_B_OK)
            return res;
        if (!rego_charge(b, 4))
            return REGO_B_LIMIT;
        if (contains(outer, &n)) {
            vs_vec pair = {.a = b->a};
            vs_vec_add(&pair, key);
            vs_vec_add(&pair, k);
            vs_vec_add(found, vs_vec_end_array(&pair));
        }
    }
    return REGO_B_OK;
}

rego_bres rego_bi_cidr_contains_matches(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    static const char *const wanted = "one of {string, array, object, set}";
    vs_vec found = {.a = b->a};
    for (unsigned i = 0; i < 2; i++)
        if (args[i].kind != VS_STRING && !vs_is_collection(args[i]))
            return rego_type_error(b, i + 1, wanted, args[i]);
    vs_val outer = args[0];
    bool many = vs_is_collection(outer);
    for (uint32_t i = 0; i < (many ? outer.len : 1); i++) {
        vs_val v = !many                     ? outer
                   : outer.kind == VS_OBJECT ? outer.u.pairs[i].val
                                             : outer.u.items[i];
        vs_val k = !many                     ? outer
                   : outer.kind == VS_OBJECT ? outer.u.pairs[i].key
                   : outer.kind == VS_ARRAY  ? vs_int(i)
                                             : v;
        net cidr;
        vs_val text = address_of(v);
        if (text.kind != VS_STRING)
            return rego_error(b, "operand 1: element must be string or non-empty array");
        rego_bres res = want_cidr(b, &text, 0, &cidr);
        if (res == REGO_B_OK)
            res = match_all(b, &cidr, k, args[1], &found);
        if (res != REGO_B_OK)
            return res;
    }
    *out = vs_vec_end_set(&found);
    return REGO_B_OK;
}

/* ---- expanding and merging ---------------------------------------------------------------------
 */

/* The next address; false behind the last one of all. */
static bool increment(uint8_t *address, unsigned w)
{
    for (unsigned i = w; i > 0; i--)
        if (++address[i - 1] != 0)
            return true;
    return false;
}

rego_bres rego_bi_cidr_expand(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    net x;
    rego_bres res = want_cidr(b, args, 0, &x);
    if (res != REGO_B_OK)
        return res;
    if (8 * width(&x) - x.bits > EXPAND_BITS_MAX || !rego_charge(b, 4u << (8 * width(&x) - x.bits)))
        return REGO_B_LIMIT;
    vs_vec all = {.a = b->a};
    uint8_t at[16];
    memcpy(at, x.first, sizeof at);
    do
        vs_vec_add(&all, address_text(b->a, x.v6, at, -1));
    while (memcmp(at, x.last, width(&x)) != 0 && increment(at, width(&x)));
    *out = vs_vec_end_set(&all);
    return REGO_B_OK;
}

static int by_address(const void *p, const void *q)
{
    const net *a = p, *b = q;
    if (a->v6 != b->v6)
        return a->v6 ? 1 : -1;
    int c = memcmp(a->first, b->first, width(a));
    return c ? c : memcmp(b->last, a->last, width(a)); /* the larger first */
}

/* A bare address stands for the network of its class (RFC 791 section 3.2), as in OPA. */
static bool parse_mergeable(vs_span s, net *n)
{
    if (parse_cidr(s, n))
        return true;
    if (!parse_address(s, n))
        return false;
    unmap(n);
    uint8_t top = n->first[0];
    n->bits = n->v6 ? 128 : top < 0x80 ? 8 : top < 0xc0 ? 16 : top < 0xe0 ? 24 : 32;
    set_range(n);
    return true;
}

/* Sorted ranges that overlap or touch become one. */
static size_t join(net *nets, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        net *last = kept ? &nets[kept - 1] : NULL;
        uint8_t next[16] = {0};
        bool more = false;
        if (last) {
            memcpy(next, last->last, sizeof next);
            more = increment(next, width(last));
        }
        bool joins = last && last->v6 == nets[i].v6 &&
                     (!more || memcmp(nets[i].first, next, width(last)) <= 0);
        if (!joins)
            nets[kept++] = nets[i];
        else if (memcmp(nets[i].last, last->last, width(last)) > 0)
            memcpy(last->last, nets[i].last, sizeof last->last);
    }
    return kept;
}

/* The fewest networks that make up a range: each time the largest that starts at its beginning. */
static void split(vs_arena *a, net range, vs_vec *out)
{
    for (;;) {
        net best = {.v6 = range.v6, .bits = 8 * width(&range)};
        for (unsigned bits = 0; bits <= 8 * width(&range); bits++) {
            net n = {.v6 = range.v6, .bits = bits};
            memcpy(n.first, range.first, sizeof n.first);
            set_range(&n);
            best = n;
            if (memcmp(n.first, range.first, width(&n)) == 0 &&
                memcmp(n.last, range.last, width(&n)) <= 0)
                break;
        }
        vs_vec_add(out, address_text(a, best.v6, best.first, (int)best.bits));
        memcpy(range.first, best.last, sizeof range.first);
        if (memcmp(best.last, range.last, width(&best)) == 0 ||
            !increment(range.first, width(&range)))
            return;
    }
}

rego_bres rego_bi_cidr_merge(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    if (args[0].kind != VS_ARRAY && args[0].kind != VS_SET)
        return rego_type_error(b, 1, "one of {array, set}", args[0]);
    net *nets = vs_alloc_array(b->a, args[0].len, sizeof *nets);
    if (!nets || !rego_charge(b, (uint64_t)args[0].len * 300))
        return REGO_B_LIMIT;
    for (uint32_t i = 0; i < args[0].len; i++) {
        vs_val v = args[0].u.items[i];
        if (v.kind != VS_STRING)
            return rego_type_error(b, 1, "string", v);
        if (!parse_mergeable(vs_text(v), &nets[i]))
            return rego_error(b, "IP prefix required for %.*s",
                              VS_FMT(vs_span_head(vs_text(v), 80)));
    }
    qsort(nets, args[0].len, sizeof *nets, by_address);
    size_t kept = join(nets, args[0].len);
    vs_vec all = {.a = b->a};
    for (size_t i = 0; i < kept; i++)
        split(b->a, nets[i], &all);
    *out = vs_vec_end_set(&all);
    return REGO_B_OK;
}
