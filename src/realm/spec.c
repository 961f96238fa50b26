/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and the made-up platform and realm that a new directory starts with. */
#include "realm/realm.h"

void realm_keys_free(realm_keys *k)
{
    vs_key_free(&k->cpak);
    vs_key_free(&k->rak);
}

vs_code realm_keys_generate_on(vs_key_type cpak, vs_key_type rak, realm_keys *out, vs_error *err)
{
    *out = (realm_keys){0};
    VS_TRY_WRAP(vs_key_generate(cpak, &out->cpak, err), err, "test CPAK");
    vs_code code = vs_key_generate(rak, &out->rak, err);
    if (code != VS_OK)
        realm_keys_free(out);
    return code;
}

vs_code realm_keys_generate(realm_keys *out, vs_error *err)
{
    return realm_keys_generate_on(VS_KEY_P384, VS_KEY_P384, out, err);
}

vs_code realm_instance_id(const vs_key *key, uint8_t out[CCA_INSTANCE_ID], vs_error *err)
{
    uint8_t point[133], hash[VS_HASH_MAX];
    size_t n;
    VS_TRY(vs_key_point(key, point, &n, err));
    VS_TRY(vs_digest(VS_SHA256, vs_span_of(point, n), (vs_span){0}, (vs_span){0}, hash, err));
    out[0] = 1; /* UEID of type RAND */
    memcpy(out + 1, hash, CCA_INSTANCE_ID - 1);
    return VS_OK;
}

vs_code realm_platform_instance(const realm_spec *spec, const realm_keys *keys,
                                uint8_t room[CCA_INSTANCE_ID], vs_span *out, vs_error *err)
{
    *out = spec->instance_id;
    if (out->n)
        return VS_OK;
    *out = vs_span_of(room, CCA_INSTANCE_ID);
    return realm_instance_id(keys->cpak, room, err);
}

/* ---- profiles ------------------------------------------------------------------------------- */

static const struct {
    const char *name, *platform, *realm;
} profiles[] = {
    {"legacy", "http://arm.com/CCA-SSD/1.0.0", NULL},
    {"1.0.0", "tag:arm.com,2023:cca_platform#1.0.0", "tag:arm.com,2023:realm#1.0.0"},
    {"2.0.0", "tag:arm.com,2024:cca_platform#2.0.0", "tag:arm.com,2024:realm#2.0.0"},
};

static size_t find_profile(vs_span name)
{
    size_t i = 0;
    while (i < VS_COUNT(profiles) && !vs_span_is(name, profiles[i].name))
        i++;
    return i;
}

vs_code realm_spec_set_profile(realm_spec *spec, const char *name, vs_error *err)
{
    bool pair;
    vs_span second, first = vs_span_cut(vs_str(name), '/', &second, &pair);
    size_t platform = find_profile(first), realm = find_profile(pair ? second : first);
    if (platform == VS_COUNT(profiles) || realm == VS_COUNT(profiles))
        return vs_fail(err, VS_E_INVALID,
                       "unknown profile \"%s\": known are legacy, 1.0.0, 2.0.0 and pairs of them "
                       "such as legacy/1.0.0",
                       name);
    spec->platform_profile = profiles[platform].platform;
    spec->realm_profile = profiles[realm].realm;
    return VS_OK;
}

/* ---- defaults ------------------------------------------------------------------------------- */

/* As a TF-A platform reports them, in this order (cca.md 1.4). */
static const char *const component_types[] = {
    "RSE_BL1_2", "RSE_BL2", "RSE_S",     "AP_BL1",    "AP_BL2",       "SCP_BL1",       "SCP_BL2",
    "AP_BL31",   "RMM",     "HW_CONFIG", "FW_CONFIG", "TB_FW_CONFIG", "SOC_FW_CONFIG",
};

/* A made-up measurement that says what it is when its preimage is known. */
static vs_span made_up(vs_arena *a, vs_hash h, const char *what, vs_error *err)
{
    uint8_t hash[VS_HASH_MAX];
    if (vs_digest(h, VS_LIT("vouchsafe software realm: "), vs_str(what), (vs_span){0}, hash, err) !=
        VS_OK)
        return (vs_span){0};
    return vs_dup(a, vs_span_of(hash, vs_hash_size(h)));
}

static vs_code default_components(vs_arena *a, realm_spec *out, vs_error *err)
{
    cca_component *list = vs_alloc_array(a, VS_COUNT(component_types), sizeof *list);
    if (!list)
        return vs_arena_check(a, err);
    for (size_t i = 0; i < VS_COUNT(component_types); i++)
        list[i] = (cca_component){.type = vs_str(component_types[i]),
                                  .value = made_up(a, VS_SHA256, component_types[i], err),
                                  .version = VS_LIT("1.0.0"),
                                  .signer_id = made_up(a, VS_SHA256, "signer", err),
                                  .hash = VS_LIT("sha-256"),
                                  .live_activation = -1};
    out->components = list;
    out->n_components = VS_COUNT(component_types);
    return VS_OK;
}

vs_code realm_spec_set_hash(vs_arena *a, realm_spec *spec, vs_hash hash, vs_error *err)
{
    static const uint8_t zeros[VS_HASH_MAX];
    spec->hash = hash;
    spec->rim = made_up(a, hash, "initial measurement", err);
    for (unsigned i = 0; i < CCA_REMS; i++)
        spec->rem[i] = vs_span_of(zeros, vs_hash_size(hash));
    return vs_arena_check(a, err);
}

vs_code realm_spec_default(vs_arena *a, realm_spec *out, vs_error *err)
{
    static const uint8_t zeros[64];
    *out = (realm_spec){.tag = CCA_TAG_EAT,
                        .platform_hash = VS_SHA256,
                        .rak_hash = VS_SHA256,
                        .rpv = vs_span_of(zeros, sizeof zeros),
                        .implementation_id = made_up(a, VS_SHA256, "implementation", err),
                        .config = VS_LIT("\xcf\xcf\xcf\xcf"),
                        .lifecycle = 0x3000,
                        .service =
                            VS_LIT("https://veraison.example/.well-known/veraison/verification"),
                        .client_id = 1,
                        .mec_policy = -1,
                        .lfa_policy = -1};
    VS_TRY(realm_spec_set_hash(a, out, VS_SHA512, err));
    VS_TRY(default_components(a, out, err));
    VS_TRY(realm_spec_set_profile(out, "1.0.0", err));
    return vs_arena_check(a, err);
}
