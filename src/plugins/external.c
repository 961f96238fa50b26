/* SPDX-License-Identifier: Apache-2.0 */
/*
 * External plugins: programs that answer gRPC (proto/plugin.proto, kbs.md 3.1). The first segment
 * of the path names the backend, the rest is its business. A backend is asked ValidateAuth before
 * anybody is authorised, and so sees the body of a stranger's request; it never sees claims.
 */
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "kbs/metrics.h"
#include "net/grpc.h"
#include "net/pb.h"
#include "plugin.pb-c.h"
#include "plugins/plugins.h"

#define SERVICE "/kbs.plugin.v1.KbsPlugin/"

enum {
    START_MS = 30000,
    FIRST_PAUSE_MS = 100,
    LAST_PAUSE_MS = 5000,
    PROBE_MS = 5000,
    CONNECTIONS = 32,
    MESSAGE_MAX = 17 * 1024 * 1024, /* the largest secret, and what is around it */
    ARENA_MAX = 40 * 1024 * 1024,
};

typedef struct backend {
    vs_span name;
    vs_grpc_client *client;
} backend;

typedef struct external {
    size_t n;
    backend backends[];
} external;

/* ---- requests -----------------------------------------------------------------------------------
 */

typedef Kbs__Plugin__V1__PluginRequest request_msg;
typedef Kbs__Plugin__V1__PluginRequest__QueryEntry query_msg;

/* Texts end at a NUL in protobuf-c: what holds one would reach the backend as another text. */
static vs_code text_of(vs_arena *a, vs_span s, char **out, vs_error *err)
{
    if (s.n > 0 && memchr(s.p, 0, s.n))
        return vs_fail(err, VS_E_INVALID, "the path or the query holds a NUL character");
    *out = (char *)(uintptr_t)vs_dup(a, s).p;
    return vs_arena_check(a, err);
}

static vs_code put_path(const kbs_plugin_call *call, request_msg *m, vs_error *err)
{
    m->n_path = call->n_path - 1;
    m->path = vs_alloc_array(call->arena, m->n_path, sizeof *m->path);
    VS_TRY(vs_arena_check(call->arena, err));
    for (size_t i = 0; i < m->n_path; i++)
        VS_TRY(text_of(call->arena, call->path[i + 1], &m->path[i], err));
    return VS_OK;
}

static vs_code put_query(const kbs_plugin_call *call, request_msg *m, vs_error *err)
{
    m->query = vs_alloc_array(call->arena, call->query.len, sizeof *m->query);
    VS_TRY(vs_arena_check(call->arena, err));
    for (VS_OBJ_FOR (pair, call->query)) {
        query_msg *e = VS_NEW(call->arena, query_msg);
        VS_TRY(vs_arena_check(call->arena, err));
        kbs__plugin__v1__plugin_request__query_entry__init(e);
        VS_TRY(text_of(call->arena, vs_text(pair->key), &e->key, err));
        VS_TRY(text_of(call->arena, vs_text(pair->val), &e->value, err));
        m->query[m->n_query++] = e;
    }
    return VS_OK;
}

/* All three requests have the same fields, and so the same bytes. */
static vs_code pack(const kbs_plugin_call *call, vs_buf *out, vs_error *err)
{
    static const char *const methods[] = {
        [KBS_GET] = "GET", [KBS_POST] = "POST", [KBS_PUT] = "PUT", [KBS_DELETE] = "DELETE"};
    request_msg m = KBS__PLUGIN__V1__PLUGIN_REQUEST__INIT;
    m.body = (ProtobufCBinaryData){call->body.n, (uint8_t *)(uintptr_t)call->body.p};
    m.method = (char *)(uintptr_t)methods[call->method];
    VS_TRY(put_path(call, &m, err));
    VS_TRY(put_query(call, &m, err));
    vs_pb_pack(out, &m.base);
    return vs_buf_check(out, err);
}

static vs_code find_backend(const external *x, const kbs_plugin_call *call, const backend **out,
                            vs_error *err)
{
    for (size_t i = 0; call->n_path > 0 && i < x->n; i++) {
        if (vs_span_eq(call->path[0], x->backends[i].name)) {
            *out = &x->backends[i];
            return VS_OK;
        }
    }
    return vs_fail(err, VS_E_NOT_FOUND, "no external plugin of that name");
}

/* One call; the answer is unpacked on `a`, which the caller wipes. */
static vs_code ask(const external *x, const kbs_plugin_call *call, const char *rpc,
                   const ProtobufCMessageDescriptor *type, const backend **b, vs_arena *a,
                   ProtobufCMessage **out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf request = VS_BUF(VS_STORE_VALUE_MAX + (1 << 20));
    VS_CLEANUP(vs_buf_free) vs_buf reply = VS_BUF(MESSAGE_MAX);
    VS_TRY(find_backend(x, call, b, err));
    VS_TRY(pack(call, &request, err));
    vs_arena_init(a, ARENA_MAX);
    vs_code code = vs_grpc_client_call((*b)->client, rpc, vs_buf_span(&request), &reply, NULL, err);
    if (code == VS_OK)
        code = vs_pb_unpack(a, type, vs_buf_span(&reply), out, err);
    if (code != VS_OK) {
        vs_metric_add(&kbs_m_plugin_errors, (*b)->name, 1);
        (void)vs_wrap(err, "external plugin %.*s", VS_FMT((*b)->name));
    }
    return code;
}

static vs_code wants_admin(void *self, const kbs_plugin_call *call, bool *admin, vs_error *err)
{
    VS_CLEANUP(vs_arena_wipe) vs_arena a = {0};
    const backend *b;
    ProtobufCMessage *m = NULL;
    VS_TRY(ask(self, call, SERVICE "ValidateAuth",
               &kbs__plugin__v1__validate_auth_response__descriptor, &b, &a, &m, err));
    *admin = ((Kbs__Plugin__V1__ValidateAuthResponse *)m)->requires_admin_auth;
    return VS_OK;
}

static vs_code wants_encryption(void *self, const kbs_plugin_call *call, bool *encrypt,
                                vs_error *err)
{
    VS_CLEANUP(vs_arena_wipe) vs_arena a = {0};
    const backend *b;
    ProtobufCMessage *m = NULL;
    VS_TRY(ask(self, call, SERVICE "NeedsEncryption",
               &kbs__plugin__v1__needs_encryption_response__descriptor, &b, &a, &m, err));
    *encrypt = ((Kbs__Plugin__V1__NeedsEncryptionResponse *)m)->requires_payload_encryption;
    return VS_OK;
}

static vs_code handle(void *self, const kbs_plugin_call *call, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_arena_wipe) vs_arena a = {0};
    const backend *b = NULL;
    ProtobufCMessage *m = NULL;
    VS_TRY(find_backend(self, call, &b, err));
    vs_metric_add(&kbs_m_plugin_requests, b->name, 1);
    int64_t start = vs_mono_ns();
    vs_code code = ask(self, call, SERVICE "Handle", &kbs__plugin__v1__plugin_response__descriptor,
                       &b, &a, &m, err);
    vs_metric_observe(&kbs_m_plugin_seconds, b->name, vs_mono_ns() - start);
    VS_TRY(code);
    const Kbs__Plugin__V1__PluginResponse *r = (const Kbs__Plugin__V1__PluginResponse *)m;
    if (r->status_code != 0 && (r->status_code < 200 || r->status_code > 299)) {
        vs_metric_add(&kbs_m_plugin_errors, b->name, 1);
        return vs_fail(err, VS_E_DENIED, "external plugin %.*s answered with status %d",
                       VS_FMT(b->name), (int)r->status_code);
    }
    vs_buf_put(out, vs_span_of(r->body.data, r->body.len));
    return vs_buf_check(out, err);
}

/* ---- start --------------------------------------------------------------------------------------
 */

static void pause_ms(int64_t ms)
{
    struct timespec t = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000L};
    (void)nanosleep(&t, NULL);
}

/* Any answer of a gRPC server will do: few plugins have the health service. */
static bool is_there(vs_grpc_client *probe, vs_error *err)
{
    vs_grpc_serving said;
    return vs_grpc_client_health(probe, "", &said, err) == VS_OK;
}

static vs_code wait_for(const kbs_backend_config *cfg, int64_t until, vs_error *err)
{
    const vs_grpc_client_config probe_cfg = {.url = cfg->endpoint,
                                             .ca_file = cfg->ca_cert_path,
                                             .connections = 1,
                                             .connect_ms = PROBE_MS,
                                             .call_ms = PROBE_MS};
    vs_grpc_client *probe = NULL;
    VS_TRY(vs_grpc_client_new(&probe_cfg, &probe, err));
    int64_t pause = FIRST_PAUSE_MS;
    bool there = is_there(probe, err);
    while (!there && vs_mono_ns() + pause * 1000000 < until) {
        pause_ms(pause);
        pause = pause * 2 < LAST_PAUSE_MS ? pause * 2 : LAST_PAUSE_MS;
        there = is_there(probe, err);
    }
    vs_grpc_client_free(&probe);
    if (!there)
        return vs_wrap(err, "no connection");
    vs_log(VS_LOG_INFO, "plugins", "connected to an external plugin", "backend", cfg->name,
           "endpoint", cfg->endpoint, NULL);
    return VS_OK;
}

static vs_code add_backend(external *x, const kbs_backend_config *cfg, int64_t until, vs_error *err)
{
    const vs_grpc_client_config client = {.url = cfg->endpoint,
                                          .ca_file = cfg->ca_cert_path,
                                          .connections = CONNECTIONS,
                                          .connect_ms = (unsigned)cfg->timeout_ms,
                                          .call_ms = (unsigned)cfg->timeout_ms,
                                          .message_bytes = MESSAGE_MAX};
    x->backends[x->n].name = vs_str(cfg->name);
    VS_TRY(vs_grpc_client_new(&client, &x->backends[x->n].client, err));
    x->n++;
    return wait_for(cfg, until, err);
}

static void free_external(void *self)
{
    external *x = self;
    for (size_t i = 0; i < x->n; i++)
        vs_grpc_client_free(&x->backends[i].client);
    free(x);
}

static const kbs_plugin_ops ops = {.wants_admin = wants_admin,
                                   .handle = handle,
                                   .wants_encryption = wants_encryption,
                                   .free = free_external};

vs_code external_plugin(const kbs_backend_config *backends, size_t n, unsigned start_ms,
                        kbs_plugin *out, vs_error *err)
{
    int64_t until = vs_mono_ns() + (int64_t)(start_ms ? start_ms : START_MS) * 1000000;
    external *x = calloc(1, sizeof *x + n * sizeof x->backends[0]);
    if (!x)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        vs_code code = add_backend(x, &backends[i], until, err);
        if (code != VS_OK) {
            (void)vs_wrap(err, "backend \"%s\" at %s", backends[i].name, backends[i].endpoint);
            free_external(x);
            return code;
        }
    }
    *out = (kbs_plugin){&ops, x};
    return VS_OK;
}
