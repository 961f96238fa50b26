/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attestation agent's service over gRPC and ttrpc: attestation_agent.AttestationAgentService
 * (guest.md 1.1). One table serves both.
 */
#ifndef VS_API_AA_RPC_H
#define VS_API_AA_RPC_H

#include "aa/aa.h"
#include "net/grpc.h"

#define AA_RPC_SERVICE "attestation_agent.AttestationAgentService"

enum { AA_RPC_METHODS = 7 };

/* A field of GetTokenRequest that is vouchsafe's own and that others pass over: SHA-256 of the
 * token that the caller was refused with, so that the agent does not hand it out again. */
enum { AA_RPC_REFUSED = 1000 };

/* `agent` must outlive the use of the table. */
void aa_rpc_methods(aa *agent, vs_grpc_method out[AA_RPC_METHODS]);

#endif
