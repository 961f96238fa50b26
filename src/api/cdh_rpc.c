/* SPDX-License-Identifier: Apache-2.0 */
#include "api/cdh_rpc.h"

#include "api/guest_rpc.h"
#include "cdh/keyprovider.h"
#include "cdh/secure_mount.h"
#include "net/pb_wire.h"
#include "net/task_pool.h"

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
    vs_span in = {0};
    vs_error err = {0};
    const guest_field fields[] = {{1, .is_bytes = true, .bytes = &in}};
    if (!guest_read(call, fields, 1, reply))
        return;
    if (cdh_keyprovider_check_unwrap(in, &err) != VS_OK)
        guest_fail(call, reply, "[ERROR] UnwrapKey Parse request failed", &err);
    else
        guest_answer(user, call, reply, unwrapped, false,
                     PREFIX "Decrypt Image (UnwrapKey) failed");
}

static void wrap_key(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    guest_answer(user, call, reply, wrapped, false, PREFIX "WrapKey failed");
}

/* An entry of map<string,string>; what is left out is empty (proto3). */
static bool take_option(vs_span entry, cdh_mount_option *out)
{
    vs_pb_field f;
    bool bad = false;
    *out = (cdh_mount_option){0};
    while (vs_pb_next(&entry, &f, &bad)) {
        if (f.number != 1 && f.number != 2)
            continue;
        if (!f.is_bytes || !vs_pb_is_text(f.bytes))
            return false;
        *(f.number == 1 ? &out->key : &out->value) = f.bytes;
    }
    return !bad;
}

/* Field 3, flags, has no meaning for any volume. */
static bool take_mount(vs_span in, cdh_mount_option options[CDH_MOUNT_OPTIONS_MAX],
                       cdh_mount_request *out)
{
    vs_pb_field f;
    bool bad = false;
    *out = (cdh_mount_request){.options = options};
    while (vs_pb_next(&in, &f, &bad)) {
        if (f.number != 1 && f.number != 2 && f.number != 4)
            continue;
        if (!f.is_bytes || (f.number != 2 && !vs_pb_is_text(f.bytes)))
            return false;
        if (f.number == 1)
            out->volume_type = f.bytes;
        else if (f.number == 4)
            out->mount_point = f.bytes;
        else if (out->n_options == CDH_MOUNT_OPTIONS_MAX ||
                 !take_option(f.bytes, &options[out->n_options++]))
            return false;
    }
    return !bad;
}

static bool is_gone(const void *call)
{
    return vs_grpc_cancelled(call);
}

static void mount_volume(cdh_service *service, const vs_grpc_call *call, cdh_mount_request *request,
                         vs_grpc_reply *reply)
{
    vs_error err = {0};
    request->is_gone = is_gone;
    request->caller = call;
    vs_code code = vs_task_wait(false, &err); /* for programs and the kernel, too */
    if (code == VS_OK) {
        code = cdh_secure_mount(&service->sealed, request, &err);
        vs_task_waited();
    }
    if (code != VS_OK)
        guest_fail(call, reply, PREFIX "Secure Mount failed", &err);
}

/* Others that may have secrets may not therefore format disks and mount as root does. */
static void secure_mount(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    cdh_mount_option options[CDH_MOUNT_OPTIONS_MAX];
    cdh_mount_request request;
    if (!call->own)
        vs_grpc_fail(call, reply, VS_GRPC_PERMISSION_DENIED,
                     "disks are mounted for root only, and over ttrpc, which tells who calls");
    else if (!take_mount(call->request, options, &request))
        vs_grpc_fail(call, reply, VS_GRPC_UNKNOWN,
                     "the request is not a well-formed message of at most %d options",
                     CDH_MOUNT_OPTIONS_MAX);
    else
        mount_volume(user, call, &request, reply);
}

void cdh_rpc_methods(cdh_service *service, vs_grpc_method out[CDH_RPC_METHODS])
{
    const vs_grpc_method methods[CDH_RPC_METHODS] = {
        {CDH_RPC_GET_RESOURCE, get_resource, service},
        {"/api.SealedSecretService/UnsealSecret", unseal_secret, service},
        {"/keyprovider.KeyProviderService/UnWrapKey", unwrap_key, service},
        {"/keyprovider.KeyProviderService/WrapKey", wrap_key, service},
        {CDH_RPC_SECURE_MOUNT, secure_mount, service},
        {"/api.ImagePullService/PullImage", NULL, NULL},
    };
    memcpy(out, methods, sizeof methods);
}
