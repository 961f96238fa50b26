/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log: what was written verifies, and nothing else does. */
#include "testing.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "kbs/audit.h"
#include "value/json.h"

#define NOW INT64_C(1790000000)

typedef struct book {
    vs_arena a;
    char dir[32], path[64];
    vs_key *key;
} book;

static int setup(void **state)
{
    book *b = calloc(1, sizeof *b);
    vs_error err = {0};
    assert_non_null(b);
    vs_arena_init(&b->a, 0);
    (void)snprintf(b->dir, sizeof b->dir, "/tmp/vs-audit-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    (void)snprintf(b->path, sizeof b->path, "%s/audit.log", b->dir);
    assert_vs_ok(vs_key_generate(VS_KEY_P256, &b->key, &err), &err);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    book *b = *state;
    char old[80];
    (void)snprintf(old, sizeof old, "%s.1", b->path);
    (void)unlink(b->path);
    (void)unlink(old);
    (void)rmdir(b->dir);
    vs_key_free(&b->key);
    vs_arena_free(&b->a);
    free(b);
    return 0;
}

static vs_val event(book *b, int n)
{
    vs_obj o = {.a = &b->a};
    vs_obj_put(&o, "what", vs_cstring("release"));
    vs_obj_put(&o, "n", vs_int(n));
    vs_obj_put(&o, "who", vs_cstring("a \"b\"\n"));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static audit_log *open_log(book *b, unsigned every)
{
    vs_error err = {0};
    audit_log *log;
    assert_vs_ok(audit_open(b->path, b->key, every, NOW, &log, &err), &err);
    return log;
}

static void append(book *b, audit_log *log, int from, int to)
{
    vs_error err = {0};
    for (int i = from; i < to; i++)
        assert_vs_ok(audit_append(log, event(b, i), NOW + i, &err), &err);
    assert_vs_ok(audit_sync(log, &err), &err);
}

static vs_span contents(book *b, const char *path)
{
    vs_error err = {0};
    vs_buf text = VS_BUF(1 << 20);
    assert_vs_ok(vs_read_file(path, &text, &err), &err);
    vs_span copy = vs_dup(&b->a, vs_buf_span(&text));
    vs_buf_free(&text);
    return copy;
}

static void write_plain(const char *path, vs_span text)
{
    vs_error err = {0};
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_vs_ok(vs_write_fd(fd, text, &err), &err);
    (void)close(fd);
}

static vs_code verify(vs_span text, const vs_key *key, audit_report *r)
{
    return audit_verify(text, key, r, NULL, NULL, NULL);
}

static void add_up(void *user, uint64_t seq, vs_span time, vs_val e)
{
    int64_t *sum = user;
    assert_true(seq > 0 && time.n == 20);
    if (vs_span_is(vs_text(vs_getc(e, "what")), "release"))
        *sum += vs_getc(e, "n").u.i;
}

static void what_was_written_verifies(void **state)
{
    book *b = *state;
    audit_report r;
    int64_t sum = 0;
    audit_log *log = open_log(b, 4);
    append(b, log, 0, 10);
    audit_close(&log, NOW);
    vs_error err = {0};
    vs_span text = contents(b, b->path);
    assert_vs_ok(audit_verify(text, b->key, &r, add_up, &sum, &err), &err);
    assert_int_equal(r.events, 10);
    assert_int_equal(r.starts, 1);
    assert_int_equal(r.checkpoints, 3); /* after 4, after 8, at the end */
    assert_int_equal(r.lines, 14);
    assert_int_equal(r.unsigned_lines, 0);
    assert_int_equal(r.first_seq, 1);
    assert_int_equal(r.last_seq, 14);
    assert_int_equal(sum, 45);
    assert_vs_code(verify(text, NULL, &r), VS_OK);
    struct stat st;
    assert_int_equal(stat(b->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void every_changed_bit_is_found(void **state)
{
    book *b = *state;
    audit_report r;
    audit_log *log = open_log(b, 2);
    append(b, log, 0, 4);
    audit_close(&log, NOW);
    vs_span text = contents(b, b->path);
    uint8_t *changed = malloc(text.n);
    assert_non_null(changed);
    size_t last = text.n - 1;
    while (text.p[last - 1] != '\n')
        last--;
    for (size_t i = 0; i < text.n; i++) {
        memcpy(changed, text.p, text.n);
        changed[i] ^= (uint8_t)(1u << (i % 8));
        if (verify(vs_span_of(changed, text.n), b->key, &r) != VS_OK)
            continue;
        /* The last checkpoint itself may cease to be one: then its line is not vouched for. */
        if (i < last || (r.unsigned_lines == 0 && !r.torn))
            fail_msg("bit %zu of byte %zu does not count", i % 8, i);
    }
    free(changed);
}

static void lines_cannot_be_dropped_repeated_or_swapped(void **state)
{
    book *b = *state;
    audit_report r;
    audit_log *log = open_log(b, 3);
    append(b, log, 0, 6);
    audit_close(&log, NOW);
    vs_span lines[32], rest = contents(b, b->path);
    size_t n = 0;
    for (bool more = true; more && rest.n;)
        lines[n++] = vs_span_cut(rest, '\n', &rest, &more);
    for (size_t i = 1; i + 1 < n; i++) {
        for (int how = 0; how < 3; how++) {
            vs_buf out = VS_BUF(1 << 20);
            for (size_t k = 0; k < n; k++) {
                size_t take = how == 2 && k == i ? i + 1 : how == 2 && k == i + 1 ? i : k;
                for (int copies = how == 0 && k == i   ? 0
                                  : how == 1 && k == i ? 2
                                                       : 1;
                     copies > 0; copies--) {
                    vs_buf_put(&out, lines[take]);
                    vs_buf_putc(&out, '\n');
                }
            }
            assert_vs_code(verify(vs_buf_span(&out), b->key, &r), VS_E_MISMATCH);
            assert_true(r.wrong_line >= i);
            vs_buf_free(&out);
        }
    }
}

static void a_chain_of_another_key_is_no_proof(void **state)
{
    book *b = *state;
    vs_error err = {0};
    audit_report r;
    vs_key *own = b->key, *forger = NULL;
    assert_vs_ok(vs_key_generate(VS_KEY_P256, &forger, &err), &err);
    b->key = forger;
    audit_log *log = open_log(b, 1);
    append(b, log, 0, 1);
    audit_close(&log, NOW);
    b->key = own;
    vs_span text = contents(b, b->path);
    assert_vs_code(verify(text, own, &r), VS_E_CRYPTO);
    assert_vs_code(verify(text, NULL, &r), VS_OK); /* by its own word only */
    vs_key_free(&forger);
}

static void a_torn_line_is_cut_off_and_told(void **state)
{
    book *b = *state;
    audit_report r;
    audit_log *log = open_log(b, 100);
    append(b, log, 0, 3);
    audit_close(&log, NOW);
    vs_span whole = contents(b, b->path);
    size_t last = whole.n - 1;
    while (whole.p[last - 1] != '\n')
        last--;
    for (size_t cut = last + 1; cut < whole.n; cut += 7) { /* kill -9 in the middle of a write */
        write_plain(b->path, vs_span_head(whole, cut));
        log = open_log(b, 100);
        append(b, log, 3, 4);
        audit_close(&log, NOW);
        vs_span text = contents(b, b->path);
        assert_vs_code(verify(text, b->key, &r), VS_OK);
        assert_int_equal(r.events, 4);
        assert_int_equal(r.starts, 2);
        char told[40];
        (void)snprintf(told, sizeof told, "\"dropped\":%zu}", cut - last);
        assert_non_null(strstr((const char *)text.p, told));
    }
}

static void what_is_no_log_is_not_continued(void **state)
{
    book *b = *state;
    audit_log *log = NULL;
    static const char *const bad[] = {"hello\n", "{}\n", "{\"seq\":1}\n",
                                      "{\"seq\":0,\"time\":\"t\",\"prev\":\"x\",\"event\":{}}\n"};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        write_plain(b->path, vs_str(bad[i]));
        assert_int_not_equal(audit_open(b->path, b->key, 1, NOW, &log, NULL), VS_OK);
        assert_null(log);
        assert_span_is(contents(b, b->path), bad[i]);
    }
    (void)unlink(b->path);
    assert_int_equal(symlink("/dev/null", b->path), 0);
    assert_vs_code(audit_open(b->path, b->key, 1, NOW, &log, NULL), VS_E_IO);
}

static void one_process_writes(void **state)
{
    book *b = *state;
    audit_log *first = open_log(b, 1), *second = NULL;
    assert_vs_code(audit_open(b->path, b->key, 1, NOW, &second, NULL), VS_E_EXISTS);
    audit_close(&first, NOW);
}

static void a_rotated_log_goes_on_in_its_chain(void **state)
{
    book *b = *state;
    vs_error err = {0};
    audit_report before, after;
    char moved[80];
    (void)snprintf(moved, sizeof moved, "%s.1", b->path);
    audit_log *log = open_log(b, 100);
    append(b, log, 0, 3);
    assert_vs_code(audit_reopen(log, NOW, NULL), VS_E_EXISTS); /* nobody moved it */
    append(b, log, 3, 4);
    assert_int_equal(rename(b->path, moved), 0);
    assert_vs_ok(audit_reopen(log, NOW, &err), &err);
    append(b, log, 4, 6);
    audit_close(&log, NOW);
    assert_vs_code(verify(contents(b, moved), b->key, &before), VS_OK);
    assert_vs_code(verify(contents(b, b->path), b->key, &after), VS_OK);
    assert_int_equal(before.events + after.events, 6);
    assert_int_equal(before.unsigned_lines, 0);
    assert_int_equal(after.first_seq, before.last_seq + 1);
    assert_string_equal(after.first_prev, before.last_hash);
}

/* There is room for the event, but not for the checkpoint that is due with it. */
static void an_event_is_written_once_though_its_checkpoint_fails(void **state)
{
    book *b = *state;
    audit_report r;
    int64_t sum = 0;
    vs_error err = {0};
    audit_log *log = open_log(b, 2);
    append(b, log, 1, 2);
    struct rlimit before, full;
    struct stat st;
    assert_int_equal(stat(b->path, &st), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    full = (struct rlimit){(rlim_t)st.st_size + 300, before.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    vs_code code = audit_append(log, event(b, 2), NOW, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_vs_ok(code, &err); /* else it would be written again */
    append(b, log, 3, 4);
    audit_close(&log, NOW);
    assert_vs_ok(audit_verify(contents(b, b->path), b->key, &r, add_up, &sum, &err), &err);
    assert_int_equal(r.events, 3);
    assert_int_equal(sum, 1 + 2 + 3);
    assert_int_equal(r.checkpoints, 1); /* the late one */
}

static void an_event_that_is_too_large_changes_nothing(void **state)
{
    book *b = *state;
    audit_report r;
    audit_log *log = open_log(b, 100);
    char *huge = calloc(1, AUDIT_LINE_MAX + 1);
    assert_non_null(huge);
    memset(huge, 'x', AUDIT_LINE_MAX);
    vs_val big = vs_with(&b->a, event(b, 1), vs_cstring("more"), vs_cstring(huge));
    assert_vs_code(audit_append(log, big, NOW, NULL), VS_E_NOMEM);
    free(huge);
    append(b, log, 1, 2);
    audit_close(&log, NOW);
    assert_vs_code(verify(contents(b, b->path), b->key, &r), VS_OK);
    assert_int_equal(r.events, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(what_was_written_verifies),
        T(every_changed_bit_is_found),
        T(lines_cannot_be_dropped_repeated_or_swapped),
        T(a_chain_of_another_key_is_no_proof),
        T(a_torn_line_is_cut_off_and_told),
        T(what_is_no_log_is_not_continued),
        T(one_process_writes),
        T(a_rotated_log_goes_on_in_its_chain),
        T(an_event_is_written_once_though_its_checkpoint_fails),
        T(an_event_that_is_too_large_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
