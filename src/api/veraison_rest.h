/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Veraison's challenge-response interface over HTTP (cca.md 5.1, 5.2):
 *
 *   GET    /.well-known/veraison/verification             what is served, and the key of results
 *   POST   /challenge-response/v1/newSession              ?nonce=BASE64URL or ?nonceSize=N or
 * neither POST   /challenge-response/v1/session/<id>            evidence GET
 * /challenge-response/v1/session/<id> DELETE /challenge-response/v1/session/<id>
 *
 * Errors are problem details (RFC 9457) with all four members, since Veraison's Rust client needs
 * them. Paths, statuses and headers are decided here and nowhere else.
 */
#ifndef VS_API_VERAISON_REST_H
#define VS_API_VERAISON_REST_H

#include "as/veraison.h"
#include "net/http_server.h"

typedef struct veraison_rest {
    /* as_veraison_handle, or something in front of it. NULL: nothing is served. */
    void (*handle)(void *user, const as_veraison_call *call, as_veraison_reply *reply);
    void *user;
} veraison_rest;

/* False, and nothing is done, when the path is none of these. */
bool veraison_rest_handle(const veraison_rest *r, const vs_http_request *req,
                          vs_http_response *resp);

#endif
