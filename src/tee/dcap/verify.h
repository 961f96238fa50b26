/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verification of TDX quotes with Intel's collateral (DCAP; tees.md 2.3 to 2.5), as Intel's own
 * quote verification library does it, and stricter: dates in the future are refused.
 *
 * Collateral that has expired does not end the verification, since policies decide about it; it is
 * said in the result. Everything else that does not hold is an error.
 */
#ifndef VS_TEE_DCAP_VERIFY_H
#define VS_TEE_DCAP_VERIFY_H

#include "tee/dcap/tcb.h"

enum { DCAP_POINT = 65 };
/* Public key of the Intel SGX Root CA: trust in Intel is trust in this key. */
extern const uint8_t dcap_intel_root[DCAP_POINT];

/* As Intel's provisioning certification service gives it out. */
typedef struct dcap_collateral {
    /* Exactly the bytes that are signed: the values of "tcbInfo" and "enclaveIdentity". */
    vs_span tcb_info, qe_identity;
    vs_span tcb_info_signature, qe_identity_signature;        /* r||s */
    vs_span tcb_info_chain, qe_identity_chain, pck_crl_chain; /* PEM: signer, root */
    vs_span root_crl, pck_crl;                                /* DER */
} dcap_collateral;

typedef struct dcap_result {
    dcap_pck pck;
    uint8_t root_key_id[48]; /* SHA-384 of the root's point */
    dcap_verdict launch, current;
    bool expired; /* some of the collateral, at the time of evaluation */
    int64_t earliest_issue, latest_issue, earliest_expiration;
    uint64_t pck_crl_number, root_crl_number, evaluation;
} dcap_result;

/* The signatures of the quote alone: PCK chain to the root, quoting enclave's report, attestation
 * key, quote. *chain (may be NULL) = PCK, intermediate, root. For what comes before the collateral
 * is known: *pck says which is needed. UNTRUSTED, CRYPTO, MISMATCH, EXPIRED (not yet valid). */
VS_MUST vs_code dcap_verify_quote(const uint8_t root[DCAP_POINT], const dcap_quote *quote,
                                  int64_t now, vs_certs **chain, dcap_pck *pck, vs_error *err);

/* Everything. */
VS_MUST vs_code dcap_verify(const uint8_t root[DCAP_POINT], const dcap_quote *quote,
                            const dcap_collateral *collateral, int64_t now, vs_arena *a,
                            dcap_result *out, vs_error *err);

#endif
