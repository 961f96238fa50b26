/* SPDX-License-Identifier: Apache-2.0 */
#include "api/front.h"

#include "api/kbs_rest.h"
#include "base/clock.h"
#include "kbs/metrics.h"

static void measured(kbs *k, const vs_http_request *req, vs_http_response *resp)
{
    int64_t start = vs_mono_ns();
    const vs_span none = VS_LIT("");
    kbs_count(&kbs_m_http_requests);
    vs_metric_add(&kbs_m_http_active, none, 1);
    vs_metric_observe(&kbs_m_http_request_bytes, none, (int64_t)req->body.n);
    kbs_rest_handle(k, req, resp);
    vs_metric_observe(&kbs_m_http_response_bytes, none, (int64_t)resp->body.n);
    vs_metric_observe(&kbs_m_http_seconds, none, vs_mono_ns() - start);
    vs_metric_add(&kbs_m_http_active, none, -1);
}

/* Health for load balancers: status codes only, since anybody can ask. */
static void beside(const api_front *f, const vs_http_request *req, vs_http_response *resp)
{
    bool get = req->method == VS_HTTP_GET;
    if (vs_span_is(req->path, "/metrics") && f->metrics) {
        if (get)
            ops_metrics(f->ops, resp);
        else
            resp->status = 405;
    } else if (get && (vs_span_is(req->path, "/healthz") || vs_span_is(req->path, "/livez"))) {
        resp->status = 200;
    } else if (get && vs_span_is(req->path, "/readyz")) {
        resp->status = ops_ready(f->ops) ? 200 : 503;
    } else {
        resp->status = 404;
    }
}

void api_front_handle(void *user, const vs_http_request *req, vs_http_response *resp)
{
    const api_front *f = user;
    if (vs_span_starts(req->path, VS_LIT("/kbs/v0/")))
        measured(f->k, req, resp);
    else if (!veraison_rest_handle(&f->veraison, req, resp) &&
             (!f->provisioning || !veraison_provision_handle(&f->provision, req, resp)))
        beside(f, req, resp);
}
