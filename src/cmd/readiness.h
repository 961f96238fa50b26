/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the parts of a server work, for /readyz. Strangers ask it, and the question costs a write
 * or a call: the answer is kept for a while, and while one asks the others take the last one.
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
    pthread_mutex_t lock;  /* held while it is asked */
    pthread_mutex_t guard; /* of the rest */
    int64_t asked;         /* vs_mono_ns; 0 = never */
    vs_error last;
} readiness;

/* `r` and what is asked must outlive the check. */
ops_check readiness_of_store(readiness *r, const char *name, vs_store *store);
/* A service that does not tell its health is taken for well. */
ops_check readiness_of_peer(readiness *r, const char *name, vs_grpc_client *peer);

#endif
