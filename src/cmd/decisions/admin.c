/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/decisions/admin.h"

#include "as/policy.h"
#include "base/enc.h"
#include "base/io.h"
#include "cmd/admin_token.h"

vs_code admin_open(const admin_options *o, admin *out, vs_error *err)
{
    const kbsc_config cfg = {
        .url = o->url, .ca_file = o->cert_file, .user_agent = "vouchsafe/" VS_VERSION};
    *out = (admin){.token = VS_BUF(ADMIN_TOKEN_MAX)};
    vs_code code = kbsc_new(&cfg, &out->client, err);
    if (code == VS_OK)
        code = admin_token(o->admin_token_file, o->auth_private_key, &out->token, err);
    if (code != VS_OK)
        admin_close(out);
    return code;
}

void admin_close(admin *a)
{
    kbsc_free(&a->client);
    vs_buf_free(&a->token);
}

vs_code admin_get(admin *a, const char *path, vs_buf *answer, vs_error *err)
{
    return kbsc_admin(a->client, "GET", path, NULL, (vs_span){NULL, 0}, vs_buf_span(&a->token),
                      answer, err);
}

vs_code admin_read_key(const char *path, vs_arena *a, vs_key **out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(ADMIN_KEY_MAX);
    VS_TRY(vs_read_file(path, &text, err));
    if (vs_span_starts(vs_span_trim(vs_buf_span(&text)), VS_LIT("-----"))) {
        VS_TRY_WRAP(vs_key_from_pem(vs_buf_span(&text), false, out, err), err, "%s", path);
        return VS_OK;
    }
    vs_val jwk;
    VS_TRY_WRAP(vs_json_parse(a, vs_dup(a, vs_buf_span(&text)), NULL, &jwk, err), err,
                "%s is neither PEM nor JWK", path);
    VS_TRY_WRAP(vs_key_from_jwk(jwk, false, true, out, NULL, err), err, "%s", path);
    return VS_OK;
}

vs_code admin_open_record(vs_span jws, const vs_key *key, vs_arena *a, vs_val *record,
                          vs_error *err)
{
    vs_jws parsed;
    VS_TRY_WRAP(vs_jws_parse(a, vs_span_trim(jws), &parsed, err), err, "not a sealed record");
    if (key)
        VS_TRY_WRAP(vs_jws_verify(&parsed, key, VS_ES256, err), err, "the record's seal");
    VS_TRY_WRAP(vs_json_parse(a, parsed.payload, NULL, record, err), err, "not a sealed record");
    return VS_OK;
}

vs_code admin_policy_in_record(const void *user, vs_span id, vs_span sha256, vs_arena *a,
                               vs_span *text, vs_error *err)
{
    (void)id;
    const vs_val *record = user;
    vs_val found = vs_get(vs_getc(*record, "policies"), sha256);
    if (found.kind != VS_STRING)
        return vs_fail(err, VS_E_NOT_FOUND, "the record does not hold the text");
    *text = vs_text(found);
    uint8_t md[VS_HASH_MAX];
    VS_TRY(vs_digest(VS_SHA256, *text, VS_LIT(""), VS_LIT(""), md, err));
    if (!vs_span_eq(vs_hex_encode_arena(a, vs_span_of(md, 32)), sha256))
        return vs_fail(err, VS_E_MISMATCH, "the record's text has another digest");
    return VS_OK;
}
