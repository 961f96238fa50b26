/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vocabulary of EAR tokens: AR4SI trustworthiness claims, their named values and tiers
 * (attestation-service.md 5.3; draft-ietf-rats-ar4si, draft-fv-rats-ear). Pure tables, thread safe.
 */
#ifndef VS_ENVELOPE_EAR_H
#define VS_ENVELOPE_EAR_H

#include "value/value.h"

/* The order is the order in tokens, and the number the key in CBOR. */
typedef enum ear_claim {
    EAR_INSTANCE_IDENTITY,
    EAR_CONFIGURATION,
    EAR_EXECUTABLES,
    EAR_FILE_SYSTEM,
    EAR_HARDWARE,
    EAR_RUNTIME_OPAQUE,
    EAR_STORAGE_OPAQUE,
    EAR_SOURCED_DATA,
} ear_claim;
enum { EAR_CLAIMS = 8 };

/* From best to worst for the purpose of a status: the highest one wins. */
typedef enum ear_tier { EAR_NONE, EAR_AFFIRMING, EAR_WARNING, EAR_CONTRAINDICATED } ear_tier;

/* A claim that is not set does not appear in a token; one that is 0 does. */
typedef struct ear_vector {
    bool set[EAR_CLAIMS];
    int8_t value[EAR_CLAIMS];
} ear_vector;

static inline void ear_set(ear_vector *v, ear_claim claim, int8_t value)
{
    v->set[claim] = true;
    v->value[claim] = value;
}

/* "instance-identity": the member of ear.trustworthiness-vector and of a policy's trust_claims. */
const char *ear_claim_name(ear_claim claim);
/* "Instance Identity": for people. */
const char *ear_claim_title(ear_claim claim);
/* False for any other name. */
bool ear_claim_of_name(vs_span name, ear_claim *claim);

/* "none", "affirming", "warning", "contraindicated". */
const char *ear_tier_name(ear_tier tier);
/* The tier of one claim's value. */
ear_tier ear_tier_of(int8_t value);
/* An "ear.status" member: the name, or the number 0, 2, 32, 96. False for anything else. */
bool ear_tier_of_status(vs_val status, ear_tier *tier);
/* The worst tier over the claims that are set; EAR_NONE when there are none. */
ear_tier ear_vector_status(const ear_vector *v);

/* "unrecognized_rt"; NULL when the value has no name for this claim. */
const char *ear_value_name(ear_claim claim, int8_t value);
/* "unrecognized run-time"; "unknown code-point" when the value has no meaning for this claim. */
const char *ear_value_text(ear_claim claim, int8_t value);

typedef enum ear_value_form {
    EAR_INTEGERS,          /* a policy's trust_claims (4.6) */
    EAR_INTEGERS_OR_NAMES, /* a received token: "approved_rt" is accepted for 2 */
} ear_value_form;

/* Reads an object of claims. VS_E_INVALID, naming the claim: not an object, empty, an unknown claim
 * name, a value that is not an integer, or one outside -128..127. Never wraps, never guesses. */
VS_MUST vs_code ear_vector_read(vs_val object, ear_value_form form, ear_vector *out, vs_error *err);

/* The claims that are set as an object on `a`: what ear_vector_read reads. */
vs_val ear_vector_value(const ear_vector *v, vs_arena *a);

#endif
