/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tells one version of a file from another, without reading it: for files that are read again
 * when they have changed.
 */
#ifndef VS_BASE_STAMP_H
#define VS_BASE_STAMP_H

#include <sys/types.h>
#include <time.h>

#include "base/span.h"

/* All zero: there is no such file. */
typedef struct vs_stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
} vs_stamp;

/* As of now; path == NULL: no such file. Take it before reading: what changes meanwhile is then
 * seen at the next look. */
vs_stamp vs_stamp_of(const char *path);
bool vs_stamp_eq(const vs_stamp *a, const vs_stamp *b);
/* The file is so fresh that it may yet change without its stamp changing. */
bool vs_stamp_is_young(const vs_stamp *s);

#endif
