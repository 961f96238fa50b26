/* SPDX-License-Identifier: Apache-2.0 */
/* What comids.c plans with: the items to be put, and what is kept of CoMIDs and names, as it is
 * read and written. Names and values live on the planner's arena. */
#ifndef VS_RVPS_PLAN_H
#define VS_RVPS_PLAN_H

#include "rvps/comids.h"

/* What becomes of a CoMID of the message. */
typedef enum plan_fate {
    PLAN_NEW,   /* what it says is put */
    PLAN_CLAIM, /* an earlier release has it, the same: it gets its holder, and no value changes */
    PLAN_KNOWN, /* it was taken in before, the same: nothing changes */
} plan_fate;

/* While one message is put. */
typedef struct planner {
    vs_store *store;
    rvps_records *recs;
    const rvps_origin *o;
    vs_arena *a;
    vs_store_item *items;
    size_t n, room;
    plan_fate *fates;            /* of each CoMID of the message */
    size_t n_of[PLAN_KNOWN + 1]; /* so many CoMIDs have this fate */
    vs_val dropped;              /* set of names that the known CoMIDs had */
    size_t n_passed;             /* names that are somebody else's, and stay so */
    const char *first_passed;    /* whose that is */
} planner;

VS_MUST vs_code plan_add(planner *p, vs_store_item item, vs_error *err);
/* The value as it is stored now, or p == NULL. */
VS_MUST vs_code plan_read(planner *p, const char *ns, vs_span key, vs_span *out, vs_error *err);
/* `old` as plan_read gave it. */
vs_store_item plan_swap(const char *ns, vs_span key, vs_span old, vs_span value);

VS_MUST vs_code plan_read_holder(vs_val v, rvps_holder *out, vs_error *err);
void plan_write_holder(vs_obj *o, const rvps_holder *h);

/* Of what is known of a CoMID: the SHA-256 of its ids, in hex. */
VS_MUST vs_code plan_comid_key(planner *p, const rvps_comid *m, vs_span *out, vs_error *err);

#define COMID_FMT    "CoMID %.*s of CoRIM %.*s"
#define COMID_ARG(m) VS_FMT(vs_span_head((m)->tag, 80)), VS_FMT(vs_span_head((m)->corim, 80))

#define WITHDRAWN "withdrawn" /* something that this version says was deleted */

/* What is known of a CoMID; points into what was read. */
typedef struct known {
    int64_t version;
    bool trusted, withdrawn;
    vs_span sha256;
    vs_val names;
    rvps_holder holder;
} known;

VS_MUST vs_code plan_read_known(planner *p, vs_span text, known *out, vs_error *err);

/* Marked as theirs what strangers say; the marks of others are not there. */
#define VOUCHED "vouched"

/* By its mark. */
bool plan_is_vouched(vs_val entry);
/* Without one by what is known of its CoMID, since the entry may be of an earlier release. */
VS_MUST vs_code plan_who_vouches(planner *p, vs_span name, vs_val entry, bool *vouched,
                                 vs_error *err);

/* That all of a CoMID's content has been stored, which is put last: with stores that put one value
 * after the other the CoMID itself may be known before its values are. */
VS_MUST vs_code plan_is_whole(planner *p, const rvps_comid *m, bool *out, vs_error *err);
VS_MUST vs_code plan_add_whole(planner *p, const rvps_comid *m, vs_error *err);

/* Who has given a name, as it is stored. */
typedef struct givers {
    vs_span key, old; /* old: as plan_read gives it */
    vs_val list;      /* an array, empty where nobody is known */
    rvps_holder holder;
} givers;

VS_MUST vs_code plan_read_givers(planner *p, vs_span name, givers *out, vs_error *err);
VS_MUST vs_code plan_write_givers(planner *p, vs_span name, const givers *g, vs_val list,
                                  const rvps_holder *holder, vs_error *err);

#endif
