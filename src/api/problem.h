/* SPDX-License-Identifier: Apache-2.0 */
/* Problem details (RFC 9457) with all four members, which Veraison's clients need. */
#ifndef VS_API_PROBLEM_H
#define VS_API_PROBLEM_H

#include "net/http_server.h"

/* Sets status, content type and body; what was in the body is wiped. */
void api_problem(vs_http_response *resp, int status, const char *detail);
/* vs_http_config.too_large: problem details below the paths of Veraison's interfaces. */
void api_too_large(vs_span path, vs_http_response *resp);

#endif
