/* SPDX-License-Identifier: Apache-2.0 */
/* The SNP driver against a platform made of software, right and wrong in every way. */
#include "soft_snp.h"

#include <sys/stat.h>

#include "tee/snp/verify.h"

typedef struct world {
    soft_snp s;
    snp_trust *trust;
    vs_arena a;
    char why[VS_ERROR_TEXT];
} world;

static int start(void **state)
{
    static world w; /* the keys of one platform serve all tests: RSA keys are slow to make */
    if (!w.s.ark) {
        soft_snp_start(&w.s);
        soft_snp_trust(&w.s, NULL, NULL, &w.trust);
    }
    vs_arena_init(&w.a, 0);
    soft_fill(&w.s, SNP_MILAN, SNP_BY_VCEK);
    soft_finish(&w.s);
    *state = &w;
    return 0;
}

static int stop(void **state)
{
    vs_arena_free(&((world *)*state)->a);
    return 0;
}

static world *the_world;

static int keep_world(void **state)
{
    the_world = *state;
    return stop(state);
}

static int end(void **state)
{
    (void)state;
    snp_trust_free(&the_world->trust);
    soft_snp_stop(&the_world->s);
    return 0;
}

static const vs_span none = {NULL, 0};

static vs_span report_data(const world *w)
{
    return vs_span_of(w->s.report + 0x50, 48);
}

static vs_code run_with(world *w, const snp_trust *trust, vs_val evidence, vs_span report,
                        vs_span init, int64_t now, vs_tee_result *out)
{
    vs_tee_trust all = {.snp = (snp_trust *)(uintptr_t)trust};
    vs_tee_expect expect = {.report_data = report, .init_data = init, .now = now};
    vs_tee_result results[VS_TEE_RESULTS_MAX] = {{0}};
    size_t n = 99;
    vs_error err = {0};
    vs_code code =
        vs_tee_find(VS_LIT("snp"))->verify(&all, evidence, &expect, &w->a, results, &n, &err);
    assert_int_equal(n, code == VS_OK ? 1 : 0);
    assert_true(code == VS_OK || err.code == code);
    (void)vs_error_text(&err, w->why, sizeof w->why);
    *out = results[0];
    return code;
}

static vs_code run(world *w, vs_val evidence)
{
    vs_tee_result r;
    return run_with(w, w->trust, evidence, report_data(w), none, SOFT_NOW, &r);
}

static void assert_verifies(world *w)
{
    if (run(w, soft_snp_whole(&w->a, &w->s)) != VS_OK)
        fail_msg("%s", w->why);
}

static void assert_refused_evidence(world *w, vs_val evidence, vs_code want, const char *why)
{
    vs_code code = run(w, evidence);
    if (code != want || !strstr(w->why, why))
        fail_msg("got %s \"%s\", want %s \"%s\"", vs_code_name(code), w->why, vs_code_name(want),
                 why);
}

/* What the platform is made of now. */
static void assert_refused(world *w, vs_code want, const char *why)
{
    assert_refused_evidence(w, soft_snp_whole(&w->a, &w->s), want, why);
}

/* ---- what verifies --------------------------------------------------------------------------- */

static void claims_are_exactly_those_of_trustee(void **state)
{
    world *w = *state;
    vs_tee_result r;
    vs_val want;
    soft_put(&w->s, 0x008, 0x1f0113, 8); /* ABI 1.19, everything allowed */
    soft_sign_report(&w->s);
    assert_vs_code(run_with(w, w->trust, soft_snp_whole(&w->a, &w->s), report_data(w),
                            vs_span_of(w->s.report + 0xc0, 32), SOFT_NOW, &r),
                   VS_OK);
    vs_buf text = VS_BUF(1 << 12), chip = VS_BUF(1 << 8), meas = VS_BUF(1 << 8);
    vs_hex_encode(&chip, vs_span_of(w->s.report + 0x1a0, 64));
    vs_hex_encode(&meas, vs_span_of(w->s.report + 0x90, 48));
    vs_buf_printf(&text,
                  "{\"policy_abi_major\":1,\"policy_abi_minor\":19,\"policy_smt_allowed\":true,"
                  "\"policy_migrate_ma\":true,\"policy_debug_allowed\":true,"
                  "\"policy_single_socket\":true,\"reported_tcb_bootloader\":4,"
                  "\"reported_tcb_tee\":1,\"reported_tcb_snp\":200,"
                  "\"reported_tcb_microcode\":219,\"platform_tsme_enabled\":false,"
                  "\"platform_smt_enabled\":true,\"measurement\":\"%s\",\"chip_id\":\"%s\"}",
                  (char *)meas.p, (char *)chip.p);
    assert_vs_code(vs_json_parse(&w->a, vs_buf_span(&text), NULL, &want, NULL), VS_OK);
    assert_true(vs_eq(r.claims, want));
    assert_string_equal(r.tee_class, "cpu");
    assert_int_equal(vs_text(r.report_data).n, 128);
    assert_span_is(vs_text(r.init_data),
                   "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd");
    vs_buf_free(&text);
    vs_buf_free(&chip);
    vs_buf_free(&meas);
}

static void every_generation_and_version_verifies(void **state)
{
    world *w = *state;
    for (size_t g = 0; g < SNP_GENERATIONS; g++)
        for (unsigned version = 3; version <= 5; version++) {
            soft_fill(&w->s, (snp_generation)g, SNP_BY_VCEK);
            soft_put(&w->s, 0, version, 4);
            if (version == 5)
                soft_put(&w->s, 0x1f8, UINT64_MAX - 1, 8); /* beyond int64 */
            w->s.spec.hwid_wrapped = version == 4;
            soft_finish(&w->s);
            assert_verifies(w);
        }
}

static void a_vlek_tells_whose_machine_it_is(void **state)
{
    world *w = *state;
    vs_tee_result r;
    soft_fill(&w->s, SNP_GENOA, SNP_BY_VLEK);
    soft_finish(&w->s);
    assert_vs_code(
        run_with(w, w->trust, soft_snp_whole(&w->a, &w->s), report_data(w), none, SOFT_NOW, &r),
        VS_OK);
    assert_span_is(vs_text(vs_getc(r.claims, "vlek_csp_id")), "CN=cloud.example");
    w->s.spec.csp_id = NULL;
    soft_finish(&w->s);
    assert_refused(w, VS_E_NOT_FOUND, "3704.1.5");
}

static void a_masked_chip_id_is_compared_with_nothing(void **state)
{
    world *w = *state;
    memset(w->s.report + 0x1a0, 0, 64);
    soft_sign_report(&w->s);
    assert_verifies(w);
}

/* ---- expectations ---------------------------------------------------------------------------- */

static void report_data_and_host_data_are_compared_whole(void **state)
{
    world *w = *state;
    vs_tee_result r;
    vs_val e = soft_snp_whole(&w->a, &w->s);
    uint8_t other[65] = {0};
    memcpy(other, w->s.report + 0x50, 64);
    static const size_t sizes[] = {48, 50, 64};
    for (size_t i = 0; i < VS_COUNT(sizes); i++)
        assert_vs_code(run_with(w, w->trust, e, vs_span_of(other, sizes[i]), none, SOFT_NOW, &r),
                       VS_OK);
    static const size_t wrong[] = {0, 32, 47, 65};
    for (size_t i = 0; i < VS_COUNT(wrong); i++)
        assert_vs_code(run_with(w, w->trust, e, vs_span_of(other, wrong[i]), none, SOFT_NOW, &r),
                       VS_E_MISMATCH);
    for (unsigned bit = 0; bit < 64 * 8; bit += 7) {
        other[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_vs_code(run_with(w, w->trust, e, vs_span_of(other, 64), none, SOFT_NOW, &r),
                       VS_E_MISMATCH);
        other[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    uint8_t init[48];
    memset(init, 0xcd, sizeof init);
    assert_vs_code(run_with(w, w->trust, e, report_data(w), vs_span_of(init, 32), SOFT_NOW, &r),
                   VS_OK);
    assert_vs_code(/* a SHA-384 digest is cut */
                   run_with(w, w->trust, e, report_data(w), vs_span_of(init, 48), SOFT_NOW, &r),
                   VS_OK);
    init[31] ^= 1;
    assert_vs_code(run_with(w, w->trust, e, report_data(w), vs_span_of(init, 48), SOFT_NOW, &r),
                   VS_E_MISMATCH);
}

static void only_vmpl_0_may_ask(void **state)
{
    world *w = *state;
    static const uint32_t vmpls[] = {1, 3, 0xffffffff};
    for (size_t i = 0; i < VS_COUNT(vmpls); i++) {
        soft_put(&w->s, 0x030, vmpls[i], 4);
        soft_sign_report(&w->s);
        assert_refused(w, VS_E_INVALID, "VMPL");
    }
}

/* ---- the report ------------------------------------------------------------------------------ */

static void fields_that_are_out_of_range_are_refused(void **state)
{
    world *w = *state;
    static const struct {
        size_t at;
        uint64_t value;
        size_t n;
        vs_code want;
        const char *why;
    } cases[] = {
        {0x000, 2, 4, VS_E_UNSUPPORTED, "update the firmware"},
        {0x000, 0, 4, VS_E_UNSUPPORTED, "update the firmware"},
        {0x000, 6, 4, VS_E_UNSUPPORTED, "report version 6"},
        {0x008, 0x1001f, 8, VS_E_INVALID, "bit 17"},
        {0x008, 0x403001f, 8, VS_E_UNSUPPORTED, "guest policy"},
        {0x008, UINT64_C(0x8000000000030000), 8, VS_E_UNSUPPORTED, "guest policy"},
        {0x034, 0, 4, VS_E_UNSUPPORTED, "signature algorithm 0"},
        {0x034, 2, 4, VS_E_UNSUPPORTED, "signature algorithm 2"},
        {0x048, 2, 4, VS_E_INVALID, "masks its chip key"},
        {0x048, 2 << 2, 4, VS_E_INVALID, "neither VCEK nor VLEK"},
        {0x048, 7 << 2, 4, VS_E_INVALID, "neither VCEK nor VLEK"},
        {0x048, 1 << 5, 4, VS_E_UNSUPPORTED, "reserved bits"},
        {0x188, 0x17, 1, VS_E_UNSUPPORTED, "family 0x17"},
        {0x189, 0x20, 1, VS_E_UNSUPPORTED, "model 0x20"},
    };
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        soft_fill(&w->s, SNP_MILAN, SNP_BY_VCEK);
        soft_put(&w->s, cases[i].at, cases[i].value, cases[i].n);
        soft_sign_report(&w->s);
        assert_refused(w, cases[i].want, cases[i].why);
    }
}

static vs_code check_bytes(world *w, vs_span bytes, const snp_given *given)
{
    snp_report r;
    vs_span csp;
    vs_arena_reset(&w->a);
    VS_TRY(snp_report_parse(bytes, &r, NULL));
    return snp_verify(w->trust, &r, given, SOFT_NOW, &w->a, &csp, NULL);
}

static vs_span der_of(X509 *cert, uint8_t **der)
{
    int n = i2d_X509(cert, der);
    return vs_span_of(*der, (size_t)n);
}

static void no_cut_and_no_flipped_bit_of_a_report_verifies(void **state)
{
    world *w = *state;
    uint8_t *der = NULL;
    const snp_given given = {.vcek = der_of(w->s.vek, &der)};
    assert_vs_code(check_bytes(w, vs_span_of(w->s.report, SNP_REPORT_SIZE), &given), VS_OK);
    for (size_t n = 0; n < SNP_REPORT_SIZE; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        memcpy(exact, w->s.report, n);
        assert_vs_code(check_bytes(w, vs_span_of(exact, n), &given), VS_E_PARSE);
        free(exact);
    }
    for (size_t bit = 0; bit < SNP_REPORT_SIZE * 8; bit++) {
        w->s.report[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (check_bytes(w, vs_span_of(w->s.report, SNP_REPORT_SIZE), &given) == VS_OK)
            fail_msg("bit %zu of byte 0x%zx does not matter", bit % 8, bit / 8);
        w->s.report[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    OPENSSL_free(der);
}

static void the_json_form_is_read_strictly(void **state)
{
    world *w = *state;
    vs_val whole = soft_report_json(&w->a, w->s.report), chain = vs_null();
    for (VS_OBJ_FOR (pair, whole)) {
        vs_val without = vs_with(&w->a, whole, pair->key, vs_undefined());
        assert_refused_evidence(w, soft_snp_evidence(&w->a, without, chain), VS_E_INVALID,
                                "is missing");
        static const char *const wrong[] = {"\"1\"", "-1", "1.5",  "[]",
                                            "[256]", "{}", "true", "18446744073709551616"};
        for (size_t i = 0; i < VS_COUNT(wrong); i++) {
            vs_val v;
            assert_vs_code(vs_json_parse(&w->a, vs_str(wrong[i]), NULL, &v, NULL), VS_OK);
            vs_val changed = vs_with(&w->a, whole, pair->key, v);
            assert_refused_evidence(w, soft_snp_evidence(&w->a, changed, chain), VS_E_INVALID,
                                    "attestation_report");
        }
    }
    static const struct {
        const char *json;
        vs_code want;
    } bad[] = {
        {"null", VS_E_INVALID},
        {"[]", VS_E_INVALID},
        {"{}", VS_E_INVALID},
        {"{\"attestation_report\":null}", VS_E_INVALID},
        {"{\"attestation_report\":\"AAAA\"}", VS_E_INVALID},
        {"{\"attestation_report\":{}}", VS_E_INVALID},
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        vs_val v;
        assert_vs_code(vs_json_parse(&w->a, vs_str(bad[i].json), NULL, &v, NULL), VS_OK);
        assert_refused_evidence(w, v, bad[i].want, "SNP evidence");
    }
}

/* ---- certificates ---------------------------------------------------------------------------- */

static vs_val with_chain(world *w, const char *const *types, X509 *const *certs, size_t n)
{
    vs_vec chain = {.a = &w->a};
    for (size_t i = 0; i < n; i++)
        vs_vec_add(&chain, soft_entry(&w->a, types[i], soft_der(&w->a, certs[i])));
    return soft_snp_evidence(&w->a, soft_report_json(&w->a, w->s.report), vs_vec_end_array(&chain));
}

static void the_chain_may_come_whole_and_in_any_order(void **state)
{
    world *w = *state;
    static const char *const types[] = {"VCEK", "ARK", "Empty", "ASK", "CRL"};
    X509 *const certs[] = {w->s.vek, w->s.ark, w->s.ark, w->s.ask, w->s.ark};
    if (run(w, with_chain(w, types, certs, 5)) != VS_OK)
        fail_msg("%s", w->why);
    vs_vec chain = {.a = &w->a};
    vs_obj other = {.a = &w->a}, entry = {.a = &w->a};
    vs_obj_put(&other, "OTHER", vs_cstring("00000000-0000-0000-0000-000000000000"));
    vs_obj_put(&entry, "cert_type", vs_obj_end(&other, VS_DUP_REFUSE, NULL));
    vs_obj_put(&entry, "data", vs_empty(VS_ARRAY));
    vs_vec_add(&chain, vs_obj_end(&entry, VS_DUP_REFUSE, NULL));
    vs_vec_add(&chain, soft_entry(&w->a, "VCEK", soft_der(&w->a, w->s.vek)));
    if (run(w, soft_snp_evidence(&w->a, soft_report_json(&w->a, w->s.report),
                                 vs_vec_end_array(&chain))) != VS_OK)
        fail_msg("%s", w->why);
}

static void certificates_may_be_pem(void **state)
{
    world *w = *state;
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, w->s.vek);
    size_t n = (size_t)BIO_get_mem_data(bio, &text);
    vs_vec chain = {.a = &w->a};
    vs_vec_add(&chain, soft_entry(&w->a, "VCEK", soft_array(&w->a, (uint8_t *)text, n)));
    if (run(w, soft_snp_evidence(&w->a, soft_report_json(&w->a, w->s.report),
                                 vs_vec_end_array(&chain))) != VS_OK)
        fail_msg("%s", w->why);
    BIO_free(bio);
}

static void chains_that_end_elsewhere_are_refused(void **state)
{
    world *w = *state;
    EVP_PKEY *key = EVP_RSA_gen(2048);
    X509 *ark = soft_ca("ARK-Soft", key, NULL, key), *ask = soft_ca("SEV-Soft", key, ark, key);
    static const char *const types[] = {"VCEK", "ARK", "ASK"};
    X509 *foreign[] = {w->s.vek, ark, ask};
    assert_refused_evidence(w, with_chain(w, types, foreign, 3), VS_E_UNTRUSTED, "not AMD's");
    foreign[1] = w->s.ark;
    assert_refused_evidence(w, with_chain(w, types, foreign, 3), VS_E_UNTRUSTED,
                            "certificate chain");
    /* The whole chain is somebody else's, and consistent. */
    EVP_PKEY *ours = w->s.ask_key;
    X509 *our_ask = w->s.ask;
    w->s.ask_key = key;
    w->s.ask = ask;
    soft_finish(&w->s);
    w->s.ask_key = ours;
    w->s.ask = our_ask;
    foreign[0] = w->s.vek;
    foreign[1] = ark;
    assert_refused_evidence(w, with_chain(w, types, foreign, 3), VS_E_UNTRUSTED, "not AMD's");
    foreign[1] = w->s.ark;
    assert_refused_evidence(w, with_chain(w, types, foreign, 3), VS_E_UNTRUSTED,
                            "certificate chain");
    assert_refused(w, VS_E_UNTRUSTED, "certificate chain");
    /* AMD's own roots know nothing of a chip of ours. */
    snp_trust *amd = NULL;
    vs_tee_result r;
    soft_finish(&w->s);
    assert_vs_code(snp_trust_new(NULL, &amd, NULL), VS_OK);
    assert_vs_code(
        run_with(w, amd, soft_snp_whole(&w->a, &w->s), report_data(w), none, SOFT_NOW, &r),
        VS_E_UNTRUSTED);
    snp_trust_free(&amd);
    X509_free(ark);
    X509_free(ask);
    EVP_PKEY_free(key);
}

static void lists_of_certificates_that_make_no_sense_are_refused(void **state)
{
    world *w = *state;
    static const char *const twice[] = {"VCEK", "VCEK"}, *const lone[] = {"ASK"},
                             *const vlek[] = {"VLEK"};
    X509 *const certs[] = {w->s.vek, w->s.vek};
    assert_refused_evidence(w, with_chain(w, twice, certs, 2), VS_E_INVALID, "second VCEK");
    assert_refused_evidence(w, with_chain(w, lone, &w->s.ask, 1), VS_E_NOT_FOUND, "no VCEK");
    assert_refused_evidence(w, with_chain(w, vlek, certs, 1), VS_E_NOT_FOUND, "no VCEK");
    assert_refused_evidence(w, with_chain(w, twice, certs, 0), VS_E_INVALID, "0 entries");
    static const struct {
        const char *chain;
        vs_code want;
        const char *why;
    } bad[] = {
        {"{}", VS_E_INVALID, "cert_chain"},
        {"[null]", VS_E_INVALID, "cert_type"},
        {"[{\"cert_type\":\"VCEK\"}]", VS_E_INVALID, "data"},
        {"[{\"cert_type\":\"VCEK\",\"data\":\"AA\"}]", VS_E_INVALID, "data"},
        {"[{\"cert_type\":\"VCEK\",\"data\":[]}]", VS_E_INVALID, "empty VCEK"},
        {"[{\"cert_type\":\"VCEK\",\"data\":[48,256]}]", VS_E_INVALID, "element 1"},
        {"[{\"cert_type\":\"VCEK\",\"data\":[48]}]", VS_E_PARSE, "VCEK"},
        {"[{\"cert_type\":\"VCEK\",\"data\":[45,45,45,45,45,66,69,71,73,78,32,67,69,82,84,73,70,"
         "73,67,65,84,69,45,45,45,45,45]}]",
         VS_E_PARSE, "VCEK"},
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        vs_val v;
        assert_vs_code(vs_json_parse(&w->a, vs_str(bad[i].chain), NULL, &v, NULL), VS_OK);
        assert_refused_evidence(w,
                                soft_snp_evidence(&w->a, soft_report_json(&w->a, w->s.report), v),
                                bad[i].want, bad[i].why);
    }
}

static void a_certificate_for_something_else_is_refused(void **state)
{
    world *w = *state;
    soft_vek good = w->s.spec;
    soft_vek cases[16];
    const char *why[16];
    vs_code want[16];
    size_t n = 0;
#define BAD(code, text, change)                                                                    \
    do {                                                                                           \
        cases[n] = good;                                                                           \
        cases[n].change;                                                                           \
        want[n] = code;                                                                            \
        why[n++] = text;                                                                           \
    } while (0)
    BAD(VS_E_MISMATCH, "common name", cn = "VCEK");
    BAD(VS_E_MISMATCH, "another product", product = "Genoa");
    BAD(VS_E_MISMATCH, "another product", product = "Milano");
    BAD(VS_E_MISMATCH, "boot loader version 5", spl[1] = soft_spl(5));
    BAD(VS_E_MISMATCH, "TEE version 0", spl[2] = soft_spl(0));
    BAD(VS_E_MISMATCH, "SNP firmware version 199", spl[3] = soft_spl(199));
    BAD(VS_E_MISMATCH, "microcode version 220", spl[8] = soft_spl(220));
    BAD(VS_E_NOT_FOUND, "3704.1.3.8", spl[8] = NULL);
    BAD(VS_E_INVALID, "negative", spl[8] = "\2\1\xdb");
    BAD(VS_E_PARSE, "bad integer", spl[1] = "\2\2\0\4");
    BAD(VS_E_MISMATCH, "another chip", hwid[63] ^= 1);
    BAD(VS_E_PARSE, "hardware id", hwid_n = 63);
    BAD(VS_E_NOT_FOUND, "3704.1.4", hwid_n = 0);
    BAD(VS_E_INVALID, "P-256", curve = "P-256");
    BAD(VS_E_EXPIRED, "expired", end = SOFT_NOW - 1);
    BAD(VS_E_EXPIRED, "not yet valid", start = SOFT_NOW + 1);
#undef BAD
    for (size_t i = 0; i < n; i++) {
        w->s.spec = cases[i];
        soft_issue(&w->s);
        if (!strstr(cases[i].curve, "256"))
            soft_sign_report(&w->s);
        assert_refused(w, want[i], why[i]);
    }
}

static void turin_binds_fmc_and_eight_bytes_of_chip_id(void **state)
{
    world *w = *state;
    soft_fill(&w->s, SNP_TURIN, SNP_BY_VCEK);
    soft_vek good = w->s.spec;
    w->s.spec.spl[9] = soft_spl(8);
    soft_finish(&w->s);
    assert_refused(w, VS_E_MISMATCH, "FMC");
    w->s.spec = good;
    w->s.spec.hwid[7] ^= 1;
    soft_finish(&w->s);
    assert_refused(w, VS_E_MISMATCH, "another chip");
    w->s.spec = good;
    w->s.report[0x1a0 + 8] = 1; /* beyond what the certificate knows of */
    soft_finish(&w->s);
    assert_refused(w, VS_E_MISMATCH, "another chip");
}

/* A certificate of another kind than the report says signed it. */
static void vcek_and_vlek_are_not_each_others(void **state)
{
    world *w = *state;
    static const char *const vlek[] = {"VLEK"};
    soft_put(&w->s, 0x048, SNP_BY_VLEK << 2, 4);
    soft_sign_report(&w->s);
    assert_refused(w, VS_E_NOT_FOUND, "signed by a VLEK");
    assert_refused_evidence(w, with_chain(w, vlek, &w->s.vek, 1), VS_E_UNTRUSTED, "VLEK");
    static const char *const both[] = {"VLEK", "ASK"};
    X509 *const certs[] = {w->s.vek, w->s.ask};
    assert_refused_evidence(w, with_chain(w, both, certs, 2), VS_E_MISMATCH, "common name");
}

static void evidence_without_a_verifier_is_refused(void **state)
{
    world *w = *state;
    vs_tee_result r;
    assert_vs_code(
        run_with(w, NULL, soft_snp_whole(&w->a, &w->s), report_data(w), none, SOFT_NOW, &r),
        VS_E_UNSUPPORTED);
}

/* ---- offline stores -------------------------------------------------------------------------- */

static void write_store(const char *dir, const char *name, const world *w, X509 *cert)
{
    vs_buf path = VS_BUF(4096);
    uint8_t *der = NULL;
    vs_span bytes = der_of(cert, &der);
    vs_error err = {0};
    vs_buf_printf(&path, "%s/vcek/", dir);
    vs_hex_encode(&path, vs_span_of(w->s.report + 0x1a0, w->s.spec.hwid_n));
    assert_vs_ok(vs_make_dirs((char *)path.p, 0700, &err), &err);
    vs_buf_printf(&path, "/%s", name);
    assert_vs_ok(vs_write_file((char *)path.p, bytes, 0600, &err), &err);
    vs_buf_free(&path);
    OPENSSL_free(der);
}

static void the_offline_store_is_asked_for_this_chip_and_firmware(void **state)
{
    world *w = *state;
    char dir[] = "/tmp/vouchsafe-test-XXXXXX", command[64];
    snp_trust *trust = NULL;
    vs_tee_result r;
    assert_non_null(mkdtemp(dir));
    soft_snp_trust(&w->s, dir, NULL, &trust);
    assert_string_equal(snp_trust_store(trust, 0), dir);
    assert_null(snp_trust_store(trust, 1));
    vs_val e = soft_snp_evidence(&w->a, soft_report_json(&w->a, w->s.report), vs_null());
    assert_vs_code(run_with(w, trust, e, report_data(w), none, SOFT_NOW, &r), VS_E_NOT_FOUND);
    assert_non_null(strstr(w->why, "bl04_tee01_snp200_ucode219_vcek.der"));
    write_store(dir, "vcek.der", w, w->s.vek);
    assert_vs_code(run_with(w, trust, e, report_data(w), none, SOFT_NOW, &r), VS_OK);
    /* The more precise name comes first, even when what it holds does not fit. */
    write_store(dir, "bl04_tee01_snp200_ucode219_vcek.der", w, w->s.ask);
    assert_vs_code(run_with(w, trust, e, report_data(w), none, SOFT_NOW, &r), VS_E_MISMATCH);
    write_store(dir, "bl04_tee01_snp200_ucode219_vcek.der", w, w->s.vek);
    assert_vs_code(run_with(w, trust, e, report_data(w), none, SOFT_NOW, &r), VS_OK);
    /* Turin: another name, another directory. */
    soft_fill(&w->s, SNP_TURIN, SNP_BY_VCEK);
    soft_finish(&w->s);
    write_store(dir, "bl04_tee01_snp200_ucode219_fmc07_vcek.der", w, w->s.vek);
    e = soft_snp_evidence(&w->a, soft_report_json(&w->a, w->s.report), vs_null());
    assert_vs_code(run_with(w, trust, e, report_data(w), none, SOFT_NOW, &r), VS_OK);
    memset(w->s.report + 0x1a0, 0, 64);
    soft_sign_report(&w->s);
    e = soft_snp_evidence(&w->a, soft_report_json(&w->a, w->s.report), vs_null());
    assert_vs_code(run_with(w, trust, e, report_data(w), none, SOFT_NOW, &r), VS_E_NOT_FOUND);
    assert_non_null(strstr(w->why, "masked"));
    snp_trust_free(&trust);
    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

/* ---- revocation lists ------------------------------------------------------------------------ */

/* A list by `key` in the name of `issuer`, valid for an hour around SOFT_NOW. */
static void write_crl(const char *path, const X509 *issuer, EVP_PKEY *key, X509 *revoked)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *then = ASN1_TIME_set(NULL, SOFT_NOW - 1800);
    ASN1_TIME *next = ASN1_TIME_set(NULL, SOFT_NOW + 1800);
    uint8_t *der = NULL;
    vs_error err = {0};
    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer));
    X509_CRL_set1_lastUpdate(crl, then);
    X509_CRL_set1_nextUpdate(crl, next);
    if (revoked) {
        X509_REVOKED *entry = X509_REVOKED_new();
        X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked));
        X509_REVOKED_set_revocationDate(entry, then);
        X509_CRL_add0_revoked(crl, entry);
    }
    assert_true(X509_CRL_sign(crl, key, EVP_sha384()) > 0);
    int n = i2d_X509_CRL(crl, &der);
    assert_vs_ok(vs_write_file(path, vs_span_of(der, (size_t)n), 0600, &err), &err);
    OPENSSL_free(der);
    X509_CRL_free(crl);
    ASN1_TIME_free(then);
    ASN1_TIME_free(next);
}

static void with_revocation_lists_evidence_counts_as_long_as_they_tell(void **state)
{
    world *w = *state;
    char path[] = "/tmp/vouchsafe-test-XXXXXX";
    snp_trust *trust = NULL;
    vs_tee_result r;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    soft_snp_trust(&w->s, NULL, path, &trust);
    assert_string_equal(snp_trust_crl(trust, 0), path);
    vs_val e = soft_snp_whole(&w->a, &w->s);
    assert_vs_code(run_with(w, trust, e, report_data(w), none, SOFT_NOW, &r), VS_E_PARSE);
    write_crl(path, w->s.ark, w->s.ark_key, NULL);
    assert_vs_code(run_with(w, trust, e, report_data(w), none, SOFT_NOW, &r), VS_OK);
    assert_vs_code(run_with(w, trust, e, report_data(w), none, SOFT_NOW + 1800, &r), VS_E_EXPIRED);
    assert_vs_code(run_with(w, trust, e, report_data(w), none, SOFT_NOW - 1801, &r), VS_E_EXPIRED);
    write_crl(path, w->s.ark, w->s.ark_key, w->s.ask);
    assert_vs_code(run_with(w, trust, e, report_data(w), none, SOFT_NOW, &r), VS_E_UNTRUSTED);
    assert_non_null(strstr(w->why, "revoked"));
    write_crl(path, w->s.ark, w->s.ask_key, NULL);
    assert_vs_code(run_with(w, trust, e, report_data(w), none, SOFT_NOW, &r), VS_E_UNTRUSTED);
    assert_non_null(strstr(w->why, "none of AMD's roots"));
    assert_int_equal(unlink(path), 0);
    assert_vs_code(run_with(w, trust, e, report_data(w), none, SOFT_NOW, &r), VS_E_NOT_FOUND);
    snp_trust_free(&trust);
}

static void running_out_of_memory_is_an_error_at_every_point(void **state)
{
    world *w = *state;
    vs_val e = soft_snp_whole(&w->a, &w->s);
    vs_tee_trust all = {.snp = w->trust};
    vs_tee_expect expect = {.report_data = report_data(w), .now = SOFT_NOW};
    bool done = false;
    for (size_t cap = 0; !done; cap += 256) {
        vs_arena small;
        vs_tee_result results[VS_TEE_RESULTS_MAX];
        size_t n;
        assert_true(cap < 1 << 20);
        vs_arena_init(&small, cap ? cap : 1);
        vs_code code =
            vs_tee_find(VS_LIT("snp"))->verify(&all, e, &expect, &small, results, &n, NULL);
        done = code == VS_OK;
        assert_true(done || code == VS_E_NOMEM);
        assert_int_equal(n, done ? 1 : 0);
        vs_arena_free(&small);
    }
}

#define in_world(t) cmocka_unit_test_setup_teardown(t, start, keep_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(claims_are_exactly_those_of_trustee),
        in_world(every_generation_and_version_verifies),
        in_world(a_vlek_tells_whose_machine_it_is),
        in_world(a_masked_chip_id_is_compared_with_nothing),
        in_world(report_data_and_host_data_are_compared_whole),
        in_world(only_vmpl_0_may_ask),
        in_world(fields_that_are_out_of_range_are_refused),
        in_world(no_cut_and_no_flipped_bit_of_a_report_verifies),
        in_world(the_json_form_is_read_strictly),
        in_world(the_chain_may_come_whole_and_in_any_order),
        in_world(certificates_may_be_pem),
        in_world(chains_that_end_elsewhere_are_refused),
        in_world(lists_of_certificates_that_make_no_sense_are_refused),
        in_world(a_certificate_for_something_else_is_refused),
        in_world(turin_binds_fmc_and_eight_bytes_of_chip_id),
        in_world(vcek_and_vlek_are_not_each_others),
        in_world(evidence_without_a_verifier_is_refused),
        in_world(the_offline_store_is_asked_for_this_chip_and_firmware),
        in_world(with_revocation_lists_evidence_counts_as_long_as_they_tell),
        in_world(running_out_of_memory_is_an_error_at_every_point),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
