/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report that Azure's paravisor (HCL) made when the virtual machine started (tees.md 4.2): the
 * hardware's report, and the data whose digest is in that report, JSON with the virtual TPM's
 * public attestation key.
 *
 * Nothing here is proven until the hardware's report is verified and its report data is found to
 * be the digest (hcl_check_binding).
 */
#ifndef VS_TEE_AZURE_HCL_H
#define VS_TEE_AZURE_HCL_H

#include "crypto/crypto.h"

enum {
    HCL_REPORT_MAX = 16 * 1024,
    HCL_HARDWARE_SIZE = 1184, /* an SNP report, or a TDREPORT of 1024 bytes and zeros */
    HCL_USER_DATA = 64,
};

typedef enum hcl_type { HCL_SNP = 2, HCL_TDX = 4 } hcl_type;

typedef struct hcl_report { /* spans are views into the report */
    vs_span hardware;
    vs_span variable_data; /* exactly what is hashed */
    vs_val json;           /* the same, read */
} hcl_report;

/* For a guest that looks whose report it has: NOT_FOUND when these bytes are no such report, or one
 * of a machine without confidential hardware; PARSE when they start like one and are cut. */
VS_MUST vs_code hcl_find_type(vs_span in, hcl_type *out, vs_error *err);

/* Reads all of the report. Refused: another signature, version (1 and 2 are known), type than the
 * wanted one, digest than SHA-256; sizes that do not agree; a status other than success; anything
 * but zeros behind the data. PARSE, INVALID, UNSUPPORTED. */
VS_MUST vs_code hcl_parse(vs_arena *a, vs_span in, hcl_type want, hcl_report *out, vs_error *err);

/* VS_E_MISMATCH unless the hardware's report data (64 bytes) is the SHA-256 digest of the variable
 * data and zeros. */
VS_MUST vs_code hcl_check_binding(const hcl_report *r, vs_span hardware_report_data, vs_error *err);

/* The RSA key "HCLAkPub". */
VS_MUST vs_code hcl_attestation_key(const hcl_report *r, vs_key **out, vs_error *err);
/* VS_E_MISMATCH unless "user-data" is the expected data and zeros. */
VS_MUST vs_code hcl_check_user_data(const hcl_report *r, vs_span expected, vs_arena *a,
                                    vs_error *err);

#endif
