/* SPDX-License-Identifier: Apache-2.0 */
/* SNP evidence of this attester, with a played kernel and a platform of software, before this
 * project's own verifier. */
#include "played_kernel.h"

#include "../tee/soft_snp.h"
#include "tee/snp/guest.h"

typedef struct world {
    soft_snp s;
    snp_trust *trust;
    vs_arena a;
    vs_buf table;
    bool other_challenge;
} world;

static const uint8_t ark_guid[] = {0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52,
                                   0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae};
static const uint8_t ask_guid[] = {0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4,
                                   0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82};
static const uint8_t vcek_guid[] = {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
                                    0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd};
static const uint8_t own_guid[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* ---- the host ---------------------------------------------------------------------------------
 */

static void report(void *user, vs_span inblob, vs_buf *out)
{
    world *w = user;
    memcpy(w->s.report + 0x50, inblob.p, 64);
    w->s.report[0x50] ^= w->other_challenge;
    soft_sign_report(&w->s);
    vs_buf_put(out, vs_span_of(w->s.report, sizeof w->s.report));
}

static void put_u32(vs_buf *b, size_t v)
{
    for (unsigned i = 0; i < 4; i++)
        vs_buf_putc(b, (char)(v >> 8 * i));
}

/* A table of the chip's, the intermediate's and the root's certificate, and of one more thing. */
static void make_table(world *w)
{
    static const uint8_t end[24] = {0};
    const uint8_t *const guids[] = {own_guid, ask_guid, vcek_guid, ark_guid};
    X509 *const certs[] = {NULL, w->s.ask, w->s.vek, w->s.ark};
    vs_buf data = VS_BUF(1 << 15);
    for (size_t i = 0; i < VS_COUNT(guids); i++) {
        uint8_t *der = NULL;
        int n = certs[i] ? i2d_X509(certs[i], &der) : 3;
        vs_buf_put(&w->table, vs_span_of(guids[i], 16));
        put_u32(&w->table, sizeof end * (VS_COUNT(guids) + 1) + data.n);
        put_u32(&w->table, (size_t)n);
        vs_buf_put(&data, certs[i] ? vs_span_of(der, (size_t)n) : VS_LIT("abc"));
        OPENSSL_free(der);
    }
    vs_buf_put(&w->table, vs_span_of(end, sizeof end));
    vs_buf_put(&w->table, vs_buf_span(&data));
    vs_buf_free(&data);
}

static int set_up(void **state)
{
    world *w = test_calloc(1, sizeof *w);
    *state = w;
    (void)make_dir(NULL);
    vs_arena_init(&w->a, 0);
    w->table = (vs_buf)VS_BUF(1 << 16);
    soft_snp_start(&w->s);
    soft_snp_trust(&w->s, NULL, NULL, &w->trust);
    make_table(w);
    kernel.provider = "sev_guest\n";
    kernel.report = report;
    kernel.user = w;
    kernel.has_auxblob = true;
    kernel.auxblob = vs_buf_span(&w->table);
    return 0;
}

static int tear_down(void **state)
{
    world *w = *state;
    snp_trust_free(&w->trust);
    soft_snp_stop(&w->s);
    vs_buf_free(&w->table);
    vs_arena_free(&w->a);
    test_free(w);
    return remove_dir(NULL);
}

static vs_code verify(world *w, vs_span json, vs_span data, vs_span init, vs_error *err)
{
    vs_tee_trust trust = {.snp = w->trust};
    vs_tee_expect expect = {.report_data = data, .init_data = init, .now = SOFT_NOW};
    vs_tee_result results[VS_TEE_RESULTS_MAX];
    size_t n;
    vs_val v;
    VS_TRY(vs_json_parse(&w->a, json, NULL, &v, err));
    return vs_tee_find(VS_LIT("snp"))->verify(&trust, v, &expect, &w->a, results, &n, err);
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void evidence_is_what_the_verifier_takes(void **state)
{
    world *w = *state;
    vs_error err = {0};
    vs_span data = VS_LIT("a digest of forty-eight bytes...................");
    static const struct {
        snp_generation g;
        unsigned version;
    } kinds[] = {{SNP_MILAN, 3}, {SNP_GENOA, 4}, {SNP_TURIN, 5}, {SNP_MILAN, 5}};
    attester *a = detect(dir);
    assert_string_equal(attester_tee(a), "snp");
    for (size_t i = 0; i < VS_COUNT(kinds); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf json = VS_BUF(1 << 20);
        X509_free(w->s.vek);
        EVP_PKEY_free(w->s.vek_key);
        w->s.vek = NULL;
        w->s.vek_key = NULL;
        soft_fill(&w->s, kinds[i].g, SNP_BY_VCEK);
        soft_put(&w->s, 0, kinds[i].version, 4);
        if (kinds[i].version == 5)
            soft_put(&w->s, 0x1f8, UINT64_MAX, 8);
        soft_finish(&w->s);
        vs_buf_clear(&w->table);
        make_table(w);
        kernel.auxblob = vs_buf_span(&w->table);
        assert_vs_ok(attester_evidence(a, data, &json, &err), &err);
        assert_vs_ok(verify(w, vs_buf_span(&json), data, (vs_span){0}, &err), &err);
        assert_vs_code(verify(w, vs_buf_span(&json), VS_LIT("another digest of the right size"),
                              (vs_span){0}, NULL),
                       VS_E_MISMATCH);
        /* The same as a guest's usual library makes of it. */
        vs_val v;
        assert_vs_ok(vs_json_parse(&w->a, vs_buf_span(&json), NULL, &v, &err), &err);
        vs_val got = vs_getc(v, "attestation_report"), want = soft_report_json(&w->a, w->s.report);
        for (uint32_t m = 0; m < want.len; m++)
            assert_true(vs_eq(vs_get(got, vs_text(want.u.pairs[m].key)), want.u.pairs[m].val));
    }
    attester_free(&a);
}

static void certificates_are_sorted_and_named_as_upstream_does(void **state)
{
    world *w = *state;
    vs_error err = {0};
    VS_CLEANUP(vs_buf_free) vs_buf json = VS_BUF(1 << 20);
    vs_val v;
    assert_vs_ok(snp_table_write(&json, vs_buf_span(&w->table), &err), &err);
    assert_vs_ok(vs_json_parse(&w->a, vs_buf_span(&json), NULL, &v, &err), &err);
    assert_int_equal(v.len, 4);
    static const char *const order[] = {"ARK", "VCEK", "ASK"};
    for (uint32_t i = 0; i < 3; i++)
        assert_span_is(vs_text(vs_getc(v.u.items[i], "cert_type")), order[i]);
    assert_span_is(vs_text(vs_getc(vs_getc(v.u.items[3], "cert_type"), "OTHER")),
                   "00010203-0405-0607-0809-0a0b0c0d0e0f");
    assert_true(vs_eq(vs_getc(v.u.items[3], "data"), soft_array(&w->a, (const uint8_t *)"abc", 3)));
}

static void a_host_without_certificates_gives_null(void **state)
{
    (void)state;
    vs_error err = {0};
    static const uint8_t end[24] = {0};
    const vs_span none[] = {{0}, vs_span_of(end, sizeof end)};
    attester *a = detect(dir);
    for (size_t i = 0; i < VS_COUNT(none); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf json = VS_BUF(1 << 20);
        kernel.auxblob = none[i];
        assert_vs_ok(attester_evidence(a, VS_LIT("x"), &json, &err), &err);
        assert_true(vs_span_ends(vs_buf_span(&json), VS_LIT(",\"cert_chain\":null}")));
    }
    attester_free(&a);
}

static void a_table_that_lies_is_refused(void **state)
{
    world *w = *state;
    vs_span all = vs_buf_span(&w->table);
    VS_CLEANUP(vs_buf_free) vs_buf json = VS_BUF(1 << 20);
    for (size_t n = 1; n < all.n; n++) {
        vs_buf_clear(&json);
        assert_vs_code(snp_table_write(&json, vs_span_head(all, n), NULL), VS_E_PARSE);
    }
    for (size_t i = 0; i < 4; i++) { /* an offset, a length */
        uint8_t *p = w->table.p + 24 * i + 16;
        for (unsigned field = 0; field < 8; field += 4) {
            uint8_t was = p[field + 3];
            p[field + 3] = 0xff;
            assert_vs_code(snp_table_write(&json, all, NULL), VS_E_PARSE);
            p[field + 3] = was;
        }
    }
    VS_CLEANUP(vs_buf_free) vs_buf many = VS_BUF(1 << 12);
    for (unsigned i = 0; i < 17; i++) {
        vs_buf_put(&many, vs_span_of(own_guid, 16));
        put_u32(&many, 0);
        put_u32(&many, 0);
    }
    vs_buf_puts(&many, "more bytes than the end needs");
    assert_vs_code(snp_table_write(&json, vs_buf_span(&many), NULL), VS_E_LIMIT);
}

static void a_report_that_json_cannot_carry_is_refused(void **state)
{
    world *w = *state;
    vs_error err = {0};
    static const size_t reserved[] = {0x4c, 0x18b, 0x1eb, 0x1f8, 0x208, 0x29f, 0x330, 0x49f};
    VS_CLEANUP(vs_buf_free) vs_buf json = VS_BUF(1 << 20);
    vs_span bytes = vs_span_of(w->s.report, sizeof w->s.report);
    for (size_t i = 0; i < VS_COUNT(reserved); i++) {
        w->s.report[reserved[i]] ^= 1;
        assert_vs_code(snp_report_write(&json, bytes, NULL), VS_E_UNSUPPORTED);
        w->s.report[reserved[i]] ^= 1;
    }
    for (size_t n = 0; n < bytes.n; n += 37)
        assert_vs_code(snp_report_write(&json, vs_span_head(bytes, n), NULL), VS_E_PARSE);
    vs_buf_clear(&json);
    soft_put(&w->s, 0, 2, 4); /* does not tell the processor */
    memset(w->s.report + 0x188, 0, 3);
    assert_vs_ok(snp_report_write(&json, bytes, &err), &err);
    assert_non_null(strstr((const char *)json.p, "\"cpuid_fam_id\":null"));
}

static void init_data_is_what_host_data_holds(void **state)
{
    world *w = *state;
    vs_error err = {0};
    uint8_t digest[64];
    memset(digest, 0xcd, sizeof digest);
    attester *a = detect(dir);
    static const size_t sizes[] = {32, 48, 64};
    for (size_t i = 0; i < VS_COUNT(sizes); i++)
        assert_vs_ok(attester_check_init_data(a, vs_span_of(digest, sizes[i]), &err), &err);
    assert_vs_code(attester_check_init_data(a, vs_span_of(digest, 20), NULL), VS_E_INVALID);
    assert_vs_code(attester_check_init_data(a, (vs_span){0}, NULL), VS_E_INVALID);
    digest[31] ^= 1;
    assert_vs_code(attester_check_init_data(a, vs_span_of(digest, 32), &err), VS_E_MISMATCH);
    assert_says(&err, "HOST_DATA");
    digest[31] ^= 1;
    w->other_challenge = true;
    assert_vs_code(attester_check_init_data(a, vs_span_of(digest, 32), &err), VS_E_MISMATCH);
    assert_says(&err, "another challenge");
    attester_free(&a);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(evidence_is_what_the_verifier_takes),
        TEST(certificates_are_sorted_and_named_as_upstream_does),
        TEST(a_host_without_certificates_gives_null),
        TEST(a_table_that_lies_is_refused),
        TEST(a_report_that_json_cannot_carry_is_refused),
        TEST(init_data_is_what_host_data_holds),
    };
    return cmocka_run_group_tests_name("attester_snp", tests, NULL, NULL);
}
