/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of kbs-client share. */
#ifndef VS_CMD_KBS_CLIENT_H
#define VS_CMD_KBS_CLIENT_H

#include "client/client.h"
#include "cmd/cli.h"

typedef struct kc_options {
    const char *url, *cert_file;
    bool allow_sample;
    /* attest, get-resource */
    const char *tee_key_file, *init_data, *path, *attestation_token;
    /* config */
    const char *admin_token_file, *auth_private_key;
    const char *policy_file, *policy_type, *id;
    bool policy_default, policy_allow_all, policy_deny_all, policy_affirming;
    const char *resource_file;
    const char *name, *value;
    bool as_integer, as_bool, as_single_value;
} kc_options;

enum { KC_FILE_MAX = 64 * 1024 * 1024 };

/* A client for --url and --cert-file. */
VS_MUST vs_code kc_connect(const kc_options *o, kbsc **out, vs_error *err);
/* All of stdout's contents. Written at once, so that a failure leaves nothing half said. */
VS_MUST vs_code kc_print(const vs_buf *text, vs_error *err);
/* The exit code for a result; on failure says why on stderr. */
int kc_finish(vs_code code, const vs_error *err);

/* `config` and its commands: kbs_client_config.c. */
extern const cli_option kc_config_options[];
extern const cli_command kc_config_commands[];

#endif
