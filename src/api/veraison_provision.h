/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Veraison's interface for endorsements (cca.md 5.1, 5.5):
 *
 *   GET  /.well-known/veraison/provisioning        what is taken, and where
 *   POST /endorsement-provisioning/v1/submit       a CoRIM, plain or signed
 *
 * A submission is 200 whether it was taken or not; the body says which, and why not. Who may submit
 * is decided by the KBS's table of routes, as for POST /kbs/v0/endorsement, which this is; or
 * /kbs/v0/open-endorsement for who does not say who he is, where that is configured.
 */
#ifndef VS_API_VERAISON_PROVISION_H
#define VS_API_VERAISON_PROVISION_H

#include "kbs/kbs.h"
#include "net/http_server.h"

typedef struct veraison_provision {
    kbs *k;
    bool open; /* anybody may submit: kbs_config.open_provisioning */
} veraison_provision;

/* False, and nothing is done, when the path is none of these. */
bool veraison_provision_handle(const veraison_provision *p, const vs_http_request *req,
                               vs_http_response *resp);

#endif
