/* SPDX-License-Identifier: Apache-2.0 */
/* Whom an id of the kernel names, in and out of a user namespace. */
#include "testing.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "base/users.h"

enum { OVERFLOW = 65534, SKIPPED = 77 };

static bool put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    return close(fd) == 0 && ok;
}

/* What `check` gives in a process of its own: its prepared state is fresh there. */
static int in_child(int (*check)(void))
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        _exit(check());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int outside(void)
{
    VS_CLEANUP(vs_buf_free) vs_buf map = VS_BUF(256);
    if (vs_read_file("/proc/self/uid_map", &map, NULL) != VS_OK ||
        !memmem(map.p, map.n, "4294967295", 10))
        return SKIPPED; /* the tests themselves are in a namespace */
    return vs_peer_uid(OVERFLOW) == OVERFLOW && vs_peer_gid(OVERFLOW) == OVERFLOW &&
                   vs_peer_uid(0) == 0 && vs_peer_uid(1) == 1
               ? 0
               : 1;
}

/* A namespace cannot give itself ids of others: a process outside of it writes the map. */
static bool enter(const char *uid_map)
{
    char path[64], byte = 0;
    int ready[2], status = 1;
    (void)snprintf(path, sizeof path, "/proc/%d/uid_map", (int)getpid());
    if (pipe2(ready, O_CLOEXEC) != 0)
        return false;
    pid_t helper = fork();
    if (helper == 0)
        _exit(read(ready[0], &byte, 1) == 1 && (!uid_map || put(path, uid_map)) ? 0 : 1);
    bool in = unshare(CLONE_NEWUSER) == 0 && write(ready[1], "x", 1) == 1;
    (void)close(ready[1]);
    (void)close(ready[0]);
    return waitpid(helper, &status, 0) == helper && in && status == 0;
}

static int inside(const char *uid_map)
{
    if (!enter(uid_map))
        return SKIPPED;
    return vs_peer_uid(OVERFLOW) == VS_ID_NOBODY && vs_peer_gid(OVERFLOW) == VS_ID_NOBODY &&
                   vs_peer_uid(0) == 0 && vs_peer_gid(3) == 3
               ? 0
               : 1;
}

static int without_a_map(void)
{
    return inside(NULL);
}

static int with_root_alone(void)
{
    return inside("0 0 1");
}

/* 65534 is a user here, and everybody else is given that id too. */
static int with_the_overflow_id(void)
{
    return inside("0 0 65536");
}

static int without_proc(void)
{
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", "/proc", "tmpfs", 0, NULL) != 0)
        return SKIPPED;
    return vs_peer_uid(OVERFLOW) == VS_ID_NOBODY && vs_peer_uid(1) == 1 ? 0 : 1;
}

static void check_in_child(int (*check)(void))
{
    int got = in_child(check);
    if (got == SKIPPED)
        skip();
    assert_int_equal(got, 0);
}

static void outside_of_a_namespace_every_id_is_somebody(void **state)
{
    (void)state;
    check_in_child(outside);
}

static void in_a_namespace_the_overflow_id_is_nobody(void **state)
{
    (void)state;
    check_in_child(without_a_map);
    check_in_child(with_root_alone);
    check_in_child(with_the_overflow_id);
}

static void where_nothing_can_be_known_it_is_nobody(void **state)
{
    (void)state;
    check_in_child(without_proc);
}

static void names_and_numbers_are_looked_up(void **state)
{
    (void)state;
    uint32_t id;
    vs_error err = {0};
    assert_vs_ok(vs_user_id("root", &id, &err), &err);
    assert_int_equal(id, 0);
    assert_vs_ok(vs_group_id("4294967294", &id, &err), &err);
    assert_int_equal(id, UINT32_MAX - 1);
    assert_vs_code(vs_user_id("4294967295", &id, NULL), VS_E_INVALID); /* VS_ID_NOBODY */
    assert_vs_code(vs_group_id("no such group", &id, NULL), VS_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outside_of_a_namespace_every_id_is_somebody),
        cmocka_unit_test(in_a_namespace_the_overflow_id_is_nobody),
        cmocka_unit_test(where_nothing_can_be_known_it_is_nobody),
        cmocka_unit_test(names_and_numbers_are_looked_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
