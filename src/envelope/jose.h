/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JWS compact (RFC 7515) and JWE flattened JSON (RFC 7516), narrow: exactly what the KBS protocol,
 * EAR tokens and admin tokens use. No "zip", no PBES2, no "none", no "crit" we do not know (we know
 * none), no unencoded payload. Headers must be strict JSON objects without duplicate members.
 */
#ifndef VS_ENVELOPE_JOSE_H
#define VS_ENVELOPE_JOSE_H

#include "crypto/crypto.h"
#include "value/json.h"

enum { VS_JWS_MAX = 1024 * 1024, VS_JOSE_HEADER_MAX = 64 * 1024, VS_JWE_PLAINTEXT_MAX = 64 << 20 };

/* A parsed but NOT verified compact JWS. Everything points into the text or the arena. */
typedef struct vs_jws {
    vs_span signing_input; /* "header.payload" as received */
    vs_val header;
    vs_alg alg;        /* from the header; never VS_ALG_NONE */
    vs_span payload;   /* decoded, untrusted until vs_jws_verify */
    vs_span signature; /* decoded */
} vs_jws;

/* Three non-empty base64url parts (empty payload allowed), header checks as above. */
VS_MUST vs_code vs_jws_parse(vs_arena *a, vs_span compact, vs_jws *out, vs_error *err);
/* The key must fit the header's alg, and `want` (VS_ALG_NONE = any that fits) must equal it. */
VS_MUST vs_code vs_jws_verify(const vs_jws *jws, const vs_key *key, vs_alg want, vs_error *err);
/* Signs header JSON text (written by the caller, with its "alg") and payload text. */
VS_MUST vs_code vs_jws_sign(vs_buf *out, const vs_key *key, vs_alg alg, vs_span header_json,
                            vs_span payload, vs_error *err);

/* "exp", "nbf", "iat" of a claims object against now, seconds; leeway both ways. A member of wrong
 * type is VS_E_INVALID (nbf and iat are looked at only if asked for). `need_exp`: a missing exp is
 * VS_E_INVALID. Errors say by how much. */
typedef struct vs_jwt_times {
    int64_t now, leeway;
    bool need_exp, check_nbf, check_iat;
} vs_jwt_times;
VS_MUST vs_code vs_jwt_check_times(vs_val claims, const vs_jwt_times *t, vs_error *err);

/* ---- JWE as in kbs.md 2 --------------------------------------------------------------------- */

/* Encrypts for a tee-pubkey: an object {"kty","alg",...} whose alg is "ECDH-ES+A256KW" (P-256,
 * P-521) or "RSA-OAEP-256". Appends the flattened JSON, members and protected header text exactly
 * as kbs.md 2.3. RSA1_5 is refused both ways: deprecated, and a padding oracle where it is undone
 * without care. An unsuitable key:
 * VS_E_INVALID before anything is encrypted. */
VS_MUST vs_code vs_jwe_encrypt(vs_buf *json, vs_val recipient_jwk, vs_span plaintext,
                               vs_error *err);
/* The same for clients of KBS protocol 0.1.1, which knew neither RFC 7516's additional data nor its
 * tag member: an RSA key with alg "RSA1_5" and nothing else. RSA1_5 lets whoever can make a client
 * decrypt many messages use it as an oracle; that is those clients' only form. */
VS_MUST vs_code vs_jwe_encrypt_0_1(vs_buf *json, vs_val recipient_jwk, vs_span plaintext,
                                   vs_error *err);
/* As vs_jwe_decrypt, and takes that older form as well, told by "protected" being the header's text
 * itself. No oracle: a content key that is wrong in whatever way shows in the tag alone. For who
 * has chosen to talk to such servers. */
VS_MUST vs_code vs_jwe_decrypt_0_1(vs_span json, const vs_key *key, vs_buf *plaintext,
                                   vs_error *err);
/* Whether a JWK is a key of that kind (and can be encrypted to). */
VS_MUST vs_code vs_jwe_check_recipient_0_1(vs_val recipient_jwk, vs_error *err);
/* Checks a recipient JWK as vs_jwe_encrypt would, without encrypting (before reading a secret). */
VS_MUST vs_code vs_jwe_check_recipient(vs_val recipient_jwk, vs_error *err);
/* Decrypts a flattened JWE with the recipient's private key; the AAD is the received "protected"
 * text. All cryptographic failures give one and the same error, VS_E_CRYPTO. A message with "aad"
 * or unprotected headers is VS_E_UNSUPPORTED. */
VS_MUST vs_code vs_jwe_decrypt(vs_span json, const vs_key *key, vs_buf *plaintext, vs_error *err);

#endif
