/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header of a LUKS2 volume, read as if an enemy had written it: it lies on a disk that the host
 * can rewrite. Exactly one shape is taken, that of `cryptsetup luksFormat --type luks2` with
 * AES-XTS, a 512-bit key and PBKDF2; everything else is refused. In particular a header with the
 * null cipher, which any passphrase would open, and headers that ask for integrity, for another
 * mode or for a half-done reencryption.
 *
 * Pure: the caller reads the bytes once, and only what is in luks2_header is used afterwards.
 * LUKS2 On-Disk Format Specification 1.1.
 */
#ifndef VS_CDH_LUKS2_HEADER_H
#define VS_CDH_LUKS2_HEADER_H

#include "base/error.h"

enum {
    LUKS2_COPY = 16384,              /* one copy of the metadata: binary header and JSON */
    LUKS2_METADATA = 2 * LUKS2_COPY, /* both, from the start of the device */
    LUKS2_KEY = 64,                  /* AES-256-XTS */
    LUKS2_STRIPES = 4000,            /* of the anti-forensic splitter */
    LUKS2_AREA = 258048,             /* LUKS2_KEY * LUKS2_STRIPES in whole 4096-byte blocks */
    LUKS2_SALT = 32,
    LUKS2_DIGEST = 32,
    LUKS2_UUID = 36,
    LUKS2_KEYSLOTS = 8,
    LUKS2_ITERATIONS_MIN = 1000,
    LUKS2_ITERATIONS_MAX = 20000000, /* of all keyslots and the checks of their keys together */
};

#define LUKS2_CIPHER "aes-xts-plain64"

typedef struct luks2_keyslot { /* PBKDF2 with SHA-256; area in LUKS2_CIPHER with a 512-bit key */
    uint32_t id, iterations;
    uint8_t salt[LUKS2_SALT];
    uint64_t area; /* offset of LUKS2_AREA bytes on the device */
} luks2_keyslot;

typedef struct luks2_header {
    char uuid[LUKS2_UUID + 1];
    uint64_t data_offset, data_size; /* bytes; multiples of the sector size, inside the device */
    uint32_t sector_size;            /* 512 or 4096 */
    bool is_dynamic;                 /* the data reach to the end of the device */
    uint32_t n_keyslots;             /* at least 1; in order of their ids */
    luks2_keyslot keyslots[LUKS2_KEYSLOTS];
    uint32_t digest_iterations; /* PBKDF2 with SHA-256 over the volume key */
    uint8_t digest_salt[LUKS2_SALT], digest[LUKS2_DIGEST];
} luks2_header;

/* `metadata` = the first LUKS2_METADATA bytes of a device of `device_size` bytes. PARSE, INVALID;
 * UNSUPPORTED: a thing that LUKS2 has and that is not taken here; CRYPTO: a checksum. *out is set
 * only on success. */
VS_MUST vs_code luks2_header_parse(vs_span metadata, uint64_t device_size, luks2_header *out,
                                   vs_error *err);
/* SHA-256 of everything in the header that is used: of two headers that differ in any of it the
 * digests differ. Of a volume that reaches to the end of its device, the size counts as "dynamic".
 * docs/guest.md has its definition. */
VS_MUST vs_code luks2_header_digest(const luks2_header *h, uint8_t out[LUKS2_DIGEST],
                                    vs_error *err);

#endif
