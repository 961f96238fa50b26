/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of type corim and swid: what becomes of them, whose are taken, and whose not. */
#include "messages.h"

#include "corim_model.h"

#include <time.h>

#include "rvps/extract.h"
#include "rvps/rvps.h"

typedef struct fixture {
    vs_store *store;
    rvps *r;
    rvps_anchors *anchors;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    (void)arena_setup(state);
    assert_vs_ok(vs_store_open_memory(&f->store, &err), &err);
    assert_vs_ok(rvps_new(f->store, NULL, &f->r, &err), &err);
    assert_vs_ok(rvps_anchors_new(&f->anchors, &err), &err);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    rvps_free(&f->r);
    rvps_anchors_free(&f->anchors);
    vs_store_close(&f->store);
    free(f);
    return arena_teardown(state);
}

/* Another provider over the same store. */
static void with_options(fixture *f, bool require_signed, bool anchors)
{
    rvps_options o = {.require_signed = require_signed, .anchors = anchors ? f->anchors : NULL};
    rvps_free(&f->r);
    assert_vs_ok(rvps_new(f->store, &o, &f->r, &err), &err);
}

static vs_code send(fixture *f, const char *type, vs_span payload)
{
    err = (vs_error){0};
    return rvps_register_vouched(f->r, message(type, payload), VS_LIT("admin"), NOW, &err);
}

static void expect_at(fixture *f, const char *id, int64_t now, const char *json)
{
    vs_val v;
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1 << 20);
    assert_vs_ok(rvps_query(f->r, vs_str(id), now, &arena, &v, &err), &err);
    if (vs_defined(v))
        vs_json_print(&b, v);
    else
        vs_buf_puts(&b, "absent");
    assert_span_is(vs_buf_span(&b), json);
}

static void expect(fixture *f, const char *id, const char *json)
{
    expect_at(f, id, NOW, json);
}

static void expect_reason(const char *why)
{
    char text[VS_ERROR_TEXT];
    if (!strstr(vs_error_text(&err, text, sizeof text), why))
        fail_msg("\"%s\" does not say \"%s\"", text, why);
}

static size_t stored(fixture *f)
{
    rvps_page page;
    assert_vs_ok(rvps_list(f->r, nothing, nothing, 1000, &arena, &page, &err), &err);
    return page.n;
}

/* ---- records of a CoRIM ---------------------------------------------------------------------- */

#define UUID_NAME "ACME/RoadRunner/31fb5abf-023e-4992-aa4e-95f9c1503bfa/digests"
/* Upstream stores the three one over the other. */
static void entries_of_one_name_are_put_together(void **state)
{
    fixture *f = *state;
    need_shared("data/rvps/unsigned-example-corim.cbor");
    assert_vs_ok(send(f, "corim", shared_file("data/rvps/unsigned-example-corim.cbor")), &err);
    expect(f, UUID_NAME,
           "[\"87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7\","
           "\"0263829989b6fd954f72baaf2fc64bc2e2f01d692d4de72986ea808f6e99813f\","
           "\"a3a5e715f0cc574a73c3f9bebb6bc24f32ffd5b67b387244c2c909da779a1478\"]");
    assert_int_equal(stored(f), 1);
}

static void a_cca_manifest_gives_records_by_measurement(void **state)
{
    fixture *f = *state;
    need_shared("data/cca/corim");
    assert_vs_ok(send(f, "corim", shared_file("data/cca/corim/corim-cca-platform-valid.cbor")),
                 &err);
    expect(f, "cca.software-component/M1/digests",
           "[\"0b060504030201000f0e0d0c0b0a090817161514131211101f1e1d1c1b1a1918\"]");
    expect(f, "cca.platform-config/raw_bytes", "\"010203\"");
    assert_vs_ok(send(f, "corim", shared_file("data/cca/corim/corim-cca-realm-valid.cbor")), &err);
    expect(f, "cca.rpv/raw_bytes",
           "\"4144414441444144414441444144414441444144414441444144414441444144"
           "4144414441444144414441444144414441444144414441444144414441444144\"");
}

static void each_kind_of_value_has_its_name_and_form(void **state)
{
    fixture *f = *state;
    vs_span m[] = {
        measurement("07", "a2"
                          "0281820158"
                          "20" DIGEST_A "0b62424c"), /* mkey 7, name BL */
        measurement("07", "a2"
                          "0281820158"
                          "20" DIGEST_A "0b62424c"), /* the same again */
        measurement("626677", "a2"
                              "0103"
                              "0862534e"), /* svn 3, serial SN */
        measurement("626677", "a2"
                              "01d90228"
                              "04"
                              "0862534e"), /* svn 4, tagged */
        measurement("626677", "a1"
                              "01d90229"
                              "05"), /* at least 5 */
        measurement("626677", "a1"
                              "01d90229"
                              "09"), /* at least 9 */
        measurement("626677", "a1"
                              "01d90229"
                              "07"), /* at least 7 */
        measurement("626377", "a1"
                              "04d90230"
                              "42abcd"), /* raw bytes */
        measurement("626377", "a1"
                              "04d90230"
                              "42abcd"),
        measurement("626477", "a1"
                              "04d90230"
                              "4101"),
        measurement("626477", "a1"
                              "04d90230"
                              "4102"),
        measurement(NULL, "a1"
                          "0103"),
    };
    assert_vs_ok(send(f, "corim", manifest_of(m, VS_COUNT(m), 0, 0)), &err);
    expect(f, "ACME/Box/claim7/BL/digests", "[\"" DIGEST_A "\"]");
    expect(f, "ACME/Box/fw/SN/svn", "[3,4]");
    expect(f, "ACME/Box/fw/min_svn", "{\"min_svn\":9}");
    expect(f, "ACME/Box/cw/raw_bytes", "\"abcd\"");
    expect(f, "ACME/Box/dw/raw_bytes", "[\"01\",\"02\"]");
    expect(f, "ACME/Box/svn", "[3]");
    assert_int_equal(stored(f), 6);
}

static void one_bad_name_keeps_the_others_out(void **state)
{
    fixture *f = *state;
    vs_span m[] = {measurement("626677", "a10103"), measurement("632e2e2f", "a10103")}; /* "../" */
    assert_vs_code(send(f, "corim", manifest_of(m, 2, 0, 0)), VS_E_INVALID);
    assert_int_equal(stored(f), 0);
}

/* Ten thousand digests for one name, half of them repetitions. */
static void many_values_of_one_name_are_put_together_fast(void **state)
{
    fixture *f = *state;
    enum { MANY = 20000 };
    vs_span *m = calloc(MANY, sizeof *m);
    for (size_t i = 0; i < MANY; i++)
        m[i] = measurement("626677", vs_sprintf(&arena, "a104d9023042%04x", (unsigned)(i / 2)));
    struct timespec t0, t1;
    clock_gettime(CLOCK_MONOTONIC, &t0);
    assert_vs_ok(send(f, "corim", manifest_of(m, MANY, 0, 0)), &err);
    clock_gettime(CLOCK_MONOTONIC, &t1);
    assert_true(t1.tv_sec - t0.tv_sec < 10); /* squared it would take minutes here */
    vs_val v;
    assert_vs_ok(rvps_query(f->r, VS_LIT("ACME/Box/fw/raw_bytes"), NOW, &arena, &v, &err), &err);
    assert_int_equal(v.len, MANY / 2);
    assert_span_is(vs_text(v.u.items[1]), "0001");
    free(m);
}

/* ---- validity -------------------------------------------------------------------------------- */

static void validity_is_that_of_the_manifest_within_ours(void **state)
{
    fixture *f = *state;
    vs_span m = measurement("626677", "a10103");
    rvps_entry e;
    assert_vs_ok(send(f, "corim", manifest_of(&m, 1, NOW + 100, NOW + 200)), &err);
    expect_at(f, "ACME/Box/fw/svn", NOW + 99, "absent");
    expect_at(f, "ACME/Box/fw/svn", NOW + 100, "[3]");
    expect_at(f, "ACME/Box/fw/svn", NOW + 200, "[3]");
    expect_at(f, "ACME/Box/fw/svn", NOW + 201, "absent");
    assert_vs_ok(rvps_get(f->r, VS_LIT("ACME/Box/fw/svn"), NOW, &arena, &e, &err), &err);
    assert_false(e.valid);
    assert_true(e.not_before == NOW + 100 && e.expires == NOW + 200);
    /* Not longer than ours. */
    assert_vs_ok(send(f, "corim", manifest_of(&m, 1, 1, year_later + 1000)), &err);
    expect_at(f, "ACME/Box/fw/svn", year_later, "[3]");
    expect_at(f, "ACME/Box/fw/svn", year_later + 1, "absent");
    /* Over already, never valid, only after our time: refused, and what was there stays. */
    assert_vs_code(send(f, "corim", manifest_of(&m, 1, 0, NOW - 1)), VS_E_EXPIRED);
    assert_vs_code(send(f, "corim", manifest_of(&m, 1, NOW + 9, NOW + 8)), VS_E_INVALID);
    assert_vs_code(send(f, "corim", manifest_of(&m, 1, year_later + 1, 0)), VS_E_INVALID);
    expect(f, "ACME/Box/fw/svn", "[3]");
}

/* Extractors on arenas of every size: a failed allocation is an error, never fewer records. */
static void running_out_of_memory_is_an_error(void **state)
{
    (void)state;
    static const char tag[] =
        "<SoftwareIdentity xmlns='http://standards.iso.org/iso/19770/-2/2015/schema.xsd' "
        "xmlns:r='https://trustedcomputinggroup.org/resource/"
        "tcg-reference-integrity-manifest-rim-information-model/' "
        "xmlns:h='http://www.w3.org/2001/04/xmlenc#sha384'>"
        "<Meta r:PlatformManufacturerStr='m' edition='e'/><Payload>";
    vs_span m[60];
    vs_buf xml = VS_BUF(1 << 20);
    vs_buf_puts(&xml, tag);
    for (unsigned i = 0; i < VS_COUNT(m); i++) {
        m[i] = measurement(vs_sprintf(&arena, "18%02x", 30 + i), "a10281820158"
                                                                 "20" DIGEST_A);
        vs_buf_printf(&xml, "<Resource type='Measurement' index='%u' h:Hash0='aa'/>", i);
    }
    vs_buf_puts(&xml, "</Payload></SoftwareIdentity>");
    vs_span manifest = manifest_of(m, VS_COUNT(m), 0, 0);
    bool worked = false;
    for (size_t cap = 1024; !worked; cap += 1024) {
        vs_arena small;
        rvps_context x = {.now = NOW};
        worked = true;
        for (int is_swid = 0; is_swid < 2; is_swid++) {
            vs_arena_init(&small, cap);
            rvps_records out = {.a = &small};
            vs_code code = is_swid ? rvps_extract_swid(&x, vs_buf_span(&xml), &out, NULL)
                                   : rvps_extract_corim(&x, manifest, &out, NULL);
            assert_true(code == VS_OK ? out.n == VS_COUNT(m) : code == VS_E_NOMEM);
            worked = worked && code == VS_OK;
            vs_arena_free(&small);
        }
    }
    vs_buf_free(&xml);
}

/* ---- signatures ------------------------------------------------------------------------------ */

typedef struct pki {
    signer root, ca, leaf;
    vs_span chain[2], header, corim;
} pki;

static pki make_pki(const char *leaf_constraints, const char *leaf_usage, int64_t ca_end)
{
    static int n;
    const char *name = vs_sprintf(&arena, "root %d", ++n);
    pki p = {.root = make_signer(name, NULL, "critical,CA:TRUE", NULL, 0)};
    p.ca = make_signer(vs_sprintf(&arena, "ca %d", n), &p.root, "critical,CA:TRUE", NULL, ca_end);
    p.leaf = make_signer("ACME RIM signing", &p.ca, leaf_constraints, leaf_usage, 0);
    p.chain[0] = cert_der(&p.leaf);
    p.chain[1] = cert_der(&p.ca);
    p.header = corim_header(RIM_CBOR, NULL, p.chain, 2);
    p.corim = sign_corim(p.leaf.key, p.header, simple_manifest());
    return p;
}

static void drop_pki(pki *p)
{
    drop_signer(&p->root);
    drop_signer(&p->ca);
    drop_signer(&p->leaf);
}

#define FW "ACME/Box/fw/digests"

static void a_chain_to_an_anchor_is_believed(void **state)
{
    fixture *f = *state;
    pki p = make_pki("critical,CA:FALSE", "digitalSignature", 0);
    rvps_entry e;
    assert_vs_ok(rvps_anchors_add(f->anchors, cert_pem(&p.root), &err), &err);
    with_options(f, true, true);
    assert_vs_ok(send(f, "corim", p.corim), &err);
    expect(f, FW, "[\"" DIGEST_A "\"]");
    assert_vs_ok(rvps_get(f->r, VS_LIT(FW), NOW, &arena, &e, &err), &err);
    vs_val by = vs_getc(e.provenance, "signer");
    assert_span_is(vs_text(vs_getc(e.provenance, "by")), "admin");
    assert_span_is(vs_text(vs_getc(e.provenance, "type")), "corim");
    assert_span_is(vs_text(vs_getc(e.provenance, "registered")), "2026-08-21T09:00:00Z");
    assert_span_is(vs_text(vs_getc(vs_getc(e.provenance, "source"), "id")), "id");
    assert_span_is(vs_text(vs_getc(by, "name")), "ACME");
    assert_span_is(vs_text(vs_getc(by, "subject")), "CN=ACME RIM signing");
    uint8_t h[VS_HASH_MAX];
    assert_vs_ok(vs_digest(VS_SHA256, p.chain[0], nothing, nothing, h, &err), &err);
    assert_span_eq(vs_text(vs_getc(by, "certificate_sha256")),
                   vs_hex_encode_arena(&arena, vs_span_of(h, 32)));
    assert_vs_ok(vs_digest(VS_SHA256, p.corim, nothing, nothing, h, &err), &err);
    assert_span_eq(vs_text(vs_getc(e.provenance, "payload_sha256")),
                   vs_hex_encode_arena(&arena, vs_span_of(h, 32)));
    drop_pki(&p);
}

/* Each is a CoRIM whose signature itself is right. */
static void chains_that_prove_nothing_are_refused(void **state)
{
    fixture *f = *state;
    pki p = make_pki("critical,CA:FALSE", NULL, 0), other = make_pki("critical,CA:FALSE", NULL, 0);
    pki expired = make_pki("critical,CA:FALSE", NULL, NOW - 1);
    pki as_ca = make_pki("critical,CA:TRUE", NULL, 0);
    pki no_use = make_pki("critical,CA:FALSE", "keyEncipherment", 0);
    const pki *all[] = {&p, &expired, &as_ca, &no_use};
    for (size_t i = 0; i < VS_COUNT(all); i++)
        assert_vs_ok(rvps_anchors_add(f->anchors, cert_pem(&all[i]->root), &err), &err);
    for (int required = 0; required < 2; required++) {
        with_options(f, required, true);
        assert_vs_code(send(f, "corim", other.corim), VS_E_UNTRUSTED);
        assert_vs_code(send(f, "corim", expired.corim), VS_E_EXPIRED);
        assert_vs_code(send(f, "corim", as_ca.corim), VS_E_UNTRUSTED);
        assert_vs_code(send(f, "corim", no_use.corim), VS_E_UNTRUSTED);
        /* Without its intermediate; with another's chain; without any. */
        vs_span alone = corim_header(RIM_CBOR, NULL, p.chain, 1);
        assert_vs_code(send(f, "corim", sign_corim(p.leaf.key, alone, simple_manifest())),
                       VS_E_UNTRUSTED);
        assert_vs_code(send(f, "corim", sign_corim(other.leaf.key, p.header, simple_manifest())),
                       VS_E_CRYPTO);
        vs_span bare = corim_header(RIM_CBOR, NULL, NULL, 0);
        assert_vs_code(send(f, "corim", sign_corim(p.leaf.key, bare, simple_manifest())),
                       VS_E_UNTRUSTED);
        vs_span junk[] = {VS_LIT("junk"), p.chain[1]};
        vs_span bad = corim_header(RIM_CBOR, NULL, junk, 2);
        assert_true(send(f, "corim", sign_corim(p.leaf.key, bad, simple_manifest())) != VS_OK);
        assert_int_equal(stored(f), 0);
    }
    drop_pki(&p), drop_pki(&other), drop_pki(&expired), drop_pki(&as_ca), drop_pki(&no_use);
}

static void a_trusted_key_is_believed_and_no_other(void **state)
{
    fixture *f = *state;
    vs_key *own = fresh_key(VS_KEY_P256), *other = fresh_key(VS_KEY_P256);
    vs_buf pem = VS_BUF(4096);
    rvps_entry e;
    assert_vs_ok(vs_key_to_pem(&pem, own, false, &err), &err);
    assert_vs_ok(rvps_anchors_add(f->anchors, vs_buf_span(&pem), &err), &err);
    with_options(f, true, true);
    vs_span header = corim_header(RIM_CBOR, "any", NULL, 0);
    assert_vs_code(send(f, "corim", sign_corim(other, header, simple_manifest())), VS_E_CRYPTO);
    assert_int_equal(stored(f), 0);
    assert_vs_ok(send(f, "corim", sign_corim(own, header, simple_manifest())), &err);
    assert_vs_ok(rvps_get(f->r, VS_LIT(FW), NOW, &arena, &e, &err), &err);
    assert_int_equal(vs_text(vs_getc(vs_getc(e.provenance, "signer"), "key_sha256")).n, 64);
    vs_buf_free(&pem);
    vs_key_free(&own);
    vs_key_free(&other);
}

static void a_key_with_a_kid_answers_to_that_kid(void **state)
{
    fixture *f = *state;
    vs_key *own = fresh_key(VS_KEY_P256);
    vs_buf jwks = VS_BUF(4096);
    vs_buf_puts(&jwks, "{\"keys\":[");
    assert_vs_ok(vs_key_write_jwk(&jwks, own, "ES256", &err), &err);
    vs_buf_truncate(&jwks, jwks.n - 1);
    vs_buf_puts(&jwks, ",\"kid\":\"k1\"}]}");
    assert_vs_ok(rvps_anchors_add(f->anchors, vs_buf_span(&jwks), &err), &err);
    with_options(f, true, true);
    static const struct {
        const char *kid;
        bool ok;
    } cases[] = {{"k1", true}, {"k2", false}, {"", false}, {NULL, true}};
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        vs_span header = corim_header(RIM_CBOR, cases[i].kid, NULL, 0);
        vs_code code = send(f, "corim", sign_corim(own, header, simple_manifest()));
        assert_int_equal(code, cases[i].ok ? VS_OK : VS_E_CRYPTO);
    }
    vs_buf_free(&jwks);
    vs_key_free(&own);
}

static void every_flipped_bit_of_a_signed_corim_is_noticed(void **state)
{
    fixture *f = *state;
    vs_key *own = fresh_key(VS_KEY_P256);
    vs_buf pem = VS_BUF(4096);
    assert_vs_ok(vs_key_to_pem(&pem, own, false, &err), &err);
    assert_vs_ok(rvps_anchors_add(f->anchors, vs_buf_span(&pem), &err), &err);
    with_options(f, true, true);
    vs_span good = sign_corim(own, corim_header(RIM_CBOR, NULL, NULL, 0), simple_manifest());
    corim_parts original;
    reasons none = {0};
    m_corim_read(good, &original, &none);
    assert_int_equal(none.n, 0);
    uint8_t *bytes = malloc(good.n);
    for (size_t bit = 0; bit < 8 * good.n; bit++) {
        char text[VS_ERROR_TEXT];
        memcpy(bytes, good.p, good.n);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        vs_code code = send(f, "corim", vs_span_of(bytes, good.n));
        assert_right_refusal(vs_span_of(bytes, good.n), &original, bit, code,
                             vs_error_text(&err, text, sizeof text));
    }
    assert_int_equal(stored(f), 0);
    assert_vs_ok(send(f, "corim", good), &err);
    free(bytes);
    vs_buf_free(&pem);
    vs_key_free(&own);
}

static void unsigned_messages_are_refused_where_signed_ones_are_required(void **state)
{
    fixture *f = *state;
    pki p = make_pki("critical,CA:FALSE", NULL, 0);
    assert_vs_ok(rvps_anchors_add(f->anchors, cert_pem(&p.root), &err), &err);
    with_options(f, true, true);
    assert_vs_code(send(f, "corim", simple_manifest()), VS_E_DENIED);
    assert_vs_code(send(f, "sample", VS_LIT("{\"a\":1}")), VS_E_DENIED);
    expect_reason("messages of type sample count as unsigned, and this server takes only");
    assert_vs_code(send(f, "swid", VS_LIT("<a/>")), VS_E_DENIED);
    assert_int_equal(stored(f), 0);
    with_options(f, false, true); /* not required, but what is signed must verify */
    assert_vs_ok(send(f, "corim", simple_manifest()), &err);
    assert_vs_ok(send(f, "sample", VS_LIT("{\"a\":1}")), &err);
    drop_pki(&p);
}

static void without_anchors_nothing_that_must_be_signed_is_taken(void **state)
{
    fixture *f = *state;
    pki q = make_pki("critical,CA:FALSE", NULL, 0);
    for (int anchors = 0; anchors < 2; anchors++) { /* none; none in it */
        with_options(f, true, anchors);
        assert_true(send(f, "corim", q.corim) != VS_OK);
        assert_vs_code(send(f, "sample", VS_LIT("{\"a\":[1]}")), VS_E_DENIED);
        rvps_entry none;
        assert_vs_code(rvps_get(f->r, VS_LIT(FW), NOW, &arena, &none, &err), VS_E_NOT_FOUND);
        assert_vs_code(rvps_get(f->r, VS_LIT("a"), NOW, &arena, &none, &err), VS_E_NOT_FOUND);
    }
    drop_pki(&q);
    with_options(f, false, true); /* empty anchors trust nobody */
    pki p = make_pki("critical,CA:FALSE", NULL, 0), other = make_pki("critical,CA:FALSE", NULL, 0);
    assert_vs_code(send(f, "corim", p.corim), VS_E_UNTRUSTED);
    with_options(f, false, false); /* as upstream: taken, and its record names no signer */
    rvps_entry e;
    assert_vs_ok(send(f, "corim", p.corim), &err);
    assert_vs_ok(rvps_get(f->r, VS_LIT(FW), NOW, &arena, &e, &err), &err);
    assert_false(vs_defined(vs_getc(e.provenance, "signer")));
    /* But not when its own certificate shows that the signature is wrong. */
    assert_vs_code(send(f, "corim", sign_corim(other.leaf.key, p.header, simple_manifest())),
                   VS_E_CRYPTO);
    drop_pki(&p), drop_pki(&other);
}

static void what_cannot_be_an_anchor_is_refused(void **state)
{
    fixture *f = *state;
    vs_key *own = fresh_key(VS_KEY_P256);
    vs_buf b = VS_BUF(1 << 16);
    assert_vs_ok(vs_key_to_pem(&b, own, true, &err), &err);
    assert_vs_code(rvps_anchors_add(f->anchors, vs_buf_span(&b), &err), VS_E_INVALID);
    vs_buf_clear(&b);
    assert_vs_ok(vs_key_to_private_jwk(&b, own, &err), &err);
    assert_vs_code(rvps_anchors_add(f->anchors, vs_buf_span(&b), &err), VS_E_INVALID);
    static const char *const bad[] = {
        "",
        "nothing",
        "{}",
        "{\"keys\":[{}]}",
        "{\"kty\":\"oct\",\"k\":\"AA\"}",
        "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "-----BEGIN ",
        "-----END PUBLIC KEY----------BEGIN PUBLIC KEY-----\n"};
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        if (rvps_anchors_add(f->anchors, vs_str(bad[i]), &err) == VS_OK)
            fail_msg("\"%s\" is taken", bad[i]);
    assert_true(rvps_anchors_empty(f->anchors));
    vs_buf_free(&b);
    vs_key_free(&own);
}

static void a_file_may_mix_certificates_and_keys(void **state)
{
    fixture *f = *state;
    pki p = make_pki("critical,CA:FALSE", NULL, 0), q = make_pki("critical,CA:FALSE", NULL, 0);
    vs_key *own = fresh_key(VS_KEY_P256);
    vs_buf b = VS_BUF(1 << 16);
    vs_buf_puts(&b, "# ours\n");
    vs_buf_put(&b, cert_pem(&p.root));
    assert_vs_ok(vs_key_to_pem(&b, own, false, &err), &err);
    vs_buf_put(&b, cert_pem(&q.root));
    assert_vs_ok(rvps_anchors_add(f->anchors, vs_buf_span(&b), &err), &err);
    with_options(f, true, true);
    vs_span header = corim_header(RIM_CBOR, NULL, NULL, 0);
    const vs_span all[] = {p.corim, q.corim, sign_corim(own, header, simple_manifest())};
    for (size_t i = 0; i < VS_COUNT(all); i++) { /* of three anchors: one after the other */
        assert_vs_ok(send(f, "corim", all[i]), &err);
        assert_vs_ok(rvps_delete(f->r, VS_LIT(FW), VS_LIT("admin"), &err), &err);
    }
    vs_buf_free(&b);
    vs_key_free(&own);
    drop_pki(&p), drop_pki(&q);
}

/* {0: {0: "ACME"}, 1: {1: 1(time)}} in the signed metadata. */
static vs_span header_valid_until(int64_t time)
{
    vs_buf meta = VS_BUF(256), b = VS_BUF(256);
    vs_buf_put(&meta, hex("a200a1006441434d4501a101c1"));
    vs_cbor_put_int(&meta, time);
    vs_buf_put(&b, hex("a3012603"));
    vs_cbor_put_text(&b, RIM_CBOR);
    vs_cbor_put_uint(&b, 8);
    vs_cbor_put_bytes(&b, vs_buf_span(&meta));
    vs_buf_free(&meta);
    return on_arena(&b);
}

static void the_signature_has_a_validity_of_its_own(void **state)
{
    fixture *f = *state;
    vs_key *own = fresh_key(VS_KEY_P256);
    vs_buf pem = VS_BUF(4096);
    assert_vs_ok(vs_key_to_pem(&pem, own, false, &err), &err);
    assert_vs_ok(rvps_anchors_add(f->anchors, vs_buf_span(&pem), &err), &err);
    with_options(f, true, true);
    vs_span late = sign_corim(own, header_valid_until(NOW - 1), simple_manifest());
    vs_span good = sign_corim(own, header_valid_until(NOW + 50), simple_manifest());
    assert_vs_code(send(f, "corim", late), VS_E_EXPIRED);
    assert_int_equal(stored(f), 0);
    assert_vs_ok(send(f, "corim", good), &err);
    expect_at(f, FW, NOW + 50, "[\"" DIGEST_A "\"]");
    expect_at(f, FW, NOW + 51, "absent");
    vs_buf_free(&pem);
    vs_key_free(&own);
}

/* ---- SWID ------------------------------------------------------------------------------------ */

#define NS                                                                                         \
    "xmlns='http://standards.iso.org/iso/19770/-2/2015/schema.xsd' "                               \
    "xmlns:r='https://trustedcomputinggroup.org/resource/"                                         \
    "tcg-reference-integrity-manifest-rim-information-model/' "                                    \
    "xmlns:h='http://www.w3.org/2001/04/xmlenc#sha384'"
#define META "<Meta r:PlatformManufacturerStr='A B-C' edition='E 1-2'/>"
#define TAG(meta, inside)                                                                          \
    "<SoftwareIdentity " NS ">" meta "<Payload>" inside "</Payload></SoftwareIdentity>"

static vs_code swid(fixture *f, const char *xml)
{
    return send(f, "swid", vs_str(xml));
}

static void the_rim_of_nvidia_gives_nine_records(void **state)
{
    fixture *f = *state;
    vs_span xml;
    vs_val v;
    need_shared("data/rvps/test-rim.b64");
    vs_span text = vs_span_trim(shared_file("data/rvps/test-rim.b64"));
    assert_vs_ok(vs_b64_decode_arena(&arena, VS_B64_STD, text, &xml, &err), &err);
    assert_vs_ok(send(f, "swid", xml), &err);
    assert_int_equal(stored(f), 9);
    assert_vs_ok(
        rvps_query(f->r, VS_LIT("NVIDIA_Corporation.GPU.measurement_12"), NOW, &arena, &v, &err),
        &err);
    assert_int_equal(v.len, 3);
    assert_span_is(
        vs_text(v.u.items[0]),
        "758af96044c700f98a85347be27124d51c05b8784ba216b629b9aaab6d538c759aed9922a133e4ac"
        "473564d359b271d5");
}

/* Not even one that carries a signature, which is right and of whom we trust, for all we know. */
static void where_signatures_are_required_a_swid_tag_is_refused_with_the_reason(void **state)
{
    fixture *f = *state;
    static const char signed_tag[] =
        TAG(META, "<Resource type='Measurement' index='1' h:Hash0='aa'/>"
                  "<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'>"
                  "<ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature>");
    pki p = make_pki("critical,CA:FALSE", NULL, 0);
    assert_vs_ok(rvps_anchors_add(f->anchors, cert_pem(&p.root), &err), &err);
    with_options(f, true, true);
    for (unsigned vouched = 0; vouched < 2; vouched++) { /* nor does an administrator's word help */
        vs_span m = message("swid", vs_str(signed_tag));
        vs_code code = vouched ? rvps_register_vouched(f->r, m, VS_LIT("admin"), NOW, &err)
                               : rvps_register(f->r, m, NOW, &err);
        assert_vs_code(code, VS_E_DENIED);
        expect_reason("messages of type swid count as unsigned, since signatures within them are "
                      "not verified");
        expect_reason("send a signed CoRIM");
    }
    assert_int_equal(stored(f), 0);
    with_options(f, false, true); /* anchors alone require nothing of it */
    assert_vs_ok(swid(f, signed_tag), &err);
    rvps_entry e;
    assert_vs_ok(rvps_get(f->r, VS_LIT("A_B_C.E 1_2.measurement_1"), NOW, &arena, &e, &err), &err);
    assert_false(vs_defined(vs_getc(e.provenance, "signer"))); /* and say so */
    drop_pki(&p);
}

static void names_and_hashes_of_a_swid_tag(void **state)
{
    fixture *f = *state;
    assert_vs_ok(swid(f, TAG(META, "<Directory>"
                                   "<Resource type='Measurement' index='0' h:Hash0='00'/>"
                                   "<Resource type='Measurement' index='1-x' h:Hash0='00' "
                                   "h:Hash1='aa' h:Hash2='BB' h:Hash4='cc'/></Directory>"
                                   "<Resource type='Measurement' index='1-x' h:Hash0='aa' "
                                   "h:Hash1='dd'/>"
                                   "<Resource type='Other' h:Hash0='ee'/>"
                                   "<Resource type='Measurement' index='2' Hash0='ff'/>")),
                 &err);
    assert_int_equal(stored(f), 1);
    expect(f, "A_B_C.E 1_2.measurement_1_x", "[\"aa\",\"BB\",\"dd\"]");
}

static void swid_tags_that_are_none_are_refused(void **state)
{
    fixture *f = *state;
    static const char *const bad[] = {
        "",
        "x",
        "<a/>",
        "<SoftwareIdentity/>",
        "<SoftwareIdentity " NS "/>",
        "<SoftwareIdentity " NS ">" META "</SoftwareIdentity>",
        "<SoftwareIdentity " NS "><Payload/></SoftwareIdentity>",
        "<SoftwareIdentity " NS ">" META "<Payload/>",
        TAG("<Meta edition='e'/>", ""),
        TAG("<Meta r:PlatformManufacturerStr='m'/>", ""),
        TAG("<Meta PlatformManufacturerStr='m' edition='e'/>", ""),
        TAG(META, "<Resource type='Measurement' h:Hash0='aa'/>"),
        TAG(META, "<Resource type='Measurement' index='1' h:Hash0='xy'/>"),
        TAG(META, "<Resource type='Measurement' index='1' h:Hash0='aaa'/>"),
        TAG(META, "<Resource type='Measurement' index='1' h:Hash0='aa' h:Hash0='bb'/>"),
        TAG(META, "<Resource type='Measurement' index='%2e' h:Hash0='aa'/>"),
        TAG(META, "") "<x/>",
        TAG(META, "&x;"),
        "<!DOCTYPE SoftwareIdentity>" TAG(META, ""),
        "<!DOCTYPE s SYSTEM 'file:///etc/passwd'>" TAG(META, ""),
        "<!DOCTYPE s [<!ENTITY a 'aa'><!ENTITY b '&a;&a;&a;'>]>" TAG(META, "&b;"),
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        if (swid(f, bad[i]) == VS_OK)
            fail_msg("%s is taken", bad[i]);
        assert_non_null(vs_error_at(&err, 0));
    }
    assert_int_equal(stored(f), 0);
    assert_vs_code(swid(f, "<!DOCTYPE s>" TAG(META, "")), VS_E_UNSUPPORTED);
}

static void every_truncation_of_a_swid_tag_is_refused(void **state)
{
    fixture *f = *state;
    vs_span xml = vs_str(TAG(META, "<Resource type='Measurement' index='1' h:Hash0='aa'/>"));
    for (size_t n = 0; n < xml.n; n++)
        assert_true(send(f, "swid", vs_span_head(xml, n)) != VS_OK);
    assert_vs_ok(send(f, "swid", xml), &err);
}

static void swid_bombs_are_refused(void **state)
{
    fixture *f = *state;
    vs_buf b = VS_BUF(8 << 20);
    vs_buf_puts(&b, "<SoftwareIdentity " NS ">");
    for (int i = 0; i < 100000; i++)
        vs_buf_puts(&b, "<a>");
    assert_vs_code(send(f, "swid", vs_buf_span(&b)), VS_E_LIMIT);
    vs_buf_clear(&b);
    vs_buf_puts(&b, "<SoftwareIdentity " NS ">" META "<Payload><Resource type='Measurement' "
                    "index='1'");
    for (int i = 0; i < 20000; i++)
        vs_buf_printf(&b, " h:Hash%d='aa'", i);
    vs_buf_puts(&b, "/></Payload></SoftwareIdentity>");
    assert_vs_code(send(f, "swid", vs_buf_span(&b)), VS_E_LIMIT);
    vs_buf_clear(&b);
    vs_buf_puts(&b, "<SoftwareIdentity " NS ">" META "<Payload>");
    for (int i = 0; i < 5000; i++)
        vs_buf_printf(&b, "<Resource type='Measurement' index='%d' h:Hash0='aa'/>", i);
    vs_buf_puts(&b, "</Payload></SoftwareIdentity>");
    assert_vs_code(send(f, "swid", vs_buf_span(&b)), VS_E_LIMIT);
    vs_buf_clear(&b);
    while (b.n <= 4 << 20)
        vs_buf_puts(&b, "                                                                ");
    assert_vs_code(send(f, "swid", vs_buf_span(&b)), VS_E_LIMIT);
    assert_int_equal(stored(f), 0);
    vs_buf_free(&b);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(entries_of_one_name_are_put_together),
        T(a_cca_manifest_gives_records_by_measurement),
        T(each_kind_of_value_has_its_name_and_form),
        T(one_bad_name_keeps_the_others_out),
        T(many_values_of_one_name_are_put_together_fast),
        T(validity_is_that_of_the_manifest_within_ours),
        T(the_signature_has_a_validity_of_its_own),
        T(running_out_of_memory_is_an_error),
        T(a_chain_to_an_anchor_is_believed),
        T(chains_that_prove_nothing_are_refused),
        T(a_trusted_key_is_believed_and_no_other),
        T(a_key_with_a_kid_answers_to_that_kid),
        T(every_flipped_bit_of_a_signed_corim_is_noticed),
        T(unsigned_messages_are_refused_where_signed_ones_are_required),
        T(without_anchors_nothing_that_must_be_signed_is_taken),
        T(what_cannot_be_an_anchor_is_refused),
        T(a_file_may_mix_certificates_and_keys),
        T(the_rim_of_nvidia_gives_nine_records),
        T(names_and_hashes_of_a_swid_tag),
        T(where_signatures_are_required_a_swid_tag_is_refused_with_the_reason),
        T(swid_tags_that_are_none_are_refused),
        T(every_truncation_of_a_swid_tag_is_refused),
        T(swid_bombs_are_refused),
    };
    return cmocka_run_group_tests_name("endorsements", tests, NULL, NULL);
}
