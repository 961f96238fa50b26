/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of "veraison" that say how sessions are served, in the files of `kbs` and `restful-as`.
 */
#ifndef VS_CONFIG_VERAISON_H
#define VS_CONFIG_VERAISON_H

#include <stddef.h>

#include "config/config.h"

typedef struct config_veraison {
    int nonce_encoding; /* 1 = base64url without padding */
    int client_nonces;  /* one of the next three */
    int64_t remember_days;
} config_veraison;
enum { CONFIG_NONCES_ONCE, CONFIG_NONCES_ANY, CONFIG_NONCES_REFUSED };

extern const config_choice config_nonce_encodings[], config_client_nonces[];

/* Lines of a table for the section `p` that is read into the config_veraison at offset `at`. */
#define CONFIG_VERAISON_KEYS(p, at)                                                                \
    CHOICE(p ".nonce_encoding", (at) + offsetof(config_veraison, nonce_encoding),                  \
           config_nonce_encodings, "base64",                                                       \
           "how sessions show their nonce: base64 for Trustee and Veraison's Rust and older Go "   \
           "clients; base64url (without padding) for Go clients of 2026"),                         \
        CHOICE(p ".client_nonces", (at) + offsetof(config_veraison, client_nonces),                \
               config_client_nonces, "once",                                                       \
               "nonces that clients choose. once: the same evidence is appraised in one session "  \
               "only; any: in any number, as Veraison does; refuse: every nonce is drawn here"),   \
        COUNT(p ".remember_evidence_days", (at) + offsetof(config_veraison, remember_days), 1,     \
              3650, "1", "once: for how long evidence that was appraised is remembered")

#endif
