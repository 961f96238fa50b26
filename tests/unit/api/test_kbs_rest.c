/* SPDX-License-Identifier: Apache-2.0 */
/* The adapter in front of a KBS that only reports what reached it; a real server, raw sockets. */
#include "../net/wire.h"

#include "api/front.h"
#include "api/kbs_rest.h"
#include "kbs/metrics.h"
#include "value/json.h"

/* What kbs_handle below answers, set by each test. */
static kbs_reply next_reply;
static const char *next_detail;

const char *kbs_error_name(kbs_error e)
{
    return e == KBS_POLICY_DENY        ? "PolicyDeny"
           : e == KBS_PLUGIN_NOT_FOUND ? "PluginNotFound"
                                       : "Other";
}

static void show(vs_buf *to, const char *name, vs_span value)
{
    vs_buf_printf(to, " %s=<", name);
    vs_buf_put(to, value);
    vs_buf_puts(to, ">");
}

void kbs_handle(kbs *k, const kbs_call *call, kbs_reply *reply)
{
    assert_ptr_equal(k, &next_reply);
    reply->error = next_reply.error;
    reply->detail = vs_str(next_detail);
    reply->content_type = next_reply.content_type;
    reply->set_session = next_reply.set_session;
    reply->set_session_expires = next_reply.set_session_expires;
    memcpy(reply->decision, next_reply.decision, sizeof reply->decision);
    vs_buf_printf(&reply->body, "m%d", (int)call->method);
    for (size_t i = 0; i < call->n_segments; i++)
        show(&reply->body, "s", call->segments[i]);
    show(&reply->body, "path", call->path);
    show(&reply->body, "session", call->session);
    show(&reply->body, "bearer", call->bearer);
    show(&reply->body, "body", call->body);
    vs_buf_printf(&reply->body, " slash=%d now=%d query=", call->encoded_slash,
                  call->now > 1700000000);
    vs_json_print(&reply->body, call->query);
}

static vs_http_server *start(void)
{
    next_reply = (kbs_reply){.content_type = "application/json"};
    next_detail = "";
    return serve(kbs_rest_handle, &next_reply, (vs_http_limits){0});
}

static const char *request(const char *method, const char *target, const char *headers)
{
    static char text[4000];
    (void)snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: h\r\n%s\r\n", method, target,
                   headers);
    return text;
}

static void assert_sees(const vs_http_server *s, const char *target, const char *headers,
                        const char *what)
{
    const char *answer = ask(s, request("GET", target, headers));
    assert_int_equal(status_of(answer), 200);
    if (!strstr(answer, what))
        fail_msg("%s: %s not in %s", target, what, answer);
}

static void paths_are_decoded_once_and_split(void **state)
{
    (void)state;
    vs_http_server *s = start();
    static const char *const v[][2] = {
        {"/kbs/v0/auth", "m0 s=<auth> path=</kbs/v0/auth>"},
        {"/kbs/v0/", "m0 s=<> path=</kbs/v0/>"},
        {"/kbs/v0/a/b/", " s=<a> s=<b> s=<> path=</kbs/v0/a/b/>"},
        {"/kbs/v0/a//b", " s=<a> s=<> s=<b> path=</kbs/v0/a//b>"},
        {"/kbs/v0//resource/a", " s=<> s=<resource> s=<a> "},
        {"/kbs/v0/resource//a//b/c/",
         " s=<resource> s=<a> s=<b> s=<c> path=</kbs/v0/resource/a/b/c> "},
        {"/kbs/v0/resource%2Fa/b/c",
         " s=<resource> s=<a> s=<b> s=<c> path=</kbs/v0/resource/a/b/c> "},
        {"/kbs/v0/resource/%2e%2e/x", " s=<..> s=<x> "},
        {"/kbs/v0/resource/../x", " s=<..> s=<x> "},
        {"/kbs/v0/a%252Fb", " s=<a%2Fb> "},
        {"/kbs/v0/a%22b", " s=<a\"b> "},
        {"http://elsewhere/kbs/v0/a", " s=<a> "},
    };
    for (size_t i = 0; i < VS_COUNT(v); i++)
        assert_sees(s, v[i][0], "", v[i][1]);
    assert_sees(s, "/kbs/v0/a%2fb", "", "slash=1");
    assert_sees(s, "/kbs/v0/a%2F", "", "slash=1");
    assert_sees(s, "/kbs/v0/reference-value/rvps:%2F%2F%2Fa%2fb", "", "slash=0");
    assert_sees(s, "/kbs/v0/reference-value%2Fa", "", "slash=1");
    assert_sees(s, "/kbs/v0/reference-value%2Fa/b", "", "slash=1");
    assert_sees(s, "/kbs/v0/reference%2Dvalue/a%2Fb", "", "slash=1");
    assert_sees(s, "/kbs/v0/reference-valuex/a%2Fb", "", "slash=1");
    assert_sees(s, "/kbs/v0//reference-value/a%2Fb", "", "slash=1");
    assert_sees(s, "/kbs/v0/a/b", "", "slash=0 now=1");
    vs_http_server_stop(&s, 100);
}

static void queries_become_an_object_and_the_last_wins(void **state)
{
    (void)state;
    vs_http_server *s = start();
    assert_sees(s, "/kbs/v0/a", "", "query={}");
    assert_sees(s, "/kbs/v0/a?b=1&a=x+%22&b=2", "", "query={\"a\":\"x \\\"\",\"b\":\"2\"}");
    vs_http_server_stop(&s, 100);
}

static void malformed_targets_are_400(void **state)
{
    (void)state;
    vs_http_server *s = start();
    static const char *const bad[] = {"/kbs/v0/a%",     "/kbs/v0/%zz",   "/kbs/v0/%ff",
                                      "/kbs/v0/%C0%AF", "/kbs/v0/a?b=%", "/kbs/v0/a?%ff=1"};
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_int_equal(status_of(ask(s, request("GET", bad[i], ""))), 400);
    vs_http_server_stop(&s, 100);
}

static void cookies_and_bearers_are_found(void **state)
{
    (void)state;
    vs_http_server *s = start();
    static const char *const v[][2] = {
        {"Cookie: kbs-session-id=abc\r\n", "session=<abc> bearer=<>"},
        {"Cookie: x=y; kbs-session-id=a=b; z\r\n", "session=<a=b>"},
        {"cookie: kbs-session-id=1; kbs-session-id=2\r\n", "session=<1>"},
        {"Cookie: xkbs-session-id=1; kbs-session-idx=2\r\n", "session=<>"},
        {"Cookie: ;;=;kbs-session-id\r\n", "session=<>"},
        {"Authorization: Bearer tok.en\r\n", "bearer=<tok.en>"},
        {"authorization: bearer  t\r\n", "bearer=<t>"},
        {"Authorization: Bearer\r\n", "bearer=<>"},
        {"Authorization: Basic abc\r\n", "bearer=<>"},
        {"Authorization: Bearertok\r\n", "bearer=<>"},
    };
    for (size_t i = 0; i < VS_COUNT(v); i++)
        assert_sees(s, "/kbs/v0/a", v[i][0], v[i][1]);
    vs_http_server_stop(&s, 100);
}

static void methods_are_routed_or_405(void **state)
{
    (void)state;
    vs_http_server *s = start();
    static const char *const routed[] = {"GET", "POST", "PUT", "DELETE"};
    for (size_t i = 0; i < VS_COUNT(routed); i++) {
        char want[8];
        (void)snprintf(want, sizeof want, "m%zu s=<", i);
        const char *answer = ask(s, request(routed[i], "/kbs/v0/a", ""));
        assert_int_equal(status_of(answer), 200);
        assert_true(strncmp(body_of(answer), want, strlen(want)) == 0);
    }
    static const char *const others[] = {"HEAD", "PATCH", "OPTIONS", "TRACE", "get"};
    for (size_t i = 0; i < VS_COUNT(others); i++) {
        const char *answer = ask(s, request(others[i], "/kbs/v0/a", ""));
        assert_int_equal(status_of(answer), 405);
        assert_string_equal(body_of(answer), "");
    }
    vs_http_server_stop(&s, 100);
}

static void other_paths_are_404_without_a_body(void **state)
{
    (void)state;
    vs_http_server *s = start();
    static const char *const none[] = {"/",
                                       "/kbs",
                                       "/kbs/v0",
                                       "/kbs/v1/auth",
                                       "/KBS/v0/auth",
                                       "/%6bbs/v0/auth",
                                       "/healthz/",
                                       "//kbs/v0/auth",
                                       "*",
                                       "/x/../kbs/v0/auth"};
    for (size_t i = 0; i < VS_COUNT(none); i++) {
        const char *answer = ask(s, request("GET", none[i], ""));
        assert_int_equal(status_of(answer), 404);
        assert_string_equal(body_of(answer), "");
    }
    vs_http_server_stop(&s, 100);
}

/* ---- beside the KBS ---------------------------------------------------------------------------
 */

static vs_code store_state;

static vs_code store_check(void *user, vs_error *err)
{
    (void)user;
    return store_state == VS_OK ? VS_OK : vs_fail(err, store_state, "the database is gone");
}

static const ops_check checks[] = {{"store", store_check, NULL}};
static ops operations = {checks, VS_COUNT(checks), kbs_metrics_print};

static void anybody_learns_of_health_only_the_status(void **state)
{
    (void)state;
    api_front front = {(kbs *)&next_reply, &operations, false};
    vs_http_server *s = serve(api_front_handle, &front, (vs_http_limits){0});
    next_reply = (kbs_reply){.content_type = "application/json"};
    next_detail = "";
    store_state = VS_OK;
    static const char *const healthy[] = {"/healthz", "/livez", "/readyz"};
    for (size_t i = 0; i < VS_COUNT(healthy); i++) {
        const char *answer = ask(s, request("GET", healthy[i], ""));
        assert_int_equal(status_of(answer), 200);
        assert_string_equal(body_of(answer), "");
        assert_int_equal(status_of(ask(s, request("POST", healthy[i], ""))), 404);
    }
    store_state = VS_E_IO;
    const char *answer = ask(s, request("GET", "/readyz", ""));
    assert_int_equal(status_of(answer), 503);
    assert_string_equal(body_of(answer), "");
    assert_int_equal(status_of(ask(s, request("GET", "/livez", ""))), 200);
    assert_int_equal(status_of(ask(s, request("GET", "/metrics", ""))), 404);
    assert_int_equal(status_of(ask(s, request("GET", "/kbs/v0/resource/a/b/c", ""))), 200);
    front.metrics = true;
    answer = ask(s, request("GET", "/metrics", ""));
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, "kbs_http_requests_total 1\n"));
    assert_non_null(strstr(answer, "kbs_http_active_connections 0\n"));
    assert_non_null(strstr(answer, "kbs_build_info{"));
    assert_int_equal(status_of(ask(s, request("POST", "/metrics", ""))), 405);
    vs_http_server_stop(&s, 100);
}

static void operators_learn_what_is_wrong(void **state)
{
    (void)state;
    vs_http_server *s = serve(ops_rest_handle, &operations, (vs_http_limits){0});
    store_state = VS_OK;
    assert_string_equal(body_of(ask(s, request("GET", "/livez", ""))), "ok\n");
    assert_string_equal(body_of(ask(s, request("GET", "/readyz", ""))),
                        "{\"ready\":true,\"checks\":[{\"name\":\"store\",\"ok\":true}]}\n");
    store_state = VS_E_IO;
    const char *answer = ask(s, request("GET", "/readyz", ""));
    assert_int_equal(status_of(answer), 503);
    assert_string_equal(body_of(answer),
                        "{\"ready\":false,\"checks\":[{\"name\":\"store\",\"ok\":false,"
                        "\"error\":\"the database is gone\"}]}\n");
    assert_int_equal(status_of(ask(s, request("GET", "/metrics", ""))), 200);
    assert_int_equal(status_of(ask(s, request("DELETE", "/metrics", ""))), 405);
    assert_int_equal(status_of(ask(s, request("GET", "/kbs/v0/auth", ""))), 404);
    vs_http_server_stop(&s, 100);
}

static void errors_are_json_with_the_wire_status(void **state)
{
    (void)state;
    vs_http_server *s = start();
    next_reply.error = KBS_POLICY_DENY;
    next_detail = "Access \"denied\"\n";
    memcpy(next_reply.decision, "0123", 5);
    const char *answer = ask(s, request("GET", "/kbs/v0/resource/a/b/c", ""));
    assert_int_equal(status_of(answer), 401);
    assert_string_equal(
        body_of(answer),
        "{\"type\":\"https://github.com/confidential-containers/kbs/errors/PolicyDeny\","
        "\"detail\":\"Access \\\"denied\\\"\\n\"}");
    assert_null(strstr(answer, "Content-Type"));
    assert_non_null(strstr(answer, "\r\nVouchsafe-Decision: 0123\r\n"));
    next_reply.error = KBS_PLUGIN_NOT_FOUND;
    assert_int_equal(status_of(ask(s, request("GET", "/kbs/v0/x", ""))), 404);
    for (int e = KBS_ADMIN_AUTH_ACCESS; e <= KBS_TOKEN_VERIFIER_ERROR; e++) {
        next_reply.error = (kbs_error)e;
        assert_int_equal(status_of(ask(s, request("GET", "/kbs/v0/x", ""))),
                         e == KBS_PLUGIN_NOT_FOUND ? 404 : 401);
    }
    vs_http_server_stop(&s, 100);
}

static void the_session_cookie_is_set_as_clients_expect(void **state)
{
    (void)state;
    vs_http_server *s = start();
    next_reply.set_session = VS_LIT("0123abcd");
    next_reply.set_session_expires = 784111777;
    const char *answer = ask(s, request("POST", "/kbs/v0/auth", "Content-Length: 0\r\n"));
    assert_non_null(strstr(answer, "\r\nSet-Cookie: kbs-session-id=0123abcd; Expires=Sun, 06 Nov "
                                   "1994 08:49:37 GMT; HttpOnly\r\n"));
    assert_non_null(strstr(answer, "\r\nContent-Type: application/json\r\n"));
    next_reply.set_session = VS_LIT("a\r\nX-Evil: b");
    assert_null(
        strstr(ask(s, request("POST", "/kbs/v0/auth", "Content-Length: 0\r\n")), "X-Evil: b"));
    vs_http_server_stop(&s, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_decoded_once_and_split),
        cmocka_unit_test(queries_become_an_object_and_the_last_wins),
        cmocka_unit_test(malformed_targets_are_400),
        cmocka_unit_test(cookies_and_bearers_are_found),
        cmocka_unit_test(methods_are_routed_or_405),
        cmocka_unit_test(other_paths_are_404_without_a_body),
        cmocka_unit_test(anybody_learns_of_health_only_the_status),
        cmocka_unit_test(operators_learn_what_is_wrong),
        cmocka_unit_test(errors_are_json_with_the_wire_status),
        cmocka_unit_test(the_session_cookie_is_set_as_clients_expect),
    };
    return cmocka_run_group_tests_name("kbs_rest", tests, NULL, NULL);
}
