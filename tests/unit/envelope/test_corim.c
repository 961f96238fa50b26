/* SPDX-License-Identifier: Apache-2.0 */
/* CoRIM: envelope and manifest. What RVPS makes of them: rvps/test_endorsements.c. */
#include "rvps/messages.h"

static vs_code decode(vs_span in, corim *c)
{
    return corim_decode(&arena, in, c, &err);
}

static void the_example_of_the_draft_is_read(void **state)
{
    (void)state;
    corim_envelope e;
    corim c;
    need_shared("data/rvps/unsigned-example-corim.cbor");
    assert_vs_ok(corim_open(shared_file("data/rvps/unsigned-example-corim.cbor"), &e, &err), &err);
    assert_false(e.is_signed);
    assert_vs_ok(decode(e.manifest, &c), &err);
    assert_span_is(c.id.bytes, "test corim id");
    assert_span_is(c.profile, "http://example.com/example-profile");
    assert_int_equal(c.n, 1);
    assert_span_is(c.references[0].env.vendor, "ACME");
    assert_span_is(c.references[0].env.model, "RoadRunner");
    assert_int_equal(c.references[0].n, 3);
    const corim_measurement *m = &c.references[0].measurements[2];
    assert_int_equal(m->key, CORIM_KEY_UUID);
    assert_int_equal(m->n_digests, 1);
    assert_int_equal(m->digests[0].alg, 1);
    assert_span_eq(m->digests[0].value,
                   hex("a3a5e715f0cc574a73c3f9bebb6bc24f32ffd5b67b387244c2c909da779a1478"));
}

static vs_span cca_manifest(const char *name)
{
    return shared_file(vs_sprintf(&arena, "data/cca/corim/%s.cbor", name));
}

static void the_cca_manifests_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        size_t references, keys;
    } good[] = {{"corim-cca-platform-valid", 1, 1},
                {"corim-cca-realm-valid", 1, 0},
                {"corimlib-cca-platform-valid", 1, 1},
                {"corimlib-cca-realm-valid", 1, 0},
                {"corimlib-no-profile", 1, 0}};
    need_shared("data/cca/corim");
    for (size_t i = 0; i < VS_COUNT(good); i++) {
        corim c;
        vs_span in = cca_manifest(good[i].file);
        assert_vs_ok(decode(in, &c), &err);
        assert_int_equal(c.n, good[i].references);
        assert_int_equal(c.n_keys, good[i].keys);
        for (size_t n = 0; n < in.n; n++)
            assert_true(decode(vs_dup(&arena, vs_span_head(in, n)), &c) != VS_OK);
    }
}

/* All that the README calls bad or invalid. */
static void cca_manifests_that_break_their_profile_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *file, *why;
    } bad[] = {
        {"corim-cca-platform-bad-no-class", "class id"},
        {"corim-cca-platform-bad-ta-instance", "UEID"},
        {"corim-cca-platform-bad-ta-cert", "public key"},
        {"corim-cca-platform-bad-refval-instance", "not of an instance"},
        {"corim-cca-platform-bad-refval-mkey-string", "key that is not the profile's"},
        {"corim-cca-platform-bad-refval-no-digests", "digests"},
        {"corim-cca-platform-bad-refval-no-mkey", "key that is not the profile's"},
        {"corim-cca-realm-bad-instance", "class id"},
        {"corim-cca-realm-bad-no-instance", "class id"},
        {"corim-cca-realm-bad-no-rim", "cca.rim"},
        {"corim-cca-realm-bad-no-raw-value", "raw value"},
        {"corimlib-cca-platform-invalid-digests", "digest"},
        {"corimlib-cca-platform-invalid-impl-id", "implementation id"},
        {"corimlib-cca-realm-invalid-missing-rim", "cca.rim"},
    };
    need_shared("data/cca/corim");
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        corim c;
        char text[VS_ERROR_TEXT];
        err = (vs_error){0};
        if (decode(cca_manifest(bad[i].file), &c) == VS_OK)
            fail_msg("%s is accepted", bad[i].file);
        if (!strstr(vs_error_text(&err, text, sizeof text), bad[i].why))
            fail_msg("%s: \"%s\" does not say \"%s\"", bad[i].file, text, bad[i].why);
    }
}

static void legacy_tags_are_taken_off(void **state)
{
    (void)state;
    static const char *const prefixes[] = {"d901f4", "d901f6", "d901f4d901f6",
                                           "d901f6d901f4d901f6"};
    corim_envelope e;
    for (size_t i = 0; i < VS_COUNT(prefixes); i++) {
        vs_buf b = VS_BUF(1 << 16);
        vs_buf_put(&b, hex(prefixes[i]));
        vs_buf_put(&b, simple_manifest());
        assert_vs_ok(corim_open(vs_buf_span(&b), &e, &err), &err);
        assert_span_eq(e.manifest, simple_manifest());
        vs_buf_free(&b);
    }
    assert_vs_ok(corim_open(hex("d901f4"), &e, &err), &err); /* nothing is left */
    assert_int_equal(e.manifest.n, 0);
}

/* Bodies of a CoRIM map that are refused; see cca.md 6.1 for what they mean. */
static void malformed_manifests_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *cbor;
        vs_code code;
    } bad[] = {
        {"", VS_E_PARSE},
        {"a0", VS_E_INVALID}, /* no tag */
        {"d901f6a200626964"
         "0180",
         VS_E_INVALID},             /* 502 */
        {"d901f5a0", VS_E_INVALID}, /* no id */
        {"d901f5a1"
         "0180",
         VS_E_INVALID}, /* no id */
        {"d901f5a1"
         "00626964",
         VS_E_INVALID}, /* no tags */
        {"d901f5a2"
         "0001"
         "0180",
         VS_E_INVALID}, /* id is a number */
        {"d901f5a2"
         "004101"
         "0180",
         VS_E_INVALID}, /* id of one byte */
        {"d901f5a2"
         "00626964"
         "01a0",
         VS_E_INVALID}, /* tags are a map */
        {"d901f5a2"
         "00626964"
         "0181d901fa41ff",
         VS_E_PARSE}, /* CoMID is no CBOR */
        {"d901f5a2"
         "00626964"
         "0181d901fa41a0",
         VS_E_INVALID}, /* no triples */
        {"d901f5a2"
         "00626964"
         "0181d901faa0",
         VS_E_INVALID}, /* CoMID is no byte string */
        {"d901f5a2"
         "00626964"
         "0181d901fa4404a10081",
         VS_E_PARSE},
        {"d901f5a3"
         "00626964"
         "00626964"
         "0180",
         VS_E_PARSE}, /* id twice */
        {"d901f5a3"
         "00626964"
         "0180"
         "04a10001",
         VS_E_INVALID}, /* time without a tag */
        {"d901f5a3"
         "00626964"
         "0180"
         "04a100c1fb41d954fc40000000",
         VS_E_UNSUPPORTED},
        {"d901f5a2"
         "00626964"
         "0180"
         "00",
         VS_E_PARSE}, /* a byte too many */
        {"d901f5bf"
         "00626964"
         "0180"
         "ff",
         VS_E_PARSE}, /* indefinite length */
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        corim c;
        vs_code code = decode(hex(bad[i].cbor), &c);
        if (code == VS_OK || (code != bad[i].code && code != VS_E_PARSE))
            fail_msg("%s: %s", bad[i].cbor, vs_code_name(code));
    }
}

static void malformed_measurements_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "a1028182014101", /* SHA-256 of one byte */
        "a102818201"
        "58"
        "21" DIGEST_A "01", /* of 33 */
        "a102818207"
        "5820" DIGEST_A, /* SHA-384 of 32 */
        "a102818267"
        "7368612d333834"
        "5820" DIGEST_A, /* by name */
        "a10281820240",  /* of no bytes */
        "a102818101",    /* one element */
        "a1028183014101"
        "01", /* three */
        "a10281a0",
        "a10201",
        "a10120",       /* a negative version */
        "a101d9022a01", /* svn with a foreign tag */
        "a101d90228"
        "616e",
        "a1011bffffffffffffffff",
        "a104d9023001", /* raw value of tag 560 that is no byte string */
        "a10b01",       /* name is a number */
        "a10801",
        "80",
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        corim c;
        vs_span m = measurement("626677", bad[i]);
        if (decode(manifest_of(&m, 1, 0, 0), &c) == VS_OK)
            fail_msg("%s is accepted", bad[i]);
    }
    corim c;
    assert_true(decode(manifest_of(NULL, 0, 0, 0), &c) != VS_OK); /* a triple of no measurements */
    vs_span m = measurement("d8254101", "a0");
    assert_true(decode(manifest_of(&m, 1, 0, 0), &c) != VS_OK); /* UUID of one byte */
}

static void unknown_members_and_kinds_are_passed_over(void **state)
{
    (void)state;
    corim c;
    vs_span m[] = {measurement("d86f43551d0f", "a2"
                                               "201a66910d6e"
                                               "61786179"), /* OID, extensions */
                   measurement("80", "a104d90233824101"
                                     "4101"), /* masked raw value */
                   measurement(NULL, "a1182a80")};
    assert_vs_ok(decode(manifest_of(m, 3, 0, 0), &c), &err);
    assert_int_equal(c.references[0].n, 3);
    for (size_t i = 0; i < 3; i++) {
        const corim_measurement *r = &c.references[0].measurements[i];
        assert_int_equal(r->key, CORIM_KEY_NONE);
        assert_null(r->raw.p);
        assert_int_equal(r->n_digests, 0);
        assert_int_equal(r->svn_kind, CORIM_SVN_NONE);
    }
    /* A CoSWID (505) among the tags. */
    assert_vs_ok(decode(hex("d901f5a200626964"
                            "0181d901f9a0"),
                        &c),
                 &err);
    assert_int_equal(c.n, 0);
}

static void headers_of_signed_manifests(void **state)
{
    (void)state;
    vs_key *key = fresh_key(VS_KEY_P256);
    corim_envelope e;
    vs_span chain[9];
    for (size_t i = 0; i < 9; i++)
        chain[i] = VS_LIT("cert");
    vs_span manifest = simple_manifest();
    vs_span in = sign_corim(key, corim_header(RIM_CBOR, "k1", chain, 3), manifest);
    assert_vs_ok(corim_open(in, &e, &err), &err);
    assert_true(e.is_signed);
    assert_span_is(e.kid, "k1");
    assert_span_is(e.signer_name, "ACME");
    assert_int_equal(e.n_chain, 3);
    assert_span_eq(e.manifest, manifest);
    for (size_t n = 0; n < in.n; n++)
        if (corim_open(vs_dup(&arena, vs_span_head(in, n)), &e, &err) == VS_OK)
            assert_int_equal(n, 0); /* not signed, and no manifest either */
    /* Without a content type, or with another's, a signature was made for something else. */
    in = sign_corim(key, corim_header(NULL, NULL, NULL, 0), manifest);
    assert_vs_code(corim_open(in, &e, &err), VS_E_INVALID);
    in = sign_corim(key, corim_header("application/eat+cwt", NULL, NULL, 0), manifest);
    assert_vs_code(corim_open(in, &e, &err), VS_E_INVALID);
    in = sign_corim(key, corim_header("application/rim+cbor; profile=\"x\"", NULL, NULL, 0),
                    manifest);
    assert_vs_ok(corim_open(in, &e, &err), &err);
    in = sign_corim(key, corim_header(RIM_CBOR, NULL, chain, 9), manifest);
    assert_vs_code(corim_open(in, &e, &err), VS_E_LIMIT);
    vs_key_free(&key);
}

static void a_bomb_is_refused_at_once(void **state)
{
    (void)state;
    corim c;
    corim_envelope e;
    vs_buf b = VS_BUF(8 << 20);
    /* Nesting beyond the decoder's depth. */
    vs_buf_put(&b, hex("d901f5a300626964"
                       "018018"
                       "64"));
    for (int i = 0; i < 100000; i++)
        vs_buf_putc(&b, (char)0x81);
    vs_buf_putc(&b, 0);
    assert_vs_code(decode(vs_buf_span(&b), &c), VS_E_LIMIT);
    vs_buf_clear(&b);
    /* A length of 2^32 - 1 where a few bytes follow. */
    vs_buf_put(&b, hex("d901f5a200626964"
                       "019affffffff"));
    assert_vs_code(decode(vs_buf_span(&b), &c), VS_E_PARSE);
    vs_buf_clear(&b);
    while (b.n <= CORIM_SIZE_MAX)
        vs_buf_put(&b, hex("d901f4"));
    assert_vs_code(corim_open(vs_buf_span(&b), &e, &err), VS_E_LIMIT);
    assert_vs_code(decode(vs_buf_span(&b), &c), VS_E_LIMIT);
    vs_buf_free(&b);
}

/* Digests of two bytes each fill the message: more records than the arena holds are an error. */
static void running_out_of_memory_is_an_error(void **state)
{
    (void)state;
    vs_span m[200];
    for (size_t i = 0; i < VS_COUNT(m); i++)
        m[i] = measurement("626677", "a1028182205820" DIGEST_A);
    vs_span in = manifest_of(m, VS_COUNT(m), 0, 0);
    bool worked = false;
    for (size_t cap = 4096; !worked; cap += 4096) {
        vs_arena small;
        corim c;
        vs_arena_init(&small, cap);
        vs_code code = corim_decode(&small, in, &c, NULL);
        worked = code == VS_OK;
        assert_true(worked ? c.references[0].n == VS_COUNT(m) : code == VS_E_NOMEM);
        vs_arena_free(&small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_arena(the_example_of_the_draft_is_read),
        in_arena(the_cca_manifests_are_read),
        in_arena(cca_manifests_that_break_their_profile_are_refused),
        in_arena(legacy_tags_are_taken_off),
        in_arena(malformed_manifests_are_refused),
        in_arena(malformed_measurements_are_refused),
        in_arena(unknown_members_and_kinds_are_passed_over),
        in_arena(headers_of_signed_manifests),
        in_arena(a_bomb_is_refused_at_once),
        in_arena(running_out_of_memory_is_an_error),
    };
    return cmocka_run_group_tests_name("corim", tests, NULL, NULL);
}
