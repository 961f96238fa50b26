/* SPDX-License-Identifier: Apache-2.0 */
/* The report devices: a socket served by a thread; a directory whose kernel is played. */
#include "played_kernel.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

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
        "tdx_guest",
        "sev_guest\n\n",
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

static void the_provider_says_which_tee_it_is(void **state)
{
    (void)state;
    static const char *const known[][2] = {
        {"tdx_guest\n", "tdx"}, {"sev_guest\n", "snp"}, {"arm_cca_guest\n", "cca"}};
    for (size_t i = 0; i < VS_COUNT(known); i++) {
        attester_registers regs;
        kernel.provider = known[i][0];
        attester *a = detect(dir);
        assert_string_equal(attester_tee(a), known[i][1]);
        if (i > 0)
            assert_vs_code(attester_get_registers(a, &regs, NULL), VS_E_UNSUPPORTED);
        attester_free(&a);
    }
}

static void a_tee_that_is_named_is_used_or_an_error(void **state)
{
    (void)state;
    static const struct {
        const char *tee;
        bool allow_sample;
        vs_code code;
    } v[] = {{"cca", false, VS_OK},         {"cca", true, VS_OK},
             {"tdx", true, VS_E_NOT_FOUND}, {"snp", false, VS_E_NOT_FOUND},
             {"sample", true, VS_OK},       {"sample", false, VS_E_DENIED},
             {"sgx", true, VS_E_INVALID},   {"", true, VS_E_INVALID},
             {"CCA", false, VS_E_INVALID},  {"tpm", true, VS_E_NOT_FOUND}};
    (void)setenv("AA_TPM_DEVICE", "/nonexistent/tpm", 1);
    kernel.provider = "arm_cca_guest\n";
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        attester *a = NULL;
        const attester_config cfg = {
            .tsm_path = dir, .allow_sample = v[i].allow_sample, .tee = v[i].tee};
        vs_error err = {0};
        assert_vs_code(attester_detect(&cfg, &a, &err), v[i].code);
        if (v[i].code != VS_OK)
            continue;
        assert_string_equal(attester_tee(a), v[i].tee);
        attester_free(&a);
    }
    (void)unsetenv("AA_TPM_DEVICE");
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
    if (access("/sys/kernel/config/tsm/report", F_OK) == 0 || access("/dev/tdx_guest", F_OK) == 0 ||
        access("/sys/devices/platform/sev-guest", F_OK) == 0 || access("/dev/tpmrm0", F_OK) == 0)
        skip(); /* this machine has one */
    assert_vs_code(attester_detect(&(attester_config){.sample_by = "--a-switch"}, &a, &err),
                   VS_E_NOT_FOUND);
    assert_says(&err, "; --a-switch allows the sample attester");
    static const char *const probed[] = {"tdx",
                                         "snp",
                                         "cca",
                                         "/dev/tdx_guest",
                                         "/sys/devices/platform/sev-guest",
                                         "/sys/kernel/config/tsm/report: No such file"};
    for (size_t i = 0; i < VS_COUNT(probed); i++)
        assert_says(&err, probed[i]);
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
        IN_DIR(the_provider_says_which_tee_it_is),
        IN_DIR(a_tee_that_is_named_is_used_or_an_error),
        IN_DIR(a_plain_directory_is_not_a_device_and_is_left_clean),
        IN_DIR(a_device_without_provider_is_no_tee),
        cmocka_unit_test(sample_is_used_only_when_allowed_and_nothing_was_named),
        IN_DIR(a_socket_serves_the_same_reports),
    };
    return cmocka_run_group_tests_name("attester", tests, NULL, NULL);
}
