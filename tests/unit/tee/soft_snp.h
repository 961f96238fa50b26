/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An SNP platform made of software: a root (ARK), its two intermediates (ASK, ASVK) and chips'
 * certificates with AMD's extensions, all with throw-away keys; reports signed by them; evidence as
 * guests send it. Everything may be made wrong.
 */
#ifndef VS_TEST_SOFT_SNP_H
#define VS_TEST_SOFT_SNP_H

#include "testing.h"

#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "tee/snp/trust.h"
#include "tee/tee.h"
#include "value/json.h"

/* The time of the tests, and the validity of certificates around it. */
enum { SOFT_NOW = 1800000000, SOFT_YEAR = 31536000 };

typedef struct soft_vek { /* what a chip's certificate says */
    const char *cn, *product, *csp_id;
    const char *spl[10]; /* DER of INTEGERs by number, NULL = not there */
    uint8_t hwid[64];
    size_t hwid_n;
    bool hwid_wrapped; /* in an OCTET STRING */
    int64_t start, end;
    const char *curve;
} soft_vek;

typedef struct soft_snp {
    EVP_PKEY *ark_key, *ask_key, *asvk_key, *vek_key;
    X509 *ark, *ask, *asvk, *vek;
    soft_vek spec;
    uint8_t report[SNP_REPORT_SIZE];
} soft_snp;

/* ---- certificates ---------------------------------------------------------------------------- */

static inline void soft_sign_pss(X509 *cert, EVP_PKEY *key)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pkey = NULL;
    assert_true(EVP_DigestSignInit(md, &pkey, EVP_sha384(), NULL, key) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(pkey, RSA_PKCS1_PSS_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey, 48) == 1 && X509_sign_ctx(cert, md) > 0);
    EVP_MD_CTX_free(md);
}

/* `issuer` NULL = self-signed. Not signed yet. */
static inline X509 *soft_certificate(const char *cn, EVP_PKEY *key, const X509 *issuer,
                                     int64_t start, int64_t end)
{
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 0); /* as AMD's */
    ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)start);
    ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)end);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)cn, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer : cert));
    X509_set_pubkey(cert, key);
    return cert;
}

static inline X509 *soft_ca(const char *cn, EVP_PKEY *key, const X509 *issuer, EVP_PKEY *by)
{
    X509 *cert = soft_certificate(cn, key, issuer, SOFT_NOW - SOFT_YEAR, SOFT_NOW + SOFT_YEAR);
    X509_EXTENSION *ext =
        X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
    X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
    soft_sign_pss(cert, by);
    return cert;
}

static inline void soft_extension(X509 *cert, const char *oid, const void *value, size_t n)
{
    ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(data, value, (int)n);
    X509_EXTENSION *ext = X509_EXTENSION_create_by_OBJ(NULL, obj, 0, data);
    assert_non_null(ext);
    X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(data);
    ASN1_OBJECT_free(obj);
}

/* An element with a one-byte length. */
static inline void soft_element(X509 *cert, const char *oid, uint8_t tag, const void *value,
                                size_t n)
{
    uint8_t der[130] = {tag, (uint8_t)n};
    assert_true(n < 128);
    memcpy(der + 2, value, n);
    soft_extension(cert, oid, der, n + 2);
}

/* DER of a security patch level. */
static inline const char *soft_spl(unsigned v)
{
    static char der[256][5];
    if (v < 128)
        memcpy(der[v], (char[]){2, 1, (char)v}, 3);
    else
        memcpy(der[v], (char[]){2, 2, 0, (char)v}, 4);
    return der[v];
}

/* The certificate that the spec tells of, for the chip's key, from ASK or (CN SEV-VLEK) ASVK. */
static inline void soft_issue(soft_snp *s)
{
    const soft_vek *v = &s->spec;
    bool vlek = strcmp(v->cn, "SEV-VLEK") == 0;
    EVP_PKEY_free(s->vek_key);
    X509_free(s->vek);
    s->vek_key = EVP_EC_gen(v->curve);
    s->vek = soft_certificate(v->cn, s->vek_key, vlek ? s->asvk : s->ask, v->start, v->end);
    soft_extension(s->vek, "1.3.6.1.4.1.3704.1.1", "\2\1\0", 3);
    soft_element(s->vek, "1.3.6.1.4.1.3704.1.2", 0x16, v->product, strlen(v->product));
    for (unsigned i = 1; i < 10; i++) {
        char oid[40];
        (void)snprintf(oid, sizeof oid, "1.3.6.1.4.1.3704.1.3.%u", i);
        if (v->spl[i])
            soft_extension(s->vek, oid, v->spl[i], 2 + (size_t)v->spl[i][1]);
    }
    if (v->hwid_n && v->hwid_wrapped)
        soft_element(s->vek, "1.3.6.1.4.1.3704.1.4", 0x04, v->hwid, v->hwid_n);
    else if (v->hwid_n)
        soft_extension(s->vek, "1.3.6.1.4.1.3704.1.4", v->hwid, v->hwid_n);
    if (v->csp_id)
        soft_element(s->vek, "1.3.6.1.4.1.3704.1.5", 0x16, v->csp_id, strlen(v->csp_id));
    soft_sign_pss(s->vek, vlek ? s->asvk_key : s->ask_key);
}

/* ---- reports --------------------------------------------------------------------------------- */

static inline void soft_put(soft_snp *s, size_t at, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        s->report[at + i] = (uint8_t)(v >> 8 * i);
}

/* Signs what is in s->report with the chip's key. */
static inline void soft_sign_report(soft_snp *s)
{
    uint8_t md[48];
    assert_true(EVP_Digest(s->report, SNP_SIGNED_SIZE, md, NULL, EVP_sha384(), NULL));
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(s->vek_key, NULL);
    uint8_t der[256];
    const uint8_t *p = der;
    size_t n = sizeof der;
    assert_true(EVP_PKEY_sign_init(ctx) == 1 && EVP_PKEY_sign(ctx, der, &n, md, sizeof md) == 1);
    EVP_PKEY_CTX_free(ctx);
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
    memset(s->report + SNP_SIGNED_SIZE, 0, 144);
    BN_bn2lebinpad(ECDSA_SIG_get0_r(sig), s->report + SNP_SIGNED_SIZE, 72);
    BN_bn2lebinpad(ECDSA_SIG_get0_s(sig), s->report + SNP_SIGNED_SIZE + 72, 72);
    ECDSA_SIG_free(sig);
}

/* Boot loader 4, TEE 1, SNP 200, microcode 219, in the layout of the generation. */
static inline void soft_put_tcb(soft_snp *s, size_t at, snp_generation g)
{
    static const uint8_t before[8] = {4, 1, 0, 0, 0, 0, 200, 219};
    static const uint8_t turin[8] = {7, 4, 1, 200, 0, 0, 0, 219};
    memcpy(s->report + at, g == SNP_TURIN ? turin : before, 8);
}

/* A whole report and the certificate that fits it; neither is signed yet. */
static inline void soft_fill(soft_snp *s, snp_generation g, snp_signer signer)
{
    static const uint8_t family[] = {0x19, 0x19, 0x1a}, model[] = {0x01, 0x11, 0x02};
    static const char *const product[] = {"Milan-B0", "Genoa", "Turin-C1"};
    bool vlek = signer == SNP_BY_VLEK;
    memset(s->report, 0, sizeof s->report);
    soft_put(s, 0x000, 3, 4);
    soft_put(s, 0x008, 0x3001f, 8); /* ABI 0.31, SMT */
    soft_put(s, 0x034, 1, 4);
    soft_put(s, 0x040, 1, 8);
    soft_put(s, 0x048, (uint64_t)signer << 2, 4);
    for (unsigned i = 0; i < 64; i++)
        s->report[0x50 + i] = i < 48 ? (uint8_t)(i + 1) : 0; /* report data */
    memset(s->report + 0x90, 0xab, 48);                      /* measurement */
    memset(s->report + 0xc0, 0xcd, 32);                      /* host data */
    static const size_t tcbs[] = {0x038, 0x180, 0x1e0, 0x1f0};
    for (unsigned i = 0; i < 4; i++)
        soft_put_tcb(s, tcbs[i], g);
    s->report[0x188] = family[g];
    s->report[0x189] = model[g];
    size_t id = g == SNP_TURIN ? 8 : 64;
    for (unsigned i = 0; !vlek && i < id; i++)
        s->report[0x1a0 + i] = (uint8_t)(0x80 + i);
    s->spec = (soft_vek){.cn = vlek ? "SEV-VLEK" : "SEV-VCEK",
                         .product = vlek ? snp_generation_name(g) : product[g],
                         .csp_id = vlek ? "CN=cloud.example" : NULL,
                         .spl = {NULL, soft_spl(4), soft_spl(1), soft_spl(200), soft_spl(0),
                                 soft_spl(0), soft_spl(0), soft_spl(0), soft_spl(219),
                                 g == SNP_TURIN ? soft_spl(7) : NULL},
                         .hwid_n = vlek ? 0 : id,
                         .start = SOFT_NOW - SOFT_YEAR,
                         .end = SOFT_NOW + SOFT_YEAR,
                         .curve = "P-384"};
    memcpy(s->spec.hwid, s->report + 0x1a0, id);
}

static inline void soft_finish(soft_snp *s)
{
    soft_issue(s);
    soft_sign_report(s);
}

/* ---- life ------------------------------------------------------------------------------------ */

static inline void soft_snp_start(soft_snp *s)
{
    *s = (soft_snp){
        .ark_key = EVP_RSA_gen(2048), .ask_key = EVP_RSA_gen(2048), .asvk_key = EVP_RSA_gen(2048)};
    s->ark = soft_ca("ARK-Soft", s->ark_key, NULL, s->ark_key);
    s->ask = soft_ca("SEV-Soft", s->ask_key, s->ark, s->ark_key);
    s->asvk = soft_ca("SEV-VLEK-Soft", s->asvk_key, s->ark, s->ark_key);
    soft_fill(s, SNP_MILAN, SNP_BY_VCEK);
    soft_finish(s);
}

static inline void soft_snp_stop(soft_snp *s)
{
    X509 *certs[] = {s->ark, s->ask, s->asvk, s->vek};
    EVP_PKEY *keys[] = {s->ark_key, s->ask_key, s->asvk_key, s->vek_key};
    for (unsigned i = 0; i < 4; i++) {
        X509_free(certs[i]);
        EVP_PKEY_free(keys[i]);
    }
}

/* A trust whose roots, of all generations, are this platform's. Paths may be NULL. */
static inline void soft_snp_trust(const soft_snp *s, const char *store, const char *crl,
                                  snp_trust **out)
{
    vs_error err = {0};
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, s->ask);
    PEM_write_bio_X509(bio, s->ark);
    PEM_write_bio_X509(bio, s->asvk);
    size_t n = (size_t)BIO_get_mem_data(bio, &text);
    vs_span pem = vs_span_of(text, n);
    const snp_trust_options options = {.stores = &store,
                                       .n_stores = store ? 1 : 0,
                                       .crls = &crl,
                                       .n_crls = crl ? 1 : 0,
                                       .roots = {pem, pem, pem}};
    assert_vs_ok(snp_trust_new(&options, out, &err), &err);
    BIO_free(bio);
}

/* ---- evidence -------------------------------------------------------------------------------- */

static inline vs_val soft_array(vs_arena *a, const uint8_t *p, size_t n)
{
    vs_vec v = {.a = a};
    for (size_t i = 0; i < n; i++)
        vs_vec_add(&v, vs_int(p[i]));
    return vs_vec_end_array(&v);
}

static inline vs_val soft_der(vs_arena *a, X509 *cert)
{
    uint8_t *der = NULL;
    int n = i2d_X509(cert, &der);
    vs_val v = soft_array(a, der, (size_t)n);
    OPENSSL_free(der);
    return v;
}

static inline vs_val soft_entry(vs_arena *a, const char *type, vs_val data)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, "cert_type", vs_cstring(type));
    vs_obj_put(&o, "data", data);
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static inline vs_val soft_uint(vs_arena *a, const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = n; i > 0; i--)
        v = v << 8 | p[i - 1];
    vs_buf text = VS_BUF(32);
    vs_buf_printf(&text, "%llu", (unsigned long long)v);
    vs_val out;
    assert_vs_code(vs_json_parse(a, vs_dup(a, vs_buf_span(&text)), NULL, &out, NULL), VS_OK);
    vs_buf_free(&text);
    return out;
}

static inline vs_val soft_tcb(vs_arena *a, const uint8_t *p, bool turin)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, "fmc", turin ? vs_int(p[0]) : vs_null());
    vs_obj_put(&o, "bootloader", vs_int(p[turin ? 1 : 0]));
    vs_obj_put(&o, "tee", vs_int(p[turin ? 2 : 1]));
    vs_obj_put(&o, "snp", vs_int(p[turin ? 3 : 6]));
    vs_obj_put(&o, "microcode", vs_int(p[7]));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static inline vs_val soft_firmware(vs_arena *a, const uint8_t *p)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, "build", vs_int(p[0]));
    vs_obj_put(&o, "minor", vs_int(p[1]));
    vs_obj_put(&o, "major", vs_int(p[2]));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

/* The report as an object, as a guest's kernel library decodes it. */
static inline vs_val soft_report_json(vs_arena *a, const uint8_t *r)
{
    static const struct {
        const char *key;
        char kind;
        uint16_t at, n;
    } members[] = {
        {"version", 'u', 0, 4},
        {"guest_svn", 'u', 4, 4},
        {"policy", 'u', 8, 8},
        {"family_id", 'b', 0x10, 16},
        {"image_id", 'b', 0x20, 16},
        {"vmpl", 'u', 0x30, 4},
        {"sig_algo", 'u', 0x34, 4},
        {"current_tcb", 't', 0x38, 8},
        {"plat_info", 'u', 0x40, 8},
        {"key_info", 'u', 0x48, 4},
        {"report_data", 'b', 0x50, 64},
        {"measurement", 'b', 0x90, 48},
        {"host_data", 'b', 0xc0, 32},
        {"id_key_digest", 'b', 0xe0, 48},
        {"author_key_digest", 'b', 0x110, 48},
        {"report_id", 'b', 0x140, 32},
        {"report_id_ma", 'b', 0x160, 32},
        {"reported_tcb", 't', 0x180, 8},
        {"cpuid_fam_id", 'u', 0x188, 1},
        {"cpuid_mod_id", 'u', 0x189, 1},
        {"cpuid_step", 'u', 0x18a, 1},
        {"chip_id", 'b', 0x1a0, 64},
        {"committed_tcb", 't', 0x1e0, 8},
        {"current", 'f', 0x1e8, 3},
        {"committed", 'f', 0x1ec, 3},
        {"launch_tcb", 't', 0x1f0, 8},
    };
    vs_obj o = {.a = a}, sig = {.a = a};
    bool turin = r[0x188] == 0x1a;
    for (size_t i = 0; i < VS_COUNT(members); i++) {
        const uint8_t *p = r + members[i].at;
        char k = members[i].kind;
        vs_obj_put(&o, members[i].key,
                   k == 'u'   ? soft_uint(a, p, members[i].n)
                   : k == 'b' ? soft_array(a, p, members[i].n)
                   : k == 't' ? soft_tcb(a, p, turin)
                              : soft_firmware(a, p));
    }
    if (r[0] >= 5) {
        vs_obj_put(&o, "launch_mit_vector", soft_uint(a, r + 0x1f8, 8));
        vs_obj_put(&o, "current_mit_vector", soft_uint(a, r + 0x200, 8));
    }
    vs_obj_put(&sig, "r", soft_array(a, r + SNP_SIGNED_SIZE, 72));
    vs_obj_put(&sig, "s", soft_array(a, r + SNP_SIGNED_SIZE + 72, 72));
    vs_obj_put(&o, "signature", vs_obj_end(&sig, VS_DUP_REFUSE, NULL));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static inline vs_val soft_snp_evidence(vs_arena *a, vs_val report, vs_val chain)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, "attestation_report", report);
    vs_obj_put(&o, "cert_chain", chain);
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

/* The platform's report with the certificate of its chip. */
static inline vs_val soft_snp_whole(vs_arena *a, const soft_snp *s)
{
    vs_vec chain = {.a = a};
    bool vlek = strcmp(s->spec.cn, "SEV-VLEK") == 0;
    vs_vec_add(&chain, soft_entry(a, vlek ? "VLEK" : "VCEK", soft_der(a, s->vek)));
    return soft_snp_evidence(a, soft_report_json(a, s->report), vs_vec_end_array(&chain));
}

#endif
