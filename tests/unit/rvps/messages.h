/* SPDX-License-Identifier: Apache-2.0 */
/* CoRIMs, signers' certificates and message envelopes, made for tests. */
#ifndef VS_TEST_RVPS_MESSAGES_H
#define VS_TEST_RVPS_MESSAGES_H

#include "crypto/helpers.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "envelope/corim.h"

enum { NOW = 1787302800 };                    /* 2026-08-21T09:00:00Z */
static const int64_t year_later = 1818838800; /* 2027-08-21T09:00:00Z */

/* ---- certificates ---------------------------------------------------------------------------- */

typedef struct signer {
    vs_key *key;
    EVP_PKEY *pkey;
    X509 *cert;
} signer;

static inline void add_extension(X509 *cert, int nid, const char *value)
{
    if (!value)
        return;
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(ext);
    X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
}

/* With a fresh P-256 key, valid a year around NOW, or until `end`. */
static inline signer make_signer(const char *subject, const signer *issuer, const char *constraints,
                                 const char *usage, int64_t end)
{
    static long serial = 1;
    signer s = {.cert = X509_new(), .pkey = EVP_EC_gen("P-256")};
    const signer *by = issuer ? issuer : &s;
    X509_set_version(s.cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(s.cert), serial++);
    ASN1_TIME_set(X509_getm_notBefore(s.cert), NOW - 31536000);
    ASN1_TIME_set(X509_getm_notAfter(s.cert), end ? end : NOW + 31536000);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(s.cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)subject, -1, -1, 0);
    X509_set_issuer_name(s.cert, X509_get_subject_name(by->cert));
    X509_set_pubkey(s.cert, s.pkey);
    add_extension(s.cert, NID_basic_constraints, constraints);
    add_extension(s.cert, NID_key_usage, usage);
    assert_true(X509_sign(s.cert, by->pkey, EVP_sha256()) > 0);
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem = NULL;
    PEM_write_bio_PKCS8PrivateKey(bio, s.pkey, NULL, NULL, 0, NULL, NULL);
    long n = BIO_get_mem_data(bio, &pem);
    assert_vs_ok(vs_key_from_pem(vs_span_of(pem, (size_t)n), true, &s.key, &err), &err);
    BIO_free(bio);
    return s;
}

static inline void drop_signer(signer *s)
{
    X509_free(s->cert);
    EVP_PKEY_free(s->pkey);
    vs_key_free(&s->key);
}

static inline vs_span cert_der(const signer *s)
{
    uint8_t *der = NULL;
    int n = i2d_X509(s->cert, &der);
    assert_true(n > 0);
    vs_span copy = vs_dup(&arena, vs_span_of(der, (size_t)n));
    OPENSSL_free(der);
    return copy;
}

static inline vs_span cert_pem(const signer *s)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem = NULL;
    PEM_write_bio_X509(bio, s->cert);
    long n = BIO_get_mem_data(bio, &pem);
    vs_span copy = vs_dup(&arena, vs_span_of(pem, (size_t)n));
    BIO_free(bio);
    return copy;
}

/* ---- CoRIMs ---------------------------------------------------------------------------------- */

static inline vs_span on_arena(vs_buf *b)
{
    assert_true(vs_buf_ok(b));
    vs_span s = vs_dup(&arena, vs_buf_span(b));
    vs_buf_free(b);
    return s;
}

/* A measurement map; pieces are encoded CBOR, NULL = leave out. */
static inline vs_span measurement(const char *key_hex, const char *mval_hex)
{
    vs_buf b = VS_BUF(1 << 16);
    vs_cbor_put_map(&b, key_hex ? 2 : 1);
    if (key_hex) {
        vs_cbor_put_uint(&b, 0);
        vs_buf_put(&b, hex(key_hex));
    }
    vs_cbor_put_uint(&b, 1);
    vs_buf_put(&b, hex(mval_hex));
    return on_arena(&b);
}

/* 501({0: "id", 1: [506(comid)], ?4: validity}) of one triple for class ACME / Box. */
static inline vs_span manifest_of(const vs_span *measurements, size_t n, int64_t not_before,
                                  int64_t not_after)
{
    vs_buf comid = VS_BUF(1 << 20), b = VS_BUF(1 << 20);
    vs_buf_put(&comid, hex("a201a10061740"
                           "4a10081"
                           "82"
                           "a100a2"
                           "016441434d45"
                           "0263426f78"));
    vs_cbor_put_array(&comid, n);
    for (size_t i = 0; i < n; i++)
        vs_buf_put(&comid, measurements[i]);
    bool dated = not_before || not_after;
    vs_cbor_put_tag(&b, 501);
    vs_cbor_put_map(&b, dated ? 3 : 2);
    vs_buf_put(&b, hex("00626964"
                       "0181"));
    vs_cbor_put_tag(&b, 506);
    vs_cbor_put_bytes(&b, vs_buf_span(&comid));
    vs_buf_free(&comid);
    if (dated) {
        vs_cbor_put_uint(&b, 4);
        vs_cbor_put_map(&b, (size_t)(not_before != 0) + (not_after != 0));
        for (unsigned i = 0; i < 2; i++)
            if (i ? not_after : not_before) {
                vs_cbor_put_uint(&b, i);
                vs_cbor_put_tag(&b, 1);
                vs_cbor_put_int(&b, i ? not_after : not_before);
            }
    }
    return on_arena(&b);
}

#define DIGEST_A "0101010101010101010101010101010101010101010101010101010101010101"
/* One measurement with mkey "fw" and a SHA-256 digest. */
static inline vs_span simple_manifest(void)
{
    vs_span m = measurement("626677", "a10281820158"
                                      "20" DIGEST_A);
    return manifest_of(&m, 1, 0, 0);
}

/* Header {1: ES256, 3: content type, ?4: kid, 8: {0: {0: "ACME"}}, ?33: chain}. */
static inline vs_span corim_header(const char *content_type, const char *kid, const vs_span *chain,
                                   size_t n)
{
    vs_buf b = VS_BUF(1 << 16);
    vs_cbor_put_map(&b, 2u + (content_type != NULL) + (kid != NULL) + (n != 0));
    vs_buf_put(&b, hex("0126"));
    if (content_type) {
        vs_cbor_put_uint(&b, 3);
        vs_cbor_put_text(&b, content_type);
    }
    if (kid) {
        vs_cbor_put_uint(&b, 4);
        vs_cbor_put_bytes(&b, vs_str(kid));
    }
    vs_buf_put(&b, hex("0849"
                       "a100a1006441434d45"));
    if (n) {
        vs_buf_put(&b, hex("1821"));
        if (n > 1)
            vs_cbor_put_array(&b, n);
        for (size_t i = 0; i < n; i++)
            vs_cbor_put_bytes(&b, chain[i]);
    }
    return on_arena(&b);
}

static inline vs_span sign_corim(const vs_key *key, vs_span header, vs_span manifest)
{
    vs_buf b = VS_BUF(1 << 20);
    assert_vs_ok(vs_cose_sign(&b, key, VS_ES256, header, nothing, manifest, &err), &err);
    return on_arena(&b);
}

#define RIM_CBOR "application/rim+cbor"

/* ---- envelopes ------------------------------------------------------------------------------- */

static inline vs_span message(const char *type, vs_span payload)
{
    vs_buf b = VS_BUF(8 << 20);
    vs_buf_printf(&b, "{\"type\":\"%s\",\"payload\":\"", type);
    vs_b64_encode(&b, VS_B64_STD, payload);
    vs_buf_puts(&b, "\"}");
    return on_arena(&b);
}

#endif
