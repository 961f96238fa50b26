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
    bool cose = spec->rak_form == REALM_RAK_BY_PROFILE ? spec->realm_profile != NULL
                                                       : spec->rak_form == REALM_RAK_COSE_KEY;
    if (cose)
        return vs_key_to_cose(out, rak, err);
    uint8_t point[133];
    size_t n;
    VS_TRY(vs_key_point(rak, point, &n, err));
    vs_buf_put(out, vs_span_of(point, n));
    return vs_buf_check(out, err);
}

/* ---- claims --------------------------------------------------------------------------------- */

/* Optional members: nothing when they are absent. */
static void put_text_opt(vs_buf *b, int64_t key, vs_span value)
{
    if (value.p)
        put_text(b, key, value);
}

static void put_bytes_opt(vs_buf *b, int64_t key, vs_span value)
{
    if (value.n)
        put_bytes(b, key, value);
}

static void put_bool_opt(vs_buf *b, int64_t key, int value)
{
    if (value < 0)
        return;
    vs_cbor_put_int(b, key);
    vs_cbor_put_bool(b, value != 0);
}

static void put_component(vs_buf *b, const cca_component *c)
{
    size_t members = 2;
    members += c->type.p != NULL;
    members += c->version.p != NULL;
    members += c->hash.p != NULL;
    members += c->live_activation >= 0;
    members += c->n_countersigners > 0;
    vs_cbor_put_map(b, members);
    put_text_opt(b, 1, c->type);
    put_bytes(b, 5, c->signer_id); /* before the value: the order of RSE */
    put_bytes(b, 2, c->value);
    put_text_opt(b, 4, c->version);
    put_text_opt(b, 6, c->hash);
    put_bool_opt(b, 7, c->live_activation);
    if (!c->n_countersigners)
        return;
    vs_cbor_put_int(b, 8);
    vs_cbor_put_array(b, c->n_countersigners);
    for (size_t i = 0; i < c->n_countersigners; i++)
        vs_cbor_put_bytes(b, c->countersigners[i]);
}

static void put_device(vs_buf *b, const cca_device *d)
{
    size_t members = 0;
    members += d->hash.p != NULL;
    members += d->measurement.n > 0;
    members += d->certificate.n > 0;
    members += d->uses_ide >= 0;
    members += d->protocol.p != NULL;
    members += d->vca.n > 0;
    vs_cbor_put_map(b, members);
    put_text_opt(b, 1, d->hash);
    put_bytes_opt(b, 2, d->measurement);
    put_bytes_opt(b, 3, d->certificate);
    put_bool_opt(b, 4, d->uses_ide);
    put_text_opt(b, 5, d->protocol);
    put_bytes_opt(b, 6, d->vca);
}

/* Claims that only the 2.0.0 profile has. */
static void put_platform_v2(vs_buf *b, const realm_spec *spec)
{
    put_uint(b, 2394, spec->client_id);
    put_bytes_opt(b, 2403, spec->manufacturing_config);
    if (!spec->n_devices)
        return;
    vs_cbor_put_int(b, 2404);
    vs_cbor_put_array(b, spec->n_devices);
    for (size_t i = 0; i < spec->n_devices; i++)
        put_device(b, &spec->devices[i]);
}

static size_t count_platform_v2(const realm_spec *spec)
{
    return 1u + (spec->manufacturing_config.n > 0) + (spec->n_devices > 0);
}

static vs_code platform_claims(const realm_spec *spec, const realm_keys *keys, vs_buf *b,
                               vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf rak = VS_BUF(RAK_MAX);
    uint8_t challenge[VS_HASH_MAX], room[CCA_INSTANCE_ID];
    vs_span instance;
    VS_TRY(rak_claim(spec, keys->rak, &rak, err));
    VS_TRY(
        vs_digest(spec->rak_hash, vs_buf_span(&rak), (vs_span){0}, (vs_span){0}, challenge, err));
    VS_TRY(realm_platform_instance(spec, keys, room, &instance, err));
    bool v2 = is_v2(spec->platform_profile);
    vs_cbor_put_map(b, 8u + (v2 ? count_platform_v2(spec) : 0) + (spec->service.n > 0));
    put_text(b, 265, vs_str(spec->platform_profile));
    put_bytes(b, 10, vs_span_of(challenge, vs_hash_size(spec->rak_hash)));
    put_bytes(b, 2396, spec->implementation_id);
    put_bytes(b, 256, instance);
    put_bytes(b, 2401, spec->config);
    put_uint(b, 2395, spec->lifecycle);
    if (v2)
        put_platform_v2(b, spec);
    vs_cbor_put_int(b, 2399);
    vs_cbor_put_array(b, spec->n_components);
    for (size_t i = 0; i < spec->n_components; i++)
        put_component(b, &spec->components[i]);
    if (spec->service.n)
        put_text(b, 2400, spec->service);
    put_hash(b, 2402, spec->platform_hash);
    return vs_buf_check(b, err);
}

/* Those claims of a realm token that its profile may or may not have. */
typedef struct realm_extra {
    vs_span instance_id, devices_hash;
    int mec_policy, lfa_policy; /* -1 = absent */
    size_t n;
} realm_extra;

static realm_extra extra_claims(const realm_spec *spec, vs_span instance)
{
    bool v2 = spec->realm_profile && is_v2(spec->realm_profile);
    realm_extra e = {.mec_policy = spec->mec_policy, .lfa_policy = -1};
    if (v2) {
        e.instance_id = spec->realm_instance_id.n ? spec->realm_instance_id : instance;
        e.devices_hash = spec->devices_hash;
        e.lfa_policy = spec->lfa_policy;
        if (e.mec_policy < 0)
            e.mec_policy = 0;
    }
    e.n = (size_t)(e.instance_id.n > 0) + (e.devices_hash.n > 0) + (e.mec_policy >= 0) +
          (e.lfa_policy >= 0);
    return e;
}

static vs_code realm_claims(const realm_spec *spec, const realm_keys *keys, vs_span challenge,
                            vs_buf *b, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf rak = VS_BUF(RAK_MAX);
    uint8_t instance[CCA_INSTANCE_ID];
    VS_TRY(rak_claim(spec, keys->rak, &rak, err));
    VS_TRY(realm_instance_id(keys->rak, instance, err));
    realm_extra extra = extra_claims(spec, vs_span_of(instance, sizeof instance));
    vs_cbor_put_map(b, 7u + (spec->realm_profile != NULL) + extra.n);
    put_bytes(b, 10, challenge);
    put_bytes_opt(b, 256, extra.instance_id);
    put_bytes(b, 44235, spec->rpv);
    put_bytes(b, 44237, vs_buf_span(&rak));
    put_hash(b, 44236, spec->hash);
    put_hash(b, 44240, spec->rak_hash);
    if (extra.mec_policy >= 0)
        put_uint(b, 44243, (uint64_t)extra.mec_policy);
    if (extra.lfa_policy >= 0)
        put_uint(b, 44244, (uint64_t)extra.lfa_policy);
    put_bytes_opt(b, 44257, extra.devices_hash);
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
