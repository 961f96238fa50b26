/* SPDX-License-Identifier: Apache-2.0 */
#include "as/defaults.h"

#include "as/policies.h"
#include "as/versions.h"
#include "base/log.h"
#include "value/value.h"

#define UPGRADED "upgrade" /* of the history; no administrator's change is called that */

/* SHA-256 of what earlier releases shipped: whoever changes a file of policies/ that the server
 * stores by itself puts the digest of its former text here. (tests/unit/as/test_defaults.c) */
#define TPM_OPEN  "whatever claims to be a TPM passes for one, though nobody endorses its key"
#define TD_OPEN   "TDs that may be migrated are affirmed"
#define CCA_BLIND "what the CCA verifier finds wrong does not count"
static const struct {
    const char *name, *sha256, *lacks;
} earlier[] = {
    {"default_cpu", "b04558d97ce4e46959294383ccfa950143d6db6244fabe962f177306c894a908",
     TPM_OPEN "; debuggable machines of Azure and TDs that may be migrated are affirmed"},
    {"default_cpu", "8156b869d8128e5f83229542b3181a131b3e2b84444ef99c9b5c72292c3a4449",
     TPM_OPEN "; guests of Azure and TDs that may be migrated are affirmed"},
    {"default_cpu", "10f0e2ea2c284982a77c1b0d566966350f0cede09b9cd0a287de63114f0115a5", TD_OPEN},
    {"default_cpu", "d74f8e7d53576ebe58f119f63e1bee829985e959f812cda8e31dc8a071f48b7a",
     TPM_OPEN "; debuggable machines of Azure and TDs that may be migrated are affirmed"},
    {"default_cpu", "6b11d78ca54fe85c3144c49978f108a1c6e61f022f11b84bc9fc65018075b1db",
     CCA_BLIND "; " TPM_OPEN
               "; debuggable machines of Azure and TDs that may be migrated are affirmed"},
    {"kbs_default", "0a55e95b0c9811cb1660539e403a3c621abcb81d6582389801d90dcee5f8bd54",
     "whoever says that it is a TPM is given resources, with a key made in software"},
};

const char *const as_default_ids[AS_DEFAULTS] = {"default_cpu", "default_gpu", "default_switch",
                                                 "default_ppcie"};

const char *as_default_lacks(const char *name, vs_span sha256)
{
    for (size_t i = 0; i < VS_COUNT(earlier); i++)
        if (strcmp(earlier[i].name, name) == 0 && vs_span_is(sha256, earlier[i].sha256))
            return earlier[i].lacks;
    return NULL;
}

static bool is_resource(const char *name)
{
    return strncmp(name, "kbs_", 4) == 0;
}

const char *as_default_command(vs_span id, const char *name, vs_arena *a)
{
    return is_resource(name)
               ? "kbs-client config set-resource-policy --default"
               : vs_sprintf(a, "kbs-client config set-attestation-policy --default --id %.*s",
                            VS_FMT(id));
}

/* ---- looking ----------------------------------------------------------------------------------
 */

/* Nobody has chosen a text that has no record, where there are none, or that came by itself. */
static vs_code was_chosen(as_policies *p, vs_span id, const as_policy_state *now, vs_arena *a,
                          bool *out, vs_error *err)
{
    vs_val history;
    VS_TRY(as_policies_history(p, id, a, &history, err));
    vs_val last = history.len ? history.u.items[history.len - 1] : vs_undefined();
    *out = now->last != 0 &&
           !(now->version == now->last && vs_span_is(vs_text(vs_getc(last, "action")), UPGRADED));
    return VS_OK;
}

vs_code as_default_look(as_policies *p, vs_span id, const char *name, vs_arena *a, as_default *out,
                        vs_error *err)
{
    as_policy_state now;
    bool chosen;
    *out = (as_default){.state = AS_DEFAULT_MISSING};
    VS_TRY(as_policies_read(p, id, a, &now, err));
    if (!now.exists)
        return VS_OK;
    out->etag = now.etag;
    out->state = AS_DEFAULT_CURRENT;
    if (vs_span_eq(now.text, vs_policy_text(name)))
        return VS_OK;
    out->state = AS_DEFAULT_OTHER;
    out->lacks = as_default_lacks(name, vs_str(now.sha256));
    if (!out->lacks)
        return VS_OK;
    VS_TRY(was_chosen(p, id, &now, a, &chosen, err));
    out->state = chosen ? AS_DEFAULT_OLD_CHOSEN : AS_DEFAULT_OLD;
    return VS_OK;
}

/* ---- at the start -----------------------------------------------------------------------------
 */

/* Replicas may start at the same time: whoever comes second finds that it is done. */
static vs_code replace(as_policies *p, vs_span id, const char *name, const as_default *old,
                       int64_t now, vs_arena *a, vs_error *err)
{
    as_policy_state after;
    const as_change c = {.kind = AS_SET,
                         .action = UPGRADED,
                         .id = id,
                         .text = vs_policy_text(name),
                         .who = VS_LIT("vouchsafe " VS_VERSION),
                         .note = vs_str(vs_sprintf(a,
                                                   "replaces the default of an earlier release, "
                                                   "which nobody had chosen: with it, %s",
                                                   old->lacks)),
                         .if_match = vs_str(old->etag),
                         .now = now};
    VS_TRY(vs_arena_check(a, err));
    vs_code code = as_policies_change(p, &c, a, &after, err);
    if (code == VS_E_CONFLICT)
        return VS_OK;
    VS_TRY(code);
    vs_log(
        VS_LOG_WARN, "policies",
        "a default policy of an earlier release was replaced by that of this one", "policy",
        vs_sprintf(a, "%.*s", VS_FMT(id)), "lacked", old->lacks, "undo",
        vs_sprintf(a, "kbs-client config policy rollback %s",
                   is_resource(name) ? "resource" : vs_sprintf(a, "attestation/%.*s", VS_FMT(id))),
        NULL);
    return VS_OK;
}

static vs_code settle(as_policies *p, vs_span id, const char *name, int64_t now, vs_arena *a,
                      vs_error *err)
{
    as_default found;
    const char *id_text = vs_sprintf(a, "%.*s", VS_FMT(id));
    VS_TRY(as_default_look(p, id, name, a, &found, err));
    switch (found.state) {
    case AS_DEFAULT_MISSING: /* deleted just now */
    case AS_DEFAULT_CURRENT: break;
    case AS_DEFAULT_OTHER:
        vs_log(VS_LOG_INFO, "policies", "the stored policy is not the shipped one", "policy",
               id_text, NULL);
        break;
    case AS_DEFAULT_OLD: return replace(p, id, name, &found, now, a, err);
    case AS_DEFAULT_OLD_CHOSEN:
        vs_log(VS_LOG_WARN, "policies",
               "the stored policy is a default of an earlier release that an administrator has "
               "chosen, so it stays",
               "policy", id_text, "lacks", found.lacks, "command", as_default_command(id, name, a),
               NULL);
        break;
    }
    return VS_OK;
}

vs_code as_default_install(as_policies *p, vs_span id, const char *name, int64_t now, bool *stored,
                           vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    vs_code code = as_policies_set(p, id, vs_policy_text(name), VS_PUT_CREATE, err);
    if (stored)
        *stored = code == VS_OK;
    if (code == VS_E_EXISTS) { /* there is a policy, which is all that a start needs */
        vs_error why = {0};
        if (settle(p, id, name, now, &a, &why) != VS_OK)
            vs_log_error(VS_LOG_WARN, "policies",
                         "a stored policy was not compared with the defaults of earlier releases",
                         &why);
        return VS_OK;
    }
    if (code != VS_OK)
        (void)vs_wrap(err, "storing the default policy \"%.*s\"", VS_FMT(vs_span_head(id, 80)));
    return code;
}
