/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers that wait for others: what becomes of the threads, and who ends the wait. */
#include "wire.h"

#include <dirent.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/wait.h"
#include "net/task_pool.h"
#include "net/ttrpc.h"

enum { THREADS = 2, WAITING = 6 };

static atomic_int waits, refused, ran, halted;
static atomic_bool let_go;

static void until(atomic_int *n, int want)
{
    for (int i = 0; i < 4000 && atomic_load(n) != want; i++)
        (void)vs_wait_pause(5);
    assert_int_equal(atomic_load(n), want);
}

static void wait_for_others(bool brief)
{
    if (vs_task_wait(brief, NULL) != VS_OK) {
        atomic_fetch_add(&refused, 1);
        return;
    }
    if (vs_task_wait(brief, NULL) == VS_OK) /* counts as one with the other */
        vs_task_waited();
    atomic_fetch_add(&waits, 1);
    while (!atomic_load(&let_go) && !vs_wait_is_over())
        (void)vs_wait_pause(5);
    if (vs_wait_is_over())
        atomic_fetch_add(&halted, 1);
    atomic_fetch_sub(&waits, 1);
    vs_task_waited();
}

static void patient(vs_task *t, bool run)
{
    (void)t;
    if (run)
        wait_for_others(false);
}

static void brief(vs_task *t, bool run)
{
    (void)t;
    if (run)
        wait_for_others(true);
}

static void quick(vs_task *t, bool run)
{
    (void)t;
    if (run)
        atomic_fetch_add(&ran, 1);
}

static vs_task_pool *make(void)
{
    vs_task_pool *p = NULL;
    vs_error err = {0};
    atomic_store(&let_go, false);
    atomic_store(&refused, 0);
    atomic_store(&ran, 0);
    atomic_store(&halted, 0);
    assert_vs_ok(vs_task_pool_new(THREADS, WAITING, 64, &p, &err), &err);
    return p;
}

static void add(vs_task_pool *p, vs_task *tasks, size_t n, void (*call)(vs_task *t, bool run))
{
    for (size_t i = 0; i < n; i++) {
        tasks[i].call = call;
        assert_true(vs_task_pool_add(p, &tasks[i]));
    }
}

static unsigned threads_of_process(void)
{
    unsigned n = 0;
    DIR *d = opendir("/proc/self/task");
    assert_non_null(d);
    while (readdir(d))
        n++;
    (void)closedir(d);
    return n;
}

static void tasks_that_wait_leave_the_threads_to_others(void **state)
{
    (void)state;
    vs_task first[WAITING], second[3], third[VS_TASK_BRIEF + 1], last[40];
    vs_task_pool *p = make();
    unsigned before = threads_of_process();
    for (int round = 0; round < 3; round++) {
        atomic_store(&let_go, false);
        atomic_store(&refused, 0);
        atomic_store(&ran, 0);
        add(p, first, WAITING, patient);
        until(&waits, WAITING);
        add(p, second, 3, patient);
        until(&refused, 3); /* at once: the others wait still */
        assert_int_equal(atomic_load(&waits), WAITING);
        add(p, third, VS_TASK_BRIEF + 1, brief);
        until(&waits, WAITING + VS_TASK_BRIEF);
        until(&refused, 4);
        add(p, last, 40, quick);
        until(&ran, 40);
        atomic_store(&let_go, true);
        until(&waits, 0);
    }
    unsigned after = 0;
    for (int i = 0; i < 400; i++, (void)vs_wait_pause(5)) {
        after = threads_of_process();
        if (after <= before + THREADS)
            break;
    }
    assert_in_range(after, before, before + THREADS);
    vs_task_pool_stop(&p);
    assert_null(p);
}

static void stopping_ends_what_waits(void **state)
{
    (void)state;
    vs_task tasks[WAITING];
    vs_task_pool *p = make();
    add(p, tasks, WAITING, patient);
    until(&waits, WAITING);
    vs_task_pool_stop(&p);
    assert_int_equal(atomic_load(&halted), WAITING);
    assert_int_equal(atomic_load(&waits), 0);
}

static void a_thread_of_no_pool_waits_as_it_likes(void **state)
{
    (void)state;
    vs_error err = {0};
    for (int i = 0; i < 1000; i++)
        assert_vs_ok(vs_task_wait(false, &err), &err);
    assert_false(vs_wait_is_over());
    assert_true(vs_wait_pause(1));
    int64_t now = vs_mono_ns();
    assert_true(vs_wait_step(now + 1000000000) == now + 1000000000);
}

static bool yes(void *user)
{
    atomic_fetch_add((atomic_int *)user, 1);
    return true;
}

static void a_wait_ends_at_its_deadline_and_when_it_is_in_vain(void **state)
{
    (void)state;
    atomic_bool gone = false;
    atomic_int asked = 0;
    int64_t start = vs_mono_ns();
    (void)vs_wait_set((vs_wait){.until = start + 50000000, .gone = &gone});
    assert_false(vs_wait_pause(20000));
    assert_in_range(vs_mono_ns() - start, 50000000, 10000000000);
    assert_true(vs_wait_end(start + 99000000) == start + 50000000);
    (void)vs_wait_set((vs_wait){.gone = &gone});
    assert_false(vs_wait_is_over());
    atomic_store(&gone, true);
    assert_true(vs_wait_is_over());
    assert_false(vs_wait_pause(20000));
    vs_wait before = vs_wait_set((vs_wait){.in_vain = yes, .user = &asked});
    assert_ptr_equal(before.gone, &gone);
    assert_true(vs_wait_is_over());
    assert_int_equal(atomic_load(&asked), 1);
    (void)vs_wait_set((vs_wait){0});
    assert_false(vs_wait_is_over());
}

/* ---- over the wire --------------------------------------------------------------------------- */

static char dir[] = "/tmp/vs-waiting-XXXXXX";
static char address[80];

static void quick_method(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    (void)user;
    (void)call;
    (void)reply;
}

static void waiting_method(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    (void)user;
    (void)call;
    (void)reply;
    wait_for_others(false);
}

static const vs_grpc_method methods[] = {{"/t.S/Quick", quick_method, NULL},
                                         {"/t.S/Wait", waiting_method, NULL}};

static int begin(void **state)
{
    (void)state;
    atomic_store(&let_go, false);
    atomic_store(&refused, 0);
    atomic_store(&halted, 0);
    return 0;
}

static vs_ttrpc_server *serve_ttrpc(void)
{
    vs_ttrpc_server *s = NULL;
    vs_error err = {0};
    const vs_ttrpc_config cfg = {.address = address,
                                 .methods = methods,
                                 .n_methods = VS_COUNT(methods),
                                 .workers = THREADS,
                                 .waiting = WAITING};
    assert_vs_ok(vs_ttrpc_server_start(&cfg, &s, &err), &err);
    return s;
}

static vs_ttrpc_client *client(unsigned connections)
{
    vs_ttrpc_client *c = NULL;
    vs_error err = {0};
    const vs_ttrpc_client_config cfg = {.address = address, .connections = connections};
    assert_vs_ok(vs_ttrpc_client_new(&cfg, &c, &err), &err);
    return c;
}

static vs_code call(vs_ttrpc_client *c, const char *method)
{
    VS_CLEANUP(vs_buf_free) vs_buf reply = VS_BUF(4096);
    return vs_ttrpc_call(c, method, (vs_span){0}, &reply, NULL, NULL);
}

typedef struct caller {
    pthread_t thread;
    vs_ttrpc_client *client;
    atomic_bool gone;
    vs_code code;
} caller;

static void *call_and_wait(void *arg)
{
    caller *c = arg;
    (void)vs_wait_set((vs_wait){.gone = &c->gone});
    c->code = call(c->client, "/t.S/Wait");
    return NULL;
}

/* With a connection for each call the server is told by its end. */
static void a_call_that_nobody_waits_for_is_cancelled_at_the_server(void **state)
{
    (void)state;
    vs_ttrpc_server *s = serve_ttrpc();
    vs_ttrpc_client *c = client(WAITING);
    for (int round = 0; round < 3; round++) {
        caller callers[WAITING] = {0};
        atomic_store(&halted, 0);
        for (int i = 0; i < WAITING; i++) {
            callers[i].client = c;
            assert_int_equal(pthread_create(&callers[i].thread, NULL, call_and_wait, &callers[i]),
                             0);
        }
        until(&waits, WAITING);
        assert_int_equal(call(c, "/t.S/Quick"), VS_OK);
        for (int i = 0; i < WAITING; i++) {
            atomic_store(&callers[i].gone, true);
            (void)pthread_join(callers[i].thread, NULL);
            assert_int_equal(callers[i].code, VS_E_TIMEOUT);
        }
        until(&halted, WAITING);
        until(&waits, 0);
    }
    assert_int_equal(call(c, "/t.S/Quick"), VS_OK);
    vs_ttrpc_client_free(&c);
    vs_ttrpc_server_stop(&s, 100);
}

static void a_call_has_no_more_time_than_its_thread(void **state)
{
    (void)state;
    vs_ttrpc_server *s = serve_ttrpc();
    vs_ttrpc_client *c = client(0);
    int64_t start = vs_mono_ns();
    (void)vs_wait_set((vs_wait){.until = start + 100000000});
    assert_int_equal(call(c, "/t.S/Wait"), VS_E_TIMEOUT);
    assert_in_range(vs_mono_ns() - start, 100000000, 10000000000);
    assert_int_equal(call(c, "/t.S/Quick"), VS_E_TIMEOUT);
    (void)vs_wait_set((vs_wait){0});
    until(&halted, 1);
    assert_int_equal(call(c, "/t.S/Quick"), VS_OK);
    vs_ttrpc_client_free(&c);
    vs_ttrpc_server_stop(&s, 100);
}

static void answer_or_wait(void *user, const vs_http_request *req, vs_http_response *resp)
{
    (void)user;
    (void)resp;
    if (vs_span_is(req->path, "/wait"))
        wait_for_others(false);
}

static void a_client_that_leaves_ends_the_wait_of_its_request(void **state)
{
    (void)state;
    const vs_http_config cfg = {.sockets = any_port,
                                .n_sockets = 1,
                                .threads = 1,
                                .workers = THREADS,
                                .waiting = WAITING,
                                .handler = answer_or_wait};
    vs_http_server *s = NULL;
    vs_error err = {0};
    int fds[WAITING];
    assert_vs_ok(vs_http_server_start(&cfg, &s, &err), &err);
    for (int round = 0; round < 3; round++) {
        atomic_store(&halted, 0);
        for (int i = 0; i < WAITING; i++) {
            fds[i] = dial(s);
            say(fds[i], "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
        }
        until(&waits, WAITING);
        assert_int_equal(status_of(ask(s, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")), 200);
        for (int i = 0; i < WAITING; i++)
            (void)close(fds[i]);
        until(&halted, WAITING);
        until(&waits, 0);
    }
    int fd = dial(s); /* one that stays is answered */
    say(fd, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    until(&waits, 1);
    (void)vs_wait_pause(600);
    assert_int_equal(atomic_load(&waits), 1);
    atomic_store(&let_go, true);
    bool closed;
    assert_int_equal(status_of(hear(fd, 1000, &closed)), 200);
    (void)close(fd);
    vs_http_server_stop(&s, 1000);
}

static int make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return 1;
    (void)snprintf(address, sizeof address, "unix://%s/sock", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(tasks_that_wait_leave_the_threads_to_others, begin),
        cmocka_unit_test_setup(stopping_ends_what_waits, begin),
        cmocka_unit_test_setup(a_thread_of_no_pool_waits_as_it_likes, begin),
        cmocka_unit_test_setup(a_wait_ends_at_its_deadline_and_when_it_is_in_vain, begin),
        cmocka_unit_test_setup(a_call_that_nobody_waits_for_is_cancelled_at_the_server, begin),
        cmocka_unit_test_setup(a_call_has_no_more_time_than_its_thread, begin),
        cmocka_unit_test_setup(a_client_that_leaves_ends_the_wait_of_its_request, begin),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
