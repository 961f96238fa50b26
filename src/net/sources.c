/* SPDX-License-Identifier: Apache-2.0 */
#include "net/sources.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/io.h"

/*
 * A table of sets of eight places; a source lives in the one set that a keyed hash of it names, so
 * that nobody can aim at a set. A lock guards a share of the sets.
 */
enum { WAYS = 8, LOCKS = 64, SETS_LEAST = 64 };

typedef struct place {
    uint8_t key[16];
    bool used;
    uint32_t connections;
    int64_t seen;  /* ns, when `spent` was true */
    int64_t spent; /* ns of the rate that requests have taken and time has not given back */
} place;

struct vs_sources {
    uint64_t secret[2];
    atomic_uint rate, burst, connections;
    size_t sets; /* a power of two */
    place *places;
    pthread_mutex_t locks[LOCKS];
};

vs_code vs_sources_new(unsigned connections, vs_sources **out, vs_error *err)
{
    vs_sources *s = calloc(1, sizeof *s);
    size_t sets = SETS_LEAST;
    while (sets * WAYS < (size_t)connections * 2)
        sets *= 2;
    place *places = calloc(sets * WAYS, sizeof *places);
    if (!s || !places) {
        free(s);
        free(places);
        return vs_fail(err, VS_E_NOMEM, "out of memory for the table of sources");
    }
    s->sets = sets;
    s->places = places;
    vs_random(s->secret, sizeof s->secret);
    for (size_t i = 0; i < LOCKS; i++)
        (void)pthread_mutex_init(&s->locks[i], NULL);
    *out = s;
    return VS_OK;
}

void vs_sources_free(vs_sources **sp)
{
    vs_sources *s = *sp;
    if (!s)
        return;
    for (size_t i = 0; i < LOCKS; i++)
        (void)pthread_mutex_destroy(&s->locks[i]);
    free(s->places);
    free(s);
    *sp = NULL;
}

void vs_sources_limit(vs_sources *s, vs_source_limits l)
{
    atomic_store(&s->burst, l.burst ? l.burst : l.rate > UINT32_MAX / 2 ? l.rate : l.rate * 2);
    atomic_store(&s->rate, l.rate);
    atomic_store(&s->connections, l.connections);
}

/* ---- finding ----------------------------------------------------------------------------------
 */

static uint64_t rotl(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

/* SipHash-2-4 of 16 bytes. */
static uint64_t hash(const vs_sources *s, const uint8_t key[16])
{
    uint64_t v[4] = {s->secret[0] ^ 0x736f6d6570736575, s->secret[1] ^ 0x646f72616e646f6d,
                     s->secret[0] ^ 0x6c7967656e657261, s->secret[1] ^ 0x7465646279746573};
    uint64_t m[3] = {0, 0, (uint64_t)16 << 56};
    memcpy(m, key, 16);
    for (int i = 0; i < 3; i++) {
        v[3] ^= m[i];
        sip_round(v);
        sip_round(v);
        v[0] ^= m[i];
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* One IPv6 customer has at least a /64. */
static void key_of(vs_ip ip, uint8_t key[16])
{
    static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
    memcpy(key, ip.b, 16);
    if (memcmp(ip.b, v4, sizeof v4) != 0)
        memset(key + 8, 0, 8);
}

typedef struct seat {
    pthread_mutex_t *lock;
    place *set;
} seat;

static seat sit(vs_sources *s, const uint8_t key[16])
{
    size_t set = (size_t)hash(s, key) & (s->sets - 1);
    seat at = {&s->locks[set % LOCKS], s->places + set * WAYS};
    (void)pthread_mutex_lock(at.lock);
    return at;
}

static place *find(place *set, const uint8_t key[16])
{
    for (size_t i = 0; i < WAYS; i++)
        if (set[i].used && memcmp(set[i].key, key, 16) == 0)
            return &set[i];
    return NULL;
}

/* The place of a source, or one that it may have: unused, or of the source without a connection
 * that was still for the longest time. NULL when all have connections. */
static place *place_of(place *set, const uint8_t key[16])
{
    place *p = find(set, key);
    if (p)
        return p;
    for (size_t i = 0; i < WAYS; i++) {
        place *q = &set[i];
        if (q->used && q->connections)
            continue;
        if (!p || (p->used && (!q->used || q->seen < p->seen)))
            p = q;
    }
    if (p) {
        *p = (place){.used = true};
        memcpy(p->key, key, 16);
    }
    return p;
}

/* ---- counting ---------------------------------------------------------------------------------
 */

bool vs_sources_enter(vs_sources *s, vs_ip ip, int64_t now)
{
    if (!vs_ip_known(ip))
        return true;
    uint8_t key[16];
    key_of(ip, key);
    unsigned most = atomic_load(&s->connections);
    seat at = sit(s, key);
    place *p = place_of(at.set, key);
    bool may = p && (most == 0 || p->connections < most);
    if (may) {
        p->connections++;
        if (p->seen < now && p->spent == 0)
            p->seen = now;
    }
    (void)pthread_mutex_unlock(at.lock);
    return may;
}

void vs_sources_leave(vs_sources *s, vs_ip ip)
{
    if (!vs_ip_known(ip))
        return;
    uint8_t key[16];
    key_of(ip, key);
    seat at = sit(s, key);
    place *p = find(at.set, key);
    if (p && p->connections)
        p->connections--;
    (void)pthread_mutex_unlock(at.lock);
}

bool vs_sources_request(vs_sources *s, vs_ip ip, int64_t now)
{
    unsigned rate = atomic_load(&s->rate), burst = atomic_load(&s->burst);
    if (rate == 0 || !vs_ip_known(ip))
        return true;
    uint8_t key[16];
    key_of(ip, key);
    int64_t each = 1000000000 / rate, most = each * burst;
    seat at = sit(s, key);
    place *p = place_of(at.set, key);
    bool may = p != NULL;
    if (p) {
        int64_t passed = now - p->seen;
        p->spent = passed < 0 ? p->spent : passed >= p->spent ? 0 : p->spent - passed;
        p->seen = now;
        may = p->spent + each <= most;
        if (may)
            p->spent += each;
    }
    (void)pthread_mutex_unlock(at.lock);
    return may;
}
