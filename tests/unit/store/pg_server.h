/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PostgreSQL server of the test's own: in a temporary directory, on a Unix socket there, stopped
 * by its process id. initdb refuses to run as root, so root becomes the user nobody for it.
 */
#ifndef VS_TEST_PG_SERVER_H
#define VS_TEST_PG_SERVER_H

#include "testing.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <libpq-fe.h>

typedef struct pg_server {
    char dir[64]; /* the sockets' directory; data below */
    const char *bin;
    pid_t pid; /* 0 = not running */
} pg_server;

static inline const char *pg_binaries(void)
{
    static const char *const places[] = {"/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/16/bin",
                                         "/usr/lib/postgresql/17/bin", "/usr/local/bin",
                                         "/usr/bin"};
    for (size_t i = 0; i < VS_COUNT(places); i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "%s/initdb", places[i]);
        if (access(path, X_OK) == 0)
            return places[i];
    }
    return NULL;
}

/* In a child: the program as an unprivileged user, silent, gone when the test is. */
static inline void pg_become(const pg_server *s, const char *program, const char *const argv[])
{
    const struct passwd *nobody = getuid() == 0 ? getpwnam("nobody") : NULL;
    if (nobody &&
        (setgroups(0, NULL) != 0 || setgid(nobody->pw_gid) != 0 || setuid(nobody->pw_uid) != 0))
        _exit(126);
    (void)prctl(PR_SET_PDEATHSIG, SIGQUIT);
    char path[128], log[96];
    (void)snprintf(path, sizeof path, "%s/%s", s->bin, program);
    (void)snprintf(log, sizeof log, "%s/log", s->dir);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0 || chdir(s->dir) != 0)
        _exit(126);
    (void)execv(path, (char *const *)(uintptr_t)argv);
    _exit(127);
}

static inline bool pg_answers(const pg_server *s)
{
    char info[160];
    (void)snprintf(info, sizeof info, "host=%s user=postgres dbname=postgres", s->dir);
    return PQping(info) == PQPING_OK;
}

static inline void pg_server_start(pg_server *s)
{
    char data[96], socket[96];
    (void)snprintf(data, sizeof data, "%s/data", s->dir);
    (void)snprintf(socket, sizeof socket, "unix_socket_directories=%s", s->dir);
    const char *const argv[] = {"postgres", "-D", data,        "-c", "listen_addresses=",  "-c",
                                socket,     "-c", "fsync=off", "-c", "max_connections=40", NULL};
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0)
        pg_become(s, "postgres", argv);
    for (int i = 0; i < 500 && !pg_answers(s); i++) {
        assert_int_equal(waitpid(s->pid, NULL, WNOHANG), 0);
        (void)usleep(20000);
    }
    assert_true(pg_answers(s));
}

/* SIGINT: disconnects clients and stops; SIGQUIT: as a crash. */
static inline void pg_server_stop(pg_server *s, int sig)
{
    if (s->pid <= 0)
        return;
    (void)kill(s->pid, sig);
    (void)waitpid(s->pid, NULL, 0);
    s->pid = 0;
}

/* False, and a reason is printed, where there is no PostgreSQL. */
static inline bool pg_server_new(pg_server *s)
{
    *s = (pg_server){.bin = pg_binaries()};
    if (!s->bin) {
        print_message("skipped: PostgreSQL is not installed\n");
        return false;
    }
    (void)snprintf(s->dir, sizeof s->dir, "/tmp/vs-pg-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    const struct passwd *nobody = getuid() == 0 ? getpwnam("nobody") : NULL;
    if (nobody)
        assert_int_equal(chown(s->dir, nobody->pw_uid, nobody->pw_gid), 0);
    const char *const argv[] = {"initdb", "-D", "data", "-U",   "postgres",         "-A",
                                "trust",  "-N", "-E",   "UTF8", "--locale=C.UTF-8", NULL};
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        pg_become(s, "initdb", argv);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    pg_server_start(s);
    return true;
}

#endif
