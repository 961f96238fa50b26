/* SPDX-License-Identifier: Apache-2.0 */
/* Signers of CoRIMs whose certificate, or whose issuer's, was revoked (cca.md 6.4). */
#include "endorser.h"

#include <stdio.h>
#include <unistd.h>

#define DAY (24 * 3600)

/* root - middle - leaf, and the files of lists. */
typedef struct world {
    fixture *f;
    signer middle, leaf;
    char dir[32];
    const char *files[2];
} world;

static world make_world(fixture *f)
{
    world w = {.f = f, .dir = "/tmp/vs-revocation-XXXXXX"};
    /* With the right to sign lists, which the fixture's root does not have. */
    drop_signer(&f->ca);
    f->ca = make_signer("root", NULL, "critical,CA:TRUE", "keyCertSign,cRLSign", 0);
    w.middle = make_signer("middle", &f->ca, "critical,CA:TRUE", "keyCertSign,cRLSign", 0);
    w.leaf = make_signer("signer", &w.middle, NULL, "digitalSignature", 0);
    assert_non_null(mkdtemp(w.dir));
    w.files[0] = vs_sprintf(&arena, "%s/root.crl", w.dir);
    w.files[1] = vs_sprintf(&arena, "%s/middle.crl", w.dir);
    return w;
}

static void drop_world(world *w)
{
    for (size_t i = 0; i < VS_COUNT(w->files); i++)
        (void)unlink(w->files[i]);
    assert_int_equal(rmdir(w->dir), 0);
    drop_signer(&w->middle), drop_signer(&w->leaf);
}

typedef struct list {
    const signer *issuer, *revoked; /* NULL: nobody */
    int64_t made, next;             /* next 0: not told */
    bool partial;
} list;

static X509_CRL *make_crl(const list *l)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *made = ASN1_TIME_set(NULL, l->made), *next = ASN1_TIME_set(NULL, l->next);
    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(l->issuer->cert));
    X509_CRL_set1_lastUpdate(crl, made);
    if (l->next)
        X509_CRL_set1_nextUpdate(crl, next);
    if (l->revoked) {
        X509_REVOKED *entry = X509_REVOKED_new();
        X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(l->revoked->cert));
        X509_REVOKED_set_revocationDate(entry, made);
        X509_CRL_add0_revoked(crl, entry);
    }
    if (l->partial) {
        ISSUING_DIST_POINT *part = ISSUING_DIST_POINT_new();
        part->onlyCA = 0xff;
        assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_issuing_distribution_point, part, 1, 0), 1);
        ISSUING_DIST_POINT_free(part);
    }
    assert_true(X509_CRL_sign(crl, l->issuer->pkey, EVP_sha256()) > 0);
    ASN1_TIME_free(made), ASN1_TIME_free(next);
    return crl;
}

static void write_list(const char *path, const char *mode, bool pem, list l)
{
    X509_CRL *crl = make_crl(&l);
    FILE *out = fopen(path, mode);
    assert_non_null(out);
    assert_int_equal(pem ? PEM_write_X509_CRL(out, crl) : i2d_X509_CRL_fp(out, crl), 1);
    assert_int_equal(fclose(out), 0);
    X509_CRL_free(crl);
}

static void write_good(const world *w)
{
    write_list(w->files[0], "w", true, (list){&w->f->ca, NULL, NOW - DAY, NOW + DAY, false});
    write_list(w->files[1], "w", false, (list){&w->middle, NULL, NOW - DAY, NOW + DAY, false});
}

static vs_code use_files(world *w, size_t n)
{
    fixture *f = w->f;
    rvps_anchors_free(&f->anchors);
    assert_vs_ok(rvps_anchors_new(&f->anchors, &err), &err);
    assert_vs_ok(rvps_anchors_add(f->anchors, cert_pem(&f->ca), &err), &err);
    err = (vs_error){0};
    vs_code code = rvps_anchors_crls(f->anchors, w->files, n, &err);
    if (code == VS_OK)
        with_options(f, (rvps_options){.anchors = f->anchors, .require_signed = true});
    return code;
}

static vs_code say(world *w)
{
    vs_buf b = VS_BUF(1 << 20);
    const vs_span ders[] = {cert_der(&w->leaf), cert_der(&w->middle)};
    vs_certs *chain = NULL;
    assert_vs_ok(vs_certs_from_der(ders, 2, &chain, &err), &err);
    const corim_signature how = {.key = w->leaf.key, .chain = chain, .meta = vs_undefined()};
    assert_vs_ok(corim_put_signed(&b, &arena, &how, platform_manifest("t", 1, DIGEST_1), &err),
                 &err);
    vs_certs_free(&chain);
    return send_by(w->f, on_arena(&b), "");
}

#define REFUSED(w, code, why)                                                                      \
    do {                                                                                           \
        assert_vs_code(say(w), code);                                                              \
        expect_reason("signature of the CoRIM: ");                                                 \
        expect_reason(why);                                                                        \
    } while (0)

static void a_revoked_signer_is_refused_as_soon_as_the_list_is_there(void **state)
{
    world w = make_world(*state);
    write_good(&w);
    assert_vs_ok(use_files(&w, 2), &err);
    assert_vs_ok(say(&w), &err);
    write_list(w.files[1], "w", true, (list){&w.middle, &w.leaf, NOW - DAY, NOW + DAY, false});
    REFUSED(&w, VS_E_UNTRUSTED, "revocation of CN=signer: certificate 0 is revoked");
    write_good(&w);
    assert_vs_ok(say(&w), &err);
    write_list(w.files[0], "w", false, (list){&w.f->ca, &w.middle, NOW - DAY, NOW + DAY, false});
    REFUSED(&w, VS_E_UNTRUSTED, "revocation of CN=middle: certificate 1 is revoked");
    /* A newer list beside it that leaves him out, or its own age, does not bring him back. */
    write_list(w.files[0], "w", true, (list){&w.f->ca, NULL, NOW - DAY, NOW + DAY, false});
    write_list(w.files[0], "a", true, (list){&w.f->ca, &w.middle, NOW - 9 * DAY, NOW - DAY, false});
    REFUSED(&w, VS_E_UNTRUSTED, "revocation of CN=middle: certificate 1 is revoked");
    drop_world(&w);
}

static void each_certificate_must_be_on_a_current_list(void **state)
{
    world w = make_world(*state);
    const signer *root = &w.f->ca;
    signer twin = make_signer("middle", root, "critical,CA:TRUE", "keyCertSign,cRLSign", 0);
    write_good(&w);
    assert_vs_ok(use_files(&w, 1), &err); /* the root's only */
    REFUSED(&w, VS_E_UNTRUSTED, "revocation of CN=signer: no revocation list of its issuer");
    assert_vs_ok(use_files(&w, 2), &err);
    static const struct {
        int64_t made, next;
        vs_code code;
        const char *why;
    } times[] = {
        {NOW - DAY, NOW, VS_E_EXPIRED, "is not current (the next one was due"},
        {NOW - DAY, NOW + 1, VS_OK, NULL},
        {NOW, NOW + DAY, VS_OK, NULL},
        {NOW + 1, NOW + DAY, VS_E_EXPIRED, "is not current"},
        {NOW - DAY, 0, VS_E_INVALID, "without readable dates"},
    };
    for (size_t i = 0; i < VS_COUNT(times); i++) {
        write_list(w.files[1], "w", true,
                   (list){&w.middle, NULL, times[i].made, times[i].next, false});
        if (times[i].code == VS_OK)
            assert_vs_ok(say(&w), &err);
        else
            REFUSED(&w, times[i].code, times[i].why);
    }
    write_list(w.files[1], "w", true,
               (list){&twin, NULL, NOW - DAY, NOW + DAY, false}); /* the name only */
    REFUSED(&w, VS_E_UNTRUSTED, "no revocation list of its issuer");
    write_list(w.files[1], "w", true, (list){&w.middle, NULL, NOW - DAY, NOW + DAY, true});
    REFUSED(&w, VS_E_UNSUPPORTED, "critical extension");
    drop_signer(&twin);
    drop_world(&w);
}

static void lists_that_cannot_be_read_stop_signers(void **state)
{
    world w = make_world(*state);
    write_good(&w);
    assert_vs_ok(use_files(&w, 2), &err);
    assert_int_equal(unlink(w.files[1]), 0);
    REFUSED(&w, VS_E_NOT_FOUND, w.files[1]);
    assert_vs_code(use_files(&w, 2), VS_E_NOT_FOUND); /* nor does it start */
    FILE *out = fopen(w.files[1], "w");
    assert_non_null(out);
    assert_true(fputs("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", out) >= 0);
    assert_int_equal(fclose(out), 0);
    assert_vs_code(use_files(&w, 2), VS_E_PARSE);
    out = fopen(w.files[1], "w"); /* empty */
    assert_non_null(out);
    assert_int_equal(fclose(out), 0);
    assert_vs_code(use_files(&w, 2), VS_E_PARSE);
    write_good(&w);
    assert_vs_ok(use_files(&w, 2), &err);
    assert_vs_ok(say(&w), &err);
    drop_world(&w);
}

static void who_may_not_sign_lists_cannot(void **state)
{
    world w = make_world(*state);
    drop_signer(&w.middle), drop_signer(&w.leaf);
    w.middle = make_signer("middle", &w.f->ca, "critical,CA:TRUE", "keyCertSign", 0);
    w.leaf = make_signer("signer", &w.middle, NULL, "digitalSignature", 0);
    write_good(&w);
    assert_vs_ok(use_files(&w, 2), &err);
    REFUSED(&w, VS_E_UNTRUSTED, "key usage does not have cRLSign");
    drop_world(&w);
}

/* An intermediate that is an anchor itself is still on the lists of a root that is one. */
static void an_anchor_below_an_anchor_can_be_revoked(void **state)
{
    world w = make_world(*state);
    write_good(&w);
    assert_vs_ok(use_files(&w, 2), &err);
    assert_vs_ok(rvps_anchors_add(w.f->anchors, cert_pem(&w.middle), &err), &err);
    assert_vs_ok(say(&w), &err);
    write_list(w.files[0], "w", true, (list){&w.f->ca, &w.middle, NOW - DAY, NOW + DAY, false});
    REFUSED(&w, VS_E_UNTRUSTED, "revocation of CN=middle: certificate 1 is revoked");
    /* Alone it is what everything ends at, and its own lists count. */
    rvps_anchors_free(&w.f->anchors);
    assert_vs_ok(rvps_anchors_new(&w.f->anchors, &err), &err);
    assert_vs_ok(rvps_anchors_add(w.f->anchors, cert_pem(&w.middle), &err), &err);
    assert_vs_ok(rvps_anchors_crls(w.f->anchors, w.files, 2, &err), &err);
    with_options(w.f, (rvps_options){.anchors = w.f->anchors, .require_signed = true});
    assert_vs_ok(say(&w), &err);
    write_list(w.files[1], "w", true, (list){&w.middle, &w.leaf, NOW - DAY, NOW + DAY, false});
    REFUSED(&w, VS_E_UNTRUSTED, "revocation of CN=signer: certificate 0 is revoked");
    drop_world(&w);
}

/* It has no certificate that could be on a list. */
static void a_trusted_key_needs_no_list(void **state)
{
    world w = make_world(*state);
    VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(4096);
    write_good(&w);
    write_list(w.files[1], "w", true, (list){&w.middle, &w.leaf, NOW - DAY, NOW + DAY, false});
    assert_vs_ok(use_files(&w, 2), &err);
    REFUSED(&w, VS_E_UNTRUSTED, "is revoked");
    assert_vs_ok(vs_key_to_pem(&pem, w.leaf.key, false, &err), &err);
    assert_vs_ok(rvps_anchors_add(w.f->anchors, vs_buf_span(&pem), &err), &err);
    assert_vs_ok(say(&w), &err);
    drop_world(&w);
}

int main(void)
{
#define with_fixture(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        with_fixture(a_revoked_signer_is_refused_as_soon_as_the_list_is_there),
        with_fixture(each_certificate_must_be_on_a_current_list),
        with_fixture(lists_that_cannot_be_read_stop_signers),
        with_fixture(who_may_not_sign_lists_cannot),
        with_fixture(an_anchor_below_an_anchor_can_be_revoked),
        with_fixture(a_trusted_key_needs_no_list),
    };
    return cmocka_run_group_tests_name("revocation", tests, NULL, NULL);
}
