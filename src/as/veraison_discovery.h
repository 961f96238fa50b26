/* SPDX-License-Identifier: Apache-2.0 */
/* What the discovery documents of Veraison's two services, verification and provisioning, have in
 * common (cca.md 5.1). */
#ifndef VS_AS_VERAISON_DISCOVERY_H
#define VS_AS_VERAISON_DISCOVERY_H

#include "value/json.h"

/* The members behind "media-types", of a service with one endpoint, into the open object. */
static inline void as_veraison_put_service(vs_jw *w, const char *endpoint, const char *path)
{
    vs_jw_key(w, "attestation-schemes");
    vs_jw_open(w, '[');
    vs_jw_str(w, "ARM_CCA");
    vs_jw_close(w, ']');
    vs_jw_key(w, "version");
    vs_jw_str(w, "vouchsafe " VS_VERSION);
    vs_jw_key(w, "service-state");
    vs_jw_str(w, "READY");
    vs_jw_key(w, "api-endpoints");
    vs_jw_open(w, '{');
    vs_jw_key(w, endpoint);
    vs_jw_str(w, path);
    vs_jw_close(w, '}');
}

#endif
