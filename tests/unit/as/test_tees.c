/* SPDX-License-Identifier: Apache-2.0 */
/* From SNP and TPM evidence to the token's status, under the shipped policy: with the right
 * reference values it is affirmed, with any wrong one it is not. */
#include "as/as_fixture.h"

#include "tee/soft_snp.h"
#include "tee/soft_tpm.h"

static const char runtime[] = "{\"nonce\":\"n\",\"tee-pubkey\":{\"kty\":\"EC\"}}";

typedef struct parts {
    world w;
    soft_snp snp;
    soft_tpm tpm;
} parts;

static int start(void **state)
{
    parts *p = calloc(1, sizeof *p);
    assert_non_null(p);
    world_open(&p->w, NULL);
    soft_snp_start(&p->snp);
    soft_tpm_start(&p->tpm);
    soft_snp_trust(&p->snp, NULL, NULL, &p->w.trust.snp);
    *state = p;
    return 0;
}

static int stop(void **state)
{
    parts *p = *state;
    snp_trust_free(&p->w.trust.snp);
    world_close(&p->w);
    soft_snp_stop(&p->snp);
    soft_tpm_stop(&p->tpm);
    free(p);
    return 0;
}

/* The digest that evidence is bound to. */
static void bind(world *w, uint8_t out[VS_HASH_MAX])
{
    vs_buf text = VS_BUF(1 << 10);
    vs_span none = {NULL, 0};
    assert_vs_code(vs_json_canonical(&text, json(w, runtime), NULL), VS_OK);
    assert_vs_code(vs_digest(VS_SHA384, vs_buf_span(&text), none, none, out, NULL), VS_OK);
    vs_buf_free(&text);
}

/* The status of the token for this evidence, and the vector that it comes from. */
static const char *status_of(world *w, const char *tee, vs_val evidence, vs_val *vector)
{
    vs_error err = {0};
    as_result result;
    as_request r = {.tee = vs_str(tee), .evidence = evidence, .runtime_kind = AS_DATA_STRUCTURED};
    r.runtime_json = json(w, runtime);
    assert_vs_ok(as_evaluate(w->as, &r, 1, VS_LIT("default"), SOFT_NOW, &w->a, &result, &err),
                 &err);
    vs_val claims = token_claims(w, result.token);
    *vector = at(claims, "/submods/cpu0/ear.trustworthiness-vector");
    return result.status;
}

static vs_val snp_evidence(parts *p)
{
    uint8_t digest[VS_HASH_MAX];
    bind(&p->w, digest);
    memset(p->snp.report + 0x50, 0, 64);
    memcpy(p->snp.report + 0x50, digest, 48);
    soft_sign_report(&p->snp);
    return soft_snp_whole(&p->w.a, &p->snp);
}

static void endorse_snp(world *w)
{
    endorse(w, "{\"snp_launch_measurement\":[\"00\","
               "\"abababababababababababababababababababababababab"
               "abababababababababababababababababababababababab\"],"
               "\"snp_bootloader\":[3,4],\"snp_microcode\":[219],\"snp_snp_svn\":[200],"
               "\"snp_tee_svn\":[1],\"snp_smt_enabled\":true,\"snp_tsme_enabled\":false,"
               "\"snp_guest_abi_major\":0,\"snp_guest_abi_minor\":31,\"snp_single_socket\":false,"
               "\"snp_smt_allowed\":true}");
}

static void endorsed_snp_evidence_is_affirmed_and_any_other_is_not(void **state)
{
    parts *p = *state;
    vs_val v;
    assert_string_equal(status_of(&p->w, "snp", snp_evidence(p), &v), "contraindicated");
    endorse_snp(&p->w);
    assert_string_equal(status_of(&p->w, "snp", snp_evidence(p), &v), "affirming");
    assert_int_equal(vs_getc(v, "executables").u.i, 3);
    assert_int_equal(vs_getc(v, "hardware").u.i, 2);
    assert_int_equal(vs_getc(v, "configuration").u.i, 2);
    static const struct {
        const char *values, *status, *claim;
        int tier;
    } wrong[] = {
        {"{\"snp_launch_measurement\":[\"00\"]}", "warning", "executables", 33},
        {"{\"snp_bootloader\":[3]}", "contraindicated", "hardware", 97},
        {"{\"snp_microcode\":[218]}", "contraindicated", "hardware", 97},
        {"{\"snp_snp_svn\":[]}", "contraindicated", "hardware", 97},
        {"{\"snp_tee_svn\":[0]}", "contraindicated", "hardware", 97},
        {"{\"snp_smt_allowed\":false}", "affirming", "configuration", 3},
    };
    for (size_t i = 0; i < VS_COUNT(wrong); i++) {
        endorse(&p->w, wrong[i].values);
        assert_string_equal(status_of(&p->w, "snp", snp_evidence(p), &v), wrong[i].status);
        assert_int_equal(vs_getc(v, wrong[i].claim).u.i, wrong[i].tier);
        endorse_snp(&p->w);
    }
}

static void an_snp_guest_that_may_be_debugged_or_migrated_is_not_affirmed(void **state)
{
    parts *p = *state;
    vs_val v;
    endorse_snp(&p->w);
    static const unsigned bits[] = {SNP_POLICY_DEBUG, SNP_POLICY_MIGRATE_MA};
    for (size_t i = 0; i < VS_COUNT(bits); i++) {
        soft_put(&p->snp, 0x008, 0x3001f | bits[i], 8);
        assert_string_equal(status_of(&p->w, "snp", snp_evidence(p), &v), "warning");
        assert_int_equal(vs_getc(v, "configuration").u.i, 36);
    }
}

static vs_val tpm_evidence(parts *p)
{
    uint8_t digest[VS_HASH_MAX];
    bind(&p->w, digest);
    memcpy(p->tpm.nonce, digest, 32);
    return soft_tpm_evidence(&p->w.a, &p->tpm);
}

static void a_tpm_is_affirmed_by_its_key_and_register_only(void **state)
{
    parts *p = *state;
    vs_val v;
    vs_buf values = VS_BUF(1 << 12);
    assert_string_equal(status_of(&p->w, "tpm", tpm_evidence(p), &v), "contraindicated");
    endorse(&p->w, "{\"tpm_pcr11\":"
                   "[\"0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c\"]}");
    assert_string_equal(status_of(&p->w, "tpm", tpm_evidence(p), &v), "contraindicated");
    vs_span ak = vs_text(soft_tpm_ak(&p->w.a, p->tpm.ak));
    vs_buf_printf(&values, "{\"trusted_aks\":[\"%.*s\"]}", VS_FMT(ak));
    endorse(&p->w, (const char *)values.p);
    assert_string_equal(status_of(&p->w, "tpm", tpm_evidence(p), &v), "affirming");
    assert_int_equal(vs_getc(v, "executables").u.i, 3);
    p->tpm.pcrs.value[11][0] ^= 1;
    assert_string_equal(status_of(&p->w, "tpm", tpm_evidence(p), &v), "warning");
    p->tpm.pcrs.value[11][0] ^= 1;
    vs_key_free(&p->tpm.ak);
    assert_vs_code(vs_key_generate(VS_KEY_RSA, &p->tpm.ak, NULL), VS_OK);
    assert_string_equal(status_of(&p->w, "tpm", tpm_evidence(p), &v), "contraindicated");
    vs_buf_free(&values);
}

static void evidence_bound_to_other_runtime_data_gets_no_token(void **state)
{
    parts *p = *state;
    as_result result;
    as_request r = {.tee = VS_LIT("snp"), .runtime_kind = AS_DATA_STRUCTURED};
    r.evidence = snp_evidence(p);
    r.runtime_json = json(&p->w, "{\"nonce\":\"m\",\"tee-pubkey\":{\"kty\":\"EC\"}}");
    assert_vs_code(as_evaluate(p->w.as, &r, 1, VS_LIT("default"), SOFT_NOW, &p->w.a, &result, NULL),
                   VS_E_MISMATCH);
    r.tee = VS_LIT("tpm");
    r.evidence = tpm_evidence(p);
    assert_vs_code(as_evaluate(p->w.as, &r, 1, VS_LIT("default"), SOFT_NOW, &p->w.a, &result, NULL),
                   VS_E_MISMATCH);
}

#define T(t) cmocka_unit_test_setup_teardown(t, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(endorsed_snp_evidence_is_affirmed_and_any_other_is_not),
        T(an_snp_guest_that_may_be_debugged_or_migrated_is_not_affirmed),
        T(a_tpm_is_affirmed_by_its_key_and_register_only),
        T(evidence_bound_to_other_runtime_data_gets_no_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
