/* SPDX-License-Identifier: Apache-2.0 */
/* What the builtins on JSON Web Tokens share (RFC 7515, RFC 7519). */
#ifndef VS_REGO_JWT_H
#define VS_REGO_JWT_H

#include "crypto/crypto.h"
#include "rego/builtins.h"

typedef struct jwt {
    vs_span signing_input; /* header.payload as sent */
    vs_val header;         /* an object */
    vs_span payload, signature;
} jwt;

/* Splits and decodes; nothing is verified. */
rego_bres rego_jwt_parse(rego_bctx *b, vs_span token, jwt *out);
/* The inner token of one whose `cty` is JWT, or jwt in any case; false when the payload is the
 * claims. */
bool rego_jwt_nested(const jwt *t, bool any_case, vs_span *inner);
/* A JSON object of claims or headers; the last of equal keys counts. */
bool rego_jwt_json(vs_arena *a, vs_span text, vs_val *out);

/* Public keys from PEM (certificate or key) or a JWK or JWK set. */
typedef struct jwt_keys {
    vs_key *at[64];
    vs_val id[64];  /* kid; undefined = none */
    vs_val alg[64]; /* the only algorithm it is for; undefined = any that fits */
    size_t n;
} jwt_keys;
rego_bres rego_jwt_keys(rego_bctx *b, vs_span text, jwt_keys *out);
void rego_jwt_keys_free(jwt_keys *k);
/* A good signature by one of the keys; those with another key id than `kid`, or
 * for another algorithm, are not tried. */
bool rego_jwt_verify(const jwt *t, vs_alg alg, const jwt_keys *keys, vs_val kid);

/* HS256, HS384, HS512; VS_HASH_NONE for other names. */
vs_hash rego_jwt_hmac_of(vs_span alg);
bool rego_jwt_verify_hmac(const jwt *t, vs_hash h, vs_span secret);

#endif
