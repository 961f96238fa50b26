/* SPDX-License-Identifier: Apache-2.0 */
/* TEE "tdx": Intel TDX evidence, {"quote": base64, "cc_eventlog": base64 or null} (tees.md 2). */
#ifndef VS_TEE_TDX_DRIVER_H
#define VS_TEE_TDX_DRIVER_H

#include "tee/tee.h"

extern const vs_tee_driver tdx_driver;

#endif
