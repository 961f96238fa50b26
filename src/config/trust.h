/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose reference values and endorsements are believed: the keys of a reference value provider,
 * which stand in the files of three programs.
 */
#ifndef VS_CONFIG_TRUST_H
#define VS_CONFIG_TRUST_H

#include <stddef.h>

#include "config/config.h"

typedef struct config_anchor {
    const char *path;
    const char *const *may;
    size_t n_may;
} config_anchor;

typedef struct config_trust {
    const char *const *anchors; /* files */
    size_t n_anchors;
    const config_anchor *restricted;
    size_t n_restricted;
    const char *const *crls; /* files */
    size_t n_crls;
} config_trust;

/* Keys of the process that has the provider, by their place in the files of the attestation service
 * and, below its table, of the KBS: what makes it strict does nothing anywhere else. */
#define CONFIG_PROVIDER_ONLY                                                                       \
    "refuse_sample_reference_values", "rvps_config.trust_anchors",                                 \
        "rvps_config.restricted_anchors", "rvps_config.crls", "rvps_config.require_signed",        \
        "rvps_config.accept_unsigned_attestation_keys"

/* Lines of a table for keys that start with `p` ("" or "rvps_config.") and are read into the
 * config_trust at offset `at`; `m` is put before what is said of each. */
#define CONFIG_TRUST_KEYS(p, at, m)                                                                \
    TEXTS(p "trust_anchors", (at) + offsetof(config_trust, anchors),                               \
          (at) + offsetof(config_trust, n_anchors), NULL,                                          \
          m "PEM certificates, public keys or JWK Sets: signed CoRIMs must verify against them"),  \
        LIST(p "restricted_anchors", (at) + offsetof(config_trust, restricted),                    \
             (at) + offsetof(config_trust, n_restricted), config_anchor,                           \
             m "trust anchors that may vouch for some things only"),                               \
        TEXT(p "restricted_anchors.path", offsetof(config_anchor, path), NULL,                     \
             "the file, as in trust_anchors"),                                                     \
        TEXTS(p "restricted_anchors.may", offsetof(config_anchor, may),                            \
              offsetof(config_anchor, n_may), NULL,                                                \
              "what it may vouch for: attestation-keys (cca.cpak.), platform (cca.platform.), "    \
              "realm (cca.realm.), reference-values (all other names); nothing else"),             \
        TEXTS(p "crls", (at) + offsetof(config_trust, crls),                                       \
              (at) + offsetof(config_trust, n_crls), NULL,                                         \
              m "files with revocation lists (PEM or DER), read for each message; with any, "      \
                "each certificate of a signer's chain must be one that a current list of its "     \
                "issuer does not name")

#endif
