/* SPDX-License-Identifier: Apache-2.0 */
/* What the services inside a guest share: reading small requests, and failing as upstream does. */
#ifndef VS_API_GUEST_RPC_H
#define VS_API_GUEST_RPC_H

#include "net/grpc.h"

typedef struct guest_field {
    uint32_t number;
    bool is_bytes, is_text; /* is_text: bytes that must be UTF-8 without NUL */
    vs_span *bytes;
    uint64_t *integer;
    bool *present; /* may be NULL */
} guest_field;

/* Reads the fields of a message; others are passed over. False, and the reply says so, when it is
 * not well formed. */
VS_MUST bool guest_read(const vs_grpc_call *call, const guest_field *fields, size_t n,
                        vs_grpc_reply *reply);
/* Appends a secret, or what is as good as one. */
typedef vs_code (*guest_getter)(void *user, vs_span in, vs_buf *out, vs_error *err);
/* Answers field 1 of a request, bytes or text, with what `get` appends, as field 1: nothing at all
 * when that is empty. */
void guest_answer(void *user, const vs_grpc_call *call, vs_grpc_reply *reply, guest_getter get,
                  bool is_text, const char *failure);
/* INTERNAL, RESOURCE_EXHAUSTED where too many wait already, or DEADLINE_EXCEEDED where something
 * did not answer in time; with upstream's text and the cause behind it, which goes to the log as
 * well. Callers are in the same guest. */
void guest_fail(const vs_grpc_call *call, vs_grpc_reply *reply, const char *text,
                const vs_error *err);

#endif
