/* SPDX-License-Identifier: Apache-2.0 */
/* TEE "snp": AMD SEV-SNP evidence, {"attestation_report": {...}, "cert_chain": [...] or null}. */
#ifndef VS_TEE_SNP_DRIVER_H
#define VS_TEE_SNP_DRIVER_H

#include "tee/tee.h"

extern const vs_tee_driver snp_driver;

#endif
