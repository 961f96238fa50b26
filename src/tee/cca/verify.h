/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verification of a decoded CCA token (cca.md 2.1), and its appraisal: against the reference store
 * as Trustee's local verifier does it (3.2), and against the provider's endorsements as Veraison
 * does it (3.1), but stricter: signer ids are compared, masks are honoured, REMs of all entries are
 * tried, a life cycle counts only when it is accepted. Either may endorse. docs/cca.md,
 * "Appraisal", has the tables.
 *
 * cca_verdict is the one record of what was proven: whoever continues the chain uses it and does
 * not look the platform up again.
 */
#ifndef VS_TEE_CCA_VERIFY_H
#define VS_TEE_CCA_VERIFY_H

#include "envelope/ear.h"
#include "tee/cca/token.h"
#include "tee/cca/trust.h"
#include "tee/tee.h"

/* What a verification rests on. */
typedef struct cca_basis {
    const cca_snapshot *snapshot;
    const vs_tee_endorsements *endorsements; /* NULL: the JSON stores alone */
    vs_arena *a;                             /* must outlive the verdict */
} cca_basis;

/* Whether evidence is what is endorsed. */
typedef enum cca_endorsed { CCA_NOTHING_ENDORSED, CCA_CONTRADICTED, CCA_ENDORSED } cca_endorsed;

typedef struct cca_verdict {
    ear_vector platform, realm; /* all claims set; meaningful also after a failure */
    /* Whose CPAK signed the platform token; NULL until that is proven. One that the provider
     * endorses is on the arena, and its cpak is NULL: nothing is left to verify with it. */
    const cca_anchor *anchor;
    bool platform_cached;  /* its signature was verified earlier, under the same anchor */
    bool realm_bound;      /* realm signature and binding to the platform are proven */
    bool platform_matched; /* components and configuration are endorsed */
    bool lifecycle_accepted;
    bool
        realm_known; /* an entry for this RIM has the same REMs, and the same RPV if it names one */
    /* Of the endorsement that is nearest to the realm; the JSON store does not count. */
    bool rim_endorsed;
    cca_endorsed rpv, rem[CCA_REMS];
    /* Who says so, for policies and people: objects, undefined or empty when nobody does. */
    vs_val key_by;                /* {"ta-store": entry} or {"record","corim","tag","version"} */
    vs_val platform_by, realm_by; /* arrays of the same, "rv-store" for "ta-store" */
    /* Arrays of text: each component and claim that is not as endorsed; undefined before
     * cca_appraise. */
    vs_val platform_mismatches, realm_mismatches;
    /* Which record would endorse the realm, and how it comes to be; NULL: some endorsement is of
     * this RIM. No mismatch: the policy may know the RIM. */
    const char *realm_unendorsed;
} cca_verdict;

/* Steps 4 to 7: anchor, platform signature, realm signature, binding. VS_E_UNTRUSTED: no such
 * platform; VS_E_CRYPTO: signatures; VS_E_MISMATCH: binding; VS_E_INVALID: the realm's key, or a
 * malformed endorsement; else the error of the provider of endorsements. */
VS_MUST vs_code cca_verify_chain(const cca_basis *b, const cca_token *t, cca_verdict *out,
                                 vs_error *err);
/* Step 9, after cca_verify_chain: fills in the rest of the verdict. VS_E_UNTRUSTED, with the whole
 * vector and all mismatches in the verdict: the platform is not in an accepted lifecycle state or
 * is not endorsed, unless the configuration leaves that to policy. A realm that nobody endorses is
 * no failure (policy decides); the verdict tells. Other errors: an endorsement is malformed or
 * cannot be had; the vectors are -1 then. */
VS_MUST vs_code cca_appraise(const cca_basis *b, const cca_token *t, cca_verdict *v, vs_error *err);

/* ---- report.c -------------------------------------------------------------------------------- */

/* The software components as that object has them. */
vs_val cca_components(vs_arena *a, const cca_platform *p);
/* The object under `input.cca.vouchsafe` (docs/cca.md), on `a`. */
vs_val cca_report(vs_arena *a, const cca_token *t, const cca_verdict *v);
/* Every claim of the vector. */
void cca_set_all(ear_vector *v, int8_t value);

#endif
