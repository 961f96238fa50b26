/* SPDX-License-Identifier: Apache-2.0 */
/* The key derivation of ECDH-ES (RFC 7518 section 4.6.2). Used by jwe.c and its tests only. */
#ifndef VS_ENVELOPE_CONCAT_KDF_H
#define VS_ENVELOPE_CONCAT_KDF_H

#include "crypto/crypto.h"

/* One round of the Concat KDF with SHA-256: `bits` (at most 256) of key from Z. `alg` is the name
 * in AlgorithmID. All 32 bytes of `out` are written; the first bits/8 are the key. */
VS_MUST vs_code vs_concat_kdf(vs_span z, vs_span alg, vs_span apu, vs_span apv, uint32_t bits,
                              uint8_t out[VS_HASH_MAX], vs_error *err);

#endif
