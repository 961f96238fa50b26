/* SPDX-License-Identifier: Apache-2.0 */
#include "value/value.h"

#include <stdlib.h>

#include "value/number.h"

vs_val vs_string_dup(vs_arena *a, vs_span s)
{
    vs_span copy = vs_dup(a, s);
    return copy.p ? vs_string(copy) : vs_undefined();
}

const char *vs_kind_name(vs_kind k)
{
    static const char *const name[] = {"undefined", "null",  "boolean", "number",
                                       "string",    "array", "object",  "set"};
    return (size_t)k < VS_COUNT(name) ? name[k] : "unknown";
}

/* ---- order ---------------------------------------------------------------------------------- */

static int cmp_size(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int cmp_items(vs_val a, vs_val b)
{
    uint32_t n = a.len < b.len ? a.len : b.len;
    for (uint32_t i = 0; i < n; i++) {
        int c = vs_cmp(a.u.items[i], b.u.items[i]);
        if (c)
            return c;
    }
    return cmp_size(a.len, b.len);
}

static int cmp_pairs(vs_val a, vs_val b)
{
    uint32_t n = a.len < b.len ? a.len : b.len;
    for (uint32_t i = 0; i < n; i++) {
        int c = vs_cmp(a.u.pairs[i].key, b.u.pairs[i].key);
        if (c == 0)
            c = vs_cmp(a.u.pairs[i].val, b.u.pairs[i].val);
        if (c)
            return c;
    }
    return cmp_size(a.len, b.len);
}

int vs_cmp(vs_val a, vs_val b)
{
    if (a.kind != b.kind)
        return a.kind < b.kind ? -1 : 1;
    switch ((vs_kind)a.kind) {
    case VS_UNDEFINED:
    case VS_NULL: return 0;
    case VS_BOOL: return (int)a.u.b - (int)b.u.b;
    case VS_NUMBER:
        if (!a.big && !b.big)
            return (a.u.i > b.u.i) - (a.u.i < b.u.i);
        return vs_num_cmp(a, b);
    case VS_STRING:
        return a.u.s == b.u.s && a.len == b.len ? 0 : vs_span_cmp(vs_text(a), vs_text(b));
    case VS_ARRAY:
    case VS_SET: return a.u.items == b.u.items && a.len == b.len ? 0 : cmp_items(a, b);
    case VS_OBJECT: return a.u.pairs == b.u.pairs && a.len == b.len ? 0 : cmp_pairs(a, b);
    }
    return 0;
}

bool vs_eq(vs_val a, vs_val b)
{
    if (a.kind != b.kind || a.len != b.len)
        return false;
    return vs_cmp(a, b) == 0;
}

/* ---- access --------------------------------------------------------------------------------- */

static const vs_pair *find_pair(vs_val object, vs_val key)
{
    uint32_t lo = 0, hi = object.len;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int c = vs_cmp(object.u.pairs[mid].key, key);
        if (c == 0)
            return object.u.pairs + mid; /* the pairs outlive the value passed here */
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

const vs_val *vs_find(vs_val object, vs_span key)
{
    const vs_pair *p = object.kind == VS_OBJECT ? find_pair(object, vs_string(key)) : NULL;
    return p ? &p->val : NULL;
}

vs_val vs_get(vs_val object, vs_span key)
{
    const vs_val *v = vs_find(object, key);
    return v ? *v : vs_undefined();
}

bool vs_set_has(vs_val set, vs_val member)
{
    if (set.kind != VS_SET)
        return false;
    uint32_t lo = 0, hi = set.len;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int c = vs_cmp(set.u.items[mid], member);
        if (c == 0)
            return true;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

vs_val vs_index(vs_val v, vs_val key)
{
    if (v.kind == VS_OBJECT) {
        const vs_pair *p = vs_defined(key) ? find_pair(v, key) : NULL;
        return p ? p->val : vs_undefined();
    }
    if (v.kind == VS_ARRAY)
        return vs_is_int(key) && key.u.i >= 0 && key.u.i < (int64_t)v.len ? v.u.items[key.u.i]
                                                                          : vs_undefined();
    return vs_set_has(v, key) ? key : vs_undefined();
}

/* An array index in a JSON pointer: digits without a leading zero. */
static bool pointer_index(vs_span token, int64_t *out)
{
    if (token.n > 10 || (token.n > 1 && token.p[0] == '0'))
        return false;
    uint64_t v;
    if (!vs_span_decimal(token, INT64_MAX, &v))
        return false;
    *out = (int64_t)v;
    return true;
}

/* Member whose name is `token` with ~1 and ~0 undone; compares while undoing, so needs no memory.
 */
static bool pointer_token_is(vs_span token, vs_span name)
{
    size_t k = 0;
    for (size_t i = 0; i < token.n; i++, k++) {
        uint8_t c = token.p[i];
        if (c == '~') {
            if (++i >= token.n || (token.p[i] != '0' && token.p[i] != '1'))
                return false;
            c = token.p[i] == '0' ? '~' : '/';
        }
        if (k >= name.n || name.p[k] != c)
            return false;
    }
    return k == name.n;
}

static vs_val pointer_member(vs_val v, vs_span token)
{
    if (!token.n || !memchr(token.p, '~', token.n))
        return vs_get(v, token);
    for (VS_OBJ_FOR (p, v))
        if (p->key.kind == VS_STRING && pointer_token_is(token, vs_text(p->key)))
            return p->val;
    return vs_undefined();
}

vs_val vs_pointer(vs_val v, vs_span pointer)
{
    if (pointer.n && pointer.p[0] != '/')
        return vs_undefined();
    vs_span rest = vs_span_from(pointer, 1);
    bool more = pointer.n > 0;
    while (more && vs_defined(v)) {
        vs_span token = vs_span_cut(rest, '/', &rest, &more);
        int64_t i;
        if (v.kind == VS_OBJECT)
            v = pointer_member(v, token);
        else if (v.kind == VS_ARRAY && pointer_index(token, &i))
            v = vs_index(v, vs_int(i));
        else
            v = vs_undefined();
    }
    return v;
}

/* ---- building ------------------------------------------------------------------------------- */

void vs_vec_add(vs_vec *b, vs_val v)
{
    if (!vs_defined(v)) {
        b->poisoned = true;
        return;
    }
    if (b->n == b->room) {
        size_t room = b->room ? b->room * 2 : 4;
        vs_val *items = vs_grow(b->a, b->items, b->n, room, sizeof *items);
        if (!items) {
            b->poisoned = true;
            return;
        }
        b->items = items;
        b->room = room;
    }
    b->items[b->n++] = v;
}

/* ---- depth and weight: what a collection is made of --------------------------------------------
 */

typedef struct measure {
    unsigned depth;
    uint64_t weight;
} measure;

static void add_member(measure *m, vs_val v)
{
    m->weight += v.kind < VS_STRING ? 1 : vs_weight(v);
    if (vs_is_collection(v) && v.big > m->depth)
        m->depth = v.big;
}

/* Rounds up: 11 bits of value, 5 of exponent. */
static uint16_t weight_code(uint64_t w)
{
    unsigned exp = 0;
    while (w > 0x7ff) {
        w = (w >> 1) + (w & 1);
        exp++;
    }
    return (uint16_t)(exp << 11 | w);
}

static bool set_measure(vs_val *v, measure m)
{
    if (m.depth >= VS_DEPTH_MAX || m.weight >= VS_WEIGHT_MAX)
        return false;
    v->big = (uint8_t)(m.depth + 1);
    v->weight = weight_code(m.weight + 1);
    return true;
}

vs_val vs_items(vs_kind kind, const vs_val *items, size_t n)
{
    measure m = {0};
    for (size_t i = 0; i < n; i++)
        add_member(&m, items[i]);
    vs_val v = {.kind = (uint8_t)kind, .len = (uint32_t)n, .u.items = items};
    return n <= UINT32_MAX && set_measure(&v, m) ? v : vs_undefined();
}

static vs_val members(const vs_pair *pairs, size_t n)
{
    measure m = {0};
    for (size_t i = 0; i < n; i++) {
        add_member(&m, pairs[i].key);
        add_member(&m, pairs[i].val);
    }
    vs_val v = {.kind = VS_OBJECT, .len = (uint32_t)n, .u.pairs = pairs};
    return n <= UINT32_MAX && set_measure(&v, m) ? v : vs_undefined();
}

/* A result that is too large is no result, and nothing built later on the arena counts. */
static vs_val checked(vs_arena *a, vs_val v)
{
    if (!vs_defined(v))
        a->failed = true;
    return v;
}

static vs_val end_items(const vs_vec *b, vs_kind kind)
{
    return b->poisoned ? vs_undefined() : checked(b->a, vs_items(kind, b->items, b->n));
}

vs_val vs_vec_end_array(vs_vec *b)
{
    return end_items(b, VS_ARRAY);
}

static int cmp_val_p(const void *x, const void *y)
{
    return vs_cmp(*(const vs_val *)x, *(const vs_val *)y);
}

vs_val vs_vec_end_set(vs_vec *b)
{
    bool sorted = true; /* strictly: no duplicates either */
    for (size_t i = 1; i < b->n && sorted; i++)
        sorted = vs_cmp(b->items[i - 1], b->items[i]) < 0;
    if (!sorted) {
        qsort(b->items, b->n, sizeof *b->items, cmp_val_p);
        size_t kept = 0;
        for (size_t i = 0; i < b->n; i++)
            if (kept == 0 || vs_cmp(b->items[kept - 1], b->items[i]) != 0)
                b->items[kept++] = b->items[i];
        b->n = kept;
    }
    return end_items(b, VS_SET);
}

void vs_obj_add(vs_obj *b, vs_val key, vs_val val)
{
    if (!vs_defined(key) || !vs_defined(val)) {
        b->poisoned = true;
        return;
    }
    if (b->n == b->room) {
        size_t room = b->room ? b->room * 2 : 4;
        vs_pair *pairs = vs_grow(b->a, b->pairs, b->n, room, sizeof *pairs);
        if (!pairs) {
            b->poisoned = true;
            return;
        }
        b->pairs = pairs;
        b->room = room;
    }
    b->pairs[b->n++] = (vs_pair){key, val};
}

/* A stable merge sort: "the last of equal keys" needs the order of adding. */
static bool sort_pairs(vs_arena *a, vs_pair *pairs, size_t n)
{
    vs_pair *from = pairs, *to = vs_alloc_array(a, n, sizeof *to);
    if (!to)
        return false;
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t lo = 0; lo < n; lo += 2 * width) {
            size_t mid = lo + width < n ? lo + width : n;
            size_t hi = lo + 2 * width < n ? lo + 2 * width : n;
            size_t i = lo, j = mid;
            for (size_t k = lo; k < hi; k++) {
                bool left = i < mid && (j >= hi || vs_cmp(from[i].key, from[j].key) <= 0);
                to[k] = left ? from[i++] : from[j++];
            }
        }
        vs_pair *swap = from;
        from = to;
        to = swap;
    }
    if (from != pairs)
        memcpy(pairs, from, n * sizeof *pairs);
    return true;
}

/* Merges neighbours with equal keys; returns false on a conflict. */
static bool merge_equal(vs_obj *b, vs_dup_rule rule, vs_val *dup)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->n; i++) {
        if (kept == 0 || vs_cmp(b->pairs[kept - 1].key, b->pairs[i].key) != 0) {
            b->pairs[kept++] = b->pairs[i];
            continue;
        }
        bool same = rule == VS_DUP_SAME && vs_eq(b->pairs[kept - 1].val, b->pairs[i].val);
        if (rule != VS_DUP_LAST && !same) {
            if (dup)
                *dup = b->pairs[i].key;
            return false;
        }
        b->pairs[kept - 1].val = b->pairs[i].val;
    }
    b->n = kept;
    return true;
}

vs_val vs_obj_end(vs_obj *b, vs_dup_rule rule, vs_val *dup)
{
    bool sorted = true;
    for (size_t i = 1; i < b->n && sorted; i++)
        sorted = vs_cmp(b->pairs[i - 1].key, b->pairs[i].key) < 0;
    if (!sorted && (!sort_pairs(b->a, b->pairs, b->n) || !merge_equal(b, rule, dup)))
        return vs_undefined();
    return b->poisoned ? vs_undefined() : checked(b->a, members(b->pairs, b->n));
}

vs_val vs_empty(vs_kind k)
{
    return (vs_val){.kind = (uint8_t)k};
}

vs_val vs_with(vs_arena *a, vs_val object, vs_val key, vs_val val)
{
    vs_obj b = {.a = a};
    if (object.kind == VS_OBJECT)
        for (VS_OBJ_FOR (p, object))
            if (!vs_eq(p->key, key))
                vs_obj_add(&b, p->key, p->val);
    if (vs_defined(val))
        vs_obj_add(&b, key, val);
    return vs_obj_end(&b, VS_DUP_LAST, NULL);
}

static vs_val copy_items(vs_arena *a, vs_val v)
{
    vs_val *items = vs_alloc_array(a, v.len, sizeof *items);
    if (!items)
        return vs_undefined();
    for (uint32_t i = 0; i < v.len; i++) {
        items[i] = vs_copy(a, v.u.items[i]);
        if (!vs_defined(items[i]))
            return vs_undefined();
    }
    v.u.items = items;
    return v;
}

static vs_val copy_pairs(vs_arena *a, vs_val v)
{
    vs_pair *pairs = vs_alloc_array(a, v.len, sizeof *pairs);
    if (!pairs)
        return vs_undefined();
    for (uint32_t i = 0; i < v.len; i++) {
        pairs[i] = (vs_pair){vs_copy(a, v.u.pairs[i].key), vs_copy(a, v.u.pairs[i].val)};
        if (!vs_defined(pairs[i].key) || !vs_defined(pairs[i].val))
            return vs_undefined();
    }
    v.u.pairs = pairs;
    return v;
}

vs_val vs_copy(vs_arena *a, vs_val v)
{
    switch ((vs_kind)v.kind) {
    case VS_STRING: return vs_string_dup(a, vs_text(v));
    case VS_NUMBER: return v.big ? vs_num_copy(a, v) : v;
    case VS_ARRAY:
    case VS_SET: return copy_items(a, v);
    case VS_OBJECT: return copy_pairs(a, v);
    default: return v;
    }
}
