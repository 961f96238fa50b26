/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/2 on a connection of the server: http2.c moves bytes between the connection and an nghttp2
 * session and keeps watch over floods; http2_stream.c makes requests of streams and answers them.
 * All on the loop's thread.
 */
#ifndef VS_NET_HTTP2_H
#define VS_NET_HTTP2_H

#include <nghttp2/nghttp2.h>

#include "net/grpc_wire.h"
#include "net/http_conn.h"

typedef enum vs_http2_state {
    VS_H2_RECEIVING,
    VS_H2_RUNNING,  /* a worker has it */
    VS_H2_ANSWERED, /* the response is with nghttp2 */
} vs_http2_state;

typedef struct vs_http2_stream {
    vs_http_conn *conn;
    struct vs_http2_stream *next, **link; /* of conn->two->first while it is open */
    vs_http_job *job;                     /* while RUNNING */
    int32_t id;
    vs_http2_state state;
    bool open;       /* nghttp2 knows it */
    bool head_done;  /* further fields are trailers */
    bool read_whole; /* the peer has sent all */
    bool grpc;
    bool with_body; /* false for HEAD */
    bool has_trailers;
    bool cookies;        /* text holds cookie fields */
    unsigned n_fields;   /* in text */
    size_t header_bytes; /* as RFC 9113 6.5.2 counts them, trailers included */
    vs_buf text;         /* the fields: two lengths, name, value, each */
    vs_buf body;
    int64_t deadline;      /* for what is going on now */
    int64_t grpc_deadline; /* of the caller; 0 = none */
    const vs_grpc_method *method;
    /* The response. */
    uint8_t prefix[VS_GRPC_PREFIX];
    size_t prefix_n;
    vs_buf out;
    size_t sent; /* of prefix and out */
    vs_grpc_status status;
    vs_buf message; /* encoded */
} vs_http2_stream;

struct vs_http2 {
    vs_http_conn *conn;
    nghttp2_session *session;
    vs_http2_stream *first;
    size_t held;        /* bytes of bodies of all streams */
    double strikes;     /* against floods; see vs_http2_strike */
    int64_t struck;     /* when strikes was last brought up to date */
    int64_t idle_until; /* while there is no stream */
    int64_t write_until;
    bool draining;
};

/* A frame that costs us work and the peer nothing. Too many at a time end the connection. */
void vs_http2_strike(vs_http2 *two);

VS_MUST bool vs_http2_stream_open(vs_http2 *two, int32_t id);
void vs_http2_stream_field(vs_http2_stream *s, vs_span name, vs_span value);
/* All fields are there: refuses what needs no body to be refused. */
void vs_http2_stream_head(vs_http2_stream *s);
void vs_http2_stream_data(vs_http2_stream *s, vs_span data);
/* The peer has sent all: to the handler. */
void vs_http2_stream_end(vs_http2_stream *s);
void vs_http2_stream_tick(vs_http2_stream *s, int64_t now);
/* It is closed; the stream goes now, or with its job. */
void vs_http2_stream_close(vs_http2_stream *s);
/* Puts the next `n` bytes of the response, at most what is left, behind `out`. */
void vs_http2_stream_copy(vs_http2_stream *s, size_t n, vs_buf *out);

#endif
