/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server programs have in common beside their process (cmd/process.h): the verifier that
 * each of them runs or speaks to.
 */
#ifndef VS_CMD_SERVER_H
#define VS_CMD_SERVER_H

#include "api/remote.h"
#include "cmd/process.h"
#include "config/trust.h"
#include "config/verifier.h"
#include "net/http_server.h"
#include "tee/tee.h"

/* "ready http://127.0.0.1:8080": with the port that was really bound for `socket`, sockets[i]. */
void server_say(const char *word, const char *scheme, const char *socket,
                const vs_http_server *server, size_t i);

/* Says loudly that anybody who can reach `socket` can change what attestation is measured against.
 */
void server_warn_open(const char *program, const char *socket);

/* Anchors of reference values and revocation lists from files; none: *out stays NULL. */
VS_MUST vs_code server_read_anchors(const config_trust *trust, rvps_anchors **out, vs_error *err);

/* ---- the verifier ---------------------------------------------------------------------------- */

typedef struct verifier_config {
    bool remote; /* `service` is the verifier, and has the reference values; then nothing below
                    counts */
    remote_config service;
    bool remote_rvps;
    remote_config provider;
    /* Of the provider in this process. */
    bool refuse_sample_values, require_signed_values, accept_unsigned_keys;
    config_trust trust; /* whose reference values are believed */
    bool sample_tee;
    const char *cca_config_path;
    config_verifier tees; /* borrowed */
    as_config as;
} verifier_config;

typedef struct verifier {
    vs_grpc_client *client;
    rvps_anchors *anchors;
    rvps *rv;
    vs_tee_trust trust;
    as_service *as;
} verifier;

/* `store` must outlive it. After a failure, too, it is to be closed. */
VS_MUST vs_code verifier_open(const verifier_config *cfg, vs_store *store, verifier *out,
                              vs_error *err);
void verifier_close(verifier *v);
/* Worker threads that requests need so that none waits for another program on a loop; 0 = none. */
unsigned verifier_workers(const verifier_config *cfg, const verifier *v);

#endif
