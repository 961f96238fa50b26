/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few commands of a TPM 2.0 that attestation needs, as bytes (TPM 2.0 Library part 3): no
 * library of others has to be in a small guest for them. Authorisation is an empty password.
 *
 * `fd` is an open device, or a connected Unix socket that speaks the same (swtpm). One thread at a
 * time per descriptor; /dev/tpmrm0 may be opened any number of times.
 */
#ifndef VS_CLIENT_TPM_H
#define VS_CLIENT_TPM_H

#include "tee/tpm/quote.h"

enum {
    TPM_ANSWER_MAX = 4096,
    TPM_ANSWER_HEAD = 10,
    TPM_NO_SESSIONS = 0x8001,
    TPM_SESSIONS = 0x8002, /* the body's handles are followed by tpm_put_password */
    TPM_ALL_PCRS = 0xffffff,
    TPM_NV_STORE_MAX = 512, /* what one command may write */
};

/* NOT_FOUND: there is no such file. */
VS_MUST vs_code tpm_open(const char *path, int *fd, vs_error *err);
/* Sends a command and reads its answer, head (10 bytes) included; *rc is what the TPM says, 0 =
 * done. TIMEOUT: no answer within 120 s, or while this thread may wait (base/wait.h); the
 * descriptor is of no more use then. */
VS_MUST vs_code tpm_ask(int fd, unsigned tag, uint32_t command, vs_span body, vs_buf *answer,
                        uint32_t *rc, vs_error *err);
/* The same, where anything but 0 is an error (IO) with its code. */
VS_MUST vs_code tpm_transact(int fd, unsigned tag, uint32_t command, vs_span body, vs_buf *answer,
                             vs_error *err);
void tpm_put_be(vs_buf *out, uint64_t v, unsigned bytes);
void tpm_put_password(vs_buf *out);

/* The public part of an RSA key. UNSUPPORTED: another kind. */
VS_MUST vs_code tpm_read_key(int fd, uint32_t handle, vs_key **out, vs_error *err);
/* A quote (TPMS_ATTEST and TPMT_SIGNATURE: RSASSA with SHA-256) over these registers of the SHA-256
 * bank, bit i = PCR i. */
VS_MUST vs_code tpm_get_quote(int fd, uint32_t handle, vs_span nonce, uint32_t pcrs,
                              vs_buf *message, vs_buf *signature, vs_error *err);
VS_MUST vs_code tpm_read_pcrs(int fd, tpm_pcrs *out, vs_error *err);
VS_MUST vs_code tpm_extend(int fd, unsigned pcr, const uint8_t digest[TPM_PCR_SIZE], vs_error *err);

/* ---- non-volatile memory, with the owner's empty password -------------------------------------
 */

/* How many bytes an index holds. NOT_FOUND: it is not defined. */
VS_MUST vs_code tpm_nv_size(int fd, uint32_t index, size_t *size, vs_error *err);
/* The first n bytes of an index, appended. NOT_FOUND: it was never written, or is not for the owner
 * to read. */
VS_MUST vs_code tpm_nv_read(int fd, uint32_t index, size_t n, vs_buf *out, vs_error *err);
/* The index holds `data` and then zeros: defined if it is not there, and anew if it is smaller. */
VS_MUST vs_code tpm_nv_store(int fd, uint32_t index, vs_span data, vs_error *err);

/* ---- answers, for the above and for tests ---------------------------------------------------- */

/* A TPM2B_PUBLIC at the front of `in`. */
VS_MUST vs_code tpm_public_parse(vs_span in, vs_key **out, vs_error *err);
/* The parameters of an answer to TPM2_NV_ReadPublic of this index. */
VS_MUST vs_code tpm_nv_public_parse(vs_span in, uint32_t index, size_t *size, vs_error *err);
/* The parameters of an answer to TPM2_PCR_Read of eight registers from `from` on. */
VS_MUST vs_code tpm_pcrs_parse(vs_span in, unsigned from, tpm_pcrs *out, vs_error *err);

#endif
