/* SPDX-License-Identifier: Apache-2.0 */
/* Veraison's interface over HTTP: the reference's shapes and statuses from raw sockets, the request
 * sequence of Veraison's clients, and our own client against our own server. */
#include "as/veraison_fixture.h"
#include "net/wire.h"

#include "api/front.h"
#include "api/veraison_rest.h"
#include "tee/tee.h"

#define SESSION_TYPE "application/vnd.veraison.challenge-response-session+json"

/* The front needs a KBS and the checks of its own; neither is asked here. */
void kbs_rest_handle(void *user, const vs_http_request *req, vs_http_response *resp)
{
    (void)user, (void)req;
    resp->status = 299;
}
bool veraison_provision_handle(const veraison_provision *p, const vs_http_request *req,
                               vs_http_response *resp)
{
    (void)p, (void)req, (void)resp;
    return false;
}
bool ops_ready(const ops *o)
{
    (void)o;
    return true;
}
void ops_metrics(const ops *o, vs_http_response *resp)
{
    (void)o, (void)resp;
}

typedef struct server {
    verifier f;
    api_front front;
    vs_http_server *http;
    vs_arena a;
} server;

/* By the clock: the adapter reads it. */
static void handle(void *v, const as_veraison_call *c, as_veraison_reply *r)
{
    as_veraison_handle(v, c, r);
}

static int start(void **state)
{
    server *s = calloc(1, sizeof *s);
    assert_non_null(s);
    verifier_open(&s->f, false);
    vs_arena_init(&s->a, 0);
    s->front.veraison = (veraison_rest){handle, s->f.v};
    s->http = serve(api_front_handle, &s->front, (vs_http_limits){0});
    *state = s;
    return 0;
}

static int stop(void **state)
{
    server *s = *state;
    vs_http_server_stop(&s->http, 100);
    vs_arena_free(&s->a);
    verifier_close(&s->f);
    free(s);
    return 0;
}

/* ---- one request -------------------------------------------------------------------------------
 */

typedef struct response {
    int status;
    const char *head;
    vs_val json;
} response;

static response request(server *s, const char *method, const char *target, const char *headers,
                        vs_span body)
{
    vs_buf text = VS_BUF(1 << 20);
    bool closed;
    int fd = dial(s->http);
    vs_buf_printf(&text, "%s %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s", method, target,
                  headers);
    if (body.p || strcmp(method, "POST") == 0)
        vs_buf_printf(&text, "Content-Length: %zu\r\n", body.n);
    vs_buf_puts(&text, "\r\n");
    vs_buf_put(&text, body);
    assert_int_equal(send(fd, text.p, text.n, MSG_NOSIGNAL), (ssize_t)text.n);
    vs_buf_free(&text);
    const char *got = hear_until(fd, 5000, false, &closed);
    (void)close(fd);
    response r = {.status = status_of(got)};
    vs_span all = vs_dup(&s->a, vs_str(got));
    r.head = (const char *)all.p;
    const char *end = strstr(r.head, "\r\n\r\n");
    assert_non_null(end);
    if (end[4])
        assert_vs_code(vs_json_parse(&s->a, vs_str(end + 4), NULL, &r.json, NULL), VS_OK);
    return r;
}

/* The value of a header of a response; "" = there is none. */
static const char *header(server *s, response r, const char *name)
{
    const char *line = strstr(r.head, vs_sprintf(&s->a, "\r\n%s: ", name));
    const char *end = strstr(r.head, "\r\n\r\n");
    if (!line || line > end)
        return "";
    line += 4 + strlen(name);
    return vs_sprintf(&s->a, "%.*s", (int)(strstr(line, "\r\n") - line), line);
}

static void assert_problem(server *s, response r, int status)
{
    if (r.status != status)
        fail_msg("want %d, got %s", status, r.head);
    assert_string_equal(header(s, r, "Content-Type"), "application/problem+json");
    assert_int_equal(r.json.len, 4);
    assert_span_is(vs_text(at(r.json, "/type")), "about:blank");
    assert_true(vs_text(at(r.json, "/title")).n > 0);
    assert_int_equal(at(r.json, "/status").u.i, status);
    assert_true(vs_text(at(r.json, "/detail")).n > 0);
}

static const vs_span nothing = {NULL, 0};

/* A session's path for the software realm. */
static const char *open_session(server *s)
{
    vs_span nonce = vs_b64_encode_arena(&s->a, VS_B64_URL_PADDED,
                                        vs_span_of(s->f.soft.challenge, CCA_CHALLENGE));
    /* As Veraison's Rust client has it: padded and not escaped. */
    response r =
        request(s, "POST", vs_sprintf(&s->a, AS_VERAISON_NEW_SESSION "?nonce=%.*s", VS_FMT(nonce)),
                "Accept: " SESSION_TYPE "\r\n", nothing);
    assert_int_equal(r.status, 201);
    assert_string_equal(header(s, r, "Content-Type"), SESSION_TYPE);
    const char *location = header(s, r, "Location");
    assert_true(vs_span_starts(vs_str(location), VS_LIT("session/")));
    return vs_sprintf(&s->a, "/challenge-response/v1/%s", location);
}

/* ---- shapes ------------------------------------------------------------------------------------
 */

static void discovery_has_its_headers_and_members(void **state)
{
    server *s = *state;
    response r = request(s, "GET", AS_VERAISON_DISCOVERY,
                         "Accept: application/vnd.veraison.discovery+json\r\n", nothing);
    assert_int_equal(r.status, 200);
    assert_string_equal(header(s, r, "Content-Type"), "application/vnd.veraison.discovery+json");
    assert_string_equal(header(s, r, "Cache-Control"), "max-age=60");
    assert_true(*header(s, r, "Expires"));
    static const char *const members[] = {"/ear-verification-key/x", "/media-types/0", "/version",
                                          "/service-state",
                                          "/api-endpoints/newChallengeResponseSession"};
    for (size_t i = 0; i < VS_COUNT(members); i++)
        assert_true(vs_defined(at(r.json, members[i])));
    static const char *const fine[] = {"", "Accept: */*\r\n", "Accept: application/json\r\n"};
    for (size_t i = 0; i < VS_COUNT(fine); i++)
        assert_int_equal(request(s, "GET", AS_VERAISON_DISCOVERY, fine[i], nothing).status, 200);
    assert_problem(s, request(s, "GET", AS_VERAISON_DISCOVERY, "Accept: text/html\r\n", nothing),
                   406);
}

/* What Veraison's Rust client does (cca.md 5.2, client rules), and what it wants to see. */
static void the_sequence_of_veraisons_clients_works(void **state)
{
    server *s = *state;
    const char *path = open_session(s);
    response r = request(s, "POST", path,
                         "Accept: " SESSION_TYPE "\r\nContent-Type: " AS_VERAISON_EVIDENCE "\r\n",
                         soft_evidence_bytes(&s->f));
    assert_int_equal(r.status, 200);
    assert_string_equal(header(s, r, "Content-Type"), SESSION_TYPE);
    assert_span_is(vs_text(at(r.json, "/status")), "complete");
    assert_true(vs_text(at(r.json, "/result")).n > 100);
    assert_span_is(vs_text(at(r.json, "/evidence/type")), AS_VERAISON_EVIDENCE);
    /* The Go client may ask again, and deletes when it is told to. */
    response got = request(s, "GET", path, "", nothing);
    assert_int_equal(got.status, 200);
    assert_true(vs_eq(got.json, r.json));
    assert_int_equal(request(s, "DELETE", path, "", nothing).status, 204);
    assert_problem(s, request(s, "GET", path, "", nothing), 404);
}

static void evidence_that_was_used_is_a_conflict(void **state)
{
    server *s = *state;
    vs_span token = soft_evidence_bytes(&s->f);
    const char *type = "Content-Type: " AS_VERAISON_EVIDENCE "\r\n";
    assert_int_equal(request(s, "POST", open_session(s), type, token).status, 200);
    assert_problem(s, request(s, "POST", open_session(s), type, token), 409);
}

static void refusals_have_the_documented_statuses(void **state)
{
    server *s = *state;
    static const struct {
        const char *method, *target, *headers;
        int status;
    } v[] = {
        {"POST", AS_VERAISON_NEW_SESSION, "Accept: application/json\r\n", 406},
        {"POST", AS_VERAISON_NEW_SESSION "?nonce=AAAA", "", 400},
        {"POST", AS_VERAISON_NEW_SESSION "?nonceSize=7", "", 400},
        {"POST", AS_VERAISON_NEW_SESSION "?nonceSize=65", "", 400},
        {"POST", AS_VERAISON_NEW_SESSION "?nonceSize=32&nonce=QUJDREVGR0g", "", 400},
        {"POST", AS_VERAISON_NEW_SESSION "?nonce=QUJDREVGR0g&nonce=QUJDREVGR0g", "", 400},
        {"POST", AS_VERAISON_NEW_SESSION "?nonce=%", "", 400},
        {"POST", AS_VERAISON_NEW_SESSION "?nonce", "", 400},
        {"GET", AS_VERAISON_NEW_SESSION, "", 405},
        {"PUT", AS_VERAISON_NEW_SESSION, "", 405},
        {"POST", AS_VERAISON_DISCOVERY, "", 405},
        {"GET", AS_VERAISON_SESSION "1b4e28ba-2fa1-11d2-883f-b9a761bde3fb", "", 404},
        {"POST", AS_VERAISON_SESSION "1b4e28ba-2fa1-11d2-883f-b9a761bde3fb",
         "Content-Type: application/cmw\r\n", 404},
        {"DELETE", AS_VERAISON_SESSION "x", "", 404},
        {"PUT", AS_VERAISON_SESSION "x", "", 405},
        {"GET", AS_VERAISON_SESSION "x", "Accept: text/html\r\n", 406},
    };
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        response r = request(s, v[i].method, v[i].target, v[i].headers, nothing);
        assert_problem(s, r, v[i].status);
        if (v[i].status == 405)
            assert_true(*header(s, r, "Allow"));
    }
    static const char *const elsewhere[] = {AS_VERAISON_SESSION, AS_VERAISON_SESSION "a/b",
                                            "/challenge-response/v1/", "/challenge-response",
                                            "/.well-known/veraison/provisioning"};
    for (size_t i = 0; i < VS_COUNT(elsewhere); i++)
        assert_int_equal(request(s, "GET", elsewhere[i], "", nothing).status, 404);
}

static void evidence_of_a_wrong_type_is_told_what_would_do(void **state)
{
    server *s = *state;
    const char *path = open_session(s);
    response r = request(s, "POST", path, "Content-Type: application/psa-attestation-token\r\n",
                         VS_LIT("x"));
    assert_problem(s, r, 415);
    assert_non_null(strstr(header(s, r, "Accept"), AS_VERAISON_EVIDENCE));
    assert_problem(s,
                   request(s, "POST", path,
                           "Content-Type: application/eat-collection; "
                           "profile=http://arm.com/CCA-SSD/1.0.0\r\n",
                           VS_LIT("x")),
                   400);
    assert_problem(
        s, request(s, "POST", path, "Content-Type: " AS_VERAISON_EVIDENCE "\r\n", nothing), 400);
}

static void without_the_switch_there_is_nothing(void **state)
{
    server *s = *state;
    s->front.veraison = (veraison_rest){0};
    assert_int_equal(request(s, "GET", AS_VERAISON_DISCOVERY, "", nothing).status, 404);
    assert_int_equal(request(s, "POST", AS_VERAISON_NEW_SESSION, "", nothing).status, 404);
}

static void a_failure_of_ours_is_500_and_tells_nothing(void **state)
{
    server *s = *state;
    const char *path = open_session(s);
    s->f.w.trust.cca = NULL;
    response r = request(s, "POST", path, "Content-Type: " AS_VERAISON_EVIDENCE "\r\n",
                         soft_evidence_bytes(&s->f));
    s->f.w.trust.cca = s->f.cca;
    assert_problem(s, r, 500);
    assert_span_is(vs_text(at(r.json, "/detail")), "the verifier failed");
}

/* ---- our client, our server --------------------------------------------------------------------
 */

typedef struct asking {
    server *s;
    char config[64];
    cca_trust *remote;
} asking;

static void ask_our_own(server *s, const char *more, asking *out)
{
    vs_error err = {0};
    const char *text = vs_sprintf(&s->a,
                                  "{\"cca-verifier\":{\"type\":\"remote\",\"address\":"
                                  "\"http://127.0.0.1:%u\"%s}}",
                                  vs_http_server_port(s->http, 0), more);
    *out = (asking){.s = s};
    (void)snprintf(out->config, sizeof out->config, "/tmp/vs-veraison-XXXXXX");
    int fd = mkstemp(out->config);
    assert_true(fd >= 0);
    assert_vs_ok(vs_write_fd(fd, vs_str(text), &err), &err);
    (void)close(fd);
    assert_vs_ok(cca_trust_load(out->config, &out->remote, &err), &err);
}

static void ask_no_more(asking *q)
{
    cca_trust_free(&q->remote);
    (void)unlink(q->config);
}

static vs_code verify_by(asking *q, cca_trust *trust, vs_span token, vs_span challenge,
                         vs_tee_result *out, char why[VS_ERROR_TEXT])
{
    vs_tee_trust all = {.cca = trust};
    vs_tee_expect expect = {.report_data = challenge, .now = vs_now_s()};
    vs_tee_result results[VS_TEE_RESULTS_MAX];
    size_t n;
    vs_error err = {0};
    vs_code code =
        vs_tee_find(VS_LIT("cca"))
            ->verify(&all, soft_evidence(&q->s->a, token), &expect, &q->s->a, results, &n, &err);
    *out = results[0];
    (void)vs_error_text(&err, why, VS_ERROR_TEXT);
    return code;
}

static void our_client_and_our_server_agree_with_the_local_verifier(void **state)
{
    server *s = *state;
    asking q;
    vs_tee_result local, remote;
    char why[VS_ERROR_TEXT];
    ask_our_own(s, "", &q);
    vs_span token = soft_evidence_bytes(&s->f);
    vs_span challenge = vs_span_of(s->f.soft.challenge, CCA_CHALLENGE);
    assert_vs_code(verify_by(&q, s->f.cca, token, challenge, &local, why), VS_OK);
    vs_code code = verify_by(&q, q.remote, token, challenge, &remote, why);
    if (code != VS_OK)
        fail_msg("%s", why);
    assert_true(vs_eq(without_ours(&s->a, local.claims), without_ours(&s->a, remote.claims)));
    assert_true(vs_eq(local.report_data, remote.report_data));
    assert_true(vs_eq(local.init_data, remote.init_data));
    ask_no_more(&q);
}

static void every_token_of_the_reference_comes_through(void **state)
{
    server *s = *state;
    static const char *const good[][2] = {
        {"veraison-cca-good-mixed-profile", "veraison-cpak-p256"},
        {"trustee-example-legacy-es384", "tfa-cpak-pub"},
        {"derived-ok-cmw-907-profile-1.0.0", "tfa-cpak-pub"},
        {"derived-ok-cmw-907-rmm2-both-2.0.0-sha384", "tfa-cpak-pub"},
    };
    asking q;
    ask_our_own(s, ",\"minimum-status\":\"affirming\"", &q);
    for (size_t i = 0; i < VS_COUNT(good); i++) {
        const char *file = vs_sprintf(&s->a, "data/cca/tokens/%s.cbor", good[i][0]);
        need_shared(file);
        vs_buf raw = VS_BUF(CCA_TOKEN_MAX);
        cca_token t;
        vs_tee_result r;
        char why[VS_ERROR_TEXT];
        read_shared(file, &raw);
        assert_vs_code(cca_token_decode(&s->a, vs_buf_span(&raw), &t, NULL), VS_OK);
        trust_token(&s->f, vs_sprintf(&s->a, "data/cca/trust/%s.jwk", good[i][1]), &t);
        vs_code code = verify_by(&q, q.remote, vs_buf_span(&raw), t.realm.challenge, &r, why);
        if (code != VS_OK)
            fail_msg("%s: %s", good[i][0], why);
        vs_buf_free(&raw);
    }
    ask_no_more(&q);
}

static void what_the_server_finds_reaches_the_clients_operator(void **state)
{
    server *s = *state;
    asking q;
    vs_tee_result r;
    char why[VS_ERROR_TEXT];
    ask_our_own(s, "", &q);
    vs_span challenge = vs_span_of(s->f.soft.challenge, CCA_CHALLENGE);
    vs_buf token = VS_BUF(CCA_TOKEN_MAX);
    soft_realm other;
    soft_start(&other, VS_KEY_P256, VS_KEY_P256);
    soft_token(&other, &token);
    assert_vs_code(verify_by(&q, q.remote, vs_buf_span(&token), challenge, &r, why),
                   VS_E_UNTRUSTED);
    assert_non_null(
        strstr(why, "there is no submod CCA_SSD_PLATFORM: no trust anchor for evidence"));
    soft_stop(&other);
    /* Known, but with a realm that is not: contraindicated by the reference store. */
    uint8_t rim[64] = {9};
    s->f.soft.spec.rim = vs_span_of(rim, sizeof rim);
    vs_span unknown = soft_evidence_bytes(&s->f);
    vs_code code = verify_by(&q, q.remote, unknown, challenge, &r, why);
    if (code != VS_OK) {
        assert_int_equal(code, VS_E_UNTRUSTED);
        assert_non_null(strstr(why, "submod CCA_REALM"));
    }
    ask_no_more(&q);
    ask_our_own(s, ",\"minimum-status\":\"none\"", &q);
    assert_vs_code(verify_by(&q, q.remote, unknown, challenge, &r, why), VS_E_IO);
    assert_non_null(strstr(why, "status 409"));
    assert_non_null(strstr(why, "this evidence had its result in another session"));
    next_challenge(&s->f);
    unknown = soft_evidence_bytes(&s->f);
    assert_vs_code(verify_by(&q, q.remote, unknown, challenge, &r, why), VS_OK);
    ask_no_more(&q);
    vs_buf_free(&token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)
        T(discovery_has_its_headers_and_members),
        T(the_sequence_of_veraisons_clients_works),
        T(evidence_that_was_used_is_a_conflict),
        T(refusals_have_the_documented_statuses),
        T(evidence_of_a_wrong_type_is_told_what_would_do),
        T(without_the_switch_there_is_nothing),
        T(a_failure_of_ours_is_500_and_tells_nothing),
        T(our_client_and_our_server_agree_with_the_local_verifier),
        T(every_token_of_the_reference_comes_through),
        T(what_the_server_finds_reaches_the_clients_operator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
