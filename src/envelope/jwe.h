/* SPDX-License-Identifier: Apache-2.0 */
/* What the two directions of JWE share (kbs.md 2.3 and 2.4). For jwe_*.c and their tests only. */
#ifndef VS_ENVELOPE_JWE_H
#define VS_ENVELOPE_JWE_H

#include "crypto/crypto.h"

#define VS_JWE_ALG_EC  "ECDH-ES+A256KW"
#define VS_JWE_ALG_RSA "RSA-OAEP-256"
#define VS_JWE_ALG_0_1 "RSA1_5" /* of protocol 0.1.1 only */

/* Bytes of A256GCM, and the most that a wrapped key takes (RSA of 8192 bits). */
enum { VS_JWE_CEK = 32, VS_JWE_IV = 12, VS_JWE_TAG = 16, VS_JWE_WRAPPED_MAX = 1024 };

/* The key derivation of ECDH-ES (RFC 7518 section 4.6.2): one round of the Concat KDF with SHA-256
 * gives `bits` (at most 256) of key from Z. `alg` is the name in AlgorithmID. All 32 bytes of `out`
 * are written; the first bits/8 are the key. */
VS_MUST vs_code vs_concat_kdf(vs_span z, vs_span alg, vs_span apu, vs_span apv, uint32_t bits,
                              uint8_t out[VS_HASH_MAX], vs_error *err);

#endif
