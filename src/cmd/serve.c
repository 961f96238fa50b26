/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/serve.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/front.h"
#include "api/problem.h"
#include "as/metrics.h"
#include "base/clock.h"
#include "base/log.h"
#include "cmd/config_as.h"
#include "cmd/doors.h"
#include "cmd/readiness.h"
#include "cmd/server.h"
#include "kbs/journal.h"
#include "kbs/kbs.h"
#include "kbs/metrics.h"
#include "net/http_server.h"
#include "plugins/plugins.h"
#include "rvps/metrics.h"

/* Workers are for requests that wait for others: they cost memory, not processors. */
enum { WAITING_WORKERS = 32 };

/* Everything a running server owns, released in the reverse order of its making. */
typedef struct house {
    vs_store *main_store, *others[KBS_STORE_OVERRIDES], *routed, *filed, *resource_store;
    vs_store *store; /* what everybody uses: main_store, routed or filed */
    verifier_config judge;
    verifier verifier;
    kbs *kbs;
    as_veraison *veraison; /* NULL = not served */
    kbs_journal *journal;
    readiness store_works, resources_work;
    ops_check checks[3];
    ops ops;
    api_front front;
    char admin_socket[256];
    const char *admin_sockets[1];
    vs_http_server *http, *ops_http, *admin_http;
    supervised given;
    supervisor manager;
} house;

static void tear_down(house *h)
{
    vs_http_server_stop(&h->http, SERVER_DRAIN_MS);
    vs_http_server_stop(&h->admin_http, SERVER_DRAIN_MS);
    vs_http_server_stop(&h->ops_http, 0);
    readiness_stop(&h->store_works);
    readiness_stop(&h->resources_work);
    kbs_free(&h->kbs);
    as_veraison_free(&h->veraison);
    kbs_journal_free(&h->journal);
    verifier_close(&h->verifier);
    vs_store_close(&h->resource_store);
    vs_store_close(&h->filed);
    vs_store_close(&h->routed);
    for (size_t i = 0; i < KBS_STORE_OVERRIDES; i++)
        vs_store_close(&h->others[i]);
    vs_store_close(&h->main_store);
    supervisor_close(&h->manager);
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
    if (cfg->policy_in_file) {
        VS_TRY_WRAP(vs_store_open_with_file(h->store, KBS_NS_POLICY, KBS_POLICY_KEY,
                                            cfg->legacy_policy_path, &h->filed, err),
                    err, "the resource policy's file (policy_engine.policy_path) %s",
                    cfg->legacy_policy_path);
        h->store = h->filed;
    }
    if (cfg->vault)
        VS_TRY_WRAP(vault_open(cfg->vault, &h->resource_store, err), err, "resource plugin");
    if (cfg->resource_has_own_store)
        VS_TRY_WRAP(store_open(&cfg->resource_store, &h->resource_store, err), err,
                    "resource plugin storage");
    return VS_OK;
}

remote_config serve_remote(const kbs_remote *r)
{
    return (remote_config){.address = r->address,
                           .ca_cert = r->ca_cert,
                           .client_cert = r->client_cert,
                           .client_key = r->client_key};
}

static verifier_config verifier_of(const kbs_as_config *as)
{
    verifier_config out = {.remote = as->remote,
                           .service = serve_remote(&as->as),
                           .remote_rvps = as->remote_rvps,
                           .provider = serve_remote(&as->rvps),
                           .refuse_sample_values = as->refuse_sample_reference_values,
                           .require_signed_values = as->require_signed_reference_values,
                           .accept_unsigned_keys = as->accept_unsigned_attestation_keys,
                           .trust = as->trust,
                           .sample_tee = as->sample_tee,
                           .cca_config_path = as->cca_config_path,
                           .tees = as->tees,
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

static void print_metrics(vs_buf *out)
{
    as_metrics_print(out);
    rvps_metrics_print(out);
    kbs_metrics_print(out);
}

static void set_up_front(const kbs_config *cfg, house *h)
{
    h->checks[0] = (ops_check){"key broker", kbs_works, h->kbs};
    h->checks[1] = readiness_of_store(&h->store_works, "store", h->store);
    h->ops = (ops){h->checks, 2, print_metrics};
    if (h->resource_store)
        h->checks[h->ops.n_checks++] =
            readiness_of_store(&h->resources_work, "resource store", h->resource_store);
    h->front = (api_front){.k = h->kbs,
                           .ops = &h->ops,
                           .metrics = cfg->metrics_on_api,
                           .provisioning = cfg->veraison,
                           .provision = {h->kbs, cfg->open_provisioning}};
    if (h->veraison)
        h->front.veraison = (veraison_rest){kbs_handle_veraison, h->kbs};
    if (cfg->veraison && cfg->open_provisioning)
        vs_log(VS_LOG_WARN, "serve",
               "veraison.provisioning_auth = \"none\": anybody can submit endorsements", NULL);
}

/* Sessions are answered by the verifier, which must be in this process; endorsements are not. */
static vs_code start_veraison(const kbs_config *cfg, house *h, vs_error *err)
{
    const as_veraison_config how = as_veraison_config_of(&cfg->sessions);
    if (!cfg->veraison)
        return VS_OK;
    if (cfg->as.remote) {
        vs_log(VS_LOG_WARN, "serve",
               "Veraison's sessions are not served: the attestation service is another process",
               NULL);
        return VS_OK;
    }
    VS_TRY_WRAP(as_veraison_new(h->verifier.as, &how, &h->veraison, err), err, "veraison");
    kbs_set_veraison(h->kbs, h->veraison);
    return VS_OK;
}

/* Whoever comes from Trustee has its scraper at the API's port. */
static void tell_of_metrics(const kbs_config *cfg)
{
    if (vs_defined(cfg->file) && !vs_defined(config_member(cfg->file, "operations")))
        vs_log(VS_LOG_WARN, "serve",
               "/metrics is not served: on the API's port, as Trustee has it, with "
               "operations.metrics_on_api = true; on one of its own with operations.sockets",
               NULL);
}

static vs_code listen_for_operators(const kbs_config *cfg, house *h, vs_error *err)
{
    const supervised *given = &h->given;
    if (cfg->n_ops_sockets == 0 && given->n_operations == 0) {
        tell_of_metrics(cfg);
        return VS_OK;
    }
    vs_http_config http = {.sockets = cfg->ops_sockets,
                           .n_sockets = given->n_operations ? 0 : cfg->n_ops_sockets,
                           .fds = given->operations,
                           .n_fds = given->n_operations,
                           .threads = 1,
                           .workers = OPS_WORKERS,
                           .limits = {.body_bytes = 1024, .connections = 256},
                           .handler = ops_rest_handle,
                           .user = &h->ops};
    VS_TRY_WRAP(vs_http_server_start(&http, &h->ops_http, err), err, "operations");
    return VS_OK;
}

/* The same API; the socket's peer shows who it is. */
static vs_code listen_for_administrators(const kbs_config *cfg, house *h, vs_error *err)
{
    if (!cfg->admin.unix_socket)
        return VS_OK;
    (void)snprintf(h->admin_socket, sizeof h->admin_socket, "unix:%s", cfg->admin.unix_socket);
    h->admin_sockets[0] = h->admin_socket;
    vs_http_config http = {.sockets = h->admin_sockets,
                           .n_sockets = 1,
                           .threads = 1,
                           .limits = {.body_bytes = cfg->body_limit, .connections = 256},
                           .too_large = api_too_large,
                           .handler = api_front_handle,
                           .user = &h->front};
    VS_TRY_WRAP(vs_http_server_start(&http, &h->admin_http, err), err, "admin.unix_socket");
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

/* Enough for whatever part waits for others; 0 = none does. */
static unsigned workers_for(const kbs_config *cfg, const house *h)
{
    unsigned n = verifier_workers(&h->judge, &h->verifier),
             plugins = plugins_wait(cfg) ? WAITING_WORKERS : 0;
    return n > plugins ? n : plugins;
}

static vs_code listen_for_clients(const kbs_config *cfg, house *h, vs_error *err)
{
    const supervised *given = &h->given;
    vs_http_config http = {.sockets = cfg->sockets,
                           .n_sockets = given->n_api ? 0 : cfg->n_sockets,
                           .fds = given->api,
                           .n_fds = given->n_api,
                           .threads = cfg->workers,
                           .workers = workers_for(cfg, h),
                           .limits = {.body_bytes = cfg->body_limit},
                           .per_source = cfg->per_source,
                           .trusted_proxies = cfg->trusted_proxies,
                           .n_trusted_proxies = cfg->n_trusted_proxies,
                           .proxy_protocol = cfg->proxy_protocol,
                           .private_key = cfg->insecure_http ? NULL : cfg->private_key,
                           .certificate = cfg->insecure_http ? NULL : cfg->certificate,
                           .tls_min_version = cfg->tls_min_version,
                           .tls_max_version = cfg->tls_max_version,
                           .tls_ciphers = cfg->tls_ciphers,
                           .tls_groups = cfg->tls_groups,
                           .client_ca = cfg->admin.client_ca,
                           .too_large = api_too_large,
                           .handler = api_front_handle,
                           .user = &h->front};
    VS_TRY_WRAP(vs_http_server_start(&http, &h->http, err), err, "http_server");
    return VS_OK;
}

/* ---- building ---------------------------------------------------------------------------------
 */

static vs_code shut_doors(const kbs_config *cfg, const serve_how *o, const house *h, vs_error *err)
{
    const char *plugin = o->no_sandbox ? NULL : plugins_outside_sandbox(cfg);
    if (plugin) {
        vs_log(VS_LOG_WARN, "serve",
               "sandbox is off: what the HSM's module works on is not known (plugins.token_paths)",
               "plugin", plugin, NULL);
        return VS_OK;
    }
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    sandbox s = {.n_read = 0};
    doors_environment(&s);
    sandbox_may_read(&s, o->config_file);
    doors_verifier(&s, &a, &h->judge, &h->verifier.trust);
    doors_kbs(&s, &a, cfg);
    return doors_shut(&s, o->no_sandbox, err);
}

static vs_code build(const kbs_config *cfg, const serve_how *o, house *h, vs_error *err)
{
    VS_TRY(open_stores(cfg, h, err));
    h->judge = verifier_of(&cfg->as);
    VS_TRY(verifier_open(&h->judge, h->store, &h->verifier, err));
    VS_TRY_WRAP(plugins_prepare(cfg, err), err, "plugins");
    VS_TRY(shut_doors(cfg, o, h, err));
    vs_store *resources = h->resource_store ? h->resource_store : h->store;
    VS_TRY_WRAP(kbs_new(cfg, h->store, resources, h->verifier.as, h->verifier.rv, &h->kbs, err),
                err, "key broker");
    VS_TRY_WRAP(plugins_attach(cfg, h->kbs, err), err, "plugins");
    VS_TRY_WRAP(start_journal(cfg, h, err), err, "operations");
    VS_TRY(start_veraison(cfg, h, err));
    set_up_front(cfg, h);
    VS_TRY(listen_for_clients(cfg, h, err));
    VS_TRY(listen_for_administrators(cfg, h, err));
    return listen_for_operators(cfg, h, err);
}

static void say_ready(const kbs_config *cfg, const house *h)
{
    size_t n = h->given.n_api ? 0 : cfg->n_sockets;
    for (size_t i = 0; i < n; i++)
        server_say("ready", cfg->insecure_http ? "http" : "https", cfg->sockets[i], h->http, i);
    n = h->given.n_operations ? 0 : cfg->n_ops_sockets;
    for (size_t i = 0; i < n; i++)
        server_say("operations", "http", cfg->ops_sockets[i], h->ops_http, i);
    if (h->given.n_api)
        puts("ready");
    if (cfg->admin.unix_socket)
        printf("administration unix:%s\n", cfg->admin.unix_socket);
    (void)fflush(stdout);
    vs_log(VS_LOG_INFO, "serve", "ready", "version", VS_VERSION, NULL);
}

/* ---- reload -----------------------------------------------------------------------------------
 */

static void tell_restart(void *user, const char *key)
{
    (void)user;
    vs_log(VS_LOG_WARN, "serve", "a changed setting needs a restart", "key", key, NULL);
}

/* Everything is read and checked before anything is changed; what remains then cannot fail. */
static vs_code reload(const kbs_config *cfg, const serve_how *o, const house *h, vs_arena *a,
                      vs_error *err)
{
    kbs_config fresh = {0};
    kbs_rules *rules = NULL;
    VS_TRY(o->load(o->user, a, &fresh, err));
    VS_TRY(kbs_reload_check(h->kbs, &fresh, a, &rules, err));
    vs_code code = cfg->insecure_http ? VS_OK : vs_http_server_reload_tls(h->http, err);
    if (code != VS_OK) {
        kbs_rules_drop(rules);
        return vs_wrap(err, "[http_server] certificate and private_key");
    }
    vs_log_set_level(fresh.log_level);
    vs_http_server_limit_sources(h->http, fresh.per_source);
    kbs_config_needs_restart(cfg->file, fresh.file, tell_restart, NULL);
    kbs_reload_apply(h->kbs, rules);
    return VS_OK;
}

typedef struct running {
    const kbs_config *cfg;
    const serve_how *how;
    const house *h;
} running;

static void on_hangup(void *user)
{
    const running *r = user;
    vs_error err = {0};
    vs_arena a;
    vs_arena_init(&a, 0);
    kbs_journal_rotate(r->h->journal);
    if (reload(r->cfg, r->how, r->h, &a, &err) == VS_OK)
        vs_log(VS_LOG_INFO, "serve", "configuration reloaded", NULL);
    else
        vs_log_error(VS_LOG_ERROR, "serve", "configuration not reloaded, the old one stays", &err);
    vs_arena_free(&a);
}

/* ---- running ----------------------------------------------------------------------------------
 */

static void tick(void *user)
{
    kbs_tick(((const running *)user)->h->kbs, vs_now_s());
}

int serve_run(const kbs_config *cfg, const serve_how *o)
{
    server_prepare();
    house h = {0};
    vs_error err = {0};
    supervisor_open(&h.manager);
    vs_code code = supervised_sockets(&h.given, &err);
    if (code == VS_OK)
        code = build(cfg, o, &h, &err);
    if (code == VS_OK) {
        say_ready(cfg, &h);
        running r = {cfg, o, &h};
        const server_events events = {.tick = tick, .reload = on_hangup, .user = &r};
        server_wait(&h.manager, &events);
    } else {
        vs_log_error(VS_LOG_ERROR, "serve", "cannot start", &err);
    }
    tear_down(&h);
    return code == VS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
