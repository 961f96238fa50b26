/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encrypted views of block devices by the kernel's device mapper (dm-crypt), without libdevmapper.
 * Needs CAP_SYS_ADMIN and the modules dm-mod, dm-crypt and xts.
 */
#ifndef VS_CDH_DM_CRYPT_H
#define VS_CDH_DM_CRYPT_H

#include <sys/types.h>

#include "base/error.h"

enum { DM_CRYPT_KEY = 64, DM_CRYPT_NAME_MAX = 127, DM_CRYPT_PATH_MAX = 160 };

#define DM_CRYPT_DIR "/dev/mapper"

typedef struct dm_crypt_map { /* AES-256-XTS with plain64 numbers of 512-byte sectors from 0 */
    const char *name, *uuid;  /* uuid: of at most 128 bytes */
    dev_t device;
    uint64_t offset, size; /* bytes on the device; multiples of sector_size */
    uint32_t sector_size;  /* 512 or 4096 */
    const uint8_t *key;    /* DM_CRYPT_KEY bytes */
} dm_crypt_map;

/* A name that cannot leave DM_CRYPT_DIR: letters, digits and "_-." but not at the start. */
VS_MUST vs_code dm_crypt_check_name(vs_span name, vs_error *err);
/* Makes the mapping and its node /dev/mapper/<name>. EXISTS: there is one of this name; IO: the
 * kernel's refusal. On failure nothing is left, as with dm_crypt_close. */
VS_MUST vs_code dm_crypt_open(const dm_crypt_map *m, vs_error *err);
/* Removes both, as far as they are there, after a failure that `err` tells. A mapping that others
 * keep open goes when they close it; what then stays is logged and added to `err` (NULL-safe). The
 * node of a mapping that the kernel does not remove at all stays with it. */
void dm_crypt_close(const char *name, vs_error *err);

#endif
