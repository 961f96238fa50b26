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

#include "base/log.h"
#include "config/storage.h"
#include "config/trust.h"
#include "config/veraison.h"
#include "config/verifier.h"
#include "net/sources.h"
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

enum { KBS_STORE_OVERRIDES = 3 };
typedef struct kbs_store_override { /* a namespace that is kept in another store */
    const char *ns;
    store_config store;
} kbs_store_override;

typedef struct kbs_remote { /* another process that is spoken to over gRPC */
    const char *address;
    const char *ca_cert;                  /* NULL = the system's; https only */
    const char *client_cert, *client_key; /* NULL = none is shown */
} kbs_remote;

typedef struct kbs_as_config { /* [attestation_service] built in, attestation-service.md 7.1 */
    int64_t session_minutes;   /* `timeout`, 5 */
    int64_t duration_min;      /* token life, 5 */
    const char *issuer_name, *developer_name, *build_name, *profile_name;
    const char *signer_key_path, *signer_cert_path, *signer_cert_url;
    bool verbose_token;
    bool refuse_sample_reference_values, require_signed_reference_values;
    bool accept_unsigned_attestation_keys;
    config_trust trust;           /* whose reference values are believed */
    kbs_protocol oldest_protocol; /* of those that are served */
    bool sample_tee;              /* accept tee = "sample" evidence; off unless asked for */
    bool remote;                  /* type = "coco_as_grpc": `as` is the verifier, and has the
                                     reference values */
    kbs_remote as;
    int64_t pool_size; /* connections to it */
    bool remote_rvps;  /* built in, with rvps_config.type = "GrpcRemote" */
    kbs_remote rvps;
    config_verifier tees;
    const char *cca_config_path; /* env CCA_CONFIG_FILE or the default of cca.md 4.3 */
} kbs_as_config;

enum { KBS_PROVISIONED_MAX = 4096 };

/* ---- [[plugins]] (kbs.md 8.4); a NULL pointer in kbs_config = not configured ---- */

typedef struct kbs_vault_config {
    const char *url;                /* http(s)://host[:port][/prefix], no '/' at the end */
    const char *token, *token_file; /* one of them; the file is read for each request */
    const char *mount_path;
    const char *const *ca_certs; /* PEM files */
    size_t n_ca_certs;
    bool verify;
    int kv_version; /* 1 or 2 */
    unsigned timeout_ms;
} kbs_vault_config;

typedef struct kbs_pkcs11_config {
    const char *module, *pin, *pin_file; /* one of the two PINs */
    int64_t slot_index;                  /* among the slots with a token */
    bool sha1;                           /* OAEP with SHA-1 instead of SHA-256 */
    const char *lookup_label;            /* of the wrapping key */
    const char *const *token_paths;      /* what the module works on; none = not known */
    size_t n_token_paths;
} kbs_pkcs11_config;

typedef struct kbs_nebula_config {
    const char *work_dir, *program;
    /* Of the certificate authority, when one is made; NULL and 0 = the program's default. */
    const char *ca_name, *curve, *duration, *groups, *ips, *out_qr, *subnets;
    int64_t argon_iterations, argon_memory, argon_parallelism;
    unsigned timeout_ms;
} kbs_nebula_config;

typedef struct kbs_backend_config {             /* of the external plugin */
    const char *name, *endpoint, *ca_cert_path; /* ca_cert_path with https only */
    int64_t timeout_ms;
} kbs_backend_config;

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
    const vs_cidr *trusted_proxies;
    size_t n_trusted_proxies;
    bool proxy_protocol;
    vs_source_limits per_source;
    /* [operations] */
    const char *const *ops_sockets; /* of the listener for health and metrics */
    size_t n_ops_sockets;
    bool metrics_on_api, metrics_resource_paths;
    const char *audit_log; /* file; NULL = none */
    bool audit_each;
    int64_t keep_decisions_days; /* 0 = not stored */
    vs_log_level log_level;
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
    store_config storage;
    kbs_store_override store_overrides[KBS_STORE_OVERRIDES];
    size_t n_store_overrides;
    bool has_resource_plugin;
    bool resource_has_own_store; /* older dialect: type = "LocalFs", dir_path */
    store_config resource_store; /* used when resource_has_own_store */
    bool has_sample_plugin;
    const kbs_vault_config *vault; /* the resource plugin's store */
    const kbs_pkcs11_config *pkcs11;
    const kbs_nebula_config *nebula;
    const kbs_backend_config *backends;
    size_t n_backends;
    size_t provisioner_key_length; /* 0 = no provisioner plugin; at most KBS_PROVISIONED_MAX */
    bool veraison;                 /* [veraison] */
    bool open_provisioning;        /* anybody may submit endorsements */
    config_veraison sessions;      /* of [veraison] */
    /* Older dialect: where Trustee kept the resource policy; NULL in today's. */
    const char *legacy_policy_path;
    bool paths_as_text; /* policies see "resource/r/t/g" instead of ["r", "t", "g"] (kbs.md 12.1) */
    bool policy_in_file; /* ... and it is kept there; otherwise it is taken over at the
                            start when none is stored */
    vs_val file;         /* as it was read; undefined without one */
} kbs_config;

/* The defaults without a file: SQLite store at `store_path`, resource plugin on, built-in AS. */
void kbs_config_defaults(kbs_config *out, const char *store_path);
/* Reads and checks a file. */
VS_MUST vs_code kbs_config_load(const char *path, vs_arena *a, kbs_config *out, vs_error *err);
/* Calls `tell` with each key whose value differs between the two files and that a running server
 * cannot take over ("http_server.sockets"; a list of tables counts as one). */
void kbs_config_needs_restart(vs_val before, vs_val after,
                              void (*tell)(void *user, const char *key), void *user);

#endif
