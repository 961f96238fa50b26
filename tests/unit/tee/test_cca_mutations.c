/* SPDX-License-Identifier: Apache-2.0 */
/* No truncated and no single-bit-changed token verifies; what may change is what nothing protects.
 * For each bit the reason is the right one: that which token_model.h derives from the reference,
 * and one of those that the part of the token where the bit is may give. */
#include "soft_realm.h"

#include <pthread.h>

#include "tee/cca/verify.h"
#include "tee/claims_model.h"
#include "tee/tee.h"

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

/* As a whole attestation has it, appraisal and expected report data included. */
static vs_code verify(const subject *s, vs_span bytes, vs_arena *a, char text[VS_ERROR_TEXT])
{
    const vs_tee_trust trust = {.cca = s->trust};
    const vs_tee_expect expect = {.report_data = vs_span_of(s->soft.challenge, CCA_CHALLENGE)};
    vs_tee_result results[VS_TEE_RESULTS_MAX];
    vs_error err = {0};
    size_t n = 0;
    vs_code code = vs_tee_find(VS_LIT("cca"))
                       ->verify(&trust, soft_evidence(a, bytes), &expect, a, results, &n, &err);
    (void)vs_error_text(&err, text, VS_ERROR_TEXT);
    return code;
}

static const char *curve_of(const vs_key *k)
{
    return vs_key_kind(k) == VS_KEY_P384 ? "P-384" : "P-256";
}

/* ---- where a bit is, and what may be said of it ------------------------------------------------
 */

typedef enum region { OUTER, MESSAGE, HEADER, UNPROTECTED, CLAIMS, SIGNATURE, REGIONS } region;

static bool within(vs_span part, const uint8_t *at)
{
    return at >= part.p && at < part.p + part.n;
}

static region region_of_half(vs_span message, const sign1 *m, const uint8_t *at)
{
    if (!within(message, at))
        return OUTER;
    if (within(m->header, at))
        return HEADER;
    if (within(m->payload, at))
        return CLAIMS;
    if (within(m->signature, at))
        return SIGNATURE;
    return at >= m->header.p + m->header.n && at < m->unprotected_end ? UNPROTECTED : MESSAGE;
}

/* How a reason may begin that names the part: of the platform's half and of the realm's. */
static const struct {
    const char *name, *begins[3];
} regions[REGIONS] = {
    [OUTER] = {"outer form", {"CCA token: "}},
    [MESSAGE] = {"COSE_Sign1", {"%s token from byte "}},
    [HEADER] = {"protected header", {"%s token from byte ", "%s token: signature: algorithm "}},
    [UNPROTECTED] = {"unprotected header", {"%s token from byte "}},
    [CLAIMS] = {"claims", {"%s token: ", "claims from byte "}},
    [SIGNATURE] = {"signature", {"%s token: signature: signature does not verify"}},
};

static bool names_region(region at, bool realm, const char *text)
{
    for (size_t i = 0; i < VS_COUNT(regions[at].begins) && regions[at].begins[i]; i++) {
        const char *form = regions[at].begins[i];
        bool half = form[0] == '%';
        vs_span rest = vs_str(text), name = vs_str(realm ? "realm" : "platform");
        if (half && !vs_span_starts(rest, name))
            continue;
        if (vs_span_starts(half ? vs_span_from(rest, name.n) : rest,
                           vs_str(half ? form + 2 : form)))
            return true;
    }
    return false;
}

/* ---- the walk ----------------------------------------------------------------------------------
 */

/* A share of the bits, for one thread. */
typedef struct walk {
    const subject *s;
    const original *good;
    vs_span token;
    size_t first, step; /* bits */
    size_t accepted, bits[REGIONS];
    size_t wrong; /* a bit of which something else was said; SIZE_MAX: none */
    char said[VS_ERROR_TEXT + 64];
    reasons right;
} walk;

/* Payloads hold all claims, and are what the signatures are over. */
static bool same_claims(vs_span a, vs_span b, vs_arena *arena)
{
    cca_token x, y;
    return cca_token_decode(arena, a, &x, NULL) == VS_OK &&
           cca_token_decode(arena, b, &y, NULL) == VS_OK && x.tag == y.tag &&
           vs_span_eq(x.platform_cose.payload, y.platform_cose.payload) &&
           vs_span_eq(x.realm_cose.payload, y.realm_cose.payload) &&
           vs_span_eq(x.platform_cose.protected_bytes, y.platform_cose.protected_bytes) &&
           vs_span_eq(x.realm_cose.protected_bytes, y.realm_cose.protected_bytes);
}

static void flip_one(walk *w, uint8_t *copy, size_t bit, vs_arena *a)
{
    char text[VS_ERROR_TEXT];
    reasons right;
    const uint8_t *at = w->token.p + bit / 8;
    vs_span changed = vs_span_of(copy, w->token.n);
    bool realm = within(w->good->p.realm, at);
    region where = realm ? region_of_half(w->good->p.realm, &w->good->realm, at)
                         : region_of_half(w->good->p.platform, &w->good->platform, at);
    copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    vs_arena_reset(a);
    m_judge(changed, w->good, &right);
    vs_code code = verify(w->s, changed, a, text);
    bool ok = m_is_right(&right, code, text);
    if (code == VS_OK)
        ok = ok && where == UNPROTECTED && same_claims(w->token, changed, a);
    else
        ok = ok && names_region(where, realm, text);
    w->accepted += code == VS_OK;
    w->bits[where]++;
    if (!ok && w->wrong == SIZE_MAX) {
        w->wrong = bit;
        w->right = right;
        (void)snprintf(w->said, sizeof w->said, "in the %s%s: %s \"%s\"",
                       where == OUTER ? ""
                       : realm        ? "realm's "
                                      : "platform's ",
                       regions[where].name, vs_code_name(code), text);
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

static void fail_walk(const walk *w)
{
    print_message("# bit %zu of byte %zu, %s\n", w->wrong % 8, w->wrong / 8, w->said);
    for (size_t i = 0; i < w->right.n; i++)
        print_message("#   want %s \"%s\"\n", vs_code_name(w->right.of[i].code),
                      w->right.of[i].text);
    fail_msg("%s", w->right.n ? "another reason" : "this bit does not matter");
}

/* Flips each bit; returns how many changed tokens verified. None may but for bits of an unprotected
 * header, and with these the claims must be the same. */
static size_t flip_all(const subject *s, vs_span token)
{
    enum { THREADS = 4 };
    vs_arena a;
    vs_arena_init(&a, 0);
    char text[VS_ERROR_TEXT];
    original good = {.cpak = curve_of(s->soft.keys.cpak), .rak = curve_of(s->soft.keys.rak)};
    reasons none = {0};
    walk share[THREADS];
    pthread_t id[THREADS];
    size_t accepted = 0, bits[REGIONS] = {0};
    assert_vs_code(verify(s, token, &a, text), VS_OK);
    m_read(token, &good, &none);
    assert_int_equal(none.n, 0);
    for (size_t i = 0; i < THREADS; i++) {
        share[i] = (walk){.s = s, .good = &good, .token = token, .first = i, .step = THREADS};
        share[i].wrong = SIZE_MAX;
        assert_int_equal(pthread_create(&id[i], NULL, flip_share, &share[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        (void)pthread_join(id[i], NULL);
    for (size_t i = 0; i < THREADS; i++) {
        accepted += share[i].accepted;
        for (size_t k = 0; k < REGIONS; k++)
            bits[k] += share[i].bits[k];
        if (share[i].wrong != SIZE_MAX)
            fail_walk(&share[i]);
    }
    for (size_t k = 0; k < REGIONS; k++)
        print_message("# %zu bits of %s\n", bits[k], regions[k].name);
    vs_arena_free(&a);
    return accepted;
}

static void cut_everywhere(const subject *s)
{
    vs_arena a;
    vs_arena_init(&a, 0);
    char text[VS_ERROR_TEXT];
    original none = {0};
    for (size_t n = 0; n < s->token.n; n++) {
        uint8_t *exact = malloc(n ? n : 1); /* so that a sanitizer sees every overrun */
        memcpy(exact, s->token.p, n);
        vs_arena_reset(&a);
        reasons right;
        m_judge(vs_span_of(exact, n), &none, &right);
        vs_code code = verify(s, vs_span_of(exact, n), &a, text);
        if (code == VS_OK || !m_is_right(&right, code, text))
            fail_msg("%zu bytes: %s \"%s\", want \"%s\"", n, vs_code_name(code), text,
                     right.n ? right.of[0].text : "");
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
