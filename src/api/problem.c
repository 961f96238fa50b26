/* SPDX-License-Identifier: Apache-2.0 */
#include "api/problem.h"

#include "value/json.h"

void api_problem(vs_http_response *resp, int status, const char *detail)
{
    resp->status = status;
    resp->content_type = "application/problem+json";
    vs_buf_clear(&resp->body);
    vs_jw w = {.out = &resp->body};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "type");
    vs_jw_str(&w, "about:blank");
    vs_jw_key(&w, "title");
    vs_jw_str(&w, vs_http_reason(status));
    vs_jw_key(&w, "status");
    vs_jw_int(&w, status);
    vs_jw_key(&w, "detail");
    vs_jw_str(&w, detail);
    vs_jw_close(&w, '}');
}

void api_too_large(vs_span path, vs_http_response *resp)
{
    if (vs_span_starts(path, VS_LIT("/endorsement-provisioning/")) ||
        vs_span_starts(path, VS_LIT("/challenge-response/")))
        api_problem(resp, 413, "the body is larger than this server takes");
}
