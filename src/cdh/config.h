/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data hub's configuration (guest.md 3.2): a TOML or JSON file, the environment and the
 * kernel command line. Lenient as the agent's (aa/config.h).
 */
#ifndef VS_CDH_CONFIG_H
#define VS_CDH_CONFIG_H

#include "config/config.h"
#include "config/guest.h"

typedef struct cdh_credential {
    const char *path, *resource_uri;
} cdh_credential;

typedef struct cdh_config { /* text lives on the arena; NULL = not given */
    const char *socket, *aa_socket;
    const char *kbc_name, *kbc_url, *kbs_cert; /* kbs_cert: PEM text */
    int oldest_protocol;                       /* kbsc_version */
    const cdh_credential *credentials;
    size_t n_credentials;
    bool skip_verification; /* of sealed secrets */
    const char *log_level;
    const char *const *allowed_users; /* as the agent's */
    size_t n_allowed_users;
    const char *allowed_group;
} cdh_config;

extern const config_table cdh_config_table;

/* Where secrets come from: AA_KBC_PARAMS, else the file (`path`), else, without a file, the
 * kernel's command line (`cmdline` as in aa_config_load). AA_SOCKET wins over the file, the file's
 * certificate over KBS_CERT. Credentials of the kernel's command line (cdh.kbs_resources) come
 * besides those of the file. `env`'s texts must outlive `out`. */
VS_MUST vs_code cdh_config_load(const char *path, const guest_env *env, vs_span cmdline,
                                vs_arena *a, cdh_config *out, vs_error *err);

#endif
