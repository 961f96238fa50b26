/* SPDX-License-Identifier: Apache-2.0 */
/* Keys as PEM (RFC 7468) and DER: SubjectPublicKeyInfo, PKCS#8, PKCS#1 and SEC1. */
#include "crypto/internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

enum { KEY_TEXT_MAX = 64 * 1024 };

/* ---- SubjectPublicKeyInfo ------------------------------------------------------------------- */

/* Everything in front of the point or key: these types have one encoding only, and comparing it is
 * seven times cheaper than OpenSSL's decoder. Compressed points and explicit curves do not match.
 */
static const struct {
    vs_key_type type;
    uint8_t n;
    uint8_t head[26];
} spki_heads[] = {
    {VS_KEY_P256, 26, {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                       0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                       0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00}},
    {VS_KEY_P384, 23, {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
                       0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00}},
    {VS_KEY_P521, 25, {0x30, 0x81, 0x9b, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
                       0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23, 0x03, 0x81, 0x86, 0x00}},
    {VS_KEY_ED25519, 12, {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}},
};

static vs_code rsa_from_spki(vs_span der, vs_key **out, vs_error *err)
{
    const uint8_t *p = der.p;
    if (der.n > KEY_TEXT_MAX)
        return vs_fail(err, VS_E_LIMIT, "key of %zu bytes", der.n);
    VS_CLEANUP(vs_free_pkey) EVP_PKEY *pkey = d2i_PUBKEY_ex(NULL, &p, (long)der.n, NULL, NULL);
    if (!pkey)
        return vs_ossl_fail(err, VS_E_PARSE, "not a public key (SubjectPublicKeyInfo)");
    if (p != der.p + der.n)
        return vs_fail(err, VS_E_PARSE, "bytes behind the public key");
    vs_key_type type = VS_KEY_RSA;
    VS_TRY(vs_pkey_type(pkey, &type, err));
    if (type != VS_KEY_RSA)
        return vs_fail(err, VS_E_UNSUPPORTED, "EC public key is not an uncompressed point");
    EVP_PKEY *taken = pkey;
    pkey = NULL; /* transferred */
    return vs_key_adopt(taken, type, false, (vs_span){NULL, 0}, out, err);
}

vs_code vs_key_from_spki(vs_span der, vs_key **out, vs_error *err)
{
    for (size_t i = 0; i < VS_COUNT(spki_heads); i++) {
        if (!vs_span_starts(der, vs_span_of(spki_heads[i].head, spki_heads[i].n)))
            continue;
        vs_span key = vs_span_from(der, spki_heads[i].n);
        if (spki_heads[i].type == VS_KEY_ED25519)
            return vs_key_import_ed25519(key, (vs_span){NULL, 0}, out, err);
        return vs_key_from_point(spki_heads[i].type, key, out, err);
    }
    return rsa_from_spki(der, out, err);
}

/* ---- private keys --------------------------------------------------------------------------- */

/* The public half of a decoded private key, as a key of its own. */
static vs_code public_of(const EVP_PKEY *pkey, vs_key **out, vs_error *err)
{
    uint8_t *der = NULL;
    int n = i2d_PUBKEY(pkey, &der);
    if (n < 0)
        return vs_ossl_fail(err, VS_E_INTERNAL, "encoding a public key");
    vs_code code = vs_key_from_spki(vs_span_of(der, (size_t)n), out, err);
    OPENSSL_free(der);
    return code;
}

static vs_code private_from_der(vs_span der, bool want_private, vs_key **out, vs_error *err)
{
    const uint8_t *p = der.p;
    VS_CLEANUP(vs_free_pkey)
    EVP_PKEY *pkey = d2i_AutoPrivateKey_ex(NULL, &p, (long)der.n, NULL, NULL);
    if (!pkey)
        return vs_ossl_fail(err, VS_E_PARSE, "not a private key (PKCS#8, PKCS#1 or SEC1)");
    if (p != der.p + der.n)
        return vs_fail(err, VS_E_PARSE, "bytes behind the private key");
    vs_key_type type = VS_KEY_RSA;
    VS_TRY(vs_pkey_type(pkey, &type, err));
    if (!want_private)
        return public_of(pkey, out, err);
    VS_CLEANUP(vs_key_free) vs_key *k = NULL;
    EVP_PKEY *taken = pkey;
    pkey = NULL; /* transferred; adopting checks sizes before the costly pair check */
    VS_TRY(vs_key_adopt(taken, type, true, (vs_span){NULL, 0}, &k, err));
    VS_TRY(vs_pkey_check_pair(k->pkey, err));
    *out = k;
    k = NULL;
    return VS_OK;
}

/* ---- PEM ------------------------------------------------------------------------------------ */

typedef struct pem_block {
    char *label, *header;
    uint8_t *data;
    long n;
} pem_block;

static void free_block(pem_block *b)
{
    OPENSSL_free(b->label);
    OPENSSL_free(b->header);
    OPENSSL_clear_free(b->data, b->n > 0 ? (size_t)b->n : 0);
    *b = (pem_block){0};
}

static vs_code from_block(const pem_block *b, bool want_private, vs_key **out, vs_error *err)
{
    vs_span der = vs_span_of(b->data, (size_t)b->n), label = vs_str(b->label);
    if (vs_span_is(label, "ENCRYPTED PRIVATE KEY") || (b->header && *b->header))
        return vs_fail(err, VS_E_UNSUPPORTED, "encrypted PEM keys are not supported");
    if (vs_span_is(label, "PUBLIC KEY")) {
        if (want_private)
            return vs_fail(err, VS_E_INVALID, "a private key is needed, this is a public one");
        return vs_key_from_spki(der, out, err);
    }
    if (vs_span_ends(label, VS_LIT("PRIVATE KEY")))
        return private_from_der(der, want_private, out, err);
    return vs_fail(err, VS_E_UNSUPPORTED, "PEM block \"%.40s\" is not a key", b->label);
}

static vs_code from_pem_text(vs_span pem, bool want_private, vs_key **out, vs_error *err)
{
    VS_CLEANUP(vs_free_bio) BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    if (!bio)
        return vs_fail(err, VS_E_NOMEM, "out of memory for a PEM key");
    for (;;) {
        VS_CLEANUP(free_block) pem_block b = {0};
        if (PEM_read_bio(bio, &b.label, &b.header, &b.data, &b.n) != 1)
            return vs_ossl_fail(err, VS_E_PARSE, "not a PEM key");
        /* openssl ecparam -genkey writes the curve in front of the key, which names it again. */
        if (!vs_span_is(vs_str(b.label), "EC PARAMETERS"))
            return from_block(&b, want_private, out, err);
    }
}

/* All private forms begin with a version number, SubjectPublicKeyInfo with an algorithm. */
static bool is_private_der(vs_span der)
{
    size_t head = der.n > 1 && der.p[1] > 0x80 ? 2 + (der.p[1] & 0x7fu) : 2;
    return der.n > head && der.p[head] == 0x02;
}

vs_code vs_key_from_pem(vs_span pem, bool want_private, vs_key **out, vs_error *err)
{
    if (pem.n == 0 || pem.n > KEY_TEXT_MAX)
        return vs_fail(err, pem.n ? VS_E_LIMIT : VS_E_PARSE, "key file of %zu bytes", pem.n);
    if (pem.p[0] != 0x30) /* not an ASN.1 SEQUENCE, so text */
        return from_pem_text(pem, want_private, out, err);
    if (want_private || is_private_der(pem))
        return private_from_der(pem, want_private, out, err);
    return vs_key_from_spki(pem, out, err);
}

typedef enum pem_form { PEM_SPKI, PEM_PKCS8, PEM_OLD } pem_form;

static int write_pem(BIO *bio, EVP_PKEY *pkey, pem_form form)
{
    switch (form) {
    case PEM_PKCS8: return PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL);
    case PEM_OLD: return PEM_write_bio_PrivateKey_traditional(bio, pkey, NULL, NULL, 0, NULL, NULL);
    case PEM_SPKI: break;
    }
    return PEM_write_bio_PUBKEY(bio, pkey);
}

static vs_code to_pem(vs_buf *out, const vs_key *k, pem_form form, vs_error *err)
{
    if (form != PEM_SPKI && !k->is_private)
        return vs_fail(err, VS_E_INVALID, "the key has no private part");
    VS_CLEANUP(vs_free_bio) BIO *bio = BIO_new(BIO_s_mem()); /* wiped when freed */
    if (!bio || !write_pem(bio, k->pkey, form))
        return vs_ossl_fail(err, VS_E_INTERNAL, "writing a PEM key");
    char *text = NULL;
    long n = BIO_get_mem_data(bio, &text);
    vs_buf_put(out, vs_span_of(text, (size_t)n));
    return vs_buf_check(out, err);
}

vs_code vs_key_to_pem(vs_buf *out, const vs_key *k, bool private_key, vs_error *err)
{
    return to_pem(out, k, private_key ? PEM_PKCS8 : PEM_SPKI, err);
}

vs_code vs_key_to_pem_old(vs_buf *out, const vs_key *k, vs_error *err)
{
    return to_pem(out, k, PEM_OLD, err);
}

vs_code vs_key_to_spki(vs_buf *der, const vs_key *k, vs_error *err)
{
    uint8_t *bytes = NULL;
    int n = i2d_PUBKEY(k->pkey, &bytes);
    if (n < 0)
        return vs_ossl_fail(err, VS_E_INTERNAL, "encoding a public key");
    vs_buf_put(der, vs_span_of(bytes, (size_t)n));
    OPENSSL_free(bytes);
    return vs_buf_check(der, err);
}
