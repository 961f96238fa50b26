/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log: a file of JSON lines that is only ever appended to, each line holding the SHA-256
 * of the one before it, with signed checkpoints. Whoever changes, drops or reorders lines breaks
 * the chain; whoever writes a new chain lacks the key.
 *
 *   {"seq":7,"time":"2026-11-25T21:00:00Z","prev":"<hex>","event":{...}}
 *
 * `prev` is over the bytes of the previous line without its line feed; the first line of a new log
 * has 64 zeros. The first event of each run is {"what":"start","key":{JWK},...}; a checkpoint is
 * {"what":"checkpoint","jws":"<compact JWS>"} with payload {"seq","prev","time"} of its own line,
 * signed with ES256. Checkpoints stand after every `every` events and at the end of a run.
 *
 * One writer per file (flock). Not thread safe.
 */
#ifndef VS_KBS_AUDIT_H
#define VS_KBS_AUDIT_H

#include "crypto/crypto.h"

typedef struct audit_log audit_log;

enum { AUDIT_LINE_MAX = 256 * 1024 };

/* Continues the log at `path` or begins it (mode 0600). A torn last line, which a crash leaves, is
 * cut off and told in the start event ("dropped": bytes). `key` is a P-256 private key that must
 * outlive it. VS_E_EXISTS: another process writes it; VS_E_PARSE: the last line is none of a log.
 */
VS_MUST vs_code audit_open(const char *path, const vs_key *key, unsigned every, int64_t now,
                           audit_log **out, vs_error *err);
/* Appends one event (an object). Nothing is on disk for sure before audit_sync. After a failure the
 * log is as it was before the event, or `audit_append` keeps failing. */
VS_MUST vs_code audit_append(audit_log *log, vs_val event, int64_t now, vs_error *err);
VS_MUST vs_code audit_sync(audit_log *log, vs_error *err);
/* Opens the path anew, after the file was moved away: the chain goes on in the new file. */
VS_MUST vs_code audit_reopen(audit_log *log, int64_t now, vs_error *err);
/* With a last checkpoint. */
void audit_close(audit_log **log, int64_t now);

typedef struct audit_report {
    uint64_t lines, events, checkpoints, starts;
    uint64_t unsigned_lines; /* after the last checkpoint */
    uint64_t first_seq, last_seq;
    char first_prev[65], last_hash[65]; /* to join rotated files */
    bool torn;                          /* the last line has no line feed */
    uint64_t wrong_line;                /* on failure: the line, from 1 */
} audit_report;

/* Checks a whole log. `key` NULL: that of the log's own start events, which proves only that nobody
 * changed it who lacks that key's private half. VS_E_MISMATCH: the chain is broken at
 * report->wrong_line; VS_E_CRYPTO: a checkpoint's signature is wrong; VS_E_PARSE. `each` (may be
 * NULL) sees every event in order. */
VS_MUST vs_code audit_verify(vs_span log, const vs_key *key, audit_report *report,
                             void (*each)(void *user, uint64_t seq, vs_span time, vs_val event),
                             void *user, vs_error *err);

#endif
