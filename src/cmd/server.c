/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/server.h"

#include <stdio.h>

#include "base/io.h"
#include "base/log.h"
#include "config/config.h"
#include "tee/cca/trust.h"
#include "tee/dcap/trust.h"
#include "tee/snp/trust.h"

enum {
    VCEK_STORES_MAX = 16,
    WORKERS_MAX = 64,
    CCA_WORKERS = 32, /* that wait for a remote CCA verifier */
    ANCHOR_FILE_MAX = 1 << 20,
    RVPS_CONNECTIONS = 10, /* attestation-service.md 8.4 */
    AS_CALL_MS = 300000,   /* kbs.md 8.3; connecting has a shorter limit of its own */
    RVPS_CALL_MS = 10000,
};

void server_say(const char *word, const char *scheme, const char *socket,
                const vs_http_server *server, size_t i)
{
    const char *colon = strrchr(socket, ':');
    printf("%s %s://%.*s:%u\n", word, scheme, colon ? (int)(colon - socket) : 0, socket,
           vs_http_server_port(server, i));
    (void)fflush(stdout);
}

void server_warn_open(const char *program, const char *socket)
{
    if (config_socket_is_loopback(socket))
        return;
    vs_log(VS_LOG_WARN, "serve",
           "ANYBODY who reaches this address can set policies or reference values and so decide "
           "which workloads are trusted: listen on loopback, ask for client certificates "
           "(--client-ca), or let only your own programs reach it",
           "program", program, "address", socket, NULL);
}

static vs_code add_anchors(rvps_anchors *t, const char *file, unsigned may, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(ANCHOR_FILE_MAX);
    VS_TRY(vs_read_file(file, &text, err));
    VS_TRY_WRAP(rvps_anchors_add_limited(t, vs_buf_span(&text), may, err), err, "%s", file);
    return VS_OK;
}

static vs_code rights_of(const config_anchor *c, unsigned *out, vs_error *err)
{
    *out = 0;
    for (size_t i = 0; i < c->n_may; i++) {
        unsigned one = rvps_may_of(vs_str(c->may[i]));
        if (!one)
            return vs_fail(err, VS_E_INVALID,
                           "\"may\" cannot be \"%.60s\"; there are \"attestation-keys\", "
                           "\"platform\", \"realm\" and \"reference-values\"",
                           c->may[i]);
        *out |= one;
    }
    return *out ? VS_OK : vs_fail(err, VS_E_INVALID, "\"may\" says nothing that it may vouch for");
}

static vs_code add_restricted(rvps_anchors *t, const config_anchor *c, vs_error *err)
{
    unsigned may;
    if (!c->path)
        return vs_fail(err, VS_E_INVALID, "there is no \"path\"");
    VS_TRY_WRAP(rights_of(c, &may, err), err, "%s", c->path);
    return add_anchors(t, c->path, may, err);
}

vs_code server_read_anchors(const config_trust *trust, rvps_anchors **out, vs_error *err)
{
    if (trust->n_anchors + trust->n_restricted == 0)
        return trust->n_crls ? vs_fail(err, VS_E_INVALID,
                                       "\"crls\" belong to \"trust_anchors\", and there are none")
                             : VS_OK;
    VS_TRY(rvps_anchors_new(out, err));
    for (size_t i = 0; i < trust->n_anchors; i++)
        VS_TRY_WRAP(add_anchors(*out, trust->anchors[i], RVPS_MAY_ALL, err), err, "trust_anchors");
    for (size_t i = 0; i < trust->n_restricted; i++)
        VS_TRY_WRAP(add_restricted(*out, &trust->restricted[i], err), err, "restricted_anchors");
    VS_TRY_WRAP(rvps_anchors_crls(*out, trust->crls, trust->n_crls, err), err, "crls");
    return VS_OK;
}

/* ---- the verifier ---------------------------------------------------------------------------- */

/* Without a configuration file, CCA platforms are those that the reference value provider endorses:
 * none, for an operator who does not use CCA. */
static vs_code load_cca(const verifier_config *cfg, vs_tee_trust *trust, vs_error *err)
{
    vs_code code = cca_trust_load(cfg->cca_config_path, &trust->cca, err);
    if (code == VS_OK && cca_trust_is_remote(trust->cca))
        vs_log(VS_LOG_INFO, "serve", "CCA evidence is verified by a remote service", "file",
               cfg->cca_config_path, NULL);
    if (code != VS_E_NOT_FOUND)
        return code;
    vs_log(VS_LOG_INFO, "serve",
           "no CCA verifier configuration: only endorsed CCA platforms will be accepted", "file",
           cfg->cca_config_path, NULL);
    static const vs_span no_store;
    return cca_trust_of_text(no_store, no_store, &trust->cca, err);
}

static vs_code load_snp(const config_verifier *tees, vs_tee_trust *trust, vs_error *err)
{
    const char *stores[VCEK_STORES_MAX];
    snp_trust_options options = {
        .stores = stores, .crls = tees->snp_crls, .n_crls = tees->n_snp_crls};
    for (size_t i = 0; i < tees->n_vcek_sources; i++) {
        const config_vcek_source *s = &tees->vcek_sources[i];
        if (!s->type)
            return vs_fail(err, VS_E_INVALID, "source %zu of VCEKs has no \"type\"", i);
        if (s->type != CONFIG_VCEK_STORE)
            vs_log(VS_LOG_INFO, "serve",
                   "AMD's key distribution service is not asked while attesting: SNP evidence must "
                   "bring its VCEK, or an OfflineStore have it",
                   NULL);
        else if (options.n_stores < VS_COUNT(stores))
            stores[options.n_stores++] = s->path;
        else
            return vs_fail(err, VS_E_LIMIT, "more than %d offline stores", VCEK_STORES_MAX);
    }
    return snp_trust_new(&options, &trust->snp, err);
}

static vs_code load_dcap(const config_verifier *tees, vs_tee_trust *trust, vs_error *err)
{
    const dcap_trust_options options = {.file = config_file_of_url(tees->collateral_service),
                                        .standard = tees->standard_tcb != 0};
    if (tees->collateral_service && !options.file)
        vs_log(VS_LOG_WARN, "serve",
               "no service is asked for collateral while attesting: TDX evidence will be refused; "
               "give a file:// URL",
               "collateral_service", tees->collateral_service, NULL);
    return dcap_trust_new(&options, &trust->dcap, err);
}

static vs_code load_trust(const verifier_config *cfg, vs_tee_trust *trust, vs_error *err)
{
    trust->sample = cfg->sample_tee;
    if (trust->sample)
        vs_log(VS_LOG_WARN, "serve", "the sample TEE is accepted: its evidence proves nothing",
               NULL);
    VS_TRY_WRAP(load_cca(cfg, trust, err), err, "CCA verifier");
    VS_TRY_WRAP(load_snp(&cfg->tees, trust, err), err, "SNP verifier");
    VS_TRY_WRAP(load_dcap(&cfg->tees, trust, err), err, "TDX verifier");
    return VS_OK;
}

static vs_code open_remote(const verifier_config *cfg, verifier *v, vs_error *err)
{
    remote_config service = cfg->service;
    service.call_ms = AS_CALL_MS;
    VS_TRY(remote_open(&service, &v->client, err));
    VS_TRY(rvps_remote_new(v->client, &v->rv, err));
    return as_remote_new(v->client, &v->as, err);
}

static vs_code open_values(const verifier_config *cfg, vs_store *store, verifier *v, vs_error *err)
{
    if (!cfg->remote_rvps) {
        VS_TRY(server_read_anchors(&cfg->trust, &v->anchors, err));
        const rvps_options opts = {.refuse_sample = cfg->refuse_sample_values,
                                   .require_signed = cfg->require_signed_values,
                                   .accept_unsigned_keys = cfg->accept_unsigned_keys,
                                   .anchors = v->anchors};
        return rvps_new(store, &opts, &v->rv, err);
    }
    remote_config provider = cfg->provider;
    provider.connections = RVPS_CONNECTIONS;
    provider.call_ms = RVPS_CALL_MS;
    VS_TRY(remote_open(&provider, &v->client, err));
    return rvps_remote_new(v->client, &v->rv, err);
}

vs_code verifier_open(const verifier_config *cfg, vs_store *store, verifier *v, vs_error *err)
{
    *v = (verifier){0};
    if (cfg->remote) {
        VS_TRY_WRAP(open_remote(cfg, v, err), err, "attestation service at %s",
                    cfg->service.address);
        return VS_OK;
    }
    VS_TRY_WRAP(open_values(cfg, store, v, err), err, "reference values");
    VS_TRY(load_trust(cfg, &v->trust, err));
    VS_TRY_WRAP(as_new(&cfg->as, store, v->rv, &v->trust, &v->as, err), err, "attestation service");
    return VS_OK;
}

void verifier_close(verifier *v)
{
    as_free(&v->as);
    cca_trust_free(&v->trust.cca);
    snp_trust_free(&v->trust.snp);
    dcap_trust_free(&v->trust.dcap);
    rvps_free(&v->rv);
    rvps_anchors_free(&v->anchors);
    vs_grpc_client_free(&v->client);
}

unsigned verifier_workers(const verifier_config *cfg, const verifier *v)
{
    if (cca_trust_is_remote(v->trust.cca))
        return CCA_WORKERS;
    if (cfg->remote)
        return cfg->service.connections < WORKERS_MAX ? cfg->service.connections : WORKERS_MAX;
    return cfg->remote_rvps ? 2 * RVPS_CONNECTIONS : 0;
}
