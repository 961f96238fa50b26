/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_pool.h"

vs_code vs_http_pool_open(vs_http_pool *p, const vs_http_client_config *cfg, vs_error *err)
{
    vs_http_client *first;
    *p = (vs_http_pool){.cfg = *cfg};
    (void)pthread_mutex_init(&p->lock, NULL);
    VS_TRY(vs_http_client_new(cfg, &first, err));
    vs_http_pool_give(p, &first, true);
    return VS_OK;
}

void vs_http_pool_close(vs_http_pool *p)
{
    while (p->n_idle > 0)
        vs_http_client_free(&p->idle[--p->n_idle]);
    (void)pthread_mutex_destroy(&p->lock);
}

vs_code vs_http_pool_take(vs_http_pool *p, vs_http_client **out, vs_error *err)
{
    *out = NULL;
    (void)pthread_mutex_lock(&p->lock);
    if (p->n_idle > 0)
        *out = p->idle[--p->n_idle];
    (void)pthread_mutex_unlock(&p->lock);
    return *out ? VS_OK : vs_http_client_new(&p->cfg, out, err);
}

void vs_http_pool_give(vs_http_pool *p, vs_http_client **c, bool good)
{
    (void)pthread_mutex_lock(&p->lock);
    if (good && p->n_idle < VS_HTTP_POOL_IDLE) {
        p->idle[p->n_idle++] = *c;
        *c = NULL;
    }
    (void)pthread_mutex_unlock(&p->lock);
    vs_http_client_free(c);
}
