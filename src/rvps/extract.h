/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extractors: from the payload of a message to records (attestation-service.md 8.2). A new one is a
 * function and a line in the table of extract.c.
 */
#ifndef VS_RVPS_EXTRACT_H
#define VS_RVPS_EXTRACT_H

#include "rvps/anchors.h"
#include "value/value.h"

/* What becomes of values that one message gives for the same name. */
typedef enum rvps_merge {
    RVPS_MERGE_NONE, /* cannot happen: names are the members of an object */
    RVPS_MERGE_LIST, /* arrays, put together without repetitions */
    RVPS_MERGE_ONE,  /* a scalar; an array where there are several different ones */
    RVPS_MERGE_MAX,  /* integers: the highest, as {"min_svn": n} */
    /* Arrays of objects, put together as lists; and they join what other CoMIDs have under the name
     * in the store (comids.h). */
    RVPS_MERGE_ENTRIES,
} rvps_merge;

typedef struct rvps_record {
    vs_span name;
    vs_val value;
    rvps_merge merge;
    bool left; /* it stays as it is stored (comids.h) */
} rvps_record;

/* A CoMID that the records are of. */
typedef struct rvps_comid {
    vs_span corim, tag; /* ids, as text */
    int64_t version;
    vs_span sha256; /* of its encoding, hex */
    bool strict;    /* a version has one content, signed or not */
} rvps_comid;

/* That a CoMID says something under a name, of a record that is not made of entries. */
typedef struct rvps_mention {
    vs_span name;
    size_t comid;
} rvps_mention;

typedef struct rvps_records {
    vs_arena *a; /* what the records point to lives here */
    rvps_record *items;
    size_t n, room;
    const rvps_comid *comids;
    size_t n_comids;
    const rvps_mention *mentions; /* sorted, none twice */
    size_t n_mentions;
    /* Of a profile of Arm CCA, whose names are rvps/cca.h's: names by measurement are a by-product,
     * and the same for the platforms of all makers. */
    bool of_cca;
    rvps_signature signature; /* .trusted: an anchor vouches for the message */
    vs_span signer_name;      /* as the signer says; p == NULL: none */
    corim_validity validity;  /* as the message says */
    vs_val source;            /* for the record's provenance; undefined: nothing known */
} rvps_records;

typedef struct rvps_context {
    const rvps_anchors *anchors; /* NULL: no signature can be trusted */
    bool require_signed;
    int64_t now;
} rvps_context;

/* On failure of the arena nothing is added; check it at the end. */
void rvps_add_record(rvps_records *r, vs_span name, vs_val value, rvps_merge merge);
/* Brings records of one name together, in the order of their first appearance within a value;
 * records get sorted by name. */
VS_MUST vs_code rvps_merge_records(rvps_records *r, vs_error *err);

typedef struct rvps_extractor {
    const char *type;
    bool is_sample;    /* for demonstrations: any value under any name */
    bool never_signed; /* this form cannot carry a signature that we verify */
    /* `payload`: decoded from base64. Validity in `out` is unbounded and is to be narrowed. */
    vs_code (*extract)(const rvps_context *x, vs_span payload, rvps_records *out, vs_error *err);
} rvps_extractor;

/* NULL when the type is not known. */
const rvps_extractor *rvps_extractor_of(vs_span type);

vs_code rvps_extract_swid(const rvps_context *x, vs_span payload, rvps_records *out, vs_error *err);
vs_code rvps_extract_corim(const rvps_context *x, vs_span payload, rvps_records *out,
                           vs_error *err);

#endif
