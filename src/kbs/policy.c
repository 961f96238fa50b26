/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resource policies: Rego texts that decide every release (kbs.md 5). The one named
 * "resource-policy" is asked about everything, as Trustee's. A repository can have one of its own,
 * "resource-policy/<repository>", which is then asked as well about its resources: both must allow,
 * so that whoever may set a repository's policy can narrow what is released, never widen it, and
 * cannot touch that of another. When it cannot be read, that is no answer.
 */
#include "kbs/internal.h"

#include <stdio.h>

#include "as/defaults.h"
#include "as/policies.h"
#include "as/versions.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/io.h"
#include "base/log.h"
#include "kbs/metrics.h"
#include "value/json.h"

enum { REASON_MAX = 4096, REASONS_SHOWN = 8 };

#define POLICY_ID VS_LIT(KBS_POLICY_ID)

/* ---- start --------------------------------------------------------------------------------------
 */

/* The policy file of an older installation (kbs.md 12.1), the first time this one starts. */
static vs_code import_legacy(kbs *k, vs_error *err)
{
    const char *path = k->cfg->policy_in_file ? NULL : k->cfg->legacy_policy_path;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(AS_POLICY_TEXT_MAX);
    vs_code code = path ? vs_read_file(path, &text, err) : VS_E_NOT_FOUND;
    if (code == VS_E_NOT_FOUND)
        return VS_OK;
    VS_TRY_WRAP(code, err, "the resource policy of an older installation");
    code = as_policies_set(k->policies, POLICY_ID, vs_buf_span(&text), VS_PUT_CREATE, err);
    if (code == VS_E_EXISTS)
        return VS_OK;
    VS_TRY_WRAP(code, err, "importing the resource policy %s", path);
    vs_log(VS_LOG_WARN, "kbs",
           "resource policy of an older installation taken over: from now on it is in the store, "
           "and this file is not read again",
           "file", path, NULL);
    return VS_OK;
}

static vs_code found_one(void *user, vs_span key)
{
    (void)key;
    *(bool *)user = true;
    return VS_E_EXISTS;
}

/* The default is for an empty house. Where secrets are already, somebody has probably set a
 * stricter one, which was lost with the place it was kept in. */
static void warn_of_default(const kbs *k)
{
    vs_error err = {0};
    bool found = k->cfg->vault != NULL; /* which is not asked for it: it holds others' secrets */
    if (!found && k->cfg->has_resource_plugin)
        (void)!vs_store_list(k->resources, KBS_NS_RESOURCE, found_one, &found, &err);
    if (found)
        vs_log(
            VS_LOG_WARN, "kbs",
            "no resource policy was stored, so that the built-in default is in effect now, "
            "beside resources that are there already: it releases each of them to every attested "
            "workload. Set yours again if there was one (kbs-client config "
            "set-resource-policy)",
            NULL);
}

static const char *place_of(const kbs_config *cfg, char *out, size_t cap)
{
    static const char *const names[] = {
        [STORE_MEMORY] = "memory", [STORE_SQLITE] = "Sqlite",       [STORE_LOCALFS] = "LocalFs",
        [STORE_TREE] = "files",    [STORE_LOCALJSON] = "LocalJson", [STORE_POSTGRES] = "Postgres"};
    bool path = cfg->policy_in_file || cfg->storage.path;
    (void)snprintf(out, cap, "%s%s%s", cfg->policy_in_file ? "file" : names[cfg->storage.type],
                   path ? " " : "",
                   cfg->policy_in_file ? cfg->legacy_policy_path
                   : path              ? cfg->storage.path
                                       : "");
    return out;
}

/* Which of the policies that come with the program it is, for those who wonder. */
static const char *kind_of(vs_span text)
{
    static const char *const known[][2] = {{"kbs_default", "the built-in default"},
                                           {"kbs_allow_all", "the built-in allow-all"},
                                           {"kbs_deny_all", "the built-in deny-all"},
                                           {"kbs_affirming", "the built-in affirming"}};
    for (size_t i = 0; i < VS_COUNT(known); i++)
        if (vs_span_eq(text, vs_policy_text(known[i][0])))
            return known[i][1];
    return "own";
}

/* A policy of then that compares with "resource/r/t/g" would find nothing equal to it. */
static void warn_of_paths(const kbs *k, vs_span text)
{
    bool said = vs_defined(config_member(k->cfg->file, "policy_engine.resource_path"));
    if (k->cfg->legacy_policy_path && !said && memmem(text.p, text.n, "resource-path", 13))
        vs_log(
            VS_LOG_WARN, "kbs",
            "the resource policy looks at data[\"resource-path\"], which is a list [\"r\", \"t\", "
            "\"g\"] here and was a text \"resource/r/t/g\" in Trustee until v0.17: say which it "
            "was written for, with policy_engine.resource_path = \"segments\" or \"text\"",
            NULL);
}

/* A text that others wrote may be none at all: then nothing is released, and an administrator can
 * still set another one. */
static vs_code tell_what_counts(kbs *k, vs_error *err)
{
    vs_arena a;
    as_policy_state now;
    char place[512];
    vs_error why = {0};
    vs_arena_init(&a, 0);
    vs_code code = as_policies_read(k->policies, POLICY_ID, &a, &now, err);
    if (code == VS_OK && now.exists) {
        vs_log(VS_LOG_INFO, "kbs", "resource policy in effect", "policy", kind_of(now.text),
               "sha256", now.sha256, "kept", place_of(k->cfg, place, sizeof place), NULL);
        if (strcmp(kind_of(now.text), "own") == 0)
            warn_of_paths(k, now.text);
        if (as_policies_check(k->policies, POLICY_ID, now.text, &why) != VS_OK)
            vs_log_error(VS_LOG_ERROR, "kbs",
                         "the resource policy cannot be used, so that nothing is released", &why);
    }
    vs_arena_free(&a);
    return code;
}

vs_code kbs_policy_start(kbs *k, vs_error *err)
{
    VS_TRY(as_policies_new(k->store, KBS_NS_POLICY, NULL, 0, &k->policies, err));
    VS_TRY(as_policies_under(k->store, KBS_NS_POLICY, KBS_SCOPE, NULL, 0, &k->scoped, err));
    VS_TRY(import_legacy(k, err));
    bool stored = false;
    VS_TRY(
        as_default_install(k->policies, POLICY_ID, KBS_SHIPPED_POLICY, vs_now_s(), &stored, err));
    if (stored)
        warn_of_default(k);
    return tell_what_counts(k, err);
}

/* ---- decision -----------------------------------------------------------------------------------
 */

/* The policy's `data` document: what is asked for. */
static vs_val request_data(kbs_ctx *c)
{
    vs_arena *a = c->call.arena;
    vs_vec path = {.a = a};
    for (size_t i = 1; i < c->call.n_segments; i++)
        vs_vec_add(&path, vs_string(c->call.segments[i]));
    vs_obj data = {.a = a};
    vs_obj_put(&data, "plugin", vs_string(c->call.segments[0]));
    vs_obj_put(&data, "resource-path",
               c->k->cfg->paths_as_text ? vs_string(vs_span_from(c->call.path, strlen("/kbs/v0/")))
                                        : vs_vec_end_array(&path));
    vs_obj_put(&data, "query",
               c->call.query.kind == VS_OBJECT ? c->call.query : vs_empty(VS_OBJECT));
    return vs_obj_end(&data, VS_DUP_REFUSE, NULL);
}

static const char *why_not(kbs_ctx *c, rego_eval *e, rego_presence presence)
{
    if (presence == REGO_ABSENT)
        return "the resource policy has no rule `allow` (is its package `policy`?)";
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(REASON_MAX);
    vs_val entries = rego_eval_explain(e, "data.policy.allow", c->call.arena);
    for (uint32_t i = 0; entries.kind == VS_ARRAY && i < entries.len && i < REASONS_SHOWN; i++) {
        vs_buf_puts(&out, i ? " | " : "");
        as_policy_explain(&out, entries.u.items[i]);
    }
    return out.n ? vs_sprintf(c->call.arena, "%.*s", VS_FMT(vs_buf_span(&out)))
                 : "no rule of the resource policy allows it";
}

/* Only true allows; what is no boolean at all is a mistake in the policy, and counted as one. */
typedef enum answer { DENIED, ALLOWED, NO_ANSWER } answer;

static vs_code evaluate(kbs_ctx *c, rego_eval *e, answer *out, kbs_decision *d, vs_error *err)
{
    rego_inputs in = {
        .input = c->claims,
        .data = request_data(c),
        .now_ns = c->call.now * 1000000000,
        .explain = true,
    };
    VS_TRY(vs_arena_check(c->call.arena, err));
    vs_random(&in.seed, sizeof in.seed);
    rego_presence presence;
    vs_val v;
    VS_TRY(rego_eval_begin(e, &in, err));
    VS_TRY(rego_eval_rule(e, "data.policy.allow", &presence, &v, NULL, err));
    *out = presence != REGO_VALUE || v.kind != VS_BOOL ? NO_ANSWER
           : vs_is_true(v)                             ? ALLOWED
                                                       : DENIED;
    if (*out != ALLOWED)
        d->reason = why_not(c, e, presence);
    return VS_OK;
}

/* Asks one policy. VS_E_NOT_FOUND: there is none; other failures were refused. */
static vs_code ask(kbs_ctx *c, as_policies *p, vs_span id, answer *said, kbs_decision *d,
                   vs_error *err)
{
    as_policy_lease lease;
    *said = NO_ANSWER;
    vs_code code = as_policies_lease(p, id, &lease, err);
    if (code != VS_OK) {
        if (code != VS_E_NOT_FOUND)
            kbs_refuse(c, KBS_POLICY_ENGINE_ERROR, "Policy engine error: Failed to load policy");
        return code;
    }
    code = evaluate(c, lease.eval, said, d, err);
    const char *before = d->policy_sha256;
    d->policy_sha256 =
        vs_sprintf(c->call.arena, before ? "%s+%s" : "%s%s", before ? before : "", lease.sha256);
    as_policies_return(p, &lease);
    if (code == VS_OK)
        return VS_OK;
    kbs_refuse(c, KBS_POLICY_ENGINE_ERROR, "Policy engine error: Failed to eval policy");
    return code == VS_E_NOT_FOUND ? VS_E_INTERNAL : code;
}

/* The repository's own policy, when what is asked for is in one that can have one. */
static vs_code ask_scoped(kbs_ctx *c, answer *said, kbs_decision *d, vs_error *err)
{
    const kbs_call *call = &c->call;
    if (call->n_segments < 2 || !vs_span_is(call->segments[0], "resource") ||
        !as_policy_id_ok(call->segments[1]))
        return VS_OK;
    vs_error why = {0};
    answer scoped;
    vs_code code = ask(c, c->k->scoped, call->segments[1], &scoped, d, &why);
    if (code == VS_E_NOT_FOUND)
        return VS_OK;
    *said = scoped;
    if (code != VS_OK)
        *err = why;
    return code;
}

bool kbs_policy_allows(kbs_ctx *c, kbs_decision *d, vs_error *err)
{
    answer said;
    int64_t start = vs_mono_ns();
    kbs_count(&kbs_m_policy_evaluations);
    vs_code code = ask(c, c->k->policies, POLICY_ID, &said, d, err);
    if (code == VS_E_NOT_FOUND)
        kbs_refuse(c, KBS_POLICY_ENGINE_ERROR, "Policy engine error: Failed to load policy");
    if (code == VS_OK && said == ALLOWED)
        code = ask_scoped(c, &said, d, err);
    (void)kbs_stage("resource policy", start);
    bool allowed = code == VS_OK && said == ALLOWED;
    kbs_count(allowed                           ? &kbs_m_policy_approvals
              : code == VS_OK && said == DENIED ? &kbs_m_policy_violations
                                                : &kbs_m_policy_errors);
    if (code == VS_OK && !allowed)
        kbs_refuse(c, KBS_POLICY_DENY, "Access denied by policy");
    return allowed;
}

/* ---- administration -----------------------------------------------------------------------------
 */

static vs_code add_name(void *user, vs_span key)
{
    vs_vec *list = user;
    if (vs_span_ends(key, VS_LIT(".rego")))
        vs_vec_add(list, vs_string_dup(list->a, vs_span_head(key, key.n - 5)));
    return VS_OK;
}

void kbs_get_resource_policy(kbs_ctx *c)
{
    vs_error err = {0};
    vs_vec list = {.a = c->call.arena};
    if (vs_store_list(c->k->store, KBS_NS_POLICY, add_name, &list, &err) != VS_OK) {
        vs_log_error(VS_LOG_ERROR, "kbs", "listing resource policies", &err);
        kbs_refuse(c, KBS_POLICY_ENGINE_ERROR, "Policy engine error: Failed to list policies");
        return;
    }
    vs_json_print(&c->reply->body, vs_vec_end_array(&list));
    c->reply->content_type = "application/json";
}

/* The policy text of {"policy": "<base64url>"}; refuses and returns false. */
static bool policy_text(kbs_ctx *c, vs_span *text)
{
    vs_error err = {0};
    vs_val body;
    const char *wrong = NULL;
    if (kbs_rest_of_path(c).n > 0) /* an access list may allow what is below a path, not this */
        wrong = "there is nothing at this path";
    else if (vs_json_parse(c->call.arena, c->call.body, NULL, &body, &err) != VS_OK ||
             body.kind != VS_OBJECT)
        wrong = "Illegal SetPolicy Request Json";
    else if (!vs_defined(vs_getc(body, "policy")))
        wrong = "No `policy` field inside SetPolicy Request Json";
    else if (vs_getc(body, "policy").kind != VS_STRING)
        wrong = "`policy` field is not a string in SetPolicy Request Json";
    if (wrong) {
        kbs_refuse(c, KBS_PARSE_POLICY_ERROR, "Failed to parse policy: %s", wrong);
        return false;
    }
    vs_span b64 = vs_text(vs_getc(body, "policy"));
    if (vs_b64_decode_arena(c->call.arena, VS_B64_URL, b64, text, &err) != VS_OK) {
        kbs_refuse(c, KBS_PARSE_POLICY_ERROR, "Failed to parse policy: Failed to decode policy: %s",
                   vs_error_at(&err, 0));
        return false;
    }
    return true;
}

void kbs_set_resource_policy(kbs_ctx *c)
{
    vs_span text;
    if (kbs_is_policy_action(c)) {
        kbs_change_resource_policy(c);
        return;
    }
    if (!policy_text(c, &text))
        return;
    vs_error err = {0};
    char cause[VS_ERROR_TEXT];
    vs_code code = kbs_put_policy(c, c->k->policies, POLICY_ID, text, &err);
    bool recorded = kbs_decide_admin(c, "set resource policy", code, &err);
    if (code != VS_OK || !recorded)
        kbs_refuse(c, KBS_POLICY_ENGINE_ERROR, "Policy engine error: %s",
                   vs_error_text(&err, cause, sizeof cause));
}
