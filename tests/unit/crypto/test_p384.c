/* SPDX-License-Identifier: Apache-2.0 */
/* Corner cases of ECDSA on P-384 (p384_vectors.py has them and says how they are made), each
 * against every back end that was built. */
#include "crypto/helpers.h"

#include <openssl/err.h>

#include "crypto/ecdsa.h"

enum { LINE_MAX_BYTES = 2048, VECTORS_MIN = 700 };

typedef struct vector {
    const char *name, *result;
    vs_span key, digest, rs;
} vector;

static bool openssl_point(vs_span point, vs_span digest, vs_span rs)
{
    VS_CLEANUP(vs_key_free) vs_key *k = NULL;
    bool ok = vs_key_from_point(VS_KEY_P384, point, &k, NULL) == VS_OK && rs.n == 96 &&
              vs_ecdsa_openssl(k, digest, rs);
    ERR_clear_error();
    return ok;
}

static const struct back_end {
    const char *name;
    bool (*verify)(vs_span point, vs_span digest, vs_span rs);
} back_ends[] = {
    {"openssl", openssl_point},
#ifdef VS_WITH_NETTLE
    {"nettle", vs_p384_nettle_point},
#endif
};

static vs_span field(char **rest)
{
    const char *text = strsep(rest, " ");
    assert_non_null(text);
    return hex(strcmp(text, "-") == 0 ? "" : text);
}

/* False at the end. */
static bool next_vector(FILE *f, char text[LINE_MAX_BYTES], vector *v)
{
    if (!fgets(text, LINE_MAX_BYTES, f))
        return false;
    text[strcspn(text, "\n")] = 0;
    char *rest = text;
    v->name = strsep(&rest, " ");
    v->key = field(&rest);
    v->digest = field(&rest);
    v->rs = field(&rest);
    v->result = rest;
    assert_non_null(rest);
    return true;
}

/* The key's import and the function that the product calls. */
static void check_product(const vector *v)
{
    VS_CLEANUP(vs_key_free) vs_key *k = NULL;
    vs_code code = vs_key_from_point(VS_KEY_P384, v->key, &k, &err);
    if (strcmp(v->result, "bad-key") == 0) {
        if (code != VS_E_INVALID)
            fail_msg("%s: a bad key was taken", v->name);
        return;
    }
    assert_vs_ok(code, &err);
    bool good = strcmp(v->result, "valid") == 0;
    if (vs_ecdsa_verify(k, v->digest, v->rs, &err) != (good ? VS_OK : VS_E_CRYPTO))
        fail_msg("%s: expected %s", v->name, v->result);
    if (ERR_peek_error() != 0)
        fail_msg("%s: OpenSSL's error queue is not empty", v->name);
}

static void every_vector_has_its_result_with_every_back_end(void **state)
{
    (void)state;
    char text[LINE_MAX_BYTES];
    vector v;
    size_t n = 0;
    const char *other = getenv("VS_P384_VECTORS"); /* tests/differential/wycheproof.sh */
    FILE *f = fopen(other ? other : VS_P384_VECTORS, "re");
    assert_non_null(f);
    for (; next_vector(f, text, &v); n++, vs_arena_reset(&arena)) {
        for (size_t b = 0; b < VS_COUNT(back_ends); b++)
            if (back_ends[b].verify(v.key, v.digest, v.rs) != (strcmp(v.result, "valid") == 0))
                fail_msg("%s: %s does not say %s", v.name, back_ends[b].name, v.result);
        check_product(&v);
    }
    (void)fclose(f);
    assert_true(n >= (other ? 1 : VECTORS_MIN));
    print_message("# %zu vectors, %zu back ends, the product uses %s\n", n, VS_COUNT(back_ends),
                  vs_p384_name);
}

/* What a back end is given for longer digests than the order is FIPS 186-5's leftmost bits. */
static void only_the_first_48_bytes_of_a_digest_count(void **state)
{
    (void)state;
    VS_CLEANUP(vs_key_free) vs_key *k = fresh_key(VS_KEY_P384);
    VS_CLEANUP(vs_buf_free) vs_buf rs = VS_BUF(256);
    uint8_t digest[64], point[133];
    size_t point_n;
    memset(digest, 0xa5, sizeof digest);
    assert_vs_ok(vs_ecdsa_sign(k, vs_span_of(digest, 48), &rs, &err), &err);
    assert_vs_ok(vs_key_point(k, point, &point_n, &err), &err);
    for (size_t b = 0; b < VS_COUNT(back_ends); b++) {
        vs_span key = vs_span_of(point, point_n), all = vs_span_of(digest, sizeof digest);
        assert_true(back_ends[b].verify(key, all, vs_buf_span(&rs)));
        flip(digest, 48 * 8);
        assert_true(back_ends[b].verify(key, all, vs_buf_span(&rs)));
        flip(digest, 48 * 8 - 1);
        assert_false(back_ends[b].verify(key, all, vs_buf_span(&rs)));
        flip(digest, 48 * 8 - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_arena(every_vector_has_its_result_with_every_back_end),
        in_arena(only_the_first_48_bytes_of_a_digest_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
