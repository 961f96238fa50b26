/* SPDX-License-Identifier: Apache-2.0 */
/* Peers that follow the protocol and mean harm: each test is an attack that once worked. */
#include "h2.h"

#include <pthread.h>
#include <stdatomic.h>

#include "net/grpc.h"

static void pause_ms(int ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    (void)nanosleep(&t, NULL);
}

/* ---- a server that never pauses ----------------------------------------------------------------
 */

typedef struct flood {
    int fd; /* listening */
    atomic_bool stop;
} flood;

/* SETTINGS, and then WINDOW_UPDATE of stream 0 for ever, as fast as they are read. */
static void *send_without_end(void *arg)
{
    static const uint8_t settings[9] = {0, 0, 0, 4},
                         window[13] = {0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    flood *f = arg;
    uint8_t many[sizeof window * 1000];
    for (size_t i = 0; i < sizeof many; i += sizeof window)
        memcpy(many + i, window, sizeof window);
    int fd = accept(f->fd, NULL, NULL);
    if (fd < 0)
        return NULL;
    (void)!send(fd, settings, sizeof settings, MSG_NOSIGNAL);
    while (!atomic_load(&f->stop) && send(fd, many, sizeof many, MSG_NOSIGNAL) > 0) {
    }
    (void)close(fd);
    return NULL;
}

static void a_server_that_sends_without_end_does_not_hold_a_call(void **state)
{
    (void)state;
    flood f = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t at_n = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(f.fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(f.fd, 5), 0);
    (void)getsockname(f.fd, (struct sockaddr *)&at, &at_n);
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, send_without_end, &f), 0);
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u", ntohs(at.sin_port));
    vs_grpc_client *c = NULL;
    vs_error err = {0};
    vs_grpc_client_config cfg = {.url = url, .connect_ms = 1000, .call_ms = 500};
    assert_vs_ok(vs_grpc_client_new(&cfg, &c, &err), &err);
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1000);
    vs_grpc_status status;
    int64_t begin = clock_ms();
    assert_vs_code(vs_grpc_client_call(c, "/t.S/Echo", VS_LIT("x"), &out, &status, &err),
                   VS_E_TIMEOUT);
    assert_int_equal(status, VS_GRPC_DEADLINE_EXCEEDED);
    assert_in_range(clock_ms() - begin, 450, 3000);
    atomic_store(&f.stop, true);
    vs_grpc_client_free(&c);
    (void)pthread_join(t, NULL);
    (void)close(f.fd);
}

/* ---- requests that are reset while they wait for a worker ---------------------------------------
 */

static atomic_int handled, round_; /* "/wait" waits for the end of its round */

static void wait_until_told(void *user, const vs_http_request *req, vs_http_response *resp)
{
    (void)user;
    int mine = atomic_load(&round_);
    atomic_fetch_add(&handled, 1);
    while (vs_span_is(req->path, "/wait") && atomic_load(&round_) == mine)
        pause_ms(2);
    vs_buf_puts(&resp->body, "done");
}

static vs_http_server *serve_with_a_worker(vs_http_limits limits)
{
    vs_http_server *s = NULL;
    vs_error err = {0};
    const vs_http_config cfg = {.sockets = any_port,
                                .n_sockets = 1,
                                .threads = 1,
                                .workers = 1,
                                .worker_queue = 1000,
                                .handler = wait_until_told,
                                .limits = limits};
    assert_vs_ok(vs_http_server_start(&cfg, &s, &err), &err);
    return s;
}

/* A whole request, and its reset at once. */
static void ask_and_reset(h2 *c, int32_t id, const void *body, size_t n)
{
    static const uint8_t cancel[] = {0, 0, 0, 8};
    h2_headers(c, id, H2_END_HEADERS, H2_POST("/later"), NULL);
    h2_frame(c, H2_DATA, H2_END_STREAM, id, body, n);
    h2_frame(c, H2_RST, 0, id, cancel, sizeof cancel);
}

/* The worker is busy with /wait; what follows is queued. */
static h2 occupy_the_worker(const vs_http_server *s)
{
    h2 c = h2_dial(s);
    atomic_store(&handled, 0);
    h2_headers(&c, 1, H2_END_HEADERS | H2_END_STREAM, H2_POST("/wait"), NULL);
    while (atomic_load(&handled) == 0)
        pause_ms(2);
    return c;
}

static int status_of_next(h2 *c, int32_t id, const void *body, size_t n)
{
    h2_headers(c, id, H2_END_HEADERS, H2_POST("/later"), NULL);
    h2_frame(c, H2_DATA, H2_END_STREAM, id, body, n);
    return h2_hear(c, id, 1000).status;
}

static void bodies_of_reset_requests_count_while_they_are_in_memory(void **state)
{
    (void)state;
    static const uint8_t body[1000];
    vs_http_server *s = serve_with_a_worker((vs_http_limits){.body_bytes = sizeof body});
    h2 c = occupy_the_worker(s);
    for (int32_t id = 3; id < 3 + 2 * 4; id += 2)
        ask_and_reset(&c, id, body, sizeof body);
    assert_int_equal(status_of_next(&c, 21, body, sizeof body), 503); /* four are held */
    atomic_fetch_add(&round_, 1);
    assert_int_equal(h2_hear(&c, 1, 1000).status, 200);
    pause_ms(100);
    assert_int_equal(atomic_load(&handled), 1); /* nobody waits for them: not run */
    assert_int_equal(status_of_next(&c, 23, body, sizeof body), 200);
    h2_hang_up(&c);
    vs_http_server_stop(&s, 1000);
}

static void reset_requests_do_not_fill_the_queue(void **state)
{
    (void)state;
    vs_http_server *s = serve_with_a_worker((vs_http_limits){.streams = 8});
    h2 c = occupy_the_worker(s);
    for (int32_t id = 3; id < 3 + 2 * 100; id += 2)
        ask_and_reset(&c, id, "x", 1);
    assert_int_equal(status_of_next(&c, 1001, "x", 1), 503);
    h2 other = h2_dial(s); /* has its own share */
    h2_headers(&other, 1, H2_END_HEADERS | H2_END_STREAM, H2_POST("/later"), NULL);
    atomic_fetch_add(&round_, 1);
    assert_int_equal(h2_hear(&other, 1, 1000).status, 200);
    assert_int_equal(h2_hear(&c, 1, 1000).status, 200);
    pause_ms(100);
    assert_int_equal(status_of_next(&c, 1003, "x", 1), 200);
    h2_hang_up(&c);
    h2_hang_up(&other);
    vs_http_server_stop(&s, 1000);
}

/* The limit on all bodies together counts those whose connection has ended, too. */
static void bodies_of_ended_connections_count_while_they_are_in_memory(void **state)
{
    (void)state;
    static const uint8_t body[16000];
    vs_http_server *s = serve_with_a_worker((vs_http_limits){.held_bytes = 60000});
    h2 first = occupy_the_worker(s);
    for (int i = 0; i < 2; i++) {
        h2 c = h2_dial(s);
        for (int32_t id = 1; id < 5; id += 2) {
            h2_headers(&c, id, H2_END_HEADERS, H2_POST("/later"), NULL);
            h2_frame(&c, H2_DATA, H2_END_STREAM, id, body, 14000);
        }
        h2_frame(&c, H2_PING, 0, 0, "12345678", 8);
        assert_true(h2_wait(&c, H2_PING, 1000)); /* all was read */
        h2_hang_up(&c);
    }
    pause_ms(100);
    h2 c = h2_dial(s);
    h2_frame(&c, H2_PING, 0, 0, "12345678", 8);
    assert_true(h2_wait(&c, H2_PING, 1000)); /* it is HTTP/2 from here on */
    h2_headers(&c, 1, H2_END_HEADERS, H2_POST("/later"), NULL);
    h2_frame(&c, H2_DATA, 0, 1, body, sizeof body);
    h2_frame(&c, H2_DATA, H2_END_STREAM, 1, body, sizeof body);
    assert_int_equal(h2_hear(&c, 1, 1000).status, 503);
    atomic_fetch_add(&round_, 1);
    assert_int_equal(h2_hear(&first, 1, 1000).status, 200);
    pause_ms(100);
    assert_int_equal(status_of_next(&c, 3, body, sizeof body), 200);
    h2_hang_up(&c);
    h2_hang_up(&first);
    vs_http_server_stop(&s, 1000);
}

/* Connections that end while the worker has their requests, in all orders of the two ends. */
static void connections_end_while_a_worker_runs(void **state)
{
    (void)state;
    static const uint8_t body[1000];
    vs_http_server *s = serve_with_a_worker((vs_http_limits){0});
    for (int i = 0; i < 20; i++) {
        h2 c = occupy_the_worker(s);
        for (int32_t id = 3; id < 15; id += 2)
            ask_and_reset(&c, id, body, sizeof body);
        h2_headers(&c, 21, H2_END_HEADERS | H2_END_STREAM, H2_POST("/later"), NULL);
        int plain = dial(s);
        say(plain, "POST /later HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
        if (i % 2)
            atomic_fetch_add(&round_, 1);
        h2_hang_up(&c);
        (void)close(plain);
        pause_ms(i % 3);
        atomic_fetch_add(&round_, 1);
    }
    assert_int_equal(status_of(ask(s, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")), 200);
    vs_http_server_stop(&s, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_sends_without_end_does_not_hold_a_call),
        cmocka_unit_test(bodies_of_reset_requests_count_while_they_are_in_memory),
        cmocka_unit_test(reset_requests_do_not_fill_the_queue),
        cmocka_unit_test(bodies_of_ended_connections_count_while_they_are_in_memory),
        cmocka_unit_test(connections_end_while_a_worker_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
