/* SPDX-License-Identifier: Apache-2.0 */
/* Frames and envelopes of ttrpc (guest.md 2.1, 2.2), for both sides. */
#ifndef VS_NET_TTRPC_WIRE_H
#define VS_NET_TTRPC_WIRE_H

#include "net/grpc.h"

enum {
    VS_TTRPC_HEAD = 10,                     /* bytes before a payload */
    VS_TTRPC_PAYLOAD_MAX = 4 * 1024 * 1024, /* of a frame, envelope included */
    VS_TTRPC_ENVELOPE = 64,                 /* what an answer needs around its message, at most */
    VS_TTRPC_FRAME_MAX = VS_TTRPC_HEAD + VS_TTRPC_PAYLOAD_MAX,
};

typedef enum vs_ttrpc_type {
    VS_TTRPC_REQUEST = 1,
    VS_TTRPC_RESPONSE = 2,
    VS_TTRPC_DATA = 3
} vs_ttrpc_type;

typedef struct vs_ttrpc_head {
    uint32_t length; /* of the payload, as claimed: any value */
    uint32_t stream;
    uint8_t type, flags;
} vs_ttrpc_head;

/* Of VS_TTRPC_HEAD bytes. */
vs_ttrpc_head vs_ttrpc_head_read(const uint8_t *p);

typedef struct vs_ttrpc_request {
    vs_span service, method; /* text */
    vs_span payload;         /* one encoded message; may be empty */
    int64_t timeout_ns;      /* 0 = none; never negative */
} vs_ttrpc_request;

/* Spans point into `payload`. Metadata and unknown fields are checked for form and passed over. */
VS_MUST vs_code vs_ttrpc_request_read(vs_span payload, vs_ttrpc_request *out, vs_error *err);
/* Appends one frame; check vs_buf_ok. The caller has checked that it fits (vs_ttrpc_fits). */
void vs_ttrpc_request_write(vs_buf *out, uint32_t stream, const vs_ttrpc_request *r);
/* Whether its frame would be within VS_TTRPC_PAYLOAD_MAX. */
VS_MUST bool vs_ttrpc_fits(const vs_ttrpc_request *r);

typedef struct vs_ttrpc_response {
    vs_grpc_status status; /* OK when the envelope has none; UNKNOWN for numbers that are no code */
    vs_span message;       /* of a failure; text */
    vs_span payload;
} vs_ttrpc_response;

VS_MUST vs_code vs_ttrpc_response_read(vs_span payload, vs_ttrpc_response *out, vs_error *err);
/* As the Rust server writes it: a success has an empty status. A message beyond the limit becomes
 * the error that says so. */
void vs_ttrpc_response_write(vs_buf *out, uint32_t stream, const vs_ttrpc_response *r);

#endif
