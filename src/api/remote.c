/* SPDX-License-Identifier: Apache-2.0 */
#include "api/remote.h"

vs_code remote_open(const remote_config *cfg, vs_grpc_client **out, vs_error *err)
{
    *out = NULL;
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_span address = vs_str(cfg->address);
    if (vs_span_ends(address, VS_LIT("/")))
        address = vs_span_head(address, address.n - 1);
    const char *url =
        vs_sprintf(&a, "%s%.*s", strstr(cfg->address, "://") ? "" : "http://", VS_FMT(address));
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
