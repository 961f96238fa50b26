/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/helpers.h"

#include "envelope/cose.h"

/* ---- published examples --------------------------------------------------------------------- */

/* RFC 9052 C.2.1 with key "11" of C.7.1; the COSE working group's ecdsa-sig-02. */
#define CONTENT "54546869732069732074686520636f6e74656e742e"
#define SIG_C21                                                                                    \
    "58408eb33e4ca31d1c465ab05aac34cc6b23d58fef5c083106c4d25a91aef0b0117e2af9a291aa32e14ab834"     \
    "dc56ed2a223444547e01f11d3b0916e5a4c345cacb36"
#define C21 "d28443a10126a104423131" CONTENT SIG_C21
#define C21_KEY                                                                                    \
    "04bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff"                           \
    "20138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e"
#define SIG02                                                                                      \
    "d28444a1013822a104445033383454546869732069732074686520636f6e74656e742e58605f150abd1c7d25b320" \
    "65"                                                                                           \
    "a14e05d6cb1f665d10769ff455ea9a2e0adab5de63838db257f0949c41e13330e110eba7b912f34e1546fb1366a2" \
    "56"                                                                                           \
    "8faa91ec3e6c8d42f4a67a0edf731d88c9aead52258b2e2c4740ef614f02e9d91e9b7b59622a3c"

static vs_key *c21_key(void)
{
    vs_key *k = NULL;
    assert_vs_ok(vs_key_from_point(VS_KEY_P256, hex(C21_KEY), &k, &err), &err);
    return k;
}

static vs_code parse(vs_span in)
{
    vs_cose_sign1 m;
    return vs_cose_parse(in, &m, &err);
}

static vs_code check(vs_span in, const vs_key *k, vs_span aad)
{
    vs_cose_sign1 m;
    vs_code code = vs_cose_parse(in, &m, &err);
    return code == VS_OK ? vs_cose_verify(&m, k, aad, &err) : code;
}

static void the_es256_example_of_rfc_9052_verifies(void **state)
{
    (void)state;
    VS_CLEANUP(vs_key_free) vs_key *k = c21_key();
    vs_cose_sign1 m;
    assert_vs_ok(vs_cose_parse(hex(C21), &m, &err), &err);
    assert_int_equal(m.alg, VS_ES256);
    assert_span_eq(m.protected_bytes, hex("a10126"));
    assert_span_is(m.payload, "This is the content.");
    assert_int_equal(m.signature.n, 64);
    assert_vs_ok(vs_cose_verify(&m, k, nothing, &err), &err);
}

static void the_es384_example_of_the_working_group_verifies(void **state)
{
    (void)state;
    VS_CLEANUP(vs_key_free)
    vs_key *k =
        key_of(json("{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":"
                    "\"kTJyP2KSsBBhnb4kjWmMF7WHVsY55xUPgb7k64rDcjatChoZ1nvjKmYmPh5STRKc\","
                    "\"y\":\"mM0weMVU2DKsYDxDJkEP9hZiRZtB8fPfXbzINZj_fF7YQRynNWedHEyzAJOX2e8s\"}"),
               false);
    assert_vs_ok(check(hex(SIG02), k, nothing), &err);
}

static void external_data_is_part_of_what_is_signed(void **state)
{
    (void)state;
    VS_CLEANUP(vs_key_free) vs_key *k = c21_key();
    assert_vs_code(check(hex(C21), k, VS_LIT("x")), VS_E_CRYPTO);
    VS_CLEANUP(vs_key_free) vs_key *own = fresh_key(VS_KEY_P256);
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(500);
    assert_vs_ok(vs_cose_sign(&out, own, VS_ES256, hex("a10126"), VS_LIT("aad"), VS_LIT("p"), &err),
                 &err);
    assert_vs_ok(check(vs_buf_span(&out), own, VS_LIT("aad")), &err);
    assert_vs_code(check(vs_buf_span(&out), own, nothing), VS_E_CRYPTO);
    assert_vs_code(check(vs_buf_span(&out), own, VS_LIT("aaD")), VS_E_CRYPTO);
}

/* ---- form ----------------------------------------------------------------------------------- */

static void an_untagged_message_is_refused(void **state)
{
    (void)state;
    assert_vs_code(parse(vs_span_from(hex(C21), 1)), VS_E_INVALID);
}

static void another_tag_is_refused(void **state)
{
    (void)state;
    static const char *const tags[] = {"d1", "d3", "d862", "d903e6", "c0", "d2d2"};
    for (size_t i = 0; i < VS_COUNT(tags); i++)
        assert_vs_code(parse(hex(vs_sprintf(&arena, "%s%s", tags[i], &C21[2]))), VS_E_INVALID);
    assert_int_not_equal(parse(hex(vs_sprintf(&arena, "d812%s", &C21[2]))),
                         VS_OK); /* 18, not shortest */
}

static void trailing_bytes_are_refused(void **state)
{
    (void)state;
    assert_vs_code(parse(hex(C21 "00")), VS_E_PARSE);
    assert_vs_code(parse(hex(C21 C21)), VS_E_PARSE);
}

static void anything_but_four_elements_is_refused(void **state)
{
    (void)state;
    assert_int_not_equal(parse(hex("d280")), VS_OK);
    assert_int_not_equal(parse(hex("d28343a10126a0" CONTENT)), VS_OK);
    assert_int_not_equal(parse(hex("d28543a10126a0" CONTENT SIG_C21 "f6")), VS_OK);
    assert_int_not_equal(parse(hex("d29f43a10126a0" CONTENT SIG_C21 "ff")), VS_OK); /* indefinite */
    assert_int_not_equal(parse(hex("d2a0")), VS_OK);
    assert_int_not_equal(parse(hex("d2")), VS_OK);
    assert_int_not_equal(parse(nothing), VS_OK);
}

static void a_nil_payload_is_refused(void **state)
{
    (void)state;
    assert_int_not_equal(parse(hex("d28443a10126a0f6" SIG_C21)), VS_OK);
}

static void elements_of_another_type_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "d284a10126a0" CONTENT SIG_C21,         /* protected as a map */
        "d284f6a0" CONTENT SIG_C21,             /* protected nil */
        "d28443a1012643a10126" CONTENT SIG_C21, /* unprotected as bytes */
        "d28443a10126f6" CONTENT SIG_C21,       /* unprotected nil */
        "d28443a1012680" CONTENT SIG_C21,       /* unprotected as an array */
        "d28443a10126a06161" SIG_C21,           /* payload as text */
        "d28443a10126a0a0" SIG_C21,             /* payload as a map */
        "d28443a10126a0" CONTENT "00",          /* signature as a number */
        "d28443a10126a0" CONTENT "f6",
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_int_not_equal(parse(hex(bad[i])), VS_OK);
}

/* ---- headers -------------------------------------------------------------------------------- */

/* A message with this protected header (hex of the byte string with its head) and unprotected map.
 */
static vs_code parse_headers(const char *protected_bstr, const char *unprotected)
{
    return parse(hex(vs_sprintf(&arena, "d284%s%s" CONTENT SIG_C21, protected_bstr, unprotected)));
}

static void a_missing_algorithm_is_refused(void **state)
{
    (void)state;
    assert_vs_code(parse_headers("41a0", "a0"), VS_E_INVALID);       /* empty map */
    assert_vs_code(parse_headers("44a1044131", "a0"), VS_E_INVALID); /* kid only */
    assert_vs_code(parse_headers("40", "a0"), VS_E_INVALID);         /* empty string */
}

static void an_algorithm_in_the_unprotected_header_alone_is_refused(void **state)
{
    (void)state;
    assert_vs_code(parse_headers("41a0", "a10126"), VS_E_INVALID);
    assert_vs_code(parse_headers("40", "a10126"), VS_E_INVALID);
}

static void the_unprotected_header_is_ignored(void **state)
{
    (void)state;
    VS_CLEANUP(vs_key_free) vs_key *k = c21_key();
    assert_vs_ok(check(hex("d28443a10126a0" CONTENT SIG_C21), k, nothing), &err);
    assert_vs_ok(check(hex("d28443a10126a1013822" CONTENT SIG_C21), k, nothing), &err);
    assert_vs_ok(check(hex("d28443a10126a203a101021864820102" CONTENT SIG_C21), k, nothing), &err);
}

static void an_unknown_algorithm_is_refused(void **state)
{
    (void)state;
    static const char *const algs[] = {
        "43a10100",           /* reserved */
        "43a10105",           /* HMAC 256/256 */
        "43a10101",           /* A128GCM */
        "44a101382e",         /* ES256K */
        "45a10139fffe",       /* RS1 */
        "48a101654553323536", /* "ES256" as text */
    };
    for (size_t i = 0; i < VS_COUNT(algs); i++)
        assert_vs_code(parse_headers(algs[i], "a0"), VS_E_UNSUPPORTED);
    assert_int_not_equal(parse_headers("44a1014126", "a0"), VS_OK); /* a byte string */
    assert_int_not_equal(parse_headers("4ba1013bffffffffffffffff", "a0"), VS_OK); /* below int64 */
}

static void critical_parameters_are_refused(void **state)
{
    (void)state;
    assert_vs_code(parse_headers("46a20126028101", "a0"), VS_E_UNSUPPORTED);
    assert_vs_code(parse_headers("45a201260280", "a0"), VS_E_UNSUPPORTED);
    assert_vs_code(parse_headers("46a20281010126", "a0"), VS_E_UNSUPPORTED);
}

static void duplicate_labels_are_refused(void **state)
{
    (void)state;
    assert_int_not_equal(parse_headers("45a201260126", "a0"), VS_OK);
    assert_int_not_equal(parse_headers("46a20126013822", "a0"), VS_OK);
    assert_int_not_equal(parse_headers("43a10126", "a2044131044131"), VS_OK);
}

static void other_protected_parameters_are_let_through(void **state)
{
    (void)state;
    assert_vs_ok(parse_headers("46a20126044131", "a0"), &err);
    assert_vs_ok(parse_headers("46a20441310126", "a0"), &err);
    assert_vs_ok(parse_headers("46a201266161f6", "a0"), &err);        /* text label */
    assert_int_not_equal(parse_headers("45a20126f6f6", "a0"), VS_OK); /* label null */
}

static void bytes_behind_the_protected_map_are_refused(void **state)
{
    (void)state;
    assert_int_not_equal(parse_headers("44a1012600", "a0"), VS_OK);
    assert_int_not_equal(parse_headers("42a101", "a0"), VS_OK);
    assert_int_not_equal(parse_headers("43820126", "a0"), VS_OK); /* an array */
}

/* ---- signatures ----------------------------------------------------------------------------- */

/* cca.md 1.2: ES256 with a P-384 key can be valid mathematically; the pairing is enforced. */
static void an_algorithm_that_does_not_fit_the_curve_is_refused(void **state)
{
    (void)state;
    static const char *const headers[] = {"a10126", "a1013822", "a1013823", "a10127", "a101390100"};
    static const vs_alg algs[] = {VS_ES256, VS_ES384, VS_ES512, VS_EDDSA, VS_RS256};
    static const vs_key_type types[] = {VS_KEY_P256, VS_KEY_P384, VS_KEY_P521, VS_KEY_ED25519,
                                        VS_KEY_RSA};
    vs_key *signer[VS_COUNT(types)], *other[VS_COUNT(types)];
    for (size_t i = 0; i < VS_COUNT(types); i++) {
        signer[i] = fresh_key(types[i]);
        other[i] = fresh_key(types[i]);
    }
    for (size_t i = 0; i < VS_COUNT(algs); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1000);
        assert_vs_ok(
            vs_cose_sign(&out, signer[i], algs[i], hex(headers[i]), nothing, VS_LIT("p"), &err),
            &err);
        assert_vs_ok(check(vs_buf_span(&out), signer[i], nothing), &err);
        for (size_t j = 0; j < VS_COUNT(algs); j++)
            assert_vs_code(check(vs_buf_span(&out), other[j], nothing),
                           types[j] == types[i] ? VS_E_CRYPTO : VS_E_INVALID);
    }
    for (size_t i = 0; i < VS_COUNT(types); i++) {
        vs_key_free(&signer[i]);
        vs_key_free(&other[i]);
    }
}

/* Heads of every size: payloads around 24, 256 and 65536 bytes. */
static void payloads_of_all_sizes_round_trip(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 23, 24, 255, 256, 65535, 65536, 70000};
    VS_CLEANUP(vs_key_free) vs_key *k = fresh_key(VS_KEY_P256);
    uint8_t *bytes = vs_zalloc(&arena, 70000);
    for (size_t i = 0; i < VS_COUNT(sizes); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(80000), whole = VS_BUF(80000);
        vs_span payload = vs_span_of(bytes, sizes[i]);
        vs_cose_sign1 m;
        assert_vs_ok(vs_cose_sign(&out, k, VS_ES256, hex("a10126"), nothing, payload, &err), &err);
        assert_vs_ok(vs_cose_parse(vs_buf_span(&out), &m, &err), &err);
        assert_span_eq(m.payload, payload);
        assert_vs_ok(vs_cose_verify(&m, k, nothing, &err), &err);
        /* against the Sig_structure written in one piece (RFC 9052 4.4) */
        vs_cbor_put_array(&whole, 4);
        vs_cbor_put_text(&whole, "Signature1");
        vs_cbor_put_bytes(&whole, hex("a10126"));
        vs_cbor_put_bytes(&whole, nothing);
        vs_cbor_put_bytes(&whole, payload);
        vs_span all = vs_buf_span(&whole);
        assert_vs_ok(vs_verify(k, VS_ES256, &all, 1, m.signature, &err), &err);
    }
}

static void signing_checks_what_the_header_says(void **state)
{
    (void)state;
    VS_CLEANUP(vs_key_free) vs_key *k = fresh_key(VS_KEY_P256), *pub = c21_key();
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1000), small = VS_BUF(50);
    static const char *const bad[] = {"a1013822", "a0", "", "a1044131", "a201260126", "a1012600"};
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_int_not_equal(vs_cose_sign(&out, k, VS_ES256, hex(bad[i]), nothing, nothing, &err),
                             VS_OK);
    assert_vs_code(vs_cose_sign(&out, k, VS_ES384, hex("a1013822"), nothing, nothing, &err),
                   VS_E_INVALID);
    assert_vs_code(vs_cose_sign(&out, pub, VS_ES256, hex("a10126"), nothing, nothing, &err),
                   VS_E_INVALID);
    assert_int_equal(out.n, 0);
    assert_vs_code(vs_cose_sign(&small, k, VS_ES256, hex("a10126"), nothing, nothing, &err),
                   VS_E_NOMEM);
}

static void every_flipped_bit_of_a_signed_part_is_refused(void **state)
{
    (void)state;
    VS_CLEANUP(vs_key_free) vs_key *k = c21_key();
    vs_span good = hex("d28443a10126a0" CONTENT SIG_C21); /* nothing in the unprotected map */
    uint8_t *p = copy_of(good);
    for (size_t bit = 0; bit < good.n * 8; bit++) {
        flip(p, bit);
        assert_int_not_equal(check(vs_span_of(p, good.n), k, nothing), VS_OK);
        flip(p, bit);
    }
    assert_vs_ok(check(vs_span_of(p, good.n), k, nothing), &err);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    for (size_t n = 0; n < hex(C21).n; n++)
        assert_int_not_equal(parse(vs_dup(&arena, vs_span_head(hex(C21), n))), VS_OK);
}

/* ---- CCA tokens ----------------------------------------------------------------------------- */

/* The entry of an outer tag 399 map: 44234 is the platform token, 44241 the realm token. */
static vs_span cca_entry(const char *rel, uint64_t key)
{
    vs_cbor c = vs_cbor_of(shared_file(rel), &err);
    vs_span found = nothing;
    assert_int_equal(vs_cbor_tag(&c), 399);
    for (size_t n = vs_cbor_map(&c); n > 0; n--) {
        bool wanted = vs_cbor_uint(&c) == key;
        vs_span value = vs_cbor_bytes(&c);
        if (wanted)
            found = value;
    }
    assert_vs_ok(vs_cbor_end(&c), &err);
    return found;
}

static void platform_tokens_verify_with_their_key(void **state)
{
    (void)state;
    need_shared("data/cca/README.md");
    VS_CLEANUP(vs_key_free)
    vs_key *cpak = key_of(shared_json("data/cca/trust/tfa-cpak-pub.jwk"), false);
    VS_CLEANUP(vs_key_free)
    vs_key *rak = key_of(shared_json("data/cca/trust/tfa-rak-priv.jwk"), true);
    static const struct {
        const char *file;
        uint64_t entry;
        bool by_cpak;
        vs_code code;
    } rows[] = {
        {"data/cca/tokens/derived-ok-legacy-399.cbor", 44234, true, VS_OK},
        {"data/cca/tokens/derived-ok-legacy-399.cbor", 44241, false, VS_OK},
        {"data/cca/tokens/derived-ok-legacy-399.cbor", 44234, false, VS_E_CRYPTO},
        {"data/cca/tokens/derived-ok-legacy-399.cbor", 44241, true, VS_E_CRYPTO},
        {"data/cca/tokens/derived-ok-unprotected-kid.cbor", 44234, true, VS_OK},
        {"data/cca/tokens/trustee-example-legacy-es384.cbor", 44234, true, VS_OK},
        {"data/cca/tokens/rust-cca-token-01.cbor", 44234, true, VS_OK},
        {"data/cca/tokens/derived-neg-platform-sig-bitflip.cbor", 44234, true, VS_E_CRYPTO},
        {"data/cca/tokens/derived-neg-realm-sig-bitflip.cbor", 44241, false, VS_E_CRYPTO},
        {"data/cca/tokens/derived-neg-platform-signed-by-rak.cbor", 44234, true, VS_E_CRYPTO},
        {"data/cca/tokens/derived-neg-alg-missing.cbor", 44234, true, VS_E_INVALID},
        {"data/cca/tokens/derived-neg-alg-es256-with-p384-key.cbor", 44234, true, VS_E_INVALID},
    };
    for (size_t i = 0; i < VS_COUNT(rows); i++)
        assert_vs_code(
            check(cca_entry(rows[i].file, rows[i].entry), rows[i].by_cpak ? cpak : rak, nothing),
            rows[i].code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_arena(the_es256_example_of_rfc_9052_verifies),
        in_arena(the_es384_example_of_the_working_group_verifies),
        in_arena(external_data_is_part_of_what_is_signed),
        in_arena(an_untagged_message_is_refused),
        in_arena(another_tag_is_refused),
        in_arena(trailing_bytes_are_refused),
        in_arena(anything_but_four_elements_is_refused),
        in_arena(a_nil_payload_is_refused),
        in_arena(elements_of_another_type_are_refused),
        in_arena(a_missing_algorithm_is_refused),
        in_arena(an_algorithm_in_the_unprotected_header_alone_is_refused),
        in_arena(the_unprotected_header_is_ignored),
        in_arena(an_unknown_algorithm_is_refused),
        in_arena(critical_parameters_are_refused),
        in_arena(duplicate_labels_are_refused),
        in_arena(other_protected_parameters_are_let_through),
        in_arena(bytes_behind_the_protected_map_are_refused),
        in_arena(an_algorithm_that_does_not_fit_the_curve_is_refused),
        in_arena(payloads_of_all_sizes_round_trip),
        in_arena(signing_checks_what_the_header_says),
        in_arena(every_flipped_bit_of_a_signed_part_is_refused),
        in_arena(every_truncation_is_refused),
        in_arena(platform_tokens_verify_with_their_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
