/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CBOR (RFC 8949), strict and without allocation.
 *
 * The decoder is a cursor over bytes. It accepts the deterministic subset this project's formats
 * use: definite lengths, shortest-form heads, depth <= VS_CBOR_DEPTH, no reserved values; text must
 * be UTF-8. It fails once and stays failed: after a failure every getter returns zero or empty, so
 * a caller may read a whole structure and check `vs_cbor_end` once. Never use what was read before
 * that check. Errors name the byte offset.
 *
 * Maps: `vs_cbor_map` gives the number of pairs; the caller reads each key with a getter, and its
 * value with one or `vs_cbor_skip`. Duplicate keys are refused by vs_cbor_check, which walks a
 * whole item first: to be called once at the edge.
 */
#ifndef VS_VALUE_CBOR_H
#define VS_VALUE_CBOR_H

#include "base/buf.h"

enum { VS_CBOR_DEPTH = 16 };

typedef enum vs_cbor_type {
    VS_CBOR_UINT = 0, /* major types 0..7 */
    VS_CBOR_NINT,
    VS_CBOR_BYTES,
    VS_CBOR_TEXT,
    VS_CBOR_ARRAY,
    VS_CBOR_MAP,
    VS_CBOR_TAG,
    VS_CBOR_SIMPLE,
    VS_CBOR_NONE, /* at the end of the input, or failed */
} vs_cbor_type;

typedef struct vs_cbor {
    vs_span in;
    size_t at;
    vs_error *err; /* where the first failure is described; may be NULL */
    vs_code code;  /* VS_OK until the first failure */
} vs_cbor;

static inline vs_cbor vs_cbor_of(vs_span in, vs_error *err)
{
    return (vs_cbor){.in = in, .err = err};
}

/* Walks one whole item without interpreting it: everything above plus duplicate map keys (compared
 * by their encoding) and trailing bytes. VS_OK means every later read of this item's structure can
 * fail for type reasons only. */
VS_MUST vs_code vs_cbor_check(vs_span in, vs_error *err);

vs_cbor_type vs_cbor_peek(vs_cbor *c);
/* "a byte string", ... */
const char *vs_cbor_type_name(vs_cbor_type t);
uint64_t vs_cbor_uint(vs_cbor *c);
/* An integer of either sign that fits an int64. */
int64_t vs_cbor_int(vs_cbor *c);
vs_span vs_cbor_bytes(vs_cbor *c);
vs_span vs_cbor_text(vs_cbor *c);
bool vs_cbor_bool(vs_cbor *c);
/* Consumes null (f6) and returns true; otherwise false and nothing is consumed. */
bool vs_cbor_null(vs_cbor *c);
uint64_t vs_cbor_tag(vs_cbor *c);
/* Number of items, already checked against the remaining bytes. */
size_t vs_cbor_array(vs_cbor *c);
size_t vs_cbor_map(vs_cbor *c);
/* Skips one item of any type and returns its encoding. Looks at heads and lengths alone: depth,
 * keys and text are vs_cbor_check's. */
vs_span vs_cbor_skip(vs_cbor *c);
/* Fails with the caller's own sentence (offset is added). Returns the code. */
vs_code vs_cbor_fail(vs_cbor *c, vs_code code, const char *fmt, ...) VS_PRINTF(3, 4);
/* The first failure, or VS_E_PARSE when bytes remain. */
VS_MUST vs_code vs_cbor_end(vs_cbor *c);

/* ---- encoding: shortest heads; map order is the caller's ------------------------------------ */

void vs_cbor_put_uint(vs_buf *out, uint64_t v);
void vs_cbor_put_int(vs_buf *out, int64_t v);
void vs_cbor_put_bytes(vs_buf *out, vs_span s);
void vs_cbor_put_text(vs_buf *out, const char *s);
void vs_cbor_put_text_span(vs_buf *out, vs_span s);
void vs_cbor_put_array(vs_buf *out, size_t n);
void vs_cbor_put_map(vs_buf *out, size_t n);
void vs_cbor_put_tag(vs_buf *out, uint64_t tag);
void vs_cbor_put_bool(vs_buf *out, bool b);
void vs_cbor_put_null(vs_buf *out);

/* Diagnostic notation (RFC 8949 section 8), indented, for people. */
VS_MUST vs_code vs_cbor_diagnose(vs_buf *out, vs_span item, vs_error *err);

#endif
