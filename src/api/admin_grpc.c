/* SPDX-License-Identifier: Apache-2.0 */
#include "api/admin_grpc.h"

#include "administration.pb-c.h"
#include "api/as_grpc.h"
#include "as/versions.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/pb.h"
#include "value/json.h"

#define TYPE(name) (&vouchsafe__administration__##name##__descriptor)

enum {
    JSON_MAX = 2 * 1024 * 1024,   /* of a message of 4 MiB */
    RECORD_MAX = 2 * 1024 * 1024, /* a record beyond is not told */
};

/* ---- messages ----------------------------------------------------------------------------------
 */

static void refuse(const vs_grpc_call *call, vs_grpc_reply *reply, const char *what, vs_error *err)
{
    static const struct {
        vs_code code;
        vs_grpc_status status;
    } known[] = {
        {VS_E_NOT_FOUND, VS_GRPC_NOT_FOUND},          {VS_E_INVALID, VS_GRPC_INVALID_ARGUMENT},
        {VS_E_PARSE, VS_GRPC_INVALID_ARGUMENT},       {VS_E_LIMIT, VS_GRPC_INVALID_ARGUMENT},
        {VS_E_CONFLICT, VS_GRPC_FAILED_PRECONDITION}, {VS_E_DENIED, VS_GRPC_PERMISSION_DENIED},
        {VS_E_UNSUPPORTED, VS_GRPC_UNIMPLEMENTED}};
    char text[VS_ERROR_TEXT];
    vs_grpc_status status = VS_GRPC_ABORTED;
    for (size_t i = 0; i < VS_COUNT(known); i++)
        status = known[i].code == err->code ? known[i].status : status;
    vs_log_error(VS_LOG_WARN, "administration", what, err);
    vs_grpc_fail(call, reply, status, "%s", vs_error_text(err, text, sizeof text));
}

/* A message of the request, NULL when it was refused. */
static const void *read(const vs_grpc_call *call, vs_grpc_reply *reply,
                        const ProtobufCMessageDescriptor *type)
{
    vs_error err = {0};
    ProtobufCMessage *m;
    if (vs_pb_unpack(call->arena, type, call->request, &m, &err) == VS_OK)
        return m;
    refuse(call, reply, "a message that cannot be read", &err);
    return NULL;
}

static ProtobufCBinaryData bytes_of(vs_span s)
{
    return (ProtobufCBinaryData){.len = s.n, .data = (uint8_t *)(uintptr_t)s.p};
}

static vs_span span_of(ProtobufCBinaryData b)
{
    return vs_span_of(b.data, b.len);
}

/* Text on the arena; empty for an undefined value. VS_E_NOMEM beyond `most`. */
static vs_code json_of(vs_val v, size_t most, vs_arena *a, ProtobufCBinaryData *out, vs_error *err)
{
    *out = (ProtobufCBinaryData){0};
    if (!vs_defined(v))
        return VS_OK;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(most);
    vs_json_print(&text, v);
    VS_TRY(vs_buf_check(&text, err));
    *out = bytes_of(vs_dup(a, vs_buf_span(&text)));
    return vs_arena_check(a, err);
}

static void answer_json(const vs_grpc_call *call, vs_grpc_reply *reply, const char *what,
                        vs_code code, vs_val v, vs_error *err)
{
    Vouchsafe__Administration__JsonText out = VOUCHSAFE__ADMINISTRATION__JSON_TEXT__INIT;
    if (code == VS_OK)
        code = json_of(v, JSON_MAX, call->arena, &out.json, err);
    if (code == VS_OK)
        vs_pb_pack(&reply->body, &out.base);
    else
        refuse(call, reply, what, err);
}

static vs_span by_word(const vs_grpc_call *call, const char *who)
{
    return *who ? vs_str(vs_sprintf(call->arena, "%s, by the peer's word", who)) : VS_LIT("");
}

/* ---- evaluation --------------------------------------------------------------------------------
 */

static void evaluate(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    as_result result;
    vs_error err = {0};
    if (!as_grpc_evaluate(user, call, reply, &result))
        return;
    Vouchsafe__Administration__ToldAttestation out =
        VOUCHSAFE__ADMINISTRATION__TOLD_ATTESTATION__INIT;
    out.attestation_token = (char *)vs_dup(call->arena, result.token).p;
    vs_code code = json_of(result.explanation, JSON_MAX / 2, call->arena, &out.explanation, &err);
    if (code == VS_OK && json_of(as_result_record(&result, call->arena), RECORD_MAX, call->arena,
                                 &out.record, &err) != VS_OK)
        vs_log_error(VS_LOG_WARN, "administration", "a record is not told", &err);
    if (code == VS_OK)
        code = vs_arena_check(call->arena, &err);
    if (code == VS_OK)
        vs_pb_pack(&reply->body, &out.base);
    else
        refuse(call, reply, "an evaluation that cannot be told", &err);
}

/* ---- policies ----------------------------------------------------------------------------------
 */

static void list_policies(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    vs_error err = {0};
    vs_val ids = vs_undefined();
    vs_code code = as_list_policies(user, call->arena, &ids, &err);
    answer_json(call, reply, "policies not listed", code, ids, &err);
}

static void history(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    vs_error err = {0};
    vs_val list = vs_undefined();
    const Vouchsafe__Administration__PolicyHistoryRequest *in =
        read(call, reply, TYPE(policy_history_request));
    if (!in)
        return;
    vs_code code = as_policy_history(user, vs_str(in->policy_id), call->arena, &list, &err);
    answer_json(call, reply, "history not told", code, list, &err);
}

static void answer_state(const vs_grpc_call *call, vs_grpc_reply *reply, const char *what,
                         vs_code code, const as_policy_state *s, vs_error *err)
{
    Vouchsafe__Administration__PolicyState out = VOUCHSAFE__ADMINISTRATION__POLICY_STATE__INIT;
    if (code != VS_OK) {
        refuse(call, reply, what, err);
        return;
    }
    out.exists = s->exists;
    out.version = s->version;
    out.last = s->last;
    out.text = bytes_of(s->text);
    vs_pb_pack(&reply->body, &out.base);
}

static void read_policy(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    vs_error err = {0};
    as_policy_state state = {.exists = true};
    vs_code code;
    const Vouchsafe__Administration__ReadPolicyRequest *in =
        read(call, reply, TYPE(read_policy_request));
    if (!in)
        return;
    if (*in->sha256)
        code = as_policy_text(user, vs_str(in->sha256), call->arena, &state.text, &err);
    else if (in->version)
        code = as_read_policy_version(user, vs_str(in->policy_id), in->version, call->arena,
                                      &state.text, &err);
    else
        code = as_read_policy(user, vs_str(in->policy_id), call->arena, &state, &err);
    answer_state(call, reply, "policy not read", code, &state, &err);
}

static bool kind_of(Vouchsafe__Administration__PolicyChange change, as_change_kind *out)
{
    switch (change) {
    case VOUCHSAFE__ADMINISTRATION__POLICY_CHANGE__SET: *out = AS_SET; return true;
    case VOUCHSAFE__ADMINISTRATION__POLICY_CHANGE__ACTIVATE: *out = AS_ACTIVATE; return true;
    case VOUCHSAFE__ADMINISTRATION__POLICY_CHANGE__ROLL_BACK: *out = AS_ROLL_BACK; return true;
    case VOUCHSAFE__ADMINISTRATION__POLICY_CHANGE__DELETE: *out = AS_DELETE; return true;
    default: return false;
    }
}

static void change_policy(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    vs_error err = {0};
    as_policy_state state = {0};
    const Vouchsafe__Administration__ChangePolicyRequest *in =
        read(call, reply, TYPE(change_policy_request));
    if (!in)
        return;
    as_change c = {.id = vs_str(in->policy_id),
                   .text = span_of(in->text),
                   .version = in->version,
                   .who = by_word(call, in->who),
                   .note = vs_str(in->note),
                   .now = vs_now_s()};
    if (in->must_match_case)
        c.if_match = vs_str(in->if_match);
    if (in->must_not_match_case)
        c.if_none_match = vs_str(in->if_none_match);
    vs_code code = kind_of(in->change, &c.kind)
                       ? as_change_policy(user, &c, call->arena, &state, &err)
                       : vs_fail(&err, VS_E_INVALID, "there is no such change of a policy");
    if (code == VS_OK)
        vs_log(VS_LOG_INFO, "as", "policy changed", "policy", in->policy_id, "who",
               vs_sprintf(call->arena, "%.*s", VS_FMT(c.who)), NULL);
    answer_state(call, reply, "policy not changed", code, &state, &err);
}

void as_admin_methods(as_service *as, vs_grpc_method out[AS_ADMIN_METHODS])
{
    const vs_grpc_method methods[AS_ADMIN_METHODS] = {
        {"/" AS_ADMIN_SERVICE "/EvaluateAndTell", evaluate, as, true},
        {"/" AS_ADMIN_SERVICE "/ListPolicies", list_policies, as, true},
        {"/" AS_ADMIN_SERVICE "/ReadPolicy", read_policy, as, true},
        {"/" AS_ADMIN_SERVICE "/PolicyHistory", history, as, true},
        {"/" AS_ADMIN_SERVICE "/ChangePolicy", change_policy, as, true}};
    memcpy(out, methods, sizeof methods);
}

/* ---- reference values --------------------------------------------------------------------------
 */

static void register_values(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    const rvps_grpc *service = user;
    vs_error err = {0};
    const Vouchsafe__Administration__RegisterReferenceValueRequest *in =
        read(call, reply, TYPE(register_reference_value_request));
    if (in && rvps_register_by(service->rv, vs_str(in->message), by_word(call, in->by), vs_now_s(),
                               &err) != VS_OK)
        refuse(call, reply, "reference values not registered", &err);
}

static void list_values(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    const rvps_grpc *service = user;
    vs_error err = {0};
    rvps_page page;
    const Vouchsafe__Administration__ListReferenceValuesRequest *in =
        read(call, reply, TYPE(list_reference_values_request));
    if (!in)
        return;
    vs_code code = rvps_list(service->rv, vs_str(in->prefix), vs_str(in->after), in->limit,
                             call->arena, &page, &err);
    char **names = vs_alloc_array(call->arena, page.n, sizeof *names);
    for (size_t i = 0; names && i < page.n; i++)
        names[i] = (char *)vs_dup(call->arena, page.names[i]).p;
    if (code == VS_OK)
        code = vs_arena_check(call->arena, &err);
    if (code != VS_OK) {
        refuse(call, reply, "reference values not listed", &err);
        return;
    }
    Vouchsafe__Administration__ReferenceValueNames out =
        VOUCHSAFE__ADMINISTRATION__REFERENCE_VALUE_NAMES__INIT;
    out.names = names;
    out.n_names = page.n;
    out.more = page.more;
    vs_pb_pack(&reply->body, &out.base);
}

static vs_val without_who(vs_val provenance, vs_arena *a)
{
    vs_obj o = {.a = a};
    if (provenance.kind != VS_OBJECT)
        return provenance;
    for (VS_OBJ_FOR (member, provenance))
        if (!vs_span_is(vs_text(member->key), "by"))
            vs_obj_add(&o, member->key, member->val);
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static void get_value(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    const rvps_grpc *service = user;
    vs_error err = {0};
    rvps_entry e;
    Vouchsafe__Administration__ReferenceValueRecord out =
        VOUCHSAFE__ADMINISTRATION__REFERENCE_VALUE_RECORD__INIT;
    const Vouchsafe__Administration__GetReferenceValueRequest *in =
        read(call, reply, TYPE(get_reference_value_request));
    if (!in)
        return;
    vs_code code = rvps_get(service->rv, vs_str(in->name), vs_now_s(), call->arena, &e, &err);
    if (code == VS_OK)
        code = json_of(e.value, JSON_MAX, call->arena, &out.value, &err);
    if (code == VS_OK)
        code = json_of(call->known ? e.provenance : without_who(e.provenance, call->arena),
                       JSON_MAX / 4, call->arena, &out.provenance, &err);
    if (code != VS_OK) {
        refuse(call, reply, "reference value not read", &err);
        return;
    }
    out.name = in->name;
    out.expires = e.expires;
    out.not_before = e.not_before;
    out.valid = e.valid;
    vs_pb_pack(&reply->body, &out.base);
}

static void delete_value(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    const rvps_grpc *service = user;
    vs_error err = {0};
    const Vouchsafe__Administration__DeleteReferenceValueRequest *in =
        read(call, reply, TYPE(delete_reference_value_request));
    if (!in)
        return;
    vs_code code =
        service->no_delete
            ? vs_fail(&err, VS_E_DENIED,
                      "this provider takes reference values with a signature only, and a deletion "
                      "has none: register a newer one that replaces it")
            : rvps_delete(service->rv, vs_str(in->name), by_word(call, in->by), &err);
    if (code != VS_OK)
        refuse(call, reply, "reference value not deleted", &err);
}

void rvps_admin_methods(rvps_grpc *service, vs_grpc_method out[RVPS_ADMIN_METHODS])
{
    const vs_grpc_method methods[RVPS_ADMIN_METHODS] = {
        {"/" RVPS_ADMIN_SERVICE "/ListReferenceValues", list_values, service, true},
        {"/" RVPS_ADMIN_SERVICE "/GetReferenceValue", get_value, service, false},
        {"/" RVPS_ADMIN_SERVICE "/DeleteReferenceValue", delete_value, service, true},
        {"/" RVPS_ADMIN_SERVICE "/RegisterReferenceValue", register_values, service, true}};
    memcpy(out, methods, sizeof methods);
}
