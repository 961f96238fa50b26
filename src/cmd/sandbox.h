/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the process takes away from itself before it serves: system calls (seccomp) and files
 * (Landlock). A fault in a parser then reads no other file and starts no program, or only the one
 * that the server itself starts.
 */
#ifndef VS_CMD_SANDBOX_H
#define VS_CMD_SANDBOX_H

#include "base/error.h"

enum { SANDBOX_PATHS = 64 };

typedef struct sandbox {
    const char *write[SANDBOX_PATHS];        /* directories, with all that is below */
    const char *write_beside[SANDBOX_PATHS]; /* the directories of these files */
    const char *read[SANDBOX_PATHS]; /* files: their directories, so that a replaced one is read */
    size_t n_write, n_write_beside, n_read;
    const char *program; /* the only one that may be started; NULL = none */
} sandbox;

/* NULL paths and those beyond the end are left out; paths must outlive sandbox_enter. */
void sandbox_may_write(sandbox *s, const char *dir);
void sandbox_may_write_beside(sandbox *s, const char *file);
void sandbox_may_read(sandbox *s, const char *file);
/* One program, looked for in PATH when its name has no '/', with what runs it: the interpreter of
 * its "#!" line, its dynamic loader. It inherits the sandbox. A loader runs any program that may be
 * read, so only a static program is alone. */
void sandbox_may_run(sandbox *s, const char *program);

/* Before the first thread is made: Landlock is the calling thread's and its children's. What the
 * kernel lacks is a warning in the log, not an error. Cannot be undone. */
VS_MUST vs_code sandbox_enter(const sandbox *s, vs_error *err);

#endif
