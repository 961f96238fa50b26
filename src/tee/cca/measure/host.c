/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/measure/host.h"

#include "value/json.h"
#include "value/toml.h"

static const struct field {
    const char *key;
    size_t at;
    int least, most; /* most 0: a boolean */
} fields[] = {
    {"ipa_bits", offsetof(cca_host, ipa_bits), 20, 52},
    {"num_bps", offsetof(cca_host, num_bps), 2, 64},
    {"num_wps", offsetof(cca_host, num_wps), 2, 64},
    {"pmu_num_ctrs", offsetof(cca_host, pmu_num_ctrs), 0, 31},
    {"sve_vl", offsetof(cca_host, sve_vl), 0, 2048},
    {"pmu", offsetof(cca_host, pmu), 0, 0},
    {"lpa2", offsetof(cca_host, lpa2), 0, 0},
};

static int *field_of(cca_host *h, const struct field *f)
{
    return (int *)(void *)((uint8_t *)h + f->at);
}

/* ---- built in ---------------------------------------------------------------------------------
 */

const char cca_host_names[] = "fvp, qemu-max-8.2, kvm, rmm-1.0-eac5";

static const struct {
    const char *name;
    cca_host host;
} named[] = {
    /* Hardware: Arm's FVP as shrinkwrap configures it, QEMU 8.2 with -cpu max. */
    {"fvp", {52, 16, 16, 8, 512, 1, 1}},
    {"qemu-max-8.2", {52, 6, 4, 6, 2048, 1, 1}},
    /* Software that lowers it. */
    {"kvm", {-1, -1, -1, -1, -1, -1, 0}},
    {"rmm-1.0-eac5", {-1, 2, 2, -1, -1, -1, 0}},
};

bool cca_host_named(vs_span name, cca_host *out)
{
    for (size_t i = 0; i < VS_COUNT(named); i++) {
        if (vs_span_is(name, named[i].name)) {
            *out = named[i].host;
            return true;
        }
    }
    return false;
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static const struct field *find(vs_span key)
{
    for (size_t i = 0; i < VS_COUNT(fields); i++)
        if (vs_span_is(key, fields[i].key))
            return &fields[i];
    return NULL;
}

static bool is_vector_length(int64_t bits)
{
    return bits == 0 || (bits >= 128 && (bits & (bits - 1)) == 0);
}

static vs_code set(cca_host *h, const struct field *f, int64_t v, vs_error *err)
{
    if (v < f->least || v > f->most)
        return vs_fail(err, VS_E_INVALID, "%s is %lld, must be %d to %d", f->key, (long long)v,
                       f->least, f->most);
    if (f->at == offsetof(cca_host, sve_vl) && !is_vector_length(v))
        return vs_fail(err, VS_E_INVALID,
                       "sve_vl is %lld, must be 0 or a power of two from 128 to 2048",
                       (long long)v);
    *field_of(h, f) = (int)v;
    return VS_OK;
}

static vs_code set_value(cca_host *h, const struct field *f, vs_val v, vs_error *err)
{
    if (f->most == 0 && v.kind == VS_BOOL) {
        *field_of(h, f) = v.u.b;
        return VS_OK;
    }
    if (f->most == 0 || !vs_is_int(v))
        return vs_fail(err, VS_E_INVALID, "%s must be %s, not a %s", f->key,
                       f->most ? "a whole number" : "true or false", vs_kind_name(v.kind));
    return set(h, f, v.u.i, err);
}

static vs_code unknown(vs_span key, vs_error *err)
{
    return vs_fail(err, VS_E_INVALID,
                   "\"%.*s\" is no capability: they are ipa_bits, num_bps, num_wps, pmu_num_ctrs, "
                   "sve_vl, pmu and lpa2",
                   VS_FMT(vs_span_head(key, 40)));
}

vs_code cca_host_read(vs_val object, cca_host *out, vs_error *err)
{
    cca_host h = CCA_HOST_NOTHING;
    for (VS_OBJ_FOR (member, object)) {
        const struct field *f = find(vs_text(member->key));
        if (!f)
            return unknown(vs_text(member->key), err);
        VS_TRY(set_value(&h, f, member->val, err));
    }
    *out = h;
    return VS_OK;
}

vs_code cca_host_parse(vs_arena *a, vs_span toml, cca_host *out, vs_error *err)
{
    vs_val v;
    VS_TRY(vs_toml_parse(a, toml, &v, err));
    return cca_host_read(v, out, err);
}

vs_code cca_host_set(cca_host *h, const char *key, vs_span text, vs_error *err)
{
    const struct field *f = find(vs_str(key));
    uint64_t number;
    if (!f)
        return unknown(vs_str(key), err);
    if (f->most == 0)
        return vs_span_is(text, "true") || vs_span_is(text, "false")
                   ? set_value(h, f, vs_bool(vs_span_is(text, "true")), err)
                   : vs_fail(err, VS_E_INVALID, "%s must be true or false", key);
    if (!vs_span_decimal(text, 1 << 20, &number))
        return vs_fail(err, VS_E_INVALID, "%s must be a number from %d to %d", key, f->least,
                       f->most);
    return set(h, f, (int64_t)number, err);
}

/* ---- use --------------------------------------------------------------------------------------
 */

void cca_host_restrict(cca_host *h, const cca_host *by)
{
    cca_host limit = *by;
    for (size_t i = 0; i < VS_COUNT(fields); i++) {
        int *v = field_of(h, &fields[i]), most = *field_of(&limit, &fields[i]);
        if (most != CCA_HOST_UNKNOWN && (*v == CCA_HOST_UNKNOWN || *v > most))
            *v = most;
    }
}

static vs_code need(int v, const char *key, vs_error *err)
{
    if (v == CCA_HOST_UNKNOWN)
        return vs_fail(
            err, VS_E_INVALID,
            "the host's %s is not known, and it is measured: give it, or a host that has "
            "it (%s, or a file)",
            key, cca_host_names);
    return VS_OK;
}

vs_code cca_host_params(const cca_host *h, uint64_t more_flags, cca_realm_params *p, vs_error *err)
{
    if (more_flags & (CCA_REALM_LPA2 | CCA_REALM_SVE | CCA_REALM_PMU))
        return vs_fail(err, VS_E_INVALID,
                       "flags 0x%llx: LPA2 (1), SVE (2) and PMU (4) follow from the host",
                       (unsigned long long)more_flags);
    VS_TRY(need(h->ipa_bits, "ipa_bits", err));
    VS_TRY(need(h->num_bps, "num_bps", err));
    VS_TRY(need(h->num_wps, "num_wps", err));
    if (h->pmu == 1)
        VS_TRY(need(h->pmu_num_ctrs, "pmu_num_ctrs", err));
    bool sve = h->sve_vl > 0, pmu = h->pmu == 1;
    p->flags = more_flags | (h->lpa2 == 1 ? CCA_REALM_LPA2 : 0u) | (sve ? CCA_REALM_SVE : 0u) |
               (pmu ? CCA_REALM_PMU : 0u);
    p->s2sz = (uint8_t)h->ipa_bits;
    p->sve_vl = sve ? (uint8_t)(h->sve_vl / 128 - 1) : 0;
    p->num_bps = (uint8_t)(h->num_bps - 1);
    p->num_wps = (uint8_t)(h->num_wps - 1);
    p->pmu_num_ctrs = pmu ? (uint8_t)h->pmu_num_ctrs : 0;
    return VS_OK;
}
