/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The KBS configuration file (kbs.md 8), in today's and the older dialects (kbs.md 12), read from
 * TOML, JSON or YAML (by extension). Unknown keys are errors with a suggestion; obsolete keys are
 * warnings that name the new one; keys of parts this build lacks are errors that say so.
 *
 * All text lives on the arena given to kbs_config_load and is NUL terminated; NULL = not given.
 */
#ifndef VS_KBS_CONFIG_H
#define VS_KBS_CONFIG_H

#include "store/store.h"
#include "value/value.h"

typedef enum kbs_admin_mode {
    KBS_ADMIN_DENY_ALL,
    KBS_ADMIN_INSECURE_ALLOW_ALL,
    KBS_ADMIN_BEARER, /* authorization_mode = "AuthenticatedAuthorization" (kbs.md 4.1) */
    KBS_ADMIN_SIMPLE, /* legacy type = "Simple" personas (kbs.md 12.1, 12.2) */
} kbs_admin_mode;

typedef struct kbs_identity_provider {
    const char *issuer, *audience;            /* NULL = not checked */
    const char *public_key_uri, *jwk_set_uri; /* path, file:// or https:// */
} kbs_identity_provider;
typedef struct kbs_mtls_identity {
    const char *subject, *san, *role; /* one of the first two */
} kbs_mtls_identity;
typedef struct kbs_unix_identity {
    const char *user, *group, *role; /* names or numbers */
} kbs_unix_identity;
typedef struct kbs_acl {
    const char *role, *allowed_endpoints; /* regex, starts ^/kbs, ends $ */
} kbs_acl;
typedef struct kbs_persona {
    const char *id, *public_key_path;
} kbs_persona;

typedef struct kbs_admin_config {
    kbs_admin_mode mode;
    const kbs_identity_provider *providers;
    size_t n_providers;
    const kbs_acl *acls; /* for SIMPLE: from [[admin.roles]]; none = all allowed */
    size_t n_acls;
    const kbs_persona *personas;
    size_t n_personas;
    const kbs_mtls_identity *mtls_identities; /* BEARER only, as are the next */
    size_t n_mtls_identities;
    const kbs_unix_identity *unix_identities;
    size_t n_unix_identities;
    const char *client_ca;   /* PEM: what client certificates end at; NULL = none are asked for */
    const char *unix_socket; /* path of a listener for administrators; NULL = none */
} kbs_admin_config;

/* Appends what an https URL gives. It has deadlines and a cap on the size; VS_OK for status 200
 * only. */
typedef vs_code (*kbs_fetch)(void *user, const char *url, vs_buf *out, vs_error *err);

/* Versions of the KBS protocol (kbs.md 1.2), oldest first. */
typedef enum kbs_protocol {
    KBS_PROTOCOL_0_1_1,
    KBS_PROTOCOL_0_2_0,
    KBS_PROTOCOL_0_3_0,
    KBS_PROTOCOL_0_4_0,
} kbs_protocol;

typedef enum kbs_store_type {
    KBS_STORE_MEMORY,
    KBS_STORE_SQLITE,
    KBS_STORE_LOCALFS,
    KBS_STORE_TREE,
    KBS_STORE_LOCALJSON,
    KBS_STORE_POSTGRES
} kbs_store_type;
typedef struct kbs_store_config {
    kbs_store_type type;
    const char *path;           /* file or directory; NULL for memory and PostgreSQL */
    vs_store_postgres postgres; /* may hold a password */
} kbs_store_config;
enum { KBS_STORE_OVERRIDES = 3 };
typedef struct kbs_store_override { /* a namespace that is kept in another store */
    const char *ns;
    kbs_store_config store;
} kbs_store_override;

typedef struct kbs_as_config { /* [attestation_service] built in, attestation-service.md 7.1 */
    int64_t session_minutes;   /* `timeout`, 5 */
    int64_t duration_min;      /* token life, 5 */
    const char *issuer_name, *developer_name, *build_name, *profile_name;
    const char *signer_key_path, *signer_cert_path, *signer_cert_url;
    bool verbose_token;
    bool refuse_sample_reference_values, require_signed_reference_values;
    const char *const *rvps_anchors; /* files: whose reference values are believed */
    size_t n_rvps_anchors;
    kbs_protocol oldest_protocol; /* of those that are served */
    bool sample_tee;              /* accept tee = "sample" evidence; off unless asked for */
    const char *cca_config_path;  /* env CCA_CONFIG_FILE or the default of cca.md 4.3 */
} kbs_as_config;

typedef struct kbs_config {
    /* [http_server] */
    const char *const *sockets; /* "IP:port" */
    size_t n_sockets;
    bool insecure_http;
    const char *private_key, *certificate;
    const char *tls_min_version, *tls_max_version; /* "1.2" or "1.3", after the profile */
    const char *tls_ciphers, *tls_groups;          /* after the profile; NULL = OpenSSL's own */
    size_t body_limit;                             /* bytes; payload_request_size MiB, 2 */
    unsigned workers;                              /* worker_count, logical CPUs */
    /* [operations] */
    const char *const *ops_sockets; /* of the listener for health and metrics */
    size_t n_ops_sockets;
    bool metrics_on_api, metrics_resource_paths;
    const char *audit_log; /* file; NULL = none */
    bool audit_each;
    int64_t keep_decisions_days; /* 0 = not stored */
    /* [attestation_token] */
    const char *const *trusted_certs_paths;
    size_t n_trusted_certs;
    const char *const *trusted_jwk_sets;
    size_t n_trusted_jwk_sets;
    const char *const *extra_teekey_paths;
    size_t n_extra_teekey_paths;
    bool insecure_header_jwk;
    kbs_as_config as;
    kbs_admin_config admin;
    const char *key_ca_file; /* [key_sources]: trusted for https:// beside the system's */
    unsigned key_refresh_s;
    kbs_fetch fetch; /* set by the program, not by the file; NULL: no https:// sources */
    void *fetch_user;
    kbs_store_config storage;
    kbs_store_override store_overrides[KBS_STORE_OVERRIDES];
    size_t n_store_overrides;
    bool has_resource_plugin;
    bool resource_has_own_store;     /* older dialect: type = "LocalFs", dir_path */
    kbs_store_config resource_store; /* used when resource_has_own_store */
    bool has_sample_plugin;
    const char *legacy_policy_path; /* [policy_engine] policy_path, taken over at start */
} kbs_config;

/* The defaults without a file: SQLite store at `store_path`, resource plugin on, built-in AS. */
void kbs_config_defaults(kbs_config *out, const char *store_path);
/* Reads and checks a file. */
VS_MUST vs_code kbs_config_load(const char *path, vs_arena *a, kbs_config *out, vs_error *err);

#endif
