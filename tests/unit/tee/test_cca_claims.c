/* SPDX-License-Identifier: Apache-2.0 */
/* Every rule of the outer form and of the claims, one broken at a time (cca.md 1). */
#include "soft_realm.h"

#include "base/enc.h"

typedef struct fixture {
    soft_realm soft;
    vs_arena a;
} fixture;

static int start(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    soft_start(&f->soft, VS_KEY_P256, VS_KEY_P384);
    f->soft.spec.n_components = 2;
    vs_arena_init(&f->a, 0);
    *state = f;
    return 0;
}

static int stop(void **state)
{
    fixture *f = *state;
    vs_arena_free(&f->a);
    soft_stop(&f->soft);
    free(f);
    return 0;
}

/* The claims of one half of a token with this profile. */
static vs_span claims_of(fixture *f, const char *profile, bool realm)
{
    vs_buf token = VS_BUF(CCA_TOKEN_MAX);
    cca_token t;
    assert_vs_code(realm_spec_set_profile(&f->soft.spec, profile, NULL), VS_OK);
    soft_token(&f->soft, &token);
    vs_span copy = vs_dup(&f->a, vs_buf_span(&token));
    vs_error err = {0};
    assert_vs_ok(cca_token_decode(&f->a, copy, &t, &err), &err);
    vs_buf_free(&token);
    return realm ? t.realm_cose.payload : t.platform_cose.payload;
}

#define H32         "0101010101010101010101010101010101010101010101010101010101010101"
#define H16         "01010101010101010101010101010101"
#define SHA256_NAME "677368612d323536" /* text "sha-256" */
#define ALL         "legacy 1.0.0 2.0.0"
#define OLD         "legacy 1.0.0"
#define NEW         "2.0.0"

typedef struct rule_case {
    int64_t key;
    const char *hex;      /* NULL: the claim is left out */
    const char *profiles; /* under which it is tried */
    const char *why;      /* part of the error; NULL: accepted */
} rule_case;

static const rule_case platform_cases[] = {
    {265, NULL, ALL, "profile (265) is missing"},
    {265, "6161", ALL, "unknown profile"},
    {265, "4161", ALL, ", must be "},
    {10, NULL, ALL, "challenge (10) is missing"},
    {10, "5820" H32, ALL, NULL},
    {10, "5830" H32 H16, ALL, NULL},
    {10, "5840" H32 H32, ALL, NULL},
    {10, "581f" H16 "010101010101010101010101010101", ALL, "challenge (10) has 31 bytes"},
    {10, "815820" H32, ALL, "challenge (10) is "},
    {2396, NULL, ALL, "implementation id (2396) is missing"},
    {2396, "5821" H32 "01", ALL, "implementation id (2396) has 33 bytes"},
    {2396, "7820" H32, ALL, ", must be "},
    {256, NULL, ALL, "instance id (256) is missing"},
    {256, "582101" H32, ALL, NULL},
    {256, "582102" H32, ALL, "type RAND"},
    {256, "5820" H32, ALL, "instance id (256) has 32 bytes"},
    {2401, NULL, ALL, "configuration (2401) is missing"},
    {2401, "40", OLD, NULL},
    {2401, "40", NEW, "configuration (2401) is empty"},
    {2395, NULL, ALL, "lifecycle (2395) is missing"},
    {2395, "1960ff", ALL, NULL},
    {2395, "00", ALL, NULL},
    {2395, "190100", ALL, "lifecycle (2395) 0x0100"},
    {2395, "196100", ALL, "lifecycle (2395) 0x6100"},
    {2395, "1a00010000", ALL, "lifecycle (2395) is "},
    {2395, "1bffffffffffffffff", ALL, "lifecycle (2395) is "},
    {2395, "20", ALL, ", must be "},
    {2400, NULL, ALL, NULL},
    {2400, "60", ALL, "verification service (2400) is empty"},
    {2400, "4161", ALL, ", must be "},
    {2402, NULL, ALL, "hash algorithm (2402) is missing"},
    {2402, "677368612d353132", ALL, NULL},
    {2402, "666d6435736878", ALL, ", must be sha-256, sha-384 or sha-512"},
    {2402,
     "67534841"
     "2d323536",
     ALL, ", must be sha-256, sha-384 or sha-512"},
    {2402, "66736861323536", ALL, ", must be sha-256, sha-384 or sha-512"},
    {2402, "01", ALL, ", must be "},
    {2399, NULL, ALL, "software components (2399) is missing"},
    {2399, "80", ALL, "software components (2399) is empty"},
    {2399, "a0", ALL, ", must be "},
    {2399, "8101", ALL, "software component"},
    {2399, "81a2025820" H32 "055820" H32, ALL, NULL},
    {2399, "81a1025820" H32, ALL, "signer id (5) is missing"},
    {2399, "81a1055820" H32, ALL, "measurement value (2) is missing"},
    {2399, "81a3025820" H32 "055820" H32 "0301", ALL, "unknown key"},
    {2399, "81a3025820" H32 "055820" H32 "616101", ALL, "unknown key"},
    {2399,
     "81a3025820" H32 "055820" H32 "0661"
     "78",
     ALL, ", must be sha-256, sha-384 or sha-512"},
    {2399, "81a3025820" H32 "055820" H32 "06" SHA256_NAME, ALL, NULL},
    {2399, "81a3025820" H32 "055820" H32 "07f5", OLD, "does not belong"},
    {2399, "81a3025820" H32 "055820" H32 "07f5", NEW, NULL},
    {2399, "81a3025820" H32 "055820" H32 "0701", NEW, ", must be "},
    {2399, "81a3025820" H32 "055820" H32 "08815820" H32, NEW, NULL},
    {2399, "81a3025820" H32 "055820" H32 "088150" H16, NEW,
     "countersigners (8), entry 0: countersigner has 16 bytes"},
    {2394, NULL, OLD, NULL},
    {2394, NULL, NEW, "client id (2394) is missing"},
    {2394, "02", OLD, NULL},
    {2394, "02", NEW, "client id (2394) is "},
    {2403, "40", NEW, "manufacturing configuration (2403) is empty"},
    {2403, "4101", NEW, NULL},
    {2404, "80", NEW, NULL},
    {2404, "81a3025820" H32 "04f5055864" H32 H32 H32 "01010101", NEW, "protocol (5) is "},
    {2404, "81a2025820" H32 "04f5", NEW, NULL},
    {2404, "81a10250" H16, NEW, "measurement digest (2) has 16 bytes"},
    {2404, "81a10250" H16, OLD, NULL},
    {2404, "8101", NEW, "platform extension 0"},
    {1234567, "a0", ALL, NULL},
};

static const rule_case realm_cases[] = {
    {10, NULL, ALL, "challenge (10) is missing"},
    {10, "5820" H32, ALL, "challenge (10) has 32 bytes, must have 64"},
    {44235, NULL, ALL, "personalization value (44235) is missing"},
    {44235, "5830" H32 H16, ALL, "personalization value (44235) has 48 bytes, must have 64"},
    {44236, NULL, ALL, "hash algorithm (44236) is missing"},
    {44236, "677368612d333834", ALL, NULL},
    {44236, "677368612d323234", ALL, ", must be sha-256, sha-384 or sha-512"},
    {44237, NULL, ALL, "public key (44237) is missing"},
    {44237, "40", ALL, "public key (44237) is empty"},
    {44238, NULL, ALL, "initial measurement (44238) is missing"},
    {44238, "5830" H32 H16, ALL, NULL},
    {44238, "40", ALL, "initial measurement (44238) has 0 bytes"},
    {44239, NULL, ALL, "extensible measurements (44239) is missing"},
    {44239, "845820" H32 "5820" H32 "5820" H32 "5820" H32, ALL, NULL},
    {44239, "845820" H32 "5820" H32 "5820" H32 "50" H16, ALL, "realm token: REM 3 has 16 bytes"},
    {44239, "845820" H32 "5820" H32 "5820" H32 "01", ALL, ", must be "},
    {44239, "80", ALL, "extensible measurements (44239) has 0 entries"},
    {44239, "855820" H32 "5820" H32 "5820" H32 "5820" H32 "5820" H32, ALL,
     "extensible measurements (44239) has 5 entries"},
    {44240, NULL, ALL, "public key hash algorithm (44240) is missing"},
    {44240, "657368612d31", ALL, ", must be sha-256, sha-384 or sha-512"},
    {256, NULL, OLD, NULL},
    {256, NULL, NEW, "instance id (256) is missing"},
    {256, "40", OLD, NULL},
    {256, "582102" H32, NEW, "type RAND"},
    {44243, NULL, NEW, "MEC policy (44243) is missing"},
    {44243, "01", NEW, NULL},
    {44243, "02", NEW, "MEC policy (44243) is "},
    {44243, "6161", OLD, NULL},
    {44244, "01", NEW, NULL},
    {44244, "02", NEW, "LFA policy (44244) is "},
    {44257, "5820" H32, NEW, NULL},
    {44257, "50" H16, NEW, "devices token hash (44257) has 16 bytes"},
    {265, "6161", ALL, "unknown profile"},
    {265, "01", ALL, ", must be "},
    {-75000, "f6", ALL, NULL},
};

static void run_case(fixture *f, const rule_case *c, const char *profile, bool realm)
{
    vs_buf changed = VS_BUF(CCA_TOKEN_MAX);
    vs_error err = {0};
    char why[VS_ERROR_TEXT];
    cca_platform p;
    cca_realm r;
    soft_rebuild(&f->a, claims_of(f, profile, realm), c->key, c->hex, &changed);
    vs_code code = realm ? cca_realm_decode(vs_buf_span(&changed), &r, &err)
                         : cca_platform_decode(&f->a, vs_buf_span(&changed), &p, &err);
    (void)vs_error_text(&err, why, sizeof why);
    bool refused = code == VS_E_INVALID || code == VS_E_UNSUPPORTED || code == VS_E_PARSE;
    if (c->why ? !refused || !strstr(why, c->why) : code != VS_OK)
        fail_msg("%s %s claim %lld = %s: %s \"%s\", want \"%s\"", profile,
                 realm ? "realm" : "platform", (long long)c->key, c->hex ? c->hex : "(none)",
                 vs_code_name(code), why, c->why ? c->why : "accepted");
    vs_buf_free(&changed);
}

static void run_cases(fixture *f, const rule_case *cases, size_t n, bool realm)
{
    static const char *const profiles[] = {"legacy", "1.0.0", "2.0.0"};
    size_t run = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t p = 0; p < VS_COUNT(profiles); p++)
            if (strstr(cases[i].profiles, profiles[p])) {
                vs_arena_reset(&f->a);
                run_case(f, &cases[i], profiles[p], realm);
                run++;
            }
    print_message("# %zu cases\n", run);
}

static void every_rule_of_the_platform_claims_holds(void **state)
{
    run_cases(*state, platform_cases, VS_COUNT(platform_cases), false);
}

static void every_rule_of_the_realm_claims_holds(void **state)
{
    run_cases(*state, realm_cases, VS_COUNT(realm_cases), true);
}

static void keys_that_are_text_are_ignored_and_others_refused(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *key;
        vs_code want;
    } cases[] = {{"\x61\x61", VS_OK},
                 {"\x41\x61", VS_E_INVALID},
                 {"\xf6", VS_E_INVALID},
                 {"\x81\x01", VS_E_INVALID}};
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        vs_span map = claims_of(f, "1.0.0", true);
        vs_buf b = VS_BUF(CCA_TOKEN_MAX);
        cca_realm r;
        vs_cbor c = vs_cbor_of(map, NULL);
        vs_cbor_put_map(&b, vs_cbor_map(&c) + 1);
        vs_buf_puts(&b, cases[i].key);
        vs_cbor_put_uint(&b, 1);
        vs_buf_put(&b, vs_span_from(map, c.at));
        assert_vs_code(cca_realm_decode(vs_buf_span(&b), &r, NULL), cases[i].want);
        vs_buf_free(&b);
    }
}

/* The map with its first member repeated, of indefinite length, with a byte behind it, cut. */
static void claims_that_are_not_strict_cbor_are_refused(void **state)
{
    fixture *f = *state;
    for (unsigned realm = 0; realm < 2; realm++) {
        vs_span map = claims_of(f, "1.0.0", realm);
        vs_cbor c = vs_cbor_of(map, NULL);
        size_t n = vs_cbor_map(&c), first = c.at;
        (void)vs_cbor_skip(&c);
        (void)vs_cbor_skip(&c);
        vs_span member = vs_span_of(map.p + first, c.at - first), rest = vs_span_from(map, first);
        vs_buf b[4] = {VS_BUF(1 << 14), VS_BUF(1 << 14), VS_BUF(1 << 14), VS_BUF(1 << 14)};
        vs_cbor_put_map(&b[0], n + 1);
        vs_buf_put(&b[0], rest);
        vs_buf_put(&b[0], member);
        vs_buf_puts(&b[1], "\xbf");
        vs_buf_put(&b[1], rest);
        vs_buf_puts(&b[1], "\xff");
        vs_buf_put(&b[2], map);
        vs_buf_puts(&b[2], "\x01");
        vs_buf_put(&b[3], vs_span_head(map, map.n - 1));
        for (size_t i = 0; i < VS_COUNT(b); i++) {
            cca_platform p;
            cca_realm r;
            assert_vs_code(realm ? cca_realm_decode(vs_buf_span(&b[i]), &r, NULL)
                                 : cca_platform_decode(&f->a, vs_buf_span(&b[i]), &p, NULL),
                           VS_E_PARSE);
            vs_buf_free(&b[i]);
        }
    }
}

static void a_realm_key_that_is_not_of_an_elliptic_curve_for_ecdsa_is_refused(void **state)
{
    fixture *f = *state;
    vs_key *key = NULL, *rak = NULL;
    vs_buf cose = VS_BUF(256);
    cca_realm r;
    assert_vs_code(cca_realm_decode(claims_of(f, "1.0.0", true), &r, NULL), VS_OK);
    assert_vs_code(vs_key_generate(VS_KEY_ED25519, &key, NULL), VS_OK);
    assert_vs_code(vs_key_to_cose(&cose, key, NULL), VS_OK);
    r.rak = vs_buf_span(&cose);
    assert_vs_code(cca_realm_key(&r, &rak, NULL), VS_E_INVALID);
    assert_null(rak);
    vs_key_free(&key);
    vs_buf_free(&cose);
}

/* ---- the outer form (1.1) -------------------------------------------------------------------- */

/* An outer map in hex around the two halves, which stand for P and R as byte strings. */
static void wrap(const char *pattern, vs_span platform, vs_span realm, vs_buf *out)
{
    for (const char *p = pattern; *p; p++) {
        if (*p == 'P' || *p == 'R') {
            vs_cbor_put_bytes(out, *p == 'P' ? platform : realm);
        } else {
            char byte[3] = {p[0], p[1], 0};
            vs_buf_putc(out, (char)strtoul(byte, NULL, 16));
            p++;
        }
    }
}

static void every_rule_of_the_outer_form_holds(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *pattern, *why;
    } cases[] = {
        {"d9018fa219accaP19acd1R", NULL},
        {"d9018fa219acd1R19accaP", NULL},
        {"d9038ba219acca82190107P19acd182190107R", NULL},
        {"d9038ba319acca82190107P19acd182190107R19acd2a0", NULL},
        {"d9038ba319acca82190107P19acd182190107R20f6", NULL},
        {"d9018fa319accaP19acd1R0140", "unknown entry 1"},
        {"d9038ba319acca82190107P19acd182190107R616140", "CCA token"},
        {"d9038ba219accaP19acd182190107R", "CCA token"},
        {"d9018fa219acca82190107P19acd1R", "CCA token"},
        {"d9038ba219acca82190106P19acd182190107R", "content format 262"},
        {"d9038ba219acca83190107P0019acd182190107R", "CCA token"},
        {"d9038ba219acca81P19acd182190107R", "CCA token"},
        {"d9018fa119acd1R", "platform token (44234) is missing"},
        {"d9018fa119accaP", "realm token (44241) is missing"},
        {"d9018fa219acca4019acd1R", "platform token (44234) is missing"},
        {"d9018fa319accaP19acd1R19acd1R", "CCA token"},
        {"d9018fa219acd1P19accaR", "platform token: unknown profile"},
        {"d90190a219accaP19acd1R", "tag 400"},
        {"d9018fd9018fa219accaP19acd1R", "CCA token"},
        {"a219accaP19acd1R", "CCA token"},
        {"d9018f82PR", "CCA token"},
        {"d9018fbf19accaP19acd1Rff", "CCA token"},
    };
    vs_buf token = VS_BUF(CCA_TOKEN_MAX), out = VS_BUF(2 * CCA_TOKEN_MAX);
    cca_token good, t;
    soft_token(&f->soft, &token);
    assert_vs_code(cca_token_decode(&f->a, vs_buf_span(&token), &good, NULL), VS_OK);
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        vs_error err = {0};
        char why[VS_ERROR_TEXT];
        vs_buf_clear(&out);
        wrap(cases[i].pattern, good.platform_bytes, good.realm_bytes, &out);
        vs_code code = cca_token_decode(&f->a, vs_buf_span(&out), &t, &err);
        (void)vs_error_text(&err, why, sizeof why);
        if (cases[i].why ? code == VS_OK || !strstr(why, cases[i].why) : code != VS_OK)
            fail_msg("%s: %s \"%s\"", cases[i].pattern, vs_code_name(code), why);
    }
    vs_buf_free(&token);
    vs_buf_free(&out);
}

static void a_token_over_the_limit_is_refused_before_it_is_read(void **state)
{
    fixture *f = *state;
    cca_token t;
    uint8_t *big = calloc(1, CCA_TOKEN_MAX + 1);
    assert_vs_code(cca_token_decode(&f->a, vs_span_of(big, CCA_TOKEN_MAX + 1), &t, NULL),
                   VS_E_LIMIT);
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_rule_of_the_platform_claims_holds, start, stop),
        cmocka_unit_test_setup_teardown(every_rule_of_the_realm_claims_holds, start, stop),
        cmocka_unit_test_setup_teardown(keys_that_are_text_are_ignored_and_others_refused, start,
                                        stop),
        cmocka_unit_test_setup_teardown(claims_that_are_not_strict_cbor_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(
            a_realm_key_that_is_not_of_an_elliptic_curve_for_ecdsa_is_refused, start, stop),
        cmocka_unit_test_setup_teardown(every_rule_of_the_outer_form_holds, start, stop),
        cmocka_unit_test_setup_teardown(a_token_over_the_limit_is_refused_before_it_is_read, start,
                                        stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
