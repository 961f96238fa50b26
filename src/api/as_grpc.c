/* SPDX-License-Identifier: Apache-2.0 */
#include "api/as_grpc.h"

#include "api/as_wire.h"
#include "attestation.pb-c.h"
#include "net/pb.h"

typedef Attestation__IndividualAttestationRequest one_request;

static void refuse(const vs_grpc_call *call, vs_grpc_reply *reply, const vs_error *err)
{
    char text[VS_ERROR_TEXT];
    vs_grpc_fail(call, reply, VS_GRPC_ABORTED, "%s", vs_error_text(err, text, sizeof text));
}

/* `m` was made on the call's arena. */
static void answer(const vs_grpc_call *call, vs_grpc_reply *reply, const ProtobufCMessage *m)
{
    if (vs_arena_ok(call->arena))
        vs_pb_pack(&reply->body, m);
    else
        vs_grpc_fail(call, reply, VS_GRPC_ABORTED, "out of memory");
}

static as_wire_request wire_of(const one_request *in)
{
    as_wire_request out = {.tee = vs_str(in->tee),
                           .evidence = vs_str(in->evidence),
                           .hash = vs_str(in->runtime_data_hash_algorithm),
                           .runtime_json = vs_undefined()};
    switch (in->runtime_data_case) {
    case ATTESTATION__INDIVIDUAL_ATTESTATION_REQUEST__RUNTIME_DATA_RAW_RUNTIME_DATA:
        out.runtime = AS_DATA_RAW;
        out.runtime_text = vs_str(in->raw_runtime_data);
        break;
    case ATTESTATION__INDIVIDUAL_ATTESTATION_REQUEST__RUNTIME_DATA_STRUCTURED_RUNTIME_DATA:
        out.runtime = AS_DATA_STRUCTURED;
        out.runtime_text = vs_str(in->structured_runtime_data);
        break;
    default: break;
    }
    switch (in->init_data_case) {
    case ATTESTATION__INDIVIDUAL_ATTESTATION_REQUEST__INIT_DATA_INIT_DATA_DIGEST:
        out.init = AS_INIT_DIGEST;
        out.init_text = vs_str(in->init_data_digest);
        break;
    case ATTESTATION__INDIVIDUAL_ATTESTATION_REQUEST__INIT_DATA_INIT_DATA_TOML:
        out.init = AS_INIT_TOML;
        out.init_text = vs_str(in->init_data_toml);
        break;
    default: break;
    }
    return out;
}

static vs_code read_requests(const Attestation__AttestationRequest *m, vs_arena *a,
                             as_request **out, vs_span **policy_ids, vs_error *err)
{
    as_request *reqs = vs_alloc_array(a, m->n_verification_requests, sizeof *reqs);
    vs_span *ids = vs_alloc_array(a, m->n_policy_ids, sizeof *ids);
    VS_TRY(vs_arena_check(a, err));
    for (size_t i = 0; i < m->n_verification_requests; i++) {
        as_wire_request in = wire_of(m->verification_requests[i]);
        VS_TRY(as_wire_read(&in, a, &reqs[i], err));
    }
    for (size_t i = 0; i < m->n_policy_ids; i++)
        ids[i] = vs_str(m->policy_ids[i]);
    *out = reqs;
    *policy_ids = ids;
    return VS_OK;
}

bool as_grpc_evaluate(as_service *as, const vs_grpc_call *call, vs_grpc_reply *reply,
                      as_result *out)
{
    vs_error err = {0};
    ProtobufCMessage *m;
    as_request *reqs;
    vs_span *ids;
    vs_code code = vs_pb_unpack(call->arena, &attestation__attestation_request__descriptor,
                                call->request, &m, &err);
    const Attestation__AttestationRequest *in = (const void *)m;
    if (code == VS_OK)
        code = read_requests(in, call->arena, &reqs, &ids, &err);
    if (code != VS_OK) {
        refuse(call, reply, &err);
        return false;
    }
    code = as_wire_evaluate(as, reqs, in->n_verification_requests, ids, in->n_policy_ids,
                            call->arena, out, &err);
    if (code != VS_OK)
        vs_grpc_fail(call, reply, VS_GRPC_ABORTED, "Attestation evaluation failed: %s",
                     as_wire_chain(&err, call->arena));
    return code == VS_OK;
}

static void evaluate(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    as_result result;
    if (!as_grpc_evaluate(user, call, reply, &result))
        return;
    Attestation__AttestationResponse out = ATTESTATION__ATTESTATION_RESPONSE__INIT;
    out.attestation_token = (char *)vs_dup(call->arena, result.token).p;
    answer(call, reply, &out.base);
}

static void set_policy(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    vs_error err = {0};
    ProtobufCMessage *m;
    vs_code code = vs_pb_unpack(call->arena, &attestation__set_policy_request__descriptor,
                                call->request, &m, &err);
    if (code == VS_OK) {
        const Attestation__SetPolicyRequest *in = (const void *)m;
        code =
            as_wire_set_policy(user, vs_str(in->policy_id), vs_str(in->policy), call->arena, &err);
    }
    if (code != VS_OK) {
        (void)vs_wrap(&err, "Set Attestation Policy Failed");
        refuse(call, reply, &err);
    }
}

/* The last of equal keys counts, as in every map of this format. */
static vs_span inner(const Attestation__ChallengeRequest *m, const char *key)
{
    for (size_t i = m->n_inner; i-- > 0;)
        if (strcmp(m->inner[i]->key, key) == 0)
            return vs_str(m->inner[i]->value);
    return (vs_span){NULL, 0};
}

static void challenge(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    vs_error err = {0};
    ProtobufCMessage *m;
    vs_span text;
    vs_code code = vs_pb_unpack(call->arena, &attestation__challenge_request__descriptor,
                                call->request, &m, &err);
    if (code == VS_OK) {
        const Attestation__ChallengeRequest *in = (const void *)m;
        code = as_wire_challenge(user, inner(in, "tee"), inner(in, "tee_params"), call->arena,
                                 &text, &err);
    }
    if (code != VS_OK) {
        refuse(call, reply, &err);
        return;
    }
    Attestation__ChallengeResponse out = ATTESTATION__CHALLENGE_RESPONSE__INIT;
    out.attestation_challenge = (char *)vs_dup(call->arena, text).p;
    answer(call, reply, &out.base);
}

void as_grpc_methods(as_service *as, vs_grpc_method out[AS_GRPC_METHODS])
{
    out[0] = (vs_grpc_method){"/" AS_GRPC_SERVICE "/AttestationEvaluate", evaluate, as};
    out[1] = (vs_grpc_method){"/" AS_GRPC_SERVICE "/SetAttestationPolicy", set_policy, as};
    out[2] = (vs_grpc_method){"/" AS_GRPC_SERVICE "/GetAttestationChallenge", challenge, as};
}
