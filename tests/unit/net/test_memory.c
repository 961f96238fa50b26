/* SPDX-License-Identifier: Apache-2.0 */
/* What went through a server or a client is nowhere in its memory when the connection has ended. */
#include "h2.h"
#include "identity.h"
#include "memory.h"

#include <sys/wait.h>

#include "net/http_client.h"

/* ---- uploading, in a process of its own ---------------------------------------------------------
 */

typedef void upload(unsigned port, const uint8_t *body, size_t n, const char *ca);

static void upload_plain(unsigned port, const uint8_t *body, size_t n, const char *ca)
{
    (void)ca;
    char head[200];
    int fd = dial_port(port);
    (void)snprintf(head, sizeof head, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n",
                   n);
    say(fd, head);
    h2 c = {.fd = fd};
    h2_send(&c, body, n);
    bool closed;
    if (status_of(hear_until(fd, 2000, true, &closed)) != 200)
        _exit(3);
    (void)close(fd);
}

static void upload_http2(unsigned port, const uint8_t *body, size_t n, const char *ca)
{
    (void)ca;
    h2 c = {.fd = dial_port(port)};
    if (nghttp2_hd_inflate_new(&c.inflater) != 0)
        _exit(3);
    say(c.fd, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    h2_frame(&c, H2_SETTINGS, 0, 0, NULL, 0);
    h2_headers(&c, 1, H2_END_HEADERS, H2_POST("/"), NULL);
    for (size_t at = 0; at < n; at += 9000)
        h2_frame(&c, H2_DATA, at + 9000 >= n ? H2_END_STREAM : 0, 1, body + at,
                 n - at < 9000 ? n - at : 9000);
    if (h2_hear(&c, 1, 2000).status != 200)
        _exit(4);
    h2_hang_up(&c);
}

static void upload_tls(unsigned port, const uint8_t *body, size_t n, const char *ca)
{
    char url[64];
    vs_http_client *c = NULL;
    int status = 0;
    vs_buf out = VS_BUF(1000);
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/", port);
    const vs_http_call call = {
        .method = "POST", .url = url, .body = vs_span_of(body, n), .has_body = true};
    if (vs_http_client_new(&(vs_http_client_config){.ca_file = ca}, &c, NULL) != VS_OK ||
        vs_http_client_do(c, &call, &status, &out, NULL) != VS_OK || status != 200)
        _exit(5);
    vs_http_client_free(&c);
}

/* Started before there is a server and its threads. */
static pid_t start_client(upload *how, size_t n, const char *ca, int *port_to)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        unsigned port = 0;
        uint8_t *body = malloc(n);
        if (!body || read(ends[0], &port, sizeof port) != sizeof port)
            _exit(2);
        for (size_t i = 0; i < n; i++)
            body[i] = secret_byte(i);
        how(port, body, n, ca);
        _exit(0);
    }
    (void)close(ends[0]);
    *port_to = ends[1];
    return pid;
}

/* ---- the test
 * ------------------------------------------------------------------------------------ */

static uint64_t sum;

static void add_up(void *user, const vs_http_request *req, vs_http_response *resp)
{
    (void)user;
    for (size_t i = 0; i < req->body.n; i++)
        sum += req->body.p[i];
    vs_buf_puts(&resp->body, "ok");
}

static void nothing_is_left(upload *how, size_t n, const identity *id, unsigned workers)
{
    int to;
    pid_t pid = start_client(how, n, id->cert, &to);
    vs_http_server *s = NULL;
    vs_error err = {0};
    vs_http_config cfg = {
        .sockets = any_port, .n_sockets = 1, .threads = 1, .workers = workers, .handler = add_up};
    if (how == upload_tls) {
        cfg.certificate = id->cert;
        cfg.private_key = id->key;
    }
    assert_vs_ok(vs_http_server_start(&cfg, &s, &err), &err);
    unsigned port = vs_http_server_port(s, 0);
    sum = 0;
    assert_int_equal(write(to, &port, sizeof port), sizeof port);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    (void)close(to);
    vs_http_server_stop(&s, 1000);
    uint64_t want = 0;
    for (size_t i = 0; i < n; i++)
        want += secret_byte(i);
    assert_int_equal(sum, want); /* it did arrive */
    size_t found = count_in_memory();
    if (found)
        fail_msg("%zu pieces of %zu bytes, %s, workers %u", found, n,
                 how == upload_plain   ? "plain"
                 : how == upload_http2 ? "HTTP/2"
                                       : "TLS",
                 workers);
}

static void what_was_uploaded_is_not_left_in_memory(void **state)
{
    (void)state;
    static upload *const ways[] = {upload_plain, upload_http2, upload_tls};
    static const size_t sizes[] = {500, 60000};
    identity id;
    make_identity(&id, "IP:127.0.0.1", -60, 3600);
    for (size_t w = 0; w < VS_COUNT(ways); w++)
        for (size_t i = 0; i < VS_COUNT(sizes); i++)
            for (unsigned workers = 0; workers < 2; workers++)
                nothing_is_left(ways[w], sizes[i], &id, workers);
    remove_identity(&id);
}

static void the_search_finds_what_is_there(void **state)
{
    (void)state;
    volatile uint8_t *p = malloc(1000);
    assert_non_null((void *)(uintptr_t)p);
    for (size_t i = 0; i < 1000; i++)
        p[i] = secret_byte(i);
    assert_true(count_in_memory() > 0);
    for (size_t i = 0; i < 1000; i++)
        p[i] = 0;
    free((void *)(uintptr_t)p);
    assert_int_equal(count_in_memory(), 0);
}

/* ---- the other direction ------------------------------------------------------------------------
 */

static void tell_secret(void *user, const vs_http_request *req, vs_http_response *resp)
{
    (void)user, (void)req;
    for (size_t i = 0; i < 60000; i++)
        vs_buf_putc(&resp->body, (char)secret_byte(i));
}

/* A server in a process of its own, until *stop is closed. */
static pid_t start_server(const identity *id, unsigned *port, int *stop)
{
    int to[2], from[2];
    assert_true(pipe(to) == 0 && pipe(from) == 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        vs_http_server *s = NULL;
        vs_http_config cfg = {.sockets = any_port,
                              .n_sockets = 1,
                              .threads = 1,
                              .handler = tell_secret,
                              .certificate = id ? id->cert : NULL,
                              .private_key = id ? id->key : NULL};
        char c;
        (void)close(to[1]);
        if (vs_http_server_start(&cfg, &s, NULL) != VS_OK)
            _exit(2);
        unsigned own = vs_http_server_port(s, 0);
        _exit(write(from[1], &own, sizeof own) == sizeof own && read(to[0], &c, 1) == 0 ? 0 : 3);
    }
    (void)close(to[0]);
    (void)close(from[1]);
    assert_int_equal(read(from[0], port, sizeof *port), sizeof *port);
    (void)close(from[0]);
    *stop = to[1];
    return pid;
}

static void what_was_fetched_is_not_left_in_memory(void **state)
{
    (void)state;
    identity id;
    make_identity(&id, "IP:127.0.0.1", -60, 3600);
    for (int tls = 0; tls < 2; tls++) {
        unsigned port;
        int stop, status = 0;
        pid_t pid = start_server(tls ? &id : NULL, &port, &stop);
        char url[64];
        (void)snprintf(url, sizeof url, "%s://127.0.0.1:%u/", tls ? "https" : "http", port);
        vs_http_client *c = NULL;
        vs_error err = {0};
        vs_buf body = VS_BUF(1 << 20);
        const vs_http_call call = {.method = "GET", .url = url};
        const vs_http_client_config cfg = {.ca_file = id.cert};
        assert_vs_ok(vs_http_client_new(&cfg, &c, &err), &err);
        assert_vs_ok(vs_http_client_do(c, &call, &status, &body, &err), &err);
        assert_int_equal(status, 200);
        assert_true(count_in(body.p, body.n) > 0);
        vs_buf_free(&body);
        vs_http_client_free(&c);
        size_t found = count_in_memory();
        (void)close(stop);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (found)
            fail_msg("%zu pieces over %s", found, tls ? "TLS" : "plain text");
    }
    remove_identity(&id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_search_finds_what_is_there),
        cmocka_unit_test(what_was_uploaded_is_not_left_in_memory),
        cmocka_unit_test(what_was_fetched_is_not_left_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
