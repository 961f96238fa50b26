/* SPDX-License-Identifier: Apache-2.0 */
/* The back ends that keep one file per value. */
#include "suite.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "store/files.h"

static const char *in_dir(const fixture *f, const char *rel)
{
    static char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s", f->dir, rel);
    return path;
}

static int open_localfs(void **state)
{
    fixture *f = fixture_new();
    vs_error err = {0};
    assert_vs_ok(vs_store_open_localfs(in_dir(f, "data/x"), &f->s, &err), &err);
    *state = f;
    return 0;
}

static int open_tree(void **state)
{
    fixture *f = fixture_new();
    vs_error err = {0};
    assert_vs_ok(vs_store_open_tree(in_dir(f, "data"), &f->s, &err), &err);
    *state = f;
    return 0;
}

static void file_is(const fixture *f, const char *rel, const char *want)
{
    vs_error err = {0};
    vs_buf b = VS_BUF(4096);
    assert_vs_ok(vs_read_file(in_dir(f, rel), &b, &err), &err);
    assert_span_is(vs_buf_span(&b), want);
    vs_buf_free(&b);
}

static void write_raw(const fixture *f, const char *rel, const char *text)
{
    vs_error err = {0};
    assert_vs_ok(vs_write_file(in_dir(f, rel), vs_str(text), 0644, &err), &err);
}

/* ---- LocalFs --------------------------------------------------------------------------------- */

static void localfs_files_are_where_trustee_looks_for_them(void **state)
{
    fixture *f = *state;
    put(f->s, "repository", "default/key/1", "one");
    put(f->s, "kbs", "resource-policy.rego", "package policy");
    file_is(f, "data/x/repository/default\\x2Fkey\\x2F1", "one");
    file_is(f, "data/x/kbs/resource-policy.rego", "package policy");
    struct stat st;
    assert_int_equal(stat(in_dir(f, "data/x/kbs/resource-policy.rego"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(in_dir(f, "data/x/kbs"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    /* and the other way round: what Trustee wrote is read */
    write_raw(f, "data/x/repository/a\\x2Fb\\x2Fc", "theirs");
    expect(f->s, "repository", "a/b/c", 100, "theirs");
    seen s = {0};
    vs_error err = {0};
    assert_vs_ok(vs_store_list(f->s, "repository", see, &s, &err), &err);
    assert_string_equal(s.text, "a/b/c\ndefault/key/1\n");
}

static void localfs_expiry_survives_a_restart(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    assert_vs_ok(
        vs_store_put(f->s, "session", VS_LIT("a/b"), VS_LIT("v"), 1000, VS_PUT_REPLACE, &err),
        &err);
    vs_store_close(&f->s);
    assert_vs_ok(vs_store_open_localfs(in_dir(f, "data/x"), &f->s, &err), &err);
    expect(f->s, "session", "a/b", 1000, "v");
    assert_vs_code(get_code(f->s, "session", VS_LIT("a/b"), 1001), VS_E_NOT_FOUND);
    assert_vs_ok(vs_store_purge(f->s, 1001, 10, &err), &err);
    assert_vs_code(get_code(f->s, "session", VS_LIT("a/b"), 0), VS_E_NOT_FOUND);
    assert_int_equal(access(in_dir(f, "data/x/session/a\\x2Fb"), F_OK), -1);
}

static void a_broken_expiry_is_an_error_not_a_value(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    assert_vs_ok(
        vs_store_put(f->s, "session", VS_LIT("k"), VS_LIT("v"), 1000, VS_PUT_REPLACE, &err), &err);
    static const char *const bad[] = {
        "", "x", "12x", "-1", "0", "99999999999999999999", "1000000000000000000000000"};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        write_raw(f, "data/x/.vouchsafe/expires/session/k", bad[i]);
        vs_code code = get_code(f->s, "session", VS_LIT("k"), 5);
        assert_true(code != VS_OK && code != VS_E_NOT_FOUND);
    }
}

static void a_key_too_long_for_a_file_name_is_refused(void **state)
{
    fixture *f = *state;
    char key[400];
    memset(key, 'k', sizeof key);
    assert_vs_code(
        vs_store_put(f->s, "kbs", vs_span_of(key, 255), VS_LIT("x"), 9, VS_PUT_REPLACE, NULL),
        VS_OK);
    assert_vs_code(
        vs_store_put(f->s, "kbs", vs_span_of(key, 256), VS_LIT("x"), 0, VS_PUT_REPLACE, NULL),
        VS_E_INVALID);
    for (size_t i = 1; i < 200; i += 2)
        key[i] = '/';
    assert_vs_code(
        vs_store_put(f->s, "kbs", vs_span_of(key, 201), VS_LIT("x"), 0, VS_PUT_REPLACE, NULL),
        VS_E_INVALID);
}

/* ---- tree ------------------------------------------------------------------------------------ */

static void tree_files_are_nested_directories(void **state)
{
    fixture *f = *state;
    put(f->s, "repository", "default/key/1", "one");
    file_is(f, "data/default/key/1", "one");
    struct stat st;
    assert_int_equal(stat(in_dir(f, "data/default/key/1"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(mkdir(in_dir(f, "data/a"), 0755), 0);
    assert_int_equal(mkdir(in_dir(f, "data/a/b"), 0755), 0);
    write_raw(f, "data/a/b/c", "theirs");
    expect(f->s, "repository", "a/b/c", 0, "theirs");
    /* a directory is no value, and a value no directory */
    assert_vs_code(
        vs_store_put(f->s, "repository", VS_LIT("a/b"), VS_LIT("x"), 0, VS_PUT_REPLACE, NULL),
        VS_E_CONFLICT);
    assert_vs_code(
        vs_store_put(f->s, "repository", VS_LIT("a/b/c/d"), VS_LIT("x"), 0, VS_PUT_REPLACE, NULL),
        VS_E_CONFLICT);
    assert_vs_code(vs_store_delete(f->s, "repository", VS_LIT("a/b"), NULL), VS_E_NOT_FOUND);
    expect(f->s, "repository", "a/b/c", 0, "theirs");
    assert_vs_code(
        vs_store_put(f->s, "repository", VS_LIT("x"), VS_LIT("x"), 5, VS_PUT_REPLACE, NULL),
        VS_E_UNSUPPORTED);
}

/* ---- links, special files, leftovers
 * ------------------------------------------------------------- */

static void links_are_not_followed_out_of_the_directory(void **state)
{
    fixture *f = *state;
    write_raw(f, "outside", "not yours");
    assert_int_equal(mkdir(in_dir(f, "data/r"), 0755), 0);
    char target[1024];
    (void)snprintf(target, sizeof target, "%s", in_dir(f, "outside"));
    assert_int_equal(symlink(target, in_dir(f, "data/r/absolute")), 0);
    assert_int_equal(symlink("../../outside", in_dir(f, "data/r/relative")), 0);
    assert_int_equal(symlink("../..", in_dir(f, "data/r/up")), 0);
    assert_int_equal(symlink("/proc/self/fd/0", in_dir(f, "data/r/magic")), 0);
    static const char *const keys[] = {"r/absolute", "r/relative", "r/up/outside", "r/magic"};
    for (size_t i = 0; i < VS_COUNT(keys); i++)
        assert_true(get_code(f->s, "repository", vs_str(keys[i]), 0) != VS_OK);
    assert_true(vs_store_put(f->s, "repository", VS_LIT("r/up/new"), VS_LIT("x"), 0, VS_PUT_REPLACE,
                             NULL) != VS_OK);
    assert_true(vs_store_delete(f->s, "repository", VS_LIT("r/up/outside"), NULL) != VS_OK);
    /* a put replaces the link itself */
    put(f->s, "repository", "r/relative", "mine");
    expect(f->s, "repository", "r/relative", 0, "mine");
    file_is(f, "outside", "not yours");
    seen s = {0};
    vs_error err = {0};
    assert_vs_ok(vs_store_list(f->s, "repository", see, &s, &err), &err);
    assert_string_equal(s.text, "r/relative\n");
}

static void links_within_the_directory_work(void **state)
{
    fixture *f = *state; /* as Kubernetes mounts secrets */
    assert_int_equal(mkdir(in_dir(f, "data/r"), 0755), 0);
    assert_int_equal(mkdir(in_dir(f, "data/r/..2026"), 0755), 0);
    write_raw(f, "data/r/..2026/key", "mounted");
    assert_int_equal(symlink("..2026", in_dir(f, "data/r/..data")), 0);
    assert_int_equal(symlink("..data/key", in_dir(f, "data/r/key")), 0);
    assert_int_equal(symlink(".", in_dir(f, "data/r/circle")), 0);
    expect(f->s, "repository", "r/key", 0, "mounted");
    seen s = {0};
    vs_error err = {0};
    assert_vs_ok(vs_store_list(f->s, "repository", see, &s, &err), &err);
    assert_string_equal(s.text, "r/key\n");
}

static void without_openat2_no_link_is_followed_at_all(void **state)
{
    fixture *f = *state;
    put(f->s, "repository", "r/t/g", "x");
    assert_int_equal(symlink("g", in_dir(f, "data/r/t/link")), 0);
    assert_int_equal(symlink("t", in_dir(f, "data/r/dir")), 0);
    int root = open(in_dir(f, "data"), O_RDONLY | O_DIRECTORY);
    assert_true(root >= 0);
    int fd = files_open_by_steps(root, "r/t/g", O_RDONLY);
    assert_true(fd >= 0);
    (void)close(fd);
    fd = files_open_by_steps(root, ".", O_RDONLY | O_DIRECTORY);
    assert_true(fd >= 0);
    (void)close(fd);
    static const char *const bad[] = {"r/t/link",   "r/dir/g",     "..",   "../data/r/t/g",
                                      "r/../r/t/g", "/etc/passwd", "r//t", "r/",
                                      "",           "r/t/none"};
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        if (files_open_by_steps(root, bad[i], O_RDONLY) >= 0)
            fail_msg("opened %s", bad[i]);
    (void)close(root);
}

static void what_is_not_a_regular_file_does_not_block(void **state)
{
    fixture *f = *state;
    assert_int_equal(mkfifo(in_dir(f, "data/pipe"), 0600), 0);
    assert_vs_code(get_code(f->s, "repository", VS_LIT("pipe"), 0), VS_E_IO);
}

static void a_file_larger_than_a_value_may_be_is_refused(void **state)
{
    fixture *f = *state;
    write_raw(f, "data/big", "x");
    assert_int_equal(truncate(in_dir(f, "data/big"), VS_STORE_VALUE_MAX + 1), 0);
    assert_vs_code(get_code(f->s, "repository", VS_LIT("big"), 0), VS_E_LIMIT);
}

static void leftovers_of_a_crash_are_removed_at_the_next_start(void **state)
{
    fixture *f = *state;
    put(f->s, "repository", "a/b/c", "x"); /* makes the directory */
    write_raw(f, "data/.vouchsafe/tmp/00ff", "half a secret");
    write_raw(f, "data/.vouchsafe/tmp/00fe", "being written");
    struct timespec old[2] = {{.tv_sec = vs_now_s() - 3600}, {.tv_sec = vs_now_s() - 3600}};
    assert_int_equal(utimensat(AT_FDCWD, in_dir(f, "data/.vouchsafe/tmp/00ff"), old, 0), 0);
    vs_store_close(&f->s);
    vs_error err = {0};
    assert_vs_ok(vs_store_open_tree(in_dir(f, "data"), &f->s, &err), &err);
    assert_int_equal(access(in_dir(f, "data/.vouchsafe/tmp/00ff"), F_OK), -1);
    assert_int_equal(access(in_dir(f, "data/.vouchsafe/tmp/00fe"), F_OK), 0);
}

static void no_temporary_file_stays(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    put(f->s, "repository", "a/b/c", "1");
    static const struct {
        const char *key;
        vs_put_mode mode;
        vs_code code;
    } puts[] = {{"a/b/c", VS_PUT_CREATE, VS_E_EXISTS},
                {"a/b", VS_PUT_REPLACE, VS_E_CONFLICT},
                {"a/b/d", VS_PUT_CREATE, VS_OK}};
    for (size_t i = 0; i < VS_COUNT(puts); i++)
        assert_vs_code(vs_store_put(f->s, "repository", vs_str(puts[i].key), VS_LIT("2"), 0,
                                    puts[i].mode, NULL),
                       puts[i].code);
    int root = open(in_dir(f, "data"), O_RDONLY | O_DIRECTORY);
    assert_true(root >= 0);
    assert_int_equal(unlinkat(root, ".vouchsafe/tmp", AT_REMOVEDIR), 0); /* only when empty */
    (void)close(root);
    assert_vs_ok(vs_store_delete(f->s, "repository", VS_LIT("a/b/d"), &err), &err);
}

/* Each value is one letter repeated: a mixture would show. */
static void overwrite_until_killed(vs_store *s)
{
    for (unsigned i = 0;; i++) {
        char text[20000];
        memset(text, 'a' + (int)(i % 26), sizeof text);
        if (vs_store_put(s, "repository", VS_LIT("a/b/c"), vs_span_of(text, sizeof text), 0,
                         VS_PUT_REPLACE, NULL) != VS_OK)
            _exit(1);
    }
}

static void a_kill_leaves_the_old_or_the_new_value(void **state)
{
    fixture *f = *state;
    put(f->s, "repository", "a/b/c", "start");
    for (unsigned round = 0; round < 15; round++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            overwrite_until_killed(f->s);
        (void)usleep(3000 + round * 700);
        (void)kill(pid, SIGKILL);
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        vs_buf b = VS_BUF(32768);
        vs_error err = {0};
        assert_vs_ok(vs_store_get(f->s, "repository", VS_LIT("a/b/c"), 0, &b, &err), &err);
        assert_true(b.n == 20000 || vs_span_is(vs_buf_span(&b), "start"));
        for (size_t i = 1; i < b.n && b.n == 20000; i++)
            assert_int_equal(b.p[i], b.p[0]);
        vs_buf_free(&b);
    }
}

#define TREE(name)    cmocka_unit_test_setup_teardown(name, open_tree, fixture_free)
#define LOCALFS(name) cmocka_unit_test_setup_teardown(name, open_localfs, fixture_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TESTS(open_localfs),
        EXPIRY_TESTS(open_localfs),
        LOCALFS(localfs_files_are_where_trustee_looks_for_them),
        LOCALFS(localfs_expiry_survives_a_restart),
        LOCALFS(a_broken_expiry_is_an_error_not_a_value),
        LOCALFS(a_key_too_long_for_a_file_name_is_refused),
        LOCALFS(a_kill_leaves_the_old_or_the_new_value),
        STORE_TESTS(open_tree),
        TREE(tree_files_are_nested_directories),
        TREE(links_are_not_followed_out_of_the_directory),
        TREE(links_within_the_directory_work),
        TREE(without_openat2_no_link_is_followed_at_all),
        TREE(what_is_not_a_regular_file_does_not_block),
        TREE(a_file_larger_than_a_value_may_be_is_refused),
        TREE(leftovers_of_a_crash_are_removed_at_the_next_start),
        TREE(no_temporary_file_stays),
    };
    return cmocka_run_group_tests_name("store: files", tests, NULL, NULL);
}
