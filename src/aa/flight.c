/* SPDX-License-Identifier: Apache-2.0 */
#include "aa/flight.h"

#include "base/clock.h"
#include "base/thread.h"

enum { LOOK_MS = 1000 };

void aa_flight_init(aa_flight *f)
{
    *f = (aa_flight){0};
    vs_cond_init(&f->landed);
    (void)pthread_mutex_init(&f->lock, NULL);
}

void aa_flight_free(aa_flight *f)
{
    (void)pthread_cond_destroy(&f->landed);
    (void)pthread_mutex_destroy(&f->lock);
}

static bool nobody_waits(void *user)
{
    aa_flight *f = user;
    (void)pthread_mutex_lock(&f->lock);
    const aa_rider *r = f->riders;
    while (r && vs_wait_over(&r->wait))
        r = r->next;
    bool nobody = !r;
    f->in_vain |= nobody;
    (void)pthread_mutex_unlock(&f->lock);
    return nobody;
}

/* With the lock. */
static vs_code lead(aa_flight *f, vs_code (*fly)(void *user, vs_error *err), void *user,
                    vs_error *err)
{
    vs_error why = {0};
    f->under_way = true;
    f->in_vain = false;
    (void)pthread_mutex_unlock(&f->lock);
    vs_wait before = vs_wait_set((vs_wait){.in_vain = nobody_waits, .user = f});
    vs_code code = fly(user, &why);
    (void)vs_wait_set(before);
    (void)pthread_mutex_lock(&f->lock);
    f->under_way = false;
    f->landings++;
    f->code = code;
    f->why = why;
    (void)pthread_cond_broadcast(&f->landed);
    *err = why;
    return code;
}

/* With the lock. False: this thread may wait no longer. */
static bool ride(aa_flight *f)
{
    unsigned before = f->landings;
    while (f->landings == before && !vs_wait_is_over()) {
        int64_t look = vs_mono_ns() + (int64_t)LOOK_MS * 1000000;
        (void)vs_cond_wait(&f->landed, &f->lock, vs_wait_step(look));
    }
    return f->landings != before;
}

static void enter(aa_flight *f, aa_rider *me)
{
    me->next = f->riders;
    f->riders = me;
}

static void leave(aa_flight *f, const aa_rider *me)
{
    aa_rider **link = &f->riders;
    while (*link != me)
        link = &(*link)->next;
    *link = me->next;
}

vs_code aa_flight_share(aa_flight *f, vs_code (*fly)(void *user, vs_error *err), void *user,
                        vs_error *err)
{
    aa_rider me = {.wait = vs_wait_current()};
    vs_code code;
    bool again; /* it was given up just before this thread came */
    enter(f, &me);
    do {
        again = false;
        if (!f->under_way && !vs_wait_is_over()) {
            code = lead(f, fly, user, err);
        } else if (!ride(f)) {
            code = vs_fail(err, VS_E_TIMEOUT, "it was not done in time");
        } else {
            code = f->code;
            *err = f->why;
            again = code != VS_OK && f->in_vain;
        }
    } while (again);
    leave(f, &me);
    return code;
}
