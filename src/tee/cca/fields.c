/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/fields.h"

#include "base/enc.h"
#include "value/json.h"

static vs_code decode_hex(vs_arena *a, vs_val text, const char *key, size_t size, vs_span *out,
                          vs_error *err)
{
    VS_TRY_WRAP(vs_hex_decode_arena(a, vs_text(text), out, err), err, "member \"%s\"", key);
    if (size && out->n != size)
        return vs_fail(err, VS_E_INVALID, "member \"%s\" has %zu bytes, must have %zu", key, out->n,
                       size);
    return VS_OK;
}

vs_code cca_need_hex(vs_arena *a, vs_val object, const char *key, size_t size, vs_span *out,
                     vs_error *err)
{
    vs_val text;
    VS_TRY(vs_need(object, key, VS_STRING, &text, err));
    return decode_hex(a, text, key, size, out, err);
}

vs_code cca_may_hex(vs_arena *a, vs_val object, const char *key, size_t size, vs_span *out,
                    vs_error *err)
{
    vs_val text;
    *out = (vs_span){NULL, 0};
    VS_TRY(vs_may(object, key, VS_STRING, &text, err));
    return vs_defined(text) ? decode_hex(a, text, key, size, out, err) : VS_OK;
}

static bool is_digest(vs_span s)
{
    return s.n == 32 || s.n == 48 || s.n == 64;
}

vs_code cca_need_digest(vs_arena *a, vs_val object, const char *key, vs_span *out, vs_error *err)
{
    VS_TRY(cca_need_hex(a, object, key, 0, out, err));
    if (!is_digest(*out))
        return vs_fail(err, VS_E_INVALID, "member \"%s\" has %zu bytes, must have 32, 48 or 64",
                       key, out->n);
    return VS_OK;
}

vs_code cca_item_digest(vs_arena *a, vs_val item, vs_span *out, vs_error *err)
{
    if (item.kind != VS_STRING)
        return vs_fail(err, VS_E_INVALID, "must be a string, not %s",
                       vs_kind_name((vs_kind)item.kind));
    VS_TRY(vs_hex_decode_arena(a, vs_text(item), out, err));
    if (!is_digest(*out))
        return vs_fail(err, VS_E_INVALID, "has %zu bytes, must have 32, 48 or 64", out->n);
    return VS_OK;
}

vs_code cca_may_text(vs_val object, const char *key, vs_span *out, vs_error *err)
{
    vs_val text;
    *out = (vs_span){NULL, 0};
    VS_TRY(vs_may(object, key, VS_STRING, &text, err));
    if (vs_defined(text))
        *out = text.len ? vs_text(text) : VS_LIT("");
    return VS_OK;
}

vs_code cca_component_labels(vs_arena *a, vs_val entry, cca_component *out, vs_error *err)
{
    VS_TRY(cca_need_digest(a, entry, "signer-id", &out->signer_id, err));
    VS_TRY(cca_may_text(entry, "component-type", &out->type, err));
    return cca_may_text(entry, "version", &out->version, err);
}

static vs_code read_key(vs_val jwk, cca_anchor *out, vs_error *err)
{
    vs_alg alg;
    VS_TRY(vs_key_from_jwk(jwk, false, false, &out->cpak, &alg, err));
    if (vs_key_kind(out->cpak) == VS_KEY_RSA)
        return vs_fail(err, VS_E_INVALID, "must be an EC or Ed25519 key");
    /* Else a key with, say, "alg":"ECDH-ES" would be usable for signatures. */
    if (vs_defined(vs_getc(jwk, "alg")) && !vs_key_fits(out->cpak, alg))
        return vs_fail(err, VS_E_INVALID, "has an \"alg\" that does not fit the key");
    return VS_OK;
}

vs_code cca_key_identity(vs_val jwk, uint8_t identity[CCA_IDENTITY], vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(64 * 1024);
    uint8_t md[VS_HASH_MAX];
    VS_TRY_WRAP(vs_json_canonical(&text, jwk, err), err, "key");
    VS_TRY(vs_digest(VS_SHA256, vs_buf_span(&text), (vs_span){0}, (vs_span){0}, md, err));
    memcpy(identity, md, CCA_IDENTITY);
    return VS_OK;
}

vs_code cca_anchor_key(vs_arena *a, vs_val jwk, cca_anchor *out, vs_error *err)
{
    vs_error why = {0};
    if (read_key(jwk, out, &why) == VS_OK)
        return cca_key_identity(jwk, out->identity, err);
    char sentence[VS_ERROR_TEXT];
    vs_key_free(&out->cpak);
    out->flaw = vs_sprintf(a, "%s", vs_error_text(&why, sentence, sizeof sentence));
    return vs_arena_check(a, err);
}
