/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of an HTTP/1.1 response (RFC 9112), strictly: what two readers could understand
 * differently is refused. For the client that is built into static programs.
 */
#ifndef VS_NET_HTTP_RESPONSE_H
#define VS_NET_HTTP_RESPONSE_H

#include "base/error.h"

typedef enum vs_body_kind {
    VS_BODY_NONE,    /* 1xx, 204, 304, and answers to HEAD */
    VS_BODY_LENGTH,  /* Content-Length */
    VS_BODY_CHUNKED, /* Transfer-Encoding: chunked */
    VS_BODY_CLOSE,   /* until the connection ends */
} vs_body_kind;

typedef struct vs_response_head {
    int status; /* 100 to 599 */
    bool keep;  /* the connection may be used again */
    vs_body_kind body;
    uint64_t length;
} vs_response_head;

/* `text`: the head with its empty line. VS_E_PARSE. */
VS_MUST vs_code vs_response_head_parse(vs_span text, bool to_head, vs_response_head *out,
                                       vs_error *err);
/* The i-th field of that name in a head that was parsed; p == NULL = there is none. */
vs_span vs_response_field(vs_span text, const char *name, size_t i);

#endif
