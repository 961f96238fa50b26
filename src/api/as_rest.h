/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attestation service over HTTP (attestation-service.md 2.4): what restful-as serves.
 *
 *   POST /attestation             evidence -> token as plain text
 *   POST /policy                  {"policy_id", "policy"}
 *   GET  /policy                  [{"policy-id": "default_cpu"}, ...]
 *   GET  /policy/{id}             the text in base64url without padding, as POST takes it (Trustee
 *                                 documents the route but does not serve it)
 *   POST /challenge               {"tee", "tee_params"} -> challenge as plain text
 *   GET  /.well-known/jwks.json, GET /healthz
 *
 * and, where it is switched on, Veraison's interface (veraison_rest.h).
 *
 * A body that is not the JSON wanted is 400; what the service refuses is 500 with the causes, as in
 * Trustee; a policy that is not there is 404.
 */
#ifndef VS_API_AS_REST_H
#define VS_API_AS_REST_H

#include "api/veraison_rest.h"

typedef struct as_rest {
    as_service *as;
    const char *const *origins; /* of web pages that may call (CORS): "https://example.org" */
    size_t n_origins;
    veraison_rest veraison;
} as_rest;

/* A vs_http_handler; `user` is a struct as_rest. */
void as_rest_handle(void *user, const vs_http_request *req, vs_http_response *resp);

#endif
