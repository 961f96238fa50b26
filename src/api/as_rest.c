/* SPDX-License-Identifier: Apache-2.0 */
#include "api/as_rest.h"

#include "api/as_wire.h"
#include "as/versions.h"
#include "base/enc.h"
#include "base/log.h"
#include "net/url.h"
#include "value/json.h"

#define TEXT "text/plain; charset=utf-8"

static void plain(vs_http_response *resp, int status, const char *text)
{
    resp->status = status;
    resp->content_type = TEXT;
    vs_buf_clear(&resp->body);
    vs_buf_puts(&resp->body, text);
}

/* "occured" is Trustee's spelling. */
static void internal_error(const vs_error *err, vs_arena *a, vs_http_response *resp)
{
    plain(resp, 500, vs_sprintf(a, "An internal error occured: %s", as_wire_chain(err, a)));
}

static void bad_request(const vs_error *err, vs_http_response *resp)
{
    char text[VS_ERROR_TEXT];
    plain(resp, 400, vs_error_text(err, text, sizeof text));
}

/* ---- bodies ---------------------------------------------------------------------------------- */

static vs_code read_body(const vs_http_request *req, vs_val *out, vs_error *err)
{
    vs_span rest;
    vs_span type = vs_span_trim(vs_span_cut(vs_http_header(req, "content-type"), ';', &rest, NULL));
    if (!vs_span_ieq(type, VS_LIT("application/json")))
        return vs_fail(err, VS_E_INVALID, "Content type error");
    VS_TRY_WRAP(vs_json_parse(req->arena, req->body, NULL, out, err), err,
                "Json deserialize error");
    if (out->kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "Json deserialize error: the body is not an object");
    return VS_OK;
}

/* A member that is an object of exactly one of two members; absent or null: *which = -1. */
static vs_code one_of(vs_val object, const char *name, const char *const names[2], int *which,
                      vs_val *out, vs_error *err)
{
    vs_val v;
    *which = -1;
    VS_TRY(vs_may(object, name, VS_OBJECT, &v, err));
    if (!vs_defined(v))
        return VS_OK;
    for (int i = 0; v.len == 1 && i < 2; i++) {
        *out = vs_getc(v, names[i]);
        if (vs_defined(*out)) {
            *which = i;
            return VS_OK;
        }
    }
    return vs_fail(err, VS_E_INVALID, "member \"%s\" must hold either \"%s\" or \"%s\"", name,
                   names[0], names[1]);
}

static vs_code text_value(vs_val v, const char *name, vs_span *out, vs_error *err)
{
    if (v.kind != VS_STRING)
        return vs_fail(err, VS_E_INVALID, "member \"%s\" must be a string, not %s", name,
                       vs_kind_name((vs_kind)v.kind));
    *out = vs_text(v);
    return VS_OK;
}

static vs_code read_runtime(vs_val object, as_wire_request *out, vs_error *err)
{
    static const char *const names[2] = {"raw", "structured"};
    vs_val v;
    int which;
    VS_TRY(one_of(object, "runtime_data", names, &which, &v, err));
    out->runtime = which < 0 ? AS_DATA_NONE : which == 0 ? AS_DATA_RAW : AS_DATA_STRUCTURED;
    out->runtime_json = which == 1 ? v : vs_undefined();
    return which == 0 ? text_value(v, names[0], &out->runtime_text, err) : VS_OK;
}

static vs_code read_init(vs_val object, as_wire_request *out, vs_error *err)
{
    static const char *const names[2] = {"init_data_digest", "init_data_toml"};
    vs_val v;
    int which;
    VS_TRY(one_of(object, "init_data", names, &which, &v, err));
    out->init = which < 0 ? AS_INIT_NONE : which == 0 ? AS_INIT_DIGEST : AS_INIT_TOML;
    return which < 0 ? VS_OK : text_value(v, names[which], &out->init_text, err);
}

static vs_code read_one(vs_val object, as_wire_request *out, vs_error *err)
{
    vs_val tee, evidence, hash;
    *out = (as_wire_request){0};
    VS_TRY(vs_need(object, "tee", VS_STRING, &tee, err));
    VS_TRY(vs_need(object, "evidence", VS_STRING, &evidence, err));
    VS_TRY(vs_may(object, "runtime_data_hash_algorithm", VS_STRING, &hash, err));
    out->tee = vs_text(tee);
    out->evidence = vs_text(evidence);
    out->hash = vs_text(hash);
    VS_TRY(read_runtime(object, out, err));
    return read_init(object, out, err);
}

typedef struct attestation {
    as_wire_request *in;
    size_t n;
    vs_span *policy_ids;
    size_t n_policy_ids;
} attestation;

static vs_code read_attestation(vs_val body, vs_arena *a, attestation *out, vs_error *err)
{
    vs_val list, ids;
    VS_TRY(vs_need(body, "verification_requests", VS_ARRAY, &list, err));
    VS_TRY(vs_need(body, "policy_ids", VS_ARRAY, &ids, err));
    *out = (attestation){.in = vs_alloc_array(a, list.len, sizeof *out->in),
                         .policy_ids = vs_alloc_array(a, ids.len, sizeof *out->policy_ids)};
    VS_TRY(vs_arena_check(a, err));
    for (VS_ARR_FOR (one, list))
        VS_TRY_WRAP(read_one(*one, &out->in[out->n++], err), err, "verification request %zu",
                    out->n);
    for (VS_ARR_FOR (id, ids))
        VS_TRY(text_value(*id, "policy_ids", &out->policy_ids[out->n_policy_ids++], err));
    return VS_OK;
}

/* ---- routes ---------------------------------------------------------------------------------- */

static vs_code evaluate(as_service *as, const attestation *m, vs_arena *a, as_result *out,
                        vs_error *err)
{
    as_request *reqs = vs_alloc_array(a, m->n, sizeof *reqs);
    VS_TRY(vs_arena_check(a, err));
    for (size_t i = 0; i < m->n; i++)
        VS_TRY(as_wire_read(&m->in[i], a, &reqs[i], err));
    return as_wire_evaluate(as, reqs, m->n, m->policy_ids, m->n_policy_ids, a, out, err);
}

static void attest(as_service *as, const vs_http_request *req, vs_http_response *resp)
{
    vs_error err = {0};
    vs_val body;
    attestation m;
    as_result result;
    vs_code code = read_body(req, &body, &err);
    if (code == VS_OK)
        code = read_attestation(body, req->arena, &m, &err);
    if (code != VS_OK) {
        bad_request(&err, resp);
        return;
    }
    if (evaluate(as, &m, req->arena, &result, &err) != VS_OK) {
        internal_error(&err, req->arena, resp);
        return;
    }
    resp->content_type = TEXT;
    vs_buf_put(&resp->body, result.token);
}

static void set_policy(as_service *as, const vs_http_request *req, vs_http_response *resp)
{
    vs_error err = {0};
    vs_val body, id, policy;
    vs_code code = read_body(req, &body, &err);
    if (code == VS_OK)
        code = vs_need(body, "policy_id", VS_STRING, &id, &err);
    if (code == VS_OK)
        code = vs_need(body, "policy", VS_STRING, &policy, &err);
    if (code != VS_OK) {
        bad_request(&err, resp);
        return;
    }
    if (as_wire_set_policy(as, vs_text(id), vs_text(policy), req->arena, &err) != VS_OK) {
        (void)vs_wrap(&err, "set policy");
        internal_error(&err, req->arena, resp);
    }
}

static void list_policies(as_service *as, const vs_http_request *req, vs_http_response *resp)
{
    vs_error err = {0};
    vs_val ids;
    if (as_list_policies(as, req->arena, &ids, &err) != VS_OK) {
        (void)vs_wrap(&err, "get policies");
        internal_error(&err, req->arena, resp);
        return;
    }
    resp->content_type = "application/json";
    vs_jw w = {.out = &resp->body};
    vs_jw_open(&w, '[');
    for (VS_ARR_FOR (id, ids)) {
        vs_jw_open(&w, '{');
        vs_jw_key(&w, "policy-id");
        vs_jw_val(&w, *id);
        vs_jw_close(&w, '}');
    }
    vs_jw_close(&w, ']');
}

static void get_policy(as_service *as, vs_span raw_id, const vs_http_request *req,
                       vs_http_response *resp)
{
    vs_error err = {0};
    vs_span id;
    as_policy_state now;
    vs_code code = vs_url_decode(req->arena, raw_id, &id, &err);
    if (code == VS_OK)
        code = as_read_policy(as, id, req->arena, &now, &err);
    if (code == VS_OK && !now.exists)
        code = vs_fail(&err, VS_E_NOT_FOUND, "Policy `%.*s.rego` not found", VS_FMT(id));
    switch (code) {
    case VS_OK:
        resp->content_type = TEXT;
        vs_b64_encode(&resp->body, VS_B64_URL, now.text);
        break;
    case VS_E_PARSE:
    case VS_E_INVALID: bad_request(&err, resp); break;
    case VS_E_NOT_FOUND:
        bad_request(&err, resp);
        resp->status = 404;
        break;
    default: (void)vs_wrap(&err, "get policy"); internal_error(&err, req->arena, resp);
    }
}

static void challenge(as_service *as, const vs_http_request *req, vs_http_response *resp)
{
    vs_error err = {0};
    vs_val body, tee, params;
    vs_span text;
    vs_code code = read_body(req, &body, &err);
    if (code == VS_OK)
        code = vs_may(body, "tee", VS_STRING, &tee, &err);
    if (code == VS_OK)
        code = vs_may(body, "tee_params", VS_STRING, &params, &err);
    if (code != VS_OK) {
        bad_request(&err, resp);
        return;
    }
    if (as_wire_challenge(as, vs_text(tee), vs_text(params), req->arena, &text, &err) != VS_OK) {
        internal_error(&err, req->arena, resp);
        return;
    }
    resp->content_type = TEXT;
    vs_buf_put(&resp->body, text);
}

static void jwks(as_service *as, const vs_http_request *req, vs_http_response *resp)
{
    (void)req;
    as_wire_jwks(as, resp);
}

static void alive(as_service *as, const vs_http_request *req, vs_http_response *resp)
{
    (void)as, (void)req, (void)resp; /* an empty 200 */
}

typedef void (*route_handler)(as_service *as, const vs_http_request *req, vs_http_response *resp);
static const struct {
    const char *path;
    route_handler get, post;
    const char *allow;
} routes[] = {
    {"/attestation", NULL, attest, "POST"},  {"/policy", list_policies, set_policy, "GET, POST"},
    {"/challenge", NULL, challenge, "POST"}, {AS_JWKS_PATH, jwks, NULL, "GET"},
    {"/healthz", alive, NULL, "GET"},
};

static void wrong_method(const char *allow, vs_http_response *resp)
{
    resp->status = 405;
    vs_http_add_header(resp, "Allow", allow);
}

static void route(as_service *as, const vs_http_request *req, vs_http_response *resp)
{
    static const vs_span one_policy = {(const uint8_t *)"/policy/", 8};
    for (size_t i = 0; i < VS_COUNT(routes); i++) {
        if (!vs_span_is(req->path, routes[i].path))
            continue;
        route_handler handler = req->method == VS_HTTP_GET    ? routes[i].get
                                : req->method == VS_HTTP_POST ? routes[i].post
                                                              : NULL;
        if (handler)
            handler(as, req, resp);
        else
            wrong_method(routes[i].allow, resp);
        return;
    }
    if (!vs_span_starts(req->path, one_policy) || req->path.n == one_policy.n)
        resp->status = 404;
    else if (req->method != VS_HTTP_GET)
        wrong_method("GET", resp);
    else
        get_policy(as, vs_span_from(req->path, one_policy.n), req, resp);
}

/* ---- web pages of other origins (CORS) ------------------------------------------------------- */

/* The configured text, which has a NUL behind it and holds no line break. */
static const char *allowed_origin(const as_rest *rest, vs_span origin)
{
    for (size_t i = 0; i < rest->n_origins; i++)
        if (vs_span_is(origin, rest->origins[i]))
            return rest->origins[i];
    return NULL;
}

/* A question by the browser before the real request. */
static void preflight(const char *origin, vs_http_response *resp)
{
    if (!origin) {
        plain(resp, 400, "Origin is not allowed to make this request");
        return;
    }
    vs_http_add_header(resp, "Access-Control-Allow-Methods", "GET, POST, OPTIONS");
    vs_http_add_header(resp, "Access-Control-Allow-Headers", "content-type, authorization");
    vs_http_add_header(resp, "Access-Control-Max-Age", "86400");
}

void as_rest_handle(void *user, const vs_http_request *req, vs_http_response *resp)
{
    const as_rest *rest = user;
    vs_span asked = vs_http_header(req, "origin");
    const char *origin = asked.p ? allowed_origin(rest, asked) : NULL;
    if (rest->n_origins)
        vs_http_add_header(resp, "Vary", "Origin");
    if (origin)
        vs_http_add_header(resp, "Access-Control-Allow-Origin", origin);
    if (req->method == VS_HTTP_OPTIONS && asked.p &&
        vs_http_header(req, "access-control-request-method").p)
        preflight(origin, resp);
    else if (!veraison_rest_handle(&rest->veraison, req, resp))
        route(rest->as, req, resp);
}
