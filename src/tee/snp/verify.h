/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a report to AMD's root key (tees.md 1.3, 1.4 and 1.7): the chip's or the cloud provider's
 * certificate is AMD's and valid now, it is for this kind of processor, this chip and exactly the
 * firmware versions that the report names, and its key signed the report.
 */
#ifndef VS_TEE_SNP_VERIFY_H
#define VS_TEE_SNP_VERIFY_H

#include "tee/snp/trust.h"

/* Certificates that came with the evidence, each PEM or DER; empty = did not. */
typedef struct snp_given {
    vs_span ark, ask, vcek, vlek;
} snp_given;

/* *csp_id: who the VLEK was given to ("CN=..."), on the arena; empty for a VCEK. UNTRUSTED, EXPIRED
 * the chain; NOT_FOUND no certificate; MISMATCH one for something else than this report;
 * CRYPTO the report's signature; PARSE, INVALID what cannot be read. */
VS_MUST vs_code snp_verify(const snp_trust *t, const snp_report *r, const snp_given *given,
                           int64_t now, vs_arena *a, vs_span *csp_id, vs_error *err);

#endif
