/* SPDX-License-Identifier: Apache-2.0 */
/* How keys and secrets are wrapped inside a guest (guest.md 3.5, 3.10): "A256GCM" with a 12-byte IV
 * and the tag at the end, "A256CTR" with a 16-byte counter block and nothing that would show a
 * change: it is read because others write it, and never written. */
#ifndef VS_CDH_WRAPPING_H
#define VS_CDH_WRAPPING_H

#include "crypto/crypto.h"

enum { CDH_KEY = 32, CDH_GCM_IV = 12 };

/* Members of a document, all base64 but the type. */
typedef struct cdh_wrapped {
    vs_span type, iv, data;
} cdh_wrapped;

/* INVALID: the key is not of 32 bytes, the type is unknown, or the IV has the wrong size; CRYPTO.
 */
VS_MUST vs_code cdh_unwrap(const cdh_wrapped *w, vs_span key, vs_buf *out, vs_error *err);

#endif
