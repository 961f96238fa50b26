/* SPDX-License-Identifier: Apache-2.0 */
/* The token on the wire: order, signer, times (5, 6). */
#include "as/as_fixture.h"

#include <sys/stat.h>

static const char runtime[] = "{\"nonce\":\"n\"}";

static void decode_part(vs_span part, vs_buf *out)
{
    vs_error err = {0};
    assert_vs_ok(vs_b64_decode(out, VS_B64_URL, part, &err), &err);
}

static as_result token_of(world *w)
{
    vs_error err = {0};
    as_result res;
    as_request r = sample_request(w, "sample", runtime);
    assert_vs_ok(evaluate(w, &r, 1, "default", &res, &err), &err);
    return res;
}

/* Every part of `order` appears in `text`, each after the one before it. */
static void assert_order(const char *text, const char *const *order, size_t n)
{
    const char *from = text;
    for (size_t i = 0; i < n; i++) {
        const char *found = strstr(from, order[i]);
        if (!found)
            fail_msg("%s is missing or out of order in %s", order[i], text);
        from = found + strlen(order[i]);
    }
}

static void members_come_in_the_order_of_trustee(void **state)
{
    static const char *const header[] = {
        "{\"typ\":\"JWT\",\"alg\":\"ES256\",\"jwk\":{\"alg\":\"ES256\",\"kty\":"
        "\"EC\",\"crv\":\"P-256\",\"x\":\"",
        "\",\"y\":\"", "\"}}"};
    static const char *const payload[] = {
        "{\"eat_profile\":\"tag:github.com,2024:confidential-containers/"
        "Trustee\",\"iat\":3900000000,"
        "\"ear.verifier-id\":{\"developer\":\"https://confidentialcontainers.org\",\"build\":"
        "\"attestation-service 0.1.0\"},\"submods\":{\"cpu0\":{\"ear.status\":\"contraindicated\","
        "\"ear.trustworthiness-vector\":{\"instance-identity\":0,\"configuration\":2,"
        "\"executables\":33,"
        "\"file-system\":0,\"hardware\":97,\"runtime-opaque\":0,\"storage-opaque\":0,\"sourced-"
        "data\":0},"
        "\"ear.appraisal-policy-id\":\"default\",\"ear.veraison.annotated-evidence\":{\"report_"
        "data\":",
        "\"runtime_data_claims\":{\"nonce\":\"n\"},\"sample\":{",
        "\"ear.trustee.identifiers\":{\"validated\":{}}}},\"exp\":3900000300,\"iss\":"
        "\"CoCo-Attestation-Service\"}"};
    world *w = *state;
    as_result res = token_of(w);
    vs_span rest, head = vs_span_cut(res.token, '.', &rest, NULL);
    vs_span body = vs_span_cut(rest, '.', &rest, NULL);
    vs_buf h = VS_BUF(1 << 16), p = VS_BUF(1 << 16);
    decode_part(head, &h);
    decode_part(body, &p);
    assert_order((const char *)h.p, header, VS_COUNT(header));
    assert_order((const char *)p.p, payload, VS_COUNT(payload));
    assert_int_equal(res.expires, 3900000300);
    vs_buf_free(&h);
    vs_buf_free(&p);
}

static void the_signer_key_survives_a_restart_and_is_shared_by_replicas(void **state)
{
    (void)state;
    world w;
    vs_error err = {0};
    const as_config cfg = {0};
    world_open(&w, &cfg);
    as_service *second = NULL;
    assert_vs_ok(as_new(&cfg, w.store, w.rv, &w.trust, &second, &err), &err);
    assert_true(vs_eq(as_signer_jwk(w.as), as_signer_jwk(second)));
    as_free(&second);
    world other;
    world_open(&other, &cfg);
    assert_false(vs_eq(as_signer_jwk(w.as), as_signer_jwk(other.as)));
    world_close(&other);
    world_close(&w);
}

static void a_configured_signer_gives_the_jwk_set_of_trustee(void **state)
{
    static const struct {
        const char *key, *chain, *set;
    } cases[] = {
        {"data/ear/jwk-fixture/signing-key.pem", "data/ear/jwk-fixture/cert-chain.pem",
         "data/ear/jwk-fixture/expected-jwks.json"},
        {"data/ear/as-signer.key.pem", "data/ear/as-signer-chain.pem", "data/ear/jwks.json"},
    };
    (void)state;
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        need_shared(cases[i].key);
        world w;
        vs_error err = {0};
        char *key = strdup(shared_path(cases[i].key)), *chain = strdup(shared_path(cases[i].chain));
        const as_config cfg = {.signer_key_path = key, .signer_cert_path = chain};
        world_open(&w, &cfg);
        vs_buf got = VS_BUF(1 << 16), want = VS_BUF(1 << 16);
        assert_vs_ok(as_jwks(w.as, &got, &err), &err);
        read_shared(cases[i].set, &want);
        assert_true(vs_eq(json(&w, (const char *)got.p), json(&w, (const char *)want.p)));
        as_result res = token_of(&w);
        vs_jws jws;
        assert_vs_ok(vs_jws_parse(&w.a, res.token, &jws, &err), &err);
        assert_int_equal(vs_getc(vs_getc(jws.header, "jwk"), "x5c").kind, VS_ARRAY);
        assert_false(vs_defined(vs_getc(jws.header, "kid")));
        (void)token_claims(&w, res.token);
        world_close(&w);
        vs_buf_free(&got);
        vs_buf_free(&want);
        free(key);
        free(chain);
    }
}

static void a_certificate_url_is_told_in_the_jwk(void **state)
{
    (void)state;
    world w;
    const as_config cfg = {.signer_cert_url = "https://as.example/chain.pem"};
    world_open(&w, &cfg);
    assert_span_is(vs_text(vs_getc(as_signer_jwk(w.as), "x5u")), "https://as.example/chain.pem");
    world_close(&w);
}

/* ---- refusals at start ------------------------------------------------------------------------
 */

static vs_code try_start(const as_config *cfg)
{
    world w;
    as_service *as = NULL;
    world_open(&w, NULL);
    vs_code code = as_new(cfg, w.store, w.rv, &w.trust, &as, NULL);
    as_free(&as);
    world_close(&w);
    return code;
}

static void a_signer_that_cannot_sign_es256_stops_the_start(void **state)
{
    (void)state;
    static const vs_key_type types[] = {VS_KEY_P384, VS_KEY_P521, VS_KEY_ED25519};
    for (size_t i = 0; i < VS_COUNT(types); i++) {
        char path[] = "/tmp/vs-signer-test-XXXXXX";
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        vs_error err = {0};
        vs_key *key = NULL;
        vs_buf pem = VS_BUF(1 << 16);
        assert_vs_ok(vs_key_generate(types[i], &key, &err), &err);
        assert_vs_ok(vs_key_to_pem(&pem, key, true, &err), &err);
        assert_vs_ok(vs_write_fd(fd, vs_buf_span(&pem), &err), &err);
        const as_config cfg = {.signer_key_path = path};
        assert_vs_code(try_start(&cfg), VS_E_INVALID);
        vs_buf_free(&pem);
        vs_key_free(&key);
        (void)close(fd);
        (void)unlink(path);
    }
    const as_config missing = {.signer_key_path = "/nonexistent/key.pem"};
    assert_int_not_equal(try_start(&missing), VS_OK);
}

static void a_certificate_of_another_key_stops_the_start(void **state)
{
    (void)state;
    need_shared("data/ear/as-signer-chain.pem");
    char *key = strdup(shared_path("data/ear/jwk-fixture/signing-key.pem"));
    char *chain = strdup(shared_path("data/ear/as-signer-chain.pem"));
    const as_config cfg = {.signer_key_path = key, .signer_cert_path = chain};
    vs_code code = try_start(&cfg);
    free(key);
    free(chain);
    assert_int_equal(code, VS_E_MISMATCH);
}

static void senseless_settings_stop_the_start(void **state)
{
    (void)state;
    const as_config bad[] = {{.duration_min = -1}, {.duration_min = INT64_MAX},
                             {.issuer_name = ""},  {.developer_name = ""},
                             {.build_name = ""},   {.profile_name = ""}};
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_vs_code(try_start(&bad[i]), VS_E_INVALID);
}

/* ---- limits ------------------------------------------------------------------------------------
 */

static void out_of_memory_is_an_error_at_every_cap(void **state)
{
    world *w = *state;
    as_request r = sample_request(w, "sample", runtime);
    bool passed = false;
    for (size_t cap = 1024; !passed && cap < (16 << 20); cap *= 2) {
        vs_arena small;
        vs_error err = {0};
        as_result res;
        vs_arena_init(&small, cap);
        vs_code code = as_evaluate(w->as, &r, 1, VS_LIT("default"), NOW, &small, &res, &err);
        passed = code == VS_OK;
        if (!passed && code != VS_E_NOMEM && code != VS_E_LIMIT)
            fail_msg("cap %zu: %s", cap, vs_code_name(code));
        vs_arena_free(&small);
    }
    assert_true(passed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_come_in_the_order_of_trustee),
        cmocka_unit_test(the_signer_key_survives_a_restart_and_is_shared_by_replicas),
        cmocka_unit_test(a_configured_signer_gives_the_jwk_set_of_trustee),
        cmocka_unit_test(a_certificate_url_is_told_in_the_jwk),
        cmocka_unit_test(a_signer_that_cannot_sign_es256_stops_the_start),
        cmocka_unit_test(a_certificate_of_another_key_stops_the_start),
        cmocka_unit_test(senseless_settings_stop_the_start),
        cmocka_unit_test(out_of_memory_is_an_error_at_every_cap),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
