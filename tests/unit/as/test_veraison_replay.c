/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence for a nonce that the client chose has its result in one session, whoever brings it
 * again, however it is wrapped, and to whichever replica. */
#include "as/veraison_fixture.h"

#include <pthread.h>
#include <unistd.h>

#include "as/internal.h"
#include "base/io.h"

enum { DAY = 24 * 3600 };

static told submit_to(verifier *f, vs_span id, vs_span token)
{
    return submit(f, id, AS_VERAISON_EVIDENCE, token);
}

static void assert_used(told t)
{
    assert_int_equal(t.status, AS_VERAISON_USED);
    assert_false(vs_defined(t.json));
    assert_non_null(strstr(t.detail, "this evidence had its result in another session"));
}

static void assert_affirmed(verifier *f, told t)
{
    assert_span_is(vs_text(at(ear_of(f, t), "/submods/CCA_REALM/ear.status")), "affirming");
}

static vs_code count_key(void *user, vs_span key)
{
    (void)key;
    ++*(size_t *)user;
    return VS_OK;
}

static size_t in_store(verifier *f, const char *ns)
{
    size_t n = 0;
    assert_vs_code(vs_store_list(f->w.store, ns, count_key, &n, NULL), VS_OK);
    return n;
}

/* ---- replays -----------------------------------------------------------------------------------
 */

static void evidence_for_a_chosen_nonce_has_one_session(void **state)
{
    verifier *f = *state;
    vs_span token = soft_evidence_bytes(f), first = soft_session(f), second = soft_session(f);
    told good = submit_to(f, first, token);
    assert_affirmed(f, good);
    for (unsigned i = 0; i < 3; i++)
        assert_used(submit_to(f, second, token));
    assert_used(submit_to(f, soft_session(f), token));
    assert_int_equal(in_store(f, "veraison_session"), 1);
    /* The first session has its result as before; the second still waits. */
    assert_true(vs_eq(submit_to(f, first, token).json, good.json));
    told t = call(f, (as_veraison_call){.verb = AS_VERAISON_GET, .session = second});
    assert_span_is(vs_text(at(t.json, "/status")), "waiting");
    /* Nor does it help to delete the first. */
    assert_int_equal(
        call(f, (as_veraison_call){.verb = AS_VERAISON_DELETE, .session = first}).status,
        AS_VERAISON_NO_CONTENT);
    assert_used(submit_to(f, second, token));
}

/* Around what the realm's key has signed anybody can write what he likes. */
static vs_span with_kid(verifier *f, const cca_token *t)
{
    const vs_cose_sign1 *m = &t->realm_cose;
    vs_buf realm = VS_BUF(CCA_TOKEN_MAX), platform = VS_BUF(CCA_TOKEN_MAX),
           all = VS_BUF(CCA_TOKEN_MAX);
    vs_cbor_put_tag(&realm, 18);
    vs_cbor_put_array(&realm, 4);
    vs_cbor_put_bytes(&realm, m->protected_bytes);
    vs_cbor_put_map(&realm, 1);
    vs_cbor_put_int(&realm, 4);
    vs_cbor_put_bytes(&realm, VS_LIT("any"));
    vs_cbor_put_bytes(&realm, m->payload);
    vs_cbor_put_bytes(&realm, m->signature);
    vs_buf_put(&platform, t->platform_bytes);
    assert_vs_code(realm_wrap(CCA_TAG_CMW, vs_buf_span(&platform), vs_buf_span(&realm), &all, NULL),
                   VS_OK);
    vs_span out = vs_dup(&f->w.a, vs_buf_span(&all));
    vs_buf_free(&realm);
    vs_buf_free(&platform);
    vs_buf_free(&all);
    return out;
}

static void evidence_that_is_wrapped_or_signed_anew_is_the_same(void **state)
{
    verifier *f = *state;
    cca_token t;
    vs_buf cmw = VS_BUF(CCA_TOKEN_MAX), other = VS_BUF(CCA_TOKEN_MAX);
    vs_span token = soft_evidence_bytes(f);
    assert_vs_code(cca_token_decode(&f->w.a, token, &t, NULL), VS_OK);
    assert_affirmed(f, submit_to(f, soft_session(f), token));

    vs_span again = soft_evidence_bytes(f); /* ECDSA: another signature */
    assert_false(vs_span_eq(again, token));
    assert_used(submit_to(f, soft_session(f), again));
    unsigned tag = t.tag == CCA_TAG_EAT ? CCA_TAG_CMW : CCA_TAG_EAT;
    assert_vs_code(realm_wrap(tag, t.platform_bytes, t.realm_bytes, &other, NULL), VS_OK);
    assert_used(submit_to(f, soft_session(f), vs_buf_span(&other)));
    assert_used(submit_to(f, soft_session(f), with_kid(f, &t)));
    vs_cbor_put_array(&cmw, 2);
    vs_cbor_put_text(&cmw, AS_VERAISON_EVIDENCE);
    vs_cbor_put_bytes(&cmw, token);
    assert_used(submit(f, soft_session(f), "application/cmw+cbor", vs_buf_span(&cmw)));
    vs_buf_free(&cmw);
    vs_buf_free(&other);
}

/* Nonces are padded with zeros: these are one challenge. */
static void a_nonce_with_more_zeros_is_the_same(void **state)
{
    verifier *f = *state;
    memset(f->soft.challenge + 8, 0, CCA_CHALLENGE - 8);
    vs_span token = soft_evidence_bytes(f);
    assert_affirmed(f, submit_to(f, session_for_bytes(f, vs_span_of(f->soft.challenge, 8)), token));
    for (size_t n = 8; n <= CCA_CHALLENGE; n += 7)
        assert_used(submit_to(f, session_for_bytes(f, vs_span_of(f->soft.challenge, n)), token));
}

static void other_evidence_for_the_same_nonce_counts(void **state)
{
    verifier *f = *state;
    uint8_t rem[64] = {1};
    assert_affirmed(f, submit_to(f, soft_session(f), soft_evidence_bytes(f)));
    f->soft.spec.rem[0] = vs_span_of(rem, f->soft.spec.rim.n);
    (void)ear_of(f, submit_to(f, soft_session(f), soft_evidence_bytes(f)));
}

/* Whoever knows a nonce and has no evidence for it cannot use it up. */
static void what_proves_nothing_uses_nothing_up(void **state)
{
    verifier *f = *state;
    vs_span token = soft_evidence_bytes(f);
    uint8_t *bad = vs_alloc(&f->w.a, token.n);
    memcpy(bad, token.p, token.n);
    bad[token.n - 3] ^= 1;
    (void)ear_of(f, submit_to(f, soft_session(f), vs_span_of(bad, token.n)));
    assert_int_equal(in_store(f, "veraison_evidence"), 0);
    assert_affirmed(f, submit_to(f, soft_session(f), token));
    assert_int_equal(in_store(f, "veraison_evidence"), 1);
}

/* ---- nonces that are drawn here ----------------------------------------------------------------
 */

/* A session whose nonce is drawn, which becomes the realm's challenge. */
static vs_span drawn_session(verifier *f)
{
    vs_span nonce;
    told t = call(f, (as_veraison_call){.verb = AS_VERAISON_NEW, .nonce_size = VS_LIT("64")});
    assert_int_equal(t.status, AS_VERAISON_CREATED);
    assert_vs_code(
        vs_b64_decode_arena(&f->w.a, VS_B64_STD, vs_text(at(t.json, "/nonce")), &nonce, NULL),
        VS_OK);
    assert_int_equal(nonce.n, CCA_CHALLENGE);
    memcpy(f->soft.challenge, nonce.p, nonce.n);
    return vs_span_from(t.location, 8);
}

static void sessions_with_drawn_nonces_are_as_before(void **state)
{
    verifier *f = *state;
    vs_span id = drawn_session(f), token = soft_evidence_bytes(f);
    assert_affirmed(f, submit_to(f, id, token));
    /* Its evidence does not come back under the name of a nonce that somebody chose. */
    assert_used(submit_to(f, soft_session(f), token));
    /* And whoever is faster with it takes nothing from the session it is for. */
    id = drawn_session(f);
    token = soft_evidence_bytes(f);
    assert_affirmed(f, submit_to(f, soft_session(f), token));
    assert_affirmed(f, submit_to(f, id, token));
    assert_used(submit_to(f, soft_session(f), token));
}

/* ---- decisions, failures -----------------------------------------------------------------------
 */

typedef struct seen {
    unsigned calls;
    bool proven, answer, token;
    char reason[256];
} seen;

static bool look(void *user, const as_veraison_finding *found)
{
    seen *s = user;
    s->calls++;
    s->proven = found->proven;
    s->token = found->token.p != NULL;
    (void)snprintf(s->reason, sizeof s->reason, "%s", found->reason ? found->reason : "");
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

static void a_replay_is_a_decision(void **state)
{
    verifier *f = *state;
    seen s = {.answer = true};
    vs_span token = soft_evidence_bytes(f);
    (void)ear_of(f, submit_seen(f, soft_session(f), token, &s));
    assert_true(s.proven && s.token);
    assert_used(submit_seen(f, soft_session(f), token, &s));
    assert_int_equal(s.calls, 2);
    assert_false(s.proven || s.token);
    assert_non_null(strstr(s.reason, "had its result in another session"));
    s.answer = false; /* what cannot be recorded is not told either */
    told t = submit_seen(f, soft_session(f), token, &s);
    assert_int_equal(t.status, AS_VERAISON_FAILED);
    assert_string_equal(t.detail, "the verifier failed");
}

/* The evidence is the session's from then on: it can try again, nobody else can. */
static void a_failure_after_the_evidence_was_taken_leaves_it_to_the_session(void **state)
{
    verifier *f = *state;
    seen s = {.answer = false};
    vs_span token = soft_evidence_bytes(f), id = soft_session(f);
    assert_int_equal(submit_seen(f, id, token, &s).status, AS_VERAISON_FAILED);
    assert_used(submit_to(f, soft_session(f), token));
    assert_affirmed(f, submit_to(f, id, token));
}

static void evidence_that_cannot_be_remembered_has_no_result(void **state)
{
    verifier *f = *state;
    as_local *as = (as_local *)f->w.as;
    vs_store *good = as->store, *broken = NULL, *both = NULL;
    vs_error err = {0};
    char dir[] = "/tmp/vs-veraison-XXXXXX";
    assert_non_null(mkdtemp(dir));
    vs_span id = soft_session(f), token = soft_evidence_bytes(f);
    const char *in_the_way = vs_sprintf(&f->w.a, "%s/veraison_evidence", dir);
    assert_vs_ok(vs_store_open_localfs(dir, &broken, &err), &err);
    assert_vs_ok(vs_write_file(in_the_way, VS_LIT("no directory"), 0600, &err), &err);
    const vs_store_route route = {"veraison_evidence", broken};
    assert_vs_ok(vs_store_open_routed(good, &route, 1, &both, &err), &err);
    as->store = both;
    told t = submit_to(f, id, token);
    as->store = good;
    vs_store_close(&both);
    vs_store_close(&broken);
    assert_int_equal(unlink(in_the_way), 0);
    (void)rmdir(dir);
    assert_int_equal(t.status, AS_VERAISON_FAILED);
    assert_false(vs_defined(t.json));
    assert_affirmed(f, submit_to(f, id, token));
}

/* ---- time, replicas, threads -------------------------------------------------------------------
 */

static void used_evidence_is_forgotten_after_the_configured_time(void **state)
{
    (void)state;
    static const int64_t days[] = {0, 1, 3};
    for (size_t i = 0; i < VS_COUNT(days); i++) {
        verifier f;
        verifier_open_with(&f, (as_veraison_config){.remember_s = days[i] * DAY});
        int64_t life = days[i] ? days[i] * DAY : DAY;
        vs_span token = soft_evidence_bytes(&f);
        assert_affirmed(&f, submit_to(&f, soft_session(&f), token));
        f.now = NOW + life - 1;
        as_veraison_tick(f.v, f.now);
        assert_used(submit_to(&f, soft_session(&f), token));
        f.now = NOW + life + 1;
        as_veraison_tick(f.v, f.now);
        assert_int_equal(in_store(&f, "veraison_evidence"), 0);
        assert_affirmed(&f, submit_to(&f, soft_session(&f), token));
        verifier_close(&f);
    }
}

typedef struct racer {
    verifier f; /* a replica */
    vs_span id, body;
    as_veraison_status status;
} racer;

static void *race(void *user)
{
    racer *r = user;
    r->status = submit_to(&r->f, r->id, r->body).status;
    return NULL;
}

static void of_many_at_once_one_session_has_it(void **state)
{
    verifier *f = *state;
    racer all[8];
    pthread_t threads[VS_COUNT(all)];
    const as_veraison_config how = {0};
    vs_span body = soft_evidence_bytes(f);
    for (size_t i = 0; i < VS_COUNT(all); i++) {
        all[i] = (racer){.f = *f, .id = soft_session(f), .body = body};
        vs_arena_init(&all[i].f.w.a, 0);
        assert_vs_code(as_veraison_new(f->w.as, &how, &all[i].f.v, NULL), VS_OK);
    }
    for (size_t i = 0; i < VS_COUNT(all); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, race, &all[i]), 0);
    unsigned good = 0, used = 0;
    for (size_t i = 0; i < VS_COUNT(all); i++) {
        (void)pthread_join(threads[i], NULL);
        good += all[i].status == AS_VERAISON_OK;
        used += all[i].status == AS_VERAISON_USED;
        as_veraison_free(&all[i].f.v);
        vs_arena_free(&all[i].f.w.a);
    }
    assert_int_equal(good, 1);
    assert_int_equal(used, VS_COUNT(all) - 1);
}

/* ---- what the operator can choose --------------------------------------------------------------
 */

static void any_number_of_sessions_when_the_operator_says_so(void **state)
{
    (void)state;
    verifier f;
    verifier_open_with(&f, (as_veraison_config){.client_nonces = AS_CLIENT_NONCES_ANY});
    vs_span token = soft_evidence_bytes(&f);
    for (unsigned i = 0; i < 3; i++)
        assert_affirmed(&f, submit_to(&f, soft_session(&f), token));
    assert_int_equal(in_store(&f, "veraison_evidence"), 0);
    verifier_close(&f);
}

static void nonces_of_clients_are_refused_when_the_operator_says_so(void **state)
{
    verifier *f = *state;
    as_veraison *lenient = f->v, *strict = NULL;
    const as_veraison_config how = {.client_nonces = AS_CLIENT_NONCES_REFUSED};
    assert_vs_code(as_veraison_new(f->w.as, &how, &strict, NULL), VS_OK);
    vs_span before = soft_session(f), token = soft_evidence_bytes(f);
    f->v = strict;
    told t = call(f, (as_veraison_call){.verb = AS_VERAISON_NEW, .nonce = VS_LIT(GOOD_NONCE)});
    assert_int_equal(t.status, AS_VERAISON_BAD_REQUEST);
    assert_string_equal(t.detail, "this verifier draws nonces itself and takes none");
    /* Opened by a replica with the configuration of before. */
    assert_int_equal(submit_to(f, before, token).status, AS_VERAISON_NOT_FOUND);
    vs_span id = drawn_session(f);
    assert_affirmed(f, submit_to(f, id, soft_evidence_bytes(f)));
    f->v = lenient;
    as_veraison_free(&strict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, verifier_setup, verifier_teardown)
        T(evidence_for_a_chosen_nonce_has_one_session),
        T(evidence_that_is_wrapped_or_signed_anew_is_the_same),
        T(a_nonce_with_more_zeros_is_the_same),
        T(other_evidence_for_the_same_nonce_counts),
        T(what_proves_nothing_uses_nothing_up),
        T(sessions_with_drawn_nonces_are_as_before),
        T(a_replay_is_a_decision),
        T(a_failure_after_the_evidence_was_taken_leaves_it_to_the_session),
        T(evidence_that_cannot_be_remembered_has_no_result),
        cmocka_unit_test(used_evidence_is_forgotten_after_the_configured_time),
        T(of_many_at_once_one_session_has_it),
        cmocka_unit_test(any_number_of_sessions_when_the_operator_says_so),
        T(nonces_of_clients_are_refused_when_the_operator_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
