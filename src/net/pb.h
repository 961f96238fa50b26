/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protobuf-c messages on an arena: what is unpacked is bounded by the arena's cap (a few bytes on
 * the wire can ask for many in memory) and is never freed piecemeal.
 */
#ifndef VS_NET_PB_H
#define VS_NET_PB_H

#include <protobuf-c/protobuf-c.h>

#include "base/buf.h"

/* `type` is "attestation__attestation_request__descriptor" and the like; the caller casts. Strings
 * are checked to be UTF-8; one with a NUL inside ends there. */
VS_MUST vs_code vs_pb_unpack(vs_arena *a, const ProtobufCMessageDescriptor *type, vs_span in,
                             ProtobufCMessage **out, vs_error *err);
/* Appends to `out`; check vs_buf_ok. */
void vs_pb_pack(vs_buf *out, const ProtobufCMessage *m);

#endif
