/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attestation report of AMD SEV-SNP (AMD 56860 table 23; tees.md 1.1 and 1.2): its 1184 bytes,
 * and the JSON object that guests send in place of them.
 *
 * Nothing here is proven; the signature is checked by verify.c.
 */
#ifndef VS_TEE_SNP_REPORT_H
#define VS_TEE_SNP_REPORT_H

#include "tee/evidence.h"

enum { SNP_REPORT_SIZE = 1184, SNP_SIGNED_SIZE = 0x2a0, SNP_SCALAR = 48 };

typedef enum snp_generation { SNP_MILAN, SNP_GENOA, SNP_TURIN } snp_generation;
enum { SNP_GENERATIONS = SNP_TURIN + 1 };
/* "Milan", "Genoa", "Turin": as in product names and at AMD's key distribution service. */
const char *snp_generation_name(snp_generation g);

typedef enum snp_signer { SNP_BY_VCEK = 0, SNP_BY_VLEK = 1 } snp_signer;

typedef struct snp_tcb { /* security patch levels */
    uint8_t fmc;         /* Turin; 0 before */
    uint8_t bootloader, tee, snp, microcode;
} snp_tcb;

enum { /* bits of the guest policy */
       SNP_POLICY_SMT = 1 << 16,
       SNP_POLICY_ALWAYS = 1 << 17, /* must be set */
       SNP_POLICY_MIGRATE_MA = 1 << 18,
       SNP_POLICY_DEBUG = 1 << 19,
       SNP_POLICY_SINGLE_SOCKET = 1 << 20,
       SNP_POLICY_KNOWN = (1 << 26) - 1,
       /* bits of the platform's information */
       SNP_PLATFORM_SMT = 1 << 0,
       SNP_PLATFORM_TSME = 1 << 1,
};

typedef struct snp_report {
    snp_generation generation;
    snp_signer signer;
    uint32_t version, vmpl;
    uint64_t policy, platform;
    snp_tcb reported; /* the one that the signing key is bound to */
    /* Views into the report. */
    vs_span report_data, measurement, host_data, chip_id; /* 64, 48, 32, 64 */
    vs_span signed_part;
    uint8_t signature[2 * SNP_SCALAR]; /* r||s, big endian */
} snp_report;

/* Reads the bytes, which must outlive *out. Refused: versions other than 3 to 5 (older ones do not
 * tell the processor), processors without known roots, reserved bits and bytes that are set, a
 * policy with bits that this program does not know, a masked chip key (there is no signature), a
 * signature algorithm other than ECDSA P-384. VS_E_PARSE for the wrong size, VS_E_UNSUPPORTED,
 * VS_E_INVALID. */
VS_MUST vs_code snp_report_parse(vs_span bytes, snp_report *out, vs_error *err);

/* The bytes of the JSON form, which has no place for reserved ones: those become zero. Unknown
 * members are passed over, as by Trustee. */
VS_MUST vs_code snp_report_encode(vs_arena *a, vs_val json, uint8_t out[SNP_REPORT_SIZE],
                                  vs_error *err);

/* The other way round: the report as a JSON object. PARSE for the wrong size; UNSUPPORTED where
 * bytes are set that this form has no place for, since nobody could check such a report's
 * signature. */
VS_MUST vs_code snp_report_write(vs_buf *json, vs_span report, vs_error *err);

#endif
