/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "sample" and "sampledevice": evidence without a TEE (tees.md 11;
 * attestation-service.md 3.3, 4.4). Anybody can make it, so it proves nothing. Accepted only where
 * vs_tee_trust.sample says so.
 */
#ifndef VS_TEE_SAMPLE_SAMPLE_H
#define VS_TEE_SAMPLE_SAMPLE_H

#include "tee/tee.h"

extern const vs_tee_driver sample_driver;
extern const vs_tee_driver sample_device_driver;

#endif
