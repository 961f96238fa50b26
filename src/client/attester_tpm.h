/* SPDX-License-Identifier: Apache-2.0 */
/* What all attesters with a TPM have in common. */
#ifndef VS_CLIENT_ATTESTER_TPM_H
#define VS_CLIENT_ATTESTER_TPM_H

#include "client/attester_tee.h"
#include "client/tpm.h"

typedef struct attester_quote {
    vs_buf message, signature; /* TPMS_ATTEST, TPMT_SIGNATURE */
    vs_span rsa;               /* the bare signature; a view */
    tpm_pcrs pcrs;
} attester_quote;

#define ATTESTER_QUOTE                                                                             \
    {                                                                                              \
        .message = VS_BUF(TPM_MESSAGE_MAX), .signature = VS_BUF(TPM_SIGNATURE_MAX)                 \
    }
void attester_free_quote(attester_quote *q);

/* A quote over all registers by the key at `handle`, with values that it is over. Verified with
 * `ak` here already, so that what is sent is never in vain. CRYPTO: `ak` is another key. */
VS_MUST vs_code attester_tpm_quote(int fd, uint32_t handle, const vs_key *ak, vs_span nonce,
                                   attester_quote *q, vs_error *err);
/* "pcrs":[...] */
void attester_put_pcrs(vs_buf *json, const tpm_pcrs *pcrs);

/* PCR 8 holds the digest: it is extended by it when it is zero. */
VS_MUST vs_code attester_bind_init_data(const attester *a, vs_span digest, vs_error *err);

/* PCRs of the SHA-256 bank by their own numbers. */
VS_MUST vs_code attester_tpm_registers(attester *a, attester_registers *out, vs_error *err);

#endif
