/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate revocation lists (RFC 5280 section 5, by OpenSSL). */
#include "crypto/internal.h"

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

enum { CRL_MAX = 16 << 20 };

struct vs_crl {
    X509_CRL *crl;
};

void vs_crl_free(vs_crl **crl)
{
    if (!crl || !*crl)
        return;
    X509_CRL_free((*crl)->crl);
    free(*crl);
    *crl = NULL;
}

/* Takes `list` over. */
static vs_code adopt(X509_CRL *list, vs_crl **out, vs_error *err)
{
    vs_crl *c = calloc(1, sizeof *c);
    if (!c) {
        X509_CRL_free(list);
        return vs_fail(err, VS_E_NOMEM, "out of memory for a revocation list");
    }
    c->crl = list;
    *out = c;
    return VS_OK;
}

vs_code vs_crl_from_der(vs_span der, vs_crl **out, vs_error *err)
{
    const uint8_t *p = der.p;
    if (der.n == 0 || der.n > CRL_MAX)
        return vs_fail(err, der.n ? VS_E_LIMIT : VS_E_PARSE, "revocation list of %zu bytes", der.n);
    X509_CRL *list = d2i_X509_CRL(NULL, &p, (long)der.n);
    if (!list)
        return vs_ossl_fail(err, VS_E_PARSE, "not a revocation list");
    if (p != der.p + der.n) {
        X509_CRL_free(list);
        return vs_fail(err, VS_E_PARSE, "bytes behind the revocation list");
    }
    return adopt(list, out, err);
}

vs_code vs_crl_from_pem(vs_span pem, size_t at, vs_crl **out, vs_error *err)
{
    if (pem.n > CRL_MAX)
        return vs_fail(err, VS_E_LIMIT, "revocation lists of %zu bytes", pem.n);
    VS_CLEANUP(vs_free_bio)
    BIO *bio = BIO_new_mem_buf(pem.n ? (const void *)pem.p : "", (int)pem.n);
    if (!bio)
        return vs_ossl_fail(err, VS_E_NOMEM, "reading revocation lists");
    for (size_t i = 0;; i++) {
        X509_CRL *list = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
        if (!list && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) {
            ERR_clear_error();
            return vs_fail(err, VS_E_NOT_FOUND, "%zu revocation lists, no more", i);
        }
        if (!list)
            return vs_ossl_fail(err, VS_E_PARSE, "not a revocation list");
        if (i == at)
            return adopt(list, out, err);
        X509_CRL_free(list);
    }
}

vs_code vs_crl_complete(const vs_crl *crl, const vs_certs *c, size_t i, vs_error *err)
{
    X509 *issuer = NULL;
    VS_TRY(vs_certs_at(c, i, &issuer, err));
    if (!(X509_get_key_usage(issuer) & KU_CRL_SIGN)) /* all bits when there is none */
        return vs_fail(err, VS_E_UNTRUSTED, "its issuer's key usage does not have cRLSign");
    if (X509_CRL_get_ext_by_critical(crl->crl, 1, -1) >= 0)
        return vs_fail(
            err, VS_E_UNSUPPORTED,
            "it has a critical extension, as partial lists do: a complete one is needed");
    return VS_OK;
}

vs_code vs_crl_issued(const vs_crl *crl, const vs_certs *c, size_t i, vs_error *err)
{
    X509 *issuer = NULL;
    VS_TRY(vs_certs_at(c, i, &issuer, err));
    if (X509_NAME_cmp(X509_CRL_get_issuer(crl->crl), X509_get_subject_name(issuer)) != 0)
        return vs_fail(err, VS_E_UNTRUSTED, "the revocation list is another issuer's");
    if (X509_CRL_verify(crl->crl, X509_get0_pubkey(issuer)) != 1)
        return vs_ossl_fail(err, VS_E_UNTRUSTED, "signature of a revocation list does not verify");
    return VS_OK;
}

vs_code vs_crl_dates(const vs_crl *crl, int64_t *made, int64_t *next, vs_error *err)
{
    const ASN1_TIME *until = X509_CRL_get0_nextUpdate(crl->crl);
    if (!until || !vs_asn1_seconds(until, next) ||
        !vs_asn1_seconds(X509_CRL_get0_lastUpdate(crl->crl), made))
        return vs_ossl_fail(err, VS_E_INVALID, "revocation list without readable dates");
    return VS_OK;
}

vs_code vs_crl_number(const vs_crl *crl, uint64_t *out, vs_error *err)
{
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl->crl, NID_crl_number, NULL, NULL);
    int ok = number && ASN1_INTEGER_get_uint64(out, number);
    ASN1_INTEGER_free(number);
    return ok ? VS_OK : vs_ossl_fail(err, VS_E_INVALID, "revocation list without a number");
}

vs_code vs_crl_check(const vs_crl *crl, const vs_certs *c, size_t i, vs_error *err)
{
    X509 *cert = NULL;
    X509_REVOKED *entry = NULL;
    VS_TRY(vs_certs_at(c, i, &cert, err));
    if (X509_CRL_get0_by_cert(crl->crl, &entry, cert) == 0)
        return VS_OK;
    return vs_fail(err, VS_E_UNTRUSTED, "certificate %zu is revoked", i);
}
