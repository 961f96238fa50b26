/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text encodings of bytes: base64 and base64url (RFC 4648), hexadecimal, UTF-8 validity.
 *
 * Encoders append to a vs_buf. Decoders are strict: only the alphabet, no white space, canonical
 * (unused bits of the last character are zero). They run in constant time in the data, since keys
 * pass through them, and on failure write nothing.
 */
#ifndef VS_BASE_ENC_H
#define VS_BASE_ENC_H

#include "base/buf.h"

typedef enum vs_b64_form {
    VS_B64_STD,        /* alphabet + and /, padding required */
    VS_B64_URL,        /* alphabet - and _, padding refused (RFC 7515) */
    VS_B64_URL_PADDED, /* alphabet - and _, padding required */
    VS_B64_STD_ANYPAD, /* standard alphabet, padding may be there or not */
    VS_B64_URL_ANYPAD, /* url alphabet, padding may be there or not */
    VS_B64_ANY,        /* decode only: either alphabet (not mixed), padded or not */
} vs_b64_form;

void vs_b64_encode(vs_buf *out, vs_b64_form form, vs_span bytes);
VS_MUST vs_code vs_b64_decode(vs_buf *out, vs_b64_form form, vs_span text, vs_error *err);
/* Onto an arena, for public data. On failure *out is empty. */
VS_MUST vs_code vs_b64_decode_arena(vs_arena *a, vs_b64_form form, vs_span text, vs_span *out,
                                    vs_error *err);
vs_span vs_b64_encode_arena(vs_arena *a, vs_b64_form form, vs_span bytes);

/* Lower case. */
void vs_hex_encode(vs_buf *out, vs_span bytes);
vs_span vs_hex_encode_arena(vs_arena *a, vs_span bytes);
/* Either case. */
VS_MUST vs_code vs_hex_decode_arena(vs_arena *a, vs_span text, vs_span *out, vs_error *err);

/* True when `s` is well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool vs_utf8_ok(vs_span s);
/* Decodes one code point at s.p[*at] (s must be valid UTF-8) and advances *at. */
uint32_t vs_utf8_next(vs_span s, size_t *at);
/* Advances *at over one code point, or over one byte that is not UTF-8: false. */
bool vs_utf8_skip(vs_span s, size_t *at);
/* The bytes at s.p[*at] as they are when they are UTF-8, else one byte as U+FFFD; advances *at. The
 * result may point to static memory. */
vs_span vs_utf8_take(vs_span s, size_t *at);
/* `s` with each byte that is not UTF-8 as U+FFFD, as Go has it: itself when all are, else a copy.
 */
vs_span vs_utf8_scrub(vs_arena *a, vs_span s);
/* Writes 1..4 bytes; returns how many. `cp` must be a scalar value. */
unsigned vs_utf8_put(uint8_t out[4], uint32_t cp);

#endif
