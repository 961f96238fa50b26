/* SPDX-License-Identifier: Apache-2.0 */
/* Writes LUKS2 volumes, right ones and wrong ones, for tests and the fuzz target. */
#ifndef TEST_CDH_LUKS2_IMAGE_H
#define TEST_CDH_LUKS2_IMAGE_H

#include <stdlib.h>

#include "cdh/luks2_header.h"
#include "crypto/crypto.h"

enum { IMAGE_JSON = 4096, IMAGE_CHECKSUM = 448, IMAGE_AREAS = LUKS2_METADATA };

#define IMAGE_UUID       "a3cb2e82-d76c-462c-a641-af8e692b2d7c"
#define IMAGE_DEVICE     ((uint64_t)32 << 20)
#define IMAGE_AREA_2     290816 /* of keyslot 1 */
#define IMAGE_ITERATIONS 1000
/* 32 bytes each: "S" and "D" 32 times. */
#define IMAGE_SALT   "U1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1M="
#define IMAGE_DIGEST "REREREREREREREREREREREREREREREREREREREREREQ="

#define IMAGE_KEYSLOT(offset)                                                                      \
    "{\"type\":\"luks2\",\"key_size\":64,\"af\":{\"type\":\"luks1\",\"stripes\":4000,\"hash\":"    \
    "\"sha256\"},\"area\":{\"type\":\"raw\",\"offset\":\"" offset                                  \
    "\",\"size\":\"258048\",\"encryption\":\"aes-xts-plain64\",\"key_size\":64},\"kdf\":{"         \
    "\"type\":\"pbkdf2\",\"hash\":\"sha256\",\"iterations\":1000,\"salt\":\"" IMAGE_SALT "\"}}"
#define IMAGE_SEGMENT                                                                              \
    "{\"type\":\"crypt\",\"offset\":\"16777216\",\"size\":\"dynamic\",\"iv_tweak\":\"0\","         \
    "\"encryption\":\"aes-xts-plain64\",\"sector_size\":4096}"
#define IMAGE_DOCUMENT(keyslots, ids)                                                              \
    "{\"keyslots\":{" keyslots "},\"tokens\":{},\"segments\":{\"0\":" IMAGE_SEGMENT                \
    "},\"digests\":{\"0\":{\"type\":\"pbkdf2\",\"keyslots\":[" ids                                 \
    "],\"segments\":[\"0\"],\"hash\":\"sha256\",\"iterations\":1000,\"salt\":\"" IMAGE_SALT        \
    "\",\"digest\":\"" IMAGE_DIGEST                                                                \
    "\"}},\"config\":{\"json_size\":\"12288\",\"keyslots_size\":\"16744448\"}}"
/* As cryptsetup 2.6 writes it, with one keyslot. */
#define IMAGE_PLAIN IMAGE_DOCUMENT("\"0\":" IMAGE_KEYSLOT("32768"), "\"0\"")
#define IMAGE_TWO                                                                                  \
    IMAGE_DOCUMENT("\"0\":" IMAGE_KEYSLOT("32768") ",\"1\":" IMAGE_KEYSLOT("290816"), "\"0\","     \
                                                                                      "\"1\"")

static inline void image_must(bool ok)
{
    if (!ok)
        abort();
}

/* The right checksum of one copy, whatever else it holds. */
static inline void image_checksum(uint8_t *copy)
{
    uint8_t sum[VS_HASH_MAX];
    memset(copy + IMAGE_CHECKSUM, 0, 64);
    image_must(vs_digest(VS_SHA256, vs_span_of(copy, LUKS2_COPY), (vs_span){0}, (vs_span){0}, sum,
                         NULL) == VS_OK);
    memcpy(copy + IMAGE_CHECKSUM, sum, 32);
}

static inline void image_copy(uint8_t *to, bool second, vs_span json)
{
    memset(to, 0, LUKS2_COPY);
    memcpy(to, second ? "SKUL\xba\xbe\x00\x02" : "LUKS\xba\xbe\x00\x02", 8);
    to[14] = LUKS2_COPY >> 8; /* size */
    to[23] = 3;               /* sequence id */
    memcpy(to + 72, "sha256", 6);
    memset(to + 104, second ? 0x5a : 0xa5, 64);
    memcpy(to + 168, IMAGE_UUID, sizeof IMAGE_UUID);
    to[262] = second ? LUKS2_COPY >> 8 : 0; /* its own offset */
    image_must(json.n <= LUKS2_COPY - IMAGE_JSON);
    if (json.n)
        memcpy(to + IMAGE_JSON, json.p, json.n);
    image_checksum(to);
}

static inline void image_metadata(uint8_t to[LUKS2_METADATA], vs_span json)
{
    image_copy(to, false, json);
    image_copy(to + LUKS2_COPY, true, json);
}

/* ---- keyslots -------------------------------------------------------------------------------- */

static inline void image_diffuse(uint8_t block[LUKS2_KEY])
{
    for (int i = 0; i < 2; i++) {
        uint8_t sum[VS_HASH_MAX], number[4] = {0, 0, 0, (uint8_t)i};
        image_must(vs_digest(VS_SHA256, vs_span_of(number, 4), vs_span_of(block + 32 * i, 32),
                             (vs_span){0}, sum, NULL) == VS_OK);
        memcpy(block + 32 * i, sum, 32);
    }
}

/* LUKS2_AREA bytes that `passphrase` turns into `key`. */
static inline void image_area(uint8_t *area, vs_span passphrase, const uint8_t key[LUKS2_KEY])
{
    uint8_t derived[LUKS2_KEY], salt[LUKS2_SALT], block[LUKS2_KEY] = {0};
    memset(salt, 'S', sizeof salt);
    memset(area, 0, LUKS2_AREA);
    for (size_t i = 0; i < (size_t)LUKS2_KEY * (LUKS2_STRIPES - 1); i++)
        area[i] = (uint8_t)(i * 7 + i / 251);
    for (size_t s = 0; s + 1 < LUKS2_STRIPES; s++) {
        for (size_t i = 0; i < LUKS2_KEY; i++)
            block[i] ^= area[s * LUKS2_KEY + i];
        image_diffuse(block);
    }
    for (size_t i = 0; i < LUKS2_KEY; i++)
        area[(size_t)LUKS2_KEY * (LUKS2_STRIPES - 1) + i] = block[i] ^ key[i];
    image_must(vs_pbkdf2(VS_SHA256, passphrase, vs_span_of(salt, sizeof salt), IMAGE_ITERATIONS,
                         derived, sizeof derived, NULL) == VS_OK);
    for (size_t at = 0; at < LUKS2_AREA; at += 512) {
        uint8_t tweak[16] = {(uint8_t)(at / 512), (uint8_t)(at / 512 >> 8)};
        image_must(vs_xts_encrypt(derived, tweak, area + at, 512, NULL) == VS_OK);
    }
}

/* The digest that belongs to `key` in place of IMAGE_DIGEST, as bytes. */
static inline void image_digest(const uint8_t key[LUKS2_KEY], uint8_t out[LUKS2_DIGEST])
{
    uint8_t salt[LUKS2_SALT];
    memset(salt, 'S', sizeof salt);
    image_must(vs_pbkdf2(VS_SHA256, vs_span_of(key, LUKS2_KEY), vs_span_of(salt, sizeof salt),
                         IMAGE_ITERATIONS, out, LUKS2_DIGEST, NULL) == VS_OK);
}

#endif
