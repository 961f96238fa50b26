/* SPDX-License-Identifier: Apache-2.0 */
/* The az-snp-vtpm driver: the vectors of ../shared/data/az-snp-vtpm, and a virtual machine made of
 * software, right and wrong. */
#include "soft_hcl.h"
#include "soft_snp.h"

#define DATA "data/az-snp-vtpm/"

enum { MID_2025 = 1748736000 };

typedef struct world {
    soft_snp s;
    soft_tpm t;
    soft_hcl h;
    snp_trust *trust, *amd;
    vs_arena a;
    char why[VS_ERROR_TEXT];
} world;

static world the_world;
static const vs_span none = {NULL, 0};

/* The SNP report vouches for the variable data, as it is now. */
static void bind(world *w)
{
    soft_hcl_digest(&w->h, w->s.report + 0x50);
    soft_sign_report(&w->s);
}

static int start(void **state)
{
    world *w = &the_world;
    if (!w->trust) {
        soft_snp_start(&w->s);
        soft_snp_trust(&w->s, NULL, NULL, &w->trust);
        assert_vs_code(snp_trust_new(NULL, &w->amd, NULL), VS_OK);
        soft_tpm_start(&w->t);
    }
    vs_arena_init(&w->a, 0);
    soft_tpm_defaults(&w->t);
    soft_fill(&w->s, SNP_GENOA, SNP_BY_VCEK);
    soft_issue(&w->s);
    soft_hcl_start(&w->h, HCL_SNP, w->t.ak, vs_span_of(w->t.nonce, 32));
    bind(w);
    *state = w;
    return 0;
}

static int stop(void **state)
{
    world *w = *state;
    soft_hcl_stop(&w->h);
    vs_arena_free(&w->a);
    return 0;
}

static int end(void **state)
{
    (void)state;
    snp_trust_free(&the_world.trust);
    snp_trust_free(&the_world.amd);
    soft_snp_stop(&the_world.s);
    soft_tpm_stop(&the_world.t);
    return 0;
}

static vs_code run_with(world *w, snp_trust *trust, vs_val evidence, vs_span report, vs_span init,
                        int64_t now, vs_tee_result *out)
{
    vs_tee_trust all = {.snp = trust};
    vs_tee_expect expect = {.report_data = report, .init_data = init, .now = now};
    vs_tee_result results[VS_TEE_RESULTS_MAX] = {{0}};
    size_t n = 99;
    vs_error err = {0};
    vs_code code = vs_tee_find(VS_LIT("az-snp-vtpm"))
                       ->verify(&all, evidence, &expect, &w->a, results, &n, &err);
    assert_int_equal(n, code == VS_OK ? 1 : 0);
    assert_true(code == VS_OK || err.code == code);
    (void)vs_error_text(&err, w->why, sizeof w->why);
    *out = results[0];
    return code;
}

static vs_span nonce(const world *w)
{
    return vs_span_of(w->t.nonce, w->t.nonce_n);
}

static vs_val vcek(world *w)
{
    uint8_t *der = NULL;
    int n = i2d_X509(w->s.vek, &der);
    vs_val v = soft_b64url(&w->a, vs_span_of(der, (size_t)n));
    OPENSSL_free(der);
    return v;
}

static vs_val evidence(world *w)
{
    return soft_hcl_evidence(&w->a, &w->h, &w->t, vs_span_of(w->s.report, SNP_REPORT_SIZE), 2,
                             "vcek", vcek(w));
}

static void assert_refused_evidence(world *w, vs_val e, vs_code want, const char *why)
{
    vs_tee_result r;
    vs_code code = run_with(w, w->trust, e, nonce(w), none, SOFT_NOW, &r);
    if (code != want || !strstr(w->why, why))
        fail_msg("got %s \"%s\", want %s \"%s\"", vs_code_name(code), w->why, vs_code_name(want),
                 why);
}

static void assert_refused(world *w, vs_code want, const char *why)
{
    assert_refused_evidence(w, evidence(w), want, why);
}

/* ---- vectors --------------------------------------------------------------------------------- */

static vs_val shared_json(world *w, const char *rel)
{
    vs_buf text = VS_BUF(1 << 20);
    vs_val v;
    read_shared(rel, &text);
    assert_vs_code(vs_json_parse(&w->a, vs_dup(&w->a, vs_buf_span(&text)), NULL, &v, NULL), VS_OK);
    vs_buf_free(&text);
    return v;
}

static void evidence_of_every_version_gives_the_reference_claims(void **state)
{
    world *w = *state;
    need_shared(DATA "evidence-v0.json");
    vs_span data;
    assert_vs_code(
        vs_hex_decode_arena(&w->a,
                            VS_LIT("982f5c6e45df0ed3f10b6f60b02f0c8390e281300f3805e2279c16168cd6ae9"
                                   "aa398f647caa2338748cd0fd9f5f819ef"),
                            &data, NULL),
        VS_OK);
    const struct {
        const char *evidence, *claims;
        vs_span report_data;
    } vectors[] = {
        {DATA "evidence-v0.json", DATA "evidence-v0.claims.json", VS_LIT("challenge")},
        {DATA "evidence-v1.json", DATA "evidence-v1.claims.json", VS_LIT("challenge")},
        {DATA "evidence-v2.json", DATA "evidence-v2.claims.json", data},
    };
    for (size_t i = 0; i < VS_COUNT(vectors); i++) {
        vs_tee_result r;
        vs_val e = shared_json(w, vectors[i].evidence);
        if (run_with(w, w->amd, e, vectors[i].report_data, none, MID_2025, &r) != VS_OK)
            fail_msg("%s: %s", vectors[i].evidence, w->why);
        vs_val got = vs_with(&w->a, r.claims, vs_cstring("report_data"), r.report_data);
        got = vs_with(&w->a, got, vs_cstring("init_data"), r.init_data);
        assert_true(vs_eq(got, shared_json(w, vectors[i].claims)));
        assert_vs_code(run_with(w, w->amd, e, VS_LIT("123abc"), none, MID_2025, &r), VS_E_MISMATCH);
        assert_vs_code(run_with(w, w->amd, e, none, none, MID_2025, &r), VS_E_INVALID);
        assert_vs_code(
            run_with(w, w->amd, e, vectors[i].report_data, none, INT64_C(2000000000), &r),
            VS_E_EXPIRED);
        assert_vs_code(run_with(w, w->trust, e, vectors[i].report_data, none, MID_2025, &r),
                       VS_E_UNTRUSTED);
    }
}

static void the_parts_of_an_older_machine_fit_but_its_snp_report_is_too_old(void **state)
{
    world *w = *state;
    need_shared(DATA "hcl-report.bin");
    vs_buf bytes = VS_BUF(1 << 16);
    hcl_report r;
    tpm_pcrs pcrs;
    tpm_quote q;
    vs_key *ak = NULL;
    vs_span message, signature;
    vs_error err = {0};
    read_shared(DATA "hcl-report.bin", &bytes);
    vs_val quote = shared_json(w, DATA "tpm-quote-v1.json");
    assert_vs_ok(hcl_parse(&w->a, vs_buf_span(&bytes), HCL_SNP, &r, &err), &err);
    assert_vs_ok(evidence_hex(&w->a, quote, "message", 4096, &message, &err), &err);
    assert_vs_ok(evidence_hex(&w->a, quote, "signature", 4096, &signature, &err), &err);
    assert_vs_ok(tpm_pcrs_of_hex(quote, "pcrs", &w->a, &pcrs, &err), &err);
    assert_vs_ok(hcl_attestation_key(&r, &ak, &err), &err);
    assert_vs_ok(tpm_quote_verify(message, signature, ak, &pcrs, &q, &err), &err);
    assert_span_is(q.nonce, "challenge");
    vs_span report_data = vs_span_of(r.hardware.p + 0x50, 64);
    assert_vs_ok(hcl_check_binding(&r, report_data, &err), &err);
    snp_report snp;
    assert_vs_code(snp_report_parse(r.hardware, &snp, &err), VS_E_UNSUPPORTED);
    vs_key_free(&ak);
    bytes.p[0x6e0] ^= 1; /* in the middle of the variable data */
    vs_code code = hcl_parse(&w->a, vs_buf_span(&bytes), HCL_SNP, &r, &err);
    assert_true(code == VS_E_PARSE || hcl_check_binding(&r, report_data, &err) == VS_E_MISMATCH);
    bytes.p[0x6e0] ^= 1;
    bytes.p[0x540] = 0; /* in the attestation key */
    assert_vs_code(hcl_parse(&w->a, vs_buf_span(&bytes), HCL_SNP, &r, &err), VS_E_PARSE);
    vs_buf_free(&bytes);
}

/* ---- made by ourselves ----------------------------------------------------------------------- */

static void a_machine_made_of_software_verifies_in_every_version(void **state)
{
    world *w = *state;
    vs_span report = vs_span_of(w->s.report, SNP_REPORT_SIZE);
    for (unsigned version = 1; version <= 2; version++) {
        vs_tee_result r;
        vs_val e = soft_hcl_evidence(&w->a, &w->h, &w->t, report, version, "vcek", vcek(w));
        if (run_with(w, w->trust, e, nonce(w), none, SOFT_NOW, &r) != VS_OK)
            fail_msg("%s", w->why);
        assert_span_is(vs_text(vs_getc(r.claims, "reported_tcb_microcode")), "219");
        assert_span_is(vs_text(vs_getc(r.claims, "policy_debug_allowed")), "false");
        assert_false(vs_defined(vs_getc(r.claims, "chip_id")));
        assert_int_equal(vs_getc(r.claims, "tpm").len, TPM_PCRS);
    }
    static const char *const versions[] = {"0", "3", "\"2\"", "-1", "2.5"};
    for (size_t i = 0; i < VS_COUNT(versions); i++) {
        vs_val v;
        vs_tee_result r;
        assert_vs_code(vs_json_parse(&w->a, vs_str(versions[i]), NULL, &v, NULL), VS_OK);
        vs_val e = vs_with(&w->a, evidence(w), vs_cstring("version"), v);
        vs_code code = run_with(w, w->trust, e, nonce(w), none, SOFT_NOW, &r);
        assert_true(code == VS_E_INVALID || code == VS_E_UNSUPPORTED);
    }
}

static void the_tpm_must_be_the_one_that_the_hardware_vouches_for(void **state)
{
    world *w = *state;
    soft_tpm other;
    soft_tpm_start(&other);
    vs_key *ours = w->t.ak;
    w->t.ak = other.ak; /* quotes by a key that the report does not name */
    assert_refused(w, VS_E_CRYPTO, "TPM quote");
    w->t.ak = ours;
    soft_hcl_stop(&w->h); /* names it, but the hardware does not vouch for that report */
    soft_hcl_start(&w->h, HCL_SNP, other.ak, vs_span_of(w->t.nonce, 32));
    w->t.ak = other.ak;
    assert_refused(w, VS_E_MISMATCH, "digest of the HCL report");
    bind(w);
    vs_tee_result r;
    assert_vs_code(run_with(w, w->trust, evidence(w), nonce(w), none, SOFT_NOW, &r), VS_OK);
    w->s.report[0x50 + 32] = 1; /* more than the digest */
    soft_sign_report(&w->s);
    assert_refused(w, VS_E_MISMATCH, "digest of the HCL report");
    w->t.ak = ours;
    soft_tpm_stop(&other);
}

static void freshness_registers_and_init_data_are_checked(void **state)
{
    world *w = *state;
    vs_tee_result r;
    uint8_t other[64] = {0};
    memcpy(other, w->t.nonce, 32);
    vs_val e = evidence(w);
    assert_vs_code(/* no padding, no cutting */
                   run_with(w, w->trust, e, vs_span_of(other, 33), none, SOFT_NOW, &r),
                   VS_E_MISMATCH);
    assert_vs_code(run_with(w, w->trust, e, vs_span_of(other, 31), none, SOFT_NOW, &r),
                   VS_E_MISMATCH);
    assert_vs_code(run_with(w, w->trust, e, nonce(w), vs_span_of(other, 32), SOFT_NOW, &r),
                   VS_E_MISMATCH);
    w->t.select[1] = 0xf7;
    assert_refused(w, VS_E_INVALID, "not exactly registers");
    w->t.select[1] = 0xff;
    w->t.nonce[0] ^= 1; /* a fresh quote, but the hardware's report is of another start */
    assert_refused(w, VS_E_MISMATCH, "user-data");
    soft_hcl_stop(&w->h);
    soft_hcl_start(&w->h, HCL_SNP, w->t.ak, vs_span_of(w->t.nonce, 32));
    memcpy(w->h.json.p + w->h.json.n - 4, "01", 2);
    bind(w);
    assert_refused(w, VS_E_MISMATCH, "user-data");
}

static void the_hardware_is_checked_as_for_snp(void **state)
{
    world *w = *state;
    w->s.report[0x30] = 1;
    soft_sign_report(&w->s);
    assert_refused(w, VS_E_INVALID, "VMPL");
    w->s.report[0x30] = 0;
    w->s.report[0x180]++; /* boot loader */
    soft_sign_report(&w->s);
    assert_refused(w, VS_E_MISMATCH, "boot loader");
    w->s.report[0x180]--;
    soft_sign_report(&w->s);
    w->s.report[0x90] ^= 1;
    assert_refused(w, VS_E_CRYPTO, "SNP report");
    vs_tee_result r;
    w->s.report[0x90] ^= 1;
    assert_vs_code(run_with(w, NULL, evidence(w), nonce(w), none, SOFT_NOW, &r), VS_E_UNSUPPORTED);
    assert_vs_code(run_with(w, w->amd, evidence(w), nonce(w), none, SOFT_NOW, &r), VS_E_UNTRUSTED);
}

static void the_paravisors_report_is_read_strictly(void **state)
{
    world *w = *state;
    vs_buf bytes = VS_BUF(1 << 16);
    hcl_report r;
    soft_hcl_bytes(&w->h, vs_span_of(w->s.report, SNP_REPORT_SIZE), &bytes);
    assert_vs_code(hcl_parse(&w->a, vs_buf_span(&bytes), HCL_SNP, &r, NULL), VS_OK);
    size_t padding = 16;
    for (size_t n = 0; n < bytes.n - padding; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        memcpy(exact, bytes.p, n);
        assert_vs_code(hcl_parse(&w->a, vs_span_of(exact, n), HCL_SNP, &r, NULL), VS_E_PARSE);
        free(exact);
    }
    static const size_t heads[][2] = {{0, 32}, {1216, 1236}};
    for (size_t h = 0; h < 2; h++)
        for (size_t bit = heads[h][0] * 8; bit < heads[h][1] * 8; bit++) {
            bytes.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
            vs_code code = hcl_parse(&w->a, vs_buf_span(&bytes), HCL_SNP, &r, NULL);
            if (code == VS_OK)
                fail_msg("bit %zu of byte %zu does not matter", bit % 8, bit / 8);
            bytes.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    bytes.p[bytes.n - 1] = 1;
    assert_vs_code(hcl_parse(&w->a, vs_buf_span(&bytes), HCL_SNP, &r, NULL), VS_E_INVALID);
    bytes.p[bytes.n - 1] = 0;
    assert_vs_code(hcl_parse(&w->a, vs_buf_span(&bytes), HCL_TDX, &r, NULL), VS_E_INVALID);
    vs_buf_free(&bytes);
}

static void keys_that_are_missing_doubled_or_of_another_kind_are_refused(void **state)
{
    world *w = *state;
    static const char *const bad[] = {
        "{}",
        "[]",
        "{\"keys\":{}}",
        "{\"keys\":[]}",
        "{\"keys\":[{\"kid\":\"HCLEkPub\",\"kty\":\"RSA\"}]}",
        "{\"keys\":[{\"kid\":\"HCLAkPub\"}]}",
        "{\"keys\":[{\"kid\":\"HCLAkPub\"},{\"kid\":\"HCLAkPub\"}]}",
        "{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"AQAB\"}]}",
        "{\"keys\":[1,\"x\",null]}",
        "not json",
        "",
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        vs_buf_clear(&w->h.json);
        vs_buf_puts(&w->h.json, bad[i]);
        bind(w);
        vs_tee_result r;
        vs_code code = run_with(w, w->trust, evidence(w), nonce(w), none, SOFT_NOW, &r);
        if (code != VS_E_PARSE && code != VS_E_INVALID && code != VS_E_UNSUPPORTED)
            fail_msg("%s: %s %s", bad[i], vs_code_name(code), w->why);
    }
}

static void members_of_the_wrong_kind_are_refused(void **state)
{
    world *w = *state;
    static const char *const keys[] = {"tpm_quote", "hcl_report", "vcek"};
    static const char *const wrong[] = {"null", "1", "[]", "{}", "\"\"", "\"*\""};
    vs_val e = evidence(w);
    for (size_t k = 0; k < VS_COUNT(keys); k++)
        for (size_t i = 0; i < VS_COUNT(wrong); i++) {
            vs_val v;
            vs_tee_result r;
            assert_vs_code(vs_json_parse(&w->a, vs_str(wrong[i]), NULL, &v, NULL), VS_OK);
            vs_code code = run_with(w, w->trust, vs_with(&w->a, e, vs_cstring(keys[k]), v),
                                    nonce(w), none, SOFT_NOW, &r);
            assert_true(code == VS_E_INVALID || code == VS_E_PARSE);
        }
}

#define in_world(t) cmocka_unit_test_setup_teardown(t, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(evidence_of_every_version_gives_the_reference_claims),
        in_world(the_parts_of_an_older_machine_fit_but_its_snp_report_is_too_old),
        in_world(a_machine_made_of_software_verifies_in_every_version),
        in_world(the_tpm_must_be_the_one_that_the_hardware_vouches_for),
        in_world(freshness_registers_and_init_data_are_checked),
        in_world(the_hardware_is_checked_as_for_snp),
        in_world(the_paravisors_report_is_read_strictly),
        in_world(keys_that_are_missing_doubled_or_of_another_kind_are_refused),
        in_world(members_of_the_wrong_kind_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
