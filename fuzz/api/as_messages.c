/* SPDX-License-Identifier: Apache-2.0 */
/* What peers of the attestation service and of the provider send, by the first byte: messages of
 * each gRPC method, bodies of the REST interface, and answers to those who ask such a service. The
 * administration's methods come last, since they came last. */
#include <stdlib.h>

#include "base/log.h"

/* For its readers of bodies and tokens, which no other file needs to see. */
#include "../../src/api/as_remote.c"
#include "../../src/api/as_rest.c"

#include "api/admin_grpc.h"

static struct {
    vs_store *store;
    rvps_grpc values;
    vs_tee_trust trust;
    as_service *as;
    vs_grpc_method methods[AS_GRPC_METHODS + RVPS_GRPC_METHODS];
    vs_grpc_method administration[AS_ADMIN_METHODS + RVPS_ADMIN_METHODS];
} here;

static void start(void)
{
    static const as_config cfg;
    static const rvps_options opts;
    vs_log_setup(VS_LOG_ERROR, false, 2);
    here.trust.sample = true;
    if (vs_store_open_memory(&here.store, NULL) != VS_OK ||
        rvps_new(here.store, &opts, &here.values.rv, NULL) != VS_OK ||
        as_new(&cfg, here.store, here.values.rv, &here.trust, &here.as, NULL) != VS_OK)
        abort();
    as_grpc_methods(here.as, here.methods);
    rvps_grpc_methods(&here.values, here.methods + AS_GRPC_METHODS);
    as_admin_methods(here.as, here.administration);
    rvps_admin_methods(&here.values, here.administration + AS_ADMIN_METHODS);
}

static void serve(const vs_grpc_method *m, vs_span message, vs_arena *a)
{
    const vs_grpc_call call = {.request = message, .arena = a};
    vs_grpc_reply reply = {.body = VS_BUF(1 << 20)};
    m->handler(m->user, &call, &reply);
    if (reply.status != VS_GRPC_OK && !reply.message)
        abort();
    vs_buf_free(&reply.body);
}

static void take_body(vs_span text, vs_arena *a)
{
    vs_error err = {0};
    vs_val body;
    attestation m;
    as_result out;
    vs_code code = vs_json_parse(a, text, NULL, &body, &err);
    if (code == VS_OK)
        code = read_attestation(body, a, &m, &err);
    if (code == VS_OK)
        code = evaluate(here.as, &m, a, &out, &err);
    if (code != VS_OK && !vs_error_at(&err, 0))
        abort();
}

static void take_token(vs_span text, vs_arena *a)
{
    vs_error err = {0};
    as_result out = {0};
    vs_code code = read_token(text, a, &out, &err);
    if (code == VS_OK ? !out.status || out.explanation.kind != VS_ARRAY : !vs_error_at(&err, 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (!here.as)
        start();
    vs_arena a;
    vs_arena_init(&a, 32 << 20);
    vs_span rest = vs_span_of(data + 1, size - 1);
    enum { N = VS_COUNT(here.methods) };
    unsigned what = data[0] % (N + 2 + VS_COUNT(here.administration));
    if (what < N)
        serve(&here.methods[what], rest, &a);
    else if (what == N)
        take_body(rest, &a);
    else if (what == N + 1)
        take_token(rest, &a);
    else
        serve(&here.administration[what - N - 2], rest, &a);
    vs_arena_free(&a);
    return 0;
}
