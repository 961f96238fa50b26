/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Administration over gRPC, package `vouchsafe.administration` (proto/administration.proto): what a
 * key broker of this project asks of an attestation service and a reference value provider that are
 * other processes, beside what Trustee's has calls for. Served on the ports of those.
 *
 * It is for known callers (vs_grpc_call.known), though a stranger who reaches such a port may set
 * policies and register values as with Trustee: what goes beyond that did not have to be open. Only
 * GetReferenceValue is for everybody, who may ask for the value by its name anyway: a verifier
 * must hear whether a key came from a CoRIM and needs no right to delete for that. Strangers do not
 * hear who registered it. Who asks is only what the peer says, and is recorded as that.
 */
#ifndef VS_API_ADMIN_GRPC_H
#define VS_API_ADMIN_GRPC_H

#include "api/rvps_grpc.h"
#include "as/as.h"
#include "net/grpc.h"

#define AS_ADMIN_SERVICE   "vouchsafe.administration.AttestationAdministration"
#define RVPS_ADMIN_SERVICE "vouchsafe.administration.ReferenceValueAdministration"
enum { AS_ADMIN_METHODS = 5, RVPS_ADMIN_METHODS = 4 };

/* For vs_grpc_services.to_strangers. */
#define ADMIN_TO_STRANGERS                                                                         \
    "administration is for callers that this server knows: with a client certificate over TLS "    \
    "(--client-ca), or over a Unix socket as the server's own user or root; "                      \
    "\"insecure_administration\" in its configuration lets in whoever reaches the port"

/* Lines for a vs_grpc_services; what they are given must outlive the server. */
void as_admin_methods(as_service *as, vs_grpc_method out[AS_ADMIN_METHODS]);
void rvps_admin_methods(rvps_grpc *service, vs_grpc_method out[RVPS_ADMIN_METHODS]);

#endif
