/* SPDX-License-Identifier: Apache-2.0 */
#include "api/ops_rest.h"

#include "base/log.h"
#include "value/json.h"

bool ops_ready(const ops *o)
{
    for (size_t i = 0; i < o->n_checks; i++) {
        vs_error err = {0};
        if (o->checks[i].check(o->checks[i].user, &err) != VS_OK) {
            vs_log_error(VS_LOG_WARN, "ops", "not ready", &err);
            return false;
        }
    }
    return true;
}

void ops_metrics(const ops *o, vs_http_response *resp)
{
    resp->content_type = "text/plain; version=0.0.4; charset=utf-8";
    o->metrics(&resp->body);
}

static void alive(const ops *o, vs_http_response *resp)
{
    (void)o;
    resp->content_type = "text/plain; charset=utf-8";
    vs_buf_puts(&resp->body, "ok\n");
}

/* {"ready": false, "checks": [{"name": "store", "ok": false, "error": "..."}]} */
static void ready(const ops *o, vs_http_response *resp)
{
    bool all = true;
    VS_CLEANUP(vs_buf_free) vs_buf checks = VS_BUF(64 * 1024);
    vs_jw w = {.out = &checks};
    vs_jw_open(&w, '[');
    for (size_t i = 0; i < o->n_checks; i++) {
        vs_error err = {0};
        char text[VS_ERROR_TEXT];
        bool ok = o->checks[i].check(o->checks[i].user, &err) == VS_OK;
        all = all && ok;
        vs_jw_open(&w, '{');
        vs_jw_key(&w, "name");
        vs_jw_str(&w, o->checks[i].name);
        vs_jw_key(&w, "ok");
        vs_jw_val(&w, vs_bool(ok));
        if (!ok) {
            vs_jw_key(&w, "error");
            vs_jw_str(&w, vs_error_text(&err, text, sizeof text));
        }
        vs_jw_close(&w, '}');
    }
    vs_jw_close(&w, ']');
    resp->status = all ? 200 : 503;
    resp->content_type = "application/json";
    vs_buf_puts(&resp->body, all ? "{\"ready\":true,\"checks\":" : "{\"ready\":false,\"checks\":");
    vs_buf_put(&resp->body, vs_buf_span(&checks));
    vs_buf_puts(&resp->body, "}\n");
}

static const struct {
    const char *path;
    void (*answer)(const ops *o, vs_http_response *resp);
} routes[] = {
    {"/livez", alive}, {"/healthz", alive}, {"/readyz", ready}, {"/metrics", ops_metrics}};

void ops_rest_handle(void *user, const vs_http_request *req, vs_http_response *resp)
{
    for (size_t i = 0; i < VS_COUNT(routes); i++) {
        if (!vs_span_is(req->path, routes[i].path))
            continue;
        if (req->method == VS_HTTP_GET) {
            routes[i].answer(user, resp);
        } else {
            resp->status = 405;
            vs_http_add_header(resp, "Allow", "GET");
        }
        return;
    }
    resp->status = 404;
}
