/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The section "verifier_config" (attestation-service.md 7.3): what the verifiers of the TEEs need
 * to know. Trustee's keys; what would make a server ask others while it attests has no effect here.
 */
#ifndef VS_CONFIG_VERIFIER_H
#define VS_CONFIG_VERIFIER_H

#include <stddef.h>

#include "config/config.h"

typedef struct config_vcek_source {
    int type;         /* one of the next two */
    const char *path; /* of an offline store */
} config_vcek_source;
enum { CONFIG_VCEK_KDS = 1, CONFIG_VCEK_STORE };

typedef struct config_verifier {
    const config_vcek_source *vcek_sources;
    size_t n_vcek_sources;
    const char *const *snp_crls; /* files */
    size_t n_snp_crls;
    const char *collateral_service; /* URL; NULL = none */
    int standard_tcb;               /* the update channel is "standard", not "early" */
} config_verifier;

extern const config_choice config_vcek_types[], config_tcb_types[];

/* The path of a "file://" URL; NULL for others and for NULL. */
const char *config_file_of_url(const char *url);

/* Lines of a table for the section `p` that is read into the config_verifier at offset `at`. */
#define CONFIG_VERIFIER_KEYS(p, at)                                                                \
    SECTION(p, "what verifiers of TEEs need to know"),                                             \
        SECTION(p ".snp_verifier", "AMD SEV-SNP, also of az-snp-vtpm"),                            \
        TEXTS(p ".snp_verifier.crls", (at) + offsetof(config_verifier, snp_crls),                  \
              (at) + offsetof(config_verifier, n_snp_crls), NULL,                                  \
              "files with revocation lists of AMD's roots (DER); each must be there and not "      \
              "expired"),                                                                          \
        LIST(p ".snp_verifier.vcek_sources", (at) + offsetof(config_verifier, vcek_sources),       \
             (at) + offsetof(config_verifier, n_vcek_sources), config_vcek_source,                 \
             "where the certificate of a chip is looked for when evidence brings none"),           \
        CHOICE(p ".snp_verifier.vcek_sources.type", offsetof(config_vcek_source, type),            \
               config_vcek_types, NULL,                                                            \
               "OfflineStore: a directory; KDS: AMD's service, which is not asked while "          \
               "attesting: no effect"),                                                            \
        TEXT(p ".snp_verifier.vcek_sources.path", offsetof(config_vcek_source, path),              \
             "/opt/confidential-containers/attestation-service/kds-store",                         \
             "OfflineStore: the directory"),                                                       \
        UNUSED(p ".snp_verifier.vcek_sources.base_url", "AMD's service is not asked"),             \
        SECTION(p ".dcap_verifier", "Intel TDX, also of az-tdx-vtpm"),                             \
        TEXT(p ".dcap_verifier.collateral_service",                                                \
             (at) + offsetof(config_verifier, collateral_service), NULL,                           \
             "file:// URL of a file of Intel's PCS client tool; with any other, evidence is "      \
             "refused, since no service is asked while attesting"),                                \
        CHOICE(p ".dcap_verifier.tcb_update_type", (at) + offsetof(config_verifier, standard_tcb), \
               config_tcb_types, "early", "which of Intel's two update channels counts"),          \
        UNUSED(p ".dcap_verifier.use_secure_cert", "no service is asked"),                         \
        UNUSED(p ".tpm_verifier", "endorse attestation keys as reference value trusted_aks"),      \
        UNUSED(p ".nvidia_verifier", "this build does not have that part"),                        \
        UNUSED(p ".nvidia_dpu_verifier", "this build does not have that part")

#endif
