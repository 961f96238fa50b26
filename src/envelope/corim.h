/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CoRIM (draft-ietf-rats-corim; cca.md 6.1 and 6.4): a manifest of reference values, tag 501, plain
 * or in a COSE_Sign1 with its signer's certificates or key id.
 *
 * `corim_open` takes off the envelope, `corim_decode` reads the manifest; neither proves anything:
 * verify the signature in between (`vs_cose_verify`). Spans point into the input, lists live on the
 * arena. Of the manifest its identity, validity and, of its CoMIDs, identity, reference triples and
 * attester verification keys are read; other tags (CoSWID, CoTL), other triples and unknown members
 * must be well formed and are passed over. What the Arm CCA profiles make of it: corim_cca.h. The
 * whole of it as JSON, and back: corim_template.h.
 */
#ifndef VS_ENVELOPE_CORIM_H
#define VS_ENVELOPE_CORIM_H

#include "envelope/corim_cca.h"
#include "envelope/cose.h"

enum { CORIM_SIZE_MAX = 4 << 20, CORIM_CHAIN_MAX = 8 };

/* Seconds since 1970; both ends are part of it. */
typedef struct corim_validity {
    int64_t not_before, not_after; /* INT64_MIN, INT64_MAX: not bounded */
} corim_validity;

typedef struct corim_envelope {
    bool is_signed; /* everything below but `manifest` is set only then */
    vs_cose_sign1 cose;
    vs_span kid;                    /* p == NULL: none */
    vs_span chain[CORIM_CHAIN_MAX]; /* x5chain, DER, the signer's first */
    size_t n_chain;
    vs_span meta;            /* the signed metadata as encoded; p == NULL: none */
    vs_span signer_name;     /* of it; p == NULL: none */
    corim_validity validity; /* of the signature */
    vs_span manifest;        /* the tagged manifest */
} corim_envelope;

/* Takes off tags 500 and 502, and tag 18. A signed CoRIM needs a content type that says CoRIM, so
 * that no other signed message passes for one. Header parameters count only when protected. */
VS_MUST vs_code corim_open(vs_span in, corim_envelope *out, vs_error *err);

typedef struct corim_digest {
    int64_t alg; /* IANA named information registry; 0 where it is given as text */
    vs_span alg_name;
    vs_span value;
} corim_digest;

typedef enum corim_key { CORIM_KEY_NONE, CORIM_KEY_TEXT, CORIM_KEY_UINT, CORIM_KEY_UUID } corim_key;

typedef enum corim_svn { CORIM_SVN_NONE, CORIM_SVN_EXACT, CORIM_SVN_MIN } corim_svn;

/* p == NULL: there is no such member. */
typedef struct corim_measurement {
    corim_key key; /* other kinds of mkey count as none */
    vs_span key_bytes;
    uint64_t key_number;
    vs_span key_item; /* as encoded, of any kind */
    vs_span name, serial, version;
    const corim_digest *digests;
    size_t n_digests;
    vs_span raw;         /* raw value, tag 560 */
    vs_span masked;      /* raw value that came with its mask, tag 563 */
    vs_span raw_mask;    /* that one, or the mask as a member of its own */
    vs_span crypto_keys; /* as encoded */
    vs_span registers;   /* as encoded */
    corim_svn svn_kind;
    uint64_t svn;
} corim_measurement;

typedef struct corim_environment {
    vs_span class_id, instance; /* as encoded; p == NULL: none */
    vs_span vendor, model;      /* p == NULL: none */
} corim_environment;

typedef struct corim_reference { /* one reference triple */
    corim_environment env;
    const corim_measurement *measurements;
    size_t n;
    size_t comid; /* which CoMID it is of */
} corim_reference;

typedef struct corim_key_triple { /* one attester verification key triple */
    corim_environment env;
    vs_span keys; /* as encoded */
    size_t comid;
} corim_key_triple;

typedef struct corim_id {
    vs_span bytes; /* text, or 16 bytes of a UUID */
    bool is_uuid;
} corim_id;

typedef struct corim_comid {
    corim_id tag;
    uint64_t version; /* 0 when not given; at most 2^63 - 1 */
    vs_span bytes;    /* as encoded */
} corim_comid;

typedef struct corim {
    corim_id id;
    vs_span profile; /* of an URI or text, the only one; p == NULL: none or an OID */
    corim_validity validity;
    const corim_comid *comids;
    size_t n_comids;
    const corim_reference *references;
    size_t n;
    const corim_key_triple *keys;
    size_t n_keys;
    corim_cca cca;
} corim;

/* The id as text; a UUID in its usual form, lower case. */
vs_span corim_id_text(vs_arena *a, corim_id id);

/* Digests of known algorithms must have their length, and the rules of a known profile hold (those
 * of Arm CCA, cca.md 6.2). */
VS_MUST vs_code corim_decode(vs_arena *a, vs_span manifest, corim *out, vs_error *err);

#endif
