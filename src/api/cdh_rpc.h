/* SPDX-License-Identifier: Apache-2.0 */
/* The data hub's services over gRPC and ttrpc (guest.md 3.1). One table serves both. */
#ifndef VS_API_CDH_RPC_H
#define VS_API_CDH_RPC_H

#include "cdh/sealed.h"
#include "net/grpc.h"

#define CDH_RPC_GET_RESOURCE "/api.GetResourceService/GetResource"
#define CDH_RPC_SECURE_MOUNT "/api.SecureMountService/SecureMount"

typedef struct cdh_service { /* both must outlive the use of the table */
    cdh_source *source;
    cdh_sealed_options sealed;
} cdh_service;

enum { CDH_RPC_METHODS = 6 };

void cdh_rpc_methods(cdh_service *service, vs_grpc_method out[CDH_RPC_METHODS]);

#endif
