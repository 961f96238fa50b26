/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attesters of Azure's confidential machines, against swtpm behind a paravisor of the tests,
 * and the project's own verifiers. Skipped, saying so, where swtpm is not installed.
 */
#include "azure_machine.h"

static const vs_span none = {NULL, 0};
#define CHALLENGE VS_LIT("forty-eight bytes, as of a SHA-384 digest, are it")

static vs_span challenge(void)
{
    return vs_span_head(CHALLENGE, 48);
}

static vs_code try_detect(const machine *m, attester **out, vs_error *err)
{
    const attester_config cfg = {
        .tsm_path = NULL, .tpm_path = m->path, .imds_url = m->url, .allow_sample = true};
    vs_code code = attester_detect(&cfg, out, err);
    if (code == VS_OK)
        (*out)->patience_ms = 3000;
    return code;
}

static attester *detect(const machine *m)
{
    attester *a = NULL;
    vs_error err = {0};
    assert_vs_ok(try_detect(m, &a, &err), &err);
    assert_string_equal(attester_tee(a), m->type == HCL_SNP ? "az-snp-vtpm" : "az-tdx-vtpm");
    return a;
}

static vs_val evidence_of(machine *m, attester *a, vs_span report_data)
{
    vs_buf json = VS_BUF(1 << 18);
    vs_error err = {0};
    vs_val v;
    assert_vs_ok(attester_evidence(a, report_data, &json, &err), &err);
    assert_vs_ok(vs_json_parse(&m->tpm.a, vs_dup(&m->tpm.a, vs_buf_span(&json)), NULL, &v, &err),
                 &err);
    vs_buf_free(&json);
    return v;
}

static vs_code verify(machine *m, vs_val evidence, vs_span report_data, vs_span init_data,
                      vs_error *err)
{
    vs_tee_trust trust = {.snp = m->snp_trust, .dcap = m->dcap_trust};
    vs_tee_expect expect = {.report_data = report_data,
                            .init_data = init_data,
                            .now = SOFT_NOW}; /* SOFT_DCAP_NOW too */
    vs_tee_result results[VS_TEE_RESULTS_MAX];
    size_t n;
    return vs_tee_find(vs_str(m->type == HCL_SNP ? "az-snp-vtpm" : "az-tdx-vtpm"))
        ->verify(&trust, evidence, &expect, &m->tpm.a, results, &n, err);
}

static void assert_fails(attester *a, vs_code want, const char *why)
{
    vs_buf json = VS_BUF(1 << 18);
    vs_error err = {0};
    char text[VS_ERROR_TEXT];
    vs_code code = attester_evidence(a, challenge(), &json, &err);
    if (code != want || !strstr(vs_error_text(&err, text, sizeof text), why))
        fail_msg("got %s \"%s\", want %s \"%s\"", vs_code_name(code),
                 vs_error_text(&err, text, sizeof text), vs_code_name(want), why);
    vs_buf_free(&json);
}

/* ---- what verifies ----------------------------------------------------------------------------
 */

static void evidence_verifies(hcl_type type)
{
    machine m;
    vs_error err = {0};
    if (!have_swtpm())
        skip();
    machine_start(&m, type);
    vs_span digest = VS_LIT("digest of the init data, 32 byte"), other = VS_LIT("another one");
    attester *a = detect(&m);
    m.late = 3;
    vs_val v = evidence_of(&m, a, challenge());
    assert_vs_ok(verify(&m, v, challenge(), none, &err), &err);
    assert_vs_code(verify(&m, v, other, none, NULL), VS_E_MISMATCH);
    assert_vs_code(verify(&m, v, challenge(), digest, NULL), VS_E_MISMATCH);
    for (int start = 0; start < 2; start++) /* the agent is started again */
        assert_vs_ok(attester_check_init_data(a, digest, &err), &err);
    m.late = 1;
    v = evidence_of(&m, a, other); /* shorter: nothing of the one before is left */
    assert_vs_ok(verify(&m, v, other, digest, &err), &err);
    attester_free(&a);
    machine_stop(&m);
}

static void evidence_of_snp_verifies_with_its_challenge_and_init_data_only(void **state)
{
    (void)state;
    evidence_verifies(HCL_SNP);
}

static void evidence_of_tdx_verifies_with_its_challenge_and_init_data_only(void **state)
{
    (void)state;
    evidence_verifies(HCL_TDX);
}

static void the_metadata_service_is_asked_without_the_environments_proxy(void **state)
{
    static const char *const names[] = {"http_proxy", "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < VS_COUNT(names); i++)
        assert_int_equal(setenv(names[i], "http://127.0.0.1:1", 1), 0);
    evidence_of_snp_verifies_with_its_challenge_and_init_data_only(state);
    for (size_t i = 0; i < VS_COUNT(names); i++)
        assert_int_equal(unsetenv(names[i]), 0);
}

/* Other programs define it with the size of their report data. */
static void an_index_for_user_data_of_any_size_is_used(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 48, 64, 65, 512, 513};
    machine m;
    vs_error err = {0};
    if (!have_swtpm())
        skip();
    machine_start(&m, HCL_SNP);
    attester *a = detect(&m);
    for (size_t i = 0; i < VS_COUNT(sizes); i++) {
        char data[8];
        size_t n;
        (void)snprintf(data, sizeof data, "data %zu", i);
        put_index(m.tpm.fd, USER_DATA_INDEX, VS_LIT("what another program wants"), sizes[i]);
        vs_val v = evidence_of(&m, a, vs_str(data));
        assert_vs_ok(verify(&m, v, vs_str(data), none, &err), &err);
        assert_vs_ok(tpm_nv_size(m.tpm.fd, USER_DATA_INDEX, &n, &err), &err);
        assert_int_equal(n, sizes[i] < 64 || sizes[i] > 512 ? 64 : sizes[i]);
    }
    attester_free(&a);
    machine_stop(&m);
}

/* ---- detection --------------------------------------------------------------------------------
 */

static void azure_comes_before_a_plain_tpm_and_is_never_taken_for_one(void **state)
{
    (void)state;
    machine m;
    attester *a = NULL;
    vs_error err = {0};
    vs_buf report = VS_BUF(1 << 14);
    if (!have_swtpm())
        skip();
    machine_start(&m, HCL_SNP);
    keep_key(&m.tpm, 0x81010002); /* where a plain TPM has its key */
    a = detect(&m);
    attester_free(&a);
    machine_report(&m, none, &report);
    m.late = -1;
    static const size_t cuts[] = {4, 31, 1216, 1227, 1300};
    for (size_t i = 0; i < VS_COUNT(cuts); i++) {
        put_index(m.tpm.fd, REPORT_INDEX, vs_buf_span(&report), cuts[i]);
        if (cuts[i] < 1228) {
            assert_vs_code(try_detect(&m, &a, &err), VS_E_PARSE);
            assert_null(a);
        } else {
            a = detect(&m); /* whose report it is can be told; the rest of it breaks later */
            assert_fails(a, VS_E_PARSE, "HCL report");
            attester_free(&a);
        }
    }
    /* Not Azure's, or a machine of Azure's whose hardware proves nothing. */
    for (unsigned i = 0; i < 2; i++) {
        i == 0 ? (void)(report.p[1224] = 1) : (void)(report.p[0] = 'X');
        put_index(m.tpm.fd, REPORT_INDEX, vs_buf_span(&report), INDEX_SIZE);
        assert_vs_ok(try_detect(&m, &a, &err), &err);
        assert_string_equal(attester_tee(a), "tpm");
        attester_free(&a);
    }
    /* An index of this number that was never written. */
    vs_buf public = VS_BUF(100), nothing = VS_BUF(1);
    nv_command(m.tpm.fd, 0x122, REPORT_INDEX, &nothing);
    put_public(&public, REPORT_INDEX, 100);
    nv_command(m.tpm.fd, 0x12a, 0, &public);
    assert_vs_ok(try_detect(&m, &a, &err), &err);
    assert_string_equal(attester_tee(a), "tpm");
    attester_free(&a);
    vs_buf_free(&public);
    vs_buf_free(&report);
    machine_stop(&m);
}

static void a_report_cut_anywhere_is_no_machine(void **state)
{
    (void)state;
    uint8_t head[1232] = "HCLA";
    hcl_type type;
    head[1224] = HCL_TDX;
    for (size_t n = 0; n < 1228; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        memcpy(exact, head, n);
        assert_vs_code(hcl_find_type(vs_span_of(exact, n), &type, NULL),
                       n < 4 ? VS_E_NOT_FOUND : VS_E_PARSE);
        free(exact);
    }
    assert_vs_code(hcl_find_type(vs_span_of(head, 1228), &type, NULL), VS_OK);
    assert_int_equal(type, HCL_TDX);
    static const uint8_t public[] = {0, 14, 1, 0x40, 0, 1, 0, 0x0b, 0, 2, 0, 2, 0, 0, 0x0a, 0x28};
    size_t size;
    for (size_t n = 0; n < sizeof public; n++)
        assert_vs_code(tpm_nv_public_parse(vs_span_of(public, n), REPORT_INDEX, &size, NULL),
                       VS_E_PARSE);
    assert_vs_code(
        tpm_nv_public_parse(vs_span_of(public, sizeof public), REPORT_INDEX, &size, NULL), VS_OK);
    assert_int_equal(size, 2600);
    assert_vs_code(tpm_nv_public_parse(vs_span_of(public, sizeof public), 1, &size, NULL),
                   VS_E_INVALID);
}

/* ---- what does not ----------------------------------------------------------------------------
 */

static void reports_that_lie_or_are_for_others_give_no_evidence(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        vs_code code;
        const char *why;
    } lies[] = {
        {1232, 1, VS_E_INVALID, "do not agree"}, /* the size of the data */
        {1235, 0xff, VS_E_PARSE, "announced"},
        {8, 0, VS_E_INVALID, "do not agree"},
        {16, 1, VS_E_INVALID, "status"},
        {1228, 2, VS_E_UNSUPPORTED, "digest type 2"},
        {1300, 1, VS_E_PARSE, "variable data"},
        {32 + 0x50, 0, VS_E_MISMATCH, "digest of the HCL report"},
    };
    machine m;
    vs_buf report = VS_BUF(1 << 14);
    if (!have_swtpm())
        skip();
    machine_start(&m, HCL_SNP);
    attester *a = detect(&m);
    a->patience_ms = 1000;
    m.late = -1;
    assert_fails(a, VS_E_MISMATCH, "the paravisor made no report for this challenge");
    a->patience_ms = 100;
    for (size_t i = 0; i < VS_COUNT(lies); i++) {
        vs_buf_clear(&report);
        machine_report(&m, challenge(), &report);
        report.p[lies[i].at] = report.p[lies[i].at] == lies[i].value ? 7 : lies[i].value;
        put_index(m.tpm.fd, REPORT_INDEX, vs_buf_span(&report), INDEX_SIZE);
        assert_fails(a, lies[i].code, lies[i].why);
    }
    assert_int_equal(m.imds_calls, 0);
    vs_buf_free(&report);
    attester_free(&a);
    machine_stop(&m);
}

static void another_key_and_other_registers_give_no_evidence(void **state)
{
    (void)state;
    machine m;
    vs_error err = {0};
    vs_key *other = NULL;
    if (!have_swtpm())
        skip();
    machine_start(&m, HCL_SNP);
    attester *a = detect(&m);
    m.select = 0xfff7ff;
    assert_fails(a, VS_E_INVALID, "not exactly registers 0 to 23");
    m.select = 0;
    vs_key *ours = m.ak;
    assert_vs_ok(vs_key_generate(VS_KEY_RSA, &other, &err), &err);
    m.ak = other; /* the report vouches for a key that the TPM does not have */
    assert_fails(a, VS_E_CRYPTO, "quote by the key at handle 0x81000003");
    vs_key_free(&other);
    m.ak = ours;
    m.tpm.key = AZURE_AK; /* gone */
    keep_key(&m.tpm, AZURE_AK);
    assert_fails(a, VS_E_IO, "quote by the key at handle 0x81000003");
    attester_free(&a);
    machine_stop(&m);
}

static void a_metadata_service_that_fails_gives_a_clear_error(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *answer;
        vs_code code;
        const char *why;
    } bad[] = {
        {500, "out of order", VS_E_IO, "answers HTTP 500: out of order"},
        {500, "\x1b[2J\nready", VS_E_IO, "answers HTTP 500: \\x1b[2J\\x0aready"},
        {302, "", VS_E_IO, "answers HTTP 302"},
        {200, "", VS_E_PARSE, "answer of http://127.0.0.1"},
        {200, "[]", VS_E_INVALID, "answers no object"},
        {200, "{\"vcekCert\":1}", VS_E_INVALID, "vcekCert"},
        {200, "{\"vcekCert\":\"not PEM\"}", VS_E_PARSE, "vcekCert"},
    };
    machine m;
    if (!have_swtpm())
        skip();
    machine_start(&m, HCL_SNP);
    attester *a = detect(&m);
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        m.imds_status = bad[i].status;
        m.imds_answer = bad[i].answer;
        assert_fails(a, bad[i].code, bad[i].why);
    }
    m.imds_status = 200;
    m.imds_answer = NULL;
    m.imds_wait_ms = 1500;
    a->patience_ms = 500;
    assert_fails(a, VS_E_TIMEOUT, "metadata service");
    vs_http_server_stop(&m.imds, 5000);
    a->patience_ms = 3000;
    assert_fails(a, VS_E_IO, "metadata service");
    attester_free(&a);
    machine_stop(&m);
}

static void a_quote_for_another_report_is_not_sent(void **state)
{
    (void)state;
    static const char *const bad[] = {"{\"quote\":\"AAAA\"}", "{\"quote\":[1]}", "{}"};
    machine m;
    vs_buf text = VS_BUF(1 << 16), quote = VS_BUF(1 << 15);
    if (!have_swtpm())
        skip();
    machine_start(&m, HCL_TDX);
    attester *a = detect(&m);
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        m.imds_answer = bad[i];
        assert_fails(a, i == 0 ? VS_E_PARSE : VS_E_INVALID, "metadata service");
    }
    soft_quote(&m.dcap, &quote);
    vs_buf_puts(&text, "{\"quote\":\"");
    vs_b64_encode(&text, VS_B64_URL, vs_buf_span(&quote));
    vs_buf_puts(&text, "\"}");
    vs_buf_putc(&text, 0);
    m.imds_answer = (const char *)text.p;
    assert_fails(a, VS_E_MISMATCH, "for another report");
    vs_buf_free(&text);
    vs_buf_free(&quote);
    attester_free(&a);
    machine_stop(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evidence_of_snp_verifies_with_its_challenge_and_init_data_only),
        cmocka_unit_test(evidence_of_tdx_verifies_with_its_challenge_and_init_data_only),
        cmocka_unit_test(the_metadata_service_is_asked_without_the_environments_proxy),
        cmocka_unit_test(an_index_for_user_data_of_any_size_is_used),
        cmocka_unit_test(azure_comes_before_a_plain_tpm_and_is_never_taken_for_one),
        cmocka_unit_test(a_report_cut_anywhere_is_no_machine),
        cmocka_unit_test(reports_that_lie_or_are_for_others_give_no_evidence),
        cmocka_unit_test(another_key_and_other_registers_give_no_evidence),
        cmocka_unit_test(a_metadata_service_that_fails_gives_a_clear_error),
        cmocka_unit_test(a_quote_for_another_report_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
