/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VS_AS_VERAISON_EAR_H
#define VS_AS_VERAISON_EAR_H

#include "as/internal.h"
#include "as/veraison.h"
#include "envelope/jose.h"

/* Evidence (a whole CCA token, hostile) that must be bound to `nonce` (8 to 64 bytes): whatever is
 * wrong with it is a finding and gives a signed EAR. Errors are failures of this service. */
VS_MUST vs_code as_veraison_appraise(const as_local *as, vs_span evidence, vs_span nonce,
                                     int64_t now, vs_arena *a, as_veraison_finding *out,
                                     vs_error *err);

#endif
