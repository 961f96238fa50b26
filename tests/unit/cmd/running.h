/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a command in a child, with what it prints in buffers. */
#ifndef VS_TEST_RUNNING_H
#define VS_TEST_RUNNING_H

#include "testing.h"

#include <fcntl.h>
#include <sys/wait.h>

typedef int command(int argc, char **argv);

/* Where the programs' files go: a directory for the whole run. */
static char dir[64];

static inline const char *in_dir(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static inline int make_dir(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "%s/vs-show-XXXXXX", P_tmpdir);
    return mkdtemp(dir) ? 0 : -1;
}

static inline int drop_dir(void **state)
{
    (void)state;
    (void)unlink(in_dir("out"));
    (void)unlink(in_dir("err"));
    (void)unlink(in_dir("file"));
    (void)unlink(in_dir("key"));
    return rmdir(dir);
}

typedef struct result {
    int code;
    vs_buf out, err;
} result;

static inline void to_file(const char *path, int fd)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    (void)dup2(file, fd);
    (void)close(file);
}

/* Runs the command in a child; arguments end with NULL. */
static inline void run(result *r, command *c, const char *const *args)
{
    char *argv[16] = {NULL};
    int argc = 0, status;
    for (; args[argc]; argc++)
        argv[argc] = strdup(args[argc]);
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        to_file(in_dir("out"), STDOUT_FILENO);
        to_file(in_dir("err"), STDERR_FILENO);
        int code = c(argc, argv);
        (void)fflush(NULL);
        _exit(code);
    }
    while (argc)
        free(argv[--argc]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    *r = (result){.code = WEXITSTATUS(status), .out = VS_BUF(1 << 24), .err = VS_BUF(1 << 20)};
    assert_vs_code(vs_read_file(in_dir("out"), &r->out, NULL), VS_OK);
    assert_vs_code(vs_read_file(in_dir("err"), &r->err, NULL), VS_OK);
    vs_buf_puts(&r->out, ""); /* so that there is a NUL */
    vs_buf_puts(&r->err, "");
}

static inline void drop(result *r)
{
    vs_buf_free(&r->out);
    vs_buf_free(&r->err);
}

static inline bool says(const vs_buf *b, const char *text)
{
    return b->p && strstr((const char *)b->p, text) != NULL;
}

#define RUN(r, c, ...) run((r), (c), (const char *const[]){"program", __VA_ARGS__, NULL})

static inline char *shared_copy(const char *rel)
{
    static char path[4096];
    (void)snprintf(path, sizeof path, "%s", shared_path(rel));
    return path;
}

#endif
