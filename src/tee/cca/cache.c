/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/cache.h"

#include <pthread.h>
#include <stdlib.h>

/* Set associative: a token belongs to one set; within it the oldest entry makes room. */
enum { WAYS = 4, SETS = CCA_CACHE_ENTRIES / WAYS };

struct cca_cache {
    pthread_mutex_t lock;
    struct {
        cca_known *way[WAYS]; /* NULL: free */
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
            cca_known_free(&(*c)->set[s].way[i]);
    (void)pthread_mutex_destroy(&(*c)->lock);
    free(*c);
    *c = NULL;
}

/* By the last bytes, which are the signature's: those of tokens that verify are random enough, and
 * no others get in. */
static size_t set_of(vs_span token)
{
    return token.n < 2 ? 0 : (size_t)(token.p[token.n - 1] | token.p[token.n - 2] << 8) % SETS;
}

/* Where it is; NULL when it is not there. With the lock held. */
static cca_known **way_of(cca_cache *c, vs_span token)
{
    cca_known **way = c->set[set_of(token)].way;
    for (unsigned i = 0; i < WAYS; i++)
        if (way[i] && vs_span_eq(way[i]->token, token))
            return &way[i];
    return NULL;
}

cca_known *cca_cache_find(cca_cache *c, vs_span platform_token)
{
    (void)pthread_mutex_lock(&c->lock);
    cca_known **at = way_of(c, platform_token), *found = at ? cca_known_share(*at) : NULL;
    (void)pthread_mutex_unlock(&c->lock);
    return found;
}

void cca_cache_add(cca_cache *c, cca_known *k)
{
    (void)pthread_mutex_lock(&c->lock);
    size_t s = set_of(k->token);
    cca_known **at = way_of(c, k->token);
    if (!at)
        at = &c->set[s].way[c->set[s].next++ % WAYS];
    cca_known *old = *at;
    *at = cca_known_share(k);
    (void)pthread_mutex_unlock(&c->lock);
    cca_known_free(&old);
}
