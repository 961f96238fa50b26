/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded queue and the threads that empty it. What does not fit is refused at once, so that a
 * slow backend makes errors and not an ever longer wait.
 */
#ifndef VS_NET_TASK_POOL_H
#define VS_NET_TASK_POOL_H

#include "base/error.h"

typedef struct vs_task_pool vs_task_pool;

/* Part of the caller's own struct. */
typedef struct vs_task {
    struct vs_task *next;
    /* On a thread of the pool; `run` == false: the pool is being stopped, only give notice. */
    void (*call)(struct vs_task *t, bool run);
} vs_task;

VS_MUST vs_code vs_task_pool_new(unsigned threads, unsigned queue, vs_task_pool **out,
                                 vs_error *err);
/* False when the queue is full. Any thread. */
VS_MUST bool vs_task_pool_add(vs_task_pool *p, vs_task *t);
/* Calls what waits with run == false, and returns when everything that runs has come to its end.
 * NULL-safe. */
void vs_task_pool_stop(vs_task_pool **p);

#endif
