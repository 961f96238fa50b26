/* SPDX-License-Identifier: Apache-2.0 */
/* TEEs "az-snp-vtpm" and "az-tdx-vtpm": Azure's confidential virtual machines (tees.md 4 and 5). */
#ifndef VS_TEE_AZURE_DRIVERS_H
#define VS_TEE_AZURE_DRIVERS_H

#include "tee/tee.h"

extern const vs_tee_driver az_snp_driver;
extern const vs_tee_driver az_tdx_driver;

#endif
