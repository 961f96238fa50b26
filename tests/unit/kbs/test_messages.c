/* SPDX-License-Identifier: Apache-2.0 */
/* Request and Attestation: what is accepted, what is hashed. */
#include "as/as_fixture.h"

#include "kbs/internal.h"

static vs_code request(world *w, const char *quoted, kbs_request_msg *out)
{
    vs_buf text = VS_BUF(1 << 16);
    vs_json_print(&text, json1(w, quoted));
    vs_code code = kbs_parse_request(vs_dup(&w->a, vs_buf_span(&text)), &w->a, out, NULL);
    vs_buf_free(&text);
    return code;
}

static void a_request_needs_version_tee_and_extra_params(void **state)
{
    world *w = *state;
    kbs_request_msg m;
    static const char *const good[] = {
        "{'version': '0.4.0', 'tee': 'cca', 'extra-params': ''}",
        "{'version': '0.4.0', 'tee': 'cca', 'extra-params': null}",
        "{'version': '9', 'tee': 'azsnpvtpm', 'extra-params': {'a': [1]}, 'more': 1}",
    };
    static const char *const bad[] = {
        "{}",
        "[]",
        "null",
        "{'version': '0.4.0', 'tee': 'cca'}",
        "{'tee': 'cca', 'extra-params': ''}",
        "{'version': '0.4.0', 'extra-params': ''}",
        "{'version': 4, 'tee': 'cca', 'extra-params': ''}",
        "{'version': '0.4.0', 'tee': 'CCA', 'extra-params': ''}",
        "{'version': '0.4.0', 'tee': 'sev', 'extra-params': ''}",
        "{'version': '0.4.0', 'tee': '', 'extra-params': ''}",
        "{'version': '0.4.0', 'tee': ['cca'], 'extra-params': ''}",
    };
    for (size_t i = 0; i < VS_COUNT(good); i++)
        assert_vs_code(request(w, good[i], &m), VS_OK);
    assert_string_equal(m.tee, "az-snp-vtpm");
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        if (request(w, bad[i], &m) == VS_OK)
            fail_msg("accepted: %s", bad[i]);
    }
}

/* ---- tee-pubkey ---------------------------------------------------------------------------------
 */

static void only_the_known_members_of_a_key_are_kept(void **state)
{
    world *w = *state;
    vs_error err = {0};
    vs_val out;
    static const struct {
        const char *in, *kept;
    } cases[] = {
        {"{'kty': 'EC', 'crv': 'P-384', 'alg': 'A', 'x': 'X', 'y': 'Y', 'kid': 'k', 'use': 'enc', "
         "'d': 'D'}",
         "{'kty': 'EC', 'crv': 'P-384', 'alg': 'A', 'x': 'X', 'y': 'Y'}"},
        {"{'kty': 'RSA', 'alg': 'RSA-OAEP-256', 'n': 'N', 'e': 'AQAB', 'x': 'X'}",
         "{'kty': 'RSA', 'alg': 'RSA-OAEP-256', 'n': 'N', 'e': 'AQAB'}"},
        {"{'kty': 'AKP', 'alg': 'ML-KEM-768+A192KW', 'pub': 'P', 'priv': 'Q'}",
         "{'kty': 'AKP', 'alg': 'ML-KEM-768+A192KW', 'pub': 'P'}"},
    };
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        assert_vs_ok(kbs_tee_pubkey(json1(w, cases[i].in), &w->a, &out, &err), &err);
        assert_json_eq(w, out, cases[i].kept);
    }
    static const char *const bad[] = {
        "{}",
        "[]",
        "'x'",
        "{'kty': 'oct', 'k': 'AAAA'}",
        "{'kty': 'OKP', 'crv': 'Ed25519', 'x': 'X', 'alg': 'A'}",
        "{'kty': 'EC', 'crv': 'P-256', 'x': 'X', 'y': 'Y'}",
        "{'kty': 'EC', 'crv': 'P-256', 'alg': 'A', 'x': 'X'}",
        "{'kty': 'EC', 'crv': 'P-256', 'alg': 'A', 'x': 'X', 'y': 1}",
        "{'kty': 'RSA', 'alg': 'A', 'n': 'N'}",
        "{'kty': 'AKP', 'alg': 'A'}",
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        if (kbs_tee_pubkey(json1(w, bad[i]), &w->a, &out, &err) == VS_OK)
            fail_msg("accepted: %s", bad[i]);
    }
}

static void reference_runtime_data_is_what_the_typed_key_hashes_to(void **state)
{
    world *w = *state;
    vs_error err = {0};
    static const struct {
        const char *file, *sha384;
    } cases[] = {
        {"data/kbs/runtime-data-primary.json", "f036fba1ce8d97f8cbf5f89d9f8fddf34fbabdc042e4f74abed"
                                               "43481debbbe158f595c81d33aa5cf0eaff3824955b6f1"},
        {"data/kbs/runtime-data-device.json", "1b1358780f3f287e48872e7b70973caa7c3c73195fab3a5fe22a"
                                              "24093dca5955ecbe7221a133f2ee59245a1f78a29987"},
    };
    need_shared(cases[0].file);
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        vs_buf text = VS_BUF(4096), canonical = VS_BUF(4096);
        uint8_t md[VS_HASH_MAX];
        vs_val typed;
        read_shared(cases[i].file, &text);
        vs_val v = json(w, (const char *)text.p);
        vs_val noisy =
            vs_with(&w->a, vs_getc(v, "tee-pubkey"), vs_cstring("kid"), vs_cstring("noise"));
        assert_vs_ok(kbs_tee_pubkey(noisy, &w->a, &typed, &err), &err);
        v = vs_with(&w->a, v, vs_cstring("tee-pubkey"), typed);
        assert_vs_ok(vs_json_canonical(&canonical, v, &err), &err);
        assert_span_eq(vs_buf_span(&canonical), vs_buf_span(&text));
        assert_vs_ok(
            vs_digest(VS_SHA384, vs_buf_span(&canonical), VS_LIT(""), VS_LIT(""), md, &err), &err);
        assert_span_is(vs_hex_encode_arena(&w->a, vs_span_of(md, 48)), cases[i].sha384);
        vs_buf_free(&text);
        vs_buf_free(&canonical);
    }
}

/* ---- Attestation --------------------------------------------------------------------------------
 */

/* A point on P-256: the generator. */
#define GX       "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY"
#define GY       "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"
#define KEY      "{'kty': 'EC', 'crv': 'P-256', 'alg': 'ECDH-ES+A256KW', 'x': '" GX "', 'y': '" GY "'}"
#define RUNTIME  "'runtime-data': {'nonce': 'n', 'tee-pubkey': " KEY "}"
#define EVIDENCE "'tee-evidence': {'primary_evidence': {'svn': '1'}, 'additional_evidence': ''}"

static vs_code attestation(world *w, const char *quoted, kbs_attestation_msg *out)
{
    vs_buf text = VS_BUF(1 << 16);
    vs_json_print(&text, json1(w, quoted));
    vs_code code = kbs_parse_attestation(vs_dup(&w->a, vs_buf_span(&text)), KBS_PROTOCOL_0_4_0,
                                         &w->a, out, NULL);
    vs_buf_free(&text);
    return code;
}

static void a_complete_attestation_is_read(void **state)
{
    world *w = *state;
    kbs_attestation_msg m;
    static const char *const good[] = {
        "{" RUNTIME ", " EVIDENCE "}",
        "{'init-data': null, " RUNTIME ", " EVIDENCE "}",
        "{'init-data': {'format': 'toml', 'body': 'x'}, " RUNTIME ", " EVIDENCE ", 'more': 1}",
    };
    for (size_t i = 0; i < VS_COUNT(good); i++)
        assert_vs_code(attestation(w, good[i], &m), VS_OK);
    vs_span nested = VS_LIT(
        "{\"runtime-data\":{\"nonce\":\"n\",\"tee-pubkey\":{\"kty\":\"AKP\",\"alg\":\"a\",\"pub\":"
        "\"p\"}},\"tee-evidence\":{\"primary_evidence\":null,\"additional_evidence\":"
        "\"{\\\"nvidia\\\":{\\\"a\\\": 1}}\"}}");
    vs_error err = {0};
    assert_vs_ok(kbs_parse_attestation(nested, KBS_PROTOCOL_0_4_0, &w->a, &m, &err), &err);
    assert_span_is(m.additional, "{\"nvidia\":{\"a\": 1}}");
    assert_int_equal(m.devices.len, 1);
    assert_null(m.init_data_toml.p);
}

static void an_incomplete_attestation_is_refused(void **state)
{
    world *w = *state;
    kbs_attestation_msg m;
    static const char *const bad[] = {
        "{}",
        "[]",
        "{" RUNTIME "}",
        "{" EVIDENCE "}",
        "{'runtime-data': {'tee-pubkey': " KEY "}, " EVIDENCE "}",
        "{'runtime-data': {'nonce': 1, 'tee-pubkey': " KEY "}, " EVIDENCE "}",
        "{'runtime-data': {'nonce': 'n'}, " EVIDENCE "}",
        "{'runtime-data': [], " EVIDENCE "}",
        "{" RUNTIME ", 'tee-evidence': {'additional_evidence': ''}}",
        "{" RUNTIME ", 'tee-evidence': {'primary_evidence': {}}}",
        "{" RUNTIME ", 'tee-evidence': {'primary_evidence': {}, 'additional_evidence': {}}}",
        "{" RUNTIME ", 'tee-evidence': {'primary_evidence': {}, 'additional_evidence': '[]'}}",
        "{" RUNTIME ", 'tee-evidence': {'primary_evidence': {}, 'additional_evidence': '{'}}",
        "{" RUNTIME ", 'tee-evidence': {'primary-evidence': {}, 'additional-evidence': ''}}",
        "{'init-data': {'format': 'json', 'body': '{}'}, " RUNTIME ", " EVIDENCE "}",
        "{'init-data': {'format': 'toml'}, " RUNTIME ", " EVIDENCE "}",
        "{'init-data': {'body': 'x'}, " RUNTIME ", " EVIDENCE "}",
        "{'init-data': 'x', " RUNTIME ", " EVIDENCE "}",
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        if (attestation(w, bad[i], &m) == VS_OK)
            fail_msg("accepted: %s", bad[i]);
    }
}

static void a_point_that_is_not_on_its_curve_is_refused_at_the_edge(void **state)
{
    world *w = *state;
    kbs_attestation_msg m;
    static const char *const keys[] = {
        "{'kty': 'EC', 'crv': 'P-256', 'alg': 'ECDH-ES+A256KW', 'x': '" GX "', 'y': '" GX "'}",
        "{'kty': 'EC', 'crv': 'P-521', 'alg': 'ECDH-ES+A256KW', 'x': '" GX "', 'y': '" GY "'}",
        "{'kty': 'EC', 'crv': 'P-256', 'alg': 'ECDH-ES+A256KW', 'x': '', 'y': ''}",
        "{'kty': 'EC', 'crv': 'P-256', 'alg': 'ECDH-ES+A256KW', 'x': '!', 'y': '" GY "'}",
    };
    assert_vs_code(attestation(w, "{" RUNTIME ", " EVIDENCE "}", &m), VS_OK);
    for (size_t i = 0; i < VS_COUNT(keys); i++) {
        const char *body = vs_sprintf(
            &w->a, "{'runtime-data': {'nonce': 'n', 'tee-pubkey': %s}, " EVIDENCE "}", keys[i]);
        if (attestation(w, body, &m) == VS_OK)
            fail_msg("accepted: %s", keys[i]);
    }
}

static void every_truncation_of_a_body_is_refused(void **state)
{
    world *w = *state;
    kbs_attestation_msg m;
    vs_buf text = VS_BUF(1 << 16);
    vs_json_print(&text, json1(w, "{" RUNTIME ", " EVIDENCE "}"));
    for (size_t n = 0; n < text.n; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        assert_non_null(exact);
        memcpy(exact, text.p, n);
        for (int p = KBS_PROTOCOL_0_1_1; p <= KBS_PROTOCOL_0_4_0; p++)
            assert_int_not_equal(
                kbs_parse_attestation(vs_span_of(exact, n), (kbs_protocol)p, &w->a, &m, NULL),
                VS_OK);
        free(exact);
    }
    vs_buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_needs_version_tee_and_extra_params),
        cmocka_unit_test(only_the_known_members_of_a_key_are_kept),
        cmocka_unit_test(reference_runtime_data_is_what_the_typed_key_hashes_to),
        cmocka_unit_test(a_complete_attestation_is_read),
        cmocka_unit_test(an_incomplete_attestation_is_refused),
        cmocka_unit_test(a_point_that_is_not_on_its_curve_is_refused_at_the_edge),
        cmocka_unit_test(every_truncation_of_a_body_is_refused),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
