/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conceptual message wrappers (CMW, draft-ietf-rats-msg-wrap): one message with its media type, as
 * a record (an array of type, value and perhaps an indicator) in JSON or CBOR, or as a CBOR tag
 * whose number tells the type (RFC 9277 4.3). Collections are not looked into: cca.md 5.3.
 */
#ifndef VS_AS_CMW_H
#define VS_AS_CMW_H

#include "base/arena.h"

enum { AS_CMW_MAX = 4 * 1024 * 1024 };

typedef enum as_cmw_form {
    AS_CMW_JSON,
    AS_CMW_CBOR,
    AS_CMW_EITHER, /* the first byte tells */
} as_cmw_form;

/* True for the media types of wrappers, application/cmw and its relatives (normal form, see
 * net/media_type.h). */
VS_MUST bool as_cmw_form_of(vs_span media_type, as_cmw_form *out);

typedef struct as_cmw {
    bool collection; /* then nothing else is set */
    vs_span type;    /* media type in normal form; empty: a number that has no name here */
    uint64_t number; /* CoAP content format, when the type was given as one; else UINT64_MAX */
    vs_span value;   /* points into the input (CBOR), or lives on the arena */
} as_cmw;

/* VS_E_PARSE, VS_E_LIMIT; VS_E_INVALID: the indicator says that this is no evidence. */
VS_MUST vs_code as_cmw_open(vs_arena *a, vs_span in, as_cmw_form form, as_cmw *out, vs_error *err);

#endif
