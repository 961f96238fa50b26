/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Administration over gRPC, package `vouchsafe.administration` (proto/administration.proto): what a
 * key broker of this project asks of an attestation service and a reference value provider that are
 * other processes, beside what Trustee's has calls for. Served on the ports of those.
 *
 * Whoever reaches such a port can already set any policy and any reference value, so this asks for
 * no more; see rvps_grpc.no_delete for where it would be less. Who asks is only what the peer says,
 * and is recorded as that.
 */
#ifndef VS_API_ADMIN_GRPC_H
#define VS_API_ADMIN_GRPC_H

#include "api/rvps_grpc.h"
#include "as/as.h"
#include "net/grpc.h"

#define AS_ADMIN_SERVICE   "vouchsafe.administration.AttestationAdministration"
#define RVPS_ADMIN_SERVICE "vouchsafe.administration.ReferenceValueAdministration"
enum { AS_ADMIN_METHODS = 5, RVPS_ADMIN_METHODS = 4 };

/* Lines for a vs_grpc_services; what they are given must outlive the server. */
void as_admin_methods(as_service *as, vs_grpc_method out[AS_ADMIN_METHODS]);
void rvps_admin_methods(rvps_grpc *service, vs_grpc_method out[RVPS_ADMIN_METHODS]);

#endif
