/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/readiness.h"

#include "base/clock.h"

static const int64_t KEPT_NS = 3000000000;

static vs_code check(void *user, vs_error *err)
{
    readiness *r = user;
    (void)pthread_mutex_lock(&r->guard);
    bool old = r->asked == 0 || vs_mono_ns() - r->asked > KEPT_NS;
    (void)pthread_mutex_unlock(&r->guard);
    if (old && pthread_mutex_trylock(&r->lock) == 0) {
        vs_error now = {0};
        (void)!r->ask(r->user, &now);
        (void)pthread_mutex_lock(&r->guard);
        r->last = now;
        r->asked = vs_mono_ns();
        (void)pthread_mutex_unlock(&r->guard);
        (void)pthread_mutex_unlock(&r->lock);
    }
    (void)pthread_mutex_lock(&r->guard);
    vs_code code = r->last.code;
    if (code != VS_OK && err)
        *err = r->last;
    (void)pthread_mutex_unlock(&r->guard);
    return code;
}

static ops_check start(readiness *r, const char *name, vs_code (*ask)(void *user, vs_error *err),
                       void *user)
{
    r->ask = ask;
    r->user = user;
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_mutex_init(&r->guard, NULL);
    return (ops_check){name, check, r};
}

static vs_code ask_store(void *store, vs_error *err)
{
    return vs_store_ping(store, err);
}

ops_check readiness_of_store(readiness *r, const char *name, vs_store *store)
{
    return start(r, name, ask_store, store);
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
    return start(r, name, ask_peer, peer);
}
