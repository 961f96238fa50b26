/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the SNP verifier trusts: AMD's root keys (ARK) of the generations it knows, and where else
 * than in the evidence a chip's certificate (VCEK) may be found.
 *
 * The certificates in roots/ are those that AMD publishes at
 * https://kdsintf.amd.com/{vcek,vlek}/v1/{Milan,Genoa,Turin}/cert_chain: ASK, ARK, ASVK in this
 * order. A test compares their digests. Nothing is ever fetched: a server that attests must not
 * depend on another one, nor tell it who attests.
 *
 * Immutable once made; shared by threads.
 */
#ifndef VS_TEE_SNP_TRUST_H
#define VS_TEE_SNP_TRUST_H

#include "crypto/crypto.h"
#include "tee/snp/report.h"

typedef struct snp_trust snp_trust;

typedef struct snp_trust_options {
    /* Directories in the layout of Trustee's OfflineStore (tees.md 1.3), asked in order for the
     * VCEK of evidence that brings none. Copied. */
    const char *const *stores;
    size_t n_stores;
    /* Files with revocation lists of AMD's roots (DER), read at every verification. Copied. */
    const char *const *crls;
    size_t n_crls;
    /* PEM texts of ASK, ARK, ASVK; an empty one = AMD's. For tests. */
    vs_span roots[SNP_GENERATIONS];
} snp_trust_options;

/* NULL options = no stores, AMD's roots. */
VS_MUST vs_code snp_trust_new(const snp_trust_options *options, snp_trust **out, vs_error *err);
void snp_trust_free(snp_trust **t); /* NULL-safe */
/* The i-th store, and the i-th revocation list; NULL beyond the last one, and for t == NULL. */
const char *snp_trust_store(const snp_trust *t, size_t i);
const char *snp_trust_crl(const snp_trust *t, size_t i);

/* Lists of one certificate each, owned by the trust. */
typedef struct snp_roots {
    vs_certs *ask, *ark, *asvk;
} snp_roots;
const snp_roots *snp_trust_roots(const snp_trust *t, snp_generation g);

/* The VCEK of the chip and firmware of this report from the first store that has it. NOT_FOUND,
 * with what would have to be put where; IO. */
VS_MUST vs_code snp_trust_find_vcek(const snp_trust *t, const snp_report *r, vs_certs **out,
                                    vs_error *err);

/* That no list revokes the issuer, chain[1], of a signing key. The lists of other generations'
 * roots are passed over; one that cannot be read, is nobody's, or was due to be replaced before
 * `now`, is an error: with lists, evidence is believed only as long as they tell. */
VS_MUST vs_code snp_trust_check_revocation(const snp_trust *t, snp_generation g,
                                           const vs_certs *chain, int64_t now, vs_error *err);

/* One certificate, PEM or DER. */
VS_MUST vs_code snp_certificate(vs_span bytes, vs_certs **out, vs_error *err);

#endif
