/* SPDX-License-Identifier: Apache-2.0 */
/* A real attestation service on a real port, and a client that says what a test wants said. */
#ifndef TEST_AS_SERVER_H
#define TEST_AS_SERVER_H

#include "../as/as_fixture.h"
#include "../net/wire.h"

#include "api/admin_grpc.h"
#include "api/as_grpc.h"
#include "api/as_wire.h"
#include "api/remote.h"
#include "api/rvps_grpc.h"
#include "attestation.pb-c.h"
#include "net/pb.h"
#include "reference.pb-c.h"

#define RUNTIME "{\"nonce\":\"n\",\"tee-pubkey\":{}}"

typedef struct as_server {
    world w;
    rvps_grpc values;
    /* Those of Trustee first. */
    vs_grpc_method
        methods[AS_GRPC_METHODS + RVPS_GRPC_METHODS + AS_ADMIN_METHODS + RVPS_ADMIN_METHODS];
    vs_grpc_services services;
    vs_http_server *http;
    vs_grpc_client *client;
    vs_buf reply;
    char error[VS_ERROR_TEXT];
} as_server;

static inline void server_start(as_server *s, const vs_grpc_services *services)
{
    vs_error err = {0};
    vs_http_config cfg = {.sockets = any_port,
                          .n_sockets = 1,
                          .threads = 1,
                          .handler = s->w.as ? as_wire_beside : NULL,
                          .user = s->w.as,
                          .grpc = services};
    assert_vs_ok(vs_http_server_start(&cfg, &s->http, &err), &err);
    char address[40];
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", vs_http_server_port(s->http, 0));
    const remote_config remote = {.address = address, .call_ms = 5000};
    assert_vs_ok(remote_open(&remote, &s->client, &err), &err);
    s->reply = (vs_buf)VS_BUF(1 << 20);
}

static inline int server_setup(void **state)
{
    vs_error err = {0};
    as_server *s = calloc(1, sizeof *s);
    assert_non_null(s);
    world_open(&s->w, NULL);
    s->values = (rvps_grpc){.rv = s->w.rv, .beside_as = true};
    as_grpc_methods(s->w.as, s->methods);
    rvps_grpc_methods(&s->values, s->methods + AS_GRPC_METHODS);
    as_admin_methods(s->w.as, s->methods + AS_GRPC_METHODS + RVPS_GRPC_METHODS);
    rvps_admin_methods(&s->values,
                       s->methods + AS_GRPC_METHODS + RVPS_GRPC_METHODS + AS_ADMIN_METHODS);
    s->services = (vs_grpc_services){.methods = s->methods,
                                     .n_methods = VS_COUNT(s->methods),
                                     .to_strangers = ADMIN_TO_STRANGERS,
                                     .strangers_may = true};
    assert_vs_ok(vs_grpc_health_new(&s->services.health, &err), &err);
    assert_vs_ok(vs_grpc_health_set(s->services.health, AS_GRPC_SERVICE, VS_GRPC_SERVING, &err),
                 &err);
    server_start(s, &s->services);
    *state = s;
    return 0;
}

static inline int server_teardown(void **state)
{
    as_server *s = *state;
    vs_buf_free(&s->reply);
    vs_grpc_client_free(&s->client);
    vs_http_server_stop(&s->http, 100);
    vs_grpc_health_free(&s->services.health);
    world_close(&s->w);
    free(s);
    return 0;
}

/* The error's text is in s->error. */
static inline vs_grpc_status say_bytes(as_server *s, const char *path, vs_span request)
{
    vs_grpc_status status = VS_GRPC_UNKNOWN;
    vs_error err = {0};
    vs_buf_clear(&s->reply);
    vs_code code = vs_grpc_client_call(s->client, path, request, &s->reply, &status, &err);
    assert_int_equal(code == VS_OK, status == VS_GRPC_OK);
    (void)vs_error_text(&err, s->error, sizeof s->error);
    return status;
}

static inline vs_grpc_status say_message(as_server *s, const char *path, const ProtobufCMessage *m)
{
    VS_CLEANUP(vs_buf_free) vs_buf request = VS_BUF(4 << 20);
    vs_pb_pack(&request, m);
    assert_true(vs_buf_ok(&request));
    return say_bytes(s, path, vs_buf_span(&request));
}

static inline const void *heard(as_server *s, const ProtobufCMessageDescriptor *type)
{
    vs_error err = {0};
    ProtobufCMessage *m;
    vs_span kept = vs_dup(&s->w.a, vs_buf_span(&s->reply));
    assert_vs_ok(vs_pb_unpack(&s->w.a, type, kept, &m, &err), &err);
    return m;
}

static inline char *on_arena(as_server *s, vs_span text)
{
    return (char *)vs_dup(&s->w.a, text).p;
}

static inline char *b64url(as_server *s, const char *text)
{
    return on_arena(s, vs_b64_encode_arena(&s->w.a, VS_B64_URL, vs_str(text)));
}

/* Evidence of the sample TEE for RUNTIME, as it goes over the wire. */
static inline char *sample_evidence(as_server *s)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(1 << 16);
    as_request r = sample_request(&s->w, "sample", RUNTIME);
    vs_json_print(&text, r.evidence);
    return b64url(s, (const char *)text.p);
}

static inline void assert_says(as_server *s, const char *what)
{
    if (!strstr(s->error, what))
        fail_msg("\"%.*s\" is not in \"%.*s\"", VS_FMT(vs_str(what)), VS_FMT(vs_str(s->error)));
}

#endif
