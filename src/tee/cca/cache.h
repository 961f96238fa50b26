/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Platform tokens whose signature was verified before. A platform token stays the same between
 * boots, and its P-384 signature is half the cost of an attestation. An entry is a digest of the
 * whole platform token and of the anchor that verified it (cca_cache_key): whoever asks must have
 * looked the anchor up NOW, so that a platform whose key was revoked never gets here, and one whose
 * key was replaced finds nothing.
 *
 * The platform token names the realm's key by its hash, so there is one such key for an entry: once
 * a realm token was verified with it, it is kept too and need not be imported again. Whoever uses
 * it must have compared the hash of the key in the realm token.
 *
 * Bounded, thread safe; belongs to one trust snapshot and dies with it.
 */
#ifndef VS_TEE_CCA_CACHE_H
#define VS_TEE_CCA_CACHE_H

#include "tee/cca/stores.h"
#include "tee/cca/token.h"

enum { CCA_CACHE_ENTRIES = 1024, CCA_CACHE_KEY = 32 };

typedef struct cca_cache cca_cache;

/* NULL when out of memory. */
cca_cache *cca_cache_new(void);
void cca_cache_free(cca_cache **c);
/* What the platform token of `t`, verified by this anchor, is kept under; apart for each form that
 * the realm's key may have, since what is a key in one is malformed in the other. */
VS_MUST vs_code cca_cache_key(const cca_anchor *anchor, const cca_token *t,
                              uint8_t key[VS_HASH_MAX], vs_error *err);
/* Whether there is an entry; *rak = its realm key, the caller's to free, or NULL. */
bool cca_cache_find(cca_cache *c, const uint8_t key[CCA_CACHE_KEY], vs_key **rak);
/* To be called only after the signature was verified. The oldest entry of its set makes room. */
void cca_cache_add(cca_cache *c, const uint8_t key[CCA_CACHE_KEY]);
/* To be called only after the platform token was found to name this key and the realm token to be
 * signed by it. Does nothing when the entry had to make room. */
void cca_cache_bind(cca_cache *c, const uint8_t key[CCA_CACHE_KEY], vs_key *rak);

#endif
