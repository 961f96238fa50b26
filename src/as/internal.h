/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the files of the attestation service, in the order of an evaluation:
 * initdata.c, evaluate.c (evidence -> policy input), appraise.c (policy input -> trust vector),
 * values.c (reference values for both), explain.c (why), ear_token.c (appraisals -> token),
 * signer.c.
 */
#ifndef VS_AS_INTERNAL_H
#define VS_AS_INTERNAL_H

#include "as/backend.h"
#include "as/policy.h"
#include "envelope/ear.h"
#include "value/json.h"

/* Key material that replicas share. */
#define AS_SECRET_NAMESPACE "kbs_secret"

enum {
    AS_TOKEN_MAX = 1024 * 1024,
    AS_RECORDS_MAX = 128, /* attesters in one token */
    AS_RECORD_VERSION = 1,
};

/* ---- signer.c ---------------------------------------------------------------------------------
 */

typedef struct as_signer {
    vs_key *key;
    vs_val jwk;      /* on the service's arena */
    vs_buf jwk_text; /* in wire order */
    vs_buf header;   /* of every token */
} as_signer;

VS_MUST vs_code as_signer_load(as_signer *s, const as_config *cfg, vs_store *store, int64_t now,
                               vs_arena *a, vs_error *err);
void as_signer_free(as_signer *s);

/* ---- service.c --------------------------------------------------------------------------------
 */

typedef struct as_local {
    as_service service; /* of as_local_ops */
    as_config cfg;      /* defaults filled in */
    vs_store *store;
    rvps *rv;
    const vs_tee_trust *trust;
    as_policies *policies;
    as_signer signer;
    vs_arena arena; /* written by as_new only */
} as_local;

/* Whether it is an as_local. */
bool as_service_is_local(const as_service *service);
extern const rego_host_decl as_policy_hosts[1]; /* query_reference_value */

/* ---- evaluate.c -------------------------------------------------------------------------------
 */

VS_MUST vs_code as_local_evaluate(as_service *service, const as_request *reqs, size_t n,
                                  vs_span policy_id, int64_t now, vs_arena *a, as_result *out,
                                  vs_error *err);

/* ---- initdata.c -------------------------------------------------------------------------------
 */

/* Init data as a driver and a policy see it (3.2): the expected digest (p == NULL: none) and the
 * claims (null for a bare digest and without init data). */
VS_MUST vs_code as_init_data(const as_request *req, vs_arena *a, vs_span *digest, vs_val *claims,
                             vs_error *err);

/* ---- values.c ---------------------------------------------------------------------------------
 */

typedef struct as_values {
    rvps *rv;
    int64_t now;
    uint64_t changes; /* rvps_changes, asked for with the first query; 0: not yet */
    bool verifier;    /* the driver asks, not the policy */
    vs_vec asked;     /* {"id","found","value"?} of each that the policy asks for,
                       * {"id","found","by","sha256"?} of the driver's; its arena outlives the asking */
    bool all_kept;
} as_values;

/* Beside an id: who asked for it; without it the policy did. */
#define AS_ASKED_BY "by"
#define AS_VERIFIER "verifier"

/* Undefined (and VS_OK) when there is no such value now. */
VS_MUST vs_code as_values_find(as_values *q, vs_span id, vs_arena *a, vs_val *out, vs_error *err);
/* The same as vs_tee_endorsements.find; user is an as_values. */
VS_MUST vs_code as_find_endorsement(void *user, vs_span name, vs_arena *a, vs_val *out,
                                    vs_error *err);
/* Those of a list that the driver asked for. */
vs_val as_asked_by_verifier(vs_val asked, vs_arena *a);

/* ---- appraise.c -------------------------------------------------------------------------------
 */

typedef struct as_extension {
    vs_span name;
    int64_t key;
    vs_val value;
} as_extension;

/* One attester: what the verifier proved, and what policy says to it. */
typedef struct as_appraisal {
    const char *tee_class;
    const char *submod;  /* "cpu0" */
    vs_val input;        /* the policy's input, and the token's annotated evidence (4.2)... */
    vs_span policy_only; /* ...but for the member that this JSON pointer leads to; empty: none */
    vs_val evidence;     /* what is left of it: as_token_evidence */
    uint64_t seed;       /* of the evaluation */
    vs_val consulted;    /* array: what the verifier asked of the reference value provider, */
    uint64_t changes;    /* and its count of changes then; 0: not asked */
    vs_val notes;        /* the verifier's, vs_tee_result; undefined: none */
    /* From here on filled in by as_appraise. */
    const char *policy, *policy_sha256; /* id with the class, digest of its text */
    ear_vector vector;
    ear_tier status;
    as_extension *extensions; /* sorted by name; a null value is left out of the token */
    size_t n_extensions;
    vs_val reasons;          /* array of text */
    vs_val reference_values; /* array as as_values.asked: what verifier and policy asked for */
    bool all_values_kept;
} as_appraisal;

VS_MUST vs_code as_appraise(as_local *as, vs_span policy_id, int64_t now, as_appraisal *ap,
                            vs_arena *a, vs_error *err);

/* ---- explain.c --------------------------------------------------------------------------------
 */

/* Sentences that say why claims of `ap->vector` warn or contraindicate, from the evaluation that
 * `e` has just made. */
vs_val as_explain(rego_eval *e, const as_appraisal *ap, vs_arena *a);

/* ---- ear_token.c ------------------------------------------------------------------------------
 */

/* Sets ap->evidence. */
VS_MUST vs_code as_token_evidence(as_appraisal *ap, vs_arena *a, vs_error *err);
/* The token's payload for all appraisals (5), which are sorted by name here. */
VS_MUST vs_code as_ear_claims(const as_config *cfg, as_appraisal *aps, size_t n, vs_span policy_id,
                              int64_t iat, int64_t exp, vs_buf *claims, vs_error *err);
/* Parts of it: the claims that are set, as an object; the member "ear.verifier-id". */
void as_write_vector(vs_jw *w, const ear_vector *v);
void as_write_verifier_id(vs_jw *w, const as_config *cfg);
/* Signs it. `token` lives on the arena. */
VS_MUST vs_code as_ear_sign(const as_local *as, vs_span claims, vs_arena *a, vs_span *token,
                            vs_error *err);

/* ---- record.c ---------------------------------------------------------------------------------
 */

/* as_result.explanation. */
vs_val as_explanation(const as_appraisal *aps, size_t n, vs_arena *a);
/* What as_result_record makes the record of; all on the evaluation's arena. */
typedef struct as_evaluated {
    const as_local *as;
    const as_appraisal *aps;
    size_t n;
    vs_span policy_id, payload; /* payload: of the token */
    int64_t now, expires;
} as_evaluated;
/* evaluate.c */
ear_tier as_worst(const as_appraisal *aps, size_t n);

#endif
