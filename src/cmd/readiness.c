/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/readiness.h"

#include "base/clock.h"
#include "base/thread.h"

static const int64_t KEPT_NS = 3000000000, WAIT_NS = 500000000;

static void *answer(void *arg)
{
    readiness *r = arg;
    (void)pthread_mutex_lock(&r->lock);
    while (!r->stopping) {
        if (!r->wanted) {
            (void)pthread_cond_wait(&r->changed, &r->lock);
            continue;
        }
        r->wanted = false;
        (void)pthread_mutex_unlock(&r->lock);
        vs_error now = {0};
        (void)!r->ask(r->user, &now);
        (void)pthread_mutex_lock(&r->lock);
        r->last = now;
        r->answers++;
        r->answered = vs_mono_ns();
        (void)pthread_cond_broadcast(&r->changed);
    }
    (void)pthread_mutex_unlock(&r->lock);
    return NULL;
}

/* Until there is another answer than the last, at most WAIT_NS. Called with the lock held. */
static bool wait_for_answer(readiness *r)
{
    int64_t until = vs_mono_ns() + WAIT_NS;
    uint64_t before = r->answers;
    while (r->answers == before && vs_cond_wait(&r->changed, &r->lock, until)) {
    }
    return r->answers != before;
}

/* Called with the lock held. */
static vs_code ask_now(readiness *r, vs_error *err)
{
    if (!r->running && vs_thread_start(&r->thread, answer, r) != 0)
        return vs_fail(err, VS_E_IO, "cannot start a thread to ask");
    r->running = true;
    r->wanted = true;
    (void)pthread_cond_broadcast(&r->changed);
    return wait_for_answer(r) ? VS_OK : vs_fail(err, VS_E_TIMEOUT, "it does not answer in time");
}

static vs_code check(void *user, vs_error *err)
{
    readiness *r = user;
    vs_code code = VS_OK;
    (void)pthread_mutex_lock(&r->lock);
    if (r->answers == 0 || vs_mono_ns() - r->answered > KEPT_NS)
        code = ask_now(r, err);
    if (code == VS_OK && r->last.code != VS_OK) {
        code = r->last.code;
        if (err)
            *err = r->last;
    }
    (void)pthread_mutex_unlock(&r->lock);
    return code;
}

static ops_check set_up(readiness *r, const char *name, vs_code (*ask)(void *user, vs_error *err),
                        void *user)
{
    r->ask = ask;
    r->user = user;
    (void)pthread_mutex_init(&r->lock, NULL);
    vs_cond_init(&r->changed);
    return (ops_check){name, check, r};
}

void readiness_stop(readiness *r)
{
    if (!r->ask)
        return;
    (void)pthread_mutex_lock(&r->lock);
    r->stopping = true;
    bool running = r->running;
    (void)pthread_cond_broadcast(&r->changed);
    (void)pthread_mutex_unlock(&r->lock);
    if (running)
        (void)pthread_join(r->thread, NULL);
    (void)pthread_cond_destroy(&r->changed);
    (void)pthread_mutex_destroy(&r->lock);
    r->ask = NULL;
}

static vs_code ask_store(void *store, vs_error *err)
{
    return vs_store_ping(store, err);
}

ops_check readiness_of_store(readiness *r, const char *name, vs_store *store)
{
    return set_up(r, name, ask_store, store);
}

static vs_code ask_peer(void *peer, vs_error *err)
{
    vs_grpc_serving said = VS_GRPC_SERVING_UNKNOWN;
    VS_TRY(vs_grpc_client_health(peer, "", &said, err));
    return said == VS_GRPC_NOT_SERVING
               ? vs_fail(err, VS_E_IO, "it answers, and says that it cannot serve now")
               : VS_OK;
}

ops_check readiness_of_peer(readiness *r, const char *name, vs_grpc_client *peer)
{
    return set_up(r, name, ask_peer, peer);
}
