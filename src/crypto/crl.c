/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate revocation lists (RFC 5280 section 5, by OpenSSL). */
#include "crypto/internal.h"

#include <stdlib.h>

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
