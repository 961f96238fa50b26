/* SPDX-License-Identifier: Apache-2.0 */
#include "api/remote.h"

enum { MESSAGE_MAX = 4 * 1024 * 1024, REPLY_MAX = 16 * 1024 * 1024 };

static bool is_url(const char *address)
{
    return strstr(address, "://") || strncmp(address, "unix:", 5) == 0;
}

vs_code remote_open(const remote_config *cfg, vs_grpc_client **out, vs_error *err)
{
    *out = NULL;
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_span address = vs_str(cfg->address);
    if (vs_span_ends(address, VS_LIT("/")))
        address = vs_span_head(address, address.n - 1);
    const char *url =
        vs_sprintf(&a, "%s%.*s", is_url(cfg->address) ? "" : "http://", VS_FMT(address));
    const vs_grpc_client_config client = {.url = url,
                                          .ca_file = cfg->ca_cert,
                                          .certificate = cfg->client_cert,
                                          .private_key = cfg->client_key,
                                          .connections = cfg->connections,
                                          .call_ms = cfg->call_ms};
    vs_code code = vs_arena_check(&a, err);
    if (code == VS_OK)
        code = vs_grpc_client_new(&client, out, err);
    vs_arena_free(&a);
    return code;
}

vs_code remote_ask(const remote_peer *p, const char *path, const ProtobufCMessage *in,
                   const ProtobufCMessageDescriptor *type, vs_arena *a, const void **answer,
                   vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf request = VS_BUF(MESSAGE_MAX), reply = VS_BUF(REPLY_MAX);
    ProtobufCMessage *m;
    vs_pb_pack(&request, in);
    VS_TRY_WRAP(vs_buf_check(&request, err), err, "request to the %s", p->name);
    VS_TRY_WRAP(vs_grpc_client_call(p->client, path, vs_buf_span(&request), &reply, NULL, err), err,
                "%s", p->name);
    VS_TRY_WRAP(vs_pb_unpack(a, type, vs_buf_span(&reply), &m, err), err, "the %s's answer",
                p->name);
    *answer = m;
    return VS_OK;
}

vs_code remote_text(vs_arena *a, vs_span s, const char *what, char **out, vs_error *err)
{
    if (s.n && memchr(s.p, 0, s.n))
        return vs_fail(err, VS_E_INVALID, "%s holds a NUL character", what);
    *out = (char *)vs_dup(a, s).p;
    return vs_arena_check(a, err);
}
