/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver of Arm CCA: evidence JSON {"token":[217,1,143,...]} to the claims of cca.md 4.2,
 * and under the one key "vouchsafe" what was found beyond them (docs/cca.md, "Appraisal").
 *
 * Init data: the digest must be the realm's 64-byte personalization value. A 32- or 48-byte digest
 * also matches a value that holds it followed by zeros; upstream refuses those (trap 5), so a realm
 * that wants to be verified there as well uses a 64-byte digest.
 */
#ifndef VS_TEE_CCA_DRIVER_H
#define VS_TEE_CCA_DRIVER_H

#include "tee/cca/token.h"
#include "tee/tee.h"

extern const vs_tee_driver cca_driver;

/* The token's bytes out of evidence JSON, on the arena: integers 0..255, at most CCA_TOKEN_MAX. */
VS_MUST vs_code cca_evidence_bytes(vs_arena *a, vs_val evidence, vs_span *out, vs_error *err);

#endif
