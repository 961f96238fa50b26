/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

typedef struct setup {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
} setup;

/* A group of its own, so that all of it can be ended; no signal blocked or ignored; descriptors 0
 * to 2 and no other. */
static bool prepare(setup *s, int out)
{
    sigset_t none, pipe_only;
    (void)sigemptyset(&none);
    (void)sigemptyset(&pipe_only);
    (void)sigaddset(&pipe_only, SIGPIPE);
    return posix_spawn_file_actions_addopen(&s->files, 0, "/dev/null", O_RDONLY, 0) == 0 &&
           posix_spawn_file_actions_adddup2(&s->files, out, 1) == 0 &&
           posix_spawn_file_actions_adddup2(&s->files, out, 2) == 0 &&
           posix_spawn_file_actions_addclosefrom_np(&s->files, 3) == 0 &&
           posix_spawnattr_setpgroup(&s->attr, 0) == 0 &&
           posix_spawnattr_setsigmask(&s->attr, &none) == 0 &&
           posix_spawnattr_setsigdefault(&s->attr, &pipe_only) == 0 &&
           posix_spawnattr_setflags(&s->attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                  POSIX_SPAWN_SETSIGDEF) == 0;
}

static vs_code start(const char *const *argv, int out, pid_t *pid, vs_error *err)
{
    static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    char *const env[] = {path, NULL};
    setup s;
    if (posix_spawn_file_actions_init(&s.files) != 0)
        return vs_fail(err, VS_E_NOMEM, "cannot start %s", argv[0]);
    if (posix_spawnattr_init(&s.attr) != 0) {
        (void)posix_spawn_file_actions_destroy(&s.files);
        return vs_fail(err, VS_E_NOMEM, "cannot start %s", argv[0]);
    }
    int eno = ENOMEM;
    if (prepare(&s, out))
        eno = posix_spawnp(pid, argv[0], &s.files, &s.attr, (char *const *)(uintptr_t)argv, env);
    (void)posix_spawnattr_destroy(&s.attr);
    (void)posix_spawn_file_actions_destroy(&s.files);
    return eno == 0 ? VS_OK
                    : vs_fail_errno(err, eno == ENOENT ? VS_E_NOT_FOUND : VS_E_IO, eno,
                                    "cannot start %s", argv[0]);
}

/* Until the last writer has closed the pipe. */
static vs_code collect(int fd, int64_t until, vs_buf *out, const char *name, vs_error *err)
{
    for (;;) {
        uint8_t room[4096];
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left = (until - vs_mono_ns()) / 1000000;
        int ready = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return vs_fail(err, VS_E_TIMEOUT, "%s took too long", name);
        ssize_t n = read(fd, room, sizeof room);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return vs_fail_errno(err, VS_E_IO, errno, "reading from %s", name);
        if (n == 0)
            return VS_OK;
        if ((size_t)n > out->cap - out->n)
            return vs_fail(err, VS_E_LIMIT, "%s writes more than %zu bytes", name, out->cap);
        vs_buf_put(out, vs_span_of(room, (size_t)n));
        VS_TRY(vs_buf_check(out, err));
    }
}

/* The pipe may be closed before the program ends. */
static vs_code wait_until(pid_t pid, int64_t until, int *status, const char *name, vs_error *err)
{
    const struct timespec tick = {.tv_nsec = 2000000};
    for (;;) {
        pid_t got = waitpid(pid, status, WNOHANG);
        if (got == pid)
            return VS_OK;
        if (got < 0 && errno != EINTR)
            return vs_fail_errno(err, VS_E_IO, errno, "waiting for %s", name);
        if (vs_mono_ns() >= until)
            return vs_fail(err, VS_E_TIMEOUT, "%s took too long", name);
        (void)nanosleep(&tick, NULL);
    }
}

vs_code run_program(const char *const *argv, unsigned timeout_ms, vs_buf *out, vs_error *err)
{
    int fds[2], status = 0;
    pid_t pid = -1;
    int64_t until = vs_mono_ns() + (int64_t)timeout_ms * 1000000;
    if (pipe2(fds, O_CLOEXEC) != 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot start %s", argv[0]);
    vs_code code = start(argv, fds[1], &pid, err);
    (void)close(fds[1]);
    if (code == VS_OK) {
        code = collect(fds[0], until, out, argv[0], err);
        if (code == VS_OK)
            code = wait_until(pid, until, &status, argv[0], err);
        if (code != VS_OK) { /* not reaped, so its number is still its own */
            (void)kill(-pid, SIGKILL);
            (void)kill(pid, SIGKILL);
            while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        }
    }
    (void)close(fds[0]);
    VS_TRY(code);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return VS_OK;
    return vs_fail(err, VS_E_IO, "%s %s with %s %d", argv[0],
                   WIFEXITED(status) ? "ended" : "was ended",
                   WIFEXITED(status) ? "status" : "signal",
                   WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}
