/* SPDX-License-Identifier: Apache-2.0 */
/* A verifier and a provider in another process, seen through the tables of functions: against the
 * real service, and against one that answers what a test wants answered. */
#include "as_server.h"

#include "administration.pb-c.h"
#include "as/backend.h"
#include "as/replay.h"
#include "base/clock.h"
#include "rvps/record.h"

/* ---- against the real service ---------------------------------------------------------------- */

typedef struct both {
    as_server *s;
    as_service *as;
    rvps *rv;
} both;

static int both_setup(void **state)
{
    vs_error err = {0};
    both *b = calloc(1, sizeof *b);
    void *server = NULL;
    assert_non_null(b);
    assert_int_equal(server_setup(&server), 0);
    b->s = server;
    assert_vs_ok(as_remote_new(b->s->client, &b->as, &err), &err);
    assert_vs_ok(rvps_remote_new(b->s->client, &b->rv, &err), &err);
    *state = b;
    return 0;
}

static int both_teardown(void **state)
{
    both *b = *state;
    void *server = b->s;
    as_free(&b->as);
    rvps_free(&b->rv);
    (void)server_teardown(&server);
    free(b);
    return 0;
}

static vs_code policy_of_service(const void *user, vs_span id, vs_span sha256, vs_arena *a,
                                 vs_span *text, vs_error *err)
{
    (void)id;
    return as_policy_text((as_service *)(uintptr_t)user, sha256, a, text, err);
}

static void evaluations_are_those_of_the_service(void **state)
{
    both *b = *state;
    world *w = &b->s->w;
    vs_error err = {0};
    as_result far, near;
    as_request r = sample_request(w, "sample", RUNTIME);
    assert_vs_ok(as_evaluate(b->as, &r, 1, VS_LIT("default"), 0, &w->a, &far, &err), &err);
    assert_vs_ok(
        as_evaluate(w->as, &r, 1, VS_LIT("default"), far.expires - 300, &w->a, &near, &err), &err);
    assert_string_equal(far.status, near.status);
    assert_int_equal(far.expires, near.expires);
    vs_val claims = token_claims(w, far.token);
    assert_int_equal(at(claims, "/exp").u.i, far.expires);
    assert_true(vs_eq(far.explanation, near.explanation));
    as_replayed again;
    const as_replay_options opts = {.policy = policy_of_service, .user = b->as};
    assert_vs_ok(as_replay(as_result_record(&far, &w->a), &opts, &w->a, &again, &err), &err);
    assert_true(again.same);
    VS_CLEANUP(vs_buf_free) vs_buf reasons = VS_BUF(1000);
    as_reasons(far.explanation, &reasons);
    assert_non_null(strstr((const char *)reasons.p, "cpu0: "));
}

/* A peer that has Trustee's services only. */
static void of_trustees_service_only_the_token_is_known(void **state)
{
    both *b = *state;
    world *w = &b->s->w;
    vs_error err = {0};
    as_result far;
    vs_val v;
    as_policy_state state_of;
    rvps_page page;
    rvps_entry entry;
    as_request r = sample_request(w, "sample", RUNTIME);
    b->s->services.n_methods = AS_GRPC_METHODS + RVPS_GRPC_METHODS;
    for (unsigned i = 0; i < 2; i++) { /* the second time without asking for more */
        assert_vs_ok(as_evaluate(b->as, &r, 1, VS_LIT("default"), 0, &w->a, &far, &err), &err);
        assert_false(vs_defined(as_result_record(&far, &w->a)));
        assert_span_is(vs_text(at(far.explanation, "/0/submod")), "cpu0");
        assert_span_is(vs_text(at(far.explanation, "/0/status")), far.status);
        VS_CLEANUP(vs_buf_free) vs_buf reasons = VS_BUF(1000);
        as_reasons(far.explanation, &reasons);
        assert_non_null(strstr((const char *)reasons.p, "cpu0: "));
    }
    const as_change c = {.kind = AS_SET, .id = VS_LIT("x_cpu"), .text = VS_LIT("package policy\n")};
    assert_vs_code(as_list_policies(b->as, &w->a, &v, &err), VS_E_UNSUPPORTED);
    assert_vs_code(as_read_policy(b->as, c.id, &w->a, &state_of, &err), VS_E_UNSUPPORTED);
    assert_vs_code(as_policy_history(b->as, c.id, &w->a, &v, &err), VS_E_UNSUPPORTED);
    assert_vs_code(as_change_policy(b->as, &c, &w->a, &state_of, &err), VS_E_UNSUPPORTED);
    assert_vs_code(rvps_list(b->rv, VS_LIT(""), VS_LIT(""), 10, &w->a, &page, &err),
                   VS_E_UNSUPPORTED);
    assert_vs_code(rvps_get(b->rv, VS_LIT("x"), 0, &w->a, &entry, &err), VS_E_UNSUPPORTED);
    assert_vs_code(rvps_delete(b->rv, VS_LIT("x"), VS_LIT("me"), &err), VS_E_UNSUPPORTED);
    assert_vs_ok(as_set_policy(b->as, c.id, c.text, &err), &err);
    assert_vs_ok(rvps_register_by(b->rv,
                                  VS_LIT("{\"type\":\"sample\",\"payload\":\"eyJtIjoxfQ==\"}"),
                                  VS_LIT("me"), 0, &err),
                 &err);
}

/* One of ours that does not know us does what Trustee's does, and for the rest says why not. */
static void a_service_that_does_not_know_us_is_as_trustees(void **state)
{
    both *b = *state;
    world *w = &b->s->w;
    vs_error err = {0};
    as_result far;
    vs_val v;
    rvps_page page;
    as_request r = sample_request(w, "sample", RUNTIME);
    b->s->services.strangers_may = false;
    for (unsigned i = 0; i < 2; i++) { /* the second time without asking for more */
        assert_vs_ok(as_evaluate(b->as, &r, 1, VS_LIT("default"), 0, &w->a, &far, &err), &err);
        assert_false(vs_defined(as_result_record(&far, &w->a)));
        assert_span_is(vs_text(at(far.explanation, "/0/submod")), "cpu0");
    }
    assert_vs_ok(as_set_policy(b->as, VS_LIT("x_cpu"), VS_LIT("package policy\n"), &err), &err);
    const vs_span sample = VS_LIT("{\"type\":\"sample\",\"payload\":\"eyJtIjoxfQ==\"}");
    assert_vs_ok(rvps_register_by(b->rv, sample, VS_LIT("me"), 0, &err), &err);
    assert_vs_ok(rvps_query(b->rv, VS_LIT("m"), 0, &w->a, &v, &err), &err);
    assert_json_eq(w, v, "1");
    assert_vs_code(rvps_register_by(b->rv, VS_LIT("{"), VS_LIT("me"), 0, &err), VS_E_DENIED);
    (void)vs_error_text(&err, b->s->error, sizeof b->s->error);
    assert_says(b->s, "is not JSON"); /* what is wrong with it, not who we are */
    assert_vs_code(rvps_list(b->rv, VS_LIT(""), VS_LIT(""), 10, &w->a, &page, &err), VS_E_DENIED);
    (void)vs_error_text(&err, b->s->error, sizeof b->s->error);
    assert_says(b->s, "--client-ca");
    assert_vs_code(rvps_delete(b->rv, VS_LIT("m"), VS_LIT("me"), &err), VS_E_DENIED);
    assert_vs_ok(rvps_query(w->rv, VS_LIT("m"), 1, &w->a, &v, &err), &err);
    assert_json_eq(w, v, "1");
}

/* As a record lies in the store of a provider, whoever made it. */
static void store_key(world *w, const char *id, const char *provenance)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(4096);
    vs_error err = {0};
    vs_buf_printf(&text,
                  "{\"version\":\"0.1.0\",\"name\":\"cca.cpak.%s\",\"expiration\":"
                  "\"2093-01-01T00:00:00Z\",\"value\":[{\"key\":1},{\"key\":2,\"valid-until\":"
                  "\"2001-01-01T00:00:00Z\"}]%s}",
                  id, provenance);
    const char *name = vs_sprintf(&w->a, "cca.cpak.%s", id);
    assert_vs_ok(vs_store_put(w->store, RVPS_NAMESPACE, vs_str(name), vs_buf_span(&text), 0,
                              VS_PUT_REPLACE, &err),
                 &err);
}

static vs_val key_from_afar(both *b, const char *name)
{
    vs_error err = {0};
    vs_val v;
    assert_vs_ok(rvps_query(b->rv, vs_str(name), vs_now_s(), &b->s->w.a, &v, &err), &err);
    return v;
}

/* Trustee's provider takes a "sample" under any name from anybody: that makes no platform genuine.
 */
static void attestation_keys_come_from_a_provider_that_guards_them(void **state)
{
    both *b = *state;
    world *w = &b->s->w;
    store_key(w, "01aa", ",\"provenance\":{\"type\":\"corim\"}");
    store_key(w, "01bb", ",\"provenance\":{\"type\":\"sample\"}");
    store_key(w, "01cc", "");
    assert_json_eq(w, key_from_afar(b, "cca.cpak.01aa"), "[{'key': 1}]");
    assert_false(vs_defined(key_from_afar(b, "cca.cpak.01bb")));
    assert_false(vs_defined(key_from_afar(b, "cca.cpak.01cc")));
    assert_false(vs_defined(key_from_afar(b, "cca.cpak.01dd")));
    b->s->services.strangers_may = false; /* nor does asking take a right to administrate */
    assert_json_eq(w, key_from_afar(b, "cca.cpak.01aa"), "[{'key': 1}]");
    assert_false(vs_defined(key_from_afar(b, "cca.cpak.01bb")));
    b->s->services.n_methods = AS_GRPC_METHODS + RVPS_GRPC_METHODS;
    assert_false(vs_defined(key_from_afar(b, "cca.cpak.01aa")));
    assert_false(vs_defined(key_from_afar(b, "cca.cpak.01bb")));
}

static void all_forms_of_data_arrive(void **state)
{
    both *b = *state;
    world *w = &b->s->w;
    vs_error err = {0};
    as_result out;
    as_request r = {.tee = VS_LIT("sample"), .runtime_kind = AS_DATA_RAW};
    r.runtime_raw = VS_LIT("a\0b"); /* NUL is data here */
    r.evidence = json1(w, "{'svn':'1','report_data':'YQBi'}");
    assert_vs_ok(as_evaluate(b->as, &r, 1, VS_LIT("default"), 0, &w->a, &out, &err), &err);
    r.init_kind = AS_INIT_DIGEST;
    r.init = VS_LIT("\0\1\2");
    assert_vs_ok(as_evaluate(b->as, &r, 1, VS_LIT("default"), 0, &w->a, &out, &err), &err);
    assert_span_is(vs_text(at(token_claims(w, out.token),
                              "/submods/cpu0/ear.veraison.annotated-evidence/init_data")),
                   "AAEC");
    r.init_kind = AS_INIT_TOML;
    r.init = VS_LIT("version = \"0.1.0\"\nalgorithm = \"sha256\"\n[data]\n");
    assert_vs_ok(as_evaluate(b->as, &r, 1, VS_LIT("default"), 0, &w->a, &out, &err), &err);
    r.init = VS_LIT("version = \"0.1.0\"\0");
    assert_vs_code(as_evaluate(b->as, &r, 1, VS_LIT("default"), 0, &w->a, &out, &err), VS_E_PARSE);
    r = sample_request(w, "sample", RUNTIME);
    r.runtime_hash = VS_SHA512;
    assert_vs_code(as_evaluate(b->as, &r, 1, VS_LIT("default"), 0, &w->a, &out, &err),
                   VS_E_CONFLICT);
    assert_non_null(strstr(vs_error_text(&err, b->s->error, sizeof b->s->error),
                           "ABORTED: Attestation evaluation failed: "));
}

static void policies_and_challenges(void **state)
{
    both *b = *state;
    world *w = &b->s->w;
    vs_error err = {0};
    vs_span text;
    as_policy_state now;
    assert_vs_ok(as_set_policy(b->as, VS_LIT("mine_cpu"), VS_LIT("package policy\n"), &err), &err);
    assert_vs_ok(as_read_policy(w->as, VS_LIT("mine_cpu"), &w->a, &now, &err), &err);
    assert_span_is(now.text, "package policy\n");
    assert_int_equal(now.version, 1); /* it has a record at once */
    assert_vs_code(as_set_policy(b->as, VS_LIT("x"), VS_LIT("package"), &err), VS_E_CONFLICT);
    assert_vs_code(as_set_policy(b->as, VS_LIT("x\0y"), VS_LIT("package policy\n"), &err),
                   VS_E_INVALID);
    assert_vs_ok(as_challenge(b->as, VS_LIT("cca"), vs_undefined(), &w->a, &text, &err), &err);
    assert_int_equal(text.n, 0);
    assert_vs_code(as_challenge(b->as, VS_LIT("se"), json1(w, "{'a':1}"), &w->a, &text, &err),
                   VS_E_CONFLICT);
    assert_false(vs_defined(as_signer_jwk(b->as)));
}

static as_policy_state change(both *b, as_change c)
{
    vs_error err = {0};
    as_policy_state now;
    c.id = VS_LIT("mine_cpu");
    c.who = VS_LIT("alice");
    assert_vs_ok(as_change_policy(b->as, &c, &b->s->w.a, &now, &err), &err);
    return now;
}

static void policies_have_their_versions_from_afar(void **state)
{
    both *b = *state;
    world *w = &b->s->w;
    vs_error err = {0};
    const vs_span one = VS_LIT("package policy\n"), two = VS_LIT("package policy\nx := 1\n");
    as_policy_state far, near;
    vs_span text;
    vs_val v;
    assert_vs_ok(as_read_policy(b->as, VS_LIT("mine_cpu"), &w->a, &far, &err), &err);
    assert_false(far.exists);
    (void)change(b, (as_change){.kind = AS_SET, .text = one, .if_none_match = VS_LIT("*")});
    far = change(b, (as_change){.kind = AS_SET, .text = two, .note = VS_LIT("why")});
    assert_vs_ok(as_read_policy(w->as, VS_LIT("mine_cpu"), &w->a, &near, &err), &err);
    assert_int_equal(far.version, 2);
    assert_string_equal(far.etag, near.etag);
    assert_string_equal(far.sha256, near.sha256);
    /* Conditions hold across the wire, an empty one too: nothing has that tag. */
    const as_change stale[] = {
        {.kind = AS_SET, .id = VS_LIT("mine_cpu"), .text = one, .if_match = VS_LIT("\"1-0\"")},
        {.kind = AS_SET, .id = VS_LIT("mine_cpu"), .text = one, .if_match = VS_LIT("")},
        {.kind = AS_SET, .id = VS_LIT("mine_cpu"), .text = one, .if_none_match = VS_LIT("*")}};
    for (size_t i = 0; i < VS_COUNT(stale); i++)
        assert_vs_code(as_change_policy(b->as, &stale[i], &w->a, &near, &err), VS_E_CONFLICT);
    assert_vs_ok(as_read_policy_version(b->as, VS_LIT("mine_cpu"), 1, &w->a, &text, &err), &err);
    assert_span_eq(text, one);
    assert_vs_code(as_read_policy_version(b->as, VS_LIT("mine_cpu"), 9, &w->a, &text, &err),
                   VS_E_NOT_FOUND);
    (void)change(b, (as_change){.kind = AS_ROLL_BACK});
    (void)change(b, (as_change){.kind = AS_ACTIVATE, .version = 2});
    assert_vs_ok(as_policy_history(b->as, VS_LIT("mine_cpu"), &w->a, &v, &err), &err);
    assert_int_equal(v.len, 4);
    assert_span_is(vs_text(at(v, "/1/who")), "alice, by the peer's word");
    assert_span_is(vs_text(at(v, "/1/note")), "why");
    assert_vs_ok(as_list_policies(b->as, &w->a, &v, &err), &err);
    assert_int_equal(v.len, 5);
    far = change(b, (as_change){.kind = AS_DELETE});
    assert_false(far.exists);
    const as_change shipped = {.kind = AS_DELETE, .id = VS_LIT("default_cpu")};
    assert_vs_code(as_change_policy(b->as, &shipped, &w->a, &far, &err), VS_E_DENIED);
    const as_change nul = {.kind = AS_DELETE, .id = VS_LIT("mine\0cpu")};
    assert_vs_code(as_change_policy(b->as, &nul, &w->a, &far, &err), VS_E_INVALID);
    const as_change wrong = {.kind = AS_SET, .id = VS_LIT("bad_cpu"), .text = VS_LIT("package")};
    assert_vs_code(as_change_policy(b->as, &wrong, &w->a, &far, &err), VS_E_INVALID);
    assert_vs_code(
        as_policy_text(b->as,
                       VS_LIT("0000000000000000000000000000000000000000000000000000000000000000"),
                       &w->a, &text, &err),
        VS_E_NOT_FOUND);
}

static void reference_values_go_through(void **state)
{
    both *b = *state;
    world *w = &b->s->w;
    vs_error err = {0};
    vs_val v;
    endorse(w, "{\"n\":[\"x\",1.50,null],\"nothing\":null}");
    assert_vs_ok(rvps_query(b->rv, VS_LIT("n"), 0, &w->a, &v, &err), &err);
    assert_json_eq(w, v, "['x',1.50,null]");
    assert_vs_ok(rvps_query(b->rv, VS_LIT("nothing"), 0, &w->a, &v, &err), &err);
    assert_int_equal(v.kind, VS_NULL); /* a value, unlike what follows */
    static const char *const none[] = {"absent", "", "n\xff"};
    for (size_t i = 0; i < VS_COUNT(none); i++) {
        assert_vs_ok(rvps_query(b->rv, vs_str(none[i]), 0, &w->a, &v, &err), &err);
        assert_false(vs_defined(v));
    }
    assert_vs_ok(rvps_query(b->rv, VS_LIT("n\0"), 0, &w->a, &v, &err), &err);
    assert_false(vs_defined(v));
    assert_vs_ok(
        rvps_register(b->rv, VS_LIT("{\"type\":\"sample\",\"payload\":\"eyJtIjoxfQ==\"}"), 0, &err),
        &err);
    assert_vs_ok(rvps_query(w->rv, VS_LIT("m"), 1, &w->a, &v, &err), &err);
    assert_json_eq(w, v, "1");
    assert_vs_code(rvps_register(b->rv, VS_LIT("{}"), 0, &err), VS_E_CONFLICT);
    assert_vs_code(rvps_register_by(b->rv, VS_LIT("{}"), VS_LIT("bob"), 0, &err), VS_E_INVALID);
    assert_vs_code(
        rvps_register(b->rv, VS_LIT("{\"type\":\"sample\",\"payload\":\"\"}\0"), 0, &err),
        VS_E_INVALID);
}

static void reference_values_are_listed_and_deleted_from_afar(void **state)
{
    both *b = *state;
    world *w = &b->s->w;
    vs_error err = {0};
    rvps_page page;
    rvps_entry e;
    assert_vs_ok(rvps_register_by(b->rv,
                                  VS_LIT("{\"type\":\"sample\",\"payload\":"
                                         "\"eyJhIjoxLCJiIjpbIngiLDEuNTBdLCJjIjpudWxsfQ==\"}"),
                                  VS_LIT("bob"), 0, &err),
                 &err); /* {"a":1,"b":["x",1.50],"c":null} */
    assert_vs_ok(rvps_list(b->rv, VS_LIT(""), VS_LIT(""), 2, &w->a, &page, &err), &err);
    assert_true(page.more && page.n == 2);
    assert_vs_ok(rvps_list(b->rv, VS_LIT(""), page.names[1], 2, &w->a, &page, &err), &err);
    assert_true(!page.more && page.n == 1);
    assert_span_is(page.names[0], "c");
    assert_vs_code(rvps_list(b->rv, VS_LIT(""), VS_LIT(""), 1001, &w->a, &page, &err),
                   VS_E_INVALID);
    assert_vs_ok(rvps_get(b->rv, VS_LIT("b"), 0, &w->a, &e, &err), &err);
    assert_json_eq(w, e.value, "['x',1.50]");
    assert_true(e.valid && e.not_before == INT64_MIN && e.expires > vs_now_s());
    assert_span_is(vs_text(at(e.provenance, "/by")), "bob, by the peer's word");
    assert_vs_code(rvps_get(b->rv, VS_LIT("z"), 0, &w->a, &e, &err), VS_E_NOT_FOUND);
    assert_vs_code(rvps_get(b->rv, VS_LIT("b\0"), 0, &w->a, &e, &err), VS_E_INVALID);
    assert_vs_ok(rvps_delete(b->rv, VS_LIT("b"), VS_LIT("bob"), &err), &err);
    assert_vs_code(rvps_delete(b->rv, VS_LIT("b"), VS_LIT("bob"), &err), VS_E_NOT_FOUND);
    b->s->values.no_delete = true; /* what comes with a signature only does not go without */
    assert_vs_code(rvps_delete(b->rv, VS_LIT("a"), VS_LIT("bob"), &err), VS_E_DENIED);
    assert_vs_ok(rvps_get(b->rv, VS_LIT("a"), 0, &w->a, &e, &err), &err);
}

/* What strangers can send to the administration's methods. */
static void hostile_messages_are_refused(void **state)
{
    both *b = *state;
    static const char *const methods[] = {"/" AS_ADMIN_SERVICE "/EvaluateAndTell",
                                          "/" AS_ADMIN_SERVICE "/ReadPolicy",
                                          "/" AS_ADMIN_SERVICE "/PolicyHistory",
                                          "/" AS_ADMIN_SERVICE "/ChangePolicy",
                                          "/" RVPS_ADMIN_SERVICE "/ListReferenceValues",
                                          "/" RVPS_ADMIN_SERVICE "/GetReferenceValue",
                                          "/" RVPS_ADMIN_SERVICE "/DeleteReferenceValue",
                                          "/" RVPS_ADMIN_SERVICE "/RegisterReferenceValue"};
    static const vs_span bad[] = {VS_LIT("\xff"),
                                  VS_LIT("\x0a\x05"
                                         "ab"),
                                  VS_LIT("\x0a\x01\xff"), VS_LIT("\x0b")};
    for (size_t m = 0; m < VS_COUNT(methods); m++)
        for (size_t i = 0; i < VS_COUNT(bad); i++)
            assert_int_not_equal(say_bytes(b->s, methods[m], bad[i]), VS_GRPC_OK);
    /* No such change; no such digest; a page of none. */
    assert_int_equal(say_bytes(b->s, methods[3], VS_LIT("\x08\x09\x12\x01x")),
                     VS_GRPC_INVALID_ARGUMENT);
    assert_int_equal(say_bytes(b->s, methods[1], VS_LIT("\x1a\x05../..")),
                     VS_GRPC_INVALID_ARGUMENT);
    assert_int_equal(say_bytes(b->s, methods[4], VS_LIT("")), VS_GRPC_INVALID_ARGUMENT);
}

static void nobody_there_is_a_precise_error(void **state)
{
    both *b = *state;
    world *w = &b->s->w;
    vs_error err = {0};
    vs_val v;
    as_result out;
    char want[160];
    (void)snprintf(want, sizeof want,
                   "attestation service: gRPC /" AS_ADMIN_SERVICE "/EvaluateAndTell "
                   "at 127.0.0.1:%u: ",
                   vs_http_server_port(b->s->http, 0));
    vs_http_server_stop(&b->s->http, 100);
    as_request r = sample_request(w, "sample", RUNTIME);
    assert_vs_code(as_evaluate(b->as, &r, 1, VS_LIT("default"), 0, &w->a, &out, &err), VS_E_IO);
    (void)vs_error_text(&err, b->s->error, sizeof b->s->error);
    assert_says(b->s, want);
    assert_says(b->s, "refused");
    assert_vs_code(rvps_query(b->rv, VS_LIT("n"), 0, &w->a, &v, &err), VS_E_IO);
    assert_false(vs_defined(v));
}

/* ---- against one that answers anything ------------------------------------------------------- */

static struct {
    vs_buf request, reply;
    bool tells;
} fake = {VS_BUF(1 << 20), VS_BUF(1 << 20), false};

static void answer(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    (void)user;
    vs_buf_clear(&fake.request);
    vs_buf_put(&fake.request, call->request);
    vs_buf_put(&reply->body, vs_buf_span(&fake.reply));
}

static void tell(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    if (fake.tells)
        answer(user, call, reply);
    else
        vs_grpc_fail(call, reply, VS_GRPC_UNIMPLEMENTED, "no such method");
}

static int fake_setup(void **state)
{
    static const vs_grpc_method methods[] = {
        {"/" AS_ADMIN_SERVICE "/EvaluateAndTell", tell, NULL},
        {"/attestation.AttestationService/AttestationEvaluate", answer, NULL},
        {"/attestation.AttestationService/GetAttestationChallenge", answer, NULL},
        {"/reference.ReferenceValueProviderService/QueryReferenceValue", answer, NULL}};
    static const vs_grpc_services services = {.methods = methods, .n_methods = VS_COUNT(methods)};
    vs_error err = {0};
    both *b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->s = calloc(1, sizeof *b->s);
    assert_non_null(b->s);
    vs_arena_init(&b->s->w.a, 0);
    server_start(b->s, &services);
    assert_vs_ok(as_remote_new(b->s->client, &b->as, &err), &err);
    assert_vs_ok(rvps_remote_new(b->s->client, &b->rv, &err), &err);
    *state = b;
    return 0;
}

static int fake_teardown(void **state)
{
    both *b = *state;
    as_free(&b->as);
    rvps_free(&b->rv);
    vs_buf_free(&b->s->reply);
    vs_grpc_client_free(&b->s->client);
    vs_http_server_stop(&b->s->http, 100);
    vs_arena_free(&b->s->w.a);
    free(b->s);
    free(b);
    vs_buf_free(&fake.request);
    vs_buf_free(&fake.reply);
    return 0;
}

static void will_answer_token(const char *token)
{
    Attestation__AttestationResponse m = ATTESTATION__ATTESTATION_RESPONSE__INIT;
    char *copy = strdup(token);
    assert_non_null(copy);
    m.attestation_token = copy;
    vs_buf_clear(&fake.reply);
    vs_pb_pack(&fake.reply, &m.base);
    free(copy);
}

static void will_answer_claims(both *b, const char *claims)
{
    char token[4096];
    (void)snprintf(token, sizeof token, "%s.%s.AAAA", b64url(b->s, "{\"alg\":\"ES256\"}"),
                   b64url(b->s, claims));
    will_answer_token(token);
}

static vs_code evaluate_here(both *b, as_result *out)
{
    vs_error err = {0};
    as_request r = {.tee = VS_LIT("cca"), .evidence = vs_empty(VS_OBJECT)};
    vs_code code = as_evaluate(b->as, &r, 1, VS_LIT("default"), 0, &b->s->w.a, out, &err);
    (void)vs_error_text(&err, b->s->error, sizeof b->s->error);
    return code;
}

static void what_a_kbs_sends(void **state)
{
    both *b = *state;
    vs_arena *a = &b->s->w.a;
    vs_error err = {0};
    as_result out;
    as_request r[] = {{.tee = VS_LIT("cca"),
                       .evidence = json1(&b->s->w, "{'token':[1,2]}"),
                       .runtime_kind = AS_DATA_STRUCTURED,
                       .runtime_json = json1(&b->s->w, "{'nonce':'n','tee-pubkey':{'kty':'EC'}}"),
                       .init_kind = AS_INIT_TOML,
                       .init = VS_LIT("x = 1")},
                      {.tee = VS_LIT("se"),
                       .evidence = json1(&b->s->w, "{}"),
                       .runtime_kind = AS_DATA_STRUCTURED,
                       .runtime_json = json1(&b->s->w, "{}"),
                       .runtime_hash = VS_SHA512}};
    will_answer_claims(b, "{\"exp\":7,\"submods\":{}}");
    assert_vs_ok(as_evaluate(b->as, r, 2, VS_LIT("default"), 0, a, &out, &err), &err);
    assert_int_equal(out.expires, 7);
    assert_string_equal(out.status, "none");
    ProtobufCMessage *raw;
    assert_vs_ok(vs_pb_unpack(a, &attestation__attestation_request__descriptor,
                              vs_buf_span(&fake.request), &raw, &err),
                 &err);
    const Attestation__AttestationRequest *m = (const void *)raw;
    assert_int_equal(m->n_policy_ids, 1);
    assert_string_equal(m->policy_ids[0], "default");
    assert_int_equal(m->n_verification_requests, 2);
    const Attestation__IndividualAttestationRequest *one = m->verification_requests[0];
    assert_string_equal(one->tee, "cca");
    assert_string_equal(one->evidence, b64url(b->s, "{\"token\":[1,2]}"));
    assert_int_equal(
        one->runtime_data_case,
        ATTESTATION__INDIVIDUAL_ATTESTATION_REQUEST__RUNTIME_DATA_STRUCTURED_RUNTIME_DATA);
    assert_string_equal(one->structured_runtime_data,
                        "{\"nonce\":\"n\",\"tee-pubkey\":{\"kty\":\"EC\"}}");
    assert_string_equal(one->runtime_data_hash_algorithm, "sha384");
    assert_int_equal(one->init_data_case,
                     ATTESTATION__INDIVIDUAL_ATTESTATION_REQUEST__INIT_DATA_INIT_DATA_TOML);
    assert_string_equal(one->init_data_toml, "x = 1");
    one = m->verification_requests[1];
    assert_string_equal(one->runtime_data_hash_algorithm, "sha512");
    assert_int_equal(one->init_data_case,
                     ATTESTATION__INDIVIDUAL_ATTESTATION_REQUEST__INIT_DATA__NOT_SET);
}

static void statuses_are_read_from_the_token(void **state)
{
    both *b = *state;
    as_result out;
    will_answer_claims(b, "{\"exp\":9,\"submods\":{"
                          "\"cpu0\":{\"ear.status\":\"affirming\","
                          "\"ear.trustworthiness-vector\":{\"executables\":3}},"
                          "\"gpu0\":{\"ear.status\":32,"
                          "\"ear.trustworthiness-vector\":{\"hardware\":2,\"executables\":33}}}}");
    assert_vs_ok(evaluate_here(b, &out), &(vs_error){0});
    assert_string_equal(out.status, "warning");
    assert_json_eq(&b->s->w, at(out.explanation, "/0/reasons"), "[]");
    assert_json_eq(&b->s->w, at(out.explanation, "/1/reasons"),
                   "['executables 33 (unrecognized_rt)']");
    assert_span_is(vs_text(at(out.explanation, "/1/submod")), "gpu0");
}

static void tokens_that_are_none_are_refused(void **state)
{
    both *b = *state;
    as_result out;
    static const struct {
        const char *claims, *says;
    } v[] = {
        {"", "token"},
        {"[]", "expected an object"},
        {"{\"submods\":{}}", "\"exp\" is missing"},
        {"{\"exp\":\"9\",\"submods\":{}}", "\"exp\" must be a number"},
        {"{\"exp\":1.5,\"submods\":{}}", "whole number"},
        {"{\"exp\":1e30,\"submods\":{}}", "whole number"},
        {"{\"exp\":9}", "\"submods\" is missing"},
        {"{\"exp\":9,\"submods\":[]}", "\"submods\" must be"},
        {"{\"exp\":9,\"submods\":{\"cpu0\":1}}", "\"cpu0\" has no ear.status"},
        {"{\"exp\":9,\"submods\":{\"cpu0\":{\"ear.status\":\"fine\"}}}", "ear.status"},
        {"{\"exp\":9,\"submods\":{\"cpu0\":{\"ear.status\":2,"
         "\"ear.trustworthiness-vector\":{\"hardware\":1000}}}}",
         "hardware"},
        {"{\"exp\":9,\"exp\":9,\"submods\":{}}", "duplicate"},
    };
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        will_answer_claims(b, v[i].claims);
        assert_int_not_equal(evaluate_here(b, &out), VS_OK);
        assert_says(b->s, "the attestation service's token: ");
        assert_says(b->s, v[i].says);
    }
    static const char *const bad[] = {"", "x", "a.b", "....", "e30.e30.AA", "e30=.e30.AA"};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        will_answer_token(bad[i]);
        assert_int_not_equal(evaluate_here(b, &out), VS_OK);
        assert_says(b->s, "the attestation service's token: ");
    }
    vs_buf_clear(&fake.reply);
    vs_buf_puts(&fake.reply, "\xff\xff");
    assert_vs_code(evaluate_here(b, &out), VS_E_PARSE);
    assert_says(b->s, "the attestation service's answer: ");
}

static void challenges_are_asked_for_one_tee_only(void **state)
{
    both *b = *state;
    vs_error err = {0};
    vs_span text;
    vs_arena *a = &b->s->w.a;
    Attestation__ChallengeResponse m = ATTESTATION__CHALLENGE_RESPONSE__INIT;
    char challenge[] = "{\"c\":1}";
    m.attestation_challenge = challenge;
    vs_pb_pack(&fake.reply, &m.base);
    vs_buf_clear(&fake.request);
    assert_vs_ok(as_challenge(b->as, VS_LIT("cca"), vs_undefined(), a, &text, &err), &err);
    assert_int_equal(text.n + fake.request.n, 0);
    assert_vs_ok(as_challenge(b->as, VS_LIT("se"), json1(&b->s->w, "{'k':[1]}"), a, &text, &err),
                 &err);
    assert_span_is(text, "{\"c\":1}");
    ProtobufCMessage *raw;
    assert_vs_ok(vs_pb_unpack(a, &attestation__challenge_request__descriptor,
                              vs_buf_span(&fake.request), &raw, &err),
                 &err);
    const Attestation__ChallengeRequest *in = (const void *)raw;
    assert_int_equal(in->n_inner, 2);
    assert_string_equal(in->inner[0]->key, "tee");
    assert_string_equal(in->inner[0]->value, "se");
    assert_string_equal(in->inner[1]->key, "tee_params");
    assert_string_equal(in->inner[1]->value, "{\"k\":[1]}");
}

static void values_that_are_no_json_are_errors_not_absent(void **state)
{
    both *b = *state;
    vs_error err = {0};
    vs_val v;
    static const char *const bad[] = {"\x0a\x01{", "\x0a", "\x0a\x01", "\x0a\x01\xff",
                                      "\x0a\x09[1]"};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        vs_buf_clear(&fake.reply);
        vs_buf_puts(&fake.reply, bad[i]);
        assert_vs_code(rvps_query(b->rv, VS_LIT("n"), 0, &b->s->w.a, &v, &err), VS_E_PARSE);
        assert_false(vs_defined(v));
        (void)vs_error_text(&err, b->s->error, sizeof b->s->error);
        assert_says(b->s, "the value of \"n\": ");
    }
    vs_buf_clear(&fake.reply); /* present and empty: no JSON either */
    vs_buf_put(&fake.reply, VS_LIT("\x0a\0"));
    assert_vs_code(rvps_query(b->rv, VS_LIT("n"), 0, &b->s->w.a, &v, &err), VS_E_PARSE);
}

static void what_is_told_has_its_form(void **state)
{
    both *b = *state;
    static const struct {
        const char *explanation, *record;
        bool good;
    } v[] = {{"[]", "{}", true},  {"", "", true},        {"{}", "{}", false},
             {"[]", "[]", false}, {"[", "{}", false},    {"[]", "{", false},
             {"1", "", false},    {"[]", "null", false}, {"[]", "{\"a\":1,\"a\":2}", false}};
    char token[4096];
    (void)snprintf(token, sizeof token, "%s.%s.AAAA", b64url(b->s, "{\"alg\":\"ES256\"}"),
                   b64url(b->s, "{\"exp\":9,\"submods\":{}}"));
    fake.tells = true;
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        as_result out;
        Vouchsafe__Administration__ToldAttestation m =
            VOUCHSAFE__ADMINISTRATION__TOLD_ATTESTATION__INIT;
        char explanation[40], record[40];
        m.attestation_token = token;
        m.explanation.len =
            (size_t)snprintf(explanation, sizeof explanation, "%s", v[i].explanation);
        m.explanation.data = (uint8_t *)explanation;
        m.record.len = (size_t)snprintf(record, sizeof record, "%s", v[i].record);
        m.record.data = (uint8_t *)record;
        vs_buf_clear(&fake.reply);
        vs_pb_pack(&fake.reply, &m.base);
        if ((evaluate_here(b, &out) == VS_OK) != v[i].good)
            fail_msg("%s and %s", v[i].explanation, v[i].record);
    }
    fake.tells = false;
}

static void addresses(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        vs_code code;
    } v[] = {{"127.0.0.1:50003", VS_OK},     {"http://rvps:50003", VS_OK},
             {"http://rvps:50003/", VS_OK},  {"rvps:50003", VS_OK},
             {"[::1]:50003", VS_OK},         {"ftp://x:1", VS_E_INVALID},
             {"http://x:1/y", VS_E_INVALID}, {"", VS_E_INVALID}};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        vs_error err = {0};
        vs_grpc_client *c = NULL;
        const remote_config cfg = {.address = v[i].address};
        if ((remote_open(&cfg, &c, &err) == VS_OK) != (v[i].code == VS_OK))
            fail_msg("%s: %s", v[i].address, vs_error_at(&err, 0));
        vs_grpc_client_free(&c);
    }
}

#define REAL(f) cmocka_unit_test_setup_teardown(f, both_setup, both_teardown)
#define FAKE(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REAL(evaluations_are_those_of_the_service),
        REAL(attestation_keys_come_from_a_provider_that_guards_them),
        REAL(all_forms_of_data_arrive),
        REAL(of_trustees_service_only_the_token_is_known),
        REAL(a_service_that_does_not_know_us_is_as_trustees),
        REAL(policies_and_challenges),
        REAL(policies_have_their_versions_from_afar),
        REAL(reference_values_go_through),
        REAL(reference_values_are_listed_and_deleted_from_afar),
        REAL(hostile_messages_are_refused),
        REAL(nobody_there_is_a_precise_error),
        FAKE(what_a_kbs_sends),
        FAKE(statuses_are_read_from_the_token),
        FAKE(tokens_that_are_none_are_refused),
        FAKE(what_is_told_has_its_form),
        FAKE(challenges_are_asked_for_one_tee_only),
        FAKE(values_that_are_no_json_are_errors_not_absent),
        cmocka_unit_test(addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
