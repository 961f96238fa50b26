/* SPDX-License-Identifier: Apache-2.0 */
/* What the API's listener serves: the KBS below /kbs, Veraison's interface where it is switched on,
 * and the few paths beside them. */
#ifndef VS_API_FRONT_H
#define VS_API_FRONT_H

#include "api/ops_rest.h"
#include "api/veraison_provision.h"
#include "api/veraison_rest.h"
#include "kbs/kbs.h"

typedef struct api_front {
    kbs *k;
    const ops *ops;
    bool metrics; /* as Trustee, which shows /metrics to everybody */
    veraison_rest veraison;
    bool provisioning; /* Veraison's interface for endorsements is served */
    veraison_provision provision;
} api_front;

/* A vs_http_handler; `user` is a struct api_front. */
void api_front_handle(void *user, const vs_http_request *req, vs_http_response *resp);

#endif
