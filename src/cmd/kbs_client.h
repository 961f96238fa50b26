/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of kbs-client share. */
#ifndef VS_CMD_KBS_CLIENT_H
#define VS_CMD_KBS_CLIENT_H

#include "client/client.h"
#include "cmd/cli.h"

typedef struct kc_options {
    const char *url, *cert_file, *unix_socket, *client_cert, *client_key;
    const char *proxy, *oldest_protocol, *timeout;
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
    /* config policy, reference-values, collect */
    const char *policy, *version, *note, *if_match, *prefix, *decision, *proposal;
    bool create;
    cli_list approve;
} kc_options;

enum { KC_FILE_MAX = 64 * 1024 * 1024 };

/* A client for --url and --cert-file. */
VS_MUST vs_code kc_connect(const kc_options *o, kbsc **out, vs_error *err);
/* All of stdout's contents. Written at once, so that a failure leaves nothing half said. */
VS_MUST vs_code kc_print(const vs_buf *text, vs_error *err);
/* The exit code for a result; on failure says why on stderr. */
int kc_finish(vs_code code, const vs_error *err);

/* One administrative request with the token of the options; a refusal shows the server's answer.
 * call->bearer is filled in. `etag` (may be NULL) receives the answer's. */
VS_MUST vs_code kc_administrate(const kc_options *o, kbsc_admin_call call, vs_buf *answer,
                                vs_buf *etag, vs_error *err);

/* kbs_client_policy.c, kbs_client_values.c: commands of `config`. */
extern const cli_command kc_policy_commands[], kc_value_commands[];
extern const cli_argument kc_collect_arguments[];
extern const cli_option kc_collect_options[];
int kc_run_collect(void *opts);
int kc_run_list_resources(void *opts);
int kc_run_list_values(void *opts);

/* On a terminal, where people want tables; programs get JSON. */
bool kc_for_people(void);

/* `config` and its commands: kbs_client_config.c. */
extern const cli_option kc_config_options[];
extern const cli_command kc_config_commands[];

#endif
