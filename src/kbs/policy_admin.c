/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Administration of policies beside Trustee's endpoints, the same for both kinds:
 *
 *   attestation-policy                                GET: ids
 *   attestation-policy/<id>                           GET (?version=N), PUT, DELETE
 *   attestation-policy/<id>/history                   GET
 *   attestation-policy/<id>/activate?version=N        POST
 *   attestation-policy/<id>/rollback                  POST
 *   resource-policy/resource-policy[/...]             the policy for everything
 *   resource-policy/repository                        GET: repositories that have their own
 *   resource-policy/repository/<repository>[/...]     that of a repository
 *
 * Changes take ?note=TEXT and the conditions If-Match and If-None-Match.
 */
#include "as/versions.h"
#include "kbs/internal.h"
#include "value/json.h"

/* What a path means: a policy of the attestation service (`as`), or one of the key broker (`p`). */
typedef struct place {
    as_service *as;
    as_policies *p;
    vs_span id, action; /* empty: the list; the policy itself */
} place;

static vs_code list_at(const place *at, vs_arena *a, vs_val *out, vs_error *err)
{
    return at->as ? as_list_policies(at->as, a, out, err) : as_policies_list(at->p, a, out, err);
}

static vs_code history_at(const place *at, vs_arena *a, vs_val *out, vs_error *err)
{
    return at->as ? as_policy_history(at->as, at->id, a, out, err)
                  : as_policies_history(at->p, at->id, a, out, err);
}

static vs_code read_at(const place *at, vs_arena *a, as_policy_state *out, vs_error *err)
{
    return at->as ? as_read_policy(at->as, at->id, a, out, err)
                  : as_policies_read(at->p, at->id, a, out, err);
}

static vs_code read_version_at(const place *at, uint32_t version, vs_arena *a, vs_span *text,
                               vs_error *err)
{
    return at->as ? as_read_policy_version(at->as, at->id, version, a, text, err)
                  : as_policies_read_version(at->p, at->id, version, a, text, err);
}

static vs_code change_at(const place *at, const as_change *c, vs_arena *a, as_policy_state *out,
                         vs_error *err)
{
    return at->as ? as_change_policy(at->as, c, a, out, err)
                  : as_policies_change(at->p, c, a, out, err);
}

/* The one policy that is asked about everything. */
static bool is_global(const place *at)
{
    return at->p && as_policies_place(at->p)->prefix[0] == 0;
}

static vs_code find(kbs_ctx *c, bool attestation, place *at, vs_error *err)
{
    const kbs_call *call = &c->call;
    size_t i = 1;
    *at = (place){.as = attestation ? c->k->as : NULL, .p = attestation ? NULL : c->k->policies};
    if (!attestation && call->n_segments > 1 && vs_span_is(call->segments[1], "repository")) {
        at->p = c->k->scoped;
        i = 2;
    }
    if (call->n_segments > i)
        at->id = call->segments[i++];
    if (call->n_segments > i)
        at->action = call->segments[i++];
    if (call->n_segments > i)
        return vs_fail(err, VS_E_NOT_FOUND, "there is nothing at this path");
    return VS_OK;
}

bool kbs_is_policy_action(const kbs_ctx *c)
{
    size_t n = c->call.n_segments;
    vs_span last = c->call.segments[n - 1];
    return n >= 3 && (vs_span_is(last, "activate") || vs_span_is(last, "rollback"));
}

/* ---- reading ----------------------------------------------------------------------------------
 */

/* ?version=N: 1 to 8 digits; 0 when it is not there. */
static vs_code version_of(kbs_ctx *c, uint32_t *out, vs_error *err)
{
    vs_val given = vs_getc(c->call.query, "version");
    vs_span text = vs_text(given);
    uint64_t n = 0;
    bool ok = !vs_defined(given) || (text.n <= 8 && vs_span_decimal(text, 99999999, &n) && n > 0);
    *out = (uint32_t)n;
    return ok ? VS_OK : vs_fail(err, VS_E_INVALID, "version must be a number");
}

static vs_code give_text(kbs_ctx *c, const place *at, vs_error *err)
{
    uint32_t version;
    vs_span text;
    VS_TRY(version_of(c, &version, err));
    if (version) {
        VS_TRY(read_version_at(at, version, c->call.arena, &text, err));
    } else {
        as_policy_state now;
        VS_TRY(read_at(at, c->call.arena, &now, err));
        if (!now.exists)
            return vs_fail(err, VS_E_NOT_FOUND, "there is no policy \"%.*s\"", VS_FMT(at->id));
        text = now.text;
        c->reply->etag = now.etag;
    }
    vs_buf_put(&c->reply->body, text);
    c->reply->content_type = "text/plain; charset=utf-8";
    return VS_OK;
}

static vs_code give_list(kbs_ctx *c, const place *at, vs_error *err)
{
    vs_val list;
    if (at->id.n == 0)
        VS_TRY(list_at(at, c->call.arena, &list, err));
    else
        VS_TRY(history_at(at, c->call.arena, &list, err));
    if (at->id.n > 0 && list.len == 0) { /* without a record, or not at all */
        as_policy_state now;
        VS_TRY(read_at(at, c->call.arena, &now, err));
        if (!now.exists)
            return vs_fail(err, VS_E_NOT_FOUND, "there is no policy \"%.*s\"", VS_FMT(at->id));
    }
    vs_json_print(&c->reply->body, list);
    c->reply->content_type = "application/json";
    return VS_OK;
}

static void give(kbs_ctx *c, bool attestation)
{
    vs_error err = {0};
    place at;
    vs_code code = find(c, attestation, &at, &err);
    if (code == VS_OK) {
        if (at.id.n == 0 || vs_span_is(at.action, "history"))
            code = give_list(c, &at, &err);
        else if (at.action.n == 0)
            code = give_text(c, &at, &err);
        else
            code = vs_fail(&err, VS_E_NOT_FOUND, "there is nothing at this path");
    }
    if (code != VS_OK)
        kbs_refuse_own(c, code, &err);
}

void kbs_get_attestation_policy(kbs_ctx *c)
{
    give(c, true);
}

void kbs_read_resource_policy(kbs_ctx *c)
{
    give(c, false);
}

/* ---- changing ---------------------------------------------------------------------------------
 */

static vs_code kind_of(kbs_ctx *c, const place *at, as_change *ch, vs_error *err)
{
    bool itself = at->action.n == 0 && at->id.n > 0;
    if (c->call.method == KBS_PUT && itself) {
        ch->kind = AS_SET;
        ch->text = c->call.body;
    } else if (c->call.method == KBS_DELETE && itself) {
        ch->kind = AS_DELETE;
        if (is_global(at)) /* the server stores it when it is missing */
            return vs_fail(err, VS_E_DENIED,
                           "the resource policy cannot be deleted, since it would come back with "
                           "the next start: set another text, or roll back");
    } else if (c->call.method == KBS_POST && vs_span_is(at->action, "activate")) {
        ch->kind = AS_ACTIVATE;
        VS_TRY(version_of(c, &ch->version, err));
        if (ch->version == 0)
            return vs_fail(err, VS_E_INVALID, "which version? (?version=N)");
    } else if (c->call.method == KBS_POST && vs_span_is(at->action, "rollback")) {
        ch->kind = AS_ROLL_BACK;
    } else {
        return vs_fail(err, VS_E_NOT_FOUND, "there is nothing at this path");
    }
    return VS_OK;
}

/* Only the policy that is asked is one: a text under another name would have no effect, and its
 * author would believe that it has. */
static vs_code check_id(const place *at, vs_error *err)
{
    if (is_global(at) && !vs_span_is(at->id, KBS_POLICY_ID))
        return vs_fail(err, VS_E_NOT_FOUND,
                       "the resource policy is \"" KBS_POLICY_ID "\"; a repository's is below "
                       "repository/");
    return VS_OK;
}

static vs_code change(kbs_ctx *c, const place *at, as_policy_state *now, vs_error *err)
{
    as_change ch = {.id = at->id,
                    .who = c->who,
                    .note = vs_text(vs_getc(c->call.query, "note")),
                    .if_match = c->call.if_match,
                    .if_none_match = c->call.if_none_match,
                    .now = c->call.now};
    VS_TRY(check_id(at, err));
    VS_TRY(kind_of(c, at, &ch, err));
    return change_at(at, &ch, c->call.arena, now, err);
}

static void tell_state(kbs_ctx *c, const as_policy_state *now)
{
    vs_jw w = {.out = &c->reply->body};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "version");
    vs_jw_int(&w, now->exists ? now->version : now->last);
    if (now->exists) {
        vs_jw_key(&w, "sha256");
        vs_jw_str(&w, now->sha256);
    }
    vs_jw_close(&w, '}');
    c->reply->etag = now->etag;
    c->reply->content_type = "application/json";
}

static void change_or_refuse(kbs_ctx *c, bool attestation)
{
    static const char *const actions[] = {
        [KBS_PUT] = "set", [KBS_DELETE] = "delete", [KBS_POST] = "activate", [KBS_GET] = ""};
    vs_error err = {0};
    place at;
    as_policy_state now;
    vs_code code = find(c, attestation, &at, &err);
    if (code == VS_OK)
        code = change(c, &at, &now, &err);
    const char *action = vs_sprintf(c->call.arena, "%s %s policy", actions[c->call.method],
                                    attestation ? "attestation" : "resource");
    bool recorded = kbs_decide_admin(c, action, code, &err);
    if (code != VS_OK)
        kbs_refuse_own(c, code, &err);
    else if (!recorded)
        kbs_refuse(c, KBS_PLUGIN_INTERNAL_ERROR, "the change was made but not recorded");
    else
        tell_state(c, &now);
}

void kbs_change_attestation_policy(kbs_ctx *c)
{
    change_or_refuse(c, true);
}

void kbs_change_resource_policy(kbs_ctx *c)
{
    change_or_refuse(c, false);
}

vs_code kbs_put_policy(kbs_ctx *c, as_policies *p, vs_span id, vs_span text, vs_error *err)
{
    as_policy_state now;
    const as_change ch = {
        .kind = AS_SET, .id = id, .text = text, .who = c->who, .now = c->call.now};
    return as_policies_change(p, &ch, c->call.arena, &now, err);
}
