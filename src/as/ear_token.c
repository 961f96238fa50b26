/* SPDX-License-Identifier: Apache-2.0 */
/* The EAR token: claims in the order of section 5.2, signed with ES256. */
#include "as/internal.h"

#include <stdlib.h>

#include "envelope/jose.h"
#include "value/json.h"

/* A copy without the member that the pointer's names lead to. */
static vs_val without(vs_arena *a, vs_val object, vs_span pointer)
{
    vs_span name = vs_span_from(pointer, 1);
    const uint8_t *slash = name.n ? memchr(name.p, '/', name.n) : NULL;
    if (object.kind != VS_OBJECT || !name.n)
        return object;
    if (!slash)
        return vs_with(a, object, vs_string(name), vs_undefined());
    name = vs_span_head(name, (size_t)(slash - name.p));
    vs_val inner = vs_get(object, name);
    if (!vs_defined(inner))
        return object;
    inner = without(a, inner, vs_span_from(pointer, name.n + 1));
    return vs_with(a, object, vs_string(name), inner);
}

vs_code as_token_evidence(as_appraisal *ap, vs_arena *a, vs_error *err)
{
    ap->evidence = ap->policy_only.n ? without(a, ap->input, ap->policy_only) : ap->input;
    return vs_arena_check(a, err);
}

void as_write_vector(vs_jw *w, const ear_vector *v)
{
    vs_jw_open(w, '{');
    for (unsigned i = 0; i < EAR_CLAIMS; i++) {
        if (!v->set[i])
            continue;
        vs_jw_key(w, ear_claim_name((ear_claim)i));
        vs_jw_int(w, v->value[i]);
    }
    vs_jw_close(w, '}');
}

void as_write_verifier_id(vs_jw *w, const as_config *cfg)
{
    vs_jw_key(w, "ear.verifier-id");
    vs_jw_open(w, '{');
    vs_jw_key(w, "developer");
    vs_jw_str(w, cfg->developer_name);
    vs_jw_key(w, "build");
    vs_jw_str(w, cfg->build_name);
    vs_jw_close(w, '}');
}

static void write_appraisal(vs_jw *w, const as_appraisal *ap, vs_span policy_id)
{
    vs_jw_open(w, '{');
    vs_jw_key(w, "ear.status");
    vs_jw_str(w, ear_tier_name(ap->status));
    vs_jw_key(w, "ear.trustworthiness-vector");
    as_write_vector(w, &ap->vector);
    vs_jw_key(w, "ear.appraisal-policy-id");
    vs_jw_span(w, policy_id);
    vs_jw_key(w, "ear.veraison.annotated-evidence");
    vs_jw_val(w, ap->evidence);
    for (size_t i = 0; i < ap->n_extensions; i++) {
        if (ap->extensions[i].value.kind == VS_NULL)
            continue;
        vs_jw_key_span(w, ap->extensions[i].name);
        vs_jw_val(w, ap->extensions[i].value);
    }
    vs_jw_close(w, '}');
}

static void write_claims(vs_buf *out, const as_config *cfg, const as_appraisal *aps, size_t n,
                         vs_span policy_id, int64_t iat, int64_t exp)
{
    vs_jw w = {.out = out};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "eat_profile");
    vs_jw_str(&w, cfg->profile_name);
    vs_jw_key(&w, "iat");
    vs_jw_int(&w, iat);
    as_write_verifier_id(&w, cfg);
    vs_jw_key(&w, "submods");
    vs_jw_open(&w, '{');
    for (size_t i = 0; i < n; i++) {
        vs_jw_key(&w, aps[i].submod);
        write_appraisal(&w, &aps[i], policy_id);
    }
    vs_jw_close(&w, '}');
    vs_jw_key(&w, "exp");
    vs_jw_int(&w, exp);
    vs_jw_key(&w, "iss");
    vs_jw_str(&w, cfg->issuer_name);
    vs_jw_close(&w, '}');
}

static int by_submod(const void *x, const void *y)
{
    return strcmp(((const as_appraisal *)x)->submod, ((const as_appraisal *)y)->submod);
}

vs_code as_ear_claims(const as_config *cfg, as_appraisal *aps, size_t n, vs_span policy_id,
                      int64_t iat, int64_t exp, vs_buf *claims, vs_error *err)
{
    qsort(aps, n, sizeof *aps, by_submod);
    write_claims(claims, cfg, aps, n, policy_id, iat, exp);
    VS_TRY_WRAP(vs_buf_check(claims, err), err, "the token is too large");
    return VS_OK;
}

vs_code as_ear_sign(const as_local *as, vs_span claims, vs_arena *a, vs_span *token, vs_error *err)
{
    vs_buf jws = VS_BUF_ON(a, 2 * AS_TOKEN_MAX);
    VS_TRY_WRAP(
        vs_jws_sign(&jws, as->signer.key, VS_ES256, vs_buf_span(&as->signer.header), claims, err),
        err, "signing the token");
    *token = vs_buf_span(&jws);
    return vs_arena_check(a, err);
}
