/* SPDX-License-Identifier: Apache-2.0 */
#include "kbs/config_keys.h"

#define NO_GRPC  "talking to a separate attestation service over gRPC"
#define NO_ITA   "Intel Trust Authority"
#define NO_REDIS "the Redis storage back end (Postgres is one that replicas can share)"

static const config_choice as_types[] = {
    {"coco_as_builtin", AS_BUILT_IN, NULL},
    {"CoCoASBuiltIn", AS_BUILT_IN, NULL},
    {"coco_as_grpc", 0, NO_GRPC},
    {"CoCoASGrpc", 0, NO_GRPC},
    {"intel_ta", 0, NO_ITA},
    {"IntelTA", 0, NO_ITA},
    {NULL, 0, NULL},
};
static const config_choice rvps_types[] = {
    {"BuiltIn", 0, NULL},
    {"GrpcRemote", 0, "a separate reference value provider over gRPC"},
    {NULL, 0, NULL},
};
static const config_choice admin_modes[] = {
    {"AuthenticatedAuthorization", ADMIN_BEARER, NULL},
    {"DenyAll", ADMIN_DENY, NULL},
    {"InsecureAllowAll", ADMIN_ALLOW, NULL},
    {NULL, 0, NULL},
};
static const config_choice admin_types[] = {
    {"Simple", ADMIN_SIMPLE, NULL},
    {"DenyAll", ADMIN_DENY, NULL},
    {"InsecureAllowAll", ADMIN_ALLOW, NULL},
    {NULL, 0, NULL},
};
static const config_choice tls_profiles[] = {
    {"intermediate", TLS_INTERMEDIATE, NULL},
    {"modern", TLS_MODERN, NULL},
    {"old", TLS_INTERMEDIATE, NULL}, /* means the same (kbs.md 8.2) */
    {"custom", TLS_CUSTOM, NULL},
    {NULL, 0, NULL},
};
static const config_choice tls_versions[] = {{"1.2", 2, NULL}, {"1.3", 3, NULL}, {NULL, 0, NULL}};
static const config_choice storage_types[] = {
    {"Sqlite", STORAGE_SQLITE, NULL},
    {"sqlite", STORAGE_SQLITE, NULL},
    {"LocalFs", STORAGE_LOCALFS, NULL},
    {"local_fs", STORAGE_LOCALFS, NULL},
    {"Memory", STORAGE_MEMORY, NULL},
    {"memory", STORAGE_MEMORY, NULL},
    {"LocalJson", STORAGE_LOCALJSON, NULL},
    {"local_json", STORAGE_LOCALJSON, NULL},
    {"Postgres", STORAGE_POSTGRES, NULL},
    {"postgres", STORAGE_POSTGRES, NULL},
    {"Redis", 0, NO_REDIS},
    {"redis", 0, NO_REDIS},
    {NULL, 0, NULL},
};
static const config_choice protocols[] = {
    {"0.1.1", KBS_PROTOCOL_0_1_1, NULL},
    {"0.2.0", KBS_PROTOCOL_0_2_0, NULL},
    {"0.3.0", KBS_PROTOCOL_0_3_0, NULL},
    {"0.4.0", KBS_PROTOCOL_0_4_0, NULL},
    {NULL, 0, NULL},
};
static const config_choice audit_syncs[] = {{"batch", 0, NULL}, {"each", 1, NULL}, {NULL, 0, NULL}};
static const config_choice plugin_names[] = {
    {"resource", PLUGIN_RESOURCE, NULL},
    {"ResourceStorage", PLUGIN_RESOURCE, NULL},
    {"sample", PLUGIN_SAMPLE, NULL},
    {"Sample", PLUGIN_SAMPLE, NULL},
    {"provisioner", 0, "the provisioner plugin"},
    {"Provisioner", 0, "the provisioner plugin"},
    {"nebula-ca", 0, "the Nebula CA plugin"},
    {"NebulaCaPlugin", 0, "the Nebula CA plugin"},
    {"pkcs11", 0, "the PKCS#11 plugin"},
    {"Pkcs11", 0, "the PKCS#11 plugin"},
    {"external", 0, "external plugins"},
    {"ExternalPlugin", 0, "external plugins"},
    {NULL, 0, NULL},
};
#define CLOUD "resources in an external vault"
static const config_choice resource_backends[] = {
    {"kvstorage", BACKEND_KV, NULL},
    {"KvStorage", BACKEND_KV, NULL},
    {"vault", 0, CLOUD},
    {"Vault", 0, CLOUD},
    {"aws", 0, CLOUD},
    {"Aws", 0, CLOUD},
    {"gcp", 0, CLOUD},
    {"Gcp", 0, CLOUD},
    {"aliyun", 0, CLOUD},
    {"Aliyun", 0, CLOUD},
    {NULL, 0, NULL},
};
static const config_choice old_backends[] = {
    {"LocalFs", BACKEND_TREE, NULL},
    {"kvstorage", BACKEND_KV, NULL},
    {"KvStorage", BACKEND_KV, NULL},
    {"Vault", 0, CLOUD},
    {"Aliyun", 0, CLOUD},
    {NULL, 0, NULL},
};

#define AT(member) offsetof(config_raw, member)

/* Kinds of lines. F = fallback, M = meaning. */
#define SECTION(p, m)                                                                              \
    {                                                                                              \
        .path = p, .type = CONFIG_TABLE, .offset = CONFIG_NOWHERE, .meaning = m                    \
    }
#define SECTION_AT(p, o, m)                                                                        \
    {                                                                                              \
        .path = p, .type = CONFIG_TABLE, .offset = o, .meaning = m                                 \
    }
#define LIST(p, o, n, e, m)                                                                        \
    {                                                                                              \
        .path = p, .type = CONFIG_TABLES, .offset = o, .n_offset = n, .element = sizeof(e),        \
        .meaning = m                                                                               \
    }
#define TEXT(p, o, f, m)                                                                           \
    {                                                                                              \
        .path = p, .type = CONFIG_TEXT, .offset = o, .fallback = f, .meaning = m                   \
    }
#define TEXTS(p, o, n, f, m)                                                                       \
    {                                                                                              \
        .path = p, .type = CONFIG_TEXTS, .offset = o, .n_offset = n, .fallback = f, .meaning = m   \
    }
#define FLAG(p, o, f, m)                                                                           \
    {                                                                                              \
        .path = p, .type = CONFIG_FLAG, .offset = o, .fallback = f, .meaning = m                   \
    }
#define COUNT(p, o, lo, hi, f, m)                                                                  \
    {                                                                                              \
        .path = p, .type = CONFIG_COUNT, .offset = o, .min = lo, .max = hi, .fallback = f,         \
        .meaning = m                                                                               \
    }
#define CHOICE(p, o, c, f, m)                                                                      \
    {                                                                                              \
        .path = p, .type = CONFIG_CHOICE, .offset = o, .choices = c, .fallback = f, .meaning = m   \
    }
#define OLD_TEXT(p, o, h)                                                                          \
    {                                                                                              \
        .path = p, .type = CONFIG_TEXT, .status = CONFIG_OLD, .hint = h, .offset = o,              \
        .meaning = "obsolete"                                                                      \
    }
#define OLD_FLAG(p, o, h)                                                                          \
    {                                                                                              \
        .path = p, .type = CONFIG_FLAG, .status = CONFIG_OLD, .hint = h, .offset = o,              \
        .meaning = "obsolete"                                                                      \
    }
#define OLD_CHOICE(p, o, c, h)                                                                     \
    {                                                                                              \
        .path = p, .type = CONFIG_CHOICE, .status = CONFIG_OLD, .hint = h, .offset = o,            \
        .choices = c, .meaning = "obsolete"                                                        \
    }
#define UNUSED(p, h)                                                                               \
    {                                                                                              \
        .path = p, .type = CONFIG_ANY, .status = CONFIG_UNUSED, .hint = h, .meaning = "no effect"  \
    }

#define PROVIDER(m) offsetof(kbs_identity_provider, m)
#define ACL(m)      offsetof(kbs_acl, m)
#define PERSONA(m)  offsetof(kbs_persona, m)
#define MTLS(m)     offsetof(kbs_mtls_identity, m)
#define UNIX(m)     offsetof(kbs_unix_identity, m)
#define PLUGIN(m)   offsetof(config_plugin, m)

#define ONLY_GRPC         "it belongs to attestation_service.type \"coco_as_grpc\""
#define ONLY_ITA          "it belongs to attestation_service.type \"intel_ta\""
#define POLICIES_IN_STORE "attestation policies are kept in the storage back end"
#define ONE_STORE         "everything is kept in the storage back end of [storage_backend]"
#define NOT_HERE          "this build does not have that part"

static const config_key keys[] = {
    SECTION_AT("http_server", AT(has_http), "where and how the server listens"),
    TEXTS("http_server.sockets", AT(c.sockets), AT(c.n_sockets), "127.0.0.1:8080",
          "addresses to listen on, IP:port"),
    FLAG("http_server.insecure_http", AT(c.insecure_http), "false", "plain HTTP instead of HTTPS"),
    TEXT("http_server.private_key", AT(c.private_key), NULL,
         "PEM file of the server's key; needed without insecure_http"),
    TEXT("http_server.certificate", AT(c.certificate), NULL,
         "PEM file of the server's certificate chain; needed without insecure_http"),
    COUNT("http_server.payload_request_size", AT(body_mib), 1, 1024, "2",
          "largest request body in MiB"),
    COUNT("http_server.worker_count", AT(workers), 1, 1024, NULL,
          "worker threads; one per logical CPU when not given"),
    CHOICE(
        "http_server.tls_profile", AT(tls_profile), tls_profiles, NULL,
        "intermediate and old: TLS 1.2 and 1.3; modern: 1.3 only; custom: as the keys below say"),
    CHOICE("http_server.tls_min_version", AT(tls_min), tls_versions, NULL,
           "oldest TLS version; by profile when not given"),
    CHOICE("http_server.tls_max_version", AT(tls_max), tls_versions, NULL,
           "newest TLS version; by profile when not given"),
    TEXT("http_server.tls_ciphers", AT(c.tls_ciphers), NULL,
         "OpenSSL cipher list; by profile when not given"),
    TEXT("http_server.tls_groups", AT(c.tls_groups), NULL,
         "key exchange groups, separated by colons; by profile when not given"),

    SECTION("attestation_token", "which attestation tokens are believed"),
    TEXTS("attestation_token.trusted_certs_paths", AT(c.trusted_certs_paths), AT(c.n_trusted_certs),
          NULL, "PEM files of certificates that token signers' chains end at"),
    TEXTS("attestation_token.trusted_jwk_sets", AT(c.trusted_jwk_sets), AT(c.n_trusted_jwk_sets),
          NULL, "JWK sets with keys of token signers; paths, file:// or https://"),
    TEXTS("attestation_token.extra_teekey_paths", AT(c.extra_teekey_paths),
          AT(c.n_extra_teekey_paths), NULL,
          "JSON pointers to the TEE's public key in a token's claims, tried before the known ones"),
    FLAG("attestation_token.insecure_header_jwk", AT(c.insecure_header_jwk), "false",
         "believe the key in a token's own header: no protection at all"),
    OLD_FLAG("attestation_token.insecure_key", AT(c.insecure_header_jwk),
             "attestation_token.insecure_header_jwk"),
    UNUSED("attestation_token.type", "all token forms are recognised"),

    SECTION_AT("attestation_service", AT(has_as), "who verifies evidence"),
    CHOICE("attestation_service.type", AT(as_type), as_types, "coco_as_builtin",
           "the verifier: built in"),
    COUNT("attestation_service.timeout", AT(c.as.session_minutes), 1, 1440, "5",
          "life of a session in minutes"),
    CHOICE("attestation_service.oldest_protocol", AT(c.as.oldest_protocol), protocols, "0.1.1",
           "oldest version of the KBS protocol that is served; 0.1.1 has RSA1_5 keys only"),
    FLAG("attestation_service.sample_tee", AT(c.as.sample_tee), "false",
         "accept evidence of the sample TEE, which proves nothing"),
    FLAG("attestation_service.refuse_sample_reference_values",
         AT(c.as.refuse_sample_reference_values), "false",
         "refuse reference value messages that nobody signed"),
    SECTION("attestation_service.attestation_token_broker", "the tokens that are issued"),
    COUNT("attestation_service.attestation_token_broker.duration_min", AT(c.as.duration_min), 1,
          525600, "5", "life of a token in minutes"),
    TEXT("attestation_service.attestation_token_broker.issuer_name", AT(c.as.issuer_name),
         "CoCo-Attestation-Service", "claim iss"),
    TEXT("attestation_service.attestation_token_broker.developer_name", AT(c.as.developer_name),
         "https://confidentialcontainers.org", "developer in claim ear.verifier-id"),
    TEXT("attestation_service.attestation_token_broker.build_name", AT(c.as.build_name),
         "attestation-service 0.1.0", "build in claim ear.verifier-id"),
    TEXT("attestation_service.attestation_token_broker.profile_name", AT(c.as.profile_name),
         "tag:github.com,2024:confidential-containers/Trustee", "claim eat_profile"),
    FLAG("attestation_service.attestation_token_broker.verbose_token", AT(c.as.verbose_token),
         "true", "put the evidence's claims into the token"),
    SECTION("attestation_service.attestation_token_broker.signer",
            "key that signs tokens; without it one is made at each start"),
    TEXT("attestation_service.attestation_token_broker.signer.key_path", AT(c.as.signer_key_path),
         NULL, "PEM file of the private key"),
    TEXT("attestation_service.attestation_token_broker.signer.cert_path", AT(c.as.signer_cert_path),
         NULL, "PEM file of its certificate chain"),
    TEXT("attestation_service.attestation_token_broker.signer.cert_url", AT(c.as.signer_cert_url),
         NULL, "URL of the chain, put into the token as x5u"),
    UNUSED("attestation_service.attestation_token_broker.type", "there is one form: EAR"),
    UNUSED("attestation_service.attestation_token_broker.policy_dir", POLICIES_IN_STORE),
    SECTION("attestation_service.rvps_config", "where reference values are"),
    CHOICE("attestation_service.rvps_config.type", AT(rvps_type), rvps_types, "BuiltIn",
           "the reference value provider: built in"),
    TEXTS("attestation_service.rvps_config.trust_anchors", AT(c.as.rvps_anchors),
          AT(c.as.n_rvps_anchors), NULL,
          "PEM certificates, public keys or JWK Sets: signed CoRIMs must verify against them"),
    FLAG("attestation_service.rvps_config.require_signed", AT(c.as.require_signed_reference_values),
         "false", "take only messages that a trust anchor vouches for"),
    CHOICE("attestation_service.rvps_config.storage_type", AT(rvps_storage), storage_types, NULL,
           "where reference values are; by default that of [storage_backend]"),
    UNUSED("attestation_service.rvps_config.storage", ONE_STORE),
    UNUSED("attestation_service.rvps_config.store_type", ONE_STORE),
    UNUSED("attestation_service.rvps_config.address", "the reference value provider is built in"),
    UNUSED("attestation_service.rvps_config.extractors", "all extractors are always on"),
    CHOICE("attestation_service.storage_type", AT(as_storage), storage_types, NULL,
           "where attestation policies are; by default that of [storage_backend]"),
    UNUSED("attestation_service.verifier_config", NOT_HERE),
    UNUSED("attestation_service.work_dir", ONE_STORE),
    UNUSED("attestation_service.policy_engine", POLICIES_IN_STORE),
    UNUSED("attestation_service.as_addr", ONLY_GRPC),
    UNUSED("attestation_service.pool_size", ONLY_GRPC),
    UNUSED("attestation_service.base_url", ONLY_ITA),
    UNUSED("attestation_service.api_key", ONLY_ITA),
    UNUSED("attestation_service.certs_file", ONLY_ITA),
    UNUSED("attestation_service.policy_ids", ONLY_ITA),
    UNUSED("attestation_service.allow_unmatched_policy", ONLY_ITA),

    SECTION_AT("admin", AT(has_admin), "who may administrate"),
    CHOICE("admin.authorization_mode", AT(admin_mode), admin_modes, NULL,
           "AuthenticatedAuthorization: bearer tokens with a role; DenyAll: nobody; "
           "InsecureAllowAll: everybody"),
    SECTION("admin.authentication", "who an administrator is"),
    SECTION_AT("admin.authentication.bearer_jwt", AT(has_bearer), "by a signed token"),
    LIST("admin.authentication.bearer_jwt.identity_providers", AT(c.admin.providers),
         AT(c.admin.n_providers), kbs_identity_provider, "issuers of tokens"),
    TEXT("admin.authentication.bearer_jwt.identity_providers.issuer", PROVIDER(issuer), NULL,
         "wanted claim iss; any when not given"),
    TEXT("admin.authentication.bearer_jwt.identity_providers.audience", PROVIDER(audience), NULL,
         "value that claim aud must hold; any when not given"),
    TEXT("admin.authentication.bearer_jwt.identity_providers.public_key_uri",
         PROVIDER(public_key_uri), NULL, "PEM text of the public key; a path, file:// or https://"),
    TEXT("admin.authentication.bearer_jwt.identity_providers.jwk_set_uri", PROVIDER(jwk_set_uri),
         NULL,
         "JWK set: a path, file:// or https://, or the https:// URL of an OpenID issuer, whose "
         "configuration names one"),
    SECTION_AT("admin.authentication.mtls", AT(has_mtls), "by a client certificate"),
    TEXT("admin.authentication.mtls.client_ca", AT(c.admin.client_ca), NULL,
         "PEM file of the certificates that client certificates must end at"),
    LIST("admin.authentication.mtls.identities", AT(c.admin.mtls_identities),
         AT(c.admin.n_mtls_identities), kbs_mtls_identity, "which certificate has which role"),
    TEXT("admin.authentication.mtls.identities.subject", MTLS(subject), NULL,
         "the whole subject as in RFC 2253, CN=alice,O=example"),
    TEXT("admin.authentication.mtls.identities.san", MTLS(san), NULL,
         "or one whole alternative name: DNS:..., URI:..., email:..., IP:..."),
    TEXT("admin.authentication.mtls.identities.role", MTLS(role), NULL, "role for regex_acl"),
    SECTION_AT("admin.authentication.unix", AT(has_unix),
               "by the credentials of a process, over unix_socket"),
    LIST("admin.authentication.unix.identities", AT(c.admin.unix_identities),
         AT(c.admin.n_unix_identities), kbs_unix_identity, "which user or group has which role"),
    TEXT("admin.authentication.unix.identities.user", UNIX(user), NULL, "name or number"),
    TEXT("admin.authentication.unix.identities.group", UNIX(group), NULL,
         "name or number of the process's own group; with user, both must be so"),
    TEXT("admin.authentication.unix.identities.role", UNIX(role), NULL, "role for regex_acl"),
    TEXT("admin.unix_socket", AT(c.admin.unix_socket), NULL,
         "path of a socket to listen on as well, for administrators on this machine"),
    SECTION("admin.authorization", "what an administrator may do"),
    SECTION_AT("admin.authorization.regex_acl", AT(has_acl), "by path"),
    LIST("admin.authorization.regex_acl.acls", AT(acls), AT(n_acls), kbs_acl,
         "what is allowed; everything else is not"),
    TEXT("admin.authorization.regex_acl.acls.role", ACL(role), NULL, "the token's claim role"),
    TEXT("admin.authorization.regex_acl.acls.allowed_endpoints", ACL(allowed_endpoints), NULL,
         "regular expression over the whole path; starts with ^/kbs, ends with $"),
    OLD_CHOICE("admin.type", AT(admin_old_mode), admin_types, "admin.authorization_mode"),
    LIST("admin.personas", AT(c.admin.personas), AT(c.admin.n_personas), kbs_persona,
         "older dialect: administrators by Ed25519 key"),
    TEXT("admin.personas.id", PERSONA(id), NULL, "name, and the role in [[admin.roles]]"),
    TEXT("admin.personas.public_key_path", PERSONA(public_key_path), NULL, "PEM file"),
    LIST("admin.roles", AT(roles), AT(n_roles), kbs_acl,
         "older dialect: what a persona may do; without any, everything"),
    TEXT("admin.roles.id", ACL(role), NULL, "the persona"),
    TEXT("admin.roles.allowed_endpoints", ACL(allowed_endpoints), NULL, "as in regex_acl"),
    OLD_TEXT("admin.auth_public_key", AT(auth_public_key), "admin.authorization_mode"),
    OLD_FLAG("admin.insecure_api", AT(insecure_api), "admin.authorization_mode"),

    SECTION("key_sources", "keys and JWK sets behind https://, read again in the background"),
    TEXT("key_sources.ca_file", AT(c.key_ca_file), NULL,
         "PEM file of certificates to trust for them, beside the system's"),
    COUNT("key_sources.refresh", AT(key_refresh), 30, 86400, "300",
          "seconds between two readings; an unknown key id asks sooner"),

    SECTION("storage_backend", "where everything is kept"),
    CHOICE(
        "storage_backend.storage_type", AT(storage_type), storage_types, "Sqlite",
        "Sqlite, Postgres (what replicas share), LocalFs, LocalJson (each in Trustee's layout) or "
        "Memory (lost at exit)"),
    SECTION("storage_backend.backends", "settings of each type"),
    SECTION("storage_backend.backends.sqlite", "one database file"),
    TEXT("storage_backend.backends.sqlite.path", AT(sqlite_path), "/var/lib/vouchsafe/kbs.sqlite",
         "the file"),
    SECTION_AT("storage_backend.backends.local_fs", AT(has_local_fs), "one file per value"),
    TEXT("storage_backend.backends.local_fs.dir_path", AT(local_fs_dir),
         "/opt/confidential-containers/storage/local_fs", "the directory"),
    SECTION_AT("storage_backend.backends.local_json", AT(has_local_json), "one file per namespace"),
    TEXT("storage_backend.backends.local_json.file_dir_path", AT(local_json_dir),
         "/opt/confidential-containers/storage/local_json", "the directory"),
    SECTION_AT("storage_backend.backends.postgres", AT(has_postgres),
               "a database; the environment's POSTGRES_URL wins over all of it"),
    TEXT("storage_backend.backends.postgres.host", AT(postgres.host), "localhost",
         "name, address or directory of the server's Unix socket"),
    COUNT("storage_backend.backends.postgres.port", AT(postgres_port), 1, 65535, "5432",
          "TCP port"),
    TEXT("storage_backend.backends.postgres.db", AT(postgres.db), "postgres", "database"),
    TEXT("storage_backend.backends.postgres.username", AT(postgres.username), "postgres", "user"),
    TEXT("storage_backend.backends.postgres.password", AT(postgres.password), NULL,
         "the user's password; never logged"),
    UNUSED("storage_backend.backends.redis", NOT_HERE),
    CHOICE("session_storage_type", AT(session_storage), storage_types, NULL,
           "where sessions are; by default that of [storage_backend]"),

    LIST("plugins", AT(plugins), AT(n_plugins), config_plugin, "what can be released"),
    CHOICE("plugins.name", PLUGIN(name), plugin_names, NULL, "resource or sample"),
    CHOICE("plugins.storage_backend_type", PLUGIN(backend), resource_backends, NULL,
           "resource: kvstorage, the storage of [storage_backend]"),
    OLD_CHOICE("plugins.type", PLUGIN(old_backend), old_backends, "plugins.storage_backend_type"),
    TEXT("plugins.dir_path", PLUGIN(dir_path), NULL,
         "resource, older dialect with type \"LocalFs\": directory of the files r/t/g"),
    UNUSED("plugins.item", "the sample plugin does not use it"),

    SECTION("operations", "health and metrics"),
    TEXTS("operations.sockets", AT(c.ops_sockets), AT(c.n_ops_sockets), NULL,
          "IP:port to listen on for /livez, /readyz and /metrics; plain HTTP, for machines you "
          "trust"),
    FLAG("operations.metrics_on_api", AT(c.metrics_on_api), "false",
         "serve /metrics on [http_server] sockets too, where Trustee has it"),
    FLAG("operations.metrics_resource_paths", AT(c.metrics_resource_paths), "false",
         "label resource metrics with paths; otherwise with the beginning of their SHA-256"),

    TEXT("operations.audit_log", AT(c.audit_log), NULL,
         "file to which every decision is appended, chained and signed; what cannot be recorded "
         "there is not granted"),
    CHOICE("operations.audit_sync", AT(audit_sync), audit_syncs, "batch",
           "each: an answer waits until its event is on disk; batch: it does not"),
    COUNT("operations.keep_decisions_days", AT(c.keep_decisions_days), 0, 3650, "30",
          "for how long records of decisions are kept for explain, replay and dry-run; 0: not"),

    SECTION("policy_engine", "older dialect"),
    TEXT("policy_engine.policy_path", AT(c.legacy_policy_path), NULL,
         "resource policy file that is taken over at start when there is none yet"),
};

const config_key *config_keys(size_t *n)
{
    *n = VS_COUNT(keys);
    return keys;
}
