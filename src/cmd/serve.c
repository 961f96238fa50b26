/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/serve.h"

#include <errno.h>
#include <pthread.h>
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
#include "cmd/sandbox.h"
#include "cmd/supervise.h"
#include "kbs/journal.h"
#include "kbs/kbs.h"
#include "net/http_server.h"
#include "net/url.h"
#include "plugins/plugins.h"
#include "tee/cca/trust.h"

/* Workers are for requests that wait for others: they cost memory, not processors. */
enum {
    TICK_S = 60,
    DRAIN_MS = 10000,
    PING_MS = 3000,
    ANCHOR_FILE_MAX = 1 << 20,
    WAITING_WORKERS = 32,
};

/* Whether a store works is asked by strangers (/readyz), and the question is a write: the answer is
 * kept for a while, and while one asks the others take the last one. */
typedef struct store_check {
    vs_store *store;
    pthread_mutex_t lock;  /* held while the store is asked */
    pthread_mutex_t guard; /* of the rest */
    int64_t asked;         /* vs_mono_ns; 0 = never */
    vs_error last;
} store_check;

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
    store_check store_works, resources_work;
    ops_check checks[3];
    ops ops;
    api_front front;
    vs_http_server *http, *ops_http;
    supervised given;
    supervisor manager;
    int64_t housekeeping; /* vs_mono_ns of the last */
} house;

static void tear_down(house *h)
{
    vs_http_server_stop(&h->http, DRAIN_MS);
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
    supervisor_close(&h->manager);
}

vs_code serve_open_store(const kbs_store_config *cfg, vs_store **out, vs_error *err)
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
            VS_TRY_WRAP(serve_open_store(&o->store, &h->others[i], err), err, "storage of %s",
                        o->ns);
        routes[i] = (vs_store_route){o->ns, h->others[same]};
    }
    return vs_store_open_routed(h->main_store, routes, cfg->n_store_overrides, &h->routed, err);
}

static vs_code open_stores(const kbs_config *cfg, house *h, vs_error *err)
{
    VS_TRY_WRAP(serve_open_store(&cfg->storage, &h->main_store, err), err, "storage_backend");
    if (cfg->n_store_overrides)
        VS_TRY(open_others(cfg, h, err));
    h->store = h->routed ? h->routed : h->main_store;
    if (cfg->vault)
        VS_TRY_WRAP(vault_open(cfg->vault, &h->resource_store, err), err, "resource plugin");
    if (cfg->resource_has_own_store)
        VS_TRY_WRAP(serve_open_store(&cfg->resource_store, &h->resource_store, err), err,
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

static vs_code store_works(void *user, vs_error *err)
{
    store_check *s = user;
    (void)pthread_mutex_lock(&s->guard);
    bool old = s->asked == 0 || vs_mono_ns() - s->asked > (int64_t)PING_MS * 1000000;
    (void)pthread_mutex_unlock(&s->guard);
    if (old && pthread_mutex_trylock(&s->lock) == 0) {
        vs_error now = {0};
        (void)!vs_store_ping(s->store, &now);
        (void)pthread_mutex_lock(&s->guard);
        s->last = now;
        s->asked = vs_mono_ns();
        (void)pthread_mutex_unlock(&s->guard);
        (void)pthread_mutex_unlock(&s->lock);
    }
    (void)pthread_mutex_lock(&s->guard);
    vs_code code = s->last.code;
    if (code != VS_OK && err)
        *err = s->last;
    (void)pthread_mutex_unlock(&s->guard);
    return code;
}

static ops_check check_store(store_check *s, const char *name, vs_store *store)
{
    s->store = store;
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_mutex_init(&s->guard, NULL);
    return (ops_check){name, store_works, s};
}

static void set_up_front(const kbs_config *cfg, house *h)
{
    h->checks[0] = (ops_check){"key broker", kbs_works, h->kbs};
    h->checks[1] = check_store(&h->store_works, "store", h->store);
    h->ops = (ops){h->checks, 2};
    if (h->resource_store)
        h->checks[h->ops.n_checks++] =
            check_store(&h->resources_work, "resource store", h->resource_store);
    h->front = (api_front){h->kbs, &h->ops, cfg->metrics_on_api};
}

static vs_code listen_for_operators(const kbs_config *cfg, house *h, vs_error *err)
{
    const supervised *given = &h->given;
    if (cfg->n_ops_sockets == 0 && given->n_operations == 0)
        return VS_OK;
    vs_http_config http = {.sockets = cfg->ops_sockets,
                           .n_sockets = given->n_operations ? 0 : cfg->n_ops_sockets,
                           .fds = given->operations,
                           .n_fds = given->n_operations,
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

static vs_code listen_for_clients(const kbs_config *cfg, house *h, vs_error *err)
{
    const supervised *given = &h->given;
    vs_http_config http = {.sockets = cfg->sockets,
                           .n_sockets = given->n_api ? 0 : cfg->n_sockets,
                           .fds = given->api,
                           .n_fds = given->n_api,
                           .threads = cfg->workers,
                           .workers = plugins_wait(cfg) ? WAITING_WORKERS : 0,
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
                           .handler = api_front_handle,
                           .user = &h->front};
    VS_TRY_WRAP(vs_http_server_start(&http, &h->http, err), err, "http_server");
    return VS_OK;
}

/* ---- the sandbox's files ----------------------------------------------------------------------
 */

static void may_store(sandbox *s, const kbs_store_config *store)
{
    if (store->type == KBS_STORE_SQLITE)
        sandbox_may_write_beside(s, store->path);
    else
        sandbox_may_write(s, store->path);
}

static void may_read_keys(sandbox *s, const kbs_config *cfg)
{
    const char *const single[] = {
        cfg->private_key,         cfg->certificate,        cfg->as.signer_key_path,
        cfg->as.signer_cert_path, cfg->as.cca_config_path, cfg->legacy_policy_path,
        getenv("PGSSLROOTCERT"),  getenv("PGSSLCERT"),     getenv("PGSSLKEY"),
        getenv("PGSSLCRL"),       getenv("PGPASSFILE"),    getenv("PGSERVICEFILE"),
        getenv("SSL_CERT_FILE"),  getenv("OPENSSL_CONF"),
    };
    for (size_t i = 0; i < VS_COUNT(single); i++)
        sandbox_may_read(s, single[i]);
    for (size_t i = 0; i < cfg->n_trusted_certs; i++)
        sandbox_may_read(s, cfg->trusted_certs_paths[i]);
    for (size_t i = 0; i < cfg->n_trusted_jwk_sets; i++)
        sandbox_may_read(s, cfg->trusted_jwk_sets[i]);
    for (size_t i = 0; i < cfg->admin.n_personas; i++)
        sandbox_may_read(s, cfg->admin.personas[i].public_key_path);
    for (size_t i = 0; i < cfg->admin.n_providers; i++) {
        sandbox_may_read(s, cfg->admin.providers[i].public_key_uri);
        sandbox_may_read(s, cfg->admin.providers[i].jwk_set_uri);
    }
}

/* Certificates are read for each connection. */
static void may_read_for_plugins(sandbox *s, const kbs_config *cfg)
{
    for (size_t i = 0; cfg->vault && i < cfg->vault->n_ca_certs; i++)
        sandbox_may_read(s, cfg->vault->ca_certs[i]);
    for (size_t i = 0; i < cfg->n_backends; i++)
        sandbox_may_read(s, cfg->backends[i].ca_cert_path);
}

/* Files that a PostgreSQL URL names are read again for each connection. */
static void may_read_url(sandbox *s, vs_arena *a, const char *url)
{
    static const char *const names[] = {"sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile"};
    vs_url_param *params;
    size_t n;
    const char *query = url ? strchr(url, '?') : NULL;
    if (!query || vs_url_query(a, vs_str(query + 1), &params, &n, NULL) != VS_OK)
        return;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < VS_COUNT(names); k++)
            if (vs_span_is(params[i].name, names[k]))
                sandbox_may_read(s, (const char *)vs_dup(a, params[i].value).p);
}

/* Once the stores are there, before anything has a thread. */
static vs_code shut_the_doors(const kbs_config *cfg, const serve_how *o, const house *h,
                              vs_error *err)
{
    if (o->no_sandbox) {
        vs_log(VS_LOG_WARN, "serve", "sandbox is off, as asked", NULL);
        return VS_OK;
    }
    const char *plugin = plugins_outside_sandbox(cfg);
    if (plugin) {
        vs_log(VS_LOG_WARN, "serve", "sandbox is off: a plugin cannot work in it", "plugin", plugin,
               NULL);
        return VS_OK;
    }
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    sandbox s = {.n_read = 0};
    sandbox_may_read(&s, o->config_file);
    may_read_keys(&s, cfg);
    const char *path;
    for (size_t i = 0; (path = cca_trust_file(h->trust.cca, i)) != NULL; i++)
        sandbox_may_read(&s, path);
    may_store(&s, &cfg->storage);
    sandbox_may_write_beside(&s, cfg->audit_log);
    may_read_for_plugins(&s, cfg);
    may_read_url(&s, &a, cfg->storage.postgres.url);
    for (size_t i = 0; i < cfg->n_store_overrides; i++) {
        may_store(&s, &cfg->store_overrides[i].store);
        may_read_url(&s, &a, cfg->store_overrides[i].store.postgres.url);
    }
    if (cfg->resource_has_own_store)
        may_store(&s, &cfg->resource_store);
    return sandbox_enter(&s, err);
}

/* ---- building ---------------------------------------------------------------------------------
 */

static vs_code build(const kbs_config *cfg, const serve_how *o, house *h, vs_error *err)
{
    VS_TRY(open_stores(cfg, h, err));
    VS_TRY_WRAP(start_rvps(cfg, h, err), err, "reference values");
    VS_TRY_WRAP(load_trust(cfg, h, err), err, "CCA verifier");
    VS_TRY(shut_the_doors(cfg, o, h, err));
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
    VS_TRY_WRAP(plugins_attach(cfg, h->kbs, err), err, "plugins");
    VS_TRY_WRAP(start_journal(cfg, h, err), err, "operations");
    set_up_front(cfg, h);
    VS_TRY(listen_for_clients(cfg, h, err));
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
    size_t n = h->given.n_api ? 0 : cfg->n_sockets;
    for (size_t i = 0; i < n; i++)
        say_socket("ready", cfg->insecure_http ? "http" : "https", cfg->sockets[i], h->http, i);
    n = h->given.n_operations ? 0 : cfg->n_ops_sockets;
    for (size_t i = 0; i < n; i++)
        say_socket("operations", "http", cfg->ops_sockets[i], h->ops_http, i);
    if (h->given.n_api)
        puts("ready");
    (void)fflush(stdout);
    vs_log(VS_LOG_INFO, "serve", "ready", "version", VS_VERSION, NULL);
    supervisor_ready(&h->manager);
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

static void on_hangup(const kbs_config *cfg, const serve_how *o, const house *h)
{
    vs_error err = {0};
    vs_arena a;
    vs_arena_init(&a, 0);
    supervisor_reloading(&h->manager);
    kbs_journal_rotate(h->journal);
    if (reload(cfg, o, h, &a, &err) == VS_OK)
        vs_log(VS_LOG_INFO, "serve", "configuration reloaded", NULL);
    else
        vs_log_error(VS_LOG_ERROR, "serve", "configuration not reloaded, the old one stays", &err);
    vs_arena_free(&a);
    supervisor_ready(&h->manager);
}

/* ---- running ----------------------------------------------------------------------------------
 */

static struct timespec tick_of(const supervisor *manager)
{
    int64_t ns = (int64_t)TICK_S * 1000000000;
    if (manager->watchdog_ns && manager->watchdog_ns / 2 < ns)
        ns = manager->watchdog_ns / 2;
    return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

static void tick(house *h)
{
    int64_t now = vs_mono_ns();
    supervisor_alive(&h->manager);
    if (now - h->housekeeping < (int64_t)TICK_S * 1000000000)
        return;
    h->housekeeping = now;
    kbs_tick(h->kbs, vs_now_s());
}

/* The signals are blocked in all threads, so that only this loop sees them. */
static void run_until_signal(const kbs_config *cfg, const serve_how *o, house *h,
                             const sigset_t *signals)
{
    h->housekeeping = vs_mono_ns();
    for (;;) {
        struct timespec wait = tick_of(&h->manager);
        int sig = sigtimedwait(signals, NULL, &wait);
        if (sig == SIGHUP) {
            on_hangup(cfg, o, h);
        } else if (sig > 0) {
            vs_log(VS_LOG_INFO, "serve", "stopping", "signal",
                   sig == SIGTERM ? "SIGTERM" : "SIGINT", NULL);
            supervisor_stopping(&h->manager);
            return;
        }
        tick(h);
    }
}

int serve_run(const kbs_config *cfg, const serve_how *o)
{
    harden_process();
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);

    house h = {0};
    vs_error err = {0};
    supervisor_open(&h.manager);
    vs_code code = supervised_sockets(&h.given, &err);
    if (code == VS_OK)
        code = build(cfg, o, &h, &err);
    if (code == VS_OK) {
        say_ready(cfg, &h);
        run_until_signal(cfg, o, &h, &signals);
    } else {
        vs_log_error(VS_LOG_ERROR, "serve", "cannot start", &err);
    }
    tear_down(&h);
    return code == VS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
