/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver interface for TEEs. A driver is a pure function of evidence, expectations, trust
 * anchors and time: it checks every signature and every field, and turns what it proved into
 * claims (attestation-service.md 3.3, 4.3, 4.4). A new TEE is one folder and one line in
 * registry.c.
 */
#ifndef VS_TEE_TEE_H
#define VS_TEE_TEE_H

#include "value/value.h"

typedef struct cca_trust cca_trust;   /* tee/cca/trust.h */
typedef struct snp_trust snp_trust;   /* tee/snp/trust.h */
typedef struct dcap_trust dcap_trust; /* tee/dcap/trust.h */

/* What the drivers may trust; one object per verifier, shared by threads. */
typedef struct vs_tee_trust {
    bool sample;      /* accept tee "sample": proves nothing, for tests and demos only */
    cca_trust *cca;   /* NULL = CCA not configured: evidence is refused */
    snp_trust *snp;   /* NULL likewise; also for az-snp-vtpm */
    dcap_trust *dcap; /* NULL likewise; for tdx and az-tdx-vtpm */
} vs_tee_trust;

/* Endorsements by name, as the reference value provider keeps them. A driver trusts them as it does
 * its own stores: what may be under a name that it reads is the provider's to see to. */
typedef struct vs_tee_endorsements {
    /* The value now; undefined (and VS_OK) when there is none. It lives on `a` or longer. An error
     * means that nothing is known, and is the driver's error too. */
    vs_code (*find)(void *user, vs_span name, vs_arena *a, vs_val *out, vs_error *err);
    void *user;
} vs_tee_endorsements;

typedef struct vs_tee_expect {
    vs_span report_data; /* expected; p == NULL = none given */
    vs_span init_data;   /* expected digest; p == NULL = none given */
    int64_t now;
    const vs_tee_endorsements *endorsements; /* NULL: there are none */
} vs_tee_expect;

/* One attester found in the evidence (device verifiers may find several). */
typedef struct vs_tee_result {
    const char *tee_class;   /* "cpu", "gpu", ... */
    vs_val claims;           /* object, without the next two */
    const char *policy_only; /* JSON pointer to a claim for the policy that would make tokens too
                              * long for HTTP headers; NULL: none */
    vs_val report_data;      /* string for the policy input, undefined if the driver gives none */
    vs_val init_data;        /* likewise */
    vs_val notes;            /* for the operator: array of text, what the evidence did not match; or
                              * {claim: text}, e.g. "executables", which is said only when policy
                              * does not affirm that claim. Undefined when there is nothing to say */
} vs_tee_result;

enum { VS_TEE_RESULTS_MAX = 32 };

typedef struct vs_tee_driver {
    const char *name;
    /* Verifies `evidence` (the JSON value of primary_evidence) into results on the arena. Any error
     * means nothing was proven. Codes: PARSE/INVALID malformed evidence, CRYPTO signatures,
     * UNTRUSTED unknown attester, EXPIRED its certificates, NOT_FOUND an endorsement that is
     * needed, MISMATCH report data, init data, binding or what a certificate is for, UNSUPPORTED.
     */
    vs_code (*verify)(const vs_tee_trust *trust, vs_val evidence, const vs_tee_expect *expect,
                      vs_arena *a, vs_tee_result *results, size_t *n, vs_error *err);
} vs_tee_driver;

/* By name as on the wire ("cca"; older aliases of tees.md 1 included); NULL if this build has none.
 */
const vs_tee_driver *vs_tee_find(vs_span name);
/* True for every TEE name of the protocol, whether or not this build has a driver; *canonical (may
 * be NULL) = the name used in policy input. */
bool vs_tee_known(vs_span name, const char **canonical);

/* "fit(n)" of attestation-service.md 3.3: expected data padded with zeros or cut to n bytes. */
void vs_tee_fit(vs_span expected, uint8_t *out, size_t n);
/* VS_E_MISMATCH unless the field is the expected data, padded with zeros. Longer data is cut to the
 * field only with `cut`, where the field is smaller than the digests by design. Nothing expected
 * (p == NULL): VS_OK. The field has at most 64 bytes. `what` is for the error. */
VS_MUST vs_code vs_tee_match(vs_span expected, vs_span field, bool cut, const char *what,
                             vs_error *err);

#endif
