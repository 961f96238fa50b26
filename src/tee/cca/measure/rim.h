/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Realm measurements as the RMM computes them: the Realm Initial Measurement (RIM), one call per
 * RMI command (cca.md 8.1 to 8.3), and the Realm Extensible Measurements (REM, 8.5).
 *
 * Pure functions of their arguments; no allocation, no files. A cca_rim belongs to one thread at a
 * time. On error the measurement is as it was before the call.
 */
#ifndef VS_TEE_CCA_MEASURE_RIM_H
#define VS_TEE_CCA_MEASURE_RIM_H

#include "crypto/crypto.h"

enum { CCA_GRANULE = 4096, CCA_REC_GPRS = 8, CCA_REM_DATA_MAX = 64 };

/* The generation decides whether RIPAS is measured (1.x only) and whether SHA-384 is there (2.0).
 */
typedef enum cca_rmm { CCA_RMM_1_0, CCA_RMM_1_1, CCA_RMM_2_0 } cca_rmm;

/* "1.0", "1.1", "2.0" */
const char *cca_rmm_name(cca_rmm r);
/* False for other names. */
bool cca_rmm_of_name(vs_span name, cca_rmm *out);

/* Bits of RmiRealmParams.flags0. Those from DA on came with RMM 1.1. */
enum {
    CCA_REALM_LPA2 = 1 << 0,
    CCA_REALM_SVE = 1 << 1,
    CCA_REALM_PMU = 1 << 2,
    CCA_REALM_DA = 1 << 3,
    CCA_REALM_MEC_POLICY = 3 << 7,
};

/* What RMI_REALM_CREATE measures of its parameters, in the RMM's own numbers. */
typedef struct cca_realm_params {
    cca_rmm rmm;
    vs_hash hash;         /* VS_SHA256, VS_SHA512; VS_SHA384 with RMM 2.0 */
    uint64_t flags;       /* CCA_REALM_... */
    uint8_t s2sz;         /* IPA width in bits, 20 to 52; above 48 with LPA2 only */
    uint8_t sve_vl;       /* vector bits / 128 - 1, 0 to 15; 0 without SVE */
    uint8_t num_bps;      /* breakpoints - 1, 1 to 63 */
    uint8_t num_wps;      /* watchpoints - 1, 1 to 63 */
    uint8_t pmu_num_ctrs; /* 0 to 31; 0 without PMU */
} cca_realm_params;

typedef struct cca_rim {
    cca_realm_params params;
    uint8_t value[VS_HASH_MAX]; /* vs_hash_size(params.hash) bytes, the rest zero */
} cca_rim;

typedef struct cca_rec {
    bool runnable; /* others are not measured: those of secondary CPUs */
    uint64_t pc, gprs[CCA_REC_GPRS];
} cca_rec;

static inline vs_span cca_rim_span(const cca_rim *r)
{
    return vs_span_of(r->value, vs_hash_size(r->params.hash));
}

/* RMI_REALM_CREATE: checks the parameters (VS_E_INVALID with the one that is wrong) and begins. */
VS_MUST vs_code cca_rim_create(cca_rim *r, const cca_realm_params *p, vs_error *err);

/* RMI_RTT_INIT_RIPAS of one translation table entry; both ends on granules, base < top. With
 * RMM 2.0 it leaves the measurement alone. */
VS_MUST vs_code cca_rim_ripas(cca_rim *r, uint64_t base, uint64_t top, vs_error *err);
/* The size of the entry that a host with the largest possible blocks, and start level tables
 * concatenated where they can be, has at `base` of a range that ends at `top` (8.3). */
uint64_t cca_ripas_block(uint8_t s2sz, uint64_t base, uint64_t top);

/* RMI_DATA_CREATE of one granule. NULL: its content is not measured, its place is. */
VS_MUST vs_code cca_rim_data(cca_rim *r, uint64_t ipa, const uint8_t *granule, vs_error *err);

/* RMI_REC_CREATE. The MPIDR is not measured. */
VS_MUST vs_code cca_rim_rec(cca_rim *r, const cca_rec *rec, vs_error *err);

/* RSI_MEASUREMENT_EXTEND as TF-RMM does it: H(old || data), 0 to 64 bytes of data, not padded.
 * `rem` holds vs_hash_size(hash) bytes; a new realm's are zero. */
VS_MUST vs_code cca_rem_extend(vs_hash hash, uint8_t rem[VS_HASH_MAX], vs_span data, vs_error *err);

#endif
