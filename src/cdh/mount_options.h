/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller of SecureMount asks for, checked before anything is touched (guest.md 3.7). */
#ifndef VS_CDH_MOUNT_OPTIONS_H
#define VS_CDH_MOUNT_OPTIONS_H

#include "base/arena.h"

enum { CDH_MOUNT_OPTIONS_MAX = 32, CDH_MOUNT_PATH_MAX = 4095 };

typedef struct cdh_mount_option {
    vs_span key, value;
} cdh_mount_option;

typedef struct cdh_mount_request {
    vs_span volume_type, mount_point;
    const cdh_mount_option *options;
    size_t n_options;
    /* Whether the caller has left meanwhile; NULL = it waits as long as it takes. */
    bool (*is_gone)(const void *caller);
    const void *caller;
} cdh_mount_request;

typedef struct cdh_mount_plan { /* text lives on the arena, NUL terminated; NULL = not given */
    const char *mount_point;    /* absolute */
    const char *device_id, *device_path; /* one of them at least; device_id wins */
    const char *mapper_name;             /* given, or random */
    const char *key, *header_digest;     /* where they are; key is there unless is_empty */
    const char *mkfs_opts;
    bool is_empty;  /* the volume is formatted, and what was on it is lost; else it is opened */
    bool is_device; /* a link to the block device is wanted; else its file system */
} cdh_mount_plan;

/* UNSUPPORTED: a thing that upstream has and that is not here, by name. INVALID: anything else,
 * unknown options included: one of them could be a check that is meant to be made. */
VS_MUST vs_code cdh_mount_plan_of(const cdh_mount_request *r, vs_arena *a, cdh_mount_plan *out,
                                  vs_error *err);

#endif
