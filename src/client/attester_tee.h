/* SPDX-License-Identifier: Apache-2.0 */
/* What a TEE is to the attester: one table each, in attester_NAME.c. */
#ifndef VS_CLIENT_ATTESTER_TEE_H
#define VS_CLIENT_ATTESTER_TEE_H

#include "base/io.h"
#include "client/attester.h"
#include "client/tsm.h"
#include "client/tsm_socket.h"

typedef struct tee_attester {
    const char *name;     /* "cca" */
    const char *provider; /* in configfs-tsm, with its line feed; NULL = not there */
    /* A file that is there where the TEE is even when configfs-tsm is not; NULL = none. */
    const char *sign;
    vs_code (*evidence)(const attester *a, vs_span report_data, vs_buf *json, vs_error *err);
    /* NULL: the TEE does not tell. `digest` has 32, 48 or 64 bytes. */
    vs_code (*check_init_data)(const attester *a, vs_span digest, vs_error *err);
    /* NULL: there are no registers that a guest may extend. */
    vs_code (*registers)(attester *a, attester_registers *out, vs_error *err);
} tee_attester;

extern const tee_attester tee_attester_az_snp, tee_attester_az_tdx, tee_attester_cca,
    tee_attester_sample, tee_attester_snp, tee_attester_tdx, tee_attester_tpm;

struct attester {
    const tee_attester *tee;
    tsm device; /* of TEEs with a provider */
    char *tsm_path, *rtmr_path, *ccel_path, *aael_path, *tpm_path, *imds_url;
    uint32_t tpm_handle;  /* of the attestation key */
    unsigned patience_ms; /* with the paravisor, and with the metadata service */
};

/* That the TPM is the virtual one of an Azure confidential machine; sets a->tee. NOT_FOUND: there
 * is no TPM, or it is another one; any other error: it is, and cannot be used. */
VS_MUST vs_code attester_probe_azure(attester *a, vs_error *err);
/* That there is a TPM with a key that can attest. NOT_FOUND: no TPM; others: no key. */
VS_MUST vs_code attester_probe_tpm(attester *a, vs_error *err);

/* A report of the TEE's own provider. */
static inline VS_MUST vs_code attester_report(const attester *a, vs_span report_data,
                                              vs_buf *report, vs_buf *aux, vs_error *err)
{
    return tsm_get_report(&a->device, a->tee->provider, report_data, report, aux, err);
}

/* A report for random report data, for what is in it besides; `challenge` is to be found in it. */
static inline VS_MUST vs_code attester_fresh_report(const attester *a,
                                                    uint8_t challenge[TSM_REPORT_DATA],
                                                    vs_buf *report, vs_error *err)
{
    vs_random(challenge, TSM_REPORT_DATA);
    return attester_report(a, vs_span_of(challenge, TSM_REPORT_DATA), report, NULL, err);
}

/* MISMATCH unless `value` is the digest, cut to its size or followed by zeros, and the report is
 * for this challenge. */
VS_MUST vs_code attester_match_init_data(const attester *a, vs_span value, const char *what,
                                         vs_span digest, vs_span reported,
                                         const uint8_t challenge[TSM_REPORT_DATA], vs_error *err);

#endif
