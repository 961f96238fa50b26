/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verification of a decoded CCA token (cca.md 2.1) and its appraisal against the reference store as
 * Trustee's local verifier does it (3.2).
 *
 * cca_verdict is the one record of what was proven: whoever continues the chain uses it and does
 * not look the platform up again.
 */
#ifndef VS_TEE_CCA_VERIFY_H
#define VS_TEE_CCA_VERIFY_H

#include "envelope/ear.h"
#include "tee/cca/token.h"
#include "tee/cca/trust.h"

typedef struct cca_verdict {
    ear_vector platform, realm; /* all claims set; meaningful also after a failure */
    const cca_anchor *anchor; /* whose CPAK signed the platform token; NULL until that is proven */
    bool platform_cached;     /* its signature was verified earlier, under the same snapshot */
    bool realm_bound;         /* realm signature and binding to the platform are proven */
    bool platform_matched;    /* a reference entry matches */
    bool realm_known;         /* the RIM is in the reference store, with the same REMs */
} cca_verdict;

/* Steps 4 to 7: anchor, platform signature, realm signature, binding. VS_E_UNTRUSTED: no such
 * platform; VS_E_CRYPTO: signatures; VS_E_MISMATCH: binding; VS_E_INVALID: the realm's key. */
VS_MUST vs_code cca_verify_chain(const cca_snapshot *s, const cca_token *t, cca_verdict *out,
                                 vs_error *err);
/* Step 9, after cca_verify_chain. VS_E_UNTRUSTED: the platform is not in an accepted lifecycle
 * state, or no reference entry matches it. A realm that is not in the store is no failure (policy
 * decides); the verdict tells. */
VS_MUST vs_code cca_appraise(const cca_snapshot *s, const cca_token *t, cca_verdict *v,
                             vs_error *err);

#endif
