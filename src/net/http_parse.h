/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of an HTTP/1.1 request: a strict parser of the head (RFC 9110, RFC 9112) and a decoder
 * of the chunked coding. No sockets, no allocation; everything points into the caller's buffer.
 *
 * What two parsers could read differently is refused rather than guessed (request smuggling): bare
 * LF, folded lines, space before the colon, repeated or listed Content-Length, Content-Length with
 * Transfer-Encoding, any coding but "chunked".
 */
#ifndef VS_NET_HTTP_PARSE_H
#define VS_NET_HTTP_PARSE_H

#include "net/http_server.h"

enum {
    VS_HTTP_FIELDS_MAX = 100,
    VS_HTTP_CHUNK_LINE_MAX = 256, /* chunk size with extensions */
    VS_HTTP_TRAILER_MAX = 4096,   /* trailers in all; they are read and dropped */
};

typedef struct vs_http_field {
    vs_span name, value; /* value without surrounding white space */
} vs_http_field;

typedef struct vs_http_head {
    vs_http_method method;
    vs_span path, query; /* raw; path starts with '/' or is "*" */
    vs_span authority;   /* of a target in absolute form; p == NULL: it is in origin form */
    bool http10;
    bool close; /* the connection ends after this request */
    bool chunked;
    bool expect_continue;
    uint64_t content_length; /* 0 without one */
    size_t n_fields;
    vs_http_field fields[VS_HTTP_FIELDS_MAX];
} vs_http_head;

/* Finds the end of the head in in[*scan..]. Returns its length with the empty line, 0 = not there
 * yet (*scan remembers how far was looked). *bad is set for a line feed without carriage return. */
size_t vs_http_head_end(vs_span in, size_t *scan, bool *bad);

/* Parses a complete head (with its empty line). The field Host is the target's authority where that
 * has one, whatever was sent (RFC 9112 3.2.2). Returns 0, or the status to refuse with: 400, 417,
 * 431, 501, 505. */
int vs_http_head_parse(vs_span text, vs_http_head *out);

/* The same checks for HTTP/2, where the parts come apart. */
vs_http_method vs_http_method_of(vs_span name);
VS_MUST int vs_http_target_parse(vs_span target, vs_http_head *out);

/* First field of that name; p == NULL when absent. */
vs_span vs_http_head_field(const vs_http_head *h, const char *name);

/* A decoder of the chunked coding (RFC 9112 7.1) that works in place: decoded bytes are moved to
 * the front as framing goes. Zero-initialise. */
typedef struct vs_http_chunks {
    uint8_t state;
    unsigned digits; /* of the size being read */
    size_t line;     /* bytes of the line, or of all trailers, so far */
    uint64_t left;   /* bytes of the chunk still to come */
    bool done;
} vs_http_chunks;

/* buf[0..*out) is decoded already, buf[*out..*n) is raw. Decodes what it can: *out grows, *n
 * shrinks by the framing taken away, and behind *out remains what belongs to the next request once
 * done. Returns 0, 400, or 413 when more than `limit` decoded bytes would result. */
int vs_http_chunks_feed(vs_http_chunks *c, uint8_t *buf, size_t *out, size_t *n, size_t limit);

#endif
