/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Init data (guest.md 1.8, attestation-service.md 3.2): the TOML document a host may hand to a
 * guest, bound to the guest by its digest. The digest is over the file's bytes as they are.
 *
 * As strict as upstream's agent and attestation service, and as lenient: the algorithm is in lower
 * case and without a dash ("SHA256" and "sha-256" are refused), the version is any text. It binds
 * nothing, being under the digest like all the rest; kata alone insists on "0.1.0".
 */
#ifndef VS_ENVELOPE_INIT_DATA_H
#define VS_ENVELOPE_INIT_DATA_H

#include "crypto/crypto.h"

enum { VS_INIT_DATA_MAX = 4 * 1024 * 1024 };

typedef struct vs_init_data {
    vs_span version; /* text, as written */
    vs_hash algorithm;
    vs_val data;    /* object: file name to text */
    vs_span digest; /* on the arena */
} vs_init_data;

/* PARSE, INVALID; UNSUPPORTED: an unknown algorithm; LIMIT. */
VS_MUST vs_code vs_init_data_parse(vs_arena *a, vs_span text, vs_init_data *out, vs_error *err);

#endif
