/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a TPM's answers: a public key, registers, and an NV index. */
#include "client/tpm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_span in = vs_span_of(data, size);
    vs_key *key = NULL;
    tpm_pcrs pcrs;
    size_t n;
    if (tpm_nv_public_parse(in, 0x01400001, &n, NULL) == VS_OK && (size < 16 || n > UINT16_MAX))
        __builtin_trap();
    if (tpm_public_parse(in, &key, NULL) == VS_OK && vs_key_kind(key) != VS_KEY_RSA)
        __builtin_trap();
    vs_key_free(&key);
    if (tpm_pcrs_parse(in, 8, &pcrs, NULL) == VS_OK && size != 18 + 8 * (2 + TPM_PCR_SIZE))
        __builtin_trap();
    return 0;
}
