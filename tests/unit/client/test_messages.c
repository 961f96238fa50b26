/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "base/enc.h"
#include "client/messages.h"
#include "value/json.h"

/* A test key (public part), as in RFC 7517 appendix A.1. */
static const char jwk_text[] = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ECDH-ES+A256KW\","
                               "\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
                               "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}";

static vs_val json(vs_arena *a, vs_span text)
{
    vs_val v;
    vs_error err = {0};
    assert_vs_ok(vs_json_parse(a, text, NULL, &v, &err), &err);
    return v;
}

static void the_request_is_what_the_rust_client_sends(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1000);
    kbsc_write_request(&b, KBSC_NEWEST, "cca", false);
    assert_span_is(
        vs_buf_span(&b),
        "{\"version\":\"0.4.0\",\"tee\":\"cca\",\"extra-params\":{\"supported-hash-algorithms\":"
        "[\"sha256\",\"sha384\",\"sha512\",\"sm3\"]}}");
}

static void challenges_are_read_and_the_hash_chosen(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        vs_hash hash;
    } v[] = {
        {"{\"nonce\":\"n\",\"extra-params\":\"\"}", VS_SHA384},
        {"{\"nonce\":\"n\",\"extra-params\":null,\"more\":1}", VS_SHA384},
        {"{\"nonce\":\"n\",\"extra-params\":{}}", VS_SHA384},
        {"{\"nonce\":\"n\",\"extra-params\":{\"selected-hash-algorithm\":\"sha512\"}}", VS_SHA512},
        {"{\"nonce\":\"n\",\"extra-params\":{\"selected-hash-algorithm\":\"SHA256\"}}", VS_SHA256}};
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_error err = {0};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        kbsc_challenge c;
        assert_vs_ok(kbsc_read_challenge(&a, vs_str(v[i].json), &c, &err), &err);
        assert_span_is(c.nonce, "n");
        assert_int_equal(c.hash, v[i].hash);
    }
    vs_arena_free(&a);
}

static void hostile_challenges_are_refused_with_a_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *json, *says;
    } v[] = {{"", "challenge is not JSON"},
             {"<html>", "challenge is not JSON"},
             {"[]", "not a JSON object but array"},
             {"{}", "\"nonce\" is missing"},
             {"{\"nonce\":5,\"extra-params\":\"\"}", "\"nonce\" must be a string, not a number"},
             {"{\"nonce\":null,\"extra-params\":\"\"}", "nonce"},
             {"{\"nonce\":\"\",\"extra-params\":\"\"}", "nonce of 0 bytes"},
             {"{\"nonce\":\"a\"}", "no \"extra-params\""},
             {"{\"nonce\":\"a\",\"nonce\":\"b\",\"extra-params\":\"\"}", "not JSON"},
             {"{\"nonce\":\"a\",\"extra-params\":{\"selected-hash-algorithm\":\"md5\"}}",
              "hash algorithm"},
             {"{\"nonce\":\"a\",\"extra-params\":{\"selected-hash-algorithm\":\"sha1\"}}",
              "hash algorithm"},
             {"{\"nonce\":\"a\",\"extra-params\":{\"selected-hash-algorithm\":[\"sha512\"]}}",
              "hash algorithm"}};
    vs_arena a;
    vs_arena_init(&a, 0);
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        kbsc_challenge c;
        vs_error err = {0};
        char text[VS_ERROR_TEXT];
        assert_int_not_equal(kbsc_read_challenge(&a, vs_str(v[i].json), &c, &err), VS_OK);
        if (!strstr(vs_error_text(&err, text, sizeof text), v[i].says))
            fail_msg("%s: %s", v[i].json, text);
    }
    VS_CLEANUP(vs_buf_free) vs_buf big = VS_BUF(1 << 20);
    vs_buf_puts(&big, "{\"extra-params\":\"\",\"nonce\":\"");
    while (big.n < 70000)
        vs_buf_puts(&big, "xxxxxxxxxxxxxxxx");
    vs_buf_puts(&big, "\"}");
    kbsc_challenge c;
    assert_vs_code(kbsc_read_challenge(&a, vs_buf_span(&big), &c, NULL), VS_E_INVALID);
    vs_arena_free(&a);
}

static void report_data_equals_the_shared_vector(void **state)
{
    (void)state;
    need_shared("data/kbs/runtime-data-primary.json");
    VS_CLEANUP(vs_buf_free) vs_buf runtime = VS_BUF(10000), key = VS_BUF(10000);
    read_shared("data/kbs/runtime-data-primary.json", &runtime);
    read_shared("data/kbs/tee-p256.jwk.json", &key);
    vs_arena a;
    vs_arena_init(&a, 0);
    static const struct {
        vs_hash hash;
        const char *hex;
    } v[] = {{VS_SHA384, "f036fba1ce8d97f8cbf5f89d9f8fddf34fbabdc042e4f74abed43481debbbe158f595c81d"
                         "33aa5cf0eaff3824955b6f1"},
             {VS_SHA256, "bc6fe705f13ba2d85b70c4edf14bd4a562511e27dc3cb58cf1d1d9fc5700b0d6"},
             {VS_SHA512, "d51a75ff64a9baca8ffc9d199c2acea594989c5e84ac3d816a134d69bfa722bb"
                         "9072e7c45d6c79ebfb355e0afa2f0cf141a491f58f1f539bae5be715dd7996c3"}};
    vs_val doc = json(&a, vs_buf_span(&runtime));
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        kbsc_challenge c = {.nonce = vs_text(vs_getc(doc, "nonce")), .hash = v[i].hash};
        uint8_t digest[VS_HASH_MAX];
        vs_span want;
        vs_error err = {0};
        assert_vs_ok(vs_hex_decode_arena(&a, vs_str(v[i].hex), &want, &err), &err);
        assert_vs_ok(
            kbsc_report_data(&a, KBSC_NEWEST, &c, json(&a, vs_buf_span(&key)), digest, &err), &err);
        assert_span_eq(vs_span_of(digest, vs_hash_size(v[i].hash)), want);
    }
    vs_arena_free(&a);
}

static void the_attestation_carries_everything_escaped(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 0);
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(10000);
    kbsc_challenge c = {.nonce = VS_LIT("a\"b\n"), .hash = VS_SHA384};
    vs_val key = json(&a, vs_str(jwk_text));
    kbsc_proof proof = {key, VS_LIT("{\"token\":[1]}"), {0}};
    kbsc_write_attestation(&b, KBSC_NEWEST, &c, &proof);
    vs_val doc = json(&a, vs_buf_span(&b));
    assert_int_equal(vs_getc(doc, "init-data").kind, VS_NULL);
    assert_span_is(vs_text(vs_pointer(doc, VS_LIT("/runtime-data/nonce"))), "a\"b\n");
    assert_true(vs_eq(vs_pointer(doc, VS_LIT("/runtime-data/tee-pubkey")), key));
    assert_true(
        vs_eq(vs_pointer(doc, VS_LIT("/tee-evidence/primary_evidence/token/0")), vs_int(1)));
    assert_int_equal(vs_pointer(doc, VS_LIT("/tee-evidence/additional_evidence")).kind, VS_STRING);
    vs_buf_clear(&b);
    proof = (kbsc_proof){key, VS_LIT("{}"), VS_LIT("version = \"0.1.0\"\n")};
    kbsc_write_attestation(&b, KBSC_NEWEST, &c, &proof);
    doc = json(&a, vs_buf_span(&b));
    assert_span_is(vs_text(vs_pointer(doc, VS_LIT("/init-data/format"))), "toml");
    assert_span_is(vs_text(vs_pointer(doc, VS_LIT("/init-data/body"))), "version = \"0.1.0\"\n");
    vs_arena_free(&a);
}

static void tokens_must_look_like_tokens(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "{}",
                                      "{\"token\":5}",
                                      "{\"token\":\"\"}",
                                      "{\"token\":\"a.b\"}",
                                      "{\"token\":\"e30.e30.e30.e30\"}",
                                      "{\"token\":\"e30.e30.\"}",
                                      "{\"token\":\".e30.e30\"}",
                                      "{\"token\":\"e30.W10.e30\"}",
                                      "{\"token\":\"e30.e30=.e30\"}",
                                      "{\"token\":\"e30.e30.e30\\r\\n\"}",
                                      "[\"e30.e30.e30\"]"};
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_span token;
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        if (kbsc_read_token(&a, vs_str(bad[i]), &token, NULL) == VS_OK)
            fail_msg("accepted %s", bad[i]);
    vs_error err = {0};
    assert_vs_ok(kbsc_read_token(&a, VS_LIT("{\"token\":\"e30.e30.e30\",\"x\":0}"), &token, &err),
                 &err);
    assert_span_is(token, "e30.e30.e30");
    vs_arena_free(&a);
}

static void refusals_are_told_from_other_bodies(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 0);
    kbsc_refusal r;
    assert_true(kbsc_read_refusal(
        &a, VS_LIT("{\"type\":\"https://x/errors/PolicyDeny\",\"detail\":\"no\"}"), &r));
    assert_span_is(r.name, "PolicyDeny");
    assert_span_is(r.detail, "no");
    static const char *const others[] = {"",
                                         "no",
                                         "{}",
                                         "{\"type\":\"x\"}",
                                         "{\"type\":1,\"detail\":\"a\"}",
                                         "[[[[[[[[[[[[]]]]]]]]]]]]"};
    for (size_t i = 0; i < VS_COUNT(others); i++)
        assert_false(kbsc_read_refusal(&a, vs_str(others[i]), &r));
    vs_arena_free(&a);
}

static void what_a_server_says_of_its_versions_is_read(void **state)
{
    (void)state;
    enum { V1 = 1 << KBSC_0_1_1, V2 = 1 << KBSC_0_2_0, V3 = 1 << KBSC_0_3_0, V4 = 1 << KBSC_0_4_0 };
    static const struct {
        const char *name, *detail;
        bool is;
        unsigned known;
        const char *said;
    } v[] = {
        {"AttestationError",
         "Attestation error: RCAR handshake Auth failed: KBS Client Protocol Version Mismatch: "
         "expect =0.2.0 while the request is 0.4.0",
         true, V2, "=0.2.0"},
        {"ProtocolVersion",
         "KBS Client Protocol Version Mismatch: expected version: =0.1.1, requested version: 0.4.0",
         true, V1, "=0.1.1"},
        {"AttestationError",
         "Protocol Version Mismatch: expect =0.3.0, =0.4.0 while the request is 0.2.0", true,
         V3 | V4, "=0.3.0, =0.4.0"},
        {"x", "Protocol Version Mismatch: expect 0.2.0", true, V2, "0.2.0"},
        {"ProtocolVersion", "client 0.1.1<=0.1.0 server", true, 0, ""},
        {"ProtocolVersion", "", true, 0, ""},
        {"x", "Protocol Version Mismatch", true, 0, ""},
        {"x", "Protocol Version Mismatch: expect  while the request is 0.4.0", true, 0, ""},
        {"x", "Protocol Version Mismatch: expect while the request is 0.4.0", true, 0,
         "while the request is 0.4.0"},
        {"x", "Protocol Version Mismatch: expect <=0.1.0 while", true, 0, "<=0.1.0 while"},
        {"x",
         "Protocol Version Mismatch: expect >=0.2.0, ^0.4.0, ==0.2.0, =0.2.0-rc1, =0.2, =00.2.0",
         true, 0, ">=0.2.0, ^0.4.0, ==0.2.0, =0.2.0-rc1, =0.2, =00.2.0"},
        {"x", "Protocol Version Mismatch: expect ,,=,=9.9.9,= 0.2.0,0.4.0 ,", true, V4,
         ",,=,=9.9.9,= 0.2.0,0.4.0 ,"},
        {"x", "expect =0.2.0 while; Protocol Version Mismatch", true, 0, ""},
        {"PolicyDeny", "expect =0.2.0 while the request is 0.4.0", false, 0, ""},
        {"AttestationError", "Attestation error: RCAR handshake Auth failed", false, 0, ""},
    };
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        kbsc_refusal r = {vs_str(v[i].name), vs_str(v[i].detail)};
        kbsc_mismatch m = kbsc_read_mismatch(&r);
        if (m.is != v[i].is || m.known != v[i].known || (m.is && !vs_span_is(m.said, v[i].said)))
            fail_msg("%s: %d %x \"%.*s\"", v[i].detail, m.is, m.known, VS_FMT(m.said));
    }
}

static void hostile_text_cannot_reach_the_terminal(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 0);
    assert_string_equal(kbsc_printable(&a, VS_LIT("ok \x1b[2J\n\xc2\x9b"), 100),
                        "ok \\x1b[2J\\x0a\\xc2\\x9b");
    assert_string_equal(kbsc_printable(&a, VS_LIT("abcdef"), 3), "abc...");
    assert_string_equal(kbsc_printable(&a, VS_LIT(""), 3), "");
    vs_arena_free(&a);
}

static void every_truncation_of_an_answer_is_refused(void **state)
{
    (void)state;
    static const char challenge[] =
        "{\"nonce\":\"abc\",\"extra-params\":{\"selected-hash-algorithm\":\"sha512\"}}";
    static const char token[] = "{\"token\":\"e30.e30.e30\"}";
    vs_arena a;
    vs_arena_init(&a, 0);
    kbsc_challenge c;
    vs_span t;
    for (size_t n = 0; n < sizeof challenge - 1; n++)
        assert_int_not_equal(kbsc_read_challenge(&a, vs_span_of(challenge, n), &c, NULL), VS_OK);
    for (size_t n = 0; n < sizeof token - 1; n++)
        assert_int_not_equal(kbsc_read_token(&a, vs_span_of(token, n), &t, NULL), VS_OK);
    vs_arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_is_what_the_rust_client_sends),
        cmocka_unit_test(challenges_are_read_and_the_hash_chosen),
        cmocka_unit_test(hostile_challenges_are_refused_with_a_sentence),
        cmocka_unit_test(report_data_equals_the_shared_vector),
        cmocka_unit_test(the_attestation_carries_everything_escaped),
        cmocka_unit_test(tokens_must_look_like_tokens),
        cmocka_unit_test(refusals_are_told_from_other_bodies),
        cmocka_unit_test(what_a_server_says_of_its_versions_is_read),
        cmocka_unit_test(hostile_text_cannot_reach_the_terminal),
        cmocka_unit_test(every_truncation_of_an_answer_is_refused),
    };
    return cmocka_run_group_tests_name("messages", tests, NULL, NULL);
}
