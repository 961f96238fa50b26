/* SPDX-License-Identifier: Apache-2.0 */
/* The ttrpc server and client on a real socket; what is malformed is said byte by byte. */
#include "testing.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "net/ttrpc.h"
#include "net/ttrpc_wire.h"

static char dir[] = "/tmp/vs-ttrpc-XXXXXX";
static char path[64], address[80];
static atomic_int running, gave_up, served;

static void pause_ms(int ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    (void)nanosleep(&t, NULL);
}

/* ---- the service ----------------------------------------------------------------------------- */

static void echo(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    (void)user;
    atomic_fetch_add(&served, 1);
    vs_buf_put(&reply->body, call->request);
}

static void refuse(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    (void)user;
    vs_buf_puts(&reply->body, "a part of an answer that must not leave");
    vs_grpc_fail(call, reply, VS_GRPC_INTERNAL, "no: %.*s", VS_FMT(call->request));
}

/* As many milliseconds as the request has bytes, or until nobody waits. */
static void nap(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    (void)user;
    atomic_fetch_add(&running, 1);
    for (size_t i = 0; i < call->request.n && !vs_grpc_cancelled(call); i += 5)
        pause_ms(5);
    if (vs_grpc_cancelled(call))
        atomic_fetch_add(&gave_up, 1);
    vs_buf_puts(&reply->body, "slept");
    atomic_fetch_sub(&running, 1);
}

static void too_much(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    (void)user;
    (void)vs_buf_reserve(&reply->body,
                         call->request.n ? VS_TTRPC_PAYLOAD_MAX : VS_TTRPC_PAYLOAD_MAX + 1);
}

static const vs_grpc_method methods[] = {{"/t.S/Echo", echo, NULL},
                                         {"/t.S/Refuse", refuse, NULL},
                                         {"/t.S/Nap", nap, NULL},
                                         {"/t.S/TooMuch", too_much, NULL},
                                         {"/t.S/Later", NULL, NULL}};

static vs_ttrpc_server *start(vs_ttrpc_config cfg)
{
    vs_ttrpc_server *s = NULL;
    vs_error err = {0};
    cfg.address = address;
    cfg.methods = methods;
    cfg.n_methods = VS_COUNT(methods);
    assert_vs_ok(vs_ttrpc_server_start(&cfg, &s, &err), &err);
    return s;
}

static vs_ttrpc_server *serve(void)
{
    return start((vs_ttrpc_config){0});
}

static vs_ttrpc_client *client(unsigned call_ms)
{
    vs_ttrpc_client *c = NULL;
    vs_error err = {0};
    vs_ttrpc_client_config cfg = {.address = address, .call_ms = call_ms};
    assert_vs_ok(vs_ttrpc_client_new(&cfg, &c, &err), &err);
    return c;
}

/* ---- by hand --------------------------------------------------------------------------------- */

static int dial(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    (void)snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void say(int fd, vs_span s)
{
    assert_int_equal(send(fd, s.p, s.n, MSG_NOSIGNAL), (ssize_t)s.n);
}

static void head(int fd, uint32_t length, uint32_t stream, uint8_t type)
{
    uint8_t h[VS_TTRPC_HEAD] = {0};
    for (unsigned i = 0; i < 4; i++) {
        h[i] = (uint8_t)(length >> (24 - 8 * i));
        h[4 + i] = (uint8_t)(stream >> (24 - 8 * i));
    }
    h[8] = type;
    say(fd, vs_span_of(h, sizeof h));
}

static void ask_within(int fd, uint32_t stream, const char *service, const char *method,
                       vs_span payload, int64_t timeout)
{
    VS_CLEANUP(vs_buf_free) vs_buf frame = VS_BUF(VS_TTRPC_FRAME_MAX);
    vs_ttrpc_request r = {vs_str(service), vs_str(method), payload, timeout};
    vs_ttrpc_request_write(&frame, stream, &r);
    say(fd, vs_buf_span(&frame));
}

static void ask(int fd, uint32_t stream, const char *method, const char *payload)
{
    ask_within(fd, stream, "t.S", method, vs_str(payload), 0);
}

/* False at the end of the connection; fails when nothing comes for ten seconds. */
static bool hear_bytes(int fd, uint8_t *p, size_t n)
{
    while (n) {
        struct pollfd w = {.fd = fd, .events = POLLIN};
        if (poll(&w, 1, 10000) != 1)
            fail_msg("nothing comes");
        ssize_t got = recv(fd, p, n, 0);
        if (got <= 0)
            return false;
        p += got;
        n -= (size_t)got;
    }
    return true;
}

typedef struct heard {
    uint32_t stream;
    vs_ttrpc_response r;
    vs_buf body;
} heard;

static void forget(heard *h)
{
    vs_buf_free(&h->body);
}

static heard hear(int fd)
{
    uint8_t h[VS_TTRPC_HEAD];
    heard out = {.body = VS_BUF(VS_TTRPC_PAYLOAD_MAX)};
    vs_error err = {0};
    assert_true(hear_bytes(fd, h, sizeof h));
    vs_ttrpc_head head = vs_ttrpc_head_read(h);
    assert_int_equal(head.type, VS_TTRPC_RESPONSE);
    out.stream = head.stream;
    uint8_t *p = vs_buf_reserve(&out.body, head.length);
    assert_true(head.length == 0 || hear_bytes(fd, p, head.length));
    assert_vs_ok(vs_ttrpc_response_read(vs_buf_span(&out.body), &out.r, &err), &err);
    return out;
}

static void expect(int fd, uint32_t stream, vs_grpc_status status, const char *text)
{
    VS_CLEANUP(forget) heard h = hear(fd);
    assert_int_equal(h.stream, stream);
    assert_int_equal(h.r.status, status);
    assert_span_is(status == VS_GRPC_OK ? h.r.payload : h.r.message, text);
}

static void expect_end(int fd)
{
    uint8_t byte;
    assert_false(hear_bytes(fd, &byte, 1));
    (void)close(fd);
}

/* ---- server ---------------------------------------------------------------------------------- */

static void answers_come_as_they_are_ready(void **state)
{
    (void)state;
    vs_ttrpc_server *s = serve();
    int fd = dial();
    char long_nap[301];
    memset(long_nap, 'z', 300);
    long_nap[300] = '\0';
    ask(fd, 1, "Nap", long_nap);
    ask(fd, 3, "Echo", "quick");
    ask(fd, 5, "Refuse", "x");
    uint32_t order = 0;
    for (int i = 0; i < 2; i++) {
        VS_CLEANUP(forget) heard h = hear(fd);
        order |= h.stream == 3 ? 1u : h.stream == 5 ? 2u : 4u;
    }
    assert_int_equal(order, 3);
    expect(fd, 1, VS_GRPC_OK, "slept");
    (void)close(fd);
    vs_ttrpc_server_stop(&s, 100);
}

static void a_request_may_come_byte_by_byte(void **state)
{
    (void)state;
    vs_ttrpc_server *s = serve();
    int fd = dial();
    VS_CLEANUP(vs_buf_free) vs_buf frame = VS_BUF(4096);
    vs_ttrpc_request r = {VS_LIT("t.S"), VS_LIT("Echo"), VS_LIT("slow"), 0};
    vs_ttrpc_request_write(&frame, 7, &r);
    for (size_t i = 0; i < frame.n; i++) {
        say(fd, vs_span_of(frame.p + i, 1));
        pause_ms(1);
    }
    expect(fd, 7, VS_GRPC_OK, "slow");
    (void)close(fd);
    vs_ttrpc_server_stop(&s, 100);
}

static void a_request_cut_at_every_byte_is_no_call(void **state)
{
    (void)state;
    vs_ttrpc_server *s = serve();
    VS_CLEANUP(vs_buf_free) vs_buf frame = VS_BUF(4096);
    vs_ttrpc_request r = {VS_LIT("t.S"), VS_LIT("Echo"), VS_LIT("cut"), 0};
    vs_ttrpc_request_write(&frame, 1, &r);
    int before = atomic_load(&served);
    for (size_t n = 0; n < frame.n; n++) {
        int fd = dial();
        say(fd, vs_span_of(frame.p, n));
        (void)shutdown(fd, SHUT_WR);
        expect_end(fd);
    }
    assert_int_equal(atomic_load(&served), before);
    int fd = dial(); /* and it still serves */
    ask(fd, 1, "Echo", "after");
    expect(fd, 1, VS_GRPC_OK, "after");
    (void)close(fd);
    vs_ttrpc_server_stop(&s, 100);
}

static void what_cannot_be_served_is_answered_as_upstream_does(void **state)
{
    (void)state;
    vs_ttrpc_server *s = serve();
    int fd = dial();
    ask_within(fd, 1, "no.Such", "Echo", (vs_span){0}, 0);
    expect(fd, 1, VS_GRPC_INVALID_ARGUMENT, "no.Such service does not exist");
    ask(fd, 3, "Nothing", "");
    expect(fd, 3, VS_GRPC_UNIMPLEMENTED, "Nothing method");
    ask(fd, 5, "Later", "");
    expect(fd, 5, VS_GRPC_NOT_FOUND, "/t.S/Later is not supported");
    ask(fd, 7, "Refuse", "why");
    expect(fd, 7, VS_GRPC_INTERNAL, "no: why");
    ask(fd, 9, "TooMuch", "");
    expect(fd, 9, VS_GRPC_RESOURCE_EXHAUSTED, "the reply is larger than allowed");
    ask(fd, 11, "TooMuch", "x");
    expect(fd, 11, VS_GRPC_INVALID_ARGUMENT,
           "message length 4194311 exceed maximum message size of 4194304");
    head(fd, 3, 13, VS_TTRPC_REQUEST);
    say(fd, VS_LIT("\x08\x01\xff"));
    expect(fd, 13, VS_GRPC_INVALID_ARGUMENT, "the request is not a well-formed message");
    ask(fd, 15, "Echo", "still here");
    expect(fd, 15, VS_GRPC_OK, "still here");
    (void)close(fd);
    vs_ttrpc_server_stop(&s, 100);
}

static void stream_ids_are_odd_and_grow(void **state)
{
    (void)state;
    vs_ttrpc_server *s = serve();
    int fd = dial();
    ask(fd, 2, "Echo", "even");
    expect(fd, 2, VS_GRPC_INVALID_ARGUMENT, "stream id must be odd");
    ask(fd, 0, "Echo", "zero");
    expect(fd, 0, VS_GRPC_INVALID_ARGUMENT, "stream id must be odd");
    ask(fd, 5, "Echo", "five");
    expect(fd, 5, VS_GRPC_OK, "five");
    ask(fd, 5, "Echo", "again");
    expect(fd, 5, VS_GRPC_INVALID_ARGUMENT, "StreamID cannot be re-used and must increment");
    ask(fd, 3, "Echo", "back");
    expect(fd, 3, VS_GRPC_INVALID_ARGUMENT, "StreamID cannot be re-used and must increment");
    ask(fd, UINT32_MAX, "Echo", "the last");
    expect(fd, UINT32_MAX, VS_GRPC_OK, "the last");
    (void)close(fd);
    vs_ttrpc_server_stop(&s, 100);
}

static void other_frames_are_dropped_or_refused(void **state)
{
    (void)state;
    vs_ttrpc_server *s = serve();
    int fd = dial();
    head(fd, 4, 1, VS_TTRPC_DATA);
    say(fd, VS_LIT("data"));
    expect(fd, 1, VS_GRPC_INVALID_ARGUMENT, "Stream is no longer active");
    head(fd, 4, 3, VS_TTRPC_RESPONSE);
    say(fd, VS_LIT("resp"));
    head(fd, 0, 3, 77);
    ask(fd, 5, "Echo", "here");
    expect(fd, 5, VS_GRPC_OK, "here");
    (void)close(fd);
    vs_ttrpc_server_stop(&s, 100);
}

static void a_frame_of_4_mib_and_one_byte_is_read_and_refused(void **state)
{
    (void)state;
    vs_ttrpc_server *s = serve();
    int fd = dial();
    head(fd, VS_TTRPC_PAYLOAD_MAX + 1, 1, VS_TTRPC_REQUEST);
    VS_CLEANUP(vs_buf_free) vs_buf big = VS_BUF(VS_TTRPC_PAYLOAD_MAX + 1);
    assert_non_null(vs_buf_reserve(&big, VS_TTRPC_PAYLOAD_MAX + 1));
    memset(big.p, 'x', big.n);
    say(fd, vs_buf_span(&big));
    expect(fd, 1, VS_GRPC_INVALID_ARGUMENT,
           "message length 4194305 exceed maximum message size of 4194304");
    ask(fd, 3, "Echo", "here");
    expect(fd, 3, VS_GRPC_OK, "here");
    (void)close(fd);
    vs_ttrpc_server_stop(&s, 100);
}

static void the_largest_message_passes_both_ways(void **state)
{
    (void)state;
    vs_ttrpc_server *s = serve();
    vs_ttrpc_client *c = client(0);
    VS_CLEANUP(vs_buf_free) vs_buf big = VS_BUF(VS_TTRPC_PAYLOAD_MAX);
    VS_CLEANUP(vs_buf_free) vs_buf reply = VS_BUF(VS_TTRPC_PAYLOAD_MAX);
    vs_error err = {0};
    assert_non_null(vs_buf_reserve(&big, VS_TTRPC_PAYLOAD_MAX - 64));
    for (size_t i = 0; i < big.n; i++)
        big.p[i] = (uint8_t)(i * 7);
    assert_vs_ok(vs_ttrpc_call(c, "/t.S/Echo", vs_buf_span(&big), &reply, NULL, &err), &err);
    assert_span_eq(vs_buf_span(&big), vs_buf_span(&reply));
    vs_ttrpc_client_free(&c);
    vs_ttrpc_server_stop(&s, 100);
}

static void what_is_held_has_a_bound(void **state)
{
    (void)state;
    vs_ttrpc_server *s = start((vs_ttrpc_config){.held_bytes = 1 << 20});
    int greedy = dial(), fd = dial();
    head(greedy, 1 << 20, 1, VS_TTRPC_REQUEST); /* claims all there is, sends nothing */
    pause_ms(50);
    ask(fd, 1, "Echo", "no room");
    expect(fd, 1, VS_GRPC_RESOURCE_EXHAUSTED, "too many calls, or too much of them, wait here");
    (void)close(greedy);
    for (uint32_t stream = 3;; stream += 2) { /* the room is back */
        ask(fd, stream, "Echo", "room");
        VS_CLEANUP(forget) heard h = hear(fd);
        if (h.r.status == VS_GRPC_OK)
            break;
        assert_true(stream < 1000);
        pause_ms(5);
    }
    (void)close(fd);
    vs_ttrpc_server_stop(&s, 100);
}

static void a_frame_that_drips_is_cut(void **state)
{
    (void)state;
    vs_ttrpc_server *s = start((vs_ttrpc_config){.frame_ms = 100});
    int fd = dial();
    int64_t begin = vs_mono_ns();
    head(fd, 100, 1, VS_TTRPC_REQUEST);
    say(fd, VS_LIT("a"));
    expect_end(fd);
    assert_true(vs_mono_ns() - begin < 5000000000);
    fd = dial(); /* an idle connection stays */
    pause_ms(250);
    ask(fd, 1, "Echo", "idle");
    expect(fd, 1, VS_GRPC_OK, "idle");
    (void)close(fd);
    vs_ttrpc_server_stop(&s, 100);
}

static void who_takes_no_answers_is_disconnected(void **state)
{
    (void)state;
    vs_ttrpc_server *s = start((vs_ttrpc_config){.frame_ms = 200});
    int fd = dial();
    for (uint32_t i = 0; i < 100000; i++) { /* each is answered, nothing is read */
        uint8_t h[VS_TTRPC_HEAD] = {0, 0, 0, 0, 0, 0, 0, 1, VS_TTRPC_DATA};
        if (send(fd, h, sizeof h, MSG_NOSIGNAL | MSG_DONTWAIT) <= 0) {
            if (errno != EAGAIN)
                break;
            pause_ms(5);
        }
        assert_true(i < 99999);
    }
    (void)close(fd);
    vs_ttrpc_server_stop(&s, 100);
}

static void a_call_ends_at_its_deadline(void **state)
{
    (void)state;
    vs_ttrpc_server *s = serve();
    int fd = dial();
    VS_CLEANUP(vs_buf_free) vs_buf minute = VS_BUF(60000);
    assert_non_null(vs_buf_reserve(&minute, 60000));
    memset(minute.p, 'z', minute.n);
    int before = atomic_load(&gave_up);
    ask_within(fd, 1, "t.S", "Nap", vs_buf_span(&minute), 50000000);
    expect(fd, 1, VS_GRPC_DEADLINE_EXCEEDED, "timeout");
    ask(fd, 3, "Echo", "next"); /* no late answer comes in between */
    expect(fd, 3, VS_GRPC_OK, "next");
    for (int i = 0; i < 1000 && atomic_load(&gave_up) == before; i++)
        pause_ms(5);
    assert_int_equal(atomic_load(&gave_up), before + 1);
    ask_within(fd, 5, "t.S", "Echo", VS_LIT("ages"), INT64_MAX);
    expect(fd, 5, VS_GRPC_OK, "ages");
    (void)close(fd);
    vs_ttrpc_server_stop(&s, 100);
}

static void a_handler_learns_that_its_caller_is_gone(void **state)
{
    (void)state;
    vs_ttrpc_server *s = serve();
    VS_CLEANUP(vs_buf_free) vs_buf minute = VS_BUF(60000);
    assert_non_null(vs_buf_reserve(&minute, 60000));
    memset(minute.p, 'z', minute.n);
    int before = atomic_load(&gave_up);
    int fd = dial();
    ask_within(fd, 1, "t.S", "Nap", vs_buf_span(&minute), 0);
    for (int i = 0; i < 1000 && atomic_load(&running) == 0; i++)
        pause_ms(5);
    (void)close(fd);
    for (int i = 0; i < 1000 && atomic_load(&gave_up) == before; i++)
        pause_ms(5);
    assert_int_equal(atomic_load(&gave_up), before + 1);
    vs_ttrpc_server_stop(&s, 100);
}

static void only_so_many_calls_wait(void **state)
{
    (void)state;
    vs_ttrpc_server *s = start((vs_ttrpc_config){.requests = 4, .workers = 2});
    int fd = dial(), full = 0;
    char text[101];
    memset(text, 'z', 100);
    text[100] = '\0';
    for (uint32_t i = 0; i < 10; i++)
        ask(fd, 2 * i + 1, "Nap", text);
    for (int i = 0; i < 10; i++) {
        VS_CLEANUP(forget) heard h = hear(fd);
        full += h.r.status == VS_GRPC_RESOURCE_EXHAUSTED;
    }
    assert_int_equal(full, 6);
    (void)close(fd);
    vs_ttrpc_server_stop(&s, 100);
}

static void only_so_many_connect(void **state)
{
    (void)state;
    vs_ttrpc_server *s = start((vs_ttrpc_config){.connections = 2});
    int a = dial(), b = dial(), c = dial();
    expect_end(c);
    ask(a, 1, "Echo", "a");
    expect(a, 1, VS_GRPC_OK, "a");
    (void)close(b);
    for (int i = 0;; i++) {
        c = dial();
        struct pollfd p = {.fd = c, .events = POLLIN};
        if (poll(&p, 1, 20) == 0)
            break;
        (void)close(c);
        assert_true(i < 500);
    }
    ask(c, 1, "Echo", "c");
    expect(c, 1, VS_GRPC_OK, "c");
    (void)close(a);
    (void)close(c);
    vs_ttrpc_server_stop(&s, 100);
}

static void stopping_tells_what_does_not_end(void **state)
{
    (void)state;
    static char hours[4 * 1000 * 1000];
    vs_ttrpc_server *s = serve();
    int fd = dial(), before = atomic_load(&gave_up);
    memset(hours, 'x', sizeof hours - 1);
    ask(fd, 1, "Nap", hours);
    while (!atomic_load(&running))
        pause_ms(1);
    int64_t begin = vs_mono_ns();
    vs_ttrpc_server_stop(&s, 50);
    assert_true(vs_mono_ns() - begin < INT64_C(10000000000));
    assert_int_equal(atomic_load(&gave_up), before + 1);
    (void)close(fd);
}

static void stopping_answers_what_runs(void **state)
{
    (void)state;
    vs_ttrpc_server *s = serve();
    int fd = dial();
    char text[201];
    memset(text, 'z', 200);
    text[200] = '\0';
    ask(fd, 1, "Nap", text);
    for (int i = 0; i < 1000 && atomic_load(&running) == 0; i++)
        pause_ms(2);
    vs_ttrpc_server_stop(&s, 10000);
    expect(fd, 1, VS_GRPC_OK, "slept");
    expect_end(fd);
    assert_int_equal(access(path, F_OK), -1);
}

/* ---- who may call ---------------------------------------------------------------------------- */

/* What another user gets: 0 = an answer, 1 = disconnected, 2 = may not connect. */
static int as_other_user(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (setgid(65534) != 0 || setuid(65534) != 0)
            _exit(9);
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        struct sockaddr_un to = {.sun_family = AF_UNIX};
        (void)snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
        if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
            _exit(2);
        VS_CLEANUP(vs_buf_free) vs_buf frame = VS_BUF(4096);
        vs_ttrpc_request r = {VS_LIT("t.S"), VS_LIT("Echo"), VS_LIT("x"), 0};
        vs_ttrpc_request_write(&frame, 1, &r);
        (void)send(fd, frame.p, frame.n, MSG_NOSIGNAL);
        char byte;
        _exit(recv(fd, &byte, 1, 0) == 1 ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

static void only_users_that_are_named_may_call(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    static const uint32_t stranger[] = {65533}, known[] = {1, 65534};
    struct stat st;
    vs_ttrpc_server *s = serve();
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(as_other_user(), 2);
    vs_ttrpc_server_stop(&s, 100);
    s = start((vs_ttrpc_config){.uids = stranger, .n_uids = 1});
    assert_int_equal(as_other_user(), 1);
    vs_ttrpc_server_stop(&s, 100);
    s = start((vs_ttrpc_config){.uids = known, .n_uids = 2});
    assert_int_equal(as_other_user(), 0);
    vs_ttrpc_server_stop(&s, 100);
    s = start((vs_ttrpc_config){.has_gid = true, .gid = 65534});
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    assert_int_equal(st.st_gid, 65534);
    assert_int_equal(as_other_user(), 0);
    vs_ttrpc_server_stop(&s, 100);
}

static void a_socket_in_use_is_not_taken(void **state)
{
    (void)state;
    vs_ttrpc_server *s = serve(), *second = NULL;
    vs_ttrpc_config cfg = {.address = address, .methods = methods, .n_methods = 1};
    assert_vs_code(vs_ttrpc_server_start(&cfg, &second, NULL), VS_E_EXISTS);
    assert_null(second);
    cfg.address = "tcp://127.0.0.1:1";
    assert_vs_code(vs_ttrpc_server_start(&cfg, &second, NULL), VS_E_INVALID);
    vs_ttrpc_server_stop(&s, 100);
}

/* ---- client ---------------------------------------------------------------------------------- */

typedef struct load {
    vs_ttrpc_client *client;
    unsigned seed;
    int failed;
} load;

static void *call_often(void *arg)
{
    load *l = arg;
    for (unsigned i = 0; i < 300; i++) {
        VS_CLEANUP(vs_buf_free) vs_buf reply = VS_BUF(4096);
        char text[64];
        int n = snprintf(text, sizeof text, "%u of %u", i, l->seed);
        if (vs_ttrpc_call(l->client, "/t.S/Echo", vs_span_of(text, (size_t)n), &reply, NULL,
                          NULL) != VS_OK ||
            !vs_span_is(vs_buf_span(&reply), text))
            l->failed++;
    }
    return NULL;
}

static void many_threads_share_a_connection(void **state)
{
    (void)state;
    vs_ttrpc_server *s = serve();
    vs_ttrpc_client *c = client(0);
    pthread_t threads[8];
    load loads[8];
    for (unsigned i = 0; i < 8; i++) {
        loads[i] = (load){c, i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, &loads[i]), 0);
    }
    for (unsigned i = 0; i < 8; i++) {
        (void)pthread_join(threads[i], NULL);
        assert_int_equal(loads[i].failed, 0);
    }
    vs_ttrpc_client_free(&c);
    vs_ttrpc_server_stop(&s, 100);
}

static void the_client_connects_again_after_a_restart(void **state)
{
    (void)state;
    vs_ttrpc_server *s = serve();
    vs_ttrpc_client *c = client(0);
    vs_error err = {0};
    for (int i = 0; i < 3; i++) {
        VS_CLEANUP(vs_buf_free) vs_buf reply = VS_BUF(4096);
        assert_vs_ok(vs_ttrpc_call(c, "/t.S/Echo", VS_LIT("x"), &reply, NULL, &err), &err);
        vs_ttrpc_server_stop(&s, 100);
        s = serve();
    }
    vs_ttrpc_server_stop(&s, 100);
    VS_CLEANUP(vs_buf_free) vs_buf reply = VS_BUF(4096);
    vs_grpc_status status;
    assert_vs_code(vs_ttrpc_call(c, "/t.S/Echo", VS_LIT("x"), &reply, &status, &err), VS_E_IO);
    assert_int_equal(status, VS_GRPC_UNAVAILABLE);
    assert_int_equal(reply.n, 0);
    vs_ttrpc_client_free(&c);
}

static void the_client_gives_up_in_time(void **state)
{
    (void)state;
    vs_ttrpc_server *s = serve();
    vs_ttrpc_client *c = client(100);
    char text[501];
    memset(text, 'z', 500);
    text[500] = '\0';
    VS_CLEANUP(vs_buf_free) vs_buf reply = VS_BUF(4096);
    vs_grpc_status status;
    assert_vs_code(vs_ttrpc_call(c, "/t.S/Nap", vs_str(text), &reply, &status, NULL), VS_E_TIMEOUT);
    assert_int_equal(status, VS_GRPC_DEADLINE_EXCEEDED);
    vs_error err = {0};
    assert_vs_ok(vs_ttrpc_call(c, "/t.S/Echo", VS_LIT("next"), &reply, NULL, &err), &err);
    assert_span_is(vs_buf_span(&reply), "next");
    vs_ttrpc_client_free(&c);
    vs_ttrpc_server_stop(&s, 100);
}

/* A server that answers whatever a test wants to the first frame of each connection. */
typedef struct liar {
    int listener;
    vs_span answer;
    pthread_t thread;
} liar;

static void *lie(void *arg)
{
    liar *l = arg;
    uint8_t in[4096];
    int fd = accept(l->listener, NULL, NULL);
    (void)recv(fd, in, sizeof in, 0);
    (void)send(fd, l->answer.p, l->answer.n, MSG_NOSIGNAL);
    (void)shutdown(fd, SHUT_WR);
    while (recv(fd, in, sizeof in, 0) > 0) {
    }
    (void)close(fd);
    return NULL;
}

static vs_grpc_status told(vs_span answer, vs_buf *reply)
{
    liar l = {.listener = socket(AF_UNIX, SOCK_STREAM, 0), .answer = answer};
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    (void)unlink(path);
    assert_int_equal(bind(l.listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(l.listener, 1), 0);
    assert_int_equal(pthread_create(&l.thread, NULL, lie, &l), 0);
    vs_ttrpc_client *c = client(5000);
    vs_grpc_status status;
    vs_code code = vs_ttrpc_call(c, "/t.S/Echo", VS_LIT("x"), reply, &status, NULL);
    assert_int_equal(code == VS_OK, status == VS_GRPC_OK);
    vs_ttrpc_client_free(&c);
    (void)pthread_join(l.thread, NULL);
    (void)close(l.listener);
    (void)unlink(path);
    return status;
}

#define FRAME(length, stream, type) "\0\0\0" length "\0\0\0" stream type "\0"

static void a_hostile_server_gets_nowhere(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        vs_span answer;
        vs_grpc_status want;
    } cases[] = {
        {"nothing", {0}, VS_GRPC_UNAVAILABLE},
        {"half a header", VS_LIT("\0\0\0"), VS_GRPC_UNAVAILABLE},
        {"half a body", VS_LIT(FRAME("\x08", "\x01", "\x02") "\x0a"), VS_GRPC_UNAVAILABLE},
        {"another stream", VS_LIT(FRAME("\x04", "\x03", "\x02") "\x12\x02hi"), VS_GRPC_UNAVAILABLE},
        {"a request", VS_LIT(FRAME("\x04", "\x01", "\x01") "\x12\x02hi"), VS_GRPC_UNAVAILABLE},
        {"no protobuf", VS_LIT(FRAME("\x02", "\x01", "\x02") "\xff\xff"), VS_GRPC_INTERNAL},
        {"4 MiB and one byte", VS_LIT("\x00\x40\x00\x01\0\0\0\x01\x02\0"), VS_GRPC_INTERNAL},
        {"4 GiB", VS_LIT("\xff\xff\xff\xff\0\0\0\x01\x02\0"), VS_GRPC_INTERNAL},
        {"a code that is none", VS_LIT(FRAME("\x04", "\x01", "\x02") "\x0a\x02\x08\x7f"),
         VS_GRPC_UNKNOWN},
        {"as Go writes it", VS_LIT(FRAME("\x04", "\x01", "\x02") "\x12\x02hi"), VS_GRPC_OK},
        {"data first, then the answer",
         VS_LIT(FRAME("\x02", "\x01", "\x03") "zz" FRAME("\x04", "\x01", "\x02") "\x12\x02hi"),
         VS_GRPC_OK},
    };
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf reply = VS_BUF(4096);
        vs_grpc_status got = told(cases[i].answer, &reply);
        if (got != cases[i].want)
            fail_msg("%s: %s", cases[i].what, vs_grpc_status_name(got));
        assert_int_equal(reply.n, got == VS_GRPC_OK ? 2 : 0);
    }
}

static void addresses_are_checked(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "unix://",
                                      "unix://x",
                                      "unix:///",
                                      "tcp://127.0.0.1:1",
                                      "/run/x",
                                      "unix:///ttttttttttttttttttttttttttttttttttttttt"
                                      "ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt"
                                      "ttttttttttttttttttttttttt"};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        vs_ttrpc_client *c = NULL;
        vs_ttrpc_client_config cfg = {.address = bad[i]};
        vs_code code = vs_ttrpc_client_new(&cfg, &c, NULL);
        if (code != VS_E_INVALID)
            fail_msg("taken: %s", bad[i]);
        assert_null(c);
    }
}

static int make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir) || chmod(dir, 0755) != 0)
        return -1;
    (void)snprintf(path, sizeof path, "%s/sock", dir);
    (void)snprintf(address, sizeof address, "unix://%s", path);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_as_they_are_ready),
        cmocka_unit_test(a_request_may_come_byte_by_byte),
        cmocka_unit_test(a_request_cut_at_every_byte_is_no_call),
        cmocka_unit_test(what_cannot_be_served_is_answered_as_upstream_does),
        cmocka_unit_test(stream_ids_are_odd_and_grow),
        cmocka_unit_test(other_frames_are_dropped_or_refused),
        cmocka_unit_test(a_frame_of_4_mib_and_one_byte_is_read_and_refused),
        cmocka_unit_test(the_largest_message_passes_both_ways),
        cmocka_unit_test(what_is_held_has_a_bound),
        cmocka_unit_test(a_frame_that_drips_is_cut),
        cmocka_unit_test(who_takes_no_answers_is_disconnected),
        cmocka_unit_test(a_call_ends_at_its_deadline),
        cmocka_unit_test(a_handler_learns_that_its_caller_is_gone),
        cmocka_unit_test(only_so_many_calls_wait),
        cmocka_unit_test(only_so_many_connect),
        cmocka_unit_test(stopping_tells_what_does_not_end),
        cmocka_unit_test(stopping_answers_what_runs),
        cmocka_unit_test(only_users_that_are_named_may_call),
        cmocka_unit_test(a_socket_in_use_is_not_taken),
        cmocka_unit_test(many_threads_share_a_connection),
        cmocka_unit_test(the_client_connects_again_after_a_restart),
        cmocka_unit_test(the_client_gives_up_in_time),
        cmocka_unit_test(a_hostile_server_gets_nowhere),
        cmocka_unit_test(addresses_are_checked),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
