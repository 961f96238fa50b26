/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quotes of a TPM 2.0 (TPM 2.0 Library part 2, TPMS_ATTEST and TPMT_SIGNATURE; tees.md 3.2), for
 * plain TPMs and for the virtual ones of Azure.
 *
 * A quote signs one digest over the registers that it names; the values come beside it. Which
 * register a value belongs to follows from the selection only, so it is checked to be exactly the
 * SHA-256 bank, registers 0 to 23: with any other, a guest could pass off a register that it may
 * reset for one that it may not.
 */
#ifndef VS_TEE_TPM_QUOTE_H
#define VS_TEE_TPM_QUOTE_H

#include "crypto/crypto.h"

enum {
    TPM_PCRS = 24,
    TPM_PCR_SIZE = 32,
    TPM_MESSAGE_MAX = 4096,
    TPM_SIGNATURE_MAX = 1024, /* of RSA-8192 */
};

typedef struct tpm_pcrs {
    uint8_t value[TPM_PCRS][TPM_PCR_SIZE];
} tpm_pcrs;

typedef struct tpm_quote {
    vs_span signer; /* name of the key, as the TPM has it */
    vs_span nonce;  /* qualifying data; a view into the message */
    uint64_t clock; /* milliseconds */
    uint32_t resets, restarts;
    bool clock_safe;
    uint64_t firmware;
    vs_span pcr_digest; /* SHA-256 */
} tpm_quote;

/* Reads a TPMS_ATTEST, all of it. Refused: another magic, anything but a quote, a selection other
 * than the one above, bytes left over. PARSE, INVALID, UNSUPPORTED. */
VS_MUST vs_code tpm_quote_parse(vs_span message, tpm_quote *out, vs_error *err);

/* The RSA signature inside a TPMT_SIGNATURE, which must be RSASSA with SHA-256 (others:
 * UNSUPPORTED). */
VS_MUST vs_code tpm_signature_parse(vs_span signature, vs_span *rsa, vs_error *err);

/* The quote is signed by `ak` (RSASSA PKCS#1 v1.5 with SHA-256) and these are the values of its
 * registers. *out is set only then. CRYPTO, MISMATCH, and as tpm_quote_parse. */
VS_MUST vs_code tpm_quote_verify(vs_span message, vs_span rsa_signature, const vs_key *ak,
                                 const tpm_pcrs *pcrs, tpm_quote *out, vs_error *err);

/* VS_E_MISMATCH unless PCR 8 was extended once, with this digest; nothing expected (p == NULL):
 * VS_OK. The digest must have the size of the register. */
VS_MUST vs_code tpm_check_init_data(const tpm_pcrs *pcrs, vs_span digest, vs_error *err);

/* ---- JSON ------------------------------------------------------------------------------------ */

/* "pcr00" to "pcr23", hexadecimal. */
void tpm_put_pcrs(vs_obj *claims, const tpm_pcrs *pcrs);
/* The value of PCR 8, where init data is. */
vs_val tpm_init_data_claim(vs_arena *a, const tpm_pcrs *pcrs);
/* Member `key`: 24 strings of hexadecimal. */
VS_MUST vs_code tpm_pcrs_of_hex(vs_val object, const char *key, vs_arena *a, tpm_pcrs *out,
                                vs_error *err);

#endif
