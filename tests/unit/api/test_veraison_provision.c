/* SPDX-License-Identifier: Apache-2.0 */
/* Veraison's interface for endorsements, over the real front and a whole broker. */
#include "kbs/broker.h"

#include "api/front.h"
#include "base/clock.h"
#include "envelope/corim_template.h"
#include "net/http_client.h"

#define SUBMIT   "/endorsement-provisioning/v1/submit"
#define SESSION  "application/vnd.veraison.provisioning-session+json"
#define CBOR(p)  "application/rim+cbor; profile=\"" p "\""
#define COSE(p)  "application/rim+cose; profile=\"" p "\""
#define PLATFORM "tag:arm.com,2025:cca_platform#1.0.0"
#define REALM    "tag:arm.com,2025:cca_realm#1.0.0"

typedef struct fixture {
    broker b;
    ops ops;
    api_front front;
    vs_http_server *server;
    unsigned port;
    vs_http_client *client;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    vs_error err = {0};
    assert_non_null(f);
    broker_open(&f->b);
    f->front =
        (api_front){.k = f->b.k, .ops = &f->ops, .provisioning = true, .provision = {.k = f->b.k}};
    static const char *const sockets[] = {"127.0.0.1:0"};
    const vs_http_config http = {.sockets = sockets,
                                 .n_sockets = 1,
                                 .threads = 1,
                                 .handler = api_front_handle,
                                 .user = &f->front};
    assert_vs_ok(vs_http_server_start(&http, &f->server, &err), &err);
    f->port = vs_http_server_port(f->server, 0);
    const vs_http_client_config client = {.total_ms = 20000};
    assert_vs_ok(vs_http_client_new(&client, &f->client, &err), &err);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    vs_http_client_free(&f->client);
    vs_http_server_stop(&f->server, 100);
    broker_close(&f->b);
    free(f);
    return 0;
}

/* ---- requests -------------------------------------------------------------------------------- */

typedef struct reply {
    int status;
    vs_val json;
} reply;

typedef struct send_options {
    const char *method, *path, *type, *accept, *bearer;
    vs_span body;
} send_options;

static reply call(fixture *f, send_options o)
{
    vs_arena *a = &f->b.w.a;
    vs_error err = {0};
    const char *headers[4] = {0};
    size_t n = 0;
    vs_buf body = VS_BUF(1 << 20);
    reply r = {0};
    if (o.type)
        headers[n++] = vs_sprintf(a, "Content-Type: %s", o.type);
    headers[n++] = vs_sprintf(a, "Accept: %s", o.accept ? o.accept : SESSION);
    if (o.bearer)
        headers[n++] = vs_sprintf(a, "Authorization: Bearer %s", o.bearer);
    const vs_http_call c = {
        .method = o.method ? o.method : "POST",
        .url = vs_sprintf(a, "http://127.0.0.1:%u%s", f->port, o.path ? o.path : SUBMIT),
        .headers = headers,
        .body = o.body,
        .has_body = !o.method || strcmp(o.method, "POST") == 0};
    assert_vs_ok(vs_http_client_do(f->client, &c, &r.status, &body, &err), &err);
    if (body.n)
        assert_vs_ok(vs_json_parse(a, vs_dup(a, vs_buf_span(&body)), NULL, &r.json, &err), &err);
    vs_buf_free(&body);
    return r;
}

static const char *admin_bearer(fixture *f)
{
    return vs_sprintf(
        &f->b.w.a, "%.*s",
        VS_FMT(sign_admin(&f->b, "{\"iss\":\"tester\",\"role\":\"admin\",\"exp\":4000000000}")));
}

static reply submit(fixture *f, const char *type, vs_span body)
{
    return call(f, (send_options){.type = type, .bearer = admin_bearer(f), .body = body});
}

static void expect_session(reply r, const char *status, const char *why)
{
    int64_t t;
    assert_int_equal(r.status, 200);
    assert_span_is(vs_text(vs_getc(r.json, "status")), status);
    assert_vs_code(vs_time_parse(vs_text(vs_getc(r.json, "expiry")), &t, NULL), VS_OK);
    vs_val reason = vs_getc(r.json, "failure-reason");
    assert_true(vs_defined(reason) == (why != NULL));
    if (why && !memmem(vs_text(reason).p, vs_text(reason).n, why, strlen(why)))
        fail_msg("\"%.*s\" does not say \"%s\"", VS_FMT(vs_text(reason)), why);
}

/* All four members, as Veraison's Rust client wants them. */
static void expect_problem(reply r, int status)
{
    assert_int_equal(r.status, status);
    assert_span_is(vs_text(vs_getc(r.json, "type")), "about:blank");
    assert_true(vs_text(vs_getc(r.json, "title")).n > 0);
    assert_true(vs_text(vs_getc(r.json, "detail")).n > 0);
    assert_true(vs_getc(r.json, "status").u.i == status);
}

#define ZERO  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define HEX_0 "0000000000000000000000000000000000000000000000000000000000000000"
#define CLASS "\"class\":{\"id\":{\"type\":\"bytes\",\"value\":\"" ZERO "\"}}"
#define UEID  "AQICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC"
#define CPAK  "cca.cpak.010202020202020202020202020202020202020202020202020202020202020202"
#define TWO_TRIPLES(profile, version, keys)                                                        \
    "{\"corim-id\":\"c\"" profile                                                                  \
    ",\"comids\":[{\"tag-identity\":{\"id\":\"t\",\"version\":" version                            \
    "},\"triples\":{\"reference-values\":[{\"environment\":{" CLASS                                \
    "},\"measurements\":[{\"key\":{\"type\":\"string\",\"value\":\"cca.software-component\"},"     \
    "\"value\":{\"digests\":[[1,\"" ZERO                                                           \
    "\"]],\"cryptokeys\":[{\"type\":\"bytes\",\"value\":\"" ZERO "\"}]}}]}]" keys "}}]}"
#define KEYS                                                                                       \
    ",\"attester-verification-keys\":[{\"environment\":{" CLASS ",\"instance\":{\"type\":"         \
    "\"ueid\",\"value\":\"" UEID "\"}},\"verification-keys\":[{\"type\":\"pkix-base64-key\","      \
    "\"value\":\"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D7g" \
    "S2XpJFbZiItSs3m9+9Ue6GnvHw/GW2ZZaVtszggXIw==\"}]}]"
#define PROFILE ",\"profile\":\"" PLATFORM "\""

static vs_span manifest(fixture *f, const char *text)
{
    vs_arena *a = &f->b.w.a;
    vs_error err = {0};
    vs_val v;
    vs_buf b = VS_BUF(1 << 20);
    assert_vs_ok(vs_json_parse(a, vs_str(text), NULL, &v, &err), &err);
    assert_vs_ok(corim_put_manifest(&b, a, v, NULL, 0, &err), &err);
    vs_span s = vs_dup(a, vs_buf_span(&b));
    vs_buf_free(&b);
    return s;
}

static vs_span with_keys(fixture *f)
{
    return manifest(f, TWO_TRIPLES(PROFILE, "1", KEYS));
}

static bool is_known(fixture *f, const char *name)
{
    vs_error err = {0};
    vs_val v;
    assert_vs_ok(rvps_query(f->b.w.rv, vs_str(name), vs_now_s(), &f->b.w.a, &v, &err), &err);
    return vs_defined(v);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void discovery_says_what_is_taken(void **state)
{
    fixture *f = *state;
    static const char *const accepted[] = {"application/vnd.veraison.discovery+json",
                                           "application/json", "*/*", "application/*;q=0.5"};
    for (size_t i = 0; i < VS_COUNT(accepted); i++) {
        reply r = call(f, (send_options){.method = "GET",
                                         .path = "/.well-known/veraison/provisioning",
                                         .accept = accepted[i]});
        assert_int_equal(r.status, 200);
        assert_span_is(vs_text(vs_pointer(r.json, VS_LIT("/api-endpoints/provisioningSubmit"))),
                       SUBMIT);
        assert_span_is(vs_text(vs_getc(r.json, "service-state")), "READY");
        assert_span_is(vs_text(vs_getc(r.json, "media-types").u.items[0]), CBOR(PLATFORM));
        assert_span_is(vs_http_client_header(f->client, "cache-control"), "max-age=60");
        assert_span_is(vs_http_client_header(f->client, "content-type"),
                       "application/vnd.veraison.discovery+json");
    }
    expect_problem(call(f, (send_options){.method = "GET",
                                          .path = "/.well-known/veraison/provisioning",
                                          .accept = "text/html"}),
                   406);
    expect_problem(call(f, (send_options){.path = "/.well-known/veraison/provisioning"}), 405);
}

static void a_submission_is_taken_or_the_reason_told(void **state)
{
    fixture *f = *state;
    expect_session(submit(f, CBOR(PLATFORM), with_keys(f)), "success", NULL);
    assert_true(is_known(f, CPAK) && is_known(f, "cca.platform." HEX_0));
    assert_span_is(vs_http_client_header(f->client, "content-type"), SESSION);
    assert_true(vs_http_client_header(f->client, "vouchsafe-decision").n == 36);
    /* Labels in every spelling that means the same. */
    expect_session(submit(f, "Application/RIM+CBOR;Profile=\"" PLATFORM "\"", with_keys(f)),
                   "success", NULL);
    vs_span cut = with_keys(f);
    expect_session(submit(f, CBOR(PLATFORM), vs_span_head(cut, cut.n - 1)), "failed", "CoRIM");
    expect_session(submit(f, CBOR(REALM), with_keys(f)), "failed", "its media type says");
    expect_session(submit(f, COSE(PLATFORM), with_keys(f)), "failed", "not signed");
    expect_session(submit(f, CBOR(PLATFORM), manifest(f, TWO_TRIPLES(PROFILE, "0", ""))), "failed",
                   "is older than");
    expect_session(submit(f, CBOR(PLATFORM), manifest(f, TWO_TRIPLES("", "9", ""))), "failed",
                   "profile not set");
    expect_session(submit(f, CBOR(PLATFORM), VS_LIT("x")), "failed", "CoRIM");
}

static void requests_that_are_none_are_problems(void **state)
{
    fixture *f = *state;
    vs_span body = with_keys(f);
    static const char *const malformed[] = {NULL, "application", "application/rim+cbor; profile",
                                            "application/rim+cbor; profile=" PLATFORM};
    static const char *const unknown[] = {
        "application/json", "application/rim+cbor", CBOR("http://arm.com/psa/iot/1"),
        CBOR("http://arm.com/cca/ssd/1"),
        "application/corim-unsigned+cbor; profile=\"" PLATFORM "\""};
    for (size_t i = 0; i < VS_COUNT(malformed); i++)
        if (malformed[i]) /* libcurl has a type of its own for none */
            expect_problem(submit(f, malformed[i], body), 400);
    for (size_t i = 0; i < VS_COUNT(unknown); i++) {
        expect_problem(submit(f, unknown[i], body), 415);
        vs_span accept = vs_http_client_header(f->client, "accept");
        assert_true(vs_span_starts(accept, VS_LIT(CBOR(PLATFORM) ", ")));
    }
    expect_problem(submit(f, CBOR(PLATFORM), VS_LIT("")), 400);
    expect_problem(call(f, (send_options){.type = CBOR(PLATFORM),
                                          .accept = "application/json",
                                          .bearer = admin_bearer(f),
                                          .body = body}),
                   406);
    expect_problem(call(f, (send_options){.method = "GET"}), 405);
    assert_false(is_known(f, CPAK));
}

static void only_administrators_may_submit(void **state)
{
    fixture *f = *state;
    const char *const bearers[] = {
        NULL, "x.y.z",
        vs_sprintf(&f->b.w.a, "%.*s",
                   VS_FMT(sign_admin(
                       &f->b, "{\"iss\":\"tester\",\"role\":\"reader\",\"exp\":4000000000}")))};
    for (size_t i = 0; i < VS_COUNT(bearers); i++) {
        reply r = call(
            f, (send_options){.type = CBOR(PLATFORM), .bearer = bearers[i], .body = with_keys(f)});
        expect_problem(r, 401);
        assert_span_is(vs_http_client_header(f->client, "www-authenticate"), "Bearer");
        /* Nor does anybody else learn whether it would have been taken. */
        r = call(f,
                 (send_options){.type = CBOR(PLATFORM), .bearer = bearers[i], .body = VS_LIT("x")});
        expect_problem(r, 401);
    }
    assert_false(is_known(f, CPAK));
}

/* Switched on by its name; then for who shows nothing, and not for keys. */
static void open_provisioning_gives_no_keys(void **state)
{
    fixture *f = *state;
    f->b.cfg.veraison = f->b.cfg.open_provisioning = true;
    f->front.provision.open = true;
    send_options o = {.type = CBOR(PLATFORM), .body = with_keys(f)};
    expect_session(call(f, o), "failed", "attestation keys");
    assert_false(is_known(f, CPAK));
    o.body = manifest(f, TWO_TRIPLES(PROFILE, "1", ""));
    expect_session(call(f, o), "success", NULL);
    assert_true(is_known(f, "cca.platform." HEX_0));
    /* Who says that he is an administrator has to be one, and then is. */
    o.bearer = "x.y.z";
    expect_problem(call(f, o), 401);
    expect_session(submit(f, CBOR(PLATFORM), with_keys(f)), "success", NULL);
    assert_true(is_known(f, CPAK));
}

/* Where everybody is an administrator, none of them vouches for anything. */
static void an_administrator_that_nobody_knows_gives_no_keys(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    kbs_free(&f->b.k);
    f->b.cfg.admin.mode = KBS_ADMIN_INSECURE_ALLOW_ALL;
    assert_vs_ok(
        kbs_new(&f->b.cfg, f->b.w.store, f->b.w.store, f->b.w.as, f->b.w.rv, &f->b.k, &err), &err);
    f->front.k = f->front.provision.k = f->b.k;
    send_options o = {.type = CBOR(PLATFORM), .body = with_keys(f)};
    expect_session(call(f, o), "failed", "attestation keys");
    o.body = manifest(f, TWO_TRIPLES(PROFILE, "1", ""));
    expect_session(call(f, o), "success", NULL);
    assert_false(is_known(f, CPAK));
}

static void it_is_not_there_unless_switched_on(void **state)
{
    fixture *f = *state;
    f->front.provisioning = false;
    assert_int_equal(call(f, (send_options){.type = CBOR(PLATFORM), .body = with_keys(f)}).status,
                     404);
    assert_int_equal(
        call(f, (send_options){.method = "GET", .path = "/.well-known/veraison/provisioning"})
            .status,
        404);
}

/* What the README of shared/data/cca says of each; all that is not valid is refused with a reason.
 */
static void every_vector_gives_the_result_of_its_readme(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *file, *type;
        bool taken;
    } all[] = {
        {"corim-cca-platform-valid", CBOR(PLATFORM), true},
        {"corim-cca-realm-valid", CBOR(REALM), true},
        {"corimlib-cca-platform-valid", CBOR(PLATFORM), true},
        {"corimlib-cca-realm-valid", CBOR(REALM), true},
        {"corimlib-no-profile", CBOR(PLATFORM), false},
        {"corim-cca-platform-bad-no-class", CBOR(PLATFORM), false},
        {"corim-cca-platform-bad-ta-instance", CBOR(PLATFORM), false},
        {"corim-cca-platform-bad-ta-cert", CBOR(PLATFORM), false},
        {"corim-cca-platform-bad-refval-instance", CBOR(PLATFORM), false},
        {"corim-cca-platform-bad-refval-mkey-string", CBOR(PLATFORM), false},
        {"corim-cca-platform-bad-refval-no-digests", CBOR(PLATFORM), false},
        {"corim-cca-platform-bad-refval-no-mkey", CBOR(PLATFORM), false},
        {"corim-cca-realm-bad-instance", CBOR(REALM), false},
        {"corim-cca-realm-bad-no-instance", CBOR(REALM), false},
        {"corim-cca-realm-bad-no-rim", CBOR(REALM), false},
        {"corim-cca-realm-bad-no-raw-value", CBOR(REALM), false},
        {"corimlib-cca-platform-invalid-digests", CBOR(PLATFORM), false},
        {"corimlib-cca-platform-invalid-impl-id", CBOR(PLATFORM), false},
        {"corimlib-cca-realm-invalid-missing-rim", CBOR(REALM), false},
    };
    need_shared("data/cca/corim");
    for (size_t i = 0; i < VS_COUNT(all); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(1 << 16);
        read_shared(vs_sprintf(&f->b.w.a, "data/cca/corim/%s.cbor", all[i].file), &body);
        reply r = submit(f, all[i].type, vs_buf_span(&body));
        assert_int_equal(r.status, 200);
        if (!vs_span_is(vs_text(vs_getc(r.json, "status")), all[i].taken ? "success" : "failed"))
            fail_msg("%s: %.*s", all[i].file, VS_FMT(vs_text(vs_getc(r.json, "failure-reason"))));
        assert_true(all[i].taken || vs_text(vs_getc(r.json, "failure-reason")).n > 0);
    }
}

/* The same act without labels. */
static void the_brokers_own_endpoint_takes_a_manifest_as_it_is(void **state)
{
    fixture *f = *state;
    send_options o = {.path = "/kbs/v0/endorsement", .accept = "*/*", .body = with_keys(f)};
    assert_int_equal(call(f, o).status, 401);
    o.bearer = admin_bearer(f);
    assert_int_equal(call(f, o).status, 200);
    assert_true(is_known(f, CPAK));
    o.body = manifest(f, TWO_TRIPLES(PROFILE, "0", ""));
    reply r = call(f, o);
    assert_int_equal(r.status, 412);
    assert_true(vs_text(vs_getc(r.json, "detail")).n > 0);
    o.body = VS_LIT("x");
    assert_int_equal(call(f, o).status, 400);
    o.path = "/kbs/v0/endorsement/x";
    assert_int_equal(call(f, o).status, 404);
    o.path = "/kbs/v0/open-endorsement"; /* not configured */
    assert_int_equal(call(f, o).status, 404);
}

int main(void)
{
#define with_fixture(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        with_fixture(discovery_says_what_is_taken),
        with_fixture(a_submission_is_taken_or_the_reason_told),
        with_fixture(requests_that_are_none_are_problems),
        with_fixture(only_administrators_may_submit),
        with_fixture(open_provisioning_gives_no_keys),
        with_fixture(an_administrator_that_nobody_knows_gives_no_keys),
        with_fixture(it_is_not_there_unless_switched_on),
        with_fixture(the_brokers_own_endpoint_takes_a_manifest_as_it_is),
        with_fixture(every_vector_gives_the_result_of_its_readme),
    };
    return cmocka_run_group_tests_name("veraison provisioning", tests, NULL, NULL);
}
