/* SPDX-License-Identifier: Apache-2.0 */
#include "api/asr_rest.h"

#include "api/aa_rpc.h"
#include "api/cdh_rpc.h"
#include "api/guest_client.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/wait.h"
#include "net/origin.h"
#include "net/pb_wire.h"
#include "net/task_pool.h"
#include "net/ttrpc_wire.h"
#include "net/url.h"
#include "value/json.h"

enum { LIST_MAX = 4096, BRIEF_MS = 10000 };

static void say(vs_http_response *resp, int status, const char *text)
{
    vs_buf_clear(&resp->body);
    resp->status = status;
    resp->content_type = NULL;
    vs_buf_puts(&resp->body, text);
}

/* What the other service said, since the caller is in the same guest. */
static void fail(vs_http_response *resp, const vs_error *err)
{
    char text[VS_ERROR_TEXT];
    int status = err->code == VS_E_TIMEOUT ? 504 : err->code == VS_E_BUSY ? 503 : 500;
    vs_log_error(VS_LOG_WARN, "asr", "a request failed", err);
    say(resp, status, vs_error_text(err, text, sizeof text));
}

/* ---- queries --------------------------------------------------------------------------------- */

/* The last one of that name; p == NULL = none. */
static vs_span param(const vs_url_param *params, size_t n, const char *name)
{
    vs_span value = {0};
    for (size_t i = 0; i < n; i++)
        if (vs_span_is(params[i].name, name))
            value = params[i].value.p ? params[i].value : VS_LIT("");
    return value;
}

static bool runtime_data(const vs_http_request *req, vs_span *out)
{
    vs_url_param *params;
    size_t n;
    if (vs_url_query(req->arena, req->query, &params, &n, NULL) != VS_OK)
        return false;
    vs_span encoding = param(params, n, "encoding");
    *out = param(params, n, "runtime_data");
    if (!out->p || (encoding.p && !vs_span_is(encoding, "base64")))
        return false;
    return !encoding.p || vs_b64_decode_arena(req->arena, VS_B64_URL, *out, out, NULL) == VS_OK;
}

/* ---- the agent ------------------------------------------------------------------------------- */

static void bytes_of(vs_ttrpc_client *c, const char *method, vs_span in, vs_http_response *resp)
{
    vs_error err = {0};
    resp->content_type = "application/octet-stream";
    vs_code code = vs_task_wait(false, &err);
    if (code == VS_OK) {
        code = guest_ask_bytes(c, method, in, &resp->body, &err);
        vs_task_waited();
    }
    if (code != VS_OK)
        fail(resp, &err);
}

static void token(const asr *s, const vs_http_request *req, vs_http_response *resp)
{
    vs_url_param *params;
    size_t n;
    vs_span type = {0};
    if (vs_url_query(req->arena, req->query, &params, &n, NULL) == VS_OK)
        type = param(params, n, "token_type");
    if (type.p)
        bytes_of(s->agent, "/" AA_RPC_SERVICE "/GetToken", type, resp);
    else
        say(resp, 400, "BAD REQUEST");
}

static void evidence(const asr *s, const vs_http_request *req, vs_http_response *resp)
{
    vs_span data;
    if (runtime_data(req, &data))
        bytes_of(s->agent, "/" AA_RPC_SERVICE "/GetEvidence", data, resp);
    else
        say(resp, 400, "BAD REQUEST");
}

static void additional_evidence(const asr *s, const vs_http_request *req, vs_http_response *resp)
{
    vs_span data;
    if (runtime_data(req, &data))
        bytes_of(s->agent, "/" AA_RPC_SERVICE "/GetAdditionalEvidence", data, resp);
    else
        say(resp, 400, "BAD REQUEST");
}

static vs_code read_event(const vs_http_request *req, vs_buf *fields, vs_error *err)
{
    static const char *const members[] = {"domain", "operation", "content"};
    vs_val doc, v;
    VS_TRY(vs_json_parse(req->arena, req->body, NULL, &doc, err));
    for (uint32_t i = 0; i < VS_COUNT(members); i++) {
        VS_TRY(vs_need(doc, members[i], VS_STRING, &v, err));
        vs_pb_put_bytes(fields, i + 1, vs_text(v));
    }
    return vs_buf_check(fields, err);
}

/* What the agent has at hand is asked for also while many wait for a KBS, and not waited for long.
 * On VS_OK end_brief follows. */
static vs_code begin_brief(vs_wait *before, vs_error *err)
{
    VS_TRY(vs_task_wait(true, err));
    *before = vs_wait_current();
    vs_wait brief = *before;
    brief.until = vs_wait_end(vs_mono_ns() + (int64_t)BRIEF_MS * 1000000);
    (void)vs_wait_set(brief);
    return VS_OK;
}

static void end_brief(vs_wait before)
{
    (void)vs_wait_set(before);
    vs_task_waited();
}

/* The enumeration in field 1; absent = 0. */
static vs_code extend(const asr *s, vs_span fields, uint64_t *result, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf reply = VS_BUF(VS_TTRPC_PAYLOAD_MAX);
    vs_pb_field f;
    bool bad = false;
    vs_wait before;
    VS_TRY(begin_brief(&before, err));
    vs_code code = vs_ttrpc_call(s->agent, "/" AA_RPC_SERVICE "/ExtendRuntimeMeasurement", fields,
                                 &reply, NULL, err);
    end_brief(before);
    VS_TRY(code);
    *result = 0;
    for (vs_span in = vs_buf_span(&reply); vs_pb_next(&in, &f, &bad);)
        if (f.number == 1)
            *result = f.integer;
    return bad ? vs_fail(err, VS_E_PARSE, "the agent's answer is not well formed") : VS_OK;
}

static void event(const asr *s, const vs_http_request *req, vs_http_response *resp)
{
    static const char *const answers[] = {
        "{\"success\":\"true\"}",
        "{\"success\":\"false\",\"message\": \"The platform does not support runtime "
        "measurement\"}",
        "{\"success\":\"false\",\"message\": \"Attestation Agent does not enable eventlog "
        "recording\"}",
        "{\"success\":\"false\",\"message\": \"Unknown runtime measurement result\"}",
    };
    VS_CLEANUP(vs_buf_free) vs_buf fields = VS_BUF(VS_TTRPC_PAYLOAD_MAX);
    vs_error err = {0};
    uint64_t result;
    if (read_event(req, &fields, &err) != VS_OK ||
        extend(s, vs_buf_span(&fields), &result, &err) != VS_OK) {
        fail(resp, &err);
        return;
    }
    say(resp, 200, answers[result < VS_COUNT(answers) ? result : VS_COUNT(answers) - 1]);
    resp->content_type = "application/json";
}

/* ---- /info ----------------------------------------------------------------------------------- */

/* Names are text of the agent's: a list of repeated field 1. Older agents know no devices. */
static vs_code put_devices(const asr *s, vs_jw *w, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf reply = VS_BUF(LIST_MAX);
    vs_grpc_status status;
    vs_pb_field f;
    bool bad = false, any = false;
    vs_code code = vs_ttrpc_call(s->agent, "/" AA_RPC_SERVICE "/GetAdditionalTees", (vs_span){0},
                                 &reply, &status, err);
    if (code != VS_OK)
        return status == VS_GRPC_NOT_FOUND || status == VS_GRPC_UNIMPLEMENTED ? VS_OK : code;
    for (vs_span in = vs_buf_span(&reply); vs_pb_next(&in, &f, &bad);) {
        if (f.number != 1 || !f.is_bytes || !vs_pb_is_text(f.bytes))
            continue;
        if (!any) {
            vs_jw_key(w, "additional_tees");
            vs_jw_open(w, '[');
        }
        any = true;
        vs_jw_span(w, f.bytes);
    }
    if (any)
        vs_jw_close(w, ']');
    return bad ? vs_fail(err, VS_E_PARSE, "the agent's answer is not well formed") : VS_OK;
}

static vs_code put_agent(const asr *s, vs_jw *w, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf tee = VS_BUF(LIST_MAX);
    VS_TRY(guest_ask(s->agent, "/" AA_RPC_SERVICE "/GetTeeType", (vs_span){0}, &tee, err));
    if (!vs_pb_is_text(vs_buf_span(&tee)))
        return vs_fail(err, VS_E_PARSE, "the agent's TEE is not text");
    vs_jw_key(w, "tee");
    vs_jw_span(w, vs_buf_span(&tee));
    return put_devices(s, w, err);
}

static vs_code write_info(const asr *s, vs_buf *out, vs_error *err)
{
    vs_jw w = {.out = out};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "version");
    vs_jw_str(&w, VS_VERSION);
    if (s->agent) {
        vs_wait before;
        VS_TRY(begin_brief(&before, err));
        vs_code code = put_agent(s, &w, err);
        end_brief(before);
        VS_TRY(code);
    }
    vs_jw_key(&w, "feature");
    vs_jw_str(&w, s->feature);
    vs_jw_close(&w, '}');
    return vs_buf_check(out, err);
}

static void info(const asr *s, const vs_http_request *req, vs_http_response *resp)
{
    vs_error err = {0};
    if (req->method != VS_HTTP_GET)
        say(resp, 405, "Method Not Allowed");
    else if (write_info(s, &resp->body, &err) != VS_OK)
        fail(resp, &err);
    else
        resp->content_type = "application/json";
}

/* ---- the hub --------------------------------------------------------------------------------- */

/* Any method, as upstream. The rest of the path and the query name the secret; the hub checks. */
static void resource(const asr *s, const vs_http_request *req, vs_span path, vs_http_response *resp)
{
    VS_CLEANUP(vs_buf_free) vs_buf uri = VS_BUF(CDH_URI_MAX);
    if (!s->hub) {
        say(resp, 404, "Resource Feature Not Enabled");
        return;
    }
    vs_buf_puts(&uri, "kbs://");
    vs_buf_put(&uri, path);
    if (req->query.n) {
        vs_buf_putc(&uri, '?');
        vs_buf_put(&uri, req->query);
    }
    if (vs_buf_ok(&uri))
        bytes_of(s->hub, CDH_RPC_GET_RESOURCE, vs_buf_span(&uri), resp);
    else
        say(resp, 414, "URI Too Long");
}

/* ---- which ----------------------------------------------------------------------------------- */

static const struct {
    const char *path;
    vs_http_method method;
    void (*answer)(const asr *s, const vs_http_request *req, vs_http_response *resp);
} agent_routes[] = {
    {"/aa/token", VS_HTTP_GET, token},
    {"/aa/evidence", VS_HTTP_GET, evidence},
    {"/aa/additional-evidence", VS_HTTP_GET, additional_evidence},
    {"/aa/aael", VS_HTTP_POST, event},
};

static void agent(const asr *s, const vs_http_request *req, vs_http_response *resp)
{
    if (!s->agent) {
        say(resp, 404, "Attestation Feature Not Enabled");
        return;
    }
    for (size_t i = 0; i < VS_COUNT(agent_routes); i++)
        if (vs_span_is(req->path, agent_routes[i].path) && req->method == agent_routes[i].method) {
            agent_routes[i].answer(s, req, resp);
            return;
        }
    say(resp, 404, "URL NOT FOUND");
}

/* A name of this machine, with any port: nobody else's name leads here but by a trick. */
static bool host_is_local(vs_span host)
{
    vs_span name, port;
    vs_ip ip;
    if (!vs_url_authority(host, &name, &port))
        return false;
    if (vs_span_ieq(name, VS_LIT("localhost")))
        return true;
    return vs_ip_parse(name, &ip) && vs_ip_is_loopback(ip);
}

void asr_rest_handle(void *user, const vs_http_request *req, vs_http_response *resp)
{
    const asr *s = user;
    const vs_span secrets = VS_LIT("/cdh/resource/"), attestation = VS_LIT("/aa/");
    vs_span host = vs_http_header(req, "host");
    if (!req->local && host.p && !host_is_local(host))
        say(resp, 403, "Forbidden");
    else if (vs_span_is(req->path, "/info"))
        info(s, req, resp);
    else if (vs_span_starts(req->path, secrets) && req->path.n > secrets.n)
        resource(s, req, vs_span_from(req->path, secrets.n - 1), resp); /* from its '/' on */
    else if (vs_span_starts(req->path, attestation))
        agent(s, req, resp);
    else
        say(resp, 404, "URL NOT FOUND");
}
