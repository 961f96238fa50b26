/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ttrpc, unary calls only (guest.md 2): the protocol of the services inside a guest. Frames of a
 * 10-byte header and a protobuf envelope on a Unix socket.
 *
 * Methods are those of net/grpc.h, so that a service is written once: "/package.Service/Method",
 * the same status codes, the same handler. What a call has no HTTP for, it has as NULL.
 *
 * An answer to what cannot be served is that of the Rust library, whose servers this one replaces;
 * the client understands those of the Go library too.
 */
#ifndef VS_NET_TTRPC_H
#define VS_NET_TTRPC_H

#include "net/grpc.h"

/* ---- server ---------------------------------------------------------------------------------- */

typedef struct vs_ttrpc_server vs_ttrpc_server;

enum { VS_TTRPC_UIDS_MAX = 32 };

typedef struct vs_ttrpc_config { /* 0 = default */
    const char *address;         /* "unix:///path" */
    /* Who may call, by the kernel's word (SO_PEERCRED): the server's own user, root, and these.
     * Others are disconnected at once; so is who is not in the server's user namespace, whatever id
     * the kernel gives for all of those. */
    const uint32_t *uids;
    size_t n_uids;
    bool has_gid; /* and whose primary group is this: the socket then is 0660 with that group, or
                     0666 where this process may not give it */
    uint32_t gid; /* otherwise it is 0600, or 0666 when other users may call */
    /* A method without a handler is one that is known and not offered: NOT_FOUND, as upstream. */
    const vs_grpc_method *methods;
    size_t n_methods;
    unsigned connections; /* 64; over: closed at once */
    unsigned requests;    /* 128 outstanding in all; over: RESOURCE_EXHAUSTED */
    unsigned workers;     /* 4 threads run handlers */
    unsigned waiting;     /* handlers that may wait for others, beside those (net/task_pool.h); 0 =
                             they hold a worker meanwhile */
    unsigned frame_ms;    /* 30 s from a frame's first byte to its last, and for a peer to take what
                             is written to it */
    size_t
        held_bytes; /* 32 MiB of requests on all connections together; over: RESOURCE_EXHAUSTED */
} vs_ttrpc_config;

/* Listens and starts the threads. Texts and tables must outlive the server. */
VS_MUST vs_code vs_ttrpc_server_start(const vs_ttrpc_config *cfg, vs_ttrpc_server **out,
                                      vs_error *err);
/* Stops accepting and reading, waits up to drain_ms for calls that run, frees everything. */
void vs_ttrpc_server_stop(vs_ttrpc_server **s, unsigned drain_ms);

/* ---- client ---------------------------------------------------------------------------------- */

typedef struct vs_ttrpc_client vs_ttrpc_client;

typedef struct vs_ttrpc_client_config {
    const char *address;  /* "unix:///path", "unix://@abstract" */
    unsigned call_ms;     /* one call with connecting; sent along as its timeout; 0 = 50 s. Less,
                             where the thread may wait less (base/wait.h) */
    unsigned connections; /* most at a time; 0 = 1. As long as there is one for each call, a call
                             that is given up is cancelled at the peer, by closing */
} vs_ttrpc_client_config;

/* Checks the texts, connects to nothing. Copies all it needs. */
VS_MUST vs_code vs_ttrpc_client_new(const vs_ttrpc_client_config *cfg, vs_ttrpc_client **out,
                                    vs_error *err);
/* No call may be running. NULL-safe. */
void vs_ttrpc_client_free(vs_ttrpc_client **c);

/*
 * One call, blocking; any number of threads at once, which share the connections. `path` is
 * "/package.Service/Method". The message of the answer is appended to `reply` (whose cap is the
 * caller's) straight from the wire: nothing else keeps a copy. VS_OK means status OK; *status, when
 * not NULL, is what the peer said, or UNAVAILABLE (nobody there, or the connection broke),
 * DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, INTERNAL (no valid frame) for what failed on the way.
 *
 * A connection that is found closed is made anew once, when the request cannot have been read.
 */
VS_MUST vs_code vs_ttrpc_call(vs_ttrpc_client *c, const char *path, vs_span request, vs_buf *reply,
                              vs_grpc_status *status, vs_error *err);

#endif
