/* SPDX-License-Identifier: Apache-2.0 */
/* crypto.x509.* and crypto.parse_private_keys (rego.md 10.9). */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "rego/builtins.h"
#include "rego/x509_json.h"

enum { INPUT_MAX = 1 << 20, CERTS_MAX = 64, PARSE_COST = 200, VERIFY_COST = 20000 };

typedef struct certs {
    X509 *at[CERTS_MAX];
    int n;
} certs;

static void certs_free(certs *c)
{
    for (int i = 0; i < c->n; i++)
        X509_free(c->at[i]);
    c->n = 0;
}

/* ---- reading: PEM, or base64 of PEM or DER ------------------------------------------------------
 */

static bool is_pem(vs_span s)
{
    return vs_span_starts(s, VS_LIT("-----BEGIN"));
}

/* The bytes behind a string argument; *pem tells which they are. */
static rego_bres read_bytes(rego_bctx *b, const vs_val *args, unsigned i, vs_span *bytes, bool *pem)
{
    *bytes = vs_span_of(NULL, 0);
    *pem = false;
    REGO_WANT(i, VS_STRING);
    vs_span s = vs_text(args[i]);
    vs_val decoded;
    if (s.n > INPUT_MAX || !rego_charge(b, PARSE_COST + s.n / 4))
        return REGO_B_LIMIT;
    *bytes = s;
    if (!is_pem(s)) {
        rego_bres res = rego_bi_base64_decode(b, &args[i], 1, &decoded);
        if (res == REGO_B_ERROR)
            return rego_error(b, "illegal base64 data");
        if (res != REGO_B_OK)
            return res;
        *bytes = vs_text(decoded);
    }
    *pem = is_pem(*bytes);
    return REGO_B_OK;
}

static bool add(certs *c, X509 *cert)
{
    if (!cert || c->n == CERTS_MAX) {
        X509_free(cert);
        return false;
    }
    c->at[c->n++] = cert;
    return true;
}

static rego_bres parse_pem_certs(rego_bctx *b, vs_span s, certs *out)
{
    BIO *bio = BIO_new_mem_buf(s.p, (int)s.n);
    rego_bres res = bio ? REGO_B_OK : REGO_B_LIMIT;
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    long n;
    while (res == REGO_B_OK && PEM_read_bio(bio, &name, &header, &der, &n) == 1) {
        const unsigned char *at = der;
        if (strcmp(name, "CERTIFICATE") != 0)
            res = rego_error(b, "PEM block type is '%.60s', expected CERTIFICATE", name);
        else if (!add(out, d2i_X509(NULL, &at, n)))
            res = rego_error(b, "x509: malformed certificate");
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(der);
    }
    BIO_free(bio);
    ERR_clear_error();
    return res == REGO_B_OK && out->n == 0 ? rego_error(b, "x509: malformed certificate") : res;
}

static bool parse_der_certs(vs_span s, certs *out)
{
    const unsigned char *at = s.p, *end = s.p + s.n;
    while (at < end)
        if (!add(out, d2i_X509(NULL, &at, end - at)))
            return false;
    return true;
}

static rego_bres read_certs(rego_bctx *b, const vs_val *args, certs *out)
{
    vs_span bytes;
    bool pem;
    out->n = 0;
    rego_bres res = read_bytes(b, args, 0, &bytes, &pem);
    if (res != REGO_B_OK)
        return res;
    if (pem)
        res = parse_pem_certs(b, bytes, out);
    else if (!parse_der_certs(bytes, out))
        res = rego_error(b, "x509: malformed certificate");
    if (res != REGO_B_OK)
        certs_free(out);
    ERR_clear_error();
    return res;
}

static vs_val list_of(rego_bctx *b, X509 *const *at, int n)
{
    vs_vec all = {.a = b->a};
    for (int i = 0; i < n; i++)
        vs_vec_add(&all, x509_certificate(b->a, at[i], true));
    return vs_vec_end_array(&all);
}

rego_bres rego_bi_x509_parse_certificates(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    certs c;
    rego_bres res = read_certs(b, args, &c);
    if (res != REGO_B_OK)
        return res;
    *out = list_of(b, c.at, c.n);
    certs_free(&c);
    return REGO_B_OK;
}

rego_bres rego_bi_x509_parse_request(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    vs_span bytes;
    bool pem;
    rego_bres res = read_bytes(b, args, 0, &bytes, &pem);
    if (res != REGO_B_OK)
        return res;
    BIO *bio = BIO_new_mem_buf(bytes.p, (int)bytes.n);
    X509_REQ *req =
        pem ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : d2i_X509_REQ_bio(bio, NULL);
    BIO_free(bio);
    ERR_clear_error();
    if (!req)
        return rego_error(b, "asn1: structure error: not a certificate request");
    *out = x509_request(b->a, req);
    X509_REQ_free(req);
    return REGO_B_OK;
}

/* ---- chains: the first certificate is the root, the last the leaf
 * --------------------------------
 */

typedef struct options {
    vs_val dns, now, usages;
} options;

/* crypto/x509.ExtKeyUsage, in its order. */
static const struct {
    const char *name;
    int nid;
} usages[] = {
    {"KeyUsageAny", NID_anyExtendedKeyUsage},
    {"KeyUsageServerAuth", NID_server_auth},
    {"KeyUsageClientAuth", NID_client_auth},
    {"KeyUsageCodeSigning", NID_code_sign},
    {"KeyUsageEmailProtection", NID_email_protect},
    {"KeyUsageIPSECEndSystem", NID_ipsecEndSystem},
    {"KeyUsageIPSECTunnel", NID_ipsecTunnel},
    {"KeyUsageIPSECUser", NID_ipsecUser},
    {"KeyUsageTimeStamping", NID_time_stamp},
    {"KeyUsageOCSPSigning", NID_OCSP_sign},
    {"KeyUsageMicrosoftServerGatedCrypto", NID_ms_sgc},
    {"KeyUsageNetscapeServerGatedCrypto", NID_ns_sgc},
    {"KeyUsageMicrosoftCommercialCodeSigning", NID_ms_code_com},
    {"KeyUsageMicrosoftKernelCodeSigning", NID_undef}, /* OpenSSL has no name for it */
};

static bool find_usage(vs_span name, int *nid)
{
    for (size_t i = 0; i < VS_COUNT(usages); i++)
        if (vs_span_is(name, usages[i].name)) {
            *nid = usages[i].nid;
            return true;
        }
    return false;
}

/* A certificate that lists no usages allows them all. */
static bool allows(X509 *cert, int nid)
{
    EXTENDED_KEY_USAGE *list = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
    bool yes = list == NULL;
    for (int i = 0; list && i < sk_ASN1_OBJECT_num(list); i++) {
        int have = OBJ_obj2nid(sk_ASN1_OBJECT_value(list, i));
        yes |= have == NID_anyExtendedKeyUsage || (have == nid && nid != NID_undef);
    }
    EXTENDED_KEY_USAGE_free(list);
    return yes;
}

static bool all_allow(STACK_OF(X509) * chain, int nid)
{
    for (int i = 0; i < sk_X509_num(chain); i++)
        if (!allows(sk_X509_value(chain, i), nid))
            return false;
    return true;
}

/* One of the wanted usages must be allowed all the way; none wanted means ServerAuth, as in Go. */
static bool usage_is_allowed(STACK_OF(X509) * chain, vs_val wanted)
{
    if (wanted.len == 0)
        return all_allow(chain, NID_server_auth);
    for (VS_ARR_FOR (u, wanted)) {
        int nid;
        if (find_usage(vs_text(*u), &nid) &&
            (nid == NID_anyExtendedKeyUsage || all_allow(chain, nid)))
            return true;
    }
    return false;
}

/* A name is looked for among the alternative names only, never in the subject. */
static bool want_name(X509_VERIFY_PARAM *p, vs_val dns)
{
    vs_span s = vs_text(dns);
    if (s.n == 0)
        return true;
    if (memchr(s.p, 0, s.n))
        return false;
    if (s.p[s.n - 1] == '.')
        s.n--;
    char *text = strndup((const char *)s.p, s.n);
    ASN1_OCTET_STRING *ip = text ? a2i_IPADDRESS(text) : NULL;
    X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                                           X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    bool ok = text && (ip ? X509_VERIFY_PARAM_set1_ip_asc(p, text)
                          : X509_VERIFY_PARAM_set1_host(p, text, s.n)) == 1;
    ASN1_OCTET_STRING_free(ip);
    free(text);
    return ok;
}

static bool verify(const rego_bctx *b, const certs *c, const options *o, STACK_OF(X509) * *chain)
{
    X509_STORE *roots = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *between = sk_X509_new_null();
    int64_t now_ns = vs_is_int(o->now) ? o->now.u.i : b->now_ns;
    bool ok = roots && ctx && between && X509_STORE_add_cert(roots, c->at[0]) == 1;
    for (int i = 1; ok && i + 1 < c->n; i++)
        ok = sk_X509_push(between, c->at[i]) > 0;
    ok = ok && X509_STORE_CTX_init(ctx, roots, c->at[c->n - 1], between) == 1;
    if (ok) {
        X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);
        /* like Go: what is given as a root is trusted, whoever issued it */
        (void)X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_PARTIAL_CHAIN);
        X509_VERIFY_PARAM_set_time(p, (time_t)(now_ns / 1000000000));
        (void)X509_VERIFY_PARAM_set_purpose(p, X509_PURPOSE_ANY);
        ok = want_name(p, o->dns) && X509_verify_cert(ctx) == 1;
    }
    *chain = ok ? X509_STORE_CTX_get1_chain(ctx) : NULL;
    if (*chain && !usage_is_allowed(*chain, o->usages)) {
        sk_X509_pop_free(*chain, X509_free);
        *chain = NULL;
    }
    sk_X509_free(between);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(roots);
    ERR_clear_error();
    return *chain != NULL;
}

static vs_val verdict(rego_bctx *b, STACK_OF(X509) * chain, bool with_uris)
{
    vs_vec pair = {.a = b->a}, all = {.a = b->a};
    for (int i = 0; chain && i < sk_X509_num(chain); i++)
        vs_vec_add(&all, x509_certificate(b->a, sk_X509_value(chain, i), with_uris));
    vs_vec_add(&pair, vs_bool(chain != NULL));
    vs_vec_add(&pair, vs_vec_end_array(&all));
    return vs_vec_end_array(&pair);
}

/* A chain that cannot be read is a chain that is not valid. */
static rego_bres parse_and_verify(rego_bctx *b, const vs_val *args, const options *o,
                                  bool with_uris, vs_val *out)
{
    certs c;
    STACK_OF(X509) *chain = NULL;
    rego_bres res = read_certs(b, args, &c);
    if (res == REGO_B_LIMIT || res == REGO_B_TYPE)
        return res;
    if (res == REGO_B_OK && !rego_charge(b, (uint64_t)c.n * VERIFY_COST))
        res = REGO_B_LIMIT;
    else
        res = REGO_B_OK;
    if (res == REGO_B_OK && c.n >= 2)
        (void)verify(b, &c, o, &chain);
    *out = verdict(b, chain, with_uris);
    sk_X509_pop_free(chain, X509_free);
    certs_free(&c);
    return res;
}

rego_bres rego_bi_x509_parse_and_verify(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    static const options none;
    return parse_and_verify(b, args, &none, true, out);
}

rego_bres rego_bi_x509_verify_with_options(rego_bctx *b, const vs_val *args, unsigned n,
                                           vs_val *out)
{
    (void)n;
    options o = {0};
    REGO_WANT(1, VS_OBJECT);
    for (VS_OBJ_FOR (p, args[1])) {
        vs_span key = vs_text(p->key);
        bool dns = vs_span_is(key, "DNSName"), now = vs_span_is(key, "CurrentTime"),
             is_usages = vs_span_is(key, "KeyUsages"),
             most = vs_span_is(key, "MaxConstraintComparisons");
        if (!dns && !now && !is_usages && !most)
            return rego_error(b, "invalid key option");
        const char *wanted =
            dns ? p->val.kind == VS_STRING ? NULL : "a string"
            : is_usages
                ? p->val.kind == VS_ARRAY || p->val.kind == VS_SET ? NULL : "an Array or Set"
            : vs_is_int(p->val) ? NULL
                                : "a number";
        if (wanted)
            return rego_error(b, "'%.*s' should be %s", VS_FMT(key), wanted);
        if (dns)
            o.dns = p->val;
        else if (now)
            o.now = p->val;
        else if (is_usages)
            o.usages = p->val;
    }
    int nid;
    for (VS_ARR_FOR (u, o.usages))
        if (!find_usage(vs_text(*u), &nid))
            return rego_error(b, "invalid entries for 'KeyUsages' found: [%.*s]",
                              VS_FMT(vs_span_head(vs_text(*u), 80)));
    return parse_and_verify(b, args, &o, false, out);
}

/* ---- private keys ------------------------------------------------------------------------------
 */

static int no_password(char *buf, int size, int rwflag, void *user)
{
    (void)buf, (void)size, (void)rwflag, (void)user;
    return -1; /* never ask on a terminal */
}

static EVP_PKEY *next_key(BIO *bio)
{
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    ERR_clear_error();
    return key;
}

static bool has_pem(vs_span s)
{
    return s.n && memmem(s.p, s.n, "-----BEGIN ", 11);
}

/* PEM somewhere in the text, or in what its base64 says; NULL with *out == NULL when there is
 * none. */
static rego_bres open_keys(rego_bctx *b, vs_val arg, bool strict, BIO **out)
{
    vs_span text = vs_text(arg);
    *out = NULL;
    if (text.n > INPUT_MAX || !rego_charge(b, PARSE_COST + text.n / 4))
        return REGO_B_LIMIT;
    if (strict ? !is_pem(text) : !has_pem(text)) {
        rego_bres res = rego_bi_base64_decode(b, &arg, 1, &arg);
        if (res != REGO_B_OK)
            return strict || res == REGO_B_LIMIT ? res : REGO_B_OK;
        text = vs_text(arg);
        if (!has_pem(text))
            return REGO_B_OK;
    }
    *out = BIO_new_mem_buf(text.p, (int)text.n);
    return *out ? REGO_B_OK : REGO_B_LIMIT;
}

rego_bres rego_bi_parse_private_keys(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    BIO *bio;
    vs_vec all = {.a = b->a};
    REGO_WANT(0, VS_STRING);
    *out = vs_null();
    if (args[0].len == 0)
        return REGO_B_OK;
    rego_bres res = open_keys(b, args[0], false, &bio);
    if (res != REGO_B_OK)
        return res;
    for (EVP_PKEY *key; bio && all.n < CERTS_MAX && (key = next_key(bio)) != NULL;) {
        vs_val v = x509_private_key(b->a, key);
        if (vs_defined(v))
            vs_vec_add(&all, v);
        EVP_PKEY_free(key);
    }
    BIO_free(bio);
    *out = vs_vec_end_array(&all);
    return REGO_B_OK;
}

/* In spite of its name it takes keys of every kind; null when there is none. */
rego_bres rego_bi_x509_parse_rsa_key(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    BIO *bio;
    REGO_WANT(0, VS_STRING);
    if (args[0].len == 0)
        return rego_error(b, "input PEM data was empty");
    rego_bres res = open_keys(b, args[0], true, &bio);
    if (res != REGO_B_OK)
        return res;
    EVP_PKEY *key = bio ? next_key(bio) : NULL;
    *out = key ? x509_private_jwk(b->a, key) : vs_undefined();
    if (!vs_defined(*out))
        *out = vs_null();
    EVP_PKEY_free(key);
    BIO_free(bio);
    return REGO_B_OK;
}

static rego_bres read_key(rego_bctx *b, const vs_val *args, EVP_PKEY **key)
{
    vs_span bytes;
    bool pem;
    rego_bres res = read_bytes(b, args, 1, &bytes, &pem);
    if (res != REGO_B_OK)
        return res;
    if (pem) {
        BIO *bio = BIO_new_mem_buf(bytes.p, (int)bytes.n);
        *key = bio ? next_key(bio) : NULL;
        BIO_free(bio);
    } else {
        const unsigned char *at = bytes.p;
        *key = bytes.n ? d2i_AutoPrivateKey(NULL, &at, (long)bytes.n) : NULL;
    }
    ERR_clear_error();
    return *key ? REGO_B_OK : rego_error(b, "tls: failed to parse private key");
}

static vs_val keypair(rego_bctx *b, const certs *c, const EVP_PKEY *key)
{
    vs_obj o = {.a = b->a};
    vs_vec ders = {.a = b->a};
    vs_val leaf = x509_certificate(b->a, c->at[0], false);
    for (int i = 0; i < c->n; i++)
        vs_vec_add(&ders, vs_getc(i ? x509_certificate(b->a, c->at[i], false) : leaf, "Raw"));
    vs_obj_put(&o, "Certificate", vs_vec_end_array(&ders));
    vs_obj_put(&o, "PrivateKey", x509_private_key(b->a, key));
    vs_obj_put(&o, "Leaf", leaf);
    vs_obj_put(&o, "OCSPStaple", vs_null());
    vs_obj_put(&o, "SignedCertificateTimestamps", vs_null());
    vs_obj_put(&o, "SupportedSignatureAlgorithms", vs_null());
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

/* crypto/tls.Certificate: the chain as DER, and the key that must belong to the first of it. */
rego_bres rego_bi_x509_parse_keypair(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    certs c = {.n = 0};
    EVP_PKEY *key = NULL;
    REGO_WANT(0, VS_STRING);
    REGO_WANT(1, VS_STRING);
    rego_bres res = read_certs(b, args, &c);
    if (res == REGO_B_OK && c.n == 0)
        res = rego_error(b, "tls: failed to find any PEM data in certificate input");
    if (res == REGO_B_OK)
        res = read_key(b, args, &key);
    if (res == REGO_B_OK) {
        EVP_PKEY *public = X509_get0_pubkey(c.at[0]);
        if (!public || EVP_PKEY_get_base_id(public) != EVP_PKEY_get_base_id(key))
            res = rego_error(b, "tls: private key type does not match public key type");
        else if (EVP_PKEY_eq(public, key) != 1)
            res = rego_error(b, "tls: private key does not match public key");
        else
            *out = keypair(b, &c, key);
    }
    ERR_clear_error();
    EVP_PKEY_free(key);
    certs_free(&c);
    return res;
}
