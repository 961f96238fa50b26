/* SPDX-License-Identifier: Apache-2.0 */
#include "client/attester.h"

#include <stdio.h>
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

/* Whether a TPM is to be used: the virtual one of an Azure machine, else any with an attestation
 * key. A TPM that nobody named and that has none is passed over, with the reason in `err`. One of
 * Azure's that cannot be used is an error, since as any other it would prove less. */
static vs_code find_tpm(attester *a, bool named, bool *found, vs_error *err)
{
    vs_error azure = {0};
    char text[200];
    vs_code code = attester_probe_azure(a, &azure);
    *found = code == VS_OK;
    if (code != VS_OK && code != VS_E_NOT_FOUND)
        *err = azure;
    if (code != VS_E_NOT_FOUND)
        return code;
    code = attester_probe_tpm(a, err);
    *found = code == VS_OK;
    if (*found)
        a->tee = &tee_attester_tpm;
    else if (code != VS_E_NOT_FOUND)
        (void)vs_wrap(err, "no virtual TPM of Azure (%s), nor another that attests",
                      vs_error_text(&azure, text, sizeof text));
    return named ? code : VS_OK;
}

/* The error of a search in vain: everything that was looked for, and why it does not fit. */
static vs_code none_found(const char *sample_by, const vs_error *tsm_why, const vs_error *tpm_why,
                          vs_error *err)
{
    char tsm_text[300], tpm_text[300];
    VS_CLEANUP(vs_buf_free) vs_buf all = VS_BUF(400);
    for (size_t i = 0; i < VS_COUNT(tees); i++) {
        vs_buf_printf(&all, "%s%s", i ? ", " : "", tees[i]->name);
        if (tees[i]->sign)
            vs_buf_printf(&all, " (nor %s)", tees[i]->sign);
    }
    (void)vs_fail(err, VS_E_NOT_FOUND, "%.*s: %s; tpm: %s", VS_FMT(vs_buf_span(&all)),
                  vs_error_text(tsm_why, tsm_text, sizeof tsm_text),
                  vs_error_text(tpm_why, tpm_text, sizeof tpm_text));
    if (sample_by)
        (void)vs_wrap(err,
                      "no TEE found (%s names another report device; %s allows the sample "
                      "attester, which proves nothing)",
                      TSM_PATH_ENV, sample_by);
    else
        (void)vs_wrap(err, "no TEE found (%s names another report device)", TSM_PATH_ENV);
    return VS_E_NOT_FOUND;
}

/* Which places somebody named: what is there must then be used, or be an error. */
typedef struct named {
    bool tsm, tpm;
} named;

/* Only the absence of any TEE may lead to the sample attester, and only when that was asked for. */
static vs_code settle(attester *a, const attester_config *cfg, named n, vs_error *err)
{
    vs_error tsm_why = {0}, tpm_why = {0};
    bool found;
    vs_code code = find_provider(a, &tsm_why);
    if (code == VS_OK)
        return VS_OK;
    if (code != VS_E_NOT_FOUND || n.tsm) {
        (void)vs_wrap(&tsm_why, "cannot use the attestation device");
        if (err)
            *err = tsm_why;
        return code;
    }
    VS_TRY_WRAP(look_for_signs(a, err), err, "cannot use the attestation device");
    code = find_tpm(a, n.tpm, &found, &tpm_why);
    if (code != VS_OK && err)
        *err = tpm_why;
    if (code != VS_OK || found)
        return code;
    if (!cfg->allow_sample)
        return none_found(cfg->sample_by, &tsm_why, &tpm_why, err);
    vs_log(VS_LOG_WARN, "attester", "no TEE found: using the sample attester, which proves nothing",
           NULL);
    a->tee = &tee_attester_sample;
    return VS_OK;
}

/* The TEE that the caller wants, or an error. */
static vs_code settle_named(attester *a, const attester_config *cfg, vs_error *err)
{
    if (strcmp(cfg->tee, "sample") == 0) {
        if (!cfg->allow_sample)
            return vs_fail(err, VS_E_DENIED,
                           "the sample attester must be allowed: it proves nothing");
        a->tee = &tee_attester_sample;
        return VS_OK;
    }
    if (strcmp(cfg->tee, "tpm") == 0) {
        VS_TRY(attester_probe_tpm(a, err));
        a->tee = &tee_attester_tpm;
        return VS_OK;
    }
    size_t i = 0;
    while (i < VS_COUNT(tees) && strcmp(cfg->tee, tees[i]->name) != 0)
        i++;
    if (i == VS_COUNT(tees))
        return vs_fail(err, VS_E_INVALID, "there is no attester \"%.40s\": " ATTESTER_NAMES,
                       cfg->tee);
    VS_TRY_WRAP(find_provider(a, err), err, "cannot use the attestation device");
    return a->tee == tees[i] ? VS_OK
                             : vs_fail(err, VS_E_NOT_FOUND, "the TEE is \"%s\" and not \"%s\"",
                                       a->tee->name, cfg->tee);
}

/* AA_TPM_AK_HANDLE: hexadecimal, with or without 0x. */
static vs_code read_handle(uint32_t *out, vs_error *err)
{
    const char *text = getenv("AA_TPM_AK_HANDLE");
    char number[32];
    uint64_t v;
    *out = 0x81010002;
    if (!text || !*text)
        return VS_OK;
    bool prefixed = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    (void)snprintf(number, sizeof number, "0x%s", text + (prefixed ? 2 : 0));
    if (!vs_span_number(vs_str(number), UINT32_MAX, &v))
        return vs_fail(err, VS_E_INVALID, "AA_TPM_AK_HANDLE is no handle in hexadecimal: %.40s",
                       text);
    *out = (uint32_t)v;
    return VS_OK;
}

/* *is_named (may be NULL): somebody says where it is. */
static char *place(const char *given, const char *variable, const char *fallback, bool *is_named)
{
    const char *path = given ? given : getenv(variable);
    bool is = path && *path;
    if (is_named)
        *is_named = is;
    return strdup(is ? path : fallback);
}

vs_code attester_detect(const attester_config *cfg, attester **out, vs_error *err)
{
    named n;
    attester *a = calloc(1, sizeof *a);
    if (!a)
        return vs_fail(err, VS_E_NOMEM, "cannot make an attester");
    a->patience_ms = 15000; /* Azure's paravisor takes 3 s */
    a->tsm_path = place(cfg->tsm_path, TSM_PATH_ENV, "/sys/kernel/config/tsm/report", &n.tsm);
    a->rtmr_path = place(cfg->rtmr_path, "VOUCHSAFE_RTMR_PATH",
                         "/sys/devices/virtual/misc/tdx_guest/measurements", NULL);
    a->ccel_path =
        place(cfg->ccel_path, "VOUCHSAFE_CCEL_PATH", "/sys/firmware/acpi/tables/data/CCEL", NULL);
    a->aael_path = place(cfg->aael_path, "AAEL_PATH", ATTESTER_AAEL_PATH, NULL);
    a->tpm_path = place(cfg->tpm_path, "AA_TPM_DEVICE", "/dev/tpmrm0", &n.tpm);
    a->imds_url = place(cfg->imds_url, "VOUCHSAFE_IMDS_URL", "http://169.254.169.254", NULL);
    bool made =
        a->tsm_path && a->rtmr_path && a->ccel_path && a->aael_path && a->tpm_path && a->imds_url;
    vs_code code = made ? read_handle(&a->tpm_handle, err)
                        : vs_fail(err, VS_E_NOMEM, "cannot make an attester");
    if (code == VS_OK)
        code = cfg->tee ? settle_named(a, cfg, err) : settle(a, cfg, n, err);
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
    free((*a)->tpm_path);
    free((*a)->imds_url);
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
