/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/helpers.h"

#include <sys/wait.h>

#include "envelope/jose.h"
#include "envelope/jwe.h"

static const char *const plain = "attestation is not authorisation";

/* ---- key derivation ------------------------------------------------------------------------- */

static void the_key_of_rfc_7518_appendix_c_is_derived(void **state)
{
    (void)state;
    uint8_t out[VS_HASH_MAX];
    vs_span z = hex("9e56d91d817135d372834283bf84269cfb316ea3da806a48f6daa7798cfe90c4");
    assert_vs_ok(
        vs_concat_kdf(z, VS_LIT("A128GCM"), VS_LIT("Alice"), VS_LIT("Bob"), 128, out, &err), &err);
    assert_span_eq(vs_span_of(out, 16), b64u("VqqN6vgjbSBcIijNcacQGg"));
}

static void key_encryption_keys_of_the_shared_steps_are_derived(void **state)
{
    (void)state;
    need_shared("data/kbs/README.md");
    static const char *const steps[] = {"data/kbs/jwe-p256.steps.json",
                                        "data/kbs/jwe-p521.steps.json"};
    for (size_t i = 0; i < VS_COUNT(steps); i++) {
        vs_val s = shared_json(steps[i]);
        vs_span z, kek;
        uint8_t out[VS_HASH_MAX];
        assert_vs_ok(vs_hex_decode_arena(&arena, vs_text(vs_getc(s, "Z")), &z, &err), &err);
        assert_vs_ok(vs_hex_decode_arena(&arena, vs_text(vs_getc(s, "kek")), &kek, &err), &err);
        assert_vs_ok(vs_concat_kdf(z, VS_LIT("ECDH-ES+A256KW"), nothing, nothing, 256, out, &err),
                     &err);
        assert_span_eq(vs_span_of(out, 32), kek);
    }
}

/* ---- messages of the shared data ------------------------------------------------------------ */

static vs_key *tee_key(const char *rel)
{
    vs_key *k = NULL;
    assert_vs_ok(vs_key_from_pem(shared_file(rel), true, &k, &err), &err);
    return k;
}

static vs_code decrypt(vs_span text, const vs_key *k, const char *want)
{
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(4096);
    vs_code code = vs_jwe_decrypt(text, k, &out, &err);
    if (code == VS_OK)
        assert_span_is(vs_buf_span(&out), want);
    else
        assert_int_equal(out.n, 0);
    return code;
}

static void messages_of_the_shared_data_decrypt(void **state)
{
    (void)state;
    need_shared("data/kbs/README.md");
    static const struct {
        const char *file, *key;
        vs_code code;
    } rows[] = {
        {"data/kbs/jwe-p256.json", "data/kbs/tee-p256.pkcs8.pem", VS_OK},
        {"data/kbs/jwe-p521.json", "data/kbs/tee-p521.pkcs8.pem", VS_OK},
        {"data/kbs/jwe-rsa-oaep-256.json", "data/kbs/tee-rsa.pkcs8.pem", VS_OK},
        {"data/kbs/jwe-p256-badtag.json", "data/kbs/tee-p256.pkcs8.pem", VS_E_CRYPTO},
        {"data/kbs/jwe-rsa1_5.json", "data/kbs/tee-rsa.pkcs8.pem", VS_E_UNSUPPORTED},
        {"data/kbs/jwe-p256.json", "data/kbs/tee-p521.pkcs8.pem", VS_E_INVALID},
        {"data/kbs/jwe-p256.json", "data/kbs/tee-rsa.pkcs8.pem", VS_E_INVALID},
        {"data/kbs/jwe-rsa-oaep-256.json", "data/kbs/tee-p256.pkcs8.pem", VS_E_INVALID},
    };
    vs_span want = shared_file("data/kbs/plaintext.bin");
    for (size_t i = 0; i < VS_COUNT(rows); i++) {
        VS_CLEANUP(vs_key_free) vs_key *k = tee_key(rows[i].key);
        assert_vs_code(decrypt(shared_file(rows[i].file), k, (const char *)want.p), rows[i].code);
    }
}

/* ---- our own messages ----------------------------------------------------------------------- */

typedef struct peer {
    vs_key *key;
    vs_val jwk;
} peer;

static peer new_peer(vs_key_type type)
{
    peer p = {fresh_key(type), vs_undefined()};
    const char *alg = type == VS_KEY_RSA ? "RSA-OAEP-256" : "ECDH-ES+A256KW";
    assert_vs_ok(vs_key_to_jwk(&arena, p.key, alg, &p.jwk, &err), &err);
    return p;
}

static vs_span encrypted(const peer *p, const char *text)
{
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(8192);
    assert_vs_ok(vs_jwe_encrypt(&out, p->jwk, vs_str(text), &err), &err);
    return vs_dup(&arena, vs_buf_span(&out));
}

static void what_is_encrypted_decrypts(void **state)
{
    (void)state;
    static const vs_key_type types[] = {VS_KEY_P256, VS_KEY_P521, VS_KEY_RSA};
    for (size_t i = 0; i < VS_COUNT(types); i++) {
        peer p = new_peer(types[i]), other = new_peer(types[i]);
        assert_vs_ok(vs_jwe_check_recipient(p.jwk, &err), &err);
        assert_vs_ok(decrypt(encrypted(&p, plain), p.key, plain), &err);
        assert_vs_ok(decrypt(encrypted(&p, ""), p.key, ""), &err);
        assert_vs_code(decrypt(encrypted(&p, plain), other.key, plain), VS_E_CRYPTO);
        vs_key_free(&p.key);
        vs_key_free(&other.key);
    }
}

/* kbs.md 2.3: the Rust client writes the header anew, so every byte counts. */
static void the_protected_header_has_exactly_the_expected_text(void **state)
{
    (void)state;
    static const struct {
        vs_key_type type;
        const char *crv;
        int coordinate; /* characters */
    } rows[] = {{VS_KEY_P256, "P-256", 43}, {VS_KEY_P521, "P-521", 88}};
    for (size_t i = 0; i < VS_COUNT(rows); i++) {
        peer p = new_peer(rows[i].type);
        vs_val msg = json((const char *)encrypted(&p, plain).p), header;
        vs_span text;
        assert_vs_ok(vs_b64_decode_arena(&arena, VS_B64_URL, vs_text(vs_getc(msg, "protected")),
                                         &text, &err),
                     &err);
        assert_vs_ok(vs_json_parse(&arena, text, NULL, &header, &err), &err);
        vs_val epk = vs_getc(header, "epk");
        vs_span x = vs_text(vs_getc(epk, "x")), y = vs_text(vs_getc(epk, "y"));
        assert_int_equal(x.n, rows[i].coordinate);
        assert_int_equal(y.n, rows[i].coordinate);
        assert_span_is(
            text,
            vs_sprintf(&arena,
                       "{\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A256GCM\",\"epk\":{\"crv\":\"%s\","
                       "\"kty\":\"EC\",\"x\":\"%.*s\",\"y\":\"%.*s\"}}",
                       rows[i].crv, VS_FMT(x), VS_FMT(y)));
        vs_key_free(&p.key);
    }
    peer rsa = new_peer(VS_KEY_RSA);
    vs_val msg = json((const char *)encrypted(&rsa, plain).p);
    assert_span_eq(b64u(vs_sprintf(&arena, "%.*s", VS_FMT(vs_text(vs_getc(msg, "protected"))))),
                   VS_LIT("{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A256GCM\"}"));
    vs_key_free(&rsa.key);
}

static void the_message_has_exactly_the_expected_members(void **state)
{
    (void)state;
    peer p = new_peer(VS_KEY_P256);
    vs_span text = encrypted(&p, plain);
    vs_val msg = json((const char *)text.p);
    static const char *const members[] = {"protected", "encrypted_key", "iv", "ciphertext", "tag"};
    static const size_t chars[] = {0, 54, 16, 43, 22};
    assert_int_equal(msg.len, 5);
    size_t at = 0;
    for (size_t i = 0; i < VS_COUNT(members); i++) {
        char *found = strstr((const char *)text.p, vs_sprintf(&arena, "\"%s\":\"", members[i]));
        assert_non_null(found);
        assert_true((size_t)(found - (const char *)text.p) >= at);
        at = (size_t)(found - (const char *)text.p);
        if (chars[i])
            assert_int_equal(vs_text(vs_getc(msg, members[i])).n, chars[i]);
    }
    vs_key_free(&p.key);
}

static void nothing_is_used_twice(void **state)
{
    (void)state;
    peer p = new_peer(VS_KEY_P256);
    vs_val a = json((const char *)encrypted(&p, plain).p),
           b = json((const char *)encrypted(&p, plain).p);
    static const char *const members[] = {"protected", "encrypted_key", "iv", "ciphertext", "tag"};
    for (size_t i = 0; i < VS_COUNT(members); i++)
        assert_false(vs_eq(vs_getc(a, members[i]), vs_getc(b, members[i])));
    vs_key_free(&p.key);
}

/* ---- recipients ----------------------------------------------------------------------------- */

static void refuse_recipient(vs_val jwk)
{
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(8192);
    assert_vs_code(vs_jwe_check_recipient(jwk, &err), VS_E_INVALID);
    assert_vs_code(vs_jwe_encrypt(&out, jwk, vs_str(plain), &err), VS_E_INVALID);
    assert_int_equal(out.n, 0);
}

static void unsuitable_recipients_are_refused(void **state)
{
    (void)state;
    peer p256 = new_peer(VS_KEY_P256), p384 = new_peer(VS_KEY_P384), ed = new_peer(VS_KEY_ED25519);
    peer rsa = new_peer(VS_KEY_RSA);
    refuse_recipient(p384.jwk);
    refuse_recipient(ed.jwk);
    static const char *const ec_algs[] = {
        "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW",    "ES256",         "none",
        "dir",          "",        "ML-KEM-768+A192KW", "ecdh-es+a256kw"};
    for (size_t i = 0; i < VS_COUNT(ec_algs); i++)
        refuse_recipient(vs_with(&arena, p256.jwk, vs_cstring("alg"), vs_cstring(ec_algs[i])));
    static const char *const rsa_algs[] = {"RSA1_5",         "RSA-OAEP", "RSA-OAEP-512",
                                           "ECDH-ES+A256KW", "RS256",    "A256KW"};
    for (size_t i = 0; i < VS_COUNT(rsa_algs); i++)
        refuse_recipient(vs_with(&arena, rsa.jwk, vs_cstring("alg"), vs_cstring(rsa_algs[i])));
    static const char *const members[] = {"kty", "crv", "alg", "x", "y"};
    for (size_t i = 0; i < VS_COUNT(members); i++) {
        refuse_recipient(vs_with(&arena, p256.jwk, vs_cstring(members[i]), vs_undefined()));
        refuse_recipient(vs_with(&arena, p256.jwk, vs_cstring(members[i]), vs_int(1)));
        refuse_recipient(vs_with(&arena, p256.jwk, vs_cstring(members[i]), vs_cstring("!")));
    }
    refuse_recipient(vs_with(&arena, p256.jwk, vs_cstring("crv"), vs_cstring("P-521")));
    refuse_recipient(
        vs_with(&arena, p256.jwk, vs_cstring("x"), vs_getc(p256.jwk, "y"))); /* off the curve */
    refuse_recipient(vs_null());
    refuse_recipient(json("{\"kty\":\"oct\",\"alg\":\"A256KW\",\"k\":\"AAAA\"}"));
    refuse_recipient(json("{\"kty\":\"AKP\",\"alg\":\"ML-KEM-768+A192KW\",\"pub\":\"AAAA\"}"));
    refuse_recipient(
        json("{\"kty\":\"RSA\",\"alg\":\"RSA-OAEP-256\",\"n\":\"AQAB\",\"e\":\"AQAB\"}"));
    vs_key_free(&p256.key), vs_key_free(&p384.key), vs_key_free(&ed.key), vs_key_free(&rsa.key);
}

/* kbs.md 1.8: exactly 32 or 66 bytes; a P-521 x with its leading zero dropped is not what was
 * attested. */
static void recipient_coordinates_must_have_full_length(void **state)
{
    (void)state;
    for (bool found = false; !found;) {
        peer p = new_peer(VS_KEY_P521);
        uint8_t point[133];
        size_t n;
        assert_vs_ok(vs_key_point(p.key, point, &n, &err), &err);
        found = point[1] == 0;
        vs_val x = vs_string(vs_b64_encode_arena(&arena, VS_B64_URL, vs_span_of(point + 2, 65)));
        if (found)
            refuse_recipient(vs_with(&arena, p.jwk, vs_cstring("x"), x));
        vs_key_free(&p.key);
    }
}

/* ---- bad messages --------------------------------------------------------------------------- */

static void every_flipped_bit_is_refused(void **state)
{
    (void)state;
    peer p = new_peer(VS_KEY_P256);
    vs_span good = encrypted(&p, plain);
    uint8_t *bytes = copy_of(good);
    for (size_t bit = 0; bit < good.n * 8; bit++) {
        flip(bytes, bit);
        assert_int_not_equal(decrypt(vs_span_of(bytes, good.n), p.key, plain), VS_OK);
        flip(bytes, bit);
    }
    assert_vs_ok(decrypt(vs_span_of(bytes, good.n), p.key, plain), &err);
    vs_key_free(&p.key);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    peer p = new_peer(VS_KEY_P256);
    vs_span good = encrypted(&p, plain);
    for (size_t n = 0; n < good.n; n++)
        assert_int_not_equal(decrypt(vs_dup(&arena, vs_span_head(good, n)), p.key, plain), VS_OK);
    vs_key_free(&p.key);
}

static vs_span with_member(vs_span text, const char *name, vs_val v)
{
    vs_val msg;
    assert_vs_ok(vs_json_parse(&arena, text, NULL, &msg, &err), &err);
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(8192);
    vs_json_print(&out, vs_with(&arena, msg, vs_cstring(name), v));
    return vs_dup(&arena, vs_buf_span(&out));
}

static void members_that_are_missing_or_of_another_kind_are_refused(void **state)
{
    (void)state;
    peer p = new_peer(VS_KEY_P256);
    vs_span good = encrypted(&p, plain);
    static const char *const members[] = {"protected", "encrypted_key", "iv", "ciphertext", "tag"};
    for (size_t i = 0; i < VS_COUNT(members); i++) {
        assert_vs_code(decrypt(with_member(good, members[i], vs_undefined()), p.key, plain),
                       VS_E_INVALID);
        assert_vs_code(decrypt(with_member(good, members[i], vs_int(3)), p.key, plain),
                       VS_E_INVALID);
        assert_int_not_equal(decrypt(with_member(good, members[i], vs_cstring("")), p.key, plain),
                             VS_OK);
        assert_int_not_equal(
            decrypt(with_member(good, members[i], vs_cstring("AAAA")), p.key, plain), VS_OK);
        assert_int_not_equal(
            decrypt(with_member(good, members[i], vs_cstring("AAA=")), p.key, plain), VS_OK);
    }
    static const char *const extras[] = {"aad", "unprotected", "header", "recipients"};
    for (size_t i = 0; i < VS_COUNT(extras); i++) {
        assert_vs_code(decrypt(with_member(good, extras[i], vs_cstring("AAAA")), p.key, plain),
                       VS_E_UNSUPPORTED);
        assert_vs_ok(decrypt(with_member(good, extras[i], vs_null()), p.key, plain), &err);
    }
    static const char *const texts[] = {"", "[]", "null", "\"x\"", "{}", "a.b.c.d.e"};
    for (size_t i = 0; i < VS_COUNT(texts); i++)
        assert_int_not_equal(decrypt(vs_str(texts[i]), p.key, plain), VS_OK);
    vs_key_free(&p.key);
}

static vs_code decrypt_with_header(vs_span good, const vs_key *k, const char *header)
{
    vs_val text = vs_string(vs_b64_encode_arena(&arena, VS_B64_URL, vs_str(header)));
    return decrypt(with_member(good, "protected", text), k, plain);
}

static void headers_that_are_not_understood_are_refused(void **state)
{
    (void)state;
    peer p = new_peer(VS_KEY_P256);
    vs_span good = encrypted(&p, plain);
    vs_val msg = json((const char *)good.p), header;
    vs_span text;
    assert_vs_ok(
        vs_b64_decode_arena(&arena, VS_B64_URL, vs_text(vs_getc(msg, "protected")), &text, &err),
        &err);
    assert_vs_ok(vs_json_parse(&arena, text, NULL, &header, &err), &err);
    static const struct {
        const char *member, *value;
        vs_code code;
    } rows[] = {
        {"enc", "A128GCM", VS_E_UNSUPPORTED},
        {"enc", "A256CBC-HS512", VS_E_UNSUPPORTED},
        {"alg", "RSA1_5", VS_E_UNSUPPORTED},
        {"alg", "ECDH-ES", VS_E_UNSUPPORTED},
        {"alg", "dir", VS_E_UNSUPPORTED},
        {"alg", "none", VS_E_UNSUPPORTED},
        {"alg", "PBES2-HS256+A128KW", VS_E_UNSUPPORTED},
        {"alg", "A256KW", VS_E_UNSUPPORTED},
        {"alg", "RSA-OAEP-256", VS_E_INVALID},
        {"zip", "DEF", VS_E_UNSUPPORTED},
        {"crit", "x", VS_E_UNSUPPORTED},
        {"apu", "QWxpY2U", VS_E_CRYPTO},
        {"apv", "Qm9i", VS_E_CRYPTO},
        {"apu", "!", VS_E_PARSE},
        {"typ", "JOSE", VS_E_CRYPTO},
        {"epk", "x", VS_E_INVALID},
    };
    for (size_t i = 0; i < VS_COUNT(rows); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(4096);
        vs_json_print(
            &out, vs_with(&arena, header, vs_cstring(rows[i].member), vs_cstring(rows[i].value)));
        assert_vs_code(decrypt_with_header(good, p.key, (const char *)out.p), rows[i].code);
    }
    assert_vs_code(decrypt_with_header(good, p.key, "[]"), VS_E_INVALID);
    assert_vs_code(decrypt_with_header(good, p.key, "{}"), VS_E_INVALID);
    assert_int_not_equal(
        decrypt_with_header(good, p.key, "{\"alg\":\"x\",\"alg\":\"ECDH-ES+A256KW\"}"), VS_OK);
    vs_key_free(&p.key);
}

/* go-jose CVE-2016-9121: an ephemeral key off the curve leaks the private key. */
static void an_ephemeral_key_off_the_curve_is_refused(void **state)
{
    (void)state;
    peer p = new_peer(VS_KEY_P256);
    vs_span good = encrypted(&p, plain);
    static const char *const epks[] = {
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
        "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\","
        "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAI\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQ\",\"y\":\"Ag\"}",
        "{\"kty\":\"oct\",\"k\":\"AAAA\"}",
    };
    for (size_t i = 0; i < VS_COUNT(epks); i++) {
        const char *header = vs_sprintf(
            &arena, "{\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A256GCM\",\"epk\":%s}", epks[i]);
        vs_code code = decrypt_with_header(good, p.key, header);
        assert_true(code == VS_E_INVALID || code == VS_E_UNSUPPORTED);
    }
    vs_key_free(&p.key);
}

/* RFC 7516 11.5: which step failed must not show. */
static void all_cryptographic_failures_give_one_error(void **state)
{
    (void)state;
    static const vs_key_type types[] = {VS_KEY_P256, VS_KEY_RSA};
    for (size_t i = 0; i < VS_COUNT(types); i++) {
        peer p = new_peer(types[i]), other = new_peer(types[i]);
        vs_span good = encrypted(&p, plain);
        vs_val msg = json((const char *)good.p);
        static const char *const members[] = {"encrypted_key", "iv", "ciphertext", "tag"};
        for (size_t m = 0; m <= VS_COUNT(members); m++) {
            vs_span bad = good;
            if (m < VS_COUNT(members)) {
                vs_span bytes;
                assert_vs_ok(vs_b64_decode_arena(&arena, VS_B64_URL,
                                                 vs_text(vs_getc(msg, members[m])), &bytes, &err),
                             &err);
                uint8_t *changed = copy_of(bytes);
                flip(changed, 9);
                bad = with_member(good, members[m],
                                  vs_string(vs_b64_encode_arena(&arena, VS_B64_URL,
                                                                vs_span_of(changed, bytes.n))));
            }
            char text[VS_ERROR_TEXT];
            assert_vs_code(decrypt(bad, m < VS_COUNT(members) ? p.key : other.key, plain),
                           VS_E_CRYPTO);
            assert_string_equal(vs_error_text(&err, text, sizeof text),
                                "the JWE cannot be decrypted with this key");
        }
        vs_key_free(&p.key);
        vs_key_free(&other.key);
    }
}

/* ---- the form of protocol 0.1.1 ---------------------------------------------------------------
 */

static vs_code decrypt_0_1(vs_span text, const vs_key *k, const char *want)
{
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(4096);
    vs_code code = vs_jwe_decrypt_0_1(text, k, &out, &err);
    if (code == VS_OK)
        assert_span_is(vs_buf_span(&out), want);
    else
        assert_int_equal(out.n, 0);
    return code;
}

static peer new_old_peer(void)
{
    peer p = {fresh_key(VS_KEY_RSA), vs_undefined()};
    assert_vs_ok(vs_key_to_jwk(&arena, p.key, "RSA1_5", &p.jwk, &err), &err);
    return p;
}

static vs_span encrypted_0_1(const peer *p, const char *text)
{
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(8192);
    assert_vs_ok(vs_jwe_encrypt_0_1(&out, p->jwk, vs_str(text), &err), &err);
    return vs_dup(&arena, vs_buf_span(&out));
}

static void the_old_form_is_read_only_by_who_asks_for_it(void **state)
{
    (void)state;
    peer p = new_old_peer(), other = new_old_peer(), ec = new_peer(VS_KEY_P256);
    vs_span old = encrypted_0_1(&p, plain);
    assert_vs_ok(decrypt_0_1(old, p.key, plain), &err);
    assert_vs_ok(decrypt_0_1(encrypted_0_1(&p, ""), p.key, ""), &err);
    assert_int_not_equal(decrypt(old, p.key, plain), VS_OK);
    assert_vs_code(decrypt_0_1(old, other.key, plain), VS_E_CRYPTO);
    assert_vs_code(decrypt_0_1(old, ec.key, plain), VS_E_INVALID);
    assert_vs_ok(decrypt_0_1(encrypted(&ec, plain), ec.key, plain), &err); /* and today's form */
    /* RSA1_5 in today's form is nobody's, and so is OAEP in the old one. */
    vs_val msg = json((const char *)old.p);
    vs_span header = vs_text(vs_getc(msg, "protected"));
    assert_vs_code(
        decrypt_0_1(with_member(old, "protected",
                                vs_string(vs_b64_encode_arena(&arena, VS_B64_URL, header))),
                    p.key, plain),
        VS_E_INVALID); /* its tag is empty */
    assert_vs_code(decrypt_0_1(with_member(old, "protected",
                                           vs_cstring("{\"alg\":\"RSA-OAEP-256\","
                                                      "\"enc\":\"A256GCM\"}")),
                               p.key, plain),
                   VS_E_UNSUPPORTED);
    assert_vs_code(decrypt_0_1(with_member(old, "tag", vs_cstring("AAAA")), p.key, plain),
                   VS_E_INVALID);
    vs_key_free(&p.key);
    vs_key_free(&other.key);
    vs_key_free(&ec.key);
}

static void failures_of_the_old_form_give_one_error(void **state)
{
    (void)state;
    peer p = new_old_peer();
    vs_span good = encrypted_0_1(&p, plain);
    vs_val msg = json((const char *)good.p);
    static const char *const members[] = {"encrypted_key", "iv", "ciphertext"};
    for (size_t m = 0; m < VS_COUNT(members); m++) {
        vs_span bytes;
        assert_vs_ok(vs_b64_decode_arena(&arena, VS_B64_URL, vs_text(vs_getc(msg, members[m])),
                                         &bytes, &err),
                     &err);
        for (size_t bit = 0; bit<bytes.n * 8; bit += bytes.n> 64 ? 397 : 31) {
            uint8_t *changed = copy_of(bytes);
            flip(changed, bit);
            vs_span text = vs_b64_encode_arena(&arena, VS_B64_URL, vs_span_of(changed, bytes.n));
            char said[VS_ERROR_TEXT];
            assert_vs_code(
                decrypt_0_1(with_member(good, members[m], vs_string(text)), p.key, plain),
                VS_E_CRYPTO);
            assert_string_equal(vs_error_text(&err, said, sizeof said),
                                "the JWE cannot be decrypted with this key");
        }
    }
    for (size_t n = 0; n < good.n; n++)
        assert_int_not_equal(decrypt_0_1(vs_span_head(good, n), p.key, plain), VS_OK);
    vs_key_free(&p.key);
}

/* A well-wrapped content key of another length must look like any other failure, even when the
 * content is encrypted with its first 32 bytes. */
static void a_content_key_of_another_length_is_refused(void **state)
{
    (void)state;
    peer p = new_peer(VS_KEY_RSA);
    vs_span good = encrypted(&p, plain);
    vs_val msg = json((const char *)good.p);
    const uint8_t key[64] = {0}, iv[12] = {0};
    VS_CLEANUP(vs_buf_free) vs_buf ct = VS_BUF(200);
    assert_vs_ok(vs_gcm_seal(key, iv, vs_text(vs_getc(msg, "protected")), vs_str(plain), &ct, &err),
                 &err);
    vs_span all = vs_buf_span(&ct), parts[] = {vs_span_of(iv, 12), vs_span_head(all, all.n - 16),
                                               vs_span_from(all, all.n - 16)};
    static const char *const members[] = {"iv", "ciphertext", "tag"};
    for (size_t i = 0; i < VS_COUNT(members); i++)
        good = with_member(good, members[i],
                           vs_string(vs_b64_encode_arena(&arena, VS_B64_URL, parts[i])));
    static const size_t sizes[] = {0, 16, 31, 32, 33, 64};
    for (size_t i = 0; i < VS_COUNT(sizes); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf wrapped = VS_BUF(1024);
        assert_vs_ok(vs_oaep256_encrypt(p.key, vs_span_of(key, sizes[i]), &wrapped, &err), &err);
        vs_val text = vs_string(vs_b64_encode_arena(&arena, VS_B64_URL, vs_buf_span(&wrapped)));
        assert_vs_code(decrypt(with_member(good, "encrypted_key", text), p.key, plain),
                       sizes[i] == 32 ? VS_OK : VS_E_CRYPTO);
    }
    vs_key_free(&p.key);
}

static void a_public_key_does_not_decrypt(void **state)
{
    (void)state;
    peer p = new_peer(VS_KEY_P256);
    VS_CLEANUP(vs_key_free) vs_key *pub = key_of(p.jwk, false);
    assert_vs_code(decrypt(encrypted(&p, plain), pub, plain), VS_E_INVALID);
    vs_key_free(&p.key);
}

static void output_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    peer p = new_peer(VS_KEY_P256);
    VS_CLEANUP(vs_buf_free) vs_buf small = VS_BUF(100), tiny = VS_BUF(3);
    assert_vs_code(vs_jwe_encrypt(&small, p.jwk, vs_str(plain), &err), VS_E_NOMEM);
    assert_int_equal(small.n, 0);
    assert_vs_code(vs_jwe_decrypt(encrypted(&p, plain), p.key, &tiny, &err), VS_E_NOMEM);
    assert_int_equal(tiny.n, 0);
    assert_vs_code(
        vs_jwe_encrypt(&small, p.jwk, vs_span_of(plain, (size_t)VS_JWE_PLAINTEXT_MAX + 1), &err),
        VS_E_LIMIT);
    vs_key_free(&p.key);
}

/* ---- another implementation: the `jose` tool ------------------------------------------------ */

static void write_temp(const char *dir, const char *name, vs_span data)
{
    assert_vs_ok(vs_write_file(vs_sprintf(&arena, "%s/%s", dir, name), data, 0600, &err), &err);
}

static int run(const char *dir, const char *command)
{
    return WEXITSTATUS(system(vs_sprintf(&arena, "cd %s && %s", dir, command)));
}

/* Not the other way round: it writes epk into the unprotected header, which we do not read. */
static void the_jose_tool_reads_what_we_encrypt(void **state)
{
    (void)state;
    if (system("jose alg -k wrap >/dev/null 2>&1") != 0) {
        print_message("# skipped: the jose tool is not installed\n");
        skip();
    }
    char dir[] = P_tmpdir "/vs-jose-XXXXXX";
    assert_non_null(mkdtemp(dir));
    static const vs_key_type types[] = {VS_KEY_P256, VS_KEY_P521};
    for (size_t i = 0; i < VS_COUNT(types); i++) {
        peer p = new_peer(types[i]);
        VS_CLEANUP(vs_buf_free) vs_buf jwk = VS_BUF(4096), got = VS_BUF(4096);
        assert_vs_ok(vs_key_to_private_jwk(&jwk, p.key, &err), &err);
        write_temp(dir, "key.jwk", vs_buf_span(&jwk));
        write_temp(dir, "ours.jwe", encrypted(&p, plain));
        assert_int_equal(run(dir, "jose jwe dec -i ours.jwe -k key.jwk -O got"), 0);
        assert_vs_ok(vs_read_file(vs_sprintf(&arena, "%s/got", dir), &got, &err), &err);
        assert_span_is(vs_buf_span(&got), plain);
        vs_key_free(&p.key);
    }
    assert_int_equal(run(P_tmpdir, vs_sprintf(&arena, "rm -r %s", dir)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_arena(the_key_of_rfc_7518_appendix_c_is_derived),
        in_arena(key_encryption_keys_of_the_shared_steps_are_derived),
        in_arena(messages_of_the_shared_data_decrypt),
        in_arena(what_is_encrypted_decrypts),
        in_arena(the_protected_header_has_exactly_the_expected_text),
        in_arena(the_message_has_exactly_the_expected_members),
        in_arena(nothing_is_used_twice),
        in_arena(unsuitable_recipients_are_refused),
        in_arena(recipient_coordinates_must_have_full_length),
        in_arena(every_flipped_bit_is_refused),
        in_arena(every_truncation_is_refused),
        in_arena(members_that_are_missing_or_of_another_kind_are_refused),
        in_arena(headers_that_are_not_understood_are_refused),
        in_arena(an_ephemeral_key_off_the_curve_is_refused),
        in_arena(all_cryptographic_failures_give_one_error),
        in_arena(the_old_form_is_read_only_by_who_asks_for_it),
        in_arena(failures_of_the_old_form_give_one_error),
        in_arena(a_content_key_of_another_length_is_refused),
        in_arena(a_public_key_does_not_decrypt),
        in_arena(output_that_does_not_fit_is_refused),
        in_arena(the_jose_tool_reads_what_we_encrypt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
