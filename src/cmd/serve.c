/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/serve.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include "api/front.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "kbs/journal.h"
#include "kbs/kbs.h"
#include "net/http_server.h"
#include "tee/cca/trust.h"

enum { TICK_S = 60, DRAIN_MS = 10000, ANCHOR_FILE_MAX = 1 << 20 };

/* Everything a running server owns, released in the reverse order of its making. */
typedef struct house {
    vs_store *main_store, *others[KBS_STORE_OVERRIDES], *routed, *resource_store;
    vs_store *store; /* what everybody uses: main_store or routed */
    rvps *rv;
    rvps_anchors *anchors;
    vs_tee_trust trust;
    as_service *as;
    kbs *kbs;
    kbs_journal *journal;
    ops_check checks[1];
    ops ops;
    api_front front;
    char admin_socket[256];
    const char *admin_sockets[1];
    vs_http_server *http, *ops_http, *admin_http;
} house;

static void tear_down(house *h)
{
    vs_http_server_stop(&h->http, DRAIN_MS);
    vs_http_server_stop(&h->admin_http, DRAIN_MS);
    vs_http_server_stop(&h->ops_http, 0);
    kbs_free(&h->kbs);
    kbs_journal_free(&h->journal);
    as_free(&h->as);
    cca_trust_free(&h->trust.cca);
    rvps_free(&h->rv);
    rvps_anchors_free(&h->anchors);
    vs_store_close(&h->resource_store);
    vs_store_close(&h->routed);
    for (size_t i = 0; i < KBS_STORE_OVERRIDES; i++)
        vs_store_close(&h->others[i]);
    vs_store_close(&h->main_store);
}

static vs_code open_store(const kbs_store_config *cfg, vs_store **out, vs_error *err)
{
    switch (cfg->type) {
    case KBS_STORE_SQLITE: return vs_store_open_sqlite(cfg->path, out, err);
    case KBS_STORE_LOCALFS: return vs_store_open_localfs(cfg->path, out, err);
    case KBS_STORE_TREE: return vs_store_open_tree(cfg->path, out, err);
    case KBS_STORE_MEMORY: return vs_store_open_memory(out, err);
    case KBS_STORE_LOCALJSON: return vs_store_open_localjson(cfg->path, out, err);
    case KBS_STORE_POSTGRES: return vs_store_open_postgres(&cfg->postgres, out, err);
    }
    return vs_fail(err, VS_E_INTERNAL, "unknown storage type %d", (int)cfg->type);
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
            VS_TRY_WRAP(open_store(&o->store, &h->others[i], err), err, "storage of %s", o->ns);
        routes[i] = (vs_store_route){o->ns, h->others[same]};
    }
    return vs_store_open_routed(h->main_store, routes, cfg->n_store_overrides, &h->routed, err);
}

static vs_code open_stores(const kbs_config *cfg, house *h, vs_error *err)
{
    VS_TRY_WRAP(open_store(&cfg->storage, &h->main_store, err), err, "storage_backend");
    if (cfg->n_store_overrides)
        VS_TRY(open_others(cfg, h, err));
    h->store = h->routed ? h->routed : h->main_store;
    if (cfg->resource_has_own_store)
        VS_TRY_WRAP(open_store(&cfg->resource_store, &h->resource_store, err), err,
                    "resource plugin storage");
    return VS_OK;
}

/* CCA is served when its configuration can be read; without the file CCA evidence is refused, which
 * an operator who does not use CCA need not hear as an error. */
static vs_code load_trust(const kbs_config *cfg, house *h, vs_error *err)
{
    h->trust.sample = cfg->as.sample_tee;
    if (h->trust.sample)
        vs_log(VS_LOG_WARN, "serve", "the sample TEE is accepted: its evidence proves nothing",
               NULL);
    vs_code code = cca_trust_load(cfg->as.cca_config_path, &h->trust.cca, err);
    if (code == VS_E_NOT_FOUND) {
        vs_log(VS_LOG_INFO, "serve", "no CCA verifier configuration: CCA evidence will be refused",
               "file", cfg->as.cca_config_path, NULL);
        return VS_OK;
    }
    return code;
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

static vs_code read_anchors(const kbs_config *cfg, house *h, vs_error *err)
{
    if (cfg->as.n_rvps_anchors == 0)
        return VS_OK;
    VS_TRY(rvps_anchors_new(&h->anchors, err));
    for (size_t i = 0; i < cfg->as.n_rvps_anchors; i++) {
        VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(ANCHOR_FILE_MAX);
        VS_TRY(vs_read_file(cfg->as.rvps_anchors[i], &text, err));
        VS_TRY_WRAP(rvps_anchors_add(h->anchors, vs_buf_span(&text), err), err, "%s",
                    cfg->as.rvps_anchors[i]);
    }
    return VS_OK;
}

static vs_code start_rvps(const kbs_config *cfg, house *h, vs_error *err)
{
    VS_TRY_WRAP(read_anchors(cfg, h, err), err, "trust_anchors");
    const rvps_options options = {.refuse_sample = cfg->as.refuse_sample_reference_values,
                                  .require_signed = cfg->as.require_signed_reference_values,
                                  .anchors = h->anchors};
    return rvps_new(h->store, &options, &h->rv, err);
}

static vs_code build(const kbs_config *cfg, house *h, vs_error *err)
{
    VS_TRY(open_stores(cfg, h, err));
    VS_TRY_WRAP(start_rvps(cfg, h, err), err, "reference values");
    VS_TRY_WRAP(load_trust(cfg, h, err), err, "CCA verifier");
    as_config as = {.duration_min = cfg->as.duration_min,
                    .issuer_name = cfg->as.issuer_name,
                    .developer_name = cfg->as.developer_name,
                    .build_name = cfg->as.build_name,
                    .profile_name = cfg->as.profile_name,
                    .signer_key_path = cfg->as.signer_key_path,
                    .signer_cert_path = cfg->as.signer_cert_path,
                    .signer_cert_url = cfg->as.signer_cert_url,
                    .terse_token = !cfg->as.verbose_token};
    VS_TRY_WRAP(as_new(&as, h->store, h->rv, &h->trust, &h->as, err), err, "attestation service");
    vs_store *resources = h->resource_store ? h->resource_store : h->store;
    VS_TRY_WRAP(kbs_new(cfg, h->store, resources, h->as, h->rv, &h->kbs, err), err, "key broker");
    VS_TRY_WRAP(start_journal(cfg, h, err), err, "operations");
    set_up_front(cfg, h);
    vs_http_config http = {.sockets = cfg->sockets,
                           .n_sockets = cfg->n_sockets,
                           .threads = cfg->workers,
                           .limits = {.body_bytes = cfg->body_limit},
                           .private_key = cfg->insecure_http ? NULL : cfg->private_key,
                           .certificate = cfg->insecure_http ? NULL : cfg->certificate,
                           .tls_min_version = cfg->tls_min_version,
                           .tls_max_version = cfg->tls_max_version,
                           .tls_ciphers = cfg->tls_ciphers,
                           .tls_groups = cfg->tls_groups,
                           .client_ca = cfg->admin.client_ca,
                           .handler = api_front_handle,
                           .user = &h->front};
    VS_TRY_WRAP(vs_http_server_start(&http, &h->http, err), err, "http_server");
    VS_TRY(listen_for_administrators(cfg, h, err));
    return listen_for_operators(cfg, h, err);
}

/* A crash of a process that holds secrets must not write them to disk. */
static void harden_process(void)
{
    struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0);
}

/* "ready http://127.0.0.1:8080": with the port that was really bound. */
static void say_socket(const char *word, const char *scheme, const char *socket,
                       const vs_http_server *server, size_t i)
{
    const char *colon = strrchr(socket, ':');
    printf("%s %s://%.*s:%u\n", word, scheme, colon ? (int)(colon - socket) : 0, socket,
           vs_http_server_port(server, i));
}

static void say_ready(const kbs_config *cfg, const house *h)
{
    for (size_t i = 0; i < cfg->n_sockets; i++)
        say_socket("ready", cfg->insecure_http ? "http" : "https", cfg->sockets[i], h->http, i);
    for (size_t i = 0; i < cfg->n_ops_sockets; i++)
        say_socket("operations", "http", cfg->ops_sockets[i], h->ops_http, i);
    if (cfg->admin.unix_socket)
        printf("administration unix:%s\n", cfg->admin.unix_socket);
    (void)fflush(stdout);
    vs_log(VS_LOG_INFO, "serve", "ready", "version", VS_VERSION, NULL);
}

/* SIGTERM and SIGINT are blocked in all threads, so that only this loop sees them. */
static void run_until_signal(const house *h, const sigset_t *stop)
{
    for (;;) {
        struct timespec tick = {.tv_sec = TICK_S};
        int sig = sigtimedwait(stop, NULL, &tick);
        if (sig > 0) {
            vs_log(VS_LOG_INFO, "serve", "stopping", "signal",
                   sig == SIGTERM ? "SIGTERM" : "SIGINT", NULL);
            return;
        }
        if (errno == EAGAIN)
            kbs_tick(h->kbs, vs_now_s());
    }
}

int serve_run(const kbs_config *cfg)
{
    harden_process();
    sigset_t stop;
    (void)sigemptyset(&stop);
    (void)sigaddset(&stop, SIGTERM);
    (void)sigaddset(&stop, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &stop, NULL);
    (void)signal(SIGPIPE, SIG_IGN);

    house h = {0};
    vs_error err = {0};
    vs_code code = build(cfg, &h, &err);
    if (code == VS_OK) {
        say_ready(cfg, &h);
        run_until_signal(&h, &stop);
    } else {
        vs_log_error(VS_LOG_ERROR, "serve", "cannot start", &err);
    }
    tear_down(&h);
    return code == VS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
