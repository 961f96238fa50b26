/* SPDX-License-Identifier: Apache-2.0 */
/* What of the file system a server may still see once it serves: what its configuration names. */
#include <stdlib.h>

#include "base/log.h"
#include "cmd/sandbox.h"
#include "cmd/serve.h"
#include "net/url.h"
#include "plugins/plugins.h"
#include "tee/cca/trust.h"

static void may_store(sandbox *s, const store_config *store)
{
    if (store->type == STORE_SQLITE)
        sandbox_may_write_beside(s, store->path);
    else
        sandbox_may_write(s, store->path);
}

static void may_read_keys(sandbox *s, const kbs_config *cfg)
{
    const char *const single[] = {
        cfg->private_key,         cfg->certificate,        cfg->as.signer_key_path,
        cfg->as.signer_cert_path, cfg->as.cca_config_path, cfg->legacy_policy_path,
        cfg->admin.client_ca,     cfg->key_ca_file,        getenv("PGSSLROOTCERT"),
        getenv("PGSSLCERT"),      getenv("PGSSLKEY"),      getenv("PGSSLCRL"),
        getenv("PGPASSFILE"),     getenv("PGSERVICEFILE"), getenv("SSL_CERT_FILE"),
        getenv("OPENSSL_CONF"),
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

static void may_read_for_remote(sandbox *s, const kbs_remote *r)
{
    sandbox_may_read(s, r->ca_cert);
    sandbox_may_read(s, r->client_cert);
    sandbox_may_read(s, r->client_key);
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
vs_code serve_shut_doors(const kbs_config *cfg, const serve_how *o, const vs_tee_trust *trust,
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
    for (size_t i = 0; (path = cca_trust_file(trust->cca, i)) != NULL; i++)
        sandbox_may_read(&s, path);
    may_store(&s, &cfg->storage);
    sandbox_may_write_beside(&s, cfg->audit_log);
    sandbox_may_write_beside(&s, cfg->admin.unix_socket);
    may_read_for_plugins(&s, cfg);
    may_read_for_remote(&s, &cfg->as.as);
    may_read_for_remote(&s, &cfg->as.rvps);
    may_read_url(&s, &a, cfg->storage.postgres.url);
    for (size_t i = 0; i < cfg->n_store_overrides; i++) {
        may_store(&s, &cfg->store_overrides[i].store);
        may_read_url(&s, &a, cfg->store_overrides[i].store.postgres.url);
    }
    if (cfg->resource_has_own_store)
        may_store(&s, &cfg->resource_store);
    return sandbox_enter(&s, err);
}
