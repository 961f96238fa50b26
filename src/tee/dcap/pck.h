/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a PCK certificate says about its platform: Intel's SGX extension, 1.2.840.113741.1.13.1
 * (tees.md 2.3).
 */
#ifndef VS_TEE_DCAP_PCK_H
#define VS_TEE_DCAP_PCK_H

#include "crypto/crypto.h"

typedef enum dcap_sgx_type {
    DCAP_STANDARD = 0,
    DCAP_SCALABLE = 1,
    DCAP_SCALABLE_INTEGRITY = 2
} dcap_sgx_type;

typedef struct dcap_pck {
    uint8_t ppid[16], comp[16], cpusvn[16], pceid[2], fmspc[6];
    uint16_t pcesvn;
    dcap_sgx_type type;
    bool platform; /* of a platform CA: the rest is there */
    uint8_t instance[16];
    bool dynamic, cached_keys, smt;
} dcap_pck;

/* Of certificate 0. Members may stand in any order, each once. VS_E_NOT_FOUND without the
 * extension; PARSE, INVALID. */
VS_MUST vs_code dcap_pck_read(const vs_certs *c, dcap_pck *out, vs_error *err);

#endif
