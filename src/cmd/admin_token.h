/* SPDX-License-Identifier: Apache-2.0 */
/* Where an administrator's tool gets its bearer token from (kbs.md 10.1, 12.1). */
#ifndef VS_CMD_ADMIN_TOKEN_H
#define VS_CMD_ADMIN_TOKEN_H

#include "base/buf.h"

enum { ADMIN_TOKEN_MAX = 1024 * 1024 };

/* From a file, or made with an Ed25519 private key (PEM), or from the files that Trustee's client
 * tries by itself; empty = anonymous. */
VS_MUST vs_code admin_token(const char *token_file, const char *private_key, vs_buf *token,
                            vs_error *err);

#endif
