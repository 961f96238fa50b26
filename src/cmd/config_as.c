/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/config_as.h"

#include <unistd.h>

#include "base/log.h"
#include "config/macros.h"
#include "config/trust.h"
#include "config/verifier.h"

#define OLD_DIR    "/opt/confidential-containers/attestation-service"
#define OLD_STORE  OLD_DIR "/vouchsafe.sqlite"
#define CCA_CONFIG OLD_DIR "/cca/config.json"

enum { RVPS_BUILT_IN, RVPS_GRPC };

typedef struct raw {
    as_config as;
    bool verbose, sample_tee, refuse_sample, require_signed, unsigned_keys, open_administration;
    config_trust trust;
    int rvps_type, rvps_storage;
    remote_config rvps;
    config_storage storage;
    bool veraison;
    config_veraison sessions;
    config_verifier tees;
} raw;

static const config_choice rvps_types[] = {
    {"BuiltIn", RVPS_BUILT_IN, NULL},
    {"GrpcRemote", RVPS_GRPC, NULL},
    {NULL, 0, NULL},
};

#define AT(member)        offsetof(raw, member)
#define BROKER            "attestation_token_broker"
#define ONE_STORE         "everything is kept in the storage back end of \"storage_backend\""
#define POLICIES_IN_STORE "attestation policies are kept in the storage back end"

static const config_key keys[] = {
    SECTION("rvps_config", "where reference values are"),
    CHOICE("rvps_config.type", AT(rvps_type), rvps_types, "BuiltIn",
           "the reference value provider: in this process, or another one"),
    TEXT("rvps_config.address", AT(rvps.address), "127.0.0.1:50003",
         "GrpcRemote: URL of the provider; without a scheme http; unix:/path"),
    TEXT("rvps_config.ca_cert_path", AT(rvps.ca_cert), NULL,
         "GrpcRemote: PEM file that its certificate is checked against; the system's when not "
         "given"),
    TEXT("rvps_config.client_cert_path", AT(rvps.client_cert), NULL,
         "GrpcRemote: PEM chain to show to it"),
    TEXT("rvps_config.client_key_path", AT(rvps.client_key), NULL,
         "GrpcRemote: PEM file of the key of that chain"),
    CHOICE("rvps_config.storage_type", AT(rvps_storage), config_storage_types, NULL,
           "BuiltIn: where reference values are; by default that of storage_backend"),
    CONFIG_TRUST_KEYS("rvps_config.", AT(trust), "BuiltIn: "),
    FLAG("rvps_config.require_signed", AT(require_signed), "false",
         "BuiltIn: take only messages that a trust anchor vouches for; without trust_anchors none "
         "at "
         "all"),
    FLAG("rvps_config.accept_unsigned_attestation_keys", AT(unsigned_keys), "false",
         "BuiltIn: take attestation keys, which make platforms genuine, from CoRIMs that no trust "
         "anchor vouches for"),
    UNUSED("rvps_config.extractors", "all extractors are always on"),
    UNUSED("rvps_config.storage", ONE_STORE),
    UNUSED("rvps_config.store_type", ONE_STORE),
    SECTION(BROKER, "the tokens that are issued"),
    COUNT(BROKER ".duration_min", AT(as.duration_min), 1, 525600, "5",
          "life of a token in minutes"),
    TEXT(BROKER ".issuer_name", AT(as.issuer_name), "CoCo-Attestation-Service", "claim iss"),
    TEXT(BROKER ".developer_name", AT(as.developer_name), "https://confidentialcontainers.org",
         "developer in claim ear.verifier-id"),
    TEXT(BROKER ".build_name", AT(as.build_name), "attestation-service 0.1.0",
         "build in claim ear.verifier-id"),
    TEXT(BROKER ".profile_name", AT(as.profile_name),
         "tag:github.com,2024:confidential-containers/Trustee", "claim eat_profile"),
    FLAG(BROKER ".verbose_token", AT(verbose), "true", "put the evidence's claims into the token"),
    SECTION(BROKER ".signer",
            "key that signs tokens; without it one is made once and kept in the storage back end"),
    TEXT(BROKER ".signer.key_path", AT(as.signer_key_path), NULL, "PEM file of the private key"),
    TEXT(BROKER ".signer.cert_path", AT(as.signer_cert_path), NULL,
         "PEM file of its certificate chain"),
    TEXT(BROKER ".signer.cert_url", AT(as.signer_cert_url), NULL,
         "URL of the chain, put into the token as x5u"),
    UNUSED(BROKER ".type", "there is one form: EAR"),
    UNUSED(BROKER ".policy_dir", POLICIES_IN_STORE),
    CONFIG_STORAGE_KEYS("storage_backend", AT(storage), "/var/lib/vouchsafe/as.sqlite"),
    FLAG("sample_tee", AT(sample_tee), "false",
         "accept evidence of the sample TEE, which proves nothing"),
    FLAG("refuse_sample_reference_values", AT(refuse_sample), "false",
         "BuiltIn: refuse reference value messages of type \"sample\", which set any value; for "
         "unsigned ones of every type see rvps_config.require_signed"),
    FLAG(
        "insecure_administration", AT(open_administration), "false",
        "grpc-as: serve vouchsafe.administration (explanations, histories of policies, listing and "
        "deleting reference values) to whoever reaches the port, not only to callers with a client "
        "certificate or over a Unix socket"),
    SECTION("veraison", "Veraison's interface: challenge-response sessions for Arm CCA tokens"),
    FLAG("veraison.enabled", AT(veraison), "false", "restful-as: serve it"),
    CONFIG_VERAISON_KEYS("veraison", AT(sessions)),
    CONFIG_VERIFIER_KEYS("verifier_config", AT(tees)),
    UNUSED("work_dir", ONE_STORE),
    UNUSED("policy_engine", POLICIES_IN_STORE),
};

const config_table as_file_table = {keys, VS_COUNT(keys)};

as_veraison_config as_veraison_config_of(const config_veraison *c)
{
    static const as_client_nonces policies[] = {
        [CONFIG_NONCES_ONCE] = AS_CLIENT_NONCES_ONCE,
        [CONFIG_NONCES_ANY] = AS_CLIENT_NONCES_ANY,
        [CONFIG_NONCES_REFUSED] = AS_CLIENT_NONCES_REFUSED,
    };
    return (as_veraison_config){.url_nonces = c->nonce_encoding == 1,
                                .client_nonces = policies[c->client_nonces],
                                .remember_s = c->remember_days * 24 * 3600};
}

/* What is written down for the other kind of provider would be without effect. */
static vs_code check_provider(const raw *r, vs_val file, vs_error *err)
{
    static const char *const own[] = {CONFIG_PROVIDER_ONLY, NULL};
    static const char *const others[] = {"address", "ca_cert_path", "client_cert_path",
                                         "client_key_path", NULL};
    if (r->rvps_type == RVPS_GRPC)
        return config_refuse_keys(file, "", own,
                                  "rvps_config.type is \"GrpcRemote\", so that it belongs into the "
                                  "configuration of that provider (rvps)",
                                  err);
    VS_TRY(config_refuse_keys(file, "rvps_config", others,
                              "it belongs to \"rvps_config.type\" \"GrpcRemote\"", err));
    if (vs_defined(config_member(file, "rvps_config")) &&
        !vs_defined(config_member(file, "rvps_config.type")))
        return vs_fail(err, VS_E_INVALID,
                       "\"rvps_config.type\" is missing: \"BuiltIn\" or \"GrpcRemote\"");
    return VS_OK;
}

/* The dialect of December 2025: its people keep OLD_DIR of a container, and nothing else. A store
 * that this program has made before stays where it is. */
static void settle_old_place(raw *r, vs_val file)
{
    static const char *const old[] = {"work_dir", "policy_engine", BROKER ".type",
                                      BROKER ".policy_dir"};
    bool is_old = false;
    for (size_t i = 0; i < VS_COUNT(old); i++)
        is_old |= vs_defined(config_member(file, old[i]));
    if (!is_old || r->storage.given ||
        (access(OLD_STORE, F_OK) != 0 && access(r->storage.sqlite_path, F_OK) == 0))
        return;
    r->storage.sqlite_path = OLD_STORE;
    vs_log(
        VS_LOG_WARN, "config",
        "older dialect: attestation policies that an older version kept in its policy_dir are not "
        "read, set them again",
        NULL);
}

static vs_code settle(raw *r, vs_val file, as_file *out, vs_error *err)
{
    VS_TRY(check_provider(r, file, err));
    settle_old_place(r, file);
    *out = (as_file){.verifier = {.remote_rvps = r->rvps_type == RVPS_GRPC,
                                  .provider = r->rvps,
                                  .refuse_sample_values = r->refuse_sample,
                                  .require_signed_values = r->require_signed,
                                  .accept_unsigned_keys = r->unsigned_keys,
                                  .trust = r->trust,
                                  .sample_tee = r->sample_tee,
                                  .cca_config_path = CCA_CONFIG,
                                  .tees = r->tees,
                                  .as = r->as},
                     .insecure_administration = r->open_administration,
                     .veraison = r->veraison,
                     .veraison_how = as_veraison_config_of(&r->sessions)};
    out->verifier.as.terse_token = !r->verbose;
    if (!r->as.signer_key_path && (r->as.signer_cert_path || r->as.signer_cert_url))
        return vs_fail(err, VS_E_INVALID, "\"" BROKER ".signer\" needs \"key_path\"");
    VS_TRY(config_store_of(&r->storage, "storage_backend", r->storage.type, &out->storage, err));
    if (r->rvps_storage == STORAGE_UNSET || r->rvps_storage == r->storage.type)
        return VS_OK;
    out->values_elsewhere = true;
    VS_TRY_WRAP(config_store_of(&r->storage, "storage_backend", r->rvps_storage, &out->values, err),
                err, "\"rvps_config.storage_type\"");
    return VS_OK;
}

vs_code as_file_read(vs_val file, vs_arena *a, as_file *out, vs_error *err)
{
    raw r = {0};
    config_table_fallbacks(&as_file_table, &r);
    VS_TRY(config_table_read(&as_file_table, a, file, &r, err));
    return settle(&r, file, out, err);
}

vs_code as_file_load(const char *path, vs_arena *a, as_file *out, vs_error *err)
{
    raw r = {0};
    vs_val file;
    if (!path)
        return as_file_read(vs_empty(VS_OBJECT), a, out, err);
    VS_TRY_WRAP(config_table_load(&as_file_table, path, CONFIG_JSON, a, &r, &file, err), err,
                "configuration file %s", path);
    VS_TRY_WRAP(settle(&r, file, out, err), err, "configuration file %s", path);
    return VS_OK;
}
