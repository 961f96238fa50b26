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
#include "net/pb.h"
#include "rvps/rvps.h"

typedef struct remote_config {
    const char
        *address; /* "http://host:port", "https://..."; without a scheme http; "unix:/path" */
    const char *ca_cert;                  /* PEM; NULL = the system's */
    const char *client_cert, *client_key; /* NULL = none */
    unsigned connections;                 /* 0 = 8 */
    unsigned call_ms;                     /* 0 = 60 s */
} remote_config;

/* Connects to nothing yet, so that the programs may be started in any order. */
VS_MUST vs_code remote_open(const remote_config *cfg, vs_grpc_client **out, vs_error *err);

/* `client` must outlive what is made of it; one may serve both.
 *
 * Of a token only its form is checked here, and its "exp" and statuses are read without a look at
 * the signature: whoever uses the token verifies it. A service of this project tells its
 * explanation and record with it (api/admin_grpc.h). Of Trustee's, as_result_record is undefined,
 * and the explanation names the claims that are not affirming; the service's own log says why.
 *
 * What only this project's services offer is VS_E_UNSUPPORTED with others, and VS_E_DENIED where we
 * are strangers to them; evaluations and registering then go as to Trustee's. */
VS_MUST vs_code as_remote_new(vs_grpc_client *client, as_service **out, vs_error *err);
VS_MUST vs_code rvps_remote_new(vs_grpc_client *client, rvps **out, vs_error *err);

/* ---- for the adapters ------------------------------------------------------------------------ */

typedef struct remote_peer {
    vs_grpc_client *client;
    const char *name; /* "attestation service": begins its errors */
} remote_peer;

/* One call, with its answer unpacked onto the arena, where its bytes and texts stay.
 * VS_E_UNSUPPORTED: the peer has no such method; VS_E_DENIED: it does not let us (see
 * api/admin_grpc.h), or refuses what was sent. */
VS_MUST vs_code remote_ask(const remote_peer *p, const char *path, const ProtobufCMessage *in,
                           const ProtobufCMessageDescriptor *type, vs_arena *a, const void **answer,
                           vs_error *err);
/* Text for a message, where a NUL would cut it: VS_E_INVALID. `what` names it. */
VS_MUST vs_code remote_text(vs_arena *a, vs_span s, const char *what, char **out, vs_error *err);

#endif
