/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Platform tokens whose signature was verified before: by SHA-256 of the whole platform token, the
 * anchor that verified it. A platform token stays the same between boots, and its P-384 signature
 * is half the cost of an attestation. Bounded, thread safe; belongs to one trust snapshot and dies
 * with it, so that a revoked key is revoked at once.
 */
#ifndef VS_TEE_CCA_CACHE_H
#define VS_TEE_CCA_CACHE_H

#include "tee/cca/stores.h"

enum { CCA_CACHE_ENTRIES = 1024, CCA_CACHE_KEY = 32 };

typedef struct cca_cache cca_cache;

/* NULL when out of memory. */
cca_cache *cca_cache_new(void);
void cca_cache_free(cca_cache **c);
/* The anchor that verified the token with this digest; NULL if it is not known. */
const cca_anchor *cca_cache_find(cca_cache *c, const uint8_t key[CCA_CACHE_KEY]);
/* To be called only after the signature was verified with this anchor. Replaces an old entry. */
void cca_cache_add(cca_cache *c, const uint8_t key[CCA_CACHE_KEY], const cca_anchor *anchor);

#endif
