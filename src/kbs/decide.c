/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator is told of a decision: a line of the log, an event of the audit log, a record.
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "kbs/internal.h"
#include "kbs/journal.h"

static void put_text(vs_obj *o, const char *name, const char *text)
{
    if (text)
        vs_obj_put(o, name, vs_cstring(text));
}

static const char *sha256_text(kbs_ctx *c, vs_span bytes)
{
    uint8_t md[VS_HASH_MAX];
    if (!bytes.p || vs_digest(VS_SHA256, bytes, VS_LIT(""), VS_LIT(""), md, NULL) != VS_OK)
        return NULL;
    return kbs_text(c, vs_hex_encode_arena(c->call.arena, vs_span_of(md, 32)));
}

static vs_val event_of(kbs_ctx *c, const kbs_decision *d, const char *cause)
{
    char time[VS_TIME_TEXT];
    vs_obj o = {.a = c->call.arena};
    put_text(&o, "id", c->reply->decision);
    put_text(&o, "time", vs_sprintf(c->call.arena, "%s", vs_time_rfc3339(c->call.now, time)));
    put_text(&o, "what", d->what);
    put_text(&o, "verdict", d->allowed ? "allowed" : "denied");
    put_text(&o, "who", d->who);
    put_text(&o, "action", d->action);
    put_text(&o, "target", d->target);
    put_text(&o, "tee", d->tee);
    put_text(&o, "status", d->status);
    put_text(&o, "reason", d->reason);
    put_text(&o, "error", cause);
    put_text(&o, "evidence_sha256", sha256_text(c, d->evidence));
    put_text(&o, "token_sha256", sha256_text(c, d->token));
    put_text(&o, "policy_sha256", d->policy_sha256);
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static bool journal_takes(kbs_ctx *c, const kbs_decision *d, const char *cause)
{
    vs_error err = {0};
    vs_val event = event_of(c, d, cause), record = event;
    const char *token = NULL;
    if (vs_defined(d->appraisal)) {
        record = vs_with(c->call.arena, event, vs_cstring("appraisal"), d->appraisal);
        token = kbs_text(c, vs_text(vs_getc(event, "token_sha256")));
    }
    vs_code code = vs_arena_check(c->call.arena, &err);
    if (code == VS_OK) {
        const kbs_entry e = {.id = c->reply->decision,
                             .event = event,
                             .record = record,
                             .token = token,
                             .proven = d->proven,
                             .now = c->call.now};
        code = kbs_journal_add(c->k->journal, &e, &err);
    }
    if (code != VS_OK)
        vs_log_error(VS_LOG_ERROR, "kbs", "a decision was not recorded", &err);
    return code == VS_OK;
}

bool kbs_decide(kbs_ctx *c, const kbs_decision *d)
{
    char text[VS_ERROR_TEXT];
    const char *cause =
        d->error && d->error->code ? vs_error_text(d->error, text, sizeof text) : NULL;
    kbs_new_id(c->reply->decision);
    vs_log(VS_LOG_INFO, "kbs", d->what, "verdict", d->allowed ? "allowed" : "denied", "decision",
           c->reply->decision, "who", d->who, "action", d->action, "target", d->target, "tee",
           d->tee, "status", d->status, "reason", d->reason, "error", cause, NULL);
    return !c->k->journal || journal_takes(c, d, cause);
}

bool kbs_decide_admin(kbs_ctx *c, const char *action, vs_code code, const vs_error *err)
{
    const kbs_decision d = {
        .what = "administration",
        .proven = c->who.n > 0, /* where an endpoint is open to anybody, nothing was shown */
        .allowed = code == VS_OK,
        .who = kbs_text(c, c->who),
        .target = kbs_text(c, c->call.path),
        .action = action,
        .error = code == VS_OK ? NULL : err,
    };
    return kbs_decide(c, &d);
}

bool kbs_journal_works(kbs_ctx *c)
{
    vs_error err = {0};
    if (!c->k->journal || kbs_journal_ready(c->k->journal, &err) == VS_OK)
        return true;
    vs_log_error(VS_LOG_ERROR, "kbs", "refused, since it could not be recorded", &err);
    return false;
}
