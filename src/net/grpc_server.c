/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/grpc_wire.h"
#include "net/http_job.h"
#include "net/unix_socket.h"

enum { MESSAGE_TEXT = 1536 };

size_t vs_grpc_message_bytes(const vs_grpc_services *g)
{
    return g->message_bytes ? g->message_bytes : VS_GRPC_MESSAGE_DEFAULT;
}

vs_code vs_grpc_check(const vs_grpc_services *g, vs_error *err)
{
    if (vs_grpc_message_bytes(g) > VS_GRPC_MESSAGE_MAX)
        return vs_fail(err, VS_E_INVALID, "gRPC messages of %zu bytes, at most %d",
                       g->message_bytes, VS_GRPC_MESSAGE_MAX);
    for (size_t i = 0; i < g->n_methods; i++)
        if (!g->methods[i].path || g->methods[i].path[0] != '/')
            return vs_fail(err, VS_E_INVALID, "gRPC method %zu has no path", i);
    return VS_OK;
}

const vs_grpc_method *vs_grpc_find(const vs_grpc_services *g, vs_span path)
{
    static const vs_grpc_method health = {"/grpc.health.v1.Health/Check", vs_grpc_health_check,
                                          NULL};
    for (size_t i = 0; i < g->n_methods; i++)
        if (vs_span_is(path, g->methods[i].path))
            return g->methods[i].handler ? &g->methods[i] : NULL;
    return g->health && vs_span_is(path, health.path) ? &health : NULL;
}

bool vs_grpc_cancelled(const vs_grpc_call *call)
{
    return atomic_load(call->gone) || (call->deadline && vs_mono_ns() >= call->deadline);
}

void vs_grpc_fail(const vs_grpc_call *call, vs_grpc_reply *reply, vs_grpc_status status,
                  const char *fmt, ...)
{
    char text[MESSAGE_TEXT];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    reply->status = status;
    reply->message = vs_sprintf(call->arena, "%s", text);
}

static void fail(vs_grpc_reply *reply, vs_grpc_status status, const char *why)
{
    reply->status = status;
    reply->message = why;
}

/* Before anything of the message is read. */
static bool may_call(const vs_grpc_services *g, const vs_http_job *job, const vs_grpc_call *call,
                     vs_grpc_reply *reply)
{
    if (!job->method->known_only || call->known)
        return true;
    vs_log(VS_LOG_WARN, "grpc", "refused to a stranger", "method", job->method->path, "peer",
           vs_sprintf(call->arena, "%.*s", VS_FMT(call->http->peer)), NULL);
    fail(reply, VS_GRPC_PERMISSION_DENIED,
         g->to_strangers ? g->to_strangers : "this method is for known callers only");
    return false;
}

static void check_reply(vs_http_job *job)
{
    vs_grpc_reply *reply = &job->reply;
    if ((unsigned)reply->status > VS_GRPC_UNAUTHENTICATED)
        fail(reply, VS_GRPC_UNKNOWN, "the handler gave no known status");
    if (reply->status == VS_GRPC_OK && !vs_buf_ok(&reply->body)) {
        vs_log(VS_LOG_ERROR, "grpc", "a reply is too large, or out of memory", "method",
               job->method->path, NULL);
        fail(reply, VS_GRPC_RESOURCE_EXHAUSTED, "the reply is larger than allowed");
    }
    if (job->deadline && vs_mono_ns() >= job->deadline)
        fail(reply, VS_GRPC_DEADLINE_EXCEEDED, "the deadline passed while the call was served");
}

void vs_grpc_run(const vs_grpc_services *g, vs_http_job *job)
{
    size_t cap = vs_grpc_message_bytes(g);
    vs_grpc_call call = {.path = job->req.path,
                         .deadline = job->deadline,
                         .arena = &job->arena,
                         .http = &job->req,
                         .own = job->req.local && vs_unix_peer_is_own(job->req.local),
                         .gone = &job->cancelled};
    call.known = call.own || job->req.client || g->strangers_may;
    const char *why;
    job->reply = (vs_grpc_reply){.status = VS_GRPC_OK, .body = VS_BUF(cap)};
    if (!may_call(g, job, &call, &job->reply))
        return;
    vs_grpc_status bad = vs_grpc_unframe(job->req.body, cap, &call.request, &why);
    if (bad != VS_GRPC_OK) {
        fail(&job->reply, bad, why);
        return;
    }
    if (job->deadline && vs_mono_ns() >= job->deadline) {
        fail(&job->reply, VS_GRPC_DEADLINE_EXCEEDED, "the deadline passed before the call began");
        return;
    }
    bool health = job->method->handler == vs_grpc_health_check;
    job->method->handler(health ? g->health : job->method->user, &call, &job->reply);
    check_reply(job);
}
