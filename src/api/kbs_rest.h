/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KBS over HTTP (kbs.md 0, 1.5, 7): turns a request into a kbs_call and a kbs_reply into a
 * response. Paths, statuses, cookies and error JSON are decided here and nowhere else.
 */
#ifndef VS_API_KBS_REST_H
#define VS_API_KBS_REST_H

#include "kbs/kbs.h"
#include "net/http_server.h"

/* What a request says beside its method and path: who sends it, body, time, arena. */
kbs_call kbs_rest_call(const vs_http_request *req);

/* A vs_http_handler; `user` is a struct kbs. */
void kbs_rest_handle(void *user, const vs_http_request *req, vs_http_response *resp);

#endif
