/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose reference values are believed: certificates that signers' chains must end at, and public
 * keys of signers; what each of them may say; and who has been revoked. Built once, then only read,
 * by any number of threads.
 *
 * An anchor is its key: the SHA-256 of the SubjectPublicKeyInfo. A certificate that is renewed with
 * the same key stays the same anchor, and a signer's own certificate may change as it likes.
 */
#ifndef VS_RVPS_ANCHORS_H
#define VS_RVPS_ANCHORS_H

#include "envelope/corim.h"

typedef struct rvps_anchors rvps_anchors;

enum { RVPS_ANCHOR_KEYS_MAX = 64, RVPS_CRL_FILES_MAX = 16 };

/* What an anchor may vouch for, by the names of records (rvps/cca.h). */
enum {
    RVPS_MAY_KEYS = 1,     /* "attestation-keys": cca.cpak. */
    RVPS_MAY_PLATFORM = 2, /* "platform": cca.platform. */
    RVPS_MAY_REALM = 4,    /* "realm": cca.realm. and a RIM */
    RVPS_MAY_VALUES = 8,   /* "reference-values": all other names */
    RVPS_MAY_ALL = 15,
};
/* 0 for a word that is none of these. */
unsigned rvps_may_of(vs_span word);
const char *rvps_may_word(unsigned one);

VS_MUST vs_code rvps_anchors_new(rvps_anchors **out, vs_error *err);
void rvps_anchors_free(rvps_anchors **t);
/* Adds what a file holds: PEM certificates and public keys in any mixture, a JWK or a JWK Set. A
 * JWK's "kid" binds it to messages of that kid and to those without one. Private keys are refused:
 * they have no business here. On an error nothing more is to be done with `t` than freeing it. */
VS_MUST vs_code rvps_anchors_add(rvps_anchors *t, vs_span text, vs_error *err);
/* The same for anchors that may say no more than `may`. A key has one set of rights: VS_E_INVALID
 * when it is there with others. */
VS_MUST vs_code rvps_anchors_add_limited(rvps_anchors *t, vs_span text, unsigned may,
                                         vs_error *err);
/* Files with revocation lists, which must be readable now, too (rvps/revocation.h). They count for
 * chains of certificates; a key that is trusted itself is withdrawn by taking it away. Once. */
VS_MUST vs_code rvps_anchors_crls(rvps_anchors *t, const char *const *files, size_t n,
                                  vs_error *err);
/* The i-th of those; NULL beyond the last one, and for t == NULL. */
const char *rvps_anchors_crl(const rvps_anchors *t, size_t i);
/* True when there is nothing to trust. */
bool rvps_anchors_empty(const rvps_anchors *t);

/* Who signed a message, and what that is worth. */
typedef struct rvps_signature {
    bool trusted;
    vs_val signer; /* who: an object for the record; undefined: nobody says */
    /* Only when trusted: the anchor, in hex, a name of it for people, and its rights. */
    vs_span anchor, anchor_name;
    unsigned may;
} rvps_signature;

/* Of several anchors on the way the one next to the signer is the anchor, which may be an
 * intermediate CA, also alone, or the signer's certificate itself.
 *
 * Verifies the signature of an opened, signed CoRIM: by a trusted key, or by the first certificate
 * of its chain, which must lead to an anchor at `now`, be no CA, be allowed to sign and not be
 * revoked. With `t` NULL nothing can be trusted; a signature that its own certificate contradicts
 * is refused all the same, and it is not trusted. Otherwise VS_OK means trusted. CRYPTO, UNTRUSTED,
 * EXPIRED; what reading a revocation list gives. */
VS_MUST vs_code rvps_anchors_verify(const rvps_anchors *t, const corim_envelope *e, int64_t now,
                                    vs_arena *a, rvps_signature *out, vs_error *err);

#endif
