/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens of a KBS, kept: upstream attests anew for every secret.
 *
 * A token is handed out again while it has a good part of its life left. Whoever is refused with it
 * asks again at once (guest.md 1.6), so a token that is asked for again within two seconds is got
 * anew, unless it is itself younger than half a minute: a KBS that forgot its keys is thus noticed,
 * and many callers at once still cost one attestation. When attesting anew fails, a token that is
 * still valid is handed out. A caller that tells which token it was refused with needs no guessing.
 */
#ifndef VS_AA_TOKEN_H
#define VS_AA_TOKEN_H

#include "client/client.h"

enum { AA_TOKEN_MAX = 1024 * 1024, AA_TOKEN_DIGEST = 32 };

/* Times are seconds since 1970; 0 = never. One thread at a time. */
typedef struct aa_token_cache {
    vs_buf json;                     /* what is handed out; empty = none */
    uint8_t digest[AA_TOKEN_DIGEST]; /* SHA-256 of the token in it */
    int64_t expires;                 /* of the token; 0 = it does not say */
    int64_t fetched, given;
} aa_token_cache;

typedef enum aa_token_state {
    AA_TOKEN_GOOD,  /* hand it out */
    AA_TOKEN_STALE, /* valid, but a new one is due */
    AA_TOKEN_NONE,
} aa_token_state;

/* `refused`: digest of a token that a KBS did not take; empty = nobody says so. */
aa_token_state aa_token_look(const aa_token_cache *c, vs_span refused, int64_t now);
/* Takes a token and the key it is bound to: writes the JSON (guest.md 1.6), whose expiry is read
 * from the token. */
VS_MUST vs_code aa_token_keep(aa_token_cache *c, vs_span token, const vs_key *key, int64_t now,
                              vs_error *err);
void aa_token_forget(aa_token_cache *c);

#endif
