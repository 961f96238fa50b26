/* SPDX-License-Identifier: Apache-2.0 */
/* Envelopes of ttrpc: what is taken is written and read again, and is the same. */
#include "net/ttrpc_wire.h"

static void require(bool ok)
{
    if (!ok)
        __builtin_trap();
}

static void request(vs_span in)
{
    vs_ttrpc_request r, again;
    if (vs_ttrpc_request_read(in, &r, NULL) != VS_OK || !vs_ttrpc_fits(&r))
        return;
    vs_buf frame = VS_BUF(VS_TTRPC_FRAME_MAX);
    vs_ttrpc_request_write(&frame, 1, &r);
    vs_span payload = vs_span_from(vs_buf_span(&frame), VS_TTRPC_HEAD);
    require(vs_ttrpc_head_read(frame.p).length == payload.n);
    require(vs_ttrpc_request_read(payload, &again, NULL) == VS_OK);
    require(vs_span_eq(r.service, again.service) && vs_span_eq(r.method, again.method));
    require(vs_span_eq(r.payload, again.payload) && r.timeout_ns == again.timeout_ns);
    vs_buf_free(&frame);
}

static void response(vs_span in)
{
    vs_ttrpc_response r, again;
    if (vs_ttrpc_response_read(in, &r, NULL) != VS_OK)
        return;
    vs_buf frame = VS_BUF(VS_TTRPC_FRAME_MAX);
    vs_ttrpc_response_write(&frame, 1, &r);
    vs_span payload = vs_span_from(vs_buf_span(&frame), VS_TTRPC_HEAD);
    require(vs_ttrpc_response_read(payload, &again, NULL) == VS_OK);
    require(again.status == r.status || again.status == VS_GRPC_INVALID_ARGUMENT);
    require(r.status != VS_GRPC_OK || vs_span_eq(r.payload, again.payload));
    vs_buf_free(&frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    request(vs_span_of(data, size));
    response(vs_span_of(data, size));
    return 0;
}
