/* SPDX-License-Identifier: Apache-2.0 */
/* The attestation service as a Veraison verifier: sessions, findings, and what strangers may not
 * do.
 */
#include "as/veraison_fixture.h"

#include <pthread.h>

#include "base/clock.h"
#include "tee/cca/remote_answer.h"

/* ---- sessions ----------------------------------------------------------------------------------
 */

static told open_with(verifier *f, const char *nonce, const char *size)
{
    return call(f, (as_veraison_call){.verb = AS_VERAISON_NEW,
                                      .nonce = vs_str(nonce),
                                      .nonce_size = vs_str(size)});
}

static vs_span nonce_of(verifier *f, told t)
{
    vs_span nonce;
    assert_int_equal(t.status, AS_VERAISON_CREATED);
    assert_vs_code(
        vs_b64_decode_arena(&f->w.a, VS_B64_STD, vs_text(at(t.json, "/nonce")), &nonce, NULL),
        VS_OK);
    return nonce;
}

/* cca.md 5.2: nonce, nonceSize, neither. */
static void sessions_have_the_nonce_that_was_asked_for(void **state)
{
    verifier *f = *state;
    assert_int_equal(nonce_of(f, open_with(f, NULL, NULL)).n, 32);
    assert_int_equal(nonce_of(f, open_with(f, NULL, "8")).n, 8);
    assert_int_equal(nonce_of(f, open_with(f, NULL, "64")).n, 64);
    assert_span_is(nonce_of(f, open_with(f, "QUJDREVGR0g", NULL)), "ABCDEFGH");
    assert_span_is(nonce_of(f, open_with(f, "QUJDREVGR0g=", NULL)), "ABCDEFGH");
    assert_int_equal(nonce_of(f, open_with(f, GOOD_NONCE, NULL)).n, 64);
    static const char *const bad[][2] = {
        {"QUJDREVGR0g", "32"},
        {"", NULL},
        {NULL, ""},
        {NULL, "7"},
        {NULL, "65"},
        {NULL, "-8"},
        {NULL, "8.0"},
        {NULL, "99999999999999999999"},
        {"QUJDREVG", NULL},
        {"+/+/+/+/+/+/", NULL},
        {"QUJDREVGR0g!", NULL},
        {"QUJDREVGR0h", NULL},
        {GOOD_NONCE "AA", NULL},
        {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
         NULL}};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        told t = open_with(f, bad[i][0], bad[i][1]);
        if (t.status != AS_VERAISON_BAD_REQUEST || !*t.detail)
            fail_msg("row %zu: %d", i, t.status);
        assert_false(vs_defined(t.json));
    }
}

static void a_session_looks_as_the_reference_says(void **state)
{
    verifier *f = *state;
    told t = open_with(f, GOOD_NONCE, NULL);
    assert_int_equal(t.json.len, 4);
    assert_span_is(vs_text(at(t.json, "/status")), "waiting");
    /* Standard alphabet, padded: what Veraison's Rust client decodes. */
    assert_span_is(
        vs_text(at(t.json, "/nonce")),
        "byTWuWNaLIu/WOkIuU4Ewb+zroDN6+gyQkV4SZ/jF2Hn9eHYvOASGET1Sr36UobaiPU6ZXsVM1yTlrQyklS8XA==");
    int64_t expiry;
    assert_vs_code(vs_time_parse(vs_text(at(t.json, "/expiry")), &expiry, NULL), VS_OK);
    assert_int_equal(expiry, NOW + 150);
    assert_span_is(vs_text(at(t.json, "/accept/0")), AS_VERAISON_EVIDENCE);
    told again = call(
        f, (as_veraison_call){.verb = AS_VERAISON_GET, .session = vs_span_from(t.location, 8)});
    assert_int_equal(again.status, AS_VERAISON_OK);
    assert_true(vs_eq(again.json, t.json));
}

static void nonces_that_we_draw_are_read_in_both_alphabets_and_never_repeat(void **state)
{
    verifier *f = *state;
    vs_vec all = {.a = &f->w.a};
    for (unsigned i = 0; i < 500; i++) {
        vs_val text = at(open_with(f, NULL, NULL).json, "/nonce");
        assert_null(memchr(text.u.s, '+', text.len));
        assert_null(memchr(text.u.s, '/', text.len));
        vs_vec_add(&all, text);
    }
    assert_int_equal(vs_vec_end_set(&all).len, 500);
}

static void the_other_encoding_of_nonces_can_be_chosen(void **state)
{
    (void)state;
    verifier f;
    verifier_open(&f, true);
    told t = open_with(&f, GOOD_NONCE, NULL);
    assert_span_is(
        vs_text(at(t.json, "/nonce")),
        "byTWuWNaLIu_WOkIuU4Ewb-zroDN6-gyQkV4SZ_jF2Hn9eHYvOASGET1Sr36UobaiPU6ZXsVM1yTlrQyklS8XA");
    verifier_close(&f);
}

static void what_is_published_is_what_clients_need(void **state)
{
    verifier *f = *state;
    told d = call(f, (as_veraison_call){.verb = AS_VERAISON_DISCOVER});
    assert_int_equal(d.status, AS_VERAISON_OK);
    vs_val jwk = vs_getc(d.json, "ear-verification-key");
    assert_int_equal(jwk.len, 5); /* and no private part */
    assert_span_is(vs_text(at(jwk, "/alg")), "ES256");
    assert_span_is(vs_text(at(d.json, "/service-state")), "READY");
    assert_span_is(vs_text(at(d.json, "/attestation-schemes/0")), "ARM_CCA");
    assert_span_is(vs_text(at(d.json, "/media-types/0")), AS_VERAISON_EVIDENCE);
    cca_discovery read; /* our own client reads it */
    vs_buf text = VS_BUF(1 << 16);
    vs_json_print(&text, d.json);
    assert_vs_code(cca_discovery_read(&f->w.a, vs_buf_span(&text), &read, NULL), VS_OK);
    assert_span_is(read.new_session, AS_VERAISON_NEW_SESSION);
    vs_key_free(&read.key);
    vs_buf_free(&text);
}

/* ---- results -----------------------------------------------------------------------------------
 */

/* cca.md 9, with the values endorsed by the JSON stores. */
static void the_references_example_is_affirmed(void **state)
{
    verifier *f = *state;
    need_shared(GOOD_TOKEN);
    vs_span token = good_token(f);
    vs_val ear = ear_of(f, submit(f, session_for(f, GOOD_NONCE), AS_VERAISON_EVIDENCE, token));
    assert_span_is(vs_text(at(ear, "/eat_profile")), "tag:github.com,2023:veraison/ear");
    assert_span_is(vs_text(at(ear, "/eat_nonce")), GOOD_NONCE);
    assert_int_equal(at(ear, "/iat").u.i, NOW);
    assert_int_equal(at(ear, "/ear.verifier-id").len, 2);
    assert_int_equal(at(ear, "/submods").len, 2);
    assert_json_eq(&f->w, at(ear, "/submods/CCA_SSD_PLATFORM/ear.trustworthiness-vector"),
                   "{'hardware':2,'instance-identity':2,'runtime-opaque':2,'storage-opaque':2,"
                   "'configuration':2,'executables':2,'file-system':0,'sourced-data':0}");
    assert_span_is(vs_text(at(ear, "/submods/CCA_SSD_PLATFORM/ear.status")), "affirming");
    assert_json_eq(&f->w, at(ear, "/submods/CCA_REALM/ear.trustworthiness-vector"),
                   "{'hardware':0,'instance-identity':2,'runtime-opaque':0,'storage-opaque':0,"
                   "'configuration':0,'executables':2,'file-system':0,'sourced-data':0}");
    assert_span_is(vs_text(at(ear, "/submods/CCA_REALM/ear.status")), "affirming");
    assert_span_is(vs_text(at(ear, "/submods/CCA_REALM/ear.appraisal-policy-id")),
                   "policy:ARM_CCA");
}

static void evidence_is_annotated_with_the_names_of_the_reference(void **state)
{
    verifier *f = *state;
    need_shared(GOOD_TOKEN);
    vs_span token = good_token(f);
    vs_val ear = ear_of(f, submit(f, session_for(f, GOOD_NONCE), AS_VERAISON_EVIDENCE, token));
    vs_val platform = at(ear, "/submods/CCA_SSD_PLATFORM/ear.veraison.annotated-evidence");
    vs_val realm = at(ear, "/submods/CCA_REALM/ear.veraison.annotated-evidence");
    static const char *const names[] = {"/cca-platform-profile",
                                        "/cca-platform-challenge",
                                        "/cca-platform-implementation-id",
                                        "/cca-platform-instance-id",
                                        "/cca-platform-config",
                                        "/cca-platform-lifecycle",
                                        "/cca-platform-sw-components",
                                        "/cca-platform-hash-algo-id"};
    for (size_t i = 0; i < VS_COUNT(names); i++)
        if (!vs_defined(at(platform, names[i])))
            fail_msg("%s", names[i]);
    static const char *const realm_names[] = {"/cca-realm-profile",
                                              "/cca-realm-challenge",
                                              "/cca-realm-personalization-value",
                                              "/cca-realm-hash-algo-id",
                                              "/cca-realm-public-key",
                                              "/cca-realm-initial-measurement",
                                              "/cca-realm-extensible-measurements",
                                              "/cca-realm-public-key-hash-algo-id"};
    for (size_t i = 0; i < VS_COUNT(realm_names); i++)
        if (!vs_defined(at(realm, realm_names[i])))
            fail_msg("%s", realm_names[i]);
    assert_span_is(vs_text(at(platform, "/cca-platform-profile")), "http://arm.com/CCA-SSD/1.0.0");
    assert_span_is(vs_text(at(realm, "/cca-realm-profile")), "tag:arm.com,2023:realm#1.0.0");
    assert_int_equal(vs_text(at(platform, "/cca-platform-instance-id")).n, 44);
    assert_int_equal(vs_text(at(realm, "/cca-realm-challenge")).n, 88);
    assert_int_equal(at(realm, "/cca-realm-extensible-measurements").len, 4);
}

/* A realm token without a profile is not given one (Veraison does). */
static void what_the_token_does_not_say_is_not_annotated(void **state)
{
    verifier *f = *state;
    need_shared("data/cca/tokens/derived-ok-legacy-399.cbor");
    vs_buf raw = VS_BUF(CCA_TOKEN_MAX);
    cca_token t;
    read_shared("data/cca/tokens/derived-ok-legacy-399.cbor", &raw);
    assert_vs_code(cca_token_decode(&f->w.a, vs_buf_span(&raw), &t, NULL), VS_OK);
    trust_token(f, "data/cca/trust/tfa-cpak-pub.jwk", &t);
    vs_span nonce = vs_b64_encode_arena(&f->w.a, VS_B64_URL, t.realm.challenge);
    vs_span id = session_for(f, vs_sprintf(&f->w.a, "%.*s", VS_FMT(nonce)));
    vs_val ear = ear_of(f, submit(f, id, AS_VERAISON_EVIDENCE, vs_buf_span(&raw)));
    vs_val realm = at(ear, "/submods/CCA_REALM/ear.veraison.annotated-evidence");
    assert_true(vs_defined(at(realm, "/cca-realm-challenge")));
    assert_false(vs_defined(at(realm, "/cca-realm-profile")));
    vs_buf_free(&raw);
}

static void assert_problem(verifier *f, told t, const char *begins)
{
    vs_val ear = ear_of(f, t);
    assert_int_equal(at(ear, "/submods").len, 1);
    vs_val m = at(ear, "/submods/ARM_CCA");
    assert_span_is(vs_text(at(m, "/ear.status")), "contraindicated");
    vs_val vector = at(m, "/ear.trustworthiness-vector");
    assert_int_equal(vector.len, EAR_CLAIMS);
    for (VS_OBJ_FOR (claim, vector))
        assert_int_equal(claim->val.u.i, 99);
    assert_false(vs_defined(at(m, "/ear.veraison.annotated-evidence")));
    vs_span problem = vs_text(at(m, "/ear.veraison.policy-claims/problem"));
    if (!vs_span_starts(problem, vs_str(begins)))
        fail_msg("%.*s", VS_FMT(problem));
}

/* cca.md 3.1, "failure results". */
static void evidence_that_proves_nothing_gets_nines_and_the_reason(void **state)
{
    verifier *f = *state;
    vs_span good = soft_evidence_bytes(f);
    uint8_t *bad = vs_alloc(&f->w.a, good.n);
    memcpy(bad, good.p, good.n);
    bad[good.n - 3] ^= 1; /* in the realm's signature */
    assert_problem(f, submit(f, soft_session(f), AS_VERAISON_EVIDENCE, vs_span_of(bad, good.n)),
                   "integrity validation failed: bad evidence: realm token");
    assert_problem(f, submit(f, soft_session(f), AS_VERAISON_EVIDENCE, VS_LIT("\xff\xff")),
                   "could not establish identity from evidence");
    assert_problem(f, submit(f, soft_session(f), AS_VERAISON_EVIDENCE, vs_span_head(good, 200)),
                   "could not establish identity from evidence");
    assert_problem(f, submit(f, session_for(f, GOOD_NONCE), AS_VERAISON_EVIDENCE, good),
                   "integrity validation failed: bad evidence: the realm's challenge");
    soft_realm other;
    cca_trust *own = f->cca;
    soft_start(&other, VS_KEY_P256, VS_KEY_P256);
    soft_trust(&other, &f->cca);
    f->w.trust.cca = f->cca;
    assert_problem(f, submit(f, soft_session(f), AS_VERAISON_EVIDENCE, good),
                   "no trust anchor for evidence");
    cca_trust_free(&f->cca);
    soft_stop(&other);
    f->w.trust.cca = f->cca = own;
}

static void a_platform_or_realm_that_is_not_endorsed_is_told(void **state)
{
    verifier *f = *state;
    uint8_t rim[64] = {9};
    soft_realm own = f->soft;
    f->soft.spec.rim = vs_span_of(rim, sizeof rim);
    vs_val ear =
        ear_of(f, submit(f, soft_session(f), AS_VERAISON_EVIDENCE, soft_evidence_bytes(f)));
    assert_span_is(vs_text(at(ear, "/submods/CCA_SSD_PLATFORM/ear.status")), "affirming");
    assert_true(!vs_span_is(vs_text(at(ear, "/submods/CCA_REALM/ear.status")), "affirming"));
    f->soft = own;
    f->soft.spec.config = VS_LIT("\1\2\3\4");
    ear = ear_of(f, submit(f, soft_session(f), AS_VERAISON_EVIDENCE, soft_evidence_bytes(f)));
    assert_true(!vs_span_is(vs_text(at(ear, "/submods/CCA_SSD_PLATFORM/ear.status")), "affirming"));
    f->soft = own;
}

static void a_verifier_that_fails_is_no_finding(void **state)
{
    verifier *f = *state;
    f->w.trust.cca = NULL;
    told t = submit(f, soft_session(f), AS_VERAISON_EVIDENCE, soft_evidence_bytes(f));
    assert_int_equal(t.status, AS_VERAISON_FAILED);
    assert_string_equal(t.detail, "the verifier failed");
    f->w.trust.cca = f->cca;
}

static void a_verifier_that_asks_another_one_is_none(void **state)
{
    verifier *f = *state;
    vs_error err = {0};
    as_veraison *v = NULL;
    cca_trust *remote = NULL;
    char path[] = "/tmp/vs-veraison-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_vs_code(vs_write_fd(fd,
                               VS_LIT("{\"cca-verifier\":{\"type\":\"remote\",\"address\":"
                                      "\"https://127.0.0.1:1\"}}"),
                               NULL),
                   VS_OK);
    (void)close(fd);
    assert_vs_ok(cca_trust_load(path, &remote, &err), &err);
    f->w.trust.cca = remote;
    const as_veraison_config how = {0};
    assert_vs_code(as_veraison_new(f->w.as, &how, &v, NULL), VS_E_UNSUPPORTED);
    assert_null(v);
    f->w.trust.cca = f->cca;
    cca_trust_free(&remote);
    (void)unlink(path);
}

/* ---- media types -------------------------------------------------------------------------------
 */

enum { WRAPPINGS = 9 };

/* The i-th of the forms in which a token may come. */
static told submit_wrapped(verifier *f, size_t i)
{
    next_challenge(f);
    vs_span token = soft_evidence_bytes(f);
    vs_span b64 = vs_b64_encode_arena(&f->w.a, VS_B64_URL, token);
    const char *json = vs_sprintf(
        &f->w.a,
        "[\"application/eat-collection; profile=\\\"http://arm.com/CCA-SSD/1.0.0\\\"\",\"%.*s\",4]",
        VS_FMT(b64));
    vs_buf cbor = VS_BUF(CCA_TOKEN_MAX);
    vs_cbor_put_array(&cbor, 2);
    vs_cbor_put_text(&cbor, AS_VERAISON_EVIDENCE);
    vs_cbor_put_bytes(&cbor, token);
    const struct {
        const char *type;
        vs_span body;
    } v[] = {
        {AS_VERAISON_EVIDENCE, token},
        {"Application/EAT-collection;Profile=\"http://arm.com/CCA-SSD/1.0.0\"", token},
        {"application/cmw+json", vs_str(json)},
        {"application/cmw", vs_str(json)},
        {"application/vnd.veraison.cmw+json", vs_str(json)},
        {"application/cmw+cbor", vs_buf_span(&cbor)},
        {"application/cmw", vs_buf_span(&cbor)},
        {"application/vnd.veraison.cmw+cbor", vs_buf_span(&cbor)},
        {"application/vnd.veraison.cmw", vs_buf_span(&cbor)},
    };
    _Static_assert(VS_COUNT(v) == WRAPPINGS, "one for each");
    told t = submit(f, soft_session(f), v[i].type, v[i].body);
    vs_span value;
    assert_vs_code(vs_b64_decode_arena(&f->w.a, VS_B64_STD, vs_text(at(t.json, "/evidence/value")),
                                       &value, NULL),
                   VS_OK);
    assert_span_eq(value, v[i].body);
    vs_buf_free(&cbor);
    return t;
}

static void evidence_comes_bare_or_wrapped(void **state)
{
    verifier *f = *state;
    for (size_t i = 0; i < WRAPPINGS; i++) {
        vs_val ear = ear_of(f, submit_wrapped(f, i));
        assert_span_is(vs_text(at(ear, "/submods/CCA_REALM/ear.status")), "affirming");
    }
}

static void other_types_are_refused_with_what_would_do(void **state)
{
    verifier *f = *state;
    vs_span token = soft_evidence_bytes(f);
    static const struct {
        const char *type, *body;
        as_veraison_status want;
    } v[] = {
        {NULL, "x", AS_VERAISON_UNSUPPORTED_TYPE},
        {"application/octet-stream", "x", AS_VERAISON_UNSUPPORTED_TYPE},
        {"application/eat-collection", "x", AS_VERAISON_UNSUPPORTED_TYPE},
        {"application/eat-collection; profile=\"HTTP://arm.com/CCA-SSD/1.0.0\"", "x",
         AS_VERAISON_UNSUPPORTED_TYPE},
        {"application/eat+cwt", "x", AS_VERAISON_UNSUPPORTED_TYPE},
        {"application/cmw+json", "{}", AS_VERAISON_UNSUPPORTED_TYPE}, /* a collection */
        {"application/cmw+json", "[263,\"AA\"]", AS_VERAISON_UNSUPPORTED_TYPE},
        {"application/cmw+json", "[9999,\"AA\"]", AS_VERAISON_UNSUPPORTED_TYPE},
        {"application/cmw+json", "[\"application/cmw+json\",\"AA\"]", AS_VERAISON_UNSUPPORTED_TYPE},
        {"application/cmw+json", "[", AS_VERAISON_BAD_REQUEST},
        {"application/cmw+cbor", "\xff", AS_VERAISON_BAD_REQUEST},
        {"application/eat-collection; profile=http://arm.com/CCA-SSD/1.0.0", "x",
         AS_VERAISON_BAD_REQUEST},
        {"not a type", "x", AS_VERAISON_BAD_REQUEST},
        {AS_VERAISON_EVIDENCE, "", AS_VERAISON_BAD_REQUEST},
    };
    vs_span id = soft_session(f);
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        told t = submit(f, id, v[i].type, vs_str(v[i].body));
        if (t.status != v[i].want || !*t.detail)
            fail_msg("row %zu: %d %s", i, t.status, t.detail);
        if (v[i].want == AS_VERAISON_UNSUPPORTED_TYPE)
            assert_true(strstr(t.accept, AS_VERAISON_EVIDENCE) == t.accept);
    }
    vs_buf big = VS_BUF(128 * 1024 + 1);
    assert_non_null(vs_buf_reserve(&big, 128 * 1024 + 1));
    assert_int_equal(submit(f, id, AS_VERAISON_EVIDENCE, vs_buf_span(&big)).status,
                     AS_VERAISON_BAD_REQUEST);
    vs_buf_free(&big);
    /* ... and the session is as good as before. */
    (void)ear_of(f, submit(f, id, AS_VERAISON_EVIDENCE, token));
}

/* ---- state -------------------------------------------------------------------------------------
 */

static vs_code count_key(void *user, vs_span key)
{
    (void)key;
    ++*(size_t *)user;
    return VS_OK;
}

static size_t kept(verifier *f)
{
    size_t n = 0;
    assert_vs_code(vs_store_list(f->w.store, "veraison_session", count_key, &n, NULL), VS_OK);
    return n;
}

static void strangers_make_us_keep_nothing(void **state)
{
    verifier *f = *state;
    for (unsigned i = 0; i < 20; i++) {
        vs_span id = soft_session(f);
        (void)submit(f, id, AS_VERAISON_EVIDENCE, VS_LIT("junk"));
        (void)call(f, (as_veraison_call){.verb = AS_VERAISON_DELETE, .session = id});
        (void)call(f, (as_veraison_call){.verb = AS_VERAISON_GET, .session = id});
        (void)submit(f, session_for(f, GOOD_NONCE), AS_VERAISON_EVIDENCE, soft_evidence_bytes(f));
    }
    assert_int_equal(kept(f), 0);
}

static void a_result_is_kept_once_and_till_the_session_ends(void **state)
{
    verifier *f = *state;
    vs_span id = soft_session(f);
    told first = submit(f, id, AS_VERAISON_EVIDENCE, soft_evidence_bytes(f));
    assert_int_equal(kept(f), 1);
    told got = call(f, (as_veraison_call){.verb = AS_VERAISON_GET, .session = id});
    assert_true(vs_eq(got.json, first.json));
    told again = submit(f, id, AS_VERAISON_EVIDENCE, VS_LIT("something else"));
    assert_int_equal(again.status, AS_VERAISON_OK);
    assert_true(vs_eq(again.json, first.json));
    f->now = NOW + 149;
    assert_int_equal(call(f, (as_veraison_call){.verb = AS_VERAISON_GET, .session = id}).status,
                     AS_VERAISON_OK);
    f->now = NOW + 150;
    assert_int_equal(call(f, (as_veraison_call){.verb = AS_VERAISON_GET, .session = id}).status,
                     AS_VERAISON_NOT_FOUND);
    assert_int_equal(submit(f, id, AS_VERAISON_EVIDENCE, soft_evidence_bytes(f)).status,
                     AS_VERAISON_NOT_FOUND);
    as_veraison_tick(f->v, NOW + 151);
    assert_int_equal(kept(f), 0);
}

static void a_deleted_session_is_gone(void **state)
{
    verifier *f = *state;
    vs_span id = soft_session(f);
    (void)ear_of(f, submit(f, id, AS_VERAISON_EVIDENCE, soft_evidence_bytes(f)));
    const as_veraison_call remove = {.verb = AS_VERAISON_DELETE, .session = id};
    assert_int_equal(call(f, remove).status, AS_VERAISON_NO_CONTENT);
    assert_int_equal(call(f, remove).status, AS_VERAISON_NOT_FOUND);
    assert_int_equal(call(f, (as_veraison_call){.verb = AS_VERAISON_GET, .session = id}).status,
                     AS_VERAISON_NOT_FOUND);
    assert_int_equal(submit(f, id, AS_VERAISON_EVIDENCE, soft_evidence_bytes(f)).status,
                     AS_VERAISON_NOT_FOUND);
    /* One that waits has nothing to be deleted, and ends by itself. */
    id = soft_session(f);
    assert_int_equal(call(f, (as_veraison_call){.verb = AS_VERAISON_DELETE, .session = id}).status,
                     AS_VERAISON_NO_CONTENT);
}

static void sessions_of_others_do_not_exist(void **state)
{
    verifier *f = *state;
    vs_span id = soft_session(f);
    uint8_t *other = vs_alloc(&f->w.a, id.n + 4);
    static const char *const made_up[] = {
        "",
        "x",
        "1b4e28ba-2fa1-11d2-883f-b9a761bde3fb",
        "../../x",
        "%00",
        "=",
        "AAAA",
        "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    for (size_t i = 0; i < VS_COUNT(made_up); i++)
        assert_int_equal(
            call(f, (as_veraison_call){.verb = AS_VERAISON_GET, .session = vs_str(made_up[i])})
                .status,
            AS_VERAISON_NOT_FOUND);
    for (size_t i = 0; i < id.n; i++) {
        memcpy(other, id.p, id.n);
        other[i] = other[i] == 'A' ? 'B' : 'A';
        assert_int_equal(
            call(f, (as_veraison_call){.verb = AS_VERAISON_GET, .session = vs_span_of(other, id.n)})
                .status,
            AS_VERAISON_NOT_FOUND);
        assert_int_equal(
            call(f, (as_veraison_call){.verb = AS_VERAISON_GET, .session = vs_span_head(id, i)})
                .status,
            AS_VERAISON_NOT_FOUND);
    }
}

static void any_replica_can_go_on(void **state)
{
    verifier *f = *state;
    as_veraison *own = f->v, *replica;
    vs_span id = soft_session(f);
    const as_veraison_config how = {0};
    assert_vs_code(as_veraison_new(f->w.as, &how, &replica, NULL), VS_OK);
    f->v = replica;
    told t = submit(f, id, AS_VERAISON_EVIDENCE, soft_evidence_bytes(f));
    (void)ear_of(f, t);
    f->v = own;
    told got = call(f, (as_veraison_call){.verb = AS_VERAISON_GET, .session = id});
    assert_true(vs_eq(got.json, t.json));
    as_veraison_free(&replica);
}

/* The same key signs attestation tokens, which end; an EAR of a session must not pass for one. */
static void an_ear_of_a_session_is_no_attestation_token(void **state)
{
    verifier *f = *state;
    vs_val ear =
        ear_of(f, submit(f, soft_session(f), AS_VERAISON_EVIDENCE, soft_evidence_bytes(f)));
    const vs_jwt_times times = {.now = NOW, .leeway = 60, .need_exp = true};
    assert_vs_code(vs_jwt_check_times(ear, &times, NULL), VS_E_INVALID);
    assert_false(vs_defined(at(ear, "/submods/cpu0")));
}

/* ---- decisions ---------------------------------------------------------------------------------
 */

typedef struct seen {
    unsigned calls;
    bool proven, answer;
    char status[32], reason[256];
} seen;

static bool look(void *user, const as_veraison_finding *found)
{
    seen *s = user;
    s->calls++;
    s->proven = found->proven;
    (void)snprintf(s->status, sizeof s->status, "%s", found->status);
    (void)snprintf(s->reason, sizeof s->reason, "%s", found->reason ? found->reason : "");
    assert_true(found->token.n > 0);
    assert_true(found->evidence.n > 0);
    return s->answer;
}

static told submit_seen(verifier *f, vs_span id, vs_span body, seen *s)
{
    return call(f, (as_veraison_call){.verb = AS_VERAISON_SUBMIT,
                                      .session = id,
                                      .content_type = VS_LIT(AS_VERAISON_EVIDENCE),
                                      .body = body,
                                      .decide = look,
                                      .user = s});
}

static void what_cannot_be_recorded_is_not_answered(void **state)
{
    verifier *f = *state;
    seen s = {.answer = false};
    vs_span id = soft_session(f);
    told t = submit_seen(f, id, soft_evidence_bytes(f), &s);
    assert_int_equal(t.status, AS_VERAISON_FAILED);
    assert_false(vs_defined(t.json));
    assert_int_equal(kept(f), 0);
    s.answer = true;
    (void)ear_of(f, submit_seen(f, id, soft_evidence_bytes(f), &s));
    assert_int_equal(s.calls, 2);
    assert_true(s.proven);
    assert_string_equal(s.status, "affirming");
    (void)submit_seen(f, id, soft_evidence_bytes(f), &s); /* the kept one: nothing new is found */
    assert_int_equal(s.calls, 2);
    uint8_t rim[64] = {0xab};
    f->soft.spec.rim = vs_span_of(rim, sizeof rim);
    (void)ear_of(f, submit_seen(f, soft_session(f), soft_evidence_bytes(f), &s));
    assert_true(s.proven);
    assert_string_equal(s.status, "contraindicated"); /* not in the store that there is */
    assert_non_null(strstr(s.reason, "realm: there is no endorsement cca.realm.ab0000"));
    (void)submit_seen(f, soft_session(f), VS_LIT("junk"), &s);
    assert_false(s.proven);
    assert_string_equal(s.status, "contraindicated");
    assert_non_null(strstr(s.reason, "could not establish identity"));
}

/* ---- many at once, and little memory -----------------------------------------------------------
 */

typedef struct racer {
    verifier *f;
    vs_span id, body, result;
    vs_arena a;
} racer;

static void *race(void *user)
{
    racer *r = user;
    told t = call_on(r->f, &r->a,
                     (as_veraison_call){.verb = AS_VERAISON_SUBMIT,
                                        .session = r->id,
                                        .content_type = VS_LIT(AS_VERAISON_EVIDENCE),
                                        .body = r->body});
    r->result = vs_text(vs_getc(t.json, "result"));
    return NULL;
}

static void of_two_at_the_same_time_one_makes_the_result(void **state)
{
    verifier *f = *state;
    racer all[8];
    pthread_t threads[VS_COUNT(all)];
    vs_span id = soft_session(f), body = soft_evidence_bytes(f);
    for (size_t i = 0; i < VS_COUNT(all); i++) {
        all[i] = (racer){.f = f, .id = id, .body = body};
        vs_arena_init(&all[i].a, 0);
        assert_int_equal(pthread_create(&threads[i], NULL, race, &all[i]), 0);
    }
    for (size_t i = 0; i < VS_COUNT(all); i++)
        (void)pthread_join(threads[i], NULL);
    for (size_t i = 0; i < VS_COUNT(all); i++) {
        assert_true(all[i].result.n > 0);
        assert_span_eq(all[i].result, all[0].result);
        if (i)
            vs_arena_free(&all[i].a);
    }
    vs_arena_free(&all[0].a);
    assert_int_equal(kept(f), 1);
}

static void little_memory_is_a_failure_and_nothing_else(void **state)
{
    verifier *f = *state;
    vs_span body = soft_evidence_bytes(f), id = soft_session(f);
    bool worked = false;
    for (size_t cap = 64; !worked && cap < 1 << 20; cap += cap / 8 + 16) {
        vs_arena small;
        vs_arena_init(&small, cap);
        as_veraison_reply r = {.body = VS_BUF(1 << 20)};
        const as_veraison_call c = {.verb = AS_VERAISON_SUBMIT,
                                    .session = id,
                                    .content_type = VS_LIT(AS_VERAISON_EVIDENCE),
                                    .body = body,
                                    .now = f->now,
                                    .arena = &small};
        as_veraison_handle(f->v, &c, &r);
        worked = r.status == AS_VERAISON_OK;
        if (!worked)
            assert_int_equal(r.status, AS_VERAISON_FAILED);
        else
            assert_non_null(strstr((const char *)r.body.p, "\"complete\""));
        vs_buf_free(&r.body);
        vs_arena_free(&small);
    }
    assert_true(worked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, verifier_setup, verifier_teardown)
        T(sessions_have_the_nonce_that_was_asked_for),
        T(a_session_looks_as_the_reference_says),
        T(nonces_that_we_draw_are_read_in_both_alphabets_and_never_repeat),
        T(the_other_encoding_of_nonces_can_be_chosen),
        T(what_is_published_is_what_clients_need),
        T(the_references_example_is_affirmed),
        T(evidence_is_annotated_with_the_names_of_the_reference),
        T(what_the_token_does_not_say_is_not_annotated),
        T(evidence_that_proves_nothing_gets_nines_and_the_reason),
        T(a_platform_or_realm_that_is_not_endorsed_is_told),
        T(a_verifier_that_fails_is_no_finding),
        T(a_verifier_that_asks_another_one_is_none),
        T(evidence_comes_bare_or_wrapped),
        T(other_types_are_refused_with_what_would_do),
        T(strangers_make_us_keep_nothing),
        T(a_result_is_kept_once_and_till_the_session_ends),
        T(a_deleted_session_is_gone),
        T(sessions_of_others_do_not_exist),
        T(any_replica_can_go_on),
        T(an_ear_of_a_session_is_no_attestation_token),
        T(what_cannot_be_recorded_is_not_answered),
        T(of_two_at_the_same_time_one_makes_the_result),
        T(little_memory_is_a_failure_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
