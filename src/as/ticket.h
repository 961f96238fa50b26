/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State that a client carries for us, and what we keep for whoever shows it.
 *
 * A ticket is text that only replicas with the same key can read or make:
 *   base64url(key id (1) || iv (12) || AES-256-GCM(state) || tag (16))
 * The iv is random: at 2^32 tickets per key the chance of a repeat is still below 2^-32 (NIST SP
 * 800-38D 8.3). The key id leaves room for a successor key. `label` keeps tickets of one kind from
 * being taken for those of another.
 *
 * What is kept is found under a digest of an id of 16 random bytes and sealed with a key derived
 * from it. Only the client's ticket holds the id, so a copy of the store holds nothing that could
 * be used.
 */
#ifndef VS_AS_TICKET_H
#define VS_AS_TICKET_H

#include "store/store.h"

enum { AS_TICKET_STATE_MAX = 256, AS_TICKET_ID = 16 };

typedef struct as_ticket_key {
    uint8_t key[32];
} as_ticket_key;

/* The key is made once, by whichever replica starts first, and kept in the store under `name`. */
VS_MUST vs_code as_ticket_key_load(as_ticket_key *k, vs_store *store, const char *name,
                                   vs_error *err);
/* VS_E_CONFLICT when the store no longer has that key. */
VS_MUST vs_code as_ticket_key_check(const as_ticket_key *k, vs_store *store, const char *name,
                                    vs_error *err);
/* Appends the ticket. */
VS_MUST vs_code as_ticket_seal(const as_ticket_key *k, vs_span label, vs_span state, vs_buf *ticket,
                               vs_error *err);
/* VS_E_PARSE or VS_E_CRYPTO: not one of ours, or of another kind. */
VS_MUST vs_code as_ticket_open(const as_ticket_key *k, vs_span label, vs_span ticket, vs_buf *state,
                               vs_error *err);

enum { AS_KEPT_MAX = 2 * 1024 * 1024 };

typedef struct as_keep {
    const char *ns, *label; /* the label is part of the derived key */
    uint8_t id[AS_TICKET_ID];
} as_keep;
/* VS_E_EXISTS with VS_PUT_CREATE when something is kept already. */
VS_MUST vs_code as_keep_put(vs_store *store, const as_keep *k, vs_span value, int64_t expires,
                            vs_put_mode mode, vs_error *err);
/* Appends it. VS_E_NOT_FOUND: nothing is kept, or it has expired. */
VS_MUST vs_code as_keep_get(vs_store *store, const as_keep *k, int64_t now, vs_buf *value,
                            vs_error *err);

#endif
