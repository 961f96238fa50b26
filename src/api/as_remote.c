/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdlib.h>

#include "administration.pb-c.h"
#include "api/admin_grpc.h"
#include "api/as_grpc.h"
#include "api/remote.h"
#include "as/backend.h"
#include "attestation.pb-c.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "envelope/ear.h"
#include "envelope/jose.h"
#include "net/pb.h"

enum { MESSAGE_MAX = 4 * 1024 * 1024 };

typedef Attestation__IndividualAttestationRequest one_request;

#define ADMIN(method) "/" AS_ADMIN_SERVICE "/" method

/* A peer that had no such method, or was not told whom to know, may have changed by then. */
#define ASK_AGAIN_NS (600 * (int64_t)1000000000)

typedef struct as_remote {
    as_service base;
    remote_peer peer;
    _Atomic int64_t plain_until; /* vs_mono_ns: until then it is taken for one that tells nothing */
} as_remote;

static const remote_peer *peer_of(as_service *as)
{
    return &((as_remote *)as)->peer;
}

/* ---- evaluation: the request ----------------------------------------------------------------- */

/* Text of the message, NUL terminated: a NUL inside would cut it. */
static char *text_on(vs_arena *a, vs_span s)
{
    return (char *)vs_dup(a, s).p;
}

static char *json_text(vs_arena *a, vs_val v)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(MESSAGE_MAX);
    vs_json_print(&text, v);
    return vs_buf_ok(&text) ? text_on(a, vs_buf_span(&text)) : NULL;
}

static char *b64_text(vs_arena *a, vs_span bytes)
{
    return text_on(a, vs_b64_encode_arena(a, VS_B64_URL, bytes));
}

/* Of kbs.md 8.3: names without a hyphen. */
static char *hash_text(vs_hash h)
{
    static char names[][8] = {"sha256", "sha384", "sha512", "sm3"};
    switch (h) {
    case VS_SHA256: return names[0];
    case VS_SHA512: return names[2];
    case VS_SM3: return names[3];
    default: return names[1];
    }
}

static void write_runtime(const as_request *r, vs_arena *a, one_request *out)
{
    if (r->runtime_kind == AS_DATA_RAW) {
        out->runtime_data_case =
            ATTESTATION__INDIVIDUAL_ATTESTATION_REQUEST__RUNTIME_DATA_RAW_RUNTIME_DATA;
        out->raw_runtime_data = b64_text(a, r->runtime_raw);
    } else if (r->runtime_kind == AS_DATA_STRUCTURED) {
        out->runtime_data_case =
            ATTESTATION__INDIVIDUAL_ATTESTATION_REQUEST__RUNTIME_DATA_STRUCTURED_RUNTIME_DATA;
        out->structured_runtime_data = json_text(a, r->runtime_json);
    }
}

static void write_init(const as_request *r, vs_arena *a, one_request *out)
{
    if (r->init_kind == AS_INIT_DIGEST) {
        out->init_data_case =
            ATTESTATION__INDIVIDUAL_ATTESTATION_REQUEST__INIT_DATA_INIT_DATA_DIGEST;
        out->init_data_digest = b64_text(a, r->init);
    } else if (r->init_kind == AS_INIT_TOML) {
        out->init_data_case = ATTESTATION__INDIVIDUAL_ATTESTATION_REQUEST__INIT_DATA_INIT_DATA_TOML;
        out->init_data_toml = text_on(a, r->init);
    }
}

static vs_code write_one(const as_request *r, vs_arena *a, one_request *out, vs_error *err)
{
    attestation__individual_attestation_request__init(out);
    char *evidence = json_text(a, r->evidence);
    out->tee = text_on(a, r->tee);
    out->evidence = evidence ? b64_text(a, vs_str(evidence)) : NULL;
    out->runtime_data_hash_algorithm = hash_text(r->runtime_hash);
    write_runtime(r, a, out);
    write_init(r, a, out);
    VS_TRY(vs_arena_check(a, err));
    if (!evidence || (r->runtime_kind == AS_DATA_STRUCTURED && !out->structured_runtime_data))
        return vs_fail(err, VS_E_LIMIT, "evidence or runtime data of more than %d bytes",
                       MESSAGE_MAX);
    return r->init_kind == AS_INIT_TOML && r->init.n && memchr(r->init.p, 0, r->init.n)
               ? vs_fail(err, VS_E_PARSE, "init data holds a NUL character")
               : VS_OK;
}

/* ---- evaluation: the answer ------------------------------------------------------------------ */

/* What a vector says against an attester: `executables 33 (unrecognized_rt)`. */
static vs_val reasons_of(const ear_vector *v, vs_arena *a)
{
    vs_vec out = {.a = a};
    for (unsigned i = 0; i < EAR_CLAIMS; i++) {
        if (!v->set[i] || ear_tier_of(v->value[i]) <= EAR_AFFIRMING)
            continue;
        const char *name = ear_value_name((ear_claim)i, v->value[i]);
        vs_vec_add(
            &out, vs_cstring(vs_sprintf(a, "%s %d%s%s%s", ear_claim_name((ear_claim)i), v->value[i],
                                        name ? " (" : "", name ? name : "", name ? ")" : "")));
    }
    return vs_vec_end_array(&out);
}

static vs_code explain_one(const vs_pair *submod, vs_arena *a, vs_vec *all, ear_tier *worst,
                           vs_error *err)
{
    ear_tier tier = EAR_NONE;
    ear_vector vector = {0};
    vs_val trust = vs_getc(submod->val, "ear.trustworthiness-vector");
    if (!ear_tier_of_status(vs_getc(submod->val, "ear.status"), &tier))
        return vs_fail(err, VS_E_INVALID, "submod \"%.*s\" has no ear.status",
                       VS_FMT(vs_span_head(vs_text(submod->key), 40)));
    if (vs_defined(trust) && !(trust.kind == VS_OBJECT && trust.len == 0))
        VS_TRY(ear_vector_read(trust, EAR_INTEGERS_OR_NAMES, &vector, err));
    *worst = tier > *worst ? tier : *worst;
    vs_obj one = {.a = a};
    vs_obj_put(&one, "submod", submod->key);
    vs_obj_put(&one, "status", vs_cstring(ear_tier_name(tier)));
    vs_obj_put(&one, "trust_vector", vs_defined(trust) ? trust : vs_empty(VS_OBJECT));
    vs_obj_put(&one, "reasons", reasons_of(&vector, a));
    vs_obj_put(&one, "reference_values", vs_empty(VS_ARRAY));
    vs_vec_add(all, vs_obj_end(&one, VS_DUP_REFUSE, NULL));
    return vs_arena_check(a, err);
}

static vs_code read_token(vs_span token, vs_arena *a, as_result *out, vs_error *err)
{
    vs_jws jws;
    vs_val claims, submods, exp;
    ear_tier worst = EAR_NONE;
    VS_TRY(vs_jws_parse(a, token, &jws, err));
    VS_TRY(vs_json_parse(a, jws.payload, NULL, &claims, err));
    VS_TRY(vs_need(claims, "exp", VS_NUMBER, &exp, err));
    if (!vs_is_int(exp))
        return vs_fail(err, VS_E_INVALID, "exp is not a whole number of seconds");
    VS_TRY(vs_need(claims, "submods", VS_OBJECT, &submods, err));
    vs_vec all = {.a = a};
    for (VS_OBJ_FOR (submod, submods))
        VS_TRY(explain_one(submod, a, &all, &worst, err));
    out->token = token;
    out->expires = exp.u.i;
    out->status = ear_tier_name(worst);
    out->explanation = vs_vec_end_array(&all);
    return vs_arena_check(a, err);
}

static vs_code parse_told(ProtobufCBinaryData json, vs_kind kind, vs_arena *a, vs_val *out,
                          vs_error *err)
{
    vs_val v;
    if (json.len == 0)
        return VS_OK;
    VS_TRY(vs_json_parse(a, vs_span_of(json.data, json.len), NULL, &v, err));
    if (v.kind != kind)
        return vs_fail(err, VS_E_INVALID, "what is told has another form");
    *out = v;
    return VS_OK;
}

static vs_code ask_and_be_told(as_service *as, const Attestation__AttestationRequest *in,
                               vs_arena *a, as_result *out, vs_error *err)
{
    const void *answer;
    VS_TRY(remote_ask(peer_of(as), ADMIN("EvaluateAndTell"), &in->base,
                      &vouchsafe__administration__told_attestation__descriptor, a, &answer, err));
    const Vouchsafe__Administration__ToldAttestation *told = answer;
    VS_TRY_WRAP(read_token(vs_str(told->attestation_token), a, out, err), err,
                "the attestation service's token");
    VS_TRY_WRAP(parse_told(told->explanation, VS_ARRAY, a, &out->explanation, err), err,
                "the attestation service's explanation");
    VS_TRY_WRAP(parse_told(told->record, VS_OBJECT, a, &out->told_record, err), err,
                "the attestation service's record");
    return VS_OK;
}

static vs_code ask_plainly(as_service *as, const Attestation__AttestationRequest *in, vs_arena *a,
                           as_result *out, vs_error *err)
{
    const void *answer;
    VS_TRY(remote_ask(peer_of(as), "/" AS_GRPC_SERVICE "/AttestationEvaluate", &in->base,
                      &attestation__attestation_response__descriptor, a, &answer, err));
    const Attestation__AttestationResponse *got = answer;
    VS_TRY_WRAP(read_token(vs_str(got->attestation_token), a, out, err), err,
                "the attestation service's token");
    return VS_OK;
}

/* Nothing was evaluated by a peer that does not know the method, or us. */
static vs_code ask(as_service *as, const Attestation__AttestationRequest *in, vs_arena *a,
                   as_result *out, vs_error *err)
{
    as_remote *r = (as_remote *)as;
    if (vs_mono_ns() >= atomic_load(&r->plain_until)) {
        vs_code code = ask_and_be_told(as, in, a, out, err);
        if (code != VS_E_UNSUPPORTED && code != VS_E_DENIED)
            return code;
        if (code == VS_E_DENIED)
            vs_log_error(VS_LOG_WARN, "as", "evaluations are not explained or recorded", err);
        atomic_store(&r->plain_until, vs_mono_ns() + ASK_AGAIN_NS);
    }
    return ask_plainly(as, in, a, out, err);
}

static vs_code remote_evaluate(as_service *as, const as_request *reqs, size_t n, vs_span policy_id,
                               int64_t now, vs_arena *a, as_result *out, vs_error *err)
{
    (void)now; /* the service's clock counts */
    one_request *items = vs_alloc_array(a, n, sizeof *items);
    one_request **list = vs_alloc_array(a, n, sizeof *list);
    char *policy = text_on(a, policy_id);
    VS_TRY(vs_arena_check(a, err));
    for (size_t i = 0; i < n; i++) {
        list[i] = &items[i];
        VS_TRY(write_one(&reqs[i], a, &items[i], err));
    }
    Attestation__AttestationRequest in = ATTESTATION__ATTESTATION_REQUEST__INIT;
    in.verification_requests = list;
    in.n_verification_requests = n;
    in.policy_ids = &policy;
    in.n_policy_ids = 1;
    return ask(as, &in, a, out, err);
}

/* ---- the rest -------------------------------------------------------------------------------- */

/* Only the verifier of IBM SE makes challenges (attestation-service.md 2.1); for the others no call
 * is needed to know that any nonce will do. */
static vs_code remote_challenge(as_service *as, vs_span tee, vs_val params, vs_arena *a,
                                vs_span *out, vs_error *err)
{
    typedef Attestation__ChallengeRequest__InnerEntry entry;
    const void *answer;
    *out = (vs_span){NULL, 0};
    if (!vs_span_is(tee, "se"))
        return VS_OK;
    entry entries[2], *list[] = {&entries[0], &entries[1]};
    char keys[][12] = {"tee", "tee_params"};
    for (size_t i = 0; i < 2; i++) {
        attestation__challenge_request__inner_entry__init(&entries[i]);
        entries[i].key = keys[i];
    }
    entries[0].value = text_on(a, tee);
    entries[1].value = json_text(a, vs_defined(params) ? params : vs_cstring(""));
    VS_TRY(vs_arena_check(a, err));
    if (!entries[1].value)
        return vs_fail(err, VS_E_LIMIT, "extra-params of more than %d bytes", MESSAGE_MAX);
    Attestation__ChallengeRequest in = ATTESTATION__CHALLENGE_REQUEST__INIT;
    in.inner = list;
    in.n_inner = 2;
    VS_TRY(remote_ask(peer_of(as), "/" AS_GRPC_SERVICE "/GetAttestationChallenge", &in.base,
                      &attestation__challenge_response__descriptor, a, &answer, err));
    *out = vs_str(((const Attestation__ChallengeResponse *)answer)->attestation_challenge);
    return VS_OK;
}

static vs_code remote_set_policy(as_service *as, vs_span id, vs_span rego_text, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    const void *answer;
    Attestation__SetPolicyRequest in = ATTESTATION__SET_POLICY_REQUEST__INIT;
    VS_TRY(remote_text(&a, id, "the policy id", &in.policy_id, err));
    in.policy = b64_text(&a, rego_text);
    VS_TRY(vs_arena_check(&a, err));
    return remote_ask(peer_of(as), "/" AS_GRPC_SERVICE "/SetAttestationPolicy", &in.base,
                      &attestation__set_policy_response__descriptor, &a, &answer, err);
}

/* ---- administration ----------------------------------------------------------------------------
 */

static vs_code ask_for_json(as_service *as, const char *path, const ProtobufCMessage *in,
                            vs_arena *a, vs_val *out, vs_error *err)
{
    const void *answer;
    VS_TRY(remote_ask(peer_of(as), path, in, &vouchsafe__administration__json_text__descriptor, a,
                      &answer, err));
    *out = vs_empty(VS_ARRAY);
    return parse_told(((const Vouchsafe__Administration__JsonText *)answer)->json, VS_ARRAY, a, out,
                      err);
}

static vs_code remote_list_policies(as_service *as, vs_arena *a, vs_val *out, vs_error *err)
{
    const Vouchsafe__Administration__ListPoliciesRequest in =
        VOUCHSAFE__ADMINISTRATION__LIST_POLICIES_REQUEST__INIT;
    return ask_for_json(as, ADMIN("ListPolicies"), &in.base, a, out, err);
}

static vs_code remote_policy_history(as_service *as, vs_span id, vs_arena *a, vs_val *out,
                                     vs_error *err)
{
    Vouchsafe__Administration__PolicyHistoryRequest in =
        VOUCHSAFE__ADMINISTRATION__POLICY_HISTORY_REQUEST__INIT;
    VS_TRY(remote_text(a, id, "the policy id", &in.policy_id, err));
    return ask_for_json(as, ADMIN("PolicyHistory"), &in.base, a, out, err);
}

/* The digest and the tag are made here, of the text that came. */
static vs_code ask_for_state(as_service *as, const char *path, const ProtobufCMessage *in,
                             vs_arena *a, as_policy_state *out, vs_error *err)
{
    const void *answer;
    VS_TRY(remote_ask(peer_of(as), path, in, &vouchsafe__administration__policy_state__descriptor,
                      a, &answer, err));
    const Vouchsafe__Administration__PolicyState *s = answer;
    *out = (as_policy_state){.exists = s->exists, .version = s->version, .last = s->last};
    out->text = vs_span_of(s->text.data, s->text.len);
    return out->exists ? as_policy_state_names(out, a, err) : VS_OK;
}

static vs_code read_policy(as_service *as, vs_span id, uint32_t version, vs_span sha256,
                           vs_arena *a, as_policy_state *out, vs_error *err)
{
    Vouchsafe__Administration__ReadPolicyRequest in =
        VOUCHSAFE__ADMINISTRATION__READ_POLICY_REQUEST__INIT;
    VS_TRY(remote_text(a, id, "the policy id", &in.policy_id, err));
    VS_TRY(remote_text(a, sha256, "the digest", &in.sha256, err));
    in.version = version;
    return ask_for_state(as, ADMIN("ReadPolicy"), &in.base, a, out, err);
}

static vs_code remote_read_policy(as_service *as, vs_span id, vs_arena *a, as_policy_state *out,
                                  vs_error *err)
{
    return read_policy(as, id, 0, VS_LIT(""), a, out, err);
}

static vs_code remote_read_policy_version(as_service *as, vs_span id, uint32_t version, vs_arena *a,
                                          vs_span *text, vs_error *err)
{
    as_policy_state s;
    VS_TRY(read_policy(as, id, version, VS_LIT(""), a, &s, err));
    *text = s.text;
    return VS_OK;
}

static vs_code remote_policy_text(as_service *as, vs_span sha256, vs_arena *a, vs_span *text,
                                  vs_error *err)
{
    as_policy_state s;
    VS_TRY(read_policy(as, VS_LIT(""), 0, sha256, a, &s, err));
    if (!s.exists || !vs_span_is(sha256, s.sha256))
        return vs_fail(err, VS_E_MISMATCH, "the attestation service gave another text");
    *text = s.text;
    return VS_OK;
}

static Vouchsafe__Administration__PolicyChange change_of(as_change_kind kind)
{
    static const Vouchsafe__Administration__PolicyChange changes[] = {
        [AS_SET] = VOUCHSAFE__ADMINISTRATION__POLICY_CHANGE__SET,
        [AS_ACTIVATE] = VOUCHSAFE__ADMINISTRATION__POLICY_CHANGE__ACTIVATE,
        [AS_ROLL_BACK] = VOUCHSAFE__ADMINISTRATION__POLICY_CHANGE__ROLL_BACK,
        [AS_DELETE] = VOUCHSAFE__ADMINISTRATION__POLICY_CHANGE__DELETE};
    return changes[kind];
}

static vs_code remote_change_policy(as_service *as, const as_change *c, vs_arena *a,
                                    as_policy_state *out, vs_error *err)
{
    typedef Vouchsafe__Administration__ChangePolicyRequest request;
    request in = VOUCHSAFE__ADMINISTRATION__CHANGE_POLICY_REQUEST__INIT;
    in.change = change_of(c->kind);
    in.version = c->version;
    in.text = (ProtobufCBinaryData){.len = c->text.n, .data = (uint8_t *)(uintptr_t)c->text.p};
    VS_TRY(remote_text(a, c->id, "the policy id", &in.policy_id, err));
    VS_TRY(remote_text(a, c->who, "who changes", &in.who, err));
    VS_TRY(remote_text(a, c->note, "the note", &in.note, err));
    if (c->if_match.p) {
        in.must_match_case = VOUCHSAFE__ADMINISTRATION__CHANGE_POLICY_REQUEST__MUST_MATCH_IF_MATCH;
        VS_TRY(remote_text(a, c->if_match, "If-Match", &in.if_match, err));
    }
    if (c->if_none_match.p) {
        in.must_not_match_case =
            VOUCHSAFE__ADMINISTRATION__CHANGE_POLICY_REQUEST__MUST_NOT_MATCH_IF_NONE_MATCH;
        VS_TRY(remote_text(a, c->if_none_match, "If-None-Match", &in.if_none_match, err));
    }
    return ask_for_state(as, ADMIN("ChangePolicy"), &in.base, a, out, err);
}

static void remote_close(as_service *as)
{
    free(as);
}

static const as_ops remote_ops = {.evaluate = remote_evaluate,
                                  .challenge = remote_challenge,
                                  .set_policy = remote_set_policy,
                                  .close = remote_close,
                                  .list_policies = remote_list_policies,
                                  .read_policy = remote_read_policy,
                                  .read_policy_version = remote_read_policy_version,
                                  .policy_history = remote_policy_history,
                                  .change_policy = remote_change_policy,
                                  .policy_text = remote_policy_text};

vs_code as_remote_new(vs_grpc_client *client, as_service **out, vs_error *err)
{
    *out = NULL;
    as_remote *as = calloc(1, sizeof *as);
    if (!as)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    as->base.ops = &remote_ops;
    as->peer = (remote_peer){client, "attestation service"};
    *out = &as->base;
    return VS_OK;
}
