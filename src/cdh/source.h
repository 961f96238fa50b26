/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a guest's secrets come from: a KBS, with tokens of the attestation agent (cc_kbc), or files
 * for tests without one (offline_fs_kbc). guest.md 3.4. Thread safe.
 */
#ifndef VS_CDH_SOURCE_H
#define VS_CDH_SOURCE_H

#include "cdh/resource_uri.h"

typedef struct cdh_source cdh_source;

/* Appends the agent's answer to GetToken("kbs"): {"token":...,"tee_keypair":PEM}. `refused` = a
 * token of its that the KBS did not take; empty = none. */
typedef vs_code (*cdh_token_getter)(void *user, vs_span refused, vs_buf *json, vs_error *err);

typedef struct cdh_kbs_config {
    const char *url;
    vs_span ca_pem; /* text; empty = none */
    int oldest;     /* kbsc_version: which forms of secrets are taken */
    cdh_token_getter get_token;
    void *user;
} cdh_kbs_config;

enum { CDH_FILES_MAX = 16, CDH_SECRET_MAX = 16 * 1024 * 1024 };

/* Connects to nothing yet. */
VS_MUST vs_code cdh_source_kbs(const cdh_kbs_config *cfg, cdh_source **out, vs_error *err);
/* JSON files that map "<repository>/<type>/<tag>" to base64; missing files are skipped, of two
 * entries the later file's wins. */
VS_MUST vs_code cdh_source_files(const char *const *paths, size_t n, cdh_source **out,
                                 vs_error *err);
void cdh_source_free(cdh_source **s);

/* Appends the secret. NOT_FOUND, DENIED with the server's words. */
VS_MUST vs_code cdh_source_get(cdh_source *s, const cdh_uri *uri, vs_buf *out, vs_error *err);
/* The same by its name as text. */
VS_MUST vs_code cdh_source_get_named(cdh_source *s, vs_span uri, vs_buf *out, vs_error *err);

#endif
