/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much may come from strangers: what neither a trust anchor nor an administrator vouches for,
 * from whoever reaches the port. It must not fill what those who are vouched for need, so it has
 * bounds of its own, and theirs do not count it.
 */
#ifndef VS_RVPS_STRANGERS_H
#define VS_RVPS_STRANGERS_H

#include <pthread.h>

#include "store/store.h"

enum {
    STRANGERS_ENTRIES_MAX = 32,          /* under one name (rvps/cca.h) */
    STRANGERS_ENTRIES_BYTES = 64 * 1024, /* of all of those, as JSON */
    STRANGERS_VALUE_BYTES = 1024 * 1024, /* of any other record */
    STRANGERS_NAMES_MAX = 100000, /* names and CoMIDs in the store, beyond which none is new */
};

/* What is in the store, as it was counted lately. Thread safe. */
typedef struct strangers {
    pthread_mutex_t lock;
    bool counted;
    int64_t when; /* vs_mono_ns */
    size_t known; /* then, and what strangers have made here since */
} strangers;

void strangers_open(strangers *s);
void strangers_close(strangers *s);

/* Before `items` are put for a stranger. VS_E_LIMIT: they would make names (those that are to be
 * created) beyond STRANGERS_NAMES_MAX. Replicas hear of each other's within a minute, so the bound
 * is a soft one. */
VS_MUST vs_code strangers_may_put(strangers *s, vs_store *store, const vs_store_item *items,
                                  size_t n, vs_error *err);

#endif
