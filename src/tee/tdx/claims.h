/* SPDX-License-Identifier: Apache-2.0 */
/* What a verified TDX quote says, as policies see it (tees.md 2.8); for tdx and az-tdx-vtpm. */
#ifndef VS_TEE_TDX_CLAIMS_H
#define VS_TEE_TDX_CLAIMS_H

#include "tee/dcap/verify.h"
#include "value/value.h"

/* Of the quote and its PCK certificate. */
void tdx_put_quote(vs_obj *claims, const dcap_quote *q, const dcap_pck *pck);
/* Of the verification with Intel's collateral. */
void tdx_put_verdict(vs_obj *claims, const dcap_result *r);

#endif
