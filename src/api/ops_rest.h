/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For operators and their machines: /livez (the process answers), /readyz (it can do its work),
 * /healthz (Trustee's name for /livez), /metrics (Prometheus' text format). On a listener of its
 * own; the API's listener shows no more than status codes (front.h).
 */
#ifndef VS_API_OPS_REST_H
#define VS_API_OPS_REST_H

#include "net/http_server.h"

/* One thing that must work before requests can be served. Called per /readyz: cheap. */
typedef struct ops_check {
    const char *name;
    vs_code (*check)(void *user, vs_error *err);
    void *user;
} ops_check;

/* Of their listener: while /readyz waits for a part, /livez does not. */
enum { OPS_WORKERS = 4 };

typedef struct ops {
    const ops_check *checks;
    size_t n_checks;
    void (*metrics)(vs_buf *out); /* Prometheus' text */
} ops;

/* A vs_http_handler; `user` is a struct ops. */
void ops_rest_handle(void *user, const vs_http_request *req, vs_http_response *resp);

/* The same without words: 200 or 503. */
bool ops_ready(const ops *o);
void ops_metrics(const ops *o, vs_http_response *resp);

#endif
