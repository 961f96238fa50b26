/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces that the envelope and the manifest of a CoRIM have in common. */
#ifndef VS_ENVELOPE_CORIM_PARTS_H
#define VS_ENVELOPE_CORIM_PARTS_H

#include "envelope/corim.h"
#include "value/cbor.h"

/* The key of a map's member. One that is not an integer (an extension) is passed over together with
 * its value: false. */
bool corim_int_key(vs_cbor *c, int64_t *key);
/* {0: not before, 1: not after} into the bounds it has; each is narrowed, never widened. */
void corim_read_validity(vs_cbor *c, corim_validity *v);

/* A CoMID among a manifest's tags: 506(bytes), or of the older libraries bytes of 506(map). *out is
 * the map's encoding. False: a tag of another kind. */
bool corim_comid_of(vs_span item, vs_span *out);
/* The digests of a measurement. */
void corim_read_digests(vs_arena *a, vs_cbor *c, corim_measurement *m);

/* Whether attester keys are at their older place. */
bool corim_profile_is_old(const corim *c);
/* Kind CORIM_CCA_NONE for other profiles. */
VS_MUST vs_code corim_read_cca(vs_arena *a, const corim *c, corim_cca *out, vs_error *err);

#endif
