/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values as keys of hash tables: interned constants and rule indexes.
 *
 * The tables are built from a policy, looked up with values of an input. They are never grown by an
 * input, so the hash needs no secret seed; equal values have equal hashes.
 */
#ifndef VS_REGO_HASH_H
#define VS_REGO_HASH_H

#include "value/value.h"

uint64_t rego_hash(vs_val v);

/* Open addressing over ids; `at` yields the key of an id. Room is a power of two. */
typedef struct id_table {
    uint32_t *ids; /* UINT32_MAX = free */
    size_t room, n;
} id_table;

/* Memory for at least `n` ids, at most half full. False when out of memory. */
bool id_table_init(id_table *t, vs_arena *a, size_t n);
/* The id of the equal key, or UINT32_MAX. keys[id] is the key of an id. */
uint32_t id_table_find(const id_table *t, const vs_val *keys, vs_val key);
/* Adds an id whose key is not there yet, growing when needed. */
bool id_table_add(id_table *t, vs_arena *a, const vs_val *keys, uint32_t id);

#endif
