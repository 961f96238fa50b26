/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens in the form and order in which TF-RMM and RSE emit them (cca.md 1). */
#include "realm/realm.h"

#include "value/cbor.h"

enum { CLAIMS_MAX = 32 * 1024, RAK_MAX = 256 };

static bool is_v2(const char *profile)
{
    vs_span s = vs_str(profile);
    return vs_span_ends(s, VS_LIT("#2.0.0"));
}

static void put_bytes(vs_buf *b, int64_t key, vs_span value)
{
    vs_cbor_put_int(b, key);
    vs_cbor_put_bytes(b, value);
}

static void put_text(vs_buf *b, int64_t key, vs_span value)
{
    vs_cbor_put_int(b, key);
    vs_cbor_put_text_span(b, value);
}

static void put_hash(vs_buf *b, int64_t key, vs_hash h)
{
    put_text(b, key, vs_str(vs_hash_name(h)));
}

static void put_uint(vs_buf *b, int64_t key, uint64_t value)
{
    vs_cbor_put_int(b, key);
    vs_cbor_put_uint(b, value);
}

/* ---- the realm's key ------------------------------------------------------------------------ */

/* Content of claim 44237 (1.8). */
static vs_code rak_claim(const realm_spec *spec, const vs_key *rak, vs_buf *out, vs_error *err)
{
    if (spec->realm_profile)
        return vs_key_to_cose(out, rak, err);
    uint8_t point[133];
    size_t n;
    VS_TRY(vs_key_point(rak, point, &n, err));
    vs_buf_put(out, vs_span_of(point, n));
    return vs_buf_check(out, err);
}

/* ---- claims --------------------------------------------------------------------------------- */

static void put_component(vs_buf *b, const cca_component *c)
{
    size_t members = 2;
    members += c->type.p != NULL;
    members += c->version.p != NULL;
    members += c->hash.p != NULL;
    vs_cbor_put_map(b, members);
    if (c->type.p)
        put_text(b, 1, c->type);
    put_bytes(b, 2, c->value);
    if (c->version.p)
        put_text(b, 4, c->version);
    put_bytes(b, 5, c->signer_id);
    if (c->hash.p)
        put_text(b, 6, c->hash);
}

static vs_code platform_claims(const realm_spec *spec, const realm_keys *keys, vs_buf *b,
                               vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf rak = VS_BUF(RAK_MAX);
    uint8_t challenge[VS_HASH_MAX], instance[CCA_INSTANCE_ID];
    VS_TRY(rak_claim(spec, keys->rak, &rak, err));
    VS_TRY(
        vs_digest(spec->rak_hash, vs_buf_span(&rak), (vs_span){0}, (vs_span){0}, challenge, err));
    VS_TRY(realm_instance_id(keys->cpak, instance, err));
    bool v2 = is_v2(spec->platform_profile);
    vs_cbor_put_map(b, 8u + v2 + (spec->service.n > 0));
    put_text(b, 265, vs_str(spec->platform_profile));
    put_bytes(b, 10, vs_span_of(challenge, vs_hash_size(spec->rak_hash)));
    put_bytes(b, 2396, spec->implementation_id);
    put_bytes(b, 256, vs_span_of(instance, sizeof instance));
    put_bytes(b, 2401, spec->config);
    put_uint(b, 2395, spec->lifecycle);
    if (v2)
        put_uint(b, 2394, 1);
    vs_cbor_put_int(b, 2399);
    vs_cbor_put_array(b, spec->n_components);
    for (size_t i = 0; i < spec->n_components; i++)
        put_component(b, &spec->components[i]);
    if (spec->service.n)
        put_text(b, 2400, spec->service);
    put_hash(b, 2402, spec->platform_hash);
    return vs_buf_check(b, err);
}

static vs_code realm_claims(const realm_spec *spec, const realm_keys *keys, vs_span challenge,
                            vs_buf *b, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf rak = VS_BUF(RAK_MAX);
    uint8_t instance[CCA_INSTANCE_ID];
    VS_TRY(rak_claim(spec, keys->rak, &rak, err));
    VS_TRY(realm_instance_id(keys->rak, instance, err));
    bool v2 = spec->realm_profile && is_v2(spec->realm_profile);
    vs_cbor_put_map(b, 7u + (spec->realm_profile != NULL) + 2u * v2);
    put_bytes(b, 10, challenge);
    if (v2)
        put_bytes(b, 256, vs_span_of(instance, sizeof instance));
    put_bytes(b, 44235, spec->rpv);
    put_bytes(b, 44237, vs_buf_span(&rak));
    put_hash(b, 44236, spec->hash);
    put_hash(b, 44240, spec->rak_hash);
    if (v2)
        put_uint(b, 44243, 0);
    if (spec->realm_profile)
        put_text(b, 265, vs_str(spec->realm_profile));
    put_bytes(b, 44238, spec->rim);
    vs_cbor_put_int(b, 44239);
    vs_cbor_put_array(b, CCA_REMS);
    for (unsigned i = 0; i < CCA_REMS; i++)
        vs_cbor_put_bytes(b, spec->rem[i]);
    return vs_buf_check(b, err);
}

/* ---- envelopes ------------------------------------------------------------------------------ */

static vs_code sign(const vs_key *key, vs_span claims, vs_buf *out, vs_error *err)
{
    vs_alg alg = vs_key_default_alg(key);
    VS_CLEANUP(vs_buf_free) vs_buf header = VS_BUF(16);
    vs_cbor_put_map(&header, 1);
    vs_cbor_put_int(&header, 1);
    vs_cbor_put_int(&header, vs_alg_to_cose(alg));
    return vs_cose_sign(out, key, alg, vs_buf_span(&header), (vs_span){0}, claims, err);
}

vs_code realm_platform_token(const realm_spec *spec, const realm_keys *keys, vs_buf *out,
                             vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf claims = VS_BUF(CLAIMS_MAX);
    VS_TRY_WRAP(platform_claims(spec, keys, &claims, err), err, "platform token");
    return sign(keys->cpak, vs_buf_span(&claims), out, err);
}

vs_code realm_realm_token(const realm_spec *spec, const realm_keys *keys, vs_span challenge,
                          vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf claims = VS_BUF(CLAIMS_MAX);
    VS_TRY_WRAP(realm_claims(spec, keys, challenge, &claims, err), err, "realm token");
    return sign(keys->rak, vs_buf_span(&claims), out, err);
}

static void put_entry(vs_buf *out, unsigned tag, int64_t key, vs_span token)
{
    vs_cbor_put_int(out, key);
    if (tag == CCA_TAG_CMW) {
        vs_cbor_put_array(out, 2);
        vs_cbor_put_uint(out, CCA_CMW_CONTENT_FORMAT);
    }
    vs_cbor_put_bytes(out, token);
}

vs_code realm_wrap(unsigned tag, vs_span platform, vs_span realm, vs_buf *out, vs_error *err)
{
    vs_cbor_put_tag(out, tag);
    vs_cbor_put_map(out, 2);
    put_entry(out, tag, CCA_KEY_PLATFORM, platform);
    put_entry(out, tag, CCA_KEY_REALM, realm);
    return vs_buf_check(out, err);
}

vs_code realm_token(const realm_spec *spec, const realm_keys *keys, vs_span challenge, vs_buf *out,
                    vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf platform = VS_BUF(CCA_TOKEN_MAX);
    VS_CLEANUP(vs_buf_free) vs_buf realm = VS_BUF(CCA_TOKEN_MAX);
    VS_TRY(realm_platform_token(spec, keys, &platform, err));
    VS_TRY(realm_realm_token(spec, keys, challenge, &realm, err));
    return realm_wrap(spec->tag, vs_buf_span(&platform), vs_buf_span(&realm), out, err);
}
