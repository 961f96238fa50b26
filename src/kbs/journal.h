/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where decisions go, on a thread of its own: the audit log (all of them, in order) and the store
 * (a record of each that a proven party caused, for explain, replay and dry-run).
 *
 * What an unproven party causes must not fill a disk: of those a few per second reach the audit log
 * (with the number that did not), none the store; the latest are kept in memory, so that they too
 * can be asked for.
 *
 * When the audit log cannot be written, nothing more is released: kbs_journal_ready and _add fail
 * until it can be again. What was accepted is kept and tried again.
 */
#ifndef VS_KBS_JOURNAL_H
#define VS_KBS_JOURNAL_H

#include "store/store.h"
#include "value/value.h"

typedef struct kbs_journal kbs_journal;

typedef struct kbs_journal_config {
    vs_store *store;        /* of the signing key and the records; must outlive it */
    const char *audit_path; /* NULL = no audit log; copied */
    bool audit_each;        /* an answer waits until its event is on disk */
    unsigned keep_days;     /* of records; 0 = none are stored */
} kbs_journal_config;

/* The audit log's signing key is made once and kept in the store. */
VS_MUST vs_code kbs_journal_new(const kbs_journal_config *cfg, kbs_journal **out, vs_error *err);
/* Writes what was accepted, ends the log with a checkpoint. */
void kbs_journal_free(kbs_journal **j);

typedef struct kbs_entry {
    const char *id;    /* UUID */
    vs_val event;      /* object: what the audit log gets */
    vs_val record;     /* object: event and all that explains it; undefined = the event */
    const char *token; /* SHA-256, hex, of the token that this attestation gave; NULL = none */
    bool proven;       /* caused by somebody who showed evidence, a token or a right */
    int64_t now;
} kbs_entry;
/* Copies the entry. VS_E_IO: the audit log cannot be written; VS_E_LIMIT: too much waits. */
VS_MUST vs_code kbs_journal_add(kbs_journal *j, const kbs_entry *e, vs_error *err);
VS_MUST vs_code kbs_journal_ready(kbs_journal *j, vs_error *err);

/* The record of a decision as JSON. VS_E_NOT_FOUND. */
VS_MUST vs_code kbs_journal_get(kbs_journal *j, vs_span id, int64_t now, vs_buf *json,
                                vs_error *err);
/* The record of the attestation that gave this token. VS_E_NOT_FOUND: another server's token, or
 * too long ago. */
VS_MUST vs_code kbs_journal_of_token(kbs_journal *j, vs_span token_sha256, int64_t now,
                                     vs_buf *json, vs_error *err);
/* The ids of the latest `max` stored records, oldest first (array of text). */
VS_MUST vs_code kbs_journal_latest(kbs_journal *j, size_t max, vs_arena *a, vs_val *ids,
                                   vs_error *err);
/* The file was moved away: go on in a new one. */
void kbs_journal_rotate(kbs_journal *j);
/* A compact JWS over the text with the audit log's key. */
VS_MUST vs_code kbs_journal_seal(const kbs_journal *j, vs_span text, vs_buf *jws, vs_error *err);
/* The audit log's public key as JWK text. */
VS_MUST vs_code kbs_journal_key(const kbs_journal *j, vs_buf *json, vs_error *err);

/* UUID version 7 (RFC 9562 5.7): ids sort by time. */
void kbs_new_id(char out[37]);

#endif
