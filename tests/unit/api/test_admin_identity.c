/* SPDX-License-Identifier: Apache-2.0 */
/* Administrators over real connections: a Unix socket, client certificates, keys behind https. */
#include "../net/identity.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/front.h"
#include "api/key_fetch.h"
#include "as/as_fixture.h"
#include "base/clock.h"
#include "base/io.h"
#include "net/http_client.h"
#include "net/http_server.h"

typedef struct fixture {
    world w;
    kbs_config cfg;
    kbs *k;
    ops ops;
    api_front front;
    vs_http_server *server;
    char dir[32], path[64], socket[80], url[80];
} fixture;

static const kbs_acl everything = {"admin", "^/kbs/.+$"};

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    world_open(&f->w, NULL);
    kbs_config_defaults(&f->cfg, NULL);
    f->cfg.admin = (kbs_admin_config){.mode = KBS_ADMIN_BEARER, .acls = &everything, .n_acls = 1};
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/vs-admin-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(f->path, sizeof f->path, "%s/admin.sock", f->dir);
    (void)snprintf(f->socket, sizeof f->socket, "unix:%s", f->path);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    vs_http_server_stop(&f->server, 100);
    kbs_free(&f->k);
    world_close(&f->w);
    assert_int_equal(rmdir(f->dir), 0); /* the socket is gone */
    free(f);
    return 0;
}

static void start(fixture *f, vs_http_config http)
{
    vs_error err = {0};
    assert_vs_ok(kbs_new(&f->cfg, f->w.store, f->w.store, f->w.as, f->w.rv, &f->k, &err), &err);
    f->front = (api_front){f->k, &f->ops, false};
    http.n_sockets = 1;
    http.threads = 2;
    http.handler = api_front_handle;
    http.user = &f->front;
    assert_vs_ok(vs_http_server_start(&http, &f->server, &err), &err);
}

static int status_of(const char *url, const char *bearer, vs_http_client_config cfg)
{
    vs_error err = {0};
    vs_http_client *c;
    vs_buf body = VS_BUF(1 << 20);
    char header[4096];
    const char *const headers[] = {header, NULL};
    int status = 0;
    (void)snprintf(header, sizeof header, "Authorization: Bearer %s", bearer ? bearer : "");
    assert_vs_ok(vs_http_client_new(&cfg, &c, &err), &err);
    const vs_http_call call = {.method = "GET", .url = url, .headers = bearer ? headers : NULL};
    if (vs_http_client_do(c, &call, &status, &body, &err) != VS_OK)
        status = -1;
    vs_http_client_free(&c);
    vs_buf_free(&body);
    return status;
}

/* ---- Unix socket ------------------------------------------------------------------------------
 */

static void the_peer_of_a_unix_socket_is_known(void **state)
{
    fixture *f = *state;
    char uid[16];
    (void)snprintf(uid, sizeof uid, "%u", (unsigned)getuid());
    const kbs_unix_identity ids[] = {{.user = uid, .role = "admin"}};
    f->cfg.admin.unix_identities = ids;
    f->cfg.admin.n_unix_identities = 1;
    const char *const sockets[] = {f->socket};
    start(f, (vs_http_config){.sockets = sockets});
    const vs_http_client_config local = {.unix_socket = f->path};
    const char *url = "http://localhost/kbs/v0/resource-policy";
    for (int i = 0; i < 3; i++)
        assert_int_equal(status_of(url, NULL, local), 200);
    assert_int_equal(status_of(url, "x.y.z", local), 401);
    struct stat st;
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0666);
}

static void another_user_is_nobody(void **state)
{
    fixture *f = *state;
    char uid[16];
    (void)snprintf(uid, sizeof uid, "%u", (unsigned)getuid() + 1);
    const kbs_unix_identity ids[] = {{.user = uid, .role = "admin"}};
    f->cfg.admin.unix_identities = ids;
    f->cfg.admin.n_unix_identities = 1;
    const char *const sockets[] = {f->socket};
    start(f, (vs_http_config){.sockets = sockets});
    assert_int_equal(status_of("http://localhost/kbs/v0/resource-policy", NULL,
                               (vs_http_client_config){.unix_socket = f->path}),
                     401);
}

static void a_dead_socket_is_replaced_and_a_live_one_is_not(void **state)
{
    fixture *f = *state;
    const char *const sockets[] = {f->socket};
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    (void)snprintf(addr.sun_path, sizeof addr.sun_path, "%s", f->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    (void)close(fd);
    start(f, (vs_http_config){.sockets = sockets});
    vs_http_server *second = NULL;
    vs_http_config http = {.sockets = sockets, .n_sockets = 1, .handler = api_front_handle};
    assert_vs_code(vs_http_server_start(&http, &second, NULL), VS_E_EXISTS);
    vs_http_server_stop(&f->server, 100);
    assert_int_not_equal(access(f->path, F_OK), 0);
    vs_error err = {0}; /* what is no socket stays */
    assert_vs_ok(vs_write_file(f->path, VS_LIT("mine"), 0600, &err), &err);
    assert_vs_code(vs_http_server_start(&http, &second, NULL), VS_E_EXISTS);
    assert_int_equal(unlink(f->path), 0);
    static const char *const bad[] = {
        "unix:relative", "unix:",
        "unix:/0123456789012345678901234567890123456789012345678901"
        "23456789012345678901234567890123456789012345678901234567890"};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        http.sockets = &bad[i];
        assert_vs_code(vs_http_server_start(&http, &second, NULL), VS_E_INVALID);
    }
}

/* ---- client certificates ----------------------------------------------------------------------
 */

static void a_client_certificate_gives_a_role(void **state)
{
    fixture *f = *state;
    identity server, alice, mallory;
    make_identity(&server, "IP:127.0.0.1", -60, 3600);
    make_identity(&alice, "URI:spiffe://example/alice", -60, 3600);
    make_identity(&mallory, "URI:spiffe://example/alice", -60, 3600);
    static const kbs_mtls_identity ids[] = {{.san = "URI:spiffe://example/alice", .role = "admin"}};
    f->cfg.admin.mtls_identities = ids;
    f->cfg.admin.n_mtls_identities = 1;
    static const char *const sockets[] = {"127.0.0.1:0"};
    start(f, (vs_http_config){.sockets = sockets,
                              .private_key = server.key,
                              .certificate = server.cert,
                              .client_ca = alice.cert});
    (void)snprintf(f->url, sizeof f->url, "https://127.0.0.1:%u/kbs/v0/resource-policy",
                   vs_http_server_port(f->server, 0));
    vs_http_client_config c = {.ca_file = server.cert, .cert = alice.cert, .key = alice.key};
    assert_int_equal(status_of(f->url, NULL, c), 200);
    c.cert = mallory.cert; /* the same name, signed by nobody we know */
    c.key = mallory.key;
    assert_int_equal(status_of(f->url, NULL, c), -1);
    c.cert = c.key = NULL;
    assert_int_equal(status_of(f->url, NULL, c), 401);
    remove_identity(&server);
    remove_identity(&alice);
    remove_identity(&mallory);
}

/* ---- keys behind https ------------------------------------------------------------------------
 */

typedef struct issuer {
    vs_http_server *server;
    identity id;
    char base[64], *set;
    int status;
    unsigned delay_ms;
} issuer;

static void serve_keys(void *user, const vs_http_request *req, vs_http_response *resp)
{
    const issuer *is = user;
    if (is->delay_ms)
        (void)usleep(is->delay_ms * 1000);
    resp->status = is->status;
    if (is->status == 302) {
        vs_http_add_header(resp, "Location", "/jwks");
    } else if (vs_span_is(req->path, "/.well-known/openid-configuration")) {
        vs_buf_printf(&resp->body, "{\"jwks_uri\":\"%s/jwks\"}", is->base);
    } else if (vs_span_is(req->path, "/jwks")) {
        vs_buf_puts(&resp->body, is->set);
    } else if (vs_span_is(req->path, "/large")) {
        for (int i = 0; i < (2 << 20); i++)
            vs_buf_putc(&resp->body, ' ');
    } else {
        resp->status = 404;
    }
}

static void start_issuer(issuer *is)
{
    static const char *const sockets[] = {"127.0.0.1:0"};
    vs_error err = {0};
    make_identity(&is->id, "IP:127.0.0.1", -60, 3600);
    const vs_http_config http = {.sockets = sockets,
                                 .n_sockets = 1,
                                 .threads = 1,
                                 .private_key = is->id.key,
                                 .certificate = is->id.cert,
                                 .handler = serve_keys,
                                 .user = is};
    is->status = 200;
    assert_vs_ok(vs_http_server_start(&http, &is->server, &err), &err);
    (void)snprintf(is->base, sizeof is->base, "https://127.0.0.1:%u",
                   vs_http_server_port(is->server, 0));
}

static void stop_issuer(issuer *is)
{
    vs_http_server_stop(&is->server, 100);
    remove_identity(&is->id);
    free(is->set);
}

static void set_key(issuer *is, vs_arena *a, const vs_key *key, const char *kid)
{
    vs_val jwk;
    vs_error err = {0};
    vs_buf out = VS_BUF(1 << 16);
    assert_vs_ok(vs_key_to_jwk(a, key, "ES256", &jwk, &err), &err);
    vs_buf_puts(&out, "{\"keys\":[");
    vs_json_print(&out, vs_with(a, jwk, vs_cstring("kid"), vs_cstring(kid)));
    vs_buf_puts(&out, "]}");
    free(is->set);
    is->set = strdup((const char *)out.p);
    vs_buf_free(&out);
}

static const char *token_of(fixture *f, const vs_key *key)
{
    vs_error err = {0};
    vs_buf out = VS_BUF(1 << 16);
    assert_vs_ok(vs_jws_sign(&out, key, VS_ES256, VS_LIT("{\"alg\":\"ES256\",\"kid\":\"k\"}"),
                             VS_LIT("{\"role\":\"admin\",\"exp\":4000000000}"), &err),
                 &err);
    const char *t = vs_sprintf(&f->w.a, "%s", (const char *)out.p);
    vs_buf_free(&out);
    return t;
}

static void an_openid_issuer_is_followed_over_https(void **state)
{
    fixture *f = *state;
    issuer is = {0};
    vs_error err = {0};
    vs_key *key = NULL;
    assert_vs_ok(vs_key_generate(VS_KEY_P256, &key, &err), &err);
    start_issuer(&is);
    set_key(&is, &f->w.a, key, "k");
    const kbs_identity_provider p = {.jwk_set_uri = is.base};
    f->cfg.admin.providers = &p;
    f->cfg.admin.n_providers = 1;
    f->cfg.fetch = api_fetch_key;
    f->cfg.fetch_user = is.id.cert;
    const char *const sockets[] = {f->socket};
    start(f, (vs_http_config){.sockets = sockets});
    const vs_http_client_config local = {.unix_socket = f->path};
    const char *url = "http://localhost/kbs/v0/resource-policy";
    assert_int_equal(status_of(url, token_of(f, key), local), 200);
    assert_int_equal(status_of(url, NULL, local), 401);
    vs_key_free(&key);
    stop_issuer(&is);
}

static void requests_do_not_wait_for_an_issuer_that_hangs(void **state)
{
    fixture *f = *state;
    issuer is = {0};
    vs_error err = {0};
    vs_key *key = NULL, *other = NULL;
    assert_vs_ok(vs_key_generate(VS_KEY_P256, &key, &err), &err);
    assert_vs_ok(vs_key_generate(VS_KEY_P256, &other, &err), &err);
    start_issuer(&is);
    set_key(&is, &f->w.a, key, "k");
    const kbs_identity_provider p = {.jwk_set_uri = is.base};
    f->cfg.admin.providers = &p;
    f->cfg.admin.n_providers = 1;
    f->cfg.fetch = api_fetch_key;
    f->cfg.fetch_user = is.id.cert;
    const char *const sockets[] = {f->socket};
    start(f, (vs_http_config){.sockets = sockets});
    is.delay_ms = 3000;
    const vs_http_client_config local = {.unix_socket = f->path};
    const char *url = "http://localhost/kbs/v0/resource-policy";
    int64_t before = vs_mono_ns();
    assert_int_equal(status_of(url, token_of(f, other), local), 401);
    assert_int_equal(status_of(url, token_of(f, key), local), 200);
    assert_true(vs_mono_ns() - before < INT64_C(2000000000));
    vs_key_free(&key);
    vs_key_free(&other);
    stop_issuer(&is);
}

static void what_cannot_be_fetched_safely_is_not(void **state)
{
    fixture *f = *state;
    issuer is = {0};
    identity other;
    vs_error err = {0};
    vs_buf out = VS_BUF(4 << 20);
    start_issuer(&is);
    is.set = strdup("{\"keys\":[]}");
    make_identity(&other, "IP:127.0.0.1", -60, 3600);
    const char *jwks = vs_sprintf(&f->w.a, "%s/jwks", is.base);
    assert_vs_ok(api_fetch_key(is.id.cert, jwks, &out, &err), &err);
    assert_span_is(vs_buf_span(&out), is.set);
    assert_vs_code(api_fetch_key(other.cert, jwks, &out, NULL), VS_E_UNTRUSTED);
    assert_vs_code(api_fetch_key(NULL, jwks, &out, NULL), VS_E_UNTRUSTED);
    assert_vs_code(api_fetch_key(is.id.cert, vs_sprintf(&f->w.a, "%s/large", is.base), &out, NULL),
                   VS_E_LIMIT);
    assert_vs_code(api_fetch_key(is.id.cert, vs_sprintf(&f->w.a, "%s/none", is.base), &out, NULL),
                   VS_E_IO);
    assert_vs_code(
        api_fetch_key(is.id.cert, vs_sprintf(&f->w.a, "http%s", is.base + 5), &out, NULL),
        VS_E_INVALID);
    is.status = 302; /* a redirect is not followed */
    assert_vs_code(api_fetch_key(is.id.cert, jwks, &out, NULL), VS_E_IO);
    vs_buf_free(&out);
    remove_identity(&other);
    stop_issuer(&is);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(the_peer_of_a_unix_socket_is_known),
        T(another_user_is_nobody),
        T(a_dead_socket_is_replaced_and_a_live_one_is_not),
        T(a_client_certificate_gives_a_role),
        T(an_openid_issuer_is_followed_over_https),
        T(requests_do_not_wait_for_an_issuer_that_hangs),
        T(what_cannot_be_fetched_safely_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
