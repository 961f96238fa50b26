/* SPDX-License-Identifier: Apache-2.0 */
/* What each endpoint takes and answers, to the letter (kbs.md 1.2, 2.1, 3, 5, 7). */
#include "kbs/broker.h"

#include "as/policies.h"

static answer admin(broker *b, kbs_method m, const char *path, const char *body)
{
    return tell(b, (ask){m, path, .body = vs_str(body), .bearer = admin_token(b)});
}

static void assert_type(answer r, const char *want)
{
    if (want)
        assert_string_equal(r.content_type, want);
    else
        assert_null(r.content_type);
}

/* ---- /auth
 * ------------------------------------------------------------------------------------------- */

static void a_challenge_has_a_nonce_and_empty_params(void **state)
{
    broker *b = *state;
    answer r = tell(b, (ask){KBS_POST, "auth", .body = request_body(b, "cca")});
    assert_granted(r);
    assert_type(r, "application/json");
    assert_true(vs_span_starts(r.body, VS_LIT("{\"nonce\":\"")));
    assert_true(vs_span_ends(r.body, VS_LIT("=\",\"extra-params\":\"\"}")));
    assert_int_equal(r.body.n, strlen("{\"nonce\":\"\",\"extra-params\":\"\"}") + 44);
    assert_int_equal(r.session_expires, NOW + 5 * 60);
}

static void nonces_and_sessions_never_repeat(void **state)
{
    broker *b = *state;
    enum { MANY = 300 };
    challenge seen[MANY];
    for (size_t i = 0; i < MANY; i++) {
        seen[i] = authenticate(b, "cca");
        for (size_t k = 0; k < i; k++) {
            assert_false(vs_span_eq(seen[i].nonce, seen[k].nonce));
            assert_false(vs_span_eq(seen[i].session, seen[k].session));
        }
    }
}

static void protocol_versions_other_than_ours_are_told_so(void **state)
{
#define MISMATCH(v)                                                                                \
    AUTH_FAILED("KBS Client Protocol Version Mismatch: expect =0.1.1, =0.2.0, =0.3.0, =0.4.0 "     \
                "while the request is " v)
    static const struct {
        const char *version, *detail; /* NULL = accepted */
    } cases[] = {
        {"0.4.0", NULL},
        {"0.4.0+build.7", NULL},
        {"0.1.1", NULL},
        {"0.2.0", NULL},
        {"0.3.0", NULL},
        {"0.1.0", MISMATCH("0.1.0")},
        {"0.4.1", MISMATCH("0.4.1")},
        {"1.4.0", MISMATCH("1.4.0")},
        {"0.4.0-rc1", MISMATCH("0.4.0-rc1")},
        {"0.4.0-rc1+b", MISMATCH("0.4.0-rc1+b")},
        {"0.4", AUTH_FAILED("failed to parse KBS version")},
        {"", AUTH_FAILED("failed to parse KBS version")},
        {"v0.4.0", AUTH_FAILED("failed to parse KBS version")},
        {"0.04.0", AUTH_FAILED("failed to parse KBS version")},
        {"0.4.0-", AUTH_FAILED("failed to parse KBS version")},
        {"0.4.0+", AUTH_FAILED("failed to parse KBS version")},
        {"0.4.0.0", AUTH_FAILED("failed to parse KBS version")},
        {" 0.4.0", AUTH_FAILED("failed to parse KBS version")},
        {"0.4.0-a..b", AUTH_FAILED("failed to parse KBS version")},
        {"0.4.99999999999999999999", AUTH_FAILED("failed to parse KBS version")},
    };
    broker *b = *state;
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        const char *body =
            vs_sprintf(&b->w.a, "{\"version\":\"%s\",\"tee\":\"cca\",\"extra-params\":\"\"}",
                       cases[i].version);
        answer r = tell(b, (ask){KBS_POST, "auth", .body = vs_str(body)});
        if (cases[i].detail)
            assert_refused(r, "AttestationError", cases[i].detail);
        else
            assert_granted(r);
    }
}

static void requests_that_cannot_be_served_are_refused(void **state)
{
    static const char *const bad[] = {
        "", "{", "[]", "{\"version\":\"0.4.0\"}",
        "{\"version\":\"0.4.0\",\"tee\":\"nothing\",\"extra-params\":\"\"}"};
    broker *b = *state;
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_refused(tell(b, (ask){KBS_POST, "auth", .body = vs_str(bad[i])}), "AttestationError",
                       AUTH_FAILED("deserialize Request"));
    assert_refused(tell(b, (ask){KBS_POST, "auth", .body = request_body(b, "se")}),
                   "AttestationError",
                   AUTH_FAILED("Attestation Service generate challenge failed"));
}

/* ---- /attest
 * ----------------------------------------------------------------------------------------- */

static void the_cause_of_a_failed_attestation_is_not_told(void **state)
{
    broker *b = *state;
    challenge c = authenticate(b, "sample");
    vs_span good = honest_body(b, "sample", &c);
    assert_refused(send_evidence(b, VS_LIT(""), good), "AttestationError", ATTEST_FAILED);
    assert_refused(send_evidence(b, VS_LIT("AAAA"), good), "AttestationError", ATTEST_FAILED);
    assert_refused(send_evidence(b, c.session, VS_LIT("")), "AttestationError", ATTEST_FAILED);
    answer r = send_evidence(b, c.session, good);
    assert_granted(r);
    assert_type(r, "application/json");
    assert_true(vs_span_starts(r.body, VS_LIT("{\"token\":\"ey")));
    assert_int_equal(strlen(r.decision), 36);
    assert_int_equal(r.decision[14], '7');
}

/* ---- resources
 * --------------------------------------------------------------------------------------- */

static void resource_paths_have_three_plain_segments(void **state)
{
    static const char *const bad[] = {
        "resource",
        "resource/a",
        "resource/a/b",
        "resource/a/b/c/d",
        "resource/../b/c",
        "resource/a/./c",
        "resource/a/b/.hidden",
        "resource/a b/b/c",
        "resource/a/b/c%2F",
        "resource/a/\xc3\xa9/c",
        "resource/a/b/c\\",
        "resource/a/b/\"c",
        "resource/a/b/c\x01",
        "resource/a/b/c;",
    };
    broker *b = *state;
    challenge c;
    set_resource_policy(b, vs_policy_text("kbs_allow_all"));
    vs_span token = attest(b, "sample", &c);
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        /* The access list has refused dot segments already. */
        assert_int_not_equal(admin(b, KBS_POST, bad[i], "s").error, KBS_OK);
        assert_int_not_equal(admin(b, KBS_DELETE, bad[i], "").error, KBS_OK);
        answer r = tell(b, (ask){KBS_GET, bad[i], .bearer = token});
        if (strcmp(bad[i], "resource") == 0) /* the list, for administrators */
            assert_string_equal(kbs_error_name(r.error), "AdminAuthInitialization");
        else
            assert_refused(r, "PluginInternalError", "Plugin internal error");
    }
    static const char *const good[] = {"resource/a/b/c", "resource/-/_/0", "resource/a.b/c..d/e-.",
                                       "resource//a/b/c", "resource/a//b/c/"};
    for (size_t i = 0; i < VS_COUNT(good); i++) {
        put_resource(b, good[i], "s");
        assert_secret(b, tell(b, (ask){KBS_GET, good[i], .bearer = token}), "s");
    }
}

static void resources_are_written_replaced_and_deleted(void **state)
{
    broker *b = *state;
    challenge c;
    set_resource_policy(b, vs_policy_text("kbs_allow_all"));
    vs_span token = attest(b, "sample", &c);
    assert_refused(tell(b, (ask){KBS_GET, "resource/a/b/c", .bearer = token}),
                   "PluginInternalError", "Plugin internal error");
    answer r = admin(b, KBS_POST, "resource/a/b/c", "one");
    assert_granted(r);
    assert_type(r, "text/xml");
    assert_int_equal(r.body.n, 0);
    assert_granted(admin(b, KBS_POST, "resource/a/b/c", "two"));
    assert_secret(b, tell(b, (ask){KBS_GET, "resource/a/b/c", .bearer = token}), "two");
    assert_granted(admin(b, KBS_POST, "resource/a/b/c", ""));
    assert_secret(b, tell(b, (ask){KBS_GET, "resource/a/b/c", .bearer = token}), "");
    r = admin(b, KBS_DELETE, "resource/a/b/c", "");
    assert_granted(r);
    assert_type(r, "text/xml");
    assert_refused(admin(b, KBS_DELETE, "resource/a/b/c", ""), "PluginInternalError",
                   "Plugin internal error");
    assert_refused(tell(b, (ask){KBS_PUT, "resource/a/b/c", .bearer = token}),
                   "PluginInternalError", "Plugin internal error");
}

static vs_span token_with_key(broker *b, vs_val jwk)
{
    challenge c = authenticate(b, "sample");
    vs_val ev = evidence_for(b, "sample", report_data(b, runtime_data(b, c.nonce, jwk, "")));
    return token_in(b, send_evidence(b, c.session, attestation_body(b, c.nonce, jwk, ev, "")));
}

static void a_key_that_cannot_be_encrypted_for_gets_nothing(void **state)
{
    broker *b = *state;
    vs_error err = {0};
    vs_key *p384 = NULL;
    vs_val jwk;
    put_resource(b, "resource/a/b/c", "s");
    set_resource_policy(b, vs_policy_text("kbs_allow_all"));
    assert_vs_ok(vs_key_generate(VS_KEY_P384, &p384, &err), &err);
    assert_vs_ok(vs_key_to_jwk(&b->w.a, p384, "ECDH-ES+A256KW", &jwk, &err), &err);
    const vs_val keys[] = {
        jwk, vs_with(&b->w.a, tee_jwk(b, b->tee_key), vs_cstring("alg"), vs_cstring("ECDH-ES")),
        json1(&b->w, "{'kty': 'AKP', 'alg': 'ML-KEM-768+A192KW', 'pub': 'AAAA'}"),
        json1(&b->w, "{'kty': 'RSA', 'alg': 'RSA1_5', 'n': 'AQAB', 'e': 'AQAB'}")};
    for (size_t i = 0; i < VS_COUNT(keys); i++)
        assert_refused(
            tell(b, (ask){KBS_GET, "resource/a/b/c", .bearer = token_with_key(b, keys[i])}),
            "JweError", "JWE failed");
    vs_key_free(&p384);
}

static void rsa_and_p521_keys_receive_too(void **state)
{
    static const struct {
        vs_key_type type;
        const char *alg;
    } cases[] = {{VS_KEY_RSA, "RSA-OAEP-256"}, {VS_KEY_P521, "ECDH-ES+A256KW"}};
    broker *b = *state;
    put_resource(b, "resource/a/b/c", "s");
    set_resource_policy(b, vs_policy_text("kbs_allow_all"));
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        vs_error err = {0};
        vs_val jwk;
        vs_key_free(&b->tee_key);
        assert_vs_ok(vs_key_generate(cases[i].type, &b->tee_key, &err), &err);
        assert_vs_ok(vs_key_to_jwk(&b->w.a, b->tee_key, cases[i].alg, &jwk, &err), &err);
        assert_secret(
            b, tell(b, (ask){KBS_GET, "resource/a/b/c", .bearer = token_with_key(b, jwk)}), "s");
    }
}

/* ---- resource policy
 * --------------------------------------------------------------------------------- */

static void the_policy_sees_plugin_path_and_query(void **state)
{
    broker *b = *state;
    challenge c;
    static const char policy[] = "package policy\n"
                                 "default allow := false\n"
                                 "allow if {\n"
                                 "    data.plugin == \"resource\"\n"
                                 "    data[\"resource-path\"] == [\"a\", \"b\\\"\", \"c\"]\n"
                                 "    data.query == {\"version\": \"1\"}\n"
                                 "}\n"
                                 "allow if data[\"resource-path\"] == [\"a\", \"b\", \"c\"]\n";
    put_resource(b, "resource/a/b/c", "s");
    set_resource_policy(b, vs_str(policy));
    vs_span token = attest(b, "sample", &c);
    vs_val query = json1(&b->w, "{'version': '1'}");
    assert_secret(b, tell(b, (ask){KBS_GET, "resource//a/b/c", .bearer = token}), "s");
    assert_int_equal(tell(b, (ask){KBS_GET, "resource/a/b/d", .bearer = token}).error,
                     KBS_POLICY_DENY);
    assert_int_equal(tell(b, (ask){KBS_GET, "resource/a/b\"/c", .bearer = token}).error,
                     KBS_POLICY_DENY);
    /* Allowed by the first rule, and then no valid path. */
    assert_int_equal(
        tell(b, (ask){KBS_GET, "resource/a/b\"/c", .bearer = token, .query = query}).error,
        KBS_PLUGIN_INTERNAL_ERROR);
}

static void whatever_is_not_true_denies(void **state)
{
    static const struct {
        const char *policy;
        kbs_error error;
    } cases[] = {
        {"package policy\nallow := true", KBS_OK},
        {"package policy\nallow := false", KBS_POLICY_DENY},
        {"package policy\nallow := 1", KBS_POLICY_DENY},
        {"package policy\nallow := \"true\"", KBS_POLICY_DENY},
        {"package policy\nallow := null", KBS_POLICY_DENY},
        {"package policy\nallow if input.nothing", KBS_POLICY_DENY},
        {"package policy\nother := true", KBS_POLICY_DENY},
        {"package other\nallow := true", KBS_POLICY_DENY},
        {"package policy\nallow := true\nallow := false", KBS_POLICY_ENGINE_ERROR},
        {"package policy\nallow if to_number(\"x\") > 0", KBS_POLICY_ENGINE_ERROR},
        {"package policy\nallow if query_reference_value(\"x\") == null", KBS_POLICY_ENGINE_ERROR},
    };
    broker *b = *state;
    challenge c;
    put_resource(b, "resource/a/b/c", "s");
    vs_span token = attest(b, "sample", &c);
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        set_resource_policy(b, vs_str(cases[i].policy));
        answer r = tell(b, (ask){KBS_GET, "resource/a/b/c", .bearer = token});
        if (r.error != cases[i].error)
            fail_msg("%s: %s", cases[i].policy, kbs_error_name(r.error));
        if (r.error == KBS_POLICY_ENGINE_ERROR)
            assert_span_is(r.detail, "Policy engine error: Failed to eval policy");
    }
}

static void policies_that_cannot_be_read_are_refused_and_the_old_one_stays(void **state)
{
    broker *b = *state;
    static const struct {
        const char *body, *name, *detail;
    } cases[] = {
        {"", "ParsePolicyError", "Failed to parse policy: Illegal SetPolicy Request Json"},
        {"[]", "ParsePolicyError", "Failed to parse policy: Illegal SetPolicy Request Json"},
        {"{}", "ParsePolicyError",
         "Failed to parse policy: No `policy` field inside SetPolicy Request Json"},
        {"{\"policy\":1}", "ParsePolicyError",
         "Failed to parse policy: `policy` field is not a string in SetPolicy Request Json"},
    };
    for (size_t i = 0; i < VS_COUNT(cases); i++)
        assert_refused(admin(b, KBS_POST, "resource-policy", cases[i].body), cases[i].name,
                       cases[i].detail);
    answer r =
        admin(b, KBS_POST, "resource-policy", "{\"policy\":\"cGFja2FnZSBwb2xpY3k=\"}"); /* padded */
    assert_int_equal(r.error, KBS_PARSE_POLICY_ERROR);
    assert_true(
        vs_span_starts(r.detail, VS_LIT("Failed to parse policy: Failed to decode policy: ")));
    r = admin(b, KBS_POST, "resource-policy",
              policy_body(b, NULL, VS_LIT("package policy\nallow if {")));
    assert_int_equal(r.error, KBS_POLICY_ENGINE_ERROR);
    assert_true(vs_span_starts(r.detail, VS_LIT("Policy engine error: ")));
    assert_non_null(memmem(r.detail.p, r.detail.n, "resource-policy.rego:2:", 23));

    vs_buf stored = VS_BUF(1 << 16);
    vs_error err = {0};
    assert_vs_ok(vs_store_get(b->w.store, "kbs", VS_LIT("resource-policy.rego"), 0, &stored, &err),
                 &err);
    assert_span_eq(vs_buf_span(&stored), vs_policy_text("kbs_default"));
    vs_buf_free(&stored);
}

static void policy_names_are_listed(void **state)
{
    broker *b = *state;
    vs_error err = {0};
    answer r = admin(b, KBS_GET, "resource-policy", "");
    assert_span_is(r.body, "[\"resource-policy\"]");
    assert_type(r, "application/json");
    assert_vs_ok(
        vs_store_put(b->w.store, "kbs", VS_LIT("stray"), VS_LIT("x"), 0, VS_PUT_REPLACE, &err),
        &err);
    assert_span_is(admin(b, KBS_GET, "resource-policy", "").body, "[\"resource-policy\"]");
    r = admin(b, KBS_POST, "resource-policy",
              policy_body(b, NULL, VS_LIT("package policy\nallow := true")));
    assert_granted(r);
    assert_type(r, NULL);
    assert_int_equal(r.body.n, 0);
}

static void the_policy_of_an_older_installation_is_taken_over_once(void **state)
{
    broker *b = *state;
    vs_error err = {0};
    char path[] = "/tmp/vs-legacy-policy-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_vs_ok(vs_write_fd(fd, VS_LIT("package policy\nallow := true\n"), &err), &err);
    (void)close(fd);
    vs_store *fresh = NULL;
    kbs *k = NULL;
    assert_vs_ok(vs_store_open_memory(&fresh, &err), &err);
    b->cfg.legacy_policy_path = path;
    for (int i = 0; i < 2;
         i++) { /* the second start finds it stored, and leaves what was set since */
        assert_vs_ok(kbs_new(&b->cfg, fresh, fresh, b->w.as, b->w.rv, &k, &err), &err);
        vs_buf stored = VS_BUF(1 << 16);
        assert_vs_ok(vs_store_get(fresh, "kbs", VS_LIT("resource-policy.rego"), 0, &stored, &err),
                     &err);
        assert_span_is(vs_buf_span(&stored),
                       i ? "package policy\n" : "package policy\nallow := true\n");
        vs_buf_free(&stored);
        assert_vs_ok(vs_store_put(fresh, "kbs", VS_LIT("resource-policy.rego"),
                                  VS_LIT("package policy\n"), 0, VS_PUT_REPLACE, &err),
                     &err);
        kbs_free(&k);
    }
    (void)unlink(path);
    vs_store_close(&fresh);
}

/* ---- attestation policy and reference values
 * ---------------------------------------------------------- */

static void attestation_policies_are_set_and_used(void **state)
{
    broker *b = *state;
    challenge c;
    const char *body =
        policy_body(b, "default_cpu", VS_LIT("package policy\ntrust_claims := {\"hardware\": 32}"));
    answer r = admin(b, KBS_POST, "attestation-policy", body);
    assert_granted(r);
    assert_type(r, NULL);
    vs_val claims = token_claims(&b->w, attest(b, "sample", &c));
    assert_span_is(vs_text(at(claims, "/submods/cpu0/ear.status")), "warning");

    static const char *const bad[] = {"", "{}", "{\"policy_id\":\"x\"}",
                                      "{\"policy_id\":1,\"policy\":\"\"}",
                                      "{\"policy_id\":\"x\",\"policy\":\"!\"}"};
    for (size_t i = 0; i < VS_COUNT(bad) + 2; i++) {
        const char *text = i < VS_COUNT(bad) ? bad[i]
                           : i == VS_COUNT(bad)
                               ? policy_body(b, "../x", VS_LIT("package policy\n"))
                               : policy_body(b, "x", VS_LIT("package policy\nx {"));
        r = admin(b, KBS_POST, "attestation-policy", text);
        assert_string_equal(kbs_error_name(r.error), "AttestationError");
        assert_true(
            vs_span_starts(r.detail, VS_LIT("Attestation error: Set Attestation Policy failed")));
    }
}

static void reference_values_are_registered_and_read_back(void **state)
{
    broker *b = *state;
    /* {"a/b": ["1"]} */
    answer r =
        admin(b, KBS_POST, "reference-value",
              "{\"version\":\"0.1.0\",\"type\":\"sample\",\"payload\":\"eyJhL2IiOiBbIjEiXX0=\"}");
    assert_granted(r);
    assert_type(r, "application/json");
    assert_int_equal(r.body.n, 0);
    r = admin(b, KBS_GET, "reference-value/a/b", "");
    assert_granted(r);
    assert_span_is(r.body, "[\"1\"]");
    assert_type(r, "application/json");
    assert_refused(admin(b, KBS_GET, "reference-value/nobody", ""), "RvpsError",
                   "RVPS configuration failed: Failed to get reference_values: No reference value "
                   "found for the "
                   "given id: nobody");
    r = admin(b, KBS_POST, "reference-value", "{}");
    assert_string_equal(kbs_error_name(r.error), "RvpsError");
    assert_true(vs_span_starts(
        r.detail, VS_LIT("RVPS configuration failed: Failed to register reference value: ")));
    assert_refused(admin(b, KBS_POST, "reference-value", "\xff"), "RvpsError",
                   "RVPS configuration failed: Failed to parse reference value message");
}

static void the_sample_plugin_answers(void **state)
{
    broker *b = *state;
    answer r = admin(b, KBS_GET, "sample/anything", "");
    assert_granted(r);
    assert_span_is(r.body, "sample plugin response");
    assert_type(r, "text/xml");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, broker_setup, broker_teardown)
        T(a_challenge_has_a_nonce_and_empty_params),
        T(nonces_and_sessions_never_repeat),
        T(protocol_versions_other_than_ours_are_told_so),
        T(requests_that_cannot_be_served_are_refused),
        T(the_cause_of_a_failed_attestation_is_not_told),
        T(resource_paths_have_three_plain_segments),
        T(resources_are_written_replaced_and_deleted),
        T(a_key_that_cannot_be_encrypted_for_gets_nothing),
        T(rsa_and_p521_keys_receive_too),
        T(the_policy_sees_plugin_path_and_query),
        T(whatever_is_not_true_denies),
        T(policies_that_cannot_be_read_are_refused_and_the_old_one_stays),
        T(policy_names_are_listed),
        T(the_policy_of_an_older_installation_is_taken_over_once),
        T(attestation_policies_are_set_and_used),
        T(reference_values_are_registered_and_read_back),
        T(the_sample_plugin_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
