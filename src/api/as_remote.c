/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "api/as_grpc.h"
#include "api/remote.h"
#include "as/backend.h"
#include "attestation.pb-c.h"
#include "base/enc.h"
#include "envelope/ear.h"
#include "envelope/jose.h"
#include "net/pb.h"

enum { MESSAGE_MAX = 4 * 1024 * 1024 };

typedef Attestation__IndividualAttestationRequest one_request;

typedef struct as_remote {
    as_service base;
    vs_grpc_client *client;
} as_remote;

static vs_code call(as_service *as, const char *path, const ProtobufCMessage *in, vs_buf *reply,
                    vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf request = VS_BUF(MESSAGE_MAX);
    vs_pb_pack(&request, in);
    VS_TRY_WRAP(vs_buf_check(&request, err), err, "request to the attestation service");
    VS_TRY_WRAP(vs_grpc_client_call(((as_remote *)as)->client, path, vs_buf_span(&request), reply,
                                    NULL, err),
                err, "attestation service");
    return VS_OK;
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

static vs_code remote_evaluate(as_service *as, const as_request *reqs, size_t n, vs_span policy_id,
                               int64_t now, vs_arena *a, as_result *out, vs_error *err)
{
    (void)now; /* the service's clock counts */
    VS_CLEANUP(vs_buf_free) vs_buf reply = VS_BUF(MESSAGE_MAX);
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
    VS_TRY(call(as, "/" AS_GRPC_SERVICE "/AttestationEvaluate", &in.base, &reply, err));
    ProtobufCMessage *m;
    VS_TRY_WRAP(vs_pb_unpack(a, &attestation__attestation_response__descriptor, vs_buf_span(&reply),
                             &m, err),
                err, "the attestation service's answer");
    const Attestation__AttestationResponse *answer = (const void *)m;
    VS_TRY_WRAP(read_token(vs_str(answer->attestation_token), a, out, err), err,
                "the attestation service's token");
    return VS_OK;
}

/* ---- the rest -------------------------------------------------------------------------------- */

/* Only the verifier of IBM SE makes challenges (attestation-service.md 2.1); for the others no call
 * is needed to know that any nonce will do. */
static vs_code remote_challenge(as_service *as, vs_span tee, vs_val params, vs_arena *a,
                                vs_span *out, vs_error *err)
{
    typedef Attestation__ChallengeRequest__InnerEntry entry;
    VS_CLEANUP(vs_buf_free) vs_buf reply = VS_BUF(MESSAGE_MAX);
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
    VS_TRY(call(as, "/" AS_GRPC_SERVICE "/GetAttestationChallenge", &in.base, &reply, err));
    ProtobufCMessage *m;
    VS_TRY_WRAP(
        vs_pb_unpack(a, &attestation__challenge_response__descriptor, vs_buf_span(&reply), &m, err),
        err, "the attestation service's answer");
    *out = vs_str(((const Attestation__ChallengeResponse *)(const void *)m)->attestation_challenge);
    return VS_OK;
}

static vs_code remote_set_policy(as_service *as, vs_span id, vs_span rego_text, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf reply = VS_BUF(MESSAGE_MAX);
    vs_arena a;
    vs_arena_init(&a, 0);
    Attestation__SetPolicyRequest in = ATTESTATION__SET_POLICY_REQUEST__INIT;
    in.policy_id = text_on(&a, id);
    in.policy = b64_text(&a, rego_text);
    vs_code code = vs_arena_check(&a, err);
    if (code == VS_OK && id.n && memchr(id.p, 0, id.n))
        code = vs_fail(err, VS_E_INVALID, "the policy id holds a NUL character");
    if (code == VS_OK)
        code = call(as, "/" AS_GRPC_SERVICE "/SetAttestationPolicy", &in.base, &reply, err);
    vs_arena_free(&a);
    return code;
}

static void remote_close(as_service *as)
{
    free(as);
}

static const as_ops remote_ops = {.evaluate = remote_evaluate,
                                  .challenge = remote_challenge,
                                  .set_policy = remote_set_policy,
                                  .close = remote_close};

vs_code as_remote_new(vs_grpc_client *client, as_service **out, vs_error *err)
{
    *out = NULL;
    as_remote *as = calloc(1, sizeof *as);
    if (!as)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    *as = (as_remote){{&remote_ops}, client};
    *out = &as->base;
    return VS_OK;
}
