/* SPDX-License-Identifier: Apache-2.0 */
/* gRPC services and the client, on loopback; malformed calls are said frame by frame. */
#include "h2.h"
#include "identity.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "net/grpc.h"

static atomic_int running, most_running, gave_up;

static void pause_ms(int ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    (void)nanosleep(&t, NULL);
}

static void echo(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    (void)user;
    vs_buf_put(&reply->body, call->request);
}

static void refuse(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    (void)user;
    vs_buf_puts(&reply->body, "a part of an answer that must not leave");
    vs_grpc_fail(call, reply, VS_GRPC_ABORTED, "100%% %.*s\n", VS_FMT(call->request));
}

/* Sleeps for as many milliseconds as the request has bytes, or until nobody waits. */
static void nap(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    (void)user;
    int now = atomic_fetch_add(&running, 1) + 1;
    for (int most = atomic_load(&most_running);
         now > most && !atomic_compare_exchange_weak(&most_running, &most, now);) {
    }
    for (size_t i = 0; i < call->request.n && !vs_grpc_cancelled(call); i += 5)
        pause_ms(5);
    if (vs_grpc_cancelled(call))
        atomic_fetch_add(&gave_up, 1);
    atomic_fetch_sub(&running, 1);
    vs_buf_puts(&reply->body, "slept");
}

static void too_much(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    (void)user;
    (void)call;
    (void)vs_buf_reserve(&reply->body, (4 << 20) + 1);
}

static void who(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    (void)user;
    const vs_tls_peer *p = call->http->client;
    vs_buf_put(&reply->body, p ? p->subject : VS_LIT("nobody"));
    for (size_t i = 0; p && i < p->n_sans; i++)
        vs_buf_printf(&reply->body, " %.*s", VS_FMT(p->sans[i]));
}

static const vs_grpc_method methods[] = {{"/t.S/Echo", echo, NULL},
                                         {"/t.S/Refuse", refuse, NULL},
                                         {"/t.S/Nap", nap, NULL},
                                         {"/t.S/TooMuch", too_much, NULL},
                                         {"/t.S/Who", who, NULL}};
static vs_grpc_services services = {.methods = methods, .n_methods = VS_COUNT(methods)};

static void hello(void *user, const vs_http_request *req, vs_http_response *resp)
{
    (void)user;
    if (vs_span_is(req->path, "/slow"))
        pause_ms(300);
    vs_buf_puts(&resp->body, "hello");
}

static vs_http_server *start(vs_http_config cfg)
{
    vs_http_server *s = NULL;
    vs_error err = {0};
    cfg.sockets = any_port;
    cfg.n_sockets = 1;
    cfg.threads = 1;
    cfg.handler = hello;
    cfg.grpc = &services;
    assert_vs_ok(vs_http_server_start(&cfg, &s, &err), &err);
    return s;
}

static vs_grpc_client *client(const vs_http_server *s, vs_grpc_client_config cfg)
{
    char url[64];
    vs_grpc_client *c = NULL;
    vs_error err = {0};
    (void)snprintf(url, sizeof url, "%s://127.0.0.1:%u", cfg.ca_file ? "https" : "http",
                   vs_http_server_port(s, 0));
    cfg.url = url;
    assert_vs_ok(vs_grpc_client_new(&cfg, &c, &err), &err);
    return c;
}

static char text[VS_ERROR_TEXT];

static vs_grpc_status call_text(vs_grpc_client *c, const char *path, vs_span in, vs_buf *out)
{
    vs_grpc_status status;
    vs_error err = {0};
    vs_buf_clear(out);
    vs_code code = vs_grpc_client_call(c, path, in, out, &status, &err);
    assert_int_equal(code == VS_OK, status == VS_GRPC_OK);
    (void)vs_error_text(&err, text, sizeof text);
    return status;
}

/* ---- both sides ------------------------------------------------------------------------------ */

static void calls_and_errors_go_through(void **state)
{
    (void)state;
    vs_http_server *s = start((vs_http_config){0});
    vs_grpc_client *c = client(s, (vs_grpc_client_config){0});
    VS_CLEANUP(vs_buf_free) vs_buf in = VS_BUF(5 << 20), out = VS_BUF(5 << 20);
    uint8_t *p = vs_buf_reserve(&in, (4 << 20) + 1);
    for (size_t i = 0; i < in.n; i++)
        p[i] = (uint8_t)(i * 7 + i / 251);
    static const size_t sizes[] = {0, 1, 16378, 16379, 16380, 65530, 65531, 1 << 20, 4 << 20};
    for (size_t i = 0; i < VS_COUNT(sizes); i++) {
        vs_span sent = vs_span_head(vs_buf_span(&in), sizes[i]);
        assert_int_equal(call_text(c, "/t.S/Echo", sent, &out), VS_GRPC_OK);
        assert_span_eq(vs_buf_span(&out), sent);
    }
    assert_int_equal(call_text(c, "/t.S/Echo", vs_buf_span(&in), &out),
                     VS_GRPC_RESOURCE_EXHAUSTED); /* 4 MiB and 1 */
    assert_int_equal(call_text(c, "/t.S/TooMuch", VS_LIT(""), &out), VS_GRPC_RESOURCE_EXHAUSTED);
    assert_int_equal(out.n, 0);
    assert_int_equal(call_text(c, "/t.S/Refuse", VS_LIT("\xc3\xa4"), &out), VS_GRPC_ABORTED);
    assert_int_equal(out.n, 0);
    assert_non_null(strstr(text, "gRPC /t.S/Refuse at 127.0.0.1:"));
    assert_non_null(strstr(text, "ABORTED: 100% \xc3\xa4?"));
    assert_int_equal(call_text(c, "/t.S/None", VS_LIT(""), &out), VS_GRPC_UNIMPLEMENTED);
    /* The client's own cap, and the caller's. */
    vs_grpc_client *small = client(s, (vs_grpc_client_config){.message_bytes = 100});
    assert_int_equal(call_text(small, "/t.S/Echo", vs_span_head(vs_buf_span(&in), 100), &out),
                     VS_GRPC_OK);
    assert_int_equal(call_text(small, "/t.S/Echo", vs_span_head(vs_buf_span(&in), 101), &out),
                     VS_GRPC_RESOURCE_EXHAUSTED);
    assert_int_equal(call_text(small, "/t.S/Echo", vs_span_head(vs_buf_span(&in), 9), &out),
                     VS_GRPC_OK);
    VS_CLEANUP(vs_buf_free) vs_buf tiny = VS_BUF(3);
    assert_int_equal(call_text(c, "/t.S/Echo", VS_LIT("four"), &tiny), VS_GRPC_RESOURCE_EXHAUSTED);
    vs_grpc_client_free(&small);
    vs_grpc_client_free(&c);
    vs_http_server_stop(&s, 1000);
}

static void malformed_calls_get_the_right_status(void **state)
{
    (void)state;
    static const struct {
        const char *path, *name, *value, *body;
        size_t n;
        int http, grpc;
    } v[] = {
        {"/t.S/Echo", "x", "y", "\0\0\0\0\2ab", 7, 200, 0},
        {"/t.S/Echo", "x", "y", "", 0, 200, 12},
        {"/t.S/Echo", "x", "y", "\0\0\0\0", 4, 200, 13},
        {"/t.S/Echo", "x", "y", "\0\0\0\0\3ab", 7, 200, 13},
        {"/t.S/Echo", "x", "y", "\0\0\0\0\1ab", 7, 200, 12},
        {"/t.S/Echo", "x", "y", "\1\0\0\0\2ab", 7, 200, 12},
        {"/t.S/Echo", "x", "y", "\2\0\0\0\2ab", 7, 200, 13},
        {"/t.S/Echo", "x", "y", "\0\0\x40\0\1ab", 7, 200, 8},
        {"/t.S/Echo", "x", "y", "\0\xff\xff\xff\xff", 5, 200, 8},
        {"/t.S/Echo", "grpc-encoding", "gzip", "\0\0\0\0\2ab", 7, 200, 12},
        {"/t.S/Echo", "grpc-encoding", "identity", "\0\0\0\0\2ab", 7, 200, 0},
        {"/t.S/Echo", "grpc-timeout", "soon", "\0\0\0\0\2ab", 7, 200, 13},
        {"/t.S/Echo", "grpc-timeout", "0n", "\0\0\0\0\2ab", 7, 200, 4},
        {"/t.S/echo", "x", "y", "\0\0\0\0\2ab", 7, 200, 12},
        {"/", "x", "y", "\0\0\0\0\2ab", 7, 200, 12},
        {"/grpc.health.v1.Health/Check", "x", "y", "\0\0\0\0\0", 5, 200, 12}, /* none set */
    };
    vs_http_server *s = start((vs_http_config){0});
    h2 c = h2_dial(s);
    int32_t id = 1;
    for (size_t i = 0; i < VS_COUNT(v); i++, id += 2) {
        h2_headers(&c, id, H2_END_HEADERS, H2_GRPC(v[i].path), v[i].name, v[i].value, NULL);
        h2_frame(&c, H2_DATA, H2_END_STREAM, id, v[i].body, v[i].n);
        h2_answer a = h2_hear(&c, id, 1000);
        if (a.status != v[i].http || a.grpc != v[i].grpc)
            fail_msg("case %zu: HTTP %d, gRPC %d (%s)", i, a.status, a.grpc, a.message);
    }
    h2_headers(&c, id, H2_END_HEADERS | H2_END_STREAM, H2_POST("/t.S/Echo"), "content-type",
               "application/json", NULL);
    assert_int_equal(h2_hear(&c, id, 1000).status, 415);
    h2_headers(&c, id + 2, H2_END_HEADERS | H2_END_STREAM, ":method", "GET", ":scheme", "http",
               ":path", "/t.S/Echo", ":authority", "h", "content-type", "application/grpc", NULL);
    assert_int_equal(h2_hear(&c, id + 2, 1000).status, 405);
    h2_hang_up(&c);
    assert_int_equal(status_of(ask(s, "POST /t.S/Echo HTTP/1.1\r\nHost: h\r\n"
                                      "Content-Length: 0\r\n\r\n")),
                     415);
    vs_http_server_stop(&s, 1000);
}

static void a_frame_may_be_cut_anywhere_and_streams_interleave(void **state)
{
    (void)state;
    static const uint8_t frame[] = {0, 0, 0, 0, 6, 's', 't', 'r', 'e', 'a', 'm'};
    vs_http_server *s = start((vs_http_config){0});
    h2 c = h2_dial(s);
    for (int32_t i = 0; i < 12; i++)
        h2_headers(&c, 2 * i + 1, H2_END_HEADERS, H2_GRPC("/t.S/Echo"), NULL);
    for (size_t at = 0; at + 1 < sizeof frame; at++)
        for (int32_t i = 0; i < 12; i++)
            h2_frame(&c, H2_DATA, 0, 2 * i + 1, frame + at, 1);
    for (int32_t i = 11; i >= 0; i--) {
        h2_frame(&c, H2_DATA, H2_END_STREAM, 2 * i + 1, frame + sizeof frame - 1, 1);
        h2_answer a = h2_hear(&c, 2 * i + 1, 1000);
        assert_int_equal(a.grpc, 0);
        assert_int_equal(a.body_n, sizeof frame);
        assert_memory_equal(a.body, frame, sizeof frame);
    }
    h2_hang_up(&c);
    vs_http_server_stop(&s, 1000);
}

static void health_is_told_per_service(void **state)
{
    (void)state;
    vs_error err = {0};
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1000);
    vs_grpc_health *h = NULL;
    assert_vs_ok(vs_grpc_health_new(&h, &err), &err);
    assert_vs_ok(vs_grpc_health_set(h, "a.B", VS_GRPC_SERVING, &err), &err);
    services.health = h;
    vs_http_server *s = start((vs_http_config){0});
    vs_grpc_client *c = client(s, (vs_grpc_client_config){0});
    static const char check[] = "/grpc.health.v1.Health/Check";
    assert_int_equal(call_text(c, check, VS_LIT(""), &out), VS_GRPC_OK);
    assert_span_eq(vs_buf_span(&out), VS_LIT("\x08\x01"));
    assert_int_equal(call_text(c, check,
                               VS_LIT("\x0a\x03"
                                      "a.B"),
                               &out),
                     VS_GRPC_OK);
    assert_vs_ok(vs_grpc_health_set(h, "a.B", VS_GRPC_NOT_SERVING, &err), &err);
    assert_int_equal(call_text(c, check,
                               VS_LIT("\x10\x05\x1a\x01x\x0a\x03"
                                      "a.B"),
                               &out),
                     VS_GRPC_OK); /* with fields that are not known */
    assert_span_eq(vs_buf_span(&out), VS_LIT("\x08\x02"));
    assert_int_equal(call_text(c, check, VS_LIT("\x0a\x01x"), &out), VS_GRPC_NOT_FOUND);
    static const vs_span bad[] = {
        {(const uint8_t *)"\x0a", 1},
        {(const uint8_t *)"\x0a\x05x", 3},
        {(const uint8_t *)"\x0f", 1},
        {(const uint8_t *)"\x00\x00", 2},
        {(const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11}};
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_int_equal(call_text(c, check, bad[i], &out), VS_GRPC_INTERNAL);
    assert_int_equal(call_text(c, "/grpc.health.v1.Health/Watch", VS_LIT(""), &out),
                     VS_GRPC_UNIMPLEMENTED);
    static const char *const names[] = {"1", "2", "3",  "4",  "5",  "6",  "7",
                                        "8", "9", "10", "11", "12", "13", "14"};
    for (size_t i = 0; i < VS_COUNT(names); i++)
        assert_vs_ok(vs_grpc_health_set(h, names[i], VS_GRPC_SERVING, &err), &err);
    assert_vs_code(vs_grpc_health_set(h, "one more", VS_GRPC_SERVING, &err), VS_E_LIMIT);
    vs_grpc_client_free(&c);
    vs_http_server_stop(&s, 1000);
    services.health = NULL;
    vs_grpc_health_free(&h);
}

/* ---- time and cancelling --------------------------------------------------------------------- */

static void a_deadline_ends_the_call_on_both_sides(void **state)
{
    (void)state;
    static const char long_nap[2000];
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1000);
    for (unsigned workers = 0; workers < 2; workers++) {
        vs_http_server *s = start((vs_http_config){.workers = workers});
        vs_grpc_client *c = client(s, (vs_grpc_client_config){.call_ms = 200});
        int before = atomic_load(&gave_up);
        int64_t begin = clock_ms();
        assert_int_equal(call_text(c, "/t.S/Nap", vs_span_of(long_nap, sizeof long_nap), &out),
                         VS_GRPC_DEADLINE_EXCEEDED);
        assert_in_range(clock_ms() - begin, 190, 700);
        assert_int_equal(call_text(c, "/t.S/Nap", VS_LIT(""), &out), VS_GRPC_OK);
        for (int i = 0; i < 100 && atomic_load(&gave_up) == before; i++)
            pause_ms(10);
        assert_int_equal(atomic_load(&gave_up), before + 1); /* the handler saw it */
        vs_grpc_client_free(&c);
        vs_http_server_stop(&s, 1000);
    }
}

static void a_late_worker_is_answered_for(void **state)
{
    (void)state;
    static const uint8_t frame[5 + 1500] = {0, 0, 0, 1500 >> 8, 1500 & 255};
    vs_http_server *s = start((vs_http_config){.workers = 1});
    h2 c = h2_dial(s);
    h2_headers(&c, 1, H2_END_HEADERS, H2_GRPC("/t.S/Nap"), "grpc-timeout", "100m", NULL);
    h2_frame(&c, H2_DATA, H2_END_STREAM, 1, frame, sizeof frame);
    int64_t begin = clock_ms();
    assert_int_equal(h2_hear(&c, 1, 2000).grpc, VS_GRPC_DEADLINE_EXCEEDED);
    assert_in_range(clock_ms() - begin, 90, 600);
    h2_hang_up(&c);
    vs_http_server_stop(&s, 2000);
}

static void cancelled_calls_and_lost_connections_are_safe(void **state)
{
    (void)state;
    static const uint8_t frame[5 + 1000] = {0, 0, 0, 1000 >> 8, 1000 & 255},
                                   cancel[] = {0, 0, 0, 8};
    vs_http_server *s = start((vs_http_config){.workers = 2});
    int before = atomic_load(&gave_up);
    for (int i = 0; i < 4; i++) {
        h2 c = h2_dial(s);
        for (int32_t id = 1; id < 9; id += 2) {
            h2_headers(&c, id, H2_END_HEADERS, H2_GRPC("/t.S/Nap"), NULL);
            h2_frame(&c, H2_DATA, H2_END_STREAM, id, frame, sizeof frame);
        }
        pause_ms(30);
        if (i % 2 == 0)
            for (int32_t id = 1; id < 9; id += 2)
                h2_frame(&c, H2_RST, 0, id, cancel, 4);
        h2_hang_up(&c);
        int fd = dial(s); /* HTTP/1.1, closed while a worker has it */
        say(fd, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
        (void)close(fd);
    }
    assert_int_equal(status_of(ask(s, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")), 200);
    assert_true(atomic_load(&gave_up) > before);
    vs_http_server_stop(&s, 1000);
}

/* ---- workers --------------------------------------------------------------------------------- */

static void a_full_queue_is_said_so(void **state)
{
    (void)state;
    static const uint8_t frame[5 + 300] = {0, 0, 0, 300 >> 8, 300 & 255};
    vs_http_server *s = start((vs_http_config){.workers = 1, .worker_queue = 1});
    h2 c = h2_dial(s);
    for (int32_t id = 1; id <= 5; id += 2) {
        h2_headers(&c, id, H2_END_HEADERS, H2_GRPC("/t.S/Nap"), NULL);
        h2_frame(&c, H2_DATA, H2_END_STREAM, id, frame, sizeof frame);
        pause_ms(20);
    }
    assert_int_equal(h2_hear(&c, 5, 1000).grpc, VS_GRPC_RESOURCE_EXHAUSTED);
    assert_int_equal(status_of(ask(s, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")), 503);
    assert_int_equal(h2_hear(&c, 1, 1000).grpc, 0);
    assert_int_equal(h2_hear(&c, 3, 1000).grpc, 0);
    h2_hang_up(&c);
    vs_http_server_stop(&s, 1000);
}

typedef struct load {
    vs_grpc_client *c;
    const vs_http_server *s;
    unsigned seed;
    int done;
} load;

static void *make_load(void *arg)
{
    load *l = arg;
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1 << 20);
    static uint8_t data[70000];
    for (int i = 0; i < 100; i++) {
        vs_span in = vs_span_of(data, (size_t)rand_r(&l->seed) % sizeof data);
        vs_buf_clear(&out);
        bool sleepy = i % 25 == 0;
        if (sleepy)
            in.n %= 30;
        vs_code code =
            vs_grpc_client_call(l->c, sleepy ? "/t.S/Nap" : "/t.S/Echo", in, &out, NULL, NULL);
        l->done += code == VS_OK && (sleepy || vs_span_eq(vs_buf_span(&out), in));
    }
    return NULL;
}

static void many_threads_share_few_connections_and_workers(void **state)
{
    (void)state;
    enum { THREADS = 12 };
    vs_http_server *s = start((vs_http_config){.workers = 4});
    vs_grpc_client *c = client(s, (vs_grpc_client_config){.connections = 5});
    pthread_t t[THREADS];
    load l[THREADS];
    atomic_store(&most_running, 0);
    for (unsigned i = 0; i < THREADS; i++) {
        l[i] = (load){.c = c, .s = s, .seed = i};
        assert_int_equal(pthread_create(&t[i], NULL, make_load, &l[i]), 0);
    }
    for (int i = 0; i < 50; i++)
        assert_int_equal(status_of(ask(s, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")), 200);
    for (unsigned i = 0; i < THREADS; i++) {
        (void)pthread_join(t[i], NULL);
        assert_int_equal(l[i].done, 100);
    }
    assert_in_range(atomic_load(&most_running), 1, 4);
    vs_grpc_client_free(&c);
    vs_http_server_stop(&s, 1000);
}

static void *stop_it(void *server)
{
    vs_http_server *s = server;
    vs_http_server_stop(&s, 3000);
    return NULL;
}

static void a_stop_waits_for_workers_and_the_client_sees_goaway(void **state)
{
    (void)state;
    static const char nap_ms[300];
    vs_http_server *s = start((vs_http_config){.workers = 2});
    int fd = dial(s);
    bool closed;
    say(fd, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
    vs_grpc_client *c = client(s, (vs_grpc_client_config){.call_ms = 2000});
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1000);
    assert_int_equal(call_text(c, "/t.S/Echo", VS_LIT("x"), &out), VS_GRPC_OK);
    pthread_t t;
    h2 raw = h2_dial(s);
    h2_headers(&raw, 1, H2_END_HEADERS, H2_GRPC("/t.S/Nap"), NULL);
    uint8_t frame[5 + sizeof nap_ms] = {0, 0, 0, sizeof nap_ms >> 8, sizeof nap_ms & 255};
    h2_frame(&raw, H2_DATA, H2_END_STREAM, 1, frame, sizeof frame);
    pause_ms(50);
    assert_int_equal(pthread_create(&t, NULL, stop_it, s), 0);
    assert_int_equal(h2_hear(&raw, 1, 1000).grpc, 0);
    assert_int_equal(status_of(hear_until(fd, 1000, true, &closed)), 200);
    (void)pthread_join(t, NULL);
    /* The idle connection got a GOAWAY; a new one cannot be made. */
    assert_int_equal(call_text(c, "/t.S/Echo", VS_LIT("x"), &out), VS_GRPC_UNAVAILABLE);
    assert_non_null(strstr(text, "cannot connect to 127.0.0.1:"));
    assert_non_null(strstr(text, "Connection refused"));
    vs_grpc_client_free(&c);
    h2_hang_up(&raw);
    (void)close(fd);
}

/* ---- the client against bad servers ---------------------------------------------------------- */

typedef struct liar {
    int fd; /* listening */
    const uint8_t *say;
    size_t n;
    int accepted, served;
} liar;

static void hear_out(int fd, int ms)
{
    char in[1000];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (poll(&p, 1, ms) > 0 && recv(fd, in, sizeof in, 0) > 0) {
    }
}

/* Says the same bytes to everyone, `accepted` times: the first frame at once, the others when the
 * call has come. */
static void *lie(void *arg)
{
    liar *l = arg;
    for (int i = 0; i < l->accepted; i++) {
        struct pollfd p = {.fd = l->fd, .events = POLLIN};
        int fd = poll(&p, 1, 3000) > 0 ? accept(l->fd, NULL, NULL) : -1;
        if (fd < 0)
            break; /* fewer came than expected */
        l->served++;
        size_t first = l->n < 9 ? l->n : 9;
        (void)!send(fd, l->say, first, MSG_NOSIGNAL);
        hear_out(fd, 40);
        (void)!send(fd, l->say + first, l->n - first, MSG_NOSIGNAL);
        hear_out(fd, 40);
        (void)close(fd);
    }
    return NULL;
}

static vs_grpc_status call_liar(const void *say, size_t n, int times)
{
    liar l = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
              .say = say,
              .n = n,
              .accepted = times};
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t at_n = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(l.fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(l.fd, 5), 0);
    (void)getsockname(l.fd, (struct sockaddr *)&at, &at_n);
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, lie, &l), 0);
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u", ntohs(at.sin_port));
    vs_grpc_client *c = NULL;
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1000);
    assert_vs_ok(
        vs_grpc_client_new(
            &(vs_grpc_client_config){.url = url, .connect_ms = 1000, .call_ms = 2000}, &c, NULL),
        &(vs_error){0});
    vs_grpc_status status = call_text(c, "/t.S/Echo", VS_LIT("x"), &out);
    vs_grpc_client_free(&c);
    (void)pthread_join(t, NULL);
    (void)close(l.fd);
    assert_int_equal(l.served, times);
    return status;
}

#define SETTINGS_FRAME "\0\0\0\4\0\0\0\0\0"
#define LIE(s, times)  call_liar(s, sizeof(s) - 1, times)

static void servers_that_lie_get_a_precise_error(void **state)
{
    (void)state;
    assert_int_equal(LIE("HTTP/1.1 400 Bad Request\r\n\r\n", 1), VS_GRPC_UNAVAILABLE);
    assert_non_null(strstr(text, "no HTTP/2 with 127.0.0.1:"));
    assert_int_equal(LIE("", 1), VS_GRPC_UNAVAILABLE);
    assert_non_null(strstr(text, "closed the connection"));
    /* GOAWAY for all streams: tried again on new connections, three times in all. */
    assert_int_equal(LIE(SETTINGS_FRAME "\0\0\x08\7\0\0\0\0\0\0\0\0\0\0\0\0\0", 3),
                     VS_GRPC_UNAVAILABLE);
    /* RST_STREAM: REFUSED_STREAM again, on the same connection, which is closed then; CANCEL not.
     */
    assert_int_equal(LIE(SETTINGS_FRAME "\0\0\4\3\0\0\0\0\1\0\0\0\7", 1), VS_GRPC_UNAVAILABLE);
    assert_non_null(strstr(text, "closed the connection"));
    assert_int_equal(LIE(SETTINGS_FRAME "\0\0\4\3\0\0\0\0\1\0\0\0\10", 1), VS_GRPC_CANCELLED);
    /* A header block that is none. */
    assert_int_equal(LIE(SETTINGS_FRAME "\0\0\1\1\4\0\0\0\1\xff", 1), VS_GRPC_INTERNAL);
}

/* A good answer to stream 1: headers, the message "hi", trailers with grpc-status 0. */
#define ANSWER                                                                                     \
    SETTINGS_FRAME "\0\0\x14\1\4\0\0\0\1\x88\x0f\x10\x10"                                          \
                   "application/grpc"                                                              \
                   "\0\0\7\0\0\0\0\0\1\0\0\0\0\2"                                                  \
                   "hi"                                                                            \
                   "\0\0\x0f\1\5\0\0\0\1\0\x0b"                                                    \
                   "grpc-status\1"                                                                 \
                   "0"

static void a_cut_answer_is_never_an_answer(void **state)
{
    (void)state;
    static const uint8_t answer[] = ANSWER;
    uint8_t bad[sizeof answer];
    size_t n = sizeof answer - 1;
    assert_int_equal(call_liar(answer, n, 1), VS_GRPC_OK);
    for (size_t cut = 0; cut < n; cut += 3)
        assert_int_not_equal(call_liar(answer, cut, 1), VS_GRPC_OK);
    for (size_t bit = 9; bit < 8 * n; bit += 23) { /* whatever it is: no harm */
        memcpy(bad, answer, n);
        bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        (void)call_liar(bad, n, 1);
    }
}

static void urls_and_files_are_checked_at_the_start(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "127.0.0.1:1",
                                      "ftp://h:1",
                                      "http://",
                                      "http://:1",
                                      "http://h:",
                                      "http://h:70000",
                                      "http://h:1x",
                                      "http://h/path",
                                      "http://u@h:1",
                                      "http://[::1:1",
                                      "http://::1:1",
                                      "http://h h:1"};
    vs_grpc_client *c = NULL;
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        if (vs_grpc_client_new(&(vs_grpc_client_config){.url = bad[i]}, &c, NULL) != VS_E_INVALID)
            fail_msg("\"%s\"", bad[i]);
        assert_null(c);
    }
    static const char *const good[] = {"http://h", "http://h:1/", "http://[::1]:1", "https://h"};
    for (size_t i = 0; i < VS_COUNT(good); i++) {
        vs_error err = {0};
        assert_vs_ok(vs_grpc_client_new(&(vs_grpc_client_config){.url = good[i]}, &c, &err), &err);
        vs_grpc_client_free(&c);
    }
    const vs_grpc_client_config files[] = {
        {.url = "https://h", .ca_file = "/nonexistent"},
        {.url = "https://h", .certificate = "/nonexistent", .private_key = "/nonexistent"},
        {.url = "http://h", .ca_file = "/nonexistent"}};
    for (size_t i = 0; i < VS_COUNT(files); i++)
        assert_vs_code(vs_grpc_client_new(&files[i], &c, NULL), VS_E_INVALID);
}

/* ---- TLS ------------------------------------------------------------------------------------- */

static void mutual_tls_shows_the_client_to_the_handler(void **state)
{
    (void)state;
    identity server, known, stranger;
    make_identity(&server, "IP:127.0.0.1", -60, 3600);
    make_identity(&known, "DNS:kbs.example,URI:spiffe://example/kbs,IP:10.0.0.1", -60, 3600);
    make_identity(&stranger, "DNS:kbs.example", -60, 3600);
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1000);
    for (int required = 0; required < 2; required++) {
        vs_http_server *s = start((vs_http_config){.certificate = server.cert,
                                                   .private_key = server.key,
                                                   .client_ca = known.cert,
                                                   .client_cert_required = required});
        vs_grpc_client_config cfg = {.ca_file = server.cert, .call_ms = 3000};
        vs_grpc_client *without = client(s, cfg);
        cfg.certificate = known.cert;
        cfg.private_key = known.key;
        vs_grpc_client *with = client(s, cfg);
        cfg.certificate = stranger.cert;
        cfg.private_key = stranger.key;
        vs_grpc_client *other = client(s, cfg);
        assert_int_equal(call_text(with, "/t.S/Who", VS_LIT(""), &out), VS_GRPC_OK);
        assert_span_is(vs_buf_span(&out), "CN=vouchsafe test DNS:kbs.example "
                                          "URI:spiffe://example/kbs IP:10.0.0.1");
        assert_int_equal(call_text(other, "/t.S/Who", VS_LIT(""), &out), VS_GRPC_UNAVAILABLE);
        assert_non_null(strstr(text, "alert"));
        vs_grpc_status status = call_text(without, "/t.S/Who", VS_LIT(""), &out);
        assert_int_equal(status, required ? VS_GRPC_UNAVAILABLE : VS_GRPC_OK);
        if (!required)
            assert_span_is(vs_buf_span(&out), "nobody");
        vs_grpc_client_free(&without);
        vs_grpc_client_free(&with);
        vs_grpc_client_free(&other);
        vs_http_server_stop(&s, 1000);
    }
    vs_http_config bad = {.sockets = any_port,
                          .n_sockets = 1,
                          .certificate = server.cert,
                          .private_key = server.key,
                          .client_cert_required = true};
    vs_http_server *s = NULL;
    assert_vs_code(vs_http_server_start(&bad, &s, NULL), VS_E_INVALID);
    bad.client_ca = server.key; /* holds no certificate */
    assert_vs_code(vs_http_server_start(&bad, &s, NULL), VS_E_INVALID);
    remove_identity(&server);
    remove_identity(&known);
    remove_identity(&stranger);
}

static void copy_file(const char *from, const char *to)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1 << 16);
    assert_vs_ok(vs_read_file(from, &b, NULL), &(vs_error){0});
    assert_vs_ok(vs_write_file(to, vs_buf_span(&b), 0600, NULL), &(vs_error){0});
}

static void a_reload_takes_new_files_or_keeps_the_old(void **state)
{
    (void)state;
    identity live, next;
    make_identity(&live, "IP:127.0.0.1", -60, 3600);
    make_identity(&next, "IP:127.0.0.1", -60, 3600);
    char old_ca[120];
    (void)snprintf(old_ca, sizeof old_ca, "%s/old.pem", next.dir);
    copy_file(live.cert, old_ca);
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1000);
    vs_http_server *s = start((vs_http_config){.certificate = live.cert, .private_key = live.key});
    vs_grpc_client *old = client(s, (vs_grpc_client_config){.ca_file = old_ca});
    assert_int_equal(call_text(old, "/t.S/Echo", VS_LIT("x"), &out), VS_GRPC_OK);
    copy_file(next.cert, live.cert); /* does not fit the key */
    vs_error err = {0};
    assert_vs_code(vs_http_server_reload_tls(s, &err), VS_E_INVALID);
    vs_grpc_client *also_old = client(s, (vs_grpc_client_config){.ca_file = old_ca});
    assert_int_equal(call_text(also_old, "/t.S/Echo", VS_LIT("x"), &out), VS_GRPC_OK);
    copy_file(next.key, live.key);
    assert_vs_ok(vs_http_server_reload_tls(s, &err), &err);
    vs_grpc_client *fresh = client(s, (vs_grpc_client_config){.ca_file = next.cert});
    assert_int_equal(call_text(fresh, "/t.S/Echo", VS_LIT("x"), &out), VS_GRPC_OK);
    assert_int_equal(call_text(old, "/t.S/Echo", VS_LIT("x"), &out), VS_GRPC_OK); /* stays */
    vs_grpc_client *wrong = client(s, (vs_grpc_client_config){.ca_file = old_ca});
    assert_int_equal(call_text(wrong, "/t.S/Echo", VS_LIT("x"), &out), VS_GRPC_UNAVAILABLE);
    assert_non_null(strstr(text, "the server's certificate: self-signed certificate"));
    vs_grpc_client_free(&old);
    vs_grpc_client_free(&also_old);
    vs_grpc_client_free(&fresh);
    vs_grpc_client_free(&wrong);
    vs_http_server_stop(&s, 1000);
    s = start((vs_http_config){0});
    assert_vs_code(vs_http_server_reload_tls(s, &err), VS_E_INVALID);
    vs_http_server_stop(&s, 1000);
    (void)unlink(old_ca);
    remove_identity(&live);
    remove_identity(&next);
}

static void the_name_of_the_server_is_always_checked(void **state)
{
    (void)state;
    identity id;
    make_identity(&id, "IP:127.0.0.2,DNS:other.example", -60, 3600);
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1000);
    vs_http_server *s = start((vs_http_config){.certificate = id.cert, .private_key = id.key});
    vs_grpc_client *c = client(s, (vs_grpc_client_config){.ca_file = id.cert});
    assert_int_equal(call_text(c, "/t.S/Echo", VS_LIT("x"), &out), VS_GRPC_UNAVAILABLE);
    assert_non_null(strstr(text, "IP address mismatch"));
    vs_grpc_client_free(&c);
    vs_http_server_stop(&s, 1000);
    remove_identity(&id);
}

static void a_dead_connection_is_pinged_and_replaced(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1000);
    vs_http_server *s = start((vs_http_config){.limits = {.idle_ms = 100}});
    vs_grpc_client *c = client(s, (vs_grpc_client_config){.ping_ms = 20});
    for (int i = 0; i < 6; i++) {
        assert_int_equal(call_text(c, "/t.S/Echo", VS_LIT("x"), &out), VS_GRPC_OK);
        pause_ms(i % 2 ? 40 : 300); /* pinged, or gone */
    }
    vs_grpc_client_free(&c);
    vs_http_server_stop(&s, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_and_errors_go_through),
        cmocka_unit_test(malformed_calls_get_the_right_status),
        cmocka_unit_test(a_frame_may_be_cut_anywhere_and_streams_interleave),
        cmocka_unit_test(health_is_told_per_service),
        cmocka_unit_test(a_deadline_ends_the_call_on_both_sides),
        cmocka_unit_test(a_late_worker_is_answered_for),
        cmocka_unit_test(cancelled_calls_and_lost_connections_are_safe),
        cmocka_unit_test(a_full_queue_is_said_so),
        cmocka_unit_test(many_threads_share_few_connections_and_workers),
        cmocka_unit_test(a_stop_waits_for_workers_and_the_client_sees_goaway),
        cmocka_unit_test(servers_that_lie_get_a_precise_error),
        cmocka_unit_test(a_cut_answer_is_never_an_answer),
        cmocka_unit_test(urls_and_files_are_checked_at_the_start),
        cmocka_unit_test(mutual_tls_shows_the_client_to_the_handler),
        cmocka_unit_test(a_reload_takes_new_files_or_keeps_the_old),
        cmocka_unit_test(the_name_of_the_server_is_always_checked),
        cmocka_unit_test(a_dead_connection_is_pinged_and_replaced),
    };
    return cmocka_run_group_tests_name("grpc", tests, NULL, NULL);
}
