/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JWE for a TEE key, as the KBS answers a resource request (kbs.md 2.3 and 2.4).
 *
 * The Rust client rebuilds the protected header from its members before it uses it as additional
 * data, so its text must be exactly what that client would write.
 */
#include "base/enc.h"
#include "base/io.h"
#include "envelope/jose.h"
#include "envelope/jwe.h"

enum { HEADER_MAX = 512 };

/* ---- the recipient -------------------------------------------------------------------------- */

static vs_code import_recipient(vs_val jwk, vs_key **key, vs_error *err)
{
    vs_val alg;
    vs_key_type type;
    if (jwk.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "the key is not a JWK object");
    VS_TRY(vs_need(jwk, "alg", VS_STRING, &alg, err));
    bool ec = vs_span_is(vs_text(alg), VS_JWE_ALG_EC);
    /* RSA1_5 in particular: whoever can ask twice can use the client as a padding oracle. */
    if (!ec && !vs_span_is(vs_text(alg), VS_JWE_ALG_RSA))
        return vs_fail(err, VS_E_INVALID, "encryption algorithm \"%.*s\" is not accepted",
                       VS_FMT(vs_span_head(vs_text(alg), 32)));
    VS_CLEANUP(vs_key_free) vs_key *k = NULL;
    VS_TRY(vs_key_from_jwk(jwk, false, true, &k, NULL, err));
    type = vs_key_kind(k);
    if (ec ? type != VS_KEY_P256 && type != VS_KEY_P521 : type != VS_KEY_RSA)
        return vs_fail(err, VS_E_INVALID, "encryption algorithm %s does not fit the key",
                       ec ? VS_JWE_ALG_EC : VS_JWE_ALG_RSA);
    *key = k;
    k = NULL;
    return VS_OK;
}

/* Whatever is wrong with the key is the peer's mistake: one code for all of it. */
static vs_code recipient(vs_val jwk, vs_key **key, vs_error *err)
{
    vs_code code = import_recipient(jwk, key, err);
    if (code == VS_E_UNSUPPORTED || code == VS_E_PARSE) {
        code = VS_E_INVALID;
        if (err)
            err->code = code;
    }
    if (code != VS_OK)
        (void)vs_wrap(err, "tee-pubkey cannot be encrypted to");
    return code;
}

vs_code vs_jwe_check_recipient(vs_val recipient_jwk, vs_error *err)
{
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    return recipient(recipient_jwk, &key, err);
}

/* ---- key management ------------------------------------------------------------------------- */

/* Members of epk in alphabetical order. */
static vs_code write_ec_header(vs_buf *header, const vs_key *epk, vs_error *err)
{
    uint8_t point[133];
    size_t n;
    VS_TRY(vs_key_point(epk, point, &n, err));
    size_t field = (n - 1) / 2;
    vs_buf_printf(header,
                  "{\"alg\":\"" VS_JWE_ALG_EC
                  "\",\"enc\":\"A256GCM\",\"epk\":{\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"",
                  vs_key_kind(epk) == VS_KEY_P256 ? "P-256" : "P-521");
    vs_b64_encode(header, VS_B64_URL, vs_span_of(point + 1, field));
    vs_buf_puts(header, "\",\"y\":\"");
    vs_b64_encode(header, VS_B64_URL, vs_span_of(point + 1 + field, field));
    vs_buf_puts(header, "\"}}");
    return VS_OK;
}

static vs_code wrap_ec(const vs_key *to, vs_span cek, vs_buf *header, vs_buf *wrapped,
                       vs_error *err)
{
    VS_CLEANUP(vs_key_free) vs_key *epk = NULL;
    VS_CLEANUP(vs_buf_free) vs_buf z = VS_BUF(66);
    VS_TRY(vs_key_generate(vs_key_kind(to), &epk, err));
    VS_TRY(write_ec_header(header, epk, err));
    VS_TRY(vs_ecdh(epk, to, &z, err));
    uint8_t kek[VS_HASH_MAX];
    const vs_span none = {NULL, 0};
    vs_code code = vs_concat_kdf(vs_buf_span(&z), VS_LIT(VS_JWE_ALG_EC), none, none, 256, kek, err);
    if (code == VS_OK)
        code = vs_kw_wrap(kek, cek, wrapped, err);
    vs_wipe(kek, sizeof kek);
    return code;
}

static vs_code wrap_cek(const vs_key *to, vs_span cek, vs_buf *header, vs_buf *wrapped,
                        vs_error *err)
{
    if (vs_key_kind(to) != VS_KEY_RSA)
        return wrap_ec(to, cek, header, wrapped, err);
    vs_buf_puts(header, "{\"alg\":\"" VS_JWE_ALG_RSA "\",\"enc\":\"A256GCM\"}");
    return vs_oaep256_encrypt(to, cek, wrapped, err);
}

/* ---- the message ---------------------------------------------------------------------------- */

static void put_member(vs_buf *json, const char *before, vs_span bytes)
{
    vs_buf_puts(json, before);
    vs_b64_encode(json, VS_B64_URL, bytes);
}

static vs_code write_jwe(vs_buf *json, vs_span protected_text, vs_span wrapped, vs_span iv,
                         vs_span ct_tag, vs_error *err)
{
    size_t start = json->n, ct = ct_tag.n - VS_JWE_TAG;
    vs_buf_puts(json, "{\"protected\":\"");
    vs_buf_put(json, protected_text);
    put_member(json, "\",\"encrypted_key\":\"", wrapped);
    put_member(json, "\",\"iv\":\"", iv);
    put_member(json, "\",\"ciphertext\":\"", vs_span_head(ct_tag, ct));
    put_member(json, "\",\"tag\":\"", vs_span_from(ct_tag, ct));
    vs_buf_puts(json, "\"}");
    vs_code code = vs_buf_check(json, err);
    if (code != VS_OK)
        vs_buf_truncate(json, start);
    return code;
}

vs_code vs_jwe_encrypt(vs_buf *json, vs_val recipient_jwk, vs_span plaintext, vs_error *err)
{
    VS_CLEANUP(vs_key_free) vs_key *to = NULL;
    VS_CLEANUP(vs_buf_free) vs_buf cek = VS_BUF(VS_JWE_CEK), wrapped = VS_BUF(VS_JWE_WRAPPED_MAX);
    VS_CLEANUP(vs_buf_free) vs_buf header = VS_BUF(HEADER_MAX), text = VS_BUF(2 * HEADER_MAX);
    VS_TRY(recipient(recipient_jwk, &to, err));
    if (plaintext.n > VS_JWE_PLAINTEXT_MAX)
        return vs_fail(err, VS_E_LIMIT, "plaintext has %zu bytes, at most %d are taken",
                       plaintext.n, VS_JWE_PLAINTEXT_MAX);
    uint8_t *key = vs_buf_reserve(&cek, VS_JWE_CEK);
    if (!key)
        return vs_buf_check(&cek, err);
    vs_random(key, VS_JWE_CEK);
    VS_TRY(wrap_cek(to, vs_buf_span(&cek), &header, &wrapped, err));
    vs_b64_encode(&text, VS_B64_URL, vs_buf_span(&header));
    VS_TRY(vs_buf_check(&text, err));
    uint8_t iv[VS_JWE_IV];
    vs_random(iv, VS_JWE_IV);
    VS_CLEANUP(vs_buf_free) vs_buf ct_tag = VS_BUF(plaintext.n + VS_JWE_TAG);
    VS_TRY(vs_gcm_seal(key, iv, vs_buf_span(&text), plaintext, &ct_tag, err));
    return write_jwe(json, vs_buf_span(&text), vs_buf_span(&wrapped), vs_span_of(iv, VS_JWE_IV),
                     vs_buf_span(&ct_tag), err);
}
