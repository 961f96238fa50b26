/* SPDX-License-Identifier: Apache-2.0 */
#include "api/as_wire.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "value/json.h"

enum { REASONS_MAX = 4096 };

/* ---- requests -------------------------------------------------------------------------------- */

static vs_code read_tee(vs_span tee, vs_error *err)
{
    if (vs_tee_known(tee, NULL))
        return VS_OK;
    return vs_fail(err, VS_E_INVALID, "unknown TEE \"%.*s\"", VS_FMT(vs_span_head(tee, 32)));
}

static vs_code read_hash(vs_span name, vs_hash *out, vs_error *err)
{
    *out = name.n ? vs_hash_of_name(name) : VS_HASH_NONE;
    if (name.n && *out == VS_HASH_NONE)
        return vs_fail(err, VS_E_INVALID, "\"%.*s\" is not sha256, sha384, sha512 or sm3",
                       VS_FMT(vs_span_head(name, 32)));
    return VS_OK;
}

static vs_code read_evidence(vs_span b64, vs_arena *a, vs_val *out, vs_error *err)
{
    vs_span text;
    VS_TRY_WRAP(vs_b64_decode_arena(a, VS_B64_URL, b64, &text, err), err, "Illegal input Evidence");
    VS_TRY_WRAP(vs_json_parse(a, text, NULL, out, err), err, "failed to parse tee evidence");
    return VS_OK;
}

static vs_code read_runtime(const as_wire_request *in, vs_arena *a, as_request *out, vs_error *err)
{
    out->runtime_kind = in->runtime;
    out->runtime_json = in->runtime_json;
    if (in->runtime == AS_DATA_RAW)
        VS_TRY_WRAP(vs_b64_decode_arena(a, VS_B64_URL, in->runtime_text, &out->runtime_raw, err),
                    err, "base64 decode runtime data");
    if (in->runtime == AS_DATA_STRUCTURED && !vs_defined(in->runtime_json))
        VS_TRY_WRAP(vs_json_parse(a, in->runtime_text, NULL, &out->runtime_json, err), err,
                    "parse structured runtime data");
    return VS_OK;
}

vs_code as_wire_read(const as_wire_request *in, vs_arena *a, as_request *out, vs_error *err)
{
    *out = (as_request){.tee = in->tee, .init_kind = in->init, .init = in->init_text};
    VS_TRY_WRAP(read_tee(in->tee, err), err, "parse TEE type");
    VS_TRY(read_evidence(in->evidence, a, &out->evidence, err));
    VS_TRY(read_runtime(in, a, out, err));
    if (in->init == AS_INIT_DIGEST)
        VS_TRY_WRAP(vs_b64_decode_arena(a, VS_B64_URL, in->init_text, &out->init, err), err,
                    "base64 decode init data");
    VS_TRY_WRAP(read_hash(in->hash, &out->runtime_hash, err), err,
                "parse runtime data HashAlgorithm failed");
    return VS_OK;
}

/* ---- what is done ---------------------------------------------------------------------------- */

static const char *tee_names(const as_request *reqs, size_t n, vs_arena *a)
{
    const char *names = "";
    for (size_t i = 0; i < n; i++)
        names = vs_sprintf(a, "%s%s%.*s", names, i ? "," : "", VS_FMT(reqs[i].tee));
    return names;
}

static void log_result(const as_request *reqs, size_t n, const as_result *r, vs_arena *a)
{
    VS_CLEANUP(vs_buf_free) vs_buf reasons = VS_BUF(REASONS_MAX);
    as_reasons(r->explanation, &reasons);
    vs_log(VS_LOG_INFO, "as", "appraised", "tee", tee_names(reqs, n, a), "status", r->status,
           "reasons", reasons.n ? (const char *)reasons.p : NULL, NULL);
}

vs_code as_wire_evaluate(as_service *as, const as_request *reqs, size_t n,
                         const vs_span *policy_ids, size_t n_policy_ids, vs_arena *a,
                         as_result *out, vs_error *err)
{
    vs_span policy_id = n_policy_ids ? policy_ids[0] : VS_LIT("default");
    if (n_policy_ids > 1)
        vs_log(VS_LOG_WARN, "as", "several policy ids in a request: only the first one is used",
               NULL);
    vs_code code = as_evaluate(as, reqs, n, policy_id, vs_now_s(), a, out, err);
    if (code != VS_OK) {
        vs_log_error(VS_LOG_WARN, "as", "no token", err);
        return code;
    }
    log_result(reqs, n, out, a);
    return VS_OK;
}

vs_code as_wire_set_policy(as_service *as, vs_span id, vs_span policy, vs_arena *a, vs_error *err)
{
    vs_span text;
    const char *name = vs_sprintf(a, "%.*s", VS_FMT(vs_span_head(id, 128)));
    vs_code code = vs_b64_decode_arena(a, VS_B64_URL, policy, &text, err);
    if (code == VS_OK)
        code = as_set_policy(as, id, text, err);
    if (code == VS_OK)
        vs_log(VS_LOG_INFO, "as", "policy set", "policy", name, NULL);
    else
        vs_log_error(VS_LOG_WARN, "as", "policy not set", err);
    return code;
}

/* Parameters are JSON for the one TEE that has some; for others they are not looked at. */
vs_code as_wire_challenge(as_service *as, vs_span tee, vs_span params, vs_arena *a,
                          vs_span *challenge, vs_error *err)
{
    vs_val v;
    *challenge = VS_LIT("");
    if (!tee.p)
        return vs_fail(err, VS_E_INVALID, "Error parse inner_tee tee");
    if (!params.p)
        return vs_fail(err, VS_E_INVALID, "Error parse inner_tee tee_params");
    VS_TRY_WRAP(read_tee(tee, err), err, "Error parse TEE type");
    if (vs_json_parse(a, params, NULL, &v, NULL) != VS_OK)
        v = vs_string(params);
    VS_TRY(vs_arena_check(a, err));
    VS_TRY_WRAP(as_challenge(as, tee, v, a, challenge, err), err, "Challenge");
    return VS_OK;
}

const char *as_wire_chain(const vs_error *err, vs_arena *a)
{
    const char *text = "", *cause;
    for (unsigned i = 0; (cause = vs_error_at(err, i)) != NULL; i++)
        text = vs_sprintf(a, "%s\n%u: %s", text, i, cause);
    return text;
}

/* ---- the signer's key ------------------------------------------------------------------------ */

void as_wire_jwks(as_service *as, vs_http_response *resp)
{
    vs_error err = {0};
    resp->content_type = "application/json";
    if (as_jwks(as, &resp->body, &err) == VS_OK)
        return;
    vs_log_error(VS_LOG_ERROR, "as", "the key set cannot be given", &err);
    vs_buf_clear(&resp->body);
    resp->status = 500;
    resp->content_type = "text/plain; charset=utf-8";
    vs_buf_puts(&resp->body, "failed to get JWKS");
}

void as_wire_beside(void *user, const vs_http_request *req, vs_http_response *resp)
{
    if (!vs_span_is(req->path, AS_JWKS_PATH)) {
        resp->status = 404;
    } else if (req->method != VS_HTTP_GET) {
        resp->status = 405;
        vs_http_add_header(resp, "Allow", "GET");
    } else {
        as_wire_jwks(user, resp);
    }
}
