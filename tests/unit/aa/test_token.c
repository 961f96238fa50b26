/* SPDX-License-Identifier: Apache-2.0 */
/* How long the agent hands out the same token. */
#include "testing.h"

#include "aa/token.h"
#include "envelope/jose.h"
#include "value/json.h"

enum { NOW = 1800000000 };

static const vs_span nobody;

/* A token that runs out at `exp`; 0 = it does not say. */
static void token_until(vs_buf *out, const vs_key *key, int64_t exp)
{
    char payload[64];
    vs_error err = {0};
    (void)snprintf(payload, sizeof payload, exp ? "{\"exp\":%lld}" : "{}", (long long)exp);
    assert_vs_ok(
        vs_jws_sign(out, key, VS_ES256, VS_LIT("{\"alg\":\"ES256\"}"), vs_str(payload), &err),
        &err);
}

static void keep(aa_token_cache *c, vs_key_type type, int64_t exp)
{
    VS_CLEANUP(vs_key_free) vs_key *signer = NULL, *key = NULL;
    VS_CLEANUP(vs_buf_free) vs_buf token = VS_BUF(4096);
    vs_error err = {0};
    assert_vs_ok(vs_key_generate(VS_KEY_P256, &signer, &err), &err);
    assert_vs_ok(vs_key_generate(type, &key, &err), &err);
    token_until(&token, signer, exp);
    assert_vs_ok(aa_token_keep(c, vs_buf_span(&token), key, NOW, &err), &err);
}

static void a_token_is_good_until_shortly_before_its_end(void **state)
{
    (void)state;
    aa_token_cache c = {0};
    aa_token_forget(&c);
    assert_int_equal(aa_token_look(&c, nobody, NOW), AA_TOKEN_NONE);
    keep(&c, VS_KEY_P256, NOW + 300);
    assert_int_equal(aa_token_look(&c, nobody, NOW), AA_TOKEN_GOOD);
    assert_int_equal(aa_token_look(&c, nobody, NOW + 239), AA_TOKEN_GOOD);
    assert_int_equal(aa_token_look(&c, nobody, NOW + 241), AA_TOKEN_STALE);
    assert_int_equal(aa_token_look(&c, nobody, NOW + 299), AA_TOKEN_STALE);
    assert_int_equal(aa_token_look(&c, nobody, NOW + 300), AA_TOKEN_NONE);
    assert_int_equal(aa_token_look(&c, nobody, NOW - 1), AA_TOKEN_NONE); /* the clock went back */
    keep(&c, VS_KEY_P256, NOW + 40);
    assert_int_equal(aa_token_look(&c, nobody, NOW + 29), AA_TOKEN_GOOD);
    assert_int_equal(aa_token_look(&c, nobody, NOW + 31), AA_TOKEN_STALE);
    aa_token_forget(&c);
}

static void a_token_without_an_end_is_not_kept(void **state)
{
    (void)state;
    aa_token_cache c = {0};
    aa_token_forget(&c);
    keep(&c, VS_KEY_P256, 0);
    assert_int_equal(aa_token_look(&c, nobody, NOW), AA_TOKEN_NONE);
    aa_token_forget(&c);
}

static void who_asks_again_at_once_was_refused(void **state)
{
    (void)state;
    aa_token_cache c = {0};
    aa_token_forget(&c);
    keep(&c, VS_KEY_P256, NOW + 300);
    c.given = NOW + 1;
    assert_int_equal(aa_token_look(&c, nobody, NOW + 2), AA_TOKEN_GOOD); /* it is fresh */
    c.given = NOW + 100;
    assert_int_equal(aa_token_look(&c, nobody, NOW + 101), AA_TOKEN_STALE);
    assert_int_equal(aa_token_look(&c, nobody, NOW + 102), AA_TOKEN_GOOD);
    aa_token_forget(&c);
}

static void a_token_that_was_refused_is_not_handed_out_again(void **state)
{
    (void)state;
    aa_token_cache c = {0};
    aa_token_forget(&c);
    keep(&c, VS_KEY_P256, NOW + 300);
    uint8_t other[AA_TOKEN_DIGEST] = {1};
    assert_int_equal(aa_token_look(&c, vs_span_of(c.digest, sizeof c.digest), NOW), AA_TOKEN_NONE);
    assert_int_equal(aa_token_look(&c, vs_span_of(other, sizeof other), NOW), AA_TOKEN_GOOD);
    assert_int_equal(aa_token_look(&c, vs_span_of(c.digest, 31), NOW), AA_TOKEN_GOOD);
    aa_token_forget(&c);
}

static void what_is_handed_out_is_json_with_a_key_that_others_read(void **state)
{
    (void)state;
    static const struct {
        vs_key_type type;
        const char *begin;
    } cases[] = {{VS_KEY_P256, "-----BEGIN PRIVATE KEY-----\n"},
                 {VS_KEY_P521, "-----BEGIN PRIVATE KEY-----\n"},
                 {VS_KEY_RSA, "-----BEGIN RSA PRIVATE KEY-----\n"}};
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        VS_CLEANUP(vs_arena_wipe) vs_arena a;
        vs_arena_init(&a, 0);
        VS_CLEANUP(vs_key_free) vs_key *key = NULL;
        vs_error err = {0};
        vs_val doc, token, pem;
        aa_token_cache c = {0};
        aa_token_forget(&c);
        keep(&c, cases[i].type, NOW + 300);
        assert_vs_ok(vs_json_parse(&a, vs_buf_span(&c.json), NULL, &doc, &err), &err);
        assert_vs_ok(vs_need(doc, "token", VS_STRING, &token, &err), &err);
        assert_vs_ok(vs_need(doc, "tee_keypair", VS_STRING, &pem, &err), &err);
        assert_true(vs_span_starts(vs_text(pem), vs_str(cases[i].begin)));
        assert_vs_ok(vs_key_from_pem(vs_text(pem), true, &key, &err), &err);
        assert_int_equal(vs_key_kind(key), cases[i].type);
        aa_token_forget(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_good_until_shortly_before_its_end),
        cmocka_unit_test(a_token_without_an_end_is_not_kept),
        cmocka_unit_test(who_asks_again_at_once_was_refused),
        cmocka_unit_test(a_token_that_was_refused_is_not_handed_out_again),
        cmocka_unit_test(what_is_handed_out_is_json_with_a_key_that_others_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
