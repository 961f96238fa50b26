/* SPDX-License-Identifier: Apache-2.0 */
/* Endorsements of the Arm CCA profiles: their records, whose are believed, which version counts. */
#include "endorser.h"

#include "corim_model.h"

#include <pthread.h>

#include "rvps/cca.h"

/* ---- records --------------------------------------------------------------------------------- */

static void records_have_the_form_that_the_verifier_reads(void **state)
{
    fixture *f = *state;
    assert_vs_ok(
        send(f,
             manifest(CORIM(
                 "c", PLATFORM,
                 COMID(
                     "t", "2",
                     REFS(VALUES(COMPONENT("BL", DIGEST_1) "," CONFIG("AQ==")) "," VALUES(COMPONENT(
                         "M1", DIGEST_2))) "," KEYS(KEY_TRIPLE(UEID_A,
                                                               KEY_A) "," KEY_TRIPLE(UEID_B,
                                                                                     KEY_B)))))),
        &err);
    expect(f, CPAK_A, "[" ENTRY_KEY(JWK_A, "t", "2") "]");
    expect(f, CPAK_B, "[" ENTRY_KEY(JWK_B, "t", "2") "]");
    /* The triples of one implementation in one CoMID are one entry. */
    expect(f, PLATFORM_NAME,
           "[{\"config\":\"01\",\"config-mask\":\"ff\",\"corim\":\"c\",\"sw-components\":["
           "{\"component-type\":\"BL\",\"measurement-values\":[\"" HEX_1
           "\"],\"signer-id\":\"" HEX_0
           "\"},{\"component-type\":\"M1\",\"measurement-values\":[\"" HEX_2
           "\"],\"signer-id\":\"" HEX_0 "\"}],\"tag\":\"t\"," UNTIL ",\"version\":2}]");
    /* What Trustee's extractor makes of it is there, too. */
    expect(f, "cca.software-component/BL/digests", "[\"" HEX_1 "\"]");
    rvps_page page;
    assert_vs_ok(rvps_list(f->r, VS_LIT("cca.cpak."), nothing, 10, &arena, &page, &err), &err);
    assert_int_equal(page.n, 2);
    assert_vs_ok(rvps_delete(f->r, VS_LIT(CPAK_A), VS_LIT("admin"), &err), &err);
    expect(f, CPAK_A, "absent");
}

#define REALM_TRIPLE(measurements)                                                                 \
    "{\"environment\":{\"class\":{\"id\":{\"type\":\"bytes\",\"value\":\"" DIGEST_1                \
    "=\"}}},\"measurements\":[" measurements "]}"
#define MEASURED(key, digest)                                                                      \
    "{\"key\":{\"type\":\"string\",\"value\":\"" key "\"},\"value\":{\"digests\":[[1,\"" digest    \
    "\"]]}}"

static void realms_are_known_by_their_initial_measurement(void **state)
{
    fixture *f = *state;
    assert_vs_ok(
        send_by(f,
                manifest(CORIM(
                    "c", REALM,
                    COMID("t", "0",
                          REFS(REALM_TRIPLE(MEASURED("cca.rim", DIGEST_1) "," MEASURED(
                              "cca.rem2", DIGEST_2) ",{\"key\":{\"type\":\"string\","
                                                    "\"value\":"
                                                    "\"cca.rpv\"},\"value\":{\"raw-value\":{"
                                                    "\"type\":\"bytes\",\"value\":\"AQ==\"}}"
                                                    "}") "," REALM_TRIPLE(MEASURED("cca.rim",
                                                                                   DIGEST_1)))))),
                ""),
        &err);
    expect(f, "cca.realm." HEX_1,
           "[{\"corim\":\"c\",\"rem\":[null,null,\"" HEX_2
           "\",null],\"rpv\":\"01\",\"tag\":\"t\"," UNTIL
           ",\"version\":0,\"vouched\":false},{\"corim\":\"c\",\"rem\":[null,null,null,null],"
           "\"tag\":\"t\"," UNTIL ",\"version\":0,\"vouched\":false}]");
}

/* What the README of shared/data/cca says of each, by way of a message. */
static void every_vector_gives_the_result_of_its_readme(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *file;
        bool taken;
        const char *name;
    } all[] = {
        {"corim-cca-platform-valid", true, PLATFORM_NAME},
        {"corim-cca-realm-valid", true, NULL},
        {"corimlib-cca-platform-valid", true,
         "cca.platform.61636d652d696d706c656d656e746174696f6e2d69642d303030303030303031"},
        {"corimlib-cca-realm-valid", true,
         "cca.realm.1d1150bb35a9d1f18620a5cc2612e54e70f150b8fa1468939d520269e913d0ff"},
        {"corimlib-no-profile", true, "cca.software-component/RSE_BL1_2/digests"},
        {"corim-cca-platform-bad-no-class", false, NULL},
        {"corim-cca-platform-bad-ta-instance", false, NULL},
        {"corim-cca-platform-bad-ta-cert", false, NULL},
        {"corim-cca-platform-bad-refval-instance", false, NULL},
        {"corim-cca-platform-bad-refval-mkey-string", false, NULL},
        {"corim-cca-platform-bad-refval-no-digests", false, NULL},
        {"corim-cca-platform-bad-refval-no-mkey", false, NULL},
        {"corim-cca-realm-bad-instance", false, NULL},
        {"corim-cca-realm-bad-no-instance", false, NULL},
        {"corim-cca-realm-bad-no-rim", false, NULL},
        {"corim-cca-realm-bad-no-raw-value", false, NULL},
        {"corimlib-cca-platform-invalid-digests", false, NULL},
        {"corimlib-cca-platform-invalid-impl-id", false, NULL},
        {"corimlib-cca-realm-invalid-missing-rim", false, NULL},
    };
    need_shared("data/cca/corim");
    for (size_t i = 0; i < VS_COUNT(all); i++) {
        vs_span in = shared_file(vs_sprintf(&arena, "data/cca/corim/%s.cbor", all[i].file));
        if ((send(f, in) == VS_OK) != all[i].taken)
            fail_msg("%s: %s", all[i].file, vs_error_at(&err, 0));
        if (all[i].name)
            assert_true(vs_defined(value_at(f, all[i].name, NOW)));
    }
    /* Without a profile nothing is an endorsement of CCA. */
    rvps_page page;
    assert_vs_ok(rvps_list(f->r, VS_LIT("cca.realm."), nothing, 10, &arena, &page, &err), &err);
    assert_int_equal(page.n, 2);
}

/* ---- whose are believed ---------------------------------------------------------------------- */

static void attestation_keys_of_nobody_in_particular_are_refused(void **state)
{
    fixture *f = *state;
    vs_span in = key_manifest("t", 0, KEYS(KEY_TRIPLE(UEID_A, KEY_A)));
    assert_vs_code(send_by(f, in, ""), VS_E_DENIED);
    expect_reason("attestation keys");
    expect(f, CPAK_A, "absent");
    /* A signature that no anchor vouches for is none, nor is one where none are configured. */
    assert_vs_code(send_by(f, signed_by(f, &f->leaf, in), ""), VS_E_DENIED);
    /* An administrator's word, an anchor's, or the operator's. */
    assert_vs_ok(send(f, in), &err);
    expect(f, CPAK_A, "[" ENTRY_KEY(JWK_A, "t", "0") "]");
    with_options(f, (rvps_options){.anchors = f->anchors});
    vs_span other = key_manifest("u", 0, KEYS(KEY_TRIPLE(UEID_B, KEY_B)));
    assert_vs_code(send_by(f, other, ""), VS_E_DENIED);
    assert_vs_ok(send_by(f, signed_by(f, &f->leaf, other), ""), &err);
    expect(f, CPAK_B, "[" ENTRY_KEY(JWK_B, "u", "0") "]");
    with_options(f, (rvps_options){.accept_unsigned_keys = true});
    assert_vs_ok(rvps_delete(f->r, VS_LIT(CPAK_B), VS_LIT("admin"), &err), &err);
    assert_vs_ok(send_by(f, key_manifest("v", 0, KEYS(KEY_TRIPLE(UEID_B, KEY_B))), ""), &err);
}

static void wrong_signers_are_refused(void **state)
{
    fixture *f = *state;
    vs_span in = key_manifest("t", 0, KEYS(KEY_TRIPLE(UEID_A, KEY_A)));
    with_options(f, (rvps_options){.anchors = f->anchors});
    signer stranger = make_signer("other root", NULL, "critical,CA:TRUE", "keyCertSign", 0);
    signer his = make_signer("signer", &stranger, NULL, "digitalSignature", 0);
    signer expired = make_signer("signer", &f->ca, NULL, "digitalSignature", NOW - 1);
    signer encrypts = make_signer("signer", &f->ca, NULL, "digitalSignature", 0);
    assert_vs_code(send_by(f, signed_by(f, &his, in), ""), VS_E_UNTRUSTED);
    assert_vs_code(send_by(f, signed_by(f, &expired, in), ""), VS_E_EXPIRED);
    /* A chain that leads to the anchor, over a signature of somebody else. */
    const vs_span chain[] = {cert_der(&encrypts), cert_der(&f->ca)};
    assert_vs_code(
        send_by(f, sign_corim(f->leaf.key, corim_header(RIM_CBOR, NULL, chain, 2), in), ""),
        VS_E_CRYPTO);
    /* A CA that signs what it has no business signing. */
    const vs_span ca = cert_der(&f->ca);
    assert_vs_code(send_by(f, sign_corim(f->ca.key, corim_header(RIM_CBOR, NULL, &ca, 1), in), ""),
                   VS_E_UNTRUSTED);
    /* Not even an administrator can give a signature that is wrong. */
    assert_vs_code(send(f, signed_by(f, &his, in)), VS_E_UNTRUSTED);
    expect(f, CPAK_A, "absent");
    drop_signer(&stranger);
    drop_signer(&his);
    drop_signer(&expired);
    drop_signer(&encrypts);
}

/* Every cut, and every bit: refused, with the reason that the reference gives (corim_model.h). The
 * unprotected header is empty: there is nothing that may change. */
static void every_bit_of_a_signed_manifest_counts(void **state)
{
    fixture *f = *state;
    vs_span good = signed_by(f, &f->leaf, key_manifest("t", 0, KEYS(KEY_TRIPLE(UEID_A, KEY_A))));
    corim_parts original;
    reasons right = {0};
    m_corim_read(good, &original, &right);
    assert_int_equal(right.n, 0);
    assert_int_equal(original.n_certs, 2);
    with_options(f, (rvps_options){.anchors = f->anchors, .require_signed = true});
    assert_vs_ok(send_by(f, good, ""), &err);
    for (size_t n = 0; n < good.n; n++)
        if (send_by(f, vs_span_head(good, n), "") == VS_OK)
            fail_msg("cut to %zu of %zu bytes", n, good.n);
    uint8_t *bits = malloc(good.n);
    for (size_t i = 0; i < 8 * good.n; i++) {
        char text[VS_ERROR_TEXT];
        memcpy(bits, good.p, good.n);
        bits[i / 8] ^= (uint8_t)(1u << i % 8);
        vs_code code = send_by(f, vs_span_of(bits, good.n), "");
        assert_right_refusal(vs_span_of(bits, good.n), &original, i, code,
                             vs_error_text(&err, text, sizeof text));
    }
    free(bits);
    expect(f, CPAK_A, "[" ENTRY_KEY(JWK_A, "t", "0") "]");
}

static void keys_of_other_kinds_are_refused(void **state)
{
    fixture *f = *state;
    static const char *const bad[] = {
        "",
        "x",
        "AAAA",
        "-----BEGIN PUBLIC KEY-----\\nAAAA\\n-----END PUBLIC KEY-----",
        "-----BEGIN PRIVATE KEY-----\\nAAAA\\n-----END PRIVATE KEY-----",
        "-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----",
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        if (send(f, key_manifest("t", 0,
                                 vs_sprintf(&arena, KEYS(KEY_TRIPLE(UEID_A, "%s")), bad[i]))) ==
            VS_OK)
            fail_msg("%s is accepted", bad[i]);
    vs_key *rsa = fresh_key(VS_KEY_RSA), *p256 = fresh_key(VS_KEY_P256);
    const vs_key *const keys[] = {rsa, p256, p256};
    for (size_t i = 0; i < VS_COUNT(keys); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(1 << 16), quoted = VS_BUF(1 << 16);
        assert_vs_ok(vs_key_to_pem(&pem, keys[i], i == 1, &err), &err); /* [1]: a private one */
        vs_json_quote(&quoted, vs_buf_span(&pem));
        const char *text = vs_sprintf(&arena, "%.*s", (int)quoted.n - 2, quoted.p + 1);
        vs_code code =
            send(f, key_manifest("t", 0, vs_sprintf(&arena, KEYS(KEY_TRIPLE(UEID_A, "%s")), text)));
        assert_true((code == VS_OK) == (i == 2));
    }
    vs_key_free(&rsa);
    vs_key_free(&p256);
}

static void other_messages_cannot_set_reserved_names(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *name;
        bool reserved;
    } all[] = {{CPAK_A, true},           {"cca.cpak.", true},
               {"cca.cpak.x", true},     {PLATFORM_NAME, true},
               {"cca.platform.x", true}, {"cca.realm." HEX_1, true},
               {"cca.realm.AB", true},   {"cca.realm.cca-realm-initial-measurement", false},
               {"cca.realm.", false},    {"cca.realm", false},
               {"cca.cpak", false},      {"x/cca.cpak.x", false}};
    for (size_t i = 0; i < VS_COUNT(all); i++) {
        err = (vs_error){0};
        vs_span sample =
            message("sample", vs_str(vs_sprintf(&arena, "{\"a\":1,\"%s\":[]}", all[i].name)));
        vs_code code = rvps_register_vouched(f->r, sample, VS_LIT("admin"), NOW, &err);
        if ((code == VS_E_DENIED) != all[i].reserved)
            fail_msg("%s: %s", all[i].name, vs_code_name(code));
        if (all[i].reserved)
            expect_reason("is reserved");
    }
    /* Nor can a manifest of another profile, whose names are what it says. */
    vs_span m = measurement("6a"
                            "6363612e6370616b2e78",
                            "a10103"); /* cca.cpak.x, without a class */
    vs_buf b = VS_BUF(1 << 16);
    vs_buf_put(&b, hex("d901f5a200626964"
                       "0181d901fa"));
    vs_buf comid = VS_BUF(1 << 16);
    vs_buf_put(&comid, hex("a201a10061740"
                           "4a1008182a0"
                           "81"));
    vs_buf_put(&comid, m);
    vs_cbor_put_bytes(&b, vs_buf_span(&comid));
    assert_vs_code(send(f, vs_buf_span(&b)), VS_E_DENIED);
    vs_buf_free(&comid);
    vs_buf_free(&b);
}

/* ---- versions -------------------------------------------------------------------------------- */

static void entries_of_several_comids_stand_side_by_side(void **state)
{
    fixture *f = *state;
    assert_vs_ok(send(f, platform_manifest("t", 1, DIGEST_1)), &err);
    assert_vs_ok(send(f, platform_manifest("u", 1, DIGEST_2)), &err);
    expect(f, PLATFORM_NAME,
           "[" ENTRY_PLATFORM(HEX_1, "t", "1") "," ENTRY_PLATFORM(HEX_2, "u", "1") "]");
    /* A higher version takes the place of its own only; the same again changes nothing. */
    assert_vs_ok(send(f, platform_manifest("u", 2, DIGEST_1)), &err);
    assert_vs_ok(send(f, platform_manifest("u", 2, DIGEST_1)), &err);
    expect(f, PLATFORM_NAME,
           "[" ENTRY_PLATFORM(HEX_1, "t", "1") "," ENTRY_PLATFORM(HEX_1, "u", "2") "]");
}

static void an_older_version_does_not_come_back(void **state)
{
    fixture *f = *state;
    assert_vs_ok(send(f, platform_manifest("t", 2, DIGEST_2)), &err);
    assert_vs_code(send(f, platform_manifest("t", 1, DIGEST_1)), VS_E_CONFLICT);
    expect_reason("version 1 is older than version 2");
    assert_vs_code(send(f, platform_manifest("t", 2, DIGEST_1)), VS_E_CONFLICT);
    expect_reason("needs a higher version");
    expect(f, PLATFORM_NAME, "[" ENTRY_PLATFORM(HEX_2, "t", "2") "]");
    /* Deleting what it said does not bring the older one back, but the same one. */
    assert_vs_ok(rvps_delete(f->r, VS_LIT(PLATFORM_NAME), VS_LIT("admin"), &err), &err);
    assert_vs_code(send(f, platform_manifest("t", 1, DIGEST_1)), VS_E_CONFLICT);
    expect(f, PLATFORM_NAME, "absent");
    assert_vs_ok(send(f, platform_manifest("t", 2, DIGEST_2)), &err);
    expect(f, PLATFORM_NAME, "[" ENTRY_PLATFORM(HEX_2, "t", "2") "]");
    /* All or nothing: one old CoMID keeps a new one out. */
    assert_vs_code(
        send(f, manifest(CORIM("c", PLATFORM,
                               COMID("new", "1", REFS(VALUES(COMPONENT("BL", DIGEST_1)))) "," COMID(
                                   "t", "1", REFS(VALUES(COMPONENT("BL", DIGEST_1))))))),
        VS_E_CONFLICT);
    expect(f, PLATFORM_NAME, "[" ENTRY_PLATFORM(HEX_2, "t", "2") "]");
    assert_vs_code(
        send(f, manifest(CORIM("c", PLATFORM,
                               COMID("w", "1", REFS(VALUES(COMPONENT("BL", DIGEST_1)))) "," COMID(
                                   "w", "2", REFS(VALUES(COMPONENT("BL", DIGEST_1))))))),
        VS_E_INVALID);
}

/* Signed, and still valid: it was open to replay. */
static void an_older_signed_manifest_of_any_profile_does_not_come_back(void **state)
{
    fixture *f = *state;
    with_options(f, (rvps_options){.anchors = f->anchors, .require_signed = true});
#define PLAIN(version, digest)                                                                     \
    "{\"corim-id\":\"p\",\"comids\":[" COMID("t", version,                                         \
                                             REFS(VALUES(COMPONENT("BL", digest)))) "]}"
    vs_span first = signed_by(f, &f->leaf, manifest(PLAIN("1", DIGEST_1)));
    vs_span second = signed_by(f, &f->leaf, manifest(PLAIN("2", DIGEST_2)));
    vs_span changed = signed_by(f, &f->leaf, manifest(PLAIN("2", DIGEST_1)));
    assert_vs_ok(send_by(f, first, ""), &err);
    assert_vs_ok(send_by(f, second, ""), &err);
    assert_vs_code(send_by(f, first, ""), VS_E_CONFLICT);
    assert_vs_code(send_by(f, changed, ""), VS_E_CONFLICT);
    assert_vs_ok(send_by(f, second, ""), &err);
    expect(f, "cca.software-component/BL/digests", "[\"" HEX_2 "\"]");
}

/* A signed CoRIM is public, and whoever brings it is heard: a platform whose key was deleted since
 * it is compromised would be genuine again with what its own operator sends. */
static void what_was_deleted_does_not_come_back_with_the_same_message(void **state)
{
    fixture *f = *state;
    with_options(f, (rvps_options){.anchors = f->anchors});
    const char *both = KEYS(KEY_TRIPLE(UEID_A, KEY_A) "," KEY_TRIPLE(UEID_B, KEY_B));
    vs_span first = signed_by(f, &f->leaf, key_manifest("t", 1, both));
    assert_vs_ok(send_by(f, first, ""), &err);
    assert_vs_ok(send_by(f, first, ""), &err);
    assert_vs_ok(rvps_delete(f->r, VS_LIT(CPAK_A), VS_LIT("admin"), &err), &err);
    assert_vs_code(send_by(f, first, ""), VS_E_CONFLICT);
    expect_reason("what version 1 says was deleted");
    expect(f, CPAK_A, "absent");
    expect(f, CPAK_B, "[" ENTRY_KEY(JWK_B, "t", "1") "]");
    assert_vs_code(rvps_delete(f->r, VS_LIT(CPAK_A), VS_LIT("admin"), &err), VS_E_NOT_FOUND);
    assert_vs_code(send_by(f, first, ""), VS_E_CONFLICT);
    /* An administrator may, and then it is as if nothing had been deleted. */
    assert_vs_ok(send(f, first), &err);
    expect(f, CPAK_A, "[" ENTRY_KEY(JWK_A, "t", "1") "]");
    assert_vs_ok(send_by(f, first, ""), &err);
    /* So may the signer, who says something newer. */
    assert_vs_ok(rvps_delete(f->r, VS_LIT(CPAK_A), VS_LIT("admin"), &err), &err);
    assert_vs_code(send_by(f, first, ""), VS_E_CONFLICT);
    assert_vs_ok(send_by(f, signed_by(f, &f->leaf, key_manifest("t", 2, both)), ""), &err);
    expect(f, CPAK_A, "[" ENTRY_KEY(JWK_A, "t", "2") "]");
    assert_vs_code(send_by(f, first, ""), VS_E_CONFLICT);
}

static void a_new_version_takes_away_what_it_does_not_say_any_more(void **state)
{
    fixture *f = *state;
    assert_vs_ok(
        send(f,
             key_manifest("k", 1, KEYS(KEY_TRIPLE(UEID_A, KEY_A) "," KEY_TRIPLE(UEID_B, KEY_B)))),
        &err);
    assert_vs_ok(send(f, key_manifest("l", 1, KEYS(KEY_TRIPLE(UEID_A, KEY_A)))), &err);
    assert_vs_ok(send(f, key_manifest("k", 2, KEYS(KEY_TRIPLE(UEID_B, KEY_B)))), &err);
    expect(f, CPAK_A, "[" ENTRY_KEY(JWK_A, "l", "1") "]");
    expect(f, CPAK_B, "[" ENTRY_KEY(JWK_B, "k", "2") "]");
    assert_vs_ok(send(f, key_manifest("l", 2, KEYS(KEY_TRIPLE(UEID_B, KEY_B)))), &err);
    expect(f, CPAK_A, "absent"); /* withdrawn: unknown again */
}

/* Which one is right is not for us to say: the verifier refuses such an instance. */
static void two_keys_of_one_instance_are_both_shown(void **state)
{
    fixture *f = *state;
    assert_vs_ok(send(f, key_manifest("t", 1,
                                      KEYS(KEY_TRIPLE(UEID_A, KEY_A) "," KEY_TRIPLE(
                                          UEID_A, KEY_B) "," KEY_TRIPLE(UEID_A, KEY_A)))),
                 &err);
    expect(f, CPAK_A, "[" ENTRY_KEY(JWK_A, "t", "1") "," ENTRY_KEY(JWK_B, "t", "1") "]");
}

/* Who is not vouched for can neither replace, nor withdraw, nor lock out who is. */
static void nobody_can_touch_what_somebody_vouched_for(void **state)
{
    fixture *f = *state;
    assert_vs_ok(send(f, key_manifest("t", 1, KEYS(KEY_TRIPLE(UEID_A, KEY_A)))), &err);
    assert_vs_code(send_by(f, platform_manifest("t", 9, DIGEST_1), ""), VS_E_DENIED);
    expect(f, CPAK_A, "[" ENTRY_KEY(JWK_A, "t", "1") "]");
    assert_vs_ok(send_by(f, platform_manifest("u", 99, DIGEST_1), ""), &err);
    assert_vs_ok(send(f, platform_manifest("u", 1, DIGEST_2)), &err);
    assert_vs_code(send_by(f, platform_manifest("u", 99, DIGEST_1), ""), VS_E_DENIED);
    expect(f, PLATFORM_NAME, "[" ENTRY_PLATFORM(HEX_2, "u", "1") "]");
}

static void one_comid_has_one_configuration_of_a_platform(void **state)
{
    fixture *f = *state;
    static const char two[] = CORIM("c", PLATFORM, COMID("t", "1", REFS("%s")));
    const char *same = VALUES(COMPONENT("BL", DIGEST_1) "," CONFIG("AQ==")) "," VALUES(
        COMPONENT("M1", DIGEST_1) "," CONFIG("AQ=="));
    const char *differ = VALUES(COMPONENT("BL", DIGEST_1) "," CONFIG("AQ==")) "," VALUES(
        COMPONENT("M1", DIGEST_1) "," CONFIG("Ag=="));
    char text[4096];
    (void)snprintf(text, sizeof text, two, differ);
    assert_vs_code(send(f, manifest(text)), VS_E_INVALID);
    (void)snprintf(text, sizeof text, two, same);
    assert_vs_ok(send(f, manifest(text)), &err);
}

/* ---- validity -------------------------------------------------------------------------------- */

static vs_span dated(const char *tag, const char *from, const char *until)
{
    return manifest(vs_sprintf(&arena,
                               "{\"corim-id\":\"c\",\"profile\":\"" PLATFORM
                               "\",\"validity\":{\"not-before\":\"%s\","
                               "\"not-after\":\"%s\"},\"comids\":[" COMID(
                                   "%s", "1", REFS(VALUES(COMPONENT("BL", DIGEST_1)))) "]}",
                               from, until, tag));
}

static void each_entry_has_a_time_of_its_own(void **state)
{
    fixture *f = *state;
    const int64_t hour = 3600;
    rvps_entry e;
    assert_vs_ok(send(f, dated("soon", "2026-08-21T10:00:00Z", "2026-08-21T12:00:00Z")), &err);
    expect(f, PLATFORM_NAME, "absent");
    assert_vs_ok(send(f, dated("now", "2026-08-20T00:00:00Z", "2026-08-21T11:00:00Z")), &err);
    assert_int_equal(value_at(f, PLATFORM_NAME, NOW).len, 1);
    assert_int_equal(value_at(f, PLATFORM_NAME, NOW + hour).len, 2);
    assert_int_equal(value_at(f, PLATFORM_NAME, NOW + 2 * hour).len, 2);
    assert_int_equal(value_at(f, PLATFORM_NAME, NOW + 2 * hour + 1).len, 1);
    expect_at(f, PLATFORM_NAME, NOW + 3 * hour + 1, "absent");
    assert_vs_ok(rvps_get(f->r, VS_LIT(PLATFORM_NAME), NOW, &arena, &e, &err), &err);
    assert_int_equal(e.value.len, 2); /* an administrator sees them all */
    assert_true(e.valid && e.expires == NOW + 3 * hour && e.not_before == INT64_MIN);
    assert_vs_code(send(f, dated("late", "2025-01-01T00:00:00Z", "2026-08-21T08:59:59Z")),
                   VS_E_EXPIRED);
}

/* ---- at once --------------------------------------------------------------------------------- */

enum { WRITERS = 4, MANIFESTS = 10 };

typedef struct writer {
    fixture *f;
    vs_span messages[MANIFESTS];
    vs_code code;
} writer;

static void *write_all(void *user)
{
    writer *w = user;
    for (size_t i = 0; i < MANIFESTS && w->code == VS_OK; i++)
        w->code = rvps_register_vouched(w->f->r, w->messages[i], VS_LIT("admin"), NOW, NULL);
    return NULL;
}

static void manifests_at_the_same_moment_are_all_kept(void **state)
{
    fixture *f = *state;
    writer w[WRITERS] = {0};
    pthread_t t[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        w[i].f = f;
        for (int k = 0; k < MANIFESTS; k++)
            w[i].messages[k] = message(
                "corim", platform_manifest(vs_sprintf(&arena, "t%d-%d", i, k), 1, DIGEST_1));
    }
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, write_all, &w[i]), 0);
    for (int i = 0; i < WRITERS; i++) {
        (void)pthread_join(t[i], NULL);
        assert_vs_code(w[i].code, VS_OK);
    }
    assert_int_equal(value_at(f, PLATFORM_NAME, NOW).len, WRITERS * MANIFESTS);
}

/* What is swapped is the same whatever keeps it. */
static void every_store_keeps_them(void **state)
{
    fixture *f = *state;
    vs_store *memory = f->store;
    vs_code (*const open[])(const char *, vs_store **, vs_error *) = {
        vs_store_open_localfs, vs_store_open_localjson, vs_store_open_sqlite};
    for (size_t i = 0; i < VS_COUNT(open); i++) {
        char dir[] = "/tmp/vs-cca-test-XXXXXX", command[64];
        assert_non_null(mkdtemp(dir));
        const char *path = open[i] == vs_store_open_sqlite ? vs_sprintf(&arena, "%s/db", dir) : dir;
        assert_vs_ok(open[i](path, &f->store, &err), &err);
        with_options(f, (rvps_options){0});
        an_older_version_does_not_come_back(state);
        a_new_version_takes_away_what_it_does_not_say_any_more(state);
        rvps_free(&f->r);
        vs_store_close(&f->store);
        (void)snprintf(command, sizeof command, "rm -rf %s", dir);
        assert_int_equal(system(command), 0);
    }
    f->store = memory;
    with_options(f, (rvps_options){0});
}

/* A value that somebody put under a reserved name before it was reserved. */
static void what_is_stored_in_another_form_is_not_built_upon(void **state)
{
    fixture *f = *state;
    static const char *const values[] = {"7", "[7]", "{\"a\":[]}"};
    for (size_t i = 0; i < VS_COUNT(values); i++) {
        const char *record = vs_sprintf(&arena,
                                        "{\"version\":\"0.1.0\",\"name\":\"" PLATFORM_NAME "\","
                                        "\"expiration\":\"2027-08-21T09:00:00Z\",\"value\":%s}",
                                        values[i]);
        assert_vs_ok(vs_store_put(f->store, "reference_value", VS_LIT(PLATFORM_NAME),
                                  vs_str(record), 0, VS_PUT_REPLACE, &err),
                     &err);
        assert_vs_code(send(f, platform_manifest("t", 1, DIGEST_1)), VS_E_INVALID);
        expect_reason("delete it");
        expect(f, PLATFORM_NAME, "absent"); /* nobody gets it as an endorsement either */
        assert_vs_ok(rvps_delete(f->r, VS_LIT(PLATFORM_NAME), VS_LIT("admin"), &err), &err);
    }
}

int main(void)
{
#define with_fixture(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        with_fixture(records_have_the_form_that_the_verifier_reads),
        with_fixture(realms_are_known_by_their_initial_measurement),
        with_fixture(every_vector_gives_the_result_of_its_readme),
        with_fixture(attestation_keys_of_nobody_in_particular_are_refused),
        with_fixture(wrong_signers_are_refused),
        with_fixture(every_bit_of_a_signed_manifest_counts),
        with_fixture(keys_of_other_kinds_are_refused),
        with_fixture(other_messages_cannot_set_reserved_names),
        with_fixture(entries_of_several_comids_stand_side_by_side),
        with_fixture(an_older_version_does_not_come_back),
        with_fixture(an_older_signed_manifest_of_any_profile_does_not_come_back),
        with_fixture(what_was_deleted_does_not_come_back_with_the_same_message),
        with_fixture(a_new_version_takes_away_what_it_does_not_say_any_more),
        with_fixture(two_keys_of_one_instance_are_both_shown),
        with_fixture(nobody_can_touch_what_somebody_vouched_for),
        with_fixture(one_comid_has_one_configuration_of_a_platform),
        with_fixture(each_entry_has_a_time_of_its_own),
        with_fixture(manifests_at_the_same_moment_are_all_kept),
        with_fixture(every_store_keeps_them),
        with_fixture(what_is_stored_in_another_form_is_not_built_upon),
    };
    return cmocka_run_group_tests_name("cca endorsements", tests, NULL, NULL);
}
