/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a thread may wait for others: as long as somebody wants the answer that it works on.
 * Whoever serves a request says so to its thread; whatever waits below (sockets, pauses, a token
 * that another thread gets) asks here and gives up in time, without being told by each function on
 * the way. A thread that nobody told anything waits as long as it is otherwise to.
 */
#ifndef VS_BASE_WAIT_H
#define VS_BASE_WAIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct vs_wait {
    int64_t until;           /* vs_mono_ns; 0 = no end */
    const atomic_bool *gone; /* it is in vain from when this is true; NULL = never */
    /* The same as a question, which any thread may ask; NULL = none. */
    bool (*in_vain)(void *user);
    void *user;
} vs_wait;

/* Of this thread from now on; gives the one before, to be set again. */
vs_wait vs_wait_set(vs_wait w);
vs_wait vs_wait_current(void);
/* For a thread of a pool, whatever it works on: true ends all of its waits. */
void vs_wait_until_halted(const atomic_bool *halted);

bool vs_wait_over(const vs_wait *w);
/* This thread must not wait any longer. */
bool vs_wait_is_over(void);
/* `until`, or sooner where this thread may only wait so long. */
int64_t vs_wait_end(int64_t until);
/* A wait until then is to be done in steps, since nothing wakes it when it is in vain: until when
 * to wait, at most, before vs_wait_is_over is asked again. */
int64_t vs_wait_step(int64_t until);
/* Milliseconds from now, rounded up, as poll takes them; 0 = that moment has come. */
int vs_wait_ms(int64_t until);
/* A pause. False, and it ended early: it is over. */
bool vs_wait_pause(unsigned ms);

#endif
