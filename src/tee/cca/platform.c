/* SPDX-License-Identifier: Apache-2.0 */
/* Platform claims: cca.md 1.3 to 1.6. */
#include "tee/cca/rules.h"

#include "value/cbor.h"

static const cca_profile profiles[] = {
    {"http://arm.com/CCA-SSD/1.0.0", CCA_LEGACY},
    {"tag:arm.com,2023:cca_platform#1.0.0", CCA_V1},
    {"tag:arm.com,2024:cca_platform#2.0.0", CCA_V2},
};

enum {
    PROFILE,
    CHALLENGE,
    IMPLEMENTATION_ID,
    INSTANCE_ID,
    CONFIG,
    LIFECYCLE,
    COMPONENTS,
    SERVICE,
    HASH_NAME,
    CLIENT_ID,
    MANUFACTURING_CONFIG,
    DEVICES,
    PLATFORM_RULES,
};

static const cca_rule rules[PLATFORM_RULES] = {
    [PROFILE] = {265, "profile", CCA_TEXT, 1, CCA_ANY_SIZE, CCA_ALL, 0},
    [CHALLENGE] = {10, "challenge", CCA_DIGEST, 0, 0, CCA_ALL, 0},
    [IMPLEMENTATION_ID] = {2396, "implementation id", CCA_BYTES, CCA_IMPLEMENTATION_ID,
                           CCA_IMPLEMENTATION_ID, CCA_ALL, 0},
    [INSTANCE_ID] = {256, "instance id", CCA_BYTES, CCA_INSTANCE_ID, CCA_INSTANCE_ID, CCA_ALL, 0},
    [CONFIG] = {2401, "configuration", CCA_BYTES, 0, CCA_ANY_SIZE, CCA_ALL, 0},
    [LIFECYCLE] = {2395, "lifecycle", CCA_UINT, 0, UINT16_MAX, CCA_ALL, 0},
    [COMPONENTS] = {2399, "software components", CCA_ARRAY, 1, CCA_COMPONENTS_MAX, CCA_ALL, 0},
    [SERVICE] = {2400, "verification service", CCA_TEXT, 1, CCA_ANY_SIZE, 0, CCA_ALL},
    [HASH_NAME] = {2402, "hash algorithm", CCA_HASH, 0, 0, CCA_ALL, 0},
    [CLIENT_ID] = {2394, "client id", CCA_UINT, 1, 1, CCA_V2, 0},
    [MANUFACTURING_CONFIG] = {2403, "manufacturing configuration", CCA_BYTES, 1, CCA_ANY_SIZE, 0,
                              CCA_V2},
    [DEVICES] = {2404, "platform extension", CCA_ARRAY, 0, CCA_DEVICES_MAX, 0, CCA_V2},
};
static const cca_table table = {"platform token", rules, VS_COUNT(rules), false};

/* Bits 15..8 are the state, bits 7..0 free: the ranges of 1.5 are x000 to x0ff. */
static const struct {
    uint16_t state;
    const char *name;
} lifecycles[] = {
    [CCA_LIFECYCLE_UNKNOWN] = {0x0000, "unknown"},
    [CCA_ASSEMBLY_AND_TEST] = {0x1000, "assembly-and-test"},
    [CCA_ROT_PROVISIONING] = {0x2000, "cca-platform-rot-provisioning"},
    [CCA_SECURED] = {0x3000, "secured"},
    [CCA_NON_CCA_DEBUG] = {0x4000, "non-cca-platform-rot-debug"},
    [CCA_RECOVERABLE_DEBUG] = {0x5000, "recoverable-cca-platform-rot-debug"},
    [CCA_DECOMMISSIONED] = {0x6000, "decommissioned"},
};

const char *cca_lifecycle_name(cca_lifecycle l)
{
    return lifecycles[l].name;
}

bool cca_lifecycle_of_name(vs_span name, cca_lifecycle *l)
{
    for (unsigned i = 0; i < VS_COUNT(lifecycles); i++) {
        if (vs_span_is(name, lifecycles[i].name)) {
            *l = (cca_lifecycle)i;
            return true;
        }
    }
    return false;
}

static vs_code read_lifecycle(const cca_item *it, cca_platform *out, vs_error *err)
{
    out->lifecycle_value = (uint16_t)it->number;
    for (unsigned i = 0; i < VS_COUNT(lifecycles); i++) {
        if ((it->number & 0xff00) == lifecycles[i].state) {
            out->lifecycle = (cca_lifecycle)i;
            return VS_OK;
        }
    }
    return vs_fail(err, VS_E_INVALID,
                   "platform token: lifecycle (2395) 0x%04x is not a defined state",
                   out->lifecycle_value);
}

static vs_code read_profile(cca_item *it, cca_platform *out, vs_error *err)
{
    if (!it->raw.n)
        return vs_fail(err, VS_E_INVALID, "platform token: profile (265) is missing");
    VS_TRY(cca_check_item(table.what, &rules[PROFILE], it, err));
    for (size_t i = 0; i < VS_COUNT(profiles); i++) {
        if (vs_span_is(it->value, profiles[i].uri)) {
            out->profile = &profiles[i];
            return VS_OK;
        }
    }
    return vs_fail(err, VS_E_UNSUPPORTED, "platform token: unknown profile (265) \"%.*s\"",
                   VS_FMT(vs_span_head(it->value, 80)));
}

/* ---- software components (1.4) -------------------------------------------------------------- */

enum { C_TYPE, C_VALUE, C_VERSION, C_SIGNER, C_HASH, C_LIVE_ACTIVATION, C_COUNTERSIGNERS, C_RULES };

static const cca_rule component_rules[C_RULES] = {
    [C_TYPE] = {1, "component type", CCA_TEXT, 0, CCA_ANY_SIZE, 0, CCA_ALL},
    [C_VALUE] = {2, "measurement value", CCA_DIGEST, 0, 0, CCA_ALL, 0},
    [C_VERSION] = {4, "version", CCA_TEXT, 0, CCA_ANY_SIZE, 0, CCA_ALL},
    [C_SIGNER] = {5, "signer id", CCA_DIGEST, 0, 0, CCA_ALL, 0},
    [C_HASH] = {6, "hash algorithm", CCA_HASH, 0, 0, 0, CCA_ALL},
    [C_LIVE_ACTIVATION] = {7, "live activation", CCA_BOOL, 0, 0, 0, CCA_V2},
    [C_COUNTERSIGNERS] = {8, "countersigners", CCA_ARRAY, 0, CCA_COMPONENTS_MAX, 0, CCA_V2},
};
static const cca_table component_table = {NULL, component_rules, VS_COUNT(component_rules), true};

static int optional_bool(const cca_item *it)
{
    return it->raw.n ? (int)it->number : -1;
}

/* Every item is a digest. */
static vs_code read_countersigners(vs_arena *a, const cca_item *array, cca_component *out,
                                   vs_error *err)
{
    static const cca_rule digest = {.name = "countersigner", .kind = CCA_DIGEST};
    size_t n = (size_t)array->number;
    vs_span *list = vs_alloc_array(a, n, sizeof *list);
    if (!list)
        return vs_arena_check(a, err);
    vs_cbor c = vs_cbor_of(array->raw, err);
    (void)vs_cbor_array(&c);
    for (size_t i = 0; i < n; i++) {
        cca_item it = {.raw = vs_cbor_skip(&c)};
        VS_TRY_WRAP(cca_check_item(NULL, &digest, &it, err), err, "countersigners (8), entry %zu",
                    i);
        list[i] = it.value;
    }
    out->countersigners = list;
    out->n_countersigners = n;
    return vs_cbor_end(&c);
}

static vs_code read_component(vs_arena *a, vs_span raw, cca_generation g, cca_component *out,
                              vs_error *err)
{
    cca_item it[C_RULES];
    VS_TRY(cca_collect(&component_table, raw, it, err));
    VS_TRY(cca_apply(&component_table, g, it, err));
    *out = (cca_component){.type = it[C_TYPE].value,
                           .value = it[C_VALUE].value,
                           .version = it[C_VERSION].value,
                           .signer_id = it[C_SIGNER].value,
                           .hash = it[C_HASH].value,
                           .live_activation = optional_bool(&it[C_LIVE_ACTIVATION])};
    return it[C_COUNTERSIGNERS].raw.n ? read_countersigners(a, &it[C_COUNTERSIGNERS], out, err)
                                      : VS_OK;
}

static vs_code read_components(vs_arena *a, const cca_item *it, cca_platform *out, vs_error *err)
{
    size_t n = (size_t)it->number;
    cca_component *list = vs_alloc_array(a, n, sizeof *list);
    if (!list)
        return vs_arena_check(a, err);
    vs_cbor c = vs_cbor_of(it->raw, err);
    (void)vs_cbor_array(&c);
    for (size_t i = 0; i < n; i++)
        VS_TRY_WRAP(read_component(a, vs_cbor_skip(&c), out->profile->generation, &list[i], err),
                    err, "platform token: software component %zu", i);
    out->components = list;
    out->n_components = n;
    return vs_cbor_end(&c);
}

/* ---- platform extension: devices (1.3, claim 2404) ------------------------------------------ */

enum { D_HASH, D_MEASUREMENT, D_CERTIFICATE, D_IDE, D_PROTOCOL, D_VCA, D_RULES };

static const cca_rule device_rules[D_RULES] = {
    [D_HASH] = {1, "hash algorithm", CCA_HASH, 0, 0, 0, CCA_ALL},
    [D_MEASUREMENT] = {2, "measurement digest", CCA_DIGEST, 0, 0, 0, CCA_ALL},
    [D_CERTIFICATE] = {3, "certificate digest", CCA_DIGEST, 0, 0, 0, CCA_ALL},
    [D_IDE] = {4, "uses IDE", CCA_BOOL, 0, 0, 0, CCA_ALL},
    [D_PROTOCOL] = {5, "protocol", CCA_TEXT, 0, CCA_ANY_SIZE, 0, CCA_ALL},
    [D_VCA] = {6, "VCA digest", CCA_DIGEST, 0, 0, 0, CCA_ALL},
};
static const cca_table device_table = {NULL, device_rules, VS_COUNT(device_rules), false};

static vs_code read_device(vs_span raw, cca_generation g, cca_device *out, vs_error *err)
{
    cca_item it[D_RULES];
    VS_TRY(cca_collect(&device_table, raw, it, err));
    VS_TRY(cca_apply(&device_table, g, it, err));
    *out = (cca_device){.hash = it[D_HASH].value,
                        .protocol = it[D_PROTOCOL].value,
                        .measurement = it[D_MEASUREMENT].value,
                        .certificate = it[D_CERTIFICATE].value,
                        .vca = it[D_VCA].value,
                        .uses_ide = optional_bool(&it[D_IDE])};
    return VS_OK;
}

static vs_code read_devices(vs_arena *a, const cca_item *it, cca_platform *out, vs_error *err)
{
    size_t n = (size_t)it->number;
    cca_device *list = vs_alloc_array(a, n, sizeof *list);
    if (!list)
        return vs_arena_check(a, err);
    vs_cbor c = vs_cbor_of(it->raw, err);
    (void)vs_cbor_array(&c);
    for (size_t i = 0; i < n; i++)
        VS_TRY_WRAP(read_device(vs_cbor_skip(&c), out->profile->generation, &list[i], err), err,
                    "platform token: platform extension %zu", i);
    out->devices = list;
    out->n_devices = n;
    return vs_cbor_end(&c);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static vs_code check_more(vs_arena *a, const cca_item *it, cca_platform *out, vs_error *err)
{
    VS_TRY(read_lifecycle(&it[LIFECYCLE], out, err));
    if (out->instance_id.p[0] != 1)
        return vs_fail(
            err, VS_E_INVALID,
            "platform token: instance id (256) is not an UEID of type RAND (first byte 0x%02x)",
            out->instance_id.p[0]);
    if (out->profile->generation == CCA_V2 && out->config.n == 0)
        return vs_fail(err, VS_E_INVALID, "platform token: configuration (2401) is empty");
    VS_TRY(read_components(a, &it[COMPONENTS], out, err));
    return it[DEVICES].raw.n ? read_devices(a, &it[DEVICES], out, err) : VS_OK;
}

vs_code cca_platform_decode(vs_arena *a, vs_span claims, cca_platform *out, vs_error *err)
{
    *out = (cca_platform){0};
    VS_TRY_WRAP(vs_cbor_check(claims, err), err, "platform token: claims");
    cca_item it[PLATFORM_RULES];
    VS_TRY(cca_collect(&table, claims, it, err));
    VS_TRY(read_profile(&it[PROFILE], out, err));
    VS_TRY(cca_apply(&table, out->profile->generation, it, err));
    out->challenge = it[CHALLENGE].value;
    out->implementation_id = it[IMPLEMENTATION_ID].value;
    out->instance_id = it[INSTANCE_ID].value;
    out->config = it[CONFIG].value;
    out->hash_name = it[HASH_NAME].value;
    out->hash = it[HASH_NAME].hash;
    out->service = it[SERVICE].value;
    out->manufacturing_config = it[MANUFACTURING_CONFIG].value;
    return check_more(a, it, out, err);
}
