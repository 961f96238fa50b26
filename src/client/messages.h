/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of the KBS protocol as the client writes and reads them (kbs.md 1.3 to 1.9, 7).
 * Pure: what a server sends is hostile until parsed here.
 */
#ifndef VS_CLIENT_MESSAGES_H
#define VS_CLIENT_MESSAGES_H

#include "crypto/crypto.h"

typedef struct kbsc_challenge {
    vs_span nonce; /* opaque text, echoed as it is */
    vs_hash hash;  /* the server's choice, else SHA-384 */
} kbsc_challenge;

void kbsc_write_request(vs_buf *out, const char *tee);
VS_MUST vs_code kbsc_read_challenge(vs_arena *a, vs_span json, kbsc_challenge *out, vs_error *err);

/* The digest that evidence is bound to: JCS of additional-evidence (always ""), nonce and key. */
VS_MUST vs_code kbsc_report_data(vs_arena *a, const kbsc_challenge *challenge, vs_val tee_pubkey,
                                 uint8_t out[VS_HASH_MAX], vs_error *err);
/* `evidence` is JSON text of our own making. init_data.p == NULL = none. */
void kbsc_write_attestation(vs_buf *out, const kbsc_challenge *challenge, vs_val tee_pubkey,
                            vs_span evidence, vs_span init_data);
/* *token points into `json` or the arena. It has the form of a compact JWS with an object in it;
 * nothing is verified. */
VS_MUST vs_code kbsc_read_token(vs_arena *a, vs_span json, vs_span *token, vs_error *err);

/* The error message of a server. False when `json` is not one. */
typedef struct kbsc_refusal {
    vs_span name; /* "PolicyDeny": the last part of "type" */
    vs_span detail;
} kbsc_refusal;
bool kbsc_read_refusal(vs_arena *a, vs_span json, kbsc_refusal *out);

/* Text of a peer for a terminal or a log: what is not printable ASCII becomes \xNN; cut at `max`
 * bytes of input with "..." behind. */
const char *kbsc_printable(vs_arena *a, vs_span text, size_t max);

#endif
