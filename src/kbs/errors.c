/* SPDX-License-Identifier: Apache-2.0 */
/* What a client is told (kbs.md 7). What the operator is told is in decide.c. */
#include "kbs/internal.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/enc.h"

enum { DETAIL_MAX = 1024 };

const char *kbs_error_name(kbs_error e)
{
    static const char *const names[] = {
        [KBS_OK] = "",
        [KBS_ADMIN_AUTH_ACCESS] = "AdminAuthAccess",
        [KBS_ADMIN_AUTH_INITIALIZATION] = "AdminAuthInitialization",
        [KBS_ATTESTATION_ERROR] = "AttestationError",
        [KBS_JWE_ERROR] = "JweError",
        [KBS_PLUGIN_NOT_FOUND] = "PluginNotFound",
        [KBS_PLUGIN_INTERNAL_ERROR] = "PluginInternalError",
        [KBS_POLICY_DENY] = "PolicyDeny",
        [KBS_PARSE_POLICY_ERROR] = "ParsePolicyError",
        [KBS_POLICY_ENGINE_ERROR] = "PolicyEngineError",
        [KBS_RVPS_ERROR] = "RvpsError",
        [KBS_SERDE_ERROR] = "SerdeError",
        [KBS_TOKEN_NOT_FOUND] = "TokenNotFound",
        [KBS_TOKEN_VERIFIER_ERROR] = "TokenVerifierError",
        [KBS_INVALID_REQUEST] = "InvalidRequest",
        [KBS_NOT_FOUND] = "NotFound",
        [KBS_PRECONDITION_FAILED] = "PreconditionFailed",
    };
    return (size_t)e < VS_COUNT(names) ? names[e] : "";
}

void kbs_refuse(kbs_ctx *c, kbs_error error, const char *fmt, ...)
{
    char text[DETAIL_MAX];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    if (!vs_utf8_ok(vs_span_of(text, len))) { /* a client's own bytes, or cut in a character */
        for (size_t i = 0; i < len; i++)
            text[i] = (uint8_t)text[i] < 0x80 ? text[i] : '?';
    }
    c->reply->error = error;
    c->reply->detail = vs_dup(c->call.arena, vs_span_of(text, len));
    c->reply->content_type = NULL;
    c->reply->etag = NULL;
    vs_buf_clear(&c->reply->body);
}

const char *kbs_text(kbs_ctx *c, vs_span s)
{
    return vs_sprintf(c->call.arena, "%.*s", VS_FMT(vs_span_head(s, DETAIL_MAX)));
}

void kbs_refuse_own(kbs_ctx *c, vs_code code, const vs_error *err)
{
    static const struct {
        vs_code code;
        kbs_error error;
    } known[] = {{VS_E_NOT_FOUND, KBS_NOT_FOUND},     {VS_E_CONFLICT, KBS_PRECONDITION_FAILED},
                 {VS_E_INVALID, KBS_INVALID_REQUEST}, {VS_E_PARSE, KBS_INVALID_REQUEST},
                 {VS_E_LIMIT, KBS_INVALID_REQUEST},   {VS_E_UNSUPPORTED, KBS_INVALID_REQUEST},
                 {VS_E_DENIED, KBS_INVALID_REQUEST},  {VS_E_EXPIRED, KBS_INVALID_REQUEST}};
    char cause[VS_ERROR_TEXT];
    kbs_error error = KBS_PLUGIN_INTERNAL_ERROR;
    for (size_t i = 0; i < VS_COUNT(known); i++)
        error = known[i].code == code ? known[i].error : error;
    kbs_refuse(c, error, "%s", vs_error_text(err, cause, sizeof cause));
}
