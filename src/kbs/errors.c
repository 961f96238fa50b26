/* SPDX-License-Identifier: Apache-2.0 */
/* What a client is told (kbs.md 7), and what the operator is told: two different things. */
#include "kbs/internal.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/enc.h"
#include "base/io.h"
#include "base/log.h"

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
    vs_buf_clear(&c->reply->body);
}

const char *kbs_text(kbs_ctx *c, vs_span s)
{
    return vs_sprintf(c->call.arena, "%.*s", VS_FMT(vs_span_head(s, DETAIL_MAX)));
}

/* UUID version 4 (RFC 9562 5.4). */
static void new_id(char out[37])
{
    uint8_t r[16];
    vs_random(r, sizeof r);
    r[6] = (uint8_t)((r[6] & 0x0f) | 0x40);
    r[8] = (uint8_t)((r[8] & 0x3f) | 0x80);
    size_t at = 0;
    for (size_t i = 0; i < sizeof r; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        (void)snprintf(out + at, 3, "%02x", r[i]);
        at += 2;
    }
}

void kbs_decide(kbs_ctx *c, const kbs_decision *d)
{
    char *id = c->reply->decision;
    char cause[VS_ERROR_TEXT];
    new_id(id);
    vs_log(VS_LOG_INFO, "kbs", d->what, "verdict", d->allowed ? "allowed" : "denied", "decision",
           id, "who", d->who, "action", d->action, "target", d->target, "tee", d->tee, "status",
           d->status, "reason", d->reason, "error",
           d->error && d->error->code ? vs_error_text(d->error, cause, sizeof cause) : NULL, NULL);
}
