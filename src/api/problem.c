/* SPDX-License-Identifier: Apache-2.0 */
#include "api/problem.h"

#include "value/json.h"

static const char *title_of(int status)
{
    switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 404: return "Not Found";
    case 409: return "Conflict";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 415: return "Unsupported Media Type";
    default: return "Internal Server Error";
    }
}

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
    vs_jw_str(&w, title_of(status));
    vs_jw_key(&w, "status");
    vs_jw_int(&w, status);
    vs_jw_key(&w, "detail");
    vs_jw_str(&w, detail);
    vs_jw_close(&w, '}');
}
