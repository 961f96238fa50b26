/* SPDX-License-Identifier: Apache-2.0 */
/* Every TEE name of the protocol (tees.md 0.1), and the drivers this build has. */
#include "tee/tee.h"

#include "tee/azure/drivers.h"
#include "tee/cca/driver.h"
#include "tee/sample/sample.h"
#include "tee/snp/driver.h"
#include "tee/tdx/driver.h"
#include "tee/tpm/driver.h"

static const struct {
    const char *name;
    const char *aliases[2]; /* accepted, never emitted */
    const vs_tee_driver *driver;
} tees[] = {
    {"az-snp-vtpm", {"azsnpvtpm"}, &az_snp_driver},
    {"az-tdx-vtpm", {"aztdxvtpm"}, &az_tdx_driver},
    {"cca", {NULL}, &cca_driver},
    {"csv", {NULL}, NULL},
    {"hygondcu", {NULL}, NULL},
    {"nvidia", {NULL}, NULL},
    {"nvidiadpu", {"nvidia-dpu", "dpu"}, NULL},
    {"sample", {NULL}, &sample_driver},
    {"sampledevice", {NULL}, &sample_device_driver},
    {"se", {NULL}, NULL},
    {"sgx", {NULL}, NULL},
    {"snp", {NULL}, &snp_driver},
    {"tdx", {NULL}, &tdx_driver},
    {"tpm", {NULL}, &tpm_driver},
};

static bool is_called(size_t i, vs_span name)
{
    bool is = vs_span_is(name, tees[i].name);
    for (size_t k = 0; k < VS_COUNT(tees[i].aliases) && tees[i].aliases[k]; k++)
        is |= vs_span_is(name, tees[i].aliases[k]);
    return is;
}

static size_t find(vs_span name)
{
    size_t i = 0;
    while (i < VS_COUNT(tees) && !is_called(i, name))
        i++;
    return i;
}

const vs_tee_driver *vs_tee_find(vs_span name)
{
    size_t i = find(name);
    return i < VS_COUNT(tees) ? tees[i].driver : NULL;
}

bool vs_tee_known(vs_span name, const char **canonical)
{
    size_t i = find(name);
    if (i == VS_COUNT(tees))
        return false;
    if (canonical)
        *canonical = tees[i].name;
    return true;
}

void vs_tee_fit(vs_span expected, uint8_t *out, size_t n)
{
    size_t have = expected.n < n ? expected.n : n;
    memset(out, 0, n);
    if (have)
        memcpy(out, expected.p, have);
}

vs_code vs_tee_match(vs_span expected, vs_span field, bool cut, const char *what, vs_error *err)
{
    enum { FIELD_MAX = 64 };
    uint8_t want[FIELD_MAX];
    if (!expected.p)
        return VS_OK;
    if (expected.n > field.n && !cut)
        return vs_fail(err, VS_E_MISMATCH, "%s: %zu bytes are expected, there is room for %zu",
                       what, expected.n, field.n);
    if (field.n > FIELD_MAX)
        return vs_fail(err, VS_E_INTERNAL, "%s of %zu bytes", what, field.n);
    vs_tee_fit(expected, want, field.n);
    if (!vs_ct_eq(field, vs_span_of(want, field.n)))
        return vs_fail(err, VS_E_MISMATCH, "%s is not the expected one", what);
    return VS_OK;
}
