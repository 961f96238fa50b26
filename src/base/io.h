/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files and randomness.
 */
#ifndef VS_BASE_IO_H
#define VS_BASE_IO_H

#include <sys/types.h>

#include "base/buf.h"

/* Appends the whole file (regular file, pipe or "-" for stdin) to `out`; more than its cap is
 * VS_E_LIMIT. A missing file is VS_E_NOT_FOUND, anything else VS_E_IO. */
VS_MUST vs_code vs_read_file(const char *path, vs_buf *out, vs_error *err);
/* The same from an open descriptor, until end of file. */
VS_MUST vs_code vs_read_fd(int fd, vs_buf *out, vs_error *err);

/* Writes a file so that a crash leaves the old or the new contents, never a mixture: temporary file
 * in the same directory with `mode` from its creation on, fsync, rename, fsync of the directory. */
VS_MUST vs_code vs_write_file(const char *path, vs_span data, mode_t mode, vs_error *err);
/* As vs_write_file, but VS_E_EXISTS when `path` exists already. */
VS_MUST vs_code vs_create_file(const char *path, vs_span data, mode_t mode, vs_error *err);
/* mkdir -p. */
VS_MUST vs_code vs_make_dirs(const char *path, mode_t mode, vs_error *err);
/* All of `data`, through short writes and EINTR. */
VS_MUST vs_code vs_write_fd(int fd, vs_span data, vs_error *err);

/* From the kernel's generator; aborts the process if there is none (nothing safe can follow). */
void vs_random(void *p, size_t n);

#endif
