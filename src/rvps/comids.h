/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which version of which CoMID the values are from, and who vouches for it: an older one does not
 * come back, of a newer one nothing remains that only its predecessor had, and nobody but who gave
 * it replaces it.
 *
 * A CoMID is known by the ids of its CoRIM and of its tag. What is known of it is kept in namespace
 * RVPS_COMIDS, under the SHA-256 of both ("<bytes of the first>:<first><second>"), as {"corim",
 * "tag", "version", "sha256", "trusted", "names", "withdrawn"?, "anchor"?, "anchor_name"?,
 * "signer"?}; deleting reference values does not delete it, but marks it: a signed CoRIM is no
 * secret, so what was deleted must not come back with whoever sends the same one again. All CoMIDs
 * are marked that have ever given the name, whoever gave what stood there at last: entries say
 * whose they are, and for other records that is kept in the same namespace, under "name-" and the
 * SHA-256 of the name, as {"name", "comids": [{"corim", "tag"}, ...], "anchor"?, "anchor_name"?}.
 * Only those count that are vouched for; what strangers said, strangers may say again.
 *
 * The same version of a CoMID once more, signed and from anybody but an administrator, changes
 * nothing: neither values nor how long they live, whatever has been put in their place. "whole-"
 * and the name of a CoMID's record has the SHA-256 of the content that was stored to its end;
 * without it, after a crash, the same message is taken in as if it were the first time.
 *
 * "anchor" is who holds a CoMID or a name: a trust anchor's key (anchors.h), or RVPS_ADMINISTRATOR.
 * Who came first holds a name, whichever CoMID gives it, until an administrator deletes its value.
 * What versions before this one have stored has no holder: the next who is vouched for becomes it,
 * with the same content without changing a value.
 * Names that hold entries (rvps/cca.h) are read, changed and swapped: of two writers at once
 * neither is lost.
 */
#ifndef VS_RVPS_COMIDS_H
#define VS_RVPS_COMIDS_H

#include "rvps/extract.h"
#include "rvps/record.h"

#define RVPS_COMIDS RVPS_NAMESPACE "_history"

enum {
    /* Of those who are vouched for, under one name; strangers have bounds of their own
     * (strangers.h), which leave room for these in a record. */
    RVPS_ENTRIES_MAX = 1024,
    RVPS_GIVERS_MAX = 4096, /* CoMIDs that have given the name of one other record */
    RVPS_ENTRIES_BYTES = VS_STORE_VALUE_MAX - 1024 * 1024, /* of all of those, as JSON */
    /* What planning takes at most for who is vouched for: 1,000 names at once under each of which
     * strangers have put all they can. */
    RVPS_PLAN_MEMORY = 256 * 1024 * 1024,
};

/* The anchor of who has sent what nobody signed, and is vouched for. */
#define RVPS_ADMINISTRATOR "administrator"

typedef struct rvps_holder {
    vs_span anchor, name; /* p == NULL: nobody is known */
} rvps_holder;

/* What one message has in common for all its records. */
typedef struct rvps_origin {
    int64_t now, expires, not_before; /* not_before: INT64_MIN = none */
    vs_val provenance;
    bool trusted; /* an anchor or an administrator vouches for it */
    bool vouched; /* an administrator does */
    /* When trusted: who. Of a signed message its anchor, whoever brings it. */
    rvps_holder by;
    vs_span signer_name; /* p == NULL: none */
    unsigned may;        /* RVPS_MAY_ of it */
} rvps_origin;

/* *items, on the arena: all that is to be put at once, with the records that are no entries; none
 * when nothing changes. Marks the records that are left as they are stored. When
 * putting them gives VS_E_EXISTS or VS_E_CONFLICT, somebody was faster: ask again. VS_E_CONFLICT:
 * a CoMID is older than the one that is known, or differs from it under the same version.
 * VS_E_DENIED: it is not trusted, and the one that is known was; or somebody else holds the CoMID,
 * or a name that it gives. */
VS_MUST vs_code rvps_plan(vs_store *store, rvps_records *recs, const rvps_origin *o, vs_arena *a,
                          vs_store_item **items, size_t *n, vs_error *err);

/* *items, on the arena, to be put in their order before the record `name` is deleted; *n is 0 when
 * nobody is known to have given it. Putting them: as above. */
VS_MUST vs_code rvps_plan_withdrawal(vs_store *store, vs_span name, vs_arena *a,
                                     vs_store_item **items, size_t *n, vs_error *err);

/* Of a value made of entries those that are valid at `now`; undefined when there are none. */
vs_val rvps_valid_entries(vs_arena *a, vs_val value, int64_t now);

#endif
