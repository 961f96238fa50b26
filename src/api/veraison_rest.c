/* SPDX-License-Identifier: Apache-2.0 */
#include "api/veraison_rest.h"

#include "api/problem.h"
#include "base/clock.h"
#include "net/media_type.h"
#include "net/url.h"
#include "value/json.h"

#define DISCOVERY_TYPE "application/vnd.veraison.discovery+json"
#define SESSION_TYPE   "application/vnd.veraison.challenge-response-session+json"

enum { DISCOVERY_LIFE_S = 60 };

/* ---- requests ---------------------------------------------------------------------------------
 */

typedef struct route {
    as_veraison_verb verb;
    const char *type; /* of the answer */
    const char *also; /* another one that a client may accept for it */
} route;

static bool find_session_route(vs_http_method method, route *out)
{
    out->type = out->also = SESSION_TYPE;
    switch (method) {
    case VS_HTTP_GET: out->verb = AS_VERAISON_GET; return true;
    case VS_HTTP_POST: out->verb = AS_VERAISON_SUBMIT; return true;
    case VS_HTTP_DELETE: out->verb = AS_VERAISON_DELETE; return true;
    default: return false;
    }
}

/* *allow is set when the path is ours; false: the method is not one of it. */
static bool find_route(const vs_http_request *req, route *out, vs_span *session, const char **allow)
{
    *allow = NULL;
    if (vs_span_is(req->path, AS_VERAISON_DISCOVERY)) {
        *allow = "GET";
        *out = (route){AS_VERAISON_DISCOVER, DISCOVERY_TYPE, "application/json"};
        return req->method == VS_HTTP_GET;
    }
    if (vs_span_is(req->path, AS_VERAISON_NEW_SESSION)) {
        *allow = "POST";
        *out = (route){AS_VERAISON_NEW, SESSION_TYPE, SESSION_TYPE};
        return req->method == VS_HTTP_POST;
    }
    *session = vs_span_from(req->path, strlen(AS_VERAISON_SESSION));
    if (!vs_span_starts(req->path, vs_str(AS_VERAISON_SESSION)) || !session->n ||
        memchr(session->p, '/', session->n))
        return false;
    *allow = "GET, POST, DELETE";
    return find_session_route(req->method, out);
}

static vs_code read_query(const vs_http_request *req, as_veraison_call *call, vs_error *err)
{
    vs_url_param *params;
    size_t n;
    VS_TRY(vs_url_query(req->arena, req->query, &params, &n, err));
    for (size_t i = 0; i < n; i++) {
        vs_span *at = vs_span_is(params[i].name, "nonce")       ? &call->nonce
                      : vs_span_is(params[i].name, "nonceSize") ? &call->nonce_size
                                                                : NULL;
        if (at && at->p)
            return vs_fail(err, VS_E_INVALID, "a parameter is given twice");
        if (at)
            *at = params[i].value.p ? params[i].value : VS_LIT("");
    }
    return VS_OK;
}

/* ---- answers ----------------------------------------------------------------------------------
 */

static int status_of(as_veraison_status s)
{
    switch (s) {
    case AS_VERAISON_OK: return 200;
    case AS_VERAISON_CREATED: return 201;
    case AS_VERAISON_NO_CONTENT: return 204;
    case AS_VERAISON_BAD_REQUEST: return 400;
    case AS_VERAISON_NOT_FOUND: return 404;
    case AS_VERAISON_USED: return 409;
    case AS_VERAISON_UNSUPPORTED_TYPE: return 415;
    case AS_VERAISON_FAILED: break;
    }
    return 500;
}

static void add_cache_time(const vs_http_request *req, vs_http_response *resp)
{
    char expires[VS_TIME_TEXT];
    vs_http_add_header(resp, "Cache-Control", "max-age=60");
    vs_http_add_header(
        resp, "Expires",
        vs_sprintf(req->arena, "%s", vs_time_http(vs_now_s() + DISCOVERY_LIFE_S, expires)));
}

static void write_reply(const route *to, const vs_http_request *req, as_veraison_reply *reply,
                        vs_http_response *resp)
{
    int status = status_of(reply->status);
    resp->body = reply->body;
    resp->status = status;
    if (reply->decision[0])
        vs_http_add_header(resp, "Vouchsafe-Decision",
                           vs_sprintf(req->arena, "%s", reply->decision));
    if (status >= 400) {
        api_problem(resp, status, reply->detail);
        if (status == 415)
            vs_http_add_header(resp, "Accept", reply->accept);
        return;
    }
    if (status != 204)
        resp->content_type = to->type;
    if (status == 201)
        vs_http_add_header(resp, "Location",
                           vs_sprintf(req->arena, "%.*s", VS_FMT(reply->location)));
    if (to->verb == AS_VERAISON_DISCOVER)
        add_cache_time(req, resp);
    else
        vs_http_add_header(resp, "Cache-Control", "no-store");
}

static void serve(const veraison_rest *r, const route *to, vs_span session,
                  const vs_http_request *req, vs_http_response *resp)
{
    vs_error err = {0};
    const char *const types[] = {to->type, to->also};
    as_veraison_call call = {.verb = to->verb,
                             .session = session,
                             .content_type = vs_http_header(req, "content-type"),
                             .body = req->body,
                             .now = vs_now_s(),
                             .arena = req->arena};
    if (to->verb != AS_VERAISON_DELETE &&
        !vs_media_accepts(vs_http_header(req, "accept"), types, VS_COUNT(types))) {
        api_problem(resp, 406, vs_sprintf(req->arena, "the answer is of type %s", to->type));
        return;
    }
    if (to->verb == AS_VERAISON_NEW && read_query(req, &call, &err) != VS_OK) {
        char text[VS_ERROR_TEXT];
        api_problem(resp, 400, vs_error_text(&err, text, sizeof text));
        return;
    }
    as_veraison_reply reply = {.body = resp->body};
    r->handle(r->user, &call, &reply);
    write_reply(to, req, &reply, resp);
}

bool veraison_rest_handle(const veraison_rest *r, const vs_http_request *req,
                          vs_http_response *resp)
{
    route to;
    vs_span session = {0};
    const char *allow;
    if (!r->handle)
        return false;
    if (find_route(req, &to, &session, &allow)) {
        serve(r, &to, session, req, resp);
    } else if (allow) {
        vs_http_add_header(resp, "Allow", allow);
        api_problem(resp, 405, vs_sprintf(req->arena, "allowed here: %s", allow));
    }
    return allow != NULL;
}
