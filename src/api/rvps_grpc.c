/* SPDX-License-Identifier: Apache-2.0 */
#include "api/rvps_grpc.h"

#include "base/clock.h"
#include "base/log.h"
#include "net/pb.h"
#include "reference.pb-c.h"
#include "value/json.h"

static void refuse(const vs_grpc_call *call, vs_grpc_reply *reply, const char *what, vs_error *err)
{
    char text[VS_ERROR_TEXT];
    vs_log_error(VS_LOG_WARN, "rvps", what, err);
    vs_grpc_fail(call, reply, VS_GRPC_ABORTED, "%s: %s", what,
                 vs_error_text(err, text, sizeof text));
}

/* The value's JSON text, NUL terminated on the arena. */
static vs_code text_of(vs_val value, vs_arena *a, char **out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(VS_STORE_VALUE_MAX);
    vs_json_print(&text, value);
    VS_TRY(vs_buf_check(&text, err));
    *out = (char *)vs_dup(a, vs_buf_span(&text)).p;
    return vs_arena_check(a, err);
}

static void query(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    const rvps_grpc *service = user;
    vs_error err = {0};
    ProtobufCMessage *m;
    vs_val value = vs_undefined();
    vs_code code = vs_pb_unpack(call->arena, &reference__reference_value_query_request__descriptor,
                                call->request, &m, &err);
    if (code == VS_OK) {
        const Reference__ReferenceValueQueryRequest *in = (const void *)m;
        code = rvps_query(service->rv, vs_str(in->reference_value_id), vs_now_s(), call->arena,
                          &value, &err);
    }
    if (code != VS_OK) {
        refuse(call, reply,
               service->beside_as ? "Failed to query reference values" : "Query reference value",
               &err);
        return;
    }
    Reference__ReferenceValueQueryResponse out = REFERENCE__REFERENCE_VALUE_QUERY_RESPONSE__INIT;
    if (vs_defined(value)) {
        if (text_of(value, call->arena, &out.reference_value_results, &err) != VS_OK) {
            refuse(call, reply, "Serde reference value", &err);
            return;
        }
        out.found_case = REFERENCE__REFERENCE_VALUE_QUERY_RESPONSE__FOUND_REFERENCE_VALUE_RESULTS;
    }
    vs_pb_pack(&reply->body, &out.base);
}

static void take(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    const rvps_grpc *service = user;
    vs_error err = {0};
    ProtobufCMessage *m;
    vs_code code =
        vs_pb_unpack(call->arena, &reference__reference_value_register_request__descriptor,
                     call->request, &m, &err);
    if (code == VS_OK) {
        const Reference__ReferenceValueRegisterRequest *in = (const void *)m;
        code = rvps_register(service->rv, vs_str(in->message), vs_now_s(), &err);
    }
    if (code != VS_OK)
        refuse(call, reply, "Register reference value", &err);
}

void rvps_grpc_methods(rvps_grpc *service, vs_grpc_method out[RVPS_GRPC_METHODS])
{
    out[0] = (vs_grpc_method){"/" RVPS_GRPC_SERVICE "/QueryReferenceValue", query, service};
    out[1] = (vs_grpc_method){"/" RVPS_GRPC_SERVICE "/RegisterReferenceValue", take, service};
}
