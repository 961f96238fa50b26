/* SPDX-License-Identifier: Apache-2.0 */
/* Which tokens count. The file under test is included: its inner checks have vectors of their own.
 */
#include "as/as_fixture.h"

#include "kbs/token.c"

/* 2026-09-21: within the validity of all certificates of the vectors. */
#define WHEN INT64_C(1790000000)

typedef struct fixture {
    world w;
    kbs_trust trust;
    vs_key *signer; /* trusted under kid "k1" */
    kbs_sources *sources;
    kbs_source *keys;
} fixture;

static vs_code read_set(vs_span text, kbs_keys *out, vs_error *err)
{
    return kbs_read_jwk_set(text, false, out, err);
}

static void trust_signer(fixture *f)
{
    vs_error err = {0};
    vs_val jwk;
    vs_buf text = VS_BUF(4096);
    char path[] = "/tmp/vs-token-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_vs_ok(vs_key_to_jwk(&f->w.a, f->signer, "ES256", &jwk, &err), &err);
    vs_buf_puts(&text, "{\"keys\":[");
    vs_json_print(&text, vs_with(&f->w.a, jwk, vs_cstring("kid"), vs_cstring("k1")));
    vs_buf_puts(&text, "]}");
    assert_vs_ok(vs_write_fd(fd, vs_buf_span(&text), &err), &err);
    (void)close(fd);
    vs_buf_free(&text);
    assert_vs_ok(kbs_sources_new(&(kbs_sources_config){0}, &f->sources, &err), &err);
    assert_vs_ok(kbs_sources_add(f->sources, path, read_set, false, &f->keys, &err), &err);
    (void)unlink(path);
    f->trust.sources = &f->keys;
    f->trust.n_sources = 1;
}

static int setup(void **state)
{
    vs_error err = {0};
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    world_open(&f->w, NULL);
    assert_vs_ok(vs_key_generate(VS_KEY_P256, &f->signer, &err), &err);
    trust_signer(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    vs_certs_free(&f->trust.anchors);
    vs_key_free(&f->signer);
    vs_key_free(&f->trust.own);
    kbs_sources_free(&f->sources);
    world_close(&f->w);
    free(f);
    return 0;
}

static vs_certs *anchors(const char *file)
{
    vs_error err = {0};
    vs_certs *c = NULL;
    vs_buf pem = VS_BUF(1 << 16);
    read_shared(file, &pem);
    assert_vs_ok(vs_certs_from_pem(vs_buf_span(&pem), &c, &err), &err);
    vs_buf_free(&pem);
    return c;
}

static vs_code verify_at(fixture *f, vs_span token, int64_t now)
{
    vs_val claims;
    return kbs_token_verify(&f->trust, vs_span_trim(token), now, &f->w.a, &claims, NULL);
}

/* ---- the vectors
 * ---------------------------------------------------------------------------------- */

static void reference_tokens_are_accepted_and_refused_as_stated(void **state)
{
    static const struct {
        const char *file;
        vs_code with_ca, with_header_jwk, with_nothing;
    } cases[] = {
        {"data/ear/ear-cca-affirming.jwt", VS_OK, VS_OK, VS_E_UNTRUSTED},
        {"data/ear/ear-cca-contraindicated.jwt", VS_OK, VS_OK, VS_E_UNTRUSTED},
        {"data/ear/ear-cca-expired.jwt", VS_E_EXPIRED, VS_E_EXPIRED, VS_E_UNTRUSTED},
        {"data/ear/ear-cca-no-x5c.jwt", VS_E_UNTRUSTED, VS_OK, VS_E_UNTRUSTED},
        {"data/ear/ear-cca-badsig.jwt", VS_E_CRYPTO, VS_E_CRYPTO, VS_E_UNTRUSTED},
    };
    fixture *f = *state;
    need_shared(cases[0].file);
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        vs_buf token = VS_BUF(1 << 16);
        read_shared(cases[i].file, &token);
        assert_vs_code(verify_at(f, vs_buf_span(&token), WHEN), cases[i].with_nothing);
        f->trust.anchors = anchors("data/ear/as-ca.pem");
        assert_vs_code(verify_at(f, vs_buf_span(&token), WHEN), cases[i].with_ca);
        vs_certs_free(&f->trust.anchors);
        f->trust.header_jwk = true;
        assert_vs_code(verify_at(f, vs_buf_span(&token), WHEN), cases[i].with_header_jwk);
        f->trust.header_jwk = false;
        vs_buf_free(&token);
    }
}

static void every_truncation_of_a_token_is_refused(void **state)
{
    fixture *f = *state;
    need_shared("data/ear/ear-cca-affirming.jwt");
    vs_buf token = VS_BUF(1 << 16);
    read_shared("data/ear/ear-cca-affirming.jwt", &token);
    f->trust.header_jwk = true;
    vs_span whole = vs_span_trim(vs_buf_span(&token));
    for (size_t n = 0; n < whole.n; n++) {
        vs_arena a;
        vs_val claims;
        vs_arena_init(&a, 0);
        assert_int_not_equal(
            kbs_token_verify(&f->trust, vs_span_head(whole, n), WHEN, &a, &claims, NULL), VS_OK);
        vs_arena_free(&a);
    }
    vs_buf_free(&token);
}

static void header_keys_count_only_with_a_chain_that_holds(void **state)
{
    static const struct {
        const char *number;
        bool good;
    } cases[] = {{"01", true}, {"02", false}, {"03", false}, {"04", false},
                 {"05", true}, {"06", true},  {"07", true}};
    fixture *f = *state;
    need_shared("data/kbs/jwk-endorsement/scenario01-jwk.json");
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        vs_error err = {0};
        char path[128];
        VS_CLEANUP(verifier_free) verifier v = {0};
        vs_buf jwk = VS_BUF(1 << 16);
        (void)snprintf(path, sizeof path, "data/kbs/jwk-endorsement/scenario%s-jwk.json",
                       cases[i].number);
        read_shared(path, &jwk);
        (void)snprintf(path, sizeof path, "data/kbs/jwk-endorsement/scenario%s-trust.pem",
                       cases[i].number);
        f->trust.anchors = anchors(path);
        vs_code code =
            key_from_header(&f->trust, json(&f->w, (const char *)jwk.p), WHEN, &f->w.a, &v, &err);
        if ((code == VS_OK) != cases[i].good) {
            char text[VS_ERROR_TEXT];
            fail_msg("scenario %s: %s %s", cases[i].number, vs_code_name(code),
                     vs_error_text(&err, text, sizeof text));
        }
        vs_certs_free(&f->trust.anchors);
        vs_buf_free(&jwk);
    }
}

/* ---- tokens made here
 * ----------------------------------------------------------------------------- */

static vs_span sign(fixture *f, const vs_key *key, vs_alg alg, const char *header,
                    const char *claims)
{
    vs_error err = {0};
    vs_buf out = VS_BUF(1 << 16);
    assert_vs_ok(vs_jws_sign(&out, key, alg, vs_str(header), vs_str(claims), &err), &err);
    vs_span token = vs_dup(&f->w.a, vs_buf_span(&out));
    vs_buf_free(&out);
    return token;
}

#define HEADER "{\"alg\":\"ES256\",\"kid\":\"k1\"}"

static vs_code verify_claims(fixture *f, const char *header, const char *claims)
{
    return verify_at(f, sign(f, f->signer, VS_ES256, header, claims), WHEN);
}

static void a_key_of_the_trusted_sets_is_found_by_its_id(void **state)
{
    fixture *f = *state;
    static const char claims[] = "{\"exp\":1790000001}";
    assert_vs_code(verify_claims(f, HEADER, claims), VS_OK);
    assert_vs_code(verify_claims(f, "{\"alg\":\"ES256\",\"kid\":\"k2\"}", claims), VS_E_UNTRUSTED);
    assert_vs_code(verify_claims(f, "{\"alg\":\"ES256\",\"kid\":\"\"}", claims), VS_E_UNTRUSTED);
    assert_vs_code(verify_claims(f, "{\"alg\":\"ES256\",\"kid\":1}", claims), VS_E_UNTRUSTED);
    assert_vs_code(verify_claims(f, "{\"alg\":\"ES256\"}", claims), VS_E_UNTRUSTED);
    f->trust.header_jwk = true; /* does not help a token without a key in its header */
    assert_vs_code(verify_claims(f, "{\"alg\":\"ES256\"}", claims), VS_E_UNTRUSTED);
}

static void expiry_is_required_and_has_a_minute_of_leeway(void **state)
{
    fixture *f = *state;
    assert_vs_code(verify_claims(f, HEADER, "{\"exp\":1789999941}"), VS_OK);
    assert_vs_code(verify_claims(f, HEADER, "{\"exp\":1789999000}"), VS_E_EXPIRED);
    assert_vs_code(verify_claims(f, HEADER, "{}"), VS_E_INVALID);
    assert_vs_code(verify_claims(f, HEADER, "{\"exp\":\"1790000001\"}"), VS_E_INVALID);
    assert_int_not_equal(verify_claims(f, HEADER, "[]"), VS_OK);
    assert_int_not_equal(verify_claims(f, HEADER, "{\"exp\":1790000001"), VS_OK);
    assert_int_not_equal(verify_claims(f, HEADER, "{\"exp\":1,\"exp\":1790000001}"), VS_OK);
}

static void headers_that_ask_for_something_else_are_refused(void **state)
{
    static const char *const headers[] = {
        "{\"alg\":\"none\",\"kid\":\"k1\"}",
        "{\"alg\":\"None\",\"kid\":\"k1\"}",
        "{\"alg\":\"HS256\",\"kid\":\"k1\"}",
        "{\"alg\":\"ES384\",\"kid\":\"k1\"}",
        "{\"alg\":\"ES512\",\"kid\":\"k1\"}",
        "{\"alg\":\"RS256\",\"kid\":\"k1\"}",
        "{\"kid\":\"k1\"}",
        "{\"alg\":\"ES256\",\"kid\":\"k1\",\"crit\":[\"exp\"],\"exp\":1}",
        "{\"alg\":\"ES256\",\"kid\":\"k1\",\"crit\":[]}",
        "{\"alg\":\"ES256\",\"kid\":\"k1\",\"b64\":false,\"crit\":[\"b64\"]}",
        "{\"alg\":\"ES256\",\"alg\":\"ES256\",\"kid\":\"k1\"}",
    };
    fixture *f = *state;
    for (size_t i = 0; i < VS_COUNT(headers); i++) {
        if (verify_claims(f, headers[i], "{\"exp\":1790000001}") == VS_OK)
            fail_msg("accepted: %s", headers[i]);
    }
}

static void unsigned_tokens_are_refused(void **state)
{
    fixture *f = *state;
    f->trust.header_jwk = true;
    /* {"alg":"none"} {"exp":4070908800} */
    assert_int_not_equal(
        verify_at(f, VS_LIT("eyJhbGciOiJub25lIn0.eyJleHAiOjQwNzA5MDg4MDB9."), WHEN), VS_OK);
    assert_int_not_equal(verify_at(f, VS_LIT("eyJhbGciOiJub25lIn0.eyJleHAiOjQwNzA5MDg4MDB9"), WHEN),
                         VS_OK);
    assert_int_not_equal(verify_at(f, VS_LIT(""), WHEN), VS_OK);
    assert_int_not_equal(verify_at(f, VS_LIT(".."), WHEN), VS_OK);
}

static void a_trusted_key_id_does_not_cover_another_key(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    vs_key *stranger = NULL;
    assert_vs_ok(vs_key_generate(VS_KEY_P256, &stranger, &err), &err);
    assert_vs_code(verify_at(f, sign(f, stranger, VS_ES256, HEADER, "{\"exp\":1790000001}"), WHEN),
                   VS_E_CRYPTO);
    vs_key_free(&stranger);
}

static const char *header_with(fixture *f, vs_val jwk)
{
    vs_buf out = VS_BUF(1 << 16);
    vs_buf_puts(&out, "{\"alg\":\"ES256\",\"jwk\":");
    vs_json_print(&out, jwk);
    vs_buf_puts(&out, "}");
    const char *text = vs_sprintf(&f->w.a, "%.*s", VS_FMT(vs_buf_span(&out)));
    vs_buf_free(&out);
    return text;
}

static void only_the_own_services_key_counts_without_configuration(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    vs_val own, no_alg, other;
    vs_key *stranger = NULL;
    assert_vs_ok(vs_key_generate(VS_KEY_P256, &stranger, &err), &err);
    assert_vs_ok(vs_key_to_jwk(&f->w.a, f->signer, "ES256", &own, &err), &err);
    assert_vs_ok(vs_key_to_jwk(&f->w.a, f->signer, NULL, &no_alg, &err), &err);
    assert_vs_ok(vs_key_to_jwk(&f->w.a, stranger, "ES256", &other, &err), &err);
    f->trust.n_sources = 0;
    f->trust.own_jwk = own;
    assert_vs_ok(vs_key_from_jwk(own, false, true, &f->trust.own, NULL, &err), &err);
    static const char claims[] = "{\"exp\":1790000001}";
    assert_vs_code(verify_claims(f, header_with(f, own), claims), VS_OK);
    assert_vs_code(verify_claims(f, header_with(f, no_alg), claims), VS_E_UNTRUSTED);
    assert_vs_code(verify_at(f, sign(f, stranger, VS_ES256, header_with(f, own), claims), WHEN),
                   VS_E_CRYPTO);
    assert_vs_code(verify_at(f, sign(f, stranger, VS_ES256, header_with(f, other), claims), WHEN),
                   VS_E_UNTRUSTED);
    /* In the insecure mode the stranger counts, but still not without "alg", and never a secret
     * key. */
    f->trust.header_jwk = true;
    assert_vs_code(verify_at(f, sign(f, stranger, VS_ES256, header_with(f, other), claims), WHEN),
                   VS_OK);
    assert_int_not_equal(verify_claims(f, header_with(f, no_alg), claims), VS_OK);
    assert_int_not_equal(
        verify_claims(f, header_with(f, json(&f->w, "{\"kty\":\"oct\",\"k\":\"AAAA\"}")), claims),
        VS_OK);
    vs_key_free(&stranger);
}

/* ---- the TEE's key
 * -------------------------------------------------------------------------------- */

static void the_tee_key_is_the_first_one_found(void **state)
{
#define K(n) "{'kty': 'AKP', 'alg': 'A', 'pub': '" n "', 'kid': 'x'}"
    static const struct {
        const char *claims, *pub; /* NULL = refused */
    } cases[] = {
        {"{'tee-pubkey': " K("1") "}", "1"},
        {"{'submods': {'cpu0': {'ear.veraison.annotated-evidence': {'runtime_data_claims': "
         "{'tee-pubkey': " K("2") "}}}}, 'tee-pubkey': " K("1") "}",
         "2"},
        {"{'customized_claims': {'runtime_data': {'tee-pubkey': " K("3") "}}, 'tee-pubkey': " K(
             "1") "}",
         "3"},
        {"{'tdx': {'attester_user_data': {'tee-pubkey': " K("4") "}, 'attester_runtime_data': "
                                                                 "{'tee-pubkey': " K("5") "}}}",
         "5"},
        {"{'mine': {'key': " K("6") "}, 'tee-pubkey': " K("1") "}", "6"},
        {"{'mine': {'key': 'wrong shape'}, 'tee-pubkey': " K("1") "}", NULL},
        {"{'submods': {'cpu1': {'ear.veraison.annotated-evidence': {'runtime_data_claims': "
         "{'tee-pubkey': " K("2") "}}}}}",
         NULL},
        {"{}", NULL},
    };
    static const char *const extra[] = {"/mine/key"};
    fixture *f = *state;
    const kbs_config cfg = {.extra_teekey_paths = extra, .n_extra_teekey_paths = 1};
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        vs_val jwk;
        vs_code code = kbs_token_tee_key(&cfg, json1(&f->w, cases[i].claims), &f->w.a, &jwk, NULL);
        assert_int_equal(code == VS_OK, cases[i].pub != NULL);
        if (cases[i].pub) {
            assert_span_is(vs_text(vs_getc(jwk, "pub")), cases[i].pub);
            assert_int_equal(jwk.len, 3);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(reference_tokens_are_accepted_and_refused_as_stated),
        T(every_truncation_of_a_token_is_refused),
        T(header_keys_count_only_with_a_chain_that_holds),
        T(a_key_of_the_trusted_sets_is_found_by_its_id),
        T(expiry_is_required_and_has_a_minute_of_leeway),
        T(headers_that_ask_for_something_else_are_refused),
        T(unsigned_tokens_are_refused),
        T(a_trusted_key_id_does_not_cover_another_key),
        T(only_the_own_services_key_counts_without_configuration),
        T(the_tee_key_is_the_first_one_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
