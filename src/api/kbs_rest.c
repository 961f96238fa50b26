/* SPDX-License-Identifier: Apache-2.0 */
#include "api/kbs_rest.h"

#include "base/clock.h"
#include "net/url.h"
#include "value/json.h"

#define ERROR_TYPE_PREFIX "https://github.com/confidential-containers/kbs/errors/"

static const vs_span PREFIX = {(const uint8_t *)"/kbs/v0/", 8};
static const char SESSION_COOKIE[] = "kbs-session-id";

/* kbs.md 7: everything is 401 but what does not exist. Our own endpoints say more. */
static int status_of(kbs_error e)
{
    switch (e) {
    case KBS_OK: return 200;
    case KBS_PLUGIN_NOT_FOUND:
    case KBS_NOT_FOUND: return 404;
    case KBS_INVALID_REQUEST: return 400;
    case KBS_PRECONDITION_FAILED: return 412;
    default: return 401;
    }
}

/* Refusals that never reach the KBS carry plain text or nothing (kbs.md 7, "framework errors"). */
static void answer(vs_http_response *resp, int status, const char *text)
{
    resp->status = status;
    if (!text)
        return;
    resp->content_type = "text/plain; charset=utf-8";
    vs_buf_puts(&resp->body, text);
}

/* ---- request -> call --------------------------------------------------------------------------
 */

static bool method_of(vs_http_method m, kbs_method *out)
{
    static const struct {
        vs_http_method http;
        kbs_method kbs;
    } known[] = {{VS_HTTP_GET, KBS_GET},
                 {VS_HTTP_POST, KBS_POST},
                 {VS_HTTP_PUT, KBS_PUT},
                 {VS_HTTP_DELETE, KBS_DELETE}};
    for (size_t i = 0; i < VS_COUNT(known); i++) {
        if (known[i].http == m) {
            *out = known[i].kbs;
            return true;
        }
    }
    return false;
}

/* Not counting those in the id of a reference value, which is one name however it is written: what
 * is authorised is what is asked for. What stands before the id must be plain. */
static bool has_encoded_slash(vs_span raw)
{
    if (vs_span_starts(raw, VS_LIT("reference-value/")))
        return false;
    for (size_t i = 0; i + 2 < raw.n; i++)
        if (raw.p[i] == '%' && raw.p[i + 1] == '2' && (raw.p[i + 2] | 0x20) == 'f')
            return true;
    return false;
}

/* trustee-attester asks for resource//repository/type/tag (kbs.md 10.2). */
static size_t drop_empty(vs_span *segments, size_t n)
{
    size_t kept = 1;
    for (size_t i = 1; i < n; i++)
        if (segments[i].n)
            segments[kept++] = segments[i];
    return kept;
}

/* The path as authorisation sees it is made from the segments that are dispatched on, so that the
 * two cannot disagree. */
static vs_span join(vs_arena *a, const vs_span *segments, size_t n)
{
    size_t total = PREFIX.n;
    for (size_t i = 0; i < n; i++)
        total += segments[i].n + 1;
    uint8_t *text = vs_alloc(a, total);
    if (!text)
        return (vs_span){0};
    memcpy(text, PREFIX.p, PREFIX.n);
    size_t at = PREFIX.n;
    for (size_t i = 0; i < n; i++) {
        if (i)
            text[at++] = '/';
        if (segments[i].n)
            memcpy(text + at, segments[i].p, segments[i].n);
        at += segments[i].n;
    }
    return vs_span_of(text, at);
}

static vs_code read_path(vs_span raw, kbs_call *call, vs_error *err)
{
    vs_span decoded, *segments;
    VS_TRY(vs_url_decode(call->arena, raw, &decoded, err));
    VS_TRY(vs_url_split(call->arena, decoded, &segments, &call->n_segments, err));
    if (vs_span_is(segments[0], "resource"))
        call->n_segments = drop_empty(segments, call->n_segments);
    call->segments = segments;
    call->path = join(call->arena, segments, call->n_segments);
    call->encoded_slash = has_encoded_slash(raw);
    return vs_arena_check(call->arena, err);
}

static vs_code read_query(vs_span raw, kbs_call *call, vs_error *err)
{
    vs_url_param *params;
    size_t n;
    VS_TRY(vs_url_query(call->arena, raw, &params, &n, err));
    vs_obj query = {.a = call->arena};
    for (size_t i = 0; i < n; i++)
        vs_obj_add(&query, vs_string(params[i].name), vs_string(params[i].value));
    call->query = vs_obj_end(&query, VS_DUP_LAST, NULL);
    return vs_arena_check(call->arena, err);
}

/* RFC 6265 4.2.1. The first of several wins. */
static vs_span session_of(const vs_http_request *req)
{
    vs_span rest = vs_http_header(req, "cookie");
    while (rest.n) {
        vs_span value;
        vs_span name =
            vs_span_cut(vs_span_trim(vs_span_cut(rest, ';', &rest, NULL)), '=', &value, NULL);
        if (vs_span_is(name, SESSION_COOKIE))
            return value;
    }
    return (vs_span){0};
}

/* RFC 6750 2.1; the scheme in any case (RFC 9110 11.1). */
static vs_span bearer_of(const vs_http_request *req)
{
    vs_span token;
    vs_span scheme = vs_span_cut(vs_http_header(req, "authorization"), ' ', &token, NULL);
    return vs_span_ieq(scheme, VS_LIT("bearer")) ? vs_span_trim(token) : (vs_span){0};
}

/* ---- reply -> response ------------------------------------------------------------------------
 */

static void write_error(const kbs_reply *reply, vs_buf *body)
{
    vs_buf_clear(body);
    VS_CLEANUP(vs_buf_free) vs_buf type = VS_BUF(256);
    vs_buf_puts(&type, ERROR_TYPE_PREFIX);
    vs_buf_puts(&type, kbs_error_name(reply->error));
    vs_jw w = {.out = body};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "type");
    vs_jw_span(&w, vs_buf_span(&type));
    vs_jw_key(&w, "detail");
    vs_jw_span(&w, reply->detail);
    vs_jw_close(&w, '}');
}

/* An arena that is full leaves the header out. */
static void add_text(vs_http_response *resp, const char *name, const char *value)
{
    if (value[0])
        vs_http_add_header(resp, name, value);
}

/* No Path: clients derive /kbs/v0 from the request (kbs.md 1.5). */
static void set_cookie(const kbs_reply *reply, vs_arena *a, vs_http_response *resp)
{
    char expires[VS_TIME_TEXT];
    add_text(resp, "Set-Cookie",
             vs_sprintf(a, "%s=%.*s; Expires=%s; HttpOnly", SESSION_COOKIE,
                        VS_FMT(reply->set_session),
                        vs_time_http(reply->set_session_expires, expires)));
}

static void write_reply(const kbs_reply *reply, vs_arena *a, vs_http_response *resp)
{
    resp->status = status_of(reply->error);
    resp->body = reply->body;
    resp->content_type = reply->content_type;
    if (reply->error != KBS_OK) {
        resp->content_type = NULL; /* as Trustee's, clients do not look */
        write_error(reply, &resp->body);
    }
    if (reply->set_session.n)
        set_cookie(reply, a, resp);
    if (reply->etag)
        add_text(resp, "ETag", reply->etag);
    if (reply->decision[0])
        add_text(resp, "Vouchsafe-Decision", vs_sprintf(a, "%s", reply->decision));
}

/* ---- routes -----------------------------------------------------------------------------------
 */

static kbs_peer peer_of(const vs_http_request *req)
{
    kbs_peer p = {0};
    if (req->client) {
        p.subject = req->client->subject;
        p.sans = req->client->sans;
        p.n_sans = req->client->n_sans;
    }
    if (req->local) {
        p.local = true;
        p.uid = req->local->uid;
        p.gid = req->local->gid;
    }
    return p;
}

kbs_call kbs_rest_call(const vs_http_request *req)
{
    return (kbs_call){.session = session_of(req),
                      .bearer = bearer_of(req),
                      .if_match = vs_http_header(req, "if-match"),
                      .if_none_match = vs_http_header(req, "if-none-match"),
                      .peer = peer_of(req),
                      .body = req->body,
                      .now = vs_now_s(),
                      .arena = req->arena};
}

static void handle_kbs(kbs *k, const vs_http_request *req, vs_http_response *resp)
{
    kbs_call call = kbs_rest_call(req);
    if (!method_of(req->method, &call.method)) {
        vs_http_add_header(resp, "Allow", "GET, POST, PUT, DELETE");
        answer(resp, 405, NULL);
        return;
    }
    vs_error err = {0};
    vs_code code = read_path(vs_span_from(req->path, PREFIX.n), &call, &err);
    if (code == VS_OK)
        code = read_query(req->query, &call, &err);
    if (code != VS_OK) {
        answer(resp, code == VS_E_NOMEM ? 500 : 400,
               code == VS_E_NOMEM ? NULL : "malformed path or query\n");
        return;
    }
    kbs_reply reply = {.body = resp->body};
    kbs_handle(k, &call, &reply);
    write_reply(&reply, req->arena, resp);
}

void kbs_rest_handle(void *user, const vs_http_request *req, vs_http_response *resp)
{
    if (vs_span_starts(req->path, PREFIX))
        handle_kbs(user, req, resp);
    else
        answer(resp, 404, NULL);
}
