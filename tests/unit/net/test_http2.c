/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2 on the server, frame by frame. */
#include "h2.h"

#include <pthread.h>

/* "<method> <path>?<query> <host> <cookie> <body length>:<body>" */
static void echo(void *user, const vs_http_request *req, vs_http_response *resp)
{
    (void)user;
    vs_span host = vs_http_header(req, "Host"), cookie = vs_http_header(req, "Cookie");
    resp->content_type = "text/plain";
    if (vs_span_is(req->path, "/large")) {
        uint8_t *p = vs_buf_reserve(&resp->body, 1 << 20);
        if (p)
            memset(p, 'x', 1 << 20);
        return;
    }
    vs_buf_printf(&resp->body, "%d %.*s?%.*s %.*s %.*s %zu:", (int)req->method, VS_FMT(req->path),
                  VS_FMT(req->query), VS_FMT(host), VS_FMT(cookie), req->body.n);
    vs_buf_put(&resp->body, vs_span_head(req->body, 100));
    vs_http_add_header(resp, "X-Mixed-Case", "v");
}

static void ordinary_requests_reach_the_same_handler(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){0});
    h2 c = h2_dial(s);
    h2_headers(&c, 1, H2_END_HEADERS, H2_POST("/a?b=c"), "cookie", "x=1", "cookie", "y=2", NULL);
    h2_frame(&c, H2_DATA, 0, 1, "hel", 3);
    h2_headers(&c, 3, H2_END_HEADERS | H2_END_STREAM, ":method", "GET", ":scheme", "http", ":path",
               "/", "host", "other", NULL);
    h2_answer a = h2_hear(&c, 3, 1000);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "0 /? other  0:");
    h2_frame(&c, H2_DATA, H2_END_STREAM, 1, "lo", 2);
    a = h2_hear(&c, 1, 1000);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "1 /a?b=c h x=1; y=2 5:hello");
    h2_headers(&c, 5, H2_END_HEADERS | H2_END_STREAM, ":method", "HEAD", ":scheme", "http",
               ":authority", "h", ":path", "/", NULL);
    a = h2_hear(&c, 5, 1000);
    assert_true(a.status == 200 && a.body_n == 0 && a.ended);
    assert_int_equal(status_of(ask(s, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")), 200); /* as before */
    h2_hang_up(&c);
    vs_http_server_stop(&s, 1000);
}

static void the_preface_may_come_byte_by_byte_but_only_first(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){0});
    h2 c = {.fd = dial(s)};
    bool closed;
    for (const char *p = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"; *p; p++) {
        struct timespec t = {.tv_nsec = 1000000};
        say(c.fd, (char[]){*p, 0});
        (void)nanosleep(&t, NULL);
    }
    h2_frame(&c, H2_SETTINGS, 0, 0, NULL, 0);
    assert_true(h2_wait(&c, H2_SETTINGS, 1000));
    (void)close(c.fd);
    assert_int_equal(status_of(ask(s, "PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n")), 505);
    int fd = dial(s);
    say(fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(status_of(hear_until(fd, 500, true, &closed)), 200);
    say(fd, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert_int_equal(status_of(hear_until(fd, 500, true, &closed)), 505);
    (void)close(fd);
    vs_http_server_stop(&s, 1000);
}

static void limits_of_size_hold(void **state)
{
    (void)state;
    static char big[1200], kilo[1024];
    memset(big, 'b', sizeof big - 1);
    vs_http_server *s =
        serve(echo, NULL, (vs_http_limits){.header_bytes = 1000, .body_bytes = 1500});
    h2 c = h2_dial(s);
    h2_headers(&c, 1, H2_END_HEADERS, H2_POST("/"), "x", big, NULL);
    assert_int_equal(h2_hear(&c, 1, 1000).status, 431);
    h2_headers(&c, 3, H2_END_HEADERS, H2_POST("/"), NULL);
    h2_frame(&c, H2_DATA, 0, 3, kilo, sizeof kilo);
    h2_frame(&c, H2_DATA, 0, 3, kilo, sizeof kilo);
    h2_answer a = h2_hear(&c, 3, 1000);
    assert_int_equal(a.status, 413);
    assert_string_equal(a.body, "413 Payload Too Large\n");
    assert_true(h2_wait(&c, H2_RST, 1000)); /* asks to stop sending */
    assert_int_equal(h2_u32(c.payload), 0);
    /* Trailers count too, and are not fields of the request. */
    h2_headers(&c, 5, H2_END_HEADERS, H2_POST("/"), NULL);
    h2_headers(&c, 5, H2_END_HEADERS | H2_END_STREAM, "host", "evil", NULL);
    assert_string_equal(h2_hear(&c, 5, 1000).body, "1 /? h  0:");
    h2_headers(&c, 7, H2_END_HEADERS, H2_POST("/"), NULL);
    h2_headers(&c, 7, H2_END_HEADERS | H2_END_STREAM, "x", big, NULL);
    assert_int_equal(h2_hear(&c, 7, 1000).status, 431);
    /* Many bodies at a time on one connection. */
    bool refused = false;
    for (int32_t id = 9; id < 9 + 2 * 12; id += 2) {
        h2_headers(&c, id, H2_END_HEADERS, H2_POST("/"), NULL);
        h2_frame(&c, H2_DATA, 0, id, kilo, sizeof kilo);
    }
    while (!refused && h2_wait(&c, H2_HEADERS, 500)) {
        h2_answer any = {0};
        h2_unpack(&c, &any);
        refused = any.status == 503;
    }
    assert_true(refused);
    h2_hang_up(&c);
    vs_http_server_stop(&s, 1000);
}

static void malformed_requests_are_refused_and_the_connection_lives(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){0});
    h2 c = h2_dial(s);
    static const char *const bad[][8] = {
        {":method", "GET", ":scheme", "http", ":path", "/", "Upper", "x"},
        {":method", "GET", ":scheme", "http", ":path", "/", "connection", "close"},
        {":method", "GET", ":scheme", "http", ":path", "/", "x", "a\r\nb"},
        {":method", "GET", ":scheme", "http", ":path", "/", ":path", "/b"},
        {":method", "GET", ":scheme", "http", ":path", "/", "te", "gzip"},
        {":method", "GET", ":scheme", "http", "x", "y", ":path", "/"},
        {":method", "GET", ":scheme", "http", "x", "y", "z", "z"},
        {":method", "GET", ":scheme", "http", ":path", "no-slash", "z", "z"},
        {":method", "GET", ":scheme", "http", ":path", "/a b", "z", "z"},
        {":method", "GET", ":scheme", "http", ":path", "/a#b", "z", "z"},
        {":method", "CONNECT", ":authority", "h:1", "x", "y", "z", "z"},
        {":method", "GET", ":scheme", "http", ":path", "http://evil.example/", "z", "z"},
    };
    int32_t id = 1;
    for (size_t i = 0; i < VS_COUNT(bad); i++, id += 2) {
        const char *const *f = bad[i];
        h2_headers(&c, id, H2_END_HEADERS | H2_END_STREAM, f[0], f[1], f[2], f[3], f[4], f[5], f[6],
                   f[7], NULL);
        h2_answer a = h2_hear(&c, id, 1000);
        assert_true(a.status == 400 || (a.status == -1 && a.reset));
    }
    /* A host that is not the authority, or two of them. */
    static const char *const hosts[][2] = {{"a", "b"}, {"a:1", "a"}, {"", "a"}};
    for (size_t i = 0; i < VS_COUNT(hosts); i++, id += 2) {
        h2_headers(&c, id, H2_END_HEADERS | H2_END_STREAM, ":method", "GET", ":scheme", "http",
                   ":authority", hosts[i][0], ":path", "/", "host", hosts[i][1], NULL);
        h2_answer a = h2_hear(&c, id, 1000);
        assert_true(a.status == 400 || (a.status == -1 && a.reset));
    }
    h2_headers(&c, id, H2_END_HEADERS | H2_END_STREAM, ":method", "GET", ":scheme", "http", ":path",
               "/", "host", "a", "host", "a", NULL);
    h2_answer two = h2_hear(&c, id, 1000);
    assert_true(two.status == 400 || (two.status == -1 && two.reset));
    id += 2;
    h2_headers(&c, id, H2_END_HEADERS | H2_END_STREAM, ":method", "GET", ":scheme", "http",
               ":authority", "A:1", ":path", "/", "host", "a:1", NULL);
    assert_int_equal(h2_hear(&c, id, 1000).status, 200);
    id += 2;
    h2_headers(&c, id, H2_END_HEADERS, H2_POST("/"), "content-length", "3", NULL);
    h2_frame(&c, H2_DATA, H2_END_STREAM, id, "four", 4);
    h2_answer a = h2_hear(&c, id, 1000);
    assert_true(a.reset && a.status == -1);
    h2_headers(&c, id + 2, H2_END_HEADERS | H2_END_STREAM, H2_POST("/"), NULL);
    assert_int_equal(h2_hear(&c, id + 2, 1000).status, 200);
    h2_hang_up(&c);
    vs_http_server_stop(&s, 1000);
}

static void deadlines_hold_per_stream(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){.request_ms = 200, .idle_ms = 400});
    h2 c = h2_dial(s);
    int64_t begin = clock_ms();
    h2_headers(&c, 1, H2_END_HEADERS, H2_POST("/slow"), NULL);
    h2_frame(&c, H2_DATA, 0, 1, "a", 1);
    h2_headers(&c, 3, H2_END_HEADERS | H2_END_STREAM, H2_POST("/"), NULL);
    assert_int_equal(h2_hear(&c, 3, 1000).status, 200);
    assert_int_equal(h2_hear(&c, 1, 1000).status, 408);
    assert_in_range(clock_ms() - begin, 190, 600);
    assert_int_equal(h2_goaway(&c, 2000), 0); /* idle: said goodbye */
    h2_hang_up(&c);
    /* Says nothing after the preface; PINGs do not make it less idle. */
    c = h2_dial(s);
    begin = clock_ms();
    for (int i = 0; i < 100 && clock_ms() - begin < 2000; i++) {
        h2_frame(&c, H2_PING, 0, 0, "12345678", 8);
        if (h2_goaway(&c, 20) >= 0)
            break;
    }
    assert_in_range(clock_ms() - begin, 150, 1000);
    h2_hang_up(&c);
    vs_http_server_stop(&s, 1000);
}

static void a_response_waits_for_the_window_and_not_for_ever(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){.request_ms = 400});
    h2 c = h2_dial(s);
    static const uint8_t more[] = {0, 16, 0, 0};
    h2_headers(&c, 1, H2_END_HEADERS | H2_END_STREAM, H2_POST("/large"), NULL);
    size_t got = 0;
    h2_answer head = {0};
    for (bool asked = false, end = false; !end && h2_next(&c, 1000);) {
        if (c.type == H2_HEADERS)
            h2_unpack(&c, &head);
        if (c.type == H2_DATA && c.id == 1) {
            got += c.n;
            end = c.flags & H2_END_STREAM;
        }
        if (got == 65535 && !asked) {
            asked = true;
            h2_frame(&c, H2_WINDOW, 0, 0, more, 4);
            h2_frame(&c, H2_WINDOW, 0, 1, more, 4);
        }
    }
    assert_int_equal(got, 1 << 20);
    h2_headers(&c, 3, H2_END_HEADERS | H2_END_STREAM, H2_POST("/large"), NULL);
    h2_answer a = h2_hear(&c, 3, 2000); /* the connection's window is nearly closed */
    assert_true(a.reset && !a.ended);
    h2_hang_up(&c);
    vs_http_server_stop(&s, 1000);
}

/* ---- floods ---------------------------------------------------------------------------------- */

/* True when the server ended the connection while `say_it` repeated itself. */
static bool is_cut(vs_http_server *s, void (*say_it)(h2 *c, int i), int times)
{
    h2 c = h2_dial(s);
    bool cut = false;
    for (int i = 0; i < times && !cut; i++) {
        say_it(&c, i);
        struct pollfd p = {.fd = c.fd, .events = POLLIN};
        while (!cut && poll(&p, 1, 0) > 0)
            cut = !h2_next(&c, 100) || c.type == H2_GOAWAY;
    }
    cut = cut || h2_goaway(&c, 300) >= 0 || c.closed;
    h2_hang_up(&c);
    return cut;
}

static void reset_at_once(h2 *c, int i)
{
    static const uint8_t cancel[] = {0, 0, 0, 8};
    h2_headers(c, 2 * i + 1, H2_END_HEADERS | H2_END_STREAM, H2_POST("/"), NULL);
    h2_frame(c, H2_RST, 0, 2 * i + 1, cancel, 4);
}

static void be_reset(h2 *c, int i)
{
    static const uint8_t zero[] = {0, 0, 0, 0};
    h2_headers(c, 2 * i + 1, H2_END_HEADERS, H2_POST("/"), NULL);
    h2_frame(c, H2_WINDOW, 0, 2 * i + 1, zero, 4); /* an error of the stream */
}

static void ping(h2 *c, int i)
{
    (void)i;
    h2_frame(c, H2_PING, 0, 0, "12345678", 8);
}

static void settings(h2 *c, int i)
{
    (void)i;
    h2_frame(c, H2_SETTINGS, 0, 0, NULL, 0);
}

static void priority(h2 *c, int i)
{
    h2_frame(c, H2_PRIORITY, 0, 2 * i + 1, "\0\0\0\0\1", 5);
}

static void empty_data(h2 *c, int i)
{
    if (i == 0)
        h2_headers(c, 1, H2_END_HEADERS, H2_POST("/"), NULL);
    h2_frame(c, H2_DATA, 0, 1, NULL, 0);
}

static void endless_headers(h2 *c, int i)
{
    if (i == 0)
        h2_headers(c, 1, 0, H2_POST("/"), NULL);
    h2_frame(c, H2_CONTINUATION, 0, 1, "\0\1a\1b", 5);
}

static void streams_that_stay_open(h2 *c, int i)
{
    h2_headers(c, 2 * i + 1, H2_END_HEADERS, H2_POST("/"), NULL);
}

static void floods_end_the_connection(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){0});
    assert_true(is_cut(s, reset_at_once, 20000));
    assert_true(is_cut(s, be_reset, 20000));
    assert_true(is_cut(s, ping, 20000));
    assert_true(is_cut(s, settings, 20000));
    assert_true(is_cut(s, priority, 20000));
    assert_true(is_cut(s, empty_data, 20000));
    assert_true(is_cut(s, endless_headers, 50));
    assert_int_equal(status_of(ask(s, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")), 200);
    vs_http_server_stop(&s, 1000);
}

static void what_an_honest_client_does_is_no_flood(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){0});
    assert_false(is_cut(s, ping, 200));
    assert_false(is_cut(s, reset_at_once, 200));
    vs_http_server_stop(&s, 1000);
}

static void streams_over_the_limit_are_refused(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){.streams = 3});
    h2 c = h2_dial(s);
    for (int i = 0; i < 4; i++)
        streams_that_stay_open(&c, i);
    h2_answer a = h2_hear(&c, 7, 1000);
    assert_true(a.reset && a.reset_code == 7); /* REFUSED_STREAM */
    h2_frame(&c, H2_DATA, H2_END_STREAM, 1, "x", 1);
    assert_int_equal(h2_hear(&c, 1, 1000).status, 200);
    h2_hang_up(&c);
    vs_http_server_stop(&s, 1000);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void *stop_it(void *server)
{
    vs_http_server *s = server;
    vs_http_server_stop(&s, 3000);
    return NULL;
}

static void a_stop_says_goaway_and_answers_open_streams(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){0});
    h2 c = h2_dial(s);
    h2_headers(&c, 1, H2_END_HEADERS, H2_POST("/"), NULL);
    h2_frame(&c, H2_PING, 0, 0, "12345678", 8);
    assert_true(h2_wait(&c, H2_PING, 1000)); /* it has seen stream 1 */
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, stop_it, s), 0);
    assert_int_equal(h2_goaway(&c, 1000), 0);
    assert_int_equal(h2_u32(c.payload), 1); /* the last stream that counts */
    h2_headers(&c, 3, H2_END_HEADERS | H2_END_STREAM, H2_POST("/late"), NULL);
    h2_frame(&c, H2_DATA, H2_END_STREAM, 1, "x", 1);
    h2_answer a = h2_hear(&c, 1, 1000);
    assert_string_equal(a.body, "1 /? h  1:x");
    int64_t begin = clock_ms();
    (void)pthread_join(t, NULL);
    assert_in_range(clock_ms() - begin, 0, 1000);
    h2_hang_up(&c);
}

static void no_bytes_bring_it_down(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){.request_ms = 500});
    srand(1);
    for (int round = 0; round < 300; round++) {
        h2 c = h2_dial(s);
        for (int i = 0; i < 20; i++) {
            uint8_t junk[64];
            for (size_t j = 0; j < sizeof junk; j++)
                junk[j] = (uint8_t)rand();
            if (i % 3 == 0)
                h2_headers(&c, 2 * i + 1, H2_END_HEADERS, H2_POST("/"), NULL);
            h2_frame(&c, (uint8_t)(rand() % 11), (uint8_t)rand(), rand() % 40, junk,
                     (size_t)rand() % sizeof junk);
        }
        h2_hang_up(&c);
    }
    assert_int_equal(status_of(ask(s, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")), 200);
    vs_http_server_stop(&s, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_requests_reach_the_same_handler),
        cmocka_unit_test(the_preface_may_come_byte_by_byte_but_only_first),
        cmocka_unit_test(limits_of_size_hold),
        cmocka_unit_test(malformed_requests_are_refused_and_the_connection_lives),
        cmocka_unit_test(deadlines_hold_per_stream),
        cmocka_unit_test(a_response_waits_for_the_window_and_not_for_ever),
        cmocka_unit_test(floods_end_the_connection),
        cmocka_unit_test(what_an_honest_client_does_is_no_flood),
        cmocka_unit_test(streams_over_the_limit_are_refused),
        cmocka_unit_test(a_stop_says_goaway_and_answers_open_streams),
        cmocka_unit_test(no_bytes_bring_it_down),
    };
    return cmocka_run_group_tests_name("http2", tests, NULL, NULL);
}
