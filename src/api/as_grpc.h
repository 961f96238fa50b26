/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attestation service over gRPC, package `attestation` (attestation-service.md 2.1): what
 * Trustee's KBS calls. Every failure is status ABORTED, its message begins as there.
 */
#ifndef VS_API_AS_GRPC_H
#define VS_API_AS_GRPC_H

#include "as/as.h"
#include "net/grpc.h"

#define AS_GRPC_SERVICE "attestation.AttestationService" /* its name for health checks */
enum { AS_GRPC_METHODS = 3 };

/* Lines for a vs_grpc_services; `as` must outlive the server. */
void as_grpc_methods(as_service *as, vs_grpc_method out[AS_GRPC_METHODS]);

/* For api/admin_grpc.c: the evaluation that a message of AttestationEvaluate asks for; false:
 * refused as there. */
VS_MUST bool as_grpc_evaluate(as_service *as, const vs_grpc_call *call, vs_grpc_reply *reply,
                              as_result *out);

#endif
