/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded queue and the threads that empty it. What does not fit is refused at once, so that a
 * slow backend makes errors and not an ever longer wait.
 *
 * A task that waits for others (a server, a device, another task) says so. While it does, a thread
 * takes its place, so that what needs nobody else is never behind it; and so many may wait and no
 * more. Threads that are too many afterwards end.
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

enum { VS_TASK_BRIEF = 8 };

/* `waiting` = tasks that may wait for others at a time; 0 = they need not say so, and hold a thread
 * of the pool. */
VS_MUST vs_code vs_task_pool_new(unsigned threads, unsigned waiting, unsigned queue,
                                 vs_task_pool **out, vs_error *err);
/* False when the queue is full. Any thread. */
VS_MUST bool vs_task_pool_add(vs_task_pool *p, vs_task *t);
/* Calls what is queued with run == false, ends the waits (base/wait.h) of a pool whose tasks tell
 * them, and returns when everything that runs has come to its end. NULL-safe. */
void vs_task_pool_stop(vs_task_pool **p);

/* The task of this thread is about to wait for others. BUSY: too many do; it must not. On VS_OK
 * vs_task_waited follows; pairs may lie within each other and count as one. `brief`: the other is
 * asked for something that it has at hand, so VS_TASK_BRIEF more may do this. On a thread of no
 * pool nothing is counted. */
VS_MUST vs_code vs_task_wait(bool brief, vs_error *err);
void vs_task_waited(void);

#endif
