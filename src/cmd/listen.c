/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/listen.h"

#include "base/log.h"
#include "config/config.h"

vs_code listen_check(const listen_options *o, vs_error *err)
{
    if (!config_socket_ok(o->socket))
        return vs_fail(err, VS_E_INVALID, "\"%.80s\" is not IP:port", o->socket);
    if (!o->certificate != !o->private_key)
        return vs_fail(err, VS_E_INVALID, "TLS needs both --https-pubkey-cert and --https-prikey");
    if (o->client_ca && !o->certificate)
        return vs_fail(err, VS_E_INVALID,
                       "--client-ca needs --https-pubkey-cert and --https-prikey");
    return VS_OK;
}

vs_code listen_start(const listen_options *o, vs_http_config *http, vs_http_server **out,
                     vs_error *err)
{
    http->sockets = &o->socket;
    http->n_sockets = 1;
    http->certificate = o->certificate;
    http->private_key = o->private_key;
    http->client_ca = o->client_ca;
    http->client_cert_required = o->client_ca != NULL;
    return vs_http_server_start(http, out, err);
}

void listen_ready(const char *program, const listen_options *o, bool changes_trust,
                  const vs_http_server *server)
{
    if (changes_trust && !o->client_ca)
        server_warn_open(program, o->socket);
    server_say("ready", o->certificate ? "https" : "http", o->socket, server, 0);
    vs_log(VS_LOG_INFO, "serve", "ready", "program", program, "version", VS_VERSION, NULL);
}
