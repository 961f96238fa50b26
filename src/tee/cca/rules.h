/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claims maps as tables: which keys, of what type and size, in which generation of the profile.
 */
#ifndef VS_TEE_CCA_RULES_H
#define VS_TEE_CCA_RULES_H

#include "tee/cca/claims.h"

typedef enum cca_kind {
    CCA_BYTES,  /* of min to max bytes */
    CCA_DIGEST, /* 32, 48 or 64 bytes */
    CCA_TEXT,   /* of min to max bytes */
    CCA_HASH,   /* text: "sha-256", "sha-384", "sha-512" (1.9) */
    CCA_UINT,   /* from min to max */
    CCA_BOOL,
    CCA_ARRAY, /* of min to max items */
} cca_kind;

enum { CCA_ANY_SIZE = 64 * 1024, CCA_ALL = CCA_LEGACY | CCA_V1 | CCA_V2 };

/* A key that is in neither set for the token's generation is an unknown one there. */
typedef struct cca_rule {
    int64_t key;
    const char *name;
    cca_kind kind;
    uint32_t min, max;
    uint8_t must, may; /* sets of generations: mandatory, optional */
} cca_rule;

typedef struct cca_item {
    vs_span raw;     /* encoding of the value; empty = absent or unknown in this generation */
    vs_span value;   /* content of bytes and text */
    uint64_t number; /* UINT, BOOL */
    vs_hash hash;    /* HASH */
} cca_item;

enum { CCA_RULES_MAX = 16 };
typedef struct cca_table {
    const char *what; /* "platform token"; NULL: the caller says what it is part of */
    const cca_rule *rules;
    size_t n; /* at most CCA_RULES_MAX */
    bool refuse_unknown;
} cca_table;

/* Sorts the members of `map` (one whole item, checked before by vs_cbor_check) into items by rule,
 * unchecked. Keys must be integers or text. */
VS_MUST vs_code cca_collect(const cca_table *t, vs_span map, cca_item items[], vs_error *err);
/* Applies the rules of a generation to collected items. */
VS_MUST vs_code cca_apply(const cca_table *t, cca_generation g, cca_item items[], vs_error *err);
/* One value against one rule: items of arrays. A rule with key 0 is named without its key. */
VS_MUST vs_code cca_check_item(const char *what, const cca_rule *rule, cca_item *item,
                               vs_error *err);

#endif
