/* SPDX-License-Identifier: Apache-2.0 */
#include "net/task_pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/thread.h"

struct vs_task_pool {
    pthread_mutex_t lock;
    pthread_cond_t more;
    vs_task *first, **last;
    unsigned waiting, most;
    bool stopping;
    unsigned n_threads;
    pthread_t threads[];
};

static vs_task *take(vs_task_pool *p)
{
    vs_task *t = p->first;
    if (t) {
        p->first = t->next;
        if (!p->first)
            p->last = &p->first;
        p->waiting--;
    }
    return t;
}

static void *work(void *arg)
{
    vs_task_pool *p = arg;
    (void)pthread_mutex_lock(&p->lock);
    for (;;) {
        vs_task *t = take(p);
        if (t) {
            bool run = !p->stopping;
            (void)pthread_mutex_unlock(&p->lock);
            t->call(t, run);
            (void)pthread_mutex_lock(&p->lock);
        } else if (p->stopping) {
            break;
        } else {
            (void)pthread_cond_wait(&p->more, &p->lock);
        }
    }
    (void)pthread_mutex_unlock(&p->lock);
    return NULL;
}

static int start_threads(vs_task_pool *p, unsigned n)
{
    int failed = 0;
    while (!failed && p->n_threads < n) {
        failed = vs_thread_start(&p->threads[p->n_threads], work, p);
        p->n_threads += failed == 0;
    }
    return failed;
}

vs_code vs_task_pool_new(unsigned threads, unsigned queue, vs_task_pool **out, vs_error *err)
{
    vs_task_pool *p = calloc(1, sizeof *p + threads * sizeof p->threads[0]);
    if (!p)
        return vs_fail(err, VS_E_NOMEM, "cannot make a pool of workers");
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->more, NULL);
    p->last = &p->first;
    p->most = queue;
    int failed = start_threads(p, threads);
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
    bool fits = p->waiting < p->most && !p->stopping;
    if (fits) {
        t->next = NULL;
        *p->last = t;
        p->last = &t->next;
        p->waiting++;
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
    (void)pthread_cond_broadcast(&p->more);
    (void)pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->n_threads; i++)
        (void)pthread_join(p->threads[i], NULL);
    (void)pthread_cond_destroy(&p->more);
    (void)pthread_mutex_destroy(&p->lock);
    free(p);
}
