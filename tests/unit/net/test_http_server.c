/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <pthread.h>
#include <sys/resource.h>

#define HEAD_OF(what) what " HTTP/1.1\r\nHost: h\r\n"

/* Answers with "<method> <path>?<query> <body length>:<body>". */
static void echo(void *user, const vs_http_request *req, vs_http_response *resp)
{
    (void)user;
    resp->content_type = "text/plain";
    vs_buf_printf(&resp->body, "%d %.*s?%.*s %zu:", (int)req->method, VS_FMT(req->path),
                  VS_FMT(req->query), req->body.n);
    vs_buf_put(&resp->body, vs_span_head(req->body, 100));
    vs_http_add_header(resp, "X-Peer", vs_sprintf(req->arena, "%.*s", VS_FMT(req->peer)));
    if (vs_span_is(req->path, "/linebreak"))
        vs_http_add_header(resp, "X-Evil", "a\r\nSet-Cookie: b");
}

static void a_get_is_answered_and_the_connection_stays(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){0});
    int fd = dial(s);
    bool closed;
    for (int i = 0; i < 3; i++) {
        say(fd, HEAD_OF("GET /a?b=c") "\r\n");
        const char *answer = hear(fd, 100, &closed);
        assert_int_equal(status_of(answer), 200);
        assert_string_equal(body_of(answer), "0 /a?b=c 0:");
        assert_non_null(strstr(answer, "X-Peer: 127.0.0.1:"));
        assert_non_null(strstr(answer, "Content-Type: text/plain\r\n"));
        assert_non_null(strstr(answer, "\r\nDate: "));
        assert_false(closed);
    }
    assert_null(strstr(ask(s, HEAD_OF("GET /linebreak") "\r\n"), "Set-Cookie"));
    say(fd, HEAD_OF("GET /") "Connection: close\r\n\r\n");
    assert_int_equal(status_of(hear(fd, 500, &closed)), 200);
    assert_true(closed);
    (void)close(fd);
    vs_http_server_stop(&s, 1000);
    assert_null(s);
}

static void bodies_arrive_whole_in_both_codings(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){0});
    assert_string_equal(body_of(ask(s, HEAD_OF("POST /") "Content-Length: 5\r\n\r\nhello")),
                        "1 /? 5:hello");
    assert_string_equal(
        body_of(ask(
            s,
            HEAD_OF("PUT /") "Transfer-Encoding: Chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n")),
        "2 /? 5:hello");
    vs_http_server_stop(&s, 1000);
}

static void a_request_may_come_byte_by_byte(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){0});
    static const char *const texts[] = {
        "\r\n" HEAD_OF("POST /x") "Content-Length: 3\r\n\r\nabc",
        HEAD_OF("POST /x") "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
    };
    for (size_t t = 0; t < VS_COUNT(texts); t++) {
        int fd = dial(s);
        bool closed;
        for (const char *p = texts[t]; *p; p++) {
            say(fd, (char[]){*p, 0});
            struct timespec pause = {.tv_nsec = 200000};
            (void)nanosleep(&pause, NULL);
        }
        assert_string_equal(body_of(hear(fd, 200, &closed)), "1 /x? 3:abc");
        (void)close(fd);
    }
    vs_http_server_stop(&s, 1000);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){0});
    int fd = dial(s);
    bool closed;
    say(fd, HEAD_OF("POST /1") "Content-Length: 2\r\n\r\nAB" HEAD_OF(
                "POST /2") "Transfer-Encoding: chunked\r\n\r\n"
                           "1\r\nC\r\n0\r\n\r\n" HEAD_OF("GET /3") "\r\n"
                                                                   "GET /4 HT");
    const char *answer = hear(fd, 200, &closed);
    assert_int_equal(count_of(answer, "HTTP/1.1 200 OK"), 3);
    const char *one = strstr(answer, "1 /1? 2:AB"), *two = strstr(answer, "1 /2? 1:C"),
               *three = strstr(answer, "0 /3? 0:");
    assert_true(one && two && three && one < two && two < three);
    say(fd, "TP/1.1\r\nHost: h\r\n\r\n");
    assert_non_null(strstr(hear(fd, 200, &closed), "0 /4? 0:"));
    (void)close(fd);
    vs_http_server_stop(&s, 1000);
}

static void a_flood_of_pipelined_requests_from_a_deaf_client_holds_little(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){.request_ms = 1500});
    int fd = dial(s);
    static const char request[] = HEAD_OF("GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") "\r\n";
    size_t sent = 0;
    for (int i = 0; i < 400000; i++) {
        ssize_t n = send(fd, request, sizeof request - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n != (ssize_t)sizeof request - 1)
            break;
        sent += (size_t)n;
    }
    assert_true(sent < 400000 * (sizeof request - 1));                 /* it stopped reading */
    assert_int_equal(status_of(ask(s, HEAD_OF("GET /") "\r\n")), 200); /* and serves others */
    (void)close(fd);
    vs_http_server_stop(&s, 1000);
}

static void head_gets_no_body(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){0});
    const char *answer = ask(s, HEAD_OF("HEAD /") "\r\n");
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, "Content-Length: 7\r\n"));
    assert_string_equal(body_of(answer), "");
    vs_http_server_stop(&s, 1000);
}

static void http10_closes_unless_asked_to_stay(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){0});
    int fd = dial(s);
    bool closed;
    say(fd, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_non_null(strstr(hear(fd, 100, &closed), "Connection: keep-alive"));
    assert_false(closed);
    say(fd, "GET / HTTP/1.0\r\n\r\n");
    assert_int_equal(status_of(hear(fd, 500, &closed)), 200);
    assert_true(closed);
    (void)close(fd);
    vs_http_server_stop(&s, 1000);
}

static void expect_continue_is_answered_before_the_body(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){.body_bytes = 10});
    int fd = dial(s);
    bool closed;
    say(fd, HEAD_OF("POST /") "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    assert_string_equal(hear(fd, 100, &closed), "HTTP/1.1 100 Continue\r\n\r\n");
    say(fd, "ok");
    assert_string_equal(body_of(hear(fd, 100, &closed)), "1 /? 2:ok");
    say(fd,
        HEAD_OF("POST /") "Content-Length: 2\r\nExpect: 100-continue\r\n\r\nhi"); /* did not wait */
    assert_null(strstr(hear(fd, 100, &closed), "100 Continue"));
    say(fd, HEAD_OF("POST /") "Content-Length: 11\r\nExpect: 100-continue\r\n\r\n");
    assert_int_equal(status_of(hear(fd, 100, &closed)), 413);
    (void)close(fd);
    vs_http_server_stop(&s, 1000);
}

static void refuse_kindly(vs_span path, vs_http_response *resp)
{
    if (!vs_span_is(path, "/kind"))
        return;
    vs_buf_clear(&resp->body);
    vs_buf_puts(&resp->body, "kindly");
    resp->content_type = "text/kind";
}

static void a_path_may_refuse_large_bodies_its_own_way(void **state)
{
    (void)state;
    static const char *const sockets[] = {"127.0.0.1:0"};
    vs_http_server *s;
    vs_error err = {0};
    const vs_http_config cfg = {.sockets = sockets,
                                .n_sockets = 1,
                                .threads = 1,
                                .limits = {.body_bytes = 10},
                                .too_large = refuse_kindly,
                                .handler = echo};
    assert_vs_ok(vs_http_server_start(&cfg, &s, &err), &err);
    static const char *const over[] = {
        "Content-Length: 11\r\n\r\n01234567890",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\nworld!\r\n0\r\n\r\n",
    };
    char text[400];
    for (size_t i = 0; i < VS_COUNT(over); i++) {
        (void)snprintf(text, sizeof text, HEAD_OF("POST /kind?x") "%s", over[i]);
        const char *answer = ask(s, text);
        assert_int_equal(status_of(answer), 413);
        assert_non_null(strstr(answer, "413 Payload Too Large\r\n"));
        assert_non_null(strstr(answer, "Content-Type: text/kind\r\n"));
        assert_non_null(strstr(answer, "\r\n\r\nkindly"));
        (void)snprintf(text, sizeof text, HEAD_OF("POST /other") "%s", over[i]);
        assert_non_null(strstr(ask(s, text), "Content-Type: text/plain"));
    }
    vs_http_server_stop(&s, 1000);
}

static void every_status_that_is_given_has_its_phrase(void **state)
{
    (void)state;
    static const int given[] = {200, 201, 202, 204, 400, 401, 403, 404, 405, 406,
                                408, 409, 412, 413, 414, 415, 417, 422, 424, 428,
                                429, 431, 500, 501, 502, 503, 504, 505, 507};
    for (size_t i = 0; i < VS_COUNT(given); i++)
        assert_true(strlen(vs_http_reason(given[i])) > 1);
    assert_string_equal(vs_http_reason(201), "Created");
    assert_string_equal(vs_http_reason(204), "No Content");
    assert_string_equal(vs_http_reason(406), "Not Acceptable");
    assert_string_equal(vs_http_reason(415), "Unsupported Media Type");
    assert_string_equal(vs_http_reason(299), "");
}

static void nothing(void *user, const vs_http_request *req, vs_http_response *resp)
{
    (void)user;
    (void)req;
    resp->status = 204;
}

static void no_content_has_no_length(void **state)
{
    (void)state;
    vs_http_server *s = serve(nothing, NULL, (vs_http_limits){0});
    const char *answer = ask(s, HEAD_OF("GET /") "\r\n");
    assert_non_null(strstr(answer, "HTTP/1.1 204 No Content\r\n"));
    assert_null(strstr(answer, "Content-Length"));
    vs_http_server_stop(&s, 1000);
}

static void bodies_over_the_limit_give_413_as_text(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){.body_bytes = 10});
    static const char *const over[] = {
        HEAD_OF("POST /") "Content-Length: 11\r\n\r\n01234567890",
        HEAD_OF("POST /") "Content-Length: 999999999999999999\r\n\r\n",
        HEAD_OF(
            "POST /") "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\nworld!\r\n0\r\n\r\n",
        HEAD_OF("POST /") "Transfer-Encoding: chunked\r\n\r\nfffffff0\r\n",
    };
    for (size_t i = 0; i < VS_COUNT(over); i++) {
        const char *answer = ask(s, over[i]);
        assert_int_equal(status_of(answer), 413);
        assert_non_null(strstr(answer, "Content-Type: text/plain"));
        assert_non_null(strstr(answer, "Connection: close"));
    }
    assert_string_equal(body_of(ask(s, HEAD_OF("POST /") "Content-Length: 10\r\n\r\n0123456789")),
                        "1 /? 10:0123456789");
    assert_string_equal(
        body_of(ask(
            s, HEAD_OF("POST /") "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n")),
        "1 /? 10:0123456789");
    vs_http_server_stop(&s, 1000);
}

static void a_refusal_survives_a_client_that_goes_on_sending(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){.body_bytes = 10});
    int fd = dial(s);
    bool closed;
    say(fd, HEAD_OF("POST /") "Content-Length: 4000000\r\n\r\n");
    static char piece[4001];
    memset(piece, 'x', sizeof piece - 1);
    for (int i = 0; i < 1000; i++)
        say(fd, piece);
    assert_int_equal(status_of(hear(fd, 300, &closed)), 413);
    (void)close(fd);
    vs_http_server_stop(&s, 1000);
}

static void heads_over_the_limit_give_431(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){.header_bytes = 1000});
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(10000);
    vs_buf_puts(&b, HEAD_OF("GET /") "X: ");
    while (b.n < 2000)
        vs_buf_putc(&b, 'x');
    assert_int_equal(status_of(ask(s, (const char *)b.p)), 431); /* without an end */
    vs_buf_puts(&b, "\r\n\r\n");
    assert_int_equal(status_of(ask(s, (const char *)b.p)), 431);
    vs_http_server_stop(&s, 1000);
}

static void a_large_head_within_the_limit_is_served(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){0});
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(200000);
    vs_buf_puts(&b, HEAD_OF("GET /") "Authorization: Bearer ");
    while (b.n < 120 * 1024)
        vs_buf_putc(&b, 'x');
    vs_buf_puts(&b, "\r\n\r\n");
    assert_int_equal(status_of(ask(s, (const char *)b.p)), 200);
    vs_http_server_stop(&s, 1000);
}

static void smuggling_is_refused_and_the_connection_ends(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){0});
    static const char *const hostile[] = {
        HEAD_OF("POST /") "Content-Length: 4\r\nTransfer-Encoding: "
                          "chunked\r\n\r\n0\r\n\r\n" HEAD_OF("GET /evil") "\r\n",
        HEAD_OF("POST /") "Content-Length: 0\r\nContent-Length: 30\r\n\r\n" HEAD_OF(
            "GET /evil") "\r\n",
        HEAD_OF("POST /") "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" HEAD_OF(
            "GET /evil") "\r\n",
        HEAD_OF("POST /") "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" HEAD_OF(
            "GET /evil") "\r\n",
        HEAD_OF("GET /") "X: y\n\r\n" HEAD_OF("GET /evil") "\r\n",
        "GET / HTTP/1.1\nHost: h\n\nGET /evil HTTP/1.1\nHost: h\n\n",
        HEAD_OF("POST /") "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n" HEAD_OF(
            "GET /evil") "\r\n",
        HEAD_OF("POST /") "Transfer-Encoding: chunked\r\n\r\n0\n\n" HEAD_OF("GET /evil") "\r\n",
    };
    for (size_t i = 0; i < VS_COUNT(hostile); i++) {
        int fd = dial(s);
        bool closed;
        say(fd, hostile[i]);
        const char *answer = hear(fd, 1000, &closed);
        assert_int_equal(status_of(answer), 400);
        assert_int_equal(count_of(answer, "HTTP/1.1 "), 1);
        assert_true(closed);
        (void)close(fd);
    }
    vs_http_server_stop(&s, 1000);
}

static void a_slow_drip_is_cut_at_the_deadline(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){.request_ms = 300});
    static const char *const starts[] = {"G", HEAD_OF("POST /") "Content-Length: 1000\r\n\r\n",
                                         HEAD_OF("POST /") "Transfer-Encoding: chunked\r\n\r\n"};
    static const char *const drips[] = {"a", "a", "1\r\na\r\n"};
    for (size_t i = 0; i < VS_COUNT(starts); i++) {
        int fd = dial(s);
        bool closed = false;
        int64_t start = clock_ms();
        say(fd, starts[i]);
        const char *answer = "";
        while (!answer[0] && !closed && clock_ms() - start < 3000) {
            say(fd, drips[i]);
            answer = hear(fd, 20, &closed);
        }
        int64_t took = clock_ms() - start;
        assert_int_equal(status_of(answer), 408);
        assert_true(took >= 290 && took < 1500);
        (void)close(fd);
    }
    vs_http_server_stop(&s, 1000);
}

static void silent_and_idle_connections_end(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){.request_ms = 200, .idle_ms = 300});
    int silent = dial(s), idle = dial(s);
    bool closed;
    say(idle, HEAD_OF("GET /") "\r\n");
    (void)hear(idle, 100, &closed);
    assert_false(closed);
    assert_string_equal(hear(silent, 1000, &closed), "");
    assert_true(closed);
    assert_string_equal(hear(idle, 1000, &closed), "");
    assert_true(closed);
    (void)close(silent);
    (void)close(idle);
    vs_http_server_stop(&s, 1000);
}

static void connections_over_the_cap_are_refused_and_come_back_later(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){.connections = 3});
    int held[3];
    bool closed;
    for (int i = 0; i < 3; i++) {
        held[i] = dial(s);
        say(held[i], HEAD_OF("GET /") "\r\n");
        assert_int_equal(status_of(hear(held[i], 50, &closed)), 200);
    }
    int extra = dial(s);
    assert_string_equal(hear(extra, 500, &closed), "");
    assert_true(closed);
    (void)close(extra);
    (void)close(held[0]);
    usleep(50000);
    assert_int_equal(status_of(ask(s, HEAD_OF("GET /") "\r\n")), 200);
    (void)close(held[1]);
    (void)close(held[2]);
    vs_http_server_stop(&s, 1000);
}

static void slow(void *user, const vs_http_request *req, vs_http_response *resp)
{
    usleep(200000);
    echo(user, req, resp);
}

static void *stop_later(void *arg)
{
    usleep(50000);
    vs_http_server_stop(arg, 2000);
    return NULL;
}

static void a_stop_answers_what_is_in_flight(void **state)
{
    (void)state;
    vs_http_server *s = serve(slow, NULL, (vs_http_limits){0});
    int idle = dial(s), busy = dial(s), half = dial(s);
    usleep(20000);
    say(half, HEAD_OF("POST /") "Content-Length: 2\r\n\r\n1");
    usleep(20000);
    say(busy, HEAD_OF("GET /") "\r\n");
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, stop_later, &s), 0);
    bool closed;
    const char *answer = hear(busy, 1000, &closed);
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, "Connection: close"));
    assert_true(closed);
    assert_string_equal(hear(idle, 1000, &closed), "");
    assert_true(closed);
    say(half, "2");
    assert_int_equal(status_of(hear(half, 1000, &closed)), 200);
    assert_int_equal(pthread_join(t, NULL), 0);
    (void)close(idle);
    (void)close(busy);
    (void)close(half);
}

static void a_stop_does_not_wait_longer_than_it_was_told(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){0});
    int half = dial(s);
    say(half, "GET /");
    usleep(50000);
    int64_t start = clock_ms();
    vs_http_server_stop(&s, 200);
    assert_true(clock_ms() - start < 1000);
    (void)close(half);
}

static void large(void *user, const vs_http_request *req, vs_http_response *resp)
{
    (void)user;
    (void)req;
    uint8_t *p = vs_buf_reserve(&resp->body, 8 << 20);
    assert_non_null(p);
    memset(p, 'z', 8 << 20);
}

static void a_large_response_reaches_a_slow_reader(void **state)
{
    (void)state;
    vs_http_server *s = serve(large, NULL, (vs_http_limits){0});
    int fd = dial(s);
    say(fd, HEAD_OF("GET /") "Connection: close\r\n\r\n");
    usleep(100000);
    size_t total = 0;
    static char piece[65536];
    for (ssize_t n; (n = recv(fd, piece, sizeof piece, 0)) > 0;)
        total += (size_t)n;
    assert_true(total > 8 << 20);
    (void)close(fd);
    vs_http_server_stop(&s, 1000);
}

static void a_reader_that_never_reads_is_cut(void **state)
{
    (void)state;
    vs_http_server *s = serve(large, NULL, (vs_http_limits){.request_ms = 200, .connections = 1});
    int fd = dial(s);
    say(fd, HEAD_OF("GET /") "\r\n");
    usleep(600000);
    assert_int_equal(status_of(ask(s, HEAD_OF("GET /") "\r\n")), 200); /* its place is free again */
    (void)close(fd);
    vs_http_server_stop(&s, 1000);
}

static void running_out_of_descriptors_is_survived(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){0});
    int late[3], fill[64];
    size_t n = 0;
    for (size_t i = 0; i < VS_COUNT(late); i++)
        late[i] = socket(AF_INET, SOCK_STREAM, 0);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit tight = {.rlim_cur = (rlim_t)late[2] + 1, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    while (n < VS_COUNT(fill) && (fill[n] = dup(late[0])) >= 0) /* the gaps below the limit */
        n++;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)vs_http_server_port(s, 0))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int connected = 0;
    for (size_t i = 0; i < VS_COUNT(late); i++)
        connected +=
            connect(late[i], (struct sockaddr *)&to, sizeof to) == 0; /* queued, not accepted */
    usleep(100000);
    while (n)
        (void)close(fill[--n]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(connected, VS_COUNT(late));
    bool closed;
    for (size_t i = 0; i < VS_COUNT(late); i++) {
        say(late[i], HEAD_OF("GET /") "Connection: close\r\n\r\n");
        assert_int_equal(status_of(hear(late[i], 1000, &closed)), 200);
        (void)close(late[i]);
    }
    vs_http_server_stop(&s, 1000);
}

static void too_large(void *user, const vs_http_request *req, vs_http_response *resp)
{
    (void)user;
    (void)req;
    resp->body.failed = true;
}

static void a_response_that_does_not_fit_is_a_500(void **state)
{
    (void)state;
    vs_http_server *s = serve(too_large, NULL, (vs_http_limits){0});
    assert_int_equal(status_of(ask(s, HEAD_OF("GET /") "\r\n")), 500);
    vs_http_server_stop(&s, 1000);
}

static void a_taken_port_is_an_error_that_names_it(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){0}), *second = NULL;
    char socket_text[40], text[VS_ERROR_TEXT];
    (void)snprintf(socket_text, sizeof socket_text, "127.0.0.1:%u", vs_http_server_port(s, 0));
    const char *sockets[] = {socket_text};
    vs_http_config cfg = {.sockets = sockets, .n_sockets = 1, .threads = 1, .handler = echo};
    vs_error err = {0};
    assert_vs_code(vs_http_server_start(&cfg, &second, &err), VS_E_IO);
    assert_non_null(strstr(vs_error_text(&err, text, sizeof text), socket_text));
    vs_http_server_stop(&s, 1000);
    assert_vs_ok(vs_http_server_start(&cfg, &second, &err), &err); /* free again at once */
    vs_http_server_stop(&second, 1000);
}

static void bad_sockets_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",     ":80",        "127.0.0.1", "localhost:80", "127.0.0.1:x", "127.0.0.1:99999",
        "[::1", "1.2.3.4.5:1"};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        vs_http_config cfg = {.sockets = &bad[i], .n_sockets = 1, .threads = 1, .handler = echo};
        vs_http_server *s = NULL;
        vs_code code = vs_http_server_start(&cfg, &s, NULL);
        if (code == VS_OK)
            fail_msg("\"%s\" was accepted", bad[i]);
    }
}

static void many_threads_and_sockets_share_the_work(void **state)
{
    (void)state;
    static const char *const sockets[] = {"127.0.0.1:0", "127.0.0.1:0"};
    vs_http_config cfg = {.sockets = sockets, .n_sockets = 2, .threads = 4, .handler = echo};
    vs_http_server *s = NULL;
    vs_error err = {0};
    assert_vs_ok(vs_http_server_start(&cfg, &s, &err), &err);
    assert_int_not_equal(vs_http_server_port(s, 0), vs_http_server_port(s, 1));
    for (int i = 0; i < 40; i++) {
        int fd = dial_port(vs_http_server_port(s, (size_t)i % 2));
        bool closed;
        say(fd, HEAD_OF("GET /") "Connection: close\r\n\r\n");
        assert_int_equal(status_of(hear(fd, 1000, &closed)), 200);
        (void)close(fd);
    }
    vs_http_server_stop(&s, 1000);
}

/* Every truncation and bit flip of a request: the server stays up and answers with a status or
 * closes. */
static void no_mutation_of_a_request_brings_it_down(void **state)
{
    (void)state;
    vs_http_server *s = serve(echo, NULL, (vs_http_limits){.request_ms = 5000});
    static const char good[] =
        HEAD_OF("POST /p?q") "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    for (size_t n = 0; n < sizeof good - 1; n++) {
        int fd = dial(s);
        (void)send(fd, good, n, MSG_NOSIGNAL);
        (void)close(fd);
    }
    for (size_t bit = 0; bit < (sizeof good - 1) * 8; bit++) {
        char text[sizeof good];
        memcpy(text, good, sizeof good);
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        int fd = dial(s);
        (void)send(fd, text, sizeof good - 1, MSG_NOSIGNAL);
        (void)shutdown(fd, SHUT_WR);
        bool closed;
        (void)hear(fd, 1000, &closed);
        assert_true(closed);
        (void)close(fd);
    }
    assert_int_equal(status_of(ask(s, good)), 200);
    vs_http_server_stop(&s, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_get_is_answered_and_the_connection_stays),
        cmocka_unit_test(bodies_arrive_whole_in_both_codings),
        cmocka_unit_test(a_request_may_come_byte_by_byte),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(a_flood_of_pipelined_requests_from_a_deaf_client_holds_little),
        cmocka_unit_test(head_gets_no_body),
        cmocka_unit_test(http10_closes_unless_asked_to_stay),
        cmocka_unit_test(expect_continue_is_answered_before_the_body),
        cmocka_unit_test(bodies_over_the_limit_give_413_as_text),
        cmocka_unit_test(a_path_may_refuse_large_bodies_its_own_way),
        cmocka_unit_test(every_status_that_is_given_has_its_phrase),
        cmocka_unit_test(no_content_has_no_length),
        cmocka_unit_test(a_refusal_survives_a_client_that_goes_on_sending),
        cmocka_unit_test(heads_over_the_limit_give_431),
        cmocka_unit_test(a_large_head_within_the_limit_is_served),
        cmocka_unit_test(smuggling_is_refused_and_the_connection_ends),
        cmocka_unit_test(a_slow_drip_is_cut_at_the_deadline),
        cmocka_unit_test(silent_and_idle_connections_end),
        cmocka_unit_test(connections_over_the_cap_are_refused_and_come_back_later),
        cmocka_unit_test(a_stop_answers_what_is_in_flight),
        cmocka_unit_test(a_stop_does_not_wait_longer_than_it_was_told),
        cmocka_unit_test(a_large_response_reaches_a_slow_reader),
        cmocka_unit_test(a_reader_that_never_reads_is_cut),
        cmocka_unit_test(running_out_of_descriptors_is_survived),
        cmocka_unit_test(a_response_that_does_not_fit_is_a_500),
        cmocka_unit_test(a_taken_port_is_an_error_that_names_it),
        cmocka_unit_test(bad_sockets_are_refused),
        cmocka_unit_test(many_threads_and_sockets_share_the_work),
        cmocka_unit_test(no_mutation_of_a_request_brings_it_down),
    };
    return cmocka_run_group_tests_name("http_server", tests, NULL, NULL);
}
