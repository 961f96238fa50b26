/* SPDX-License-Identifier: Apache-2.0 */
/* The TPM driver: quotes made of software, the vector of ../shared/data/tpm, and what a guest might
 * try with registers, structures and signatures. */
#include "soft_tpm.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "tee/tee.h"

typedef struct world {
    soft_tpm t;
    vs_arena a;
    char why[VS_ERROR_TEXT];
} world;

static world the_world;
static const vs_span none = {NULL, 0};

static int start(void **state)
{
    if (!the_world.t.ak)
        soft_tpm_start(&the_world.t);
    soft_tpm_defaults(&the_world.t);
    vs_arena_init(&the_world.a, 0);
    *state = &the_world;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    vs_arena_free(&the_world.a);
    return 0;
}

static int end(void **state)
{
    (void)state;
    soft_tpm_stop(&the_world.t);
    return 0;
}

static vs_code run(world *w, vs_val evidence, vs_span report, vs_span init, vs_tee_result *out)
{
    vs_tee_trust trust = {0};
    vs_tee_expect expect = {.report_data = report, .init_data = init, .now = 1800000000};
    vs_tee_result results[VS_TEE_RESULTS_MAX] = {{0}};
    size_t n = 99;
    vs_error err = {0};
    vs_code code =
        vs_tee_find(VS_LIT("tpm"))->verify(&trust, evidence, &expect, &w->a, results, &n, &err);
    assert_int_equal(n, code == VS_OK ? 1 : 0);
    assert_true(code == VS_OK || err.code == code);
    (void)vs_error_text(&err, w->why, sizeof w->why);
    *out = results[0];
    return code;
}

static vs_span nonce(const world *w)
{
    return vs_span_of(w->t.nonce, 32);
}

static void assert_refused_evidence(world *w, vs_val evidence, vs_code want, const char *why)
{
    vs_tee_result r;
    vs_code code = run(w, evidence, nonce(w), none, &r);
    if (code != want || !strstr(w->why, why))
        fail_msg("got %s \"%s\", want %s \"%s\"", vs_code_name(code), w->why, vs_code_name(want),
                 why);
}

static void assert_refused(world *w, vs_code want, const char *why)
{
    assert_refused_evidence(w, soft_tpm_evidence(&w->a, &w->t), want, why);
}

static void assert_verifies(world *w, vs_tee_result *r)
{
    if (run(w, soft_tpm_evidence(&w->a, &w->t), nonce(w), none, r) != VS_OK)
        fail_msg("%s", w->why);
}

/* ---- what verifies --------------------------------------------------------------------------- */

static void claims_are_flat_and_name_each_register(void **state)
{
    world *w = *state;
    vs_tee_result r;
    assert_verifies(w, &r);
    assert_string_equal(r.tee_class, "cpu");
    assert_int_equal(r.claims.len, 25);
    assert_span_is(vs_text(vs_getc(r.claims, "pcr00")),
                   "0101010101010101010101010101010101010101010101010101010101010101");
    assert_span_is(vs_text(vs_getc(r.claims, "pcr23")),
                   "1818181818181818181818181818181818181818181818181818181818181818");
    assert_true(vs_eq(vs_getc(r.claims, "ak_public"), soft_tpm_ak(&w->a, w->t.ak)));
    assert_span_is(vs_text(r.report_data),
                   "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f");
    assert_true(vs_eq(r.init_data, vs_getc(r.claims, "pcr08")));
}

static void the_vector_gives_the_reference_claims(void **state)
{
    world *w = *state;
    need_shared("data/tpm/evidence.json");
    vs_buf text = VS_BUF(1 << 16), claims_text = VS_BUF(1 << 16);
    vs_val evidence, want;
    vs_tee_result r;
    read_shared("data/tpm/evidence.json", &text);
    read_shared("data/tpm/evidence.claims.json", &claims_text);
    assert_vs_code(vs_json_parse(&w->a, vs_buf_span(&text), NULL, &evidence, NULL), VS_OK);
    assert_vs_code(vs_json_parse(&w->a, vs_buf_span(&claims_text), NULL, &want, NULL), VS_OK);
    if (run(w, evidence, none, none, &r) != VS_OK)
        fail_msg("%s", w->why);
    vs_val got = vs_with(&w->a, r.claims, vs_cstring("report_data"), r.report_data);
    got = vs_with(&w->a, got, vs_cstring("init_data"), r.init_data);
    assert_true(vs_eq(got, want));
    /* Its nonce is of 64 bytes, which no attester of today makes. */
    vs_span all;
    assert_vs_code(vs_hex_decode_arena(&w->a, vs_text(r.report_data), &all, NULL), VS_OK);
    assert_int_equal(all.n, 64);
    static const size_t sizes[] = {32, 48, 64};
    for (size_t i = 0; i < VS_COUNT(sizes); i++)
        assert_vs_code(run(w, evidence, vs_span_head(all, sizes[i]), none, &r), VS_E_MISMATCH);
    vs_buf_free(&text);
    vs_buf_free(&claims_text);
}

/* ---- expectations ---------------------------------------------------------------------------- */

static void the_nonce_is_the_first_32_bytes_of_the_report_data(void **state)
{
    world *w = *state;
    vs_tee_result r;
    uint8_t longer[48] = {0};
    memcpy(longer, w->t.nonce, 32);
    vs_val e = soft_tpm_evidence(&w->a, &w->t);
    assert_vs_code(run(w, e, vs_span_of(longer, 48), none, &r), VS_OK);
    assert_vs_code(run(w, e, vs_span_of(longer, 31), none, &r), VS_E_MISMATCH);
    assert_vs_code(run(w, e, vs_span_of(longer, 0), none, &r), VS_E_MISMATCH);
    for (unsigned bit = 0; bit < 256; bit++) {
        longer[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_vs_code(run(w, e, vs_span_of(longer, 48), none, &r), VS_E_MISMATCH);
        longer[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    static const size_t sizes[] = {0, 20, 31, 33, 48, 64};
    for (size_t i = 0; i < VS_COUNT(sizes); i++) {
        w->t.nonce_n = sizes[i];
        assert_refused(w, VS_E_MISMATCH, "qualifying data");
    }
}

static void init_data_is_what_register_8_was_extended_with(void **state)
{
    world *w = *state;
    vs_tee_result r;
    uint8_t digest[48], pcr[VS_HASH_MAX];
    static const uint8_t zeros[32];
    memset(digest, 0x5a, sizeof digest);
    assert_vs_code(
        vs_digest(VS_SHA256, vs_span_of(zeros, 32), vs_span_of(digest, 32), none, pcr, NULL),
        VS_OK);
    memcpy(w->t.pcrs.value[8], pcr, 32);
    vs_val e = soft_tpm_evidence(&w->a, &w->t);
    assert_vs_code(run(w, e, nonce(w), vs_span_of(digest, 32), &r), VS_OK);
    static const size_t sizes[] = {0, 31, 33, 48};
    for (size_t i = 0; i < VS_COUNT(sizes); i++)
        assert_vs_code(run(w, e, nonce(w), vs_span_of(digest, sizes[i]), &r), VS_E_MISMATCH);
    digest[0] ^= 1;
    assert_vs_code(run(w, e, nonce(w), vs_span_of(digest, 32), &r), VS_E_MISMATCH);
}

/* Of the reference implementation's own test. */
static void init_data_extends_register_8_as_in_the_reference(void **state)
{
    world *w = *state;
    tpm_pcrs pcrs = {{{0}}};
    vs_span digest, want;
    assert_vs_code(vs_hex_decode_arena(
                       &w->a,
                       VS_LIT("8505e4e25e50a27c5dc8147af88efbece627fbea55291911eff832d9ee127781"),
                       &digest, NULL),
                   VS_OK);
    assert_vs_code(vs_hex_decode_arena(
                       &w->a,
                       VS_LIT("bddaccb9c52249e97a31baea61b7d91be8221a16e703d92148d04fb8e9c1dfdd"),
                       &want, NULL),
                   VS_OK);
    memcpy(pcrs.value[8], want.p, 32);
    assert_vs_code(tpm_check_init_data(&pcrs, digest, NULL), VS_OK);
}

/* ---- registers (go-attestation CVE-2022-0317, tpm2-tools CVE-2024-29038) --------------------- */

static void only_the_whole_sha256_bank_may_be_quoted(void **state)
{
    world *w = *state;
    static const struct {
        uint16_t bank;
        uint32_t banks;
        uint8_t n, select[4];
        const char *why;
    } cases[] = {
        {0x000b, 1, 3, {0xff, 0xf7, 0xff}, "not exactly registers"}, /* 11 is missing */
        {0x000b, 1, 3, {0xff, 0xff, 0xfe}, "not exactly registers"}, /* 16 */
        {0x000b, 1, 3, {0xff, 0xff, 0x7f}, "not exactly registers"}, /* 23 */
        {0x000b, 1, 3, {0, 0, 0}, "not exactly registers"},
        {0x000b, 1, 0, {0}, "not exactly registers"},
        {0x000b, 1, 2, {0xff, 0xff}, "not exactly registers"},
        {0x000b, 1, 4, {0xff, 0xff, 0xff, 0}, "not exactly registers"},
        {0x000b, 1, 4, {0xff, 0xff, 0xff, 1}, "not exactly registers"},
        {0x0004, 1, 3, {0xff, 0xff, 0xff}, "bank 0x0004"}, /* SHA-1 */
        {0x000c, 1, 3, {0xff, 0xff, 0xff}, "bank 0x000c"},
        {0x000b, 0, 3, {0xff, 0xff, 0xff}, "0 banks"},
        {0x000b, 2, 3, {0xff, 0xff, 0xff}, "2 banks"},
        {0x000b, 0xffffffff, 3, {0xff, 0xff, 0xff}, "banks"},
    };
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        soft_tpm_defaults(&w->t);
        w->t.bank = cases[i].bank;
        w->t.banks = cases[i].banks;
        w->t.select_n = cases[i].n;
        memcpy(w->t.select, cases[i].select, 4);
        assert_refused(w, VS_E_INVALID, cases[i].why);
    }
}

/* Evidence with the values changed after the quote was made. */
static vs_val with_pcrs(world *w, const tpm_pcrs *pcrs)
{
    vs_val e = soft_tpm_evidence(&w->a, &w->t);
    vs_val quote =
        vs_with(&w->a, vs_getc(e, "tpm_quote"), vs_cstring("pcrs"), soft_hex_list(&w->a, pcrs));
    return vs_with(&w->a, e, vs_cstring("tpm_quote"), quote);
}

static void values_that_were_not_quoted_are_refused(void **state)
{
    world *w = *state;
    for (unsigned i = 0; i < TPM_PCRS; i++) {
        tpm_pcrs other = w->t.pcrs;
        other.value[i][31] ^= 1;
        assert_refused_evidence(w, with_pcrs(w, &other), VS_E_MISMATCH, "not the quoted ones");
        other = w->t.pcrs; /* two in each other's place */
        memcpy(other.value[i], w->t.pcrs.value[(i + 1) % TPM_PCRS], TPM_PCR_SIZE);
        memcpy(other.value[(i + 1) % TPM_PCRS], w->t.pcrs.value[i], TPM_PCR_SIZE);
        assert_refused_evidence(w, with_pcrs(w, &other), VS_E_MISMATCH, "not the quoted ones");
    }
}

static void there_must_be_24_values_of_32_bytes(void **state)
{
    world *w = *state;
    vs_val e = soft_tpm_evidence(&w->a, &w->t), list = soft_hex_list(&w->a, &w->t.pcrs);
    for (unsigned n = 0; n <= 25; n++) {
        vs_vec some = {.a = &w->a};
        for (unsigned i = 0; i < n; i++)
            vs_vec_add(&some, list.u.items[i % TPM_PCRS]);
        vs_val quote =
            vs_with(&w->a, vs_getc(e, "tpm_quote"), vs_cstring("pcrs"), vs_vec_end_array(&some));
        vs_val changed = vs_with(&w->a, e, vs_cstring("tpm_quote"), quote);
        if (n != TPM_PCRS)
            assert_refused_evidence(w, changed, VS_E_INVALID, "values instead of 24");
    }
    static const char *const bad[] = {
        "", "00", "zz", "010101010101010101010101010101010101010101010101010101010101010",
        "0101010101010101010101010101010101010101010101010101010101010101ff"};
    for (size_t k = 0; k < VS_COUNT(bad); k++) {
        vs_vec some = {.a = &w->a};
        for (unsigned i = 0; i < TPM_PCRS; i++)
            vs_vec_add(&some, i == 11 ? vs_cstring(bad[k]) : list.u.items[i]);
        vs_val quote =
            vs_with(&w->a, vs_getc(e, "tpm_quote"), vs_cstring("pcrs"), vs_vec_end_array(&some));
        vs_tee_result r;
        vs_code code =
            run(w, vs_with(&w->a, e, vs_cstring("tpm_quote"), quote), nonce(w), none, &r);
        assert_true(code == VS_E_PARSE || code == VS_E_INVALID);
        assert_non_null(strstr(w->why, "value 11"));
    }
}

/* ---- structures ------------------------------------------------------------------------------ */

static void only_quotes_that_the_tpm_made_are_taken(void **state)
{
    world *w = *state;
    w->t.magic = 0xff544346;
    assert_refused(w, VS_E_INVALID, "did not make it");
    soft_tpm_defaults(&w->t);
    static const uint16_t types[] = {0x8017, 0x8019, 0x801a, 0x8014, 0};
    for (size_t i = 0; i < VS_COUNT(types); i++) {
        w->t.type = types[i];
        assert_refused(w, VS_E_INVALID, "not a quote");
    }
    soft_tpm_defaults(&w->t);
    w->t.tail = "x";
    assert_refused(w, VS_E_PARSE, "behind the end");
    soft_tpm_defaults(&w->t);
    w->t.safe = 2;
    assert_refused(w, VS_E_INVALID, "neither yes nor no");
}

static void only_rsassa_with_sha256_is_taken(void **state)
{
    world *w = *state;
    vs_buf message = VS_BUF(4096), good = VS_BUF(4096);
    soft_tpm_message(&w->t, &message);
    soft_tpmt(&w->t, vs_buf_span(&message), &good);
    static const struct {
        uint8_t head[4];
    } schemes[] = {
        {{0x00, 0x16, 0x00, 0x0b}}, /* RSAPSS */
        {{0x00, 0x18, 0x00, 0x0b}}, /* ECDSA */
        {{0x00, 0x14, 0x00, 0x04}}, /* SHA-1 */
        {{0x00, 0x14, 0x00, 0x0c}}, /* SHA-384 */
        {{0x00, 0x10, 0x00, 0x0b}}, /* none */
    };
    for (size_t i = 0; i < VS_COUNT(schemes); i++) {
        memcpy(good.p, schemes[i].head, 4);
        vs_val e =
            soft_tpm_evidence_of(&w->a, vs_buf_span(&message), vs_buf_span(&good),
                                 soft_hex_list(&w->a, &w->t.pcrs), soft_tpm_ak(&w->a, w->t.ak));
        assert_refused_evidence(w, e, VS_E_UNSUPPORTED, "only RSASSA");
    }
    vs_buf_free(&message);
    vs_buf_free(&good);
}

static vs_code check_parts(const world *w, vs_span message, vs_span tpmt)
{
    vs_span rsa;
    tpm_quote q;
    VS_TRY(tpm_signature_parse(tpmt, &rsa, NULL));
    return tpm_quote_verify(message, rsa, w->t.ak, &w->t.pcrs, &q, NULL);
}

static vs_span exact_copy(vs_span s, size_t n)
{
    uint8_t *p = malloc(n ? n : 1);
    memcpy(p, s.p, n);
    return vs_span_of(p, n);
}

static void no_cut_and_no_flipped_bit_of_a_quote_verifies(void **state)
{
    world *w = *state;
    vs_buf message = VS_BUF(4096), tpmt = VS_BUF(4096);
    soft_tpm_message(&w->t, &message);
    soft_tpmt(&w->t, vs_buf_span(&message), &tpmt);
    assert_vs_code(check_parts(w, vs_buf_span(&message), vs_buf_span(&tpmt)), VS_OK);
    vs_buf *const parts[] = {&message, &tpmt};
    for (unsigned k = 0; k < 2; k++) {
        for (size_t n = 0; n < parts[k]->n; n++) {
            vs_span cut = exact_copy(vs_buf_span(parts[k]), n);
            assert_int_not_equal(
                check_parts(w, k ? vs_buf_span(&message) : cut, k ? cut : vs_buf_span(&tpmt)),
                VS_OK);
            free((void *)(uintptr_t)cut.p);
        }
        for (size_t bit = 0; bit < parts[k]->n * 8; bit++) {
            parts[k]->p[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (check_parts(w, vs_buf_span(&message), vs_buf_span(&tpmt)) == VS_OK)
                fail_msg("bit %zu of byte %zu does not matter", bit % 8, bit / 8);
            parts[k]->p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
    vs_buf_free(&message);
    vs_buf_free(&tpmt);
}

/* ---- the key --------------------------------------------------------------------------------- */

static void a_key_that_did_not_sign_or_is_too_weak_is_refused(void **state)
{
    world *w = *state;
    vs_val e = soft_tpm_evidence(&w->a, &w->t);
    vs_key *other = NULL;
    assert_vs_code(vs_key_generate(VS_KEY_RSA, &other, NULL), VS_OK);
    assert_refused_evidence(w,
                            vs_with(&w->a, e, vs_cstring("ak_public"), soft_tpm_ak(&w->a, other)),
                            VS_E_CRYPTO, "does not verify");
    vs_key_free(&other);
    assert_vs_code(vs_key_generate(VS_KEY_P256, &other, NULL), VS_OK);
    assert_refused_evidence(w,
                            vs_with(&w->a, e, vs_cstring("ak_public"), soft_tpm_ak(&w->a, other)),
                            VS_E_UNSUPPORTED, "not an RSA key");
    vs_key_free(&other);
    EVP_PKEY *weak = EVP_RSA_gen(1024);
    uint8_t *der = NULL;
    int n = i2d_PUBKEY(weak, &der);
    assert_refused_evidence(
        w, vs_with(&w->a, e, vs_cstring("ak_public"), soft_b64(&w->a, vs_span_of(der, (size_t)n))),
        VS_E_INVALID, "1024 bits");
    OPENSSL_free(der);
    EVP_PKEY_free(weak);
}

/* One key, one text: a policy compares it as text. */
static void other_encodings_of_the_key_are_refused(void **state)
{
    world *w = *state;
    vs_val e = soft_tpm_evidence(&w->a, &w->t);
    vs_buf der = VS_BUF(4096), text = VS_BUF(8192);
    assert_vs_code(vs_key_to_spki(&der, w->t.ak, NULL), VS_OK);
    static const vs_b64_form forms[] = {VS_B64_URL, VS_B64_URL_PADDED};
    for (size_t i = 0; i < VS_COUNT(forms); i++)
        assert_refused_evidence(
            w,
            vs_with(&w->a, e, vs_cstring("ak_public"),
                    vs_string(vs_b64_encode_arena(&w->a, forms[i], vs_buf_span(&der)))),
            VS_E_PARSE, "ak_public");
    vs_b64_encode(&text, VS_B64_STD, vs_buf_span(&der));
    vs_buf_putc(&text, '\n');
    assert_refused_evidence(
        w, vs_with(&w->a, e, vs_cstring("ak_public"), vs_string(vs_buf_span(&text))), VS_E_PARSE,
        "ak_public");
    /* The same key with the length of the outer SEQUENCE in one byte more than needed. */
    assert_int_equal(der.p[1], 0x82);
    vs_buf_clear(&text);
    vs_buf_put(&text, vs_span_of("\x30\x83\x00", 3));
    vs_buf_put(&text, vs_span_from(vs_buf_span(&der), 2));
    assert_refused_evidence(
        w, vs_with(&w->a, e, vs_cstring("ak_public"), soft_b64(&w->a, vs_buf_span(&text))),
        VS_E_INVALID, "canonical");
    vs_buf_free(&der);
    vs_buf_free(&text);
}

static void evidence_of_another_shape_is_refused(void **state)
{
    world *w = *state;
    static const char *const bad[] = {
        "null",
        "[]",
        "{}",
        "\"\"",
        "{\"tpm_quote\":null,\"ak_public\":\"\"}",
        "{\"tpm_quote\":{},\"ak_public\":\"AA==\"}",
        "{\"tpm_quote\":{\"signature\":\"\",\"message\":\"\",\"pcrs\":[]},\"ak_public\":\"AA==\"}",
        "{\"tpm_quote\":{\"signature\":1,\"message\":\"AA==\",\"pcrs\":[]},\"ak_public\":\"AA==\"}",
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        vs_val v;
        assert_vs_code(vs_json_parse(&w->a, vs_str(bad[i]), NULL, &v, NULL), VS_OK);
        assert_refused_evidence(w, v, VS_E_INVALID, "TPM evidence");
    }
    vs_val e = soft_tpm_evidence(&w->a, &w->t);
    assert_refused_evidence(w, vs_with(&w->a, e, vs_cstring("ak_public"), vs_undefined()),
                            VS_E_INVALID, "ak_public");
}

static void running_out_of_memory_is_an_error_at_every_point(void **state)
{
    world *w = *state;
    vs_val e = soft_tpm_evidence(&w->a, &w->t);
    vs_tee_trust trust = {0};
    vs_tee_expect expect = {.report_data = nonce(w)};
    bool done = false;
    for (size_t cap = 1; !done; cap += 128) {
        vs_arena small;
        vs_tee_result results[VS_TEE_RESULTS_MAX];
        size_t n;
        assert_true(cap < 1 << 20);
        vs_arena_init(&small, cap);
        vs_code code =
            vs_tee_find(VS_LIT("tpm"))->verify(&trust, e, &expect, &small, results, &n, NULL);
        done = code == VS_OK;
        assert_true(done || code == VS_E_NOMEM);
        assert_int_equal(n, done ? 1 : 0);
        vs_arena_free(&small);
    }
}

#define in_world(t) cmocka_unit_test_setup_teardown(t, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(claims_are_flat_and_name_each_register),
        in_world(the_vector_gives_the_reference_claims),
        in_world(the_nonce_is_the_first_32_bytes_of_the_report_data),
        in_world(init_data_is_what_register_8_was_extended_with),
        in_world(init_data_extends_register_8_as_in_the_reference),
        in_world(only_the_whole_sha256_bank_may_be_quoted),
        in_world(values_that_were_not_quoted_are_refused),
        in_world(there_must_be_24_values_of_32_bytes),
        in_world(only_quotes_that_the_tpm_made_are_taken),
        in_world(only_rsassa_with_sha256_is_taken),
        in_world(no_cut_and_no_flipped_bit_of_a_quote_verifies),
        in_world(a_key_that_did_not_sign_or_is_too_weak_is_refused),
        in_world(other_encodings_of_the_key_are_refused),
        in_world(evidence_of_another_shape_is_refused),
        in_world(running_out_of_memory_is_an_error_at_every_point),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
