/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of the JSON that trust anchors and reference values come in, whoever keeps them: the
 * stores of cca.md 4.3 and the endorsement records of the reference value provider.
 */
#ifndef VS_TEE_CCA_FIELDS_H
#define VS_TEE_CCA_FIELDS_H

#include "tee/cca/stores.h"
#include "value/value.h"

/* Member `key` as bytes in hex; `size` 0 = any, else the exact number of bytes. */
VS_MUST vs_code cca_need_hex(vs_arena *a, vs_val object, const char *key, size_t size, vs_span *out,
                             vs_error *err);
/* As cca_need_hex; missing or null: p == NULL. */
VS_MUST vs_code cca_may_hex(vs_arena *a, vs_val object, const char *key, size_t size, vs_span *out,
                            vs_error *err);
/* 32, 48 or 64 bytes. */
VS_MUST vs_code cca_need_digest(vs_arena *a, vs_val object, const char *key, vs_span *out,
                                vs_error *err);
/* The same for an item of an array. */
VS_MUST vs_code cca_item_digest(vs_arena *a, vs_val item, vs_span *out, vs_error *err);
/* Missing or null: p == NULL. A text that is there has p != NULL, also when it is empty. */
VS_MUST vs_code cca_may_text(vs_val object, const char *key, vs_span *out, vs_error *err);
/* "signer-id", "component-type" and "version" of a software component; the last two are optional.
 */
VS_MUST vs_code cca_component_labels(vs_arena *a, vs_val entry, cca_component *out, vs_error *err);
/* Sets the anchor's key and identity from a JWK, or its flaw (on `a`) when the key is unusable: off
 * its curve, of a kind that signs no token, with an "alg" that does not fit. */
VS_MUST vs_code cca_anchor_key(vs_arena *a, vs_val jwk, cca_anchor *out, vs_error *err);
/* That identity alone. */
VS_MUST vs_code cca_key_identity(vs_val jwk, uint8_t identity[CCA_IDENTITY], vs_error *err);

#endif
