/* SPDX-License-Identifier: Apache-2.0 */
/* Vault as a store, against a double that speaks its HTTP API over TLS on loopback. */
#include "net/identity.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/io.h"
#include "base/log.h"
#include "net/http_server.h"
#include "plugins/plugins.h"
#include "plugins/vault_answer.h"
#include "value/json.h"

#define TOKEN "hvs.canary-token-8d1f"

/* ---- the double --------------------------------------------------------------------------------
 */

enum { SECRETS = 8 };

typedef struct vault_double {
    pthread_mutex_t lock;
    struct {
        char path[128];
        char json[16384]; /* the stored object: {"data":...} */
        bool used, deleted;
    } secrets[SECRETS];
    int status;         /* answer this, whatever is asked; 0 = behave */
    const char *answer; /* ... with this */
    unsigned sleep_ms;
    atomic_int requests;
    char last[256]; /* method and path of the last request */
    char body[8192];
} vault_double;

static int find(vault_double *d, vs_span path, bool make)
{
    int free_one = -1;
    for (int i = 0; i < SECRETS; i++) {
        if (d->secrets[i].used && vs_span_is(path, d->secrets[i].path))
            return i;
        if (!d->secrets[i].used)
            free_one = i;
    }
    if (!make || free_one < 0)
        return -1;
    (void)snprintf(d->secrets[free_one].path, sizeof d->secrets[0].path, "%.*s", VS_FMT(path));
    d->secrets[free_one].used = true;
    return free_one;
}

static void say(vs_http_response *resp, int status, const char *text)
{
    resp->status = status;
    vs_buf_puts(&resp->body, text);
    resp->content_type = "application/json";
}

static void read_secret(vault_double *d, vs_span path, bool v2, vs_http_response *resp)
{
    int i = find(d, path, false);
    if (i < 0) {
        say(resp, 404, "{\"errors\":[]}");
        return;
    }
    vs_buf_puts(&resp->body, "{\"request_id\":\"x\",\"lease_id\":\"\",\"renewable\":false,"
                             "\"lease_duration\":2764800,\"data\":");
    if (v2)
        vs_buf_printf(&resp->body,
                      "{\"data\":%s,\"metadata\":{\"created_time\":\"2026-01-01T00:00:00Z\","
                      "\"deletion_time\":\"\",\"destroyed\":false,\"version\":1}}",
                      d->secrets[i].json);
    else
        vs_buf_puts(&resp->body, d->secrets[i].json);
    vs_buf_puts(&resp->body, ",\"wrap_info\":null,\"warnings\":null,\"auth\":null}");
    resp->content_type = "application/json";
}

static void write_secret(vault_double *d, vs_span path, bool v2, vs_span body,
                         vs_http_response *resp)
{
    vs_arena a;
    vs_val v = vs_undefined();
    vs_arena_init(&a, 0);
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(16000);
    bool ok = vs_json_parse(&a, body, NULL, &v, NULL) == VS_OK && v.kind == VS_OBJECT;
    if (ok && v2)
        v = vs_getc(v, "data");
    if (ok && v.kind == VS_OBJECT) {
        vs_json_print(&text, v);
        int i = find(d, path, true);
        (void)snprintf(d->secrets[i].json, sizeof d->secrets[i].json, "%.*s",
                       VS_FMT(vs_buf_span(&text)));
        if (v2)
            say(resp, 200, "{\"data\":{\"version\":1}}");
        else
            resp->status = 204;
    } else {
        say(resp, 400, "{\"errors\":[\"no data provided\"]}");
    }
    vs_arena_free(&a);
}

static void serve_vault(void *user, const vs_http_request *req, vs_http_response *resp)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "HEAD", "?"};
    vault_double *d = user;
    (void)atomic_fetch_add(&d->requests, 1);
    if (d->sleep_ms)
        (void)usleep(d->sleep_ms * 1000);
    (void)pthread_mutex_lock(&d->lock);
    (void)snprintf(d->last, sizeof d->last, "%s %.*s", methods[req->method], VS_FMT(req->path));
    (void)snprintf(d->body, sizeof d->body, "%.*s", VS_FMT(req->body));
    vs_span path = req->path;
    bool v1 = vs_span_starts(path, VS_LIT("/v1/secret/"));
    bool v2 = vs_span_starts(path, VS_LIT("/v1/kv/data/"));
    bool meta = vs_span_starts(path, VS_LIT("/v1/kv/metadata/"));
    vs_span key = vs_span_from(path, v1 ? 11 : v2 ? 12 : 16);
    if (d->status)
        say(resp, d->status, d->answer ? d->answer : "");
    else if (!vs_span_is(vs_http_header(req, "x-vault-token"), TOKEN))
        say(resp, 403, "{\"errors\":[\"permission denied\"]}");
    else if (!v1 && !v2 && !meta)
        say(resp, 404, "{\"errors\":[\"no handler for route\"]}");
    else if (req->method == VS_HTTP_GET && !meta)
        read_secret(d, key, v2, resp);
    else if (req->method == VS_HTTP_POST && !meta)
        write_secret(d, key, v2, req->body, resp);
    else if (req->method == VS_HTTP_DELETE) {
        int i = find(d, key, false);
        if (i >= 0)
            d->secrets[i].used = false;
        resp->status = 204;
    } else
        say(resp, 405, "{\"errors\":[\"unsupported operation\"]}");
    (void)pthread_mutex_unlock(&d->lock);
}

typedef struct fixture {
    vault_double d;
    identity id;
    vs_http_server *server;
    char url[64];
    const char *ca[1];
    kbs_vault_config cfg;
    vs_store *store;
} fixture;

static void open_it(fixture *f)
{
    vs_error err = {0};
    vs_store_close(&f->store);
    assert_vs_ok(vault_open(&f->cfg, &f->store, &err), &err);
}

static int setup(void **state)
{
    static const char *const any[] = {"127.0.0.1:0"};
    fixture *f = calloc(1, sizeof *f);
    vs_error err = {0};
    assert_non_null(f);
    (void)pthread_mutex_init(&f->d.lock, NULL);
    make_identity(&f->id, "IP:127.0.0.1", -60, 3600);
    vs_http_config http = {.sockets = any,
                           .n_sockets = 1,
                           .threads = 1,
                           .workers = 4,
                           .private_key = f->id.key,
                           .certificate = f->id.cert,
                           .limits = {.body_bytes = 16 << 20},
                           .handler = serve_vault,
                           .user = &f->d};
    assert_vs_ok(vs_http_server_start(&http, &f->server, &err), &err);
    (void)snprintf(f->url, sizeof f->url, "https://127.0.0.1:%u",
                   vs_http_server_port(f->server, 0));
    f->ca[0] = f->id.cert;
    f->cfg = (kbs_vault_config){.url = f->url,
                                .token = TOKEN,
                                .mount_path = "secret",
                                .ca_certs = f->ca,
                                .n_ca_certs = 1,
                                .verify = true,
                                .kv_version = 1,
                                .timeout_ms = 5000};
    open_it(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    vs_store_close(&f->store);
    vs_http_server_stop(&f->server, 100);
    remove_identity(&f->id);
    (void)pthread_mutex_destroy(&f->d.lock);
    free(f);
    return 0;
}

#define KEY VS_LIT("repo/type/tag")

static vs_code get(fixture *f, vs_buf *out, vs_error *err)
{
    vs_buf_clear(out);
    *err = (vs_error){0};
    return vs_store_get(f->store, "repository", KEY, 0, out, err);
}

static vs_code put(fixture *f, vs_span value, vs_error *err)
{
    return vs_store_put(f->store, "repository", KEY, value, 0, VS_PUT_REPLACE, err);
}

/* ---- both versions -----------------------------------------------------------------------------
 */

static void use_version(fixture *f, int version)
{
    f->cfg.kv_version = version;
    f->cfg.mount_path = version == 2 ? "kv" : "secret";
    open_it(f);
}

static void what_is_put_is_got_and_deleted(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1 << 20);
    uint8_t all[256];
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)i;
    const vs_span values[] = {
        VS_LIT(""), VS_LIT("text"), VS_LIT("a\0b\"\\"), {all, sizeof all}, VS_LIT("\xff\xfe")};
    for (int version = 1; version <= 2; version++) {
        use_version(f, version);
        assert_vs_code(get(f, &out, &err), VS_E_NOT_FOUND);
        for (size_t i = 0; i < VS_COUNT(values); i++) {
            assert_vs_ok(put(f, values[i], &err), &err);
            assert_vs_ok(get(f, &out, &err), &err);
            assert_span_eq(vs_buf_span(&out), values[i]);
        }
        assert_vs_ok(vs_store_delete(f->store, "repository", KEY, &err), &err);
        assert_string_equal(f->d.last, version == 2 ? "DELETE /v1/kv/metadata/repo/type/tag"
                                                    : "DELETE /v1/secret/repo/type/tag");
        assert_vs_code(get(f, &out, &err), VS_E_NOT_FOUND);
        assert_vs_ok(vs_store_delete(f->store, "repository", KEY, &err), &err);
        assert_vs_ok(vs_store_ping(f->store, &err), &err);
    }
}

static void requests_are_those_that_trustee_makes(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    assert_vs_ok(put(f, VS_LIT("\x01\xff"), &err), &err);
    assert_string_equal(f->d.last, "POST /v1/secret/repo/type/tag");
    assert_string_equal(f->d.body, "{\"data\":[1,255]}");
    use_version(f, 2);
    assert_vs_ok(put(f, VS_LIT("A"), &err), &err);
    assert_string_equal(f->d.last, "POST /v1/kv/data/repo/type/tag");
    assert_string_equal(f->d.body, "{\"data\":{\"data\":[65]}}");
}

/* ---- refusals ----------------------------------------------------------------------------------
 */

static void what_vault_refuses_is_a_precise_error(void **state)
{
    fixture *f = *state;
    vs_error err;
    char text[VS_ERROR_TEXT];
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1 << 20);
    static const struct {
        int status;
        const char *answer;
        vs_code code;
        const char *says;
    } v[] = {
        {400, "{\"errors\":[\"bad \\u001b thing\"]}", VS_E_IO, "Vault answered 400: bad"},
        {403, "{\"errors\":[\"permission denied\"]}", VS_E_DENIED, "(403): permission denied"},
        {404, "{\"errors\":[]}", VS_E_NOT_FOUND, "no value for \"repo/type/tag\" in Vault"},
        {404, "{\"warnings\":[\"Invalid path for a versioned K/V secrets engine\"]}",
         VS_E_NOT_FOUND, "versioned K/V"},
        {429, "", VS_E_LIMIT, "too many requests"},
        {307, "", VS_E_IO, "standby"},
        {473, "not json", VS_E_IO, "standby"},
        {500, "{\"errors\":\"x\"}", VS_E_IO, "Vault answered 500"},
        {503, "{\"errors\":[\"Vault is sealed\"]}", VS_E_IO, "Vault is sealed"},
        {204, NULL, VS_E_IO, "Vault answered 204"},
        {201, "{\"data\":{\"data\":\"x\"}}", VS_E_IO, "Vault answered 201"},
        {200, "", VS_E_PARSE, "Vault's answer"},
        {200, "[]", VS_E_INVALID, "no object"},
        {200, "{}", VS_E_INVALID, "\"data\" is missing"},
        {200, "{\"data\":{}}", VS_E_INVALID, "has no member \"data\""},
        {200, "{\"data\":{\"value\":\"x\"}}", VS_E_INVALID, "has no member \"data\""},
        {200, "{\"data\":{\"data\":\"x\"}", VS_E_PARSE, "Vault's answer"},
        {200, "{\"data\":{\"data\":\"x\",\"data\":\"y\"}}", VS_E_PARSE, "Vault's answer"},
    };
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        f->d.status = v[i].status;
        f->d.answer = v[i].answer;
        vs_code code = get(f, &out, &err);
        if (code != v[i].code || !strstr(vs_error_text(&err, text, sizeof text), v[i].says))
            fail_msg("%d %s: %s %s", v[i].status, v[i].answer, vs_code_name(code), text);
        assert_int_equal(out.n, 0);
    }
}

static void other_json_is_given_as_its_text(void **state)
{
    (void)state;
    static const struct {
        const char *stored, *want;
    } v[] = {{"\"t\\u00e9xt\"", "t\xc3\xa9xt"},
             {"\"\"", ""},
             {"[]", ""},
             {"[104,105]", "hi"},
             {"[256]", "[256]"},
             {"[-1]", "[-1]"},
             {"[1,\"x\"]", "[1,\"x\"]"},
             {"[1.5]", "[1.5]"},
             {"{\"b\":1,\"a\":[true,null]}", "{\"a\":[true,null],\"b\":1}"},
             {"17", "17"},
             {"null", "null"}};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf one = VS_BUF(1024), two = VS_BUF(1024), out = VS_BUF(1024);
        vs_error err = {0};
        vs_buf_printf(&one, "{\"data\":{\"data\":%s}}", v[i].stored);
        assert_vs_ok(vault_value(vs_buf_span(&one), 1, &out, &err), &err);
        assert_span_is(vs_buf_span(&out), v[i].want);
        vs_buf_clear(&out);
        vs_buf_printf(&two, "{\"data\":{\"data\":{\"data\":%s}}}", v[i].stored);
        assert_vs_ok(vault_value(vs_buf_span(&two), 2, &out, &err), &err);
        assert_span_is(vs_buf_span(&out), v[i].want);
    }
}

/* hazard 26: short input. Every beginning of a good answer is refused and gives nothing. */
static void answers_that_are_cut_give_nothing(void **state)
{
    (void)state;
    static const char good[] = "{\"request_id\":\"1\",\"data\":{\"data\":{\"data\":[1,2,3]},"
                               "\"metadata\":{\"version\":3}},\"warnings\":null}";
    for (size_t n = 0; n < sizeof good - 1; n++) {
        VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1024);
        assert_int_not_equal(vault_value(vs_span_of(good, n), 2, &out, NULL), VS_OK);
        assert_int_equal(out.n, 0);
    }
}

static void a_deleted_version_is_no_secret(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(64);
    assert_vs_code(vault_value(VS_LIT("{\"data\":{\"data\":null,\"metadata\":{\"deletion_time\":"
                                      "\"2026-01-01T00:00:00Z\"}}}"),
                               2, &out, NULL),
                   VS_E_NOT_FOUND);
    /* What version 1 answers is not taken for version 2. */
    assert_vs_code(vault_value(VS_LIT("{\"data\":{\"data\":\"x\"}}"), 2, &out, NULL), VS_E_INVALID);
    assert_int_equal(out.n, 0);
}

static void sizes_are_capped(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    VS_CLEANUP(vs_buf_free) vs_buf big = VS_BUF(16 << 20), out = VS_BUF(16 << 20);
    assert_non_null(vs_buf_reserve(&big, VAULT_VALUE_MAX + 1));
    memset(big.p, 'x', big.n);
    int before = atomic_load(&f->d.requests);
    assert_vs_code(put(f, vs_buf_span(&big), &err), VS_E_LIMIT);
    assert_int_equal(atomic_load(&f->d.requests), before);
    VS_CLEANUP(vs_buf_free) vs_buf answer = VS_BUF(16 << 20);
    vs_buf_puts(&answer, "{\"data\":{\"data\":\"");
    for (int i = 0; i < 9; i++)
        vs_buf_put(&answer, vs_span_head(vs_buf_span(&big), 1 << 20));
    vs_buf_puts(&answer, "\"}}");
    f->d.status = 200;
    f->d.answer = (const char *)answer.p;
    assert_vs_code(get(f, &out, &err), VS_E_LIMIT);
    assert_int_equal(out.n, 0);
    f->d.answer = "{\"data\":{\"data\":\"12345\"}}";
    vs_buf small = VS_BUF(4);
    assert_int_not_equal(vs_store_get(f->store, "repository", KEY, 0, &small, &err), VS_OK);
    assert_int_equal(small.n, 0);
    vs_buf_free(&small);
}

/* hazard 23: what would be another path in a URL is not asked for. */
static void paths_that_mean_something_else_in_a_url_are_not_asked_for(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1024);
    static const char *const bad[] = {"a/../../sys/seal",
                                      "a?list=true",
                                      "a#b",
                                      "a%2e%2e/b",
                                      "a//b",
                                      "/a",
                                      "a/",
                                      "a b",
                                      "..",
                                      ".a/b",
                                      "a\"b",
                                      "a\r\nX: y"};
    int before = atomic_load(&f->d.requests);
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        vs_span key = vs_str(bad[i]);
        assert_vs_code(vs_store_get(f->store, "repository", key, 0, &out, &err), VS_E_INVALID);
        assert_vs_code(vs_store_delete(f->store, "repository", key, &err), VS_E_INVALID);
        assert_vs_code(
            vs_store_put(f->store, "repository", key, VS_LIT("x"), 0, VS_PUT_REPLACE, &err),
            VS_E_INVALID);
    }
    assert_int_equal(atomic_load(&f->d.requests), before);
}

/* ---- the way to Vault --------------------------------------------------------------------------
 */

/* hazard 20: a client that does not verify the server. */
static void an_unknown_certificate_is_refused_unless_that_was_asked_for(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1024);
    f->cfg.n_ca_certs = 0;
    open_it(f);
    int before = atomic_load(&f->d.requests);
    assert_vs_code(get(f, &out, &err), VS_E_UNTRUSTED);
    assert_vs_code(put(f, VS_LIT("x"), &err), VS_E_UNTRUSTED);
    assert_int_equal(atomic_load(&f->d.requests), before); /* the token was not sent */
    f->cfg.verify = false;
    open_it(f);
    assert_vs_ok(put(f, VS_LIT("x"), &err), &err);
    f->cfg.verify = true;
    f->cfg.n_ca_certs = 1;
    f->ca[0] = "/nonexistent/ca.pem";
    vs_store *none = NULL;
    assert_vs_code(vault_open(&f->cfg, &none, &err), VS_E_NOT_FOUND);
    f->ca[0] = f->id.key;
    assert_vs_code(vault_open(&f->cfg, &none, &err), VS_E_INVALID);
    assert_null(none);
}

static void a_slow_vault_is_given_up(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1024);
    f->cfg.timeout_ms = 200;
    open_it(f);
    f->d.sleep_ms = 700;
    assert_vs_code(get(f, &out, &err), VS_E_TIMEOUT);
    f->d.sleep_ms = 0;
    f->cfg.timeout_ms = 5000;
    open_it(f);
    assert_vs_ok(put(f, VS_LIT("x"), &err), &err);
    assert_vs_ok(get(f, &out, &err), &err);
    vs_http_server_stop(&f->server, 0);
    assert_vs_code(get(f, &out, &err), VS_E_IO);
    assert_int_equal(out.n, 0);
}

/* A token that an agent renews is seen without a restart. */
static void the_token_file_is_read_for_each_request(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    char path[128];
    (void)snprintf(path, sizeof path, "%s/token", f->id.dir);
    f->cfg.token = NULL;
    f->cfg.token_file = path;
    open_it(f);
    assert_vs_code(put(f, VS_LIT("x"), &err), VS_E_NOT_FOUND);
    static const struct {
        const char *text;
        vs_code code;
    } v[] = {{"old", VS_E_DENIED},      {TOKEN "\n", VS_OK},       {"", VS_E_INVALID},
             {"a b", VS_E_INVALID},     {"a\nX: y", VS_E_INVALID}, {"\n\n", VS_E_INVALID},
             {"  " TOKEN "  \n", VS_OK}};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        assert_vs_ok(vs_write_file(path, vs_str(v[i].text), 0600, &err), &err);
        assert_vs_code(put(f, VS_LIT("x"), &err), v[i].code);
    }
    (void)unlink(path);
}

/* hazard 34: neither token nor secret is in any error. */
static void no_error_holds_token_or_secret(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    char text[VS_ERROR_TEXT];
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(8);
    static const char *const answers[] = {"{\"data\":{\"data\":\"canary-secret\"}}x",
                                          "{\"data\":{\"data\":\"canary-secret}",
                                          "{\"data\":{\"value\":\"canary-secret\"}}",
                                          "{\"data\":{\"canary-secret\":1,\"canary-secret\":2}}",
                                          "{\"data\":{\"data\":\"canary-secret\"}}"};
    for (size_t i = 0; i < VS_COUNT(answers); i++)
        for (int status = 200; status <= 500; status += 300) {
            f->d.status = status;
            f->d.answer = answers[i];
            assert_int_not_equal(get(f, &out, &err), VS_OK);
            (void)vs_error_text(&err, text, sizeof text);
            assert_null(strstr(text, "canary-secret"));
            assert_null(strstr(text, TOKEN));
        }
    vs_http_server_stop(&f->server, 0);
    assert_int_not_equal(put(f, VS_LIT("canary-secret"), &err), VS_OK);
    (void)vs_error_text(&err, text, sizeof text);
    assert_null(strstr(text, "canary"));
}

typedef struct worker {
    fixture *f;
    int i;
} worker;

static void *work(void *arg)
{
    worker *w = arg;
    char key[32], value[32];
    vs_error err = {0};
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1024);
    (void)snprintf(key, sizeof key, "r/t/%d", w->i % SECRETS);
    (void)snprintf(value, sizeof value, "value %d", w->i);
    for (int n = 0; n < 10; n++) {
        vs_buf_clear(&out);
        if (vs_store_put(w->f->store, "repository", vs_str(key), vs_str(value), 0, VS_PUT_REPLACE,
                         &err) != VS_OK ||
            vs_store_get(w->f->store, "repository", vs_str(key), 0, &out, &err) != VS_OK ||
            !vs_span_is(vs_buf_span(&out), value))
            return w;
    }
    return NULL;
}

static void threads_do_not_share_answers(void **state)
{
    fixture *f = *state;
    pthread_t threads[SECRETS];
    worker w[SECRETS];
    for (int i = 0; i < SECRETS; i++) {
        w[i] = (worker){f, i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &w[i]), 0);
    }
    for (int i = 0; i < SECRETS; i++) {
        void *failed = NULL;
        (void)pthread_join(threads[i], &failed);
        assert_null(failed);
    }
}

static void what_vault_cannot_do_is_refused(void **state)
{
    fixture *f = *state;
    assert_vs_code(vs_store_put(f->store, "repository", KEY, VS_LIT("x"), 5, VS_PUT_REPLACE, NULL),
                   VS_E_UNSUPPORTED);
    assert_vs_code(vs_store_put(f->store, "repository", KEY, VS_LIT("x"), 0, VS_PUT_CREATE, NULL),
                   VS_E_UNSUPPORTED);
    assert_vs_code(vs_store_list(f->store, "repository", NULL, NULL, NULL), VS_E_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(what_is_put_is_got_and_deleted),
        T(requests_are_those_that_trustee_makes),
        T(what_vault_refuses_is_a_precise_error),
        T(other_json_is_given_as_its_text),
        T(answers_that_are_cut_give_nothing),
        T(a_deleted_version_is_no_secret),
        T(sizes_are_capped),
        T(paths_that_mean_something_else_in_a_url_are_not_asked_for),
        T(an_unknown_certificate_is_refused_unless_that_was_asked_for),
        T(a_slow_vault_is_given_up),
        T(the_token_file_is_read_for_each_request),
        T(no_error_holds_token_or_secret),
        T(threads_do_not_share_answers),
        T(what_vault_cannot_do_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
