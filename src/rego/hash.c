/* SPDX-License-Identifier: Apache-2.0 */
#include "rego/hash.h"

#include "value/number.h"

enum { DEPTH = 4, MEMBERS = 8 }; /* of a collection: the rest is left to the comparison */

static uint64_t mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 32;
}

static uint64_t hash_bytes(uint64_t h, const char *p, size_t n)
{
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t x;
        memcpy(&x, p, 8);
        h = mix(h, x);
    }
    uint64_t rest = n;
    for (size_t i = 0; i < n; i++)
        rest = rest << 8 | (uint8_t)p[i];
    return mix(h, rest);
}

static uint64_t hash_at(uint64_t h, vs_val v, unsigned depth)
{
    h = mix(h, (uint64_t)v.kind << 32 | v.len);
    switch ((vs_kind)v.kind) {
    case VS_BOOL: return mix(h, v.u.b);
    case VS_NUMBER: return mix(h, v.big ? (uint64_t)vs_num_sign(v) : (uint64_t)v.u.i);
    case VS_STRING: return hash_bytes(h, v.u.s, v.len);
    case VS_ARRAY:
    case VS_SET:
        for (uint32_t i = 0; depth && i < v.len && i < MEMBERS; i++)
            h = hash_at(h, v.u.items[i], depth - 1);
        return h;
    case VS_OBJECT:
        for (uint32_t i = 0; depth && i < v.len && i < MEMBERS; i++)
            h = hash_at(hash_at(h, v.u.pairs[i].key, depth - 1), v.u.pairs[i].val, depth - 1);
        return h;
    default: return h;
    }
}

uint64_t rego_hash(vs_val v)
{
    return hash_at(0x51ed270b7a3f9d1du, v, DEPTH);
}

bool id_table_init(id_table *t, vs_arena *a, size_t n)
{
    size_t room = 16;
    while (room < 2 * n)
        room *= 2;
    uint32_t *ids = vs_alloc_array(a, room, sizeof *ids);
    if (!ids)
        return false;
    memset(ids, 0xff, room * sizeof *ids);
    *t = (id_table){.ids = ids, .room = room};
    return true;
}

uint32_t id_table_find(const id_table *t, const vs_val *keys, vs_val key)
{
    for (size_t i = t->room ? rego_hash(key) & (t->room - 1) : 0; t->room;
         i = (i + 1) & (t->room - 1)) {
        uint32_t id = t->ids[i];
        if (id == UINT32_MAX || vs_eq(keys[id], key))
            return id;
    }
    return UINT32_MAX;
}

static void put(id_table *t, const vs_val *keys, uint32_t id)
{
    size_t i = rego_hash(keys[id]) & (t->room - 1);
    while (t->ids[i] != UINT32_MAX)
        i = (i + 1) & (t->room - 1);
    t->ids[i] = id;
    t->n++;
}

bool id_table_add(id_table *t, vs_arena *a, const vs_val *keys, uint32_t id)
{
    if (2 * (t->n + 1) > t->room) {
        id_table larger;
        if (!id_table_init(&larger, a, 2 * (t->n + 1)))
            return false;
        for (size_t i = 0; i < t->room; i++)
            if (t->ids[i] != UINT32_MAX)
                put(&larger, keys, t->ids[i]);
        *t = larger;
    }
    put(t, keys, id);
    return true;
}
