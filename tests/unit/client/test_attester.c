/* SPDX-License-Identifier: Apache-2.0 */
/* The report devices: a socket served by a thread; a directory whose kernel is played by wrapped
 * system calls (the linker's --wrap), since a plain directory does not make attributes. */
#include "testing.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "client/attester.h"
#include "client/tsm_socket.h"

/* ---- the played kernel ------------------------------------------------------------------------
 */

static struct {
    bool on;
    const char *provider, *generation;
    int mkdir_errno, outblob_errno;
    size_t outblob_n;
    char written[200];
    ssize_t written_n;
    int made, removed;
    bool link_outblob; /* a symbolic link instead of the attribute */
} kernel;

int __real_mkdirat(int dir, const char *name, mode_t mode);
int __wrap_mkdirat(int dir, const char *name, mode_t mode);
int __real_openat64(int dir, const char *name, int flags, ...);
int __wrap_openat64(int dir, const char *name, int flags, ...);
int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);

static void put_file(int dir, const char *name, const void *data, size_t n)
{
    int fd = __real_openat64(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, n), (ssize_t)n);
    (void)close(fd);
}

int __wrap_mkdirat(int dir, const char *name, mode_t mode)
{
    if (kernel.on && kernel.mkdir_errno) {
        errno = kernel.mkdir_errno;
        return -1;
    }
    int r = __real_mkdirat(dir, name, mode);
    if (!kernel.on || r != 0)
        return r;
    kernel.made++;
    int inst = __real_openat64(dir, name, O_RDONLY | O_DIRECTORY);
    put_file(inst, "provider", kernel.provider, strlen(kernel.provider));
    put_file(inst, "generation", kernel.generation, strlen(kernel.generation));
    put_file(inst, "inblob", "", 0);
    static uint8_t token[VS_TSM_OUTBLOB_MAX + 10];
    for (size_t i = 0; i < sizeof token; i++)
        token[i] = (uint8_t)(217 + i);
    if (kernel.link_outblob)
        assert_int_equal(symlinkat("provider", inst, "outblob"), 0);
    else
        put_file(inst, "outblob", token, kernel.outblob_n);
    (void)close(inst);
    return 0;
}

int __wrap_openat64(int dir, const char *name, int flags, ...)
{
    if (kernel.on && kernel.outblob_errno && strcmp(name, "outblob") == 0) {
        errno = kernel.outblob_errno;
        return -1;
    }
    return __real_openat64(dir, name, flags, 0600);
}

/* configfs removes the attributes with the instance. */
int __wrap_unlinkat(int dir, const char *name, int flags)
{
    if (kernel.on && flags == AT_REMOVEDIR) {
        kernel.removed++;
        int inst = __real_openat64(dir, name, O_RDONLY | O_DIRECTORY);
        int in = __real_openat64(inst, "inblob", O_RDONLY);
        kernel.written_n = read(in, kernel.written, sizeof kernel.written);
        (void)close(in);
        static const char *const attributes[] = {"provider", "generation", "inblob", "outblob"};
        for (size_t i = 0; i < VS_COUNT(attributes); i++)
            (void)__real_unlinkat(inst, attributes[i], 0);
        (void)close(inst);
    }
    return __real_unlinkat(dir, name, flags);
}

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "%s", P_tmpdir "/vs-tsm-XXXXXX");
    assert_non_null(mkdtemp(dir));
    memset(&kernel, 0, sizeof kernel);
    kernel.on = true;
    kernel.provider = "arm_cca_guest\n";
    kernel.generation = "1\n";
    kernel.outblob_n = 3;
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    kernel.on = false;
    assert_int_equal(rmdir(dir), 0); /* fails when an instance was left behind */
    return 0;
}

static attester *detect(const char *path)
{
    attester *a = NULL;
    vs_error err = {0};
    assert_vs_ok(attester_detect(&(attester_config){.tsm_path = path}, &a, &err), &err);
    return a;
}

static void assert_says(vs_error *err, const char *what)
{
    char text[VS_ERROR_TEXT];
    if (!strstr(vs_error_text(err, text, sizeof text), what))
        fail_msg("\"%s\" is not in \"%s\"", what, text);
}

/* ---- directory --------------------------------------------------------------------------------
 */

static void a_realm_gives_its_token_for_padded_report_data(void **state)
{
    (void)state;
    attester *a = detect(dir);
    assert_string_equal(attester_tee(a), "cca");
    VS_CLEANUP(vs_buf_free) vs_buf json = VS_BUF(1000);
    vs_error err = {0};
    uint8_t data[48];
    memset(data, 0xab, sizeof data);
    assert_vs_ok(attester_evidence(a, vs_span_of(data, sizeof data), &json, &err), &err);
    assert_span_is(vs_buf_span(&json), "{\"token\":[217,218,219]}");
    assert_int_equal(kernel.written_n, 64);
    assert_memory_equal(kernel.written, data, sizeof data);
    for (size_t i = 48; i < 64; i++)
        assert_int_equal(kernel.written[i], 0);
    assert_int_equal(kernel.made, 2);
    assert_int_equal(kernel.removed, 2);
    attester_free(&a);
}

static void more_than_64_bytes_of_report_data_are_refused(void **state)
{
    (void)state;
    attester *a = detect(dir);
    VS_CLEANUP(vs_buf_free) vs_buf json = VS_BUF(1000);
    uint8_t data[65] = {0};
    assert_vs_code(attester_evidence(a, vs_span_of(data, sizeof data), &json, NULL), VS_E_INVALID);
    assert_vs_code(attester_evidence(a, vs_span_of(data, 64), &json, NULL), VS_OK);
    attester_free(&a);
}

static void a_report_is_discarded_when_it_cannot_be_trusted(void **state)
{
    (void)state;
    attester *a = detect(dir);
    VS_CLEANUP(vs_buf_free) vs_buf json = VS_BUF(300000);
    vs_error err = {0};
    kernel.generation = "2\n";
    assert_vs_code(attester_evidence(a, VS_LIT("x"), &json, &err), VS_E_CONFLICT);
    assert_says(&err, "another process");
    kernel.generation = "1 1\n";
    assert_vs_code(attester_evidence(a, VS_LIT("x"), &json, &err), VS_E_CONFLICT);
    kernel.generation = "1\n";
    kernel.provider = "tdx_guest\n";
    assert_vs_code(attester_evidence(a, VS_LIT("x"), &json, &err), VS_E_UNSUPPORTED);
    kernel.provider = "arm_cca_guest\n";
    kernel.outblob_n = 0;
    assert_vs_code(attester_evidence(a, VS_LIT("x"), &json, &err), VS_E_IO);
    kernel.outblob_n = VS_TSM_OUTBLOB_MAX;
    assert_vs_code(attester_evidence(a, VS_LIT("x"), &json, &err), VS_OK);
    kernel.outblob_n = VS_TSM_OUTBLOB_MAX + 1;
    assert_vs_code(attester_evidence(a, VS_LIT("x"), &json, &err), VS_E_LIMIT);
    kernel.outblob_n = 3;
    kernel.outblob_errno = ENXIO;
    assert_vs_code(attester_evidence(a, VS_LIT("x"), &json, &err), VS_E_IO);
    assert_says(&err, "outblob");
    kernel.outblob_errno = 0;
    kernel.link_outblob = true;
    assert_vs_code(attester_evidence(a, VS_LIT("x"), &json, &err), VS_E_IO);
    assert_int_equal(kernel.made, kernel.removed);
    attester_free(&a);
}

static void other_providers_and_look_alikes_are_refused(void **state)
{
    (void)state;
    static const char *const others[] = {
        "tdx_guest\n",
        "sev_guest\n",
        "arm_cca_guest",
        "arm_cca_guest\n\n",
        "arm_cca_guest2\n",
        "",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"};
    for (size_t i = 0; i < VS_COUNT(others); i++) {
        kernel.provider = others[i];
        attester *a = NULL;
        assert_int_not_equal(
            attester_detect(&(attester_config){.tsm_path = dir, .allow_sample = true}, &a, NULL),
            VS_OK);
        assert_null(a);
    }
    assert_int_equal(kernel.made, kernel.removed);
}

static void a_plain_directory_is_not_a_device_and_is_left_clean(void **state)
{
    (void)state;
    kernel.on = false;
    attester *a = NULL;
    assert_vs_code(attester_detect(&(attester_config){.tsm_path = dir}, &a, NULL), VS_E_IO);
}

static void a_device_without_provider_is_no_tee(void **state)
{
    (void)state;
    kernel.mkdir_errno = ENXIO;
    attester *a = NULL;
    vs_error err = {0};
    assert_vs_code(attester_detect(&(attester_config){.tsm_path = dir}, &a, &err), VS_E_NOT_FOUND);
    kernel.mkdir_errno = EACCES;
    assert_vs_code(attester_detect(&(attester_config){.tsm_path = dir}, &a, &err), VS_E_IO);
}

/* ---- none -------------------------------------------------------------------------------------
 */

static void sample_is_used_only_when_allowed_and_nothing_was_named(void **state)
{
    (void)state;
    attester *a = NULL;
    vs_error err = {0};
    (void)unsetenv("VOUCHSAFE_TSM_PATH");
    if (access("/sys/kernel/config/tsm/report", F_OK) == 0)
        skip();
    assert_vs_code(attester_detect(&(attester_config){0}, &a, &err), VS_E_NOT_FOUND);
    assert_says(&err, "--allow-sample");
    assert_vs_ok(attester_detect(&(attester_config){.allow_sample = true}, &a, &err), &err);
    assert_string_equal(attester_tee(a), "sample");
    VS_CLEANUP(vs_buf_free) vs_buf json = VS_BUF(1000);
    assert_vs_ok(attester_evidence(a, VS_LIT("digest"), &json, &err), &err);
    assert_span_is(vs_buf_span(&json), "{\"svn\":\"1\",\"report_data\":\"ZGlnZXN0\"}");
    attester_free(&a);
    (void)setenv("VOUCHSAFE_TSM_PATH", "/nonexistent/tsm", 1);
    assert_vs_code(attester_detect(&(attester_config){.allow_sample = true}, &a, &err),
                   VS_E_NOT_FOUND);
    (void)unsetenv("VOUCHSAFE_TSM_PATH");
    assert_vs_code(attester_detect(
                       &(attester_config){.tsm_path = "/dev/null", .allow_sample = true}, &a, &err),
                   VS_E_INVALID);
}

/* ---- socket -----------------------------------------------------------------------------------
 */

typedef struct device {
    int listener;
    char path[108];
    const uint8_t *answer;
    size_t answer_n;
    uint8_t asked[100];
    size_t asked_n;
    pthread_t thread;
} device;

static void *serve_device(void *arg)
{
    device *d = arg;
    int fd = accept(d->listener, NULL, NULL);
    d->asked_n = 0;
    uint8_t head[4];
    if (recv(fd, head, 4, MSG_WAITALL) == 4 && head[3] <= 64) {
        memcpy(d->asked, head, 4);
        d->asked_n = 4 + head[3];
        if (head[3])
            assert_int_equal(recv(fd, d->asked + 4, head[3], MSG_WAITALL), head[3]);
    }
    (void)send(fd, d->answer, d->answer_n, MSG_NOSIGNAL);
    (void)close(fd);
    return NULL;
}

static void open_device(device *d)
{
    (void)snprintf(d->path, sizeof d->path, "%s/s", dir);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", d->path);
    d->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(d->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(d->listener, 5), 0);
}

static void answer_once(device *d, const void *answer, size_t n)
{
    d->answer = answer;
    d->answer_n = n;
    assert_int_equal(pthread_create(&d->thread, NULL, serve_device, d), 0);
}

#define PROVIDER                                                                                   \
    "\0\0\0\x0e"                                                                                   \
    "arm_cca_guest\n"

static void a_socket_serves_the_same_reports(void **state)
{
    (void)state;
    device d = {0};
    open_device(&d);
    static const char probe[] = "\0\0\0\0" PROVIDER "\0\0\0\0"
                                "\0\0\0\0";
    answer_once(&d, probe, sizeof probe - 1);
    attester *a = detect(d.path);
    (void)pthread_join(d.thread, NULL);
    assert_int_equal(d.asked_n, 4);
    static const char report[] = "\0\0\0\0" PROVIDER "\0\0\0\1"
                                 "\0\0\0\2"
                                 "\xd9\x01";
    answer_once(&d, report, sizeof report - 1);
    VS_CLEANUP(vs_buf_free) vs_buf json = VS_BUF(1000);
    vs_error err = {0};
    assert_vs_ok(attester_evidence(a, VS_LIT("abc"), &json, &err), &err);
    (void)pthread_join(d.thread, NULL);
    assert_span_is(vs_buf_span(&json), "{\"token\":[217,1]}");
    assert_int_equal(d.asked_n, 68);
    assert_memory_equal(d.asked,
                        "\0\0\0\x40"
                        "abc\0",
                        8);

    /* Every truncation, then lies. */
    for (size_t n = 0; n < sizeof report - 1; n++) {
        answer_once(&d, report, n);
        assert_vs_code(attester_evidence(a, VS_LIT("abc"), &json, NULL), VS_E_IO);
        (void)pthread_join(d.thread, NULL);
    }
    static const struct {
        const char *answer;
        size_t n;
        vs_code code;
    } lies[] = {
#define LIE(text, code) {text, sizeof text - 1, code}
        LIE("\0\0\0\x06", VS_E_IO), /* ENXIO */
        LIE("\xff\xff\xff\xff", VS_E_IO),
        LIE("\0\0\0\0"
            "\0\0\0\x41",
            VS_E_LIMIT),
        LIE("\0\0\0\0"
            "\xff\xff\xff\xff",
            VS_E_LIMIT),
        LIE("\0\0\0\0" PROVIDER "\0\0\0\2"
            "\0\0\0\1"
            "a",
            VS_E_CONFLICT),
        LIE("\0\0\0\0" PROVIDER "\0\0\0\1"
            "\0\0\0\0",
            VS_E_IO),
        LIE("\0\0\0\0" PROVIDER "\0\0\0\1"
            "\0\0\x80\1",
            VS_E_LIMIT),
        LIE("\0\0\0\0"
            "\0\0\0\x0a"
            "tdx_guest\n"
            "\0\0\0\1"
            "\0\0\0\1"
            "a",
            VS_E_UNSUPPORTED),
    };
    for (size_t i = 0; i < VS_COUNT(lies); i++) {
        answer_once(&d, lies[i].answer, lies[i].n);
        assert_vs_code(attester_evidence(a, VS_LIT("abc"), &json, NULL), lies[i].code);
        (void)pthread_join(d.thread, NULL);
    }
    attester_free(&a);
    (void)close(d.listener);
    assert_int_not_equal(attester_detect(&(attester_config){.tsm_path = d.path}, &a, NULL),
                         VS_OK); /* nobody listens */
    (void)unlink(d.path);
}

int main(void)
{
#define IN_DIR(t) cmocka_unit_test_setup_teardown(t, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        IN_DIR(a_realm_gives_its_token_for_padded_report_data),
        IN_DIR(more_than_64_bytes_of_report_data_are_refused),
        IN_DIR(a_report_is_discarded_when_it_cannot_be_trusted),
        IN_DIR(other_providers_and_look_alikes_are_refused),
        IN_DIR(a_plain_directory_is_not_a_device_and_is_left_clean),
        IN_DIR(a_device_without_provider_is_no_tee),
        cmocka_unit_test(sample_is_used_only_when_allowed_and_nothing_was_named),
        IN_DIR(a_socket_serves_the_same_reports),
    };
    return cmocka_run_group_tests_name("attester", tests, NULL, NULL);
}
