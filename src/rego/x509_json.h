/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, requests and keys in the shape that Go's encoding/json gives its own types, which
 * is what policies written for OPA look into. */
#ifndef VS_REGO_X509_JSON_H
#define VS_REGO_X509_JSON_H

#include <openssl/x509.h>

#include "value/value.h"

/* with_uris: has a member URIStrings, which is OPA's own. */
vs_val x509_certificate(vs_arena *a, X509 *cert, bool with_uris);
vs_val x509_request(vs_arena *a, X509_REQ *req);
/* crypto/rsa.PrivateKey, crypto/ecdsa.PrivateKey, or the bytes of an Ed25519 key. Undefined for
 * other keys. */
vs_val x509_private_key(vs_arena *a, const EVP_PKEY *key);
/* The same as a JWK. */
vs_val x509_private_jwk(vs_arena *a, const EVP_PKEY *key);
vs_val x509_base64(vs_arena *a, vs_span bytes);

#endif
