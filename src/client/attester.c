/* SPDX-License-Identifier: Apache-2.0 */
#include "client/attester.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "client/attester_tee.h"

#define TSM_PATH_ENV "VOUCHSAFE_TSM_PATH"

/* In the order of guest.md 1.9, which matters for the messages only: a machine has one provider. */
static const tee_attester *const tees[] = {&tee_attester_tdx, &tee_attester_snp, &tee_attester_cca};

/* ---- detection ------------------------------------------------------------------------------- */

/* Who reports at the device. */
static vs_code find_provider(attester *a, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf provider = VS_BUF(VS_TSM_PROVIDER_MAX);
    VS_TRY(tsm_open(a->tsm_path, &a->device, &provider, err));
    vs_span name = vs_buf_span(&provider);
    for (size_t i = 0; i < VS_COUNT(tees); i++) {
        if (!vs_span_is(name, tees[i]->provider))
            continue;
        a->tee = tees[i];
        return VS_OK;
    }
    return vs_fail(err, VS_E_UNSUPPORTED,
                   "%s reports for \"%.*s\", this program attests tdx_guest, sev_guest and "
                   "arm_cca_guest only",
                   a->tsm_path, VS_FMT(vs_span_trim(name)));
}

/* A TEE without its report interface is not "no TEE": that would be a way to the sample attester.
 */
static vs_code look_for_signs(const attester *a, vs_error *err)
{
    for (size_t i = 0; i < VS_COUNT(tees); i++)
        if (tees[i]->sign && access(tees[i]->sign, F_OK) == 0)
            return vs_fail(err, VS_E_UNSUPPORTED,
                           "%s is there (%s), but no report device at %s: Linux 6.7 or later and "
                           "`mount -t configfs none /sys/kernel/config` are needed",
                           tees[i]->sign, tees[i]->name, a->tsm_path);
    return VS_OK;
}

/* Adds what was looked for, and why each does not fit, to the reason why there is no report device.
 */
static vs_code none_found(vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf signs = VS_BUF(400);
    for (size_t i = 0; i < VS_COUNT(tees); i++) {
        vs_buf_puts(&signs, i ? ", " : "");
        if (tees[i]->sign)
            vs_buf_printf(&signs, "%s (neither its provider nor %s)", tees[i]->name, tees[i]->sign);
        else
            vs_buf_printf(&signs, "%s (no provider)", tees[i]->name);
    }
    (void)vs_wrap(err, "looked for %.*s", VS_FMT(vs_buf_span(&signs)));
    (void)vs_wrap(err,
                  "no TEE found (%s names another report device; --allow-sample, "
                  "KBS_CLIENT_ALLOW_SAMPLE=1 or attester.allow_sample of the agent allows the "
                  "sample attester, which proves nothing)",
                  TSM_PATH_ENV);
    return VS_E_NOT_FOUND;
}

/* Only the absence of any TEE may lead to the sample attester, and only when that was asked for; a
 * path that somebody named must be there. */
static vs_code settle(attester *a, const attester_config *cfg, bool named, vs_error *err)
{
    vs_code code = find_provider(a, err);
    if (code == VS_E_NOT_FOUND && !named) {
        VS_TRY_WRAP(look_for_signs(a, err), err, "cannot use the attestation device");
        if (!cfg->allow_sample)
            return none_found(err);
        vs_log(VS_LOG_WARN, "attester",
               "no TEE found: using the sample attester, which proves nothing", NULL);
        a->tee = &tee_attester_sample;
        return VS_OK;
    }
    if (code != VS_OK)
        (void)vs_wrap(err, "cannot use the attestation device");
    return code;
}

/* *named: somebody says where it is. */
static char *place(const char *given, const char *variable, const char *fallback, bool *named)
{
    const char *path = given ? given : getenv(variable);
    bool is = path && *path;
    if (named)
        *named = is;
    return strdup(is ? path : fallback);
}

vs_code attester_detect(const attester_config *cfg, attester **out, vs_error *err)
{
    bool named;
    attester *a = calloc(1, sizeof *a);
    if (!a)
        return vs_fail(err, VS_E_NOMEM, "cannot make an attester");
    a->tsm_path = place(cfg->tsm_path, TSM_PATH_ENV, "/sys/kernel/config/tsm/report", &named);
    a->rtmr_path = place(cfg->rtmr_path, "VOUCHSAFE_RTMR_PATH",
                         "/sys/devices/virtual/misc/tdx_guest/measurements", NULL);
    a->ccel_path =
        place(cfg->ccel_path, "VOUCHSAFE_CCEL_PATH", "/sys/firmware/acpi/tables/data/CCEL", NULL);
    a->aael_path = place(cfg->aael_path, "AAEL_PATH", ATTESTER_AAEL_PATH, NULL);
    vs_code code = a->tsm_path && a->rtmr_path && a->ccel_path && a->aael_path
                       ? settle(a, cfg, named, err)
                       : vs_fail(err, VS_E_NOMEM, "cannot make an attester");
    if (code != VS_OK)
        attester_free(&a);
    else
        *out = a;
    return code;
}

void attester_free(attester **a)
{
    if (!*a)
        return;
    free((*a)->tsm_path);
    free((*a)->rtmr_path);
    free((*a)->ccel_path);
    free((*a)->aael_path);
    free(*a);
    *a = NULL;
}

/* ---- use ------------------------------------------------------------------------------------- */

const char *attester_tee(const attester *a)
{
    return a->tee->name;
}

vs_code attester_evidence(attester *a, vs_span report_data, vs_buf *json, vs_error *err)
{
    if (report_data.n > TSM_REPORT_DATA)
        return vs_fail(err, VS_E_INVALID, "challenge of %zu bytes: must be %d bytes or less",
                       report_data.n, TSM_REPORT_DATA);
    VS_TRY_WRAP(a->tee->evidence(a, report_data, json, err), err, "getting evidence of TEE %s",
                a->tee->name);
    return VS_OK;
}

vs_code attester_match_init_data(const attester *a, vs_span value, const char *what, vs_span digest,
                                 vs_span reported, const uint8_t challenge[TSM_REPORT_DATA],
                                 vs_error *err)
{
    uint8_t want[64] = {0};
    if (!vs_span_eq(reported, vs_span_of(challenge, TSM_REPORT_DATA)))
        return vs_fail(err, VS_E_MISMATCH, "%s reports for another challenge", a->tsm_path);
    memcpy(want, digest.p, digest.n);
    if (value.n < 32 || value.n > sizeof want || !vs_span_eq(value, vs_span_of(want, value.n)))
        return vs_fail(err, VS_E_MISMATCH, "the %s is not the init data's digest", what);
    return VS_OK;
}

vs_code attester_check_init_data(attester *a, vs_span digest, vs_error *err)
{
    if (!a->tee->check_init_data)
        return vs_fail(err, VS_E_UNSUPPORTED, "the %s attester vouches for no init data",
                       a->tee->name);
    if (digest.n != 32 && digest.n != 48 && digest.n != 64)
        return vs_fail(err, VS_E_INVALID, "init data: a digest of %zu bytes; must be 32, 48 or 64",
                       digest.n);
    VS_TRY_WRAP(a->tee->check_init_data(a, digest, err), err, "init data");
    return VS_OK;
}

vs_code attester_get_registers(attester *a, attester_registers *out, vs_error *err)
{
    if (!a->tee->registers)
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "TEE %s has no registers that a guest may extend through the kernel",
                       a->tee->name);
    return a->tee->registers(a, out, err);
}
