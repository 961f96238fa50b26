/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/doors.h"

#include <stdlib.h>

#include "base/log.h"
#include "net/url.h"
#include "tee/cca/trust.h"
#include "tee/dcap/trust.h"
#include "tee/snp/trust.h"

void doors_environment(sandbox *s)
{
    static const char *const names[] = {"PGSSLROOTCERT", "PGSSLCERT",    "PGSSLKEY",
                                        "PGSSLCRL",      "PGPASSFILE",   "PGSERVICEFILE",
                                        "SSL_CERT_FILE", "OPENSSL_CONF", "SOFTHSM2_CONF"};
    for (size_t i = 0; i < VS_COUNT(names); i++)
        sandbox_may_read(s, getenv(names[i]));
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

void doors_store(sandbox *s, vs_arena *a, const store_config *store)
{
    if (store->type == STORE_SQLITE)
        sandbox_may_write_beside(s, store->path);
    else
        sandbox_may_write(s, store->path);
    may_read_url(s, a, store->postgres.url);
}

static void may_read_for_remote(sandbox *s, const remote_config *r)
{
    sandbox_may_read(s, r->ca_cert);
    sandbox_may_read(s, r->client_cert);
    sandbox_may_read(s, r->client_key);
}

void doors_trust(sandbox *s, const config_trust *trust)
{
    for (size_t i = 0; i < trust->n_crls; i++)
        sandbox_may_read(s, trust->crls[i]);
}

void doors_verifier(sandbox *s, vs_arena *a, const verifier_config *cfg, const vs_tee_trust *trust)
{
    const char *path;
    sandbox_may_read(s, cfg->as.signer_key_path);
    sandbox_may_read(s, cfg->as.signer_cert_path);
    sandbox_may_read(s, cfg->cca_config_path);
    for (size_t i = 0; (path = cca_trust_file(trust->cca, i)) != NULL; i++)
        sandbox_may_read(s, path);
    for (size_t i = 0; (path = snp_trust_crl(trust->snp, i)) != NULL; i++)
        sandbox_may_read(s, path);
    for (size_t i = 0; (path = snp_trust_store(trust->snp, i)) != NULL; i++)
        sandbox_may_read(s, vs_sprintf(a, "%s/vcek", path)); /* all of it, nothing beside it */
    sandbox_may_read(s, dcap_trust_file(trust->dcap));
    if (!cfg->remote && !cfg->remote_rvps)
        doors_trust(s, &cfg->trust);
    may_read_for_remote(s, &cfg->service);
    may_read_for_remote(s, &cfg->provider);
}

/* ---- the key broker ----------------------------------------------------------------------------
 */

static void may_read_keys(sandbox *s, const kbs_config *cfg)
{
    const char *const single[] = {cfg->private_key, cfg->certificate, cfg->legacy_policy_path,
                                  cfg->admin.client_ca, cfg->key_ca_file};
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

/* Certificates are read for each connection, a token for each request. */
static void may_use_for_plugins(sandbox *s, const kbs_config *cfg)
{
    if (cfg->vault)
        sandbox_may_read(s, cfg->vault->token_file);
    for (size_t i = 0; cfg->vault && i < cfg->vault->n_ca_certs; i++)
        sandbox_may_read(s, cfg->vault->ca_certs[i]);
    for (size_t i = 0; i < cfg->n_backends; i++)
        sandbox_may_read(s, cfg->backends[i].ca_cert_path);
    if (cfg->pkcs11) {
        sandbox_may_read(s, cfg->pkcs11->module);
        sandbox_may_read(s, cfg->pkcs11->pin_file);
    }
    for (size_t i = 0; cfg->pkcs11 && i < cfg->pkcs11->n_token_paths; i++)
        sandbox_may_write(s, cfg->pkcs11->token_paths[i]);
    if (cfg->nebula) {
        sandbox_may_run(s, cfg->nebula->program);
        sandbox_may_write(s, cfg->nebula->work_dir);
        sandbox_may_write_beside(s, cfg->nebula->out_qr);
    }
}

void doors_kbs(sandbox *s, vs_arena *a, const kbs_config *cfg)
{
    may_read_keys(s, cfg);
    may_use_for_plugins(s, cfg);
    if (cfg->policy_in_file)
        sandbox_may_write_beside(s, cfg->legacy_policy_path);
    sandbox_may_write_beside(s, cfg->audit_log);
    sandbox_may_write_beside(s, cfg->admin.unix_socket);
    doors_store(s, a, &cfg->storage);
    for (size_t i = 0; i < cfg->n_store_overrides; i++)
        doors_store(s, a, &cfg->store_overrides[i].store);
    if (cfg->resource_has_own_store)
        doors_store(s, a, &cfg->resource_store);
}

vs_code doors_shut(const sandbox *s, bool off, vs_error *err)
{
    if (!off)
        return sandbox_enter(s, err);
    vs_log(VS_LOG_WARN, "serve", "sandbox is off, as asked", NULL);
    return VS_OK;
}
