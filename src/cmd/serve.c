/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/serve.h"

#include <stdlib.h>

#include "api/front.h"
#include "base/clock.h"
#include "base/log.h"
#include "cmd/server.h"
#include "kbs/journal.h"
#include "kbs/kbs.h"
#include "net/http_server.h"

/* Everything a running server owns, released in the reverse order of its making. */
typedef struct house {
    vs_store *main_store, *others[KBS_STORE_OVERRIDES], *routed, *resource_store;
    vs_store *store; /* what everybody uses: main_store or routed */
    verifier verifier;
    kbs *kbs;
    kbs_journal *journal;
    ops_check checks[1];
    ops ops;
    api_front front;
    vs_http_server *http, *ops_http;
} house;

static void tear_down(house *h)
{
    vs_http_server_stop(&h->http, SERVER_DRAIN_MS);
    vs_http_server_stop(&h->ops_http, 0);
    kbs_free(&h->kbs);
    kbs_journal_free(&h->journal);
    verifier_close(&h->verifier);
    vs_store_close(&h->resource_store);
    vs_store_close(&h->routed);
    for (size_t i = 0; i < KBS_STORE_OVERRIDES; i++)
        vs_store_close(&h->others[i]);
    vs_store_close(&h->main_store);
}

/* Namespaces of the same type of store share one. */
static vs_code open_others(const kbs_config *cfg, house *h, vs_error *err)
{
    vs_store_route routes[KBS_STORE_OVERRIDES];
    for (size_t i = 0; i < cfg->n_store_overrides; i++) {
        const kbs_store_override *o = &cfg->store_overrides[i];
        size_t same = 0;
        while (cfg->store_overrides[same].store.type != o->store.type)
            same++;
        if (same == i)
            VS_TRY_WRAP(store_open(&o->store, &h->others[i], err), err, "storage of %s", o->ns);
        routes[i] = (vs_store_route){o->ns, h->others[same]};
    }
    return vs_store_open_routed(h->main_store, routes, cfg->n_store_overrides, &h->routed, err);
}

static vs_code open_stores(const kbs_config *cfg, house *h, vs_error *err)
{
    VS_TRY_WRAP(store_open(&cfg->storage, &h->main_store, err), err, "storage_backend");
    if (cfg->n_store_overrides)
        VS_TRY(open_others(cfg, h, err));
    h->store = h->routed ? h->routed : h->main_store;
    if (cfg->resource_has_own_store)
        VS_TRY_WRAP(store_open(&cfg->resource_store, &h->resource_store, err), err,
                    "resource plugin storage");
    return VS_OK;
}

static remote_config remote_of(const kbs_remote *r)
{
    return (remote_config){.address = r->address,
                           .ca_cert = r->ca_cert,
                           .client_cert = r->client_cert,
                           .client_key = r->client_key};
}

static verifier_config verifier_of(const kbs_as_config *as)
{
    verifier_config out = {.remote = as->remote,
                           .service = remote_of(&as->as),
                           .remote_rvps = as->remote_rvps,
                           .provider = remote_of(&as->rvps),
                           .refuse_sample_values = as->refuse_sample_reference_values,
                           .require_signed_values = as->require_signed_reference_values,
                           .anchors = as->rvps_anchors,
                           .n_anchors = as->n_rvps_anchors,
                           .sample_tee = as->sample_tee,
                           .cca_config_path = as->cca_config_path,
                           .as = {.duration_min = as->duration_min,
                                  .issuer_name = as->issuer_name,
                                  .developer_name = as->developer_name,
                                  .build_name = as->build_name,
                                  .profile_name = as->profile_name,
                                  .signer_key_path = as->signer_key_path,
                                  .signer_cert_path = as->signer_cert_path,
                                  .signer_cert_url = as->signer_cert_url,
                                  .terse_token = !as->verbose_token}};
    out.service.connections = (unsigned)as->pool_size;
    return out;
}

static vs_code kbs_works(void *user, vs_error *err)
{
    return kbs_ready(user, err);
}

static void set_up_front(const kbs_config *cfg, house *h)
{
    h->checks[0] = (ops_check){"key broker", kbs_works, h->kbs};
    h->ops = (ops){h->checks, VS_COUNT(h->checks)};
    h->front = (api_front){h->kbs, &h->ops, cfg->metrics_on_api};
}

static vs_code listen_for_operators(const kbs_config *cfg, house *h, vs_error *err)
{
    if (cfg->n_ops_sockets == 0)
        return VS_OK;
    vs_http_config http = {.sockets = cfg->ops_sockets,
                           .n_sockets = cfg->n_ops_sockets,
                           .threads = 1,
                           .limits = {.body_bytes = 1024, .connections = 256},
                           .handler = ops_rest_handle,
                           .user = &h->ops};
    VS_TRY_WRAP(vs_http_server_start(&http, &h->ops_http, err), err, "operations");
    return VS_OK;
}

static vs_code start_journal(const kbs_config *cfg, house *h, vs_error *err)
{
    const kbs_journal_config journal = {.store = h->store,
                                        .audit_path = cfg->audit_log,
                                        .audit_each = cfg->audit_each,
                                        .keep_days = (unsigned)cfg->keep_decisions_days};
    VS_TRY(kbs_journal_new(&journal, &h->journal, err));
    kbs_set_journal(h->kbs, h->journal);
    return VS_OK;
}

static vs_code build(const kbs_config *cfg, house *h, vs_error *err)
{
    VS_TRY(open_stores(cfg, h, err));
    verifier_config judge = verifier_of(&cfg->as);
    VS_TRY(verifier_open(&judge, h->store, &h->verifier, err));
    vs_store *resources = h->resource_store ? h->resource_store : h->store;
    VS_TRY_WRAP(kbs_new(cfg, h->store, resources, h->verifier.as, h->verifier.rv, &h->kbs, err),
                err, "key broker");
    VS_TRY_WRAP(start_journal(cfg, h, err), err, "operations");
    set_up_front(cfg, h);
    vs_http_config http = {.sockets = cfg->sockets,
                           .n_sockets = cfg->n_sockets,
                           .threads = cfg->workers,
                           .workers = verifier_workers(&judge),
                           .limits = {.body_bytes = cfg->body_limit},
                           .private_key = cfg->insecure_http ? NULL : cfg->private_key,
                           .certificate = cfg->insecure_http ? NULL : cfg->certificate,
                           .tls_min_version = cfg->tls_min_version,
                           .tls_max_version = cfg->tls_max_version,
                           .tls_ciphers = cfg->tls_ciphers,
                           .tls_groups = cfg->tls_groups,
                           .handler = api_front_handle,
                           .user = &h->front};
    VS_TRY_WRAP(vs_http_server_start(&http, &h->http, err), err, "http_server");
    return listen_for_operators(cfg, h, err);
}

static void say_ready(const kbs_config *cfg, const house *h)
{
    for (size_t i = 0; i < cfg->n_sockets; i++)
        server_say("ready", cfg->insecure_http ? "http" : "https", cfg->sockets[i], h->http, i);
    for (size_t i = 0; i < cfg->n_ops_sockets; i++)
        server_say("operations", "http", cfg->ops_sockets[i], h->ops_http, i);
    vs_log(VS_LOG_INFO, "serve", "ready", "version", VS_VERSION, NULL);
}

static void tick(void *k)
{
    kbs_tick(k, vs_now_s());
}

int serve_run(const kbs_config *cfg)
{
    server_prepare();
    house h = {0};
    vs_error err = {0};
    vs_code code = build(cfg, &h, &err);
    if (code == VS_OK) {
        say_ready(cfg, &h);
        server_wait(tick, h.kbs);
    } else {
        vs_log_error(VS_LOG_ERROR, "serve", "cannot start", &err);
    }
    tear_down(&h);
    return code == VS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
