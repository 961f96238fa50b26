/* SPDX-License-Identifier: Apache-2.0 */
/* AMD's certificates as they are built in, and the vectors of ../shared/data/snp. */
#include "crypto/helpers.h"

#include "tee/snp/verify.h"
#include "tee/tee.h"

#define DATA "data/snp/"

enum { MID_2025 = 1748736000 }; /* 2025-06-01: all certificates of the vectors are valid */

static snp_trust *trust;

static int setup(void **state)
{
    arena_setup(state);
    assert_vs_ok(snp_trust_new(NULL, &trust, &err), &err);
    return 0;
}

static int teardown(void **state)
{
    snp_trust_free(&trust);
    return arena_teardown(state);
}

/* ---- roots ------------------------------------------------------------------------------------
 */

static void assert_digest(const vs_certs *c, const char *want)
{
    vs_buf der = VS_BUF(1 << 14);
    uint8_t md[VS_HASH_MAX];
    assert_vs_ok(vs_certs_der(c, 0, &der, &err), &err);
    assert_vs_ok(vs_digest(VS_SHA256, vs_buf_span(&der), nothing, nothing, md, &err), &err);
    assert_span_eq(vs_span_of(md, 32), hex(want));
    vs_buf_free(&der);
}

static void the_roots_are_those_that_amd_publishes(void **state)
{
    (void)state;
    static const char *const digests[SNP_GENERATIONS][3] = {
        {"67d303bd3905fd38db8b20e0793699870e7fa612eaad5dec358293fd8c0bac1b",
         "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd",
         "c5e081f59b7efab1fe2f8b505e159704e72f29cab7ef7cf628a05a42439082f5"},
        {"5464738c1546aed5f2cecf1dc98c5c960a92e8913238a61711bc90ec6e828521",
         "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1",
         "197e610743a917d6b9bb982a5a9226ccc0a15b611be0619e626aca9151457372"},
        {"5b77ef5fe7a7a004fd9032668fba9d0fda22f88c4442069a479636a6ae3b3185",
         "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a",
         "104e10a8bd060a3c20a434261a57d0588fd65a88915b4f65b08bdecaf8df1a3c"},
    };
    for (size_t g = 0; g < SNP_GENERATIONS; g++) {
        const snp_roots *r = snp_trust_roots(trust, (snp_generation)g);
        assert_digest(r->ask, digests[g][0]);
        assert_digest(r->ark, digests[g][1]);
        assert_digest(r->asvk, digests[g][2]);
        const vs_certs *const intermediates[] = {r->ask, r->asvk};
        for (size_t i = 0; i < 2; i++)
            assert_vs_ok(vs_certs_verify(intermediates[i], r->ark, MID_2025, &err), &err);
    }
}

/* ---- evidence ---------------------------------------------------------------------------------
 */

static vs_code run(vs_val evidence, vs_span report_data, vs_span init_data, int64_t now,
                   vs_tee_result *out)
{
    vs_tee_trust all = {.snp = trust};
    vs_tee_expect expect = {.report_data = report_data, .init_data = init_data, .now = now};
    vs_tee_result results[VS_TEE_RESULTS_MAX] = {{0}};
    size_t n = 99;
    vs_code code =
        vs_tee_find(VS_LIT("snp"))->verify(&all, evidence, &expect, &arena, results, &n, &err);
    assert_int_equal(n, code == VS_OK ? 1 : 0);
    *out = results[0];
    return code;
}

static void genoa_evidence_gives_the_reference_claims(void **state)
{
    (void)state;
    need_shared(DATA "evidence-genoa-v3.json");
    vs_tee_result r;
    vs_val evidence = shared_json(DATA "evidence-genoa-v3.json");
    vs_val want = shared_json(DATA "evidence-genoa-v3.claims.json");
    vs_span bytes = shared_file(DATA "evidence-genoa-v3.report.bin");
    uint8_t encoded[SNP_REPORT_SIZE];
    assert_vs_ok(snp_report_encode(&arena, vs_getc(evidence, "attestation_report"), encoded, &err),
                 &err);
    assert_span_eq(vs_span_of(encoded, sizeof encoded), bytes);
    vs_span report_data = vs_span_of(bytes.p + 0x50, 64);
    assert_vs_ok(run(evidence, report_data, nothing, MID_2025, &r), &err);
    vs_val claims = vs_with(&arena, r.claims, vs_cstring("report_data"), r.report_data);
    claims = vs_with(&arena, claims, vs_cstring("init_data"), r.init_data);
    assert_true(vs_eq(claims, want));
    assert_string_equal(r.tee_class, "cpu");
    /* Without expectations it verifies as well; at another time or for others it does not. */
    assert_vs_ok(run(evidence, nothing, nothing, MID_2025, &r), &err);
    assert_vs_code(run(evidence, report_data, nothing, 1700000000, &r), VS_E_EXPIRED);
    assert_vs_code(run(evidence, report_data, nothing, INT64_C(2000000000), &r), VS_E_EXPIRED);
    assert_vs_code(run(evidence, vs_span_head(report_data, 48), nothing, MID_2025, &r),
                   VS_E_MISMATCH);
    assert_vs_code(run(evidence, report_data, VS_LIT("x"), MID_2025, &r), VS_E_MISMATCH);
}

/* Report and certificate of a file each; the lowest bit of a byte may be flipped. */
static vs_code check(const char *report_file, size_t flip_at, const char *cert_file, bool vlek,
                     int64_t now)
{
    uint8_t *bytes = copy_of(shared_file(report_file));
    snp_report r;
    snp_given given = {0};
    vs_span csp;
    if (flip_at)
        bytes[flip_at] ^= 1;
    VS_TRY(snp_report_parse(vs_span_of(bytes, SNP_REPORT_SIZE), &r, &err));
    *(vlek ? &given.vlek : &given.vcek) = shared_file(cert_file);
    return snp_verify(trust, &r, &given, now, &arena, &csp, &err);
}

static void a_vlek_report_verifies_while_the_vlek_is_valid(void **state)
{
    (void)state;
    need_shared(DATA "test-vlek-report.bin");
    assert_vs_ok(check(DATA "test-vlek-report.bin", 0, DATA "test-vlek.der", true, MID_2025), &err);
    assert_vs_code(check(DATA "test-vlek-report.bin", 0, DATA "test-vlek.der", true, 1767225600),
                   VS_E_EXPIRED);
    assert_vs_code(check(DATA "test-vlek-report.bin", 42, DATA "test-vlek.der", true, MID_2025),
                   VS_E_CRYPTO);
    assert_vs_code(check(DATA "test-vlek-report.bin", 0x180, DATA "test-vlek.der", true, MID_2025),
                   VS_E_MISMATCH);
    /* The chip's certificate is not what this report asks for. */
    assert_vs_code(check(DATA "test-vlek-report.bin", 0, DATA "test-vcek.der", true, MID_2025),
                   VS_E_UNTRUSTED);
    assert_vs_code(check(DATA "test-vlek-report.bin", 0, DATA "test-vcek.der", false, MID_2025),
                   VS_E_NOT_FOUND);
    /* As evidence it is refused for its VMPL: see test_snp.c. */
}

static void reports_that_do_not_tell_the_processor_are_refused(void **state)
{
    (void)state;
    need_shared(DATA "test-report.bin");
    static const char *const files[] = {DATA "test-report.bin", DATA "sev-report-milan-v2.bin"};
    for (size_t i = 0; i < VS_COUNT(files); i++) {
        snp_report r;
        assert_vs_code(snp_report_parse(shared_file(files[i]), &r, &err), VS_E_UNSUPPORTED);
        assert_non_null(strstr(err.text, "update the firmware"));
    }
}

/* Chain, signature and TCB of the version 2 reports, which no evidence can have, by hand. */
static void milan_certificates_chain_and_their_keys_signed_the_reports(void **state)
{
    (void)state;
    need_shared(DATA "test-report.bin");
    static const struct {
        const char *report, *cert;
    } pairs[] = {{DATA "test-report.bin", DATA "test-vcek.der"},
                 {DATA "sev-report-milan-v2.bin", DATA "sev-vcek-milan.der"}};
    for (size_t i = 0; i < VS_COUNT(pairs); i++) {
        const snp_roots *roots = snp_trust_roots(trust, SNP_MILAN);
        vs_certs *c = NULL;
        vs_key *key = NULL;
        vs_span report = shared_file(pairs[i].report), part = vs_span_head(report, SNP_SIGNED_SIZE);
        uint8_t rs[96];
        for (unsigned k = 0; k < 48; k++) {
            rs[k] = report.p[0x2a0 + 47 - k];
            rs[48 + k] = report.p[0x2e8 + 47 - k];
        }
        assert_vs_ok(snp_certificate(shared_file(pairs[i].cert), &c, &err), &err);
        assert_vs_ok(vs_certs_add(c, roots->ask, &err), &err);
        assert_vs_ok(vs_certs_verify(c, roots->ark, MID_2025, &err), &err);
        assert_vs_code(vs_certs_verify(c, snp_trust_roots(trust, SNP_GENOA)->ark, MID_2025, &err),
                       VS_E_UNTRUSTED);
        assert_vs_ok(vs_certs_key(c, 0, &key, &err), &err);
        assert_vs_ok(vs_verify(key, VS_ES384, &part, 1, vs_span_of(rs, 96), &err), &err);
        vs_span id;
        assert_vs_ok(vs_certs_extension(c, 0, "1.3.6.1.4.1.3704.1.4", &id, &err), &err);
        assert_span_eq(id, vs_span_of(report.p + 0x1a0, 64));
        vs_key_free(&key);
        vs_certs_free(&c);
    }
}

static void an_altered_certificate_chains_to_no_root(void **state)
{
    (void)state;
    need_shared(DATA "test-vcek-invalid-legacy.der");
    for (size_t g = 0; g < SNP_GENERATIONS; g++) {
        const snp_roots *roots = snp_trust_roots(trust, (snp_generation)g);
        const vs_certs *const issuers[] = {roots->ask, roots->asvk};
        for (size_t i = 0; i < 2; i++) {
            vs_certs *c = NULL;
            vs_span id;
            assert_vs_ok(
                snp_certificate(shared_file(DATA "test-vcek-invalid-legacy.der"), &c, &err), &err);
            assert_vs_ok(vs_certs_extension(c, 0, "1.3.6.1.4.1.3704.1.4", &id, &err), &err);
            for (unsigned k = 0; k < 64; k++)
                assert_int_equal(id.p[k], k);
            assert_vs_ok(vs_certs_add(c, issuers[i], &err), &err);
            assert_vs_code(vs_certs_verify(c, roots->ark, MID_2025, &err), VS_E_UNTRUSTED);
            vs_certs_free(&c);
        }
    }
}

#define with_trust(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_trust(the_roots_are_those_that_amd_publishes),
        with_trust(genoa_evidence_gives_the_reference_claims),
        with_trust(a_vlek_report_verifies_while_the_vlek_is_valid),
        with_trust(reports_that_do_not_tell_the_processor_are_refused),
        with_trust(milan_certificates_chain_and_their_keys_signed_the_reports),
        with_trust(an_altered_certificate_chains_to_no_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
