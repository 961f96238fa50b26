/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measured-boot event logs: TCG2 crypto-agile, as in the CCEL table and with the entries that the
 * attestation agent appends (attestation-service.md 9).
 *
 * A log proves nothing by itself. What makes it evidence is that its digests, replayed, give the
 * registers of a verified quote: `eventlog_match`. And a digest proves an event's data only where
 * the two belong together, which `digest_matches_event` tells a policy; it is false where there is
 * no digest. Reading is pure; spans point into the input, everything else lives on the arena.
 */
#ifndef VS_TEE_EVENTLOG_EVENTLOG_H
#define VS_TEE_EVENTLOG_EVENTLOG_H

#include "crypto/crypto.h"

enum {
    EVENTLOG_SIZE_MAX = 4 << 20,
    EVENTLOG_EVENTS_MAX = 1 << 16,
    EVENTLOG_ALGS_MAX = 16, /* of one log, and digests of one event (TCG: HASH_COUNT) */
    EVENTLOG_AAEL_TAG = 0x4141454c,
};

typedef struct eventlog_digest {
    uint16_t alg;         /* TPM_ALG_ID */
    const char *alg_name; /* "SHA-384", as in policy input */
    vs_hash hash;         /* VS_HASH_NONE: RSA, TDES */
    vs_span value;        /* of the size that the log's header announces */
} eventlog_digest;

typedef struct eventlog_event {
    uint32_t index; /* of the register; for TDX 1..4 are RTMR 0..3, for CSV rtmr1..4 */
    uint32_t type;
    const char *type_name; /* "EV_SEPARATOR" */
    const eventlog_digest *digests;
    size_t n_digests;
    vs_span data;
} eventlog_event;

typedef struct eventlog {
    const eventlog_event *events; /* without the header event */
    size_t n;
    size_t size; /* bytes of header and events: the end mark, and what follows, is not counted */
} eventlog;

/* Reads up to the end of the data or the end mark (eight bytes 00 or FF). Refused: a log that does
 * not start with the specification id event; unknown event types and algorithms; a digest size
 * that is not the algorithm's; two digests of one algorithm in an event (a register is extended
 * once); anything that does not fit. PARSE, INVALID, UNSUPPORTED, LIMIT. */
VS_MUST vs_code eventlog_parse(vs_arena *a, vs_span in, eventlog *out, vs_error *err);

/* The value of a register after all events of this index with a digest of this algorithm: zeros
 * when there are none. Writes vs_hash_size(hash) bytes. EV_NO_ACTION events that carry a digest are
 * replayed as well: there are clouds whose firmware extends them. */
VS_MUST vs_code eventlog_replay(const eventlog *log, vs_hash hash, uint32_t index,
                                uint8_t out[VS_HASH_MAX], vs_error *err);

typedef struct eventlog_register {
    uint32_t index;
    const char *name; /* for the error: "RTMR0" */
    vs_span value;    /* of the quote */
} eventlog_register;
/* VS_E_MISMATCH unless the replay gives every one of these registers and they cover the log: an
 * event that extends none of them, for want of a digest of this algorithm or by its index, would be
 * the guest's bare word. Exempt are EV_NO_ACTION and index 0, which is measured before there are
 * registers (MRTD): policies see the index. */
VS_MUST vs_code eventlog_match(const eventlog *log, vs_hash hash, const eventlog_register *regs,
                               size_t n, vs_error *err);

/* `uefi_event_logs` as policies see it (9.2 to 9.4). An event that cannot be shown so, because its
 * data is malformed or its digest is of another kind than SHA-2 and SM3, is an error that names
 * it. */
VS_MUST vs_code eventlog_value(vs_arena *a, const eventlog *log, vs_val *out, vs_error *err);

/* ---- parts, for the above and for tests ------------------------------------------------------ */

/* Member `details` of one event. */
VS_MUST vs_code eventlog_details(vs_arena *a, const eventlog_event *e, vs_val *out, vs_error *err);
/* Texts of the nodes of a UEFI device path (UEFI 2.10 section 10), an array of strings. */
VS_MUST vs_code eventlog_device_paths(vs_arena *a, vs_span nodes, vs_val *out, vs_error *err);
/* UTF-16LE to UTF-8; what is not valid becomes U+FFFD, an odd last byte is dropped. */
vs_span eventlog_utf16(vs_arena *a, vs_span utf16);
/* UTF-8 with each invalid sequence replaced by U+FFFD. */
vs_span eventlog_utf8(vs_arena *a, vs_span bytes);

/* True when it starts as an event log does: for tools that find out what a file is. */
bool eventlog_looks_like(vs_span in);

#endif
