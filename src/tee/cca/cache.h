/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Platform tokens whose signature was verified before. A platform token stays the same between
 * boots, and its P-384 signature is half the cost of an attestation. An entry is a digest of the
 * whole platform token and of the anchor that verified it (cca_cache_key): whoever asks must have
 * looked the anchor up NOW, so that a platform whose key was revoked never gets here, and one whose
 * key was replaced finds nothing. Bounded, thread safe; belongs to one trust snapshot and dies with
 * it.
 */
#ifndef VS_TEE_CCA_CACHE_H
#define VS_TEE_CCA_CACHE_H

#include "tee/cca/stores.h"

enum { CCA_CACHE_ENTRIES = 1024, CCA_CACHE_KEY = 32 };

typedef struct cca_cache cca_cache;

/* NULL when out of memory. */
cca_cache *cca_cache_new(void);
void cca_cache_free(cca_cache **c);
/* What a platform token verified by this anchor is kept under. */
VS_MUST vs_code cca_cache_key(const cca_anchor *anchor, vs_span platform_token,
                              uint8_t key[VS_HASH_MAX], vs_error *err);
bool cca_cache_has(cca_cache *c, const uint8_t key[CCA_CACHE_KEY]);
/* To be called only after the signature was verified. The oldest entry of its set makes room. */
void cca_cache_add(cca_cache *c, const uint8_t key[CCA_CACHE_KEY]);

#endif
