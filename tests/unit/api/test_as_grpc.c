/* SPDX-License-Identifier: Apache-2.0 */
/* The attestation service's port: every field of every message, right and wrong. */
#include "as_server.h"

#define EVALUATE  "/attestation.AttestationService/AttestationEvaluate"
#define SET       "/attestation.AttestationService/SetAttestationPolicy"
#define CHALLENGE "/attestation.AttestationService/GetAttestationChallenge"
#define QUERY     "/reference.ReferenceValueProviderService/QueryReferenceValue"
#define REGISTER  "/reference.ReferenceValueProviderService/RegisterReferenceValue"

typedef Attestation__IndividualAttestationRequest one_request;

static one_request good(as_server *s)
{
    one_request r = ATTESTATION__INDIVIDUAL_ATTESTATION_REQUEST__INIT;
    r.tee = on_arena(s, VS_LIT("sample"));
    r.evidence = sample_evidence(s);
    r.runtime_data_case =
        ATTESTATION__INDIVIDUAL_ATTESTATION_REQUEST__RUNTIME_DATA_STRUCTURED_RUNTIME_DATA;
    r.structured_runtime_data = on_arena(s, VS_LIT(RUNTIME));
    return r;
}

static vs_grpc_status evaluate_all(as_server *s, one_request *r, size_t n, const char *const *ids,
                                   size_t n_ids)
{
    one_request *list[8];
    char *policies[8];
    Attestation__AttestationRequest m = ATTESTATION__ATTESTATION_REQUEST__INIT;
    for (size_t i = 0; i < n; i++)
        list[i] = &r[i];
    for (size_t i = 0; i < n_ids; i++)
        policies[i] = on_arena(s, vs_str(ids[i]));
    m.verification_requests = list;
    m.n_verification_requests = n;
    m.policy_ids = policies;
    m.n_policy_ids = n_ids;
    return say_message(s, EVALUATE, &m.base);
}

static vs_grpc_status evaluate_one(as_server *s, one_request r)
{
    return evaluate_all(s, &r, 1, NULL, 0);
}

static vs_val token_of(as_server *s)
{
    const Attestation__AttestationResponse *m =
        heard(s, &attestation__attestation_response__descriptor);
    return token_claims(&s->w, vs_str(m->attestation_token));
}

static void evidence_becomes_a_token(void **state)
{
    as_server *s = *state;
    assert_int_equal(evaluate_one(s, good(s)), VS_GRPC_OK);
    vs_val claims = token_of(s);
    assert_span_is(vs_text(at(claims, "/submods/cpu0/ear.status")), "contraindicated");
    assert_span_is(vs_text(at(claims, "/submods/cpu0/ear.appraisal-policy-id")), "default");
    assert_json_eq(&s->w,
                   at(claims, "/submods/cpu0/ear.veraison.annotated-evidence/runtime_data_claims"),
                   "{'nonce':'n','tee-pubkey':{}}");
}

static void several_requests_and_policy_ids(void **state)
{
    as_server *s = *state;
    one_request r[] = {good(s), good(s)};
    static const char *const ids[] = {"default", "nosuch"};
    assert_int_equal(evaluate_all(s, r, 2, ids, 2), VS_GRPC_OK); /* only the first id counts */
    vs_val claims = token_of(s);
    assert_true(vs_defined(at(claims, "/submods/cpu0")));
    assert_true(vs_defined(at(claims, "/submods/cpu1")));
    assert_int_equal(evaluate_all(s, r, 1, ids + 1, 1), VS_GRPC_ABORTED);
    assert_says(s, "Attestation evaluation failed: ?0: ");
    assert_says(s, "Policy `nosuch_cpu.rego` not found");
}

static void hash_algorithms_in_any_case(void **state)
{
    as_server *s = *state;
    static const char *const right[] = {"", "sha384", "SHA384", "Sha384"};
    static const char *const other[] = {"sha256", "SHA512", "sm3"};
    static const char *const wrong[] = {"md5", "sha1", "sha384 ", "sha", "\xc3\xa4"};
    one_request r = good(s);
    for (size_t i = 0; i < VS_COUNT(right); i++) {
        r.runtime_data_hash_algorithm = on_arena(s, vs_str(right[i]));
        assert_int_equal(evaluate_one(s, r), VS_GRPC_OK);
    }
    for (size_t i = 0; i < VS_COUNT(other); i++) { /* known, but the evidence is bound otherwise */
        r.runtime_data_hash_algorithm = on_arena(s, vs_str(other[i]));
        assert_int_equal(evaluate_one(s, r), VS_GRPC_ABORTED);
        assert_says(s, "Attestation evaluation failed: ?0: ");
    }
    for (size_t i = 0; i < VS_COUNT(wrong); i++) {
        r.runtime_data_hash_algorithm = on_arena(s, vs_str(wrong[i]));
        assert_int_equal(evaluate_one(s, r), VS_GRPC_ABORTED);
        assert_says(s, "parse runtime data HashAlgorithm failed: ");
    }
}

static void raw_runtime_data_is_what_the_evidence_holds(void **state)
{
    as_server *s = *state;
    one_request r = good(s);
    r.runtime_data_case =
        ATTESTATION__INDIVIDUAL_ATTESTATION_REQUEST__RUNTIME_DATA_RAW_RUNTIME_DATA;
    r.evidence = b64url(s, "{\"svn\":\"1\",\"report_data\":\"YWJj\"}");
    r.raw_runtime_data = b64url(s, "abc");
    assert_int_equal(evaluate_one(s, r), VS_GRPC_OK);
    r.raw_runtime_data = b64url(s, "abd");
    assert_int_equal(evaluate_one(s, r), VS_GRPC_ABORTED);
    r.raw_runtime_data = b64url(s, "");
    assert_int_equal(evaluate_one(s, r), VS_GRPC_ABORTED);
    assert_says(s, "raw runtime data is empty");
}

static void init_data_is_seen_by_the_policy(void **state)
{
    as_server *s = *state;
    one_request r = good(s);
    r.init_data_case = ATTESTATION__INDIVIDUAL_ATTESTATION_REQUEST__INIT_DATA_INIT_DATA_TOML;
    r.init_data_toml = on_arena(s, VS_LIT("version = \"0.1.0\"\nalgorithm = \"sha256\"\n[data]\n"
                                          "\"a.toml\" = \"b\"\n"));
    assert_int_equal(evaluate_one(s, r), VS_GRPC_OK);
    assert_json_eq(
        &s->w, at(token_of(s), "/submods/cpu0/ear.veraison.annotated-evidence/init_data_claims"),
        "{'a.toml':'b'}");
    r.init_data_toml = on_arena(s, VS_LIT("version = "));
    assert_int_equal(evaluate_one(s, r), VS_GRPC_ABORTED);
    r.init_data_case = ATTESTATION__INDIVIDUAL_ATTESTATION_REQUEST__INIT_DATA_INIT_DATA_DIGEST;
    r.init_data_digest = b64url(s, "0123");
    assert_int_equal(evaluate_one(s, r), VS_GRPC_OK);
    r.init_data_digest = on_arena(s, VS_LIT("MDEyMw=="));
    assert_int_equal(evaluate_one(s, r), VS_GRPC_ABORTED);
    assert_says(s, "base64 decode init data: ");
}

static void malformed_fields_are_refused_by_name(void **state)
{
    as_server *s = *state;
    one_request r = good(s);
    r.tee = on_arena(s, VS_LIT("Sample"));
    assert_int_equal(evaluate_one(s, r), VS_GRPC_ABORTED);
    assert_says(s, "ABORTED: parse TEE type: unknown TEE \"Sample\"");
    r.tee = on_arena(s, VS_LIT(""));
    assert_int_equal(evaluate_one(s, r), VS_GRPC_ABORTED);
    assert_says(s, "parse TEE type: ");
    r = good(s);
    r.tee = on_arena(s, VS_LIT("sgx")); /* known, but not to this build */
    assert_int_equal(evaluate_one(s, r), VS_GRPC_ABORTED);
    assert_says(s, "no verifier for TEE \"sgx\"");

    static const char *const bad_b64[] = {"e30=", "e3 0", "e30+", "e", "e31"};
    for (size_t i = 0; i < VS_COUNT(bad_b64); i++) {
        r = good(s);
        r.evidence = on_arena(s, vs_str(bad_b64[i]));
        assert_int_equal(evaluate_one(s, r), VS_GRPC_ABORTED);
        assert_says(s, "ABORTED: Illegal input Evidence: ");
        r = good(s);
        r.runtime_data_case =
            ATTESTATION__INDIVIDUAL_ATTESTATION_REQUEST__RUNTIME_DATA_RAW_RUNTIME_DATA;
        r.raw_runtime_data = on_arena(s, vs_str(bad_b64[i]));
        assert_int_equal(evaluate_one(s, r), VS_GRPC_ABORTED);
        assert_says(s, "ABORTED: base64 decode runtime data: ");
    }
    static const char *const bad_json[] = {"", "{", "{\"a\":1,\"a\":2}", "[1,]"};
    for (size_t i = 0; i < VS_COUNT(bad_json); i++) {
        r = good(s);
        r.evidence = b64url(s, bad_json[i]);
        assert_int_equal(evaluate_one(s, r), VS_GRPC_ABORTED);
        assert_says(s, "ABORTED: failed to parse tee evidence: ");
        r = good(s);
        r.structured_runtime_data = on_arena(s, vs_str(bad_json[i]));
        assert_int_equal(evaluate_one(s, r), VS_GRPC_ABORTED);
        assert_says(s, "ABORTED: parse structured runtime data: ");
    }
    assert_int_equal(evaluate_all(s, NULL, 0, NULL, 0), VS_GRPC_ABORTED);
    assert_says(s, "No verification requests provided.");
}

static void bytes_that_are_no_message(void **state)
{
    as_server *s = *state;
    static const char *const paths[] = {EVALUATE, SET, CHALLENGE, QUERY, REGISTER};
    static const char *const bad[] = {"\x0a\x7f", "\xff\xff\xff", "\x0a\x02\xff\xfe", "\x0f"};
    for (size_t p = 0; p < VS_COUNT(paths); p++)
        for (size_t i = 0; i < VS_COUNT(bad); i++)
            assert_int_equal(say_bytes(s, paths[p], vs_str(bad[i])), VS_GRPC_ABORTED);
    one_request r = good(s);
    assert_int_equal(evaluate_one(s, r), VS_GRPC_OK); /* and the server lives on */
}

static vs_grpc_status set_policy(as_server *s, const char *id, char *policy)
{
    Attestation__SetPolicyRequest m = ATTESTATION__SET_POLICY_REQUEST__INIT;
    m.policy_id = on_arena(s, vs_str(id));
    m.policy = policy;
    return say_message(s, SET, &m.base);
}

static void policies_are_set_and_used(void **state)
{
    as_server *s = *state;
    char *mine = b64url(s, "package policy\ntrust_claims := {\"executables\": 3}\n");
    assert_int_equal(set_policy(s, "mine_cpu", mine), VS_GRPC_OK);
    assert_int_equal(s->reply.n, 0);
    one_request r = good(s);
    static const char *const ids[] = {"mine"};
    assert_int_equal(evaluate_all(s, &r, 1, ids, 1), VS_GRPC_OK);
    assert_span_is(vs_text(at(token_of(s), "/submods/cpu0/ear.status")), "affirming");

    assert_int_equal(set_policy(s, "mine_cpu", b64url(s, "package policy\nallow if {")),
                     VS_GRPC_ABORTED);
    assert_says(s, "ABORTED: Set Attestation Policy Failed: mine_cpu.rego:2:");
    assert_int_equal(set_policy(s, "mine_cpu", on_arena(s, VS_LIT("cGFja2FnZQ=="))),
                     VS_GRPC_ABORTED);
    assert_says(s, "Set Attestation Policy Failed: ");
    assert_int_equal(set_policy(s, "../mine_cpu", mine), VS_GRPC_ABORTED);
    assert_int_equal(set_policy(s, "", mine), VS_GRPC_ABORTED);
    assert_int_equal(evaluate_all(s, &r, 1, ids, 1), VS_GRPC_OK); /* the good one stayed */
    assert_span_is(vs_text(at(token_of(s), "/submods/cpu0/ear.status")), "affirming");
}

static vs_grpc_status ask_challenge(as_server *s, const char *const (*pairs)[2], size_t n)
{
    Attestation__ChallengeRequest__InnerEntry entries[4], *list[4];
    Attestation__ChallengeRequest m = ATTESTATION__CHALLENGE_REQUEST__INIT;
    for (size_t i = 0; i < n; i++) {
        attestation__challenge_request__inner_entry__init(&entries[i]);
        entries[i].key = on_arena(s, vs_str(pairs[i][0]));
        entries[i].value = on_arena(s, vs_str(pairs[i][1]));
        list[i] = &entries[i];
    }
    m.inner = list;
    m.n_inner = n;
    return say_message(s, CHALLENGE, &m.base);
}

static void challenges(void **state)
{
    as_server *s = *state;
    static const char *const v[][2] = {
        {"tee", "nosuch"}, {"tee", "cca"}, {"tee_params", "no JSON"}, {"tee", "se"}};
    assert_int_equal(ask_challenge(s, v, 0), VS_GRPC_ABORTED);
    assert_says(s, "ABORTED: Error parse inner_tee tee");
    assert_int_equal(ask_challenge(s, v + 1, 1), VS_GRPC_ABORTED);
    assert_says(s, "ABORTED: Error parse inner_tee tee_params");
    assert_int_equal(ask_challenge(s, v + 1, 2), VS_GRPC_OK);
    const Attestation__ChallengeResponse *m =
        heard(s, &attestation__challenge_response__descriptor);
    assert_string_equal(m->attestation_challenge, "");
    assert_int_equal(ask_challenge(s, v, 3), VS_GRPC_OK); /* the last of equal keys counts */
    assert_int_equal(ask_challenge(s, v + 2, 2), VS_GRPC_ABORTED);
    assert_says(s, "ABORTED: Challenge: ");
    static const char *const unknown[][2] = {{"tee", "nosuch"}, {"tee_params", ""}};
    assert_int_equal(ask_challenge(s, unknown, 2), VS_GRPC_ABORTED);
    assert_says(s, "ABORTED: Error parse TEE type: ");
}

static vs_grpc_status query(as_server *s, const char *id)
{
    Reference__ReferenceValueQueryRequest m = REFERENCE__REFERENCE_VALUE_QUERY_REQUEST__INIT;
    m.reference_value_id = on_arena(s, vs_str(id));
    return say_message(s, QUERY, &m.base);
}

static void reference_values_on_the_same_port(void **state)
{
    as_server *s = *state;
    Reference__ReferenceValueRegisterRequest in = REFERENCE__REFERENCE_VALUE_REGISTER_REQUEST__INIT;
    in.message = on_arena(s, VS_LIT("{\"type\":\"sample\",\"payload\":\"eyJhL2IiOlsieCIsMV19\"}"));
    assert_int_equal(say_message(s, REGISTER, &in.base), VS_GRPC_OK);
    assert_int_equal(query(s, "a/b"), VS_GRPC_OK);
    const Reference__ReferenceValueQueryResponse *m =
        heard(s, &reference__reference_value_query_response__descriptor);
    assert_int_equal(m->found_case,
                     REFERENCE__REFERENCE_VALUE_QUERY_RESPONSE__FOUND_REFERENCE_VALUE_RESULTS);
    assert_string_equal(m->reference_value_results, "[\"x\",1]");
    static const char *const none[] = {"", "a", "__healthcheck__", "../a", "a\\b"};
    for (size_t i = 0; i < VS_COUNT(none); i++) { /* absent is an answer, not an error */
        assert_int_equal(query(s, none[i]), VS_GRPC_OK);
        assert_int_equal(s->reply.n, 0);
    }
    in.message = on_arena(s, VS_LIT("{\"type\":\"rim\",\"payload\":\"\"}"));
    assert_int_equal(say_message(s, REGISTER, &in.base), VS_GRPC_ABORTED);
    assert_says(s, "ABORTED: Register reference value: Could not find extractor for rim");

    /* A stored record that is broken. */
    vs_error err = {0};
    assert_vs_ok(vs_store_put(s->w.store, "reference_value", VS_LIT("broken"), VS_LIT("{"), 0,
                              VS_PUT_REPLACE, &err),
                 &err);
    assert_int_equal(query(s, "broken"), VS_GRPC_ABORTED);
    assert_says(s, "ABORTED: Failed to query reference values: ");
    s->values.beside_as = false;
    assert_int_equal(query(s, "broken"), VS_GRPC_ABORTED);
    assert_says(s, "ABORTED: Query reference value: ");
}

static void health_and_keys_are_beside(void **state)
{
    as_server *s = *state;
    assert_int_equal(say_bytes(s, "/grpc.health.v1.Health/Check",
                               VS_LIT("\x0a\x1e"
                                      "attestation.AttestationService")),
                     VS_GRPC_OK);
    assert_span_eq(vs_buf_span(&s->reply), VS_LIT("\x08\x01"));
    const char *answer = ask(s->http, "GET /.well-known/jwks.json HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, "Content-Type: application/json"));
    vs_val keys = json(&s->w, on_arena(s, vs_str(body_of(answer))));
    assert_true(vs_eq(at(keys, "/keys/0"), as_signer_jwk(s->w.as)));
    assert_int_equal(status_of(ask(s->http, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n")), 404);
    assert_int_equal(
        status_of(ask(s->http, "PUT /.well-known/jwks.json HTTP/1.1\r\nHost: h\r\n\r\n")), 405);
}

static void keys_of_another_process_are_500(void **state)
{
    as_server *s = *state;
    vs_error err = {0};
    as_service *remote = NULL;
    vs_http_response resp = {.status = 200, .body = VS_BUF(1000)};
    assert_vs_ok(as_remote_new(s->client, &remote, &err), &err);
    as_wire_jwks(remote, &resp);
    assert_int_equal(resp.status, 500);
    assert_span_is(vs_buf_span(&resp.body), "failed to get JWKS");
    vs_buf_free(&resp.body);
    as_free(&remote);
}

#define T(f) cmocka_unit_test_setup_teardown(f, server_setup, server_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(evidence_becomes_a_token),
        T(several_requests_and_policy_ids),
        T(hash_algorithms_in_any_case),
        T(raw_runtime_data_is_what_the_evidence_holds),
        T(init_data_is_seen_by_the_policy),
        T(malformed_fields_are_refused_by_name),
        T(bytes_that_are_no_message),
        T(policies_are_set_and_used),
        T(challenges),
        T(reference_values_on_the_same_port),
        T(health_and_keys_are_beside),
        T(keys_of_another_process_are_500),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
