/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "store/sqlite_schema.h"

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
    execute(db_path(f), "PRAGMA user_version = 3");
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

/* ---- migrations ------------------------------------------------------------------------------ */

static const char *beside(const fixture *f, const char *suffix)
{
    static char path[192];
    (void)snprintf(path, sizeof path, "%s%s", db_path(f), suffix);
    return path;
}

static void migrations_run_once_and_the_file_is_copied_before(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    char text[VS_ERROR_TEXT];
    put(f->s, "kbs", "k", "kept");
    vs_store_close(&f->s);
    store_migration list[] = {sqlite_migrations[0],
                              sqlite_migrations[1],
                              {.sql = "ALTER TABLE kv ADD COLUMN note TEXT"},
                              {.sql = "CREATE TABLE more (x); DROP TABLE nothing"}};
    assert_vs_code(store_open_sqlite_as(db_path(f), list, 4, &f->s, &err), VS_E_INTERNAL);
    assert_non_null(
        strstr(vs_error_text(&err, text, sizeof text), "migration from version 3 to 4"));
    assert_vs_ok(vs_store_open_sqlite(db_path(f), &f->s, &err), &err); /* nothing has changed */
    expect(f->s, "kbs", "k", 0, "kept");
    vs_store_close(&f->s);
    assert_int_equal(unlink(beside(f, ".schema-2")), 0);
    assert_vs_ok(store_open_sqlite_as(db_path(f), list, 3, &f->s, &err), &err);
    expect(f->s, "kbs", "k", 0, "kept");
    put(f->s, "kbs", "k", "changed");
    vs_store_close(&f->s);
    struct stat st;
    assert_int_equal(stat(beside(f, ".schema-2"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(access(beside(f, ".schema-2.part"), F_OK), -1);
    assert_vs_ok(store_open_sqlite_as(db_path(f), list, 3, &f->s, &err), &err); /* once only */
    vs_store_close(&f->s);
    /* The release before: it refuses the file, and works on the copy. */
    assert_vs_code(vs_store_open_sqlite(db_path(f), &f->s, &err), VS_E_UNSUPPORTED);
    assert_non_null(strstr(vs_error_text(&err, text, sizeof text),
                           "the file has schema version 3, this build knows up to 2"));
    assert_vs_ok(vs_store_open_sqlite(beside(f, ".schema-2"), &f->s, &err), &err);
    expect(f->s, "kbs", "k", 0, "kept");
}

/* ---- counting changes -------------------------------------------------------------------------
 */

static uint64_t changes(vs_store *s)
{
    uint64_t n = 0;
    vs_error err = {0};
    assert_vs_ok(vs_store_changes(s, "kbs", &n, &err), &err);
    assert_true(n > 0);
    return n;
}

static void every_change_of_what_stays_is_counted(void **state)
{
    fixture *f = *state;
    vs_store_item two[] = {{"kbs", VS_LIT("a"), VS_LIT("1"), 0, VS_PUT_REPLACE},
                           {"kbs", VS_LIT("b"), VS_LIT("2"), 0, VS_PUT_REPLACE}};
    uint64_t n = changes(f->s), now;
#define COUNTED(call)                                                                              \
    assert_vs_code((call), VS_OK);                                                                 \
    now = changes(f->s);                                                                           \
    assert_int_not_equal(now, n);                                                                  \
    n = now
    COUNTED(vs_store_put(f->s, "kbs", VS_LIT("k"), VS_LIT("1"), 0, VS_PUT_CREATE, NULL));
    COUNTED(vs_store_put(f->s, "kbs", VS_LIT("k"), VS_LIT("2"), 0, VS_PUT_REPLACE, NULL));
    COUNTED(vs_store_put_all(
        f->s, &(vs_store_item){"kbs", VS_LIT("k"), VS_LIT("3"), 0, VS_PUT_SWAP, VS_LIT("2")}, 1,
        NULL));
    COUNTED(vs_store_put_all(f->s, two, 2, NULL));
    COUNTED(vs_store_put(f->s, "kbs", VS_LIT("k"), VS_LIT("4"), 99, VS_PUT_REPLACE, NULL));
    COUNTED(vs_store_put(f->s, "kbs", VS_LIT("k"), VS_LIT("5"), 0, VS_PUT_REPLACE, NULL));
    COUNTED(vs_store_delete(f->s, "kbs", VS_LIT("k"), NULL));
#undef COUNTED
    /* What has not changed, and what expires, is not counted. */
    assert_vs_code(vs_store_put(f->s, "kbs", VS_LIT("a"), VS_LIT("x"), 0, VS_PUT_CREATE, NULL),
                   VS_E_EXISTS);
    assert_vs_code(vs_store_delete(f->s, "kbs", VS_LIT("k"), NULL), VS_E_NOT_FOUND);
    for (int64_t i = 1; i < 4; i++)
        assert_vs_code(vs_store_put(f->s, "kbs", VS_LIT("e"), VS_LIT("x"), i, VS_PUT_REPLACE, NULL),
                       VS_OK);
    assert_vs_code(vs_store_purge(f->s, 100, 10, NULL), VS_OK);
    assert_vs_code(vs_store_ping(f->s, NULL), VS_OK);
    expect(f->s, "kbs", "a", 0, "1");
    assert_int_equal(changes(f->s), n);
}

static void changes_by_others_are_counted(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    vs_store *other = NULL;
    put(f->s, "kbs", "k", "1");
    uint64_t n = changes(f->s);
    assert_vs_ok(vs_store_open_sqlite(db_path(f), &other, &err), &err);
    assert_int_equal(changes(other), n);
    put(other, "kbs", "k", "2");
    assert_true(changes(f->s) != n);
    n = changes(f->s);
    vs_store_close(&other);
    /* A release that knows nothing of it: */
    execute(db_path(f), "UPDATE kv SET value = x'33' WHERE key = 'k'");
    assert_true(changes(f->s) != n);
    expect(f->s, "kbs", "k", 0, "3");
    n = changes(f->s);
    reopen(f);
    assert_int_equal(changes(f->s), n);
}

/* What was read between a backup and its being put back, under the running program, must not come
 * to count again. */
static void a_database_put_back_does_not_come_to_the_same_counts(void **state)
{
    fixture *f = *state;
    uint64_t counts[8];
    char command[400];
    put(f->s, "kbs", "k", "0");
    (void)snprintf(command, sizeof command, "VACUUM INTO '%s/copy'", f->dir);
    execute(db_path(f), command);
    for (size_t i = 0; i < VS_COUNT(counts); i++) {
        put(f->s, "kbs", "k", "1");
        counts[i] = changes(f->s);
    }
    sqlite3 *from = NULL, *to = NULL;
    (void)snprintf(command, sizeof command, "%s/copy", f->dir);
    assert_int_equal(sqlite3_open(command, &from), SQLITE_OK);
    assert_int_equal(sqlite3_open(db_path(f), &to), SQLITE_OK);
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    assert_non_null(b);
    assert_int_equal(sqlite3_backup_step(b, -1), SQLITE_DONE);
    assert_int_equal(sqlite3_backup_finish(b), SQLITE_OK);
    assert_int_equal(sqlite3_close(from), SQLITE_OK);
    assert_int_equal(sqlite3_close(to), SQLITE_OK);
    expect(f->s, "kbs", "k", 0, "0");
    for (size_t i = 0; i < 2 * VS_COUNT(counts); i++) {
        for (size_t k = 0; k < VS_COUNT(counts); k++)
            assert_true(changes(f->s) != counts[k]);
        put(f->s, "kbs", "other", "x");
    }
}

static void a_file_of_the_first_version_is_brought_up_to_date(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    char path[160];
    vs_store_close(&f->s);
    (void)snprintf(path, sizeof path, "%s/first.sqlite", f->dir);
    assert_vs_ok(store_open_sqlite_as(path, sqlite_migrations, 1, &f->s, &err), &err);
    put(f->s, "kbs", "k", "kept");
    vs_store_close(&f->s);
    assert_vs_ok(vs_store_open_sqlite(path, &f->s, &err), &err);
    expect(f->s, "kbs", "k", 0, "kept");
    uint64_t n = changes(f->s);
    put(f->s, "kbs", "k", "changed");
    assert_true(changes(f->s) != n);
}

/* Of several that open a new file at once, one makes the database, and none takes it for one of
 * another program. */
static void *open_and_close(void *path)
{
    vs_store *s = NULL;
    vs_error err = {0};
    assert_vs_ok(vs_store_open_sqlite(path, &s, &err), &err);
    vs_store_close(&s);
    return NULL;
}

static void a_new_file_is_opened_by_many_at_once(void **state)
{
    fixture *f = *state;
    for (unsigned round = 0; round < 40; round++) {
        char path[160];
        pthread_t t[6];
        (void)snprintf(path, sizeof path, "%s/new-%u.sqlite", f->dir, round);
        for (size_t i = 0; i < VS_COUNT(t); i++)
            assert_int_equal(pthread_create(&t[i], NULL, open_and_close, path), 0);
        for (size_t i = 0; i < VS_COUNT(t); i++)
            (void)pthread_join(t[i], NULL);
    }
}

/* ---- disks ----------------------------------------------------------------------------------- */

typedef struct kind {
    const char *name;
    vs_code (*open)(const char *path, vs_store **out, vs_error *err);
    const char *read_only; /* what it says then */
} kind;
static const kind kinds[] = {
    {"sqlite", vs_store_open_sqlite, "read-only"},
    {"localfs", vs_store_open_localfs, "Read-only file system"},
    {"localjson", vs_store_open_localjson, "Read-only file system"},
};

/* A file system of one MiB at <dir>/disk; false, saying why, where that is not permitted. */
static bool mount_small(const fixture *f, char path[96])
{
    (void)snprintf(path, 96, "%s/disk", f->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    if (mount("vs-test", path, "tmpfs", 0, "size=1m,mode=0700") == 0)
        return true;
    print_message("skipped: mounting a tmpfs is not permitted here\n");
    return false;
}

static void says(const vs_error *err, const char *a, const char *b)
{
    char text[VS_ERROR_TEXT];
    (void)vs_error_text(err, text, sizeof text);
    if (!strstr(text, a) && !strstr(text, b))
        fail_msg("\"%s\" says neither \"%s\" nor \"%s\"", text, a, b);
}

static void fill_and_recover(const kind *k, const char *disk)
{
    char path[128], ballast[128], key[32];
    vs_store *s = NULL;
    vs_error err = {0};
    (void)snprintf(path, sizeof path, "%s/%s", disk, k->name);
    (void)snprintf(ballast, sizeof ballast, "%s/ballast", disk);
    static const char page[4096];
    assert_vs_ok(k->open(path, &s, &err), &err);
    put(s, "kbs", "before", "kept");
    assert_vs_ok(vs_store_ping(s, &err), &err);
    int fd = open(ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    while (write(fd, page, sizeof page) > 0)
        continue;
    (void)close(fd);
    vs_code code = VS_OK;
    unsigned stored = 0;
    while (code == VS_OK && stored < 1000) {
        (void)snprintf(key, sizeof key, "k%u", stored);
        code = vs_store_put(s, "kbs", vs_str(key), vs_span_of(page, 3000), 0, VS_PUT_REPLACE, &err);
        stored += code == VS_OK;
    }
    assert_vs_code(code, VS_E_IO);
    says(&err, "No space left on device", "full");
    assert_vs_code(vs_store_ping(s, &err), VS_E_IO);
    says(&err, "the store does not work", "");
    expect(s, "kbs", "before", 0, "kept");
    assert_vs_code(get_code(s, "kbs", vs_str(key), 0), VS_E_NOT_FOUND);
    assert_int_equal(unlink(ballast), 0);
    assert_vs_ok(vs_store_ping(s, &err), &err); /* without a restart */
    put(s, "kbs", key, "now");
    expect(s, "kbs", key, 0, "now");
    expect(s, "kbs", "before", 0, "kept");
    for (unsigned i = 0; i < stored; i++) {
        (void)snprintf(key, sizeof key, "k%u", i);
        assert_vs_code(get_code(s, "kbs", vs_str(key), 0), VS_OK);
    }
    vs_store_close(&s);
}

static void a_full_disk_is_a_precise_error_and_recovers(void **state)
{
    fixture *f = *state;
    char disk[96];
    if (!mount_small(f, disk))
        skip();
    for (size_t i = 0; i < VS_COUNT(kinds); i++)
        fill_and_recover(&kinds[i], disk);
    assert_int_equal(umount2(disk, MNT_DETACH), 0);
}

static void a_read_only_disk_is_a_precise_error_and_recovers(void **state)
{
    fixture *f = *state;
    char disk[96], path[128];
    if (!mount_small(f, disk))
        skip();
    for (size_t i = 0; i < VS_COUNT(kinds); i++) {
        vs_store *s = NULL, *fresh = NULL;
        vs_error err = {0};
        (void)snprintf(path, sizeof path, "%s/%s", disk, kinds[i].name);
        assert_vs_ok(kinds[i].open(path, &s, &err), &err);
        put(s, "kbs", "k", "v");
        vs_store_close(&s);
        assert_int_equal(mount(NULL, disk, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
        if (kinds[i].open == vs_store_open_sqlite) { /* refused at the start */
            assert_vs_code(kinds[i].open(path, &s, &err), VS_E_IO);
            says(&err, "cannot be written", "read-only");
        } else { /* it can be read */
            assert_vs_ok(kinds[i].open(path, &s, &err), &err);
            expect(s, "kbs", "k", 0, "v");
            assert_vs_code(
                vs_store_put(s, "kbs", VS_LIT("k"), VS_LIT("w"), 0, VS_PUT_REPLACE, &err), VS_E_IO);
            says(&err, kinds[i].read_only, kinds[i].read_only);
            assert_vs_code(vs_store_ping(s, &err), VS_E_IO);
        }
        assert_int_equal(mount(NULL, disk, NULL, MS_REMOUNT, "size=1m"), 0);
        if (s)
            assert_vs_ok(vs_store_ping(s, &err), &err);
        assert_vs_ok(kinds[i].open(path, &fresh, &err), &err);
        put(fresh, "kbs", "k", "w");
        vs_store_close(&s);
        vs_store_close(&fresh);
    }
    assert_int_equal(umount2(disk, MNT_DETACH), 0);
}

/* ---- several processes, several stores ------------------------------------------------------- */

static void of_processes_that_create_the_same_key_one_wins(void **state)
{
    fixture *f = *state;
    enum { CHILDREN = 3, N = 100 };
    for (size_t k = 0; k < 2; k++) { /* LocalJson has its own */
        int p[2];
        unsigned total = 0;
        assert_int_equal(pipe(p), 0);
        for (int child = 0; child < CHILDREN; child++) {
            pid_t pid = fork();
            assert_true(pid >= 0);
            if (pid)
                continue;
            char path[96], key[16];
            vs_store *s = NULL;
            unsigned wins = 0;
            (void)snprintf(path, sizeof path, "%s/race-%s", f->dir, kinds[k].name);
            if (kinds[k].open(path, &s, NULL) != VS_OK)
                _exit(1);
            for (unsigned i = 0; i < N; i++) {
                (void)snprintf(key, sizeof key, "k%u", i);
                vs_code c =
                    vs_store_put(s, "kbs", vs_str(key), VS_LIT("v"), 0, VS_PUT_CREATE, NULL);
                wins += c == VS_OK;
                if (c != VS_OK && c != VS_E_EXISTS)
                    _exit(2);
            }
            vs_store_close(&s);
            _exit(write(p[1], &wins, sizeof wins) == sizeof wins ? 0 : 3);
        }
        for (int child = 0; child < CHILDREN; child++) {
            int status;
            unsigned wins = 0;
            assert_true(wait(&status) > 0 && status == 0);
            assert_int_equal(read(p[0], &wins, sizeof wins), sizeof wins);
            total += wins;
        }
        (void)close(p[0]);
        (void)close(p[1]);
        assert_int_equal(total, N);
    }
}

static void namespaces_are_kept_where_their_routes_lead(void **state)
{
    fixture *f = *state;
    vs_store *memory = NULL, *s = NULL;
    vs_error err = {0};
    assert_vs_ok(vs_store_open_memory(&memory, &err), &err);
    vs_store_route routes[] = {{"session", memory}, {"reference_value", memory}};
    assert_vs_ok(vs_store_open_routed(f->s, routes, 2, &s, &err), &err);
    put(s, "kbs", "k", "1");
    assert_vs_ok(vs_store_put(s, "session", VS_LIT("k"), VS_LIT("2"), 50, VS_PUT_REPLACE, &err),
                 &err);
    expect(f->s, "kbs", "k", 0, "1");
    expect(memory, "session", "k", 0, "2");
    assert_vs_code(get_code(f->s, "session", VS_LIT("k"), 0), VS_E_NOT_FOUND);
    vs_store_item both[] = {{"session", VS_LIT("a"), VS_LIT("1"), 0, VS_PUT_REPLACE},
                            {"kbs", VS_LIT("b"), VS_LIT("2"), 0, VS_PUT_REPLACE}};
    assert_vs_code(vs_store_put_all(s, both, 2, NULL), VS_E_UNSUPPORTED);
    assert_vs_code(get_code(s, "session", VS_LIT("a"), 0), VS_E_NOT_FOUND);
    both[1].ns = "reference_value";
    assert_vs_ok(vs_store_put_all(s, both, 2, &err), &err);
    assert_vs_ok(vs_store_purge(s, 100, 10, &err), &err);
    assert_vs_code(get_code(memory, "session", VS_LIT("k"), 0), VS_E_NOT_FOUND);
    assert_vs_ok(vs_store_ping(s, &err), &err);
    assert_vs_ok(vs_store_delete(s, "kbs", VS_LIT("k"), &err), &err);
    assert_vs_code(get_code(f->s, "kbs", VS_LIT("k"), 0), VS_E_NOT_FOUND);
    vs_store_close(&s);
    vs_store_close(&memory);
}

/* What clients make expire, faster than a round removes it, does not pile up. */
static void whatever_has_expired_goes_in_one_go(void **state)
{
    enum { EXPIRED = 2500 };
    (void)state;
    vs_store *s = NULL;
    vs_error err = {0};
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_store_item *items = vs_alloc_array(&a, EXPIRED, sizeof *items);
    assert_vs_ok(vs_store_open_memory(&s, &err), &err);
    for (unsigned i = 0; i < EXPIRED; i++)
        items[i] = (vs_store_item){"session", vs_str(vs_sprintf(&a, "%u", i)), VS_LIT("v"), 50,
                                   VS_PUT_REPLACE};
    assert_vs_ok(vs_store_put_all(s, items, EXPIRED, &err), &err);
    assert_vs_ok(
        vs_store_put(s, "session", VS_LIT("alive"), VS_LIT("v"), 200, VS_PUT_REPLACE, &err), &err);
    assert_vs_ok(vs_store_purge_all(s, 100, &err), &err);
    for (unsigned i = 0; i < EXPIRED; i++)
        assert_vs_code(get_code(s, "session", items[i].key, 0), VS_E_NOT_FOUND);
    expect(s, "session", "alive", 0, "v");
    vs_store_close(&s);
    vs_arena_free(&a);
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
        cmocka_unit_test(whatever_has_expired_goes_in_one_go),
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
        cmocka_unit_test_setup_teardown(migrations_run_once_and_the_file_is_copied_before,
                                        open_sqlite, fixture_free),
        cmocka_unit_test_setup_teardown(every_change_of_what_stays_is_counted, open_memory,
                                        fixture_free),
        cmocka_unit_test_setup_teardown(every_change_of_what_stays_is_counted, open_sqlite,
                                        fixture_free),
        cmocka_unit_test_setup_teardown(changes_by_others_are_counted, open_sqlite, fixture_free),
        cmocka_unit_test_setup_teardown(a_database_put_back_does_not_come_to_the_same_counts,
                                        open_sqlite, fixture_free),
        cmocka_unit_test_setup_teardown(a_file_of_the_first_version_is_brought_up_to_date,
                                        open_sqlite, fixture_free),
        cmocka_unit_test_setup_teardown(a_new_file_is_opened_by_many_at_once, open_memory,
                                        fixture_free),
        cmocka_unit_test_setup_teardown(a_full_disk_is_a_precise_error_and_recovers, open_memory,
                                        fixture_free),
        cmocka_unit_test_setup_teardown(a_read_only_disk_is_a_precise_error_and_recovers,
                                        open_memory, fixture_free),
        cmocka_unit_test_setup_teardown(of_processes_that_create_the_same_key_one_wins, open_memory,
                                        fixture_free),
        cmocka_unit_test_setup_teardown(namespaces_are_kept_where_their_routes_lead, open_sqlite,
                                        fixture_free),
        cmocka_unit_test_setup_teardown(nothing_acknowledged_is_lost_by_a_kill, open_sqlite,
                                        fixture_free),
    };
    return cmocka_run_group_tests_name("store: sqlite", tests, NULL, NULL);
}
