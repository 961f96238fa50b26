/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One does what takes long, and those who want the same meanwhile share what comes of it. It goes
 * on as long as one of them waits, so whoever began it may leave, and is given up when none does.
 */
#ifndef VS_AA_FLIGHT_H
#define VS_AA_FLIGHT_H

#include <pthread.h>

#include "base/error.h"
#include "base/wait.h"

typedef struct aa_rider { /* on the stack of each who waits */
    struct aa_rider *next;
    vs_wait wait;
} aa_rider;

typedef struct aa_flight {
    pthread_mutex_t lock; /* guards the rest, and what the flight is for */
    pthread_cond_t landed;
    aa_rider *riders;
    bool under_way;
    bool in_vain; /* nobody waited any more */
    unsigned landings;
    vs_code code; /* of the latest, and why */
    vs_error why;
} aa_flight;

void aa_flight_init(aa_flight *f);
void aa_flight_free(aa_flight *f);

/* With the lock, which is given up meanwhile; `fly` is called without it, by one thread at a time.
 * TIMEOUT: this thread may wait no longer (base/wait.h). */
VS_MUST vs_code aa_flight_share(aa_flight *f, vs_code (*fly)(void *user, vs_error *err), void *user,
                                vs_error *err);

#endif
