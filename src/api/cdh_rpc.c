/* SPDX-License-Identifier: Apache-2.0 */
#include "api/cdh_rpc.h"

#include "api/guest_rpc.h"
#include "cdh/keyprovider.h"
#include "net/pb_wire.h"

#define PREFIX "[CDH] [ERROR]: "

static cdh_service *service_of(void *user)
{
    return user;
}

static vs_code resource(void *user, vs_span uri, vs_buf *out, vs_error *err)
{
    return cdh_source_get_named(service_of(user)->source, uri, out, err);
}

static vs_code unsealed(void *user, vs_span text, vs_buf *out, vs_error *err)
{
    return cdh_unseal(&service_of(user)->sealed, text, out, err);
}

static vs_code unwrapped(void *user, vs_span json, vs_buf *out, vs_error *err)
{
    return cdh_keyprovider(service_of(user)->source, CDH_KEY_UNWRAP, json, out, err);
}

static vs_code wrapped(void *user, vs_span json, vs_buf *out, vs_error *err)
{
    return cdh_keyprovider(service_of(user)->source, CDH_KEY_WRAP, json, out, err);
}

static void get_resource(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    guest_answer(user, call, reply, resource, true, PREFIX "Get Resource failed");
}

static void unseal_secret(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    guest_answer(user, call, reply, unsealed, false, PREFIX "Unseal Secret failed");
}

static void unwrap_key(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    guest_answer(user, call, reply, unwrapped, false, PREFIX "Decrypt Image (UnwrapKey) failed");
}

static void wrap_key(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    guest_answer(user, call, reply, wrapped, false, PREFIX "WrapKey failed");
}

void cdh_rpc_methods(cdh_service *service, vs_grpc_method out[CDH_RPC_METHODS])
{
    const vs_grpc_method methods[CDH_RPC_METHODS] = {
        {CDH_RPC_GET_RESOURCE, get_resource, service},
        {"/api.SealedSecretService/UnsealSecret", unseal_secret, service},
        {"/keyprovider.KeyProviderService/UnWrapKey", unwrap_key, service},
        {"/keyprovider.KeyProviderService/WrapKey", wrap_key, service},
        {"/api.SecureMountService/SecureMount", NULL, NULL},
        {"/api.ImagePullService/PullImage", NULL, NULL},
    };
    memcpy(out, methods, sizeof methods);
}
