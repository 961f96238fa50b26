/* SPDX-License-Identifier: Apache-2.0 */
/* No truncated and no single-bit-changed token verifies; what may change is what nothing protects.
 */
#include "soft_realm.h"

#include <pthread.h>

#include "tee/cca/verify.h"

typedef struct subject {
    soft_realm soft;
    cca_trust *trust;
    vs_buf token;
} subject;

static void subject_start(subject *s, unsigned tag, const char *profile, vs_key_type rak)
{
    *s = (subject){.token = VS_BUF(CCA_TOKEN_MAX)};
    soft_start(&s->soft, VS_KEY_P256, rak);
    s->soft.spec.tag = tag;
    s->soft.spec.n_components = 1; /* short tokens: every bit costs a signature check */
    assert_vs_code(realm_spec_set_profile(&s->soft.spec, profile, NULL), VS_OK);
    soft_trust(&s->soft, &s->trust);
    soft_token(&s->soft, &s->token);
}

static void subject_stop(subject *s)
{
    vs_buf_free(&s->token);
    cca_trust_free(&s->trust);
    soft_stop(&s->soft);
}

/* Decodes and verifies; the token is valid while the arena lives. */
static vs_code verify(const subject *s, vs_span bytes, vs_arena *a, cca_token *t)
{
    cca_snapshot *snapshot = NULL;
    cca_verdict v;
    VS_TRY(cca_token_decode(a, bytes, t, NULL));
    VS_TRY(cca_trust_take(s->trust, &snapshot, NULL));
    vs_code code = cca_verify_chain(&(cca_basis){.snapshot = snapshot, .a = a}, t, &v, NULL);
    cca_snapshot_release(&snapshot);
    return code;
}

/* Payloads hold all claims: the same octets are the same claims. */
static bool same_claims(const cca_token *a, const cca_token *b)
{
    return a->tag == b->tag && vs_span_eq(a->platform_cose.payload, b->platform_cose.payload) &&
           vs_span_eq(a->realm_cose.payload, b->realm_cose.payload) &&
           vs_span_eq(a->platform_cose.protected_bytes, b->platform_cose.protected_bytes) &&
           vs_span_eq(a->realm_cose.protected_bytes, b->realm_cose.protected_bytes);
}

/* The bytes of the unprotected header: after tag, array head and protected bstr, to the payload. */
static bool in_unprotected(const vs_cose_sign1 *m, const uint8_t *at)
{
    const uint8_t *from = m->protected_bytes.p + m->protected_bytes.n;
    return at >= from && at < m->payload.p;
}

/* A share of the bits, for one thread. */
typedef struct walk {
    const subject *s;
    const cca_token *good;
    vs_span token;
    size_t first, step; /* bits */
    size_t accepted;
    size_t wrong; /* a bit that does not matter and should; SIZE_MAX: none */
} walk;

static void flip_one(walk *w, uint8_t *copy, size_t bit, vs_arena *a)
{
    cca_token t;
    copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    vs_arena_reset(a);
    if (verify(w->s, vs_span_of(copy, w->token.n), a, &t) == VS_OK) {
        const uint8_t *at = w->token.p + bit / 8;
        w->accepted++;
        if ((!in_unprotected(&w->good->platform_cose, at) &&
             !in_unprotected(&w->good->realm_cose, at)) ||
            !same_claims(w->good, &t))
            w->wrong = bit;
    }
    copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static void *flip_share(void *user)
{
    walk *w = user;
    vs_arena a;
    vs_arena_init(&a, 0);
    uint8_t *copy = malloc(w->token.n);
    memcpy(copy, w->token.p, w->token.n);
    for (size_t bit = w->first; bit < w->token.n * 8; bit += w->step)
        flip_one(w, copy, bit, &a);
    free(copy);
    vs_arena_free(&a);
    return NULL;
}

/* Flips each bit; returns how many changed tokens verified. None may but for bits of an unprotected
 * header, and with these the claims must be the same. */
static size_t flip_all(const subject *s, vs_span token)
{
    enum { THREADS = 4 };
    vs_arena a;
    vs_arena_init(&a, 0);
    cca_token good;
    walk share[THREADS];
    pthread_t id[THREADS];
    size_t accepted = 0;
    assert_vs_code(verify(s, token, &a, &good), VS_OK);
    for (size_t i = 0; i < THREADS; i++) {
        share[i] = (walk){s, &good, token, i, THREADS, 0, SIZE_MAX};
        assert_int_equal(pthread_create(&id[i], NULL, flip_share, &share[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        (void)pthread_join(id[i], NULL);
        accepted += share[i].accepted;
        if (share[i].wrong != SIZE_MAX)
            fail_msg("bit %zu of byte %zu does not matter", share[i].wrong % 8, share[i].wrong / 8);
    }
    vs_arena_free(&a);
    return accepted;
}

static void cut_everywhere(const subject *s)
{
    vs_arena a;
    vs_arena_init(&a, 0);
    cca_token t;
    for (size_t n = 0; n < s->token.n; n++) {
        uint8_t *exact = malloc(n ? n : 1); /* so that a sanitizer sees every overrun */
        memcpy(exact, s->token.p, n);
        vs_arena_reset(&a);
        assert_int_not_equal(verify(s, vs_span_of(exact, n), &a, &t), VS_OK);
        free(exact);
    }
    vs_arena_free(&a);
}

static void no_cut_and_no_flipped_399_token_verifies(void **state)
{
    (void)state;
    subject s;
    subject_start(&s, CCA_TAG_EAT, "legacy", VS_KEY_P384);
    cut_everywhere(&s);
    assert_int_equal(flip_all(&s, vs_buf_span(&s.token)), 0);
    subject_stop(&s);
}

static void no_cut_and_no_flipped_907_token_verifies(void **state)
{
    (void)state;
    subject s;
    subject_start(&s, CCA_TAG_CMW, "2.0.0", VS_KEY_P256);
    cut_everywhere(&s);
    assert_int_equal(flip_all(&s, vs_buf_span(&s.token)), 0);
    subject_stop(&s);
}

/* The same COSE_Sign1 with {4: kid} in the unprotected header, which was an empty map. */
static void add_kid(const vs_cose_sign1 *m, const char *kid, vs_buf *out)
{
    vs_cbor_put_tag(out, 18);
    vs_cbor_put_array(out, 4);
    vs_cbor_put_bytes(out, m->protected_bytes);
    vs_cbor_put_map(out, 1);
    vs_cbor_put_int(out, 4);
    vs_cbor_put_bytes(out, vs_str(kid));
    vs_cbor_put_bytes(out, m->payload);
    vs_cbor_put_bytes(out, m->signature);
    assert_true(vs_buf_ok(out));
}

static void bits_of_the_unprotected_header_do_not_matter_and_no_others(void **state)
{
    (void)state;
    subject s;
    subject_start(&s, CCA_TAG_CMW, "1.0.0", VS_KEY_P256);
    vs_arena a;
    vs_arena_init(&a, 0);
    cca_token t;
    vs_buf platform = VS_BUF(1 << 14), realm = VS_BUF(1 << 14), token = VS_BUF(1 << 15);
    assert_vs_code(cca_token_decode(&a, vs_buf_span(&s.token), &t, NULL), VS_OK);
    add_kid(&t.platform_cose, "kid1", &platform);
    add_kid(&t.realm_cose, "kid2", &realm);
    assert_vs_code(
        realm_wrap(CCA_TAG_CMW, vs_buf_span(&platform), vs_buf_span(&realm), &token, NULL), VS_OK);
    /* Per header a1 04 44 "kid": the 32 bits of the kid; all bits of the label but the uppermost
     * (as 0x44 it takes the next four bytes, and the last one of the kid is its value); of the
     * kid's head 0x44 the one that makes it text. */
    assert_int_equal(flip_all(&s, vs_buf_span(&token)), 2 * (32 + 7 + 1));
    vs_buf_free(&platform);
    vs_buf_free(&realm);
    vs_buf_free(&token);
    vs_arena_free(&a);
    subject_stop(&s);
}

/* A token as TF-RMM and TF-A make it: thirteen components, RAK on P-384. Nothing in it is without
 * meaning. */
static void every_bit_of_a_whole_token_counts(void **state)
{
    (void)state;
    subject s = {.token = VS_BUF(CCA_TOKEN_MAX)};
    soft_start(&s.soft, VS_KEY_P256, VS_KEY_P384);
    soft_trust(&s.soft, &s.trust);
    soft_token(&s.soft, &s.token);
    print_message("# %zu bits\n", s.token.n * 8);
    assert_true(s.token.n >= 2000);
    assert_int_equal(flip_all(&s, vs_buf_span(&s.token)), 0);
    subject_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_of_a_whole_token_counts),
        cmocka_unit_test(no_cut_and_no_flipped_399_token_verifies),
        cmocka_unit_test(no_cut_and_no_flipped_907_token_verifies),
        cmocka_unit_test(bits_of_the_unprotected_header_do_not_matter_and_no_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
