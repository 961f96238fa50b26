/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ECDSA on a digest, and the back ends that verify it. For sign.c, and for the tests and benchmarks
 * that hold the back ends against each other; everybody else calls vs_verify and vs_sign.
 */
#ifndef VS_CRYPTO_ECDSA_H
#define VS_CRYPTO_ECDSA_H

#include "crypto/crypto.h"

/* `rs` = r||s, both as long as the field; any other length is a wrong signature. VS_E_CRYPTO. */
VS_MUST vs_code vs_ecdsa_verify(const vs_key *k, vs_span digest, vs_span rs, vs_error *err);
VS_MUST vs_code vs_ecdsa_sign(const vs_key *k, vs_span digest, vs_buf *rs, vs_error *err);

/*
 * A back end says true when r||s is a signature of the digest by the key (FIPS 186-5, 6.4.2), and
 * false for everything else: r or s outside 1..n-1, R at infinity, a point off the curve. `rs` has
 * exactly twice the length of the field. Digests longer than the order are cut on the right. It
 * keeps no state; threads may share the key.
 */
typedef bool vs_ecdsa_fn(const vs_key *k, vs_span digest, vs_span rs);

/* All curves. May leave reasons in OpenSSL's error queue. */
vs_ecdsa_fn vs_ecdsa_openssl;

/* P-384 by libhogweed, in builds that found it. Takes less than 16 kB, whatever the input; without
 * that GMP ends the process, here as everywhere. */
vs_ecdsa_fn vs_p384_nettle;
/* The same for any bytes: only an uncompressed point 04||X||Y on the curve is a key, and only 96
 * bytes are a signature. */
bool vs_p384_nettle_point(vs_span point, vs_span digest, vs_span rs);

/* The one that this build verifies P-384 with (meson's option p384), and its name there. */
extern vs_ecdsa_fn *const vs_p384_verify;
extern const char *const vs_p384_name;

#endif
