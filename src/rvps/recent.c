/* SPDX-License-Identifier: Apache-2.0 */
#include "rvps/recent.h"

#include <pthread.h>
#include <stdlib.h>

/* Set associative: a key belongs to one set; within it the oldest entry makes room. */
enum { WAYS = 4, SETS = RVPS_RECENT_ENTRIES / WAYS };

typedef struct entry {
    uint64_t changes; /* 0: free */
    uint8_t *bytes;   /* the key, and the text behind it */
    size_t key_n, text_n;
    bool there;
} entry;

struct rvps_recent {
    pthread_mutex_t lock;
    struct {
        entry way[WAYS];
        unsigned next;
    } set[SETS];
};

rvps_recent *rvps_recent_new(void)
{
    rvps_recent *r = calloc(1, sizeof *r);
    if (r)
        (void)pthread_mutex_init(&r->lock, NULL);
    return r;
}

void rvps_recent_free(rvps_recent **r)
{
    if (!*r)
        return;
    for (size_t s = 0; s < SETS; s++)
        for (size_t i = 0; i < WAYS; i++)
            free((*r)->set[s].way[i].bytes);
    (void)pthread_mutex_destroy(&(*r)->lock);
    free(*r);
    *r = NULL;
}

/* FNV-1a. Whoever makes names collide gets four of them remembered. */
static size_t set_of(vs_span key)
{
    uint64_t h = 0xcbf29ce484222325;
    for (size_t i = 0; i < key.n; i++)
        h = (h ^ key.p[i]) * 0x100000001b3;
    return (size_t)(h ^ h >> 32) % SETS;
}

/* NULL when it is not there. With the lock held. */
static entry *find(rvps_recent *r, size_t set, vs_span key)
{
    for (entry *e = r->set[set].way; e < r->set[set].way + WAYS; e++)
        if (e->changes && vs_span_eq(vs_span_of(e->bytes, e->key_n), key))
            return e;
    return NULL;
}

bool rvps_recent_find(rvps_recent *r, uint64_t changes, vs_span key, vs_arena *a, vs_span *text)
{
    size_t set = set_of(key);
    *text = (vs_span){NULL, 0};
    (void)pthread_mutex_lock(&r->lock);
    const entry *e = find(r, set, key);
    bool known = e && e->changes == changes;
    if (known && e->there)
        *text = vs_dup(a, vs_span_of(e->bytes + e->key_n, e->text_n));
    (void)pthread_mutex_unlock(&r->lock);
    return known;
}

void rvps_recent_keep(rvps_recent *r, uint64_t changes, vs_span key, vs_span text)
{
    size_t set = set_of(key);
    if (!changes || text.n > RVPS_RECENT_TEXT)
        return;
    uint8_t *bytes = malloc(key.n + text.n);
    if (!bytes)
        return;
    memcpy(bytes, key.p, key.n);
    if (text.n)
        memcpy(bytes + key.n, text.p, text.n);
    (void)pthread_mutex_lock(&r->lock);
    entry *e = find(r, set, key);
    if (!e)
        e = &r->set[set].way[r->set[set].next++ % WAYS];
    uint8_t *old = e->bytes;
    e->changes = changes;
    e->bytes = bytes;
    e->key_n = key.n;
    e->text_n = text.n;
    e->there = text.p != NULL;
    (void)pthread_mutex_unlock(&r->lock);
    free(old);
}
