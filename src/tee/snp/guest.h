/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's half of SNP evidence (tees.md 1.1): what the device gives, as JSON. The certificates
 * come from the host, which nobody trusts: sizes are checked, contents are the verifier's business.
 */
#ifndef VS_TEE_SNP_GUEST_H
#define VS_TEE_SNP_GUEST_H

#include "tee/snp/report.h"

/* The certificate table of the guest-hypervisor interface as the array "cert_chain", sorted as
 * upstream does: ARK, VCEK, VLEK, ASK, CRL, others. Null for a table without entries, and for no
 * table at all (p == NULL or n == 0). PARSE, LIMIT. */
VS_MUST vs_code snp_table_write(vs_buf *json, vs_span table, vs_error *err);
/* {"attestation_report":...,"cert_chain":...} */
VS_MUST vs_code snp_write_evidence(vs_buf *json, vs_span report, vs_span table, vs_error *err);

#endif
