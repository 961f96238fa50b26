/* SPDX-License-Identifier: Apache-2.0 */
/* Of several trust anchors each keeps what it has vouched for, and says what it may. */
#include "endorser.h"

#include <pthread.h>

#include "rvps/comids.h"
#include "value/json.h"

#define BL     "cca.software-component/BL/digests"
#define RIM    "cca.realm." HEX_1
#define ABSENT "absent"

/* Beside the fixture's, who is ACME. */
typedef struct others {
    signer root, leaf;
} others;

static others make_others(fixture *f, unsigned may)
{
    others o = {.root = make_signer("other root", NULL, "critical,CA:TRUE", "keyCertSign", 0)};
    o.leaf = make_signer("other signer", &o.root, NULL, "digitalSignature", 0);
    assert_vs_ok(rvps_anchors_add_limited(f->anchors, cert_pem(&o.root), may, &err), &err);
    with_options(f, (rvps_options){.anchors = f->anchors});
    return o;
}

static void drop_others(others *o)
{
    drop_signer(&o->root), drop_signer(&o->leaf);
}

static vs_span under(const signer *root, const signer *leaf, vs_span in)
{
    vs_buf b = VS_BUF(1 << 20);
    const vs_span ders[] = {cert_der(leaf), cert_der(root)};
    vs_certs *chain = NULL;
    assert_vs_ok(vs_certs_from_der(ders, 2, &chain, &err), &err);
    const corim_signature how = {
        .key = leaf->key, .chain = chain, .meta = json("{\"signer\":{\"name\":\"ACME\"}}")};
    assert_vs_ok(corim_put_signed(&b, &arena, &how, in, &err), &err);
    vs_certs_free(&chain);
    return on_arena(&b);
}

static vs_code acme(fixture *f, vs_span in)
{
    return send_by(f, under(&f->ca, &f->leaf, in), "");
}

static vs_code other(fixture *f, const others *o, vs_span in)
{
    return send_by(f, under(&o->root, &o->leaf, in), "");
}

static vs_code other_by_admin(fixture *f, const others *o, vs_span in)
{
    return send_by(f, under(&o->root, &o->leaf, in), "admin");
}

static void delete_it(fixture *f, const char *name)
{
    assert_vs_ok(rvps_delete(f->r, vs_str(name), VS_LIT("admin"), &err), &err);
}

static vs_span cpak_of(const char *tag, int version, const char *key)
{
    return key_manifest(tag, version,
                        vs_sprintf(&arena,
                                   KEYS("{\"environment\":{" CLASS
                                        ",\"instance\":{\"type\":\"ueid\",\"value\":\"" UEID_A
                                        "\"}},\"verification-keys\":[{\"type\":\"pkix-"
                                        "base64-key\",\"value\":\"%s\"}]}"),
                                   key));
}

static vs_span realm_of(const char *tag, int version)
{
    return manifest(vs_sprintf(
        &arena,
        CORIM(
            "r", REALM,
            COMID(
                "%s", "%d",
                REFS("{\"environment\":{\"class\":{\"id\":{\"type\":\"bytes\",\"value\":\"" DIGEST_1
                     "=\"}}},\"measurements\":[{\"key\":{\"type\":\"string\",\"value\":\"cca."
                     "rim\"},\"value\":{\"digests\":[[1,\"" DIGEST_1 "\"]]}}]}"))),
        tag, version));
}

/* Values of no profile, under plain names. */
static vs_span plain_of(const char *tag, int version, const char *digest)
{
    return manifest(vs_sprintf(&arena,
                               "{\"corim-id\":\"p\",\"comids\":[" COMID(
                                   "%s", "%d", REFS(VALUES(COMPONENT("BL", "%s")))) "]}",
                               tag, version, digest));
}

#define REFUSED(code_, why)                                                                        \
    do {                                                                                           \
        assert_vs_code((code_), VS_E_DENIED);                                                      \
        expect_reason(why);                                                                        \
    } while (0)
#define HELD "is endorsed under trust anchor CN=root (key sha256:"

/* ---- who holds what -------------------------------------------------------------------------- */

static void a_signer_of_another_anchor_replaces_nothing(void **state)
{
    fixture *f = *state;
    others o = make_others(f, RVPS_MAY_ALL);
    assert_vs_ok(acme(f, cpak_of("t", 1, KEY_A)), &err);
    REFUSED(other(f, &o, cpak_of("t", 2, KEY_B)), "CoMID t of CoRIM c " HELD);
    expect_reason("only it or an administrator can replace it");
    /* An administrator who forwards it has not said so himself. */
    REFUSED(other_by_admin(f, &o, cpak_of("t", 2, KEY_B)), HELD);
    /* Nor does saying the same make it theirs, or leaving the key out withdraw it. */
    REFUSED(other(f, &o, cpak_of("t", 1, KEY_A)), HELD);
    REFUSED(other(f, &o, platform_manifest("t", 2, DIGEST_1)), HELD);
    expect(f, CPAK_A, "[" ENTRY_KEY(JWK_A, "t", "1") "]");
    assert_vs_ok(acme(f, cpak_of("t", 2, KEY_B)), &err);
    expect(f, CPAK_A, "[" ENTRY_KEY(JWK_B, "t", "2") "]");
    drop_others(&o);
}

static void another_anchor_adds_nothing_beside(void **state)
{
    fixture *f = *state;
    others o = make_others(f, RVPS_MAY_ALL);
    assert_vs_ok(acme(f, cpak_of("k", 1, KEY_A)), &err);
    assert_vs_ok(acme(f, platform_manifest("p", 1, DIGEST_1)), &err);
    assert_vs_ok(acme(f, realm_of("r", 1)), &err);
    /* A second key would make none of them count, also the same one. */
    REFUSED(other(f, &o, cpak_of("x", 1, KEY_B)), "\"" CPAK_A "\": it " HELD);
    REFUSED(other(f, &o, cpak_of("x", 1, KEY_A)), HELD);
    REFUSED(other(f, &o, platform_manifest("x", 1, DIGEST_2)), HELD);
    REFUSED(other_by_admin(f, &o, platform_manifest("x", 1, DIGEST_2)), HELD);
    REFUSED(other(f, &o, realm_of("x", 1)), HELD);
    expect(f, CPAK_A, "[" ENTRY_KEY(JWK_A, "k", "1") "]");
    expect(f, PLATFORM_NAME, "[" ENTRY_PLATFORM(HEX_1, "p", "1") "]");
    /* Its holder adds to it; and keeps it when there is nothing left in it. */
    assert_vs_ok(acme(f, platform_manifest("q", 1, DIGEST_2)), &err);
    expect(f, PLATFORM_NAME,
           "[" ENTRY_PLATFORM(HEX_1, "p", "1") "," ENTRY_PLATFORM(HEX_2, "q", "1") "]");
    assert_vs_ok(acme(f, platform_manifest("k", 2, DIGEST_1)), &err);
    expect(f, CPAK_A, ABSENT);
    REFUSED(other(f, &o, cpak_of("x", 1, KEY_B)), HELD);
    drop_others(&o);
}

/* The certificate of `s` once more, as of another day. */
static signer renewed(const signer *s)
{
    signer n = {.cert = X509_dup(s->cert), .pkey = s->pkey};
    EVP_PKEY_up_ref(n.pkey);
    ASN1_INTEGER_set(X509_get_serialNumber(n.cert), 4711);
    ASN1_TIME_set(X509_getm_notAfter(n.cert), NOW + 2 * 31536000);
    assert_true(X509_sign(n.cert, s->pkey, EVP_sha256()) > 0);
    return n;
}

static void an_anchor_is_its_key_whatever_its_certificate(void **state)
{
    fixture *f = *state;
    others o = make_others(f, RVPS_MAY_ALL);
    assert_vs_ok(acme(f, cpak_of("t", 1, KEY_A)), &err);
    signer root = renewed(&f->ca);
    signer leaf = make_signer("new signer", &f->ca, NULL, "digitalSignature", 0);
    rvps_anchors_free(&f->anchors);
    assert_vs_ok(rvps_anchors_new(&f->anchors, &err), &err);
    assert_vs_ok(rvps_anchors_add(f->anchors, cert_pem(&root), &err), &err);
    assert_vs_ok(rvps_anchors_add(f->anchors, cert_pem(&o.root), &err), &err);
    with_options(f, (rvps_options){.anchors = f->anchors});
    assert_vs_ok(send_by(f, under(&root, &leaf, cpak_of("t", 2, KEY_B)), ""), &err);
    expect(f, CPAK_A, "[" ENTRY_KEY(JWK_B, "t", "2") "]");
    REFUSED(other(f, &o, cpak_of("t", 3, KEY_A)), HELD);
    drop_signer(&root), drop_signer(&leaf), drop_others(&o);
}

static void an_administrator_replaces_by_his_own_word(void **state)
{
    fixture *f = *state;
    others o = make_others(f, RVPS_MAY_ALL);
    assert_vs_ok(acme(f, cpak_of("t", 1, KEY_A)), &err);
    assert_vs_ok(send(f, cpak_of("t", 2, KEY_B)), &err); /* not signed */
    expect(f, CPAK_A, "[" ENTRY_KEY(JWK_B, "t", "2") "]");
    REFUSED(other(f, &o, cpak_of("t", 3, KEY_A)), "is endorsed under an administrator's word");
    REFUSED(acme(f, cpak_of("t", 3, KEY_A)), "is endorsed under an administrator's word");
    REFUSED(other_by_admin(f, &o, cpak_of("t", 3, KEY_A)), HELD); /* the name is ACME's as before */
    assert_vs_ok(send_by(f, under(&f->ca, &f->leaf, cpak_of("t", 3, KEY_A)), "admin"), &err);
    assert_vs_ok(acme(f, cpak_of("t", 4, KEY_B)), &err);
    /* What he has deleted he may give to another, and nobody takes it. */
    delete_it(f, CPAK_A);
    REFUSED(other(f, &o, cpak_of("t", 5, KEY_A)), HELD);
    assert_vs_ok(other_by_admin(f, &o, cpak_of("t", 5, KEY_A)), &err);
    expect(f, CPAK_A, "[" ENTRY_KEY(JWK_A, "t", "5") "]");
    REFUSED(acme(f, cpak_of("t", 6, KEY_B)), "CN=other root");
    drop_others(&o);
}

/* What is left of a CoMID of which something was deleted is not handed over with it. */
static void a_comid_is_handed_over_when_all_of_it_is_deleted(void **state)
{
    fixture *f = *state;
    others o = make_others(f, RVPS_MAY_ALL);
    vs_span both = key_manifest(
        "t", 1, REFS(VALUES(COMPONENT("BL", DIGEST_1))) "," KEYS(KEY_TRIPLE(UEID_A, KEY_A)));
    assert_vs_ok(acme(f, both), &err);
    delete_it(f, PLATFORM_NAME);
    REFUSED(other_by_admin(f, &o, platform_manifest("t", 2, DIGEST_2)),
            "CoMID t of CoRIM c: \"" CPAK_A "\", which it gives, " HELD);
    expect(f, CPAK_A, "[" ENTRY_KEY(JWK_A, "t", "1") "]");
    delete_it(f, CPAK_A);
    delete_it(f, BL);
    assert_vs_ok(other_by_admin(f, &o, platform_manifest("t", 2, DIGEST_2)), &err);
    expect(f, PLATFORM_NAME, "[" ENTRY_PLATFORM(HEX_2, "t", "2") "]");
    drop_others(&o);
}

/* Also where keys are taken from anybody. */
static void a_stranger_spoils_no_key_that_somebody_vouches_for(void **state)
{
    fixture *f = *state;
    with_options(f, (rvps_options){.anchors = f->anchors, .accept_unsigned_keys = true});
    assert_vs_ok(send_by(f, cpak_of("s", 1, KEY_B), ""), &err);
    assert_vs_ok(send_by(f, cpak_of("s", 2, KEY_B), ""), &err);
    delete_it(f, CPAK_A);
    assert_vs_ok(acme(f, cpak_of("t", 1, KEY_A)), &err);
    REFUSED(send_by(f, cpak_of("x", 1, KEY_B), ""), "nobody else can add one");
    expect(f, CPAK_A, "[" ENTRY_KEY(JWK_A, "t", "1") "]");
}

static void plain_values_belong_to_who_gave_them(void **state)
{
    fixture *f = *state;
    others o = make_others(f, RVPS_MAY_ALL);
    assert_vs_ok(acme(f, plain_of("t", 1, DIGEST_1)), &err);
    REFUSED(other(f, &o, plain_of("x", 9, DIGEST_2)), "\"" BL "\": it " HELD);
    expect(f, BL, "[\"" HEX_1 "\"]");
    assert_vs_ok(acme(f, plain_of("u", 1, DIGEST_2)), &err);
    expect(f, BL, "[\"" HEX_2 "\"]");
    /* CCA platforms of two makers have the same names by measurement: they are the first one's,
     * and what the second endorses counts under its own name. */
    assert_vs_ok(other(f, &o, platform_manifest("x", 1, DIGEST_1)), &err);
    expect(f, PLATFORM_NAME, "[" ENTRY_PLATFORM(HEX_1, "x", "1") "]");
    expect(f, BL, "[\"" HEX_2 "\"]");
    delete_it(f, BL);
    assert_vs_ok(other(f, &o, platform_manifest("x", 2, DIGEST_1)), &err);
    expect(f, BL, "[\"" HEX_1 "\"]");
    drop_others(&o);
}

/* ---- what earlier releases have stored ------------------------------------------------------- */

/* Takes away what this release has added. */
static void age(fixture *f)
{
    const stored_keys all = keys_in(f, RVPS_COMIDS);
    assert_true(all.n > 0);
    for (size_t i = 0; i < all.n; i++) {
        VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(1 << 20);
        VS_CLEANUP(vs_buf_free) vs_buf old = VS_BUF(1 << 20);
        vs_val v;
        vs_obj o = {.a = &arena};
        if (vs_span_starts(all.of[i], VS_LIT("name-")) ||
            vs_span_starts(all.of[i], VS_LIT("whole-"))) {
            assert_vs_ok(vs_store_delete(f->store, RVPS_COMIDS, all.of[i], &err), &err);
            continue;
        }
        assert_vs_ok(vs_store_get(f->store, RVPS_COMIDS, all.of[i], 0, &text, &err), &err);
        assert_vs_ok(vs_json_parse(&arena, vs_dup(&arena, vs_buf_span(&text)), NULL, &v, &err),
                     &err);
        assert_int_equal(vs_text(vs_getc(v, "anchor")).n, 64);
        assert_span_is(vs_text(vs_getc(v, "signer")), "ACME");
        for (VS_OBJ_FOR (m, v))
            if (!vs_span_starts(vs_text(m->key), VS_LIT("anchor")) &&
                !vs_span_is(vs_text(m->key), "signer"))
                vs_obj_put(&o, (const char *)vs_dup(&arena, vs_text(m->key)).p, m->val);
        vs_json_print(&old, vs_obj_end(&o, VS_DUP_REFUSE, NULL));
        assert_vs_ok(vs_store_delete(f->store, RVPS_COMIDS, all.of[i], &err), &err);
        const vs_store_item item = {
            .ns = RVPS_COMIDS, .key = all.of[i], .value = vs_buf_span(&old), .mode = VS_PUT_CREATE};
        assert_vs_ok(vs_store_put_all(f->store, &item, 1, &err), &err);
    }
}

static void what_an_earlier_release_stored_gets_a_holder(void **state)
{
    fixture *f = *state;
    others o = make_others(f, RVPS_MAY_ALL);
    assert_vs_ok(acme(f, cpak_of("t", 1, KEY_A)), &err);
    age(f);
    REFUSED(other(f, &o, cpak_of("x", 1, KEY_B)), "an earlier release has taken it in");
    expect(f, CPAK_A, "[" ENTRY_KEY(JWK_A, "t", "1") "]");
    /* The same message once more, and it is known whose it is. */
    assert_vs_ok(acme(f, cpak_of("t", 1, KEY_A)), &err);
    REFUSED(other(f, &o, cpak_of("t", 2, KEY_B)), HELD);
    REFUSED(other(f, &o, cpak_of("x", 1, KEY_B)), HELD);
    /* Until then whoever is trusted may follow: once. */
    age(f);
    assert_vs_ok(other(f, &o, cpak_of("t", 2, KEY_B)), &err);
    REFUSED(acme(f, cpak_of("t", 3, KEY_A)), "CN=other root");
    drop_others(&o);
}

/* To send each once more, in whatever order, gives each its holder and leaves the values. */
static void values_of_an_earlier_release_stay_when_they_get_a_holder(void **state)
{
    fixture *f = *state;
    others o = make_others(f, RVPS_MAY_ALL);
    assert_vs_ok(acme(f, plain_of("t", 1, DIGEST_1)), &err);
    assert_vs_ok(acme(f, plain_of("u", 1, DIGEST_2)), &err);
    age(f);
    assert_vs_ok(acme(f, plain_of("u", 1, DIGEST_2)), &err);
    assert_vs_ok(acme(f, plain_of("t", 1, DIGEST_1)), &err);
    expect(f, BL, "[\"" HEX_2 "\"]");
    REFUSED(other(f, &o, plain_of("x", 1, DIGEST_1)), HELD);
    REFUSED(other(f, &o, plain_of("t", 2, DIGEST_1)), "CoMID t of CoRIM p " HELD);
    assert_vs_ok(acme(f, plain_of("t", 1, DIGEST_1)), &err);
    expect(f, BL, "[\"" HEX_2 "\"]");
    /* Both are known as givers: neither brings back what is deleted. */
    delete_it(f, BL);
    assert_vs_code(acme(f, plain_of("t", 1, DIGEST_1)), VS_E_CONFLICT);
    assert_vs_code(acme(f, plain_of("u", 1, DIGEST_2)), VS_E_CONFLICT);
    drop_others(&o);
}

/* Takes the marks of strangers away, too, as of before there were any. */
static void age_entries(fixture *f, const char *name)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(4 << 20);
    assert_vs_ok(vs_store_get(f->store, RVPS_NAMESPACE, vs_str(name), 0, &text, &err), &err);
    const char *mark = ",\"vouched\":false",
               *s = vs_sprintf(&arena, "%.*s", VS_FMT(vs_buf_span(&text)));
    vs_buf old = VS_BUF(4 << 20);
    size_t n = 0;
    for (const char *at; (at = strstr(s, mark)); s = at + strlen(mark), n++)
        vs_buf_put(&old, vs_span_of(s, (size_t)(at - s)));
    assert_true(n > 0);
    vs_buf_puts(&old, s);
    assert_vs_ok(vs_store_put(f->store, RVPS_NAMESPACE, vs_str(name), on_arena(&old), 0,
                              VS_PUT_REPLACE, &err),
                 &err);
}

/* What strangers gave then is in nobody's way now: that nobody vouched for it is known. */
static void strangers_of_an_earlier_release_are_in_nobodys_way(void **state)
{
    fixture *f = *state;
    with_options(f, (rvps_options){.anchors = f->anchors, .accept_unsigned_keys = true});
    assert_vs_ok(send_by(f, platform_manifest("s", 1, DIGEST_2), ""), &err);
    assert_vs_ok(send_by(f, cpak_of("k", 1, KEY_B), ""), &err);
    age_entries(f, PLATFORM_NAME);
    age_entries(f, CPAK_A);
    assert_vs_ok(acme(f, platform_manifest("p", 1, DIGEST_1)), &err);
    expect(f, PLATFORM_NAME,
           "[" ENTRY_PLATFORM(HEX_2, "s", "1") "," ENTRY_PLATFORM(HEX_1, "p", "1") "]");
    assert_vs_ok(send_by(f, cpak_of("l", 1, KEY_B), ""), &err);
    assert_int_equal(value_at(f, CPAK_A, NOW).len, 2);
    /* Also what is left of them under ids that somebody has vouched for since, who does not say it.
     */
    assert_vs_ok(acme(f, platform_manifest("k", 2, DIGEST_1)), &err);
    assert_vs_ok(acme(f, cpak_of("t", 1, KEY_A)), &err);
    assert_int_equal(value_at(f, CPAK_A, NOW).len, 3);
    REFUSED(send_by(f, cpak_of("m", 1, KEY_B), ""), "nobody else can add one");
}

static void who_is_restricted_takes_no_more_from_an_earlier_release(void **state)
{
    fixture *f = *state;
    others o = make_others(f, RVPS_MAY_PLATFORM);
    assert_vs_ok(acme(f, cpak_of("t", 1, KEY_A)), &err);
    age(f);
    REFUSED(other(f, &o, platform_manifest("t", 2, DIGEST_1)),
            "may not vouch for attestation-keys");
    expect(f, CPAK_A, "[" ENTRY_KEY(JWK_A, "t", "1") "]");
    drop_others(&o);
}

/* ---- at the same moment ---------------------------------------------------------------------- */

typedef struct racer {
    rvps *r;
    vs_span message;
    vs_code code;
} racer;

static void *race(void *user)
{
    racer *me = user;
    me->code = rvps_register(me->r, me->message, NOW, NULL);
    return NULL;
}

static void of_two_anchors_at_once_one_holds_the_name(void **state)
{
    fixture *f = *state;
    others o = make_others(f, RVPS_MAY_ALL);
    for (int i = 0; i < 20; i++) {
        const char *mine = vs_sprintf(&arena, "a%d", i), *theirs = vs_sprintf(&arena, "b%d", i);
        racer two[] = {
            {f->r, message("corim", under(&f->ca, &f->leaf, cpak_of(mine, 1, KEY_A))), VS_OK},
            {f->r, message("corim", under(&o.root, &o.leaf, cpak_of(theirs, 1, KEY_B))), VS_OK}};
        pthread_t t[2];
        for (size_t k = 0; k < 2; k++)
            assert_int_equal(pthread_create(&t[k], NULL, race, &two[k]), 0);
        for (size_t k = 0; k < 2; k++)
            assert_int_equal(pthread_join(t[k], NULL), 0);
        assert_true((two[0].code == VS_OK) != (two[1].code == VS_OK));
        assert_vs_code(two[two[0].code == VS_OK].code, VS_E_DENIED);
        vs_val v = value_at(f, CPAK_A, NOW);
        assert_int_equal(v.len, 1);
        delete_it(f, CPAK_A);
    }
    drop_others(&o);
}

/* ---- what an anchor may ---------------------------------------------------------------------- */

/* Nothing stored, and nobody trusted. */
static void start_anew(fixture *f)
{
    rvps_free(&f->r);
    rvps_anchors_free(&f->anchors);
    vs_store_close(&f->store);
    assert_vs_ok(vs_store_open_memory(&f->store, &err), &err);
    assert_vs_ok(rvps_anchors_new(&f->anchors, &err), &err);
}

static void a_restricted_anchor_says_only_what_it_may(void **state)
{
    fixture *f = *state;
    static const struct {
        unsigned right;
        const char *word, *name;
    } things[] = {{RVPS_MAY_KEYS, "attestation-keys", CPAK_A},
                  {RVPS_MAY_PLATFORM, "platform", PLATFORM_NAME},
                  {RVPS_MAY_REALM, "realm", RIM},
                  {RVPS_MAY_VALUES, "reference-values", BL}};
    const vs_span messages[] = {cpak_of("k", 1, KEY_A), platform_manifest("p", 1, DIGEST_1),
                                realm_of("r", 1), plain_of("v", 1, DIGEST_2)};
    for (unsigned may = 1; may <= RVPS_MAY_ALL; may++)
        for (size_t i = 0; i < VS_COUNT(messages); i++) {
            start_anew(f);
            others o = make_others(f, may);
            bool right = (may & things[i].right) != 0;
            assert_int_equal(rvps_may_of(vs_str(things[i].word)), things[i].right);
            assert_vs_code(other(f, &o, messages[i]), right ? VS_OK : VS_E_DENIED);
            if (!right)
                expect_reason(vs_sprintf(&arena,
                                         "CN=other root is restricted, and may not vouch for %s",
                                         things[i].word));
            /* Whoever brings it. */
            assert_vs_code(other_by_admin(f, &o, messages[i]), right ? VS_OK : VS_E_DENIED);
            assert_int_equal(vs_defined(value_at(f, things[i].name, NOW)), right);
            /* Names by measurement come with the right to plain names only. */
            if (things[i].right == RVPS_MAY_PLATFORM)
                assert_int_equal(vs_defined(value_at(f, BL, NOW)),
                                 right && (may & RVPS_MAY_VALUES) != 0);
            drop_others(&o);
        }
}

static vs_span through(const signer *middle, const signer *leaf, const signer *root, vs_span in)
{
    vs_buf b = VS_BUF(1 << 20);
    const vs_span ders[] = {cert_der(leaf), cert_der(middle), cert_der(root)};
    vs_certs *chain = NULL;
    assert_vs_ok(vs_certs_from_der(ders, 3, &chain, &err), &err);
    const corim_signature how = {.key = leaf->key, .chain = chain, .meta = vs_undefined()};
    assert_vs_ok(corim_put_signed(&b, &arena, &how, in, &err), &err);
    vs_certs_free(&chain);
    return on_arena(&b);
}

/* Nor does the root above it, trusted with everything, give back what an intermediate may not. */
static void the_anchor_next_to_the_signer_decides(void **state)
{
    fixture *f = *state;
    signer middle = make_signer("middle", &f->ca, "critical,CA:TRUE", "keyCertSign", 0);
    signer leaf = make_signer("middle's", &middle, NULL, "digitalSignature", 0);
    vs_span key = through(&middle, &leaf, &f->ca, cpak_of("k", 1, KEY_A));
    vs_span realm = through(&middle, &leaf, &f->ca, realm_of("r", 1));
    /* Which: the root, the intermediate, the signer's own certificate. */
    enum { ROOT = 1, MIDDLE = 2, LEAF = 4 };
    for (unsigned which = 1; which < 8; which++) {
        start_anew(f);
        const struct {
            unsigned bit, may;
            const signer *who;
        } anchors[] = {{ROOT, RVPS_MAY_ALL, &f->ca},
                       {MIDDLE, RVPS_MAY_REALM, &middle},
                       {LEAF, RVPS_MAY_KEYS, &leaf}};
        for (size_t i = 0; i < VS_COUNT(anchors); i++)
            if (which & anchors[i].bit)
                assert_vs_ok(rvps_anchors_add_limited(f->anchors, cert_pem(anchors[i].who),
                                                      anchors[i].may, &err),
                             &err);
        with_options(f, (rvps_options){.anchors = f->anchors});
        bool may_keys = (which & LEAF) || which == ROOT, realms = !(which & LEAF);
        assert_vs_code(send_by(f, key, ""), may_keys ? VS_OK : VS_E_DENIED);
        if (!may_keys)
            expect_reason("CN=middle is restricted, and may not vouch for attestation-keys");
        assert_vs_code(send_by(f, realm, ""), realms ? VS_OK : VS_E_DENIED);
        assert_int_equal(vs_defined(value_at(f, CPAK_A, NOW)), may_keys);
        assert_int_equal(vs_defined(value_at(f, RIM, NOW)), realms);
        /* Beside it the root is what it was. */
        assert_vs_code(acme(f, platform_manifest("p", 1, DIGEST_1)),
                       which & ROOT ? VS_OK : VS_E_UNTRUSTED);
    }
    drop_signer(&middle), drop_signer(&leaf);
}

static void one_message_with_one_thing_too_much_is_refused_whole(void **state)
{
    fixture *f = *state;
    others o = make_others(f, RVPS_MAY_PLATFORM);
    vs_span both = key_manifest(
        "t", 1, REFS(VALUES(COMPONENT("BL", DIGEST_1))) "," KEYS(KEY_TRIPLE(UEID_A, KEY_A)));
    REFUSED(other(f, &o, both), "may not vouch for attestation-keys");
    expect(f, PLATFORM_NAME, ABSENT);
    expect(f, CPAK_A, ABSENT);
    drop_others(&o);
}

static void a_key_has_one_set_of_rights(void **state)
{
    fixture *f = *state;
    signer again = renewed(&f->ca);
    VS_CLEANUP(vs_buf_free) vs_buf key = VS_BUF(4096);
    assert_vs_ok(rvps_anchors_add(f->anchors, cert_pem(&again), &err), &err);
    err = (vs_error){0};
    assert_vs_code(rvps_anchors_add_limited(f->anchors, cert_pem(&again), RVPS_MAY_REALM, &err),
                   VS_E_INVALID);
    expect_reason("its key is there already, with other rights");
    assert_vs_ok(vs_key_to_pem(&key, f->ca.key, false, &err), &err);
    assert_vs_code(rvps_anchors_add_limited(f->anchors, vs_buf_span(&key), RVPS_MAY_REALM, &err),
                   VS_E_INVALID);
    static const char *const no[] = {"", "Realm", "realms", "all", "keys", "attestation_keys"};
    for (size_t i = 0; i < VS_COUNT(no); i++)
        assert_int_equal(rvps_may_of(vs_str(no[i])), 0);
    drop_signer(&again);
}

int main(void)
{
#define with_fixture(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        with_fixture(a_signer_of_another_anchor_replaces_nothing),
        with_fixture(another_anchor_adds_nothing_beside),
        with_fixture(an_anchor_is_its_key_whatever_its_certificate),
        with_fixture(an_administrator_replaces_by_his_own_word),
        with_fixture(a_comid_is_handed_over_when_all_of_it_is_deleted),
        with_fixture(a_stranger_spoils_no_key_that_somebody_vouches_for),
        with_fixture(plain_values_belong_to_who_gave_them),
        with_fixture(what_an_earlier_release_stored_gets_a_holder),
        with_fixture(values_of_an_earlier_release_stay_when_they_get_a_holder),
        with_fixture(strangers_of_an_earlier_release_are_in_nobodys_way),
        with_fixture(who_is_restricted_takes_no_more_from_an_earlier_release),
        with_fixture(of_two_anchors_at_once_one_holds_the_name),
        with_fixture(a_restricted_anchor_says_only_what_it_may),
        with_fixture(the_anchor_next_to_the_signer_decides),
        with_fixture(one_message_with_one_thing_too_much_is_refused_whole),
        with_fixture(a_key_has_one_set_of_rights),
    };
    return cmocka_run_group_tests_name("holders", tests, NULL, NULL);
}
