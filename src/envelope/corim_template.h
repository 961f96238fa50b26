/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CoRIM and CoMID as JSON, in the form of the templates that cocli takes (cca.md 6.3), and back.
 *
 * To CBOR: deterministic (RFC 8949 4.2.1: shortest heads, definite lengths, keys in bytewise order)
 * and in today's form (tags 501 and 506), whatever older spelling the template has. A member that
 * is not known is an error; a CoMID's version 0 is not written. Base64 may be of any alphabet and
 * padding; texts of the form of a UUID are UUIDs where an id is wanted.
 *
 * To JSON: all of it, so that the JSON makes the same CBOR again when that is deterministic and of
 * today's form. What has no name there is kept as hexadecimal CBOR: members as "#<key>", kinds of
 * value as {"type": "#cbor", "value": "<hex>"}.
 */
#ifndef VS_ENVELOPE_CORIM_TEMPLATE_H
#define VS_ENVELOPE_CORIM_TEMPLATE_H

#include "envelope/corim.h"

/* One CoMID: {"lang"?, "tag-identity", "entities"?, "linked-tags"?, "triples"}. */
VS_MUST vs_code corim_put_comid(vs_buf *out, vs_arena *a, vs_val template, vs_error *err);
/* A manifest: {"corim-id", "dependent-rims"?, "profile"?, "validity"?, "entities"?, "comids"?};
 * "comids" are templates, or hex of another kind of tag. The encoded CoMIDs of `comids` follow
 * them. At least one in all. */
VS_MUST vs_code corim_put_manifest(vs_buf *out, vs_arena *a, vs_val template, const vs_span *comids,
                                   size_t n, vs_error *err);
/* The signer's metadata: {"signer": {"name", "uri"?}, "validity"?}. */
VS_MUST vs_code corim_put_meta(vs_buf *out, vs_arena *a, vs_val template, vs_error *err);

/* The template of a manifest, with its "comids". */
VS_MUST vs_code corim_to_template(vs_arena *a, vs_span manifest, vs_val *out, vs_error *err);
VS_MUST vs_code corim_meta_to_template(vs_arena *a, vs_span meta, vs_val *out, vs_error *err);

typedef struct corim_signature {
    const vs_key *key;     /* private */
    vs_val meta;           /* template; undefined: none */
    vs_span kid;           /* n == 0: none */
    const vs_certs *chain; /* the signer's first, its key must be `key`; NULL: none */
} corim_signature;

/* COSE_Sign1 over a manifest, everything in the protected bucket (cca.md 6.4). */
VS_MUST vs_code corim_put_signed(vs_buf *out, vs_arena *a, const corim_signature *how,
                                 vs_span manifest, vs_error *err);

#endif
