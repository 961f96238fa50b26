/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attestation agent: evidence, tokens and measurements of the guest it runs in (guest.md 1).
 * Knows no protocol. Thread safe.
 */
#ifndef VS_AA_AA_H
#define VS_AA_AA_H

#include "aa/config.h"
#include "client/attester.h"
#include "envelope/init_data.h"

typedef struct aa aa;

/* `init_data` (NULL = none): the document or digest the guest was started with; bound by aa_new, so
 * that an agent which runs is one whose init data the TEE vouches for, where the TEE can. `digest`
 * alone has `text` empty. */
typedef struct aa_init_data {
    vs_span text; /* TOML; p == NULL = only the digest is known */
    vs_span digest;
} aa_init_data;

/* Detects the TEE, once. cfg, with its text, must outlive it; init data is copied. MISMATCH: the
 * TEE was started with other init data. */
VS_MUST vs_code aa_new(const aa_config *cfg, const aa_init_data *init, aa **out, vs_error *err);
void aa_free(aa **agent);

const char *aa_tee(const aa *agent);

/* JSON text of the primary TEE's evidence, bound to report data of at most 64 bytes. */
VS_MUST vs_code aa_evidence(aa *agent, vs_span report_data, vs_buf *json, vs_error *err);
/* The same of devices beside it, as an object by name; nothing at all where there are none. */
VS_MUST vs_code aa_additional_evidence(aa *agent, vs_span report_data, vs_buf *json, vs_error *err);
/* Type "kbs": {"token":...,"tee_keypair":PEM}, from memory while it is good (token.h says when);
 * `refused` = SHA-256 of a token that the KBS did not take, empty = none. "coco_as": a token (JWT).
 * INVALID: another type; UNSUPPORTED: not configured. */
VS_MUST vs_code aa_token(aa *agent, vs_span type, vs_span refused, vs_buf *out, vs_error *err);

typedef enum aa_extended { AA_EXTENDED, AA_NOT_SUPPORTED, AA_NOT_ENABLED } aa_extended;
typedef struct aa_event {
    vs_span domain, operation, content;
    bool has_register;
    uint64_t reg;
} aa_event;
VS_MUST vs_code aa_extend(aa *agent, const aa_event *event, aa_extended *result, vs_error *err);

/* That the TEE vouches for this digest, or makes it do so. UNSUPPORTED: this TEE cannot; MISMATCH.
 */
VS_MUST vs_code aa_bind_init_data(aa *agent, vs_span digest, vs_error *err);

#endif
