/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust anchors and reference values of the local CCA verifier, in the JSON formats of cca.md 4.3.
 * Read only once parsed; may be shared by threads.
 */
#ifndef VS_TEE_CCA_STORES_H
#define VS_TEE_CCA_STORES_H

#include "tee/cca/claims.h"

enum { CCA_IDENTITY = 32 };

/* One platform whose attestation key (CPAK) is trusted. */
typedef struct cca_anchor {
    vs_span instance_id, implementation_id;
    /* EC or Ed25519, public. NULL: the entry's key is unusable, see flaw; or without a flaw it need
     * not be used, since a token verified with it before is at hand (endorsed.h). */
    vs_key *cpak;
    const char *flaw;
    uint8_t identity[CCA_IDENTITY]; /* digest of the key as it was given: whoever has it, has it */
    size_t order;                   /* place in the file */
} cca_anchor;

typedef struct cca_platform_ref {
    vs_span implementation_id, config;
    const cca_component *components; /* type and version have p == NULL when they may be anything */
    size_t n_components;
    size_t order; /* place in the file */
} cca_platform_ref;

typedef struct cca_realm_ref {
    vs_span rim, rem[CCA_REMS];
    vs_span rpv, rak_hash; /* mandatory in the file, never compared (3.2) */
    size_t order;          /* place in the file */
} cca_realm_ref;

typedef struct cca_stores {
    vs_arena arena;      /* holds everything below except the keys */
    cca_anchor *anchors; /* sorted by instance id, one per id */
    size_t n_anchors;
    cca_platform_ref *platforms; /* sorted by implementation id, then by place */
    size_t n_platforms;
    cca_realm_ref *realms; /* sorted by RIM, then by place */
    size_t n_realms;
    bool has_references; /* there is a reference value store, be it empty */
} cca_stores;

/* Parses both stores; a text with p == NULL is a store that there is not. A fault anywhere refuses
 * the whole: VS_E_PARSE or VS_E_INVALID, naming the store and the entry; except for a key that is
 * unusable (off its curve, say), which refuses that platform alone, with a warning in the log. Of
 * two anchors with one instance id the last wins, as upstream, with a warning in the log. `out`
 * needs cca_stores_free also after a failure. */
VS_MUST vs_code cca_stores_parse(vs_span ta_store, vs_span rv_store, cca_stores *out,
                                 vs_error *err);
void cca_stores_free(cca_stores *s);

/* NULL when there is none. */
const cca_anchor *cca_find_anchor(const cca_stores *s, vs_span instance_id);
/* All entries of a product, of a RIM: *n of them, in the order of the file. */
const cca_platform_ref *cca_find_platforms(const cca_stores *s, vs_span implementation_id,
                                           size_t *n);
const cca_realm_ref *cca_find_realms(const cca_stores *s, vs_span rim, size_t *n);

#endif
