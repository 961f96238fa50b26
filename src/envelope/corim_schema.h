/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the pieces of a CoRIM are written in CBOR and in JSON: every kind of piece is a codec, which
 * goes both ways, and the pieces are tables of codecs (corim_template.c).
 */
#ifndef VS_ENVELOPE_CORIM_SCHEMA_H
#define VS_ENVELOPE_CORIM_SCHEMA_H

#include "value/cbor.h"
#include "value/json.h"

enum { CORIM_TEXT_MAX = 4 << 20 }; /* bytes of one piece */

typedef struct corim_codec corim_codec;
struct corim_codec {
    vs_code (*put)(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err);
    /* Fails through the cursor. Undefined after a failure. */
    vs_val (*get)(const corim_codec *k, vs_arena *a, vs_cbor *c);
    const void *of;  /* what it is made of */
    uint64_t number; /* tag, size */
};

/* A map with integer keys: `of` is a table of these, ended by name == NULL, keys ascending. */
typedef struct corim_member {
    int64_t key;
    const char *name;
    const corim_codec *codec;
    bool required;
} corim_member;

/* One of several kinds, {"type", "value"} in JSON: `of` is a table of these, ended likewise. */
typedef struct corim_choice {
    const char *name;
    uint64_t tag;   /* 0 = none */
    unsigned major; /* of what has no tag */
    const corim_codec *codec;
} corim_choice;

/* A name for a number: `of` is a table of these, ended likewise. */
typedef struct corim_name {
    const char *name;
    int64_t number;
} corim_name;

/* ---- corim_codec.c: what is made of other codecs ------------------------------------------- */

vs_code corim_map_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err);
vs_val corim_map_get(const corim_codec *k, vs_arena *a, vs_cbor *c);
/* As a map, but an array: members in their order, those that are not required only at the end. */
vs_code corim_tuple_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err);
vs_val corim_tuple_get(const corim_codec *k, vs_arena *a, vs_cbor *c);
/* `of` is the codec of an element; at least one. */
vs_code corim_list_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err);
vs_val corim_list_get(const corim_codec *k, vs_arena *a, vs_cbor *c);
vs_code corim_choice_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err);
vs_val corim_choice_get(const corim_codec *k, vs_arena *a, vs_cbor *c);
/* `of` behind tag `number`. */
vs_code corim_tag_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err);
vs_val corim_tag_get(const corim_codec *k, vs_arena *a, vs_cbor *c);
/* An array of [encoded key, encoded value], which become a map in the order of their bytes. */
typedef struct corim_pair {
    vs_span key, value;
} corim_pair;
void corim_put_pairs(vs_buf *out, corim_pair *pairs, size_t n);
/* What `k` puts, on the arena. */
VS_MUST vs_code corim_encoded(const corim_codec *k, vs_arena *a, vs_val v, vs_span *out,
                              vs_error *err);

/* ---- corim_values.c: single values --------------------------------------------------------- */

extern const corim_codec corim_text, corim_uint, corim_bool;
extern const corim_codec corim_bytes;     /* base64; `number` = size, 0 = any */
extern const corim_codec corim_uuid;      /* 16 bytes, text in JSON */
extern const corim_codec corim_oid;       /* BER, dotted text in JSON */
extern const corim_codec corim_uri;       /* tag 32 */
extern const corim_codec corim_tag_id;    /* text, or 16 bytes of a UUID */
extern const corim_codec corim_time;      /* tag 1, RFC 3339 in JSON */
extern const corim_codec corim_hash;      /* [alg, bytes]; also "alg;base64" in JSON */
extern const corim_codec corim_registers; /* integrity registers */
extern const corim_codec corim_raw;       /* any CBOR, as hex */
/* A number that has a name, else a number in JSON, too: `of` is the table of names. */
vs_code corim_named_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err);
vs_val corim_named_get(const corim_codec *k, vs_arena *a, vs_cbor *c);

#endif
