/* SPDX-License-Identifier: Apache-2.0 */
/* The log of measurements over registers made of memory. Every call that changes a file, and every
 * extension, is a step at which a process can be killed or an error given (the linker's --wrap). */
#include "testing.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "aa/eventlog.h"
#include "base/enc.h"
#include "tee/eventlog/eventlog.h"
#include "value/json.h"

enum { REGISTERS = 5, SIZE = 48, KILLED = 77 };

/* ---- steps ----------------------------------------------------------------------------------- */

static struct {
    int at;      /* steps so far */
    int kill_at; /* 0 = never */
    int fail_at; /* 0 = never */
    bool half;   /* a write that is killed or fails has half of it done; an extension all of it */
} steps;

typedef enum fate { GOES_ON, FAILS, DIES } fate;

static fate step(void)
{
    steps.at++;
    return steps.at == steps.kill_at ? DIES : steps.at == steps.fail_at ? FAILS : GOES_ON;
}

static int end(fate f)
{
    if (f == DIES)
        _exit(KILLED);
    errno = EIO;
    return -1;
}

ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    if (fd <= 2)
        return __real_write(fd, p, n);
    fate f = step();
    if (f == GOES_ON)
        return __real_write(fd, p, n);
    if (steps.half)
        (void)__real_write(fd, p, n / 2);
    return end(f);
}

#define WRAP(name, parameters, arguments)                                                          \
    int __real_##name parameters;                                                                  \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters                                                                   \
    {                                                                                              \
        fate f = step();                                                                           \
        return f == GOES_ON ? __real_##name arguments : end(f);                                    \
    }
WRAP(fsync, (int fd), (fd))
WRAP(fdatasync, (int fd), (fd))
WRAP(rename, (const char *a, const char *b), (a, b))
WRAP(unlink, (const char *path), (path))
WRAP(ftruncate64, (int fd, off_t n), (fd, n))

/* ---- registers ------------------------------------------------------------------------------- */

/* Shared with children, as a TEE's registers outlive processes. */
typedef struct bank {
    uint8_t value[REGISTERS][SIZE];
    unsigned extended;
    bool mute;    /* takes no extension and says nothing of it */
    bool had_use; /* what it held before the log is not known; else zeros */
} bank;
static bank *regs;
static char dir[64], path[100], journal[100];

static uint32_t index_of(uint64_t pcr)
{
    return pcr == 8 ? 3 : 4;
}

static vs_code read_register(void *user, uint32_t index, uint8_t *value, vs_error *err)
{
    (void)user;
    (void)err;
    memcpy(value, regs->value[index], SIZE);
    return VS_OK;
}

static vs_code extend_register(void *user, uint32_t index, const uint8_t *digest, vs_error *err)
{
    (void)user;
    fate f = step();
    if ((f == GOES_ON || steps.half) && !regs->mute) {
        uint8_t next[VS_HASH_MAX];
        VS_TRY(vs_digest(VS_SHA384, vs_span_of(regs->value[index], SIZE), vs_span_of(digest, SIZE),
                         (vs_span){0}, next, err));
        memcpy(regs->value[index], next, SIZE);
        regs->extended++;
    }
    return f == GOES_ON ? VS_OK : vs_fail_errno(err, VS_E_IO, -end(f) * EIO, "extending");
}

static vs_code start_of_register(void *user, uint32_t index, uint8_t *value, vs_error *err)
{
    (void)user;
    memset(value, 0, SIZE);
    return regs->had_use ? vs_fail(err, VS_E_UNSUPPORTED, "register %u", index) : VS_OK;
}

static const attester_registers played = {.hash = VS_SHA384,
                                          .path = path,
                                          .index = index_of,
                                          .read = read_register,
                                          .extend = extend_register,
                                          .start = start_of_register};

static aa_eventlog *open_log(void)
{
    aa_eventlog *l = NULL;
    vs_error err = {0};
    assert_vs_ok(aa_eventlog_open(&played, &l, &err), &err);
    return l;
}

static vs_code try_open(vs_error *err)
{
    aa_eventlog *l = NULL;
    vs_code code = aa_eventlog_open(&played, &l, err);
    aa_eventlog_close(&l);
    return code;
}

static void clear(void)
{
    (void)__real_unlink(path);
    (void)__real_unlink(journal);
    memset(regs, 0, sizeof *regs);
    memset(&steps, 0, sizeof steps);
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "%s", P_tmpdir "/vs-aael-XXXXXX");
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/eventlog", dir);
    (void)snprintf(journal, sizeof journal, "%s/.wal_event_entry", dir);
    regs = mmap(NULL, sizeof *regs, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(regs != MAP_FAILED);
    clear();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[100];
    clear();
    (void)munmap(regs, sizeof *regs);
    (void)snprintf(command, sizeof command, "rm -rf %s", dir); /* temporary files of the killed */
    return system(command);
}

/* ---- looking --------------------------------------------------------------------------------- */

/* As a verifier sees it: a header before, all events read and replayed. The number of events. */
static size_t assert_log_is_the_registers(void)
{
    static const uint8_t head[69] = {
        [4] = 3, [28] = 37, [56] = 2, [60] = 0x0c, [62] = 48, [64] = 0x12, [66] = 32};
    VS_CLEANUP(vs_buf_free) vs_buf all = VS_BUF(AAEL_LOG_MAX + 100);
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_error err = {0};
    eventlog log;
    size_t whole;
    vs_arena_init(&a, 0);
    vs_buf_put(&all, vs_span_of(head, sizeof head));
    assert_vs_ok(vs_read_file(path, &all, &err), &err);
    vs_span own = vs_span_from(vs_buf_span(&all), sizeof head);
    assert_vs_ok(aael_check(own, VS_SHA384, &whole, &err), &err);
    assert_int_equal(whole, own.n);
    assert_vs_ok(eventlog_parse(&a, vs_buf_span(&all), &log, &err), &err);
    for (uint32_t i = 1; i < REGISTERS; i++) {
        uint8_t value[VS_HASH_MAX];
        assert_vs_ok(eventlog_replay(&log, VS_SHA384, i, value, &err), &err);
        assert_memory_equal(value, regs->value[i], SIZE);
    }
    assert_int_equal(access(journal, F_OK), -1);
    assert_int_equal(log.n, regs->extended);
    return log.n;
}

static bool is_logged(const char *text)
{
    VS_CLEANUP(vs_buf_free) vs_buf log = VS_BUF(AAEL_LOG_MAX);
    vs_error err = {0};
    assert_vs_ok(vs_read_file(path, &log, &err), &err);
    return memmem(log.p, log.n, text, strlen(text)) != NULL;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void the_vectors_come_out_byte_for_byte(void **state)
{
    (void)state;
    need_shared("data/guest/aael.json");
    VS_CLEANUP(vs_buf_free)
    vs_buf text = VS_BUF(1 << 20), want = VS_BUF(1 << 20), got = VS_BUF(1 << 20);
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_error err = {0};
    vs_val v;
    vs_arena_init(&a, 0);
    read_shared("data/guest/aael.json", &text);
    read_shared("data/guest/aael-sha384.bin", &want);
    assert_vs_ok(vs_json_parse(&a, vs_buf_span(&text), NULL, &v, &err), &err);

    vs_val one = vs_getc(v, "digest_only");
    static const struct {
        const char *name;
        vs_hash hash;
    } hashes[] = {{"sha256", VS_SHA256}, {"sha384", VS_SHA384}, {"sha512", VS_SHA512}};
    for (size_t i = 0; i < VS_COUNT(hashes); i++) {
        uint8_t digest[VS_HASH_MAX];
        size_t n = vs_hash_size(hashes[i].hash), whole;
        vs_buf_clear(&got);
        assert_vs_ok(
            aael_put_entry(&got, hashes[i].hash, 4, vs_text(vs_getc(one, "text")), digest, &err),
            &err);
        assert_span_eq(vs_hex_encode_arena(&a, vs_span_of(digest, n)),
                       vs_text(vs_getc(one, hashes[i].name)));
        assert_span_eq(vs_hex_encode_arena(&a, vs_span_from(vs_buf_span(&got), 18 + n)),
                       vs_text(vs_getc(one, "event_data")));
        assert_vs_ok(aael_check(vs_buf_span(&got), hashes[i].hash, &whole, &err), &err);
        assert_int_equal(whole, got.n);
    }

    vs_val entries = vs_getc(vs_getc(v, "log"), "entries");
    aa_eventlog *l = open_log();
    for (uint32_t i = 0; i < entries.len; i++) {
        vs_val e = entries.u.items[i];
        assert_vs_ok(aa_eventlog_extend(l, 17, vs_text(vs_getc(e, "text")), &err), &err);
        assert_span_eq(vs_hex_encode_arena(&a, vs_span_of(regs->value[4], SIZE)),
                       vs_text(vs_getc(e, "register_after")));
    }
    aa_eventlog_close(&l);
    vs_buf_clear(&got);
    assert_vs_ok(vs_read_file(path, &got, &err), &err);
    assert_span_eq(vs_buf_span(&got), vs_buf_span(&want));
}

static void the_register_that_is_extended_is_the_one_in_the_log(void **state)
{
    (void)state;
    aa_eventlog *l = open_log();
    vs_error err = {0};
    assert_vs_ok(aa_eventlog_extend(l, 8, VS_LIT("d o to PCR 8"), &err), &err);
    assert_vs_ok(aa_eventlog_extend(l, 17, VS_LIT("d o to PCR 17"), &err), &err);
    aa_eventlog_close(&l);
    assert_int_equal(assert_log_is_the_registers(), 2);
    static const uint8_t zeros[SIZE] = {0};
    assert_memory_not_equal(regs->value[3], zeros, SIZE);
    assert_memory_not_equal(regs->value[4], zeros, SIZE);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

/* In a child that is killed at this step; whether it came to its end. */
static bool run_to(int kill_at, bool half, bool extend)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        memset(&steps, 0, sizeof steps);
        steps.kill_at = kill_at;
        steps.half = half;
        aa_eventlog *l = open_log();
        bool ok = !extend || aa_eventlog_extend(l, 8, VS_LIT("d o second"), NULL) == VS_OK;
        _exit(ok ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == KILLED);
    return WEXITSTATUS(status) == 0;
}

static void a_kill_at_any_step_loses_nothing_and_extends_nothing_twice(void **state)
{
    (void)state;
    vs_error err = {0};
    for (int half = 0; half < 2; half++) {
        bool whole = false;
        int n = 0;
        while (!whole) {
            clear();
            aa_eventlog *l = open_log();
            assert_vs_ok(aa_eventlog_extend(l, 17, VS_LIT("d o first"), &err), &err);
            aa_eventlog_close(&l);
            whole = run_to(++n, half, true);
            bool extended = regs->extended == 2;
            /* The recovery is killed as well, again and again, each time a step later. */
            for (int again = 1; !run_to(again, half, false); again++)
                assert_true(again < 100);
            assert_int_equal(is_logged("d o second"), regs->extended == 2);
            assert_true(!extended || regs->extended == 2);
            assert_true(!whole || extended);
            (void)assert_log_is_the_registers();
            l = open_log();
            assert_vs_ok(aa_eventlog_extend(l, 8, VS_LIT("d o third"), &err), &err);
            aa_eventlog_close(&l);
            assert_true(is_logged("d o first") && is_logged("d o third"));
            (void)assert_log_is_the_registers();
        }
        assert_true(n >= 8); /* there were steps to be killed at */
    }
}

static void an_error_at_any_step_leaves_log_and_register_together(void **state)
{
    (void)state;
    vs_error err = {0};
    for (int half = 0; half < 2; half++) {
        bool failed = true;
        int n = 0;
        while (failed || n < 12) {
            clear();
            aa_eventlog *l = open_log();
            memset(&steps, 0, sizeof steps);
            steps.fail_at = ++n;
            steps.half = half;
            bool ok = aa_eventlog_extend(l, 8, VS_LIT("d o second"), NULL) == VS_OK;
            failed = steps.at >= steps.fail_at;
            assert_true(ok || failed);
            memset(&steps, 0, sizeof steps);
            assert_vs_ok(aa_eventlog_extend(l, 8, VS_LIT("d o third"), &err), &err);
            aa_eventlog_close(&l);
            assert_true(!ok || is_logged("d o second"));
            assert_true(is_logged("d o third"));
            (void)assert_log_is_the_registers();
            assert_true(n < 100);
        }
    }
}

static void a_register_that_does_not_take_an_extension_is_noticed(void **state)
{
    (void)state;
    vs_error err = {0};
    aa_eventlog *l = open_log();
    regs->mute = true;
    assert_vs_code(aa_eventlog_extend(l, 8, VS_LIT("d o lost"), &err), VS_E_IO);
    regs->mute = false;
    assert_int_equal(assert_log_is_the_registers(), 0);
    assert_vs_ok(aa_eventlog_extend(l, 8, VS_LIT("d o kept"), &err), &err);
    assert_int_equal(assert_log_is_the_registers(), 1);
    aa_eventlog_close(&l);
}

static void a_register_that_something_else_extended_ends_the_start(void **state)
{
    (void)state;
    vs_error err = {0};
    VS_CLEANUP(vs_buf_free) vs_buf was = VS_BUF(AAEL_LOG_MAX);
    int n = 1;
    do { /* until the journal is there */
        clear();
        (void)run_to(n++, false, true);
    } while (access(journal, F_OK) != 0);
    regs->value[3][0] ^= 1;
    bank before = *regs;
    assert_vs_code(try_open(&err), VS_E_CONFLICT);
    assert_non_null(strstr(vs_error_at(&err, 1), "register 3"));
    assert_memory_equal(&before, regs, sizeof before);
    regs->value[3][0] ^= 1;
    assert_vs_ok(try_open(&err), &err);
    assert_int_equal(assert_log_is_the_registers(), 1);
}

/* The guest was started anew: its registers are as they were before anything was measured. */
static void start_anew(void)
{
    memset(regs->value, 0, sizeof regs->value);
    regs->extended = 0;
}

static void measure(uint64_t pcr, const char *text)
{
    vs_error err = {0};
    aa_eventlog *l = open_log();
    assert_vs_ok(aa_eventlog_extend(l, pcr, vs_str(text), &err), &err);
    aa_eventlog_close(&l);
}

static void a_log_of_an_earlier_start_is_put_away_wherever_that_is_killed(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf was = VS_BUF(AAEL_LOG_MAX), old = VS_BUF(AAEL_LOG_MAX);
    vs_error err = {0};
    char old_path[120];
    (void)snprintf(old_path, sizeof old_path, "%s.old", path);
    for (int with_journal = 0; with_journal < 2; with_journal++) {
        bool whole = false;
        int n = 0;
        while (!whole) {
            int kill_at = 1;
            do { /* until a journal is there, where there is to be one */
                clear();
                measure(17, "d o first");
                if (with_journal)
                    (void)run_to(kill_at++, false, true);
            } while (with_journal && access(journal, F_OK) != 0);
            (void)__real_unlink(old_path);
            vs_buf_clear(&was);
            assert_vs_ok(vs_read_file(path, &was, &err), &err);
            start_anew();
            n++;
            whole = run_to(n, n % 2, false);
            for (int again = 1; !run_to(again, true, false); again++)
                assert_true(again < 100);
            assert_int_equal(assert_log_is_the_registers(), 0);
            vs_buf_clear(&old);
            assert_vs_ok(vs_read_file(old_path, &old, &err), &err);
            assert_span_eq(vs_buf_span(&old), vs_buf_span(&was));
            measure(8, "d o new");
            assert_false(is_logged("d o first") || is_logged("d o second"));
            assert_int_equal(assert_log_is_the_registers(), 1);
        }
        assert_true(n >= 4);
    }
}

static void a_log_that_is_not_its_registers_ends_the_start(void **state)
{
    (void)state;
    vs_error err = {0};
    struct stat st;
    measure(17, "d o one");
    measure(8, "d o two");
    bank before = *regs;
    regs->value[4][7] ^= 1; /* something else extended it */
    assert_vs_code(try_open(&err), VS_E_CONFLICT);
    assert_non_null(strstr(vs_error_at(&err, 0), "register 4 does not hold what the log says"));
    memset(regs->value[4], 0, SIZE); /* this one was reset, the other not */
    assert_vs_code(try_open(&err), VS_E_CONFLICT);
    assert_non_null(strstr(vs_error_at(&err, 0), "some registers were reset"));
    regs->had_use = true; /* it cannot be told */
    assert_vs_ok(try_open(&err), &err);
    *regs = before;
    assert_vs_ok(try_open(&err), &err);
    measure(8, "d o three");
    assert_int_equal(assert_log_is_the_registers(), 3);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, st.st_size - 1), 0); /* an event that only the register has */
    assert_vs_code(try_open(&err), VS_E_CONFLICT);
}

static void a_damaged_journal_ends_the_start(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf bytes = VS_BUF(1000);
    vs_error err = {0};
    uint8_t expected[SIZE] = {1, 2, 3};
    const aael_journal j = {99, 3, vs_span_of(expected, SIZE), VS_LIT("d o c")};
    aael_journal r;
    assert_vs_ok(aael_put_journal(&bytes, VS_SHA384, &j, &err), &err);
    assert_vs_ok(aael_read_journal(vs_buf_span(&bytes), VS_SHA384, &r, &err), &err);
    assert_true(r.at == 99 && r.index == 3);
    assert_span_eq(r.expected, j.expected);
    assert_span_eq(r.text, j.text);
    assert_vs_code(aael_read_journal(vs_buf_span(&bytes), VS_SHA256, &r, NULL), VS_E_INVALID);
    for (size_t n = 0; n < bytes.n; n++)
        assert_vs_code(aael_read_journal(vs_span_head(vs_buf_span(&bytes), n), VS_SHA384, &r, NULL),
                       VS_E_INVALID);
    for (size_t i = 0; i < 8 * bytes.n; i++) {
        bytes.p[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_vs_code(aael_read_journal(vs_buf_span(&bytes), VS_SHA384, &r, NULL), VS_E_INVALID);
        bytes.p[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    /* Upstream's: offset, register, text. */
    assert_vs_ok(
        vs_write_file(journal, vs_span_of("\0\0\0\0\0\0\0\0expected text", 21), 0600, &err), &err);
    assert_vs_code(try_open(&err), VS_E_INVALID);
    /* A log that is shorter than the journal says. */
    assert_vs_ok(vs_write_file(journal, vs_buf_span(&bytes), 0600, &err), &err);
    assert_vs_code(try_open(&err), VS_E_INVALID);
}

static void a_torn_end_is_cut_and_other_damage_refused(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf log = VS_BUF(AAEL_LOG_MAX);
    vs_error err = {0};
    uint8_t digest[VS_HASH_MAX];
    struct stat st;
    regs->had_use = true; /* the registers know nothing of these events */
    assert_vs_ok(aael_put_entry(&log, VS_SHA384, 3, VS_LIT("d o one"), digest, &err), &err);
    size_t first = log.n, whole;
    assert_vs_ok(aael_put_entry(&log, VS_SHA384, 4, VS_LIT("d o two"), digest, &err), &err);
    for (size_t n = 0; n <= log.n; n++) {
        size_t want = n < first ? 0 : n < log.n ? first : log.n;
        vs_span cut = vs_span_head(vs_buf_span(&log), n);
        assert_vs_ok(aael_check(cut, VS_SHA384, &whole, &err), &err);
        assert_int_equal(whole, want);
        assert_vs_ok(vs_write_file(path, cut, 0600, &err), &err);
        assert_vs_ok(try_open(&err), &err);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_size, want);
    }
    for (size_t i = 8 * 4; i < 8 * first;
         i++) { /* of the first entry; its register is not hashed */
        log.p[i / 8] ^= (uint8_t)(1 << i % 8);
        vs_code code = aael_check(vs_buf_span(&log), VS_SHA384, &whole, NULL);
        assert_true(code == VS_E_INVALID || (code == VS_OK && whole == 0));
        log.p[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    log.p[20] ^= 1;
    assert_vs_ok(vs_write_file(path, vs_buf_span(&log), 0600, &err), &err);
    assert_vs_code(try_open(&err), VS_E_INVALID);
}

static void the_log_is_bounded_and_a_full_one_extends_nothing(void **state)
{
    (void)state;
    static uint8_t text[AAEL_TEXT_MAX + 1];
    memset(text, 'x', sizeof text);
    vs_error err = {0};
    aa_eventlog *l = open_log();
    assert_vs_code(aa_eventlog_extend(l, 8, vs_span_of(text, sizeof text), &err), VS_E_LIMIT);
    size_t n = 0;
    while (aa_eventlog_extend(l, 8, vs_span_of(text, AAEL_TEXT_MAX), &err) == VS_OK)
        assert_true(++n < 100);
    assert_int_equal(err.code, VS_E_LIMIT);
    assert_int_equal(n, AAEL_LOG_MAX / (AAEL_HEAD + SIZE + AAEL_TEXT_MAX));
    assert_int_equal(assert_log_is_the_registers(), n);
    assert_vs_ok(aa_eventlog_extend(l, 8, VS_LIT("d o small"), &err), &err);
    aa_eventlog_close(&l);
}

static void *extend_fifty(void *user)
{
    aa_eventlog *l = user;
    for (unsigned i = 0; i < 50; i++)
        if (aa_eventlog_extend(l, i % 2 ? 8 : 17, VS_LIT("d o c"), NULL) != VS_OK)
            return l;
    return NULL;
}

static void many_at_once_are_one_after_the_other(void **state)
{
    (void)state;
    pthread_t threads[4];
    aa_eventlog *own[2] = {open_log(), open_log()};
    for (size_t i = 0; i < VS_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, extend_fifty, own[i % 2]), 0);
    for (size_t i = 0; i < VS_COUNT(threads); i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    for (size_t i = 0; i < VS_COUNT(own); i++)
        aa_eventlog_close(&own[i]);
    assert_int_equal(assert_log_is_the_registers(), 200);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_vectors_come_out_byte_for_byte),
        TEST(the_register_that_is_extended_is_the_one_in_the_log),
        TEST(a_kill_at_any_step_loses_nothing_and_extends_nothing_twice),
        TEST(an_error_at_any_step_leaves_log_and_register_together),
        TEST(a_register_that_does_not_take_an_extension_is_noticed),
        TEST(a_register_that_something_else_extended_ends_the_start),
        TEST(a_log_of_an_earlier_start_is_put_away_wherever_that_is_killed),
        TEST(a_log_that_is_not_its_registers_ends_the_start),
        TEST(a_damaged_journal_ends_the_start),
        TEST(a_torn_end_is_cut_and_other_damage_refused),
        TEST(the_log_is_bounded_and_a_full_one_extends_nothing),
        TEST(many_at_once_are_one_after_the_other),
    };
    return cmocka_run_group_tests_name("aa_eventlog", tests, NULL, NULL);
}
