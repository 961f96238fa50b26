/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates of tests, made when they are needed. */
#ifndef TEST_NET_IDENTITY_H
#define TEST_NET_IDENTITY_H

#include "testing.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

typedef struct identity {
    char dir[64], key[100], cert[100];
} identity;

static inline void add_name(X509 *cert, const char *san)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
    assert_non_null(e);
    assert_int_equal(X509_add_ext(cert, e, -1), 1);
    X509_EXTENSION_free(e);
}

/* A self-signed test certificate, valid from `from` to `to` seconds from now. */
static inline void make_identity(identity *id, const char *san, long from, long to)
{
    (void)snprintf(id->dir, sizeof id->dir, "%s", P_tmpdir "/vs-net-XXXXXX");
    assert_non_null(mkdtemp(id->dir));
    (void)snprintf(id->key, sizeof id->key, "%s/key.pem", id->dir);
    (void)snprintf(id->cert, sizeof id->cert, "%s/cert.pem", id->dir);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    assert_true(key && cert);
    (void)X509_set_version(cert, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(cert), from);
    (void)X509_gmtime_adj(X509_getm_notAfter(cert), to);
    X509_NAME *name = X509_get_subject_name(cert);
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                     (const unsigned char *)"vouchsafe test", -1, -1, 0);
    (void)X509_set_issuer_name(cert, name);
    (void)X509_set_pubkey(cert, key);
    add_name(cert, san);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    FILE *f = fopen(id->key, "w");
    assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
    (void)fclose(f);
    f = fopen(id->cert, "w");
    assert_int_equal(PEM_write_X509(f, cert), 1);
    (void)fclose(f);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static inline void remove_identity(identity *id)
{
    (void)unlink(id->key);
    (void)unlink(id->cert);
    (void)rmdir(id->dir);
}

#endif
