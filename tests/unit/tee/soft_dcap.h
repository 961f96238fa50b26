/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intel made of software: a root, a platform CA, a platform's certificate (PCK) with the SGX
 * extension, a signer of TCB documents, revocation lists, and quotes. All keys are thrown away.
 * Everything may be made wrong before it is issued or signed.
 */
#ifndef VS_TEST_SOFT_DCAP_H
#define VS_TEST_SOFT_DCAP_H

#include "testing.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "tee/dcap/verify.h"

enum { SOFT_DCAP_NOW = 1800000000, SOFT_DCAP_YEAR = 31536000 };

typedef enum soft_party { SOFT_ROOT, SOFT_CA, SOFT_PCK, SOFT_SIGNER, SOFT_PARTIES } soft_party;

typedef struct soft_dcap {
    EVP_PKEY *key[SOFT_PARTIES], *attestation;
    X509 *cert[SOFT_PARTIES];
    const char *cn[SOFT_PARTIES];
    bool platform; /* the PCK's extension has what platform CAs add */
    uint8_t comp[16], pcesvn;
    uint8_t root[DCAP_POINT];
    bool revoked[SOFT_PARTIES];
    const char *status; /* of the platform's level */
    /* What the quote says. */
    unsigned version, body_type; /* 4, or 5 with 2 or 3 */
    uint8_t body[648];
    uint8_t qe[384];
} soft_dcap;

/* ---- bytes ------------------------------------------------------------------------------------
 */

static inline void soft_tlv(vs_buf *out, uint8_t tag, vs_span content)
{
    vs_buf_putc(out, (char)tag);
    if (content.n >= 256) {
        vs_buf_putc(out, (char)0x82);
        vs_buf_putc(out, (char)(content.n >> 8));
    } else if (content.n >= 128) {
        vs_buf_putc(out, (char)0x81);
    }
    vs_buf_putc(out, (char)content.n);
    vs_buf_put(out, content);
}

static inline void soft_number(vs_buf *out, uint8_t tag, unsigned v)
{
    const uint8_t bytes[] = {0, (uint8_t)v};
    soft_tlv(out, tag, v < 128 ? vs_span_of(bytes + 1, 1) : vs_span_of(bytes, 2));
}

/* {OID 1.2.840.113741.1.13.1.a[.b], element} */
static inline void soft_member(vs_buf *out, unsigned a, unsigned b, const vs_buf *element)
{
    const uint8_t oid[] = {0x2a, 0x86, 0x48, 0x86,       0xf8,      0x4d,
                           0x01, 0x0d, 0x01, (uint8_t)a, (uint8_t)b};
    vs_buf body = VS_BUF(2048);
    soft_tlv(&body, 0x06, vs_span_of(oid, b ? 11 : 10));
    vs_buf_put(&body, vs_buf_span(element));
    soft_tlv(out, 0x30, vs_buf_span(&body));
    vs_buf_free(&body);
}

static inline void soft_octets_member(vs_buf *out, unsigned a, unsigned b, uint8_t fill, size_t n)
{
    uint8_t bytes[16];
    vs_buf e = VS_BUF(64);
    memset(bytes, fill, sizeof bytes);
    soft_tlv(&e, 0x04, vs_span_of(bytes, n));
    soft_member(out, a, b, &e);
    vs_buf_free(&e);
}

static inline void soft_number_member(vs_buf *out, unsigned a, unsigned b, uint8_t tag, unsigned v)
{
    vs_buf e = VS_BUF(64);
    soft_number(&e, tag, v);
    soft_member(out, a, b, &e);
    vs_buf_free(&e);
}

static inline void soft_nested(vs_buf *out, unsigned a, const vs_buf *members)
{
    vs_buf e = VS_BUF(2048);
    soft_tlv(&e, 0x30, vs_buf_span(members));
    soft_member(out, a, 0, &e);
    vs_buf_free(&e);
}

/* The SGX extension: FMSPC 33.., PCE id 22.., PPID 11... */
static inline void soft_sgx_extension(const soft_dcap *s, vs_buf *out)
{
    static const char yes[] = "\x01\x01\xff";
    vs_buf all = VS_BUF(4096), tcb = VS_BUF(2048), conf = VS_BUF(1024), flag = VS_BUF(8);
    for (unsigned i = 0; i < 16; i++)
        soft_number_member(&tcb, 2, i + 1, 0x02, s->comp[i]);
    soft_number_member(&tcb, 2, 17, 0x02, s->pcesvn);
    soft_octets_member(&tcb, 2, 18, 0x44, 16);
    soft_octets_member(&all, 1, 0, 0x11, 16);
    soft_nested(&all, 2, &tcb);
    soft_octets_member(&all, 3, 0, 0x22, 2);
    soft_octets_member(&all, 4, 0, 0x33, 6);
    soft_number_member(&all, 5, 0, 0x0a, s->platform ? 1 : 0);
    if (s->platform) {
        soft_octets_member(&all, 6, 0, 0x55, 16);
        vs_buf_put(&flag, vs_span_of(yes, 3));
        for (unsigned i = 1; i <= 3; i++)
            soft_member(&conf, 7, i, &flag);
        soft_nested(&all, 7, &conf);
    }
    soft_tlv(out, 0x30, vs_buf_span(&all));
    vs_buf_free(&all);
    vs_buf_free(&tcb);
    vs_buf_free(&conf);
    vs_buf_free(&flag);
}

/* ---- certificates -----------------------------------------------------------------------------
 */

static inline void soft_add(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(ext);
    X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
}

static inline void soft_add_sgx(const soft_dcap *s, X509 *cert)
{
    vs_buf der = VS_BUF(4096);
    ASN1_OBJECT *oid = OBJ_txt2obj("1.2.840.113741.1.13.1", 1);
    ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
    soft_sgx_extension(s, &der);
    ASN1_OCTET_STRING_set(data, der.p, (int)der.n);
    X509_EXTENSION *ext = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, data);
    X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(data);
    ASN1_OBJECT_free(oid);
    vs_buf_free(&der);
}

static inline void soft_issue_party(soft_dcap *s, soft_party p)
{
    soft_party by = p == SOFT_PCK ? SOFT_CA : SOFT_ROOT;
    X509_free(s->cert[p]);
    X509 *cert = s->cert[p] = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), (long)p + 1);
    ASN1_TIME_set(X509_getm_notBefore(cert), SOFT_DCAP_NOW - SOFT_DCAP_YEAR);
    ASN1_TIME_set(X509_getm_notAfter(cert), SOFT_DCAP_NOW + SOFT_DCAP_YEAR);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)s->cn[p], -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(s->cert[by]));
    X509_set_pubkey(cert, s->key[p]);
    if (p == SOFT_ROOT || p == SOFT_CA)
        soft_add(cert, NID_basic_constraints, "critical,CA:TRUE");
    if (p == SOFT_PCK)
        soft_add_sgx(s, cert);
    assert_true(X509_sign(cert, s->key[by], EVP_sha256()) > 0);
}

static inline void soft_pem(const soft_dcap *s, const soft_party *parties, size_t n, vs_buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    for (size_t i = 0; i < n; i++)
        PEM_write_bio_X509(bio, s->cert[parties[i]]);
    size_t size = (size_t)BIO_get_mem_data(bio, &text);
    vs_buf_put(out, vs_span_of(text, size));
    BIO_free(bio);
}

/* Of the root or of the CA, with those that are revoked. */
static inline void soft_crl(const soft_dcap *s, soft_party issuer, vs_buf *out)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *then = ASN1_TIME_set(NULL, SOFT_DCAP_NOW - 1000);
    ASN1_TIME *next = ASN1_TIME_set(NULL, SOFT_DCAP_NOW + 1000);
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    ASN1_INTEGER_set(number, issuer == SOFT_ROOT ? 3 : 4);
    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(s->cert[issuer]));
    X509_CRL_set1_lastUpdate(crl, then);
    X509_CRL_set1_nextUpdate(crl, next);
    for (unsigned p = 0; p < SOFT_PARTIES; p++) {
        if (!s->revoked[p] || (p == SOFT_PCK) != (issuer == SOFT_CA))
            continue;
        X509_REVOKED *entry = X509_REVOKED_new();
        X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(s->cert[p]));
        X509_REVOKED_set_revocationDate(entry, then);
        X509_CRL_add0_revoked(crl, entry);
    }
    X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0);
    assert_true(X509_CRL_sign(crl, s->key[issuer], EVP_sha256()) > 0);
    uint8_t *der = NULL;
    int n = i2d_X509_CRL(crl, &der);
    vs_buf_put(out, vs_span_of(der, (size_t)n));
    OPENSSL_free(der);
    X509_CRL_free(crl);
    ASN1_TIME_free(then);
    ASN1_TIME_free(next);
    ASN1_INTEGER_free(number);
}

/* ---- signatures -------------------------------------------------------------------------------
 */

static inline void soft_p256(EVP_PKEY *key, vs_span bytes, uint8_t out[64])
{
    uint8_t der[128];
    const uint8_t *p = der;
    size_t n = sizeof der;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    assert_true(EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestSign(md, der, &n, bytes.p, bytes.n) == 1);
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
    BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + 32, 32);
    ECDSA_SIG_free(sig);
    EVP_MD_CTX_free(md);
}

static inline void soft_point(EVP_PKEY *key, uint8_t out[DCAP_POINT])
{
    size_t n = 0;
    assert_true(EVP_PKEY_get_octet_string_param(key, "pub", out, DCAP_POINT, &n) == 1);
    assert_int_equal(n, DCAP_POINT);
}

/* ---- quotes -----------------------------------------------------------------------------------
 */

static inline void soft_quote(const soft_dcap *s, vs_buf *out)
{
    static const uint8_t head[] = {2,    0,    0x81, 0,    0,    0,    0,    0,    0,
                                   0,    0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                   0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
    static const uint8_t zeros[20], auth[] = {32, 0};
    static const soft_party chain[] = {SOFT_PCK, SOFT_CA, SOFT_ROOT};
    size_t size = s->body_type == 3 ? 648 : 584, start = out->n;
    uint8_t signature[64], qe_signature[64], point[DCAP_POINT], qe[384], digest[VS_HASH_MAX];
    vs_buf pem = VS_BUF(1 << 14), inner = VS_BUF(1 << 14);
    vs_buf_putc(out, (char)s->version);
    vs_buf_putc(out, 0);
    vs_buf_put(out, vs_span_of(head, sizeof head));
    vs_buf_put(out, vs_span_of(zeros, 20));
    if (s->version == 5) {
        const uint8_t type[] = {(uint8_t)s->body_type, 0, (uint8_t)size,
                                (uint8_t)(size >> 8),  0, 0};
        vs_buf_put(out, vs_span_of(type, sizeof type));
    }
    vs_buf_put(out, vs_span_of(s->body, size));
    soft_p256(s->attestation, vs_span_from(vs_buf_span(out), start), signature);
    soft_point(s->attestation, point);
    memcpy(qe, s->qe, sizeof qe);
    assert_vs_code(vs_digest(VS_SHA256, vs_span_of(point + 1, 64), vs_span_of(point, 32),
                             (vs_span){NULL, 0}, digest, NULL),
                   VS_OK);
    memcpy(qe + 320, digest, 32);
    soft_p256(s->key[SOFT_PCK], vs_span_of(qe, sizeof qe), qe_signature);
    soft_pem(s, chain, 3, &pem);
    vs_buf_put(&inner, vs_span_of(qe, sizeof qe));
    vs_buf_put(&inner, vs_span_of(qe_signature, 64));
    vs_buf_put(&inner, vs_span_of(auth, 2)); /* the data: the first bytes of the point */
    vs_buf_put(&inner, vs_span_of(point, 32));
    const uint8_t five[] = {5, 0, (uint8_t)pem.n, (uint8_t)(pem.n >> 8), 0, 0};
    vs_buf_put(&inner, vs_span_of(five, 6));
    vs_buf_put(&inner, vs_buf_span(&pem));
    size_t all = 64 + 64 + 6 + inner.n;
    const uint8_t length[] = {(uint8_t)all, (uint8_t)(all >> 8), 0, 0};
    const uint8_t six[] = {6, 0, (uint8_t)inner.n, (uint8_t)(inner.n >> 8), 0, 0};
    vs_buf_put(out, vs_span_of(length, 4));
    vs_buf_put(out, vs_span_of(signature, 64));
    vs_buf_put(out, vs_span_of(point + 1, 64));
    vs_buf_put(out, vs_span_of(six, 6));
    vs_buf_put(out, vs_buf_span(&inner));
    assert_true(vs_buf_ok(out));
    vs_buf_free(&pem);
    vs_buf_free(&inner);
}

/* ---- collateral -------------------------------------------------------------------------------
 */

static inline void soft_components(vs_buf *out, const char *key, unsigned v)
{
    vs_buf_printf(out, "\"%s\":[", key);
    for (unsigned i = 0; i < 16; i++)
        vs_buf_printf(out, "%s{\"svn\":%u}", i ? "," : "", i < 3 ? v : 0);
    vs_buf_puts(out, "]");
}

#define SOFT_DATES                                                                                 \
    "\"issueDate\":\"2027-01-15T07:00:00Z\",\"nextUpdate\":\"2027-01-15T09:00:00Z\","              \
    "\"tcbEvaluationDataNumber\":17,"
#define SOFT_DATE "\"tcbDate\":\"2024-03-13T00:00:00Z\","
#define ZEROS8    "0000000000000000"
#define ZEROS48   ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8

static inline void soft_tcb_info(const soft_dcap *s, vs_buf *out)
{
    vs_buf_puts(out,
                "{\"id\":\"TDX\",\"version\":3," SOFT_DATES
                "\"fmspc\":\"333333333333\",\"pceId\":\"2222\",\"tcbType\":0,"
                "\"tdxModule\":{\"mrsigner\":\"" ZEROS48 "\",\"attributes\":\"" ZEROS8
                "\",\"attributesMask\":\"FFFFFFFFFFFFFFFF\"},\"tdxModuleIdentities\":[{\"id\":"
                "\"TDX_01\",\"mrsigner\":\"" ZEROS48 "\",\"attributes\":\"" ZEROS8
                "\",\"attributesMask\":\"FFFFFFFFFFFFFFFF\",\"tcbLevels\":[{\"tcb\":{\"isvsvn\":"
                "4}," SOFT_DATE "\"tcbStatus\":\"UpToDate\"},{\"tcb\":{\"isvsvn\":2}," SOFT_DATE
                "\"tcbStatus\":\"OutOfDate\",\"advisoryIDs\":[\"M\"]}]}],\"tcbLevels\":["
                "{\"tcb\":{");
    soft_components(out, "sgxtcbcomponents", 5);
    vs_buf_puts(out, ",\"pcesvn\":11,");
    soft_components(out, "tdxtcbcomponents", 3);
    vs_buf_printf(out, "}," SOFT_DATE "\"tcbStatus\":\"%s\",\"advisoryIDs\":[\"P\"]}]}", s->status);
}

static inline void soft_identity(vs_buf *out)
{
    vs_buf_puts(out, "{\"id\":\"TD_QE\",\"version\":2," SOFT_DATES
                     "\"miscselect\":\"00000000\",\"miscselectMask\":\"FFFFFFFF\","
                     "\"attributes\":\"11" ZEROS8 "00000000000000\",\"attributesMask\":\"FB" ZEROS8
                     "00000000000000\",\"mrsigner\":\""
                     "6666666666666666666666666666666666666666666666666666666666666666\","
                     "\"isvprodid\":2,\"tcbLevels\":[{\"tcb\":{\"isvsvn\":4}," SOFT_DATE
                     "\"tcbStatus\":\"UpToDate\"}]}");
}

/* On the arena. */
static inline dcap_collateral soft_collateral(const soft_dcap *s, vs_arena *a)
{
    static const soft_party signer[] = {SOFT_SIGNER, SOFT_ROOT}, ca[] = {SOFT_CA, SOFT_ROOT};
    vs_buf parts[6] = {VS_BUF(1 << 14), VS_BUF(1 << 14), VS_BUF(1 << 14),
                       VS_BUF(1 << 14), VS_BUF(1 << 14), VS_BUF(1 << 14)};
    uint8_t signatures[2][64];
    dcap_collateral k = {.tcb_info = {NULL, 0}};
    soft_tcb_info(s, &parts[0]);
    soft_identity(&parts[1]);
    soft_pem(s, signer, 2, &parts[2]);
    soft_pem(s, ca, 2, &parts[3]);
    soft_crl(s, SOFT_ROOT, &parts[4]);
    soft_crl(s, SOFT_CA, &parts[5]);
    vs_span *const places[] = {&k.tcb_info,      &k.qe_identity, &k.tcb_info_chain,
                               &k.pck_crl_chain, &k.root_crl,    &k.pck_crl};
    for (unsigned i = 0; i < 6; i++) {
        *places[i] = vs_dup(a, vs_buf_span(&parts[i]));
        vs_buf_free(&parts[i]);
    }
    k.qe_identity_chain = k.tcb_info_chain;
    soft_p256(s->key[SOFT_SIGNER], k.tcb_info, signatures[0]);
    soft_p256(s->key[SOFT_SIGNER], k.qe_identity, signatures[1]);
    k.tcb_info_signature = vs_dup(a, vs_span_of(signatures[0], 64));
    k.qe_identity_signature = vs_dup(a, vs_span_of(signatures[1], 64));
    return k;
}

/* ---- life -------------------------------------------------------------------------------------
 */

static inline void soft_dcap_start(soft_dcap *s)
{
    *s = (soft_dcap){.cn = {"Intel SGX Root CA", "Intel SGX PCK Platform CA",
                            "Intel SGX PCK Certificate", "Intel SGX TCB Signing"},
                     .platform = true,
                     .comp = {5, 5, 5},
                     .pcesvn = 11,
                     .status = "UpToDate",
                     .version = 4,
                     .body_type = 2,
                     .attestation = EVP_EC_gen("P-256")};
    for (unsigned p = 0; p < SOFT_PARTIES; p++) {
        s->key[p] = EVP_EC_gen("P-256");
        soft_issue_party(s, (soft_party)p);
    }
    soft_point(s->key[SOFT_ROOT], s->root);
    memcpy(s->body, (const uint8_t[]){4, 1, 3}, 3);       /* TEE TCB SVN */
    memcpy(s->body + 584, (const uint8_t[]){4, 1, 3}, 3); /* the second one, of TD 1.5 */
    s->qe[48] = 0x15;                                     /* attributes; the mask hides bit 2 */
    memset(s->qe + 128, 0x66, 32);
    s->qe[256] = 2; /* product */
    s->qe[258] = 4; /* security version */
}

static inline void soft_dcap_stop(soft_dcap *s)
{
    EVP_PKEY_free(s->attestation);
    for (unsigned p = 0; p < SOFT_PARTIES; p++) {
        EVP_PKEY_free(s->key[p]);
        X509_free(s->cert[p]);
    }
}

#endif
