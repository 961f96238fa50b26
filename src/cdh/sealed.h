/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealed secrets (guest.md 3.5): "sealed." and a compact JWS whose payload says where the secret is
 * (vault) or holds it encrypted (envelope). Somebody else wrote the text into a manifest that an
 * untrusted control plane keeps, so its ES256 signature is verified before anything of it is used.
 */
#ifndef VS_CDH_SEALED_H
#define VS_CDH_SEALED_H

#include "cdh/source.h"

enum { CDH_SEALED_MAX = 4 * 1024 * 1024 };

typedef struct cdh_sealed_options {
    cdh_source *source;     /* of signing keys and vault secrets */
    const char *keys_dir;   /* of signing keys by file name; NULL = cdh's own */
    bool skip_verification; /* takes unsigned and badly signed ones too */
} cdh_sealed_options;

/* Appends the plaintext. PARSE, INVALID: the text; UNTRUSTED: no such key; CRYPTO: the signature,
 * or the ciphertext; UNSUPPORTED: a provider that this build has no client for. */
VS_MUST vs_code cdh_unseal(const cdh_sealed_options *o, vs_span text, vs_buf *out, vs_error *err);

#endif
