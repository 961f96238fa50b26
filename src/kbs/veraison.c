/* SPDX-License-Identifier: Apache-2.0 */
/* Veraison's interface within the broker: its sessions are the attestation service's
 * (as/veraison.h), its findings are decisions like those of /attest. */
#include "as/veraison.h"

#include "kbs/internal.h"
#include "kbs/metrics.h"

static bool decide(void *user, const as_veraison_finding *f)
{
    kbs_ctx *c = user;
    const kbs_decision d = {.what = "attestation",
                            .allowed = f->proven,
                            .proven = f->proven,
                            .action = "veraison session",
                            .tee = "cca",
                            .status = f->status,
                            .reason = f->reason,
                            .evidence = f->evidence,
                            .token = f->token};
    vs_metric_add(f->proven ? &kbs_m_attestation_successes : &kbs_m_attestation_failures,
                  VS_LIT("cca"), 1);
    return kbs_decide(c, &d);
}

void kbs_veraison(kbs_ctx *c)
{
    as_veraison_call call = *c->call.veraison;
    as_veraison_reply *reply = c->reply->veraison;
    call.decide = decide;
    call.user = c;
    if (call.verb == AS_VERAISON_SUBMIT)
        kbs_count(&kbs_m_attestation_requests);
    as_veraison_handle(c->k->veraison, &call, reply);
    if (call.verb == AS_VERAISON_SUBMIT && reply->status != AS_VERAISON_OK)
        kbs_count(&kbs_m_attestation_errors);
}

static kbs_method method_of(as_veraison_verb verb)
{
    switch (verb) {
    case AS_VERAISON_NEW:
    case AS_VERAISON_SUBMIT: return KBS_POST;
    case AS_VERAISON_DELETE: return KBS_DELETE;
    default: return KBS_GET;
    }
}

void kbs_handle_veraison(void *k, const as_veraison_call *call, as_veraison_reply *reply)
{
    vs_span name = VS_LIT("veraison");
    const kbs_call request = {.method = method_of(call->verb),
                              .segments = &name,
                              .n_segments = 1,
                              .now = call->now,
                              .arena = call->arena,
                              .veraison = call};
    kbs_reply answer = {.body = VS_BUF(0), .veraison = reply};
    kbs_handle(k, &request, &answer);
    memcpy(reply->decision, answer.decision, sizeof reply->decision);
    if (answer.error == KBS_OK)
        return;
    vs_buf_clear(&reply->body); /* no such route, or what it does could not be recorded */
    reply->status =
        answer.error == KBS_PLUGIN_NOT_FOUND ? AS_VERAISON_NOT_FOUND : AS_VERAISON_FAILED;
    reply->detail = "the verifier failed";
}
