/* SPDX-License-Identifier: Apache-2.0 */
/* Those that a server asks over the network: whether they answer, and as what they should. */
#include "api/as_grpc.h"
#include "api/key_fetch.h"
#include "api/remote.h"
#include "api/rvps_grpc.h"
#include "cmd/doctor.h"
#include "cmd/serve.h"
#include "kbs/keys.h"
#include "plugins/plugins.h"

/* ---- gRPC --------------------------------------------------------------------------------------
 */

static void tell_health(doctor *d, const char *area, const char *subject, vs_grpc_serving said)
{
    if (said == VS_GRPC_NOT_SERVING)
        doctor_add(d, FINDING_PROBLEM, area, subject, "look into its log",
                   "it answers, and says that it is not serving");
    else
        doctor_add(d, FINDING_OK, area, subject, NULL,
                   said == VS_GRPC_SERVING ? "it answers and is serving"
                                           : "it answers, and does not tell its health");
}

static void check_grpc(doctor *d, const char *area, const char *subject, const remote_config *peer,
                       const char *service)
{
    remote_config cfg = *peer;
    vs_grpc_client *client = NULL;
    vs_grpc_serving said = VS_GRPC_SERVING_UNKNOWN;
    vs_error err = {0};
    cfg.connections = 1;
    cfg.call_ms = DOCTOR_PEER_MS;
    vs_code code = remote_open(&cfg, &client, &err);
    if (code == VS_OK)
        code = vs_grpc_client_health(client, service, &said, &err);
    vs_grpc_client_free(&client);
    if (code == VS_OK)
        tell_health(d, area, subject, said);
    else
        doctor_add_error(
            d, FINDING_PROBLEM, area, subject,
            strncmp(cfg.address, "https://", 8) == 0
                ? "see that it runs and listens there, and that the certificates fit: "
                  "its authority's, and ours for it"
                : "see that it runs and listens there, and that it speaks plain HTTP/2",
            &err);
}

static void check_trusted_side(doctor *d, const kbs_as_config *as)
{
    const remote_config service = serve_remote(&as->as), provider = serve_remote(&as->rvps);
    if (as->remote)
        check_grpc(d, "verifier", service.address, &service, AS_GRPC_SERVICE);
    else if (as->remote_rvps)
        check_grpc(d, "values", provider.address, &provider, RVPS_GRPC_SERVICE);
}

static void check_plugins(doctor *d, const kbs_config *cfg)
{
    for (size_t i = 0; i < cfg->n_backends; i++) {
        const kbs_backend_config *b = &cfg->backends[i];
        const remote_config peer = {.address = b->endpoint, .ca_cert = b->ca_cert_path};
        check_grpc(d, "plugin", vs_sprintf(d->a, "%s at %s", b->name, b->endpoint), &peer, "");
    }
}

/* ---- Vault -------------------------------------------------------------------------------------
 */

/* By reading what is not there: address, certificate, seal and token are all tried by that. */
static void check_vault(doctor *d, const kbs_vault_config *vault)
{
    vs_store *store = NULL;
    vs_error err = {0};
    VS_CLEANUP(vs_buf_free) vs_buf value = VS_BUF(VS_STORE_VALUE_MAX);
    if (!vault)
        return;
    kbs_vault_config cfg = *vault;
    cfg.timeout_ms = cfg.timeout_ms < DOCTOR_PEER_MS ? cfg.timeout_ms : DOCTOR_PEER_MS;
    vs_code code = vault_open(&cfg, &store, &err);
    if (code == VS_OK)
        code = vs_store_get(store, "repository", VS_LIT("vouchsafe/doctor/probe"), 0, &value, &err);
    vs_store_close(&store);
    if (code == VS_OK || code == VS_E_NOT_FOUND)
        doctor_add(d, FINDING_OK, "Vault", vault->url, NULL, "it answers and takes the token");
    else
        doctor_add_error(
            d, FINDING_PROBLEM, "Vault", vault->url,
            code == VS_E_DENIED
                ? vs_sprintf(d->a, "renew the token, or let its policy read %s", vault->mount_path)
                : "see that it runs there and is unsealed, and that ca_certs has its authority",
            &err);
}

/* ---- keys behind URLs --------------------------------------------------------------------------
 */

static vs_code read_administrators(vs_span text, kbs_keys *out, vs_error *err)
{
    return kbs_read_jwk_set(text, true, out, err);
}

static vs_code read_signers(vs_span text, kbs_keys *out, vs_error *err)
{
    return kbs_read_jwk_set(text, false, out, err);
}

/* As the server reads it, an OpenID issuer's configuration included. */
static void check_source(doctor *d, const kbs_config *cfg, const char *uri, kbs_keys_reader read,
                         bool discover)
{
    vs_error err = {0};
    kbs_sources *all = NULL;
    kbs_source *source = NULL;
    if (!uri || strncmp(uri, "https://", 8) != 0)
        return;
    const kbs_sources_config how = {.fetch = api_fetch_key,
                                    .user = (void *)(uintptr_t)cfg->key_ca_file};
    vs_code code = kbs_sources_new(&how, &all, &err);
    if (code == VS_OK)
        code = kbs_sources_add(all, uri, read, discover, &source, &err);
    if (code == VS_OK) {
        kbs_keys *keys = kbs_source_keys(source);
        doctor_add(d, FINDING_OK, "key source", uri, NULL, "%zu keys", keys->n);
        kbs_keys_unref(&keys);
    } else {
        doctor_add_error(d, FINDING_PROBLEM, "key source", uri,
                         "correct the address or key_sources.ca_file: without it the server starts "
                         "only while it still has the keys of an earlier time",
                         &err);
    }
    kbs_sources_free(&all);
}

static void check_sources(doctor *d, const kbs_config *cfg)
{
    for (size_t i = 0; i < cfg->n_trusted_jwk_sets; i++)
        check_source(d, cfg, cfg->trusted_jwk_sets[i], read_signers, true);
    for (size_t i = 0; i < cfg->admin.n_providers; i++) {
        check_source(d, cfg, cfg->admin.providers[i].public_key_uri, kbs_read_pem, false);
        check_source(d, cfg, cfg->admin.providers[i].jwk_set_uri, read_administrators, true);
    }
}

void doctor_look_at_peers(doctor *d, const kbs_config *cfg)
{
    check_trusted_side(d, &cfg->as);
    check_vault(d, cfg->vault);
    check_plugins(d, cfg);
    check_sources(d, cfg);
}
