/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decryption of a flattened JWE (RFC 7516 section 7.2.2), and of what jwe_0_1.c makes.
 *
 * What is wrong with the form is said in detail. What goes wrong once the private key is in use is
 * not: whether unwrapping failed or the tag, a sender that could tell would have a padding oracle
 * (RFC 7516 section 11.5). A content key that cannot be unwrapped is replaced by a random one, and
 * the tag decides in all cases.
 */
#include "base/enc.h"
#include "base/io.h"
#include "envelope/jose.h"
#include "envelope/jwe.h"

enum { PARTY_MAX = 512 };

typedef struct jwe {
    vs_span aad; /* the protected header as received */
    vs_val header;
    bool old; /* the form of protocol 0.1.1: no additional data, the tag behind the ciphertext */
    vs_buf wrapped, iv, ct_tag;
} jwe;

static void free_jwe(jwe *j)
{
    vs_buf_free(&j->wrapped);
    vs_buf_free(&j->iv);
    vs_buf_free(&j->ct_tag);
}

/* ---- form ----------------------------------------------------------------------------------- */

/* Appends the bytes of a base64url member; between min and max of them. */
static vs_code decode(vs_val msg, const char *name, size_t min, size_t max, vs_buf *out,
                      vs_error *err)
{
    vs_val v;
    VS_TRY(vs_need(msg, name, VS_STRING, &v, err));
    size_t before = out->n;
    if (vs_text(v).n > (max + 2) / 3 * 4)
        return vs_fail(err, VS_E_INVALID, "member \"%s\" has more than %zu bytes", name, max);
    VS_TRY_WRAP(vs_b64_decode(out, VS_B64_URL, vs_text(v), err), err, "member \"%s\"", name);
    if (out->n - before < min || out->n - before > max)
        return vs_fail(err, VS_E_INVALID, "member \"%s\" has %zu bytes", name, out->n - before);
    return VS_OK;
}

/* Members that would change what is decrypted, and that nobody we talk to sends. */
static vs_code refuse_extras(vs_val object, const char *const *names, vs_error *err)
{
    for (; *names; names++) {
        vs_val v = vs_getc(object, *names);
        if (vs_defined(v) && v.kind != VS_NULL)
            return vs_fail(err, VS_E_UNSUPPORTED, "member \"%s\" is not supported", *names);
    }
    return VS_OK;
}

static vs_code parse_header(vs_arena *a, vs_span text, bool old, vs_val *header, vs_error *err)
{
    static const char *const extras[] = {"crit", "zip", NULL};
    vs_span json = text;
    vs_val enc;
    if (text.n > VS_JOSE_HEADER_MAX)
        return vs_fail(err, VS_E_LIMIT, "%zu bytes", text.n);
    if (!old)
        VS_TRY(vs_b64_decode_arena(a, VS_B64_URL, text, &json, err));
    VS_TRY(vs_json_parse(a, json, &(vs_json_opts){.depth = 16}, header, err));
    if (header->kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "not an object");
    VS_TRY(refuse_extras(*header, extras, err));
    VS_TRY(vs_need(*header, "enc", VS_STRING, &enc, err));
    if (!vs_span_is(vs_text(enc), "A256GCM"))
        return vs_fail(err, VS_E_UNSUPPORTED, "content encryption \"%.*s\" is not supported",
                       VS_FMT(vs_span_head(vs_text(enc), 32)));
    return VS_OK;
}

/* Ciphertext and tag, where they are. */
static vs_code parse_content(vs_val msg, jwe *j, vs_error *err)
{
    vs_val tag;
    VS_TRY(decode(msg, "ciphertext", j->old ? VS_JWE_TAG : 0, VS_JWE_PLAINTEXT_MAX + VS_JWE_TAG,
                  &j->ct_tag, err));
    if (!j->old)
        return decode(msg, "tag", VS_JWE_TAG, VS_JWE_TAG, &j->ct_tag, err);
    VS_TRY(vs_need(msg, "tag", VS_STRING, &tag, err));
    return vs_text(tag).n ? vs_fail(err, VS_E_INVALID, "member \"tag\" must be empty") : VS_OK;
}

static vs_code parse(vs_arena *a, vs_span json, bool old_too, jwe *j, vs_error *err)
{
    static const char *const extras[] = {"aad", "unprotected", "header", "recipients", NULL};
    vs_val msg, text;
    VS_TRY(vs_json_parse(a, json, &(vs_json_opts){.depth = 16, .nodes = 1000}, &msg, err));
    if (msg.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "not an object");
    VS_TRY(refuse_extras(msg, extras, err));
    VS_TRY(vs_need(msg, "protected", VS_STRING, &text, err));
    j->old = old_too && vs_span_starts(vs_text(text), VS_LIT("{"));
    j->aad = j->old ? VS_LIT("") : vs_text(text);
    VS_TRY_WRAP(parse_header(a, vs_text(text), j->old, &j->header, err), err, "protected header");
    j->wrapped.cap = VS_JWE_WRAPPED_MAX + 3;
    j->iv.cap = VS_JWE_IV + 3;
    j->ct_tag.cap = VS_JWE_PLAINTEXT_MAX + VS_JWE_TAG + 3;
    VS_TRY(decode(msg, "encrypted_key", 1, VS_JWE_WRAPPED_MAX, &j->wrapped, err));
    VS_TRY(decode(msg, "iv", VS_JWE_IV, VS_JWE_IV, &j->iv, err));
    return parse_content(msg, j, err);
}

/* ---- the content key ------------------------------------------------------------------------ */

/* apu or apv: absent means empty (RFC 7518 section 4.6.2). */
static vs_code party(vs_arena *a, vs_val header, const char *name, vs_span *out, vs_error *err)
{
    vs_val v;
    *out = (vs_span){NULL, 0};
    VS_TRY(vs_may(header, name, VS_STRING, &v, err));
    if (vs_text(v).n > PARTY_MAX)
        return vs_fail(err, VS_E_LIMIT, "member \"%s\" has %zu bytes", name, vs_text(v).n);
    return vs_b64_decode_arena(a, VS_B64_URL, vs_text(v), out, err);
}

static vs_code unwrap_with(vs_span z, vs_span apu, vs_span apv, vs_span wrapped, vs_buf *cek,
                           vs_error *err)
{
    uint8_t kek[VS_HASH_MAX];
    vs_code code = vs_concat_kdf(z, VS_LIT(VS_JWE_ALG_EC), apu, apv, 256, kek, err);
    if (code == VS_OK)
        code = vs_kw_unwrap(kek, wrapped, cek, err);
    vs_wipe(kek, sizeof kek);
    return code;
}

static vs_code unwrap_ec(vs_arena *a, const jwe *j, const vs_key *key, vs_buf *cek, vs_error *err)
{
    vs_val jwk;
    vs_span apu, apv;
    VS_CLEANUP(vs_key_free) vs_key *epk = NULL;
    VS_CLEANUP(vs_buf_free) vs_buf z = VS_BUF(66);
    VS_TRY(vs_need(j->header, "epk", VS_OBJECT, &jwk, err));
    VS_TRY_WRAP(vs_key_from_jwk(jwk, false, true, &epk, NULL, err), err, "ephemeral key");
    if (vs_key_kind(epk) != vs_key_kind(key))
        return vs_fail(err, VS_E_INVALID, "the ephemeral key is on another curve");
    VS_TRY(party(a, j->header, "apu", &apu, err));
    VS_TRY(party(a, j->header, "apv", &apv, err));
    VS_TRY(vs_ecdh(key, epk, &z, err));
    return unwrap_with(vs_buf_span(&z), apu, apv, vs_buf_span(&j->wrapped), cek, err);
}

static vs_code unwrap_old(const jwe *j, const vs_key *key, vs_buf *cek, vs_error *err)
{
    vs_val alg;
    VS_TRY(vs_need(j->header, "alg", VS_STRING, &alg, err));
    if (!vs_span_is(vs_text(alg), VS_JWE_ALG_0_1))
        return vs_fail(err, VS_E_UNSUPPORTED, "key management \"%.*s\" is none of protocol 0.1.1",
                       VS_FMT(vs_span_head(vs_text(alg), 32)));
    if (!vs_key_is_private(key) || vs_key_kind(key) != VS_KEY_RSA)
        return vs_fail(err, VS_E_INVALID, "our key does not fit %s", VS_JWE_ALG_0_1);
    uint8_t *at = vs_buf_reserve(cek, VS_JWE_CEK);
    return at ? vs_rsa15_decrypt_key(key, vs_buf_span(&j->wrapped), at, VS_JWE_CEK, err)
              : vs_buf_check(cek, err);
}

/* VS_E_CRYPTO when the key does not come out; anything else says what is wrong with the message. */
static vs_code unwrap(vs_arena *a, const jwe *j, const vs_key *key, vs_buf *cek, vs_error *err)
{
    vs_val alg;
    if (j->old)
        return unwrap_old(j, key, cek, err);
    VS_TRY(vs_need(j->header, "alg", VS_STRING, &alg, err));
    vs_key_type type = vs_key_kind(key);
    bool ec = vs_span_is(vs_text(alg), VS_JWE_ALG_EC);
    if (!ec && !vs_span_is(vs_text(alg), VS_JWE_ALG_RSA))
        return vs_fail(err, VS_E_UNSUPPORTED, "key management \"%.*s\" is not supported",
                       VS_FMT(vs_span_head(vs_text(alg), 32)));
    if (!vs_key_is_private(key) ||
        (ec ? type != VS_KEY_P256 && type != VS_KEY_P521 : type != VS_KEY_RSA))
        return vs_fail(err, VS_E_INVALID, "our key does not fit %s",
                       ec ? VS_JWE_ALG_EC : VS_JWE_ALG_RSA);
    return ec ? unwrap_ec(a, j, key, cek, err)
              : vs_oaep256_decrypt(key, vs_buf_span(&j->wrapped), cek, err);
}

static vs_code decrypt(vs_span json, bool old_too, const vs_key *key, vs_buf *plaintext,
                       vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 512 * 1024);
    VS_CLEANUP(free_jwe) jwe j = {0};
    VS_CLEANUP(vs_buf_free) vs_buf cek = VS_BUF(VS_JWE_WRAPPED_MAX);
    VS_TRY_WRAP(parse(&a, json, old_too, &j, err), err, "JWE");
    uint8_t use[VS_JWE_CEK];
    vs_random(use, VS_JWE_CEK);
    vs_code code = unwrap(&a, &j, key, &cek, err);
    if (code == VS_OK && cek.n == VS_JWE_CEK)
        memcpy(use, cek.p, VS_JWE_CEK);
    if (code == VS_OK || code == VS_E_CRYPTO)
        code = vs_gcm_open(use, j.iv.p, j.aad, vs_buf_span(&j.ct_tag), plaintext, err);
    vs_wipe(use, VS_JWE_CEK);
    if (code == VS_E_CRYPTO)
        return vs_fail(err, code, "the JWE cannot be decrypted with this key");
    if (code != VS_OK)
        (void)vs_wrap(err, "JWE");
    return code;
}

vs_code vs_jwe_decrypt(vs_span json, const vs_key *key, vs_buf *plaintext, vs_error *err)
{
    return decrypt(json, false, key, plaintext, err);
}

vs_code vs_jwe_decrypt_0_1(vs_span json, const vs_key *key, vs_buf *plaintext, vs_error *err)
{
    return decrypt(json, true, key, plaintext, err);
}
