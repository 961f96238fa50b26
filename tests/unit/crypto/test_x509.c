/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/helpers.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/* Certificates made here are valid for [START, END] unless a test says otherwise. */
enum { START = 1700000000, END = 1900000000, NOW = 1800000000 };

typedef struct cert_spec {
    const char *subject;
    const char *constraints; /* basicConstraints; NULL = none */
    time_t start, end;
    const char *digest;
} cert_spec;

static const cert_spec root_spec = {"root", "critical,CA:TRUE", START, END, "SHA256"};
static const cert_spec ca_spec = {"ca", "critical,CA:TRUE", START, END, "SHA256"};
static const cert_spec leaf_spec = {"leaf", "critical,CA:FALSE", START, END, "SHA256"};

typedef struct made {
    X509 *cert;
    EVP_PKEY *key;
} made;

static made make(const cert_spec *spec, const made *issuer)
{
    static long serial = 1;
    made m = {X509_new(), EVP_EC_gen("P-256")};
    const made *by = issuer ? issuer : &m;
    X509_set_version(m.cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(m.cert), serial++);
    ASN1_TIME_set(X509_getm_notBefore(m.cert), spec->start);
    ASN1_TIME_set(X509_getm_notAfter(m.cert), spec->end);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(m.cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)spec->subject, -1, -1, 0);
    X509_set_issuer_name(m.cert, X509_get_subject_name(by->cert));
    X509_set_pubkey(m.cert, m.key);
    if (spec->constraints) {
        X509_EXTENSION *ext =
            X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, spec->constraints);
        assert_non_null(ext);
        X509_add_ext(m.cert, ext, -1);
        X509_EXTENSION_free(ext);
    }
    assert_true(X509_sign(m.cert, by->key, EVP_get_digestbyname(spec->digest)) > 0);
    return m;
}

static void drop(made *m)
{
    X509_free(m->cert);
    EVP_PKEY_free(m->key);
}

static vs_certs *certs_of(X509 *const *list, size_t n)
{
    vs_span der[8];
    for (size_t i = 0; i < n; i++) {
        uint8_t *p = NULL;
        int len = i2d_X509(list[i], &p);
        der[i] = vs_dup(&arena, vs_span_of(p, (size_t)len));
        OPENSSL_free(p);
    }
    vs_certs *c = NULL;
    assert_vs_ok(vs_certs_from_der(der, n, &c, &err), &err);
    return c;
}

static vs_code verify(X509 *const *chain, size_t n, X509 *anchor, int64_t now)
{
    VS_CLEANUP(vs_certs_free) vs_certs *c = certs_of(chain, n), *a = certs_of(&anchor, 1);
    return vs_certs_verify(c, a, now, &err);
}

static void a_chain_verifies_only_while_all_of_it_is_valid(void **state)
{
    (void)state;
    cert_spec short_ca = ca_spec;
    short_ca.end = START + 1000;
    made root = make(&root_spec, NULL), ca = make(&ca_spec, &root), leaf = make(&leaf_spec, &ca);
    made ca2 = make(&short_ca, &root), leaf2 = make(&leaf_spec, &ca2);
    X509 *chain[] = {leaf.cert, ca.cert}, *old[] = {leaf2.cert, ca2.cert};
    assert_vs_ok(verify(chain, 2, root.cert, NOW), &err);
    assert_vs_ok(verify(chain, 2, root.cert, START), &err);
    assert_vs_code(verify(chain, 2, root.cert, START - 1), VS_E_EXPIRED);
    assert_vs_code(verify(chain, 2, root.cert, END + 1), VS_E_EXPIRED);
    assert_vs_ok(verify(old, 2, root.cert, START + 500), &err);
    assert_vs_code(verify(old, 2, root.cert, NOW), VS_E_EXPIRED);
    made *all[] = {&root, &ca, &leaf, &ca2, &leaf2};
    for (size_t i = 0; i < VS_COUNT(all); i++)
        drop(all[i]);
}

static void a_chain_must_end_at_the_anchor(void **state)
{
    (void)state;
    made root = make(&root_spec, NULL), twin = make(&root_spec, NULL);
    made ca = make(&ca_spec, &root), leaf = make(&leaf_spec, &ca);
    X509 *chain[] = {leaf.cert, ca.cert}, *with_root[] = {leaf.cert, ca.cert, root.cert};
    assert_vs_code(verify(chain, 2, twin.cert, NOW), VS_E_UNTRUSTED); /* same name, other key */
    assert_vs_code(verify(with_root, 3, twin.cert, NOW), VS_E_UNTRUSTED);
    assert_vs_code(verify(chain, 1, root.cert, NOW),
                   VS_E_UNTRUSTED); /* the intermediate is missing */
    assert_vs_code(verify(chain, 2, ca.cert, NOW), VS_E_UNTRUSTED); /* not self-signed */
    assert_vs_ok(verify(with_root, 3, root.cert, NOW), &err);
    X509 *alone[] = {twin.cert};
    assert_vs_code(verify(alone, 1, root.cert, NOW),
                   VS_E_UNTRUSTED); /* self-signed, not an anchor */
    assert_vs_ok(verify(alone, 1, twin.cert, NOW), &err);
    drop(&root), drop(&twin), drop(&ca), drop(&leaf);
}

static vs_span spki_of(const vs_certs *c, size_t i)
{
    vs_buf b = VS_BUF(4096);
    assert_vs_ok(vs_certs_spki(c, i, &b, &err), &err);
    vs_span s = vs_dup(&arena, vs_buf_span(&b));
    vs_buf_free(&b);
    return s;
}

static void a_verified_path_is_what_was_needed_and_ends_at_the_anchor(void **state)
{
    (void)state;
    made root = make(&root_spec, NULL), idle = make(&root_spec, NULL);
    made ca = make(&ca_spec, &root), leaf = make(&leaf_spec, &ca);
    X509 *in[] = {leaf.cert, idle.cert, ca.cert}, *want[] = {leaf.cert, ca.cert, root.cert};
    VS_CLEANUP(vs_certs_free) vs_certs *chain = certs_of(in, 3), *wanted = certs_of(want, 3);
    VS_CLEANUP(vs_certs_free) vs_certs *anchors = certs_of(&root.cert, 1), *path = NULL;
    assert_vs_ok(vs_certs_verify_path(chain, anchors, false, NOW, &path, &err), &err);
    assert_int_equal(vs_certs_count(path), 3);
    for (size_t i = 0; i < 3; i++)
        assert_span_eq(spki_of(path, i), spki_of(wanted, i));
    assert_false(vs_span_eq(spki_of(path, 2), spki_of(chain, 1))); /* of the same name */
    vs_certs_free(&path);
    assert_vs_code(vs_certs_verify_path(chain, anchors, false, END + 1, &path, &err), VS_E_EXPIRED);
    assert_null(path);
    drop(&root), drop(&idle), drop(&ca), drop(&leaf);
}

/* The subjects of the way that is found, or why there is none. */
static const char *way(X509 *const *in, size_t n, X509 *const *trusted, size_t n_trusted, int64_t t)
{
    VS_CLEANUP(vs_certs_free)
    vs_certs *chain = certs_of(in, n), *anchors = certs_of(trusted, n_trusted), *path = NULL;
    vs_buf b = VS_BUF(4096);
    vs_code code = vs_certs_verify_path(chain, anchors, true, t, &path, &err);
    if (code == VS_E_EXPIRED || code == VS_E_UNTRUSTED)
        return code == VS_E_EXPIRED ? "expired" : "untrusted";
    assert_vs_ok(code, &err);
    for (size_t i = 0; i < vs_certs_count(path); i++) {
        vs_buf_puts(&b, i ? " < " : "");
        assert_vs_ok(vs_certs_subject(path, i, &b, &err), &err);
    }
    const char *text = vs_sprintf(&arena, "%.*s", VS_FMT(vs_buf_span(&b)));
    vs_buf_free(&b);
    return text;
}

/* Only where that is asked for; and not in the place of one above it that is an anchor, too. */
static void an_intermediate_is_an_anchor_where_it_may_be(void **state)
{
    (void)state;
    cert_spec short_root = root_spec;
    short_root.end = START + 1000;
    made root = make(&short_root, NULL), ca = make(&ca_spec, &root), leaf = make(&leaf_spec, &ca);
    made twin = make(&ca_spec, &root);
    X509 *chain[] = {leaf.cert, ca.cert, root.cert}, *both[] = {ca.cert, root.cert};
    const char *whole = way(chain, 3, &root.cert, 1, START + 500);
    const char *part = way(chain, 3, &ca.cert, 1, START + 500);
    assert_non_null(strstr(whole, part));
    assert_int_not_equal(strlen(whole), strlen(part));
    assert_string_equal(way(chain, 1, both, 2, START + 500), whole);
    assert_string_equal(way(chain, 3, both, 2, START + 500), whole);
    assert_string_equal(way(chain, 2, &ca.cert, 1, NOW), part);
    assert_string_equal(way(chain, 3, both, 2, NOW), part); /* the root has expired */
    assert_vs_code(verify(chain, 2, ca.cert, NOW), VS_E_UNTRUSTED);
    assert_null(strstr(way(chain, 3, &leaf.cert, 1, NOW), "<"));
    assert_string_equal(way(chain, 3, &ca.cert, 1, END + 1), "expired");
    assert_string_equal(way(chain, 3, &twin.cert, 1, NOW), "untrusted"); /* the name only */
    assert_string_equal(way(chain, 3, &root.cert, 1, NOW), "expired");
    drop(&root), drop(&ca), drop(&leaf), drop(&twin);
}

static void only_a_ca_may_issue(void **state)
{
    (void)state;
    cert_spec no_constraints = ca_spec, v1 = ca_spec;
    no_constraints.constraints = "critical,CA:FALSE";
    v1.constraints = NULL;
    made root = make(&root_spec, NULL);
    made bad[] = {make(&no_constraints, &root), make(&v1, &root)};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        made leaf = make(&leaf_spec, &bad[i]);
        X509 *chain[] = {leaf.cert, bad[i].cert};
        assert_vs_code(verify(chain, 2, root.cert, NOW), VS_E_UNTRUSTED);
        drop(&leaf);
        drop(&bad[i]);
    }
    drop(&root);
}

static void a_path_length_constraint_holds(void **state)
{
    (void)state;
    cert_spec limited = root_spec;
    limited.constraints = "critical,CA:TRUE,pathlen:0";
    made root = make(&limited, NULL), ca = make(&ca_spec, &root), leaf = make(&leaf_spec, &ca);
    made direct = make(&leaf_spec, &root);
    X509 *chain[] = {leaf.cert, ca.cert}, *one[] = {direct.cert};
    assert_vs_code(verify(chain, 2, root.cert, NOW), VS_E_UNTRUSTED);
    assert_vs_ok(verify(one, 1, root.cert, NOW), &err);
    drop(&root), drop(&ca), drop(&leaf), drop(&direct);
}

static void signatures_with_sha1_are_refused(void **state)
{
    (void)state;
    cert_spec weak = leaf_spec;
    weak.digest = "SHA1";
    made root = make(&root_spec, NULL), leaf = make(&weak, &root);
    X509 *chain[] = {leaf.cert};
    assert_vs_code(verify(chain, 1, root.cert, NOW), VS_E_UNTRUSTED);
    drop(&root), drop(&leaf);
}

static void every_flipped_bit_of_a_certificate_is_seen(void **state)
{
    (void)state;
    made root = make(&root_spec, NULL), leaf = make(&leaf_spec, &root);
    VS_CLEANUP(vs_certs_free)
    vs_certs *chain = certs_of(&leaf.cert, 1), *anchor = certs_of(&root.cert, 1);
    VS_CLEANUP(vs_buf_free) vs_buf der = VS_BUF(4096);
    assert_vs_ok(vs_certs_der(chain, 0, &der, &err), &err);
    for (size_t bit = 0; bit < der.n * 8; bit++) {
        flip(der.p, bit);
        VS_CLEANUP(vs_certs_free) vs_certs *c = NULL;
        vs_span s = vs_buf_span(&der);
        if (vs_certs_from_der(&s, 1, &c, &err) == VS_OK)
            assert_int_not_equal(vs_certs_verify(c, anchor, NOW, &err), VS_OK);
        flip(der.p, bit);
    }
    for (size_t n = 0; n < der.n; n++) {
        VS_CLEANUP(vs_certs_free) vs_certs *c = NULL;
        vs_span s = vs_dup(&arena, vs_span_of(der.p, n));
        assert_vs_code(vs_certs_from_der(&s, 1, &c, &err), VS_E_PARSE);
    }
    drop(&root), drop(&leaf);
}

static vs_span pem_of(X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    PEM_write_bio_X509(bio, cert);
    long n = BIO_get_mem_data(bio, &text);
    vs_span out = vs_dup(&arena, vs_span_of(text, (size_t)n));
    BIO_free(bio);
    return out;
}

static void pem_lists_keep_their_order_and_pass_over_other_blocks(void **state)
{
    (void)state;
    made a = make(&root_spec, NULL), b = make(&leaf_spec, &a);
    const char *text =
        vs_sprintf(&arena, "intro\n%.*s-----BEGIN X-----\nAAAA\n-----END X-----\n%.*s",
                   VS_FMT(pem_of(b.cert)), VS_FMT(pem_of(a.cert)));
    VS_CLEANUP(vs_certs_free) vs_certs *c = NULL, *more = certs_of(&a.cert, 1);
    assert_vs_ok(vs_certs_from_pem(vs_str(text), &c, &err), &err);
    assert_int_equal(vs_certs_count(c), 2);
    assert_vs_ok(vs_certs_add(c, more, &err), &err);
    assert_int_equal(vs_certs_count(c), 3);
    VS_CLEANUP(vs_buf_free)
    vs_buf second = VS_BUF(4096), third = VS_BUF(4096), first = VS_BUF(4096), small = VS_BUF(9);
    assert_vs_ok(vs_certs_der(c, 0, &first, &err), &err);
    assert_vs_ok(vs_certs_der(c, 1, &second, &err), &err);
    assert_vs_ok(vs_certs_der(c, 2, &third, &err), &err);
    assert_span_eq(vs_buf_span(&second), vs_buf_span(&third));
    assert_false(vs_span_eq(vs_buf_span(&first), vs_buf_span(&second)));
    assert_vs_code(vs_certs_der(c, 3, &third, &err), VS_E_NOT_FOUND);
    assert_vs_code(vs_certs_der(c, 0, &small, &err), VS_E_NOMEM);
    drop(&a), drop(&b);
}

static void pem_without_a_whole_certificate_is_refused(void **state)
{
    (void)state;
    made a = make(&root_spec, NULL);
    vs_span good = pem_of(a.cert);
    VS_CLEANUP(vs_certs_free) vs_certs *c = NULL;
    static const char *const texts[] = {
        "", "hello", "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n"};
    for (size_t i = 0; i < VS_COUNT(texts); i++)
        assert_vs_code(vs_certs_from_pem(vs_str(texts[i]), &c, &err), VS_E_PARSE);
    for (size_t n = 0; n < good.n - 1; n++)
        assert_vs_code(vs_certs_from_pem(vs_span_head(good, n), &c, &err), VS_E_PARSE);
    /* a good one does not make up for a broken one behind it */
    const char *half =
        vs_sprintf(&arena, "%.*s%.*s", VS_FMT(good), VS_FMT(vs_span_head(good, good.n / 2)));
    assert_vs_code(vs_certs_from_pem(vs_str(half), &c, &err), VS_E_PARSE);
    assert_vs_code(vs_certs_from_der(NULL, 0, &c, &err), VS_E_INVALID);
    assert_null(c);
    drop(&a);
}

static void the_number_of_certificates_is_bounded(void **state)
{
    (void)state;
    made a = make(&root_spec, NULL);
    VS_CLEANUP(vs_certs_free) vs_certs *c = certs_of(&a.cert, 1);
    vs_code code = VS_OK;
    for (int i = 0; i < 8 && code == VS_OK; i++) {
        VS_CLEANUP(vs_certs_free) vs_certs *copy = certs_of(&a.cert, 1);
        assert_vs_ok(vs_certs_add(copy, c, &err), &err);
        code = vs_certs_add(c, copy, &err);
    }
    assert_int_equal(code, VS_E_LIMIT);
    drop(&a);
}

static void the_key_of_a_certificate_is_given(void **state)
{
    (void)state;
    need_shared("data/ear/README.md");
    VS_CLEANUP(vs_certs_free) vs_certs *chain = NULL, *ca = NULL;
    VS_CLEANUP(vs_key_free)
    vs_key *of_cert = NULL, *jwk = key_of(shared_json("data/ear/as-signer.pub.jwk"), false);
    assert_vs_ok(vs_certs_from_pem(shared_file("data/ear/as-signer-chain.pem"), &chain, &err),
                 &err);
    assert_vs_ok(vs_certs_from_pem(shared_file("data/ear/as-ca.pem"), &ca, &err), &err);
    assert_int_equal(vs_certs_count(chain), 2);
    assert_vs_ok(vs_certs_key(chain, 0, &of_cert, &err), &err);
    assert_true(vs_key_public_eq(of_cert, jwk));
    assert_vs_ok(vs_certs_verify(chain, ca, NOW, &err), &err);
    assert_vs_code(vs_certs_key(chain, 2, &of_cert, &err), VS_E_NOT_FOUND);
}

/* kbs.md 6.2: x5c[0] holds the key, and the chain ends at a trusted certificate. */
static vs_code endorsed(int scenario)
{
    vs_val jwk =
        shared_json(vs_sprintf(&arena, "data/kbs/jwk-endorsement/scenario%02d-jwk.json", scenario));
    VS_CLEANUP(vs_certs_free) vs_certs *chain = NULL, *trust = NULL;
    VS_CLEANUP(vs_key_free) vs_key *key = key_of(jwk, false), *leaf = NULL;
    vs_val x5c = vs_getc(jwk, "x5c");
    vs_span der[16];
    size_t n = 0;
    if (x5c.kind != VS_ARRAY)
        return VS_E_UNTRUSTED;
    for (VS_ARR_FOR (item, x5c))
        assert_vs_ok(vs_b64_decode_arena(&arena, VS_B64_ANY, vs_text(*item), &der[n++], &err),
                     &err);
    vs_span pem = shared_file(
        vs_sprintf(&arena, "data/kbs/jwk-endorsement/scenario%02d-trust.pem", scenario));
    assert_vs_ok(vs_certs_from_pem(pem, &trust, &err), &err);
    assert_vs_ok(vs_certs_from_der(der, n, &chain, &err), &err);
    assert_vs_ok(vs_certs_key(chain, 0, &leaf, &err), &err);
    if (!vs_key_public_eq(key, leaf))
        return VS_E_MISMATCH;
    return vs_certs_verify(chain, trust, NOW, &err);
}

static void endorsement_scenarios_give_the_documented_results(void **state)
{
    (void)state;
    need_shared("data/kbs/README.md");
    static const vs_code want[] = {[1] = VS_OK, VS_E_MISMATCH, VS_E_UNTRUSTED, VS_E_UNTRUSTED,
                                   VS_OK,       VS_OK,         VS_OK};
    for (int i = 1; i <= 7; i++)
        assert_vs_code(endorsed(i), want[i]);
}

/* ---- parts of certificates, and revocation -----------------------------------------------------
 */

static void one_certificate_issued_another_or_not_whatever_the_time(void **state)
{
    (void)state;
    cert_spec past = leaf_spec, no_ca = ca_spec;
    past.end = START + 1;
    no_ca.constraints = "critical,CA:FALSE";
    made root = make(&root_spec, NULL), twin = make(&root_spec, NULL);
    made leaf = make(&past, &root), bad = make(&no_ca, NULL), below = make(&leaf_spec, &bad);
    X509 *list[] = {leaf.cert, root.cert, twin.cert, bad.cert, below.cert};
    VS_CLEANUP(vs_certs_free) vs_certs *c = certs_of(list, VS_COUNT(list));
    assert_vs_ok(vs_certs_issued(c, 0, c, 1, &err), &err);
    assert_vs_ok(vs_certs_issued(c, 1, c, 1, &err), &err);
    assert_vs_code(vs_certs_issued(c, 0, c, 2, &err), VS_E_UNTRUSTED); /* same name, other key */
    assert_vs_code(vs_certs_issued(c, 1, c, 0, &err), VS_E_UNTRUSTED);
    assert_vs_code(vs_certs_issued(c, 4, c, 3, &err), VS_E_UNTRUSTED); /* no CA */
    assert_vs_code(vs_certs_issued(c, 5, c, 1, &err), VS_E_NOT_FOUND);
    drop(&root), drop(&twin), drop(&leaf), drop(&bad), drop(&below);
}

static void add_extension(X509 *cert, const char *oid, const char *value)
{
    ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(data, (const uint8_t *)value, (int)strlen(value));
    X509_EXTENSION *ext = X509_EXTENSION_create_by_OBJ(NULL, obj, 0, data);
    X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(data);
    ASN1_OBJECT_free(obj);
}

static void extensions_and_the_common_name_must_be_there_once(void **state)
{
    (void)state;
    made root = make(&root_spec, NULL), two = make(&root_spec, NULL);
    add_extension(root.cert, "1.2.3.4", "value");
    add_extension(root.cert, "1.2.3.5", "a");
    add_extension(root.cert, "1.2.3.5", "b");
    assert_true(X509_sign(root.cert, root.key, EVP_sha256()) > 0);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(two.cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)"again", -1, -1, 0);
    assert_true(X509_sign(two.cert, two.key, EVP_sha256()) > 0);
    X509 *list[] = {root.cert, two.cert};
    VS_CLEANUP(vs_certs_free) vs_certs *c = certs_of(list, 2);
    VS_CLEANUP(vs_buf_free) vs_buf name = VS_BUF(100);
    vs_span value;
    assert_vs_ok(vs_certs_extension(c, 0, "1.2.3.4", &value, &err), &err);
    assert_span_is(value, "value");
    assert_vs_code(vs_certs_extension(c, 0, "1.2.3.5", &value, &err), VS_E_INVALID);
    assert_vs_code(vs_certs_extension(c, 0, "1.2.3.6", &value, &err), VS_E_NOT_FOUND);
    assert_vs_ok(vs_certs_common_name(c, 0, &name, &err), &err);
    assert_span_is(vs_buf_span(&name), "root");
    assert_vs_code(vs_certs_common_name(c, 1, &name, &err), VS_E_INVALID);
    drop(&root), drop(&two);
}

/* A list of this issuer with the leaf's serial number on it, as DER on the arena. */
static vs_span crl_of(const made *issuer, X509 *revoked, bool number)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *made_at = ASN1_TIME_set(NULL, START), *next = ASN1_TIME_set(NULL, END);
    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->cert));
    X509_CRL_set1_lastUpdate(crl, made_at);
    X509_CRL_set1_nextUpdate(crl, next);
    X509_REVOKED *entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked));
    X509_REVOKED_set_revocationDate(entry, made_at);
    X509_CRL_add0_revoked(crl, entry);
    ASN1_INTEGER *n = ASN1_INTEGER_new();
    ASN1_INTEGER_set(n, 7);
    if (number)
        X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, 0);
    assert_true(X509_CRL_sign(crl, issuer->key, EVP_sha256()) > 0);
    uint8_t *p = NULL;
    int len = i2d_X509_CRL(crl, &p);
    vs_span der = vs_dup(&arena, vs_span_of(p, (size_t)len));
    OPENSSL_free(p);
    X509_CRL_free(crl);
    ASN1_INTEGER_free(n);
    ASN1_TIME_free(made_at);
    ASN1_TIME_free(next);
    return der;
}

static void a_revocation_list_counts_for_its_issuer(void **state)
{
    (void)state;
    made root = make(&root_spec, NULL), twin = make(&root_spec, NULL);
    made gone = make(&leaf_spec, &root), good = make(&leaf_spec, &root);
    X509 *list[] = {root.cert, twin.cert, gone.cert, good.cert};
    VS_CLEANUP(vs_certs_free) vs_certs *c = certs_of(list, VS_COUNT(list));
    VS_CLEANUP(vs_crl_free) vs_crl *crl = NULL;
    VS_CLEANUP(vs_crl_free) vs_crl *bare = NULL;
    vs_span der = crl_of(&root, gone.cert, true);
    int64_t made_at, next;
    uint64_t number;
    assert_vs_ok(vs_crl_from_der(der, &crl, &err), &err);
    assert_vs_ok(vs_crl_issued(crl, c, 0, &err), &err);
    assert_vs_code(vs_crl_issued(crl, c, 1, &err), VS_E_UNTRUSTED);
    assert_vs_code(vs_crl_issued(crl, c, 2, &err), VS_E_UNTRUSTED);
    assert_vs_code(vs_crl_check(crl, c, 2, &err), VS_E_UNTRUSTED);
    assert_vs_ok(vs_crl_check(crl, c, 3, &err), &err);
    assert_vs_ok(vs_crl_dates(crl, &made_at, &next, &err), &err);
    assert_true(made_at == START && next == END);
    assert_vs_ok(vs_crl_number(crl, &number, &err), &err);
    assert_int_equal(number, 7);
    assert_vs_ok(vs_crl_from_der(crl_of(&root, gone.cert, false), &bare, &err), &err);
    assert_vs_code(vs_crl_number(bare, &number, &err), VS_E_INVALID);
    vs_crl_free(&crl);
    for (size_t n = 0; n < der.n; n++)
        assert_int_not_equal(vs_crl_from_der(vs_span_head(der, n), &crl, &err), VS_OK);
    for (size_t bit = 0; bit < der.n * 8; bit++) {
        uint8_t *changed = copy_of(der);
        flip(changed, bit);
        if (vs_crl_from_der(vs_span_of(changed, der.n), &crl, &err) == VS_OK)
            assert_int_not_equal(vs_crl_issued(crl, c, 0, &err), VS_OK);
        vs_crl_free(&crl);
    }
    drop(&root), drop(&twin), drop(&gone), drop(&good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_arena(a_chain_verifies_only_while_all_of_it_is_valid),
        in_arena(a_chain_must_end_at_the_anchor),
        in_arena(a_verified_path_is_what_was_needed_and_ends_at_the_anchor),
        in_arena(an_intermediate_is_an_anchor_where_it_may_be),
        in_arena(only_a_ca_may_issue),
        in_arena(a_path_length_constraint_holds),
        in_arena(signatures_with_sha1_are_refused),
        in_arena(every_flipped_bit_of_a_certificate_is_seen),
        in_arena(pem_lists_keep_their_order_and_pass_over_other_blocks),
        in_arena(pem_without_a_whole_certificate_is_refused),
        in_arena(the_number_of_certificates_is_bounded),
        in_arena(the_key_of_a_certificate_is_given),
        in_arena(endorsement_scenarios_give_the_documented_results),
        in_arena(one_certificate_issued_another_or_not_whatever_the_time),
        in_arena(extensions_and_the_common_name_must_be_there_once),
        in_arena(a_revocation_list_counts_for_its_issuer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
