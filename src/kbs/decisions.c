/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decisions for administrators: GET decision/<id> (its record; that of a release holds, as
 * "attestation", the record of the attestation that gave the token), GET decision?last=N (ids,
 * oldest first), GET decision/<id>?export=1 (a sealed record: all that replaying it takes, signed),
 * GET decision/key (of that signature and of the audit log).
 */
#include "as/policy.h"
#include "as/replay.h"
#include "envelope/jose.h"
#include "kbs/internal.h"
#include "kbs/journal.h"
#include "value/json.h"

enum { LATEST_MAX = 10000 };

static void refuse(kbs_ctx *c, vs_code code, const vs_error *err)
{
    char cause[VS_ERROR_TEXT];
    if (code == VS_E_NOT_FOUND)
        kbs_refuse(c, KBS_PLUGIN_NOT_FOUND, "Decision not found: %s",
                   vs_error_text(err, cause, sizeof cause));
    else
        kbs_refuse(c, KBS_PLUGIN_INTERNAL_ERROR, "Plugin internal error: %s",
                   vs_error_text(err, cause, sizeof cause));
}

/* The texts of the policies of an appraisal: {"<sha256>": "package policy..."}. */
static vs_code policies_of(kbs_ctx *c, vs_val appraisal, vs_val *out, vs_error *err)
{
    vs_val submods = vs_getc(appraisal, "submods");
    vs_obj texts = {.a = c->call.arena};
    for (uint32_t i = 0; submods.kind == VS_ARRAY && i < submods.len; i++) {
        vs_span sha = vs_text(vs_getc(submods.u.items[i], "policy_sha256")), text;
        VS_TRY_WRAP(as_policy_text(c->k->as, sha, c->call.arena, &text, err), err,
                    "the text of a policy of this decision");
        vs_obj_add(&texts, vs_string(sha), vs_string(text));
    }
    *out = vs_obj_end(&texts, VS_DUP_LAST, NULL);
    return VS_OK;
}

static vs_code seal_record(kbs_ctx *c, vs_span record, vs_error *err)
{
    vs_val v, policies;
    VS_TRY(vs_json_parse(c->call.arena, record, NULL, &v, err));
    VS_TRY(policies_of(c, vs_getc(v, "appraisal"), &policies, err));
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(VS_JWS_MAX / 2);
    vs_json_print(&text, vs_with(c->call.arena, v, vs_cstring("policies"), policies));
    VS_TRY(vs_buf_check(&text, err));
    VS_TRY(vs_arena_check(c->call.arena, err));
    VS_TRY(kbs_journal_seal(c->k->journal, vs_buf_span(&text), &c->reply->body, err));
    c->reply->content_type = "application/jose";
    return VS_OK;
}

/* Why a release was denied stands, most often, in the attestation before it. */
static vs_code with_attestation(kbs_ctx *c, vs_span text, vs_error *err)
{
    vs_arena *a = c->call.arena;
    vs_val record, before;
    VS_TRY(vs_json_parse(a, vs_dup(a, text), NULL, &record, err));
    VS_CLEANUP(vs_buf_free) vs_buf found = VS_BUF(VS_STORE_VALUE_MAX);
    vs_span token = vs_text(vs_getc(record, "token_sha256"));
    if (token.n > 0 && vs_span_is(vs_text(vs_getc(record, "what")), "release")) {
        vs_code code = kbs_journal_of_token(c->k->journal, token, c->call.now, &found, err);
        if (code != VS_OK && code != VS_E_NOT_FOUND)
            return code;
        if (code == VS_OK) {
            VS_TRY(vs_json_parse(a, vs_dup(a, vs_buf_span(&found)), NULL, &before, err));
            record = vs_with(a, record, vs_cstring("attestation"), before);
        }
    }
    VS_TRY(vs_arena_check(a, err));
    vs_json_print(&c->reply->body, record);
    return VS_OK;
}

static vs_code one_record(kbs_ctx *c, vs_span id, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf record = VS_BUF(VS_STORE_VALUE_MAX);
    VS_TRY(kbs_journal_get(c->k->journal, id, c->call.now, &record, err));
    if (vs_defined(vs_getc(c->call.query, "export")))
        return seal_record(c, vs_dup(c->call.arena, vs_buf_span(&record)), err);
    return with_attestation(c, vs_buf_span(&record), err);
}

static vs_code latest(kbs_ctx *c, vs_error *err)
{
    uint64_t max = 100;
    vs_span text = vs_text(vs_getc(c->call.query, "last"));
    if (text.n > 0 && !vs_span_decimal(text, LATEST_MAX, &max))
        return vs_fail(err, VS_E_INVALID, "last must be a number up to %d", LATEST_MAX);
    vs_val ids;
    VS_TRY(kbs_journal_latest(c->k->journal, max, c->call.arena, &ids, err));
    vs_json_print(&c->reply->body, ids);
    return VS_OK;
}

void kbs_get_decision(kbs_ctx *c)
{
    vs_error err = {0};
    vs_code code;
    c->reply->content_type = "application/json";
    vs_span id = kbs_rest_of_path(c);
    if (id.n == 0)
        code = latest(c, &err);
    else if (vs_span_is(id, "key"))
        code = kbs_journal_key(c->k->journal, &c->reply->body, &err);
    else
        code = one_record(c, id, &err);
    if (code != VS_OK)
        refuse(c, code, &err);
}
