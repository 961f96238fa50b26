/* SPDX-License-Identifier: Apache-2.0 */
/* TDX evidence of this attester and its registers, with a played kernel and quotes of software,
 * before this project's own verifier and event log. */
#include "played_kernel.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>

#include "../tee/soft_dcap.h"
#include "aa/aa.h"
#include "aa/eventlog.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/wait.h"
#include "tee/eventlog/eventlog.h"
#include "value/json.h"

enum { CONFIG_ID = 184, RTMR0 = 328, REPORT_DATA = 520, RTMR = 48 };

typedef struct world {
    soft_dcap s;
    vs_arena a;
    char rtmr[80], ccel[80], aael[80];
    attester *att;
    bool other_challenge;
} world;

/* ---- the TEE ----------------------------------------------------------------------------------
 */

/* Registers are files, as in sysfs; what was written to them is what the quote has. */
static void report(void *user, vs_span inblob, vs_buf *out)
{
    world *w = user;
    char path[120];
    memcpy(w->s.body + REPORT_DATA, inblob.p, 64);
    w->s.body[REPORT_DATA] ^= w->other_challenge;
    for (unsigned i = 0; i < 4; i++) {
        VS_CLEANUP(vs_buf_free) vs_buf value = VS_BUF(RTMR);
        vs_error err = {0};
        (void)snprintf(path, sizeof path, "%s/rtmr%u:sha384", w->rtmr, i);
        assert_vs_ok(vs_read_file(path, &value, &err), &err);
        memcpy(w->s.body + RTMR0 + (size_t)RTMR * i, value.p, RTMR);
    }
    soft_quote(&w->s, out);
}

static void set_register(const world *w, unsigned i, const uint8_t *value, size_t n)
{
    char path[120];
    vs_error err = {0};
    (void)snprintf(path, sizeof path, "%s/rtmr%u:sha384", w->rtmr, i);
    assert_vs_ok(vs_write_file(path, vs_span_of(value, n), 0600, &err), &err);
}

/* The kernel's part of an extension: what is written to a register's file extends it. */
ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    char link[40], path[200] = "";
    uint8_t value[RTMR], next[VS_HASH_MAX];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t got = readlink(link, path, sizeof path - 1);
    if (got < 0 || !vs_span_ends(vs_span_of(path, (size_t)got), VS_LIT(":sha384")) || n != RTMR)
        return __real_write(fd, p, n);
    int in = __real_openat64(AT_FDCWD, path, O_RDONLY);
    assert_int_equal(read(in, value, RTMR), RTMR);
    (void)close(in);
    vs_error err = {0};
    assert_vs_ok(vs_digest(VS_SHA384, vs_span_of(value, RTMR), vs_span_of(p, RTMR), (vs_span){0},
                           next, &err),
                 &err);
    return __real_write(fd, next, RTMR);
}

static int set_up(void **state)
{
    static const uint8_t zeros[RTMR] = {0};
    world *w = test_calloc(1, sizeof *w);
    vs_error err = {0};
    *state = w;
    (void)make_dir(NULL);
    vs_arena_init(&w->a, 0);
    soft_dcap_start(&w->s);
    memset(w->s.body + CONFIG_ID, 0x5a, 32);
    (void)snprintf(w->rtmr, sizeof w->rtmr, "%s.d", dir);
    (void)snprintf(w->ccel, sizeof w->ccel, "%s.d/CCEL", dir);
    (void)snprintf(w->aael, sizeof w->aael, "%s.d/eventlog", dir);
    assert_int_equal(mkdir(w->rtmr, 0700), 0);
    for (unsigned i = 0; i < 4; i++)
        set_register(w, i, zeros, RTMR);
    kernel.provider = "tdx_guest\n";
    kernel.report = report;
    kernel.user = w;
    const attester_config cfg = {
        .tsm_path = dir, .rtmr_path = w->rtmr, .ccel_path = w->ccel, .aael_path = w->aael};
    assert_vs_ok(attester_detect(&cfg, &w->att, &err), &err);
    assert_string_equal(attester_tee(w->att), "tdx");
    return 0;
}

static int tear_down(void **state)
{
    world *w = *state;
    char command[120];
    (void)snprintf(command, sizeof command, "rm -rf %s", w->rtmr);
    assert_int_equal(system(command), 0);
    attester_free(&w->att);
    soft_dcap_stop(&w->s);
    vs_arena_free(&w->a);
    test_free(w);
    return remove_dir(NULL);
}

/* Evidence taken apart as a verifier does; the log is empty where it is null. */
static void take(world *w, dcap_quote *quote, vs_span *log)
{
    VS_CLEANUP(vs_buf_free) vs_buf json = VS_BUF(1 << 20);
    vs_error err = {0};
    vs_val v;
    vs_span bytes;
    assert_vs_ok(attester_evidence(w->att, VS_LIT("challenge"), &json, &err), &err);
    assert_vs_ok(vs_json_parse(&w->a, vs_dup(&w->a, vs_buf_span(&json)), NULL, &v, &err), &err);
    assert_int_equal(v.len, 2);
    assert_vs_ok(vs_b64_decode_arena(&w->a, VS_B64_STD, vs_text(vs_getc(v, "quote")), &bytes, &err),
                 &err);
    assert_vs_ok(dcap_quote_parse(bytes, quote, &err), &err);
    vs_val l = vs_getc(v, "cc_eventlog");
    *log = (vs_span){0};
    if (l.kind == VS_STRING)
        assert_vs_ok(vs_b64_decode_arena(&w->a, VS_B64_STD, vs_text(l), log, &err), &err);
    else
        assert_int_equal(l.kind, VS_NULL);
}

/* The log that came with the quote gives the registers of the quote. The number of its events. */
static size_t assert_matches(world *w, const dcap_quote *q, vs_span bytes)
{
    vs_error err = {0};
    eventlog log;
    const eventlog_register regs[] = {{1, "RTMR0", q->body.rtmr[0]},
                                      {2, "RTMR1", q->body.rtmr[1]},
                                      {3, "RTMR2", q->body.rtmr[2]},
                                      {4, "RTMR3", q->body.rtmr[3]}};
    assert_vs_ok(eventlog_parse(&w->a, bytes, &log, &err), &err);
    assert_vs_ok(eventlog_match(&log, VS_SHA384, regs, VS_COUNT(regs), &err), &err);
    return log.n;
}

static aa_eventlog *open_log(world *w)
{
    vs_error err = {0};
    attester_registers r;
    aa_eventlog *l;
    assert_vs_ok(attester_get_registers(w->att, &r, &err), &err);
    assert_string_equal(r.path, w->aael);
    assert_vs_ok(aa_eventlog_open(&r, &l, &err), &err);
    return l;
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void a_quote_without_logs_says_null(void **state)
{
    world *w = *state;
    dcap_quote q;
    dcap_result r;
    vs_span log;
    vs_error err = {0};
    take(w, &q, &log);
    assert_int_equal(log.n, 0);
    dcap_collateral k = soft_collateral(&w->s, &w->a);
    assert_vs_ok(dcap_verify(w->s.root, &q, &k, SOFT_DCAP_NOW, &w->a, &r, &err), &err);
    assert_true(vs_span_starts(q.body.report_data, VS_LIT("challenge\0\0\0")));
}

static void what_is_measured_is_in_the_evidence(void **state)
{
    world *w = *state;
    vs_error err = {0};
    dcap_quote q;
    vs_span log;
    aa_eventlog *l = open_log(w);
    take(w, &q, &log);
    assert_int_equal(log.n, 0); /* an empty log is none */
    assert_vs_ok(aa_eventlog_extend(l, 17, VS_LIT("d o one"), &err), &err);
    assert_vs_ok(aa_eventlog_extend(l, 8, VS_LIT("d o two"), &err), &err);
    take(w, &q, &log);
    assert_int_equal(assert_matches(w, &q, log), 2);
    assert_true(vs_span_ends(log, VS_LIT("\377\377\377\377\377\377\377\377")));
    aa_eventlog_close(&l);
}

static void a_log_that_outlived_its_registers_is_put_away(void **state)
{
    world *w = *state;
    static const uint8_t zeros[RTMR] = {0};
    vs_error err = {0};
    dcap_quote q;
    vs_span log;
    char old[100];
    aa_eventlog *l = open_log(w);
    assert_vs_ok(aa_eventlog_extend(l, 17, VS_LIT("d o of the start before"), &err), &err);
    assert_vs_ok(aa_eventlog_extend(l, 8, VS_LIT("d o of the start before"), &err), &err);
    aa_eventlog_close(&l);
    for (unsigned i = 0; i < 4; i++)
        set_register(w, i, zeros, RTMR);
    l = open_log(w);
    assert_vs_ok(aa_eventlog_extend(l, 17, VS_LIT("d o of this start"), &err), &err);
    aa_eventlog_close(&l);
    take(w, &q, &log);
    assert_int_equal(assert_matches(w, &q, log), 1);
    (void)snprintf(old, sizeof old, "%s.old", w->aael);
    assert_int_equal(access(old, F_OK), 0);
}

/* The whole agent, told where things are by the environment. */
static void the_agent_measures_where_it_can_and_was_told_to(void **state)
{
    world *w = *state;
    vs_error err = {0};
    aa *agent;
    aa_extended result;
    dcap_quote q;
    vs_span log;
    aa_config cfg = {.tsm_path = dir, .init_pcr = 17, .event_log = true};
    aa_event event = {.domain = VS_LIT("d"), .operation = VS_LIT("o"), .content = VS_LIT("c d")};
    (void)setenv("VOUCHSAFE_RTMR_PATH", w->rtmr, 1);
    (void)setenv("AAEL_PATH", w->aael, 1);
    assert_vs_ok(aa_new(&cfg, NULL, &agent, &err), &err);
    assert_vs_ok(aa_extend(agent, &event, &result, &err), &err);
    assert_int_equal(result, AA_EXTENDED);
    event.has_register = true;
    event.reg = 8;
    assert_vs_ok(aa_extend(agent, &event, &result, &err), &err);
    event.domain = VS_LIT("two words");
    assert_vs_code(aa_extend(agent, &event, &result, NULL), VS_E_INVALID);
    aa_free(&agent);
    take(w, &q, &log);
    assert_int_equal(assert_matches(w, &q, log), 2);
    assert_non_null(memmem(log.p, log.n, "d o c d", 7));

    event.domain = VS_LIT("d");
    cfg.event_log = false;
    assert_vs_ok(aa_new(&cfg, NULL, &agent, &err), &err);
    assert_vs_ok(aa_extend(agent, &event, &result, &err), &err);
    assert_int_equal(result, AA_NOT_ENABLED);
    aa_free(&agent);
    cfg.event_log = true;
    (void)setenv("VOUCHSAFE_RTMR_PATH", "/nonexistent", 1);
    assert_vs_ok(aa_new(&cfg, NULL, &agent, &err), &err);
    assert_vs_ok(aa_extend(agent, &event, &result, &err), &err);
    assert_int_equal(result, AA_NOT_SUPPORTED);
    aa_free(&agent);
    take(w, &q, &log);
    assert_int_equal(assert_matches(w, &q, log), 2);
    (void)unsetenv("VOUCHSAFE_RTMR_PATH");
    (void)unsetenv("AAEL_PATH");
}

static void the_firmwares_log_comes_first_and_ends_at_its_mark(void **state)
{
    world *w = *state;
    need_shared("data/eventlog");
    VS_CLEANUP(vs_buf_free) vs_buf ccel = VS_BUF(1 << 20);
    vs_error err = {0};
    eventlog firmware, log;
    dcap_quote q;
    vs_span bytes;
    read_shared("data/eventlog/CCEL_data_ovmf", &ccel);
    assert_vs_ok(eventlog_parse(&w->a, vs_buf_span(&ccel), &firmware, &err), &err);
    assert_true(firmware.size < ccel.n);
    for (uint32_t i = 0; i < 4; i++) {
        uint8_t value[VS_HASH_MAX];
        assert_vs_ok(eventlog_replay(&firmware, VS_SHA384, i + 1, value, &err), &err);
        set_register(w, i, value, RTMR);
    }
    assert_vs_ok(vs_write_file(w->ccel, vs_buf_span(&ccel), 0600, &err), &err);
    aa_eventlog *l = open_log(w);
    for (int round = 0; round < 2; round++) {
        take(w, &q, &bytes);
        assert_true(vs_span_starts(bytes, vs_span_head(vs_buf_span(&ccel), firmware.size)));
        assert_int_equal(assert_matches(w, &q, bytes), firmware.n + (size_t)round);
        assert_vs_ok(eventlog_parse(&w->a, bytes, &log, &err), &err);
        assert_int_equal(log.size + 8, bytes.n);
        assert_vs_ok(aa_eventlog_extend(l, 17, VS_LIT("d o c"), &err), &err);
    }
    /* A register that the firmware extended before the agent, when the agent starts again. */
    assert_vs_ok(aa_eventlog_extend(l, 8, VS_LIT("d o c"), &err), &err);
    for (int start = 0; start < 2; start++) {
        aa_eventlog_close(&l);
        l = open_log(w);
        take(w, &q, &bytes);
        assert_int_equal(assert_matches(w, &q, bytes), firmware.n + 3);
    }
    aa_eventlog_close(&l);
}

static void a_blank_table_is_none_and_a_malformed_one_an_error(void **state)
{
    world *w = *state;
    static const uint8_t zeros[4096] = {0};
    vs_error err = {0};
    dcap_quote q;
    vs_span log;
    VS_CLEANUP(vs_buf_free) vs_buf json = VS_BUF(1 << 20);
    assert_vs_ok(vs_write_file(w->ccel, vs_span_of(zeros, sizeof zeros), 0600, &err), &err);
    take(w, &q, &log);
    assert_int_equal(log.n, 0);
    assert_vs_ok(vs_write_file(w->ccel, VS_LIT("this is no event log"), 0600, &err), &err);
    assert_vs_code(attester_evidence(w->att, VS_LIT("x"), &json, &err), VS_E_PARSE);
    assert_says(&err, "CCEL");
}

static void *extend_many(void *user)
{
    aa_eventlog *l = user;
    for (unsigned i = 0; i < 30; i++)
        if (aa_eventlog_extend(l, i, VS_LIT("d o c"), NULL) != VS_OK)
            return l;
    return NULL;
}

static void quote_and_log_are_of_one_moment(void **state)
{
    world *w = *state;
    dcap_quote q;
    vs_span log;
    pthread_t thread;
    void *failed;
    aa_eventlog *l = open_log(w);
    assert_int_equal(pthread_create(&thread, NULL, extend_many, l), 0);
    for (unsigned i = 0; i < 10; i++) {
        take(w, &q, &log);
        if (log.n)
            (void)assert_matches(w, &q, log);
    }
    assert_int_equal(pthread_join(thread, &failed), 0);
    assert_null(failed);
    take(w, &q, &log);
    assert_int_equal(assert_matches(w, &q, log), 30);
    aa_eventlog_close(&l);
}

static void a_log_that_somebody_keeps_locked_is_not_waited_for_longer_than_the_caller(void **state)
{
    world *w = *state;
    vs_buf json = VS_BUF(1 << 20);
    aa_eventlog *l = open_log(w);
    int fd = open(w->aael, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    vs_wait before = vs_wait_set((vs_wait){.until = vs_mono_ns() + 200000000});
    vs_code code = attester_evidence(w->att, VS_LIT("x"), &json, NULL);
    (void)vs_wait_set(before);
    assert_vs_code(code, VS_E_TIMEOUT);
    (void)close(fd);
    vs_error err = {0};
    assert_vs_ok(attester_evidence(w->att, VS_LIT("x"), &json, &err), &err);
    vs_buf_free(&json);
    aa_eventlog_close(&l);
}

static void registers_are_named_as_event_logs_do(void **state)
{
    world *w = *state;
    vs_error err = {0};
    attester_registers r;
    static const struct {
        uint64_t pcr;
        uint32_t index;
    } rows[] = {{0, 4}, {1, 1},  {2, 2},  {6, 2},  {7, 1},         {8, 3},
                {9, 3}, {15, 3}, {16, 4}, {17, 4}, {UINT64_MAX, 4}};
    assert_vs_ok(attester_get_registers(w->att, &r, &err), &err);
    for (size_t i = 0; i < VS_COUNT(rows); i++)
        assert_int_equal(r.index(rows[i].pcr), rows[i].index);
}

static void a_register_of_another_size_is_refused(void **state)
{
    world *w = *state;
    uint8_t value[RTMR + 1] = {0};
    attester_registers r;
    vs_error err = {0};
    assert_vs_ok(attester_get_registers(w->att, &r, &err), &err);
    set_register(w, 2, value, RTMR - 1);
    assert_vs_code(r.read(r.user, 3, value, NULL), VS_E_IO);
    set_register(w, 2, value, RTMR + 1);
    assert_vs_code(r.read(r.user, 3, value, NULL), VS_E_LIMIT);
    char path[120];
    (void)snprintf(path, sizeof path, "%s/rtmr2:sha384", w->rtmr);
    assert_int_equal(unlink(path), 0);
    assert_vs_code(r.read(r.user, 3, value, &err), VS_E_IO);
    assert_says(&err, "rtmr2:sha384");
    assert_vs_code(r.extend(r.user, 3, value, NULL), VS_E_IO);
}

static void a_kernel_without_registers_is_told_apart(void **state)
{
    (void)state;
    attester *a = NULL;
    attester_registers r;
    vs_error err = {0};
    const attester_config cfg = {.tsm_path = dir, .rtmr_path = "/nonexistent"};
    assert_vs_ok(attester_detect(&cfg, &a, &err), &err);
    assert_vs_code(attester_get_registers(a, &r, &err), VS_E_UNSUPPORTED);
    assert_says(&err, "6.16");
    attester_free(&a);
}

static void init_data_is_what_mrconfigid_holds(void **state)
{
    world *w = *state;
    vs_error err = {0};
    uint8_t digest[64];
    memset(digest, 0x5a, sizeof digest);
    assert_vs_ok(attester_check_init_data(w->att, vs_span_of(digest, 32), &err), &err);
    assert_vs_code(attester_check_init_data(w->att, vs_span_of(digest, 48), &err), VS_E_MISMATCH);
    assert_says(&err, "MRCONFIGID");
    memset(w->s.body + CONFIG_ID, 0x5a, 48);
    assert_vs_ok(attester_check_init_data(w->att, vs_span_of(digest, 48), &err), &err);
    assert_vs_ok(attester_check_init_data(w->att, vs_span_of(digest, 64), &err), &err);
    assert_vs_code(attester_check_init_data(w->att, vs_span_of(digest, 32), NULL), VS_E_MISMATCH);
    w->other_challenge = true;
    assert_vs_code(attester_check_init_data(w->att, vs_span_of(digest, 48), NULL), VS_E_MISMATCH);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_quote_without_logs_says_null),
        TEST(what_is_measured_is_in_the_evidence),
        TEST(a_log_that_outlived_its_registers_is_put_away),
        TEST(the_agent_measures_where_it_can_and_was_told_to),
        TEST(the_firmwares_log_comes_first_and_ends_at_its_mark),
        TEST(a_blank_table_is_none_and_a_malformed_one_an_error),
        TEST(quote_and_log_are_of_one_moment),
        TEST(a_log_that_somebody_keeps_locked_is_not_waited_for_longer_than_the_caller),
        TEST(registers_are_named_as_event_logs_do),
        TEST(a_register_of_another_size_is_refused),
        TEST(a_kernel_without_registers_is_told_apart),
        TEST(init_data_is_what_mrconfigid_holds),
    };
    return cmocka_run_group_tests_name("attester_tdx", tests, NULL, NULL);
}
