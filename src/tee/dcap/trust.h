/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the TDX verifier has Intel's collateral from: a file in the form of Intel's PCS client tool
 * (tees.md 2.4), what Trustee calls a collateral service with a file:// URL. Nothing is ever
 * fetched.
 *
 * The file is looked at (stat) at every verification and read again when it has changed. While it
 * is broken or gone, evidence is refused. Replace it by rename. Thread safe.
 */
#ifndef VS_TEE_DCAP_TRUST_H
#define VS_TEE_DCAP_TRUST_H

#include "tee/dcap/verify.h"

typedef struct dcap_trust dcap_trust;

typedef struct dcap_trust_options {
    const char *file;    /* copied; NULL = none: evidence is refused */
    bool standard;       /* of the two update channels; else "early" where the file has it */
    const uint8_t *root; /* DCAP_POINT bytes, copied; NULL = Intel's. For tests */
} dcap_trust_options;

/* The file is read once, so that a wrong one is found at the start. NOT_FOUND, PARSE, ... */
VS_MUST vs_code dcap_trust_new(const dcap_trust_options *options, dcap_trust **out, vs_error *err);
void dcap_trust_free(dcap_trust **t);             /* NULL-safe */
const char *dcap_trust_file(const dcap_trust *t); /* NULL when there is none, and for t == NULL */

/* dcap_verify with the collateral for this quote. */
VS_MUST vs_code dcap_trust_verify(dcap_trust *t, const dcap_quote *quote, int64_t now, vs_arena *a,
                                  dcap_result *out, vs_error *err);

typedef struct dcap_file {
    vs_span text;
    vs_val json; /* the same, read */
} dcap_file;
/* The collateral for platforms of this kind from such a file, on the arena or a view into it.
 * `platform` chooses between the two kinds of PCK issuers. NOT_FOUND when the file has none for the
 * FMSPC. */
VS_MUST vs_code dcap_collateral_of(vs_arena *a, const dcap_file *file, const uint8_t fmspc[6],
                                   bool platform, bool standard, dcap_collateral *out,
                                   vs_error *err);

#endif
