/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections to the other programs of the trusted side, and what is said over them: an attestation
 * service and a reference value provider that are other processes (attestation-service.md 2.1, 2.2,
 * kbs.md 8.3). Calls block; use them on worker threads.
 */
#ifndef VS_API_REMOTE_H
#define VS_API_REMOTE_H

#include "as/as.h"
#include "net/grpc.h"
#include "rvps/rvps.h"

typedef struct remote_config {
    const char *address; /* "http://host:port", "https://..."; without a scheme http */
    const char *ca_cert; /* PEM; NULL = the system's */
    const char *client_cert, *client_key; /* NULL = none */
    unsigned connections;                 /* 0 = 8 */
    unsigned call_ms;                     /* 0 = 60 s */
} remote_config;

/* Connects to nothing yet, so that the programs may be started in any order. */
VS_MUST vs_code remote_open(const remote_config *cfg, vs_grpc_client **out, vs_error *err);

/* `client` must outlive what is made of it; one may serve both.
 *
 * Of a token only its form is checked here, and its "exp" and statuses are read without a look at
 * the signature: whoever uses the token verifies it. as_result.record is undefined, and the
 * explanation names the claims that are not affirming; the service's own log says why. */
VS_MUST vs_code as_remote_new(vs_grpc_client *client, as_service **out, vs_error *err);
VS_MUST vs_code rvps_remote_new(vs_grpc_client *client, rvps **out, vs_error *err);

#endif
