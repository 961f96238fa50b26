/* SPDX-License-Identifier: Apache-2.0 */
/* Administration of the built-in verifier: attestation policies and reference values (kbs.md 3). */
#include "as/versions.h"
#include "kbs/internal.h"

#include "base/enc.h"
#include "envelope/corim.h"
#include "value/json.h"

/* An access list may let somebody reach all that is below a path: what has no parts is not below
 * one. */
static vs_code no_more_path(kbs_ctx *c, vs_error *err)
{
    return kbs_rest_of_path(c).n == 0
               ? VS_OK
               : vs_fail(err, VS_E_NOT_FOUND, "there is nothing at this path");
}

/* ---- attestation policy -----------------------------------------------------------------------
 */

static vs_code set_attestation_policy(kbs_ctx *c, const char **id, vs_error *err)
{
    vs_val body, policy_id, policy;
    vs_span text;
    VS_TRY(no_more_path(c, err));
    VS_TRY(vs_json_parse(c->call.arena, c->call.body, NULL, &body, err));
    VS_TRY(vs_need(body, "policy_id", VS_STRING, &policy_id, err));
    VS_TRY(vs_need(body, "policy", VS_STRING, &policy, err));
    *id = vs_sprintf(c->call.arena, "set attestation policy %.*s",
                     VS_FMT(vs_span_head(vs_text(policy_id), 128)));
    VS_TRY_WRAP(vs_b64_decode_arena(c->call.arena, VS_B64_URL, vs_text(policy), &text, err), err,
                "member \"policy\"");
    as_policy_state now;
    const as_change ch = {
        .kind = AS_SET, .id = vs_text(policy_id), .text = text, .who = c->who, .now = c->call.now};
    vs_code code = as_change_policy(c->k->as, &ch, c->call.arena, &now, err);
    /* Trustee's service takes policies, without who and when; so does one of ours to which we are a
     * stranger. */
    return code == VS_E_UNSUPPORTED || code == VS_E_DENIED
               ? as_set_policy(c->k->as, vs_text(policy_id), text, err)
               : code;
}

void kbs_set_attestation_policy(kbs_ctx *c)
{
    if (kbs_is_policy_action(c)) {
        kbs_change_attestation_policy(c);
        return;
    }
    vs_error err = {0};
    char cause[VS_ERROR_TEXT];
    const char *what = "set attestation policy";
    vs_code code = set_attestation_policy(c, &what, &err);
    bool recorded = kbs_decide_admin(c, what, code, &err);
    if (code != VS_OK ||
        !recorded) /* an administrator may know why; the beginning is what clients look for */
        kbs_refuse(c, KBS_ATTESTATION_ERROR, "Attestation error: Set Attestation Policy failed: %s",
                   vs_error_text(&err, cause, sizeof cause));
}

/* ---- reference values -------------------------------------------------------------------------
 */

void kbs_get_reference_value(kbs_ctx *c)
{
    vs_error err = {0};
    char cause[VS_ERROR_TEXT];
    vs_val value = vs_undefined();
    vs_span id = kbs_rest_of_path(c);
    if (rvps_query(c->k->rv, id, c->call.now, c->call.arena, &value, &err) != VS_OK) {
        kbs_refuse(c, KBS_RVPS_ERROR,
                   "RVPS configuration failed: Failed to get reference_values: %s",
                   vs_error_text(&err, cause, sizeof cause));
        return;
    }
    if (!vs_defined(value)) {
        kbs_refuse(c, KBS_RVPS_ERROR,
                   "RVPS configuration failed: Failed to get reference_values: "
                   "No reference value found for the given id: %.*s",
                   VS_FMT(vs_span_head(id, 512)));
        return;
    }
    vs_json_print(&c->reply->body, value);
    c->reply->content_type = "application/json";
}

/* An administrator vouches for what he sends; not where everybody is one, or nobody was asked. */
static vs_code register_message(kbs_ctx *c, vs_span message, vs_error *err)
{
    bool anybody = c->who.n == 0 || c->rules->cfg->admin.mode == KBS_ADMIN_INSECURE_ALLOW_ALL;
    return (anybody ? rvps_register_by : rvps_register_vouched)(c->k->rv, message, c->who,
                                                                c->call.now, err);
}

void kbs_set_reference_values(kbs_ctx *c)
{
    vs_error err = {0};
    char cause[VS_ERROR_TEXT];
    if (!vs_utf8_ok(c->call.body)) {
        kbs_refuse(c, KBS_RVPS_ERROR,
                   "RVPS configuration failed: Failed to parse reference value message");
        return;
    }
    vs_code code = no_more_path(c, &err);
    if (code == VS_OK)
        code = register_message(c, c->call.body, &err);
    bool recorded = kbs_decide_admin(c, "register reference values", code, &err);
    if (code != VS_OK || !recorded)
        kbs_refuse(c, KBS_RVPS_ERROR,
                   "RVPS configuration failed: Failed to register reference value: %s",
                   vs_error_text(&err, cause, sizeof cause));
    else
        c->reply->content_type = "application/json";
}

/* ---- endorsements -----------------------------------------------------------------------------
 */

/* POST endorsement, or open-endorsement: the body is a CoRIM as it is. Where anybody may, c->who is
 * empty, and so nobody vouches for it. */
static vs_code take_endorsements(kbs_ctx *c, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf message = VS_BUF(2 * CORIM_SIZE_MAX);
    VS_TRY(no_more_path(c, err));
    if (c->call.unfit)
        return vs_fail(err, VS_E_INVALID, "%s", c->call.unfit);
    VS_TRY(rvps_message(&message, "corim", c->call.body, err));
    return register_message(c, vs_buf_span(&message), err);
}

void kbs_take_endorsements(kbs_ctx *c)
{
    vs_error err = {0};
    if (!kbs_journal_works(c)) {
        kbs_refuse(c, KBS_PLUGIN_INTERNAL_ERROR, "the change could not be recorded");
        return;
    }
    vs_code code = take_endorsements(c, &err);
    bool recorded = kbs_decide_admin(c, "register endorsements", code, &err);
    if (code != VS_OK)
        kbs_refuse_own(c,
                       code == VS_E_CRYPTO || code == VS_E_UNTRUSTED || code == VS_E_MISMATCH
                           ? VS_E_DENIED
                           : code,
                       &err);
    else if (!recorded)
        kbs_refuse(c, KBS_PLUGIN_INTERNAL_ERROR, "the change was made but not recorded");
    else
        c->reply->content_type = "application/json";
}
