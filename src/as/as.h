/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attestation service: evidence in, EAR token out (attestation-service.md 1, 3, 4, 5, 6).
 * evaluate (evidence -> claims) -> appraise (claims x policy x reference values -> trust vector)
 * -> EAR (signed token). Thread safe.
 */
#ifndef VS_AS_AS_H
#define VS_AS_AS_H

#include "base/buf.h"
#include "crypto/crypto.h"
#include "rvps/rvps.h"
#include "store/store.h"
#include "tee/tee.h"

typedef struct as_service as_service;

typedef struct as_config { /* text must outlive the service; NULL = the default of section 7.1 */
    int64_t duration_min;  /* 0 = 5 */
    const char *issuer_name, *developer_name, *build_name, *profile_name;
    const char *signer_key_path;  /* NULL = a P-256 key made once and kept in the store, so that
                                   * tokens survive a restart and replicas share it */
    const char *signer_cert_path; /* PEM chain, leaf first */
    const char *signer_cert_url;
    bool terse_token; /* verbose_token = false */
} as_config;

/* Stores the default policies that are missing, loads or makes the signer key. The signer's
 * certificate must hold its key (start error otherwise). store, rv and trust must outlive it. */
VS_MUST vs_code as_new(const as_config *cfg, vs_store *store, rvps *rv, const vs_tee_trust *trust,
                       as_service **out, vs_error *err);
void as_free(as_service **as);

typedef enum as_data_kind { AS_DATA_NONE, AS_DATA_RAW, AS_DATA_STRUCTURED } as_data_kind;
typedef enum as_init_kind { AS_INIT_NONE, AS_INIT_DIGEST, AS_INIT_TOML } as_init_kind;

typedef struct as_request {
    vs_span tee;
    vs_val evidence;
    as_data_kind runtime_kind;
    vs_span runtime_raw;  /* RAW */
    vs_val runtime_json;  /* STRUCTURED: hashed over its RFC 8785 form */
    vs_hash runtime_hash; /* VS_HASH_NONE = sha384 */
    as_init_kind init_kind;
    vs_span init; /* DIGEST: bytes, TOML: text */
} as_request;

typedef struct as_result {
    vs_span token;   /* compact JWS */
    int64_t expires; /* its "exp" */
    /* Worst status over the submods: "none", "affirming", "warning", "contraindicated". */
    const char *status;
    /* For the operator: array, one object per submod {"submod","status","trust_vector",
     * "reasons":[text],"reference_values":[{"id","found","by"?,"sha256"?}]}: reasons name, from the
     * same evaluation, why a claim is not affirming; reference_values are those that the policy
     * asked for, and with "by":"verifier" the endorsements that the TEE's driver did. */
    vs_val explanation;
    /* What as_result_record needs: of a service that is another process what it has told. */
    vs_val told_record;
    const struct as_evaluated *evaluated;
} as_result;

/* All that evaluating it again needs (replay.h), on the arena of the evaluation, while the service
 * lives; undefined: it is not to be had. Made here, since not everybody keeps it. */
vs_val as_result_record(const as_result *r, vs_arena *a);

/* The reasons of an explanation in one line for a log: "cpu0: ... | gpu0: ...". */
void as_reasons(vs_val explanation, vs_buf *out);

/* All or nothing (1.3). `policy_id` e.g. "default". */
VS_MUST vs_code as_evaluate(as_service *as, const as_request *reqs, size_t n, vs_span policy_id,
                            int64_t now, vs_arena *a, as_result *out, vs_error *err);
/* Policy ids carry the class suffix ("default_cpu"). Full static check; VS_E_PARSE/INVALID with
 * file:row:col. Id: [A-Za-z0-9._-]{1,128}, not starting with '.'. For whoever reaches the service's
 * own port: the version's record names nobody. */
VS_MUST vs_code as_set_policy(as_service *as, vs_span id, vs_span rego_text, vs_error *err);

/* Administration, as the functions of versions.h. VS_E_UNSUPPORTED when the service is another
 * process whose interface has no such call (Trustee's). The policies that the service makes at its
 * start cannot be deleted (VS_E_DENIED). */
struct as_policy_state;
struct as_change;
VS_MUST vs_code as_list_policies(as_service *as, vs_arena *a, vs_val *out, vs_error *err);
VS_MUST vs_code as_read_policy(as_service *as, vs_span id, vs_arena *a, struct as_policy_state *out,
                               vs_error *err);
VS_MUST vs_code as_read_policy_version(as_service *as, vs_span id, uint32_t version, vs_arena *a,
                                       vs_span *text, vs_error *err);
VS_MUST vs_code as_policy_history(as_service *as, vs_span id, vs_arena *a, vs_val *out,
                                  vs_error *err);
VS_MUST vs_code as_change_policy(as_service *as, const struct as_change *c, vs_arena *a,
                                 struct as_policy_state *out, vs_error *err);
/* The text of a policy that the service once used, by its digest. VS_E_NOT_FOUND. */
VS_MUST vs_code as_policy_text(as_service *as, vs_span sha256, vs_arena *a, vs_span *text,
                               vs_error *err);
/* What the verifier of a TEE wants as the challenge's nonce; empty (and VS_OK) when any nonce will
 * do, which is so for all but IBM SE. `params` are the extra-params of the request. */
VS_MUST vs_code as_challenge(as_service *as, vs_span tee, vs_val params, vs_arena *a, vs_span *out,
                             vs_error *err);
/* Public JWK of the signer (object; with x5c, x5u when configured) and JWK Set text (6.3), of the
 * service in this process; undefined, VS_E_UNSUPPORTED when it is another one. */
vs_val as_signer_jwk(const as_service *as);
VS_MUST vs_code as_jwks(const as_service *as, vs_buf *json, vs_error *err);

#endif
