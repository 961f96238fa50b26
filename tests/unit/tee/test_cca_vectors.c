/* SPDX-License-Identifier: Apache-2.0 */
/* Every token and claims file of ../shared/data/cca gives the result its README states. */
#include "cca_data.h"

#include <dirent.h>

#include "tee/cca/verify.h"

#define TRUST        CCA_DATA "trust/"
#define TFA          TRUST "tastore-tfa.json"
#define VERAISON_JWK TRUST "veraison-cpak-p256.jwk"

typedef struct row {
    const char *file;
    const char *trust; /* a store (.json) or a JWK made into one; NULL: TFA */
    vs_code want;
    const char *why; /* part of the error */
} row;

static const row tokens[] = {
    {"trustee-example-legacy-es384.cbor", TRUST "tastore-trustee.json", VS_OK, NULL},
    {"rust-cca-token-01.cbor", NULL, VS_OK, NULL},
    {"rust-cca-token-02-es256-cpak.cbor", TRUST "tastore-02-ok.json", VS_OK, NULL},
    {"rust-draft-ffm-00-profile-1.0.0.cbor", NULL, VS_OK, NULL},
    {"veraison-cca-good-mixed-profile.cbor", VERAISON_JWK, VS_OK, NULL},
    {"veraison-e2e-cca-evidence.cbor", VERAISON_JWK, VS_OK, NULL},
    {"go-tf-rmm-cca_token.cbor", NULL, VS_OK, NULL},
    {"neg-rak-binding-mismatch.cbor", NULL, VS_E_MISMATCH, "not the hash of the realm's key"},
    {"derived-ok-legacy-399.cbor", NULL, VS_OK, NULL},
    {"derived-ok-cmw-907-legacy.cbor", NULL, VS_OK, NULL},
    {"derived-ok-cmw-907-profile-1.0.0.cbor", NULL, VS_OK, NULL},
    {"derived-ok-cmw-907-mixed-platform-legacy-realm-1.0.0.cbor", NULL, VS_OK, NULL},
    {"derived-ok-cmw-907-realm-1.0.0-mec-policy-44243.cbor", NULL, VS_OK, NULL},
    {"derived-ok-cmw-907-rmm2-realm-2.0.0.cbor", NULL, VS_OK, NULL},
    {"derived-ok-cmw-907-rmm2-both-2.0.0-sha384.cbor", NULL, VS_OK, NULL},
    {"derived-ok-rak-hash-sha-512.cbor", NULL, VS_OK, NULL},
    {"derived-ok-unprotected-kid.cbor", NULL, VS_OK, NULL},
    {"derived-neg-platform-sig-bitflip.cbor", NULL, VS_E_CRYPTO, "platform token: signature"},
    {"derived-neg-realm-sig-bitflip.cbor", NULL, VS_E_CRYPTO, "realm token: signature"},
    {"derived-neg-platform-signed-by-rak.cbor", NULL, VS_E_CRYPTO, "platform token: signature"},
    {"derived-neg-binding-wrong-hash-alg.cbor", NULL, VS_E_MISMATCH, "hash of the realm's key"},
    {"derived-neg-binding-hash-of-raw-point-with-cosekey.cbor", NULL, VS_E_MISMATCH,
     "hash of the realm's key"},
    {"derived-neg-top-tag-400.cbor", NULL, VS_E_INVALID, "tag 400"},
    {"derived-neg-top-untagged.cbor", NULL, VS_E_INVALID, "CCA token"},
    {"derived-neg-missing-realm-token.cbor", NULL, VS_E_INVALID, "realm token (44241) is missing"},
    {"derived-neg-cmw-entry-in-399.cbor", NULL, VS_E_INVALID, "CCA token"},
    {"derived-neg-trailing-bytes.cbor", NULL, VS_E_PARSE, "CCA token"},
    {"derived-neg-truncated.cbor", NULL, VS_E_PARSE, "CCA token"},
    {"derived-neg-alg-missing.cbor", NULL, VS_E_INVALID, "no algorithm"},
    {"derived-neg-alg-es256-with-p384-key.cbor", NULL, VS_E_CRYPTO, "signature"},
    {"derived-neg-lifecycle-0x7000.cbor", NULL, VS_E_INVALID, "lifecycle (2395) 0x7000"},
    {"derived-edge-lifecycle-0x3001-secured.cbor", NULL, VS_OK, NULL},
    {"derived-edge-lifecycle-0x5000-recoverable-debug.cbor", NULL, VS_OK, NULL},
    {"derived-neg-inst-id-not-rand.cbor", NULL, VS_E_INVALID, "type RAND"},
    {"derived-neg-impl-id-31-bytes.cbor", NULL, VS_E_INVALID,
     "implementation id (2396) has 31 bytes"},
    {"derived-neg-sw-components-empty.cbor", NULL, VS_E_INVALID,
     "software components (2399) is empty"},
    {"derived-neg-sw-component-no-signer.cbor", NULL, VS_E_INVALID, "signer id (5) is missing"},
    {"derived-neg-sw-component-value-33-bytes.cbor", NULL, VS_E_INVALID,
     "measurement value (2) has 33 bytes"},
    {"derived-neg-platform-config-missing.cbor", NULL, VS_E_INVALID,
     "configuration (2401) is missing"},
    {"derived-neg-platform-profile-unknown.cbor", NULL, VS_E_UNSUPPORTED, "unknown profile"},
    {"derived-neg-realm-challenge-63-bytes.cbor", NULL, VS_E_INVALID,
     "challenge (10) has 63 bytes"},
    {"derived-neg-realm-rem-3-slots.cbor", NULL, VS_E_INVALID,
     "extensible measurements (44239) has 3 entries, must have 4"},
    {"derived-neg-realm-rim-20-bytes.cbor", NULL, VS_E_INVALID,
     "initial measurement (44238) has 20 bytes"},
    {"derived-neg-realm-rak-96-bytes.cbor", NULL, VS_E_INVALID, "public key (44237)"},
    {"derived-neg-realm-rak-off-curve.cbor", NULL, VS_E_INVALID, "public key (44237)"},
    {"derived-neg-realm-raw-rak-with-profile.cbor", NULL, VS_E_INVALID, "public key (44237)"},
    {"derived-neg-rak-hash-alg-sha-1.cbor", NULL, VS_E_INVALID, "challenge (10) has 20 bytes"},
    {"derived-neg-duplicate-claim-realm-challenge.cbor", NULL, VS_E_PARSE, "realm token"},
    {"derived-edge-realm-claims-indefinite-map.cbor", NULL, VS_E_PARSE, "realm token"},
};

static const struct {
    const char *file;
    bool realm;
    vs_code want;
    const char *why;
} claims[] = {
    {"go-platform-CcaPlatformClaimsAll.cbor", false, VS_OK, NULL},
    {"go-platform-CcaPlatformClaimsMandatoryOnly.cbor", false, VS_OK, NULL},
    {"go-platform-CcaPlatformLegacyClaimsAll.cbor", false, VS_OK, NULL},
    {"go-platform-CcaPlatformLegacyClaimsMandatoryOnly.cbor", false, VS_OK, NULL},
    {"neg-go-platform-CcaPlatformClaimsInvalidMultiNonce.cbor", false, VS_E_INVALID,
     "challenge (10) is "},
    {"rust-platform-claims.cbor", false, VS_OK, NULL},
    {"go-realm-CcaRealmClaimsAll.cbor", true, VS_OK, NULL},
    {"go-realm-CcaRealmLegacyClaimsAll.cbor", true, VS_OK, NULL},
    {"neg-go-realm-CcaClaimsMissingMandPubKey.cbor", true, VS_E_INVALID,
     "public key (44237) is missing"},
    {"neg-go-realm-CcaClaimsMissingMandExtendedMeas.cbor", true, VS_E_INVALID,
     "extensible measurements (44239) is missing"},
    {"neg-go-realm-CcaRealmClaimsMissingMandNonce.cbor", true, VS_E_INVALID,
     "challenge (10) is missing"},
    {"rust-realm-claims.cbor", true, VS_OK, NULL},
    {"realm-extra-numeric-key.cbor", true, VS_OK, NULL},
    {"neg-realm-missing-challenge.cbor", true, VS_E_INVALID, "challenge (10) is missing"},
};

static vs_code verify(const row *r, const cca_token *t, vs_arena *a, cca_verdict *v, vs_error *err)
{
    cca_trust *trust = NULL;
    cca_snapshot *s = NULL;
    const char *file = r->trust ? r->trust : TFA;
    if (strstr(file, ".jwk"))
        trust_of_jwk(file, &t->platform, &trust);
    else
        trust_of_files(file, NULL, &trust);
    assert_vs_ok(cca_trust_take(trust, &s, err), err);
    vs_code code = cca_verify_chain(&(cca_basis){.snapshot = s, .a = a}, t, v, err);
    cca_snapshot_release(&s);
    cca_trust_free(&trust);
    return code;
}

/* Prints what is not as expected; true when it is. */
static bool as_expected(const char *file, vs_code got, vs_code want, const char *why,
                        const vs_error *err)
{
    char text[VS_ERROR_TEXT] = "";
    if (got != VS_OK)
        (void)vs_error_text(err, text, sizeof text);
    bool ok = got == want && (!why || strstr(text, why));
    if (!ok)
        print_message("# %s: got %s, want %s \"%s\": %s\n", file, vs_code_name(got),
                      vs_code_name(want), why ? why : "", text);
    return ok;
}

static bool run_token(const row *r)
{
    char path[256];
    (void)snprintf(path, sizeof path, CCA_DATA "tokens/%s", r->file);
    vs_buf b = VS_BUF(1 << 16);
    read_shared(path, &b);
    vs_arena a;
    vs_arena_init(&a, 1 << 20);
    vs_error err = {0};
    cca_token t;
    cca_verdict v;
    vs_code code = cca_token_decode(&a, vs_buf_span(&b), &t, &err);
    if (code == VS_OK)
        code = verify(r, &t, &a, &v, &err);
    bool ok = as_expected(r->file, code, r->want, r->why, &err);
    vs_arena_free(&a);
    vs_buf_free(&b);
    return ok;
}

static bool run_claims(size_t i)
{
    char path[256];
    (void)snprintf(path, sizeof path, CCA_DATA "claims/%s", claims[i].file);
    vs_buf b = VS_BUF(1 << 16);
    read_shared(path, &b);
    vs_arena a;
    vs_arena_init(&a, 1 << 20);
    vs_error err = {0};
    cca_platform p;
    cca_realm r;
    vs_key *rak = NULL;
    vs_code code = claims[i].realm ? cca_realm_decode(vs_buf_span(&b), &r, &err)
                                   : cca_platform_decode(&a, vs_buf_span(&b), &p, &err);
    if (code == VS_OK && claims[i].realm)
        code = cca_realm_key(&r, &rak, &err);
    bool ok = as_expected(claims[i].file, code, claims[i].want, claims[i].why, &err);
    vs_key_free(&rak);
    vs_arena_free(&a);
    vs_buf_free(&b);
    return ok;
}

static size_t files_in(const char *rel)
{
    size_t n = 0;
    DIR *d = opendir(shared_path(rel));
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    (void)closedir(d);
    return n;
}

/* One test for each token, by the name of its file. */
static void a_token_gives_the_result_its_readme_states(void **state)
{
    need_shared(CCA_DATA "tokens");
    assert_true(run_token(*state));
}

static void every_token_gives_the_result_its_readme_states(void **state)
{
    (void)state;
    need_shared(CCA_DATA "tokens");
    assert_int_equal(VS_COUNT(tokens), files_in(CCA_DATA "tokens"));
}

static void every_claims_file_gives_the_result_its_readme_states(void **state)
{
    (void)state;
    need_shared(CCA_DATA "claims");
    size_t good = 0;
    for (size_t i = 0; i < VS_COUNT(claims); i++)
        good += run_claims(i);
    print_message("# %zu of %zu claims files as expected\n", good, files_in(CCA_DATA "claims"));
    assert_int_equal(good, files_in(CCA_DATA "claims"));
}

/* ---- what the trust vectors say after success and failure ----------------------------------- */

typedef struct appraisal {
    const char *file, *ta, *rv;
    vs_code chain, appraise;
    int platform[EAR_CLAIMS], realm[EAR_CLAIMS];
} appraisal;

#define ALL_99                                                                                     \
    {                                                                                              \
        99, 99, 99, 99, 99, 99, 99, 99                                                             \
    }
/* instance-identity, configuration, executables, file-system, hardware, runtime-opaque, ... */
static const appraisal appraisals[] = {
    {"trustee-example-legacy-es384.cbor",
     "tastore-trustee.json",
     "rvstore-trustee.json",
     VS_OK,
     VS_OK,
     {2, 2, 2, 0, 2, 32},
     {2, 0, 2}},
    {"rust-cca-token-01.cbor",
     "tastore-tfa.json",
     "rvstore-rust.json",
     VS_OK,
     VS_OK,
     {2, 2, 2, 0, 2, 32},
     {2, 0, 2}},
    {"derived-edge-lifecycle-0x3001-secured.cbor",
     "tastore-trustee.json",
     "rvstore-trustee.json",
     VS_OK,
     VS_OK,
     {2, 2, 2, 0, 2, 32},
     {2, 0, 2}},
    {"derived-edge-lifecycle-0x5000-recoverable-debug.cbor",
     "tastore-trustee.json",
     "rvstore-trustee.json",
     VS_OK,
     VS_E_UNTRUSTED,
     {96, 2, 2, 0, 2, 96, 96},
     {2, 0, 2}},
    {"rust-cca-token-02-es256-cpak.cbor",
     "tastore-02-bad.json",
     "rvstore-rust.json",
     VS_E_CRYPTO,
     VS_OK,
     ALL_99,
     {0}},
    {"neg-rak-binding-mismatch.cbor",
     "tastore-tfa.json",
     "rvstore-rust.json",
     VS_E_MISMATCH,
     VS_OK,
     {2},
     ALL_99},
    {"derived-neg-realm-rak-off-curve.cbor",
     "tastore-tfa.json",
     "rvstore-rust.json",
     VS_E_INVALID,
     VS_OK,
     {2},
     {1, 1, 1, 1, 1, 1, 1, 1}},
    {"trustee-example-legacy-es384.cbor",
     "tastore-01.json",
     "rvstore-trustee.json",
     VS_E_UNTRUSTED,
     VS_OK,
     {97},
     {0}},
    {"trustee-example-legacy-es384.cbor",
     "tastore-trustee.json",
     "rvstore-rust.json",
     VS_OK,
     VS_E_UNTRUSTED,
     {2, 0, 0, 0, 97},
     {0}},
};

static void expect_vector(const char *file, const char *which, const ear_vector *got,
                          const int want[EAR_CLAIMS])
{
    for (unsigned i = 0; i < EAR_CLAIMS; i++)
        if (!got->set[i] || got->value[i] != want[i])
            fail_msg("%s: %s %s is %d, want %d", file, which, ear_claim_name((ear_claim)i),
                     got->value[i], want[i]);
}

static void run_appraisal(const appraisal *r)
{
    char token[256], ta[256], rv[256];
    (void)snprintf(token, sizeof token, CCA_DATA "tokens/%s", r->file);
    (void)snprintf(ta, sizeof ta, TRUST "%s", r->ta);
    (void)snprintf(rv, sizeof rv, TRUST "%s", r->rv);
    vs_buf b = VS_BUF(1 << 16);
    read_shared(token, &b);
    vs_arena a;
    vs_arena_init(&a, 1 << 20);
    vs_error err = {0};
    cca_token t;
    cca_verdict v;
    cca_trust *trust = NULL;
    cca_snapshot *s = NULL;
    trust_of_files(ta, rv, &trust);
    assert_vs_ok(cca_trust_take(trust, &s, &err), &err);
    assert_vs_ok(cca_token_decode(&a, vs_buf_span(&b), &t, &err), &err);
    const cca_basis basis = {.snapshot = s, .a = &a};
    assert_vs_code(cca_verify_chain(&basis, &t, &v, &err), r->chain);
    if (r->chain == VS_OK)
        assert_vs_code(cca_appraise(&basis, &t, &v, &err), r->appraise);
    expect_vector(r->file, "platform", &v.platform, r->platform);
    expect_vector(r->file, "realm", &v.realm, r->realm);
    cca_snapshot_release(&s);
    cca_trust_free(&trust);
    vs_arena_free(&a);
    vs_buf_free(&b);
}

static void trust_vectors_are_those_of_the_reference_verifier(void **state)
{
    (void)state;
    need_shared(CCA_DATA "tokens");
    for (size_t i = 0; i < VS_COUNT(appraisals); i++)
        run_appraisal(&appraisals[i]);
}

int main(void)
{
    struct CMUnitTest tests[VS_COUNT(tokens) + 3] = {
        cmocka_unit_test(every_token_gives_the_result_its_readme_states),
        cmocka_unit_test(every_claims_file_gives_the_result_its_readme_states),
        cmocka_unit_test(trust_vectors_are_those_of_the_reference_verifier),
    };
    for (size_t i = 0; i < VS_COUNT(tokens); i++)
        tests[3 + i] = (struct CMUnitTest){
            .name = tokens[i].file,
            .test_func = a_token_gives_the_result_its_readme_states,
            .initial_state = (void *)(uintptr_t)&tokens[i],
        };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
