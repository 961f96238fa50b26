/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of the KBS protocol as the client writes and reads them (kbs.md 1.3 to 1.9, 7).
 * Pure: what a server sends is hostile until parsed here.
 */
#ifndef VS_CLIENT_MESSAGES_H
#define VS_CLIENT_MESSAGES_H

#include "crypto/crypto.h"

/* ---- versions of the protocol ------------------------------------------------------------------
 */

/* What differs in each: kbs/protocol.c. 0 = none was chosen. */
typedef enum kbsc_version {
    KBSC_0_1_1 = 1, /* RSA1_5 and a form of secrets before RFC 7516 */
    KBSC_0_2_0,
    KBSC_0_3_0,
    KBSC_0_4_0,
} kbsc_version;
#define KBSC_NEWEST   KBSC_0_4_0
#define KBSC_VERSIONS "0.1.1, 0.2.0, 0.3.0, 0.4.0"

/* Of a configuration's key (config_choice). */
#define KBSC_VERSION_CHOICES                                                                       \
    {                                                                                              \
        {"0.1.1", KBSC_0_1_1, NULL}, {"0.2.0", KBSC_0_2_0, NULL}, {"0.3.0", KBSC_0_3_0, NULL},     \
            {"0.4.0", KBSC_0_4_0, NULL}, {NULL, 0, NULL},                                          \
    }

const char *kbsc_version_name(kbsc_version v);
/* "0.2.0"; false for a version that is not in the list. */
bool kbsc_version_of(vs_span name, kbsc_version *out);

/* What a server says of the versions that it speaks, when it does not take ours. */
typedef struct kbsc_mismatch {
    bool is;        /* the refusal is about the version */
    unsigned known; /* bit 1 << v for each of the list that it names */
    vs_span said;   /* its words for them, hostile; empty = none */
} kbsc_mismatch;

/* ---- messages ----------------------------------------------------------------------------------
 */

typedef struct kbsc_challenge {
    vs_span nonce; /* opaque text, echoed as it is */
    vs_hash hash;  /* the server's choice, else SHA-384 */
} kbsc_challenge;

/* `plain`: without the list of hashes, as the member was text for servers before 0.2.0. */
void kbsc_write_request(vs_buf *out, kbsc_version v, const char *tee, bool plain);
VS_MUST vs_code kbsc_read_challenge(vs_arena *a, vs_span json, kbsc_challenge *out, vs_error *err);

/* The digest that evidence is bound to: JCS of nonce and key, since 0.3.0 also of
 * additional-evidence (always ""). */
VS_MUST vs_code kbsc_report_data(vs_arena *a, kbsc_version v, const kbsc_challenge *challenge,
                                 vs_val tee_pubkey, uint8_t out[VS_HASH_MAX], vs_error *err);
typedef struct kbsc_proof {
    vs_val tee_pubkey;
    vs_span evidence;  /* JSON text, known to be such */
    vs_span init_data; /* p == NULL = none; before 0.4.0 there is no place for it */
} kbsc_proof;
void kbsc_write_attestation(vs_buf *out, kbsc_version v, const kbsc_challenge *challenge,
                            const kbsc_proof *proof);
/* *token points into `json` or the arena. It has the form of a compact JWS with an object in it;
 * nothing is verified. */
VS_MUST vs_code kbsc_read_token(vs_arena *a, vs_span json, vs_span *token, vs_error *err);

/* The error message of a server. False when `json` is not one. */
typedef struct kbsc_refusal {
    vs_span name; /* "PolicyDeny": the last part of "type" */
    vs_span detail;
} kbsc_refusal;
bool kbsc_read_refusal(vs_arena *a, vs_span json, kbsc_refusal *out);
/* Versions are read where upstream's servers of all times and ours put them: "expect =0.4.0 while
 * the request is ..." (of ours a list), "expected version: =0.1.1, requested version: ...".
 * Anything that is not a plain version, or one behind '=', is passed over. `said` points into the
 * refusal. */
kbsc_mismatch kbsc_read_mismatch(const kbsc_refusal *r);

/* Text of a peer for a terminal or a log: what is not printable ASCII becomes \xNN; cut at `max`
 * bytes of input with "..." behind. */
const char *kbsc_printable(vs_arena *a, vs_span text, size_t max);

#endif
