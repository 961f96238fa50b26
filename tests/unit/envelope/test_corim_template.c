/* SPDX-License-Identifier: Apache-2.0 */
/* CoRIM from templates and back, signing, and what the older libraries wrote. */
#include "rvps/messages.h"

#include "envelope/corim_template.h"

static vs_span comid_of(vs_val template)
{
    vs_buf b = VS_BUF(1 << 20);
    assert_vs_ok(corim_put_comid(&b, &arena, template, &err), &err);
    return on_arena(&b);
}

static vs_span manifest_from(vs_val template, const vs_span *comids, size_t n)
{
    vs_buf b = VS_BUF(1 << 20);
    assert_vs_ok(corim_put_manifest(&b, &arena, template, comids, n, &err), &err);
    return on_arena(&b);
}

static vs_span print(vs_val v)
{
    vs_buf b = VS_BUF(1 << 20);
    vs_json_print(&b, v);
    return on_arena(&b);
}

/* ---- from templates -------------------------------------------------------------------------- */

/* The published templates give the published files, but for the id: that of the files is a text of
 * 37 characters, that of the templates a UUID. */
static void cocli_templates_give_the_published_manifests(void **state)
{
    (void)state;
    static const struct {
        const char *file, *template, *comids[2];
        size_t n;
    } all[] = {{"corim-cca-platform-valid",
                "corim-cca-platform",
                {"comid-cca-platform-refval", "comid-cca-platform-ta"},
                2},
               {"corim-cca-realm-valid", "corim-cca-realm", {"comid-cca-realm-refval"}, 1}};
    need_shared("data/cca/corim-src");
    for (size_t i = 0; i < VS_COUNT(all); i++) {
        vs_span comids[2];
        for (size_t k = 0; k < all[i].n; k++)
            comids[k] = comid_of(
                shared_json(vs_sprintf(&arena, "data/cca/corim-src/%s.json", all[i].comids[k])));
        vs_val template =
            shared_json(vs_sprintf(&arena, "data/cca/corim-src/%s.json", all[i].template));
        vs_span ours = manifest_from(template, comids, all[i].n);
        vs_span theirs = shared_file(vs_sprintf(&arena, "data/cca/corim/%s.cbor", all[i].file));
        const size_t head = 5, uuid = 17, text = 39; /* 501, map and key; the ids */
        assert_span_eq(vs_span_head(ours, head), vs_span_head(theirs, head));
        assert_span_eq(vs_span_from(ours, head + uuid), vs_span_from(theirs, head + text));
        corim c;
        assert_vs_ok(corim_decode(&arena, ours, &c, &err), &err);
        assert_int_equal(c.n_comids, all[i].n);
        assert_true(c.id.is_uuid);
    }
}

/* Every vector that is deterministic comes back to the byte. */
static void manifests_come_back_from_json(void **state)
{
    (void)state;
    static const char *const exact[] = {
        "cca/corim/corim-cca-platform-valid",           "cca/corim/corim-cca-realm-valid",
        "cca/corim/corim-cca-platform-bad-no-class",    "cca/corim/corim-cca-platform-bad-ta-cert",
        "cca/corim/corim-cca-platform-bad-ta-instance", "cca/corim/corim-cca-realm-bad-instance"};
    need_shared("data/cca/corim");
    for (size_t i = 0; i < VS_COUNT(exact); i++) {
        vs_val v;
        vs_span in = shared_file(vs_sprintf(&arena, "data/%s.cbor", exact[i]));
        assert_vs_ok(corim_to_template(&arena, in, &v, &err), &err);
        vs_span again = manifest_from(v, NULL, 0);
        if (!vs_span_eq(in, again))
            fail_msg("%s differs: %.*s", exact[i], VS_FMT(print(v)));
    }
}

/* Those that keep members in another order mean the same afterwards. */
static void what_is_not_deterministic_means_the_same_afterwards(void **state)
{
    (void)state;
    static const char *const files[] = {"data/cca/corim/corimlib-cca-platform-valid.cbor",
                                        "data/cca/corim/corimlib-cca-realm-valid.cbor",
                                        "data/cca/corim/corimlib-no-profile.cbor",
                                        "data/rvps/unsigned-example-corim.cbor"};
    need_shared("data/cca/corim");
    for (size_t i = 0; i < VS_COUNT(files); i++) {
        vs_val v, again;
        assert_vs_ok(corim_to_template(&arena, shared_file(files[i]), &v, &err), &err);
        assert_vs_ok(corim_to_template(&arena, manifest_from(v, NULL, 0), &again, &err), &err);
        if (!vs_eq(v, again))
            fail_msg("%s:\n%.*s\n%.*s", files[i], VS_FMT(print(v)), VS_FMT(print(again)));
    }
}

#define COMID(triples) "{\"tag-identity\":{\"id\":\"t\",\"version\":3},\"triples\":{" triples "}}"
#define REFERENCE(mval)                                                                            \
    COMID("\"reference-values\":[{\"environment\":{\"class\":{\"vendor\":\"ACME\"}},"              \
          "\"measurements\":[{\"value\":" mval "}]}]")

/* Each kind of value: JSON, its CBOR, and what comes back where that is spelled otherwise. */
static void every_kind_of_value_goes_both_ways(void **state)
{
    (void)state;
    static const struct {
        const char *mval, *cbor, *back;
    } all[] = {
        {"{\"version\":{\"scheme\":\"semver\",\"value\":\"1\"}}",
         "a100a2006131"
         "01194000",
         NULL},
        {"{\"svn\":{\"type\":\"exact-value\",\"value\":5}}", "a101d9022805", NULL},
        {"{\"svn\":{\"type\":\"min-value\",\"value\":5}}", "a101d9022905", NULL},
        {"{\"svn\":{\"type\":\"uint\",\"value\":5}}", "a10105", NULL},
        {"{\"digests\":[[6,\"q83vAA\"]]}",
         "a1028182"
         "0644abcdef00",
         NULL},
        {"{\"digests\":[\"sha-256-32;q83vAA==\"]}",
         "a1028182"
         "0644abcdef00",
         "{\"digests\":[[6,\"q83vAA\"]]}"},
        {"{\"digests\":[\"sha-256-32:q83vAA==\"]}",
         "a1028182"
         "0644abcdef00",
         "{\"digests\":[[6,\"q83vAA\"]]}"},
        {"{\"digests\":[[\"x\",\"q83vAA==\"]]}",
         "a1028182"
         "617844abcdef00",
         "{\"digests\":[[\"x\",\"q83vAA\"]]}"},
        {"{\"flags\":{\"is-debug\":false,\"is-tcb\":true}}", "a103a203f408f5", NULL},
        {"{\"raw-value\":{\"type\":\"bytes\",\"value\":\"AQI=\"}}", "a104d90230420102", NULL},
        {"{\"raw-value\":{\"type\":\"masked\",\"value\":{\"value\":\"AQ==\",\"mask\":\"/w==\"}}}",
         "a104d90233824101"
         "41ff",
         "{\"raw-value\":{\"type\":\"masked\",\"value\":{\"mask\":\"/w==\",\"value\":\"AQ==\"}}}"},
        {"{\"raw-value\":{\"type\":\"#cbor\",\"value\":\"d9023401\"}}", "a104d9023401", NULL},
        {"{\"serial-number\":\"s\"}", "a1086173", NULL},
        {"{\"ueid\":\"AQ==\"}", "a1094101", NULL},
        {"{\"uuid\":\"31fb5abf-023e-4992-aa4e-95f9c1503bfa\"}",
         "a10a50"
         "31fb5abf023e4992aa4e95f9c1503bfa",
         NULL},
        {"{\"name\":\"n\"}", "a10b616e", NULL},
        {"{\"cryptokeys\":[{\"type\":\"thumbprint\",\"value\":[6,\"q83vAA\"]}]}",
         "a10d81d9022d820644abcdef00", NULL},
        {"{\"integrity-registers\":{\"a\":{\"key-type\":\"text\",\"value\":[[6,\"q83vAA\"]]},"
         "\"7\":{\"key-type\":\"uint\",\"value\":[[6,\"q83vAA\"]]}}}",
         "a10ea207"
         "81820644abcdef00"
         "6161"
         "81820644abcdef00",
         "{\"integrity-registers\":{\"7\":{\"key-type\":\"uint\",\"value\":[[6,\"q83vAA\"]]},"
         "\"a\":{\"key-type\":\"text\",\"value\":[[6,\"q83vAA\"]]}}}"},
        {"{\"#-2\":\"f6\",\"#99\":\"80\"}",
         "a2186380"
         "21f6",
         NULL},
        {"{\"name\":null,\"#7\":\"4101\"}", "a1074101", "{\"#7\":\"4101\"}"},
    };
    for (size_t i = 0; i < VS_COUNT(all); i++) {
        const char *text = vs_sprintf(&arena, REFERENCE("%s"), all[i].mval);
        vs_span want = vs_str(all[i].cbor), got = vs_hex_encode_arena(&arena, comid_of(json(text)));
        if (!vs_span_ends(got, want))
            fail_msg("%s: %.*s", all[i].mval, VS_FMT(got));
        vs_val v, mval;
        vs_span comid = comid_of(json(text));
        assert_vs_ok(corim_to_template(
                         &arena, manifest_from(json("{\"corim-id\":\"i\"}"), &comid, 1), &v, &err),
                     &err);
        mval = vs_pointer(v, VS_LIT("/comids/0/triples/reference-values/0/measurements/0/value"));
        assert_span_is(print(mval), all[i].back ? all[i].back : all[i].mval);
    }
}

static void ids_and_environments_go_both_ways(void **state)
{
    (void)state;
    static const char *const all[] = {
        "{\"class\":{\"id\":{\"type\":\"oid\",\"value\":\"2.999.3.16384\"}}}",
        "{\"class\":{\"id\":{\"type\":\"oid\",\"value\":\"1.3.6.1.4.1.37476\"}}}",
        "{\"class\":{\"id\":{\"type\":\"int\",\"value\":4}}}",
        "{\"class\":{\"id\":{\"type\":\"psa.impl-id\",\"value\":\"AQ==\"},\"index\":1,\"layer\":0,"
        "\"model\":\"M\",\"vendor\":\"V\"}}",
        "{\"instance\":{\"type\":\"ueid\",\"value\":\"AQ==\"}}",
        "{\"group\":{\"type\":\"uuid\",\"value\":\"31fb5abf-023e-4992-aa4e-95f9c1503bfa\"}}",
        "{\"instance\":{\"type\":\"#cbor\",\"value\":\"01\"}}",
    };
    for (size_t i = 0; i < VS_COUNT(all); i++) {
        const char *text = vs_sprintf(&arena,
                                      "{\"corim-id\":{\"type\":\"uuid\",\"value\":\"31fb5abf-023e-"
                                      "4992-aa4e-95f9c1503bfa\"},\"comids\":[" COMID(
                                          "\"endorsed-values\":[{\"environment\":%s,"
                                          "\"measurements\":[{\"key\":{\"type\":\"uint\","
                                          "\"value\":1},\"value\":{\"name\":\"n\"}}]}]") "]}",
                                      all[i]);
        vs_val v;
        assert_vs_ok(corim_to_template(&arena, manifest_from(json(text), NULL, 0), &v, &err), &err);
        assert_span_is(
            print(vs_pointer(v, VS_LIT("/comids/0/triples/endorsed-values/0/environment"))),
            all[i]);
        assert_span_is(vs_text(vs_pointer(v, VS_LIT("/corim-id/type"))), "uuid");
    }
}

static void templates_with_mistakes_say_where(void **state)
{
    (void)state;
    static const struct {
        const char *mval, *why;
    } bad[] = {
        {"{\"digest\":[]}", "CoMID template: /triples/reference-values/0/measurements/0/value: "
                            "unknown member \"digest\""},
        {"{\"digests\":[]}", "must not be empty"},
        {"{\"digests\":[[1]]}", "must be [algorithm, base64]"},
        {"{\"digests\":[\"sha-256\"]}", "must be like"},
        {"{\"digests\":[\"sha-1;q80=\"]}", "\"sha-1\" is not known"},
        {"{\"digests\":[[1,\"***\"]]}", "/measurements/0/value/digests/0: "},
        {"{\"svn\":{\"type\":\"exact-value\",\"value\":-1}}", "whole number"},
        {"{\"svn\":{\"type\":\"exact-value\",\"value\":1.5}}", "whole number"},
        {"{\"svn\":{\"type\":\"exact-value\"}}", "\"type\" and \"value\""},
        {"{\"svn\":{\"type\":\"exact-value\",\"value\":1,\"x\":1}}", "\"type\" and \"value\""},
        {"{\"svn\":{\"type\":\"x\",\"value\":1}}", "type \"x\" is not known"},
        {"{\"svn\":7}", "expected an object"},
        {"{\"name\":7}", "must be string, not number"},
        {"{\"#11\":\"00\"}", "unknown member \"#11\""},
        {"{\"#77\":\"ff\"}", "/value/#77: "},
        {"{\"#77\":\"\"}", "/value/#77: "},
        {"{\"raw-value\":{\"type\":\"masked\",\"value\":{\"value\":\"\"}}}", "\"mask\" is missing"},
        {"{\"integrity-registers\":{\"x\":{\"key-type\":\"uint\",\"value\":[[1,\"\"]]}}}",
         "key-type"},
        {"{\"integrity-registers\":{\"1\":{\"key-type\":\"uint\",\"value\":[[1,\"\"]]},"
         "\"01\":{\"key-type\":\"uint\",\"value\":[[1,\"\"]]}}}",
         "twice"},
        {"{\"uuid\":\"31fb5abf\"}", "not a UUID"},
        {"[]", "must be object, not array"},
    };
    char text[VS_ERROR_TEXT];
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1 << 20);
        err = (vs_error){0};
        vs_val v = json(vs_sprintf(&arena, REFERENCE("%s"), bad[i].mval));
        if (corim_put_comid(&b, &arena, v, &err) == VS_OK)
            fail_msg("%s is accepted", bad[i].mval);
        if (!strstr(vs_error_text(&err, text, sizeof text), bad[i].why))
            fail_msg("%s: \"%s\" does not say \"%s\"", bad[i].mval, text, bad[i].why);
    }
    static const char *const manifests[] = {
        "[]",
        "{}",
        "{\"corim-id\":\"i\"}",
        "{\"corim-id\":\"i\",\"comids\":[]}",
        "{\"corim-id\":\"i\",\"comids\":[{}]}",
        "{\"corim-id\":\"i\",\"comids\":[1]}",
        "{\"corim-id\":\"i\",\"comids\":[\"80\"],\"validity\":{\"not-before\":\"2026\"}}",
        "{\"corim-id\":\"i\",\"comids\":[\"80\"],\"profiles\":[\"a\",\"b\"]}",
        "{\"corim-id\":\"i\",\"comids\":[\"80\"],\"profiles\":[\"a\"],\"profile\":\"a\"}",
        "{\"corim-id\":\"i\",\"comids\":[\"80\"],\"profile\":{\"type\":\"oid\",\"value\":\"3.1\"}}",
        "{\"corim-id\":\"i\",\"comids\":[\"80\"],\"entities\":[{\"name\":\"x\"}]}",
        "{\"corim-id\":\"i\",\"comids\":[\"80\"],\"entities\":[{\"name\":\"x\",\"roles\":[\"y\"]}]"
        "}",
    };
    for (size_t i = 0; i < VS_COUNT(manifests); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1 << 20);
        if (corim_put_manifest(&b, &arena, json(manifests[i]), NULL, 0, &err) == VS_OK)
            fail_msg("%s is accepted", manifests[i]);
    }
}

/* ---- signing --------------------------------------------------------------------------------- */

static const char meta_text[] = "{\"signer\":{\"name\":\"ACME\",\"uri\":\"https://acme.example\"},"
                                "\"validity\":{\"not-after\":\"2030-01-01T00:00:00Z\"}}";

static void a_signed_manifest_has_all_in_its_protected_header(void **state)
{
    (void)state;
    static const vs_key_type types[] = {VS_KEY_P256, VS_KEY_P384, VS_KEY_P521, VS_KEY_ED25519};
    for (size_t i = 0; i < VS_COUNT(types); i++) {
        vs_key *key = fresh_key(types[i]);
        vs_buf b = VS_BUF(1 << 20);
        const corim_signature how = {.key = key, .meta = json(meta_text), .kid = VS_LIT("k1")};
        assert_vs_ok(corim_put_signed(&b, &arena, &how, simple_manifest(), &err), &err);
        corim_envelope e;
        assert_vs_ok(corim_open(vs_buf_span(&b), &e, &err), &err);
        assert_span_is(e.kid, "k1");
        assert_span_is(e.signer_name, "ACME");
        assert_true(e.validity.not_after == 1893456000 && e.validity.not_before == INT64_MIN);
        assert_span_eq(e.manifest, simple_manifest());
        assert_int_equal(e.n_chain, 0);
        assert_vs_ok(vs_cose_verify(&e.cose, key, nothing, &err), &err);
        vs_val v;
        assert_vs_ok(corim_meta_to_template(&arena, e.meta, &v, &err), &err);
        assert_span_is(print(v), meta_text);
        vs_buf_free(&b);
        vs_key_free(&key);
    }
}

static void the_chain_must_be_that_of_the_key(void **state)
{
    (void)state;
    signer ca = make_signer("root", NULL, "critical,CA:TRUE", "keyCertSign", 0);
    signer leaf = make_signer("signer", &ca, NULL, "digitalSignature", 0);
    vs_buf b = VS_BUF(1 << 20);
    vs_certs *chain = NULL, *wrong = NULL;
    const vs_span ders[] = {cert_der(&leaf), cert_der(&ca)};
    assert_vs_ok(vs_certs_from_der(ders, 2, &chain, &err), &err);
    assert_vs_ok(vs_certs_from_der(ders + 1, 1, &wrong, &err), &err);
    corim_signature how = {.key = leaf.key, .chain = chain};
    assert_vs_ok(corim_put_signed(&b, &arena, &how, simple_manifest(), &err), &err);
    corim_envelope e;
    assert_vs_ok(corim_open(vs_buf_span(&b), &e, &err), &err);
    assert_int_equal(e.n_chain, 2);
    assert_span_eq(e.chain[1], ders[1]);
    vs_buf_clear(&b);
    how.key = ca.key; /* not the leaf's */
    assert_vs_code(corim_put_signed(&b, &arena, &how, simple_manifest(), &err), VS_E_MISMATCH);
    how.chain = wrong; /* a CA signs certificates, nothing else */
    assert_vs_code(corim_put_signed(&b, &arena, &how, simple_manifest(), &err), VS_E_UNTRUSTED);
    assert_int_equal(b.n, 0);
    vs_certs_free(&chain);
    vs_certs_free(&wrong);
    drop_signer(&leaf);
    drop_signer(&ca);
    vs_buf_free(&b);
}

/* ---- the older form -------------------------------------------------------------------------- */

#define IMPLEMENTATION "61636d652d696d706c656d656e746174696f6e2d69642d303030303030303031"
#define SIGNER         "acbb11c7e4da217205523ce4ce1a245ae1a239ae3c6bfd9e7871f7e5d8bae86b"
/* As Veraison's library 1.1.2 writes it: no tag 501, CoMIDs as bytes of 506(map), a list of
 * profiles, attester keys at 2. */
static vs_span old_manifest(const char *profile, const char *triples)
{
    vs_buf comid = VS_BUF(1 << 16), b = VS_BUF(1 << 16);
    vs_buf_put(&comid, hex("d901faa201a1006174"
                           "04"));
    vs_buf_put(&comid, hex(triples));
    vs_buf_put(&b, hex("a300626964"
                       "0181"));
    vs_cbor_put_bytes(&b, vs_buf_span(&comid));
    vs_buf_put(&b, hex("0381"));
    vs_cbor_put_text(&b, profile);
    vs_buf_free(&comid);
    return on_arena(&b);
}

static void older_platform_manifests_are_read(void **state)
{
    (void)state;
    corim c;
    vs_span in = old_manifest("http://arm.com/cca/ssd/1",
                              "a2"
                              "008182"
                              "a100a100d902585820" IMPLEMENTATION "82"
                              "a200d90259a30162424c0463322e31055820" SIGNER "01a10281820158"
                              "20" DIGEST_A "a200d9025a6a6366672076312e302e30"
                              "01a104d902304472617776"
                              "028182"
                              "a200a100d902585820" IMPLEMENTATION
                              "01d9022658210101010101010101010101010101010101010101010101010101"
                              "01010101010101"
                              "81d9022a634b4559");
    assert_vs_ok(corim_decode(&arena, in, &c, &err), &err);
    assert_int_equal(c.cca.kind, CORIM_CCA_PLATFORM);
    assert_int_equal(c.cca.n_platforms, 1);
    const corim_cca_platform *p = &c.cca.platforms[0];
    assert_span_eq(p->implementation, hex(IMPLEMENTATION));
    assert_int_equal(p->n, 1);
    assert_span_is(p->components[0].type, "BL");
    assert_span_is(p->components[0].version, "2.1");
    assert_span_eq(p->components[0].signer, hex(SIGNER));
    assert_span_is(p->config, "rawv");
    assert_null(p->mask.p);
    assert_int_equal(c.cca.n_keys, 1);
    assert_span_is(c.cca.keys[0].key, "KEY");
    for (size_t n = 0; n < in.n; n++)
        assert_true(corim_decode(&arena, vs_dup(&arena, vs_span_head(in, n)), &c, &err) != VS_OK);
    /* Of another profile they are nothing that is read here. */
    assert_vs_code(corim_decode(&arena, old_manifest("http://x.example", "a0"), &c, &err),
                   VS_E_INVALID);
}

static void older_realm_manifests_are_read(void **state)
{
    (void)state;
    corim c;
#define OLD_REALM(rim, registers)                                                                  \
    "a1008182a200a100d82550cd1f0e5526f9460db9d8f7fde171787c01d902305820" rim "81a101a10"           \
    "e" registers
    vs_span in = old_manifest("http://arm.com/cca/realm/1",
                              OLD_REALM(DIGEST_A, "a2"
                                                  "6372696d8182015820" DIGEST_A
                                                  "6472656d328182015820" SIGNER));
    assert_vs_ok(corim_decode(&arena, in, &c, &err), &err);
    assert_int_equal(c.cca.n_realms, 1);
    assert_span_eq(c.cca.realms[0].rim, hex(DIGEST_A));
    assert_span_eq(c.cca.realms[0].rem[2], hex(SIGNER));
    assert_null(c.cca.realms[0].rem[0].p);
    vs_val v;
    assert_vs_ok(corim_to_template(&arena, in, &v, &err), &err);
    assert_span_is(vs_text(vs_getc(v, "profile")), "http://arm.com/cca/realm/1");
    assert_int_equal(vs_getc(v, "comids").u.items[0].kind, VS_OBJECT);
    static const char *const bad[] = {
        OLD_REALM(SIGNER, "a1"
                          "6372696d8182015820" DIGEST_A), /* another realm's RIM */
        OLD_REALM(DIGEST_A, "a1"
                            "6472656d308182015820" DIGEST_A), /* no RIM */
        OLD_REALM(DIGEST_A, "a2"
                            "6372696d8182015820" DIGEST_A "6172"
                            "8182015820" DIGEST_A), /* a register that is none */
        OLD_REALM(DIGEST_A, "a1"
                            "6372696d8282015820" DIGEST_A "82015820" DIGEST_A),
        OLD_REALM(DIGEST_A, "01"),
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_true(corim_decode(&arena, old_manifest("http://arm.com/cca/realm/1", bad[i]), &c,
                                 &err) != VS_OK);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void running_out_of_memory_is_an_error(void **state)
{
    (void)state;
    need_shared("data/cca/corim");
    vs_span in = shared_file("data/cca/corim/corim-cca-platform-valid.cbor");
    bool worked = false;
    for (size_t cap = 4096; !worked; cap += 4096) {
        vs_arena small;
        vs_val v;
        vs_buf b = VS_BUF(1 << 20);
        vs_arena_init(&small, cap);
        vs_code code = corim_to_template(&small, in, &v, NULL);
        if (code == VS_OK)
            code = corim_put_manifest(&b, &small, v, NULL, 0, NULL);
        worked = code == VS_OK;
        assert_true(worked ? vs_span_eq(vs_buf_span(&b), in) : code == VS_E_NOMEM);
        vs_buf_free(&b);
        vs_arena_free(&small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_arena(cocli_templates_give_the_published_manifests),
        in_arena(manifests_come_back_from_json),
        in_arena(what_is_not_deterministic_means_the_same_afterwards),
        in_arena(every_kind_of_value_goes_both_ways),
        in_arena(ids_and_environments_go_both_ways),
        in_arena(templates_with_mistakes_say_where),
        in_arena(a_signed_manifest_has_all_in_its_protected_header),
        in_arena(the_chain_must_be_that_of_the_key),
        in_arena(older_platform_manifests_are_read),
        in_arena(older_realm_manifests_are_read),
        in_arena(running_out_of_memory_is_an_error),
    };
    return cmocka_run_group_tests_name("corim template", tests, NULL, NULL);
}
