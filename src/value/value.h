/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one value type: JSON documents, Rego terms, claims. Immutable once built.
 *
 * A vs_val is 16 bytes and passed by value; what it points to lives on an arena (or in a compiled
 * policy) and outlives the value. Nothing is reference counted. Values may be shared between
 * threads freely: reading never writes.
 *
 * Order (total, over all kinds; rego.md 1.1): null < boolean < number < string < array < object <
 * set; strings bytewise, arrays element by element then shorter first, objects and sets over their
 * sorted members. Objects and sets are stored sorted, without duplicates; lookup is binary search.
 *
 * Numbers are exact: an int64, or an arbitrary decimal (coefficient * 10^exponent, number.h).
 * Representation is canonical: every integer that fits an int64 is stored as one (2.0 is 2), so
 * equal numbers have equal representations.
 *
 * Undefined (the zero value) is the absence of a value; it is never inside a collection.
 *
 * Collections may share members, so a small value can be a huge tree, and a deep one. Every
 * collection knows its depth and its size as a tree, long strings counted in; building one beyond
 * VS_DEPTH_MAX or VS_WEIGHT_MAX fails. So recursion over a value is bounded, and its cost can be
 * known beforehand.
 */
#ifndef VS_VALUE_VALUE_H
#define VS_VALUE_VALUE_H

#include "base/arena.h"

typedef enum vs_kind {
    VS_UNDEFINED = 0,
    VS_NULL,
    VS_BOOL,
    VS_NUMBER,
    VS_STRING,
    VS_ARRAY,
    VS_OBJECT,
    VS_SET,
} vs_kind;

typedef struct vs_num vs_num;   /* a number that is not an int64: number.h */
typedef struct vs_pair vs_pair; /* an object's member */

enum { VS_DEPTH_MAX = 250, VS_WEIGHT_MAX = 1 << 26 };

typedef struct vs_val {
    uint8_t kind;    /* vs_kind */
    uint8_t big;     /* VS_NUMBER: 1 = u.num, 0 = u.i; collections: their depth, at least 1 */
    uint16_t weight; /* collections: see vs_weight */
    uint32_t len;    /* VS_STRING: bytes; VS_ARRAY, VS_OBJECT, VS_SET: members */
    union {
        bool b;
        int64_t i;
        const vs_num *num;
        const char
            *s; /* UTF-8 normally; Rego may make strings of other bytes. Not NUL terminated */
        const struct vs_val *items; /* VS_ARRAY in order, VS_SET sorted */
        const vs_pair *pairs;       /* VS_OBJECT, sorted by key */
    } u;
} vs_val;

struct vs_pair {
    vs_val key, val;
};

/* ---- scalars -------------------------------------------------------------------------------- */

static inline vs_val vs_undefined(void)
{
    return (vs_val){0};
}
static inline vs_val vs_null(void)
{
    return (vs_val){.kind = VS_NULL};
}
static inline vs_val vs_bool(bool b)
{
    return (vs_val){.kind = VS_BOOL, .u.b = b};
}
static inline vs_val vs_int(int64_t i)
{
    return (vs_val){.kind = VS_NUMBER, .u.i = i};
}
static inline bool vs_is_collection(vs_val v)
{
    return v.kind >= VS_ARRAY;
}
/* The number of nodes of the value seen as a tree, where a string counts once more for every
 * VS_WEIGHT_BYTES bytes: exact up to 2047, above rounded up by at most 0.1 % per level. 1 for other
 * scalars. */
enum { VS_WEIGHT_BYTES = 32 };
static inline uint64_t vs_weight(vs_val v)
{
    unsigned exp = v.weight >> 11;
    uint64_t fraction = v.weight & 0x7ff;
    if (v.weight)
        return fraction << exp;
    return v.kind == VS_STRING ? 1 + v.len / VS_WEIGHT_BYTES : 1;
}
/* A string over bytes that outlive the value (no copy). More than UINT32_MAX bytes: undefined. */
static inline vs_val vs_string(vs_span s)
{
    if (s.n > UINT32_MAX)
        return vs_undefined();
    return (vs_val){.kind = VS_STRING, .len = (uint32_t)s.n, .u.s = (const char *)s.p};
}
static inline vs_val vs_cstring(const char *s)
{
    return vs_string(vs_str(s));
}
/* A string with its own copy of the bytes on the arena. */
vs_val vs_string_dup(vs_arena *a, vs_span s);

static inline bool vs_defined(vs_val v)
{
    return v.kind != VS_UNDEFINED;
}
static inline bool vs_is_true(vs_val v)
{
    return v.kind == VS_BOOL && v.u.b;
}
static inline bool vs_is_int(vs_val v)
{
    return v.kind == VS_NUMBER && !v.big;
}
/* The bytes of a string; empty for other kinds. */
static inline vs_span vs_text(vs_val v)
{
    return v.kind == VS_STRING ? vs_span_of(v.u.s, v.len) : (vs_span){NULL, 0};
}
/* "null", "boolean", "number", "string", "array", "object", "set", "undefined". */
const char *vs_kind_name(vs_kind k);

/* ---- order ---------------------------------------------------------------------------------- */

/* <0, 0, >0. Undefined sorts before everything. Recursion is bounded by the depth limits under
 * which the values were built. */
int vs_cmp(vs_val a, vs_val b);
bool vs_eq(vs_val a, vs_val b);

/* ---- access --------------------------------------------------------------------------------- */

/* Member of an object by key, element of an array by non-negative integer, member of a set by
 * itself (yields the member). Undefined when there is none or `v` is of another kind. */
vs_val vs_index(vs_val v, vs_val key);
/* Member of an object by text key; undefined otherwise. */
vs_val vs_get(vs_val object, vs_span key);
/* The same as a place: valid as long as the object's members are; NULL when there is none. */
const vs_val *vs_find(vs_val object, vs_span key);
static inline vs_val vs_getc(vs_val object, const char *key)
{
    return vs_get(object, vs_str(key));
}
/* Follows a RFC 6901 JSON pointer ("" = v itself). Undefined when it leads nowhere. */
vs_val vs_pointer(vs_val v, vs_span pointer);
bool vs_set_has(vs_val set, vs_val member);
/* `for (VS_ARR_FOR(item, v))` over an array or set: `item` is a const vs_val *. */
#define VS_ARR_FOR(item, v)                                                                        \
    const vs_val *item = (v).u.items, *item##_end = item + (v).len;                                \
    item < item##_end;                                                                             \
    item++
/* `for (VS_OBJ_FOR(pair, v))` over an object: `pair` is a const vs_pair *. */
#define VS_OBJ_FOR(pair, v)                                                                        \
    const vs_pair *pair = (v).u.pairs, *pair##_end = pair + (v).len;                               \
    pair < pair##_end;                                                                             \
    pair++

/* ---- building ------------------------------------------------------------------------------- */

/* Builders grow on the arena and stay usable after a failure, such as a value that gets too deep or
 * too heavy (the arena is then failed and the result undefined). Adding undefined makes the whole
 * result undefined. `*_end` may be called once. Zero-initialise except for the arena: `vs_vec v =
 * {.a = &arena};`. */
typedef struct vs_vec {
    vs_arena *a;
    vs_val *items;
    size_t n, room;
    bool poisoned;
} vs_vec;
/* An array or set over items that outlive it; a set's must be sorted and distinct. Undefined when
 * it would be too deep or too heavy. */
vs_val vs_items(vs_kind kind, const vs_val *items, size_t n);
void vs_vec_add(vs_vec *b, vs_val v);
vs_val vs_vec_end_array(vs_vec *b);
/* Sorts and removes duplicates. */
vs_val vs_vec_end_set(vs_vec *b);

typedef enum vs_dup_rule {
    VS_DUP_LAST,   /* the last of equal keys wins */
    VS_DUP_SAME,   /* equal keys must have equal values, else conflict */
    VS_DUP_REFUSE, /* equal keys are a conflict */
} vs_dup_rule;
typedef struct vs_obj {
    vs_arena *a;
    vs_pair *pairs;
    size_t n, room;
    bool poisoned;
} vs_obj;
void vs_obj_add(vs_obj *b, vs_val key, vs_val val);
static inline void vs_obj_put(vs_obj *b, const char *key, vs_val val)
{
    vs_obj_add(b, vs_cstring(key), val); /* key: a literal, it must outlive the value */
}
/* As vs_obj_put, but an undefined value leaves the member out. */
static inline void vs_obj_opt(vs_obj *b, const char *key, vs_val val)
{
    if (vs_defined(val))
        vs_obj_put(b, key, val);
}
/* Sorts by key and applies `rule`; on a conflict returns undefined and, if given, *dup = the key.
 * Code that adds members by name, in order, saves the sort. */
vs_val vs_obj_end(vs_obj *b, vs_dup_rule rule, vs_val *dup);

vs_val vs_empty(vs_kind k); /* empty array, object or set */
/* A copy of `object` with one member set (or, with undefined, removed). */
vs_val vs_with(vs_arena *a, vs_val object, vs_val key, vs_val val);
/* A deep copy onto another arena, so that a result survives the reset of its own. */
vs_val vs_copy(vs_arena *a, vs_val v);

#endif
