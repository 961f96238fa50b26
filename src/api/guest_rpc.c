/* SPDX-License-Identifier: Apache-2.0 */
#include "api/guest_rpc.h"

#include "base/log.h"
#include "net/pb_wire.h"

static bool take(const guest_field *want, const vs_pb_field *f)
{
    if (f->is_bytes != want->is_bytes || (want->is_text && !vs_pb_is_text(f->bytes)))
        return false;
    if (want->is_bytes)
        *want->bytes = f->bytes;
    else
        *want->integer = f->integer;
    if (want->present)
        *want->present = true;
    return true;
}

bool guest_read(const vs_grpc_call *call, const guest_field *fields, size_t n, vs_grpc_reply *reply)
{
    vs_span in = call->request;
    vs_pb_field f;
    bool bad = false;
    while (vs_pb_next(&in, &f, &bad))
        for (size_t i = 0; i < n; i++)
            if (f.number == fields[i].number && !take(&fields[i], &f))
                bad = true;
    if (bad)
        vs_grpc_fail(call, reply, VS_GRPC_UNKNOWN, "the request is not a well-formed message");
    return !bad;
}

void guest_fail(const vs_grpc_call *call, vs_grpc_reply *reply, const char *text,
                const vs_error *err)
{
    char cause[VS_ERROR_TEXT];
    vs_log_error(VS_LOG_ERROR, "rpc", text, err);
    vs_grpc_status status = err->code == VS_E_BUSY      ? VS_GRPC_RESOURCE_EXHAUSTED
                            : err->code == VS_E_TIMEOUT ? VS_GRPC_DEADLINE_EXCEEDED
                                                        : VS_GRPC_INTERNAL;
    vs_grpc_fail(call, reply, status, "%s: %s", text, vs_error_text(err, cause, sizeof cause));
}

void guest_answer(void *user, const vs_grpc_call *call, vs_grpc_reply *reply, guest_getter get,
                  bool is_text, const char *failure)
{
    vs_span in = {0};
    vs_error err = {0};
    const guest_field fields[] = {{1, .is_bytes = true, .is_text = is_text, .bytes = &in}};
    if (!guest_read(call, fields, 1, reply))
        return;
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(reply->body.cap);
    if (get(user, in, &out, &err) != VS_OK)
        guest_fail(call, reply, failure, &err);
    else if (out.n)
        vs_pb_put_bytes(&reply->body, 1, vs_buf_span(&out));
}
