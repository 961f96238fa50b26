/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The REST server for workloads inside a guest (guest.md 4): secrets of the data hub, tokens and
 * evidence of the attestation agent, without authentication: whoever is in the guest may ask. It
 * therefore serves loopback and a Unix socket only, and a browser that was led here by another
 * name (DNS rebinding) is refused by the Host header.
 *
 * Paths, statuses and success bodies are upstream's; an error tells its cause.
 */
#ifndef VS_API_ASR_REST_H
#define VS_API_ASR_REST_H

#include "net/http_server.h"
#include "net/ttrpc.h"

typedef struct asr {
    vs_ttrpc_client *agent, *hub; /* NULL = that feature is off */
    const char *feature;          /* "resource", "attestation", "all": for /info */
} asr;

/* A vs_http_handler that blocks: with vs_http_config.workers. `user` is the asr. */
void asr_rest_handle(void *user, const vs_http_request *req, vs_http_response *resp);

#endif
