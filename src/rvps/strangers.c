/* SPDX-License-Identifier: Apache-2.0 */
#include "rvps/strangers.h"

#include "base/clock.h"
#include "rvps/comids.h"

#define COUNT_AGAIN_NS (60 * (int64_t)1000000000)

void strangers_open(strangers *s)
{
    *s = (strangers){0};
    (void)pthread_mutex_init(&s->lock, NULL);
}

void strangers_close(strangers *s)
{
    (void)pthread_mutex_destroy(&s->lock);
}

/* More than are allowed need not be counted. */
static vs_code count_one(void *user, vs_span key)
{
    size_t *n = user;
    (void)key;
    return ++*n > STRANGERS_NAMES_MAX ? VS_E_LIMIT : VS_OK;
}

static vs_code count_all(strangers *s, vs_store *store, vs_error *err)
{
    static const char *const places[] = {RVPS_NAMESPACE, RVPS_COMIDS};
    s->known = 0;
    for (size_t i = 0; i < VS_COUNT(places) && s->known <= STRANGERS_NAMES_MAX; i++) {
        vs_code code = vs_store_list(store, places[i], count_one, &s->known, err);
        if (code != VS_OK && s->known <= STRANGERS_NAMES_MAX) {
            (void)vs_wrap(err, "counting reference values");
            return code;
        }
    }
    s->counted = true;
    s->when = vs_mono_ns();
    return VS_OK;
}

static vs_code make_room(strangers *s, vs_store *store, size_t made, vs_error *err)
{
    if (!s->counted || vs_mono_ns() - s->when > COUNT_AGAIN_NS)
        VS_TRY(count_all(s, store, err));
    if (made > STRANGERS_NAMES_MAX || s->known > STRANGERS_NAMES_MAX - made)
        return vs_fail(err, VS_E_LIMIT,
                       "there are %d reference values and CoMIDs or more: new ones are taken from "
                       "who is vouched for only; have the message signed by whom a trust anchor "
                       "vouches for, send it as an administrator of a KBS that keeps the values "
                       "itself, or delete some",
                       STRANGERS_NAMES_MAX);
    s->known += made;
    return VS_OK;
}

vs_code strangers_may_put(strangers *s, vs_store *store, const vs_store_item *items, size_t n,
                          vs_error *err)
{
    size_t made = 0;
    for (size_t i = 0; i < n; i++)
        made += items[i].mode == VS_PUT_CREATE;
    if (made == 0)
        return VS_OK;
    (void)pthread_mutex_lock(&s->lock);
    vs_code code = make_room(s, store, made, err);
    (void)pthread_mutex_unlock(&s->lock);
    return code;
}
