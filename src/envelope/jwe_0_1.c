/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the KBS of protocol 0.1.1 answers (jwe_decrypt.c reads it): JSON with the members of a JWE,
 * but "protected" is the header's text itself, the GCM tag stands behind the ciphertext, "tag" is
 * empty and there is no additional data. RSA1_5 is all that its clients have.
 */
#include "base/enc.h"
#include "base/io.h"
#include "envelope/jose.h"
#include "envelope/jwe.h"

#define ALG VS_JWE_ALG_0_1

static vs_code import_key(vs_val jwk, vs_key **key, vs_error *err)
{
    vs_val alg;
    if (jwk.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "the key is not a JWK object");
    VS_TRY(vs_need(jwk, "alg", VS_STRING, &alg, err));
    if (!vs_span_is(vs_text(alg), ALG))
        return vs_fail(err, VS_E_INVALID, "encryption algorithm \"%.*s\" is none of protocol 0.1.1",
                       VS_FMT(vs_span_head(vs_text(alg), 32)));
    VS_CLEANUP(vs_key_free) vs_key *k = NULL;
    if (vs_key_from_jwk(jwk, false, true, &k, NULL, err) != VS_OK)
        return vs_fail(err, VS_E_INVALID, "tee-pubkey cannot be encrypted to");
    if (vs_key_kind(k) != VS_KEY_RSA)
        return vs_fail(err, VS_E_INVALID, "encryption algorithm " ALG " does not fit the key");
    *key = k;
    k = NULL;
    return VS_OK;
}

vs_code vs_jwe_check_recipient_0_1(vs_val recipient_jwk, vs_error *err)
{
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    return import_key(recipient_jwk, &key, err);
}

vs_code vs_jwe_encrypt_0_1(vs_buf *json, vs_val recipient_jwk, vs_span plaintext, vs_error *err)
{
    VS_CLEANUP(vs_key_free) vs_key *to = NULL;
    VS_CLEANUP(vs_buf_free) vs_buf cek = VS_BUF(VS_JWE_CEK), wrapped = VS_BUF(VS_JWE_WRAPPED_MAX);
    VS_TRY(import_key(recipient_jwk, &to, err));
    if (plaintext.n > VS_JWE_PLAINTEXT_MAX)
        return vs_fail(err, VS_E_LIMIT, "plaintext has %zu bytes, at most %d are taken",
                       plaintext.n, VS_JWE_PLAINTEXT_MAX);
    uint8_t *key = vs_buf_reserve(&cek, VS_JWE_CEK);
    if (!key)
        return vs_buf_check(&cek, err);
    vs_random(key, VS_JWE_CEK);
    VS_TRY(vs_rsa15_encrypt(to, vs_buf_span(&cek), &wrapped, err));
    uint8_t iv[VS_JWE_IV];
    vs_random(iv, VS_JWE_IV);
    VS_CLEANUP(vs_buf_free) vs_buf ct_tag = VS_BUF(plaintext.n + VS_JWE_TAG);
    VS_TRY(vs_gcm_seal(key, iv, VS_LIT(""), plaintext, &ct_tag, err));

    size_t start = json->n;
    vs_buf_puts(json, "{\"protected\":\"{\\\"alg\\\":\\\"" ALG
                      "\\\",\\\"enc\\\":\\\"A256GCM\\\"}\",\"encrypted_key\":\"");
    vs_b64_encode(json, VS_B64_URL, vs_buf_span(&wrapped));
    vs_buf_puts(json, "\",\"iv\":\"");
    vs_b64_encode(json, VS_B64_URL, vs_span_of(iv, VS_JWE_IV));
    vs_buf_puts(json, "\",\"ciphertext\":\"");
    vs_b64_encode(json, VS_B64_URL, vs_buf_span(&ct_tag));
    vs_buf_puts(json, "\",\"tag\":\"\"}");
    vs_code code = vs_buf_check(json, err);
    if (code != VS_OK)
        vs_buf_truncate(json, start);
    return code;
}
