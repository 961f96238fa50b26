/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A platform token that was verified, with all that follows from its bytes alone, so that the next
 * attestation of the same platform need not find it out again. Shared by threads and immutable, but
 * for the realm's key, which is set once; the last owner's call frees it.
 */
#ifndef VS_TEE_CCA_KNOWN_H
#define VS_TEE_CCA_KNOWN_H

#include <stdatomic.h>

#include "tee/cca/stores.h"
#include "tee/cca/token.h"
#include "value/value.h"

enum { CCA_KNOWN_MAX = 16 * 1024 };

typedef struct cca_known {
    atomic_uint owners;
    uint8_t anchor[CCA_IDENTITY]; /* identity of the anchor whose key verified it */
    vs_arena arena;               /* holds what the next three point to */
    vs_span token;                /* the whole platform token */
    cca_platform platform;
    vs_val components;        /* as the policy sees them: cca_components */
    _Atomic(vs_key *) rak[2]; /* see cca_known_rak */
} cca_known;

/* To be called only after the platform token of `t` was verified with the anchor's key. NULL when
 * out of memory, and for a token of more than CCA_KNOWN_MAX bytes: its unprotected header, which
 * nobody signs, could make any token so long. */
cca_known *cca_known_new(const cca_token *t, const cca_anchor *anchor);
cca_known *cca_known_share(cca_known *k);
/* NULL-safe; sets *k NULL. */
void cca_known_free(cca_known **k);

/* The platform token names the realm's key by its hash, so a platform has one: that of an earlier
 * realm token, imported; NULL when there was none. Only for a token whose claim 44237 has that
 * hash. Apart for either form of the claim, since what is a key in one is malformed in the other.
 */
const vs_key *cca_known_rak(const cca_known *k, const cca_realm *r);
/* To be called only after the realm token was found to be signed by this key, and the hash of its
 * claim to be the one that the platform token has. */
void cca_known_bind(cca_known *k, const cca_realm *r, vs_key *rak);

#endif
