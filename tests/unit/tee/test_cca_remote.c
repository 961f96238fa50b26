/* SPDX-License-Identifier: Apache-2.0 */
/* The CCA driver with a remote verifier: a Veraison service that answers as the reference says, or
 * as nobody should believe it. */
#include "veraison_service.h"

#include "base/clock.h"
#include "tee/tee.h"

/* ---- the driver --------------------------------------------------------------------------------
 */

typedef struct fixture {
    service s;
    vs_http_server *http;
    soft_realm soft;
    cca_trust *cca;
    vs_arena a;
    vs_buf token;
    char config[64], url[64];
} fixture;

static void configure(fixture *f, const char *address, const char *more)
{
    vs_error err = {0};
    vs_buf text = VS_BUF(4096);
    vs_buf_printf(&text, "{\"cca-verifier\":{\"type\":\"remote\",\"address\":\"%s\"%s}}", address,
                  more);
    assert_vs_ok(vs_write_file(f->config, vs_buf_span(&text), 0600, &err), &err);
    vs_buf_free(&text);
}

static void load(fixture *f, const char *more)
{
    vs_error err = {0};
    configure(f, f->url, more);
    cca_trust_free(&f->cca);
    (void)usleep(30000); /* a younger file is read again at the first use */
    assert_vs_ok(cca_trust_load(f->config, &f->cca, &err), &err);
}

static vs_code run_with(fixture *f, cca_trust *trust, vs_span report, vs_span init,
                        vs_tee_result *out, char why[VS_ERROR_TEXT])
{
    vs_tee_trust all = {.cca = trust};
    vs_tee_expect expect = {.report_data = report, .init_data = init, .now = 1800000000};
    vs_tee_result results[VS_TEE_RESULTS_MAX];
    size_t n = 99;
    vs_error err = {0};
    vs_code code = vs_tee_find(VS_LIT("cca"))
                       ->verify(&all, soft_evidence(&f->a, vs_buf_span(&f->token)), &expect, &f->a,
                                results, &n, &err);
    assert_int_equal(n, code == VS_OK ? 1 : 0);
    assert_int_equal(err.code, code);
    *out = results[0];
    (void)vs_error_text(&err, why, VS_ERROR_TEXT);
    return code;
}

static vs_span challenge_of(const fixture *f)
{
    return vs_span_of(f->soft.challenge, CCA_CHALLENGE);
}

static int start(void **state)
{
    static const char *const any[] = {"127.0.0.1:0"};
    fixture *f = calloc(1, sizeof *f);
    vs_error err = {0};
    cca_trust *local;
    vs_tee_result r;
    char why[VS_ERROR_TEXT];
    (void)pthread_mutex_init(&f->s.lock, NULL);
    f->s.body = (vs_buf)VS_BUF(CCA_TOKEN_MAX);
    assert_vs_ok(vs_key_generate(VS_KEY_P256, &f->s.key, &err), &err);
    f->s.published = f->s.key;
    vs_http_config http = {.sockets = any,
                           .n_sockets = 1,
                           .threads = 1,
                           .workers = 8,
                           .handler = serve,
                           .user = &f->s};
    assert_vs_ok(vs_http_server_start(&http, &f->http, &err), &err);
    (void)snprintf(f->url, sizeof f->url, "http://127.0.0.1:%u", vs_http_server_port(f->http, 0));
    soft_start(&f->soft, VS_KEY_P256, VS_KEY_P256);
    vs_arena_init(&f->a, 0);
    f->token = (vs_buf)VS_BUF(CCA_TOKEN_MAX);
    soft_token(&f->soft, &f->token);
    soft_trust(&f->soft, &local);
    assert_vs_code(run_with(f, local, challenge_of(f), (vs_span){0}, &r, why), VS_OK);
    cca_trust_free(&local);
    f->s.claims = r.claims;
    (void)snprintf(f->config, sizeof f->config, "/tmp/vs-cca-remote-XXXXXX");
    int fd = mkstemp(f->config);
    assert_true(fd >= 0);
    (void)close(fd);
    load(f, "");
    *state = f;
    return 0;
}

static int stop(void **state)
{
    fixture *f = *state;
    cca_trust_free(&f->cca);
    vs_http_server_stop(&f->http, 100);
    if (f->s.published != f->s.key)
        vs_key_free(&f->s.published);
    vs_key_free(&f->s.key);
    vs_buf_free(&f->s.body);
    vs_buf_free(&f->token);
    soft_stop(&f->soft);
    vs_arena_free(&f->a);
    (void)pthread_mutex_destroy(&f->s.lock);
    (void)unlink(f->config);
    free(f);
    return 0;
}

static vs_code run(fixture *f, char why[VS_ERROR_TEXT])
{
    vs_tee_result r;
    return run_with(f, f->cca, challenge_of(f), (vs_span){0}, &r, why);
}

static void accepted(fixture *f, manners m)
{
    char why[VS_ERROR_TEXT];
    f->s.m = m;
    vs_code code = run(f, why);
    if (code != VS_OK)
        fail_msg("%s: %s", vs_code_name(code), why);
}

static void refused(fixture *f, manners m, vs_code want, const char *says)
{
    char why[VS_ERROR_TEXT];
    f->s.m = m;
    vs_code code = run(f, why);
    if (code != want || !strstr(why, says))
        fail_msg("got %s \"%s\", want %s \"%s\"", vs_code_name(code), why, vs_code_name(want),
                 says);
}

/* ---- what works --------------------------------------------------------------------------------
 */

static void the_claims_are_those_of_a_local_verifier(void **state)
{
    fixture *f = *state;
    vs_tee_result r;
    char why[VS_ERROR_TEXT];
    vs_code code = run_with(f, f->cca, challenge_of(f), (vs_span){0}, &r, why);
    if (code != VS_OK)
        fail_msg("%s", why);
    assert_true(vs_eq(without_ours(&f->a, r.claims), without_ours(&f->a, f->s.claims)));
    assert_string_equal(r.tee_class, "cpu");
    assert_int_equal(vs_text(r.report_data).n, 128);
    assert_int_equal(vs_text(r.init_data).n, 128);
    assert_true(cca_trust_is_remote(f->cca));
}

/* cca.md 4.4 step 2: what the service sees. */
static void the_service_gets_the_token_under_the_nonce_of_its_challenge(void **state)
{
    fixture *f = *state;
    accepted(f, (manners){0});
    assert_span_eq(vs_span_of(f->s.nonce, f->s.nonce_n), challenge_of(f));
    assert_span_eq(vs_buf_span(&f->s.body), vs_buf_span(&f->token));
    assert_string_equal(f->s.type,
                        "application/eat-collection; profile=\"http://arm.com/CCA-SSD/1.0.0\"");
    assert_string_equal(f->s.accept, "application/vnd.veraison.challenge-response-session+json");
    assert_int_equal(f->s.discoveries, 1);
    assert_int_equal(f->s.sessions, 1);
    assert_int_equal(f->s.submissions, 1);
}

static void every_form_of_the_sessions_nonce_is_read(void **state)
{
    fixture *f = *state;
    static const vs_b64_form forms[] = {VS_B64_STD, VS_B64_URL, VS_B64_URL_PADDED};
    for (unsigned i = 0; i < sizeof f->soft.challenge; i++) /* '+' and '/' are in it */
        f->soft.challenge[i] = (uint8_t)(0xfb + i * 7);
    vs_buf_clear(&f->token);
    soft_token(&f->soft, &f->token);
    cca_trust *local;
    vs_tee_result r;
    char why[VS_ERROR_TEXT];
    soft_trust(&f->soft, &local);
    assert_vs_code(run_with(f, local, challenge_of(f), (vs_span){0}, &r, why), VS_OK);
    cca_trust_free(&local);
    f->s.claims = r.claims;
    for (size_t i = 0; i < VS_COUNT(forms); i++)
        accepted(f, (manners){.nonce_form = forms[i]});
}

static void places_of_sessions_are_found(void **state)
{
    fixture *f = *state;
    accepted(f, (manners){.location = "/challenge-response/v1/session/abc"});
    char whole[128];
    (void)snprintf(whole, sizeof whole, "%s/challenge-response/v1/session/abc", f->url);
    accepted(f, (manners){.location = whole});
    accepted(f, (manners){.location = "session/a-b_c.d~e"});
}

static void a_service_that_takes_its_time_is_polled(void **state)
{
    fixture *f = *state;
    accepted(f, (manners){.polls = 2});
    assert_int_equal(f->s.polls, 2);
    refused(f, (manners){.polls = 1, .poll_status = "failed"}, VS_E_DENIED, "has failed");
    refused(f, (manners){.polls = 1, .poll_status = "lost"}, VS_E_INVALID, "status is \"lost\"");
}

static void polling_ends_at_the_deadline(void **state)
{
    fixture *f = *state;
    load(f, ",\"timeout-ms\":600");
    int64_t begin = vs_mono_ns();
    refused(f, (manners){.polls = -1}, VS_E_TIMEOUT, "within 600 ms");
    assert_true(vs_mono_ns() - begin < INT64_C(3000000000));
    refused(f, (manners){.slow = true}, VS_E_TIMEOUT, "");
}

/* ---- what is not believed ----------------------------------------------------------------------
 */

static void an_ear_of_somebody_else_is_refused(void **state)
{
    fixture *f = *state;
    vs_key *mine = f->s.key, *other = NULL;
    assert_vs_code(vs_key_generate(VS_KEY_P256, &other, NULL), VS_OK);
    accepted(f, (manners){0});
    f->s.key = other; /* signs with another key than is published, before and after */
    refused(f, (manners){0}, VS_E_CRYPTO, "EAR");
    assert_int_equal(f->s.discoveries, 2); /* asked once again, in vain */
    f->s.key = mine;
    vs_key_free(&other);
}

static void a_key_that_has_changed_is_read_again(void **state)
{
    fixture *f = *state;
    vs_key *old = f->s.key;
    accepted(f, (manners){0});
    accepted(f, (manners){0});
    assert_int_equal(f->s.discoveries, 1);
    assert_vs_code(vs_key_generate(VS_KEY_P256, &f->s.key, NULL), VS_OK);
    f->s.published = f->s.key;
    accepted(f, (manners){0});
    assert_int_equal(f->s.discoveries, 2);
    accepted(f, (manners){0});
    assert_int_equal(f->s.discoveries, 2);
    /* ... and the old one counts no longer. */
    vs_key *now = f->s.key;
    f->s.key = old;
    refused(f, (manners){0}, VS_E_CRYPTO, "EAR");
    f->s.key = now;
    vs_key_free(&old);
}

static void only_es256_counts(void **state)
{
    fixture *f = *state;
    refused(f, (manners){.header = "{\"alg\":\"ES384\"}"}, VS_E_INVALID, "not with ES256");
    refused(f, (manners){.header = "{\"alg\":\"none\"}"}, VS_E_UNSUPPORTED, "EAR");
    refused(f, (manners){.header = "{\"alg\":\"HS256\"}"}, VS_E_UNSUPPORTED, "EAR");
    refused(f, (manners){.raw = "a.b"}, VS_E_PARSE, "EAR");
    refused(f, (manners){.raw = ""}, VS_E_PARSE, "EAR");
    static const char *const keys[][2] = {
        {"{\"kty\":\"oct\",\"k\":\"AAAA\"}", "ear-verification-key"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}", "ear-verification-key"},
        {"{\"alg\":\"HS256\",\"kty\":\"oct\",\"k\":\"AAAA\"}", "not for ES256"},
        {"\"key\"", "ear-verification-key"},
    };
    for (size_t i = 0; i < VS_COUNT(keys); i++) {
        char why[VS_ERROR_TEXT];
        load(f, ""); /* nothing is cached */
        f->s.m = (manners){.discovery_key = keys[i][0]};
        assert_true(run(f, why) != VS_OK);
        if (!strstr(why, keys[i][1]))
            fail_msg("%s", why);
    }
}

static void an_ear_for_another_nonce_is_refused(void **state)
{
    fixture *f = *state;
    refused(f, (manners){.eat_nonce = ""}, VS_E_INVALID, "\"eat_nonce\" is missing");
    refused(f, (manners){.eat_nonce = "AAAA"}, VS_E_MISMATCH, "not the nonce of this session");
    refused(f, (manners){.eat_nonce = "A?=="}, VS_E_PARSE, "eat_nonce");
    refused(f, (manners){.wrong_session_nonce = true}, VS_E_MISMATCH, "its nonce");
    assert_int_equal(f->s.submissions, 3); /* evidence does not go into the wrong session */
}

static void both_submods_must_be_there(void **state)
{
    fixture *f = *state;
    refused(f, (manners){.platform_name = "CCA_PLATFORM"}, VS_E_UNTRUSTED,
            "there is no submod CCA_SSD_PLATFORM");
    refused(f, (manners){.realm_name = "REALM"}, VS_E_UNTRUSTED, "there is no submod CCA_REALM");
    refused(f, (manners){.platform_name = "P", .realm_name = "R", .extra = "\"x\":1,"},
            VS_E_UNTRUSTED, "no submod");
}

static void claims_must_be_those_of_the_token_that_was_sent(void **state)
{
    fixture *f = *state;
    static const char *const names[] = {"cca-platform-instance-id",
                                        "cca-platform-implementation-id",
                                        "cca-realm-personalization-value",
                                        "cca-realm-initial-measurement",
                                        "cca-realm-extensible-measurements",
                                        "cca-realm-hash-algo-id",
                                        "cca-realm-challenge"};
    for (size_t i = 0; i < VS_COUNT(names); i++) {
        refused(f, (manners){.drop = names[i]}, VS_E_INVALID, names[i]);
        refused(f, (manners){.replace = names[i]}, VS_E_MISMATCH, names[i]);
    }
}

static void a_bad_status_is_refused_unless_the_operator_asked_for_it(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *minimum, *platform, *realm, *vector;
        bool ok;
    } v[] = {
        {"", "affirming", "affirming", NULL, true},
        {"", "warning", "affirming", NULL, true},
        {"", "affirming", "warning", NULL, true},
        {"", "contraindicated", "affirming", NULL, false},
        {"", "affirming", "contraindicated", NULL, false},
        {"", "none", "affirming", NULL, false},
        {"", "", "affirming", NULL, false},
        {"", "splendid", "affirming", NULL, false},
        {"", "affirming", "affirming", "{\"executables\":96}", false}, /* the vector says more */
        {"", "affirming", "affirming", "{\"executables\":33}", true},
        {"", "affirming", "affirming", "{\"executables\":1000}", false},
        {",\"minimum-status\":\"affirming\"", "affirming", "affirming", NULL, true},
        {",\"minimum-status\":\"affirming\"", "warning", "affirming", NULL, false},
        {",\"minimum-status\":\"affirming\"", "affirming", "affirming", "{\"hardware\":33}", false},
        {",\"minimum-status\":\"warning\"", "warning", "warning", NULL, true},
        {",\"minimum-status\":\"warning\"", "warning", "contraindicated", NULL, false},
        {",\"minimum-status\":\"none\"", "contraindicated", "none", NULL, true},
    };
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        char why[VS_ERROR_TEXT];
        load(f, v[i].minimum);
        f->s.m = (manners){.platform_status = v[i].platform,
                           .realm_status = v[i].realm,
                           .platform_vector = v[i].vector};
        vs_code code = run(f, why);
        if ((code == VS_OK) != v[i].ok)
            fail_msg("row %zu: %s %s", i, vs_code_name(code), why);
    }
}

static vs_val told(fixture *f, const char *status, const char *vector)
{
    vs_tee_result r;
    char why[VS_ERROR_TEXT];
    f->s.m = (manners){.platform_status = status, .platform_vector = vector};
    if (run_with(f, f->cca, challenge_of(f), (vs_span){0}, &r, why) != VS_OK)
        fail_msg("%s", why);
    vs_val ours = vs_getc(r.claims, "vouchsafe");
    assert_int_equal(vs_getc(vs_getc(vs_getc(ours, "realm"), "vector"), "executables").u.i, 2);
    return vs_getc(vs_getc(ours, "platform"), "vector");
}

/* A platform whose firmware the service does not know is a warning, which is accepted: the policy
 * must not take it for a platform about which nothing is to be said. */
static void what_the_service_thinks_reaches_the_policy(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *status, *vector;
        int hardware, executables; /* -2: not set */
    } v[] = {
        {"affirming", "{\"hardware\":2,\"executables\":2}", 2, 2},
        {"warning", "{\"hardware\":2,\"executables\":33}", 2, 33},
        {"affirming", "{\"hardware\":2,\"executables\":33}", 2, 33},
        {"warning", "{\"hardware\":2,\"executables\":2}", 32, 32}, /* the status is worse */
        {"warning", "{\"runtime-opaque\":32}", -2, -2},
        {"warning", "{}", 32, 32},
        {"warning", "null", 32, 32},
        {"affirming", "null", 2, 2},
        {"contraindicated", "{\"hardware\":2}", 96, 96},
        {"none", "{\"hardware\":2,\"executables\":2}", 0, 0},
        {"", "{\"hardware\":2,\"executables\":2}", 0, 0},
    };
    load(f, ",\"minimum-status\":\"none\"");
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        vs_val vector = told(f, v[i].status, v[i].vector);
        vs_val hardware = vs_getc(vector, "hardware"), exec = vs_getc(vector, "executables");
        if ((vs_defined(hardware) ? hardware.u.i : -2) != v[i].hardware ||
            (vs_defined(exec) ? exec.u.i : -2) != v[i].executables)
            fail_msg("row %zu", i);
    }
    load(f, "");
    assert_int_equal(vs_getc(told(f, "warning", v[1].vector), "executables").u.i, 33);
}

static void times_of_an_ear_count_where_it_has_them(void **state)
{
    fixture *f = *state;
    refused(f, (manners){.extra = "\"exp\":1799999000,"}, VS_E_EXPIRED, "expired");
    refused(f, (manners){.extra = "\"nbf\":1800001000,"}, VS_E_EXPIRED, "nbf");
    accepted(f, (manners){.extra = "\"exp\":1800001000,"});
}

/* ---- hostile answers ---------------------------------------------------------------------------
 */

static void other_statuses_are_errors_with_the_services_words(void **state)
{
    fixture *f = *state;
#define PROBLEM                                                                                    \
    "{\"type\":\"about:blank\",\"title\":\"Unsupported Media Type\",\"status\":415,"               \
    "\"detail\":\"no active plugin\\u001b[2J\"}"
    refused(f, (manners){.evidence_status = 415, .answer = PROBLEM}, VS_E_IO,
            "evidence: the service answers with status 415: Unsupported Media Type: no active "
            "plugin?[2J");
    refused(f, (manners){.session_status = 400, .answer = "<html>"}, VS_E_IO,
            "new session: the service answers with status 400");
    load(f, "");
    refused(f, (manners){.discovery_status = 500}, VS_E_IO,
            "discovery: the service answers with status 500");
    refused(f, (manners){.discovery_status = 404, .answer = "[1]"}, VS_E_IO, "status 404");
    assert_int_equal(f->s.submissions, 0);
}

static void redirects_are_not_followed(void **state)
{
    fixture *f = *state;
    char elsewhere[128];
    (void)snprintf(elsewhere, sizeof elsewhere, "%s/challenge-response/v1/session/2", f->url);
    static const int statuses[] = {301, 302, 303, 307, 308};
    for (size_t i = 0; i < VS_COUNT(statuses); i++)
        refused(f, (manners){.evidence_status = statuses[i], .redirect = elsewhere}, VS_E_IO,
                "redirect");
    refused(f, (manners){.session_status = 307, .redirect = elsewhere}, VS_E_IO, "redirect");
    load(f, "");
    refused(f, (manners){.discovery_status = 302, .redirect = elsewhere}, VS_E_IO, "redirect");
    assert_int_equal(f->s.submissions, 0);
    assert_int_equal(f->s.polls, 0);
}

static void evidence_goes_nowhere_else(void **state)
{
    fixture *f = *state;
    static const char *const bad[] = {"",
                                      "http://127.0.0.1/session/1",
                                      "https://example.org/session/1",
                                      "//example.org/session/1",
                                      "http://127.0.0.1:1@example.org/",
                                      "../../../x",
                                      "session/../../y",
                                      "session/a b",
                                      "session/1#x",
                                      "session\\1"};
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        refused(f, (manners){.location = bad[i]}, VS_E_INVALID, "new session: Location");
    assert_int_equal(f->s.submissions, 0);
    static const char *const endpoints[] = {"@example.org/x", "newSession",    ":80/x", "/../x",
                                            "/a b",           "/x\\u000d\\ny", "",      "/#"};
    for (size_t i = 0; i < VS_COUNT(endpoints); i++) {
        load(f, "");
        refused(f, (manners){.endpoint = endpoints[i]}, VS_E_INVALID, "which is no path");
    }
}

static void documents_that_are_not_what_they_should_be_are_refused(void **state)
{
    fixture *f = *state;
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "null",
        "{\"api-endpoints\":{}}",
        "{\"api-endpoints\":[]}",
        "{\"api-endpoints\":{\"newChallengeResponseSession\":\"/x\"}}",
        "{\"api-endpoints\":{\"newChallengeResponseSession\":1}}"};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        char why[VS_ERROR_TEXT];
        load(f, "");
        f->s.m = (manners){.discovery = bad[i]};
        assert_true(run(f, why) != VS_OK);
        if (!strstr(why, "discovery document"))
            fail_msg("%s", why);
    }
    load(f, "");
    refused(f, (manners){.no_result = true}, VS_E_INVALID, "result");
    refused(f, (manners){.evidence_status = 200, .answer = "{\"a\":1}"}, VS_E_INVALID, "nonce");
    refused(f, (manners){.evidence_status = 200, .answer = "no JSON"}, VS_E_PARSE, "session");
    refused(f, (manners){.huge = true}, VS_E_LIMIT, "larger than");
}

static void a_service_that_is_not_there_is_an_error(void **state)
{
    fixture *f = *state;
    vs_http_server_stop(&f->http, 100);
    refused(f, (manners){0}, VS_E_IO, "remote verifier http://127.0.0.1:");
}

/* ---- what is checked here ----------------------------------------------------------------------
 */

static void what_we_would_refuse_ourselves_is_not_even_sent(void **state)
{
    fixture *f = *state;
    vs_tee_result r;
    char why[VS_ERROR_TEXT];
    uint8_t other[CCA_CHALLENGE];
    memcpy(other, f->soft.challenge, sizeof other);
    other[63] ^= 1;
    assert_vs_code(run_with(f, f->cca, vs_span_of(other, sizeof other), (vs_span){0}, &r, why),
                   VS_E_MISMATCH);
    assert_vs_code(run_with(f, f->cca, (vs_span){0}, (vs_span){0}, &r, why), VS_E_INVALID);
    assert_vs_code(
        run_with(f, f->cca, challenge_of(f), VS_LIT("0123456789abcdef0123456789abcdef"), &r, why),
        VS_E_MISMATCH);
    f->token.p[5] ^= 0xff;
    assert_true(run(f, why) != VS_OK);
    assert_int_equal(f->s.discoveries + f->s.sessions + f->s.submissions, 0);
}

static void configurations_that_are_wrong_do_not_load_remotely(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *address, *more, *says;
        vs_code want;
    } bad[] = {
        {"http://example.org:8080", "", "anybody on the way", VS_E_INVALID},
        {"http://127.0.0.1.example.org", "", "anybody on the way", VS_E_INVALID},
        {"http://[::2]:1", "", "anybody on the way", VS_E_INVALID},
        {"ftp://example.org", "", "must be https://", VS_E_INVALID},
        {"https://", "", "must be https://", VS_E_INVALID},
        {"https://u@example.org", "", "must be https://", VS_E_INVALID},
        {"https://example.org?x", "", "must be https://", VS_E_INVALID},
        {"https://exa mple.org", "", "must be https://", VS_E_INVALID},
        {"", "", "must be https://", VS_E_INVALID},
        {"https://h", ",\"minimum-status\":\"good\"", "minimum-status", VS_E_INVALID},
        {"https://h", ",\"minimum-status\":1", "minimum-status", VS_E_INVALID},
        {"https://h", ",\"timeout-ms\":99", "timeout-ms", VS_E_INVALID},
        {"https://h", ",\"timeout-ms\":1e9", "timeout-ms", VS_E_INVALID},
        {"https://h", ",\"allow-http\":\"yes\"", "allow-http", VS_E_INVALID},
        {"https://h", ",\"ca-cert\":\"/nowhere/ca.pem\"", "ca-cert", VS_E_NOT_FOUND},
        {"https://h", ",\"ca-cert\":\"\"", "empty", VS_E_INVALID},
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        vs_error err = {0};
        cca_trust *t = NULL;
        char text[VS_ERROR_TEXT];
        configure(f, bad[i].address, bad[i].more);
        vs_code code = cca_trust_load(f->config, &t, &err);
        if (code != bad[i].want || !strstr(vs_error_text(&err, text, sizeof text), bad[i].says))
            fail_msg("row %zu: %s %s", i, vs_code_name(code), text);
    }
    static const char *const good[] = {"https://example.org", "https://example.org:8443/veraison/",
                                       "http://localhost:1/", "http://127.9.9.9", "http://[::1]:8"};
    for (size_t i = 0; i < VS_COUNT(good); i++) {
        cca_trust *t = NULL;
        vs_error err = {0};
        configure(f, good[i], "");
        assert_vs_ok(cca_trust_load(f->config, &t, &err), &err);
        cca_trust_free(&t);
    }
    cca_trust *t = NULL;
    configure(f, "http://example.org", ",\"allow-http\":true");
    assert_vs_code(cca_trust_load(f->config, &t, NULL), VS_OK);
    cca_trust_free(&t);
}

static void a_changed_address_counts_at_once_and_a_changed_type_not(void **state)
{
    fixture *f = *state;
    char why[VS_ERROR_TEXT], address[80];
    accepted(f, (manners){0});
    configure(f, "http://127.0.0.1:1", ",\"timeout-ms\":2000");
    assert_true(run(f, why) != VS_OK);
    assert_non_null(strstr(why, "http://127.0.0.1:1"));
    (void)snprintf(address, sizeof address, "%s/", f->url); /* the slash is not doubled */
    configure(f, address, "");
    accepted(f, (manners){0});
    char ta[80], rv[80];
    (void)snprintf(ta, sizeof ta, "%s.ta", f->config);
    (void)snprintf(rv, sizeof rv, "%s.rv", f->config);
    assert_vs_code(vs_write_file(ta, VS_LIT("[]"), 0600, NULL), VS_OK);
    assert_vs_code(vs_write_file(rv, VS_LIT("{}"), 0600, NULL), VS_OK);
    const char *text = vs_sprintf(&f->a,
                                  "{\"cca-verifier\":{\"type\":\"local\",\"ta-store\":\"%s\","
                                  "\"rv-store\":\"%s\"}}",
                                  ta, rv);
    assert_vs_code(vs_write_file(f->config, vs_str(text), 0600, NULL), VS_OK);
    assert_vs_code(run(f, why), VS_E_UNSUPPORTED);
    assert_non_null(strstr(why, "needs a restart"));
    (void)unlink(ta);
    (void)unlink(rv);
}

typedef struct worker {
    fixture *f;
    atomic_int *ok;
} worker;

static void *work(void *user)
{
    worker *w = user;
    vs_arena a;
    vs_arena_init(&a, 0);
    for (unsigned i = 0; i < 10; i++) {
        vs_tee_trust all = {.cca = w->f->cca};
        vs_tee_expect expect = {.report_data = challenge_of(w->f), .now = 1800000000};
        vs_tee_result results[VS_TEE_RESULTS_MAX];
        size_t n;
        if (vs_tee_find(VS_LIT("cca"))
                ->verify(&all, soft_evidence(&a, vs_buf_span(&w->f->token)), &expect, &a, results,
                         &n, NULL) == VS_OK)
            (void)atomic_fetch_add(w->ok, 1);
        vs_arena_reset(&a);
    }
    vs_arena_free(&a);
    return NULL;
}

static void many_threads_share_one_remote(void **state)
{
    fixture *f = *state;
    pthread_t threads[4];
    atomic_int ok = 0;
    worker w = {f, &ok};
    for (size_t i = 0; i < VS_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &w), 0);
    for (size_t i = 0; i < VS_COUNT(threads); i++)
        (void)pthread_join(threads[i], NULL);
    assert_int_equal(ok, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)
        T(the_claims_are_those_of_a_local_verifier),
        T(the_service_gets_the_token_under_the_nonce_of_its_challenge),
        T(every_form_of_the_sessions_nonce_is_read),
        T(places_of_sessions_are_found),
        T(a_service_that_takes_its_time_is_polled),
        T(polling_ends_at_the_deadline),
        T(an_ear_of_somebody_else_is_refused),
        T(a_key_that_has_changed_is_read_again),
        T(only_es256_counts),
        T(an_ear_for_another_nonce_is_refused),
        T(both_submods_must_be_there),
        T(claims_must_be_those_of_the_token_that_was_sent),
        T(a_bad_status_is_refused_unless_the_operator_asked_for_it),
        T(what_the_service_thinks_reaches_the_policy),
        T(times_of_an_ear_count_where_it_has_them),
        T(other_statuses_are_errors_with_the_services_words),
        T(redirects_are_not_followed),
        T(evidence_goes_nowhere_else),
        T(documents_that_are_not_what_they_should_be_are_refused),
        T(a_service_that_is_not_there_is_an_error),
        T(what_we_would_refuse_ourselves_is_not_even_sent),
        T(configurations_that_are_wrong_do_not_load_remotely),
        T(a_changed_address_counts_at_once_and_a_changed_type_not),
        T(many_threads_share_one_remote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
