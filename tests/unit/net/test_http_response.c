/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of responses: how long the body is, and what must not be guessed; and the client that reads
 * them, against servers that say exactly what a test wants said. */
#include "testing.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "net/http_client.h"
#include "net/http_response.h"

static void the_end_of_a_body_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool to_head;
        vs_body_kind body;
        uint64_t length;
        bool keep;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", false, VS_BODY_LENGTH, 12, true},
        {"HTTP/1.1 200\r\ncontent-length:0\r\n\r\n", false, VS_BODY_LENGTH, 0, true},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", false, VS_BODY_CHUNKED, 0, true},
        {"HTTP/1.1 200 OK\r\n\r\n", false, VS_BODY_CLOSE, 0, false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", false, VS_BODY_LENGTH, 1, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n", false, VS_BODY_LENGTH,
         1, false},
        {"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", false, VS_BODY_NONE, 5, true},
        {"HTTP/1.1 304 No\r\n\r\n", false, VS_BODY_NONE, 0, true},
        {"HTTP/1.1 100 Go on\r\n\r\n", false, VS_BODY_NONE, 0, true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, VS_BODY_NONE, 5, true},
    };
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        vs_error err = {0};
        vs_response_head h;
        assert_vs_ok(vs_response_head_parse(vs_str(cases[i].text), cases[i].to_head, &h, &err),
                     &err);
        assert_int_equal(h.body, cases[i].body);
        assert_int_equal(h.length, cases[i].length);
        assert_int_equal(h.keep, cases[i].keep);
    }
}

static void what_could_be_read_in_two_ways_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 99 OK\r\n\r\n",
        "HTTP/1.1 600 OK\r\n\r\n",
        "HTTP/1.1 +20 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nName : x\r\n\r\n",
        "HTTP/1.1 200 OK\r\n folded: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\x01\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    };
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        vs_response_head h;
        if (vs_response_head_parse(vs_str(cases[i]), false, &h, NULL) == VS_OK)
            fail_msg("taken: %s", cases[i]);
    }
}

/* ---- a server that says one thing ------------------------------------------------------------ */

typedef struct script {
    int listener;
    const char *const *answers; /* one per connection; NULL ends */
    pthread_t thread;
    char url[64];
    char asked[4096]; /* the last request */
} script;

static void *play(void *arg)
{
    script *s = arg;
    for (const char *const *a = s->answers; *a; a++) {
        int fd = accept(s->listener, NULL, NULL);
        ssize_t n = recv(fd, s->asked, sizeof s->asked - 1, 0);
        s->asked[n > 0 ? n : 0] = '\0';
        (void)send(fd, *a, strlen(*a), MSG_NOSIGNAL);
        (void)shutdown(fd, SHUT_WR);
        char rest[256];
        while (recv(fd, rest, sizeof rest, 0) > 0) {
        }
        (void)close(fd);
    }
    return NULL;
}

static void start(script *s, const char *const *answers)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t n = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *s = (script){.listener = socket(AF_INET, SOCK_STREAM, 0), .answers = answers};
    assert_int_equal(bind(s->listener, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(s->listener, 8), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &n), 0);
    (void)snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u", ntohs(at.sin_port));
    assert_int_equal(pthread_create(&s->thread, NULL, play, s), 0);
}

static void stop(script *s)
{
    (void)pthread_join(s->thread, NULL);
    (void)close(s->listener);
}

static vs_code get(const char *url, vs_buf *body, int *status, vs_error *err)
{
    VS_CLEANUP(vs_http_client_free) vs_http_client *c = NULL;
    const vs_http_client_config cfg = {.total_ms = 5000, .response_bytes = 100};
    assert_vs_ok(vs_http_client_new(&cfg, &c, err), err);
    return vs_http_client_do(c, &(vs_http_call){.method = "GET", .url = url}, status, body, err);
}

static void bodies_of_every_form_are_read(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n"
        "Content-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\n\r\nhello",
        NULL};
    script s;
    start(&s, answers);
    for (size_t i = 0; answers[i]; i++) {
        VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(1000);
        vs_error err = {0};
        int status = 0;
        assert_vs_ok(get(s.url, &body, &status, &err), &err);
        assert_int_equal(status, 200);
        assert_span_is(vs_buf_span(&body), "hello");
    }
    stop(&s);
}

static void a_hostile_server_gets_an_error(void **state)
{
    (void)state;
    char big[400] = "HTTP/1.1 200 OK\r\n\r\n", huge[] = "HTTP/1.1 200 OK\r\nContent-Length: "
                                                        "9223372036854775807\r\n\r\n";
    memset(big + strlen(big), 'x', sizeof big - strlen(big) - 1);
    const char *const answers[] = {"",
                                   "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
                                   "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n",
                                   huge,
                                   big,
                                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
                                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
                                   "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
                                   "SSH-2.0-OpenSSH\r\n\r\n",
                                   "HTTP/1.1 100 Continue\r\n\r\n",
                                   NULL};
    script s;
    start(&s, answers);
    for (size_t i = 0; answers[i]; i++) {
        VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(1000);
        vs_error err = {0};
        int status = 0;
        if (get(s.url, &body, &status, &err) == VS_OK)
            fail_msg("taken: %s", answers[i]);
        assert_int_equal(body.n, 0);
    }
    stop(&s);
}

static void the_environments_proxy_is_used(void **state)
{
    (void)state;
    static const char *const answers[] = {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                                          "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", NULL};
    script s;
    VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(1000);
    vs_error err = {0};
    char text[VS_ERROR_TEXT];
    int status = 0;
    start(&s, answers);
    (void)setenv("http_proxy", s.url, 1);
    (void)setenv("https_proxy", s.url, 1);
    (void)setenv("no_proxy", "other.example,.not.example", 1);
    assert_vs_ok(get("http://kbs.example/kbs/v0/x?y", &body, &status, &err), &err);
    assert_non_null(strstr(s.asked, "GET http://kbs.example/kbs/v0/x?y HTTP/1.1\r\n"));
    assert_non_null(strstr(s.asked, "Host: kbs.example\r\n"));
    assert_vs_code(get("https://kbs.example:8443/", &body, &status, &err), VS_E_IO);
    assert_non_null(strstr(vs_error_text(&err, text, sizeof text), "the proxy answers HTTP 403"));
    stop(&s);
    assert_non_null(strstr(s.asked, "CONNECT kbs.example:8443 HTTP/1.1\r\n"));
    (void)setenv("no_proxy", "127.0.0.1,localhost", 1);
    assert_vs_code(get("http://127.0.0.1:1/", &body, &status, &err), VS_E_IO);
    assert_null(strstr(vs_error_text(&err, text, sizeof text), "proxy"));
    (void)unsetenv("http_proxy");
    (void)unsetenv("https_proxy");
    (void)unsetenv("no_proxy");
}

static void urls_are_checked(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "ftp://h/",
                                      "http://",
                                      "http:///x",
                                      "http://u@h/",
                                      "http://h:0/",
                                      "http://h:65536/",
                                      "http://h:x/",
                                      "http://h /",
                                      "http://h/a b",
                                      "http://h/a\r\nX: y",
                                      "http://h/#f"};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(1000);
        vs_error err = {0};
        int status = 0;
        assert_vs_code(get(bad[i], &body, &status, &err), VS_E_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_a_body_is_told),
        cmocka_unit_test(what_could_be_read_in_two_ways_is_refused),
        cmocka_unit_test(bodies_of_every_form_are_read),
        cmocka_unit_test(a_hostile_server_gets_an_error),
        cmocka_unit_test(the_environments_proxy_is_used),
        cmocka_unit_test(urls_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
