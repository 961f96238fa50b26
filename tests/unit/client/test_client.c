/* SPDX-License-Identifier: Apache-2.0 */
/* The client against a KBS that says whatever a test wants: real HTTP, real keys, sample evidence.
 */
#include "../net/wire.h"

#include "base/clock.h"
#include "base/enc.h"
#include "client/client.h"
#include "envelope/jose.h"
#include "value/json.h"

/* What the scripted KBS answers, and what it saw. */
static struct {
    int auth_status, attest_status, resource_status;
    const char *challenge, *attest_answer, *resource_answer; /* NULL = a good one */
    const char *until_attested; /* answer with 401 and this error name before an attestation */
    int auths, attests, gets;
    bool attested;
    vs_buf key_json; /* tee-pubkey of the last attestation */
    char cookie[100], bearer[100], path[300], method[20];
    vs_buf body;
} k;

static const char good_challenge[] = "{\"nonce\":\"bm9uY2U=\",\"extra-params\":\"\"}";
static const char good_token[] = "{\"token\":\"e30.e30.e30\"}";
static const char secret[] = "the secret \x01\xff of the realm";

static void refuse(vs_http_response *resp, const char *name)
{
    resp->status = 401;
    vs_buf_printf(&resp->body,
                  "{\"type\":\"https://github.com/confidential-containers/kbs/errors/"
                  "%s\",\"detail\":\"it is %s\"}",
                  name, name);
}

static void copy(char *to, size_t cap, vs_span s)
{
    (void)snprintf(to, cap, "%.*s", VS_FMT(s));
}

static void check_report_data(vs_arena *a, vs_val doc)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, "additional-evidence", vs_cstring(""));
    vs_obj_put(&o, "nonce", vs_pointer(doc, VS_LIT("/runtime-data/nonce")));
    vs_obj_put(&o, "tee-pubkey", vs_pointer(doc, VS_LIT("/runtime-data/tee-pubkey")));
    VS_CLEANUP(vs_buf_free) vs_buf jcs = VS_BUF(10000);
    uint8_t digest[VS_HASH_MAX];
    vs_error err = {0};
    assert_vs_ok(vs_json_canonical(&jcs, vs_obj_end(&o, VS_DUP_REFUSE, NULL), &err), &err);
    assert_vs_ok(vs_digest(VS_SHA384, vs_buf_span(&jcs), (vs_span){0}, (vs_span){0}, digest, &err),
                 &err);
    vs_span want = vs_b64_encode_arena(a, VS_B64_STD, vs_span_of(digest, 48));
    assert_span_eq(vs_text(vs_pointer(doc, VS_LIT("/tee-evidence/primary_evidence/report_data"))),
                   want);
}

static void on_auth(const vs_http_request *req, vs_http_response *resp)
{
    (void)req;
    k.auths++;
    resp->status = k.auth_status;
    vs_http_add_header(resp, "Set-Cookie",
                       "kbs-session-id=s1; Expires=Fri, 01 Jan 2100 00:00:00 GMT; HttpOnly");
    if (k.auth_status == 401 && !k.challenge)
        refuse(resp, "AttestationError");
    else
        vs_buf_puts(&resp->body, k.challenge ? k.challenge : good_challenge);
}

static void on_attest(const vs_http_request *req, vs_http_response *resp)
{
    k.attests++;
    vs_val doc;
    vs_error err = {0};
    assert_vs_ok(vs_json_parse(req->arena, req->body, NULL, &doc, &err), &err);
    check_report_data(req->arena, doc);
    vs_buf_clear(&k.key_json);
    vs_json_print(&k.key_json, vs_pointer(doc, VS_LIT("/runtime-data/tee-pubkey")));
    resp->status = k.attest_status;
    if (k.attest_status == 401)
        refuse(resp, "AttestationError");
    else
        vs_buf_puts(&resp->body, k.attest_answer ? k.attest_answer : good_token);
    k.attested = k.attest_status == 200;
}

static void on_resource(const vs_http_request *req, vs_http_response *resp)
{
    k.gets++;
    vs_error err = {0};
    vs_val key;
    resp->status = k.resource_status;
    if (k.until_attested && !k.attested)
        refuse(resp, k.until_attested);
    else if (k.resource_answer)
        vs_buf_puts(&resp->body, k.resource_answer);
    else if (k.resource_status == 200) {
        assert_vs_ok(vs_json_parse(req->arena, vs_buf_span(&k.key_json), NULL, &key, &err), &err);
        assert_vs_ok(vs_jwe_encrypt(&resp->body, key, vs_str(secret), &err), &err);
    } else {
        vs_http_add_header(resp, "Vouchsafe-Decision", "4711-ab");
        refuse(resp, "PolicyDeny");
    }
}

static void handle(void *user, const vs_http_request *req, vs_http_response *resp)
{
    (void)user;
    copy(k.cookie, sizeof k.cookie, vs_http_header(req, "cookie"));
    copy(k.bearer, sizeof k.bearer, vs_http_header(req, "authorization"));
    copy(k.path, sizeof k.path, req->path);
    vs_buf_clear(&k.body);
    vs_buf_put(&k.body, req->body);
    if (vs_span_is(req->path, "/kbs/v0/auth"))
        on_auth(req, resp);
    else if (vs_span_is(req->path, "/kbs/v0/attest"))
        on_attest(req, resp);
    else
        on_resource(req, resp);
}

static vs_http_server *server;
static kbsc *client;
static attester *att;

static int set_up(void **state)
{
    (void)state;
    memset(&k, 0, sizeof k);
    k.auth_status = k.attest_status = k.resource_status = 200;
    k.key_json.cap = k.body.cap = 1 << 20;
    server = serve(handle, NULL, (vs_http_limits){0});
    char url[60];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u//", vs_http_server_port(server, 0));
    vs_error err = {0};
    assert_vs_ok(kbsc_new(&(kbsc_config){.url = url, .retry_ms = 1}, &client, &err), &err);
    (void)unsetenv("VOUCHSAFE_TSM_PATH");
    assert_vs_ok(attester_detect(&(attester_config){.allow_sample = true}, &att, &err), &err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kbsc_free(&client);
    attester_free(&att);
    vs_http_server_stop(&server, 100);
    vs_buf_free(&k.key_json);
    vs_buf_free(&k.body);
    return 0;
}

static void assert_says(const vs_error *err, const char *what)
{
    char text[VS_ERROR_TEXT];
    if (!strstr(vs_error_text(err, text, sizeof text), what))
        fail_msg("\"%s\" is not in \"%s\"", what, text);
}

static vs_code attest(vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf token = VS_BUF(1 << 20);
    vs_code code = kbsc_attest(client, att, (vs_span){0}, &token, err);
    if (code == VS_OK)
        assert_span_is(vs_buf_span(&token), "e30.e30.e30");
    else
        assert_int_equal(token.n, 0);
    return code;
}

static void a_handshake_binds_key_and_nonce_and_keeps_the_cookie(void **state)
{
    (void)state;
    vs_error err = {0};
    assert_vs_ok(attest(&err), &err);
    assert_int_equal(k.auths, 1);
    assert_int_equal(k.attests, 1);
    assert_string_equal(k.cookie, "kbs-session-id=s1");
    VS_CLEANUP(vs_buf_free) vs_buf first = VS_BUF(10000);
    vs_buf_put(&first, vs_buf_span(&k.key_json));
    assert_vs_ok(attest(&err), &err); /* the same key for all handshakes of one client */
    assert_span_eq(vs_buf_span(&first), vs_buf_span(&k.key_json));
}

static void denial_is_tried_five_times_and_the_server_quoted(void **state)
{
    (void)state;
    vs_error err = {0};
    k.attest_status = 401;
    assert_vs_code(attest(&err), VS_E_DENIED);
    assert_int_equal(k.attests, 5);
    assert_says(&err, "the server says: it is AttestationError (AttestationError, HTTP 401)");
    assert_says(&err, "5 tries");
}

static void a_version_mismatch_is_told_once(void **state)
{
    (void)state;
    vs_error err = {0};
    k.auth_status = 401;
    k.challenge = "{\"type\":\"x/AttestationError\",\"detail\":\"KBS Client Protocol Version "
                  "Mismatch: expect =0.5.0\"}";
    assert_vs_code(attest(&err), VS_E_UNSUPPORTED);
    assert_int_equal(k.auths, 1);
    assert_says(&err, "expect =0.5.0");
    assert_true(kbsc_why(client)->version);
}

static void hostile_servers_get_clear_errors_at_once(void **state)
{
    (void)state;
    static const struct {
        const char *challenge, *token, *says;
    } v[] = {{"<html>hi</html>", NULL, "challenge is not JSON"},
             {"{\"nonce\":[1],\"extra-params\":\"\"}", NULL, "must be a string"},
             {"{\"nonce\":\"x\",\"extra-params\":{\"selected-hash-algorithm\":\"crc32\"}}", NULL,
              "hash algorithm"},
             {NULL, "", "not JSON"},
             {NULL, "{}", "\"token\" is missing"},
             {NULL, "{\"token\":{}}", "must be a string"},
             {NULL, "{\"token\":\"abc\"}", "not a compact JWS"}};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        vs_error err = {0};
        k.auths = 0;
        k.challenge = v[i].challenge;
        k.attest_answer = v[i].token;
        assert_int_not_equal(attest(&err), VS_OK);
        assert_says(&err, v[i].says);
        assert_int_equal(k.auths, 1);
    }
}

static void other_statuses_are_errors_with_their_text(void **state)
{
    (void)state;
    static const struct {
        int status;
        vs_code code;
        int tries;
    } v[] = {{404, VS_E_NOT_FOUND, 1},
             {413, VS_E_LIMIT, 1},
             {500, VS_E_IO, 5},
             {204, VS_E_IO, 1},
             {302, VS_E_IO, 1}};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        vs_error err = {0};
        k.auths = 0;
        k.auth_status = v[i].status;
        k.challenge = "what a \x1b[31mday\n";
        assert_vs_code(attest(&err), v[i].code);
        assert_int_equal(k.auths, v[i].tries);
        if (v[i].status != 204)
            assert_says(&err, "what a \\x1b[31mday\\x0a");
    }
}

static vs_code get(const char *path, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1 << 20);
    vs_code code = kbsc_get_resource(client, att, (vs_span){0},
                                     &(kbsc_resource){"resource", path, NULL}, &out, err);
    if (code == VS_OK)
        assert_span_eq(vs_buf_span(&out), vs_str(secret));
    else
        assert_int_equal(out.n, 0);
    return code;
}

static void a_resource_is_fetched_attesting_when_needed(void **state)
{
    (void)state;
    vs_error err = {0};
    k.until_attested = "TokenNotFound";
    assert_vs_ok(get("default/key/1", &err), &err);
    assert_int_equal(k.gets, 2);
    assert_int_equal(k.attests, 1);
    assert_string_equal(k.path, "/kbs/v0/resource/default/key/1");
    assert_string_equal(k.bearer, "");
    assert_vs_ok(get("default/key/1", &err), &err); /* the session is still good */
    assert_int_equal(k.gets, 3);
    assert_int_equal(k.attests, 1);
}

static void a_policy_that_says_no_is_not_asked_again(void **state)
{
    (void)state;
    vs_error err = {0};
    k.resource_status = 401;
    assert_vs_code(get("a/b/c", &err), VS_E_DENIED);
    assert_int_equal(k.gets, 2);
    assert_int_equal(k.attests, 1);
    assert_says(&err, "it is PolicyDeny (PolicyDeny, HTTP 401, decision 4711-ab)");
}

static void tokens_that_never_satisfy_end_after_three_tries(void **state)
{
    (void)state;
    vs_error err = {0};
    k.resource_status = 401;
    k.resource_answer = "{\"type\":\"x/TokenVerifierError\",\"detail\":\"Token Verifier error\"}";
    assert_vs_code(get("a/b/c", &err), VS_E_DENIED);
    assert_int_equal(k.gets, 3);
    assert_int_equal(k.attests, 2);
}

static void a_bare_401_or_404_stops_without_attesting(void **state)
{
    (void)state;
    vs_error err = {0};
    k.resource_status = 401;
    k.resource_answer = "denied by a proxy";
    assert_vs_code(get("a/b/c", &err), VS_E_DENIED);
    assert_says(&err, "denied by a proxy");
    k.resource_status = 404;
    assert_vs_code(get("a/b/c", &err), VS_E_NOT_FOUND);
    assert_int_equal(k.attests, 0);
}

static void paths_are_escaped_not_interpreted(void **state)
{
    (void)state;
    vs_error err = {0};
    k.until_attested = "TokenNotFound";
    assert_vs_ok(get("a b/c?d#e/%2f", &err), &err);
    assert_string_equal(k.path, "/kbs/v0/resource/a%20b/c%3Fd%23e/%252f");
    assert_vs_ok(get("../a/./b", &err), &err);
    assert_string_equal(k.path, "/kbs/v0/resource/../a/./b");
}

static void bad_answers_for_a_secret_give_no_secret(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "{}",
                                      "[]",
                                      "the secret",
                                      "{\"protected\":\"e30\",\"encrypted_key\":\"\",\"iv\":\"\","
                                      "\"ciphertext\":\"\",\"tag\":\"\"}",
                                      "{\"protected\":\"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0\","
                                      "\"encrypted_key\":\"AA\",\"iv\":\"AAAAAAAAAAAAAAAA\","
                                      "\"ciphertext\":\"AA\",\"tag\":\"AAAAAAAAAAAAAAAAAAAAAA\"}"};
    vs_error err = {0};
    assert_vs_ok(kbsc_set_tee_key(client, NULL, &err), &err);
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        k.resource_answer = bad[i];
        assert_int_not_equal(get("a/b/c", &err), VS_OK);
        assert_says(&err, "cannot decrypt the resource");
    }
}

/* A recipient that is not ours: as if the server encrypted to somebody else's key. */
static void a_secret_for_another_key_is_refused(void **state)
{
    (void)state;
    vs_error err = {0};
    k.until_attested = "TokenNotFound";
    assert_vs_ok(get("a/b/c", &err), &err);
    assert_vs_ok(kbsc_set_tee_key(client, NULL, &err), &err);
    assert_int_not_equal(get("a/b/c", &err), VS_OK);
    assert_says(&err, "another TEE key");
}

static vs_code get_with_token(vs_span token, vs_buf *out, vs_error *err)
{
    bool refused;
    return kbsc_get_with_token(client, token, &(kbsc_resource){"resource", "a/b/c", NULL}, out,
                               &refused, err);
}

static void the_passport_flow_needs_the_key_and_sends_the_token(void **state)
{
    (void)state;
    vs_error err = {0};
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1 << 20);
    assert_vs_code(get_with_token(VS_LIT("e30.e30.e30"), &out, &err), VS_E_INVALID);
    assert_int_equal(k.gets, 0);
    vs_key *key = NULL;
    assert_vs_ok(vs_key_generate(VS_KEY_P521, &key, &err), &err);
    assert_vs_ok(kbsc_set_tee_key(client, key, &err), &err);
    assert_vs_ok(attest(&err), &err);
    assert_vs_ok(get_with_token(VS_LIT("e30.e30.e30"), &out, &err), &err);
    assert_span_eq(vs_buf_span(&out), vs_str(secret));
    assert_string_equal(k.bearer, "Bearer e30.e30.e30");
    k.resource_status = 401;
    assert_vs_code(get_with_token(VS_LIT("e30.e30.e30"), &out, &err), VS_E_DENIED);
    assert_int_equal(k.gets, 2);
    assert_vs_code(get_with_token(VS_LIT("a\r\nX-Evil: b"), &out, &err), VS_E_INVALID);
}

static void only_keys_that_a_kbs_encrypts_to_are_tee_keys(void **state)
{
    (void)state;
    static const struct {
        vs_key_type type;
        bool ok;
    } v[] = {{VS_KEY_P256, true},
             {VS_KEY_P521, true},
             {VS_KEY_RSA, true},
             {VS_KEY_P384, false},
             {VS_KEY_ED25519, false}};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        vs_error err = {0};
        vs_key *key = NULL;
        assert_vs_ok(vs_key_generate(v[i].type, &key, &err), &err);
        assert_vs_code(kbsc_set_tee_key(client, key, &err), v[i].ok ? VS_OK : VS_E_UNSUPPORTED);
        if (!v[i].ok)
            continue;
        k.until_attested = "TokenNotFound";
        k.attested = false;
        assert_vs_ok(get("a/b/c", &err), &err);
    }
}

static void administration_sends_what_it_was_given(void **state)
{
    (void)state;
    vs_error err = {0};
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1 << 20);
    k.resource_answer = "[\"1\"]";
    assert_vs_ok(kbsc_admin(client, "POST", "resource/a/b/c", "application/octet-stream",
                            VS_LIT("s3cret"), VS_LIT("to.k.en"), &out, &err),
                 &err);
    assert_span_is(vs_buf_span(&out), "[\"1\"]");
    assert_string_equal(k.bearer, "Bearer to.k.en");
    assert_span_is(vs_buf_span(&k.body), "s3cret");
    assert_vs_ok(kbsc_admin(client, "DELETE", "resource/a/b/c", NULL, (vs_span){0}, (vs_span){0},
                            &out, &err),
                 &err);
    assert_string_equal(k.bearer, "");
    k.resource_status = 401;
    k.resource_answer = "{\"type\":\"x/AdminAuthAccess\",\"detail\":\"admin access denied\"}";
    vs_buf_clear(&out);
    assert_vs_code(kbsc_admin(client, "POST", "x", NULL, (vs_span){0}, (vs_span){0}, &out, &err),
                   VS_E_DENIED);
    assert_says(&err, "admin access denied (AdminAuthAccess, HTTP 401)");
    assert_span_is(vs_buf_span(&out), k.resource_answer);
}

static void wrong_urls_are_refused_before_anything_is_sent(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "127.0.0.1:8080", "ftp://h", "http://h/kbs/v0", "http://h/kbs/v0/", "file:///x"};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        kbsc *c = NULL;
        assert_vs_code(kbsc_new(&(kbsc_config){.url = bad[i]}, &c, NULL), VS_E_INVALID);
        assert_null(c);
    }
}

static void a_server_that_is_not_there_is_tried_again(void **state)
{
    (void)state;
    vs_error err = {0};
    kbsc *c = NULL;
    assert_vs_ok(kbsc_new(&(kbsc_config){.url = "http://127.0.0.1:1", .retry_ms = 1}, &c, &err),
                 &err);
    VS_CLEANUP(vs_buf_free) vs_buf token = VS_BUF(1000);
    assert_vs_code(kbsc_attest(c, att, (vs_span){0}, &token, &err), VS_E_IO);
    assert_says(&err, "127.0.0.1");
    assert_says(&err, "5 tries");
    kbsc_free(&c);
}

int main(void)
{
#define WITH_KBS(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_KBS(a_handshake_binds_key_and_nonce_and_keeps_the_cookie),
        WITH_KBS(denial_is_tried_five_times_and_the_server_quoted),
        WITH_KBS(a_version_mismatch_is_told_once),
        WITH_KBS(hostile_servers_get_clear_errors_at_once),
        WITH_KBS(other_statuses_are_errors_with_their_text),
        WITH_KBS(a_resource_is_fetched_attesting_when_needed),
        WITH_KBS(a_policy_that_says_no_is_not_asked_again),
        WITH_KBS(tokens_that_never_satisfy_end_after_three_tries),
        WITH_KBS(a_bare_401_or_404_stops_without_attesting),
        WITH_KBS(paths_are_escaped_not_interpreted),
        WITH_KBS(bad_answers_for_a_secret_give_no_secret),
        WITH_KBS(a_secret_for_another_key_is_refused),
        WITH_KBS(the_passport_flow_needs_the_key_and_sends_the_token),
        WITH_KBS(only_keys_that_a_kbs_encrypts_to_are_tee_keys),
        WITH_KBS(administration_sends_what_it_was_given),
        WITH_KBS(wrong_urls_are_refused_before_anything_is_sent),
        WITH_KBS(a_server_that_is_not_there_is_tried_again),
    };
    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
