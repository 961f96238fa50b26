/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claims as JSON values, with the member names of the Go library (cca.md 1.3, 1.4, 1.7) and byte
 * strings in base64: what Veraison annotates its results with. Claims that are absent have no
 * member. On the arena, strings point into the token.
 */
#ifndef VS_TEE_CCA_CLAIMS_JSON_H
#define VS_TEE_CCA_CLAIMS_JSON_H

#include "tee/cca/claims.h"

vs_val cca_platform_value(vs_arena *a, const cca_platform *p);
vs_val cca_realm_value(vs_arena *a, const cca_realm *r);

#endif
