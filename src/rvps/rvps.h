/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reference value provider (attestation-service.md 8): takes in, checks, keeps and hands out
 * reference values. Thread safe.
 */
#ifndef VS_RVPS_RVPS_H
#define VS_RVPS_RVPS_H

#include "rvps/anchors.h"
#include "store/store.h"
#include "value/value.h"

typedef struct rvps rvps;

typedef struct rvps_options {
    bool refuse_sample; /* messages of type "sample" are refused: any value under any name */
    /* Only messages are taken whose signature an anchor vouches for: signed CoRIMs. Without anchors
     * none at all. */
    bool require_signed;
    /* Attestation keys (cca.h) are taken from anybody, not only from who is vouched for. */
    bool accept_unsigned_keys;
    /* With anchors a signed CoRIM must verify, always. Without (NULL), a signed one counts as
     * unsigned. Must outlive the rvps. */
    const rvps_anchors *anchors;
} rvps_options;

/* The store must outlive it. */
VS_MUST vs_code rvps_new(vs_store *store, const rvps_options *opts, rvps **out, vs_error *err);
void rvps_free(rvps **r);

/* Appends the message envelope (8.1) of a payload. */
VS_MUST vs_code rvps_message(vs_buf *out, const char *type, vs_span payload, vs_error *err);

/* One message envelope (8.1) as JSON text. All records of a message are checked before the first is
 * stored; values of the same name within a message are put together. A value lives for 12 calendar
 * months from `now`, or shorter where the message says so. A CoMID's older version does not come
 * back (comids.h): VS_E_CONFLICT. `by`: who sent it, as far as anybody says so, for the record's
 * provenance; UTF-8 of at most 512 bytes, anything else = not known. */
VS_MUST vs_code rvps_register_by(rvps *r, vs_span message, vs_span by, int64_t now, vs_error *err);
/* The same from an administrator whom the caller has authenticated itself, by something better than
 * what the peer says of itself: he is as good as a signature where there is no require_signed. A
 * provider that is another process takes it as rvps_register_by. */
VS_MUST vs_code rvps_register_vouched(rvps *r, vs_span message, vs_span by, int64_t now,
                                      vs_error *err);
/* The same from nobody in particular. */
VS_MUST vs_code rvps_register(rvps *r, vs_span message, int64_t now, vs_error *err);
/* The value of a record; undefined (and VS_OK) when there is none, or it has expired or is not
 * valid yet at `now`. */
VS_MUST vs_code rvps_query(rvps *r, vs_span id, int64_t now, vs_arena *a, vs_val *out,
                           vs_error *err);

/* For several queries about one thing: a count of changes to ask for before the first of them, and
 * the same query, which need not read again what was read at that count. 0: the provider cannot
 * tell, and each query reads. */
uint64_t rvps_changes(rvps *r);
VS_MUST vs_code rvps_query_as_of(rvps *r, uint64_t changes, vs_span id, int64_t now, vs_arena *a,
                                 vs_val *out, vs_error *err);

/* ---- for administrators ---------------------------------------------------------------------- */

typedef struct rvps_entry {
    vs_span name;
    vs_val value;
    int64_t expires;
    int64_t not_before; /* INT64_MIN: none */
    bool valid;         /* at the time asked for: what rvps_query would hand out */
    /* {"by", "payload_sha256", "registered", "signer", "source", "type"}, see docs/guide.md;
     * undefined for records that another implementation has stored. */
    vs_val provenance;
} rvps_entry;

/* The whole record, also when it is not valid now. VS_E_NOT_FOUND when there is none. */
VS_MUST vs_code rvps_get(rvps *r, vs_span id, int64_t now, vs_arena *a, rvps_entry *out,
                         vs_error *err);

enum { RVPS_PAGE_MAX = 1000 };

typedef struct rvps_page {
    const vs_span *names;
    size_t n;
    bool more; /* the next page starts after the last of these */
} rvps_page;

/* Names that start with `prefix` (empty: all) and come after `after` (empty: from the start), at
 * most `limit` of them, 1 to RVPS_PAGE_MAX; in the store's order, which is bytewise but for names
 * of the form rvps:///... . */
VS_MUST vs_code rvps_list(rvps *r, vs_span prefix, vs_span after, size_t limit, vs_arena *a,
                          rvps_page *out, vs_error *err);

/* VS_E_NOT_FOUND when there was none. `by` as above, for the log. */
VS_MUST vs_code rvps_delete(rvps *r, vs_span id, vs_span by, vs_error *err);

#endif
