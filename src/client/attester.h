/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Getting evidence from the TEE this program runs in (guest.md 1.2, 1.7 to 1.9; tees.md; cca.md 7):
 * tdx, snp and cca, whose reports come from configfs-tsm; az-tdx-vtpm and az-snp-vtpm, whose
 * paravisor reports through a TPM; tpm, and sample.
 *
 * An attester is not changed after its detection: any number of threads may use it at once.
 */
#ifndef VS_CLIENT_ATTESTER_H
#define VS_CLIENT_ATTESTER_H

#include "base/buf.h"
#include "crypto/crypto.h"

/* In the order in which they are looked for. */
#define ATTESTER_NAMES "tdx, snp, cca, az-tdx-vtpm, az-snp-vtpm, tpm, sample"

typedef struct attester attester;

/* Where things are. NULL = as the environment variable says, else where the kernel has them. */
typedef struct attester_config {
    const char *tsm_path;  /* VOUCHSAFE_TSM_PATH: a directory like configfs-tsm, or a Unix socket */
    const char *rtmr_path; /* VOUCHSAFE_RTMR_PATH: TDX, directory of the files rtmrN:sha384 */
    const char *ccel_path; /* VOUCHSAFE_CCEL_PATH: TDX, the firmware's event log */
    const char *aael_path; /* AAEL_PATH: the log of what was measured since (aa/eventlog.h) */
    const char *tpm_path;  /* AA_TPM_DEVICE: device or Unix socket; its attestation key has the
                            * handle AA_TPM_AK_HANDLE (hexadecimal), else 0x81010002 */
    const char *imds_url;  /* VOUCHSAFE_IMDS_URL: Azure, the metadata service, without '/' at its
                            * end; else http://169.254.169.254 */
    bool allow_sample;     /* without a TEE use the "sample" attester, which proves nothing */
    const char *tee;       /* this one and no other, of ATTESTER_NAMES; NULL = whichever is there */
    const char *sample_by; /* how this program's user allows that, for the error; NULL: not
                            * at all */
} attester_config;

/* The log of measurements at run time, when nothing says otherwise. */
#define ATTESTER_AAEL_PATH "/run/attestation-agent/eventlog"

/* Detects the TEE. VS_E_NOT_FOUND lists what was looked for, why nothing fits, and how to allow the
 * sample attester. A TEE that is there but cannot report is another error, never the sample. */
VS_MUST vs_code attester_detect(const attester_config *cfg, attester **out, vs_error *err);
void attester_free(attester **a);
const char *attester_tee(const attester *a); /* "cca", "sample" */
/* Evidence JSON bound to `report_data` (at most 64 bytes), e.g. {"token":[217,1,143,...]}. Where it
 * has the log of measurements, quote and log are of one moment: the log's file is locked (flock,
 * shared) meanwhile. */
VS_MUST vs_code attester_evidence(attester *a, vs_span report_data, vs_buf *json, vs_error *err);
/* That the TEE was started with init data of this digest, of 32, 48 or 64 bytes. MISMATCH: with
 * other, or none. UNSUPPORTED: this TEE does not tell. The digest is followed by zeros in the realm
 * personalization value of CCA and MRCONFIGID of TDX (48 bytes: longer ones are cut), and cut to
 * the 32 bytes of HOST_DATA of SNP. PCR 8 of a TPM is extended by it, unless it is already. */
VS_MUST vs_code attester_check_init_data(attester *a, vs_span digest, vs_error *err);

/* ---- measurement registers ------------------------------------------------------------------- */

/* Registers of a TEE that a guest may extend: new = H(old || digest). */
typedef struct attester_registers {
    vs_hash hash;
    const char *path; /* to the log of what was extended: lock it while extending */
    /* What a register given as the number of a PCR is called in event logs and below. */
    uint32_t (*index)(uint64_t pcr);
    /* `value` and `digest`: vs_hash_size(hash) bytes. */
    vs_code (*read)(void *user, uint32_t index, uint8_t *value, vs_error *err);
    vs_code (*extend)(void *user, uint32_t index, const uint8_t *digest, vs_error *err);
    /* What a register held before anything of that log. UNSUPPORTED: that is not known. */
    vs_code (*start)(void *user, uint32_t index, uint8_t *value, vs_error *err);
    void *user; /* valid as long as the attester */
} attester_registers;

/* UNSUPPORTED: the TEE has none, or the kernel does not offer them. */
VS_MUST vs_code attester_get_registers(attester *a, attester_registers *out, vs_error *err);

#endif
