/* SPDX-License-Identifier: Apache-2.0 */
/* The program itself (argv[1]) against a KBS that records: output, exit codes and requests as
 * scripts made for Trustee's client expect them. */
#include "../net/wire.h"

#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <sys/wait.h>

#include "as/policies.h"
#include "base/clock.h"
#include "base/enc.h"
#include "envelope/jose.h"
#include "value/json.h"

static const char *program;
static vs_http_server *server;
static char dir[64], url[60];

/* ---- a KBS that records ------------------------------------------------------------------------
 */

static struct {
    int status;
    const char *answer;
    char method[8], path[200], bearer[1000], type[100], agent[100];
    vs_buf body, key;
} k;

static void copy(char *to, size_t cap, vs_span s)
{
    (void)snprintf(to, cap, "%.*s", VS_FMT(s));
}

static void handle(void *user, const vs_http_request *req, vs_http_response *resp)
{
    (void)user;
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "HEAD", "?"};
    copy(k.method, sizeof k.method, vs_str(methods[req->method]));
    copy(k.path, sizeof k.path, req->path);
    copy(k.bearer, sizeof k.bearer, vs_http_header(req, "authorization"));
    copy(k.type, sizeof k.type, vs_http_header(req, "content-type"));
    copy(k.agent, sizeof k.agent, vs_http_header(req, "user-agent"));
    vs_buf_clear(&k.body);
    vs_buf_put(&k.body, req->body);
    vs_val doc;
    vs_error err = {0};
    resp->status = k.status;
    if (k.answer) {
        vs_buf_puts(&resp->body, k.answer);
    } else if (vs_span_is(req->path, "/kbs/v0/auth")) {
        vs_buf_puts(&resp->body, "{\"nonce\":\"bm9uY2U=\",\"extra-params\":\"\"}");
    } else if (vs_span_is(req->path, "/kbs/v0/attest")) {
        assert_vs_ok(vs_json_parse(req->arena, req->body, NULL, &doc, &err), &err);
        vs_buf_clear(&k.key);
        vs_json_print(&k.key, vs_pointer(doc, VS_LIT("/runtime-data/tee-pubkey")));
        vs_buf_puts(&resp->body, "{\"token\":\"e30.e30.e30\"}");
    } else if (req->method == VS_HTTP_GET && k.key.n == 0) {
        resp->status = 401;
        vs_buf_puts(&resp->body,
                    "{\"type\":\"x/TokenNotFound\",\"detail\":\"Attestation Token not found\"}");
    } else if (req->method == VS_HTTP_GET) {
        assert_vs_ok(vs_json_parse(req->arena, vs_buf_span(&k.key), NULL, &doc, &err), &err);
        assert_vs_ok(vs_jwe_encrypt(&resp->body, doc, VS_LIT("secret\n"), &err), &err);
    }
}

/* ---- running the program ------------------------------------------------------------------------
 */

typedef struct result {
    int code;
    char out[20000], err[20000];
} result;

static void slurp(const char *name, char *text, size_t cap)
{
    int fd = open(name, O_RDONLY);
    ssize_t n = read(fd, text, cap - 1);
    assert_true(n >= 0);
    text[n] = 0;
    (void)close(fd);
}

/* Runs `kbs-client --url URL <words of line>` in the test's directory, which is also its HOME. */
static const result *run(const char *line)
{
    static result r;
    static char words[4000], home[100], options[200];
    char *argv[40] = {(char *)(uintptr_t)program, (char[]){"--url"}, url};
    size_t n = 3;
    (void)snprintf(words, sizeof words, "%s", line);
    for (char *save, *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
        argv[n++] = w;
    (void)snprintf(home, sizeof home, "HOME=%s", dir);
    (void)snprintf(options, sizeof options, "ASAN_OPTIONS=%s",
                   getenv("ASAN_OPTIONS") ? getenv("ASAN_OPTIONS") : "");
    char *env[] = {home, options, NULL};
    posix_spawn_file_actions_t a;
    (void)posix_spawn_file_actions_init(&a);
    (void)posix_spawn_file_actions_addopen(&a, 1, "out", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    (void)posix_spawn_file_actions_addopen(&a, 2, "err", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    pid_t pid;
    assert_int_equal(posix_spawn(&pid, program, &a, NULL, argv, env), 0);
    (void)posix_spawn_file_actions_destroy(&a);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    r.code = WEXITSTATUS(status);
    slurp("out", r.out, sizeof r.out);
    slurp("err", r.err, sizeof r.err);
    return &r;
}

static void put(const char *name, const char *text)
{
    vs_error err = {0};
    assert_vs_ok(vs_write_file(name, vs_str(text), 0600, &err), &err);
}

static void put_key(const char *name, vs_key_type type, vs_key **out)
{
    VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(10000);
    vs_error err = {0};
    assert_vs_ok(vs_key_generate(type, out, &err), &err);
    assert_vs_ok(vs_key_to_pem(&pem, *out, true, &err), &err);
    put(name, (const char *)pem.p);
}

static int set_up(void **state)
{
    (void)state;
    memset(&k, 0, sizeof k);
    k.status = 200;
    k.body.cap = k.key.cap = 1 << 20;
    server = serve(handle, NULL, (vs_http_limits){0});
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u", vs_http_server_port(server, 0));
    (void)snprintf(dir, sizeof dir, "%s", P_tmpdir "/vs-kc-XXXXXX");
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chdir(dir), 0);
    put("secret.txt", "secret\n");
    put("policy.rego", "package policy\n");
    put("admin-token", " to.k.en\n");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const made[] = {"secret.txt", "policy.rego", "admin-token",
                                       "out",        "err",         "tee.key",
                                       "admin.key",  "token",       ".trustee/admin-token"};
    vs_http_server_stop(&server, 100);
    for (size_t i = 0; i < VS_COUNT(made); i++)
        (void)unlink(made[i]);
    (void)rmdir(".trustee");
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(dir), 0);
    vs_buf_free(&k.body);
    vs_buf_free(&k.key);
    return 0;
}

/* ---- tests -------------------------------------------------------------------------------------
 */

static void attest_prints_the_token_and_nothing_else(void **state)
{
    (void)state;
    const result *r = run("attest --allow-sample");
    assert_int_equal(r->code, 0);
    assert_string_equal(r->out, "e30.e30.e30\n");
    assert_int_equal(run("--allow-sample attest version=1")->code, 0);
    assert_non_null(strstr((const char *)k.body.p, "{\"format\":\"toml\",\"body\":\"version=1\"}"));
}

static void without_a_tee_nothing_is_attested_unasked(void **state)
{
    (void)state;
    if (access("/sys/kernel/config/tsm/report", F_OK) == 0)
        skip();
    const result *r = run("attest");
    assert_int_equal(r->code, 1);
    assert_string_equal(r->out, "");
    assert_non_null(strstr(r->err, "Error: no TEE found"));
    assert_non_null(strstr(r->err, "KBS_CLIENT_ALLOW_SAMPLE"));
    assert_string_equal(k.path, "");
}

static void a_resource_is_printed_in_base64_both_ways(void **state)
{
    (void)state;
    const result *r = run("get-resource --path a/b/c --allow-sample");
    assert_int_equal(r->code, 0);
    assert_string_equal(r->out, "c2VjcmV0Cg==\n");
    assert_string_equal(k.path, "/kbs/v0/resource/a/b/c");

    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    put_key("tee.key", VS_KEY_RSA, &key);
    assert_int_equal(run("attest --allow-sample --tee-key-file tee.key")->code, 0);
    put("token", "\n e30.e30.e30 \n");
    r = run("get-resource --path=a/b/c --tee-key-file tee.key --attestation-token token");
    assert_int_equal(r->code, 0);
    assert_string_equal(r->out, "c2VjcmV0Cg==\n");
    assert_string_equal(k.bearer, "Bearer e30.e30.e30");
    r = run("get-resource --path a/b/c --attestation-token token");
    assert_int_equal(r->code, 1);
    assert_non_null(strstr(r->err, "--tee-key-file"));
}

static void a_wrong_tee_key_says_what_is_expected(void **state)
{
    (void)state;
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    put_key("tee.key", VS_KEY_ED25519, &key);
    const result *r = run("attest --allow-sample --tee-key-file tee.key");
    assert_int_equal(r->code, 1);
    assert_non_null(
        strstr(r->err, "is not RSA (PKCS#1) nor EC P256/P521 (PKCS#8) but an Ed25519 key"));
    r = run("attest --allow-sample --tee-key-file secret.txt");
    assert_int_equal(r->code, 1);
    assert_non_null(strstr(r->err, "is not RSA (PKCS#1) nor EC P256/P521 (PKCS#8)"));
    assert_int_equal(run("attest --allow-sample --tee-key-file nowhere")->code, 1);
}

static void config_commands_send_and_say_what_trustee_does(void **state)
{
    (void)state;
    static const struct {
        const char *line, *method, *path, *type, *body, *out;
    } v[] = {
        {"set-resource --path a/b/c --resource-file secret.txt", "POST", "resource/a/b/c",
         "application/octet-stream", "secret\n",
         "Set resource success \n resource: c2VjcmV0Cg==\n"},
        {"delete-resource --path a/b/c", "DELETE", "resource/a/b/c", NULL, "",
         "Delete resource success\n"},
        {"set-attestation-policy --policy-file policy.rego", "POST", "attestation-policy",
         "application/json",
         "{\"type\":\"rego\",\"policy_id\":\"default_cpu\",\"policy\":\"cGFja2FnZSBwb2xpY3kK\"}",
         "Set attestation policy success \n policy: cGFja2FnZSBwb2xpY3kK\n"},
        {"set-attestation-policy --type rego --id mine --policy-file policy.rego", "POST",
         "attestation-policy", "application/json",
         "{\"type\":\"rego\",\"policy_id\":\"mine\",\"policy\":\"cGFja2FnZSBwb2xpY3kK\"}",
         "Set attestation policy success \n policy: cGFja2FnZSBwb2xpY3kK\n"},
        {"set-resource-policy --policy-file policy.rego", "POST", "resource-policy",
         "application/json", "{\"policy\":\"cGFja2FnZSBwb2xpY3kK\"}",
         "Set resource policy success \n policy: cGFja2FnZSBwb2xpY3kK\n"},
        {"set-sample-reference-value n v", "POST", "reference-value", "application/json",
         "{\"version\":\"0.1.0\",\"type\":\"sample\",\"payload\":\"eyJuIjpbInYiXX0=\"}",
         "Reference Values Updated\n"}, /* {"n":["v"]} */
        {"set-sample-reference-value n -5 --as-integer --as-single-value", "POST",
         "reference-value", "application/json",
         "{\"version\":\"0.1.0\",\"type\":\"sample\",\"payload\":\"eyJuIjotNX0=\"}",
         "Reference Values Updated\n"}, /* {"n":-5} */
        {"set-sample-reference-value n true --as-bool", "POST", "reference-value",
         "application/json",
         "{\"version\":\"0.1.0\",\"type\":\"sample\",\"payload\":\"eyJuIjpbdHJ1ZV19\"}",
         "Reference Values Updated\n"}, /* {"n":[true]} */
    };
    char line[400], path[200];
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        (void)snprintf(line, sizeof line, "config --admin-token-file admin-token %s", v[i].line);
        k.answer = "";
        const result *r = run(line);
        if (r->code != 0)
            fail_msg("%s: %s", v[i].line, r->err);
        assert_string_equal(r->out, v[i].out);
        (void)snprintf(path, sizeof path, "/kbs/v0/%s", v[i].path);
        assert_string_equal(k.method, v[i].method);
        assert_string_equal(k.path, path);
        assert_span_is(vs_buf_span(&k.body), v[i].body);
        assert_string_equal(k.bearer, "Bearer to.k.en");
        if (v[i].type)
            assert_string_equal(k.type, v[i].type);
        assert_string_equal(k.agent, "kbs-client/" VS_VERSION);
    }
}

static void a_reference_value_is_printed_as_a_quoted_string(void **state)
{
    (void)state;
    k.answer = "[\"1\"]";
    assert_string_equal(run("config get-reference-value --id a/b")->out, "\"[\\\"1\\\"]\"\n");
    assert_string_equal(k.path, "/kbs/v0/reference-value/a/b");
    assert_string_equal(run("config get-reference-values --id x")->out, "\"[\\\"1\\\"]\"\n");
    k.answer =
        "{\"values\":[{\"name\":\"x\",\"value\":[1]}]}"; /* without: all, as in December 2025 */
    assert_string_equal(run("config get-reference-values")->out,
                        "[{\"name\":\"x\",\"value\":[1]}]\n");
    assert_string_equal(k.path, "/kbs/v0/reference-value");
    assert_int_equal(run("config get-reference-value")->code, 2);
}

static void shipped_policies_are_uploaded(void **state)
{
    (void)state;
    static const char *const v[][2] = {{"--default", "kbs_default"},
                                       {"--allow-all", "kbs_allow_all"},
                                       {"--deny-all", "kbs_deny_all"},
                                       {"--affirming", "kbs_affirming"}};
    char line[200];
    k.answer = "";
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        (void)snprintf(line, sizeof line, "config set-resource-policy %s", v[i][0]);
        assert_int_equal(run(line)->code, 0);
        vs_arena a;
        vs_arena_init(&a, 0);
        vs_val doc;
        vs_span text;
        vs_error err = {0};
        assert_vs_ok(vs_json_parse(&a, vs_buf_span(&k.body), NULL, &doc, &err), &err);
        assert_vs_ok(
            vs_b64_decode_arena(&a, VS_B64_URL, vs_text(vs_getc(doc, "policy")), &text, &err),
            &err);
        assert_true(text.n > 0);
        assert_span_eq(text, vs_policy_text(v[i][1]));
        vs_arena_free(&a);
    }
}

static void a_refusal_shows_the_answer_and_exits_1(void **state)
{
    (void)state;
    k.status = 401;
    k.answer = "{\"type\":\"x/AdminAuthAccess\",\"detail\":\"Cannot verify token\"}";
    const result *r = run("config --admin-token-file admin-token set-resource-policy --default");
    assert_int_equal(r->code, 1);
    assert_string_equal(r->out, "");
    assert_non_null(strstr(
        r->err, "Error: Request Failed, Response: \"{\\\"type\\\":\\\"x/AdminAuthAccess\\\""));
    assert_non_null(strstr(r->err, "the server says: Cannot verify token"));
}

static void the_older_dialect_signs_an_admin_token(void **state)
{
    (void)state;
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    put_key("admin.key", VS_KEY_ED25519, &key);
    k.answer = "";
    assert_int_equal(run("config --auth-private-key admin.key delete-resource --path a/b/c")->code,
                     0);
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_jws jws;
    vs_val claims;
    vs_error err = {0};
    assert_true(strncmp(k.bearer, "Bearer ", 7) == 0);
    assert_vs_ok(vs_jws_parse(&a, vs_str(k.bearer + 7), &jws, &err), &err);
    assert_vs_ok(vs_jws_verify(&jws, key, VS_EDDSA, &err), &err);
    assert_vs_ok(vs_json_parse(&a, jws.payload, NULL, &claims, &err), &err);
    int64_t iat = vs_getc(claims, "iat").u.i;
    assert_true(vs_now_s() - iat < 60);
    assert_int_equal(vs_getc(claims, "exp").u.i, iat + 7200);
    assert_int_equal(vs_getc(claims, "nbf").u.i, iat);
    assert_span_is(vs_text(vs_getc(claims, "role")), "admin");
    vs_arena_free(&a);

    VS_CLEANUP(vs_key_free) vs_key *wrong = NULL;
    put_key("admin.key", VS_KEY_P256, &wrong);
    const result *r = run("config --auth-private-key admin.key delete-resource --path a/b/c");
    assert_int_equal(r->code, 1);
    assert_non_null(strstr(r->err, "an Ed25519 private key (PKCS#8 PEM) is expected"));
}

static void admin_tokens_are_looked_for_at_home_else_anonymous(void **state)
{
    (void)state;
    k.answer = "";
    const result *r = run("config delete-resource --path a/b/c");
    assert_int_equal(r->code, 0);
    assert_string_equal(k.bearer, "");
    assert_non_null(strstr(r->err, "Failed to read: kbs/config/docker-compose/admin-token"));
    assert_non_null(strstr(r->err, "anonymous"));
    vs_error err = {0};
    assert_vs_ok(vs_make_dirs(".trustee", 0700, &err), &err);
    put(".trustee/admin-token", "from.ho.me\n");
    assert_int_equal(run("config delete-resource --path a/b/c")->code, 0);
    assert_string_equal(k.bearer, "Bearer from.ho.me");
    assert_int_equal(run("config --admin-token-file nowhere delete-resource --path a/b/c")->code,
                     1);
}

static void exit_codes_tell_usage_from_failure(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int code;
    } v[] = {{"", 2},
             {"--help", 0},
             {"--version", 0},
             {"help config", 0},
             {"get-resource", 2},
             {"get-resource --path", 2},
             {"config", 2},
             {"config set-resource", 2},
             {"config set-resource-policy", 1},
             {"config set-resource-policy --default --deny-all", 2},
             {"config --admin-token-file a --auth-private-key b delete-resource --path x", 2},
             {"config set-sample-reference-value n x --as-integer", 1},
             {"config set-sample-reference-value n 2147483648 --as-integer", 1},
             {"config set-sample-reference-value n x --as-bool", 1},
             {"config set-resource --path a/b/c --resource-file nowhere", 1},
             {"attest a b", 2},
             {"attest --url x", 2},
             {"atest", 2}};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        const result *r = run(v[i].line);
        if (r->code != v[i].code)
            fail_msg("\"%s\" gives %d: %s", v[i].line, r->code, r->err);
        assert_true(v[i].code == 0 ? r->out[0] != 0 : r->out[0] == 0 && r->err[0] != 0);
    }
    assert_string_equal(run("--version")->out, "KBS client " VS_VERSION "\n");
    assert_string_equal(k.path, ""); /* nothing was sent */
}

int main(int argc, char **argv)
{
    static char path[PATH_MAX]; /* absolute: the tests change their directory */
    if (argc < 2 || !realpath(argv[1], path))
        return EXIT_FAILURE;
    program = path;
#define WITH_KBS(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_KBS(attest_prints_the_token_and_nothing_else),
        WITH_KBS(without_a_tee_nothing_is_attested_unasked),
        WITH_KBS(a_resource_is_printed_in_base64_both_ways),
        WITH_KBS(a_wrong_tee_key_says_what_is_expected),
        WITH_KBS(config_commands_send_and_say_what_trustee_does),
        WITH_KBS(a_reference_value_is_printed_as_a_quoted_string),
        WITH_KBS(shipped_policies_are_uploaded),
        WITH_KBS(a_refusal_shows_the_answer_and_exits_1),
        WITH_KBS(the_older_dialect_signs_an_admin_token),
        WITH_KBS(admin_tokens_are_looked_for_at_home_else_anonymous),
        WITH_KBS(exit_codes_tell_usage_from_failure),
    };
    return cmocka_run_group_tests_name("kbs_client", tests, NULL, NULL);
}
