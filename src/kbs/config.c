/* SPDX-License-Identifier: Apache-2.0 */
/* From the keys of a file to one configuration: profiles, dialects, and what needs what. */
#include "kbs/config_keys.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

/* Mozilla's intermediate list, and the groups every OpenSSL 3 has. */
#define CIPHERS                                                                                    \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"     \
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"       \
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305"
#define GROUPS     "X25519:P-256:P-384"
#define CCA_CONFIG "/opt/confidential-containers/attestation-service/cca/config.json"

/* ---- http_server ----------------------------------------------------------------------------- */

static vs_code settle_tls(config_raw *raw, vs_error *err)
{
    static const char *const version[] = {[2] = "1.2", [3] = "1.3"};
    kbs_config *c = &raw->c;
    bool custom = raw->tls_min || raw->tls_max || c->tls_ciphers || c->tls_groups;
    if (custom && raw->tls_profile != TLS_UNSET && raw->tls_profile != TLS_CUSTOM)
        vs_log(VS_LOG_WARN, "config", "single TLS settings override http_server.tls_profile", NULL);
    int min = raw->tls_min ? raw->tls_min : raw->tls_profile == TLS_MODERN ? 3 : 2;
    int max = raw->tls_max ? raw->tls_max : 3;
    if (min > max)
        return vs_fail(err, VS_E_INVALID,
                       "\"http_server.tls_min_version\" is above \"http_server.tls_max_version\"");
    c->tls_min_version = version[min];
    c->tls_max_version = version[max];
    if (!c->tls_ciphers && min < 3)
        c->tls_ciphers = CIPHERS;
    if (!c->tls_groups)
        c->tls_groups = GROUPS;
    return VS_OK;
}

static unsigned cpus(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 1024 ? 1024 : (unsigned)n;
}

static vs_code settle_sources(config_raw *raw, vs_arena *a, vs_error *err)
{
    kbs_config *c = &raw->c;
    vs_cidr *list = vs_alloc_array(a, raw->n_proxies, sizeof *list);
    VS_TRY(vs_arena_check(a, err));
    for (size_t i = 0; i < raw->n_proxies; i++)
        VS_TRY_WRAP(vs_cidr_parse(raw->proxies[i], &list[i], err), err,
                    "\"http_server.trusted_proxies\"");
    c->trusted_proxies = list;
    c->n_trusted_proxies = raw->n_proxies;
    c->per_source = (vs_source_limits){.rate = (unsigned)raw->rate,
                                       .burst = (unsigned)raw->burst,
                                       .connections = (unsigned)raw->connections};
    if (c->proxy_protocol && raw->n_proxies == 0)
        return vs_fail(err, VS_E_INVALID,
                       "\"http_server.proxy_protocol\" needs \"http_server.trusted_proxies\"");
    if (raw->burst && !raw->rate)
        return vs_fail(err, VS_E_INVALID,
                       "\"http_server.burst_per_source\" needs \"http_server.rate_per_source\"");
    return VS_OK;
}

static vs_code settle_http(config_raw *raw, vs_error *err)
{
    kbs_config *c = &raw->c;
    if (c->n_sockets == 0)
        return vs_fail(err, VS_E_INVALID, "\"http_server.sockets\" is empty");
    for (size_t i = 0; i < c->n_sockets; i++)
        if (!config_socket_ok(c->sockets[i]))
            return vs_fail(err, VS_E_INVALID, "\"http_server.sockets\": \"%.80s\" is not IP:port",
                           c->sockets[i]);
    if (!c->insecure_http && (!c->private_key || !c->certificate))
        return vs_fail(err, VS_E_INVALID,
                       "HTTPS needs \"http_server.private_key\" and \"http_server.certificate\" "
                       "(or set \"http_server.insecure_http\" for plain HTTP)");
    c->body_limit = (size_t)raw->body_mib << 20;
    c->workers = raw->workers ? (unsigned)raw->workers : cpus();
    return settle_tls(raw, err);
}

/* ---- sources of keys ------------------------------------------------------------------------- */

static vs_code check_source(const char *uri, const char *key, vs_error *err)
{
    if (uri && strstr(uri, "://") && strncmp(uri, "file:///", 8) != 0 &&
        (strncmp(uri, "https://", 8) != 0 || !uri[8]))
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "\"%s\" is \"%.120s\", but keys come from a path, file:///path or "
                       "https://...",
                       key, uri);
    return VS_OK;
}

static vs_code settle_token(config_raw *raw, vs_error *err)
{
    kbs_config *c = &raw->c;
    for (size_t i = 0; i < c->n_trusted_jwk_sets; i++)
        VS_TRY(check_source(c->trusted_jwk_sets[i], "attestation_token.trusted_jwk_sets", err));
    for (size_t i = 0; i < c->n_extra_teekey_paths; i++)
        if (c->extra_teekey_paths[i][0] != '/')
            return vs_fail(err, VS_E_INVALID,
                           "\"attestation_token.extra_teekey_paths\": \"%.80s\" is not a JSON "
                           "pointer (it must start with /)",
                           c->extra_teekey_paths[i]);
    if (c->insecure_header_jwk)
        vs_log(VS_LOG_WARN, "config",
               "insecure_header_jwk: anybody can make an attestation token that is believed", NULL);
    return VS_OK;
}

/* ---- admin ----------------------------------------------------------------------------------- */

#define PROVIDERS "admin.authentication.bearer_jwt.identity_providers"

static const char *none_if_empty(const char *s)
{
    return s && *s ? s : NULL;
}

/* What would never come into force is a mistake. */
static vs_code check_peers(const config_raw *raw, vs_error *err)
{
    const kbs_admin_config *admin = &raw->c.admin;
    if ((admin->n_mtls_identities > 0) != (admin->client_ca != NULL))
        return vs_fail(err, VS_E_INVALID,
                       "[admin.authentication.mtls] needs both \"client_ca\" and \"identities\"");
    if (admin->client_ca && raw->c.insecure_http)
        return vs_fail(
            err, VS_E_INVALID,
            "[admin.authentication.mtls] needs HTTPS, not \"http_server.insecure_http\"");
    if (admin->n_unix_identities > 0 && !admin->unix_socket)
        return vs_fail(err, VS_E_INVALID,
                       "[admin.authentication.unix] needs \"admin.unix_socket\"");
    return VS_OK;
}

static vs_code settle_bearer(config_raw *raw, vs_arena *a, vs_error *err)
{
    kbs_admin_config *admin = &raw->c.admin;
    bool peers = admin->n_mtls_identities + admin->n_unix_identities > 0;
    if (!raw->has_acl || (admin->n_providers == 0 && (raw->has_bearer || !peers)))
        return vs_fail(err, VS_E_INVALID,
                       "admin.authorization_mode \"AuthenticatedAuthorization\" needs "
                       "[admin.authentication.bearer_jwt] with at least one entry in "
                       "\"identity_providers\" (or identities in [admin.authentication.mtls] or "
                       "[admin.authentication.unix]), and [admin.authorization.regex_acl]");
    VS_TRY(check_peers(raw, err));
    kbs_identity_provider *list = vs_alloc_array(a, admin->n_providers, sizeof *list);
    VS_TRY(vs_arena_check(a, err));
    for (size_t i = 0; i < admin->n_providers; i++) {
        const kbs_identity_provider *p = &admin->providers[i];
        list[i] = (kbs_identity_provider){none_if_empty(p->issuer), none_if_empty(p->audience),
                                          none_if_empty(p->public_key_uri),
                                          none_if_empty(p->jwk_set_uri)};
        if (!list[i].public_key_uri && !list[i].jwk_set_uri)
            return vs_fail(err, VS_E_INVALID,
                           "entry %zu of \"" PROVIDERS "\" needs \"public_key_uri\" or "
                           "\"jwk_set_uri\"",
                           i + 1);
        VS_TRY(check_source(list[i].public_key_uri, PROVIDERS ".public_key_uri", err));
        VS_TRY(check_source(list[i].jwk_set_uri, PROVIDERS ".jwk_set_uri", err));
    }
    admin->providers = list;
    admin->acls = raw->acls;
    admin->n_acls = raw->n_acls;
    return VS_OK;
}

static vs_code settle_simple(config_raw *raw, vs_arena *a, vs_error *err)
{
    kbs_admin_config *admin = &raw->c.admin;
    if (raw->auth_public_key) { /* the oldest form: one key, no name */
        kbs_persona *one = VS_NEW(a, kbs_persona);
        VS_TRY(vs_arena_check(a, err));
        *one = (kbs_persona){"admin", raw->auth_public_key};
        admin->personas = one;
        admin->n_personas = 1;
    }
    for (size_t i = 0; i < admin->n_personas; i++)
        if (!admin->personas[i].id || !admin->personas[i].public_key_path)
            return vs_fail(err, VS_E_INVALID,
                           "entry %zu of \"admin.personas\" needs \"id\" and \"public_key_path\"",
                           i + 1);
    admin->acls = raw->roles;
    admin->n_acls = raw->n_roles;
    return VS_OK;
}

/* Which dialect speaks: at most one may say who is allowed. */
static vs_code admin_mode(const config_raw *raw, config_admin *out, vs_error *err)
{
    bool simple = raw->auth_public_key || raw->c.admin.n_personas || raw->n_roles;
    bool bearer = raw->has_bearer || raw->has_acl || raw->has_mtls || raw->has_unix;
    if (raw->admin_mode && (raw->admin_old_mode || raw->auth_public_key || raw->insecure_api))
        return vs_fail(
            err, VS_E_INVALID,
            "\"admin.authorization_mode\" cannot stand beside keys of the older dialect");
    if (raw->admin_mode)
        *out = (config_admin)raw->admin_mode;
    else if (raw->admin_old_mode)
        *out = (config_admin)raw->admin_old_mode;
    else if (raw->insecure_api)
        *out = ADMIN_ALLOW;
    else if (simple)
        *out = ADMIN_SIMPLE;
    else
        return vs_fail(err, VS_E_INVALID, "\"admin.authorization_mode\" is missing");
    if (simple && *out == ADMIN_BEARER)
        return vs_fail(err, VS_E_INVALID,
                       "personas and roles belong to admin.type \"Simple\", not to "
                       "\"AuthenticatedAuthorization\"");
    if (bearer && *out == ADMIN_SIMPLE)
        return vs_fail(err, VS_E_INVALID,
                       "bearer_jwt, mtls, unix and regex_acl need admin.authorization_mode "
                       "\"AuthenticatedAuthorization\"");
    return VS_OK;
}

static vs_code settle_admin(config_raw *raw, vs_arena *a, vs_error *err)
{
    static const kbs_admin_mode mode_of[] = {
        [ADMIN_ALLOW] = KBS_ADMIN_INSECURE_ALLOW_ALL,
        [ADMIN_DENY] = KBS_ADMIN_DENY_ALL,
        [ADMIN_BEARER] = KBS_ADMIN_BEARER,
        [ADMIN_SIMPLE] = KBS_ADMIN_SIMPLE,
    };
    config_admin mode = ADMIN_DENY;
    VS_TRY(admin_mode(raw, &mode, err));
    raw->c.admin.mode = mode_of[mode];
    if (mode == ADMIN_ALLOW)
        vs_log(VS_LOG_WARN, "config", "every admin request is allowed, from anybody", NULL);
    if (mode == ADMIN_BEARER)
        return settle_bearer(raw, a, err);
    return mode == ADMIN_SIMPLE ? settle_simple(raw, a, err) : VS_OK;
}

/* ---- storage --------------------------------------------------------------------------------- */

static vs_code keep_elsewhere(config_raw *raw, int type, const char *ns, const char *key,
                              vs_error *err)
{
    if (type == STORAGE_UNSET || type == raw->storage.type)
        return VS_OK;
    kbs_store_override *o = &raw->c.store_overrides[raw->c.n_store_overrides++];
    o->ns = ns;
    VS_TRY_WRAP(config_store_of(&raw->storage, "storage_backend", type, &o->store, err), err,
                "\"%s\"", key);
    return VS_OK;
}

/* Trustee that kept the resource policy in a file (until v0.18, kbs.md 12): recognised by names
 * that only it had. The two versions after it had some of them, but also the storage of today. */
static bool keeps_policy_in_file(const config_raw *raw)
{
    bool old = raw->has_policy_engine || raw->admin_old_mode || raw->auth_public_key ||
               raw->insecure_api || raw->c.admin.n_personas || raw->n_roles ||
               vs_defined(config_member(raw->c.file, "attestation_token.insecure_key"));
    for (size_t i = 0; i < raw->n_plugins; i++) {
        const config_plugin *p = &raw->plugins[i];
        old |= p->old_backend != BACKEND_UNSET;
        if (p->backend == BACKEND_KV || p->old_backend == BACKEND_KV)
            return raw->has_policy_engine;
    }
    return old;
}

/* What was kept must be found again, and what is set must stay where only that directory does. */
static void settle_old_places(config_raw *raw)
{
    const char *today = raw->storage.sqlite_path;
    if (!keeps_policy_in_file(raw))
        return;
    if (!raw->c.legacy_policy_path)
        raw->c.legacy_policy_path = KBS_OLD_POLICY;
    raw->c.policy_in_file = !raw->storage.given;
    if (raw->storage.given)
        return;
    /* where it is when this file was served before there was such a place */
    if (access(KBS_OLD_STORE, F_OK) != 0 && access(today, F_OK) == 0)
        return;
    raw->storage.sqlite_path = KBS_OLD_STORE;
}

static vs_code settle_storage(config_raw *raw, vs_error *err)
{
    settle_old_places(raw);
    VS_TRY(
        config_store_of(&raw->storage, "storage_backend", raw->storage.type, &raw->c.storage, err));
    VS_TRY(keep_elsewhere(raw, raw->session_storage, "kbs_protocol_session", "session_storage_type",
                          err));
    VS_TRY(keep_elsewhere(raw, raw->as_storage, "attestation_service_policy",
                          "attestation_service.storage_type", err));
    return keep_elsewhere(raw, raw->rvps_storage, "reference_value",
                          "attestation_service.rvps_config.storage_type", err);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static const char *cca_config(void)
{
    const char *path = getenv("CCA_CONFIG_FILE");
    return path && *path ? path : CCA_CONFIG;
}

static void no_effect(const char *key)
{
    vs_log(VS_LOG_WARN, "config", "key has no effect", "key", key, "because",
           "the attestation service is another process, which has its own configuration", NULL);
}

#define AS   "attestation_service"
#define RVPS AS ".rvps_config"

/* What is written down for another kind of verifier or provider would be without effect. */
static vs_code check_as_keys(const config_raw *raw, vs_error *err)
{
    static const char *const own[] = {"sample_tee", CONFIG_PROVIDER_ONLY, NULL};
    static const char *const address[] = {"address", "ca_cert_path", "client_cert_path",
                                          "client_key_path", NULL};
    static const char *const as_address[] = {"as_addr", "ca_cert_path", "client_cert_path",
                                             "client_key_path", NULL};
    vs_val file = raw->c.file;
    if (raw->c.as.remote)
        return config_refuse_keys(file, AS, own,
                                  "\"" AS
                                  ".type\" is \"coco_as_grpc\", so that it belongs into the "
                                  "configuration of that service (grpc-as), or of its provider "
                                  "(rvps)",
                                  err);
    VS_TRY(config_refuse_keys(file, AS, as_address,
                              "it belongs to \"" AS ".type\" \"coco_as_grpc\"", err));
    if (raw->c.as.remote_rvps)
        return config_refuse_keys(file, AS, own + 1,
                                  "\"" RVPS
                                  ".type\" is \"GrpcRemote\", so that it belongs into the "
                                  "configuration of that provider (rvps)",
                                  err);
    return config_refuse_keys(file, RVPS, address, "it belongs to \"" RVPS ".type\" \"GrpcRemote\"",
                              err);
}

/* As Trustee: a table that is there says of which kind it is (kbs.md 8.3). */
static vs_code check_as_types(const config_raw *raw, vs_error *err)
{
    vs_val file = raw->c.file;
    if (raw->has_as && !vs_defined(config_member(file, AS ".type")))
        return vs_fail(err, VS_E_INVALID,
                       "\"" AS ".type\" is missing: \"coco_as_builtin\" or \"coco_as_grpc\"");
    if (raw->has_rvps && !raw->c.as.remote && !vs_defined(config_member(file, RVPS ".type")))
        return vs_fail(err, VS_E_INVALID,
                       "\"" RVPS ".type\" is missing: \"BuiltIn\" or \"GrpcRemote\"");
    return VS_OK;
}

static vs_code settle_as(config_raw *raw, vs_error *err)
{
    static const char *const elsewhere[] = {AS ".attestation_token_broker", RVPS,
                                            AS ".verifier_config", AS ".storage_type"};
    kbs_as_config *as = &raw->c.as;
    as->remote = raw->as_type == AS_GRPC;
    as->remote_rvps = !as->remote && raw->rvps_type == RVPS_GRPC;
    VS_TRY(check_as_keys(raw, err));
    VS_TRY(check_as_types(raw, err));
    for (size_t i = 0; as->remote && i < VS_COUNT(elsewhere); i++)
        if (vs_defined(config_member(raw->c.file, elsewhere[i])))
            no_effect(elsewhere[i]);
    if (!as->signer_key_path && (as->signer_cert_path || as->signer_cert_url))
        return vs_fail(
            err, VS_E_INVALID,
            "\"attestation_service.attestation_token_broker.signer\" needs \"key_path\"");
    return VS_OK;
}

vs_code config_settle(config_raw *raw, vs_arena *a, vs_error *err)
{
    raw->c.audit_each = raw->audit_sync == 1;
    raw->c.paths_as_text = raw->path_form == 1;
    raw->c.open_provisioning = raw->open_provisioning == 1;
    if (!raw->has_http || !raw->has_admin)
        return vs_fail(err, VS_E_INVALID, "the table [%s] is missing",
                       raw->has_http ? "admin" : "http_server");
    VS_TRY(settle_http(raw, err));
    VS_TRY(settle_sources(raw, a, err));
    VS_TRY(settle_token(raw, err));
    VS_TRY(settle_admin(raw, a, err));
    if (raw->c.admin.unix_socket && raw->c.admin.unix_socket[0] != '/')
        return vs_fail(err, VS_E_INVALID, "\"admin.unix_socket\" must be an absolute path");
    raw->c.key_refresh_s = (unsigned)raw->key_refresh;
    VS_TRY(settle_storage(raw, err));
    VS_TRY(config_settle_plugins(raw, a, err));
    VS_TRY(settle_as(raw, err));
    if (raw->c.veraison && raw->c.as.remote)
        return vs_fail(err, VS_E_INVALID,
                       "\"veraison.enabled\" needs the built-in attestation service");
    raw->c.log_level = (vs_log_level)(raw->log_level ? raw->log_level - 1 : VS_LOG_INFO);
    raw->c.as.cca_config_path = (const char *)vs_dup(a, vs_str(cca_config())).p;
    return vs_arena_check(a, err);
}

void kbs_config_defaults(kbs_config *out, const char *store_path)
{
    config_raw raw = {0};
    config_fallbacks(&raw);
    *out = raw.c;
    out->log_level = VS_LOG_INFO;
    out->insecure_http = true; /* on loopback only */
    out->body_limit = (size_t)raw.body_mib << 20;
    out->workers = cpus();
    out->tls_min_version = "1.2";
    out->tls_max_version = "1.3";
    out->tls_ciphers = CIPHERS;
    out->tls_groups = GROUPS;
    out->admin.mode = KBS_ADMIN_DENY_ALL;
    out->storage = (store_config){STORE_SQLITE, store_path ? store_path : raw.storage.sqlite_path};
    out->has_resource_plugin = true;
    out->as.cca_config_path = cca_config();
}

#define WHICH "configuration file %s"

vs_code kbs_config_load(const char *path, vs_arena *a, kbs_config *out, vs_error *err)
{
    size_t n;
    config_raw raw = {0};
    const config_key *keys = config_keys(&n);
    const config_table table = {keys, n};
    vs_val file;
    VS_TRY_WRAP(config_table_load(&table, path, CONFIG_TOML, a, &raw, &file, err), err, WHICH,
                path);
    raw.c.file = file;
    VS_TRY_WRAP(config_settle(&raw, a, err), err, WHICH, path);
    *out = raw.c;
    return VS_OK;
}
