/* SPDX-License-Identifier: Apache-2.0 */
/* Names of TEEs, padding of report data, and the sample drivers. */
#include "testing.h"

#include "tee/tee.h"
#include "value/json.h"

static void every_name_of_the_protocol_is_known_and_only_those_with_a_driver_found(void **state)
{
    (void)state;
    static const char *const known[] = {
        "az-snp-vtpm", "az-tdx-vtpm", "cca",          "csv", "hygondcu", "nvidia", "nvidiadpu",
        "sample",      "se",          "sampledevice", "sgx", "snp",      "tdx",    "tpm"};
    for (size_t i = 0; i < VS_COUNT(known); i++) {
        const char *canonical = NULL;
        assert_true(vs_tee_known(vs_str(known[i]), &canonical));
        assert_string_equal(canonical, known[i]);
        const vs_tee_driver *d = vs_tee_find(vs_str(known[i]));
        if (d)
            assert_string_equal(d->name, known[i]);
    }
    assert_non_null(vs_tee_find(VS_LIT("cca")));
    assert_non_null(vs_tee_find(VS_LIT("sample")));
    assert_non_null(vs_tee_find(VS_LIT("aztdxvtpm")));
    assert_null(vs_tee_find(VS_LIT("sgx")));
}

static void aliases_are_accepted_and_never_emitted(void **state)
{
    (void)state;
    const char *name;
    assert_true(vs_tee_known(VS_LIT("azsnpvtpm"), &name));
    assert_string_equal(name, "az-snp-vtpm");
    static const char *const dpu[] = {"nvidiadpu", "nvidia-dpu", "dpu"}; /* kbs.md 1.3 */
    for (size_t i = 0; i < VS_COUNT(dpu); i++) {
        assert_true(vs_tee_known(vs_str(dpu[i]), &name));
        assert_string_equal(name, "nvidiadpu");
        assert_null(vs_tee_find(vs_str(dpu[i])));
    }
}

static void other_names_are_unknown(void **state)
{
    (void)state;
    static const char *const unknown[] = {"",     "CCA",  "cca ", "cc",
                                          "ccaa", "none", "dp",   "cca/../sample"};
    for (size_t i = 0; i < VS_COUNT(unknown); i++) {
        assert_false(vs_tee_known(vs_str(unknown[i]), NULL));
        assert_null(vs_tee_find(vs_str(unknown[i])));
    }
    assert_false(vs_tee_known(VS_LIT("cca\0x"), NULL));
}

static void report_data_is_padded_or_cut(void **state)
{
    (void)state;
    uint8_t out[8];
    vs_tee_fit(VS_LIT("abc"), out, 8);
    assert_memory_equal(out, "abc\0\0\0\0\0", 8);
    vs_tee_fit(VS_LIT("abcdefghij"), out, 8);
    assert_memory_equal(out, "abcdefgh", 8);
    vs_tee_fit((vs_span){0}, out, 8);
    assert_memory_equal(out, "\0\0\0\0\0\0\0\0", 8);
}

/* ---- sample --------------------------------------------------------------------------------- */

static vs_code run(vs_arena *a, const char *tee, bool on, const char *json, vs_span report,
                   vs_span init, vs_tee_result *r)
{
    vs_val evidence;
    assert_vs_code(vs_json_parse(a, vs_str(json), NULL, &evidence, NULL), VS_OK);
    vs_tee_trust trust = {.sample = on};
    vs_tee_expect expect = {.report_data = report, .init_data = init};
    vs_tee_result results[VS_TEE_RESULTS_MAX];
    size_t n;
    vs_error err = {0};
    vs_code code =
        vs_tee_find(vs_str(tee))->verify(&trust, evidence, &expect, a, results, &n, &err);
    assert_int_equal(n, code == VS_OK ? 1 : 0);
    *r = results[0];
    return code;
}

static void sample_evidence_is_refused_unless_switched_on(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_tee_result r;
    const char *e = "{\"svn\":\"1\",\"report_data\":\"YWJj\"}";
    assert_vs_code(run(&a, "sample", false, e, VS_LIT("abc"), (vs_span){0}, &r), VS_E_UNSUPPORTED);
    assert_vs_code(run(&a, "sampledevice", false, e, VS_LIT("abc"), (vs_span){0}, &r),
                   VS_E_UNSUPPORTED);
    vs_arena_free(&a);
}

static void sample_claims_are_those_of_the_interface(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_tee_result r;
    vs_buf json = VS_BUF(1 << 12);
    const char *e = "{\"svn\":\"1\",\"report_data\":\"YWJj\"}";
    assert_vs_code(run(&a, "sample", true, e, VS_LIT("abc"), VS_LIT("\x01\x02"), &r), VS_OK);
    vs_json_print(&json, r.claims);
    assert_string_equal((char *)json.p,
                        "{\"debug\":false,\"launch_digest\":\"abcde\",\"platform_version\":"
                        "{\"major\":1,\"minor\":4},\"svn\":\"1\"}");
    assert_string_equal(r.tee_class, "cpu");
    assert_span_is(vs_text(r.report_data), "YWJj");
    assert_span_is(vs_text(r.init_data), "AQI=");
    assert_vs_code(run(&a, "sampledevice", true, e, VS_LIT("abc"), VS_LIT("\x01\x02"), &r), VS_OK);
    vs_buf_clear(&json);
    vs_json_print(&json, r.claims);
    assert_string_equal((char *)json.p, "{\"svn\":\"1\"}");
    assert_string_equal(r.tee_class, "gpu");
    assert_false(vs_defined(r.init_data));
    vs_buf_free(&json);
    vs_arena_free(&a);
}

static void sample_report_data_is_compared_exactly(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_tee_result r;
    static const struct {
        const char *json;
        const char *expected;
        vs_code want;
    } cases[] = {
        {"{\"svn\":\"1\",\"report_data\":\"YWJj\"}", "abc", VS_OK},
        {"{\"svn\":\"1\",\"report_data\":\"YWJj\"}", NULL, VS_OK},
        {"{\"svn\":\"1\",\"report_data\":\"YWJj\"}", "abcd", VS_E_MISMATCH},
        {"{\"svn\":\"1\",\"report_data\":\"YWJj\"}", "ab", VS_E_MISMATCH},
        {"{\"svn\":\"1\",\"report_data\":\"YWJj\"}", "", VS_E_MISMATCH},
        {"{\"svn\":\"1\"}", "abc", VS_E_MISMATCH},
        {"{\"svn\":\"1\"}", "", VS_OK},
        {"{\"svn\":\"1\",\"report_data\":\"YWJ\"}", "ab", VS_E_PARSE},
        {"{\"svn\":1,\"report_data\":\"YWJj\"}", "abc", VS_E_INVALID},
        {"{\"report_data\":\"YWJj\"}", "abc", VS_E_INVALID},
        {"[]", "abc", VS_E_INVALID},
    };
    for (size_t i = 0; i < VS_COUNT(cases); i++)
        assert_vs_code(
            run(&a, "sample", true, cases[i].json, vs_str(cases[i].expected), (vs_span){0}, &r),
            cases[i].want);
    vs_arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_of_the_protocol_is_known_and_only_those_with_a_driver_found),
        cmocka_unit_test(aliases_are_accepted_and_never_emitted),
        cmocka_unit_test(other_names_are_unknown),
        cmocka_unit_test(report_data_is_padded_or_cut),
        cmocka_unit_test(sample_evidence_is_refused_unless_switched_on),
        cmocka_unit_test(sample_claims_are_those_of_the_interface),
        cmocka_unit_test(sample_report_data_is_compared_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
