/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole CCA token, decoded but NOT verified: outer form (cca.md 1.1), both COSE_Sign1 (1.2), both
 * claims sets. Everything points into the input or the arena.
 */
#ifndef VS_TEE_CCA_TOKEN_H
#define VS_TEE_CCA_TOKEN_H

#include "envelope/cose.h"
#include "tee/cca/claims.h"

enum {
    CCA_TOKEN_MAX = 64 * 1024, /* bytes; real tokens have 1.1 to 2.6 kB */
    CCA_TAG_EAT = 399,         /* EAT collection: entries are byte strings */
    CCA_TAG_CMW = 907,         /* CMW collection: entries are [263, bytes] */
    CCA_CMW_CONTENT_FORMAT = 263,
    CCA_KEY_PLATFORM = 44234,
    CCA_KEY_REALM = 44241,
};

typedef struct cca_token {
    vs_span whole;
    unsigned tag;                        /* CCA_TAG_EAT or CCA_TAG_CMW */
    vs_span platform_bytes, realm_bytes; /* the encoded COSE_Sign1 messages */
    vs_cose_sign1 platform_cose, realm_cose;
    struct cca_known *known; /* the same platform token, verified before (known.h); NULL: not known.
                              * `platform` points into it then: it must outlive all that is made */
    cca_platform platform;
    cca_realm realm;
} cca_token;

/* VS_E_PARSE, VS_E_INVALID, VS_E_UNSUPPORTED (profile, algorithm), VS_E_LIMIT. */
VS_MUST vs_code cca_token_decode(vs_arena *a, vs_span in, cca_token *out, vs_error *err);
/* In two steps: all but the claims; and these, the platform's from out->known when it was set in
 * between. */
VS_MUST vs_code cca_token_open(vs_span in, cca_token *out, vs_error *err);
VS_MUST vs_code cca_token_claims(vs_arena *a, cca_token *t, vs_error *err);

#endif
