/* SPDX-License-Identifier: Apache-2.0 */
#include "cdh/luks2_key.h"

#include <errno.h>
#include <unistd.h>

#include "crypto/crypto.h"

enum { SECTOR = 512, TWEAK = 16, HASH = 32 };

/* ---- reading --------------------------------------------------------------------------------- */

static vs_code read_at(int fd, uint64_t offset, size_t n, vs_buf *out, vs_error *err)
{
    uint8_t *to = vs_buf_reserve(out, n);
    VS_TRY(vs_buf_check(out, err));
    for (size_t got = 0; got < n;) {
        ssize_t r = pread(fd, to + got, n - got, (off_t)(offset + got));
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return vs_fail_errno(err, VS_E_IO, errno, "reading the volume");
        if (r == 0)
            return vs_fail(err, VS_E_PARSE, "the volume ends after %llu bytes",
                           (unsigned long long)(offset + got));
        got += (size_t)r;
    }
    return VS_OK;
}

vs_code luks2_read(int fd, uint64_t device_size, luks2_header *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf metadata = VS_BUF(LUKS2_METADATA);
    if (device_size < LUKS2_METADATA)
        return vs_fail(err, VS_E_PARSE, "it is too short for a LUKS2 header");
    VS_TRY(read_at(fd, 0, LUKS2_METADATA, &metadata, err));
    return luks2_header_parse(vs_buf_span(&metadata), device_size, out, err);
}

/* ---- keyslots -------------------------------------------------------------------------------- */

/* The sectors of an area count from its own start (plain64). */
static vs_code decrypt_area(const uint8_t key[LUKS2_KEY], vs_buf *area, vs_error *err)
{
    for (size_t at = 0; at < area->n; at += SECTOR) {
        uint8_t tweak[TWEAK] = {0};
        uint64_t number = at / SECTOR;
        for (size_t i = 0; i < sizeof number; i++)
            tweak[i] = (uint8_t)(number >> 8 * i);
        VS_TRY(vs_xts_decrypt(key, tweak, area->p + at, SECTOR, err));
    }
    return VS_OK;
}

/* Each 32 bytes become SHA-256(their number, the bytes). */
static vs_code diffuse(uint8_t block[LUKS2_KEY], vs_error *err)
{
    for (uint8_t i = 0; i < LUKS2_KEY / HASH; i++) {
        const uint8_t number[4] = {0, 0, 0, i};
        uint8_t sum[VS_HASH_MAX];
        vs_code code = vs_digest(VS_SHA256, vs_span_of(number, sizeof number),
                                 vs_span_of(block + i * HASH, HASH), (vs_span){0}, sum, err);
        memcpy(block + i * HASH, sum, HASH);
        vs_wipe(sum, sizeof sum);
        VS_TRY(code);
    }
    return VS_OK;
}

/* LUKS1's anti-forensic splitter, backwards: all stripes are needed for any bit of the key. */
static vs_code merge(const uint8_t *stripes, uint8_t key[LUKS2_KEY], vs_error *err)
{
    memset(key, 0, LUKS2_KEY);
    for (size_t s = 0; s < LUKS2_STRIPES; s++) {
        for (size_t i = 0; i < LUKS2_KEY; i++)
            key[i] ^= stripes[s * LUKS2_KEY + i];
        if (s + 1 < LUKS2_STRIPES)
            VS_TRY(diffuse(key, err));
    }
    return VS_OK;
}

static vs_code check_key(const luks2_header *h, const uint8_t key[LUKS2_KEY], bool *right,
                         vs_error *err)
{
    uint8_t digest[LUKS2_DIGEST];
    VS_TRY(vs_pbkdf2(VS_SHA256, vs_span_of(key, LUKS2_KEY), vs_span_of(h->digest_salt, LUKS2_SALT),
                     h->digest_iterations, digest, sizeof digest, err));
    *right = vs_ct_eq(vs_span_of(digest, sizeof digest), vs_span_of(h->digest, LUKS2_DIGEST));
    return VS_OK;
}

/* *right = the header's digest is that of the key. */
static vs_code open_keyslot(int fd, const luks2_header *h, const luks2_keyslot *k,
                            vs_span passphrase, vs_buf *key, bool *right, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf derived = VS_BUF(LUKS2_KEY), area = VS_BUF(LUKS2_AREA);
    uint8_t *area_key = vs_buf_reserve(&derived, LUKS2_KEY);
    VS_TRY(vs_buf_check(&derived, err));
    VS_TRY(vs_pbkdf2(VS_SHA256, passphrase, vs_span_of(k->salt, LUKS2_SALT), k->iterations,
                     area_key, LUKS2_KEY, err));
    VS_TRY(read_at(fd, k->area, LUKS2_AREA, &area, err));
    VS_TRY(decrypt_area(area_key, &area, err));
    uint8_t *to = vs_buf_reserve(key, LUKS2_KEY);
    VS_TRY(vs_buf_check(key, err));
    VS_TRY(merge(area.p, to, err));
    return check_key(h, to, right, err);
}

vs_code luks2_unlock(int fd, const luks2_header *h, vs_span passphrase, vs_buf *key, vs_error *err)
{
    size_t before = key->n;
    for (uint32_t i = 0; i < h->n_keyslots; i++) {
        bool right = false;
        vs_code code = open_keyslot(fd, h, &h->keyslots[i], passphrase, key, &right, err);
        if (code == VS_OK && right)
            return VS_OK;
        vs_buf_truncate(key, before);
        VS_TRY_WRAP(code, err, "keyslot %u", h->keyslots[i].id);
    }
    return vs_fail(err, VS_E_CRYPTO,
                   "the key opens no keyslot: it is another volume's, or the disk was changed");
}
