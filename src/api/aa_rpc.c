/* SPDX-License-Identifier: Apache-2.0 */
#include "api/aa_rpc.h"

#include "api/guest_rpc.h"
#include "net/pb_wire.h"

#define PREFIX "[ERROR:attestation-agent] "

static vs_code evidence(void *user, vs_span report_data, vs_buf *json, vs_error *err)
{
    return aa_evidence(user, report_data, json, err);
}

static vs_code additional_evidence(void *user, vs_span report_data, vs_buf *json, vs_error *err)
{
    return aa_additional_evidence(user, report_data, json, err);
}

static void get_evidence(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    guest_answer(user, call, reply, evidence, false, PREFIX "AA-KBC get evidence failed");
}

static void get_additional_evidence(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    guest_answer(user, call, reply, additional_evidence, false,
                 PREFIX "AA-KBC get evidence failed");
}

static void get_token(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    vs_span type = {0}, refused = {0};
    vs_error err = {0};
    const guest_field fields[] = {
        {1, .is_bytes = true, .is_text = true, .bytes = &type},
        {AA_RPC_REFUSED, .is_bytes = true, .bytes = &refused},
    };
    if (!guest_read(call, fields, VS_COUNT(fields), reply))
        return;
    VS_CLEANUP(vs_buf_free) vs_buf token = VS_BUF(reply->body.cap);
    if (aa_token(user, type, refused, &token, &err) != VS_OK)
        guest_fail(call, reply, PREFIX "AA-KBC get token failed", &err);
    else
        vs_pb_put_bytes(&reply->body, 1, vs_buf_span(&token));
}

static void extend(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    /* In the order of the enumeration RuntimeMeasurementResult. */
    static const uint64_t results[] = {
        [AA_EXTENDED] = 0, [AA_NOT_SUPPORTED] = 1, [AA_NOT_ENABLED] = 2};
    aa_event event = {0};
    aa_extended result;
    vs_error err = {0};
    const guest_field fields[] = {
        {1, .is_bytes = true, .is_text = true, .bytes = &event.domain},
        {2, .is_bytes = true, .is_text = true, .bytes = &event.operation},
        {3, .is_bytes = true, .is_text = true, .bytes = &event.content},
        {4, .integer = &event.reg, .present = &event.has_register},
    };
    if (!guest_read(call, fields, VS_COUNT(fields), reply))
        return;
    if (aa_extend(user, &event, &result, &err) != VS_OK)
        guest_fail(call, reply, PREFIX "AA extend runtime measurement failed", &err);
    else if (results[result])
        vs_pb_put_integer(&reply->body, 1, results[result]);
}

static void bind_init_data(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    vs_span digest = {0};
    vs_error err = {0};
    const guest_field fields[] = {{1, .is_bytes = true, .bytes = &digest}};
    if (guest_read(call, fields, 1, reply) && aa_bind_init_data(user, digest, &err) != VS_OK)
        guest_fail(call, reply, PREFIX "AA binding init data failed", &err);
}

static void get_tee_type(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    (void)call;
    vs_pb_put_bytes(&reply->body, 1, vs_str(aa_tee(user)));
}

/* There are no devices to attest yet: an empty list. */
static void get_additional_tees(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    (void)user;
    (void)call;
    (void)reply;
}

void aa_rpc_methods(aa *agent, vs_grpc_method out[AA_RPC_METHODS])
{
    const vs_grpc_method methods[AA_RPC_METHODS] = {
        {"/" AA_RPC_SERVICE "/GetEvidence", get_evidence, agent},
        {"/" AA_RPC_SERVICE "/GetAdditionalEvidence", get_additional_evidence, agent},
        {"/" AA_RPC_SERVICE "/GetToken", get_token, agent},
        {"/" AA_RPC_SERVICE "/ExtendRuntimeMeasurement", extend, agent},
        {"/" AA_RPC_SERVICE "/BindInitData", bind_init_data, agent},
        {"/" AA_RPC_SERVICE "/GetTeeType", get_tee_type, agent},
        {"/" AA_RPC_SERVICE "/GetAdditionalTees", get_additional_tees, agent},
    };
    memcpy(out, methods, sizeof methods);
}
