/* SPDX-License-Identifier: Apache-2.0 */
/* Start and end of the attestation service, and what it answers besides evaluations. */
#include "as/internal.h"

#include <stdlib.h>

#include "as/defaults.h"
#include "as/metrics.h"
#include "as/replay.h"
#include "base/clock.h"
#include "base/log.h"

enum { DURATION_MAX_MIN = 366 * 24 * 60 };

static vs_code fill_defaults(as_config *cfg, vs_error *err)
{
    const struct {
        const char **at, *name, *fallback;
    } texts[] = {
        {&cfg->issuer_name, "issuer_name", "CoCo-Attestation-Service"},
        {&cfg->developer_name, "developer_name", "https://confidentialcontainers.org"},
        {&cfg->build_name, "build_name", "attestation-service 0.1.0"},
        {&cfg->profile_name, "profile_name", "tag:github.com,2024:confidential-containers/Trustee"},
    };
    for (size_t i = 0; i < VS_COUNT(texts); i++) {
        if (!*texts[i].at)
            *texts[i].at = texts[i].fallback;
        if (!**texts[i].at)
            return vs_fail(err, VS_E_INVALID, "%s must not be empty", texts[i].name);
    }
    if (cfg->duration_min == 0)
        cfg->duration_min = 5;
    if (cfg->duration_min < 0 || cfg->duration_min > DURATION_MAX_MIN)
        return vs_fail(err, VS_E_INVALID, "duration_min must be 1 to %d minutes", DURATION_MAX_MIN);
    return VS_OK;
}

static vs_code store_defaults(as_local *as, vs_error *err)
{
    for (size_t i = 0; i < AS_DEFAULTS; i++)
        VS_TRY(as_default_install(as->policies, vs_str(as_default_ids[i]), as_default_ids[i],
                                  vs_now_s(), NULL, err));
    return VS_OK;
}

static vs_code start(as_local *as, vs_error *err)
{
    VS_TRY_WRAP(fill_defaults(&as->cfg, err), err, "attestation token settings");
    VS_TRY(as_policies_new(as->store, AS_POLICY_NAMESPACE, as_policy_hosts,
                           VS_COUNT(as_policy_hosts), &as->policies, err));
    VS_TRY(store_defaults(as, err));
    return as_signer_load(&as->signer, &as->cfg, as->store, vs_now_s(), &as->arena, err);
}

/* ---- the service of this process --------------------------------------------------------------
 */

/* IBM SE wants a challenge made with the host keys of its verifier, which is not in this build. */
static vs_code local_challenge(as_service *service, vs_span tee, vs_val params, vs_arena *a,
                               vs_span *out, vs_error *err)
{
    (void)service, (void)params, (void)a;
    *out = (vs_span){NULL, 0};
    if (vs_span_is(tee, "se"))
        return vs_fail(err, VS_E_UNSUPPORTED, "no verifier for TEE \"se\" in this build");
    return VS_OK;
}

static as_policies *policies_of(as_service *service)
{
    return ((as_local *)service)->policies;
}

static vs_code local_list_policies(as_service *service, vs_arena *a, vs_val *out, vs_error *err)
{
    return as_policies_list(policies_of(service), a, out, err);
}

static vs_code local_read_policy(as_service *service, vs_span id, vs_arena *a, as_policy_state *out,
                                 vs_error *err)
{
    return as_policies_read(policies_of(service), id, a, out, err);
}

static vs_code local_read_policy_version(as_service *service, vs_span id, uint32_t version,
                                         vs_arena *a, vs_span *text, vs_error *err)
{
    return as_policies_read_version(policies_of(service), id, version, a, text, err);
}

static vs_code local_policy_history(as_service *service, vs_span id, vs_arena *a, vs_val *out,
                                    vs_error *err)
{
    return as_policies_history(policies_of(service), id, a, out, err);
}

/* A deletion of one that the service makes would last until the next start, and then silently be
 * something else. */
static vs_code local_change_policy(as_service *service, const as_change *c, vs_arena *a,
                                   as_policy_state *out, vs_error *err)
{
    for (size_t i = 0; c->kind == AS_DELETE && i < AS_DEFAULTS; i++)
        if (vs_span_is(c->id, as_default_ids[i]))
            return vs_fail(err, VS_E_DENIED,
                           "policy \"%s\" cannot be deleted, since it would come back with the "
                           "next start: set another text, or roll back",
                           as_default_ids[i]);
    return as_policies_change(policies_of(service), c, a, out, err);
}

static vs_code local_set_policy(as_service *service, vs_span id, vs_span rego_text, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    as_policy_state now;
    const as_change c = {.kind = AS_SET,
                         .id = id,
                         .text = rego_text,
                         .note = VS_LIT("set on the attestation service's own port"),
                         .now = vs_now_s()};
    return as_policies_change(policies_of(service), &c, &a, &now, err);
}

static vs_code local_policy_text(as_service *service, vs_span sha256, vs_arena *a, vs_span *text,
                                 vs_error *err)
{
    return as_policy_by_digest(((as_local *)service)->store, sha256, a, text, err);
}

static void local_close(as_service *service)
{
    as_local *as = (as_local *)service;
    as_policies_free(&as->policies);
    as_signer_free(&as->signer);
    vs_arena_free(&as->arena);
    free(as);
}

static const as_ops local_ops = {.evaluate = as_local_evaluate,
                                 .challenge = local_challenge,
                                 .set_policy = local_set_policy,
                                 .close = local_close,
                                 .list_policies = local_list_policies,
                                 .read_policy = local_read_policy,
                                 .read_policy_version = local_read_policy_version,
                                 .policy_history = local_policy_history,
                                 .change_policy = local_change_policy,
                                 .policy_text = local_policy_text};

vs_code as_new(const as_config *cfg, vs_store *store, rvps *rv, const vs_tee_trust *trust,
               as_service **out, vs_error *err)
{
    *out = NULL;
    as_local *as = calloc(1, sizeof *as);
    if (!as)
        return vs_fail(err, VS_E_NOMEM, "out of memory for the attestation service");
    as->service.ops = &local_ops;
    as->cfg = *cfg;
    as->store = store;
    as->rv = rv;
    as->trust = trust;
    vs_arena_init(&as->arena, 0);
    vs_code code = start(as, err);
    *out = &as->service;
    if (code != VS_OK)
        as_free(out);
    return code;
}

#define ELSEWHERE "the attestation service is another process"

static const as_local *local(const as_service *service)
{
    return service->ops == &local_ops ? (const as_local *)service : NULL;
}

bool as_service_is_local(const as_service *service)
{
    return local(service) != NULL;
}

vs_val as_signer_jwk(const as_service *service)
{
    const as_local *as = local(service);
    return as ? as->signer.jwk : vs_undefined();
}

vs_code as_jwks(const as_service *service, vs_buf *json, vs_error *err)
{
    const as_local *as = local(service);
    if (!as)
        return vs_fail(err, VS_E_UNSUPPORTED, ELSEWHERE);
    vs_buf_puts(json, "{\"keys\":[");
    vs_buf_put(json, vs_buf_span(&as->signer.jwk_text));
    vs_buf_puts(json, "]}");
    return vs_buf_check(json, err);
}

/* ---- any service --------------------------------------------------------------------------------
 */

vs_code as_evaluate(as_service *as, const as_request *reqs, size_t n, vs_span policy_id,
                    int64_t now, vs_arena *a, as_result *out, vs_error *err)
{
    *out = (as_result){.explanation = vs_empty(VS_ARRAY)};
    int64_t start = vs_mono_ns();
    vs_code code = as->ops->evaluate(as, reqs, n, policy_id, now, a, out, err);
    vs_metric_observe(&as_m_seconds, VS_LIT(""), vs_mono_ns() - start);
    vs_metric_add(&as_m_evaluations,
                  code == VS_OK && out->status ? vs_str(out->status) : VS_LIT("refused"), 1);
    return code;
}

vs_code as_challenge(as_service *as, vs_span tee, vs_val params, vs_arena *a, vs_span *out,
                     vs_error *err)
{
    return as->ops->challenge(as, tee, params, a, out, err);
}

vs_code as_set_policy(as_service *as, vs_span id, vs_span rego_text, vs_error *err)
{
    return as->ops->set_policy(as, id, rego_text, err);
}

static vs_code not_offered(vs_error *err)
{
    return vs_fail(err, VS_E_UNSUPPORTED, ELSEWHERE ": its policies are not here");
}

vs_code as_list_policies(as_service *as, vs_arena *a, vs_val *out, vs_error *err)
{
    return as->ops->list_policies ? as->ops->list_policies(as, a, out, err) : not_offered(err);
}

vs_code as_read_policy(as_service *as, vs_span id, vs_arena *a, as_policy_state *out, vs_error *err)
{
    *out = (as_policy_state){0};
    return as->ops->read_policy ? as->ops->read_policy(as, id, a, out, err) : not_offered(err);
}

vs_code as_read_policy_version(as_service *as, vs_span id, uint32_t version, vs_arena *a,
                               vs_span *text, vs_error *err)
{
    return as->ops->read_policy_version
               ? as->ops->read_policy_version(as, id, version, a, text, err)
               : not_offered(err);
}

vs_code as_policy_history(as_service *as, vs_span id, vs_arena *a, vs_val *out, vs_error *err)
{
    return as->ops->policy_history ? as->ops->policy_history(as, id, a, out, err)
                                   : not_offered(err);
}

vs_code as_change_policy(as_service *as, const as_change *c, vs_arena *a, as_policy_state *out,
                         vs_error *err)
{
    *out = (as_policy_state){0};
    return as->ops->change_policy ? as->ops->change_policy(as, c, a, out, err) : not_offered(err);
}

vs_code as_policy_text(as_service *as, vs_span sha256, vs_arena *a, vs_span *text, vs_error *err)
{
    return as->ops->policy_text ? as->ops->policy_text(as, sha256, a, text, err) : not_offered(err);
}

void as_reasons(vs_val explanation, vs_buf *out)
{
    const char *between = "";
    if (explanation.kind != VS_ARRAY)
        return;
    for (VS_ARR_FOR (one, explanation)) {
        vs_val reasons = vs_getc(*one, "reasons");
        if (reasons.kind != VS_ARRAY)
            continue;
        for (VS_ARR_FOR (reason, reasons)) {
            vs_buf_puts(out, between);
            vs_buf_put(out, vs_text(vs_getc(*one, "submod")));
            vs_buf_puts(out, ": ");
            vs_buf_put(out, vs_text(*reason));
            between = " | ";
        }
    }
}

void as_free(as_service **as)
{
    if (!as || !*as)
        return;
    (*as)->ops->close(*as);
    *as = NULL;
}
