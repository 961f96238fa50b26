/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose reference values are believed: certificates that signers' chains must end at, and public
 * keys of signers. Built once, then only read, by any number of threads.
 */
#ifndef VS_RVPS_ANCHORS_H
#define VS_RVPS_ANCHORS_H

#include "envelope/corim.h"

typedef struct rvps_anchors rvps_anchors;

enum { RVPS_ANCHOR_KEYS_MAX = 64 };

VS_MUST vs_code rvps_anchors_new(rvps_anchors **out, vs_error *err);
void rvps_anchors_free(rvps_anchors **t);
/* Adds what a file holds: PEM certificates and public keys in any mixture, a JWK or a JWK Set. A
 * JWK's "kid" binds it to messages of that kid and to those without one. Private keys are refused:
 * they have no business here. On an error nothing more is to be done with `t` than freeing it. */
VS_MUST vs_code rvps_anchors_add(rvps_anchors *t, vs_span text, vs_error *err);
/* True when there is nothing to trust. */
bool rvps_anchors_empty(const rvps_anchors *t);

/* Verifies the signature of an opened, signed CoRIM: by a trusted key, or by the first certificate
 * of its chain, which must lead to an anchor at `now`, be no CA and be allowed to sign. With `t`
 * NULL nothing can be trusted; a signature that its own certificate contradicts is refused all the
 * same, and *trusted is false. Otherwise VS_OK means *trusted. *signer = who: an object for the
 * record. CRYPTO, UNTRUSTED, EXPIRED. */
VS_MUST vs_code rvps_anchors_verify(const rvps_anchors *t, const corim_envelope *e, int64_t now,
                                    vs_arena *a, vs_val *signer, bool *trusted, vs_error *err);

#endif
