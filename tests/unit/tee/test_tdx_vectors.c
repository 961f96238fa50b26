/* SPDX-License-Identifier: Apache-2.0 */
/* TDX quotes and Intel's collateral: the vectors of ../shared/data/tdx and az-tdx-vtpm. */
#include "collateral_file.h"
#include "crypto/helpers.h"

#include "tee/azure/vtpm.h"
#include "tee/dcap/trust.h"
#include "tee/eventlog/eventlog.h"
#include "tee/tdx/claims.h"
#include "tee/tee.h"

#define DATA    "data/tdx/"
#define AZ_DATA "data/az-tdx-vtpm/"

enum {
    JUNE_20 = 1750377600,    /* 2025-06-20: the collateral of the "uptodate" quote is valid */
    JULY_20 = 1752969600,    /* 2025-07-20: it is not */
    NOVEMBER_1 = 1761955200, /* 2025-11-01 */
};

static const char *const quotes[] = {
    DATA "tdx_quote_4.dat",         DATA "tdx_quote_5.dat",
    DATA "tdx_quote_6.dat",         DATA "qvl-tdx-quote-v4-uptodate.dat",
    DATA "cos113-tdx-quote-v4.dat", AZ_DATA "td-quote.bin"};

static dcap_quote quote_of(const char *file)
{
    dcap_quote q;
    assert_vs_ok(dcap_quote_parse(shared_file(file), &q, &err), &err);
    return q;
}

/* ---- quotes -----------------------------------------------------------------------------------
 */

static void every_quote_is_intels_and_signed_by_its_platform(void **state)
{
    (void)state;
    need_shared(DATA "tdx_quote_4.dat");
    for (size_t i = 0; i < VS_COUNT(quotes); i++) {
        dcap_quote q = quote_of(quotes[i]);
        dcap_pck pck;
        vs_certs *chain = NULL;
        assert_vs_ok(dcap_verify_quote(dcap_intel_root, &q, JUNE_20, &chain, &pck, &err), &err);
        assert_int_equal(vs_certs_count(chain), 3);
        vs_certs_free(&chain);
        assert_vs_code(dcap_verify_quote(dcap_intel_root, &q, 1000000000, NULL, &pck, &err),
                       VS_E_EXPIRED);
        uint8_t other[DCAP_POINT];
        memcpy(other, dcap_intel_root, sizeof other);
        other[64] ^= 1;
        assert_vs_code(dcap_verify_quote(other, &q, JUNE_20, NULL, &pck, &err), VS_E_UNTRUSTED);
    }
}

/* Claims of the quote alone, with report data and init data as the references have them. */
static vs_val quote_claims(const char *file)
{
    dcap_quote q = quote_of(file);
    dcap_pck pck;
    vs_obj o = {.a = &arena};
    assert_vs_ok(dcap_verify_quote(dcap_intel_root, &q, JUNE_20, NULL, &pck, &err), &err);
    tdx_put_quote(&o, &q, &pck);
    vs_obj_put(&o, "report_data", evidence_hex_claim(&arena, q.body.report_data));
    vs_obj_put(&o, "init_data", evidence_hex_claim(&arena, q.body.mr_config_id));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static void claims_of_quotes_are_those_of_the_reference(void **state)
{
    (void)state;
    need_shared(DATA "tdx_quote_5.claims.json");
    static const char *const pairs[][2] = {
        {DATA "tdx_quote_5.dat", DATA "tdx_quote_5.claims.json"},
        {DATA "tdx_quote_6.dat", DATA "tdx_quote_6.claims.json"},
        {DATA "cos113-tdx-quote-v4.dat", DATA "cos113-tdx-quote-v4.claims.json"},
    };
    for (size_t i = 0; i < VS_COUNT(pairs); i++)
        assert_true(vs_eq(quote_claims(pairs[i][0]), shared_json(pairs[i][1])));
    vs_val want = shared_json(DATA "parse_tdx_claims_expected.json");
    want = vs_with(&arena, want, vs_cstring("uefi_event_logs"), vs_undefined());
    assert_true(vs_eq(quote_claims(DATA "tdx_quote_4.dat"), want));
    assert_true(vs_is_true(vs_getc(vs_getc(want, "td_attributes"), "debug")));
}

static void no_cut_quote_verifies(void **state)
{
    (void)state;
    need_shared(DATA "tdx_quote_5.dat");
    static const char *const files[] = {DATA "tdx_quote_4.dat", DATA "tdx_quote_5.dat"};
    for (size_t i = 0; i < VS_COUNT(files); i++) {
        vs_span in = shared_file(files[i]);
        dcap_quote whole;
        assert_vs_ok(dcap_quote_parse(in, &whole, &err), &err);
        size_t end = (size_t)(whole.pck_chain.p + whole.pck_chain.n - in.p);
        for (size_t n = 0; n < end; n++) {
            dcap_quote q;
            uint8_t *exact = malloc(n ? n : 1);
            memcpy(exact, in.p, n);
            assert_vs_code(dcap_quote_parse(vs_span_of(exact, n), &q, NULL), VS_E_PARSE);
            free(exact);
        }
    }
}

/* What comes behind the signature data is nobody's, and so are line ends between PEM blocks. */
static void no_changed_byte_of_a_quote_verifies(void **state)
{
    (void)state;
    need_shared(DATA "tdx_quote_5.dat");
    vs_span in = shared_file(DATA "tdx_quote_5.dat");
    dcap_quote whole;
    uint8_t *bytes = copy_of(in);
    assert_vs_ok(dcap_quote_parse(vs_span_of(bytes, in.n), &whole, &err), &err);
    size_t pem = (size_t)(whole.pck_chain.p - bytes);
    for (size_t at = 0; at < pem; at++) {
        dcap_quote q;
        dcap_pck pck;
        bytes[at] ^= (uint8_t)(1u << at % 8);
        if (dcap_quote_parse(vs_span_of(bytes, in.n), &q, NULL) == VS_OK &&
            dcap_verify_quote(dcap_intel_root, &q, JUNE_20, NULL, &pck, NULL) == VS_OK)
            fail_msg("byte %zu does not matter", at);
        bytes[at] ^= (uint8_t)(1u << at % 8);
    }
}

/* ---- collateral -------------------------------------------------------------------------------
 */

static vs_span text_of(vs_val object, const char *key)
{
    return vs_text(vs_getc(object, key));
}

static vs_span hex_of(vs_val object, const char *key)
{
    vs_span out;
    assert_vs_ok(vs_hex_decode_arena(&arena, text_of(object, key), &out, &err), &err);
    return out;
}

static dcap_collateral up_to_date(void)
{
    vs_val c = shared_json(DATA "qvl-tdx-quote-v4-uptodate.collateral.json");
    return (dcap_collateral){.tcb_info = text_of(c, "tcb_info"),
                             .tcb_info_signature = hex_of(c, "tcb_info_signature"),
                             .qe_identity = text_of(c, "qe_identity"),
                             .qe_identity_signature = hex_of(c, "qe_identity_signature"),
                             .tcb_info_chain = text_of(c, "tcb_info_issuer_chain"),
                             .qe_identity_chain = text_of(c, "qe_identity_issuer_chain"),
                             .pck_crl_chain = text_of(c, "pck_crl_issuer_chain"),
                             .root_crl = hex_of(c, "root_ca_crl"),
                             .pck_crl = hex_of(c, "pck_crl")};
}

static void a_quote_with_collateral_gives_the_reference_claims(void **state)
{
    (void)state;
    need_shared(DATA "qvl-tdx-quote-v4-uptodate.collateral.json");
    dcap_quote q = quote_of(DATA "qvl-tdx-quote-v4-uptodate.dat");
    dcap_collateral k = up_to_date();
    dcap_result r;
    vs_obj o = {.a = &arena};
    assert_vs_ok(dcap_verify(dcap_intel_root, &q, &k, JUNE_20, &arena, &r, &err), &err);
    tdx_put_quote(&o, &q, &r.pck);
    tdx_put_verdict(&o, &r);
    vs_obj_put(&o, "report_data", evidence_hex_claim(&arena, q.body.report_data));
    vs_obj_put(&o, "init_data", evidence_hex_claim(&arena, q.body.mr_config_id));
    assert_true(vs_eq(vs_obj_end(&o, VS_DUP_REFUSE, NULL),
                      shared_json(DATA "qvl-tdx-quote-v4-uptodate.claims.json")));
}

/* Expired collateral is a finding; collateral of the future is an error. */
static void dates_are_those_of_all_that_was_relied_on(void **state)
{
    (void)state;
    need_shared(DATA "qvl-tdx-quote-v4-uptodate.collateral.json");
    dcap_quote q = quote_of(DATA "qvl-tdx-quote-v4-uptodate.dat");
    dcap_collateral k = up_to_date();
    dcap_result r;
    assert_vs_ok(dcap_verify(dcap_intel_root, &q, &k, JULY_20, &arena, &r, &err), &err);
    assert_true(r.expired);
    assert_int_equal(r.launch.status, DCAP_UP_TO_DATE);
    assert_int_equal(r.earliest_expiration, 1752919235); /* 2025-07-19T10:00:35Z */
    assert_vs_ok(dcap_verify(dcap_intel_root, &q, &k, 1752919234, &arena, &r, &err), &err);
    assert_false(r.expired);
    assert_vs_ok(dcap_verify(dcap_intel_root, &q, &k, 1752919235, &arena, &r, &err), &err);
    assert_true(r.expired);
    assert_vs_code(dcap_verify(dcap_intel_root, &q, &k, 1750000000, &arena, &r, &err),
                   VS_E_EXPIRED);
}

static void collateral_that_was_changed_or_is_anothers_is_refused(void **state)
{
    (void)state;
    need_shared(DATA "qvl-tdx-quote-v4-uptodate.collateral.json");
    dcap_quote q = quote_of(DATA "qvl-tdx-quote-v4-uptodate.dat");
    dcap_collateral good = up_to_date(), bad;
    dcap_result r;
    struct {
        vs_span *part;
        size_t step;
    } parts[] = {{&bad.tcb_info, 97},    {&bad.tcb_info_signature, 1},
                 {&bad.qe_identity, 31}, {&bad.qe_identity_signature, 1},
                 {&bad.root_crl, 7},     {&bad.pck_crl, 61}};
    for (size_t i = 0; i < VS_COUNT(parts); i++) {
        bad = good;
        uint8_t *copy = copy_of(*parts[i].part);
        *parts[i].part = vs_span_of(copy, parts[i].part->n);
        for (size_t at = 0; at < parts[i].part->n; at += parts[i].step) {
            copy[at] ^= 1;
            if (dcap_verify(dcap_intel_root, &q, &bad, JUNE_20, &arena, &r, NULL) == VS_OK)
                fail_msg("part %zu: byte %zu does not matter", i, at);
            copy[at] ^= 1;
        }
        *parts[i].part = (vs_span){NULL, 0};
        assert_int_not_equal(dcap_verify(dcap_intel_root, &q, &bad, JUNE_20, &arena, &r, NULL),
                             VS_OK);
    }
    bad = good; /* the two lists in each other's place */
    bad.root_crl = good.pck_crl;
    assert_vs_code(dcap_verify(dcap_intel_root, &q, &bad, JUNE_20, &arena, &r, &err),
                   VS_E_UNTRUSTED);
    bad = good;
    bad.pck_crl = good.root_crl;
    assert_vs_code(dcap_verify(dcap_intel_root, &q, &bad, JUNE_20, &arena, &r, &err),
                   VS_E_UNTRUSTED);
    bad = good; /* signed by Intel, but not as this document */
    bad.tcb_info = good.qe_identity;
    bad.tcb_info_signature = good.qe_identity_signature;
    assert_vs_code(dcap_verify(dcap_intel_root, &q, &bad, JUNE_20, &arena, &r, &err),
                   VS_E_UNSUPPORTED);
    bad = good; /* a chain of Intel's that signs PCKs, not TCBs */
    bad.tcb_info_chain = good.pck_crl_chain;
    assert_vs_code(dcap_verify(dcap_intel_root, &q, &bad, JUNE_20, &arena, &r, &err),
                   VS_E_UNTRUSTED);
    q = quote_of(DATA "tdx_quote_6.dat"); /* another kind of platform */
    assert_vs_code(dcap_verify(dcap_intel_root, &q, &good, JUNE_20, &arena, &r, &err),
                   VS_E_MISMATCH);
    assert_non_null(strstr(err.text, "another kind of platform"));
}

/* That set has no revocation lists: signatures and levels only. */
static void an_old_platform_is_out_of_date(void **state)
{
    (void)state;
    need_shared(DATA "tcbInfo.json");
    dcap_quote q = quote_of(DATA "tdx_quote_6.dat");
    dcap_pck pck;
    dcap_tcb_info info;
    dcap_qe_identity id;
    dcap_verdict launch, current;
    assert_vs_ok(dcap_verify_quote(dcap_intel_root, &q, NOVEMBER_1, NULL, &pck, &err), &err);
    assert_vs_ok(dcap_tcb_info_read(&arena, vs_getc(shared_json(DATA "tcbInfo.json"), "tcbInfo"),
                                    &info, &err),
                 &err);
    assert_vs_ok(dcap_qe_identity_read(
                     &arena, vs_getc(shared_json(DATA "enclaveIdentity.json"), "enclaveIdentity"),
                     &id, &err),
                 &err);
    assert_memory_equal(info.fmspc, pck.fmspc, 6);
    assert_vs_ok(dcap_check_module(&info, &q.body, &err), &err);
    assert_vs_ok(dcap_check_qe(&id, &q.qe, &err), &err);
    assert_vs_ok(dcap_evaluate(&arena, &info, &id, &pck, &q, &launch, &current, &err), &err);
    assert_string_equal(dcap_status_name(launch.status), "OutOfDate");
    assert_int_equal(launch.date, 1515024000); /* 2018-01-04 */
    assert_int_equal(launch.advisories.len, 0);
}

/* ---- the driver with a file of Intel's client tool ---------------------------------------------
 */

/* Every byte as an escape: more than the tool does, and as good. */
static vs_code run(dcap_trust *trust, vs_val evidence, vs_span report_data, vs_span init_data,
                   vs_tee_result *out)
{
    vs_tee_trust all = {.dcap = trust};
    vs_tee_expect expect = {.report_data = report_data, .init_data = init_data, .now = JUNE_20};
    vs_tee_result results[VS_TEE_RESULTS_MAX] = {{0}};
    size_t n = 99;
    vs_code code =
        vs_tee_find(VS_LIT("tdx"))->verify(&all, evidence, &expect, &arena, results, &n, &err);
    assert_int_equal(n, code == VS_OK ? 1 : 0);
    *out = results[0];
    return code;
}

static vs_val evidence_of(vs_span quote, vs_val log)
{
    vs_obj o = {.a = &arena};
    vs_obj_put(&o, "quote", vs_string(vs_b64_encode_arena(&arena, VS_B64_STD, quote)));
    vs_obj_opt(&o, "cc_eventlog", log);
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static void the_driver_reads_the_file_of_intels_client_tool(void **state)
{
    (void)state;
    need_shared(DATA "qvl-tdx-quote-v4-uptodate.collateral.json");
    char path[] = "/tmp/vouchsafe-test-XXXXXX";
    vs_buf text = VS_BUF(1 << 20);
    dcap_collateral k = up_to_date();
    dcap_trust *trust = NULL;
    vs_tee_result r;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    put_collateral_file(&text, "B0C06F000000", &k);
    assert_vs_ok(vs_write_fd(fd, vs_buf_span(&text), &err), &err);
    assert_vs_ok(dcap_trust_new(&(dcap_trust_options){.file = path}, &trust, &err), &err);
    assert_string_equal(dcap_trust_file(trust), path);
    vs_span quote = shared_file(DATA "qvl-tdx-quote-v4-uptodate.dat");
    vs_span report_data = vs_span_of(quote.p + 48 + 520, 64);
    static const uint8_t zeros[64];
    vs_val e = evidence_of(quote, vs_null());
    assert_vs_ok(run(trust, e, report_data, vs_span_of(zeros, 48), &r), &err);
    vs_val got = vs_with(&arena, r.claims, vs_cstring("report_data"), r.report_data);
    got = vs_with(&arena, got, vs_cstring("init_data"), r.init_data);
    assert_true(vs_eq(got, shared_json(DATA "qvl-tdx-quote-v4-uptodate.claims.json")));
    assert_vs_code(run(trust, e, vs_span_head(report_data, 48), nothing, &r), VS_E_MISMATCH);
    assert_vs_code(run(trust, e, report_data, VS_LIT("init data"), &r), VS_E_MISMATCH);
    /* Log marks and empty logs are the same as none; the log of another machine is not. */
    assert_vs_ok(run(trust, evidence_of(quote, vs_cstring("")), report_data, nothing, &r), &err);
    vs_span log = vs_b64_encode_arena(&arena, VS_B64_STD, shared_file(DATA "cos113-ccel.bin"));
    assert_vs_code(run(trust, evidence_of(quote, vs_string(log)), report_data, nothing, &r),
                   VS_E_MISMATCH);
    /* A platform that the file does not know, a file that breaks, and one that is whole again. */
    assert_vs_code(run(trust, evidence_of(shared_file(DATA "tdx_quote_5.dat"), vs_null()), nothing,
                       nothing, &r),
                   VS_E_NOT_FOUND);
    assert_non_null(strstr(err.text, "90c06f000000"));
    assert_vs_ok(vs_write_file(path, VS_LIT("{"), 0600, &err), &err);
    assert_vs_code(run(trust, e, report_data, nothing, &r), VS_E_PARSE);
    assert_vs_ok(vs_write_file(path, vs_buf_span(&text), 0600, &err), &err);
    assert_vs_ok(run(trust, e, report_data, nothing, &r), &err);
    assert_int_equal(unlink(path), 0);
    assert_vs_code(run(trust, e, report_data, nothing, &r), VS_E_NOT_FOUND);
    (void)close(fd);
    dcap_trust_free(&trust);
    assert_vs_code(dcap_trust_new(&(dcap_trust_options){.file = path}, &trust, &err),
                   VS_E_NOT_FOUND);
    assert_vs_ok(dcap_trust_new(&(dcap_trust_options){.file = NULL}, &trust, &err), &err);
    assert_vs_code(run(trust, e, report_data, nothing, &r), VS_E_UNSUPPORTED);
    dcap_trust_free(&trust);
    assert_vs_code(run(NULL, e, report_data, nothing, &r), VS_E_UNSUPPORTED);
    vs_buf_free(&text);
}

static void the_log_of_a_quote_replays_to_its_registers(void **state)
{
    (void)state;
    need_shared(DATA "cos113-ccel.bin");
    dcap_quote q = quote_of(DATA "cos113-tdx-quote-v4.dat");
    eventlog log;
    assert_vs_ok(eventlog_parse(&arena, shared_file(DATA "cos113-ccel.bin"), &log, &err), &err);
    eventlog_register regs[4];
    for (unsigned i = 0; i < 4; i++)
        regs[i] = (eventlog_register){i + 1, "RTMR", q.body.rtmr[i]};
    assert_vs_ok(eventlog_match(&log, VS_SHA384, regs, 4, &err), &err);
    q = quote_of(DATA "tdx_quote_4.dat");
    for (unsigned i = 0; i < 4; i++)
        regs[i].value = q.body.rtmr[i];
    assert_vs_code(eventlog_match(&log, VS_SHA384, regs, 4, &err), VS_E_MISMATCH);
}

/* ---- Azure ------------------------------------------------------------------------------------
 */

static void the_parts_of_an_azure_machine_fit_each_other(void **state)
{
    (void)state;
    need_shared(AZ_DATA "evidence-v1.json");
    static const az_names names = {.type = HCL_TDX, .endorsement = "td_quote"};
    az_evidence e;
    tpm_quote tpm;
    dcap_pck pck;
    vs_obj o = {.a = &arena};
    vs_tee_expect expect = {.report_data = VS_LIT("challenge"), .now = JUNE_20};
    vs_val json = shared_json(AZ_DATA "evidence-v1.json");
    dcap_quote q = quote_of(AZ_DATA "td-quote.bin");
    assert_vs_ok(az_read(&arena, json, &names, &e, &err), &err);
    assert_vs_ok(dcap_verify_quote(dcap_intel_root, &q, JUNE_20, NULL, &pck, &err), &err);
    assert_vs_ok(hcl_check_binding(&e.report, q.body.report_data, &err), &err);
    assert_span_eq(vs_span_of(e.report.hardware.p + 128, 64), q.body.report_data);
    assert_vs_ok(az_verify_tpm(&arena, &e, &expect, &tpm, &err), &err);
    tdx_put_quote(&o, &q, &pck);
    vs_tee_result r = az_result(&o, &e, &tpm);
    vs_val got = vs_with(&arena, r.claims, vs_cstring("report_data"), r.report_data);
    got = vs_with(&arena, got, vs_cstring("init_data"), r.init_data);
    assert_true(vs_eq(got, shared_json(AZ_DATA "evidence-v1.claims.json")));
    uint8_t *report = copy_of(shared_file(AZ_DATA "hcl-report.bin"));
    hcl_report hcl;
    report[0x880] ^= 1;
    vs_code code = hcl_parse(&arena, vs_span_of(report, 2600), HCL_TDX, &hcl, &err);
    assert_true(code != VS_OK ||
                hcl_check_binding(&hcl, q.body.report_data, &err) == VS_E_MISMATCH);
    /* The driver itself needs collateral for that platform. */
    dcap_trust *trust = NULL;
    vs_tee_trust all = {.dcap = NULL};
    vs_tee_result results[VS_TEE_RESULTS_MAX];
    size_t n;
    const vs_tee_driver *d = vs_tee_find(VS_LIT("az-tdx-vtpm"));
    assert_vs_code(d->verify(&all, json, &expect, &arena, results, &n, &err), VS_E_UNSUPPORTED);
    assert_vs_ok(dcap_trust_new(&(dcap_trust_options){.file = NULL}, &trust, &err), &err);
    all.dcap = trust;
    assert_vs_code(d->verify(&all, json, &expect, &arena, results, &n, &err), VS_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "collateral_service"));
    dcap_trust_free(&trust);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_arena(every_quote_is_intels_and_signed_by_its_platform),
        in_arena(claims_of_quotes_are_those_of_the_reference),
        in_arena(no_cut_quote_verifies),
        in_arena(no_changed_byte_of_a_quote_verifies),
        in_arena(a_quote_with_collateral_gives_the_reference_claims),
        in_arena(dates_are_those_of_all_that_was_relied_on),
        in_arena(collateral_that_was_changed_or_is_anothers_is_refused),
        in_arena(an_old_platform_is_out_of_date),
        in_arena(the_driver_reads_the_file_of_intels_client_tool),
        in_arena(the_log_of_a_quote_replays_to_its_registers),
        in_arena(the_parts_of_an_azure_machine_fit_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
