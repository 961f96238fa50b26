/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/ear.h"

static const struct {
    const char *name, *title;
} claims[EAR_CLAIMS] = {
    [EAR_INSTANCE_IDENTITY] = {"instance-identity", "Instance Identity"},
    [EAR_CONFIGURATION] = {"configuration", "Configuration"},
    [EAR_EXECUTABLES] = {"executables", "Executables"},
    [EAR_FILE_SYSTEM] = {"file-system", "File System"},
    [EAR_HARDWARE] = {"hardware", "Hardware"},
    [EAR_RUNTIME_OPAQUE] = {"runtime-opaque", "Runtime Opaque"},
    [EAR_STORAGE_OPAQUE] = {"storage-opaque", "Storage Opaque"},
    [EAR_SOURCED_DATA] = {"sourced-data", "Sourced Data"},
};

static const struct {
    const char *name;
    int code;
} tiers[] = {
    [EAR_NONE] = {"none", 0},
    [EAR_AFFIRMING] = {"affirming", 2},
    [EAR_WARNING] = {"warning", 32},
    [EAR_CONTRAINDICATED] = {"contraindicated", 96},
};

typedef struct meaning {
    int8_t value;
    const char *name, *text;
} meaning;

/* The same for every claim. */
static const meaning common[] = {
    {-1, "verifier_malfunction", "verifier malfunction"},
    {0, "no_claim", "no claim being made"},
    {1, "unexpected_evidence", "unexpected evidence"},
    {99, "crypto_failed", "cryptographic validation failed"},
};

enum { MEANINGS = 5 };
/* Rows end at the first without a name. */
static const meaning meanings[EAR_CLAIMS][MEANINGS + 1] = {
    [EAR_INSTANCE_IDENTITY] = {{2, "recognized_instance", "recognized and not compromised"},
                               {96, "untrustworthy_instance", "recognized but not trustworthy"},
                               {97, "unrecognized_instance", "not recognized"}},
    [EAR_CONFIGURATION] = {{2, "approved_config", "all recognized and approved"},
                           {3, "safe_config", "no known vulnerabilities"},
                           {32, "unsafe_config", "known vulnerabilities"},
                           {36, "unavailable_config", "elements unavailable to the verifier"},
                           {96, "unsupportable_config", "unacceptable security vulnerabilities"}},
    [EAR_EXECUTABLES] = {{2, "approved_rt", "recognized and approved boot- and run-time"},
                         {3, "approved_boot", "recognized and approved boot-time"},
                         {32, "unsafe_rt", "recognized but known bugs or vulnerabilities"},
                         {33, "unrecognized_rt", "unrecognized run-time"},
                         {96, "contraindicated_rt", "contraindicated run-time"}},
    [EAR_FILE_SYSTEM] = {{2, "approved_fs", "all recognized and approved"},
                         {32, "unrecognized_fs", "unrecognized item(s) found"},
                         {96, "contraindicated_fs", "contraindicated item(s) found"}},
    [EAR_HARDWARE] = {{2, "genuine_hw", "genuine"},
                      {32, "unsafe_hw", "genuine but known bugs or vulnerabilities"},
                      {96, "contraindicated_hw", "genuine but contraindicated"},
                      {97, "unrecognized_hw", "unrecognized"}},
    [EAR_RUNTIME_OPAQUE] = {{2, "encrypted_rt", "memory encryption"},
                            {32, "isolated_rt", "memory isolation"},
                            {96, "visible_rt", "visible"}},
    [EAR_STORAGE_OPAQUE] = {{2, "hw_encrypted_secrets", "encrypted using hardware-backed keys"},
                            {32, "sw_encrypted_secrets", "encrypted using unsecured keys"},
                            {96, "unencrypted_secrets", "no encryption"}},
    [EAR_SOURCED_DATA] = {{2, "trusted_sources", "from attesters in the affirming tier"},
                          {32, "untrusted_sources", "from attesters in the warning tier"},
                          {96, "contraindicated_sources",
                           "from attesters in the contraindicated tier"}},
};

const char *ear_claim_name(ear_claim claim)
{
    return claims[claim].name;
}

const char *ear_claim_title(ear_claim claim)
{
    return claims[claim].title;
}

bool ear_claim_of_name(vs_span name, ear_claim *claim)
{
    for (unsigned i = 0; i < EAR_CLAIMS; i++) {
        if (vs_span_is(name, claims[i].name)) {
            *claim = (ear_claim)i;
            return true;
        }
    }
    return false;
}

const char *ear_tier_name(ear_tier tier)
{
    return tiers[tier].name;
}

ear_tier ear_tier_of(int8_t value)
{
    if (value >= -1 && value <= 1)
        return EAR_NONE;
    if (value >= 96 || value < -96)
        return EAR_CONTRAINDICATED;
    if (value >= 32 || value < -32)
        return EAR_WARNING;
    return EAR_AFFIRMING;
}

bool ear_tier_of_status(vs_val status, ear_tier *tier)
{
    for (unsigned i = 0; i < VS_COUNT(tiers); i++) {
        bool same = status.kind == VS_STRING ? vs_span_is(vs_text(status), tiers[i].name)
                                             : vs_is_int(status) && status.u.i == tiers[i].code;
        if (same) {
            *tier = (ear_tier)i;
            return true;
        }
    }
    return false;
}

ear_tier ear_vector_status(const ear_vector *v)
{
    ear_tier worst = EAR_NONE;
    for (unsigned i = 0; i < EAR_CLAIMS; i++) {
        ear_tier tier = v->set[i] ? ear_tier_of(v->value[i]) : EAR_NONE;
        worst = tier > worst ? tier : worst;
    }
    return worst;
}

static const meaning *meaning_of_value(ear_claim claim, int8_t value)
{
    for (size_t i = 0; i < VS_COUNT(common); i++)
        if (common[i].value == value)
            return &common[i];
    for (const meaning *m = meanings[claim]; m->name; m++)
        if (m->value == value)
            return m;
    return NULL;
}

static const meaning *meaning_of_name(ear_claim claim, vs_span name)
{
    for (size_t i = 0; i < VS_COUNT(common); i++)
        if (vs_span_is(name, common[i].name))
            return &common[i];
    for (const meaning *m = meanings[claim]; m->name; m++)
        if (vs_span_is(name, m->name))
            return m;
    return NULL;
}

const char *ear_value_name(ear_claim claim, int8_t value)
{
    const meaning *m = meaning_of_value(claim, value);
    return m ? m->name : NULL;
}

const char *ear_value_text(ear_claim claim, int8_t value)
{
    const meaning *m = meaning_of_value(claim, value);
    return m ? m->text : "unknown code-point";
}

static vs_code read_value(ear_claim claim, vs_val v, ear_value_form form, int8_t *out,
                          vs_error *err)
{
    const char *name = claims[claim].name;
    if (form == EAR_INTEGERS_OR_NAMES && v.kind == VS_STRING) {
        const meaning *m = meaning_of_name(claim, vs_text(v));
        if (!m)
            return vs_fail(err, VS_E_INVALID, "trust claim \"%s\" has the unknown value \"%.*s\"",
                           name, VS_FMT(vs_span_head(vs_text(v), 64)));
        *out = m->value;
        return VS_OK;
    }
    if (v.kind != VS_NUMBER)
        return vs_fail(err, VS_E_INVALID, "trust claim \"%s\" must be an integer, not %s", name,
                       vs_kind_name((vs_kind)v.kind));
    if (!vs_is_int(v) || v.u.i < INT8_MIN || v.u.i > INT8_MAX)
        return vs_fail(err, VS_E_INVALID, "trust claim \"%s\" must be an integer from -128 to 127",
                       name);
    *out = (int8_t)v.u.i;
    return VS_OK;
}

vs_code ear_vector_read(vs_val object, ear_value_form form, ear_vector *out, vs_error *err)
{
    *out = (ear_vector){0};
    if (object.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "trust claims must be an object, not %s",
                       vs_kind_name((vs_kind)object.kind));
    if (object.len == 0)
        return vs_fail(err, VS_E_INVALID, "at least one trust claim must be set");
    ear_vector v = {0};
    for (VS_OBJ_FOR (pair, object)) {
        vs_span name = vs_text(pair->key);
        ear_claim claim;
        if (!ear_claim_of_name(name, &claim))
            return vs_fail(err, VS_E_INVALID, "unknown trust claim \"%.*s\"",
                           VS_FMT(vs_span_head(name, 64)));
        int8_t value = 0;
        VS_TRY(read_value(claim, pair->val, form, &value, err));
        ear_set(&v, claim, value);
    }
    *out = v;
    return VS_OK;
}

vs_val ear_vector_value(const ear_vector *v, vs_arena *a)
{
    static const ear_claim by_name[EAR_CLAIMS] = {
        EAR_CONFIGURATION,     EAR_EXECUTABLES,    EAR_FILE_SYSTEM,  EAR_HARDWARE,
        EAR_INSTANCE_IDENTITY, EAR_RUNTIME_OPAQUE, EAR_SOURCED_DATA, EAR_STORAGE_OPAQUE};
    vs_obj out = {.a = a};
    for (unsigned i = 0; i < EAR_CLAIMS; i++) {
        ear_claim claim = by_name[i];
        if (v->set[claim])
            vs_obj_put(&out, ear_claim_name(claim), vs_int(v->value[claim]));
    }
    return vs_obj_end(&out, VS_DUP_REFUSE, NULL);
}
