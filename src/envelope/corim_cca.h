/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a CoRIM of an Arm CCA profile endorses (cca.md 6.2): platforms' software and configuration,
 * their attestation keys (CPAK), and realms' measurements.
 *
 * Today's profiles, tag:arm.com,2025:cca_platform#1.0.0 and tag:arm.com,2025:cca_realm#1.0.0, and
 * the older http://arm.com/cca/ssd/1 and http://arm.com/cca/realm/1 give the same structures. Spans
 * point into the manifest; p == NULL: not given.
 */
#ifndef VS_ENVELOPE_CORIM_CCA_H
#define VS_ENVELOPE_CORIM_CCA_H

#include "base/arena.h"

enum { CORIM_CCA_REMS = 4 };

typedef struct corim_cca_component {
    const vs_span
        *values; /* any one of these measurements, each 32, 48 or 64 bytes; at least one */
    size_t n;
    vs_span signer;        /* 32, 48 or 64 bytes */
    vs_span type, version; /* text */
} corim_cca_component;

typedef struct corim_cca_platform { /* one triple */
    size_t comid;                   /* index into the CoRIM's */
    vs_span implementation;         /* 32 bytes */
    const corim_cca_component *components;
    size_t n;             /* at least one; of the older profile perhaps none, but a configuration */
    vs_span config, mask; /* of equal length; without a mask (older profile) all bits count */
} corim_cca_platform;

typedef struct corim_cca_key { /* one key triple */
    size_t comid;
    vs_span implementation, instance; /* 32 bytes; 33 bytes, the first 0x01 */
    vs_span key; /* PEM text or base64 of a SubjectPublicKeyInfo: not checked */
} corim_cca_key;

typedef struct corim_cca_realm { /* one triple */
    size_t comid;
    vs_span rim, rem[CORIM_CCA_REMS]; /* 32, 48 or 64 bytes each */
    vs_span rpv;
} corim_cca_realm;

typedef enum corim_cca_kind {
    CORIM_CCA_NONE, /* the manifest is of another profile, or of none */
    CORIM_CCA_PLATFORM,
    CORIM_CCA_REALM
} corim_cca_kind;

typedef struct corim_cca {
    corim_cca_kind kind;
    const corim_cca_platform *platforms;
    const corim_cca_key *keys;
    const corim_cca_realm *realms;
    size_t n_platforms, n_keys, n_realms;
} corim_cca;

#endif
