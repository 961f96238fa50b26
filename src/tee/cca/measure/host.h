/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host can give a realm: capabilities of the hardware, lowered by the hypervisor and by the
 * RMM (cca.md 8.4). They are measured, so they belong to a RIM's inputs.
 *
 * A file is TOML with these keys, the same that cca-realm-measurements reads; each may be missing:
 *
 *   ipa_bits = 52        # 20 to 52
 *   num_bps = 16         # breakpoints, 2 to 64
 *   num_wps = 16         # watchpoints, 2 to 64
 *   pmu_num_ctrs = 8     # PMU counters, 0 to 31
 *   sve_vl = 512         # SVE vector bits, a power of two from 128 to 2048; 0 = no SVE
 *   pmu = true
 *   lpa2 = true
 */
#ifndef VS_TEE_CCA_MEASURE_HOST_H
#define VS_TEE_CCA_MEASURE_HOST_H

#include "tee/cca/measure/rim.h"

enum { CCA_HOST_UNKNOWN = -1 };

/* CCA_HOST_UNKNOWN, or the value; flags are 0 or 1. */
typedef struct cca_host {
    int ipa_bits, num_bps, num_wps, pmu_num_ctrs, sve_vl, pmu, lpa2;
} cca_host;

#define CCA_HOST_NOTHING                                                                           \
    {                                                                                              \
        -1, -1, -1, -1, -1, -1, -1                                                                 \
    }

/* One that is built in: "fvp", "qemu-max-8.2", "kvm", "rmm-1.0-eac5". False for other names. */
bool cca_host_named(vs_span name, cca_host *out);
/* Their names, one after the other, for help and messages. */
extern const char cca_host_names[];

/* From an object of such keys; a key that is none of them, a wrong type or range: VS_E_INVALID. */
VS_MUST vs_code cca_host_read(vs_val object, cca_host *out, vs_error *err);
/* From the text of a file. */
VS_MUST vs_code cca_host_parse(vs_arena *a, vs_span toml, cca_host *out, vs_error *err);

/* One capability by its key, from the text of its value ("6", "true"). */
VS_MUST vs_code cca_host_set(cca_host *h, const char *key, vs_span text, vs_error *err);

/* Lowers each to what `by` can, where that is known: hardware, then hypervisor, then RMM. */
void cca_host_restrict(cca_host *h, const cca_host *by);

/* The parameters of a realm that takes all of it, except for rmm and hash, which stay: a missing
 * ipa_bits, num_bps or num_wps is VS_E_INVALID, the rest is off when it is not known. `more_flags`
 * are those that follow from no capability: one that does is VS_E_INVALID. */
VS_MUST vs_code cca_host_params(const cca_host *h, uint64_t more_flags, cca_realm_params *p,
                                vs_error *err);

#endif
