/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libvouchsafe-client through its public header, linked as a program of others would: against a
 * server that answers what each test wants.
 */
#include "../../../include/vouchsafe/client.h"

#include "../net/wire.h"

#include <pthread.h>

#include "base/clock.h"
#include "envelope/jose.h"

static struct {
    _Atomic int auth_status, attest_status, get_status; /* a slow answer may still be under way */
    const char *answer; /* to a GET; NULL = the secret, or a refusal */
    const char *auth_answer;
    const char *speaks; /* what it says of its versions, which ours is none of */
    const char *secret;
    bool needs_session, attested;
    int auths, attests, gets;
    _Atomic unsigned slow_ms;
    vs_buf key, evidence, init_data, agent, bearer, target;
} k;

static vs_http_server *server;
static char url[60];

static void refuse(vs_http_response *resp, int status, const char *name)
{
    resp->status = status;
    vs_http_add_header(resp, "Vouchsafe-Decision", "d-1");
    vs_buf_printf(&resp->body, "{\"type\":\"https://x/errors/%s\",\"detail\":\"it is \\u001b[2J\"}",
                  name);
}

static void keep(vs_buf *b, vs_span s)
{
    vs_buf_clear(b);
    vs_buf_put(b, s);
}

static void on_attest(const vs_http_request *req, vs_http_response *resp)
{
    vs_val doc;
    vs_error err = {0};
    k.attests++;
    assert_vs_ok(vs_json_parse(req->arena, req->body, NULL, &doc, &err), &err);
    vs_buf_clear(&k.key);
    vs_buf_clear(&k.evidence);
    vs_json_print(&k.key, vs_pointer(doc, VS_LIT("/runtime-data/tee-pubkey")));
    vs_json_print(&k.evidence, vs_pointer(doc, VS_LIT("/tee-evidence/primary_evidence")));
    keep(&k.init_data, vs_text(vs_pointer(doc, VS_LIT("/init-data/body"))));
    if (k.attest_status != 200) {
        refuse(resp, k.attest_status, "AttestationError");
        return;
    }
    k.attested = true;
    resp->status = 200;
    vs_buf_puts(&resp->body, "{\"token\":\"e30.e30.e30\"}");
}

static void on_get(const vs_http_request *req, vs_http_response *resp)
{
    vs_val key;
    vs_error err = {0};
    k.gets++;
    keep(&k.target, req->path);
    vs_buf_putc(&k.target, '?');
    vs_buf_put(&k.target, req->query);
    keep(&k.bearer, vs_http_header(req, "authorization"));
    if (k.needs_session && !k.attested) {
        refuse(resp, 401, "TokenNotFound");
    } else if (k.get_status != 200) {
        refuse(resp, k.get_status, "PolicyDeny");
    } else {
        resp->status = 200;
        if (k.answer) {
            vs_buf_puts(&resp->body, k.answer);
            return;
        }
        assert_vs_ok(vs_json_parse(req->arena, vs_buf_span(&k.key), NULL, &key, &err), &err);
        assert_vs_ok(vs_jwe_encrypt(&resp->body, key, vs_str(k.secret), &err), &err);
    }
}

static void handle(void *user, const vs_http_request *req, vs_http_response *resp)
{
    (void)user;
    if (k.slow_ms)
        usleep(k.slow_ms * 1000);
    keep(&k.agent, vs_http_header(req, "user-agent"));
    if (vs_span_is(req->path, "/kbs/v0/auth")) {
        k.auths++;
        if (k.speaks) {
            resp->status = 401;
            vs_buf_printf(&resp->body,
                          "{\"type\":\"x/AttestationError\",\"detail\":\"KBS Client Protocol "
                          "Version Mismatch: expect %s while the request is 0.4.0\"}",
                          k.speaks);
            return;
        }
        if (k.auth_status != 200) {
            refuse(resp, k.auth_status, "AttestationError");
            return;
        }
        resp->status = 200;
        vs_http_add_header(resp, "Set-Cookie", "kbs-session-id=s1");
        vs_buf_puts(&resp->body, k.auth_answer ? k.auth_answer
                                               : "{\"nonce\":\"bm9uY2U=\",\"extra-params\":\"\"}");
    } else if (vs_span_is(req->path, "/kbs/v0/attest")) {
        on_attest(req, resp);
    } else {
        on_get(req, resp);
    }
}

static int set_up(void **state)
{
    (void)state;
    memset(&k, 0, sizeof k);
    k.auth_status = k.attest_status = k.get_status = 200;
    k.secret = "the secret";
    k.needs_session = true;
    vs_buf *all[] = {&k.key, &k.evidence, &k.init_data, &k.agent, &k.bearer, &k.target};
    for (size_t i = 0; i < VS_COUNT(all); i++)
        all[i]->cap = 4 << 20;
    server = serve(handle, NULL, (vs_http_limits){.body_bytes = 4 << 20});
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", vs_http_server_port(server, 0));
    (void)unsetenv("VOUCHSAFE_TSM_PATH");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    vs_http_server_stop(&server, 100);
    vs_buf *all[] = {&k.key, &k.evidence, &k.init_data, &k.agent, &k.bearer, &k.target};
    for (size_t i = 0; i < VS_COUNT(all); i++)
        vs_buf_free(all[i]);
    return 0;
}

/* Evidence without a TEE, which these tests do not have: the caller's. */
static struct {
    const char *json; /* NULL = none is given */
    size_t size;      /* 0 = as text */
    const char *why;
    bool good;
    int times, asked;
    size_t report;
} evidence;

static bool give(void *user, const unsigned char *report_data, size_t size,
                 vouchsafe_answer *answer)
{
    assert_ptr_equal(user, &evidence);
    assert_non_null(report_data);
    evidence.asked++;
    evidence.report = size;
    bool taken = true;
    for (int i = 0; evidence.json && i < evidence.times; i++)
        taken = vouchsafe_evidence_give(answer, evidence.json,
                                        evidence.size ? evidence.size : strlen(evidence.json));
    if (evidence.why)
        vouchsafe_evidence_fail(answer, evidence.why);
    return evidence.good || !taken;
}

static vouchsafe_config config(void)
{
    memset(&evidence, 0, sizeof evidence);
    evidence.json = "{\"token\":[1,2]}";
    evidence.good = true;
    evidence.times = 1;
    return (vouchsafe_config){.size = sizeof(vouchsafe_config),
                              .url = url,
                              .tee = "cca",
                              .evidence = give,
                              .evidence_user = &evidence,
                              .pause_ms = 1};
}

static vouchsafe_client *new_client(const vouchsafe_config *cfg)
{
    vouchsafe_client *c = NULL;
    vouchsafe_failure why;
    if (vouchsafe_client_new(cfg, &c, &why) != VOUCHSAFE_DONE)
        fail_msg("%s", why.message);
    return c;
}

static const vouchsafe_resource demo = {.path = "default/key/1"};

static void assert_result(vouchsafe_result got, vouchsafe_result want, const vouchsafe_failure *why)
{
    if (got != want)
        fail_msg("result %d, not %d: %s", (int)got, (int)want, why->message);
}

static void assert_secret_is(vouchsafe_secret *s, const char *want)
{
    size_t n = 999;
    const unsigned char *p = vouchsafe_secret_bytes(s, &n);
    assert_int_equal(n, strlen(want));
    assert_string_equal((const char *)p, want); /* with its NUL */
    assert_ptr_equal(vouchsafe_secret_bytes(s, NULL), p);
    vouchsafe_secret_free(s);
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void a_secret_is_got_with_evidence_of_the_caller(void **state)
{
    (void)state;
    vouchsafe_config cfg = config();
    char agent[] = "my-guest/1", init[] = "version = \"0.1.0\"\n";
    cfg.user_agent = agent;
    cfg.init_data = init;
    cfg.init_data_size = strlen(init);
    vouchsafe_client *c = new_client(&cfg);
    memset(agent, 'x', sizeof agent - 1); /* texts are copied */
    memset(init, 'x', sizeof init - 1);
    memset(&cfg, 0xff, sizeof cfg);
    vouchsafe_secret *s = NULL;
    vouchsafe_failure why;
    assert_string_equal(vouchsafe_protocol(c), "");
    assert_string_equal(vouchsafe_tee(c), "");
    assert_int_equal(vouchsafe_get(c, &demo, &s, &why), VOUCHSAFE_DONE);
    assert_string_equal(vouchsafe_protocol(c), "0.4.0");
    assert_string_equal(vouchsafe_tee(c), "cca");
    assert_int_equal(evidence.report, 48);
    assert_span_is(vs_buf_span(&k.evidence), "{\"token\":[1,2]}");
    assert_span_is(vs_buf_span(&k.init_data), "version = \"0.1.0\"\n");
    assert_span_is(vs_buf_span(&k.agent), "my-guest/1");
    assert_span_is(vs_buf_span(&k.target), "/kbs/v0/resource/default/key/1?");
    const vouchsafe_resource other = {.plugin = "my-plugin", .path = "a b", .query = "x=1&y=%20"};
    vouchsafe_secret *second = NULL;
    assert_int_equal(vouchsafe_get(c, &other, &second, NULL), VOUCHSAFE_DONE);
    assert_span_is(vs_buf_span(&k.target), "/kbs/v0/my-plugin/a%20b?x=1&y=%20");
    assert_int_equal(k.attests, 1); /* the session is good still */
    vouchsafe_client_free(c);
    assert_secret_is(s, "the secret"); /* outlives the client */
    assert_secret_is(second, "the secret");
    vouchsafe_secret_free(NULL);
    vouchsafe_client_free(NULL);
    assert_string_equal(vouchsafe_client_version(), "1.0.0");
}

static void an_empty_secret_is_one(void **state)
{
    (void)state;
    vouchsafe_config cfg = config();
    vouchsafe_client *c = new_client(&cfg);
    vouchsafe_secret *s = NULL;
    k.secret = "";
    assert_int_equal(vouchsafe_get(c, &demo, &s, NULL), VOUCHSAFE_DONE);
    assert_non_null(s);
    assert_secret_is(s, "");
    vouchsafe_client_free(c);
}

static void token_and_key_can_be_used_elsewhere(void **state)
{
    (void)state;
    vouchsafe_config cfg = config();
    vouchsafe_client *c = new_client(&cfg);
    vouchsafe_secret *token = NULL, *pem = NULL, *s = NULL;
    vouchsafe_failure why;
    assert_int_equal(vouchsafe_get_key(c, &pem, &why), VOUCHSAFE_BAD_ARGUMENT);
    assert_null(pem);
    assert_int_equal(vouchsafe_attest(c, &token, &why), VOUCHSAFE_DONE);
    assert_int_equal(vouchsafe_get_key(c, &pem, &why), VOUCHSAFE_DONE);
    vouchsafe_client_free(c);

    vouchsafe_config bare = {.size = sizeof bare, .url = url}; /* no TEE is needed */
    c = new_client(&bare);
    size_t n, pem_n;
    const char *jws = (const char *)vouchsafe_secret_bytes(token, &n);
    const char *text = (const char *)vouchsafe_secret_bytes(pem, &pem_n);
    assert_int_equal(vouchsafe_get_with_token(c, jws, n, &demo, &s, &why), VOUCHSAFE_BAD_ARGUMENT);
    assert_int_equal(vouchsafe_set_key(c, text, pem_n - 40, &why), VOUCHSAFE_BAD_ARGUMENT);
    assert_int_equal(vouchsafe_set_key(c, "", 0, &why), VOUCHSAFE_BAD_ARGUMENT);
    assert_int_equal(vouchsafe_set_key(c, text, pem_n, &why), VOUCHSAFE_DONE);
    assert_int_equal(k.gets, 0);
    assert_int_equal(vouchsafe_get_with_token(c, jws, n, &demo, &s, &why), VOUCHSAFE_DONE);
    assert_secret_is(s, "the secret");
    assert_span_is(vs_buf_span(&k.bearer), "Bearer e30.e30.e30");
    assert_int_equal(k.attests, 1);
    static const char *const bad[] = {"", "a b", "a\r\nX: y", "\xc3\xa4.b.c"};
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_int_equal(vouchsafe_get_with_token(c, bad[i], strlen(bad[i]), &demo, &s, &why),
                         VOUCHSAFE_BAD_ARGUMENT);
    assert_int_equal(k.gets, 1);
    vouchsafe_secret_free(token);
    vouchsafe_secret_free(pem);
    vouchsafe_client_free(c);
}

static void refusals_say_what_the_server_said(void **state)
{
    (void)state;
    static const struct {
        int status;
        vouchsafe_result result;
    } v[] = {{401, VOUCHSAFE_DENIED},
             {403, VOUCHSAFE_DENIED},
             {404, VOUCHSAFE_NOT_FOUND},
             {500, VOUCHSAFE_REFUSED},
             {302, VOUCHSAFE_REFUSED}};
    vouchsafe_config cfg = config();
    vouchsafe_client *c = new_client(&cfg);
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        vouchsafe_secret *s = (vouchsafe_secret *)&s;
        vouchsafe_failure why;
        memset(&why, 0xff, sizeof why);
        k.get_status = v[i].status;
        assert_result(vouchsafe_get(c, &demo, &s, &why), v[i].result, &why);
        assert_null(s);
        assert_int_equal(why.http_status, v[i].status);
        assert_string_equal(why.server_error, "PolicyDeny");
        assert_string_equal(why.decision, "d-1");
        assert_non_null(strstr(why.message, "it is \\x1b[2J"));
        assert_int_equal(vouchsafe_get(c, &demo, &s, NULL), v[i].result);
    }
    k.get_status = 200;
    k.attest_status = 401;
    vouchsafe_secret *s = NULL;
    vouchsafe_failure why;
    k.attests = 0;
    assert_result(vouchsafe_attest(c, &s, &why), VOUCHSAFE_DENIED, &why);
    assert_int_equal(k.attests, 5);
    vouchsafe_client_free(c);
    cfg.tries = 2;
    c = new_client(&cfg);
    k.attests = 0;
    assert_result(vouchsafe_attest(c, &s, &why), VOUCHSAFE_DENIED, &why);
    assert_int_equal(k.attests, 2);
    assert_string_equal(why.server_error, "AttestationError");
    vouchsafe_client_free(c);
}

static void answers_that_are_no_answers_are_told_from_refusals(void **state)
{
    (void)state;
    vouchsafe_config cfg = config();
    vouchsafe_failure why;
    vouchsafe_secret *s = NULL;
    static const char *const bad[] = {"", "{}", "the secret", "{\"protected\":\"e30\"}"};
    vouchsafe_client *c = new_client(&cfg);
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        k.answer = bad[i];
        assert_result(vouchsafe_get(c, &demo, &s, &why), VOUCHSAFE_BAD_ANSWER, &why);
        assert_int_equal(why.http_status, 0);
    }
    vouchsafe_client_free(c);
    k.answer = NULL;
    k.attested = false;
    k.auth_answer = "<html>";
    c = new_client(&cfg); /* the refusal before it was not the end */
    assert_result(vouchsafe_get(c, &demo, &s, &why), VOUCHSAFE_BAD_ANSWER, &why);
    assert_int_equal(why.http_status, 0);
    assert_string_equal(why.server_error, "");
    vouchsafe_client_free(c);

    cfg.url = "http://127.0.0.1:1";
    c = new_client(&cfg);
    assert_result(vouchsafe_get(c, &demo, &s, &why), VOUCHSAFE_UNREACHABLE, &why);
    vouchsafe_client_free(c);
    cfg.url = url;
    cfg.proxy = "http://127.0.0.1:1";
    c = new_client(&cfg);
    assert_result(vouchsafe_get(c, &demo, &s, &why), VOUCHSAFE_UNREACHABLE, &why);
    assert_non_null(strstr(why.message, "proxy"));
    vouchsafe_client_free(c);
}

static void versions_that_do_not_fit_are_a_result_of_their_own(void **state)
{
    (void)state;
    static const struct {
        const char *says, *oldest, *error;
    } v[] = {{"=0.1.1", NULL, "older than 0.2.0"},
             {"=0.2.0", "0.4.0", "older than 0.4.0"},
             {"=0.5.0", "0.1.1", "this client 0.1.1"},
             {"=0.4.0", "0.1.1", "does not take it"}};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        vouchsafe_config cfg = config();
        vouchsafe_failure why;
        vouchsafe_secret *s = NULL;
        cfg.oldest_protocol = v[i].oldest;
        k.speaks = v[i].says;
        vouchsafe_client *c = new_client(&cfg);
        assert_result(vouchsafe_attest(c, &s, &why), VOUCHSAFE_NO_COMMON_PROTOCOL, &why);
        assert_non_null(strstr(why.message, v[i].error));
        assert_int_equal(evidence.asked, 0);
        k.speaks = NULL;
        k.auth_status = 401; /* a refusal that is not about the version */
        assert_result(vouchsafe_attest(c, &s, &why), VOUCHSAFE_DENIED, &why);
        k.auth_status = 200;
        vouchsafe_client_free(c);
    }
}

static void evidence_that_is_none_is_not_sent(void **state)
{
    (void)state;
    static const struct {
        const char *json, *why, *says;
        bool good;
        int times;
    } v[] = {{NULL, NULL, "has given no evidence", true, 1},
             {NULL, NULL, "has given no evidence", false, 1},
             {"{\"a\":1}", NULL, "has given no evidence", false, 1},
             {"{\"a\":1}", "the TEE is asleep", "the TEE is asleep", true, 1},
             {"{\"a\":1},\"tee-evidence\":{}", NULL, "the caller's evidence", true, 1},
             {"{\"a\":1", NULL, "the caller's evidence", true, 1},
             {"", NULL, "the caller's evidence", true, 1},
             {"{\"a\":1}", NULL, "more than once", true, 2}};
    vouchsafe_config cfg = config();
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        vouchsafe_client *c = new_client(&cfg);
        vouchsafe_secret *s = NULL;
        vouchsafe_failure why;
        evidence.json = v[i].json;
        evidence.why = v[i].why;
        evidence.good = v[i].good;
        evidence.times = v[i].times;
        k.attested = false;
        assert_result(vouchsafe_get(c, &demo, &s, &why), VOUCHSAFE_NO_EVIDENCE, &why);
        if (!strstr(why.message, v[i].says))
            fail_msg("%s", why.message);
        vouchsafe_client_free(c);
    }
    assert_int_equal(k.attests, 0);
    char *large = malloc((1 << 20) + 1);
    memset(large, ' ', (1 << 20) + 1);
    large[0] = '1';
    evidence.json = large;
    evidence.size = (1 << 20) + 1;
    evidence.times = 1;
    evidence.why = NULL;
    evidence.good = true;
    vouchsafe_client *c = new_client(&cfg);
    vouchsafe_secret *s = NULL;
    vouchsafe_failure why;
    assert_result(vouchsafe_get(c, &demo, &s, &why), VOUCHSAFE_NO_EVIDENCE, &why);
    assert_int_equal(k.attests, 0);
    vouchsafe_client_free(c);
    free(large);
}

static int warnings;
static char warned[1400];

static void on_warning(void *user, const char *line)
{
    assert_ptr_equal(user, &warnings);
    warnings++;
    (void)snprintf(warned, sizeof warned, "%s", line);
}

static void the_sample_attester_must_be_asked_for(void **state)
{
    (void)state;
    if (access("/sys/kernel/config/tsm/report", F_OK) == 0 || access("/dev/tpmrm0", F_OK) == 0)
        skip(); /* this machine has a TEE */
    vouchsafe_config cfg = {.size = sizeof cfg, .url = url, .warn = on_warning};
    cfg.warn_user = &warnings;
    vouchsafe_secret *s = NULL;
    vouchsafe_failure why;
    vouchsafe_client *c = new_client(&cfg);
    warnings = 0;
    assert_result(vouchsafe_get(c, &demo, &s, &why), VOUCHSAFE_NO_EVIDENCE, &why);
    assert_int_equal(k.gets, 0);
    vouchsafe_client_free(c);
    cfg.tee = "tdx";
    cfg.allow_sample = true;
    c = new_client(&cfg);
    assert_result(vouchsafe_get(c, &demo, &s, &why), VOUCHSAFE_NO_EVIDENCE, &why);
    vouchsafe_client_free(c);
    assert_int_equal(warnings, 0);
    cfg.tee = NULL;
    c = new_client(&cfg);
    assert_result(vouchsafe_get(c, &demo, &s, &why), VOUCHSAFE_DONE, &why);
    assert_secret_is(s, "the secret");
    assert_string_equal(vouchsafe_tee(c), "sample");
    assert_int_equal(warnings, 1);
    assert_non_null(strstr(warned, "proves nothing"));
    vouchsafe_client_free(c);
}

static void retries_are_told(void **state)
{
    (void)state;
    vouchsafe_config cfg = config();
    cfg.warn = on_warning;
    cfg.warn_user = &warnings;
    cfg.tries = 3;
    vouchsafe_client *c = new_client(&cfg);
    vouchsafe_secret *s = NULL;
    vouchsafe_failure why;
    warnings = 0;
    k.attest_status = 503;
    assert_result(vouchsafe_attest(c, &s, &why), VOUCHSAFE_REFUSED, &why);
    assert_int_equal(warnings, 2);
    assert_non_null(strstr(warned, "trying again: "));
    assert_non_null(strstr(warned, "HTTP 503"));
    vouchsafe_client_free(c);
}

static void deadlines_end_a_call(void **state)
{
    (void)state;
    vouchsafe_config cfg = config();
    vouchsafe_secret *s = NULL;
    vouchsafe_failure why;
    cfg.deadline_ms = 200;
    k.slow_ms = 3000;
    int64_t start = vs_mono_ns();
    vouchsafe_client *c = new_client(&cfg);
    assert_result(vouchsafe_get(c, &demo, &s, &why), VOUCHSAFE_TIMEOUT, &why);
    assert_true(vs_mono_ns() - start < INT64_C(2500) * 1000000);
    vouchsafe_client_free(c);
    k.slow_ms = 0;
    k.attest_status = 401;
    cfg.pause_ms = 3600000;
    start = vs_mono_ns();
    c = new_client(&cfg);
    assert_result(vouchsafe_attest(c, &s, &why), VOUCHSAFE_TIMEOUT, &why);
    assert_true(vs_mono_ns() - start < INT64_C(20) * 1000000000);
    vouchsafe_client_free(c);
}

/* ---- threads ---- */

static vouchsafe_secret *shared_key; /* so that the server may encrypt to whoever attested last */

static bool give_quietly(void *user, const unsigned char *report_data, size_t size,
                         vouchsafe_answer *answer)
{
    (void)user;
    (void)report_data;
    return size == 48 && vouchsafe_evidence_give(answer, "{}", 2);
}

static void *get_some(void *user)
{
    int *got = user;
    size_t n;
    const vouchsafe_config cfg = {
        .size = sizeof cfg, .url = url, .tee = "cca", .evidence = give_quietly};
    vouchsafe_client *c = NULL;
    const char *pem = (const char *)vouchsafe_secret_bytes(shared_key, &n);
    if (vouchsafe_client_new(&cfg, &c, NULL) != VOUCHSAFE_DONE ||
        vouchsafe_set_key(c, pem, n, NULL) != VOUCHSAFE_DONE)
        return NULL;
    for (int i = 0; i < 10; i++) {
        vouchsafe_secret *token = NULL, *s = NULL;
        *got += vouchsafe_attest(c, &token, NULL) == VOUCHSAFE_DONE &&
                vouchsafe_get(c, &demo, &s, NULL) == VOUCHSAFE_DONE;
        vouchsafe_secret_free(token);
        vouchsafe_secret_free(s);
    }
    vouchsafe_client_free(c);
    return NULL;
}

static void clients_of_many_threads_are_independent(void **state)
{
    (void)state;
    enum { THREADS = 6 };
    pthread_t threads[THREADS];
    int got[THREADS] = {0};
    vouchsafe_config cfg = config();
    vouchsafe_client *c = new_client(&cfg);
    vouchsafe_secret *token = NULL;
    assert_int_equal(vouchsafe_attest(c, &token, NULL), VOUCHSAFE_DONE);
    assert_int_equal(vouchsafe_get_key(c, &shared_key, NULL), VOUCHSAFE_DONE);
    vouchsafe_secret_free(token);
    vouchsafe_client_free(c);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_some, &got[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(got[i], 10);
    }
    vouchsafe_secret_free(shared_key);
}

static void bad_arguments_are_refused_before_anything_is_sent(void **state)
{
    (void)state;
    const vouchsafe_config good = config();
    struct {
        vouchsafe_config cfg;
        const char *says;
    } v[16];
    size_t n = 0;
#define CASE(change, text)                                                                         \
    do {                                                                                           \
        vouchsafe_config cfg = good;                                                               \
        change;                                                                                    \
        v[n].cfg = cfg;                                                                            \
        v[n++].says = text;                                                                        \
    } while (0)
    CASE(cfg.size = 0, "size");
    CASE(cfg.size--, "size");
    CASE(cfg.url = NULL, "url");
    CASE(cfg.url = "ftp://h", "http");
    CASE(cfg.url = "http://h/kbs/v0", "/kbs/v0");
    CASE(cfg.ca_file = "/nonexistent/ca.pem", "/nonexistent/ca.pem");
    CASE(cfg.ca_pem = "no certificate", "no PEM certificate");
    CASE(cfg.proxy = "socks5://h:1", "proxy");
    CASE(cfg.proxy = "http://me:hunter2@h:1", "proxy");
    CASE(cfg.tee = NULL, "name of the TEE");
    CASE(cfg.tee = "CC A", "name of a TEE");
    CASE(cfg.init_data_size = 5, "init_data");
    CASE(cfg.oldest_protocol = "0.1.0", "oldest_protocol");
    CASE(cfg.tries = 1001, "tries");
    CASE(cfg.user_agent = "a\r\nX: y", "user_agent");
    for (size_t i = 0; i < n; i++) {
        vouchsafe_client *c = (vouchsafe_client *)&c;
        vouchsafe_failure why;
        assert_int_equal(vouchsafe_client_new(&v[i].cfg, &c, &why), VOUCHSAFE_BAD_ARGUMENT);
        assert_null(c);
        if (!strstr(why.message, v[i].says) || strstr(why.message, "hunter2"))
            fail_msg("%s: %s", v[i].says, why.message);
        assert_int_equal(vouchsafe_client_new(&v[i].cfg, &c, NULL), VOUCHSAFE_BAD_ARGUMENT);
    }
    vouchsafe_client *c = new_client(&good);
    char *long_path = malloc(4002);
    memset(long_path, 'a', 4001);
    long_path[4001] = 0;
    const vouchsafe_resource resources[] = {{.path = NULL},
                                            {.path = ""},
                                            {.path = "a", .plugin = ""},
                                            {.path = "a", .plugin = "a/b"},
                                            {.path = "a", .query = "a b"},
                                            {.path = "a", .query = "a#b"},
                                            {.path = "a", .query = "a\r\nX: y"},
                                            {.path = long_path}};
    vouchsafe_secret *s = NULL;
    for (size_t i = 0; i < VS_COUNT(resources); i++)
        assert_int_equal(vouchsafe_get(c, &resources[i], &s, NULL), VOUCHSAFE_BAD_ARGUMENT);
    assert_int_equal(vouchsafe_get(c, NULL, &s, NULL), VOUCHSAFE_BAD_ARGUMENT);
    assert_int_equal(k.gets + k.auths, 0);
    vouchsafe_client_free(c);
    free(long_path);
}

/* A program that was built with a later header: what it leaves at 0 changes nothing. */
static void a_later_configuration_is_taken_when_its_news_are_not_used(void **state)
{
    (void)state;
    struct {
        vouchsafe_config cfg;
        uint64_t news[4];
    } later = {.cfg = config()};
    later.cfg.size = sizeof later;
    vouchsafe_client *c = new_client(&later.cfg);
    vouchsafe_client_free(c);
    later.news[3] = 1;
    vouchsafe_failure why;
    assert_int_equal(vouchsafe_client_new(&later.cfg, &c, &why), VOUCHSAFE_BAD_ARGUMENT);
    assert_non_null(strstr(why.message, "does not know"));
}

int main(void)
{
#define WITH_KBS(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_KBS(a_secret_is_got_with_evidence_of_the_caller),
        WITH_KBS(an_empty_secret_is_one),
        WITH_KBS(token_and_key_can_be_used_elsewhere),
        WITH_KBS(refusals_say_what_the_server_said),
        WITH_KBS(answers_that_are_no_answers_are_told_from_refusals),
        WITH_KBS(versions_that_do_not_fit_are_a_result_of_their_own),
        WITH_KBS(evidence_that_is_none_is_not_sent),
        WITH_KBS(the_sample_attester_must_be_asked_for),
        WITH_KBS(retries_are_told),
        WITH_KBS(deadlines_end_a_call),
        WITH_KBS(clients_of_many_threads_are_independent),
        WITH_KBS(bad_arguments_are_refused_before_anything_is_sent),
        WITH_KBS(a_later_configuration_is_taken_when_its_news_are_not_used),
    };
    return cmocka_run_group_tests_name("library", tests, NULL, NULL);
}
