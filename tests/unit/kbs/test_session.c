/* SPDX-License-Identifier: Apache-2.0 */
/* The sealed cookie and the record behind it. */
#include "as/as_fixture.h"

#include "base/io.h"
#include "kbs/internal.h"

typedef struct fixture {
    kbs k; /* only its store is used here */
    vs_arena a;
    kbs_seal seal;
    kbs_session s;
    vs_buf cookie;
} fixture;

static int setup(void **state)
{
    vs_error err = {0};
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    vs_arena_init(&f->a, 0);
    assert_vs_ok(vs_store_open_memory(&f->k.store, &err), &err);
    assert_vs_ok(kbs_seal_load(&f->seal, f->k.store, &err), &err);
    f->s =
        (kbs_session){.issued = NOW, .expires = NOW + 300, .hash = VS_SHA512, .tee = "az-snp-vtpm"};
    vs_random(f->s.id, sizeof f->s.id);
    vs_random(f->s.nonce, sizeof f->s.nonce);
    f->cookie = (vs_buf)VS_BUF(1024);
    assert_vs_ok(kbs_session_seal(&f->seal, &f->s, &f->cookie, &err), &err);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    vs_store_close(&f->k.store);
    vs_buf_free(&f->cookie);
    vs_arena_free(&f->a);
    free(f);
    return 0;
}

static void a_session_comes_back_as_it_was_sealed(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    kbs_session got;
    assert_vs_ok(kbs_session_unseal(&f->seal, vs_buf_span(&f->cookie), NOW, &got, &err), &err);
    assert_memory_equal(got.id, f->s.id, sizeof got.id);
    assert_memory_equal(got.nonce, f->s.nonce, sizeof got.nonce);
    assert_int_equal(got.issued, NOW);
    assert_int_equal(got.expires, NOW + 300);
    assert_int_equal(got.hash, VS_SHA512);
    assert_string_equal(got.tee, "az-snp-vtpm");
    assert_true(f->cookie.n < 1024);
}

static void every_bit_of_a_cookie_counts(void **state)
{
    fixture *f = *state;
    kbs_session got;
    for (size_t bit = 0; bit < f->cookie.n * 8; bit++) {
        f->cookie.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        vs_code code = kbs_session_unseal(&f->seal, vs_buf_span(&f->cookie), NOW, &got, NULL);
        f->cookie.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (code == VS_OK)
            fail_msg("bit %zu does not count", bit);
        assert_int_equal(got.tee[0], 0);
    }
}

static void a_cut_or_lengthened_cookie_is_refused(void **state)
{
    fixture *f = *state;
    kbs_session got;
    for (size_t n = 0; n < f->cookie.n; n++)
        assert_int_not_equal(
            kbs_session_unseal(&f->seal, vs_span_head(vs_buf_span(&f->cookie), n), NOW, &got, NULL),
            VS_OK);
    vs_buf_puts(&f->cookie, "AAAA");
    assert_int_not_equal(kbs_session_unseal(&f->seal, vs_buf_span(&f->cookie), NOW, &got, NULL),
                         VS_OK);
    vs_buf big = VS_BUF(1 << 20);
    for (size_t i = 0; i < 100000; i++)
        vs_buf_puts(&big, "AAAA");
    assert_int_not_equal(kbs_session_unseal(&f->seal, vs_buf_span(&big), NOW, &got, NULL), VS_OK);
    vs_buf_free(&big);
}

static void a_cookie_is_worth_nothing_after_its_time(void **state)
{
    fixture *f = *state;
    kbs_session got;
    assert_vs_code(kbs_session_unseal(&f->seal, vs_buf_span(&f->cookie), NOW + 299, &got, NULL),
                   VS_OK);
    assert_vs_code(kbs_session_unseal(&f->seal, vs_buf_span(&f->cookie), NOW + 300, &got, NULL),
                   VS_E_EXPIRED);
    assert_vs_code(kbs_session_unseal(&f->seal, vs_buf_span(&f->cookie), INT64_MAX, &got, NULL),
                   VS_E_EXPIRED);
}

static void another_installation_cannot_open_it_but_a_replica_can(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    kbs_session got;
    kbs_seal replica, stranger;
    vs_store *other = NULL;
    assert_vs_ok(kbs_seal_load(&replica, f->k.store, &err), &err);
    assert_vs_code(kbs_session_unseal(&replica, vs_buf_span(&f->cookie), NOW, &got, NULL), VS_OK);
    assert_vs_ok(vs_store_open_memory(&other, &err), &err);
    assert_vs_ok(kbs_seal_load(&stranger, other, &err), &err);
    assert_vs_code(kbs_session_unseal(&stranger, vs_buf_span(&f->cookie), NOW, &got, NULL),
                   VS_E_CRYPTO);
    vs_store_close(&other);
}

static void no_two_cookies_are_alike(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    vs_buf again = VS_BUF(1024);
    assert_vs_ok(kbs_session_seal(&f->seal, &f->s, &again, &err), &err);
    assert_false(vs_span_eq(vs_buf_span(&again), vs_buf_span(&f->cookie)));
    vs_buf_free(&again);
}

/* ---- the record of an attested session
 * ----------------------------------------------------------- */

static void a_session_gets_one_token_for_its_life(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    vs_span token;
    assert_vs_code(kbs_session_token(&f->k, &f->s, NOW, &f->a, &token, &err), VS_E_NOT_FOUND);
    assert_vs_ok(kbs_session_attested(&f->k, &f->s, VS_LIT("one"), NOW + 1000, &err), &err);
    assert_vs_code(kbs_session_attested(&f->k, &f->s, VS_LIT("two"), NOW + 1000, &err),
                   VS_E_EXISTS);
    assert_vs_ok(kbs_session_token(&f->k, &f->s, NOW, &f->a, &token, &err), &err);
    assert_span_is(token, "one");
    assert_vs_ok(kbs_session_token(&f->k, &f->s, NOW + 299, &f->a, &token, &err), &err);
    assert_vs_code(kbs_session_token(&f->k, &f->s, NOW + 301, &f->a, &token, &err), VS_E_NOT_FOUND);
}

static void a_session_does_not_outlive_its_token(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    vs_span token;
    assert_vs_ok(kbs_session_attested(&f->k, &f->s, VS_LIT("one"), NOW + 10, &err), &err);
    assert_vs_code(kbs_session_token(&f->k, &f->s, NOW + 11, &f->a, &token, &err), VS_E_NOT_FOUND);
}

static vs_code remember(void *user, vs_span key)
{
    vs_buf_put(user, key);
    return VS_OK;
}

static void a_record_changed_in_the_store_is_refused(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    vs_span token;
    vs_buf key = VS_BUF(256), record = VS_BUF(1024);
    assert_vs_ok(kbs_session_attested(&f->k, &f->s, VS_LIT("token"), NOW + 1000, &err), &err);
    assert_vs_ok(vs_store_list(f->k.store, KBS_NS_SESSION, remember, &key, &err), &err);
    assert_vs_ok(vs_store_get(f->k.store, KBS_NS_SESSION, vs_buf_span(&key), 0, &record, &err),
                 &err);
    for (size_t i = 0; i < record.n; i++) {
        record.p[i] ^= 1;
        assert_vs_ok(vs_store_put(f->k.store, KBS_NS_SESSION, vs_buf_span(&key),
                                  vs_buf_span(&record), 0, VS_PUT_REPLACE, &err),
                     &err);
        record.p[i] ^= 1;
        assert_int_not_equal(kbs_session_token(&f->k, &f->s, NOW, &f->a, &token, &err), VS_OK);
    }
    vs_buf_free(&key);
    vs_buf_free(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(a_session_comes_back_as_it_was_sealed),
        T(every_bit_of_a_cookie_counts),
        T(a_cut_or_lengthened_cookie_is_refused),
        T(a_cookie_is_worth_nothing_after_its_time),
        T(another_installation_cannot_open_it_but_a_replica_can),
        T(no_two_cookies_are_alike),
        T(a_session_gets_one_token_for_its_life),
        T(a_session_does_not_outlive_its_token),
        T(a_record_changed_in_the_store_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
