/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protobuf wire format, read in place and written to a buffer: for messages of a few members
 * that may be secrets (ttrpc, the services inside a guest). Nothing is copied and nothing is
 * allocated, so what has to be wiped is where it arrived.
 * https://protobuf.dev/programming-guides/encoding
 */
#ifndef VS_NET_PB_WIRE_H
#define VS_NET_PB_WIRE_H

#include "base/buf.h"

typedef struct vs_pb_field {
    uint32_t number;  /* 1 to 2^29 - 1 */
    bool is_bytes;    /* string, bytes, message, packed list; otherwise a number */
    uint64_t integer; /* varint, and the fixed sizes as they are */
    vs_span bytes;    /* into the input */
} vs_pb_field;

/* Takes the next field off `in`. False at the end of the message and when it is malformed: then
 * *bad is true. Groups, which proto3 does not have, are malformed. *bad starts as false. */
VS_MUST bool vs_pb_next(vs_span *in, vs_pb_field *f, bool *bad);
/* UTF-8 without NUL, as a string must be here. */
VS_MUST bool vs_pb_is_text(vs_span s);

/* Check vs_buf_ok at the end. Empty bytes and zero are written too: leave them out by not calling
 * when the field has no presence (proto3). */
void vs_pb_put_bytes(vs_buf *out, uint32_t number, vs_span bytes);
void vs_pb_put_integer(vs_buf *out, uint32_t number, uint64_t value);
/* Tag and length of a message of `n` bytes that the caller writes next. */
void vs_pb_put_head(vs_buf *out, uint32_t number, size_t n);
/* Bytes that vs_pb_put_bytes and vs_pb_put_integer write. */
size_t vs_pb_size_bytes(uint32_t number, size_t n);
size_t vs_pb_size_integer(uint32_t number, uint64_t value);

#endif
