/* SPDX-License-Identifier: Apache-2.0 */
/*
 * survival KIND [ROUNDS]: kills a process that writes to a store, at any moment, and looks whether
 * everything it had acknowledged is there, whole, and nothing is there that was never written.
 *
 * A writer puts numbered values under a few keys and tells each one after the store did. Of a key's
 * values the last acknowledged one must be there, or the one that was on its way when the writer
 * was killed. A value is its number many times over, so that one that is torn shows.
 */
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/store.h"

enum { KEYS = 37, VALUE = 9000 };

static const char *kind;
static char dir[] = "/tmp/vs-survival-XXXXXX";

static vs_code open_store(vs_store **s, vs_error *err)
{
    char path[64];
    (void)snprintf(path, sizeof path, "%s/store", dir);
    if (strcmp(kind, "sqlite") == 0)
        return vs_store_open_sqlite(path, s, err);
    if (strcmp(kind, "localfs") == 0)
        return vs_store_open_localfs(path, s, err);
    if (strcmp(kind, "localjson") == 0)
        return vs_store_open_localjson(path, s, err);
    return vs_fail(err, VS_E_INVALID, "the store is sqlite, localfs or localjson, not %s", kind);
}

static _Noreturn void give_up(const char *what, const vs_error *err)
{
    char text[VS_ERROR_TEXT];
    (void)fprintf(stderr, "survival: %s: %s (files are left in %s)\n", what,
                  err ? vs_error_text(err, text, sizeof text) : "", dir);
    exit(1);
}

/* Lengths differ, so that a longer value below a shorter one would show as well. */
static size_t value_of(unsigned number, char out[VALUE + 16])
{
    char one[16];
    int width = snprintf(one, sizeof one, "%010u ", number);
    size_t n = (size_t)width * (1 + number % (VALUE / 11));
    for (size_t i = 0; i < n; i += (size_t)width)
        memcpy(out + i, one, (size_t)width);
    return n;
}

static void key_of(unsigned number, char out[32])
{
    (void)snprintf(out, 32, "survival/key/%u", number % KEYS);
}

static _Noreturn void write_until_killed(unsigned from, int fd)
{
    vs_store *s = NULL;
    if (open_store(&s, NULL) != VS_OK)
        _exit(1);
    for (unsigned i = from;; i++) {
        char key[32], value[VALUE + 16];
        key_of(i, key);
        size_t n = value_of(i, value);
        int64_t expires = i % 3 == 0 ? INT64_C(9000000000) : 0;
        if (vs_store_put(s, "repository", vs_str(key), vs_span_of(value, n), expires,
                         VS_PUT_REPLACE, NULL) != VS_OK ||
            write(fd, &i, sizeof i) != sizeof i)
            _exit(1);
    }
}

/* Writes, kills after a while that differs from round to round, and returns the last number told.
 */
static unsigned one_round(unsigned last)
{
    int p[2];
    if (pipe(p) != 0)
        give_up("pipe", NULL);
    pid_t pid = fork();
    if (pid < 0)
        give_up("fork", NULL);
    if (pid == 0) {
        (void)close(p[0]);
        write_until_killed(last + 1, p[1]);
    }
    (void)close(p[1]);
    unsigned got, want = 1 + (unsigned)random() % 30;
    for (unsigned n = 0; n < want && read(p[0], &got, sizeof got) == sizeof got; n++)
        last = got;
    (void)usleep((useconds_t)(random() % 3000)); /* anywhere within a write */
    (void)kill(pid, SIGKILL);
    while (read(p[0], &got, sizeof got) == sizeof got)
        last = got;
    (void)close(p[0]);
    int status;
    if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
        give_up("the writer failed by itself", NULL);
    return last;
}

static void check(vs_store *s, unsigned last)
{
    for (unsigned i = last >= KEYS ? last - KEYS + 1 : 1; i <= last; i++) {
        char key[32], want[VALUE + 16];
        vs_error err = {0};
        VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(2 * VALUE);
        key_of(i, key);
        if (vs_store_get(s, "repository", vs_str(key), vs_now_s(), &b, &err) != VS_OK)
            give_up(key, &err);
        bool whole = vs_span_eq(vs_buf_span(&b), vs_span_of(want, value_of(i, want)));
        if (!whole && i + KEYS == last + 1) /* the one on its way has the oldest one's key */
            whole = vs_span_eq(vs_buf_span(&b), vs_span_of(want, value_of(last + 1, want)));
        if (!whole)
            give_up("an acknowledged value is lost or torn", NULL);
    }
}

static int drop(const char *path, const struct stat *st, int what, struct FTW *at)
{
    (void)st, (void)what, (void)at;
    return remove(path);
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1000, last = 0;
    kind = argc > 1 ? argv[1] : "sqlite";
    if (!mkdtemp(dir))
        give_up("mkdtemp", NULL);
    srandom((unsigned)getpid());
    for (unsigned round = 0; round < rounds; round++) {
        vs_store *s = NULL;
        vs_error err = {0};
        last = one_round(last);
        if (open_store(&s, &err) != VS_OK)
            give_up("opening after a kill", &err);
        check(s, last);
        vs_store_close(&s);
    }
    (void)nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
    printf("%s: %u kills, %u acknowledged writes, none lost, none torn\n", kind, rounds, last);
    return 0;
}
