/* SPDX-License-Identifier: Apache-2.0 */
#include "as/as_fixture.h"

#include "as/policies.h"

static const char runtime[] =
    "{\"nonce\":\"n\",\"tee-pubkey\":{\"kty\":\"EC\"},\"additional-evidence\":\"\"}";

/* ---- runtime data --------------------------------------------------------------------------- */

static void runtime_data_is_hashed_over_its_canonical_form(void **state)
{
    world *w = *state;
    vs_error err = {0};
    as_result res;
    as_request r = {
        .tee = VS_LIT("sample"),
        .evidence = json1(w, "{'svn': '1', 'report_data': "
                             "'5xzo5w2BS6ZjnDYS7uv/DR92ZQ+NuGiSN3ydTSoHsqtI5w1cgVQQpC24PVqDeUmX'}"),
        .runtime_kind = AS_DATA_STRUCTURED,
        .runtime_json = json1(w, "{'b': 1, 'a': 'test', 'c': {'d': 'e'}}"),
    };
    /* The right digest (attestation-service.md 3.1), then the same with one byte changed. */
    static const char hex[] = "e71ce8e70d814ba6639c3612ebee0ff1f76f650f8dbb5e47157e0f3f525cd22c"
                              "4597480a186427c813ca941da78870c3";
    vs_span md;
    assert_vs_ok(vs_hex_decode_arena(&w->a, vs_str(hex), &md, &err), &err);
    vs_obj ev = {.a = &w->a};
    vs_obj_put(&ev, "svn", vs_cstring("1"));
    vs_obj_put(&ev, "report_data", vs_string(vs_b64_encode_arena(&w->a, VS_B64_STD, md)));
    as_request good = r;
    good.evidence = vs_obj_end(&ev, VS_DUP_REFUSE, NULL);
    assert_vs_ok(evaluate(w, &good, 1, "default", &res, &err), &err);
    assert_vs_code(evaluate(w, &r, 1, "default", &res, &err), VS_E_MISMATCH);
    good.runtime_hash = VS_SHA512;
    assert_vs_code(evaluate(w, &good, 1, "default", &res, &err), VS_E_MISMATCH);
}

static void raw_runtime_data_is_compared_as_it_is(void **state)
{
    world *w = *state;
    vs_error err = {0};
    as_result res;
    as_request r = {.tee = VS_LIT("sample"),
                    .evidence = json1(w, "{'svn': '1', 'report_data': 'YWJj'}"),
                    .runtime_kind = AS_DATA_RAW,
                    .runtime_raw = VS_LIT("abc")};
    assert_vs_ok(evaluate(w, &r, 1, "default", &res, &err), &err);
    vs_val ev = at(token_claims(w, res.token), "/submods/cpu0/ear.veraison.annotated-evidence");
    assert_int_equal(vs_getc(ev, "runtime_data_claims").kind, VS_NULL);
    assert_span_is(vs_text(vs_getc(ev, "report_data")), "YWJj");
    r.runtime_raw = VS_LIT("abcd");
    assert_vs_code(evaluate(w, &r, 1, "default", &res, &err), VS_E_MISMATCH);
    r.runtime_raw = VS_LIT("");
    assert_vs_code(evaluate(w, &r, 1, "default", &res, &err), VS_E_INVALID);
}

/* ---- all or nothing ---------------------------------------------------------------------------
 */

static void without_requests_there_is_no_token(void **state)
{
    world *w = *state;
    vs_error err = {0};
    as_result res;
    assert_vs_code(evaluate(w, NULL, 0, "default", &res, &err), VS_E_INVALID);
    assert_string_equal(vs_error_at(&err, 0), "No verification requests provided.");
}

static void one_bad_attester_spoils_the_token(void **state)
{
    world *w = *state;
    vs_error err = {0};
    as_result res;
    as_request reqs[2] = {sample_request(w, "sample", runtime),
                          sample_request(w, "sampledevice", runtime)};
    assert_vs_ok(evaluate(w, reqs, 2, "default", &res, &err), &err);
    reqs[1].evidence = json1(w, "{'svn': '1', 'report_data': 'AAAA'}");
    assert_vs_code(evaluate(w, reqs, 2, "default", &res, &err), VS_E_MISMATCH);
    assert_int_equal(res.token.n, 0);
    reqs[1] = sample_request(w, "se", runtime);
    assert_vs_code(evaluate(w, reqs, 2, "default", &res, &err), VS_E_UNSUPPORTED);
    reqs[1].tee = VS_LIT("nonsense");
    assert_vs_code(evaluate(w, reqs, 2, "default", &res, &err), VS_E_INVALID);
}

static void submods_are_numbered_by_class_in_the_order_of_evidence(void **state)
{
    world *w = *state;
    vs_error err = {0};
    as_result res;
    as_request reqs[3] = {sample_request(w, "sampledevice", runtime),
                          sample_request(w, "sample", runtime),
                          sample_request(w, "sampledevice", runtime)};
    assert_vs_ok(evaluate(w, reqs, 3, "default", &res, &err), &err);
    vs_val submods = vs_getc(token_claims(w, res.token), "submods");
    assert_int_equal(submods.len, 3);
    assert_true(vs_defined(at(submods, "/cpu0/ear.veraison.annotated-evidence/sample")));
    assert_true(vs_defined(at(submods, "/gpu0/ear.veraison.annotated-evidence/sampledevice")));
    assert_true(vs_defined(vs_getc(submods, "gpu1")));
}

static void without_the_sample_switch_sample_evidence_is_refused(void **state)
{
    world *w = *state;
    vs_error err = {0};
    as_result res;
    as_request r = sample_request(w, "sample", runtime);
    w->trust.sample = false;
    vs_code code = evaluate(w, &r, 1, "default", &res, &err);
    w->trust.sample = true;
    assert_int_equal(code, VS_E_UNSUPPORTED);
}

/* ---- policies ---------------------------------------------------------------------------------
 */

static void an_unknown_policy_is_an_error_not_a_default(void **state)
{
    world *w = *state;
    vs_error err = {0};
    as_result res;
    as_request r = sample_request(w, "sample", runtime);
    assert_vs_code(evaluate(w, &r, 1, "nobody", &res, &err), VS_E_NOT_FOUND);
    char text[VS_ERROR_TEXT];
    assert_non_null(
        strstr(vs_error_text(&err, text, sizeof text), "Policy `nobody_cpu.rego` not found"));
    assert_vs_code(as_evaluate(w->as, &r, 1, VS_LIT("default\0x"), NOW, &w->a, &res, &err),
                   VS_E_INVALID);
    assert_vs_code(evaluate(w, &r, 1, "../default", &res, &err), VS_E_INVALID);
}

static void the_newest_policy_counts_at_once_even_if_another_replica_set_it(void **state)
{
    world *w = *state;
    vs_error err = {0};
    as_result res;
    as_request r = sample_request(w, "sample", runtime);
    assert_vs_ok(as_set_policy(w->as, VS_LIT("swap_cpu"),
                               VS_LIT("package policy\ntrust_claims := {\"hardware\": 2}"), &err),
                 &err);
    assert_vs_ok(evaluate(w, &r, 1, "swap", &res, &err), &err);
    assert_string_equal(res.status, "affirming");
    assert_vs_ok(vs_store_put(w->store, "attestation_service_policy", VS_LIT("swap_cpu.rego"),
                              VS_LIT("package policy\ntrust_claims := {\"hardware\": 97}"), 0,
                              VS_PUT_REPLACE, &err),
                 &err);
    assert_vs_ok(evaluate(w, &r, 1, "swap", &res, &err), &err);
    assert_string_equal(res.status, "contraindicated");
}

static const char *status_now(world *w, const as_request *req)
{
    as_result out;
    vs_error err = {0};
    assert_vs_ok(evaluate(w, req, 1, "asking", &out, &err), &err);
    return out.status;
}

static void a_reference_value_counts_at_once_even_if_another_replica_has_it(void **state)
{
    world *w = *state;
    static const rvps_options options;
    rvps *own = w->rv, *other = NULL;
    vs_error err = {0};
    const as_request req = sample_request(w, "sample", "{\"k\":1}");
    assert_vs_ok(
        as_set_policy(w->as, VS_LIT("asking_cpu"),
                      VS_LIT("package policy\nimport rego.v1\n"
                             "default executables := 33\n"
                             "executables := 3 if \"1\" in query_reference_value(\"svn\")\n"
                             "trust_claims := {\"executables\": executables}\n"),
                      &err),
        &err);
    assert_vs_ok(rvps_new(w->store, &options, &other, &err), &err);
    for (unsigned i = 0; i < 3; i++) {
        assert_string_equal(status_now(w, &req), "warning");
        assert_string_equal(status_now(w, &req), "warning");
        w->rv = other; /* `as` has the other one */
        endorse(w, "{\"svn\":[\"1\"]}");
        w->rv = own;
        assert_string_equal(status_now(w, &req), "affirming");
        assert_string_equal(status_now(w, &req), "affirming");
        assert_vs_ok(rvps_delete(other, VS_LIT("svn"), VS_LIT(""), &err), &err);
    }
    rvps_free(&other);
}

static void policy_ids_and_texts_are_checked_before_they_are_stored(void **state)
{
    world *w = *state;
    vs_error err = {0};
    char long_id[130];
    memset(long_id, 'a', 129);
    long_id[129] = 0;
    vs_span good = VS_LIT("package policy\ntrust_claims := {\"hardware\": 2}");
    const vs_span bad_ids[] = {VS_LIT(""),     VS_LIT(".x"),   VS_LIT("a/b"),      VS_LIT("a b"),
                               VS_LIT("../x"), VS_LIT("a\0b"), VS_LIT("\xc3\xa9"), vs_str(long_id)};
    for (size_t i = 0; i < VS_COUNT(bad_ids); i++)
        assert_vs_code(as_set_policy(w->as, bad_ids[i], good, &err), VS_E_INVALID);
    assert_vs_ok(as_set_policy(w->as, vs_span_of(long_id, 128), good, &err), &err);
    const vs_span bad_texts[] = {VS_LIT("package policy\nallow {"), VS_LIT("\xff"), VS_LIT("")};
    for (size_t i = 0; i < VS_COUNT(bad_texts); i++)
        assert_int_not_equal(as_set_policy(w->as, VS_LIT("bad_cpu"), bad_texts[i], &err), VS_OK);
    vs_buf text = VS_BUF(100);
    assert_vs_code(vs_store_get(w->store, "attestation_service_policy", VS_LIT("bad_cpu.rego"), 0,
                                &text, &err),
                   VS_E_NOT_FOUND);
    vs_buf_free(&text);
}

static void a_bad_policy_is_reported_with_its_position(void **state)
{
    world *w = *state;
    vs_error err = {0};
    char text[VS_ERROR_TEXT];
    assert_vs_code(
        as_set_policy(w->as, VS_LIT("bad_cpu"), VS_LIT("package policy\n\nx := := 1\n"), &err),
        VS_E_PARSE);
    assert_non_null(strstr(vs_error_text(&err, text, sizeof text), "bad_cpu.rego:3:"));
}

static void a_stored_default_policy_stays(void **state)
{
    (void)state;
    static const char own[] = "package policy\ntrust_claims := {\"hardware\": 32}";
    world w;
    vs_error err = {0};
    as_config cfg = {0};
    world_open(&w, &cfg);
    as_free(&w.as);
    assert_vs_ok(vs_store_put(w.store, "attestation_service_policy", VS_LIT("default_cpu.rego"),
                              vs_str(own), 0, VS_PUT_REPLACE, &err),
                 &err);
    assert_vs_ok(as_new(&cfg, w.store, w.rv, &w.trust, &w.as, &err), &err);
    as_request r = sample_request(&w, "sample", runtime);
    as_result res;
    assert_vs_ok(evaluate(&w, &r, 1, "default", &res, &err), &err);
    assert_string_equal(res.status, "warning");
    world_close(&w);
}

/* ---- the input document -----------------------------------------------------------------------
 */

static void a_terse_token_leaves_the_additional_evidence_out(void **state)
{
    (void)state;
    world w;
    vs_error err = {0};
    as_result res;
    const as_config cfg = {.terse_token = true};
    world_open(&w, &cfg);
    as_request r = sample_request(&w, "sample", runtime);
    assert_vs_ok(evaluate(&w, &r, 1, "default", &res, &err), &err);
    vs_val ev = at(token_claims(&w, res.token), "/submods/cpu0/ear.veraison.annotated-evidence");
    assert_json_eq(&w, vs_getc(ev, "runtime_data_claims"),
                   "{'nonce': 'n', 'tee-pubkey': {'kty': 'EC'}}");
    world_close(&w);
}

static void init_data_appears_only_when_it_was_verified(void **state)
{
    world *w = *state;
    vs_error err = {0};
    as_result res;
    as_request r = sample_request(w, "sample", runtime);
    assert_vs_ok(evaluate(w, &r, 1, "default", &res, &err), &err);
    vs_val ev = at(token_claims(w, res.token), "/submods/cpu0/ear.veraison.annotated-evidence");
    assert_false(vs_defined(vs_getc(ev, "init_data")));
    assert_false(vs_defined(vs_getc(ev, "init_data_claims")));
    r.init_kind = AS_INIT_TOML;
    r.init = VS_LIT("version = '0'\nalgorithm = 'sha256'\n[data]\nx = 'y'\n");
    assert_vs_ok(evaluate(w, &r, 1, "default", &res, &err), &err);
    ev = at(token_claims(w, res.token), "/submods/cpu0/ear.veraison.annotated-evidence");
    assert_int_equal(vs_getc(ev, "init_data").kind, VS_STRING);
    assert_json_eq(w, vs_getc(ev, "init_data_claims"), "{'x': 'y'}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runtime_data_is_hashed_over_its_canonical_form),
        cmocka_unit_test(raw_runtime_data_is_compared_as_it_is),
        cmocka_unit_test(without_requests_there_is_no_token),
        cmocka_unit_test(one_bad_attester_spoils_the_token),
        cmocka_unit_test(submods_are_numbered_by_class_in_the_order_of_evidence),
        cmocka_unit_test(without_the_sample_switch_sample_evidence_is_refused),
        cmocka_unit_test(an_unknown_policy_is_an_error_not_a_default),
        cmocka_unit_test(the_newest_policy_counts_at_once_even_if_another_replica_set_it),
        cmocka_unit_test(a_reference_value_counts_at_once_even_if_another_replica_has_it),
        cmocka_unit_test(policy_ids_and_texts_are_checked_before_they_are_stored),
        cmocka_unit_test(a_bad_policy_is_reported_with_its_position),
        cmocka_unit_test(a_stored_default_policy_stays),
        cmocka_unit_test(a_terse_token_leaves_the_additional_evidence_out),
        cmocka_unit_test(init_data_appears_only_when_it_was_verified),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
