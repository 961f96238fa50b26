/* SPDX-License-Identifier: Apache-2.0 */
/* The sandbox from inside, in child processes: what still works, what no longer does, and kernels
 * that have less of it. */
#include "testing.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/io.h"
#include "cmd/sandbox.h"
#include "net/grpc.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "plugins/run.h"
#include "store/store.h"

static char dir[] = "/tmp/vs-sandbox-XXXXXX";

/* In a child: exits with the number of the first expectation that failed, 0 when all held. */
#define EXPECT(n, what)                                                                            \
    do {                                                                                           \
        if (!(what))                                                                               \
            _exit(n);                                                                              \
    } while (0)

static int in_child(void (*run)(void))
{
    (void)fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        run();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void assert_held(int status)
{
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("child: %s %d", WIFSIGNALED(status) ? "signal" : "expectation",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void enter(void)
{
    sandbox s = {.n_read = 0};
    vs_error err = {0};
    sandbox_may_write(&s, dir);
    sandbox_may_read(&s, "/nonexistent/file"); /* what is not there is no error */
    sandbox_may_read(&s, NULL);
    EXPECT(100, sandbox_enter(&s, &err) == VS_OK);
}

static bool has_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 1;
}

/* ---- what works --------------------------------------------------------------------------------
 */

static void hello(void *user, const vs_http_request *req, vs_http_response *resp)
{
    (void)user;
    (void)req;
    vs_buf_puts(&resp->body, "hello");
}

static void echo(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    (void)user;
    vs_buf_put(&reply->body, call->request);
}

static void serve_and_call(void)
{
    static const char *const any_port[] = {"127.0.0.1:0"};
    static const vs_grpc_method methods[] = {{"/t.T/Echo", echo, NULL}};
    static const vs_grpc_services services = {.methods = methods, .n_methods = 1};
    vs_error err = {0};
    vs_http_server *server = NULL;
    vs_http_config cfg = {.sockets = any_port,
                          .n_sockets = 1,
                          .threads = 1,
                          .workers = 1,
                          .handler = hello,
                          .grpc = &services};
    enter();
    EXPECT(1, vs_http_server_start(&cfg, &server, &err) == VS_OK);
    char url[64];
    int status = 0;
    VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(1024);
    vs_http_client *client = NULL;
    vs_http_client_config http = {.user_agent = "test"};
    /* By name: libcurl resolves on a thread, with the C library's plug-ins. */
    (void)snprintf(url, sizeof url, "http://localhost:%u/", vs_http_server_port(server, 0));
    EXPECT(2, vs_http_client_new(&http, &client, &err) == VS_OK);
    vs_http_call call = {.method = "GET", .url = url};
    EXPECT(3, vs_http_client_do(client, &call, &status, &body, &err) == VS_OK && status == 200);
    EXPECT(4, vs_span_is(vs_buf_span(&body), "hello"));
    vs_http_client_free(&client);
    vs_grpc_client *grpc = NULL;
    (void)snprintf(url, sizeof url, "http://localhost:%u", vs_http_server_port(server, 0));
    vs_grpc_client_config g = {.url = url};
    vs_buf_clear(&body);
    EXPECT(5, vs_grpc_client_new(&g, &grpc, &err) == VS_OK);
    EXPECT(6, vs_grpc_client_call(grpc, "/t.T/Echo", VS_LIT("abc"), &body, NULL, &err) == VS_OK);
    EXPECT(7, vs_span_is(vs_buf_span(&body), "abc"));
    vs_grpc_client_free(&grpc);
    vs_http_server_stop(&server, 100);
}

static void store_all_ways(void)
{
    static vs_code (*const open_store[])(const char *, vs_store **, vs_error *) = {
        vs_store_open_sqlite, vs_store_open_localfs, vs_store_open_localjson};
    enter();
    for (size_t i = 0; i < VS_COUNT(open_store); i++) {
        char path[96];
        vs_error err = {0};
        vs_store *s = NULL;
        (void)snprintf(path, sizeof path, "%s/store%zu", dir, i);
        EXPECT(10, open_store[i](path, &s, &err) == VS_OK);
        EXPECT(11, vs_store_put(s, "repository", VS_LIT("a/b/c"), VS_LIT("v"), 0, VS_PUT_REPLACE,
                                &err) == VS_OK);
        EXPECT(12, vs_store_ping(s, &err) == VS_OK);
        VS_CLEANUP(vs_buf_free) vs_buf v = VS_BUF(10);
        EXPECT(13, vs_store_get(s, "repository", VS_LIT("a/b/c"), 0, &v, &err) == VS_OK);
        vs_store_close(&s);
    }
}

static void what_a_server_does_still_works(void **state)
{
    (void)state;
    assert_held(in_child(serve_and_call));
    assert_held(in_child(store_all_ways));
}

/* ---- what does not ------------------------------------------------------------------------------
 */

static void touch_files(void)
{
    enter();
    char path[96];
    (void)snprintf(path, sizeof path, "%s/own", dir);
    EXPECT(1, open(path, O_RDWR | O_CREAT, 0600) >= 0);
    EXPECT(2, open("/etc/passwd", O_RDONLY) >= 0); /* libraries need /etc */
    EXPECT(3, open("/tmp", O_RDONLY | O_DIRECTORY) < 0 && errno == EACCES);
    EXPECT(4, open("/tmp/vs-sandbox-other", O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
    EXPECT(5, open("/etc/vs-sandbox", O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
    EXPECT(6, rename(path, "/tmp/vs-sandbox-other") < 0);
    (void)snprintf(path, sizeof path, "%s/fifo", dir);
    EXPECT(7, mkfifo(path, 0600) < 0);
}

static void ask_for_calls(void)
{
    enter();
    EXPECT(1, socket(AF_PACKET, SOCK_RAW, 0) < 0);
    EXPECT(2, kill(1, 0) < 0 && errno == ENOSYS);
    EXPECT(3, kill(getppid(), SIGTERM) < 0);
    EXPECT(4, mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                  MAP_FAILED);
    void *page = mmap(NULL, 4096, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(5, page != MAP_FAILED && mprotect(page, 4096, PROT_READ | PROT_EXEC) < 0);
    EXPECT(6, syscall(SYS_io_uring_setup, 1, NULL) < 0 && errno == ENOSYS);
}

static void run_a_program(void)
{
    enter();
    (void)execl("/bin/true", "true", (char *)NULL);
}

/* Another program than the one that is allowed; a copy of that one under another name. */
static void run_another_program(void)
{
    sandbox s = {.n_read = 0};
    vs_error err = {0};
    sandbox_may_run(&s, "true"); /* by PATH */
    EXPECT(1, sandbox_enter(&s, &err) == VS_OK);
    if (has_landlock()) {
        (void)execl("/usr/bin/env", "env", (char *)NULL);
        EXPECT(2, errno == EACCES);
        (void)execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL);
        EXPECT(3, errno == EACCES);
    }
}

/* Started as the plugin does it, with what it needs: its dynamic loader, its own signals. */
static void run_the_program(void)
{
    sandbox s = {.n_read = 0};
    vs_error err = {0};
    char script[96];
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1024);
    (void)snprintf(script, sizeof script, "%s/script", dir);
    EXPECT(1,
           vs_write_file(script, VS_LIT("#! /bin/sh\necho \"$1\"; cat /etc/hostname; : >/tmp/x\n"),
                         0700, &err) == VS_OK);
    sandbox_may_run(&s, script);
    sandbox_may_write(&s, dir);
    EXPECT(2, sandbox_enter(&s, &err) == VS_OK);
    const char *const argv[] = {script, "hello", NULL};
    vs_code code = run_program(argv, 10000, &out, &err);
    EXPECT(3, vs_span_starts(vs_buf_span(&out), VS_LIT("hello\n")));
    if (has_landlock()) { /* the script's own children are as bound as it is */
        EXPECT(4, code == VS_E_IO && strstr((const char *)out.p, "/tmp/x"));
        EXPECT(5, strstr((const char *)out.p, "ermission denied"));
    }
}

static void run_forever(void)
{
    sandbox s = {.n_read = 0};
    vs_error err = {0};
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1024);
    sandbox_may_run(&s, "/bin/sleep");
    EXPECT(1, sandbox_enter(&s, &err) == VS_OK);
    const char *const argv[] = {"/bin/sleep", "30", NULL};
    EXPECT(2, run_program(argv, 100, &out, &err) == VS_E_TIMEOUT);
}

static void one_program_may_be_run(void **state)
{
    (void)state;
    assert_held(in_child(run_another_program));
    assert_held(in_child(run_the_program));
    assert_held(in_child(run_forever));
}

static void *mount_something(void *arg)
{
    (void)syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL);
    return arg;
}

static void mount_in_a_thread(void)
{
    pthread_t t;
    enter();
    EXPECT(1, pthread_create(&t, NULL, mount_something, NULL) == 0);
    (void)pthread_join(t, NULL);
}

static void what_a_server_never_does_fails_or_kills(void **state)
{
    (void)state;
    if (has_landlock())
        assert_held(in_child(touch_files));
    else
        print_message("skipped in part: this kernel has no Landlock\n");
    assert_held(in_child(ask_for_calls));
    int status = in_child(run_a_program);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
    status = in_child(mount_in_a_thread);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

/* ---- kernels that have less ---------------------------------------------------------------------
 */

/* As though the kernel had no such call. */
static void take_away(const char *call, int why)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
    EXPECT(110, f && seccomp_rule_add(f, SCMP_ACT_ERRNO((uint32_t)why),
                                      seccomp_syscall_resolve_name(call), 0) == 0);
    EXPECT(111, seccomp_load(f) == 0);
    seccomp_release(f);
}

static void without_landlock(void)
{
    take_away("landlock_create_ruleset", ENOSYS);
    enter();
    EXPECT(1, kill(1, 0) < 0 && errno == ENOSYS); /* the rest is on */
}

static void with_landlock_switched_off(void)
{
    take_away("landlock_create_ruleset", EOPNOTSUPP);
    enter();
}

static void without_seccomp(void)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
    EXPECT(1, f && seccomp_rule_add(f, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(seccomp), 0) == 0);
    EXPECT(2, seccomp_rule_add(f, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1,
                               SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP)) == 0);
    EXPECT(3, seccomp_load(f) == 0);
    seccomp_release(f);
    enter();
    EXPECT(4, kill(getpid(), 0) == 0);
    if (has_landlock())
        EXPECT(5, open("/tmp/vs-sandbox-other", O_WRONLY | O_CREAT, 0600) < 0);
}

static void a_kernel_with_less_is_a_warning(void **state)
{
    (void)state;
    assert_held(in_child(without_landlock));
    assert_held(in_child(with_landlock_switched_off));
    assert_held(in_child(without_seccomp));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_server_does_still_works),
        cmocka_unit_test(what_a_server_never_does_fails_or_kills),
        cmocka_unit_test(one_program_may_be_run),
        cmocka_unit_test(a_kernel_with_less_is_a_warning),
    };
    if (!mkdtemp(dir))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[96];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command) == 0 ? failed : 1;
}
