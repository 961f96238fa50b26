/* SPDX-License-Identifier: Apache-2.0 */
/* Realm claims: cca.md 1.7 to 1.9. */
#include "tee/cca/rules.h"

#include "value/cbor.h"

static const cca_profile profiles[] = {
    {NULL, CCA_LEGACY},
    {"tag:arm.com,2023:realm#1.0.0", CCA_V1},
    {"tag:arm.com,2024:realm#2.0.0", CCA_V2},
};

enum {
    CHALLENGE,
    PROFILE,
    RPV,
    HASH_NAME,
    RAK,
    RIM,
    REM,
    RAK_HASH_NAME,
    INSTANCE_ID,
    MEC_POLICY,
    LFA_POLICY,
    DEVICES_HASH,
    REALM_RULES,
};

static const cca_rule rules[REALM_RULES] = {
    [CHALLENGE] = {10, "challenge", CCA_BYTES, CCA_CHALLENGE, CCA_CHALLENGE, CCA_ALL, 0},
    [PROFILE] = {265, "profile", CCA_TEXT, 1, CCA_ANY_SIZE, CCA_V1 | CCA_V2, 0},
    [RPV] = {44235, "personalization value", CCA_BYTES, CCA_CHALLENGE, CCA_CHALLENGE, CCA_ALL, 0},
    [HASH_NAME] = {44236, "hash algorithm", CCA_HASH, 0, 0, CCA_ALL, 0},
    [RAK] = {44237, "public key", CCA_BYTES, 1, CCA_ANY_SIZE, CCA_ALL, 0},
    [RIM] = {44238, "initial measurement", CCA_DIGEST, 0, 0, CCA_ALL, 0},
    [REM] = {44239, "extensible measurements", CCA_ARRAY, CCA_REMS, CCA_REMS, CCA_ALL, 0},
    [RAK_HASH_NAME] = {44240, "public key hash algorithm", CCA_HASH, 0, 0, CCA_ALL, 0},
    [INSTANCE_ID] = {256, "instance id", CCA_BYTES, CCA_INSTANCE_ID, CCA_INSTANCE_ID, CCA_V2, 0},
    [MEC_POLICY] = {44243, "MEC policy", CCA_UINT, 0, 1, CCA_V2, 0},
    [LFA_POLICY] = {44244, "LFA policy", CCA_UINT, 0, 1, 0, CCA_V2},
    [DEVICES_HASH] = {44257, "devices token hash", CCA_DIGEST, 0, 0, 0, CCA_V2},
};
static const cca_table table = {"realm token", rules, VS_COUNT(rules), false};

/* The realm's own profile decides, never the platform's: mixed pairs are normal (trap 2). */
static vs_code read_profile(cca_item *it, cca_realm *out, vs_error *err)
{
    if (!it->raw.n) {
        out->profile = &profiles[0];
        return VS_OK;
    }
    VS_TRY(cca_check_item(table.what, &rules[PROFILE], it, err));
    for (size_t i = 1; i < VS_COUNT(profiles); i++) {
        if (vs_span_is(it->value, profiles[i].uri)) {
            out->profile = &profiles[i];
            return VS_OK;
        }
    }
    return vs_fail(err, VS_E_UNSUPPORTED, "realm token: unknown profile (265) \"%.*s\"",
                   VS_FMT(vs_span_head(it->value, 80)));
}

static vs_code read_rems(const cca_item *array, cca_realm *out, vs_error *err)
{
    static const cca_rule rules_of_rems[CCA_REMS] = {
        {.name = "REM 0", .kind = CCA_DIGEST},
        {.name = "REM 1", .kind = CCA_DIGEST},
        {.name = "REM 2", .kind = CCA_DIGEST},
        {.name = "REM 3", .kind = CCA_DIGEST},
    };
    vs_cbor c = vs_cbor_of(array->raw, err);
    size_t n = vs_cbor_array(&c); /* CCA_REMS: the rule says so */
    for (size_t i = 0; i < n && i < CCA_REMS; i++) {
        cca_item it = {.raw = vs_cbor_skip(&c)};
        VS_TRY(cca_check_item(table.what, &rules_of_rems[i], &it, err));
        out->rem[i] = it.value;
    }
    return vs_cbor_end(&c);
}

vs_code cca_realm_decode(vs_span claims, cca_realm *out, vs_error *err)
{
    *out = (cca_realm){0};
    VS_TRY_WRAP(vs_cbor_check(claims, err), err, "realm token: claims");
    cca_item it[REALM_RULES];
    VS_TRY(cca_collect(&table, claims, it, err));
    VS_TRY(read_profile(&it[PROFILE], out, err));
    VS_TRY(cca_apply(&table, out->profile->generation, it, err));
    out->challenge = it[CHALLENGE].value;
    out->rpv = it[RPV].value;
    out->rim = it[RIM].value;
    out->hash_name = it[HASH_NAME].value;
    out->hash = it[HASH_NAME].hash;
    out->rak = it[RAK].value;
    out->rak_hash_name = it[RAK_HASH_NAME].value;
    out->rak_hash = it[RAK_HASH_NAME].hash;
    out->instance_id = it[INSTANCE_ID].value;
    out->mec_policy = it[MEC_POLICY].raw.n ? (int)it[MEC_POLICY].number : -1;
    out->lfa_policy = it[LFA_POLICY].raw.n ? (int)it[LFA_POLICY].number : -1;
    out->devices_hash = it[DEVICES_HASH].value;
    if (out->instance_id.n && out->instance_id.p[0] != 1)
        return vs_fail(
            err, VS_E_INVALID,
            "realm token: instance id (256) is not an UEID of type RAND (first byte 0x%02x)",
            out->instance_id.p[0]);
    return read_rems(&it[REM], out, err);
}

vs_code cca_realm_key(const cca_realm *r, vs_key **out, vs_error *err)
{
    vs_code code;
    if (r->profile->generation == CCA_LEGACY) {
        code = vs_key_from_point(VS_KEY_P384, r->rak, out, err);
    } else {
        code = vs_key_from_cose(r->rak, out, err);
        if (code == VS_OK && vs_key_kind(*out) == VS_KEY_ED25519) {
            vs_key_free(out);
            code = vs_fail(err, VS_E_INVALID, "COSE_Key is not of type EC2");
        }
    }
    if (code == VS_OK)
        return VS_OK;
    (void)vs_wrap(err, "realm token: public key (44237)");
    return code == VS_E_NOMEM ? code : VS_E_INVALID;
}
