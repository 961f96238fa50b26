/* SPDX-License-Identifier: Apache-2.0 */
/*
 * COSE_Sign1 (RFC 9052 section 4.2), tagged 18, payload attached.
 */
#ifndef VS_ENVELOPE_COSE_H
#define VS_ENVELOPE_COSE_H

#include "crypto/crypto.h"

/* A parsed but NOT verified message; spans point into the input. */
typedef struct vs_cose_sign1 {
    vs_span protected_bytes; /* content of the protected bstr, as received */
    vs_alg alg;              /* label 1 of the protected header; never VS_ALG_NONE */
    vs_span payload;
    vs_span signature;
} vs_cose_sign1;

/* Requires tag 18, exactly four elements, a non-empty protected map with a known alg and no "crit"
 * (2), a bstr payload, no trailing bytes, no duplicate labels; the unprotected map must be well
 * formed and its contents are ignored. */
VS_MUST vs_code vs_cose_parse(vs_span in, vs_cose_sign1 *out, vs_error *err);
/* Signature over ["Signature1", protected, external_aad, payload]; the alg must fit the key's
 * curve. */
VS_MUST vs_code vs_cose_verify(const vs_cose_sign1 *m, const vs_key *key, vs_span external_aad,
                               vs_error *err);
/* Appends a tagged message; `protected_map` is the encoded protected header (with alg). */
VS_MUST vs_code vs_cose_sign(vs_buf *out, const vs_key *key, vs_alg alg, vs_span protected_map,
                             vs_span external_aad, vs_span payload, vs_error *err);

#endif
