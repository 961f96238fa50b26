/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two kinds of Azure confidential virtual machines have in common (tees.md 4 and 5): a
 * quote of the virtual TPM, and the paravisor's report that vouches for the TPM's key. What vouches
 * for the report is the hardware: see snp.c and tdx.c.
 *
 * Evidence comes in three versions. The third, newest one (2) has the report data in the hardware's
 * report as well; the older ones have it in the TPM quote only. All of them are fresh by the quote.
 */
#ifndef VS_TEE_AZURE_VTPM_H
#define VS_TEE_AZURE_VTPM_H

#include "tee/azure/hcl.h"
#include "tee/evidence.h"
#include "tee/tee.h"
#include "tee/tpm/quote.h"

typedef struct az_names { /* where versions and TEEs differ */
    hcl_type type;
    const char *quote_v0, *report_v0; /* members of evidence without a version */
    const char *endorsement;          /* "vcek", "td_quote" */
} az_names;

typedef struct az_evidence {
    unsigned version; /* 0, 1, 2 */
    hcl_report report;
    vs_span message, signature; /* TPMS_ATTEST; bare RSA signature */
    tpm_pcrs pcrs;
} az_evidence;

/* All but the endorsement, whose form is the caller's business. */
VS_MUST vs_code az_read(vs_arena *a, vs_val evidence, const az_names *names, az_evidence *out,
                        vs_error *err);

/* The TPM's quote is by the key of the paravisor's report, whose binding to the hardware has been
 * checked; it is fresh, and init data is what is expected. Report data must be expected. */
VS_MUST vs_code az_verify_tpm(vs_arena *a, const az_evidence *e, const vs_tee_expect *expect,
                              tpm_quote *out, vs_error *err);

/* Claims of the hardware with the TPM's: "tpm", and what is reported and initialised. */
vs_tee_result az_result(vs_obj *claims, const az_evidence *e, const tpm_quote *quote);

#endif
