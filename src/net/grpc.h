/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gRPC, unary calls only, on HTTP/2 (nghttp2): services on a vs_http_server, and a blocking client.
 * Messages are bytes here; protobuf-c is the business of the adapters in api/.
 *
 * Wire: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md. No compression: a message
 * with the compressed flag is UNIMPLEMENTED on the server, an error in the client.
 */
#ifndef VS_NET_GRPC_H
#define VS_NET_GRPC_H

#include <stdatomic.h>

#include "net/http_server.h"

typedef enum vs_grpc_status {
    VS_GRPC_OK = 0,
    VS_GRPC_CANCELLED = 1,
    VS_GRPC_UNKNOWN = 2,
    VS_GRPC_INVALID_ARGUMENT = 3,
    VS_GRPC_DEADLINE_EXCEEDED = 4,
    VS_GRPC_NOT_FOUND = 5,
    VS_GRPC_ALREADY_EXISTS = 6,
    VS_GRPC_PERMISSION_DENIED = 7,
    VS_GRPC_RESOURCE_EXHAUSTED = 8,
    VS_GRPC_FAILED_PRECONDITION = 9,
    VS_GRPC_ABORTED = 10,
    VS_GRPC_OUT_OF_RANGE = 11,
    VS_GRPC_UNIMPLEMENTED = 12,
    VS_GRPC_INTERNAL = 13,
    VS_GRPC_UNAVAILABLE = 14,
    VS_GRPC_DATA_LOSS = 15,
    VS_GRPC_UNAUTHENTICATED = 16,
} vs_grpc_status;

/* "OK", "CANCELLED", ...; "UNKNOWN" for numbers that are none. */
const char *vs_grpc_status_name(vs_grpc_status s);

/* ---- server ---------------------------------------------------------------------------------- */

typedef struct vs_grpc_call {
    vs_span path;                /* "/attestation.AttestationService/AttestationEvaluate" */
    vs_span request;             /* one message; may hold secrets: do not keep */
    int64_t deadline;            /* vs_mono_ns by which the caller wants the answer; 0 = none */
    vs_arena *arena;             /* lives until the reply is written */
    const vs_http_request *http; /* peer, client certificate, vs_http_header for metadata; NULL: the
                                    call came over ttrpc (net/ttrpc.h) */
    bool own;   /* the caller is root or the server's own user, by the kernel's word: over a Unix
                   socket. Over TCP nobody is known to be */
    bool known; /* `own`, or with a client certificate that was verified, or the operator lets
                   strangers pass for that (vs_grpc_services.strangers_may) */
    const atomic_bool *gone; /* nobody waits for the answer any more: see vs_grpc_cancelled */
} vs_grpc_call;
/* The caller has gone (RST_STREAM, connection lost) or its deadline has passed: a long handler may
 * look now and then and give up; its reply is dropped anyway. Any thread. */
bool vs_grpc_cancelled(const vs_grpc_call *call);

typedef struct vs_grpc_reply {
    vs_grpc_status status; /* starts as OK */
    const char *message;   /* for status != OK: UTF-8, on the arena or static; NULL = none */
    vs_buf body;           /* the message when OK; capped at message_bytes, wiped after writing */
} vs_grpc_reply;
/* Sets status and message (formatted on the call's arena). */
void vs_grpc_fail(const vs_grpc_call *call, vs_grpc_reply *reply, vs_grpc_status status,
                  const char *fmt, ...) VS_PRINTF(4, 5);

/* Threads and blocking as vs_http_handler: with vs_http_config.workers > 0 it may block. */
typedef void (*vs_grpc_handler)(void *user, const vs_grpc_call *call, vs_grpc_reply *reply);

typedef struct vs_grpc_method {
    const char *path;        /* "/package.Service/Method" */
    vs_grpc_handler handler; /* NULL: known and not offered: UNIMPLEMENTED, as if not there */
    void *user;
    bool known_only; /* not for strangers: see vs_grpc_call.known */
} vs_grpc_method;

/* Status per service for grpc.health.v1.Health/Check; Watch is UNIMPLEMENTED. Thread safe. */
typedef struct vs_grpc_health vs_grpc_health;
/* Values of grpc.health.v1.HealthCheckResponse.ServingStatus. */
typedef enum vs_grpc_serving {
    VS_GRPC_SERVING_UNKNOWN = 0,
    VS_GRPC_SERVING = 1,
    VS_GRPC_NOT_SERVING = 2,
} vs_grpc_serving;
enum { VS_GRPC_HEALTH_MAX = 16 };
/* The whole server ("") is SERVING from the start. */
VS_MUST vs_code vs_grpc_health_new(vs_grpc_health **out, vs_error *err);
void vs_grpc_health_free(vs_grpc_health **h);
/* `service` must outlive `h`; VS_E_LIMIT beyond VS_GRPC_HEALTH_MAX names. */
VS_MUST vs_code vs_grpc_health_set(vs_grpc_health *h, const char *service, vs_grpc_serving status,
                                   vs_error *err);

/* What vs_http_config.grpc points to; must outlive the server. A request with content-type
 * application/grpc goes here; another one for a method of the table is refused with 415. */
typedef struct vs_grpc_services {
    const vs_grpc_method *methods;
    size_t n_methods;
    size_t message_bytes;     /* cap of one message, both ways; 0 = 4 MiB; at most 64 MiB */
    vs_grpc_health *health;   /* NULL = no health service */
    bool strangers_may;       /* everybody passes for known: the operator's will */
    const char *to_strangers; /* with PERMISSION_DENIED, of methods that are `known_only`; NULL =
                                 a text without advice */
} vs_grpc_services;

/* ---- client ---------------------------------------------------------------------------------- */

typedef struct vs_grpc_client vs_grpc_client;

typedef struct vs_grpc_client_config {
    const char *url; /* "http://host:port", "https://host:port", nothing behind it; "unix:/path" */
    const char *ca_file;                   /* PEM; NULL = the system's trust store. https only */
    const char *certificate, *private_key; /* PEM chain and key to show; NULL = none */
    unsigned connections;   /* most at a time; 0 = 8; calls over it wait their turn */
    unsigned connect_ms;    /* TCP, TLS and HTTP/2 preface; 0 = 10 s */
    unsigned call_ms;       /* one call with waiting, connecting and retries; 0 = 60 s */
    unsigned ping_ms;       /* a connection idle for longer is pinged before use; 0 = 10 s */
    size_t message_bytes;   /* cap of a reply; 0 = 4 MiB; at most 64 MiB */
    const char *user_agent; /* NULL = "vouchsafe/<version>" */
} vs_grpc_client_config;

/* Reads the files and checks the texts, connects to nothing. Copies all it needs. */
VS_MUST vs_code vs_grpc_client_new(const vs_grpc_client_config *cfg, vs_grpc_client **out,
                                   vs_error *err);
/* No call may be running. NULL-safe. */
void vs_grpc_client_free(vs_grpc_client **c);

/*
 * One unary call, blocking; any number of threads at once. The reply's message is appended to
 * `reply` (whose cap is the caller's). VS_OK means grpc-status 0. *status, when not NULL, is what
 * the peer said, or UNAVAILABLE, DEADLINE_EXCEEDED, INTERNAL, RESOURCE_EXHAUSTED for what failed on
 * the way. The error names the address, the TLS reason, or the status with its message.
 *
 * Tried again on a fresh connection only when the server surely did not process it (GOAWAY below
 * the stream, REFUSED_STREAM, a connection that was dead before a byte was written).
 *
 * The name of the host is resolved by getaddrinfo, whose own time limits apply in addition.
 */
VS_MUST vs_code vs_grpc_client_call(vs_grpc_client *c, const char *path, vs_span request,
                                    vs_buf *reply, vs_grpc_status *status, vs_error *err);

/* Asks for the health of a service of at most 127 bytes, "" = the whole server. Whoever answers
 * gRPC is there: VS_GRPC_SERVING_UNKNOWN (and VS_OK) when it has no health service, does not know
 * that name, or does not tell us. */
VS_MUST vs_code vs_grpc_client_health(vs_grpc_client *c, const char *service, vs_grpc_serving *out,
                                      vs_error *err);

#endif
