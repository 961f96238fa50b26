/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys, digests, signatures, encryption on OpenSSL 3 EVP: the only crypto stack in the process.
 *
 * Algorithms are fetched once per process (thread-safe, on first use). Keys are immutable after
 * import and may be shared by threads. Failures of verification are VS_E_CRYPTO, never a boolean
 * that could be ignored.
 */
#ifndef VS_CRYPTO_CRYPTO_H
#define VS_CRYPTO_CRYPTO_H

#include "base/buf.h"
#include "value/value.h"

/* ---- digests -------------------------------------------------------------------------------- */

typedef enum vs_hash {
    VS_HASH_NONE = 0,
    VS_SHA256,
    VS_SHA384,
    VS_SHA512,
    VS_SM3,
    VS_SHA1,
    VS_MD5
} vs_hash;
enum { VS_HASH_MAX = 64 };

/* Digest length in bytes, 0 for VS_HASH_NONE. */
size_t vs_hash_size(vs_hash h);
/* "sha256", "sha384", "sha512", "sm3" and the IANA forms "sha-256", ... in any case, of the first
 * four only; VS_HASH_NONE for others. */
vs_hash vs_hash_of_name(vs_span name);
/* IANA name: "sha-256". */
const char *vs_hash_name(vs_hash h);
/* H(a || b || c); unused parts empty. Writes vs_hash_size(h) bytes. */
VS_MUST vs_code vs_digest(vs_hash h, vs_span a, vs_span b, vs_span c, uint8_t out[VS_HASH_MAX],
                          vs_error *err);
/* The same over any number of parts. */
VS_MUST vs_code vs_digest_parts(vs_hash h, const vs_span *parts, size_t n, uint8_t out[VS_HASH_MAX],
                                vs_error *err);
/* The same over bytes that come in pieces. One per thread. After vs_hasher_end only
 * vs_hasher_free. */
typedef struct vs_hasher vs_hasher;
VS_MUST vs_code vs_hasher_new(vs_hash h, vs_hasher **out, vs_error *err);
VS_MUST vs_code vs_hasher_add(vs_hasher *s, vs_span bytes, vs_error *err);
VS_MUST vs_code vs_hasher_end(vs_hasher *s, uint8_t out[VS_HASH_MAX], vs_error *err);
void vs_hasher_free(vs_hasher **s); /* NULL-safe; sets *s NULL */
/* HMAC (RFC 2104). */
VS_MUST vs_code vs_hmac(vs_hash h, vs_span key, vs_span data, uint8_t out[VS_HASH_MAX],
                        vs_error *err);
/* PBKDF2 (RFC 8018 5.2) with HMAC: n bytes of key, n > 0. At least 1 iteration. */
VS_MUST vs_code vs_pbkdf2(vs_hash h, vs_span password, vs_span salt, uint32_t iterations,
                          uint8_t *out, size_t n, vs_error *err);

/* ---- signature algorithms (RFC 7518, RFC 8037, RFC 9053) ------------------------------------ */

typedef enum vs_alg {
    VS_ALG_NONE = 0,
    VS_ES256, /* each ES algorithm is bound to its curve */
    VS_ES384,
    VS_ES512,
    VS_RS256,
    VS_RS384,
    VS_RS512,
    VS_PS256,
    VS_PS384,
    VS_PS512,
    VS_EDDSA, /* Ed25519 */
} vs_alg;
vs_alg vs_alg_of_name(vs_span name); /* "ES256"; exact; VS_ALG_NONE for unknown and "none" */
const char *vs_alg_name(vs_alg alg);
vs_alg vs_alg_of_cose(int64_t id); /* -7, -35, -36, -8, -257.., -37.. */
int64_t vs_alg_to_cose(vs_alg alg);

/* ---- keys ----------------------------------------------------------------------------------- */

typedef struct vs_key vs_key;
typedef enum vs_key_type {
    VS_KEY_RSA,
    VS_KEY_P256,
    VS_KEY_P384,
    VS_KEY_P521,
    VS_KEY_ED25519
} vs_key_type;

/* NULL-safe; sets *k NULL. The last owner's call wipes private parts. */
void vs_key_free(vs_key **k);
/* The same key for one more owner, of any thread; each calls vs_key_free. */
vs_key *vs_key_share(vs_key *k);
vs_key_type vs_key_kind(const vs_key *k);
bool vs_key_is_private(const vs_key *k);
bool vs_key_public_eq(const vs_key *a, const vs_key *b);
/* The signature algorithm this key is used with when nothing else says (ES256 for P-256, ...;
 * RSA: RS256). */
vs_alg vs_key_default_alg(const vs_key *k);
/* True when alg may be used with this key: family and curve fit. */
bool vs_key_fits(const vs_key *k, vs_alg alg);

VS_MUST vs_code vs_key_generate(vs_key_type type, vs_key **out, vs_error *err); /* RSA: 3072 bit */
/* JWK (RFC 7517/7518/8037) object. Public members only unless want_private, then "d" (and RSA CRT
 * members) must be there. EC points must be on the curve; coordinates may be shorter than the field
 * (older Trustee) unless strict. *alg (may be NULL) = its "alg", VS_ALG_NONE if absent or not a
 * signature algorithm. RSA: 2048..8192 bits. "oct" and unknown kty: VS_E_UNSUPPORTED. */
VS_MUST vs_code vs_key_from_jwk(vs_val jwk, bool want_private, bool strict, vs_key **out,
                                vs_alg *alg, vs_error *err);
/* Public JWK {"kty","crv","x","y"} or {"kty","n","e"}, with `alg` when not NULL. EC coordinates
 * padded to the field. As a value it has its members sorted, which is RFC 7638's order for a
 * thumbprint. */
VS_MUST vs_code vs_key_to_jwk(vs_arena *a, const vs_key *k, const char *alg, vs_val *out,
                              vs_error *err);
/* The same as text in wire order (kbs.md 1.8): kty, crv, alg, x, y or kty, alg, n, e. `alg` must
 * need no JSON escapes. */
VS_MUST vs_code vs_key_write_jwk(vs_buf *json, const vs_key *k, const char *alg, vs_error *err);
/* Private JWK, for test material such as a software realm's keys. */
VS_MUST vs_code vs_key_to_private_jwk(vs_buf *json, const vs_key *k, vs_error *err);
/* PEM or DER: SPKI public keys, PKCS#1, PKCS#8 and SEC1 private keys. Encrypted PEM is refused. A
 * private key gives a public vs_key unless want_private; with it the pair is checked. */
VS_MUST vs_code vs_key_from_pem(vs_span pem, bool want_private, vs_key **out, vs_error *err);
VS_MUST vs_code vs_key_from_spki(vs_span der, vs_key **out, vs_error *err);
VS_MUST vs_code vs_key_to_spki(vs_buf *der, const vs_key *k, vs_error *err);
VS_MUST vs_code vs_key_to_pem(vs_buf *out, const vs_key *k, bool private_key,
                              vs_error *err); /* PKCS#8 / SPKI */
/* Private keys as older readers want them: RSA in PKCS#1, EC in SEC1. */
VS_MUST vs_code vs_key_to_pem_old(vs_buf *out, const vs_key *k, vs_error *err);
/* Uncompressed SEC1 point 04||X||Y of the given curve; off-curve is refused. */
VS_MUST vs_code vs_key_from_point(vs_key_type curve, vs_span point, vs_key **out, vs_error *err);
/* COSE_Key (RFC 9052): EC2 and OKP Ed25519. y must be a bstr. */
VS_MUST vs_code vs_key_from_cose(vs_span cose_key, vs_key **out, vs_error *err);
VS_MUST vs_code vs_key_to_cose(vs_buf *out, const vs_key *k, vs_error *err); /* {1,-1,-2,-3} */
VS_MUST vs_code vs_key_point(const vs_key *k, uint8_t out[133], size_t *n, vs_error *err);

/* Signatures: ECDSA raw r||s of fixed width, RSA as usual, Ed25519 64 bytes. `parts` are hashed in
 * order. A wrong signature is VS_E_CRYPTO; a key that does not fit alg VS_E_INVALID. */
VS_MUST vs_code vs_verify(const vs_key *k, vs_alg alg, const vs_span *parts, size_t n_parts,
                          vs_span sig, vs_error *err);
VS_MUST vs_code vs_sign(const vs_key *k, vs_alg alg, const vs_span *parts, size_t n_parts,
                        vs_buf *sig, vs_error *err);

/* ---- encryption ----------------------------------------------------------------------------- */

/* AES-256-GCM, 96-bit iv, 128-bit tag. ct gets n bytes of ciphertext followed by the tag. */
VS_MUST vs_code vs_gcm_seal(const uint8_t key[32], const uint8_t iv[12], vs_span aad, vs_span pt,
                            vs_buf *ct_tag, vs_error *err);
/* ct_tag = ciphertext || tag. Nothing is appended to pt unless the tag is right. */
VS_MUST vs_code vs_gcm_open(const uint8_t key[32], const uint8_t iv[12], vs_span aad,
                            vs_span ct_tag, vs_buf *pt, vs_error *err);
/* AES-256-CTR, 128-bit big-endian counter block; the same both ways. Nothing is authenticated: only
 * for formats of others that have nothing better. */
VS_MUST vs_code vs_ctr_crypt(const uint8_t key[32], const uint8_t counter[16], vs_span in,
                             vs_buf *out, vs_error *err);
/* AES-256-XTS (IEEE 1619) of one data unit of at least 16 bytes, in place: for disks. Nothing is
 * authenticated. Encryption refuses a key whose halves are equal. */
VS_MUST vs_code vs_xts_encrypt(const uint8_t key[64], const uint8_t tweak[16], uint8_t *unit,
                               size_t n, vs_error *err);
VS_MUST vs_code vs_xts_decrypt(const uint8_t key[64], const uint8_t tweak[16], uint8_t *unit,
                               size_t n, vs_error *err);
/* RFC 3394 with a 256-bit KEK. */
VS_MUST vs_code vs_kw_wrap(const uint8_t kek[32], vs_span key, vs_buf *out, vs_error *err);
VS_MUST vs_code vs_kw_unwrap(const uint8_t kek[32], vs_span wrapped, vs_buf *key, vs_error *err);
/* RSAES-OAEP with SHA-256 for digest and MGF1, empty label. */
VS_MUST vs_code vs_oaep256_encrypt(const vs_key *k, vs_span pt, vs_buf *out, vs_error *err);
/* RSAES-PKCS1-v1_5, for clients that have nothing else. */
VS_MUST vs_code vs_rsa15_encrypt(const vs_key *k, vs_span pt, vs_buf *out, vs_error *err);
/* A symmetric key of n bytes (1 to VS_HASH_MAX), from servers that have nothing else. Whether the
 * padding was right is not told, neither by the result nor by the time: of a wrong one `out` is
 * random (RFC 3218 2.3.2). VS_E_CRYPTO, with `out` random as well, tells only what everybody sees:
 * a length or a number that no ciphertext of this key has. */
VS_MUST vs_code vs_rsa15_decrypt_key(const vs_key *k, vs_span ct, uint8_t *out, size_t n,
                                     vs_error *err);
VS_MUST vs_code vs_oaep256_decrypt(const vs_key *k, vs_span ct, vs_buf *out, vs_error *err);
/* ECDH: Z = x coordinate, full field length. Curves must be equal. */
VS_MUST vs_code vs_ecdh(const vs_key *own_private, const vs_key *peer, vs_buf *z, vs_error *err);

/* ---- X.509 ---------------------------------------------------------------------------------- */

typedef struct vs_certs vs_certs; /* an ordered list of certificates */
void vs_certs_free(vs_certs **c);
/* All certificates of a PEM text, in order; at least one. */
VS_MUST vs_code vs_certs_from_pem(vs_span pem, vs_certs **out, vs_error *err);
VS_MUST vs_code vs_certs_from_der(const vs_span *ders, size_t n, vs_certs **out, vs_error *err);
/* Appends the certificates of `more` (they stay owned by it as well). */
VS_MUST vs_code vs_certs_add(vs_certs *c, const vs_certs *more, vs_error *err);
size_t vs_certs_count(const vs_certs *c);
VS_MUST vs_code vs_certs_der(const vs_certs *c, size_t i, vs_buf *der, vs_error *err);
/* Subject public key of certificate i. */
VS_MUST vs_code vs_certs_key(const vs_certs *c, size_t i, vs_key **out, vs_error *err);
/* Appends the SubjectPublicKeyInfo of certificate i as it stands there: the same in every
 * certificate of this key, also of kinds that vs_certs_key cannot read. */
VS_MUST vs_code vs_certs_spki(const vs_certs *c, size_t i, vs_buf *der, vs_error *err);
/* Seconds since 1970: valid from, and until. */
VS_MUST vs_code vs_certs_validity(const vs_certs *c, size_t i, int64_t *from, int64_t *until,
                                  vs_error *err);
/* Verifies chain[0], with the rest as untrusted intermediates, to one of `anchors` at time `now`
 * (a self-signed anchor; depth <= 8). VS_E_UNTRUSTED or VS_E_EXPIRED with OpenSSL's reason. */
VS_MUST vs_code vs_certs_verify(const vs_certs *chain, const vs_certs *anchors, int64_t now,
                                vs_error *err);
/* The same, and *path is the way that was found: chain[0] first, the anchor last. Certificates of
 * the chain that the way does not need are not in it. `any_anchor`: where there is no such way, one
 * that ends at an anchor which is not self-signed: an intermediate CA, or chain[0] itself. */
VS_MUST vs_code vs_certs_verify_path(const vs_certs *chain, const vs_certs *anchors,
                                     bool any_anchor, int64_t now, vs_certs **path, vs_error *err);

/* That certificate i of `c` was issued by certificate j of `by`, a CA: names, key identifiers and
 * signature. Time does not matter here: for protocols in which expiry is a finding, not the end.
 * VS_E_UNTRUSTED. */
VS_MUST vs_code vs_certs_issued(const vs_certs *c, size_t i, const vs_certs *by, size_t j,
                                vs_error *err);

/* That certificate i may sign documents: no CA, and a key usage, where it has one, with
 * digitalSignature. VS_E_UNTRUSTED. */
VS_MUST vs_code vs_certs_check_signer(const vs_certs *c, size_t i, vs_error *err);
/* Subject of certificate i as text (RFC 2253). */
VS_MUST vs_code vs_certs_subject(const vs_certs *c, size_t i, vs_buf *text, vs_error *err);
/* The one common name of the subject of certificate i, as UTF-8. VS_E_INVALID when there is none or
 * more than one. */
VS_MUST vs_code vs_certs_common_name(const vs_certs *c, size_t i, vs_buf *text, vs_error *err);
/* The value of the extension of certificate i with this dotted OID, a view that lives as long as
 * the list. VS_E_NOT_FOUND; VS_E_INVALID when it is there twice. */
VS_MUST vs_code vs_certs_extension(const vs_certs *c, size_t i, const char *oid, vs_span *value,
                                   vs_error *err);

/* ---- certificate revocation lists ----------------------------------------------------------- */

typedef struct vs_crl vs_crl;
void vs_crl_free(vs_crl **crl); /* NULL-safe */
VS_MUST vs_code vs_crl_from_der(vs_span der, vs_crl **out, vs_error *err);
/* The list of block `at` (0, 1, ...) among those of a PEM text; text and other blocks around them
 * are passed over. VS_E_NOT_FOUND: there are not that many. */
VS_MUST vs_code vs_crl_from_pem(vs_span pem, size_t at, vs_crl **out, vs_error *err);
/* That the list speaks of all that certificate i has issued: without an extension that narrows it
 * (partitioned, indirect and delta lists have critical ones), and of an issuer whose key usage,
 * where it has one, allows to sign lists. VS_E_UNTRUSTED, VS_E_UNSUPPORTED. */
VS_MUST vs_code vs_crl_complete(const vs_crl *crl, const vs_certs *c, size_t i, vs_error *err);
/* That certificate i issued the list: name and signature. VS_E_UNTRUSTED. */
VS_MUST vs_code vs_crl_issued(const vs_crl *crl, const vs_certs *c, size_t i, vs_error *err);
/* Its number, and when it was made and the next one is due (seconds since 1970). VS_E_INVALID when
 * one of them is missing. */
VS_MUST vs_code vs_crl_dates(const vs_crl *crl, int64_t *made, int64_t *next, vs_error *err);
VS_MUST vs_code vs_crl_number(const vs_crl *crl, uint64_t *out, vs_error *err);
/* VS_E_UNTRUSTED when certificate i is on the list. That the list is the one for it, is the
 * caller's business (vs_crl_issued). */
VS_MUST vs_code vs_crl_check(const vs_crl *crl, const vs_certs *c, size_t i, vs_error *err);

#endif
