/* SPDX-License-Identifier: Apache-2.0 */
/* net.cidr_*: networks and addresses of both families (rego.md 10.10). */
#include <arpa/inet.h>
#include <stdlib.h>

#include "rego/builtins.h"

enum { EXPAND_BITS_MAX = 17 };

/* Addresses have 16 bytes; IPv4 is ::ffff:a.b.c.d, and what is written that way is IPv4, as in Go:
 * else ::ffff:10.1.2.3 would pass a list that denies 10.0.0.0/8. */
enum { WIDTH = 16, BITS = 8 * WIDTH, BITS_MAPPED = 96 };

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

/* A range of addresses: first and last, both inclusive. */
typedef struct net {
    bool v4; /* all of it */
    unsigned bits;
    uint8_t first[WIDTH], last[WIDTH];
    uint8_t written[WIDTH]; /* for merging: the address as it was given, not masked */
} net;

static bool is_v4(const uint8_t *address)
{
    return memcmp(address, mapped, sizeof mapped) == 0;
}

static void set_range(net *n)
{
    for (unsigned i = 0; i < WIDTH; i++) {
        unsigned kept = n->bits >= 8 * (i + 1) ? 8 : n->bits > 8 * i ? n->bits - 8 * i : 0;
        uint8_t mask = (uint8_t)(0xff00u >> kept);
        n->first[i] &= mask;
        n->last[i] = (uint8_t)(n->first[i] | (uint8_t)~mask);
    }
    n->v4 = n->bits >= BITS_MAPPED && is_v4(n->first);
}

/* Go refuses leading zeros in IPv4, and so does inet_pton; zones are refused by both. *dotted: only
 * four numbers. */
static bool parse_address(vs_span s, uint8_t *address, bool *dotted)
{
    char text[INET6_ADDRSTRLEN + 1];
    if (s.n == 0 || s.n >= sizeof text || memchr(s.p, 0, s.n))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    *dotted = !memchr(s.p, ':', s.n);
    if (!*dotted)
        return inet_pton(AF_INET6, text, address) == 1;
    memcpy(address, mapped, sizeof mapped);
    return inet_pton(AF_INET, text, address + sizeof mapped) == 1;
}

static bool parse_cidr(vs_span s, net *n)
{
    vs_span bits;
    bool found, dotted;
    unsigned value = 0;
    *n = (net){0};
    vs_span address = vs_span_cut(s, '/', &bits, &found);
    if (!found || !parse_address(address, n->first, &dotted) || bits.n == 0)
        return false;
    for (size_t i = 0; i < bits.n; i++) {
        if (bits.p[i] < '0' || bits.p[i] > '9')
            return false;
        value = value * 10 + (unsigned)(bits.p[i] - '0');
        if (value > (dotted ? BITS - BITS_MAPPED : BITS))
            return false;
    }
    n->bits = dotted ? value + BITS_MAPPED : value;
    set_range(n);
    return true;
}

/* An address is a network of one. */
static bool parse_either(vs_span s, net *n)
{
    bool dotted;
    if (parse_cidr(s, n))
        return true;
    *n = (net){.bits = BITS};
    if (!parse_address(s, n->first, &dotted))
        return false;
    set_range(n);
    return true;
}

/* An IPv4 address is in no IPv6 network, not even in ::/0. */
static bool holds(const net *n, const uint8_t *address)
{
    return n->v4 == is_v4(address) && memcmp(n->first, address, WIDTH) <= 0 &&
           memcmp(n->last, address, WIDTH) >= 0;
}

static bool contains(const net *outer, const net *inner)
{
    return holds(outer, inner->first) && outer->bits <= inner->bits;
}

static bool intersects(const net *a, const net *b)
{
    return holds(a, b->first) || holds(b, a->first);
}

/* The longest run of two or more zero groups is "::" (RFC 5952); inet_ntop writes some of them with
 * dots. */
static void put_v6(vs_buf *out, const uint8_t *address)
{
    unsigned group[8], from = 8, length = 1;
    for (unsigned i = 0; i < 8; i++)
        group[i] = (unsigned)address[2 * i] << 8 | address[2 * i + 1];
    for (unsigned i = 0, n; i < 8; i += n + 1) {
        for (n = 0; i + n < 8 && group[i + n] == 0;)
            n++;
        if (n > length)
            from = i, length = n;
    }
    for (unsigned i = 0; i < 8; i++) {
        if (i == from) {
            vs_buf_puts(out, "::");
            i += length - 1;
        } else {
            vs_buf_printf(out, "%s%x", i && i != from + length ? ":" : "", group[i]);
        }
    }
}

/* bits < 0: an address. */
static vs_val address_text(vs_arena *a, const uint8_t *address, int bits)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(64);
    bool v4 = is_v4(address) && (bits < 0 || bits >= BITS_MAPPED);
    const uint8_t *p = address + sizeof mapped;
    if (v4)
        vs_buf_printf(&text, "%u.%u.%u.%u", p[0], p[1], p[2], p[3]);
    else
        put_v6(&text, address);
    if (bits >= 0)
        vs_buf_printf(&text, "/%d", v4 ? bits - BITS_MAPPED : bits);
    return vs_string_dup(a, vs_buf_span(&text));
}

vs_val rego_address_text(vs_arena *a, vs_span s)
{
    uint8_t address[WIDTH];
    bool dotted;
    return parse_address(s, address, &dotted) ? address_text(a, address, -1) : vs_undefined();
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

/* The text itself, or the first element of an array. */
static vs_val address_of(vs_val v)
{
    if (v.kind == VS_ARRAY && v.len)
        return v.u.items[0];
    return v.kind == VS_STRING ? v : vs_undefined();
}

static rego_bres contains_value(rego_bctx *b, vs_val outer, vs_val inner, bool *yes)
{
    const vs_val args[] = {outer, inner};
    vs_val v = vs_bool(false);
    rego_bres res = rego_bi_cidr_contains(b, args, 2, &v);
    *yes = vs_eq(v, vs_bool(true));
    return rego_charge(b, 4) ? res : REGO_B_LIMIT;
}

/* The i-th of what may be a collection: what names it in the result, and its address. */
static rego_bres element(rego_bctx *b, vs_val all, uint32_t i, unsigned operand, vs_val *key,
                         vs_val *address)
{
    *key = *address = all;
    if (all.kind == VS_OBJECT) {
        *key = all.u.pairs[i].key;
        *address = address_of(all.u.pairs[i].val);
    } else if (all.kind != VS_STRING) {
        *key = all.kind == VS_ARRAY ? vs_int(i) : all.u.items[i];
        *address = address_of(all.u.items[i]);
    }
    if (vs_defined(*address))
        return REGO_B_OK;
    return rego_error(b, "operand %u: element must be string or non-empty array", operand);
}

static rego_bres match_all(rego_bctx *b, vs_val outer, vs_val key, vs_val inner, vs_vec *found)
{
    for (uint32_t i = 0; i < (vs_is_collection(inner) ? inner.len : 1); i++) {
        vs_val k, address;
        bool yes;
        rego_bres res = element(b, inner, i, 2, &k, &address);
        if (res == REGO_B_OK)
            res = contains_value(b, outer, address, &yes);
        if (res != REGO_B_OK)
            return res;
        if (yes) {
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
    for (uint32_t i = 0; i < (vs_is_collection(args[0]) ? args[0].len : 1); i++) {
        vs_val key, address;
        rego_bres res = element(b, args[0], i, 1, &key, &address);
        if (res == REGO_B_OK)
            res = match_all(b, address, key, args[1], &found);
        if (res != REGO_B_OK)
            return res;
    }
    *out = vs_vec_end_set(&found);
    return REGO_B_OK;
}

/* ---- expanding and merging ---------------------------------------------------------------------
 */

/* The next address; false behind the last one of all. */
static bool increment(uint8_t *address)
{
    for (unsigned i = WIDTH; i > 0; i--)
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
    if (BITS - x.bits > EXPAND_BITS_MAX || !rego_charge(b, 4u << (BITS - x.bits)))
        return REGO_B_LIMIT;
    vs_vec all = {.a = b->a};
    uint8_t at[WIDTH];
    memcpy(at, x.first, sizeof at);
    do
        vs_vec_add(&all, address_text(b->a, at, -1));
    while (memcmp(at, x.last, WIDTH) != 0 && increment(at));
    *out = vs_vec_end_set(&all);
    return REGO_B_OK;
}

static int by_address(const void *p, const void *q)
{
    const net *a = p, *b = q;
    if (a->v4 != b->v4)
        return a->v4 ? -1 : 1;
    int c = memcmp(a->first, b->first, WIDTH);
    return c ? c : memcmp(b->last, a->last, WIDTH); /* the larger first */
}

/* A bare address stands for the network of its class (RFC 791 section 3.2), as in OPA. */
static rego_bres want_mergeable(rego_bctx *b, vs_val v, net *n)
{
    bool dotted;
    if (v.kind != VS_STRING)
        return rego_error(b, "element must be string");
    if (parse_cidr(vs_text(v), n)) {
        memcpy(n->written, n->first, WIDTH);
        return REGO_B_OK;
    }
    *n = (net){0};
    if (!parse_address(vs_text(v), n->first, &dotted))
        return rego_error(b, "invalid CIDR address: %.*s", VS_FMT(vs_span_head(vs_text(v), 80)));
    memcpy(n->written, n->first, WIDTH);
    if (!is_v4(n->first))
        return rego_error(b, "IPv6 invalid: needs prefix length");
    uint8_t top = n->first[sizeof mapped];
    n->bits = BITS_MAPPED + (top < 0x80 ? 8 : top < 0xc0 ? 16 : 24);
    set_range(n);
    return REGO_B_OK;
}

/* Sorted ranges that overlap or touch become one. */
static size_t join(net *nets, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        net *last = kept ? &nets[kept - 1] : NULL;
        uint8_t next[WIDTH] = {0};
        bool more = false;
        if (last) {
            memcpy(next, last->last, sizeof next);
            more = increment(next);
        }
        bool joins =
            last && last->v4 == nets[i].v4 && (!more || memcmp(nets[i].first, next, WIDTH) <= 0);
        if (!joins) {
            nets[kept++] = nets[i];
            continue;
        }
        memcpy(last->written, last->first, WIDTH);
        if (memcmp(nets[i].last, last->last, WIDTH) > 0)
            memcpy(last->last, nets[i].last, WIDTH);
    }
    return kept;
}

/* The fewest networks that make up a range: each time the largest that starts at its beginning. */
static void split(vs_arena *a, net range, vs_vec *out)
{
    bool rest = false; /* of a range of several */
    for (;;) {
        net best = {0};
        for (unsigned bits = range.v4 ? BITS_MAPPED : 0; bits <= BITS; bits++) {
            best = (net){.bits = bits};
            memcpy(best.first, range.first, WIDTH);
            set_range(&best);
            if (memcmp(best.first, range.first, WIDTH) == 0 &&
                memcmp(best.last, range.last, WIDTH) <= 0)
                break;
        }
        bool whole = memcmp(best.last, range.last, WIDTH) == 0;
        vs_vec_add(out,
                   address_text(a, whole && !rest ? range.written : best.first, (int)best.bits));
        memcpy(range.first, best.last, WIDTH);
        rest = true;
        if (whole || !increment(range.first))
            return;
    }
}

rego_bres rego_bi_cidr_merge(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    if (args[0].kind != VS_ARRAY && args[0].kind != VS_SET)
        return rego_error(b, "operand must be an array");
    net *nets = vs_alloc_array(b->a, args[0].len, sizeof *nets);
    if (!nets || !rego_charge(b, (uint64_t)args[0].len * 300))
        return REGO_B_LIMIT;
    for (uint32_t i = 0; i < args[0].len; i++) {
        rego_bres res = want_mergeable(b, args[0].u.items[i], &nets[i]);
        if (res != REGO_B_OK)
            return res;
    }
    qsort(nets, args[0].len, sizeof *nets, by_address);
    size_t kept = join(nets, args[0].len);
    vs_vec all = {.a = b->a};
    for (size_t i = 0; i < kept; i++)
        split(b->a, nets[i], &all);
    *out = vs_vec_end_set(&all);
    return REGO_B_OK;
}
