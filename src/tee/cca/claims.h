/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The claims of a CCA token: platform (cca.md 1.3 to 1.6) and realm (1.7 to 1.9).
 *
 * Decoding checks every type, size, range and presence rule of the token's profile; it proves
 * nothing. Spans point into the token. Claims that are not named here are ignored, as the profiles
 * demand (among them 2405 and 2406, the boot key lists of newer drafts); everything that is named
 * is checked and kept.
 */
#ifndef VS_TEE_CCA_CLAIMS_H
#define VS_TEE_CCA_CLAIMS_H

#include "crypto/crypto.h"

enum {
    CCA_CHALLENGE = 64, /* realm challenge and personalization value, bytes */
    CCA_IMPLEMENTATION_ID = 32,
    CCA_INSTANCE_ID = 33, /* an UEID of type RAND: the first byte is 1 */
    CCA_REMS = 4,
    CCA_COMPONENTS_MAX = 128,
    CCA_DEVICES_MAX = 128,
};

/* Generations of the profiles; as bits, since rules apply to sets of them. */
typedef enum cca_generation {
    CCA_LEGACY = 1, /* http://arm.com/CCA-SSD/1.0.0; realm tokens without a profile */
    CCA_V1 = 2,     /* ...#1.0.0 */
    CCA_V2 = 4,     /* ...#2.0.0 */
} cca_generation;

typedef struct cca_profile {
    const char *uri; /* NULL: the realm token says nothing */
    cca_generation generation;
} cca_profile;

/* Security lifecycle of the platform, bits 15..8 of claim 2395. */
typedef enum cca_lifecycle {
    CCA_LIFECYCLE_UNKNOWN,
    CCA_ASSEMBLY_AND_TEST,
    CCA_ROT_PROVISIONING,
    CCA_SECURED,
    CCA_NON_CCA_DEBUG,
    CCA_RECOVERABLE_DEBUG,
    CCA_DECOMMISSIONED,
} cca_lifecycle;

enum { CCA_LIFECYCLES = CCA_DECOMMISSIONED + 1 };

/* "secured", ... */
const char *cca_lifecycle_name(cca_lifecycle l);
/* False for other names. */
bool cca_lifecycle_of_name(vs_span name, cca_lifecycle *l);

/* Absent optional members have p == NULL. */
typedef struct cca_component {
    vs_span type;                  /* text */
    vs_span value;                 /* measurement: 32, 48 or 64 bytes */
    vs_span version;               /* text */
    vs_span signer_id;             /* 32, 48 or 64 bytes */
    vs_span hash;                  /* text, a hash name */
    int live_activation;           /* 2.0.0: 0 or 1; -1 = absent. References do not have it. */
    const vs_span *countersigners; /* 2.0.0: 32, 48 or 64 bytes each */
    size_t n_countersigners;
} cca_component;

/* An entry of the platform extension, claim 2404. Absent members have p == NULL, -1. */
typedef struct cca_device {
    vs_span hash, protocol;                /* text */
    vs_span measurement, certificate, vca; /* digests of 32, 48 or 64 bytes */
    int uses_ide;                          /* 0 or 1; -1 = absent */
} cca_device;

typedef struct cca_platform {
    const cca_profile *profile;
    vs_span challenge; /* hash of the RAK claim: 32, 48 or 64 bytes */
    vs_span implementation_id, instance_id, config;
    vs_span hash_name, service; /* text; service may be absent */
    vs_hash hash;               /* of hash_name */
    uint16_t lifecycle_value;
    cca_lifecycle lifecycle;
    const cca_component *components;
    size_t n_components;
    vs_span manufacturing_config; /* 2.0.0; may be absent */
    const cca_device *devices;    /* 2.0.0: claim 2404 */
    size_t n_devices;
} cca_platform;

typedef struct cca_realm {
    const cca_profile *profile;
    vs_span challenge, rpv;     /* 64 bytes each */
    vs_span rim, rem[CCA_REMS]; /* 32, 48 or 64 bytes each */
    vs_span hash_name;          /* of the measurements */
    vs_hash hash;
    vs_span rak; /* content of claim 44237 as received: this is what is bound */
    vs_span rak_hash_name;
    vs_hash rak_hash;
    vs_span instance_id;        /* 2.0.0 */
    int mec_policy, lfa_policy; /* 2.0.0: 0 or 1; -1 = absent */
    vs_span devices_hash;       /* 2.0.0; may be absent */
} cca_realm;

/* `claims` is the payload of the COSE_Sign1. VS_E_PARSE: not strict CBOR; VS_E_INVALID: breaks a
 * rule, the claim is named; VS_E_UNSUPPORTED: a profile this verifier does not know. */
VS_MUST vs_code cca_platform_decode(vs_arena *a, vs_span claims, cca_platform *out, vs_error *err);
VS_MUST vs_code cca_realm_decode(vs_span claims, cca_realm *out, vs_error *err);
/* The RAK in the encoding that the realm's profile demands (1.8): a raw P-384 point, or a COSE_Key
 * on P-256, P-384 or P-521. VS_E_INVALID otherwise, also when the point is not on the curve. */
VS_MUST vs_code cca_realm_key(const cca_realm *r, vs_key **out, vs_error *err);

#endif
