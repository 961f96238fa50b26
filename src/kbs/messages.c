/* SPDX-License-Identifier: Apache-2.0 */
/* What a client sends in the handshake, parsed once at the edge (kbs.md 1.3, 1.6, 1.8). */
#include "kbs/internal.h"

#include "value/json.h"

/* ---- tee-pubkey -------------------------------------------------------------------------------
 */

static const struct {
    const char *kty;
    const char *members[4]; /* besides kty; all strings */
} key_types[] = {
    {"EC", {"alg", "crv", "x", "y"}},
    {"RSA", {"alg", "e", "n"}},
    {"AKP", {"alg", "pub"}},
};

vs_code kbs_tee_pubkey(vs_val jwk, vs_arena *a, vs_val *out, vs_error *err)
{
    vs_val kty;
    VS_TRY(vs_need(jwk, "kty", VS_STRING, &kty, err));
    vs_obj typed = {.a = a};
    vs_obj_put(&typed, "kty", kty);
    size_t t = 0;
    while (t < VS_COUNT(key_types) && !vs_span_is(vs_text(kty), key_types[t].kty))
        t++;
    if (t == VS_COUNT(key_types))
        return vs_fail(err, VS_E_UNSUPPORTED, "unknown key type \"%.*s\"",
                       VS_FMT(vs_span_head(vs_text(kty), 16)));
    for (size_t i = 0; i < VS_COUNT(key_types[t].members) && key_types[t].members[i]; i++) {
        vs_val member;
        VS_TRY(vs_need(jwk, key_types[t].members[i], VS_STRING, &member, err));
        vs_obj_put(&typed, key_types[t].members[i], member);
    }
    *out = vs_obj_end(&typed, VS_DUP_REFUSE, NULL);
    return vs_arena_check(a, err);
}

/* Keys that could be encrypted for are checked as such now: a point off its curve would leak the
 * server's ephemeral key later. Other curves and types fail when a resource is asked for. */
static vs_code check_point(vs_val jwk, vs_error *err)
{
    vs_span kty = vs_text(vs_getc(jwk, "kty")), crv = vs_text(vs_getc(jwk, "crv"));
    bool known_curve =
        vs_span_is(crv, "P-256") || vs_span_is(crv, "P-384") || vs_span_is(crv, "P-521");
    if (!vs_span_is(kty, "EC") || !known_curve)
        return VS_OK;
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    return vs_key_from_jwk(jwk, false, false, &key, NULL, err);
}

/* ---- Request ----------------------------------------------------------------------------------
 */

vs_code kbs_parse_request(vs_span body, vs_arena *a, kbs_request_msg *out, vs_error *err)
{
    vs_val v, version, tee;
    VS_TRY(vs_json_parse(a, body, NULL, &v, err));
    VS_TRY(vs_need(v, "version", VS_STRING, &version, err));
    VS_TRY(vs_need(v, "tee", VS_STRING, &tee, err));
    out->extra_params = vs_getc(v, "extra-params");
    if (!vs_defined(out->extra_params))
        return vs_fail(err, VS_E_INVALID, "member \"extra-params\" is missing");
    if (!vs_tee_known(vs_text(tee), &out->tee))
        return vs_fail(err, VS_E_INVALID, "unknown TEE \"%.*s\"",
                       VS_FMT(vs_span_head(vs_text(tee), 32)));
    out->version = vs_text(version);
    return VS_OK;
}

/* ---- Attestation ------------------------------------------------------------------------------
 */

static vs_code init_data(vs_val v, vs_span *toml, vs_error *err)
{
    vs_val doc, format, body;
    *toml = (vs_span){NULL, 0};
    VS_TRY(vs_may(v, "init-data", VS_OBJECT, &doc, err));
    if (!vs_defined(doc))
        return VS_OK;
    VS_TRY(vs_need(doc, "format", VS_STRING, &format, err));
    VS_TRY(vs_need(doc, "body", VS_STRING, &body, err));
    if (!vs_span_is(vs_text(format), "toml"))
        return vs_fail(err, VS_E_UNSUPPORTED, "Unsupported initdata format \"%.*s\"",
                       VS_FMT(vs_span_head(vs_text(format), 32)));
    *toml = vs_text(body);
    if (!toml->p) /* an empty document is one, and fails as such */
        *toml = VS_LIT("");
    return VS_OK;
}

static vs_code devices(vs_span text, vs_arena *a, vs_val *out, vs_error *err)
{
    *out = vs_empty(VS_OBJECT);
    if (text.n == 0)
        return VS_OK;
    VS_TRY(vs_json_parse(a, text, NULL, out, err));
    if (out->kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "must hold a JSON object");
    if (out->len > KBS_DEVICES_MAX)
        return vs_fail(err, VS_E_LIMIT, "%u devices, at most %d", out->len, KBS_DEVICES_MAX);
    return VS_OK;
}

static vs_code composite_evidence(vs_val v, vs_arena *a, kbs_attestation_msg *out, vs_error *err)
{
    vs_val ev, additional;
    VS_TRY(vs_need(v, "tee-evidence", VS_OBJECT, &ev, err));
    out->composite = true;
    out->primary = vs_getc(ev, "primary_evidence");
    if (!vs_defined(out->primary))
        return vs_fail(err, VS_E_INVALID, "member \"primary_evidence\" is missing");
    VS_TRY(vs_need(ev, "additional_evidence", VS_STRING, &additional, err));
    out->additional = vs_text(additional);
    VS_TRY_WRAP(devices(out->additional, a, &out->devices, err), err, "additional_evidence");
    return VS_OK;
}

static vs_code single_evidence(vs_val v, kbs_attestation_msg *out, vs_error *err)
{
    out->devices = vs_empty(VS_OBJECT);
    out->primary = vs_getc(v, "tee-evidence");
    if (!vs_defined(out->primary))
        return vs_fail(err, VS_E_INVALID, "member \"tee-evidence\" is missing");
    return VS_OK;
}

static vs_code tee_pubkey(vs_val holder, vs_arena *a, vs_val *out, vs_error *err)
{
    vs_val key;
    VS_TRY(vs_need(holder, "tee-pubkey", VS_OBJECT, &key, err));
    VS_TRY_WRAP(kbs_tee_pubkey(key, a, out, err), err, "tee-pubkey");
    VS_TRY_WRAP(check_point(*out, err), err, "tee-pubkey");
    return VS_OK;
}

vs_code kbs_parse_attestation(vs_span body, kbs_protocol protocol, vs_arena *a,
                              kbs_attestation_msg *out, vs_error *err)
{
    vs_val v, runtime, nonce;
    VS_TRY(vs_json_parse(a, body, NULL, &v, err));
    if (protocol < KBS_PROTOCOL_0_4_0) {
        VS_TRY(tee_pubkey(v, a, &out->tee_pubkey, err));
    } else {
        VS_TRY(init_data(v, &out->init_data_toml, err));
        VS_TRY(vs_need(v, "runtime-data", VS_OBJECT, &runtime, err));
        VS_TRY(vs_need(runtime, "nonce", VS_STRING, &nonce, err));
        out->nonce = vs_text(nonce);
        if (!out->nonce.p) /* an empty one is one, and fails as such */
            out->nonce = VS_LIT("");
        VS_TRY(tee_pubkey(runtime, a, &out->tee_pubkey, err));
    }
    return protocol < KBS_PROTOCOL_0_3_0 ? single_evidence(v, out, err)
                                         : composite_evidence(v, a, out, err);
}
