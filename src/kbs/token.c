/* SPDX-License-Identifier: Apache-2.0 */
/* Verification of attestation tokens (kbs.md 6.2 to 6.4). Each token is verified on each request.
 */
#include "kbs/internal.h"

#include "base/enc.h"
#include "envelope/ear.h"
#include "envelope/jose.h"

enum { LEEWAY_S = 60, CHAIN_MAX = 16, CERT_MAX = 64 * 1024 };

/* A key to verify with: ours (owned) or one of the trust store's (borrowed). */
typedef struct verifier {
    const vs_key *key;
    vs_key *owned;
    kbs_keys *held; /* the set that `key` is of */
    vs_alg alg;
} verifier;

static void verifier_free(verifier *v)
{
    vs_key_free(&v->owned);
    kbs_keys_unref(&v->held);
}

static bool same_member(vs_val a, vs_val b, const char *name)
{
    vs_val x = vs_getc(a, name), y = vs_getc(b, name);
    return vs_defined(x) && vs_eq(x, y);
}

/* The header names the key of this process's own attestation service. */
static bool is_own(const kbs_trust *t, vs_val jwk)
{
    return t->own && same_member(jwk, t->own_jwk, "kty") && same_member(jwk, t->own_jwk, "crv") &&
           same_member(jwk, t->own_jwk, "alg") && same_member(jwk, t->own_jwk, "x") &&
           same_member(jwk, t->own_jwk, "y");
}

/* One entry of "x5c": standard or url alphabet, line breaks allowed (older Trustee). */
static vs_code decode_cert(vs_val entry, vs_arena *a, vs_span *der, vs_error *err)
{
    vs_span text = vs_span_trim(vs_text(entry));
    if (text.n == 0 || text.n > CERT_MAX)
        return vs_fail(err, VS_E_INVALID, "not a certificate of at most %d characters", CERT_MAX);
    uint8_t *joined = vs_alloc(a, text.n);
    VS_TRY(vs_arena_check(a, err));
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '\n' && text.p[i] != '\r')
            joined[n++] = text.p[i];
    }
    return vs_b64_decode_arena(a, VS_B64_ANY, vs_span_of(joined, n), der, err);
}

/* The chain vouches for the key: its first certificate holds it, and it ends at a trusted one. */
static vs_code check_endorsement(const kbs_trust *t, vs_val jwk, const vs_key *key, int64_t now,
                                 vs_arena *a, vs_error *err)
{
    vs_val x5c = vs_getc(jwk, "x5c");
    if (x5c.kind != VS_ARRAY || x5c.len == 0)
        return vs_fail(err, VS_E_UNTRUSTED, "the header's jwk has no x5c");
    if (x5c.len > CHAIN_MAX)
        return vs_fail(err, VS_E_LIMIT, "x5c of %u certificates, at most %d", x5c.len, CHAIN_MAX);
    vs_span ders[CHAIN_MAX];
    for (uint32_t i = 0; i < x5c.len; i++)
        VS_TRY_WRAP(decode_cert(x5c.u.items[i], a, &ders[i], err), err, "x5c[%u]", i);
    VS_CLEANUP(vs_certs_free) vs_certs *chain = NULL;
    VS_CLEANUP(vs_key_free) vs_key *leaf = NULL;
    VS_TRY_WRAP(vs_certs_from_der(ders, x5c.len, &chain, err), err, "x5c");
    VS_TRY_WRAP(vs_certs_key(chain, 0, &leaf, err), err, "x5c[0]");
    if (!vs_key_public_eq(leaf, key))
        return vs_fail(err, VS_E_MISMATCH, "x5c[0] does not hold the header's key");
    VS_TRY_WRAP(vs_certs_verify(chain, t->anchors, now, err), err, "x5c");
    return VS_OK;
}

static vs_code key_from_header(const kbs_trust *t, vs_val jwk, int64_t now, vs_arena *a,
                               verifier *v, vs_error *err)
{
    if (is_own(t, jwk)) {
        *v = (verifier){.key = t->own, .alg = VS_ES256};
        return VS_OK;
    }
    if (!t->header_jwk && !t->anchors)
        return vs_fail(err, VS_E_UNTRUSTED,
                       "the token names its own key, and no certificates are "
                       "configured that could vouch for it");
    VS_TRY_WRAP(vs_key_from_jwk(jwk, false, false, &v->owned, &v->alg, err), err, "header jwk");
    v->key = v->owned;
    if (t->header_jwk)
        return VS_OK;
    vs_key_type type = vs_key_kind(v->key);
    if (type != VS_KEY_RSA && type != VS_KEY_P256)
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "header jwk: only RSA and P-256 keys can be endorsed");
    return check_endorsement(t, jwk, v->key, now, a, err);
}

static vs_code key_by_id(const kbs_trust *t, vs_val header, verifier *v, vs_error *err)
{
    vs_val kid = vs_getc(header, "kid");
    for (size_t i = 0; kid.kind == VS_STRING && i < t->n_sources; i++) {
        VS_CLEANUP(kbs_keys_unref) kbs_keys *keys = kbs_source_keys(t->sources[i]);
        for (size_t k = 0; k < keys->n; k++) {
            if (!vs_span_is(vs_text(kid), keys->items[k].kid))
                continue;
            *v = (verifier){.key = keys->items[k].key, .held = keys, .alg = keys->items[k].alg};
            keys = NULL; /* transferred */
            return VS_OK;
        }
    }
    for (size_t i = 0; kid.kind == VS_STRING && i < t->n_sources; i++)
        kbs_source_missed(t->sources[i]);
    return vs_fail(err, VS_E_UNTRUSTED, "no trusted key with kid \"%.*s\"",
                   VS_FMT(vs_span_head(vs_text(kid), 128)));
}

/* Trustee's list; the algorithm is the one that the key is for, never the token's choice. */
static vs_code check_alg(vs_alg alg, vs_error *err)
{
    if (alg == VS_ALG_NONE || alg == VS_ES512)
        return vs_fail(err, VS_E_UNSUPPORTED, "the key's \"alg\" is missing or not supported");
    return VS_OK;
}

vs_code kbs_token_verify(const kbs_trust *t, vs_span token, int64_t now, vs_arena *a,
                         vs_val *claims, vs_error *err)
{
    vs_jws jws;
    VS_CLEANUP(verifier_free) verifier v = {0};
    VS_TRY(vs_jws_parse(a, token, &jws, err));
    vs_val jwk = vs_getc(jws.header, "jwk");
    if (vs_defined(jwk))
        VS_TRY(key_from_header(t, jwk, now, a, &v, err));
    else
        VS_TRY(key_by_id(t, jws.header, &v, err));
    VS_TRY(check_alg(v.alg, err));
    VS_TRY(vs_jws_verify(&jws, v.key, v.alg, err));

    VS_TRY_WRAP(vs_json_parse(a, jws.payload, NULL, claims, err), err, "token claims");
    if (claims->kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "the token's claims are not an object");
    const vs_jwt_times times = {.now = now, .leeway = LEEWAY_S, .need_exp = true};
    return vs_jwt_check_times(*claims, &times, err);
}

vs_code kbs_token_tee_key(const kbs_config *cfg, vs_val claims, vs_arena *a, vs_val *jwk,
                          vs_error *err)
{
    static const char *const usual[] = {
        "/tdx/attester_runtime_data/tee-pubkey",
        "/tdx/attester_user_data/tee-pubkey",
        "/customized_claims/runtime_data/tee-pubkey",
        "/submods/cpu0/ear.veraison.annotated-evidence/runtime_data_claims/tee-pubkey",
        "/tee-pubkey",
    };
    size_t extra = cfg->n_extra_teekey_paths;
    for (size_t i = 0; i < extra + VS_COUNT(usual); i++) {
        const char *at = i < extra ? cfg->extra_teekey_paths[i] : usual[i - extra];
        vs_val found = vs_pointer(claims, vs_str(at));
        if (!vs_defined(found))
            continue;
        VS_TRY_WRAP(kbs_tee_pubkey(found, a, jwk, err), err, "TEE key at %s", at);
        return VS_OK;
    }
    return vs_fail(err, VS_E_NOT_FOUND, "the token holds no TEE key");
}
