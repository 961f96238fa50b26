/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TEE "tpm": the quote of a TPM 2.0 and the public attestation key that signed it (tees.md 3).
 *
 * That the key lives in a TPM, and in which, nothing in the evidence proves: the claim "ak_public"
 * must be compared with keys that the operator has endorsed, as the default policy does.
 */
#ifndef VS_TEE_TPM_DRIVER_H
#define VS_TEE_TPM_DRIVER_H

#include "tee/tee.h"

extern const vs_tee_driver tpm_driver;

#endif
