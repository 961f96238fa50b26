/* SPDX-License-Identifier: Apache-2.0 */
#include "kbs/config_keys.h"

#include "config/macros.h"

#define NO_ITA "Intel Trust Authority"

static const config_choice as_types[] = {
    {"coco_as_builtin", AS_BUILT_IN, NULL},
    {"CoCoASBuiltIn", AS_BUILT_IN, NULL},
    {"coco_as_grpc", AS_GRPC, NULL},
    {"CoCoASGrpc", AS_GRPC, NULL},
    {"intel_ta", 0, NO_ITA},
    {"IntelTA", 0, NO_ITA},
    {NULL, 0, NULL},
};
static const config_choice rvps_types[] = {
    {"BuiltIn", RVPS_BUILT_IN, NULL},
    {"GrpcRemote", RVPS_GRPC, NULL},
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
static const config_choice log_levels[] = {
    {"error", VS_LOG_ERROR + 1, NULL},
    {"warn", VS_LOG_WARN + 1, NULL},
    {"info", VS_LOG_INFO + 1, NULL},
    {"debug", VS_LOG_DEBUG + 1, NULL},
    {NULL, 0, NULL},
};
static const config_choice protocols[] = {
    {"0.1.1", KBS_PROTOCOL_0_1_1, NULL},
    {"0.2.0", KBS_PROTOCOL_0_2_0, NULL},
    {"0.3.0", KBS_PROTOCOL_0_3_0, NULL},
    {"0.4.0", KBS_PROTOCOL_0_4_0, NULL},
    {NULL, 0, NULL},
};
static const config_choice provisioning_auths[] = {
    {"admin", 0, NULL}, {"none", 1, NULL}, {NULL, 0, NULL}};
static const config_choice audit_syncs[] = {{"batch", 0, NULL}, {"each", 1, NULL}, {NULL, 0, NULL}};
static const config_choice path_forms[] = {
    {"segments", 0, NULL}, {"text", 1, NULL}, {NULL, 0, NULL}};
static const config_choice plugin_names[] = {
    {"resource", PLUGIN_RESOURCE, NULL},
    {"ResourceStorage", PLUGIN_RESOURCE, NULL},
    {"sample", PLUGIN_SAMPLE, NULL},
    {"Sample", PLUGIN_SAMPLE, NULL},
    {"provisioner", PLUGIN_PROVISIONER, NULL},
    {"Provisioner", PLUGIN_PROVISIONER, NULL},
    {"nebula-ca", PLUGIN_NEBULA, NULL},
    {"NebulaCaPlugin", PLUGIN_NEBULA, NULL},
    {"pkcs11", PLUGIN_PKCS11, NULL},
    {"Pkcs11", PLUGIN_PKCS11, NULL},
    {"external", PLUGIN_EXTERNAL, NULL},
    {"ExternalPlugin", PLUGIN_EXTERNAL, NULL},
    {NULL, 0, NULL},
};
#define CLOUD "resources in a cloud's key service (Vault and OpenBao are served: \"vault\")"
static const config_choice resource_backends[] = {
    {"kvstorage", BACKEND_KV, NULL},
    {"KvStorage", BACKEND_KV, NULL},
    {"vault", BACKEND_VAULT, NULL},
    {"Vault", BACKEND_VAULT, NULL},
    {"aws", 0, CLOUD},
    {"Aws", 0, CLOUD},
    {"gcp", 0, CLOUD},
    {"Gcp", 0, CLOUD},
    {"aliyun", 0, CLOUD},
    {"Aliyun", 0, CLOUD},
    {NULL, 0, NULL},
};
static const config_choice rsa_mechanisms[] = {
    {"RsaPkcsOaep", 0, NULL},
    {"RsaPkcsTest", 1, NULL},
    {NULL, 0, NULL},
};
static const config_choice old_backends[] = {
    {"LocalFs", BACKEND_TREE, NULL},
    {"kvstorage", BACKEND_KV, NULL},
    {"KvStorage", BACKEND_KV, NULL},
    {"Vault", BACKEND_VAULT, NULL},
    {"Aliyun", 0, CLOUD},
    {NULL, 0, NULL},
};

#define AT(member) offsetof(config_raw, member)

#define PROVIDER(m) offsetof(kbs_identity_provider, m)
#define ACL(m)      offsetof(kbs_acl, m)
#define PERSONA(m)  offsetof(kbs_persona, m)
#define MTLS(m)     offsetof(kbs_mtls_identity, m)
#define UNIX(m)     offsetof(kbs_unix_identity, m)
#define PLUGIN(m)   offsetof(config_plugin, m)
#define BACKEND(m)  offsetof(kbs_backend_config, m)

#define ONLY_ITA          "it belongs to attestation_service.type \"intel_ta\""
#define POLICIES_IN_STORE "attestation policies are kept in the storage back end"
#define ONE_STORE         "everything is kept in the storage back end of [storage_backend]"

/* Of https and of servers that want to know who calls. */
#define REMOTE_KEYS(p, at, with)                                                                   \
    TEXT(p ".ca_cert_path", (at) + offsetof(kbs_remote, ca_cert), NULL,                            \
         with ": PEM file that its certificate is checked against; the system's when not given"),  \
        TEXT(p ".client_cert_path", (at) + offsetof(kbs_remote, client_cert), NULL,                \
             with ": PEM chain to show to it"),                                                    \
        TEXT(p ".client_key_path", (at) + offsetof(kbs_remote, client_key), NULL,                  \
             with ": PEM file of the key of that chain")

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

    TEXTS("http_server.trusted_proxies", AT(proxies), AT(n_proxies), NULL,
          "addresses or CIDR ranges of proxies whose Forwarded or X-Forwarded-For is believed"),
    FLAG("http_server.proxy_protocol", AT(c.proxy_protocol), "false",
         "every connection starts with a PROXY protocol v2 header; only trusted_proxies may "
         "connect"),
    COUNT("http_server.rate_per_source", AT(rate), 0, 1000000, "0",
          "requests and new connections per second of one IPv4 address or IPv6 /64; 0: no limit"),
    COUNT("http_server.burst_per_source", AT(burst), 0, 1000000, "0",
          "how many of them at once; 0: twice the rate"),
    COUNT("http_server.connections_per_source", AT(connections), 0, 1000000, "0",
          "connections of one source at a time; 0: no limit"),

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
             "attestation_token.insecure_header_jwk", ""),
    UNUSED("attestation_token.type", "all token forms are recognised"),

    SECTION_AT("attestation_service", AT(has_as), "who verifies evidence"),
    CHOICE("attestation_service.type", AT(as_type), as_types, "coco_as_builtin",
           "the verifier: built in, or another process"),
    COUNT("attestation_service.timeout", AT(c.as.session_minutes), 1, 1440, "5",
          "life of a session in minutes"),
    CHOICE("attestation_service.oldest_protocol", AT(c.as.oldest_protocol), protocols, "0.1.1",
           "oldest version of the KBS protocol that is served; 0.1.1 has RSA1_5 keys only"),
    FLAG("attestation_service.sample_tee", AT(c.as.sample_tee), "false",
         "accept evidence of the sample TEE, which proves nothing"),
    FLAG("attestation_service.refuse_sample_reference_values",
         AT(c.as.refuse_sample_reference_values), "false",
         "refuse reference value messages of type \"sample\", which set any value; for unsigned "
         "ones "
         "of every type see rvps_config.require_signed"),
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
            "key that signs tokens; without it one is made once and kept in the storage back end"),
    TEXT("attestation_service.attestation_token_broker.signer.key_path", AT(c.as.signer_key_path),
         NULL, "PEM file of the private key"),
    TEXT("attestation_service.attestation_token_broker.signer.cert_path", AT(c.as.signer_cert_path),
         NULL, "PEM file of its certificate chain"),
    TEXT("attestation_service.attestation_token_broker.signer.cert_url", AT(c.as.signer_cert_url),
         NULL, "URL of the chain, put into the token as x5u"),
    UNUSED("attestation_service.attestation_token_broker.type", "there is one form: EAR"),
    UNUSED("attestation_service.attestation_token_broker.policy_dir", POLICIES_IN_STORE),
    SECTION_AT("attestation_service.rvps_config", AT(has_rvps), "where reference values are"),
    CHOICE("attestation_service.rvps_config.type", AT(rvps_type), rvps_types, "BuiltIn",
           "the reference value provider: built in, or another process"),
    CONFIG_TRUST_KEYS("attestation_service.rvps_config.", AT(c.as.trust), ""),
    FLAG("attestation_service.rvps_config.require_signed", AT(c.as.require_signed_reference_values),
         "false",
         "take only messages that a trust anchor vouches for; without trust_anchors none at all"),
    FLAG("attestation_service.rvps_config.accept_unsigned_attestation_keys",
         AT(c.as.accept_unsigned_attestation_keys), "false",
         "take attestation keys, which make platforms genuine, from CoRIMs that neither a trust "
         "anchor nor an administrator vouches for"),
    CHOICE("attestation_service.rvps_config.storage_type", AT(rvps_storage), config_storage_types,
           NULL, "where reference values are; by default that of [storage_backend]"),
    UNUSED("attestation_service.rvps_config.storage", ONE_STORE),
    UNUSED("attestation_service.rvps_config.store_type", ONE_STORE),
    TEXT("attestation_service.rvps_config.address", AT(c.as.rvps.address), "127.0.0.1:50003",
         "GrpcRemote: URL of the provider; without a scheme http; unix:/path"),
    REMOTE_KEYS("attestation_service.rvps_config", AT(c.as.rvps), "GrpcRemote"),
    UNUSED("attestation_service.rvps_config.extractors", "all extractors are always on"),
    CHOICE("attestation_service.storage_type", AT(as_storage), config_storage_types, NULL,
           "where attestation policies are; by default that of [storage_backend]"),
    CONFIG_VERIFIER_KEYS("attestation_service.verifier_config", AT(c.as.tees)),
    UNUSED("attestation_service.work_dir", ONE_STORE),
    UNUSED("attestation_service.policy_engine", POLICIES_IN_STORE),
    TEXT("attestation_service.as_addr", AT(c.as.as.address), "http://127.0.0.1:50004",
         "coco_as_grpc: URL of the attestation service, http or https; unix:/path"),
    COUNT("attestation_service.pool_size", AT(c.as.pool_size), 1, 1024, "100",
          "coco_as_grpc: most connections to it"),
    REMOTE_KEYS("attestation_service", AT(c.as.as), "coco_as_grpc"),
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
    OLD_CHOICE("admin.type", AT(admin_old_mode), admin_types, "admin.authorization_mode",
               "\"Simple\" becomes \"AuthenticatedAuthorization\", with "
               "[admin.authentication.bearer_jwt] and [admin.authorization.regex_acl]"),
    OLD_LIST("admin.personas", AT(c.admin.personas), AT(c.admin.n_personas), kbs_persona,
             "admin.authentication.bearer_jwt.identity_providers",
             "an entry for each key; its tokens need a claim role then, as kbs-client makes them"),
    TEXT("admin.personas.id", PERSONA(id), NULL, "name, and the role in [[admin.roles]]"),
    TEXT("admin.personas.public_key_path", PERSONA(public_key_path), NULL, "PEM file"),
    OLD_LIST("admin.roles", AT(roles), AT(n_roles), kbs_acl, "admin.authorization.regex_acl.acls",
             "what a persona may do (without any, everything); id becomes role"),
    TEXT("admin.roles.id", ACL(role), NULL, "the persona"),
    TEXT("admin.roles.allowed_endpoints", ACL(allowed_endpoints), NULL, "as in regex_acl"),
    OLD_TEXT("admin.auth_public_key", AT(auth_public_key),
             "admin.authentication.bearer_jwt.identity_providers.public_key_uri",
             "with admin.authorization_mode \"AuthenticatedAuthorization\" and "
             "[admin.authorization.regex_acl]"),
    OLD_FLAG("admin.insecure_api", AT(insecure_api), "admin.authorization_mode",
             "true becomes \"InsecureAllowAll\""),

    SECTION("key_sources", "keys and JWK sets behind https://, read again in the background"),
    TEXT("key_sources.ca_file", AT(c.key_ca_file), NULL,
         "PEM file of certificates to trust for them, beside the system's"),
    COUNT("key_sources.refresh", AT(key_refresh), 30, 86400, "300",
          "seconds between two readings; an unknown key id asks sooner"),

    CONFIG_STORAGE_KEYS("storage_backend", AT(storage), "/var/lib/vouchsafe/kbs.sqlite"),
    CHOICE("session_storage_type", AT(session_storage), config_storage_types, NULL,
           "where sessions are; by default that of [storage_backend]"),

    LIST("plugins", AT(plugins), AT(n_plugins), config_plugin, "what can be released"),
    CHOICE("plugins.name", PLUGIN(name), plugin_names, NULL,
           "which one; of several with the same name the last one counts"),
    CHOICE("plugins.storage_backend_type", PLUGIN(backend), resource_backends, NULL,
           "resource: kvstorage, the storage of [storage_backend]; vault, HashiCorp Vault or "
           "OpenBao"),
    OLD_CHOICE("plugins.type", PLUGIN(old_backend), old_backends, "plugins.storage_backend_type",
               "but \"LocalFs\" has no newer form for its files and is served as before"),
    TEXT("plugins.dir_path", PLUGIN(dir_path), NULL,
         "resource, older dialect with type \"LocalFs\": directory of the files r/t/g"),
    TEXT("plugins.vault_url", PLUGIN(vault.url), NULL, "vault: https://host:port"),
    SECRET("plugins.token", PLUGIN(vault.token), "vault: the token; never logged"),
    TEXT("plugins.token_file", PLUGIN(vault.token_file), NULL,
         "vault: file that holds the token, read for each request, so that an agent may renew it"),
    TEXT("plugins.mount_path", PLUGIN(vault.mount_path), "secret",
         "vault: where the KV secrets engine is mounted"),
    COUNT("plugins.kv_version", PLUGIN(kv_version), 1, 2, "1", "vault: version of that engine"),
    FLAG("plugins.verify_ssl", PLUGIN(vault.verify), "true",
         "vault: check the server's certificate (Trustee: false when not given)"),
    TEXTS("plugins.ca_certs", PLUGIN(vault.ca_certs), PLUGIN(vault.n_ca_certs), NULL,
          "vault: PEM files of certificates that are trusted besides the system's"),
    COUNT("plugins.vault_timeout_ms", PLUGIN(vault_timeout_ms), 100, 600000, "10000",
          "vault: for one request, in milliseconds"),
    COUNT("plugins.key_length", PLUGIN(key_length), 1, KBS_PROVISIONED_MAX, "32",
          "provisioner: letters and digits of a key"),
    TEXT("plugins.module", PLUGIN(pkcs11.module), NULL, "pkcs11: the HSM's library"),
    SECRET("plugins.pin", PLUGIN(pkcs11.pin), "pkcs11: the user's PIN; never logged"),
    TEXT("plugins.pin_file", PLUGIN(pkcs11.pin_file), NULL,
         "pkcs11: file that holds the PIN, instead of \"pin\""),
    COUNT("plugins.slot_index", PLUGIN(pkcs11.slot_index), 0, 255, "0",
          "pkcs11: which of the slots that have a token"),
    CHOICE("plugins.rsa_mechanism", PLUGIN(rsa_mechanism), rsa_mechanisms, "RsaPkcsOaep",
           "pkcs11, wrap-key: OAEP with SHA-256; RsaPkcsTest: OAEP with SHA-1"),
    TEXT("plugins.lookup_label", PLUGIN(pkcs11.lookup_label), "",
         "pkcs11, wrap-key: label of the RSA key pair"),
    TEXTS("plugins.token_paths", PLUGIN(pkcs11.token_paths), PLUGIN(pkcs11.n_token_paths), NULL,
          "pkcs11: directories and files that the module works on (SoftHSM: its token directory); "
          "when given, the server's sandbox stays on, and the module reaches these"),
    TEXT("plugins.work_dir", PLUGIN(nebula.work_dir), "/opt/confidential-containers/kbs/nebula-ca",
         "nebula-ca: directory of ca/ca.crt, ca.key"),
    TEXT("plugins.nebula_cert_bin_path", PLUGIN(nebula.program), "nebula-cert",
         "nebula-ca: the program, 1.9.5 or newer"),
    COUNT("plugins.nebula_timeout_ms", PLUGIN(nebula_timeout_ms), 100, 600000, "20000",
          "nebula-ca: for one run of the program, in milliseconds"),
    SECTION("plugins.ca_config", "nebula-ca: the authority that is made when there is none"),
    TEXT("plugins.ca_config.name", PLUGIN(nebula.ca_name), "Trustee Nebula CA plugin", "its name"),
    COUNT("plugins.ca_config.argon_iterations", PLUGIN(nebula.argon_iterations), 1, UINT32_MAX,
          NULL, "Argon2 iterations"),
    COUNT("plugins.ca_config.argon_memory", PLUGIN(nebula.argon_memory), 1, UINT32_MAX, NULL,
          "Argon2 memory in KiB"),
    COUNT("plugins.ca_config.argon_parallelism", PLUGIN(nebula.argon_parallelism), 1, UINT32_MAX,
          NULL, "Argon2 parallelism"),
    TEXT("plugins.ca_config.curve", PLUGIN(nebula.curve), NULL, "25519 or P256"),
    TEXT("plugins.ca_config.duration", PLUGIN(nebula.duration), NULL, "validity, as 8760h0m0s"),
    TEXT("plugins.ca_config.groups", PLUGIN(nebula.groups), NULL,
         "groups that certificates may have, separated by commas"),
    TEXT("plugins.ca_config.ips", PLUGIN(nebula.ips), NULL,
         "networks of addresses that certificates may have"),
    TEXT("plugins.ca_config.out_qr", PLUGIN(nebula.out_qr), NULL,
         "file for a picture of the certificate"),
    TEXT("plugins.ca_config.subnets", PLUGIN(nebula.subnets), NULL,
         "networks that certificates may serve"),
    LIST("plugins.backends", PLUGIN(backends), PLUGIN(n_backends), kbs_backend_config,
         "external: the gRPC servers behind /kbs/v0/external/<name>/"),
    TEXT("plugins.backends.name", BACKEND(name), NULL, "the name in the path"),
    TEXT("plugins.backends.endpoint", BACKEND(endpoint), NULL, "https://host:port, or http://"),
    TEXT("plugins.backends.ca_cert_path", BACKEND(ca_cert_path), NULL,
         "PEM file the server's certificate is checked with; needed with https"),
    COUNT("plugins.backends.timeout_ms", BACKEND(timeout_ms), 1, 600000, "60000",
          "for one call, in milliseconds"),
    UNUSED("plugins.backends.tls_mode", "the endpoint's https:// or http:// decides"),
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
    CHOICE("operations.log_level", AT(log_level), log_levels, NULL,
           "error, warn, info or debug; the command line wins"),

    SECTION(
        "veraison",
        "Veraison's interface: challenge-response sessions for Arm CCA tokens (with the built-in "
        "attestation service), and submission of endorsements"),
    FLAG("veraison.enabled", AT(c.veraison), "false", "serve it beside the KBS"),
    CONFIG_VERAISON_KEYS("veraison", AT(c.sessions)),
    CHOICE("veraison.provisioning_auth", AT(open_provisioning), provisioning_auths, "admin",
           "who may submit endorsements: admin; none: anybody, whose attestation keys then need a "
           "signature that a trust anchor vouches for"),

    SECTION_AT("policy_engine", AT(has_policy_engine), "older dialect"),
    TEXT("policy_engine.policy_path", AT(c.legacy_policy_path), NULL,
         "file of the resource policy, " KBS_OLD_POLICY " in the older dialect: read and written "
         "there; with [storage_backend] taken over at the start when there is none yet"),
    CHOICE("policy_engine.resource_path", AT(path_form), path_forms, "segments",
           "what policies see as data[\"resource-path\"]: segments [\"r\", \"t\", \"g\"]; text "
           "\"resource/r/t/g\", as for Trustee until v0.17"),
};

const config_key *config_keys(size_t *n)
{
    *n = VS_COUNT(keys);
    return keys;
}

void config_fallbacks(config_raw *raw)
{
    config_table_fallbacks(&(config_table){keys, VS_COUNT(keys)}, raw);
}

vs_code config_read(vs_arena *a, vs_val file, config_raw *raw, vs_error *err)
{
    return config_table_read(&(config_table){keys, VS_COUNT(keys)}, a, file, raw, err);
}
