/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Platform tokens whose signature was verified before. A platform token stays the same between
 * boots, and its P-384 signature is half the cost of an attestation.
 *
 * What is found is known of the token's bytes. Whether they are to be trusted NOW is another
 * question: whoever asks must look the anchor up, so that a platform whose key was revoked is
 * refused, and compare its identity, so that one whose key was replaced is verified again.
 *
 * Bounded, thread safe; belongs to one trust snapshot and dies with it.
 */
#ifndef VS_TEE_CCA_CACHE_H
#define VS_TEE_CCA_CACHE_H

#include "tee/cca/known.h"

enum { CCA_CACHE_ENTRIES = 1024 };

typedef struct cca_cache cca_cache;

/* NULL when out of memory. */
cca_cache *cca_cache_new(void);
void cca_cache_free(cca_cache **c);
/* NULL when there is none; else the caller's to free. */
cca_known *cca_cache_find(cca_cache *c, vs_span platform_token);
/* Takes a share. In place of what was there of the same token, or of the oldest of its set. */
void cca_cache_add(cca_cache *c, cca_known *k);

#endif
