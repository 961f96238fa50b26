/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of the configuration file as data: what is read, what it means, what it falls back to.
 * The reader (config/read.c) and the printed reference both come from this table.
 */
#ifndef VS_KBS_CONFIG_KEYS_H
#define VS_KBS_CONFIG_KEYS_H

#include "config/config.h"
#include "kbs/config.h"

/* What Trustee of December 2025 kept where (kbs.md 12.1). */
#define KBS_OLD_DIR    "/opt/confidential-containers/kbs"
#define KBS_OLD_POLICY KBS_OLD_DIR "/policy.rego"
#define KBS_OLD_STORE  KBS_OLD_DIR "/vouchsafe.sqlite" /* ours, beside it */

const config_key *config_keys(size_t *n);

typedef enum config_as { AS_BUILT_IN, AS_GRPC } config_as;
typedef enum config_rvps { RVPS_BUILT_IN, RVPS_GRPC } config_rvps;
typedef enum config_admin {
    ADMIN_UNSET,
    ADMIN_ALLOW,
    ADMIN_DENY,
    ADMIN_BEARER,
    ADMIN_SIMPLE
} config_admin;
typedef enum config_tls { TLS_UNSET, TLS_INTERMEDIATE, TLS_MODERN, TLS_CUSTOM } config_tls;
typedef enum config_plugin_name {
    PLUGIN_NONE,
    PLUGIN_RESOURCE,
    PLUGIN_SAMPLE,
    PLUGIN_PROVISIONER,
    PLUGIN_NEBULA,
    PLUGIN_PKCS11,
    PLUGIN_EXTERNAL
} config_plugin_name;
typedef enum config_backend {
    BACKEND_UNSET,
    BACKEND_KV,
    BACKEND_TREE,
    BACKEND_VAULT
} config_backend;

typedef struct config_plugin {
    int name;
    int backend;     /* storage_backend_type */
    int old_backend; /* type */
    const char *dir_path;
    kbs_vault_config vault;
    int64_t kv_version, vault_timeout_ms;
    kbs_pkcs11_config pkcs11;
    int rsa_mechanism;
    kbs_nebula_config nebula;
    int64_t nebula_timeout_ms;
    kbs_backend_config *backends;
    size_t n_backends;
    int64_t key_length;
} config_plugin;

/* The file as read, before its parts are put together (config.c). */
typedef struct config_raw {
    kbs_config c;
    bool has_http, has_admin, has_policy_engine, has_as, has_rvps, has_bearer, has_acl, has_mtls,
        has_unix;
    int tls_profile, tls_min, tls_max;
    int64_t body_mib, workers, key_refresh;
    const char *const *proxies;
    size_t n_proxies;
    int64_t rate, burst, connections;
    int log_level; /* vs_log_level + 1; 0 = not given */
    int as_type, rvps_type;
    int admin_mode, admin_old_mode;
    int audit_sync;
    int path_form; /* 1 = text */
    int open_provisioning;
    const char *auth_public_key;
    bool insecure_api;
    const kbs_acl *acls, *roles;
    size_t n_acls, n_roles;
    config_storage storage;
    int session_storage, as_storage, rvps_storage;
    config_plugin *plugins;
    size_t n_plugins;
} config_raw;

/* Sets every key outside arrays of tables that has one to its fallback; a table of an array gets
 * its own when it is read. */
void config_fallbacks(config_raw *raw);
/* Reads a parsed file into *raw, which holds the fallbacks. */
VS_MUST vs_code config_read(vs_arena *a, vs_val file, config_raw *raw, vs_error *err);
/* [[plugins]] (config_plugins.c). */
VS_MUST vs_code config_settle_plugins(config_raw *raw, vs_arena *a, vs_error *err);
/* Puts the parts together: profiles, dialects, what needs what. */
VS_MUST vs_code config_settle(config_raw *raw, vs_arena *a, vs_error *err);

#endif
