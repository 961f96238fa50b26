/* SPDX-License-Identifier: Apache-2.0 */
/* The texts and frames of gRPC on HTTP/2, for both sides, and what the server does with a job. */
#ifndef VS_NET_GRPC_WIRE_H
#define VS_NET_GRPC_WIRE_H

#include "net/grpc.h"

enum {
    VS_GRPC_PREFIX = 5,                        /* compressed flag and length before a message */
    VS_GRPC_MESSAGE_MAX = 64 * 1024 * 1024,    /* no configuration goes beyond */
    VS_GRPC_MESSAGE_DEFAULT = 4 * 1024 * 1024, /* as other implementations have it */
    VS_GRPC_TEXT_MAX = 4096,                   /* of grpc-message, encoded */
};

/* "application/grpc", "application/grpc+proto", with or without parameters. */
bool vs_grpc_is_content_type(vs_span v);
/* "100m" = 100 milliseconds. False when malformed. Times beyond 100 years are cut to that. */
VS_MUST bool vs_grpc_timeout_parse(vs_span v, int64_t *ns);
/* The other way, rounded up, at most eight digits. */
void vs_grpc_timeout_print(int64_t ns, char out[16]);
/* grpc-message: percent-encoded, cut at VS_GRPC_TEXT_MAX. */
void vs_grpc_text_encode(vs_buf *out, vs_span text);
/* Never fails: a malformed escape stays as it is (the specification asks for that). */
void vs_grpc_text_decode(vs_buf *out, vs_span text);
/* 0..16; false for anything else. */
VS_MUST bool vs_grpc_status_parse(vs_span v, vs_grpc_status *out);

/* What a client makes of a peer's status. */
vs_code vs_grpc_code(vs_grpc_status s);

void vs_grpc_prefix_write(uint8_t out[VS_GRPC_PREFIX], size_t n);
/* What is wrong with `body` as exactly one message of at most `cap` bytes; OK: *message is it. Of
 * an incomplete body only RESOURCE_EXHAUSTED and the flag's errors are final. */
vs_grpc_status vs_grpc_unframe(vs_span body, size_t cap, vs_span *message, const char **why);

/* Methods have paths, caps are in range. */
VS_MUST vs_code vs_grpc_check(const vs_grpc_services *g, vs_error *err);
size_t vs_grpc_message_bytes(const vs_grpc_services *g);
/* NULL = no such method. The health service is found too. */
const vs_grpc_method *vs_grpc_find(const vs_grpc_services *g, vs_span path);

struct vs_http_job;
/* Unframes the request, calls job->method, fills job->reply. Any thread. */
void vs_grpc_run(const vs_grpc_services *g, struct vs_http_job *job);

/* The methods of grpc.health.v1.Health; `user` is the vs_grpc_health. */
void vs_grpc_health_check(void *user, const vs_grpc_call *call, vs_grpc_reply *reply);

#endif
