/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The forms in which evidence JSON carries bytes and numbers (tees.md): arrays of byte numbers,
 * base64, hexadecimal, unsigned integers of up to 64 bits. Every reader names the member it fails
 * at. VS_E_INVALID for a value of the wrong kind or size, VS_E_PARSE for text that does not decode,
 * VS_E_LIMIT for more than `most` bytes.
 */
#ifndef VS_TEE_EVIDENCE_H
#define VS_TEE_EVIDENCE_H

#include "base/enc.h"
#include "value/json.h"

/* The bytes of an array of numbers 0..255; `what` names it in errors. */
VS_MUST vs_code evidence_byte_array(vs_arena *a, vs_val array, const char *what, size_t most,
                                    vs_span *out, vs_error *err);
/* Member `key` of `object`, such an array of exactly n bytes. */
VS_MUST vs_code evidence_bytes(vs_val object, const char *key, uint8_t *out, size_t n,
                               vs_error *err);
/* Member `key`, text in base64 of this form, or in hexadecimal of either case; not empty. */
VS_MUST vs_code evidence_base64(vs_arena *a, vs_val object, const char *key, vs_b64_form form,
                                size_t most, vs_span *out, vs_error *err);
VS_MUST vs_code evidence_hex(vs_arena *a, vs_val object, const char *key, size_t most, vs_span *out,
                             vs_error *err);
/* Member `key`, an integer of 0 to `most`. */
VS_MUST vs_code evidence_uint(vs_arena *a, vs_val object, const char *key, uint64_t most,
                              uint64_t *out, vs_error *err);
/* The same, but missing or null gives *there = false. */
VS_MUST vs_code evidence_may_uint(vs_arena *a, vs_val object, const char *key, uint64_t most,
                                  bool *there, uint64_t *out, vs_error *err);

/* Bytes as an array of numbers. */
void evidence_put_bytes(vs_buf *json, vs_span bytes);

/* Bytes as claims show them. */
vs_val evidence_hex_claim(vs_arena *a, vs_span bytes);

#endif
