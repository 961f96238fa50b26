/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"
#include "wire.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "net/client_socket.h"
#include "net/http_client.h"

#ifndef OWN_CLIENT /* 1: the client of the static programs, 0: the one of libcurl */
#define OWN_CLIENT 0
#endif

static void echo(void *user, const vs_http_request *req, vs_http_response *resp)
{
    (void)user;
    if (vs_span_is(req->path, "/slow"))
        usleep(400000);
    if (vs_span_is(req->path, "/large"))
        (void)vs_buf_reserve(&resp->body, 5000);
    resp->status = vs_span_is(req->path, "/denied") ? 401 : 200;
    vs_http_add_header(resp, "Set-Cookie",
                       "kbs-session-id=abc; Expires=Fri, 01 Jan 2100 00:00:00 GMT; HttpOnly");
    vs_http_add_header(resp, "X-One", "first");
    vs_span cookie = vs_http_header(req, "cookie"), type = vs_http_header(req, "content-type");
    vs_buf_printf(&resp->body, "%d[%.*s]<%.*s>", (int)req->method, VS_FMT(cookie), VS_FMT(type));
    vs_buf_put(&resp->body, req->body);
}

static vs_http_client *client(const vs_http_client_config *cfg)
{
    vs_http_client *c = NULL;
    vs_error err = {0};
    assert_vs_ok(vs_http_client_new(cfg, &c, &err), &err);
    return c;
}

static const char *url_of(const vs_http_server *s, const char *scheme, const char *path)
{
    static char url[200];
    (void)snprintf(url, sizeof url, "%s://127.0.0.1:%u%s", scheme, vs_http_server_port(s, 0), path);
    return url;
}

static void every_method_with_and_without_a_body(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){0});
    vs_http_client *c = client(&(vs_http_client_config){0});
    static const char *const json[] = {"Content-Type: application/json", NULL};
    const char *url = url_of(s, "http", "/kbs/v0/auth");
    const struct {
        vs_http_call call;
        const char *answer;
    } v[] = {
        {{.method = "GET", .url = url}, "0[]<>"},
        {{.method = "POST", .url = url, .headers = json, .body = VS_LIT("{}"), .has_body = true},
         "1[kbs-session-id=abc]<application/json>{}"},
        {{.method = "POST", .url = url, .has_body = true}, "1[kbs-session-id=abc]<>"},
        {{.method = "DELETE", .url = url}, "3[kbs-session-id=abc]<>"},
        {{.method = "GET", .url = url, .body = VS_LIT("x"), .has_body = true},
         "0[kbs-session-id=abc]<>x"},
        {{.method = "PUT", .url = url, .body = VS_LIT("y"), .has_body = true},
         "2[kbs-session-id=abc]<>y"},
        {{.method = "GET", .url = url}, "0[kbs-session-id=abc]<>"},
    };
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(1000);
        int status = 0;
        vs_error err = {0};
        assert_vs_ok(vs_http_client_do(c, &v[i].call, &status, &body, &err), &err);
        assert_int_equal(status, 200);
        assert_span_is(vs_buf_span(&body), v[i].answer);
        assert_span_is(vs_http_client_header(c, "x-one"), "first");
        assert_null(vs_http_client_header(c, "x-two").p);
    }
    vs_http_client_free(&c);
    vs_http_server_stop(&s, 100);
}

static vs_code get(vs_http_client *c, const char *url, int *status, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(100000);
    return vs_http_client_do(c, &(vs_http_call){.method = "GET", .url = url}, status, &body, err);
}

static void any_status_is_an_answer(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){0});
    vs_http_client *c = client(&(vs_http_client_config){0});
    int status = 0;
    vs_error err = {0};
    assert_vs_ok(get(c, url_of(s, "http", "/denied"), &status, &err), &err);
    assert_int_equal(status, 401);
    vs_http_client_free(&c);
    vs_http_server_stop(&s, 100);
}

static void a_body_of_many_megabytes_is_sent(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){.body_bytes = 4 << 20});
    vs_http_client *c = client(&(vs_http_client_config){0});
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(4 << 20), in = VS_BUF(5 << 20);
    memset(vs_buf_reserve(&out, 4 << 20), 'q', 4 << 20);
    int status = 0;
    vs_error err = {0};
    vs_http_call call = {.method = "POST",
                         .url = url_of(s, "http", "/"),
                         .body = vs_buf_span(&out),
                         .has_body = true};
    assert_vs_ok(vs_http_client_do(c, &call, &status, &in, &err), &err);
    assert_int_equal(status, 200);
    assert_true(vs_span_ends(vs_buf_span(&in), vs_buf_span(&out)));
    vs_http_client_free(&c);
    vs_http_server_stop(&s, 100);
}

static void failures_say_what_and_where(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){0});
    vs_http_client *c = client(&(vs_http_client_config){.total_ms = 150, .response_bytes = 1000});
    char text[VS_ERROR_TEXT], dead[60];
    int status = 0;
    vs_error err = {0};
    assert_vs_code(get(c, url_of(s, "http", "/large"), &status, &err), VS_E_LIMIT);
    assert_non_null(strstr(vs_error_text(&err, text, sizeof text), "larger than 1000 bytes"));
    assert_vs_code(get(c, url_of(s, "http", "/slow"), &status, &err), VS_E_TIMEOUT);
    assert_non_null(strstr(vs_error_text(&err, text, sizeof text), "127.0.0.1"));
    assert_vs_code(get(c, "ftp://127.0.0.1/x", &status, &err), VS_E_INVALID);
    assert_vs_code(get(c, "file:///etc/passwd", &status, &err), VS_E_INVALID);
    assert_vs_code(get(c, "http://", &status, &err), VS_E_INVALID);
    (void)snprintf(dead, sizeof dead, "http://127.0.0.1:%u/", vs_http_server_port(s, 0));
    usleep(400000); /* the slow handler */
    vs_http_server_stop(&s, 100);
    assert_vs_code(get(c, dead, &status, &err), VS_E_IO);
    assert_non_null(strstr(vs_error_text(&err, text, sizeof text), "127.0.0.1"));
    vs_http_client_free(&c);
}

static void a_header_with_a_line_break_is_refused(void **state)
{
    (void)state;
    vs_http_client *c = client(&(vs_http_client_config){0});
    static const char *const evil[] = {"X: a\r\nY: b", NULL};
    VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(10);
    int status;
    assert_vs_code(
        vs_http_client_do(
            c, &(vs_http_call){.method = "GET", .url = "http://127.0.0.1/", .headers = evil},
            &status, &body, NULL),
        VS_E_INVALID);
    vs_http_client_free(&c);
}

/* ---- proxies ----------------------------------------------------------------------------------
 */

/* A proxy that answers itself: what it is asked is the answer's body. */
static void as_proxy(void *user, const vs_http_request *req, vs_http_response *resp)
{
    (void)user;
    resp->status = 200;
    vs_span host = vs_http_header(req, "host");
    vs_buf_printf(&resp->body, "for %.*s", VS_FMT(host));
}

static vs_code ask_for(vs_http_client *c, const char *url, vs_buf *body, vs_error *err)
{
    int status = 0;
    return vs_http_client_do(c, &(vs_http_call){.method = "GET", .url = url}, &status, body, err);
}

static void the_proxy_that_is_given_wins_over_the_environment(void **state)
{
    (void)state;
    vs_http_server *proxy = serve(as_proxy, NULL, (vs_http_limits){0});
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){0});
    char way[200];
    (void)snprintf(way, sizeof way, "%s", url_of(proxy, "http", ""));
    const char *url = url_of(s, "http", "/");
    static const char *const dead = "http://127.0.0.1:1";
    const struct {
        const char *given, *environment, *no_proxy, *answer; /* NULL = unreachable */
    } v[] = {{way, dead, "127.0.0.1", "for 127.0.0.1"},
             {NULL, way, NULL, "for 127.0.0.1"},
             {NULL, way, "127.0.0.1", "0["},
             {"", dead, NULL, "0["},
             {NULL, dead, NULL, NULL},
             {dead, way, "127.0.0.1", NULL}};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        assert_int_equal(v[i].environment ? setenv("http_proxy", v[i].environment, 1) : 0, 0);
        assert_int_equal(
            v[i].no_proxy ? setenv("no_proxy", v[i].no_proxy, 1) : unsetenv("no_proxy"), 0);
        vs_http_client *c = client(&(vs_http_client_config){.proxy = v[i].given});
        vs_buf body = VS_BUF(1000);
        vs_error err = {0};
        vs_code code = ask_for(c, url, &body, &err);
        if (v[i].answer) {
            assert_vs_ok(code, &err);
            assert_true(vs_span_starts(vs_buf_span(&body), vs_str(v[i].answer)));
        } else {
            assert_vs_code(code, VS_E_IO);
        }
        vs_buf_free(&body);
        vs_http_client_free(&c);
    }
    (void)unsetenv("http_proxy");
    (void)unsetenv("no_proxy");
    vs_http_server_stop(&proxy, 100);
    vs_http_server_stop(&s, 100);
}

/* ---- TLS --------------------------------------------------------------------------------------
 */

static vs_code start_tls(vs_http_config *cfg, const identity *id, vs_http_server **s, vs_error *err)
{
    cfg->sockets = any_port;
    cfg->n_sockets = 1;
    cfg->threads = 1;
    cfg->handler = echo;
    cfg->certificate = id->cert;
    cfg->private_key = id->key;
    return vs_http_server_start(cfg, s, err);
}

static void https_works_with_the_given_root_only(void **state)
{
    (void)state;
    identity id;
    make_identity(&id, "IP:127.0.0.1", -60, 3600);
    vs_http_server *s = NULL;
    vs_error err = {0};
    assert_vs_ok(start_tls(&(vs_http_config){.limits = {.body_bytes = 3 << 20}}, &id, &s, &err),
                 &err);
    vs_http_client *knows = client(&(vs_http_client_config){.ca_file = id.cert});
    vs_http_client *does_not = client(&(vs_http_client_config){0});
    int status = 0;
    for (int i = 0; i < 3; i++) {
        assert_vs_ok(get(knows, url_of(s, "https", "/"), &status, &err), &err);
        assert_int_equal(status, 200);
    }
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(3 << 20), in = VS_BUF(4 << 20);
    memset(vs_buf_reserve(&out, 3 << 20), 'q', 3 << 20);
    vs_http_call call = {.method = "POST",
                         .url = url_of(s, "https", "/"),
                         .body = vs_buf_span(&out),
                         .has_body = true};
    assert_vs_ok(vs_http_client_do(knows, &call, &status, &in, &err), &err);
    assert_true(vs_span_ends(vs_buf_span(&in), vs_buf_span(&out)));
    char text[VS_ERROR_TEXT];
    assert_vs_code(get(does_not, url_of(s, "https", "/"), &status, &err), VS_E_UNTRUSTED);
    assert_non_null(strstr(vs_error_text(&err, text, sizeof text), "self-signed certificate"));
    vs_http_client_free(&knows);
    vs_http_client_free(&does_not);
    vs_http_server_stop(&s, 100);
    remove_identity(&id);
}

static void clients_that_share_trust_verify_alike(void **state)
{
    (void)state;
    if (!OWN_CLIENT)
        skip(); /* each loads its own */
    identity id;
    make_identity(&id, "IP:127.0.0.1", -60, 3600);
    vs_http_server *s = NULL;
    vs_error err = {0};
    assert_vs_ok(start_tls(&(vs_http_config){0}, &id, &s, &err), &err);
    vs_http_client *knows = client(&(vs_http_client_config){.ca_file = id.cert});
    vs_http_client *does_not = client(&(vs_http_client_config){0});
    vs_http_client *like_one = client(&(vs_http_client_config){.tls_of = knows});
    vs_http_client *like_other = client(&(vs_http_client_config){.tls_of = does_not});
    vs_http_client_free(&knows); /* it may end first */
    vs_http_client_free(&does_not);
    int status = 0;
    assert_vs_ok(get(like_one, url_of(s, "https", "/"), &status, &err), &err);
    assert_int_equal(status, 200);
    assert_vs_code(get(like_other, url_of(s, "https", "/"), &status, &err), VS_E_UNTRUSTED);
    vs_http_client_free(&like_one);
    vs_http_client_free(&like_other);
    vs_http_server_stop(&s, 100);
    remove_identity(&id);
}

static void assert_cookie_seen(vs_http_client *c, const char *url, bool seen)
{
    VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(1000);
    vs_error err = {0};
    assert_vs_ok(ask_for(c, url, &body, &err), &err);
    assert_span_is(vs_buf_span(&body), seen ? "0[kbs-session-id=abc]<>" : "0[]<>");
}

/* The same host, by another scheme or at another port, is somebody else. */
static void a_cookie_goes_to_the_origin_that_set_it_only(void **state)
{
    (void)state;
    identity id;
    make_identity(&id, "IP:127.0.0.1", -60, 3600);
    vs_http_server *tls = NULL, *plain = serve(echo, NULL, (vs_http_limits){0}),
                   *other = serve(echo, NULL, (vs_http_limits){0});
    vs_error err = {0};
    assert_vs_ok(start_tls(&(vs_http_config){0}, &id, &tls, &err), &err);
    char urls[3][200];
    (void)snprintf(urls[0], sizeof urls[0], "%s", url_of(tls, "https", "/"));
    (void)snprintf(urls[1], sizeof urls[1], "%s", url_of(plain, "http", "/"));
    (void)snprintf(urls[2], sizeof urls[2], "%s", url_of(other, "http", "/"));
    vs_http_client *c = client(&(vs_http_client_config){.ca_file = id.cert});
    for (size_t i = 0; i < 6; i++) { /* each after each other one */
        assert_cookie_seen(c, urls[i % 3], false);
        assert_cookie_seen(c, urls[i % 3], true);
        assert_cookie_seen(c, urls[(i + 2) % 3], false);
    }
    vs_http_client_free(&c);
    vs_http_server_stop(&tls, 100);
    vs_http_server_stop(&plain, 100);
    vs_http_server_stop(&other, 100);
    remove_identity(&id);
}

/* A server that closes while it is written to, over TLS: an error, not the end of the program. */
static void what_sigpipe_does_is_left_to_the_program(void **state)
{
    (void)state;
    identity id;
    make_identity(&id, "IP:127.0.0.1", -60, 3600);
    vs_http_server *s = NULL;
    vs_error err = {0};
    assert_vs_ok(start_tls(&(vs_http_config){.limits = {.body_bytes = 1000}}, &id, &s, &err), &err);
    struct sigaction before, after;
    (void)signal(SIGPIPE, SIG_DFL);
    assert_int_equal(sigaction(SIGPIPE, NULL, &before), 0);
    vs_http_client *c = client(&(vs_http_client_config){.ca_file = id.cert});
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(16 << 20), in = VS_BUF(100000);
    memset(vs_buf_reserve(&out, 16 << 20), 'q', 16 << 20);
    int status = 0;
    for (int i = 0; i < 5; i++) {
        vs_http_call call = {.method = "POST",
                             .url = url_of(s, "https", "/"),
                             .body = vs_buf_span(&out),
                             .has_body = true};
        if (vs_http_client_do(c, &call, &status, &in, &err) == VS_OK)
            assert_int_equal(status, 413);
    }
    vs_http_client_free(&c);
    assert_int_equal(sigaction(SIGPIPE, NULL, &after), 0);
    assert_ptr_equal(before.sa_handler, after.sa_handler);
    sigset_t blocked;
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &blocked), 0);
    assert_int_equal(sigismember(&blocked, SIGPIPE), 0);
    (void)signal(SIGPIPE, SIG_IGN);
    vs_http_server_stop(&s, 100);
    remove_identity(&id);
}

static void a_wrong_name_or_time_is_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *san;
        long from, to;
        const char *reason;
    } v[] = {{"IP:127.0.0.2", -60, 3600, "127.0.0.1"},
             {"IP:127.0.0.1", -3600, -60, "expired; the clock of this machine says"},
             {"IP:127.0.0.1", 600, 3600, "not yet valid; the clock of this machine says"}};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        identity id;
        make_identity(&id, v[i].san, v[i].from, v[i].to);
        vs_http_server *s = NULL;
        vs_error err = {0};
        char text[VS_ERROR_TEXT];
        int status;
        assert_vs_ok(start_tls(&(vs_http_config){0}, &id, &s, &err), &err);
        vs_http_client *c = client(&(vs_http_client_config){.ca_file = id.cert});
        assert_vs_code(get(c, url_of(s, "https", "/"), &status, &err), VS_E_UNTRUSTED);
        if (!strstr(vs_error_text(&err, text, sizeof text), v[i].reason))
            fail_msg("%s", text);
        vs_http_client_free(&c);
        vs_http_server_stop(&s, 100);
        remove_identity(&id);
    }
}

static void tls_settings_are_obeyed_or_refused(void **state)
{
    (void)state;
    identity id;
    make_identity(&id, "IP:127.0.0.1", -60, 3600);
    static const struct {
        vs_http_config cfg;
        bool ok;
    } v[] = {{{.tls_min_version = "1.3"}, true},
             {{.tls_max_version = "1.2"}, true},
             {{.tls_min_version = "1.1"}, false},
             {{.tls_min_version = "1.3", .tls_max_version = "1.2"}, false},
             {{.tls_ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:TLS_AES_256_GCM_SHA384"}, true},
             {{.tls_ciphers = "NO-SUCH-CIPHER"}, false},
             {{.tls_groups = "X25519:P-256"}, true},
             {{.tls_groups = "no-such-group"}, false}};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        vs_http_config cfg = v[i].cfg;
        vs_http_server *s = NULL;
        vs_error err = {0};
        vs_code code = start_tls(&cfg, &id, &s, &err);
        if ((code == VS_OK) != v[i].ok)
            fail_msg("case %zu", i);
        if (code != VS_OK)
            continue;
        vs_http_client *c = client(&(vs_http_client_config){.ca_file = id.cert});
        int status = 0;
        assert_vs_ok(get(c, url_of(s, "https", "/"), &status, &err), &err);
        vs_http_client_free(&c);
        vs_http_server_stop(&s, 100);
    }
    identity other;
    make_identity(&other, "IP:127.0.0.1", -60, 3600);
    identity mixed = other;
    memcpy(mixed.key, id.key, sizeof mixed.key);
    vs_http_server *s = NULL;
    assert_int_not_equal(start_tls(&(vs_http_config){0}, &mixed, &s, NULL), VS_OK);
    remove_identity(&id);
    remove_identity(&other);
}

static void plain_text_on_a_tls_port_ends_without_harm(void **state)
{
    (void)state;
    identity id;
    make_identity(&id, "IP:127.0.0.1", -60, 3600);
    vs_http_server *s = NULL;
    vs_error err = {0};
    assert_vs_ok(start_tls(&(vs_http_config){.limits = {.request_ms = 200}}, &id, &s, &err), &err);
    bool closed;
    int fd = dial(s), silent = dial(s);
    say(fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_null(strstr(hear(fd, 1000, &closed), "200 OK"));
    assert_true(closed);
    assert_string_equal(hear(silent, 1000, &closed), ""); /* a handshake has a deadline as well */
    assert_true(closed);
    (void)close(fd);
    (void)close(silent);
    vs_http_server_stop(&s, 100);
    remove_identity(&id);
}

/* A server of one answer without a length, which ends with the connection: with a word that this is
 * the end, or cut off. */
typedef struct brief {
    int listener;
    SSL_CTX *tls; /* NULL: plain text */
    bool orderly;
} brief;

static void *answer_briefly(void *user)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\n\r\nthe beginning";
    brief *b = user;
    char asked[2000];
    int fd = accept(b->listener, NULL, NULL);
    assert_true(fd >= 0);
    if (b->tls) {
        SSL *ssl = SSL_new(b->tls);
        assert_true(ssl && SSL_set_fd(ssl, fd) && SSL_accept(ssl) == 1);
        assert_true(SSL_read(ssl, asked, sizeof asked) > 0);
        assert_int_equal(SSL_write(ssl, answer, sizeof answer - 1), sizeof answer - 1);
        if (b->orderly)
            (void)SSL_shutdown(ssl);
        SSL_free(ssl);
    } else {
        assert_true(recv(fd, asked, sizeof asked, 0) > 0);
        assert_int_equal(send(fd, answer, sizeof answer - 1, 0), sizeof answer - 1);
        usleep(50000); /* a reset may overtake what was sent */
        struct linger reset = {.l_onoff = !b->orderly};
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    }
    (void)close(fd);
    return NULL;
}

static void a_body_is_whole_only_when_the_server_ended_it(void **state)
{
    (void)state;
    identity id;
    make_identity(&id, "IP:127.0.0.1", -60, 3600);
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    assert_true(tls && SSL_CTX_use_certificate_file(tls, id.cert, SSL_FILETYPE_PEM) == 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(tls, id.key, SSL_FILETYPE_PEM), 1);
    for (int i = 0; i < 4; i++) {
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t n = sizeof at;
        brief b = {socket(AF_INET, SOCK_STREAM, 0), i < 2 ? tls : NULL, i % 2 == 0};
        assert_int_equal(bind(b.listener, (struct sockaddr *)&at, n), 0);
        assert_int_equal(listen(b.listener, 1), 0);
        assert_int_equal(getsockname(b.listener, (struct sockaddr *)&at, &n), 0);
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, answer_briefly, &b), 0);
        char url[64];
        (void)snprintf(url, sizeof url, "%s://127.0.0.1:%u/", b.tls ? "https" : "http",
                       ntohs(at.sin_port));
        vs_http_client *c = client(&(vs_http_client_config){.ca_file = id.cert});
        vs_buf body = VS_BUF(1000);
        vs_error err = {0};
        int status = 0;
        vs_code code = vs_http_client_do(c, &(vs_http_call){.method = "GET", .url = url}, &status,
                                         &body, &err);
        if (b.orderly) {
            assert_vs_ok(code, &err);
            assert_true(vs_span_is(vs_buf_span(&body), "the beginning"));
        } else if (!b.tls || OWN_CLIENT) { /* libcurl takes an end without close_notify for one */
            assert_vs_code(code, VS_E_IO);
        }
        vs_buf_free(&body);
        vs_http_client_free(&c);
        assert_int_equal(pthread_join(thread, NULL), 0);
        (void)close(b.listener);
    }
    SSL_CTX_free(tls);
    remove_identity(&id);
}

/* ---- servers without a certificate ---- */

static SSL_CTX *anonymous(const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);
    assert_true(ctx && SSL_CTX_set_cipher_list(ctx, "aNULL:@SECLEVEL=0") == 1);
    SSL_CTX_set_dh_auto(ctx, 1);
    (void)SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    return ctx;
}

/* Speaks to whoever takes it without a certificate, until the listener is shut down. */
static void *serve_anonymously(void *user)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    const brief *b = user;
    char asked[2000];
    for (int fd; (fd = accept(b->listener, NULL, NULL)) >= 0; (void)close(fd)) {
        SSL *ssl = SSL_new(b->tls);
        assert_true(ssl && SSL_set_fd(ssl, fd));
        if (SSL_accept(ssl) == 1 && SSL_read(ssl, asked, sizeof asked) > 0)
            (void)SSL_write(ssl, answer, sizeof answer - 1);
        SSL_free(ssl);
    }
    return NULL;
}

/* In a process that OPENSSL_CONF leads astray. 2: it does not; 1: the server was believed. */
static int ask_as_configured(const char *url)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    const STACK_OF(SSL_CIPHER) *suites = SSL_CTX_get_ciphers(ctx);
    bool astray = false;
    for (int i = 0; i < sk_SSL_CIPHER_num(suites); i++)
        astray |= SSL_CIPHER_get_auth_nid(sk_SSL_CIPHER_value(suites, i)) == NID_auth_null;
    SSL_CTX_free(ctx);
    if (!astray)
        return 2;
    vs_http_client *c = client(&(vs_http_client_config){0});
    int status = 0;
    vs_code code = get(c, url, &status, NULL);
    vs_http_client_free(&c);
    return code == VS_OK ? 1 : 0;
}

static int run_configured(const char *file, const char *url)
{
    char setting[200], *env[] = {setting, NULL}, word[] = "--ask", to[100];
    char *argv[] = {word, word, to, NULL};
    pid_t pid;
    int status = -1;
    (void)snprintf(setting, sizeof setting, "OPENSSL_CONF=%s", file);
    (void)snprintf(to, sizeof to, "%s", url);
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, env), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_server_without_a_certificate_is_refused_whatever_openssl_conf_says(void **state)
{
    (void)state;
    static const char conf[] = "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\n"
                               "system_default = weak\n[weak]\nCipherString = aNULL:@SECLEVEL=0\n"
                               "MaxProtocol = TLSv1.2\n";
    char file[] = P_tmpdir "/vs-conf-XXXXXX", url[64], port[8];
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    brief b = {socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), anonymous(TLS_server_method()),
               true};
    assert_int_equal(bind(b.listener, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(b.listener, 4), 0);
    assert_int_equal(getsockname(b.listener, (struct sockaddr *)&at, &n), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, serve_anonymously, &b), 0);
    (void)snprintf(port, sizeof port, "%u", ntohs(at.sin_port));
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%s/", port);
    int fd = mkstemp(file);
    assert_int_equal(write(fd, conf, sizeof conf - 1), sizeof conf - 1);
    (void)close(fd);
    assert_int_equal(run_configured(file, url), 0);
    (void)unlink(file);

    /* And should such suites be offered all the same. */
    SSL_CTX *open_to_all = anonymous(TLS_client_method());
    SSL_CTX_set_verify(open_to_all, SSL_VERIFY_PEER, NULL);
    const vs_peer peer = {.host = "127.0.0.1", .port = port, .tls = open_to_all};
    vs_client_socket s;
    vs_error err = {0};
    char text[VS_ERROR_TEXT];
    assert_vs_code(vs_client_socket_open(&peer, vs_mono_ns() + 5000000000, &s, &err),
                   VS_E_UNTRUSTED);
    assert_non_null(strstr(vs_error_text(&err, text, sizeof text), "it shows none"));
    SSL_CTX_free(open_to_all);
    (void)shutdown(b.listener, SHUT_RDWR);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)close(b.listener);
    SSL_CTX_free(b.tls);
}

static void a_ca_file_without_certificates_is_refused(void **state)
{
    (void)state;
    vs_http_client *c = NULL;
    assert_vs_code(vs_http_client_new(&(vs_http_client_config){.ca_file = "/dev/null"}, &c, NULL),
                   VS_E_INVALID);
    assert_vs_code(
        vs_http_client_new(&(vs_http_client_config){.ca_file = "/nonexistent/ca"}, &c, NULL),
        VS_E_NOT_FOUND);
    assert_null(c);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--ask") == 0)
        return ask_as_configured(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_with_and_without_a_body),
        cmocka_unit_test(any_status_is_an_answer),
        cmocka_unit_test(a_body_of_many_megabytes_is_sent),
        cmocka_unit_test(failures_say_what_and_where),
        cmocka_unit_test(a_header_with_a_line_break_is_refused),
        cmocka_unit_test(https_works_with_the_given_root_only),
        cmocka_unit_test(clients_that_share_trust_verify_alike),
        cmocka_unit_test(the_proxy_that_is_given_wins_over_the_environment),
        cmocka_unit_test(a_cookie_goes_to_the_origin_that_set_it_only),
        cmocka_unit_test(what_sigpipe_does_is_left_to_the_program),
        cmocka_unit_test(a_wrong_name_or_time_is_refused_with_the_reason),
        cmocka_unit_test(tls_settings_are_obeyed_or_refused),
        cmocka_unit_test(plain_text_on_a_tls_port_ends_without_harm),
        cmocka_unit_test(a_body_is_whole_only_when_the_server_ended_it),
        cmocka_unit_test(a_server_without_a_certificate_is_refused_whatever_openssl_conf_says),
        cmocka_unit_test(a_ca_file_without_certificates_is_refused),
    };
    return cmocka_run_group_tests_name("http_client", tests, NULL, NULL);
}
