/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of cca.md 2.1 and 2.2 in which verifiers differ: whole tokens, correctly signed, with
 * one thing wrong, through the driver. */
#include "soft_realm.h"

#include "crypto/ecdsa.h"
#include "tee/tee.h"

typedef enum half { PLATFORM, REALM } half;

typedef struct fixture {
    soft_realm soft;
    vs_arena a;
    cca_trust *trust;
} fixture;

/* ---- tokens with one thing changed
 * --------------------------------------------------------------- */

static int start(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    vs_arena_init(&f->a, 0);
    soft_start(&f->soft, VS_KEY_P256, VS_KEY_P384);
    soft_trust(&f->soft, &f->trust);
    *state = f;
    return 0;
}

static int stop(void **state)
{
    fixture *f = *state;
    cca_trust_free(&f->trust);
    vs_arena_free(&f->a);
    soft_stop(&f->soft);
    free(f);
    return 0;
}

/* The token of a profile as it should be, in parts. */
static cca_token good_token(fixture *f, const char *profile)
{
    cca_token t;
    vs_error err = {0};
    vs_buf token = VS_BUF(CCA_TOKEN_MAX);
    assert_vs_code(realm_spec_set_profile(&f->soft.spec, profile, NULL), VS_OK);
    soft_token(&f->soft, &token);
    vs_span copy = vs_dup(&f->a, vs_buf_span(&token));
    vs_buf_free(&token);
    assert_vs_ok(cca_token_decode(&f->a, copy, &t, &err), &err);
    return t;
}

/* Signs claims as that half of a token. */
static vs_span sign(fixture *f, half h, vs_span claims)
{
    const vs_key *key = h == PLATFORM ? f->soft.keys.cpak : f->soft.keys.rak;
    vs_alg alg = vs_key_kind(key) == VS_KEY_P384 ? VS_ES384 : VS_ES256;
    vs_buf header = VS_BUF(64), out = VS_BUF(CCA_TOKEN_MAX);
    vs_error err = {0};
    vs_cbor_put_map(&header, 1);
    vs_cbor_put_int(&header, 1);
    vs_cbor_put_int(&header, vs_alg_to_cose(alg));
    assert_vs_ok(vs_cose_sign(&out, key, alg, vs_buf_span(&header), (vs_span){0}, claims, &err),
                 &err);
    vs_span copy = vs_dup(&f->a, vs_buf_span(&out));
    vs_buf_free(&header);
    vs_buf_free(&out);
    return copy;
}

static vs_span wrap(fixture *f, vs_span platform, vs_span realm)
{
    vs_buf out = VS_BUF(CCA_TOKEN_MAX);
    assert_vs_code(realm_wrap(CCA_TAG_CMW, platform, realm, &out, NULL), VS_OK);
    vs_span copy = vs_dup(&f->a, vs_buf_span(&out));
    vs_buf_free(&out);
    return copy;
}

/* A token of this profile whose `key` in one half is the CBOR in hex, or is missing (NULL). */
static vs_span changed(fixture *f, const char *profile, half h, int64_t key, const char *hex)
{
    cca_token t = good_token(f, profile);
    vs_buf claims = VS_BUF(CCA_TOKEN_MAX);
    soft_rebuild(&f->a, h == PLATFORM ? t.platform_cose.payload : t.realm_cose.payload, key, hex,
                 &claims);
    vs_span signed_half = sign(f, h, vs_buf_span(&claims));
    vs_buf_free(&claims);
    return h == PLATFORM ? wrap(f, signed_half, t.realm_bytes)
                         : wrap(f, t.platform_bytes, signed_half);
}

/* One half with other payload bytes. */
static vs_span with_payload(fixture *f, const char *profile, half h, vs_span payload)
{
    cca_token t = good_token(f, profile);
    vs_span signed_half = sign(f, h, payload);
    return h == PLATFORM ? wrap(f, signed_half, t.realm_bytes)
                         : wrap(f, t.platform_bytes, signed_half);
}

static void expect(fixture *f, vs_span token, vs_code want, const char *why)
{
    vs_tee_trust trust = {.cca = f->trust};
    vs_tee_expect e = {.report_data = vs_span_of(f->soft.challenge, CCA_CHALLENGE)};
    vs_tee_result results[VS_TEE_RESULTS_MAX];
    size_t n = 77;
    vs_error err = {0};
    char text[VS_ERROR_TEXT];
    vs_code code = vs_tee_find(VS_LIT("cca"))
                       ->verify(&trust, soft_evidence(&f->a, token), &e, &f->a, results, &n, &err);
    (void)vs_error_text(&err, text, sizeof text);
    if (code != want || !strstr(text, why))
        fail_msg("got %s \"%s\", want %s \"%s\"", vs_code_name(code), text, vs_code_name(want),
                 why);
    assert_int_equal(n, code == VS_OK); /* claims or an error, never both */
}

static const char *const profiles[] = {"legacy", "1.0.0", "2.0.0", "legacy/1.0.0"};

#define REFUSED_UNDER_EVERY_PROFILE(h, key, hex, why)                                              \
    for (size_t i = 0; i < VS_COUNT(profiles); i++)                                                \
    expect(f, changed(f, profiles[i], h, key, hex), VS_E_INVALID, why)

/* ---- the outer form
 * ------------------------------------------------------------------------------ */

static void both_outer_forms_are_read(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < VS_COUNT(profiles); i++) {
        cca_token t = good_token(f, profiles[i]);
        assert_int_equal(t.tag, CCA_TAG_EAT);
        expect(f, t.whole, VS_OK, "");
        expect(f, wrap(f, t.platform_bytes, t.realm_bytes), VS_OK, "");
    }
}

static void bytes_after_a_token_are_refused(void **state)
{
    fixture *f = *state;
    cca_token t = good_token(f, "1.0.0");
    uint8_t *longer = vs_alloc(&f->a, t.whole.n + 1);
    memcpy(longer, t.whole.p, t.whole.n);
    for (unsigned b = 0; b < 256; b += 51) {
        longer[t.whole.n] = (uint8_t)b;
        expect(f, vs_span_of(longer, t.whole.n + 1), VS_E_PARSE, "CCA token");
    }
}

/* ---- COSE_Sign1
 * ------------------------------------------------------------------------------------ */

/* A message in hex: P stands for the payload as a byte string, S for the signature as one. */
static vs_span message(fixture *f, const vs_cose_sign1 *m, const char *pattern)
{
    vs_buf out = VS_BUF(CCA_TOKEN_MAX);
    for (const char *p = pattern; *p; p++) {
        if (*p == 'P' || *p == 'S') {
            vs_cbor_put_bytes(&out, *p == 'P' ? m->payload : m->signature);
        } else {
            char byte[3] = {p[0], p[1], 0};
            vs_buf_putc(&out, (char)strtoul(byte, NULL, 16));
            p++;
        }
    }
    vs_span copy = vs_dup(&f->a, vs_buf_span(&out));
    vs_buf_free(&out);
    return copy;
}

static void a_half_that_is_no_cose_sign1_is_refused(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *pattern, *why; /* the good one is d28444a1013822a0PS, or d28443a10126a0PS */
        vs_code want;
    } cases[] = {
        {"8443a10126a0PS", "COSE_Sign1: CBOR offset 0: tag 18 is missing", VS_E_INVALID},
        {"d18443a10126a0PS", "COSE_Sign1: CBOR offset 1: tag 18 is missing", VS_E_INVALID},
        {"d28343a10126a0P", "array of 3 elements instead of 4", VS_E_INVALID},
        {"d28543a10126a0PSf6", "array of 5 elements instead of 4", VS_E_INVALID},
        {"d28443a10126a0f6S", "expected a byte string, found a simple value", VS_E_INVALID},
        {"d28443a10126a0Pf6", "expected a byte string, found a simple value", VS_E_INVALID},
        {"d284a10126a0PS", "expected a byte string, found a map", VS_E_INVALID},
        {"d28443a10126f6PS", "unprotected header is not a map", VS_E_INVALID},
        {"d28440a10126PS", "protected header: no algorithm", VS_E_INVALID},
        {"d28441a0a10126PS", "protected header: no algorithm", VS_E_INVALID},
        {"d28447a1016445533338a0PS", "algorithm given as text", VS_E_UNSUPPORTED},
        {"d28443a10106a0PS", "unknown algorithm 6", VS_E_UNSUPPORTED},
        {"d28445a201260126a0PS", "duplicate key in the map", VS_E_PARSE},
        {"d28446a20126028104a0PS", "critical header parameters", VS_E_UNSUPPORTED},
        {"d28444a1012600a0PS", "1 more bytes behind the item", VS_E_PARSE},
        {"d28443a10126a0PS00", "1 more bytes behind the item", VS_E_PARSE},
        {"d29f43a10126a0PSff", "indefinite length is not accepted", VS_E_PARSE},
        {"d28443a10126a0P4100", "signature: ", VS_E_CRYPTO},
    };
    for (half h = PLATFORM; h <= REALM; h++) {
        cca_token t = good_token(f, "1.0.0");
        const vs_cose_sign1 *m = h == PLATFORM ? &t.platform_cose : &t.realm_cose;
        for (size_t i = 0; i < VS_COUNT(cases); i++) {
            vs_span bad = message(f, m, cases[i].pattern);
            expect(f, h == PLATFORM ? wrap(f, bad, t.realm_bytes) : wrap(f, t.platform_bytes, bad),
                   cases[i].want, cases[i].why);
        }
    }
}

/* ES256 by a key on P-384 is right as mathematics goes, and no CCA token (1.2). */
static void a_valid_signature_under_an_algorithm_of_another_curve_is_refused(void **state)
{
    fixture *f = *state;
    cca_token t = good_token(f, "1.0.0");
    uint8_t md[VS_HASH_MAX];
    vs_buf what = VS_BUF(CCA_TOKEN_MAX), out = VS_BUF(CCA_TOKEN_MAX), rs = VS_BUF(256);
    static const char header[] = "\xa1\x01\x26";
    vs_cbor_put_array(&what, 4);
    vs_cbor_put_text(&what, "Signature1");
    vs_cbor_put_bytes(&what, vs_str(header));
    vs_cbor_put_bytes(&what, VS_LIT(""));
    vs_cbor_put_bytes(&what, t.realm_cose.payload);
    assert_vs_code(vs_digest(VS_SHA256, vs_buf_span(&what), VS_LIT(""), VS_LIT(""), md, NULL),
                   VS_OK);
    assert_vs_code(vs_ecdsa_sign(f->soft.keys.rak, vs_span_of(md, 32), &rs, NULL), VS_OK);
    assert_vs_code(vs_ecdsa_verify(f->soft.keys.rak, vs_span_of(md, 32), vs_buf_span(&rs), NULL),
                   VS_OK);
    vs_cbor_put_tag(&out, 18);
    vs_cbor_put_array(&out, 4);
    vs_cbor_put_bytes(&out, vs_str(header));
    vs_cbor_put_map(&out, 0);
    vs_cbor_put_bytes(&out, t.realm_cose.payload);
    vs_cbor_put_bytes(&out, vs_buf_span(&rs));
    expect(f, wrap(f, t.platform_bytes, vs_buf_span(&out)), VS_E_CRYPTO,
           "realm token: signature: algorithm ES256 cannot be used with a key of type P-384");
    vs_buf_free(&what);
    vs_buf_free(&out);
    vs_buf_free(&rs);
}

/* ---- CBOR that can be read in two ways
 * ----------------------------------------------------------- */

static void a_claim_given_twice_is_refused(void **state)
{
    fixture *f = *state;
    for (half h = PLATFORM; h <= REALM; h++) {
        cca_token t = good_token(f, "1.0.0");
        vs_span map = h == PLATFORM ? t.platform_cose.payload : t.realm_cose.payload;
        vs_cbor c = vs_cbor_of(map, NULL);
        size_t n = vs_cbor_map(&c);
        for (size_t i = 0; i < n; i++) { /* each claim, once more at the end */
            vs_buf twice = VS_BUF(CCA_TOKEN_MAX);
            int64_t key = vs_cbor_int(&c);
            vs_span value = vs_cbor_skip(&c);
            vs_cbor_put_map(&twice, n + 1);
            vs_buf_put(&twice, vs_span_from(map, 1)); /* a map of up to 23 members has one byte */
            vs_cbor_put_int(&twice, key);
            vs_buf_put(&twice, value);
            expect(f, with_payload(f, "1.0.0", h, vs_buf_span(&twice)), VS_E_PARSE,
                   h == PLATFORM ? "platform token" : "realm token");
            vs_buf_free(&twice);
        }
    }
}

static void indefinite_lengths_are_refused(void **state)
{
    fixture *f = *state;
    for (half h = PLATFORM; h <= REALM; h++) {
        cca_token t = good_token(f, "1.0.0");
        vs_span map = h == PLATFORM ? t.platform_cose.payload : t.realm_cose.payload;
        vs_buf open = VS_BUF(CCA_TOKEN_MAX);
        vs_buf_putc(&open, (char)0xbf);
        vs_buf_put(&open, vs_span_from(map, 1));
        vs_buf_putc(&open, (char)0xff);
        expect(f, with_payload(f, "1.0.0", h, vs_buf_span(&open)), VS_E_PARSE,
               h == PLATFORM ? "platform token" : "realm token");
        vs_buf_free(&open);
    }
    /* Of a value within: the challenge in two pieces. */
    vs_span bad = changed(f, "1.0.0", REALM, 10, "5f41004100ff");
    expect(f, bad, VS_E_PARSE, "realm token");
}

static void bytes_behind_the_claims_are_refused(void **state)
{
    fixture *f = *state;
    for (half h = PLATFORM; h <= REALM; h++) {
        cca_token t = good_token(f, "1.0.0");
        vs_buf more = VS_BUF(CCA_TOKEN_MAX);
        vs_buf_put(&more, h == PLATFORM ? t.platform_cose.payload : t.realm_cose.payload);
        vs_buf_putc(&more, (char)0xf6);
        expect(f, with_payload(f, "1.0.0", h, vs_buf_span(&more)), VS_E_PARSE,
               h == PLATFORM ? "platform token" : "realm token");
        vs_buf_free(&more);
    }
}

/* ---- claims
 * -------------------------------------------------------------------------------------- */

static void an_unknown_profile_is_refused(void **state)
{
    fixture *f = *state;
    expect(f, changed(f, "1.0.0", PLATFORM, 265, "6161"), VS_E_UNSUPPORTED,
           "platform token: unknown profile");
    expect(f, changed(f, "1.0.0", REALM, 265, "6161"), VS_E_UNSUPPORTED,
           "realm token: unknown profile");
    expect(f, changed(f, "1.0.0", PLATFORM, 265, NULL), VS_E_INVALID, "profile (265) is missing");
    /* A realm's profile for a platform, and the other way round. */
    expect(f,
           changed(f, "1.0.0", PLATFORM, 265,
                   "781c7461673a61726d2e636f6d2c323032333a7265616c6d23312e302e30"),
           VS_E_UNSUPPORTED, "platform token: unknown profile");
}

static void an_instance_id_that_is_not_of_type_rand_is_refused(void **state)
{
    fixture *f = *state;
    REFUSED_UNDER_EVERY_PROFILE(
        PLATFORM, 256, "5821020101010101010101010101010101010101010101010101010101010101010101",
        "type RAND");
}

static void a_realm_has_exactly_four_extensible_measurements(void **state)
{
    fixture *f = *state;
    REFUSED_UNDER_EVERY_PROFILE(REALM, 44239, "80",
                                "extensible measurements (44239) has 0 entries");
    REFUSED_UNDER_EVERY_PROFILE(REALM, 44239, "83404040",
                                "extensible measurements (44239) has 3 entries, must have 4");
    REFUSED_UNDER_EVERY_PROFILE(REALM, 44239, "854040404040",
                                "extensible measurements (44239) has 5 entries, must have 4");
}

static void a_challenge_in_an_array_is_refused(void **state)
{
    fixture *f = *state;
    REFUSED_UNDER_EVERY_PROFILE(
        PLATFORM, 10, "8158200101010101010101010101010101010101010101010101010101010101010101",
        "challenge (10) is ");
    REFUSED_UNDER_EVERY_PROFILE(REALM, 10, "814101", "challenge (10) is ");
}

static void a_lifecycle_outside_the_ranges_is_refused(void **state)
{
    fixture *f = *state;
    static const char *const bad[] = {"190100", "190fff", "191100",     "193100", "196100",
                                      "197000", "19ffff", "1a00010000", "20"};
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        expect(f, changed(f, "1.0.0", PLATFORM, 2395, bad[i]), VS_E_INVALID, "lifecycle");
}

static void hash_algorithms_that_are_weak_or_unknown_are_refused(void **state)
{
    fixture *f = *state;
    /* "sha-1", "md5", "sha-224", "" */
    static const char *const bad[] = {"657368612d31", "636d6435", "677368612d323234", "60"};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        expect(f, changed(f, "1.0.0", PLATFORM, 2402, bad[i]), VS_E_INVALID,
               ", must be sha-256, sha-384 or sha-512");
        expect(f, changed(f, "1.0.0", REALM, 44236, bad[i]), VS_E_INVALID,
               ", must be sha-256, sha-384 or sha-512");
        expect(f, changed(f, "1.0.0", REALM, 44240, bad[i]), VS_E_INVALID,
               ", must be sha-256, sha-384 or sha-512");
    }
}

/* ---- the realm's key and its binding
 * ------------------------------------------------------------- */

static void the_realms_own_profile_decides_how_its_key_is_read(void **state)
{
    fixture *f = *state;
    vs_buf text = VS_BUF(1024);
    vs_span raw = good_token(f, "legacy").realm.rak, cose = good_token(f, "1.0.0").realm.rak;
    assert_int_equal(raw.n, 97);
    vs_buf_puts(&text, "5861");
    vs_hex_encode(&text, raw);
    expect(f, changed(f, "1.0.0", REALM, 44237, (char *)text.p), VS_E_INVALID,
           "public key (44237)");
    vs_buf_clear(&text);
    vs_buf_printf(&text, "58%02zx", cose.n);
    vs_hex_encode(&text, cose);
    expect(f, changed(f, "legacy", REALM, 44237, (char *)text.p), VS_E_INVALID,
           "public key (44237)");
    vs_buf_free(&text);
}

static void a_raw_realm_key_off_the_curve_or_compressed_is_refused(void **state)
{
    fixture *f = *state;
    vs_buf text = VS_BUF(1024);
    vs_span raw = good_token(f, "legacy").realm.rak;
    uint8_t point[97];
    memcpy(point, raw.p, sizeof point);
    for (unsigned i = 0; i < 3; i++) {
        memcpy(point, raw.p, sizeof point);
        point[i == 0 ? 0 : i == 1 ? 48 : 96] ^= i == 0 ? 4 ^ 2 : 1;
        vs_buf_clear(&text);
        vs_buf_puts(&text, "5861");
        vs_hex_encode(&text, vs_span_of(point, sizeof point));
        expect(f, changed(f, "legacy", REALM, 44237, (char *)text.p), VS_E_INVALID,
               "public key (44237)");
    }
    vs_buf_clear(&text);
    point[0] = 2;
    vs_buf_puts(&text, "5831");
    vs_hex_encode(&text, vs_span_of(point, 49));
    expect(f, changed(f, "legacy", REALM, 44237, (char *)text.p), VS_E_INVALID,
           "public key (44237)");
    vs_buf_free(&text);
}

/* The hash is over the octets of the claim, with the algorithm that the realm names. */
static void the_binding_is_that_of_the_octets_with_the_realms_algorithm(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < VS_COUNT(profiles); i++) {
        cca_token t = good_token(f, profiles[i]);
        static const vs_hash hashes[] = {VS_SHA256, VS_SHA384, VS_SHA512};
        for (size_t k = 0; k < VS_COUNT(hashes); k++) {
            uint8_t md[VS_HASH_MAX];
            vs_buf text = VS_BUF(1024);
            assert_vs_code(vs_digest(hashes[k], t.realm.rak, (vs_span){0}, (vs_span){0}, md, NULL),
                           VS_OK);
            vs_buf_printf(&text, "58%02zx", vs_hash_size(hashes[k]));
            vs_hex_encode(&text, vs_span_of(md, vs_hash_size(hashes[k])));
            bool right = hashes[k] == t.realm.rak_hash;
            expect(f, changed(f, profiles[i], PLATFORM, 10, (char *)text.p),
                   right ? VS_OK : VS_E_MISMATCH, right ? "" : "not the hash of the realm's key");
            vs_buf_free(&text);
        }
    }
}

/* Another key of the same realm does not sign for the one that is bound. */
static void a_realm_token_signed_by_another_key_is_refused(void **state)
{
    fixture *f = *state;
    vs_key *rak = f->soft.keys.rak, *other = NULL;
    cca_token t = good_token(f, "1.0.0");
    assert_vs_code(vs_key_generate(VS_KEY_P384, &other, NULL), VS_OK);
    f->soft.keys.rak = other;
    vs_span realm = sign(f, REALM, t.realm_cose.payload);
    f->soft.keys.rak = rak;
    expect(f, wrap(f, t.platform_bytes, realm), VS_E_CRYPTO, "realm token: signature");
    vs_key_free(&other);
}

static void an_implementation_id_other_than_the_anchors_is_refused(void **state)
{
    fixture *f = *state;
    expect(f,
           changed(f, "1.0.0", PLATFORM, 2396,
                   "58200909090909090909090909090909090909090909090909090909090909090909"),
           VS_E_UNTRUSTED, "another implementation id");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        T(both_outer_forms_are_read),
        T(bytes_after_a_token_are_refused),
        T(a_half_that_is_no_cose_sign1_is_refused),
        T(a_valid_signature_under_an_algorithm_of_another_curve_is_refused),
        T(a_claim_given_twice_is_refused),
        T(indefinite_lengths_are_refused),
        T(bytes_behind_the_claims_are_refused),
        T(an_unknown_profile_is_refused),
        T(an_instance_id_that_is_not_of_type_rand_is_refused),
        T(a_realm_has_exactly_four_extensible_measurements),
        T(a_challenge_in_an_array_is_refused),
        T(a_lifecycle_outside_the_ranges_is_refused),
        T(hash_algorithms_that_are_weak_or_unknown_are_refused),
        T(the_realms_own_profile_decides_how_its_key_is_read),
        T(a_raw_realm_key_off_the_curve_or_compressed_is_refused),
        T(the_binding_is_that_of_the_octets_with_the_realms_algorithm),
        T(a_realm_token_signed_by_another_key_is_refused),
        T(an_implementation_id_other_than_the_anchors_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
