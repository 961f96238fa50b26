/* SPDX-License-Identifier: Apache-2.0 */
/* A provider over a store, somebody who signs, and manifests of the Arm CCA profiles. */
#ifndef VS_TEST_RVPS_ENDORSER_H
#define VS_TEST_RVPS_ENDORSER_H

#include "messages.h"

#include "envelope/corim_template.h"
#include "rvps/rvps.h"

#define PLATFORM "tag:arm.com,2025:cca_platform#1.0.0"
#define REALM    "tag:arm.com,2025:cca_realm#1.0.0"

typedef struct fixture {
    vs_store *store;
    rvps *r;
    rvps_anchors *anchors;
    signer ca, leaf;
} fixture;

static inline int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    (void)arena_setup(state);
    assert_vs_ok(vs_store_open_memory(&f->store, &err), &err);
    assert_vs_ok(rvps_new(f->store, NULL, &f->r, &err), &err);
    assert_vs_ok(rvps_anchors_new(&f->anchors, &err), &err);
    f->ca = make_signer("root", NULL, "critical,CA:TRUE", "keyCertSign", 0);
    f->leaf = make_signer("signer", &f->ca, NULL, "digitalSignature", 0);
    assert_vs_ok(rvps_anchors_add(f->anchors, cert_pem(&f->ca), &err), &err);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    fixture *f = *state;
    rvps_free(&f->r);
    rvps_anchors_free(&f->anchors);
    vs_store_close(&f->store);
    drop_signer(&f->ca);
    drop_signer(&f->leaf);
    free(f);
    return arena_teardown(state);
}

typedef struct stored_keys {
    vs_span of[64];
    size_t n;
} stored_keys;

static inline vs_code add_key(void *user, vs_span key)
{
    stored_keys *k = user;
    assert_true(k->n < VS_COUNT(k->of));
    k->of[k->n++] = vs_dup(&arena, key);
    return VS_OK;
}

/* What the store has in a namespace now. */
static inline stored_keys keys_in(const fixture *f, const char *ns)
{
    stored_keys all = {.n = 0};
    assert_vs_ok(vs_store_list(f->store, ns, add_key, &all, &err), &err);
    return all;
}

static inline void with_options(fixture *f, rvps_options o)
{
    rvps_free(&f->r);
    assert_vs_ok(rvps_new(f->store, &o, &f->r, &err), &err);
}

static inline vs_code send_by(fixture *f, vs_span in, const char *by)
{
    err = (vs_error){0};
    vs_span m = message("corim", in);
    return *by ? rvps_register_vouched(f->r, m, vs_str(by), NOW, &err)
               : rvps_register_by(f->r, m, VS_LIT("admin, by his own word"), NOW, &err);
}

static inline vs_code send(fixture *f, vs_span in)
{
    return send_by(f, in, "admin");
}

static inline void expect_reason(const char *why)
{
    char text[VS_ERROR_TEXT];
    if (!strstr(vs_error_text(&err, text, sizeof text), why))
        fail_msg("\"%s\" does not say \"%s\"", text, why);
}

static inline vs_val value_at(fixture *f, const char *name, int64_t now)
{
    vs_val v;
    assert_vs_ok(rvps_query(f->r, vs_str(name), now, &arena, &v, &err), &err);
    return v;
}

static inline void expect_at(fixture *f, const char *name, int64_t now, const char *json_text)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1 << 20);
    vs_val v = value_at(f, name, now);
    if (vs_defined(v))
        vs_json_print(&b, v);
    else
        vs_buf_puts(&b, "absent");
    assert_span_is(vs_buf_span(&b), json_text);
}

static inline void expect(fixture *f, const char *name, const char *json_text)
{
    expect_at(f, name, NOW, json_text);
}

/* ---- manifests ------------------------------------------------------------------------------- */

static inline vs_span manifest(const char *text)
{
    vs_buf b = VS_BUF(1 << 20);
    assert_vs_ok(corim_put_manifest(&b, &arena, json(text), NULL, 0, &err), &err);
    return on_arena(&b);
}

static inline vs_span signed_by(const fixture *f, const signer *who, vs_span in)
{
    vs_buf b = VS_BUF(1 << 20);
    const vs_span ders[] = {cert_der(who), cert_der(&f->ca)};
    vs_certs *chain = NULL;
    assert_vs_ok(vs_certs_from_der(ders, 2, &chain, &err), &err);
    const corim_signature how = {
        .key = who->key, .chain = chain, .meta = json("{\"signer\":{\"name\":\"ACME\"}}")};
    assert_vs_ok(corim_put_signed(&b, &arena, &how, in, &err), &err);
    vs_certs_free(&chain);
    return on_arena(&b);
}

/* 32 bytes of zero as the class id, and as digest. */
#define ZERO  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define CLASS "\"class\":{\"id\":{\"type\":\"bytes\",\"value\":\"" ZERO "\"}}"
#define COMPONENT(name, digest)                                                                    \
    "{\"key\":{\"type\":\"string\",\"value\":\"cca.software-component\"},\"value\":{"              \
    "\"digests\":[[1,\"" digest "\"]],\"cryptokeys\":[{\"type\":\"bytes\",\"value\":\"" ZERO       \
    "\"}],\"name\":\"" name "\"}}"
#define CONFIG(value)                                                                              \
    "{\"key\":{\"type\":\"string\",\"value\":\"cca.platform-config\"},\"value\":{\"raw-value\":{"  \
    "\"type\":\"bytes\",\"value\":\"" value "\"},\"raw-value-mask\":\"/w==\"}}"
#define VALUES(measurements) "{\"environment\":{" CLASS "},\"measurements\":[" measurements "]}"
#define COMID(tag, version, triples)                                                               \
    "{\"tag-identity\":{\"id\":\"" tag "\",\"version\":" version "},\"triples\":{" triples "}}"
#define CORIM(id, profile, comids)                                                                 \
    "{\"corim-id\":\"" id "\",\"profile\":\"" profile "\",\"comids\":[" comids "]}"

#define DIGEST_1 "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"
#define DIGEST_2 "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI"
#define HEX_0    "0000000000000000000000000000000000000000000000000000000000000000"
#define HEX_1    "0101010101010101010101010101010101010101010101010101010101010101"
#define HEX_2    "0202020202020202020202020202020202020202020202020202020202020202"

#define KEY_A                                                                                      \
    "-----BEGIN PUBLIC "                                                                           \
    "KEY-----\\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMKBCTNIcKUSDii11ySs3526iDZ8A\\n"               \
    "iTo7Tu6KPAqv7D7gS2XpJFbZiItSs3m9+9Ue6GnvHw/GW2ZZaVtszggXIw==\\n-----END PUBLIC KEY-----"
#define KEY_B                                                                                      \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEW1BvqF+/ry8BWa7ZEMU1xYYHEQ8BlLT4MFHOaO+ICTtIvrEeEpr/sfTA" \
    "P66H2hCHdb5HEXKtRKod6QLcOLPA1Q=="
#define JWK_A                                                                                      \
    "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","     \
    "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}"
#define JWK_B                                                                                      \
    "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"W1BvqF-_ry8BWa7ZEMU1xYYHEQ8BlLT4MFHOaO-ICTs\","     \
    "\"y\":\"SL6xHhKa_7H0wD-uh9oQh3W-RxFyrUSqHekC3DizwNU\"}"
#define UEID_A "AQICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC"
#define UEID_B "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
#define CPAK_A "cca.cpak.01" HEX_2
#define CPAK_B "cca.cpak.01" HEX_1
#define KEY_TRIPLE(ueid, key)                                                                      \
    "{\"environment\":{" CLASS ",\"instance\":{\"type\":\"ueid\",\"value\":\"" ueid                \
    "\"}},\"verification-keys\":[{\"type\":\"pkix-base64-key\",\"value\":\"" key "\"}]}"
#define KEYS(triples) "\"attester-verification-keys\":[" triples "]"
#define REFS(triples) "\"reference-values\":[" triples "]"

/* Lives a year from NOW. */
#define UNTIL "\"valid-until\":\"2027-08-21T09:00:00Z\""
#define ENTRY_KEY(jwk, tag, version)                                                               \
    "{\"corim\":\"c\",\"implementation-id\":\"" HEX_0 "\",\"key\":" jwk ",\"tag\":\"" tag          \
    "\"," UNTIL ",\"version\":" version "}"

static inline vs_span key_manifest(const char *tag, int version, const char *triples)
{
    return manifest(
        vs_sprintf(&arena, CORIM("c", PLATFORM, COMID("%s", "%d", "%s")), tag, version, triples));
}

static inline vs_span platform_manifest(const char *tag, int version, const char *digest)
{
    return key_manifest(tag, version,
                        vs_sprintf(&arena, REFS(VALUES(COMPONENT("BL", "%s"))), digest));
}

#define PLATFORM_NAME "cca.platform." HEX_0
#define ENTRY_PLATFORM(digest, tag, version)                                                       \
    "{\"corim\":\"c\",\"sw-components\":[{\"component-type\":\"BL\",\"measurement-values\":["      \
    "\"" digest "\"],\"signer-id\":\"" HEX_0 "\"}],\"tag\":\"" tag "\"," UNTIL                     \
    ",\"version\":" version "}"

#endif
