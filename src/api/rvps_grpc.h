/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reference values over gRPC, package `reference` (attestation-service.md 2.2): served by rvps, and
 * on the attestation service's port, which is where Trustee's KBS asks. Every failure is status
 * ABORTED. An id without a record is no failure: the answer has no value then.
 */
#ifndef VS_API_RVPS_GRPC_H
#define VS_API_RVPS_GRPC_H

#include "net/grpc.h"
#include "rvps/rvps.h"

#define RVPS_GRPC_SERVICE "reference.ReferenceValueProviderService"
enum { RVPS_GRPC_METHODS = 2 };

typedef struct rvps_grpc {
    rvps *rv;
    bool beside_as; /* on the attestation service's port, whose messages begin otherwise */
    /* Values come with a signature only, so nobody on the port may delete any without one, known or
     * not. */
    bool no_delete;
} rvps_grpc;

/* Lines for a vs_grpc_services; `service` must outlive the server. */
void rvps_grpc_methods(rvps_grpc *service, vs_grpc_method out[RVPS_GRPC_METHODS]);

#endif
