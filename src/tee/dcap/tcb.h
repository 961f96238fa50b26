/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intel's statements about firmware: TCB info and QE identity (tees.md 2.4), read into tables, and
 * what they say about a platform (2.5). Whether they are Intel's, collateral.h checks.
 */
#ifndef VS_TEE_DCAP_TCB_H
#define VS_TEE_DCAP_TCB_H

#include "tee/dcap/pck.h"
#include "tee/dcap/quote.h"

typedef enum dcap_status {
    DCAP_UP_TO_DATE,
    DCAP_SW_HARDENING,
    DCAP_CONFIGURATION,
    DCAP_CONFIGURATION_SW_HARDENING,
    DCAP_OUT_OF_DATE,
    DCAP_OUT_OF_DATE_CONFIGURATION,
    DCAP_RELAUNCH_ADVISED,
    DCAP_RELAUNCH_ADVISED_CONFIGURATION,
    DCAP_REVOKED,
} dcap_status;
const char *dcap_status_name(dcap_status s); /* "UpToDate", ... */

typedef struct dcap_level {
    uint8_t sgx[16], tdx[16]; /* a platform's */
    uint16_t svn;             /* PCESVN of a platform, ISVSVN of an enclave or module */
    int64_t date;
    dcap_status status;
    vs_val advisories; /* array of strings */
} dcap_level;

typedef struct dcap_levels { /* the highest first */
    const dcap_level *items;
    size_t n;
} dcap_levels;

typedef struct dcap_module { /* a TDX module */
    uint8_t major;
    vs_span mrsigner, attributes, attributes_mask; /* 48, 8, 8 */
    dcap_levels levels;
} dcap_module;

enum { DCAP_MODULES_MAX = 32, DCAP_LEVELS_MAX = 256 };

typedef struct dcap_tcb_info { /* of id "TDX", version 3 */
    int64_t issued, next;
    uint8_t fmspc[6], pceid[2];
    uint64_t evaluation;
    dcap_module module; /* of modules with major version 0; has no levels of its own */
    dcap_module modules[DCAP_MODULES_MAX];
    size_t n_modules;
    dcap_levels levels;
} dcap_tcb_info;

typedef struct dcap_qe_identity { /* of id "TD_QE", version 2 */
    int64_t issued, next;
    uint64_t evaluation;
    vs_span miscselect, miscselect_mask, attributes, attributes_mask, mrsigner; /* 4 4 16 16 32 */
    uint16_t isvprodid;
    dcap_levels levels;
} dcap_qe_identity;

/* The value of "tcbInfo" or "enclaveIdentity". What is said lives on the arena. */
VS_MUST vs_code dcap_tcb_info_read(vs_arena *a, vs_val json, dcap_tcb_info *out, vs_error *err);
VS_MUST vs_code dcap_qe_identity_read(vs_arena *a, vs_val json, dcap_qe_identity *out,
                                      vs_error *err);

/* VS_E_MISMATCH unless the quoting enclave is the identified one. */
VS_MUST vs_code dcap_check_qe(const dcap_qe_identity *id, const qe_report *qe, vs_error *err);
/* VS_E_MISMATCH unless the TDX module is one of Intel's and not debuggable. */
VS_MUST vs_code dcap_check_module(const dcap_tcb_info *info, const td_body *body, vs_error *err);

typedef struct dcap_verdict {
    dcap_status status;
    int64_t date;
    vs_val advisories; /* array */
} dcap_verdict;
/* *launch: when the TD was started; *current: as of now, other than *launch only for a TD 1.5 body.
 * launch->status is the final one. VS_E_UNTRUSTED when a level is not supported or revoked. */
VS_MUST vs_code dcap_evaluate(vs_arena *a, const dcap_tcb_info *info, const dcap_qe_identity *id,
                              const dcap_pck *pck, const dcap_quote *quote, dcap_verdict *launch,
                              dcap_verdict *current, vs_error *err);

#endif
