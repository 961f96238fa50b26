/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the attestation service's two interfaces (gRPC and REST, attestation-service.md 2) have in
 * common: texts to requests, evaluations with a line in the log, errors as Trustee words them.
 */
#ifndef VS_API_AS_WIRE_H
#define VS_API_AS_WIRE_H

#include "as/as.h"
#include "net/http_server.h"

/* One verification request as it arrives. */
typedef struct as_wire_request {
    vs_span tee;
    vs_span evidence;     /* base64url without padding of JSON text */
    as_data_kind runtime; /* of the next two, RAW: base64url without padding */
    vs_span runtime_text; /* RAW; STRUCTURED: JSON text, unless runtime_json is defined */
    vs_val runtime_json;  /* STRUCTURED */
    vs_span hash;         /* empty = sha384 */
    as_init_kind init;    /* DIGEST: base64url without padding; TOML: text */
    vs_span init_text;
} as_wire_request;

/* The error's outermost sentence is the prefix of section 2.1: "parse TEE type", ... */
VS_MUST vs_code as_wire_read(const as_wire_request *in, vs_arena *a, as_request *out,
                             vs_error *err);

/* Evaluates and says so in the log; the first of the policy ids counts, none = "default". */
VS_MUST vs_code as_wire_evaluate(as_service *as, const as_request *reqs, size_t n,
                                 const vs_span *policy_ids, size_t n_policy_ids, vs_arena *a,
                                 as_result *out, vs_error *err);

/* Policy text in base64url without padding. Says so in the log. */
VS_MUST vs_code as_wire_set_policy(as_service *as, vs_span id, vs_span policy, vs_arena *a,
                                   vs_error *err);

/* "tee" and "tee_params", p == NULL when missing. */
VS_MUST vs_code as_wire_challenge(as_service *as, vs_span tee, vs_span params, vs_arena *a,
                                  vs_span *challenge, vs_error *err);

/* "\n0: outermost\n1: ...": the chain of causes. */
const char *as_wire_chain(const vs_error *err, vs_arena *a);

#define AS_JWKS_PATH "/.well-known/jwks.json"
/* A vs_http_handler for what is beside gRPC on the port: GET /.well-known/jwks.json. `user` is an
 * as_service. */
void as_wire_beside(void *user, const vs_http_request *req, vs_http_response *resp);
/* The JWK Set, or 500. */
void as_wire_jwks(as_service *as, vs_http_response *resp);

#endif
