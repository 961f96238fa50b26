/* SPDX-License-Identifier: Apache-2.0 */
#include "rego/x509_json.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "base/enc.h"
#include "rego/x509_extensions.h"
#include "value/number.h"

vs_val x509_base64(vs_arena *a, vs_span bytes)
{
    return vs_string(vs_b64_encode_arena(a, VS_B64_STD, bytes));
}

/* The DER of an OpenSSL object, in base64. */
#define DER(a, i2d, object)                                                                        \
    __extension__({                                                                                \
        unsigned char *der_ = NULL;                                                                \
        int n_ = i2d((object), &der_);                                                             \
        vs_val v_ = n_ > 0 ? x509_base64((a), vs_span_of(der_, (size_t)n_)) : vs_null();           \
        OPENSSL_free(der_);                                                                        \
        v_;                                                                                        \
    })

static vs_val utf8(vs_arena *a, const ASN1_STRING *s)
{
    unsigned char *text = NULL;
    int n = ASN1_STRING_to_UTF8(&text, s);
    vs_val v = n >= 0 ? vs_string_dup(a, vs_span_of(text, (size_t)n)) : vs_cstring("");
    OPENSSL_free(text);
    return v;
}

static vs_val number(vs_arena *a, const BIGNUM *bn)
{
    char *text = bn ? BN_bn2dec(bn) : NULL;
    vs_val v = text ? vs_num_parse(a, vs_str(text), NULL) : vs_null();
    OPENSSL_free(text);
    return v;
}

/* ---- names: crypto/x509/pkix.Name ---------------------------------------------------------------
 */

static const struct {
    int nid;
    const char *member;
    bool single;
} name_members[] = {
    {NID_countryName, "Country", false},
    {NID_organizationName, "Organization", false},
    {NID_organizationalUnitName, "OrganizationalUnit", false},
    {NID_localityName, "Locality", false},
    {NID_stateOrProvinceName, "Province", false},
    {NID_streetAddress, "StreetAddress", false},
    {NID_postalCode, "PostalCode", false},
    {NID_serialNumber, "SerialNumber", true},
    {NID_commonName, "CommonName", true},
};

static vs_val name_values(vs_arena *a, const X509_NAME *n, int nid, bool single)
{
    vs_vec all = {.a = a};
    vs_val last = vs_cstring("");
    for (int i = -1; (i = X509_NAME_get_index_by_NID(n, nid, i)) >= 0;) {
        last = utf8(a, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(n, i)));
        vs_vec_add(&all, last);
    }
    return single ? last : x509_list(&all);
}

static vs_val name(vs_arena *a, const X509_NAME *n)
{
    vs_obj o = {.a = a};
    vs_vec names = {.a = a};
    for (size_t i = 0; i < VS_COUNT(name_members); i++)
        vs_obj_put(&o, name_members[i].member,
                   name_values(a, n, name_members[i].nid, name_members[i].single));
    for (int i = 0; i < X509_NAME_entry_count(n); i++) {
        X509_NAME_ENTRY *e = X509_NAME_get_entry(n, i);
        vs_obj one = {.a = a};
        vs_obj_put(&one, "Type", x509_oid(a, X509_NAME_ENTRY_get_object(e)));
        vs_obj_put(&one, "Value", utf8(a, X509_NAME_ENTRY_get_data(e)));
        vs_vec_add(&names, vs_obj_end(&one, VS_DUP_LAST, NULL));
    }
    vs_obj_put(&o, "Names", x509_list(&names));
    vs_obj_put(&o, "ExtraNames", vs_null());
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

/* ---- keys --------------------------------------------------------------------------------------
 */

static vs_val param(vs_arena *a, const EVP_PKEY *key, const char *what)
{
    BIGNUM *bn = NULL;
    vs_val v = EVP_PKEY_get_bn_param(key, what, &bn) == 1 ? number(a, bn) : vs_null();
    BN_clear_free(bn);
    return v;
}

static void put_public(vs_arena *a, vs_obj *o, const EVP_PKEY *key)
{
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
        vs_obj_put(o, "N", param(a, key, OSSL_PKEY_PARAM_RSA_N));
        vs_obj_put(o, "E", param(a, key, OSSL_PKEY_PARAM_RSA_E));
    } else {
        vs_obj_put(o, "Curve", vs_empty(VS_OBJECT));
        vs_obj_put(o, "X", param(a, key, OSSL_PKEY_PARAM_EC_PUB_X));
        vs_obj_put(o, "Y", param(a, key, OSSL_PKEY_PARAM_EC_PUB_Y));
    }
}

static vs_val public_key(vs_arena *a, const EVP_PKEY *key)
{
    int kind = key ? EVP_PKEY_get_base_id(key) : 0;
    if (kind == EVP_PKEY_ED25519) {
        uint8_t raw[32];
        size_t n = sizeof raw;
        return EVP_PKEY_get_raw_public_key(key, raw, &n) == 1 ? x509_base64(a, vs_span_of(raw, n))
                                                              : vs_null();
    }
    if (kind != EVP_PKEY_RSA && kind != EVP_PKEY_EC)
        return vs_null();
    vs_obj o = {.a = a};
    put_public(a, &o, key);
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

/* crypto/x509.PublicKeyAlgorithm */
static int64_t key_algorithm(const EVP_PKEY *key)
{
    switch (key ? EVP_PKEY_get_base_id(key) : 0) {
    case EVP_PKEY_RSA: return 1;
    case EVP_PKEY_DSA: return 2;
    case EVP_PKEY_EC: return 3;
    case EVP_PKEY_ED25519: return 4;
    default: return 0;
    }
}

/* crypto/x509.SignatureAlgorithm */
static int64_t signature_algorithm(int nid)
{
    static const struct {
        int nid, value;
    } known[] = {
        {NID_md5WithRSAEncryption, 2},
        {NID_sha1WithRSAEncryption, 3},
        {NID_sha256WithRSAEncryption, 4},
        {NID_sha384WithRSAEncryption, 5},
        {NID_sha512WithRSAEncryption, 6},
        {NID_ecdsa_with_SHA1, 9},
        {NID_ecdsa_with_SHA256, 10},
        {NID_ecdsa_with_SHA384, 11},
        {NID_ecdsa_with_SHA512, 12},
        {NID_rsassaPss, 13},
        {NID_ED25519, 16},
    };
    for (size_t i = 0; i < VS_COUNT(known); i++)
        if (known[i].nid == nid)
            return known[i].value;
    return 0;
}

vs_val x509_private_key(vs_arena *a, const EVP_PKEY *key)
{
    vs_obj o = {.a = a};
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_ED25519: {
        uint8_t raw[64];
        size_t n = 32, m = 32;
        if (EVP_PKEY_get_raw_private_key(key, raw, &n) != 1 ||
            EVP_PKEY_get_raw_public_key(key, raw + 32, &m) != 1)
            return vs_undefined();
        vs_val v = x509_base64(a, vs_span_of(raw, n + m));
        OPENSSL_cleanse(raw, sizeof raw);
        return v;
    }
    case EVP_PKEY_RSA: {
        vs_vec primes = {.a = a};
        vs_obj pre = {.a = a};
        put_public(a, &o, key);
        vs_obj_put(&o, "D", param(a, key, OSSL_PKEY_PARAM_RSA_D));
        vs_vec_add(&primes, param(a, key, OSSL_PKEY_PARAM_RSA_FACTOR1));
        vs_vec_add(&primes, param(a, key, OSSL_PKEY_PARAM_RSA_FACTOR2));
        vs_obj_put(&o, "Primes", vs_vec_end_array(&primes));
        vs_obj_put(&pre, "Dp", param(a, key, OSSL_PKEY_PARAM_RSA_EXPONENT1));
        vs_obj_put(&pre, "Dq", param(a, key, OSSL_PKEY_PARAM_RSA_EXPONENT2));
        vs_obj_put(&pre, "Qinv", param(a, key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1));
        vs_obj_put(&pre, "CRTValues", vs_empty(VS_ARRAY));
        vs_obj_put(&o, "Precomputed", vs_obj_end(&pre, VS_DUP_LAST, NULL));
        return vs_obj_end(&o, VS_DUP_LAST, NULL);
    }
    case EVP_PKEY_EC:
        put_public(a, &o, key);
        vs_obj_put(&o, "D", param(a, key, OSSL_PKEY_PARAM_PRIV_KEY));
        return vs_obj_end(&o, VS_DUP_LAST, NULL);
    default: return vs_undefined();
    }
}

static void put_base64url(vs_arena *a, vs_obj *o, const char *name, vs_span bytes)
{
    vs_obj_put(o, name, vs_string(vs_b64_encode_arena(a, VS_B64_URL, bytes)));
}

/* Members with the bytes of numbers, `width` of them or as many as there are. */
static void put_numbers(vs_arena *a, vs_obj *o, const EVP_PKEY *key,
                        const char *const (*members)[2], size_t n, int width)
{
    for (size_t i = 0; i < n; i++) {
        BIGNUM *bn = NULL;
        uint8_t bytes[2048];
        int size = -1;
        if (EVP_PKEY_get_bn_param(key, members[i][1], &bn) == 1 &&
            BN_num_bytes(bn) <= (int)sizeof bytes)
            size = width ? BN_bn2binpad(bn, bytes, width) : BN_bn2bin(bn, bytes);
        if (size >= 0)
            put_base64url(a, o, members[i][0], vs_span_of(bytes, (size_t)size));
        OPENSSL_cleanse(bytes, sizeof bytes);
        BN_clear_free(bn);
    }
}

static bool put_ec(vs_arena *a, vs_obj *o, const EVP_PKEY *key)
{
    static const char *const members[][2] = {{"d", OSSL_PKEY_PARAM_PRIV_KEY},
                                             {"x", OSSL_PKEY_PARAM_EC_PUB_X},
                                             {"y", OSSL_PKEY_PARAM_EC_PUB_Y}};
    const char *crv = NULL;
    switch (EVP_PKEY_get_bits(key)) {
    case 256: crv = "P-256"; break;
    case 384: crv = "P-384"; break;
    case 521: crv = "P-521"; break;
    default: return false;
    }
    put_numbers(a, o, key, members, VS_COUNT(members), (EVP_PKEY_get_bits(key) + 7) / 8);
    vs_obj_put(o, "crv", vs_cstring(crv));
    vs_obj_put(o, "kty", vs_cstring("EC"));
    return true;
}

static bool put_ed25519(vs_arena *a, vs_obj *o, const EVP_PKEY *key)
{
    uint8_t d[32], x[32];
    size_t n = sizeof d, m = sizeof x;
    bool ok = EVP_PKEY_get_raw_private_key(key, d, &n) == 1 &&
              EVP_PKEY_get_raw_public_key(key, x, &m) == 1;
    if (ok) {
        put_base64url(a, o, "d", vs_span_of(d, n));
        put_base64url(a, o, "x", vs_span_of(x, m));
    }
    OPENSSL_cleanse(d, sizeof d);
    vs_obj_put(o, "crv", vs_cstring("Ed25519"));
    vs_obj_put(o, "kty", vs_cstring("OKP"));
    return ok;
}

static bool put_rsa(vs_arena *a, vs_obj *o, const EVP_PKEY *key)
{
    static const char *const members[][2] = {
        {"d", OSSL_PKEY_PARAM_RSA_D},          {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
        {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, {"e", OSSL_PKEY_PARAM_RSA_E},
        {"n", OSSL_PKEY_PARAM_RSA_N},          {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
        {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},    {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
    };
    put_numbers(a, o, key, members, VS_COUNT(members), 0);
    vs_obj_put(o, "kty", vs_cstring("RSA"));
    return true;
}

vs_val x509_private_jwk(vs_arena *a, const EVP_PKEY *key)
{
    vs_obj o = {.a = a};
    bool ok = false;
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA: ok = put_rsa(a, &o, key); break;
    case EVP_PKEY_EC: ok = put_ec(a, &o, key); break;
    case EVP_PKEY_ED25519: ok = put_ed25519(a, &o, key); break;
    default: break;
    }
    return ok ? vs_obj_end(&o, VS_DUP_LAST, NULL) : vs_undefined();
}

/* ---- certificates ------------------------------------------------------------------------------
 */

/* RFC 3339 in UTC, as time.Time marshals. */
static vs_val date(vs_arena *a, const ASN1_TIME *t)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(t, &tm) != 1)
        return vs_null();
    return vs_cstring(vs_sprintf(a, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
                                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec));
}

/* The first bit of the extension is bit 0 in Go; OpenSSL has the bits of its first byte reversed.
 */
static int64_t key_usage(X509 *cert)
{
    uint32_t have = X509_get_key_usage(cert);
    int64_t usage = 0;
    static const uint32_t bits[] = {KU_DIGITAL_SIGNATURE, KU_NON_REPUDIATION, KU_KEY_ENCIPHERMENT,
                                    KU_DATA_ENCIPHERMENT, KU_KEY_AGREEMENT,   KU_KEY_CERT_SIGN,
                                    KU_CRL_SIGN,          KU_ENCIPHER_ONLY,   KU_DECIPHER_ONLY};
    for (unsigned i = 0; have != UINT32_MAX && i < VS_COUNT(bits); i++)
        if (have & bits[i])
            usage |= (int64_t)1 << i;
    return usage;
}

static void put_constraints(vs_obj *o, X509 *cert)
{
    BASIC_CONSTRAINTS *bc = X509_get_ext_d2i(cert, NID_basic_constraints, NULL, NULL);
    int64_t depth = bc && bc->pathlen ? ASN1_INTEGER_get(bc->pathlen) : bc ? -1 : 0;
    vs_obj_put(o, "BasicConstraintsValid", vs_bool(bc != NULL));
    vs_obj_put(o, "IsCA", vs_bool(bc && bc->ca));
    vs_obj_put(o, "MaxPathLen", vs_int(depth));
    vs_obj_put(o, "MaxPathLenZero", vs_bool(bc && bc->pathlen && depth == 0));
    BASIC_CONSTRAINTS_free(bc);
}

static vs_val octets_or_null(vs_arena *a, const ASN1_OCTET_STRING *s)
{
    return s ? x509_base64(a, x509_octets(s)) : vs_null();
}

vs_val x509_certificate(vs_arena *a, X509 *cert, bool with_uris)
{
    vs_obj o = {.a = a};
    const ASN1_BIT_STRING *sig;
    EVP_PKEY *key = X509_get0_pubkey(cert);
    BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
    X509_get0_signature(&sig, NULL, cert);
    vs_obj_put(&o, "Raw", DER(a, i2d_X509, cert));
    vs_obj_put(&o, "RawTBSCertificate", DER(a, i2d_re_X509_tbs, cert));
    vs_obj_put(&o, "RawSubjectPublicKeyInfo", DER(a, i2d_X509_PUBKEY, X509_get_X509_PUBKEY(cert)));
    vs_obj_put(&o, "RawSubject", DER(a, i2d_X509_NAME, X509_get_subject_name(cert)));
    vs_obj_put(&o, "RawIssuer", DER(a, i2d_X509_NAME, X509_get_issuer_name(cert)));
    vs_obj_put(&o, "Signature", x509_base64(a, x509_octets(sig)));
    vs_obj_put(&o, "SignatureAlgorithm", vs_int(signature_algorithm(X509_get_signature_nid(cert))));
    vs_obj_put(&o, "PublicKeyAlgorithm", vs_int(key_algorithm(key)));
    vs_obj_put(&o, "PublicKey", public_key(a, key));
    vs_obj_put(&o, "Version", vs_int(X509_get_version(cert) + 1));
    vs_obj_put(&o, "SerialNumber", number(a, serial));
    vs_obj_put(&o, "Issuer", name(a, X509_get_issuer_name(cert)));
    vs_obj_put(&o, "Subject", name(a, X509_get_subject_name(cert)));
    vs_obj_put(&o, "NotBefore", date(a, X509_get0_notBefore(cert)));
    vs_obj_put(&o, "NotAfter", date(a, X509_get0_notAfter(cert)));
    vs_obj_put(&o, "KeyUsage", vs_int(key_usage(cert)));
    vs_obj_put(&o, "SubjectKeyId", octets_or_null(a, X509_get0_subject_key_id(cert)));
    vs_obj_put(&o, "AuthorityKeyId", octets_or_null(a, X509_get0_authority_key_id(cert)));
    put_constraints(&o, cert);
    x509_put_extensions(a, &o, cert);
    if (with_uris)
        vs_obj_put(&o, "URIStrings", x509_uri_strings(a, cert));
    vs_obj_put(&o, "ExtraExtensions", vs_null());
    BN_free(serial);
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

/* The request for extensions once more, as Go reads it: pairs of a type and the next value, which
 * is true for a critical one. */
static vs_val attributes(vs_arena *a, const STACK_OF(X509_EXTENSION) * list)
{
    vs_vec pairs = {.a = a}, values = {.a = a}, all = {.a = a};
    vs_obj o = {.a = a};
    for (int i = 0; list && i < sk_X509_EXTENSION_num(list); i++) {
        X509_EXTENSION *x = sk_X509_EXTENSION_value(list, i);
        vs_obj pair = {.a = a};
        vs_obj_put(&pair, "Type", x509_oid(a, X509_EXTENSION_get_object(x)));
        vs_obj_put(&pair, "Value",
                   X509_EXTENSION_get_critical(x) > 0
                       ? vs_bool(true)
                       : x509_base64(a, x509_octets(X509_EXTENSION_get_data(x))));
        vs_vec_add(&pairs, vs_obj_end(&pair, VS_DUP_LAST, NULL));
    }
    if (pairs.n == 0)
        return vs_null();
    vs_vec_add(&values, vs_vec_end_array(&pairs));
    vs_obj_put(&o, "Type", x509_oid(a, OBJ_nid2obj(NID_ext_req)));
    vs_obj_put(&o, "Value", vs_vec_end_array(&values));
    vs_vec_add(&all, vs_obj_end(&o, VS_DUP_LAST, NULL));
    return vs_vec_end_array(&all);
}

vs_val x509_request(vs_arena *a, X509_REQ *req)
{
    vs_obj o = {.a = a};
    const ASN1_BIT_STRING *sig;
    EVP_PKEY *key = X509_REQ_get0_pubkey(req);
    STACK_OF(X509_EXTENSION) *list = X509_REQ_get_extensions(req);
    GENERAL_NAMES *names = X509V3_get_d2i(list, NID_subject_alt_name, NULL, NULL);
    X509_REQ_get0_signature(req, &sig, NULL);
    vs_obj_put(&o, "Raw", DER(a, i2d_X509_REQ, req));
    vs_obj_put(&o, "RawTBSCertificateRequest", DER(a, i2d_re_X509_REQ_tbs, req));
    vs_obj_put(&o, "RawSubjectPublicKeyInfo",
               DER(a, i2d_X509_PUBKEY, X509_REQ_get_X509_PUBKEY(req)));
    vs_obj_put(&o, "RawSubject", DER(a, i2d_X509_NAME, X509_REQ_get_subject_name(req)));
    vs_obj_put(&o, "Version", vs_int(X509_REQ_get_version(req)));
    vs_obj_put(&o, "Signature", x509_base64(a, x509_octets(sig)));
    vs_obj_put(&o, "SignatureAlgorithm",
               vs_int(signature_algorithm(X509_REQ_get_signature_nid(req))));
    vs_obj_put(&o, "PublicKeyAlgorithm", vs_int(key_algorithm(key)));
    vs_obj_put(&o, "PublicKey", public_key(a, key));
    vs_obj_put(&o, "Subject", name(a, X509_REQ_get_subject_name(req)));
    vs_obj_put(&o, "Attributes", attributes(a, list));
    vs_obj_put(&o, "Extensions", x509_extensions(a, list));
    vs_obj_put(&o, "ExtraExtensions", vs_null());
    x509_put_alternative_names(a, &o, names);
    GENERAL_NAMES_free(names);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}
