/* SPDX-License-Identifier: Apache-2.0 */
/* An administrator's requests to a KBS, for the subcommands that ask about decisions. */
#ifndef VS_CMD_DECISIONS_ADMIN_H
#define VS_CMD_DECISIONS_ADMIN_H

#include "client/client.h"
#include "cmd/cli.h"
#include "envelope/jose.h"

typedef struct admin_options {
    const char *url, *cert_file, *admin_token_file, *auth_private_key;
} admin_options;

/* Rows of an option table; `type` is the command's struct and `member` its admin_options. */
#define ADMIN_OPTIONS(type, member)                                                                \
    {.name = "url",                                                                                \
     .value = "URL",                                                                               \
     .fallback = "http://127.0.0.1:8080",                                                          \
     .at = offsetof(type, member.url),                                                             \
     .help = "KBS to ask"},                                                                        \
        {.name = "cert-file",                                                                      \
         .value = "PEM",                                                                           \
         .at = offsetof(type, member.cert_file),                                                   \
         .help = "Certificate to trust besides the system's"},                                     \
        {.name = "admin-token-file",                                                               \
         .value = "FILE",                                                                          \
         .group = 1,                                                                               \
         .at = offsetof(type, member.admin_token_file),                                            \
         .help = "Administrator's bearer token"},                                                  \
    {                                                                                              \
        .name = "auth-private-key", .value = "PEM", .group = 1,                                    \
        .at = offsetof(type, member.auth_private_key),                                             \
        .help = "Administrator's Ed25519 key, to make a token with"                                \
    }

/* One connection and one token for any number of requests. */
typedef struct admin {
    kbsc *client;
    vs_buf token;
} admin;

VS_MUST vs_code admin_open(const admin_options *o, admin *out, vs_error *err);
void admin_close(admin *a);
/* GET of a path below /kbs/v0/; the answer is appended. A refusal's text is in the error. */
VS_MUST vs_code admin_get(admin *a, const char *path, vs_buf *answer, vs_error *err);

enum { ADMIN_ANSWER_MAX = 64 << 20, ADMIN_KEY_MAX = 64 * 1024 };

/* A public key from a file: JWK or PEM. */
VS_MUST vs_code admin_read_key(const char *path, vs_arena *a, vs_key **out, vs_error *err);

/* A sealed record (GET decision/<id>?export=1): its signature when `key` is not NULL, and the
 * record. VS_E_CRYPTO: not signed with that key. */
VS_MUST vs_code admin_open_record(vs_span jws, const vs_key *key, vs_arena *a, vs_val *record,
                                  vs_error *err);
/* For as_replay_options.policy: the texts in a record; `user` is the record. */
VS_MUST vs_code admin_policy_in_record(const void *user, vs_span id, vs_span sha256, vs_arena *a,
                                       vs_span *text, vs_error *err);

#endif
