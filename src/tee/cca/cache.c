/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/cache.h"

#include <pthread.h>
#include <stdlib.h>

/* Set associative: a digest belongs to one set; within it the oldest entry makes room. */
enum { WAYS = 4, SETS = CCA_CACHE_ENTRIES / WAYS };

typedef struct entry {
    uint8_t key[CCA_CACHE_KEY];
    bool used;
    vs_key *rak; /* NULL until a realm token was verified */
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
    for (size_t s = 0; s < SETS; s++)
        for (size_t i = 0; i < WAYS; i++)
            vs_key_free(&(*c)->set[s].way[i].rak);
    (void)pthread_mutex_destroy(&(*c)->lock);
    free(*c);
    *c = NULL;
}

vs_code cca_cache_key(const cca_anchor *anchor, const cca_token *t, uint8_t key[VS_HASH_MAX],
                      vs_error *err)
{
    vs_span form = t->realm.profile->generation == CCA_LEGACY ? VS_LIT("point") : VS_LIT("COSE");
    return vs_digest(VS_SHA256, vs_span_of(anchor->identity, sizeof anchor->identity),
                     t->platform_bytes, form, key, err);
}

static size_t set_of(const uint8_t key[CCA_CACHE_KEY])
{
    return (size_t)(key[0] | key[1] << 8) % SETS;
}

/* With the lock held. */
static entry *find(cca_cache *c, const uint8_t key[CCA_CACHE_KEY])
{
    entry *way = c->set[set_of(key)].way;
    for (unsigned i = 0; i < WAYS; i++)
        if (way[i].used && memcmp(way[i].key, key, CCA_CACHE_KEY) == 0)
            return &way[i];
    return NULL;
}

bool cca_cache_find(cca_cache *c, const uint8_t key[CCA_CACHE_KEY], vs_key **rak)
{
    (void)pthread_mutex_lock(&c->lock);
    const entry *e = find(c, key);
    *rak = e && e->rak ? vs_key_share(e->rak) : NULL;
    (void)pthread_mutex_unlock(&c->lock);
    return e != NULL;
}

void cca_cache_add(cca_cache *c, const uint8_t key[CCA_CACHE_KEY])
{
    (void)pthread_mutex_lock(&c->lock);
    size_t s = set_of(key);
    entry *e = &c->set[s].way[c->set[s].next++ % WAYS];
    vs_key_free(&e->rak);
    memcpy(e->key, key, CCA_CACHE_KEY);
    e->used = true;
    (void)pthread_mutex_unlock(&c->lock);
}

void cca_cache_bind(cca_cache *c, const uint8_t key[CCA_CACHE_KEY], vs_key *rak)
{
    (void)pthread_mutex_lock(&c->lock);
    entry *e = find(c, key);
    if (e && !e->rak)
        e->rak = vs_key_share(rak);
    (void)pthread_mutex_unlock(&c->lock);
}
