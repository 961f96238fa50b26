/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/cache.h"

#include <pthread.h>
#include <stdlib.h>

/* Set associative: a digest belongs to one set; within it the oldest entry makes room. */
enum { WAYS = 4, SETS = CCA_CACHE_ENTRIES / WAYS };

typedef struct entry {
    uint8_t key[CCA_CACHE_KEY];
    bool used;
} entry;

struct cca_cache {
    pthread_mutex_t lock;
    struct {
        entry way[WAYS];
        unsigned next;
    } set[SETS];
};

cca_cache *cca_cache_new(void)
{
    cca_cache *c = calloc(1, sizeof *c);
    if (c)
        (void)pthread_mutex_init(&c->lock, NULL);
    return c;
}

void cca_cache_free(cca_cache **c)
{
    if (!*c)
        return;
    (void)pthread_mutex_destroy(&(*c)->lock);
    free(*c);
    *c = NULL;
}

static size_t set_of(const uint8_t key[CCA_CACHE_KEY])
{
    return (size_t)(key[0] | key[1] << 8) % SETS;
}

vs_code cca_cache_key(const cca_anchor *anchor, vs_span platform_token, uint8_t key[VS_HASH_MAX],
                      vs_error *err)
{
    return vs_digest(VS_SHA256, vs_span_of(anchor->identity, sizeof anchor->identity),
                     platform_token, (vs_span){0}, key, err);
}

bool cca_cache_has(cca_cache *c, const uint8_t key[CCA_CACHE_KEY])
{
    bool found = false;
    const entry *way = c->set[set_of(key)].way;
    (void)pthread_mutex_lock(&c->lock);
    for (unsigned i = 0; i < WAYS && !found; i++)
        found = way[i].used && memcmp(way[i].key, key, CCA_CACHE_KEY) == 0;
    (void)pthread_mutex_unlock(&c->lock);
    return found;
}

void cca_cache_add(cca_cache *c, const uint8_t key[CCA_CACHE_KEY])
{
    (void)pthread_mutex_lock(&c->lock);
    size_t s = set_of(key);
    entry *e = &c->set[s].way[c->set[s].next++ % WAYS];
    memcpy(e->key, key, CCA_CACHE_KEY);
    e->used = true;
    (void)pthread_mutex_unlock(&c->lock);
}
