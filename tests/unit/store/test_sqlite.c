/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

static const char *db_path(const fixture *f)
{
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/state/kbs.sqlite", f->dir);
    return path;
}

static int open_sqlite(void **state)
{
    fixture *f = fixture_new();
    vs_error err = {0};
    assert_vs_ok(vs_store_open_sqlite(db_path(f), &f->s, &err), &err);
    *state = f;
    return 0;
}

static int open_memory(void **state)
{
    fixture *f = fixture_new();
    vs_error err = {0};
    assert_vs_ok(vs_store_open_memory(&f->s, &err), &err);
    *state = f;
    return 0;
}

static void reopen(fixture *f)
{
    vs_error err = {0};
    vs_store_close(&f->s);
    assert_vs_ok(vs_store_open_sqlite(db_path(f), &f->s, &err), &err);
}

static void execute(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void values_put_together_are_all_there_or_none(void **state)
{
    fixture *f = *state;
    put(f->s, "kbs", "taken", "0");
    vs_store_item three[] = {{"kbs", VS_LIT("a"), VS_LIT("1"), 0, VS_PUT_REPLACE},
                             {"kbs", VS_LIT("taken"), VS_LIT("2"), 0, VS_PUT_CREATE},
                             {"kbs", VS_LIT("c"), VS_LIT("3"), 0, VS_PUT_REPLACE}};
    assert_vs_code(vs_store_put_all(f->s, three, 3, NULL), VS_E_EXISTS);
    assert_vs_code(get_code(f->s, "kbs", VS_LIT("a"), 0), VS_E_NOT_FOUND);
    expect(f->s, "kbs", "taken", 0, "0");
    put(f->s, "kbs", "a", "the connection still works");
}

static void values_survive_a_restart(void **state)
{
    fixture *f = *state;
    put(f->s, "kbs", "a/b", "kept");
    reopen(f);
    expect(f->s, "kbs", "a/b", 0, "kept");
}

static void two_openings_of_one_file_see_each_others_writes(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    vs_store *other = NULL;
    assert_vs_ok(vs_store_open_sqlite(db_path(f), &other, &err), &err);
    put(f->s, "kbs", "k", "1");
    expect(other, "kbs", "k", 0, "1");
    put(other, "kbs", "k", "2");
    expect(f->s, "kbs", "k", 0, "2");
    vs_store_close(&other);
}

static void every_file_name_is_just_a_file_name(void **state)
{
    fixture *f = *state;
    static const char *const names[] = {":memory:", "file:x?mode=memory", "a b%20.sqlite"};
    char was[4096];
    assert_non_null(getcwd(was, sizeof was));
    assert_int_equal(chdir(f->dir), 0);
    for (size_t i = 0; i < VS_COUNT(names); i++) {
        vs_store *s = NULL;
        vs_error err = {0};
        assert_vs_ok(vs_store_open_sqlite(names[i], &s, &err), &err);
        put(s, "kbs", "k", "kept");
        vs_store_close(&s);
        assert_vs_ok(vs_store_open_sqlite(names[i], &s, &err), &err);
        expect(s, "kbs", "k", 0, "kept");
        vs_store_close(&s);
    }
    assert_int_equal(chdir(was), 0);
}

static void only_the_owner_can_read_the_files(void **state)
{
    fixture *f = *state;
    put(f->s, "kbs", "k", "v");
    static const char *const suffix[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < VS_COUNT(suffix); i++) {
        char path[160];
        (void)snprintf(path, sizeof path, "%s%s", db_path(f), suffix[i]);
        struct stat st;
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
}

static void a_file_of_a_newer_release_is_refused(void **state)
{
    fixture *f = *state;
    vs_store_close(&f->s);
    execute(db_path(f), "PRAGMA user_version = 2");
    vs_error err = {0};
    assert_vs_code(vs_store_open_sqlite(db_path(f), &f->s, &err), VS_E_UNSUPPORTED);
    assert_null(f->s);
}

static void a_database_of_another_program_is_refused_untouched(void **state)
{
    fixture *f = *state;
    char path[128];
    (void)snprintf(path, sizeof path, "%s/other.sqlite", f->dir);
    execute(path, "CREATE TABLE kv (x); PRAGMA user_version = 1");
    vs_buf before = VS_BUF(1 << 20), after = VS_BUF(1 << 20);
    assert_vs_code(vs_read_file(path, &before, NULL), VS_OK);
    vs_store *s = NULL;
    assert_vs_code(vs_store_open_sqlite(path, &s, NULL), VS_E_INVALID);
    assert_vs_code(vs_read_file(path, &after, NULL), VS_OK);
    assert_span_eq(vs_buf_span(&before), vs_buf_span(&after));
    vs_buf_free(&before);
    vs_buf_free(&after);
}

static void what_is_no_database_is_refused(void **state)
{
    fixture *f = *state;
    char path[128];
    (void)snprintf(path, sizeof path, "%s/text", f->dir);
    vs_error err = {0};
    vs_span text = VS_LIT("this is a letter, not a database; it is long enough to have a header of "
                          "one hundred bytes in it");
    assert_vs_ok(vs_write_file(path, text, 0600, &err), &err);
    vs_store *s = NULL;
    assert_vs_code(vs_store_open_sqlite(path, &s, NULL), VS_E_IO);
    assert_vs_code(vs_store_open_sqlite(f->dir, &s, NULL), VS_E_INVALID);
    assert_null(s);
}

static void a_deleted_secret_is_not_left_in_the_file(void **state)
{
    fixture *f = *state;
    static const char secret[] = "correct horse battery staple";
    put(f->s, "repository", "a/b/c", secret);
    put(f->s, "repository", "a/b/d", secret);
    vs_error err = {0};
    assert_vs_ok(vs_store_delete(f->s, "repository", VS_LIT("a/b/c"), &err), &err);
    put(f->s, "repository", "a/b/d", "another");
    vs_store_close(&f->s); /* folds the log into the file and removes it */
    vs_buf b = VS_BUF(1 << 20);
    assert_vs_ok(vs_read_file(db_path(f), &b, &err), &err);
    assert_null(memmem(b.p, b.n, secret, sizeof secret - 1));
    vs_buf_free(&b);
}

/* The child tells each write after it was acknowledged, and is killed in the middle. */
static void write_until_killed(const char *path, int fd, unsigned from)
{
    vs_store *s = NULL;
    if (vs_store_open_sqlite(path, &s, NULL) != VS_OK)
        _exit(1);
    for (unsigned i = from;; i++) {
        char key[16], value[700];
        (void)snprintf(key, sizeof key, "k%u", i % 50);
        (void)snprintf(value, sizeof value, "%0600u", i);
        if (vs_store_put(s, "kbs", vs_str(key), vs_str(value), 0, VS_PUT_REPLACE, NULL) != VS_OK ||
            write(fd, &i, sizeof i) != sizeof i)
            _exit(1);
    }
}

static void nothing_acknowledged_is_lost_by_a_kill(void **state)
{
    fixture *f = *state;
    vs_store_close(&f->s);
    unsigned last = 0, writes = 0;
    for (unsigned round = 0; round < 30; round++) {
        int p[2];
        assert_int_equal(pipe(p), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            write_until_killed(db_path(f), p[1], last + 1);
        (void)close(p[1]);
        unsigned got, want = 5 + round % 7 * 11;
        for (unsigned n = 0; n < want && read(p[0], &got, sizeof got) == sizeof got; n++)
            last = got;
        (void)kill(pid, SIGKILL);
        while (read(p[0], &got, sizeof got) == sizeof got)
            last = got;
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        (void)close(p[0]);

        vs_error err = {0};
        assert_vs_ok(vs_store_open_sqlite(db_path(f), &f->s, &err), &err);
        for (unsigned i = last > 49 ? last - 49 : 1; i <= last; i++) {
            char key[16];
            (void)snprintf(key, sizeof key, "k%u", i % 50);
            vs_buf b = VS_BUF(1024);
            assert_vs_ok(vs_store_get(f->s, "kbs", vs_str(key), 0, &b, &err), &err);
            unsigned there = (unsigned)strtoul((const char *)b.p, NULL, 10);
            assert_true(there >= i); /* the one in flight may be there as well */
            vs_buf_free(&b);
        }
        vs_store_close(&f->s);
        writes = last;
    }
    print_message("%u acknowledged writes, 30 kills, none lost\n", writes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TESTS(open_memory),
        EXPIRY_TESTS(open_memory),
        STORE_TESTS(open_sqlite),
        EXPIRY_TESTS(open_sqlite),
        cmocka_unit_test_setup_teardown(values_put_together_are_all_there_or_none, open_memory,
                                        fixture_free),
        cmocka_unit_test_setup_teardown(values_put_together_are_all_there_or_none, open_sqlite,
                                        fixture_free),
        cmocka_unit_test_setup_teardown(values_survive_a_restart, open_sqlite, fixture_free),
        cmocka_unit_test_setup_teardown(two_openings_of_one_file_see_each_others_writes,
                                        open_sqlite, fixture_free),
        cmocka_unit_test_setup_teardown(every_file_name_is_just_a_file_name, open_sqlite,
                                        fixture_free),
        cmocka_unit_test_setup_teardown(only_the_owner_can_read_the_files, open_sqlite,
                                        fixture_free),
        cmocka_unit_test_setup_teardown(a_file_of_a_newer_release_is_refused, open_sqlite,
                                        fixture_free),
        cmocka_unit_test_setup_teardown(a_database_of_another_program_is_refused_untouched,
                                        open_sqlite, fixture_free),
        cmocka_unit_test_setup_teardown(what_is_no_database_is_refused, open_sqlite, fixture_free),
        cmocka_unit_test_setup_teardown(a_deleted_secret_is_not_left_in_the_file, open_sqlite,
                                        fixture_free),
        cmocka_unit_test_setup_teardown(nothing_acknowledged_is_lost_by_a_kill, open_sqlite,
                                        fixture_free),
    };
    return cmocka_run_group_tests_name("store: sqlite", tests, NULL, NULL);
}
