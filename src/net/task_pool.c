/* SPDX-License-Identifier: Apache-2.0 */
#include "net/task_pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/thread.h"
#include "base/wait.h"

typedef enum state { NONE, LIVE, ENDED } state; /* ENDED: to be joined */

typedef struct worker {
    vs_task_pool *pool;
    pthread_t thread;
    state state;
} worker;

struct vs_task_pool {
    pthread_mutex_t lock;
    pthread_cond_t more;
    vs_task *first, **last;
    unsigned queued, most;
    bool stopping;
    atomic_bool halted;        /* as `stopping`, for those who wait */
    unsigned threads;          /* that never wait for others */
    unsigned live;             /* threads there are */
    unsigned waiting, patient; /* tasks that wait for others, and how many may */
    unsigned n;
    worker workers[];
};

static _Thread_local vs_task_pool *mine; /* whose thread this is */
static _Thread_local unsigned depth;     /* of vs_task_wait */

static vs_task *take(vs_task_pool *p)
{
    vs_task *t = p->first;
    if (t) {
        p->first = t->next;
        if (!p->first)
            p->last = &p->first;
        p->queued--;
    }
    return t;
}

/* Twice what is needed may stay, so that a steady load makes no threads. */
static bool too_many(const vs_task_pool *p)
{
    return p->live - p->waiting > 2 * p->threads;
}

static void *work(void *arg)
{
    worker *w = arg;
    vs_task_pool *p = mine = w->pool;
    if (p->patient)
        vs_wait_until_halted(&p->halted);
    (void)pthread_mutex_lock(&p->lock);
    for (;;) {
        vs_task *t = take(p);
        if (t) {
            bool run = !p->stopping;
            (void)pthread_mutex_unlock(&p->lock);
            t->call(t, run);
            (void)pthread_mutex_lock(&p->lock);
        } else if (p->stopping || too_many(p)) {
            break;
        } else {
            (void)pthread_cond_wait(&p->more, &p->lock);
        }
    }
    p->live--;
    w->state = ENDED;
    (void)pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* With the lock, which an ENDED thread has given up for good. */
static int start_thread(vs_task_pool *p)
{
    worker *w = p->workers;
    while (w->state == LIVE)
        w++;
    if (w->state == ENDED)
        (void)pthread_join(w->thread, NULL);
    w->state = NONE;
    w->pool = p;
    int failed = vs_thread_start(&w->thread, work, w);
    if (!failed) {
        w->state = LIVE;
        p->live++;
    }
    return failed;
}

vs_code vs_task_pool_new(unsigned threads, unsigned waiting, unsigned queue, vs_task_pool **out,
                         vs_error *err)
{
    unsigned n = threads + (waiting ? waiting + VS_TASK_BRIEF + threads : 0);
    vs_task_pool *p = calloc(1, sizeof *p + n * sizeof p->workers[0]);
    if (!p)
        return vs_fail(err, VS_E_NOMEM, "cannot make a pool of workers");
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->more, NULL);
    p->last = &p->first;
    p->most = queue;
    p->threads = threads;
    p->patient = waiting;
    p->n = n;
    int failed = 0;
    (void)pthread_mutex_lock(&p->lock);
    while (!failed && p->live < threads)
        failed = start_thread(p);
    (void)pthread_mutex_unlock(&p->lock);
    if (failed) {
        vs_task_pool_stop(&p);
        return vs_fail_errno(err, VS_E_IO, failed, "cannot start a worker thread");
    }
    *out = p;
    return VS_OK;
}

bool vs_task_pool_add(vs_task_pool *p, vs_task *t)
{
    (void)pthread_mutex_lock(&p->lock);
    bool fits = p->queued < p->most && !p->stopping;
    if (fits) {
        t->next = NULL;
        *p->last = t;
        p->last = &t->next;
        p->queued++;
        (void)pthread_cond_signal(&p->more);
    }
    (void)pthread_mutex_unlock(&p->lock);
    return fits;
}

void vs_task_pool_stop(vs_task_pool **pool)
{
    vs_task_pool *p = *pool;
    if (!p)
        return;
    *pool = NULL;
    (void)pthread_mutex_lock(&p->lock);
    p->stopping = true;
    atomic_store(&p->halted, true);
    (void)pthread_cond_broadcast(&p->more);
    (void)pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->n; i++) { /* none is started any more */
        (void)pthread_mutex_lock(&p->lock);
        bool is = p->workers[i].state != NONE;
        (void)pthread_mutex_unlock(&p->lock);
        if (is)
            (void)pthread_join(p->workers[i].thread, NULL);
    }
    (void)pthread_cond_destroy(&p->more);
    (void)pthread_mutex_destroy(&p->lock);
    free(p);
}

/* ---- waiting for others ---------------------------------------------------------------------- */

/* With the lock. Whoever waits leaves as many threads behind as never wait; where the system has no
 * more of them, at least one. */
static bool may_wait(vs_task_pool *p, bool brief)
{
    if (p->stopping || p->waiting >= p->patient + (brief ? VS_TASK_BRIEF : 0))
        return false;
    unsigned free = p->live - p->waiting;
    if (free <= p->threads && start_thread(p) != 0 && free < 2)
        return false;
    p->waiting++;
    return true;
}

vs_code vs_task_wait(bool brief, vs_error *err)
{
    vs_task_pool *p = mine;
    if (!p || !p->patient || depth++ > 0)
        return VS_OK;
    (void)pthread_mutex_lock(&p->lock);
    bool may = may_wait(p, brief);
    (void)pthread_mutex_unlock(&p->lock);
    if (may)
        return VS_OK;
    depth--;
    return vs_fail(err, VS_E_BUSY, "too many requests wait for others here already");
}

void vs_task_waited(void)
{
    vs_task_pool *p = mine;
    if (!p || !p->patient || --depth > 0)
        return;
    (void)pthread_mutex_lock(&p->lock);
    p->waiting--;
    (void)pthread_mutex_unlock(&p->lock);
}
