/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the parts of a server work, for /readyz. Strangers ask it, and the question costs a write
 * or a call that may hang: a thread of its own asks, when somebody wants to know and the last
 * answer is some seconds old. Who wants to know waits for it half a second; a part that takes
 * longer does not work.
 */
#ifndef VS_CMD_READINESS_H
#define VS_CMD_READINESS_H

#include <pthread.h>

#include "api/ops_rest.h"
#include "net/grpc.h"
#include "store/store.h"

typedef struct readiness {
    vs_code (*ask)(void *user, vs_error *err);
    void *user;
    pthread_mutex_t lock; /* over all below */
    pthread_cond_t changed;
    pthread_t thread; /* from the first check on */
    bool running, wanted, stopping;
    uint64_t answers; /* how many there have been */
    int64_t answered; /* the last: vs_mono_ns */
    vs_error last;
} readiness;

/* `r` (zero before) and what is asked must outlive the check. Nothing has a thread yet. */
ops_check readiness_of_store(readiness *r, const char *name, vs_store *store);
/* A service that does not tell its health is taken for well. */
ops_check readiness_of_peer(readiness *r, const char *name, vs_grpc_client *peer);
/* Waits for a question under way. Nothing when it was not set up. */
void readiness_stop(readiness *r);

#endif
