/* SPDX-License-Identifier: Apache-2.0 */
#include "api/veraison_provision.h"

#include "api/kbs_rest.h"
#include "api/problem.h"
#include "as/veraison_discovery.h"
#include "base/clock.h"
#include "envelope/corim.h"
#include "net/media_type.h"
#include "value/json.h"

#define DISCOVERY      "/.well-known/veraison/provisioning"
#define SUBMIT         "/endorsement-provisioning/v1/submit"
#define DISCOVERY_TYPE "application/vnd.veraison.discovery+json"
#define SESSION_TYPE   "application/vnd.veraison.provisioning-session+json"

#define PLATFORM     "tag:arm.com,2025:cca_platform#1.0.0"
#define REALM        "tag:arm.com,2025:cca_realm#1.0.0"
#define OLD_PLATFORM "http://arm.com/cca/ssd/1"
#define OLD_REALM    "http://arm.com/cca/realm/1"

enum { DISCOVERY_LIFE_S = 60, SESSION_LIFE_S = 150 };

/* In normal form, newest first. */
static const struct taken {
    const char *type, *profile;
    bool is_signed;
} taken[] = {
    {"application/rim+cbor; profile=\"" PLATFORM "\"", PLATFORM, false},
    {"application/rim+cbor; profile=\"" REALM "\"", REALM, false},
    {"application/rim+cose; profile=\"" PLATFORM "\"", PLATFORM, true},
    {"application/rim+cose; profile=\"" REALM "\"", REALM, true},
    {"application/corim-unsigned+cbor; profile=\"" OLD_PLATFORM "\"", OLD_PLATFORM, false},
    {"application/corim-unsigned+cbor; profile=\"" OLD_REALM "\"", OLD_REALM, false},
};

/* ---- discovery ------------------------------------------------------------------------------- */

static void discover(const vs_http_request *req, vs_http_response *resp)
{
    char expires[VS_TIME_TEXT];
    vs_jw w = {.out = &resp->body};
    resp->content_type = DISCOVERY_TYPE;
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "media-types");
    vs_jw_open(&w, '[');
    for (size_t i = 0; i < VS_COUNT(taken); i++)
        vs_jw_str(&w, taken[i].type);
    vs_jw_close(&w, ']');
    as_veraison_put_service(&w, "provisioningSubmit", SUBMIT);
    vs_jw_close(&w, '}');
    vs_http_add_header(resp, "Cache-Control", "max-age=60");
    vs_http_add_header(
        resp, "Expires",
        vs_sprintf(req->arena, "%s", vs_time_http(vs_now_s() + DISCOVERY_LIFE_S, expires)));
}

/* ---- submission ------------------------------------------------------------------------------ */

/* NULL: answered. */
static const struct taken *type_of(const vs_http_request *req, vs_http_response *resp)
{
    vs_span type;
    if (vs_media_type_normal(req->arena, vs_http_header(req, "content-type"), &type, NULL) !=
        VS_OK) {
        api_problem(resp, 400, "the Content-Type is missing or malformed");
        return NULL;
    }
    for (size_t i = 0; i < VS_COUNT(taken); i++)
        if (vs_span_is(type, taken[i].type))
            return &taken[i];
    const char *all = taken[0].type;
    for (size_t i = 1; i < VS_COUNT(taken); i++)
        all = vs_sprintf(req->arena, "%s, %s", all, taken[i].type);
    api_problem(resp, 415, "the header Accept lists the media types that are taken");
    vs_http_add_header(resp, "Accept", all);
    return NULL;
}

/* The label must be that of what is in it: whoever looks only at the label is not deceived. */
static vs_code check_label(vs_arena *a, vs_span body, const struct taken *t, vs_error *err)
{
    corim_envelope e;
    corim c;
    VS_TRY(corim_open(body, &e, err));
    if (e.is_signed != t->is_signed)
        return vs_fail(err, VS_E_INVALID, "the CoRIM is %ssigned, its media type says otherwise",
                       e.is_signed ? "" : "not ");
    VS_TRY(corim_decode(a, e.manifest, &c, err));
    if (!c.profile.p)
        return vs_fail(err, VS_E_INVALID, "profile not set: the CoRIM names none");
    if (!vs_span_is(c.profile, t->profile))
        return vs_fail(err, VS_E_MISMATCH,
                       "the CoRIM's profile is \"%.*s\", its media type says %s",
                       VS_FMT(vs_span_head(c.profile, 80)), t->profile);
    return VS_OK;
}

static void write_session(vs_http_response *resp, const char *failure)
{
    char expiry[VS_TIME_TEXT];
    vs_jw w = {.out = &resp->body};
    vs_buf_clear(&resp->body);
    resp->status = 200;
    resp->content_type = SESSION_TYPE;
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "status");
    vs_jw_str(&w, failure ? "failed" : "success");
    vs_jw_key(&w, "expiry");
    vs_jw_str(&w, vs_time_rfc3339(vs_now_s() + SESSION_LIFE_S, expiry));
    if (failure) {
        vs_jw_key(&w, "failure-reason");
        vs_jw_str(&w, failure);
    }
    vs_jw_close(&w, '}');
}

/* Only who may submit learns why a submission failed. */
static void take(const veraison_provision *p, const struct taken *t, const vs_http_request *req,
                 vs_http_response *resp)
{
    char text[VS_ERROR_TEXT];
    vs_error err = {0};
    kbs_call call = kbs_rest_call(req);
    bool nobody = !call.bearer.n && !call.peer.subject.n && !call.peer.local;
    vs_span name = p->open && nobody ? VS_LIT("open-endorsement") : VS_LIT("endorsement");
    kbs_reply reply = {.body = resp->body};
    call.method = KBS_POST;
    call.segments = &name;
    call.n_segments = 1;
    call.query = vs_empty(VS_OBJECT);
    vs_code label = check_label(req->arena, req->body, t, &err);
    call.unfit = label == VS_OK ? NULL : vs_error_text(&err, text, sizeof text);
    kbs_handle(p->k, &call, &reply);
    resp->body = reply.body;
    if (reply.decision[0])
        vs_http_add_header(resp, "Vouchsafe-Decision",
                           vs_sprintf(req->arena, "%s", reply.decision));
    switch (reply.error) {
    case KBS_OK: write_session(resp, NULL); break;
    case KBS_INVALID_REQUEST:
    case KBS_PRECONDITION_FAILED:
        write_session(resp, vs_sprintf(req->arena, "%.*s", VS_FMT(reply.detail)));
        break;
    case KBS_ADMIN_AUTH_ACCESS:
        vs_http_add_header(resp, "WWW-Authenticate", "Bearer");
        api_problem(resp, 401, "only an administrator may submit endorsements");
        break;
    case KBS_PLUGIN_NOT_FOUND: api_problem(resp, 404, "no endorsements are taken here"); break;
    default: api_problem(resp, 500, "the endorsements could not be stored");
    }
}

static void submit(const veraison_provision *p, const vs_http_request *req, vs_http_response *resp)
{
    const struct taken *t = type_of(req, resp);
    if (!t)
        return;
    if (req->body.n == 0)
        api_problem(resp, 400, "the body is empty");
    else
        take(p, t, req, resp);
}

/* ---- routes ---------------------------------------------------------------------------------- */

static bool acceptable(const vs_http_request *req, vs_http_response *resp, const char *const *types,
                       size_t n)
{
    if (vs_media_accepts(vs_http_header(req, "accept"), types, n))
        return true;
    api_problem(resp, 406, vs_sprintf(req->arena, "the answer is of type %s", types[0]));
    return false;
}

static bool has_method(const vs_http_request *req, vs_http_response *resp, vs_http_method method,
                       const char *allow)
{
    if (req->method == method)
        return true;
    vs_http_add_header(resp, "Allow", allow);
    api_problem(resp, 405, vs_sprintf(req->arena, "allowed here: %s", allow));
    return false;
}

bool veraison_provision_handle(const veraison_provision *p, const vs_http_request *req,
                               vs_http_response *resp)
{
    static const char *const discovery[] = {DISCOVERY_TYPE, "application/json"};
    static const char *const session[] = {SESSION_TYPE};
    if (vs_span_is(req->path, DISCOVERY)) {
        if (has_method(req, resp, VS_HTTP_GET, "GET") && acceptable(req, resp, discovery, 2))
            discover(req, resp);
        return true;
    }
    if (vs_span_is(req->path, SUBMIT)) {
        if (has_method(req, resp, VS_HTTP_POST, "POST") && acceptable(req, resp, session, 1))
            submit(p, req, resp);
        return true;
    }
    return false;
}
