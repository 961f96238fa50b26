/* SPDX-License-Identifier: Apache-2.0 */
/* Start and end of the attestation service, and what it answers besides evaluations. */
#include "as/internal.h"

#include <stdlib.h>

#include "as/policies.h"
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

/* Stores the shipped policies that are missing. One that is there stays, and is mentioned when it
 * is not the shipped one: after an upgrade that may be an oversight. */
static vs_code store_defaults(as_service *as, vs_error *err)
{
    static const char *const names[] = {"default_cpu", "default_gpu", "default_switch",
                                        "default_ppcie"};
    for (size_t i = 0; i < VS_COUNT(names); i++) {
        vs_span text = vs_policy_text(names[i]);
        vs_code code = as_policies_set(as->policies, vs_str(names[i]), text, VS_PUT_CREATE, err);
        if (code != VS_OK && code != VS_E_EXISTS) {
            (void)vs_wrap(err, "storing policy %s", names[i]);
            return code;
        }
        VS_CLEANUP(vs_buf_free) vs_buf stored = VS_BUF(AS_POLICY_TEXT_MAX);
        const char *key = vs_sprintf(&as->arena, "%s.rego", names[i]);
        VS_TRY(vs_store_get(as->store, AS_POLICY_NAMESPACE, vs_str(key), 0, &stored, err));
        if (!vs_span_eq(vs_buf_span(&stored), text))
            vs_log(VS_LOG_INFO, "as", "the stored policy is not the shipped one", "policy",
                   names[i], NULL);
    }
    return VS_OK;
}

static vs_code start(as_service *as, vs_error *err)
{
    VS_TRY_WRAP(fill_defaults(&as->cfg, err), err, "attestation token settings");
    VS_TRY(as_policies_new(as->store, AS_POLICY_NAMESPACE, as_policy_hosts,
                           VS_COUNT(as_policy_hosts), &as->policies, err));
    VS_TRY(store_defaults(as, err));
    return as_signer_load(&as->signer, &as->cfg, as->store, vs_now_s(), &as->arena, err);
}

vs_code as_new(const as_config *cfg, vs_store *store, rvps *rv, const vs_tee_trust *trust,
               as_service **out, vs_error *err)
{
    *out = NULL;
    as_service *as = calloc(1, sizeof *as);
    if (!as)
        return vs_fail(err, VS_E_NOMEM, "out of memory for the attestation service");
    as->cfg = *cfg;
    as->store = store;
    as->rv = rv;
    as->trust = trust;
    vs_arena_init(&as->arena, 0);
    vs_code code = start(as, err);
    if (code != VS_OK) {
        as_free(&as);
        return code;
    }
    *out = as;
    return VS_OK;
}

void as_free(as_service **as)
{
    if (!as || !*as)
        return;
    as_policies_free(&(*as)->policies);
    as_signer_free(&(*as)->signer);
    vs_arena_free(&(*as)->arena);
    free(*as);
    *as = NULL;
}

vs_code as_set_policy(as_service *as, vs_span id, vs_span rego_text, vs_error *err)
{
    return as_policies_set(as->policies, id, rego_text, VS_PUT_REPLACE, err);
}

vs_val as_signer_jwk(const as_service *as)
{
    return as->signer.jwk;
}

vs_code as_jwks(const as_service *as, vs_buf *json, vs_error *err)
{
    vs_buf_puts(json, "{\"keys\":[");
    vs_buf_put(json, vs_buf_span(&as->signer.jwk_text));
    vs_buf_puts(json, "]}");
    return vs_buf_check(json, err);
}
