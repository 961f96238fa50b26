/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP clients of one configuration for several threads: each belongs to one thread at a time, and
 * waits with its connection for the next one.
 */
#ifndef VS_NET_HTTP_POOL_H
#define VS_NET_HTTP_POOL_H

#include <pthread.h>

#include "net/http_client.h"

enum { VS_HTTP_POOL_IDLE = 16 };

typedef struct vs_http_pool {
    vs_http_client_config cfg;
    pthread_mutex_t lock;
    vs_http_client *idle[VS_HTTP_POOL_IDLE];
    size_t n_idle;
} vs_http_pool;

/* What cfg points to must outlive the pool. Makes a first client, so that a wrong path of a
 * certificate shows now. To be closed also after a failure. */
VS_MUST vs_code vs_http_pool_open(vs_http_pool *p, const vs_http_client_config *cfg, vs_error *err);
/* All clients must have been given back. A pool that is all zero may be closed, too. */
void vs_http_pool_close(vs_http_pool *p);
VS_MUST vs_code vs_http_pool_take(vs_http_pool *p, vs_http_client **out, vs_error *err);
/* `good`: its connection may be used again. Sets *c NULL. */
void vs_http_pool_give(vs_http_pool *p, vs_http_client **c, bool good);

#endif
