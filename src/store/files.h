/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files below one directory, which no name and no symbolic link can lead out of. Paths are relative
 * to the directory and were made from checked keys. Used by the LocalFs and tree back ends.
 *
 * Below the directory, ".vouchsafe/" is ours: temporary files, and what a layout has no place for.
 */
#ifndef VS_STORE_FILES_H
#define VS_STORE_FILES_H

#include "base/buf.h"

enum { FILES_PATH = 600 }; /* room for a namespace, an escaped key and what we put before them */

/* Opens the directory, making it (0700) when it is not there; removes what a crash left behind. */
VS_MUST vs_code files_open_root(const char *path, int *fd, vs_error *err);
/* As openat; links are followed only as long as they stay below `root`. -1 and errno. */
int files_open(int root, const char *rel, int flags);
/* What files_open does on a kernel without openat2: one part after another, through no link at all.
 */
int files_open_by_steps(int root, const char *rel, int flags);
/* Reads a regular file. VS_E_NOT_FOUND without a sentence when there is none. */
VS_MUST vs_code files_read(int root, const char *rel, vs_buf *out, vs_error *err);
bool files_there(int root, const char *rel);

/* Writing in two steps, so that a caller can do several moves together: the contents are on the
 * disk after the first; after the second they are under their name, whole, and that is on the disk,
 * too. */
typedef struct files_temp {
    char rel[64];
} files_temp;
VS_MUST vs_code files_prepare(int root, vs_span data, files_temp *out, vs_error *err);
/* Moves a prepared file to `rel`, making directories on the way. `exclusive`: VS_E_EXISTS when the
 * name is taken. The temporary name is gone afterwards in any case. */
VS_MUST vs_code files_move(int root, const files_temp *t, const char *rel, bool exclusive,
                           vs_error *err);
void files_drop(int root, const files_temp *t);
/* Is the directory still there and readable? */
VS_MUST vs_code files_look(int root, vs_error *err);
/* Can a file be written? One is, to the disk, and removed. */
VS_MUST vs_code files_probe(int root, vs_error *err);
/* VS_E_NOT_FOUND without a sentence when there is none. */
VS_MUST vs_code files_remove(int root, const char *rel, vs_error *err);

/* A sorted list of names. */
typedef struct files_names {
    vs_arena a;
    vs_span *items;
    size_t n, room;
} files_names;
void files_add_name(files_names *l, vs_span name); /* copies; check the arena at the end */
void files_sort_names(files_names *l);
/* Calls `each` for the entries of a directory, without those that start with a dot. A directory
 * that is not there has none. */
VS_MUST vs_code files_each(int root, const char *rel,
                           vs_code (*each)(void *user, const char *name, vs_error *err), void *user,
                           vs_error *err);

#endif
