/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads with the stack that this program needs, whatever the system's limits say, and waits that
 * end in time, whatever becomes of the time of day.
 */
#ifndef VS_BASE_THREAD_H
#define VS_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The deepest are evaluations of policies: 256 calls within each other and a builtin that recurses
 * over a value take less than half a MiB, and with sanitizers two.
 */
enum { VS_THREAD_STACK = 4 << 20 };

/* Starts a thread that blocks all signals: those are the main thread's. 0 or an errno. */
int vs_thread_start(pthread_t *t, void *(*run)(void *), void *arg);

/* A condition for vs_cond_wait. */
void vs_cond_init(pthread_cond_t *c);
/* As pthread_cond_wait; false: it is `until` (vs_mono_ns). */
bool vs_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock, int64_t until);

#endif
