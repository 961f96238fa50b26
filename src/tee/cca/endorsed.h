/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endorsements of CCA that the reference value provider keeps, made of CoRIMs (cca.md 6). Records,
 * by name; each is an array, one entry for each CoMID, with "corim", "tag" and "version" (whose
 * endorsement it is) beside the members below. All bytes are hex; names are lower case.
 *
 *   cca.cpak.<instance id>            {"implementation-id", "key": public JWK}
 *   cca.platform.<implementation id>  {"sw-components": [{"measurement-values": [...], "signer-id",
 *                                      "component-type"?, "version"?}], "config"?, "config-mask"?}
 *   cca.realm.<RIM>                   {"rem"?: [hex or null, four times], "rpv"?}
 *
 * A record that breaks this form anywhere endorses nothing: the error names record and entry. Other
 * members are ignored. Everything read lives on the arena.
 */
#ifndef VS_TEE_CCA_ENDORSED_H
#define VS_TEE_CCA_ENDORSED_H

#include "tee/cca/stores.h"
#include "tee/tee.h"

/* A record as it was found. */
typedef struct cca_record {
    const char *name; /* "cca.platform.7f45..." */
    vs_val entries;   /* array; undefined: there is no such record */
} cca_record;

typedef struct cca_endorsed_component {
    cca_component labels;  /* all but `value`; type and version as in cca_platform_ref */
    const vs_span *values; /* any of these, at least one */
    size_t n_values;
    uint32_t entry; /* of the record */
    bool vouched;   /* for: by a trust anchor or an administrator */
} cca_endorsed_component;

typedef struct cca_endorsed_config {
    vs_span value, mask; /* of equal length; mask.p == NULL: every bit counts */
    uint32_t entry;
} cca_endorsed_config;

/* The components of all entries together: firmware comes from several suppliers. */
typedef struct cca_platform_record {
    cca_record record;
    cca_endorsed_component *components;
    size_t n_components;
    cca_endorsed_config *configs;
    size_t n_configs;
} cca_platform_record;

typedef struct cca_endorsed_realm {
    vs_span rem[CCA_REMS], rpv; /* p == NULL: may be anything */
} cca_endorsed_realm;

typedef struct cca_realm_record {
    cca_record record;
    cca_endorsed_realm *realms; /* by entry */
    size_t n_realms;
} cca_realm_record;

/* The readers; `r` must hold an array. For cca_read_anchor: VS_E_UNTRUSTED unless exactly one entry
 * is of the platform's implementation id (a second one would leave open which key is the right one)
 * and its key is usable; *entry is its place. `verified` (may be NULL): identity of the key that
 * has verified the platform's token before; when it is this one, it is not imported. `out->cpak` is
 * the caller's to free. */
VS_MUST vs_code cca_read_anchor(vs_arena *a, const cca_record *r, const cca_platform *p,
                                const uint8_t *verified, cca_anchor *out, uint32_t *entry,
                                vs_error *err);
VS_MUST vs_code cca_read_platform_record(vs_arena *a, cca_platform_record *r, vs_error *err);
VS_MUST vs_code cca_read_realm_record(vs_arena *a, cca_realm_record *r, vs_error *err);

/* The record "<prefix><id in hex>"; `e` NULL: there are no records. VS_OK with undefined entries
 * when there is none, or null; the provider's error when it cannot be asked; VS_E_INVALID when it
 * is no array. */
VS_MUST vs_code cca_find_record(const vs_tee_endorsements *e, vs_arena *a, const char *prefix,
                                vs_span id, cca_record *out, vs_error *err);
#define CCA_CPAK_RECORD     "cca.cpak."
#define CCA_PLATFORM_RECORD "cca.platform."
#define CCA_REALM_RECORD    "cca.realm."

/* {"record", "corim", "tag", "version"}: whose endorsement an entry is. */
vs_val cca_provenance(vs_arena *a, const cca_record *r, uint32_t entry);

#endif
