/* SPDX-License-Identifier: Apache-2.0 */
#include "net/ttrpc_wire.h"

#include <stdio.h>

#include "net/pb_wire.h"

/* Field numbers of Request, Response and Status. */
enum { SERVICE = 1, METHOD = 2, PAYLOAD = 3, TIMEOUT = 4 };
enum { STATUS = 1, RESPONSE_PAYLOAD = 2 };
enum { CODE = 1, MESSAGE = 2 };
enum { MESSAGE_MAX = 4096 };

/* ---- frames ---------------------------------------------------------------------------------- */

static uint32_t read32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void write32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

vs_ttrpc_head vs_ttrpc_head_read(const uint8_t *p)
{
    return (vs_ttrpc_head){read32(p), read32(p + 4), p[8], p[9]};
}

static void put_head(vs_buf *out, size_t length, uint32_t stream, vs_ttrpc_type type)
{
    uint8_t head[VS_TTRPC_HEAD] = {0};
    write32(head, (uint32_t)length);
    write32(head + 4, stream);
    head[8] = (uint8_t)type;
    vs_buf_put(out, vs_span_of(head, sizeof head));
}

/* ---- requests -------------------------------------------------------------------------------- */

static vs_code malformed(vs_error *err, const char *what)
{
    return vs_fail(err, VS_E_PARSE, "the %s is not a well-formed message", what);
}

vs_code vs_ttrpc_request_read(vs_span payload, vs_ttrpc_request *out, vs_error *err)
{
    vs_pb_field f;
    bool bad = false;
    *out = (vs_ttrpc_request){0};
    while (vs_pb_next(&payload, &f, &bad)) {
        if (f.number <= PAYLOAD && f.is_bytes) {
            vs_span *const members[] = {&out->service, &out->method, &out->payload};
            *members[f.number - SERVICE] = f.bytes;
        } else if (f.number == TIMEOUT && !f.is_bytes) {
            out->timeout_ns = f.integer > INT64_MAX ? 0 : (int64_t)f.integer;
        } else if (f.number <= TIMEOUT) {
            return malformed(err, "request");
        }
    }
    if (bad || !vs_pb_is_text(out->service) || !vs_pb_is_text(out->method))
        return malformed(err, "request");
    return VS_OK;
}

static size_t request_size(const vs_ttrpc_request *r)
{
    return vs_pb_size_bytes(SERVICE, r->service.n) + vs_pb_size_bytes(METHOD, r->method.n) +
           (r->payload.n ? vs_pb_size_bytes(PAYLOAD, r->payload.n) : 0) +
           (r->timeout_ns > 0 ? vs_pb_size_integer(TIMEOUT, (uint64_t)r->timeout_ns) : 0);
}

bool vs_ttrpc_fits(const vs_ttrpc_request *r)
{
    return r->payload.n <= VS_TTRPC_PAYLOAD_MAX && request_size(r) <= VS_TTRPC_PAYLOAD_MAX;
}

void vs_ttrpc_request_write(vs_buf *out, uint32_t stream, const vs_ttrpc_request *r)
{
    put_head(out, request_size(r), stream, VS_TTRPC_REQUEST);
    vs_pb_put_bytes(out, SERVICE, r->service);
    vs_pb_put_bytes(out, METHOD, r->method);
    if (r->payload.n)
        vs_pb_put_bytes(out, PAYLOAD, r->payload);
    if (r->timeout_ns > 0)
        vs_pb_put_integer(out, TIMEOUT, (uint64_t)r->timeout_ns);
}

/* ---- responses ------------------------------------------------------------------------------- */

static bool read_status(vs_span in, vs_ttrpc_response *out)
{
    vs_pb_field f;
    bool bad = false;
    out->status = VS_GRPC_OK; /* of several the last one counts */
    out->message = (vs_span){0};
    while (vs_pb_next(&in, &f, &bad)) {
        if (f.number == CODE && !f.is_bytes)
            out->status =
                f.integer <= VS_GRPC_UNAUTHENTICATED ? (vs_grpc_status)f.integer : VS_GRPC_UNKNOWN;
        else if (f.number == MESSAGE && f.is_bytes)
            out->message = f.bytes;
        else if (f.number <= MESSAGE)
            return false;
    }
    return !bad && vs_pb_is_text(out->message);
}

vs_code vs_ttrpc_response_read(vs_span payload, vs_ttrpc_response *out, vs_error *err)
{
    vs_pb_field f;
    bool bad = false;
    *out = (vs_ttrpc_response){.status = VS_GRPC_OK};
    while (vs_pb_next(&payload, &f, &bad)) {
        if (f.number > RESPONSE_PAYLOAD)
            continue;
        if (!f.is_bytes || (f.number == STATUS && !read_status(f.bytes, out)))
            return malformed(err, "response");
        if (f.number == RESPONSE_PAYLOAD)
            out->payload = f.bytes;
    }
    return bad ? malformed(err, "response") : VS_OK;
}

/* At most MESSAGE_MAX bytes of text, no character cut in two. */
static vs_span cut_text(vs_span s)
{
    size_t n = s.n < MESSAGE_MAX ? s.n : MESSAGE_MAX;
    while (n > 0 && n < s.n && (s.p[n] & 0xc0) == 0x80)
        n--;
    return vs_span_head(s, n);
}

static void write_failure(vs_buf *out, uint32_t stream, vs_grpc_status status, vs_span message)
{
    vs_span text = cut_text(message);
    size_t inner = vs_pb_size_integer(CODE, (uint64_t)status) + vs_pb_size_bytes(MESSAGE, text.n);
    put_head(out, vs_pb_size_bytes(STATUS, inner), stream, VS_TTRPC_RESPONSE);
    vs_pb_put_head(out, STATUS, inner);
    vs_pb_put_integer(out, CODE, (uint64_t)status);
    vs_pb_put_bytes(out, MESSAGE, text);
}

void vs_ttrpc_response_write(vs_buf *out, uint32_t stream, const vs_ttrpc_response *r)
{
    if (r->status != VS_GRPC_OK) {
        write_failure(out, stream, r->status, r->message);
        return;
    }
    size_t n = vs_pb_size_bytes(STATUS, 0) +
               (r->payload.n ? vs_pb_size_bytes(RESPONSE_PAYLOAD, r->payload.n) : 0);
    if (n > VS_TTRPC_PAYLOAD_MAX) {
        char text[96];
        (void)snprintf(text, sizeof text, "message length %zu exceed maximum message size of %d", n,
                       VS_TTRPC_PAYLOAD_MAX);
        write_failure(out, stream, VS_GRPC_INVALID_ARGUMENT, vs_str(text));
        return;
    }
    put_head(out, n, stream, VS_TTRPC_RESPONSE);
    vs_pb_put_head(out, STATUS, 0);
    if (r->payload.n)
        vs_pb_put_bytes(out, RESPONSE_PAYLOAD, r->payload);
}
