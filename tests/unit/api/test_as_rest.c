/* SPDX-License-Identifier: Apache-2.0 */
/* The attestation service over HTTP: every route, right and wrong, and web pages of other origins.
 */
#include "../as/as_fixture.h"
#include "../net/wire.h"

#include "api/as_rest.h"
#include "as/policies.h"
#include "base/enc.h"

#define RUNTIME "{\"nonce\":\"n\"}"

typedef struct rest_server {
    world w;
    as_rest rest;
    vs_http_server *http;
} rest_server;

static int setup(void **state)
{
    static const char *const origins[] = {"https://a.example", "http://b.example:8080"};
    rest_server *s = calloc(1, sizeof *s);
    assert_non_null(s);
    world_open(&s->w, NULL);
    s->rest = (as_rest){s->w.as, origins, VS_COUNT(origins)};
    s->http = serve(as_rest_handle, &s->rest, (vs_http_limits){0});
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    rest_server *s = *state;
    vs_http_server_stop(&s->http, 100);
    world_close(&s->w);
    free(s);
    return 0;
}

static const char *request(rest_server *s, const char *method, const char *path,
                           const char *headers, const char *body)
{
    return ask(s->http,
               vs_sprintf(&s->w.a, "%s %s HTTP/1.1\r\nHost: h\r\n%sContent-Length: %zu\r\n\r\n%s",
                          method, path, headers, vs_str(body).n, body));
}

static const char *get(rest_server *s, const char *path)
{
    return request(s, "GET", path, "", "");
}

#define JSON_TYPE "Content-Type: application/json\r\n"

static const char *post(rest_server *s, const char *path, const char *body)
{
    return request(s, "POST", path, JSON_TYPE, body);
}

static const char *evidence(rest_server *s)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(1 << 16);
    as_request r = sample_request(&s->w, "sample", RUNTIME);
    vs_json_print(&text, r.evidence);
    vs_span b64 = vs_b64_encode_arena(&s->w.a, VS_B64_URL, vs_buf_span(&text));
    return vs_sprintf(&s->w.a, "%.*s", VS_FMT(b64));
}

/* {"verification_requests":[{"tee","evidence", more}], "policy_ids": ids} */
static const char *attestation(rest_server *s, const char *more, const char *ids)
{
    return vs_sprintf(&s->w.a,
                      "{\"verification_requests\":[{\"tee\":\"sample\",\"evidence\":\"%s\"%s}],"
                      "\"policy_ids\":%s}",
                      evidence(s), more, ids);
}

static void assert_answer(const char *answer, int status, const char *says)
{
    if (status_of(answer) != status || !strstr(body_of(answer), says))
        fail_msg("want %d %s, got %s", status, says, answer);
}

static void evidence_becomes_a_token(void **state)
{
    rest_server *s = *state;
    static const char *const good[] = {
        ",\"runtime_data\":{\"structured\":" RUNTIME "}",
        ",\"runtime_data\":{\"structured\":" RUNTIME "},\"init_data\":null,"
        "\"runtime_data_hash_algorithm\":\"SHA384\"",
        ",\"runtime_data\":null,\"runtime_data_hash_algorithm\":null,\"unknown\":1",
        ",\"init_data\":{\"init_data_digest\":\"AAEC\"}",
        ",\"init_data\":{\"init_data_toml\":\"version = '1'\\nalgorithm = 'sha256'\\n[data]\\n\"}",
    };
    for (size_t i = 0; i < VS_COUNT(good); i++) {
        const char *answer = post(s, "/attestation", attestation(s, good[i], "[]"));
        if (status_of(answer) != 200)
            fail_msg("%s -> %s", good[i], answer);
        assert_non_null(strstr(answer, "Content-Type: text/plain; charset=utf-8"));
        vs_val claims = token_claims(&s->w, vs_dup(&s->w.a, vs_str(body_of(answer))));
        assert_true(vs_defined(at(claims, "/submods/cpu0")));
    }
}

static void bodies_that_are_not_the_json_wanted_are_400(void **state)
{
    rest_server *s = *state;
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "null",
        "{}",
        "{\"verification_requests\":[]}", /* policy_ids is required */
        "{\"verification_requests\":{},\"policy_ids\":[]}",
        "{\"verification_requests\":[1],\"policy_ids\":[]}",
        "{\"verification_requests\":[{}],\"policy_ids\":[]}",
        "{\"verification_requests\":[{\"tee\":\"cca\"}],\"policy_ids\":[]}",
        "{\"verification_requests\":[{\"tee\":1,\"evidence\":\"\"}],\"policy_ids\":[]}",
        "{\"verification_requests\":[],\"policy_ids\":[1]}",
        "{\"verification_requests\":[],\"policy_ids\":\"default\"}",
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_answer(post(s, "/attestation", bad[i]), 400, "");
    static const char *const bad_members[] = {
        ",\"runtime_data\":{}",
        ",\"runtime_data\":{\"raw\":\"\",\"structured\":{}}",
        ",\"runtime_data\":{\"other\":\"\"}",
        ",\"runtime_data\":{\"raw\":1}",
        ",\"runtime_data\":\"x\"",
        ",\"init_data\":{\"init_data_toml\":{}}",
        ",\"init_data\":{\"init_data_digest\":\"\",\"init_data_toml\":\"\"}",
        ",\"runtime_data_hash_algorithm\":384",
    };
    for (size_t i = 0; i < VS_COUNT(bad_members); i++)
        assert_answer(post(s, "/attestation", attestation(s, bad_members[i], "[]")), 400,
                      "verification request 1");
    const char *good = attestation(s, "", "[]");
    assert_answer(request(s, "POST", "/attestation", "Content-Type: text/plain\r\n", good), 400,
                  "Content type error");
    assert_answer(request(s, "POST", "/attestation", "", good), 400, "Content type error");
    assert_int_equal(status_of(request(s, "POST", "/attestation",
                                       "Content-Type: application/json; charset=utf-8\r\n", good)),
                     200);
}

#define INTERNAL "An internal error occured: \n0: "

static void what_the_service_refuses_is_500_with_the_causes(void **state)
{
    rest_server *s = *state;
    assert_answer(post(s, "/attestation", "{\"verification_requests\":[],\"policy_ids\":[]}"), 500,
                  INTERNAL "No verification requests provided.");
    assert_answer(post(s, "/attestation", attestation(s, "", "[\"nosuch\"]")), 500,
                  "Policy `nosuch_cpu.rego` not found");
    assert_answer(post(s, "/attestation",
                       attestation(s, ",\"runtime_data\":{\"structured\":{\"x\":1}}", "[]")),
                  500, INTERNAL "verifying sample evidence\n1: ");
    assert_answer(
        post(s, "/attestation", attestation(s, ",\"runtime_data\":{\"raw\":\"YQ==\"}", "[]")), 500,
        INTERNAL "base64 decode runtime data\n1: ");
    assert_answer(
        post(s, "/attestation", attestation(s, ",\"runtime_data_hash_algorithm\":\"md5\"", "[]")),
        500, INTERNAL "parse runtime data HashAlgorithm failed\n1: ");
    assert_answer(
        post(
            s, "/attestation",
            "{\"verification_requests\":[{\"tee\":\"x\",\"evidence\":\"e30\"}],\"policy_ids\":[]}"),
        500, INTERNAL "parse TEE type\n1: unknown TEE \"x\"");
}

static void policies_are_set_listed_and_shown(void **state)
{
    rest_server *s = *state;
    assert_string_equal(body_of(get(s, "/policy")),
                        "[{\"policy-id\":\"default_cpu\"},{\"policy-id\":\"default_gpu\"},"
                        "{\"policy-id\":\"default_ppcie\"},{\"policy-id\":\"default_switch\"}]");
    /* "package policy" */
    const char *answer =
        post(s, "/policy",
             "{\"type\":\"rego\",\"policy_id\":\"a_cpu\",\"policy\":\"cGFja2FnZSBwb2xpY3k\"}");
    assert_int_equal(status_of(answer), 200);
    assert_string_equal(body_of(answer), "");
    assert_non_null(strstr(get(s, "/policy"), "{\"policy-id\":\"a_cpu\"},"));
    assert_string_equal(body_of(get(s, "/policy/a_cpu")), "cGFja2FnZSBwb2xpY3k");
    assert_string_equal(body_of(get(s, "/policy/a%5Fcpu")), "cGFja2FnZSBwb2xpY3k");
    assert_answer(get(s, "/policy/nosuch"), 404, "Policy `nosuch.rego` not found");
    assert_answer(get(s, "/policy/..%2fx"), 400, "");
    assert_answer(get(s, "/policy/%zz"), 400, "");
    assert_int_equal(status_of(get(s, "/policy/")), 404);
    assert_int_equal(status_of(get(s, "/policy/a/b")), 400);

    assert_answer(post(s, "/policy", "{\"policy_id\":\"a_cpu\"}"), 400, "\"policy\" is missing");
    assert_answer(post(s, "/policy", "{\"policy_id\":\"a_cpu\",\"policy\":\"cGFja2FnZQ==\"}"), 500,
                  INTERNAL "set policy\n1: ");
    assert_answer(post(s, "/policy", "{\"policy_id\":\"a_cpu\",\"policy\":\"cGFja2FnZQ\"}"), 500,
                  "a_cpu.rego:1:");
    assert_answer(post(s, "/policy", "{\"policy_id\":\".\",\"policy\":\"cGFja2FnZSBwb2xpY3k\"}"),
                  500, "policy id");
    assert_string_equal(body_of(get(s, "/policy/a_cpu")), "cGFja2FnZSBwb2xpY3k");
}

static void challenges_keys_and_health(void **state)
{
    rest_server *s = *state;
    const char *answer = post(s, "/challenge", "{\"tee\":\"cca\",\"tee_params\":\"\"}");
    assert_int_equal(status_of(answer), 200);
    assert_string_equal(body_of(answer), "");
    assert_answer(post(s, "/challenge", "{\"tee_params\":\"\"}"), 500,
                  INTERNAL "Error parse inner_tee tee");
    assert_answer(post(s, "/challenge", "{\"tee\":\"cca\"}"), 500,
                  INTERNAL "Error parse inner_tee tee_params");
    assert_answer(post(s, "/challenge", "{\"tee\":\"x\",\"tee_params\":\"\"}"), 500,
                  "Error parse TEE type");
    assert_answer(post(s, "/challenge", "{\"tee\":1}"), 400, "");
    assert_answer(get(s, "/.well-known/jwks.json"), 200, "{\"keys\":[{\"alg\":\"ES256\"");
    answer = get(s, "/healthz");
    assert_int_equal(status_of(answer), 200);
    assert_string_equal(body_of(answer), "");
}

static void other_routes_and_methods(void **state)
{
    rest_server *s = *state;
    assert_int_equal(status_of(get(s, "/")), 404);
    assert_int_equal(status_of(get(s, "/nosuch")), 404);
    assert_int_equal(status_of(get(s, "/attestation/")), 404);
    static const char *const v[][3] = {{"GET", "/attestation", "Allow: POST"},
                                       {"DELETE", "/policy", "Allow: GET, POST"},
                                       {"POST", "/policy/x", "Allow: GET"},
                                       {"PUT", "/healthz", "Allow: GET"},
                                       {"OPTIONS", "/attestation", "Allow: POST"}};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        const char *answer = request(s, v[i][0], v[i][1], "", "");
        assert_int_equal(status_of(answer), 405);
        assert_non_null(strstr(answer, v[i][2]));
    }
}

static void bodies_over_two_mebibytes_are_413(void **state)
{
    rest_server *s = *state;
    assert_int_equal(status_of(ask(s->http, "POST /attestation HTTP/1.1\r\nHost: h\r\n" JSON_TYPE
                                            "Content-Length: 2097153\r\n\r\n")),
                     413);
}

#define ALLOW "Access-Control-Allow-Origin: "

static void pages_of_other_origins(void **state)
{
    rest_server *s = *state;
    const char *answer = request(s, "GET", "/policy", "Origin: https://a.example\r\n", "");
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, ALLOW "https://a.example\r\n"));
    assert_non_null(strstr(answer, "Vary: Origin"));
    static const char *const strangers[] = {"https://c.example",
                                            "https://a.example.org",
                                            "http://a.example",
                                            "null",
                                            "https://a.example:443",
                                            "https://A.example",
                                            ""};
    for (size_t i = 0; i < VS_COUNT(strangers); i++) {
        const char *origin = vs_sprintf(&s->w.a, "Origin: %s\r\n", strangers[i]);
        answer = request(s, "GET", "/policy", origin, "");
        assert_int_equal(status_of(answer), 200); /* the browser keeps it from the page */
        assert_null(strstr(answer, ALLOW));
        answer =
            request(s, "OPTIONS", "/policy",
                    vs_sprintf(&s->w.a, "%sAccess-Control-Request-Method: POST\r\n", origin), "");
        assert_answer(answer, 400, "Origin is not allowed to make this request");
        assert_null(strstr(answer, ALLOW));
    }
    answer = request(s, "OPTIONS", "/attestation",
                     "Origin: http://b.example:8080\r\nAccess-Control-Request-Method: POST\r\n"
                     "Access-Control-Request-Headers: content-type\r\n",
                     "");
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, ALLOW "http://b.example:8080\r\n"));
    assert_non_null(strstr(answer, "Access-Control-Allow-Methods: GET, POST, OPTIONS\r\n"));
    assert_non_null(
        strstr(answer, "Access-Control-Allow-Headers: content-type, authorization\r\n"));
    assert_non_null(strstr(answer, "Access-Control-Max-Age: 86400\r\n"));
    s->rest.n_origins = 0;
    answer = request(s, "GET", "/policy", "Origin: https://a.example\r\n", "");
    assert_null(strstr(answer, ALLOW));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(evidence_becomes_a_token),
        T(bodies_that_are_not_the_json_wanted_are_400),
        T(what_the_service_refuses_is_500_with_the_causes),
        T(policies_are_set_listed_and_shown),
        T(challenges_keys_and_health),
        T(other_routes_and_methods),
        T(bodies_over_two_mebibytes_are_413),
        T(pages_of_other_origins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
