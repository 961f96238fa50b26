/* SPDX-License-Identifier: Apache-2.0 */
/* The table of sources, and a server that asks it. */
#include "wire.h"

#include <netinet/tcp.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "net/identity.h"
#include "net/sources.h"

enum { SECOND = 1000000000 };

static vs_ip ip_of(const char *text)
{
    vs_ip ip;
    assert_true(vs_ip_parse(vs_str(text), &ip));
    return ip;
}

static vs_sources *table(vs_source_limits limits)
{
    vs_sources *s = NULL;
    vs_error err = {0};
    assert_vs_ok(vs_sources_new(100, &s, &err), &err);
    vs_sources_limit(s, limits);
    return s;
}

static void a_bucket_empties_and_fills(void **state)
{
    (void)state;
    vs_sources *s = table((vs_source_limits){.rate = 10, .burst = 5});
    vs_ip a = ip_of("192.0.2.1"), b = ip_of("192.0.2.2");
    int64_t now = 1000 * (int64_t)SECOND;
    for (int i = 0; i < 5; i++)
        assert_true(vs_sources_request(s, a, now));
    assert_false(vs_sources_request(s, a, now));
    assert_true(vs_sources_request(s, b, now)); /* another source has its own */
    assert_false(vs_sources_request(s, a, now + SECOND / 10 - 1));
    assert_true(vs_sources_request(s, a, now + SECOND / 10));
    assert_false(vs_sources_request(s, a, now + SECOND / 10));
    int taken = 0;
    for (int i = 0; i < 1000; i++) /* 10 s of hammering: the burst that was saved, and the rate */
        taken += vs_sources_request(s, a, now + 2 * (int64_t)SECOND + i * (int64_t)SECOND / 100);
    assert_in_range(taken, 100, 105);
    assert_true(vs_sources_request(s, b, now - 5 * (int64_t)SECOND)); /* a clock that goes back */
    vs_sources_limit(s, (vs_source_limits){0});
    for (int i = 0; i < 100; i++)
        assert_true(vs_sources_request(s, a, now));
    vs_sources_free(&s);
}

static void a_source_of_ipv6_is_its_64(void **state)
{
    (void)state;
    vs_sources *s = table((vs_source_limits){.rate = 1, .burst = 1, .connections = 1});
    assert_true(vs_sources_request(s, ip_of("2001:db8::1"), SECOND));
    assert_false(vs_sources_request(s, ip_of("2001:db8::ffff:ffff:ffff:ffff"), SECOND));
    assert_true(vs_sources_request(s, ip_of("2001:db8:0:1::1"), SECOND));
    assert_true(vs_sources_enter(s, ip_of("2001:db8::1"), SECOND));
    assert_false(vs_sources_enter(s, ip_of("2001:db8::2"), SECOND));
    assert_true(vs_sources_enter(s, (vs_ip){0}, SECOND)); /* not known: no limits */
    assert_true(vs_sources_enter(s, (vs_ip){0}, SECOND));
    vs_sources_free(&s);
}

static void connections_are_counted(void **state)
{
    (void)state;
    vs_sources *s = table((vs_source_limits){.connections = 2});
    vs_ip a = ip_of("192.0.2.1");
    assert_true(vs_sources_enter(s, a, 1) && vs_sources_enter(s, a, 1));
    assert_false(vs_sources_enter(s, a, 1));
    vs_sources_leave(s, a);
    assert_true(vs_sources_enter(s, a, 1));
    for (int i = 0; i < 5; i++)
        vs_sources_leave(s, a);
    assert_true(vs_sources_enter(s, a, 1) && vs_sources_enter(s, a, 1));
    assert_false(vs_sources_enter(s, a, 1));
    vs_sources_free(&s);
}

/* More sources than places: those with connections stay counted, and no newcomer is refused. */
static void a_flood_of_sources_does_not_push_out_connections(void **state)
{
    (void)state;
    vs_sources *s = table((vs_source_limits){.rate = 1, .burst = 1, .connections = 1});
    vs_ip a = ip_of("192.0.2.1"), other = ip_of("198.51.100.0");
    assert_true(vs_sources_enter(s, a, 1));
    for (unsigned i = 0; i < 100000; i++) {
        other.b[13] = (uint8_t)(i >> 16);
        other.b[14] = (uint8_t)(i >> 8);
        other.b[15] = (uint8_t)i;
        assert_true(vs_sources_request(s, other, i));
    }
    assert_false(vs_sources_enter(s, a, 2));
    vs_sources_leave(s, a);
    assert_true(vs_sources_enter(s, a, 3));
    vs_sources_free(&s);
}

/* ---- a server ----------------------------------------------------------------------------------
 */

static void say_peer(void *user, const vs_http_request *req, vs_http_response *resp)
{
    (void)user;
    vs_buf_put(&resp->body, req->peer);
}

static vs_http_server *serve_with(vs_http_config cfg)
{
    cfg.sockets = any_port;
    cfg.n_sockets = 1;
    cfg.threads = 1;
    cfg.handler = say_peer;
    vs_http_server *s = NULL;
    vs_error err = {0};
    assert_vs_ok(vs_http_server_start(&cfg, &s, &err), &err);
    return s;
}

#define GET "GET / HTTP/1.1\r\nHost: h\r\n"

static void a_source_over_its_rate_gets_429(void **state)
{
    (void)state;
    vs_http_server *s = serve_with((vs_http_config){.per_source = {.rate = 1, .burst = 4}});
    int fd = dial(s);
    bool closed;
    int ok = 0, over = 0;
    for (int i = 0; i < 6; i++) {
        say(fd, GET "\r\n");
        const char *answer = hear_until(fd, 1000, true, &closed);
        ok += status_of(answer) == 200;
        over += status_of(answer) == 429 && strstr(answer, "Retry-After: 1\r\n");
    }
    assert_int_equal(ok, 3); /* the connection was one */
    assert_int_equal(over, 3);
    (void)close(fd);
    vs_http_server_limit_sources(s, (vs_source_limits){0});
    assert_int_equal(status_of(ask(s, GET "\r\n")), 200);
    vs_http_server_stop(&s, 100);
}

static void a_source_over_its_connections_is_cut(void **state)
{
    (void)state;
    vs_http_server *s = serve_with((vs_http_config){.per_source = {.connections = 2}});
    bool closed;
    int fds[3];
    for (int i = 0; i < 3; i++) {
        fds[i] = dial(s);
        (void)send(fds[i], GET "\r\n", sizeof GET + 1, MSG_NOSIGNAL);
        assert_int_equal(status_of(hear_until(fds[i], 1000, true, &closed)), i < 2 ? 200 : 0);
        assert_int_equal(closed, i == 2);
    }
    (void)close(fds[0]);
    (void)usleep(50000);
    assert_int_equal(status_of(ask(s, GET "\r\n")), 200);
    (void)close(fds[1]);
    (void)close(fds[2]);
    vs_http_server_stop(&s, 100);
}

static void only_a_trusted_proxy_is_believed(void **state)
{
    (void)state;
    static const struct {
        const char *range, *header, *peer; /* NULL = 400 */
    } cases[] = {
        {"127.0.0.0/8", "Forwarded: for=192.0.2.7\r\n", "192.0.2.7"},
        {"127.0.0.0/8", "X-Forwarded-For: 6.6.6.6, 192.0.2.7\r\n", "192.0.2.7"},
        {"10.0.0.0/8", "Forwarded: for=192.0.2.7\r\n", "127.0.0.1:"},
        {"10.0.0.0/8", "Forwarded: nonsense\r\n", "127.0.0.1:"},
        {"127.0.0.0/8", "Forwarded: nonsense\r\n", NULL},
        {"127.0.0.0/8", "Forwarded: for=1.1.1.1\r\nX-Forwarded-For: 1.1.1.1\r\n", NULL},
        {"127.0.0.0/8", "", "127.0.0.1:"},
    };
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        vs_cidr range;
        char request[256];
        assert_vs_code(vs_cidr_parse(cases[i].range, &range, NULL), VS_OK);
        vs_http_server *s =
            serve_with((vs_http_config){.trusted_proxies = &range, .n_trusted_proxies = 1});
        (void)snprintf(request, sizeof request, GET "%s\r\n", cases[i].header);
        const char *answer = ask(s, request);
        assert_int_equal(status_of(answer), cases[i].peer ? 200 : 400);
        if (cases[i].peer)
            assert_int_equal(strncmp(body_of(answer), cases[i].peer, strlen(cases[i].peer)), 0);
        vs_http_server_stop(&s, 100);
    }
}

/* The rate is that of the client that the proxy names, not the proxy's. */
static void clients_behind_a_proxy_are_told_apart(void **state)
{
    (void)state;
    vs_cidr range;
    assert_vs_code(vs_cidr_parse("127.0.0.1", &range, NULL), VS_OK);
    vs_http_server *s = serve_with((vs_http_config){
        .trusted_proxies = &range, .n_trusted_proxies = 1, .per_source = {.rate = 1, .burst = 1}});
    assert_int_equal(status_of(ask(s, GET "X-Forwarded-For: 192.0.2.1\r\n\r\n")), 200);
    assert_int_equal(status_of(ask(s, GET "X-Forwarded-For: 192.0.2.1\r\n\r\n")), 429);
    assert_int_equal(status_of(ask(s, GET "X-Forwarded-For: 192.0.2.2\r\n\r\n")), 200);
    vs_http_server_stop(&s, 100);
}

static const uint8_t proxy_header[] = {0x0d, 0x0a, 0x0d, 0x0a, 0,    0x0d, 0x0a, 'Q', 'U', 'I',
                                       'T',  0x0a, 0x21, 0x11, 0,    12,   192,  0,   2,   9,
                                       127,  0,    0,    1,    0x12, 0x67, 0,    80};

static void a_proxy_header_comes_first(void **state)
{
    (void)state;
    vs_cidr range;
    bool closed;
    assert_vs_code(vs_cidr_parse("127.0.0.1", &range, NULL), VS_OK);
    vs_http_server *s = serve_with((vs_http_config){.trusted_proxies = &range,
                                                    .n_trusted_proxies = 1,
                                                    .proxy_protocol = true,
                                                    .limits = {.request_ms = 600}});
    for (size_t cut = 0; cut <= sizeof proxy_header; cut += 7) { /* in two pieces */
        int fd = dial(s);
        (void)send(fd, proxy_header, cut, MSG_NOSIGNAL);
        (void)usleep(3000);
        (void)send(fd, proxy_header + cut, sizeof proxy_header - cut, MSG_NOSIGNAL);
        say(fd, GET "X-Forwarded-For: 6.6.6.6\r\n\r\n");
        const char *answer = hear_until(fd, 1000, true, &closed);
        assert_string_equal(body_of(answer), "192.0.2.9:4711");
        (void)close(fd);
    }
    assert_int_equal(status_of(ask(s, GET "\r\n")), 0); /* without one */
    int fd = dial(s);                                   /* half of one, then nothing */
    (void)send(fd, proxy_header, 20, MSG_NOSIGNAL);
    int64_t begin = clock_ms();
    (void)hear(fd, 5000, &closed);
    assert_true(closed && clock_ms() - begin < 2000);
    (void)close(fd);
    vs_http_server_stop(&s, 100);
    assert_vs_code(vs_cidr_parse("10.0.0.1", &range, NULL), VS_OK);
    s = serve_with((vs_http_config){
        .trusted_proxies = &range, .n_trusted_proxies = 1, .proxy_protocol = true});
    fd = dial(s); /* a stranger */
    (void)send(fd, proxy_header, sizeof proxy_header, MSG_NOSIGNAL);
    (void)send(fd, GET "\r\n", sizeof GET + 1, MSG_NOSIGNAL);
    assert_int_equal(status_of(hear(fd, 500, &closed)), 0);
    assert_true(closed);
    (void)close(fd);
    vs_http_server_stop(&s, 100);
}

/* The header and the first bytes of TLS in one segment: nothing of the handshake is lost. */
static void tls_begins_behind_the_proxy_header(void **state)
{
    (void)state;
    identity id;
    vs_cidr range;
    int on = 1;
    make_identity(&id, "IP:127.0.0.1", -60, 3600);
    assert_vs_code(vs_cidr_parse("127.0.0.1", &range, NULL), VS_OK);
    vs_http_server *s = serve_with((vs_http_config){.trusted_proxies = &range,
                                                    .n_trusted_proxies = 1,
                                                    .proxy_protocol = true,
                                                    .private_key = id.key,
                                                    .certificate = id.cert});
    int fd = dial(s);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
    (void)send(fd, proxy_header, sizeof proxy_header, MSG_NOSIGNAL);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    assert_true(ssl && SSL_set_fd(ssl, fd) == 1);
    assert_int_equal(SSL_connect(ssl), 1);
    char answer[1024] = "";
    size_t n = 0;
    assert_int_equal(SSL_write(ssl, GET "\r\n", sizeof GET + 1), (int)sizeof GET + 1);
    assert_int_equal(SSL_read_ex(ssl, answer, sizeof answer - 1, &n), 1);
    assert_string_equal(body_of(answer), "192.0.2.9:4711");
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    (void)close(fd);
    vs_http_server_stop(&s, 100);
    remove_identity(&id);
}

/* One byte every 50 ms: the deadline is that of the whole request. */
static void a_slow_drip_is_cut_at_the_deadline(void **state)
{
    (void)state;
    vs_http_server *s = serve_with((vs_http_config){.limits = {.request_ms = 800}});
    int fd = dial(s);
    int64_t begin = clock_ms();
    struct pollfd p = {.fd = fd, .events = POLLIN};
    static const char request[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999\r\n\r\nx";
    for (size_t i = 0; clock_ms() - begin < 5000 && poll(&p, 1, 50) == 0; i++)
        (void)send(fd, i < sizeof request - 1 ? &request[i] : "x", 1, MSG_NOSIGNAL);
    int64_t took = clock_ms() - begin;
    assert_in_range(took, 800, 800 + 600);
    bool closed;
    assert_int_equal(status_of(hear(fd, 100, &closed)), 408);
    print_message("a byte every 50 ms: cut after %lld ms, deadline 800 ms\n", (long long)took);
    (void)close(fd);
    vs_http_server_stop(&s, 100);
}

/* Large requests that do not end: those over what all may hold are refused, small ones go on. */
static void all_requests_together_hold_so_much(void **state)
{
    (void)state;
    enum { PART = 400 * 1024 };
    vs_http_server *s =
        serve_with((vs_http_config){.limits = {.held_bytes = 1000 * 1024, .request_ms = 5000}});
    static const char head[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n";
    static char part[PART];
    bool closed;
    int fds[3];
    for (int i = 0; i < 3; i++) {
        fds[i] = dial(s);
        say(fds[i], head);
        for (size_t at = 0; at < PART;) {
            ssize_t n = send(fds[i], part + at, PART - at, MSG_NOSIGNAL);
            if (n <= 0)
                break;
            at += (size_t)n;
        }
        const char *answer = hear_until(fds[i], i < 2 ? 100 : 1000, true, &closed);
        assert_int_equal(status_of(answer), i < 2 ? 0 : 503);
    }
    assert_int_equal(status_of(ask(s, GET "\r\n")), 200);
    (void)close(fds[2]);
    (void)close(fds[0]); /* makes room */
    (void)usleep(50000);
    fds[0] = dial(s);
    say(fds[0], head);
    for (size_t sent = 0; sent < 500000;) {
        size_t n = 500000 - sent < PART ? 500000 - sent : PART;
        ssize_t took = send(fds[0], part, n, MSG_NOSIGNAL);
        assert_true(took > 0);
        sent += (size_t)took;
    }
    assert_int_equal(status_of(hear_until(fds[0], 1000, true, &closed)), 200);
    (void)close(fds[0]);
    (void)close(fds[1]);
    vs_http_server_stop(&s, 100);
}

static void a_socket_may_be_given(void **state)
{
    (void)state;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    vs_http_config cfg = {.fds = &fd, .n_fds = 1, .threads = 2, .handler = say_peer};
    vs_http_server *s = NULL;
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_vs_code(vs_http_server_start(&cfg, &s, NULL), VS_E_INVALID); /* does not listen */
    assert_int_equal(listen(fd, 16), 0);
    vs_error err = {0};
    assert_vs_ok(vs_http_server_start(&cfg, &s, &err), &err);
    for (int i = 0; i < 8; i++)
        assert_int_equal(status_of(ask(s, GET "\r\n")), 200);
    vs_http_server_stop(&s, 100);
}

static void a_request_has_an_id(void **state)
{
    (void)state;
    vs_http_server *s = serve_with((vs_http_config){0});
    const char *answer = ask(s, GET "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-"
                                    "00f067aa0ba902b7-01\r\n\r\n");
    assert_non_null(strstr(answer, "\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-"));
    assert_null(strstr(answer, "00f067aa0ba902b7"));
    answer = ask(s, GET "\r\n");
    assert_non_null(strstr(answer, "\r\ntraceparent: 00-"));
    vs_http_server_stop(&s, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_empties_and_fills),
        cmocka_unit_test(a_source_of_ipv6_is_its_64),
        cmocka_unit_test(connections_are_counted),
        cmocka_unit_test(a_flood_of_sources_does_not_push_out_connections),
        cmocka_unit_test(a_source_over_its_rate_gets_429),
        cmocka_unit_test(a_source_over_its_connections_is_cut),
        cmocka_unit_test(only_a_trusted_proxy_is_believed),
        cmocka_unit_test(clients_behind_a_proxy_are_told_apart),
        cmocka_unit_test(a_proxy_header_comes_first),
        cmocka_unit_test(tls_begins_behind_the_proxy_header),
        cmocka_unit_test(a_slow_drip_is_cut_at_the_deadline),
        cmocka_unit_test(all_requests_together_hold_so_much),
        cmocka_unit_test(a_socket_may_be_given),
        cmocka_unit_test(a_request_has_an_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
