/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this folder share. Nothing outside includes this.
 */
#ifndef VS_CRYPTO_INTERNAL_H
#define VS_CRYPTO_INTERNAL_H

#include <stdatomic.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "crypto/crypto.h"

/* ---- OpenSSL's methods, fetched once (a fetch by name costs as much as a small digest) ------ */

typedef struct vs_methods {
    EVP_MD *md[VS_MD5 + 1];             /* by vs_hash; NULL when the provider has none */
    EVP_CIPHER *gcm, *ctr, *wrap, *xts; /* AES-256 in these modes; wrap: RFC 3394 */
    EVP_MAC *hmac;
    /* By vs_key_type: domain parameters alone, to be duplicated. A key made of a group's name pays
     * 11 us for setting up the group. NULL where the type has no curve with points. */
    EVP_PKEY *group[VS_KEY_ED25519 + 1];
} vs_methods;
const vs_methods *vs_crypto_methods(void);

/* vs_fail with OpenSSL's reason behind `what`; empties the thread's error queue. Out of memory
 * inside OpenSSL is told as VS_E_NOMEM. */
vs_code vs_ossl_fail(vs_error *err, vs_code code, const char *what);

/* ---- tables --------------------------------------------------------------------------------- */

typedef enum vs_family { VS_FAM_ECDSA, VS_FAM_PKCS1, VS_FAM_PSS, VS_FAM_EDDSA } vs_family;

typedef struct vs_alg_info {
    const char *name; /* JOSE */
    int64_t cose;
    vs_family family;
    vs_hash hash;
    vs_key_type type; /* the only key type it may be used with */
} vs_alg_info;
/* NULL for VS_ALG_NONE and values outside the enumeration. */
const vs_alg_info *vs_alg_lookup(vs_alg alg);

typedef struct vs_type_info {
    const char *kty, *crv;  /* JWK; crv NULL for RSA */
    const char *ossl_type;  /* EVP_PKEY type name */
    const char *ossl_group; /* as OpenSSL reports it; NULL without curve */
    int64_t cose_crv;       /* RFC 9053 table 18; 0 = none */
    size_t field;           /* bytes of a coordinate or of an Ed25519 key */
    vs_alg alg;             /* default signature algorithm */
} vs_type_info;
const vs_type_info *vs_key_info(vs_key_type type);
enum { VS_KEY_TYPES = VS_KEY_ED25519 + 1 };

static inline bool vs_type_is_ec(vs_key_type t)
{
    return t == VS_KEY_P256 || t == VS_KEY_P384 || t == VS_KEY_P521;
}

/* ---- keys ----------------------------------------------------------------------------------- */

enum { VS_POINT_MAX = 133, VS_RSA_MIN_BITS = 2048, VS_RSA_MAX_BITS = 8192, VS_RSA_MAX = 1024 };

struct vs_key {
    atomic_uint owners;
    EVP_PKEY *pkey;
    /* Initialised once and only ever duplicated, so that threads may share the key and a signature
     * pays 0.1 us instead of 2 us for its context. NULL for Ed25519; `sign` only if private. */
    EVP_PKEY_CTX *verify, *sign;
    vs_key_type type;
    bool is_private;
    uint8_t pub[VS_POINT_MAX]; /* EC: 04||X||Y; Ed25519: 32 bytes; RSA: unused */
    size_t pub_n;
};

/* Takes `pkey` over, also on failure. `pub` = its public point or Ed25519 key if known, else empty.
 * Checks RSA size and exponent; not the consistency of a private key (vs_pkey_check_pair). */
VS_MUST vs_code vs_key_adopt(EVP_PKEY *pkey, vs_key_type type, bool is_private, vs_span pub,
                             vs_key **out, vs_error *err);
/* The type of a key that OpenSSL decoded; named curves only. */
VS_MUST vs_code vs_pkey_type(const EVP_PKEY *pkey, vs_key_type *type, vs_error *err);
/* The private part is in range and belongs to the public part. */
VS_MUST vs_code vs_pkey_check_pair(EVP_PKEY *pkey, vs_error *err);

/* Imports from raw parts; an empty `d` makes a public key. With it the pair is checked. */
VS_MUST vs_code vs_key_import_ec(vs_key_type type, vs_span point, vs_span d, vs_key **out,
                                 vs_error *err);
VS_MUST vs_code vs_key_import_ed25519(vs_span pub, vs_span d, vs_key **out, vs_error *err);
typedef enum vs_rsa_part {
    VS_RSA_N,
    VS_RSA_E,
    VS_RSA_D,
    VS_RSA_P,
    VS_RSA_Q,
    VS_RSA_DP,
    VS_RSA_DQ,
    VS_RSA_QI,
    VS_RSA_PARTS
} vs_rsa_part;
/* Big-endian parts; without `d` only n and e are used. */
VS_MUST vs_code vs_key_import_rsa(const vs_span part[VS_RSA_PARTS], vs_key **out, vs_error *err);
/* OpenSSL's parameter names of the parts. */
extern const char *const vs_rsa_param[VS_RSA_PARTS];

/* ---- certificates (x509.c), for crl.c -------------------------------------------------------- */

/* Borrowed; VS_E_NOT_FOUND beyond the end. */
VS_MUST vs_code vs_certs_at(const vs_certs *c, size_t i, X509 **cert, vs_error *err);
bool vs_asn1_seconds(const ASN1_TIME *t, int64_t *out);

/* Scope-bound release of OpenSSL's objects. */
static inline void vs_free_pkey_ctx(EVP_PKEY_CTX **c)
{
    EVP_PKEY_CTX_free(*c);
}
static inline void vs_free_md_ctx(EVP_MD_CTX **c)
{
    EVP_MD_CTX_free(*c);
}
static inline void vs_free_bn(BIGNUM **b)
{
    BN_clear_free(*b);
}
static inline void vs_free_pkey(EVP_PKEY **k)
{
    EVP_PKEY_free(*k);
}
static inline void vs_free_bio(BIO **b)
{
    BIO_free_all(*b);
}

#endif
