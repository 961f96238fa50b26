/* SPDX-License-Identifier: Apache-2.0 */
/* The key of a LUKS2 volume, out of a keyslot that a passphrase opens. */
#ifndef VS_CDH_LUKS2_KEY_H
#define VS_CDH_LUKS2_KEY_H

#include "base/buf.h"
#include "cdh/luks2_header.h"

/* Reads and checks the header of the device or image `fd`; *out as luks2_header_parse. */
VS_MUST vs_code luks2_read(int fd, uint64_t device_size, luks2_header *out, vs_error *err);
/* Tries the keyslots in their order and appends the volume key, LUKS2_KEY bytes, that the header's
 * digest confirms. CRYPTO: the passphrase opens none, or the areas of the keyslots were changed.
 * Takes a time in proportion to the header's iterations. */
VS_MUST vs_code luks2_unlock(int fd, const luks2_header *h, vs_span passphrase, vs_buf *key,
                             vs_error *err);

#endif
