/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of certificates and their verification to a trust anchor (RFC 5280, by OpenSSL). */
#include "crypto/internal.h"

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/clock.h"

/* OpenSSL's level 2 is 112 bits: RSA of 2048 bits, no SHA-1 signature below the anchor. */
enum { CERTS_MAX = 256, PEM_MAX = 4 << 20, CHAIN_DEPTH = 8, SECURITY_LEVEL = 2 };

struct vs_certs {
    STACK_OF(X509) * list;
};

void vs_certs_free(vs_certs **c)
{
    if (!c || !*c)
        return;
    sk_X509_pop_free((*c)->list, X509_free);
    free(*c);
    *c = NULL;
}

static vs_certs *new_list(vs_error *err)
{
    vs_certs *c = calloc(1, sizeof *c);
    if (c && (c->list = sk_X509_new_null()))
        return c;
    free(c);
    (void)vs_fail(err, VS_E_NOMEM, "out of memory for certificates");
    return NULL;
}

/* Takes `cert` over. */
static vs_code append(vs_certs *c, X509 *cert, vs_error *err)
{
    if (sk_X509_num(c->list) >= CERTS_MAX) {
        X509_free(cert);
        return vs_fail(err, VS_E_LIMIT, "more than %d certificates", CERTS_MAX);
    }
    if (!sk_X509_push(c->list, cert)) {
        X509_free(cert);
        return vs_fail(err, VS_E_NOMEM, "out of memory for certificates");
    }
    return VS_OK;
}

static vs_code append_der(vs_certs *c, vs_span der, vs_error *err)
{
    const uint8_t *p = der.p;
    X509 *cert = der.n <= PEM_MAX ? d2i_X509(NULL, &p, (long)der.n) : NULL;
    if (!cert)
        return vs_ossl_fail(err, VS_E_PARSE, "not a certificate");
    if (p != der.p + der.n) {
        X509_free(cert);
        return vs_fail(err, VS_E_PARSE, "bytes behind the certificate");
    }
    return append(c, cert, err);
}

vs_code vs_certs_from_der(const vs_span *ders, size_t n, vs_certs **out, vs_error *err)
{
    if (n == 0)
        return vs_fail(err, VS_E_INVALID, "no certificate");
    VS_CLEANUP(vs_certs_free) vs_certs *c = new_list(err);
    if (!c)
        return VS_E_NOMEM;
    for (size_t i = 0; i < n; i++)
        VS_TRY_WRAP(append_der(c, ders[i], err), err, "certificate %zu", i);
    *out = c;
    c = NULL;
    return VS_OK;
}

/* One PEM block; *more is false at the end of the text. Blocks that are no certificates (a key in
 * the same file) are passed over. */
static vs_code read_block(BIO *bio, vs_certs *c, bool *more, vs_error *err)
{
    char *label = NULL, *header = NULL;
    uint8_t *data = NULL;
    long n = 0;
    if (PEM_read_bio(bio, &label, &header, &data, &n) != 1) {
        bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
        *more = false;
        if (!end)
            return vs_ossl_fail(err, VS_E_PARSE, "bad PEM block");
        ERR_clear_error();
        return VS_OK;
    }
    vs_code code = VS_OK;
    if (vs_span_is(vs_str(label), "CERTIFICATE"))
        code = append_der(c, vs_span_of(data, (size_t)n), err);
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, (size_t)n);
    return code;
}

vs_code vs_certs_from_pem(vs_span pem, vs_certs **out, vs_error *err)
{
    if (pem.n > PEM_MAX)
        return vs_fail(err, VS_E_LIMIT, "PEM text of %zu bytes", pem.n);
    VS_CLEANUP(vs_certs_free) vs_certs *c = new_list(err);
    VS_CLEANUP(vs_free_bio)
    BIO *bio = BIO_new_mem_buf(pem.n ? pem.p : (const uint8_t *)"", (int)pem.n);
    if (!c || !bio)
        return vs_fail(err, VS_E_NOMEM, "out of memory for certificates");
    for (bool more = true; more;)
        VS_TRY_WRAP(read_block(bio, c, &more, err), err, "certificate %d of the PEM text",
                    sk_X509_num(c->list));
    if (sk_X509_num(c->list) == 0)
        return vs_fail(err, VS_E_PARSE, "no certificate in the PEM text");
    *out = c;
    c = NULL;
    return VS_OK;
}

vs_code vs_certs_add(vs_certs *c, const vs_certs *more, vs_error *err)
{
    for (int i = 0; i < sk_X509_num(more->list); i++) {
        X509 *cert = sk_X509_value(more->list, i);
        if (!X509_up_ref(cert))
            return vs_ossl_fail(err, VS_E_INTERNAL, "sharing a certificate");
        VS_TRY(append(c, cert, err));
    }
    return VS_OK;
}

size_t vs_certs_count(const vs_certs *c)
{
    return (size_t)sk_X509_num(c->list);
}

vs_code vs_certs_at(const vs_certs *c, size_t i, X509 **cert, vs_error *err)
{
    if (i >= vs_certs_count(c))
        return vs_fail(err, VS_E_NOT_FOUND, "there is no certificate %zu", i);
    *cert = sk_X509_value(c->list, (int)i);
    return VS_OK;
}

vs_code vs_certs_der(const vs_certs *c, size_t i, vs_buf *der, vs_error *err)
{
    X509 *cert = NULL;
    VS_TRY(vs_certs_at(c, i, &cert, err));
    int n = i2d_X509(cert, NULL);
    if (n < 0)
        return vs_ossl_fail(err, VS_E_INTERNAL, "encoding a certificate");
    uint8_t *at = vs_buf_reserve(der, (size_t)n);
    if (!at)
        return vs_buf_check(der, err);
    return i2d_X509(cert, &at) == n ? VS_OK
                                    : vs_ossl_fail(err, VS_E_INTERNAL, "encoding a certificate");
}

vs_code vs_certs_key(const vs_certs *c, size_t i, vs_key **out, vs_error *err)
{
    X509 *cert = NULL;
    VS_TRY(vs_certs_at(c, i, &cert, err));
    uint8_t *der = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    if (n < 0)
        return vs_ossl_fail(err, VS_E_INVALID, "certificate has no usable key");
    vs_code code = vs_key_from_spki(vs_span_of(der, (size_t)n), out, err);
    OPENSSL_free(der);
    if (code != VS_OK)
        (void)vs_wrap(err, "key of certificate %zu", i);
    return code;
}

vs_code vs_certs_spki(const vs_certs *c, size_t i, vs_buf *der, vs_error *err)
{
    X509 *cert = NULL;
    VS_TRY(vs_certs_at(c, i, &cert, err));
    uint8_t *bytes = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &bytes);
    if (n < 0)
        return vs_ossl_fail(err, VS_E_INVALID, "certificate has no key that can be encoded");
    vs_buf_put(der, vs_span_of(bytes, (size_t)n));
    OPENSSL_free(bytes);
    return vs_buf_check(der, err);
}

bool vs_asn1_seconds(const ASN1_TIME *t, int64_t *out)
{
    struct tm tm;
    if (!ASN1_TIME_to_tm(t, &tm))
        return false;
    *out = vs_days_of_date(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday) * 86400 +
           tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec;
    return true;
}

vs_code vs_certs_validity(const vs_certs *c, size_t i, int64_t *from, int64_t *until, vs_error *err)
{
    X509 *cert = NULL;
    VS_TRY(vs_certs_at(c, i, &cert, err));
    if (!vs_asn1_seconds(X509_get0_notBefore(cert), from) ||
        !vs_asn1_seconds(X509_get0_notAfter(cert), until))
        return vs_ossl_fail(err, VS_E_INVALID, "certificate without readable dates");
    return VS_OK;
}

/* ---- verification --------------------------------------------------------------------------- */

static void free_store_ctx(X509_STORE_CTX **c)
{
    X509_STORE_CTX_free(*c);
}

static vs_code refused(X509_STORE_CTX *ctx, vs_error *err)
{
    int e = X509_STORE_CTX_get_error(ctx), depth = X509_STORE_CTX_get_error_depth(ctx);
    vs_code code = e == X509_V_ERR_CERT_HAS_EXPIRED || e == X509_V_ERR_CERT_NOT_YET_VALID
                       ? VS_E_EXPIRED
                   : e == X509_V_ERR_OUT_OF_MEM ? VS_E_NOMEM
                                                : VS_E_UNTRUSTED;
    ERR_clear_error();
    return vs_fail(err, code, "certificate chain: %s (at depth %d)",
                   X509_verify_cert_error_string(e), depth);
}

/* The path that was found, for *out. */
static vs_code path_of(X509_STORE_CTX *ctx, vs_certs **out, vs_error *err)
{
    vs_certs *path = calloc(1, sizeof *path);
    if (path)
        path->list = X509_STORE_CTX_get1_chain(ctx);
    if (!path || !path->list) {
        vs_certs_free(&path);
        return vs_ossl_fail(err, VS_E_NOMEM, "out of memory for a certificate path");
    }
    *out = path;
    return VS_OK;
}

static vs_code verify(const vs_certs *chain, const vs_certs *anchors, bool any_anchor, int64_t now,
                      vs_certs **path, vs_error *err)
{
    X509 *leaf = NULL;
    VS_TRY(vs_certs_at(chain, 0, &leaf, err));
    VS_CLEANUP(free_store_ctx) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    if (!ctx || !X509_STORE_CTX_init(ctx, NULL, leaf, chain->list))
        return vs_ossl_fail(err, VS_E_INTERNAL, "preparing a certificate verification");
    X509_STORE_CTX_set0_trusted_stack(ctx, anchors->list);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, (time_t)now);
    X509_VERIFY_PARAM_set_depth(param, CHAIN_DEPTH);
    X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
    if (any_anchor && !X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN))
        return vs_ossl_fail(err, VS_E_INTERNAL, "preparing a certificate verification");
    if (X509_verify_cert(ctx) != 1)
        return refused(ctx, err);
    return path ? path_of(ctx, path, err) : VS_OK;
}

vs_code vs_certs_verify(const vs_certs *chain, const vs_certs *anchors, int64_t now, vs_error *err)
{
    return verify(chain, anchors, false, now, NULL, err);
}

/* The longest way first, so that what is above an intermediate anchor and may have revoked it
 * counts as long as it is an anchor itself. */
vs_code vs_certs_verify_path(const vs_certs *chain, const vs_certs *anchors, bool any_anchor,
                             int64_t now, vs_certs **path, vs_error *err)
{
    vs_error whole = {0}, part = {0};
    vs_code code = verify(chain, anchors, false, now, path, &whole);
    if (code == VS_OK)
        return VS_OK;
    vs_code other = any_anchor ? verify(chain, anchors, true, now, path, &part) : code;
    if (other == VS_OK)
        return VS_OK;
    bool tell_part = any_anchor && code == VS_E_UNTRUSTED;
    if (err)
        *err = tell_part ? part : whole;
    return tell_part ? other : code;
}

vs_code vs_certs_issued(const vs_certs *c, size_t i, const vs_certs *by, size_t j, vs_error *err)
{
    X509 *cert = NULL, *issuer = NULL;
    VS_TRY(vs_certs_at(c, i, &cert, err));
    VS_TRY(vs_certs_at(by, j, &issuer, err));
    int reason = X509_check_issued(issuer, cert);
    if (reason != X509_V_OK)
        return vs_fail(err, VS_E_UNTRUSTED, "certificate %zu: %s", i,
                       X509_verify_cert_error_string(reason));
    if (X509_check_ca(issuer) != 1)
        return vs_fail(err, VS_E_UNTRUSTED, "the issuer of certificate %zu is no CA", i);
    if (X509_verify(cert, X509_get0_pubkey(issuer)) != 1)
        return vs_ossl_fail(err, VS_E_UNTRUSTED, "signature of a certificate does not verify");
    return VS_OK;
}

/* ---- signers --------------------------------------------------------------------------------- */

vs_code vs_certs_check_signer(const vs_certs *c, size_t i, vs_error *err)
{
    X509 *cert = NULL;
    VS_TRY(vs_certs_at(c, i, &cert, err));
    uint32_t flags = X509_get_extension_flags(cert);
    if (flags & EXFLAG_INVALID)
        return vs_fail(err, VS_E_UNTRUSTED, "certificate %zu has bad extensions", i);
    if (flags & EXFLAG_CA)
        return vs_fail(err, VS_E_UNTRUSTED, "certificate %zu is that of a CA", i);
    if (!(X509_get_key_usage(cert) & KU_DIGITAL_SIGNATURE)) /* all bits when there is none */
        return vs_fail(err, VS_E_UNTRUSTED,
                       "the key usage of certificate %zu does not have "
                       "digitalSignature",
                       i);
    return VS_OK;
}

vs_code vs_certs_subject(const vs_certs *c, size_t i, vs_buf *text, vs_error *err)
{
    X509 *cert = NULL;
    char *data = NULL;
    VS_TRY(vs_certs_at(c, i, &cert, err));
    VS_CLEANUP(vs_free_bio) BIO *bio = BIO_new(BIO_s_mem());
    /* Without ASN1_STRFLGS_ESC_MSB text stays UTF-8; control characters are escaped. */
    unsigned long form = (XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
    if (!bio || X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0, form) < 0)
        return vs_ossl_fail(err, VS_E_NOMEM, "printing the subject of a certificate");
    long n = BIO_get_mem_data(bio, &data);
    vs_buf_put(text, vs_span_of(data, n > 0 ? (size_t)n : 0));
    return vs_buf_check(text, err);
}

vs_code vs_certs_common_name(const vs_certs *c, size_t i, vs_buf *text, vs_error *err)
{
    X509 *cert = NULL;
    uint8_t *utf8 = NULL;
    VS_TRY(vs_certs_at(c, i, &cert, err));
    const X509_NAME *name = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0)
        return vs_fail(err, VS_E_INVALID, "certificate %zu has %s common name", i,
                       at < 0 ? "no" : "more than one");
    int n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (n < 0)
        return vs_ossl_fail(err, VS_E_INVALID, "common name of a certificate");
    vs_buf_put(text, vs_span_of(utf8, (size_t)n));
    OPENSSL_free(utf8);
    return vs_buf_check(text, err);
}

vs_code vs_certs_extension(const vs_certs *c, size_t i, const char *oid, vs_span *value,
                           vs_error *err)
{
    X509 *cert = NULL;
    *value = (vs_span){NULL, 0};
    VS_TRY(vs_certs_at(c, i, &cert, err));
    ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
    if (!obj)
        return vs_ossl_fail(err, VS_E_NOMEM, "object identifier of an extension");
    int at = X509_get_ext_by_OBJ(cert, obj, -1);
    int again = at < 0 ? -1 : X509_get_ext_by_OBJ(cert, obj, at);
    ASN1_OBJECT_free(obj);
    if (at < 0)
        return vs_fail(err, VS_E_NOT_FOUND, "certificate %zu has no extension %s", i, oid);
    if (again >= 0)
        return vs_fail(err, VS_E_INVALID, "certificate %zu has extension %s twice", i, oid);
    const ASN1_OCTET_STRING *data = X509_EXTENSION_get_data(X509_get_ext(cert, at));
    *value = vs_span_of(ASN1_STRING_get0_data(data), (size_t)ASN1_STRING_length(data));
    return VS_OK;
}
