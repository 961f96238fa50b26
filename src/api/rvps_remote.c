/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "api/remote.h"
#include "api/rvps_grpc.h"
#include "base/enc.h"
#include "net/pb.h"
#include "reference.pb-c.h"
#include "rvps/backend.h"
#include "value/json.h"

enum { REQUEST_MAX = 4 * 1024 * 1024, REPLY_MAX = 16 * 1024 * 1024 };

typedef struct rvps_remote {
    rvps base;
    vs_grpc_client *client;
} rvps_remote;

static vs_code call(rvps *r, const char *path, const ProtobufCMessage *in, vs_buf *reply,
                    vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf request = VS_BUF(REQUEST_MAX);
    vs_pb_pack(&request, in);
    VS_TRY_WRAP(vs_buf_check(&request, err), err, "request to the reference value provider");
    VS_TRY_WRAP(vs_grpc_client_call(((rvps_remote *)r)->client, path, vs_buf_span(&request), reply,
                                    NULL, err),
                err, "reference value provider");
    return VS_OK;
}

static vs_code remote_take(rvps *r, vs_span message, int64_t now, vs_error *err)
{
    (void)now;
    vs_arena a;
    vs_arena_init(&a, 0);
    VS_CLEANUP(vs_buf_free) vs_buf reply = VS_BUF(REPLY_MAX);
    Reference__ReferenceValueRegisterRequest in = REFERENCE__REFERENCE_VALUE_REGISTER_REQUEST__INIT;
    in.message = (char *)vs_dup(&a, message).p;
    vs_code code = vs_arena_check(&a, err);
    if (code == VS_OK && message.n && memchr(message.p, 0, message.n))
        code = vs_fail(err, VS_E_PARSE, "the reference value message holds a NUL character");
    if (code == VS_OK)
        code = call(r, "/" RVPS_GRPC_SERVICE "/RegisterReferenceValue", &in.base, &reply, err);
    vs_arena_free(&a);
    return code;
}

/* The value's strings point into text on the arena. */
static vs_code read_value(vs_span reply, vs_arena *a, vs_val *out, vs_error *err)
{
    ProtobufCMessage *m;
    VS_TRY(vs_pb_unpack(a, &reference__reference_value_query_response__descriptor, reply, &m, err));
    const Reference__ReferenceValueQueryResponse *found = (const void *)m;
    if (found->found_case ==
        REFERENCE__REFERENCE_VALUE_QUERY_RESPONSE__FOUND_REFERENCE_VALUE_RESULTS)
        return vs_json_parse(a, vs_str(found->reference_value_results), NULL, out, err);
    return VS_OK;
}

static vs_code remote_query(rvps *r, vs_span id, int64_t now, vs_arena *a, vs_val *out,
                            vs_error *err)
{
    (void)now; /* the provider's clock counts */
    VS_CLEANUP(vs_buf_free) vs_buf reply = VS_BUF(REPLY_MAX);
    Reference__ReferenceValueQueryRequest in = REFERENCE__REFERENCE_VALUE_QUERY_REQUEST__INIT;
    if (!vs_utf8_ok(id) || (id.n && memchr(id.p, 0, id.n)))
        return VS_OK; /* there is no such name */
    in.reference_value_id = (char *)vs_dup(a, id).p;
    VS_TRY(vs_arena_check(a, err));
    VS_TRY(call(r, "/" RVPS_GRPC_SERVICE "/QueryReferenceValue", &in.base, &reply, err));
    VS_TRY_WRAP(read_value(vs_buf_span(&reply), a, out, err), err,
                "the reference value provider's answer for \"%.*s\"", VS_FMT(vs_span_head(id, 80)));
    return VS_OK;
}

static void remote_close(rvps *r)
{
    free(r);
}

static const rvps_ops remote_ops = {remote_take, remote_query, remote_close};

vs_code rvps_remote_new(vs_grpc_client *client, rvps **out, vs_error *err)
{
    *out = NULL;
    rvps_remote *r = calloc(1, sizeof *r);
    if (!r)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    *r = (rvps_remote){{&remote_ops}, client};
    *out = &r->base;
    return VS_OK;
}
